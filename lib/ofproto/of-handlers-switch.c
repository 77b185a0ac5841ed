/* SPDX-License-Identifier: Apache-2.0 */
/* Answers about the switch as a whole: features, configuration, description, barriers.  Called
 * by conn-dispatch.c on the main thread. */

#include <stdlib.h>

#include "ofproto/conn-private.h"
#include "openflow/of-switch.h"
#include "util/version.h"

#define N_TABLES 254       /* the last one is the switch's own */
#define OF10_ACTIONS 0xfff /* all that OpenFlow 1.0 has */

enum of_err
of_handle_features(struct ofconn *c, struct of_msg *msg)
{
    const struct ofproto *o = c->mgr->ofproto;
    const struct of_features f = {
        .dpid = o->settings.datapath_id,
        .n_tables = N_TABLES,
        .capabilities = OFPC_FLOW_STATS | OFPC_TABLE_STATS | OFPC_PORT_STATS |
                        OFPC_GROUP_STATS | OFPC_QUEUE_STATS | OFPC_ARP_MATCH_IP | OFPC_BUNDLES,
        .actions = OF10_ACTIONS,
    };
    struct of_buf b = OF_BUF_INIT;
    struct of_port *ports;
    struct ofport **list;
    size_t n;

    list = ofproto_ports_sorted(o, &n);
    ports = n ? calloc(n, sizeof *ports) : NULL;
    for (size_t i = 0; ports && i < n; i++) {
        ofport_describe(list[i], &ports[i]);
    }
    of_features_reply_encode(&b, &f, ports, ports ? n : 0, c->version, msg->xid);
    ofconn_send(c, &b);
    free(ports);
    free(list);
    return OF_OK;
}

enum of_err
of_handle_get_config(struct ofconn *c, struct of_msg *msg)
{
    struct of_switch_config config = {
        .flags = c->mgr->ofproto->frag_mode,
        .miss_send_len = c->miss_send_len,
    };
    struct of_buf b = OF_BUF_INIT;

    if (c->async.primary[OF_ASYNC_PACKET_IN] & 1u << OFPR_INVALID_TTL) {
        config.flags |= OFPC_INVALID_TTL_TO_CONTROLLER;
    }
    of_get_config_reply_encode(&b, &config, c->version, msg->xid);
    ofconn_send(c, &b);
    return OF_OK;
}

/* Up to 1.2 a flag of the switch configuration says what later versions have as one of the
 * connection's asynchronous messages. */
static void
want_invalid_ttl(struct ofconn *c, bool on)
{
    const uint32_t bit = 1u << OFPR_INVALID_TTL;
    uint32_t *primary = &c->async.primary[OF_ASYNC_PACKET_IN];
    uint32_t *secondary = &c->async.secondary[OF_ASYNC_PACKET_IN];

    *primary = on ? *primary | bit : *primary & ~bit;
    *secondary = on ? *secondary | bit : *secondary & ~bit;
}

enum of_err
of_handle_set_config(struct ofconn *c, struct of_msg *msg)
{
    struct ofproto *o = c->mgr->ofproto;
    struct of_switch_config config;
    enum of_err err = of_set_config_decode(msg, &config);
    uint8_t frags;

    if (err) {
        return err;
    }
    frags = config.flags & OFPC_FRAG_MASK;
    /* What needs to be put together is not; a secondary controller changes its own part only.
     */
    if (frags != OFPC_FRAG_REASM && frags != o->frag_mode && !ofconn_is_secondary(c)) {
        o->frag_mode = frags;
        ofproto_changed();
    }
    if (c->version < OF13_VERSION) {
        want_invalid_ttl(c, config.flags & OFPC_INVALID_TTL_TO_CONTROLLER);
    }
    c->miss_send_len = config.miss_send_len;
    connmgr_update_miss(c->mgr);
    return OF_OK;
}

enum of_err
of_handle_desc(struct ofconn *c, struct of_msg *msg)
{
    const struct of_desc desc = {
        .mfr = "Nicira, Inc.",
        .hw = "Open vSwitch",
        .sw = version_ovs(),
        .serial = c->mgr->serial ? c->mgr->serial : "None",
        .dp = c->mgr->dp_desc ? c->mgr->dp_desc : "None",
    };
    struct of_buf b = OF_BUF_INIT;

    of_desc_reply_encode(&b, &desc, c->version, msg->xid);
    ofconn_send(c, &b);
    return OF_OK;
}

/* Every message is executed to its end before the next is looked at. */
enum of_err
of_handle_barrier(struct ofconn *c, struct of_msg *msg)
{
    struct of_buf b = OF_BUF_INIT;

    of_empty_encode(&b, OFM_BARRIER_REPLY, c->version, msg->xid);
    ofconn_send(c, &b);
    return OF_OK;
}

enum of_err
of_handle_ignore(struct ofconn *c, struct of_msg *msg)
{
    return OF_OK;
}
