/* SPDX-License-Identifier: Apache-2.0 */
/* Groups: every command and its errors, what versions see, transactions that are rolled back,
 * statistics over modifications, rules that go with their group, readers beside the writer. */

#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "ofproto/groups-private.h"
#include "os/clock.h"
#include "util/compiler.h"
#include "util/xalloc.h"

static const struct of_requester nobody = {.version = OF15_VERSION};
static unsigned n_removed;
static uint8_t removed_reason;

static void
flow_removed(const struct rule *r, uint8_t reason, void *aux)
{
    n_removed++;
    removed_reason = reason;
}

static int
setup(void **state)
{
    static const struct oftables_ops ops = {.flow_removed = flow_removed};

    n_removed = 0;
    *state = oftables_create(&ops);
    return 0;
}

static int
teardown(void **state)
{
    struct oftables *t = *state;

    while (groups_run(t)) { /* readers there are none: it ends */
        rcu_barrier();
    }
    oftables_destroy(t);
    rcu_barrier();
    return 0;
}

/* ---- Messages ---- */

#define MAX_BUCKETS 8u
struct mod {
    struct of_group_mod gm;
    struct of_bucket b[MAX_BUCKETS];
};

static struct mod *
mod(enum of_group_command command, enum of_group_type type, uint32_t id)
{
    static struct mod m; /* the last one's actions are freed by the next */

    for (unsigned i = 0; i < MAX_BUCKETS; i++) {
        of_actions_free(&m.b[i].actions);
    }
    memset(&m, 0, sizeof m);
    m.gm.command = command;
    m.gm.type = type;
    m.gm.group_id = id;
    m.gm.command_bucket_id = OFPG_BUCKET_ALL;
    m.gm.buckets = m.b;
    return &m;
}

/* Adds a bucket that outputs to a port of the same number. */
static struct of_bucket *
add_bucket(struct mod *m, uint32_t id)
{
    struct of_bucket *b = &m->b[m->gm.n_buckets++];

    b->id = id;
    b->weight = m->gm.type == OFPGT_SELECT;
    b->watch_port = OFPP_NONE;
    b->watch_group = OFPG_ANY;
    of_actions_put_output(&b->actions, (uint16_t) id, 0xffff);
    return b;
}

static void
add_group_action(struct of_actions *acts, uint32_t group)
{
    ((struct of_act_num *) of_actions_put(acts, OFA_GROUP, sizeof(struct of_act_num)))->num =
        group;
}

static enum of_err
run(struct oftables *t, struct mod *m)
{
    return oftables_group_mod(t, &m->gm, &nobody);
}

static void
add_group(struct oftables *t, uint32_t id, uint32_t first_bucket, unsigned n)
{
    struct mod *m = mod(OFPGC_ADD, OFPGT_ALL, id);

    for (unsigned i = 0; i < n; i++) {
        add_bucket(m, first_bucket + i);
    }
    assert_int_equal(run(t, m), OF_OK);
}

static enum of_err
delete_group_id(struct oftables *t, uint32_t id)
{
    return run(t, mod(OFPGC_DELETE, OFPGT_ALL, id));
}

static const struct group *
current(struct oftables *t, uint32_t id)
{
    return group_lookup(t, oftables_version(t), id);
}

static void
assert_buckets(const struct group *g, unsigned n, const uint32_t *ids)
{
    assert_non_null(g);
    assert_int_equal(g->n_buckets, n);
    for (unsigned i = 0; i < n; i++) {
        const struct of_act_output *o = (const struct of_act_output *) g->buckets[i].acts;

        assert_int_equal(g->buckets[i].id, ids[i]);
        assert_int_equal(g->buckets[i].acts_len, sizeof *o);
        assert_int_equal(o->port, ids[i]); /* the actions came with the bucket */
    }
}
#define ASSERT_BUCKETS(G, ...)                                                                 \
    assert_buckets(G, sizeof((uint32_t[]){__VA_ARGS__}) / 4, (uint32_t[]){__VA_ARGS__})

/* ---- Tests ---- */

static void
test_add_modify_delete(void **state)
{
    struct oftables *t = *state;
    struct mod *m;

    clock_stop();
    assert_null(current(t, 7));
    add_group(t, 7, 1, 2);
    ASSERT_BUCKETS(current(t, 7), 1, 2);
    assert_int_equal(groups_count(t), 1);
    m = mod(OFPGC_ADD, OFPGT_ALL, 7);
    assert_int_equal(run(t, m), OFPGMFC_GROUP_EXISTS);

    clock_warp(1000);
    m = mod(OFPGC_MODIFY, OFPGT_SELECT, 7);
    add_bucket(m, 5)->weight = 100;
    strcpy(m->gm.props.selection_method, "hash");
    m->gm.props.selection_param = 42;
    m->gm.props.fields =
        (struct of_hash_field[]){{.field = OFF_IPV4_DST}, {.field = OFF_IP_PROTO}};
    m->gm.props.fields[0].mask.b[0] = 0xff;
    m->gm.props.n_fields = 2;
    assert_int_equal(run(t, m), OF_OK);
    assert_int_equal(groups_count(t), 1);
    {
        const struct group *g = current(t, 7);

        ASSERT_BUCKETS(g, 5);
        assert_int_equal(g->type, OFPGT_SELECT);
        assert_int_equal(g->buckets[0].weight, 100);
        assert_string_equal(g->selection_method, "hash");
        assert_int_equal(g->selection_param, 42);
        assert_int_equal(g->n_fields, 2);
        assert_int_equal(g->fields[0].f, OFF_IPV4_DST);
        assert_int_equal(g->fields[0].mask.b[0], 0xff);
        assert_int_equal(g->modified_ms - g->created_ms, 1000);
    }

    assert_int_equal(delete_group_id(t, 8), OF_OK); /* not there: no error */
    assert_int_equal(groups_count(t), 1);
    assert_int_equal(delete_group_id(t, 7), OF_OK);
    assert_null(current(t, 7));
    assert_int_equal(groups_count(t), 0);
    assert_int_equal(run(t, mod(OFPGC_MODIFY, OFPGT_ALL, 7)), OFPGMFC_UNKNOWN_GROUP);

    m = mod(OFPGC_ADD_OR_MOD, OFPGT_ALL, 7);
    add_bucket(m, 1);
    assert_int_equal(run(t, m), OF_OK);
    m = mod(OFPGC_ADD_OR_MOD, OFPGT_ALL, 7);
    add_bucket(m, 2);
    assert_int_equal(run(t, m), OF_OK);
    ASSERT_BUCKETS(current(t, 7), 2);
    add_group(t, OFPG_MAX, 1, 1); /* the last one that there may be */
    assert_int_equal(delete_group_id(t, OFPG_ALL), OF_OK);
    assert_int_equal(groups_count(t), 0);
    assert_null(current(t, OFPG_MAX));
}

static void
test_bucket_commands(void **state)
{
    struct oftables *t = *state;
    static const struct {
        enum of_group_command command;
        uint32_t where, bucket;
        enum of_err err;
        unsigned n;
        uint32_t ids[6];
    } steps[] = {
        {OFPGC_INSERT_BUCKET, OFPG_BUCKET_FIRST, 10, OF_OK, 3, {10, 1, 2}},
        {OFPGC_INSERT_BUCKET, OFPG_BUCKET_LAST, 11, OF_OK, 4, {10, 1, 2, 11}},
        {OFPGC_INSERT_BUCKET, 1, 12, OF_OK, 5, {10, 1, 12, 2, 11}},
        {OFPGC_INSERT_BUCKET, 11, 13, OF_OK, 6, {10, 1, 12, 2, 11, 13}},
        {OFPGC_INSERT_BUCKET, 99, 14, OFPGMFC_UNKNOWN_BUCKET, 6, {10, 1, 12, 2, 11, 13}},
        {OFPGC_INSERT_BUCKET,
         OFPG_BUCKET_LAST,
         12,
         OFPGMFC_BUCKET_EXISTS,
         6,
         {10, 1, 12, 2, 11, 13}},
        {OFPGC_REMOVE_BUCKET, 99, 0, OFPGMFC_UNKNOWN_BUCKET, 6, {10, 1, 12, 2, 11, 13}},
        {OFPGC_REMOVE_BUCKET, OFPG_BUCKET_FIRST, 0, OF_OK, 5, {1, 12, 2, 11, 13}},
        {OFPGC_REMOVE_BUCKET, OFPG_BUCKET_LAST, 0, OF_OK, 4, {1, 12, 2, 11}},
        {OFPGC_REMOVE_BUCKET, 2, 0, OF_OK, 3, {1, 12, 11}},
        {OFPGC_REMOVE_BUCKET, OFPG_BUCKET_ALL, 0, OF_OK, 0, {0}},
        {OFPGC_REMOVE_BUCKET, OFPG_BUCKET_FIRST, 0, OF_OK, 0, {0}},
        {OFPGC_REMOVE_BUCKET, OFPG_BUCKET_LAST, 0, OF_OK, 0, {0}},
        {OFPGC_INSERT_BUCKET, OFPG_BUCKET_FIRST, 3, OF_OK, 1, {3}},
    };
    struct mod *m;

    assert_int_equal(run(t, mod(OFPGC_INSERT_BUCKET, OFPGT_ALL, 7)), OFPGMFC_UNKNOWN_GROUP);
    assert_int_equal(run(t, mod(OFPGC_REMOVE_BUCKET, OFPGT_ALL, 7)), OFPGMFC_UNKNOWN_GROUP);
    add_group(t, 7, 1, 2);
    for (size_t i = 0; i < sizeof steps / sizeof *steps; i++) {
        m = mod(steps[i].command, OFPGT_ALL, 7);
        m->gm.command_bucket_id = steps[i].where;
        if (steps[i].command == OFPGC_INSERT_BUCKET) {
            add_bucket(m, steps[i].bucket);
        }
        assert_int_equal(run(t, m), steps[i].err);
        assert_buckets(current(t, 7), steps[i].n, steps[i].ids);
    }

    /* What the insertion does not say: type, method, weight. */
    m = mod(OFPGC_ADD, OFPGT_SELECT, 8);
    add_bucket(m, 1)->weight = 9;
    strcpy(m->gm.props.selection_method, "dp_hash");
    assert_int_equal(run(t, m), OF_OK);
    m = mod(OFPGC_INSERT_BUCKET, OFPGT_ALL, 8);
    m->gm.command_bucket_id = OFPG_BUCKET_LAST;
    add_bucket(m, 2);
    assert_int_equal(run(t, m), OF_OK);
    assert_int_equal(current(t, 8)->type, OFPGT_SELECT);
    assert_string_equal(current(t, 8)->selection_method, "dp_hash");
    assert_int_equal(current(t, 8)->buckets[0].weight, 9);
    assert_int_equal(current(t, 8)->buckets[1].weight, 1);
}

static void
test_refused(void **state)
{
    struct oftables *t = *state;
    struct mod *m = mod(OFPGC_ADD, OFPGT_INDIRECT, 1);

    assert_int_equal(run(t, m), OFPGMFC_INVALID_GROUP); /* no bucket */
    add_bucket(m, 1);
    assert_int_equal(run(t, m), OF_OK);
    m = mod(OFPGC_INSERT_BUCKET, OFPGT_INDIRECT, 1);
    m->gm.command_bucket_id = OFPG_BUCKET_LAST;
    add_bucket(m, 2);
    assert_int_equal(run(t, m), OFPGMFC_INVALID_GROUP); /* two */
    m = mod(OFPGC_REMOVE_BUCKET, OFPGT_INDIRECT, 1);
    assert_int_equal(run(t, m), OFPGMFC_INVALID_GROUP);
    ASSERT_BUCKETS(current(t, 1), 1);

    m = mod(OFPGC_ADD, OFPGT_ALL, OFPG_MAX + 1);
    assert_int_equal(run(t, m), OFPGMFC_INVALID_GROUP);
    m = mod(OFPGC_ADD, OFPGT_N, 2);
    assert_int_equal(run(t, m), OFPGMFC_BAD_TYPE);
    m = mod((enum of_group_command) 4, OFPGT_ALL, 2);
    assert_int_equal(run(t, m), OFPGMFC_BAD_COMMAND);
    m = mod(OFPGC_ADD, OFPGT_ALL, 2);
    add_bucket(m, 3);
    add_bucket(m, 3);
    assert_int_equal(run(t, m), OFPGMFC_BUCKET_EXISTS);
    m = mod(OFPGC_ADD, OFPGT_ALL, 2);
    add_bucket(m, 1)->id = OFPG_BUCKET_MAX + 1;
    assert_int_equal(run(t, m), OFPGMFC_BAD_BUCKET);
    m = mod(OFPGC_ADD, OFPGT_ALL, 2);
    add_bucket(m, 1)->weight = 1;
    assert_int_equal(run(t, m), OFPGMFC_INVALID_GROUP);
    m = mod(OFPGC_ADD, OFPGT_ALL, 2);
    add_bucket(m, 1)->watch_port = 1;
    assert_int_equal(run(t, m), OFPGMFC_WATCH_UNSUPPORTED);
    m = mod(OFPGC_ADD, OFPGT_FF, 2);
    add_bucket(m, 1);
    assert_int_equal(run(t, m), OFPGMFC_INVALID_GROUP); /* nothing to watch */
    m->b[0].watch_group = 1;
    assert_int_equal(run(t, m), OF_OK);

    t->groups->max = 2;
    m = mod(OFPGC_ADD, OFPGT_ALL, 3);
    assert_int_equal(run(t, m), OFPGMFC_OUT_OF_GROUPS);
    m = mod(OFPGC_MODIFY, OFPGT_ALL, 1); /* one that is there may change still */
    assert_int_equal(run(t, m), OF_OK);
    assert_int_equal(groups_count(t), 2);
}

static void
test_bucket_limits(void **state)
{
    struct oftables *t = *state;
    unsigned max = GROUP_MAX_BUCKETS;
    struct of_bucket *b = xcalloc(max + 1, sizeof *b);
    struct of_group_mod gm = {
        .command = OFPGC_ADD, .group_id = 1, .buckets = b, .n_buckets = max};

    for (unsigned i = 0; i <= max; i++) {
        b[i] = (struct of_bucket){.id = i, .watch_port = OFPP_NONE, .watch_group = OFPG_ANY};
    }
    gm.n_buckets = max + 1;
    assert_int_equal(oftables_group_mod(t, &gm, &nobody), OFPGMFC_OUT_OF_BUCKETS);
    /* 32 bytes each with what they may have around them */
    gm.n_buckets = 65000 / 32 + 1;
    assert_int_equal(oftables_group_mod(t, &gm, &nobody), OFPGMFC_OUT_OF_BUCKETS);
    gm.n_buckets--;
    assert_int_equal(oftables_group_mod(t, &gm, &nobody), OF_OK);
    assert_int_equal(current(t, 1)->n_buckets, 65000 / 32);
    free(b);
}

static enum of_err
add_chained(struct oftables *t, enum of_group_command command, uint32_t id, uint32_t to1,
            uint32_t to2)
{
    struct mod *m = mod(command, OFPGT_ALL, id);
    uint32_t to[] = {to1, to2};

    for (unsigned i = 0; i < 2; i++) {
        of_actions_free(&add_bucket(m, i)->actions);
        add_group_action(&m->b[i].actions, to[i]);
    }
    return run(t, m);
}

static void
test_loops(void **state)
{
    struct oftables *t = *state;

    assert_int_equal(add_chained(t, OFPGC_ADD, 1, 2, 1), OFPGMFC_LOOP);
    assert_int_equal(add_chained(t, OFPGC_ADD, 1, 2, 3), OF_OK); /* which are not there yet */
    assert_int_equal(add_chained(t, OFPGC_ADD, 2, 3, 4), OF_OK); /* a diamond is no loop */
    assert_int_equal(add_chained(t, OFPGC_ADD, 3, 4, 4), OF_OK);
    assert_int_equal(add_chained(t, OFPGC_ADD, 4, 9, 1), OFPGMFC_LOOP);
    assert_null(current(t, 4));
    assert_int_equal(add_chained(t, OFPGC_ADD, 4, 9, 10), OF_OK);
    assert_int_equal(add_chained(t, OFPGC_MODIFY, 4, 9, 2), OFPGMFC_LOOP);
    assert_int_equal(add_chained(t, OFPGC_MODIFY, 1, 9, 10), OF_OK);
    assert_int_equal(add_chained(t, OFPGC_MODIFY, 4, 9, 1), OF_OK); /* now there is none */

    /* 40 groups, each twice to the next: as many ways as no search may take. */
    for (uint32_t i = 140; i > 100; i--) {
        assert_int_equal(add_chained(t, OFPGC_ADD, i, i + 1, i + 1), OF_OK);
    }
    assert_int_equal(add_chained(t, OFPGC_ADD, 141, 101, 101), OFPGMFC_LOOP);
}

static void
test_statistics(void **state)
{
    struct oftables *t = *state;
    struct group *kept;
    const struct group *g;
    struct mod *m;

    add_group(t, 1, 1, 3);
    g = current(t, 1);
    group_credit(g, &g->buckets[0], 1, 100);
    group_credit(g, &g->buckets[2], 2, 200);
    group_credit(g, NULL, 4, 400);
    kept = group_ref(g);

    m = mod(OFPGC_MODIFY, OFPGT_ALL, 1); /* 3, 4 and 1 are what it has now */
    add_bucket(m, 3);
    add_bucket(m, 4);
    add_bucket(m, 1);
    assert_int_equal(run(t, m), OF_OK);
    g = current(t, 1);
    assert_ptr_not_equal(g, kept);
    /* Packets on their way by the translation of before are counted too. */
    group_credit(kept, &kept->buckets[0], 8, 800);
    assert_int_equal(g->counts->n_packets, 15);
    assert_int_equal(g->counts->n_bytes, 1500);
    assert_int_equal(g->buckets[0].counts->n_packets, 2);
    assert_int_equal(g->buckets[1].counts->n_packets, 0);
    assert_int_equal(g->buckets[2].counts->n_packets, 9);
    assert_int_equal(g->buckets[2].counts->n_bytes, 900);

    m = mod(OFPGC_INSERT_BUCKET, OFPGT_ALL, 1);
    m->gm.command_bucket_id = OFPG_BUCKET_FIRST;
    add_bucket(m, 9);
    assert_int_equal(run(t, m), OF_OK);
    g = current(t, 1);
    assert_int_equal(g->buckets[0].counts->n_packets, 0);
    assert_int_equal(g->buckets[1].counts->n_packets, 2);
    assert_int_equal(g->buckets[3].counts->n_packets, 9);

    /* Deleted and added: another group.  The old one lasts as long as it is referred to. */
    assert_int_equal(delete_group_id(t, 1), OF_OK);
    add_group(t, 1, 1, 1);
    assert_int_equal(current(t, 1)->counts->n_packets, 0);
    while (groups_run(t)) {
        rcu_barrier();
    }
    rcu_barrier();
    group_credit(kept, &kept->buckets[2], 1, 1);
    assert_int_equal(kept->counts->n_packets, 16);
    group_unref(kept);
}

static void
test_versions(void **state)
{
    struct oftables *t = *state;
    struct oftxn *txn;
    struct mod *m;
    uint64_t v0, v1;

    add_group(t, 1, 1, 1);
    add_group(t, 2, 2, 1);
    v0 = oftables_version(t);
    txn = oftxn_begin(t, &nobody);
    assert_int_equal(oftxn_group_mod(txn, &mod(OFPGC_DELETE, OFPGT_ALL, 1)->gm), OF_OK);
    m = mod(OFPGC_MODIFY, OFPGT_ALL, 2);
    add_bucket(m, 5);
    assert_int_equal(oftxn_group_mod(txn, &m->gm), OF_OK);
    m = mod(OFPGC_MODIFY, OFPGT_ALL, 2);
    add_bucket(m, 6);
    assert_int_equal(oftxn_group_mod(txn, &m->gm), OF_OK);
    m = mod(OFPGC_ADD, OFPGT_ALL, 3);
    assert_int_equal(oftxn_group_mod(txn, &m->gm), OF_OK);
    ASSERT_BUCKETS(current(t, 1), 1); /* nothing is seen yet */
    ASSERT_BUCKETS(current(t, 2), 2);
    assert_null(current(t, 3));
    assert_non_null(groups_find(t, 3)); /* but by the writer */
    assert_null(groups_find(t, 1));
    oftxn_commit(txn);
    v1 = oftables_version(t);
    assert_null(group_lookup(t, v1, 1));
    ASSERT_BUCKETS(group_lookup(t, v1, 2), 6);
    assert_non_null(group_lookup(t, v1, 3));
    ASSERT_BUCKETS(group_lookup(t, v0, 1), 1); /* who began before sees what was */
    ASSERT_BUCKETS(group_lookup(t, v0, 2), 2);
    assert_null(group_lookup(t, v0, 3));

    add_group(t, 1, 7, 1); /* again, while the old one is in memory */
    ASSERT_BUCKETS(group_lookup(t, v0, 1), 1);
    assert_null(group_lookup(t, v1, 1));
    ASSERT_BUCKETS(current(t, 1), 7);

    while (groups_run(t)) {
        rcu_barrier();
    }
    assert_null(group_lookup(t, v0, 1)); /* out of reach, and what is there is found still */
    assert_null(group_lookup(t, v0, 2));
    ASSERT_BUCKETS(current(t, 1), 7);
    ASSERT_BUCKETS(current(t, 2), 6);
}

static void
add_rule(struct oftables *t, struct oftxn *txn, uint32_t group1, uint32_t group2)
{
    static uint64_t metadata; /* rules with the same groups differ */
    struct of_flow_mod fm = {
        .command = OFPFC_ADD,
        .priority = (uint16_t) (group1 * 256 + group2),
        .flags = OFPFF_SEND_FLOW_REM,
        .buffer_id = OFP_NO_BUFFER,
        .out_port = OFPP_NONE,
        .out_group = OFPG_ANY,
    };

    of_match_init(&fm.match);
    of_match_set_u64(&fm.match, OFF_METADATA, ++metadata);
    add_group_action(&fm.actions, group1);
    add_group_action(&fm.actions, group2);
    if (txn) {
        assert_int_equal(oftxn_flow_mod(txn, &fm), OF_OK);
    } else {
        assert_int_equal(oftables_flow_mod(t, &fm, &nobody), OF_OK);
    }
    of_actions_free(&fm.actions);
}

static int64_t
time_to_count(struct oftables *t, unsigned calls, unsigned want)
{
    int64_t start = clock_real_ns();

    for (unsigned i = 0; i < calls; i++) {
        assert_int_equal(group_n_rules(t, current(t, 1)), want);
    }
    return clock_real_ns() - start;
}

/* Who asks again and again is told what was found out the first time, until it changes. */
static void
test_rule_count(void **state)
{
    enum { N = 20000, CALLS = 1000 };
    struct oftables *t = *state;
    int64_t first, again = INT64_MAX;
    struct oftxn *txn;

    add_group(t, 1, 1, 1);
    add_group(t, 2, 1, 1);
    for (unsigned i = 0; i < N; i++) {
        add_rule(t, NULL, 1, 2);
    }
    first = time_to_count(t, 1, N);
    for (int i = 0; i < 5; i++) { /* others may have taken the processor */
        again = MIN(again, time_to_count(t, CALLS, N));
    }
    assert_true(again < first * CALLS / 10);
    txn = oftxn_begin(t, &nobody);
    add_rule(t, txn, 1, 2);
    time_to_count(t, 2, N); /* it is not seen yet */
    oftxn_rollback(txn);
    add_rule(t, NULL, 1, 2);
    time_to_count(t, 2, N + 1);
    assert_int_equal(delete_group_id(t, 2), OF_OK);
    time_to_count(t, 2, 0);
}

static void
test_rules_go(void **state)
{
    struct oftables *t = *state;
    struct mod *m;

    add_group(t, 1, 1, 1);
    add_group(t, 2, 1, 1);
    add_group(t, 3, 1, 1);
    add_rule(t, NULL, 1, 2);
    add_rule(t, NULL, 2, 3);
    assert_int_equal(group_n_rules(t, current(t, 2)), 2);
    m = mod(OFPGC_MODIFY, OFPGT_ALL, 2);
    assert_int_equal(run(t, m), OF_OK);
    assert_int_equal(group_n_rules(t, current(t, 2)), 2); /* they follow */

    assert_int_equal(delete_group_id(t, 1), OF_OK);
    assert_int_equal(n_removed, 1);
    assert_int_equal(removed_reason, OFPRR_GROUP_DELETE);
    assert_int_equal(group_n_rules(t, current(t, 2)), 1);
    assert_int_equal(oftables_count(t), 1);
    while (groups_run(t)) {
        rcu_barrier();
    }
    assert_int_equal(delete_group_id(t, OFPG_ALL), OF_OK);
    assert_int_equal(n_removed, 2); /* once, though two of its groups went */
    assert_int_equal(oftables_count(t), 0);
    assert_int_equal(groups_count(t), 0);
}

static void
test_rollback(void **state)
{
    struct oftables *t = *state;
    struct oftxn *txn;
    struct mod *m;

    add_group(t, 1, 1, 1);
    add_group(t, 2, 2, 1);
    add_rule(t, NULL, 1, 2);
    txn = oftxn_begin(t, &nobody);
    m = mod(OFPGC_MODIFY, OFPGT_ALL, 1);
    assert_int_equal(oftxn_group_mod(txn, &m->gm), OF_OK);
    m = mod(OFPGC_ADD, OFPGT_ALL, 3);
    assert_int_equal(oftxn_group_mod(txn, &m->gm), OF_OK);
    add_rule(t, txn, 3, 1);
    assert_int_equal(oftxn_group_mod(txn, &mod(OFPGC_DELETE, OFPGT_ALL, OFPG_ALL)->gm), OF_OK);
    m = mod(OFPGC_ADD, OFPGT_ALL, 2);
    assert_int_equal(oftxn_group_mod(txn, &m->gm), OF_OK);
    m = mod(OFPGC_ADD, OFPGT_ALL, 2); /* an error leaves what was done before */
    assert_int_equal(oftxn_group_mod(txn, &m->gm), OFPGMFC_GROUP_EXISTS);
    assert_int_equal(groups_count(t), 1);
    oftxn_rollback(txn);

    assert_int_equal(groups_count(t), 2);
    assert_int_equal(n_removed, 0);
    assert_int_equal(oftables_count(t), 1);
    ASSERT_BUCKETS(current(t, 1), 1);
    ASSERT_BUCKETS(current(t, 2), 2);
    assert_null(current(t, 3));
    assert_int_equal(group_n_rules(t, current(t, 1)), 1);
    assert_int_equal(group_n_rules(t, current(t, 2)), 1);
    assert_false(groups_run(t)); /* nothing waits for anything */

    /* The version is used again, and nothing of the past shows. */
    add_group(t, 4, 4, 1);
    assert_null(current(t, 3));
    ASSERT_BUCKETS(current(t, 2), 2);
    assert_int_equal(delete_group_id(t, 2), OF_OK);
    assert_int_equal(n_removed, 1);
}

static bool
collect(const struct group *g, void *ids_)
{
    uint32_t **ids = ids_;

    *(*ids)++ = g->id;
    return g->id != 500000;
}

static void
test_for_each(void **state)
{
    struct oftables *t = *state;
    uint32_t ids[8], *end = ids;

    add_group(t, 70, 1, 1);
    add_group(t, 500000, 1, 1);
    add_group(t, 0, 1, 1);
    add_group(t, 1000000, 1, 1);
    add_group(t, 69, 1, 1);
    delete_group_id(t, 69);
    groups_for_each(t, OFPG_ALL, collect, &end);
    assert_int_equal(end - ids, 3); /* was told to stop there */
    assert_int_equal(ids[0], 0);
    assert_int_equal(ids[1], 70);
    assert_int_equal(ids[2], 500000);
    end = ids;
    groups_for_each(t, 70, collect, &end);
    groups_for_each(t, 69, collect, &end);
    assert_int_equal(end - ids, 1);
    assert_int_equal(ids[0], 70);
}

#define N_PAIRS 64u

struct reader {
    struct oftables *t;
    atomic_bool stop;
    unsigned n_seen, n_wrong;
};

/* Groups 2i and 2i+1 are always changed together: have one bucket id, or are not there. */
static void *
read_pairs(void *r_)
{
    struct reader *r = r_;

    rcu_register_thread();
    for (unsigned i = 0; !atomic_load(&r->stop); i = (i + 1) % N_PAIRS) {
        uint64_t v;
        const struct group *a, *b;

        rcu_read_lock();
        v = oftables_version(r->t);
        a = group_lookup(r->t, v, 2 * i);
        b = group_lookup(r->t, v, 2 * i + 1);
        r->n_wrong += !a != !b || (a && a->buckets[0].id != b->buckets[0].id);
        if (a && b) {
            r->n_seen++;
            group_credit(a, &a->buckets[0], 1, 1);
            group_unref(group_ref(b));
        }
        rcu_read_unlock();
        rcu_quiescent_state();
    }
    rcu_unregister_thread();
    return NULL;
}

static void
test_readers(void **state)
{
    struct oftables *t = *state;
    struct reader r = {.t = t};
    pthread_t thread;

    assert_int_equal(pthread_create(&thread, NULL, read_pairs, &r), 0);
    for (unsigned i = 0; i < 20000; i++) {
        unsigned pair = i * 7 % N_PAIRS;
        struct oftxn *txn = oftxn_begin(t, &nobody);

        for (unsigned k = 0; k < 2; k++) {
            struct mod *m =
                mod(i % 5 ? OFPGC_ADD_OR_MOD : OFPGC_DELETE, OFPGT_ALL, 2 * pair + k);

            add_bucket(m, i % 1000);
            assert_int_equal(oftxn_group_mod(txn, &m->gm), OF_OK);
        }
        if (i % 11) {
            oftxn_commit(txn);
        } else {
            oftxn_rollback(txn);
        }
        if (i % 16 == 0) {
            oftables_run(t);
        }
    }
    atomic_store(&r.stop, true);
    pthread_join(thread, NULL);
    assert_int_equal(r.n_wrong, 0);
    assert_true(r.n_seen > 0);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
#define T(NAME) cmocka_unit_test_setup_teardown(NAME, setup, teardown)
        T(test_add_modify_delete), T(test_bucket_commands), T(test_refused),
        T(test_bucket_limits),     T(test_loops),           T(test_statistics),
        T(test_versions),          T(test_rules_go),        T(test_rule_count),
        T(test_rollback),          T(test_for_each),        T(test_readers),
    };
    int failed = cmocka_run_group_tests(tests, NULL, NULL);

    mod(OFPGC_DELETE, OFPGT_ALL, 0); /* frees the last one */
    return failed;
}
