/* SPDX-License-Identifier: Apache-2.0 */

/* The state of a kernel network interface under a port.  Called by kernel-netdev.c and by
 * the providers over it on the main thread; knows nothing of how packets flow. */

#include "netdev/kernel-link.h"

#include <errno.h>
#include <net/if.h>
#include <string.h>

#include "log/log.h"
#include "os/ethtool.h"
#include "os/numa.h"

LOG_MODULE(netdev_link);

static void
note_tx_state(struct kernel_link *kl)
{
    bool up = kl->link.flags & IFF_UP && kl->link.carrier;

    atomic_store_explicit(&kl->tx_down, !up && rtnl_monitor_is_on(), memory_order_relaxed);
}

void
kernel_link_lost_sight(struct kernel_link *kl)
{
    atomic_store_explicit(&kl->tx_down, false, memory_order_relaxed);
}

int
kernel_link_init(struct kernel_link *kl, const char *name)
{
    memset(kl, 0, sizeof *kl);
    int error = rtnl_link_get(name, &kl->link);
    if (!error) {
        note_tx_state(kl);
    }
    return error;
}

bool
kernel_link_refresh(struct kernel_link *kl, bool *gone)
{
    struct rtnl_link now;
    int error = rtnl_link_get(kl->link.name, &now);
    *gone = error == ENODEV || (!error && now.ifindex != kl->link.ifindex);
    if (error || *gone) {
        return false;
    }
    struct rtnl_link *old = &kl->link;
    /* Both edges of a short outage may lie between two looks: the kernel counts them. */
    kl->resets += now.carrier_changes - old->carrier_changes;
    bool changed = now.carrier_changes != old->carrier_changes || now.mtu != old->mtu ||
                   now.flags != old->flags || now.carrier != old->carrier ||
                   !eth_addr_equal(now.mac, old->mac) || now.n_rxq != old->n_rxq ||
                   now.n_txq != old->n_txq;
    *old = now;
    note_tx_state(kl);
    return changed;
}

uint32_t
kernel_link_frame_sz(const struct kernel_link *kl)
{
    uint32_t need = FRAME_DATA_OFS + (uint32_t) kl->link.mtu + KERNEL_LINK_L2_MAX;

    return need <= FRAME_SZ_SMALL   ? FRAME_SZ_SMALL
           : need <= FRAME_SZ_LARGE ? FRAME_SZ_LARGE
                                    : FRAME_SZ_JUMBO;
}

int
kernel_link_check_mtu(const struct kernel_link *kl, int mtu)
{
    if (mtu > KERNEL_LINK_MTU_MAX) {
        LOG_WARN("%s: MTU %d is more than a packet buffer holds (%d)", kl->link.name, mtu,
                 KERNEL_LINK_MTU_MAX);
        return EINVAL;
    }
    return 0;
}

int
kernel_link_arena(const struct kernel_link *kl, struct arena **arena, char **errp)
{
    if (kl->link.mtu > KERNEL_LINK_MTU_MAX) {
        LOG_WARN("%s: of its MTU %d only %d are usable, longer packets will be dropped",
                 kl->link.name, kl->link.mtu, KERNEL_LINK_MTU_MAX);
    }
    return packet_node_arena(numa_topo_netdev_node(kl->link.name), kernel_link_frame_sz(kl),
                             arena, errp);
}

static int
refreshed(struct kernel_link *kl, int error)
{
    bool gone;
    if (!error) {
        kernel_link_refresh(kl, &gone);
    }
    return error;
}

int
kernel_link_set_mtu(struct kernel_link *kl, int mtu)
{
    if (mtu == kl->link.mtu) {
        return 0;
    }
    return refreshed(kl, rtnl_link_set_mtu(kl->link.ifindex, mtu));
}

int
kernel_link_set_mac(struct kernel_link *kl, struct eth_addr mac)
{
    if (eth_addr_equal(mac, kl->link.mac)) {
        return 0;
    }
    return refreshed(kl, rtnl_link_set_mac(kl->link.ifindex, mac));
}

int
kernel_link_set_up(struct kernel_link *kl, bool up)
{
    if (up == !!(kl->link.flags & IFF_UP)) {
        return 0;
    }
    return refreshed(kl,
                     rtnl_link_set_flags(kl->link.ifindex, up ? IFF_UP : 0, up ? 0 : IFF_UP));
}

void
kernel_link_get(const struct kernel_link *kl, struct netdev_link *out)
{
    out->carrier = kl->link.carrier;
    out->resets = kl->resets;
    if (ethtool_get_speed(kl->link.name, &out->speed_bps, &out->duplex)) {
        out->speed_bps = 0;
        out->duplex = -1;
    }
}

void
kernel_link_get_driver(const char *name, struct smap *status)
{
    struct ethtool_driver d;
    if (!ethtool_get_driver(name, &d)) {
        smap_set(status, "driver_name", d.driver);
        smap_set(status, "driver_version", d.version);
        smap_set(status, "firmware_version", d.firmware);
    }
}

void
kernel_link_copy_errors(const struct rtnl_stats *k, struct netdev_stats *s)
{
    s->rx_errors = k->rx_errors;
    s->tx_errors = k->tx_errors;
    s->multicast = k->multicast;
    s->collisions = k->collisions;
    s->rx_length_errors = k->rx_length_errors;
    s->rx_over_errors = k->rx_over_errors;
    s->rx_crc_errors = k->rx_crc_errors;
    s->rx_frame_errors = k->rx_frame_errors;
    s->rx_fifo_errors = k->rx_fifo_errors;
    s->rx_missed_errors = k->rx_missed_errors;
    s->tx_aborted_errors = k->tx_aborted_errors;
    s->tx_carrier_errors = k->tx_carrier_errors;
    s->tx_fifo_errors = k->tx_fifo_errors;
    s->tx_heartbeat_errors = k->tx_heartbeat_errors;
    s->tx_window_errors = k->tx_window_errors;
}
