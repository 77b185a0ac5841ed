/* SPDX-License-Identifier: Apache-2.0 */
#ifndef XVS_TESTS_XLATE_REFERENCE_H
#define XVS_TESTS_XLATE_REFERENCE_H 1

/* OpenFlow's pipeline as its specification describes it, without regard to speed: walks all
 * rules of a table for each packet and runs their actions on it, one by one.  For
 * test-xlate-diff, which includes it once. */

#include <arpa/inet.h>

#include "ofproto-harness.h"

#define N_PORTS 5u
#define N_TABLES 6u
#define MAX_OUT 400u
#define MAX_STEPS 3000u

/* ---- What comes out. ---- */

struct sent {
    uint64_t port; /* OpenFlow port; CONTROLLER_OUT for packets to the controller.  A whole
                    * word: what is sent is compared as bytes, padding and all. */
    struct flow flow;
};
#define CONTROLLER_OUT 0x10000u
struct outputs {
    unsigned n, steps;
    bool gave_up;
    struct sent s[MAX_OUT];
};

static void
emit(struct outputs *o, uint32_t port, const struct flow *f)
{
    if (o->n >= MAX_OUT) {
        o->gave_up = true;
        return;
    }
    o->s[o->n] = (struct sent){.port = port, .flow = *f};
    memset(&o->s[o->n].flow.regs, 0, sizeof o->s[o->n].flow.regs);
    o->s[o->n].flow.meta.in_port = 0;
    o->s[o->n].flow.meta.recirc_id = 0;
    o->s[o->n].flow.meta.dp_hash = 0;
    o->s[o->n].flow.sections = 0;
    o->n++;
}

/* ---- The tables of a round, as both sides know them. ---- */

struct ref_rule {
    uint8_t table;
    int priority;
    struct of_match match;
    struct of_actions acts;
};
#define MAX_RULES 120u
static struct ref_rule rules[MAX_RULES];
static unsigned n_rules;

struct ref_group {
    enum of_group_type type;
    unsigned n;
    struct of_actions bucket[3];
    uint16_t watch[3];
};
#define N_GROUPS 4u
static struct ref_group groups[N_GROUPS];

/* ---- Reference. ---- */

struct ref {
    struct flow f;
    uint32_t in_port;
    struct outputs *out;
    struct of_actions set;
    struct of_value stack[64];
    unsigned n_stack;
    bool exit;
    bool list_over; /* of the list at work, not of those that led to it */
    unsigned depth;
    uint8_t table;
    uint16_t len;
};

static bool ref_run(struct ref *, const struct of_act *, size_t);

static bool
agrees(const struct flow *f, const struct of_match *m)
{
    for (unsigned i = 0; i + 1 < FLOW_WORDS; i++) {
        if ((((const flow_word *) f)[i] ^ ((const flow_word *) &m->flow)[i]) &
            ((const flow_word *) &m->mask)[i]) {
            return false;
        }
    }
    return true;
}

/* The rule that a packet from `in_port` hits: actions see the port that it really came from. */
static const struct ref_rule *
ref_lookup(const struct ref *r, uint8_t table, uint32_t in_port)
{
    const struct ref_rule *best = NULL;
    struct flow f = r->f;

    f.meta.in_port = in_port;
    for (unsigned i = 0; i < n_rules; i++) {
        if (rules[i].table == table && agrees(&f, &rules[i].match) &&
            (!best || rules[i].priority > best->priority)) {
            best = &rules[i];
        }
    }
    return best;
}

static void
ref_table(struct ref *r, uint8_t table, uint32_t in_port)
{
    const struct ref_rule *rule;
    uint8_t saved = r->table;

    if (++r->out->steps > MAX_STEPS || r->depth >= XLATE_MAX_DEPTH) {
        r->out->gave_up = true;
        return;
    }
    rule = ref_lookup(r, table, in_port);
    if (rule) {
        r->depth++;
        r->table = table;
        ref_run(r, rule->acts.a, rule->acts.len);
        r->table = saved;
        r->depth--;
    }
}

static void
ref_out(struct ref *r, uint16_t port)
{
    if (port == OFPP_IN_PORT) {
        emit(r->out, r->f.meta.in_port, &r->f);
    } else if (port == OFPP_ALL) {
        for (uint32_t p = 1; p <= N_PORTS; p++) {
            if (p != r->f.meta.in_port) {
                emit(r->out, p, &r->f);
            }
        }
    } else if (port == OFPP_CONTROLLER) {
        emit(r->out, CONTROLLER_OUT, &r->f);
    } else if (port != r->f.meta.in_port && port >= 1 && port <= N_PORTS) {
        emit(r->out, port, &r->f);
    }
}

static void
vlan_changed(struct flow *f)
{
    if (f->vlan.tag[0].tci_be & htons(0x1000)) {
        f->sections |= FS_BIT(FS_VLAN);
        f->vlan.tag[0].tpid_be =
            f->vlan.tag[0].tpid_be ? f->vlan.tag[0].tpid_be : htons(0x8100);
    } else {
        memset(&f->vlan, 0, sizeof f->vlan);
        f->sections &= ~(uint64_t) FS_BIT(FS_VLAN);
    }
}

static void
push_tag(struct flow *f, uint16_t tpid, uint16_t tci)
{
    f->vlan.tag[1] = f->vlan.tag[0];
    f->vlan.tag[0].tpid_be = htons(tpid);
    f->vlan.tag[0].tci_be = htons(tci | 0x1000);
    vlan_changed(f);
}

static void
pop_tag(struct flow *f)
{
    f->vlan.tag[0] = f->vlan.tag[1];
    memset(&f->vlan.tag[1], 0, sizeof f->vlan.tag[1]);
    vlan_changed(f);
}

static bool
tagged(const struct flow *f)
{
    return f->vlan.tag[0].tci_be & htons(0x1000);
}

static void
ref_set_vlan(struct ref *r, const struct of_act_vlan *a, bool vid)
{
    uint16_t tci = ntohs(r->f.vlan.tag[0].tci_be);

    if (!tagged(&r->f)) {
        if (a->push_if_needed) {
            push_tag(&r->f, 0x8100, vid ? a->value : (uint16_t) (a->value << 13));
        }
        return;
    }
    tci = vid ? (uint16_t) ((tci & 0xf000) | a->value)
              : (uint16_t) ((tci & 0x1fff) | a->value << 13);
    r->f.vlan.tag[0].tci_be = htons(tci);
}

/* As the specification says: order by kind, the last of each kind but fields. */
static void
ref_run_set(struct ref *r, const struct of_act *list, size_t len)
{
    static const enum of_act_type kinds[] = {OFA_STRIP_VLAN, OFA_PUSH_VLAN, OFA_DEC_TTL};
    const struct of_act *output = NULL, *group = NULL;

    for (unsigned k = 0; k < ARRAY_SIZE(kinds); k++) {
        const struct of_act *last = NULL;

        OF_ACT_FOR_EACH(a, list, len)
        {
            last = a->type == kinds[k] ? a : last;
        }
        if (last && !ref_run(r, last, last->len)) {
            return;
        }
    }
    OF_ACT_FOR_EACH(a, list, len)
    {
        if (a->type == OFA_SET_FIELD) {
            ref_run(r, a, a->len);
        } else if (a->type == OFA_OUTPUT) {
            output = a;
        } else if (a->type == OFA_GROUP) {
            group = a;
        }
    }
    if (group) {
        ref_run(r, group, group->len);
    } else if (output) {
        ref_run(r, output, output->len);
    }
}

static void
ref_group(struct ref *r, uint32_t id)
{
    const struct ref_group *g = id < N_GROUPS ? &groups[id] : NULL;

    if (!g) {
        return;
    }
    for (unsigned i = 0; i < g->n; i++) {
        struct ref copy = *r;

        if (g->type == OFPGT_FF && !(g->watch[i] >= 1 && g->watch[i] <= N_PORTS)) {
            continue;
        }
        copy.set = (struct of_actions) OF_ACTIONS_INIT;
        copy.depth++;
        ref_run_set(&copy, g->bucket[i].a, g->bucket[i].len);
        if (g->type != OFPGT_ALL) {
            return;
        }
    }
}

static void
ref_dec_ttl(struct ref *r)
{
    if (!(r->f.sections & FS_BIT(FS_IP))) {
        return;
    }
    if (r->f.ip.ttl > 1) {
        r->f.ip.ttl--;
    } else {
        emit(r->out, CONTROLLER_OUT, &r->f);
        r->list_over = true;
    }
}

static void
ref_move(struct ref *r, const struct of_act_move *a)
{
    struct of_value v;

    if (of_field_prereqs_ok((enum of_field) a->src.f, &r->f) &&
        of_field_prereqs_ok((enum of_field) a->dst.f, &r->f)) {
        of_subfield_read(&a->src, &r->f, &v);
        of_subfield_write(&a->dst, &r->f, &v);
        vlan_changed(&r->f);
    }
}

static void
ref_one(struct ref *r, const struct of_act *a)
{
    const struct of_act_num *n = (const void *) a;
    const struct of_act_set_field *set = (const void *) a;
    const struct of_act_stack *st = (const void *) a;
    const struct of_act_nest *nest = (const void *) a;
    const struct of_act_resubmit *rs = (const void *) a;

    switch ((enum of_act_type) a->type) {
    case OFA_OUTPUT:
        ref_out(r, ((const struct of_act_output *) a)->port);
        break;
    case OFA_OUTPUT_REG:
        ref_out(r, (uint16_t) of_subfield_read_u64(&((const struct of_act_output_reg *) a)->src,
                                                   &r->f));
        break;
    case OFA_SET_FIELD:
    case OFA_LOAD:
        if (of_field_prereqs_ok((enum of_field) set->dst.f, &r->f)) {
            of_field_set_masked((enum of_field) set->dst.f, &r->f, &set->value, &set->mask);
            vlan_changed(&r->f);
        }
        break;
    case OFA_MOVE:
        ref_move(r, (const void *) a);
        break;
    case OFA_PUSH:
        if (r->n_stack < ARRAY_SIZE(r->stack)) {
            of_subfield_read(&st->sub, &r->f, &r->stack[r->n_stack++]);
        } else {
            r->out->gave_up = true;
        }
        break;
    case OFA_POP:
        if (r->n_stack) {
            of_subfield_write(&st->sub, &r->f, &r->stack[--r->n_stack]);
        }
        break;
    case OFA_SET_VLAN_VID:
    case OFA_SET_VLAN_PCP:
        ref_set_vlan(r, (const void *) a, a->type == OFA_SET_VLAN_VID);
        break;
    case OFA_STRIP_VLAN:
        pop_tag(&r->f);
        break;
    case OFA_PUSH_VLAN:
        if (r->f.vlan.tag[1].tci_be) {
            r->out->gave_up = true; /* more tags than the flow shows: not for this test */
        }
        push_tag(&r->f, (uint16_t) n->num, 0); /* as stock: the tag pushed copies nothing */
        break;
    case OFA_DEC_TTL:
        ref_dec_ttl(r);
        break;
    case OFA_RESUBMIT:
        ref_table(r, rs->table == UINT8_MAX ? r->table : rs->table,
                  rs->in_port == OFPP_IN_PORT ? r->f.meta.in_port : rs->in_port);
        break;
    case OFA_GOTO_TABLE:
        ref_table(r, (uint8_t) n->num, r->f.meta.in_port);
        break;
    case OFA_WRITE_METADATA: {
        const struct of_act_metadata *m = (const void *) a;
        struct of_value v = of_value_from_u64(OFF_METADATA, m->value);
        struct of_value mask = of_value_from_u64(OFF_METADATA, m->mask);

        of_field_set_masked(OFF_METADATA, &r->f, &v, &mask);
        break;
    }
    case OFA_WRITE_ACTIONS:
        OF_ACT_FOR_EACH(w, nest->list, of_act_nest_len(nest))
        {
            of_actions_put_copy(&r->set, w);
        }
        break;
    case OFA_CLEAR_ACTIONS:
        of_actions_free(&r->set);
        break;
    case OFA_CLONE: {
        struct ref copy = *r;

        of_actions_clone(&copy.set, r->set.a, r->set.len);
        ref_run(&copy, nest->list, of_act_nest_len(nest));
        of_actions_free(&copy.set);
        break;
    }
    case OFA_GROUP:
        ref_group(r, (uint32_t) n->num);
        break;
    case OFA_EXIT:
        r->exit = true;
        break;
    default:
        fail_msg("action %d", a->type);
    }
}

/* False: the list ended before its end, for itself alone. */
static bool
ref_run(struct ref *r, const struct of_act *list, size_t len)
{
    OF_ACT_FOR_EACH(a, list, len)
    {
        const struct of_act_check_pkt_larger *c = (const void *) a;

        if (r->exit || r->out->gave_up || ++r->out->steps > MAX_STEPS) {
            r->out->gave_up |= r->out->steps > MAX_STEPS;
            return true;
        }
        if (a->type == OFA_CHECK_PKT_LARGER) {
            struct ref copy = *r;
            const struct of_act *next = of_act_next(a);

            /* The rest of the list sees the bit; what is behind the list does not. */
            of_actions_clone(&copy.set, r->set.a, r->set.len);
            of_subfield_write_u64(&c->dst, &copy.f, r->len > c->pkt_len);
            ref_run(&copy, next,
                    (size_t) ((const uint8_t *) list + len - (const uint8_t *) next));
            of_actions_free(&copy.set);
            return true;
        }
        ref_one(r, a);
        if (r->list_over) {
            r->list_over = false;
            return false;
        }
    }
    return true;
}

static void
reference(const struct flow *f, uint16_t len, struct outputs *out)
{
    struct ref r = {.f = *f, .out = out, .len = len};

    memset(&r.f.regs, 0, sizeof r.f.regs);
    r.f.regs.actset_output = OFPP_UNSET;
    ref_table(&r, 0, r.f.meta.in_port);
    if (r.set.len && !out->gave_up) {
        struct of_actions set = r.set;

        r.set = (struct of_actions) OF_ACTIONS_INIT;
        r.exit = false;
        {
            bool sends = false;

            OF_ACT_FOR_EACH(a, set.a, set.len)
            {
                sends |= a->type == OFA_OUTPUT || a->type == OFA_GROUP;
            }
            if (sends) {
                ref_run_set(&r, set.a, set.len);
            }
        }
        of_actions_free(&set);
    }
    of_actions_free(&r.set);
}

#endif
