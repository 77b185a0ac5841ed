/* SPDX-License-Identifier: Apache-2.0 */
/* The classifier against a list that is searched from end to end, with random rules and flows,
 * conjunctions and versions among them, and with readers beside the writer. */

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
#define V1 1u /* a version, where only one matters */

/* A small world, so that rules overlap and flows agree often. */
static struct flow
random_flow(void)
{
    struct flow f;
    uint32_t r = test_random(), q = test_random();

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
        f.sections |= FS_BIT(FS_IP);
        f.ip.proto = 6 + (r >> 7 & 1);
        if (q & 1) {
            f.sections |= FS_BIT(FS_IPV4);
            f.ipv4.dst_be = htonl((r >> 8 & 7) | (q >> 1 & 3) << 30);
            f.ipv4.src_be = htonl(q >> 3 & 3);
        } else {
            f.sections |= FS_BIT(FS_IPV6);
            f.ipv6.dst.s6_addr[0] = (q >> 1 & 3) << 6;
            f.ipv6.dst.s6_addr[15] = r >> 8 & 7;
        }
        if (r >> 11 & 3) {
            f.sections |= FS_BIT(FS_L4);
            f.l4.dst_be = htons((r >> 13 & 3) | (q >> 5 & 1) << 15);
            f.l4.src_be = htons(q >> 6 & 3);
            f.l4.tcp_flags_be = htons(q >> 8 & 3);
        }
    }
    f.regs.reg[0] = r >> 15 & 1;
    f.regs.metadata_be = htonl(q >> 10 & 3);
    return f;
}

static uint32_t
random_prefix(uint32_t r, unsigned width)
{
    static const unsigned lens[] = {0, 0, 1, 2, 29, 30, 31, 32};
    unsigned len = lens[r & 7];

    return !len          ? 0
           : width == 16 ? 0xffffu << (16 - len / 2) & 0xffff
                         : UINT32_MAX << (32 - len);
}

static struct flow
random_mask(void)
{
    struct flow m;
    uint32_t r = test_random(), q = test_random();

    memset(&m, 0, sizeof m);
    m.meta.in_port = r & 1 ? UINT32_MAX : 0;
    m.eth.dst.ea[5] = r >> 1 & 1 ? 0xff : 0;
    m.vlan.tag[0].tci_be = r >> 2 & 1 ? htons(0x1fff) : 0;
    m.ip.proto = r >> 3 & 1 ? 0xff : 0;
    if (q & 1) {
        m.ipv4.dst_be = htonl(random_prefix(r >> 4, 32));
        m.ipv4.src_be = q & 0x700 ? 0 : htonl(random_prefix(r >> 8, 32));
        m.ipv4.src_be |= q & 0x3800 ? 0 : htonl(1); /* hardly ever a prefix */
    } else {
        m.ipv6.dst.s6_addr[0] = (uint8_t) (random_prefix(r >> 4, 32) >> 24);
        if (m.ipv6.dst.s6_addr[0] == 0xff && q & 0x10) {
            memset(&m.ipv6.dst, 0xff, sizeof m.ipv6.dst);
        }
    }
    m.l4.dst_be = q >> 1 & 1 ? htons((uint16_t) random_prefix(r >> 12, 16)) : 0;
    m.l4.src_be = q & 0xc000 ? 0 : UINT16_MAX;
    m.l4.tcp_flags_be = q & 0xc0000 ? 0 : htons(1);
    m.regs.reg[0] = r >> 16 & 1 ? UINT32_MAX : 0;
    m.regs.metadata_be = q >> 20 & 3 ? 0 : UINT64_MAX;
    return m;
}

struct test_rule {
    struct cls_rule cls;
    struct flow match, mask;
};

static struct test_rule *
rule_new(const struct flow *match, const struct flow *mask, int priority,
         const struct cls_conj_set *conj)
{
    struct test_rule *r = xmalloc(sizeof *r);

    r->match = *match;
    r->mask = *mask;
    cls_rule_init(&r->cls, match, mask, priority, conj);
    return r;
}

static void
rule_free(struct test_rule *r)
{
    cls_rule_destroy(&r->cls);
    free(r);
}

static const struct cls_rule *
best_hard(struct test_rule *const rules[], uint64_t version, const struct flow *f)
{
    const struct cls_rule *best = NULL;

    for (int i = 0; i < N_RULES; i++) {
        const struct test_rule *r = rules[i];

        if (r && !r->cls.conj && cls_rule_visible(&r->cls, version) &&
            (!best || r->cls.priority > best->priority) &&
            flow_matches(f, &r->match, &r->mask)) {
            best = &r->cls;
        }
    }
    return best;
}

/* Does conjunction `id` of 2 clauses hold at a priority? */
static bool
holds(struct test_rule *const rules[], uint64_t version, const struct flow *f, int priority,
      uint32_t id)
{
    unsigned clauses = 0;

    for (int i = 0; i < N_RULES; i++) {
        const struct test_rule *r = rules[i];

        if (r && r->cls.conj && r->cls.priority == priority &&
            cls_rule_visible(&r->cls, version) && flow_matches(f, &r->match, &r->mask)) {
            for (unsigned j = 0; j < r->cls.conj->n; j++) {
                const struct cls_conj *c = &r->cls.conj->c[j];

                clauses |= c->id == id ? 1u << c->clause : 0;
            }
        }
    }
    return clauses == 3;
}

static int
priority_of(const struct cls_rule *r)
{
    return r ? r->priority : -1;
}

static const struct cls_rule *
reference(struct test_rule *const rules[], uint64_t version, const struct flow *f)
{
    const struct cls_rule *best = best_hard(rules, version, f);

    for (int p = 503; p >= 500 && p > priority_of(best); p--) {
        for (uint32_t id = 1; id < 8; id++) {
            if (holds(rules, version, f, p, id)) {
                struct flow g = *f;
                const struct cls_rule *r;

                g.regs.conj_id = id;
                r = best_hard(rules, version, &g);
                if (r) {
                    return r;
                }
                break; /* one id for each priority */
            }
        }
    }
    return best;
}

static void
check_lookups(const struct classifier *cls, struct test_rule *const rules[], uint64_t version)
{
    for (int i = 0; i < 40; i++) {
        struct flow f = random_flow(), wc, other;
        const struct cls_rule *r;
        flow_word *w = (flow_word *) &other;

        memset(&wc, 0, sizeof wc);
        r = classifier_lookup(cls, version, &f, &wc);
        assert_int_equal(priority_of(r), priority_of(reference(rules, version, &f)));
        assert_ptr_equal(classifier_lookup(cls, version, &f, NULL), r);
        wc.regs.conj_id = UINT32_MAX; /* is no packet's */

        /* Whatever agrees in the bits looked at gets the same answer: arbitrary bits... */
        for (unsigned j = 0; j < FLOW_WORDS; j++) {
            uint64_t bits = (uint64_t) test_random() << 32 | test_random();
            uint64_t mask = ((flow_word *) &wc)[j];

            w[j] = (((flow_word *) &f)[j] & mask) | (bits & ~mask);
        }
        assert_ptr_equal(classifier_lookup(cls, version, &other, NULL), r);
        /* ...one bit... */
        for (int j = 0; j < 20; j++) {
            unsigned bit = test_random() % (FLOW_WORDS * 64);
            uint64_t flip = (UINT64_C(1) << bit % 64) & ~((flow_word *) &wc)[bit / 64];

            other = f;
            w[bit / 64] ^= flip;
            assert_ptr_equal(classifier_lookup(cls, version, &other, NULL), r);
        }
        /* ...and packets like those there are. */
        for (int j = 0; j < 20; j++) {
            other = random_flow();
            if (flow_matches(&other, &f, &wc)) {
                assert_ptr_equal(classifier_lookup(cls, version, &other, NULL), r);
            }
        }
        /* Presence of every section that was looked into. */
        assert_int_equal(flow_mask_sections(&wc) & ~wc.sections, 0);
    }
}

static const struct cls_conj_set *
conj_of(unsigned i)
{
    static _Alignas(struct cls_conj_set) char
        sets[8][sizeof(struct cls_conj_set) + 2 * sizeof(struct cls_conj)];
    struct cls_conj_set *s = (struct cls_conj_set *) sets[i % 8];

    s->n = 1 + (i & 1);
    s->c[0] = (struct cls_conj){.id = 1 + i % 3, .clause = i >> 1 & 1, .n_clauses = 2};
    s->c[1] = (struct cls_conj){.id = 4 + i % 2, .clause = i >> 2 & 1, .n_clauses = 2};
    return s;
}

static void
run_random(unsigned tries, bool with_conj)
{
    struct classifier *cls = classifier_create();
    struct test_rule *rules[N_RULES] = {NULL};
    unsigned n = 0;

    classifier_set_tries(cls, tries);
    for (int step = 0; step < 2000; step++) {
        int i = (int) (test_random() % N_RULES);

        if (rules[i]) {
            classifier_remove(cls, &rules[i]->cls);
            classifier_publish(cls);
            synchronize_rcu();
            rule_free(rules[i]);
            rules[i] = NULL;
            n--;
        } else {
            struct flow match = random_flow(), mask = random_mask();
            bool soft = with_conj && test_random() % 4 == 0;
            int priority = i; /* one for each place: the answer is unique */

            match.sections = 0;
            if (soft) {
                priority = 500 + i % 4; /* where they can meet */
            } else if (with_conj && test_random() % 4 == 0) {
                match.regs.conj_id = 1 + test_random() % 5;
                mask.regs.conj_id = UINT32_MAX;
            }
            for (unsigned w = 0; w < FLOW_WORDS; w++) {
                ((flow_word *) &match)[w] &= ((flow_word *) &mask)[w];
            }
            rules[i] = rule_new(&match, &mask, priority, soft ? conj_of(test_random()) : NULL);
            classifier_insert(cls, &rules[i]->cls, V1);
            classifier_publish(cls);
            if (!soft) {
                assert_ptr_equal(classifier_find_exact(cls, &match, &mask, priority),
                                 &rules[i]->cls);
                assert_ptr_equal(classifier_find_version(cls, V1, &rules[i]->cls),
                                 &rules[i]->cls);
            }
            n++;
        }
        assert_int_equal(classifier_count(cls), n);
        if (step % 30 == 0) {
            check_lookups(cls, rules, V1);
        }
        if (step % 500 == 400) {
            classifier_set_tries(cls, test_random() % (1u << CLS_N_TRIES));
        }
    }
    for (int i = 0; i < N_RULES; i++) {
        if (rules[i]) {
            classifier_remove(cls, &rules[i]->cls);
        }
    }
    assert_int_equal(classifier_count(cls), 0);
    rcu_barrier();
    classifier_destroy(cls);
    for (int i = 0; i < N_RULES; i++) {
        if (rules[i]) {
            rule_free(rules[i]);
        }
    }
}

static void
test_random_rules(void **state)
{
    run_random(CLS_TRIES_DEFAULT, false);
    run_random(0, false);
    run_random((1u << CLS_N_TRIES) - 1, false);
}

static void
test_random_conjunctions(void **state)
{
    run_random(CLS_TRIES_DEFAULT, true);
}

/* Many changes, seen at once or not at all, and taken back. */
static void
test_versions(void **state)
{
    struct classifier *cls = classifier_create();
    struct test_rule *rules[N_RULES] = {NULL};
    bool in[N_RULES] = {false};
    uint64_t version = 1;

    for (int round = 0; round < 100; round++) {
        bool commit = test_random() % 3;
        struct test_rule *added[N_RULES], *removed[N_RULES];
        unsigned n_added = 0, n_removed = 0;

        for (int k = 0; k < 20; k++) {
            int i = (int) (test_random() % N_RULES);

            if (in[i]) {
                if (!cls_rule_is_leaving(&rules[i]->cls) && rules[i]->cls.added <= version) {
                    cls_rule_leave(&rules[i]->cls, version + 1);
                    removed[n_removed++] = rules[i];
                }
            } else {
                struct flow match = random_flow(), mask = random_mask();

                match.sections = 0;
                for (unsigned w = 0; w < FLOW_WORDS; w++) {
                    ((flow_word *) &match)[w] &= ((flow_word *) &mask)[w];
                }
                rules[i] = rule_new(&match, &mask, i, NULL);
                in[i] = true;
                classifier_insert(cls, &rules[i]->cls, version + 1);
                added[n_added++] = rules[i];
            }
        }
        classifier_publish(cls);
        check_lookups(cls, rules, version);
        check_lookups(cls, rules, version + 1);
        for (unsigned k = 0; !commit && k < n_removed; k++) {
            cls_rule_leave(&removed[k]->cls, CLS_VERSION_NEVER);
        }
        version += commit;
        synchronize_rcu();
        for (unsigned k = 0; k < (commit ? n_removed : n_added); k++) {
            struct test_rule *r = commit ? removed[k] : added[k];

            for (int i = 0; i < N_RULES; i++) {
                if (in[i] && rules[i] == r) {
                    in[i] = false;
                    rules[i] = NULL;
                }
            }
            classifier_remove(cls, &r->cls);
            classifier_publish(cls);
            synchronize_rcu();
            rule_free(r);
        }
        check_lookups(cls, rules, version);
    }
    for (int i = 0; i < N_RULES; i++) {
        if (in[i]) {
            classifier_remove(cls, &rules[i]->cls);
        }
    }
    rcu_barrier();
    classifier_destroy(cls);
    for (int i = 0; i < N_RULES; i++) {
        if (in[i]) {
            rule_free(rules[i]);
        }
    }
}

static bool
count_one(struct cls_rule *rule, void *aux)
{
    ++*(unsigned *) aux;
    return *(unsigned *) aux < 3;
}

/* Rules with one match: by priority, and the newer before the older. */
static void
test_same_match(void **state)
{
    static const int priorities[] = {5, 10, 7, 10, 1, 5};
    struct classifier *cls = classifier_create();
    struct flow match = random_flow(), mask = random_mask();
    struct test_rule *r[6];
    unsigned n = 0;

    for (int i = 0; i < 6; i++) {
        r[i] = rule_new(&match, &mask, priorities[i], NULL);
        classifier_insert(cls, &r[i]->cls, 1 + (uint64_t) i);
    }
    classifier_publish(cls);
    assert_null(classifier_lookup(cls, 0, &match, NULL));
    assert_ptr_equal(classifier_lookup(cls, 1, &match, NULL), &r[0]->cls);
    assert_ptr_equal(classifier_lookup(cls, 3, &match, NULL), &r[1]->cls);
    assert_ptr_equal(classifier_lookup(cls, 4, &match, NULL), &r[3]->cls);
    cls_rule_leave(&r[1]->cls, 7);
    cls_rule_leave(&r[3]->cls, 7);
    assert_ptr_equal(classifier_lookup(cls, 6, &match, NULL), &r[3]->cls);
    assert_ptr_equal(classifier_lookup(cls, 7, &match, NULL), &r[2]->cls);
    assert_ptr_equal(classifier_find_exact(cls, &match, &mask, 5), &r[5]->cls);
    assert_null(classifier_find_exact(cls, &match, &mask, 10));
    classifier_for_each(cls, NULL, NULL, count_one, &n);
    assert_int_equal(n, 3);
    for (int i = 0; i < 6; i++) {
        classifier_remove(cls, &r[i]->cls);
    }
    classifier_publish(cls);
    assert_null(classifier_lookup(cls, 7, &match, NULL));
    rcu_barrier();
    classifier_destroy(cls);
    for (int i = 0; i < 6; i++) {
        rule_free(r[i]);
    }
}

static void
test_selection(void **state)
{
    struct classifier *cls = classifier_create();
    struct flow match, mask, narrow;
    struct test_rule *a, *b, *c;
    unsigned n = 0;

    memset(&match, 0, sizeof match);
    memset(&mask, 0, sizeof mask);
    mask.meta.in_port = UINT32_MAX;
    a = rule_new(&match, &mask, 5, NULL);
    narrow = mask;
    narrow.ip.proto = 0xff;
    b = rule_new(&match, &narrow, 5, NULL);
    match.meta.in_port = 1;
    c = rule_new(&match, &narrow, 5, NULL);
    classifier_insert(cls, &a->cls, V1);
    classifier_insert(cls, &c->cls, V1);
    assert_ptr_equal(classifier_find_overlap(cls, &b->cls), &a->cls);
    cls_rule_leave(&a->cls, 2);
    assert_null(classifier_find_overlap(cls, &b->cls));
    classifier_insert(cls, &b->cls, V1);
    match.meta.in_port = 0;
    classifier_for_each(cls, &match, &mask, count_one, &n);
    assert_int_equal(n, 2);
    n = 0;
    classifier_for_each(cls, &match, &narrow, count_one, &n);
    assert_int_equal(n, 1);
    classifier_remove(cls, &a->cls);
    classifier_remove(cls, &b->cls);
    classifier_remove(cls, &c->cls);
    rcu_barrier();
    classifier_destroy(cls);
    rule_free(a);
    rule_free(b);
    rule_free(c);
}

/* What a lookup looks at, and what it does without. */
static void
test_wildcards(void **state)
{
    struct classifier *cls = classifier_create();
    struct flow match, mask, f, wc;
    struct test_rule *r[4];

    memset(&match, 0, sizeof match);
    memset(&mask, 0, sizeof mask);
    mask.meta.in_port = UINT32_MAX;
    r[0] = rule_new(&match, &mask, 20, NULL); /* in_port 0 */
    mask.meta.in_port = 0;
    mask.l4.dst_be = UINT16_MAX;
    mask.ip.proto = 0xff;
    match.ip.proto = 6;
    match.l4.dst_be = htons(0x8000);
    r[1] = rule_new(&match, &mask, 10, NULL); /* tcp, dst 0x8000 */
    memset(&mask, 0, sizeof mask);
    memset(&match, 0, sizeof match);
    mask.ipv4.dst_be = htonl(0xff000000);
    match.ipv4.dst_be = htonl(0x0a000000);
    r[2] = rule_new(&match, &mask, 5, NULL); /* 10.0.0.0/8 */
    mask.ipv4.dst_be = UINT32_MAX;
    match.ipv4.dst_be = htonl(0xc0a80101);
    r[3] = rule_new(&match, &mask, 5, NULL); /* 192.168.1.1 */
    for (int i = 0; i < 4; i++) {
        classifier_insert(cls, &r[i]->cls, V1);
    }
    classifier_publish(cls);

    /* Stops behind the tuple that answers. */
    memset(&f, 0, sizeof f);
    memset(&wc, 0, sizeof wc);
    assert_ptr_equal(classifier_lookup(cls, V1, &f, &wc), &r[0]->cls);
    assert_int_equal(wc.ip.proto, 0);
    assert_int_equal(wc.ipv4.dst_be, 0);
    /* Stops before L4 when the protocol is not it; two bits tell that no address is. */
    f.meta.in_port = 1;
    f.ip.proto = 17;
    f.ipv4.dst_be = htonl(0x40000000);
    memset(&wc, 0, sizeof wc);
    assert_null(classifier_lookup(cls, V1, &f, &wc));
    assert_int_equal(wc.ip.proto, 0xff);
    assert_int_equal(wc.l4.dst_be, 0);
    assert_int_equal(wc.ipv4.dst_be, htonl(0xc0000000));
    assert_true(wc.sections & FS_BIT(FS_IPV4));
    assert_false(wc.sections & FS_BIT(FS_L4));
    /* One bit tells that the port is not it. */
    f.ip.proto = 6;
    memset(&wc, 0, sizeof wc);
    assert_null(classifier_lookup(cls, V1, &f, &wc));
    assert_int_equal(wc.l4.dst_be, htons(0x8000));
    assert_true(wc.sections & FS_BIT(FS_L4));
    /* A prefix that matches is looked at as a whole, a longer one's rest is not. */
    f.ip.proto = 17;
    f.ipv4.dst_be = htonl(0x0a010203);
    memset(&wc, 0, sizeof wc);
    assert_ptr_equal(classifier_lookup(cls, V1, &f, &wc), &r[2]->cls);
    assert_int_equal(wc.ipv4.dst_be, htonl(0xff000000));
    for (int i = 0; i < 4; i++) {
        classifier_remove(cls, &r[i]->cls);
    }
    rcu_barrier();
    classifier_destroy(cls);
    for (int i = 0; i < 4; i++) {
        rule_free(r[i]);
    }
}

static struct classifier *shared;
static _Atomic uint64_t current;
static _Atomic bool stop;
static _Atomic unsigned n_wrong, n_lookups;

/* In each version there is exactly one of the two rules of priority 100 for in_port 0, and the
 * one for metadata agrees with it: the version's parity. */
static void *
reader(void *aux)
{
    struct flow f, wc;

    memset(&f, 0, sizeof f);
    /* Bounded, should the writer never come to its end. */
    for (unsigned i = 0; i < 20000000u; i++) {
        /* Acquire: pairs with the release of the writer's publication. */
        uint64_t version = atomic_load_explicit(&current, memory_order_acquire);
        const struct cls_rule *r, *q;

        memset(&wc, 0, sizeof wc);
        f.meta.in_port = 0;
        r = classifier_lookup(shared, version, &f, &wc);
        f.meta.in_port = 1;
        q = classifier_lookup(shared, version, &f, NULL);
        if (!r || !q || r->priority != 100 + (int) (version & 1) ||
            q->priority != r->priority) {
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

/* Readers see all of a transaction or nothing, whatever comes and goes around it. */
static void
test_reader_beside_writer(void **state)
{
    struct flow match, mask;
    struct test_rule *pair[2] = {NULL, NULL}, *old[2], *some[64];
    pthread_t threads[2] = {0, 0};

    shared = classifier_create();
    memset(&mask, 0, sizeof mask);
    memset(&match, 0, sizeof match);
    mask.meta.in_port = UINT32_MAX;
    for (uint64_t version = 1; version <= 60; version++) {
        for (unsigned i = 0; i < 2; i++) {
            old[i] = pair[i];
            match.meta.in_port = i;
            pair[i] = rule_new(&match, &mask, 100 + (int) (version & 1), NULL);
            classifier_insert(shared, &pair[i]->cls, version);
            if (old[i]) {
                cls_rule_leave(&old[i]->cls, version);
            }
        }
        for (int i = 0; i < 64; i++) {
            struct flow m = random_flow(), k = i % 2 ? mask : random_mask();

            m.sections = 0;
            some[i] = rule_new(&m, &k, i, NULL);
            classifier_insert(shared, &some[i]->cls, version);
        }
        classifier_publish(shared);
        atomic_store_explicit(&current, version, memory_order_release);
        if (version == 1) {
            threads[0] = thread_start("reader0", reader, NULL);
            threads[1] = thread_start("reader1", reader, NULL);
        }
        for (int i = 0; i < 64; i++) {
            cls_rule_leave(&some[i]->cls, version);
        }
        synchronize_rcu();
        for (int i = 0; i < 64; i++) {
            classifier_remove(shared, &some[i]->cls);
        }
        for (unsigned i = 0; i < 2 && old[i]; i++) {
            classifier_remove(shared, &old[i]->cls);
        }
        classifier_publish(shared);
        synchronize_rcu();
        for (int i = 0; i < 64; i++) {
            rule_free(some[i]);
        }
        for (unsigned i = 0; i < 2 && old[i]; i++) {
            rule_free(old[i]);
        }
    }
    atomic_store_explicit(&stop, true, memory_order_relaxed);
    thread_join(threads[0]);
    thread_join(threads[1]);
    assert_int_equal(atomic_load(&n_wrong), 0);
    assert_true(atomic_load(&n_lookups) > 0);
    classifier_remove(shared, &pair[0]->cls);
    classifier_remove(shared, &pair[1]->cls);
    rcu_barrier();
    classifier_destroy(shared);
    rule_free(pair[0]);
    rule_free(pair[1]);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_same_match),
        cmocka_unit_test(test_selection),
        cmocka_unit_test(test_wildcards),
        cmocka_unit_test(test_random_rules),
        cmocka_unit_test(test_random_conjunctions),
        cmocka_unit_test(test_versions),
        cmocka_unit_test(test_reader_beside_writer),
    };

    thread_adopt("");
    return cmocka_run_group_tests(tests, NULL, NULL);
}
