/* SPDX-License-Identifier: Apache-2.0 */
/* Datapaths: made when the first bridge of a type comes, gone with the last; and their totals.
 * Runs on main; ports are in dp-port.c, threads in pmd-set.c and pmd.c, megaflows in dp-flow.c.
 */

#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>

#include "datapath/dp-meter.h"
#include "datapath/dp-private.h"
#include "log/ctl.h"
#include "util/quote.h"
#include "util/xalloc.h"

#define FLOW_LIMIT_DEFAULT 200000u

struct dp *dps[DP_MAX];
struct evloop *dp_loop;
static struct ev_timer sample_timer;

static void
sample_cb(struct ev_timer *t)
{
    pmd_set_sample();
    ev_timer_start(t, USAGE_INTERVAL_MS);
}

static void
memory_report_cb(struct memory_report *r, void *aux)
{
    unsigned long long flows = 0;

    for (unsigned i = 0; i < DP_MAX; i++) {
        flows +=
            dps[i] ? atomic_load_explicit(&dps[i]->owner.n_flows, memory_order_relaxed) : 0;
    }
    if (flows) {
        memory_report_add(r, "megaflows", flows);
    }
}

/* liburcu's own thread for callbacks must not take the daemon's signals: it inherits the mask.
 */
static void
start_rcu_callbacks(void)
{
    sigset_t all, old;

    sigfillset(&all);
    pthread_sigmask(SIG_BLOCK, &all, &old);
    get_default_call_rcu_data();
    pthread_sigmask(SIG_SETMASK, &old, NULL);
}

void
dp_init(struct evloop *loop)
{
    if (dp_loop) {
        return;
    }
    dp_loop = loop;
    start_rcu_callbacks();
    dp_commands_dpctl_register();
    dp_commands_pmd_register();
    memory_reporter_register(memory_report_cb, NULL);
    ev_timer_init(&sample_timer, loop, sample_cb, NULL);
    ev_timer_start(&sample_timer, USAGE_INTERVAL_MS);
}

/* The tools expect a datapath of dummies to have a device of its own; where its class is off,
 * so is the type. */
static int
open_own_port(struct dp *dp, char **errp)
{
    int error = netdev_open(dp->name, "dummy-internal", &dp->own_netdev, errp);

    if (!error) {
        error = dp_port_add_at(dp, dp->own_netdev, 0, errp);
        if (error) {
            netdev_close(dp->own_netdev);
            dp->own_netdev = NULL;
        }
    }
    return error;
}

static void
dp_destroy(struct dp *dp)
{
    dp_ports_destroy(dp);
    if (dp->own_netdev) {
        netdev_close(dp->own_netdev);
    }
    pmd_set_update(dp, NULL);
    dp_flow_flush(dp);
    for (unsigned i = 0; i < DP_MAX; i++) {
        if (dps[i] == dp) {
            __atomic_store_n(&dps[i], NULL, __ATOMIC_RELEASE);
        }
    }
    synchronize_rcu();
    pmd_destroy(dp->main_pmd);
    /* The last megaflows' callbacks count in dp->owner. */
    rcu_barrier();
    dp_meters_destroy(dp->meters);
    free(dp->pmds);
    free(dp->ports);
    free(dp->type);
    free(dp->name);
    free(dp);
}

static struct dp *
dp_new(const char *type, const struct dp_upcall_ops *ops)
{
    struct dp *dp = xzalloc(sizeof *dp);

    dp->type = xstrdup(type);
    dp->name = xasprintf("ovs-%s", type);
    dp->refs = 1;
    dp->ops = *ops;
    dp->owner.cookie_free = ops->cookie_free;
    dp->owner.aux = ops->aux;
    atomic_init(&dp->flow_limit, FLOW_LIMIT_DEFAULT);
    dp->ports = xzalloc(sizeof *dp->ports);
    dp->main_pmd = pmd_create(dp, CORE_NON_PMD, 0);
    dp->pmds = xzalloc(sizeof *dp->pmds + sizeof dp->pmds->pmds[0]);
    dp->pmds->n = 1;
    dp->pmds->pmds[0] = dp->main_pmd;
    atomic_init(&dp->n_senders, 1);
    return dp;
}

int
dp_open(const char *type, const struct dp_upcall_ops *ops, struct dp **dpp, char **errp)
{
    unsigned slot = DP_MAX;
    int error = 0;

    if (!*type || !strcmp(type, "system")) {
        type = "netdev"; /* there is no kernel datapath: this one serves its users too */
    }
    if (strcmp(type, "netdev") && strcmp(type, "dummy")) {
        error_set(errp, "there is no datapath type %s", QUOTE(type));
        return EAFNOSUPPORT;
    }
    for (unsigned i = 0; i < DP_MAX; i++) {
        if (dps[i] && !strcmp(dps[i]->type, type)) {
            dps[i]->refs++;
            *dpp = dps[i];
            return 0;
        }
        slot = !dps[i] && slot == DP_MAX ? i : slot;
    }
    *dpp = dp_new(type, ops);
    __atomic_store_n(&dps[slot], *dpp, __ATOMIC_RELEASE);
    if (!strcmp(type, "dummy") || netdev_is_override()) {
        error = open_own_port(*dpp, errp);
        if (error) {
            dp_destroy(*dpp);
            *dpp = NULL;
        }
    }
    return error;
}

void
dp_close(struct dp *dp)
{
    if (dp && !--dp->refs) {
        dp_destroy(dp);
    }
}

const char *
dp_name(const struct dp *dp)
{
    return dp->name;
}

const char *
dp_type(const struct dp *dp)
{
    return dp->type;
}

void
dp_get_stats(const struct dp *dp, struct dp_stats *st)
{
    const struct pmd_list *list = dp_pmds(dp);
    uint64_t n[PMD_N_STATS];

    memcpy(n, dp->retired, sizeof n);
    for (unsigned i = 0; i < list->n; i++) {
        for (unsigned s = 0; s < PMD_N_STATS; s++) {
            n[s] += pmd_stat_get(&list->pmds[i]->stats, s);
        }
    }
    st->n_hit = n[PMD_STAT_SIMPLE_HIT] + n[PMD_STAT_EMC_HIT] + n[PMD_STAT_SMC_HIT] +
                n[PMD_STAT_MEGAFLOW_HIT];
    st->n_missed = n[PMD_STAT_MISS];
    st->n_lost = n[PMD_STAT_LOST];
    st->n_flows = atomic_load_explicit(&dp->owner.n_flows, memory_order_relaxed);
}

void
dp_set_flow_limit(struct dp *dp, uint32_t limit)
{
    atomic_store_explicit(&dp->flow_limit, limit, memory_order_relaxed);
}

struct dp *
dp_from_arg(const char *arg)
{
    struct dp *only = NULL;

    for (unsigned i = 0; i < DP_MAX; i++) {
        const char *name = arg ? strchr(arg, '@') : NULL;

        if (!dps[i]) {
            continue;
        }
        if (!arg) {
            if (only) {
                return NULL;
            }
            only = dps[i];
        } else if (!strcmp(name ? name + 1 : arg, dps[i]->name) &&
                   (!name || (!strncmp(arg, dps[i]->type, (size_t) (name - arg)) &&
                              strlen(dps[i]->type) == (size_t) (name - arg)))) {
            return dps[i];
        }
    }
    return only;
}
