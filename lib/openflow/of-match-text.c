/* SPDX-License-Identifier: Apache-2.0 */
/* Matches as text, in the order and notation of the stock tools (ovs-ofctl dump-flows,
 * bridge/dump-flows, ofproto/trace), and back.  Called on main. */

#include "openflow/of-match.h"

#include <arpa/inet.h>
#include <endian.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <strings.h>
#include "openflow/of-text.h"
#include "flow/flow-protocols.h"
#include "packet/headers.h"
#include "util/compiler.h"
#include "util/xalloc.h"

#define DEFAULT_PRIORITY 32768

/* "name=value[/mask]," if the match has the field. */
static void
put_field(struct strbuf *s, const struct of_match *m, enum of_field f, const char *name)
{
    struct of_value value, mask;

    if (of_match_get(m, f, &value, &mask)) {
        strbuf_putf(s, "%s=", name);
        of_field_format(f, &value, &mask, s);
        strbuf_putc(s, ',');
    }
}

/* Transport ports: hexadecimal where masked. */
static void
put_port(struct strbuf *s, const char *name, uint16_t port_be, uint16_t mask_be)
{
    if (mask_be == UINT16_MAX) {
        strbuf_putf(s, "%s=%u,", name, ntohs(port_be));
    } else if (mask_be) {
        strbuf_putf(s, "%s=0x%x/0x%x,", name, ntohs(port_be), ntohs(mask_be));
    }
}

static void
put_packet_type(struct strbuf *s, const struct of_match *m)
{
    uint32_t type = m->flow.meta.packet_type;
    static const struct flow_eth no_eth;

    if (type) {
        strbuf_putf(s, "packet_type=(%u,0x%x),", type >> 16, type & 0xffff);
    } else if (m->mask.meta.recirc_id &&
               (m->mask.meta.packet_type || m->mask.vlan.tag[0].tci_be ||
                memcmp(&m->mask.eth, &no_eth, sizeof no_eth))) {
        strbuf_puts(s, "eth,"); /* a datapath flow */
    }
}

static void
put_vlan(struct strbuf *s, const struct of_match *m)
{
    for (unsigned i = 0; i < FLOW_MAX_VLANS; i++) {
        uint16_t tci = ntohs(m->flow.vlan.tag[i].tci_be);
        uint16_t mask = ntohs(m->mask.vlan.tag[i].tci_be);
        bool vid = (mask & VLAN_VID_MASK) == VLAN_VID_MASK;
        bool pcp = (mask & VLAN_PCP_MASK) == VLAN_PCP_MASK;
        char suffix[4] = "";

        if (!mask) {
            continue;
        }
        if (i) {
            snprintf(suffix, sizeof suffix, "%u", i);
        }
        if (mask & VLAN_CFI && tci & VLAN_CFI && (vid || pcp) &&
            (vid || !(mask & VLAN_VID_MASK)) && (pcp || !(mask & VLAN_PCP_MASK))) {
            if (vid) {
                strbuf_putf(s, "dl_vlan%s=%u,", suffix, tci & VLAN_VID_MASK);
            }
            if (pcp) {
                strbuf_putf(s, "dl_vlan_pcp%s=%u,", suffix, tci >> VLAN_PCP_SHIFT);
            }
        } else if (mask == 0xffff) {
            strbuf_putf(s, "vlan_tci%s=0x%04x,", suffix, tci);
        } else {
            strbuf_putf(s, "vlan_tci%s=0x%04x/0x%04x,", suffix, tci, mask);
        }
    }
}

static void
put_network(struct strbuf *s, const struct of_match *m, bool skip_proto)
{
    uint32_t label = ntohl(m->flow.ip.ipv6_label_be), mask = ntohl(m->mask.ip.ipv6_label_be);

    put_field(s, m, OFF_IPV6_SRC, "ipv6_src");
    put_field(s, m, OFF_IPV6_DST, "ipv6_dst");
    if ((mask & 0xfffff) == 0xfffff) {
        strbuf_putf(s, "ipv6_label=0x%05x,", label);
    } else if (mask) {
        strbuf_putf(s, "ipv6_label=0x%05x/0x%05x,", label, mask);
    }
    put_field(s, m, OFF_ARP_SPA, "arp_spa");
    put_field(s, m, OFF_ARP_TPA, "arp_tpa");
    put_field(s, m, OFF_IPV4_SRC, "nw_src");
    put_field(s, m, OFF_IPV4_DST, "nw_dst");
    if (!skip_proto) {
        put_field(s, m, OFF_IP_PROTO, "nw_proto");
    }
    put_field(s, m, OFF_ARP_OP, "arp_op");
    put_field(s, m, OFF_ARP_SHA, "arp_sha");
    put_field(s, m, OFF_ARP_THA, "arp_tha");
    if (m->mask.ip.tos & 0xfc) {
        strbuf_putf(s, "nw_tos=%u,", m->flow.ip.tos & 0xfc);
    }
    put_field(s, m, OFF_IP_ECN, "nw_ecn");
    put_field(s, m, OFF_IP_TTL, "nw_ttl");
}

/* The outermost label by its parts, others as the words they are. */
static void
put_mpls(struct strbuf *s, const struct of_match *m)
{
    put_field(s, m, OFF_MPLS_LABEL, "mpls_label");
    put_field(s, m, OFF_MPLS_TC, "mpls_tc");
    put_field(s, m, OFF_MPLS_TTL, "mpls_ttl");
    put_field(s, m, OFF_MPLS_BOS, "mpls_bos");
    for (unsigned i = 1; i < FLOW_MAX_MPLS; i++) {
        uint32_t lse = ntohl(m->flow.mpls.lse_be[i]), mask = ntohl(m->mask.mpls.lse_be[i]);

        if (mask == UINT32_MAX) {
            strbuf_putf(s, "mpls_lse%u=%" PRIu32 ",", i, lse);
        } else if (mask) {
            strbuf_putf(s, "mpls_lse%u=0x%08" PRIx32 "/0x%08" PRIx32 ",", i, lse, mask);
        }
    }
}

static void
put_transport(struct strbuf *s, const struct of_match *m)
{
    const struct flow_l4 *l4 = &m->flow.l4, *mask = &m->mask.l4;
    bool v6 = of_prereq_ok(OFQ_ICMPV6, &m->flow);

    if (m->mask.ip.frag) {
        strbuf_puts(s, "nw_frag=");
        of_frag_format(m->flow.ip.frag, m->mask.ip.frag, s);
        strbuf_putc(s, ',');
    }
    if (v6 || of_prereq_ok(OFQ_ICMPV4, &m->flow)) {
        put_port(s, "icmp_type", l4->src_be, mask->src_be);
        put_port(s, "icmp_code", l4->dst_be, mask->dst_be);
    } else {
        put_port(s, "tp_src", l4->src_be, mask->src_be);
        put_port(s, "tp_dst", l4->dst_be, mask->dst_be);
    }
    put_field(s, m, OFF_ND_TARGET, "nd_target");
    put_field(s, m, OFF_ND_SLL, "nd_sll");
    put_field(s, m, OFF_ND_TLL, "nd_tll");
    put_field(s, m, OFF_ND_RESERVED, "nd_reserved");
    put_field(s, m, OFF_ND_OPTIONS_TYPE, "nd_options_type");
    put_field(s, m, OFF_TCP_FLAGS, "tcp_flags");
}

/* Puts the protocol's word, and says what needs not be said any more. */
static void
put_word(struct strbuf *s, const struct of_match *m, bool *skip_type, bool *skip_proto)
{
    const struct flow_protocol *p;

    *skip_type = *skip_proto = false;
    if (m->mask.eth.type_be != UINT16_MAX) {
        return;
    }
    p = flow_protocol_find(ntohs(m->flow.eth.type_be),
                           m->mask.ip.proto == UINT8_MAX ? m->flow.ip.proto : 0);
    if (p) {
        strbuf_putf(s, "%s,", p->name);
        *skip_type = true;
        *skip_proto = p->ip_proto;
    }
}

static void
put_pipeline(struct strbuf *s, const struct of_match *m, const struct of_names *names)
{
    for (unsigned i = 0; i < ARRAY_SIZE(m->flow.regs.reg); i++) {
        char name[8];

        snprintf(name, sizeof name, "reg%u", i);
        put_field(s, m, (enum of_field)(OFF_REG0 + i), name);
    }
    put_field(s, m, OFF_TUN_ID, "tun_id");
    put_field(s, m, OFF_METADATA, "metadata");
    if (m->mask.meta.in_port) {
        strbuf_puts(s, "in_port=");
        of_port_format((uint16_t) m->flow.meta.in_port, names, s);
        strbuf_putc(s, ',');
    }
}

void
of_match_format(const struct of_match *m, int priority, const struct of_names *names,
                struct strbuf *s)
{
    bool skip_type, skip_proto;

    if (priority >= 0 && priority != DEFAULT_PRIORITY) {
        strbuf_putf(s, "priority=%d,", priority);
    }
    put_field(s, m, OFF_PKT_MARK, "pkt_mark");
    put_field(s, m, OFF_RECIRC_ID, "recirc_id");
    put_field(s, m, OFF_DP_HASH, "dp_hash");
    put_field(s, m, OFF_CONJ_ID, "conj_id");
    put_field(s, m, OFF_SKB_PRIORITY, "skb_priority");
    if (m->mask.regs.actset_output) {
        strbuf_puts(s, "actset_output=");
        of_port_format((uint16_t) m->flow.regs.actset_output, names, s);
        strbuf_putc(s, ',');
    }
    put_packet_type(s, m);
    put_word(s, m, &skip_type, &skip_proto);
    put_pipeline(s, m, names);
    put_vlan(s, m);
    put_field(s, m, OFF_ETH_SRC, "dl_src");
    put_field(s, m, OFF_ETH_DST, "dl_dst");
    if (!skip_type && m->mask.eth.type_be) {
        strbuf_putf(s, "dl_type=0x%04x,", ntohs(m->flow.eth.type_be));
    }
    put_network(s, m, skip_proto);
    put_mpls(s, m);
    put_transport(s, m);
    strbuf_chomp(s, ",");
}

/* -- Parsing. -- */

/* A field by the names that depend on the protocol, or any other. */
static enum of_field
field_for(const char *name, const struct of_match *m)
{
    bool udp = of_prereq_ok(OFQ_UDP, &m->flow), sctp = of_prereq_ok(OFQ_SCTP, &m->flow);
    bool v6 = of_prereq_ok(OFQ_ICMPV6, &m->flow);

    if (!strcmp(name, "tp_src")) {
        return udp ? OFF_UDP_SRC : sctp ? OFF_SCTP_SRC : OFF_TCP_SRC;
    }
    if (!strcmp(name, "tp_dst")) {
        return udp ? OFF_UDP_DST : sctp ? OFF_SCTP_DST : OFF_TCP_DST;
    }
    if (!strcmp(name, "icmp_type")) {
        return v6 ? OFF_ICMPV6_TYPE : OFF_ICMPV4_TYPE;
    }
    if (!strcmp(name, "icmp_code")) {
        return v6 ? OFF_ICMPV6_CODE : OFF_ICMPV4_CODE;
    }
    return of_field_by_name(name, strlen(name));
}

struct parser {
    struct of_match *m;
    int (*port)(const char *name, void *aux);
    void *aux;
    bool exact; /* a flow, not a match */
    char **errp;
};

/* A value, but of ports; false with a sentence. */
static bool
parse_value(const struct parser *p, const char *name, enum of_field f, const char *text,
            struct of_value *value, struct of_value *mask)
{
    char *why = NULL;

    if (!of_field_parse(f, text, value, mask, &why)) {
        error_set(p->errp, "bad value for %s (%s)", name, why);
        free(why);
        return false;
    }
    if (p->exact && f != OFF_IP_FRAG && !of_value_is_ones(mask, f)) {
        error_set(p->errp, "bad value for %s (%s: wildcards not allowed here)", name, text);
        return false;
    }
    return true;
}

static bool
parse_pair(const struct parser *p, const char *name, const char *text)
{
    struct of_match *m = p->m;
    char **errp = p->errp;
    enum of_field f = field_for(name, m);
    struct of_value value, mask;
    uint16_t number;

    if (f == OFF_N) {
        error_set(errp, "unknown field %s", name);
        return false;
    }
    if (of_field_info(f)->place == OFL_PORT || f == OFF_IN_PORT) {
        if (!of_port_parse(text, p->port, p->aux, &number)) {
            error_set(errp, "bad value for %s (%s: invalid or unknown port for %s)", name, text,
                      name);
            return false;
        }
        value = of_value_from_u64(f, f == OFF_IN_PORT ? number : of_port_to_32(number));
        of_field_ones(f, &mask);
    } else if (f == OFF_DL_VLAN && !strcasecmp(text, "0xffff")) {
        f = OFF_VLAN_TCI; /* no tag */
        memset(&value, 0, sizeof value);
        mask = of_value_from_u64(f, VLAN_CFI | VLAN_VID_MASK);
    } else if (!parse_value(p, name, f, text, &value, &mask)) {
        return false;
    }
    if (!of_field_info(f)->maskable && !of_value_is_ones(&mask, f)) {
        error_set(errp, "%s: invalid mask for field %s", text, name);
        return false;
    }
    if (!of_field_prereqs_ok(f, &m->flow)) {
        error_set(errp, "prerequisites not met for setting %s", name);
        return false;
    }
    if (!of_field_is_zero(f, &m->mask) && f != OFF_VLAN_TCI) {
        error_set(errp, "field %s set multiple times", of_field_info(f)->name);
        return false;
    }
    of_match_set(m, f, &value, &mask);
    return true;
}

/* Cuts the next word off `*p`: up to a comma or space outside of parentheses. */
static char *
next_token(char **p)
{
    char *start = *p + strspn(*p, ", \t\n"), *end = start;
    unsigned depth = 0;

    for (; *end && (depth || !strchr(", \t\n", *end)); end++) {
        depth += *end == '(';
        depth -= *end == ')' && depth;
    }
    *p = *end ? end + 1 : end;
    *end = '\0';
    return *start ? start : NULL;
}

/* A word without a value: the name of a protocol, or a field that nothing is said of. */
static bool
parse_word(const struct parser *parser, const char *word)
{
    const struct flow_protocol *p = flow_protocol_by_name(word);
    struct of_match *m = parser->m;
    bool another = m->mask.eth.type_be;

    if (!p && !strcmp(word, "eth")) {
        return true; /* any */
    }
    if (!p && field_for(word, m) != OFF_N) {
        return parse_pair(parser, word, "");
    }
    if (!p) {
        error_set(parser->errp, "unknown field %s", word);
        return false;
    }
    if (another && parser->exact) {
        error_set(parser->errp, "Ethernet type set multiple times");
        return false;
    }
    of_match_set_u64(m, OFF_ETH_TYPE, p->eth_type);
    if (p->ip_proto) {
        of_match_set_u64(m, OFF_IP_PROTO, p->ip_proto);
    }
    if (another) { /* the last one holds: what belongs to the former goes */
        of_match_normalize(m);
    }
    return true;
}

static bool
parse(const struct parser *p, const char *text)
{
    char *copy = xstrdup(text), *rest = copy, *token;
    bool ok = true;

    of_match_init(p->m);
    while (ok && (token = next_token(&rest))) {
        char *eq = strchr(token, '=');

        if (eq) {
            *eq = '\0';
            ok = parse_pair(p, token, eq + 1);
        } else {
            ok = parse_word(p, token);
        }
    }
    free(copy);
    return ok;
}

bool
of_match_parse(const char *text, struct of_match *m, int (*port)(const char *, void *),
               void *aux, char **errp)
{
    return parse(&(struct parser){m, port, aux, false, errp}, text);
}

bool
of_match_parse_flow(const char *text, struct of_match *m, int (*port)(const char *, void *),
                    void *aux, char **errp)
{
    return parse(&(struct parser){m, port, aux, true, errp}, text);
}
