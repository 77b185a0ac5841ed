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

#include "flow/flow-key.h"
#include "ofproto/xtrace.h"
#include "openflow/of-switch.h"
#include "xlate-random.h"

#define PACKETS 4000u

static unsigned n_rounds = 100;
static unsigned seed = 1;

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
        unsigned n;

        srand(seed + round);
        n = 5 + rnd(rnd(2) ? 20 : MAX_RULES - 10);
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
