/* SPDX-License-Identifier: Apache-2.0 */
/* Datapath actions as text, in the layout that dpctl/dump-flows and ofproto/trace have.  Called
 * by control commands on main. */

#include <arpa/inet.h>
#include <inttypes.h>
#include <string.h>

#include "datapath/dp-actions.h"
#include "flow/flow-format.h"
#include "flow/flow-key.h"
#include "packet/headers.h"
#include "util/compiler.h"

static void (*punt_format)(struct strbuf *, const uint64_t *, uint16_t);

void
dp_actions_set_punt_format(void (*f)(struct strbuf *, const uint64_t *, uint16_t))
{
    punt_format = f;
}

struct fmt {
    struct strbuf *s;
    const struct dp_actions *acts;
    const char *(*port_name)(uint32_t, void *);
    void *aux;
};

/* Tools know 802.1Q as the type that goes without saying. */
static void
format_push_vlan(struct strbuf *s, uint16_t tpid, uint16_t tci)
{
    strbuf_puts(s, "push_vlan(");
    if (tpid != ETH_TYPE_VLAN) {
        strbuf_putf(s, "tpid=0x%04" PRIx16 ",", tpid);
    }
    strbuf_putf(s, "vid=%u,pcp=%u)", tci & VLAN_VID_MASK, tci >> VLAN_PCP_SHIFT);
}

static void
format_port(const struct fmt *f, uint32_t port)
{
    const char *name = f->port_name ? f->port_name(port, f->aux) : NULL;

    if (name) {
        strbuf_puts(f->s, name);
    } else {
        strbuf_putf(f->s, "%" PRIu32, port);
    }
}

/* Puts the value and mask of a set action where flow text looks for them. */
static void
load_set(const struct dp_actions *acts, const struct dp_action *a, struct flow *v,
         struct flow *m)
{
    unsigned n = flow_section_words[a->section], ofs = flow_section_flow_ofs[a->section];
    const uint64_t *words = dp_actions_words(acts) + a->arg;

    memcpy((flow_word *) v + ofs, words, n * 8);
    memcpy((flow_word *) m + ofs, words + n, n * 8);
    v->sections |= FS_BIT(a->section);
    if (a->section == FS_IP && a->hint == 6) {
        v->sections |= FS_BIT(FS_IPV6);
    } else if (a->section == FS_IPV6 || a->section == FS_IPV4) {
        v->sections |= FS_BIT(FS_IP);
    } else if (a->section == FS_L4) {
        v->ip.proto = a->hint;
        v->sections |= a->hint == IP_PROTO_ICMPV6 ? FS_BIT(FS_IPV6) : 0;
    }
}

static void
put_set(const struct fmt *f, const struct flow *v, const struct flow *m)
{
    const struct flow_format_opts opts = {.port_name = NULL};

    strbuf_puts(f->s, "set(");
    flow_format(f->s, v, m, &opts);
    strbuf_putc(f->s, ')');
}

/* What is one section here is two attributes in text, each set on its own.  Takes what it says
 * out of the mask; true if nothing is left of it. */
static bool
format_set_nd_ext(const struct fmt *f, const struct flow *v, struct flow *m)
{
    static const struct flow_nd none;
    struct flow ext;

    memset(&ext, 0, sizeof ext);
    ext.nd.reserved_be = m->nd.reserved_be;
    ext.nd.opt_type = m->nd.opt_type;
    if (ext.nd.reserved_be || ext.nd.opt_type) {
        put_set(f, v, &ext);
        m->nd.reserved_be = 0;
        m->nd.opt_type = 0;
        if (!memcmp(&m->nd, &none, sizeof none)) {
            return true;
        }
        strbuf_putc(f->s, ',');
    }
    return false;
}

/* One "set(...)".  What is two sections here (addresses and the rest of the IP header) is one
 * attribute in text; returns how many actions it took. */
static uint32_t
format_set(const struct fmt *f, uint32_t i, uint32_t end)
{
    const struct dp_action *a = &f->acts->a[i];
    struct flow v, m;
    uint32_t n = 1;

    memset(&v, 0, sizeof v);
    memset(&m, 0, sizeof m);
    load_set(f->acts, a, &v, &m);
    if (a->section == FS_IP && i + 1 < end && a[1].type == DP_ACT_SET &&
        (a[1].section == FS_IPV4 || a[1].section == FS_IPV6)) {
        load_set(f->acts, &a[1], &v, &m);
        n = 2;
    }
    if (a->section != FS_ND || !format_set_nd_ext(f, &v, &m)) {
        put_set(f, &v, &m);
    }
    return n;
}

static void format_list(const struct fmt *, uint32_t from, uint32_t n);

static void
format_check_pkt_len(const struct fmt *f, uint32_t i, const struct dp_check_pkt_len *c)
{
    strbuf_putf(f->s, "check_pkt_len(size=%" PRIu32 ",gt(", c->len);
    format_list(f, i + 1, c->n_greater);
    strbuf_puts(f->s, "),le(");
    format_list(f, i + 1 + c->n_greater, c->n_le);
    strbuf_puts(f->s, "))");
}

/* One action with what is nested in it; returns how many actions that were. */
static uint32_t
format_action(const struct fmt *f, uint32_t i, uint32_t end)
{
    const struct dp_action *a = &f->acts->a[i];
    const uint64_t *words = dp_actions_words(f->acts);
    uint32_t lse;

    switch ((enum dp_action_type) a->type) {
    case DP_ACT_OUTPUT:
        format_port(f, a->port);
        break;
    case DP_ACT_PUSH_VLAN:
        format_push_vlan(f->s, a->push_vlan.tpid, a->push_vlan.tci);
        break;
    case DP_ACT_POP_VLAN:
        strbuf_puts(f->s, "pop_vlan");
        break;
    case DP_ACT_SET:
        return format_set(f, i, end);
    case DP_ACT_PUSH_MPLS:
        lse = ntohl(a->lse_be);
        strbuf_putf(f->s,
                    "push_mpls(label=%" PRIu32 ",tc=%u,ttl=%u,bos=%u,eth_type=0x%" PRIx16 ")",
                    lse >> 12, lse >> 9 & 7, lse & 0xff, lse >> 8 & 1, a->n);
        break;
    case DP_ACT_POP_MPLS:
        strbuf_putf(f->s, "pop_mpls(eth_type=0x%" PRIx16 ")", a->n);
        break;
    case DP_ACT_HASH:
        strbuf_putf(f->s, "hash(%s(%" PRIu32 "))", a->n == DP_HASH_SYM_L4 ? "sym_l4" : "l4",
                    a->basis);
        break;
    case DP_ACT_RECIRC:
        strbuf_putf(f->s, "recirc(%#" PRIx32 ")", a->recirc_id);
        break;
    case DP_ACT_METER:
        strbuf_putf(f->s, "meter(%" PRIu32 ")", a->meter_id);
        break;
    case DP_ACT_TRUNC:
        strbuf_putf(f->s, "trunc(%" PRIu32 ")", a->max_len);
        break;
    case DP_ACT_CLONE:
        strbuf_puts(f->s, "clone(");
        format_list(f, i + 1, a->n);
        strbuf_putc(f->s, ')');
        return 1 + a->n;
    case DP_ACT_CHECK_PKT_LEN: {
        struct dp_check_pkt_len c;

        memcpy(&c, &words[a->arg], sizeof c);
        format_check_pkt_len(f, i, &c);
        return 1u + c.n_greater + c.n_le;
    }
    case DP_ACT_PUNT:
        if (punt_format) {
            punt_format(f->s, &words[a->arg], a->n);
        } else {
            strbuf_puts(f->s, "userspace(pid=0)");
        }
        break;
    }
    return 1;
}

static void
format_list(const struct fmt *f, uint32_t from, uint32_t n)
{
    uint32_t end = from + n;

    if (!n) {
        strbuf_puts(f->s, "drop");
    }
    for (uint32_t i = from; i < end;) {
        if (i > from) {
            strbuf_putc(f->s, ',');
        }
        i += format_action(f, i, end);
    }
}

void
dp_actions_format(struct strbuf *s, const struct dp_actions *acts,
                  const char *(*port_name)(uint32_t, void *), void *aux)
{
    const struct fmt f = {.s = s, .acts = acts, .port_name = port_name, .aux = aux};

    format_list(&f, 0, acts->n);
}
