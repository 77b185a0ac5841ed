/* SPDX-License-Identifier: Apache-2.0 */
/* Actions as text, in the notation of the stock tools (ovs-actions(7)): what follows "actions="
 * in bridge/dump-flows, and the lines of ofproto/trace.  Called on main. */

#include "openflow/of-actions.h"

#include <inttypes.h>
#include "openflow/of-actions-text.h"
#include "openflow/of-text.h"
#include "util/compiler.h"

static void
hex_format(uint64_t x, struct strbuf *s)
{
    strbuf_putf(s, x ? "0x%" PRIx64 : "%" PRIx64, x);
}

void
of_act_value_format(enum of_field f, const struct of_value *value, const struct of_value *mask,
                    const struct of_names *names, struct strbuf *s)
{
    bool port = f == OFF_IN_PORT || of_field_info(f)->place == OFL_PORT;
    uint64_t x = of_value_to_u64(f, value);
    uint16_t number = (uint16_t) x;

    if (port && (!mask || of_value_is_ones(mask, f)) &&
        (f == OFF_IN_PORT || of_port_from_32((uint32_t) x, &number))) {
        of_port_format(number, names, s);
    } else {
        of_field_format(f, value, mask, s);
    }
}

static void
output_format(const struct of_act_output *o, const struct of_names *names, struct strbuf *s)
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
bytes_format(const uint8_t *p, size_t n, struct strbuf *s)
{
    for (size_t i = 0; i < n; i++) {
        strbuf_putf(s, i ? ".%02x" : "%02x", p[i]);
    }
}

static void
controller_format(const struct of_act_controller *c, struct strbuf *s)
{
    const char *reason = of_packet_in_reason_name(c->reason);

    if (c->reason == OFPR_ACTION && !c->controller_id && !c->userdata_len && !c->pause &&
        c->meter_id == OF_CONTROLLER_NO_METER) {
        strbuf_putf(s, "CONTROLLER:%u", c->max_len);
        return;
    }
    strbuf_puts(s, "controller(");
    if (c->reason != OFPR_ACTION && reason) {
        strbuf_putf(s, "reason=%s,", reason);
    } else if (!reason) {
        strbuf_putf(s, "reason=%u,", c->reason);
    }
    if (c->max_len != UINT16_MAX) {
        strbuf_putf(s, "max_len=%u,", c->max_len);
    }
    if (c->controller_id) {
        strbuf_putf(s, "id=%u,", c->controller_id);
    }
    if (c->userdata_len) {
        strbuf_puts(s, "userdata=");
        bytes_format(c->userdata, c->userdata_len, s);
        strbuf_putc(s, ',');
    }
    if (c->pause) {
        strbuf_puts(s, "pause,");
    }
    if (c->meter_id != OF_CONTROLLER_NO_METER) {
        strbuf_putf(s, "meter_id=%u,", c->meter_id);
    }
    strbuf_chomp(s, ",");
    strbuf_putc(s, ')');
}

static void
hash_fields_format(unsigned fields, struct strbuf *s)
{
    const char *name = of_hash_fields_name(fields);

    strbuf_puts(s, name ? name : "<unknown>");
}

static void
bundle_format(const struct of_act_bundle *b, const struct of_names *names, struct strbuf *s)
{
    strbuf_puts(s, b->dst.n_bits ? "bundle_load(" : "bundle(");
    hash_fields_format(b->fields, s);
    strbuf_putf(s, ",%u,%s,ofport,", b->basis,
                b->algorithm < ARRAY_SIZE(of_bundle_algorithms)
                    ? of_bundle_algorithms[b->algorithm]
                    : "<unknown>");
    if (b->dst.n_bits) {
        of_subfield_format(&b->dst, s);
        strbuf_putc(s, ',');
    }
    strbuf_puts(s, "members:");
    for (unsigned i = 0; i < b->n_members; i++) {
        if (i) {
            strbuf_putc(s, ',');
        }
        of_port_format(b->members[i], names, s);
    }
    strbuf_putc(s, ')');
}

static void
multipath_format(const struct of_act_multipath *m, struct strbuf *s)
{
    strbuf_puts(s, "multipath(");
    hash_fields_format(m->fields, s);
    strbuf_putf(s, ",%u,%s,%u,%" PRIu32 ",", m->basis,
                m->algorithm < OF_MP_ALGORITHMS ? of_multipath_algorithms[m->algorithm]
                                                : "<unknown>",
                m->max_link + 1u, m->arg);
    of_subfield_format(&m->dst, s);
    strbuf_putc(s, ')');
}

static void
set_field_format(const struct of_act_set_field *f, const struct of_names *names,
                 struct strbuf *s)
{
    const struct of_field_info *info = of_field_info((enum of_field) f->dst.f);
    struct of_value bits = {{0}};

    if (f->act.type == OFA_LOAD) {
        strbuf_puts(s, "load:");
        of_bits_copy(f->value.b, info->n_bytes, f->dst.ofs, bits.b, sizeof bits.b, 0,
                     f->dst.n_bits);
        of_hex_format(bits.b, sizeof bits.b, s);
        strbuf_puts(s, "->");
        of_subfield_format(&f->dst, s);
    } else {
        strbuf_puts(s, "set_field:");
        of_act_value_format((enum of_field) f->dst.f, &f->value, &f->mask, names, s);
        if (f->act.form && info->n_bits < info->n_bytes * 8) {
            /* A mask that only the bytes' unused bits keep from being none. */
            strbuf_putc(s, '/');
            hex_format(of_value_to_u64((enum of_field) f->dst.f, &f->mask), s);
        }
        strbuf_putf(s, "->%s", info->name);
    }
}

static void
resubmit_format(const struct of_act_resubmit *r, const struct of_names *names, struct strbuf *s)
{
    if (r->in_port != OFPP_IN_PORT && r->table == 255 && !r->ct) {
        strbuf_puts(s, "resubmit:");
        of_port_format(r->in_port, names, s);
        return;
    }
    strbuf_puts(s, "resubmit(");
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
dec_ttl_format(const struct of_act_dec_ttl *d, struct strbuf *s)
{
    strbuf_puts(s, "dec_ttl");
    if (!d->act.form && d->n_controllers <= 1 && !(d->n_controllers && d->controllers[0])) {
        return;
    }
    for (uint32_t i = 0; i < d->n_controllers; i++) {
        strbuf_putf(s, "%c%u", i ? ',' : '(', d->controllers[i]);
    }
    strbuf_putc(s, ')');
}

static void
fin_timeout_format(const struct of_act_fin_timeout *f, struct strbuf *s)
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

/* What has a shape of its own. */
static void
own_format(const struct of_act *a, const struct of_names *names, struct strbuf *s)
{
    const void *p = a;
    const struct of_act_output_trunc *trunc = p;
    const struct of_act_enqueue *q = p;
    const struct of_act_conjunction *conj = p;
    const struct of_act_note *note = p;
    const struct of_act_nest *nest = p;
    const struct of_act_check_pkt_larger *check = p;
    const struct of_act_metadata *md = p;
    const struct of_act_move *move = p;

    switch ((enum of_act_type) a->type) {
    case OFA_OUTPUT:
        output_format(p, names, s);
        break;
    case OFA_OUTPUT_REG:
        strbuf_puts(s, "output:");
        of_subfield_format(&((const struct of_act_output_reg *) p)->src, s);
        break;
    case OFA_OUTPUT_TRUNC:
        strbuf_puts(s, "output(port=");
        of_port_format(trunc->port, names, s);
        strbuf_putf(s, ",max_len=%" PRIu32 ")", trunc->max_len);
        break;
    case OFA_CONTROLLER:
        controller_format(p, s);
        break;
    case OFA_ENQUEUE:
        strbuf_puts(s, "enqueue:");
        of_port_format(q->port, names, s);
        strbuf_putf(s, ":%" PRIu32, q->queue);
        break;
    case OFA_BUNDLE:
        bundle_format(p, names, s);
        break;
    case OFA_SET_FIELD:
    case OFA_LOAD:
        set_field_format(p, names, s);
        break;
    case OFA_MOVE:
        strbuf_puts(s, "move:");
        of_subfield_format(&move->src, s);
        strbuf_puts(s, "->");
        of_subfield_format(&move->dst, s);
        break;
    case OFA_PUSH:
    case OFA_POP:
        strbuf_puts(s, a->type == OFA_PUSH ? "push:" : "pop:");
        of_subfield_format(&((const struct of_act_stack *) p)->sub, s);
        break;
    case OFA_DEC_TTL:
        dec_ttl_format(p, s);
        break;
    case OFA_RESUBMIT:
        resubmit_format(p, names, s);
        break;
    case OFA_LEARN:
        of_act_learn_format(p, names, s);
        break;
    case OFA_CONJUNCTION:
        strbuf_putf(s, "conjunction(%" PRIu32 ",%u/%u)", conj->id, conj->clause + 1u,
                    conj->n_clauses);
        break;
    case OFA_MULTIPATH:
        multipath_format(p, s);
        break;
    case OFA_FIN_TIMEOUT:
        fin_timeout_format(p, s);
        break;
    case OFA_NOTE:
        strbuf_puts(s, "note:");
        bytes_format(note->data, note->n, s);
        break;
    case OFA_CLONE:
    case OFA_WRITE_ACTIONS:
        strbuf_puts(s, a->type == OFA_CLONE ? "clone(" : "write_actions(");
        of_actions_format(nest->list, of_act_nest_len(nest), names, s);
        strbuf_putc(s, ')');
        break;
    case OFA_CHECK_PKT_LARGER:
        strbuf_putf(s, "check_pkt_larger(%u)->", check->pkt_len);
        of_subfield_format(&check->dst, s);
        break;
    case OFA_WRITE_METADATA:
        strbuf_puts(s, "write_metadata:");
        hex_format(md->value, s);
        if (md->mask != UINT64_MAX) {
            strbuf_putc(s, '/');
            hex_format(md->mask, s);
        }
        break;
    default:
        break;
    }
}

static void
format_one(const struct of_act *a, const struct of_names *names, struct strbuf *s)
{
    const struct of_act_name *name =
        of_act_name_by_type((enum of_act_type) a->type, of_act_text_form(a));
    const struct of_act_num *n = (const void *) a;
    const struct of_act_eth *eth = (const void *) a;
    uint8_t ip[4];

    if (!name || name->arg == OF_ARG_OWN) {
        own_format(a, names, s);
        return;
    }
    strbuf_puts(s, name->name);
    switch ((enum of_act_arg) name->arg) {
    case OF_ARG_DEC:
        strbuf_putf(s, ":%" PRIu64, n->num);
        break;
    case OF_ARG_PAREN:
        strbuf_putf(s, "(%" PRIu64 ")", n->num);
        break;
    case OF_ARG_HEX:
        strbuf_putc(s, ':');
        hex_format(n->num, s);
        break;
    case OF_ARG_HEX4:
        strbuf_putf(s, ":0x%04" PRIx64, n->num);
        break;
    case OF_ARG_IPV4:
        for (unsigned i = 0; i < 4; i++) {
            ip[i] = (uint8_t) (n->num >> (24 - 8 * i));
        }
        strbuf_putc(s, ':');
        of_ip_format(ip, NULL, 4, s);
        break;
    case OF_ARG_TABLE:
        strbuf_putc(s, ':');
        of_table_format((uint8_t) n->num, names, s);
        break;
    case OF_ARG_VLAN:
        strbuf_putf(s, ":%u", ((const struct of_act_vlan *) (const void *) a)->value);
        break;
    case OF_ARG_ETH:
        strbuf_putf(s, ":" ETH_ADDR_FMT, eth->mac.ea[0], eth->mac.ea[1], eth->mac.ea[2],
                    eth->mac.ea[3], eth->mac.ea[4], eth->mac.ea[5]);
        break;
    case OF_ARG_NONE:
    case OF_ARG_OWN:
    default:
        break;
    }
}

void
of_actions_format(const struct of_act *acts, size_t len, const struct of_names *names,
                  struct strbuf *s)
{
    bool first = true;

    OF_ACT_FOR_EACH (a, acts, len) {
        if (!first) {
            strbuf_putc(s, ',');
        }
        format_one(a, names, s);
        first = false;
    }
    if (first) {
        strbuf_puts(s, "drop");
    }
}
