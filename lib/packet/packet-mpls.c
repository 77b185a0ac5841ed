/* SPDX-License-Identifier: Apache-2.0 */
/* Label stack entries pushed and popped (RFC 3032; OpenFlow 1.3.5, 5.12).  Called by datapath
 * threads while they execute actions; parses the Ethernet header by itself, for a list may
 * change it several times. */

#include <arpa/inet.h>

#include "packet/headers.h"
#include "packet/packet-ops.h"

#define LSE_LEN 4
#define LSE_BOS 0x100u /* bottom of stack */

/* Bytes of the Ethernet header with its tags; 0 if the packet is shorter. */
static uint16_t
l2_len(const struct packet *p, uint16_t *type)
{
    uint16_t len = ETH_HDR_LEN, type_be;

    for (;;) {
        if (len > p->len) {
            return 0;
        }
        memcpy(&type_be, packet_data(p) + len - 2, sizeof type_be);
        *type = ntohs(type_be);
        if (*type != ETH_TYPE_VLAN && *type != ETH_TYPE_QINQ) {
            return len;
        }
        len += VLAN_HDR_LEN;
    }
}

static void
set_type(struct packet *p, uint16_t l2, uint16_t type)
{
    const uint16_t type_be = htons(type);

    memcpy(packet_data(p) + l2 - 2, &type_be, sizeof type_be);
}

bool
packet_push_mpls(struct packet *p, uint16_t type, uint32_t lse_be)
{
    uint16_t old, l2 = l2_len(p, &old);

    if (!l2 || !packet_push(p, LSE_LEN)) {
        return false;
    }
    memmove(packet_data(p), packet_data(p) + LSE_LEN, l2);
    memcpy(packet_data(p) + l2, &lse_be, sizeof lse_be);
    set_type(p, l2, type);
    p->l2_5_ofs = l2;
    return true;
}

bool
packet_pop_mpls(struct packet *p, uint16_t type)
{
    uint16_t old, l2 = l2_len(p, &old);
    uint32_t lse_be;

    if (!l2 || (old != ETH_TYPE_MPLS && old != ETH_TYPE_MPLS_MCAST) || l2 + LSE_LEN > p->len) {
        return false;
    }
    memcpy(&lse_be, packet_data(p) + l2, sizeof lse_be);
    set_type(p, l2, type);
    memmove(packet_data(p) + LSE_LEN, packet_data(p), l2);
    packet_pull(p, LSE_LEN);
    p->l2_5_ofs = lse_be & htonl(LSE_BOS) ? PACKET_OFS_NONE : l2;
    return true;
}
