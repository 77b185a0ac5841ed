/* SPDX-License-Identifier: Apache-2.0 */
/* The map of tunnel options on the wire.  No state, any thread. */

#include "openflow/of-tlv.h"

static enum of_err
read_map(struct of_reader *r, struct of_tlv_mod *mod)
{
    struct of_tlv_map *m = &mod->maps[mod->n_maps];

    if (!of_read_u16(r, &m->option_class) || !of_read_u8(r, &m->option_type) ||
        !of_read_u8(r, &m->option_len) || !of_read_u16(r, &m->index) || !of_skip(r, 2)) {
        return OFPBRC_BAD_LEN;
    }
    if (m->option_len > 124 || m->option_len % 4 || !m->option_len) {
        return NXTTMFC_BAD_OPT_LEN;
    }
    if (m->index >= OF_TLV_MAX_FIELDS) {
        return NXTTMFC_BAD_FIELD_IDX;
    }
    for (size_t i = 0; i < mod->n_maps; i++) {
        if (mod->maps[i].option_class == m->option_class &&
            mod->maps[i].option_type == m->option_type) {
            return NXTTMFC_DUP_ENTRY;
        }
    }
    mod->n_maps++;
    return OF_OK;
}

enum of_err
of_tlv_mod_decode(const struct of_msg *msg, struct of_tlv_mod *mod)
{
    struct of_reader r = msg->body;
    uint16_t command;

    *mod = (struct of_tlv_mod){.n_maps = 0};
    if (!of_read_u16(&r, &command) || !of_skip(&r, 6)) {
        return OFPBRC_BAD_LEN;
    }
    if (command > NXTTMC_CLEAR) {
        return NXTTMFC_BAD_COMMAND;
    }
    mod->command = command;
    if (mod->command == NXTTMC_CLEAR) {
        return OF_OK;
    }
    while (r.len) {
        enum of_err err;

        if (mod->n_maps == OF_TLV_MAX_FIELDS) {
            return NXTTMFC_TABLE_FULL;
        }
        err = read_map(&r, mod);
        if (err) {
            return err;
        }
    }
    return OF_OK;
}

void
of_tlv_reply_encode(struct of_buf *b, const struct of_tlv_map *maps, size_t n, uint8_t version,
                    uint32_t xid)
{
    size_t start = of_msg_begin(b, OFM_NXT_TLV_TABLE_REPLY, version, xid);

    of_put_u32(b, OF_TLV_MAX_SPACE);
    of_put_u16(b, OF_TLV_MAX_FIELDS);
    of_buf_put_zeros(b, 10);
    for (size_t i = 0; i < n; i++) {
        of_put_u16(b, maps[i].option_class);
        of_put_u8(b, maps[i].option_type);
        of_put_u8(b, maps[i].option_len);
        of_put_u16(b, maps[i].index);
        of_put_u16(b, 0);
    }
    of_msg_end(b, start);
}
