/* SPDX-License-Identifier: Apache-2.0 */
/* Prerequisites of match fields (OpenFlow 1.5.1 section 7.2.3.6): whether a packet or match has
 * the layer that a field belongs to.  Called from the codec on main and from translation on
 * every thread; keeps no state. */

#include "openflow/of-field.h"

#include <arpa/inet.h>
#include "packet/headers.h"

/* Ethernet type, also of a packet without Ethernet header (packet_type namespace 1). */
static uint16_t
network_type(const struct flow *flow)
{
    uint32_t pt = flow->meta.packet_type;

    return pt >> 16 == 1 ? (uint16_t) pt : ntohs(flow->eth.type_be);
}

static bool
is_ip_proto(const struct flow *flow, uint8_t proto)
{
    uint16_t type = network_type(flow);

    return (type == ETH_TYPE_IPV4 || type == ETH_TYPE_IPV6) && flow->ip.proto == proto &&
           !(flow->ip.frag & FLOW_FRAG_LATER);
}

static bool
is_icmpv6(const struct flow *flow)
{
    return network_type(flow) == ETH_TYPE_IPV6 && is_ip_proto(flow, IP_PROTO_ICMPV6);
}

static bool
is_nd(const struct flow *flow, uint16_t type)
{
    return is_icmpv6(flow) && flow->l4.src_be == htons(type) && !flow->l4.dst_be;
}

bool
of_prereq_ok(enum of_prereq prereq, const struct flow *flow)
{
    uint16_t type = network_type(flow);

    switch (prereq) {
    case OFQ_NONE:
        return true;
    case OFQ_ETH:
        return flow->meta.packet_type == 0;
    case OFQ_VLAN:
        return flow->vlan.tag[0].tci_be & htons(VLAN_CFI);
    case OFQ_MPLS:
        return type == ETH_TYPE_MPLS || type == ETH_TYPE_MPLS_MCAST;
    case OFQ_IP_ANY:
        return type == ETH_TYPE_IPV4 || type == ETH_TYPE_IPV6;
    case OFQ_IPV4:
        return type == ETH_TYPE_IPV4;
    case OFQ_IPV6:
        return type == ETH_TYPE_IPV6;
    case OFQ_ARP:
        return type == ETH_TYPE_ARP || type == ETH_TYPE_RARP;
    case OFQ_TCP:
        return is_ip_proto(flow, IP_PROTO_TCP);
    case OFQ_UDP:
        return is_ip_proto(flow, IP_PROTO_UDP);
    case OFQ_SCTP:
        return is_ip_proto(flow, IP_PROTO_SCTP);
    case OFQ_ICMPV4:
        return type == ETH_TYPE_IPV4 && is_ip_proto(flow, IP_PROTO_ICMP);
    case OFQ_ICMPV6:
        return is_icmpv6(flow);
    case OFQ_ND:
        return is_nd(flow, 135) || is_nd(flow, 136);
    case OFQ_ND_SOLICIT:
        return is_nd(flow, 135);
    case OFQ_ND_ADVERT:
        return is_nd(flow, 136);
    }
    return false;
}

void
of_field_mask_prereqs(enum of_field f, const struct flow *flow, struct flow *wc)
{
    enum of_prereq prereq = of_field_info(f)->prereq;

    switch (prereq) {
    case OFQ_NONE:
        return;
    case OFQ_VLAN:
        wc->vlan.tag[0].tci_be |= htons(VLAN_CFI);
        return;
    case OFQ_ND:
    case OFQ_ND_SOLICIT:
    case OFQ_ND_ADVERT:
        if (is_icmpv6(flow)) {
            wc->l4.src_be = wc->l4.dst_be = UINT16_MAX;
        }
        /* Fall through. */
    case OFQ_TCP:
    case OFQ_UDP:
    case OFQ_SCTP:
    case OFQ_ICMPV4:
    case OFQ_ICMPV6:
        if (of_prereq_ok(OFQ_IP_ANY, flow)) {
            wc->ip.proto = UINT8_MAX;
            wc->ip.frag |= FLOW_FRAG_LATER;
        }
        /* Fall through. */
    case OFQ_ETH:
    case OFQ_MPLS:
    case OFQ_IP_ANY:
    case OFQ_IPV4:
    case OFQ_IPV6:
    case OFQ_ARP:
    default:
        wc->meta.packet_type = UINT32_MAX;
        wc->eth.type_be = UINT16_MAX;
        return;
    }
}
