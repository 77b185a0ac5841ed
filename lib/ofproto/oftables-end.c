/* SPDX-License-Identifier: Apache-2.0 */
/* The end of a bridge's tables, a slice at a time when they are large.  Called by ofproto.c on
 * the main thread, when no reader is left. */

#include <stdlib.h>

#include "ofproto/tables-private.h"

/* A transaction that is under way ends without anybody's knowing.  False: not yet. */
static bool
end_transaction(struct oftables *t, struct slice *slice)
{
    return !t->txn || (oftxn_is_shown(t->txn) ? oftxn_commit_some(t->txn, slice)
                                              : oftxn_rollback_some(t->txn, slice));
}

static bool
drop_rule(struct cls_rule *cr, void *t_)
{
    struct rule *r = CONTAINER_OF(cr, struct rule, cls);
    struct oftables *t = t_;

    if (!cls_rule_is_leaving(cr)) {
        rule_index_remove(t, r);
    }
    classifier_remove(oftable_cls(t, r->table_id), cr);
    rule_unref_later(r);
    return !slice_spent(t->end_slice);
}

/* False: there are rules left in one. */
static bool
end_tables(struct oftables *t)
{
    for (; t->n_ended < OFTABLES_MAX; t->n_ended++) {
        struct classifier *cls = oftable_cls(t, (uint8_t) t->n_ended);

        if (cls) {
            classifier_for_each(cls, NULL, NULL, drop_rule, t);
            if (classifier_count(cls)) {
                return false;
            }
            classifier_destroy(cls);
            atomic_store_explicit(&t->t[t->n_ended].cls, NULL, memory_order_relaxed);
        }
        oftable_evict_clear(t, (uint8_t) t->n_ended);
    }
    return true;
}

bool
oftables_destroy_some(struct oftables *t, struct slice *slice)
{
    struct learned *l;

    if (!t->is_ending) {
        rcu_barrier(); /* no batch of retired rules is about to call back, by the ops */
        t->is_ending = true;
        t->is_alone = !t->txn; /* whose end may retire more */
        memset(&t->ops, 0, sizeof t->ops);
        oftables_queue_destroy(t);
        oftables_own_destroy(t);
    }
    if (!end_transaction(t, slice)) {
        return false;
    }
    if (!t->is_alone) {
        rcu_barrier();
        t->is_alone = true;
    }
    oftables_bury(t, slice);
    t->end_slice = slice;
    if (t->retired || !end_tables(t)) {
        return false;
    }
    while ((l = t->forgotten)) {
        t->forgotten = l->next;
        free(l);
    }
    rcu_table_destroy(&t->cookies);
    rcu_table_destroy(&t->learned);
    rcu_table_destroy(&t->limits);
    groups_destroy(t->groups);
    meters_destroy(t->meters);
    mutex_destroy(&t->queue_mutex);
    free(t);
    return true;
}

void
oftables_destroy(struct oftables *t)
{
    struct slice slice = SLICE_ENDLESS;

    if (t) {
        oftables_destroy_some(t, &slice);
    }
}
