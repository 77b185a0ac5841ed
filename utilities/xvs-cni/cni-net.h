/* SPDX-License-Identifier: Apache-2.0 */
#ifndef XVS_CNI_NET_H
#define XVS_CNI_NET_H 1

/* Namespaces and what the kernel is asked about a device.  Everything acts in the calling
 * thread's present network namespace; needs CAP_NET_ADMIN there and CAP_SYS_ADMIN to enter
 * another.  Positive errno; answers are waited for 2 s at most. */

#include "utilities/xvs-cni/cni-result.h"

/* Opens the namespace at `path`.  ENOENT: it is gone; EINVAL: not a network namespace; EEXIST:
 * it is the one we are in.  `*fd` is close-on-exec, the caller's. */
int cni_netns_open(const char *path, int *fd);
/* The namespace of this thread; -1 with errno. */
int cni_netns_current(void);
int cni_netns_enter(int fd);

/* Moves an interface; it goes down and loses its addresses.  EEXIST: the name is taken there. */
int cni_link_move(int ifindex, int netns_fd);
/* Takes the XDP program off.  `mode`: XDP_ATTACHED_DRV, _SKB or _HW.  EBUSY: a bpf_link holds
 * it. */
int cni_link_xdp_off(int ifindex, int mode);

/* EEXIST is success: it is there. */
int cni_addr_add(int ifindex, const struct cni_ip *);
int cni_route_add(int ifindex, const struct cni_route *, const uint8_t *gateway);
/* Whether it is there. */
int cni_addr_check(int ifindex, const struct cni_ip *, bool *found);
int cni_route_check(int ifindex, const struct cni_route *, const uint8_t *gateway, bool *found);
/* Lets `device` have IPv6 addresses where the namespace switched that off. */
int cni_ipv6_enable(const char *device);

#endif
