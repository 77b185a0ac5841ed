/* SPDX-License-Identifier: Apache-2.0 */
/* Rules that went in a transaction: they wait for a grace period, and then leave their
 * classifiers, a slice at a time.  Main thread. */

#include <stdlib.h>

#include "ofproto/tables-private.h"
#include "util/compiler.h"
#include "util/xalloc.h"

#define RETIRED_MANY 100000u

/* Those of one transaction. */
struct retired {
    struct rcu_head rcu;
    struct oftables *tables;
    _Atomic bool past; /* no reader sees them any more */
    struct rule *first;
    struct retired *next;
};

static void
retired_is_past(struct rcu_head *head)
{
    struct retired *batch = CONTAINER_OF(head, struct retired, rcu);
    struct oftables *t = batch->tables;

    /* Release: pairs with the acquire in oftables_bury(), which may free the batch.  Waking
     * main comes after it, else main looks too early and then sleeps; the tables outlast us,
     * since oftables_destroy() waits for callbacks. */
    atomic_store_explicit(&batch->past, true, memory_order_release);
    oftables_run_soon(t);
}

void
oftables_retire(struct oftables *t, struct rule *first, unsigned n)
{
    struct retired *batch = xzalloc(sizeof *batch);

    batch->tables = t;
    batch->first = first;
    t->n_retired += n;
    *t->retired_tail = batch;
    t->retired_tail = &batch->next;
    call_rcu(&batch->rcu, retired_is_past);
}

bool
oftables_walk_must_wait(const struct oftables *t)
{
    return t->n_retired > RETIRED_MANY;
}

void
oftables_bury(struct oftables *t, struct slice *slice)
{
    struct retired *batch;

    while (!t->n_walks && (batch = t->retired) &&
           atomic_load_explicit(&batch->past, memory_order_acquire)) {
        while (batch->first) {
            struct rule *r = batch->first;

            batch->first = r->retire_next;
            classifier_remove(oftable_cls(t, r->table_id), &r->cls);
            rule_unref_later(r);
            if (--t->n_retired == RETIRED_MANY) {
                t->own.tell_idle = true;
                oftables_run_soon(t);
            }
            if (slice_spent(slice)) {
                oftables_run_soon(t);
                return;
            }
        }
        t->retired = batch->next;
        if (!t->retired) {
            t->retired_tail = &t->retired;
        }
        free(batch);
    }
}
