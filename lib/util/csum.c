/* SPDX-License-Identifier: Apache-2.0 */
/* The Internet checksum (RFC 1071) and its incremental update (RFC 1624).  Called per packet by
 * the datapath threads: no allocation, no branches on content beyond the length. */

#include "util/csum.h"

#include <string.h>

/* Folds a 64-bit one's complement sum to 32 bits. */
static uint32_t
fold64(uint64_t sum)
{
    sum = (sum & 0xffffffff) + (sum >> 32);
    sum = (sum & 0xffffffff) + (sum >> 32);
    return (uint32_t) sum;
}

uint32_t
csum_add(uint32_t partial, const void *data, size_t len)
{
    const uint8_t *p = data;
    uint64_t sum = partial;

    /* RFC 1071 section 2(C): wider words give the same sum.  2^32 - 1 is a multiple of
     * 2^16 - 1, so 32-bit words are summed and the carries folded at the end; 64 bits hold the
     * carries of 2^32 such words. */
    for (; len >= 16; p += 16, len -= 16) {
        uint32_t w[4];

        memcpy(w, p, sizeof w);
        sum += (uint64_t) w[0] + w[1] + w[2] + w[3];
    }
    for (; len >= 4; p += 4, len -= 4) {
        uint32_t w;

        memcpy(&w, p, sizeof w);
        sum += w;
    }
    if (len) {
        uint8_t tail[4] = {0, 0, 0, 0};
        uint32_t w;

        memcpy(tail, p, len);
        memcpy(&w, tail, sizeof w);
        sum += w;
    }
    return fold64(sum);
}

uint16_t
csum_finish(uint32_t partial)
{
    return (uint16_t) ~csum_fold(partial);
}

uint16_t
csum_update16(uint16_t csum_be, uint16_t old_be, uint16_t new_be)
{
    /* RFC 1624 equation 3: HC' = ~(~HC + ~m + m').  One's complement addition does not depend
     * on byte order (RFC 1071 section 2(B)), so no swapping is needed. */
    uint32_t sum = (uint16_t) ~csum_be;

    sum += (uint16_t) ~old_be;
    sum += new_be;
    return csum_finish(sum);
}

uint16_t
csum_update32(uint16_t csum_be, uint32_t old_be, uint32_t new_be)
{
    uint32_t sum = (uint16_t) ~csum_be;

    sum += (uint16_t) ~(uint16_t) old_be;
    sum += (uint16_t) ~(uint16_t) (old_be >> 16);
    sum += (uint16_t) new_be;
    sum += (uint16_t) (new_be >> 16);
    return csum_finish(sum);
}

uint32_t
csum_pseudo_v4(uint32_t src_be, uint32_t dst_be, uint8_t proto, uint16_t len)
{
    const uint8_t tail[4] = {0, proto, (uint8_t) (len >> 8), (uint8_t) len};
    uint32_t sum = csum_add(0, &src_be, sizeof src_be);

    sum = csum_add(sum, &dst_be, sizeof dst_be);
    return csum_add(sum, tail, sizeof tail);
}

uint32_t
csum_pseudo_v6(const void *src16, const void *dst16, uint8_t proto, uint32_t len)
{
    const uint8_t tail[8] = {(uint8_t) (len >> 24),
                             (uint8_t) (len >> 16),
                             (uint8_t) (len >> 8),
                             (uint8_t) len,
                             0,
                             0,
                             0,
                             proto};
    uint32_t sum = csum_add(0, src16, 16);

    sum = csum_add(sum, dst16, 16);
    return csum_add(sum, tail, sizeof tail);
}
