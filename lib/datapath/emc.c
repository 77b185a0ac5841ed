/* SPDX-License-Identifier: Apache-2.0 */
/* The exact-match cache: see emc.h.  Insertion and sweeping, on the thread that owns it. */

#include "datapath/emc.h"

#include <stdlib.h>
#include <string.h>

#include "util/xalloc.h"

void
emc_init(struct emc *emc)
{
    emc->entries = xzalloc_huge(EMC_ENTRIES * sizeof *emc->entries);
    emc->tags = xzalloc_cacheline(EMC_ENTRIES * sizeof *emc->tags);
    emc->sweep = 0;
}

static void
entry_clear(struct emc *emc, unsigned i)
{
    if (emc->entries[i].flow) {
        megaflow_unref(emc->entries[i].flow);
        emc->entries[i].flow = NULL;
        emc->tags[i] = 0;
    }
}

void
emc_destroy(struct emc *emc)
{
    for (unsigned i = 0; i < EMC_ENTRIES; i++) {
        entry_clear(emc, i);
    }
    free(emc->entries);
    free(emc->tags);
    emc->entries = NULL;
    emc->tags = NULL;
}

/* Prefers the entry of the same key, then a free or dead one, then the second way (so that the
 * first, looked at first, is the more stable). */
void
emc_insert(struct emc *emc, const struct flow_key *k, struct dp_flow *flow)
{
    unsigned victim = EMC_ENTRIES;
    struct emc_entry *e;

    for (unsigned way = 0; way < EMC_WAYS; way++) {
        unsigned i = emc_index(k->hash, way);

        e = &emc->entries[i];
        if (e->flow && flow_key_equal(&e->key, k)) {
            victim = i;
            break;
        }
        if (victim == EMC_ENTRIES && (!e->flow || megaflow_is_dead(e->flow))) {
            victim = i;
        }
    }
    if (victim == EMC_ENTRIES) {
        victim = emc_index(k->hash, 1);
    }
    e = &emc->entries[victim];
    megaflow_ref(flow);
    entry_clear(emc, victim);
    emc->tags[victim] = emc_tag(k->hash);
    e->flow = flow;
    memcpy(&e->key, k, offsetof(struct flow_key, w) + k->n_words * 8u);
}

void
emc_sweep(struct emc *emc, unsigned n)
{
    for (; n; n--) {
        unsigned i = emc->sweep++ & (EMC_ENTRIES - 1);

        if (emc->entries[i].flow && megaflow_is_dead(emc->entries[i].flow)) {
            entry_clear(emc, i);
        }
    }
}
