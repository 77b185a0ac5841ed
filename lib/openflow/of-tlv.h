/* SPDX-License-Identifier: Apache-2.0 */
#ifndef XVS_OPENFLOW_OF_TLV_H
#define XVS_OPENFLOW_OF_TLV_H 1

/* Which options of tunnel headers the fields tun_metadata0-63 stand for (Nicira).  No state,
 * any thread. */

#include "openflow/of-msg.h"

#define OF_TLV_MAX_FIELDS 64
#define OF_TLV_MAX_SPACE 256

enum of_tlv_command { NXTTMC_ADD, NXTTMC_DELETE, NXTTMC_CLEAR };
struct of_tlv_map {
    uint16_t option_class;
    uint8_t option_type;
    uint8_t option_len; /* bytes, a multiple of 4, up to 124 */
    uint16_t index;     /* of tun_metadata */
};
struct of_tlv_mod {
    enum of_tlv_command command;
    size_t n_maps;
    struct of_tlv_map maps[OF_TLV_MAX_FIELDS];
};
/* OFPBRC_BAD_LEN, NXTTMFC_BAD_COMMAND, BAD_OPT_LEN, BAD_FIELD_IDX, DUP_ENTRY, TABLE_FULL. */
enum of_err of_tlv_mod_decode(const struct of_msg *, struct of_tlv_mod *);
/* OFM_NXT_TLV_TABLE_REPLY: the limits above, and the `n` maps there are. */
void of_tlv_reply_encode(struct of_buf *, const struct of_tlv_map *, size_t n, uint8_t version,
                         uint32_t xid);

#endif
