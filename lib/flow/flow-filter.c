/* SPDX-License-Identifier: Apache-2.0 */
/* Text of a flow filter to a flow and a mask.  Called by control commands on main.  The text
 * comes from anybody: every error names the part not understood.  Must not know of datapaths.
 */

#include "flow/flow-filter.h"

#include <arpa/inet.h>
#include <errno.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include "flow/flow-protocols.h"
#include "packet/headers.h"
#include "util/compiler.h"
#include "util/num.h"
#include "util/xalloc.h"

/* What has to be said before a field. */
enum prerequisite {
    PRE_NONE,
    PRE_IP4,
    PRE_IP6,
    PRE_IP, /* either */
    PRE_ARP,
    PRE_MPLS,
    PRE_TCP,
    PRE_UDP,
    PRE_SCTP,
    PRE_PORTS, /* one of those three */
    PRE_ICMP,
    PRE_ICMP6,
    PRE_ND
};
enum kind { K_NUMBER, K_PORT, K_ETH, K_IP4, K_IP6, K_FRAG };
/* How the number is kept. */
enum store { S_U8, S_U16, S_U32, S_BE16, S_BE32 };

#define FIELD(MEMBER) offsetof(struct flow, MEMBER)

/* A number occupies `bits` of its member, `shift` bits from the right. */
static const struct field {
    const char *name, *alias;
    enum kind kind;
    enum prerequisite pre;
    size_t ofs;
    enum store store;
    uint8_t bits, shift;
} fields[] = {
    {"in_port", NULL, K_PORT, PRE_NONE, FIELD(meta.in_port), S_U32, 32, 0},
    {"recirc_id", NULL, K_NUMBER, PRE_NONE, FIELD(meta.recirc_id), S_U32, 32, 0},
    {"dp_hash", NULL, K_NUMBER, PRE_NONE, FIELD(meta.dp_hash), S_U32, 32, 0},
    {"skb_priority", NULL, K_NUMBER, PRE_NONE, FIELD(meta.skb_priority), S_U32, 32, 0},
    {"pkt_mark", "skb_mark", K_NUMBER, PRE_NONE, FIELD(meta.pkt_mark), S_U32, 32, 0},
    {"dl_src", "eth_src", K_ETH, PRE_NONE, FIELD(eth.src), S_U8, 0, 0},
    {"dl_dst", "eth_dst", K_ETH, PRE_NONE, FIELD(eth.dst), S_U8, 0, 0},
    {"dl_type", "eth_type", K_NUMBER, PRE_NONE, FIELD(eth.type_be), S_BE16, 16, 0},
    {"vlan_tci", "vlan_tci0", K_NUMBER, PRE_NONE, FIELD(vlan.tag[0].tci_be), S_BE16, 16, 0},
    {"nw_src", "ip_src", K_IP4, PRE_IP4, FIELD(ipv4.src_be), S_U8, 0, 0},
    {"nw_dst", "ip_dst", K_IP4, PRE_IP4, FIELD(ipv4.dst_be), S_U8, 0, 0},
    {"ipv6_src", NULL, K_IP6, PRE_IP6, FIELD(ipv6.src), S_U8, 0, 0},
    {"ipv6_dst", NULL, K_IP6, PRE_IP6, FIELD(ipv6.dst), S_U8, 0, 0},
    {"ipv6_label", NULL, K_NUMBER, PRE_IP6, FIELD(ip.ipv6_label_be), S_BE32, 20, 0},
    {"nw_proto", "ip_proto", K_NUMBER, PRE_IP, FIELD(ip.proto), S_U8, 8, 0},
    {"nw_tos", NULL, K_NUMBER, PRE_IP, FIELD(ip.tos), S_U8, 8, 0},
    {"ip_dscp", NULL, K_NUMBER, PRE_IP, FIELD(ip.tos), S_U8, 6, 2},
    {"nw_ecn", "ip_ecn", K_NUMBER, PRE_IP, FIELD(ip.tos), S_U8, 2, 0},
    {"nw_ttl", NULL, K_NUMBER, PRE_IP, FIELD(ip.ttl), S_U8, 8, 0},
    {"nw_frag", "ip_frag", K_FRAG, PRE_IP, FIELD(ip.frag), S_U8, 2, 0},
    {"tp_src", NULL, K_NUMBER, PRE_PORTS, FIELD(l4.src_be), S_BE16, 16, 0},
    {"tp_dst", NULL, K_NUMBER, PRE_PORTS, FIELD(l4.dst_be), S_BE16, 16, 0},
    {"tcp_src", NULL, K_NUMBER, PRE_TCP, FIELD(l4.src_be), S_BE16, 16, 0},
    {"tcp_dst", NULL, K_NUMBER, PRE_TCP, FIELD(l4.dst_be), S_BE16, 16, 0},
    {"tcp_flags", NULL, K_NUMBER, PRE_TCP, FIELD(l4.tcp_flags_be), S_BE16, 12, 0},
    {"udp_src", NULL, K_NUMBER, PRE_UDP, FIELD(l4.src_be), S_BE16, 16, 0},
    {"udp_dst", NULL, K_NUMBER, PRE_UDP, FIELD(l4.dst_be), S_BE16, 16, 0},
    {"sctp_src", NULL, K_NUMBER, PRE_SCTP, FIELD(l4.src_be), S_BE16, 16, 0},
    {"sctp_dst", NULL, K_NUMBER, PRE_SCTP, FIELD(l4.dst_be), S_BE16, 16, 0},
    {"icmp_type", NULL, K_NUMBER, PRE_ICMP, FIELD(l4.src_be), S_BE16, 8, 0},
    {"icmp_code", NULL, K_NUMBER, PRE_ICMP, FIELD(l4.dst_be), S_BE16, 8, 0},
    {"icmpv6_type", NULL, K_NUMBER, PRE_ICMP6, FIELD(l4.src_be), S_BE16, 8, 0},
    {"icmpv6_code", NULL, K_NUMBER, PRE_ICMP6, FIELD(l4.dst_be), S_BE16, 8, 0},
    {"nd_target", NULL, K_IP6, PRE_ND, FIELD(nd.target), S_U8, 0, 0},
    {"nd_sll", NULL, K_ETH, PRE_ND, FIELD(nd.sll), S_U8, 0, 0},
    {"nd_tll", NULL, K_ETH, PRE_ND, FIELD(nd.tll), S_U8, 0, 0},
    {"nd_reserved", NULL, K_NUMBER, PRE_ND, FIELD(nd.reserved_be), S_BE32, 32, 0},
    {"nd_options_type", NULL, K_NUMBER, PRE_ND, FIELD(nd.opt_type), S_U8, 8, 0},
    {"arp_op", NULL, K_NUMBER, PRE_ARP, FIELD(arp.op), S_U16, 8, 0},
    {"arp_spa", NULL, K_IP4, PRE_ARP, FIELD(arp.spa_be), S_U8, 0, 0},
    {"arp_tpa", NULL, K_IP4, PRE_ARP, FIELD(arp.tpa_be), S_U8, 0, 0},
    {"arp_sha", NULL, K_ETH, PRE_ARP, FIELD(arp.sha), S_U8, 0, 0},
    {"arp_tha", NULL, K_ETH, PRE_ARP, FIELD(arp.tha), S_U8, 0, 0},
    {"mpls_label", NULL, K_NUMBER, PRE_MPLS, FIELD(mpls.lse_be[0]), S_BE32, 20, 12},
    {"mpls_tc", NULL, K_NUMBER, PRE_MPLS, FIELD(mpls.lse_be[0]), S_BE32, 3, 9},
    {"mpls_bos", NULL, K_NUMBER, PRE_MPLS, FIELD(mpls.lse_be[0]), S_BE32, 1, 8},
    {"mpls_ttl", NULL, K_NUMBER, PRE_MPLS, FIELD(mpls.lse_be[0]), S_BE32, 8, 0},
};

struct filter {
    struct flow *flow, *mask;
    int64_t (*port_no)(const char *name, void *aux);
    void *aux;
};

static bool
is_ip_proto(const struct flow *f, uint16_t eth_type, uint8_t proto)
{
    return f->eth.type_be == htons(eth_type) && f->ip.proto == proto;
}

static bool
is_ip_proto_any(const struct flow *f, uint8_t proto)
{
    return is_ip_proto(f, ETH_TYPE_IPV4, proto) || is_ip_proto(f, ETH_TYPE_IPV6, proto);
}

static bool
prerequisite_met(const struct flow *f, enum prerequisite pre)
{
    uint16_t type = ntohs(f->eth.type_be);

    switch (pre) {
    case PRE_IP4:
        return type == ETH_TYPE_IPV4;
    case PRE_IP6:
        return type == ETH_TYPE_IPV6;
    case PRE_IP:
        return type == ETH_TYPE_IPV4 || type == ETH_TYPE_IPV6;
    case PRE_ARP:
        return type == ETH_TYPE_ARP || type == ETH_TYPE_RARP;
    case PRE_MPLS:
        return type == ETH_TYPE_MPLS || type == ETH_TYPE_MPLS_MCAST;
    case PRE_TCP:
        return is_ip_proto_any(f, IP_PROTO_TCP);
    case PRE_UDP:
        return is_ip_proto_any(f, IP_PROTO_UDP);
    case PRE_SCTP:
        return is_ip_proto_any(f, IP_PROTO_SCTP);
    case PRE_PORTS:
        return is_ip_proto_any(f, IP_PROTO_TCP) || is_ip_proto_any(f, IP_PROTO_UDP) ||
               is_ip_proto_any(f, IP_PROTO_SCTP);
    case PRE_ICMP:
        return is_ip_proto(f, ETH_TYPE_IPV4, IP_PROTO_ICMP);
    case PRE_ICMP6:
        return is_ip_proto(f, ETH_TYPE_IPV6, IP_PROTO_ICMPV6);
    case PRE_ND:
        return is_ip_proto(f, ETH_TYPE_IPV6, IP_PROTO_ICMPV6) &&
               (f->l4.src_be == htons(135) || f->l4.src_be == htons(136));
    case PRE_NONE:
        break;
    }
    return true;
}

/* Merges `value` at `to` under `bits`; what other fields put into the member stays. */
static void
store_bits(void *to, enum store store, uint32_t value, uint32_t bits)
{
    uint8_t v8;
    uint16_t v16;
    uint32_t v32;

    switch (store) {
    case S_U8:
        memcpy(&v8, to, sizeof v8);
        v8 = (uint8_t) ((v8 & ~bits) | value);
        memcpy(to, &v8, sizeof v8);
        return;
    case S_U16:
    case S_BE16:
        memcpy(&v16, to, sizeof v16);
        v16 = store == S_BE16 ? ntohs(v16) : v16;
        v16 = (uint16_t) ((v16 & ~bits) | value);
        v16 = store == S_BE16 ? htons(v16) : v16;
        memcpy(to, &v16, sizeof v16);
        return;
    case S_U32:
    case S_BE32:
        break;
    }
    memcpy(&v32, to, sizeof v32);
    v32 = store == S_BE32 ? ntohl(v32) : v32;
    v32 = (v32 & ~bits) | value;
    v32 = store == S_BE32 ? htonl(v32) : v32;
    memcpy(to, &v32, sizeof v32);
}

static void
put_number(struct filter *fl, const struct field *f, uint32_t value)
{
    uint32_t bits = (f->bits == 32 ? UINT32_MAX : (1u << f->bits) - 1) << f->shift;

    store_bits((uint8_t *) fl->flow + f->ofs, f->store, value << f->shift, bits);
    store_bits((uint8_t *) fl->mask + f->ofs, f->store, bits, bits);
}

static bool
port_value(const struct filter *fl, const char *text, uint64_t *number)
{
    int64_t no;

    if (num_parse_u64(text, 0, UINT32_MAX, number)) {
        return true;
    }
    no = *text && fl->port_no ? fl->port_no(text, fl->aux) : -1;
    *number = (uint64_t) no;
    return no >= 0;
}

static bool
frag_value(const char *text, uint64_t *number)
{
    if (!strcmp(text, "no") || !strcmp(text, "first") || !strcmp(text, "later")) {
        *number = text[0] == 'n'   ? 0
                  : text[0] == 'f' ? FLOW_FRAG_ANY
                                   : FLOW_FRAG_ANY | FLOW_FRAG_LATER;
        return true;
    }
    return false;
}

/* Why not, or NULL. */
static const char *
put_field(struct filter *fl, const struct field *f, const char *text)
{
    uint8_t *to = (uint8_t *) fl->flow + f->ofs, *mask = (uint8_t *) fl->mask + f->ofs;
    struct eth_addr ea;
    uint64_t number = 0;
    bool ok;

    if (strchr(text, '/')) {
        return "wildcards not allowed here";
    }
    switch (f->kind) {
    case K_ETH:
        if (!eth_addr_parse(text, &ea)) {
            return "invalid Ethernet address";
        }
        memcpy(to, &ea, sizeof ea);
        memset(mask, 0xff, sizeof ea);
        return NULL;
    case K_IP4:
    case K_IP6:
        if (inet_pton(f->kind == K_IP4 ? AF_INET : AF_INET6, text, to) != 1) {
            return f->kind == K_IP4 ? "invalid IP address" : "invalid IPv6 address";
        }
        memset(mask, 0xff, f->kind == K_IP4 ? 4 : 16);
        return NULL;
    case K_PORT:
        if (!port_value(fl, text, &number)) {
            return "invalid or unknown port for in_port";
        }
        break;
    case K_FRAG:
        if (!frag_value(text, &number)) {
            return "none of no, first and later";
        }
        break;
    case K_NUMBER:
        ok =
            num_parse_u64(text, 0, f->bits == 32 ? UINT32_MAX : (1ull << f->bits) - 1, &number);
        if (!ok) {
            return "not a number in the range of the field";
        }
        break;
    }
    put_number(fl, f, (uint32_t) number);
    return NULL;
}

/* The fields that OpenFlow makes of the outermost tag; they say that there is one. */
static bool
put_vlan(struct filter *fl, const char *name, const char *text, const char **problem)
{
    static const struct field vid = {
        .ofs = FIELD(vlan.tag[0].tci_be), .store = S_BE16, .bits = 12};
    static const struct field pcp = {
        .ofs = FIELD(vlan.tag[0].tci_be), .store = S_BE16, .bits = 3, .shift = 13};
    static const struct field cfi = {
        .ofs = FIELD(vlan.tag[0].tci_be), .store = S_BE16, .bits = 1, .shift = 12};
    bool is_vid = !strcmp(name, "dl_vlan") || !strcmp(name, "vlan_vid");

    if (!is_vid && strcmp(name, "dl_vlan_pcp") && strcmp(name, "vlan_pcp")) {
        return false;
    }
    *problem = put_field(fl, is_vid ? &vid : &pcp, text);
    if (!*problem) {
        put_number(fl, &cfi, 1);
    }
    return true;
}

static bool
put_protocol(struct filter *fl, const char *name)
{
    const struct flow_protocol *p = flow_protocol_by_name(strcmp(name, "ipv4") ? name : "ip");

    if (!p) {
        return !strcmp(name, "eth"); /* any */
    }
    fl->flow->eth.type_be = htons(p->eth_type);
    fl->mask->eth.type_be = UINT16_MAX;
    if (p->ip_proto) {
        fl->flow->ip.proto = p->ip_proto;
        fl->mask->ip.proto = UINT8_MAX;
    }
    return true;
}

static bool
put_item(struct filter *fl, const char *all, const char *name, const char *value, char **errp)
{
    const char *problem = NULL;

    if (put_protocol(fl, name)) {
        return true;
    }
    if (put_vlan(fl, name, value, &problem)) {
        goto done;
    }
    for (size_t i = 0; i < ARRAY_SIZE(fields); i++) {
        const struct field *f = &fields[i];

        if (strcmp(name, f->name) && (!f->alias || strcmp(name, f->alias))) {
            continue;
        }
        if (!prerequisite_met(fl->flow, f->pre)) {
            error_set(errp, "%s: prerequisites not met for setting %s", all, name);
            return false;
        }
        problem = put_field(fl, f, value);
        goto done;
    }
    error_set(errp, "%s: unknown field %s", all, name);
    return false;

done:
    if (problem) {
        error_set(errp, "%s: bad value for %s (%s: %s)", all, name, value, problem);
    }
    return !problem;
}

int
flow_filter_parse(const char *text, struct flow *flow, struct flow *mask,
                  int64_t (*port_no)(const char *, void *), void *aux, char **errp)
{
    struct filter fl = {flow, mask, port_no, aux};
    static const char separators[] = ", \t\n\r";
    char *copy = xstrdup(text), *at = copy;
    bool ok = true;

    memset(flow, 0, sizeof *flow);
    memset(mask, 0, sizeof *mask);
    while (ok && *(at += strspn(at, separators))) {
        char *name = at, *value, *end;
        char kind = '\0';

        at += strcspn(at, ", \t\n\r=(");
        end = at;
        value = at;
        if (*at == '=' || *at == '(') {
            kind = *at;
            value = ++at;
            at += kind == '=' ? strcspn(at, separators) : strcspn(at, ")");
        }
        if (kind == '(' && !*at) {
            error_set(errp, "%s: %s has no closing parenthesis", text, name);
            ok = false;
            break;
        }
        /* What ends the value becomes the end of the string; so does what ends the name. */
        if (*at) {
            *at++ = '\0';
        }
        *end = '\0';
        ok = put_item(&fl, text, name, value, errp);
    }
    free(copy);
    if (!ok) {
        memset(flow, 0, sizeof *flow);
        memset(mask, 0, sizeof *mask);
    }
    return ok ? 0 : EINVAL;
}
