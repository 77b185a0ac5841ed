/* SPDX-License-Identifier: Apache-2.0 */
/* Carries out a plan: bridges and bundles here, interfaces by iface.c.  Chooses each bridge's
 * Ethernet address, datapath id and the MTU of its internal ports, which depend on what the
 * ports turned out to be.  Called by bridge.c on the main thread.  Must not know the database.
 */

#include "vswitchd/bridge/apply.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include "log/coverage.h"
#include "log/log.h"
#include "netdev/netdev.h"
#include "os/clock.h"
#include "util/quote.h"
#include "util/xalloc.h"
#include "vswitchd/bridge/iface.h"

LOG_MODULE(bridge_apply);
COVERAGE_DEFINE(bridge_add_failed);

static struct bridge_state *
bridge_find(struct state *state, const char *name)
{
    struct bridge_state *br;
    HASH_FIND_STR(state->bridges, name, br);
    return br;
}

static struct iface_state *
iface_find(struct bridge_state *br, const char *name)
{
    struct iface_state *iface;
    HASH_FIND_STR(br->ifaces, name, iface);
    return iface;
}

/* ------------------------------------------------------------------ bridges */

static void
bridge_copy_settings(struct bridge_state *br, const struct cfg_bridge *cfg)
{
    br->secure = cfg->secure;
    br->has_controller = cfg->has_controller;
    br->has_hwaddr = cfg->has_hwaddr;
    br->hwaddr = cfg->hwaddr;
    br->datapath_id_wanted = cfg->datapath_id;
    br->mac_age_s = cfg->mac_age_s;
    br->mac_table_size = cfg->mac_table_size;
    br->forward_bpdu = cfg->forward_bpdu;
    memcpy(br->flood_vlans, cfg->flood_vlans, sizeof br->flood_vlans);
    cfg_openflow_destroy(&br->openflow);
    cfg_openflow_copy(&br->openflow, &cfg->openflow);
    br->settings_dirty = true;
}

static struct bridge_state *
bridge_state_create(struct state *state, const struct cfg_bridge *cfg)
{
    struct bridge_state *br = xzalloc(sizeof *br);
    br->name = xstrdup(cfg->name);
    br->uuid = xstrdup_nullable(cfg->uuid);
    br->datapath_type = xstrdup(cfg->datapath_type);
    /* A random address should be the same one after a restart. */
    const struct cfg_iface *local = cfg_iface_find(cfg, cfg->name);
    br->default_mac = local && eth_addr_is_local(local->mac_in_use) &&
                              !eth_addr_is_multicast(local->mac_in_use)
                          ? local->mac_in_use
                          : eth_addr_random();
    HASH_ADD_KEYPTR(hh, state->bridges, br->name, strlen(br->name), br);
    return br;
}

/* Records the failure `error` (taken, may be NULL); `before` is what it failed by before. */
static void
bridge_fail(struct bridge_state *br, int code, char *error, const char *before)
{
    COVERAGE_INC(bridge_add_failed);
    error_set(&error, "could not create bridge %s (%s)", br->name, strerror(code));
    br->ofproto = NULL;
    br->error = quote_sentence(error);
    if (!before || strcmp(before, error)) {
        LOG_WARN("bridge %s: %s", br->name, error);
    }
    br->permanent = iface_failure_is_permanent(code);
    br->retry_at_ms = clock_now_ms() + iface_retry_delay_ms(br->n_failures++);
}

/* A new bridge, or one that failed and is due for another try. */
static void
bridge_add(struct state *state, const struct cfg_bridge *cfg)
{
    struct bridge_state *br = bridge_find(state, cfg->name);
    if (!br) {
        br = bridge_state_create(state, cfg);
    }
    char *before = br->error, *error = NULL;
    br->error = NULL;
    br->retry = false;
    br->status_dirty = true;
    bridge_copy_settings(br, cfg);
    int code = ofproto_create(br->name, br->datapath_type, &br->ofproto, &error);
    if (code) {
        bridge_fail(br, code, error, before);
        free(before);
        return;
    }
    free(before);
    br->open = true;
    br->n_failures = 0;
    if (!br->datapath_type[0] || !strcmp(br->datapath_type, "system")) {
        LOG_INFO("bridge %s: datapath type \"%s\" is served by the userspace datapath",
                 br->name, br->datapath_type);
    }
}

static void
port_remove(struct bridge_state *br, struct port_state *port)
{
    if (br->ofproto) {
        ofproto_bundle_del(br->ofproto, port->name);
    }
    HASH_DEL(br->ports, port);
    free(port->name);
    free(port->iface);
    free(port);
}

static void
bridge_remove(struct state *state, struct bridge_state *br)
{
    struct port_state *port, *next_port;
    HASH_ITER(hh, br->ports, port, next_port)
    {
        port_remove(br, port);
    }
    struct iface_state *iface, *next_iface;
    HASH_ITER(hh, br->ifaces, iface, next_iface)
    {
        iface_remove(br, iface);
    }
    if (br->ofproto) {
        ofproto_destroy(br->ofproto);
    }
    HASH_DEL(state->bridges, br);
    free(br->name);
    free(br->uuid);
    free(br->datapath_type);
    free(br->error);
    cfg_openflow_destroy(&br->openflow);
    free(br);
}

/* The address that a port offers to its bridge; false: none. */
static bool
port_offers_mac(struct bridge_state *br, const struct port_state *port, struct eth_addr *mac)
{
    struct iface_state *iface = iface_find(br, port->iface);
    if (!iface || !iface->open || iface->is_local) {
        return false;
    }
    if (port->set.has_mac) {
        *mac = port->set.mac;
    } else if (netdev_get_etheraddr(iface->netdev, mac)) {
        return false;
    }
    return !eth_addr_is_zero(*mac) && !eth_addr_is_multicast(*mac) &&
           !eth_addr_is_local(*mac) && !eth_addr_is_reserved(*mac);
}

static struct eth_addr
bridge_choose_mac(struct bridge_state *br)
{
    if (br->has_hwaddr) {
        return br->hwaddr;
    }
    struct eth_addr best = br->default_mac, mac;
    bool found = false;
    struct port_state *port, *next;
    HASH_ITER(hh, br->ports, port, next)
    {
        if (port_offers_mac(br, port, &mac) &&
            (!found || eth_addr_to_u64(mac) < eth_addr_to_u64(best))) {
            best = mac;
            found = true;
        }
    }
    return best;
}

static void
bridge_give_mac(struct bridge_state *br)
{
    struct iface_state *local = iface_find(br, br->name);
    struct eth_addr now;
    if (!local || !local->open || netdev_get_etheraddr(local->netdev, &now) ||
        eth_addr_equal(now, br->mac)) {
        return;
    }
    int error = netdev_set_etheraddr(local->netdev, br->mac);
    if (error && !br->mac_failed) {
        LOG_INFO("bridge %s: could not set its device's address to " ETH_ADDR_FMT " (%s)",
                 br->name, ETH_ADDR_ARGS(br->mac), strerror(error));
    }
    br->mac_failed = error != 0;
    local->status_dirty = true;
}

/* Internal ports must not take more than every other port can send. */
static void
bridge_give_mtu(struct bridge_state *br)
{
    struct iface_state *iface, *next;
    int least = 0, mtu;
    HASH_ITER(hh, br->ifaces, iface, next)
    {
        if (iface->open && !iface->is_internal && !netdev_get_mtu(iface->netdev, &mtu) &&
            (!least || mtu < least)) {
            least = mtu;
        }
    }
    if (!least) {
        return;
    }
    HASH_ITER(hh, br->ifaces, iface, next)
    {
        if (!iface->open || !iface->is_internal || iface->mtu_request ||
            netdev_get_mtu(iface->netdev, &mtu) || mtu == least) {
            continue;
        }
        int error = netdev_set_mtu(iface->netdev, least);
        if (!error && netdev_needs_reconfigure(iface->netdev)) {
            error = ofproto_port_reconfigure(br->ofproto, iface->ofport, NULL);
        }
        if (error && !br->mtu_failed) {
            LOG_INFO("bridge %s: could not set the MTU of %s to %d (%s)", br->name, iface->name,
                     least, strerror(error));
        }
        br->mtu_failed = error != 0;
        iface->status_dirty = true;
    }
}

static void
bridge_give_openflow(struct bridge_state *br)
{
    const struct cfg_openflow *of = &br->openflow;
    struct controller_settings *list = xcalloc(of->n_controllers + 1, sizeof *list);
    const struct conn_settings s = {
        .versions = of->versions,
        .controllers = list,
        .n_controllers = of->n_controllers,
        .fail_secure = br->secure,
        .dp_desc = of->dp_desc,
        .serial = of->serial,
        .queue_size = of->queue_size,
    };
    for (size_t i = 0; i < of->n_controllers; i++) {
        list[i] = of->controllers[i].s;
        list[i].target = of->controllers[i].target;
    }
    ofproto_set_conns(br->ofproto, &s);
    free(list);

    struct ofproto_table_settings *tables = xcalloc(of->n_tables + 1, sizeof *tables);
    for (size_t i = 0; i < of->n_tables; i++) {
        const struct cfg_flow_table *t = &of->tables[i];
        tables[i] = (struct ofproto_table_settings){
            .id = t->id,
            .name = t->name,
            .flow_limit = t->flow_limit < 0 || t->flow_limit > UINT32_MAX
                              ? UINT32_MAX
                              : (uint32_t) t->flow_limit,
            .evict = t->evict,
            .prefixes = t->prefixes,
            .groups = t->groups,
        };
    }
    ofproto_set_tables(br->ofproto, tables, of->n_tables);
    free(tables);
}

/* Settings or ports changed. */
static void
bridge_refresh(struct bridge_state *br)
{
    if (!br->open) {
        return;
    }
    struct eth_addr mac = bridge_choose_mac(br);
    uint64_t id = br->datapath_id_wanted ? br->datapath_id_wanted : eth_addr_to_u64(mac);
    if (!eth_addr_equal(mac, br->mac) || id != br->datapath_id) {
        br->status_dirty = true;
        br->settings_dirty = true;
    }
    br->mac = mac;
    br->datapath_id = id;
    bridge_give_mac(br);
    bridge_give_mtu(br);
    if (!br->settings_dirty) {
        return;
    }
    br->settings_dirty = false;

    struct ofproto_settings s = {
        .datapath_id = id,
        .secure = br->secure,
        .has_controller = br->has_controller,
        .mac_age_s = br->mac_age_s,
        .mac_table_size = br->mac_table_size,
        .forward_bpdu = br->forward_bpdu,
    };
    memcpy(s.flood_vlans, br->flood_vlans, sizeof s.flood_vlans);
    ofproto_set(br->ofproto, &s);
    bridge_give_openflow(br);
}

/* ------------------------------------------------------------------ bundles */

static void
port_set(struct bridge_state *br, const struct cfg_port *cfg, const char *iface_name)
{
    struct iface_state *iface = iface_find(br, iface_name);
    struct port_state *port;
    HASH_FIND_STR(br->ports, cfg->name, port);
    if (!iface || !iface->open) {
        if (port) {
            port_remove(br, port);
        }
        return; /* the interface has its error */
    }
    if (!port) {
        port = xzalloc(sizeof *port);
        port->name = xstrdup(cfg->name);
        HASH_ADD_KEYPTR(hh, br->ports, port->name, strlen(port->name), port);
    }
    free(port->iface);
    port->iface = xstrdup(iface_name);
    port->set = cfg->set;

    struct ofproto_bundle_settings s = {
        .name = port->name,
        .ofports = &iface->ofport,
        .n_ofports = 1,
        .vlan_mode = port->set.vlan_mode,
        .tag = port->set.tag,
        .trunks = port->set.has_trunks ? port->set.trunks : NULL,
        .cvlans = port->set.has_cvlans ? port->set.cvlans : NULL,
        .priority_tags = port->set.priority_tags,
        .protected_port = port->set.protected_port,
        .qinq_8021ad = port->set.qinq_8021ad,
    };
    ofproto_bundle_set(br->ofproto, &s);
}

/* ------------------------------------------------------------------ the executor */

static void
apply_removal(struct state *state, const struct plan_action *a)
{
    struct bridge_state *br = bridge_find(state, a->bridge);
    struct iface_state *iface;
    struct port_state *port;
    if (!br) {
        return;
    }
    switch (a->type) {
    case PLAN_PORT_DEL:
        HASH_FIND_STR(br->ports, a->port, port);
        if (port) {
            port_remove(br, port);
        }
        break;
    case PLAN_IFACE_DEL:
        iface = iface_find(br, a->iface);
        if (iface) {
            iface_remove(br, iface);
        }
        break;
    default:
        bridge_remove(state, br);
        break;
    }
}

static void
apply_arrival(struct bridge_state *br, const struct plan_action *a)
{
    struct iface_state *iface;
    if (!br || !br->open) {
        return; /* the bridge's error is reported for all its ports */
    }
    switch (a->type) {
    case PLAN_IFACE_ADD:
        iface_add(br, a->iface_cfg);
        break;
    case PLAN_IFACE_SET:
        iface = iface_find(br, a->iface);
        if (iface && iface->open) {
            iface_set(br, iface, a->iface_cfg);
        }
        break;
    case PLAN_PORT_SET:
        port_set(br, a->port_cfg, a->iface);
        break;
    default:
        bridge_copy_settings(br, a->bridge_cfg);
        bridge_refresh(br);
        break;
    }
}

void
apply_plan(struct state *state, const struct plan *plan)
{
    for (size_t i = 0; i < plan->n; i++) {
        const struct plan_action *a = &plan->actions[i];
        LOG_DBG("%s bridge %s port %s interface %s", plan_type_name(a->type), a->bridge,
                a->port ? a->port : "-", a->iface ? a->iface : "-");
        if (a->type <= PLAN_BRIDGE_DEL) {
            apply_removal(state, a);
        } else if (a->type == PLAN_BRIDGE_ADD) {
            bridge_add(state, a->bridge_cfg);
        } else {
            apply_arrival(bridge_find(state, a->bridge), a);
        }
    }
    if (plan->n) {
        ofproto_settle();
    }
}

static void
replace_string(char **p, const char *s, bool *changed)
{
    if ((*p == NULL) != (s == NULL) || (s && strcmp(*p, s))) {
        free(*p);
        *p = xstrdup_nullable(s);
        *changed = true;
    }
}

void
apply_identities(struct state *state, const struct cfg *cfg)
{
    for (size_t i = 0; i < cfg->n_bridges; i++) {
        const struct cfg_bridge *bridge_cfg = cfg->bridges[i];
        struct bridge_state *br = bridge_find(state, bridge_cfg->name);
        if (!br) {
            continue;
        }
        replace_string(&br->uuid, bridge_cfg->uuid, &br->status_dirty);
        for (size_t j = 0; j < bridge_cfg->n_ifaces; j++) {
            const struct cfg_iface *iface_cfg = bridge_cfg->ifaces[j];
            struct iface_state *iface = iface_find(br, iface_cfg->name);
            if (iface && !iface_cfg->error) {
                replace_string(&iface->uuid, iface_cfg->uuid, &iface->status_dirty);
            }
        }
    }
}

/* ------------------------------------------------------------------ events */

bool
apply_device_changed(struct state *state, const char *name, bool *status)
{
    bool replan = false;
    struct bridge_state *br, *next;
    HASH_ITER(hh, state->bridges, br, next)
    {
        struct iface_state *iface = iface_find(br, name);
        if (iface) {
            replan |= iface_device_changed(br, iface);
            bridge_refresh(br);
            *status = true;
        }
    }
    return replan;
}

bool
apply_retries(struct state *state, int64_t *next_ms)
{
    bool due = false;
    int64_t now = clock_now_ms();
    *next_ms = INT64_MAX;
    struct bridge_state *br, *next_br;
    HASH_ITER(hh, state->bridges, br, next_br)
    {
        if (!br->open && !br->permanent) {
            br->retry |= br->retry_at_ms <= now;
            due |= br->retry;
            *next_ms = MIN(*next_ms, MAX(br->retry_at_ms, now));
        }
        struct iface_state *iface, *next;
        HASH_ITER(hh, br->ifaces, iface, next)
        {
            if (iface->open || iface->permanent) {
                continue;
            }
            if (iface->retry_at_ms <= now) {
                iface->retry = true;
            }
            due |= iface->retry;
            *next_ms = MIN(*next_ms, MAX(iface->retry_at_ms, now));
        }
    }
    return due;
}

bool
apply_is_waiting(const struct state *state)
{
    const struct bridge_state *br, *next_br;
    HASH_ITER(hh, state->bridges, br, next_br)
    {
        const struct iface_state *iface, *next;
        HASH_ITER(hh, br->ifaces, iface, next)
        {
            if (!iface->open && iface->failed_code == EINPROGRESS) {
                return true;
            }
        }
    }
    return false;
}

void
apply_clear(struct state *state)
{
    struct bridge_state *br, *next;
    HASH_ITER(hh, state->bridges, br, next)
    {
        bridge_remove(state, br);
    }
}
