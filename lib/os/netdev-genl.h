/* SPDX-License-Identifier: Apache-2.0 */
#ifndef XVS_OS_NETDEV_GENL_H
#define XVS_OS_NETDEV_GENL_H 1

/* What a network device's driver can do for AF_XDP sockets, from the kernel's generic netlink
 * family "netdev" (Linux, Documentation/netlink/specs/netdev.yaml). */

#include <stdbool.h>
#include <stdint.h>

/* The bits of `xsk-features` of the device in the thread's network namespace.  Any thread;
 * blocks for the kernel's answer, two seconds at most.  Errors: ENOENT the kernel has no such
 * family (before Linux 6.3), ENODEV no such device, others of the socket.  A kernel that does
 * not tell (before 6.8) has none. */
int netdev_genl_xsk_features(int ifindex, uint64_t *features);

/* Whether the driver completes checksums of zero-copy packets that ask for it; false also when
 * the kernel would not tell. */
bool netdev_genl_has_tx_csum(int ifindex);

#endif
