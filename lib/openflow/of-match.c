/* SPDX-License-Identifier: Apache-2.0 */
/* Matches: a flow with a mask.  Building, questions, and the padded struct ofp_match of
 * OpenFlow 1.1+.  Called by decoders and OpenFlow tables on main; knows nothing of messages. */

#include "openflow/of-match.h"

#include <arpa/inet.h>
#include "openflow/of-match-private.h"
#include "packet/headers.h"

#define MPLS_BOS (1u << 8)

enum { OFPMT_STANDARD = 0, OFPMT_OXM = 1 };

void
of_match_init(struct of_match *m)
{
    memset(m, 0, sizeof *m);
}

bool
of_match_is_any(const struct of_match *m)
{
    static const struct flow zero;

    return flow_equal(&m->mask, &zero);
}

void
of_match_set(struct of_match *m, enum of_field f, const struct of_value *value,
             const struct of_value *mask)
{
    if (mask && !of_value_is_ones(mask, f)) {
        struct of_value v = *value;

        for (unsigned i = 0; i < of_field_info(f)->n_bytes; i++) {
            v.b[i] &= mask->b[i];
        }
        of_field_set_masked(f, &m->flow, &v, mask);
        of_field_mask_bits(f, &m->mask, mask);
        return;
    }
    of_field_set(f, &m->flow, value);
    of_field_mask_all(f, &m->mask);
    if (f == OFF_DL_VLAN || f == OFF_DL_VLAN_PCP) { /* OpenFlow 1.0: implies a tag */
        m->flow.vlan.tag[0].tci_be |= htons(VLAN_CFI);
        m->mask.vlan.tag[0].tci_be |= htons(VLAN_CFI);
    }
}

void
of_match_set_u64(struct of_match *m, enum of_field f, uint64_t x)
{
    struct of_value v = of_value_from_u64(f, x);

    of_match_set(m, f, &v, NULL);
}

bool
of_match_get(const struct of_match *m, enum of_field f, struct of_value *value,
             struct of_value *mask)
{
    of_field_get(f, &m->mask, mask);
    of_field_get(f, &m->flow, value);
    return !of_value_is_zero(mask, of_field_info(f)->n_bytes);
}

void
of_match_normalize(struct of_match *m)
{
    const struct flow *f = &m->flow;
    bool nd = of_prereq_ok(OFQ_ND, f), ip = of_prereq_ok(OFQ_IP_ANY, f);
    bool icmp = of_prereq_ok(OFQ_ICMPV4, f) || of_prereq_ok(OFQ_ICMPV6, f);
    bool tcp = of_prereq_ok(OFQ_TCP, f);
    struct flow keep;

    /* What may stay: all of it, without the layers that are not there. */
    memset(&keep, 0xff, sizeof keep);
    if (!ip) {
        memset(&keep.ip, 0, sizeof keep.ip);
    }
    if (!of_prereq_ok(OFQ_IPV4, f)) {
        memset(&keep.ipv4, 0, sizeof keep.ipv4);
    }
    if (!of_prereq_ok(OFQ_IPV6, f)) {
        memset(&keep.ipv6, 0, sizeof keep.ipv6);
        keep.ip.ipv6_label_be = 0;
    }
    if (!tcp && !icmp && !of_prereq_ok(OFQ_UDP, f) && !of_prereq_ok(OFQ_SCTP, f)) {
        memset(&keep.l4, 0, sizeof keep.l4);
    }
    if (!tcp) {
        keep.l4.tcp_flags_be = 0;
    }
    if (!nd) {
        memset(&keep.nd, 0, sizeof keep.nd);
    } else if (of_prereq_ok(OFQ_ND_SOLICIT, f)) {
        memset(&keep.nd.tll, 0, sizeof keep.nd.tll);
    } else {
        memset(&keep.nd.sll, 0, sizeof keep.nd.sll);
    }
    if (!of_prereq_ok(OFQ_ARP, f)) {
        memset(&keep.arp, 0, sizeof keep.arp);
    }
    if (!of_prereq_ok(OFQ_MPLS, f)) {
        memset(&keep.mpls, 0, sizeof keep.mpls);
    }
    for (unsigned i = 0; i < FLOW_WORDS; i++) {
        ((flow_word *) &m->flow)[i] &= ((flow_word *) &keep)[i];
        ((flow_word *) &m->mask)[i] &= ((flow_word *) &keep)[i];
    }
}

/* What comes with a packet rather than in it is said only if there is any. */
static bool
is_metadata(enum of_field f)
{
    return f >= OFF_ACTSET_OUTPUT && f < OFF_XREG0;
}

/* Never said of packets: stock has no words for them there. */
static bool
is_silent(enum of_field f)
{
    return f == OFF_ND_RESERVED || f == OFF_ND_OPTIONS_TYPE;
}

/* The same bits as other fields. */
static bool
is_alias(enum of_field f)
{
    return f == OFF_DL_VLAN || f == OFF_DL_VLAN_PCP || f == OFF_IN_PORT_OXM ||
           (f >= OFF_XREG0 && f < OFF_ETH_SRC);
}

void
of_match_from_flow(struct of_match *m, const struct flow *flow)
{
    of_match_init(m);
    for (unsigned i = 0; i < OFF_N; i++) {
        enum of_field f = (enum of_field) i;
        struct of_value v;

        if (!is_alias(f) && !is_silent(f) && of_field_prereqs_ok(f, flow) &&
            !(is_metadata(f) && of_field_is_zero(f, flow))) {
            of_field_get(f, flow, &v);
            of_match_set(m, f, &v, NULL);
        }
    }
    if (flow->vlan.tag[0].tci_be) { /* and whether there is one more */
        m->flow.vlan.tag[1].tci_be = flow->vlan.tag[1].tci_be;
        m->mask.vlan.tag[1].tci_be = UINT16_MAX;
    }
    for (unsigned i = 1; i < FLOW_MAX_MPLS && of_prereq_ok(OFQ_MPLS, flow) &&
                         !(flow->mpls.lse_be[i - 1] & htonl(MPLS_BOS));
         i++) {
        m->flow.mpls.lse_be[i] = flow->mpls.lse_be[i];
        m->mask.mpls.lse_be[i] = UINT32_MAX;
    }
    if (of_prereq_ok(OFQ_IP_ANY, flow) && flow->ip.proto == IP_PROTO_IGMP) {
        m->flow.l4.src_be = flow->l4.src_be;
        m->flow.l4.dst_be = flow->l4.dst_be;
        m->mask.l4.src_be = m->mask.l4.dst_be = UINT16_MAX;
    }
    if (of_prereq_ok(OFQ_ND, flow)) {
        memcpy(&m->flow.nd, &flow->nd, offsetof(struct flow_nd, reserved_be));
        memset(&m->mask.nd, 0xff, offsetof(struct flow_nd, reserved_be));
    }
}

enum of_err
of_match_decode(struct of_reader *r, uint8_t version, bool loose, struct of_match *m)
{
    struct of_reader peek = *r;
    uint16_t type = 0, len = 0;
    enum of_err err;

    of_match_init(m);
    if (!of_read_u16(&peek, &type) || !of_read_u16(&peek, &len)) {
        return OFPBMC_BAD_LEN;
    }
    /* Either is taken in any version, as stock does. */
    if (type == OFPMT_STANDARD) {
        return len == OFP11_MATCH_LEN ? of_match_decode_ofp11(r, m) : OFPBMC_BAD_LEN;
    }
    if (type != OFPMT_OXM) {
        return OFPBMC_BAD_TYPE;
    }
    if (len < 4 || !of_skip(r, 4) || r->len < (len + 7u) / 8 * 8 - 4) {
        return OFPBMC_BAD_LEN;
    }
    err = of_match_decode_entries(&(struct of_reader){r->p, len - 4u}, loose, m, NULL, NULL);
    of_skip(r, (len + 7u) / 8 * 8 - 4); /* the padding counts the header too */
    return err;
}

void
of_match_encode(struct of_buf *b, uint8_t version, const struct of_match *m)
{
    size_t start = b->len, len;

    if (version <= 2 && of_match_fits(m, 2)) {
        of_match_encode_ofp11(b, m);
        return;
    }
    of_put_u16(b, OFPMT_OXM);
    of_put_u16(b, 0);
    len = of_match_encode_nxm(b, version <= 2 ? 0 : version, m, 0, 0);
    of_buf_truncate(b, start + 4 + len);
    of_buf_set_u16(b, start + 2, (uint16_t) (4 + len));
    of_buf_pad_from(b, start, 8);
}
