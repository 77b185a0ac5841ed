/* SPDX-License-Identifier: Apache-2.0 */
/* Which polling threads there are and what each polls: compares what ports and configuration
 * ask for with what is, and gets there without stopping a queue that stays where it is.
 *
 * A queue that moves is first taken from its old thread; after a grace period nobody polls it,
 * and only then its new thread gets it.  Runs on main. */

#include <inttypes.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>

#include "datapath/dp-private.h"
#include "log/log.h"
#include "util/xalloc.h"

LOG_MODULE(dpif_netdev);

/* All queues that polling threads are to poll, in order of port and queue. */
static struct dp_rxq **
rxqs_collect(struct dp *dp, const struct dp_port *out_port, size_t *n)
{
    const struct port_table *t = dp_ports(dp);
    struct dp_rxq **rxqs = NULL;

    *n = 0;
    for (uint32_t i = 0; i < t->n; i++) {
        struct dp_port *port = t->p[i];

        if (!port || port == out_port || port->poll != NETDEV_POLL_PMD) {
            continue;
        }
        rxqs = xrealloc(rxqs, (*n + port->n_rxq + 1) * sizeof *rxqs);
        for (unsigned q = 0; q < port->n_rxq; q++) {
            rxqs[(*n)++] = &port->rxqs[q];
        }
    }
    return rxqs;
}

static struct pmd *
pmd_find(const struct dp *dp, unsigned core)
{
    const struct pmd_list *list = dp_pmds(dp);

    for (unsigned i = 0; i < list->n; i++) {
        if (list->pmds[i]->core == core) {
            return list->pmds[i];
        }
    }
    return NULL;
}

static struct poll_list *
poll_list_make(struct dp_rxq *const *rxqs, size_t n, const struct pmd *pmd, bool only_staying)
{
    struct poll_list *l = xzalloc(sizeof *l + n * sizeof l->rxqs[0]);

    for (size_t i = 0; i < n; i++) {
        if (rxqs[i]->new_pmd == pmd && (!only_staying || rxqs[i]->pmd == pmd)) {
            l->rxqs[l->n++] = rxqs[i];
        }
    }
    return l;
}

/* Publishes the list unless it says what the present one says. */
static void
polls_apply(struct pmd *pmd, struct poll_list *l)
{
    const struct poll_list *old = pmd->polls;

    if (old->n == l->n && !memcmp(old->rxqs, l->rxqs, l->n * sizeof l->rxqs[0])) {
        free(l);
        return;
    }
    pmd->n_overloaded = 0; /* that was with other queues */
    pmd_set_polls(pmd, l);
}

/* The list of threads with main's context first, the others by core.  Numbers them, on which
 * depends who sends on which tx queue: all threads take locks before the first number changes,
 * and go without them not before all threads have seen the last change. */
static void
pmd_list_publish(struct dp *dp, struct pmd *const *pmds, unsigned n)
{
    struct pmd_list *l = xzalloc(sizeof *l + (n + 1) * sizeof l->pmds[0]), *old;

    atomic_store_explicit(&dp->n_senders, UINT_MAX, memory_order_relaxed);
    synchronize_rcu();
    l->pmds[l->n++] = dp->main_pmd;
    for (unsigned i = 0; i < n; i++) {
        l->pmds[l->n++] = pmds[i];
        atomic_store_explicit(&pmds[i]->txq_id, i, memory_order_release);
    }
    atomic_store_explicit(&dp->main_pmd->txq_id, n, memory_order_release);
    old = __atomic_exchange_n(&dp->pmds, l, __ATOMIC_ACQ_REL);
    synchronize_rcu();
    atomic_store_explicit(&dp->n_senders, n + 1, memory_order_release);
    free(old);
}

/* Returns whether there are new ones. */
static bool
pmds_create(struct dp *dp, const struct pmd_cores *cores)
{
    struct pmd_list *list = dp_pmds(dp);
    struct pmd **pmds = xcalloc(list->n + cores->n + 1, sizeof *pmds);
    unsigned n = 0, n_new = 0;

    for (unsigned i = 1; i < list->n; i++) {
        list->pmds[i]->keep = false;
        pmds[n++] = list->pmds[i];
    }
    for (size_t i = 0; i < cores->n; i++) {
        struct pmd *pmd = pmd_find(dp, cores->c[i].core);
        unsigned at = n;

        if (!pmd) {
            pmd = pmd_create(dp, cores->c[i].core, cores->c[i].numa);
            for (; at > 0 && pmds[at - 1]->core > pmd->core; at--) {
                pmds[at] = pmds[at - 1];
            }
            pmds[at] = pmd;
            n++;
            n_new++;
        }
        pmd->keep = true;
        pmd->isolated = cores->c[i].isolated;
        atomic_store_explicit(&pmd->max_sleep_us, dp_config_max_sleep_us(pmd->core),
                              memory_order_relaxed);
    }
    if (n_new) {
        pmd_list_publish(dp, pmds, n);
        for (unsigned i = 0; i < n; i++) {
            if (!pmds[i]->started) {
                pmds[i]->started = true;
                pmd_start(pmds[i]);
                LOG_INFO("%s: polling thread on core %u (NUMA node %u) started", dp->name,
                         pmds[i]->core, pmds[i]->numa);
            }
        }
    }
    free(pmds);
    return n_new;
}

/* Returns whether there were any to remove. */
static bool
pmds_remove(struct dp *dp)
{
    struct pmd_list *list = dp_pmds(dp);
    struct pmd **keep = xcalloc(list->n, sizeof *keep), **gone = xcalloc(list->n, sizeof *gone);
    unsigned n_keep = 0, n_gone = 0;

    for (unsigned i = 1; i < list->n; i++) {
        if (list->pmds[i]->keep) {
            keep[n_keep++] = list->pmds[i];
        } else {
            gone[n_gone++] = list->pmds[i];
        }
    }
    if (n_gone) {
        for (unsigned i = 0; i < n_gone; i++) {
            pmd_stop(gone[i]);
        }
        pmd_list_publish(dp, keep, n_keep);
        for (unsigned i = 0; i < n_gone; i++) {
            megaflow_table_flush(&gone[i]->flows);
        }
        synchronize_rcu();
        for (unsigned i = 0; i < n_gone; i++) {
            for (unsigned s = 0; s < PMD_N_STATS; s++) {
                dp->retired[s] += pmd_stat_get(&gone[i]->stats, s);
            }
            LOG_INFO("%s: polling thread on core %u ended", dp->name, gone[i]->core);
            pmd_destroy(gone[i]);
        }
    }
    free(keep);
    free(gone);
    return n_gone;
}

static bool
is_news(bool *told, bool now)
{
    bool news = now && !*told;

    *told = now;
    return news;
}

static void
report_assignment(struct dp_rxq *const *rxqs, const struct sched_rxq *sched, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        struct dp_rxq *q = rxqs[i];

        if (is_news(&q->told_pin, sched[i].pin_failed)) {
            LOG_WARN(
                "port %s: pmd-rxq-affinity asks for core %d for queue %u, where no polling "
                "thread runs; add the core to other_config:pmd-cpu-mask",
                q->port->name, sched[i].pin, q->qid);
        }
        if (is_news(&q->told_unpolled, sched[i].core < 0)) {
            LOG_WARN(
                "port %s: queue %u is not polled, all cores of pmd-cpu-mask are isolated by "
                "pmd-rxq-affinity; free one, or set pmd-rxq-assign=group with "
                "pmd-rxq-isolate=false",
                q->port->name, q->qid);
        } else if (q->new_pmd && q->pmd != q->new_pmd) {
            LOG_INFO("port %s: queue %u is polled on core %u%s", q->port->name, q->qid,
                     q->new_pmd->core, sched[i].other_numa ? " of another NUMA node" : "");
        }
    }
}

/* The two steps that keep a queue from having two pollers. */
static void
polls_update(struct dp *dp, struct dp_rxq **rxqs, size_t n)
{
    struct pmd_list *list = dp_pmds(dp);

    for (unsigned i = 1; i < list->n; i++) {
        polls_apply(list->pmds[i], poll_list_make(rxqs, n, list->pmds[i], true));
    }
    for (unsigned i = 1; i < list->n; i++) {
        polls_apply(list->pmds[i], poll_list_make(rxqs, n, list->pmds[i], false));
    }
    for (size_t i = 0; i < n; i++) {
        rxqs[i]->pmd = rxqs[i]->new_pmd;
    }
}

void
pmd_plan_make(struct dp *dp, const struct dp_port *out_port, struct pmd_plan *plan)
{
    size_t n;

    plan->rxqs = rxqs_collect(dp, out_port, &n);
    plan->n = n;
    plan->sched = xcalloc(n + 1, sizeof *plan->sched);
    for (size_t i = 0; i < n; i++) {
        plan->sched[i].numa = netdev_numa_node(plan->rxqs[i]->port->netdev);
        plan->sched[i].cycles = usage_sum(&plan->rxqs[i]->usage, USAGE_INTERVALS);
        plan->sched[i].pin = plan->rxqs[i]->pin;
    }
    pmd_cores_choose(&plan->cores, plan->sched, n);
    pmd_sched_assign(dp_config.policy, dp_config.isolate, plan->cores.c, plan->cores.n,
                     plan->sched, n);
}

void
pmd_plan_free(struct pmd_plan *plan)
{
    free(plan->cores.c);
    free(plan->sched);
    free(plan->rxqs);
}

void
pmd_set_update(struct dp *dp, const struct dp_port *out_port)
{
    struct pmd_list *list;
    struct pmd_plan plan;
    bool changed;

    pmd_plan_make(dp, out_port, &plan);
    changed = pmds_create(dp, &plan.cores);
    for (size_t i = 0; i < plan.n; i++) {
        int core = plan.sched[i].core;

        plan.rxqs[i]->new_pmd = core < 0 ? NULL : pmd_find(dp, plan.cores.c[core].core);
    }
    report_assignment(plan.rxqs, plan.sched, plan.n);
    polls_update(dp, plan.rxqs, plan.n);
    changed |= pmds_remove(dp);
    if (changed) {
        pmd_cores_clear();
    }
    list = dp_pmds(dp);
    for (unsigned i = 1; out_port && i < list->n; i++) {
        pmd_leave_poll(list->pmds[i]);
    }
    pmd_plan_free(&plan);
}

void
usage_sample(struct usage *u, uint64_t counter)
{
    u->ring[u->n++ % USAGE_INTERVALS] = counter - u->last;
    u->last = counter;
}

uint64_t
usage_sum(const struct usage *u, unsigned n_intervals)
{
    unsigned n = MIN(MIN(u->n, USAGE_INTERVALS), n_intervals);
    uint64_t sum = 0;

    for (unsigned i = 1; i <= n; i++) {
        sum += u->ring[(u->n - i) % USAGE_INTERVALS];
    }
    return sum;
}

static void
sample_dp(struct dp *dp)
{
    const struct pmd_list *list = dp_pmds(dp);
    const struct port_table *t = dp_ports(dp);

    for (unsigned i = 1; i < list->n; i++) {
        struct pmd *pmd = list->pmds[i];
        uint64_t busy = pmd_stat_get(&pmd->stats, PMD_STAT_CYCLES_BUSY);
        uint64_t idle = pmd_stat_get(&pmd->stats, PMD_STAT_CYCLES_IDLE);

        usage_sample(&pmd->busy, busy);
        usage_sample(&pmd->total, busy + idle);
        pmd_balance_note(pmd);
    }
    for (uint32_t i = 0; i < t->n; i++) {
        for (unsigned q = 0; t->p[i] && q < t->p[i]->n_rxq; q++) {
            struct dp_rxq *rxq = &t->p[i]->rxqs[q];

            usage_sample(&rxq->usage, atomic_load_explicit(&rxq->cycles, memory_order_relaxed));
        }
    }
    pmd_balance_run(dp);
    pmd_maintain(dp->main_pmd);
}

void
pmd_set_sample(void)
{
    for (unsigned i = 0; i < DP_MAX; i++) {
        if (dps[i]) {
            sample_dp(dps[i]);
        }
    }
}
