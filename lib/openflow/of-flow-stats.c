/* SPDX-License-Identifier: Apache-2.0 */
/* What a switch says about its flows: statistics and removals.  No state, any thread. */

#include "openflow/of-flow.h"
#include "util/compiler.h"

/* OXS headers: class 0x8002, field, length (OpenFlow 1.5.1 section 7.2.4). */
enum {
    OXS_OF_DURATION = 0,
    OXS_OF_IDLE_TIME = 1,
    OXS_OF_FLOW_COUNT = 3,
    OXS_OF_PACKET_COUNT = 4,
    OXS_OF_BYTE_COUNT = 5,
};

static void
oxs_header(struct of_buf *b, unsigned field, unsigned len)
{
    of_put_u32(b, 0x80020000u | field << 9 | len);
}

void
of_oxs_put(struct of_buf *b, const struct of_oxs *s)
{
    size_t start = b->len;

    of_put_u32(b, 0);
    if (s->has_duration) {
        oxs_header(b, OXS_OF_DURATION, 8);
        of_put_u32(b, s->duration_sec);
        of_put_u32(b, s->duration_nsec);
    }
    if (s->idle_age >= 0) {
        oxs_header(b, OXS_OF_IDLE_TIME, 8);
        of_put_u32(b, (uint32_t) s->idle_age);
        of_put_u32(b, 0);
    }
    if (s->packet_count != UINT64_MAX) {
        oxs_header(b, OXS_OF_PACKET_COUNT, 8);
        of_put_u64(b, s->packet_count);
    }
    if (s->byte_count != UINT64_MAX) {
        oxs_header(b, OXS_OF_BYTE_COUNT, 8);
        of_put_u64(b, s->byte_count);
    }
    if (s->has_flow_count) {
        oxs_header(b, OXS_OF_FLOW_COUNT, 4);
        of_put_u32(b, s->flow_count);
    }
    of_buf_set_u16(b, start + 2, (uint16_t) (b->len - start));
    of_buf_pad_from(b, start, 8);
}

/* Nicira's ages are one more than they are, 0 says that they are not known. */
static uint16_t
age_plus_one(int age)
{
    return (uint16_t) (age < 0 ? 0 : MIN(age, UINT16_MAX - 1) + 1);
}

static void
put_10(struct of_buf *b, const struct of_flow_stats *s)
{
    of_match_encode_ofp10(b, s->match);
    of_put_u32(b, s->duration_sec);
    of_put_u32(b, s->duration_nsec);
    of_put_u16(b, s->priority);
    of_put_u16(b, s->idle_timeout);
    of_put_u16(b, s->hard_timeout);
    of_buf_put_zeros(b, 6);
    of_put_u64(b, s->cookie);
    of_put_u64(b, s->packet_count);
    of_put_u64(b, s->byte_count);
}

/* 1.1's fixed match cannot say what Nicira's extensible one can, which its clients take too. */
static void
put_match(struct of_buf *b, const struct of_match *match, uint8_t version)
{
    enum { OFPMT_OXM = 1 };
    size_t start = b->len, len;

    if (version != OF11_VERSION || of_match_fits(match, version)) {
        of_match_encode(b, version, match);
        return;
    }
    of_put_u16(b, OFPMT_OXM);
    of_put_u16(b, 0);
    len = of_match_encode_nxm(b, 0, match, 0, 0);
    of_buf_truncate(b, start + 4 + len);
    of_buf_set_u16(b, start + 2, (uint16_t) (4 + len));
    of_buf_pad_from(b, start, 8);
}

/* Nicira's form and that of 1.1 to 1.4 agree but for six bytes. */
static void
put_nxm_or_11(struct of_buf *b, bool nxm, const struct of_flow_stats *s, uint8_t version)
{
    size_t varying;

    of_put_u32(b, s->duration_sec);
    of_put_u32(b, s->duration_nsec);
    of_put_u16(b, s->priority);
    of_put_u16(b, s->idle_timeout);
    of_put_u16(b, s->hard_timeout);
    varying = of_buf_put_zeros(b, 6);
    of_put_u64(b, s->cookie);
    of_put_u64(b, s->packet_count);
    of_put_u64(b, s->byte_count);
    if (nxm) {
        size_t len = of_match_encode_nxm(b, 0, s->match, 0, 0);

        of_buf_set_u16(b, varying, (uint16_t) len);
        of_buf_set_u16(b, varying + 2, age_plus_one(s->idle_age));
        of_buf_set_u16(b, varying + 4, age_plus_one(s->hard_age));
        return;
    }
    if (version >= OF13_VERSION) {
        of_buf_set_u16(b, varying, s->flags);
    }
    if (version >= OF14_VERSION) {
        of_buf_set_u16(b, varying + 2, s->importance);
    }
    put_match(b, s->match, version);
}

static void
put_15(struct of_buf *b, const struct of_flow_stats *s)
{
    struct of_oxs oxs = {
        .has_duration = true,
        .duration_sec = s->duration_sec,
        .duration_nsec = s->duration_nsec,
        .idle_age = s->idle_age,
        .packet_count = s->packet_count,
        .byte_count = s->byte_count,
    };

    of_put_u16(b, s->priority);
    of_put_u16(b, s->idle_timeout);
    of_put_u16(b, s->hard_timeout);
    of_put_u16(b, s->flags);
    of_put_u16(b, s->importance);
    of_put_u64(b, s->cookie);
    of_match_encode(b, OF15_VERSION, s->match);
    of_oxs_put(b, &oxs);
}

void
of_flow_stats_put(struct of_buf *b, enum of_msg_type type, const struct of_flow_stats *s,
                  uint8_t version)
{
    bool nxm = type == OFM_NXST_FLOW_REPLY;
    size_t start = b->len;

    of_put_u16(b, 0);
    of_buf_put_zeros(b, version >= OF15_VERSION && !nxm ? 2 : 0);
    of_put_u8(b, s->table_id);
    of_put_u8(b, 0);
    if (version >= OF15_VERSION && !nxm) {
        put_15(b, s);
    } else if (version == OF10_VERSION && !nxm) {
        put_10(b, s);
    } else {
        put_nxm_or_11(b, nxm, s, version);
    }
    of_actions_encode(b, s->actions, s->actions_len, version, OF_ACTS_INSTRUCTIONS);
    /* One longer than 64 KiB: the reply leaves it out whatever its length says. */
    of_buf_set_u16(b, start, (uint16_t) MIN(b->len - start, (size_t) UINT16_MAX));
}

void
of_aggregate_encode(struct of_buf *b, enum of_msg_type type, uint64_t packets, uint64_t bytes,
                    uint32_t flows, uint8_t version, uint32_t xid)
{
    size_t start = of_msg_begin(b, type, version, xid);

    if (version >= OF15_VERSION && type == OFM_AGGREGATE_REPLY) {
        struct of_oxs oxs = {
            .idle_age = -1,
            .packet_count = packets,
            .byte_count = bytes,
            .has_flow_count = true,
            .flow_count = flows,
        };

        of_oxs_put(b, &oxs);
    } else {
        of_put_u64(b, packets);
        of_put_u64(b, bytes);
        of_put_u32(b, flows);
        of_put_u32(b, 0);
    }
    of_msg_end(b, start);
}

static uint8_t
reason_to_wire(enum of_flow_removed_reason reason, uint8_t version)
{
    if ((reason == OFPRR_GROUP_DELETE && version == OF10_VERSION) ||
        (reason == OFPRR_METER_DELETE && version < OF14_VERSION)) {
        return OFPRR_DELETE;
    }
    return (uint8_t) reason;
}

static void
removed_10(struct of_buf *b, const struct of_flow_removed *fr)
{
    of_match_encode_ofp10(b, fr->match);
    of_put_u64(b, fr->cookie);
    of_put_u16(b, fr->priority);
    of_put_u8(b, reason_to_wire(fr->reason, OF10_VERSION));
    of_put_u8(b, 0);
    of_put_u32(b, fr->duration_sec);
    of_put_u32(b, fr->duration_nsec);
    of_put_u16(b, fr->idle_timeout);
    of_put_u16(b, 0);
    of_put_u64(b, fr->packet_count);
    of_put_u64(b, fr->byte_count);
}

static void
removed_nxm_or_11(struct of_buf *b, const struct of_flow_removed *fr, bool nxm, uint8_t version)
{
    size_t len_or_hard, match_len;

    of_put_u64(b, fr->cookie);
    of_put_u16(b, fr->priority);
    of_put_u8(b, reason_to_wire(fr->reason, version));
    /* Nicira's: one more than the table, 0 when not known. */
    of_put_u8(b, (uint8_t) (nxm ? fr->table_id + 1 : fr->table_id));
    of_put_u32(b, fr->duration_sec);
    of_put_u32(b, fr->duration_nsec);
    of_put_u16(b, fr->idle_timeout);
    len_or_hard = b->len;
    of_put_u16(b, version >= OF11_VERSION ? fr->hard_timeout : 0);
    of_put_u64(b, fr->packet_count);
    of_put_u64(b, fr->byte_count);
    if (nxm) {
        match_len = of_match_encode_nxm(b, 0, fr->match, 0, 0);
        of_buf_set_u16(b, len_or_hard, (uint16_t) match_len);
    } else {
        put_match(b, fr->match, version);
    }
}

static void
removed_15(struct of_buf *b, const struct of_flow_removed *fr)
{
    struct of_oxs oxs = {
        .has_duration = true,
        .duration_sec = fr->duration_sec,
        .duration_nsec = fr->duration_nsec,
        .idle_age = -1,
        .packet_count = fr->packet_count,
        .byte_count = fr->byte_count,
    };

    of_put_u8(b, fr->table_id);
    of_put_u8(b, reason_to_wire(fr->reason, OF15_VERSION));
    of_put_u16(b, fr->priority);
    of_put_u16(b, fr->idle_timeout);
    of_put_u16(b, fr->hard_timeout);
    of_put_u64(b, fr->cookie);
    of_match_encode(b, OF15_VERSION, fr->match);
    of_oxs_put(b, &oxs);
}

void
of_flow_removed_encode(struct of_buf *b, const struct of_flow_removed *fr, bool nxm,
                       uint8_t version, uint32_t xid)
{
    size_t start;

    start = of_msg_begin(b, nxm ? OFM_NXT_FLOW_REMOVED : OFM_FLOW_REMOVED, version, xid);
    if (version == OF10_VERSION && !nxm) {
        removed_10(b, fr);
    } else if (version < OF15_VERSION || nxm) {
        removed_nxm_or_11(b, fr, nxm, version);
    } else {
        removed_15(b, fr);
    }
    of_msg_end(b, start);
}
