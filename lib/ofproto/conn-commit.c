/* SPDX-License-Identifier: Apache-2.0 */
/* Commits in slices, and who waits for them.  Called by conn-dispatch.c, the handlers of flow
 * mods and bundles, and the event loop, on the main thread.  It must not know what bundles are
 * beyond a row of messages. */

#include "ofproto/conn-commit.h"

#include <stdlib.h>

#include "log/coverage.h"
#include "ofproto/conn-private.h"
#include "ofproto/groups.h"
#include "ofproto/meters.h"
#include "ofproto/rule-walk.h"
#include "openflow/of-port.h"
#include "util/xalloc.h"

COVERAGE_DEFINE(ofconn_commit_paused);
COVERAGE_DEFINE(ofconn_commit_orphaned);
COVERAGE_DEFINE(ofconn_message_waited);

struct of_commit {
    struct connmgr *mgr;
    struct ofconn *conn; /* the sender, or what takes its place when it is gone */
    of_commit_done *done;
    bool bundle;
    struct of_buf request, msgs; /* borrowed until the commit pauses, but for a bundle's msgs */
    size_t ofs;                  /* of the message that is next */
    struct oftxn *txn;           /* NULL: it has ended */
    struct of_flow_mod fm;       /* under way, if has_fm */
    bool has_fm, failed;
    enum of_err err;
    struct ev_defer defer;
};

/* ------------------------------------------------------------------ the work */

/* One of a row of messages, each of which was parsed before. */
static struct of_msg
message_at(const struct of_buf *msgs, size_t ofs)
{
    const uint8_t *p = msgs->data + ofs;
    struct of_msg m;

    of_msg_parse(p, of_get_be16(p + 2), &m);
    return m;
}

static bool
flow_mod_some(struct of_commit *w, const struct of_msg *m, struct slice *slice,
              enum of_err *err)
{
    if (!w->has_fm) {
        *err = of_flow_mod_prepare(w->conn, m, &w->fm);
        if (*err) {
            return true;
        }
        w->has_fm = true;
    }
    if (!oftxn_flow_mod_some(w->txn, &w->fm, slice, err)) {
        return false;
    }
    of_flow_mod_free(&w->fm);
    w->has_fm = false;
    return true;
}

static bool
group_mod_some(struct of_commit *w, const struct of_msg *m, struct slice *slice,
               enum of_err *err)
{
    struct of_group_mod gm;
    bool done = true;

    *err = of_group_mod_decode(m, &gm);
    if (!*err) {
        done = oftxn_group_mod_some(w->txn, &gm, slice, err);
        of_group_mod_free(&gm);
    }
    return done;
}

static enum of_err
deleted_meter(const struct of_msg *m, uint32_t *id)
{
    struct of_meter_mod mm;
    enum of_err err = of_meter_mod_decode(m, &mm);

    if (!err) {
        *id = mm.config.meter_id;
    }
    return err;
}

/* What a message does to the tables, in the transaction.  False: not done yet. */
static bool
change_some(struct of_commit *w, const struct of_msg *m, struct slice *slice, enum of_err *err)
{
    struct of_port_mod pm;
    uint32_t id;

    *err = OF_OK;
    switch (m->type) {
    case OFM_FLOW_MOD:
    case OFM_NXT_FLOW_MOD:
        return flow_mod_some(w, m, slice, err);
    case OFM_GROUP_MOD:
        return group_mod_some(w, m, slice, err);
    case OFM_METER_MOD: /* a deletion: others take no time */
        *err = deleted_meter(m, &id);
        return *err || oftxn_end_meter_rules_some(w->txn, id, slice);
    case OFM_PORT_MOD:
        *err = of_port_mod_prepare(w->conn, m, &pm); /* is the port still there? */
        break;
    default:
        break;
    }
    return true;
}

static void
fail(struct of_commit *w, enum of_err err, const struct of_msg *m)
{
    w->failed = true;
    w->err = err;
    if (w->bundle) {
        ofconn_send_error(w->conn, err, m);
        w->err = OFPBFC_MSG_FAILED;
    }
}

/* All changes, up to one that fails.  False: not done yet. */
static bool
change_all(struct of_commit *w, struct slice *slice)
{
    while (w->ofs < w->msgs.len) {
        struct of_msg m = message_at(&w->msgs, w->ofs);
        enum of_err err;

        if (!change_some(w, &m, slice, &err)) {
            return false;
        }
        if (err) {
            fail(w, err, &m);
            return true;
        }
        w->ofs += m.len;
        if (slice_spent(slice)) {
            return false;
        }
    }
    return true;
}

/* Goes on with the transaction.  False: it has not ended yet. */
static bool
transact(struct of_commit *w, struct slice *slice)
{
    if (!w->failed && !change_all(w, slice)) {
        return false;
    }
    if (w->failed ? !oftxn_rollback_some(w->txn, slice) : !oftxn_commit_some(w->txn, slice)) {
        return false;
    }
    w->txn = NULL;
    w->ofs = 0;
    return true;
}

/* What cannot be undone: when the tables have changed. */
static enum of_err
act(struct ofconn *c, struct of_msg *m)
{
    uint32_t id;

    switch (m->type) {
    case OFM_PORT_MOD:
        return of_handle_port_mod(c, m);
    case OFM_PACKET_OUT:
        return of_handle_packet_out(c, m);
    case OFM_METER_MOD:
        if (!deleted_meter(m, &id)) {
            oftables_remove_meter(c->mgr->ofproto->tables, id);
        }
        /* fall through */
    case OFM_GROUP_MOD:
        connmgr_forward_request(c->mgr, c, m);
        return OF_OK;
    default:
        return OF_OK;
    }
}

/* The first one in the turn in which the transaction ended.  False: not done yet. */
static bool
act_all(struct of_commit *w, struct slice *slice)
{
    while (w->ofs < w->msgs.len) {
        struct of_msg m = message_at(&w->msgs, w->ofs);
        enum of_err err = act(w->conn, &m);

        if (err) {
            fail(w, err, &m);
            break;
        }
        w->ofs += m.len;
        if (slice_spent(slice)) {
            return false;
        }
    }
    return true;
}

static void
hold(struct ofconn *c, bool on)
{
    if (c->channel) {
        of_channel_hold(c->channel, on ? OF_HOLD_WORK : OF_HOLD_NOT);
    }
}

static void
commit_free(struct of_commit *w)
{
    w->mgr->commit = NULL;
    ev_defer_stop(&w->defer);
    if (w->has_fm) {
        of_flow_mod_free(&w->fm);
    }
    if (w->conn->is_gone) {
        free(w->conn);
    }
    of_buf_free(&w->request);
    of_buf_free(&w->msgs);
    free(w);
}

/* Answers and forgets. */
static void
finish(struct of_commit *w)
{
    struct of_msg request;

    if (!w->conn->is_gone) {
        request = message_at(&w->request, 0);
        w->done(w->conn, &request, w->err);
    }
    commit_free(w);
}

/* Does a slice of it.  False: there is more to do. */
static bool
advance(struct of_commit *w)
{
    struct slice slice = oftables_slice();

    if ((w->txn && !transact(w, &slice)) || (!w->failed && !act_all(w, &slice))) {
        COVERAGE_INC(ofconn_commit_paused);
        return false;
    }
    return true;
}

/* A commit is over: others had to wait for that. */
static void
look_again(struct connmgr *mgr)
{
    struct ofconn *c;

    connmgr_flush_monitors(mgr);
    OFCONN_FOR_EACH(c, mgr)
    {
        if (c->channel && !of_channel_backlog(c->channel)) {
            of_monitors_drained(c);
        }
    }
    of_commit_resume(mgr);
}

static void
go_on(struct ev_defer *d)
{
    struct of_commit *w = d->aux;
    struct connmgr *mgr = w->mgr;
    struct ofconn *c;

    if (!advance(w)) {
        ev_defer_start(d);
        return;
    }
    c = w->conn->is_gone ? NULL : w->conn;
    finish(w);
    if (c && !c->waiting.len) {
        hold(c, false);
    }
    oftables_run_soon(mgr->ofproto->tables);
    look_again(mgr);
}

/* It goes on in later turns: what was borrowed is copied. */
static void
put_off(const struct of_commit *now)
{
    struct of_commit *w = xmalloc(sizeof *w);

    *w = *now;
    w->request = (struct of_buf) OF_BUF_INIT;
    of_buf_put(&w->request, now->request.data, now->request.len);
    if (!w->bundle) {
        w->msgs = (struct of_buf) OF_BUF_INIT;
        of_buf_put(&w->msgs, now->msgs.data, now->msgs.len);
    }
    ev_defer_init(&w->defer, w->mgr->loop, go_on, w);
    w->mgr->commit = w;
    hold(w->conn, true);
    ev_defer_start(&w->defer);
}

static void
start(struct of_commit *w, struct ofconn *c, const struct of_msg *request, of_commit_done *done)
{
    const struct of_requester who = {c, request->xid, c->version};

    w->mgr = c->mgr;
    w->conn = c;
    w->done = done;
    w->request.data = (uint8_t *) (uintptr_t) request->start;
    w->request.len = request->len;
    w->txn = oftxn_begin(c->mgr->ofproto->tables, &who);
    w->mgr->commit = w;
    if (advance(w)) {
        w->mgr->commit = NULL;
        done(c, request, w->err);
        if (w->has_fm) {
            of_flow_mod_free(&w->fm);
        }
        if (w->bundle) {
            of_buf_free(&w->msgs);
        }
    } else {
        put_off(w);
    }
}

void
of_commit_bundle(struct ofconn *c, struct of_buf *msgs, const struct of_msg *request,
                 of_commit_done *done)
{
    struct of_commit w = {.bundle = true, .msgs = *msgs};

    *msgs = (struct of_buf) OF_BUF_INIT;
    start(&w, c, request, done);
}

void
of_commit_message(struct ofconn *c, const struct of_msg *msg, const struct of_flow_mod *fm,
                  of_commit_done *done)
{
    struct of_commit w = {.has_fm = fm != NULL};

    if (fm) {
        w.fm = *fm;
    }
    w.msgs.data = (uint8_t *) (uintptr_t) msg->start;
    w.msgs.len = msg->len;
    start(&w, c, msg, done);
}

void
of_commit_refuse(struct ofconn *c, const struct of_msg *msg, enum of_err err)
{
    if (err) {
        ofconn_refuse(c, err, msg);
    }
}

/* ------------------------------------------------------------------ who waits */

bool
of_commit_must_wait(const struct ofconn *c, bool changes, bool walks)
{
    const struct oftables *t = c->mgr->ofproto->tables;
    const struct of_commit *w = c->mgr->commit;

    return c->waiting.len || c->dump || (w && w->conn == c) ||
           (changes && (w || oftables_is_busy(t))) || (walks && oftables_walk_must_wait(t));
}

void
of_commit_wait(struct ofconn *c, const struct of_msg *m)
{
    COVERAGE_INC(ofconn_message_waited);
    if (!c->waiting.len) {
        cds_list_add_tail(&c->wait_node, &c->mgr->waiting);
    }
    of_buf_put(&c->waiting, m->start, m->len);
    hold(c, true);
}

/* Executes messages of one connection until it has to wait again. */
static void
resume_one(struct ofconn *c)
{
    struct of_buf msgs = c->waiting;
    size_t ofs = 0;

    cds_list_del(&c->wait_node);
    c->waiting = (struct of_buf) OF_BUF_INIT;
    hold(c, false);
    while (ofs < msgs.len) {
        struct of_msg m = message_at(&msgs, ofs);

        ofs += m.len;
        ofconn_dispatch(c, &m);
    }
    of_buf_free(&msgs);
}

void
of_commit_resume(struct connmgr *mgr)
{
    struct cds_list_head waited;

    /* Each once: those that have to wait again queue up anew. */
    CDS_INIT_LIST_HEAD(&waited);
    cds_list_splice(&mgr->waiting, &waited);
    CDS_INIT_LIST_HEAD(&mgr->waiting);
    while (!cds_list_empty(&waited)) {
        resume_one(cds_list_first_entry(&waited, struct ofconn, wait_node));
    }
}

/* ------------------------------------------------------------------ ends */

void
of_commit_settle(struct connmgr *mgr)
{
    struct slice slice = SLICE_ENDLESS;

    if (mgr->commit && mgr->commit->txn) {
        transact(mgr->commit, &slice);
    }
}

/* What goes on in the name of a connection that is gone, deaf and dumb. */
static struct ofconn *
orphan(const struct ofconn *c)
{
    struct ofconn *gone = xzalloc(sizeof *gone);

    gone->mgr = c->mgr;
    gone->is_gone = true;
    gone->kind = c->kind;
    gone->version = c->version;
    gone->role = c->role;
    gone->flow_mod_table_id = c->flow_mod_table_id;
    return gone;
}

void
of_commit_forget(struct ofconn *c)
{
    struct of_commit *w = c->mgr->commit;

    if (c->waiting.len) {
        cds_list_del(&c->wait_node);
        of_buf_free(&c->waiting);
    }
    if (w && w->conn == c) {
        COVERAGE_INC(ofconn_commit_orphaned);
        w->conn = orphan(c);
        if (w->txn) {
            oftxn_disown(w->txn);
        }
    }
}

void
of_commit_idle(struct connmgr *mgr)
{
    look_again(mgr);
}

void
of_commit_destroy(struct connmgr *mgr)
{
    if (mgr->commit) {
        commit_free(mgr->commit); /* its transaction goes with the tables */
    }
}
