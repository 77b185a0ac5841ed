/* SPDX-License-Identifier: Apache-2.0 */
/* The table of match fields, and how to find a field in it by header or name.  Sources:
 * OpenFlow 1.5.1 section 7.2.3, ovs-fields(7).  Pure data and functions: any thread, called by
 * the decoders of matches and actions. */

#include "openflow/of-field.h"

#include <stddef.h>
#include <strings.h>
#include "util/compiler.h"

/* Header classes (OpenFlow 1.5.1 section 7.2.3.2); N: field number, L: value bytes. */
#define NXM0(N, L) OFF_HEADER(0x0000, 0, N, L)
#define NXM1(N, L) OFF_HEADER(0x0001, 0, N, L)
#define OXM(N, L) OFF_HEADER(0x8000, 0, N, L)
#define PKT_REG(N, L) OFF_HEADER(0x8001, 0, N, L)
#define ERIC(N, L) OFF_HEADER(0x1000, 0, N, L)
#define ONF(N, L) OFF_HEADER(0xffff, 0x4f4e4600, N, (L) + 4)

#define AT(MEMBER) offsetof(struct flow, MEMBER), sizeof(((struct flow *) 0)->MEMBER)

/* clang-format off: one field a line, or two. */
const struct of_field_info of_field_table[OFF_N] = {
    /* name, alias, nxm_name, oxm_name, nxm, oxm, oxm_version, n_bytes, n_bits, maskable,
     * writable, prereq, place, ofs, size, shift */
    [OFF_IN_PORT] = {"in_port", NULL, "NXM_OF_IN_PORT", NULL, NXM0(0, 2), 0, 0, 2, 16, false,
                     true, OFQ_NONE, OFL_HOST, AT(meta.in_port), 0},
    [OFF_IN_PORT_OXM] = {"in_port_oxm", NULL, NULL, "OXM_OF_IN_PORT", 0, OXM(0, 4), 3, 4, 32,
                         false, true, OFQ_NONE, OFL_PORT, AT(meta.in_port), 0},
    [OFF_ACTSET_OUTPUT] = {"actset_output", NULL, "ONFOXM_ET_ACTSET_OUTPUT",
                           "OXM_OF_ACTSET_OUTPUT", ONF(43, 4), OXM(43, 4), 6, 4, 32, false,
                           false, OFQ_NONE, OFL_PORT, AT(regs.actset_output), 0},
    [OFF_PACKET_TYPE] = {"packet_type", NULL, NULL, "OXM_OF_PACKET_TYPE", 0, OXM(44, 4), 6, 4,
                         32, false, false, OFQ_NONE, OFL_HOST, AT(meta.packet_type), 0},
    [OFF_SKB_PRIORITY] = {"skb_priority", NULL, NULL, NULL, 0, 0, 0, 4, 32, false, false,
                          OFQ_NONE, OFL_HOST, AT(meta.skb_priority), 0},
    [OFF_PKT_MARK] = {"pkt_mark", NULL, "NXM_NX_PKT_MARK", NULL, NXM1(33, 4), 0, 0, 4, 32, true,
                      true, OFQ_NONE, OFL_HOST, AT(meta.pkt_mark), 0},
    [OFF_RECIRC_ID] = {"recirc_id", NULL, "NXM_NX_RECIRC_ID", NULL, NXM1(36, 4), 0, 0, 4, 32,
                       false, false, OFQ_NONE, OFL_HOST, AT(meta.recirc_id), 0},
    [OFF_DP_HASH] = {"dp_hash", NULL, "NXM_NX_DP_HASH", NULL, NXM1(35, 4), 0, 0, 4, 32, true,
                     false, OFQ_NONE, OFL_HOST, AT(meta.dp_hash), 0},
    [OFF_CONJ_ID] = {"conj_id", NULL, "NXM_NX_CONJ_ID", NULL, NXM1(37, 4), 0, 0, 4, 32, false,
                     false, OFQ_NONE, OFL_HOST, AT(regs.conj_id), 0},
    [OFF_METADATA] = {"metadata", NULL, NULL, "OXM_OF_METADATA", 0, OXM(2, 8), 3, 8, 64, true,
                      true, OFQ_NONE, OFL_BE, AT(regs.metadata_be), 0},
    [OFF_TUN_ID] = {"tun_id", "tunnel_id", "NXM_NX_TUN_ID", "OXM_OF_TUNNEL_ID", NXM1(16, 8),
                    OXM(38, 8), 4, 8, 64, true, true, OFQ_NONE, OFL_BE, AT(regs.tun_id_be), 0},
    [OFF_REG0] = {"reg0", NULL, "NXM_NX_REG0", NULL, NXM1(0, 4), 0, 0, 4, 32, true, true,
                  OFQ_NONE, OFL_REGS, AT(regs.reg[0]), 0},
    [OFF_REG0 + 1] = {"reg1", NULL, "NXM_NX_REG1", NULL, NXM1(1, 4), 0, 0, 4, 32, true, true,
                      OFQ_NONE, OFL_REGS, AT(regs.reg[1]), 0},
    [OFF_REG0 + 2] = {"reg2", NULL, "NXM_NX_REG2", NULL, NXM1(2, 4), 0, 0, 4, 32, true, true,
                      OFQ_NONE, OFL_REGS, AT(regs.reg[2]), 0},
    [OFF_REG0 + 3] = {"reg3", NULL, "NXM_NX_REG3", NULL, NXM1(3, 4), 0, 0, 4, 32, true, true,
                      OFQ_NONE, OFL_REGS, AT(regs.reg[3]), 0},
    [OFF_REG0 + 4] = {"reg4", NULL, "NXM_NX_REG4", NULL, NXM1(4, 4), 0, 0, 4, 32, true, true,
                      OFQ_NONE, OFL_REGS, AT(regs.reg[4]), 0},
    [OFF_REG0 + 5] = {"reg5", NULL, "NXM_NX_REG5", NULL, NXM1(5, 4), 0, 0, 4, 32, true, true,
                      OFQ_NONE, OFL_REGS, AT(regs.reg[5]), 0},
    [OFF_REG0 + 6] = {"reg6", NULL, "NXM_NX_REG6", NULL, NXM1(6, 4), 0, 0, 4, 32, true, true,
                      OFQ_NONE, OFL_REGS, AT(regs.reg[6]), 0},
    [OFF_REG0 + 7] = {"reg7", NULL, "NXM_NX_REG7", NULL, NXM1(7, 4), 0, 0, 4, 32, true, true,
                      OFQ_NONE, OFL_REGS, AT(regs.reg[7]), 0},
    [OFF_REG0 + 8] = {"reg8", NULL, "NXM_NX_REG8", NULL, NXM1(8, 4), 0, 0, 4, 32, true, true,
                      OFQ_NONE, OFL_REGS, AT(regs.reg[8]), 0},
    [OFF_REG0 + 9] = {"reg9", NULL, "NXM_NX_REG9", NULL, NXM1(9, 4), 0, 0, 4, 32, true, true,
                      OFQ_NONE, OFL_REGS, AT(regs.reg[9]), 0},
    [OFF_REG0 + 10] = {"reg10", NULL, "NXM_NX_REG10", NULL, NXM1(10, 4), 0, 0, 4, 32, true,
                       true, OFQ_NONE, OFL_REGS, AT(regs.reg[10]), 0},
    [OFF_REG0 + 11] = {"reg11", NULL, "NXM_NX_REG11", NULL, NXM1(11, 4), 0, 0, 4, 32, true,
                       true, OFQ_NONE, OFL_REGS, AT(regs.reg[11]), 0},
    [OFF_REG0 + 12] = {"reg12", NULL, "NXM_NX_REG12", NULL, NXM1(12, 4), 0, 0, 4, 32, true,
                       true, OFQ_NONE, OFL_REGS, AT(regs.reg[12]), 0},
    [OFF_REG0 + 13] = {"reg13", NULL, "NXM_NX_REG13", NULL, NXM1(13, 4), 0, 0, 4, 32, true,
                       true, OFQ_NONE, OFL_REGS, AT(regs.reg[13]), 0},
    [OFF_REG0 + 14] = {"reg14", NULL, "NXM_NX_REG14", NULL, NXM1(14, 4), 0, 0, 4, 32, true,
                       true, OFQ_NONE, OFL_REGS, AT(regs.reg[14]), 0},
    [OFF_REG0 + 15] = {"reg15", NULL, "NXM_NX_REG15", NULL, NXM1(15, 4), 0, 0, 4, 32, true,
                       true, OFQ_NONE, OFL_REGS, AT(regs.reg[15]), 0},
    [OFF_XREG0] = {"xreg0", NULL, NULL, "OXM_OF_PKT_REG0", 0, PKT_REG(0, 8), 4, 8, 64, true,
                   true, OFQ_NONE, OFL_REGS, AT(regs.reg[0]), 0},
    [OFF_XREG0 + 1] = {"xreg1", NULL, NULL, "OXM_OF_PKT_REG1", 0, PKT_REG(1, 8), 4, 8, 64, true,
                       true, OFQ_NONE, OFL_REGS, AT(regs.reg[2]), 0},
    [OFF_XREG0 + 2] = {"xreg2", NULL, NULL, "OXM_OF_PKT_REG2", 0, PKT_REG(2, 8), 4, 8, 64, true,
                       true, OFQ_NONE, OFL_REGS, AT(regs.reg[4]), 0},
    [OFF_XREG0 + 3] = {"xreg3", NULL, NULL, "OXM_OF_PKT_REG3", 0, PKT_REG(3, 8), 4, 8, 64, true,
                       true, OFQ_NONE, OFL_REGS, AT(regs.reg[6]), 0},
    [OFF_XREG0 + 4] = {"xreg4", NULL, NULL, "OXM_OF_PKT_REG4", 0, PKT_REG(4, 8), 4, 8, 64, true,
                       true, OFQ_NONE, OFL_REGS, AT(regs.reg[8]), 0},
    [OFF_XREG0 + 5] = {"xreg5", NULL, NULL, "OXM_OF_PKT_REG5", 0, PKT_REG(5, 8), 4, 8, 64, true,
                       true, OFQ_NONE, OFL_REGS, AT(regs.reg[10]), 0},
    [OFF_XREG0 + 6] = {"xreg6", NULL, NULL, "OXM_OF_PKT_REG6", 0, PKT_REG(6, 8), 4, 8, 64, true,
                       true, OFQ_NONE, OFL_REGS, AT(regs.reg[12]), 0},
    [OFF_XREG0 + 7] = {"xreg7", NULL, NULL, "OXM_OF_PKT_REG7", 0, PKT_REG(7, 8), 4, 8, 64, true,
                       true, OFQ_NONE, OFL_REGS, AT(regs.reg[14]), 0},
    [OFF_XXREG0] = {"xxreg0", NULL, "NXM_NX_XXREG0", NULL, NXM1(111, 16), 0, 0, 16, 128, true,
                    true, OFQ_NONE, OFL_REGS, AT(regs.reg[0]), 0},
    [OFF_XXREG0 + 1] = {"xxreg1", NULL, "NXM_NX_XXREG1", NULL, NXM1(112, 16), 0, 0, 16, 128,
                        true, true, OFQ_NONE, OFL_REGS, AT(regs.reg[4]), 0},
    [OFF_XXREG0 + 2] = {"xxreg2", NULL, "NXM_NX_XXREG2", NULL, NXM1(113, 16), 0, 0, 16, 128,
                        true, true, OFQ_NONE, OFL_REGS, AT(regs.reg[8]), 0},
    [OFF_XXREG0 + 3] = {"xxreg3", NULL, "NXM_NX_XXREG3", NULL, NXM1(114, 16), 0, 0, 16, 128,
                        true, true, OFQ_NONE, OFL_REGS, AT(regs.reg[12]), 0},
    [OFF_ETH_SRC] = {"eth_src", "dl_src", "NXM_OF_ETH_SRC", "OXM_OF_ETH_SRC", NXM0(2, 6),
                     OXM(4, 6), 3, 6, 48, true, true, OFQ_ETH, OFL_BYTES, AT(eth.src), 0},
    [OFF_ETH_DST] = {"eth_dst", "dl_dst", "NXM_OF_ETH_DST", "OXM_OF_ETH_DST", NXM0(1, 6),
                     OXM(3, 6), 3, 6, 48, true, true, OFQ_ETH, OFL_BYTES, AT(eth.dst), 0},
    [OFF_ETH_TYPE] = {"eth_type", "dl_type", "NXM_OF_ETH_TYPE", "OXM_OF_ETH_TYPE", NXM0(3, 2),
                      OXM(5, 2), 3, 2, 16, false, false, OFQ_ETH, OFL_BE, AT(eth.type_be), 0},
    [OFF_VLAN_TCI] = {"vlan_tci", NULL, "NXM_OF_VLAN_TCI", NULL, NXM0(4, 2), 0, 0, 2, 16, true,
                      true, OFQ_ETH, OFL_BE, AT(vlan.tag[0].tci_be), 0},
    [OFF_DL_VLAN] = {"dl_vlan", NULL, NULL, NULL, 0, 0, 0, 2, 12, false, true, OFQ_ETH, OFL_BE,
                     AT(vlan.tag[0].tci_be), 0},
    [OFF_VLAN_VID] = {"vlan_vid", NULL, NULL, "OXM_OF_VLAN_VID", 0, OXM(6, 2), 3, 2, 12, true,
                      true, OFQ_ETH, OFL_BE, AT(vlan.tag[0].tci_be), 0},
    [OFF_DL_VLAN_PCP] = {"dl_vlan_pcp", NULL, NULL, NULL, 0, 0, 0, 1, 3, false, true, OFQ_ETH,
                         OFL_BE, AT(vlan.tag[0].tci_be), 13},
    [OFF_VLAN_PCP] = {"vlan_pcp", NULL, NULL, "OXM_OF_VLAN_PCP", 0, OXM(7, 1), 3, 1, 3, false,
                      true, OFQ_VLAN, OFL_BE, AT(vlan.tag[0].tci_be), 13},
    [OFF_MPLS_LABEL] = {"mpls_label", NULL, NULL, "OXM_OF_MPLS_LABEL", 0, OXM(34, 4), 3, 4, 20,
                        false, true, OFQ_MPLS, OFL_BE, AT(mpls.lse_be[0]), 12},
    [OFF_MPLS_TC] = {"mpls_tc", NULL, NULL, "OXM_OF_MPLS_TC", 0, OXM(35, 1), 3, 1, 3, false,
                     true, OFQ_MPLS, OFL_BE, AT(mpls.lse_be[0]), 9},
    [OFF_MPLS_BOS] = {"mpls_bos", NULL, NULL, "OXM_OF_MPLS_BOS", 0, OXM(36, 1), 4, 1, 1, false,
                      false, OFQ_MPLS, OFL_BE, AT(mpls.lse_be[0]), 8},
    [OFF_MPLS_TTL] = {"mpls_ttl", NULL, "NXM_NX_MPLS_TTL", NULL, NXM1(30, 1), 0, 0, 1, 8, false,
                      true, OFQ_MPLS, OFL_BE, AT(mpls.lse_be[0]), 0},
    [OFF_IPV4_SRC] = {"ip_src", "nw_src", "NXM_OF_IP_SRC", "OXM_OF_IPV4_SRC", NXM0(7, 4),
                      OXM(11, 4), 3, 4, 32, true, true, OFQ_IPV4, OFL_BYTES, AT(ipv4.src_be),
                      0},
    [OFF_IPV4_DST] = {"ip_dst", "nw_dst", "NXM_OF_IP_DST", "OXM_OF_IPV4_DST", NXM0(8, 4),
                      OXM(12, 4), 3, 4, 32, true, true, OFQ_IPV4, OFL_BYTES, AT(ipv4.dst_be),
                      0},
    [OFF_IPV6_SRC] = {"ipv6_src", NULL, "NXM_NX_IPV6_SRC", "OXM_OF_IPV6_SRC", NXM1(19, 16),
                      OXM(26, 16), 3, 16, 128, true, true, OFQ_IPV6, OFL_BYTES, AT(ipv6.src),
                      0},
    [OFF_IPV6_DST] = {"ipv6_dst", NULL, "NXM_NX_IPV6_DST", "OXM_OF_IPV6_DST", NXM1(20, 16),
                      OXM(27, 16), 3, 16, 128, true, true, OFQ_IPV6, OFL_BYTES, AT(ipv6.dst),
                      0},
    [OFF_IPV6_LABEL] = {"ipv6_label", NULL, "NXM_NX_IPV6_LABEL", "OXM_OF_IPV6_FLABEL",
                        NXM1(27, 4), OXM(28, 4), 3, 4, 20, true, true, OFQ_IPV6, OFL_BE,
                        AT(ip.ipv6_label_be), 0},
    [OFF_IP_PROTO] = {"nw_proto", "ip_proto", "NXM_OF_IP_PROTO", "OXM_OF_IP_PROTO", NXM0(6, 1),
                      OXM(10, 1), 3, 1, 8, false, false, OFQ_IP_ANY, OFL_HOST, AT(ip.proto), 0},
    [OFF_IP_TOS] = {"nw_tos", NULL, "NXM_OF_IP_TOS", NULL, NXM0(5, 1), 0, 0, 1, 8, false, true,
                    OFQ_IP_ANY, OFL_HOST, AT(ip.tos), 0},
    [OFF_IP_DSCP] = {"ip_dscp", NULL, NULL, "OXM_OF_IP_DSCP", 0, OXM(8, 1), 3, 1, 6, false,
                     true, OFQ_IP_ANY, OFL_HOST, AT(ip.tos), 2},
    [OFF_IP_ECN] = {"nw_ecn", "ip_ecn", "NXM_NX_IP_ECN", "OXM_OF_IP_ECN", NXM1(28, 1),
                    OXM(9, 1), 3, 1, 2, false, true, OFQ_IP_ANY, OFL_HOST, AT(ip.tos), 0},
    [OFF_IP_TTL] = {"nw_ttl", NULL, "NXM_NX_IP_TTL", NULL, NXM1(29, 1), 0, 0, 1, 8, false, true,
                    OFQ_IP_ANY, OFL_HOST, AT(ip.ttl), 0},
    [OFF_IP_FRAG] = {"ip_frag", "nw_frag", "NXM_NX_IP_FRAG", NULL, NXM1(26, 1), 0, 0, 1, 2,
                     true, false, OFQ_IP_ANY, OFL_HOST, AT(ip.frag), 0},
    [OFF_ARP_OP] = {"arp_op", NULL, "NXM_OF_ARP_OP", "OXM_OF_ARP_OP", NXM0(15, 2), OXM(21, 2),
                    3, 2, 16, false, true, OFQ_ARP, OFL_HOST, AT(arp.op), 0},
    [OFF_ARP_SPA] = {"arp_spa", NULL, "NXM_OF_ARP_SPA", "OXM_OF_ARP_SPA", NXM0(16, 4),
                     OXM(22, 4), 3, 4, 32, true, true, OFQ_ARP, OFL_BYTES, AT(arp.spa_be), 0},
    [OFF_ARP_TPA] = {"arp_tpa", NULL, "NXM_OF_ARP_TPA", "OXM_OF_ARP_TPA", NXM0(17, 4),
                     OXM(23, 4), 3, 4, 32, true, true, OFQ_ARP, OFL_BYTES, AT(arp.tpa_be), 0},
    [OFF_ARP_SHA] = {"arp_sha", NULL, "NXM_NX_ARP_SHA", "OXM_OF_ARP_SHA", NXM1(17, 6),
                     OXM(24, 6), 3, 6, 48, true, true, OFQ_ARP, OFL_BYTES, AT(arp.sha), 0},
    [OFF_ARP_THA] = {"arp_tha", NULL, "NXM_NX_ARP_THA", "OXM_OF_ARP_THA", NXM1(18, 6),
                     OXM(25, 6), 3, 6, 48, true, true, OFQ_ARP, OFL_BYTES, AT(arp.tha), 0},
    [OFF_TCP_SRC] = {"tcp_src", "tp_src", "NXM_OF_TCP_SRC", "OXM_OF_TCP_SRC", NXM0(9, 2),
                     OXM(13, 2), 3, 2, 16, true, true, OFQ_TCP, OFL_BE, AT(l4.src_be), 0},
    [OFF_TCP_DST] = {"tcp_dst", "tp_dst", "NXM_OF_TCP_DST", "OXM_OF_TCP_DST", NXM0(10, 2),
                     OXM(14, 2), 3, 2, 16, true, true, OFQ_TCP, OFL_BE, AT(l4.dst_be), 0},
    [OFF_UDP_SRC] = {"udp_src", NULL, "NXM_OF_UDP_SRC", "OXM_OF_UDP_SRC", NXM0(11, 2),
                     OXM(15, 2), 3, 2, 16, true, true, OFQ_UDP, OFL_BE, AT(l4.src_be), 0},
    [OFF_UDP_DST] = {"udp_dst", NULL, "NXM_OF_UDP_DST", "OXM_OF_UDP_DST", NXM0(12, 2),
                     OXM(16, 2), 3, 2, 16, true, true, OFQ_UDP, OFL_BE, AT(l4.dst_be), 0},
    [OFF_SCTP_SRC] = {"sctp_src", NULL, NULL, "OXM_OF_SCTP_SRC", 0, OXM(17, 2), 3, 2, 16, true,
                      true, OFQ_SCTP, OFL_BE, AT(l4.src_be), 0},
    [OFF_SCTP_DST] = {"sctp_dst", NULL, NULL, "OXM_OF_SCTP_DST", 0, OXM(18, 2), 3, 2, 16, true,
                      true, OFQ_SCTP, OFL_BE, AT(l4.dst_be), 0},
    [OFF_TCP_FLAGS] = {"tcp_flags", NULL, "NXM_NX_TCP_FLAGS", "OXM_OF_TCP_FLAGS", NXM1(34, 2),
                       OXM(42, 2), 6, 2, 12, true, false, OFQ_TCP, OFL_BE, AT(l4.tcp_flags_be),
                       0},
    [OFF_ICMPV4_TYPE] = {"icmp_type", NULL, "NXM_OF_ICMP_TYPE", "OXM_OF_ICMPV4_TYPE",
                         NXM0(13, 1), OXM(19, 1), 3, 1, 8, false, true, OFQ_ICMPV4, OFL_BE,
                         AT(l4.src_be), 0},
    [OFF_ICMPV4_CODE] = {"icmp_code", NULL, "NXM_OF_ICMP_CODE", "OXM_OF_ICMPV4_CODE",
                         NXM0(14, 1), OXM(20, 1), 3, 1, 8, false, true, OFQ_ICMPV4, OFL_BE,
                         AT(l4.dst_be), 0},
    [OFF_ICMPV6_TYPE] = {"icmpv6_type", NULL, "NXM_NX_ICMPV6_TYPE", "OXM_OF_ICMPV6_TYPE",
                         NXM1(21, 1), OXM(29, 1), 3, 1, 8, false, true, OFQ_ICMPV6, OFL_BE,
                         AT(l4.src_be), 0},
    [OFF_ICMPV6_CODE] = {"icmpv6_code", NULL, "NXM_NX_ICMPV6_CODE", "OXM_OF_ICMPV6_CODE",
                         NXM1(22, 1), OXM(30, 1), 3, 1, 8, false, true, OFQ_ICMPV6, OFL_BE,
                         AT(l4.dst_be), 0},
    [OFF_ND_TARGET] = {"nd_target", NULL, "NXM_NX_ND_TARGET", "OXM_OF_IPV6_ND_TARGET",
                       NXM1(23, 16), OXM(31, 16), 3, 16, 128, true, true, OFQ_ND, OFL_BYTES,
                       AT(nd.target), 0},
    [OFF_ND_SLL] = {"nd_sll", NULL, "NXM_NX_ND_SLL", "OXM_OF_IPV6_ND_SLL", NXM1(24, 6),
                    OXM(32, 6), 3, 6, 48, true, true, OFQ_ND_SOLICIT, OFL_BYTES, AT(nd.sll), 0},
    [OFF_ND_TLL] = {"nd_tll", NULL, "NXM_NX_ND_TLL", "OXM_OF_IPV6_ND_TLL", NXM1(25, 6),
                    OXM(33, 6), 3, 6, 48, true, true, OFQ_ND_ADVERT, OFL_BYTES, AT(nd.tll), 0},
    [OFF_ND_RESERVED] = {"nd_reserved", NULL, "ERICOXM_OF_ICMPV6_ND_RESERVED", NULL,
                         ERIC(1, 4), 0, 0, 4, 32, false, true, OFQ_ND, OFL_BE,
                         AT(nd.reserved_be), 0},
    [OFF_ND_OPTIONS_TYPE] = {"nd_options_type", NULL, "ERICOXM_OF_ICMPV6_ND_OPTIONS_TYPE", NULL,
                             ERIC(2, 1), 0, 0, 1, 8, false, true, OFQ_ND, OFL_BYTES,
                             AT(nd.opt_type), 0},
};
/* clang-format on */

/* Further headers of fields that have three. */
static const struct {
    uint64_t header;
    uint16_t field;
    uint8_t first, last; /* versions in which it is sent */
} extra_headers[] = {
    {ONF(42, 2), OFF_TCP_FLAGS, 4, 5},
};

enum of_field
of_field_by_header(uint64_t header)
{
    uint64_t h = header & ~OFF_HEADER_MASK_BIT;
    unsigned len = h & 0xff, extra = h >> 48 == 0xffff ? 4 : 0;

    if (header & OFF_HEADER_MASK_BIT) { /* the length counts value and mask */
        len = (len - extra) / 2 + extra;
        if ((h & 0xff) != 2 * (len - extra) + extra) {
            return OFF_N;
        }
        h = (h & ~(uint64_t) 0xff) | len;
    }
    for (unsigned f = 0; f < OFF_N; f++) {
        if (h == of_field_table[f].nxm || h == of_field_table[f].oxm) {
            /* Header 0 is no field; NXM_OF_IN_PORT's number is 0 but its length is not. */
            return h ? (enum of_field) f : OFF_N;
        }
    }
    for (unsigned i = 0; i < ARRAY_SIZE(extra_headers); i++) {
        if (h == extra_headers[i].header) {
            return (enum of_field) extra_headers[i].field;
        }
    }
    return OFF_N;
}

static bool
same_name(const char *s, const char *name, size_t len)
{
    return s && strlen(s) == len && !strncasecmp(s, name, len);
}

enum of_field
of_field_by_name(const char *name, size_t len)
{
    static const struct {
        const char *name;
        enum of_field field;
    } others[] = {
        {"ONFOXM_ET_TCP_FLAGS", OFF_TCP_FLAGS},
    };

    for (unsigned f = 0; f < OFF_N; f++) {
        const struct of_field_info *i = &of_field_table[f];

        if (same_name(i->name, name, len) || same_name(i->alias, name, len) ||
            same_name(i->nxm_name, name, len) || same_name(i->oxm_name, name, len)) {
            return (enum of_field) f;
        }
    }
    for (unsigned i = 0; i < ARRAY_SIZE(others); i++) {
        if (same_name(others[i].name, name, len)) {
            return others[i].field;
        }
    }
    return OFF_N;
}

uint64_t
of_field_header(enum of_field f, uint8_t version)
{
    const struct of_field_info *i = &of_field_table[f];

    for (unsigned e = 0; e < ARRAY_SIZE(extra_headers); e++) {
        if (extra_headers[e].field == f && version >= extra_headers[e].first &&
            version <= extra_headers[e].last) {
            return extra_headers[e].header;
        }
    }
    if (i->oxm && (!i->nxm || (version && version >= i->oxm_version))) {
        return i->oxm;
    }
    return i->nxm;
}

const char *
of_field_wire_name(enum of_field f)
{
    const struct of_field_info *i = &of_field_table[f];

    return i->nxm_name ? i->nxm_name : i->oxm_name ? i->oxm_name : i->name;
}
