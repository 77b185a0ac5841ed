/* SPDX-License-Identifier: Apache-2.0 */
/* The event loop: poll() over the watched descriptors, a binary heap of timers on the virtual
 * clock, a queue of deferred work.  One thread owns a loop; only evloop_wake() and
 * evloop_stop() are for others.  It knows nothing of what the descriptors carry.
 *
 * While a turn's events are handed out, a stopped watcher leaves a hole in the table instead of
 * moving others about, and a started one is appended beyond the part being walked: thus any
 * callback may do anything to any watcher. */

#include "os/evloop.h"

#include <errno.h>
#include <limits.h>
#include <sched.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <time.h>
#include <unistd.h>

#include "log/coverage.h"
#include "os/clock.h"
#include "os/rcu.h"
#include "os/thread.h"
#include "util/xalloc.h"

COVERAGE_DEFINE(evloop_turn);
COVERAGE_DEFINE(evloop_bad_fd);
COVERAGE_DEFINE(evloop_poll_error);
COVERAGE_DEFINE(evloop_wake_failed);

#define ALERT_ALL_EVERY 8u

struct evloop {
    struct pollfd *fds; /* [0] is the wake-up eventfd */
    struct ev_io **ios; /* parallel; NULL: hole */
    unsigned n_fds;
    unsigned cap_fds;
    bool walking; /* events are being handed out */
    bool holes;

    struct ev_timer **heap;
    unsigned n_timers;
    unsigned cap_timers;
    uint64_t next_seq;

    struct ev_defer *defers; /* to run at the end of this turn */
    struct ev_defer **defers_tail;
    struct ev_defer *running; /* the rest of the batch being run */

    int64_t alert_ns; /* at the next wait; evloop_stay_alert() */
    unsigned running_slot; /* whose callback runs; 0: none */
    unsigned alert_slot;   /* whose callback asked for alertness; 0: none */

    int wake_fd;
    atomic_bool stop;
};

static unsigned
append_fd(struct evloop *l, struct ev_io *io, int fd, short events)
{
    if (l->n_fds == l->cap_fds) {
        l->cap_fds = MAX(16, l->cap_fds * 2);
        l->fds = xrealloc(l->fds, l->cap_fds * sizeof *l->fds);
        l->ios = xrealloc(l->ios, l->cap_fds * sizeof *l->ios);
    }
    l->fds[l->n_fds] = (struct pollfd){.fd = fd, .events = events};
    l->ios[l->n_fds] = io;
    return l->n_fds++;
}

struct evloop *
evloop_create(void)
{
    struct evloop *l = xzalloc(sizeof *l);

    l->defers_tail = &l->defers;
    l->wake_fd = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
    /* Without an eventfd (descriptors exhausted) poll() skips the negative number and wake-ups
     * are late rather than lost: evloop_turn() then never waits for long. */
    append_fd(l, NULL, l->wake_fd, POLLIN);
    return l;
}

void
evloop_destroy(struct evloop *l)
{
    if (!l) {
        return;
    }
    for (unsigned i = 1; i < l->n_fds; i++) {
        if (l->ios[i]) {
            l->ios[i]->active = false;
        }
    }
    for (unsigned i = 0; i < l->n_timers; i++) {
        l->heap[i]->active = false;
    }
    for (struct ev_defer *d = l->defers; d; d = d->next) {
        d->active = false;
    }
    if (l->wake_fd >= 0) {
        close(l->wake_fd);
    }
    free(l->fds);
    free(l->ios);
    free(l->heap);
    free(l);
}

void
evloop_run(struct evloop *l)
{
    /* Acquire pairs with the release in evloop_stop(). */
    while (!atomic_exchange_explicit(&l->stop, false, memory_order_acq_rel)) {
        evloop_turn(l, -1);
    }
}

void
evloop_stop(struct evloop *l)
{
    atomic_store_explicit(&l->stop, true, memory_order_release);
    evloop_wake(l);
}

void
evloop_wake(struct evloop *l)
{
    int saved_errno = errno;
    uint64_t one = 1;

    /* EAGAIN means that the counter is at its limit, hence a wake-up already pending.  No
     * counting here: signal handlers come this way. */
    (void) !write(l->wake_fd, &one, sizeof one);
    errno = saved_errno;
}

/* How long poll() may wait, in ms; -1 for ever. */
static int
wait_limit(const struct evloop *l, int max_wait_ms)
{
    int64_t limit = max_wait_ms < 0 ? INT64_MAX : max_wait_ms;

    if (l->defers) {
        return 0;
    }
    if (l->n_timers) {
        int64_t left = l->heap[0]->due_ms - clock_now_ms();

        if (left <= 0) {
            return 0;
        }
        if (!clock_is_stopped()) {
            limit = MIN(limit, left);
        }
    }
    if (l->wake_fd < 0) {
        limit = MIN(limit, 100);
    }
    return limit > INT_MAX ? -1 : (int) limit;
}

void
evloop_stay_alert(struct evloop *l, int us)
{
    l->alert_ns = us * INT64_C(1000);
    l->alert_slot = l->running_slot;
}

/* poll() that puts off sleep while more is expected at once.  Who is to send it may need this
 * very core, hence the yield.  Looking at all descriptors costs several times what it does to
 * look at the one where more is expected, so that one is looked at more often; all come first,
 * and again and again, so that nobody waits behind a busy one. */
static int
poll_alert(struct evloop *l, int limit)
{
    if (limit && l->alert_ns) {
        int64_t until = clock_real_ns() + l->alert_ns;
        unsigned slot = l->alert_slot < l->n_fds ? l->alert_slot : 0;

        l->alert_ns = 0;
        for (unsigned i = 0; clock_real_ns() < until; i++) {
            bool all = !slot || i % ALERT_ALL_EVERY == 0;
            int n = all ? poll(l->fds, l->n_fds, 0) : poll(&l->fds[slot], 1, 0);

            if (n) {
                return n;
            }
            sched_yield();
        }
    }
    return poll(l->fds, l->n_fds, limit);
}

/* Waits, being RCU-offline meanwhile; returns what poll() returns. */
static int
wait_events(struct evloop *l, int limit)
{
    bool online = thread_is_registered() && rcu_read_ongoing();
    int n, error;

    if (online) {
        rcu_thread_offline();
    }
    n = poll_alert(l, limit);
    error = errno;
    if (n < 0 && error != EINTR) {
        /* Out of kernel memory: do not spin on it. */
        struct timespec nap = {0, 10 * 1000 * 1000};

        COVERAGE_INC(evloop_poll_error);
        nanosleep(&nap, NULL);
    }
    if (online) {
        rcu_thread_online();
    }
    return n;
}

/* Fills the holes that stopped watchers left. */
static void
compact(struct evloop *l)
{
    unsigned to = 1;

    for (unsigned from = 1; from < l->n_fds; from++) {
        if (l->ios[from]) {
            l->fds[to] = l->fds[from];
            l->ios[to] = l->ios[from];
            l->ios[to]->slot = to;
            to++;
        }
    }
    l->n_fds = to;
    l->holes = false;
}

static void
run_ios(struct evloop *l)
{
    unsigned n = l->n_fds;

    if (l->fds[0].revents) {
        uint64_t count;

        if (read(l->wake_fd, &count, sizeof count) < 0 && errno != EAGAIN) {
            COVERAGE_INC(evloop_wake_failed);
        }
    }
    l->walking = true;
    for (unsigned i = 1; i < n; i++) {
        struct ev_io *io = l->ios[i];
        short revents = l->fds[i].revents;

        if (!io || !revents) {
            continue;
        }
        if (revents & POLLNVAL) {
            /* Closed without ev_io_stop(): it would be reported for ever. */
            COVERAGE_INC(evloop_bad_fd);
            ev_io_stop(io);
        }
        l->fds[i].revents = 0;
        l->running_slot = i;
        io->cb(io, revents);
    }
    l->running_slot = 0;
    l->walking = false;
    if (l->holes) {
        compact(l);
    }
}

static void
run_timers(struct evloop *l)
{
    int64_t now = clock_now_ms();
    uint64_t fresh = l->next_seq;

    /* Timers that callbacks start now have a `seq` from `fresh` on and wait for the next turn;
     * they sort after all older ones that are due. */
    while (l->n_timers && l->heap[0]->due_ms <= now && l->heap[0]->seq < fresh) {
        struct ev_timer *t = l->heap[0];

        ev_timer_stop(t);
        t->cb(t);
    }
}

static void
run_defers(struct evloop *l)
{
    l->running = l->defers;
    l->defers = NULL;
    l->defers_tail = &l->defers;
    while (l->running) {
        struct ev_defer *d = l->running;

        l->running = d->next;
        d->active = false;
        d->cb(d);
    }
}

void
evloop_turn(struct evloop *l, int max_wait_ms)
{
    int n = wait_events(l, wait_limit(l, max_wait_ms));

    COVERAGE_INC(evloop_turn);
    if (n > 0) {
        run_ios(l);
    }
    run_timers(l);
    run_defers(l);
}

void
ev_io_init(struct ev_io *io, struct evloop *l, void (*cb)(struct ev_io *, short), void *aux)
{
    *io = (struct ev_io){.loop = l, .fd = -1, .cb = cb, .aux = aux};
}

void
ev_io_start(struct ev_io *io, int fd, short events)
{
    struct evloop *l = io->loop;

    if (!io->active) {
        io->slot = append_fd(l, io, fd, events);
        io->active = true;
    } else {
        struct pollfd *p = &l->fds[io->slot];

        /* What was pending for another descriptor, or is no longer asked for, is void. */
        p->revents = p->fd == fd ? p->revents & (events | POLLERR | POLLHUP | POLLNVAL) : 0;
        p->fd = fd;
        p->events = events;
    }
    io->fd = fd;
    io->events = events;
}

void
ev_io_stop(struct ev_io *io)
{
    struct evloop *l = io->loop;
    unsigned last;

    if (!io->active) {
        return;
    }
    io->active = false;
    if (l->walking) {
        l->ios[io->slot] = NULL;
        l->fds[io->slot].fd = -1;
        l->fds[io->slot].revents = 0;
        l->holes = true;
        return;
    }
    last = --l->n_fds;
    if (io->slot != last) {
        l->fds[io->slot] = l->fds[last];
        l->ios[io->slot] = l->ios[last];
        l->ios[io->slot]->slot = io->slot;
    }
}

static bool
timer_before(const struct ev_timer *a, const struct ev_timer *b)
{
    return a->due_ms != b->due_ms ? a->due_ms < b->due_ms : a->seq < b->seq;
}

static void
heap_put(struct evloop *l, unsigned slot, struct ev_timer *t)
{
    l->heap[slot] = t;
    t->slot = slot;
}

static void
sift_up(struct evloop *l, unsigned slot, struct ev_timer *t)
{
    while (slot > 0 && timer_before(t, l->heap[(slot - 1) / 2])) {
        heap_put(l, slot, l->heap[(slot - 1) / 2]);
        slot = (slot - 1) / 2;
    }
    heap_put(l, slot, t);
}

static void
sift_down(struct evloop *l, unsigned slot, struct ev_timer *t)
{
    for (;;) {
        unsigned child = slot * 2 + 1;

        if (child + 1 < l->n_timers && timer_before(l->heap[child + 1], l->heap[child])) {
            child++;
        }
        if (child >= l->n_timers || !timer_before(l->heap[child], t)) {
            break;
        }
        heap_put(l, slot, l->heap[child]);
        slot = child;
    }
    heap_put(l, slot, t);
}

void
ev_timer_init(struct ev_timer *t, struct evloop *l, void (*cb)(struct ev_timer *), void *aux)
{
    *t = (struct ev_timer){.loop = l, .cb = cb, .aux = aux};
}

void
ev_timer_start(struct ev_timer *t, int64_t after_ms)
{
    struct evloop *l = t->loop;

    ev_timer_stop(t);
    if (l->n_timers == l->cap_timers) {
        l->cap_timers = MAX(16, l->cap_timers * 2);
        l->heap = xrealloc(l->heap, l->cap_timers * sizeof *l->heap);
    }
    t->due_ms = clock_now_ms() + MIN(MAX(after_ms, 0), INT64_MAX / 4);
    t->seq = l->next_seq++;
    t->active = true;
    sift_up(l, l->n_timers++, t);
}

void
ev_timer_stop(struct ev_timer *t)
{
    struct evloop *l = t->loop;
    struct ev_timer *last;

    if (!t->active) {
        return;
    }
    t->active = false;
    last = l->heap[--l->n_timers];
    if (last == t) {
        return;
    }
    if (t->slot > 0 && timer_before(last, l->heap[(t->slot - 1) / 2])) {
        sift_up(l, t->slot, last);
    } else {
        sift_down(l, t->slot, last);
    }
}

void
ev_defer_init(struct ev_defer *d, struct evloop *l, void (*cb)(struct ev_defer *), void *aux)
{
    *d = (struct ev_defer){.loop = l, .cb = cb, .aux = aux};
}

void
ev_defer_start(struct ev_defer *d)
{
    struct evloop *l = d->loop;

    if (!d->active) {
        d->active = true;
        d->next = NULL;
        *l->defers_tail = d;
        l->defers_tail = &d->next;
    }
}

void
ev_defer_stop(struct ev_defer *d)
{
    struct evloop *l = d->loop;
    struct ev_defer **p;

    if (!d->active) {
        return;
    }
    d->active = false;
    for (p = &l->running; *p; p = &(*p)->next) {
        if (*p == d) {
            *p = d->next;
            return;
        }
    }
    for (p = &l->defers; *p; p = &(*p)->next) {
        if (*p == d) {
            *p = d->next;
            if (!*p) {
                l->defers_tail = p;
            }
            return;
        }
    }
}
