/* SPDX-License-Identifier: Apache-2.0 */
/* What else is about very many flows, and takes many turns of the event loop: the end of a
 * group or a meter, of all flows, of those beyond a lowered limit, of what was learned; and
 * what a flow monitor begins with.  Others see all of it or nothing, and what they ask for
 * comes behind it. */

#include "of-commit-harness.h"

#include "ofproto/groups.h"
#include "ofproto/meters.h"
#include "openflow/of-group.h"
#include "openflow/of-meter.h"
#include "openflow/of-monitor.h"

#define ID 5u

static void
send_group_mod(struct ofconn *c, enum of_group_command command, uint32_t id)
{
    const struct of_group_mod gm = {
        .command = command,
        .type = OFPGT_ALL,
        .group_id = id,
        .command_bucket_id = OFPG_BUCKET_ALL,
    };
    struct of_buf m = OF_BUF_INIT;

    assert_true(of_group_mod_encode(&m, &gm, OF14_VERSION, ++xid));
    send_msg(c, &m);
}

static void
send_meter_mod(struct ofconn *c, enum of_meter_command command, uint32_t id)
{
    const struct of_meter_mod mm = {
        .command = command,
        .config = {.meter_id = id,
                   .flags = OFPMF_PKTPS,
                   .n_bands = command == OFPMC_ADD,
                   .bands = {{.type = OFPMBT_DROP, .rate = 1000}}},
    };
    struct of_buf m = OF_BUF_INIT;

    assert_true(of_meter_mod_encode(&m, &mm, OF14_VERSION, ++xid));
    send_msg(c, &m);
}

/* Gives all flows an action. */
static void
refer(enum of_act_type type)
{
    struct of_flow_mod fm = {
        .command = OFPFC_MODIFY,
        .out_port = OFPP_NONE,
        .out_group = OFPG_ANY,
        .buffer_id = OFP_NO_BUFFER,
    };
    struct of_act_num *num = of_actions_put(&fm.actions, type, sizeof *num);

    num->num = ID;
    of_match_init(&fm.match);
    assert_int_equal(oftables_flow_mod(o->tables, &fm, NULL), OF_OK);
    of_actions_free(&fm.actions);
}

/* While `busy`: all flows are there or none, both for packets and questions; `b` is answered,
 * but what it wants to add waits.  Returns the number of turns. */
static unsigned
watch(bool (*busy)(void))
{
    struct of_match m;
    unsigned n = 0;

    send_flow_mod(b, ADD, 9 * N, 0);
    while (busy()) {
        bool before = hits(o, 1);

        assert_int_equal(hits(o, N), before ? N : 0);
        assert_int_equal(hits(o, N / 2), before ? N / 2 : 0);
        assert_int_equal(hits(o, 9 * N), 0);
        assert_in_range(oftables_count(o->tables), before ? N : 0, before ? N + 1 : 1);
        assert_true(++n < TO_THE_END);
        evloop_turn(loop, 0);
    }
    assert_int_equal(hits(o, 1), 0);
    of_match_init(&m);
    of_match_set_u64(&m, OFF_IN_PORT, 9 * N);
    assert_non_null(oftables_find(o->tables, 0, &m, 10));
    return n;
}

static bool
has_commit(void)
{
    return o->conns->commit;
}

/* The tables are at it by themselves.  The wake-up comes through a descriptor. */
static bool
is_busy(void)
{
    return oftables_is_busy(o->tables);
}

static void
until_idle(void)
{
    for (int i = 0; i < 1000 && is_busy(); i++) {
        evloop_turn(loop, 10);
    }
    assert_false(is_busy());
}

/* ------------------------------------------------------------------ tests */

static void
test_group(void **state)
{
    send_group_mod(a, OFPGC_ADD, ID);
    send_group_mod(a, OFPGC_ADD, ID + 1);
    refer(OFA_GROUP);
    for (int all = 0; all < 2; all++) {
        /* A bundle that fails: flows and group stay. */
        struct of_buf m = OF_BUF_INIT;
        size_t start;

        send_control(a, OFPBCT_OPEN_REQUEST);
        start = of_msg_begin(&m, OFM_BUNDLE_ADD_MESSAGE, OF14_VERSION, xid + 1);
        of_put_u32(&m, 1);
        of_put_u16(&m, 0);
        of_put_u16(&m, OFPBF_ATOMIC);
        assert_true(of_group_mod_encode(&m,
                                        &(struct of_group_mod){
                                            .command = OFPGC_DELETE,
                                            .group_id = all ? OFPG_ALL : ID,
                                            .command_bucket_id = OFPG_BUCKET_ALL,
                                        },
                                        OF14_VERSION, ++xid));
        of_msg_end(&m, start);
        send_msg(a, &m);
        send_in_bundle(a, ADD, 9 * N, ID);
        of_buf_clear(&a->sink);
        send_control(a, OFPBCT_COMMIT_REQUEST);
        assert_true(turns(TO_THE_END) >= 2 * N / PARTS - 3);
        assert_string_equal(sent(a), "OFPBAC_BAD_OUT_GROUP OFPBFC_MSG_FAILED ");
        assert_true(hits(o, 1) && n_flows(b) == N);
        assert_int_equal(groups_count(o->tables), 2);
    }
    send_group_mod(a, OFPGC_DELETE, ID);
    send_empty(a, OFM_BARRIER_REQUEST);
    send_empty(b, OFM_BARRIER_REQUEST);
    assert_string_equal(sent(b), "OFPT_BARRIER_REPLY ");
    assert_string_equal(sent(a), "");
    assert_true(watch(has_commit) >= 2 * N / PARTS - 3);
    assert_string_equal(sent(a), "OFPT_BARRIER_REPLY ");
    assert_int_equal(groups_count(o->tables), 1);
    send_group_mod(a, OFPGC_DELETE, 99); /* is not there: no error */
    send_group_mod(a, OFPGC_MODIFY, 99);
    assert_string_equal(sent(a), "OFPGMFC_UNKNOWN_GROUP ");
}

static void
test_meter(void **state)
{
    send_meter_mod(a, OFPMC_ADD, ID);
    send_meter_mod(a, OFPMC_ADD, ID + 1);
    assert_string_equal(sent(a), "");
    refer(OFA_METER);
    send_meter_mod(a, OFPMC_DELETE, ID);
    send_empty(a, OFM_BARRIER_REQUEST);
    assert_int_equal(meters_count(o->tables), 2);
    assert_true(watch(has_commit) >= 2 * N / PARTS - 3);
    assert_string_equal(sent(a), "OFPT_BARRIER_REPLY ");
    assert_int_equal(meters_count(o->tables), 1);
    send_meter_mod(a, OFPMC_DELETE, OFPM_ALL);
    assert_int_equal(meters_count(o->tables), 0);
    assert_string_equal(sent(a), "");
}

/* The sender goes: the group or meter goes all the same, with its flows. */
static void
test_sender_goes(void **state)
{
    send_meter_mod(a, OFPMC_ADD, ID);
    refer(OFA_METER);
    send_meter_mod(a, OFPMC_DELETE, ID);
    turns(3);
    ofconn_destroy(a);
    assert_true(watch(has_commit) > 10);
    assert_int_equal(meters_count(o->tables), 0);
}

static void
test_flush(void **state)
{
    send_group_mod(a, OFPGC_ADD, ID);
    send_meter_mod(a, OFPMC_ADD, ID);
    refer(OFA_GROUP);
    ofproto_set_fail_open(o, true);
    assert_true(is_busy());
    send_empty(a, OFM_BARRIER_REQUEST); /* has asked for nothing */
    assert_string_equal(sent(a), "OFPT_BARRIER_REPLY ");
    assert_true(watch(is_busy) >= 2 * N / PARTS - 3);
    assert_int_equal(groups_count(o->tables), 0);
    assert_int_equal(meters_count(o->tables), 0);
    assert_int_equal(oftables_count(o->tables), 2); /* that of `b`, and NORMAL */
    /* A controller is there again before it is over. */
    oftables_flush(o->tables);
    until_idle();
    for (uint32_t i = 1; i <= N; i++) {
        send_flow_mod(a, ADD, i, 0);
    }
    assert_int_equal(oftables_count(o->tables), N + 1);
    ofproto_set_fail_open(o, false);
    ofproto_set_fail_open(o, true);
    evloop_turn(loop, 0);
    assert_true(is_busy() && hits(o, 1));
    ofproto_set_fail_open(o, false);
    assert_true(is_busy() && hits(o, 1));
    until_idle();
    assert_int_equal(oftables_count(o->tables), 0);
    /* And gone again before that. */
    ofproto_set_fail_open(o, true);
    until_idle();
    assert_int_equal(oftables_count(o->tables), 1);
    for (uint32_t i = 1; i <= N; i++) {
        send_flow_mod(a, ADD, i, 0);
    }
    for (int i = 0; i < 3; i++) {
        ofproto_set_fail_open(o, i % 2);
        assert_true(i == 0 || is_busy());
    }
    ofproto_set_fail_open(o, true);
    until_idle();
    assert_int_equal(oftables_count(o->tables), 1);
    assert_string_equal(sent(a), "");
}

/* The bridge goes meanwhile. */
static void
test_bridge_goes(void **state)
{
    for (unsigned after = 0; after < 2 * N / PARTS; after += N / PARTS / 2) {
        if (after % (N / PARTS)) {
            ofproto_set_fail_open(o, true);
        } else {
            oftables_flush(o->tables);
        }
        send_flow_mod(b, ADD, 9 * N, 0);
        for (unsigned i = 0; i < after; i++) {
            evloop_turn(loop, 0);
        }
        teardown(state);
        begin(state);
    }
}

/* Flows that may be evicted: they have a time-out. */
static void
expire_in(uint16_t seconds)
{
    oftables_set_parts(0);
    send_flow_mod(a, DELETE, 0, 0);
    turns(TO_THE_END);
    for (uint32_t i = 1; i <= N; i++) {
        struct of_buf m = OF_BUF_INIT;

        put_flow_mod(&m, ADD, i, 0, seconds);
        send_msg(a, &m);
    }
    assert_int_equal(n_flows(b), N);
    oftables_set_parts(PARTS);
}

static void
test_lowered_limit(void **state)
{
    struct oftable_config config = *oftables_get_config(o->tables, 0);

    expire_in(60000);
    config.flow_limit = 0;
    config.evict = true;
    oftables_set_config(o->tables, 0, &config);
    config.flow_limit = 1; /* another while that is under way */
    oftables_set_config(o->tables, 0, &config);
    assert_true(watch(is_busy) >= 3 * N / PARTS - 3);
    assert_int_equal(n_flows(b), 1);
}

/* The table is full, and what to evict is to be found out. */
static void
test_full_table(void **state)
{
    struct oftable_config config = *oftables_get_config(o->tables, 0);
    struct of_buf m = OF_BUF_INIT;

    expire_in(60000);
    config.flow_limit = N;
    config.evict = true;
    oftables_set_config(o->tables, 0, &config);
    assert_false(is_busy());
    for (int i = 0; i < 3; i++) {
        put_flow_mod(&m, ADD, 7 * N + (uint32_t) i, 0, i ? 60000 : 10);
        send_msg(a, &m);
        send_empty(a, OFM_BARRIER_REQUEST);
        assert_string_equal(sent(a), i ? "OFPT_BARRIER_REPLY " : "");
        assert_in_range(turns(TO_THE_END), i ? 0 : N / PARTS / 2, i ? 0 : 2 * N / PARTS + 3);
        assert_string_equal(sent(a), i ? "" : "OFPT_BARRIER_REPLY ");
        assert_int_equal(n_flows(b), N);
    }
    assert_int_equal(hits(o, 7 * N), 0); /* was the first to expire */
    assert_int_equal(hits(o, 7 * N + 2), 7 * N + 2);
    /* Its sender goes before it is known: nothing is left of that. */
    config.n_groups = 1; /* as good as others, but not the same */
    config.groups[0] = (struct of_subfield){.f = OFF_IN_PORT, .n_bits = 1};
    oftables_set_config(o->tables, 0, &config);
    put_flow_mod(&m, ADD, 8 * N, 0, 60000);
    send_msg(a, &m);
    turns(3);
    assert_non_null(o->conns->commit);
    oftables_set_config(o->tables, 0, oftables_get_config(o->tables, 0));
    config.n_groups = 0;
    oftables_set_config(o->tables, 0, &config); /* what was found out is of no use */
    turns(TO_THE_END);
    assert_int_equal(hits(o, 8 * N), 8 * N);
}

/* A rule of table 1 that deletes what it learned: the N flows. */
static void
add_learner(uint16_t hard_timeout)
{
    struct of_flow_mod fm = {
        .command = OFPFC_ADD,
        .table_id = 1,
        .priority = 10,
        .hard_timeout = hard_timeout,
        .out_port = OFPP_NONE,
        .out_group = OFPG_ANY,
        .buffer_id = OFP_NO_BUFFER,
    };
    struct of_act_learn *l = of_actions_put(&fm.actions, OFA_LEARN, sizeof *l);

    l->cookie = 77;
    l->flags = OF_LEARN_DELETE_LEARNED;
    of_match_init(&fm.match);
    assert_int_equal(oftables_flow_mod(o->tables, &fm, NULL), OF_OK);
    of_actions_free(&fm.actions);
    oftables_set_parts(0);
    next_mod.cookie = 77;
    for (uint32_t i = 1; i <= N; i++) {
        send_flow_mod(a, ADD, i, 0);
    }
    next_mod.cookie = 0;
    oftables_set_parts(PARTS);
    assert_int_equal(oftables_count(o->tables), N + 1);
}

static void
test_learned(void **state)
{
    /* DELETE, DELETE_STRICT, and ADD of another in its place. */
    static const enum command commands[] = {DELETE, DELETE_STRICT, ADD};

    for (unsigned i = 0; i < ARRAY_SIZE(commands); i++) {
        unsigned n = 0;

        add_learner(0);
        next_mod.table = 1;
        send_flow_mod(a, commands[i], 0, 0);
        next_mod.table = 0;
        assert_non_null(o->conns->commit);
        send_empty(a, OFM_BARRIER_REQUEST);
        send_flow_mod(b, ADD, 9 * N, 0);
        for (; o->conns->commit; n++) {
            bool before = hits(o, 1);

            assert_int_equal(hits(o, N), before ? N : 0);
            assert_int_equal(hits(o, 9 * N), 0);
            assert_string_equal(sent(a), "");
            evloop_turn(loop, 0);
        }
        assert_true(n >= 3 * N / PARTS - 3);
        assert_string_equal(sent(a), "OFPT_BARRIER_REPLY ");
        assert_int_equal(hits(o, N), 0);
        assert_int_equal(oftables_count(o->tables), commands[i] == ADD ? 2 : 1);
        oftables_flush(o->tables);
        until_idle();
        assert_string_equal(sent(b), "");
    }
}

/* The same when it expires: nobody has asked for that. */
static void
test_learner_expires(void **state)
{
    add_learner(2);
    clock_warp(5000);
    oftables_run(o->tables);
    assert_true(watch(is_busy) >= 3 * N / PARTS - 3);
    assert_int_equal(oftables_count(o->tables), 1);
}

/* ---- Monitors ---- */

static void
send_monitor(struct ofconn *c, uint32_t id)
{
    struct of_buf m = OF_BUF_INIT;
    size_t start = of_msg_begin(&m, OFM_FLOW_MONITOR_REQUEST, OF14_VERSION, ++xid);

    of_put_u32(&m, id);
    of_put_u32(&m, UINT32_MAX); /* any port */
    of_put_u32(&m, UINT32_MAX); /* any group */
    of_put_u16(&m, 0xf);        /* initial, add, removed, modify */
    of_put_u8(&m, 255);
    of_put_u8(&m, 0); /* add */
    of_put_u16(&m, 1);
    of_put_u16(&m, 4);
    of_put_u32(&m, 0);
    of_msg_end(&m, start);
    send_msg(c, &m);
}

/* Events in order, equal ones that follow each other counted, other messages by name. */
static const char *
told(struct ofconn *c)
{
    static const char *const names[] = {"initial", "added", "removed", "modified"};
    static char text[1024];
    size_t ofs = 0, len = 0;
    unsigned n = 0, last = 0;

    text[0] = '\0';
    while (ofs < c->sink.len) {
        const uint8_t *p = c->sink.data + ofs;
        struct of_msg m;

        assert_int_equal(of_msg_parse(p, of_get_be16(p + 2), &m), OF_OK);
        ofs += m.len;
        if (m.type == OFM_FLOW_MONITOR_REPLY) {
            for (size_t at = 0; at < m.body.len; at += of_get_be16(m.body.p + at)) {
                unsigned event = of_get_be16(m.body.p + at + 2);

                assert_true(event < ARRAY_SIZE(names));
                if (n && event != last) {
                    len += (size_t) sprintf(text + len, "%u %s ", n, names[last]);
                    n = 0;
                }
                last = event;
                n++;
            }
        }
        if (n && (ofs == c->sink.len || m.type != OFM_FLOW_MONITOR_REPLY)) {
            len += (size_t) sprintf(text + len, "%u %s ", n, names[last]);
            n = 0;
        }
        if (m.type != OFM_FLOW_MONITOR_REPLY) {
            len += (size_t) sprintf(text + len, "%s ", of_msg_type_name(m.type));
        }
    }
    of_buf_clear(&c->sink);
    return text;
}

static void
test_monitor(void **state)
{
    unsigned n = 0;

    send_monitor(a, 1);
    send_empty(a, OFM_BARRIER_REQUEST);
    send_monitor(a, 2);
    assert_string_equal(sent(a), "");
    evloop_turn(loop, 0);
    /* What happens meanwhile comes behind it: with a flow that was not looked at yet, one that
     * was, and one that is new. */
    send_flow_mod(b, DELETE_STRICT, 1, 0);
    send_flow_mod(b, DELETE_STRICT, N, 0);
    send_flow_mod(b, ADD, 9 * N, 0);
    assert_int_equal(n_flows(b), N - 1);
    for (; !a->sink.len; n++) {
        assert_true(n < 1000);
        evloop_turn(loop, 0);
    }
    assert_in_range(n, N / PARTS - 5, 2 * N / PARTS + 5); /* each is looked at, and kept */
    for (int i = 0; i < 1000 && a->dump; i++) {
        evloop_turn(loop, 0);
    }
    evloop_turn(loop, 0);
    /* The first monitor, what it missed, and the barrier that waited; then the second. */
    assert_string_equal(told(a),
                        "3000 initial 2 removed 1 added OFPT_BARRIER_REPLY 2999 initial ");
    send_flow_mod(b, DELETE_STRICT, 2, 0);
    assert_string_equal(told(a), "1 removed ");
    /* One goes in the middle. */
    send_monitor(b, 3);
    evloop_turn(loop, 0);
    ofconn_destroy(b);
    send_flow_mod(a, ADD, 2, 0);
    assert_string_equal(sent(a), "OFPST_FLOW_MONITOR reply ");
    b = ofconn_create_fake(o->conns, OF14_VERSION);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        U(test_group),         U(test_meter),      U(test_sender_goes), U(test_flush),
        U(test_lowered_limit), U(test_full_table), U(test_learned),     U(test_learner_expires),
        U(test_bridge_goes),   U(test_monitor),
    };

    return run_bridge_tests(tests, ARRAY_SIZE(tests));
}
