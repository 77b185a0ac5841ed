/* SPDX-License-Identifier: Apache-2.0 */
/* The classifier: which tuples there are, in which order readers look at them, and the lookup.
 * The OpenFlow tables insert and remove on the main thread; every thread that translates looks
 * up.  It knows rules only as matches.
 *
 *   classifier -> order [ tuple | tuple | ... ]      replaced as a whole, freed by call_rcu
 *              -> tries [ ip_dst | ip_src | ... ]    likewise, when the choice of fields
 * changes
 */

#include <stdlib.h>

#include "flow/classifier-private.h"
#include "util/xalloc.h"

#define TRIE_DESC(M, SECTION, STAGE)                                                           \
    {                                                                                          \
        .ofs = offsetof(struct flow, M), .n_bytes = sizeof(((struct flow *) NULL)->M),         \
        .section = (SECTION), .stage = (STAGE)                                                 \
    }
const struct cls_trie_desc cls_trie_descs[CLS_N_TRIES] = {
    [CLS_TRIE_IPV4_DST] = TRIE_DESC(ipv4.dst_be, FS_IPV4, CLS_STAGE_L3),
    [CLS_TRIE_IPV4_SRC] = TRIE_DESC(ipv4.src_be, FS_IPV4, CLS_STAGE_L3),
    [CLS_TRIE_IPV6_DST] = TRIE_DESC(ipv6.dst, FS_IPV6, CLS_STAGE_L3),
    [CLS_TRIE_IPV6_SRC] = TRIE_DESC(ipv6.src, FS_IPV6, CLS_STAGE_L3),
    [CLS_TRIE_METADATA] = TRIE_DESC(regs.metadata_be, FS_REGS, CLS_STAGE_META),
    [CLS_TRIE_TUN_ID] = TRIE_DESC(regs.tun_id_be, FS_REGS, CLS_STAGE_META),
};

static void
free_order(struct rcu_head *head)
{
    free(CONTAINER_OF(head, struct cls_order, rcu));
}

static void
free_tuple(struct rcu_head *head)
{
    cls_tuple_free(CONTAINER_OF(head, struct cls_tuple, rcu));
}

static void
free_tries(struct rcu_head *head)
{
    struct cls_tries *tries = CONTAINER_OF(head, struct cls_tries, rcu);

    for (unsigned f = 0; f < CLS_N_TRIES; f++) {
        cls_trie_destroy(&tries->trie[f]);
    }
    free(tries);
}

/* Writer's loads: nobody else stores. */
static struct cls_order *
own_order(const struct classifier *cls)
{
    return atomic_load_explicit(&cls->order, memory_order_relaxed);
}

static struct cls_tries *
own_tries(const struct classifier *cls)
{
    return atomic_load_explicit(&cls->tries, memory_order_relaxed);
}

static struct cls_tries *
tries_create(unsigned fields)
{
    struct cls_tries *tries = xzalloc(sizeof *tries);

    tries->fields = fields;
    for (unsigned f = 0; f < CLS_N_TRIES; f++) {
        cls_trie_init(&tries->trie[f], cls_trie_descs[f].n_bytes);
    }
    return tries;
}

struct classifier *
classifier_create(void)
{
    struct classifier *cls = xzalloc(sizeof *cls);

    atomic_init(&cls->order, xzalloc(sizeof(struct cls_order)));
    atomic_init(&cls->tries, tries_create(CLS_TRIES_DEFAULT));
    return cls;
}

void
classifier_destroy(struct classifier *cls)
{
    if (!cls) {
        return;
    }
    HASH_CLEAR(hh, cls->tuples);
    for (unsigned i = 0; i < cls->n_own; i++) {
        cls_tuple_free(cls->own[i]);
    }
    free(cls->own);
    free_tries(&own_tries(cls)->rcu);
    free(own_order(cls));
    free(cls);
}

/* ---- Writer ---- */

/* The rule's prefixes, into tries or out of them. */
static void
change_tries(struct cls_tries *tries, const struct cls_rule *r, bool add)
{
    const struct cls_tuple *t = r->tuple;
    struct flow match, mask;
    bool filled = false;

    for (unsigned f = 0; f < CLS_N_TRIES; f++) {
        if (!(tries->fields >> f & 1) || !t->plen[f]) {
            continue;
        }
        if (!filled) {
            cls_rule_get_match(r, &match, &mask);
            filled = true;
        }
        if (add) {
            cls_trie_insert(&tries->trie[f], cls_trie_key(&match, f), t->plen[f]);
        } else {
            cls_trie_remove(&tries->trie[f], cls_trie_key(&match, f), t->plen[f]);
        }
    }
}

void
classifier_set_tries(struct classifier *cls, unsigned fields)
{
    struct cls_tries *old = own_tries(cls), *tries;

    if (fields == old->fields) {
        return;
    }
    tries = tries_create(fields);
    for (unsigned i = 0; i < cls->n_own; i++) {
        struct cls_rule *r;

        cds_list_for_each_entry(r, &cls->own[i]->rules, node)
        {
            change_tries(tries, r, true);
        }
    }
    /* Release: pairs with the acquire in the lookup. */
    atomic_store_explicit(&cls->tries, tries, memory_order_release);
    call_rcu(&old->rcu, free_tries);
}

static struct cls_tuple *
tuple_find(const struct classifier *cls, const struct cls_mask *m)
{
    struct cls_tuple *t;

    HASH_FIND(hh, cls->tuples, &m->n, cls_mask_id_len(m), t);
    return t;
}

/* The tuple's highest priority may have changed. */
static void
tuple_changed(struct classifier *cls, const struct cls_tuple *t)
{
    if (cls_tuple_max_priority(t) != t->order_priority) {
        cls->dirty = true;
    }
}

void
classifier_insert(struct classifier *cls, struct cls_rule *r, uint64_t version)
{
    struct cls_tuple *t = tuple_find(cls, r->mask);

    r->added = version;
    atomic_store_explicit(&r->removed, CLS_VERSION_NEVER, memory_order_relaxed);
    if (!t) {
        t = cls_tuple_create(r->mask);
        HASH_ADD_KEYPTR(hh, cls->tuples, &t->mask->n, (unsigned) cls_mask_id_len(t->mask), t);
        if (cls->n_own == cls->cap_own) {
            cls->cap_own = cls->cap_own ? cls->cap_own * 2 : 8;
            cls->own = xrealloc(cls->own, cls->cap_own * sizeof *cls->own);
        }
        cls->own[cls->n_own++] = t;
        atomic_fetch_add_explicit(&t->mask->refcnt, 1, memory_order_relaxed);
    } else if (r->mask != t->mask) {
        cls_mask_unref(r->mask);
        r->mask = t->mask;
        atomic_fetch_add_explicit(&t->mask->refcnt, 1, memory_order_relaxed);
    }
    r->tuple = t;
    change_tries(own_tries(cls), r, true);
    cls_tuple_insert(t, r);
    tuple_changed(cls, t);
    cls->n_rules++;
}

void
classifier_remove(struct classifier *cls, struct cls_rule *r)
{
    struct cls_tuple *t = r->tuple;

    change_tries(own_tries(cls), r, false);
    cls_tuple_remove(t, r);
    tuple_changed(cls, t);
    cls->n_rules--;
}

static bool
goes_before(const struct cls_tuple *a, const struct cls_tuple *b)
{
    return a->order_priority != b->order_priority ? a->order_priority > b->order_priority
                                                  : a->order_seq < b->order_seq;
}

static int
compare_order(const void *a_, const void *b_)
{
    const struct cls_tuple *a = *(struct cls_tuple *const *) a_;
    const struct cls_tuple *b = *(struct cls_tuple *const *) b_;

    return goes_before(a, b) ? -1 : goes_before(b, a);
}

/* Brings the writer's order up to date; tuples without rules are put on a list. */
static struct cls_tuple **
order_update(struct classifier *cls, unsigned *n_dead)
{
    struct cls_tuple **dead = NULL;
    unsigned n = 0, n_moved = 0;

    *n_dead = 0;
    for (unsigned i = 0; i < cls->n_own; i++) {
        struct cls_tuple *t = cls->own[i];
        int priority = cls_tuple_max_priority(t);

        if (!t->n_rules) {
            dead = dead ? dead : xcalloc(cls->n_own - i, sizeof *dead);
            dead[(*n_dead)++] = t;
            continue;
        }
        if (t->order_priority != priority) {
            t->order_priority = priority;
            t->order_seq = ++cls->last_seq;
            n_moved++;
        }
        cls->own[n++] = t;
    }
    cls->n_own = n;
    if (n_moved > 8) {
        qsort(cls->own, n, sizeof *cls->own, compare_order);
        return dead;
    }
    /* Nearly sorted already. */
    for (unsigned i = 1; i < n; i++) {
        struct cls_tuple *t = cls->own[i];
        unsigned j = i;

        for (; j > 0 && goes_before(t, cls->own[j - 1]); j--) {
            cls->own[j] = cls->own[j - 1];
        }
        cls->own[j] = t;
    }
    return dead;
}

void
classifier_publish(struct classifier *cls)
{
    struct cls_order *old = own_order(cls), *order;
    struct cls_tuple **dead;
    unsigned n_dead;

    if (!cls->dirty) {
        return;
    }
    cls->dirty = false;
    dead = order_update(cls, &n_dead);
    order = xmalloc(sizeof *order + cls->n_own * sizeof order->e[0]);
    order->n = cls->n_own;
    for (unsigned i = 0; i < cls->n_own; i++) {
        order->e[i].tuple = cls->own[i];
        order->e[i].max_priority = cls->own[i]->order_priority;
    }
    /* Release: pairs with the acquire in the lookup. */
    atomic_store_explicit(&cls->order, order, memory_order_release);
    call_rcu(&old->rcu, free_order);
    for (unsigned i = 0; i < n_dead; i++) {
        HASH_DEL(cls->tuples, dead[i]);
        call_rcu(&dead[i]->rcu, free_tuple);
    }
    free(dead);
}

struct cls_rule *
classifier_find_exact(const struct classifier *cls, const struct flow *match,
                      const struct flow *mask, int priority)
{
    struct cls_tuple *t;
    struct cls_rule key, *r;

    cls_rule_init(&key, match, mask, priority, NULL);
    t = tuple_find(cls, key.mask);
    r = t ? cls_tuple_find(t, key.w, key.hash) : NULL;
    r = r ? cls_chain_find(t, r, priority) : NULL;
    cls_rule_destroy(&key);
    /* Of one priority all are leaving but the newest. */
    return r && !cls_rule_is_leaving(r) ? r : NULL;
}

/* A rule by the words of struct flow. */
struct spread {
    uint64_t match[FLOW_WORDS], mask[FLOW_WORDS];
    int priority;
};

/* Can a packet match both? */
static bool
overlaps(const struct spread *a, const struct cls_rule *b)
{
    for (unsigned i = 0; i < b->mask->n; i++) {
        unsigned w = b->mask->idx[i];

        if ((a->match[w] ^ b->w[i]) & a->mask[w] & b->mask->m[i]) {
            return false;
        }
    }
    return true;
}

/* In a tuple that looks at nothing that `a` does not look at, only one match can overlap. */
static struct cls_rule *
overlap_by_hash(struct cls_tuple *t, const struct spread *a)
{
    uint64_t w[FLOW_WORDS + 1];
    struct cls_rule *r;

    for (unsigned i = 0; i < t->mask->n; i++) {
        w[i] = a->match[t->mask->idx[i]] & t->mask->m[i];
    }
    r = cls_tuple_find(t, w, (uint32_t) cls_hash_words(0, w, 0, t->mask->n));
    r = r ? cls_chain_find(t, r, a->priority) : NULL;
    return r && !cls_rule_is_leaving(r) ? r : NULL;
}

static struct cls_rule *
overlap_in_tuple(struct cls_tuple *t, const struct spread *a)
{
    bool looks_at_more = false;
    struct cls_rule *r;

    for (unsigned i = 0; i < t->mask->n; i++) {
        looks_at_more |= t->mask->m[i] & ~a->mask[t->mask->idx[i]];
    }
    if (!looks_at_more) {
        return overlap_by_hash(t, a);
    }
    cds_list_for_each_entry(r, &t->rules, node)
    {
        cls_chain_steps++;
        if (r->priority == a->priority && !cls_rule_is_leaving(r) && overlaps(a, r)) {
            return r;
        }
    }
    return NULL;
}

struct cls_rule *
classifier_find_overlap(const struct classifier *cls, const struct cls_rule *rule)
{
    struct spread a = {.priority = rule->priority};
    struct cls_rule *r = NULL;

    for (unsigned i = 0; i < rule->mask->n; i++) {
        a.match[rule->mask->idx[i]] = rule->w[i];
        a.mask[rule->mask->idx[i]] = rule->mask->m[i];
    }
    for (unsigned i = 0; i < cls->n_own && !r; i++) {
        if (cls_tuple_has_priority(cls->own[i], rule->priority)) {
            r = overlap_in_tuple(cls->own[i], &a);
        }
    }
    return r;
}

unsigned
classifier_count(const struct classifier *cls)
{
    return cls->n_rules;
}

void
classifier_for_each(struct classifier *cls, const struct flow *match, const struct flow *mask,
                    bool (*cb)(struct cls_rule *, void *), void *aux)
{
    classifier_publish(cls); /* the order of falling priorities */
    for (unsigned i = 0; i < cls->n_own; i++) {
        struct cls_tuple *t = cls->own[i];
        struct cls_rule *r, *next;

        if (mask && !cls_mask_covers(t->mask, mask)) {
            continue;
        }
        cds_list_for_each_entry_safe(r, next, &t->rules, node)
        {
            if ((!mask || cls_rule_is_within(r, match, mask)) && !cb(r, aux)) {
                return;
            }
        }
    }
}
