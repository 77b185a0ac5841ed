/* SPDX-License-Identifier: Apache-2.0 */
#ifndef XVS_FLOW_CLASSIFIER_PRIVATE_H
#define XVS_FLOW_CLASSIFIER_PRIVATE_H 1

/* Shared by the files of the classifier. */

#include <uthash.h>
#include "flow/classifier.h"
#include "os/rcu-table.h"
#include "util/compiler.h"
#include "util/hash.h"

/* ---- Masks and rules: cls-rule.c ---- */

enum { CLS_STAGE_META, CLS_STAGE_L2, CLS_STAGE_L3, CLS_STAGE_L4, CLS_N_STAGES };

/* The words of a mask that are not zero, by stage.  Immutable; one reference for the tuple and
 * one for each rule. */
struct cls_mask {
    _Atomic uint32_t refcnt;
    uint8_t end[CLS_N_STAGES]; /* first word behind each stage */
    uint8_t n;                 /* of words; from here to the end: the identity */
    uint8_t idx[FLOW_WORDS];   /* which word of struct flow */
    uint64_t m[];
};
#define CLS_MASK_ID_OFS offsetof(struct cls_mask, n)
static inline size_t
cls_mask_id_len(const struct cls_mask *m)
{
    return offsetof(struct cls_mask, m) - CLS_MASK_ID_OFS + m->n * sizeof m->m[0];
}
static inline bool
cls_mask_equal(const struct cls_mask *a, const struct cls_mask *b)
{
    return a->n == b->n && !memcmp(&a->n, &b->n, cls_mask_id_len(a));
}
struct cls_mask *cls_mask_create(const struct flow *);
void cls_mask_unref(struct cls_mask *);
/* Is every bit of `wide` set in `m`? */
bool cls_mask_covers(const struct cls_mask *m, const struct flow *wide);

static inline const flow_word *
cls_words(const struct flow *flow)
{
    return (const flow_word *) flow;
}
/* Goes on with the hash of a flow (or of a rule's words) over the words [from, to). */
static inline uint64_t
cls_hash_flow(uint64_t h, const struct cls_mask *m, const struct flow *flow, unsigned from,
              unsigned to)
{
    for (unsigned i = from; i < to; i++) {
        h = hash_mix64(h, cls_words(flow)[m->idx[i]] & m->m[i]);
    }
    return h;
}
static inline uint64_t
cls_hash_words(uint64_t h, const uint64_t *w, unsigned from, unsigned to)
{
    for (unsigned i = from; i < to; i++) {
        h = hash_mix64(h, w[i]);
    }
    return h;
}
static inline bool
cls_rule_matches(const struct cls_rule *r, const struct cls_mask *m, const struct flow *flow)
{
    for (unsigned i = 0; i < m->n; i++) {
        if ((cls_words(flow)[m->idx[i]] & m->m[i]) != r->w[i]) {
            return false;
        }
    }
    return true;
}

/* ---- Tries: cls-trie.c ---- */

/* Prefixes of up to 128 bits, with the number of rules that have each. */
struct cls_trie {
    uint8_t n_bytes; /* of keys; constant */
    struct cls_trie_node *_Atomic root;
};
/* Lengths of the prefixes that are there, bit by bit. */
struct cls_plens {
    uint64_t b[3];
};
static inline bool
cls_plens_has(const struct cls_plens *p, unsigned len)
{
    return p->b[len / 64] >> (len % 64) & 1;
}
void cls_trie_init(struct cls_trie *, unsigned n_bytes);
void cls_trie_destroy(struct cls_trie *); /* no reader any more */
void cls_trie_insert(struct cls_trie *, const uint8_t *key, unsigned len); /* writer */
void cls_trie_remove(struct cls_trie *, const uint8_t *key, unsigned len);
/* Which prefixes of `key` are there; returns how many of its first bits told that.  Reader. */
unsigned cls_trie_lookup(const struct cls_trie *, const uint8_t *key, struct cls_plens *);

/* ---- Sets of hashes: cls-hashes.c ---- */

/* Hashes with counts, for readers beside one writer: those of rules' first stages.  Made like
 * struct rcu_table, with slots of half the size, and grows like it. */
struct cls_hash_slots {
    struct cls_hash_slots *_Atomic next; /* where hashes move to; NULL: they stay */
    uint32_t mask;                       /* slots - 1 */
    uint32_t n_used;                     /* writer's: slots not empty */
    uint32_t n_moved;                    /* writer's: slots from the first on that were moved */
    struct rcu_head rcu;
    _Atomic uint64_t s[]; /* hash << 32 | count; 0: never used */
};
struct cls_hashes {
    struct cls_hash_slots *_Atomic slots; /* NULL: the set is not used */
    uint32_t n;                           /* hashes with a count; writer's */
};
static inline bool
cls_hashes_is_used(const struct cls_hashes *h) /* writer */
{
    return atomic_load_explicit(&h->slots, memory_order_relaxed) != NULL;
}
void cls_hashes_init(struct cls_hashes *);
void cls_hashes_destroy(struct cls_hashes *); /* no reader any more; or never used */
bool cls_hashes_has(const struct cls_hashes *, uint32_t hash); /* reader */
/* `by`: 1, or -1 for a hash that is there. */
void cls_hashes_change(struct cls_hashes *, uint64_t hash, int by);

/* ---- Tuples: cls-tuple.c ---- */

struct cls_level {
    int priority;
    uint32_t n;
};

#define CLS_PORTS_NONE 0xff
struct cls_tuple {
    struct cls_mask *mask;                     /* constant from here */
    uint16_t sections[CLS_N_STAGES];           /* those looked into, by stage */
    uint8_t plen[CLS_N_TRIES];                 /* prefix length if the mask is one, else 0 */
    uint8_t ports_word;                        /* place in mask of L4's ports, CLS_PORTS_NONE */
    struct cls_trie ports;                     /* their values, masked; used unless NONE */
    struct rcu_table table;                    /* by all words: first rules of chains */
    struct cls_hashes stage[CLS_N_STAGES - 1]; /* not used: nothing to tell there */

    struct cds_list_head rules; /* writer's from here */
    unsigned n_rules;           /* also those in chains */
    struct cls_level *levels;   /* how many rules of which priority, falling */
    unsigned n_levels, cap_levels;
    int order_priority;       /* place in the order: falling by this, ... */
    uint64_t order_seq;       /* ... then rising by this */
    struct cls_chain *chains; /* cls-chain.c: indexes of long ones */
    UT_hash_handle hh;
    struct rcu_head rcu;
};

struct cls_tuple *cls_tuple_create(struct cls_mask *); /* takes the reference */
void cls_tuple_free(struct cls_tuple *);               /* no reader any more, no rules */
void cls_tuple_insert(struct cls_tuple *, struct cls_rule *);
void cls_tuple_remove(struct cls_tuple *, struct cls_rule *);
bool cls_tuple_has_priority(const struct cls_tuple *, int priority);
static inline int
cls_tuple_max_priority(const struct cls_tuple *t)
{
    return t->n_levels ? t->levels[0].priority : -1;
}
/* First of the chain of rules with these words, or NULL.  Reader or writer. */
struct cls_rule *cls_tuple_find(const struct cls_tuple *, const uint64_t *w, uint32_t hash);

/* ---- Chains: cls-chain.c.  Writer ---- */

/* The first rule with this priority in the chain that begins with `head`, or NULL. */
struct cls_rule *cls_chain_find(struct cls_tuple *, struct cls_rule *head, int priority);
/* Gives the rule its place in the chain, ahead of those with its priority.  Returns the rule
 * that the caller has to make point to it; NULL: the head of the chain. */
struct cls_rule *cls_chain_add(struct cls_tuple *, struct cls_rule *head, struct cls_rule *);
/* The reverse; the caller makes the rule that is returned point to what is behind. */
struct cls_rule *cls_chain_remove(struct cls_tuple *, struct cls_rule *);
void cls_chains_free(struct cls_tuple *);
/* Rules and nodes looked at so far: for tests. */
extern uint64_t cls_chain_steps;

/* ---- Conjunctions: cls-conj.c ---- */

/* Rules with conjunctions that match a packet. */
struct cls_soft {
    unsigned n, cap;
    const struct cls_rule **rules;
    const struct cls_rule *fixed[32];
};
void cls_soft_init(struct cls_soft *);
void cls_soft_add(struct cls_soft *, const struct cls_rule *);
void cls_soft_free(struct cls_soft *);
/* The id of a conjunction that is complete at the highest priority above `floor` and below
 * `*below` where there is one; `*below` becomes that priority.  False: none is left. */
bool cls_soft_next(const struct cls_soft *, int floor, int *below, uint32_t *id);

/* ---- The classifier: classifier.c ---- */

struct cls_tries {
    struct rcu_head rcu;
    unsigned fields;
    struct cls_trie trie[CLS_N_TRIES];
};
struct cls_trie_desc {
    uint16_t ofs; /* bytes, in struct flow */
    uint8_t n_bytes;
    uint8_t section, stage;
};
extern const struct cls_trie_desc cls_trie_descs[CLS_N_TRIES];
static inline const uint8_t *
cls_trie_key(const struct flow *flow, unsigned field)
{
    return (const uint8_t *) flow + cls_trie_descs[field].ofs;
}

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
    struct cls_tries *_Atomic tries;
    struct cls_tuple *tuples; /* writer's from here: by mask */
    struct cls_tuple **own;   /* the order to be published, with empty tuples */
    unsigned n_own, cap_own;
    uint64_t last_seq;
    unsigned n_moved; /* tuples whose place in it is not right */
    bool dirty;
    unsigned n_rules;
};

#endif
