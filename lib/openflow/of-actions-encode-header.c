/* SPDX-License-Identifier: Apache-2.0 */
/* Encoding of actions that write header fields: set_field where a version has it, Nicira's load
 * where not, and the actions of their own that OpenFlow 1.0 and 1.1 have.  Called by
 * of-actions-encode.c on main. */

#include "openflow/of-actions.h"

#include <string.h>
#include "openflow/of-actions-private.h"
#include "packet/headers.h"
#include "util/compiler.h"

#define CAST(TYPE, A) ((const struct TYPE *) (const void *) (A))

static void
put_set_field(struct of_buf *b, enum of_field f, uint8_t version, const struct of_value *value,
              const struct of_value *mask, bool explicit_mask)
{
    size_t start = b->len;

    of_put_u16(b, A11_SET_FIELD);
    of_put_u16(b, 0);
    if (explicit_mask) {
        of_oxm_header_encode(b, f, version, true);
        of_buf_put(b, value->b, of_field_info(f)->n_bytes);
        of_buf_put(b, mask->b, of_field_info(f)->n_bytes);
    } else {
        of_oxm_encode(b, f, version, value, mask);
    }
    of_acts_end(b, start);
}

/* `n_bits` (up to 64) of the value at `ofs`. */
static void
put_load(struct of_buf *b, enum of_field f, const struct of_value *value, unsigned ofs,
         unsigned n_bits)
{
    struct of_subfield sub = {(uint16_t) f, (uint8_t) ofs, (uint8_t) n_bits};
    size_t start = of_acts_nx_begin(b, NXA_LOAD);
    uint8_t imm[8] = {0};

    of_bits_copy(value->b, of_field_info(f)->n_bytes, ofs, imm, 8, 0, n_bits);
    of_put_u16(b, of_acts_ofs_nbits(&sub));
    of_oxm_header_encode(b, f, 0, false);
    of_buf_put(b, imm, 8);
    of_acts_end(b, start);
}

static bool
mask_bit(enum of_field f, const struct of_value *mask, unsigned bit)
{
    return mask->b[of_field_info(f)->n_bytes - 1 - bit / 8] >> bit % 8 & 1;
}

/* One load for each run of mask bits, at most 64 bits long. */
static void
put_loads(struct of_buf *b, enum of_field f, const struct of_value *value,
          const struct of_value *mask)
{
    unsigned width = of_field_info(f)->n_bits, bit = 0;

    while (bit < width) {
        unsigned n = 0;

        while (bit + n < width && n < 64 && mask_bit(f, mask, bit + n)) {
            n++;
        }
        if (n) {
            put_load(b, f, value, bit, n);
        }
        bit += n ? n : 1;
    }
}

/* A standard action of OpenFlow 1.0 or 1.1: four bytes of numbers, or an address. */
static void
put_own(struct of_buf *b, uint16_t type, const uint8_t *bytes, unsigned n)
{
    size_t start = b->len;

    of_put_u16(b, type);
    of_put_u16(b, 0);
    of_buf_put(b, bytes, n);
    of_acts_end(b, start);
}

/* A whole tag: 1.0's set_vlan pushes one where there is none, 1.1's does not. */
static void
put_own_tag(struct of_buf *b, uint16_t tci, bool has_vlan, uint8_t version)
{
    const uint8_t push[2] = {ETH_TYPE_VLAN >> 8, ETH_TYPE_VLAN & 0xff};
    uint8_t vid[2] = {tci >> 8 & 0xf, (uint8_t) tci}, pcp = (uint8_t) (tci >> 13);

    if (!(tci & VLAN_CFI)) {
        put_own(b, version == 1 ? A10_STRIP_VLAN : A11_POP_VLAN, NULL, 0);
        return;
    }
    if (version > 1 && !has_vlan) {
        put_own(b, A11_PUSH_VLAN, push, 2);
    }
    put_own(b, A10_SET_VLAN_VID, vid, 2);
    put_own(b, A10_SET_VLAN_PCP, &pcp, 1);
}

/* set_field as an action of 1.0 or 1.1 (whose numbers differ); false if there is none. */
static bool
put_own_set(struct of_buf *b, enum of_field f, const struct of_value *v, bool has_vlan,
            uint8_t version)
{
    static const struct {
        enum of_field field;
        uint16_t v10, v11; /* 0: none */
        uint8_t n;
    } t[] = {
        {OFF_ETH_SRC, A10_SET_DL_SRC, A11_SET_DL_SRC, 6},
        {OFF_ETH_DST, A10_SET_DL_DST, A11_SET_DL_DST, 6},
        {OFF_VLAN_PCP, A10_SET_VLAN_PCP, A11_SET_VLAN_PCP, 1},
        {OFF_IPV4_SRC, A10_SET_NW_SRC, A11_SET_NW_SRC, 4},
        {OFF_IPV4_DST, A10_SET_NW_DST, A11_SET_NW_DST, 4},
        {OFF_IP_TOS, A10_SET_NW_TOS, A11_SET_NW_TOS, 1},
        {OFF_IP_ECN, 0, A11_SET_NW_ECN, 1},
        {OFF_TCP_SRC, A10_SET_TP_SRC, A11_SET_TP_SRC, 2},
        {OFF_TCP_DST, A10_SET_TP_DST, A11_SET_TP_DST, 2},
        {OFF_UDP_SRC, A10_SET_TP_SRC, A11_SET_TP_SRC, 2},
        {OFF_UDP_DST, A10_SET_TP_DST, A11_SET_TP_DST, 2},
    };
    uint16_t tci = of_get_be16(v->b);
    uint8_t vid[2] = {tci >> 8 & 0xf, (uint8_t) tci};
    uint8_t tos = (uint8_t) (v->b[0] << 2);

    if (f == OFF_VLAN_TCI && (!tci || tci & VLAN_CFI)) {
        put_own_tag(b, tci, has_vlan, version);
        return true;
    }
    if (f == OFF_VLAN_VID && tci & VLAN_CFI) {
        put_own(b, A10_SET_VLAN_VID, vid, 2);
        return true;
    }
    if (f == OFF_IP_DSCP) {
        put_own(b, version == 1 ? A10_SET_NW_TOS : A11_SET_NW_TOS, &tos, 1);
        return true;
    }
    for (unsigned i = 0; i < ARRAY_SIZE(t); i++) {
        uint16_t type = version == 1 ? t[i].v10 : t[i].v11;

        if (t[i].field == f && type) {
            put_own(b, type, v->b, t[i].n);
            return true;
        }
    }
    return false;
}

static void
encode_set_field(struct of_buf *b, const struct of_act_set_field *s, uint8_t version)
{
    enum of_field f = (enum of_field) s->dst.f;
    /* Where the bits of the field do not fill its bytes, load and an explicit mask differ from
     * none. */
    bool odd = of_field_info(f)->n_bits < of_field_info(f)->n_bytes * 8;
    bool exact = of_value_is_ones(&s->mask, f) && !(s->act.form && odd);

    if (s->act.type == OFA_LOAD && (version < 6 || f == OFF_IN_PORT_OXM)) {
        put_load(b, f, &s->value, s->dst.ofs, s->dst.n_bits);
    } else if (version >= 6) {
        put_set_field(b, f, version, &s->value, &s->mask,
                      s->act.form || (s->act.type == OFA_LOAD && odd));
    } else if (!exact) {
        put_loads(b, f, &s->value, &s->mask);
    } else if (version >= 3) {
        put_set_field(b, f, version, &s->value, NULL, false);
    } else if (!put_own_set(b, f, &s->value, s->has_vlan, version)) {
        put_loads(b, f, &s->value, &s->mask);
    }
}

/* One of 1.0's and 1.1's actions, as set_field of `f`. */
static void
encode_as(struct of_buf *b, enum of_field f, const struct of_value *v, uint8_t version)
{
    struct of_act_set_field s = {.act.type = OFA_SET_FIELD, .value = *v};

    s.dst = of_subfield_whole(f);
    of_field_ones(f, &s.mask);
    encode_set_field(b, &s, version);
}

static void
encode_vlan(struct of_buf *b, const struct of_act_vlan *v, uint8_t version)
{
    bool vid = v->act.type == OFA_SET_VLAN_VID;
    uint8_t bytes[2] = {(uint8_t) (v->value >> 8), (uint8_t) v->value};
    uint8_t push[2] = {0x81, 0x00};
    struct of_value value;

    if (version > 1 && v->push_if_needed && !v->has_vlan) {
        put_own(b, A11_PUSH_VLAN, push, 2);
    }
    if (version > 2) {
        value = of_value_from_u64(vid ? OFF_VLAN_VID : OFF_VLAN_PCP,
                                  vid ? v->value | VLAN_CFI : v->value);
        encode_as(b, vid ? OFF_VLAN_VID : OFF_VLAN_PCP, &value, version);
    } else {
        put_own(b, vid ? A10_SET_VLAN_VID : A10_SET_VLAN_PCP, vid ? bytes : bytes + 1,
                vid ? 2 : 1);
    }
}

static void
encode_tunnel(struct of_buf *b, const struct of_act_num *n, uint8_t version)
{
    bool wide = n->act.form || n->num > UINT32_MAX;
    struct of_value v = of_value_from_u64(OFF_TUN_ID, n->num);
    size_t start;

    if (version > 2) {
        encode_as(b, OFF_TUN_ID, &v, version);
        return;
    }
    start = of_acts_nx_begin(b, wide ? NXA_SET_TUNNEL64 : NXA_SET_TUNNEL);
    of_buf_put_zeros(b, wide ? 6 : 2);
    of_buf_put(b, wide ? v.b : v.b + 4, wide ? 8 : 4);
    of_acts_end(b, start);
}

/* OFF_N: which one depends on the packet. */
static enum of_field
l4_field(const struct of_act *a)
{
    bool src = a->type == OFA_SET_L4_SRC;

    switch (a->proto) {
    case IP_PROTO_UDP:
        return src ? OFF_UDP_SRC : OFF_UDP_DST;
    case IP_PROTO_SCTP:
        return src ? OFF_SCTP_SRC : OFF_SCTP_DST;
    case IP_PROTO_TCP:
        return src ? OFF_TCP_SRC : OFF_TCP_DST;
    default:
        return OFF_N;
    }
}

/* MPLS label and class: Nicira's own in 1.0, actions of their own in 1.1. */
static void
encode_mpls(struct of_buf *b, const struct of_act_num *n, uint8_t version)
{
    bool label = n->act.type == OFA_SET_MPLS_LABEL;
    enum of_field f = label ? OFF_MPLS_LABEL : OFF_MPLS_TC;
    struct of_value v = of_value_from_u64(f, n->num);
    size_t start;

    if (version > 2) {
        encode_as(b, f, &v, version);
        return;
    }
    if (version == 2) {
        put_own(b, label ? A11_SET_MPLS_LABEL : A11_SET_MPLS_TC, v.b, label ? 4 : 1);
        return;
    }
    start = of_acts_nx_begin(b, label ? NXA_SET_MPLS_LABEL : NXA_SET_MPLS_TC);
    of_buf_put_zeros(b, label ? 2 : 0);
    of_buf_put(b, v.b, label ? 4 : 1);
    of_acts_end(b, start);
}

void
of_acts_encode_header(struct of_buf *b, const struct of_act *a, uint8_t version)
{
    uint64_t num = a->len >= sizeof(struct of_act_num) ? CAST(of_act_num, a)->num : 0;
    struct of_value v = {{0}};
    enum of_field f;

    switch (a->type) {
    case OFA_SET_FIELD:
    case OFA_LOAD:
        encode_set_field(b, CAST(of_act_set_field, a), version);
        return;
    case OFA_SET_VLAN_VID:
    case OFA_SET_VLAN_PCP:
        encode_vlan(b, CAST(of_act_vlan, a), version);
        return;
    case OFA_SET_TUNNEL:
        encode_tunnel(b, CAST(of_act_num, a), version);
        return;
    case OFA_SET_MPLS_LABEL:
    case OFA_SET_MPLS_TC:
        encode_mpls(b, CAST(of_act_num, a), version);
        return;
    case OFA_SET_IP_TTL:
        if (version > 1) {
            put_own(b, A11_SET_NW_TTL, (const uint8_t[]){(uint8_t) num}, 1);
            return;
        }
        f = OFF_IP_TTL;
        break;
    case OFA_SET_ETH_SRC:
    case OFA_SET_ETH_DST:
        memcpy(v.b, &CAST(of_act_eth, a)->mac, 6);
        encode_as(b, a->type == OFA_SET_ETH_SRC ? OFF_ETH_SRC : OFF_ETH_DST, &v, version);
        return;
    case OFA_SET_IPV4_SRC:
        f = OFF_IPV4_SRC;
        break;
    case OFA_SET_IPV4_DST:
        f = OFF_IPV4_DST;
        break;
    case OFA_SET_IP_DSCP:
        f = OFF_IP_DSCP;
        num >>= 2;
        break;
    case OFA_SET_IP_ECN:
        f = OFF_IP_ECN;
        break;
    default: /* OFA_SET_L4_SRC, OFA_SET_L4_DST */
        f = l4_field(a);
        if (version <= 2 || f == OFF_N) {
            bool src = a->type == OFA_SET_L4_SRC;
            const uint8_t port[2] = {(uint8_t) (num >> 8), (uint8_t) num};

            put_own(b, src ? A10_SET_TP_SRC : A10_SET_TP_DST, port, 2);
            return;
        }
        break;
    }
    v = of_value_from_u64(f, num);
    encode_as(b, f, &v, version);
}
