/* SPDX-License-Identifier: Apache-2.0 */
/* Transactions on OpenFlow tables: what was changed, in order, so that it can be taken back;
 * the moment when readers see all of it; and the end of what they then see no more.  Main
 * thread.
 *
 *   begin ----> changes ----> commit: version moves, events, old rules wait for a grace period
 *                  |                  and leave the classifier in oftables_run()
 *                  +--------> rollback: backwards through the changes; readers saw nothing */

#include <stdlib.h>

#include "ofproto/tables-private.h"
#include "util/xalloc.h"

/* Rules that went in one transaction. */
struct retired {
    struct rcu_head rcu;
    struct oftables *tables;
    _Atomic bool past; /* no reader sees them any more */
    struct rule *first;
    struct retired *next;
};

struct oftxn *
oftxn_begin(struct oftables *t, const struct of_requester *req)
{
    struct oftxn *txn = xzalloc(sizeof *txn);

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

void
oftxn_undo_to(struct oftxn *txn, size_t n)
{
    struct oftables *t = txn->tables;

    while (txn->n > n) {
        struct undo *u = &txn->u[--txn->n];

        if (u->type == UNDO_GROUP) {
            groups_rollback(t, u->group, u->old_group);
            continue;
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
}

static void
txn_free(struct oftxn *txn)
{
    txn->tables->txn = NULL;
    free(txn->u);
    free(txn);
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

void
oftxn_rollback(struct oftxn *txn)
{
    struct oftables *t = txn->tables;

    oftxn_undo_to(txn, 0);
    drop_forgotten(t);
    for (unsigned i = 0; i < OFTABLES_MAX; i++) {
        if (oftable_cls(t, (uint8_t) i)) {
            classifier_publish(oftable_cls(t, (uint8_t) i));
        }
    }
    txn_free(txn);
}

static void
retired_is_past(struct rcu_head *head)
{
    struct retired *batch = CONTAINER_OF(head, struct retired, rcu);
    struct oftables *t = batch->tables;

    /* Release: pairs with the acquire in oftables_bury(), which may free the batch.  Waking
     * main comes after it, else main looks too early and then sleeps; the tables outlast us,
     * since oftables_destroy() waits for callbacks. */
    atomic_store_explicit(&batch->past, true, memory_order_release);
    if (t->ops.wake) {
        t->ops.wake(t->ops.aux);
    }
}

void
oftables_bury(struct oftables *t, size_t budget)
{
    struct retired *batch;

    while ((batch = t->retired) && atomic_load_explicit(&batch->past, memory_order_acquire)) {
        while (batch->first) {
            struct rule *r = batch->first;

            if (!budget--) {
                if (t->ops.wake) {
                    t->ops.wake(t->ops.aux);
                }
                return;
            }
            batch->first = r->retire_next;
            classifier_remove(oftable_cls(t, r->table_id), &r->cls);
            rule_unref_later(r);
        }
        t->retired = batch->next;
        if (!t->retired) {
            t->retired_tail = &t->retired;
        }
        free(batch);
    }
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
        emit(txn, RULE_EV_MODIFIED, u->rule, u->old, 0);
        break;
    case UNDO_GROUP:
        groups_commit(txn->tables, u->group, u->old_group);
        break;
    }
}

/* Rules learned by rules of which none is left. */
static void
forget_learned(struct oftables *t)
{
    struct of_requester nobody = {.owner = NULL};

    /* Ends: each round removes rules. */
    while (t->forgotten) {
        struct learned *l = t->forgotten, *again;
        struct flow_select sel;
        struct rule_list list;
        struct oftxn *txn;

        t->forgotten = l->next;
        HASH_FIND(hh, t->learned, &l->key, sizeof l->key, again);
        flow_select_init(&sel);
        sel.table_id = (uint8_t) l->key.table_id;
        sel.cookie = l->key.cookie;
        sel.cookie_mask = UINT64_MAX;
        free(l);
        if (again || sel.table_id >= OFTABLES_MAX) {
            continue;
        }
        list = oftables_collect(t, &sel, -1, true);
        if (list.n) {
            txn = oftxn_begin(t, &nobody);
            for (size_t i = 0; i < list.n; i++) {
                oftxn_remove_rule(txn, list.rules[i], OFPRR_DELETE);
            }
            oftxn_commit(txn);
        }
        free(list.rules);
    }
}

void
oftxn_commit(struct oftxn *txn)
{
    struct oftables *t = txn->tables;
    struct retired *batch = NULL;
    bool touched[OFTABLES_MAX] = {false};

    if (!txn->n) {
        txn_free(txn);
        return;
    }
    for (unsigned i = 0; i < OFTABLES_MAX; i++) {
        if (oftable_cls(t, (uint8_t) i)) {
            classifier_publish(oftable_cls(t, (uint8_t) i));
        }
    }
    groups_publish(t);
    /* Release: pairs with the acquire in oftables_version(). */
    atomic_store_explicit(&t->version, txn->version, memory_order_release);

    for (size_t i = 0; i < txn->n; i++) {
        const struct undo *u = &txn->u[i];

        commit_step(txn, u);
        if (u->rule) {
            touched[u->rule->table_id] = true;
        }
        if (u->old) {
            touched[u->old->table_id] = true;
            rule_index_remove(t, u->old);
            if (!batch) {
                batch = xzalloc(sizeof *batch);
                batch->tables = t;
            }
            u->old->retire_next = batch->first;
            batch->first = u->old;
        }
    }
    if (batch) {
        *t->retired_tail = batch;
        t->retired_tail = &batch->next;
        call_rcu(&batch->rcu, retired_is_past);
    }
    txn_free(txn);
    for (unsigned i = 0; i < OFTABLES_MAX; i++) {
        if (touched[i]) {
            oftable_check_vacancy(t, (uint8_t) i);
        }
    }
    if (t->ops.changed) {
        t->ops.changed(t->ops.aux);
    }
    forget_learned(t);
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

void
oftables_add_own(struct oftables *t, uint8_t table_id, bool hidden, const struct of_match *m,
                 int priority, const struct of_act *acts, size_t acts_len)
{
    struct oftxn *txn = oftxn_begin(t, NULL);
    struct rule *r = rule_create(table_id, m, priority, acts, acts_len);

    r->hidden = hidden;
    oftxn_insert_rule(txn, r, oftables_find(t, table_id, m, priority));
    oftxn_commit(txn);
}

void
oftables_remove_own(struct oftables *t, uint8_t table_id, const struct of_match *m,
                    int priority)
{
    struct rule *r = oftables_find(t, table_id, m, priority);

    if (r) {
        struct oftxn *txn = oftxn_begin(t, NULL);

        oftxn_remove_rule(txn, r, OFPRR_DELETE);
        oftxn_commit(txn);
    }
}

void
oftables_flush(struct oftables *t)
{
    struct oftxn *txn = oftxn_begin(t, NULL);
    struct flow_select sel;
    struct rule_list list;

    flow_select_init(&sel);
    list = oftables_collect(t, &sel, -1, true);
    for (size_t i = 0; i < list.n; i++) {
        oftxn_remove_rule(txn, list.rules[i], OFPRR_DELETE);
    }
    free(list.rules);
    groups_remove_all(txn);
    oftxn_commit(txn);
    meters_remove_all(t);
}
