/* SPDX-License-Identifier: Apache-2.0 */
/* Attributes of a port over a kernel interface.  Called through the classes of taps and of
 * AF_PACKET ports on the main thread; knows nothing of how packets flow. */

#include "netdev/kernel-netdev.h"

#include <net/if.h>

int
kernel_netdev_reconfigure(struct netdev *netdev, char **errp)
{
    struct kernel_netdev *dev = kernel_netdev_cast(netdev);
    int error = kernel_link_arena(&dev->kl, &dev->arena, errp);
    if (!error) {
        netdev->n_rxq = 1;
        netdev->n_txq = KERNEL_NETDEV_N_TXQ;
    }
    return error;
}

int
kernel_netdev_get_etheraddr(const struct netdev *netdev, struct eth_addr *mac)
{
    *mac = kernel_netdev_cast(netdev)->kl.link.mac;
    return 0;
}

int
kernel_netdev_set_etheraddr(struct netdev *netdev, struct eth_addr mac)
{
    return kernel_link_set_mac(&kernel_netdev_cast(netdev)->kl, mac);
}

int
kernel_netdev_get_mtu(const struct netdev *netdev, int *mtu)
{
    *mtu = kernel_netdev_cast(netdev)->kl.link.mtu;
    return 0;
}

/* Whether the port needs other frames than it has. */
static bool
frames_misfit(const struct kernel_netdev *dev)
{
    return dev->arena && kernel_link_frame_sz(&dev->kl) != arena_frame_sz(dev->arena);
}

int
kernel_netdev_set_mtu(struct netdev *netdev, int mtu)
{
    struct kernel_netdev *dev = kernel_netdev_cast(netdev);
    int error = kernel_link_check_mtu(&dev->kl, mtu);
    if (!error) {
        error = kernel_link_set_mtu(&dev->kl, mtu);
    }
    if (!error && frames_misfit(dev)) {
        netdev->needs_reconfigure = true;
    }
    return error;
}

int
kernel_netdev_get_ifindex(const struct netdev *netdev)
{
    return kernel_netdev_cast(netdev)->kl.link.ifindex;
}

int
kernel_netdev_set_up(struct netdev *netdev, bool up)
{
    return kernel_link_set_up(&kernel_netdev_cast(netdev)->kl, up);
}

bool
kernel_netdev_is_up(const struct netdev *netdev)
{
    return kernel_netdev_cast(netdev)->kl.link.flags & IFF_UP;
}

void
kernel_netdev_get_link(const struct netdev *netdev, struct netdev_link *link)
{
    kernel_link_get(&kernel_netdev_cast(netdev)->kl, link);
}

void
kernel_netdev_get_status(const struct netdev *netdev, struct smap *status)
{
    kernel_link_get_driver(kernel_netdev_cast(netdev)->kl.link.name, status);
}

void
kernel_netdev_event(struct kernel_netdev *dev)
{
    bool gone;
    bool changed = kernel_link_refresh(&dev->kl, &gone);
    if (frames_misfit(dev)) {
        dev->up.needs_reconfigure = true;
    }
    if (gone) {
        netdev_mark_broken(&dev->up, "network device %s has vanished", dev->up.name);
    } else if (changed) {
        netdev_changed(&dev->up);
    }
}
