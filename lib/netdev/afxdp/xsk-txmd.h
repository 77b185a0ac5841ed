/* SPDX-License-Identifier: Apache-2.0 */
#ifndef XVS_NETDEV_AFXDP_XSK_TXMD_H
#define XVS_NETDEV_AFXDP_XSK_TXMD_H 1

/* Transmit metadata (Linux, Documentation/networking/xsk-tx-metadata.rst): what a sender asks
 * for one packet, in the XSK_TXMD_LEN bytes before its data.  The kernel reads it where the
 * descriptor's options say XSK_DESC_TXMD, and the UMEM was registered with that length.
 *
 * Names of our own, since linux/if_xdp.h has them from 6.8 on, the length's flag later. */

#include <stdint.h>
#include "packet/packet.h"

#define XSK_DESC_TXMD (1u << 1)     /* xdp_desc.options: XDP_TX_METADATA */
#define XSK_UMEM_TXMD_LEN (1u << 2) /* xdp_umem_reg.flags: XDP_UMEM_TX_METADATA_LEN */
#define XSK_TXMD_CSUM (1u << 1)     /* xsk_txmd.flags: XDP_TXMD_FLAGS_CHECKSUM */

struct xsk_txmd {
    uint64_t flags;
    uint16_t csum_start; /* from the packet's first byte: what the checksum is over */
    uint16_t csum_ofs;   /* from csum_start: where it goes */
    uint32_t pad;
    uint64_t launch_time;
};
#define XSK_TXMD_LEN 24u
_Static_assert(sizeof(struct xsk_txmd) == XSK_TXMD_LEN, "as the kernel has it");

/* As of Linux 6.8; older kernels take the first 28 bytes for the whole. */
struct xsk_umem_reg {
    uint64_t addr, len;
    uint32_t chunk_size, headroom, flags, tx_metadata_len;
};
_Static_assert(sizeof(struct xsk_umem_reg) == 32, "as the kernel has it");

/* Writes the request for a packet with PACKET_CSUM_PARTIAL, of which the frame has the first
 * `len` bytes.  False where that cannot be: no room before the data, or the checksum is not in
 * those bytes (the kernel would refuse the descriptor, and all behind it). */
static inline bool
xsk_txmd_put_csum(struct packet *p, uint32_t len)
{
    const struct xsk_txmd md = {
        .flags = XSK_TXMD_CSUM,
        .csum_start = p->l4_ofs,
        .csum_ofs = p->csum_ofs,
    };

    if (UNLIKELY(packet_headroom(p) < sizeof md || p->l4_ofs + p->csum_ofs + 2u > len)) {
        return false;
    }
    memcpy(packet_data(p) - sizeof md, &md, sizeof md);
    return true;
}

#endif
