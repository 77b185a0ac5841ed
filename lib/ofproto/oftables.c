/* SPDX-License-Identifier: Apache-2.0 */
/* The OpenFlow tables of a bridge as readers and questions see them: one classifier per table
 * in use.  Main changes them (oftxn.c); translation looks up under RCU. */

#include "ofproto/oftables.h"

#include <stdlib.h>

#include "ofproto/tables-private.h"
#include "os/clock.h"
#include "util/xalloc.h"

void
oftable_config_init(struct oftable_config *c)
{
    memset(c, 0, sizeof *c);
    c->flow_limit = UINT32_MAX;
    c->tries = CLS_TRIES_DEFAULT;
}

struct oftables *
oftables_create(const struct oftables_ops *ops)
{
    struct oftables *t = xzalloc(sizeof *t);

    if (ops) {
        t->ops = *ops;
    }
    atomic_init(&t->version, 1);
    for (unsigned i = 0; i < OFTABLES_MAX; i++) {
        oftable_config_init(&t->t[i].config);
    }
    for (unsigned i = 0; i < EXPIRY_SLOTS; i++) {
        CDS_INIT_LIST_HEAD(&t->expiry[i]);
    }
    t->expiry_s = clock_now_ms() / 1000;
    t->retired_tail = &t->retired;
    mutex_init(&t->queue_mutex);
    t->queue_tail = &t->queue_head;
    t->groups = groups_create();
    t->meters = meters_create();
    return t;
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
    return true;
}

void
oftables_destroy(struct oftables *t)
{
    struct learned *l;

    if (!t) {
        return;
    }
    rcu_barrier(); /* no batch of retired rules is about to call back */
    memset(&t->ops, 0, sizeof t->ops);
    oftables_queue_destroy(t);
    oftables_bury(t, SIZE_MAX);
    for (unsigned i = 0; i < OFTABLES_MAX; i++) {
        struct classifier *cls = oftable_cls(t, (uint8_t) i);

        if (cls) {
            classifier_for_each(cls, NULL, NULL, drop_rule, t);
            classifier_destroy(cls);
        }
        oftable_evict_clear(t, (uint8_t) i);
    }
    while ((l = t->forgotten)) {
        t->forgotten = l->next;
        free(l);
    }
    groups_destroy(t->groups);
    meters_destroy(t->meters);
    mutex_destroy(&t->queue_mutex);
    free(t);
}

struct classifier *
oftable_cls_create(struct oftables *t, uint8_t table_id)
{
    struct classifier *cls = oftable_cls(t, table_id);

    if (!cls) {
        cls = classifier_create();
        classifier_set_tries(cls, t->t[table_id].config.tries);
        /* Release: pairs with the acquire in oftables_lookup(). */
        atomic_store_explicit(&t->t[table_id].cls, cls, memory_order_release);
    }
    return cls;
}

/* ---- Readers ---- */

uint64_t
oftables_version(const struct oftables *t)
{
    /* Acquire: pairs with the release in oftxn_commit(). */
    return atomic_load_explicit(&t->version, memory_order_acquire);
}

struct rule *
oftables_lookup(const struct oftables *t, uint64_t version, uint8_t table_id,
                const struct flow *flow, struct flow *wc)
{
    const struct classifier *cls =
        table_id < OFTABLES_MAX
            ? atomic_load_explicit(&t->t[table_id].cls, memory_order_acquire)
            : NULL;
    const struct cls_rule *cr = cls ? classifier_lookup(cls, version, flow, wc) : NULL;

    return cr ? CONTAINER_OF(cr, struct rule, cls) : NULL;
}

enum oftable_miss
oftables_miss(const struct oftables *t, uint8_t table_id)
{
    return table_id < OFTABLES_MAX
               ? atomic_load_explicit(&t->t[table_id].miss, memory_order_relaxed)
               : OFTABLE_MISS_DEFAULT;
}

void
oftables_credit_table(struct oftables *t, uint8_t table_id, uint64_t n_packets, bool hit)
{
    if (table_id < OFTABLES_MAX) {
        struct oftable *table = &t->t[table_id];

        atomic_fetch_add_explicit(&table->n_lookup, n_packets, memory_order_relaxed);
        atomic_fetch_add_explicit(&table->n_matched, hit ? n_packets : 0, memory_order_relaxed);
    }
}

/* ---- Questions ---- */

void
flow_select_init(struct flow_select *sel)
{
    sel->table_id = OFTABLE_ALL;
    sel->out_port = OFPP_NONE;
    sel->out_group = OFPG_ANY;
    sel->cookie = sel->cookie_mask = 0;
    sel->above = false;
    of_match_init(&sel->match);
}

struct collect {
    const struct flow_select *sel;
    int priority; /* -1: any */
    bool any_out;
    struct rule_list list;
};

static bool
collect_rule(struct cls_rule *cr, void *c_)
{
    struct rule *r = CONTAINER_OF(cr, struct rule, cls);
    struct collect *c = c_;
    const struct flow_select *sel = c->sel;

    if (cls_rule_is_leaving(cr) || ((r->cookie ^ sel->cookie) & sel->cookie_mask) ||
        (r->hidden &&
         (cr->priority > UINT16_MAX ? !sel->above : sel->table_id != r->table_id)) ||
        (!c->any_out && sel->out_port != OFPP_NONE &&
         !of_actions_output_to_port(rule_acts(r), r->acts_len, sel->out_port)) ||
        (!c->any_out && sel->out_group != OFPG_ANY &&
         !of_actions_output_to_group(rule_acts(r), r->acts_len, sel->out_group))) {
        return true;
    }
    if (c->list.n == c->list.cap) {
        c->list.cap = c->list.cap ? c->list.cap * 2 : 4;
        c->list.rules = xrealloc(c->list.rules, c->list.cap * sizeof *c->list.rules);
    }
    c->list.rules[c->list.n++] = r;
    return true;
}

static void
collect_table(struct oftables *t, uint8_t table_id, struct collect *c)
{
    struct classifier *cls = oftable_cls(t, table_id);
    const struct of_match *m = &c->sel->match;

    if (!cls) {
        return;
    }
    if (c->priority >= 0) {
        struct cls_rule *cr = classifier_find_exact(cls, &m->flow, &m->mask, c->priority);

        if (cr) {
            collect_rule(cr, c);
        }
    } else {
        bool any = of_match_is_any(m);

        classifier_for_each(cls, any ? NULL : &m->flow, any ? NULL : &m->mask, collect_rule, c);
    }
}

struct rule_list
oftables_collect(struct oftables *t, const struct flow_select *sel, int priority, bool any_out)
{
    struct collect c = {.sel = sel, .priority = priority, .any_out = any_out};

    if (priority < 0 && sel->cookie_mask == UINT64_MAX && sel->cookie) {
        struct cookie_set *set = cookie_find(t, sel->cookie);
        struct rule *r;

        if (set) {
            cds_list_for_each_entry(r, &set->rules, cookie_node)
            {
                if ((sel->table_id == OFTABLE_ALL || sel->table_id == r->table_id) &&
                    cls_rule_is_within(&r->cls, &sel->match.flow, &sel->match.mask)) {
                    collect_rule(&r->cls, &c);
                }
            }
        }
    } else if (sel->table_id != OFTABLE_ALL) {
        collect_table(t, sel->table_id, &c);
    } else {
        for (unsigned i = 0; i < OFTABLES_MAX; i++) {
            collect_table(t, (uint8_t) i, &c);
        }
    }
    return c.list;
}

void
oftables_for_each(struct oftables *t, const struct flow_select *sel,
                  bool (*cb)(struct rule *, void *), void *aux)
{
    struct rule_list list = oftables_collect(t, sel, -1, false);

    for (size_t i = 0; i < list.n && cb(list.rules[i], aux); i++) {
    }
    free(list.rules);
}

static bool
add_totals(struct rule *r, void *totals_)
{
    struct rule_totals *totals = totals_;
    struct rule_counts c = rule_get_counts(r);

    totals->n_packets += c.n_packets;
    totals->n_bytes += c.n_bytes;
    totals->n_flows++;
    return true;
}

struct rule_totals
oftables_aggregate(struct oftables *t, const struct flow_select *sel)
{
    struct rule_totals totals = {0};

    oftables_for_each(t, sel, add_totals, &totals);
    return totals;
}

struct rule *
oftables_find(struct oftables *t, uint8_t table_id, const struct of_match *m, int priority)
{
    struct classifier *cls = table_id < OFTABLES_MAX ? oftable_cls(t, table_id) : NULL;
    struct cls_rule *cr = cls ? classifier_find_exact(cls, &m->flow, &m->mask, priority) : NULL;

    return cr ? CONTAINER_OF(cr, struct rule, cls) : NULL;
}

unsigned
oftables_count(const struct oftables *t)
{
    unsigned n = 0;

    for (unsigned i = 0; i < OFTABLES_MAX; i++) {
        n += t->t[i].n_rules;
    }
    return n;
}

/* ---- Tables ---- */

const struct oftable_config *
oftables_get_config(const struct oftables *t, uint8_t table_id)
{
    return &t->t[table_id].config;
}

void
oftables_set_config(struct oftables *t, uint8_t table_id, const struct oftable_config *c)
{
    struct oftable *table = &t->t[table_id];
    struct classifier *cls = oftable_cls(t, table_id);
    bool changed = table->config.miss != c->miss;

    if (c->vacancy && !table->config.vacancy) {
        table->vacancy_is_low = false;
    }
    oftable_evict_clear(t, table_id);
    table->config = *c;
    atomic_store_explicit(&table->miss, (uint8_t) c->miss, memory_order_relaxed);
    if (cls) {
        classifier_set_tries(cls, c->tries);
    }
    if (c->evict && table->n_rules > c->flow_limit) {
        struct oftxn *txn = oftxn_begin(t, NULL);
        struct rule *victim;

        while (table->n_rules > c->flow_limit && (victim = oftable_victim(t, table_id))) {
            oftxn_remove_rule(txn, victim, OFPRR_EVICTION);
        }
        oftxn_commit(txn);
    }
    oftable_check_vacancy(t, table_id);
    if (changed && t->ops.changed) {
        t->ops.changed(t->ops.aux);
    }
}

struct oftable_stats
oftables_get_stats(const struct oftables *t, uint8_t table_id)
{
    const struct oftable *table = &t->t[table_id];

    return (struct oftable_stats){
        .active = table->n_rules,
        .max_entries = MIN(table->config.flow_limit, OFTABLE_MAX_ENTRIES),
        .n_lookup = atomic_load_explicit(&table->n_lookup, memory_order_relaxed),
        .n_matched = atomic_load_explicit(&table->n_matched, memory_order_relaxed),
    };
}

void
oftables_run(struct oftables *t)
{
    oftables_run_queue(t);
    oftables_expire(t);
    oftables_bury(t, 50000);
    groups_run(t);
}
