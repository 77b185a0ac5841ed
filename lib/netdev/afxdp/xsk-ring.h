/* SPDX-License-Identifier: Apache-2.0 */
#ifndef XVS_NETDEV_AFXDP_XSK_RING_H
#define XVS_NETDEV_AFXDP_XSK_RING_H 1

/* Operations on the four rings that an AF_XDP queue shares with the kernel.
 *
 *   ring         entries            we are       indices that we advance
 *   fill         u64 address        producer     producer
 *   rx           struct xdp_desc    consumer     consumer
 *   tx           struct xdp_desc    producer     producer
 *   completion   u64 address        consumer     consumer
 *
 * Indices are free-running u32 counters; entry i lives at i & mask, and distances are taken
 * modulo 2^32, so wrapping needs no care.  `prod` and `cons` are private copies: our own index
 * runs ahead of the shared word until submit or release, the kernel's lags behind it until a
 * refresh.  The shared words are only touched when the private copies do not suffice.
 *
 * Ordering: the producer's release store of its index pairs with the consumer's acquire load of
 * it, in both directions; the kernel's side is smp_store_release() and smp_load_acquire().
 *
 * What the other side writes is not trusted: an index out of range makes a ring look full (to
 * a producer) or empty (to a consumer), and `broken` is set.
 *
 * One thread per side at a time; no function here makes a system call. */

#include <linux/if_xdp.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include "util/compiler.h"

struct xsk_ring {
    uint32_t prod;              /* next to produce, or how far the producer is known to be */
    uint32_t cons;              /* next to consume, or how far the consumer is known to be */
    uint32_t mask;              /* size - 1 */
    uint32_t size;              /* entries, a power of two */
    _Atomic uint32_t *producer; /* shared */
    _Atomic uint32_t *consumer; /* shared */
    _Atomic uint32_t *flags;    /* shared: XDP_RING_NEED_WAKEUP */
    void *entries;
    bool broken; /* the other side's index made no sense */
};

/* -- Producer: fill and tx. -- */

/* How many entries may be produced, at most `want`. */
static inline uint32_t
xsk_ring_room(struct xsk_ring *r, uint32_t want)
{
    uint32_t room = r->size - (r->prod - r->cons);

    if (room < want) {
        uint32_t cons = atomic_load_explicit(r->consumer, memory_order_acquire);
        if (UNLIKELY(r->prod - cons > r->size)) {
            r->broken = true;
            return 0;
        }
        r->cons = cons;
        room = r->size - (r->prod - cons);
    }
    return MIN(room, want);
}

/* Writes the next entry; the caller has room for it. */
static inline void
xsk_ring_put_addr(struct xsk_ring *r, uint64_t addr)
{
    ((uint64_t *) r->entries)[r->prod++ & r->mask] = addr;
}
static inline void
xsk_ring_put_desc(struct xsk_ring *r, uint64_t addr, uint32_t len, uint32_t options)
{
    struct xdp_desc *d = &((struct xdp_desc *) r->entries)[r->prod++ & r->mask];

    d->addr = addr;
    d->len = len;
    d->options = options;
}

/* Shows the consumer what was put. */
static inline void
xsk_ring_submit(struct xsk_ring *r)
{
    atomic_store_explicit(r->producer, r->prod, memory_order_release);
}

/* For bursts: writes the entry `i` behind the next one (there is room) without counting it, so
 * that `r` may be a copy in registers; then counts and shows `n` of them. */
static inline void
xsk_ring_addr_put_at(const struct xsk_ring *r, uint32_t i, uint64_t addr)
{
    ((uint64_t *) r->entries)[(r->prod + i) & r->mask] = addr;
}
static inline void
xsk_ring_desc_put_at(const struct xsk_ring *r, uint32_t i, uint64_t addr, uint32_t len,
                     uint32_t options)
{
    struct xdp_desc *d = &((struct xdp_desc *) r->entries)[(r->prod + i) & r->mask];

    d->addr = addr;
    d->len = len;
    d->options = options;
}
/* The entry that was written `n` entries ago (1: the last one), at most a ring's length. */
static inline uint64_t
xsk_ring_addr_behind(const struct xsk_ring *r, uint32_t n)
{
    return ((const uint64_t *) r->entries)[(r->prod - n) & r->mask];
}
static inline void
xsk_ring_produce(struct xsk_ring *r, uint32_t n)
{
    r->prod += n;
    xsk_ring_submit(r);
}

/* Entries submitted that the consumer has not taken yet: the kernel's word, fresh.  Only
 * compares shared words, hence any thread. */
static inline uint32_t
xsk_ring_backlog(const struct xsk_ring *r)
{
    uint32_t cons = atomic_load_explicit(r->consumer, memory_order_relaxed);
    uint32_t n = atomic_load_explicit(r->producer, memory_order_relaxed) - cons;

    return n <= r->size ? n : 0;
}

/* -- Consumer: rx and completion. -- */

/* How many entries may be consumed, at most `want`. */
static inline uint32_t
xsk_ring_peek(struct xsk_ring *r, uint32_t want)
{
    uint32_t n = r->prod - r->cons;

    if (n < want) {
        uint32_t prod = atomic_load_explicit(r->producer, memory_order_acquire);
        if (UNLIKELY(prod - r->cons > r->size)) {
            r->broken = true;
            return 0;
        }
        r->prod = prod;
        n = prod - r->cons;
    }
    return MIN(n, want);
}

/* Reads the next entry; the caller has peeked it.  By value: the kernel does not write it again
 * before the release, but nothing forces a compiler to read it once. */
static inline uint64_t
xsk_ring_get_addr(struct xsk_ring *r)
{
    return ((const uint64_t *) r->entries)[r->cons++ & r->mask];
}
static inline struct xdp_desc
xsk_ring_get_desc(struct xsk_ring *r)
{
    return ((const struct xdp_desc *) r->entries)[r->cons++ & r->mask];
}

/* Gives the entries read back to the producer. */
static inline void
xsk_ring_release(struct xsk_ring *r)
{
    atomic_store_explicit(r->consumer, r->cons, memory_order_release);
}

/* For bursts: the entry `i` behind the next one (peeked), which is not counted as read, so that
 * `r` may be a copy in registers; then counts and gives back `n` of them. */
static inline uint64_t
xsk_ring_addr_at(const struct xsk_ring *r, uint32_t i)
{
    return ((const uint64_t *) r->entries)[(r->cons + i) & r->mask];
}
static inline struct xdp_desc
xsk_ring_desc_at(const struct xsk_ring *r, uint32_t i)
{
    return ((const struct xdp_desc *) r->entries)[(r->cons + i) & r->mask];
}
static inline void
xsk_ring_consume(struct xsk_ring *r, uint32_t n)
{
    r->cons += n;
    xsk_ring_release(r);
}

/* Does the kernel ask to be woken for this ring (fill or tx)? */
static inline bool
xsk_ring_needs_wakeup(const struct xsk_ring *r)
{
    return atomic_load_explicit(r->flags, memory_order_relaxed) & XDP_RING_NEED_WAKEUP;
}

#endif
