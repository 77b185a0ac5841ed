/* SPDX-License-Identifier: Apache-2.0 */
/* The frame arena: layout, allocation through thread caches, references, quarantine, teardown.
 */

#include <cap-ng.h>
#include <errno.h>
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <time.h>
#include <cmocka.h>

#include "mem/arena.h"
#include "os/caps.h"
#include "os/thread.h"

static struct arena *
get(uint32_t frame_sz, uint32_t promise)
{
    struct arena *a;
    char *err = NULL;

    assert_int_equal(arena_get(0, frame_sz, promise, &a, &err), 0);
    assert_null(err);
    assert_non_null(a);
    return a;
}

static void
assert_all_home(const struct arena *a)
{
    struct arena_stats s;

    arena_get_stats(a, &s);
    assert_int_equal(s.n_free + s.n_cached, s.n_frames);
    assert_int_equal(s.n_quarantined, 0);
}

static void
sleep_ms(int ms)
{
    struct timespec ts = {0, ms * 1000000L};
    nanosleep(&ts, NULL);
}

static void
test_layout(void **state)
{
    struct arena *a = get(FRAME_SZ_SMALL, 1024);

    assert_int_equal((uintptr_t) a->base % (2u << 20), 0);
    assert_int_equal(a->size, (uint64_t) a->n_frames << a->frame_shift);
    assert_int_equal(arena_frame_sz(a), FRAME_SZ_SMALL);
    assert_ptr_equal(arena_by_no(a->no), a);
    for (uint32_t id = 0; id < a->n_frames; id += 333) {
        struct frame *f = arena_frame(a, id);
        assert_int_equal(f->id, id);
        assert_int_equal(f->arena_no, a->no);
        assert_int_equal(f->owner, FRAME_OWNER_FREE);
        assert_ptr_equal(arena_frame_at(a, arena_addr(a, f) + FRAME_DATA_OFS + 77), f);
    }
    arena_put(a, 1024);
    assert_null(arenas[0]);
}

static void
test_promises(void **state)
{
    if (!caps_have_ipc_lock() && caps_memlock_limit() < (64u << 20)) {
        skip(); /* see test_memlock() */
    }
    arena_set_plan(2048);
    struct arena *a = get(FRAME_SZ_SMALL, 1024), *b = get(FRAME_SZ_SMALL, 512);
    assert_ptr_equal(a, b);
    assert_int_equal(a->n_frames, 2048);
    assert_int_equal(arena_get_more(a, 100, 0), 100);
    assert_int_equal(arena_get_more(b, 1000, 0), 206); /* half of the 412 that are left */
    struct arena *c = get(FRAME_SZ_SMALL, 207);     /* one more than there is */
    assert_ptr_not_equal(a, c);
    struct arena *d = get(FRAME_SZ_LARGE, 10);
    assert_int_equal(arena_frame_sz(d), FRAME_SZ_LARGE);
    struct arena *e = get(FRAME_SZ_LARGE, 5000); /* more than the plan */
    assert_true(e->n_frames >= 5000);
    arena_put(e, 5000);
    arena_put(d, 10);
    arena_put(c, 207);
    arena_put(b, 512 + 306);
    assert_ptr_equal(arenas[0], a);
    arena_put(a, 1024);
    for (unsigned i = 0; i < ARENA_MAX; i++) {
        assert_null(arenas[i]);
    }
    char *err = NULL;
    assert_int_equal(arena_get(0, 1000, 1, &a, &err), EINVAL);
    assert_non_null(err);
    free(err);
}

static void
test_exhaust(void **state)
{
    static struct frame *all[4096];
    struct arena_stats s;

    arena_set_plan(1024);
    struct arena *a = get(FRAME_SZ_SMALL, 1);
    unsigned n = 0;
    static uint8_t seen[4096];
    for (unsigned got; (got = frame_alloc(a, all + n, 31)) != 0;) {
        n += got;
    }
    assert_int_equal(n, a->n_frames);
    for (unsigned i = 0; i < n; i++) {
        assert_int_equal(all[i]->owner, FRAME_OWNER_USER);
        assert_int_equal(all[i]->refcnt, 1);
        assert_false(seen[all[i]->id]++);
    }
    arena_get_stats(a, &s);
    assert_int_equal(s.n_free + s.n_cached, 0);
    assert_true(s.alloc_failed > 0);
    arena_put(a, 1);
    assert_non_null(arenas[0]); /* frames are still out */
    for (unsigned i = 0; i < n; i += 64) {
        frame_free(all + i, n - i < 64 ? n - i : 64);
    }
    assert_all_home(a);
    arena_collect();
    assert_null(arenas[0]);
}

static void
test_references(void **state)
{
    struct arena *a = get(FRAME_SZ_SMALL, 1);
    struct frame *f;

    assert_int_equal(frame_alloc(a, &f, 1), 1);
    frame_ref(f);
    frame_ref(f);
    frame_free(&f, 1);
    frame_free(&f, 1);
    assert_int_equal(f->owner, FRAME_OWNER_USER);
    frame_free(&f, 1);
    assert_int_equal(f->owner, FRAME_OWNER_FREE);
    assert_all_home(a);
#if !ARENA_DEBUG
    frame_free(&f, 1); /* counted, and without effect */
    assert_all_home(a);
#endif
    arena_put(a, 1);
}

static void
test_quarantine(void **state)
{
    struct arena *a = get(FRAME_SZ_SMALL, 1);
    struct arena_stats s;
    struct frame *f[100];

    uint16_t h = arena_holder_alloc(), other = arena_holder_alloc();
    assert_int_not_equal(h, 0);
    assert_int_not_equal(h, other);
    assert_int_equal(frame_alloc_fill(a, f, 60, h), 60);
    assert_int_equal(frame_alloc_fill(a, f + 60, 40, other), 40);
    assert_int_equal(f[0]->refcnt, 1);
    assert_int_equal(arena_quarantine_holder(a, h, 30), 60);
    assert_int_equal(arena_quarantine_holder(a, h, 30), 0);
    arena_get_stats(a, &s);
    assert_int_equal(s.n_quarantined, 60);
    arena_collect();
    arena_get_stats(a, &s);
    assert_int_equal(s.n_quarantined, 60);
    assert_int_equal(f[0]->owner, FRAME_OWNER_QUARANTINE);
    frame_set_owner(f[60], FRAME_OWNER_TX);
    frame_ref(f[60]);
    arena_quarantine(f + 60, 1, 0);
    assert_int_equal(f[60]->owner, FRAME_OWNER_TX); /* somebody else transmits it still */
    assert_int_equal(arena_quarantine_holder(a, other, 0), 39);
    arena_put(a, 1);
    sleep_ms(40);
    arena_collect();
    assert_ptr_equal(arenas[0], a); /* f[60] is held once more */
    frame_free(&f[60], 1);
    assert_all_home(a);
    arena_collect();
    assert_null(arenas[0]);
    arena_holder_free(h);
    arena_holder_free(other);
}

/* Threads pass frames round a ring of mailboxes: allocated by one, freed by the next. */
#define N_THREADS 3
#define ROUNDS 3000
static struct arena *shared;
static struct {
    pthread_mutex_t lock;
    unsigned n;
    struct frame *frames[64];
} box[N_THREADS] = {{PTHREAD_MUTEX_INITIALIZER, 0, {NULL}},
                    {PTHREAD_MUTEX_INITIALIZER, 0, {NULL}},
                    {PTHREAD_MUTEX_INITIALIZER, 0, {NULL}}};

static void *
pass_on(void *me_)
{
    unsigned me = (unsigned) (uintptr_t) me_, to = (me + 1) % N_THREADS;

    for (unsigned i = 0; i < ROUNDS; i++) {
        struct frame *f[64];
        unsigned n = frame_alloc(shared, f, 1 + i % 64);

        for (unsigned k = 0; k < n; k++) {
            *((uint32_t *) (void *) f[k] + 10) = f[k]->id ^ me;
        }
        pthread_mutex_lock(&box[to].lock);
        if (!box[to].n) {
            memcpy(box[to].frames, f, n * sizeof f[0]);
            box[to].n = n;
            n = 0;
        }
        pthread_mutex_unlock(&box[to].lock);
        frame_free(f, n);
        pthread_mutex_lock(&box[me].lock);
        n = box[me].n;
        memcpy(f, box[me].frames, n * sizeof f[0]);
        box[me].n = 0;
        pthread_mutex_unlock(&box[me].lock);
        frame_free(f, n);
    }
    return NULL;
}

static void
test_threads(void **state)
{
    pthread_t t[N_THREADS];
    struct arena_stats s;

    arena_set_plan(1024);
    shared = get(FRAME_SZ_SMALL, 1);
    for (unsigned i = 0; i < N_THREADS; i++) {
        t[i] = thread_start("passer", pass_on, (void *) (uintptr_t) i);
    }
    for (unsigned i = 0; i < N_THREADS; i++) {
        thread_join(t[i]);
    }
    for (unsigned i = 0; i < N_THREADS; i++) {
        frame_free(box[i].frames, box[i].n);
        box[i].n = 0;
    }
    arena_thread_flush();
    arena_get_stats(shared, &s);
    assert_int_equal(s.n_cached, 0); /* ended threads have given theirs back */
    assert_int_equal(s.n_free, s.n_frames);
    struct strbuf out = STRBUF_INIT;
    arena_show(&out);
    assert_non_null(strstr(strbuf_cstr(&out), "1024 frames of 2048 bytes"));
    strbuf_free(&out);
    arena_put(shared, 1);
    assert_null(arenas[0]);
}

/* In a container: 8 MiB may be locked, and four ports must be able to pin the arena. */
static void
test_memlock(void **state)
{
    struct rlimit rl;
    struct arena *a, *b;
    char *err = NULL;

    assert_int_equal(getrlimit(RLIMIT_MEMLOCK, &rl), 0);
    rl.rlim_cur = 8u << 20;
    if (setrlimit(RLIMIT_MEMLOCK, &rl)) {
        skip(); /* the hard limit is lower still */
    }
    capng_get_caps_process();
    capng_update(CAPNG_DROP, CAPNG_EFFECTIVE, CAP_IPC_LOCK);
    capng_apply(CAPNG_SELECT_CAPS);
    assert_false(caps_have_ipc_lock());

    arena_set_plan(16384);
    a = get(FRAME_SZ_SMALL, 256);
    assert_int_equal(a->size, 2u << 20);
    assert_int_equal(arena_get(0, FRAME_SZ_SMALL, 1025, &b, &err), ENOMEM);
    assert_null(b);
    assert_non_null(strstr(err, "locked-memory limit"));
    free(err);
    assert_int_equal(arena_get_more(a, 1000, 0), 384);
    assert_ptr_equal(get(FRAME_SZ_SMALL, 256), a);
    arena_put(a, 256);
    arena_put(a, 256 + 384);
    assert_null(arenas[0]);
    /* A minimum, even where it cannot be pinned four times. */
    a = get(FRAME_SZ_LARGE, 1);
    assert_int_equal(a->n_frames, 1024);
    arena_put(a, 1);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_layout),     cmocka_unit_test(test_promises),
        cmocka_unit_test(test_exhaust),    cmocka_unit_test(test_references),
        cmocka_unit_test(test_quarantine), cmocka_unit_test(test_threads),
        cmocka_unit_test(test_memlock),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
