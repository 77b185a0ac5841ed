/* SPDX-License-Identifier: Apache-2.0 */
/* Packet-in messages: the standard ones, each version's own, and Nicira's two.  Called by
 * connections on the main thread; no state. */

#include "openflow/of-packet.h"

#include "util/compiler.h"

static const uint16_t pipeline_fields[] = {
    OFF_TUN_ID,    OFF_METADATA,  OFF_PKT_MARK,  OFF_REG0,      OFF_REG0 + 1,
    OFF_REG0 + 2,  OFF_REG0 + 3,  OFF_REG0 + 4,  OFF_REG0 + 5,  OFF_REG0 + 6,
    OFF_REG0 + 7,  OFF_REG0 + 8,  OFF_REG0 + 9,  OFF_REG0 + 10, OFF_REG0 + 11,
    OFF_REG0 + 12, OFF_REG0 + 13, OFF_REG0 + 14, OFF_REG0 + 15, OFF_PACKET_TYPE,
};

void
of_packet_metadata(const struct flow *flow, struct of_match *m)
{
    of_match_init(m);
    for (size_t i = 0; i < ARRAY_SIZE(pipeline_fields); i++) {
        enum of_field f = pipeline_fields[i];
        struct of_value value;

        if (!of_field_is_zero(f, flow)) {
            of_field_get(f, flow, &value);
            of_match_set(m, f, &value, NULL);
        }
    }
    of_match_set_u64(m, OFF_IN_PORT, flow->meta.in_port);
}

static uint8_t
reason_to_wire(enum of_packet_in_reason reason, uint8_t version)
{
    switch (reason) {
    case OFPR_ACTION_SET:
    case OFPR_GROUP:
    case OFPR_PACKET_OUT:
        return (uint8_t) (version < OF14_VERSION ? OFPR_ACTION : reason);
    case OFPR_EXPLICIT_MISS: /* before 1.3 a flow with an output to the controller like another
                              */
        return version < OF13_VERSION ? OFPR_ACTION : OFPR_NO_MATCH;
    case OFPR_IMPLICIT_MISS:
        return OFPR_NO_MATCH;
    case OFPR_NO_MATCH:
    case OFPR_ACTION:
    case OFPR_INVALID_TTL:
    default:
        return (uint8_t) reason;
    }
}

static uint16_t
total_len(const struct of_packet_in *pin)
{
    return (uint16_t) MIN(pin->total_len, (size_t) UINT16_MAX);
}

static bool
encode_standard(struct of_buf *b, const struct of_packet_in *pin, uint8_t version, uint32_t xid)
{
    size_t start = of_msg_begin(b, OFM_PACKET_IN, version, xid);
    uint8_t reason = reason_to_wire(pin->reason, version);
    uint16_t in_port = (uint16_t) pin->flow->meta.in_port;
    struct of_match md;

    of_put_u32(b, OFP_NO_BUFFER);
    if (version == OF11_VERSION) {
        of_put_port(b, version, in_port);
        of_put_port(b, version, in_port); /* the physical port */
    }
    of_put_u16(b, total_len(pin));
    if (version == OF10_VERSION) {
        of_put_u16(b, in_port);
    }
    of_put_u8(b, reason);
    of_put_u8(b, version == OF10_VERSION ? 0 : pin->table_id);
    if (version >= OF13_VERSION) {
        of_put_u64(b, pin->cookie);
    }
    if (version >= OF12_VERSION) {
        of_packet_metadata(pin->flow, &md);
        of_match_encode(b, version, &md);
        of_put_u16(b, 0);
    }
    of_buf_put(b, pin->packet, pin->packet_len);
    return of_msg_end(b, start);
}

static bool
encode_nxt(struct of_buf *b, const struct of_packet_in *pin, uint8_t version, uint32_t xid)
{
    size_t start = of_msg_begin(b, OFM_NXT_PACKET_IN, version, xid);
    size_t match_len_ofs, match_len;
    struct of_match md;

    of_put_u32(b, OFP_NO_BUFFER);
    of_put_u16(b, total_len(pin));
    of_put_u8(b, reason_to_wire(pin->reason, version));
    of_put_u8(b, pin->table_id);
    of_put_u64(b, pin->cookie);
    match_len_ofs = of_buf_put_zeros(b, 8);
    of_packet_metadata(pin->flow, &md);
    match_len = of_match_encode_nxm(b, 0, &md, 0, 0);
    of_buf_set_u16(b, match_len_ofs, (uint16_t) match_len);
    of_put_u16(b, 0);
    of_buf_put(b, pin->packet, pin->packet_len);
    return of_msg_end(b, start);
}

/* Properties of NXT_PACKET_IN2 and NXT_RESUME. */
enum {
    NXPINT_PACKET = 0,
    NXPINT_FULL_LEN = 1,
    NXPINT_BUFFER_ID = 2,
    NXPINT_TABLE_ID = 3,
    NXPINT_COOKIE = 4,
    NXPINT_REASON = 5,
    NXPINT_METADATA = 6,
    NXPINT_USERDATA = 7,
    NXPINT_CONTINUATION = 8,
};
/* A continuation is a list of properties, too, for those who look into it without need. */
enum { CONTINUATION_OURS = 0x8100 };

static void
put_prop(struct of_buf *b, uint16_t type, const void *data, size_t len)
{
    size_t prop = of_prop_begin(b, type);

    of_buf_put(b, data, len);
    of_prop_end(b, prop);
}

static bool
encode_nxt2(struct of_buf *b, const struct of_packet_in *pin, uint8_t version, uint32_t xid)
{
    size_t start = of_msg_begin(b, OFM_NXT_PACKET_IN2, version, xid), prop, md_start, md_len;
    uint8_t reason = reason_to_wire(pin->reason, version);
    struct of_match md;

    put_prop(b, NXPINT_PACKET, pin->packet, pin->packet_len);
    if (pin->packet_len < pin->total_len) {
        prop = of_prop_begin(b, NXPINT_FULL_LEN);
        of_put_u32(b, (uint32_t) pin->total_len);
        of_prop_end(b, prop);
    }
    put_prop(b, NXPINT_TABLE_ID, &pin->table_id, 1);
    if (pin->cookie != UINT64_MAX) {
        prop = of_prop_begin(b, NXPINT_COOKIE);
        of_put_u32(b, 0);
        of_put_u64(b, pin->cookie);
        of_prop_end(b, prop);
    }
    put_prop(b, NXPINT_REASON, &reason, 1);
    prop = of_prop_begin(b, NXPINT_METADATA);
    of_packet_metadata(pin->flow, &md);
    md_start = b->len;
    md_len = of_match_encode_nxm(b, MAX(version, OF12_VERSION), &md, 0, 0); /* never as NXM */
    of_buf_truncate(b, md_start + md_len); /* the padding is the property's */
    of_prop_end(b, prop);
    if (pin->continuation_len) {
        size_t inner;

        prop = of_prop_begin(b, NXPINT_CONTINUATION);
        of_put_u32(b, 0);
        inner = of_prop_begin(b, CONTINUATION_OURS);
        of_buf_put(b, pin->continuation, pin->continuation_len);
        of_prop_end(b, inner);
        of_prop_end(b, prop);
    }
    if (pin->userdata_len) {
        put_prop(b, NXPINT_USERDATA, pin->userdata, pin->userdata_len);
    }
    return of_msg_end(b, start);
}

bool
of_packet_in_encode(struct of_buf *b, const struct of_packet_in *pin,
                    enum of_packet_in_format format, uint8_t version, uint32_t xid)
{
    /* Lengths of properties have 16 bits; what is near that fits into no message anyway. */
    if (pin->packet_len > UINT16_MAX || pin->userdata_len > UINT16_MAX ||
        pin->continuation_len > UINT16_MAX) {
        return false;
    }
    switch (format) {
    case NXPIF_NXT_PACKET_IN:
        return encode_nxt(b, pin, version, xid);
    case NXPIF_NXT_PACKET_IN2:
        return encode_nxt2(b, pin, version, xid);
    case NXPIF_STANDARD:
    default:
        return encode_standard(b, pin, version, xid);
    }
}

/* A match wants padding, which a property has behind it, where the message may end. */
static enum of_err
decode_metadata(const struct of_reader *data, struct of_match *md)
{
    struct of_buf padded = OF_BUF_INIT;
    struct of_reader r;
    enum of_err err;

    of_buf_put(&padded, data->p, data->len);
    of_buf_pad(&padded, 8);
    r = (struct of_reader){padded.data, padded.len};
    err = of_match_decode_nxm(&r, data->len, true, md, NULL, NULL);
    of_buf_free(&padded);
    return err;
}

/* Out of the properties that a continuation is made of, ours. */
static enum of_err
decode_continuation(struct of_reader *data, struct of_resume *res)
{
    if (!of_skip(data, 4)) {
        return OFPBPC_BAD_LEN;
    }
    while (data->len) {
        struct of_prop prop;
        enum of_err err = of_prop_next(data, false, &prop);

        if (err) {
            return err;
        }
        if (prop.type == CONTINUATION_OURS) {
            res->continuation = prop.data.p;
            res->continuation_len = prop.data.len;
        }
    }
    return OF_OK;
}

/* One property of NXT_RESUME. */
static enum of_err
take_property(struct of_prop *prop, struct of_resume *res)
{
    struct of_reader *d = &prop->data;
    uint8_t reason;

    switch (prop->type) {
    case NXPINT_PACKET:
        res->packet = d->p;
        res->packet_len = d->len;
        return OF_OK;
    case NXPINT_FULL_LEN:
    case NXPINT_BUFFER_ID:
        return OF_OK; /* of no use to us, who sent them */
    case NXPINT_TABLE_ID:
        return of_read_u8(d, &res->table_id) ? OF_OK : OFPBPC_BAD_LEN;
    case NXPINT_COOKIE:
        return of_skip(d, 4) && of_read_u64(d, &res->cookie) ? OF_OK : OFPBPC_BAD_LEN;
    case NXPINT_REASON:
        if (!of_read_u8(d, &reason)) {
            return OFPBPC_BAD_LEN;
        }
        res->reason = reason; /* as the controller likes */
        return OF_OK;
    case NXPINT_METADATA:
        return decode_metadata(d, &res->metadata);
    case NXPINT_USERDATA:
        res->userdata = d->p;
        res->userdata_len = d->len;
        return OF_OK;
    case NXPINT_CONTINUATION:
        return decode_continuation(d, res);
    case OFPROP_EXPERIMENTER:
        return OFPBPC_BAD_EXPERIMENTER;
    default:
        return OFPBPC_BAD_TYPE;
    }
}

enum of_err
of_resume_decode(const struct of_msg *msg, struct of_resume *res)
{
    struct of_reader r = msg->body;

    *res = (struct of_resume){.cookie = UINT64_MAX};
    while (r.len) {
        struct of_prop prop;
        enum of_err err = of_prop_next(&r, false, &prop);

        if (!err) {
            err = take_property(&prop, res);
        }
        if (err) {
            return err;
        }
    }
    res->in_port = (uint16_t) res->metadata.flow.meta.in_port;
    return !res->packet_len ? OFPBRC_BAD_LEN : !res->continuation_len ? NXR_STALE : OF_OK;
}
