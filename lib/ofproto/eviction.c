/* SPDX-License-Identifier: Apache-2.0 */
/* Tables that are full: which rule makes room for another, and the events that tell controllers
 * how full a table is.  Main thread.
 *
 * Only rules with a time-out make room: of those in the largest group (of rules with equal
 * values in the fields that the Flow_Table record names), the least important, and among them
 * the one that expires first.  A table gets an index for that when it first has to make room:
 *
 *   evict_index -> by_size[n]: groups of n rules -> each a heap, the first to go on top
 *
 * Finding a victim then takes O(log n).  Packets make a rule expire later without telling; the
 * heap learns of it when the rule is on top. */

#include <stdlib.h>

#include "ofproto/tables-private.h"
#include "util/hash.h"
#include "util/xalloc.h"

#define VACANCY_DOWN 3 /* OFPTR_VACANCY_DOWN, _UP */
#define VACANCY_UP 4

struct evict_entry {
    struct rule *rule;
    int64_t expires_ms; /* at the last look; never later than in truth */
};
struct evict_group {
    uint64_t key; /* hash of the fields' values */
    struct evict_entry *heap;
    unsigned n, cap;
    struct cds_list_head node; /* in by_size[n] */
};

struct evict_index {
    const struct oftable_config *config;
    bool partial; /* not all rules of the table are in it yet */
    struct rule_walk walk;
    struct rcu_table groups;       /* by key */
    struct cds_list_head *by_size; /* up to cap - 1 */
    unsigned largest, cap;
};

static uint64_t
group_key(const struct oftable_config *c, const struct rule *r)
{
    struct flow match, mask;
    uint64_t h = 0;

    if (!c->n_groups) {
        return 0;
    }
    cls_rule_get_match(&r->cls, &match, &mask);
    for (unsigned i = 0; i < c->n_groups; i++) {
        struct of_value v;

        of_subfield_read(&c->groups[i], &match, &v);
        h = hash_bytes64(&v, sizeof v, h + i);
    }
    return h;
}

static bool
goes_before(const struct evict_entry *a, const struct evict_entry *b)
{
    return a->rule->importance != b->rule->importance
               ? a->rule->importance < b->rule->importance
               : a->expires_ms < b->expires_ms;
}

static void
put_at(struct evict_group *g, unsigned pos, struct evict_entry e)
{
    g->heap[pos] = e;
    e.rule->evict_pos = pos;
}

/* The entry belongs at `pos`, or above it, or below. */
static void
sift(struct evict_group *g, unsigned pos, struct evict_entry e)
{
    while (pos && goes_before(&e, &g->heap[(pos - 1) / 2])) {
        put_at(g, pos, g->heap[(pos - 1) / 2]);
        pos = (pos - 1) / 2;
    }
    for (;;) { /* ends: goes down */
        unsigned child = 2 * pos + 1;

        if (child + 1 < g->n && goes_before(&g->heap[child + 1], &g->heap[child])) {
            child++;
        }
        if (child >= g->n || !goes_before(&g->heap[child], &e)) {
            break;
        }
        put_at(g, pos, g->heap[child]);
        pos = child;
    }
    put_at(g, pos, e);
}

/* The group's size changed by one. */
static void
resized(struct evict_index *x, struct evict_group *g)
{
    cds_list_del(&g->node);
    if (g->n >= x->cap) {
        unsigned cap = MAX(16, 2 * g->n);
        struct cds_list_head *lists = xcalloc(cap, sizeof *lists);

        for (unsigned i = 0; i < cap; i++) {
            CDS_INIT_LIST_HEAD(&lists[i]);
            if (i < x->cap) {
                cds_list_splice(&x->by_size[i], &lists[i]);
            }
        }
        free(x->by_size);
        x->by_size = lists;
        x->cap = cap;
    }
    cds_list_add_tail(&g->node, &x->by_size[g->n]);
    x->largest = MAX(x->largest, g->n);
    while (x->largest && cds_list_empty(&x->by_size[x->largest])) {
        x->largest--;
    }
}

static struct evict_group *
group_find(const struct evict_index *x, uint64_t key)
{
    struct rcu_table_pos pos = rcu_table_at(&x->groups, (uint32_t) key);
    struct evict_group *g;

    while ((g = rcu_table_next(&pos)) && g->key != key) {
    }
    return g;
}

static void
index_add(struct evict_index *x, struct rule *r)
{
    struct evict_entry e = {r, rule_expires_ms(r, NULL)};
    struct evict_group *g;
    uint64_t key;

    if (r->evict_group || r->hidden || e.expires_ms == INT64_MAX) {
        return;
    }
    key = group_key(x->config, r);
    g = group_find(x, key);
    if (!g) {
        g = xzalloc(sizeof *g);
        g->key = key;
        CDS_INIT_LIST_HEAD(&g->node);
        rcu_table_add(&x->groups, (uint32_t) key, g);
    }
    if (g->n == g->cap) {
        g->cap = g->cap ? g->cap * 2 : 4;
        g->heap = xrealloc(g->heap, g->cap * sizeof *g->heap);
    }
    r->evict_group = g;
    sift(g, g->n++, e);
    resized(x, g);
}

void
oftable_evict_add(struct oftables *t, struct rule *r)
{
    if (t->t[r->table_id].evict) {
        index_add(t->t[r->table_id].evict, r);
    }
}

static void
free_group(struct evict_index *x, struct evict_group *g)
{
    cds_list_del(&g->node);
    rcu_table_remove(&x->groups, (uint32_t) g->key, g);
    free(g->heap);
    free(g);
}

void
oftable_evict_remove(struct oftables *t, struct rule *r)
{
    struct evict_index *x = t->t[r->table_id].evict;
    struct evict_group *g = r->evict_group;
    struct evict_entry last;

    if (!g) {
        return;
    }
    r->evict_group = NULL;
    last = g->heap[--g->n];
    if (last.rule != r) {
        sift(g, r->evict_pos, last);
    }
    resized(x, g);
    if (!g->n) {
        free_group(x, g);
    }
}

void
oftable_evict_clear(struct oftables *t, uint8_t table_id)
{
    struct evict_index *x = t->t[table_id].evict;
    struct rcu_table_pos pos = {.a = NULL};
    struct evict_group *g;

    if (!x) {
        return;
    }
    rule_walk_end(&x->walk);
    t->n_partial -= x->partial;
    while ((g = rcu_table_each(&x->groups, &pos))) {
        for (unsigned i = 0; i < g->n; i++) {
            g->heap[i].rule->evict_group = NULL;
        }
        free(g->heap);
        free(g);
    }
    rcu_table_destroy(&x->groups);
    free(x->by_size);
    free(x);
    t->t[table_id].evict = NULL;
}

bool
oftable_evict_prepare(struct oftxn *txn, uint8_t table_id, struct slice *slice)
{
    struct oftables *t = txn->tables;
    struct evict_index *x = t->t[table_id].evict;
    struct rule *r;

    if (!x) {
        struct flow_select sel;

        x = t->t[table_id].evict = xzalloc(sizeof *x);
        x->config = &t->t[table_id].config;
        rcu_table_init(&x->groups);
        x->partial = true;
        t->n_partial++;
        flow_select_init(&sel);
        sel.table_id = table_id;
        rule_walk_begin(&x->walk, t, &sel, -1, true, txn->version);
    }
    while (x->partial) {
        r = rule_walk_next(&x->walk, slice);
        if (r) {
            index_add(x, r);
        } else if (x->walk.done) {
            rule_walk_end(&x->walk);
            x->partial = false;
            t->n_partial--;
            break;
        }
        if (!r || slice_spent(slice)) {
            return false;
        }
    }
    return true;
}

void
oftables_evict_abandon(struct oftables *t)
{
    for (unsigned i = 0; t->n_partial && i < OFTABLES_MAX; i++) {
        if (t->t[i].evict && t->t[i].evict->partial) {
            oftable_evict_clear(t, (uint8_t) i);
        }
    }
}

struct rule *
oftable_victim(struct oftxn *txn, uint8_t table_id)
{
    struct oftable *table = &txn->tables->t[table_id];
    struct slice slice = SLICE_ENDLESS;
    struct evict_group *g;

    oftable_evict_prepare(txn, table_id, &slice);
    if (!table->evict->largest) {
        return NULL;
    }
    g = cds_list_first_entry(&table->evict->by_size[table->evict->largest], struct evict_group,
                             node);
    for (;;) { /* ends: each round brings one rule up to date */
        struct evict_entry e = g->heap[0];
        int64_t expires_ms = rule_expires_ms(e.rule, NULL);

        if (expires_ms <= e.expires_ms) {
            return e.rule;
        }
        e.expires_ms = expires_ms;
        sift(g, 0, e);
    }
}

void
oftable_check_vacancy(struct oftables *t, uint8_t table_id)
{
    struct oftable *table = &t->t[table_id];
    const struct oftable_config *c = &table->config;
    uint32_t limit = MIN(c->flow_limit, OFTABLE_MAX_ENTRIES), n = MIN(table->n_rules, limit);
    unsigned vacant;

    if (!c->vacancy || !limit) {
        return;
    }
    vacant = (unsigned) ((uint64_t) (limit - n) * 100 / limit);
    if (!table->vacancy_is_low && vacant < c->vacancy_down) {
        table->vacancy_is_low = true;
    } else if (table->vacancy_is_low && vacant > c->vacancy_up) {
        table->vacancy_is_low = false;
    } else {
        return;
    }
    if (t->ops.table_status) {
        t->ops.table_status(table_id, table->vacancy_is_low ? VACANCY_DOWN : VACANCY_UP,
                            t->ops.aux);
    }
}
