/* SPDX-License-Identifier: Apache-2.0 */
/* The control command afxdp/show: per port and queue what the rings hold and what was counted,
 * then the packet memory.  Main thread; reads shared ring indices beside pollers and senders.
 */

#include "netdev/afxdp/afxdp-private.h"

#include <inttypes.h>
#include <string.h>

#include "log/ctl.h"
#include "netdev/afxdp/cni-client.h"

struct show {
    const char *only; /* NULL: all ports */
    struct strbuf out;
    bool found;
};

static void
show_queue(const struct xsk_queue *q, struct strbuf *out)
{
    struct afxdp_totals t = {0};

    afxdp_totals_add_queue(&t, q);
    strbuf_putf(out,
                "  queue %u: fill %" PRIu32 "/%" PRIu32 ", rx %" PRIu32 "/%" PRIu32
                ", tx %" PRIu32 "/%" PRIu32 ", completion %" PRIu32 "/%" PRIu32 "%s\n",
                q->dev_qid, xsk_ring_backlog(&q->fill), q->fill.size, xsk_ring_backlog(&q->rx),
                q->rx.size, xsk_ring_backlog(&q->tx), q->tx.size, xsk_ring_backlog(&q->comp),
                q->comp.size,
                atomic_load_explicit(&q->link_down, memory_order_relaxed) ? ", link down" : "");
    strbuf_putf(out, "    frames: receiving %" PRIu32 " of %" PRIu32 ", sending %" PRIu32 "\n",
                atomic_load_explicit(&q->in_kernel, memory_order_relaxed), q->fill_target,
                atomic_load_explicit(&q->outstanding, memory_order_relaxed));
    strbuf_putf(out,
                "    rx: packets:%" PRIu64 " bytes:%" PRIu64 " wakeups:%" PRIu64
                " fill_starved:%" PRIu64 " bogus_descs:%" PRIu64 "\n",
                t.rx_packets, t.rx_bytes, t.rx_wakeups, t.fill_starved, t.rx_bogus_descs);
    strbuf_putf(out,
                "    tx: packets:%" PRIu64 " bytes:%" PRIu64 " dropped:%" PRIu64
                " copied:%" PRIu64 " csum_requests:%" PRIu64 " syscalls:%" PRIu64
                " (again:%" PRIu64 ", up to %" PRIu32
                " packets each) bogus_completions:%" PRIu64 "\n",
                t.tx_packets, t.tx_bytes, t.tx_dropped, t.tx_copied, t.tx_csums, t.tx_kicks,
                xsk_counted(&q->tx_kicks_again), q->kick_batch, t.tx_bogus_completions);
    strbuf_putf(out,
                "    kernel: rx_dropped:%" PRIu64 " rx_invalid_descs:%" PRIu64
                " tx_invalid_descs:%" PRIu64 " rx_ring_full:%" PRIu64
                " rx_fill_ring_empty_descs:%" PRIu64 " tx_ring_empty_descs:%" PRIu64 "\n",
                t.rx_dropped, t.rx_invalid_descs, t.tx_invalid_descs, t.rx_ring_full,
                t.rx_fill_ring_empty_descs, t.tx_ring_empty_descs);
}

static void
show_dev(struct afxdp_dev *dev, void *show_)
{
    struct show *show = show_;

    if (show->only && strcmp(show->only, dev->up.name)) {
        return;
    }
    show->found = true;
    strbuf_putf(&show->out, "%s: ", dev->up.name);
    if (!dev->n_queues) {
        strbuf_putf(&show->out, "no queues (xdp-mode %s wanted)\n",
                    afxdp_mode_name(dev->cfg.mode));
        return;
    }
    strbuf_putf(&show->out, "xdp-mode %s (%s wanted), ", afxdp_mode_name(dev->mode),
                afxdp_mode_name(dev->cfg.mode));
    afxdp_map_describe(dev, &show->out);
    strbuf_putf(&show->out,
                ", need_wakeup %s, tx-csum-offload %s, ifindex %d, "
                "packet memory %u (%" PRIu32 " frames of %u bytes promised)",
                dev->cfg.need_wakeup ? "on" : "off", dev->up.tx_csum ? "on" : "off",
                dev->ifindex, dev->arena->no, dev->promise, dev->frame_sz);
    if (dev->queues[0].jumbo) {
        strbuf_putf(&show->out, ", jumbo packets in packet memory %u",
                    dev->queues[0].jumbo->no);
    }
    strbuf_putc(&show->out, '\n');
    for (unsigned i = 0; i < dev->n_queues; i++) {
        show_queue(&dev->queues[i], &show->out);
    }
}

static void
show_command(struct ctl_conn *conn, int argc, const char *const argv[], void *aux)
{
    struct show show = {.only = argc > 1 ? argv[1] : NULL, .out = STRBUF_INIT};

    afxdp_for_each(show_dev, &show);
    if (show.only && !show.found) {
        ctl_reply_errorf(conn, "%s: no such AF_XDP port", show.only);
    } else {
        if (!show.only) {
            cni_client_show(&show.out);
            arena_show(&show.out);
        }
        ctl_reply(conn, strbuf_cstr(&show.out));
    }
    strbuf_free(&show.out);
}

void
afxdp_show_register(void)
{
    ctl_command_register("afxdp/show", "[port]", 0, 1, show_command, NULL);
}
