/* SPDX-License-Identifier: Apache-2.0 */
#ifndef TESTS_UNIT_OFTABLES_STUB_H
#define TESTS_UNIT_OFTABLES_STUB_H 1

/* Transactions and rules, as little of them as groups and meters need: rules are only added,
 * with the groups and meters that their actions name, and go with those. */

#include <stdlib.h>
#include "ofproto/tables-private.h"
#include "util/xalloc.h"

static unsigned stub_n_rules;

struct oftables *
oftables_create(const struct oftables_ops *ops)
{
    struct oftables *t = xzalloc(sizeof *t);

    if (ops) {
        t->ops = *ops;
    }
    atomic_init(&t->version, 1);
    t->groups = groups_create();
    t->meters = meters_create();
    return t;
}

static void
stub_rule_free(struct rule *r)
{
    for (unsigned i = 0; i < r->n_refs; i++) {
        cds_list_del(&r->refs[i].node);
    }
    free(r->refs);
    free(r);
    stub_n_rules--;
}

void
oftables_destroy(struct oftables *t)
{
    groups_destroy(t->groups);
    meters_destroy(t->meters);
    free(t);
}

uint64_t
oftables_version(const struct oftables *t)
{
    return atomic_load_explicit(&t->version, memory_order_acquire);
}

unsigned
oftables_count(const struct oftables *t)
{
    return stub_n_rules;
}

void
oftables_run(struct oftables *t)
{
    groups_run(t);
}

struct oftxn *
oftxn_begin(struct oftables *t, const struct of_requester *req)
{
    struct oftxn *txn = xzalloc(sizeof *txn);

    txn->tables = t;
    txn->version = t->version + 1;
    t->txn = txn;
    return txn;
}

struct undo *
oftxn_record(struct oftxn *txn, enum undo_type type)
{
    txn->u = xrealloc(txn->u, (txn->n + 1) * sizeof *txn->u);
    txn->u[txn->n] = (struct undo){.type = type};
    return &txn->u[txn->n++];
}

void
oftxn_remove_rule(struct oftxn *txn, struct rule *r, enum of_flow_removed_reason reason)
{
    if (!r->cookie) { /* leaving */
        return;
    }
    r->cookie = 0;
    r->end_reason = (uint8_t) reason;
    oftxn_record(txn, UNDO_REMOVE)->rule = r;
}

static void
stub_end(struct oftxn *txn)
{
    txn->tables->txn = NULL;
    free(txn->u);
    free(txn);
}

void
oftxn_commit(struct oftxn *txn)
{
    struct oftables *t = txn->tables;

    groups_publish(t);
    atomic_store_explicit(&t->version, txn->version, memory_order_release);
    for (size_t i = 0; i < txn->n; i++) {
        struct undo *u = &txn->u[i];

        if (u->type == UNDO_GROUP) {
            groups_commit(t, u->group, u->old_group);
        } else if (u->type == UNDO_REMOVE) {
            if (t->ops.flow_removed) {
                t->ops.flow_removed(u->rule, u->rule->end_reason, t->ops.aux);
            }
            stub_rule_free(u->rule);
        }
    }
    stub_end(txn);
}

void
oftxn_rollback(struct oftxn *txn)
{
    while (txn->n) {
        struct undo *u = &txn->u[--txn->n];

        if (u->type == UNDO_GROUP) {
            groups_rollback(txn->tables, u->group, u->old_group);
        } else if (u->type == UNDO_ADD) {
            stub_rule_free(u->rule);
        } else {
            u->rule->cookie = 1;
        }
    }
    stub_end(txn);
}

enum of_err
oftxn_flow_mod(struct oftxn *txn, const struct of_flow_mod *fm)
{
    struct rule *r = xzalloc(sizeof *r);

    r->cookie = 1;
    r->refs = xcalloc(8, sizeof *r->refs);
    stub_n_rules++;
    OF_ACT_FOR_EACH(a, fm->actions.a, fm->actions.len)
    {
        uint32_t id = (uint32_t) ((const struct of_act_num *) a)->num;
        struct group *g = a->type == OFA_GROUP ? groups_find(txn->tables, id) : NULL;
        struct meter *m = a->type == OFA_METER ? meters_find(txn->tables, id) : NULL;

        if (!g && !m) {
            stub_rule_free(r);
            return OFPBAC_BAD_OUT_GROUP;
        }
        r->refs[r->n_refs].rule = r;
        cds_list_add_tail(&r->refs[r->n_refs].node, g ? &g->rules : &m->rules);
        r->n_refs++;
    }
    oftxn_record(txn, UNDO_ADD)->rule = r;
    return OF_OK;
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

#endif
