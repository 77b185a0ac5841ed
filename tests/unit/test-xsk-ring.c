/* SPDX-License-Identifier: Apache-2.0 */
/* Ring operations against fake shared words, in particular where indices wrap at 2^32. */

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>
#include <cmocka.h>

#include "netdev/afxdp/xsk-ring.h"

#define SIZE 8u

/* The memory that the kernel would share. */
static struct {
    _Atomic uint32_t producer, consumer, flags;
    union {
        uint64_t addr[SIZE];
        struct xdp_desc desc[SIZE];
    } e;
} shared;

static struct xsk_ring
ring_at(uint32_t start)
{
    memset(&shared, 0, sizeof shared);
    atomic_store(&shared.producer, start);
    atomic_store(&shared.consumer, start);
    return (struct xsk_ring){
        .prod = start,
        .cons = start,
        .mask = SIZE - 1,
        .size = SIZE,
        .producer = &shared.producer,
        .consumer = &shared.consumer,
        .flags = &shared.flags,
        .entries = &shared.e,
    };
}

static const uint32_t starts[] = {0, 5, UINT32_MAX - 3, UINT32_MAX, UINT32_MAX - SIZE};

static void
test_produce(void **state)
{
    for (size_t s = 0; s < ARRAY_SIZE(starts); s++) {
        struct xsk_ring r = ring_at(starts[s]);

        assert_int_equal(xsk_ring_room(&r, 100), SIZE);
        for (unsigned i = 0; i < 5; i++) {
            xsk_ring_put_addr(&r, 1000 + i);
        }
        assert_int_equal(shared.producer, starts[s]); /* not shown before the submit */
        assert_int_equal(xsk_ring_backlog(&r), 0);
        xsk_ring_submit(&r);
        assert_int_equal(shared.producer, (uint32_t) (starts[s] + 5));
        assert_int_equal(xsk_ring_backlog(&r), 5);
        for (unsigned i = 0; i < 5; i++) {
            assert_int_equal(shared.e.addr[(starts[s] + i) % SIZE], 1000 + i);
        }
        assert_int_equal(xsk_ring_room(&r, 100), 3);
        atomic_store(&shared.consumer, starts[s] + 4);
        assert_int_equal(xsk_ring_room(&r, 2), 2); /* known room: shared word not read */
        assert_int_equal(r.cons, starts[s]);
        assert_int_equal(xsk_ring_room(&r, 100), 7);
        for (unsigned i = 0; i < 7; i++) {
            xsk_ring_put_addr(&r, 2000 + i);
        }
        xsk_ring_submit(&r);
        assert_int_equal(xsk_ring_room(&r, 1), 0); /* full */
        assert_int_equal(xsk_ring_backlog(&r), SIZE);
        atomic_store(&shared.consumer, starts[s] + 12);
        assert_int_equal(xsk_ring_room(&r, 100), SIZE);
        assert_false(r.broken);
    }
}

static void
test_consume(void **state)
{
    for (size_t s = 0; s < ARRAY_SIZE(starts); s++) {
        struct xsk_ring r = ring_at(starts[s]);
        uint32_t next = 0;

        assert_int_equal(xsk_ring_peek(&r, 32), 0);
        for (unsigned round = 0; round < 7; round++) {
            for (unsigned i = 0; i < 6; i++) {
                uint32_t at = atomic_load(&shared.producer);
                shared.e.desc[at % SIZE] = (struct xdp_desc){round * 6 + i, 60, 0};
                atomic_store(&shared.producer, at + 1);
            }
            assert_int_equal(xsk_ring_peek(&r, 4), 4);
            for (unsigned i = 0; i < 4; i++) {
                struct xdp_desc d = xsk_ring_get_desc(&r);
                assert_int_equal(d.addr, next++);
                assert_int_equal(d.len, 60);
            }
            xsk_ring_release(&r);
            assert_int_equal(shared.consumer, (uint32_t) (starts[s] + round * 6 + 4));
            assert_int_equal(xsk_ring_peek(&r, 32), 2);
            assert_int_equal(xsk_ring_get_desc(&r).addr, next++);
            assert_int_equal(xsk_ring_get_desc(&r).addr, next++);
            xsk_ring_release(&r);
        }
        assert_int_equal(xsk_ring_peek(&r, 32), 0);
        assert_false(r.broken);
    }
}

static void
test_completion_addresses(void **state)
{
    struct xsk_ring r = ring_at(UINT32_MAX);

    shared.e.addr[UINT32_MAX % SIZE] = 77;
    shared.e.addr[0] = 78;
    atomic_store(&shared.producer, 1);
    assert_int_equal(xsk_ring_peek(&r, 64), 2);
    assert_int_equal(xsk_ring_get_addr(&r), 77);
    assert_int_equal(xsk_ring_get_addr(&r), 78);
    xsk_ring_release(&r);
    assert_int_equal(shared.consumer, 1);
}

/* Indices that the other side cannot rightly have. */
static void
test_nonsense(void **state)
{
    for (size_t s = 0; s < ARRAY_SIZE(starts); s++) {
        struct xsk_ring r = ring_at(starts[s]);
        atomic_store(&shared.producer, starts[s] + SIZE + 1);
        assert_int_equal(xsk_ring_peek(&r, 32), 0);
        assert_true(r.broken);
        assert_int_equal(xsk_ring_backlog(&r), 0);

        r = ring_at(starts[s]);
        assert_int_equal(xsk_ring_room(&r, 8), 8);
        for (unsigned i = 0; i < 8; i++) {
            xsk_ring_put_desc(&r, i, 60, 0);
        }
        xsk_ring_submit(&r);
        atomic_store(&shared.consumer, starts[s] + SIZE + 1); /* consumed more than there was */
        assert_int_equal(xsk_ring_room(&r, 8), 0);
        assert_true(r.broken);
    }
}

static void
test_wakeup_flag(void **state)
{
    struct xsk_ring r = ring_at(0);

    assert_false(xsk_ring_needs_wakeup(&r));
    atomic_store(&shared.flags, XDP_RING_NEED_WAKEUP);
    assert_true(xsk_ring_needs_wakeup(&r));
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_produce),
        cmocka_unit_test(test_consume),
        cmocka_unit_test(test_completion_addresses),
        cmocka_unit_test(test_nonsense),
        cmocka_unit_test(test_wakeup_flag),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
