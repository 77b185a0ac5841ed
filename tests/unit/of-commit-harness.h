/* SPDX-License-Identifier: Apache-2.0 */
#ifndef XVS_TESTS_OF_COMMIT_HARNESS_H
#define XVS_TESTS_OF_COMMIT_HARNESS_H 1

/* For the tests of work that takes many turns of the event loop: a bridge with N flows and two
 * connections, messages to it, answers as text.  One test program includes it once. */

#include "ofproto-harness.h"

#include "ofproto/conn-private.h"
#include "openflow/of-bundle.h"
#include "util/compiler.h"

#define N 3000u    /* flows */
#define PARTS 100u /* in a turn */

static uint32_t xid;

/* ------------------------------------------------------------------ messages */

enum command { ADD, MODIFY, MODIFY_STRICT, DELETE, DELETE_STRICT };

static struct {
    uint64_t cookie;
    uint8_t table;
} next_mod; /* what the following flow mods have besides their arguments */

/* `port` 0: of all; `group` 0: drops. */
static void
put_flow_mod(struct of_buf *b, enum command command, uint32_t port, uint32_t group,
             uint16_t hard_timeout)
{
    size_t start = of_msg_begin(b, OFM_FLOW_MOD, OF14_VERSION, ++xid);

    of_put_u64(b, next_mod.cookie);
    of_buf_put_zeros(b, 8); /* mask of a cookie to look for */
    of_put_u8(b, next_mod.table);
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
    const struct rule *r;
    struct flow flow;

    memset(&flow, 0, sizeof flow);
    flow.meta.in_port = port;
    r = oftables_lookup(o->tables, oftables_version(o->tables), 0, &flow, NULL);
    return r && !r->hidden ? port : 0; /* the switch's own is for all ports */
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
    oftables_set_parts(PARTS);
    return 0;
}

static int
end(void **state)
{
    oftables_set_parts(0);
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

#define U(NAME) cmocka_unit_test_setup_teardown(NAME, begin, end)

#endif
