/* SPDX-License-Identifier: Apache-2.0 */
#ifndef XVS_DATAPATH_PMD_STATS_H
#define XVS_DATAPATH_PMD_STATS_H 1

/* Counters of a polling thread.  Only that thread writes `n`; anybody reads; main keeps in
 * `base` what they were when last cleared. */

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include "util/strbuf.h"

enum pmd_stat {
    PMD_STAT_RECV, /* packets received */
    PMD_STAT_RECIRC, /* passes after the first */
    PMD_STAT_SIMPLE_HIT, /* of these, by the port-to-port short cut */
    PMD_STAT_EMC_HIT,
    PMD_STAT_SMC_HIT,
    PMD_STAT_MEGAFLOW_HIT,
    PMD_STAT_SUBTABLES, /* hashed for, on megaflow hits */
    PMD_STAT_MISS,      /* translated */
    PMD_STAT_LOST,      /* translation said nothing */
    PMD_STAT_UPCALL_CYCLES,
    PMD_STAT_TX_PACKETS,
    PMD_STAT_TX_BATCHES,
    PMD_STAT_ITER_IDLE, /* loop turns without packets */
    PMD_STAT_ITER_BUSY,
    PMD_STAT_SLEEPS,
    PMD_STAT_SLEEP_US,
    PMD_STAT_CYCLES_IDLE, /* with those asleep */
    PMD_STAT_CYCLES_BUSY,
    PMD_N_STATS
};

struct pmd_stats {
    _Atomic uint64_t n[PMD_N_STATS];
    uint64_t base[PMD_N_STATS];
    int64_t since_ms; /* real time of the last clear */
};

/* Since the thread began; any thread. */
static inline uint64_t
pmd_stat_get(const struct pmd_stats *s, enum pmd_stat i)
{
    return atomic_load_explicit(&s->n[i], memory_order_relaxed);
}

static inline void
pmd_stat_add(struct pmd_stats *s, enum pmd_stat i, uint64_t n)
{
    /* One writer: load and store, no locked instruction. */
    atomic_store_explicit(&s->n[i], pmd_stat_get(s, i) + n, memory_order_relaxed);
}

/* Main. */
void pmd_stats_read(const struct pmd_stats *, uint64_t out[PMD_N_STATS]); /* since cleared */
void pmd_stats_clear(struct pmd_stats *);
/* The lines of pmd-stats-show below the thread's heading; `cycles` = with those about cycles.
 */
void pmd_stats_format(struct strbuf *, const struct pmd_stats *, bool cycles);
/* The lines of pmd-perf-show below the thread's heading. */
void pmd_stats_format_perf(struct strbuf *, const struct pmd_stats *);

#endif
