/* SPDX-License-Identifier: Apache-2.0 */
/* Features, configuration, description, echo.  Called by connections on the main thread, but
 * without state. */

#include "openflow/of-switch.h"

#include "util/compiler.h"

static uint32_t
capability_bits(uint8_t version)
{
    uint32_t bits =
        OFPC_FLOW_STATS | OFPC_TABLE_STATS | OFPC_PORT_STATS | OFPC_IP_REASM | OFPC_QUEUE_STATS;

    if (version > OF10_VERSION) {
        bits |= OFPC_GROUP_STATS;
    }
    if (version <= OF11_VERSION) {
        bits |= OFPC_ARP_MATCH_IP;
    } else {
        bits |= OFPC_PORT_BLOCKED;
    }
    if (version >= OF14_VERSION) {
        bits |= OFPC_BUNDLES;
    }
    if (version >= OF15_VERSION) {
        bits |= OFPC_FLOW_MONITORING;
    }
    return bits;
}

void
of_features_reply_encode(struct of_buf *b, const struct of_features *f,
                         const struct of_port *ports, size_t n_ports, uint8_t version,
                         uint32_t xid)
{
    size_t start = of_msg_begin(b, OFM_FEATURES_REPLY, version, xid);

    of_put_u64(b, f->dpid);
    of_put_u32(b, f->n_buffers);
    of_put_u8(b, f->n_tables);
    of_put_u8(b, version >= OF13_VERSION ? f->auxiliary_id : 0);
    of_put_u16(b, 0);
    of_put_u32(b, f->capabilities & capability_bits(version));
    of_put_u32(b, version == OF10_VERSION ? f->actions : 0);
    if (version < OF13_VERSION) {
        for (size_t i = 0; i < n_ports; i++) {
            if (b->len - start + of_port_len(version) > UINT16_MAX) {
                break;
            }
            of_port_put(b, &ports[i], version);
        }
    }
    of_msg_end(b, start);
}

enum of_err
of_set_config_decode(const struct of_msg *msg, struct of_switch_config *c)
{
    struct of_reader r = msg->body;
    uint16_t known = OFPC_FRAG_MASK;

    if (msg->version < OF13_VERSION) {
        known |= OFPC_INVALID_TTL_TO_CONTROLLER;
    }
    if (!of_read_u16(&r, &c->flags) || !of_read_u16(&r, &c->miss_send_len)) {
        return OFPBRC_BAD_LEN;
    }
    return c->flags & ~known ? OFPSCFC_BAD_FLAGS : OF_OK;
}

void
of_get_config_reply_encode(struct of_buf *b, const struct of_switch_config *c, uint8_t version,
                           uint32_t xid)
{
    size_t start = of_msg_begin(b, OFM_GET_CONFIG_REPLY, version, xid);
    uint16_t hidden = version < OF13_VERSION ? 0 : OFPC_INVALID_TTL_TO_CONTROLLER;

    of_put_u16(b, c->flags & (uint16_t) ~hidden);
    of_put_u16(b, c->miss_send_len);
    of_msg_end(b, start);
}

void
of_desc_reply_encode(struct of_buf *b, const struct of_desc *d, uint8_t version, uint32_t xid)
{
    enum { STR_LEN = 256, SERIAL_LEN = 32 };
    size_t start = of_msg_begin(b, OFM_DESC_REPLY, version, xid);

    of_put_str(b, d->mfr, STR_LEN);
    of_put_str(b, d->hw, STR_LEN);
    of_put_str(b, d->sw, STR_LEN);
    of_put_str(b, d->serial, SERIAL_LEN);
    of_put_str(b, d->dp, STR_LEN);
    of_msg_end(b, start);
}

void
of_empty_encode(struct of_buf *b, enum of_msg_type type, uint8_t version, uint32_t xid)
{
    of_msg_end(b, of_msg_begin(b, type, version, xid));
}

void
of_echo_reply_encode(struct of_buf *b, const struct of_msg *request)
{
    size_t start = of_msg_begin(b, OFM_ECHO_REPLY, request->version, request->xid);

    of_buf_put(b, request->body.p, request->body.len);
    of_msg_end(b, start);
}
