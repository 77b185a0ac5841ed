/* SPDX-License-Identifier: Apache-2.0 */
#ifndef XVS_UTIL_COUNTER_H
#define XVS_UTIL_COUNTER_H 1

/* A counter that any thread may read.  counter_add() is for one with a single writer: no locked
 * instruction. */

#include <stdatomic.h>
#include <stdint.h>

static inline void
counter_add(_Atomic uint64_t *counter, uint64_t n)
{
    atomic_store_explicit(counter, atomic_load_explicit(counter, memory_order_relaxed) + n,
                          memory_order_relaxed);
}

static inline void
counter_add_shared(_Atomic uint64_t *counter, uint64_t n)
{
    atomic_fetch_add_explicit(counter, n, memory_order_relaxed);
}

static inline uint64_t
counter_get(const _Atomic uint64_t *counter)
{
    return atomic_load_explicit(counter, memory_order_relaxed);
}

#endif
