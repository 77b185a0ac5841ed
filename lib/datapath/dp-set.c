/* SPDX-License-Identifier: Apache-2.0 */
/* Overwrites header fields of packets.  One function per section of the flow; each finds its
 * header by the layer offsets that extraction left, and never writes past the packet. */

#include "datapath/dp-set.h"

#include <arpa/inet.h>
#include <string.h>

#include "flow/flow-key.h"
#include "packet/headers.h"
#include "packet/packet-ops.h"
#include "util/csum.h"

#define ND_FIXED 24 /* bytes of a neighbour message before its options */

/* The transport checksum that a change of 32-bit words has to go into; NULL: none. */
struct l4_csum {
    uint8_t *field;
    bool udp;
};

static struct l4_csum
l4_csum_find(const struct packet *p)
{
    uint8_t proto = 0;
    struct l4_csum c = {.field = packet_l4_csum(p, &proto)};

    c.udp = proto == IP_PROTO_UDP;
    return c;
}

static void
l4_csum_update(const struct l4_csum *c, uint32_t old, uint32_t new)
{
    uint16_t csum;

    if (!c->field) {
        return;
    }
    memcpy(&csum, c->field, sizeof csum);
    csum = csum_update32(csum, old, new);
    if (!csum && c->udp) {
        csum = 0xffff; /* RFC 768: zero would say "no checksum" */
    }
    memcpy(c->field, &csum, sizeof csum);
}

/* Merges `n` bytes (a multiple of 4, at an even offset of what the checksum covers). */
static void
set_words(uint8_t *to, const void *value, const void *mask, unsigned n, const struct l4_csum *c)
{
    for (unsigned i = 0; i < n; i += 4) {
        uint32_t old, v, m, new;

        memcpy(&old, to + i, 4);
        memcpy(&v, (const uint8_t *) value + i, 4);
        memcpy(&m, (const uint8_t *) mask + i, 4);
        new = (old & ~m) | (v & m);
        if (new != old) {
            memcpy(to + i, &new, 4);
            if (c) {
                l4_csum_update(c, old, new);
            }
        }
    }
}

static void
set_bytes(uint8_t *to, const void *value, const void *mask, unsigned n)
{
    const uint8_t *v = value, *m = mask;

    for (unsigned i = 0; i < n; i++) {
        to[i] = (uint8_t) ((to[i] & ~m[i]) | (v[i] & m[i]));
    }
}

static uint8_t *
l3_header(const struct packet *p, unsigned len)
{
    return p->l3_ofs != PACKET_OFS_NONE && p->l3_ofs + len <= p->len
               ? packet_data(p) + p->l3_ofs
               : NULL;
}

static void
set_meta(struct packet *p, const struct flow_meta *v, const struct flow_meta *m)
{
    p->skb_priority =
        (p->skb_priority & ~m->skb_priority) | (v->skb_priority & m->skb_priority);
    p->pkt_mark = (p->pkt_mark & ~m->pkt_mark) | (v->pkt_mark & m->pkt_mark);
}

static void
set_eth(struct packet *p, const struct flow_eth *v, const struct flow_eth *m)
{
    if (p->len >= ETH_HDR_LEN) {
        set_bytes(packet_data(p), v, m, 2 * sizeof v->dst);
    }
}

static void
set_ipv4_byte(struct ipv4_hdr *ip, uint8_t *byte, uint8_t v, uint8_t m)
{
    /* The byte and the other half of its 16-bit word. */
    uint8_t *word = (uint8_t *) ip + ((unsigned) (byte - (uint8_t *) ip) & ~1u);
    uint16_t old, new;

    memcpy(&old, word, sizeof old);
    *byte = (uint8_t) ((*byte & ~m) | (v & m));
    memcpy(&new, word, sizeof new);
    ip->csum_be = csum_update16(ip->csum_be, old, new);
}

/* Type of service, time to live, IPv6 flow label: none is part of a pseudo-header. */
static void
set_ip(struct packet *p, const struct flow_ip *v, const struct flow_ip *m)
{
    uint8_t *l3 = l3_header(p, sizeof(struct ipv4_hdr));

    if (l3 && l3[0] >> 4 == 4) {
        struct ipv4_hdr *ip = (void *) l3;

        set_ipv4_byte(ip, &ip->tos, v->tos, m->tos);
        set_ipv4_byte(ip, &ip->ttl, v->ttl, m->ttl);
    } else if (l3 && l3[0] >> 4 == 6 && l3_header(p, sizeof(struct ipv6_hdr))) {
        struct ipv6_hdr *ip = (void *) l3;
        uint32_t mask = htonl((uint32_t) m->tos << 20) | (m->ipv6_label_be & htonl(0xfffff));
        uint32_t value = htonl((uint32_t) v->tos << 20) | v->ipv6_label_be;

        ip->flow_be = (ip->flow_be & ~mask) | (value & mask);
        ip->hlimit = (uint8_t) ((ip->hlimit & ~m->ttl) | (v->ttl & m->ttl));
    }
}

static void
set_ipv4(struct packet *p, const struct flow_ipv4 *v, const struct flow_ipv4 *m)
{
    struct ipv4_hdr *ip = (void *) l3_header(p, sizeof *ip);
    struct l4_csum c = l4_csum_find(p);
    uint8_t proto = 0;
    uint32_t old[2];

    if (!ip || ip->ver_ihl >> 4 != 4) {
        return;
    }
    memcpy(old, &ip->src_be, sizeof old);
    if (c.field && packet_l4_csum(p, &proto) && proto == IP_PROTO_ICMP) {
        c.field = NULL; /* covers no addresses */
    }
    set_words((uint8_t *) &ip->src_be, v, m, sizeof old, &c);
    ip->csum_be = csum_update32(ip->csum_be, old[0], ip->src_be);
    ip->csum_be = csum_update32(ip->csum_be, old[1], ip->dst_be);
}

static void
set_ipv6(struct packet *p, const struct flow_ipv6 *v, const struct flow_ipv6 *m)
{
    struct ipv6_hdr *ip = (void *) l3_header(p, sizeof *ip);
    struct l4_csum c = l4_csum_find(p);

    if (ip && (ntohl(ip->flow_be) >> 28) == 6) {
        set_words(ip->src, v, m, sizeof ip->src + sizeof ip->dst, &c);
    }
}

/* Ports, or ICMP type and code, which a flow keeps one in each port. */
static void
set_l4(struct packet *p, uint8_t proto, const struct flow_l4 *v, const struct flow_l4 *m)
{
    struct l4_csum c = l4_csum_find(p);
    uint8_t *l4;

    if (p->l4_ofs == PACKET_OFS_NONE || p->l4_ofs + 4u > p->len) {
        return;
    }
    l4 = packet_data(p) + p->l4_ofs;
    if (proto == IP_PROTO_ICMP || proto == IP_PROTO_ICMPV6) {
        const uint8_t value[2] = {(uint8_t) ntohs(v->src_be), (uint8_t) ntohs(v->dst_be)};
        const uint8_t mask[2] = {(uint8_t) ntohs(m->src_be), (uint8_t) ntohs(m->dst_be)};
        uint16_t old, new;

        memcpy(&old, l4, sizeof old);
        set_bytes(l4, value, mask, sizeof value);
        memcpy(&new, l4, sizeof new);
        l4_csum_update(&c, old, new);
    } else {
        set_words(l4, v, m, 4, &c);
        if (proto == IP_PROTO_SCTP) {
            packet_sctp_csum(p);
        }
    }
}

static void
set_arp(struct packet *p, const struct flow_arp *v, const struct flow_arp *m)
{
    struct arp_hdr *arp = (void *) l3_header(p, sizeof *arp);

    if (arp) {
        arp->op_be = htons((uint16_t) ((ntohs(arp->op_be) & ~m->op) | (v->op & m->op)));
        set_bytes((uint8_t *) &arp->spa_be, &v->spa_be, &m->spa_be, 4);
        set_bytes((uint8_t *) &arp->tpa_be, &v->tpa_be, &m->tpa_be, 4);
        set_bytes(arp->sha.ea, &v->sha, &m->sha, sizeof arp->sha);
        set_bytes(arp->tha.ea, &v->tha, &m->tha, sizeof arp->tha);
    }
}

/* A link-layer address option: two bytes of head, then the address, at a multiple of 8. */
static void
set_nd_option(uint8_t *opt, struct eth_addr v, struct eth_addr m, const struct l4_csum *c)
{
    uint8_t value[8] = {0}, mask[8] = {0};

    memcpy(value + 2, &v, sizeof v);
    memcpy(mask + 2, &m, sizeof m);
    set_words(opt, value, mask, sizeof value, c);
}

/* Turns a link-layer address option into one of another type: its second byte stays. */
static void
set_nd_option_type(uint8_t *opt, uint8_t v, uint8_t m, const struct l4_csum *c)
{
    const uint8_t value[4] = {v}, mask[4] = {m};

    set_words(opt, value, mask, sizeof value, c);
}

static void
set_nd(struct packet *p, const struct flow_nd *v, const struct flow_nd *m)
{
    struct l4_csum c = l4_csum_find(p);
    unsigned len = p->l4_ofs != PACKET_OFS_NONE && p->l4_ofs + (uint32_t) p->l4_len <= p->len
                       ? p->l4_len
                       : 0;
    uint8_t *nd = packet_data(p) + p->l4_ofs, *last = NULL;

    if (len < ND_FIXED) {
        return;
    }
    set_words(nd + 4, &v->reserved_be, &m->reserved_be, sizeof v->reserved_be, &c);
    set_words(nd + 8, &v->target, &m->target, sizeof v->target, &c);
    for (unsigned ofs = ND_FIXED; ofs + 8 <= len && nd[ofs + 1];) {
        unsigned opt_len = nd[ofs + 1] * 8u;

        if (ofs + opt_len > len) {
            break;
        }
        if (nd[ofs] == ND_OPT_SLL && opt_len == 8) {
            set_nd_option(nd + ofs, v->sll, m->sll, &c);
            last = nd + ofs;
        } else if (nd[ofs] == ND_OPT_TLL && opt_len == 8) {
            set_nd_option(nd + ofs, v->tll, m->tll, &c);
            last = nd + ofs;
        }
        ofs += opt_len;
    }
    if (last) {
        set_nd_option_type(last, v->opt_type, m->opt_type, &c);
    }
}

static void
set_mpls(struct packet *p, const struct flow_mpls *v, const struct flow_mpls *m)
{
    if (p->l2_5_ofs != PACKET_OFS_NONE && p->l2_5_ofs + 4u <= p->len) {
        set_bytes(packet_data(p) + p->l2_5_ofs, v->lse_be, m->lse_be, 4);
    }
}

void
dp_set(struct packet *p, const struct dp_action *a, const uint64_t *words)
{
    const void *v = words + a->arg, *m = words + a->arg + flow_section_words[a->section];

    switch ((enum flow_section) a->section) {
    case FS_META:
        set_meta(p, v, m);
        break;
    case FS_ETH:
        set_eth(p, v, m);
        break;
    case FS_IP:
        set_ip(p, v, m);
        break;
    case FS_IPV4:
        set_ipv4(p, v, m);
        break;
    case FS_IPV6:
        set_ipv6(p, v, m);
        break;
    case FS_L4:
        set_l4(p, a->hint, v, m);
        break;
    case FS_ARP:
        set_arp(p, v, m);
        break;
    case FS_ND:
        set_nd(p, v, m);
        break;
    case FS_MPLS:
        set_mpls(p, v, m);
        break;
    case FS_VLAN:
    case FS_REGS:
    case FS_N:
        break;
    }
}
