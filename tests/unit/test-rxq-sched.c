/* SPDX-License-Identifier: Apache-2.0 */
/* Unit tests of lib/datapath/pmd-sched.c: which core polls which queue. */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "datapath/pmd-sched.h"

#define N(A) (sizeof(A) / sizeof((A)[0]))

/* Cores 1, 2, 3 of node 0 and 5 of node 1. */
#define CORES                                                                                  \
    {                                                                                          \
        {.core = 1}, {.core = 2}, {.core = 3},                                                 \
        {                                                                                      \
            .core = 5, .numa = 1                                                               \
        }                                                                                      \
    }

static void
check(const struct sched_rxq *q, size_t n, const int *want)
{
    for (size_t i = 0; i < n; i++) {
        assert_int_equal(q[i].core, want[i]);
    }
}

static void
test_roundrobin(void **state)
{
    struct sched_core c[] = CORES;
    struct sched_rxq q[] = {
        {.pin = -1, .cycles = 1},
        {.pin = -1, .cycles = 9},
        {.pin = -1, .numa = 1},
        {.pin = -1},
        {.pin = -1},
        {.pin = -1, .numa = 1},
    };
    const int want[] = {0, 1, 3, 2, 0, 3};

    pmd_sched_assign(SCHED_ROUNDROBIN, true, c, N(c), q, N(q));
    check(q, N(q), want);
    assert_int_equal(c[0].n_rxqs, 2);
    assert_int_equal(c[3].n_rxqs, 2);
    assert_false(q[0].other_numa);
}

static void
test_cycles_there_and_back(void **state)
{
    struct sched_core c[] = CORES;
    struct sched_rxq q[] = {
        {.pin = -1, .cycles = 10}, {.pin = -1, .cycles = 60}, {.pin = -1, .cycles = 20},
        {.pin = -1, .cycles = 50}, {.pin = -1, .cycles = 30}, {.pin = -1, .cycles = 40},
        {.pin = -1, .cycles = 5},
    };
    /* 60 50 40 | 30 20 10 back | 5 forth again */
    const int want[] = {0, 0, 1, 1, 2, 2, 0};

    pmd_sched_assign(SCHED_CYCLES, true, c, N(c), q, N(q));
    check(q, N(q), want);
    assert_int_equal(c[0].load, 75);
}

static void
test_group_least_loaded(void **state)
{
    struct sched_core c[] = CORES;
    struct sched_rxq q[] = {
        {.pin = -1, .cycles = 100}, {.pin = -1, .cycles = 10}, {.pin = -1, .cycles = 20},
        {.pin = -1, .cycles = 15},  {.pin = -1, .cycles = 0},
    };
    const int want[] = {0, 2, 1, 2, 1};

    pmd_sched_assign(SCHED_GROUP, true, c, N(c), q, N(q));
    check(q, N(q), want);
}

static void
test_pins(void **state)
{
    struct sched_core c[] = CORES;
    struct sched_rxq q[] = {{.pin = 2}, {.pin = -1}, {.pin = -1}, {.pin = 7}, {.pin = -1}};
    const int want[] = {1, 0, 2, 0, 2};

    pmd_sched_assign(SCHED_ROUNDROBIN, true, c, N(c), q, N(q));
    check(q, N(q), want);
    assert_true(c[1].isolated);
    assert_false(c[0].isolated);
    assert_true(q[3].pin_failed);
    assert_false(q[0].pin_failed);

    /* Only "group" can share pinned cores. */
    pmd_sched_assign(SCHED_ROUNDROBIN, false, c, N(c), q, N(q));
    assert_true(c[1].isolated);
    pmd_sched_assign(SCHED_GROUP, false, c, N(c), q, N(q));
    assert_false(c[1].isolated);
    assert_int_equal(c[1].n_rxqs, 2);
}

static void
test_variance(void **state)
{
    struct sched_core c[] = {
        {.core = 1, .load = 90},
        {.core = 2, .load = 10},
        {.core = 3, .load = 77, .isolated = true},
        {.core = 4, .load = 33, .numa = 1},
    };

    /* 90 % and 10 %: 40 % each from the mean. */
    assert_in_range(pmd_sched_variance(c, N(c), 0, 100), 159999999990, 160000000010);
    assert_int_equal(pmd_sched_variance(c, N(c), 1, 100), 0);
    assert_int_equal(pmd_sched_variance(c, N(c), 2, 100), 0);
    assert_int_equal(pmd_sched_variance(c, N(c), 0, 0), 0);
    c[1].load = 90;
    assert_int_equal(pmd_sched_variance(c, N(c), 0, 100), 0);
}

static void
test_nodes(void **state)
{
    struct sched_core c[] = {{.core = 1}, {.core = 2}};
    struct sched_rxq q[] = {{.pin = -1, .numa = 3}, {.pin = -1, .numa = 3}};

    pmd_sched_assign(SCHED_CYCLES, true, c, N(c), q, N(q));
    assert_int_equal(q[0].core, 0);
    assert_int_equal(q[1].core, 1);
    assert_true(q[0].other_numa);

    q[0].pin = 1;
    q[1].pin = -1;
    pmd_sched_assign(SCHED_CYCLES, true, c, 1, q, 2);
    assert_int_equal(q[0].core, 0);
    assert_int_equal(q[1].core, -1); /* the only core is isolated */
    pmd_sched_assign(SCHED_CYCLES, true, c, 0, q, 2);
    assert_int_equal(q[0].core, -1);
}

static void
test_affinity(void **state)
{
    int p[3];

    assert_true(pmd_sched_affinity_parse("0:3,2:5,9:1", p, 3));
    assert_int_equal(p[0], 3);
    assert_int_equal(p[1], -1);
    assert_int_equal(p[2], 5);
    assert_true(pmd_sched_affinity_parse(NULL, p, 3));
    assert_int_equal(p[0], -1);
    assert_false(pmd_sched_affinity_parse("0:3,x", p, 3));
    assert_int_equal(p[0], -1);
    assert_false(pmd_sched_affinity_parse("0:-1", p, 3));
    assert_false(pmd_sched_affinity_parse("0:", p, 3));
}

static void
test_policy_names(void **state)
{
    enum sched_policy p = SCHED_CYCLES;

    assert_true(pmd_sched_policy_parse("group", &p));
    assert_int_equal(p, SCHED_GROUP);
    assert_false(pmd_sched_policy_parse("best", &p));
    assert_string_equal(pmd_sched_policy_name(SCHED_ROUNDROBIN), "roundrobin");
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_roundrobin),
        cmocka_unit_test(test_cycles_there_and_back),
        cmocka_unit_test(test_group_least_loaded),
        cmocka_unit_test(test_pins),
        cmocka_unit_test(test_nodes),
        cmocka_unit_test(test_variance),
        cmocka_unit_test(test_affinity),
        cmocka_unit_test(test_policy_names),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
