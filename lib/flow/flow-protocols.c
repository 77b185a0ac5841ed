/* SPDX-License-Identifier: Apache-2.0 */
/* The table of protocol words, for whatever reads or writes flow text. */

#include "flow/flow-protocols.h"

#include <stddef.h>
#include <string.h>

#include "packet/headers.h"
#include "util/compiler.h"

/* Those that say more come first. */
static const struct flow_protocol protocols[] = {
    {"icmp", ETH_TYPE_IPV4, IP_PROTO_ICMP},
    {"icmp6", ETH_TYPE_IPV6, IP_PROTO_ICMPV6},
    {"tcp", ETH_TYPE_IPV4, IP_PROTO_TCP},
    {"tcp6", ETH_TYPE_IPV6, IP_PROTO_TCP},
    {"udp", ETH_TYPE_IPV4, IP_PROTO_UDP},
    {"udp6", ETH_TYPE_IPV6, IP_PROTO_UDP},
    {"sctp", ETH_TYPE_IPV4, IP_PROTO_SCTP},
    {"sctp6", ETH_TYPE_IPV6, IP_PROTO_SCTP},
    {"ip", ETH_TYPE_IPV4, 0},
    {"ipv6", ETH_TYPE_IPV6, 0},
    {"arp", ETH_TYPE_ARP, 0},
    {"rarp", ETH_TYPE_RARP, 0},
    {"mpls", ETH_TYPE_MPLS, 0},
    {"mplsm", ETH_TYPE_MPLS_MCAST, 0},
};

const struct flow_protocol *
flow_protocol_by_name(const char *name)
{
    for (size_t i = 0; i < ARRAY_SIZE(protocols); i++) {
        if (!strcmp(name, protocols[i].name)) {
            return &protocols[i];
        }
    }
    return NULL;
}

const struct flow_protocol *
flow_protocol_find(uint16_t eth_type, uint8_t ip_proto)
{
    for (size_t i = 0; i < ARRAY_SIZE(protocols); i++) {
        const struct flow_protocol *p = &protocols[i];

        if (p->eth_type == eth_type && (!p->ip_proto || p->ip_proto == ip_proto)) {
            return p;
        }
    }
    return NULL;
}
