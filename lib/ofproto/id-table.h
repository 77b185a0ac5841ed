/* SPDX-License-Identifier: Apache-2.0 */
#ifndef XVS_OFPROTO_ID_TABLE_H
#define XVS_OFPROTO_ID_TABLE_H 1

/* Objects by 32-bit ids that controllers choose: groups, meters.
 *
 *   id_table_find                        any thread, in an RCU read-side section
 *   everything else                      main
 *
 * What is taken out must live until a grace period later. */

#include <stdbool.h>
#include <stdint.h>
#include "os/rcu-table.h"

struct id_table {
    struct rcu_table objects;
};
static inline uint32_t
id_table_count(const struct id_table *t)
{
    return t->objects.n;
}
void id_table_init(struct id_table *);
void id_table_destroy(struct id_table *); /* no reader left; the objects are the caller's */
void *id_table_find(const struct id_table *, uint32_t id); /* NULL: none */
/* Puts the object in, in the place of another with the same id. */
void id_table_put(struct id_table *, uint32_t id, void *);
void id_table_remove(struct id_table *, uint32_t id); /* nothing if it is not there */
/* All objects by rising id: `n` of them in an array that the caller frees. */
void **id_table_sorted(const struct id_table *);

#endif
