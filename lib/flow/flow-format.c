/* SPDX-License-Identifier: Apache-2.0 */
/* Flows as text, in the layout that `ovs-appctl dpctl/dump-flows` has and scripts parse. Called
 * by control commands on main, and by tests.  The way back is flow-parse.c. */

#include "flow/flow-format.h"

#include <arpa/inet.h>
#include <inttypes.h>

#include "packet/headers.h"
#include "util/compiler.h"

/* One attribute being written: "name(" field "," field "," ... */
struct attr {
    struct strbuf *s;
    size_t start; /* of the attribute's name */
    size_t body;  /* of its first field */
    bool verbose;
};

static struct attr
attr_open(struct strbuf *s, const char *name, bool verbose)
{
    struct attr a = {.s = s, .start = s->len, .verbose = verbose};

    strbuf_putf(s, "%s(", name);
    a.body = s->len;
    return a;
}

/* Ends the attribute; one without fields vanishes. */
static void
attr_close(struct attr *a)
{
    if (a->s->len == a->body) {
        strbuf_truncate(a->s, a->start);
    } else {
        strbuf_chomp(a->s, ",");
        strbuf_puts(a->s, "),");
    }
}

/* Writes "key=" when the field is to be seen at all. */
static bool
field_open(struct attr *a, const char *key, bool looked_at)
{
    if (!looked_at && !a->verbose) {
        return false;
    }
    strbuf_putf(a->s, "%s=", key);
    return true;
}

static void
put_dec(struct attr *a, const char *key, uint32_t v, uint32_t m, uint32_t full)
{
    if (field_open(a, key, m)) {
        strbuf_putf(a->s, "%" PRIu32, v);
        if (m != full) {
            strbuf_putf(a->s, "/%#" PRIx32, m);
        }
        strbuf_putc(a->s, ',');
    }
}

static void
put_hex(struct attr *a, const char *key, uint32_t v, uint32_t m, uint32_t full)
{
    if (field_open(a, key, m)) {
        strbuf_putf(a->s, "%#" PRIx32, v);
        if (m != full) {
            strbuf_putf(a->s, "/%#" PRIx32, m);
        }
        strbuf_putc(a->s, ',');
    }
}

static void
put_eth(struct attr *a, const char *key, struct eth_addr v, struct eth_addr m)
{
    if (field_open(a, key, !eth_addr_is_zero(m))) {
        strbuf_putf(a->s, ETH_ADDR_FMT, ETH_ADDR_ARGS(v));
        if (eth_addr_to_u64(m) != UINT64_C(0xffffffffffff)) {
            strbuf_putf(a->s, "/" ETH_ADDR_FMT, ETH_ADDR_ARGS(m));
        }
        strbuf_putc(a->s, ',');
    }
}

static void
put_ip4(struct attr *a, const char *key, uint32_t v_be, uint32_t m_be)
{
    char text[INET_ADDRSTRLEN];

    if (field_open(a, key, m_be)) {
        strbuf_puts(a->s, inet_ntop(AF_INET, &v_be, text, sizeof text));
        if (m_be != UINT32_MAX) {
            strbuf_putf(a->s, "/%s", inet_ntop(AF_INET, &m_be, text, sizeof text));
        }
        strbuf_putc(a->s, ',');
    }
}

static void
put_ip6(struct attr *a, const char *key, const struct in6_addr *v, const struct in6_addr *m)
{
    char text[INET6_ADDRSTRLEN];
    unsigned any = 0, all = 0xff;

    for (int i = 0; i < 16; i++) {
        any |= m->s6_addr[i];
        all &= m->s6_addr[i];
    }
    if (field_open(a, key, any)) {
        strbuf_puts(a->s, inet_ntop(AF_INET6, v, text, sizeof text));
        if (all != 0xff) {
            strbuf_putf(a->s, "/%s", inet_ntop(AF_INET6, m, text, sizeof text));
        }
        strbuf_putc(a->s, ',');
    }
}

/* Attributes that are one number: "name(0x5/0xff),". */
static void
put_simple(struct strbuf *s, bool verbose, const char *name, uint32_t v, uint32_t m)
{
    if (m || verbose) {
        strbuf_putf(s, "%s(%#" PRIx32, name, v);
        if (m != UINT32_MAX) {
            strbuf_putf(s, "/%#" PRIx32, m);
        }
        strbuf_puts(s, "),");
    }
}

static void
put_in_port(struct strbuf *s, uint32_t v, uint32_t m, const struct flow_format_opts *opts)
{
    const char *name = opts->port_name ? opts->port_name(v, opts->aux) : NULL;

    if (!m && !opts->verbose) {
        return;
    }
    if (name) {
        strbuf_putf(s, "in_port(%s", name);
    } else {
        strbuf_putf(s, "in_port(%" PRIu32, v);
    }
    if (m != UINT32_MAX) {
        strbuf_putf(s, "/%#" PRIx32, m);
    }
    strbuf_puts(s, "),");
}

static void
put_meta(struct strbuf *s, const struct flow_meta *v, const struct flow_meta *m,
         const struct flow_format_opts *opts)
{
    put_simple(s, opts->verbose, "skb_priority", v->skb_priority, m->skb_priority);
    put_simple(s, opts->verbose, "skb_mark", v->pkt_mark, m->pkt_mark);
    if (opts->verbose) {
        strbuf_puts(s, "ct_state(0/0),ct_zone(0/0),ct_mark(0/0),ct_label(0/0),");
    }
    put_simple(s, opts->verbose, "recirc_id", v->recirc_id, m->recirc_id);
    put_simple(s, opts->verbose, "dp_hash", v->dp_hash, m->dp_hash);
    put_in_port(s, v->in_port, m->in_port, opts);
    if (m->packet_type || opts->verbose) {
        strbuf_putf(s, "packet_type(ns=%" PRIu32 ",id=%#" PRIx32 "),", v->packet_type >> 16,
                    v->packet_type & 0xffff);
    }
}

static void
put_eth_type(struct strbuf *s, bool verbose, uint16_t v_be, uint16_t m_be)
{
    if (!m_be && !verbose) {
        return;
    }
    if (v_be == htons(ETH_TYPE_NONE)) {
        strbuf_puts(s, m_be ? "eth_type(0/0xffff)," : "eth_type(0/0),");
    } else if (m_be == UINT16_MAX) {
        strbuf_putf(s, "eth_type(0x%04x),", ntohs(v_be));
    } else {
        strbuf_putf(s, "eth_type(0x%04x/0x%04x),", ntohs(v_be), ntohs(m_be));
    }
}

/* One tag, its type in front; then what is inside goes into an "encap(" that the caller closes.
 */
static void
put_vlan(struct strbuf *s, uint16_t tpid_be, uint16_t v_be, uint16_t m_be, bool show,
         bool verbose)
{
    uint16_t v = ntohs(v_be), m = ntohs(m_be);

    strbuf_putf(s, "eth_type(0x%04x),", ntohs(tpid_be));
    if (show) {
        strbuf_putf(s, "vlan(vid=%u", v & VLAN_VID_MASK);
        if ((m & VLAN_VID_MASK) != VLAN_VID_MASK) {
            strbuf_putf(s, "/0x%x", m & VLAN_VID_MASK);
        }
        if (verbose || (v | m) & VLAN_PCP_MASK) {
            strbuf_putf(s, ",pcp=%u", v >> VLAN_PCP_SHIFT);
            if ((m & VLAN_PCP_MASK) != VLAN_PCP_MASK) {
                strbuf_putf(s, "/0x%x", m >> VLAN_PCP_SHIFT);
            }
        }
        strbuf_puts(s, "),");
    }
    strbuf_puts(s, "encap(");
}

static void
put_frag(struct attr *a, uint8_t v, uint8_t m)
{
    if (field_open(a, "frag", m)) {
        strbuf_putf(a->s, "%s,",
                    v & FLOW_FRAG_LATER ? "later"
                    : v & FLOW_FRAG_ANY ? "first"
                                        : "no");
    }
}

static void
put_ip(struct strbuf *s, const struct flow *v, const struct flow *m, bool verbose)
{
    bool v6 = v->sections & FS_BIT(FS_IPV6);
    struct attr a = attr_open(s, v6 ? "ipv6" : "ipv4", verbose);

    if (v6) {
        put_ip6(&a, "src", &v->ipv6.src, &m->ipv6.src);
        put_ip6(&a, "dst", &v->ipv6.dst, &m->ipv6.dst);
        put_hex(&a, "label", ntohl(v->ip.ipv6_label_be), ntohl(m->ip.ipv6_label_be) & 0xfffff,
                0xfffff);
    } else {
        put_ip4(&a, "src", v->ipv4.src_be, m->ipv4.src_be);
        put_ip4(&a, "dst", v->ipv4.dst_be, m->ipv4.dst_be);
    }
    put_dec(&a, "proto", v->ip.proto, m->ip.proto, UINT8_MAX);
    put_hex(&a, v6 ? "tclass" : "tos", v->ip.tos, m->ip.tos, UINT8_MAX);
    put_dec(&a, v6 ? "hlimit" : "ttl", v->ip.ttl, m->ip.ttl, UINT8_MAX);
    put_frag(&a, v->ip.frag, m->ip.frag);
    attr_close(&a);
}

static void
put_tcp_flags(struct strbuf *s, uint16_t v, uint16_t m, bool verbose)
{
    static const char *const names[12] = {"fin", "syn", "rst", "psh",   "ack",   "urg",
                                          "ece", "cwr", "ns",  "[200]", "[400]", "[800]"};
    struct attr a = attr_open(s, "tcp_flags", false);
    bool exact = m == 0xfff;

    for (unsigned i = 0; i < 12; i++) {
        if (exact && v >> i & 1) {
            strbuf_putf(s, "%s%s", s->len > a.body ? "|" : "", names[i]);
        } else if (!exact && m >> i & 1) {
            strbuf_putf(s, "%c%s", v >> i & 1 ? '+' : '-', names[i]);
        }
    }
    if (exact && !v) {
        strbuf_putc(s, '0');
    } else if (!m && v && verbose) { /* as if there were none when all are 0 */
        strbuf_puts(s, "0/0");
    }
    attr_close(&a);
}

static void
put_l4(struct strbuf *s, const struct flow *v, const struct flow *m, bool verbose)
{
    bool v6 = v->sections & FS_BIT(FS_IPV6);
    const char *name = v->ip.proto == IP_PROTO_TCP            ? "tcp"
                       : v->ip.proto == IP_PROTO_UDP          ? "udp"
                       : v->ip.proto == IP_PROTO_SCTP         ? "sctp"
                       : v->ip.proto == IP_PROTO_ICMP && !v6  ? "icmp"
                       : v->ip.proto == IP_PROTO_ICMPV6 && v6 ? "icmpv6"
                                                              : NULL;
    bool icmp = name && name[0] == 'i';
    uint16_t full = icmp ? UINT8_MAX : UINT16_MAX;
    struct attr a;

    if (!name) {
        return;
    }
    a = attr_open(s, name, verbose);
    put_dec(&a, icmp ? "type" : "src", ntohs(v->l4.src_be), ntohs(m->l4.src_be) & full, full);
    put_dec(&a, icmp ? "code" : "dst", ntohs(v->l4.dst_be), ntohs(m->l4.dst_be) & full, full);
    attr_close(&a);
    if (v->ip.proto == IP_PROTO_TCP) {
        put_tcp_flags(s, ntohs(v->l4.tcp_flags_be), ntohs(m->l4.tcp_flags_be) & 0xfff, verbose);
    }
}

static void
put_arp(struct strbuf *s, const struct flow_arp *v, const struct flow_arp *m, bool verbose)
{
    struct attr a = attr_open(s, "arp", verbose);

    put_ip4(&a, "sip", v->spa_be, m->spa_be);
    put_ip4(&a, "tip", v->tpa_be, m->tpa_be);
    /* The opcode is a byte here; a mask of it may be given in 8 or 16 bits. */
    put_dec(&a, "op", v->op, m->op & UINT8_MAX, UINT8_MAX);
    put_eth(&a, "sha", v->sha, m->sha);
    put_eth(&a, "tha", v->tha, m->tha);
    attr_close(&a);
}

static void
put_nd(struct strbuf *s, const struct flow_nd *v, const struct flow_nd *m, bool verbose)
{
    struct attr a = attr_open(s, "nd", verbose);

    put_ip6(&a, "target", &v->target, &m->target);
    put_eth(&a, "sll", v->sll, m->sll);
    put_eth(&a, "tll", v->tll, m->tll);
    attr_close(&a);

    a = attr_open(s, "nd_ext", verbose);
    put_hex(&a, "nd_reserved", ntohl(v->reserved_be), ntohl(m->reserved_be), UINT32_MAX);
    put_dec(&a, "nd_options_type", v->opt_type, m->opt_type, UINT8_MAX);
    attr_close(&a);
}

/* Label stack entries: shown all with masks unless every one is matched whole. */
static void
put_mpls(struct strbuf *s, const struct flow_mpls *v, const struct flow_mpls *m, bool verbose)
{
    struct attr a = attr_open(s, "mpls", verbose);
    bool any = false, exact = true;
    unsigned n = 0;

    do {
        any |= m->lse_be[n] != 0;
        exact &= m->lse_be[n] == UINT32_MAX;
        n++;
    } while (n < FLOW_MAX_MPLS && !(v->lse_be[n - 1] & htonl(0x100)) && v->lse_be[n]);
    for (unsigned i = 0; i < n && (any || verbose); i++) {
        uint32_t lse = ntohl(v->lse_be[i]), lm = ntohl(m->lse_be[i]);

        if (exact) {
            strbuf_putf(s, "label=%u,tc=%u,ttl=%u,bos=%u,", lse >> 12, lse >> 9 & 7, lse & 0xff,
                        lse >> 8 & 1);
        } else {
            strbuf_putf(s, "label=%u/0x%x,tc=%u/%x,ttl=%u/0x%x,bos=%u/%x,", lse >> 12, lm >> 12,
                        lse >> 9 & 7, lm >> 9 & 7, lse & 0xff, lm & 0xff, lse >> 8 & 1,
                        lm >> 8 & 1);
        }
    }
    attr_close(&a);
}

void
flow_format(struct strbuf *s, const struct flow *v, const struct flow *m,
            const struct flow_format_opts *opts)
{
    bool verbose = opts->verbose;
    unsigned n_encap = 0;

    put_meta(s, &v->meta, &m->meta, opts);
    if (v->sections & FS_BIT(FS_ETH)) {
        struct attr a = attr_open(s, "eth", verbose);

        put_eth(&a, "src", v->eth.src, m->eth.src);
        put_eth(&a, "dst", v->eth.dst, m->eth.dst);
        attr_close(&a);
        for (; v->sections & FS_BIT(FS_VLAN) && n_encap < FLOW_MAX_VLANS; n_encap++) {
            uint16_t tci_be = v->vlan.tag[n_encap].tci_be, mask = m->vlan.tag[n_encap].tci_be;

            if (!(tci_be & htons(VLAN_CFI))) {
                break;
            }
            put_vlan(s, v->vlan.tag[n_encap].tpid_be, tci_be, mask, verbose || mask || !n_encap,
                     verbose);
        }
        put_eth_type(s, verbose, v->eth.type_be, m->eth.type_be);
    }
    if (v->sections & FS_BIT(FS_MPLS)) {
        put_mpls(s, &v->mpls, &m->mpls, verbose);
    }
    if (v->sections & FS_BIT(FS_IP)) {
        put_ip(s, v, m, verbose);
    }
    if (v->sections & FS_BIT(FS_L4)) {
        put_l4(s, v, m, verbose);
    }
    if (v->sections & FS_BIT(FS_ARP)) {
        put_arp(s, &v->arp, &m->arp, verbose);
    }
    if (v->sections & FS_BIT(FS_ND)) {
        put_nd(s, &v->nd, &m->nd, verbose);
    }
    strbuf_chomp(s, ",");
    while (n_encap--) {
        strbuf_putc(s, ')');
    }
}
