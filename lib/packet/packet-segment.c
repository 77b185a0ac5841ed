/* SPDX-License-Identifier: Apache-2.0 */
/* Cuts TCP and UDP super-frames, which taps and AF_PACKET hand over when segmentation offload
 * is on, into packets that any port can send.  Called by the receive side of such ports, on
 * their thread.  The super-frame may have come from anywhere: its headers are checked at every
 * call. */

#include "packet/packet-ops.h"

#include <arpa/inet.h>

#include "log/coverage.h"
#include "packet/headers.h"
#include "util/compiler.h"

COVERAGE_DEFINE(drop_segment_too_long);

#define TCP_FIN 0x001
#define TCP_PSH 0x008
#define TCP_CWR 0x080

struct gso_shape {
    uint32_t hdr_len; /* of all headers: where the payload begins */
    uint32_t payload;
    uint8_t proto;
};

static bool
gso_shape(const struct packet_gso *g, struct gso_shape *s)
{
    uint32_t l4_max, l4_hdr;

    if (!g->mss || g->l3_ofs < ETH_HDR_LEN || g->l3_ofs >= g->l4_ofs || g->l4_ofs >= g->len ||
        !packet_l4_proto(g->data + g->l3_ofs, g->l4_ofs - g->l3_ofs, &s->proto)) {
        return false;
    }
    l4_max = g->len - g->l4_ofs;
    if (s->proto == IP_PROTO_TCP && l4_max >= sizeof(struct tcp_hdr)) {
        l4_hdr = (g->data[g->l4_ofs + 12] >> 4) * 4u;
        if (l4_hdr < sizeof(struct tcp_hdr)) {
            return false;
        }
    } else if (s->proto == IP_PROTO_UDP) {
        l4_hdr = sizeof(struct udp_hdr);
    } else {
        return false;
    }
    if (l4_hdr > l4_max) {
        return false;
    }
    s->hdr_len = g->l4_ofs + l4_hdr;
    s->payload = g->len - s->hdr_len;
    return true;
}

unsigned
packet_segment_count(const struct packet_gso *g)
{
    struct gso_shape s;

    return gso_shape(g, &s) ? DIV_ROUND_UP(s.payload, g->mss) : 0;
}

static void
fix_l3(uint8_t *l3, uint16_t l3_len, uint16_t index)
{
    if (l3[0] >> 4 == 4) {
        struct ipv4_hdr *ip = (void *) l3;

        ip->tot_len_be = htons(l3_len);
        ip->id_be = htons((uint16_t) (ntohs(ip->id_be) + index));
    } else {
        struct ipv6_hdr *ip = (void *) l3;

        ip->plen_be = htons((uint16_t) (l3_len - sizeof *ip));
    }
}

static void
fix_tcp(uint8_t *l4, uint32_t pos, bool first, bool last)
{
    struct tcp_hdr *tcp = (void *) l4;
    uint16_t clear = (last ? 0 : TCP_FIN | TCP_PSH) | (first ? 0 : TCP_CWR);

    tcp->seq_be = htonl(ntohl(tcp->seq_be) + pos);
    tcp->ctl_be &= (uint16_t) ~htons(clear);
}

bool
packet_segment_next(const struct packet_gso *g, uint32_t *pos, struct packet **out)
{
    struct gso_shape s;
    struct packet *p;
    uint32_t start = *pos, n;

    *out = NULL;
    if (!gso_shape(g, &s) || start >= s.payload) {
        return false;
    }
    n = MIN(g->mss, s.payload - start);
    *pos = start + n;
    if (s.hdr_len + n > UINT16_MAX) {
        COVERAGE_INC(drop_segment_too_long);
        return true;
    }
    p = g->arena ? packet_alloc(g->arena, (uint16_t) (s.hdr_len + n))
                 : packet_new((uint16_t) (s.hdr_len + n));
    if (!p) {
        return true;
    }
    memcpy(packet_data(p), g->data, s.hdr_len);
    memcpy(packet_data(p) + s.hdr_len, g->data + s.hdr_len + start, n);
    p->l3_ofs = g->l3_ofs;
    p->l4_ofs = g->l4_ofs;
    p->l4_len = (uint16_t) (s.hdr_len - g->l4_ofs + n);
    fix_l3(packet_data(p) + g->l3_ofs, (uint16_t) (p->len - g->l3_ofs),
           (uint16_t) (start / g->mss));
    if (s.proto == IP_PROTO_TCP) {
        fix_tcp(packet_data(p) + g->l4_ofs, start, !start, *pos == s.payload);
    } else {
        struct udp_hdr *udp = (void *) (packet_data(p) + g->l4_ofs);

        udp->len_be = htons(p->l4_len);
    }
    if (g->partial) {
        packet_fill_csums_partial(p);
    } else {
        packet_fill_csums(p);
    }
    *out = p;
    return true;
}
