/* SPDX-License-Identifier: Apache-2.0 */
#ifndef XVS_FLOW_FLOW_FILTER_H
#define XVS_FLOW_FLOW_FILTER_H 1

/* The `filter=` of flow dumps: exact values of fields by their OpenFlow names. */

#include "flow/flow.h"

/* Parses "tcp,in_port=2,nw_dst=10.0.0.1 tp_dst=80": names of protocols, and FIELD=VALUE or
 * FIELD(VALUE), separated by commas or space.  `flow` gets the values, `mask` the bits that they
 * fix.  `port_no` (may be NULL) maps a port's name to its number, -1 if unknown.  0, or EINVAL
 * with a sentence that names field and value.
 *
 * A field of a protocol needs that protocol (tcp before tp_dst).  Masked values are refused. */
int flow_filter_parse(const char *, struct flow *flow, struct flow *mask,
                      int64_t (*port_no)(const char *name, void *aux), void *aux, char **errp);

#endif
