/* SPDX-License-Identifier: Apache-2.0 */
#ifndef XVS_PACKET_PACKET_OPS_H
#define XVS_PACKET_PACKET_OPS_H 1

/* Operations on packet contents.  The packet must not be shared (packet_writable() first). */

#include <arpa/inet.h>
#include <stdbool.h>
#include <stdint.h>
#include <string.h>
#include "packet/headers.h"
#include "packet/packet.h"

/* Pushes an 802.1Q/802.1ad tag (TCI with or without VLAN_CFI, which is not sent); false if the
 * frame has no headroom left or the packet no Ethernet header.  Layer offsets are adjusted. */
static inline bool packet_push_vlan(struct packet *, uint16_t tpid, uint16_t tci);
/* Removes the outermost tag, if there is one. */
static inline void packet_pop_vlan(struct packet *);
/* Overwrites the outermost tag's TCI. */
void packet_set_vlan_tci(struct packet *, uint16_t tci);

/* Completes a half-done TCP or UDP checksum: when the checksum field holds just the folded
 * pseudo-header sum, which is what Linux leaves for "hardware" (CHECKSUM_PARTIAL), computes the
 * whole one; a packet whose valid checksum equals that sum gets the same value again.  Needs
 * l3_ofs, l4_ofs, l4_len (set by flow extraction); leaves fragments and truncated packets
 * alone. Returns true when it wrote.  Reads headers only, unless the checksum is partial. */
bool packet_complete_csum(struct packet *);
/* Puts that off: sets PACKET_CSUM_PARTIAL and csum_ofs where packet_complete_csum() would find
 * a checksum to complete, and returns true then. */
bool packet_mark_partial_csum(struct packet *);
/* Completes the checksum of a packet that is marked so, and takes the mark off. */
void packet_settle_csum(struct packet *);
/* Whether packet_complete_csum() would find one to complete, of an IPv4 packet that is no
 * fragment; `csum_ofs` is that of the field in the transport header, which is whole. */
static inline bool
packet_csum_is_partial_v4(const struct packet *p, unsigned csum_ofs)
{
    const uint8_t *data = packet_data(p);
    const struct ipv4_hdr *ip = (const void *) (data + p->l3_ofs);
    uint64_t sum = (uint64_t) ip->src_be + ip->dst_be + htons(ip->proto) + htons(p->l4_len);
    uint16_t field;

    memcpy(&field, data + p->l4_ofs + csum_ofs, sizeof field);
    sum = (sum & UINT32_MAX) + (sum >> 32); /* RFC 1071: words of any width */
    sum = (sum & UINT16_MAX) + (sum >> 16);
    sum = (sum & UINT16_MAX) + (sum >> 16);
    return field == sum;
}
/* False: packet_complete_csum() would find nothing to complete, told at a glance of what most
 * packets are.  True: it knows. */
static inline bool
packet_csum_may_be_partial(const struct packet *p)
{
    uint8_t proto;

    if (p->l4_ofs == PACKET_OFS_NONE) {
        return false;
    }
    if (UNLIKELY(p->l4_ofs - p->l3_ofs != (int) sizeof(struct ipv4_hdr))) {
        return true; /* longer than IPv4 without options: a look at all headers */
    }
    proto = packet_data(p)[p->l3_ofs + offsetof(struct ipv4_hdr, proto)];
    return proto == IP_PROTO_UDP
               ? packet_csum_is_partial_v4(p, offsetof(struct udp_hdr, csum_be))
           : proto == IP_PROTO_TCP
               ? packet_csum_is_partial_v4(p, offsetof(struct tcp_hdr, csum_be))
               : false;
}
/* Recomputes IPv4 header and L4 checksums (TCP, UDP, ICMP, ICMPv6, SCTP) unconditionally, for
 * packets that we make.  Needs the offsets like packet_complete_csum(); the L4 checksum of a
 * fragment is left alone. */
void packet_fill_csums(struct packet *);
/* The same, but leaves TCP and UDP checksums half-done, for packet_complete_csum(). */
void packet_fill_csums_partial(struct packet *);

/* The transport protocol behind the IPv4 or IPv6 header at `l3`, whose transport header begins
 * `l4_rel` bytes (readable) later.  False when the headers do not lead there, or when they say
 * that it is a fragment or that it is routed via others (so that the checksum's addresses are
 * not the header's). */
bool packet_l4_proto(const uint8_t *l3, unsigned l4_rel, uint8_t *proto);

/* Pushes a label stack entry (RFC 3032) below the VLAN tags, and makes `type` (MPLS unicast or
 * multicast) the Ethernet type.  False when the frame has no headroom left or the packet no
 * Ethernet header. */
bool packet_push_mpls(struct packet *, uint16_t type, uint32_t lse_be);
/* Removes the outermost label stack entry, and makes `type` the Ethernet type.  False when
 * there is none. */
bool packet_pop_mpls(struct packet *, uint16_t type);
/* Where the transport checksum of the packet is, or NULL if there is none to keep right: no
 * transport header in this packet (later fragments), a UDP packet without checksum, another
 * protocol.  `*proto`: the protocol.  For incremental updates: also of first fragments. */
uint8_t *packet_l4_csum(const struct packet *, uint8_t *proto);
/* Computes the CRC32c of an SCTP packet anew (it knows no incremental update). */
void packet_sctp_csum(struct packet *);

/* Cuts a TCP (v4 or v6) super-frame in linear memory into packets of at most `mss` payload
 * bytes, with IP ids/lengths, sequence numbers, flags (FIN and PSH on the last, CWR on the
 * first) and checksums as RFC 9293 and Linux's GSO do; UDP super-frames (UDP_SEGMENT) likewise.
 * `l3_ofs` and `l4_ofs` are from `data`; all of `len` is packet, no padding. */
struct packet_gso {
    const uint8_t *data;
    uint32_t len;
    uint16_t l3_ofs, l4_ofs, mss;
    bool partial;        /* leave the packets' L4 checksums half-done */
    struct arena *arena; /* of the packets; NULL: the default arena */
};
/* How many packets the super-frame gives; 0 when its headers are not valid or nothing follows
 * them (then it is no super-frame). */
unsigned packet_segment_count(const struct packet_gso *);
/* The next packet.  `*pos` is the payload bytes done so far: 0 at first, advanced by each call.
 * True with a packet in `*out`, or with NULL when no frame was left for this one (a drop,
 * counted); false when all is done or the headers are not valid. */
bool packet_segment_next(const struct packet_gso *, uint32_t *pos, struct packet **out);

/* -- Inline, for those who do it packet after packet. -- */

#define PACKET_MACS_LEN 12 /* of both addresses: tags lie behind them */

static inline bool
packet_has_vlan(const struct packet *p)
{
    const struct eth_hdr *eth = (const void *) packet_data(p);

    return p->len >= ETH_HDR_LEN + VLAN_HDR_LEN &&
           (eth->type_be == htons(ETH_TYPE_VLAN) || eth->type_be == htons(ETH_TYPE_QINQ));
}

static inline bool
packet_push_vlan(struct packet *p, uint16_t tpid, uint16_t tci)
{
    const uint16_t tag[2] = {htons(tpid), htons(tci & (uint16_t) ~VLAN_CFI)};
    uint8_t macs[PACKET_MACS_LEN], *data;

    if (UNLIKELY(p->len < ETH_HDR_LEN || !packet_push(p, VLAN_HDR_LEN))) {
        return false;
    }
    data = packet_data(p);
    memcpy(macs, data + VLAN_HDR_LEN, sizeof macs); /* in registers */
    memcpy(data, macs, sizeof macs);
    memcpy(data + sizeof macs, tag, sizeof tag);
    return true;
}

static inline void
packet_pop_vlan(struct packet *p)
{
    if (LIKELY(packet_has_vlan(p))) {
        uint8_t macs[PACKET_MACS_LEN], *data = packet_data(p);

        memcpy(macs, data, sizeof macs); /* in registers */
        memcpy(data + VLAN_HDR_LEN, macs, sizeof macs);
        packet_pull(p, VLAN_HDR_LEN);
    }
}

#endif
