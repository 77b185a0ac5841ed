/* SPDX-License-Identifier: Apache-2.0 */
/* Encoding of action lists and instructions for any OpenFlow version: what a version has
 * itself, else the Nicira extension that says it.  Called by the encoders of messages on main.
 */

#include "openflow/of-actions.h"

#include "openflow/of-actions-private.h"
#include "packet/headers.h"
#include "util/compiler.h"

#define CAST(TYPE, A) ((const struct TYPE *) (const void *) (A))

size_t
of_acts_nx_begin(struct of_buf *b, uint16_t subtype)
{
    size_t start = b->len;

    of_put_u16(b, A_EXPERIMENTER);
    of_put_u16(b, 0);
    of_put_u32(b, OF_NICIRA);
    of_put_u16(b, subtype);
    return start;
}

void
of_acts_end(struct of_buf *b, size_t start)
{
    of_buf_pad_from(b, start, 8);
    of_buf_set_u16(b, start + 2, (uint16_t) (b->len - start));
}

/* A standard action of one number, `size` bytes of it. */
static void
put_std(struct of_buf *b, uint16_t type, unsigned size, uint64_t v)
{
    size_t start = b->len;

    of_put_u16(b, type);
    of_put_u16(b, 0);
    for (unsigned i = size; i-- > 0;) {
        of_put_u8(b, (uint8_t) (v >> i * 8));
    }
    of_acts_end(b, start);
}

/* A Nicira one, `skip` zeros before it. */
static void
put_nx(struct of_buf *b, uint16_t subtype, unsigned skip, unsigned size, uint64_t v)
{
    size_t start = of_acts_nx_begin(b, subtype);

    of_buf_put_zeros(b, skip);
    for (unsigned i = size; i-- > 0;) {
        of_put_u8(b, (uint8_t) (v >> i * 8));
    }
    of_acts_end(b, start);
}

static void
put_output(struct of_buf *b, uint16_t port, uint16_t max_len, uint8_t version)
{
    size_t start = b->len;

    of_put_u16(b, A10_OUTPUT);
    of_put_u16(b, 0);
    if (version == 1) {
        of_put_u16(b, port);
        of_put_u16(b, max_len);
    } else {
        of_put_u32(b, of_port_to_32(port));
        of_put_u16(b, max_len);
        of_buf_put_zeros(b, 6);
    }
    of_acts_end(b, start);
}

static void
put_queue(struct of_buf *b, uint64_t queue, uint8_t version)
{
    if (version == 1) {
        put_nx(b, NXA_SET_QUEUE, 2, 4, queue);
    } else {
        put_std(b, A11_SET_QUEUE, 4, queue);
    }
}

static void
put_enqueue(struct of_buf *b, const struct of_act_enqueue *q, uint8_t version)
{
    size_t start = b->len;

    if (version > 1) {
        put_queue(b, q->queue, version);
        put_output(b, q->port, UINT16_MAX, version);
        put_nx(b, NXA_POP_QUEUE, 0, 0, 0);
        return;
    }
    of_put_u16(b, A10_ENQUEUE);
    of_put_u16(b, 0);
    of_put_u16(b, q->port);
    of_buf_put_zeros(b, 6);
    of_put_u32(b, q->queue);
    of_acts_end(b, start);
}

static void
put_move(struct of_buf *b, const struct of_act_move *m, uint8_t version)
{
    size_t start = b->len;
    bool copy = version >= 6;

    if (copy) {
        of_put_u16(b, A11_COPY_FIELD);
        of_put_u16(b, 0);
    } else {
        of_acts_nx_begin(b, NXA_MOVE);
    }
    of_put_u16(b, m->src.n_bits);
    of_put_u16(b, m->src.ofs);
    of_put_u16(b, m->dst.ofs);
    of_buf_put_zeros(b, copy ? 2 : 0);
    of_oxm_header_encode(b, (enum of_field) m->src.f, copy ? version : 0, false);
    of_oxm_header_encode(b, (enum of_field) m->dst.f, copy ? version : 0, false);
    of_acts_end(b, start);
}

/* Numbers that have standard actions in some versions, and Nicira ones before. */
static void
put_num(struct of_buf *b, const struct of_act_num *n, uint8_t version)
{
    static const struct {
        enum of_act_type type;
        uint16_t std, nx;
        uint8_t size, nx_skip;
    } t[] = {
        {OFA_GROUP, A11_GROUP, NXA_GROUP, 4, 2},
        {OFA_SET_QUEUE, A11_SET_QUEUE, NXA_SET_QUEUE, 4, 2},
        {OFA_SET_MPLS_TTL, A11_SET_MPLS_TTL, NXA_SET_MPLS_TTL, 1, 0},
        {OFA_PUSH_MPLS, A11_PUSH_MPLS, NXA_PUSH_MPLS, 2, 0},
        {OFA_POP_MPLS, A11_POP_MPLS, NXA_POP_MPLS, 2, 0},
    };

    for (unsigned i = 0; i < ARRAY_SIZE(t); i++) {
        if (t[i].type != n->act.type) {
            continue;
        }
        if (version > 1) {
            put_std(b, t[i].std, t[i].size, n->num);
        } else {
            put_nx(b, t[i].nx, t[i].nx_skip, t[i].size, n->num);
        }
        return;
    }
}

static void
put_dec_ttl(struct of_buf *b, const struct of_act_dec_ttl *t, uint8_t version)
{
    size_t start;

    if (!t->act.form) {
        if (version > 1) {
            put_std(b, A11_DEC_NW_TTL, 0, 0);
        } else {
            put_nx(b, NXA_DEC_TTL, 0, 0, 0);
        }
        return;
    }
    start = of_acts_nx_begin(b, NXA_DEC_TTL_IDS);
    of_put_u16(b, (uint16_t) t->n_controllers);
    of_buf_put_zeros(b, 4);
    for (unsigned i = 0; i < t->n_controllers; i++) {
        of_put_u16(b, t->controllers[i]);
    }
    of_acts_end(b, start);
}

static void
put_metadata(struct of_buf *b, const struct of_act_metadata *m, uint8_t version)
{
    size_t start = b->len;

    if (version == 1) {
        start = of_acts_nx_begin(b, NXA_WRITE_METADATA);
        of_buf_put_zeros(b, 6);
    } else {
        of_put_u16(b, INST_METADATA);
        of_put_u16(b, 0);
        of_buf_put_zeros(b, 4);
    }
    of_put_u64(b, m->value);
    of_put_u64(b, m->mask);
    of_acts_end(b, start);
}

static void
put_goto10(struct of_buf *b, uint64_t table)
{
    size_t start = of_acts_nx_begin(b, NXA_RESUBMIT_TABLE);

    of_put_u16(b, OFPP_IN_PORT);
    of_put_u8(b, (uint8_t) table);
    of_acts_end(b, start);
}

static void
encode_one(struct of_buf *b, const struct of_act *a, uint8_t version)
{
    switch (a->type) {
    case OFA_OUTPUT:
        put_output(b, CAST(of_act_output, a)->port, CAST(of_act_output, a)->max_len, version);
        break;
    case OFA_ENQUEUE:
        put_enqueue(b, CAST(of_act_enqueue, a), version);
        break;
    case OFA_MOVE:
        put_move(b, CAST(of_act_move, a), version);
        break;
    case OFA_GROUP:
    case OFA_SET_QUEUE:
    case OFA_SET_MPLS_TTL:
    case OFA_PUSH_MPLS:
    case OFA_POP_MPLS:
        put_num(b, CAST(of_act_num, a), version);
        break;
    case OFA_DEC_MPLS_TTL:
        if (version > 1) {
            put_std(b, A11_DEC_MPLS_TTL, 0, 0);
        } else {
            put_nx(b, NXA_DEC_MPLS_TTL, 0, 0, 0);
        }
        break;
    case OFA_STRIP_VLAN:
        put_std(b, version > 1 ? A11_POP_VLAN : A10_STRIP_VLAN, 0, 0);
        break;
    case OFA_PUSH_VLAN:
        if (version > 1) { /* 1.0 has none: its set_vlan pushes */
            put_std(b, A11_PUSH_VLAN, 2, CAST(of_act_num, a)->num);
        }
        break;
    case OFA_DEC_TTL:
        put_dec_ttl(b, CAST(of_act_dec_ttl, a), version);
        break;
    case OFA_METER:
        if (version >= 6) {
            put_std(b, A11_METER, 4, CAST(of_act_num, a)->num);
        }
        break;
    case OFA_WRITE_METADATA:
        put_metadata(b, CAST(of_act_metadata, a), 1); /* in a list, not an instruction */
        break;
    case OFA_GOTO_TABLE:
        if (version == 1) {
            put_goto10(b, CAST(of_act_num, a)->num);
        }
        break;
    case OFA_CLEAR_ACTIONS:
    case OFA_WRITE_ACTIONS: /* 1.0 has no action set */
        break;
    case OFA_SET_FIELD:
    case OFA_LOAD:
    case OFA_SET_ETH_SRC:
    case OFA_SET_ETH_DST:
    case OFA_SET_VLAN_VID:
    case OFA_SET_VLAN_PCP:
    case OFA_SET_IPV4_SRC:
    case OFA_SET_IPV4_DST:
    case OFA_SET_IP_DSCP:
    case OFA_SET_IP_ECN:
    case OFA_SET_IP_TTL:
    case OFA_SET_L4_SRC:
    case OFA_SET_L4_DST:
    case OFA_SET_MPLS_LABEL:
    case OFA_SET_MPLS_TC:
    case OFA_SET_TUNNEL:
        of_acts_encode_header(b, a, version);
        break;
    default:
        of_acts_encode_nicira(b, a, version);
        break;
    }
}

void
of_acts_encode_list(struct of_buf *b, const struct of_act *acts, size_t len, uint8_t version)
{
    OF_ACT_FOR_EACH(a, acts, len)
    {
        encode_one(b, a, version);
    }
}

/* -- Instructions. -- */

static size_t
inst_begin(struct of_buf *b, uint16_t type)
{
    size_t start = b->len;

    of_put_u16(b, type);
    of_buf_put_zeros(b, 6);
    return start;
}

static bool
is_instruction(const struct of_act *a, uint8_t version)
{
    return a->type > OFA_METER || (a->type == OFA_METER && version < 6);
}

/* Everything that is no instruction of its own, as apply_actions. */
static void
put_apply(struct of_buf *b, const struct of_act *acts, size_t len, uint8_t version)
{
    size_t start = inst_begin(b, INST_APPLY);

    OF_ACT_FOR_EACH(a, acts, len)
    {
        if (!is_instruction(a, version)) {
            encode_one(b, a, version);
        }
    }
    if (b->len == start + 8) {
        of_buf_truncate(b, start);
    } else {
        of_acts_end(b, start);
    }
}

static void
encode_instructions(struct of_buf *b, const struct of_act *acts, size_t len, uint8_t version)
{
    const struct of_act_num *meter = (const void *) of_actions_find(acts, len, OFA_METER);
    size_t start;

    if (meter && (version == 4 || version == 5)) {
        put_std(b, INST_METER, 4, meter->num);
    }
    put_apply(b, acts, len, version);
    OF_ACT_FOR_EACH(a, acts, len)
    {
        switch (a->type) {
        case OFA_CLEAR_ACTIONS:
            of_acts_end(b, inst_begin(b, INST_CLEAR));
            break;
        case OFA_WRITE_ACTIONS:
            start = inst_begin(b, INST_WRITE);
            of_acts_encode_list(b, CAST(of_act_nest, a)->list,
                                of_act_nest_len(CAST(of_act_nest, a)), version);
            of_acts_end(b, start);
            break;
        case OFA_WRITE_METADATA:
            put_metadata(b, CAST(of_act_metadata, a), version);
            break;
        case OFA_GOTO_TABLE:
            put_std(b, INST_GOTO, 1, CAST(of_act_num, a)->num);
            break;
        default:
            break;
        }
    }
}

size_t
of_actions_encode(struct of_buf *b, const struct of_act *acts, size_t len, uint8_t version,
                  enum of_acts_kind kind)
{
    size_t start = b->len;

    if (kind == OF_ACTS_INSTRUCTIONS && version > 1) {
        encode_instructions(b, acts, len, version);
    } else {
        of_acts_encode_list(b, acts, len, version);
    }
    return b->len - start;
}
