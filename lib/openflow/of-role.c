/* SPDX-License-Identifier: Apache-2.0 */
/* Roles and Nicira's settings of a connection.  No state, any thread. */

#include "openflow/of-role.h"

/* Nicira's roles were numbered without "no change". */
enum { NX_ROLE_OFS = 1 };

enum of_err
of_role_request_decode(const struct of_msg *msg, struct of_role_msg *rm)
{
    struct of_reader r = msg->body;
    uint32_t role;

    *rm = (struct of_role_msg){.generation_id = UINT64_MAX};
    if (!of_read_u32(&r, &role)) {
        return OFPBRC_BAD_LEN;
    }
    if (msg->exp == OF_EXP_NICIRA) {
        if (role > OFPCR_ROLE_SECONDARY - NX_ROLE_OFS) {
            return OFPRRFC_BAD_ROLE;
        }
        rm->role = role + NX_ROLE_OFS;
        return OF_OK;
    }
    if (!of_skip(&r, 4) || !of_read_u64(&r, &rm->generation_id)) {
        return OFPBRC_BAD_LEN;
    }
    if (role > OFPCR_ROLE_SECONDARY) {
        return OFPRRFC_BAD_ROLE;
    }
    rm->role = role;
    rm->has_generation = role == OFPCR_ROLE_PRIMARY || role == OFPCR_ROLE_SECONDARY;
    if (!rm->has_generation) {
        rm->generation_id = UINT64_MAX;
    }
    return OF_OK;
}

static uint64_t
generation(const struct of_role_msg *rm)
{
    return rm->has_generation ? rm->generation_id : UINT64_MAX;
}

void
of_role_reply_encode(struct of_buf *b, const struct of_role_msg *rm, uint8_t version,
                     uint32_t xid)
{
    size_t start = of_msg_begin(b, OFM_ROLE_REPLY, version, xid);

    if (version < OF12_VERSION) {
        of_put_u32(b, rm->role ? (uint32_t) rm->role - NX_ROLE_OFS : 0);
    } else {
        of_put_u32(b, rm->role);
        of_put_u32(b, 0);
        of_put_u64(b, generation(rm));
    }
    of_msg_end(b, start);
}

void
of_role_status_encode(struct of_buf *b, const struct of_role_msg *rm,
                      enum of_role_reason reason, uint8_t version, uint32_t xid)
{
    size_t start = of_msg_begin(b, OFM_ROLE_STATUS, version, xid);

    if (start == SIZE_MAX) {
        return;
    }
    of_put_u32(b, rm->role);
    of_put_u8(b, (uint8_t) reason);
    of_buf_put_zeros(b, 3);
    of_put_u64(b, generation(rm));
    of_msg_end(b, start);
}

enum of_err
of_flow_format_decode(const struct of_msg *msg, enum of_flow_format *format)
{
    struct of_reader r = msg->body;
    uint32_t v;

    if (!of_read_u32(&r, &v)) {
        return OFPBRC_BAD_LEN;
    }
    if (v != NXFF_OPENFLOW10 && v != NXFF_NXM) {
        return OFPBRC_EPERM;
    }
    *format = v;
    return OF_OK;
}

enum of_err
of_packet_in_format_decode(const struct of_msg *msg, enum of_packet_in_format *format)
{
    struct of_reader r = msg->body;
    uint32_t v;

    if (!of_read_u32(&r, &v)) {
        return OFPBRC_BAD_LEN;
    }
    if (v > NXPIF_NXT_PACKET_IN2) {
        return OFPBRC_EPERM;
    }
    *format = v;
    return OF_OK;
}

enum of_err
of_flow_mod_table_id_decode(const struct of_msg *msg, bool *on)
{
    struct of_reader r = msg->body;
    uint8_t v;

    if (!of_read_u8(&r, &v)) {
        return OFPBRC_BAD_LEN;
    }
    *on = v != 0;
    return OF_OK;
}

/* Six zeros and a 16-bit number. */
static enum of_err
read_padded_u16(const struct of_msg *msg, uint16_t *v)
{
    struct of_reader r = msg->body;

    if (r.len < 8) {
        return OFPBRC_BAD_LEN;
    }
    if (!of_peek_zeros(&r, 6)) {
        return NXBRC_MUST_BE_ZERO;
    }
    of_skip(&r, 6);
    of_read_u16(&r, v);
    return OF_OK;
}

enum of_err
of_controller_id_decode(const struct of_msg *msg, uint16_t *id)
{
    return read_padded_u16(msg, id);
}

enum of_err
of_ct_flush_zone_decode(const struct of_msg *msg, uint16_t *zone)
{
    return read_padded_u16(msg, zone);
}
