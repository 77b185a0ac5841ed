/* SPDX-License-Identifier: Apache-2.0 */
/* Message headers.  One table says how each message looks in each version; parsing and writing
 * both walk it.  Any thread, no state. */

#include "openflow/of-msg.h"

#include "util/compiler.h"

/* Which headers a message has. */
enum form {
    OFPT,  /* the common header: code = type */
    EXPT,  /* experimenter message: code = subtype */
    OFPST, /* multipart: code = its type */
    EXPST, /* experimenter multipart: code = subtype */
};
enum dir { REQ, REP };

/* The type of the common header for multipart, and for experimenters, by version. */
enum { OFPT_EXPERIMENTER = 4, OFPMP_EXPERIMENTER = 0xffff };
static uint8_t
mp_type(uint8_t version, enum dir dir)
{
    return (uint8_t) ((version == OF10_VERSION ? 16 : 18) + (dir == REP));
}

struct coding {
    uint8_t type;        /* enum of_msg_type */
    uint8_t form, dir;   /* `dir` of multipart only */
    uint8_t first, last; /* versions */
    uint32_t exp;
    uint16_t code;
    uint16_t min;  /* bytes of body */
    uint16_t unit; /* more bytes come in multiples of this; 0 = none */
    const char *name;
};
#define NX OF_EXP_NICIRA
#define ONF OF_EXP_ONF
#define MSG(TYPE, FIRST, LAST, CODE, MIN, UNIT, NAME)                                          \
    {                                                                                          \
        OFM_##TYPE, OFPT, REQ, FIRST, LAST, 0, CODE, MIN, UNIT, "OFPT_" NAME                   \
    }
#define NXT(TYPE, FIRST, LAST, CODE, MIN, UNIT, NAME)                                          \
    {                                                                                          \
        OFM_##TYPE, EXPT, REQ, FIRST, LAST, NX, CODE, MIN, UNIT, "NXT_" NAME                   \
    }
#define ONFT(TYPE, FIRST, LAST, CODE, MIN, UNIT, NAME)                                         \
    {                                                                                          \
        OFM_##TYPE, EXPT, REQ, FIRST, LAST, ONF, CODE, MIN, UNIT, "ONFT_" NAME                 \
    }
#define MPREQ(TYPE, FIRST, LAST, CODE, MIN, UNIT, NAME)                                        \
    {                                                                                          \
        OFM_##TYPE##_REQUEST, OFPST, REQ, FIRST, LAST, 0, CODE, MIN, UNIT,                     \
            "OFPST_" NAME " request"                                                           \
    }
#define MPREP(TYPE, FIRST, LAST, CODE, MIN, UNIT, NAME)                                        \
    {                                                                                          \
        OFM_##TYPE##_REPLY, OFPST, REP, FIRST, LAST, 0, CODE, MIN, UNIT,                       \
            "OFPST_" NAME " reply"                                                             \
    }
#define NXREQ(TYPE, FIRST, LAST, CODE, MIN, UNIT, NAME)                                        \
    {                                                                                          \
        OFM_##TYPE##_REQUEST, EXPST, REQ, FIRST, LAST, NX, CODE, MIN, UNIT,                    \
            "NXST_" NAME " request"                                                            \
    }
#define NXREP(TYPE, FIRST, LAST, CODE, MIN, UNIT, NAME)                                        \
    {                                                                                          \
        OFM_##TYPE##_REPLY, EXPST, REP, FIRST, LAST, NX, CODE, MIN, UNIT,                      \
            "NXST_" NAME " reply"                                                              \
    }

/* Sources: the specifications' appendix on the protocol ("Message types", "Multipart"); lengths
 * are those of the fixed part.  Where a meaning has several forms in one version (Nicira's
 * beside the standard one), each is a type of its own, or the standard one comes first: that is
 * the one written. */
/* clang-format off */
static const struct coding codings[] = {
    MSG(FLOW_MOD, 1, 1, 14, 64, 1, "FLOW_MOD"),
    MSG(FLOW_MOD, 2, 2, 14, 128, 1, "FLOW_MOD"),
    MSG(FLOW_MOD, 3, 6, 14, 48, 1, "FLOW_MOD"),
    NXT(NXT_FLOW_MOD, 1, 6, 13, 32, 1, "FLOW_MOD"),
    MSG(PACKET_OUT, 1, 1, 13, 8, 1, "PACKET_OUT"),
    MSG(PACKET_OUT, 2, 6, 13, 16, 1, "PACKET_OUT"),
    MSG(ECHO_REQUEST, 1, 6, 2, 0, 1, "ECHO_REQUEST"),
    MSG(ECHO_REPLY, 1, 6, 3, 0, 1, "ECHO_REPLY"),
    MSG(BARRIER_REQUEST, 1, 1, 18, 0, 0, "BARRIER_REQUEST"),
    MSG(BARRIER_REQUEST, 2, 6, 20, 0, 0, "BARRIER_REQUEST"),
    MSG(BARRIER_REPLY, 1, 1, 19, 0, 0, "BARRIER_REPLY"),
    MSG(BARRIER_REPLY, 2, 6, 21, 0, 0, "BARRIER_REPLY"),
    MSG(HELLO, 1, 6, 0, 0, 1, "HELLO"),
    MSG(ERROR, 1, 6, 1, 4, 1, "ERROR"),
    MSG(FEATURES_REQUEST, 1, 6, 5, 0, 0, "FEATURES_REQUEST"),
    MSG(FEATURES_REPLY, 1, 1, 6, 24, 48, "FEATURES_REPLY"),
    MSG(FEATURES_REPLY, 2, 3, 6, 24, 64, "FEATURES_REPLY"),
    MSG(FEATURES_REPLY, 4, 6, 6, 24, 0, "FEATURES_REPLY"),
    MSG(GET_CONFIG_REQUEST, 1, 6, 7, 0, 0, "GET_CONFIG_REQUEST"),
    MSG(GET_CONFIG_REPLY, 1, 6, 8, 4, 0, "GET_CONFIG_REPLY"),
    MSG(SET_CONFIG, 1, 6, 9, 4, 0, "SET_CONFIG"),
    MSG(PACKET_IN, 1, 1, 10, 10, 1, "PACKET_IN"),
    MSG(PACKET_IN, 2, 3, 10, 16, 1, "PACKET_IN"),
    MSG(PACKET_IN, 4, 6, 10, 24, 1, "PACKET_IN"),
    NXT(NXT_PACKET_IN, 1, 6, 17, 24, 1, "PACKET_IN"),
    NXT(NXT_PACKET_IN2, 1, 6, 30, 0, 1, "PACKET_IN2"),
    NXT(NXT_RESUME, 1, 6, 28, 0, 8, "RESUME"),
    MSG(FLOW_REMOVED, 1, 1, 11, 80, 0, "FLOW_REMOVED"),
    MSG(FLOW_REMOVED, 2, 2, 11, 128, 0, "FLOW_REMOVED"),
    MSG(FLOW_REMOVED, 3, 5, 11, 48, 8, "FLOW_REMOVED"),
    MSG(FLOW_REMOVED, 6, 6, 11, 32, 8, "FLOW_REMOVED"),
    NXT(NXT_FLOW_REMOVED, 1, 6, 14, 40, 8, "FLOW_REMOVED"),
    MSG(PORT_STATUS, 1, 1, 12, 56, 0, "PORT_STATUS"),
    MSG(PORT_STATUS, 2, 4, 12, 72, 0, "PORT_STATUS"),
    MSG(PORT_STATUS, 5, 6, 12, 48, 8, "PORT_STATUS"),
    MSG(GROUP_MOD, 2, 5, 15, 8, 8, "GROUP_MOD"),
    MSG(GROUP_MOD, 6, 6, 15, 16, 8, "GROUP_MOD"),
    NXT(GROUP_MOD, 1, 1, 31, 16, 8, "GROUP_MOD"),
    MSG(PORT_MOD, 1, 1, 15, 24, 0, "PORT_MOD"),
    MSG(PORT_MOD, 2, 4, 16, 32, 0, "PORT_MOD"),
    MSG(PORT_MOD, 5, 6, 16, 24, 1, "PORT_MOD"),
    MSG(TABLE_MOD, 2, 4, 17, 8, 0, "TABLE_MOD"),
    MSG(TABLE_MOD, 5, 6, 17, 8, 1, "TABLE_MOD"),
    MSG(METER_MOD, 4, 6, 29, 8, 1, "METER_MOD"),
    MSG(QUEUE_GET_CONFIG_REQUEST, 1, 1, 20, 4, 0, "QUEUE_GET_CONFIG_REQUEST"),
    MSG(QUEUE_GET_CONFIG_REQUEST, 2, 4, 22, 8, 0, "QUEUE_GET_CONFIG_REQUEST"),
    MSG(QUEUE_GET_CONFIG_REPLY, 1, 1, 21, 8, 8, "QUEUE_GET_CONFIG_REPLY"),
    MSG(QUEUE_GET_CONFIG_REPLY, 2, 4, 23, 8, 8, "QUEUE_GET_CONFIG_REPLY"),
    MSG(ROLE_REQUEST, 3, 6, 24, 16, 0, "ROLE_REQUEST"),
    MSG(ROLE_REPLY, 3, 6, 25, 16, 0, "ROLE_REPLY"),
    NXT(ROLE_REQUEST, 1, 2, 10, 4, 0, "ROLE_REQUEST"),
    NXT(ROLE_REPLY, 1, 2, 11, 4, 0, "ROLE_REPLY"),
    MSG(GET_ASYNC_REQUEST, 4, 6, 26, 0, 1, "GET_ASYNC_REQUEST"),
    MSG(GET_ASYNC_REPLY, 4, 4, 27, 24, 0, "GET_ASYNC_REPLY"),
    MSG(GET_ASYNC_REPLY, 5, 6, 27, 0, 8, "GET_ASYNC_REPLY"),
    MSG(SET_ASYNC, 4, 4, 28, 24, 0, "SET_ASYNC"),
    MSG(SET_ASYNC, 5, 6, 28, 0, 8, "SET_ASYNC"),
    NXT(NXT_SET_ASYNC, 1, 6, 19, 24, 0, "SET_ASYNC_CONFIG"),
    NXT(NXT_SET_ASYNC2, 1, 4, 27, 0, 8, "SET_ASYNC_CONFIG2"),
    MSG(ROLE_STATUS, 5, 6, 30, 16, 8, "ROLE_STATUS"),
    ONFT(ROLE_STATUS, 4, 4, 1911, 16, 8, "ROLE_STATUS"),
    MSG(TABLE_STATUS, 5, 6, 31, 16, 8, "TABLE_STATUS"),
    MSG(REQUESTFORWARD, 5, 6, 32, 8, 1, "REQUESTFORWARD"),
    ONFT(REQUESTFORWARD, 4, 4, 2350, 8, 1, "REQUESTFORWARD"),
    NXT(REQUESTFORWARD, 1, 3, 132, 8, 1, "REQUESTFORWARD"),
    MSG(CONTROLLER_STATUS, 6, 6, 35, 0, 1, "CONTROLLER_STATUS"),
    MSG(BUNDLE_CONTROL, 5, 6, 33, 8, 1, "BUNDLE_CONTROL"),
    ONFT(BUNDLE_CONTROL, 4, 4, 2300, 8, 1, "BUNDLE_CONTROL"),
    MSG(BUNDLE_ADD_MESSAGE, 5, 6, 34, 16, 1, "BUNDLE_ADD_MESSAGE"),
    ONFT(BUNDLE_ADD_MESSAGE, 4, 4, 2301, 16, 1, "BUNDLE_ADD_MESSAGE"),
    NXT(NXT_SET_FLOW_FORMAT, 1, 6, 12, 4, 0, "SET_FLOW_FORMAT"),
    NXT(NXT_FLOW_MOD_TABLE_ID, 1, 6, 15, 8, 0, "FLOW_MOD_TABLE_ID"),
    NXT(NXT_SET_PACKET_IN_FORMAT, 1, 6, 16, 4, 0, "SET_PACKET_IN_FORMAT"),
    NXT(NXT_FLOW_AGE, 1, 6, 18, 0, 0, "FLOW_AGE"),
    NXT(NXT_SET_CONTROLLER_ID, 1, 6, 20, 8, 0, "SET_CONTROLLER_ID"),
    NXT(NXT_TLV_TABLE_MOD, 1, 6, 24, 8, 8, "TLV_TABLE_MOD"),
    NXT(NXT_TLV_TABLE_REQUEST, 1, 6, 25, 0, 0, "TLV_TABLE_REQUEST"),
    NXT(NXT_TLV_TABLE_REPLY, 1, 6, 26, 16, 8, "TLV_TABLE_REPLY"),
    NXT(NXT_CT_FLUSH_ZONE, 1, 6, 29, 8, 0, "CT_FLUSH_ZONE"),
    NXT(NXT_CT_FLUSH, 1, 6, 32, 8, 1, "CT_FLUSH"),
    NXT(NXT_FLOW_MONITOR_CANCEL, 1, 6, 21, 4, 0, "FLOW_MONITOR_CANCEL"),
    ONFT(NXT_FLOW_MONITOR_CANCEL, 4, 4, 1870, 4, 0, "FLOW_MONITOR_CANCEL"),
    ONFT(NXT_FLOW_MONITOR_PAUSED, 4, 4, 1871, 0, 0, "FLOW_MONITOR_PAUSED"),
    ONFT(NXT_FLOW_MONITOR_RESUMED, 4, 4, 1872, 0, 0, "FLOW_MONITOR_RESUMED"),
    NXT(NXT_FLOW_MONITOR_PAUSED, 1, 6, 22, 0, 0, "FLOW_MONITOR_PAUSED"),
    NXT(NXT_FLOW_MONITOR_RESUMED, 1, 6, 23, 0, 0, "FLOW_MONITOR_RESUMED"),

    MPREQ(DESC, 1, 6, 0, 0, 0, "DESC"),
    MPREP(DESC, 1, 6, 0, 1056, 0, "DESC"),
    MPREQ(FLOW_STATS, 1, 1, 1, 44, 0, "FLOW"),
    MPREQ(FLOW_STATS, 2, 2, 1, 120, 0, "FLOW"),
    MPREQ(FLOW_STATS, 3, 6, 1, 40, 8, "FLOW"),
    MPREP(FLOW_STATS, 1, 6, 1, 0, 1, "FLOW"),
    NXREQ(NXST_FLOW, 1, 6, 0, 8, 8, "FLOW"),
    NXREP(NXST_FLOW, 1, 6, 0, 0, 8, "FLOW"),
    MPREQ(AGGREGATE, 1, 1, 2, 44, 0, "AGGREGATE"),
    MPREQ(AGGREGATE, 2, 2, 2, 120, 0, "AGGREGATE"),
    MPREQ(AGGREGATE, 3, 6, 2, 40, 8, "AGGREGATE"),
    MPREP(AGGREGATE, 1, 5, 2, 24, 0, "AGGREGATE"),
    MPREP(AGGREGATE, 6, 6, 2, 8, 8, "AGGREGATE"),
    NXREQ(NXST_AGGREGATE, 1, 6, 1, 8, 8, "AGGREGATE"),
    NXREP(NXST_AGGREGATE, 1, 6, 1, 24, 0, "AGGREGATE"),
    MPREQ(TABLE_STATS, 1, 6, 3, 0, 0, "TABLE"),
    MPREP(TABLE_STATS, 1, 1, 3, 0, 64, "TABLE"),
    MPREP(TABLE_STATS, 2, 2, 3, 0, 88, "TABLE"),
    MPREP(TABLE_STATS, 3, 3, 3, 0, 128, "TABLE"),
    MPREP(TABLE_STATS, 4, 6, 3, 0, 24, "TABLE"),
    MPREQ(PORT_STATS, 1, 6, 4, 8, 0, "PORT"),
    MPREP(PORT_STATS, 1, 6, 4, 0, 8, "PORT"),
    MPREQ(QUEUE_STATS, 1, 6, 5, 8, 0, "QUEUE"),
    MPREP(QUEUE_STATS, 1, 1, 5, 0, 32, "QUEUE"),
    MPREP(QUEUE_STATS, 2, 3, 5, 0, 32, "QUEUE"),
    MPREP(QUEUE_STATS, 4, 4, 5, 0, 40, "QUEUE"),
    MPREP(QUEUE_STATS, 5, 6, 5, 0, 8, "QUEUE"),
    MPREQ(GROUP_STATS, 2, 6, 6, 8, 0, "GROUP"),
    MPREP(GROUP_STATS, 2, 6, 6, 0, 8, "GROUP"),
    NXREQ(GROUP_STATS, 1, 1, 7, 8, 0, "GROUP"),
    NXREP(GROUP_STATS, 1, 1, 7, 0, 8, "GROUP"),
    MPREQ(GROUP_DESC, 2, 5, 7, 0, 0, "GROUP_DESC"),
    MPREQ(GROUP_DESC, 6, 6, 7, 8, 0, "GROUP_DESC"),
    MPREP(GROUP_DESC, 2, 6, 7, 0, 8, "GROUP_DESC"),
    NXREQ(GROUP_DESC, 1, 1, 8, 8, 0, "GROUP_DESC"),
    NXREP(GROUP_DESC, 1, 1, 8, 0, 8, "GROUP_DESC"),
    MPREQ(GROUP_FEATURES, 3, 6, 8, 0, 0, "GROUP_FEATURES"),
    MPREP(GROUP_FEATURES, 3, 6, 8, 40, 0, "GROUP_FEATURES"),
    NXREQ(GROUP_FEATURES, 1, 2, 9, 0, 0, "GROUP_FEATURES"),
    NXREP(GROUP_FEATURES, 1, 2, 9, 40, 0, "GROUP_FEATURES"),
    MPREQ(METER_STATS, 4, 6, 9, 8, 0, "METER"),
    MPREP(METER_STATS, 4, 6, 9, 0, 8, "METER"),
    MPREQ(METER_CONFIG, 4, 6, 10, 8, 0, "METER_CONFIG"),
    MPREP(METER_CONFIG, 4, 6, 10, 0, 8, "METER_CONFIG"),
    MPREQ(METER_FEATURES, 4, 6, 11, 0, 0, "METER_FEATURES"),
    MPREP(METER_FEATURES, 4, 6, 11, 16, 0, "METER_FEATURES"),
    MPREQ(TABLE_FEATURES, 4, 6, 12, 0, 8, "TABLE_FEATURES"),
    MPREP(TABLE_FEATURES, 4, 6, 12, 0, 8, "TABLE_FEATURES"),
    MPREQ(PORT_DESC, 1, 5, 13, 0, 0, "PORT_DESC"),
    MPREQ(PORT_DESC, 6, 6, 13, 8, 0, "PORT_DESC"),
    MPREP(PORT_DESC, 1, 1, 13, 0, 48, "PORT_DESC"),
    MPREP(PORT_DESC, 2, 4, 13, 0, 64, "PORT_DESC"),
    MPREP(PORT_DESC, 5, 6, 13, 0, 8, "PORT_DESC"),
    MPREQ(TABLE_DESC, 5, 6, 14, 0, 0, "TABLE_DESC"),
    MPREP(TABLE_DESC, 5, 6, 14, 0, 8, "TABLE_DESC"),
    MPREQ(QUEUE_DESC, 5, 6, 15, 8, 0, "QUEUE_DESC"),
    MPREP(QUEUE_DESC, 5, 6, 15, 0, 8, "QUEUE_DESC"),
    MPREQ(FLOW_MONITOR, 5, 6, 16, 0, 8, "FLOW_MONITOR"),
    MPREP(FLOW_MONITOR, 5, 6, 16, 0, 4, "FLOW_MONITOR"),
    NXREQ(NXST_FLOW_MONITOR, 1, 3, 2, 0, 8, "FLOW_MONITOR"),
    NXREP(NXST_FLOW_MONITOR, 1, 3, 2, 0, 8, "FLOW_MONITOR"),
    { OFM_FLOW_MONITOR_REQUEST, EXPST, REQ, 4, 4, ONF, 1870, 0, 8, "ONFST_FLOW_MONITOR request" },
    { OFM_FLOW_MONITOR_REPLY, EXPST, REP, 4, 4, ONF, 1870, 0, 4, "ONFST_FLOW_MONITOR reply" },
    NXREQ(IPFIX_BRIDGE, 1, 6, 3, 0, 0, "IPFIX_BRIDGE"),
    NXREP(IPFIX_BRIDGE, 1, 6, 3, 0, 8, "IPFIX_BRIDGE"),
    NXREQ(IPFIX_FLOW, 1, 6, 4, 0, 0, "IPFIX_FLOW"),
    NXREP(IPFIX_FLOW, 1, 6, 4, 0, 8, "IPFIX_FLOW"),
};
/* clang-format on */

const char *
of_msg_type_name(enum of_msg_type type)
{
    for (size_t i = 0; i < ARRAY_SIZE(codings); i++) {
        if (codings[i].type == (unsigned) type) {
            return codings[i].name;
        }
    }
    return "unknown";
}

static const struct coding *
coding_of(enum of_msg_type type, uint8_t version)
{
    for (size_t i = 0; i < ARRAY_SIZE(codings); i++) {
        const struct coding *c = &codings[i];

        if (c->type == (unsigned) type && version >= c->first && version <= c->last) {
            return c;
        }
    }
    return NULL;
}

bool
of_msg_exists(enum of_msg_type type, uint8_t version)
{
    return coding_of(type, version) != NULL;
}

/* Reads the headers behind the common one into `form`, `dir`, `exp`, `code`. */
static enum of_err
read_headers(struct of_msg *m, uint8_t ofpt, struct coding *key)
{
    struct of_reader *r = &m->body;
    uint32_t sub;

    key->form = OFPT;
    key->code = ofpt;
    key->dir = REQ;
    key->exp = 0;
    if (ofpt == OFPT_EXPERIMENTER) {
        key->form = EXPT;
    } else if (ofpt == mp_type(m->version, REQ) || ofpt == mp_type(m->version, REP)) {
        key->dir = ofpt == mp_type(m->version, REP) ? REP : REQ;
        m->multipart = true;
        if (!of_read_u16(r, &key->code) || !of_read_u16(r, &m->mp_flags) ||
            (m->version > OF10_VERSION && !of_skip(r, 4))) {
            return OFPBRC_BAD_LEN;
        }
        key->form = key->code == OFPMP_EXPERIMENTER ? EXPST : OFPST;
    }
    if (key->form == EXPT || key->form == EXPST) {
        if (!of_read_u32(r, &key->exp)) {
            return OFPBRC_BAD_LEN;
        }
        if (key->exp != NX && key->exp != ONF) {
            return OFPBRC_BAD_VENDOR;
        }
        if (!of_read_u32(r, &sub)) {
            return OFPBRC_BAD_LEN;
        }
        if (key->form == EXPST && m->version == OF10_VERSION && !of_skip(r, 4)) {
            return OFPBRC_BAD_LEN;
        }
        if (sub > UINT16_MAX) {
            return OFPBRC_BAD_SUBTYPE;
        }
        key->code = (uint16_t) sub;
    }
    return OF_OK;
}

enum of_err
of_msg_parse(const void *data, size_t len, struct of_msg *m)
{
    struct coding key = {.type = OFM_NONE};
    struct of_reader r = {data, len};
    uint16_t header_len;
    uint8_t ofpt;
    enum of_err err;

    *m = (struct of_msg){.start = data, .len = len};
    if (!of_read_u8(&r, &m->version) || !of_read_u8(&r, &ofpt) ||
        !of_read_u16(&r, &header_len) || !of_read_u32(&r, &m->xid) || header_len != len) {
        return OFPBRC_BAD_LEN;
    }
    m->body = r;
    if (ofpt == 0) { /* hello: of any version, one from the future too */
        m->type = OFM_HELLO;
        return OF_OK;
    }
    if (m->version < OF10_VERSION || m->version > OF15_VERSION) {
        return OFPBRC_BAD_VERSION;
    }
    err = read_headers(m, ofpt, &key);
    if (err) {
        return err;
    }
    m->exp = key.exp;
    for (size_t i = 0; i < ARRAY_SIZE(codings); i++) {
        const struct coding *c = &codings[i];

        if (c->code == key.code && c->form == key.form && c->dir == key.dir &&
            c->exp == key.exp && m->version >= c->first && m->version <= c->last) {
            m->type = c->type;
            if (m->body.len < c->min ||
                (c->unit ? (m->body.len - c->min) % c->unit : m->body.len - c->min)) {
                return OFPBRC_BAD_LEN;
            }
            return OF_OK;
        }
    }
    return key.form == OFPT    ? OFPBRC_BAD_TYPE
           : key.form == OFPST ? OFPBRC_BAD_STAT
                               : OFPBRC_BAD_SUBTYPE;
}

/* Requests and their replies. */
static const uint8_t replies[][2] = {
    {OFM_ECHO_REQUEST, OFM_ECHO_REPLY},
    {OFM_FEATURES_REQUEST, OFM_FEATURES_REPLY},
    {OFM_GET_CONFIG_REQUEST, OFM_GET_CONFIG_REPLY},
    {OFM_BARRIER_REQUEST, OFM_BARRIER_REPLY},
    {OFM_ROLE_REQUEST, OFM_ROLE_REPLY},
    {OFM_GET_ASYNC_REQUEST, OFM_GET_ASYNC_REPLY},
    {OFM_QUEUE_GET_CONFIG_REQUEST, OFM_QUEUE_GET_CONFIG_REPLY},
    {OFM_NXT_TLV_TABLE_REQUEST, OFM_NXT_TLV_TABLE_REPLY},
    {OFM_BUNDLE_CONTROL, OFM_BUNDLE_CONTROL},
};

enum of_msg_type
of_msg_reply_type(enum of_msg_type request)
{
    for (size_t i = 0; i < ARRAY_SIZE(replies); i++) {
        if (replies[i][0] == (unsigned) request) {
            return replies[i][1];
        }
    }
    /* Multipart pairs follow each other in the enumeration. */
    if (request >= OFM_DESC_REQUEST && request < OFM_N_TYPES &&
        (request - OFM_DESC_REQUEST) % 2 == 0) {
        return request + 1;
    }
    return OFM_NONE;
}

bool
of_msg_is_for_switch(enum of_msg_type type)
{
    switch (type) {
    case OFM_HELLO:
    case OFM_ERROR:
    case OFM_ECHO_REPLY:
    case OFM_SET_CONFIG:
    case OFM_PACKET_OUT:
    case OFM_NXT_RESUME:
    case OFM_FLOW_MOD:
    case OFM_NXT_FLOW_MOD:
    case OFM_GROUP_MOD:
    case OFM_PORT_MOD:
    case OFM_TABLE_MOD:
    case OFM_METER_MOD:
    case OFM_BUNDLE_ADD_MESSAGE:
    case OFM_SET_ASYNC:
    case OFM_NXT_SET_ASYNC:
    case OFM_NXT_SET_ASYNC2:
    case OFM_NXT_SET_FLOW_FORMAT:
    case OFM_NXT_FLOW_MOD_TABLE_ID:
    case OFM_NXT_SET_PACKET_IN_FORMAT:
    case OFM_NXT_FLOW_AGE:
    case OFM_NXT_SET_CONTROLLER_ID:
    case OFM_NXT_TLV_TABLE_MOD:
    case OFM_NXT_CT_FLUSH_ZONE:
    case OFM_NXT_CT_FLUSH:
    case OFM_NXT_FLOW_MONITOR_CANCEL:
        return true;
    default:
        return of_msg_reply_type(type) != OFM_NONE;
    }
}

size_t
of_msg_begin(struct of_buf *b, enum of_msg_type type, uint8_t version, uint32_t xid)
{
    const struct coding *c = coding_of(type, version);
    size_t start = b->len;

    if (!c) {
        return SIZE_MAX;
    }
    of_put_u8(b, version);
    of_put_u8(b, (uint8_t) (c->form == OFPT   ? c->code
                            : c->form == EXPT ? OFPT_EXPERIMENTER
                                              : mp_type(version, c->dir)));
    of_put_u16(b, 0);
    of_put_u32(b, xid);
    if (c->form == OFPST || c->form == EXPST) {
        of_put_u16(b, c->form == EXPST ? OFPMP_EXPERIMENTER : c->code);
        of_put_u16(b, 0);
        of_buf_put_zeros(b, version > OF10_VERSION ? 4 : 0);
    }
    if (c->form == EXPT || c->form == EXPST) {
        of_put_u32(b, c->exp);
        of_put_u32(b, c->code);
        of_buf_put_zeros(b, c->form == EXPST && version == OF10_VERSION ? 4 : 0);
    }
    return start;
}

bool
of_msg_end(struct of_buf *b, size_t start)
{
    if (start >= b->len) {
        return false;
    }
    if (b->len - start > UINT16_MAX) {
        of_buf_truncate(b, start);
        return false;
    }
    of_buf_set_u16(b, start + 2, (uint16_t) (b->len - start));
    return true;
}
