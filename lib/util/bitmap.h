/* SPDX-License-Identifier: Apache-2.0 */
#ifndef XVS_UTIL_BITMAP_H
#define XVS_UTIL_BITMAP_H 1

/* Fixed-size bit sets in arrays of uint64_t; e.g. the 4,096 VLANs of a trunk. */

#include <stdbool.h>
#include <stdint.h>

#define BITMAP_WORDS(bits) (((bits) + 63) / 64)
#define BITMAP_DECLARE(name, bits) uint64_t name[BITMAP_WORDS(bits)]

static inline void bitmap_set(uint64_t *b, unsigned i) { b[i / 64] |= UINT64_C(1) << (i % 64); }
static inline void bitmap_unset(uint64_t *b, unsigned i) { b[i / 64] &= ~(UINT64_C(1) << (i % 64)); }
static inline bool bitmap_test(const uint64_t *b, unsigned i) { return (b[i / 64] >> (i % 64)) & 1; }

#endif
