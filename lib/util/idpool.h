/* SPDX-License-Identifier: Apache-2.0 */
#ifndef XVS_UTIL_IDPOOL_H
#define XVS_UTIL_IDPOOL_H 1

/* Allocator of small integers (port numbers, recirculation ids).  Allocation continues upwards
 * from the last id given, so that a freed id is reused as late as possible.  No thread safety. */

#include <stdbool.h>
#include <stdint.h>

struct idpool;
struct idpool *idpool_create(uint32_t first, uint32_t last);
void idpool_destroy(struct idpool *);
bool idpool_alloc(struct idpool *, uint32_t *id);          /* false: none left */
bool idpool_take(struct idpool *, uint32_t id);            /* false: in use or out of range */
void idpool_free(struct idpool *, uint32_t id);

#endif
