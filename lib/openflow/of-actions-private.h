/* SPDX-License-Identifier: Apache-2.0 */
#ifndef XVS_OPENFLOW_OF_ACTIONS_PRIVATE_H
#define XVS_OPENFLOW_OF_ACTIONS_PRIVATE_H 1

/* What the files of the action codec share.  The wire forms are those of OpenFlow 1.5.1,
 * sections "Action Structures" and "Flow Instruction Structures", and of nicira-ext.  No state,
 * any thread. */

#include "openflow/of-actions.h"

#define OF_NICIRA 0x00002320u
/* Nicira action numbers (ovs-actions(7), nicira extension registry). */
enum {
    NXA_RESUBMIT = 1,
    NXA_SET_TUNNEL = 2,
    NXA_SET_QUEUE = 4,
    NXA_POP_QUEUE = 5,
    NXA_MOVE = 6,
    NXA_LOAD = 7,
    NXA_NOTE = 8,
    NXA_SET_TUNNEL64 = 9,
    NXA_MULTIPATH = 10,
    NXA_BUNDLE = 12,
    NXA_BUNDLE_LOAD = 13,
    NXA_RESUBMIT_TABLE = 14,
    NXA_OUTPUT_REG = 15,
    NXA_LEARN = 16,
    NXA_EXIT = 17,
    NXA_DEC_TTL = 18,
    NXA_FIN_TIMEOUT = 19,
    NXA_CONTROLLER = 20,
    NXA_DEC_TTL_IDS = 21,
    NXA_WRITE_METADATA = 22,
    NXA_PUSH_MPLS = 23,
    NXA_POP_MPLS = 24,
    NXA_SET_MPLS_TTL = 25,
    NXA_DEC_MPLS_TTL = 26,
    NXA_PUSH = 27,
    NXA_POP = 28,
    NXA_SET_MPLS_LABEL = 30,
    NXA_SET_MPLS_TC = 31,
    NXA_OUTPUT_REG2 = 32,
    NXA_LOAD2 = 33,
    NXA_CONJUNCTION = 34,
    NXA_CONTROLLER2 = 37,
    NXA_OUTPUT_TRUNC = 39,
    NXA_GROUP = 40,
    NXA_CLONE = 42,
    NXA_RESUBMIT_CT = 44,
    NXA_LEARN2 = 45,
    NXA_CHECK_PKT_LARGER = 49,
};
/* OpenFlow 1.0 and 1.1+ action numbers. */
enum {
    A10_OUTPUT,
    A10_SET_VLAN_VID,
    A10_SET_VLAN_PCP,
    A10_STRIP_VLAN,
    A10_SET_DL_SRC,
    A10_SET_DL_DST,
    A10_SET_NW_SRC,
    A10_SET_NW_DST,
    A10_SET_NW_TOS,
    A10_SET_TP_SRC,
    A10_SET_TP_DST,
    A10_ENQUEUE,
};
enum {
    A11_OUTPUT,
    A11_SET_VLAN_VID,
    A11_SET_VLAN_PCP,
    A11_SET_DL_SRC,
    A11_SET_DL_DST,
    A11_SET_NW_SRC,
    A11_SET_NW_DST,
    A11_SET_NW_TOS,
    A11_SET_NW_ECN,
    A11_SET_TP_SRC,
    A11_SET_TP_DST,
    A11_SET_MPLS_LABEL = 13,
    A11_SET_MPLS_TC,
    A11_SET_MPLS_TTL,
    A11_DEC_MPLS_TTL,
    A11_PUSH_VLAN,
    A11_POP_VLAN,
    A11_PUSH_MPLS,
    A11_POP_MPLS,
    A11_SET_QUEUE,
    A11_GROUP,
    A11_SET_NW_TTL,
    A11_DEC_NW_TTL,
    A11_SET_FIELD,
    A11_COPY_FIELD = 28,
    A11_METER,
    A_EXPERIMENTER = 0xffff,
};
enum { INST_GOTO = 1, INST_METADATA, INST_WRITE, INST_APPLY, INST_CLEAR, INST_METER };

struct of_acts_dec {
    struct of_actions *out;
    uint8_t version;
    unsigned depth;
};
/* A list of actions, all of the reader, appended to d->out. */
enum of_err of_acts_decode_list(struct of_acts_dec *, struct of_reader);
/* One Nicira action behind its header; `subtype` was read. */
enum of_err of_acts_decode_nicira(struct of_acts_dec *, uint16_t subtype, struct of_reader *);
enum of_err of_acts_decode_learn(struct of_acts_dec *, bool learn2, struct of_reader *);
void of_acts_encode_learn(struct of_buf *, const struct of_act_learn *);
/* Appends an action of one number. */
void of_acts_put_num(struct of_acts_dec *, enum of_act_type, unsigned form, uint64_t num);
/* A field's header and bits; the errors are those of matches, or (_sub) of actions. */
enum of_err of_acts_field_error(enum of_err);
enum of_err of_acts_read_header(struct of_reader *, enum of_field *);
enum of_err of_acts_read_sub(struct of_reader *, uint16_t ofs_nbits, struct of_subfield *);
/* OXM entry of set_field; `version` 6 and extensions (0) may have a mask. */
enum of_err of_acts_decode_set_field(struct of_acts_dec *, struct of_reader *, bool may_mask);
enum of_err of_acts_decode_load(struct of_acts_dec *, struct of_reader *);
enum of_err of_acts_decode_stack(struct of_acts_dec *, enum of_act_type, struct of_reader *);
/* `n_bits` at `ofs` of a field, if it has them. */
enum of_err of_acts_sub(enum of_field, unsigned ofs, unsigned n_bits, struct of_subfield *);
enum of_err of_acts_decode_copy(struct of_acts_dec *, struct of_reader *, bool copy_field);
/* Nothing but zeros left? */
bool of_acts_rest_zero(const struct of_reader *);
static inline uint16_t
of_acts_ofs_nbits(const struct of_subfield *s)
{
    return (uint16_t) (s->ofs << 6 | (s->n_bits - 1));
}
/* Actions of a list, for the encoders of what nests. */
void of_acts_encode_list(struct of_buf *, const struct of_act *, size_t len, uint8_t version);
size_t of_acts_nx_begin(struct of_buf *, uint16_t subtype);
void of_acts_end(struct of_buf *, size_t start);
void of_acts_encode_nicira(struct of_buf *, const struct of_act *, uint8_t version);
/* Header fields as set_field, load, or 1.0's and 1.1's own actions. */
void of_acts_encode_header(struct of_buf *, const struct of_act *, uint8_t version);
/* The order in which instructions execute, and have to be written: 0 meter, 1 actions that are
 * applied, and so on to goto_table. */
unsigned of_acts_rank(const struct of_act *);
/* OFPBAC_BAD_OUT_PORT, unless packets may be sent to that port. */
enum of_err of_acts_check_port(uint16_t port, uint16_t max_ports);

#endif
