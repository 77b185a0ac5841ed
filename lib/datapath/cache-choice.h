/* SPDX-License-Identifier: Apache-2.0 */
#ifndef XVS_DATAPATH_CACHE_CHOICE_H
#define XVS_DATAPATH_CACHE_CHOICE_H 1

/* Which caches pay for the traffic at hand.  What they save is the walk over the megaflow
 * table's subtables, hence its length decides; what they cost is memory to be fetched:
 *
 *   exact match  256 bytes a flow.  Always pays with few flows; with more than stay near the
 *                core it costs as much as a subtable, and pays only if there are several.
 *   signature    4 bytes a flow, and the lookup in one subtable.  Pays if there are several.
 *
 * Documentation/performance.md has the measurements.  Pure; each choice keeps to the one before
 * where the two are about even, so that it does not swing. */

#include <stdbool.h>
#include <stdint.h>

/* Whether a cache is used; from other_config. */
enum cache_use { CACHE_NEVER, CACHE_ALWAYS, CACHE_IF_IT_PAYS };

static inline bool
cache_is_used(enum cache_use use, bool pays)
{
    return use == CACHE_ALWAYS || (use == CACHE_IF_IT_PAYS && pays);
}

#define CACHE_EMC_FLOWS 2048u /* more megaflows: the walk decides */
#define CACHE_WALK_SHORT 24u  /* in sixteenths of a subtable, as megaflow_table.walk16 */
#define CACHE_WALK_LONG 48u

/* `now`: whether it paid until now; `walk16`: subtables that a lookup goes through, on average,
 * in sixteenths. */
static inline bool
cache_smc_pays(bool now, uint32_t walk16)
{
    return walk16 >= CACHE_WALK_LONG || (walk16 > CACHE_WALK_SHORT && now);
}

/* As above; and always with few of the thread's megaflows, `n_flows`. */
static inline bool
cache_emc_pays(bool now, uint32_t n_flows, uint32_t walk16)
{
    return n_flows <= CACHE_EMC_FLOWS || cache_smc_pays(now, walk16);
}

#endif
