/* SPDX-License-Identifier: Apache-2.0 */
/* Flow monitors on the wire.  No state, any thread. */

#include "openflow/of-monitor.h"

#include "util/compiler.h"

enum {
    EVENTS = OFPFMF_INITIAL | OFPFMF_ADD | OFPFMF_REMOVED | OFPFMF_MODIFY,
    NXFMF_OWN = 1 << 5,
    OFPFMF_NO_ABBREV = 1 << 5,
    OFPFMF_ONLY_OWN = 1 << 6,
};

static enum of_err
take_flags(struct of_monitor_request *q, uint16_t wire, uint16_t own)
{
    if (wire & ~(EVENTS | OFPFMF_INSTRUCTIONS | own) || !(wire & EVENTS)) {
        return OFPMOFC_BAD_FLAGS;
    }
    q->flags = wire & (EVENTS | OFPFMF_INSTRUCTIONS);
    q->own_in_full = wire & own;
    return OF_OK;
}

static enum of_err
next_nicira(struct of_reader *r, struct of_monitor_request *q)
{
    uint16_t flags, match_len;
    enum of_err err;

    if (!of_read_u32(r, &q->id) || !of_read_u16(r, &flags) || !of_read_u16(r, &q->out_port) ||
        !of_read_u16(r, &match_len) || !of_read_u8(r, &q->table_id) || r->len < 5) {
        return OFPBRC_BAD_LEN;
    }
    if (!of_peek_zeros(r, 5)) {
        return NXBRC_MUST_BE_ZERO;
    }
    of_skip(r, 5);
    err = take_flags(q, flags, NXFMF_OWN);
    return err ? err : of_match_decode_nxm(r, match_len, false, &q->match, NULL, NULL);
}

static enum of_err
next_onf(struct of_reader *r, uint8_t version, struct of_monitor_request *q)
{
    uint16_t flags, match_len;
    enum of_err err;

    if (!of_read_u32(r, &q->id) || !of_read_u16(r, &flags) || !of_read_u16(r, &match_len)) {
        return OFPBRC_BAD_LEN;
    }
    err = of_read_port(r, version, &q->out_port);
    if (err) {
        return err;
    }
    if (!of_read_u8(r, &q->table_id) || r->len < 3) {
        return OFPBRC_BAD_LEN;
    }
    if (!of_peek_zeros(r, 3)) {
        return NXBRC_MUST_BE_ZERO;
    }
    of_skip(r, 3);
    err = take_flags(q, flags, NXFMF_OWN);
    return err ? err : of_match_decode(r, version, false, &q->match);
}

static enum of_err
next_14(struct of_reader *r, uint8_t version, struct of_monitor_request *q)
{
    uint16_t flags;
    uint8_t command;
    enum of_err err;

    if (!of_read_u32(r, &q->id)) {
        return OFPBRC_BAD_LEN;
    }
    err = of_read_port(r, version, &q->out_port);
    if (err) {
        return err;
    }
    if (!of_read_u32(r, &q->out_group) || !of_read_u16(r, &flags) ||
        !of_read_u8(r, &q->table_id) || !of_read_u8(r, &command)) {
        return OFPBRC_BAD_LEN;
    }
    if (command > OFPFMC_DELETE) {
        return OFPMOFC_BAD_COMMAND;
    }
    q->command = command;
    if (q->command != OFPFMC_DELETE) {
        err = take_flags(q, flags, OFPFMF_NO_ABBREV | OFPFMF_ONLY_OWN);
    }
    return err ? err : of_match_decode(r, version, false, &q->match);
}

enum of_err
of_monitor_request_next(const struct of_msg *msg, struct of_reader *r,
                        struct of_monitor_request *q)
{
    *q = (struct of_monitor_request){.out_port = OFPP_NONE, .out_group = OFPG_ANY};
    if (msg->type == OFM_NXST_FLOW_MONITOR_REQUEST) {
        return next_nicira(r, q);
    }
    return msg->version < OF14_VERSION ? next_onf(r, msg->version, q)
                                       : next_14(r, msg->version, q);
}

enum of_err
of_monitor_cancel_decode(const struct of_msg *msg, uint32_t *id)
{
    struct of_reader r = msg->body;

    return of_read_u32(&r, id) ? OF_OK : OFPBRC_BAD_LEN;
}

enum of_msg_type
of_monitor_reply_type(enum of_msg_type request)
{
    return of_msg_reply_type(request);
}

/* Nicira and ONF began with ADDED. */
static uint16_t
event_to_wire(enum of_monitor_event event, bool as_14)
{
    return (uint16_t) (as_14 || event == OFPFME_INITIAL ? event : event - 1);
}

static void
put_14(struct of_buf *b, const struct of_monitor_update *u, uint8_t version)
{
    of_put_u8(b, u->table_id);
    of_put_u8(b, (uint8_t) (u->event == OFPFME_REMOVED ? u->reason : 0));
    of_put_u16(b, u->idle_timeout);
    of_put_u16(b, u->hard_timeout);
    of_put_u16(b, u->priority);
    of_put_u32(b, 0);
    of_put_u64(b, u->cookie);
    of_match_encode(b, version, u->match);
}

static void
put_early(struct of_buf *b, bool nicira, const struct of_monitor_update *u, uint8_t version)
{
    size_t match_len_ofs, match_start, len;

    of_put_u16(b, u->event == OFPFME_REMOVED ? (uint16_t) u->reason : 0);
    of_put_u16(b, u->priority);
    of_put_u16(b, u->idle_timeout);
    of_put_u16(b, u->hard_timeout);
    match_len_ofs = b->len;
    of_put_u16(b, 0);
    of_put_u8(b, u->table_id);
    of_put_u8(b, 0);
    of_put_u64(b, u->cookie);
    match_start = b->len;
    if (nicira) {
        len = of_match_encode_nxm(b, 0, u->match, 0, 0);
    } else {
        of_match_encode(b, version, u->match);
        len = of_get_be16(b->data + match_start + 2); /* the match's own, without padding */
    }
    of_buf_set_u16(b, match_len_ofs, (uint16_t) len);
}

void
of_monitor_update_put(struct of_buf *b, enum of_msg_type reply,
                      const struct of_monitor_update *u, uint8_t version)
{
    bool nicira = reply == OFM_NXST_FLOW_MONITOR_REPLY;
    bool as_14 = !nicira && version >= OF14_VERSION;
    size_t start = b->len;

    of_put_u16(b, 0);
    of_put_u16(b, event_to_wire(u->event, as_14));
    if (u->event >= OFPFME_ABBREV) {
        of_put_u32(b, u->event == OFPFME_ABBREV ? u->xid : 0);
    } else {
        if (as_14) {
            put_14(b, u, version);
        } else {
            put_early(b, nicira, u, version);
        }
        of_actions_encode(b, u->actions, u->actions_len, version,
                          reply == OFM_NXST_FLOW_MONITOR_REPLY ? OF_ACTS_APPLY
                                                               : OF_ACTS_INSTRUCTIONS);
    }
    of_buf_set_u16(b, start, (uint16_t) MIN(b->len - start, (size_t) UINT16_MAX));
}
