/* SPDX-License-Identifier: Apache-2.0 */
/* Any row of bundle messages: what the switch answers, which bundles there are and which flows
 * they leave behind is what the state machine of the specification says, kept here a second
 * time.  Three bytes make a step: what, of which bundle, with which flags; a parameter; time.
 * The last byte says in how small slices commits are made. */

#include <string.h>

#include "fuzz-bridge.h"
#include "ofproto/conn-private.h"
#include "openflow/of-bundle.h"

#define N_IDS 4
#define IDLE_MS 10000
#define KEPT_MAX 256

enum step { OPEN, CLOSE, COMMIT, DISCARD, ADD, DELETE, ADD_ALONE, NOT_FOR_BUNDLES };

struct model {
    bool there, closed;
    uint16_t flags;
    int64_t used_ms;
    unsigned n;
    uint8_t kept[KEPT_MAX]; /* enum step << 4 | flow */
};

static struct evloop *loop;
static struct ofproto *o;
static struct ofconn *conn;
static struct model models[N_IDS];
static uint32_t flows; /* bit N: the flow of port N; bit 16: the one of all */
static uint32_t xid;

/* ------------------------------------------------------------------ messages */

/* A modification of the flow of a port, or (`port` 16) of the one without a match, which is
 * refused while another is there. */
static void
put_flow_mod(struct of_buf *b, enum step step, unsigned port)
{
    size_t start = of_msg_begin(b, OFM_FLOW_MOD, OF14_VERSION, xid);

    of_buf_put_zeros(b, 16);                       /* cookie, its mask */
    of_put_u8(b, 0);                               /* table */
    of_put_u8(b, step == DELETE ? 4 : 0);          /* strictly this one */
    of_buf_put_zeros(b, 4);                        /* time-outs */
    of_put_u16(b, 10);                             /* priority */
    of_put_u32(b, UINT32_MAX);                     /* no buffer */
    of_put_u32(b, UINT32_MAX);                     /* any port */
    of_put_u32(b, UINT32_MAX);                     /* any group */
    of_put_u16(b, step == ADD_ALONE ? 1 << 1 : 0); /* overlap is checked */
    of_put_u16(b, 0);
    of_put_u16(b, 1); /* OXM */
    if (step == ADD_ALONE) {
        of_put_u16(b, 4);
        of_put_u32(b, 0);
    } else {
        of_put_u16(b, 12);
        of_put_u32(b, 0x80000004);
        of_put_u32(b, port + 1);
        of_put_u32(b, 0);
    }
    of_msg_end(b, start);
}

static void
put_step(struct of_buf *b, enum step step, uint32_t id, uint16_t flags, unsigned port)
{
    size_t start;

    if (step <= DISCARD) {
        const struct of_bundle_control m = {
            .bundle_id = id, .type = (enum of_bundle_type)(2 * step), .flags = flags};

        of_bundle_control_encode(b, &m, OF14_VERSION, xid);
        return;
    }
    start = of_msg_begin(b, OFM_BUNDLE_ADD_MESSAGE, OF14_VERSION, xid);
    of_put_u32(b, id);
    of_put_u16(b, 0);
    of_put_u16(b, flags);
    if (step == NOT_FOR_BUNDLES) {
        of_msg_end(b, of_msg_begin(b, OFM_BARRIER_REQUEST, OF14_VERSION, xid));
    } else {
        put_flow_mod(b, step, port);
    }
    of_msg_end(b, start);
}

/* ------------------------------------------------------------------ answers */

/* Takes the next answer; false: there is none. */
static bool
take(size_t *ofs, struct of_msg *m)
{
    size_t left = conn->sink.len - *ofs;

    if (!left) {
        return false;
    }
    require(left >= OF_HEADER_LEN);
    require(!of_msg_parse(conn->sink.data + *ofs, of_get_be16(conn->sink.data + *ofs + 2), m));
    *ofs += m->len;
    return true;
}

static void
expect_error(size_t *ofs, enum of_err err)
{
    struct of_error_msg e;
    struct of_msg m;

    require(take(ofs, &m) && m.type == OFM_ERROR && !of_error_decode(&m, &e) && e.err == err);
}

static void
expect_reply(size_t *ofs, enum step step, uint32_t id)
{
    struct of_reader r;
    struct of_msg m;
    uint32_t got_id;
    uint16_t type;

    require(take(ofs, &m) && m.type == OFM_BUNDLE_CONTROL && m.xid == xid);
    r = m.body;
    require(of_read_u32(&r, &got_id) && of_read_u16(&r, &type));
    require(got_id == id && type == 2 * step + 1);
}

/* ------------------------------------------------------------------ the model */

/* What a commit does to flows; false: it fails, and does nothing. */
static bool
model_commit(const struct model *m)
{
    uint32_t now = flows;

    for (unsigned i = 0; i < m->n; i++) {
        uint32_t bit = 1u << (m->kept[i] & 15);

        switch (m->kept[i] >> 4) {
        case ADD:
            now |= bit;
            break;
        case DELETE:
            now &= ~bit;
            break;
        default:
            if (!(now & 1u << 16) && now) { /* its own like it only replaces */
                return false;
            }
            now |= 1u << 16;
            break;
        }
    }
    flows = now;
    return true;
}

/* The error that a message to an existing bundle earns by its state and flags. */
static enum of_err
fault(const struct model *m, uint16_t flags)
{
    return m->closed ? OFPBFC_BUNDLE_CLOSED : m->flags != flags ? OFPBFC_BAD_FLAGS : OF_OK;
}

static void
check_control(struct model *m, enum step step, uint32_t id, uint16_t flags, size_t *ofs)
{
    enum of_err err = OF_OK;

    if (step == OPEN ? m->there : !m->there) {
        err = OFPBFC_BAD_ID;
    } else if (step == CLOSE) {
        err = fault(m, flags);
    } else if (step == COMMIT) {
        err = m->flags != flags ? OFPBFC_BAD_FLAGS : OF_OK;
        if (!err && !model_commit(m)) {
            expect_error(ofs, OFPFMFC_OVERLAP);
            err = OFPBFC_MSG_FAILED;
        }
    }
    if (err) {
        expect_error(ofs, err);
        m->there = false;
        return;
    }
    expect_reply(ofs, step, id);
    if (step == OPEN) {
        *m = (struct model){.there = true, .flags = flags};
    } else if (step == CLOSE) {
        m->closed = true;
    } else {
        m->there = false;
    }
    m->used_ms = clock_now_ms();
}

static void
check_add(struct model *m, enum step step, uint16_t flags, unsigned port, size_t *ofs)
{
    enum of_err err = OF_OK;

    if (step == NOT_FOR_BUNDLES) { /* whatever the bundle's state */
        expect_error(ofs, OFPBFC_MSG_UNSUP);
        return;
    }
    if (!m->there) {
        *m = (struct model){.there = true, .flags = flags};
    } else {
        err = fault(m, flags);
    }
    if (err) {
        expect_error(ofs, err);
        m->there = false;
        return;
    }
    m->used_ms = clock_now_ms();
    m->kept[m->n++] = (uint8_t) (step << 4 | port);
}

/* Time passes: forgotten bundles end, each with an error. */
static void
pass(int64_t ms, size_t *ofs)
{
    clock_warp(ms);
    evloop_turn(loop, 0);
    for (unsigned i = 0; i < N_IDS; i++) {
        if (models[i].there && clock_now_ms() - models[i].used_ms >= IDLE_MS) {
            models[i].there = false;
            expect_error(ofs, OFPBFC_TIMEOUT);
        }
    }
}

static void
run_step(const uint8_t *p)
{
    enum step step = (enum step)(p[0] & 7);
    struct model *m = &models[p[0] >> 3 & 3];
    uint32_t id = p[0] >> 3 & 3;
    uint16_t flags = p[0] >> 5 & 3;
    unsigned port = p[1] & 15;
    struct of_buf b = OF_BUF_INIT;
    struct of_msg msg;
    size_t ofs = 0;

    if (step >= ADD && m->there && m->n == KEPT_MAX) {
        return;
    }
    xid++;
    put_step(&b, step, id, flags, port);
    require(!of_msg_parse(b.data, b.len, &msg));
    ofconn_dispatch(conn, &msg);
    of_buf_free(&b);
    while (o->conns->commit) {
        evloop_turn(loop, 0);
    }
    if (step <= DISCARD) {
        check_control(m, step, id, flags, &ofs);
    } else {
        check_add(m, step, flags, port, &ofs);
    }
    require(oftables_count(o->tables) == (unsigned) __builtin_popcount(flows));
    pass(p[2] < 128 ? 0 : (p[2] - 127) * 100, &ofs);
    require(ofs == conn->sink.len);
    of_buf_clear(&conn->sink);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (!loop) {
        o = fuzz_bridge_create(&loop, 64);
    }
    memset(models, 0, sizeof models);
    flows = 0;
    oftables_set_parts(size ? data[size - 1] % 8 + 1u : 1);
    conn = ofconn_create_fake(o->conns, OF14_VERSION);
    for (size_t i = 0; i + 3 <= size && i < 3 * KEPT_MAX; i += 3) {
        run_step(data + i);
    }
    ofconn_destroy(conn);
    fuzz_bridge_clear(loop, o);
    evloop_turn(loop, 0);
    return 0;
}
