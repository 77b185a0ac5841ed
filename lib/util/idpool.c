/* SPDX-License-Identifier: Apache-2.0 */
/* Allocation of small integers from a range, round robin.  The ids in use are kept in a hash
 * table, so that a pool over 2^32 recirculation ids costs only what is in use.  One thread. */

#include "util/idpool.h"

#include <stdlib.h>
#include <uthash.h>

#include "util/xalloc.h"

struct id_node {
    uint32_t id;
    UT_hash_handle hh;
};

struct idpool {
    uint32_t first;
    uint32_t last;
    uint32_t next; /* where the next search begins */
    struct id_node *used;
};

struct idpool *
idpool_create(uint32_t first, uint32_t last)
{
    struct idpool *p = xzalloc(sizeof *p);

    p->first = p->next = first;
    p->last = last;
    return p;
}

void
idpool_destroy(struct idpool *p)
{
    struct id_node *node, *tmp;

    if (!p) {
        return;
    }
    HASH_ITER(hh, p->used, node, tmp)
    {
        HASH_DEL(p->used, node);
        free(node);
    }
    free(p);
}

bool
idpool_alloc(struct idpool *p, uint32_t *id)
{
    uint64_t size = p->last >= p->first ? (uint64_t) p->last - p->first + 1 : 0;
    uint32_t candidate = p->next;

    if (HASH_COUNT(p->used) >= size) {
        return false;
    }
    /* Some id is free, so this ends within (ids in use + 1) steps. */
    while (!idpool_take(p, candidate)) {
        candidate = candidate >= p->last ? p->first : candidate + 1;
    }
    p->next = candidate >= p->last ? p->first : candidate + 1;
    *id = candidate;
    return true;
}

bool
idpool_take(struct idpool *p, uint32_t id)
{
    struct id_node *node;

    if (id < p->first || id > p->last) {
        return false;
    }
    HASH_FIND(hh, p->used, &id, sizeof id, node);
    if (node) {
        return false;
    }
    node = xzalloc(sizeof *node);
    node->id = id;
    HASH_ADD(hh, p->used, id, sizeof node->id, node);
    return true;
}

void
idpool_free(struct idpool *p, uint32_t id)
{
    struct id_node *node;
    uint32_t next = p->next;

    HASH_FIND(hh, p->used, &id, sizeof id, node);
    if (!node) {
        return;
    }
    HASH_DEL(p->used, node);
    free(node);
    /* Were it the next to be given (ids taken by number do not move `next`), then not now. */
    while (next != id && next < p->last) {
        HASH_FIND(hh, p->used, &next, sizeof next, node);
        if (!node) {
            return;
        }
        next++;
    }
    if (next == id) {
        p->next = id >= p->last ? p->first : id + 1;
    }
}
