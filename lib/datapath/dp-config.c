/* SPDX-License-Identifier: Apache-2.0 */
/* Open_vSwitch.other_config as far as it concerns datapaths: checked, stored in dp_config, and
 * applied where it differs from before.  Runs on main; polling threads read the atomics. */

#include <stdlib.h>
#include <string.h>

#include "datapath/dp-private.h"
#include "log/log.h"
#include "util/num.h"
#include "util/quote.h"
#include "util/xalloc.h"

LOG_MODULE(dpif_netdev_config);

#define EMC_INV_PROB_DEFAULT 100u
#define TX_FLUSH_MAX_US 1000000u
#define MAX_SLEEP_US 10000

struct dp_config dp_config = {
    .emc_threshold = UINT32_MAX / EMC_INV_PROB_DEFAULT,
    .emc_use = CACHE_IF_IT_PAYS,
    .smc_use = CACHE_IF_IT_PAYS,
    .policy = SCHED_CYCLES,
    .isolate = true,
};

bool
dp_config_is_news(char **told, const char *value)
{
    if (*told && value && !strcmp(*told, value)) {
        return false;
    }
    free(*told);
    *told = xstrdup_nullable(value);
    return value != NULL;
}

static void
nothing_cb(unsigned bit, void *aux)
{
}

static const char *
checked_cpu_mask(const struct smap *oc)
{
    static char *told;
    const char *mask = smap_get(oc, "pmd-cpu-mask");
    bool bad = mask && !num_parse_mask(mask, nothing_cb, NULL);

    if (dp_config_is_news(&told, bad ? mask : NULL)) {
        LOG_WARN("other_config:pmd-cpu-mask=%s is not a hexadecimal core mask such as 0x6: "
                 "taking the default",
                 QUOTE(mask));
    }
    return bad ? NULL : mask;
}

static enum sched_policy
checked_policy(const struct smap *oc)
{
    static char *told;
    const char *s = smap_get_def(oc, "pmd-rxq-assign", "cycles");
    enum sched_policy policy = SCHED_CYCLES;
    bool bad = !pmd_sched_policy_parse(s, &policy);

    if (dp_config_is_news(&told, bad ? s : NULL)) {
        LOG_WARN("other_config:pmd-rxq-assign=%s is none of cycles, roundrobin and group: "
                 "taking cycles",
                 QUOTE(s));
    }
    return policy;
}

/* Without isolation only loads, not counts, say where a queue should go. */
static bool
checked_isolate(const struct smap *oc, enum sched_policy policy)
{
    static char *told;
    bool isolate = smap_get_bool(oc, "pmd-rxq-isolate", true);
    bool bad = !isolate && policy != SCHED_GROUP;

    if (dp_config_is_news(&told, bad ? "false" : NULL)) {
        LOG_WARN("other_config:pmd-rxq-isolate=false needs pmd-rxq-assign=group: pinned cores "
                 "stay isolated");
    }
    return isolate || bad;
}

static void
apply_caches(const struct smap *oc)
{
    static char *told;
    const char *s = smap_get(oc, "emc-insert-inv-prob");
    uint64_t inv = EMC_INV_PROB_DEFAULT;
    bool bad = s && !num_parse_u64(s, 0, UINT32_MAX, &inv);

    if (dp_config_is_news(&told, bad ? s : NULL)) {
        LOG_WARN("other_config:emc-insert-inv-prob=%s is not a number from 0 to %u: taking %u",
                 QUOTE(s), UINT32_MAX, EMC_INV_PROB_DEFAULT);
    }
    atomic_store_explicit(&dp_config.emc_threshold, inv ? UINT32_MAX / (uint32_t) inv : 0,
                          memory_order_relaxed);
    atomic_store_explicit(&dp_config.emc_use,
                          !s || bad ? CACHE_IF_IT_PAYS
                          : inv     ? CACHE_ALWAYS
                                    : CACHE_NEVER,
                          memory_order_relaxed);
    atomic_store_explicit(&dp_config.smc_use,
                          !smap_get(oc, "smc-enable")              ? CACHE_IF_IT_PAYS
                          : smap_get_bool(oc, "smc-enable", false) ? CACHE_ALWAYS
                                                                   : CACHE_NEVER,
                          memory_order_relaxed);
}

/* Elements of "DEFAULT,CORE:US,CORE:US..."; false: malformed.  `*us` is left alone when neither
 * the core nor a default is named. */
static bool
max_sleep_parse(const char *s, unsigned core, int *us)
{
    char *copy = xstrdup(s), *save = NULL;
    bool ok = true, own = false;

    for (char *t = strtok_r(copy, ", ", &save); t && ok; t = strtok_r(NULL, ", ", &save)) {
        char *colon = strchr(t, ':');
        int value, c;

        if (!colon) {
            ok = num_parse_int(t, 0, MAX_SLEEP_US, &value);
            if (ok && !own) {
                *us = value;
            }
            continue;
        }
        *colon = '\0';
        ok = num_parse_int(t, 0, UINT16_MAX, &c) &&
             num_parse_int(colon + 1, 0, MAX_SLEEP_US, &value);
        if (ok && (unsigned) c == core) {
            own = true;
            *us = value;
        }
    }
    free(copy);
    return ok;
}

int
dp_config_max_sleep_us(unsigned core)
{
    int us = SLEEP_ADAPTIVE;

    if (dp_config.max_sleep) {
        max_sleep_parse(dp_config.max_sleep, core, &us);
    }
    return us;
}

static const char *
checked_max_sleep(const struct smap *oc)
{
    static char *told;
    const char *s = smap_get_def(oc, "pmd-sleep-max", smap_get(oc, "pmd-maxsleep"));
    int us;
    bool bad = s && !max_sleep_parse(s, 0, &us);

    if (dp_config_is_news(&told, bad ? s : NULL)) {
        LOG_WARN("other_config:pmd-sleep-max=%s is not of the form US,CORE:US... with US up to "
                 "%d: idle polling threads sleep as by default",
                 QUOTE(s), MAX_SLEEP_US);
    }
    return bad ? NULL : s;
}

/* How long output may wait for more to go with it. */
static void
apply_tx_flush(const struct smap *oc)
{
    static char *told;
    const char *s = smap_get(oc, "tx-flush-interval");
    uint64_t us = 0;
    bool bad = s && !num_parse_u64(s, 0, TX_FLUSH_MAX_US, &us);

    if (dp_config_is_news(&told, bad ? s : NULL)) {
        LOG_WARN("other_config:tx-flush-interval=%s is not a number of microseconds from 0 to "
                 "%u: output does not wait",
                 s, TX_FLUSH_MAX_US);
    }
    atomic_store_explicit(&dp_config.tx_flush_us, bad ? 0 : (uint32_t) us,
                          memory_order_relaxed);
}

/* What users of other versions may have set. */
static void
tell_unsupported(const struct smap *oc)
{
    static char *told_perf;

    if (dp_config_is_news(&told_perf,
                          smap_get_bool(oc, "pmd-perf-metrics", false) ? "true" : NULL)) {
        LOG_INFO("other_config:pmd-perf-metrics has no effect in this version: pmd-perf-show "
                 "has no histograms");
    }
}

static bool
replace(char **stored, const char *value)
{
    if (*stored && value ? !strcmp(*stored, value) : !*stored && !value) {
        return false;
    }
    free(*stored);
    *stored = xstrdup_nullable(value);
    return true;
}

void
dp_set_config(const struct smap *oc)
{
    enum sched_policy policy = checked_policy(oc);
    bool isolate = checked_isolate(oc, policy);
    bool changed = replace(&dp_config.cpu_mask, checked_cpu_mask(oc));

    changed |= replace(&dp_config.max_sleep, checked_max_sleep(oc));
    changed |= policy != dp_config.policy || isolate != dp_config.isolate;
    dp_config.policy = policy;
    dp_config.isolate = isolate;
    apply_caches(oc);
    apply_tx_flush(oc);
    pmd_balance_set_config(oc);
    tell_unsupported(oc);
    for (unsigned i = 0; changed && i < DP_MAX; i++) {
        if (dps[i]) {
            pmd_set_update(dps[i], NULL);
        }
    }
}
