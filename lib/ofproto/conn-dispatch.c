/* SPDX-License-Identifier: Apache-2.0 */
/* From a message to its handler: which there is, who may send it, and what the sender is told
 * when it fails.  Called by conn.c on the main thread.  It must not know what is behind the
 * handlers. */

#include "ofproto/conn-private.h"

#include "log/coverage.h"
#include "util/compiler.h"

COVERAGE_DEFINE(ofconn_message);
COVERAGE_DEFINE(ofconn_message_error);

enum {
    NEEDS_PRIMARY = 1, /* secondary controllers may only look */
    NEEDS_TABLES = 2,  /* waits for a commit under way (conn-commit.h) */
    WALKS_TABLES = 4,  /* waits for rules of the past to go */
};
#define CHANGES (NEEDS_PRIMARY | NEEDS_TABLES)

static const struct {
    of_handler *handle;
    unsigned flags;
} handlers[OFM_N_TYPES] = {
    /* Switch. */
    [OFM_FEATURES_REQUEST] = {of_handle_features, 0},
    [OFM_GET_CONFIG_REQUEST] = {of_handle_get_config, 0},
    [OFM_SET_CONFIG] = {of_handle_set_config, 0},
    [OFM_DESC_REQUEST] = {of_handle_desc, 0},
    [OFM_BARRIER_REQUEST] = {of_handle_barrier, 0},
    /* The connection. */
    [OFM_ROLE_REQUEST] = {of_handle_role, 0},
    [OFM_GET_ASYNC_REQUEST] = {of_handle_get_async, 0},
    [OFM_SET_ASYNC] = {of_handle_set_async, 0},
    [OFM_NXT_SET_ASYNC] = {of_handle_set_async, 0},
    [OFM_NXT_SET_ASYNC2] = {of_handle_set_async, 0},
    [OFM_NXT_SET_FLOW_FORMAT] = {of_handle_flow_format, 0},
    [OFM_NXT_FLOW_MOD_TABLE_ID] = {of_handle_flow_mod_table_id, 0},
    [OFM_NXT_SET_PACKET_IN_FORMAT] = {of_handle_packet_in_format, 0},
    [OFM_NXT_SET_CONTROLLER_ID] = {of_handle_controller_id, 0},
    [OFM_NXT_FLOW_AGE] = {of_handle_ignore, 0},
    [OFM_ERROR] = {of_handle_ignore, 0},
    /* Ports and queues. */
    [OFM_PORT_DESC_REQUEST] = {of_handle_port_desc, 0},
    [OFM_PORT_STATS_REQUEST] = {of_handle_port_stats, 0},
    [OFM_PORT_MOD] = {of_handle_port_mod, NEEDS_PRIMARY},
    [OFM_QUEUE_STATS_REQUEST] = {of_handle_queue_stats, 0},
    [OFM_QUEUE_GET_CONFIG_REQUEST] = {of_handle_queue_config, 0},
    [OFM_QUEUE_DESC_REQUEST] = {of_handle_queue_desc, 0},
    /* Tables. */
    [OFM_FLOW_MOD] = {of_handle_flow_mod, CHANGES},
    [OFM_NXT_FLOW_MOD] = {of_handle_flow_mod, CHANGES},
    [OFM_FLOW_STATS_REQUEST] = {of_handle_flow_stats, 0},
    [OFM_NXST_FLOW_REQUEST] = {of_handle_flow_stats, 0},
    [OFM_AGGREGATE_REQUEST] = {of_handle_aggregate, 0},
    [OFM_NXST_AGGREGATE_REQUEST] = {of_handle_aggregate, 0},
    [OFM_TABLE_MOD] = {of_handle_table_mod, CHANGES},
    [OFM_TABLE_STATS_REQUEST] = {of_handle_table_stats, 0},
    [OFM_TABLE_FEATURES_REQUEST] = {of_handle_table_features, 0},
    [OFM_TABLE_DESC_REQUEST] = {of_handle_table_desc, 0},
    [OFM_FLOW_MONITOR_REQUEST] = {of_handle_monitor, NEEDS_TABLES | WALKS_TABLES},
    [OFM_NXST_FLOW_MONITOR_REQUEST] = {of_handle_monitor, NEEDS_TABLES | WALKS_TABLES},
    [OFM_NXT_FLOW_MONITOR_CANCEL] = {of_handle_monitor_cancel, 0},
    /* Groups, meters. */
    [OFM_GROUP_MOD] = {of_handle_group_mod, CHANGES},
    [OFM_GROUP_STATS_REQUEST] = {of_handle_group_stats, 0},
    [OFM_GROUP_DESC_REQUEST] = {of_handle_group_desc, 0},
    [OFM_GROUP_FEATURES_REQUEST] = {of_handle_group_features, 0},
    [OFM_METER_MOD] = {of_handle_meter_mod, CHANGES},
    [OFM_METER_STATS_REQUEST] = {of_handle_meter_stats, 0},
    [OFM_METER_CONFIG_REQUEST] = {of_handle_meter_config, 0},
    [OFM_METER_FEATURES_REQUEST] = {of_handle_meter_features, 0},
    /* Packets. */
    [OFM_PACKET_OUT] = {of_handle_packet_out, NEEDS_PRIMARY},
    [OFM_NXT_RESUME] = {of_handle_resume, NEEDS_PRIMARY},
    /* Many at once. */
    [OFM_BUNDLE_CONTROL] = {of_handle_bundle_control, CHANGES},
    [OFM_BUNDLE_ADD_MESSAGE] = {of_handle_bundle_add, NEEDS_PRIMARY},
    /* What is not there. */
    [OFM_IPFIX_BRIDGE_REQUEST] = {of_handle_not_configured, 0},
    [OFM_IPFIX_FLOW_REQUEST] = {of_handle_not_configured, 0},
    /* Options of tunnels. */
    [OFM_NXT_TLV_TABLE_MOD] = {of_handle_tlv_mod, CHANGES},
    [OFM_NXT_TLV_TABLE_REQUEST] = {of_handle_tlv_request, 0},
};

bool
ofconn_is_secondary(const struct ofconn *c)
{
    return c->role == OFPCR_ROLE_SECONDARY;
}

void
ofconn_refuse(struct ofconn *c, enum of_err err, const struct of_msg *msg)
{
    COVERAGE_INC(ofconn_message_error);
    ofconn_send_error(c, err, msg);
}

void
ofconn_dispatch(struct ofconn *c, struct of_msg *msg)
{
    unsigned flags = msg->type < OFM_N_TYPES ? handlers[msg->type].flags : 0;
    struct of_msg original = *msg;
    enum of_err err = OF_OK;
    bool whole = true;

    if (of_commit_must_wait(c, flags & NEEDS_TABLES, flags & WALKS_TABLES)) {
        of_commit_wait(c, msg);
        return;
    }
    COVERAGE_INC(ofconn_message);
    if (msg->type >= OFM_N_TYPES || !handlers[msg->type].handle) {
        err = msg->multipart ? OFPBRC_BAD_STAT : OFPBRC_BAD_TYPE;
    } else if (flags & NEEDS_PRIMARY && ofconn_is_secondary(c)) {
        err = OFPBRC_IS_SECONDARY;
    } else if (msg->multipart) {
        err = of_mp_join(&c->joiner, msg, &whole);
    }
    if (!err && whole) {
        err = handlers[msg->type].handle(c, msg);
    }
    connmgr_flush_monitors(c->mgr);
    if (err) {
        ofconn_refuse(c, err, &original);
    }
}
