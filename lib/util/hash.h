/* SPDX-License-Identifier: Apache-2.0 */
#ifndef XVS_UTIL_HASH_H
#define XVS_UTIL_HASH_H 1

/* Non-cryptographic hashing by xxHash (XXH3), inlined for short fixed inputs. */

#include <stddef.h>
#include <stdint.h>
#define XXH_INLINE_ALL
#include <xxhash.h>

static inline uint64_t hash_bytes64(const void *p, size_t len, uint64_t seed)
{
    return XXH3_64bits_withSeed(p, len, seed);
}

static inline uint32_t hash_bytes(const void *p, size_t len, uint32_t seed)
{
    uint64_t h = hash_bytes64(p, len, seed);
    return (uint32_t) (h ^ (h >> 32));
}

/* Mixes one word into a running hash (finaliser of splitmix64). */
static inline uint64_t hash_mix64(uint64_t h, uint64_t v)
{
    h = (h ^ v) * UINT64_C(0xbf58476d1ce4e5b9);
    h = (h ^ (h >> 29)) * UINT64_C(0x94d049bb133111eb);
    return h ^ (h >> 32);
}

#endif
