/* SPDX-License-Identifier: Apache-2.0 */
#ifndef XVS_FLOW_CLASSIFIER_H
#define XVS_FLOW_CLASSIFIER_H 1

/* Tuple-space classifier (Srinivasan, Suri, Varghese, SIGCOMM 1999) with priorities, for
 * OpenFlow tables: one hash table per distinct mask ("tuple").
 *
 * Threads: one writer (main; the caller serialises), any number of readers under RCU.
 *
 *              lookup   insert   remove   (x = needs exclusion between the two)
 *   lookup       -        -        -
 *   insert       -        x        x
 *   remove       -        x        x
 */

#include "flow/flow.h"
#include "os/rcu.h"

struct cls_rule {      /* embedded in the owner's rule; constant while inserted */
    int priority;      /* 0..65535 */
    struct flow match; /* bits outside mask are zero */
    struct flow mask;
    struct cls_tuple *tuple; /* private from here; written by the writer only */
    uint32_t hash;           /* of the match, under the tuple's mask */
    uint32_t slot;           /* in the tuple's table */
};
struct classifier;

struct classifier *classifier_create(void);
void classifier_destroy(struct classifier *); /* must be empty; after a grace period */
void cls_rule_init(struct cls_rule *, const struct flow *match, const struct flow *mask,
                   int priority);
/* Inserts; if a rule with the same match, mask and priority is there, replaces it atomically
 * and returns it (the caller frees it after a grace period), else NULL. */
struct cls_rule *classifier_insert(struct classifier *, struct cls_rule *);
void classifier_remove(struct classifier *, struct cls_rule *);
/* Writer. */
struct cls_rule *classifier_find_exact(const struct classifier *, const struct flow *match,
                                       const struct flow *mask, int priority);
/* The matching rule of highest priority, or NULL; among equals any, but always the same.  Ors
 * into `wc` (NULL: not wanted) the bits looked at: all that distinguishes this answer from any
 * other, and no more than the lookup needs.  A rule that looks into a section compares with
 * zero where the flow lacks it, which is why the presence bit of the section counts as looked
 * at.  Reader. */
const struct cls_rule *classifier_lookup(const struct classifier *, const struct flow *,
                                         struct flow *wc);
unsigned classifier_count(const struct classifier *);
/* Iterates in unspecified order: `cb` returns false to stop.  Reader or writer. */
void classifier_for_each(const struct classifier *, bool (*cb)(struct cls_rule *, void *),
                         void *);

#endif
