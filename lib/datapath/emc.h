/* SPDX-License-Identifier: Apache-2.0 */
#ifndef XVS_DATAPATH_EMC_H
#define XVS_DATAPATH_EMC_H 1

/* The exact-match cache of a polling thread: whole key -> megaflow.  Used by that thread only.
 * An entry holds a reference to its megaflow, which may have died meanwhile: lookup then
 * misses, and the entry goes when it is overwritten or swept. */

#include "datapath/megaflow.h"

#define EMC_BITS 13u
#define EMC_ENTRIES (1u << EMC_BITS)
#define EMC_WAYS 2u

struct emc_entry {
    struct dp_flow *flow; /* NULL: free */
    struct flow_key key;  /* the first two cache lines hold a usual one */
} CACHE_ALIGNED;
struct emc {
    struct emc_entry *entries;
    unsigned sweep;
};

void emc_init(struct emc *);
void emc_destroy(struct emc *); /* drops all references */
void emc_insert(struct emc *, const struct flow_key *, struct dp_flow *);
/* Looks at the next `n` entries and drops those whose megaflow is dead. */
void emc_sweep(struct emc *, unsigned n);

static inline struct emc_entry *
emc_entry(const struct emc *emc, uint32_t hash, unsigned way)
{
    return &emc->entries[(hash >> (way * EMC_BITS)) & (EMC_ENTRIES - 1)];
}

static inline void
emc_prefetch(const struct emc *emc, const struct flow_key *k)
{
    const struct emc_entry *e = emc_entry(emc, k->hash, 0);

    __builtin_prefetch(e);
    __builtin_prefetch((const uint8_t *) e + CACHE_LINE_SIZE);
}

/* The flow of the key, which may be dead: for those who look at that later. */
static inline struct dp_flow *
emc_find(const struct emc *emc, const struct flow_key *k)
{
    for (unsigned way = 0; way < EMC_WAYS; way++) {
        const struct emc_entry *e = emc_entry(emc, k->hash, way);

        if (e->flow && flow_key_equal(&e->key, k)) {
            return e->flow;
        }
    }
    return NULL;
}

static inline struct dp_flow *
emc_lookup(const struct emc *emc, const struct flow_key *k)
{
    struct dp_flow *f = emc_find(emc, k);

    return f && !megaflow_is_dead(f) ? f : NULL;
}

#endif
