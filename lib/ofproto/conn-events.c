/* SPDX-License-Identifier: Apache-2.0 */
/* What controllers are told without having asked: ports, roles; and who wants to hear it.
 * Called by ofproto and handlers on the main thread. */

#include "ofproto/conn-private.h"

#include <string.h>

#include "openflow/of-bundle.h"
#include "openflow/of-group.h"
#include "openflow/of-meter.h"
#include "openflow/of-switch.h"
#include "openflow/of-table.h"
#include "os/clock.h"

bool
ofconn_wants(const struct ofconn *c, enum of_async_type type, unsigned reason)
{
    const uint32_t *mask = ofconn_is_secondary(c) ? c->async.secondary : c->async.primary;

    if (!ofconn_is_up(c) || c->kind == OFCONN_SNOOP) {
        return false;
    }
    /* A service connection hears of nothing until it has said how much of packets it wants, as
     * ovs-ofctl monitor does. */
    if (c->kind == OFCONN_SERVICE && !c->miss_send_len) {
        return false;
    }
    return reason < 32 && mask[type] & 1u << reason;
}

/* Does the version of a connection show the difference between two states of a port? */
static bool
port_looks_the_same(const struct of_port *before, const struct of_port *now, uint8_t version)
{
    struct of_buf a = OF_BUF_INIT, b = OF_BUF_INIT;
    bool same;

    of_port_status_encode(&a, OFPPR_MODIFY, before, version, 0);
    of_port_status_encode(&b, OFPPR_MODIFY, now, version, 0);
    same = a.len == b.len && !memcmp(a.data, b.data, a.len);
    of_buf_free(&a);
    of_buf_free(&b);
    return same;
}

void
connmgr_port_status(struct connmgr *mgr, enum of_port_reason reason,
                    const struct of_port *before, const struct of_port *p)
{
    struct ofconn *c;

    if (!mgr) {
        return;
    }
    OFCONN_FOR_EACH(c, mgr)
    {
        if (ofconn_wants(c, OF_ASYNC_PORT_STATUS, reason) &&
            !(before && port_looks_the_same(before, p, c->version))) {
            struct of_buf b = OF_BUF_INIT;

            of_port_status_encode(&b, reason, p, c->version, 0);
            ofconn_send_event(c, &b);
        }
    }
}

void
connmgr_port_changed(struct connmgr *mgr, struct ofport *port)
{
    struct of_port p;

    ofport_describe(port, &p);
    if (memcmp(&p, &port->told, sizeof p)) {
        connmgr_port_status(mgr, OFPPR_MODIFY, &port->told, &p);
        port->told = p;
    }
}

void
connmgr_role_taken(struct connmgr *mgr, struct ofconn *by)
{
    struct ofconn *c;

    OFCONN_FOR_EACH(c, mgr)
    {
        const struct of_role_msg m = {
            .role = OFPCR_ROLE_SECONDARY,
            .has_generation = mgr->has_generation,
            .generation_id = mgr->generation_id,
        };

        if (c == by || c->role != OFPCR_ROLE_PRIMARY) {
            continue;
        }
        c->role = OFPCR_ROLE_SECONDARY;
        /* As stock does it, whatever the asynchronous configuration says: by default that has
         * none of these. */
        if (c->version >= OF13_VERSION && ofconn_is_up(c)) {
            struct of_buf b = OF_BUF_INIT;

            of_role_status_encode(&b, &m, OFPCRR_PRIMARY_REQUEST, c->version, 0);
            ofconn_send_event(c, &b);
        }
    }
}

void
connmgr_flow_removed(struct connmgr *mgr, const struct rule *rule, uint8_t reason)
{
    struct rule_counts counts = rule_get_counts(rule);
    struct of_match match;
    struct ofconn *c;
    struct of_flow_removed fr = {
        .match = &match,
        .table_id = rule->table_id,
        .priority = (uint16_t) rule->cls.priority,
        .cookie = rule->cookie,
        .reason = reason,
        .idle_timeout = atomic_load_explicit(&rule->idle_timeout, memory_order_relaxed),
        .hard_timeout = atomic_load_explicit(&rule->hard_timeout, memory_order_relaxed),
        .packet_count = counts.n_packets,
        .byte_count = counts.n_bytes,
    };

    of_duration(clock_now_ms() - rule->created_ms, &fr.duration_sec, &fr.duration_nsec);
    cls_rule_get_match(&rule->cls, &match.flow, &match.mask);
    OFCONN_FOR_EACH(c, mgr)
    {
        if (ofconn_wants(c, OF_ASYNC_FLOW_REMOVED, reason)) {
            struct of_buf b = OF_BUF_INIT;

            of_flow_removed_encode(&b, &fr, c->flow_format == NXFF_NXM, c->version, 0);
            ofconn_send_event(c, &b);
        }
    }
}

void
connmgr_table_status(struct connmgr *mgr, uint8_t table_id, uint8_t reason)
{
    struct of_table_desc d;
    struct ofconn *c;

    of_table_describe(mgr->ofproto->tables, table_id, &d);
    OFCONN_FOR_EACH(c, mgr)
    {
        if (c->version >= OF14_VERSION && ofconn_wants(c, OF_ASYNC_TABLE_STATUS, reason)) {
            struct of_buf b = OF_BUF_INIT;

            of_table_status_encode(&b, reason, &d, c->version, 0);
            ofconn_send_event(c, &b);
        }
    }
}

/* The same request as another version says it; false: it cannot. */
static bool
encode_request(struct of_buf *b, const struct of_msg *msg, uint8_t version)
{
    struct of_group_mod gm;
    struct of_meter_mod mm;
    bool ok = false;

    if (msg->version == version) { /* as it came */
        of_buf_put(b, msg->start, msg->len);
        return true;
    }
    if (msg->type == OFM_METER_MOD) {
        return !of_meter_mod_decode(msg, &mm) && of_meter_mod_encode(b, &mm, version, msg->xid);
    }
    if (!of_group_mod_decode(msg, &gm)) {
        ok = of_group_mod_encode(b, &gm, version, msg->xid);
        of_group_mod_free(&gm);
    }
    return ok;
}

void
connmgr_forward_request(struct connmgr *mgr, const struct ofconn *from,
                        const struct of_msg *msg)
{
    unsigned reason = msg->type == OFM_METER_MOD ? OFPRFR_METER_MOD : OFPRFR_GROUP_MOD;
    struct ofconn *c;

    OFCONN_FOR_EACH(c, mgr)
    {
        if (c != from && c->version >= OF14_VERSION &&
            ofconn_wants(c, OF_ASYNC_REQUESTFORWARD, reason)) {
            struct of_buf request = OF_BUF_INIT, b = OF_BUF_INIT;

            if (encode_request(&request, msg, c->version) &&
                of_requestforward_encode(&b, request.data, request.len, c->version, 0)) {
                ofconn_send_event(c, &b);
            }
            of_buf_free(&request);
            of_buf_free(&b);
        }
    }
}
