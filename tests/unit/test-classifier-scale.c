/* SPDX-License-Identifier: Apache-2.0 */
/* The classifier at size: memory for each rule, work that does not grow with the number of
 * rules, and tables that grow beside a reader. */

#include <arpa/inet.h>
#include <malloc.h>
#include <sched.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "flow/classifier-private.h"
#include "os/rcu.h"
#include "os/thread.h"
#include "util/xalloc.h"

#define V1 1u /* a version, where only one matters */

/* Steps in chains that each insertion, search and removal took, when `n` rules have one match
 * and priorities all over the place. */
static uint64_t
steps_per_rule(uint32_t n, uint32_t n_priorities)
{
    struct classifier *cls = classifier_create();
    struct cls_rule *rules = xcalloc(n, sizeof *rules);
    uint64_t begin = cls_chain_steps, steps;
    struct flow match, mask;

    memset(&match, 0, sizeof match);
    memset(&mask, 0, sizeof mask);
    mask.eth.type_be = UINT16_MAX;
    for (uint32_t i = 0; i < n; i++) {
        int priority = (int) (i * 40503u % n_priorities);
        struct cls_rule *old = classifier_find_exact(cls, &match, &mask, priority);

        assert_true(n_priorities == n ? !old : i < n_priorities ? !old : old != NULL);
        if (old) {
            cls_rule_leave(old, V1);
        }
        cls_rule_init(&rules[i], &match, &mask, priority, NULL);
        classifier_insert(cls, &rules[i], V1);
        assert_ptr_equal(classifier_find_exact(cls, &match, &mask, priority), &rules[i]);
    }
    classifier_publish(cls);
    assert_int_equal(classifier_lookup(cls, V1, &match, NULL)->priority, n_priorities - 1);
    for (uint32_t i = 0; i < n; i++) { /* oldest first, as they are buried */
        classifier_remove(cls, &rules[i]);
        cls_rule_destroy(&rules[i]);
    }
    steps = (cls_chain_steps - begin) / n;
    assert_int_equal(classifier_count(cls), 0);
    rcu_barrier();
    classifier_destroy(cls);
    free(rules);
    return steps;
}

static void
test_long_chain(void **state)
{
    assert_in_range(steps_per_rule(1024, 1024), 1, 64);
    assert_in_range(steps_per_rule(32768, 32768), 1, 64);
    assert_in_range(steps_per_rule(32768, 64), 1, 64); /* of one priority many leave */
}

/* A search for overlaps before each insertion, as check_overlap asks for. */
static void
test_overlap_steps(void **state)
{
    enum { N = 20000 };
    struct classifier *cls = classifier_create();
    struct cls_rule *rules = xcalloc(N, sizeof *rules), wide;
    uint64_t begin = cls_chain_steps;
    struct flow match, mask;

    memset(&match, 0, sizeof match);
    memset(&mask, 0, sizeof mask);
    mask.eth.type_be = UINT16_MAX;
    mask.ipv4.dst_be = UINT32_MAX;
    for (uint32_t i = 0; i < N; i++) {
        match.ipv4.dst_be = htonl(i);
        mask.ipv4.src_be = i % 2 ? UINT32_MAX : 0; /* every other one looks at more */
        match.ipv4.src_be = i % 2 ? htonl(i) : 0;
        cls_rule_init(&rules[i], &match, &mask, i % 2 ? 7 : 8, NULL);
        assert_null(classifier_find_overlap(cls, &rules[i]));
        classifier_insert(cls, &rules[i], V1);
    }
    assert_in_range(cls_chain_steps - begin, 0, N * 4);
    /* One that looks at less: that takes a walk, and finds. */
    memset(&mask.ipv4, 0, sizeof mask.ipv4);
    memset(&match.ipv4, 0, sizeof match.ipv4);
    cls_rule_init(&wide, &match, &mask, 7, NULL);
    assert_ptr_equal(classifier_find_overlap(cls, &wide), &rules[1]);
    cls_rule_destroy(&wide);
    /* One that looks at more: by hash. */
    mask.ipv4.dst_be = mask.ipv4.src_be = UINT32_MAX;
    mask.ip.proto = UINT8_MAX;
    match.ipv4.dst_be = htonl(9);
    match.ipv4.src_be = htonl(9);
    cls_rule_init(&wide, &match, &mask, 7, NULL);
    assert_ptr_equal(classifier_find_overlap(cls, &wide), &rules[9]);
    cls_rule_destroy(&wide);
    match.ipv4.src_be = htonl(10);
    cls_rule_init(&wide, &match, &mask, 7, NULL);
    assert_null(classifier_find_overlap(cls, &wide));
    cls_rule_destroy(&wide);
    for (uint32_t i = 0; i < N; i++) {
        classifier_remove(cls, &rules[i]);
        cls_rule_destroy(&rules[i]);
    }
    rcu_barrier();
    classifier_destroy(cls);
    free(rules);
}

/* Memory for each rule, insertion and removal at size. */
static void
test_many(void **state)
{
    enum { N = 200000 };
    struct classifier *cls = classifier_create();
    struct cls_rule *rules = xcalloc(N, sizeof *rules);
    size_t before, per_rule;
    struct flow match, mask;

    memset(&match, 0, sizeof match);
    memset(&mask, 0, sizeof mask);
    mask.meta.in_port = UINT32_MAX;
    mask.eth.type_be = UINT16_MAX;
    mask.ipv4.dst_be = UINT32_MAX;
    before = mallinfo2().uordblks + mallinfo2().hblkhd;
    for (uint32_t i = 0; i < N; i++) {
        match.ipv4.dst_be = htonl(i * 2654435761u);
        match.meta.in_port = i & 7;
        cls_rule_init(&rules[i], &match, &mask, (int) (i % 3), NULL);
        classifier_insert(cls, &rules[i], V1);
    }
    classifier_publish(cls);
    rcu_barrier();
    per_rule = (mallinfo2().uordblks + mallinfo2().hblkhd - before) / N;
    print_message("%zu bytes per rule beside struct cls_rule of %zu\n", per_rule,
                  sizeof *rules);
    match.meta.in_port = 5;
    match.ipv4.dst_be = htonl(5 * 2654435761u);
    assert_ptr_equal(classifier_lookup(cls, V1, &match, NULL), &rules[5]);
    for (uint32_t i = 0; i < N; i++) {
        classifier_remove(cls, &rules[i]);
        cls_rule_destroy(&rules[i]);
    }
    assert_int_equal(classifier_count(cls), 0);
    rcu_barrier();
    classifier_destroy(cls);
    free(rules);
    /* 0: the allocator is a sanitizer's, which does not count. */
    assert_in_range(per_rule, 0, 180);
}

/* ---- Growth ---- */

#define GROWTH 60000u
#define FEW 64u /* slots, that a change may move */

static struct classifier *growing;
static _Atomic uint32_t n_in; /* of the rules, those below are there */
static _Atomic unsigned n_wrong, n_looked;
static _Atomic bool stop;

/* The match of the `i`th rule; rules differ in two stages. */
static void
growth_match(struct flow *match, uint32_t i)
{
    match->meta.in_port = i * 40503u;
    match->ipv4.dst_be = htonl(i * 2654435761u);
}

static void *
growth_reader(void *aux)
{
    struct flow match;
    uint32_t r = 0; /* a random row */

    memset(&match, 0, sizeof match);
    while (!atomic_load_explicit(&stop, memory_order_relaxed)) {
        /* Acquire: pairs with the release behind the insertion. */
        uint32_t limit = atomic_load_explicit(&n_in, memory_order_acquire);

        for (unsigned i = 0; i < 32; i++) {
            const struct cls_rule *rule;

            r = r * 1664525u + 1013904223u;
            growth_match(&match, (r >> 8) % limit);
            rule = classifier_lookup(growing, V1, &match, NULL);
            if (!rule || rule->priority != (int) ((r >> 8) % limit % 7)) {
                atomic_fetch_add_explicit(&n_wrong, 1, memory_order_relaxed);
            }
        }
        atomic_fetch_add_explicit(&n_looked, 32, memory_order_relaxed);
        rcu_quiescent_state();
    }
    return NULL;
}

/* How many slots of the tuple's tables were moved, as long as they are the same. */
struct moved {
    const struct rcu_slots *table;
    const struct cls_hash_slots *stage;
    uint32_t n_table, n_stage;
};
static struct moved
moved_in(const struct cls_tuple *t)
{
    struct moved m = {.table = atomic_load(&t->table.slots),
                      .stage = atomic_load(&t->stage[CLS_STAGE_META].slots)};

    m.n_table = m.table->n_moved;
    m.n_stage = m.stage->n_moved;
    return m;
}

/* Did one change move no more than a few?  Old slots stay until this thread is quiescent. */
static void
check_moved(const struct moved *before)
{
    assert_in_range(before->table->n_moved - before->n_table, 0, FEW);
    assert_in_range(before->stage->n_moved - before->n_stage, 0, FEW);
}

/* No insertion or removal moves many rules, and readers beside it find all that stay. */
static void
test_growth(void **state)
{
    struct cls_rule *rules = xcalloc(GROWTH, sizeof *rules);
    const struct cls_tuple *t = NULL;
    struct flow match, mask;
    pthread_t thread;

    growing = classifier_create();
    memset(&match, 0, sizeof match);
    memset(&mask, 0, sizeof mask);
    mask.meta.in_port = UINT32_MAX;
    mask.ipv4.dst_be = UINT32_MAX;
    for (uint32_t i = 0; i < GROWTH; i++) {
        struct moved before;

        growth_match(&match, i);
        cls_rule_init(&rules[i], &match, &mask, (int) (i % 7), NULL);
        if (t) {
            before = moved_in(t);
        }
        classifier_insert(growing, &rules[i], V1);
        if (t) {
            check_moved(&before);
        }
        t = rules[i].tuple;
        classifier_publish(growing);
        /* Release: pairs with the acquire of the reader. */
        atomic_store_explicit(&n_in, i + 1, memory_order_release);
        if (i == 0) {
            thread = thread_start("reader", growth_reader, NULL);
        }
        rcu_quiescent_state();
    }
    assert_in_range(moved_in(t).table->mask + 1, GROWTH, GROWTH * 4);
    assert_in_range(moved_in(t).stage->mask + 1, GROWTH, GROWTH * 4);
    while (atomic_load_explicit(&n_looked, memory_order_relaxed) < 1000) {
        rcu_quiescent_state();
        sched_yield();
    }
    atomic_store_explicit(&n_in, 100, memory_order_relaxed);
    synchronize_rcu(); /* nobody looks for more any longer */
    for (uint32_t i = 100; i < GROWTH; i++) {
        struct moved before = moved_in(t);

        classifier_remove(growing, &rules[i]);
        check_moved(&before);
        rcu_quiescent_state();
    }
    assert_true(moved_in(t).n_table > 0 || moved_in(t).table->mask < GROWTH); /* shrinks */
    assert_true(moved_in(t).n_stage > 0 || moved_in(t).stage->mask < GROWTH);
    atomic_store_explicit(&stop, true, memory_order_relaxed);
    thread_join(thread);
    assert_int_equal(atomic_load(&n_wrong), 0);
    for (uint32_t i = 0; i < 100; i++) {
        classifier_remove(growing, &rules[i]);
    }
    rcu_barrier();
    for (uint32_t i = 0; i < GROWTH; i++) {
        cls_rule_destroy(&rules[i]);
    }
    classifier_destroy(growing);
    free(rules);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_long_chain),
        cmocka_unit_test(test_overlap_steps),
        cmocka_unit_test(test_many),
        cmocka_unit_test(test_growth),
    };

    thread_adopt("");
    return cmocka_run_group_tests(tests, NULL, NULL);
}
