/* SPDX-License-Identifier: Apache-2.0 */
#ifndef XVS_OPENFLOW_OF_PACKET_H
#define XVS_OPENFLOW_OF_PACKET_H 1

/* Packets between switch and controller: packet-in in all formats, packet-out (OpenFlow 1.5.1,
 * sections "Packet-In Message", "Packet-Out Message"), and the resuming of what
 * controller(pause) stopped (Nicira).  No state, any thread. */

#include "openflow/of-actions.h"
#include "openflow/of-flow.h"
#include "openflow/of-match.h"
#include "openflow/of-msg.h"

enum of_packet_in_format {                     /* NXT_SET_PACKET_IN_FORMAT's numbers */
                           NXPIF_STANDARD = 0, /* the version's own message */
                           NXPIF_NXT_PACKET_IN = 1,
                           NXPIF_NXT_PACKET_IN2 = 2,
};

struct of_packet_in {
    const void *packet; /* what is to be sent of it: cut by max_len before */
    size_t packet_len;
    size_t total_len; /* of the packet as it was */
    enum of_packet_in_reason reason;
    uint8_t table_id;
    uint64_t cookie; /* UINT64_MAX: none */
    const struct flow
        *flow; /* its pipeline fields are sent: in_port (OpenFlow's), registers, … */
    const void *userdata; /* of controller(userdata=…); NXT_PACKET_IN2 only */
    size_t userdata_len;
    const void *continuation; /* opaque, of controller(pause); NXT_PACKET_IN2 only */
    size_t continuation_len;  /* 0: none */
};
/* False: the message would be longer than 64 KiB, nothing was put. */
bool of_packet_in_encode(struct of_buf *, const struct of_packet_in *, enum of_packet_in_format,
                         uint8_t version, uint32_t xid);
/* The pipeline fields of `flow` that are not zero, and in_port. */
void of_packet_metadata(const struct flow *, struct of_match *);

struct of_packet_out {
    uint32_t buffer_id;        /* OFP_NO_BUFFER */
    struct of_match metadata;  /* in_port, always, and in 1.5 other pipeline fields */
    uint16_t in_port;          /* the same; OFPP_NONE, OFPP_CONTROLLER, OFPP_LOCAL or a port */
    struct of_actions actions; /* owned */
    const uint8_t *packet;     /* borrowed from the message */
    size_t packet_len;
};
/* On OF_OK the caller ends with of_packet_out_free().  OFPBRC_BAD_LEN, BAD_PORT,
 * PIPELINE_FIELDS_ONLY, and what matches and actions say. */
enum of_err of_packet_out_decode(const struct of_msg *, struct of_packet_out *);
void of_packet_out_free(struct of_packet_out *);

struct of_resume { /* all borrowed from the message */
    const uint8_t *packet;
    size_t packet_len;
    struct of_match metadata;
    uint16_t in_port;
    uint8_t table_id;
    uint64_t cookie;
    enum of_packet_in_reason reason;
    const uint8_t *userdata;
    size_t userdata_len;
    const uint8_t *continuation; /* as it was given to of_packet_in_encode() */
    size_t continuation_len;
};
/* OFPBPC_*, OFPBRC_BAD_LEN (no packet), NXR_STALE (no continuation). */
enum of_err of_resume_decode(const struct of_msg *, struct of_resume *);

#endif
