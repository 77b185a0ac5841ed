/* SPDX-License-Identifier: Apache-2.0 */
/* Tables that grow a few slots at a time: against a plain list, how much a single change moves,
 * and with readers beside the writer. */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <cmocka.h>
#include <sched.h>

#include "ofproto/id-table.h"
#include "os/rcu-table.h"
#include "os/thread.h"
#include "packet-samples.h"
#include "util/hash.h"
#include "util/xalloc.h"

#define FEW 64u /* slots, that a change may move */

struct thing {
    struct rcu_head rcu;
    uint32_t key, hash;
    bool in;
};

static struct thing *
find(const struct rcu_table *t, uint32_t key, uint32_t hash)
{
    struct rcu_table_pos pos = rcu_table_at(t, hash);
    struct thing *thing;

    while ((thing = rcu_table_next(&pos)) && thing->key != key) {
    }
    return thing;
}

static struct rcu_slots *
slots_of(const struct rcu_table *t)
{
    return atomic_load_explicit(&t->slots, memory_order_relaxed);
}

static struct rcu_slots *
next_of(const struct rcu_slots *a)
{
    return atomic_load_explicit(&a->next, memory_order_relaxed);
}

/* Things come, go and are replaced at random, several with one hash. */
static void
test_model(void **state)
{
    enum { N = 3000, STEPS = 60000 };
    struct thing *things = xcalloc(2 * N, sizeof *things); /* two with each key */
    struct rcu_table t;
    uint32_t n = 0;

    rcu_table_init(&t);
    for (uint32_t i = 0; i < 2 * N; i++) {
        things[i].key = i % N;
        things[i].hash = (uint32_t) hash_mix64(0, i % N) & 0xfff;
    }
    for (uint32_t step = 0; step < STEPS; step++) {
        /* Many come in one half of the time, many go in the other. */
        bool grow = step / (STEPS / 8) % 2 == 0;
        struct thing *a = &things[test_random() % N], *b = a + N;
        struct thing *old = a->in ? a : b->in ? b : NULL, *other = old == a ? b : a;

        assert_ptr_equal(find(&t, a->key, a->hash), old);
        if (!old) {
            if (grow || step % 8 == 0) {
                rcu_table_add(&t, a->hash, a);
                a->in = true;
                n++;
            }
        } else if (step % 8 == 1) {
            rcu_table_replace(&t, old->hash, old, other);
            old->in = false;
            other->in = true;
        } else if (!grow) {
            rcu_table_remove(&t, old->hash, old);
            old->in = false;
            n--;
        }
        assert_int_equal(t.n, n);
        if (step % 1000 == 0) {
            struct rcu_table_pos pos = {.a = NULL};
            const struct thing *thing;
            uint32_t n_each = 0;

            while ((thing = rcu_table_each(&t, &pos))) {
                assert_true(thing->in);
                assert_int_equal(thing->hash, pos.hash);
                n_each++;
            }
            assert_int_equal(n_each, n);
        }
        rcu_quiescent_state();
    }
    rcu_table_remove(&t, 5, &n); /* what is not there */
    assert_int_equal(t.n, n);
    rcu_barrier();
    rcu_table_destroy(&t);
    free(things);
}

/* What a change moves of `n_slots` slots, of which `n_before` had been moved. */
static void
check_moved(const struct rcu_table *t, const struct rcu_slots *a, uint32_t n_before)
{
    assert_in_range(a->n_moved - n_before, 0, FEW);
    if (slots_of(t) == a) {
        assert_in_range(a->n_used, 0, (a->mask + 1) / 4 * 3);
        if (next_of(a)) {
            assert_in_range(next_of(a)->n_used, 0, (next_of(a)->mask + 1) / 4 * 3);
        }
    } else {
        assert_ptr_equal(slots_of(t), next_of(a)); /* there is no other way */
        assert_int_equal(a->n_moved, a->mask + 1);
    }
}

static void
test_bounded_change(void **state)
{
    enum { N = 200000 };
    struct thing *things = xcalloc(N, sizeof *things);
    unsigned n_growing = 0;
    struct rcu_table t;

    rcu_table_init(&t);
    for (uint32_t i = 0; i < N; i++) {
        struct rcu_slots *a = slots_of(&t);
        uint32_t n_before = a->n_moved;

        rcu_table_add(&t, (uint32_t) hash_mix64(0, i), &things[i]);
        check_moved(&t, a, n_before);
        n_growing += next_of(a) != NULL;
        rcu_quiescent_state();
    }
    assert_in_range(n_growing, 100, N / 4);
    assert_in_range(slots_of(&t)->mask + 1, N, N * 4);
    /* Back to few: the slots are not kept, nor given up at once. */
    for (uint32_t i = 0; i < N; i++) {
        struct rcu_slots *a = slots_of(&t);
        uint32_t n_before = a->n_moved;

        rcu_table_remove(&t, (uint32_t) hash_mix64(0, i), &things[i]);
        check_moved(&t, a, n_before);
        rcu_quiescent_state();
    }
    assert_int_equal(t.n, 0);
    assert_true(next_of(slots_of(&t)) || slots_of(&t)->mask < N);
    /* One that comes and goes leaves used slots behind, and they are given up, too. */
    for (uint32_t i = 0; i < N; i++) {
        struct rcu_slots *a = slots_of(&t);
        uint32_t n_before = a->n_moved;

        rcu_table_add(&t, (uint32_t) hash_mix64(1, i), &things[0]);
        check_moved(&t, a, n_before);
        a = slots_of(&t);
        n_before = a->n_moved;
        rcu_table_remove(&t, (uint32_t) hash_mix64(1, i), &things[0]);
        check_moved(&t, a, n_before);
        rcu_quiescent_state();
    }
    assert_in_range(slots_of(&t)->mask + 1, 0, 512);
    rcu_barrier();
    rcu_table_destroy(&t);
    free(things);
}

/* ---- Readers ---- */

#define N_STAY 64u /* things that never go */
#define N_GUESTS 6000u

static struct rcu_table shared;
static _Atomic bool stop;
static _Atomic uint32_t n_in; /* of the guests, those below are there */
static _Atomic unsigned n_wrong, n_found;

static uint32_t
key_hash(uint32_t key)
{
    return (uint32_t) hash_mix64(0, key) & 0xffff;
}

static struct thing *
thing_new(uint32_t key)
{
    struct thing *thing = xzalloc(sizeof *thing);

    thing->key = key;
    thing->hash = key_hash(key);
    return thing;
}

static void
thing_free(struct rcu_head *head)
{
    free(CONTAINER_OF(head, struct thing, rcu));
}

static void *
reader(void *aux)
{
    uint32_t key = 0; /* a random row */

    while (!atomic_load_explicit(&stop, memory_order_relaxed)) {
        /* Acquire: pairs with the release behind the addition. */
        uint32_t limit = atomic_load_explicit(&n_in, memory_order_acquire);
        unsigned found = 0;

        for (unsigned i = 0; i < 64; i++) {
            key = key * 1664525u + 1013904223u;
            found += find(&shared, (key >> 8) % limit, key_hash((key >> 8) % limit)) != NULL;
        }
        if (found != 64) {
            atomic_fetch_add_explicit(&n_wrong, 1, memory_order_relaxed);
        }
        atomic_fetch_add_explicit(&n_found, found, memory_order_relaxed);
        rcu_quiescent_state();
    }
    return NULL;
}

/* Readers find all that stays, while the slots that it is in come and go. */
static void
test_readers(void **state)
{
    struct thing **things = xcalloc(N_GUESTS, sizeof *things);
    unsigned n_moves = 0, n_awaited = 0;
    pthread_t threads[2];

    rcu_table_init(&shared);
    for (uint32_t i = 0; i < N_STAY; i++) {
        rcu_table_add(&shared, key_hash(i), things[i] = thing_new(i));
    }
    atomic_store_explicit(&n_in, N_STAY, memory_order_release);
    threads[0] = thread_start("reader0", reader, NULL);
    threads[1] = thread_start("reader1", reader, NULL);
    for (unsigned round = 0; round < 20; round++) {
        for (uint32_t i = N_STAY; i < N_GUESTS; i++) {
            const struct rcu_slots *a = slots_of(&shared);

            rcu_table_add(&shared, key_hash(i), things[i] = thing_new(i));
            /* Release: pairs with the acquire of readers. */
            atomic_store_explicit(&n_in, i + 1, memory_order_release);
            n_moves += slots_of(&shared) != a;
            rcu_quiescent_state();
        }
        /* Each round sees readers at work. */
        for (n_awaited += 1000;
             atomic_load_explicit(&n_found, memory_order_relaxed) < n_awaited;) {
            rcu_quiescent_state();
            sched_yield();
        }
        atomic_store_explicit(&n_in, N_STAY, memory_order_relaxed);
        synchronize_rcu(); /* nobody looks for more any longer */
        for (uint32_t i = N_STAY; i < N_GUESTS; i++) {
            rcu_table_remove(&shared, key_hash(i), things[i]);
            call_rcu(&things[i]->rcu, thing_free);
            rcu_quiescent_state();
        }
    }
    atomic_store_explicit(&stop, true, memory_order_relaxed);
    thread_join(threads[0]);
    thread_join(threads[1]);
    assert_int_equal(atomic_load(&n_wrong), 0);
    assert_true(n_moves > 20);
    assert_int_equal(shared.n, N_STAY);
    rcu_barrier();
    rcu_table_destroy(&shared);
    for (uint32_t i = 0; i < N_STAY; i++) {
        free(things[i]);
    }
    free(things);
}

/* ---- Tables of ids ---- */

static void
test_ids(void **state)
{
    enum { N = 5000 };
    static char objects[N];
    struct id_table t;
    void **sorted;

    id_table_init(&t);
    for (uint32_t i = 0; i < N; i++) {
        id_table_put(&t, i * 0x10001u, &objects[0]);
        id_table_put(&t, i * 0x10001u, &objects[i]);
    }
    id_table_put(&t, UINT32_MAX, &objects[1]);
    assert_int_equal(id_table_count(&t), N + 1);
    sorted = id_table_sorted(&t);
    for (uint32_t i = 0; i < N; i++) {
        assert_ptr_equal(sorted[i], &objects[i]);
        assert_ptr_equal(id_table_find(&t, i * 0x10001u), &objects[i]);
        assert_null(id_table_find(&t, i * 0x10001u + 1));
    }
    assert_ptr_equal(sorted[N], &objects[1]);
    free(sorted);
    for (uint32_t i = 0; i < N; i++) {
        id_table_remove(&t, i * 0x10001u);
        id_table_remove(&t, i * 0x10001u);
        assert_null(id_table_find(&t, i * 0x10001u));
    }
    assert_int_equal(id_table_count(&t), 1);
    rcu_barrier();
    id_table_destroy(&t);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_model),
        cmocka_unit_test(test_bounded_change),
        cmocka_unit_test(test_readers),
        cmocka_unit_test(test_ids),
    };

    thread_adopt("");
    return cmocka_run_group_tests(tests, NULL, NULL);
}
