/* SPDX-License-Identifier: Apache-2.0 */
#ifndef XVS_OFPROTO_GROUPS_H
#define XVS_OFPROTO_GROUPS_H 1

/* OpenFlow groups of a bridge.  Main changes them in transactions of the tables (ofproto/
 * oftables.h); translation looks them up under RCU, by version.  A group that is changed is
 * replaced by another; buckets with the same id keep their statistics. */

#include "ofproto/oftables.h"

struct group_counts {
    _Atomic uint64_t n_packets, n_bytes;
    _Atomic uint32_t refcnt;
};
struct group_bucket {
    uint32_t id;
    uint16_t weight, watch_port;
    uint32_t watch_group;
    const struct of_act *acts; /* an action set */
    size_t acts_len;
    struct group_counts *counts;
};
struct group {
    struct cls_rule cls; /* private: how it is found by id and version */
    uint32_t id;
    enum of_group_type type;
    int64_t created_ms, modified_ms;
    struct group_counts *counts;
    struct of_group_props props; /* fields are the group's own */
    _Atomic uint32_t refcnt;
    unsigned n_buckets;
    struct group_bucket *buckets;
    struct cds_list_head rules; /* main: rule_ref of the rules that name it */
    struct cds_list_head node;  /* main: all groups, by id */
    struct group *retire_next;
    struct rcu_head rcu;
};

struct groups;
/* Reader. */
const struct group *group_lookup(const struct oftables *, uint64_t version, uint32_t id);
struct group *group_ref(const struct group *);
void group_unref(struct group *); /* any thread */
/* Packets that came to a group, and to one of its buckets (NULL: to none).  Any thread. */
void group_credit(const struct group *, const struct group_bucket *, uint64_t n_packets,
                  uint64_t n_bytes);

/* Main.  Errors OFPGMFC_*, OFPBAC_*; deletion takes the rules that name the group with it. */
enum of_err oftxn_group_mod(struct oftxn *, const struct of_group_mod *);
enum of_err
oftables_group_mod(struct oftables *, const struct of_group_mod *, const struct of_requester *);
/* Current groups by rising id (`id` OFPG_ALL: all). */
void groups_for_each(struct oftables *, uint32_t id, bool (*cb)(const struct group *, void *),
                     void *aux);
unsigned group_n_rules(const struct group *); /* rules that name it */
unsigned groups_count(const struct oftables *);
#define OFTABLES_MAX_GROUPS OFPG_MAX

#endif
