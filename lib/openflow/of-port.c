/* SPDX-License-Identifier: Apache-2.0 */
/* Ports on the wire.  Descriptions and changes; statistics are in of-port-stats.c. */

#include "openflow/of-port.h"

#include "util/compiler.h"

enum of_err
of_read_port(struct of_reader *r, uint8_t version, uint16_t *port)
{
    uint32_t wide;

    if (version == OF10_VERSION) {
        return of_read_u16(r, port) ? OF_OK : OFPBRC_BAD_LEN;
    }
    if (!of_read_u32(r, &wide)) {
        return OFPBRC_BAD_LEN;
    }
    return of_port_from_32(wide, port) ? OF_OK : OFPBAC_BAD_OUT_PORT;
}

void
of_put_port(struct of_buf *b, uint8_t version, uint16_t port)
{
    if (version == OF10_VERSION) {
        of_put_u16(b, port);
    } else {
        of_put_u32(b, of_port_to_32(port));
    }
}

static uint32_t
config_bits(uint8_t version)
{
    return version == OF10_VERSION
               ? 0x7f
               : OFPPC_PORT_DOWN | OFPPC_NO_RECV | OFPPC_NO_FWD | OFPPC_NO_PACKET_IN;
}

static uint32_t
state_bits(uint8_t version)
{
    return version == OF10_VERSION ? OFPPS_LINK_DOWN | OFPPS_STP_MASK
                                   : OFPPS_LINK_DOWN | OFPPS_BLOCKED | OFPPS_LIVE;
}

/* OpenFlow 1.0 had no speeds above 10 Gb/s: what follows them sits four bits lower. */
#define FEATURES_10_SAME 0x7fu
#define FEATURES_10_MOVED 0xf80u

static uint32_t
features_to_wire(uint32_t features, uint8_t version)
{
    return version == OF10_VERSION
               ? (features & FEATURES_10_SAME) | (features >> 4 & FEATURES_10_MOVED)
               : features & 0xffff;
}

static uint32_t
features_from_wire(uint32_t wire, uint8_t version)
{
    return version == OF10_VERSION ? (wire & FEATURES_10_SAME) | (wire & FEATURES_10_MOVED) << 4
                                   : wire & 0xffff;
}

static void
put_features(struct of_buf *b, const struct of_port *p, uint8_t version)
{
    of_put_u32(b, features_to_wire(p->curr, version));
    of_put_u32(b, features_to_wire(p->advertised, version));
    of_put_u32(b, features_to_wire(p->supported, version));
    of_put_u32(b, features_to_wire(p->peer, version));
    if (version > OF10_VERSION) {
        of_put_u32(b, p->curr_kbps);
        of_put_u32(b, p->max_kbps);
    }
}

enum { OFPPDPT_ETHERNET = 0, OFPPMPT_ETHERNET = 0 };

size_t
of_port_len(uint8_t version)
{
    return version == OF10_VERSION ? 48 : version < OF14_VERSION ? 64 : 72;
}

void
of_port_put(struct of_buf *b, const struct of_port *p, uint8_t version)
{
    size_t start = b->len, prop;

    of_put_port(b, version, p->no);
    if (version >= OF14_VERSION) {
        of_put_u16(b, (uint16_t) of_port_len(version));
        of_put_u16(b, 0);
    } else if (version > OF10_VERSION) {
        of_put_u32(b, 0);
    }
    of_buf_put(b, &p->hw, sizeof p->hw);
    of_buf_put_zeros(b, version > OF10_VERSION ? 2 : 0);
    of_put_str(b, p->name, OFP_MAX_PORT_NAME_LEN);
    of_put_u32(b, p->config & config_bits(version));
    of_put_u32(b, p->state & state_bits(version));
    if (version < OF14_VERSION) {
        put_features(b, p, version);
        return;
    }
    prop = of_prop_begin(b, OFPPDPT_ETHERNET);
    of_put_u32(b, 0);
    put_features(b, p, version);
    of_prop_end(b, prop);
    of_buf_set_u16(b, start + 4, (uint16_t) (b->len - start));
}

enum of_err
of_port_desc_request_decode(const struct of_msg *msg, uint16_t *port)
{
    struct of_reader r = msg->body;

    *port = OFPP_NONE;
    return msg->version >= OF15_VERSION ? of_read_port(&r, msg->version, port) : OF_OK;
}

void
of_port_status_encode(struct of_buf *b, enum of_port_reason reason, const struct of_port *p,
                      uint8_t version, uint32_t xid)
{
    size_t start = of_msg_begin(b, OFM_PORT_STATUS, version, xid);

    of_put_u8(b, (uint8_t) reason);
    of_buf_put_zeros(b, 7);
    of_port_put(b, p, version);
    of_msg_end(b, start);
}

static enum of_err
port_mod_properties(struct of_reader *r, uint8_t version, struct of_port_mod *pm)
{
    while (r->len) {
        struct of_prop prop;
        enum of_err err = of_prop_next(r, false, &prop);

        if (err) {
            return err;
        }
        if (prop.type == OFPROP_EXPERIMENTER) {
            return OFPBPC_BAD_EXPERIMENTER;
        }
        if (prop.type != OFPPMPT_ETHERNET) {
            return OFPBPC_BAD_TYPE;
        }
        if (prop.data.len != 4) {
            return OFPBPC_BAD_LEN;
        }
        of_read_u32(&prop.data, &pm->advertise);
        pm->advertise = features_from_wire(pm->advertise, version);
    }
    return OF_OK;
}

enum of_err
of_port_mod_decode(const struct of_msg *msg, struct of_port_mod *pm)
{
    struct of_reader r = msg->body;
    uint8_t v = msg->version;
    enum of_err err;

    *pm = (struct of_port_mod){.port = 0};
    err = of_read_port(&r, v, &pm->port);
    if (err) {
        return err == OFPBAC_BAD_OUT_PORT ? OFPPMFC_BAD_PORT : err;
    }
    if (!of_skip(&r, v > OF10_VERSION ? 4 : 0) || !of_read_bytes(&r, &pm->hw, sizeof pm->hw) ||
        !of_skip(&r, v > OF10_VERSION ? 2 : 0) || !of_read_u32(&r, &pm->config) ||
        !of_read_u32(&r, &pm->mask)) {
        return OFPBRC_BAD_LEN;
    }
    pm->mask &= config_bits(v);
    pm->config &= pm->mask;
    if (v >= OF14_VERSION) {
        return port_mod_properties(&r, v, pm);
    }
    if (!of_read_u32(&r, &pm->advertise)) {
        return OFPBRC_BAD_LEN;
    }
    pm->advertise = features_from_wire(pm->advertise, v);
    return OF_OK;
}
