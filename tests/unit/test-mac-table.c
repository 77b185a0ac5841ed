/* SPDX-License-Identifier: Apache-2.0 */
/* The MAC learning table: learning, moving, ageing, limits, static entries, flushing. */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <cmocka.h>

#include "ofproto/mac-table.h"
#include "os/clock.h"

static struct eth_addr
mac_no(unsigned i)
{
    return eth_addr_from_u64(UINT64_C(0x505400000000) + i);
}

static int
setup(void **state)
{
    *state = mac_table_create();
    return 0;
}

static int
teardown(void **state)
{
    mac_table_destroy(*state);
    return 0;
}

static void
test_learn_lookup(void **state)
{
    struct mac_table *t = *state;
    struct mac_table_stats st;
    uint32_t bundle = 99;

    assert_false(mac_table_lookup(t, 0, mac_no(1), &bundle));
    assert_int_equal(mac_table_learn(t, 0, mac_no(1), 7, 100, true), MAC_LEARN_NEW);
    assert_true(mac_table_lookup(t, 0, mac_no(1), &bundle));
    assert_int_equal(bundle, 7);
    assert_false(mac_table_lookup(t, 1, mac_no(1), &bundle)); /* VLANs are apart */
    assert_int_equal(mac_table_learn(t, 4095, mac_no(1), 8, 100, true), MAC_LEARN_NEW);
    assert_int_equal(mac_table_learn(t, 0, mac_no(1), 7, 200, true), MAC_LEARN_SAME);
    mac_table_get_stats(t, &st);
    assert_int_equal(st.n, 2);
    assert_int_equal(st.n_learned, 2);
    assert_int_equal(st.max, 8192);
    mac_table_clear_stats(t);
    mac_table_get_stats(t, &st);
    assert_int_equal(st.n, 2);
    assert_int_equal(st.n_learned, 0);
}

static void
test_move(void **state)
{
    struct mac_table *t = *state;
    struct mac_table_stats st;
    uint32_t bundle;

    mac_table_learn(t, 5, mac_no(1), 1, 1000, true);
    /* Reports about the past do not undo what is known to be newer. */
    assert_int_equal(mac_table_learn(t, 5, mac_no(1), 2, 1000, false), MAC_LEARN_REFUSED);
    assert_int_equal(mac_table_learn(t, 5, mac_no(1), 2, 1000, true), MAC_LEARN_MOVED);
    assert_true(mac_table_lookup(t, 5, mac_no(1), &bundle));
    assert_int_equal(bundle, 2);
    assert_int_equal(mac_table_learn(t, 5, mac_no(1), 1, 999, false), MAC_LEARN_REFUSED);
    assert_int_equal(mac_table_learn(t, 5, mac_no(1), 3, 1001, false), MAC_LEARN_MOVED);
    mac_table_get_stats(t, &st);
    assert_int_equal(st.n, 1);
    assert_int_equal(st.n_moved, 2);
}

static void
test_ageing(void **state)
{
    struct mac_table *t = *state;
    struct mac_table_stats st;
    uint32_t bundle;

    clock_stop();
    mac_table_set_limits(t, 20, 100);
    mac_table_learn(t, 0, mac_no(1), 1, clock_now_ms(), true);
    clock_warp(10000);
    mac_table_learn(t, 0, mac_no(2), 1, clock_now_ms(), true);
    assert_true(mac_table_add_static(t, 0, mac_no(3), 1, clock_now_ms()));
    clock_warp(9999);
    assert_int_equal(mac_table_expire(t, clock_now_ms()), 0);
    clock_warp(1);
    assert_int_equal(mac_table_expire(t, clock_now_ms()), 1);
    assert_false(mac_table_lookup(t, 0, mac_no(1), &bundle));
    assert_int_equal(mac_table_learn(t, 0, mac_no(2), 1, clock_now_ms(), false),
                     MAC_LEARN_SAME); /* a refresh keeps it */
    clock_warp(19999);
    assert_int_equal(mac_table_expire(t, clock_now_ms()), 0);
    clock_warp(100000);
    assert_int_equal(mac_table_expire(t, clock_now_ms()), 1);
    mac_table_get_stats(t, &st);
    assert_int_equal(st.n, 1); /* the static one */
    assert_int_equal(st.n_expired, 2);

    /* Less than 15 s is 15 s. */
    mac_table_set_limits(t, 1, 100);
    mac_table_learn(t, 0, mac_no(4), 1, clock_now_ms(), true);
    clock_warp(14999);
    assert_int_equal(mac_table_expire(t, clock_now_ms()), 0);
    clock_warp(1);
    assert_int_equal(mac_table_expire(t, clock_now_ms()), 1);
}

static void
test_limit(void **state)
{
    struct mac_table *t = *state;
    struct mac_table_stats st;
    uint32_t bundle;

    mac_table_set_limits(t, 300, 1); /* 10 at least */
    assert_true(mac_table_add_static(t, 0, mac_no(0), 1, 0));
    for (unsigned i = 1; i < 10; i++) {
        mac_table_learn(t, 0, mac_no(i), 1, i, true);
    }
    mac_table_learn(t, 0, mac_no(1), 1, 50, true); /* now 2 is the longest unused */
    mac_table_learn(t, 0, mac_no(11), 1, 60, true);
    assert_true(mac_table_lookup(t, 0, mac_no(0), &bundle));
    assert_true(mac_table_lookup(t, 0, mac_no(1), &bundle));
    assert_false(mac_table_lookup(t, 0, mac_no(2), &bundle));
    assert_true(mac_table_lookup(t, 0, mac_no(11), &bundle));
    mac_table_get_stats(t, &st);
    assert_int_equal(st.n, 10);
    assert_int_equal(st.n_evicted, 1);

    for (unsigned i = 20; i < 29; i++) {
        assert_true(mac_table_add_static(t, 0, mac_no(i), 1, 70));
    }
    assert_false(mac_table_add_static(t, 0, mac_no(30), 1, 70));
    assert_int_equal(mac_table_learn(t, 0, mac_no(31), 1, 80, true), MAC_LEARN_REFUSED);
    mac_table_get_stats(t, &st);
    assert_int_equal(st.n, 10);
    assert_int_equal(st.n_static, 10);
}

static void
test_flush_and_forget(void **state)
{
    struct mac_table *t = *state;
    struct mac_info *infos;
    size_t n;
    uint32_t bundle;

    infos = mac_table_dump(t, &n);
    assert_null(infos);
    assert_int_equal(n, 0);
    mac_table_learn(t, 3, mac_no(1), 1, 10, true);
    mac_table_learn(t, 3, mac_no(2), 2, 20, true);
    mac_table_add_static(t, 3, mac_no(3), 2, 30);
    mac_table_learn(t, 3, mac_no(1), 1, 40, true);
    infos = mac_table_dump(t, &n);
    assert_int_equal(n, 3);
    assert_true(eth_addr_equal(infos[0].mac, mac_no(2)));
    assert_true(infos[1].is_static);
    assert_true(eth_addr_equal(infos[2].mac, mac_no(1)));
    assert_int_equal(infos[2].vlan, 3);
    assert_int_equal(infos[2].used_ms, 40);
    free(infos);

    /* A static entry is not learned away, nor flushed; only forgotten with its bundle. */
    assert_int_equal(mac_table_learn(t, 3, mac_no(3), 1, 50, true), MAC_LEARN_REFUSED);
    assert_int_equal(mac_table_flush(t), 2);
    assert_true(mac_table_lookup(t, 3, mac_no(3), &bundle));
    assert_int_equal(mac_table_forget_bundle(t, 1), 0);
    assert_int_equal(mac_table_forget_bundle(t, 2), 1);
    assert_false(mac_table_lookup(t, 3, mac_no(3), &bundle));

    assert_true(mac_table_add_static(t, 3, mac_no(4), 2, 30));
    mac_table_learn(t, 3, mac_no(5), 2, 40, true);
    assert_false(mac_table_del_static(t, 3, mac_no(5)));
    assert_false(mac_table_del_static(t, 4, mac_no(4)));
    assert_true(mac_table_del_static(t, 3, mac_no(4)));
    assert_false(mac_table_del_static(t, 3, mac_no(4)));
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_learn_lookup, setup, teardown),
        cmocka_unit_test_setup_teardown(test_move, setup, teardown),
        cmocka_unit_test_setup_teardown(test_ageing, setup, teardown),
        cmocka_unit_test_setup_teardown(test_limit, setup, teardown),
        cmocka_unit_test_setup_teardown(test_flush_and_forget, setup, teardown),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
