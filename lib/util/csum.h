/* SPDX-License-Identifier: Apache-2.0 */
#ifndef XVS_UTIL_CSUM_H
#define XVS_UTIL_CSUM_H 1

/* The Internet checksum (RFC 1071) and its incremental update (RFC 1624).  `_be` values are in
 * network byte order; partial sums are in the byte order of the data they were taken over. */

#include <stddef.h>
#include <stdint.h>

/* Adds `len` bytes (any alignment, odd length padded with zero) to the partial sum. */
uint32_t csum_add(uint32_t partial, const void *data, size_t len);
/* Folds a partial sum to 16 bits and complements it: the value to store in the header. */
uint16_t csum_finish(uint32_t partial);
/* Folds without complementing. */
static inline uint16_t csum_fold(uint32_t partial)
{
    partial = (partial & 0xffff) + (partial >> 16);
    partial = (partial & 0xffff) + (partial >> 16);
    return (uint16_t) partial;
}
/* New checksum after a 16- or 32-bit big-endian word of the covered data changed. */
uint16_t csum_update16(uint16_t csum_be, uint16_t old_be, uint16_t new_be);
uint16_t csum_update32(uint16_t csum_be, uint32_t old_be, uint32_t new_be);
/* Partial sums over the pseudo-headers of RFC 9293 section 3.1 and RFC 8200 section 8.1;
 * `len` = transport header plus payload in bytes. */
uint32_t csum_pseudo_v4(uint32_t src_be, uint32_t dst_be, uint8_t proto, uint16_t len);
uint32_t csum_pseudo_v6(const void *src16, const void *dst16, uint8_t proto, uint32_t len);

#endif
