/* SPDX-License-Identifier: Apache-2.0 */
/* The exact-match cache: see emc.h.  Insertion and sweeping, on the thread that owns it. */

#include "datapath/emc.h"

#include <stdlib.h>
#include <string.h>

#include "util/xalloc.h"

void
emc_init(struct emc *emc)
{
    emc->entries = xzalloc_cacheline(EMC_ENTRIES * sizeof *emc->entries);
    emc->sweep = 0;
}

static void
entry_clear(struct emc_entry *e)
{
    if (e->flow) {
        megaflow_unref(e->flow);
        e->flow = NULL;
    }
}

void
emc_destroy(struct emc *emc)
{
    for (unsigned i = 0; i < EMC_ENTRIES; i++) {
        entry_clear(&emc->entries[i]);
    }
    free(emc->entries);
    emc->entries = NULL;
}

/* Prefers the entry of the same key, then a free or dead one, then the second way (so that the
 * first, looked at first, is the more stable). */
void
emc_insert(struct emc *emc, const struct flow_key *k, struct dp_flow *flow)
{
    struct emc_entry *victim = NULL;

    for (unsigned way = 0; way < EMC_WAYS; way++) {
        struct emc_entry *e = emc_entry(emc, k->hash, way);

        if (e->flow && flow_key_equal(&e->key, k)) {
            victim = e;
            break;
        }
        if (!victim && (!e->flow || megaflow_is_dead(e->flow))) {
            victim = e;
        }
    }
    if (!victim) {
        victim = emc_entry(emc, k->hash, 1);
    }
    megaflow_ref(flow);
    entry_clear(victim);
    victim->flow = flow;
    memcpy(&victim->key, k, offsetof(struct flow_key, w) + k->n_words * 8u);
}

void
emc_sweep(struct emc *emc, unsigned n)
{
    for (; n; n--) {
        struct emc_entry *e = &emc->entries[emc->sweep++ & (EMC_ENTRIES - 1)];

        if (e->flow && megaflow_is_dead(e->flow)) {
            entry_clear(e);
        }
    }
}
