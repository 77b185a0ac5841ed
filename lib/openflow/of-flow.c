/* SPDX-License-Identifier: Apache-2.0 */
/* Flow modifications and flow statistics requests: what a controller sends about flow tables.
 * The other direction is in of-flow-stats.c.  No state, any thread. */

#include "openflow/of-flow.h"

#include "util/compiler.h"

/* 1.0's flag for flows that were to work while no controller is connected. */
enum { OFPFF10_EMERG = 1 << 2 };

static uint16_t
known_flags(const struct of_msg *msg)
{
    if (msg->version < OF12_VERSION || msg->type == OFM_NXT_FLOW_MOD) {
        return OFPFF_SEND_FLOW_REM | OFPFF_CHECK_OVERLAP;
    }
    return msg->version == OF12_VERSION
               ? OFPFF_SEND_FLOW_REM | OFPFF_CHECK_OVERLAP | OFPFF_RESET_COUNTS
               : OFPFF_SEND_FLOW_REM | OFPFF_CHECK_OVERLAP | OFPFF_RESET_COUNTS |
                     OFPFF_NO_PKT_COUNTS | OFPFF_NO_BYT_COUNTS;
}

static enum of_err
check_flags(const struct of_msg *msg, struct of_flow_mod *fm)
{
    if (msg->version == OF10_VERSION && fm->flags & OFPFF10_EMERG) {
        return OFPFMFC_TABLE_FULL;
    }
    if (fm->flags & ~known_flags(msg)) {
        return OFPFMFC_BAD_FLAGS;
    }
    if (msg->version < OF12_VERSION && fm->command == OFPFC_ADD) {
        fm->flags |= OFPFF_RESET_COUNTS;
    }
    return OF_OK;
}

/* The command of 1.0 and NXM has 16 bits, the upper 8 of which may be the table. */
static enum of_err
narrow_command(struct of_flow_mod *fm, uint16_t command, bool table_id_ext)
{
    fm->table_id = OFPTT_ALL;
    if (table_id_ext) {
        fm->table_id = (uint8_t) (command >> 8);
        command &= 0xff;
    }
    if (command > OFPFC_DELETE_STRICT) {
        return OFPFMFC_BAD_COMMAND;
    }
    fm->command = command;
    return OF_OK;
}

static bool
is_modify(const struct of_flow_mod *fm)
{
    return fm->command == OFPFC_MODIFY || fm->command == OFPFC_MODIFY_STRICT;
}

/* What 1.0's and Nicira's forms have in common behind the command. */
static bool
read_tail(struct of_reader *r, struct of_flow_mod *fm)
{
    return of_read_u16(r, &fm->idle_timeout) && of_read_u16(r, &fm->hard_timeout) &&
           of_read_u16(r, &fm->priority) && of_read_u32(r, &fm->buffer_id) &&
           of_read_u16(r, &fm->out_port) && of_read_u16(r, &fm->flags);
}

static enum of_err
decode_10(struct of_reader *r, bool table_id_ext, struct of_flow_mod *fm)
{
    enum { OFPFW_ALL = 0x3fffff };
    bool exact = r->len >= 4 && !(of_get_be32(r->p) & OFPFW_ALL);
    enum of_err err = of_match_decode_ofp10(r, &fm->match);
    uint16_t command;

    if (err) {
        return err;
    }
    of_match_normalize(&fm->match);
    if (!of_read_u64(r, &fm->new_cookie) || !of_read_u16(r, &command) || !read_tail(r, fm)) {
        return OFPBRC_BAD_LEN;
    }
    if (exact) { /* OpenFlow 1.0 section 3.4: these are above all others */
        fm->priority = UINT16_MAX;
    }
    return narrow_command(fm, command, table_id_ext);
}

static enum of_err
decode_nxm(struct of_reader *r, bool table_id_ext, struct of_flow_mod *fm)
{
    uint16_t command, match_len;
    enum of_err err;

    if (!of_read_u64(r, &fm->new_cookie) || !of_read_u16(r, &command) || !read_tail(r, fm) ||
        !of_read_u16(r, &match_len) || !of_skip(r, 6)) {
        return OFPBRC_BAD_LEN;
    }
    err = of_match_decode_nxm(r, match_len, false, &fm->match, &fm->cookie, &fm->cookie_mask);
    if (!err) {
        err = narrow_command(fm, command, table_id_ext);
    }
    if (!err && fm->command == OFPFC_ADD && fm->cookie_mask) {
        err = NXBRC_NXM_INVALID; /* an addition looks for no cookie */
    }
    return err;
}

/* From 1.1 on one cookie member serves additions as the new cookie, and the others, with a
 * mask, as the one to look for. */
static void
sort_out_cookie(struct of_flow_mod *fm, uint8_t version)
{
    fm->new_cookie = UINT64_MAX;
    if (fm->command == OFPFC_ADD ||
        (version == OF11_VERSION && is_modify(fm) && !fm->cookie_mask)) {
        fm->new_cookie = fm->cookie;
        fm->cookie = fm->cookie_mask = 0;
    }
    fm->cookie &= fm->cookie_mask;
}

static enum of_err
decode_11(struct of_reader *r, uint8_t version, struct of_flow_mod *fm)
{
    uint8_t command;
    enum of_err err;

    if (!of_read_u64(r, &fm->cookie) || !of_read_u64(r, &fm->cookie_mask) ||
        !of_read_u8(r, &fm->table_id) || !of_read_u8(r, &command) ||
        !of_read_u16(r, &fm->idle_timeout) || !of_read_u16(r, &fm->hard_timeout) ||
        !of_read_u16(r, &fm->priority) || !of_read_u32(r, &fm->buffer_id)) {
        return OFPBRC_BAD_LEN;
    }
    if (command > OFPFC_DELETE_STRICT) {
        return OFPFMFC_BAD_COMMAND;
    }
    fm->command = command;
    if (fm->table_id == OFPTT_ALL && !of_flow_mod_deletes(fm)) {
        return OFPFMFC_BAD_TABLE_ID;
    }
    err = of_read_port(r, version, &fm->out_port);
    if (err) {
        return err;
    }
    if (!of_read_u32(r, &fm->out_group) || !of_read_u16(r, &fm->flags) ||
        !of_read_u16(r, &fm->importance)) {
        return OFPBRC_BAD_LEN;
    }
    if (version < OF14_VERSION) {
        fm->importance = 0;
    }
    sort_out_cookie(fm, version);
    return of_match_decode(r, version, false, &fm->match);
}

enum of_err
of_flow_mod_decode(const struct of_msg *msg, bool table_id_ext, struct of_flow_mod *fm)
{
    struct of_reader r = msg->body;
    enum of_err err;

    *fm = (struct of_flow_mod){.out_port = OFPP_NONE, .out_group = OFPG_ANY};
    if (msg->type == OFM_NXT_FLOW_MOD) {
        err = decode_nxm(&r, table_id_ext, fm);
    } else if (msg->version == OF10_VERSION) {
        err = decode_10(&r, table_id_ext, fm);
    } else {
        err = decode_11(&r, msg->version, fm);
    }
    if (!err) {
        err = check_flags(msg, fm);
    }
    if (err) {
        return err;
    }
    fm->modify_adds = is_modify(fm) && fm->new_cookie != UINT64_MAX;
    fm->modify_cookie = fm->modify_adds && msg->version != OF11_VERSION;
    if (of_flow_mod_deletes(fm)) {
        fm->importance = 0;
    } else {
        fm->out_port = OFPP_NONE;
        fm->out_group = OFPG_ANY;
    }
    return of_actions_decode(r, msg->version, OF_ACTS_INSTRUCTIONS, &fm->actions);
}

void
of_flow_mod_free(struct of_flow_mod *fm)
{
    of_actions_free(&fm->actions);
}

static enum of_err
request_11(struct of_reader *r, uint8_t version, struct of_flow_request *q)
{
    enum of_err err;

    if (!of_read_u8(r, &q->table_id) || !of_skip(r, 3)) {
        return OFPBRC_BAD_LEN;
    }
    err = of_read_port(r, version, &q->out_port);
    if (err) {
        return err;
    }
    if (!of_read_u32(r, &q->out_group) || !of_skip(r, 4) || !of_read_u64(r, &q->cookie) ||
        !of_read_u64(r, &q->cookie_mask)) {
        return OFPBRC_BAD_LEN;
    }
    return of_match_decode(r, version, false, &q->match);
}

enum of_err
of_flow_request_decode(const struct of_msg *msg, struct of_flow_request *q)
{
    struct of_reader r = msg->body;
    uint16_t match_len;
    enum of_err err;

    *q = (struct of_flow_request){.out_group = OFPG_ANY, .out_port = OFPP_NONE};
    if (msg->type == OFM_NXST_FLOW_REQUEST || msg->type == OFM_NXST_AGGREGATE_REQUEST) {
        if (!of_read_u16(&r, &q->out_port) || !of_read_u16(&r, &match_len) ||
            !of_read_u8(&r, &q->table_id) || !of_skip(&r, 3)) {
            return OFPBRC_BAD_LEN;
        }
        err = of_match_decode_nxm(&r, match_len, false, &q->match, &q->cookie, &q->cookie_mask);
    } else if (msg->version == OF10_VERSION) {
        err = of_match_decode_ofp10(&r, &q->match);
        if (!err && (!of_read_u8(&r, &q->table_id) || !of_skip(&r, 1) ||
                     !of_read_u16(&r, &q->out_port))) {
            err = OFPBRC_BAD_LEN;
        }
        of_match_normalize(&q->match);
    } else {
        err = request_11(&r, msg->version, q);
    }
    if (!err && r.len) {
        err = OFPBRC_BAD_LEN;
    }
    q->cookie &= q->cookie_mask;
    return err;
}
