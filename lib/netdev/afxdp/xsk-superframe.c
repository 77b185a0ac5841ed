/* SPDX-License-Identifier: Apache-2.0 */
/* Super-frames of generic mode: gathered from their chain of frames and cut into packets.  And
 * on ports with an MTU that is more than a frame holds, packets of several frames: gathered the
 * same way, and handed on in one jumbo frame.
 * Called by xsk-rx.c on the thread that polls the queue, which knows a super-frame when it sees
 * one; here is where it is taken from the ring.  No lock, no system call, no log.
 *
 * In generic mode a veth's peer does not notice that XDP listens: its stack goes on sending TCP
 * in pieces of up to 64 KiB.  And a NIC's packets come through GRO before they reach the hook.
 * Either way nothing here says how long the segments are to be (the kernel does not hand the
 * skb's gso_size to XDP).  They are cut to the MTU of the device: what the peer's MTU, the same
 * in any network that works, would have made of them, and the longest that may arrive here
 * otherwise.  A receiver that asked for smaller segments takes these too, as long as its own
 * MTU holds them.
 *
 * Taking in: each frame's bytes are copied to the bounce buffer and the frame is freed at once,
 * so a chain that is half there, or half cut, holds no frame. */

#include "netdev/afxdp/xsk-superframe.h"

#include <arpa/inet.h>
#include <stdlib.h>
#include <string.h>

#include "log/coverage.h"
#include "netdev/afxdp/afxdp-private.h"
#include "packet/headers.h"
#include "packet/packet-ops.h"
#include "util/xalloc.h"

COVERAGE_DEFINE(afxdp_rx_superframe);
COVERAGE_DEFINE(afxdp_rx_jumbo);
COVERAGE_DEFINE(drop_afxdp_rx_superframe_too_long);
COVERAGE_DEFINE(drop_afxdp_rx_superframe_bogus);
COVERAGE_DEFINE(drop_afxdp_rx_superframe_not_tcp);
COVERAGE_DEFINE(drop_afxdp_rx_superframe_no_frame);
COVERAGE_DEFINE(drop_afxdp_rx_superframe_closed);

#define VLAN_TAGS_MAX 4u
/* The longest IP packet, behind the longest Ethernet header that we look through. */
#define SUPERFRAME_MAX (UINT16_MAX + ETH_HDR_LEN + VLAN_TAGS_MAX * VLAN_HDR_LEN)
#define IPV6_EXT_MAX 8u
#define IP_PROTO_HOPOPTS 0
#define IP_PROTO_DSTOPTS 60

enum sf_state {
    SF_IDLE,
    SF_GATHERING, /* more of the chain is to come */
    SF_SKIPPING,  /* the same, but it is dropped already */
    SF_CUTTING,   /* whole; `pos` says how much of it went out */
    SF_JUMBO,     /* whole, and a packet as it is */
};

struct xsk_superframe {
    enum sf_state state;
    uint32_t len; /* bytes in buf */
    uint32_t pos; /* payload bytes that are packets already */
    struct packet_gso gso;
    uint8_t buf[SUPERFRAME_MAX];
};

struct xsk_superframe *
xsk_superframe_new(void)
{
    return xzalloc(sizeof(struct xsk_superframe));
}

void
xsk_superframe_free(struct xsk_superframe *sf)
{
    if (sf && sf->state != SF_IDLE) {
        COVERAGE_INC(drop_afxdp_rx_superframe_closed);
    }
    free(sf);
}

bool
xsk_superframe_is_busy(const struct xsk_superframe *sf)
{
    return sf->state != SF_IDLE;
}

/* Where the IP header begins, behind Ethernet and VLAN tags; 0: no IP. */
static uint32_t
find_l3(const uint8_t *data, uint32_t len)
{
    uint32_t ofs = ETH_HDR_LEN;

    for (unsigned tags = 0; ofs <= len; tags++, ofs += VLAN_HDR_LEN) {
        uint16_t type_be;

        memcpy(&type_be, data + ofs - sizeof type_be, sizeof type_be);
        switch (ntohs(type_be)) {
        case ETH_TYPE_VLAN:
        case ETH_TYPE_QINQ:
            if (tags == VLAN_TAGS_MAX) {
                return 0;
            }
            break;
        case ETH_TYPE_IPV4:
        case ETH_TYPE_IPV6:
            return ofs;
        default:
            return 0;
        }
    }
    return 0;
}

/* Where TCP begins in the IPv6 packet of `len` bytes; 0: it does not. */
static uint32_t
find_tcp_v6(const uint8_t *ip, uint32_t len)
{
    uint32_t ofs = sizeof(struct ipv6_hdr);
    uint8_t next = ((const struct ipv6_hdr *) (const void *) ip)->next;

    for (unsigned i = 0; i < IPV6_EXT_MAX; i++) {
        if (next == IP_PROTO_TCP) {
            return ofs;
        }
        if ((next != IP_PROTO_HOPOPTS && next != IP_PROTO_DSTOPTS) || ofs + 8 > len) {
            return 0;
        }
        next = ip[ofs];
        ofs += (ip[ofs + 1] + 1u) * 8; /* RFC 8200, section 4.3 */
    }
    return 0;
}

/* Finds the layers of a TCP packet of `len` bytes, less any padding, for segments of at most
 * `mtu` bytes; false if it is none or its headers are not right. */
static bool
find_layers(struct packet_gso *g, const uint8_t *data, uint32_t len, uint32_t mtu)
{
    uint32_t l3_ofs = find_l3(data, len), l4_rel, ip_len, hdr_len;
    const uint8_t *ip = data + l3_ofs;
    uint32_t room = len - l3_ofs;

    if (!l3_ofs || room < sizeof(struct ipv4_hdr)) {
        return false;
    }
    if (ip[0] >> 4 == 4) {
        const struct ipv4_hdr *v4 = (const void *) ip;

        ip_len = ntohs(v4->tot_len_be);
        l4_rel = v4->proto == IP_PROTO_TCP ? (v4->ver_ihl & 0xf) * 4u : 0;
    } else if (room >= sizeof(struct ipv6_hdr)) {
        const struct ipv6_hdr *v6 = (const void *) ip;

        ip_len = ntohs(v6->plen_be) + (uint32_t) sizeof *v6;
        l4_rel = find_tcp_v6(ip, room);
    } else {
        return false;
    }
    if (!l4_rel || ip_len > room || l4_rel + sizeof(struct tcp_hdr) > ip_len) {
        return false;
    }
    hdr_len = l4_rel + (ip[l4_rel + 12] >> 4) * 4u;
    if (hdr_len >= mtu) {
        return false;
    }
    *g = (struct packet_gso){
        .data = data,
        .len = l3_ofs + ip_len,
        .l3_ofs = (uint16_t) l3_ofs,
        .l4_ofs = (uint16_t) (l3_ofs + l4_rel),
        .mss = (uint16_t) MIN(mtu - hdr_len, UINT16_MAX),
    };
    return packet_segment_count(g) > 0;
}

static uint32_t
device_mtu(const struct xsk_queue *q)
{
    return atomic_load_explicit(q->max_len, memory_order_relaxed) - AFXDP_L2_OVERHEAD;
}

static void
drop_rest(struct xsk_queue *q, struct xsk_superframe *sf, bool more)
{
    xsk_count(&q->rx_super_dropped, 1);
    sf->state = more ? SF_SKIPPING : SF_IDLE;
}

/* Appends a frame's bytes and says what to do next by sf->state. */
static void
gather(struct xsk_queue *q, struct xsk_superframe *sf, const struct xdp_desc *d,
       const struct packet *p)
{
    bool more = d->options & XDP_PKT_CONTD;

    if (sf->state == SF_SKIPPING) {
        sf->state = more ? SF_SKIPPING : SF_IDLE;
    } else if (!p) {
        COVERAGE_INC(drop_afxdp_rx_superframe_bogus);
        drop_rest(q, sf, more);
    } else if (d->len > sizeof sf->buf - sf->len) {
        COVERAGE_INC(drop_afxdp_rx_superframe_too_long);
        drop_rest(q, sf, more);
    } else {
        memcpy(sf->buf + sf->len, (const uint8_t *) p + p->data_ofs, d->len);
        sf->len += d->len;
        sf->state = more ? SF_GATHERING : SF_CUTTING;
    }
    if (sf->state != SF_CUTTING) {
        return;
    }
    /* The MTU may be any by now, the frames are those it had when they were chosen. */
    if (q->jumbo && sf->len <= arena_frame_sz(q->jumbo) - FRAME_DATA_OFS &&
        sf->len <= atomic_load_explicit(q->max_len, memory_order_relaxed) + VLAN_HDR_LEN) {
        sf->state = SF_JUMBO;
        return;
    }
    sf->pos = 0;
    if (!find_layers(&sf->gso, sf->buf, sf->len, device_mtu(q))) {
        COVERAGE_INC(drop_afxdp_rx_superframe_not_tcp);
        drop_rest(q, sf, false);
        return;
    }
    sf->gso.arena = q->jumbo ? q->jumbo : q->arena;
    COVERAGE_INC(afxdp_rx_superframe);
}

/* A packet in one frame that need not, or cannot, be cut: it fits the MTU (the caller's look
 * is less exact), or it is no TCP.  What a frame holds is a packet like any other, and the port
 * that it is sent from judges its length. */
static bool
is_plain(const struct xsk_queue *q, const struct packet *p)
{
    const uint8_t *data = packet_data(p);
    uint32_t l3_ofs = find_l3(data, p->len), mtu = device_mtu(q);
    struct packet_gso gso;

    return !l3_ofs || p->len - l3_ofs <= mtu || !find_layers(&gso, data, p->len, mtu) ||
           packet_segment_count(&gso) < 2;
}

static void
put_jumbo(struct xsk_queue *q, struct packet_batch *batch, uint8_t flags)
{
    struct xsk_superframe *sf = q->super;
    struct packet *p = packet_alloc(q->jumbo, (uint16_t) sf->len);

    sf->state = SF_IDLE;
    if (!p) {
        COVERAGE_INC(drop_afxdp_rx_superframe_no_frame);
        xsk_count(&q->rx_super_dropped, 1);
        return;
    }
    memcpy(packet_data(p), sf->buf, sf->len);
    p->flags = flags;
    packet_batch_add(batch, p);
    COVERAGE_INC(afxdp_rx_jumbo);
}

/* Takes the rest of the chain from the ring, as far as it is there, and then what comes behind
 * it, up to a full batch or a super-frame that is to be cut. */
static void
take_chains(struct xsk_queue *q, struct packet_batch *batch, uint8_t flags)
{
    struct xsk_superframe *sf = q->super;

    for (uint32_t left = xsk_ring_peek(&q->rx, q->rx.size); left > 0; left--) {
        struct xdp_desc d = xsk_ring_get_desc(&q->rx);
        struct packet *p = xsk_rx_take(q, &d);

        if (sf->state == SF_IDLE) {
            sf->len = 0;
            if (p && !(d.options & XDP_PKT_CONTD) && is_plain(q, p)) {
                p->flags = flags;
                packet_batch_add(batch, p);
                if (packet_batch_full(batch)) {
                    break;
                }
                continue;
            }
        }
        gather(q, sf, &d, p);
        if (p) {
            packet_free(p);
        }
        if (sf->state == SF_JUMBO) {
            put_jumbo(q, batch, flags);
        }
        if (sf->state == SF_CUTTING || packet_batch_full(batch)) {
            break;
        }
    }
    /* See the header: the last one stays while it is cut. */
    atomic_store_explicit(q->rx.consumer, q->rx.cons - (sf->state == SF_CUTTING),
                          memory_order_release);
}

static void
cut(struct xsk_queue *q, struct packet_batch *batch, uint8_t flags)
{
    struct xsk_superframe *sf = q->super;
    struct packet *p;

    /* As a local stack would have left their checksums. */
    sf->gso.partial = flags & PACKET_CSUM_PARTIAL_POSSIBLE && netdev_any_tx_csum();
    while (!packet_batch_full(batch)) {
        if (!packet_segment_next(&sf->gso, &sf->pos, &p)) {
            sf->state = SF_IDLE;
            xsk_ring_release(&q->rx);
            return;
        }
        if (!p) {
            COVERAGE_INC(drop_afxdp_rx_superframe_no_frame);
            xsk_count(&q->rx_super_dropped, 1);
            continue;
        }
        /* Extraction finds the layers afresh, also behind the tags. */
        p->l3_ofs = p->l4_ofs = PACKET_OFS_NONE;
        p->l4_len = 0;
        p->flags = sf->gso.partial ? flags : 0;
        packet_batch_add(batch, p);
    }
}

void
xsk_superframe_run(struct xsk_queue *q, struct packet_batch *batch, uint8_t flags)
{
    if (q->super->state != SF_CUTTING) {
        take_chains(q, batch, flags);
    }
    if (q->super->state == SF_CUTTING) {
        cut(q, batch, flags);
    }
}
