/* SPDX-License-Identifier: Apache-2.0 */
#ifndef XVS_OS_SLICE_H
#define XVS_OS_SLICE_H 1

/* A slice of a thread's time: long work asks after each small part of it whether to go on or to
 * leave the rest for a later turn.  Thread: its owner's. */

#include <stdbool.h>
#include <stdint.h>
#include "os/clock.h"

struct slice {
    uint64_t until_ns; /* real time; UINT64_MAX: whatever it takes */
    uint32_t every, n; /* the clock is looked at after so many parts */
};

#define SLICE_EVERY 256u /* parts of some 0.1 to 5 us, so that looking at the clock is free */
#define SLICE_ENDLESS ((struct slice){.until_ns = UINT64_MAX, .every = UINT32_MAX})

/* `us` microseconds from now on, but SLICE_EVERY parts at least. */
static inline struct slice
slice_of_us(uint32_t us)
{
    return (struct slice){.until_ns = (uint64_t) clock_real_ns() + us * UINT64_C(1000),
                          .every = SLICE_EVERY};
}

/* Exactly so many parts (from 1 on), however long they take. */
static inline struct slice
slice_of_parts(uint32_t n)
{
    return (struct slice){.until_ns = 0, .every = n};
}

/* One part was done.  True: the slice is over. */
static inline bool
slice_spent(struct slice *s)
{
    return ++s->n % s->every == 0 && (uint64_t) clock_real_ns() >= s->until_ns;
}

#endif
