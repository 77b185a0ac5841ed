/* SPDX-License-Identifier: Apache-2.0 */
/* Flow mods on OpenFlow tables: what each command does, transactions, many rules, and readers
 * beside the writer. */

#include <pthread.h>
#include <unistd.h>

#include "oftables-harness.h"

static void
test_add(void **state)
{
    struct oftables *t = oftables_create(&ops);
    struct of_flow_mod fm;
    struct rule *r;

    assert_int_equal(run(t, mod(OFPFC_ADD, 5, 1, 2)), OF_OK);
    EXPECT_EVENTS("A5 ");
    assert_int_equal(lookup(t, oftables_version(t), 1), 2);
    assert_int_equal(lookup(t, oftables_version(t), 2), -1);
    r = find(t, 5, 1);
    rule_credit(r, 3, 300, 0);

    /* The same again: the statistics go on, unless they are to be reset. */
    fm = mod(OFPFC_ADD, 5, 1, 3);
    fm.new_cookie = 77;
    assert_int_equal(run(t, fm), OF_OK);
    EXPECT_EVENTS("A5! ");
    r = find(t, 5, 1);
    assert_int_equal(r->cookie, 77);
    assert_int_equal(rule_get_counts(r).n_packets, 3);
    fm = mod(OFPFC_ADD, 5, 1, 4);
    fm.flags = OFPFF_RESET_COUNTS;
    assert_int_equal(run(t, fm), OF_OK);
    assert_int_equal(rule_get_counts(find(t, 5, 1)).n_packets, 0);
    assert_int_equal(lookup(t, oftables_version(t), 1), 4);
    assert_int_equal(count(t), 1);
    strbuf_clear(&events);

    /* Overlaps matter among equal priorities only, and not with the rule replaced. */
    fm = mod(OFPFC_ADD, 5, -1, 4);
    fm.flags = OFPFF_CHECK_OVERLAP;
    assert_int_equal(run(t, fm), OFPFMFC_OVERLAP);
    fm = mod(OFPFC_ADD, 6, -1, 4);
    fm.flags = OFPFF_CHECK_OVERLAP;
    assert_int_equal(run(t, fm), OF_OK);
    fm = mod(OFPFC_ADD, 5, 1, 4);
    fm.flags = OFPFF_CHECK_OVERLAP;
    assert_int_equal(run(t, fm), OF_OK);
    EXPECT_EVENTS("A6 A5! ");

    fm = mod(OFPFC_ADD, 5, 1, 4);
    fm.table_id = OFTABLE_HIDDEN;
    assert_int_equal(run(t, fm), OFPBRC_EPERM);
    settle(t);
    oftables_destroy(t);
    EXPECT_EVENTS("");
}

static void
test_references(void **state)
{
    struct oftables *t = oftables_create(&ops);
    struct of_flow_mod fm = mod(OFPFC_ADD, 5, 1, 0);
    struct of_act_num *num = of_actions_put(&fm.actions, OFA_GROUP, sizeof *num);

    num->num = 5;
    assert_int_equal(run(t, fm), OFPBAC_BAD_OUT_GROUP);
    fm = mod(OFPFC_ADD, 5, 1, 0);
    num = of_actions_put(&fm.actions, OFA_METER, sizeof *num);
    num->num = 5;
    assert_int_equal(run(t, fm), OFPMMFC_INVALID_METER);
    assert_int_equal(count(t), 0);
    oftables_destroy(t);
    EXPECT_EVENTS("");
}

static void
test_modify(void **state)
{
    struct oftables *t = oftables_create(&ops);
    struct of_flow_mod fm;
    struct rule *r;

    for (uint16_t i = 1; i <= 3; i++) {
        fm = mod(OFPFC_ADD, i, i, 10);
        fm.new_cookie = i;
        fm.idle_timeout = 60;
        assert_int_equal(run(t, fm), OF_OK);
        rule_credit(find(t, i, i), i, i, 0);
    }
    strbuf_clear(&events);
    /* Loose: all within the match. */
    fm = mod(OFPFC_MODIFY, 0, -1, 20);
    fm.modify_cookie = false;
    assert_int_equal(run(t, fm), OF_OK);
    EXPECT_EVENTS("M1 M2 M3 ");
    r = find(t, 2, 2);
    assert_int_equal(lookup(t, oftables_version(t), 2), 20);
    assert_int_equal(r->cookie, 2);
    assert_int_equal(r->idle_timeout, 60);
    assert_int_equal(rule_get_counts(r).n_packets, 2);
    /* Strict: the one with that match and priority. */
    assert_int_equal(run(t, mod(OFPFC_MODIFY_STRICT, 2, 2, 30)), OF_OK);
    EXPECT_EVENTS("M2 ");
    assert_int_equal(lookup(t, oftables_version(t), 2), 30);
    assert_int_equal(find(t, 2, 2)->cookie, 0); /* modify_cookie */
    /* By cookie. */
    fm = mod(OFPFC_MODIFY, 0, -1, 40);
    fm.cookie = 3;
    fm.cookie_mask = UINT64_MAX;
    fm.new_cookie = 3;
    assert_int_equal(run(t, fm), OF_OK);
    EXPECT_EVENTS("M3 ");
    /* That changes nothing. */
    fm = mod(OFPFC_MODIFY, 0, -1, 40);
    fm.cookie = 3;
    fm.cookie_mask = UINT64_MAX;
    fm.new_cookie = 3;
    assert_int_equal(run(t, fm), OF_OK);
    EXPECT_EVENTS("");
    /* What is not there: 1.0 adds it, 1.2 and later do not. */
    assert_int_equal(run(t, mod(OFPFC_MODIFY_STRICT, 9, 9, 2)), OF_OK);
    assert_int_equal(count(t), 3);
    fm = mod(OFPFC_MODIFY_STRICT, 9, 9, 2);
    assert_int_equal(run_as(t, &fm, &of10), OF_OK);
    EXPECT_EVENTS("A9 ");
    settle(t);
    oftables_destroy(t);
}

static void
test_delete(void **state)
{
    struct oftables *t = oftables_create(&ops);
    struct of_flow_mod fm;

    for (uint16_t i = 1; i <= 6; i++) {
        fm = mod(OFPFC_ADD, i, i, i % 2 ? 11 : 12);
        fm.new_cookie = i * 16;
        fm.flags = i == 6 ? OFPFF_SEND_FLOW_REM : 0;
        assert_int_equal(run(t, fm), OF_OK);
    }
    strbuf_clear(&events);
    assert_int_equal(run(t, mod(OFPFC_DELETE_STRICT, 2, 1, 0)), OF_OK);
    EXPECT_EVENTS("");
    assert_int_equal(run(t, mod(OFPFC_DELETE_STRICT, 1, 1, 0)), OF_OK);
    EXPECT_EVENTS("D1/2 ");
    fm = mod(OFPFC_DELETE, 0, -1, 0);
    fm.out_port = 11;
    assert_int_equal(run(t, fm), OF_OK);
    EXPECT_EVENTS("D3/2 D5/2 ");
    fm = mod(OFPFC_DELETE, 0, -1, 0);
    fm.cookie = 0x20;
    fm.cookie_mask = 0x20; /* 2 * 16 and 6 * 16 */
    fm.match = mod(OFPFC_DELETE, 0, 2, 0).match;
    assert_int_equal(run(t, fm), OF_OK);
    EXPECT_EVENTS("D2/2 ");
    fm = mod(OFPFC_DELETE, 0, -1, 0);
    fm.table_id = 3;
    assert_int_equal(run(t, fm), OF_OK);
    assert_int_equal(count(t), 2);
    assert_int_equal(run(t, mod(OFPFC_DELETE, 0, -1, 0)), OF_OK);
    EXPECT_EVENTS("D4/2 D6/2 R6/2 ");
    assert_int_equal(count(t), 0);
    assert_int_equal(oftables_count(t), 0);
    settle(t);
    oftables_destroy(t);
}

static void
test_transactions(void **state)
{
    struct oftables *t = oftables_create(&ops);
    struct of_flow_mod del = mod(OFPFC_DELETE, 0, -1, 0), full;
    struct oftxn *txn;
    uint64_t before;

    assert_int_equal(run(t, mod(OFPFC_ADD, 5, 1, 2)), OF_OK);
    assert_int_equal(run(t, mod(OFPFC_ADD, 5, 2, 2)), OF_OK);
    strbuf_clear(&events);
    before = oftables_version(t);

    /* Nothing is seen, and nothing remains. */
    for (int commit = 0; commit < 2; commit++) {
        struct of_flow_mod add = mod(OFPFC_ADD, 5, 1, 9), again = mod(OFPFC_MODIFY, 5, 1, 8);

        txn = oftxn_begin(t, &of13);
        assert_int_equal(oftxn_flow_mod(txn, &del), OF_OK);
        assert_int_equal(oftxn_flow_mod(txn, &add), OF_OK);
        assert_int_equal(oftxn_flow_mod(txn, &again), OF_OK);
        full = mod(OFPFC_ADD, 5, 1, 2);
        full.table_id = OFTABLE_HIDDEN;
        assert_int_equal(oftxn_flow_mod(txn, &full), OFPBRC_EPERM);
        of_actions_free(&full.actions);
        assert_int_equal(lookup(t, oftables_version(t), 1), 2);
        assert_int_equal(lookup(t, oftables_version(t), 2), 2);
        assert_int_equal(count(t), 2); /* nor by questions */
        assert_int_equal(oftables_count(t), 2);
        EXPECT_EVENTS("");
        if (commit) {
            oftxn_commit(txn);
        } else {
            oftxn_rollback(txn);
            assert_int_equal(oftables_version(t), before);
            assert_int_equal(count(t), 2);
        }
        of_actions_free(&add.actions);
        of_actions_free(&again.actions);
    }
    EXPECT_EVENTS("D5/2 D5/2 A5 M5 ");
    assert_int_equal(lookup(t, oftables_version(t), 1), 8);
    assert_int_equal(lookup(t, oftables_version(t), 2), -1);
    /* A reader that began before sees what was, until it ends. */
    assert_int_equal(lookup(t, before, 1), 2);
    assert_int_equal(lookup(t, before, 2), 2);
    settle(t);
    assert_int_equal(lookup(t, oftables_version(t), 1), 8);
    assert_int_equal(count(t), 1);
    oftables_flush(t);
    EXPECT_EVENTS("D5/2 ");
    oftables_destroy(t);
}

static void
test_own_rules(void **state)
{
    struct oftables *t = oftables_create(&ops);
    struct of_flow_mod fm = mod(OFPFC_DELETE, 0, -1, 0);
    struct of_actions normal = OF_ACTIONS_INIT;
    struct strbuf s = STRBUF_INIT;
    struct flow_select sel;
    unsigned n = 0;

    of_actions_put_output(&normal, OFPP_NORMAL, 0);
    oftables_add_own(t, 0, false, &fm.match, 0, normal.a, normal.len);
    oftables_add_own(t, OFTABLE_HIDDEN, true, &fm.match, 2, NULL, 0);
    oftables_add_own(t, 0, true, &fm.match, 100000, normal.a, normal.len);
    of_actions_free(&normal);
    rule_format(find(t, 0, -1), false, &s);
    assert_string_equal(strbuf_cstr(&s),
                        "duration=0s, n_packets=0, n_bytes=0, priority=0,actions=NORMAL\n");
    strbuf_free(&s);
    assert_int_equal(count(t), 1);
    flow_select_init(&sel);
    sel.table_id = OFTABLE_HIDDEN;
    oftables_for_each(t, &sel, count_rule, &n);
    assert_int_equal(n, 1);
    fm.table_id = OFTABLE_HIDDEN;
    assert_int_equal(run(t, fm), OFPBRC_EPERM);
    fm.table_id = OFPTT_ALL;
    assert_int_equal(run(t, fm), OF_OK); /* the visible one goes */
    assert_int_equal(oftables_count(t), 2);
    oftables_remove_own(t, 0, &fm.match, 100000);
    assert_int_equal(oftables_count(t), 1);
    settle(t);
    oftables_destroy(t);
    strbuf_clear(&events);
}

static void
test_many(void **state)
{
    enum { N = 100000 };
    struct oftables *t = oftables_create(NULL);
    struct oftxn *txn = oftxn_begin(t, &of13);
    size_t before = mallinfo2().uordblks + mallinfo2().hblkhd, per_rule;
    int64_t start = clock_real_ns();

    for (uint32_t i = 0; i < N; i++) {
        struct of_flow_mod fm = mod(OFPFC_ADD, 5, 1, 2);

        of_match_set_u64(&fm.match, OFF_ETH_TYPE, 0x800);
        of_match_set_u64(&fm.match, OFF_IPV4_DST, i);
        assert_int_equal(oftxn_flow_mod(txn, &fm), OF_OK);
        of_actions_free(&fm.actions);
    }
    oftxn_commit(txn);
    rcu_barrier();
    per_rule = (mallinfo2().uordblks + mallinfo2().hblkhd - before) / N;
    print_message("%zu bytes and %d ns per rule\n", per_rule,
                  (int) ((clock_real_ns() - start) / N));
    assert_int_equal(oftables_count(t), N);
    assert_int_equal(run(t, mod(OFPFC_DELETE, 0, -1, 0)), OF_OK);
    assert_int_equal(oftables_count(t), 0);
    settle(t);
    settle(t);
    settle(t);
    oftables_destroy(t);
    /* 0: the allocator is a sanitizer's, which does not count. */
    assert_in_range(per_rule, 0, 640);
}

static struct oftables *shared;
static _Atomic bool stop;
static _Atomic unsigned n_wrong, n_lookups;

/* Ports 1 and 2 always go the same way; packets are counted and learned meanwhile. */
static void *
reader(void *aux)
{
    struct of_flow_mod learned = mod(OFPFC_ADD, 3, 30 + (int) (intptr_t) aux, 2);

    for (unsigned i = 0; i < 20000000u && !atomic_load_explicit(&stop, memory_order_relaxed);
         i++) {
        uint64_t version = oftables_version(shared);
        struct flow flow;
        struct rule *r;
        int a, b;

        a = lookup(shared, version, 1);
        b = lookup(shared, version, 2);
        if (a != b || a < 0) {
            atomic_fetch_add_explicit(&n_wrong, 1, memory_order_relaxed);
        }
        memset(&flow, 0, sizeof flow);
        flow.meta.in_port = 9;
        r = oftables_lookup(shared, version, 0, &flow, NULL);
        rule_credit(r, 1, 60, clock_now_ms());
        if (i % 64 == 0) {
            learned.new_cookie = i % 256;
            oftables_learn(shared, &learned, 0);
        }
        atomic_fetch_add_explicit(&n_lookups, 1, memory_order_relaxed);
        rcu_quiescent_state();
    }
    of_actions_free(&learned.actions);
    return NULL;
}

static void
test_readers(void **state)
{
    pthread_t threads[2];

    shared = oftables_create(NULL);
    assert_int_equal(run(shared, mod(OFPFC_ADD, 5, 1, 1)), OF_OK);
    assert_int_equal(run(shared, mod(OFPFC_ADD, 5, 2, 1)), OF_OK);
    assert_int_equal(run(shared, mod(OFPFC_ADD, 5, 9, 1)), OF_OK);
    for (intptr_t i = 0; i < 2; i++) {
        threads[i] = thread_start("reader", reader, (void *) i);
    }
    while (atomic_load(&n_lookups) < 100) {
        nanosleep(&(struct timespec){.tv_nsec = 1000000}, NULL);
        rcu_quiescent_state();
    }
    for (int i = 0; i < 60; i++) {
        struct oftxn *txn = oftxn_begin(shared, &of13);

        for (int port = 1; port <= 2; port++) {
            struct of_flow_mod del = mod(OFPFC_DELETE_STRICT, 5, port, 0);
            struct of_flow_mod add =
                mod(i % 3 ? OFPFC_ADD : OFPFC_MODIFY, 5, port, (uint16_t) (10 + i));

            if (i % 3 == 1) {
                assert_int_equal(oftxn_flow_mod(txn, &del), OF_OK);
            }
            assert_int_equal(oftxn_flow_mod(txn, &add), OF_OK);
            of_actions_free(&add.actions);
        }
        if (i % 5 == 4) {
            oftxn_rollback(txn);
        } else {
            oftxn_commit(txn);
        }
        /* A modification of a rule that is hit all the time loses none of its packets. */
        assert_int_equal(run(shared, mod(OFPFC_MODIFY_STRICT, 5, 9, (uint16_t) (1 + i))),
                         OF_OK);
        oftables_run(shared);
        synchronize_rcu();
    }
    atomic_store_explicit(&stop, true, memory_order_relaxed);
    thread_join(threads[0]);
    thread_join(threads[1]);
    oftables_run(shared);
    assert_int_equal(atomic_load(&n_wrong), 0);
    assert_true(atomic_load(&n_lookups) > 0);
    assert_int_equal(rule_get_counts(find(shared, 5, 9)).n_packets, atomic_load(&n_lookups));
    settle(shared);
    oftables_destroy(shared);
}

/* Tables end a slice at a time, whatever is under way in them. */
static void
test_end_in_slices(void **state)
{
    for (int under_way = 0; under_way < 3; under_way++) {
        struct oftables *t = oftables_create(&ops);
        struct of_flow_mod del = mod(OFPFC_DELETE, 0, -1, 0);
        struct slice slice = slice_of_parts(50);
        struct oftxn *txn;
        unsigned n = 1;

        for (int i = 0; i < 1000; i++) {
            assert_int_equal(run(t, mod(OFPFC_ADD, 5, i, 2)), OF_OK);
        }
        strbuf_clear(&events);
        if (under_way) {
            txn = oftxn_begin(t, &of13);
            assert_int_equal(oftxn_flow_mod(txn, &del), OF_OK);
            assert_false(under_way == 2 && oftxn_commit_some(txn, &slice));
            strbuf_clear(&events);
        }
        while (!oftables_destroy_some(t, &slice)) {
            n++;
        }
        assert_in_range(n, 20, 60);
        EXPECT_EVENTS("");
    }
}

struct waker {
    pthread_t main_thread;
    _Atomic bool came, is_in; /* the RCU thread, in our function */
};

static void
on_wake(void *waker_)
{
    struct waker *waker = waker_;

    if (!pthread_equal(pthread_self(), waker->main_thread)) {
        atomic_store(&waker->is_in, true);
        atomic_store(&waker->came, true);
        usleep(50000);
        atomic_store(&waker->is_in, false);
    }
}

/* From the beginning of the end on nobody is called any more, also not by the RCU thread, which
 * is just saying that rules are past. */
static void
test_end_is_quiet(void **state)
{
    struct waker waker = {.main_thread = pthread_self()};
    const struct oftables_ops waking = {.aux = &waker, .wake = on_wake};
    struct oftables *t = oftables_create(&waking);
    struct of_flow_mod del = mod(OFPFC_DELETE, 0, -1, 0);
    struct slice slice = slice_of_parts(1);

    for (int i = 0; i < 10; i++) {
        assert_int_equal(run(t, mod(OFPFC_ADD, 5, i, 2)), OF_OK);
    }
    assert_int_equal(run(t, mod(OFPFC_DELETE_STRICT, 5, 0, 0)), OF_OK);
    for (int i = 0; i < 60000 && !atomic_load(&waker.came); i++) {
        rcu_quiescent_state();
        usleep(1000);
    }
    assert_true(atomic_load(&waker.came));
    assert_int_equal(oftxn_flow_mod(oftxn_begin(t, &of13), &del), OF_OK);
    assert_false(oftables_destroy_some(t, &slice));
    assert_false(atomic_load(&waker.is_in));
    oftables_destroy(t);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_add),          cmocka_unit_test(test_references),
        cmocka_unit_test(test_modify),       cmocka_unit_test(test_delete),
        cmocka_unit_test(test_transactions), cmocka_unit_test(test_end_in_slices),
        cmocka_unit_test(test_end_is_quiet), cmocka_unit_test(test_own_rules),
        cmocka_unit_test(test_many),         cmocka_unit_test(test_readers),
    };

    thread_adopt("");
    clock_stop();
    return cmocka_run_group_tests(tests, NULL, NULL);
}
