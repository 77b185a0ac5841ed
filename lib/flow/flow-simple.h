/* SPDX-License-Identifier: Apache-2.0 */
#ifndef XVS_FLOW_FLOW_SIMPLE_H
#define XVS_FLOW_FLOW_SIMPLE_H 1

/* Simple packets: what nearly all traffic is made of, told at a glance, within the first cache
 * line.  They are IPv4 without tags, options or fragmentation, with a whole TCP or UDP header.
 * All simple packets received on one port have the same sections, FLOW_SIMPLE_SECTIONS, and the
 * same in_port, recirc_id, packet_type, eth.type and ip.frag.  So a megaflow that looks at
 * nothing else and matches one of them matches them all, without keys. */

#include <arpa/inet.h>
#include <string.h>

#include "flow/flow.h"
#include "packet/headers.h"
#include "packet/packet.h"
#include "util/compiler.h"

#define FLOW_SIMPLE_SECTIONS                                                                   \
    (FS_BIT(FS_META) | FS_BIT(FS_ETH) | FS_BIT(FS_IP) | FS_BIT(FS_IPV4) | FS_BIT(FS_L4))

/* True if the packet is a simple one.  Sets its layer offsets and l4_len then, as
 * flow_key_extract() does, and adds its TCP flags (host order) to `*tcp_flags`.  Any bytes are
 * safe.  Fast path. */
static ALWAYS_INLINE bool
flow_simple_parse(struct packet *p, uint16_t *tcp_flags)
{
    const uint32_t l3 = ETH_HDR_LEN, l4 = l3 + sizeof(struct ipv4_hdr);
    const uint8_t *data = packet_data(p);
    const struct ipv4_hdr *ip = (const void *) (data + l3);
    uint32_t n = p->len, l4_len;
    uint16_t type_be;

    if (UNLIKELY(n < l4 + sizeof(struct udp_hdr))) {
        return false;
    }
    memcpy(&type_be, data + 12, sizeof type_be);
    l4_len = ntohs(ip->tot_len_be) - (l4 - l3); /* wraps if it is less */
    if (UNLIKELY(type_be != htons(ETH_TYPE_IPV4) || ip->ver_ihl != 0x45 ||
                 ip->frag_be & htons(IPV4_FRAG_MORE | IPV4_FRAG_OFS_MASK) || l4_len > n - l4)) {
        return false;
    }
    if (ip->proto == IP_PROTO_TCP) {
        uint32_t words = l4_len < sizeof(struct tcp_hdr) ? 0 : data[l4 + 12] >> 4;

        if (UNLIKELY(words < 5 || words * 4 > l4_len)) {
            return false;
        }
        *tcp_flags |= (uint16_t) ((data[l4 + 12] & 0x0f) << 8 | data[l4 + 13]);
    } else if (UNLIKELY(ip->proto != IP_PROTO_UDP || l4_len < sizeof(struct udp_hdr))) {
        return false;
    }
    p->l2_5_ofs = PACKET_OFS_NONE;
    p->l3_ofs = (uint16_t) l3;
    p->l4_ofs = (uint16_t) l4;
    p->l4_len = (uint16_t) l4_len;
    return true;
}

#endif
