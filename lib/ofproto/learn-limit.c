/* SPDX-License-Identifier: Apache-2.0 */
/* How many rules of a table have the cookie that a learn action with a limit gives: what
 * translation asks before it learns.  Main counts while rules come and go; translation adds
 * what it has queued for main, so that a limit holds among packets that follow close on each
 * other.
 *
 * Counts are kept while a rule has such an action, or a packet-out is under way with one;
 * elsewhere (buckets of groups) the limit is found out by main alone, behind the packet. */

#include <stdlib.h>

#include "ofproto/tables-private.h"
#include "util/xalloc.h"

struct learn_limit {
    struct table_cookie key;
    unsigned refs;            /* main: who watches it */
    uint32_t n_rules;         /* in the table */
    struct learn_wait *waits; /* queued, not in the table yet */
};

/* Changed by main under queue_mutex: main may look without it, the others with. */
static struct learn_limit *
limit_find(const struct oftables *t, uint64_t cookie, uint8_t table_id)
{
    const struct table_cookie key = {.cookie = cookie, .table_id = table_id};
    struct rcu_table_pos pos = rcu_table_at(&t->limits, table_cookie_hash(&key));
    struct learn_limit *l;

    while ((l = rcu_table_next(&pos)) && !table_cookie_equal(&l->key, &key)) {
    }
    return l;
}

/* Rules that rule_index_remove() will be called for. */
static uint32_t
count_rules(struct oftables *t, const struct table_cookie *key)
{
    struct flow_select sel;
    struct rule_list list;
    size_t n;

    flow_select_init(&sel);
    sel.table_id = (uint8_t) key->table_id;
    sel.cookie = key->cookie;
    sel.cookie_mask = UINT64_MAX;
    list = oftables_collect(t, &sel, true);
    free(list.rules);
    n = list.n;
    for (size_t i = 0; t->txn && i < t->txn->n; i++) {
        const struct rule *old = t->txn->u[i].old;

        n += old && old->cookie == key->cookie && old->table_id == key->table_id;
    }
    return (uint32_t) n;
}

void
learn_limit_watch(struct oftables *t, const struct of_act_learn *a, int by)
{
    struct learn_limit *l;

    if (!a->limit || a->table >= OFTABLES_MAX) {
        return;
    }
    l = limit_find(t, a->cookie, a->table);
    if (!l && by > 0) {
        l = xzalloc(sizeof *l);
        l->key = (struct table_cookie){.cookie = a->cookie, .table_id = a->table};
        l->n_rules = count_rules(t, &l->key);
        mutex_lock(&t->queue_mutex);
        rcu_table_add(&t->limits, table_cookie_hash(&l->key), l);
        mutex_unlock(&t->queue_mutex);
    }
    if (l) {
        l->refs += (unsigned) by;
        if (!l->refs) {
            mutex_lock(&t->queue_mutex);
            rcu_table_remove(&t->limits, table_cookie_hash(&l->key), l);
            while (l->waits) {
                l->waits->linked = false;
                l->waits = l->waits->next;
            }
            mutex_unlock(&t->queue_mutex);
            free(l);
        }
    }
}

struct watch {
    struct oftables *tables;
    int by;
};

static void
watch_one(const struct of_act_learn *a, void *w_)
{
    const struct watch *w = w_;

    if (a->limit && w->by > 0) {
        struct slice slice = SLICE_ENDLESS;

        oftables_run_queue(w->tables, &slice); /* what the list before it learned is there */
    }
    learn_limit_watch(w->tables, a, w->by);
}

void
oftables_watch_limits(struct oftables *t, const struct of_act *acts, size_t len, bool on)
{
    struct watch w = {t, on ? 1 : -1};

    acts_for_each_learn(acts, len, watch_one, &w);
}

void
learn_limit_count(struct oftables *t, const struct rule *r, int by)
{
    struct learn_limit *l = t->limits.n ? limit_find(t, r->cookie, r->table_id) : NULL;

    if (l) {
        mutex_lock(&t->queue_mutex);
        l->n_rules += (uint32_t) by;
        mutex_unlock(&t->queue_mutex);
    }
}

uint32_t
learn_limit_rules(struct oftables *t, const struct of_flow_mod *fm)
{
    const struct table_cookie key = {.cookie = fm->new_cookie, .table_id = fm->table_id};
    const struct learn_limit *l = limit_find(t, fm->new_cookie, fm->table_id);

    return l ? l->n_rules : count_rules(t, &key);
}

bool
learn_limit_reached__(const struct oftables *t, const struct of_flow_mod *fm, uint32_t limit)
{
    const struct learn_limit *l = limit_find(t, fm->new_cookie, fm->table_id);
    uint32_t n = l ? l->n_rules : 0;

    for (const struct learn_wait *w = l ? l->waits : NULL; w && n < limit; w = w->next) {
        if (w->fm->priority == fm->priority && of_match_equal(&w->fm->match, &fm->match)) {
            return false; /* the very rule is as good as there */
        }
        n++;
    }
    return l && n >= limit;
}

void
learn_limit_wait__(struct oftables *t, struct learn_wait *w)
{
    struct learn_limit *l = limit_find(t, w->fm->new_cookie, w->fm->table_id);

    w->linked = l != NULL;
    if (l) {
        w->next = l->waits;
        l->waits = w;
    }
}

void
learn_limit_done(struct oftables *t, struct learn_wait *w)
{
    struct learn_limit *l;

    if (!w->linked) {
        return; /* only main takes it off the list once it has it */
    }
    l = limit_find(t, w->fm->new_cookie, w->fm->table_id);
    mutex_lock(&t->queue_mutex);
    for (struct learn_wait **p = &l->waits; *p; p = &(*p)->next) {
        if (*p == w) {
            *p = w->next;
            break;
        }
    }
    mutex_unlock(&t->queue_mutex);
    w->linked = false;
}
