/* SPDX-License-Identifier: Apache-2.0 */
/* Bundles: messages kept until they are committed together, all or none.  Called by
 * conn-dispatch.c on the main thread.
 *
 *   state \ message   OPEN      ADD       CLOSE    COMMIT    DISCARD   10 s of silence
 *   none              open      open      BAD_ID   BAD_ID    BAD_ID    -
 *   open              BAD_ID*   keeps     closed   commits*  drops*    TIMEOUT*
 *   closed            BAD_ID*   CLOSED*   CLOSED*  commits*  drops*    TIMEOUT*
 *
 * (*: and the bundle is gone.)  A message is checked when it is added; what it does to tables
 * is known at the commit, which conn-commit.c makes.  Messages are kept as they came, one
 * behind the other. */

#include <stdlib.h>
#include <string.h>

#include "log/coverage.h"
#include "ofproto/conn-private.h"
#include "openflow/of-bundle.h"
#include "packet/packet.h"
#include "util/xalloc.h"

COVERAGE_DEFINE(ofconn_bundle_timeout);
COVERAGE_DEFINE(ofconn_bundle_too_large);

#define BUNDLES_MAX 64u               /* of a connection */
#define BUNDLE_BYTES_MAX (256u << 20) /* of messages in all of them */
#define ALL_BYTES_MAX (512u << 20)    /* of all connections of the switch */
#define BUNDLE_IDLE_MS 10000

struct of_bundle {
    struct of_bundle *next; /* conn->bundles */
    struct ofconn *conn;
    uint32_t id;
    uint16_t flags;
    bool closed;
    struct of_buf msgs;
    struct ev_timer timer;
    uint8_t head[OF_ERROR_DATA_MAX]; /* of the message that opened it */
    size_t head_len;
};

static int64_t idle_ms = BUNDLE_IDLE_MS;
static size_t all_bytes; /* in all bundles */

void
of_bundles_set_idle(int64_t ms)
{
    idle_ms = ms;
}

static struct of_bundle *
find(const struct ofconn *c, uint32_t id)
{
    struct of_bundle *b = c->bundles;

    while (b && b->id != id) {
        b = b->next;
    }
    return b;
}

static void
forget(struct of_bundle *b)
{
    struct of_bundle **p = &b->conn->bundles;

    while (*p != b) {
        p = &(*p)->next;
    }
    *p = b->next;
    ev_timer_stop(&b->timer);
    all_bytes -= b->msgs.len;
    of_buf_free(&b->msgs);
    free(b);
}

static struct of_buf
take_messages(struct of_bundle *b)
{
    struct of_buf msgs = b->msgs;

    all_bytes -= msgs.len;
    b->msgs = (struct of_buf) OF_BUF_INIT;
    return msgs;
}

void
of_bundles_destroy(struct ofconn *c)
{
    while (c->bundles) {
        forget(c->bundles);
    }
}

static void
timer_cb(struct ev_timer *t)
{
    struct of_bundle *b = t->aux;
    struct of_buf buf = OF_BUF_INIT;

    if (b->conn->waiting.len) {
        ev_timer_start(t, idle_ms); /* the silence is ours */
        return;
    }
    COVERAGE_INC(ofconn_bundle_timeout);
    of_error_encode(&buf, OFPBFC_TIMEOUT, b->conn->version, b->head, b->head_len);
    ofconn_send(b->conn, &buf);
    forget(b);
}

static enum of_err
open_bundle(struct ofconn *c, uint32_t id, uint16_t flags, const struct of_msg *msg,
            struct of_bundle **bp)
{
    struct of_bundle *b;
    unsigned n = 0;

    for (b = c->bundles; b; b = b->next) {
        n++;
    }
    if (n >= BUNDLES_MAX) {
        return OFPBFC_OUT_OF_BUNDLES;
    }
    b = xzalloc(sizeof *b);
    b->conn = c;
    b->id = id;
    b->flags = flags;
    b->head_len = msg->len < sizeof b->head ? msg->len : sizeof b->head;
    memcpy(b->head, msg->start, b->head_len);
    b->next = c->bundles;
    c->bundles = b;
    ev_timer_init(&b->timer, c->mgr->loop, timer_cb, b);
    ev_timer_start(&b->timer, idle_ms);
    *bp = b;
    return OF_OK;
}

static size_t
bytes_kept(const struct ofconn *c)
{
    size_t n = 0;

    for (const struct of_bundle *b = c->bundles; b; b = b->next) {
        n += b->msgs.len;
    }
    return n;
}

/* ------------------------------------------------------------------ adding */

/* Does the message make sense by itself? */
static enum of_err
check(struct ofconn *c, const struct of_msg *msg)
{
    struct of_packet_out po;
    struct of_port_mod pm;
    struct of_group_mod gm;
    struct of_flow_mod fm;
    struct packet *p;
    enum of_err err;

    switch (msg->type) {
    case OFM_FLOW_MOD:
    case OFM_NXT_FLOW_MOD:
        err = of_flow_mod_prepare(c, msg, &fm);
        if (!err) {
            of_flow_mod_free(&fm);
        }
        return err;
    case OFM_GROUP_MOD:
        err = of_group_mod_decode(msg, &gm);
        if (!err) {
            of_group_mod_free(&gm);
        }
        return err;
    case OFM_PORT_MOD:
        return of_port_mod_prepare(c, msg, &pm);
    case OFM_PACKET_OUT:
        err = of_packet_out_prepare(c, msg, &po, &p);
        if (!err) {
            packet_free(p);
            of_packet_out_free(&po);
        }
        return err;
    default:
        return OFPBFC_MSG_UNSUP;
    }
}

enum of_err
of_handle_bundle_add(struct ofconn *c, struct of_msg *msg)
{
    struct of_bundle_add add;
    struct of_bundle *b;
    enum of_err err = of_bundle_add_decode(msg, &add);

    if (err) {
        return err;
    }
    b = find(c, add.bundle_id);
    if (!b) {
        err = open_bundle(c, add.bundle_id, add.flags, msg, &b);
        if (err) {
            return err;
        }
    } else if (b->closed || b->flags != add.flags) {
        err = b->closed ? OFPBFC_BUNDLE_CLOSED : OFPBFC_BAD_FLAGS;
        forget(b);
        return err;
    }
    ev_timer_start(&b->timer, idle_ms);
    err = check(c, &add.msg);
    if (!err && (bytes_kept(c) + add.msg.len > BUNDLE_BYTES_MAX ||
                 all_bytes + add.msg.len > ALL_BYTES_MAX)) {
        COVERAGE_INC(ofconn_bundle_too_large);
        err = OFPBFC_MSG_TOO_MANY;
    }
    if (!err) {
        of_buf_put(&b->msgs, add.msg.start, add.msg.len);
        all_bytes += add.msg.len;
    }
    return err;
}

/* ------------------------------------------------------------------ control */

/* A request that was executed. */
static void
answer(struct ofconn *c, const struct of_msg *msg, struct of_bundle_control *m)
{
    struct of_buf reply = OF_BUF_INIT;

    m->type++; /* the reply to it */
    m->flags = 0;
    of_bundle_control_encode(&reply, m, c->version, msg->xid);
    ofconn_send(c, &reply);
}

static void
committed(struct ofconn *c, const struct of_msg *msg, enum of_err err)
{
    struct of_bundle_control m;

    if (err) {
        ofconn_refuse(c, err, msg);
    } else if (!of_bundle_control_decode(msg, &m)) {
        answer(c, msg, &m);
    }
}

enum of_err
of_handle_bundle_control(struct ofconn *c, struct of_msg *msg)
{
    struct of_bundle_control m;
    struct of_bundle *b;
    enum of_err err = of_bundle_control_decode(msg, &m);
    struct of_buf msgs;

    if (err) {
        return err;
    }
    b = find(c, m.bundle_id);
    if (m.type != OFPBCT_OPEN_REQUEST && !b) {
        return OFPBFC_BAD_ID;
    }
    switch (m.type) {
    case OFPBCT_OPEN_REQUEST:
        if (b) {
            forget(b);
            return OFPBFC_BAD_ID;
        }
        err = open_bundle(c, m.bundle_id, m.flags, msg, &b);
        break;
    case OFPBCT_CLOSE_REQUEST:
        if (b->closed || b->flags != m.flags) {
            err = b->closed ? OFPBFC_BUNDLE_CLOSED : OFPBFC_BAD_FLAGS;
            forget(b);
        } else {
            b->closed = true;
            ev_timer_start(&b->timer, idle_ms);
        }
        break;
    case OFPBCT_COMMIT_REQUEST:
        if (b->flags != m.flags) {
            forget(b);
            err = OFPBFC_BAD_FLAGS;
            break;
        }
        msgs = take_messages(b);
        forget(b);
        of_commit_bundle(c, &msgs, msg, committed); /* answers when it is done */
        return OF_OK;
    case OFPBCT_DISCARD_REQUEST:
        forget(b);
        break;
    default:
        err = OFPBFC_BAD_TYPE;
        break;
    }
    if (!err) {
        answer(c, msg, &m);
    }
    return err;
}
