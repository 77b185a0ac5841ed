/* SPDX-License-Identifier: Apache-2.0 */
/* Tables by hash that grow a few slots at a time: see the header.  Called by the one thread
 * that changes a table (main, for all there are); it knows nothing of what the objects are. */

#include "os/rcu-table.h"

#include <stdlib.h>

#include "util/compiler.h"
#include "util/xalloc.h"

char rcu_table_gone;

uint32_t
rcu_table_size(uint32_t n_slots, uint32_t n)
{
    uint32_t size = MAX(n_slots / 4, RCU_TABLE_MIN);

    while (size * UINT64_C(3) < n * UINT64_C(8)) {
        size *= 2;
    }
    return size;
}

static struct rcu_slots *
slots_create(uint32_t n)
{
    struct rcu_slots *a = xzalloc(sizeof *a + n * sizeof a->s[0]);

    a->mask = n - 1;
    return a;
}

static void
free_slots(struct rcu_head *head)
{
    free(CONTAINER_OF(head, struct rcu_slots, rcu));
}

/* The writer's loads: nobody else stores. */
static struct rcu_slots *
own_slots(const struct rcu_table *t)
{
    return atomic_load_explicit(&t->slots, memory_order_relaxed);
}

static struct rcu_slots *
own_next(const struct rcu_slots *a)
{
    return atomic_load_explicit(&a->next, memory_order_relaxed);
}

static void *
own_object(const struct rcu_slot *s)
{
    return atomic_load_explicit(&s->object, memory_order_relaxed);
}

/* Into the first empty slot of the probe sequence. */
static void
put(struct rcu_slots *a, uint32_t hash, void *object)
{
    uint32_t i = hash & a->mask;

    while (own_object(&a->s[i])) {
        i = (i + 1) & a->mask;
    }
    a->s[i].hash = hash;
    a->n_used++;
    /* Release: pairs with the acquire of readers. */
    atomic_store_explicit(&a->s[i].object, object, memory_order_release);
}

static void
begin(struct rcu_table *t)
{
    struct rcu_slots *a = own_slots(t);

    /* Release: pairs with the acquire of readers. */
    atomic_store_explicit(&a->next, slots_create(rcu_table_size(a->mask + 1, t->n)),
                          memory_order_release);
}

/* Goes on with what was begun.  Objects are not looked at: they are all over memory, while
 * slots move in two rows from one end to the other. */
static void
move_some(struct rcu_table *t)
{
    struct rcu_slots *a = own_slots(t), *next = own_next(a);

    if (!next) {
        return;
    }
    for (uint32_t n = 0; n < RCU_TABLE_PACE && a->n_moved <= a->mask; n++) {
        struct rcu_slot *s = &a->s[a->n_moved++];
        void *object = own_object(s);

        if (object && object != &rcu_table_gone) {
            put(next, s->hash, object);
            /* Release: who sees that it has gone from here finds it there. */
            atomic_store_explicit(&s->object, &rcu_table_gone, memory_order_release);
        }
    }
    if (a->n_moved > a->mask) {
        /* Release: pairs with the acquire of readers. */
        atomic_store_explicit(&t->slots, next, memory_order_release);
        call_rcu(&a->rcu, free_slots);
    }
}

/* The slot of an object that is there; else NULL. */
static struct rcu_slot *
slot_of(const struct rcu_table *t, uint32_t hash, const void *object)
{
    for (struct rcu_slots *a = own_slots(t); a; a = own_next(a)) {
        for (uint32_t i = hash & a->mask; own_object(&a->s[i]); i = (i + 1) & a->mask) {
            if (own_object(&a->s[i]) == object) {
                return &a->s[i];
            }
        }
    }
    return NULL;
}

void
rcu_table_init(struct rcu_table *t)
{
    atomic_init(&t->slots, slots_create(RCU_TABLE_MIN));
    t->n = 0;
}

void
rcu_table_destroy(struct rcu_table *t)
{
    struct rcu_slots *a = own_slots(t);

    free(a ? own_next(a) : NULL);
    free(a);
    atomic_store_explicit(&t->slots, NULL, memory_order_relaxed);
}

void
rcu_table_add(struct rcu_table *t, uint32_t hash, void *object)
{
    struct rcu_slots *a = own_slots(t);

    if (!own_next(a) && !rcu_table_has_room(a->mask + 1, a->n_used)) {
        begin(t);
    }
    put(own_next(a) ? own_next(a) : a, hash, object);
    t->n++;
    move_some(t);
}

void
rcu_table_replace(struct rcu_table *t, uint32_t hash, const void *old, void *object)
{
    struct rcu_slot *s = slot_of(t, hash, old);

    if (s) {
        /* Release: pairs with the acquire of readers. */
        atomic_store_explicit(&s->object, object, memory_order_release);
    }
}

void
rcu_table_remove(struct rcu_table *t, uint32_t hash, const void *object)
{
    struct rcu_slots *a = own_slots(t);
    struct rcu_slot *s = slot_of(t, hash, object);

    if (!s) {
        return;
    }
    atomic_store_explicit(&s->object, &rcu_table_gone, memory_order_release);
    t->n--;
    if (!own_next(a) && rcu_table_is_sparse(a->mask + 1, t->n)) {
        begin(t);
    }
    move_some(t);
}

void *
rcu_table_each(const struct rcu_table *t, struct rcu_table_pos *p)
{
    for (p->a = p->a ? p->a : own_slots(t); p->a; p->a = own_next(p->a), p->i = 0) {
        while (p->i <= p->a->mask) {
            const struct rcu_slot *s = &p->a->s[p->i++];
            void *object = own_object(s);

            if (object && object != &rcu_table_gone) {
                p->hash = s->hash;
                return object;
            }
        }
    }
    return NULL;
}
