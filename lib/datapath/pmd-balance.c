/* SPDX-License-Identifier: Apache-2.0 */
/* other_config:pmd-auto-lb: when a polling thread has been overloaded for a minute, would
 * giving out the queues anew, by what they cost now, level the loads?  If it would by enough,
 * it is done.  Called by pmd-set.c with every sample of the loads, on main; the time is the
 * virtual clock's.  What it says in the log is what watchers of Open vSwitch look for. */

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "datapath/dp-private.h"
#include "log/log.h"
#include "os/clock.h"
#include "util/num.h"
#include "util/quote.h"
#include "util/xalloc.h"

LOG_MODULE(dpif_netdev);

#define MINUTE_MS INT64_C(60000)
#define PERCENT_SQ                                                                             \
    UINT64_C(100000000) /* a percent, squared, in units of pmd_sched_variance() */

struct setting {
    const char *key, *name, *unit;
    unsigned max, def;
    unsigned value; /* UINT_MAX: not told yet */
    char *told;     /* the last bad value complained of */
};
static struct setting
    interval = {"pmd-auto-lb-rebal-interval", "interval", " mins", 20000, 1, UINT32_MAX, NULL},
    improvement = {"pmd-auto-lb-improvement-threshold",
                   "improvement threshold",
                   "%",
                   100,
                   25,
                   UINT32_MAX,
                   NULL},
    load = {"pmd-auto-lb-load-threshold", "load threshold", "%", 100, 95, UINT32_MAX, NULL};
static bool enabled, told_enabled;

/* True: it is another than before. */
static bool
setting_read(struct setting *s, const struct smap *oc)
{
    const char *text = smap_get(oc, s->key);
    uint64_t value = s->def;
    bool bad = text && !num_parse_u64(text, 0, s->max, &value);

    if (dp_config_is_news(&s->told, bad ? text : NULL)) {
        LOG_WARN("other_config:%s=%s is not a number from 0 to %u: taking %u", s->key,
                 QUOTE(text), s->max, s->def);
    }
    if (s == &interval && !value) {
        value = s->def;
    }
    if (s->value == value) {
        return false;
    }
    s->value = (unsigned) value;
    LOG_INFO("PMD auto load balance %s set to %u%s", s->name, s->value, s->unit);
    return true;
}

void
pmd_balance_set_config(const struct smap *oc)
{
    bool want = smap_get_bool(oc, "pmd-auto-lb", false);
    bool news = setting_read(&interval, oc);

    news |= setting_read(&improvement, oc);
    news |= setting_read(&load, oc);
    news = want != enabled || !told_enabled || (want && news);
    enabled = want;
    told_enabled = true;
    if (!news) {
        return;
    }
    if (want) {
        LOG_INFO("PMD auto load balance is enabled, interval %u mins, pmd load threshold %u%%, "
                 "improvement threshold %u%%.",
                 interval.value, load.value, improvement.value);
    } else {
        LOG_INFO("PMD auto load balance is disabled.");
    }
    for (unsigned i = 0; i < DP_MAX; i++) {
        const struct pmd_list *list = dps[i] ? dp_pmds(dps[i]) : NULL;

        for (unsigned j = 0; list && j < list->n; j++) {
            list->pmds[j]->n_overloaded = 0;
        }
    }
}

void
pmd_balance_note(struct pmd *pmd)
{
    uint64_t total = usage_sum(&pmd->total, 1);
    uint64_t percent = total ? usage_sum(&pmd->busy, 1) * 100 / total : 0;

    if (enabled && percent >= load.value) {
        pmd->n_overloaded++;
    } else {
        pmd->n_overloaded = 0;
    }
}

/* Whether there is a choice at all, and a thread that needs one. */
static bool
is_called_for(const struct dp *dp)
{
    const struct pmd_list *list = dp_pmds(dp);
    unsigned n_free = 0;
    bool overloaded = false, several = false;

    for (unsigned i = 1; i < list->n; i++) {
        const struct pmd *pmd = list->pmds[i];

        if (!pmd->isolated) {
            n_free++;
            several |= pmd->polls->n > 1;
            overloaded |= pmd->n_overloaded >= USAGE_INTERVALS;
        }
    }
    if (!overloaded) {
        return false;
    }
    if (dp_config.policy == SCHED_ROUNDROBIN) {
        LOG_DBG("PMD auto load balance has nothing to do: pmd-rxq-assign=roundrobin");
        return false;
    }
    if (n_free < 2 || !several) {
        LOG_DBG("PMD auto load balance has nothing to do: it takes two threads that are not "
                "isolated, and one with several queues");
        return false;
    }
    return true;
}

static bool
has_several_nodes(const struct pmd_cores *cores)
{
    for (size_t i = 1; i < cores->n; i++) {
        if (cores->c[i].numa != cores->c[0].numa) {
            return true;
        }
    }
    return false;
}

/* Queues polled from another node cost more there than they would at home. */
static bool
is_crossing(const struct pmd_plan *plan)
{
    for (size_t i = 0; i < plan->n; i++) {
        const struct pmd *pmd = plan->rxqs[i]->pmd;

        if (plan->sched[i].other_numa || (pmd && pmd->numa != plan->sched[i].numa)) {
            return true;
        }
    }
    return false;
}

/* The plan's cores as they are loaded now; malloc'ed. */
static struct sched_core *
present_loads(const struct pmd_plan *plan)
{
    struct sched_core *now = xcalloc(plan->cores.n + 1, sizeof *now);

    for (size_t i = 0; i < plan->cores.n; i++) {
        now[i] = plan->cores.c[i];
        now[i].load = 0;
        for (size_t q = 0; q < plan->n; q++) {
            const struct pmd *pmd = plan->rxqs[q]->pmd;

            if (pmd && pmd->core == now[i].core) {
                now[i].load += plan->sched[q].cycles;
            }
        }
    }
    return now;
}

/* Whether one node at least gains enough. */
static bool
is_improvement(const struct pmd_plan *plan, uint64_t total)
{
    struct sched_core *now = present_loads(plan);
    bool met = false;

    for (size_t i = 0; i < plan->cores.n; i++) {
        unsigned numa = now[i].numa;
        bool seen = false;
        uint64_t before, after, gain;

        for (size_t j = 0; j < i; j++) {
            seen |= now[j].numa == numa;
        }
        if (seen) {
            continue;
        }
        before = pmd_sched_variance(now, plan->cores.n, numa, total);
        after = pmd_sched_variance(plan->cores.c, plan->cores.n, numa, total);
        gain = after < before ? (before - after) * 100 / before : 0;
        LOG_DBG("Numa node %u. Current variance %" PRIu64 " Estimated variance %" PRIu64
                ". Variance improvement %" PRIu64 "%%.",
                numa, before / PERCENT_SQ, after / PERCENT_SQ, gain);
        met |= gain >= improvement.value;
    }
    LOG_DBG("PMD load variance improvement threshold %u%% is %s.", improvement.value,
            met ? "met" : "not met");
    free(now);
    return met;
}

static bool
is_worthwhile(struct dp *dp)
{
    const struct pmd_list *list = dp_pmds(dp);
    struct pmd_plan plan;
    uint64_t total = 0; /* cycles of a minute, which is no longer for one thread than another */
    bool yes;

    LOG_DBG("PMD auto load balance performing dry run.");
    for (unsigned i = 1; i < list->n; i++) {
        total = MAX(total, usage_sum(&list->pmds[i]->total, USAGE_INTERVALS));
    }
    pmd_plan_make(dp, NULL, &plan);
    if (has_several_nodes(&plan.cores) && is_crossing(&plan)) {
        LOG_DBG("PMD auto load balance detected cross-numa polling: no estimate");
        yes = false;
    } else {
        yes = is_improvement(&plan, total);
    }
    pmd_plan_free(&plan);
    return yes;
}

void
pmd_balance_run(struct dp *dp)
{
    int64_t now = clock_now_ms();

    if (!enabled) {
        dp->balanced_ms = 0;
        return;
    }
    if (!dp->balanced_ms) {
        dp->balanced_ms = now;
    }
    if (now - dp->balanced_ms < interval.value * MINUTE_MS) {
        return;
    }
    dp->balanced_ms = now;
    if (is_called_for(dp) && is_worthwhile(dp)) {
        LOG_INFO("PMD auto load balance dry run. Requesting datapath reconfigure.");
        pmd_set_update(dp, NULL);
    }
}
