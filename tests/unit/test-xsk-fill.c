/* SPDX-License-Identifier: Apache-2.0 */
/* Filling an AF_XDP queue's fill ring while packet memory is short: nothing is asked for in
 * vain poll after poll, an episode counts once, and frames that come back go into the ring. */

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "mem/arena.h"
#include "netdev/afxdp/afxdp-private.h"
#include "os/thread.h"
#include "util/xalloc.h"

#define RING 256u
#define TARGET 200u

static struct {
    _Atomic uint32_t producer, consumer, flags;
    uint64_t addr[RING];
} ring;

static uint64_t
n_refused(const struct arena *a)
{
    struct arena_stats s;

    arena_get_stats(a, &s);
    return s.alloc_failed;
}

static uint32_t
in_kernel(const struct xsk_queue *q)
{
    return atomic_load(&q->in_kernel);
}

static void
test_starved(void **state)
{
    struct frame **hold;
    struct xsk_queue *q = xzalloc_cacheline(sizeof *q);
    struct arena *a;
    char *err = NULL;
    unsigned n;

    assert_int_equal(arena_get(0, FRAME_SZ_SMALL, 1024, &a, &err), 0);
    *q = (struct xsk_queue){.arena = a, .fill_target = TARGET, .holder = 1};
    q->fill = (struct xsk_ring){
        .mask = RING - 1,
        .size = RING,
        .producer = &ring.producer,
        .consumer = &ring.consumer,
        .flags = &ring.flags,
        .entries = ring.addr,
    };
    hold = xcalloc(a->n_frames, sizeof *hold);
    n = frame_alloc(a, hold, a->n_frames - 10);
    assert_int_equal(n, a->n_frames - 10);
    assert_int_equal(arena_n_available(a), 10);
    assert_int_equal(n_refused(a), 0);

    xsk_fill(q);
    assert_int_equal(in_kernel(q), 10);
    assert_int_equal(n_refused(a), 1);
    assert_int_equal(xsk_counted(&q->fill_starved), 1);
    for (unsigned i = 0; i < 1000; i++) {
        xsk_fill(q);
    }
    assert_int_equal(n_refused(a), 1);
    assert_int_equal(xsk_counted(&q->fill_starved), 1);

    /* Some come back, and are taken at once; it is still the same shortage. */
    n -= 5;
    frame_free(hold + n, 5);
    xsk_fill(q);
    assert_int_equal(in_kernel(q), 15);
    assert_int_equal(arena_n_available(a), 0);
    xsk_fill(q);
    assert_int_equal(n_refused(a), 1);

    /* It ends with a full ring; the next one counts anew. */
    n -= TARGET;
    frame_free(hold + n, TARGET);
    xsk_fill(q);
    assert_int_equal(in_kernel(q), TARGET);
    assert_int_equal(arena_n_available(a), 15);
    assert_int_equal(n_refused(a), 1);
    atomic_store(&ring.consumer, 20);
    atomic_store(&q->in_kernel, TARGET - 20);
    xsk_fill(q);
    assert_int_equal(in_kernel(q), TARGET - 5);
    assert_int_equal(n_refused(a), 2);
    assert_int_equal(xsk_counted(&q->fill_starved), 2);

    /* All home: those held, and those in the ring. */
    frame_free(hold, n);
    for (uint32_t id = 0; id < a->n_frames; id++) {
        struct frame *f = arena_frame(a, id);

        if (f->owner == FRAME_OWNER_FILL) {
            frame_set_owner(f, FRAME_OWNER_USER);
            frame_free(&f, 1);
        }
    }
    assert_int_equal(arena_n_available(a), a->n_frames);
    free(hold);
    free(q);
    arena_put(a, 1024);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_starved),
    };

    thread_adopt("");
    return cmocka_run_group_tests(tests, NULL, NULL);
}
