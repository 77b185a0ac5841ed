/* SPDX-License-Identifier: Apache-2.0 */
#ifndef XVS_OFPROTO_RULE_WALK_H
#define XVS_OFPROTO_RULE_WALK_H 1

/* Walks over the rules of the tables that may take many turns of the event loop.  Main thread.
 */

#include "ofproto/oftables.h"

struct rule_list {
    struct rule **rules;
    size_t n, cap;
};
void rule_list_add(struct rule_list *, struct rule *);

/* Over the rules of a selection that are visible in `version`, the present one or that of the
 * transaction under way, in the order of dumps.  May pause while later transactions are made,
 * but keeps rules of the past from being taken out of the tables meanwhile. */
struct rule_walk {
    struct oftables *tables; /* NULL: ended */
    struct flow_select sel;
    int priority;
    bool any_out; /* whatever they output to */
    uint64_t version;
    unsigned table, end; /* the one that it is in, or comes to; where it ends */
    bool in_table;
    struct cls_walk cls;
    struct rule_list few; /* by cookie, instead of tables */
    size_t next_few;
    bool done; /* for the caller */
};
/* `priority` negative: any within the match; else those of this very match and priority that
 * the writer has.  The walk may not move in memory until rule_walk_end(). */
void rule_walk_begin(struct rule_walk *, struct oftables *, const struct flow_select *,
                     int priority, bool any_out, uint64_t version);
/* The next rule; NULL: none left (`done`), or the slice is spent. */
struct rule *rule_walk_next(struct rule_walk *, struct slice *);
void rule_walk_end(struct rule_walk *); /* idempotent */
/* So many rules of the past are waiting to be taken out that a walk that need not begin now
 * had better let them go first; oftables_run() sees to it. */
bool oftables_walk_must_wait(const struct oftables *);

#endif
