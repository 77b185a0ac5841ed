/* SPDX-License-Identifier: Apache-2.0 */

/* Patch ports: one end of a virtual cable between two bridges.  There is no device: the
 * OpenFlow side goes on translating at options:peer, so all that is kept here is that name and
 * counters. Main thread, but for the counters. */

#include "netdev/patch/netdev-patch.h"

#include <errno.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

#include "netdev/netdev-provider.h"
#include "util/xalloc.h"

struct netdev_patch {
    struct netdev up;
    char *peer;
    struct eth_addr mac;
    _Atomic uint64_t rx_packets, rx_bytes, tx_packets, tx_bytes;
};

static struct netdev_patch *
patch_cast(const struct netdev *netdev)
{
    return CONTAINER_OF(netdev, struct netdev_patch, up);
}

static struct netdev *
patch_alloc(void)
{
    struct netdev_patch *dev = xzalloc(sizeof *dev);
    return &dev->up;
}

static int
patch_construct(struct netdev *netdev, char **errp)
{
    patch_cast(netdev)->mac = eth_addr_random();
    return 0;
}

static void
patch_destruct(struct netdev *netdev)
{
    free(patch_cast(netdev)->peer);
}

static void
patch_dealloc(struct netdev *netdev)
{
    free(patch_cast(netdev));
}

static int
patch_set_config(struct netdev *netdev, const struct smap *options, char **errp)
{
    struct netdev_patch *dev = patch_cast(netdev);
    const char *peer = smap_get(options, "peer");
    const struct smap_node *node;
    if (!peer || !peer[0]) {
        error_set(errp, "%s: patch type requires valid 'peer' argument", netdev->name);
        return EINVAL;
    }
    if (!strcmp(peer, netdev->name)) {
        error_set(errp, "%s: a patch port cannot be its own peer", netdev->name);
        return EINVAL;
    }
    SMAP_FOR_EACH(node, options)
    {
        if (strcmp(node->key, "peer")) {
            error_set(errp, "%s: a patch port has no option %s, only peer", netdev->name,
                      node->key);
            return EINVAL;
        }
    }
    if (!dev->peer || strcmp(dev->peer, peer)) {
        free(dev->peer);
        dev->peer = xstrdup(peer);
        netdev_changed(netdev);
    }
    return 0;
}

static void
patch_get_config(const struct netdev *netdev, struct smap *out)
{
    const struct netdev_patch *dev = patch_cast(netdev);
    if (dev->peer) {
        smap_set(out, "peer", dev->peer);
    }
}

static int
patch_get_etheraddr(const struct netdev *netdev, struct eth_addr *mac)
{
    *mac = patch_cast(netdev)->mac;
    return 0;
}

static int
patch_set_etheraddr(struct netdev *netdev, struct eth_addr mac)
{
    patch_cast(netdev)->mac = mac;
    netdev_changed(netdev);
    return 0;
}

static int
patch_set_up(struct netdev *netdev, bool up)
{
    /* A cable has no switch: it is always up. */
    return up ? 0 : EOPNOTSUPP;
}

static void
credit(_Atomic uint64_t *counter, uint64_t n)
{
    atomic_fetch_add_explicit(counter, n, memory_order_relaxed);
}

void
netdev_patch_credit(struct netdev *netdev, uint64_t rx_packets, uint64_t rx_bytes,
                    uint64_t tx_packets, uint64_t tx_bytes)
{
    if (netdev->class != &netdev_patch_class) {
        return;
    }
    struct netdev_patch *dev = patch_cast(netdev);
    credit(&dev->rx_packets, rx_packets);
    credit(&dev->rx_bytes, rx_bytes);
    credit(&dev->tx_packets, tx_packets);
    credit(&dev->tx_bytes, tx_bytes);
}

static void
patch_get_stats(const struct netdev *netdev, struct netdev_stats *s)
{
    const struct netdev_patch *dev = patch_cast(netdev);
    s->rx_packets = atomic_load_explicit(&dev->rx_packets, memory_order_relaxed);
    s->rx_bytes = atomic_load_explicit(&dev->rx_bytes, memory_order_relaxed);
    s->tx_packets = atomic_load_explicit(&dev->tx_packets, memory_order_relaxed);
    s->tx_bytes = atomic_load_explicit(&dev->tx_bytes, memory_order_relaxed);
}

static const char *
patch_peer(const struct netdev *netdev)
{
    return patch_cast(netdev)->peer;
}

const struct netdev_class netdev_patch_class = {
    .type = "patch",
    .poll = NETDEV_POLL_NONE,
    .alloc = patch_alloc,
    .construct = patch_construct,
    .destruct = patch_destruct,
    .dealloc = patch_dealloc,
    .set_config = patch_set_config,
    .get_config = patch_get_config,
    .get_etheraddr = patch_get_etheraddr,
    .set_etheraddr = patch_set_etheraddr,
    .set_up = patch_set_up,
    .get_stats = patch_get_stats,
    .patch_peer = patch_peer,
};
