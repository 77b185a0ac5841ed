/* SPDX-License-Identifier: Apache-2.0 */
/* Flow text to flow: what netdev-dummy/receive is given instead of bytes.  Called by control
 * commands on main.  The text comes from anybody: every error names the part not understood. */

#include "flow/flow-format.h"

#include <arpa/inet.h>
#include <ctype.h>
#include <errno.h>
#include <stdlib.h>
#include <stddef.h>

#include "packet/headers.h"
#include "util/compiler.h"
#include "util/num.h"
#include "util/xalloc.h"

#define TOKEN_MAX 64

enum field_kind {
    F_U8,
    F_U16,
    F_BE16,
    F_BE16_OF_8,
    F_U32,
    F_BE32,
    F_LABEL,
    F_ETH,
    F_IP4,
    F_IP6,
    F_FRAG
};

/* "item(key=value)"; an empty key is "item(value)". */
static const struct field_desc {
    const char *item, *key;
    enum field_kind kind;
    size_t ofs; /* in struct flow */
} fields[] = {
    {"recirc_id", "", F_U32, offsetof(struct flow, meta.recirc_id)},
    {"dp_hash", "", F_U32, offsetof(struct flow, meta.dp_hash)},
    {"skb_priority", "", F_U32, offsetof(struct flow, meta.skb_priority)},
    {"skb_mark", "", F_U32, offsetof(struct flow, meta.pkt_mark)},
    {"eth", "src", F_ETH, offsetof(struct flow, eth.src)},
    {"eth", "dst", F_ETH, offsetof(struct flow, eth.dst)},
    {"eth_type", "", F_BE16, offsetof(struct flow, eth.type_be)},
    {"ipv4", "src", F_IP4, offsetof(struct flow, ipv4.src_be)},
    {"ipv4", "dst", F_IP4, offsetof(struct flow, ipv4.dst_be)},
    {"ipv4", "proto", F_U8, offsetof(struct flow, ip.proto)},
    {"ipv4", "tos", F_U8, offsetof(struct flow, ip.tos)},
    {"ipv4", "ttl", F_U8, offsetof(struct flow, ip.ttl)},
    {"ipv4", "frag", F_FRAG, offsetof(struct flow, ip.frag)},
    {"ipv6", "src", F_IP6, offsetof(struct flow, ipv6.src)},
    {"ipv6", "dst", F_IP6, offsetof(struct flow, ipv6.dst)},
    {"ipv6", "label", F_LABEL, offsetof(struct flow, ip.ipv6_label_be)},
    {"ipv6", "proto", F_U8, offsetof(struct flow, ip.proto)},
    {"ipv6", "tclass", F_U8, offsetof(struct flow, ip.tos)},
    {"ipv6", "hlimit", F_U8, offsetof(struct flow, ip.ttl)},
    {"ipv6", "frag", F_FRAG, offsetof(struct flow, ip.frag)},
    {"tcp", "src", F_BE16, offsetof(struct flow, l4.src_be)},
    {"tcp", "dst", F_BE16, offsetof(struct flow, l4.dst_be)},
    {"udp", "src", F_BE16, offsetof(struct flow, l4.src_be)},
    {"udp", "dst", F_BE16, offsetof(struct flow, l4.dst_be)},
    {"sctp", "src", F_BE16, offsetof(struct flow, l4.src_be)},
    {"sctp", "dst", F_BE16, offsetof(struct flow, l4.dst_be)},
    {"icmp", "type", F_BE16_OF_8, offsetof(struct flow, l4.src_be)},
    {"icmp", "code", F_BE16_OF_8, offsetof(struct flow, l4.dst_be)},
    {"icmpv6", "type", F_BE16_OF_8, offsetof(struct flow, l4.src_be)},
    {"icmpv6", "code", F_BE16_OF_8, offsetof(struct flow, l4.dst_be)},
    {"arp", "sip", F_IP4, offsetof(struct flow, arp.spa_be)},
    {"arp", "tip", F_IP4, offsetof(struct flow, arp.tpa_be)},
    {"arp", "op", F_U16, offsetof(struct flow, arp.op)},
    {"arp", "sha", F_ETH, offsetof(struct flow, arp.sha)},
    {"arp", "tha", F_ETH, offsetof(struct flow, arp.tha)},
    {"nd", "target", F_IP6, offsetof(struct flow, nd.target)},
    {"nd", "sll", F_ETH, offsetof(struct flow, nd.sll)},
    {"nd", "tll", F_ETH, offsetof(struct flow, nd.tll)},
    {"nd_ext", "nd_reserved", F_BE32, offsetof(struct flow, nd.reserved_be)},
    {"nd_ext", "nd_options_type", F_U8, offsetof(struct flow, nd.opt_type)},
};

/* Items that say which layer there is. */
static const struct layer_desc {
    const char *item;
    uint16_t eth_type;  /* 0: any */
    uint16_t eth_type2; /* another that will do; 0: none */
    uint8_t proto;      /* with IP, 0: any */
    uint16_t sections;
} layers[] = {
    {"arp", ETH_TYPE_ARP, ETH_TYPE_RARP, 0, FS_BIT(FS_ARP)},
    {"mpls", ETH_TYPE_MPLS, ETH_TYPE_MPLS_MCAST, 0, FS_BIT(FS_MPLS)},
    {"ipv4", ETH_TYPE_IPV4, 0, 0, FS_BIT(FS_IP) | FS_BIT(FS_IPV4)},
    {"ipv6", ETH_TYPE_IPV6, 0, 0, FS_BIT(FS_IP) | FS_BIT(FS_IPV6)},
    {"tcp", 0, 0, IP_PROTO_TCP, FS_BIT(FS_L4)},
    {"udp", 0, 0, IP_PROTO_UDP, FS_BIT(FS_L4)},
    {"sctp", 0, 0, IP_PROTO_SCTP, FS_BIT(FS_L4)},
    {"icmp", ETH_TYPE_IPV4, 0, IP_PROTO_ICMP, FS_BIT(FS_L4)},
    {"icmpv6", ETH_TYPE_IPV6, 0, IP_PROTO_ICMPV6, FS_BIT(FS_L4)},
    {"nd", ETH_TYPE_IPV6, 0, IP_PROTO_ICMPV6, FS_BIT(FS_ND)},
    {"nd_ext", ETH_TYPE_IPV6, 0, IP_PROTO_ICMPV6, FS_BIT(FS_ND)},
    {"tcp_flags", 0, 0, IP_PROTO_TCP, FS_BIT(FS_L4)},
};

struct parser {
    const char *at; /* text without space */
    struct flow *flow;
    unsigned n_vlans, n_mpls;
    uint32_t layers; /* bit per layers[] item seen */
    int64_t (*port_no)(const char *name, void *aux);
    void *aux;
};

/* The text up to one of ",()=" or the end; false if it is too long. */
static bool
take_token(struct parser *ps, char token[TOKEN_MAX])
{
    size_t n = strcspn(ps->at, ",()=");

    if (n >= TOKEN_MAX) {
        return false;
    }
    memcpy(token, ps->at, n);
    token[n] = '\0';
    ps->at += n;
    return true;
}

static bool
take_char(struct parser *ps, char c)
{
    if (*ps->at != c) {
        return false;
    }
    ps->at++;
    return true;
}

/* One "key=value"; the key is left empty for a bare value. */
static bool
take_pair(struct parser *ps, char key[TOKEN_MAX], char value[TOKEN_MAX])
{
    key[0] = '\0';
    if (!take_token(ps, value)) {
        return false;
    }
    if (take_char(ps, '=')) {
        memcpy(key, value, TOKEN_MAX);
        return take_token(ps, value);
    }
    return true;
}

static bool
store_number(enum field_kind kind, const char *text, uint8_t *to)
{
    static const uint32_t max[] = {
        [F_U8] = UINT8_MAX,        [F_U16] = UINT8_MAX,  [F_BE16] = UINT16_MAX,
        [F_BE16_OF_8] = UINT8_MAX, [F_U32] = UINT32_MAX, [F_BE32] = UINT32_MAX,
        [F_LABEL] = 0xfffff};
    uint64_t v;
    uint16_t v16;
    uint32_t v32;

    if (!num_parse_u64(text, 0, max[kind], &v)) {
        return false;
    }
    if (kind == F_U8) {
        *to = (uint8_t) v;
    } else if (kind == F_U32 || kind == F_BE32 || kind == F_LABEL) {
        v32 = kind == F_U32 ? (uint32_t) v : htonl((uint32_t) v);
        memcpy(to, &v32, sizeof v32);
    } else {
        v16 = kind == F_U16 ? (uint16_t) v : htons((uint16_t) v);
        memcpy(to, &v16, sizeof v16);
    }
    return true;
}

static bool
store_frag(const char *text, uint8_t *to)
{
    if (!strcmp(text, "no")) {
        *to = 0;
    } else if (!strcmp(text, "first")) {
        *to = FLOW_FRAG_ANY;
    } else if (!strcmp(text, "later")) {
        *to = FLOW_FRAG_ANY | FLOW_FRAG_LATER;
    } else {
        return false;
    }
    return true;
}

static bool
store_field(struct flow *flow, const struct field_desc *f, const char *text)
{
    uint8_t *to = (uint8_t *) flow + f->ofs;
    struct eth_addr ea;

    switch (f->kind) {
    case F_ETH:
        if (!eth_addr_parse(text, &ea)) {
            return false;
        }
        memcpy(to, &ea, sizeof ea);
        return true;
    case F_IP4:
        return inet_pton(AF_INET, text, to) == 1;
    case F_IP6:
        return inet_pton(AF_INET6, text, to) == 1;
    case F_FRAG:
        return store_frag(text, to);
    case F_U8:
    case F_U16:
    case F_BE16:
    case F_BE16_OF_8:
    case F_U32:
    case F_BE32:
    case F_LABEL:
        break;
    }
    return store_number(f->kind, text, to);
}

/* The fields of an item described in fields[]; `*known`: there is such an item. */
static bool
parse_fields(struct parser *ps, const char *item, bool *known)
{
    char key[TOKEN_MAX], value[TOKEN_MAX];

    *known = false;
    for (size_t i = 0; i < ARRAY_SIZE(fields); i++) {
        *known |= !strcmp(fields[i].item, item);
    }
    if (!*known) {
        return false;
    }
    while (*ps->at != ')') {
        const struct field_desc *f = NULL;

        if (!take_pair(ps, key, value)) {
            return false;
        }
        for (size_t i = 0; i < ARRAY_SIZE(fields) && !f; i++) {
            if (!strcmp(fields[i].item, item) && !strcmp(fields[i].key, key)) {
                f = &fields[i];
            }
        }
        if (!f || !store_field(ps->flow, f, value) || (!take_char(ps, ',') && *ps->at != ')')) {
            return false;
        }
    }
    return true;
}

static bool
parse_in_port(struct parser *ps)
{
    char token[TOKEN_MAX];
    uint64_t v;
    int64_t no;

    if (!take_token(ps, token)) {
        return false;
    }
    if (num_parse_u64(token, 0, UINT32_MAX, &v)) {
        ps->flow->meta.in_port = (uint32_t) v;
        return true;
    }
    no = token[0] && ps->port_no ? ps->port_no(token, ps->aux) : -1;
    if (no < 0 || no > UINT32_MAX) {
        return false;
    }
    ps->flow->meta.in_port = (uint32_t) no;
    return true;
}

/* vlan(vid=,pcp=,cfi=) or vlan(tci=): the type so far is the tag's, what follows in encap() has
 * its own. */
static bool
parse_vlan(struct parser *ps)
{
    char key[TOKEN_MAX], value[TOKEN_MAX];
    struct flow *flow = ps->flow;
    uint16_t tci = VLAN_CFI;
    uint64_t v;

    while (*ps->at != ')') {
        if (!take_pair(ps, key, value)) {
            return false;
        }
        if (!strcmp(key, "vid") && num_parse_u64(value, 0, VLAN_VID_MASK, &v)) {
            tci |= (uint16_t) v;
        } else if (!strcmp(key, "pcp") && num_parse_u64(value, 0, 7, &v)) {
            tci |= (uint16_t) (v << VLAN_PCP_SHIFT);
        } else if (!strcmp(key, "tci") && num_parse_u64(value, 0, UINT16_MAX, &v)) {
            tci |= (uint16_t) v;
        } else if (strcmp(key, "cfi") || !num_parse_u64(value, 1, 1, &v)) {
            return false;
        }
        if (!take_char(ps, ',') && *ps->at != ')') {
            return false;
        }
    }
    if (ps->n_vlans >= FLOW_MAX_VLANS) {
        return false;
    }
    flow->vlan.tag[ps->n_vlans].tpid_be = htons(ETH_TYPE_VLAN);
    if (flow->eth.type_be == htons(ETH_TYPE_VLAN) ||
        flow->eth.type_be == htons(ETH_TYPE_QINQ)) {
        flow->vlan.tag[ps->n_vlans].tpid_be = flow->eth.type_be;
        flow->eth.type_be = 0;
    }
    flow->vlan.tag[ps->n_vlans++].tci_be = htons(tci);
    return true;
}

/* Groups of label=,tc=,ttl=,bos=; each label= begins an entry. */
static bool
parse_mpls(struct parser *ps)
{
    static const struct {
        const char *key;
        unsigned shift;
        uint32_t max;
    } parts[] = {{"label", 12, 0xfffff}, {"tc", 9, 7}, {"ttl", 0, 0xff}, {"bos", 8, 1}};
    char key[TOKEN_MAX], value[TOKEN_MAX];

    while (*ps->at != ')') {
        bool done = false;
        uint64_t v;

        if (!take_pair(ps, key, value)) {
            return false;
        }
        ps->n_mpls += !strcmp(key, "label");
        for (size_t i = 0; i < ARRAY_SIZE(parts); i++) {
            if (!strcmp(key, parts[i].key) && ps->n_mpls >= 1 && ps->n_mpls <= FLOW_MAX_MPLS &&
                num_parse_u64(value, 0, parts[i].max, &v)) {
                ps->flow->mpls.lse_be[ps->n_mpls - 1] |= htonl((uint32_t) v << parts[i].shift);
                done = true;
            }
        }
        if (!done || (!take_char(ps, ',') && *ps->at != ')')) {
            return false;
        }
    }
    return true;
}

static bool
parse_packet_type(struct parser *ps)
{
    char key[TOKEN_MAX], value[TOKEN_MAX];
    uint64_t v;

    while (*ps->at != ')') {
        if (!take_pair(ps, key, value) || !num_parse_u64(value, 0, UINT16_MAX, &v)) {
            return false;
        }
        if (!strcmp(key, "ns")) {
            ps->flow->meta.packet_type |= (uint32_t) v << 16;
        } else if (!strcmp(key, "id")) {
            ps->flow->meta.packet_type |= (uint32_t) v;
        } else {
            return false;
        }
        if (!take_char(ps, ',') && *ps->at != ')') {
            return false;
        }
    }
    return true;
}

/* A number, names joined by "|", or names with "+" and "-" before each. */
static bool
parse_tcp_flags(struct parser *ps)
{
    static const char *const names[] = {"fin", "syn", "rst", "psh",   "ack",   "urg",
                                        "ece", "cwr", "ns",  "[200]", "[400]", "[800]"};
    char token[TOKEN_MAX];
    uint16_t flags = 0;
    uint64_t v;

    if (!take_token(ps, token)) {
        return false;
    }
    if (num_parse_u64(token, 0, 0xfff, &v)) {
        ps->flow->l4.tcp_flags_be = htons((uint16_t) v);
        return true;
    }
    for (char *p = token; *p;) {
        bool set = *p != '-';
        size_t n, i;

        p += *p == '+' || *p == '-' || *p == '|';
        n = strcspn(p, "+-|");
        for (i = 0; i < ARRAY_SIZE(names); i++) {
            if (strlen(names[i]) == n && !memcmp(names[i], p, n)) {
                break;
            }
        }
        if (i == ARRAY_SIZE(names)) {
            if (!n || strspn(p, "0123456789abcdefxABCDEF") != n) {
                return false;
            }
            flags |= (uint16_t) (strtoul(p, NULL, 0) & 0xfff);
        } else if (set) {
            flags |= (uint16_t) (1u << i);
        }
        p += n;
    }
    ps->flow->l4.tcp_flags_be = htons(flags);
    return true;
}

static bool parse_items(struct parser *, int depth, const char **bad);

/* What stands between the parentheses of `item`. */
static bool
parse_body(struct parser *ps, const char *item, int depth, const char **bad)
{
    bool known;

    if (!strcmp(item, "encap")) {
        return depth < FLOW_MAX_VLANS && parse_items(ps, depth + 1, bad);
    }
    if (!strcmp(item, "in_port")) {
        return parse_in_port(ps);
    }
    if (!strcmp(item, "vlan")) {
        return parse_vlan(ps);
    }
    if (!strcmp(item, "mpls")) {
        return parse_mpls(ps);
    }
    if (!strcmp(item, "packet_type")) {
        return parse_packet_type(ps);
    }
    if (!strcmp(item, "tcp_flags")) {
        return parse_tcp_flags(ps);
    }
    if (!strncmp(item, "ct_", 3)) {
        /* Tracking state is not a property of a packet that arrives. */
        ps->at += strcspn(ps->at, "()");
        return true;
    }
    return parse_fields(ps, item, &known);
}

/* "item(...),item(...)" up to the end or a closing parenthesis.  `*bad`: the innermost item
 * that was not understood. */
static bool
parse_items(struct parser *ps, int depth, const char **bad)
{
    char item[TOKEN_MAX];

    while (*ps->at && *ps->at != ')') {
        const char *start = ps->at;

        if (!take_token(ps, item) || !take_char(ps, '(') || !parse_body(ps, item, depth, bad) ||
            !take_char(ps, ')')) {
            *bad = *bad ? *bad : start;
            return false;
        }
        for (size_t i = 0; i < ARRAY_SIZE(layers); i++) {
            ps->layers |= !strcmp(item, layers[i].item) ? 1u << i : 0;
        }
        take_char(ps, ',');
    }
    return true;
}

/* Draws the conclusions: which sections there are, and the types and protocols that layers
 * imply.  Returns the layer that contradicts what else is said, or NULL. */
static const char *
resolve_layers(struct parser *ps)
{
    struct flow *flow = ps->flow;

    flow->sections = FS_BIT(FS_META) | FS_BIT(FS_ETH) | (ps->n_vlans ? FS_BIT(FS_VLAN) : 0);
    for (size_t i = 0; i < ARRAY_SIZE(layers); i++) {
        const struct layer_desc *l = &layers[i];

        if (!(ps->layers >> i & 1)) {
            continue;
        }
        if (!flow->eth.type_be) {
            flow->eth.type_be = htons(l->eth_type);
        }
        if (!flow->ip.proto) {
            flow->ip.proto = l->proto;
        }
        if ((l->eth_type && flow->eth.type_be != htons(l->eth_type) &&
             (!l->eth_type2 || flow->eth.type_be != htons(l->eth_type2))) ||
            (l->proto && flow->ip.proto != l->proto)) {
            return l->item;
        }
        flow->sections |= l->sections;
    }
    return NULL;
}

/* Drops the entries behind the bottom of the stack, or behind one that was not given. */
static void
normalize_mpls(struct flow_mpls *mpls)
{
    bool end = false;

    for (int i = 0; i < FLOW_MAX_MPLS; i++) {
        if (end || (i && !mpls->lse_be[i])) {
            end = true;
            mpls->lse_be[i] = 0;
        }
        end |= (mpls->lse_be[i] & htonl(0x100)) != 0;
    }
}

/* Makes the flow one that extraction could have given. */
static void
normalize(struct flow *flow)
{
    uint16_t type = ntohs(flow->eth.type_be);
    bool v4 = type == ETH_TYPE_IPV4, v6 = type == ETH_TYPE_IPV6;
    uint8_t proto = flow->ip.proto;

    if (type < ETH_TYPE_MIN) {
        flow->eth.type_be = htons(ETH_TYPE_NONE);
    }
    if (type == ETH_TYPE_ARP || type == ETH_TYPE_RARP) {
        flow->sections |= FS_BIT(FS_ARP);
    } else {
        memset(&flow->arp, 0, sizeof flow->arp);
    }
    if (type == ETH_TYPE_MPLS || type == ETH_TYPE_MPLS_MCAST) {
        flow->sections |= FS_BIT(FS_MPLS);
        normalize_mpls(&flow->mpls);
    } else {
        memset(&flow->mpls, 0, sizeof flow->mpls);
    }
    if (v4 || v6) {
        flow->sections |= FS_BIT(FS_IP) | (v4 ? FS_BIT(FS_IPV4) : FS_BIT(FS_IPV6));
        if (!(flow->ip.frag & FLOW_FRAG_LATER) &&
            (proto == IP_PROTO_TCP || proto == IP_PROTO_UDP || proto == IP_PROTO_SCTP ||
             (v4 && proto == IP_PROTO_ICMP) || (v6 && proto == IP_PROTO_ICMPV6))) {
            flow->sections |= FS_BIT(FS_L4);
        } else {
            flow->sections &= ~(uint64_t) FS_BIT(FS_L4);
            memset(&flow->l4, 0, sizeof flow->l4);
        }
    } else {
        flow->sections &= ~(uint64_t) (FS_BIT(FS_L4) | FS_BIT(FS_IP));
        memset(&flow->ip, 0, sizeof flow->ip);
        memset(&flow->l4, 0, sizeof flow->l4);
    }
    if (v6 && proto == IP_PROTO_ICMPV6 && !flow->ip.frag && !flow->l4.dst_be &&
        (flow->l4.src_be == htons(135) || flow->l4.src_be == htons(136))) {
        flow->sections |= FS_BIT(FS_ND);
        /* Extraction takes the last option's type, and the target's option comes last. */
        if (!eth_addr_is_zero(flow->nd.tll)) {
            flow->nd.opt_type = ND_OPT_TLL;
        } else if (!eth_addr_is_zero(flow->nd.sll)) {
            flow->nd.opt_type = ND_OPT_SLL;
        }
    } else {
        flow->sections &= ~(uint64_t) FS_BIT(FS_ND);
        memset(&flow->nd, 0, sizeof flow->nd);
    }
}

int
flow_parse(const char *text, struct flow *flow, int64_t (*port_no)(const char *, void *),
           void *aux, char **errp)
{
    struct parser ps = {.flow = flow, .port_no = port_no, .aux = aux};
    char *copy = xstrdup(text), *to = copy;
    const char *bad = NULL, *layer;
    int error = 0;

    for (const char *p = text; *p; p++) {
        if (!isspace((unsigned char) *p)) {
            *to++ = *p;
        }
    }
    *to = '\0';
    ps.at = copy;
    memset(flow, 0, sizeof *flow);
    if (!parse_items(&ps, 0, &bad) || *ps.at) {
        error_set(errp, "syntax error at %s", bad ? bad : ps.at);
        error = EINVAL;
    } else if ((layer = resolve_layers(&ps))) {
        error_set(errp, "%s() contradicts the types and protocols of its outer layers", layer);
        error = EINVAL;
    } else {
        normalize(flow);
    }
    if (error) {
        memset(flow, 0, sizeof *flow);
    }
    free(copy);
    return error;
}
