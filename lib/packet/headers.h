/* SPDX-License-Identifier: Apache-2.0 */
#ifndef XVS_PACKET_HEADERS_H
#define XVS_PACKET_HEADERS_H 1

/* Wire layouts.  All are packed: data may lie at any alignment. */

#include <stdint.h>
#include "util/ether.h"

#define ETH_TYPE_IPV4 0x0800
#define ETH_TYPE_ARP 0x0806
#define ETH_TYPE_RARP 0x8035
#define ETH_TYPE_VLAN 0x8100        /* IEEE 802.1Q */
#define ETH_TYPE_QINQ 0x88a8        /* IEEE 802.1ad */
#define ETH_TYPE_IPV6 0x86dd
#define ETH_TYPE_MPLS 0x8847
#define ETH_TYPE_MPLS_MCAST 0x8848
#define ETH_TYPE_MIN 0x600          /* below: an 802.3 length */
#define ETH_TYPE_NONE 0x05ff        /* OpenFlow's "no Ethernet type" (802.3 without SNAP) */
#define ETH_HDR_LEN 14
#define VLAN_HDR_LEN 4
#define VLAN_CFI 0x1000             /* in matches: "a tag is present" */
#define VLAN_VID_MASK 0x0fff
#define VLAN_PCP_MASK 0xe000
#define VLAN_PCP_SHIFT 13

#define IP_PROTO_ICMP 1
#define IP_PROTO_IGMP 2
#define IP_PROTO_TCP 6
#define IP_PROTO_UDP 17
#define IP_PROTO_ICMPV6 58
#define IP_PROTO_SCTP 132

struct eth_hdr {
    struct eth_addr dst, src;
    uint16_t type_be;
} __attribute__((packed));
struct vlan_hdr {                    /* follows the TPID that is the outer header's type */
    uint16_t tci_be;
    uint16_t type_be;
} __attribute__((packed));
struct ipv4_hdr {                    /* RFC 791 */
    uint8_t ver_ihl, tos;
    uint16_t tot_len_be, id_be, frag_be;
    uint8_t ttl, proto;
    uint16_t csum_be;
    uint32_t src_be, dst_be;
} __attribute__((packed));
#define IPV4_FRAG_MORE 0x2000
#define IPV4_FRAG_OFS_MASK 0x1fff
struct ipv6_hdr {                    /* RFC 8200 */
    uint32_t flow_be;
    uint16_t plen_be;
    uint8_t next, hlimit;
    uint8_t src[16], dst[16];
} __attribute__((packed));
struct arp_hdr {                     /* RFC 826, Ethernet and IPv4 */
    uint16_t hrd_be, pro_be;
    uint8_t hln, pln;
    uint16_t op_be;
    struct eth_addr sha;
    uint32_t spa_be;
    struct eth_addr tha;
    uint32_t tpa_be;
} __attribute__((packed));
struct tcp_hdr {                     /* RFC 9293 */
    uint16_t src_be, dst_be;
    uint32_t seq_be, ack_be;
    uint16_t ctl_be;                 /* data offset << 12 | flags */
    uint16_t win_be, csum_be, urg_be;
} __attribute__((packed));
struct udp_hdr {
    uint16_t src_be, dst_be, len_be, csum_be;
} __attribute__((packed));
struct icmp_hdr {
    uint8_t type, code;
    uint16_t csum_be;
    uint32_t rest_be;
} __attribute__((packed));
/* Link-layer address options of neighbour discovery (RFC 4861 section 4.6.1). */
#define ND_OPT_SLL 1
#define ND_OPT_TLL 2
struct sctp_hdr {
    uint16_t src_be, dst_be;
    uint32_t vtag_be, csum_be;
} __attribute__((packed));

#endif
