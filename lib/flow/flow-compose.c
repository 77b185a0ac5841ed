/* SPDX-License-Identifier: Apache-2.0 */
/* Flow to packet: the headers that the flow's sections say, valid lengths and checksums, and as
 * much payload as stock Open vSwitch puts into such packets (64 bytes behind TCP, UDP and ICMP,
 * none elsewhere), so that byte counts in tests agree.  Called by control commands on main. */

#include "flow/flow-format.h"

#include <arpa/inet.h>

#include "flow/flow-key.h"
#include "packet/headers.h"
#include "packet/packet-ops.h"
#include "util/compiler.h"

#define DEFAULT_PAYLOAD 64u
#define LATER_FRAG_OFS 100u /* in 8-byte units: where we pretend a later fragment lies */
#define IP_PROTO_FRAGMENT 44

struct headers {
    uint8_t b[256]; /* all that can come together are under 200 bytes */
    uint32_t n;
    uint32_t l3;        /* where an IP header begins; 0: none */
    uint32_t l4;        /* what follows it: 0: none */
    bool wants_payload; /* by default */
    bool no_payload;    /* even when the length is given: padding then */
};

static void
put(struct headers *h, const void *data, size_t n)
{
    memcpy(h->b + h->n, data, n);
    h->n += (uint32_t) n;
}

static void
put_ethernet(struct headers *h, const struct flow *flow)
{
    uint16_t type_be = flow->eth.type_be;

    put(h, &flow->eth.dst, 6);
    put(h, &flow->eth.src, 6);
    for (int i = 0; flow->sections & FS_BIT(FS_VLAN) && i < FLOW_MAX_VLANS; i++) {
        uint16_t tci_be = flow->vlan.tag[i].tci_be & htons((uint16_t) ~VLAN_CFI);

        if (!(flow->vlan.tag[i].tci_be & htons(VLAN_CFI))) {
            break;
        }
        put(h, &flow->vlan.tag[i].tpid_be, 2);
        put(h, &tci_be, 2);
    }
    if (ntohs(type_be) < ETH_TYPE_MIN) {
        type_be = 0; /* an 802.3 length */
    }
    put(h, &type_be, 2);
}

static void
put_mpls(struct headers *h, const struct flow_mpls *mpls)
{
    for (int i = 0; i < FLOW_MAX_MPLS; i++) {
        put(h, &mpls->lse_be[i], 4);
        if (mpls->lse_be[i] & htonl(0x100) || (i + 1 < FLOW_MAX_MPLS && !mpls->lse_be[i + 1])) {
            break;
        }
    }
}

static void
put_arp(struct headers *h, const struct flow_arp *flow)
{
    const struct arp_hdr arp = {
        .hrd_be = htons(1),
        .pro_be = htons(ETH_TYPE_IPV4),
        .hln = 6,
        .pln = 4,
        .op_be = htons(flow->op),
        .sha = flow->sha,
        .spa_be = flow->spa_be,
        .tha = flow->tha,
        .tpa_be = flow->tpa_be,
    };

    put(h, &arp, sizeof arp);
}

static void
put_ipv4(struct headers *h, const struct flow *flow)
{
    const struct ipv4_hdr ip = {
        .ver_ihl = 0x45,
        .tos = flow->ip.tos,
        .frag_be = htons((flow->ip.frag & FLOW_FRAG_ANY ? IPV4_FRAG_MORE : 0) |
                         (flow->ip.frag & FLOW_FRAG_LATER ? LATER_FRAG_OFS : 0)),
        .ttl = flow->ip.ttl,
        .proto = flow->ip.proto,
        .src_be = flow->ipv4.src_be,
        .dst_be = flow->ipv4.dst_be,
    };

    put(h, &ip, sizeof ip);
}

static void
put_ipv6(struct headers *h, const struct flow *flow)
{
    bool frag = flow->ip.frag & FLOW_FRAG_ANY;
    struct ipv6_hdr ip = {
        .flow_be = htonl(6u << 28 | (uint32_t) flow->ip.tos << 20) |
                   (flow->ip.ipv6_label_be & htonl(0xfffff)),
        .next = frag ? IP_PROTO_FRAGMENT : flow->ip.proto,
        .hlimit = flow->ip.ttl,
    };

    memcpy(ip.src, &flow->ipv6.src, sizeof ip.src);
    memcpy(ip.dst, &flow->ipv6.dst, sizeof ip.dst);
    put(h, &ip, sizeof ip);
    if (frag) { /* RFC 8200 section 4.5 */
        uint16_t ofs = flow->ip.frag & FLOW_FRAG_LATER ? LATER_FRAG_OFS : 0;
        const uint16_t ext[4] = {htons((uint16_t) (flow->ip.proto << 8)),
                                 htons((uint16_t) (ofs << 3 | 1)), 0, 0};

        put(h, ext, sizeof ext);
    }
}

static void
put_lladdr_option(struct headers *h, uint8_t type, struct eth_addr lladdr)
{
    if (!eth_addr_is_zero(lladdr)) {
        const uint8_t head[2] = {type, 1};

        put(h, head, sizeof head);
        put(h, &lladdr, sizeof lladdr);
    }
}

static void
put_l4(struct headers *h, const struct flow *flow)
{
    const struct flow_l4 *l4 = &flow->l4;
    bool nd = flow->sections & FS_BIT(FS_ND);
    const struct tcp_hdr tcp = {
        .src_be = l4->src_be,
        .dst_be = l4->dst_be,
        .ctl_be = htons(5u << 12) | (l4->tcp_flags_be & htons(0xfff)),
    };
    const struct udp_hdr udp = {.src_be = l4->src_be, .dst_be = l4->dst_be};
    const struct sctp_hdr sctp = {.src_be = l4->src_be, .dst_be = l4->dst_be};
    const struct icmp_hdr icmp = {.type = (uint8_t) ntohs(l4->src_be),
                                  .code = (uint8_t) ntohs(l4->dst_be),
                                  .rest_be = nd ? flow->nd.reserved_be : 0};

    h->wants_payload = true;
    switch (flow->ip.proto) {
    case IP_PROTO_TCP:
        put(h, &tcp, sizeof tcp);
        break;
    case IP_PROTO_UDP:
        put(h, &udp, sizeof udp);
        break;
    case IP_PROTO_SCTP:
        put(h, &sctp, sizeof sctp);
        h->wants_payload = false;
        break;
    default:
        put(h, &icmp, sizeof icmp);
        if (nd) {
            put(h, &flow->nd.target, sizeof flow->nd.target);
            put_lladdr_option(h, ND_OPT_SLL, flow->nd.sll);
            put_lladdr_option(h, ND_OPT_TLL, flow->nd.tll);
            h->wants_payload = false;
            h->no_payload = true; /* it would be read as options */
        }
        break;
    }
}

static void
put_headers(struct headers *h, const struct flow *flow)
{
    put_ethernet(h, flow);
    if (flow->sections & FS_BIT(FS_MPLS)) {
        put_mpls(h, &flow->mpls);
    }
    if (flow->sections & FS_BIT(FS_ARP)) {
        put_arp(h, &flow->arp);
    }
    if (flow->sections & FS_BIT(FS_IP)) {
        h->l3 = h->n;
        if (flow->sections & FS_BIT(FS_IPV6)) {
            put_ipv6(h, flow);
        } else {
            put_ipv4(h, flow);
        }
        h->l4 = h->n;
        if (flow->sections & FS_BIT(FS_L4)) {
            put_l4(h, flow);
        } else if (flow->ip.proto == IP_PROTO_IGMP && !(flow->ip.frag & FLOW_FRAG_LATER)) {
            /* RFC 2236 section 2: nothing of it is in a flow, all is zero but the checksum. */
            const uint8_t igmp[8] = {[2] = 0xff, [3] = 0xff};

            put(h, igmp, sizeof igmp);
        }
    }
}

/* Fills in the length fields of IP and UDP for `payload` bytes behind the headers. */
static void
put_lengths(struct headers *h, const struct flow *flow, uint32_t payload)
{
    uint16_t len_be;

    if (flow->sections & FS_BIT(FS_IPV6)) {
        len_be = htons((uint16_t) (h->n - h->l3 - sizeof(struct ipv6_hdr) + payload));
        memcpy(h->b + h->l3 + offsetof(struct ipv6_hdr, plen_be), &len_be, 2);
    } else {
        len_be = htons((uint16_t) (h->n - h->l3 + payload));
        memcpy(h->b + h->l3 + offsetof(struct ipv4_hdr, tot_len_be), &len_be, 2);
    }
    if (flow->sections & FS_BIT(FS_L4) && flow->ip.proto == IP_PROTO_UDP) {
        len_be = htons((uint16_t) (h->n - h->l4 + payload));
        memcpy(h->b + h->l4 + offsetof(struct udp_hdr, len_be), &len_be, 2);
    }
}

struct packet *
flow_compose(const struct flow *flow, unsigned len)
{
    struct headers h = {.n = 0};
    uint32_t payload = 0, total;
    struct flow_key key;
    struct packet *p;
    uint8_t *data;

    put_headers(&h, flow);
    if (h.l3) {
        if (!len) {
            payload = h.wants_payload ? DEFAULT_PAYLOAD : 0;
        } else if (len > h.n && !h.no_payload) {
            payload = len - h.n;
        }
        put_lengths(&h, flow, payload);
    }
    total = MAX(h.n + payload, len);
    p = packet_new((uint16_t) MIN(total, UINT16_MAX));
    if (!p) {
        return NULL;
    }
    data = packet_data(p);
    memcpy(data, h.b, h.n);
    for (uint32_t i = 0; i < total - h.n; i++) {
        data[h.n + i] = i < payload ? (uint8_t) i : 0;
    }
    p->in_port = flow->meta.in_port;
    p->recirc_id = flow->meta.recirc_id;
    p->dp_hash = flow->meta.dp_hash;
    p->skb_priority = flow->meta.skb_priority;
    p->pkt_mark = flow->meta.pkt_mark;
    flow_key_extract(p, &key);
    packet_fill_csums(p);
    return p;
}
