/* SPDX-License-Identifier: Apache-2.0 */
#ifndef XVS_DATAPATH_EMC_H
#define XVS_DATAPATH_EMC_H 1

/* The exact-match cache of a polling thread: whole key -> megaflow.  Used by that thread only.
 * An entry holds a reference to its megaflow, which may have died meanwhile: lookup then
 * misses, and the entry goes when it is overwritten or swept.
 *
 * A table of tags, small enough to stay near, says which entries may hold a key: one that is
 * not cached costs no access to entries, one that is costs those of its own entry. */

#include "datapath/megaflow.h"

#define EMC_BITS 13u
#define EMC_ENTRIES (1u << EMC_BITS)
#define EMC_WAYS 2u

struct emc_entry {
    struct dp_flow *flow; /* NULL, and the tag 0: free */
    struct flow_key key;  /* the first two cache lines hold a usual one */
} CACHE_ALIGNED;
struct emc {
    struct emc_entry *entries; /* more pages than a core remembers, unless they are huge */
    uint16_t *tags;            /* emc_tag() of each entry's key */
    unsigned sweep;
};

void emc_init(struct emc *);
void emc_destroy(struct emc *); /* drops all references */
void emc_insert(struct emc *, const struct flow_key *, struct dp_flow *);
/* Looks at the next `n` entries and drops those whose megaflow is dead. */
void emc_sweep(struct emc *, unsigned n);

static inline unsigned
emc_index(uint32_t hash, unsigned way)
{
    return (hash >> (way * EMC_BITS)) & (EMC_ENTRIES - 1);
}

/* Of either way, bits that its index does not tell; never 0. */
static inline uint16_t
emc_tag(uint32_t hash)
{
    uint16_t tag = (uint16_t) (hash ^ hash >> 16);

    return tag ? tag : 1;
}

/* Has what emc_find() will look at fetched. */
static inline void
emc_prefetch(const struct emc *emc, const struct flow_key *k)
{
    for (unsigned way = 0; way < EMC_WAYS; way++) {
        unsigned i = emc_index(k->hash, way);

        if (emc->tags[i] == emc_tag(k->hash)) {
            __builtin_prefetch(&emc->entries[i]);
            __builtin_prefetch((const uint8_t *) &emc->entries[i] + CACHE_LINE_SIZE);
        }
    }
}

/* The flow of the key, which may be dead: for those who look at that later. */
static inline struct dp_flow *
emc_find(const struct emc *emc, const struct flow_key *k)
{
    for (unsigned way = 0; way < EMC_WAYS; way++) {
        unsigned i = emc_index(k->hash, way);

        if (emc->tags[i] == emc_tag(k->hash) && flow_key_equal(&emc->entries[i].key, k)) {
            return emc->entries[i].flow;
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
