/* SPDX-License-Identifier: Apache-2.0 */
/* The configuration of asynchronous messages, as three pairs of masks (1.3, Nicira's first) and
 * as properties (1.4, Nicira's second).  No state, any thread. */

#include <string.h>

#include "openflow/of-role.h"
#include "util/compiler.h"

/* All reasons that there are, by type. */
static const uint32_t all_reasons[OF_ASYNC_N] = {
    [OF_ASYNC_PACKET_IN] = (1u << OFPR_N) - 1,
    [OF_ASYNC_PORT_STATUS] = 0x7,
    [OF_ASYNC_FLOW_REMOVED] = 0x3f,
    [OF_ASYNC_ROLE_STATUS] = 0x7,
    [OF_ASYNC_TABLE_STATUS] = 0x18, /* vacancy down and up */
    [OF_ASYNC_REQUESTFORWARD] = 0x3,
};
/* What the answer of 1.3 has of them. */
static const uint32_t reasons_13[OF_ASYNC_N] = {
    [OF_ASYNC_PACKET_IN] = 0x7,
    [OF_ASYNC_PORT_STATUS] = 0x7,
    [OF_ASYNC_FLOW_REMOVED] = 0x3f,
};
/* Why flows went, as versions knew it: groups came in 1.3, meters and eviction in 1.4. */
static const uint32_t removed_12 =
    1u << OFPRR_IDLE_TIMEOUT | 1u << OFPRR_HARD_TIMEOUT | 1u << OFPRR_DELETE;
static const uint32_t removed_13 = 1u << OFPRR_GROUP_DELETE;

void
of_async_init(struct of_async *a, uint8_t version)
{
    memset(a, 0, sizeof *a);
    a->primary[OF_ASYNC_PACKET_IN] =
        all_reasons[OF_ASYNC_PACKET_IN] & ~(1u << OFPR_INVALID_TTL);
    a->primary[OF_ASYNC_PORT_STATUS] = all_reasons[OF_ASYNC_PORT_STATUS];
    a->secondary[OF_ASYNC_PORT_STATUS] = all_reasons[OF_ASYNC_PORT_STATUS];
    a->primary[OF_ASYNC_FLOW_REMOVED] = version < OF13_VERSION ? removed_12
                                        : version < OF14_VERSION
                                            ? removed_12 | removed_13
                                            : all_reasons[OF_ASYNC_FLOW_REMOVED];
}

static enum of_err
decode_masks(struct of_reader *r, struct of_async *a)
{
    for (int type = OF_ASYNC_PACKET_IN; type <= OF_ASYNC_FLOW_REMOVED; type++) {
        uint32_t primary, secondary;

        if (!of_read_u32(r, &primary) || !of_read_u32(r, &secondary)) {
            return OFPBRC_BAD_LEN;
        }
        a->primary[type] = primary & all_reasons[type];
        a->secondary[type] = secondary & all_reasons[type];
    }
    return OF_OK;
}

/* Property 2 * type is for secondary controllers, the next one for the others. */
static enum of_err
decode_properties(struct of_reader *r, struct of_async *a)
{
    while (r->len) {
        struct of_prop prop;
        enum of_err err = of_prop_next(r, true, &prop);
        uint32_t mask, *where;

        if (err) {
            return err;
        }
        if (prop.type == OFPROP_EXPERIMENTER || prop.type == OFPROP_EXPERIMENTER_MISS) {
            return prop.exp == OF_EXP_NICIRA || prop.exp == OF_EXP_ONF
                       ? OFPBPC_BAD_EXP_TYPE
                       : OFPBPC_BAD_EXPERIMENTER;
        }
        if (prop.type >= 2 * OF_ASYNC_N) {
            return OFPACFC_UNSUPPORTED;
        }
        if (prop.data.len != 4) {
            return OFPBPC_BAD_LEN;
        }
        of_read_u32(&prop.data, &mask);
        where = prop.type & 1 ? a->primary : a->secondary;
        if (mask & ~all_reasons[prop.type / 2]) {
            return OFPACFC_INVALID;
        }
        where[prop.type / 2] = mask;
    }
    return OF_OK;
}

enum of_err
of_async_decode(const struct of_msg *msg, struct of_async *a)
{
    struct of_reader r = msg->body;
    struct of_async changed = *a;
    enum of_err err;

    if (msg->type == OFM_NXT_SET_ASYNC ||
        (msg->type == OFM_SET_ASYNC && msg->version < OF14_VERSION)) {
        err = decode_masks(&r, &changed);
    } else {
        err = decode_properties(&r, &changed);
    }
    if (!err) {
        *a = changed;
    }
    return err;
}

void
of_async_reply_encode(struct of_buf *b, const struct of_async *a, uint8_t version, uint32_t xid)
{
    size_t start = of_msg_begin(b, OFM_GET_ASYNC_REPLY, version, xid);

    if (start == SIZE_MAX) {
        return;
    }
    for (int type = 0; type < OF_ASYNC_N; type++) {
        if (version < OF14_VERSION) {
            if (type <= OF_ASYNC_FLOW_REMOVED) {
                of_put_u32(b, a->primary[type] & reasons_13[type]);
                of_put_u32(b, a->secondary[type] & reasons_13[type]);
            }
            continue;
        }
        for (int primary = 0; primary < 2; primary++) {
            size_t prop = of_prop_begin(b, (uint16_t) (2 * type + primary));

            of_put_u32(b, primary ? a->primary[type] : a->secondary[type]);
            of_prop_end(b, prop);
        }
    }
    of_msg_end(b, start);
}
