/* SPDX-License-Identifier: Apache-2.0 */
#ifndef XVS_OS_RCU_TABLE_H
#define XVS_OS_RCU_TABLE_H 1

/* Objects by a 32-bit hash: an open-addressed table with one writer and any number of readers,
 * which grows and shrinks a few slots at a time, so that no single change of a table of
 * millions takes long.
 *
 *   table -> slots --next--> more slots      while it grows: objects move from left to right
 *
 *              find     add   replace  remove  each   (x = needs exclusion between the two)
 *   find        -        -       -       -      -
 *   others      -        x       x       x      x
 *
 *   - A slot goes from empty to an object, maybe to others with the same hash, then to GONE for
 *     good, also when its object has moved.  So a reader that probes finds all that stays.
 *   - An object that moves is put into its new place before its old one says GONE: who misses
 * it in the old slots finds it by their `next`.
 *   - Of the new slots at most 3/8 are taken at first by what moves, and there are a quarter as
 *     many as of the old ones at least.  3/4 are not exceeded before 3/32 as many additions as
 *     there are old slots, each of which moves 16: then all have long moved.
 *
 * Memory: 16 bytes a slot, that is 21 to 43 for an object; 64 while it grows; more only when
 * most objects were removed, until others come or go.
 *
 * Objects are the caller's, and live until a grace period after their removal if there are
 * readers.  Readers are in an RCU read-side section, or exclude the writer. */

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>
#include "os/rcu.h"
#include "util/compiler.h"

struct rcu_slot {
    void *_Atomic object; /* NULL: never used; &rcu_table_gone: was used */
    uint32_t hash;        /* written before `object` (release), then constant */
};
struct rcu_slots {
    struct rcu_slots *_Atomic next; /* where objects move to; NULL: they stay */
    uint32_t mask;                  /* slots - 1 */
    uint32_t n_used;                /* writer's: slots not empty */
    uint32_t n_moved;               /* writer's: slots from the first on that were moved */
    struct rcu_head rcu;
    _Alignas(16) struct rcu_slot s[]; /* none lies in two cache lines */
};
struct rcu_table {
    struct rcu_slots *_Atomic slots;
    uint32_t n; /* objects; writer's */
};
extern char rcu_table_gone;

#define RCU_TABLE_MIN 4u   /* slots; a power of two */
#define RCU_TABLE_PACE 16u /* slots that a change moves */

/* The rules of growth, for tables with slots of another kind. */

/* May one more of so many slots be used? */
static inline bool
rcu_table_has_room(uint32_t n_slots, uint32_t n_used)
{
    return (n_used + 1) * UINT64_C(4) <= n_slots * UINT64_C(3);
}
/* Is it worth while to move fewer? */
static inline bool
rcu_table_is_sparse(uint32_t n_slots, uint32_t n)
{
    return n_slots > 256 && n < n_slots / 16;
}
/* How many slots to move `n` objects to, from `n_slots`. */
uint32_t rcu_table_size(uint32_t n_slots, uint32_t n);

void rcu_table_init(struct rcu_table *);
/* Nobody reads or will.  Main or any thread; the objects stay the caller's. */
void rcu_table_destroy(struct rcu_table *);
/* `object` is not NULL.  Several may have one hash. */
void rcu_table_add(struct rcu_table *, uint32_t hash, void *object);
/* Puts `object` in the place of `old`, which is there. */
void rcu_table_replace(struct rcu_table *, uint32_t hash, const void *old, void *object);
void rcu_table_remove(struct rcu_table *, uint32_t hash, const void *object);

/* A search.  Reader or writer:
 *
 *     struct rcu_table_pos pos = rcu_table_at(t, hash);
 *
 *     while ((object = rcu_table_next(&pos)) && !is_meant(object)) {
 *     }
 */
struct rcu_table_pos {
    const struct rcu_slots *a;
    uint32_t i, hash;
};
static inline struct rcu_table_pos
rcu_table_at(const struct rcu_table *t, uint32_t hash)
{
    /* Acquire: pairs with the release of the writer that is done with moving. */
    return (struct rcu_table_pos){
        .a = atomic_load_explicit(&t->slots, memory_order_acquire), .i = hash, .hash = hash};
}
/* The next object with the hash, or NULL.  One that moves meanwhile may come twice. */
static ALWAYS_INLINE void *
rcu_table_next(struct rcu_table_pos *p)
{
    for (;;) { /* ends: a quarter of the slots is empty */
        const struct rcu_slot *s = &p->a->s[p->i & p->a->mask];
        /* Acquire: pairs with the releases of the writer. */
        void *object = atomic_load_explicit(&s->object, memory_order_acquire);

        if (!object) {
            /* Acquire: pairs with the release when it begins to grow. */
            const struct rcu_slots *next =
                atomic_load_explicit(&p->a->next, memory_order_acquire);

            if (LIKELY(!next)) {
                return NULL;
            }
            p->a = next;
            p->i = p->hash;
            continue;
        }
        p->i++;
        if (s->hash == p->hash && object != &rcu_table_gone) {
            return object;
        }
    }
}

/* All objects, each once.  Writer, without a change on the way; begins with
 * `(struct rcu_table_pos){0}`, and tells the object's hash there. */
void *rcu_table_each(const struct rcu_table *, struct rcu_table_pos *);

#endif
