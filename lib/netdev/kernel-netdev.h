/* SPDX-License-Identifier: Apache-2.0 */
#ifndef XVS_NETDEV_KERNEL_NETDEV_H
#define XVS_NETDEV_KERNEL_NETDEV_H 1

/* The start of a port over a kernel interface whose packets a descriptor receives on the main
 * thread: its state, and the functions for its class that are made of nothing else.  The
 * functions have netdev-provider.h's contract.  Main thread. */

#include "netdev/kernel-link.h"

/* The kernel takes packets of any number of threads at once; so many have a cache line of
 * counters each. */
#define KERNEL_NETDEV_N_TXQ 16

struct kernel_netdev {
    struct netdev up;
    struct kernel_link kl; /* kernel_link_init() by construct */
    struct arena *arena;   /* by reconfigure; NULL before */
};

static inline struct kernel_netdev *
kernel_netdev_cast(const struct netdev *netdev)
{
    return CONTAINER_OF(netdev, struct kernel_netdev, up);
}

/* One receive queue, KERNEL_NETDEV_N_TXQ of transmission, the arena for the MTU. */
int kernel_netdev_reconfigure(struct netdev *, char **errp);

int kernel_netdev_get_etheraddr(const struct netdev *, struct eth_addr *);
int kernel_netdev_set_etheraddr(struct netdev *, struct eth_addr);
int kernel_netdev_get_mtu(const struct netdev *, int *mtu);
int kernel_netdev_set_mtu(struct netdev *, int mtu);
int kernel_netdev_get_ifindex(const struct netdev *);
int kernel_netdev_set_up(struct netdev *, bool up);
bool kernel_netdev_is_up(const struct netdev *);
void kernel_netdev_get_link(const struct netdev *, struct netdev_link *);
void kernel_netdev_get_status(const struct netdev *, struct smap *);

/* To be called with each event that rtnl_monitor_subscribe() delivers for the port. */
void kernel_netdev_event(struct kernel_netdev *);

#endif
