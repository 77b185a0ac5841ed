/* SPDX-License-Identifier: Apache-2.0 */
/* The revalidator thread.  A pass walks every megaflow of every datapath: credits what it
 * carried since, expires it when idle, translates it anew when something changed since, and
 * corrects or deletes it when the answer differs; then MAC addresses age.  A pass is made every
 * max-revalidator ms, and soon after a change.
 *
 * Main starts, configures and asks it; polling threads only announce changes.  It never needs
 * main for its progress, so that main may wait for it. */

#include "ofproto/revalidator.h"

#include <errno.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <time.h>

#include "log/coverage.h"
#include "log/log.h"
#include "ofproto/frozen.h"
#include "ofproto/xlate.h"
#include "os/clock.h"
#include "os/rcu.h"
#include "os/thread.h"
#include "util/compiler.h"

LOG_MODULE(ofproto_dpif_upcall);

COVERAGE_DEFINE(revalidate_pass);
COVERAGE_DEFINE(revalidate_flow_changed);
COVERAGE_DEFINE(revalidate_flow_deleted);
COVERAGE_DEFINE(revalidate_flow_expired);
COVERAGE_DEFINE(revalidate_flow_too_slow);
COVERAGE_DEFINE(revalidate_flow_over_limit);

/* Passes in a row when things change meanwhile; what is left then waits for the next poke. */
#define MAX_ROUNDS 3
/* Between passes that pokes ask for, at least this and twice the time that the last one took:
 * a storm of changes costs a third of a core at most. */
#define MIN_GAP_NS INT64_C(2000000)
/* Flows above the limit go when idle for so long. */
#define OVER_LIMIT_IDLE_MS 100
/* The limit adapts so that a pass stays below this. */
#define TARGET_PASS_MS 1000
#define FLOW_LIMIT_START 10000u
#define FLOW_LIMIT_MIN 1000u
#define FLOW_LIMIT_STEP 1000u

static _Atomic uint64_t change_seq = 1;
static _Atomic bool poked;
static _Atomic uint64_t completed;

static struct mutex mutex = MUTEX_INIT;
static pthread_cond_t wake_cond; /* for the thread: something below changed */
static pthread_cond_t done_cond; /* for waiters: `completed` grew */
static uint64_t requested GUARDED_BY(mutex);
static bool purge_wanted GUARDED_BY(mutex);
static bool stopping GUARDED_BY(mutex);
static bool held GUARDED_BY(mutex);
static struct revalidator_config config GUARDED_BY(mutex) = {
    .max_idle_ms = 10000,
    .max_revalidator_ms = 500,
    .flow_limit = 200000,
    .min_pps = 5,
};
static struct revalidator_status status GUARDED_BY(mutex) = {
    .flow_limit = FLOW_LIMIT_START,
};

static pthread_t thread;
static bool running;         /* main */
static void (*notify)(void); /* set before the thread starts */

struct pass {
    const struct xsnapshot *snapshot;
    struct revalidator_config config;
    uint64_t seq;
    int64_t now_ms;
    int64_t max_idle_ms;
    bool purge, slow;
    uint32_t n_flows;
    const struct ofproto_dp *odp;
};

void
revalidator_changed(void)
{
    atomic_fetch_add_explicit(&change_seq, 1, memory_order_acq_rel);
    if (!atomic_exchange_explicit(&poked, true, memory_order_acq_rel)) {
        mutex_lock(&mutex);
        pthread_cond_signal(&wake_cond);
        mutex_unlock(&mutex);
    }
}

uint64_t
revalidator_seq(void)
{
    /* Acquire pairs with revalidator_changed(): who sees the number sees the change. */
    return atomic_load_explicit(&change_seq, memory_order_acquire);
}

static bool
mask_has_extra(const struct flow *new, const struct flow *old)
{
    const flow_word *a = (const flow_word *) new, *b = (const flow_word *) old;
    uint64_t extra = 0;

    for (size_t i = 0; i < FLOW_WORDS; i++) {
        extra |= a[i] & ~b[i];
    }
    return extra != 0;
}

/* Translates a megaflow anew; false: it must go.
 *
 * Only the bits of its mask are known, the others read as 0.  So the translation itself teaches
 * nothing; its effects do, once the mask is found to hold all that they are made of. */
static bool
retranslate(struct pass *p, struct dp *dp, struct dp_flow *f, struct xlate_cookie *cookie,
            bool has_packets, int64_t used_ms)
{
    struct flow match, mask;
    struct xlate_in in = {
        .snapshot = p->snapshot,
        .odp = p->odp,
        .flow = &match,
        .used_ms = used_ms,
    };
    struct xlate_out out;

    dp_flow_get_match(f, &match, &mask);
    if (!xlate_translate(&in, &out)) {
        return false;
    }
    xlate_effects_destroy(&cookie->effects);
    cookie->effects = out.effects;
    if (mask_has_extra(&out.mask, &mask)) {
        free(out.actions);
        return false;
    }
    if (has_packets) {
        xlate_learn_again(p->snapshot, &cookie->effects, used_ms);
    }
    cookie->seq = p->seq;
    if (dp_actions_equal(out.actions, dp_flow_actions(f))) {
        free(out.actions);
    } else {
        COVERAGE_INC(revalidate_flow_changed);
        dp_flow_set_actions(dp, f, out.actions);
    }
    return true;
}

/* Is a flow with so little traffic not worth a translation while passes take long? */
static bool
too_slow(const struct pass *p, const struct dp_flow *f, const struct dp_flow_stats *stats)
{
    int64_t age_ms = p->now_ms - dp_flow_created_ms(f);

    return p->slow && age_ms > p->config.max_revalidator_ms &&
           stats->n_packets * 1000 < (uint64_t) age_ms * p->config.min_pps;
}

static bool
revalidate_flow(struct dp *dp, struct dp_flow *f, void *p_)
{
    struct pass *p = p_;
    struct xlate_cookie *cookie = dp_flow_cookie(f);
    struct dp_flow_stats stats;
    uint64_t n_packets, n_bytes;
    int64_t used_ms;
    bool stale, keep = true;

    p->n_flows++;
    if (!cookie) {
        return true; /* put there by hand (dpctl/add-flow): not ours */
    }
    dp_flow_get_stats(f, &stats);
    n_packets = stats.n_packets - cookie->n_packets;
    n_bytes = stats.n_bytes - cookie->n_bytes;
    used_ms = stats.used_ms ? stats.used_ms : dp_flow_created_ms(f);
    stale = cookie->seq != p->seq;
    if (n_packets) {
        cookie->n_packets = stats.n_packets;
        cookie->n_bytes = stats.n_bytes;
        xlate_credit(p->snapshot, &cookie->effects, n_packets, n_bytes, used_ms);
        if (!stale) {
            xlate_learn_again(p->snapshot, &cookie->effects, used_ms);
        }
    }

    if (p->purge) {
        keep = false;
    } else if (!p->config.paused && p->now_ms - used_ms >= p->max_idle_ms) {
        COVERAGE_INC(revalidate_flow_expired);
        keep = false;
    } else if (stale && too_slow(p, f, &stats)) {
        COVERAGE_INC(revalidate_flow_too_slow);
        keep = false;
    } else if (stale && !retranslate(p, dp, f, cookie, n_packets > 0, used_ms)) {
        COVERAGE_INC(revalidate_flow_deleted);
        keep = false;
    }
    if (!keep) {
        dp_flow_del(dp, f);
    }
    return true;
}

/* One walk over everything, within one read-side section. */
static uint32_t
walk(struct pass *p, bool over_limit)
{
    uint32_t n_flows = 0;
    const struct xsnapshot *s = xsnapshot_get();

    p->max_idle_ms = p->config.max_idle_ms;
    if (over_limit) {
        COVERAGE_INC(revalidate_flow_over_limit);
        p->max_idle_ms = MIN(p->max_idle_ms, OVER_LIMIT_IDLE_MS);
    }
    for (unsigned i = 0; s && i < s->n_dps; i++) {
        p->snapshot = s;
        p->odp = s->odps[i];
        p->n_flows = 0;
        dp_flow_for_each(s->odps[i]->dp, revalidate_flow, p);
        n_flows += p->n_flows;
    }
    for (unsigned i = 0; s && !p->config.paused && i < s->n_bridges; i++) {
        if (mac_table_expire(s->bridges[i].macs, p->now_ms)) {
            revalidator_changed();
        }
    }
    frozen_reap(p->now_ms);
    rcu_quiescent_state();
    return n_flows;
}

/* Publishes the status and adapts the flow limit to the time that a pass takes. */
static void
account(const struct pass *p, uint32_t n_flows, int64_t pass_ms)
{
    const struct xsnapshot *s = xsnapshot_get();
    uint64_t limit, most = p->config.flow_limit;

    mutex_lock(&mutex);
    limit = status.flow_limit;
    if (pass_ms > TARGET_PASS_MS) {
        limit = MAX((uint64_t) n_flows * TARGET_PASS_MS / (uint64_t) pass_ms, FLOW_LIMIT_MIN);
    } else if (n_flows > limit / 2 && pass_ms < TARGET_PASS_MS / 2) {
        limit += MAX(limit, FLOW_LIMIT_STEP);
    }
    limit = MIN(limit, most);
    status.flow_limit = (uint32_t) limit;
    status.n_flows = n_flows;
    status.avg_flows = (uint32_t) (((uint64_t) status.avg_flows * 3 + n_flows) / 4);
    status.max_flows = MAX(status.max_flows, n_flows);
    status.dump_ms = MAX(pass_ms, 1);
    mutex_unlock(&mutex);
    for (unsigned i = 0; s && i < s->n_dps; i++) {
        dp_set_flow_limit(s->odps[i]->dp, (uint32_t) limit);
    }
}

/* A pass, again while things change under it; returns its real duration. */
static int64_t
run_pass(bool purge, const struct revalidator_config *c)
{
    static bool was_slow; /* this thread's own */
    int64_t start = clock_real_ns();
    struct pass p = {.config = *c, .purge = purge, .slow = was_slow};
    uint32_t n_flows = 0;

    COVERAGE_INC(revalidate_pass);
    for (unsigned round = 0; round < MAX_ROUNDS; round++) {
        struct revalidator_status st;

        atomic_store_explicit(&poked, false, memory_order_release);
        revalidator_get_status(&st);
        p.seq = revalidator_seq();
        p.now_ms = clock_now_ms();
        n_flows = walk(&p, st.n_flows > st.flow_limit);
        p.purge = false;
        if (revalidator_seq() == p.seq) {
            break;
        }
    }
    start = clock_real_ns() - start;
    account(&p, n_flows, start / 1000000);
    was_slow = start / 1000000 > c->max_revalidator_ms / 2;
    rcu_quiescent_state();
    return start;
}

static struct timespec
real_deadline(int64_t after_ns)
{
    struct timespec ts;
    int64_t ns;

    clock_gettime(CLOCK_MONOTONIC, &ts);
    ns = ts.tv_nsec + after_ns;
    ts.tv_sec += (time_t) (ns / 1000000000);
    ts.tv_nsec = (long) (ns % 1000000000);
    return ts;
}

/* Sleeps until a pass is due: by time, by a request, or by a change once `gap_ns` are over. */
static void
wait_for_work(int64_t pass_ns) REQUIRES(mutex)
{
    struct timespec due = real_deadline((int64_t) config.max_revalidator_ms * 1000000);
    struct timespec gap = real_deadline(MAX(MIN_GAP_NS, 2 * pass_ns));
    uint64_t served = atomic_load_explicit(&completed, memory_order_relaxed);

    while (!stopping && requested == served) {
        bool change = atomic_load_explicit(&poked, memory_order_acquire);

        if (held) {
            pthread_cond_wait(&wake_cond, &mutex.m);
        } else if (pthread_cond_timedwait(&wake_cond, &mutex.m, change ? &gap : &due) ==
                   ETIMEDOUT) {
            break;
        }
    }
}

static void *
revalidator_main(void *aux)
{
    int64_t pass_ns = 0;

    mutex_lock(&mutex);
    status.thread_id = thread_id();
    while (!stopping) {
        uint64_t ticket = requested;
        bool purge = purge_wanted;
        bool served;
        struct revalidator_config c = config;

        purge_wanted = false;
        mutex_unlock(&mutex);
        pass_ns = run_pass(purge, &c);
        mutex_lock(&mutex);

        served = ticket != atomic_load_explicit(&completed, memory_order_relaxed);
        atomic_store_explicit(&completed, ticket, memory_order_release);
        if (served) {
            pthread_cond_broadcast(&done_cond);
            if (notify) {
                notify();
            }
        }
        rcu_thread_offline();
        wait_for_work(pass_ns);
        mutex_unlock(&mutex);
        rcu_thread_online();
        mutex_lock(&mutex);
    }
    mutex_unlock(&mutex);
    return NULL;
}

static void
clock_warped(void *aux)
{
    bool now;

    mutex_lock(&mutex);
    now = running && !held;
    mutex_unlock(&mutex);
    if (now) {
        revalidator_request(false);
    }
}

void
revalidator_hold(bool on)
{
    mutex_lock(&mutex);
    held = on;
    mutex_unlock(&mutex);
    if (!on) {
        revalidator_request(false); /* for what was left undone meanwhile */
    }
}

void
revalidator_set_notify(void (*cb)(void))
{
    notify = cb;
}

void
revalidator_start(void)
{
    static bool subscribed;
    pthread_condattr_t attr;

    pthread_condattr_init(&attr);
    pthread_condattr_setclock(&attr, CLOCK_MONOTONIC);
    pthread_cond_init(&wake_cond, &attr);
    pthread_cond_init(&done_cond, &attr);
    pthread_condattr_destroy(&attr);
    mutex_lock(&mutex);
    stopping = false;
    mutex_unlock(&mutex);
    running = true;
    if (!subscribed) {
        clock_warp_subscribe(clock_warped, NULL);
        subscribed = true;
    }
    LOG_DBG("starting the revalidator thread");
    thread = thread_start("revalidator1", revalidator_main, NULL);
}

void
revalidator_stop(void)
{
    if (!running) {
        return;
    }
    running = false;
    mutex_lock(&mutex);
    stopping = true;
    pthread_cond_signal(&wake_cond);
    mutex_unlock(&mutex);
    thread_join(thread);
}

uint64_t
revalidator_request(bool purge)
{
    uint64_t ticket;

    mutex_lock(&mutex);
    ticket = ++requested;
    purge_wanted |= purge;
    pthread_cond_signal(&wake_cond);
    mutex_unlock(&mutex);
    return ticket;
}

uint64_t
revalidator_completed(void)
{
    return atomic_load_explicit(&completed, memory_order_acquire);
}

bool
revalidator_wait(uint64_t ticket, int timeout_ms)
{
    struct timespec deadline = real_deadline((int64_t) timeout_ms * 1000000);
    bool done;

    rcu_thread_offline();
    mutex_lock(&mutex);
    while (revalidator_completed() < ticket && !stopping) {
        if (pthread_cond_timedwait(&done_cond, &mutex.m, &deadline) == ETIMEDOUT) {
            break;
        }
    }
    mutex_unlock(&mutex);
    rcu_thread_online();
    done = revalidator_completed() >= ticket;
    return done;
}

void
revalidator_configure(const struct revalidator_config *c)
{
    mutex_lock(&mutex);
    config = *c;
    status.flow_limit = MIN(status.flow_limit, c->flow_limit);
    pthread_cond_signal(&wake_cond);
    mutex_unlock(&mutex);
}

void
revalidator_set_flow_limit(uint32_t limit)
{
    mutex_lock(&mutex);
    status.flow_limit = limit;
    pthread_cond_signal(&wake_cond);
    mutex_unlock(&mutex);
    revalidator_request(false);
}

void
revalidator_get_status(struct revalidator_status *s)
{
    mutex_lock(&mutex);
    *s = status;
    mutex_unlock(&mutex);
}
