/* SPDX-License-Identifier: Apache-2.0 */
/* One tuple of a classifier: the rules with one mask.  Main inserts and removes; translation
 * looks up beside it under RCU.
 *
 *   table [ - | chain | chain | - ]    by all words of the match
 *                |
 *              rule -> rule -> ...       same match, by falling priority, newest first
 */

#include "flow/classifier-private.h"

#include <arpa/inet.h>
#include <stdlib.h>

#include "flow/flow-key.h"
#include "util/xalloc.h"

#define L4_WORD (offsetof(struct flow, l4) / 8)

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
            cls_hashes_init(&t->stage[s]);
        }
    }
    cls_trie_init(&t->ports, 4);
    CDS_INIT_LIST_HEAD(&t->rules);
    t->order_priority = -1;
    rcu_table_init(&t->table);
    return t;
}

void
cls_tuple_free(struct cls_tuple *t)
{
    for (unsigned s = 0; s < CLS_N_STAGES - 1; s++) {
        cls_hashes_destroy(&t->stage[s]);
    }
    cls_trie_destroy(&t->ports);
    cls_chains_free(t);
    rcu_table_destroy(&t->table);
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
    struct rcu_table_pos pos = rcu_table_at(&t->table, hash);
    struct cls_rule *r;

    while ((r = rcu_table_next(&pos)) && !words_equal(t, w, r->w)) {
    }
    return r;
}

/* The stages' hashes and the ports' trie, before a chain comes or after it went. */
static void
change_index(struct cls_tuple *t, const struct cls_rule *r, bool add)
{
    const struct cls_mask *m = t->mask;
    uint64_t h = 0;

    for (unsigned s = 0, from = 0; s < CLS_N_STAGES - 1; from = m->end[s++]) {
        h = cls_hash_words(h, r->w, from, m->end[s]);
        if (cls_hashes_is_used(&t->stage[s])) {
            cls_hashes_change(&t->stage[s], h, add ? 1 : -1);
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
        rcu_table_add(&t->table, r->hash, r);
        return;
    }
    prev = cls_chain_add(t, head, r);
    /* Release: pairs with the acquire of readers. */
    if (prev) {
        atomic_store_explicit(&prev->lower, r, memory_order_release);
    } else {
        rcu_table_replace(&t->table, r->hash, head, r);
    }
}

void
cls_tuple_remove(struct cls_tuple *t, struct cls_rule *r)
{
    struct cls_rule *next = own_lower(r), *prev = cls_chain_remove(t, r);

    /* Release: what `next` is was published before, but maybe not to every reader. */
    if (prev) {
        atomic_store_explicit(&prev->lower, next, memory_order_release);
    } else if (next) {
        rcu_table_replace(&t->table, r->hash, r, next);
    } else {
        rcu_table_remove(&t->table, r->hash, r);
        change_index(t, r, false);
    }
    level_sub(t, r->priority);
    t->n_rules--;
    cds_list_del(&r->node);
    r->tuple = NULL;
}
