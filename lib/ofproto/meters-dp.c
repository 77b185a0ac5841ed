/* SPDX-License-Identifier: Apache-2.0 */
/* Puts meters into a datapath, under ids that one pool hands out to all bridges on it.  Called
 * by meters.c on main.  It knows no bridges. */

#include "ofproto/meters-dp.h"

#include <errno.h>
#include <stdlib.h>

#include "datapath/dp-meter.h"
#include "util/idpool.h"
#include "util/xalloc.h"

static_assert(OFMETERS_MAX == DP_METER_MAX, "as many as the datapath has");
static_assert(OFMETERS_MAX_BANDS == DP_METER_BANDS_MAX, "as many as the datapath has");

struct meters_dp {
    struct dp *dp;
    struct idpool *ids;
    struct meter_ops ops;
};

static int
set(void *mdp_, const struct of_meter_config *c, uint32_t *dp_id)
{
    struct meters_dp *mdp = mdp_;
    struct dp_meter_config config = {
        .packets = c->flags & OFPMF_PKTPS,
        .n_bands = (unsigned) c->n_bands,
    };
    bool is_new = *dp_id == UINT32_MAX;
    uint32_t id = *dp_id;
    int error;

    for (size_t i = 0; i < c->n_bands; i++) {
        config.bands[i].rate = c->bands[i].rate;
        config.bands[i].burst = c->flags & OFPMF_BURST ? c->bands[i].burst : 0;
    }
    if (is_new && !idpool_alloc(mdp->ids, &id)) {
        return ENOSPC;
    }
    error = dp_meter_set(mdp->dp, id, &config);
    if (!error) {
        *dp_id = id;
    } else if (is_new) {
        idpool_free(mdp->ids, id);
    }
    return error;
}

static void
del(void *mdp_, uint32_t dp_id)
{
    struct meters_dp *mdp = mdp_;

    dp_meter_del(mdp->dp, dp_id);
    idpool_free(mdp->ids, dp_id);
}

static bool
get_counts(void *mdp_, uint32_t dp_id, struct meter_counts *counts)
{
    struct meters_dp *mdp = mdp_;
    struct dp_meter_stats s;

    if (!dp_meter_get_stats(mdp->dp, dp_id, &s)) {
        return false;
    }
    counts->n_packets = s.n_packets;
    counts->n_bytes = s.n_bytes;
    for (unsigned i = 0; i < DP_METER_BANDS_MAX; i++) {
        counts->bands[i].n_packets = s.bands[i].n_packets;
        counts->bands[i].n_bytes = s.bands[i].n_bytes;
    }
    return true;
}

struct meters_dp *
meters_dp_create(struct dp *dp)
{
    struct meters_dp *mdp = xzalloc(sizeof *mdp);

    mdp->dp = dp;
    mdp->ids = idpool_create(0, DP_METER_MAX - 1);
    mdp->ops = (struct meter_ops){
        .aux = mdp,
        .set = set,
        .del = del,
        .get_counts = get_counts,
    };
    return mdp;
}

void
meters_dp_destroy(struct meters_dp *mdp)
{
    idpool_destroy(mdp->ids);
    free(mdp);
}

const struct meter_ops *
meters_dp_ops(const struct meters_dp *mdp)
{
    return &mdp->ops;
}
