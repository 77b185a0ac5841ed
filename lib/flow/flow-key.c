/* SPDX-License-Identifier: Apache-2.0 */
/* Packet bytes to flow key, and key to flow and back.  flow_key_extract() runs once per packet
 * on PMD threads: it walks the headers once, appends the words of each section as it goes (the
 * parse order is the section order), and hashes them at the end.
 *
 * Every step checks what is left before it looks.  The end is first that of the frame; an IP
 * header then moves it in, so that padding is never taken for payload.  It must not know of
 * tables, ports or actions. */

#include "flow/flow-key.h"

#include <arpa/inet.h>
#include <stdatomic.h>

#include "packet/headers.h"
#include "util/compiler.h"
#include "util/hash.h"

#define SECTION_WORDS(M) (sizeof(((struct flow *) NULL)->M) / 8)
#define SECTION_OFS(M) (offsetof(struct flow, M) / 8)

const uint8_t flow_section_words[FS_N] = {
    [FS_META] = SECTION_WORDS(meta), [FS_ETH] = SECTION_WORDS(eth),
    [FS_VLAN] = SECTION_WORDS(vlan), [FS_IP] = SECTION_WORDS(ip),
    [FS_IPV4] = SECTION_WORDS(ipv4), [FS_IPV6] = SECTION_WORDS(ipv6),
    [FS_L4] = SECTION_WORDS(l4),     [FS_ARP] = SECTION_WORDS(arp),
    [FS_ND] = SECTION_WORDS(nd),     [FS_MPLS] = SECTION_WORDS(mpls),
    [FS_REGS] = SECTION_WORDS(regs),
};
const uint8_t flow_section_flow_ofs[FS_N] = {
    [FS_META] = SECTION_OFS(meta), [FS_ETH] = SECTION_OFS(eth),   [FS_VLAN] = SECTION_OFS(vlan),
    [FS_IP] = SECTION_OFS(ip),     [FS_IPV4] = SECTION_OFS(ipv4), [FS_IPV6] = SECTION_OFS(ipv6),
    [FS_L4] = SECTION_OFS(l4),     [FS_ARP] = SECTION_OFS(arp),   [FS_ND] = SECTION_OFS(nd),
    [FS_MPLS] = SECTION_OFS(mpls), [FS_REGS] = SECTION_OFS(regs),
};
_Static_assert(SECTION_WORDS(meta) + SECTION_WORDS(eth) + SECTION_WORDS(vlan) +
                       SECTION_WORDS(ip) + SECTION_WORDS(ipv4) + SECTION_WORDS(ipv6) +
                       SECTION_WORDS(l4) + SECTION_WORDS(arp) + SECTION_WORDS(nd) +
                       SECTION_WORDS(mpls) <=
                   FLOW_KEY_MAX_WORDS,
               "a key holds every section of packets");

/* Read only for packets that have a tag. */
static _Atomic unsigned vlan_limit = FLOW_MAX_VLANS;

#define IPV6_EXT_MAX 8 /* extension headers followed in one packet */
#define IP_PROTO_HOPOPTS 0
#define IP_PROTO_ROUTING 43
#define IP_PROTO_FRAGMENT 44
#define IP_PROTO_AH 51
#define IP_PROTO_DSTOPTS 60
#define ND_NS 135
#define ND_NA 136

struct parse {
    const uint8_t *data;
    uint32_t ofs; /* first byte not parsed yet */
    uint32_t end; /* of what belongs to the innermost layer so far */
    uint64_t *w;  /* where the next section goes */
    uint32_t sections;
};

static ALWAYS_INLINE uint32_t
left(const struct parse *ps)
{
    return ps->end - ps->ofs;
}

static ALWAYS_INLINE void
put(struct parse *ps, enum flow_section s, const void *section, size_t size)
{
    memcpy(ps->w, section, size);
    ps->w += size / 8;
    ps->sections |= FS_BIT(s);
}

static ALWAYS_INLINE uint16_t
get_be16(const uint8_t *p)
{
    uint16_t v;

    memcpy(&v, p, sizeof v);
    return v;
}

static ALWAYS_INLINE bool
is_vlan_type(uint16_t type_be)
{
    return type_be == htons(ETH_TYPE_VLAN) || type_be == htons(ETH_TYPE_QINQ);
}

/* IEEE 802.2 LLC with a SNAP header whose organisation is 0 stands for an Ethernet type
 * (RFC 1042); any other 802.3 frame has none. */
static NOINLINE uint16_t
parse_8023(struct parse *ps)
{
    static const uint8_t snap[6] = {0xaa, 0xaa, 0x03, 0, 0, 0};

    if (left(ps) >= 8 && !memcmp(ps->data + ps->ofs, snap, sizeof snap)) {
        uint16_t type_be = get_be16(ps->data + ps->ofs + 6);

        if (ntohs(type_be) >= ETH_TYPE_MIN) {
            ps->ofs += 8;
            return type_be;
        }
    }
    return htons(ETH_TYPE_NONE);
}

/* Addresses, tags and type.  Tags beyond the limit are not looked into: the type is then
 * theirs. */
static ALWAYS_INLINE uint16_t
parse_ethernet(struct parse *ps)
{
    struct flow_eth eth;
    struct flow_vlan vlan;
    uint16_t type_be;
    unsigned n = 0;

    memcpy(&eth, ps->data, 12);
    type_be = get_be16(ps->data + 12);
    ps->ofs = ETH_HDR_LEN;
    if (UNLIKELY(is_vlan_type(type_be))) {
        unsigned limit = atomic_load_explicit(&vlan_limit, memory_order_relaxed);

        memset(&vlan, 0, sizeof vlan);
        while (is_vlan_type(type_be) && n < limit && left(ps) >= VLAN_HDR_LEN) {
            vlan.tag[n].tpid_be = type_be;
            vlan.tag[n++].tci_be = get_be16(ps->data + ps->ofs) | htons(VLAN_CFI);
            type_be = get_be16(ps->data + ps->ofs + 2);
            ps->ofs += VLAN_HDR_LEN;
        }
    }
    if (UNLIKELY(ntohs(type_be) < ETH_TYPE_MIN)) {
        type_be = parse_8023(ps);
    }
    eth.type_be = type_be;
    eth.pad = 0;
    put(ps, FS_ETH, &eth, sizeof eth);
    if (n) {
        put(ps, FS_VLAN, &vlan, sizeof vlan);
    }
    return type_be;
}

/* Neighbour solicitation or advertisement (RFC 4861 sections 4.3, 4.4, 4.6.1); `l4` bytes from
 * ps->ofs to ps->end.  An option that does not fit, or comes twice, is malformed. */
static NOINLINE void
parse_nd(struct parse *ps)
{
    struct flow_nd nd = {.pad = {0}};
    uint32_t ofs = ps->ofs + 24;

    if (left(ps) < 24) {
        return;
    }
    memcpy(&nd.reserved_be, ps->data + ps->ofs + 4, sizeof nd.reserved_be);
    memcpy(&nd.target, ps->data + ps->ofs + 8, sizeof nd.target);
    while (ofs < ps->end) {
        const uint8_t *opt = ps->data + ofs;
        uint32_t opt_len;

        if (ps->end - ofs < 8) {
            return;
        }
        opt_len = opt[1] * 8u;
        if (!opt_len || opt_len > ps->end - ofs) {
            return;
        }
        if (opt_len == 8 && (opt[0] == ND_OPT_SLL || opt[0] == ND_OPT_TLL)) {
            struct eth_addr *ll = opt[0] == ND_OPT_SLL ? &nd.sll : &nd.tll;

            if (!eth_addr_is_zero(*ll)) {
                return;
            }
            memcpy(ll, opt + 2, sizeof *ll);
            nd.opt_type = opt[0];
        }
        ofs += opt_len;
    }
    put(ps, FS_ND, &nd, sizeof nd);
}

/* The transport header at ps->ofs, if it is one of those known and whole. */
static ALWAYS_INLINE void
parse_l4(struct parse *ps, struct packet *p, uint8_t proto, uint8_t frag, bool v6)
{
    const uint8_t *h = ps->data + ps->ofs;
    uint32_t n = left(ps);
    struct flow_l4 l4 = {.pad = 0};

    if (proto == IP_PROTO_TCP) {
        if (n < 20 || (h[12] >> 4) < 5 || (h[12] >> 4) * 4u > n) {
            return;
        }
        l4.tcp_flags_be = get_be16(h + 12) & htons(0x0fff);
        memcpy(&l4, h, 4);
    } else if (proto == IP_PROTO_UDP || proto == IP_PROTO_SCTP) {
        if (n < (proto == IP_PROTO_UDP ? 8 : 12)) {
            return;
        }
        memcpy(&l4, h, 4);
    } else if (proto == (v6 ? IP_PROTO_ICMPV6 : IP_PROTO_ICMP)) {
        if (n < 8) {
            return;
        }
        l4.src_be = htons(h[0]);
        l4.dst_be = htons(h[1]);
    } else {
        return;
    }
    p->l4_ofs = (uint16_t) ps->ofs;
    put(ps, FS_L4, &l4, sizeof l4);
    if (v6 && proto == IP_PROTO_ICMPV6 && (h[0] == ND_NS || h[0] == ND_NA) && !h[1] && !frag) {
        parse_nd(ps);
    }
}

static ALWAYS_INLINE void
parse_ipv4(struct parse *ps, struct packet *p)
{
    const struct ipv4_hdr *h = (const void *) (ps->data + ps->ofs);
    struct flow_ip ip;
    struct flow_ipv4 v4;
    uint32_t hlen, tot_len;
    uint16_t frag;

    if (left(ps) < sizeof *h) {
        return;
    }
    hlen = (h->ver_ihl & 0xf) * 4u;
    tot_len = ntohs(h->tot_len_be);
    if ((h->ver_ihl >> 4) != 4 || hlen < sizeof *h || tot_len < hlen || tot_len > left(ps)) {
        return;
    }
    frag = ntohs(h->frag_be);
    ip.proto = h->proto;
    ip.tos = h->tos;
    ip.ttl = h->ttl;
    ip.frag = 0;
    if (UNLIKELY(frag & (IPV4_FRAG_MORE | IPV4_FRAG_OFS_MASK))) {
        ip.frag = FLOW_FRAG_ANY | (frag & IPV4_FRAG_OFS_MASK ? FLOW_FRAG_LATER : 0);
    }
    ip.ipv6_label_be = 0;
    v4.src_be = h->src_be;
    v4.dst_be = h->dst_be;
    put(ps, FS_IP, &ip, sizeof ip);
    put(ps, FS_IPV4, &v4, sizeof v4);

    p->l3_ofs = (uint16_t) ps->ofs;
    p->l4_len = (uint16_t) (tot_len - hlen);
    ps->end = ps->ofs + tot_len;
    ps->ofs += hlen;
    if (!(ip.frag & FLOW_FRAG_LATER)) {
        parse_l4(ps, p, ip.proto, ip.frag, false);
    }
}

/* Follows extension headers (RFC 8200 section 4) from `next` on; moves ps->ofs behind them.
 * Returns the first header number that is not one of them, or that is not whole: `*whole`
 * tells.
 * `*frag` gets the fragment bits; behind a later fragment's header nothing can be known. */
static NOINLINE uint8_t
skip_ipv6_ext(struct parse *ps, uint8_t next, uint8_t *frag, bool *whole)
{
    *whole = false;
    for (unsigned i = 0; i < IPV6_EXT_MAX; i++) {
        const uint8_t *h = ps->data + ps->ofs;
        uint32_t hlen;

        switch (next) {
        case IP_PROTO_HOPOPTS:
        case IP_PROTO_ROUTING:
        case IP_PROTO_DSTOPTS:
            hlen = left(ps) < 8 ? 0 : (h[1] + 1u) * 8;
            break;
        case IP_PROTO_AH: /* RFC 4302 section 2.2 */
            hlen = left(ps) < 8 ? 0 : (h[1] + 2u) * 4;
            break;
        case IP_PROTO_FRAGMENT:
            hlen = left(ps) < 8 ? 0 : 8;
            break;
        default:
            *whole = true;
            return next;
        }
        if (!hlen || hlen > left(ps)) {
            return next;
        }
        if (next == IP_PROTO_FRAGMENT) {
            uint16_t ofs_more = ntohs(get_be16(h + 2));

            /* Offset 0 without "more" is a whole packet (RFC 6946). */
            if (ofs_more & 0xfff9) {
                *frag |= FLOW_FRAG_ANY | (ofs_more & 0xfff8 ? FLOW_FRAG_LATER : 0);
            }
        }
        next = h[0];
        ps->ofs += hlen;
        if (*frag & FLOW_FRAG_LATER) {
            return next;
        }
    }
    return next;
}

static ALWAYS_INLINE void
parse_ipv6(struct parse *ps, struct packet *p)
{
    const struct ipv6_hdr *h = (const void *) (ps->data + ps->ofs);
    struct flow_ip ip;
    struct flow_ipv6 v6;
    uint32_t flow, plen;
    bool whole = true;

    if (left(ps) < sizeof *h) {
        return;
    }
    flow = ntohl(h->flow_be);
    plen = ntohs(h->plen_be);
    if ((flow >> 28) != 6 || plen > left(ps) - sizeof *h) {
        return;
    }
    ip.proto = h->next;
    ip.tos = (uint8_t) (flow >> 20);
    ip.ttl = h->hlimit;
    ip.frag = 0;
    ip.ipv6_label_be = htonl(flow & 0xfffff);
    memcpy(&v6.src, h->src, sizeof v6.src);
    memcpy(&v6.dst, h->dst, sizeof v6.dst);

    p->l3_ofs = (uint16_t) ps->ofs;
    ps->ofs += sizeof *h;
    ps->end = ps->ofs + plen;
    if (ip.proto != IP_PROTO_TCP && ip.proto != IP_PROTO_UDP) {
        ip.proto = skip_ipv6_ext(ps, ip.proto, &ip.frag, &whole);
    }
    p->l4_len = (uint16_t) left(ps);
    put(ps, FS_IP, &ip, sizeof ip);
    put(ps, FS_IPV6, &v6, sizeof v6);
    if (whole && !(ip.frag & FLOW_FRAG_LATER)) {
        parse_l4(ps, p, ip.proto, ip.frag, true);
    }
}

static NOINLINE void
parse_arp(struct parse *ps, struct packet *p)
{
    const struct arp_hdr *h = (const void *) (ps->data + ps->ofs);
    struct flow_arp arp = {.op = 0};
    uint16_t op;

    if (left(ps) < sizeof *h || h->hrd_be != htons(1) || h->pro_be != htons(ETH_TYPE_IPV4) ||
        h->hln != 6 || h->pln != 4) {
        return;
    }
    op = ntohs(h->op_be);
    arp.spa_be = h->spa_be;
    arp.tpa_be = h->tpa_be;
    arp.sha = h->sha;
    arp.tha = h->tha;
    arp.op = op <= 255 ? op : 0;
    p->l3_ofs = (uint16_t) ps->ofs;
    put(ps, FS_ARP, &arp, sizeof arp);
}

/* Label stack entries (RFC 3032 section 2.1) up to the bottom of the stack. */
static NOINLINE void
parse_mpls(struct parse *ps, struct packet *p)
{
    struct flow_mpls mpls = {.pad = 0};
    unsigned n = 0;

    while (n < FLOW_MAX_MPLS && left(ps) >= 4) {
        memcpy(&mpls.lse_be[n], ps->data + ps->ofs, 4);
        if (!n) {
            p->l2_5_ofs = (uint16_t) ps->ofs;
        }
        ps->ofs += 4;
        if (mpls.lse_be[n++] & htonl(0x100)) {
            break;
        }
    }
    if (n) {
        put(ps, FS_MPLS, &mpls, sizeof mpls);
    }
}

static ALWAYS_INLINE uint32_t
key_hash(const struct flow_key *k)
{
    /* XXH3 takes the 64 to 100 bytes of a usual key in parallel lanes: about a third of the
     * latency of mixing word after word. */
    return hash_bytes(k->w, k->n_words * 8u, k->sections);
}

bool
flow_key_set_vlan_limit(unsigned n)
{
    n = n && n < FLOW_MAX_VLANS ? n : FLOW_MAX_VLANS;
    return atomic_exchange_explicit(&vlan_limit, n, memory_order_relaxed) != n;
}

unsigned
flow_key_vlan_limit(void)
{
    return atomic_load_explicit(&vlan_limit, memory_order_relaxed);
}

void
flow_key_extract_received(struct packet *p, uint32_t in_port, struct flow_key *k)
{
    struct parse ps = {.data = packet_data(p), .end = p->len, .w = k->w};
    struct flow_meta meta = {
        .in_port = in_port,
        .recirc_id = p->recirc_id,
        .dp_hash = p->dp_hash,
        .skb_priority = p->skb_priority,
        .pkt_mark = p->pkt_mark,
    };

    p->in_port = in_port;
    p->l2_5_ofs = p->l3_ofs = p->l4_ofs = PACKET_OFS_NONE;
    p->l4_len = 0;
    put(&ps, FS_META, &meta, sizeof meta);
    if (LIKELY(p->len >= ETH_HDR_LEN)) {
        uint16_t type_be = parse_ethernet(&ps);

        if (LIKELY(type_be == htons(ETH_TYPE_IPV4))) {
            parse_ipv4(&ps, p);
        } else if (type_be == htons(ETH_TYPE_IPV6)) {
            parse_ipv6(&ps, p);
        } else if (type_be == htons(ETH_TYPE_ARP) || type_be == htons(ETH_TYPE_RARP)) {
            parse_arp(&ps, p);
        } else if (type_be == htons(ETH_TYPE_MPLS) || type_be == htons(ETH_TYPE_MPLS_MCAST)) {
            parse_mpls(&ps, p);
        }
    }
    k->sections = (uint16_t) ps.sections;
    k->n_words = (uint16_t) (ps.w - k->w);
    k->hash = key_hash(k);
}

void
flow_key_extract(struct packet *p, struct flow_key *k)
{
    flow_key_extract_received(p, p->in_port, k);
}

void
flow_key_expand(const struct flow_key *k, struct flow *flow)
{
    const uint64_t *w = k->w;

    memset(flow, 0, sizeof *flow);
    for (unsigned s = 0; s < FS_N; s++) {
        if (k->sections & FS_BIT(s)) {
            memcpy((uint8_t *) flow + flow_section_flow_ofs[s] * 8, w,
                   flow_section_words[s] * 8);
            w += flow_section_words[s];
        }
    }
    flow->sections = k->sections;
}

void
flow_key_from_flow(const struct flow *flow, struct flow_key *k)
{
    uint64_t *w = k->w;

    k->sections = (uint16_t) (flow->sections & (FS_BIT(FS_REGS) - 1));
    for (unsigned s = 0; s < FS_REGS; s++) {
        if (k->sections & FS_BIT(s)) {
            memcpy(w, (const uint8_t *) flow + flow_section_flow_ofs[s] * 8,
                   flow_section_words[s] * 8);
            w += flow_section_words[s];
        }
    }
    k->n_words = (uint16_t) (w - k->w);
    k->hash = key_hash(k);
}
