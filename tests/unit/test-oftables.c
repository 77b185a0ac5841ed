/* SPDX-License-Identifier: Apache-2.0 */
/* Flow mods on OpenFlow tables: what each command does, transactions, time-outs, eviction, what
 * packets learn, and readers beside the writer. */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <cmocka.h>
#include <arpa/inet.h>
#include <malloc.h>
#include <time.h>

#include "ofproto/oftables.h"
#include "os/clock.h"
#include "os/rcu.h"
#include "os/thread.h"
#include "util/compiler.h"
#include "util/xalloc.h"

static const struct of_requester of10 = {.owner = &of10, .xid = 7, .version = 1};
static const struct of_requester of13 = {.owner = &of13, .xid = 8, .version = 4};

/* ---- Events, as text ---- */

static struct strbuf events = STRBUF_INIT;

static void
on_rule(enum rule_event ev, const struct rule *r, const struct rule *old, uint8_t reason,
        const struct of_requester *req, void *aux)
{
    strbuf_putf(&events, "%c%d", "AMD"[ev], r -> cls.priority);
    if (ev == RULE_EV_DELETED) {
        strbuf_putf(&events, "/%u", reason);
    }
    assert_int_equal(old != NULL, ev == RULE_EV_MODIFIED);
    strbuf_putc(&events, ' ');
}

static void
on_removed(const struct rule *r, uint8_t reason, void *aux)
{
    strbuf_putf(&events, "R%d/%u ", r->cls.priority, reason);
}

static void
on_status(uint8_t table_id, uint8_t reason, void *aux)
{
    strbuf_putf(&events, "T%u/%u ", table_id, reason);
}

static const struct oftables_ops ops = {
    .rule_event = on_rule, .flow_removed = on_removed, .table_status = on_status};

#define EXPECT_EVENTS(TEXT)                                                                    \
    do {                                                                                       \
        assert_string_equal(strbuf_cstr(&events), TEXT);                                       \
        strbuf_clear(&events);                                                                 \
    } while (0)

/* ---- Helpers ---- */

static struct of_flow_mod
mod(enum of_flow_command command, uint16_t priority, int in_port, uint16_t out)
{
    struct of_flow_mod fm = {
        .command = command,
        .table_id = command == OFPFC_DELETE || command == OFPFC_DELETE_STRICT ? OFPTT_ALL : 0,
        .priority = priority,
        .modify_cookie = true,
        .out_port = OFPP_NONE,
        .out_group = OFPG_ANY,
        .buffer_id = OFP_NO_BUFFER,
    };

    of_match_init(&fm.match);
    if (in_port >= 0) {
        of_match_set_u64(&fm.match, OFF_IN_PORT, (uint64_t) in_port);
    }
    if (out) {
        of_actions_put_output(&fm.actions, out, 0);
    }
    return fm;
}

static enum of_err
run_as(struct oftables *t, struct of_flow_mod *fm, const struct of_requester *req)
{
    enum of_err err = oftables_flow_mod(t, fm, req);

    of_actions_free(&fm->actions);
    return err;
}

static enum of_err
run(struct oftables *t, struct of_flow_mod fm)
{
    return run_as(t, &fm, &of13);
}

static bool
count_rule(struct rule *r, void *n)
{
    ++*(unsigned *) n;
    return true;
}

static unsigned
count(struct oftables *t)
{
    struct flow_select sel;
    unsigned n = 0;

    flow_select_init(&sel);
    oftables_for_each(t, &sel, count_rule, &n);
    assert_int_equal(n, oftables_aggregate(t, &sel).n_flows);
    return n;
}

static struct rule *
find(struct oftables *t, int priority, int in_port)
{
    struct of_flow_mod fm = mod(OFPFC_ADD, 0, in_port, 0);

    return oftables_find(t, 0, &fm.match, priority);
}

/* Port that the flow goes to, 0 for a drop, -1 for none. */
static int
lookup(struct oftables *t, uint64_t version, uint32_t in_port)
{
    struct flow flow;
    struct rule *r;

    memset(&flow, 0, sizeof flow);
    flow.meta.in_port = in_port;
    r = oftables_lookup(t, version, 0, &flow, NULL);
    return !r ? -1 : !r->acts_len ? 0 : ((const struct of_act_output *) rule_acts(r))->port;
}

static void
settle(struct oftables *t)
{
    rcu_barrier();
    oftables_run(t);
    rcu_barrier();
}

/* ---- Tests ---- */

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
    EXPECT_EVENTS("M5 ");
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
    EXPECT_EVENTS("A6 M5 ");

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
        assert_int_equal(count(t), 1);
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
    EXPECT_EVENTS("M4 ");
    c.evict = true;
    oftables_set_config(t, 0, &c);
    /* The one that expires first of the least important that expire at all. */
    assert_int_equal(run(t, mod(OFPFC_ADD, 5, 5, 2)), OF_OK);
    EXPECT_EVENTS("D2/5 A5 ");
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
check_learn(enum of_flow_command command)
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
        assert_int_equal(oftables_learn(t, &more, 2), OFLEARN_QUEUED);
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
    check_learn(OFPFC_ADD);
    check_learn(OFPFC_MODIFY_STRICT); /* as translation asks */
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
#if !defined __SANITIZE_ADDRESS__ && !defined __SANITIZE_THREAD__
    assert_in_range(per_rule, 1, 640);
#endif
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

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_add),
        cmocka_unit_test(test_references),
        cmocka_unit_test(test_modify),
        cmocka_unit_test(test_delete),
        cmocka_unit_test(test_transactions),
        cmocka_unit_test(test_own_rules),
        cmocka_unit_test(test_timeouts),
        cmocka_unit_test(test_limits),
        cmocka_unit_test(test_eviction_groups),
        cmocka_unit_test(test_eviction_many),
        cmocka_unit_test(test_learn),
        cmocka_unit_test(test_many),
        cmocka_unit_test(test_readers),
    };

    thread_adopt("");
    clock_stop();
    return cmocka_run_group_tests(tests, NULL, NULL);
}
