/* SPDX-License-Identifier: Apache-2.0 */
/* The pipeline against a plain reading of the OpenFlow specification.
 *
 * Random tables, groups and packets.  The reference walks all rules of a table for each packet
 * and runs their actions on it, one by one.  The switch translates once per megaflow; every
 * later packet that agrees with a megaflow's mask gets its datapath actions, which are run on
 * the packet by a toy datapath.  Both must send the same packets to the same ports: a megaflow
 * that is too wide, a header not set or not set back, all show here.
 *
 *   test-xlate-diff [ROUNDS [SEED]]      a round: new tables and PACKETS packets */

#include <arpa/inet.h>

#include "flow/flow-key.h"
#include "ofproto/xtrace.h"
#include "openflow/of-switch.h"
#include "ofproto-harness.h"

#define PACKETS 4000u
#define N_PORTS 5u
#define N_TABLES 6u
#define MAX_OUT 400u
#define MAX_STEPS 3000u

static unsigned n_rounds = 100;
static unsigned seed = 1;

static uint32_t
rnd(uint32_t n)
{
    return (uint32_t) rand() % n;
}

/* ---- What comes out. ---- */

struct sent {
    uint32_t port; /* OpenFlow port; CONTROLLER_OUT for packets to the controller */
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
    o->s[o->n].port = port;
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
    unsigned depth;
    uint8_t table;
    uint16_t len;
};

static void ref_run(struct ref *, const struct of_act *, size_t);

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

static void
ref_table(struct ref *r, uint8_t table)
{
    const struct ref_rule *best = NULL;
    uint8_t saved = r->table;

    if (++r->out->steps > MAX_STEPS || r->depth >= XLATE_MAX_DEPTH) {
        r->out->gave_up = true;
        return;
    }
    for (unsigned i = 0; i < n_rules; i++) {
        if (rules[i].table == table && agrees(&r->f, &rules[i].match) &&
            (!best || rules[i].priority > best->priority)) {
            best = &rules[i];
        }
    }
    if (best) {
        r->depth++;
        r->table = table;
        ref_run(r, best->acts.a, best->acts.len);
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
        if (last) {
            ref_run(r, last, last->len);
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
        r->exit = true;
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
    const uint64_t num = ((const struct of_act_num *) a)->num;
    const struct of_act_set_field *set = (const void *) a;
    const struct of_act_stack *st = (const void *) a;
    const struct of_act_nest *nest = (const void *) a;
    const struct of_act_resubmit *rs = (const void *) a;
    uint32_t in_port;

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
        push_tag(&r->f, (uint16_t) num, ntohs(r->f.vlan.tag[0].tci_be) & 0xefff);
        break;
    case OFA_DEC_TTL:
        ref_dec_ttl(r);
        break;
    case OFA_RESUBMIT:
        in_port = r->f.meta.in_port;
        r->f.meta.in_port = rs->in_port == OFPP_IN_PORT ? in_port : rs->in_port;
        {
            /* The other port is for the lookup; actions see the real one. */
            const struct ref_rule *best = NULL;
            uint8_t table = rs->table == UINT8_MAX ? r->table : rs->table, saved = r->table;

            if (++r->out->steps > MAX_STEPS || r->depth >= XLATE_MAX_DEPTH) {
                r->out->gave_up = true;
                r->f.meta.in_port = in_port;
                break;
            }
            for (unsigned i = 0; i < n_rules; i++) {
                if (rules[i].table == table && agrees(&r->f, &rules[i].match) &&
                    (!best || rules[i].priority > best->priority)) {
                    best = &rules[i];
                }
            }
            r->f.meta.in_port = in_port;
            if (best) {
                r->depth++;
                r->table = table;
                ref_run(r, best->acts.a, best->acts.len);
                r->table = saved;
                r->depth--;
            }
        }
        break;
    case OFA_GOTO_TABLE:
        ref_table(r, (uint8_t) num);
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
            memcpy(of_actions_put(&r->set, (enum of_act_type) w->type, w->len), w, w->len);
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
        ref_group(r, (uint32_t) num);
        break;
    case OFA_EXIT:
        r->exit = true;
        break;
    default:
        fail_msg("action %d", a->type);
    }
}

static void
ref_run(struct ref *r, const struct of_act *list, size_t len)
{
    OF_ACT_FOR_EACH(a, list, len)
    {
        const struct of_act_check_pkt_larger *c = (const void *) a;

        if (r->exit || r->out->gave_up || ++r->out->steps > MAX_STEPS) {
            r->out->gave_up |= r->out->steps > MAX_STEPS;
            return;
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
            return;
        }
        ref_one(r, a);
    }
}

static void
reference(const struct flow *f, uint16_t len, struct outputs *out)
{
    struct ref r = {.f = *f, .out = out, .len = len};

    memset(&r.f.regs, 0, sizeof r.f.regs);
    r.f.regs.actset_output = OFPP_UNSET;
    ref_table(&r, 0);
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

/* ---- The switch: a cache of megaflows and a toy datapath. ---- */

struct cached {
    struct flow match, mask;
    struct dp_actions *acts;
    struct xlate_effects effects;
};
#define MAX_CACHED 20000u
static struct cached cache[MAX_CACHED];
static unsigned n_cached, n_hits;

static void
cache_clear(void)
{
    for (unsigned i = 0; i < n_cached; i++) {
        free(cache[i].acts);
        xlate_effects_destroy(&cache[i].effects);
    }
    n_cached = 0;
}

static struct cached *
cache_find(const struct flow *f)
{
    for (unsigned i = 0; i < n_cached; i++) {
        if (flow_matches(f, &cache[i].match, &cache[i].mask)) {
            n_hits++;
            return &cache[i];
        }
    }
    return NULL;
}

static struct cached *
cache_get(const struct flow *f)
{
    struct cached *c = cache_find(f);
    struct xlate_in in = {.snapshot = xsnapshot_get(), .odp = all_ofproto_dps, .flow = f};
    struct xlate_out out;

    if (c) {
        return c;
    }
    assert_true(n_cached < MAX_CACHED);
    assert_true(xlate_translate(&in, &out));
    c = &cache[n_cached++];
    c->mask = out.mask;
    c->match = *f;
    for (unsigned i = 0; i < FLOW_WORDS; i++) {
        ((flow_word *) &c->match)[i] &= ((flow_word *) &c->mask)[i];
    }
    assert_true(flow_matches(f, &c->match, &c->mask));
    c->acts = out.actions;
    c->effects = out.effects;
    return c;
}

static void toy_packet(const struct flow *, uint16_t len, struct outputs *, unsigned pass);

static void
toy_list(const struct dp_actions *acts, uint32_t from, uint32_t n, struct flow *f, uint16_t len,
         struct outputs *out, unsigned pass)
{
    const uint64_t *words = dp_actions_words(acts);

    for (uint32_t i = from; i < from + n; i++) {
        const struct dp_action *a = &acts->a[i];
        struct dp_check_pkt_len c;
        struct flow copy = *f;

        switch ((enum dp_action_type) a->type) {
        case DP_ACT_OUTPUT:
            emit(out, a->port, f);
            break;
        case DP_ACT_PUNT:
            emit(out, CONTROLLER_OUT, f);
            break;
        case DP_ACT_PUSH_VLAN:
            push_tag(f, a->push_vlan.tpid, a->push_vlan.tci);
            break;
        case DP_ACT_POP_VLAN:
            pop_tag(f);
            break;
        case DP_ACT_SET: {
            unsigned nw = flow_section_words[a->section];
            flow_word *w = (flow_word *) f + flow_section_flow_ofs[a->section];

            for (unsigned k = 0; k < nw; k++) {
                w[k] = (w[k] & ~words[a->arg + nw + k]) | words[a->arg + k];
            }
            break;
        }
        case DP_ACT_CLONE:
            toy_list(acts, i + 1, a->n, &copy, len, out, pass);
            i += a->n;
            break;
        case DP_ACT_CHECK_PKT_LEN:
            memcpy(&c, &words[a->arg], sizeof c);
            if (len > c.len) {
                toy_list(acts, i + 1, c.n_greater, &copy, len, out, pass);
            } else {
                toy_list(acts, i + 1 + c.n_greater, c.n_le, &copy, len, out, pass);
            }
            i += (uint32_t) c.n_greater + c.n_le;
            break;
        case DP_ACT_RECIRC:
            copy.meta.recirc_id = a->recirc_id;
            toy_packet(&copy, len, out, pass + 1);
            break;
        default:
            fail_msg("datapath action %d", a->type);
        }
    }
}

static void
toy_packet(const struct flow *f, uint16_t len, struct outputs *out, unsigned pass)
{
    struct flow copy = *f;
    const struct cached *c = cache_get(f);

    assert_true(pass < 8);
    toy_list(c->acts, 0, c->acts->n, &copy, len, out, pass);
}

/* ---- Random packets and tables, out of few values, so that rules match. ---- */

static void
random_flow(struct flow *f)
{
    memset(f, 0, sizeof *f);
    f->meta.in_port = 1 + rnd(N_PORTS);
    f->eth.src.ea[5] = (uint8_t) rnd(3);
    f->eth.dst.ea[5] = (uint8_t) rnd(3);
    if (!rnd(2)) {
        f->vlan.tag[0].tpid_be = htons(0x8100);
        f->vlan.tag[0].tci_be = htons((uint16_t) (0x1000 | rnd(3) | rnd(2) << 13));
    }
    f->eth.type_be = htons(rnd(5) ? 0x0800 : 0x1234);
    if (f->eth.type_be == htons(0x0800)) {
        f->ip.proto = (uint8_t) (rnd(3) ? 6 : rnd(2) ? 17 : 47);
        f->ip.tos = (uint8_t) (rnd(2) << 2);
        f->ip.ttl = (uint8_t) (1 + rnd(3));
        f->ipv4.src_be = htonl(0x0a000000 | rnd(2) << 16 | rnd(4));
        f->ipv4.dst_be = htonl(0x0a000000 | rnd(2) << 16 | rnd(4));
        if (f->ip.proto != 47) {
            f->l4.src_be = htons((uint16_t) rnd(3));
            f->l4.dst_be = htons((uint16_t) rnd(3));
        }
    }
    flow_imply_sections(f);
}

static void
random_match(struct of_match *m, uint8_t table)
{
    struct flow f;

    of_match_init(m);
    random_flow(&f);
    if (!rnd(5)) {
        of_match_set_u64(m, OFF_IN_PORT, f.meta.in_port);
    }
    if (!rnd(6)) {
        struct of_value v, mask = {{0}};

        of_field_get(rnd(2) ? OFF_ETH_SRC : OFF_ETH_DST, &f, &v);
        mask.b[5] = (uint8_t) (1 + rnd(3));
        v.b[5] &= mask.b[5];
        of_match_set(m, rnd(2) ? OFF_ETH_SRC : OFF_ETH_DST, &v, &mask);
    }
    if (!rnd(5)) {
        of_match_set_u64(m, OFF_VLAN_TCI, tagged(&f) ? ntohs(f.vlan.tag[0].tci_be) : 0);
    }
    if (table && !rnd(4)) {
        of_match_set_u64(m, (enum of_field)(OFF_REG0 + rnd(2)), rnd(3));
    }
    if (table && !rnd(6)) {
        of_match_set_u64(m, OFF_METADATA, rnd(2));
    }
    if (rnd(2)) {
        of_match_set_u64(m, OFF_ETH_TYPE, 0x0800);
        if (!rnd(4)) {
            struct of_value v = of_value_from_u64(OFF_IPV4_DST, ntohl(f.ipv4.dst_be));
            struct of_value mask =
                of_value_from_u64(OFF_IPV4_DST, UINT32_MAX << (rnd(3)   ? 0
                                                               : rnd(2) ? 8
                                                                        : 17));

            for (unsigned i = 0; i < 4; i++) {
                v.b[i] &= mask.b[i];
            }
            of_match_set(m, rnd(2) ? OFF_IPV4_DST : OFF_IPV4_SRC, &v, &mask);
        }
        if (!rnd(6)) {
            of_match_set_u64(m, OFF_IP_TTL, 1 + rnd(2));
        }
        if (!rnd(3)) {
            of_match_set_u64(m, OFF_IP_PROTO, 6);
            if (rnd(2)) {
                of_match_set_u64(m, rnd(2) ? OFF_TCP_SRC : OFF_TCP_DST, rnd(3));
            }
        }
    }
}

static void
put_num(struct of_actions *l, enum of_act_type type, uint64_t num)
{
    struct of_act_num *a = of_actions_put(l, type, sizeof *a);

    a->num = num;
}

static void
put_set(struct of_actions *l, enum of_act_type type, enum of_field f, uint64_t v)
{
    struct of_act_set_field *a = of_actions_put(l, type, sizeof *a);

    a->dst = of_subfield_whole(f);
    a->value = of_value_from_u64(f, v);
    of_field_ones(f, &a->mask);
}

static void
put_vlan(struct of_actions *l, enum of_act_type type, uint16_t v, bool push)
{
    struct of_act_vlan *a = of_actions_put(l, type, sizeof *a);

    a->value = v;
    a->push_if_needed = push;
}

static uint16_t
random_port(void)
{
    static const uint16_t special[] = {OFPP_IN_PORT, OFPP_ALL, OFPP_CONTROLLER};

    return rnd(5) ? (uint16_t) (1 + rnd(N_PORTS + 1)) : special[rnd(3)];
}

static void
put_random_set(struct of_actions *l)
{
    static const enum of_field f[] = {OFF_ETH_SRC,  OFF_ETH_DST, OFF_IPV4_SRC, OFF_IPV4_DST,
                                      OFF_IP_TTL,   OFF_TCP_DST, OFF_REG0,     OFF_REG0 + 1,
                                      OFF_PKT_MARK, OFF_IP_DSCP, OFF_VLAN_VID, OFF_UDP_SRC};
    enum of_field which = f[rnd(ARRAY_SIZE(f))];

    put_set(l, OFA_SET_FIELD, which, which == OFF_VLAN_VID ? 0x1000 | rnd(3) : rnd(3));
}

/* Lists nest a little; `set`: only what an action set may hold. */
static void
random_actions(struct of_actions *l, uint8_t table, unsigned depth, bool set)
{
    unsigned n = 1 + rnd(set ? 3 : 5);

    for (unsigned i = 0; i < n; i++) {
        switch (rnd(set ? 6 : 20)) {
        case 0:
        case 1:
            of_actions_put_output(l, random_port(), UINT16_MAX);
            break;
        case 2:
            put_random_set(l);
            break;
        case 3:
            of_actions_put(l, OFA_STRIP_VLAN, sizeof(struct of_act));
            break;
        case 4:
            ((struct of_act_dec_ttl *) of_actions_put(
                 l, OFA_DEC_TTL, sizeof(struct of_act_dec_ttl) + sizeof(uint16_t)))
                ->n_controllers = 1;
            break;
        case 5:
            if (set && depth) {
                break;
            }
            put_num(l, OFA_GROUP, rnd(N_GROUPS + 1));
            break;
        case 6:
            put_num(l, OFA_PUSH_VLAN, 0x8100);
            break;
        case 7:
            put_vlan(l, OFA_SET_VLAN_VID, (uint16_t) rnd(3), rnd(2));
            break;
        case 8:
            put_vlan(l, OFA_SET_VLAN_PCP, (uint16_t) rnd(2), rnd(2));
            break;
        case 9:
        case 10: {
            struct of_act_resubmit *a = of_actions_put(l, OFA_RESUBMIT, sizeof *a);

            a->table = (uint8_t) (rnd(8) ? table + 1 + rnd(2) : rnd(N_TABLES));
            a->in_port = rnd(4) ? OFPP_IN_PORT : (uint16_t) (1 + rnd(N_PORTS));
            break;
        }
        case 11: {
            struct of_act_move *a = of_actions_put(l, OFA_MOVE, sizeof *a);
            bool mac = rnd(2);

            a->src = (struct of_subfield){mac ? OFF_ETH_SRC : OFF_IPV4_SRC, 0, 8};
            a->dst =
                (struct of_subfield){(uint16_t) (OFF_REG0 + rnd(2)), (uint8_t) (rnd(2) * 8), 8};
            break;
        }
        case 12: {
            struct of_act_move *a = of_actions_put(l, OFA_MOVE, sizeof *a);

            a->src = (struct of_subfield){OFF_REG0, 0, 2};
            a->dst = (struct of_subfield){rnd(2) ? OFF_ETH_DST : OFF_IPV4_DST, 0, 2};
            break;
        }
        case 13: {
            struct of_act_stack *a = of_actions_put(l, rnd(2) ? OFA_PUSH : OFA_POP, sizeof *a);

            a->sub = (struct of_subfield){(uint16_t) (rnd(2) ? OFF_REG0 : OFF_ETH_SRC), 0, 8};
            break;
        }
        case 14:
            if (depth < 2) {
                struct of_actions inner = OF_ACTIONS_INIT;
                struct of_act_nest *a;

                random_actions(&inner, table, depth + 1, false);
                a = of_actions_put(l, OFA_CLONE, sizeof *a + inner.len);
                if (inner.len) {
                    memcpy(a->list, inner.a, inner.len);
                }
                of_actions_free(&inner);
            }
            break;
        case 15:
            if (!rnd(3)) {
                of_actions_put(l, OFA_EXIT, sizeof(struct of_act));
            }
            break;
        case 16: {
            struct of_act_output_reg *a = of_actions_put(l, OFA_OUTPUT_REG, sizeof *a);

            a->src = (struct of_subfield){OFF_REG0, 0, 2};
            a->max_len = UINT16_MAX;
            break;
        }
        case 17:
            if (!rnd(3)) {
                struct of_act_check_pkt_larger *a =
                    of_actions_put(l, OFA_CHECK_PKT_LARGER, sizeof *a);

                a->pkt_len = 100;
                a->dst = (struct of_subfield){OFF_REG0, 0, 1};
            }
            break;
        default:
            put_random_set(l);
            break;
        }
    }
}

/* The instructions behind the actions. */
static void
random_instructions(struct of_actions *l, uint8_t table)
{
    if (!rnd(8)) {
        of_actions_put(l, OFA_CLEAR_ACTIONS, sizeof(struct of_act));
    }
    if (!rnd(5)) {
        struct of_actions inner = OF_ACTIONS_INIT;
        struct of_act_nest *a;

        random_actions(&inner, table, 0, true);
        a = of_actions_put(l, OFA_WRITE_ACTIONS, sizeof *a + inner.len);
        if (inner.len) {
            memcpy(a->list, inner.a, inner.len);
        }
        of_actions_free(&inner);
    }
    if (!rnd(6)) {
        struct of_act_metadata *a = of_actions_put(l, OFA_WRITE_METADATA, sizeof *a);

        a->value = rnd(2);
        a->mask = 1;
    }
    if (table + 1u < N_TABLES && !rnd(3)) {
        put_num(l, OFA_GOTO_TABLE, table + 1u + rnd(N_TABLES - table - 1));
    }
}

/* False: the switch refuses such a rule (fields without what they need), and there is none. */
static bool
add_rule(struct ofproto *o, uint8_t table, int priority)
{
    struct ref_rule *r = &rules[n_rules];
    struct of_flow_mod fm;
    enum of_err error;

    *r = (struct ref_rule){.table = table, .priority = priority};
    random_match(&r->match, table);
    random_actions(&r->acts, table, 0, false);
    random_instructions(&r->acts, table);
    memset(&fm, 0, sizeof fm);
    fm.command = OFPFC_ADD;
    fm.table_id = table;
    fm.priority = (uint16_t) priority;
    fm.match = r->match;
    fm.out_port = OFPP_NONE;
    fm.out_group = OFPG_ANY;
    of_actions_clone(&fm.actions, r->acts.a, r->acts.len);
    error = oftables_flow_mod(o->tables, &fm, &(struct of_requester){.version = 4});
    of_actions_free(&fm.actions);
    if (error) {
        of_actions_free(&r->acts);
        return false;
    }
    n_rules++;
    return true;
}

static void
add_group(struct ofproto *o, uint32_t id)
{
    static const enum of_group_type types[] = {OFPGT_ALL, OFPGT_INDIRECT, OFPGT_FF};
    struct ref_group *g = &groups[id];
    struct of_bucket b[3];
    struct of_group_mod gm;

    memset(g, 0, sizeof *g);
    memset(b, 0, sizeof b);
    memset(&gm, 0, sizeof gm);
    g->type = types[rnd(3)];
    g->n = g->type == OFPGT_INDIRECT ? 1 : rnd(4);
    for (unsigned i = 0; i < g->n; i++) {
        random_actions(&g->bucket[i], 0, 1, true);
        g->watch[i] = g->type == OFPGT_FF ? (uint16_t) (1 + rnd(2 * N_PORTS)) : OFPP_NONE;
        b[i] = (struct of_bucket){.id = i, .watch_port = g->watch[i], .watch_group = OFPG_ANY};
        of_actions_clone(&b[i].actions, g->bucket[i].a, g->bucket[i].len);
    }
    gm.command = OFPGC_ADD;
    gm.type = g->type;
    gm.group_id = id;
    gm.buckets = b;
    gm.n_buckets = g->n;
    assert_int_equal(oftables_group_mod(o->tables, &gm, &(struct of_requester){.version = 4}),
                     0);
    for (unsigned i = 0; i < g->n; i++) {
        of_actions_free(&b[i].actions);
    }
}

static void
clear_tables(struct ofproto *o)
{
    oftables_flush(o->tables);
    for (unsigned i = 0; i < n_rules; i++) {
        of_actions_free(&rules[i].acts);
    }
    for (unsigned i = 0; i < N_GROUPS; i++) {
        for (unsigned b = 0; b < groups[i].n; b++) {
            of_actions_free(&groups[i].bucket[b]);
        }
        groups[i].n = 0;
    }
    n_rules = 0;
}

static void
explain(const struct flow *f, const struct outputs *want, const struct outputs *got)
{
    const struct flow_format_opts opts = {.verbose = false};
    struct strbuf s = STRBUF_INIT;
    struct xtrace trace = {.s = &s};
    struct xlate_in in = {
        .snapshot = xsnapshot_get(), .odp = all_ofproto_dps, .flow = f, .trace = &trace};
    struct xlate_out out;
    struct flow all;

    memset(&all, 0xff, sizeof all);
    flow_format(&s, f, &all, &opts);
    strbuf_putc(&s, '\n');
    for (unsigned i = 0; i < MAX(want->n, got->n); i++) {
        strbuf_putf(&s, "output %u: want %d, got %d%s\n", i,
                    i < want->n ? (int) want->s[i].port : -1,
                    i < got->n ? (int) got->s[i].port : -1,
                    i < want->n && i < got->n &&
                            memcmp(&want->s[i].flow, &got->s[i].flow, sizeof(struct flow))
                        ? " headers differ"
                        : "");
    }
    strbuf_puts(&s, "megaflow: ");
    flow_format(&s, f, &cache_find(f)->mask, &opts);
    strbuf_puts(&s, " actions: ");
    dp_actions_format(&s, cache_find(f)->acts, NULL, NULL);
    if (xlate_translate(&in, &out)) { /* anew, with reasons; perhaps by another answer */
        strbuf_puts(&s, "\nnow:      ");
        flow_format(&s, f, &out.mask, &opts);
        strbuf_puts(&s, " actions: ");
        dp_actions_format(&s, out.actions, NULL, NULL);
        free(out.actions);
        xlate_effects_destroy(&out.effects);
    }
    fprintf(stderr, "%s\n", strbuf_cstr(&s));
    strbuf_free(&s);
}

static void
test_diff(void **state)
{
    static struct outputs want, got;
    struct ofproto *o = *state;
    unsigned n_compared = 0, n_sent = 0;

    for (uint32_t p = 1; p <= N_PORTS; p++) {
        char name[8];

        snprintf(name, sizeof name, "p%u", p);
        assert_int_equal(add_plain(o, name, (uint16_t) p), p);
    }
    for (unsigned round = 0; round < n_rounds; round++) {
        unsigned n = 5 + rnd(rnd(2) ? 20 : MAX_RULES - 10);

        srand(seed + round);
        clear_tables(o);
        for (uint32_t g = 0; g < N_GROUPS; g++) {
            add_group(o, g);
        }
        for (unsigned i = 0; i < n; i++) {
            uint8_t table = (uint8_t) (rnd(3) ? rnd(2) : rnd(N_TABLES));

            while (!add_rule(o, table, (int) (n - i))) {
            }
        }
        ofproto_publish();
        for (unsigned i = 0; i < PACKETS; i++) {
            struct flow f;
            uint16_t len = rnd(2) ? 64 : 200;

            random_flow(&f);
            want.n = want.steps = got.n = got.steps = 0;
            want.gave_up = got.gave_up = false;
            reference(&f, len, &want);
            toy_packet(&f, len, &got, 0);
            if (want.gave_up) {
                continue;
            }
            if (got.n != want.n || memcmp(got.s, want.s, got.n * sizeof got.s[0])) {
                explain(&f, &want, &got);
                fail_msg("round %u (seed %u), packet %u", round, seed + round, i);
            }
            n_compared++;
            n_sent += got.n;
        }
        cache_clear();
        rcu_quiescent_state();
    }
    clear_tables(o);
    print_message("%u packets compared, %u sent, %u by a megaflow made before\n", n_compared,
                  n_sent, n_hits);
    assert_true(n_compared > n_rounds * PACKETS / 2);
    assert_true(n_hits > n_compared / 10);
}

int
main(int argc, char *argv[])
{
    const struct CMUnitTest tests[] = {T(test_diff)};

    n_rounds = argc > 1 ? (unsigned) strtoul(argv[1], NULL, 10) : n_rounds;
    seed = argc > 2 ? (unsigned) strtoul(argv[2], NULL, 10) : seed;
    return run_bridge_tests(tests, ARRAY_SIZE(tests));
}
