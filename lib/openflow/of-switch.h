/* SPDX-License-Identifier: Apache-2.0 */
#ifndef XVS_OPENFLOW_OF_SWITCH_H
#define XVS_OPENFLOW_OF_SWITCH_H 1

/* What a switch says of itself: features, configuration, description (OpenFlow 1.5.1, sections
 * "Handshake", "Switch Configuration", "Description"); and echo and barriers.  No state, any
 * thread. */

#include "openflow/of-msg.h"
#include "openflow/of-port.h"

/* Features.capabilities. */
enum {
    OFPC_FLOW_STATS = 1 << 0,
    OFPC_TABLE_STATS = 1 << 1,
    OFPC_PORT_STATS = 1 << 2,
    OFPC_GROUP_STATS =
        1 << 3, /* 1.1 and later; 1.0 says STP with this bit, which is never sent */
    OFPC_IP_REASM = 1 << 5,
    OFPC_QUEUE_STATS = 1 << 6,
    OFPC_ARP_MATCH_IP = 1 << 7,     /* 1.0 and 1.1 */
    OFPC_PORT_BLOCKED = 1 << 8,     /* 1.2 and later */
    OFPC_BUNDLES = 1 << 9,          /* 1.4 and later */
    OFPC_FLOW_MONITORING = 1 << 10, /* 1.5 */
};
struct of_features {
    uint64_t dpid;
    uint32_t n_buffers;
    uint8_t n_tables;
    uint8_t auxiliary_id;  /* 1.3 and later */
    uint32_t capabilities; /* OFPC_: each version gets those that it knows */
    uint32_t actions;      /* 1.0: bitmap of action types */
};
/* 1.0 to 1.2 carry the ports too, as many as a message can take. */
void
of_features_reply_encode(struct of_buf *, const struct of_features *, const struct of_port *,
                         size_t n_ports, uint8_t version, uint32_t xid);

/* Config.flags. */
enum {
    OFPC_FRAG_NORMAL = 0,
    OFPC_FRAG_DROP = 1,
    OFPC_FRAG_REASM = 2,
    OFPC_FRAG_NX_MATCH = 3,
    OFPC_FRAG_MASK = 3,
    OFPC_INVALID_TTL_TO_CONTROLLER = 1 << 2, /* up to 1.2; later ones configure it as an
                                              * asynchronous message */
};
struct of_switch_config {
    uint16_t flags;
    uint16_t miss_send_len; /* bytes; 0xffff: whole packets, unbuffered */
};
/* OFPBRC_BAD_LEN, OFPSCFC_BAD_FLAGS. */
enum of_err of_set_config_decode(const struct of_msg *, struct of_switch_config *);
void of_get_config_reply_encode(struct of_buf *, const struct of_switch_config *,
                                uint8_t version, uint32_t xid);

struct of_desc { /* cut to 255 bytes, the serial number to 31; borrowed */
    const char *mfr, *hw, *sw, *serial, *dp;
};
void
of_desc_reply_encode(struct of_buf *, const struct of_desc *, uint8_t version, uint32_t xid);

/* A message without body: barriers, requests for features and configuration, … */
void of_empty_encode(struct of_buf *, enum of_msg_type, uint8_t version, uint32_t xid);
/* The reply that repeats what the request carries. */
void of_echo_reply_encode(struct of_buf *, const struct of_msg *request);

#endif
