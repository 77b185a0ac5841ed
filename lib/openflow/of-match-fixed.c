/* SPDX-License-Identifier: Apache-2.0 */
/* Matches in the fixed structs of OpenFlow 1.0 (specification 1.0.0 section 5.2.3) and 1.1
 * (1.1.0 section A.2.3).  Called by the decoders of messages on main; what it reads is not
 * trusted. */

#include "openflow/of-match.h"

#include <arpa/inet.h>
#include <endian.h>
#include "openflow/of-match-private.h"
#include "packet/headers.h"

/* OpenFlow 1.0 wildcards. */
enum {
    FW10_IN_PORT = 1 << 0,
    FW10_DL_VLAN = 1 << 1,
    FW10_DL_SRC = 1 << 2,
    FW10_DL_DST = 1 << 3,
    FW10_DL_TYPE = 1 << 4,
    FW10_NW_PROTO = 1 << 5,
    FW10_TP_SRC = 1 << 6,
    FW10_TP_DST = 1 << 7,
    FW10_NW_SRC_SHIFT = 8, /* 6 bits each: how many low bits are wild */
    FW10_NW_DST_SHIFT = 14,
    FW10_DL_VLAN_PCP = 1 << 20,
    FW10_NW_TOS = 1 << 21,
};
#define VLAN_NONE_ID 0xffff /* no tag */
#define VLAN_ANY_ID 0xfffe  /* 1.1: any tag */
/* OpenFlow 1.1 wildcards. */
enum {
    FW11_IN_PORT = 1 << 0,
    FW11_DL_VLAN = 1 << 1,
    FW11_DL_VLAN_PCP = 1 << 2,
    FW11_DL_TYPE = 1 << 3,
    FW11_NW_TOS = 1 << 4,
    FW11_NW_PROTO = 1 << 5,
    FW11_TP_SRC = 1 << 6,
    FW11_TP_DST = 1 << 7,
    FW11_MPLS_LABEL = 1 << 8,
    FW11_MPLS_TC = 1 << 9,
};
#define FW11_ALL 0x3ffu

/* Both structs in one; wild[] says what is not looked at. */
struct fixed {
    uint32_t in_port, wc, label, nw_src, nw_dst, nw_src_mask, nw_dst_mask;
    uint8_t dl_src[6], dl_src_mask[6], dl_dst[6], dl_dst_mask[6], pcp, tos, proto, tc;
    uint16_t vlan, dl_type, tp_src, tp_dst;
    uint64_t metadata, metadata_mask;
    bool w_vlan, w_pcp, w_type, w_tos, w_proto, w_src, w_dst; /* wild */
};

static void
set_tci(struct of_match *m, unsigned tci, unsigned mask)
{
    m->flow.vlan.tag[0].tci_be = htons((uint16_t) (tci & mask));
    m->mask.vlan.tag[0].tci_be = htons((uint16_t) mask);
}

/* The VLAN members; false if they make no sense. */
static bool
vlan_decode(const struct fixed *x, bool v11, struct of_match *m)
{
    unsigned pcp = (unsigned) x->pcp << VLAN_PCP_SHIFT;

    if (x->w_vlan) {
        if (!x->w_pcp && !v11) {
            set_tci(m, (pcp & VLAN_PCP_MASK) | VLAN_CFI, VLAN_PCP_MASK | VLAN_CFI);
        }
        return true;
    }
    if (x->vlan == VLAN_NONE_ID) {
        set_tci(m, 0, 0xffff);
        return true;
    }
    if (v11 && (x->vlan > VLAN_VID_MASK ? x->vlan != VLAN_ANY_ID : x->pcp > 7 && !x->w_pcp)) {
        return false;
    }
    set_tci(m, (x->vlan & VLAN_VID_MASK) | pcp | VLAN_CFI,
            (v11 && x->vlan == VLAN_ANY_ID ? 0 : VLAN_VID_MASK) | VLAN_CFI |
                (x->w_pcp ? 0 : VLAN_PCP_MASK));
    return true;
}

static void
set_addr(struct of_match *m, enum of_field f, uint32_t addr, uint32_t mask)
{
    struct of_value v = of_value_from_u64(f, addr), msk = of_value_from_u64(f, mask);

    if (mask) {
        of_match_set(m, f, &v, &msk);
    }
}

static void
set_unless(bool wild, struct of_match *m, enum of_field f, uint64_t v)
{
    if (!wild) {
        of_match_set_u64(m, f, v);
    }
}

/* Transport ports, or ICMP type and code, which have 8 bits.  1.1 refuses more. */
static enum of_err
l4_decode(const struct fixed *x, bool v11, struct of_match *m)
{
    static const enum of_field src[] = {OFF_TCP_SRC, OFF_UDP_SRC, OFF_SCTP_SRC};
    bool v6 = x->dl_type == ETH_TYPE_IPV6;

    for (unsigned i = 0; i < 3; i++) {
        if (of_field_prereqs_ok(src[i], &m->flow)) {
            set_unless(x->w_src, m, src[i], x->tp_src);
            set_unless(x->w_dst, m, (enum of_field)(src[i] + 1), x->tp_dst);
            return OF_OK;
        }
    }
    if (of_prereq_ok(OFQ_ICMPV4, &m->flow) || of_prereq_ok(OFQ_ICMPV6, &m->flow)) {
        if (v11 && ((!x->w_src && x->tp_src > 255) || (!x->w_dst && x->tp_dst > 255))) {
            return OFPBMC_BAD_FIELD;
        }
        set_unless(x->w_src, m, v6 ? OFF_ICMPV6_TYPE : OFF_ICMPV4_TYPE, x->tp_src & 0xff);
        set_unless(x->w_dst, m, v6 ? OFF_ICMPV6_CODE : OFF_ICMPV4_CODE, x->tp_dst & 0xff);
    }
    return OF_OK;
}

/* What follows from the Ethernet type; members that do not apply to it are ignored. */
static enum of_err
network_decode(const struct fixed *x, bool v11, struct of_match *m)
{
    bool v4 = x->dl_type == ETH_TYPE_IPV4;

    if (x->w_type) {
        return OF_OK;
    }
    of_match_set_u64(m, OFF_ETH_TYPE, x->dl_type);
    if (v4 || (x->dl_type == ETH_TYPE_IPV6 && !v11)) {
        if (!x->w_tos && v11 && x->tos & 3) {
            return OFPBMC_BAD_VALUE;
        }
        set_unless(x->w_tos, m, OFF_IP_DSCP, x->tos >> 2);
        set_unless(x->w_proto, m, OFF_IP_PROTO, x->proto);
        if (v4) {
            set_addr(m, OFF_IPV4_SRC, x->nw_src, x->nw_src_mask);
            set_addr(m, OFF_IPV4_DST, x->nw_dst, x->nw_dst_mask);
        }
        return x->w_proto ? OF_OK : l4_decode(x, v11, m);
    }
    if (x->dl_type == ETH_TYPE_ARP || x->dl_type == ETH_TYPE_RARP) {
        set_unless(x->w_proto, m, OFF_ARP_OP, x->proto);
        set_addr(m, OFF_ARP_SPA, x->nw_src, x->nw_src_mask);
        set_addr(m, OFF_ARP_TPA, x->nw_dst, x->nw_dst_mask);
    }
    return OF_OK;
}

static void
set_eth(struct of_match *m, enum of_field f, const uint8_t *addr, const uint8_t *wild)
{
    struct of_value v = {{0}}, mask = {{0}};

    memcpy(v.b, addr, 6);
    for (unsigned i = 0; i < 6; i++) {
        mask.b[i] = (uint8_t) ~wild[i];
    }
    if (!of_value_is_zero(&mask, 6)) {
        of_match_set(m, f, &v, &mask);
    }
}

static uint32_t
prefix_mask(uint32_t wild_bits)
{
    return wild_bits >= 32 ? 0 : UINT32_MAX << wild_bits;
}

enum of_err
of_match_decode_ofp10(struct of_reader *r, struct of_match *m)
{
    struct fixed x = {0};
    uint16_t in_port;

    of_match_init(m);
    if (r->len < OFP10_MATCH_LEN) {
        return OFPBMC_BAD_LEN;
    }
    of_read_u32(r, &x.wc);
    of_read_u16(r, &in_port);
    of_read_bytes(r, x.dl_src, 6);
    of_read_bytes(r, x.dl_dst, 6);
    of_read_u16(r, &x.vlan);
    of_read_u8(r, &x.pcp);
    of_skip(r, 1);
    of_read_u16(r, &x.dl_type);
    of_read_u8(r, &x.tos);
    of_read_u8(r, &x.proto);
    of_skip(r, 2);
    of_read_u32(r, &x.nw_src);
    of_read_u32(r, &x.nw_dst);
    of_read_u16(r, &x.tp_src);
    of_read_u16(r, &x.tp_dst);
    memset(x.dl_src_mask, x.wc & FW10_DL_SRC ? 0xff : 0, 6);
    memset(x.dl_dst_mask, x.wc & FW10_DL_DST ? 0xff : 0, 6);
    x.nw_src_mask = prefix_mask(x.wc >> FW10_NW_SRC_SHIFT & 63);
    x.nw_dst_mask = prefix_mask(x.wc >> FW10_NW_DST_SHIFT & 63);
    x.w_vlan = x.wc & FW10_DL_VLAN;
    x.w_pcp = x.wc & FW10_DL_VLAN_PCP;
    x.w_type = x.wc & FW10_DL_TYPE;
    x.w_tos = x.wc & FW10_NW_TOS;
    x.w_proto = x.wc & FW10_NW_PROTO;
    x.w_src = x.wc & FW10_TP_SRC;
    x.w_dst = x.wc & FW10_TP_DST;
    set_unless(x.wc & FW10_IN_PORT, m, OFF_IN_PORT, in_port);
    set_eth(m, OFF_ETH_SRC, x.dl_src, x.dl_src_mask);
    set_eth(m, OFF_ETH_DST, x.dl_dst, x.dl_dst_mask);
    vlan_decode(&x, false, m);
    return network_decode(&x, false, m);
}

static void
fixed11_read(struct of_reader *r, struct fixed *x)
{
    of_skip(r, 4);
    of_read_u32(r, &x->in_port);
    of_read_u32(r, &x->wc);
    of_read_bytes(r, x->dl_src, 6);
    of_read_bytes(r, x->dl_src_mask, 6);
    of_read_bytes(r, x->dl_dst, 6);
    of_read_bytes(r, x->dl_dst_mask, 6);
    of_read_u16(r, &x->vlan);
    of_read_u8(r, &x->pcp);
    of_skip(r, 1);
    of_read_u16(r, &x->dl_type);
    of_read_u8(r, &x->tos);
    of_read_u8(r, &x->proto);
    of_read_u32(r, &x->nw_src);
    of_read_u32(r, &x->nw_src_mask);
    of_read_u32(r, &x->nw_dst);
    of_read_u32(r, &x->nw_dst_mask);
    of_read_u16(r, &x->tp_src);
    of_read_u16(r, &x->tp_dst);
    of_read_u32(r, &x->label);
    of_read_u8(r, &x->tc);
    of_skip(r, 3);
    of_read_u64(r, &x->metadata);
    of_read_u64(r, &x->metadata_mask);
    x->nw_src_mask = ~x->nw_src_mask; /* set bits are wild on the wire */
    x->nw_dst_mask = ~x->nw_dst_mask;
    x->metadata_mask = ~x->metadata_mask;
    x->w_vlan = x->wc & FW11_DL_VLAN;
    x->w_pcp = x->wc & FW11_DL_VLAN_PCP;
    x->w_type = x->wc & FW11_DL_TYPE;
    x->w_tos = x->wc & FW11_NW_TOS;
    x->w_proto = x->wc & FW11_NW_PROTO;
    x->w_src = x->wc & FW11_TP_SRC;
    x->w_dst = x->wc & FW11_TP_DST;
}

enum of_err
of_match_decode_ofp11(struct of_reader *r, struct of_match *m)
{
    struct fixed x = {0};
    struct of_value v, mask;
    uint16_t port;

    of_match_init(m);
    if (r->len < OFP11_MATCH_LEN) {
        return OFPBMC_BAD_LEN;
    }
    fixed11_read(r, &x);
    if (!(x.wc & FW11_IN_PORT)) {
        if (!of_port_from_32(x.in_port, &port)) {
            return OFPBMC_BAD_VALUE;
        }
        of_match_set_u64(m, OFF_IN_PORT, port);
    }
    set_eth(m, OFF_ETH_SRC, x.dl_src, x.dl_src_mask);
    set_eth(m, OFF_ETH_DST, x.dl_dst, x.dl_dst_mask);
    if (!vlan_decode(&x, true, m)) {
        return OFPBMC_BAD_VALUE;
    }
    if (x.metadata_mask) {
        v = of_value_from_u64(OFF_METADATA, x.metadata);
        mask = of_value_from_u64(OFF_METADATA, x.metadata_mask);
        of_match_set(m, OFF_METADATA, &v, &mask);
    }
    if (!x.w_type && (x.dl_type == ETH_TYPE_MPLS || x.dl_type == ETH_TYPE_MPLS_MCAST)) {
        set_unless(x.wc & FW11_MPLS_LABEL, m, OFF_MPLS_LABEL, x.label);
        set_unless(x.wc & FW11_MPLS_TC, m, OFF_MPLS_TC, x.tc);
    }
    return network_decode(&x, true, m);
}

/* -- Encoding. -- */

static uint32_t
addr_mask(const struct of_match *m, enum of_field f, uint32_t *addr)
{
    struct of_value v, mask;

    of_match_get(m, f, &v, &mask);
    *addr = (uint32_t) of_value_to_u64(f, &v);
    return (uint32_t) of_value_to_u64(f, &mask);
}

static uint64_t
number(const struct of_match *m, enum of_field f, bool *wild)
{
    struct of_value v, mask;

    *wild = !of_match_get(m, f, &v, &mask);
    return of_value_to_u64(f, &v);
}

/* Fills what the two structs have in common. */
static void
fixed_from_match(const struct of_match *m, bool v11, struct fixed *x)
{
    const struct flow *f = &m->flow;
    uint16_t tci = ntohs(f->vlan.tag[0].tci_be), tci_mask = ntohs(m->mask.vlan.tag[0].tci_be);
    bool arp = of_prereq_ok(OFQ_ARP, f), ip = of_prereq_ok(OFQ_IP_ANY, f);

    memset(x, 0, sizeof *x);
    x->w_vlan = !(tci_mask & VLAN_CFI);
    x->w_pcp = !(tci_mask & VLAN_PCP_MASK);
    if (!x->w_vlan && !(tci & VLAN_CFI)) {
        x->vlan = VLAN_NONE_ID;
        x->w_pcp = v11;
    } else if (!x->w_vlan && tci_mask & VLAN_VID_MASK) {
        x->vlan = tci & VLAN_VID_MASK;
        x->pcp = (uint8_t) (tci >> VLAN_PCP_SHIFT);
    } else {
        x->w_vlan = !v11 || x->w_vlan;
        x->vlan = v11 && !x->w_vlan ? VLAN_ANY_ID : 0;
        x->pcp = (uint8_t) (tci >> VLAN_PCP_SHIFT);
    }
    x->dl_type = (uint16_t) number(m, OFF_ETH_TYPE, &x->w_type);
    x->w_tos = x->w_proto = x->w_src = x->w_dst = true;
    if (arp) {
        x->proto = (uint8_t) number(m, OFF_ARP_OP, &x->w_proto);
        x->nw_src_mask = addr_mask(m, OFF_ARP_SPA, &x->nw_src);
        x->nw_dst_mask = addr_mask(m, OFF_ARP_TPA, &x->nw_dst);
    } else if (ip && !(v11 && of_prereq_ok(OFQ_IPV6, f))) {
        x->tos = (uint8_t) (number(m, OFF_IP_DSCP, &x->w_tos) << 2);
        x->proto = (uint8_t) number(m, OFF_IP_PROTO, &x->w_proto);
        if (of_prereq_ok(OFQ_IPV4, f)) {
            x->nw_src_mask = addr_mask(m, OFF_IPV4_SRC, &x->nw_src);
            x->nw_dst_mask = addr_mask(m, OFF_IPV4_DST, &x->nw_dst);
        }
        /* Whatever the protocol, its two numbers are in the same place. */
        x->tp_src = (uint16_t) number(m, OFF_TCP_SRC, &x->w_src);
        x->tp_dst = (uint16_t) number(m, OFF_TCP_DST, &x->w_dst);
    }
    memcpy(x->dl_src, &f->eth.src, 6);
    memcpy(x->dl_dst, &f->eth.dst, 6);
    for (unsigned i = 0; i < 6; i++) {
        x->dl_src_mask[i] = (uint8_t) ~m->mask.eth.src.ea[i];
        x->dl_dst_mask[i] = (uint8_t) ~m->mask.eth.dst.ea[i];
    }
}

static unsigned
wild_bits(uint32_t mask)
{
    unsigned ones = 0;

    while (ones < 32 && mask & 0x80000000u >> ones) {
        ones++;
    }
    return 32 - ones;
}

static bool
mac_exact(const uint8_t *wild)
{
    static const uint8_t none[6];

    return !memcmp(wild, none, 6);
}

void
of_match_encode_ofp10(struct of_buf *b, const struct of_match *m)
{
    static const uint8_t no_mac[6];
    struct fixed x;

    fixed_from_match(m, false, &x);
    x.wc = wild_bits(x.nw_src_mask) << FW10_NW_SRC_SHIFT | wild_bits(x.nw_dst_mask)
                                                               << FW10_NW_DST_SHIFT;
    x.wc |= m->mask.meta.in_port ? 0 : FW10_IN_PORT;
    x.wc |= mac_exact(x.dl_src_mask) ? 0 : FW10_DL_SRC;
    x.wc |= mac_exact(x.dl_dst_mask) ? 0 : FW10_DL_DST;
    x.wc |= (x.w_vlan ? FW10_DL_VLAN : 0) | (x.w_pcp ? FW10_DL_VLAN_PCP : 0);
    x.wc |= (x.w_type ? FW10_DL_TYPE : 0) | (x.w_tos ? FW10_NW_TOS : 0);
    x.wc |= (x.w_proto ? FW10_NW_PROTO : 0) | (x.w_src ? FW10_TP_SRC : 0);
    x.wc |= x.w_dst ? FW10_TP_DST : 0;
    of_put_u32(b, x.wc);
    of_put_u16(b, (uint16_t) m->flow.meta.in_port);
    of_buf_put(b, x.wc & FW10_DL_SRC ? no_mac : x.dl_src, 6);
    of_buf_put(b, x.wc & FW10_DL_DST ? no_mac : x.dl_dst, 6);
    of_put_u16(b, x.vlan);
    of_put_u8(b, x.pcp);
    of_put_u8(b, 0);
    of_put_u16(b, x.dl_type);
    of_put_u8(b, x.tos);
    of_put_u8(b, x.proto);
    of_put_u16(b, 0);
    of_put_u32(b, x.nw_src & prefix_mask(wild_bits(x.nw_src_mask)));
    of_put_u32(b, x.nw_dst & prefix_mask(wild_bits(x.nw_dst_mask)));
    of_put_u16(b, x.tp_src);
    of_put_u16(b, x.tp_dst);
}

void
of_match_encode_ofp11(struct of_buf *b, const struct of_match *m)
{
    bool w_label, w_tc;
    struct fixed x;

    fixed_from_match(m, true, &x);
    x.label = (uint32_t) number(m, OFF_MPLS_LABEL, &w_label);
    x.tc = (uint8_t) number(m, OFF_MPLS_TC, &w_tc);
    x.wc = (m->mask.meta.in_port ? 0 : FW11_IN_PORT) | (x.w_vlan ? FW11_DL_VLAN : 0);
    x.wc |= (x.w_pcp ? FW11_DL_VLAN_PCP : 0) | (x.w_type ? FW11_DL_TYPE : 0);
    x.wc |= (x.w_tos ? FW11_NW_TOS : 0) | (x.w_proto ? FW11_NW_PROTO : 0);
    x.wc |= (x.w_src ? FW11_TP_SRC : 0) | (x.w_dst ? FW11_TP_DST : 0);
    x.wc |= (w_label ? FW11_MPLS_LABEL : 0) | (w_tc ? FW11_MPLS_TC : 0);
    of_put_u16(b, 0);
    of_put_u16(b, OFP11_MATCH_LEN);
    of_put_u32(b, m->mask.meta.in_port ? of_port_to_32((uint16_t) m->flow.meta.in_port) : 0);
    of_put_u32(b, x.wc & FW11_ALL);
    of_buf_put(b, x.dl_src, 6);
    of_buf_put(b, x.dl_src_mask, 6);
    of_buf_put(b, x.dl_dst, 6);
    of_buf_put(b, x.dl_dst_mask, 6);
    of_put_u16(b, x.vlan);
    of_put_u8(b, x.pcp);
    of_put_u8(b, 0);
    of_put_u16(b, x.dl_type);
    of_put_u8(b, x.tos);
    of_put_u8(b, x.proto);
    of_put_u32(b, x.nw_src);
    of_put_u32(b, ~x.nw_src_mask);
    of_put_u32(b, x.nw_dst);
    of_put_u32(b, ~x.nw_dst_mask);
    of_put_u16(b, x.tp_src);
    of_put_u16(b, x.tp_dst);
    of_put_u32(b, x.label);
    of_put_u8(b, x.tc);
    of_buf_put_zeros(b, 3);
    of_put_u64(b, be64toh(m->flow.regs.metadata_be));
    of_put_u64(b, ~be64toh(m->mask.regs.metadata_be));
}

bool
of_match_fits(const struct of_match *m, uint8_t version)
{
    struct of_buf b = OF_BUF_INIT;
    struct of_match back;
    struct of_reader r;
    bool ok;

    if (version == 1) {
        of_match_encode_ofp10(&b, m);
    } else {
        of_match_encode_ofp11(&b, m);
    }
    r = (struct of_reader){b.data, b.len};
    ok = !(version == 1 ? of_match_decode_ofp10(&r, &back) : of_match_decode_ofp11(&r, &back));
    of_buf_free(&b);
    if (m->mask.vlan.tag[0].tci_be == htons(VLAN_CFI | VLAN_VID_MASK) &&
        !m->flow.vlan.tag[0].tci_be) { /* "no tag" decodes as looking at the priority too */
        back.mask.vlan.tag[0].tci_be = m->mask.vlan.tag[0].tci_be;
    }
    return ok && of_match_equal(m, &back);
}
