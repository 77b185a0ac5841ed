/* SPDX-License-Identifier: Apache-2.0 */
/* Groups as objects, and all those of a bridge: references, statistics, lookup.  Translation
 * looks them up, keeps references and credits packets on any thread; all else is main's. */

#include "ofproto/groups.h"

#include <stdlib.h>

#include "ofproto/groups-private.h"
#include "os/clock.h"
#include "util/compiler.h"
#include "util/xalloc.h"

/* ---- Objects ---- */

struct group_counts *
group_counts_create(void)
{
    struct group_counts *c = xzalloc(sizeof *c);

    atomic_init(&c->refcnt, 1);
    return c;
}

struct group_counts *
group_counts_ref(struct group_counts *c)
{
    atomic_fetch_add_explicit(&c->refcnt, 1, memory_order_relaxed);
    return c;
}

static void
counts_unref(struct group_counts *c)
{
    if (c && atomic_fetch_sub_explicit(&c->refcnt, 1, memory_order_acq_rel) == 1) {
        free(c);
    }
}

struct group *
group_create(uint32_t id, enum of_group_type type, unsigned n_buckets)
{
    struct group *g = xzalloc(sizeof *g);

    g->id = id;
    g->type = type;
    g->created_ms = g->modified_ms = clock_now_ms();
    g->n_buckets = n_buckets;
    g->buckets = xcalloc(n_buckets + 1, sizeof *g->buckets);
    atomic_init(&g->removed, UINT64_MAX);
    atomic_init(&g->older, NULL);
    atomic_init(&g->refcnt, 1);
    CDS_INIT_LIST_HEAD(&g->rules);
    return g;
}

static void
group_free(struct group *g)
{
    for (unsigned i = 0; i < g->n_buckets; i++) {
        free((void *) (uintptr_t) g->buckets[i].acts);
        counts_unref(g->buckets[i].counts);
    }
    counts_unref(g->counts);
    free(g->buckets);
    free(g->fields);
    free(g);
}

struct group *
group_ref(const struct group *g_)
{
    struct group *g = (struct group *) (uintptr_t) g_;

    atomic_fetch_add_explicit(&g->refcnt, 1, memory_order_relaxed);
    return g;
}

void
group_unref(struct group *g)
{
    if (g && atomic_fetch_sub_explicit(&g->refcnt, 1, memory_order_acq_rel) == 1) {
        group_free(g);
    }
}

static void
group_unref_rcu(struct rcu_head *head)
{
    group_unref(CONTAINER_OF(head, struct group, rcu));
}

void
group_unref_later(struct group *g)
{
    call_rcu(&g->rcu, group_unref_rcu);
}

void
group_credit(const struct group *g, const struct group_bucket *b, uint64_t n_packets,
             uint64_t n_bytes)
{
    if (g) {
        atomic_fetch_add_explicit(&g->counts->n_packets, n_packets, memory_order_relaxed);
        atomic_fetch_add_explicit(&g->counts->n_bytes, n_bytes, memory_order_relaxed);
    }
    if (b) {
        atomic_fetch_add_explicit(&b->counts->n_packets, n_packets, memory_order_relaxed);
        atomic_fetch_add_explicit(&b->counts->n_bytes, n_bytes, memory_order_relaxed);
    }
}

/* ---- Lookup ---- */

const struct group *
group_lookup(const struct oftables *tables, uint64_t version, uint32_t id)
{
    const struct group *g = id_table_find(&tables->groups->by_id, id);

    while (g && (version < g->added ||
                 version >= atomic_load_explicit(&g->removed, memory_order_relaxed))) {
        g = group_older(g);
    }
    return g;
}

struct group *
groups_current(const struct groups *gs, uint32_t id)
{
    struct group *g = id_table_find(&gs->by_id, id);

    return g && !group_is_leaving(g) ? g : NULL;
}

struct group *
groups_find(const struct oftables *tables, uint32_t id)
{
    return groups_current(tables->groups, id);
}

/* ---- All of them ---- */

struct groups *
groups_create(void)
{
    struct groups *gs = xzalloc(sizeof *gs);

    id_table_init(&gs->by_id);
    gs->max = OFTABLES_MAX_GROUPS;
    CDS_INIT_LIST_HEAD(&gs->committed);
    CDS_INIT_LIST_HEAD(&gs->waiting);
    return gs;
}

void
groups_destroy(struct groups *gs)
{
    void **all;

    groups_bury_all(gs);
    all = id_table_sorted(&gs->by_id);
    for (uint32_t i = 0; i < id_table_count(&gs->by_id); i++) {
        struct group *g = all[i];

        group_let_go_of_rules(g);
        group_unref(g);
    }
    free(all);
    id_table_destroy(&gs->by_id);
    free(gs);
}

void
groups_for_each(struct oftables *tables, uint32_t id, bool (*cb)(const struct group *, void *),
                void *aux)
{
    struct groups *gs = tables->groups;
    uint64_t version = oftables_version(tables);
    const struct group *g;
    bool more = true;
    void **all;

    if (id != OFPG_ALL) {
        g = group_lookup(tables, version, id);
        if (g) {
            cb(g, aux);
        }
        return;
    }
    all = id_table_sorted(&gs->by_id);
    for (uint32_t i = 0; more && i < id_table_count(&gs->by_id); i++) {
        g = group_lookup(tables, version, ((const struct group *) all[i])->id);
        more = !g || cb(g, aux);
    }
    free(all);
}

unsigned
group_n_rules(const struct oftables *tables, const struct group *g_)
{
    struct group *g = (struct group *) (uintptr_t) g_;
    uint64_t version = oftables_version(tables);

    if (g->n_rules.version != version) {
        g->n_rules = (struct rule_count){.version = version};
        /* A transaction that is under way may have moved some to the group's next version. */
        for (const struct group *at = g; at; at = at->newer) {
            g->n_rules.n += rule_refs_count(&at->rules, version);
        }
    }
    return g->n_rules.n;
}

unsigned
groups_count(const struct oftables *tables)
{
    return tables->groups->n;
}
