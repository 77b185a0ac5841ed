/* SPDX-License-Identifier: Apache-2.0 */
#ifndef XVS_DATAPATH_MEGAFLOW_H
#define XVS_DATAPATH_MEGAFLOW_H 1

/* The megaflow table of one polling thread: a tuple-space classifier over compressed keys.
 *
 * Flows with the same mask share a subtable, which says
 *   - which presence bits of the packet's sections must have which value (checked first: it
 *     rejects most subtables with one AND and one compare), and
 *   - which words of which (present) sections are hashed and compared, under which mask.
 * Where a section's words lie in a key depends on the key's sections alone: looked up in a
 * constant table.
 *
 *   operation                   thread                               excluded by
 *   lookup, insert, maintain    the owner (polling) thread           -
 *   delete, set_actions         any in a read-side section           the table's mutex (delete)
 *   iteration over `flows`      any in a read-side section           RCU
 *   destroy                     main, the owner is gone              -
 * Hash chains are read by the owner alone, unlinked from by others under the mutex; hence the
 * owner may resize them without RCU, under the mutex. */

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "datapath/dp-actions.h"
#include "flow/flow-key.h"
#include "flow/flow.h"
#include "os/rcu.h"
#include "os/thread.h"
#include "util/compiler.h"

#define MF_SECTIONS ((1u << FS_REGS) - 1) /* those that keys can have */
#define MF_IDS 1024u

/* Word offset of each section in a key, by the key's sections.  Constant once main() runs. */
extern uint8_t mf_section_ofs[MF_SECTIONS + 1][FS_REGS];

/* What all tables of a datapath share; outlives every flow. */
struct megaflow_owner {
    void (*cookie_free)(void *aux, void *cookie);
    void *aux;
    _Atomic uint32_t n_flows;
};

struct mf_subtable {
    uint16_t care, value; /* presence bits looked at, and their value */
    uint16_t n_words;
    uint16_t id;                      /* 1..MF_IDS-1, or 0: none was left */
    uint8_t sec[FLOW_KEY_MAX_WORDS];  /* section of each word ... */
    uint8_t word[FLOW_KEY_MAX_WORDS]; /* ... and which of its words */
    uint64_t mask[FLOW_KEY_MAX_WORDS];
    struct dp_flow **buckets; /* accessed __atomically: see the table above */
    uint32_t bucket_mask;
    uint32_t n_flows; /* mutex */
    uint64_t hits;    /* owner; halved at each ranking */
    struct rcu_head rcu;
};

struct dp_flow {
    /* Cold; the hot line then has the first words of `w` right behind it. */
    struct cds_list_head node; /* in table->flows */
    struct megaflow_table *table;
    struct megaflow_owner *owner;
    void *cookie;
    int64_t created_ms;
    struct rcu_head rcu;
    struct mf_subtable *subtable;
    _Atomic uint32_t refs;    /* the table's, and one per cache entry */
    uint16_t origin_sections; /* of the packet that it was made for */
    /* Hot: one cache line has all that a packet needs. */
    struct dp_flow *next CACHE_ALIGNED; /* in its chain, __atomic */
    uint64_t hash;
    struct dp_actions *actions; /* __atomic; RCU */
    /* dp_actions_only_output() of the actions, which then need not be looked at.  For a moment
     * after they were replaced, one may be of the new ones, the other of the old. */
    _Atomic uint32_t only_output;
    uint32_t group;    /* owner: its group in the batch at hand */
    _Atomic bool dead; /* unlinked: caches must not use it any more */
    /* Written by the owner only, read by anybody. */
    _Atomic uint16_t tcp_flags;
    _Atomic uint64_t n_packets, n_bytes;
    _Atomic int64_t used_ms;
    /* Masked, in the order of the subtable's words; behind them those of the first packet,
     * whole sections in their order, for people to read. */
    uint64_t w[];
};
_Static_assert(offsetof(struct dp_flow, w) % CACHE_LINE_SIZE == 0 &&
                   offsetof(struct dp_flow, w) - offsetof(struct dp_flow, next) ==
                       CACHE_LINE_SIZE,
               "one hot line, and the words behind it");

struct megaflow_table {
    struct mf_subtable **subtables; /* owner; most hit first */
    unsigned n_subtables, cap;
    /* Owner: subtables that lookups go through until they hit, on average, in sixteenths, as
     * the last ranking found it; the signature cache's hits count as if it did not exist. */
    uint32_t walk16;
    struct mf_subtable *by_id[MF_IDS]; /* owner; for the signature cache */
    struct megaflow_owner *owner;
    struct mutex mutex;
    struct cds_list_head flows; /* all; RCU list, changed under the mutex */
    _Atomic uint32_t n_flows;
    _Atomic uint32_t n_deaths; /* deletions ever: caches have something to sweep */
    _Atomic bool has_empty;    /* a subtable lost its last flow since maintain */
};

void megaflow_table_init(struct megaflow_table *, struct megaflow_owner *);
/* Deletes what is in it.  Readers may still hold flows until a grace period is over; the table
 * itself must stay until then. */
void megaflow_table_flush(struct megaflow_table *);
void megaflow_table_destroy(struct megaflow_table *); /* flushed before */

/* The flow that matches, or NULL.  Adds to `*n_looked` the subtables that were hashed for, and
 * sets `*id` to the subtable's id on a hit.  Fast path. */
struct dp_flow *megaflow_lookup(struct megaflow_table *, const struct flow_key *,
                                unsigned *n_looked, uint16_t *id);
/* The same for several keys at once: `flows[i]` (NULL: none), and on a hit `n_looked[i]` and
 * `ids[i]`, are what megaflow_lookup() would say of `keys[i]`.  What the lookups need of memory
 * is fetched for all of them together.  At most MF_BATCH keys.  Fast path. */
#define MF_BATCH 32u
void
megaflow_lookup_batch(struct megaflow_table *, const struct flow_key *const *keys, unsigned n,
                      struct dp_flow **flows, unsigned *n_looked, uint16_t *ids);
/* Looks in subtable `id` (of any value) only. */
struct dp_flow *
megaflow_lookup_in(struct megaflow_table *, uint16_t id, const struct flow_key *);
/* Makes a megaflow of `flow` under `mask` (which is clipped to the flow's sections here),
 * unless one with the same match is there, which is then returned, with `*existed` set and
 * neither `actions` nor `cookie` taken. */
struct dp_flow *
megaflow_insert(struct megaflow_table *, const struct flow *flow, const struct flow *mask,
                struct dp_actions *actions, void *cookie, int64_t now_ms, bool *existed);
/* Marks dead, unlinks, frees actions and cookie after a grace period; idempotent. */
void megaflow_delete(struct dp_flow *);
void megaflow_set_actions(struct dp_flow *, struct dp_actions *);
void megaflow_get_match(const struct dp_flow *, struct flow *match, struct flow *mask);
/* The packet that the flow was made for. */
void megaflow_get_origin(const struct dp_flow *, struct flow *);
/* Now and then: ranks the subtables by their hits, measures the walk, frees empty ones. */
void megaflow_maintain(struct megaflow_table *);

/* Has the parts of a flow that a packet needs fetched. */
static inline void
megaflow_prefetch(const struct dp_flow *f)
{
    __builtin_prefetch(&f->next, 1);
}
static inline bool
megaflow_is_dead(const struct dp_flow *f)
{
    /* Acquire pairs with the release in megaflow_delete(). */
    return atomic_load_explicit(&f->dead, memory_order_acquire);
}
static inline const struct dp_actions *
megaflow_actions(const struct dp_flow *f)
{
    return __atomic_load_n(&f->actions, __ATOMIC_ACQUIRE);
}
static inline void
megaflow_ref(struct dp_flow *f)
{
    atomic_fetch_add_explicit(&f->refs, 1, memory_order_relaxed);
}
void megaflow_unref(struct dp_flow *);

#endif
