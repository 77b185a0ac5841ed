/* SPDX-License-Identifier: Apache-2.0 */
#ifndef XVS_OFPROTO_TABLES_PRIVATE_H
#define XVS_OFPROTO_TABLES_PRIVATE_H 1

/* Shared by the files that make up a bridge's OpenFlow state: tables, transactions, expiry,
 * eviction, learning, groups, meters.  Main thread, but for what is marked. */

#include "log/log.h"
#include "ofproto/groups.h"
#include "ofproto/meters.h"
#include "ofproto/oftables.h"
#include "ofproto/rule-walk.h"
#include "os/rcu-table.h"
#include "os/thread.h"
#include "util/hash.h"

/* Rules with one cookie other than 0. */
struct cookie_set {
    uint64_t cookie;
    struct cds_list_head rules;
    unsigned n;
};

/* Rules with one cookie in one table, as learn actions name them. */
struct table_cookie {
    uint64_t cookie, table_id;
};
static inline uint32_t
table_cookie_hash(const struct table_cookie *k)
{
    return (uint32_t) hash_mix64(hash_mix64(0, k->cookie), k->table_id);
}
static inline bool
table_cookie_equal(const struct table_cookie *a, const struct table_cookie *b)
{
    return a->cookie == b->cookie && a->table_id == b->table_id;
}

/* Rules whose learn actions delete what they learned when the last of them goes. */
struct learned {
    struct table_cookie key;
    unsigned n;
    struct learned *next; /* while it waits for that */
};

struct oftable {
    struct classifier *_Atomic cls; /* RCU; NULL while the table was never used */
    struct oftable_config config;
    _Atomic uint8_t miss;      /* enum oftable_miss, of config: for translation */
    uint32_t n_rules;          /* not leaving, as the transaction under way has them */
    uint32_t n_visible;        /* in the version that readers start with */
    bool vacancy_is_low;       /* the last event was VACANCY_DOWN */
    struct evict_index *evict; /* eviction.c; NULL: never had to make room */
    _Atomic uint64_t n_lookup, n_matched;
};

#define EXPIRY_SLOTS 1024u

/* What the tables are to do by themselves: own-work.c. */
struct own_work {
    bool flush;                /* everything is to go */
    struct rule *first;        /* what the tables begin anew with then; NULL: nothing */
    struct rule *last;         /* behind all that: one like this is to go; NULL: none */
    unsigned n_settle;         /* tables of which settle[] is true */
    bool settle[OFTABLES_MAX]; /* the table may be beyond its limit */
    bool tell_idle;            /* ops.idle is due */
};

struct oftables {
    struct oftables_ops ops;
    _Atomic uint64_t version; /* readers start with */
    struct oftable t[OFTABLES_MAX];
    struct groups *groups; /* groups.c */
    struct meters *meters; /* meters.c */
    struct oftxn *txn;     /* under way, or NULL */
    struct own_work own;
    unsigned n_walks;   /* under way: rules of the past stay where they are */
    unsigned n_partial; /* tables whose evict is not whole yet */

    /* While they are being destroyed. */
    bool is_ending, is_alone; /* begun; no callback of others will come any more */
    unsigned n_ended;         /* tables that are */
    struct slice *end_slice;

    struct rcu_table cookies;  /* struct cookie_set */
    struct rcu_table learned;  /* struct learned */
    struct learned *forgotten; /* without learners since the last commit */

    struct retired *retired, **retired_tail;   /* batches of rules, until readers are gone */
    unsigned n_retired;                        /* rules in them */
    struct cds_list_head expiry[EXPIRY_SLOTS]; /* by second of the next look, modulo */
    int64_t expiry_s;                          /* last second that was looked at and is over */
    unsigned n_expirable;

    struct mutex queue_mutex; /* guards: */
    struct queued *queue_head, **queue_tail;
    unsigned n_queued;
    struct queued *taken;    /* main: off the queue, not made yet */
    struct rcu_table limits; /* struct learn_limit, of learn-limit.c; written by main */
};

/* ---- Transactions: oftxn.c ---- */

enum undo_type {
    UNDO_ADD,
    UNDO_REMOVE,
    UNDO_REPLACE, /* an added rule takes the place of its like */
    UNDO_MODIFY,
    UNDO_GROUP
};
/* One step of a transaction, in order; rollback goes backwards. */
struct undo {
    enum undo_type type;
    struct rule *rule, *old;         /* added; removed: REPLACE and MODIFY have both */
    struct group *group, *old_group; /* GROUP: either may be NULL */
};
/* A flow mod of many rules under way: which they are, then one after the other. */
struct oftxn_mass {
    bool found;
    struct rule_walk walk;
    struct rule_list list;
    bool any_hidden; /* the switch's own among them */
    size_t next;
};
/* Groups or meters whose rules are being removed. */
struct oftxn_refs {
    void **all;
    uint32_t n, next;
    struct cds_list_head *at; /* in the next one's list of rules; NULL: at its beginning */
};
struct oftxn {
    struct oftables *tables;
    uint64_t version; /* in which the changes are seen */
    struct of_requester req;
    struct undo *u;
    size_t n, cap;
    struct oftxn_mass *mass; /* flow-mod.c; NULL: none */
    struct oftxn_refs *refs; /* rule-index.c; NULL: none */
    struct own_job *job;     /* own-work.c: a transaction of the tables' own; NULL: none */
    bool again;              /* goes on with what was learned by rules that went in it */
    bool shown;              /* to readers: there is no way back */
    size_t n_told;           /* steps that listeners have heard of */
    struct rule *gone;       /* what went in them */
    unsigned n_gone;
    bool touched[OFTABLES_MAX];
};
struct undo *oftxn_record(struct oftxn *, enum undo_type);
/* Back to `n` steps. */
void oftxn_undo_to(struct oftxn *, size_t n);
/* The rule goes in this transaction, for a reason. */
void oftxn_remove_rule(struct oftxn *, struct rule *, enum of_flow_removed_reason);

/* ---- Groups' part in them: groups.c ----
 *
 * A group mod takes effect for the writer at once (oftxn_record(UNDO_GROUP) with what was and
 * what is), for readers with the version.  The list of rules moves to the new group with it,
 * and back at rollback. */

struct groups *groups_create(void);
void groups_destroy(struct groups *); /* no reader left */
/* At commit: readers see `old` no more; free it, and what it was in, after a grace period. */
void groups_commit(struct oftables *, struct group *new_group, struct group *old_group);
/* At rollback: `new_group` was never seen, `old_group` stays. */
void groups_rollback(struct oftables *, struct group *new_group, struct group *old_group);
/* Before the version moves, after all changes. */
void groups_publish(struct oftables *);
/* Takes groups of the past out of reach when readers are done with them; oftables_run() calls
 * it.  True: there are more, for a later call. */
bool groups_run(struct oftables *);
/* The group as the transaction under way has it, or NULL. */
struct group *groups_find(const struct oftables *, uint32_t id);
/* Removes a group (OFPG_ALL: every one) and the rules that name it.  False: not done yet. */
bool oftxn_delete_groups_some(struct oftxn *, uint32_t id, struct slice *);

struct meters *meters_create(void);
void meters_destroy(struct meters *);
struct meter *meters_find(const struct oftables *, uint32_t id);
void meters_remove_all(struct oftables *); /* their rules are gone */

/* ---- Rules: rule.c ---- */

/* With one reference, new statistics, no time-outs.  Constant members may be changed until it
 * is in a table. */
struct rule *rule_create(uint8_t table_id, const struct of_match *, int priority,
                         const struct of_act *, size_t acts_len);
/* Has the rule count where `old` counts. */
void rule_share_stats(struct rule *, const struct rule *old);
/* The reference goes after a grace period. */
void rule_unref_later(struct rule *);
/* Links the rule with the groups and meters that it names (which exist); and back. */
void rule_link_refs(struct oftables *, struct rule *);
void rule_unlink_refs(struct rule *);
/* When the rule expires if nothing happens; INT64_MAX: never.  `*reason` if not NULL. */
int64_t rule_expires_ms(const struct rule *, enum of_flow_removed_reason *reason);
/* The group and meter ids that a list of actions names, also in nested lists: calls back for
 * each; stops when `cb` returns false, and returns that. */
bool acts_for_each_ref(const struct of_act *, size_t len,
                       bool (*cb)(bool is_meter, uint32_t id, void *), void *aux);
/* Every learn action, also in nested lists. */
void acts_for_each_learn(const struct of_act *, size_t len,
                         void (*cb)(const struct of_act_learn *, void *), void *aux);

/* ---- Indexes of rules: rule-index.c ---- */

/* By cookie, by time of expiry, by what they name. */
void rule_index_add(struct oftables *, struct rule *);
void rule_index_remove(struct oftables *, struct rule *);
struct cookie_set *cookie_find(const struct oftables *, uint64_t cookie);
struct learned *learned_find(const struct oftables *, const struct table_cookie *);
/* Its time-outs changed. */
void rule_index_expiry(struct oftables *, struct rule *);
/* `n` groups or meters are to go: takes the array, which is malloc'ed. */
void oftxn_refs_begin(struct oftxn *, void **all, uint32_t n);
/* Removes the rules in the list of the next one.  False: not done yet. */
bool oftxn_refs_remove(struct oftxn *, struct cds_list_head *rules, enum of_flow_removed_reason,
                       struct slice *);
void oftxn_refs_end(struct oftxn *); /* idempotent */

/* ---- Limits of learning: learn-limit.c ---- */

/* A rule on its way to main.  Part of what is queued. */
struct learn_wait {
    const struct of_flow_mod *fm;
    struct learn_wait *next;
    bool linked;
};
/* A rule with the learn action comes or goes (`by`: 1, -1).  Main. */
void learn_limit_watch(struct oftables *, const struct of_act_learn *, int by);
/* A rule comes into the indexes of its table, or leaves them.  Main. */
void learn_limit_count(struct oftables *, const struct rule *, int by);
/* Rules with the mod's cookie in its table: as counted, or counted now.  Main. */
uint32_t learn_limit_rules(struct oftables *, const struct of_flow_mod *);
/* Would the mod's rule, which is not there, be one too many?  Any thread; queue_mutex held. */
bool learn_limit_reached__(const struct oftables *, const struct of_flow_mod *, uint32_t limit);
/* Counts it from now on, until learn_limit_done().  queue_mutex held. */
void learn_limit_wait__(struct oftables *, struct learn_wait *);
/* It was made, or refused.  Main, without the mutex. */
void learn_limit_done(struct oftables *, struct learn_wait *);

/* ---- oftables.c ---- */

/* Rules in the order of dumps, as the transaction under way has them; the array is the
 * caller's. `any_out`: whatever they output to. */
struct rule_list oftables_collect(struct oftables *, const struct flow_select *, bool any_out);
static inline struct classifier *
oftable_cls(const struct oftables *t, uint8_t table_id) /* writer */
{
    return atomic_load_explicit(&t->t[table_id].cls, memory_order_relaxed);
}
struct classifier *oftable_cls_create(struct oftables *, uint8_t table_id);

/* ---- oftxn.c ---- */

/* Puts the rule in, instead of `old` (which may be NULL). */
void oftxn_insert_rule(struct oftxn *, struct rule *, struct rule *old);
/* Ends a transaction that nobody will go on with, one way or the other. */
void oftxn_end(struct oftxn *);
/* If a transaction is under way, over several turns: has it ended now. */
void oftables_settle(struct oftables *);
/* Takes back what is left of a transaction's beginnings of work of many rules.  Idempotent. */
void oftxn_drop_work(struct oftxn *);

/* ---- own-work.c ---- */

/* Commits a transaction of the tables' own, what is left over when the slice is spent in later
 * calls of oftables_run(). */
void oftables_commit_own(struct oftables *, struct oftxn *, struct slice *);
/* Goes on with what the tables do by themselves; what is left wakes main. */
void oftables_run_own(struct oftables *, struct slice *);
/* The job of the transaction that is under way is to end now. */
void oftables_finish_job(struct oftables *);
/* Takes rules out of a table that is beyond its limit, and tells how full it is. */
void oftables_settle_table(struct oftables *, uint8_t table_id);
void own_job_free(struct own_job *); /* NULL is fine */
void oftables_own_destroy(struct oftables *);

/* ---- retire.c ---- */

/* `n` rules that readers of the present version do not see, linked by retire_next. */
void oftables_retire(struct oftables *, struct rule *first, unsigned n);
/* Takes rules out of the tables whose readers are gone; what is left wakes main. */
void oftables_bury(struct oftables *, struct slice *);

/* ---- flow-mod.c ---- */

/* Removes the rules of a selection (NULL: goes on).  False: not done yet. */
bool oftxn_remove_some(struct oftxn *, const struct flow_select *, struct slice *);
void oftxn_mass_end(struct oftxn *); /* idempotent */

/* ---- eviction.c ---- */

/* Indexes a table's rules, as the transaction under way has them, for oftable_victim(), which
 * does it at once if need be.  False: not done yet. */
bool oftable_evict_prepare(struct oftxn *, uint8_t table_id, struct slice *);
void oftables_evict_abandon(struct oftables *); /* indexes that are not whole yet */
/* The rule of a table that has to make room for another, or NULL. */
struct rule *oftable_victim(struct oftxn *, uint8_t table_id);
void oftable_check_vacancy(struct oftables *, uint8_t table_id);
/* A rule comes into its table, or leaves it (in a transaction). */
void oftable_evict_add(struct oftables *, struct rule *);
void oftable_evict_remove(struct oftables *, struct rule *);
/* Before the table's configuration changes, and at its end. */
void oftable_evict_clear(struct oftables *, uint8_t table_id);

/* ---- expiry.c, learn.c ---- */

void oftables_expire(struct oftables *, struct slice *);
/* Makes queued changes; what is left wakes main. */
void oftables_run_queue(struct oftables *, struct slice *);
void oftables_queue_destroy(struct oftables *);

#endif
