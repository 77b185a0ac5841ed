/* SPDX-License-Identifier: Apache-2.0 */
/* Sets of hashes with counts, by which a lookup leaves a tuple at an early stage.  Main counts
 * while rules come and go; translation asks beside it under RCU.
 *
 * The rules of os/rcu-table.h hold here, too: a hash that moves to other slots, some at each
 * change, is counted there before its old slot says 0, for good. */

#include "flow/classifier-private.h"

#include <stdlib.h>

#include "util/xalloc.h"

static struct cls_hash_slots *
slots_create(uint32_t n)
{
    struct cls_hash_slots *a = xzalloc(sizeof *a + n * sizeof a->s[0]);

    a->mask = n - 1;
    return a;
}

static void
free_slots(struct rcu_head *head)
{
    free(CONTAINER_OF(head, struct cls_hash_slots, rcu));
}

static struct cls_hash_slots *
own_slots(const struct cls_hashes *h)
{
    return atomic_load_explicit(&h->slots, memory_order_relaxed);
}

static struct cls_hash_slots *
own_next(const struct cls_hash_slots *a)
{
    return atomic_load_explicit(&a->next, memory_order_relaxed);
}

/* The slot that holds the hash, or else the empty one behind; 0 is no hash. */
static uint32_t
probe(const struct cls_hash_slots *a, uint32_t hash, uint64_t *slot)
{
    for (uint32_t i = hash & a->mask;; i = (i + 1) & a->mask) { /* ends: some are empty */
        /* Acquire: pairs with the releases in put(). */
        *slot = atomic_load_explicit(&a->s[i], memory_order_acquire);
        if (!*slot || *slot >> 32 == hash) {
            return i;
        }
    }
}

static inline uint32_t
key_of(uint64_t hash)
{
    return (uint32_t) hash ? (uint32_t) hash : 1;
}

bool
cls_hashes_has(const struct cls_hashes *h, uint32_t hash)
{
    /* Acquire: pairs with the release of the writer that is done with moving. */
    const struct cls_hash_slots *a = atomic_load_explicit(&h->slots, memory_order_acquire);
    uint64_t slot;

    do {
        probe(a, key_of(hash), &slot);
        if ((uint32_t) slot) {
            return true;
        }
        /* Acquire: pairs with the release when it begins to grow. */
        a = atomic_load_explicit(&a->next, memory_order_acquire);
    } while (UNLIKELY(a != NULL));
    return false;
}

/* Counts the hash in its slot, which is the `i`th and reads `slot`. */
static void
put(struct cls_hash_slots *a, uint32_t i, uint64_t slot, uint32_t hash, uint32_t count)
{
    a->n_used += !slot;
    /* Release: who sees that a hash has gone from here finds it where it moved. */
    atomic_store_explicit(&a->s[i], (uint64_t) hash << 32 | count, memory_order_release);
}

static void
begin(struct cls_hashes *h)
{
    struct cls_hash_slots *a = own_slots(h);

    /* Release: pairs with the acquire of readers. */
    atomic_store_explicit(&a->next, slots_create(rcu_table_size(a->mask + 1, h->n)),
                          memory_order_release);
}

static void
move_some(struct cls_hashes *h)
{
    struct cls_hash_slots *a = own_slots(h), *next = own_next(a);

    if (!next) {
        return;
    }
    for (uint32_t n = 0; n < RCU_TABLE_PACE && a->n_moved <= a->mask; n++) {
        uint32_t i = a->n_moved++, to;
        uint64_t slot = atomic_load_explicit(&a->s[i], memory_order_relaxed), empty;
        uint32_t hash = (uint32_t) (slot >> 32);

        if ((uint32_t) slot) {
            to = probe(next, hash, &empty);
            put(next, to, empty, hash, (uint32_t) slot);
            put(a, i, slot, hash, 0);
        }
    }
    if (a->n_moved > a->mask) {
        /* Release: pairs with the acquire of readers. */
        atomic_store_explicit(&h->slots, next, memory_order_release);
        call_rcu(&a->rcu, free_slots);
    }
}

void
cls_hashes_init(struct cls_hashes *h)
{
    atomic_init(&h->slots, slots_create(RCU_TABLE_MIN));
    h->n = 0;
}

void
cls_hashes_destroy(struct cls_hashes *h)
{
    struct cls_hash_slots *a = own_slots(h);

    free(a ? own_next(a) : NULL);
    free(a);
}

void
cls_hashes_change(struct cls_hashes *h, uint64_t hash64, int by)
{
    struct cls_hash_slots *a = own_slots(h);
    uint32_t hash = key_of(hash64), count;
    uint64_t slot;
    uint32_t i = probe(a, hash, &slot);

    if (!own_next(a) && (slot ? rcu_table_is_sparse(a->mask + 1, h->n)
                              : !rcu_table_has_room(a->mask + 1, a->n_used))) {
        begin(h);
    }
    if (!(uint32_t) slot && own_next(a)) { /* moved, or new */
        a = own_next(a);
        i = probe(a, hash, &slot);
    }
    count = (uint32_t) slot + (uint32_t) by;
    h->n += !(uint32_t) slot;
    h->n -= !count;
    put(a, i, slot, hash, count);
    move_some(h);
}
