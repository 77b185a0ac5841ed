/* SPDX-License-Identifier: Apache-2.0 */
/* Commits in slices, and who waits for them.  Called by conn-dispatch.c, the handlers of flow
 * mods and bundles, and the event loop, on the main thread.  It must not know what bundles are
 * beyond a row of messages. */

#include "ofproto/conn-commit.h"

#include <stdlib.h>

#include "log/coverage.h"
#include "ofproto/conn-private.h"
#include "ofproto/groups.h"
#include "openflow/of-port.h"
#include "util/xalloc.h"

COVERAGE_DEFINE(ofconn_commit_paused);
COVERAGE_DEFINE(ofconn_commit_abandoned);
COVERAGE_DEFINE(ofconn_message_waited);

struct of_commit {
    struct connmgr *mgr;
    struct ofconn *conn; /* the sender; NULL: gone */
    of_commit_done *done;
    bool bundle;
    struct of_buf request, msgs;
    size_t ofs;            /* of the message that is next */
    struct oftxn *txn;     /* NULL: it has ended */
    struct of_flow_mod fm; /* under way, if has_fm */
    bool has_fm, failed;
    enum of_err err;
    struct ev_defer defer;
};

static uint32_t parts; /* of_commit_set_parts() */

void
of_commit_set_parts(uint32_t n)
{
    parts = n;
}

static struct slice
next_slice(void)
{
    return parts ? slice_of_parts(parts) : slice_of_us(OFTABLES_SLICE_US);
}

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

/* What a message does to the tables, in the transaction.  False: not done yet. */
static bool
change_some(struct of_commit *w, const struct of_msg *m, struct slice *slice, enum of_err *err)
{
    struct of_group_mod gm;
    struct of_port_mod pm;

    *err = OF_OK;
    switch (m->type) {
    case OFM_FLOW_MOD:
    case OFM_NXT_FLOW_MOD:
        return flow_mod_some(w, m, slice, err);
    case OFM_GROUP_MOD:
        *err = of_group_mod_decode(m, &gm);
        if (!*err) {
            *err = oftxn_group_mod(w->txn, &gm);
            of_group_mod_free(&gm);
        }
        break;
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
    switch (m->type) {
    case OFM_PORT_MOD:
        return of_handle_port_mod(c, m);
    case OFM_PACKET_OUT:
        return of_handle_packet_out(c, m);
    case OFM_GROUP_MOD:
        connmgr_forward_request(c->mgr, c, m);
        return OF_OK;
    default:
        return OF_OK;
    }
}

/* False: not done yet. */
static bool
act_all(struct of_commit *w, struct slice *slice)
{
    while (w->bundle && w->ofs < w->msgs.len) {
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
commit_free(struct of_commit *w)
{
    w->mgr->commit = NULL;
    ev_defer_stop(&w->defer);
    if (w->has_fm) {
        of_flow_mod_free(&w->fm);
    }
    of_buf_free(&w->request);
    of_buf_free(&w->msgs);
    free(w);
}

static void
hold(struct ofconn *c, bool on)
{
    if (c->channel) {
        of_channel_hold(c->channel, on ? OF_HOLD_WORK : OF_HOLD_NOT);
    }
}

static void
finish(struct of_commit *w)
{
    struct ofconn *c = w->conn;
    struct of_msg request;

    if (c) {
        request = message_at(&w->request, 0);
        w->done(c, &request, w->err);
    }
    commit_free(w);
}

/* Does a slice of it.  False: there is more to do. */
static bool
advance(struct of_commit *w)
{
    struct slice slice = next_slice();

    if ((w->txn && !transact(w, &slice)) || (w->conn && !w->failed && !act_all(w, &slice))) {
        COVERAGE_INC(ofconn_commit_paused);
        ev_defer_start(&w->defer);
        return false;
    }
    return true;
}

static void
go_on(struct ev_defer *d)
{
    struct of_commit *w = d->aux;
    struct connmgr *mgr = w->mgr;
    struct ofconn *c;

    if (!advance(w)) {
        return;
    }
    c = w->conn;
    finish(w);
    if (c && !c->waiting.len) {
        hold(c, false);
    }
    oftables_run_soon(mgr->ofproto->tables);
    connmgr_flush_monitors(mgr);
    OFCONN_FOR_EACH(c, mgr)
    {
        if (c->channel && !of_channel_backlog(c->channel)) {
            of_monitors_drained(c); /* which waited for the end */
        }
    }
    of_commit_resume(mgr);
}

void
of_commit_start(struct ofconn *c, struct of_buf *msgs, bool bundle,
                const struct of_msg *request, of_commit_done *done)
{
    const struct of_requester who = {c, request->xid, c->version};
    struct of_commit *w = xzalloc(sizeof *w);

    w->mgr = c->mgr;
    w->conn = c;
    w->done = done;
    w->bundle = bundle;
    of_buf_put(&w->request, request->start, request->len);
    w->msgs = *msgs;
    *msgs = (struct of_buf) OF_BUF_INIT;
    ev_defer_init(&w->defer, c->mgr->loop, go_on, w);
    w->txn = oftxn_begin(c->mgr->ofproto->tables, &who);
    c->mgr->commit = w;
    if (advance(w)) {
        finish(w);
    } else {
        hold(c, true);
    }
}

/* ------------------------------------------------------------------ who waits */

bool
of_commit_must_wait(const struct ofconn *c, bool changes)
{
    const struct of_commit *w = c->mgr->commit;

    return c->waiting.len || of_dump_is_under_way(c) || (w && (changes || w->conn == c));
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

void
of_commit_forget(struct ofconn *c)
{
    struct of_commit *w = c->mgr->commit;

    if (c->waiting.len) {
        cds_list_del(&c->wait_node);
        of_buf_free(&c->waiting);
    }
    if (w && w->conn == c) {
        COVERAGE_INC(ofconn_commit_abandoned);
        w->conn = NULL;
        if (w->txn) {
            oftxn_disown(w->txn);
            /* What others have seen stays; else all goes back. */
            w->failed = !oftxn_is_shown(w->txn);
        }
    }
}

void
of_commit_destroy(struct connmgr *mgr)
{
    if (mgr->commit) {
        commit_free(mgr->commit); /* its transaction goes with the tables */
    }
}
