/* SPDX-License-Identifier: Apache-2.0 */
/* One tuple of a classifier: the rules with one mask.  Main inserts and removes; translation
 * looks up beside it under RCU.
 *
 *   table [ - | chain | gone | chain | - ]   slots are filled in place; the table is replaced
 *                |                           as a whole to grow
 *              rule -> rule -> ...           same match, by falling priority, newest first
 *
 * A slot goes from empty to a chain, to GONE, and is not used again before the table is
 * rebuilt, so that a reader that probes meanwhile finds every rule which stays. */

#include "flow/classifier-private.h"

#include <arpa/inet.h>
#include <stdlib.h>

#include "flow/flow-key.h"
#include "util/xalloc.h"

#define TABLE_MIN_SLOTS 4u
#define L4_WORD (offsetof(struct flow, l4) / 8)

struct cls_rule cls_gone;

/* ---- Sets of hashes ---- */

static void
free_hashes(struct rcu_head *head)
{
    free(CONTAINER_OF(head, struct cls_hashes, rcu));
}

static struct cls_hashes *
hashes_create(uint32_t n_slots)
{
    struct cls_hashes *h = xzalloc(sizeof *h + n_slots * sizeof h->slots[0]);

    h->mask = n_slots - 1;
    return h;
}

/* The slot that holds the hash, or else the empty one behind; 0 is no hash. */
static uint32_t
hashes_probe(const struct cls_hashes *h, uint32_t hash, uint64_t *slot)
{
    for (uint32_t i = hash & h->mask;; i = (i + 1) & h->mask) {
        *slot = atomic_load_explicit(&h->slots[i], memory_order_relaxed);
        if (!*slot || *slot >> 32 == hash) {
            return i;
        }
    }
}

static inline uint32_t
hashes_key(uint64_t hash)
{
    return (uint32_t) hash ? (uint32_t) hash : 1;
}

bool
cls_hashes_has(const struct cls_hashes *h, uint32_t hash)
{
    uint64_t slot;

    hashes_probe(h, hashes_key(hash), &slot);
    return (uint32_t) slot != 0;
}

/* Relaxed stores will do: a reader that must find a hash has learned of a version (acquire)
 * that was published behind it. */
static void
hashes_change(struct cls_hashes *_Atomic *hp, uint64_t hash64, int by)
{
    struct cls_hashes *h = atomic_load_explicit(hp, memory_order_relaxed), *more;
    uint32_t hash = hashes_key(hash64), live = 0, size = TABLE_MIN_SLOTS;
    uint64_t slot;
    uint32_t i = hashes_probe(h, hash, &slot);

    if (slot || (h->n_used + 1) * 4 <= (h->mask + 1) * 3) {
        h->n_used += !slot;
        slot = (uint64_t) hash << 32 | ((uint32_t) slot + (uint32_t) by);
        atomic_store_explicit(&h->slots[i], slot, memory_order_relaxed);
        return;
    }
    for (i = 0; i <= h->mask; i++) {
        live += (uint32_t) atomic_load_explicit(&h->slots[i], memory_order_relaxed) != 0;
    }
    while (size * 3 < (live + 1) * 8) {
        size *= 2;
    }
    more = hashes_create(size);
    for (uint32_t j = 0; j <= h->mask; j++) {
        uint64_t old = atomic_load_explicit(&h->slots[j], memory_order_relaxed);

        if ((uint32_t) old) {
            i = hashes_probe(more, (uint32_t) (old >> 32), &slot);
            atomic_store_explicit(&more->slots[i], old, memory_order_relaxed);
            more->n_used++;
        }
    }
    i = hashes_probe(more, hash, &slot);
    atomic_store_explicit(&more->slots[i], (uint64_t) hash << 32 | (uint32_t) by,
                          memory_order_relaxed);
    more->n_used++;
    /* Release: pairs with the acquire in the lookup. */
    atomic_store_explicit(hp, more, memory_order_release);
    call_rcu(&h->rcu, free_hashes);
}

/* ---- How many rules of which priority ---- */

/* Place of the priority, or where it belongs. */
static unsigned
level_find(const struct cls_tuple *t, int priority)
{
    unsigned from = 0, to = t->n_levels;

    while (from < to) {
        unsigned mid = (from + to) / 2;

        if (t->levels[mid].priority > priority) {
            from = mid + 1;
        } else {
            to = mid;
        }
    }
    return from;
}

bool
cls_tuple_has_priority(const struct cls_tuple *t, int priority)
{
    unsigned i = level_find(t, priority);

    return i < t->n_levels && t->levels[i].priority == priority;
}

static void
level_add(struct cls_tuple *t, int priority)
{
    unsigned i = level_find(t, priority);

    if (i == t->n_levels || t->levels[i].priority != priority) {
        if (t->n_levels == t->cap_levels) {
            t->cap_levels = t->cap_levels ? t->cap_levels * 2 : 1;
            t->levels = xrealloc(t->levels, t->cap_levels * sizeof t->levels[0]);
        }
        memmove(&t->levels[i + 1], &t->levels[i], (t->n_levels - i) * sizeof t->levels[0]);
        t->levels[i] = (struct cls_level){.priority = priority};
        t->n_levels++;
    }
    t->levels[i].n++;
}

static void
level_sub(struct cls_tuple *t, int priority)
{
    unsigned i = level_find(t, priority);

    if (!--t->levels[i].n) {
        t->n_levels--;
        memmove(&t->levels[i], &t->levels[i + 1], (t->n_levels - i) * sizeof t->levels[0]);
    }
}

/* ---- The tuple ---- */

static struct cls_table *
table_create(uint32_t n_slots)
{
    struct cls_table *tab = xzalloc(sizeof *tab + n_slots * sizeof tab->slots[0]);

    tab->mask = n_slots - 1;
    return tab;
}

static void
free_table(struct rcu_head *head)
{
    free(CONTAINER_OF(head, struct cls_table, rcu));
}

static struct cls_table *
own_table(const struct cls_tuple *t)
{
    return atomic_load_explicit(&t->table, memory_order_relaxed);
}

/* Length of the prefix that the `n` bytes are a mask of; 0 if they are none. */
static unsigned
prefix_len(const uint8_t *mask, unsigned n)
{
    unsigned len = 0;

    while (len < n * 8 && mask[len / 8] >> (7 - len % 8) & 1) {
        len++;
    }
    for (unsigned i = len; i < n * 8; i++) {
        if (mask[i / 8] >> (7 - i % 8) & 1) {
            return 0;
        }
    }
    return len;
}

/* Sections that the words [from, to) of the mask lie in; the pipeline's registers are no layer
 * of a packet. */
static uint16_t
sections_of(const struct cls_mask *m, unsigned from, unsigned to)
{
    unsigned sections = 0;

    for (unsigned i = from; i < to; i++) {
        for (unsigned s = 0; s < FS_REGS; s++) {
            if (m->idx[i] - flow_section_flow_ofs[s] < flow_section_words[s] &&
                m->idx[i] >= flow_section_flow_ofs[s]) {
                sections |= FS_BIT(s);
            }
        }
    }
    return (uint16_t) sections;
}

struct cls_tuple *
cls_tuple_create(struct cls_mask *m)
{
    struct cls_tuple *t = xzalloc(sizeof *t);
    struct flow mask;

    memset(&mask, 0, sizeof mask);
    t->mask = m;
    t->ports_word = CLS_PORTS_NONE;
    for (unsigned i = 0; i < m->n; i++) {
        ((flow_word *) &mask)[m->idx[i]] = m->m[i];
        if (m->idx[i] == L4_WORD && (mask.l4.src_be || mask.l4.dst_be)) {
            t->ports_word = (uint8_t) i;
        }
    }
    for (unsigned f = 0; f < CLS_N_TRIES; f++) {
        t->plen[f] = (uint8_t) prefix_len(cls_trie_key(&mask, f), cls_trie_descs[f].n_bytes);
    }
    for (unsigned s = 0, from = 0; s < CLS_N_STAGES; from = m->end[s++]) {
        t->sections[s] = sections_of(m, from, m->end[s]);
        if (s < CLS_N_STAGES - 1 && m->end[s] > from && m->end[s] < m->n) {
            atomic_init(&t->stage[s], hashes_create(TABLE_MIN_SLOTS));
        }
    }
    cls_trie_init(&t->ports, 4);
    CDS_INIT_LIST_HEAD(&t->rules);
    t->order_priority = -1;
    atomic_init(&t->table, table_create(TABLE_MIN_SLOTS));
    return t;
}

void
cls_tuple_free(struct cls_tuple *t)
{
    for (unsigned s = 0; s < CLS_N_STAGES - 1; s++) {
        free(atomic_load_explicit(&t->stage[s], memory_order_relaxed));
    }
    cls_trie_destroy(&t->ports);
    cls_chains_free(t);
    free(own_table(t));
    free(t->levels);
    cls_mask_unref(t->mask);
    free(t);
}

static inline bool
words_equal(const struct cls_tuple *t, const uint64_t *a, const uint64_t *b)
{
    return !t->mask->n || !memcmp(a, b, t->mask->n * sizeof *a);
}

struct cls_rule *
cls_tuple_find(const struct cls_tuple *t, const uint64_t *w, uint32_t hash)
{
    /* Acquire: pairs with the release in table_rebuild(). */
    const struct cls_table *tab = atomic_load_explicit(&t->table, memory_order_acquire);

    /* Ends: a quarter of the slots is empty. */
    for (uint32_t i = hash & tab->mask;; i = (i + 1) & tab->mask) {
        /* Acquire: pairs with the release in slot_set(). */
        struct cls_rule *r = atomic_load_explicit(&tab->slots[i].rule, memory_order_acquire);

        if (!r) {
            return NULL;
        }
        if (tab->slots[i].hash == hash && r != &cls_gone && words_equal(t, w, r->w)) {
            return r;
        }
    }
}

/* Puts a chain of rules with this hash into the first empty slot of its probe sequence. */
static void
slot_set(struct cls_table *tab, struct cls_rule *head, uint32_t hash)
{
    uint32_t i = hash & tab->mask;

    while (atomic_load_explicit(&tab->slots[i].rule, memory_order_relaxed)) {
        i = (i + 1) & tab->mask;
    }
    tab->slots[i].hash = hash;
    /* Release: pairs with the acquire of readers. */
    atomic_store_explicit(&tab->slots[i].rule, head, memory_order_release);
}

/* A table with room, without the traces of removed chains.  Rules are not looked at: they are
 * all over memory, while slots move in two rows from one end to the other. */
static void
table_rebuild(struct cls_tuple *t)
{
    struct cls_table *old = own_table(t), *tab;
    uint32_t n_slots = TABLE_MIN_SLOTS;

    while (n_slots * 3 < (t->n_chains + 1) * 8) {
        n_slots *= 2;
    }
    tab = table_create(n_slots);
    for (uint32_t i = 0; i <= old->mask; i++) {
        struct cls_rule *r = atomic_load_explicit(&old->slots[i].rule, memory_order_relaxed);

        if (r && r != &cls_gone) {
            slot_set(tab, r, old->slots[i].hash);
        }
    }
    t->n_used = t->n_chains;
    /* Release: pairs with the acquire in cls_tuple_find(). */
    atomic_store_explicit(&t->table, tab, memory_order_release);
    call_rcu(&old->rcu, free_table);
}

static uint32_t
slot_of(const struct cls_table *tab, const struct cls_rule *head)
{
    uint32_t i = head->hash & tab->mask;

    while (atomic_load_explicit(&tab->slots[i].rule, memory_order_relaxed) != head) {
        i = (i + 1) & tab->mask;
    }
    return i;
}

/* The stages' hashes and the ports' trie, before a chain comes or after it went. */
static void
change_index(struct cls_tuple *t, const struct cls_rule *r, bool add)
{
    const struct cls_mask *m = t->mask;
    uint64_t h = 0;

    for (unsigned s = 0, from = 0; s < CLS_N_STAGES - 1; from = m->end[s++]) {
        h = cls_hash_words(h, r->w, from, m->end[s]);
        if (atomic_load_explicit(&t->stage[s], memory_order_relaxed)) {
            hashes_change(&t->stage[s], h, add ? 1 : -1);
        }
    }
    if (t->ports_word != CLS_PORTS_NONE) {
        const uint8_t *ports = (const uint8_t *) &r->w[t->ports_word];

        if (add) {
            cls_trie_insert(&t->ports, ports, 32);
        } else {
            cls_trie_remove(&t->ports, ports, 32);
        }
    }
}

static struct cls_rule *
own_lower(const struct cls_rule *r)
{
    return atomic_load_explicit(&r->lower, memory_order_relaxed);
}

void
cls_tuple_insert(struct cls_tuple *t, struct cls_rule *r)
{
    struct cls_rule *head = cls_tuple_find(t, r->w, r->hash), *prev;

    level_add(t, r->priority);
    t->n_rules++;
    r->tuple = t;
    cds_list_add_tail(&r->node, &t->rules);
    if (!head) {
        change_index(t, r, true);
        atomic_store_explicit(&r->lower, NULL, memory_order_relaxed);
        r->higher = NULL;
        if ((t->n_used + 1) * 4 > (own_table(t)->mask + 1) * 3) {
            table_rebuild(t);
        }
        slot_set(own_table(t), r, r->hash);
        t->n_used++;
        t->n_chains++;
        return;
    }
    prev = cls_chain_add(t, head, r);
    /* Release: pairs with the acquire of readers. */
    if (prev) {
        atomic_store_explicit(&prev->lower, r, memory_order_release);
    } else {
        struct cls_table *tab = own_table(t);

        atomic_store_explicit(&tab->slots[slot_of(tab, head)].rule, r, memory_order_release);
    }
}

void
cls_tuple_remove(struct cls_tuple *t, struct cls_rule *r)
{
    struct cls_table *tab = own_table(t);
    struct cls_rule *next = own_lower(r), *prev = cls_chain_remove(t, r);

    /* Release: what `next` is was published before, but maybe not to every reader. */
    if (prev) {
        atomic_store_explicit(&prev->lower, next, memory_order_release);
    } else {
        atomic_store_explicit(&tab->slots[slot_of(tab, r)].rule, next ? next : &cls_gone,
                              memory_order_release);
    }
    if (!prev && !next) {
        t->n_chains--;
        change_index(t, r, false);
    }
    level_sub(t, r->priority);
    t->n_rules--;
    cds_list_del(&r->node);
    r->tuple = NULL;
}
