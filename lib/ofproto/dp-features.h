/* SPDX-License-Identifier: Apache-2.0 */
#ifndef XVS_OFPROTO_DP_FEATURES_H
#define XVS_OFPROTO_DP_FEATURES_H 1

/* What a datapath's actions and flow keys can do, under the names that `ovs-appctl
 * dpif/show-dp-features` and dpif/set-dp-features use.  "Boot" values are what the code can do;
 * run-time values are these or less, so that tests can see the switch do without.  Main. */

#include <stdbool.h>
#include "util/strbuf.h"

enum dp_feature {
    DPF_MASKED_SET_ACTION,
    DPF_TNL_PUSH_POP,
    DPF_UFID,
    DPF_TRUNC,
    DPF_CLONE,
    DPF_SAMPLE_NESTING,
    DPF_CT_EVENTMASK,
    DPF_CT_CLEAR,
    DPF_MAX_HASH_ALG,
    DPF_CHECK_PKT_LEN,
    DPF_CT_TIMEOUT,
    DPF_EXPLICIT_DROP_ACTION,
    DPF_LB_OUTPUT_ACTION,
    DPF_CT_ZERO_SNAT,
    DPF_ADD_MPLS,
    DPF_MAX_VLAN_HEADERS,
    DPF_MAX_MPLS_DEPTH,
    DPF_RECIRC,
    DPF_CT_STATE,
    DPF_CT_ZONE,
    DPF_CT_MARK,
    DPF_CT_LABEL,
    DPF_CT_STATE_NAT,
    DPF_CT_ORIG_TUPLE,
    DPF_CT_ORIG_TUPLE6,
    DPF_ND_EXT,
    DPF_N
};

struct dp_features {
    unsigned boot[DPF_N];
    unsigned now[DPF_N];
};

/* Both sets to what the code can do and vlan-limit lets it. */
void dp_features_init(struct dp_features *);
/* "Title: value" lines of what is possible, as dpif/show-dp-features prints them. */
void dp_features_show(struct strbuf *, const struct dp_features *);
/* One line with both values for feature `name`, or for all if that is NULL.  False with a
 * sentence in `s` if there is no such feature. */
bool dp_features_list(struct strbuf *, const struct dp_features *, const char *name);
/* Sets a run-time value from text.  NULL, or why not. */
const char *dp_features_set(struct dp_features *, const char *name, const char *value);

#endif
