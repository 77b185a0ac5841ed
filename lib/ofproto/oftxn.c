/* SPDX-License-Identifier: Apache-2.0 */
/* Transactions on OpenFlow tables: what was changed, in order, so that it can be taken back;
 * the moment when readers see all of it; and the end of what they then see no more.  Main
 * thread.
 *
 *   begin ----> changes ----> commit: version moves, events, old rules are retired (retire.c)
 *                  |
 *                  +--------> rollback: backwards through the changes; readers saw nothing
 *
 * Each of the arrows may take many turns of the event loop; the moving of the version is one
 * store.  Meanwhile main's other users wait, or have the transaction settled. */

#include <stdlib.h>

#include "ofproto/tables-private.h"
#include "openflow/of-actions.h"
#include "util/xalloc.h"

struct oftxn *
oftxn_begin(struct oftables *t, const struct of_requester *req)
{
    struct oftxn *txn;

    oftables_settle(t);
    txn = xzalloc(sizeof *txn);
    txn->tables = t;
    txn->version = atomic_load_explicit(&t->version, memory_order_relaxed) + 1;
    if (req) {
        txn->req = *req;
    }
    t->txn = txn;
    return txn;
}

struct undo *
oftxn_record(struct oftxn *txn, enum undo_type type)
{
    if (txn->n == txn->cap) {
        txn->cap = txn->cap ? txn->cap * 2 : 4;
        txn->u = xrealloc(txn->u, txn->cap * sizeof *txn->u);
    }
    txn->u[txn->n] = (struct undo){.type = type};
    return &txn->u[txn->n++];
}

static void
leave(struct oftxn *txn, struct rule *r, enum of_flow_removed_reason reason)
{
    cls_rule_leave(&r->cls, txn->version);
    r->end_reason = (uint8_t) reason;
    oftable_evict_remove(txn->tables, r);
    txn->tables->t[r->table_id].n_rules--;
}

void
oftxn_insert_rule(struct oftxn *txn, struct rule *r, struct rule *old)
{
    struct oftables *t = txn->tables;
    struct undo *u = oftxn_record(txn, old ? UNDO_REPLACE : UNDO_ADD);

    u->rule = r;
    u->old = old;
    if (old) {
        leave(txn, old, OFPRR_DELETE);
    }
    classifier_insert(oftable_cls_create(t, r->table_id), &r->cls, txn->version);
    t->t[r->table_id].n_rules++;
    rule_index_add(t, r);
}

void
oftxn_remove_rule(struct oftxn *txn, struct rule *r, enum of_flow_removed_reason reason)
{
    if (!cls_rule_is_leaving(&r->cls)) {
        oftxn_record(txn, UNDO_REMOVE)->old = r;
        leave(txn, r, reason);
    }
}

static void
undo_step(struct oftxn *txn, struct undo *u)
{
    struct oftables *t = txn->tables;

    if (u->type == UNDO_GROUP) {
        groups_rollback(t, u->group, u->old_group);
        return;
    }
    if (u->rule) {
        rule_index_remove(t, u->rule);
        t->t[u->rule->table_id].n_rules--;
        classifier_remove(oftable_cls(t, u->rule->table_id), &u->rule->cls);
        rule_unref_later(u->rule);
    }
    if (u->old) {
        cls_rule_leave(&u->old->cls, CLS_VERSION_NEVER);
        oftable_evict_add(t, u->old);
        t->t[u->old->table_id].n_rules++;
    }
}

void
oftxn_undo_to(struct oftxn *txn, size_t n)
{
    while (txn->n > n) {
        undo_step(txn, &txn->u[--txn->n]);
    }
}

void
oftxn_drop_work(struct oftxn *txn)
{
    oftxn_mass_end(txn);
    oftxn_refs_end(txn);
    oftables_evict_abandon(txn->tables);
}

static void
txn_free(struct oftxn *txn)
{
    struct oftables *t = txn->tables;

    oftxn_drop_work(txn);
    own_job_free(txn->job);
    t->txn = NULL;
    free(txn->u);
    free(txn);
    if (oftables_is_busy(t)) {
        oftables_run_soon(t); /* what had to wait for us */
    }
}

/* What learners of rolled back rules would have learned is not there. */
static void
drop_forgotten(struct oftables *t)
{
    struct learned *l;

    while ((l = t->forgotten)) {
        t->forgotten = l->next;
        free(l);
    }
}

/* Tells readers which tuples there are, and main how many rules. */
static void
publish(struct oftables *t)
{
    for (unsigned i = 0; i < OFTABLES_MAX; i++) {
        struct classifier *cls = oftable_cls(t, (uint8_t) i);

        if (cls) {
            classifier_publish(cls);
            t->t[i].n_visible = t->t[i].n_rules;
        }
    }
}

/* Behind what readers were told of: until here they may have found limits of learn reached, by
 * rules that are gone by now, and keep that. */
static void
tell_of_limits(struct oftables *t)
{
    if (t->limits.n && t->ops.changed) {
        t->ops.changed(t->ops.aux);
    }
}

bool
oftxn_rollback_some(struct oftxn *txn, struct slice *slice)
{
    struct oftables *t = txn->tables;

    oftxn_drop_work(txn);
    while (txn->n) {
        undo_step(txn, &txn->u[--txn->n]);
        if (slice_spent(slice)) {
            return false;
        }
    }
    drop_forgotten(t);
    publish(t);
    txn_free(txn);
    tell_of_limits(t);
    return true;
}

void
oftxn_rollback(struct oftxn *txn)
{
    struct slice slice = SLICE_ENDLESS;

    oftxn_rollback_some(txn, &slice);
}

static void
emit(struct oftxn *txn, enum rule_event ev, const struct rule *r, const struct rule *old,
     uint8_t reason)
{
    const struct oftables_ops *ops = &txn->tables->ops;

    if (ops->rule_event && !r->hidden) {
        ops->rule_event(ev, r, old, reason, &txn->req, ops->aux);
    }
    if (ev == RULE_EV_DELETED && ops->flow_removed && r->flags & OFPFF_SEND_FLOW_REM) {
        ops->flow_removed(r, reason, ops->aux);
    }
}

static void
commit_step(struct oftxn *txn, const struct undo *u)
{
    switch (u->type) {
    case UNDO_ADD:
        emit(txn, RULE_EV_ADDED, u->rule, NULL, 0);
        break;
    case UNDO_REMOVE:
        emit(txn, RULE_EV_DELETED, u->old, NULL, u->old->end_reason);
        break;
    case UNDO_REPLACE:
        emit(txn, RULE_EV_ADDED, u->rule, u->old, 0);
        break;
    case UNDO_MODIFY:
        if (u->rule->cookie != u->old->cookie ||
            !of_actions_equal(rule_acts(u->rule), u->rule->acts_len, rule_acts(u->old),
                              u->old->acts_len)) {
            emit(txn, RULE_EV_MODIFIED, u->rule, u->old, 0);
        }
        break;
    case UNDO_GROUP:
        groups_commit(txn->tables, u->group, u->old_group);
        break;
    }
}

/* The moment when readers see all of it. */
static void
show(struct oftxn *txn)
{
    struct oftables *t = txn->tables;

    publish(t);
    groups_publish(t);
    /* Release: pairs with the acquire in oftables_version(). */
    atomic_store_explicit(&t->version, txn->version, memory_order_release);
    txn->shown = true;
    if (t->ops.changed) {
        t->ops.changed(t->ops.aux);
    }
}

/* Listeners hear of one step, and the indexes forget what it removed. */
static void
tell(struct oftxn *txn, const struct undo *u)
{
    commit_step(txn, u);
    if (u->rule) {
        txn->touched[u->rule->table_id] = true;
    }
    if (u->old) {
        txn->touched[u->old->table_id] = true;
        rule_index_remove(txn->tables, u->old);
        u->old->retire_next = txn->gone;
        txn->gone = u->old;
        txn->n_gone++;
    }
}

/* Shows it and tells of it.  False: not done yet. */
static bool
show_some(struct oftxn *txn, struct slice *slice)
{
    struct oftables *t = txn->tables;

    if (!txn->n) {
        return true;
    }
    if (!txn->shown) {
        show(txn);
    }
    while (txn->n_told < txn->n) {
        tell(txn, &txn->u[txn->n_told++]);
        if (slice_spent(slice)) {
            return false;
        }
    }
    if (txn->gone) {
        oftables_retire(t, txn->gone, txn->n_gone);
    }
    for (unsigned i = 0; i < OFTABLES_MAX; i++) {
        if (txn->touched[i]) {
            oftable_check_vacancy(t, (uint8_t) i);
        }
    }
    tell_of_limits(t);
    return true;
}

/* The next key of which no learner is left.  False: there is none. */
static bool
take_forgotten(struct oftables *t, struct flow_select *sel)
{
    struct learned *l;

    while ((l = t->forgotten)) {
        bool again = learned_find(t, &l->key);

        t->forgotten = l->next;
        flow_select_init(sel);
        sel->table_id = (uint8_t) l->key.table_id;
        sel->cookie = l->key.cookie;
        sel->cookie_mask = UINT64_MAX;
        free(l);
        if (!again && sel->table_id < OFTABLES_MAX) {
            return true;
        }
    }
    return false;
}

/* Removes rules learned by rules of which none is left.  False: not done yet. */
static bool
forget_some(struct oftxn *txn, struct slice *slice)
{
    struct flow_select sel;

    while (txn->mass || take_forgotten(txn->tables, &sel)) {
        if (!oftxn_remove_some(txn, &sel, slice)) {
            return false;
        }
    }
    return true;
}

/* Behind what was shown and told, the same transaction goes on with what the rules that went
 * had learned.  False: that is nothing. */
static bool
begin_again(struct oftxn *txn)
{
    struct oftables *t = txn->tables;

    if (!t->forgotten) {
        return false;
    }
    txn->again = true;
    txn->shown = false;
    txn->version = atomic_load_explicit(&t->version, memory_order_relaxed) + 1;
    txn->req = (struct of_requester){.owner = NULL};
    txn->n = txn->n_told = 0;
    txn->gone = NULL;
    txn->n_gone = 0;
    memset(txn->touched, 0, sizeof txn->touched);
    return true;
}

bool
oftxn_commit_some(struct oftxn *txn, struct slice *slice)
{
    /* Ends: each round behind the first removes rules. */
    do {
        if (txn->again && !txn->shown && !forget_some(txn, slice)) {
            return false;
        }
        if (!show_some(txn, slice)) {
            return false;
        }
    } while (begin_again(txn));
    txn_free(txn);
    return true;
}

void
oftxn_commit(struct oftxn *txn)
{
    struct slice slice = SLICE_ENDLESS;

    oftxn_commit_some(txn, &slice);
}

bool
oftxn_is_shown(const struct oftxn *txn)
{
    return txn->shown || txn->again;
}

void
oftxn_disown(struct oftxn *txn)
{
    txn->req.owner = NULL;
}

void
oftxn_end(struct oftxn *txn)
{
    if (oftxn_is_shown(txn)) {
        oftxn_commit(txn);
    } else {
        oftxn_rollback(txn);
    }
}

void
oftables_settle(struct oftables *t)
{
    if (t->txn && t->txn->job) {
        oftables_finish_job(t);
    } else if (t->txn && t->ops.settle) {
        t->ops.settle(t->ops.aux);
    }
    if (t->txn) {
        oftxn_end(t->txn);
    }
}

enum of_err
oftables_flow_mod(struct oftables *t, const struct of_flow_mod *fm,
                  const struct of_requester *req)
{
    struct oftxn *txn = oftxn_begin(t, req);
    enum of_err err = oftxn_flow_mod(txn, fm);

    if (err) {
        oftxn_rollback(txn);
    } else {
        oftxn_commit(txn);
    }
    return err;
}
