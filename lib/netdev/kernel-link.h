/* SPDX-License-Identifier: Apache-2.0 */
#ifndef XVS_NETDEV_KERNEL_LINK_H
#define XVS_NETDEV_KERNEL_LINK_H 1

/* What the providers over a kernel interface have in common: a copy of its rtnetlink state,
 * kept current by events, and the attributes made of it.  Main thread, but for
 * kernel_link_takes_packets(). */

#include <stdatomic.h>
#include "netdev/netdev-provider.h"
#include "os/rtnl.h"

struct kernel_link {
    struct rtnl_link link;
    uint64_t resets; /* carrier changes since the device was opened */
    /* Senders read it: the interface is down or has no carrier, so the kernel would only drop
     * what it is handed.  Never set without events that would tell of the change back. */
    _Atomic bool tx_down;
};

/* Fetches the state by name.  0 or a positive errno (ENODEV). */
int kernel_link_init(struct kernel_link *, const char *name);
/* Fetches it again, after an event or after an order of ours; true when anything but counters
 * changed.  An interface that is gone, or that is another one of the same name by now, sets
 * *gone and changes nothing else. */
bool kernel_link_refresh(struct kernel_link *, bool *gone);
/* May a packet be handed to the interface, as far as is known?  Any thread. */
static inline bool
kernel_link_takes_packets(const struct kernel_link *kl)
{
    return !atomic_load_explicit(&kl->tx_down, memory_order_relaxed);
}
/* No event tells of the interface any more (it left the namespace): packets are tried. */
void kernel_link_lost_sight(struct kernel_link *);
/* The frame size that a port over the interface needs, and the largest MTU that fits any frame.
 */
uint32_t kernel_link_frame_sz(const struct kernel_link *);
#define KERNEL_LINK_L2_MAX 22 /* Ethernet header and two VLAN tags */
#define KERNEL_LINK_MTU_MAX ((int) (FRAME_SZ_JUMBO - FRAME_DATA_OFS - KERNEL_LINK_L2_MAX))
/* EINVAL with a log line when `mtu` is more than that. */
int kernel_link_check_mtu(const struct kernel_link *, int mtu);
/* For reconfigure: the arena for the interface's MTU, on its NUMA node; logs when that MTU is
 * too large for any. */
int kernel_link_arena(const struct kernel_link *, struct arena **, char **errp);

int kernel_link_set_mtu(struct kernel_link *, int mtu);
int kernel_link_set_mac(struct kernel_link *, struct eth_addr);
int kernel_link_set_up(struct kernel_link *, bool up);
void kernel_link_get(const struct kernel_link *, struct netdev_link *);
/* driver_name, driver_version, firmware_version of interface `name`. */
void kernel_link_get_driver(const char *name, struct smap *);

/* Copies what the kernel alone counts: errors of all kinds, multicast and collisions. */
void kernel_link_copy_errors(const struct rtnl_stats *, struct netdev_stats *);

#endif
