/* SPDX-License-Identifier: Apache-2.0 */
/* Field values, ports and tables as text, both ways, in the notation of the stock tools
 * (ovs-fields(7)).  Called by the printers of matches and actions and by ofproto/trace, on
 * main; knows nothing of messages. */

#include "openflow/of-field.h"

#include <arpa/inet.h>
#include <ctype.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <strings.h>
#include "openflow/of-text.h"
#include "util/compiler.h"
#include "util/num.h"
#include "util/xalloc.h"

static const struct {
    const char *name;
    uint16_t port;
} port_names[] = {
    {"UNSET", OFPP_UNSET},
    {"IN_PORT", OFPP_IN_PORT},
    {"TABLE", OFPP_TABLE},
    {"NORMAL", OFPP_NORMAL},
    {"FLOOD", OFPP_FLOOD},
    {"ALL", OFPP_ALL},
    {"CONTROLLER", OFPP_CONTROLLER},
    {"LOCAL", OFPP_LOCAL},
    {"ANY", OFPP_NONE},
    {"NONE", OFPP_NONE},
};

/* A name that could be taken for something else is put in quotes, as in JSON. */
static void
name_format(const char *name, struct strbuf *s)
{
    bool plain = isalpha((unsigned char) name[0]) || name[0] == '_';

    for (const char *p = name; *p && plain; p++) {
        plain = isalnum((unsigned char) *p) || *p == '_';
    }
    if (plain) {
        strbuf_puts(s, name);
        return;
    }
    strbuf_putc(s, '"');
    for (const char *p = name; *p; p++) {
        if (*p == '"' || *p == '\\') {
            strbuf_putc(s, '\\');
        }
        strbuf_putc(s, *p);
    }
    strbuf_putc(s, '"');
}

void
of_port_format(uint16_t port, const struct of_names *names, struct strbuf *s)
{
    const char *name = NULL;

    for (unsigned i = 0; i < ARRAY_SIZE(port_names); i++) {
        if (port_names[i].port == port) {
            strbuf_puts(s, port_names[i].name);
            return;
        }
    }
    if (names && names->port && (name = names->port(port, names->aux))) {
        name_format(name, s);
    } else {
        strbuf_putf(s, "%u", port);
    }
}

void
of_table_format(uint8_t table, const struct of_names *names, struct strbuf *s)
{
    const char *name = names && names->table ? names->table(table, names->aux) : NULL;

    if (name) {
        name_format(name, s);
    } else {
        strbuf_putf(s, "%u", table);
    }
}

bool
of_port_parse(const char *text, int (*by_name)(const char *, void *), void *aux, uint16_t *port)
{
    uint64_t n;
    int known;

    if (num_parse_u64(text, 0, UINT32_MAX, &n)) {
        return of_port_from_32((uint32_t) n, port) && n != OFPP_UNSET;
    }
    for (unsigned i = 1; i < ARRAY_SIZE(port_names); i++) {
        if (!strcasecmp(text, port_names[i].name)) {
            *port = port_names[i].port;
            return true;
        }
    }
    known = by_name ? by_name(text, aux) : -1;
    *port = (uint16_t) known;
    return known >= 0 && known <= UINT16_MAX;
}

/* -- Values. -- */

static const char *const tcp_flag_names[] = {"fin", "syn", "rst", "psh",   "ack",   "urg",
                                             "ece", "cwr", "ns",  "[200]", "[400]", "[800]"};

void
of_tcp_flags_format(uint16_t flags, uint16_t mask, struct strbuf *s)
{
    bool exact = (mask & 0xfff) == 0xfff;

    if (exact && !flags) {
        strbuf_puts(s, "0");
        return;
    }
    for (unsigned i = 0; i < ARRAY_SIZE(tcp_flag_names); i++) {
        if (exact) {
            if (flags & 1u << i) {
                strbuf_putf(s, "%s|", tcp_flag_names[i]);
            }
        } else if (mask & 1u << i) {
            strbuf_putf(s, "%c%s", flags & 1u << i ? '+' : '-', tcp_flag_names[i]);
        }
    }
    if (exact) {
        strbuf_chomp(s, "|");
    }
}

static bool
tcp_flags_parse(const char *text, uint16_t *flags, uint16_t *mask)
{
    *flags = 0;
    *mask = *text == '+' || *text == '-' ? 0 : 0xfff; /* a list: exactly these */
    while (*text) {
        bool set = *text != '-';
        size_t len;
        unsigned i;

        if (*text == '+' || *text == '-') {
            text++;
        }
        len = strcspn(text, "+-|");
        for (i = 0; i < ARRAY_SIZE(tcp_flag_names); i++) {
            if (strlen(tcp_flag_names[i]) == len &&
                !strncasecmp(tcp_flag_names[i], text, len)) {
                break;
            }
        }
        if (i == ARRAY_SIZE(tcp_flag_names)) {
            return false;
        }
        *mask |= (uint16_t) (1u << i);
        *flags |= (uint16_t) (set ? 1u << i : 0);
        text += len;
        if (*text == '|') {
            *mask = 0xfff;
            text++;
        }
    }
    return true;
}

static const struct {
    const char *name;
    uint8_t value, mask;
} frags[] = {
    {"no", 0, 3},
    {"yes", FLOW_FRAG_ANY, FLOW_FRAG_ANY},
    {"first", FLOW_FRAG_ANY, 3},
    {"later", FLOW_FRAG_ANY | FLOW_FRAG_LATER, 3},
    {"not_later", 0, FLOW_FRAG_LATER},
    {"no", 0, FLOW_FRAG_ANY}, /* from here on only printed */
    {"later", FLOW_FRAG_LATER, FLOW_FRAG_LATER},
};

void
of_frag_format(uint8_t value, uint8_t mask, struct strbuf *s)
{
    for (unsigned i = 0; i < ARRAY_SIZE(frags); i++) {
        if (frags[i].mask == (mask & 3) && frags[i].value == (value & mask & 3)) {
            strbuf_puts(s, frags[i].name);
            return;
        }
    }
    strbuf_puts(s, "<error>");
}

void
of_hex_format(const uint8_t *p, unsigned n, struct strbuf *s)
{
    while (n > 1 && !*p) {
        p++;
        n--;
    }
    if (n == 1 && !*p) {
        strbuf_puts(s, "0");
        return;
    }
    strbuf_putf(s, "0x%x", *p);
    for (unsigned i = 1; i < n; i++) {
        strbuf_putf(s, "%02x", p[i]);
    }
}

enum notation { N_HEX, N_DEC, N_PORT, N_ETH, N_IPV4, N_IPV6, N_FRAG, N_TCP_FLAGS, N_PT };

static enum notation
field_notation(enum of_field f)
{
    switch (f) {
    case OFF_IN_PORT:
    case OFF_IN_PORT_OXM:
    case OFF_ACTSET_OUTPUT:
        return N_PORT;
    case OFF_ETH_SRC:
    case OFF_ETH_DST:
    case OFF_ARP_SHA:
    case OFF_ARP_THA:
    case OFF_ND_SLL:
    case OFF_ND_TLL:
        return N_ETH;
    case OFF_IPV4_SRC:
    case OFF_IPV4_DST:
    case OFF_ARP_SPA:
    case OFF_ARP_TPA:
        return N_IPV4;
    case OFF_IPV6_SRC:
    case OFF_IPV6_DST:
    case OFF_ND_TARGET:
        return N_IPV6;
    case OFF_IP_FRAG:
        return N_FRAG;
    case OFF_TCP_FLAGS:
        return N_TCP_FLAGS;
    case OFF_PACKET_TYPE:
        return N_PT;
    case OFF_CONJ_ID:
    case OFF_ND_RESERVED:
    case OFF_ND_OPTIONS_TYPE:
    case OFF_DL_VLAN:
    case OFF_VLAN_VID:
    case OFF_DL_VLAN_PCP:
    case OFF_VLAN_PCP:
    case OFF_MPLS_LABEL:
    case OFF_MPLS_TC:
    case OFF_MPLS_BOS:
    case OFF_MPLS_TTL:
    case OFF_IP_PROTO:
    case OFF_IP_TOS:
    case OFF_IP_DSCP:
    case OFF_IP_ECN:
    case OFF_IP_TTL:
    case OFF_ARP_OP:
    case OFF_TCP_SRC:
    case OFF_TCP_DST:
    case OFF_UDP_SRC:
    case OFF_UDP_DST:
    case OFF_SCTP_SRC:
    case OFF_SCTP_DST:
    case OFF_ICMPV4_TYPE:
    case OFF_ICMPV4_CODE:
    case OFF_ICMPV6_TYPE:
    case OFF_ICMPV6_CODE:
        return N_DEC;
    default:
        return N_HEX;
    }
}

/* Bits of a prefix mask; -1 if it is none. */
static int
prefix_len(const uint8_t *mask, unsigned n)
{
    unsigned bits = 0;

    while (bits < n * 8 && mask[bits / 8] & 0x80 >> bits % 8) {
        bits++;
    }
    for (unsigned i = bits; i < n * 8; i++) {
        if (mask[i / 8] & 0x80 >> i % 8) {
            return -1;
        }
    }
    return (int) bits;
}

void
of_ip_format(const uint8_t *ip, const uint8_t *mask, unsigned n, struct strbuf *s)
{
    int af = n == 4 ? AF_INET : AF_INET6, bits = mask ? prefix_len(mask, n) : (int) n * 8;
    char text[INET6_ADDRSTRLEN];

    strbuf_puts(s, inet_ntop(af, ip, text, sizeof text));
    if (bits < 0) {
        strbuf_putf(s, "/%s", inet_ntop(af, mask, text, sizeof text));
    } else if ((unsigned) bits < n * 8) {
        strbuf_putf(s, "/%d", bits);
    }
}

static void
eth_format(const uint8_t *a, struct strbuf *s)
{
    strbuf_putf(s, ETH_ADDR_FMT, a[0], a[1], a[2], a[3], a[4], a[5]);
}

static void
number_format(enum of_field f, const struct of_value *v, const struct of_value *mask, bool dec,
              struct strbuf *s)
{
    unsigned n = of_field_info(f)->n_bytes;

    if (dec) {
        strbuf_putf(s, "%" PRIu64, of_value_to_u64(f, v));
    } else {
        of_hex_format(v->b, n, s);
    }
    if (mask) {
        strbuf_putc(s, '/');
        of_hex_format(mask->b, n, s);
    }
}

void
of_field_format(enum of_field f, const struct of_value *v, const struct of_value *mask,
                struct strbuf *s)
{
    enum notation notation = field_notation(f);
    uint16_t port = OFPP_NONE;
    uint32_t x = (uint32_t) of_value_to_u64(f, v);

    if (mask && of_value_is_ones(mask, f)) {
        mask = NULL;
    }
    if (mask && of_value_is_zero(mask, of_field_info(f)->n_bytes)) {
        strbuf_puts(s, "ANY");
        return;
    }
    switch (notation) {
    case N_PORT:
        if (!mask && (f == OFF_IN_PORT || of_port_from_32(x, &port))) {
            of_port_format(f == OFF_IN_PORT ? (uint16_t) x : port, NULL, s);
        } else {
            number_format(f, v, mask, true, s);
        }
        break;
    case N_ETH:
        eth_format(v->b, s);
        if (mask) {
            strbuf_putc(s, '/');
            eth_format(mask->b, s);
        }
        break;
    case N_IPV4:
        of_ip_format(v->b, mask ? mask->b : NULL, 4, s);
        break;
    case N_IPV6:
        of_ip_format(v->b, mask ? mask->b : NULL, 16, s);
        break;
    case N_FRAG:
        of_frag_format((uint8_t) x, mask ? mask->b[0] : 3, s);
        break;
    case N_TCP_FLAGS:
        of_tcp_flags_format((uint16_t) x, mask ? (uint16_t) of_value_to_u64(f, mask) : 0xfff,
                            s);
        break;
    case N_PT:
        strbuf_putf(s, "(%u,0x%x)", x >> 16, x & 0xffff);
        break;
    case N_HEX:
    case N_DEC:
    default:
        number_format(f, v, mask, notation == N_DEC, s);
        break;
    }
}

/* -- Parsing. -- */

/* Any number of n_bytes bytes, decimal (up to 64 bits) or hexadecimal. */
static bool
number_parse(const char *text, unsigned n, struct of_value *v)
{
    uint64_t x;
    size_t len;

    memset(v, 0, sizeof *v);
    if (num_parse_u64(text, 0, UINT64_MAX, &x)) {
        for (unsigned i = n; i-- > 0; x >>= 8) {
            v->b[i] = (uint8_t) x;
        }
        return !x;
    }
    if (text[0] != '0' || (text[1] | 32) != 'x') {
        return false;
    }
    text += 2 + strspn(text + 2, "0");
    len = strlen(text);
    if (len > 2 * n || strspn(text, "0123456789abcdefABCDEF") != len) {
        return false;
    }
    for (unsigned i = 0; i < len; i++) { /* digit i counted from the right */
        char c = (char) tolower((unsigned char) text[len - 1 - i]);

        v->b[n - 1 - i / 2] |= (uint8_t) ((c <= '9' ? c - '0' : c - 'a' + 10) << i % 2 * 4);
    }
    return true;
}

static bool
one_value_parse(enum of_field f, enum notation notation, const char *text, struct of_value *v)
{
    unsigned n = of_field_info(f)->n_bytes, ns, type;
    struct eth_addr ea;
    uint16_t port;
    char end;

    memset(v, 0, sizeof *v);
    switch (notation) {
    case N_PORT:
        if (!of_port_parse(text, NULL, NULL, &port)) {
            return false;
        }
        *v = of_value_from_u64(f, n == 4 ? of_port_to_32(port) : port);
        return true;
    case N_ETH:
        if (!eth_addr_parse(text, &ea)) {
            return false;
        }
        memcpy(v->b, ea.ea, 6);
        return true;
    case N_IPV4:
        return inet_pton(AF_INET, text, v->b) == 1;
    case N_IPV6:
        return inet_pton(AF_INET6, text, v->b) == 1;
    case N_PT:
        if (sscanf(text, "(%i,%i)%c", (int *) &ns, (int *) &type, &end) == 2) {
            *v = of_value_from_u64(f, (uint64_t) (ns & 0xffff) << 16 | (type & 0xffff));
            return ns <= 0xffff && type <= 0xffff;
        }
        return false;
    case N_FRAG:
        return false; /* words only, see words_parse() */
    case N_TCP_FLAGS:
    case N_HEX:
    case N_DEC:
    default:
        return number_parse(text, n, v);
    }
}

/* The words of ip_frag and tcp_flags, which say value and mask at once. */
static bool
words_parse(enum of_field f, const char *text, struct of_value *v, struct of_value *mask)
{
    uint16_t flags, m;

    if (f == OFF_TCP_FLAGS && *text && !isdigit((unsigned char) *text) &&
        tcp_flags_parse(text, &flags, &m)) {
        *v = of_value_from_u64(f, flags);
        *mask = of_value_from_u64(f, m);
        return true;
    }
    for (unsigned i = 0; f == OFF_IP_FRAG && i < ARRAY_SIZE(frags); i++) {
        if (!strcasecmp(text, frags[i].name)) {
            *v = of_value_from_u64(f, frags[i].value);
            *mask = of_value_from_u64(f, frags[i].mask);
            return true;
        }
    }
    return false;
}

static bool
mask_parse(enum of_field f, enum notation notation, const char *text, struct of_value *mask)
{
    unsigned n = of_field_info(f)->n_bytes;
    uint64_t bits;

    if ((notation == N_IPV4 || notation == N_IPV6) && num_parse_u64(text, 0, n * 8, &bits)) {
        memset(mask, 0, sizeof *mask);
        for (unsigned i = 0; i < bits; i++) {
            mask->b[i / 8] |= (uint8_t) (0x80 >> i % 8);
        }
        return true;
    }
    return one_value_parse(f, notation, text, mask);
}

/* Why one_value_parse() did not take it. */
static void
set_why(enum of_field f, enum notation notation, const char *text, char **errp)
{
    const struct of_field_info *info = of_field_info(f);
    uint64_t n;

    switch (notation) {
    case N_ETH:
        error_set(errp, "%s: invalid Ethernet address", text);
        break;
    case N_IPV4:
        error_set(errp, "%s: invalid IP address", text);
        break;
    case N_IPV6:
        error_set(errp, "%s: invalid IPv6 address", text);
        break;
    case N_FRAG:
        error_set(errp,
                  "%s: unknown fragment type (valid types are \"no\", \"yes\", \"first\", "
                  "\"later\", \"not_later\")",
                  text);
        break;
    case N_PORT:
    case N_PT:
    case N_TCP_FLAGS:
    case N_HEX:
    case N_DEC:
    default:
        if (num_parse_u64(text, 0, UINT64_MAX, &n)) {
            error_set(errp, "%s: value too large for %u-byte field %s", text, info->n_bytes,
                      info->name);
        } else {
            error_set(errp, "%s: bad syntax for %s value", text, info->name);
        }
        break;
    }
}

bool
of_field_parse(enum of_field f, const char *text, struct of_value *v, struct of_value *mask,
               char **errp)
{
    enum notation notation = field_notation(f);
    const char *slash = strchr(text, '/');
    char *head = slash ? xstrndup(text, (size_t) (slash - text)) : xstrdup(text);
    bool ok;

    of_field_ones(f, mask);
    ok =
        words_parse(f, text, v, mask) || (one_value_parse(f, notation, head, v) &&
                                          (!slash || mask_parse(f, notation, slash + 1, mask)));
    free(head);
    if (!ok) {
        set_why(f, notation, text, errp);
        return false;
    }
    if (!of_field_value_ok(f, v)) {
        error_set(errp, "%s: value is too large for %s", text, of_field_info(f)->name);
        return false;
    }
    return true;
}
