/* SPDX-License-Identifier: Apache-2.0 */
#ifndef XVS_NETDEV_NETDEV_DUMMY_H
#define XVS_NETDEV_NETDEV_DUMMY_H 1

/* What the rest of the switch may ask of test devices, beyond netdev.h.  Main thread. */

#include <netinet/in.h>
#include <stdbool.h>
#include "netdev/netdev.h"

/* `flush(aux)` is called after netdev-dummy/receive has queued packets and before it replies:
 * the datapath receives and executes what waits on main-polled ports, so that the command's
 * reply means "done".  One hook; NULL takes it away. */
void netdev_dummy_set_flush(void (*flush)(void *aux), void *aux);

/* Addresses given by netdev-dummy/ip4addr and ip6addr: IPv4 ones as v4-mapped IPv6.  Calls `cb`
 * for each with its prefix length in bits of the 128.  Any netdev; others than dummies have
 * none. */
void netdev_dummy_for_each_addr(const struct netdev *,
                                void (*cb)(const struct in6_addr *, unsigned plen, void *aux),
                                void *aux);

#endif
