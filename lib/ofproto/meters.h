/* SPDX-License-Identifier: Apache-2.0 */
#ifndef XVS_OFPROTO_METERS_H
#define XVS_OFPROTO_METERS_H 1

/* OpenFlow meters of a bridge: configuration, and which rules use them.  The policing is the
 * datapath's, by ids of its own, which translation finds here. */

#include "ofproto/oftables.h"

#define OFMETERS_MAX 262144u
#define OFMETERS_MAX_BANDS OF_METER_MAX_BANDS

struct meter {
    uint32_t id;                   /* constant */
    uint32_t dp_id;                /* in the datapath; constant */
    int64_t created_ms;            /* main, from here */
    struct of_meter_config config; /* as last set */
    struct cds_list_head rules;    /* rule_ref of the rules that name it */
    struct rule_count n_rules;     /* of them */
    struct rcu_head rcu;
};
struct meter_band_counts {
    uint64_t n_packets, n_bytes;
};
struct meter_counts {
    uint64_t n_packets, n_bytes;
    struct meter_band_counts bands[OFMETERS_MAX_BANDS];
};
/* What meters want of the datapath.  Main. */
struct meter_ops {
    void *aux;
    /* Makes a meter, or changes the one with `*dp_id` (UINT32_MAX: new).  Positive errno. */
    int (*set)(void *aux, const struct of_meter_config *, uint32_t *dp_id);
    void (*del)(void *aux, uint32_t dp_id);
    bool (*get_counts)(void *aux, uint32_t dp_id, struct meter_counts *);
};

struct meters;
/* The datapath's id of a meter; false if there is none.  Any thread, in an RCU read-side
 * section. */
bool meter_lookup(const struct oftables *, uint32_t id, uint32_t *dp_id);

/* Main.  `ops` NULL: meters are refused as there is no datapath that has them. */
void meters_set_ops(struct oftables *, const struct meter_ops *);
/* OF_OK, or what is wrong and nothing is changed:
 *   OFPMMFC_METER_EXISTS    added again
 *   OFPMMFC_UNKNOWN_METER   modified, but not there
 *   OFPMMFC_INVALID_METER   0, or an id out of range
 *   OFPMMFC_BAD_FLAGS, BAD_RATE, BAD_BAND (dscp_remark too), OUT_OF_BANDS, OUT_OF_METERS (also
 *   when there is no datapath for them), BAD_COMMAND; OFPMMFC_UNKNOWN: the datapath failed.
 * Deletion takes the rules that name the meter with it. */
enum of_err
oftables_meter_mod(struct oftables *, const struct of_meter_mod *, const struct of_requester *);
/* Deletion a slice at a time: first the rules that name the meter (OFPM_ALL: any) go in a
 * transaction, so that none of them is seen without its limit (false: not done yet).  When that
 * is committed, the meter goes, before there can be other rules that name it. */
bool oftxn_end_meter_rules_some(struct oftxn *, uint32_t id, struct slice *);
void oftables_remove_meter(struct oftables *, uint32_t id);
/* Borrowed until the next meter mod; NULL: none. */
const struct meter *meter_find(const struct oftables *, uint32_t id);
/* By rising id. */
void meters_for_each(struct oftables *, bool (*cb)(const struct meter *, void *), void *aux);
/* From the datapath; false: it has no such meter, or there is no datapath. */
bool meter_get_counts(struct oftables *, const struct meter *, struct meter_counts *);
unsigned meter_n_rules(const struct oftables *, const struct meter *); /* that name it */
unsigned meters_count(const struct oftables *);

#endif
