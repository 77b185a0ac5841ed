/* SPDX-License-Identifier: Apache-2.0 */
#ifndef XVS_OFPROTO_METERS_H
#define XVS_OFPROTO_METERS_H 1

/* OpenFlow meters of a bridge: configuration, and which rules use them.  The policing is the
 * datapath's, by ids of its own, which translation finds here. */

#include "ofproto/oftables.h"

#define OFMETERS_MAX 262144u
#define OFMETERS_MAX_BANDS 8u

struct meter {
    uint32_t id;
    uint32_t dp_id; /* in the datapath */
    uint16_t flags;
    int64_t created_ms;
    unsigned n_bands;
    struct of_meter_band bands[OFMETERS_MAX_BANDS];
    struct cds_list_head rules; /* rule_ref of the rules that name it */
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
    int (*set)(void *aux, const struct meter *, uint32_t *dp_id);
    void (*del)(void *aux, uint32_t dp_id);
    bool (*get_counts)(void *aux, uint32_t dp_id, struct meter_counts *);
};

struct meters;
/* Any thread: the datapath's id of a meter; false if there is none. */
bool meter_lookup(const struct oftables *, uint32_t id, uint32_t *dp_id);

/* Main.  `ops` NULL: meters are refused as there is no datapath that has them. */
void meters_set_ops(struct oftables *, const struct meter_ops *);
/* Errors OFPMMFC_*.  Deletion takes the rules that name the meter with it. */
enum of_err
oftables_meter_mod(struct oftables *, const struct of_meter_mod *, const struct of_requester *);
const struct meter *meter_find(const struct oftables *, uint32_t id);
/* By rising id. */
void meters_for_each(struct oftables *, bool (*cb)(const struct meter *, void *), void *aux);
bool meter_get_counts(struct oftables *, const struct meter *, struct meter_counts *);
unsigned meter_n_rules(const struct meter *);
unsigned meters_count(const struct oftables *);

#endif
