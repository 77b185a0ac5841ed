/* SPDX-License-Identifier: Apache-2.0 */
#ifndef XVS_VSWITCHD_BRIDGE_CFG_OPENFLOW_H
#define XVS_VSWITCHD_BRIDGE_CFG_OPENFLOW_H 1

/* What a bridge is told about OpenFlow: controllers, protocol versions, tables, description.
 * Plain values, copied whole; a zeroed one is what an empty record gives.  Main thread. */

#include "ofproto/conn.h"

struct cfg_controller {
    char *uuid; /* of the Controller row, where status goes */
    char *target;
    struct controller_settings s; /* but for `target` */
};
struct cfg_flow_table {
    uint8_t id;
    char *name;         /* "" none */
    int64_t flow_limit; /* -1: none */
    bool evict;
    char *prefixes, *groups; /* field names, separated by spaces; NULL: not given */
};
struct cfg_openflow {
    uint32_t versions;                  /* bits; 0: all */
    int queue_size;                     /* as conn_settings' */
    char *dp_desc, *serial;             /* NULL: not given */
    struct cfg_controller *controllers; /* sorted by target */
    size_t n_controllers;
    struct cfg_flow_table *tables; /* sorted by id */
    size_t n_tables;
};

/* Adds one, zeroed but for what is given; borrowed until the next is added. */
struct cfg_controller *
cfg_openflow_add_controller(struct cfg_openflow *, const char *uuid, const char *target);
struct cfg_flow_table *cfg_openflow_add_table(struct cfg_openflow *, uint8_t id);
void cfg_openflow_sort(struct cfg_openflow *);
void cfg_openflow_destroy(struct cfg_openflow *); /* empty afterwards */
void cfg_openflow_copy(struct cfg_openflow *to, const struct cfg_openflow *); /* `to`: empty */
/* Rows' identities count too: status is to go to the right one. */
bool cfg_openflow_equal(const struct cfg_openflow *, const struct cfg_openflow *);

#endif
