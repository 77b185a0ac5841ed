/* SPDX-License-Identifier: Apache-2.0 */
#ifndef XVS_LOG_COVERAGE_H
#define XVS_LOG_COVERAGE_H 1

/* Named event counters, shown by coverage/show with rates.  Each thread counts in its own
 * memory (one plain increment, no atomics, no sharing); readers sum over threads.
 *
 *     COVERAGE_DEFINE(afxdp_tx_ring_full);      at file scope, once per program
 *     COVERAGE_INC(afxdp_tx_ring_full);         any thread
 *
 * Every drop of a packet has one, named drop_<where>_<why>. */

#include <stdbool.h>
#include <stdint.h>

#define COVERAGE_MAX 512

struct coverage_counter {
    const char *name;
    unsigned index;      /* into the per-thread array; assigned at registration */
};
void coverage_register(struct coverage_counter *);
extern _Thread_local uint64_t *coverage_mine;       /* COVERAGE_MAX slots, never NULL after: */
uint64_t *coverage_thread_init(void);

#define COVERAGE_DEFINE(NAME)                                                              \
    static struct coverage_counter coverage_##NAME = { .name = #NAME };                    \
    __attribute__((constructor)) static void coverage_register_##NAME(void)                \
    {                                                                                      \
        coverage_register(&coverage_##NAME);                                               \
    }                                                                                      \
    struct coverage_counter /* swallows the semicolon */
#define COVERAGE_ADD(NAME, N)  coverage_add__(&coverage_##NAME, N)
#define COVERAGE_INC(NAME)     COVERAGE_ADD(NAME, 1)

static inline void coverage_add__(const struct coverage_counter *c, uint64_t n)
{
    uint64_t *mine = coverage_mine;
    if (__builtin_expect(!mine, 0)) {
        mine = coverage_thread_init();
    }
    /* A relaxed store: other threads read it, only this one writes it. */
    __atomic_store_n(&mine[c->index], mine[c->index] + n, __ATOMIC_RELAXED);
}

/* Sum over all threads, also ended ones.  False: no such counter. */
bool coverage_read(const char *name, uint64_t *total);
/* Samples the rates; the main loop calls it about every 5 s. */
void coverage_sample(void);
/* Registers coverage/show and coverage/read-counter. */
void coverage_commands_register(void);

#endif
