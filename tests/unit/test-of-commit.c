/* SPDX-License-Identifier: Apache-2.0 */
/* Bundles and flow mods that take many turns of the event loop: what the others see meanwhile,
 * who waits, and what becomes of a commit whose sender, bridge or tables go. */

#include "ofproto-harness.h"

#include "ofproto/conn-private.h"
#include "openflow/of-bundle.h"
#include "util/compiler.h"

#define N 3000u    /* flows */
#define PARTS 100u /* in a turn */

static uint32_t xid;

/* ------------------------------------------------------------------ messages */

enum command { ADD, MODIFY, MODIFY_STRICT, DELETE, DELETE_STRICT };

/* `port` 0: of all; `group` 0: drops. */
static void
put_flow_mod(struct of_buf *b, enum command command, uint32_t port, uint32_t group,
             uint16_t hard_timeout)
{
    size_t start = of_msg_begin(b, OFM_FLOW_MOD, OF14_VERSION, ++xid);

    of_buf_put_zeros(b, 16); /* cookie, its mask */
    of_put_u8(b, 0);         /* table */
    of_put_u8(b, (uint8_t) command);
    of_put_u16(b, 0);
    of_put_u16(b, hard_timeout);
    of_put_u16(b, 10);         /* priority */
    of_put_u32(b, UINT32_MAX); /* no buffer */
    of_put_u32(b, UINT32_MAX); /* any port */
    of_put_u32(b, UINT32_MAX); /* any group */
    of_put_u16(b, 0);
    of_put_u16(b, 0);
    of_put_u16(b, 1); /* OXM */
    of_put_u16(b, port ? 12 : 4);
    of_put_u32(b, port ? 0x80000004 : 0);
    if (port) {
        of_put_u32(b, port);
        of_put_u32(b, 0);
    }
    if (group) {
        of_put_u16(b, 4); /* apply these actions */
        of_put_u16(b, 16);
        of_put_u32(b, 0);
        of_put_u16(b, 22); /* group */
        of_put_u16(b, 8);
        of_put_u32(b, group);
    }
    of_msg_end(b, start);
}

static void
send_msg(struct ofconn *c, struct of_buf *b)
{
    struct of_msg m;

    assert_int_equal(of_msg_parse(b->data, b->len, &m), OF_OK);
    ofconn_dispatch(c, &m);
    of_buf_free(b);
}

static void
send_control(struct ofconn *c, enum of_bundle_type type)
{
    const struct of_bundle_control m = {.bundle_id = 1, .type = type, .flags = OFPBF_ATOMIC};
    struct of_buf b = OF_BUF_INIT;

    of_bundle_control_encode(&b, &m, OF14_VERSION, ++xid);
    send_msg(c, &b);
}

static void
send_flow_mod(struct ofconn *c, enum command command, uint32_t port, uint32_t group)
{
    struct of_buf b = OF_BUF_INIT;

    put_flow_mod(&b, command, port, group, 0);
    send_msg(c, &b);
}

static void
send_in_bundle(struct ofconn *c, enum command command, uint32_t port, uint32_t group)
{
    struct of_buf b = OF_BUF_INIT;
    size_t start = of_msg_begin(&b, OFM_BUNDLE_ADD_MESSAGE, OF14_VERSION, xid + 1);

    of_put_u32(&b, 1);
    of_put_u16(&b, 0);
    of_put_u16(&b, OFPBF_ATOMIC);
    put_flow_mod(&b, command, port, group, 0);
    of_msg_end(&b, start);
    send_msg(c, &b);
}

/* A bundle that deletes all flows, then adds those of ports [from, from + N). */
static void
fill_bundle(struct ofconn *c, uint32_t from)
{
    send_control(c, OFPBCT_OPEN_REQUEST);
    send_in_bundle(c, DELETE, 0, 0);
    for (uint32_t i = 0; i < N; i++) {
        send_in_bundle(c, ADD, from + i, 0);
    }
    of_buf_clear(&c->sink);
}

static void
send_empty(struct ofconn *c, enum of_msg_type type)
{
    struct of_buf b = OF_BUF_INIT;

    of_msg_end(&b, of_msg_begin(&b, type, OF14_VERSION, ++xid));
    send_msg(c, &b);
}

/* ------------------------------------------------------------------ answers */

/* Types of the messages that a connection was sent, errors by name; forgets them. */
static const char *
sent(struct ofconn *c)
{
    static char text[1024];
    size_t ofs = 0, len = 0;

    text[0] = '\0';
    while (ofs < c->sink.len) {
        const uint8_t *p = c->sink.data + ofs;
        struct of_error_msg e;
        struct of_msg m;

        assert_int_equal(of_msg_parse(p, of_get_be16(p + 2), &m), OF_OK);
        len += (size_t) snprintf(text + len, sizeof text - len, "%s ",
                                 m.type == OFM_ERROR && !of_error_decode(&m, &e)
                                     ? of_err_name(e.err)
                                     : of_msg_type_name(m.type));
        ofs += m.len;
    }
    of_buf_clear(&c->sink);
    return text;
}

/* The port of the flow that a packet from `port` hits; 0: none. */
static uint32_t
hits(struct ofproto *o, uint32_t port)
{
    struct flow flow;

    memset(&flow, 0, sizeof flow);
    flow.meta.in_port = port;
    return oftables_lookup(o->tables, oftables_version(o->tables), 0, &flow, NULL) ? port : 0;
}

/* How many flows a connection is told that there are, over all of them and by the table. */
static unsigned
n_flows(struct ofconn *c)
{
    struct of_buf b = OF_BUF_INIT;
    size_t start = of_msg_begin(&b, OFM_AGGREGATE_REQUEST, OF14_VERSION, ++xid);
    struct of_msg m;
    unsigned n;

    of_put_u8(&b, 255);
    of_buf_put_zeros(&b, 3);
    of_put_u32(&b, UINT32_MAX);
    of_put_u32(&b, UINT32_MAX);
    of_buf_put_zeros(&b, 4 + 16);
    of_put_u16(&b, 1);
    of_put_u16(&b, 4);
    of_put_u32(&b, 0);
    of_msg_end(&b, start);
    of_buf_clear(&c->sink);
    send_msg(c, &b);
    assert_int_equal(of_msg_parse(c->sink.data, c->sink.len, &m), OF_OK);
    assert_int_equal(m.type, OFM_AGGREGATE_REPLY);
    assert_int_equal(m.body.len, 24);
    n = of_get_be32(m.body.p + 16);
    of_buf_clear(&c->sink);
    assert_int_equal(oftables_get_stats(c->mgr->ofproto->tables, 0).active, n);
    assert_int_equal(oftables_count(c->mgr->ofproto->tables), n);
    return n;
}

static struct ofproto *o;
static struct ofconn *a, *b;

static int
begin(void **state)
{
    o = *state = add_bridge("br0", true);
    a = ofconn_create_fake(o->conns, OF14_VERSION);
    b = ofconn_create_fake(o->conns, OF14_VERSION);
    for (uint32_t i = 1; i <= N; i++) {
        send_flow_mod(a, ADD, i, 0);
    }
    assert_string_equal(sent(a), "");
    assert_int_equal(n_flows(b), N);
    of_commit_set_parts(PARTS);
    return 0;
}

static int
end(void **state)
{
    of_commit_set_parts(0);
    return teardown(state);
}

/* Lets the commit go on for `turns`, or to its end; returns how many it took. */
static unsigned
turns(unsigned max)
{
    unsigned n = 0;

    for (; o->conns->commit && n < max; n++) {
        evloop_turn(loop, 0);
    }
    return n;
}

#define TO_THE_END 100000u

/* ------------------------------------------------------------------ tests */

/* Everybody sees all of it or nothing, in every turn, and gets answers. */
static void
test_atomic(void **state)
{
    unsigned n = 0, n_before = 0;

    fill_bundle(a, N + 1);
    send_control(a, OFPBCT_COMMIT_REQUEST);
    while (o->conns->commit) {
        bool before = hits(o, 1);

        assert_int_equal(hits(o, 2 * N), before ? 0 : 2 * N);
        assert_int_equal(hits(o, N), before ? N : 0);
        assert_int_equal(n_flows(b), N);
        send_empty(b, OFM_BARRIER_REQUEST);
        assert_string_equal(sent(b), "OFPT_BARRIER_REPLY ");
        n_before += before;
        n++;
        evloop_turn(loop, 0);
    }
    /* 3000 flows to find, to delete, to add; 6000 steps to tell; 3000 messages to look through
     * for what is no change of tables. */
    assert_in_range(n_before, 3 * N / PARTS - 3, 3 * N / PARTS + 3);
    assert_in_range(n, 6 * N / PARTS - 6, 6 * N / PARTS + 6);
    assert_string_equal(sent(a), "OFPT_BUNDLE_CONTROL ");
    assert_int_equal(hits(o, 1), 0);
    assert_int_equal(hits(o, 2 * N), 2 * N);
}

/* A flow mod of many flows is one too, and is no error when it ends. */
static void
test_flow_mods_of_many(void **state)
{
    unsigned n = 0;

    send_flow_mod(a, DELETE, 0, 0);
    while (o->conns->commit) {
        assert_int_equal(n_flows(b), hits(o, 1) && hits(o, N) ? N : 0);
        evloop_turn(loop, 0);
        n++;
    }
    assert_in_range(n, 3 * N / PARTS - 3, 3 * N / PARTS + 3);
    assert_int_equal(n_flows(b), 0);
    assert_string_equal(sent(a), "");
    send_flow_mod(a, ADD, 1, 0);
    send_flow_mod(a, ADD, 2, 0);
    send_flow_mod(a, MODIFY, 0, 77); /* small: over at once */
    assert_null(o->conns->commit);
    assert_string_equal(sent(a), "OFPBAC_BAD_OUT_GROUP ");
}

/* What fails in the middle leaves nothing. */
static void
test_failure(void **state)
{
    fill_bundle(a, N + 1);
    send_in_bundle(a, ADD, 9, 77); /* there is no group */
    send_control(a, OFPBCT_COMMIT_REQUEST);
    assert_in_range(turns(TO_THE_END), 4 * N / PARTS, 6 * N / PARTS);
    assert_string_equal(sent(a), "OFPBAC_BAD_OUT_GROUP OFPBFC_MSG_FAILED ");
    assert_int_equal(n_flows(b), N);
    assert_true(hits(o, 1) && hits(o, N) && !hits(o, N + 1));
    /* The next one works. */
    fill_bundle(a, N + 1);
    send_control(a, OFPBCT_COMMIT_REQUEST);
    turns(TO_THE_END);
    assert_string_equal(sent(a), "OFPT_BUNDLE_CONTROL ");
    assert_true(!hits(o, 1) && hits(o, 2 * N));
}

/* Each connection's messages stay in order; others' changes come behind the commit. */
static void
test_order(void **state)
{
    fill_bundle(a, N + 1);
    fill_bundle(b, 2 * N + 1);
    send_control(a, OFPBCT_COMMIT_REQUEST);
    turns(3);
    send_flow_mod(a, ADD, 5, 77);
    send_empty(a, OFM_BARRIER_REQUEST);
    send_empty(b, OFM_BARRIER_REQUEST);     /* nothing that it has to wait for */
    send_control(b, OFPBCT_COMMIT_REQUEST); /* that has */
    send_empty(b, OFM_BARRIER_REQUEST);
    assert_string_equal(sent(a), "");
    assert_string_equal(sent(b), "OFPT_BARRIER_REPLY ");
    turns(3);
    assert_string_equal(sent(a), "");
    assert_string_equal(sent(b), "");
    while (!a->sink.len) {
        evloop_turn(loop, 0);
    }
    /* The bundle of `a`, its flow mod behind it; then that of `b`, which is not over. */
    assert_string_equal(sent(a),
                        "OFPT_BUNDLE_CONTROL OFPBAC_BAD_OUT_GROUP OFPT_BARRIER_REPLY ");
    assert_string_equal(sent(b), "");
    assert_int_equal(hits(o, 2 * N), 2 * N);
    assert_non_null(o->conns->commit);
    turns(TO_THE_END);
    assert_string_equal(sent(b), "OFPT_BUNDLE_CONTROL OFPT_BARRIER_REPLY ");
    assert_int_equal(hits(o, 2 * N), 0);
    assert_int_equal(hits(o, 3 * N), 3 * N);
    assert_int_equal(n_flows(b), N);
}

/* The sender is gone in the middle: nothing of it, or all if somebody saw it. */
static void
test_sender_goes(void **state)
{
    fill_bundle(a, N + 1);
    send_control(a, OFPBCT_COMMIT_REQUEST);
    turns(2 * N / PARTS + 5);
    assert_true(hits(o, 1) && o->conns->commit);
    send_flow_mod(b, ADD, 9 * N, 0);
    ofconn_destroy(a);
    assert_true(turns(TO_THE_END) > 20);
    assert_true(hits(o, 1) && hits(o, N) && !hits(o, N + 1));
    assert_int_equal(hits(o, 9 * N), 9 * N); /* which has waited */
    assert_int_equal(n_flows(b), N + 1);

    a = ofconn_create_fake(o->conns, OF14_VERSION);
    fill_bundle(a, N + 1);
    send_control(a, OFPBCT_COMMIT_REQUEST);
    while (hits(o, 1)) {
        evloop_turn(loop, 0);
    }
    assert_non_null(o->conns->commit);
    ofconn_destroy(a);
    turns(TO_THE_END);
    assert_int_equal(n_flows(b), N);
    assert_true(!hits(o, 1) && !hits(o, 9 * N) && hits(o, 2 * N));
    /* One that waits may go, too. */
    fill_bundle(b, 1);
    send_control(b, OFPBCT_COMMIT_REQUEST);
    a = ofconn_create_fake(o->conns, OF14_VERSION);
    send_flow_mod(a, DELETE, 0, 0);
    ofconn_destroy(a);
    turns(TO_THE_END);
    assert_int_equal(n_flows(b), N);
}

/* The bridge is deleted at any time of a commit. */
static void
test_bridge_goes(void **state)
{
    for (unsigned after = 0; after < 6 * N / PARTS; after += N / PARTS / 2) {
        fill_bundle(a, N + 1);
        send_in_bundle(a, MODIFY, 0, 0);
        send_control(a, OFPBCT_COMMIT_REQUEST);
        turns(after);
        send_flow_mod(b, ADD, 9 * N, 0);
        teardown(state);
        begin(state);
    }
}

/* Who cannot wait has the commit end at once. */
static void
test_settled(void **state)
{
    struct oftable_config config = *oftables_get_config(o->tables, 0);

    fill_bundle(a, N + 1);
    send_control(a, OFPBCT_COMMIT_REQUEST);
    turns(3);
    strcpy(config.name, "first");
    oftables_set_config(o->tables, 0, &config);
    assert_true(!hits(o, 1) && hits(o, 2 * N));
    assert_string_equal(sent(a), "");                     /* in its turn */
    assert_in_range(turns(TO_THE_END), 1, N / PARTS + 2); /* the messages' other effects */
    assert_string_equal(sent(a), "OFPT_BUNDLE_CONTROL ");
    /* No controller answers: the bridge switches by itself. */
    fill_bundle(a, 1);
    send_control(a, OFPBCT_COMMIT_REQUEST);
    turns(3);
    ofproto_set_fail_open(o, true);
    turns(TO_THE_END);
    assert_int_equal(oftables_count(o->tables), 1);
    ofproto_set_fail_open(o, false);
    assert_int_equal(n_flows(b), 0);
}

/* Time-outs wait, and then are made up for. */
static void
test_expiry(void **state)
{
    struct of_buf m = OF_BUF_INIT;

    put_flow_mod(&m, ADD, 9 * N, 0, 2);
    send_msg(a, &m);
    fill_bundle(a, N + 1);
    send_in_bundle(a, ADD, 7 * N, 77);
    send_control(a, OFPBCT_COMMIT_REQUEST);
    turns(3);
    clock_warp(5000);
    oftables_run(o->tables);
    assert_int_equal(hits(o, 9 * N), 9 * N);
    turns(TO_THE_END);
    assert_string_equal(sent(a), "OFPBAC_BAD_OUT_GROUP OFPBFC_MSG_FAILED ");
    for (int i = 0; i < 500 && hits(o, 9 * N); i++) {
        evloop_turn(loop, 10); /* not as late as by the timer: the clock stands still */
    }
    assert_int_equal(hits(o, 9 * N), 0);
    assert_int_equal(n_flows(b), N);
}

#define U(NAME) cmocka_unit_test_setup_teardown(NAME, begin, end)

int
main(void)
{
    const struct CMUnitTest tests[] = {
        U(test_atomic),      U(test_flow_mods_of_many), U(test_failure), U(test_order),
        U(test_sender_goes), U(test_bridge_goes),       U(test_settled), U(test_expiry),
    };

    return run_bridge_tests(tests, ARRAY_SIZE(tests));
}
