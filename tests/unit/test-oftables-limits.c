/* SPDX-License-Identifier: Apache-2.0 */
/* What ends rules of OpenFlow tables without being asked: time-outs, limits, eviction; and what
 * packets add: learning. */

#include "oftables-harness.h"

static void
test_timeouts(void **state)
{
    struct oftables *t = oftables_create(&ops);
    struct of_flow_mod fm;

    fm = mod(OFPFC_ADD, 1, 1, 2);
    fm.hard_timeout = 3;
    fm.flags = OFPFF_SEND_FLOW_REM;
    assert_int_equal(run(t, fm), OF_OK);
    fm = mod(OFPFC_ADD, 2, 2, 2);
    fm.idle_timeout = 2;
    assert_int_equal(run(t, fm), OF_OK);
    fm = mod(OFPFC_ADD, 3, 3, 2);
    fm.idle_timeout = 5000; /* more seconds than there are lists */
    assert_int_equal(run(t, fm), OF_OK);
    strbuf_clear(&events);
    clock_warp(1500);
    oftables_run(t);
    EXPECT_EVENTS("");
    rule_credit(find(t, 2, 2), 1, 60, clock_now_ms());
    clock_warp(1500);
    oftables_run(t);
    EXPECT_EVENTS("D1/1 R1/1 ");
    clock_warp(1500);
    oftables_run(t);
    EXPECT_EVENTS("D2/0 ");
    for (int i = 0; i < 49; i++) {
        clock_warp(100 * 1000);
        oftables_run(t);
    }
    EXPECT_EVENTS("");
    clock_warp(100 * 1000);
    oftables_run(t);
    EXPECT_EVENTS("D3/0 ");
    settle(t);
    oftables_destroy(t);
}

static void
on_wake(void *n)
{
    atomic_fetch_add_explicit((_Atomic unsigned *) n, 1, memory_order_relaxed);
}

/* What expires in one second goes in many turns of the event loop, without waiting for the
 * clock. */
static void
test_many_time_out(void **state)
{
    _Atomic unsigned wakes = 0;
    const struct oftables_ops wake = {.aux = (void *) &wakes, .wake = on_wake};
    struct oftables *t = oftables_create(&wake);
    unsigned left = 20000, looks = 0;

    for (unsigned i = 0; i < left; i++) {
        struct of_flow_mod fm = mod(OFPFC_ADD, 1, (int) i, 2);

        fm.hard_timeout = i % 2 ? 3 : 4;
        assert_int_equal(run(t, fm), OF_OK);
    }
    clock_warp(6000);
    while (left) {
        unsigned before = left;

        atomic_store(&wakes, 0);
        oftables_run(t);
        left = count(t);
        assert_in_range(before - left, 0, 5000); /* 0: shown in a later turn, on a slow machine */
        assert_true(!left || atomic_load(&wakes));
        looks++;
    }
    assert_in_range(looks, 4, 1000);
    settle(t);
    oftables_destroy(t);
}

static void
test_limits(void **state)
{
    struct oftables *t = oftables_create(&ops);
    struct oftable_config c;
    struct of_flow_mod fm;

    oftable_config_init(&c);
    c.flow_limit = 4;
    c.vacancy = true;
    c.vacancy_down = 30;
    c.vacancy_up = 60;
    oftables_set_config(t, 0, &c);
    for (uint16_t i = 1; i <= 4; i++) {
        fm = mod(OFPFC_ADD, i, i, 2);
        fm.hard_timeout = i == 4 ? 0 : (uint16_t) (100 - i);
        fm.importance = i == 3 ? 9 : 0;
        assert_int_equal(run(t, fm), OF_OK);
    }
    EXPECT_EVENTS("A1 A2 A3 T0/3 A4 ");
    assert_int_equal(run(t, mod(OFPFC_ADD, 5, 5, 2)), OFPFMFC_TABLE_FULL);
    assert_int_equal(run(t, mod(OFPFC_ADD, 4, 4, 3)), OF_OK); /* replaces */
    EXPECT_EVENTS("A4! ");
    c.evict = true;
    oftables_set_config(t, 0, &c);
    /* The one that expires first of the least important that expire at all. */
    assert_int_equal(run(t, mod(OFPFC_ADD, 5, 5, 2)), OF_OK);
    EXPECT_EVENTS("D2/5 A5 ");
    /* So it does since a controller asked for it. */
    c.evict = false;
    c.eviction_flags = 7;
    oftables_set_config(t, 0, &c);
    assert_int_equal(run(t, mod(OFPFC_ADD, 6, 6, 2)), OF_OK);
    EXPECT_EVENTS("D1/5 A6 ");
    assert_int_equal(run(t, mod(OFPFC_ADD, 7, 7, 2)), OF_OK);
    EXPECT_EVENTS("D3/5 A7 ");
    assert_int_equal(run(t, mod(OFPFC_ADD, 8, 8, 2)), OFPFMFC_TABLE_FULL);
    assert_int_equal(count(t), 4);
    assert_int_equal(run(t, mod(OFPFC_DELETE, 0, 5, 0)), OF_OK);
    assert_int_equal(run(t, mod(OFPFC_DELETE, 0, 6, 0)), OF_OK);
    EXPECT_EVENTS("D5/2 D6/2 ");
    assert_int_equal(run(t, mod(OFPFC_DELETE, 0, 7, 0)), OF_OK);
    EXPECT_EVENTS("D7/2 T0/4 ");
    assert_int_equal(oftables_get_stats(t, 0).active, 1);
    assert_int_equal(oftables_get_stats(t, 0).max_entries, 4);
    settle(t);
    oftables_destroy(t);
    strbuf_clear(&events);
}

/* Groups of rules by a field: the largest gives one up. */
static void
test_eviction_groups(void **state)
{
    struct oftables *t = oftables_create(&ops);
    struct oftable_config c;
    struct of_flow_mod fm;

    oftable_config_init(&c);
    c.flow_limit = 3;
    c.evict = true;
    c.n_groups = 1;
    c.groups[0] = of_subfield_whole(OFF_IN_PORT);
    oftables_set_config(t, 0, &c);
    for (uint16_t i = 1; i <= 4; i++) {
        fm = mod(OFPFC_ADD, i, i == 1 ? 1 : 2, 2);
        fm.hard_timeout = (uint16_t) (10 * i); /* 1 expires first, but is alone */
        assert_int_equal(run(t, fm), OF_OK);
    }
    EXPECT_EVENTS("A1 A2 A3 D2/5 A4 ");
    settle(t);
    oftables_destroy(t);
}

/* Of many with all kinds of times and importance, in groups, always the one that a plain search
 * finds, whatever happened to them meanwhile. */
struct first_to_go {
    struct rule *r;
    unsigned n[4];
};

static bool
count_group(struct rule *r, void *first_)
{
    struct first_to_go *first = first_;
    struct flow match, mask;

    cls_rule_get_match(&r->cls, &match, &mask);
    first->n[match.meta.in_port % 4] += atomic_load(&r->hard_timeout) != 0;
    return true;
}

static bool
find_first(struct rule *r, void *first_)
{
    struct first_to_go *first = first_;
    struct flow match, mask;
    unsigned most = 0;

    for (unsigned i = 0; i < 4; i++) {
        most = MAX(most, first->n[i]);
    }
    cls_rule_get_match(&r->cls, &match, &mask);
    if (atomic_load(&r->hard_timeout) && first->n[match.meta.in_port % 4] == most &&
        (!first->r || r->importance < first->r->importance ||
         (r->importance == first->r->importance &&
          atomic_load(&r->hard_timeout) < atomic_load(&first->r->hard_timeout)))) {
        first->r = r;
    }
    return true;
}

static void
test_eviction_many(void **state)
{
    struct oftables *t = oftables_create(NULL);
    struct oftable_config c;
    struct flow_select all;
    unsigned n_evicted = 0;

    flow_select_init(&all);
    oftable_config_init(&c);
    c.flow_limit = 60;
    c.evict = true;
    c.n_groups = 1;
    c.groups[0] = of_subfield_whole(OFF_IN_PORT);
    oftables_set_config(t, 0, &c);
    srand(7);
    for (unsigned i = 0; i < 3000; i++) {
        struct of_flow_mod fm = mod(OFPFC_ADD, (uint16_t) (rand() % 300), 1 + rand() % 3, 2);
        struct first_to_go first = {0};
        struct rule *r;
        unsigned kind = (unsigned) rand() % 8;

        fm.hard_timeout = (uint16_t) (i % 100 ? 1000 + rand() % 40000 : 0);
        fm.importance = (uint16_t) (rand() % 5);
        if (kind == 1) {
            fm.command = OFPFC_DELETE_STRICT;
        } else if (kind == 2 && (r = oftables_find(t, 0, &fm.match, fm.priority))) {
            oftables_fin_timeout(t, r, 0, (uint16_t) (1 + rand() % 900));
            oftables_run(t);
            of_flow_mod_free(&fm);
            continue;
        } else if (kind == 3) {
            /* Evicts, and takes it back. */
            struct oftxn *txn = oftxn_begin(t, NULL);

            oftxn_flow_mod(txn, &fm);
            oftxn_rollback(txn);
            of_flow_mod_free(&fm);
            continue;
        }
        if (fm.command == OFPFC_ADD && count(t) == c.flow_limit &&
            !oftables_find(t, 0, &fm.match, fm.priority)) {
            oftables_for_each(t, &all, count_group, &first);
            oftables_for_each(t, &all, find_first, &first);
            assert_non_null(first.r);
            r = rule_ref(first.r);
            assert_int_equal(run(t, fm), OF_OK);
            assert_int_equal(count(t), c.flow_limit);
            if (first.n[1] != first.n[2] && first.n[2] != first.n[3] &&
                first.n[1] != first.n[3]) {
                n_evicted++;
                assert_true(cls_rule_is_leaving(&r->cls));
            }
            rule_unref(r);
        } else {
            run(t, fm);
        }
        assert_true(count(t) <= c.flow_limit);
    }
    assert_true(n_evicted > 100);
    c.flow_limit = 5;
    oftables_set_config(t, 0, &c);
    assert_true(count(t) < 60);
    settle(t);
    oftables_destroy(t);
}

static void
check_learn(enum of_flow_command command, uint32_t limit)
{
    struct oftables *t = oftables_create(&ops);
    struct of_flow_mod learned = mod(command, 3, 3, 2), fm;
    struct of_act_learn *l;
    struct rule *r;

    learned.new_cookie = 5;
    learned.idle_timeout = 10;
    fm = mod(OFPFC_ADD, 1, 1, 0);
    l = of_actions_put(&fm.actions, OFA_LEARN, sizeof *l);
    l->cookie = 5;
    l->table = 0;
    l->flags = OF_LEARN_DELETE_LEARNED;
    l->limit = limit;
    assert_int_equal(run(t, fm), OF_OK);
    strbuf_clear(&events);

    assert_int_equal(oftables_learn(t, &learned, 2), OFLEARN_QUEUED);
    assert_int_equal(oftables_learn(t, &learned, 2), OFLEARN_QUEUED);
    assert_int_equal(count(t), 1);
    oftables_run(t);
    EXPECT_EVENTS("A3 ");
    /* Known: only its time goes on. */
    r = find(t, 3, 3);
    clock_warp(9000);
    assert_int_equal(oftables_learn(t, &learned, 2), OFLEARN_REFRESHED);
    clock_warp(9000);
    oftables_run(t);
    EXPECT_EVENTS("");
    assert_ptr_equal(find(t, 3, 3), r);
    /* Up to the limit. */
    for (int i = 4; i < 7; i++) {
        struct of_flow_mod more = mod(command, 3, i, 2);

        more.new_cookie = 5;
        /* Without a rule that says so, the limit is not known before main comes to it. */
        assert_int_equal(oftables_would_learn(t, &more, 2),
                         limit && i > 4 ? OFLEARN_LIMIT : OFLEARN_QUEUED);
        assert_int_equal(oftables_learn(t, &more, 2),
                         limit && i > 4 ? OFLEARN_LIMIT : OFLEARN_QUEUED);
        /* Twice the same rule is one. */
        assert_int_equal(oftables_learn(t, &more, 2),
                         limit && i > 4 ? OFLEARN_LIMIT : OFLEARN_QUEUED);
        of_actions_free(&more.actions);
    }
    oftables_run(t);
    EXPECT_EVENTS("A3 ");
    /* Shorter time-outs only. */
    assert_int_equal(oftables_learn(t, &learned, 2), OFLEARN_REFRESHED);
    oftables_fin_timeout(t, r, 20, 0);
    oftables_run(t);
    assert_int_equal(r->idle_timeout, 10);
    oftables_fin_timeout(t, r, 5, 30);
    oftables_run(t);
    assert_int_equal(r->idle_timeout, 5);
    assert_int_equal(r->hard_timeout, 30);
    /* The learner goes, and with it what it learned. */
    assert_int_equal(run(t, mod(OFPFC_DELETE, 0, 1, 0)), OF_OK);
    EXPECT_EVENTS("D1/2 D3/2 D3/2 ");
    assert_int_equal(count(t), 0);
    assert_int_equal(oftables_learn(t, &learned, 0), OFLEARN_QUEUED); /* never run */
    of_actions_free(&learned.actions);
    settle(t);
    oftables_destroy(t);
    strbuf_clear(&events);
}

static void
test_learn(void **state)
{
    check_learn(OFPFC_ADD, 0);
    check_learn(OFPFC_ADD, 2);
    check_learn(OFPFC_MODIFY_STRICT, 0);
    check_learn(OFPFC_MODIFY_STRICT, 2); /* as translation asks */
}

/* What readers found when they were told last that something changed. */
struct seen {
    struct oftables *tables;
    const struct of_flow_mod *fm;
    enum oflearn_result last;
};

static void
on_changed(void *seen_)
{
    struct seen *seen = seen_;

    seen->last = oftables_would_learn(seen->tables, seen->fm, 1);
}

static void
test_limit_is_free_again(void **state)
{
    struct of_flow_mod learned = mod(OFPFC_ADD, 3, 3, 2), more = mod(OFPFC_ADD, 3, 4, 2);
    struct of_flow_mod fm = mod(OFPFC_ADD, 1, 1, 0);
    struct of_act_learn *l = of_actions_put(&fm.actions, OFA_LEARN, sizeof *l);
    struct seen seen = {.fm = &more};
    struct oftables_ops telling = ops;
    struct oftables *t;
    struct oftxn *txn;

    telling.changed = on_changed;
    telling.aux = &seen;
    seen.tables = t = oftables_create(&telling);
    learned.new_cookie = more.new_cookie = l->cookie = 5;
    l->limit = 1;
    assert_int_equal(run(t, fm), OF_OK);
    assert_int_equal(seen.last, OFLEARN_QUEUED);
    /* A rule that was never to be seen counts until it is taken back. */
    txn = oftxn_begin(t, &of13);
    assert_int_equal(oftxn_flow_mod(txn, &learned), OF_OK);
    assert_int_equal(oftables_would_learn(t, &more, 1), OFLEARN_LIMIT);
    seen.last = OFLEARN_LIMIT;
    oftxn_rollback(txn);
    assert_int_equal(seen.last, OFLEARN_QUEUED);
    /* One that goes counts until its end was told. */
    assert_int_equal(oftables_learn(t, &learned, 1), OFLEARN_QUEUED);
    oftables_run(t);
    assert_int_equal(seen.last, OFLEARN_LIMIT);
    assert_int_equal(run(t, mod(OFPFC_DELETE, 0, 3, 0)), OF_OK);
    assert_int_equal(seen.last, OFLEARN_QUEUED);
    of_actions_free(&learned.actions);
    of_actions_free(&more.actions);
    settle(t);
    oftables_destroy(t);
    strbuf_clear(&events);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_timeouts),
        cmocka_unit_test(test_many_time_out),
        cmocka_unit_test(test_limits),
        cmocka_unit_test(test_eviction_groups),
        cmocka_unit_test(test_eviction_many),
        cmocka_unit_test(test_learn),
        cmocka_unit_test(test_limit_is_free_again),
    };

    thread_adopt("");
    clock_stop();
    return cmocka_run_group_tests(tests, NULL, NULL);
}
