/* SPDX-License-Identifier: Apache-2.0 */
#ifndef XVS_FLOW_FLOW_PROTOCOLS_H
#define XVS_FLOW_FLOW_PROTOCOLS_H 1

/* Words of flow text that stand for an Ethernet type and an IP protocol: tcp6, arp.  Constant:
 * any thread. */

#include <stdint.h>

struct flow_protocol {
    const char *name;
    uint16_t eth_type;
    uint8_t ip_proto; /* 0: any */
};
/* NULL: no such word. */
const struct flow_protocol *flow_protocol_by_name(const char *);
/* The word that says most about packets of `eth_type`, and of `ip_proto` (0: not known); NULL
 * if there is none. */
const struct flow_protocol *flow_protocol_find(uint16_t eth_type, uint8_t ip_proto);

#endif
