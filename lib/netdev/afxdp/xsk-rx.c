/* SPDX-License-Identifier: Apache-2.0 */
/* Receiving from an AF_XDP queue, and keeping its fill ring full.  Runs on the thread that
 * polls the queue, once per loop turn, also when nothing arrives.  No lock, no allocation, no
 * log; one system call at most, and only if the driver sleeps.
 *
 * The fill ring's lines are in the cache of the core that receives, and what is done there
 * delays the packets at hand.  So a few missing frames wait for a turn without packets. */

#include "netdev/afxdp/afxdp-private.h"

#include <sys/socket.h>

#include "log/coverage.h"
#include "packet/headers.h"
#include "packet/packet.h"

COVERAGE_DEFINE(drop_afxdp_rx_bogus_desc);
COVERAGE_DEFINE(afxdp_fill_starved);
COVERAGE_DEFINE(afxdp_rx_wakeup);

/* Frames moved to the fill ring per allocation. */
#define FILL_BURST 64u
/* So many missing frames do not wait for an idle turn, nor does a quarter of the target. */
#define FILL_DUE 32u

static inline uint32_t
get_in_kernel(const struct xsk_queue *q)
{
    return atomic_load_explicit(&q->in_kernel, memory_order_relaxed);
}

static inline void
set_in_kernel(struct xsk_queue *q, uint32_t n)
{
    atomic_store_explicit(&q->in_kernel, n, memory_order_relaxed);
}

void
xsk_fill(struct xsk_queue *q)
{
    uint32_t in_kernel = get_in_kernel(q);

    while (in_kernel < q->fill_target) {
        struct frame *frames[FILL_BURST];
        uint32_t want = MIN(q->fill_target - in_kernel, FILL_BURST);
        uint32_t room = xsk_ring_room(&q->fill, want), ask = room;

        if (UNLIKELY(q->starved)) {
            ask = MIN(room, arena_n_available(q->arena));
        }
        uint32_t n = ask ? frame_alloc_fill(q->arena, frames, ask, q->holder) : 0;

        /* Copies, so that they stay in registers while the ring is written. */
        const struct xsk_ring fill = q->fill;
        const uint8_t *base = q->arena->base;

        for (uint32_t i = 0; i < n; i++) {
            xsk_ring_addr_put_at(&fill, i, (uint64_t) ((uint8_t *) frames[i] - base));
        }
        if (n) {
            xsk_ring_produce(&q->fill, n);
            in_kernel += n;
        }
        if (n < room) {
            if (!q->starved) {
                q->starved = true;
                COVERAGE_INC(afxdp_fill_starved);
                xsk_count(&q->fill_starved, 1);
            }
            break;
        }
        if (n < want) {
            break;
        }
    }
    if (in_kernel >= q->fill_target) {
        q->starved = false;
    }
    set_in_kernel(q, in_kernel);
}

static inline bool
fill_is_due(const struct xsk_queue *q)
{
    uint32_t missing = q->fill_target - get_in_kernel(q);

    return missing >= MIN(FILL_DUE, q->fill_target / 4);
}

/* A driver that found the fill ring empty may have gone to sleep.  (In copy mode there is no
 * driver to wake, whatever the flag says.)  With busy polling the driver works only when asked:
 * once per poll that found nothing. */
static inline void
wake_driver(struct xsk_queue *q, bool empty)
{
    if ((q->zerocopy && q->need_wakeup && xsk_ring_needs_wakeup(&q->fill)) ||
        UNLIKELY(empty && atomic_load_explicit(&q->busy_poll, memory_order_relaxed))) {
        recvfrom(q->fd, NULL, 0, MSG_DONTWAIT, NULL, NULL);
        xsk_count(&q->rx_wakeups, 1);
        COVERAGE_INC(afxdp_rx_wakeup);
    }
}

/* The packet that a received descriptor stands for, or NULL if it cannot be: outside the arena,
 * outside its frame, or a frame that this queue did not give to the kernel. */
static inline struct packet *
packet_at(const struct xsk_queue *q, const struct xdp_desc *d)
{
    const struct arena *a = q->arena;
    uint32_t ofs = (uint32_t) d->addr & (arena_frame_sz(a) - 1);

    if (UNLIKELY(d->addr >= a->size || d->len == 0 || ofs < FRAME_META_SZ ||
                 d->len > arena_frame_sz(a) - ofs)) {
        return NULL;
    }
    return packet_from_frame(arena_frame_at(a, d->addr));
}

/* `p` is what packet_at() says of the descriptor. */
static inline bool
accept_frame(struct xsk_queue *q, const struct xdp_desc *d, struct packet *p, uint16_t holder,
             uint32_t ofs_mask)
{
    if (UNLIKELY(!p || p->frame.owner != FRAME_OWNER_FILL || p->frame.holder != holder)) {
        COVERAGE_INC(drop_afxdp_rx_bogus_desc);
        xsk_count(&q->rx_bogus, 1);
        return false;
    }
    frame_set_owner(&p->frame, FRAME_OWNER_USER);
    packet_init_rx(p, (uint16_t) (d->addr & ofs_mask), (uint16_t) d->len);
    return true;
}

struct packet *
xsk_rx_take(struct xsk_queue *q, const struct xdp_desc *d)
{
    struct packet *p = packet_at(q, d);

    if (!accept_frame(q, d, p, q->holder, arena_frame_sz(q->arena) - 1)) {
        return NULL;
    }
    set_in_kernel(q, get_in_kernel(q) - 1);
    return p;
}

/* The longest packet that is surely no super-frame: untagged, of the device's MTU. */
static inline uint32_t
plain_max(const struct xsk_queue *q)
{
    return atomic_load_explicit(q->max_len, memory_order_relaxed) - VLAN_HDR_LEN;
}

/* What waits behind the burst at hand comes into the second-level cache meanwhile: metadata,
 * which left it a ring's length of packets ago, and headers, which the driver wrote on another
 * core.  The descriptors are peeked already; an address that is none of ours does no harm. */
static inline void
fetch_next(const struct xsk_queue *q)
{
    const uintptr_t base = (uintptr_t) q->arena->base;
    const uintptr_t frame_mask = ~(uintptr_t) (arena_frame_sz(q->arena) - 1);
    uint32_t n = MIN(q->rx.prod - q->rx.cons, PACKET_BATCH_MAX);

    for (uint32_t i = 0; i < n; i++) {
        uintptr_t data = base + xsk_ring_desc_at(&q->rx, i).addr;

        __builtin_prefetch((const void *) (data & frame_mask), 0, 2);
        __builtin_prefetch((const void *) data, 0, 2);
    }
}

/* The kernel uses frames in the order of the fill ring, so that the oldest one that it has is
 * where the first packet of a burst lies: its header can be on its way from the core that wrote
 * it while the descriptor still is. */
static inline void
fetch_first(const struct xsk_queue *q)
{
    uint64_t addr = xsk_ring_addr_behind(&q->fill, get_in_kernel(q));

    __builtin_prefetch(q->arena->base + addr + FRAME_DATA_OFS);
}

/* Receives packets that are in one frame each, into the empty batch.  Returns how many
 * descriptors it took; stops before one that belongs to a super-frame, and says so. */
static inline uint32_t
rx_plain(struct xsk_queue *q, struct packet_batch *batch, uint8_t flags, bool *super)
{
    struct xdp_desc desc[PACKET_BATCH_MAX];
    struct packet *pkt[PACKET_BATCH_MAX];
    uint32_t n = xsk_ring_peek(&q->rx, PACKET_BATCH_MAX), n_got = 0;
    const bool chains = q->super;
    const uint32_t max = chains ? plain_max(q) : UINT32_MAX;
    /* Copies, so that they stay in registers while frames are written. */
    const struct xsk_ring rx = q->rx;
    const uintptr_t base = (uintptr_t) q->arena->base;
    const uint32_t ofs_mask = arena_frame_sz(q->arena) - 1;
    const uint16_t holder = q->holder;
    uint64_t bytes = 0;

    if (n) {
        fetch_first(q);
    }
    for (uint32_t i = 0; i < n; i++) {
        desc[i] = xsk_ring_desc_at(&rx, i);
        if (UNLIKELY(desc[i].len > max || (chains && desc[i].options & XDP_PKT_CONTD))) {
            *super = true;
            n = i;
            break;
        }
        pkt[i] = packet_at(q, &desc[i]);
        __builtin_prefetch(pkt[i], 1);
        __builtin_prefetch((const void *) (base + desc[i].addr));
    }
    for (uint32_t i = 0; i < n; i++) {
        struct packet *p = pkt[i];

        if (LIKELY(accept_frame(q, &desc[i], p, holder, ofs_mask))) {
            p->flags = flags;
            bytes += desc[i].len;
            batch->pkts[n_got++] = p;
        }
    }
    if (n) {
        xsk_ring_consume(&q->rx, n);
        fetch_next(q);
        batch->n = n_got;
        set_in_kernel(q, get_in_kernel(q) - n_got);
        xsk_count(&q->rx_packets, n_got);
        xsk_count(&q->rx_bytes, bytes);
    }
    return n;
}

unsigned
xsk_rx_burst(struct xsk_queue *q, struct packet_batch *batch, uint8_t flags)
{
    bool super = q->super && xsk_superframe_is_busy(q->super);
    uint32_t n = 0;

    packet_batch_init(batch);
    if (LIKELY(!super)) {
        n = rx_plain(q, batch, flags, &super);
    }
    if (UNLIKELY(super) && !packet_batch_full(batch)) {
        unsigned first = batch->n;
        uint64_t bytes = 0;

        xsk_superframe_run(q, batch, flags);
        for (unsigned i = first; i < batch->n; i++) {
            bytes += batch->pkts[i]->len;
        }
        xsk_count(&q->rx_packets, batch->n - first);
        xsk_count(&q->rx_bytes, bytes);
    }
    bool empty = !n && !super;
    if (empty || fill_is_due(q)) {
        xsk_fill(q);
    }
    wake_driver(q, empty);
    if (empty) {
        xsk_tx_drain_idle(q);
    }
    return batch->n;
}
