/* SPDX-License-Identifier: Apache-2.0 */
#ifndef XVS_OPENFLOW_OF_ROLE_H
#define XVS_OPENFLOW_OF_ROLE_H 1

/* What a controller says about its connection: role, asynchronous messages (OpenFlow 1.5.1,
 * sections "Role Request Message", "Set Asynchronous Configuration Message"), Nicira's
 * settings. No state, any thread. */

#include "openflow/of-msg.h"
#include "openflow/of-packet.h"

enum of_role { /* 1.2's numbers; Nicira's of 1.0 and 1.1 are converted */
               OFPCR_ROLE_NOCHANGE,
               OFPCR_ROLE_EQUAL,
               OFPCR_ROLE_PRIMARY,
               OFPCR_ROLE_SECONDARY,
};
struct of_role_msg {
    enum of_role role;
    bool has_generation; /* 1.2 and later, when the role is primary or secondary */
    uint64_t generation_id;
};
/* OFPBRC_BAD_LEN, OFPRRFC_BAD_ROLE. */
enum of_err of_role_request_decode(const struct of_msg *, struct of_role_msg *);
/* Without a generation id: UINT64_MAX goes out. */
void of_role_reply_encode(struct of_buf *, const struct of_role_msg *, uint8_t version,
                          uint32_t xid);
/* 1.4 and later, and 1.3 by ONF's extension; nothing in others. */
enum of_role_reason { OFPCRR_PRIMARY_REQUEST, OFPCRR_CONFIG, OFPCRR_EXPERIMENTER };
void of_role_status_encode(struct of_buf *, const struct of_role_msg *, enum of_role_reason,
                           uint8_t version, uint32_t xid);

/* Which asynchronous messages go to a controller: a bit per reason. */
enum of_async_type {
    OF_ASYNC_PACKET_IN,
    OF_ASYNC_PORT_STATUS,
    OF_ASYNC_FLOW_REMOVED,
    OF_ASYNC_ROLE_STATUS,
    OF_ASYNC_TABLE_STATUS,
    OF_ASYNC_REQUESTFORWARD,
    OF_ASYNC_N
};
struct of_async {
    uint32_t primary[OF_ASYNC_N]; /* while the role is primary or equal */
    uint32_t secondary[OF_ASYNC_N];
};
/* What holds until a controller of that version says otherwise. */
void of_async_init(struct of_async *, uint8_t version);
/* OFM_SET_ASYNC, OFM_NXT_SET_ASYNC, OFM_NXT_SET_ASYNC2: changes what the message names.  On
 * errors nothing is changed.  OFPBRC_BAD_LEN, OFPBPC_BAD_LEN, OFPACFC_INVALID,
 * OFPACFC_UNSUPPORTED. */
enum of_err of_async_decode(const struct of_msg *, struct of_async *);
/* OFM_GET_ASYNC_REPLY, in the version's form. */
void
of_async_reply_encode(struct of_buf *, const struct of_async *, uint8_t version, uint32_t xid);

/* Nicira's settings of a connection. */
enum of_flow_format { NXFF_OPENFLOW10 = 0, NXFF_NXM = 2 };
/* OFPBRC_EPERM for a format that there is not. */
enum of_err of_flow_format_decode(const struct of_msg *, enum of_flow_format *);
enum of_err of_packet_in_format_decode(const struct of_msg *, enum of_packet_in_format *);
enum of_err of_flow_mod_table_id_decode(const struct of_msg *, bool *on);
/* Which of several controllers it is, for controller(id=).  NXBRC_MUST_BE_ZERO. */
enum of_err of_controller_id_decode(const struct of_msg *, uint16_t *id);
enum of_err of_ct_flush_zone_decode(const struct of_msg *, uint16_t *zone);

#endif
