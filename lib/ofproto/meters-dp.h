/* SPDX-License-Identifier: Apache-2.0 */
#ifndef XVS_OFPROTO_METERS_DP_H
#define XVS_OFPROTO_METERS_DP_H 1

/* Meters of bridges in a datapath that polices them: one pool of the datapath's ids for all of
 * its bridges.  Main. */

#include "datapath/dp.h"
#include "ofproto/meters.h"

struct meters_dp;
/* Borrows the datapath. */
struct meters_dp *meters_dp_create(struct dp *);
/* After the tables of all bridges, or after they were told to use others. */
void meters_dp_destroy(struct meters_dp *);
/* For meters_set_ops(), as long as `meters_dp` lives. */
const struct meter_ops *meters_dp_ops(const struct meters_dp *);

#endif
