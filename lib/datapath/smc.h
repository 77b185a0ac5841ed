/* SPDX-License-Identifier: Apache-2.0 */
#ifndef XVS_DATAPATH_SMC_H
#define XVS_DATAPATH_SMC_H 1

/* The signature cache of a polling thread (smc-enable): 16 bits of a key's hash -> id of the
 * megaflow subtable where the key was found last.  A hit saves the walk over the subtables, is
 * verified there as any lookup is, and needs 4 bytes a flow instead of the exact-match cache's
 * 200.  It holds no references: an id that is stale just misses. */

#include <stdint.h>
#include <stdlib.h>

#include "datapath/megaflow.h"
#include "util/xalloc.h"

#define SMC_ENTRIES (1u << 16)

struct smc_entry {
    uint16_t sig;
    uint16_t subtable_id; /* 0: free */
};
struct smc {
    struct smc_entry *entries; /* NULL until first use */
};

static inline struct dp_flow *
smc_lookup(const struct smc *smc, struct megaflow_table *t, const struct flow_key *k)
{
    const struct smc_entry *e;

    if (!smc->entries) {
        return NULL;
    }
    e = &smc->entries[k->hash & (SMC_ENTRIES - 1)];
    return e->subtable_id && e->sig == k->hash >> 16 ? megaflow_lookup_in(t, e->subtable_id, k)
                                                     : NULL;
}

static inline void
smc_insert(struct smc *smc, const struct flow_key *k, uint16_t subtable_id)
{
    struct smc_entry *e;

    if (!smc->entries) {
        smc->entries = xcalloc(SMC_ENTRIES, sizeof *smc->entries);
    }
    e = &smc->entries[k->hash & (SMC_ENTRIES - 1)];
    e->sig = (uint16_t) (k->hash >> 16);
    e->subtable_id = subtable_id;
}

static inline void
smc_destroy(struct smc *smc)
{
    free(smc->entries);
    smc->entries = NULL;
}

#endif
