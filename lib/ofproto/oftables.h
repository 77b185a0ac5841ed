/* SPDX-License-Identifier: Apache-2.0 */
#ifndef XVS_OFPROTO_OFTABLES_H
#define XVS_OFPROTO_OFTABLES_H 1

/* The OpenFlow state of a bridge that controllers program: tables 0..254 of rules, groups and
 * meters, changed in transactions.
 *
 * All changes are made in a transaction (oftxn), of which main has at most one at a time for
 * each oftables.  Those that take many turns of the event loop have the others wait.  Readers
 * start with a version, which they pass to each lookup: they see all of a transaction or
 * nothing of it.  Rules that went stay in memory for a grace period, and in their classifier
 * until oftables_run() some time behind it.
 *
 *   function                                           thread
 *   oftables_version, oftables_lookup, oftables_miss,
 *     group_lookup, meter_lookup                       any, in an RCU read-side section
 *   oftables_learn, oftables_would_learn, oftables_fin_timeout,
 *     oftables_credit_table, rule_ref/unref/credit     any
 *   everything else                                    main */

#include "ofproto/flow-mod.h"
#include "ofproto/rule.h"
#include "os/slice.h"

#define OFTABLES_MAX 255u
#define OFTABLE_ALL 255u
#define OFTABLE_HIDDEN                                                                         \
    254u /* the switch's own rules; n_tables as told to controllers is this */

struct oftables;

enum rule_event { RULE_EV_ADDED, RULE_EV_MODIFIED, RULE_EV_DELETED };
/* Called on main at the end of a transaction, when readers see the change. */
struct oftables_ops {
    void *aux;
    /* For flow monitors: `old` is what a modified rule was before.  `owner` and `xid` of the
     * transaction, `reason`: enum of_flow_removed_reason of a deletion. */
    void (*rule_event)(enum rule_event, const struct rule *, const struct rule *old,
                       uint8_t reason, const struct of_requester *, void *aux);
    /* A rule with OFPFF_SEND_FLOW_REM is gone. */
    void (*flow_removed)(const struct rule *, uint8_t reason, void *aux);
    /* A table's vacancy crossed a threshold: OFPTR_VACANCY_DOWN (3) or _UP (4). */
    void (*table_status)(uint8_t table_id, uint8_t reason, void *aux);
    /* Translations made before may be wrong. */
    void (*changed)(void *aux);
    /* Somebody cannot wait for the transaction that is under way over several turns: commits it
     * or rolls it back, now.  NULL: it is rolled back, unless it was shown already. */
    void (*settle)(void *aux);
    /* Who has waited for oftables_is_busy() or oftables_walk_must_wait() may look again; called
     * by oftables_run().  NULL: nobody waits. */
    void (*idle)(void *aux);
    /* There is work for oftables_run() (any thread).  NULL: the tables' own work is done at
     * once, however long it takes. */
    void (*wake)(void *aux);
};
struct oftables *oftables_create(const struct oftables_ops *); /* NULL: nobody listens */
void oftables_destroy(struct oftables *); /* no reader left; removes all, without events */
/* The same a slice at a time.  False: not done yet; nothing else may be done with them. */
bool oftables_destroy_some(struct oftables *, struct slice *);

/* ---- Readers ---- */

/* The version to pass to lookups of one translation. */
uint64_t oftables_version(const struct oftables *);
/* The rule that `flow` hits in a table, or NULL.  Ors into `wc` what was looked at. */
struct rule *oftables_lookup(const struct oftables *, uint64_t version, uint8_t table_id,
                             const struct flow *, struct flow *wc);
/* What a packet gets that hits no rule of a table. */
enum oftable_miss {
    OFTABLE_MISS_DEFAULT, /* to controllers that speak 1.0-1.2, dropped for others */
    OFTABLE_MISS_CONTROLLER,
    OFTABLE_MISS_CONTINUE, /* goes on with the next table; as DEFAULT in the last one */
    OFTABLE_MISS_DROP
};
enum oftable_miss oftables_miss(const struct oftables *, uint8_t table_id);
/* Packets that were looked up in a table. */
void oftables_credit_table(struct oftables *, uint8_t table_id, uint64_t n_packets, bool hit);

/* The flow mod that a learn action made.  When the very rule is there, restarts its time-outs
 * and is done; otherwise queues the change for main, which makes it a moment later.  `limit`:
 * of rules with the same cookie in the table, 0 for none. */
enum oflearn_result {
    OFLEARN_REFRESHED,
    OFLEARN_QUEUED,
    OFLEARN_LIMIT,  /* refused: there are as many, or will be when what is queued is made */
    OFLEARN_DROPPED /* too much is queued: coverage counter */
};
enum oflearn_result
oftables_learn(struct oftables *, const struct of_flow_mod *, uint32_t limit);
/* What oftables_learn() would answer; nothing is refreshed or queued. */
enum oflearn_result
oftables_would_learn(struct oftables *, const struct of_flow_mod *, uint32_t limit);
/* Has limits of the learn actions in a list that is no rule's known at once (OFLEARN_LIMIT):
 * on before it is run, off behind it.  Main. */
void oftables_watch_limits(struct oftables *, const struct of_act *, size_t len, bool on);
/* fin_timeout: lowers the rule's time-outs (0: leaves it), through main unless nothing changes.
 */
void oftables_fin_timeout(struct oftables *, struct rule *, uint16_t idle, uint16_t hard);

/* ---- Transactions ---- */

/* Begins a transaction; one that is under way is settled (see ops).  The requester is copied;
 * NULL: the switch itself.  Ends with commit or rollback, which free it. */
struct oftxn;
struct oftxn *oftxn_begin(struct oftables *, const struct of_requester *);
/* One change; on error nothing of it is left, and the caller may go on or roll back. */
enum of_err oftxn_flow_mod(struct oftxn *, const struct of_flow_mod *);
/* Readers that begin from here on see all of it; then the events are told. */
void oftxn_commit(struct oftxn *);
/* Undoes the steps backwards; readers and listeners never knew. */
void oftxn_rollback(struct oftxn *);
/* The same three a slice at a time: false: not done yet, to be called again with the same (and
 * nothing else done in the transaction before).  Questions are answered as before the
 * transaction until oftxn_commit_some() was called once, and as behind it from then on.
 * Time-outs and what is learned wait.  `*err` is set when it is done. */
bool oftxn_flow_mod_some(struct oftxn *, const struct of_flow_mod *, struct slice *,
                         enum of_err *err);
bool oftxn_commit_some(struct oftxn *, struct slice *);
bool oftxn_rollback_some(struct oftxn *, struct slice *);
/* Did oftxn_commit_some() begin?  There is no way back then. */
bool oftxn_is_shown(const struct oftxn *);
/* The requester is gone. */
void oftxn_disown(struct oftxn *);
#define OFTABLES_SLICE_US 2000u /* what a turn of the event loop may well be given to these */
/* Begin, the one change, commit or rollback. */
enum of_err
oftables_flow_mod(struct oftables *, const struct of_flow_mod *, const struct of_requester *);
/* The switch's own rule; replaces an equal one.  `hidden`: controllers see it only when they
 * ask for its table, and may not change it.  A priority above 65535: they do not see it at all.
 */
void oftables_add_own(struct oftables *, uint8_t table_id, bool hidden, const struct of_match *,
                      int priority, const struct of_act *, size_t acts_len);
/* And back, as oftables_flush() and behind that; one at a time. */
void
oftables_remove_own(struct oftables *, uint8_t table_id, const struct of_match *, int priority);
/* Removes every rule, group and meter of controllers, now as far as a slice goes, the rest in
 * oftables_run(): all at once for readers, behind a transaction that is under way. */
void oftables_flush(struct oftables *);
/* The same, and the switch's own rule takes their place. */
void
oftables_begin_anew(struct oftables *, uint8_t table_id, bool hidden, const struct of_match *,
                    int priority, const struct of_act *, size_t acts_len);
/* The tables change, or are about to change, by themselves over several turns; who wants to
 * change them had better wait for ops.idle. */
bool oftables_is_busy(const struct oftables *);
/* What a turn of the event loop may well be given to tables. */
struct slice oftables_slice(void);
/* For tests: so many steps in each turn rather than what takes some time; 0: as usual. */
void oftables_set_parts(uint32_t);

/* ---- Questions ---- */

/* Rules to show: as in ofp_flow_stats_request. */
struct flow_select {
    uint8_t table_id;   /* OFTABLE_ALL: all but hidden ones */
    uint16_t out_port;  /* OFPP_NONE: any */
    uint32_t out_group; /* OFPG_ANY */
    uint64_t cookie, cookie_mask;
    struct of_match match;
    bool above; /* also the switch's own above every priority that a controller has */
};
void flow_select_init(struct flow_select *); /* everything */
/* In the order of stock dumps: by table, highest priorities of masks first, then by age.  `cb`
 * may not change the tables, and returns false to stop. */
void oftables_for_each(struct oftables *, const struct flow_select *,
                       bool (*cb)(struct rule *, void *), void *aux);
struct rule_totals {
    uint64_t n_packets, n_bytes;
    uint32_t n_flows;
};
/* Adds a rule's own; zero-initialised totals are those of none. */
void rule_totals_add(struct rule_totals *, const struct rule *);
/* Sums over what oftables_for_each() would show. */
struct rule_totals oftables_aggregate(struct oftables *, const struct flow_select *);
/* The rule with this very match and priority, as main sees it; borrowed; NULL: none. */
struct rule *
oftables_find(struct oftables *, uint8_t table_id, const struct of_match *, int priority);
unsigned oftables_count(const struct oftables *); /* rules, also hidden ones */

/* ---- Tables ---- */

struct oftable_config { /* Flow_Table record, and table-mod */
    char name[32];
    uint32_t flow_limit; /* UINT32_MAX: none but the switch's */
    bool evict;          /* Flow_Table: full, it makes room */
    enum oftable_miss miss;
    bool vacancy; /* tell when the free part falls to `down` percent or rises to `up` */
    uint8_t vacancy_down, vacancy_up;
    unsigned tries;               /* bitmap of enum cls_trie_field */
    unsigned n_groups;            /* eviction takes from the largest group of rules with ... */
    struct of_subfield groups[8]; /* ... equal values in these */
    uint16_t eviction_flags;      /* OFPTMPEF_*, as told by controllers; 0: none */
};
/* Does it make room when it is full, whoever asked for that?  Else it refuses. */
static inline bool
oftable_config_evicts(const struct oftable_config *c)
{
    return c->evict || c->eviction_flags;
}
/* No limit, no eviction, misses as the version has them, tries CLS_TRIES_DEFAULT. */
void oftable_config_init(struct oftable_config *);
/* Of a table below OFTABLES_MAX; borrowed until the next change.  With eviction, rules
 * beyond a lower limit go, like those of oftables_flush(); without, they stay, and new ones are
 * refused.  Changed tries cost time linear in the rules. */
const struct oftable_config *oftables_get_config(const struct oftables *, uint8_t table_id);
void oftables_set_config(struct oftables *, uint8_t table_id, const struct oftable_config *);
struct oftable_stats {
    uint32_t active, max_entries;
    uint64_t n_lookup, n_matched;
};
#define OFTABLE_MAX_ENTRIES 1000000u
struct oftable_stats oftables_get_stats(const struct oftables *, uint8_t table_id);

/* Has oftables_run() called soon: there is work that it has put off, or that has come up since.
 * Any thread. */
void oftables_run_soon(struct oftables *);
/* Expires rules, makes queued changes, takes rules of the past out of the classifiers; to call
 * once a second, and after ops.wake().  Commits transactions of its own. */
void oftables_run(struct oftables *);

#endif
