/* SPDX-License-Identifier: Apache-2.0 */
#ifndef XVS_UTIL_NUM_H
#define XVS_UTIL_NUM_H 1

/* Strict text-to-number conversion: the whole string must be consumed, leading and trailing
 * space is refused, overflow is an error.  On failure the output is left alone. */

#include <stdbool.h>
#include <stdint.h>

/* Decimal, or hexadecimal with 0x; `min` <= value <= `max`. */
bool num_parse_u64(const char *, uint64_t min, uint64_t max, uint64_t *out);
bool num_parse_int(const char *, int min, int max, int *out);
/* Exactly "true" or "false", letter case ignored. */
bool num_parse_bool(const char *, bool *out);
/* Hexadecimal digits (even count, no 0x) to bytes; returns bytes written or -1. */
int num_parse_hex(const char *, uint8_t *out, int max);
/* A core mask: hex digits with or without 0x, any length; calls `cb` for each set bit, lowest
 * first.  False (and no call) when the text is not hexadecimal or is empty. */
bool num_parse_mask(const char *, void (*cb)(unsigned bit, void *aux), void *aux);

static inline bool num_is_pow2(uint64_t x) { return x && !(x & (x - 1)); }

#endif
