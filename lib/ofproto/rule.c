/* SPDX-License-Identifier: Apache-2.0 */
/* Rules of OpenFlow tables: creation, references, statistics, text, and questions about their
 * actions.  Main creates them; the last reference may go on any thread. */

#include "ofproto/rule.h"

#include <inttypes.h>
#include <stdlib.h>

#include "ofproto/tables-private.h"
#include "os/clock.h"
#include "util/compiler.h"
#include "util/xalloc.h"

/* The conjunctions among the actions; NULL: none. */
static struct cls_conj_set *
conj_create(const struct of_act *acts, size_t len)
{
    struct cls_conj_set *set = NULL;
    unsigned n = 0;

    OF_ACT_FOR_EACH(a, acts, len)
    {
        n += a->type == OFA_CONJUNCTION;
    }
    if (!n) {
        return NULL;
    }
    set = xzalloc(sizeof *set + n * sizeof set->c[0]);
    OF_ACT_FOR_EACH(a, acts, len)
    {
        const struct of_act_conjunction *c = (const void *) a;

        if (a->type == OFA_CONJUNCTION) {
            set->c[set->n++] =
                (struct cls_conj){.id = c->id, .clause = c->clause, .n_clauses = c->n_clauses};
        }
    }
    return set;
}

struct rule *
rule_create(uint8_t table_id, const struct of_match *match, int priority,
            const struct of_act *acts, size_t acts_len)
{
    struct rule *r = xzalloc(sizeof *r + acts_len);

    cls_rule_init(&r->cls, &match->flow, &match->mask, priority, conj_create(acts, acts_len));
    r->table_id = table_id;
    r->created_ms = clock_now_ms();
    atomic_init(&r->modified_ms, r->created_ms);
    atomic_init(&r->refcnt, 1);
    r->stats = xzalloc(sizeof *r->stats);
    atomic_init(&r->stats->refcnt, 1);
    atomic_init(&r->stats->used_ms, r->created_ms);
    r->acts_len = (uint32_t) acts_len;
    if (acts_len) {
        memcpy(r->acts, acts, acts_len);
    }
    return r;
}

static void
stats_unref(struct rule_stats *stats)
{
    /* Release pairs with the acquire of whoever drops the last reference. */
    if (atomic_fetch_sub_explicit(&stats->refcnt, 1, memory_order_acq_rel) == 1) {
        free(stats);
    }
}

void
rule_share_stats(struct rule *r, const struct rule *old)
{
    atomic_fetch_add_explicit(&old->stats->refcnt, 1, memory_order_relaxed);
    stats_unref(r->stats);
    r->stats = old->stats;
}

struct rule *
rule_ref(struct rule *r)
{
    atomic_fetch_add_explicit(&r->refcnt, 1, memory_order_relaxed);
    return r;
}

void
rule_unref(struct rule *r)
{
    if (r && atomic_fetch_sub_explicit(&r->refcnt, 1, memory_order_acq_rel) == 1) {
        free((void *) r->cls.conj);
        cls_rule_destroy(&r->cls);
        stats_unref(r->stats);
        free(r->refs);
        free(r);
    }
}

static void
rule_unref_cb(struct rcu_head *head)
{
    rule_unref(CONTAINER_OF(head, struct rule, rcu));
}

void
rule_unref_later(struct rule *r)
{
    call_rcu(&r->rcu, rule_unref_cb);
}

void
rule_credit(struct rule *r, uint64_t n_packets, uint64_t n_bytes, int64_t used_ms)
{
    struct rule_stats *st = r->stats;
    int64_t old = atomic_load_explicit(&st->used_ms, memory_order_relaxed);

    atomic_fetch_add_explicit(&st->n_packets, n_packets, memory_order_relaxed);
    atomic_fetch_add_explicit(&st->n_bytes, n_bytes, memory_order_relaxed);
    /* Ends: each round that fails has seen the time grow. */
    while (n_packets && old < used_ms &&
           !atomic_compare_exchange_weak_explicit(&st->used_ms, &old, used_ms,
                                                  memory_order_relaxed, memory_order_relaxed)) {
    }
}

unsigned
rule_refs_count(const struct cds_list_head *refs, uint64_t version)
{
    const struct rule_ref *ref;
    unsigned n = 0;

    cds_list_for_each_entry(ref, refs, node)
    {
        n += cls_rule_visible(&ref->rule->cls, version);
    }
    return n;
}

struct rule_counts
rule_get_counts(const struct rule *r)
{
    return (struct rule_counts){
        .n_packets = atomic_load_explicit(&r->stats->n_packets, memory_order_relaxed),
        .n_bytes = atomic_load_explicit(&r->stats->n_bytes, memory_order_relaxed),
        .used_ms = atomic_load_explicit(&r->stats->used_ms, memory_order_relaxed),
    };
}

int64_t
rule_expires_ms(const struct rule *r, enum of_flow_removed_reason *reason)
{
    uint16_t idle = atomic_load_explicit(&r->idle_timeout, memory_order_relaxed);
    uint16_t hard = atomic_load_explicit(&r->hard_timeout, memory_order_relaxed);
    int64_t due = INT64_MAX;

    if (hard) {
        due = atomic_load_explicit(&r->modified_ms, memory_order_relaxed) + hard * 1000;
        if (reason) {
            *reason = OFPRR_HARD_TIMEOUT;
        }
    }
    if (idle) {
        int64_t t =
            atomic_load_explicit(&r->stats->used_ms, memory_order_relaxed) + idle * 1000;

        if (t < due) {
            due = t;
            if (reason) {
                *reason = OFPRR_IDLE_TIMEOUT;
            }
        }
    }
    return due;
}

void
rule_format(const struct rule *r, bool offload_stats, struct strbuf *s)
{
    struct rule_counts c = rule_get_counts(r);
    struct of_match match;

    if (r->table_id) {
        strbuf_putf(s, "table_id=%u, ", r->table_id);
    }
    strbuf_putf(s, "duration=%" PRId64 "s, n_packets=%" PRIu64 ", n_bytes=%" PRIu64 ", ",
                (clock_now_ms() - r->created_ms) / 1000, c.n_packets, c.n_bytes);
    if (offload_stats) {
        strbuf_puts(s, "n_offload_packets=0, n_offload_bytes=0, ");
    }
    cls_rule_get_match(&r->cls, &match.flow, &match.mask);
    of_match_format(&match, r->cls.priority, NULL, s);
    strbuf_puts(s, ",actions=");
    of_actions_format(rule_acts(r), r->acts_len, NULL, s);
    strbuf_putc(s, '\n');
}

/* ---- What actions name ---- */

bool
acts_for_each_ref(const struct of_act *acts, size_t len,
                  bool (*cb)(bool is_meter, uint32_t id, void *), void *aux)
{
    OF_ACT_FOR_EACH(a, acts, len)
    {
        const struct of_act_num *num = (const void *) a;
        const struct of_act_nest *nest = (const void *) a;

        if ((a->type == OFA_GROUP || a->type == OFA_METER) &&
            !cb(a->type == OFA_METER, (uint32_t) num->num, aux)) {
            return false;
        }
        if ((a->type == OFA_CLONE || a->type == OFA_WRITE_ACTIONS) &&
            !acts_for_each_ref(nest->list, of_act_nest_len(nest), cb, aux)) {
            return false;
        }
    }
    return true;
}

void
acts_for_each_learn(const struct of_act *acts, size_t len,
                    void (*cb)(const struct of_act_learn *, void *), void *aux)
{
    OF_ACT_FOR_EACH(a, acts, len)
    {
        const struct of_act_nest *nest = (const void *) a;

        if (a->type == OFA_LEARN) {
            cb((const void *) a, aux);
        } else if (a->type == OFA_CLONE || a->type == OFA_WRITE_ACTIONS) {
            acts_for_each_learn(nest->list, of_act_nest_len(nest), cb, aux);
        }
    }
}

static bool
count_ref(bool is_meter, uint32_t id, void *n)
{
    ++*(unsigned *) n;
    return true;
}

struct link {
    struct oftables *tables;
    struct rule *rule;
};

static bool
link_ref(bool is_meter, uint32_t id, void *link_)
{
    struct link *link = link_;
    struct rule *r = link->rule;
    struct group *g = is_meter ? NULL : groups_find(link->tables, id);
    struct meter *m = is_meter ? meters_find(link->tables, id) : NULL;
    struct rule_ref *ref = &r->refs[r->n_refs];

    if (g || m) {
        ref->rule = r;
        cds_list_add_tail(&ref->node, g ? &g->rules : &m->rules);
        r->n_refs++;
    }
    return true;
}

void
rule_link_refs(struct oftables *t, struct rule *r)
{
    struct link link = {t, r};
    unsigned n = 0;

    acts_for_each_ref(rule_acts(r), r->acts_len, count_ref, &n);
    if (n) {
        r->refs = xcalloc(n, sizeof *r->refs);
        acts_for_each_ref(rule_acts(r), r->acts_len, link_ref, &link);
    }
}

void
rule_unlink_refs(struct rule *r)
{
    for (unsigned i = 0; i < r->n_refs; i++) {
        cds_list_del(&r->refs[i].node);
    }
    r->n_refs = 0;
}
