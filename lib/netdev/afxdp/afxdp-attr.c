/* SPDX-License-Identifier: Apache-2.0 */
/* Attributes of an AF_XDP port: what the kernel's netdev has (MAC, MTU, flags, link, driver)
 * and what the port got (mode).  Main thread, also while the port forwards. */

#include "netdev/afxdp/afxdp-private.h"

#include <errno.h>
#include <inttypes.h>
#include <string.h>

#include "log/log.h"
#include "netdev/kernel-link.h"
#include "os/ethtool.h"

LOG_MODULE(afxdp_attr);

void
afxdp_get_config(const struct netdev *netdev, struct smap *out)
{
    const struct afxdp_dev *dev = afxdp_dev(netdev);
    afxdp_config_format(&dev->cfg, dev->mode, out);
}

int
afxdp_get_etheraddr(const struct netdev *netdev, struct eth_addr *mac)
{
    struct rtnl_link link;
    int error = rtnl_link_get(netdev->name, &link);

    if (!error) {
        *mac = link.mac;
    }
    return error;
}

int
afxdp_set_etheraddr(struct netdev *netdev, struct eth_addr mac)
{
    return rtnl_link_set_mac(afxdp_dev(netdev)->ifindex, mac);
}

int
afxdp_get_mtu(const struct netdev *netdev, int *mtu)
{
    struct rtnl_link link;
    int error = rtnl_link_get(netdev->name, &link);

    if (!error) {
        *mtu = link.mtu;
    }
    return error;
}

/* Once for all devices: each has a note in its status. */
static void
tell_no_net_admin(const char *name)
{
    static bool told;

    if (!told) {
        told = true;
        LOG_INFO("%s: no CAP_NET_ADMIN: link state, promiscuous mode and MTU of this and other "
                 "devices are left as they are (see Interface.status:note)",
                 name);
    }
}

int
afxdp_set_mtu(struct netdev *netdev, int mtu)
{
    struct afxdp_dev *dev = afxdp_dev(netdev);

    if (!afxdp_frame_sz(mtu)) {
        LOG_WARN("%s: MTU %d is more than the %d that AF_XDP ports can have", netdev->name, mtu,
                 AFXDP_MTU_MAX);
        return EINVAL;
    }
    if (dev->arena && afxdp_is_jumbo(mtu) && !dev->jumbo) {
        /* The program that is attached would have the driver refuse. */
        xdp_attach_unlink(&dev->xdp);
        netdev->needs_reconfigure = true;
    }
    int error = rtnl_link_set_mtu(dev->ifindex, mtu);
    if (error == EPERM || error == EACCES) {
        dev->no_mtu = true;
        tell_no_net_admin(netdev->name);
    }
    if (error) {
        return error;
    }
    atomic_store_explicit(&dev->max_len, (uint32_t) mtu + AFXDP_L2_OVERHEAD,
                          memory_order_relaxed);
    if (afxdp_needs_other_frames(dev, mtu)) {
        netdev->needs_reconfigure = true;
    }
    netdev_changed(netdev);
    return 0;
}

int
afxdp_get_ifindex(const struct netdev *netdev)
{
    return afxdp_dev(netdev)->ifindex;
}

/* Without CAP_NET_ADMIN (an unprivileged pod) whoever prepared the device has set it up. */
int
afxdp_set_up(struct netdev *netdev, bool up)
{
    struct afxdp_dev *dev = afxdp_dev(netdev);
    bool promisc_wanted = up && !(dev->link_flags & IFF_PROMISC);
    unsigned set = up ? IFF_UP | IFF_PROMISC : 0;
    unsigned clear = up ? 0 : IFF_UP | (dev->we_set_promisc ? IFF_PROMISC : 0);
    int error = rtnl_link_set_flags(dev->ifindex, set, clear);

    if (error == EPERM || error == EACCES) {
        dev->no_flags = true;
        tell_no_net_admin(netdev->name);
        return 0;
    }
    if (!error) {
        struct rtnl_link link;
        dev->we_set_promisc = up && (dev->we_set_promisc || promisc_wanted);
        if (!rtnl_link_get(netdev->name, &link)) {
            afxdp_link_refresh(dev, &link);
        }
    }
    return error;
}

bool
afxdp_is_up(const struct netdev *netdev)
{
    struct rtnl_link link;
    return !rtnl_link_get(netdev->name, &link) && (link.flags & IFF_UP);
}

void
afxdp_get_link(const struct netdev *netdev, struct netdev_link *out)
{
    struct rtnl_link link;

    *out = (struct netdev_link){.duplex = -1};
    if (!rtnl_link_get(netdev->name, &link)) {
        out->carrier = link.carrier;
        out->resets = link.carrier_changes;
        ethtool_get_speed(netdev->name, &out->speed_bps, &out->duplex);
    }
}

void
afxdp_get_status(const struct netdev *netdev, struct smap *out)
{
    const struct afxdp_dev *dev = afxdp_dev(netdev);

    kernel_link_get_driver(netdev->name, out);
    if (dev->n_queues) {
        smap_set(out, "xdp-mode", afxdp_mode_name(dev->mode));
        smap_setf(out, "xdp-prog-id", "%" PRIu32,
                  dev->map_fd >= 0 ? dev->foreign_prog_id : dev->xdp.prog_id);
    }
    if (afxdp_busy_poll_state(dev)) {
        smap_set(out, "busy-poll", afxdp_busy_poll_state(dev));
    }
    if (dev->cfg.tx_csum && dev->n_queues) {
        if (dev->tx_csum_error) {
            smap_setf(out, "tx-csum-offload", "off: %s", dev->tx_csum_error);
        } else {
            smap_set(out, "tx-csum-offload", "on");
        }
    }
    if (dev->no_flags || dev->no_mtu) {
        smap_setf(out, "note", "no CAP_NET_ADMIN: %s%s%s left as found",
                  dev->no_flags ? "link state and promiscuous mode" : "",
                  dev->no_flags && dev->no_mtu ? ", " : "", dev->no_mtu ? "MTU" : "");
    }
}
