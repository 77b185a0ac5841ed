/* SPDX-License-Identifier: Apache-2.0 */
/* Unit tests of the event loop and of threads: watchers stopped from callbacks, timers on the
 * virtual clock, wake-ups, exit hooks, RCU state around the wait, locks. */

#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <cmocka.h>

#include "log/coverage.h"
#include "os/clock.h"
#include "os/evloop.h"
#include "os/rcu.h"
#include "os/thread.h"
#include "util/strbuf.h"

COVERAGE_DEFINE(test_evloop_event);

static struct strbuf trace = STRBUF_INIT;

static void
expect_trace(const char *text)
{
    assert_string_equal(strbuf_cstr(&trace), text);
    strbuf_clear(&trace);
}

/* A pipe with a byte in it, watched for reading. */
struct source {
    struct ev_io io;
    int fds[2];
    char name;
    int alert_us;          /* what its callback asks for */
    struct source *victim; /* stopped (and freed, if `kill`) by this one's callback */
    bool kill;
    bool once;
};

static void
on_source(struct ev_io *io, short revents)
{
    struct source *s = io->aux;
    struct source *v = s->victim;

    strbuf_putc(&trace, s->name);
    if (s->alert_us) {
        evloop_stay_alert(io->loop, s->alert_us);
    }
    if (s->once) {
        ev_io_stop(io);
    }
    if (v) {
        s->victim = NULL;
        ev_io_stop(&v->io);
        if (s->kill) {
            close(v->fds[0]);
            close(v->fds[1]);
            free(v);
        }
    }
}

static struct source *
source_new(struct evloop *l, char name)
{
    struct source *s = calloc(1, sizeof *s);

    assert_int_equal(pipe2(s->fds, O_CLOEXEC), 0);
    assert_int_equal(write(s->fds[1], "x", 1), 1);
    s->name = name;
    ev_io_init(&s->io, l, on_source, s);
    ev_io_start(&s->io, s->fds[0], POLLIN);
    return s;
}

static void
source_free(struct source *s)
{
    ev_io_stop(&s->io);
    ev_io_stop(&s->io);
    close(s->fds[0]);
    close(s->fds[1]);
    free(s);
}

static void
test_io(void **state)
{
    struct evloop *l = evloop_create();
    struct source *a = source_new(l, 'a');
    struct source *b = source_new(l, 'b');
    struct source *c = source_new(l, 'c');
    struct source *d = source_new(l, 'd');

    evloop_turn(l, 0);
    expect_trace("abcd");
    a->victim = c;
    a->kill = true;
    b->victim = a; /* an earlier one: its event is past */
    evloop_turn(l, 0);
    expect_trace("abd");
    evloop_turn(l, 0);
    expect_trace("bd");
    d->victim = d;
    d->kill = true; /* frees itself */
    evloop_turn(l, 0);
    expect_trace("bd");
    evloop_turn(l, 0);
    expect_trace("b");
    ev_io_start(&b->io, b->fds[0], 0);
    evloop_turn(l, 0);
    expect_trace("");
    ev_io_start(&b->io, b->fds[0], POLLIN);
    ev_io_start(&a->io, a->fds[0], POLLIN);
    evloop_turn(l, 0);
    expect_trace("ba");
    source_free(b);
    source_free(a);
    evloop_destroy(l);
}

static void
test_io_bad_fd(void **state)
{
    struct evloop *l = evloop_create();
    struct source *a = source_new(l, 'a');
    uint64_t before = 0, after = 0;
    int fd = dup(a->fds[0]);

    ev_io_start(&a->io, fd, POLLIN);
    close(fd);
    assert_true(coverage_read("evloop_bad_fd", &before));
    evloop_turn(l, 0);
    expect_trace("a");
    assert_false(a->io.active);
    evloop_turn(l, 0);
    expect_trace("");
    assert_true(coverage_read("evloop_bad_fd", &after));
    assert_int_equal(after, before + 1);
    source_free(a);
    evloop_destroy(l);
}

/* Restarting a watcher on another descriptor voids the pending event of the first. */
static struct source *moved;
static int moved_to;

static void
on_mover(struct ev_io *io, short revents)
{
    strbuf_putc(&trace, 'm');
    ev_io_start(&moved->io, moved_to, POLLIN);
    ev_io_stop(io);
}

static void
test_io_move(void **state)
{
    struct evloop *l = evloop_create();
    struct source *m = source_new(l, 'm');
    struct source *a = source_new(l, 'a');
    int quiet[2];

    assert_int_equal(pipe2(quiet, O_CLOEXEC), 0);
    ev_io_stop(&m->io);
    ev_io_stop(&a->io);
    ev_io_init(&m->io, l, on_mover, m);
    ev_io_start(&m->io, m->fds[0], POLLIN);
    ev_io_start(&a->io, a->fds[0], POLLIN);
    moved = a;
    moved_to = quiet[0];
    evloop_turn(l, 0);
    evloop_turn(l, 0);
    expect_trace("m");
    source_free(m);
    source_free(a);
    close(quiet[0]);
    close(quiet[1]);
    evloop_destroy(l);
}

static void
on_defer(struct ev_defer *d)
{
    struct ev_defer *other = d->aux;

    strbuf_putc(&trace, 'D');
    if (other == d) {
        ev_defer_start(d);
    } else if (other) {
        ev_defer_stop(other);
    }
}

static void
test_defer(void **state)
{
    struct evloop *l = evloop_create();
    struct ev_defer a, b, c;

    ev_defer_init(&a, l, on_defer, &b);
    ev_defer_init(&b, l, on_defer, NULL);
    ev_defer_init(&c, l, on_defer, &c);
    ev_defer_start(&a);
    ev_defer_start(&a);
    ev_defer_start(&b);
    ev_defer_start(&c);
    evloop_turn(l, -1); /* does not wait; a stops b; c restarts itself */
    expect_trace("DD");
    evloop_turn(l, -1);
    expect_trace("D");
    ev_defer_stop(&c);
    ev_defer_start(&b);
    evloop_turn(l, 0);
    expect_trace("D");
    evloop_turn(l, 0);
    expect_trace("");
    evloop_destroy(l);
}

static void *
wake_later(void *loop)
{
    usleep(30000);
    evloop_wake(loop);
    return NULL;
}

static void *
stop_later(void *loop)
{
    usleep(30000);
    evloop_stop(loop);
    return NULL;
}

static void
test_wake(void **state)
{
    struct evloop *l = evloop_create();
    int64_t start = clock_real_ns();
    pthread_t t;

    evloop_wake(l);
    evloop_wake(l);
    evloop_turn(l, -1);
    t = thread_start("waker", wake_later, l);
    evloop_turn(l, 20000);
    thread_join(t);
    assert_true(clock_real_ns() - start < INT64_C(10000000000));
    t = thread_start("stopper", stop_later, l);
    evloop_run(l);
    thread_join(t);
    evloop_stop(l);
    evloop_run(l); /* told to stop beforehand */
    evloop_destroy(l);
}

/* A loop that is alert does not sleep at first, and then as long as ever. */
static void
test_alert(void **state)
{
    struct evloop *l = evloop_create();
    struct source *a = source_new(l, 'a');
    int64_t start = clock_real_ns();

    a->once = true;
    evloop_stay_alert(l, 20 * 1000000);
    evloop_turn(l, -1); /* the event ends it */
    expect_trace("a");
    assert_true(clock_real_ns() - start < INT64_C(10000000000));

    start = clock_real_ns();
    evloop_stay_alert(l, 30000);
    evloop_turn(l, 0); /* has no time to wait: not what was meant */
    assert_true(clock_real_ns() - start < INT64_C(10000000000));
    evloop_turn(l, 1);
    assert_true(clock_real_ns() - start >= 30000 * 1000);
    start = clock_real_ns();
    for (unsigned i = 0; i < 3; i++) {
        evloop_turn(l, 1); /* once only */
    }
    evloop_stay_alert(l, 20 * 1000000);
    evloop_wake(l);
    evloop_turn(l, -1);
    assert_true(clock_real_ns() - start < INT64_C(10000000000));
    source_free(a);
    evloop_destroy(l);
}

static void *
byte_later(void *fd)
{
    usleep(20000);
    assert_int_equal(write(*(int *) fd, "x", 1), 1);
    return NULL;
}

/* What made a loop alert is looked at more often than the others, which are seen all the same. */
static void
test_alert_others(void **state)
{
    struct evloop *l = evloop_create();
    struct source *a = source_new(l, 'a');
    struct source *b = source_new(l, 'b');
    char byte;

    for (unsigned i = 0; i < 2; i++) {
        struct source *from = i ? b : a;
        int64_t start = clock_real_ns();
        pthread_t t;

        assert_int_equal(read(b->fds[0], &byte, 1), 1);
        a->alert_us = 20 * 1000000;
        evloop_turn(l, -1);
        expect_trace("a");
        a->alert_us = 0;
        assert_int_equal(read(a->fds[0], &byte, 1), 1);
        assert_int_equal(pthread_create(&t, NULL, byte_later, &from->fds[1]), 0);
        evloop_turn(l, -1);
        expect_trace(i ? "b" : "a");
        assert_true(clock_real_ns() - start < INT64_C(10000000000));
        assert_int_equal(pthread_join(t, NULL), 0);
        assert_int_equal(write((i ? a : b)->fds[1], "x", 1), 1);
    }
    source_free(a);
    source_free(b);
    evloop_destroy(l);
}

/* The waiting loop is RCU-offline: a grace period on another thread ends meanwhile. */
static void *
grace_then_wake(void *loop)
{
    usleep(20000);
    synchronize_rcu();
    evloop_wake(loop);
    return NULL;
}

static void
test_rcu(void **state)
{
    struct evloop *l = evloop_create();
    pthread_t t = thread_start("grace", grace_then_wake, l);

    assert_true(thread_is_registered());
    assert_true(rcu_read_ongoing());
    evloop_turn(l, -1);
    assert_true(rcu_read_ongoing());
    thread_join(t);
    evloop_destroy(l);
}

struct named_timer {
    struct ev_timer t;
    char name;
    struct named_timer *stops;
    int64_t again; /* restarts itself after so many ms; -1: not */
};

static void
on_timer(struct ev_timer *t)
{
    struct named_timer *n = t->aux;

    assert_false(t->active);
    strbuf_putc(&trace, n->name);
    if (n->stops) {
        ev_timer_stop(&n->stops->t);
    }
    if (n->again >= 0) {
        ev_timer_start(t, n->again);
    }
}

static void
timer_setup(struct named_timer *n, struct evloop *l, char name)
{
    ev_timer_init(&n->t, l, on_timer, n);
    n->name = name;
    n->stops = NULL;
    n->again = -1;
}

static void
test_real_timer(void **state)
{
    struct evloop *l = evloop_create();
    struct named_timer a;
    int64_t start = clock_real_ns();

    timer_setup(&a, l, 'a');
    ev_timer_start(&a.t, 30);
    while (!trace.len) {
        evloop_turn(l, -1);
    }
    expect_trace("a");
    assert_true(clock_real_ns() - start >= 29000000);
    evloop_destroy(l);
}

static int n_warps;

static void
on_warp(void *aux)
{
    n_warps++;
}

static void
test_virtual_timers(void **state)
{
    struct evloop *l = evloop_create();
    struct named_timer a, b, c, z;
    int64_t now, wall;

    timer_setup(&a, l, 'a');
    timer_setup(&b, l, 'b');
    timer_setup(&c, l, 'c');
    timer_setup(&z, l, 'z');
    clock_warp_subscribe(on_warp, NULL);
    clock_stop();
    assert_true(clock_is_stopped());
    now = clock_now_ms();
    wall = clock_wall_ms();
    usleep(3000);
    assert_int_equal(clock_now_ms(), now);

    ev_timer_start(&b.t, 3600 * 1000);
    ev_timer_start(&a.t, 1000);
    ev_timer_start(&c.t, 1000); /* same instant: in the order of starting */
    evloop_turn(l, 5);
    expect_trace("");
    clock_warp(999);
    evloop_turn(l, 0);
    expect_trace("");
    clock_warp(1);
    evloop_turn(l, -1);
    expect_trace("ac");
    clock_warp(3599 * 1000);
    evloop_turn(l, -1);
    expect_trace("b");
    assert_int_equal(clock_now_ms() - now, 3600 * 1000);
    assert_int_equal(clock_wall_ms() - wall, 3600 * 1000);
    assert_int_equal(n_warps, 3);

    /* A timer that restarts itself at once runs once a turn. */
    z.again = 0;
    ev_timer_start(&z.t, 0);
    evloop_turn(l, -1);
    evloop_turn(l, -1);
    expect_trace("zz");
    ev_timer_stop(&z.t);

    /* One due timer stops the next due one. */
    a.stops = &b;
    ev_timer_start(&a.t, 1);
    ev_timer_start(&b.t, 2);
    ev_timer_start(&c.t, 3);
    ev_timer_start(&c.t, 4);
    clock_warp(10);
    evloop_turn(l, 0);
    expect_trace("ac");
    evloop_destroy(l);
}

static int64_t last_due;
static unsigned n_fired;

static void
on_ordered(struct ev_timer *t)
{
    assert_true(t->due_ms >= last_due);
    last_due = t->due_ms;
    n_fired++;
}

static void
test_timer_heap(void **state)
{
    enum { N = 500 };
    static struct ev_timer timers[N];
    struct evloop *l = evloop_create();
    unsigned n_active = 0;

    srand(3);
    for (int i = 0; i < N; i++) {
        ev_timer_init(&timers[i], l, on_ordered, NULL);
        ev_timer_start(&timers[i], rand() % 1000);
    }
    for (int i = 0; i < N; i++) {
        int k = rand() % N;

        if (rand() % 2) {
            ev_timer_stop(&timers[k]);
        } else {
            ev_timer_start(&timers[k], rand() % 1000);
        }
    }
    for (int i = 0; i < N; i++) {
        n_active += timers[i].active;
    }
    clock_warp(400);
    evloop_turn(l, 0);
    assert_in_range(n_fired, 1, n_active - 1);
    clock_warp(600);
    evloop_turn(l, 0);
    assert_int_equal(n_fired, n_active);
    evloop_destroy(l);
}

static char hook_order[8];

static void
hook_a(void)
{
    if (!strcmp(thread_name(), "hooked")) {
        strcat(hook_order, "a");
    }
}

static void
hook_b(void)
{
    if (!strcmp(thread_name(), "hooked")) {
        strcat(hook_order, "b");
    }
}

static void *
hooked_thread(void *arg)
{
    assert_true(thread_id() > 0);
    COVERAGE_ADD(test_evloop_event, 7);
    return arg;
}

static void *
foreign_thread(void *arg)
{
    COVERAGE_INC(test_evloop_event);
    return arg;
}

static void
test_threads(void **state)
{
    uint64_t before = 0, after = 0;
    pthread_t t;

    assert_int_equal(thread_id(), 0);
    assert_string_equal(thread_name(), "");
    thread_exit_hook_add(hook_a);
    thread_exit_hook_add(hook_b);
    COVERAGE_INC(test_evloop_event);
    assert_true(coverage_read("test_evloop_event", &before));
    thread_join(thread_start("hooked", hooked_thread, NULL));
    assert_string_equal(hook_order, "ba");
    /* Also a thread that is not ours keeps what it counted. */
    assert_int_equal(pthread_create(&t, NULL, foreign_thread, NULL), 0);
    thread_join(t);
    assert_true(coverage_read("test_evloop_event", &after));
    assert_int_equal(after, before + 8);
}

static struct spinlock spin;
static struct mutex mutex = MUTEX_INIT;
static unsigned counted;

static void *
count_by_mutex(void *arg)
{
    for (int i = 0; i < 20000; i++) {
        mutex_lock(&mutex);
        counted++;
        mutex_unlock(&mutex);
    }
    return NULL;
}

static void *
count_by_spinlock(void *arg)
{
    for (int i = 0; i < 20000; i++) {
        spinlock_lock(&spin);
        counted++;
        spinlock_unlock(&spin);
    }
    return NULL;
}

static void
check_lock(void *(*fn)(void *) )
{
    pthread_t a, b;

    counted = 0;
    a = thread_start("a", fn, NULL);
    b = thread_start("b", fn, NULL);
    thread_join(a);
    thread_join(b);
    assert_int_equal(counted, 40000);
}

/* Trying a lock that is held is what the analysis exists to refuse. */
static void
test_locks(void **state) NO_THREAD_SAFETY
{
    check_lock(count_by_mutex);
    check_lock(count_by_spinlock);
    assert_true(spinlock_trylock(&spin));
    assert_false(spinlock_trylock(&spin));
    spinlock_unlock(&spin);
}

static void
test_cycles(void **state)
{
    uint64_t hz = clock_cycles_hz();

    assert_true(hz >= 1000000 && hz <= UINT64_C(20000000000));
    assert_true(clock_cycles() <= clock_cycles());
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_io),
        cmocka_unit_test(test_io_bad_fd),
        cmocka_unit_test(test_io_move),
        cmocka_unit_test(test_defer),
        cmocka_unit_test(test_wake),
        cmocka_unit_test(test_alert),
        cmocka_unit_test(test_alert_others),
        cmocka_unit_test(test_rcu),
        cmocka_unit_test(test_real_timer),
        cmocka_unit_test(test_threads),
        cmocka_unit_test(test_locks),
        cmocka_unit_test(test_cycles),
        /* The clock stands still from here on. */
        cmocka_unit_test(test_virtual_timers),
        cmocka_unit_test(test_timer_heap),
    };
    int failed;

    thread_adopt("");
    failed = cmocka_run_group_tests(tests, NULL, NULL);
    strbuf_free(&trace);
    return failed;
}
