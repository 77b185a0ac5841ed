/* SPDX-License-Identifier: Apache-2.0 */
/* Actions as text, as the stock tools print them behind "actions=" (ovs-actions(7)).  Called on
 * main by bridge/dump-flows and ofproto/trace. */

#include "openflow/of-actions.h"

#include <inttypes.h>
#include "openflow/of-actions-private.h"
#include "util/compiler.h"

#define CAST(TYPE, A) ((const struct TYPE *) (const void *) (A))

static void
put_output(struct strbuf *s, const struct of_act_output *o, const struct of_names *names)
{
    if (o->port < OFPP_MAX) {
        strbuf_puts(s, "output:");
    }
    of_port_format(o->port, names, s);
    if (o->port == OFPP_CONTROLLER) {
        strbuf_putf(s, ":%u", o->max_len);
    }
}

static void
put_bytes(struct strbuf *s, const uint8_t *p, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        strbuf_putf(s, "%s%02x", i ? "." : "", p[i]);
    }
}

static void
put_controller(struct strbuf *s, const struct of_act_controller *c)
{
    static const char *const reasons[OFPR_N] = {"no_match",   "action", "invalid_ttl",
                                                "action_set", "group",  "packet_out"};

    if (c->reason == OFPR_ACTION && !c->controller_id && !c->userdata_len && !c->pause &&
        c->meter_id == OF_CONTROLLER_NO_METER) {
        strbuf_putf(s, "CONTROLLER:%u", c->max_len);
        return;
    }
    strbuf_puts(s, "controller(");
    if (c->reason != OFPR_ACTION) {
        strbuf_putf(s, "reason=%s,", reasons[c->reason % OFPR_N]);
    }
    if (c->max_len != UINT16_MAX) {
        strbuf_putf(s, "max_len=%u,", c->max_len);
    }
    if (c->controller_id) {
        strbuf_putf(s, "id=%u,", c->controller_id);
    }
    if (c->userdata_len) {
        strbuf_puts(s, "userdata=");
        put_bytes(s, c->userdata, c->userdata_len);
        strbuf_putc(s, ',');
    }
    if (c->pause) {
        strbuf_puts(s, "pause,");
    }
    if (c->meter_id != OF_CONTROLLER_NO_METER) {
        strbuf_putf(s, "meter_id=%" PRIu32 ",", c->meter_id);
    }
    strbuf_chomp(s, ",");
    strbuf_putc(s, ')');
}

static void
put_bundle(struct strbuf *s, const struct of_act_bundle *b, const struct of_names *names)
{
    strbuf_putf(s, "%s(%s,%u,%s,ofport,", b->dst.n_bits ? "bundle_load" : "bundle",
                of_hash_fields_name(b->fields), b->basis,
                b->algorithm ? "hrw" : "active_backup");
    if (b->dst.n_bits) {
        of_subfield_format(&b->dst, s);
        strbuf_putc(s, ',');
    }
    strbuf_puts(s, "members:");
    for (unsigned i = 0; i < b->n_members; i++) {
        strbuf_puts(s, i ? "," : "");
        of_port_format(b->members[i], names, s);
    }
    strbuf_putc(s, ')');
}

static void
put_set_field(struct strbuf *s, const struct of_act_set_field *f)
{
    enum of_field field = (enum of_field) f->dst.f;
    uint8_t imm[16] = {0};
    uint64_t x = 0;

    if (f->act.type == OFA_LOAD) {
        of_bits_copy(f->value.b, of_field_info(field)->n_bytes, f->dst.ofs, imm, 16, 0,
                     f->dst.n_bits);
        for (unsigned i = 8; i < 16; i++) {
            x = x << 8 | imm[i];
        }
        strbuf_putf(s, x ? "load:%#" PRIx64 "->" : "load:%" PRIx64 "->", x);
        of_subfield_format(&f->dst, s);
        return;
    }
    strbuf_puts(s, "set_field:");
    of_field_format(field, &f->value, &f->mask, s);
    if (f->act.form && of_field_info(field)->n_bits < of_field_info(field)->n_bytes * 8) {
        /* A mask that only the bytes' unused bits keep from being none. */
        strbuf_putf(s, "/0x%" PRIx64, of_value_to_u64(field, &f->mask));
    }
    strbuf_putf(s, "->%s", of_field_info(field)->name);
}

static void
put_multipath(struct strbuf *s, const struct of_act_multipath *m)
{
    static const char *const algorithms[] = {"modulo_n", "hash_threshold", "hrw", "iter_hash"};

    strbuf_putf(s, "multipath(%s,%u,%s,%u,%" PRIu32 ",", of_hash_fields_name(m->fields),
                m->basis, algorithms[m->algorithm & 3], m->max_link + 1u, m->arg);
    of_subfield_format(&m->dst, s);
    strbuf_putc(s, ')');
}

static void
put_resubmit(struct strbuf *s, const struct of_act_resubmit *r, const struct of_names *names)
{
    strbuf_puts(s, "resubmit");
    if (r->in_port != OFPP_IN_PORT && r->table == 255 && !r->ct) {
        strbuf_putc(s, ':');
        of_port_format(r->in_port, names, s);
        return;
    }
    strbuf_putc(s, '(');
    if (r->in_port != OFPP_IN_PORT) {
        of_port_format(r->in_port, names, s);
    }
    strbuf_putc(s, ',');
    if (r->table != 255) {
        of_table_format(r->table, names, s);
    }
    strbuf_puts(s, r->ct ? ",ct)" : ")");
}

static void
put_fin_timeout(struct strbuf *s, const struct of_act_fin_timeout *f)
{
    strbuf_puts(s, "fin_timeout(");
    if (f->idle_timeout) {
        strbuf_putf(s, "idle_timeout=%u,", f->idle_timeout);
    }
    if (f->hard_timeout) {
        strbuf_putf(s, "hard_timeout=%u,", f->hard_timeout);
    }
    strbuf_chomp(s, ",");
    strbuf_putc(s, ')');
}

static void
put_dec_ttl(struct strbuf *s, const struct of_act_dec_ttl *t)
{
    strbuf_puts(s, "dec_ttl");
    if (!t->act.form) {
        return;
    }
    for (unsigned i = 0; i < t->n_controllers; i++) {
        strbuf_putf(s, "%c%u", i ? ',' : '(', t->controllers[i]);
    }
    strbuf_putc(s, ')');
}

static void
put_metadata(struct strbuf *s, const struct of_act_metadata *m)
{
    strbuf_putf(s, m->value ? "write_metadata:%#" PRIx64 : "write_metadata:%" PRIx64, m->value);
    if (m->mask != UINT64_MAX) {
        strbuf_putf(s, m->mask ? "/%#" PRIx64 : "/%" PRIx64, m->mask);
    }
}

/* Actions that are a word and a number. */
static bool
put_num(struct strbuf *s, const struct of_act *a)
{
    static const struct {
        enum of_act_type type;
        const char *format;
    } t[] = {
        {OFA_GROUP, "group:%" PRIu64},
        {OFA_PUSH_VLAN, "push_vlan:0x%04" PRIx64},
        {OFA_SET_IP_DSCP, "mod_nw_tos:%" PRIu64},
        {OFA_SET_IP_ECN, "mod_nw_ecn:%" PRIu64},
        {OFA_SET_IP_TTL, "mod_nw_ttl:%" PRIu64},
        {OFA_SET_L4_SRC, "mod_tp_src:%" PRIu64},
        {OFA_SET_L4_DST, "mod_tp_dst:%" PRIu64},
        {OFA_SET_MPLS_LABEL, "set_mpls_label(%" PRIu64 ")"},
        {OFA_SET_MPLS_TC, "set_mpls_tc(%" PRIu64 ")"},
        {OFA_SET_MPLS_TTL, "set_mpls_ttl(%" PRIu64 ")"},
        {OFA_PUSH_MPLS, "push_mpls:0x%04" PRIx64},
        {OFA_POP_MPLS, "pop_mpls:0x%04" PRIx64},
        {OFA_SET_QUEUE, "set_queue:%" PRIu64},
        {OFA_METER, "meter:%" PRIu64},
    };

    for (unsigned i = 0; i < ARRAY_SIZE(t); i++) {
        if (t[i].type == a->type) {
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wformat-nonliteral"
            strbuf_putf(s, t[i].format, CAST(of_act_num, a)->num);
#pragma GCC diagnostic pop
            return true;
        }
    }
    return false;
}

/* Actions without arguments. */
static bool
put_plain(struct strbuf *s, const struct of_act *a)
{
    switch (a->type) {
    case OFA_STRIP_VLAN:
        strbuf_puts(s, a->form ? "pop_vlan" : "strip_vlan");
        return true;
    case OFA_DEC_MPLS_TTL:
        strbuf_puts(s, "dec_mpls_ttl");
        return true;
    case OFA_POP_QUEUE:
        strbuf_puts(s, "pop_queue");
        return true;
    case OFA_EXIT:
        strbuf_puts(s, "exit");
        return true;
    case OFA_CLEAR_ACTIONS:
        strbuf_puts(s, "clear_actions");
        return true;
    default:
        return false;
    }
}

static void put_list(struct strbuf *, const struct of_act *, size_t, const struct of_names *);

static void
put_control(struct strbuf *s, const struct of_act *a, const struct of_names *names)
{
    const struct of_act_conjunction *c = CAST(of_act_conjunction, a);
    const struct of_act_check_pkt_larger *l = CAST(of_act_check_pkt_larger, a);

    switch (a->type) {
    case OFA_RESUBMIT:
        put_resubmit(s, CAST(of_act_resubmit, a), names);
        break;
    case OFA_LEARN:
        of_acts_format_learn(CAST(of_act_learn, a), names, s);
        break;
    case OFA_CONJUNCTION:
        strbuf_putf(s, "conjunction(%" PRIu32 ",%u/%u)", c->id, c->clause + 1, c->n_clauses);
        break;
    case OFA_MULTIPATH:
        put_multipath(s, CAST(of_act_multipath, a));
        break;
    case OFA_FIN_TIMEOUT:
        put_fin_timeout(s, CAST(of_act_fin_timeout, a));
        break;
    case OFA_NOTE:
        strbuf_puts(s, "note:");
        put_bytes(s, CAST(of_act_note, a)->data, CAST(of_act_note, a)->n);
        break;
    case OFA_CHECK_PKT_LARGER:
        strbuf_putf(s, "check_pkt_larger(%u)->", l->pkt_len);
        of_subfield_format(&l->dst, s);
        break;
    case OFA_CLONE:
    case OFA_WRITE_ACTIONS:
        strbuf_puts(s, a->type == OFA_CLONE ? "clone(" : "write_actions(");
        of_actions_format(CAST(of_act_nest, a)->list, of_act_nest_len(CAST(of_act_nest, a)),
                          names, s);
        strbuf_putc(s, ')');
        break;
    case OFA_WRITE_METADATA:
        put_metadata(s, CAST(of_act_metadata, a));
        break;
    case OFA_GOTO_TABLE:
    default:
        strbuf_puts(s, "goto_table:");
        of_table_format((uint8_t) CAST(of_act_num, a)->num, names, s);
        break;
    }
}

static void
put_header(struct strbuf *s, const struct of_act *a)
{
    uint64_t n = a->len >= sizeof(struct of_act_num) ? CAST(of_act_num, a)->num : 0;
    struct of_value ip = of_value_from_u64(OFF_IPV4_SRC, n);

    switch (a->type) {
    case OFA_SET_ETH_SRC:
    case OFA_SET_ETH_DST:
        strbuf_putf(s, "mod_dl_%s:" ETH_ADDR_FMT, a->type == OFA_SET_ETH_SRC ? "src" : "dst",
                    ETH_ADDR_ARGS(CAST(of_act_eth, a)->mac));
        break;
    case OFA_SET_VLAN_VID:
    case OFA_SET_VLAN_PCP:
        strbuf_putf(s, "%s:%u",
                    CAST(of_act_vlan, a)->push_if_needed
                        ? a->type == OFA_SET_VLAN_VID ? "mod_vlan_vid" : "mod_vlan_pcp"
                    : a->type == OFA_SET_VLAN_VID ? "set_vlan_vid"
                                                  : "set_vlan_pcp",
                    CAST(of_act_vlan, a)->value);
        break;
    case OFA_SET_IPV4_SRC:
    case OFA_SET_IPV4_DST:
        strbuf_puts(s, a->type == OFA_SET_IPV4_SRC ? "mod_nw_src:" : "mod_nw_dst:");
        of_field_format(OFF_IPV4_SRC, &ip, NULL, s);
        break;
    case OFA_SET_TUNNEL:
        strbuf_putf(s, "%s:%s%" PRIx64,
                    a->form || n > UINT32_MAX ? "set_tunnel64" : "set_tunnel", n ? "0x" : "",
                    n);
        break;
    case OFA_DEC_TTL:
        put_dec_ttl(s, CAST(of_act_dec_ttl, a));
        break;
    case OFA_SET_FIELD:
    case OFA_LOAD:
    default:
        put_set_field(s, CAST(of_act_set_field, a));
        break;
    }
}

static void
put_one(struct strbuf *s, const struct of_act *a, const struct of_names *names)
{
    if (put_num(s, a) || put_plain(s, a)) {
        return;
    }
    switch (a->type) {
    case OFA_OUTPUT:
        put_output(s, CAST(of_act_output, a), names);
        break;
    case OFA_OUTPUT_REG:
        strbuf_puts(s, "output:");
        of_subfield_format(&CAST(of_act_output_reg, a)->src, s);
        break;
    case OFA_OUTPUT_TRUNC:
        strbuf_puts(s, "output(port=");
        of_port_format(CAST(of_act_output_trunc, a)->port, names, s);
        strbuf_putf(s, ",max_len=%" PRIu32 ")", CAST(of_act_output_trunc, a)->max_len);
        break;
    case OFA_CONTROLLER:
        put_controller(s, CAST(of_act_controller, a));
        break;
    case OFA_ENQUEUE:
        strbuf_puts(s, "enqueue:");
        of_port_format(CAST(of_act_enqueue, a)->port, names, s);
        strbuf_putf(s, ":%" PRIu32, CAST(of_act_enqueue, a)->queue);
        break;
    case OFA_BUNDLE:
        put_bundle(s, CAST(of_act_bundle, a), names);
        break;
    case OFA_MOVE:
        strbuf_puts(s, "move:");
        of_subfield_format(&CAST(of_act_move, a)->src, s);
        strbuf_puts(s, "->");
        of_subfield_format(&CAST(of_act_move, a)->dst, s);
        break;
    case OFA_PUSH:
    case OFA_POP:
        strbuf_puts(s, a->type == OFA_PUSH ? "push:" : "pop:");
        of_subfield_format(&CAST(of_act_stack, a)->sub, s);
        break;
    default:
        if (a->type >= OFA_RESUBMIT) {
            put_control(s, a, names);
        } else {
            put_header(s, a);
        }
        break;
    }
}

static void
put_list(struct strbuf *s, const struct of_act *acts, size_t len, const struct of_names *names)
{
    const char *comma = "";

    OF_ACT_FOR_EACH(a, acts, len)
    {
        strbuf_puts(s, comma);
        put_one(s, a, names);
        comma = ",";
    }
}

void
of_actions_format(const struct of_act *acts, size_t len, const struct of_names *names,
                  struct strbuf *s)
{
    if (len) {
        put_list(s, acts, len, names);
    } else {
        strbuf_puts(s, "drop");
    }
}
