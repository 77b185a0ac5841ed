/* SPDX-License-Identifier: Apache-2.0 */
/* Tables from ids to objects.  Main writes, translation on polling threads reads under RCU.  It
 * knows nothing of what the objects are: the hash is the id, turned so that ids in any pattern
 * are spread, and can be turned back. */

#include "ofproto/id-table.h"

#include <stdlib.h>

#include "util/xalloc.h"

#define SPREAD UINT32_C(0x9e3779b1)
#define SPREAD_BACK UINT32_C(0x0e8b2f51) /* times SPREAD: 1 modulo 2^32 */

static uint32_t
turn(uint32_t v, uint32_t by)
{
    v = (v ^ v >> 16) * by;
    return v ^ v >> 16;
}

void
id_table_init(struct id_table *t)
{
    rcu_table_init(&t->objects);
}

void
id_table_destroy(struct id_table *t)
{
    rcu_table_destroy(&t->objects);
}

void *
id_table_find(const struct id_table *t, uint32_t id)
{
    struct rcu_table_pos pos = rcu_table_at(&t->objects, turn(id, SPREAD));

    return rcu_table_next(&pos);
}

void
id_table_put(struct id_table *t, uint32_t id, void *object)
{
    void *old = id_table_find(t, id);

    if (old) {
        rcu_table_replace(&t->objects, turn(id, SPREAD), old, object);
    } else {
        rcu_table_add(&t->objects, turn(id, SPREAD), object);
    }
}

void
id_table_remove(struct id_table *t, uint32_t id)
{
    void *old = id_table_find(t, id);

    if (old) {
        rcu_table_remove(&t->objects, turn(id, SPREAD), old);
    }
}

struct entry {
    uint32_t id;
    void *object;
};

static int
compare_ids(const void *a_, const void *b_)
{
    const struct entry *a = a_, *b = b_;

    return a->id < b->id ? -1 : a->id > b->id;
}

void **
id_table_sorted(const struct id_table *t)
{
    struct entry *all = xcalloc(id_table_count(t) + 1, sizeof *all);
    void **objects = xcalloc(id_table_count(t) + 1, sizeof *objects);
    struct rcu_table_pos pos = {.a = NULL};
    uint32_t n = 0;

    while ((all[n].object = rcu_table_each(&t->objects, &pos))) {
        all[n++].id = turn(pos.hash, SPREAD_BACK);
    }
    qsort(all, n, sizeof *all, compare_ids);
    for (uint32_t i = 0; i < n; i++) {
        objects[i] = all[i].object;
    }
    free(all);
    return objects;
}
