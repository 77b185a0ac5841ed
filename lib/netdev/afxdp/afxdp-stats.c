/* SPDX-License-Identifier: Apache-2.0 */
/* Counters of an AF_XDP port: ours per queue, the kernel's per socket (XDP_STATISTICS), and
 * those of queues that a reconfiguration has replaced.  Main thread, beside pollers and
 * senders, whose counters are read relaxed: each is right, together they are a moment apart. */

#include "netdev/afxdp/afxdp-private.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>

#include "netdev/kernel-link.h"
#include "util/xalloc.h"

static void
get_kernel_stats(const struct xsk_queue *q, struct xdp_statistics *out)
{
    socklen_t len = sizeof *out;

    memset(out, 0, sizeof *out);
    if (q->fd >= 0) {
        getsockopt(q->fd, SOL_XDP, XDP_STATISTICS, out, &len);
    }
}

void
afxdp_totals_add_queue(struct afxdp_totals *t, const struct xsk_queue *q)
{
    struct xdp_statistics k;

    get_kernel_stats(q, &k);
    t->rx_packets += xsk_counted(&q->rx_packets);
    t->rx_bytes += xsk_counted(&q->rx_bytes);
    t->tx_packets += xsk_counted(&q->tx_packets);
    t->tx_bytes += xsk_counted(&q->tx_bytes);
    t->tx_dropped += xsk_counted(&q->tx_dropped);
    t->rx_dropped += k.rx_dropped;
    t->rx_invalid_descs += k.rx_invalid_descs;
    t->tx_invalid_descs += k.tx_invalid_descs;
    t->rx_fill_ring_empty_descs += k.rx_fill_ring_empty_descs;
    t->rx_ring_full += k.rx_ring_full;
    t->tx_ring_empty_descs += k.tx_ring_empty_descs;
    t->rx_super_dropped += xsk_counted(&q->rx_super_dropped);
    t->rx_bogus_descs += xsk_counted(&q->rx_bogus);
    t->tx_bogus_completions += xsk_counted(&q->comp_bogus);
    t->tx_copied += xsk_counted(&q->tx_copied);
    t->tx_kicks += xsk_counted(&q->tx_kicks);
    t->tx_csums += xsk_counted(&q->tx_csums);
    t->rx_wakeups += xsk_counted(&q->rx_wakeups);
    t->fill_starved += xsk_counted(&q->fill_starved);
}

/* Packets and bytes are what passed through the sockets.  Errors of the wire are the device's.
 */
void
afxdp_get_stats(const struct netdev *netdev, struct netdev_stats *s)
{
    const struct afxdp_dev *dev = afxdp_dev(netdev);
    struct afxdp_totals t = dev->past;
    struct rtnl_stats k;

    for (unsigned i = 0; i < dev->n_queues; i++) {
        afxdp_totals_add_queue(&t, &dev->queues[i]);
    }
    s->rx_packets = t.rx_packets;
    s->rx_bytes = t.rx_bytes;
    s->tx_packets = t.tx_packets;
    s->tx_bytes = t.tx_bytes;
    s->rx_dropped = t.rx_dropped + t.rx_ring_full + t.rx_bogus_descs + t.rx_super_dropped;
    s->tx_dropped = t.tx_dropped;
    if (rtnl_link_get_stats(dev->ifindex, &k)) {
        return;
    }
    kernel_link_copy_errors(&k, s);
    s->tx_errors += t.tx_invalid_descs;
}

struct netdev_custom_stat *
afxdp_get_custom_stats(const struct netdev *netdev, size_t *n)
{
    const struct afxdp_dev *dev = afxdp_dev(netdev);
    struct netdev_custom_stat *stats, *s;

    *n = 0;
    if (!dev->n_queues) {
        return NULL;
    }
    s = stats = xcalloc(dev->n_queues * 12, sizeof *stats);
    for (unsigned i = 0; i < dev->n_queues; i++) {
        struct afxdp_totals t = {0};
        afxdp_totals_add_queue(&t, &dev->queues[i]);
        const struct {
            const char *name;
            uint64_t value;
        } list[] = {
            {"rx_dropped", t.rx_dropped},
            {"rx_invalid_descs", t.rx_invalid_descs},
            {"tx_invalid_descs", t.tx_invalid_descs},
            {"rx_fill_ring_empty_descs", t.rx_fill_ring_empty_descs},
            {"rx_ring_full", t.rx_ring_full},
            {"tx_ring_empty_descs", t.tx_ring_empty_descs},
            {"rx_bogus_descs", t.rx_bogus_descs},
            {"tx_bogus_completions", t.tx_bogus_completions},
            {"tx_copied", t.tx_copied},
            {"tx_kicks", t.tx_kicks},
            {"rx_wakeups", t.rx_wakeups},
            {"fill_starved", t.fill_starved},
        };
        _Static_assert(ARRAY_SIZE(list) == 12, "as many as are allocated");
        for (size_t k = 0; k < ARRAY_SIZE(list); k++, s++) {
            snprintf(s->name, sizeof s->name, "xsk_queue_%u_%s", dev->queues[i].dev_qid,
                     list[k].name);
            s->value = list[k].value;
        }
    }
    *n = (size_t) (s - stats);
    return stats;
}
