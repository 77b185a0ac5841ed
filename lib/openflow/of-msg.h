/* SPDX-License-Identifier: Apache-2.0 */
#ifndef XVS_OPENFLOW_OF_MSG_H
#define XVS_OPENFLOW_OF_MSG_H 1

/* Message headers: which meaning a message has, whatever the version and whether it comes in a
 * standard, Nicira or ONF form, and where its body is.
 *
 * Reading:    of_msg_parse(), then the decoder of the message's family with the struct of_msg.
 * Writing:    start = of_msg_begin(); put the body; of_msg_end(start).
 * Multipart:  struct of_mp_writer splits a reply into messages below 64 KiB; struct
 * of_mp_joiner puts a split request together again. */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include "openflow/of-buf.h"
#include "openflow/of-error.h"

enum { /* version numbers on the wire */
       OF10_VERSION = 1,
       OF11_VERSION,
       OF12_VERSION,
       OF13_VERSION,
       OF14_VERSION,
       OF15_VERSION
};
#define OF_HEADER_LEN 8
#define OF_EXP_NICIRA UINT32_C(0x00002320)
#define OF_EXP_ONF UINT32_C(0x4f4e4600)
#define OF_EXP_INTEL UINT32_C(0x0000aa01) /* port counters beyond the standard ones */

/* clang-format off */
enum of_msg_type {
    OFM_NONE,
    /* Symmetric. */
    OFM_HELLO, OFM_ERROR, OFM_ECHO_REQUEST, OFM_ECHO_REPLY,
    /* Switch. */
    OFM_FEATURES_REQUEST, OFM_FEATURES_REPLY, OFM_GET_CONFIG_REQUEST, OFM_GET_CONFIG_REPLY,
    OFM_SET_CONFIG, OFM_BARRIER_REQUEST, OFM_BARRIER_REPLY,
    /* Packets. */
    OFM_PACKET_IN, OFM_NXT_PACKET_IN, OFM_NXT_PACKET_IN2, OFM_PACKET_OUT, OFM_NXT_RESUME,
    /* Events. */
    OFM_FLOW_REMOVED, OFM_NXT_FLOW_REMOVED, OFM_PORT_STATUS, OFM_ROLE_STATUS, OFM_TABLE_STATUS,
    OFM_REQUESTFORWARD, OFM_CONTROLLER_STATUS,
    /* Changes. */
    OFM_FLOW_MOD, OFM_NXT_FLOW_MOD, OFM_GROUP_MOD, OFM_PORT_MOD, OFM_TABLE_MOD, OFM_METER_MOD,
    OFM_BUNDLE_CONTROL, OFM_BUNDLE_ADD_MESSAGE,
    /* The connection. */
    OFM_ROLE_REQUEST, OFM_ROLE_REPLY, OFM_GET_ASYNC_REQUEST, OFM_GET_ASYNC_REPLY,
    OFM_SET_ASYNC, OFM_NXT_SET_ASYNC, OFM_NXT_SET_ASYNC2, OFM_NXT_SET_FLOW_FORMAT,
    OFM_NXT_FLOW_MOD_TABLE_ID, OFM_NXT_SET_PACKET_IN_FORMAT, OFM_NXT_FLOW_AGE,
    OFM_NXT_SET_CONTROLLER_ID,
    OFM_QUEUE_GET_CONFIG_REQUEST, OFM_QUEUE_GET_CONFIG_REPLY,
    /* Nicira only. */
    OFM_NXT_TLV_TABLE_MOD, OFM_NXT_TLV_TABLE_REQUEST, OFM_NXT_TLV_TABLE_REPLY,
    OFM_NXT_CT_FLUSH_ZONE, OFM_NXT_CT_FLUSH,
    OFM_NXT_FLOW_MONITOR_CANCEL, OFM_NXT_FLOW_MONITOR_PAUSED, OFM_NXT_FLOW_MONITOR_RESUMED,
    /* Multipart ("statistics" in 1.0 to 1.2). */
    OFM_DESC_REQUEST, OFM_DESC_REPLY,
    OFM_FLOW_STATS_REQUEST, OFM_FLOW_STATS_REPLY, /* 1.5: flow descriptions */
    OFM_NXST_FLOW_REQUEST, OFM_NXST_FLOW_REPLY,
    OFM_AGGREGATE_REQUEST, OFM_AGGREGATE_REPLY,
    OFM_NXST_AGGREGATE_REQUEST, OFM_NXST_AGGREGATE_REPLY,
    OFM_TABLE_STATS_REQUEST, OFM_TABLE_STATS_REPLY,
    OFM_PORT_STATS_REQUEST, OFM_PORT_STATS_REPLY,
    OFM_QUEUE_STATS_REQUEST, OFM_QUEUE_STATS_REPLY,
    OFM_GROUP_STATS_REQUEST, OFM_GROUP_STATS_REPLY,
    OFM_GROUP_DESC_REQUEST, OFM_GROUP_DESC_REPLY,
    OFM_GROUP_FEATURES_REQUEST, OFM_GROUP_FEATURES_REPLY,
    OFM_METER_STATS_REQUEST, OFM_METER_STATS_REPLY,
    OFM_METER_CONFIG_REQUEST, OFM_METER_CONFIG_REPLY,
    OFM_METER_FEATURES_REQUEST, OFM_METER_FEATURES_REPLY,
    OFM_TABLE_FEATURES_REQUEST, OFM_TABLE_FEATURES_REPLY,
    OFM_PORT_DESC_REQUEST, OFM_PORT_DESC_REPLY,
    OFM_TABLE_DESC_REQUEST, OFM_TABLE_DESC_REPLY,
    OFM_QUEUE_DESC_REQUEST, OFM_QUEUE_DESC_REPLY,
    OFM_FLOW_MONITOR_REQUEST, OFM_FLOW_MONITOR_REPLY,       /* 1.4 and later */
    OFM_NXST_FLOW_MONITOR_REQUEST, OFM_NXST_FLOW_MONITOR_REPLY,
    OFM_IPFIX_BRIDGE_REQUEST, OFM_IPFIX_BRIDGE_REPLY,
    OFM_IPFIX_FLOW_REQUEST, OFM_IPFIX_FLOW_REPLY,
    OFM_N_TYPES
};
/* clang-format on */
/* "OFPT_FLOW_MOD", "OFPST_PORT_DESC request", for logs.  Static. */
const char *of_msg_type_name(enum of_msg_type);

enum { OFPMPF_MORE = 1 }; /* mp_flags */

struct of_msg {
    enum of_msg_type type;
    uint8_t version;
    uint32_t xid;
    uint32_t exp; /* 0, OF_EXP_NICIRA or OF_EXP_ONF: whose form of the message */
    bool multipart;
    uint16_t mp_flags;     /* multipart only */
    struct of_reader body; /* behind all headers; borrowed from the message */
    const uint8_t *start;  /* the whole message: for errors, and for bundles */
    size_t len;
};

/* Opens the message of exactly `len` bytes at `data`.  Fills in `version`, `xid`, `start` and
 * `len` also on error, as far as there are bytes.  OFPBRC_BAD_VERSION, BAD_TYPE, BAD_STAT,
 * BAD_VENDOR, BAD_SUBTYPE, BAD_LEN (the length in the header is not `len`, or not one that this
 * message can have). */
enum of_err of_msg_parse(const void *data, size_t len, struct of_msg *);
/* Does a request stand here, something that a switch answers or executes? */
bool of_msg_is_for_switch(enum of_msg_type);

/* Puts the headers of a message and returns where it starts, for of_msg_end(), which sets the
 * length.  A type that `version` lacks gets no bytes and SIZE_MAX (of_msg_end() ignores that);
 * callers ask of_msg_exists() where it can happen.  Multipart: flags 0. */
size_t of_msg_begin(struct of_buf *, enum of_msg_type, uint8_t version, uint32_t xid);
/* False, and the message is removed, if it is longer than 65535 bytes. */
bool of_msg_end(struct of_buf *, size_t start);
bool of_msg_exists(enum of_msg_type, uint8_t version);
/* The reply that belongs to a request; OFM_NONE if none. */
enum of_msg_type of_msg_reply_type(enum of_msg_type request);

/* A multipart reply: one or more messages in `buf`, all but the last with OFPMPF_MORE.
 *
 *     of_mp_begin(&w, buf, OFM_FLOW_STATS_REPLY, version, xid);
 *     for each: of_mp_entry_begin(&w); put it; of_mp_entry_end(&w);
 *     of_mp_end(&w);
 *
 * An entry never spans messages; one too long for any message is left out. */
struct of_mp_writer {
    struct of_buf *buf;
    enum of_msg_type type;
    uint8_t version;
    uint32_t xid;
    size_t start; /* of the message being filled */
    size_t entry; /* of the entry being put */
};
void of_mp_begin(struct of_mp_writer *, struct of_buf *, enum of_msg_type, uint8_t version,
                 uint32_t xid);
size_t
of_mp_entry_begin(struct of_mp_writer *);    /* offset of the entry; it may move at its end */
bool of_mp_entry_end(struct of_mp_writer *); /* false: too long, left out */
void of_mp_end(struct of_mp_writer *);
/* The same in the middle of an answer: more messages with its xid follow in another buffer. */
void of_mp_end_more(struct of_mp_writer *);

/* Requests that come in parts (only bodies that are lists do, e.g. table features): the bodies
 * of consecutive messages of one xid and type.  Zero-initialise. */
struct of_mp_joiner {
    struct of_buf body;
    enum of_msg_type type;
    uint8_t version;
    uint32_t xid;
    bool open;
    unsigned n_parts;
};
#define OF_MP_JOIN_MAX (4u << 20) /* bytes of one request */
#define OF_MP_JOIN_PARTS 1024     /* and its messages */
/* Takes in a multipart message.  OF_OK and *whole: `msg->body` is now the whole body (borrowed
 * from the joiner until its next use).  OF_OK and !*whole: more to come.
 * OFPBRC_MULTIPART_BUFFER_OVERFLOW: too large, forgotten. */
enum of_err of_mp_join(struct of_mp_joiner *, struct of_msg *, bool *whole);
void of_mp_joiner_clear(struct of_mp_joiner *);

#endif
