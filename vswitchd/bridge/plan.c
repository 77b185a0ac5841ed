/* SPDX-License-Identifier: Apache-2.0 */
/* Compares what runs with what is wanted and lists the actions between the two.  Called by
 * bridge.c on the main thread whenever one of them changed.  Must not touch a device, a bridge
 * or the clock: everything it knows is in its arguments. */

#include "vswitchd/bridge/plan.h"

#include <stdlib.h>
#include <string.h>
#include "util/xalloc.h"

static void
plan_add(struct plan *plan, struct plan_action action)
{
    if (!(plan->n & (plan->n - 1))) {
        size_t cap = plan->n ? plan->n * 2 : 1;
        plan->actions = xrealloc(plan->actions, cap * sizeof *plan->actions);
    }
    plan->actions[plan->n++] = action;
}

static const struct bridge_state *
state_bridge(const struct state *state, const char *name)
{
    const struct bridge_state *br;
    HASH_FIND_STR(state->bridges, name, br);
    return br;
}

static const struct iface_state *
state_iface(const struct bridge_state *br, const char *name)
{
    const struct iface_state *iface = NULL;
    if (br) {
        HASH_FIND_STR(br->ifaces, name, iface);
    }
    return iface;
}

/* Must the bridge be made anew? */
static bool
bridge_stays(const struct bridge_state *have, const struct cfg_bridge *want)
{
    return want && !strcmp(have->datapath_type, want->datapath_type);
}

/* Can `have` become `want` without closing the device? */
static bool
iface_stays(const struct iface_state *have, const struct cfg_iface *want)
{
    if (!want || want->error || strcmp(have->type, want->type)) {
        return false;
    }
    return !have->open || !want->ofport_request || want->ofport_request == have->ofport ||
           want->ofport_request == have->ofport_request || have->is_local;
}

static bool
iface_differs(const struct iface_state *have, const struct cfg_iface *want)
{
    return !smap_equal(&have->options, &want->options) ||
           !smap_equal(&have->other_config, &want->other_config) ||
           have->mtu_request != want->mtu_request || have->has_mac != want->has_mac ||
           have->ofport_request != want->ofport_request ||
           (want->has_mac && !eth_addr_equal(have->mac, want->mac));
}

static bool
port_settings_differ(const struct port_settings *have, const struct port_settings *want)
{
    return have->vlan_mode != want->vlan_mode || have->tag != want->tag ||
           have->has_trunks != want->has_trunks ||
           memcmp(have->trunks, want->trunks, sizeof have->trunks) ||
           have->has_cvlans != want->has_cvlans ||
           memcmp(have->cvlans, want->cvlans, sizeof have->cvlans) ||
           have->priority_tags != want->priority_tags ||
           have->protected_port != want->protected_port ||
           have->qinq_8021ad != want->qinq_8021ad || have->has_mac != want->has_mac ||
           (want->has_mac && !eth_addr_equal(have->mac, want->mac));
}

static bool
port_differs(const struct port_state *have, const struct cfg_port *want, const char *iface)
{
    return strcmp(have->iface, iface) || port_settings_differ(&have->set, &want->set);
}

static bool
bridge_differs(const struct bridge_state *have, const struct cfg_bridge *want)
{
    return have->secure != want->secure || have->has_controller != want->has_controller ||
           have->has_hwaddr != want->has_hwaddr ||
           (want->has_hwaddr && !eth_addr_equal(have->hwaddr, want->hwaddr)) ||
           have->datapath_id_wanted != want->datapath_id ||
           have->mac_age_s != want->mac_age_s || have->mac_table_size != want->mac_table_size ||
           have->forward_bpdu != want->forward_bpdu ||
           memcmp(have->flood_vlans, want->flood_vlans, sizeof have->flood_vlans) ||
           !cfg_openflow_equal(&have->openflow, &want->openflow);
}

/* The one interface of a port that can be had at all; NULL: none (a bond, a duplicate). */
static const struct cfg_iface *
port_member(const struct cfg_port *port)
{
    return port->n_ifaces == 1 && !port->ifaces[0]->error ? port->ifaces[0] : NULL;
}

/* Is `iface` open before, and still open after, the plan's deletions? */
static bool
iface_survives(const struct bridge_state *br, const struct cfg_iface *want)
{
    const struct iface_state *have = state_iface(br, want->name);
    return have && have->open && iface_stays(have, want);
}

/* ------------------------------------------------------------------ what has to go */

static void
plan_removals(struct plan *plan, const struct bridge_state *br, const struct cfg_bridge *want)
{
    bool stays = bridge_stays(br, want);
    const struct port_state *port, *next_port;
    HASH_ITER(hh, br->ports, port, next_port)
    {
        const struct cfg_port *port_cfg = stays ? cfg_port_find(want, port->name) : NULL;
        const struct cfg_iface *member = port_cfg ? port_member(port_cfg) : NULL;
        if (!member || strcmp(member->name, port->iface) || !iface_survives(br, member)) {
            plan_add(plan, (struct plan_action){
                               .type = PLAN_PORT_DEL, .bridge = br->name, .port = port->name});
        }
    }
    const struct iface_state *iface, *next_iface;
    HASH_ITER(hh, br->ifaces, iface, next_iface)
    {
        if (!stays || !iface_stays(iface, cfg_iface_find(want, iface->name))) {
            plan_add(plan, (struct plan_action){.type = PLAN_IFACE_DEL,
                                                .bridge = br->name,
                                                .iface = iface->name});
        }
    }
    if (!stays) {
        plan_add(plan, (struct plan_action){.type = PLAN_BRIDGE_DEL, .bridge = br->name});
    }
}

/* ------------------------------------------------------------------ what has to come */

/* Interfaces that insist on a number first, then those that had one, then the others. */
static int
iface_rank(const struct cfg_iface *iface, const struct iface_state *have)
{
    if (iface->is_local) {
        return 0;
    }
    return iface->ofport_request                               ? 1
           : iface->ofport_hint || (have && have->last_ofport) ? 2
                                                               : 3;
}

static void
plan_ifaces(struct plan *plan, const struct bridge_state *br, const struct cfg_bridge *want)
{
    for (int rank = 0; rank <= 3; rank++) {
        for (size_t i = 0; i < want->n_ifaces; i++) {
            const struct cfg_iface *iface = want->ifaces[i];
            const struct iface_state *have = state_iface(br, iface->name);
            if (iface->error || iface_rank(iface, have) != rank) {
                continue;
            }
            bool stays = have && iface_stays(have, iface);
            struct plan_action action = {
                .bridge = want->name, .iface = iface->name, .iface_cfg = iface};
            if (stays && have->open) {
                if (!iface_differs(have, iface)) {
                    continue;
                }
                action.type = PLAN_IFACE_SET;
            } else if (stays && !have->retry && !iface_differs(have, iface)) {
                continue; /* failed, and nothing has changed since */
            } else {
                action.type = PLAN_IFACE_ADD;
            }
            plan_add(plan, action);
        }
    }
}

static void
plan_ports(struct plan *plan, const struct bridge_state *br, const struct cfg_bridge *want)
{
    for (size_t i = 0; i < want->n_ports; i++) {
        const struct cfg_port *port = want->ports[i];
        const struct cfg_iface *member = port_member(port);
        if (!member) {
            continue;
        }
        const struct port_state *have = NULL;
        if (br) {
            HASH_FIND_STR(br->ports, port->name, have);
        }
        const struct iface_state *iface = state_iface(br, member->name);
        bool comes = !iface || !iface_stays(iface, member) ||
                     (!iface->open && (iface->retry || iface_differs(iface, member)));
        bool survives = iface_survives(br, member);
        if (comes || (survives && (!have || port_differs(have, port, member->name)))) {
            plan_add(plan, (struct plan_action){.type = PLAN_PORT_SET,
                                                .bridge = want->name,
                                                .port = port->name,
                                                .iface = member->name,
                                                .port_cfg = port,
                                                .iface_cfg = member});
        }
    }
}

/* Does any action concern `bridge`? */
static bool
plan_touches(const struct plan *plan, const char *bridge)
{
    for (size_t i = 0; i < plan->n; i++) {
        if (!strcmp(plan->actions[i].bridge, bridge)) {
            return true;
        }
    }
    return false;
}

void
plan_make(const struct state *have, const struct cfg *want, struct plan *plan)
{
    *plan = (struct plan){NULL, 0};
    const struct bridge_state *br, *next;
    HASH_ITER(hh, have->bridges, br, next)
    {
        plan_removals(plan, br, cfg_bridge_find(want, br->name));
    }
    for (size_t i = 0; i < want->n_bridges; i++) {
        const struct cfg_bridge *bridge = want->bridges[i];
        br = state_bridge(have, bridge->name);
        br = br && bridge_stays(br, bridge) && !br->retry ? br : NULL;
        if (!br) {
            plan_add(plan, (struct plan_action){.type = PLAN_BRIDGE_ADD,
                                                .bridge = bridge->name,
                                                .bridge_cfg = bridge});
        }
        if (!br || br->open) {
            plan_ifaces(plan, br, bridge);
            plan_ports(plan, br, bridge);
        }
        if ((!br || br->open) &&
            (plan_touches(plan, bridge->name) || bridge_differs(br, bridge))) {
            plan_add(plan, (struct plan_action){.type = PLAN_BRIDGE_SET,
                                                .bridge = bridge->name,
                                                .bridge_cfg = bridge});
        }
    }
}

void
plan_free(struct plan *plan)
{
    free(plan->actions);
    *plan = (struct plan){NULL, 0};
}

const char *
plan_type_name(enum plan_type type)
{
    static const char *const names[] = {
        [PLAN_PORT_DEL] = "port-del",     [PLAN_IFACE_DEL] = "iface-del",
        [PLAN_BRIDGE_DEL] = "bridge-del", [PLAN_BRIDGE_ADD] = "bridge-add",
        [PLAN_IFACE_ADD] = "iface-add",   [PLAN_IFACE_SET] = "iface-set",
        [PLAN_PORT_SET] = "port-set",     [PLAN_BRIDGE_SET] = "bridge-set",
    };
    return (size_t) type < ARRAY_SIZE(names) ? names[type] : "?";
}
