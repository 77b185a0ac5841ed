/* SPDX-License-Identifier: Apache-2.0 */

/* Does in software what the sender left to the hardware that a packet socket has not:
 * checksums. Called by the receive side of AF_PACKET ports.  The virtio-net header (VIRTIO 1.2,
 * section 5.1.6) comes from the kernel, but its offsets are checked against the packet all the
 * same. */

#include <arpa/inet.h>

#include "netdev/system/system-private.h"
#include "packet/headers.h"
#include "packet/packet-ops.h"
#include "util/csum.h"

#define SCTP_CSUM_OFS 8
#define UDP_CSUM_OFS 6

uint16_t
system_l3_offset(const uint8_t *data, uint32_t len)
{
    uint32_t ofs = ETH_HDR_LEN;
    for (unsigned tags = 0; ofs + 1 < len && tags < 3; tags++) {
        uint16_t type = (uint16_t) (data[ofs - 2] << 8 | data[ofs - 1]);
        if (type != ETH_TYPE_VLAN && type != ETH_TYPE_QINQ) {
            return type == ETH_TYPE_IPV4 || type == ETH_TYPE_IPV6 ? (uint16_t) ofs : 0;
        }
        ofs += VLAN_HDR_LEN;
    }
    return 0;
}

/* RFC 9260, appendix A: the reflected polynomial of Castagnoli; the sum is stored with its
 * least significant byte first. */
static uint32_t
crc32c(const uint8_t *data, uint32_t len)
{
    uint32_t crc = UINT32_MAX;
    for (uint32_t i = 0; i < len; i++) {
        crc ^= data[i];
        for (unsigned bit = 0; bit < 8; bit++) {
            crc = crc >> 1 ^ (crc & 1 ? 0x82f63b78u : 0);
        }
    }
    return ~crc;
}

static bool
is_sctp(const uint8_t *data, uint32_t len, uint32_t l4_ofs)
{
    uint16_t l3 = system_l3_offset(data, len);
    uint8_t proto;
    return l3 && l3 < l4_ofs && packet_l4_proto(data + l3, l4_ofs - l3, &proto) &&
           proto == IP_PROTO_SCTP;
}

bool
system_complete_csum(const struct virtio_net_hdr *h, uint8_t *data, uint32_t len)
{
    uint32_t start = h->csum_start, at = start + h->csum_offset;
    if (start < ETH_HDR_LEN || at + 2 > len) {
        return false;
    }
    if (h->csum_offset == SCTP_CSUM_OFS && is_sctp(data, len, start)) {
        if (at + 4 > len) {
            return false;
        }
        memset(data + at, 0, 4);
        uint32_t crc = crc32c(data + start, len - start);
        for (unsigned i = 0; i < 4; i++) {
            data[at + i] = (uint8_t) (crc >> 8 * i);
        }
        return true;
    }
    /* The field holds the pseudo-header's sum, which so becomes part of the whole. */
    uint16_t csum = csum_finish(csum_add(0, data + start, len - start));
    if (!csum && h->csum_offset == UDP_CSUM_OFS) {
        csum = UINT16_MAX; /* RFC 768: zero would mean "none" */
    }
    memcpy(data + at, &csum, sizeof csum);
    return true;
}
