/* SPDX-License-Identifier: Apache-2.0 */
/* Filling an AF_XDP queue's fill ring.  While packet memory is short, nothing is asked for in
 * vain poll after poll, an episode counts once, and frames that come back go into the ring.
 * Otherwise a few missing frames wait for a poll that finds no packets, but not many. */

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "mem/arena.h"
#include "netdev/afxdp/afxdp-private.h"
#include "os/thread.h"
#include "packet/packet.h"
#include "util/xalloc.h"

#define RING 256u
#define TARGET 200u

static struct {
    _Atomic uint32_t producer, consumer, flags;
    uint64_t addr[RING];
} ring;

static struct {
    _Atomic uint32_t producer, consumer, flags;
    struct xdp_desc desc[RING];
} rx_ring;

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

static struct xsk_queue *
make_queue(struct arena *a)
{
    struct xsk_queue *q = xzalloc_cacheline(sizeof *q);

    memset(&ring, 0, sizeof ring);
    memset(&rx_ring, 0, sizeof rx_ring);
    *q = (struct xsk_queue){.arena = a, .fill_target = TARGET, .holder = 1};
    q->fill = (struct xsk_ring){
        .mask = RING - 1,
        .size = RING,
        .producer = &ring.producer,
        .consumer = &ring.consumer,
        .flags = &ring.flags,
        .entries = ring.addr,
    };
    q->rx = (struct xsk_ring){
        .mask = RING - 1,
        .size = RING,
        .producer = &rx_ring.producer,
        .consumer = &rx_ring.consumer,
        .flags = &rx_ring.flags,
        .entries = rx_ring.desc,
    };
    return q;
}

/* The frames put into the ring since its producer was `from` go home. */
static void
free_filled(struct xsk_queue *q, uint32_t from)
{
    struct frame *frames[RING];
    uint32_t n = 0, end = atomic_load(&ring.producer);

    for (; from != end; from++, n++) {
        frames[n] = arena_frame_at(q->arena, ring.addr[from & (RING - 1)]);
        frame_set_owner(frames[n], FRAME_OWNER_USER);
    }
    frame_free(frames, n);
    atomic_store(&ring.consumer, end);
    atomic_store(&q->in_kernel, 0);
}

static void
test_starved(void **state)
{
    struct frame **hold;
    struct xsk_queue *q;
    struct arena *a;
    char *err = NULL;
    unsigned n;

    assert_int_equal(arena_get(0, FRAME_SZ_SMALL, 1024, &a, &err), 0);
    q = make_queue(a);
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
    free_filled(q, 0);
    assert_int_equal(arena_n_available(a), a->n_frames);
    free(hold);
    free(q);
    arena_put(a, 1024);
}

/* Another thread gives and takes as many frames as one burst of filling asks for. */
#define SWING 64u

struct swing {
    struct arena *arena;
    _Atomic bool stop;
};

static void *
swing_main(void *s_)
{
    struct swing *s = s_;
    struct frame *frames[SWING];

    while (!atomic_load(&s->stop)) {
        unsigned n = frame_alloc(s->arena, frames, SWING);

        arena_thread_flush();
        frame_free(frames, n);
        arena_thread_flush();
    }
    return NULL;
}

/* The shortage may end between any two looks at it: no more is taken than was asked for. */
static void
test_shortage_ends_meanwhile(void **state)
{
    struct swing swing = {0};
    struct xsk_queue *q;
    struct frame **hold;
    char *err = NULL;
    pthread_t thread;
    unsigned n;

    assert_int_equal(arena_get(0, FRAME_SZ_SMALL, 1024, &swing.arena, &err), 0);
    q = make_queue(swing.arena);
    hold = xcalloc(swing.arena->n_frames, sizeof *hold);
    n = frame_alloc(swing.arena, hold, swing.arena->n_frames - SWING - SWING / 2);
    arena_thread_flush();
    thread = thread_start("swing", swing_main, &swing);
    for (unsigned i = 0; i < 300000; i++) {
        q->starved = true;
        xsk_fill(q);
        assert_true(in_kernel(q) <= SWING + SWING / 2);
        free_filled(q, atomic_load(&ring.consumer));
        arena_thread_flush();
    }
    atomic_store(&swing.stop, true);
    thread_join(thread);
    frame_free(hold, n);
    assert_int_equal(arena_n_available(swing.arena), swing.arena->n_frames);
    free(hold);
    free(q);
    arena_put(swing.arena, 1024);
}

/* As the kernel does it: packets into the oldest frames of the fill ring. */
static void
kernel_receives(unsigned n)
{
    while (n--) {
        uint32_t from = atomic_fetch_add(&ring.consumer, 1) & (RING - 1);
        uint32_t to = atomic_load(&rx_ring.producer) & (RING - 1);

        rx_ring.desc[to] =
            (struct xdp_desc){.addr = ring.addr[from] + FRAME_DATA_OFS, .len = 60};
        atomic_fetch_add(&rx_ring.producer, 1);
    }
}

static void
expect_burst(struct xsk_queue *q, unsigned n)
{
    struct packet_batch batch;

    assert_int_equal(xsk_rx_burst(q, &batch, 0), n);
    packet_batch_free(&batch);
}

static void
test_fill_waits(void **state)
{
    struct xsk_queue *q;
    struct arena *a;
    char *err = NULL;

    assert_int_equal(arena_get(0, FRAME_SZ_SMALL, 1024, &a, &err), 0);
    q = make_queue(a);
    expect_burst(q, 0);
    assert_int_equal(in_kernel(q), TARGET);

    /* A few: not in the same turn, but in the next that has nothing else to do. */
    kernel_receives(5);
    expect_burst(q, 5);
    assert_int_equal(in_kernel(q), TARGET - 5);
    expect_burst(q, 0);
    assert_int_equal(in_kernel(q), TARGET);

    /* Many: at once. */
    kernel_receives(31);
    expect_burst(q, 31);
    assert_int_equal(in_kernel(q), TARGET - 31);
    kernel_receives(1);
    expect_burst(q, 1);
    assert_int_equal(in_kernel(q), TARGET);

    /* What is many depends on how many there are. */
    free_filled(q, atomic_load(&ring.consumer));
    q->fill_target = 16;
    expect_burst(q, 0);
    kernel_receives(3);
    expect_burst(q, 3);
    assert_int_equal(in_kernel(q), 13);
    kernel_receives(1);
    expect_burst(q, 1);
    assert_int_equal(in_kernel(q), 16);

    free_filled(q, atomic_load(&ring.consumer));
    assert_int_equal(arena_n_available(a), a->n_frames);
    free(q);
    arena_put(a, 1024);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_starved),
        cmocka_unit_test(test_shortage_ends_meanwhile),
        cmocka_unit_test(test_fill_waits),
    };

    thread_adopt("");
    return cmocka_run_group_tests(tests, NULL, NULL);
}
