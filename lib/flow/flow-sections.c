/* SPDX-License-Identifier: Apache-2.0 */
/* Which sections a whole, well-formed packet with a flow's types and protocols has.  For flows
 * that people write; packets say it themselves (flow-key.c). */

#include <arpa/inet.h>

#include "flow/flow.h"
#include "packet/headers.h"

#define ICMPV6_NEIGH_SOLICIT 135
#define ICMPV6_NEIGH_ADVERT 136

static uint64_t
ip_sections(const struct flow *f, bool v6)
{
    uint64_t s = FS_BIT(FS_IP) | FS_BIT(v6 ? FS_IPV6 : FS_IPV4);
    uint8_t proto = f->ip.proto;

    if (f->ip.frag & FLOW_FRAG_LATER) {
        return s;
    }
    if (proto == IP_PROTO_TCP || proto == IP_PROTO_UDP || proto == IP_PROTO_SCTP ||
        proto == (v6 ? IP_PROTO_ICMPV6 : IP_PROTO_ICMP)) {
        s |= FS_BIT(FS_L4);
    }
    if (v6 && proto == IP_PROTO_ICMPV6 && !f->l4.dst_be &&
        (f->l4.src_be == htons(ICMPV6_NEIGH_SOLICIT) ||
         f->l4.src_be == htons(ICMPV6_NEIGH_ADVERT))) {
        s |= FS_BIT(FS_ND);
    }
    return s;
}

void
flow_imply_sections(struct flow *f)
{
    f->sections = FS_BIT(FS_META) | FS_BIT(FS_ETH);
    if (f->vlan.tag[0].tci_be & htons(VLAN_CFI)) {
        f->sections |= FS_BIT(FS_VLAN);
        for (unsigned i = 0; i < FLOW_MAX_VLANS; i++) {
            if (f->vlan.tag[i].tci_be & htons(VLAN_CFI) && !f->vlan.tag[i].tpid_be) {
                f->vlan.tag[i].tpid_be = htons(ETH_TYPE_VLAN);
            }
        }
    }
    switch (ntohs(f->eth.type_be)) {
    case ETH_TYPE_IPV4:
        f->sections |= ip_sections(f, false);
        break;
    case ETH_TYPE_IPV6:
        f->sections |= ip_sections(f, true);
        break;
    case ETH_TYPE_ARP:
    case ETH_TYPE_RARP:
        f->sections |= FS_BIT(FS_ARP);
        break;
    case ETH_TYPE_MPLS:
    case ETH_TYPE_MPLS_MCAST:
        f->sections |= FS_BIT(FS_MPLS);
        break;
    default:
        break;
    }
}
