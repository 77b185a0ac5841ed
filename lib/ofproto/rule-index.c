/* SPDX-License-Identifier: Apache-2.0 */
/* What finds rules other than by match: their cookie, the second in which they may expire, the
 * group or meter that they name, the cookie that they learn with.  Main thread. */

#include <stdlib.h>

#include "ofproto/tables-private.h"
#include "util/hash.h"
#include "util/xalloc.h"

static uint32_t
cookie_hash(uint64_t cookie)
{
    return (uint32_t) hash_mix64(0, cookie);
}

struct cookie_set *
cookie_find(const struct oftables *t, uint64_t cookie)
{
    struct rcu_table_pos pos = rcu_table_at(&t->cookies, cookie_hash(cookie));
    struct cookie_set *set;

    while ((set = rcu_table_next(&pos)) && set->cookie != cookie) {
    }
    return set;
}

static void
cookie_add(struct oftables *t, struct rule *r)
{
    struct cookie_set *set;

    if (!r->cookie) {
        return;
    }
    set = cookie_find(t, r->cookie);
    if (!set) {
        set = xzalloc(sizeof *set);
        set->cookie = r->cookie;
        CDS_INIT_LIST_HEAD(&set->rules);
        rcu_table_add(&t->cookies, cookie_hash(r->cookie), set);
    }
    cds_list_add_tail(&r->cookie_node, &set->rules);
    set->n++;
}

static void
cookie_remove(struct oftables *t, struct rule *r)
{
    struct cookie_set *set;

    if (!r->cookie) {
        return;
    }
    set = cookie_find(t, r->cookie);
    cds_list_del(&r->cookie_node);
    if (!--set->n) {
        rcu_table_remove(&t->cookies, cookie_hash(r->cookie), set);
        free(set);
    }
}

void
rule_index_expiry(struct oftables *t, struct rule *r)
{
    int64_t due = rule_expires_ms(r, NULL);

    if (r->expiry_node.next) {
        cds_list_del(&r->expiry_node);
        r->expiry_node.next = NULL;
        t->n_expirable--;
    }
    if (due != INT64_MAX) {
        int64_t s = MAX(due / 1000, t->expiry_s + 1);

        cds_list_add_tail(&r->expiry_node, &t->expiry[(uint64_t) s % EXPIRY_SLOTS]);
        t->n_expirable++;
    }
    if (!cls_rule_is_leaving(&r->cls)) {
        oftable_evict_remove(t, r);
        oftable_evict_add(t, r);
    }
}

struct learned *
learned_find(const struct oftables *t, const struct table_cookie *key)
{
    struct rcu_table_pos pos = rcu_table_at(&t->learned, table_cookie_hash(key));
    struct learned *e;

    while ((e = rcu_table_next(&pos)) && !table_cookie_equal(&e->key, key)) {
    }
    return e;
}

struct learners {
    struct oftables *tables;
    int by;
};

static void
count_learner(const struct of_act_learn *l, void *aux_)
{
    struct learners *aux = aux_;
    struct oftables *t = aux->tables;
    struct table_cookie key = {.cookie = l->cookie, .table_id = l->table};
    struct learned *e;

    learn_limit_watch(t, l, aux->by);
    if (!(l->flags & OF_LEARN_DELETE_LEARNED)) {
        return;
    }
    e = learned_find(t, &key);
    if (!e) {
        e = xzalloc(sizeof *e);
        e->key = key;
        rcu_table_add(&t->learned, table_cookie_hash(&key), e);
    }
    e->n += (unsigned) aux->by;
    if (!e->n) {
        rcu_table_remove(&t->learned, table_cookie_hash(&key), e);
        e->next = t->forgotten;
        t->forgotten = e;
    }
}

void
rule_index_add(struct oftables *t, struct rule *r)
{
    struct learners learners = {t, 1};

    cookie_add(t, r);
    learn_limit_count(t, r, 1);
    rule_index_expiry(t, r);
    rule_link_refs(t, r);
    acts_for_each_learn(rule_acts(r), r->acts_len, count_learner, &learners);
}

void
rule_index_remove(struct oftables *t, struct rule *r)
{
    struct learners learners = {t, -1};

    oftable_evict_remove(t, r);
    cookie_remove(t, r);
    if (r->expiry_node.next) {
        cds_list_del(&r->expiry_node);
        r->expiry_node.next = NULL;
        t->n_expirable--;
    }
    rule_unlink_refs(r);
    acts_for_each_learn(rule_acts(r), r->acts_len, count_learner, &learners);
    learn_limit_count(t, r, -1);
}

/* ---- By what they name ---- */

void
oftxn_refs_begin(struct oftxn *txn, void **all, uint32_t n)
{
    txn->refs = xzalloc(sizeof *txn->refs);
    txn->refs->all = all;
    txn->refs->n = n;
}

bool
oftxn_refs_remove(struct oftxn *txn, struct cds_list_head *rules,
                  enum of_flow_removed_reason reason, struct slice *slice)
{
    struct oftxn_refs *x = txn->refs;

    x->at = x->at ? x->at : rules->next;
    /* The list is as it was in the last slice: rules leave it when a transaction was shown. */
    while (x->at != rules) {
        struct rule *r = cds_list_entry(x->at, struct rule_ref, node)->rule;

        x->at = x->at->next;
        oftxn_remove_rule(txn, r, reason);
        if (slice_spent(slice)) {
            return false;
        }
    }
    x->at = NULL;
    return true;
}

void
oftxn_refs_end(struct oftxn *txn)
{
    if (txn->refs) {
        free(txn->refs->all);
        free(txn->refs);
        txn->refs = NULL;
    }
}
