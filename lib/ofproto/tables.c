/* SPDX-License-Identifier: Apache-2.0 */
/* OpenFlow tables: one classifier per table in use.  Main inserts and removes; translation
 * looks up under RCU, and megaflows keep references to the rules that they credit.  It knows
 * nothing of what actions mean. */

#include "ofproto/tables.h"

#include <inttypes.h>
#include <stdlib.h>

#include "os/clock.h"
#include "util/compiler.h"
#include "util/xalloc.h"

struct oftables {
    struct classifier *cls[OFTABLES_MAX]; /* RCU; NULL while a table was never used */
};

struct rule *
rule_create(uint8_t table_id, const struct flow *match, const struct flow *mask, int priority,
            const struct of_action *actions, unsigned n_actions)
{
    struct rule *r = xzalloc(sizeof *r + n_actions * sizeof r->actions[0]);

    cls_rule_init(&r->cls, match, mask, priority, NULL);
    r->table_id = table_id;
    r->created_ms = clock_now_ms();
    atomic_init(&r->refcnt, 1);
    r->n_actions = n_actions;
    for (unsigned i = 0; i < n_actions; i++) {
        r->actions[i] = actions[i];
    }
    return r;
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
    /* Release pairs with the acquire of whoever drops the last reference. */
    if (r && atomic_fetch_sub_explicit(&r->refcnt, 1, memory_order_acq_rel) == 1) {
        cls_rule_destroy(&r->cls);
        free(r);
    }
}

static void
rule_unref_cb(struct rcu_head *head)
{
    rule_unref(CONTAINER_OF(head, struct rule, rcu));
}

void
rule_credit(struct rule *r, uint64_t n_packets, uint64_t n_bytes)
{
    atomic_fetch_add_explicit(&r->n_packets, n_packets, memory_order_relaxed);
    atomic_fetch_add_explicit(&r->n_bytes, n_bytes, memory_order_relaxed);
}

void
rule_format(const struct rule *r, bool offload_stats, struct strbuf *s)
{
    if (r->table_id) {
        strbuf_putf(s, "table_id=%u, ", r->table_id);
    }
    strbuf_putf(s, "duration=%" PRId64 "s, n_packets=%" PRIu64 ", n_bytes=%" PRIu64 ", ",
                (clock_now_ms() - r->created_ms) / 1000,
                atomic_load_explicit(&r->n_packets, memory_order_relaxed),
                atomic_load_explicit(&r->n_bytes, memory_order_relaxed));
    if (offload_stats) {
        strbuf_puts(s, "n_offload_packets=0, n_offload_bytes=0, ");
    }
    strbuf_putf(s, "priority=%d,actions=", r->cls.priority);
    for (unsigned i = 0; i < r->n_actions; i++) {
        switch (r->actions[i].type) {
        case OF_ACTION_NORMAL:
            strbuf_puts(s, i ? ",NORMAL" : "NORMAL");
            break;
        }
    }
    strbuf_puts(s, r->n_actions ? "\n" : "drop\n");
}

struct oftables *
oftables_create(void)
{
    return xzalloc(sizeof(struct oftables));
}

struct rule_list {
    struct rule **rules;
    size_t n;
};

static bool
collect_rule(struct cls_rule *cr, void *list_)
{
    struct rule_list *list = list_;

    list->rules[list->n++] = CONTAINER_OF(cr, struct rule, cls);
    return true;
}

static int
compare_priority(const void *a_, const void *b_)
{
    const struct rule *a = *(struct rule *const *) a_;
    const struct rule *b = *(struct rule *const *) b_;

    return (a->cls.priority < b->cls.priority) - (a->cls.priority > b->cls.priority);
}

static struct rule_list
rules_of(struct classifier *cls)
{
    struct rule_list list = {NULL, 0};
    unsigned n = cls ? classifier_count(cls) : 0;

    if (n) {
        list.rules = xcalloc(n, sizeof *list.rules);
        classifier_for_each(cls, NULL, NULL, collect_rule, &list);
        qsort(list.rules, list.n, sizeof *list.rules, compare_priority);
    }
    return list;
}

void
oftables_destroy(struct oftables *t)
{
    if (!t) {
        return;
    }
    for (unsigned i = 0; i < OFTABLES_MAX; i++) {
        struct rule_list list = rules_of(t->cls[i]);

        for (size_t j = 0; j < list.n; j++) {
            oftables_remove(t, list.rules[j]);
        }
        free(list.rules);
        if (t->cls[i]) {
            classifier_destroy(t->cls[i]);
        }
    }
    free(t);
}

void
oftables_insert(struct oftables *t, struct rule *r)
{
    struct classifier *cls = t->cls[r->table_id];
    struct cls_rule *replaced;
    struct flow match, mask;

    cls_rule_get_match(&r->cls, &match, &mask);
    if (!cls) {
        cls = classifier_create();
        rcu_assign_pointer(t->cls[r->table_id], cls);
    }
    replaced = classifier_find_exact(cls, &match, &mask, r->cls.priority);
    classifier_insert(cls, &r->cls, 1);
    classifier_publish(cls);
    if (replaced) {
        oftables_remove(t, CONTAINER_OF(replaced, struct rule, cls));
    }
}

void
oftables_remove(struct oftables *t, struct rule *r)
{
    classifier_remove(t->cls[r->table_id], &r->cls);
    classifier_publish(t->cls[r->table_id]);
    call_rcu(&r->rcu, rule_unref_cb);
}

struct rule *
oftables_lookup(const struct oftables *t, uint8_t table_id, const struct flow *flow,
                struct flow *wc)
{
    const struct classifier *cls =
        table_id < OFTABLES_MAX ? rcu_dereference(t->cls[table_id]) : NULL;
    const struct cls_rule *cr = cls ? classifier_lookup(cls, 1, flow, wc) : NULL;

    return cr ? CONTAINER_OF(cr, struct rule, cls) : NULL;
}

void
oftables_for_each(const struct oftables *t, void (*cb)(struct rule *, void *), void *aux)
{
    for (unsigned i = 0; i < OFTABLES_MAX; i++) {
        struct rule_list list = rules_of(rcu_dereference(t->cls[i]));

        for (size_t j = 0; j < list.n; j++) {
            cb(list.rules[j], aux);
        }
        free(list.rules);
    }
}

unsigned
oftables_count(const struct oftables *t)
{
    unsigned n = 0;

    for (unsigned i = 0; i < OFTABLES_MAX; i++) {
        const struct classifier *cls = rcu_dereference(t->cls[i]);

        n += cls ? classifier_count(cls) : 0;
    }
    return n;
}
