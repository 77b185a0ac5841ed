/* SPDX-License-Identifier: Apache-2.0 */
/* The versions of a group: how one takes the place of another in a transaction, and what
 * becomes of the other when that ends, while readers still want it.  Main thread, beside
 * readers.  Which changes make sense is group-mod.c's to know. */

#include <stdlib.h>

#include "ofproto/groups-private.h"
#include "util/compiler.h"
#include "util/xalloc.h"

/* Readers that are at it may go on from `g`. */
static void
unchain(struct groups *gs, struct group *g)
{
    struct group *next = group_older(g);

    if (next) {
        next->newer = g->newer;
    }
    if (g->newer) {
        atomic_store_explicit(&g->newer->older, next, memory_order_release);
    } else if (next) {
        id_table_put(&gs->by_id, g->id, next);
    } else {
        id_table_remove(&gs->by_id, g->id);
    }
}

void
group_let_go_of_rules(struct group *g)
{
    while (!cds_list_empty(&g->rules)) {
        cds_list_del_init(g->rules.next);
    }
}

static void
move_rules(struct group *from, struct group *to)
{
    cds_list_splice(&from->rules, &to->rules);
    CDS_INIT_LIST_HEAD(&from->rules);
}

void
group_replace(struct oftxn *txn, struct group *old, struct group *new_group)
{
    struct groups *gs = txn->tables->groups;
    struct undo *u = oftxn_record(txn, UNDO_GROUP);

    u->group = new_group;
    u->old_group = old;
    if (old) {
        atomic_store_explicit(&old->removed, txn->version, memory_order_relaxed);
        gs->n--;
    }
    if (new_group) {
        struct group *next = id_table_find(&gs->by_id, new_group->id);

        new_group->added = txn->version;
        atomic_store_explicit(&new_group->older, next, memory_order_release);
        if (next) {
            next->newer = new_group;
        }
        if (old) {
            move_rules(old, new_group);
        }
        id_table_put(&gs->by_id, new_group->id, new_group);
        gs->n++;
    }
}

/* ---- Ends of transactions ---- */

static void
grave_is_past(struct rcu_head *head)
{
    struct group_grave *grave = CONTAINER_OF(head, struct group_grave, rcu);

    /* Pairs with the acquire in bury_past(). */
    atomic_store_explicit(&grave->past, true, memory_order_release);
}

static void
bury(struct groups *gs, struct group_grave *grave)
{
    unchain(gs, grave->group);
    group_unref_later(grave->group);
    cds_list_del(&grave->node);
    free(grave);
}

static void
bury_past(struct groups *gs)
{
    struct group_grave *grave, *next;

    cds_list_for_each_entry_safe(grave, next, &gs->waiting, node)
    {
        if (!atomic_load_explicit(&grave->past, memory_order_acquire)) {
            break;
        }
        bury(gs, grave);
    }
}

/* Not between a transaction's groups_commit() and its end: readers start with the version that
 * hides what was committed. */
static void
wait_for_committed(struct groups *gs)
{
    struct group_grave *grave, *next;

    cds_list_for_each_entry_safe(grave, next, &gs->committed, node)
    {
        cds_list_del(&grave->node);
        cds_list_add_tail(&grave->node, &gs->waiting);
        call_rcu(&grave->rcu, grave_is_past);
    }
}

bool
groups_run(struct oftables *tables)
{
    struct groups *gs = tables->groups;

    if (!tables->txn) {
        wait_for_committed(gs);
    }
    bury_past(gs);
    return !cds_list_empty(&gs->committed) || !cds_list_empty(&gs->waiting);
}

void
groups_commit(struct oftables *tables, struct group *new_group, struct group *old_group)
{
    struct groups *gs = tables->groups;
    struct group_grave *grave;

    if (!old_group) {
        return;
    }
    group_let_go_of_rules(old_group);
    grave = xzalloc(sizeof *grave);
    grave->group = old_group;
    atomic_init(&grave->past, false);
    cds_list_add_tail(&grave->node, &gs->committed);
}

void
groups_rollback(struct oftables *tables, struct group *new_group, struct group *old_group)
{
    struct groups *gs = tables->groups;

    if (new_group) {
        if (old_group) {
            move_rules(new_group, old_group);
        }
        group_let_go_of_rules(new_group);
        unchain(gs, new_group);
        group_unref_later(new_group);
        gs->n--;
    }
    if (old_group) {
        atomic_store_explicit(&old_group->removed, UINT64_MAX, memory_order_relaxed);
        gs->n++;
    }
}

/* Lookups find a change as soon as it is made, which leaves nothing to do here but to put away
 * what earlier transactions left: many may come before the next oftables_run(). */
void
groups_publish(struct oftables *tables)
{
    wait_for_committed(tables->groups);
    bury_past(tables->groups);
}

void
groups_bury_all(struct groups *gs)
{
    struct group_grave *grave, *next;

    wait_for_committed(gs);
    if (!cds_list_empty(&gs->waiting)) {
        rcu_barrier(); /* ends the grace periods of all that wait */
    }
    cds_list_for_each_entry_safe(grave, next, &gs->waiting, node)
    {
        bury(gs, grave);
    }
}
