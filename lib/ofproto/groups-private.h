/* SPDX-License-Identifier: Apache-2.0 */
#ifndef XVS_OFPROTO_GROUPS_PRIVATE_H
#define XVS_OFPROTO_GROUPS_PRIVATE_H 1

/* Shared by groups.c (what they are), group-chain.c (their versions and ends), group-mod.c,
 * group-build.c and group-check.c (how they are changed).
 *
 *   by_id -> newest version of group 5 -> older -> older
 *
 * A version of a group that was replaced or deleted stays in its chain until all readers that
 * started before are done: committed -> waiting (a grace period begins) -> past (it is over,
 * and the next visit of main takes it out of the chain) -> freed, another grace period later.
 */

#include "ofproto/id-table.h"
#include "ofproto/tables-private.h"

struct groups {
    struct id_table by_id;          /* newest versions, also of deleted groups */
    unsigned n;                     /* groups that are there, as the transaction sees it */
    unsigned max;                   /* OFTABLES_MAX_GROUPS, fewer in tests */
    uint64_t visit;                 /* stamp of the last search for loops */
    struct cds_list_head committed; /* struct group_grave: the version may not have moved yet */
    struct cds_list_head waiting;   /* in the order of their grace periods */
};

/* What was replaced or deleted by a transaction that was committed. */
struct group_grave {
    struct cds_list_head node;
    struct group *group;
    atomic_bool past; /* set by the grace period's end */
    struct rcu_head rcu;
};

static inline bool
group_is_leaving(const struct group *g)
{
    return atomic_load_explicit(&g->removed, memory_order_relaxed) != UINT64_MAX;
}
static inline struct group *
group_older(const struct group *g)
{
    /* Pairs with the releases in group_replace() and unchain(). */
    return atomic_load_explicit(&g->older, memory_order_acquire);
}
/* As the transaction under way has it, or NULL. */
struct group *groups_current(const struct groups *, uint32_t id);

/* Takes all that is committed out of the chains now; no reader is left. */
void groups_bury_all(struct groups *);
/* The references that rules made stay theirs: they may drop them later than this. */
void group_let_go_of_rules(struct group *);

struct group *group_create(uint32_t id, enum of_group_type, unsigned n_buckets);
void group_unref_later(struct group *); /* after a grace period */
struct group_counts *group_counts_create(void);
struct group_counts *group_counts_ref(struct group_counts *);
/* What the message makes of `old` (NULL: there is none), with one reference, for the caller.
 * OFPGMFC_UNKNOWN_BUCKET. */
enum of_err
group_build(const struct of_group_mod *, const struct group *old, struct group **out);
/* The buckets by their ids, in an array that the caller frees. */
struct group_bucket **group_sort_buckets(const struct group *);
/* May the group be like this?  Errors as oftxn_group_mod(). */
enum of_err group_check(struct groups *, const struct group *);
/* Puts a version of a group in place for `txn`, where there is none or `old`; NULL: deletes. */
void group_replace(struct oftxn *, struct group *old, struct group *new_group);

#endif
