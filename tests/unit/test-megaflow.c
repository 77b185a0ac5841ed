/* SPDX-License-Identifier: Apache-2.0 */
/* Unit tests of the caches of lib/datapath: the megaflow table against a linear reference with
 * random flows, masks and presence bits, its ranking; the exact-match and the signature cache.
 */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "datapath/emc.h"
#include "datapath/megaflow.h"
#include "datapath/smc.h"
#include "util/xalloc.h"

#define MAX_REFS 600

struct ref {
    struct flow flow, mask; /* mask as clipped */
    struct dp_flow *f;      /* NULL: deleted */
};
static struct ref refs[MAX_REFS];
static unsigned n_refs;
static _Atomic unsigned n_cookies_freed;

static void
cookie_free(void *aux, void *cookie)
{
    assert_ptr_equal(aux, &refs);
    free(cookie);
    atomic_fetch_add(&n_cookies_freed, 1);
}

static struct megaflow_owner owner = {.cookie_free = cookie_free, .aux = &refs};

/* Few values, so that flows share them; sections that do occur together. */
static void
random_flow(struct flow *f)
{
    static const unsigned layers[] = {
        FS_BIT(FS_META),
        FS_BIT(FS_META) | FS_BIT(FS_ETH),
        FS_BIT(FS_META) | FS_BIT(FS_ETH) | FS_BIT(FS_ARP),
        FS_BIT(FS_META) | FS_BIT(FS_ETH) | FS_BIT(FS_IP) | FS_BIT(FS_IPV4),
        FS_BIT(FS_META) | FS_BIT(FS_ETH) | FS_BIT(FS_IP) | FS_BIT(FS_IPV4) | FS_BIT(FS_L4),
        FS_BIT(FS_META) | FS_BIT(FS_ETH) | FS_BIT(FS_IP) | FS_BIT(FS_IPV6) | FS_BIT(FS_L4),
        FS_BIT(FS_META) | FS_BIT(FS_ETH) | FS_BIT(FS_MPLS),
    };
    flow_word *w = (void *) f;

    memset(f, 0, sizeof *f);
    f->sections = layers[rand() % (sizeof layers / sizeof layers[0])];
    if (f->sections & FS_BIT(FS_ETH) && rand() % 3 == 0) {
        f->sections |= FS_BIT(FS_VLAN);
    }
    for (unsigned s = 0; s < FS_REGS; s++) {
        for (unsigned i = 0; f->sections & FS_BIT(s) && i < flow_section_words[s]; i++) {
            w[flow_section_flow_ofs[s] + i] =
                (uint64_t) (rand() % 2) << 40 | (uint64_t) (rand() % 3);
        }
    }
}

static void
random_mask(struct flow *m)
{
    flow_word *w = (void *) m;

    memset(m, 0, sizeof *m);
    for (unsigned n = (unsigned) rand() % 6; n; n--) {
        unsigned s = (unsigned) rand() % FS_REGS;

        w[flow_section_flow_ofs[s] + (unsigned) rand() % flow_section_words[s]] =
            rand() % 2 ? UINT64_MAX : 0xff;
    }
    m->sections = (uint64_t) (rand() & rand()) & MF_SECTIONS;
}

static bool
ref_matches(const struct ref *r, const struct flow *pkt)
{
    const flow_word *p = (const void *) pkt, *f = (const void *) &r->flow,
                    *m = (const void *) &r->mask;

    if ((pkt->sections ^ r->flow.sections) & r->mask.sections) {
        return false;
    }
    for (unsigned i = 0; i < FLOW_WORDS - 1; i++) {
        if ((p[i] ^ f[i]) & m[i]) {
            return false;
        }
    }
    return true;
}

static const struct ref *
ref_of(const struct dp_flow *f)
{
    for (unsigned i = 0; i < n_refs; i++) {
        if (refs[i].f == f) {
            return &refs[i];
        }
    }
    return NULL;
}

static struct dp_actions *
no_actions(void)
{
    struct dp_actions_builder b = {.n = 0};

    return dp_actions_finish(&b);
}

static void
add_random(struct megaflow_table *t)
{
    struct ref *r = &refs[n_refs];
    struct dp_actions *acts = no_actions();
    void *cookie = xmalloc(1);
    bool existed;

    random_flow(&r->flow);
    random_mask(&r->mask);
    r->f = megaflow_insert(t, &r->flow, &r->mask, acts, cookie, 1, &existed);
    assert_non_null(r->f);
    flow_mask_clip(&r->mask, &r->flow);
    if (existed) {
        assert_non_null(ref_of(r->f));
        free(acts);
        free(cookie);
        return;
    }
    n_refs++;
}

/* Many keys at once give what each alone gives. */
static void
check_batch(struct megaflow_table *t)
{
    unsigned n = (unsigned) rand() % (MF_BATCH + 1), n_looked[MF_BATCH];
    const struct flow_key *keys[MF_BATCH];
    struct dp_flow *flows[MF_BATCH];
    struct flow_key k[MF_BATCH];
    uint16_t ids[MF_BATCH];

    for (unsigned i = 0; i < n; i++) {
        struct flow pkt;

        random_flow(&pkt);
        flow_key_from_flow(&pkt, &k[i]);
        keys[i] = &k[i];
    }
    megaflow_lookup_batch(t, keys, n, flows, n_looked, ids);
    for (unsigned i = 0; i < n; i++) {
        unsigned one_looked = 0;
        uint16_t id = 0;

        assert_ptr_equal(megaflow_lookup(t, keys[i], &one_looked, &id), flows[i]);
        if (flows[i]) {
            assert_int_equal(one_looked, n_looked[i]);
            assert_int_equal(id, ids[i]);
        }
    }
}

static void
check_lookups(struct megaflow_table *t, unsigned n)
{
    while (n--) {
        unsigned n_looked = 0, n_match = 0;
        struct flow pkt, back;
        struct flow_key k;
        struct dp_flow *f;
        uint16_t id = 0;

        random_flow(&pkt);
        flow_key_from_flow(&pkt, &k);
        flow_key_expand(&k, &back);
        assert_true(flow_equal(&pkt, &back));
        for (unsigned i = 0; i < n_refs; i++) {
            n_match += refs[i].f && ref_matches(&refs[i], &pkt);
        }
        f = megaflow_lookup(t, &k, &n_looked, &id);
        assert_int_equal(f != NULL, n_match > 0);
        if (f) {
            assert_true(ref_matches(ref_of(f), &pkt));
            assert_true(n_looked > 0);
            if (id) {
                assert_ptr_equal(megaflow_lookup_in(t, id, &k), f);
            }
        }
    }
}

static void
test_reference(void **state)
{
    struct megaflow_table t;
    unsigned n_inserted;

    srand(7);
    n_refs = 0;
    atomic_store(&n_cookies_freed, 0);
    megaflow_table_init(&t, &owner);
    for (unsigned round = 0; round < 20; round++) {
        for (unsigned i = 0; i < 25; i++) {
            add_random(&t);
        }
        for (unsigned i = 0; i < 8; i++) {
            struct ref *r = &refs[(unsigned) rand() % n_refs];

            if (r->f) {
                megaflow_delete(r->f);
                megaflow_delete(r->f); /* twice: nothing more happens */
                r->f = NULL;
            }
        }
        if (round % 3 == 0) {
            megaflow_maintain(&t);
        }
        check_lookups(&t, 200);
        for (unsigned i = 0; i < 20; i++) {
            check_batch(&t);
        }
        rcu_quiescent_state();
    }
    n_inserted = n_refs;
    megaflow_table_flush(&t);
    assert_int_equal(atomic_load(&t.n_flows), 0);
    assert_int_equal(atomic_load(&owner.n_flows), 0);
    megaflow_maintain(&t);
    assert_int_equal(t.n_subtables, 0);
    rcu_barrier();
    assert_int_equal(atomic_load(&n_cookies_freed), n_inserted);
    megaflow_table_destroy(&t);
}

/* Thousands in one subtable: its buckets grow, every flow stays findable, match and mask come
 * back as they went in. */
static void
test_growth(void **state)
{
    struct megaflow_table t;
    struct flow flow, mask, m1, m2;
    struct flow_key k;
    unsigned n_looked = 0;
    uint16_t id;
    bool existed;

    memset(&mask, 0, sizeof mask);
    mask.ipv4.dst_be = UINT32_MAX;
    memset(&flow, 0, sizeof flow);
    flow.sections = FS_BIT(FS_META) | FS_BIT(FS_ETH) | FS_BIT(FS_IP) | FS_BIT(FS_IPV4);
    megaflow_table_init(&t, &owner);
    for (uint32_t i = 0; i < 5000; i++) {
        flow.ipv4.dst_be = i;
        flow.ipv4.src_be = ~i;
        megaflow_insert(&t, &flow, &mask, no_actions(), NULL, 5, &existed);
        assert_false(existed);
    }
    assert_int_equal(t.n_subtables, 1);
    for (uint32_t i = 0; i < 5000; i++) {
        struct dp_flow *f;

        flow.ipv4.dst_be = i;
        flow.ipv4.src_be = i * 7;
        flow_key_from_flow(&flow, &k);
        f = megaflow_lookup(&t, &k, &n_looked, &id);
        assert_non_null(f);
        megaflow_get_match(f, &m1, &m2);
        assert_int_equal(m1.ipv4.dst_be, i);
        assert_int_equal(m1.ipv4.src_be, 0);
        assert_int_equal(m2.ipv4.dst_be, UINT32_MAX);
        assert_true(m2.sections & FS_BIT(FS_IPV4));
        assert_true(m1.sections & FS_BIT(FS_IPV4));
        megaflow_get_origin(f, &m2); /* what was masked out, too */
        assert_int_equal(m2.ipv4.dst_be, i);
        assert_int_equal(m2.ipv4.src_be, ~i);
        assert_int_equal(m2.sections, flow.sections);
    }
    /* Without an IPv4 section nothing there matches, whatever the words say. */
    flow.sections = FS_BIT(FS_META) | FS_BIT(FS_ETH);
    memset(&flow.ipv4, 0, sizeof flow.ipv4);
    flow_key_from_flow(&flow, &k);
    assert_null(megaflow_lookup(&t, &k, &n_looked, &id));
    megaflow_table_flush(&t);
    rcu_barrier();
    megaflow_table_destroy(&t);
}

static void
test_emc(void **state)
{
    static struct flow_key keys[2000];
    struct megaflow_table t;
    struct flow flow, mask;
    struct dp_flow *f, *g;
    struct emc emc;
    unsigned hits = 0;
    bool existed;

    memset(&flow, 0, sizeof flow);
    memset(&mask, 0, sizeof mask);
    flow.sections = FS_BIT(FS_META) | FS_BIT(FS_ETH);
    mask.meta.in_port = UINT32_MAX;
    megaflow_table_init(&t, &owner);
    emc_init(&emc);
    f = megaflow_insert(&t, &flow, &mask, no_actions(), NULL, 1, &existed);
    flow.meta.in_port = 1;
    g = megaflow_insert(&t, &flow, &mask, no_actions(), NULL, 1, &existed);
    for (unsigned i = 0; i < 2000; i++) {
        flow.meta.dp_hash = i;
        flow_key_from_flow(&flow, &keys[i]);
        emc_insert(&emc, &keys[i], i % 2 ? f : g);
    }
    for (unsigned i = 0; i < 2000; i++) {
        struct dp_flow *found = emc_lookup(&emc, &keys[i]);

        assert_true(!found || found == (i % 2 ? f : g));
        hits += found != NULL;
    }
    assert_true(hits > 1500);
    emc_insert(&emc, &keys[0], f); /* replaces what the key had */
    assert_ptr_equal(emc_lookup(&emc, &keys[0]), f);

    /* Same hash, other contents: no hit. */
    keys[1].w[0] ^= 1;
    assert_null(emc_lookup(&emc, &keys[1]));

    megaflow_delete(f);
    rcu_barrier();
    assert_null(emc_lookup(&emc, &keys[0]));
    assert_true(atomic_load(&f->refs) > 0); /* by entries alone */
    emc_sweep(&emc, EMC_ENTRIES);           /* frees it: a leak or a double free shows */
    for (unsigned i = 0; i < 2000; i++) {
        assert_true(!emc_lookup(&emc, &keys[i]) || emc_lookup(&emc, &keys[i]) == g);
    }
    emc_destroy(&emc);
    megaflow_table_flush(&t);
    rcu_barrier();
    megaflow_table_destroy(&t);
}

static void
test_smc(void **state)
{
    struct smc smc = {NULL};
    struct megaflow_table t;
    struct flow flow, mask;
    struct flow_key k;
    struct dp_flow *f;
    unsigned n_looked = 0;
    uint16_t id = 0;
    bool existed;

    memset(&flow, 0, sizeof flow);
    memset(&mask, 0, sizeof mask);
    flow.sections = FS_BIT(FS_META) | FS_BIT(FS_ETH);
    mask.meta.in_port = UINT32_MAX;
    megaflow_table_init(&t, &owner);
    f = megaflow_insert(&t, &flow, &mask, no_actions(), NULL, 1, &existed);
    flow_key_from_flow(&flow, &k);
    assert_null(smc_lookup(&smc, &t, &k));
    assert_ptr_equal(megaflow_lookup(&t, &k, &n_looked, &id), f);
    assert_int_not_equal(id, 0);
    smc_insert(&smc, &k, id);
    assert_ptr_equal(smc_lookup(&smc, &t, &k), f);
    megaflow_delete(f);
    assert_null(smc_lookup(&smc, &t, &k));
    megaflow_maintain(&t);
    assert_null(smc_lookup(&smc, &t, &k)); /* its subtable is gone */
    smc_destroy(&smc);
    rcu_barrier();
    megaflow_table_destroy(&t);
}

/* The walk is as long as the order of the subtables makes it, whoever finds the flow. */
static void
test_walk(void **state)
{
    struct dp_flow *found[3];
    struct megaflow_table t;
    struct flow_key keys[3];
    unsigned n_looked = 0;
    uint16_t ids[3];

    megaflow_table_init(&t, &owner);
    for (unsigned i = 0; i < 3; i++) {
        struct flow flow, mask;
        bool existed;

        memset(&flow, 0, sizeof flow);
        memset(&mask, 0, sizeof mask);
        flow.sections = FS_BIT(FS_META) | FS_BIT(FS_ETH);
        flow.meta.in_port = mask.meta.in_port = UINT32_MAX - i;
        flow.eth.dst.ea[i] = 9;
        mask.meta.in_port = UINT32_MAX;
        mask.eth.dst.ea[i] = 0xff;
        found[i] = megaflow_insert(&t, &flow, &mask, no_actions(), NULL, 1, &existed);
        flow_key_from_flow(&flow, &keys[i]);
    }
    for (unsigned i = 0; i < 63; i++) {
        assert_ptr_equal(megaflow_lookup(&t, &keys[2], &n_looked, &ids[2]), found[2]);
    }
    megaflow_maintain(&t);
    assert_int_equal(t.walk16, 0); /* too few to tell; 31 of them remain */
    for (unsigned i = 0; i < 100; i++) {
        megaflow_lookup(&t, &keys[2], &n_looked, &ids[2]);
    }
    megaflow_maintain(&t);
    assert_int_equal(t.walk16, 16); /* it is the first now */
    for (unsigned i = 0; i < 300; i++) {
        megaflow_lookup(&t, &keys[0], &n_looked, &ids[0]);
        megaflow_lookup(&t, &keys[1], &n_looked, &ids[1]);
        assert_ptr_equal(megaflow_lookup_in(&t, ids[2], &keys[2]), found[2]);
    }
    megaflow_maintain(&t);
    /* 365 in the first, 300 in each of the others. */
    assert_int_equal(t.walk16, (365 + 300 * 2 + 300 * 3) * 16 / 965);
    megaflow_table_flush(&t);
    rcu_barrier();
    megaflow_table_destroy(&t);
}

static int
setup(void **state)
{
    thread_adopt("");
    return 0;
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_reference),
        cmocka_unit_test(test_growth),
        cmocka_unit_test(test_emc),
        cmocka_unit_test(test_smc),
        cmocka_unit_test(test_walk),
    };

    return cmocka_run_group_tests(tests, setup, NULL);
}
