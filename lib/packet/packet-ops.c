/* SPDX-License-Identifier: Apache-2.0 */
/* Operations on packet contents: VLAN tags and checksums.  Called by datapath threads while
 * they execute actions, and by whoever makes packets.  Works from the layer offsets that flow
 * extraction left in the packet; knows nothing of flows. */

#include "packet/packet-ops.h"

#include <arpa/inet.h>

#include "log/coverage.h"
#include "packet/headers.h"
#include "util/csum.h"

COVERAGE_DEFINE(packet_csum_completed);

#define IPV6_EXT_MAX 8
#define IPV6_NEXT_HOPOPTS 0
#define IPV6_NEXT_FRAGMENT 44
#define IPV6_NEXT_AH 51
#define IPV6_NEXT_DSTOPTS 60

void
packet_set_vlan_tci(struct packet *p, uint16_t tci)
{
    if (packet_has_vlan(p)) {
        const uint16_t tci_be = htons(tci & (uint16_t) ~VLAN_CFI);

        memcpy(packet_data(p) + ETH_HDR_LEN, &tci_be, sizeof tci_be);
    }
}

/* IPv6: steps over the extension headers that change nothing about addresses and wholeness;
 * `first_fragment`: and over the fragment header. */
static bool
l4_proto_v6(const uint8_t *l3, unsigned l4_rel, bool first_fragment, uint8_t *proto)
{
    uint8_t next = ((const struct ipv6_hdr *) (const void *) l3)->next;
    unsigned ofs = sizeof(struct ipv6_hdr);

    for (unsigned i = 0; i < IPV6_EXT_MAX && ofs < l4_rel; i++) {
        if (l4_rel - ofs < 8) {
            return false;
        }
        if (next == IPV6_NEXT_AH) {
            next = l3[ofs];
            ofs += (l3[ofs + 1] + 2u) * 4;
        } else if (next == IPV6_NEXT_HOPOPTS || next == IPV6_NEXT_DSTOPTS) {
            next = l3[ofs];
            ofs += (l3[ofs + 1] + 1u) * 8;
        } else if (next == IPV6_NEXT_FRAGMENT && first_fragment) {
            next = l3[ofs];
            ofs += 8;
        } else {
            return false;
        }
    }
    *proto = next;
    return ofs == l4_rel;
}

bool
packet_l4_proto(const uint8_t *l3, unsigned l4_rel, uint8_t *proto)
{
    if (l4_rel >= sizeof(struct ipv4_hdr) && l3[0] >> 4 == 4) {
        const struct ipv4_hdr *ip = (const void *) l3;

        *proto = ip->proto;
        return (ip->ver_ihl & 0xf) * 4u == l4_rel &&
               !(ip->frag_be & htons(IPV4_FRAG_MORE | IPV4_FRAG_OFS_MASK));
    }
    return l4_rel >= sizeof(struct ipv6_hdr) && l3[0] >> 4 == 6 &&
           l4_proto_v6(l3, l4_rel, false, proto);
}

/* The pseudo-header's sum for `len` bytes of transport. */
static uint32_t
pseudo_sum(const uint8_t *l3, uint8_t proto, uint16_t len)
{
    if (l3[0] >> 4 == 4) {
        const struct ipv4_hdr *ip = (const void *) l3;

        return csum_pseudo_v4(ip->src_be, ip->dst_be, proto, len);
    } else {
        const struct ipv6_hdr *ip = (const void *) l3;

        return csum_pseudo_v6(ip->src, ip->dst, proto, len);
    }
}

/* Where TCP and UDP have their checksum; 0 for others or when `len` is too short. */
static unsigned
csum_ofs(uint8_t proto, uint16_t len)
{
    if (proto == IP_PROTO_TCP) {
        return len >= sizeof(struct tcp_hdr) ? offsetof(struct tcp_hdr, csum_be) : 0;
    }
    if (proto == IP_PROTO_UDP) {
        return len >= sizeof(struct udp_hdr) ? offsetof(struct udp_hdr, csum_be) : 0;
    }
    return 0;
}

/* Offsets set, in order, and everything they promise in the frame. */
static bool
has_whole_l4(const struct packet *p)
{
    return p->l3_ofs != PACKET_OFS_NONE && p->l4_ofs != PACKET_OFS_NONE &&
           p->l3_ofs < p->l4_ofs && p->l4_ofs + (uint32_t) p->l4_len <= p->len;
}

/* Where in the transport header the checksum is, if it is half-done; else 0. */
static unsigned
find_partial_csum(const struct packet *p)
{
    const uint8_t *l3, *l4;
    uint16_t field;
    uint8_t proto;
    unsigned ofs;

    if (!has_whole_l4(p)) {
        return 0;
    }
    l3 = packet_data(p) + p->l3_ofs;
    l4 = packet_data(p) + p->l4_ofs;
    if (!packet_l4_proto(l3, p->l4_ofs - p->l3_ofs, &proto)) {
        return 0;
    }
    ofs = csum_ofs(proto, p->l4_len);
    if (!ofs) {
        return 0;
    }
    memcpy(&field, l4 + ofs, sizeof field);
    return field == csum_fold(pseudo_sum(l3, proto, p->l4_len)) ? ofs : 0;
}

/* The field holds the pseudo-header's sum, so that the sum over the segment is the whole. */
static void
complete_csum(struct packet *p, unsigned ofs)
{
    uint8_t *l4 = packet_data(p) + p->l4_ofs;
    uint16_t csum = csum_finish(csum_add(0, l4, p->l4_len));

    if (!csum && ofs == offsetof(struct udp_hdr, csum_be)) {
        csum = 0xffff; /* RFC 768: zero would say "no checksum" */
    }
    memcpy(l4 + ofs, &csum, sizeof csum);
    COVERAGE_INC(packet_csum_completed);
}

bool
packet_complete_csum(struct packet *p)
{
    unsigned ofs = find_partial_csum(p);

    if (ofs) {
        complete_csum(p, ofs);
    }
    return ofs != 0;
}

bool
packet_mark_partial_csum(struct packet *p)
{
    unsigned ofs = find_partial_csum(p);

    if (ofs) {
        p->csum_ofs = (uint8_t) ofs;
        p->flags |= PACKET_CSUM_PARTIAL;
    }
    return ofs != 0;
}

void
packet_settle_csum(struct packet *p)
{
    if (p->flags & PACKET_CSUM_PARTIAL) {
        p->flags &= (uint8_t) ~PACKET_CSUM_PARTIAL;
        complete_csum(p, p->csum_ofs);
    }
}

uint8_t *
packet_l4_csum(const struct packet *p, uint8_t *proto)
{
    uint8_t *l3, *l4;
    unsigned ofs, rel;

    if (p->l3_ofs == PACKET_OFS_NONE || p->l4_ofs == PACKET_OFS_NONE ||
        p->l3_ofs >= p->l4_ofs || p->l4_ofs > p->len) {
        return NULL;
    }
    l3 = packet_data(p) + p->l3_ofs;
    l4 = packet_data(p) + p->l4_ofs;
    rel = p->l4_ofs - p->l3_ofs;
    if (l3[0] >> 4 == 4 && rel >= sizeof(struct ipv4_hdr)) {
        *proto = ((const struct ipv4_hdr *) (const void *) l3)->proto;
    } else if (l3[0] >> 4 != 6 || rel < sizeof(struct ipv6_hdr) ||
               !l4_proto_v6(l3, rel, true, proto)) {
        return NULL;
    }
    ofs = *proto == IP_PROTO_ICMP || *proto == IP_PROTO_ICMPV6
              ? offsetof(struct icmp_hdr, csum_be)
              : csum_ofs(*proto, p->len - p->l4_ofs);
    if (!ofs || p->l4_ofs + ofs + 2 > p->len ||
        (*proto == IP_PROTO_UDP && !l4[ofs] && !l4[ofs + 1])) {
        return NULL;
    }
    return l4 + ofs;
}

/* CRC32c, bit by bit (RFC 9260 appendix A): only for packets that we make. */
static uint32_t
crc32c(const uint8_t *p, size_t n)
{
    uint32_t crc = UINT32_MAX;

    while (n--) {
        crc ^= *p++;
        for (int i = 0; i < 8; i++) {
            crc = crc & 1 ? crc >> 1 ^ 0x82f63b78 : crc >> 1;
        }
    }
    return ~crc;
}

static void
fill_sctp_csum(uint8_t *l4, uint16_t len)
{
    uint32_t crc = 0;

    memcpy(l4 + offsetof(struct sctp_hdr, csum_be), &crc, sizeof crc);
    crc = crc32c(l4, len);
    for (int i = 0; i < 4; i++) {
        l4[8 + i] = (uint8_t) (crc >> 8 * i); /* least significant byte first */
    }
}

void
packet_sctp_csum(struct packet *p)
{
    if (has_whole_l4(p) && p->l4_len >= sizeof(struct sctp_hdr)) {
        fill_sctp_csum(packet_data(p) + p->l4_ofs, p->l4_len);
    }
}

static void
fill_l4_csum(const uint8_t *l3, uint8_t proto, uint8_t *l4, uint16_t len, bool partial)
{
    unsigned ofs = csum_ofs(proto, len);
    bool half = partial && ofs; /* TCP and UDP alone */
    uint32_t sum = 0;
    uint16_t csum = 0;

    if (proto == IP_PROTO_SCTP && len >= sizeof(struct sctp_hdr)) {
        fill_sctp_csum(l4, len);
        return;
    }
    if (proto == IP_PROTO_ICMP || proto == IP_PROTO_ICMPV6) {
        ofs = len >= 4 ? offsetof(struct icmp_hdr, csum_be) : 0;
    }
    if (!ofs) {
        return;
    }
    if (proto != IP_PROTO_ICMP) {
        sum = pseudo_sum(l3, proto, len);
    }
    if (half) {
        csum = csum_fold(sum);
        memcpy(l4 + ofs, &csum, sizeof csum);
        return;
    }
    memcpy(l4 + ofs, &csum, sizeof csum);
    csum = csum_finish(csum_add(sum, l4, len));
    if (!csum && proto == IP_PROTO_UDP) {
        csum = 0xffff;
    }
    memcpy(l4 + ofs, &csum, sizeof csum);
}

static void
fill_csums(struct packet *p, bool partial)
{
    uint8_t *l3, proto;

    if (p->l3_ofs == PACKET_OFS_NONE || p->l3_ofs >= p->len) {
        return;
    }
    l3 = packet_data(p) + p->l3_ofs;
    if (l3[0] >> 4 == 4) {
        struct ipv4_hdr *ip = (void *) l3;
        unsigned hlen = (ip->ver_ihl & 0xf) * 4u;

        if (hlen < sizeof *ip || p->l3_ofs + hlen > p->len) {
            return;
        }
        ip->csum_be = 0;
        ip->csum_be = csum_finish(csum_add(0, ip, hlen));
    }
    if (has_whole_l4(p) && packet_l4_proto(l3, p->l4_ofs - p->l3_ofs, &proto)) {
        fill_l4_csum(l3, proto, packet_data(p) + p->l4_ofs, p->l4_len, partial);
    }
}

void
packet_fill_csums(struct packet *p)
{
    fill_csums(p, false);
}

void
packet_fill_csums_partial(struct packet *p)
{
    fill_csums(p, true);
}
