/* SPDX-License-Identifier: Apache-2.0 */
#ifndef XVS_FLOW_FLOW_H
#define XVS_FLOW_FLOW_H 1

/* What a packet looks like to the switch.
 *
 * A flow is made of *sections*, one per protocol layer: each is a struct of whole 64-bit words,
 * and a packet has only some of them.  Two forms:
 *
 *   struct flow      all sections at fixed places, absent ones zero: for translation, OpenFlow
 *                    tables and text;
 *   struct flow_key  the present sections one behind the other, plus the bitmap that says
 *                    which: what the fast path extracts, hashes and compares (flow/flow-key.h).
 *
 * The bitmap is part of the match: whether a packet *has* a transport header is a property like
 * any other, so that a truncated packet can never hit a whole one's cache entry.
 *
 * `_be` members are in network byte order; everything else is in host order.  Padding is always
 * zero.  A mask has the same layout; set bits are the bits looked at. */

#include <netinet/in.h>
#include <stdbool.h>
#include <stdint.h>
#include <string.h>
#include "util/ether.h"

enum flow_section {
    FS_META, FS_ETH, FS_VLAN, FS_IP, FS_IPV4, FS_IPV6, FS_L4, FS_ARP, FS_ND, FS_MPLS,
    FS_REGS, /* pipeline only: never in a packet's key */
    FS_N
};
#define FS_BIT(S) (1u << (S))

struct flow_meta {    /* always present */
    uint32_t in_port; /* datapath port number in the datapath, OpenFlow port in tables */
    uint32_t recirc_id;
    uint32_t dp_hash;
    uint32_t skb_priority;
    uint32_t pkt_mark;
    uint32_t packet_type; /* OpenFlow packet_type; 0 = Ethernet */
};
struct flow_eth { /* always present for Ethernet */
    struct eth_addr dst, src;
    uint16_t type_be; /* behind the tags; ETH_TYPE_NONE for 802.3 without SNAP */
    uint16_t pad;
};
#define FLOW_MAX_VLANS 2
struct flow_vlan { /* present if the packet has a tag */
    struct {
        uint16_t tpid_be, tci_be; /* outermost first; VLAN_CFI set in tci = present */
    } tag[FLOW_MAX_VLANS];
};
enum { FLOW_FRAG_ANY = 1, FLOW_FRAG_LATER = 2 };
struct flow_ip { /* IPv4 and IPv6 */
    uint8_t proto, tos, ttl, frag;
    uint32_t ipv6_label_be;
};
struct flow_ipv4 {
    uint32_t src_be, dst_be;
};
struct flow_ipv6 {
    struct in6_addr src, dst;
};
struct flow_l4 { /* TCP, UDP, SCTP ports; ICMP type and code as ports: htons(type) */
    uint16_t src_be, dst_be;
    uint16_t tcp_flags_be; /* 12 bits */
    uint16_t pad;
};
struct flow_arp { /* IPv4 over Ethernet ARP and RARP */
    uint32_t spa_be, tpa_be;
    struct eth_addr sha, tha;
    uint16_t op; /* host order, 0 if > 255 */
    uint16_t pad[1];
};
struct flow_nd { /* ICMPv6 neighbour solicitation and advertisement */
    struct in6_addr target;
    struct eth_addr sll, tll;
    uint32_t reserved_be; /* the word before the target: router, solicited, override flags */
    uint8_t opt_type;     /* of the last link-layer address option; 0: there is none */
    uint8_t pad[7];
};
#define FLOW_MAX_MPLS 3
struct flow_mpls {
    uint32_t lse_be[FLOW_MAX_MPLS];
    uint32_t pad;
};
struct flow_regs {
    uint64_t metadata_be;
    uint64_t tun_id_be; /* of the tunnel that the packet came by, or is to go by; 0: none */
    uint32_t reg[16];
    uint32_t conj_id, actset_output;
};

struct flow {
    struct flow_meta meta;
    struct flow_eth eth;
    struct flow_vlan vlan;
    struct flow_ip ip;
    struct flow_ipv4 ipv4;
    struct flow_ipv6 ipv6;
    struct flow_l4 l4;
    struct flow_arp arp;
    struct flow_nd nd;
    struct flow_mpls mpls;
    struct flow_regs regs;
    uint64_t sections; /* FS_BIT()s present; in a mask: presence bits that were looked at */
};
#define FLOW_WORDS (sizeof(struct flow) / 8)
/* For walking flows and masks by words. */
typedef uint64_t __attribute__((may_alias)) flow_word;
_Static_assert(sizeof(struct flow_meta) == 24 && sizeof(struct flow_eth) == 16 &&
                   sizeof(struct flow_vlan) == 8 && sizeof(struct flow_ip) == 8 &&
                   sizeof(struct flow_ipv4) == 8 && sizeof(struct flow_ipv6) == 32 &&
                   sizeof(struct flow_l4) == 8 && sizeof(struct flow_arp) == 24 &&
                   sizeof(struct flow_nd) == 40 && sizeof(struct flow_mpls) == 16 &&
                   sizeof(struct flow_regs) == 88,
               "sections are whole words without hidden padding");

/* A mask that looks at nothing but what every datapath flow must match exactly: in_port,
 * recirc_id, packet_type, Ethernet type, fragment bits of IP, presence of all layers below the
 * transport. */
void flow_mask_init_minimal(struct flow *mask, const struct flow *);
/* Removes from `mask` everything in sections that the flow lacks, and adds the presence bit of
 * every section that was looked into (which says it all about those that are lacking). */
void flow_mask_clip(struct flow *mask, const struct flow *);
/* FS_BIT()s of the packet sections in which `mask` has a bit set. */
unsigned flow_mask_sections(const struct flow *mask);
/* Sets `sections` to what a whole packet with this Ethernet type, protocol and tags has; tags
 * without a type get 802.1Q's. */
void flow_imply_sections(struct flow *);
static inline bool flow_equal(const struct flow *a, const struct flow *b)
{
    return !memcmp(a, b, sizeof *a);
}
/* Does `f` agree with `match` in every bit of `mask`? */
bool flow_matches(const struct flow *f, const struct flow *match, const struct flow *mask);
/* 5-tuple hash for spreading over links and queues (not symmetric); fragments by their
 * addresses and protocol only, what is not IP by its Ethernet header. */
uint32_t flow_hash_5tuple(const struct flow *, uint32_t basis);

#endif
