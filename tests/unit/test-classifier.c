/* SPDX-License-Identifier: Apache-2.0 */
/* The classifier against a list that is searched from end to end, with random rules and flows,
 * and with a reader beside the writer. */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <cmocka.h>
#include <arpa/inet.h>
#include <stdatomic.h>

#include "flow/classifier.h"
#include "os/rcu.h"
#include "os/thread.h"
#include "packet-samples.h"
#include "util/compiler.h"
#include "util/xalloc.h"

#define N_RULES 300

/* A small world, so that rules overlap and flows agree often. */
static struct flow
random_flow(void)
{
    struct flow f;
    uint32_t r = test_random();

    memset(&f, 0, sizeof f);
    f.meta.in_port = r & 1;
    f.eth.dst.ea[5] = r >> 1 & 3;
    f.eth.type_be = htons(0x800);
    f.sections = S_ETH;
    if (r >> 3 & 1) {
        f.sections |= FS_BIT(FS_VLAN);
        f.vlan.tag[0].tci_be = htons(VLAN_CFI | (r >> 4 & 1));
    }
    if (r >> 5 & 3) {
        f.sections |= FS_BIT(FS_IP) | FS_BIT(FS_IPV4);
        f.ip.proto = 6 + (r >> 7 & 1);
        f.ipv4.dst_be = htonl(r >> 8 & 7);
        if (r >> 11 & 3) {
            f.sections |= FS_BIT(FS_L4);
            f.l4.dst_be = htons(r >> 13 & 3);
        }
    }
    f.regs.reg[0] = r >> 15 & 1;
    return f;
}

static struct flow
random_mask(void)
{
    struct flow m;
    uint32_t r = test_random();

    memset(&m, 0, sizeof m);
    m.meta.in_port = r & 1 ? UINT32_MAX : 0;
    m.eth.dst.ea[5] = r >> 1 & 1 ? 0xff : 0;
    m.vlan.tag[0].tci_be = r >> 2 & 1 ? htons(0x1fff) : 0;
    m.ip.proto = r >> 3 & 1 ? 0xff : 0;
    m.ipv4.dst_be = r >> 4 & 1 ? htonl(UINT32_MAX << (r >> 5 & 3)) : 0;
    m.l4.dst_be = r >> 7 & 1 ? UINT16_MAX : 0;
    m.regs.reg[0] = r >> 8 & 1 ? UINT32_MAX : 0;
    return m;
}

static const struct cls_rule *
reference(struct cls_rule *const rules[], const struct flow *f)
{
    const struct cls_rule *best = NULL;

    for (int i = 0; i < N_RULES; i++) {
        if (rules[i] && (!best || rules[i]->priority > best->priority) &&
            flow_matches(f, &rules[i]->match, &rules[i]->mask)) {
            best = rules[i];
        }
    }
    return best;
}

static int
priority_of(const struct cls_rule *r)
{
    return r ? r->priority : -1;
}

static void
check_lookups(const struct classifier *cls, struct cls_rule *const rules[])
{
    for (int i = 0; i < 40; i++) {
        struct flow f = random_flow(), wc, other;
        const struct cls_rule *r;
        flow_word *w = (flow_word *) &other;

        memset(&wc, 0, sizeof wc);
        r = classifier_lookup(cls, &f, &wc);
        assert_int_equal(priority_of(r), priority_of(reference(rules, &f)));

        /* Whatever agrees in the bits looked at gets the same answer: arbitrary bits... */
        for (unsigned j = 0; j < FLOW_WORDS; j++) {
            uint64_t bits = (uint64_t) test_random() << 32 | test_random();
            uint64_t mask = ((flow_word *) &wc)[j];

            w[j] = (((flow_word *) &f)[j] & mask) | (bits & ~mask);
        }
        assert_ptr_equal(classifier_lookup(cls, &other, NULL), r);
        /* ...and packets like those there are. */
        for (int j = 0; j < 20; j++) {
            other = random_flow();
            if (flow_matches(&other, &f, &wc)) {
                assert_ptr_equal(classifier_lookup(cls, &other, NULL), r);
            }
        }
        /* Presence of every section that was looked into. */
        assert_int_equal(flow_mask_sections(&wc) & ~wc.sections, 0);
    }
}

static void
test_random_rules(void **state)
{
    struct classifier *cls = classifier_create();
    struct cls_rule *rules[N_RULES] = {NULL};
    unsigned n = 0;

    for (int step = 0; step < 3000; step++) {
        int i = (int) (test_random() % N_RULES);

        if (rules[i]) {
            classifier_remove(cls, rules[i]);
            rcu_quiescent_state();
            free(rules[i]);
            rules[i] = NULL;
            n--;
        } else {
            struct flow match = random_flow(), mask = random_mask();

            rules[i] = xmalloc(sizeof *rules[i]);
            /* One priority per place: the answer is unique. */
            cls_rule_init(rules[i], &match, &mask, i * 7 % 65536);
            assert_null(classifier_find_exact(cls, &match, &mask, i * 7));
            assert_null(classifier_insert(cls, rules[i]));
            assert_ptr_equal(classifier_find_exact(cls, &match, &mask, i * 7), rules[i]);
            n++;
        }
        assert_int_equal(classifier_count(cls), n);
        if (step % 30 == 0) {
            check_lookups(cls, rules);
        }
    }
    for (int i = 0; i < N_RULES; i++) {
        if (rules[i]) {
            classifier_remove(cls, rules[i]);
            free(rules[i]);
        }
    }
    assert_int_equal(classifier_count(cls), 0);
    rcu_barrier();
    classifier_destroy(cls);
}

static bool
count_one(struct cls_rule *rule, void *aux)
{
    ++*(unsigned *) aux;
    return *(unsigned *) aux < 3;
}

static void
test_replace(void **state)
{
    struct classifier *cls = classifier_create();
    struct flow match = random_flow(), mask = random_mask();
    struct cls_rule a, b, more[4];
    unsigned n = 0;

    cls_rule_init(&a, &match, &mask, 5);
    cls_rule_init(&b, &match, &mask, 5);
    assert_null(classifier_insert(cls, &a));
    assert_ptr_equal(classifier_lookup(cls, &match, NULL), &a);
    assert_ptr_equal(classifier_insert(cls, &b), &a);
    assert_ptr_equal(classifier_lookup(cls, &match, NULL), &b);
    assert_int_equal(classifier_count(cls), 1);
    for (int i = 0; i < 4; i++) {
        cls_rule_init(&more[i], &match, &mask, 10 + i);
        assert_null(classifier_insert(cls, &more[i]));
        assert_ptr_equal(classifier_lookup(cls, &match, NULL), &more[i]);
    }
    classifier_for_each(cls, count_one, &n);
    assert_int_equal(n, 3);
    for (int i = 3; i >= 0; i--) {
        classifier_remove(cls, &more[i]);
        assert_ptr_equal(classifier_lookup(cls, &match, NULL), i ? &more[i - 1] : &b);
    }
    classifier_remove(cls, &b);
    assert_null(classifier_lookup(cls, &match, NULL));
    rcu_barrier();
    classifier_destroy(cls);
}

/* A tuple whose rules no lookup needs is not looked at. */
static void
test_stops_early(void **state)
{
    struct classifier *cls = classifier_create();
    struct flow match, high, low, wc;
    struct cls_rule a, b;

    memset(&match, 0, sizeof match);
    memset(&high, 0, sizeof high);
    memset(&low, 0, sizeof low);
    memset(&wc, 0, sizeof wc);
    high.meta.in_port = UINT32_MAX;
    low.l4.dst_be = UINT16_MAX;
    cls_rule_init(&a, &match, &high, 20);
    cls_rule_init(&b, &match, &low, 10);
    classifier_insert(cls, &b);
    classifier_insert(cls, &a);
    assert_ptr_equal(classifier_lookup(cls, &match, &wc), &a);
    assert_int_equal(wc.l4.dst_be, 0);
    match.meta.in_port = 1;
    assert_ptr_equal(classifier_lookup(cls, &match, &wc), &b);
    assert_int_equal(wc.l4.dst_be, UINT16_MAX);
    assert_true(wc.sections & FS_BIT(FS_L4));
    classifier_remove(cls, &a);
    classifier_remove(cls, &b);
    rcu_barrier();
    classifier_destroy(cls);
}

static struct classifier *shared;
static _Atomic bool stop;
static _Atomic unsigned n_wrong, n_lookups;

static void *
reader(void *aux)
{
    struct flow f;

    memset(&f, 0, sizeof f);
    /* Bounded, should the writer never come to its end. */
    for (unsigned i = 0; i < 20000000u; i++) {
        const struct cls_rule *r = classifier_lookup(shared, &f, NULL);

        if (!r || r->priority < 100) {
            atomic_fetch_add_explicit(&n_wrong, 1, memory_order_relaxed);
        }
        atomic_fetch_add_explicit(&n_lookups, 1, memory_order_relaxed);
        rcu_quiescent_state();
        if (atomic_load_explicit(&stop, memory_order_relaxed)) {
            break;
        }
    }
    return NULL;
}

/* A rule that is there all the time is found all the time, whatever comes and goes around it.
 */
static void
test_reader_beside_writer(void **state)
{
    struct flow match, mask;
    struct cls_rule always, *some[64];
    pthread_t thread;

    shared = classifier_create();
    memset(&match, 0, sizeof match);
    memset(&mask, 0, sizeof mask);
    mask.meta.in_port = UINT32_MAX;
    cls_rule_init(&always, &match, &mask, 100);
    classifier_insert(shared, &always);
    thread = thread_start("reader", reader, NULL);
    for (int round = 0; round < 30; round++) {
        for (int i = 0; i < 64; i++) {
            struct flow m = random_flow(), k = i % 2 ? mask : random_mask();

            some[i] = xmalloc(sizeof *some[i]);
            cls_rule_init(some[i], &m, &k, i);
            m.meta.in_port = (uint32_t) i;
            if (i % 2) {
                cls_rule_init(some[i], &m, &k, i);
            }
            assert_null(classifier_insert(shared, some[i]));
        }
        for (int i = 0; i < 64; i++) {
            classifier_remove(shared, some[i]);
        }
        synchronize_rcu();
        for (int i = 0; i < 64; i++) {
            free(some[i]);
        }
    }
    atomic_store_explicit(&stop, true, memory_order_relaxed);
    thread_join(thread);
    assert_int_equal(atomic_load(&n_wrong), 0);
    assert_true(atomic_load(&n_lookups) > 0);
    classifier_remove(shared, &always);
    rcu_barrier();
    classifier_destroy(shared);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_replace),
        cmocka_unit_test(test_stops_early),
        cmocka_unit_test(test_random_rules),
        cmocka_unit_test(test_reader_beside_writer),
    };

    thread_adopt("");
    return cmocka_run_group_tests(tests, NULL, NULL);
}
