/* SPDX-License-Identifier: Apache-2.0 */
/* Tuple-space classifier with priorities.  The OpenFlow tables insert and remove on the main
 * thread; every thread that translates looks up.  It knows rules only as matches.
 *
 * Readers walk an immutable array of tuples, highest priority first, and stop once no later
 * tuple can hold anything better.  Each tuple has one open-addressing table of rule pointers:
 *
 *   classifier -> order [ tuple | tuple | ... ]      replaced as a whole, freed by call_rcu
 *                          |
 *                          table [ - | rule | gone | rule | - ]   slots are filled in place;
 *                                                                 replaced as a whole to grow
 *
 * A slot goes from empty to a rule to GONE and is not used again before the table is rebuilt,
 * so that a reader that probes meanwhile finds every rule which stays. */

#include "flow/classifier.h"

#include <stdatomic.h>
#include <stdlib.h>
#include <uthash.h>

#include "flow/flow-key.h"
#include "os/rcu.h"
#include "util/compiler.h"
#include "util/hash.h"
#include "util/xalloc.h"

#define TABLE_MIN_SLOTS 8u
/* Tuples up to this many rules always know their highest priority exactly; larger ones after a
 * quarter of them has been removed (in between they are only looked at too early). */
#define RESCAN_ALWAYS 256u
#define SECTIONS_WORD (offsetof(struct flow, sections) / 8)

struct cls_slot {
    struct cls_rule *_Atomic rule; /* NULL: never used; &gone: removed */
    uint32_t hash;                 /* written before `rule` (release), then constant */
};

struct cls_table {
    struct rcu_head rcu;
    uint32_t mask; /* slots - 1 */
    struct cls_slot slots[];
};

struct cls_tuple {
    struct flow mask;      /* constant from here */
    struct flow looked_at; /* mask plus the presence bits of its sections */
    uint8_t n_words;
    uint8_t words[FLOW_WORDS]; /* which words of the mask are not zero */
    struct cls_table *_Atomic table;

    unsigned n_rules; /* writer's from here */
    unsigned n_used;  /* slots not empty */
    int max_priority; /* an upper bound, see RESCAN_ALWAYS */
    unsigned n_at_max;
    unsigned n_removed; /* since max_priority was exact */
    UT_hash_handle hh;
    struct rcu_head rcu;
};

struct cls_order {
    struct rcu_head rcu;
    unsigned n;
    struct {
        struct cls_tuple *tuple;
        int max_priority;
    } e[];
};

struct classifier {
    struct cls_order *_Atomic order;
    struct cls_tuple *tuples; /* writer's: by mask */
    unsigned n_rules;
};

static struct cls_rule gone;

static const flow_word *
words(const struct flow *flow)
{
    return (const flow_word *) flow;
}

static void
free_table(struct rcu_head *head)
{
    free(CONTAINER_OF(head, struct cls_table, rcu));
}

static void
free_order(struct rcu_head *head)
{
    free(CONTAINER_OF(head, struct cls_order, rcu));
}

static void
free_tuple(struct rcu_head *head)
{
    struct cls_tuple *t = CONTAINER_OF(head, struct cls_tuple, rcu);

    free(atomic_load_explicit(&t->table, memory_order_relaxed));
    free(t);
}

/* Writer's loads: nobody else stores. */
static struct cls_table *
own_table(const struct cls_tuple *t)
{
    return atomic_load_explicit(&t->table, memory_order_relaxed);
}

static struct cls_order *
own_order(const struct classifier *cls)
{
    return atomic_load_explicit(&cls->order, memory_order_relaxed);
}

struct classifier *
classifier_create(void)
{
    struct classifier *cls = xzalloc(sizeof *cls);

    atomic_init(&cls->order, xzalloc(sizeof(struct cls_order)));
    return cls;
}

void
classifier_destroy(struct classifier *cls)
{
    struct cls_tuple *t, *next;

    if (!cls) {
        return;
    }
    HASH_ITER(hh, cls->tuples, t, next)
    {
        HASH_DEL(cls->tuples, t);
        free_tuple(&t->rcu);
    }
    free(own_order(cls));
    free(cls);
}

void
cls_rule_init(struct cls_rule *rule, const struct flow *match, const struct flow *mask,
              int priority)
{
    flow_word *w;

    memset(rule, 0, sizeof *rule);
    rule->priority = priority;
    rule->match = *match;
    rule->mask = *mask;
    w = (flow_word *) &rule->match;
    for (unsigned i = 0; i < FLOW_WORDS; i++) {
        w[i] &= words(mask)[i];
    }
}

/* Hash of the bits of `flow` that the tuple looks at. */
static inline uint32_t
tuple_hash(const struct cls_tuple *t, const struct flow *flow)
{
    uint64_t h = 0;

    for (unsigned i = 0; i < t->n_words; i++) {
        unsigned w = t->words[i];

        h = hash_mix64(h, words(flow)[w] & words(&t->mask)[w]);
    }
    return (uint32_t) h;
}

static inline bool
tuple_equal(const struct cls_tuple *t, const struct flow *flow, const struct flow *match)
{
    for (unsigned i = 0; i < t->n_words; i++) {
        unsigned w = t->words[i];

        if ((words(flow)[w] & words(&t->mask)[w]) != words(match)[w]) {
            return false;
        }
    }
    return true;
}

static const struct cls_rule *
tuple_lookup(const struct cls_tuple *t, const struct flow *flow)
{
    /* Acquire: pairs with the release in table_rebuild(). */
    const struct cls_table *tab = atomic_load_explicit(&t->table, memory_order_acquire);
    const struct cls_rule *best = NULL;
    uint32_t hash = tuple_hash(t, flow);

    /* Ends: at least half of the slots are empty. */
    for (uint32_t i = hash & tab->mask;; i = (i + 1) & tab->mask) {
        const struct cls_slot *slot = &tab->slots[i];
        /* Acquire: pairs with the release in slot_set(). */
        const struct cls_rule *r = atomic_load_explicit(&slot->rule, memory_order_acquire);

        if (!r) {
            return best;
        }
        if (slot->hash == hash && r != &gone && (!best || r->priority > best->priority) &&
            tuple_equal(t, flow, &r->match)) {
            best = r;
        }
    }
}

const struct cls_rule *
classifier_lookup(const struct classifier *cls, const struct flow *flow, struct flow *wc)
{
    /* Acquire: pairs with the release in order_publish(). */
    const struct cls_order *order = atomic_load_explicit(&cls->order, memory_order_acquire);
    const struct cls_rule *best = NULL;

    for (unsigned i = 0; i < order->n; i++) {
        const struct cls_tuple *t = order->e[i].tuple;
        const struct cls_rule *r;

        if (best && best->priority >= order->e[i].max_priority) {
            break;
        }
        if (wc) {
            for (unsigned w = 0; w < t->n_words; w++) {
                ((flow_word *) wc)[t->words[w]] |= words(&t->looked_at)[t->words[w]];
            }
            wc->sections |= t->looked_at.sections;
        }
        r = tuple_lookup(t, flow);
        if (r && (!best || r->priority > best->priority)) {
            best = r;
        }
    }
    return best;
}

/* Publishes the tuples sorted by priority; `leaving` (may be NULL) is not among them. */
static void
order_publish(struct classifier *cls, const struct cls_tuple *leaving)
{
    unsigned n = HASH_COUNT(cls->tuples), at = 0;
    struct cls_order *old = own_order(cls);
    struct cls_order *order = xmalloc(sizeof *order + n * sizeof order->e[0]);

    for (struct cls_tuple *t = cls->tuples; t; t = t->hh.next) {
        unsigned i;

        if (t == leaving) {
            continue;
        }
        for (i = at++; i > 0 && order->e[i - 1].max_priority < t->max_priority; i--) {
            order->e[i] = order->e[i - 1];
        }
        order->e[i].tuple = t;
        order->e[i].max_priority = t->max_priority;
    }
    order->n = at;
    /* Release: pairs with the acquire in classifier_lookup(). */
    atomic_store_explicit(&cls->order, order, memory_order_release);
    call_rcu(&old->rcu, free_order);
}

static struct cls_tuple *
tuple_find(const struct classifier *cls, const struct flow *mask)
{
    struct cls_tuple *t;

    HASH_FIND(hh, cls->tuples, mask, sizeof *mask, t);
    return t;
}

static struct cls_table *
table_create(uint32_t n_slots)
{
    struct cls_table *tab = xzalloc(sizeof *tab + n_slots * sizeof tab->slots[0]);

    tab->mask = n_slots - 1;
    return tab;
}

static struct cls_tuple *
tuple_create(struct classifier *cls, const struct flow *mask)
{
    struct cls_tuple *t = xzalloc(sizeof *t);

    t->mask = *mask;
    t->looked_at = *mask;
    t->looked_at.sections |= flow_mask_sections(mask);
    for (unsigned i = 0; i < FLOW_WORDS; i++) {
        if (words(mask)[i]) {
            t->words[t->n_words++] = (uint8_t) i;
        }
    }
    t->max_priority = -1;
    atomic_init(&t->table, table_create(TABLE_MIN_SLOTS));
    HASH_ADD(hh, cls->tuples, mask, sizeof t->mask, t);
    return t;
}

/* Puts the rule into the first empty slot of its probe sequence. */
static void
slot_set(struct cls_table *tab, struct cls_rule *rule)
{
    uint32_t i = rule->hash & tab->mask;

    while (atomic_load_explicit(&tab->slots[i].rule, memory_order_relaxed)) {
        i = (i + 1) & tab->mask;
    }
    rule->slot = i;
    tab->slots[i].hash = rule->hash;
    /* Release: pairs with the acquire in tuple_lookup(). */
    atomic_store_explicit(&tab->slots[i].rule, rule, memory_order_release);
}

/* A table with room, without the traces of removed rules. */
static void
table_rebuild(struct cls_tuple *t)
{
    struct cls_table *old = own_table(t), *tab;
    uint32_t n_slots = TABLE_MIN_SLOTS;

    while (n_slots < (t->n_rules + 1) * 4) {
        n_slots *= 2;
    }
    tab = table_create(n_slots);
    for (uint32_t i = 0; i <= old->mask; i++) {
        struct cls_rule *r = atomic_load_explicit(&old->slots[i].rule, memory_order_relaxed);

        if (r && r != &gone) {
            slot_set(tab, r);
        }
    }
    t->n_used = t->n_rules;
    /* Release: pairs with the acquire in tuple_lookup(). */
    atomic_store_explicit(&t->table, tab, memory_order_release);
    call_rcu(&old->rcu, free_table);
}

static struct cls_rule *
tuple_find_rule(const struct cls_tuple *t, const struct flow *match, uint32_t hash,
                int priority)
{
    const struct cls_table *tab = own_table(t);

    for (uint32_t i = hash & tab->mask;; i = (i + 1) & tab->mask) {
        struct cls_rule *r = atomic_load_explicit(&tab->slots[i].rule, memory_order_relaxed);

        if (!r) {
            return NULL;
        }
        if (r != &gone && tab->slots[i].hash == hash && r->priority == priority &&
            tuple_equal(t, match, &r->match)) {
            return r;
        }
    }
}

struct cls_rule *
classifier_insert(struct classifier *cls, struct cls_rule *rule)
{
    struct cls_tuple *t = tuple_find(cls, &rule->mask);
    struct cls_rule *old;

    if (!t) {
        t = tuple_create(cls, &rule->mask);
    }
    rule->tuple = t;
    rule->hash = tuple_hash(t, &rule->match);
    old = tuple_find_rule(t, &rule->match, rule->hash, rule->priority);
    if (old) {
        rule->slot = old->slot;
        /* Release: pairs with the acquire in tuple_lookup(). */
        atomic_store_explicit(&own_table(t)->slots[old->slot].rule, rule, memory_order_release);
        return old;
    }
    /* First the order, then the rule: no reader stops before a tuple on a bound that is too
     * low for what it already holds. */
    if (rule->priority > t->max_priority) {
        t->max_priority = rule->priority;
        t->n_at_max = 0;
        order_publish(cls, NULL);
    }
    t->n_at_max += rule->priority == t->max_priority;
    if ((t->n_used + 1) * 2 > own_table(t)->mask + 1) {
        table_rebuild(t);
    }
    slot_set(own_table(t), rule);
    t->n_used++;
    t->n_rules++;
    cls->n_rules++;
    return NULL;
}

/* Lowers the tuple's bound to what it holds now. */
static void
tuple_rescan(struct classifier *cls, struct cls_tuple *t)
{
    const struct cls_table *tab = own_table(t);
    int max = -1;

    t->n_at_max = 0;
    for (uint32_t i = 0; i <= tab->mask; i++) {
        struct cls_rule *r = atomic_load_explicit(&tab->slots[i].rule, memory_order_relaxed);

        if (r && r != &gone && r->priority >= max) {
            t->n_at_max = r->priority > max ? 1 : t->n_at_max + 1;
            max = r->priority;
        }
    }
    t->n_removed = 0;
    if (max != t->max_priority) {
        t->max_priority = max;
        order_publish(cls, NULL);
    }
}

void
classifier_remove(struct classifier *cls, struct cls_rule *rule)
{
    struct cls_tuple *t = rule->tuple;

    /* Relaxed: readers learn nothing through the mark. */
    atomic_store_explicit(&own_table(t)->slots[rule->slot].rule, &gone, memory_order_relaxed);
    rule->tuple = NULL;
    t->n_rules--;
    cls->n_rules--;
    if (!t->n_rules) {
        order_publish(cls, t);
        HASH_DEL(cls->tuples, t);
        call_rcu(&t->rcu, free_tuple);
        return;
    }
    t->n_removed++;
    if (rule->priority == t->max_priority) {
        t->n_at_max--;
    }
    if (!t->n_at_max && (t->n_rules <= RESCAN_ALWAYS || t->n_removed > t->n_rules / 4)) {
        tuple_rescan(cls, t);
    }
}

struct cls_rule *
classifier_find_exact(const struct classifier *cls, const struct flow *match,
                      const struct flow *mask, int priority)
{
    const struct cls_tuple *t = tuple_find(cls, mask);
    struct cls_rule key;

    if (!t) {
        return NULL;
    }
    cls_rule_init(&key, match, mask, priority);
    return tuple_find_rule(t, &key.match, tuple_hash(t, &key.match), priority);
}

unsigned
classifier_count(const struct classifier *cls)
{
    return cls->n_rules;
}

void
classifier_for_each(const struct classifier *cls, bool (*cb)(struct cls_rule *, void *),
                    void *aux)
{
    /* Acquire: as in the lookup.  The tables and the order stay for the grace period, so `cb`
     * may remove rules (as the writer). */
    const struct cls_order *order = atomic_load_explicit(&cls->order, memory_order_acquire);

    for (unsigned i = 0; i < order->n; i++) {
        const struct cls_table *tab =
            atomic_load_explicit(&order->e[i].tuple->table, memory_order_acquire);

        for (uint32_t s = 0; s <= tab->mask; s++) {
            struct cls_rule *r =
                atomic_load_explicit(&tab->slots[s].rule, memory_order_acquire);

            if (r && r != &gone && !cb(r, aux)) {
                return;
            }
        }
    }
}
