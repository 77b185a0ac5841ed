/* SPDX-License-Identifier: Apache-2.0 */
#ifndef XVS_OFPROTO_RULE_H
#define XVS_OFPROTO_RULE_H 1

/* A rule of an OpenFlow table.
 *
 * Main creates rules, puts them into tables and takes them out; a rule that is changed is
 * replaced by another with the same statistics.  Translation and the revalidator see rules in
 * lookups, and keep references beyond the RCU read-side section.  Members are constant once the
 * rule is in a table, but for those marked.  About 460 bytes each with a match on three fields
 * and one action (measured by test-oftables). */

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>
#include "flow/classifier.h"
#include "openflow/of-actions.h"
#include "util/strbuf.h"

/* What happened to packets of a rule; shared by the versions of it that modifications make. Any
 * thread. */
struct rule_stats {
    _Atomic uint32_t refcnt;
    _Atomic uint64_t n_packets, n_bytes;
    _Atomic int64_t used_ms; /* last packet, or creation */
};

struct rule_ref { /* one group or meter that the rule names */
    struct cds_list_head node;
    struct rule *rule;
};

struct rule {
    struct cls_rule cls; /* match, priority, versions */
    uint64_t cookie;
    int64_t created_ms;
    _Atomic int64_t modified_ms; /* hard time-outs count from here; any thread may write */
    struct rule_stats *stats;
    _Atomic uint32_t refcnt;
    uint8_t table_id;
    bool hidden;    /* the switch's own: not shown to controllers unless asked for by table */
    uint16_t flags; /* OFPFF_* */
    uint16_t importance;
    _Atomic uint16_t idle_timeout, hard_timeout; /* seconds, 0: none; written by main */
    uint32_t acts_len;

    struct rcu_head rcu;
    struct cds_list_head expiry_node, cookie_node; /* main: oftables' */
    struct rule_ref *refs;                         /* main: n_refs of them */
    uint16_t n_refs;
    uint8_t end_reason;       /* main: why it goes */
    bool has_learn;           /* deletes what it learned */
    struct rule *succ;        /* main: what replaces it while a transaction is under way */
    struct rule *retire_next; /* main */
    struct evict_group *evict_group; /* main: eviction.c, or NULL */
    uint32_t evict_pos;
    uint64_t acts[]; /* acts_len bytes: the instruction list */
};
static inline const struct of_act *
rule_acts(const struct rule *r)
{
    return (const struct of_act *) (const void *) r->acts;
}
/* for (each action `a` of a rule) */
#define RULE_ACT_FOR_EACH(a, r) OF_ACT_FOR_EACH(a, rule_acts(r), (r)->acts_len)

/* Main: how many rules, as seen in a version, are on the list of those that name a group or a
 * meter. */
unsigned rule_refs_count(const struct cds_list_head *refs, uint64_t version);
/* The last answer, for the same list: it holds for all questions about one version. */
struct rule_count {
    uint64_t version; /* 0: none yet */
    unsigned n;
};

/* Any thread; a rule found by a lookup may be referred to within the read-side section.  The
 * last reference frees at once, which is why the table's own goes after a grace period.  NULL
 * is fine for rule_unref(). */
struct rule *rule_ref(struct rule *);
void rule_unref(struct rule *);
/* Packets that hit the rule, the last at `used_ms`. */
void rule_credit(struct rule *, uint64_t n_packets, uint64_t n_bytes, int64_t used_ms);
/* A snapshot of numbers; exact when nothing moves. */
struct rule_counts {
    uint64_t n_packets, n_bytes;
    int64_t used_ms;
};
struct rule_counts rule_get_counts(const struct rule *);
/* Appends the line that bridge/dump-flows shows, with a newline. */
void rule_format(const struct rule *, bool offload_stats, struct strbuf *);

#endif
