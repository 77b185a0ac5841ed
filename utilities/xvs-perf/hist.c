/* SPDX-License-Identifier: Apache-2.0 */
/* Percentiles of the latencies that bpf/perf_count.bpf.c sorts into buckets. */

#include "perf.h"

uint64_t
hist_value(unsigned bucket)
{
    unsigned exponent = bucket >> PERF_HIST_SUB_BITS;

    if (exponent <= 1) {
        return bucket;
    }
    exponent--;
    uint64_t low = (uint64_t) (bucket - (exponent << PERF_HIST_SUB_BITS)) << exponent;
    return low + (1ull << exponent) / 2;
}

uint64_t
hist_percentile(const uint64_t *buckets, double permille)
{
    uint64_t total = 0, below = 0;

    for (unsigned i = 0; i < PERF_HIST_BUCKETS; i++) {
        total += buckets[i];
    }
    for (unsigned i = 0; i < PERF_HIST_BUCKETS; i++) {
        below += buckets[i];
        if (buckets[i] && (double) below >= (double) total * permille / 1000) {
            return hist_value(i);
        }
    }
    return 0;
}
