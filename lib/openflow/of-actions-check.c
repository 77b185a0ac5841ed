/* SPDX-License-Identifier: Apache-2.0 */
/* Whether a list of actions makes sense in a flow with a given match: ports, tables, meters,
 * the headers that actions need and that earlier ones may have added or taken away.  Called by
 * flow-mod and packet-out handling on main. */

#include "openflow/of-actions.h"

#include <arpa/inet.h>
#include "packet/headers.h"
#include "util/compiler.h"

#define CAST(TYPE, A) ((struct TYPE *) (void *) (A))
#define MAX_GROUP 0xffffff00u /* OFPG_MAX */

/* What is known of the packet while the list goes on. */
struct state {
    struct flow flow; /* the match's bits, changed by push and pop */
    const struct of_actions_limits *limits;
    bool in_action_set;
};

static enum of_err check_list(struct state *, struct of_act *, size_t len);

static enum of_err
check_port(uint16_t port, const struct state *s)
{
    switch (port) {
    case OFPP_IN_PORT:
    case OFPP_TABLE:
    case OFPP_NORMAL:
    case OFPP_FLOOD:
    case OFPP_ALL:
    case OFPP_CONTROLLER:
    case OFPP_LOCAL:
        return OF_OK;
    case OFPP_NONE:
        return OFPBAC_BAD_OUT_PORT;
    default:
        return port < s->limits->max_ports ? OF_OK : OFPBAC_BAD_OUT_PORT;
    }
}

/* An inconsistency with the match: OpenFlow 1.0 lets it pass where it does no harm. */
static enum of_err
need(bool ok, const struct state *s)
{
    return ok || s->limits->version == 1 ? OF_OK : OFPBAC_MATCH_INCONSISTENT;
}

static enum of_err
check_sub(const struct of_subfield *sub, bool write, const struct state *s)
{
    if (!of_subfield_ok(sub)) {
        return OFPBAC_BAD_ARGUMENT;
    }
    if (!of_field_prereqs_ok((enum of_field) sub->f, &s->flow)) {
        return OFPBAC_MATCH_INCONSISTENT;
    }
    return write && !of_field_info(sub->f)->writable ? OFPBAC_BAD_SET_ARGUMENT : OF_OK;
}

static bool
has_tag(const struct state *s)
{
    return s->flow.vlan.tag[0].tci_be & htons(VLAN_CFI);
}

static enum of_err
check_vlan(struct of_act_vlan *v, struct state *s)
{
    v->has_vlan = has_tag(s);
    if (!v->has_vlan && !v->push_if_needed) {
        return OFPBAC_MATCH_INCONSISTENT;
    }
    s->flow.vlan.tag[0].tci_be |= htons(VLAN_CFI); /* from here on there is one */
    return OF_OK;
}

static enum of_err
check_set_field(struct of_act_set_field *f, struct state *s)
{
    enum of_err err = check_sub(&f->dst, true, s);

    /* vlan_vid needs a tag to write to, as vlan_pcp does by its prerequisite. */
    if (!err && f->dst.f == OFF_VLAN_VID && f->act.type == OFA_SET_FIELD && !has_tag(s)) {
        err = OFPBAC_MATCH_INCONSISTENT;
    }
    if (!err && f->dst.f == OFF_VLAN_TCI && f->dst.n_bits == 16) {
        s->flow.vlan.tag[0].tci_be = htons((uint16_t) (f->value.b[0] << 8 | f->value.b[1]));
    }
    return err;
}

static void
new_type(struct state *s, uint16_t type)
{
    s->flow.eth.type_be = htons(type);
    memset(&s->flow.ip, 0, sizeof s->flow.ip);
}

static enum of_err
check_l4(struct of_act *a, struct state *s)
{
    bool known = of_prereq_ok(OFQ_TCP, &s->flow) || of_prereq_ok(OFQ_UDP, &s->flow) ||
                 of_prereq_ok(OFQ_SCTP, &s->flow);

    a->proto = known ? s->flow.ip.proto : 0;
    return need(known, s);
}

/* Actions that change header fields. */
static enum of_err
check_header(struct of_act *a, struct state *s)
{
    enum of_err err;

    switch (a->type) {
    case OFA_SET_FIELD:
    case OFA_LOAD:
        return check_set_field(CAST(of_act_set_field, a), s);
    case OFA_MOVE:
        err = check_sub(&CAST(of_act_move, a)->src, false, s);
        return err ? err : check_sub(&CAST(of_act_move, a)->dst, true, s);
    case OFA_PUSH:
        return check_sub(&CAST(of_act_stack, a)->sub, false, s);
    case OFA_POP:
        return check_sub(&CAST(of_act_stack, a)->sub, true, s);
    case OFA_SET_VLAN_VID:
    case OFA_SET_VLAN_PCP:
        return check_vlan(CAST(of_act_vlan, a), s);
    case OFA_STRIP_VLAN:
        err = need(has_tag(s), s);
        s->flow.vlan.tag[0] = s->flow.vlan.tag[1];
        s->flow.vlan.tag[1].tci_be = 0;
        return err;
    case OFA_PUSH_VLAN:
        if (s->flow.vlan.tag[1].tci_be & htons(VLAN_CFI)) {
            return OFPBAC_BAD_TAG; /* more than anybody keeps */
        }
        s->flow.vlan.tag[1] = s->flow.vlan.tag[0];
        s->flow.vlan.tag[0].tci_be = htons(VLAN_CFI);
        return OF_OK;
    case OFA_SET_IPV4_SRC:
    case OFA_SET_IPV4_DST:
        return need(of_prereq_ok(OFQ_IPV4, &s->flow), s);
    case OFA_SET_IP_DSCP:
    case OFA_SET_IP_ECN:
    case OFA_SET_IP_TTL:
    case OFA_DEC_TTL:
        return need(of_prereq_ok(OFQ_IP_ANY, &s->flow), s);
    case OFA_SET_L4_SRC:
    case OFA_SET_L4_DST:
        return check_l4(a, s);
    case OFA_SET_MPLS_LABEL:
    case OFA_SET_MPLS_TC:
    case OFA_SET_MPLS_TTL:
    case OFA_DEC_MPLS_TTL:
        return need(of_prereq_ok(OFQ_MPLS, &s->flow), s);
    case OFA_PUSH_MPLS:
        new_type(s, (uint16_t) CAST(of_act_num, a)->num);
        return OF_OK;
    case OFA_POP_MPLS:
        err = need(of_prereq_ok(OFQ_MPLS, &s->flow), s);
        new_type(s, (uint16_t) CAST(of_act_num, a)->num);
        return err;
    default:
        return OF_OK;
    }
}

static enum of_err
check_learn(const struct of_act_learn *l, const struct state *s)
{
    struct of_match learned;
    enum of_err err = OF_OK;

    of_match_init(&learned);
    if (l->flags & OF_LEARN_WRITE_RESULT) {
        err = check_sub(&l->result_dst, true, s);
    }
    for (unsigned i = 0; i < l->n_specs && !err; i++) {
        const struct of_learn_spec *spec = &l->specs[i];

        if (!spec->src_is_imm) {
            err = check_sub(&spec->src, false, s);
        }
        if (err || spec->kind == OF_LEARN_OUTPUT) {
            continue;
        }
        /* The learned flow's match must satisfy its own prerequisites, in order. */
        if (!of_field_prereqs_ok((enum of_field) spec->dst.f, &learned.flow)) {
            err = OFPBAC_MATCH_INCONSISTENT;
        } else if (spec->kind == OF_LEARN_MATCH && spec->src_is_imm) {
            of_subfield_write(&spec->dst, &learned.flow, &spec->imm);
        }
    }
    return err;
}

static enum of_err
check_bundle(const struct of_act_bundle *b, const struct state *s)
{
    enum of_err err = b->dst.n_bits ? check_sub(&b->dst, true, s) : OF_OK;

    for (unsigned i = 0; i < b->n_members && !err; i++) {
        uint16_t port = b->members[i];

        if (port != OFPP_NONE && port >= s->limits->max_ports && port != OFPP_LOCAL) {
            err = OFPBAC_BAD_OUT_PORT;
        }
    }
    return err;
}

static enum of_err
check_output(const struct of_act *a, const struct state *s)
{
    const struct of_act_output_reg *reg = (const void *) a;
    const struct of_act_output *o = (const void *) a;
    const struct of_act_output_trunc *t = (const void *) a;
    const struct of_act_enqueue *q = (const void *) a;

    switch (a->type) {
    case OFA_OUTPUT:
        return check_port(o->port, s);
    case OFA_OUTPUT_TRUNC:
        return t->port < s->limits->max_ports || t->port == OFPP_IN_PORT ||
                       t->port == OFPP_LOCAL
                   ? OF_OK
                   : OFPBAC_BAD_OUT_PORT;
    case OFA_ENQUEUE:
        return q->port < s->limits->max_ports || q->port == OFPP_IN_PORT ||
                       q->port == OFPP_LOCAL
                   ? OF_OK
                   : OFPBAC_BAD_OUT_PORT;
    case OFA_OUTPUT_REG:
    default:
        return check_sub(&reg->src, false, s);
    }
}

static enum of_err
check_nested(struct of_act_nest *n, struct state *s)
{
    struct state inner = *s; /* what a clone changes is forgotten behind it */

    inner.in_action_set = n->act.type == OFA_WRITE_ACTIONS;
    return check_list(&inner, n->list, of_act_nest_len(n));
}

static enum of_err
check_meter(uint64_t meter, const struct state *s)
{
    return meter && meter <= s->limits->max_meters ? OF_OK : OFPMMFC_INVALID_METER;
}

static enum of_err
check_goto(uint64_t table, const struct state *s)
{
    return (s->limits->table_id != 255 && table <= s->limits->table_id) ||
                   table >= s->limits->n_tables
               ? OFPBIC_BAD_TABLE_ID
               : OF_OK;
}

static enum of_err
check_one(struct state *s, struct of_act *a)
{
    const struct of_act_resubmit *r = (const void *) a;

    switch (a->type) {
    case OFA_OUTPUT:
    case OFA_OUTPUT_REG:
    case OFA_OUTPUT_TRUNC:
    case OFA_ENQUEUE:
        return check_output(a, s);
    case OFA_GROUP:
        return CAST(of_act_num, a)->num < MAX_GROUP ? OF_OK : OFPBAC_BAD_OUT_GROUP;
    case OFA_BUNDLE:
        return check_bundle(CAST(of_act_bundle, a), s);
    case OFA_RESUBMIT: /* resubmit(,,ct) needs a tracked connection, which none is */
        return r->ct ? OFPBAC_MATCH_INCONSISTENT : OF_OK;
    case OFA_LEARN:
        return check_learn(CAST(of_act_learn, a), s);
    case OFA_MULTIPATH:
        return check_sub(&CAST(of_act_multipath, a)->dst, true, s);
    case OFA_FIN_TIMEOUT:
        return of_prereq_ok(OFQ_TCP, &s->flow) ? OF_OK : need(false, s);
    case OFA_CHECK_PKT_LARGER:
        return check_sub(&CAST(of_act_check_pkt_larger, a)->dst, true, s);
    case OFA_CLONE:
    case OFA_WRITE_ACTIONS:
        return check_nested(CAST(of_act_nest, a), s);
    case OFA_METER:
        return check_meter(CAST(of_act_num, a)->num, s);
    case OFA_GOTO_TABLE:
        return check_goto(CAST(of_act_num, a)->num, s);
    default:
        return check_header(a, s);
    }
}

static struct of_act *
next(struct of_act *a)
{
    return CAST(of_act, (uint8_t *) a + a->len);
}

static enum of_err
check_list(struct state *s, struct of_act *acts, size_t len)
{
    struct of_act *end = CAST(of_act, (uint8_t *) acts + len);
    unsigned conjunctions = 0, others = 0;
    enum of_err err = OF_OK;

    for (struct of_act *a = acts; a < end && !err; a = next(a)) {
        conjunctions += a->type == OFA_CONJUNCTION;
        others += a->type != OFA_CONJUNCTION && a->type != OFA_NOTE;
        err = check_one(s, a);
    }
    /* A rule is either part of a conjunction or does something itself. */
    return err ? err : conjunctions && others ? NXBAC_BAD_CONJUNCTION : OF_OK;
}

enum of_err
of_actions_check(struct of_act *acts, size_t len, const struct of_match *match,
                 const struct of_actions_limits *limits)
{
    struct state s = {.flow = match->flow, .limits = limits};

    return len ? check_list(&s, acts, len) : OF_OK;
}
