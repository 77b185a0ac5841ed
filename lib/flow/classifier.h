/* SPDX-License-Identifier: Apache-2.0 */
#ifndef XVS_FLOW_CLASSIFIER_H
#define XVS_FLOW_CLASSIFIER_H 1

/* Tuple-space classifier (Srinivasan, Suri, Varghese, SIGCOMM 1999) with priorities, for
 * OpenFlow tables of up to millions of rules: one hash table per distinct mask ("tuple").
 *
 *   - Tuples are looked at by falling priority of their best rule, until none can be better
 *     than what was found.
 *   - A tuple is looked at in stages (metadata, L2, L3, L4): when no rule of it agrees with the
 *     packet in the stages so far, the rest is not looked at, and stays wildcarded.
 *   - Prefix tries over addresses tell which prefix lengths can match at all, at the price of
 *     as many bits as it takes to tell.
 *   - A rule is visible in the versions [added, removed): a writer changes many rules, then
 *     moves the version that readers start with, and they see all changes or none.
 *   - Conjunctive match: see struct cls_conj.
 *
 * Threads: one writer (main; the caller serialises), any number of readers under RCU.
 *
 *              lookup   insert   remove   publish   (x = needs exclusion between the two)
 *   lookup       -        -        -         -
 *   insert       -        x        x         x
 *   remove       -        x        x         x
 *   publish      -        x        x         x
 *
 * Insertion and removal take constant time in the number of rules (amortised over the growth of
 * a table) and logarithmic in that of tuples.  Memory per rule: see cls_rule. */

#include <stdatomic.h>
#include "flow/flow.h"
#include "os/rcu.h"
#include "os/slice.h"

/* One of the `n_clauses` (2..64) dimensions of a conjunction.  A packet is in conjunction `id`
 * at a priority when for each clause a rule of that priority with it matches.  The packet is
 * then looked up again with regs.conj_id = id. */
struct cls_conj {
    uint32_t id;
    uint8_t clause, n_clauses; /* clauses count from 0 */
};
struct cls_conj_set {
    unsigned n;
    struct cls_conj c[];
};

#define CLS_VERSION_NEVER UINT64_MAX

struct cls_mask;
struct cls_tuple;

/* Embedded in the owner's rule; constant while inserted but for what is marked.  88 bytes, and
 * beside it: a heap block with 8 bytes for each word in which the mask has bits, 21 to 43 bytes
 * in the tuple's table, two trie nodes of 32 bytes for a prefix, 11 to 21 bytes in each stage
 * where rules differ.  test-classifier-scale measures 180 bytes beside it for 200,000 rules
 * that match in_port, Ethernet type and an IPv4 address. */
struct cls_rule {
    int priority;                    /* 0..65535 */
    uint32_t hash;                   /* private: of the match */
    struct cls_mask *mask;           /* private: shared by the rules of a tuple */
    uint64_t *w;                     /* private: the match's words, in the mask's order */
    const struct cls_conj_set *conj; /* owner's; NULL: a rule like any other */
    struct cls_tuple *tuple;         /* NULL: not inserted */
    struct cds_list_head node;       /* private: the tuple's rules in order of insertion */
    struct cls_rule *_Atomic lower;  /* private: same match, the next in priority */
    struct cls_rule *higher;         /* private: the one before, NULL: the first */
    uint64_t added;                  /* first version with the rule */
    _Atomic uint64_t removed;        /* first version without it; written by the writer */
};

/* Fields that can have a trie. */
enum cls_trie_field {
    CLS_TRIE_IPV4_DST,
    CLS_TRIE_IPV4_SRC,
    CLS_TRIE_IPV6_DST,
    CLS_TRIE_IPV6_SRC,
    CLS_TRIE_METADATA,
    CLS_TRIE_TUN_ID,
    CLS_N_TRIES
};
#define CLS_TRIES_DEFAULT 0xfu /* the four kinds of addresses */

/* `conj` is borrowed for the life of the rule. */
void cls_rule_init(struct cls_rule *, const struct flow *match, const struct flow *mask,
                   int priority, const struct cls_conj_set *conj);
/* Not inserted, and a grace period after removal.  Any thread. */
void cls_rule_destroy(struct cls_rule *);
void cls_rule_get_match(const struct cls_rule *, struct flow *match, struct flow *mask);
/* Is every packet that `rule` matches one that `match`, `mask` matches? */
bool
cls_rule_is_within(const struct cls_rule *, const struct flow *match, const struct flow *mask);
static inline bool
cls_rule_visible(const struct cls_rule *r, uint64_t version)
{
    return r->added <= version &&
           version < atomic_load_explicit(&r->removed, memory_order_relaxed);
}
/* Marked as removed in some version, even if that is not yet current? */
static inline bool
cls_rule_is_leaving(const struct cls_rule *r)
{
    return atomic_load_explicit(&r->removed, memory_order_relaxed) != CLS_VERSION_NEVER;
}
/* Writer: from `version` on the rule is not seen (CLS_VERSION_NEVER: it stays after all). */
static inline void
cls_rule_leave(struct cls_rule *r, uint64_t version)
{
    atomic_store_explicit(&r->removed, version, memory_order_relaxed);
}

struct classifier;
struct classifier *classifier_create(void);
void classifier_destroy(struct classifier *); /* must be empty; after a grace period */
/* A bitmap of 1 << enum cls_trie_field; takes O(rules). */
void classifier_set_tries(struct classifier *, unsigned fields);

/* Puts the rule in, seen from `version` on.  A rule with the same match and priority may be
 * there, leaving: the newer one goes first, and versions tell which is seen.  Lookups are sure
 * to find it after classifier_publish() only. */
void classifier_insert(struct classifier *, struct cls_rule *, uint64_t version);
/* Takes it out at once, whatever readers see; free it after a grace period. */
void classifier_remove(struct classifier *, struct cls_rule *);
/* To call after insertions and removals, before readers are sent to the new version; cheap when
 * no tuple came, went or changed its highest priority. */
void classifier_publish(struct classifier *);

/* The rule with this very match, mask and priority that is not leaving, or NULL.  Writer. */
struct cls_rule *classifier_find_exact(const struct classifier *, const struct flow *match,
                                       const struct flow *mask, int priority);
/* The same as seen in `version`, in time linear in the number of tuples.  Reader. */
const struct cls_rule *classifier_find_version(const struct classifier *, uint64_t version,
                                               const struct cls_rule *like);
/* A rule of the same priority, not leaving, that some packet matches together with `rule`
 * (which is not inserted); NULL if there is none.  Constant time for each tuple that looks at
 * no more than the rule, or has no rule of the priority; linear in the others' rules.  Writer.
 */
struct cls_rule *
classifier_find_overlap(const struct classifier *, const struct cls_rule *rule);
/* The matching rule of highest priority in a version, or NULL; among equals any, but always the
 * same.  Ors into `wc` (NULL: not wanted) the bits looked at: all that distinguishes this
 * answer from any other, and no more than the lookup needs.  A rule that looks into a section
 * compares with zero where the flow lacks it, which is why the presence bit of the section
 * counts as looked at.  Reader. */
const struct cls_rule *classifier_lookup(const struct classifier *, uint64_t version,
                                         const struct flow *, struct flow *wc);
unsigned classifier_count(const struct classifier *); /* rules in it, also those leaving */
/* All rules within `match`, `mask` (NULL: all), also those leaving: tuples by falling priority
 * of their best rule, within one in order of insertion.  `cb` returns false to stop, and may
 * remove the rule that it is given.  Writer. */
void classifier_for_each(struct classifier *, const struct flow *match, const struct flow *mask,
                         bool (*cb)(struct cls_rule *, void *), void *aux);

/* A walk over the rules within `match`, `mask` (NULL: all; borrowed) that are visible in a
 * version, in the order of classifier_for_each(), which may pause while rules are inserted for
 * later versions and removed from those.  Until it ends no rule that was there before `version`
 * or is added in it may be removed, nor the classifier destroyed.  Writer. */
struct cls_walk {
    uint64_t version;
    const struct flow *match, *mask;
    struct cls_tuple **tuples; /* private from here */
    unsigned i, n;
    struct cls_rule *at; /* the last one looked at in tuple i, NULL: none yet */
    bool done;           /* for the caller */
};
void cls_walk_begin(struct cls_walk *, struct classifier *, uint64_t version,
                    const struct flow *match, const struct flow *mask);
/* The next rule; NULL: none left (`done`), or the slice is spent by looking at others. */
struct cls_rule *cls_walk_next(struct cls_walk *, struct slice *);
void cls_walk_end(struct cls_walk *);

#endif
