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
    rcu_table_init(&t->cookies);
    rcu_table_init(&t->learned);
    rcu_table_init(&t->limits);
    t->groups = groups_create();
    t->meters = meters_create();
    return t;
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

struct rule_list
oftables_collect(struct oftables *t, const struct flow_select *sel, bool any_out)
{
    uint64_t version = t->txn ? t->txn->version : oftables_version(t);
    struct slice slice = SLICE_ENDLESS;
    struct rule_list list = {.n = 0};
    struct rule_walk walk;
    struct rule *r;

    rule_walk_begin(&walk, t, sel, -1, any_out, version);
    while ((r = rule_walk_next(&walk, &slice))) {
        rule_list_add(&list, r);
    }
    rule_walk_end(&walk);
    return list;
}

void
oftables_for_each(struct oftables *t, const struct flow_select *sel,
                  bool (*cb)(struct rule *, void *), void *aux)
{
    struct slice slice = SLICE_ENDLESS;
    struct rule_walk walk;
    struct rule *r;

    rule_walk_begin(&walk, t, sel, -1, false, oftables_version(t));
    while ((r = rule_walk_next(&walk, &slice)) && cb(r, aux)) {
    }
    rule_walk_end(&walk);
}

void
rule_totals_add(struct rule_totals *totals, const struct rule *r)
{
    struct rule_counts c = rule_get_counts(r);

    totals->n_packets += c.n_packets;
    totals->n_bytes += c.n_bytes;
    totals->n_flows++;
}

static bool
add_totals(struct rule *r, void *totals)
{
    rule_totals_add(totals, r);
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
        n += t->t[i].n_visible;
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
    bool changed = table->config.miss != c->miss;
    struct classifier *cls;

    cls = oftable_cls(t, table_id);
    if (c->vacancy && !table->config.vacancy) {
        table->vacancy_is_low = false;
    }
    if (!oftable_config_evicts(c) || c->n_groups != table->config.n_groups ||
        memcmp(c->groups, table->config.groups, sizeof c->groups)) {
        oftable_evict_clear(t, table_id);
    }
    table->config = *c;
    atomic_store_explicit(&table->miss, (uint8_t) c->miss, memory_order_relaxed);
    if (cls) {
        classifier_set_tries(cls, c->tries);
    }
    oftables_settle_table(t, table_id);
    if (changed && t->ops.changed) {
        t->ops.changed(t->ops.aux);
    }
}

struct oftable_stats
oftables_get_stats(const struct oftables *t, uint8_t table_id)
{
    const struct oftable *table = &t->t[table_id];

    return (struct oftable_stats){
        .active = table->n_visible,
        .max_entries = MIN(table->config.flow_limit, OFTABLE_MAX_ENTRIES),
        .n_lookup = atomic_load_explicit(&table->n_lookup, memory_order_relaxed),
        .n_matched = atomic_load_explicit(&table->n_matched, memory_order_relaxed),
    };
}

void
oftables_run_soon(struct oftables *t)
{
    if (t->ops.wake) {
        t->ops.wake(t->ops.aux);
    }
}

void
oftables_run(struct oftables *t)
{
    struct slice slice = t->ops.wake ? oftables_slice() : SLICE_ENDLESS;
    struct slice for_the_past = slice_of_us(OFTABLES_SLICE_US);

    oftables_run_own(t, &slice);
    oftables_run_queue(t, &slice);
    oftables_expire(t, &slice);
    oftables_bury(t, &for_the_past);
    groups_run(t);
    if (t->own.tell_idle && !oftables_is_busy(t)) {
        t->own.tell_idle = false;
        if (t->ops.idle) {
            t->ops.idle(t->ops.aux);
        }
    }
}
