/* SPDX-License-Identifier: Apache-2.0 */
#ifndef XVS_VSWITCHD_BRIDGE_PLAN_H
#define XVS_VSWITCHD_BRIDGE_PLAN_H 1

/* What has to be done to get from what runs to what is wanted.  A pure function: no device, no
 * kernel, no clock, nothing written but the answer. */

#include "vswitchd/bridge/cfg.h"
#include "vswitchd/bridge/state.h"

enum plan_type {
    /* In the order in which they are executed: first everything goes that has to, over all
     * bridges, so that a device can move from one bridge to another in one step. */
    PLAN_PORT_DEL,  /* bundle `port` of `bridge` */
    PLAN_IFACE_DEL, /* `iface` of `bridge`: close the device */
    PLAN_BRIDGE_DEL,
    PLAN_BRIDGE_ADD, /* wanted: bridge_cfg */
    PLAN_IFACE_ADD,  /* wanted: iface_cfg; replaces a failed one of that name */
    PLAN_IFACE_SET,  /* options, other_config, MTU or MAC differ: iface_cfg */
    PLAN_PORT_SET,   /* make the bundle, or give it other settings: port_cfg */
    PLAN_BRIDGE_SET, /* settings differ, or its ports do, which may change its address */
};

struct plan_action {
    enum plan_type type;
    const char *bridge; /* names are borrowed from state or configuration */
    const char *port, *iface;
    const struct cfg_bridge *bridge_cfg;
    const struct cfg_port *port_cfg;
    const struct cfg_iface *iface_cfg;
};
struct plan {
    struct plan_action *actions;
    size_t n;
};

/* Fills `*plan` (uninitialised before) with the actions in order.  It borrows from both
 * arguments; an executor copies the names of what it deletes, if it needs them afterwards. */
void plan_make(const struct state *have, const struct cfg *want, struct plan *);
void plan_free(struct plan *);
const char *plan_type_name(enum plan_type);

#endif
