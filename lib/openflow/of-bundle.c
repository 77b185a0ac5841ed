/* SPDX-License-Identifier: Apache-2.0 */
/* Bundles on the wire.  No state, any thread. */

#include "openflow/of-bundle.h"

enum of_err
of_bundle_control_decode(const struct of_msg *msg, struct of_bundle_control *c)
{
    struct of_reader r = msg->body;
    uint16_t type;

    if (!of_read_u32(&r, &c->bundle_id) || !of_read_u16(&r, &type) ||
        !of_read_u16(&r, &c->flags)) {
        return OFPBRC_BAD_LEN;
    }
    if (type > OFPBCT_DISCARD_REPLY || type & 1) {
        return OFPBFC_BAD_TYPE;
    }
    c->type = type;
    return c->flags & ~(OFPBF_ATOMIC | OFPBF_ORDERED) ? OFPBFC_BAD_FLAGS : OF_OK;
}

void
of_bundle_control_encode(struct of_buf *b, const struct of_bundle_control *c, uint8_t version,
                         uint32_t xid)
{
    size_t start = of_msg_begin(b, OFM_BUNDLE_CONTROL, version, xid);

    if (start == SIZE_MAX) {
        return;
    }
    of_put_u32(b, c->bundle_id);
    of_put_u16(b, (uint16_t) c->type);
    of_put_u16(b, c->flags);
    of_msg_end(b, start);
}

bool
of_bundle_takes(enum of_msg_type type)
{
    switch (type) {
    case OFM_FLOW_MOD:
    case OFM_NXT_FLOW_MOD:
    case OFM_GROUP_MOD:
    case OFM_PORT_MOD:
    case OFM_METER_MOD:
    case OFM_PACKET_OUT:
        return true;
    default:
        return false;
    }
}

enum of_err
of_bundle_add_decode(const struct of_msg *msg, struct of_bundle_add *add)
{
    struct of_reader r = msg->body;
    uint16_t len;
    enum of_err err;

    if (!of_read_u32(&r, &add->bundle_id) || !of_skip(&r, 2) || !of_read_u16(&r, &add->flags)) {
        return OFPBRC_BAD_LEN;
    }
    if (add->flags & ~(OFPBF_ATOMIC | OFPBF_ORDERED)) {
        return OFPBFC_BAD_FLAGS;
    }
    if (r.len < OF_HEADER_LEN) {
        return OFPBFC_MSG_BAD_LEN;
    }
    if (r.p[0] != msg->version) {
        return OFPBFC_BAD_VERSION;
    }
    len = of_get_be16(r.p + 2);
    /* Properties may follow; there are none that we know. */
    if (len < OF_HEADER_LEN || len > r.len) {
        return OFPBFC_MSG_BAD_LEN;
    }
    err = of_msg_parse(r.p, len, &add->msg);
    if (add->msg.xid != msg->xid) {
        return OFPBFC_MSG_BAD_XID;
    }
    if (err) {
        return err;
    }
    return of_bundle_takes(add->msg.type) ? OF_OK : OFPBFC_MSG_UNSUP;
}

bool
of_requestforward_encode(struct of_buf *b, const void *request, size_t len, uint8_t version,
                         uint32_t xid)
{
    size_t start = of_msg_begin(b, OFM_REQUESTFORWARD, version, xid);

    of_buf_put(b, request, len);
    return of_msg_end(b, start);
}
