/* SPDX-License-Identifier: Apache-2.0 */
#ifndef XVS_OFPROTO_FLOW_MOD_H
#define XVS_OFPROTO_FLOW_MOD_H 1

/* Changes to tables, groups and meters, as OpenFlow messages and learn actions ask for them, and
 * who asks. */

#include "openflow/of-flow.h"
#include "openflow/of-group.h"
#include "openflow/of-meter.h"

/* Who asks: passed on to events. */
struct of_requester {
    const void *owner; /* a connection, NULL: the switch itself */
    uint32_t xid;
    uint8_t version; /* 1.0 and 1.1 (1, 2) modifications add what is not there */
};

#endif
