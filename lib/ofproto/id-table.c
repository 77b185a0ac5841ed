/* SPDX-License-Identifier: Apache-2.0 */
/* Hash table from ids to objects, with open addressing.  An array of slots is filled and
 * emptied in place; when it has no room left it is replaced as a whole, and freed after a grace
 * period. Main writes, translation on polling threads reads under RCU.  It knows nothing of
 * what the objects are. */

#include "ofproto/id-table.h"

#include <stdatomic.h>
#include <stdlib.h>

#include "util/compiler.h"
#include "util/hash.h"
#include "util/xalloc.h"

#define MIN_SLOTS 16u

struct id_slot {
    void *_Atomic object; /* NULL: never used; &gone: removed */
    uint32_t id;          /* written before `object` (release), then constant */
};
struct id_array {
    struct rcu_head rcu;
    uint32_t mask;   /* slots - 1 */
    uint32_t n_used; /* slots with an id */
    struct id_slot slots[];
};

static char gone;

static struct id_array *
array_create(uint32_t n_slots)
{
    struct id_array *a = xzalloc(sizeof *a + n_slots * sizeof a->slots[0]);

    a->mask = n_slots - 1;
    return a;
}

static void
array_free_rcu(struct rcu_head *head)
{
    free(CONTAINER_OF(head, struct id_array, rcu));
}

static struct id_array *
writers_array(const struct id_table *t)
{
    return atomic_load_explicit(&t->array, memory_order_relaxed);
}

/* The slot with the id, or the unused one in which it would go: there always is one. */
static struct id_slot *
find_slot(struct id_array *a, uint32_t id, void **object)
{
    for (uint32_t i = (uint32_t) hash_mix64(0, id);; i++) {
        struct id_slot *s = &a->slots[i & a->mask];

        /* Pairs with the release in id_table_put(). */
        *object = atomic_load_explicit(&s->object, memory_order_acquire);
        if (!*object || s->id == id) {
            return s;
        }
    }
}

void
id_table_init(struct id_table *t)
{
    atomic_init(&t->array, array_create(MIN_SLOTS));
    t->n = 0;
}

void
id_table_destroy(struct id_table *t)
{
    free(writers_array(t));
    atomic_store_explicit(&t->array, NULL, memory_order_relaxed);
}

void *
id_table_find(const struct id_table *t, uint32_t id)
{
    /* Pairs with the release in rebuild(). */
    struct id_array *a = atomic_load_explicit(&t->array, memory_order_acquire);
    void *object;

    find_slot(a, id, &object);
    return object == &gone ? NULL : object;
}

/* Makes an array without the slots of what was removed, in which at most half are used. */
static void
rebuild(struct id_table *t)
{
    struct id_array *old = writers_array(t), *a;
    uint32_t n_slots = MIN_SLOTS;

    while (n_slots / 2 <= t->n) {
        n_slots *= 2;
    }
    a = array_create(n_slots);
    for (uint32_t i = 0; i <= old->mask; i++) {
        void *object = atomic_load_explicit(&old->slots[i].object, memory_order_relaxed);
        struct id_slot *s;
        void *none;

        if (!object || object == &gone) {
            continue;
        }
        s = find_slot(a, old->slots[i].id, &none);
        s->id = old->slots[i].id;
        atomic_store_explicit(&s->object, object, memory_order_relaxed);
        a->n_used++;
    }
    atomic_store_explicit(&t->array, a, memory_order_release);
    call_rcu(&old->rcu, array_free_rcu);
}

void
id_table_put(struct id_table *t, uint32_t id, void *object)
{
    struct id_array *a = writers_array(t);
    struct id_slot *s;
    void *was;

    s = find_slot(a, id, &was);
    if (!was && a->n_used >= (a->mask + 1) / 4 * 3) {
        rebuild(t);
        a = writers_array(t);
        s = find_slot(a, id, &was);
    }
    if (!was) {
        s->id = id;
        a->n_used++;
    }
    t->n += !was || was == &gone;
    atomic_store_explicit(&s->object, object, memory_order_release);
}

void
id_table_remove(struct id_table *t, uint32_t id)
{
    void *was;
    struct id_slot *s = find_slot(writers_array(t), id, &was);

    if (was && was != &gone) {
        atomic_store_explicit(&s->object, &gone, memory_order_relaxed);
        t->n--;
    }
}

static int
compare_slots(const void *a_, const void *b_)
{
    const struct id_slot *const *a = a_, *const *b = b_;

    return (*a)->id < (*b)->id ? -1 : (*a)->id > (*b)->id;
}

void **
id_table_sorted(const struct id_table *t)
{
    struct id_array *a = writers_array(t);
    struct id_slot **slots = xcalloc(t->n + 1, sizeof *slots);
    void **objects = xcalloc(t->n + 1, sizeof *objects);
    uint32_t n = 0;

    for (uint32_t i = 0; i <= a->mask; i++) {
        void *object = atomic_load_explicit(&a->slots[i].object, memory_order_relaxed);

        if (object && object != &gone) {
            slots[n++] = &a->slots[i];
        }
    }
    qsort(slots, n, sizeof *slots, compare_slots);
    for (uint32_t i = 0; i < n; i++) {
        objects[i] = atomic_load_explicit(&slots[i]->object, memory_order_relaxed);
    }
    free(slots);
    return objects;
}
