/* SPDX-License-Identifier: Apache-2.0 */
#ifndef XVS_OFPROTO_GROUPS_H
#define XVS_OFPROTO_GROUPS_H 1

/* OpenFlow groups of a bridge.  Main changes them in transactions of the tables (ofproto/
 * oftables.h); translation looks them up under RCU, by version.  A group that is changed is
 * replaced by another; buckets with the same id keep their statistics, and so does the group.
 *
 *   function                                 thread
 *   group_lookup                             any, in an RCU read-side section
 *   group_ref, group_unref, group_credit     any
 *   everything else                          main */

#include "ofproto/oftables.h"

struct group_counts { /* shared by the versions of a group or bucket; any thread */
    _Atomic uint32_t refcnt;
    _Atomic uint64_t n_packets, n_bytes;
};
struct group_bucket {
    uint32_t id;
    uint16_t weight, watch_port; /* OFPP_NONE */
    uint32_t watch_group;        /* OFPG_ANY */
    const struct of_act *acts;   /* an action set */
    size_t acts_len;
    struct group_counts *counts;
};
struct group_field { /* what selection_method=hash looks at */
    enum of_field f;
    struct of_value mask;
};
/* Constant while it is in use but for what is marked. */
struct group {
    uint32_t id;
    enum of_group_type type;
    int64_t created_ms, modified_ms;
    char selection_method[16]; /* "", "hash", "dp_hash" */
    uint64_t selection_param;
    unsigned n_fields, n_buckets;
    struct group_field *fields;
    struct group_bucket *buckets;
    struct group_counts *counts;

    uint64_t added;              /* first version with the group */
    _Atomic uint64_t removed;    /* first version without it; written by main */
    struct group *_Atomic older; /* what it replaced, until no reader wants that; by main */
    _Atomic uint32_t refcnt;     /* one for the table */
    struct cds_list_head rules;  /* main: rule_ref of the rules that name the group */
    struct group *newer;         /* main: what is before it in the chain of its id, or NULL */
    struct rule_count n_rules;   /* main: of `rules` and those of newer ones */
    uint64_t visit;              /* main: stamp of the last search for loops that came by */
    struct rcu_head rcu;
};

struct groups;
/* The group as seen in a version, or NULL.  Reader. */
const struct group *group_lookup(const struct oftables *, uint64_t version, uint32_t id);
struct group *group_ref(const struct group *);
void group_unref(struct group *); /* any thread */
/* Packets that came to a group (NULL: which has counted them, by another bucket), and to one of
 * its buckets (NULL: to none).  Any thread. */
void group_credit(const struct group *, const struct group_bucket *, uint64_t n_packets,
                  uint64_t n_bytes);

/* One change: OF_OK, or what is wrong and nothing is changed:
 *   OFPGMFC_GROUP_EXISTS    added again
 *   OFPGMFC_UNKNOWN_GROUP   modified, or its buckets, but not there
 *   OFPGMFC_INVALID_GROUP   an id out of range; an indirect group without its one bucket
 *   OFPGMFC_UNKNOWN_BUCKET  insertion behind, or removal of, a bucket that is not there
 *   OFPGMFC_BUCKET_EXISTS   a bucket id twice
 *   OFPGMFC_LOOP            the group would come to itself through groups in its buckets
 *   OFPGMFC_OUT_OF_GROUPS, OFPGMFC_OUT_OF_BUCKETS, OFPGMFC_BAD_TYPE, OFPGMFC_BAD_COMMAND
 * Deletion takes the rules that name the group with it, other groups that name it stay. */
enum of_err oftxn_group_mod(struct oftxn *, const struct of_group_mod *);
/* The same a slice at a time, as oftxn_flow_mod_some(): deletion takes as long as there are
 * rules. */
bool oftxn_group_mod_some(struct oftxn *, const struct of_group_mod *, struct slice *,
                          enum of_err *err);
enum of_err
oftables_group_mod(struct oftables *, const struct of_group_mod *, const struct of_requester *);
/* Current groups by rising id (`id` OFPG_ALL: all).  `cb` changes none, returns false to stop.
 */
void groups_for_each(struct oftables *, uint32_t id, bool (*cb)(const struct group *, void *),
                     void *aux);
/* Rules that name the group, as readers see both. */
unsigned group_n_rules(const struct oftables *, const struct group *);
unsigned groups_count(const struct oftables *);
#define OFTABLES_MAX_GROUPS OFPG_MAX
/* Statistics of more would not fit into a message. */
#define GROUP_MAX_BUCKETS 4000u

#endif
