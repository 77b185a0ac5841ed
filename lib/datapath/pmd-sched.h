/* SPDX-License-Identifier: Apache-2.0 */
#ifndef XVS_DATAPATH_PMD_SCHED_H
#define XVS_DATAPATH_PMD_SCHED_H 1

/* Which core polls which rx queue: pure functions on plain structs. */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum sched_policy {
    SCHED_CYCLES,     /* busiest queues first, dealt to the cores there and back again */
    SCHED_ROUNDROBIN, /* in the order given, core after core */
    SCHED_GROUP       /* busiest queues first, each to the core with the least load so far */
};

struct sched_core {
    unsigned core, numa;
    /* Results. */
    bool isolated; /* takes pinned queues only */
    unsigned n_rxqs;
    uint64_t load; /* cycles of the queues assigned */
};
struct sched_rxq {
    unsigned numa;
    uint64_t cycles; /* measured; 0: not known yet */
    int pin;         /* core asked for by pmd-rxq-affinity, -1: none */
    /* Results. */
    int core;        /* index into the cores; -1: nobody may poll it */
    bool pin_failed; /* `pin` is no core of ours: treated as not pinned */
    bool other_numa; /* no core of its own node took it */
};

/* Assigns `rxqs` (any order; equal ones keep it) to `cores` (ascending).  `isolate`: a core
 * with a pinned queue takes no others; only SCHED_GROUP can do without. */
void pmd_sched_assign(enum sched_policy, bool isolate, struct sched_core *cores, size_t n_cores,
                      struct sched_rxq *rxqs, size_t n_rxqs);
/* How unequally the cores of node `numa` are loaded: the variance of their shares of `total`
 * cycles, in squares of a millionth.  Isolated cores do not count; without `total` it is 0. */
uint64_t
pmd_sched_variance(const struct sched_core *, size_t n_cores, unsigned numa, uint64_t total);
/* "cycles", "roundrobin", "group". */
bool pmd_sched_policy_parse(const char *, enum sched_policy *);
const char *pmd_sched_policy_name(enum sched_policy);
/* pmd-rxq-affinity, "QUEUE:CORE,QUEUE:CORE...": fills pins[0..n_rxq-1] (-1 where not named;
 * queues past n_rxq are ignored).  NULL or "": no pins.  False when malformed; all are -1 then.
 */
bool pmd_sched_affinity_parse(const char *, int *pins, unsigned n_rxq);

#endif
