/* SPDX-License-Identifier: Apache-2.0 */
/* The sleep of a polling thread that finds nothing: when it begins, in ppoll() on the
 * descriptors of its rx queues and an eventfd that main writes to, and what ends it.
 *
 * Who sleeps costs nothing but is late: waking takes as long as dozens of packets, and
 * milliseconds where a hypervisor has given the idle core away.  So a thread stays awake after
 * the last packet
 *   - for IDLE_US at least, up to IDLE_MAX_US where packets keep ending short sleeps
 *     (pmd_learn_from_sleep);
 *   - and besides as long as it has worked since it last slept, up to WORK_MAX_US.  A load has
 *     gaps, whose sender's core is busy elsewhere for a moment; and to wait as long as one has
 *     worked can no more than double the thread's share of its core.
 */

#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <time.h>
#include <unistd.h>

#include "datapath/dp-private.h"
#include "log/coverage.h"
#include "log/log.h"
#include "os/clock.h"
#include "util/num.h"
#include "util/xalloc.h"

LOG_MODULE(pmd_sleep);
COVERAGE_DEFINE(pmd_futile_wakeup);
COVERAGE_DEFINE(pmd_leave_poll_timeout);

#define IDLE_US 50            /* of finding nothing, before sleep is thought of, */
#define IDLE_MAX_US 400       /* or up to so long where packets keep ending short sleeps, */
#define WORK_MAX_US 10000     /* and as much longer as it worked since it last slept */
#define TX_UNFINISHED_US 1000 /* as much longer while transmission is under way */
#define SLEEP_MAX_US 500000   /* then look after caches; packets and main wake it anyway */
#define SLEEP_BLIND_US 1000   /* with a queue that has no descriptor, or unfinished output */
#define FUTILE_MAX 8          /* wake-ups without packets, then the descriptors are ignored */

void
pmd_sleep_init(struct pmd *pmd)
{
    pmd->idle_us = IDLE_US;
    pmd->wake_fd = -1;
    atomic_init(&pmd->max_sleep_us, SLEEP_ADAPTIVE);
    if (pmd->core != CORE_NON_PMD) {
        pmd->wake_fd = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
        if (pmd->wake_fd < 0) {
            /* It then sleeps in short steps. */
            LOG_WARN("no eventfd to wake polling threads with (%s)", strerror(errno));
        }
    }
}

void
pmd_sleep_destroy(struct pmd *pmd)
{
    if (pmd->wake_fd >= 0) {
        close(pmd->wake_fd);
    }
    free(pmd->pfds);
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

bool
pmd_may_sleep(const struct pmd *pmd, uint64_t idle_cycles, uint64_t cycles_per_us)
{
    uint64_t busy = pmd_stat_get(&pmd->stats, PMD_STAT_CYCLES_BUSY);
    uint64_t worked = MIN(busy - pmd->worked_before_sleep, cycles_per_us * WORK_MAX_US);

    return idle_cycles > pmd->idle_us * cycles_per_us + worked;
}

/* The flag tells main that an older poll list's descriptors may be in use by ppoll(), which
 * keeps their files open: main then wakes us before it closes one (pmd_leave_poll). */
static void
sleep_until_woken(struct pmd *pmd, bool unfinished, int max_us)
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
    pmd->worked_before_sleep = pmd_stat_get(&pmd->stats, PMD_STAT_CYCLES_BUSY);
    pmd_learn_from_sleep(pmd, rc > 0 && !pmd->pfds[0].revents, slept_us);
    pmd_stat_add(&pmd->stats, PMD_STAT_SLEEPS, 1);
    pmd_stat_add(&pmd->stats, PMD_STAT_SLEEP_US, slept_us);
}

void
pmd_sleep(struct pmd *pmd, uint64_t idle_us, bool unfinished)
{
    int max_us = atomic_load_explicit(&pmd->max_sleep_us, memory_order_relaxed);

    if (max_us && (!unfinished || idle_us >= IDLE_US + TX_UNFINISHED_US)) {
        sleep_until_woken(pmd, unfinished, max_us);
    }
}

void
pmd_wake(const struct pmd *pmd)
{
    uint64_t one = 1;

    /* EAGAIN: the counter is full, so it is awake or about to be. */
    if (pmd->wake_fd >= 0 && write(pmd->wake_fd, &one, sizeof one) < 0 && errno != EAGAIN) {
        LOG_WARN("cannot wake the polling thread of core %u (%s)", pmd->core, strerror(errno));
    }
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
