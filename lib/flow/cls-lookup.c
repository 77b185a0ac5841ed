/* SPDX-License-Identifier: Apache-2.0 */
/* Lookup in a classifier, with the bits that it took.  On every thread that translates, under
 * RCU, beside the writer. */

#include "flow/classifier-private.h"

struct lookup {
    uint64_t version;
    const struct flow *flow;
    struct flow *wc; /* NULL: not wanted */
    const struct cls_tries *tries;
    unsigned trie_done; /* fields looked up */
    struct {
        struct cls_plens plens;
        unsigned n_bits;
    } trie[CLS_N_TRIES];
    struct cls_soft *soft; /* NULL: rules with conjunctions do not count */
};

/* The words [from, to) of the tuple's mask were looked at, which lie in stage `s`. */
static inline void
look(struct flow *wc, const struct cls_tuple *t, unsigned s, unsigned from, unsigned to)
{
    if (wc) {
        for (unsigned i = from; i < to; i++) {
            ((flow_word *) wc)[t->mask->idx[i]] |= t->mask->m[i];
        }
        wc->sections |= t->sections[s];
    }
}

static void
look_prefix(struct flow *wc, unsigned field, unsigned n_bits)
{
    const struct cls_trie_desc *d = &cls_trie_descs[field];
    uint8_t *p = (uint8_t *) wc + d->ofs;

    for (unsigned i = 0; i < n_bits; i++) {
        p[i / 8] |= (uint8_t) (0x80u >> (i % 8));
    }
    if (n_bits && d->section < FS_REGS) {
        wc->sections |= FS_BIT(d->section);
    }
}

/* Do tries tell, at this stage, that the tuple has no rule for the packet? */
static bool
tries_exclude(struct lookup *l, const struct cls_tuple *t, unsigned stage)
{
    for (unsigned f = 0; f < CLS_N_TRIES; f++) {
        unsigned plen = t->plen[f];

        if (!plen || cls_trie_descs[f].stage != stage || !(l->tries->fields >> f & 1)) {
            continue;
        }
        if (!(l->trie_done >> f & 1)) {
            l->trie_done |= 1u << f;
            l->trie[f].n_bits = cls_trie_lookup(&l->tries->trie[f], cls_trie_key(l->flow, f),
                                                &l->trie[f].plens);
        }
        if (!cls_plens_has(&l->trie[f].plens, plen)) {
            /* As many bits tell as the trie needed; the whole prefix tells as well. */
            if (l->wc) {
                look_prefix(l->wc, f, MIN(plen, l->trie[f].n_bits));
            }
            return true;
        }
    }
    return false;
}

/* No rule of the tuple has the packet's words: what tells so in the last stage, which begins at
 * word `from`? */
static void
look_last(struct lookup *l, const struct cls_tuple *t, unsigned s, unsigned from)
{
    const struct cls_mask *m = t->mask;

    if (t->ports_word != CLS_PORTS_NONE && t->ports_word >= from) {
        uint64_t mask = m->m[t->ports_word];
        uint64_t word = cls_words(l->flow)[m->idx[t->ports_word]] & mask;
        struct cls_plens plens;
        unsigned n_bits = cls_trie_lookup(&t->ports, (const uint8_t *) &word, &plens);

        if (!cls_plens_has(&plens, 32)) {
            uint8_t *to = (uint8_t *) &((flow_word *) l->wc)[m->idx[t->ports_word]];
            const uint8_t *bits = (const uint8_t *) &mask;

            for (unsigned i = 0; i < n_bits; i++) {
                to[i / 8] |= bits[i / 8] & (uint8_t) (0x80u >> (i % 8));
            }
            l->wc->sections |= FS_BIT(FS_L4);
            return;
        }
    }
    look(l->wc, t, s, from, m->n);
}

/* The chain of rules with the packet's words, or NULL. */
static const struct cls_rule *
tuple_lookup(struct lookup *l, const struct cls_tuple *t)
{
    const struct cls_mask *m = t->mask;
    const struct cls_rule *r;
    struct rcu_table_pos pos;
    unsigned from = 0, s = 0;
    uint64_t h = 0;

    for (;; from = m->end[s++]) {
        if (m->end[s] > from && tries_exclude(l, t, s)) {
            return NULL;
        }
        h = cls_hash_flow(h, m, l->flow, from, m->end[s]);
        if (m->end[s] == m->n) {
            break;
        }
        if (m->end[s] > from) {
            look(l->wc, t, s, from, m->end[s]);
            if (!cls_hashes_has(&t->stage[s], (uint32_t) h)) {
                return NULL;
            }
        }
    }
    pos = rcu_table_at(&t->table, (uint32_t) h);
    while ((r = rcu_table_next(&pos))) {
        if (cls_rule_matches(r, m, l->flow)) {
            look(l->wc, t, s, from, m->n);
            return r;
        }
    }
    if (l->wc) {
        look_last(l, t, s, from);
    }
    return NULL;
}

/* The best rule without conjunctions; those with are put on l->soft. */
static const struct cls_rule *
lookup_hard(const struct classifier *cls, struct lookup *l)
{
    /* Acquire: pairs with the release in classifier_publish(). */
    const struct cls_order *order = atomic_load_explicit(&cls->order, memory_order_acquire);
    const struct cls_rule *best = NULL;

    for (unsigned i = 0; i < order->n; i++) {
        const struct cls_rule *r;

        if (best && best->priority >= order->e[i].max_priority) {
            break;
        }
        r = tuple_lookup(l, order->e[i].tuple);
        /* Acquire: pairs with the releases of insertion and removal. */
        for (; r; r = atomic_load_explicit(&r->lower, memory_order_acquire)) {
            if (best && best->priority >= r->priority) {
                break;
            }
            if (!cls_rule_visible(r, l->version)) {
                continue;
            }
            if (!r->conj) {
                best = r;
                break;
            }
            if (l->soft) {
                cls_soft_add(l->soft, r);
            }
        }
    }
    return best;
}

/* A lookup as if the packet had a conjunction's id. */
static const struct cls_rule *
lookup_conj(const struct classifier *cls, const struct lookup *like, uint32_t id)
{
    struct flow flow = *like->flow;
    struct lookup l = {
        .version = like->version, .flow = &flow, .wc = like->wc, .tries = like->tries};

    flow.regs.conj_id = id;
    return lookup_hard(cls, &l);
}

const struct cls_rule *
classifier_lookup(const struct classifier *cls, uint64_t version, const struct flow *flow,
                  struct flow *wc)
{
    struct cls_soft soft;
    struct lookup l = {.version = version, .flow = flow, .wc = wc, .soft = &soft};
    const struct cls_rule *best, *found = NULL;
    int below = INT32_MAX;
    uint32_t id;

    /* Acquire: pairs with the release in classifier_set_tries(). */
    l.tries = atomic_load_explicit(&cls->tries, memory_order_acquire);
    cls_soft_init(&soft);
    best = lookup_hard(cls, &l);
    if (UNLIKELY(soft.n)) {
        while (!found && cls_soft_next(&soft, best ? best->priority : -1, &below, &id)) {
            found = lookup_conj(cls, &l, id);
        }
        cls_soft_free(&soft);
    }
    return found ? found : best;
}

const struct cls_rule *
classifier_find_version(const struct classifier *cls, uint64_t version,
                        const struct cls_rule *like)
{
    /* Acquire: as in the lookup. */
    const struct cls_order *order = atomic_load_explicit(&cls->order, memory_order_acquire);

    for (unsigned i = 0; i < order->n; i++) {
        const struct cls_rule *r;

        if (!cls_mask_equal(order->e[i].tuple->mask, like->mask)) {
            continue;
        }
        r = cls_tuple_find(order->e[i].tuple, like->w, like->hash);
        while (r && (r->priority != like->priority || !cls_rule_visible(r, version))) {
            r = atomic_load_explicit(&r->lower, memory_order_acquire);
        }
        return r;
    }
    return NULL;
}
