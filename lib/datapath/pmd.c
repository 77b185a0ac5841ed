/* SPDX-License-Identifier: Apache-2.0 */
/* A polling thread (PMD): its loop, its start and end; and the main thread's context, which is
 * the same struct without a thread of its own.  pmd-set.c decides which there are and what they
 * poll.
 *
 * One turn: every queue of the poll list is polled once, then the staged output is flushed (or,
 * with other_config:tx-flush-interval, waits for more and keeps the thread from sleeping), the
 * tx queues are driven, and a quiescent state is reported.  A thread that found nothing for
 * long enough sleeps (pmd-sleep.c).
 */

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "datapath/dp-private.h"
#include "log/log.h"
#include "os/affinity.h"
#include "os/clock.h"
#include "util/num.h"
#include "util/xalloc.h"

LOG_MODULE(pmd);

#define MAIN_TX_MS 1        /* main looks again at unfinished transmission */
#define CLOCK_US 100        /* between looks at the clock */
#define MAINTAIN_MS 250     /* between looks at caches while packets come */
#define EMC_SWEEP 512u      /* entries per look and per sleep; divides EMC_ENTRIES */
#define LAST_TX_POLLS 1000u /* of a thread that ends: unfinished transmission is given up */
#define BATCHES_PER_TURN 4u /* of a queue that has more: one kick sends them all */

static void
main_tx_cb(struct ev_timer *t)
{
    pmd_main_tx(t->aux);
}

struct pmd *
pmd_create(struct dp *dp, unsigned core, unsigned numa)
{
    struct pmd *pmd = xzalloc_cacheline(sizeof *pmd);

    pmd->dp = dp;
    pmd->core = core;
    pmd->numa = numa;
    pmd->rng = 2463534242u ^ (core * 2654435761u);
    pmd->rng = pmd->rng ? pmd->rng : 1;
    pmd->polls = xzalloc(sizeof *pmd->polls);
    emc_init(&pmd->emc);
    megaflow_table_init(&pmd->flows, &dp->owner);
    pmd_stats_clear(&pmd->stats);
    pmd->now_ms = clock_now_ms();
    pmd->emc_pays = true;
    ev_timer_init(&pmd->tx_timer, dp_loop, main_tx_cb, pmd);
    pmd_sleep_init(pmd);
    return pmd;
}

static void
choose_caches(struct pmd *pmd)
{
    uint32_t n_flows = atomic_load_explicit(&pmd->flows.n_flows, memory_order_relaxed);

    pmd->emc_pays = cache_emc_pays(pmd->emc_pays, n_flows, pmd->flows.walk16);
    pmd->smc_pays = cache_smc_pays(pmd->smc_pays, pmd->flows.walk16);
}

void
pmd_maintain(struct pmd *pmd)
{
    uint64_t now = clock_cycles();
    uint32_t n_deaths = atomic_load_explicit(&pmd->flows.n_deaths, memory_order_relaxed);

    if (now - pmd->last_maintain > clock_cycles_hz() * MAINTAIN_MS / 1000) {
        pmd->last_maintain = now;
        megaflow_maintain(&pmd->flows);
        choose_caches(pmd);
    }
    /* Once round after the last deletion, in portions. */
    if (n_deaths != pmd->n_deaths) {
        pmd->n_deaths = n_deaths;
        pmd->sweep_left = EMC_ENTRIES;
        simple_sweep(&pmd->simple);
    }
    if (pmd->sweep_left) {
        emc_sweep(&pmd->emc, EMC_SWEEP);
        pmd->sweep_left -= EMC_SWEEP;
    }
}

/* What time it is, for flows.  A look at the clock takes longer than a packet. */
static inline void
pmd_look_at_clock(struct pmd *pmd, uint64_t cycles, uint64_t per_us)
{
    if (cycles - pmd->now_cycles > per_us * CLOCK_US) {
        pmd->now_cycles = cycles;
        pmd->now_ms = clock_now_ms();
    }
}

static unsigned
pmd_turn(struct pmd *pmd)
{
    const struct poll_list *polls = __atomic_load_n(&pmd->polls, __ATOMIC_ACQUIRE);
    unsigned got = 0;

    for (unsigned i = 0; i < polls->n; i++) {
        unsigned n = PACKET_BATCH_MAX;

        for (unsigned b = 0; b < BATCHES_PER_TURN && n == PACKET_BATCH_MAX; b++) {
            n = pmd_poll_rxq(pmd, polls->rxqs[i]);
            got += n;
        }
    }
    return got;
}

static void
pmd_begin(struct pmd *pmd)
{
    char name[32], *why = NULL;

    snprintf(name, sizeof name, "pmd-c%02u/id:%u", pmd->core, thread_id());
    thread_adopt(name);
    if (affinity_pin(pmd->core, &why)) {
        LOG_WARN("%s: polling goes on wherever the scheduler puts it; choose other cores by "
                 "other_config:pmd-cpu-mask",
                 why ? why : "cannot stay on one core");
    }
    free(why);
}

static void *
pmd_main(void *pmd_)
{
    struct pmd *pmd = pmd_;
    uint64_t per_us, last, idle_since;

    pmd_begin(pmd);
    per_us = MAX(clock_cycles_hz() / 1000000, UINT64_C(1));
    last = idle_since = pmd->cycles = clock_cycles();
    while (!atomic_load_explicit(&pmd->exit, memory_order_acquire)) {
        unsigned got = pmd_turn(pmd);
        bool waiting = stage_run(pmd, last, per_us);
        bool unfinished = stage_tx_poll(pmd);
        uint64_t now = clock_cycles();

        if (got) {
            pmd->n_futile = 0;
            idle_since = now;
        } else if (!waiting && pmd_may_sleep(pmd, now - idle_since, per_us)) {
            pmd_sleep(pmd, (now - idle_since) / per_us, unfinished);
            now = clock_cycles();
        }
        pmd_stat_add(&pmd->stats, got ? PMD_STAT_CYCLES_BUSY : PMD_STAT_CYCLES_IDLE,
                     now - last);
        pmd_stat_add(&pmd->stats, got ? PMD_STAT_ITER_BUSY : PMD_STAT_ITER_IDLE, 1);
        pmd_look_at_clock(pmd, now, per_us);
        if (got && now - pmd->last_maintain > per_us * 1000 * MAINTAIN_MS) {
            pmd_maintain(pmd);
        }
        last = pmd->cycles = now;
        rcu_quiescent_state();
    }
    stage_flush(pmd);
    /* Nobody else looks after what this thread has sent. */
    for (unsigned i = 0; i < LAST_TX_POLLS && stage_tx_poll(pmd); i++) {
    }
    return NULL;
}

void
pmd_start(struct pmd *pmd)
{
    char name[32];

    snprintf(name, sizeof name, "pmd-c%02u", pmd->core);
    pmd->thread = thread_start(name, pmd_main, pmd);
}

void
pmd_stop(struct pmd *pmd)
{
    atomic_store_explicit(&pmd->exit, true, memory_order_release);
    pmd_wake(pmd);
    thread_join(pmd->thread);
}

void
pmd_set_polls(struct pmd *pmd, struct poll_list *polls)
{
    struct poll_list *old = __atomic_exchange_n(&pmd->polls, polls, __ATOMIC_ACQ_REL);

    synchronize_rcu();
    free(old);
    pmd_wake(pmd);
}

void
pmd_destroy(struct pmd *pmd)
{
    ev_timer_stop(&pmd->tx_timer);
    simple_destroy(&pmd->simple);
    emc_destroy(&pmd->emc);
    smc_destroy(&pmd->smc);
    megaflow_table_destroy(&pmd->flows);
    pmd_sleep_destroy(pmd);
    free(pmd->polls);
    free(pmd);
}

void
pmd_main_tx(struct pmd *pmd)
{
    if (stage_tx_poll(pmd) && !pmd->tx_timer.active) {
        ev_timer_start(&pmd->tx_timer, MAIN_TX_MS);
    }
}

void
pmd_main_poll(struct pmd *pmd, struct dp_rxq *q, unsigned max_batches)
{
    unsigned n = PACKET_BATCH_MAX;

    pmd->cycles = clock_cycles();
    pmd->now_ms = clock_now_ms();
    for (unsigned i = 0; i < max_batches && n; i++) {
        n = pmd_poll_rxq(pmd, q);
    }
    stage_flush(pmd);
    pmd_main_tx(pmd);
}
