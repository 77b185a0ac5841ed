/* SPDX-License-Identifier: Apache-2.0 */
/* Does a list of actions make sense in a flow?  Walks the list with a copy of the match that
 * follows what the actions do to the packet's layers: tags and labels that come and go,
 * Ethernet types that change (OpenFlow 1.5.1 sections 5.8 and 7.2.5, ovs-actions(7) on
 * consistency). Called on main for every flow and packet-out that arrives; knows nothing of
 * tables and groups that exist. */

#include "openflow/of-actions.h"

#include <arpa/inet.h>
#include <string.h>
#include "openflow/of-actions-private.h"
#include "packet/headers.h"

#define OFPG_MAX 0xffffff00u /* highest group number */

struct check {
    const struct of_actions_limits *limits;
    struct flow flow; /* the match, as changed so far */
    bool strict;      /* inconsistency is an error; OpenFlow 1.0 ignores such actions instead */
};

unsigned
of_acts_rank(const struct of_act *a)
{
    switch (a->type) {
    case OFA_METER:
        return 0;
    case OFA_CLEAR_ACTIONS:
        return 2;
    case OFA_WRITE_ACTIONS:
        return 3;
    case OFA_WRITE_METADATA:
        return 4;
    case OFA_GOTO_TABLE:
        return 5;
    default:
        return 1;
    }
}

static enum of_err check_list(struct check *, struct of_act *, size_t len, unsigned depth);

/* An action that has no effect on such packets. */
static enum of_err
inconsistent(const struct check *c)
{
    return c->strict ? OFPBAC_MATCH_INCONSISTENT : OF_OK;
}

enum of_err
of_acts_check_port(uint16_t port, uint16_t max_ports)
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
    default:
        return port < max_ports ? OF_OK : OFPBAC_BAD_OUT_PORT;
    }
}

static enum of_err
check_port(const struct check *c, uint16_t port)
{
    return of_acts_check_port(port, c->limits->max_ports);
}

/* A port that may have queues. */
static enum of_err
check_queue_port(const struct check *c, uint16_t port)
{
    return port == OFPP_IN_PORT || port == OFPP_LOCAL || port < c->limits->max_ports
               ? OF_OK
               : OFPBAC_BAD_OUT_PORT;
}

static enum of_err
check_src(const struct of_subfield *s, const struct flow *flow)
{
    if (s->f >= OFF_N) {
        return OFPBAC_BAD_SET_TYPE;
    }
    if (!of_subfield_ok(s)) {
        return OFPBAC_BAD_SET_LEN;
    }
    return of_field_prereqs_ok((enum of_field) s->f, flow) ? OF_OK : OFPBAC_MATCH_INCONSISTENT;
}

static enum of_err
check_dst(const struct of_subfield *s, const struct flow *flow)
{
    enum of_err err = check_src(s, flow);

    return err || of_field_info(s->f)->writable ? err : OFPBAC_BAD_SET_ARGUMENT;
}

static bool
has_vlan(const struct flow *flow)
{
    return flow->vlan.tag[0].tci_be & htons(VLAN_CFI);
}

static enum of_err
check_set_field(struct check *c, struct of_act_set_field *f)
{
    enum of_err err = check_dst(&f->dst, &c->flow);

    f->has_vlan = has_vlan(&c->flow);
    if (!err && f->dst.f == OFF_VLAN_VID && !f->has_vlan) {
        return OFPBAC_MATCH_INCONSISTENT; /* as vlan_pcp, which has it as a prerequisite */
    }
    if (!err && f->dst.f == OFF_VLAN_TCI) { /* may make or remove a tag */
        of_field_set_masked(OFF_VLAN_TCI, &c->flow, &f->value, &f->mask);
    }
    return err;
}

static enum of_err
check_bundle(const struct check *c, const struct of_act_bundle *b)
{
    enum of_err err = b->dst.n_bits ? check_dst(&b->dst, &c->flow) : OF_OK;

    for (unsigned i = 0; i < b->n_members && !err; i++) {
        /* "No port" stands for a member that is never up. */
        if (b->members[i] != OFPP_NONE) {
            err = check_port(c, b->members[i]);
        }
        if (b->members[i] == OFPP_CONTROLLER) {
            err = OFPBAC_BAD_OUT_PORT;
        }
    }
    return err;
}

/* -- Layers. -- */

static enum of_err
check_set_vlan(struct check *c, struct of_act_vlan *v)
{
    v->has_vlan = has_vlan(&c->flow);
    if (!v->has_vlan && !v->push_if_needed && inconsistent(c)) {
        return inconsistent(c);
    }
    c->flow.vlan.tag[0].tci_be |= htons(VLAN_CFI);
    return OF_OK;
}

static enum of_err
check_strip_vlan(struct check *c)
{
    if (!has_vlan(&c->flow)) {
        return inconsistent(c);
    }
    memmove(&c->flow.vlan.tag[0], &c->flow.vlan.tag[1],
            sizeof c->flow.vlan.tag[0] * (FLOW_MAX_VLANS - 1));
    memset(&c->flow.vlan.tag[FLOW_MAX_VLANS - 1], 0, sizeof c->flow.vlan.tag[0]);
    return OF_OK;
}

static enum of_err
check_push_vlan(struct check *c)
{
    if (c->flow.vlan.tag[FLOW_MAX_VLANS - 1].tci_be & htons(VLAN_CFI)) {
        return OFPBAC_BAD_TAG; /* one more than a flow can say */
    }
    memmove(&c->flow.vlan.tag[1], &c->flow.vlan.tag[0],
            sizeof c->flow.vlan.tag[0] * (FLOW_MAX_VLANS - 1));
    c->flow.vlan.tag[0].tci_be |= htons(VLAN_CFI);
    return OF_OK;
}

static enum of_err
check_push_mpls(struct check *c, uint16_t type)
{
    if (!of_prereq_ok(OFQ_ETH, &c->flow)) {
        return inconsistent(c);
    }
    c->flow.eth.type_be = htons(type);
    c->flow.ip.proto = 0; /* nothing is known of what the labels hide */
    return OF_OK;
}

static enum of_err
check_pop_mpls(struct check *c, uint16_t type)
{
    if (!of_prereq_ok(OFQ_MPLS, &c->flow)) {
        return inconsistent(c);
    }
    c->flow.eth.type_be = htons(type);
    return OF_OK;
}

static enum of_err
check_layer(const struct check *c, enum of_prereq layer)
{
    return of_prereq_ok(layer, &c->flow) ? OF_OK : inconsistent(c);
}

static enum of_err
check_set_l4(const struct check *c, struct of_act *a)
{
    const struct flow *f = &c->flow;

    if (!of_prereq_ok(OFQ_TCP, f) && !of_prereq_ok(OFQ_UDP, f) && !of_prereq_ok(OFQ_SCTP, f)) {
        return inconsistent(c);
    }
    a->proto = f->ip.proto;
    return OF_OK;
}

/* -- Lists in actions. -- */

static enum of_err
check_learn(const struct check *c, const struct of_act_learn *l)
{
    struct flow learnt; /* what the new flow's match would hold */
    enum of_err err = OF_OK;

    memset(&learnt, 0, sizeof learnt);
    for (uint32_t i = 0; i < l->n_specs && !err; i++) {
        const struct of_learn_spec *s = &l->specs[i];

        if (!s->src_is_imm) {
            err = check_src(&s->src, &c->flow);
        }
        if (err || s->kind == OF_LEARN_OUTPUT) {
            continue;
        }
        if (s->kind == OF_LEARN_LOAD) {
            err = check_dst(&s->dst, &learnt);
            continue;
        }
        err = check_src(&s->dst, &learnt);
        if (!err && s->src_is_imm) {
            of_subfield_write(&s->dst, &learnt, &s->imm);
        }
    }
    /* Whether the packet has what result_dst belongs to shows when it comes. */
    if (!err && l->flags & OF_LEARN_WRITE_RESULT && !of_field_info(l->result_dst.f)->writable) {
        err = OFPBAC_BAD_SET_ARGUMENT;
    }
    return err;
}

static enum of_err
check_nest(const struct check *c, struct of_act_nest *n, unsigned depth)
{
    struct check inner = *c;

    if (n->act.type == OFA_WRITE_ACTIONS) {
        inner.strict = false; /* what else is in the set decides */
    }
    return check_list(&inner, n->list, of_act_nest_len(n), depth + 1);
}

static enum of_err
check_goto(const struct check *c, uint64_t table)
{
    const struct of_actions_limits *l = c->limits;

    return (l->table_id != 255 && table <= l->table_id) || table >= l->n_tables
               ? OFPBIC_BAD_TABLE_ID
               : OF_OK;
}

/* -- One action. -- */

static enum of_err
check_output(const struct check *c, const struct of_act *a)
{
    const void *p = a;

    switch (a->type) {
    case OFA_OUTPUT:
        return check_port(c, ((const struct of_act_output *) p)->port);
    case OFA_OUTPUT_REG:
        return check_src(&((const struct of_act_output_reg *) p)->src, &c->flow);
    case OFA_OUTPUT_TRUNC:
        return check_port(c, ((const struct of_act_output_trunc *) p)->port);
    case OFA_ENQUEUE:
        return check_queue_port(c, ((const struct of_act_enqueue *) p)->port);
    case OFA_GROUP:
        return ((const struct of_act_num *) p)->num > OFPG_MAX ? OFPBAC_BAD_OUT_GROUP : OF_OK;
    case OFA_BUNDLE:
        return check_bundle(c, p);
    default:
        return OF_OK;
    }
}

static enum of_err
check_header(struct check *c, struct of_act *a)
{
    void *p = a;
    uint16_t num =
        a->len >= sizeof(struct of_act_num) ? (uint16_t) ((struct of_act_num *) p)->num : 0;

    switch (a->type) {
    case OFA_SET_VLAN_VID:
    case OFA_SET_VLAN_PCP:
        return check_set_vlan(c, p);
    case OFA_STRIP_VLAN:
        return check_strip_vlan(c);
    case OFA_PUSH_VLAN:
        return check_push_vlan(c);
    case OFA_SET_IPV4_SRC:
    case OFA_SET_IPV4_DST:
        return check_layer(c, OFQ_IPV4);
    case OFA_SET_IP_DSCP:
    case OFA_SET_IP_ECN:
    case OFA_SET_IP_TTL:
    case OFA_DEC_TTL:
        return check_layer(c, OFQ_IP_ANY);
    case OFA_SET_L4_SRC:
    case OFA_SET_L4_DST:
        return check_set_l4(c, a);
    case OFA_SET_MPLS_LABEL:
    case OFA_SET_MPLS_TC:
    case OFA_SET_MPLS_TTL:
    case OFA_DEC_MPLS_TTL:
        return check_layer(c, OFQ_MPLS);
    case OFA_PUSH_MPLS:
        return check_push_mpls(c, num);
    case OFA_POP_MPLS:
        return check_pop_mpls(c, num);
    default:
        return OF_OK;
    }
}

static enum of_err
check_move(const struct check *c, const struct of_act_move *m)
{
    enum of_err err = check_src(&m->src, &c->flow);

    return err ? err : check_dst(&m->dst, &c->flow);
}

static enum of_err
check_one(struct check *c, struct of_act *a, unsigned depth)
{
    void *p = a;
    const struct of_act_resubmit *r = p;
    uint64_t num;

    switch (a->type) {
    case OFA_SET_FIELD:
    case OFA_LOAD:
        return check_set_field(c, p);
    case OFA_MOVE:
        return check_move(c, p);
    case OFA_PUSH:
        return check_src(&((struct of_act_stack *) p)->sub, &c->flow);
    case OFA_POP:
        return check_dst(&((struct of_act_stack *) p)->sub, &c->flow);
    case OFA_RESUBMIT: /* ct: no flow is tracked */
        return r->ct ? OFPBAC_MATCH_INCONSISTENT : OF_OK;
    case OFA_LEARN:
        return check_learn(c, p);
    case OFA_MULTIPATH:
        return check_dst(&((struct of_act_multipath *) p)->dst, &c->flow);
    case OFA_FIN_TIMEOUT:
        return check_layer(c, OFQ_TCP);
    case OFA_CHECK_PKT_LARGER:
        return of_field_info(((struct of_act_check_pkt_larger *) p)->dst.f)->writable
                   ? OF_OK
                   : OFPBAC_BAD_SET_ARGUMENT;
    case OFA_CLONE:
    case OFA_WRITE_ACTIONS:
        return check_nest(c, p, depth);
    case OFA_METER:
        num = ((struct of_act_num *) p)->num;
        return !num || num > c->limits->max_meters ? OFPMMFC_INVALID_METER : OF_OK;
    case OFA_GOTO_TABLE:
        return check_goto(c, ((struct of_act_num *) p)->num);
    default:
        return a->type < OFA_SET_FIELD ? check_output(c, a) : check_header(c, a);
    }
}

/* A list with conjunctions may hold nothing else but notes (ovs-fields(7), conj_id). */
static bool
conjunction_alone(const struct of_act *acts, size_t len)
{
    bool conjunction = false, other = false;

    OF_ACT_FOR_EACH (a, acts, len) {
        conjunction |= a->type == OFA_CONJUNCTION;
        other |= a->type != OFA_CONJUNCTION && a->type != OFA_NOTE;
    }
    return !conjunction || !other;
}

/* Do instructions stand behind the actions, in their order, each once?  The decoder has put them
 * there, but for what is an action in OpenFlow 1.0 and as Nicira's extension. */
static bool
in_order(const struct of_act *acts, size_t len)
{
    unsigned last = 1;

    OF_ACT_FOR_EACH (a, acts, len) {
        unsigned rank = of_acts_rank(a);

        if (rank && (rank < last || (rank == last && rank != 1))) { /* 0, meter: anywhere */
            return false;
        }
        last = rank ? rank : last;
    }
    return true;
}

static enum of_err
check_list(struct check *c, struct of_act *acts, size_t len, unsigned depth)
{
    enum of_err err = OF_OK;

    if (depth > OF_ACTS_MAX_DEPTH) {
        return OFPBAC_TOO_MANY;
    }
    if (!conjunction_alone(acts, len)) {
        return NXBAC_BAD_CONJUNCTION;
    }
    if (!in_order(acts, len)) {
        return OFPBAC_UNSUPPORTED_ORDER;
    }
    for (size_t ofs = 0; ofs < len && !err;) {
        struct of_act *a = (void *) ((uint8_t *) acts + ofs);

        err = check_one(c, a, depth);
        ofs += a->len;
    }
    return err;
}

enum of_err
of_actions_check(struct of_act *acts, size_t len, const struct of_match *match,
                 const struct of_actions_limits *limits)
{
    struct check c = {
        .limits = limits,
        .flow = match->flow,
        .strict = limits->version != 1,
    };

    return check_list(&c, acts, len, 0);
}
