/* SPDX-License-Identifier: Apache-2.0 */
#ifndef XVS_OFPROTO_TABLES_H
#define XVS_OFPROTO_TABLES_H 1

/* The OpenFlow tables of a bridge: rules and what they do.
 *
 *   function                                  thread
 *   create, destroy, insert, remove, find     main
 *   lookup, for_each                          any, in an RCU read-side section
 *   rule_ref, rule_unref, rule_credit         any
 */

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>
#include "flow/classifier.h"
#include "os/rcu.h"
#include "util/strbuf.h"

#define OFTABLES_MAX 255u

enum of_action_type { OF_ACTION_NORMAL };
struct of_action {
    enum of_action_type type;
};

struct rule {
    struct cls_rule cls;
    uint8_t table_id;
    uint64_t cookie;
    int64_t created_ms;
    /* One for the table (until a grace period after removal), one per megaflow that credits it.
     */
    _Atomic uint32_t refcnt;
    _Atomic uint64_t n_packets, n_bytes;
    struct rcu_head rcu;
    unsigned n_actions;
    struct of_action actions[];
};

/* A rule for `table_id` with one reference, for oftables_insert() to take. */
struct rule *rule_create(uint8_t table_id, const struct flow *match, const struct flow *mask,
                         int priority, const struct of_action *, unsigned n_actions);
struct rule *rule_ref(struct rule *);
void rule_unref(struct rule *);
void rule_credit(struct rule *, uint64_t n_packets, uint64_t n_bytes);
/* Appends the line that bridge/dump-flows shows, with a newline. */
void rule_format(const struct rule *, bool offload_stats, struct strbuf *);

struct oftables;
struct oftables *oftables_create(void);
void oftables_destroy(struct oftables *);               /* no reader left; removes all rules */
void oftables_insert(struct oftables *, struct rule *); /* takes it; replaces an equal one */
void oftables_remove(struct oftables *, struct rule *);
/* The rule that `flow` hits in a table, or NULL.  Ors into `wc` what was looked at. */
struct rule *oftables_lookup(const struct oftables *, uint8_t table_id, const struct flow *,
                             struct flow *wc);
/* By table, and within one by falling priority.  `cb` must not change the tables. */
void oftables_for_each(const struct oftables *, void (*cb)(struct rule *, void *), void *aux);
unsigned oftables_count(const struct oftables *);

#endif
