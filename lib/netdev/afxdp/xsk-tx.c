/* SPDX-License-Identifier: Apache-2.0 */
/* Transmitting on an AF_XDP queue: descriptors in, kick, completions out.  xsk_tx_burst() and
 * xsk_tx_poll() run on the threads that use the tx queue, several at a time if need be,
 * xsk_tx_drain_idle() on the one that polls its receive side; the rings are touched under
 * tx_lock, system calls are made without it. No allocation and no log: what goes wrong is
 * counted, or left in `fatal` for main to tell.
 *
 * The kick.  In copy mode sendto() itself builds and queues the skbs, `kick_batch` at most, and
 * the ring's NEED_WAKEUP flag is always set: what says whether a kick is due is the distance
 * between our producer and the kernel's consumer index.  In zero-copy mode the flag tells.
 *
 * One sender at a time is in the system call, since the kernel lets one transmit and has the
 * others wait.  A sender that finds another there leaves its descriptors to it; should they
 * have come too late for that call, they are a backlog, for which xsk_tx_poll() asks to be
 * called again, and the next call kicks. */

#include "netdev/afxdp/afxdp-private.h"

#include <errno.h>
#include <string.h>
#include <sys/socket.h>

#include "log/coverage.h"
#include "netdev/afxdp/xsk-txmd.h"
#include "packet/packet-ops.h"
#include "util/num.h"

COVERAGE_DEFINE(afxdp_tx_copy);
COVERAGE_DEFINE(afxdp_tx_jumbo);
COVERAGE_DEFINE(afxdp_tx_kick);
COVERAGE_DEFINE(afxdp_tx_kick_retry);
COVERAGE_DEFINE(afxdp_tx_kick_busy);
COVERAGE_DEFINE(afxdp_tx_bogus_completion);
COVERAGE_DEFINE(drop_afxdp_tx_ring_full);
COVERAGE_DEFINE(drop_afxdp_tx_bad_length);
COVERAGE_DEFINE(drop_afxdp_tx_no_frame);
COVERAGE_DEFINE(drop_afxdp_tx_link_down);

#define ETH_HEADER_LEN 14u

/* The most frames that a packet may need. */
#define CHAIN_MAX                                                                              \
    DIV_ROUND_UP(AFXDP_MTU_MAX + AFXDP_L2_OVERHEAD, FRAME_SZ_LARGE - FRAME_DATA_OFS)

/* A burst on its way into the ring, by frames: PACKET_TX_MORE is on all but the last of a
 * packet. */
struct tx_burst {
    unsigned n;
    struct packet *pkts[PACKET_BATCH_MAX * CHAIN_MAX];
};

/* -- Completions. -- */

unsigned
xsk_tx_complete__(struct xsk_queue *q, struct frame **out)
{
    uint32_t n = xsk_ring_peek(&q->comp, XSK_COMPLETE_BURST);
    /* Copies, so that they stay in registers while the ledger's bytes are written. */
    const struct xsk_ring comp = q->comp;
    const struct arena a = *q->arena;
    uint8_t *ledger = q->ledger;
    unsigned n_out = 0;

    for (uint32_t i = 0; i < n; i++) {
        /* The address is the one that was sent, with the data's offset in the frame. */
        uint64_t addr = xsk_ring_addr_at(&comp, i);

        if (UNLIKELY(addr >= a.size || !ledger[addr >> a.frame_shift])) {
            COVERAGE_INC(afxdp_tx_bogus_completion);
            xsk_count(&q->comp_bogus, 1);
            continue;
        }
        ledger[addr >> a.frame_shift]--;
        out[n_out++] = arena_frame_at(&a, addr);
    }
    if (n) {
        xsk_ring_consume(&q->comp, n);
        atomic_store_explicit(&q->outstanding,
                              atomic_load_explicit(&q->outstanding, memory_order_relaxed) -
                                  n_out,
                              memory_order_relaxed);
    }
    return n_out;
}

/* Bounded by the ring, whose other end is the kernel. */
static void
drain(struct xsk_queue *q)
{
    struct frame *done[XSK_COMPLETE_BURST];
    unsigned n, total = 0;

    do {
        spinlock_lock(&q->tx_lock);
        n = xsk_tx_complete__(q, done);
        spinlock_unlock(&q->tx_lock);
        frame_free(done, n);
        total += n;
    } while (n == XSK_COMPLETE_BURST && total < 1024);
}

static inline bool
has_outstanding(const struct xsk_queue *q)
{
    return atomic_load_explicit(&q->outstanding, memory_order_relaxed) != 0;
}

void
xsk_tx_drain_idle(struct xsk_queue *q)
{
    struct frame *done[XSK_COMPLETE_BURST];

    if (has_outstanding(q) && spinlock_trylock(&q->tx_lock)) {
        unsigned n = xsk_tx_complete__(q, done);
        spinlock_unlock(&q->tx_lock);
        frame_free(done, n);
    }
}

/* -- The kick. -- */

/* Descriptors that the kernel has not taken.  Reads shared words only, for which the lock is
 * not needed. */
static inline uint32_t
backlog(const struct xsk_queue *q)
{
    return xsk_ring_backlog(&q->tx);
}

static inline bool
driver_is_awake(const struct xsk_queue *q)
{
    return q->zerocopy && q->need_wakeup && !xsk_ring_needs_wakeup(&q->tx);
}

/* What a kick's errno means for the queue. */
static void
kick_failed(struct xsk_queue *q, int error)
{
    switch (error) {
    case EAGAIN:
    case EBUSY:
    case ENOBUFS:
    case ENOMEM:
    case EINTR:
        COVERAGE_INC(afxdp_tx_kick_busy); /* the descriptors stay; the next turn tries again */
        break;
    case ENETDOWN:
    case ENXIO:
        atomic_store_explicit(&q->link_down, true, memory_order_relaxed);
        break;
    default:
        atomic_store_explicit(&q->fatal, error, memory_order_relaxed);
        break;
    }
}

static void
kick_now(struct xsk_queue *q)
{
    uint32_t waiting = backlog(q);
    /* Enough calls to empty the ring if each moves its full batch. */
    unsigned max_calls = 1 + waiting / q->kick_batch;

    atomic_store_explicit(&q->unkicked, 0, memory_order_relaxed);
    if (driver_is_awake(q)) {
        return;
    }
    for (unsigned i = 0; waiting > 0 && i < max_calls; i++) {
        xsk_count_shared(&q->tx_kicks, 1);
        COVERAGE_INC(afxdp_tx_kick);
        if (sendto(q->fd, NULL, 0, MSG_DONTWAIT, NULL, 0) >= 0) {
            return;
        }
        int error = errno;
        uint32_t left = backlog(q);
        if (error != EAGAIN || left >= waiting) {
            if (left > 0) {
                kick_failed(q, error);
            }
            return;
        }
        /* It moved a batch and has more.  Completions must have room to come. */
        waiting = left;
        xsk_count_shared(&q->tx_kicks_again, 1);
        COVERAGE_INC(afxdp_tx_kick_retry);
        drain(q);
    }
}

/* Kicks unless another sender is at it. */
static void
kick(struct xsk_queue *q)
{
    /* Nothing is handed over by this flag, hence relaxed: the ring's words have their own
     * order. */
    if (!atomic_load_explicit(&q->kicking, memory_order_relaxed) &&
        !atomic_exchange_explicit(&q->kicking, true, memory_order_relaxed)) {
        kick_now(q);
        atomic_store_explicit(&q->kicking, false, memory_order_relaxed);
    }
}

/* -- Sending. -- */

static inline bool
is_last(const struct packet *p)
{
    return !(p->flags & PACKET_TX_MORE);
}

static void
drop_one(struct xsk_queue *q, struct packet *p)
{
    xsk_count_shared(&q->tx_dropped, is_last(p));
    packet_free(p);
}

/* Appends copies of the packet's pieces in frames of our arena, or nothing. */
static bool
add_chain(struct xsk_queue *q, struct packet *p, struct tx_burst *b)
{
    uint32_t room = arena_frame_sz(q->arena) - FRAME_DATA_OFS;
    unsigned n = DIV_ROUND_UP(p->len, room);
    struct frame *frames[CHAIN_MAX];
    unsigned got = n <= CHAIN_MAX ? frame_alloc(q->arena, frames, n) : 0;

    if (got < n) {
        frame_free(frames, got);
        return false;
    }
    if (p->flags & PACKET_CSUM_PARTIAL && p->l4_ofs + p->csum_ofs + 2u > room) {
        packet_settle_csum(p); /* no one piece could ask for it */
    }
    for (unsigned i = 0; i < n; i++) {
        struct packet *piece = packet_from_frame(frames[i]);
        uint32_t ofs = i * room, len = MIN(room, p->len - ofs);

        packet_init_rx(piece, FRAME_DATA_OFS, (uint16_t) len);
        memcpy(packet_data(piece), packet_data(p) + ofs, len);
        piece->flags = i + 1 < n ? PACKET_TX_MORE : 0;
        if (i == 0 && p->flags & PACKET_CSUM_PARTIAL) {
            piece->flags |= PACKET_CSUM_PARTIAL;
            piece->l4_ofs = p->l4_ofs;
            piece->csum_ofs = p->csum_ofs;
        }
        b->pkts[b->n++] = piece;
    }
    COVERAGE_INC(afxdp_tx_jumbo);
    return true;
}

/* A packet of another arena: adds a copy to the burst.  Takes it. */
static void
add_copy(struct xsk_queue *q, struct packet *p, struct tx_burst *b)
{
    bool ok;

    if (q->jumbo && p->len > arena_frame_sz(q->arena) - FRAME_DATA_OFS) {
        ok = add_chain(q, p, b);
    } else {
        struct packet *copy = packet_clone(p, q->arena);

        ok = copy;
        if (ok) {
            b->pkts[b->n++] = copy;
        }
    }
    if (!ok) {
        COVERAGE_INC(drop_afxdp_tx_no_frame);
        drop_one(q, p);
        return;
    }
    COVERAGE_INC(afxdp_tx_copy);
    xsk_count_shared(&q->tx_copied, 1);
    packet_free(p);
}

/* Takes the batch; leaves in `b` what can be transmitted: right length, in our arena. */
static void
gather(struct xsk_queue *q, struct packet_batch *batch, struct tx_burst *b)
{
    uint32_t max_len = atomic_load_explicit(q->max_len, memory_order_relaxed);

    b->n = 0;
    for (unsigned i = 0; i < batch->n; i++) {
        struct packet *p = batch->pkts[i];

        if (ARENA_DEBUG && p->frame.owner != FRAME_OWNER_TX) { /* TX: a flood's next port */
            frame_check(&p->frame, FRAME_OWNER_USER);
        }
        if (UNLIKELY(p->len > max_len || p->len < ETH_HEADER_LEN)) {
            COVERAGE_INC(drop_afxdp_tx_bad_length);
            drop_one(q, p);
            continue;
        }
        if (UNLIKELY(packet_arena(p) != q->arena)) {
            add_copy(q, p, b);
            continue;
        }
        b->pkts[b->n++] = p;
    }
    batch->n = 0;
}

/* Writes the requests for half-done checksums before the packets' data.  Nobody else has these
 * packets (packet.h), so that this room is theirs. */
static void
request_csums(struct xsk_queue *q, struct tx_burst *b)
{
    unsigned n = 0;

    for (unsigned i = 0; i < b->n; i++) {
        struct packet *p = b->pkts[i];

        if (p->flags & PACKET_CSUM_PARTIAL) {
            if (xsk_txmd_put_csum(p, p->len)) {
                n++;
            } else {
                packet_settle_csum(p);
            }
        }
    }
    if (n) {
        xsk_count_shared(&q->tx_csums, n);
    }
}

/* Puts as many frames of `b` from `first` on into the ring as it has room for, but only whole
 * packets; returns how many.  Once submitted a packet may be sent, completed and reused at any
 * moment.  `metadata`: some of them may have requests. */
static ALWAYS_INLINE unsigned
put__(struct xsk_queue *q, const struct tx_burst *b, unsigned first, bool metadata)
    REQUIRES(q->tx_lock)
{
    uint32_t room = xsk_ring_room(&q->tx, b->n - first);
    /* Copies, so that they stay in registers while frames and ledger are written. */
    const struct xsk_ring tx = q->tx;
    const uint8_t *base = q->arena->base;
    uint8_t *ledger = q->ledger;
    uint64_t bytes = 0;
    unsigned n = 0, n_packets = 0;

    while (room && !is_last(b->pkts[first + room - 1])) {
        room--;
    }
    for (; n < room; n++) {
        struct packet *p = b->pkts[first + n];
        uint8_t *times = &ledger[p->frame.id];
        bool more = !is_last(p);
        uint32_t len = p->len, options = more ? XDP_PKT_CONTD : 0;

        if (metadata && p->flags & PACKET_CSUM_PARTIAL) {
            options |= XSK_DESC_TXMD;
        }
        if (UNLIKELY(*times == UINT8_MAX)) {
            break; /* the same frame 255 times in one ring */
        }
        ++*times;
        frame_set_owner(&p->frame, FRAME_OWNER_TX);
        xsk_ring_desc_put_at(&tx, n, (uint64_t) (packet_data(p) - base), len, options);
        bytes += len;
        n_packets += !more;
    }
    if (n) {
        uint32_t outstanding = atomic_load_explicit(&q->outstanding, memory_order_relaxed);
        atomic_store_explicit(&q->outstanding, outstanding + n, memory_order_relaxed);
        xsk_ring_produce(&q->tx, n);
        xsk_count(&q->tx_packets, n_packets);
        xsk_count(&q->tx_bytes, bytes);
        atomic_fetch_add_explicit(&q->unkicked, n, memory_order_relaxed);
    }
    return n;
}

static unsigned
put(struct xsk_queue *q, const struct tx_burst *b, unsigned first)
{
    struct frame *done[XSK_COMPLETE_BURST];

    spinlock_lock(&q->tx_lock);
    unsigned n_done = xsk_tx_complete__(q, done);
    unsigned n = q->tx_csum ? put__(q, b, first, true) : put__(q, b, first, false);
    spinlock_unlock(&q->tx_lock);
    frame_free(done, n_done);
    return n;
}

static inline bool
is_dead(const struct xsk_queue *q)
{
    return atomic_load_explicit(&q->link_down, memory_order_relaxed) ||
           atomic_load_explicit(&q->fatal, memory_order_relaxed);
}

void
xsk_tx_burst(struct xsk_queue *q, struct packet_batch *batch)
{
    struct tx_burst b;

    if (UNLIKELY(is_dead(q))) {
        COVERAGE_ADD(drop_afxdp_tx_link_down, batch->n);
        xsk_count_shared(&q->tx_dropped, batch->n);
        packet_batch_free(batch);
        return;
    }
    gather(q, batch, &b);
    if (q->tx_csum) {
        request_csums(q, &b);
    }
    unsigned sent = put(q, &b, 0);
    if (UNLIKELY(sent < b.n)) {
        kick_now(q); /* the ring is full: let the kernel take some, then once more */
        sent += put(q, &b, sent);
        for (; sent < b.n; sent++) {
            COVERAGE_ADD(drop_afxdp_tx_ring_full, is_last(b.pkts[sent]));
            drop_one(q, b.pkts[sent]);
        }
    }
    if (atomic_load_explicit(&q->unkicked, memory_order_relaxed) >= q->kick_batch) {
        kick(q);
    }
}

bool
xsk_tx_poll(struct xsk_queue *q)
{
    if (!has_outstanding(q)) {
        return false;
    }
    if (backlog(q) > 0 && !is_dead(q)) {
        kick(q);
    }
    drain(q);
    return backlog(q) > 0 && !is_dead(q);
}
