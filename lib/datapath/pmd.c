/* SPDX-License-Identifier: Apache-2.0 */
/* A polling thread (PMD): its loop, its sleep, its start and end; and the main thread's
 * context, which is the same struct without a thread of its own.  pmd-set.c decides which there
 * are and what they poll.
 *
 * One turn: every queue of the poll list is polled once, then the staged output is flushed (or,
 * with other_config:tx-flush-interval, waits for more and keeps the thread from sleeping), the
 * tx queues are driven, and a quiescent state is reported.  A thread that found nothing for
 * idle_us sleeps in ppoll() on its rx queues' descriptors and an eventfd that main writes to.
 */

#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <time.h>
#include <unistd.h>

#include "datapath/dp-private.h"
#include "log/coverage.h"
#include "log/log.h"
#include "os/affinity.h"
#include "os/clock.h"
#include "util/num.h"
#include "util/xalloc.h"

LOG_MODULE(pmd);
COVERAGE_DEFINE(pmd_futile_wakeup);
COVERAGE_DEFINE(pmd_leave_poll_timeout);

#define IDLE_US 50            /* of finding nothing, before sleep is thought of, */
#define IDLE_MAX_US 400       /* or up to so long where packets keep ending short sleeps */
#define TX_UNFINISHED_US 1000 /* as much longer while transmission is under way */
#define SLEEP_MAX_US 500000   /* then look after caches; packets and main wake it anyway */
#define SLEEP_BLIND_US 1000   /* with a queue that has no descriptor, or unfinished output */
#define FUTILE_MAX 8          /* wake-ups without packets, then the descriptors are ignored */
#define MAIN_TX_MS 1          /* main looks again at unfinished transmission */
#define MAINTAIN_MS 250       /* between looks at caches while packets come */
#define EMC_SWEEP 512u        /* entries per look and per sleep; divides EMC_ENTRIES */
#define LAST_TX_POLLS 1000u   /* of a thread that ends: unfinished transmission is given up */
#define BATCHES_PER_TURN 4u   /* of a queue that has more: one kick sends them all */

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
    pmd->wake_fd = -1;
    atomic_init(&pmd->max_sleep_us, SLEEP_ADAPTIVE);
    pmd->idle_us = IDLE_US;
    pmd->emc_pays = true;
    ev_timer_init(&pmd->tx_timer, dp_loop, main_tx_cb, pmd);
    if (core != CORE_NON_PMD) {
        pmd->wake_fd = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
        if (pmd->wake_fd < 0) {
            /* It then sleeps in short steps. */
            LOG_WARN("no eventfd to wake polling threads with (%s)", strerror(errno));
        }
    }
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

/* Fills pmd->pfds: the eventfd, then the queues.  Returns the timeout in us. */
static int64_t
sleep_prepare(struct pmd *pmd, bool unfinished, int64_t max_us, nfds_t *n_pfds)
{
    const struct poll_list *polls = __atomic_load_n(&pmd->polls, __ATOMIC_ACQUIRE);
    int64_t timeout = unfinished || pmd->wake_fd < 0 ? SLEEP_BLIND_US : SLEEP_MAX_US;
    nfds_t n = 0;

    if (pmd->pfds_cap < polls->n + 1) {
        pmd->pfds_cap = polls->n + 1;
        pmd->pfds = xrealloc(pmd->pfds, pmd->pfds_cap * sizeof *pmd->pfds);
    }
    pmd->pfds[n++] = (struct pollfd){.fd = pmd->wake_fd, .events = POLLIN};
    for (unsigned i = 0; i < polls->n; i++) {
        int fd = netdev_rxq_fd(polls->rxqs[i]->rx);

        if (fd < 0 || pmd->n_futile >= FUTILE_MAX) {
            timeout = MIN(timeout, SLEEP_BLIND_US);
        } else {
            pmd->pfds[n++] = (struct pollfd){.fd = fd, .events = POLLIN};
        }
    }
    *n_pfds = n;
    return max_us > 0 ? MIN(timeout, max_us) : timeout;
}

void
pmd_learn_from_sleep(struct pmd *pmd, bool by_packet, uint64_t slept_us)
{
    if (by_packet && slept_us < IDLE_MAX_US) {
        pmd->idle_us = MIN(pmd->idle_us * 2, UINT64_C(1) * IDLE_MAX_US);
    } else if (slept_us >= IDLE_MAX_US) {
        pmd->idle_us = IDLE_US;
    }
}

/* The flag tells main that an older poll list's descriptors may be in use by ppoll(), which
 * keeps their files open: main then wakes us before it closes one (pmd_leave_poll). */
static void
pmd_sleep(struct pmd *pmd, bool unfinished, int max_us)
{
    int64_t start = clock_real_ns();
    struct timespec ts;
    int64_t timeout_us;
    uint64_t value, slept_us;
    nfds_t n;
    int rc;

    pmd_maintain(pmd);
    atomic_store_explicit(&pmd->sleeping, true, memory_order_seq_cst);
    timeout_us = sleep_prepare(pmd, unfinished, max_us, &n);
    ts.tv_sec = 0;
    ts.tv_nsec = timeout_us * 1000;
    rcu_thread_offline();
    rc = atomic_load_explicit(&pmd->exit, memory_order_acquire)
             ? 0
             : ppoll(pmd->pfds, n, &ts, NULL);
    rcu_thread_online();
    atomic_store_explicit(&pmd->sleeping, false, memory_order_seq_cst);
    atomic_fetch_add_explicit(&pmd->n_slept, 1, memory_order_seq_cst);
    if (rc > 0 && pmd->pfds[0].revents) {
        /* Only clears the counter; nothing can be done about failure, nor need be. */
        if (read(pmd->wake_fd, &value, sizeof value) < 0) {
            value = 0;
        }
        pmd->n_futile = 0;
    } else if (rc > 0) {
        pmd->n_futile++;
        COVERAGE_INC(pmd_futile_wakeup);
    }
    slept_us = (uint64_t) (clock_real_ns() - start) / 1000;
    pmd_learn_from_sleep(pmd, rc > 0 && !pmd->pfds[0].revents, slept_us);
    pmd_stat_add(&pmd->stats, PMD_STAT_SLEEPS, 1);
    pmd_stat_add(&pmd->stats, PMD_STAT_SLEEP_US, slept_us);
}

/* After a turn that found nothing, `idle_us` after the last that did. */
static void
pmd_idle(struct pmd *pmd, uint64_t idle_us, bool unfinished)
{
    int max_us = atomic_load_explicit(&pmd->max_sleep_us, memory_order_relaxed);

    if (max_us && (!unfinished || idle_us >= IDLE_US + TX_UNFINISHED_US)) {
        pmd_sleep(pmd, unfinished, max_us);
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
        } else if (!waiting && now - idle_since > pmd->idle_us * per_us) {
            pmd_idle(pmd, (now - idle_since) / per_us, unfinished);
            now = clock_cycles();
        }
        pmd_stat_add(&pmd->stats, got ? PMD_STAT_CYCLES_BUSY : PMD_STAT_CYCLES_IDLE,
                     now - last);
        pmd_stat_add(&pmd->stats, got ? PMD_STAT_ITER_BUSY : PMD_STAT_ITER_IDLE, 1);
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

static void
pmd_wake(const struct pmd *pmd)
{
    uint64_t one = 1;

    /* EAGAIN: the counter is full, so it is awake or about to be. */
    if (pmd->wake_fd >= 0 && write(pmd->wake_fd, &one, sizeof one) < 0 && errno != EAGAIN) {
        LOG_WARN("cannot wake the polling thread of core %u (%s)", pmd->core, strerror(errno));
    }
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
pmd_leave_poll(struct pmd *pmd)
{
    const struct timespec step = {.tv_sec = 0, .tv_nsec = 100000};

    unsigned n_slept = atomic_load_explicit(&pmd->n_slept, memory_order_seq_cst);

    pmd_wake(pmd);
    for (unsigned i = 0; i < 1000; i++) {
        if (!atomic_load_explicit(&pmd->sleeping, memory_order_seq_cst) ||
            atomic_load_explicit(&pmd->n_slept, memory_order_seq_cst) != n_slept) {
            return;
        }
        nanosleep(&step, NULL);
    }
    COVERAGE_INC(pmd_leave_poll_timeout);
}

void
pmd_destroy(struct pmd *pmd)
{
    ev_timer_stop(&pmd->tx_timer);
    simple_destroy(&pmd->simple);
    emc_destroy(&pmd->emc);
    smc_destroy(&pmd->smc);
    megaflow_table_destroy(&pmd->flows);
    if (pmd->wake_fd >= 0) {
        close(pmd->wake_fd);
    }
    free(pmd->polls);
    free(pmd->pfds);
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
    for (unsigned i = 0; i < max_batches && n; i++) {
        n = pmd_poll_rxq(pmd, q);
    }
    stage_flush(pmd);
    pmd_main_tx(pmd);
}
