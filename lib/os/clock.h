/* SPDX-License-Identifier: Apache-2.0 */
#ifndef XVS_OS_CLOCK_H
#define XVS_OS_CLOCK_H 1

/* Time.  Every time-out of the daemon reads this clock, so that tests can stop and warp it
 * (time/stop, time/warp) and see hours of ageing in milliseconds.  Any thread. */

#include <stdbool.h>
#include <stdint.h>
#if defined(__x86_64__)
#include <x86intrin.h>
#endif

int64_t clock_now_ms(void);    /* monotonic, virtual once stopped or warped */
int64_t clock_now_ns(void);
int64_t clock_wall_ms(void);   /* since 1970, virtual likewise */
int64_t clock_real_ns(void);   /* monotonic, never virtual: for measuring and real waits */

void clock_stop(void);               /* time/stop */
void clock_warp(int64_t ms);         /* time/warp: advance by `ms` at once */
bool clock_is_stopped(void);
/* `cb` runs on the warping (main) thread after every clock_warp(), so that other threads can be
 * woken to notice.  Subscriptions last for the life of the process. */
void clock_warp_subscribe(void (*cb)(void *aux), void *aux);

/* A cheap, constant-rate tick counter for cycle statistics; clock_cycles_hz() is its rate. */
static inline uint64_t clock_cycles(void)
{
#if defined(__x86_64__)
    return __rdtsc();
#elif defined(__aarch64__)
    uint64_t v;
    __asm__ __volatile__("mrs %0, cntvct_el0" : "=r"(v));
    return v;
#else
    return (uint64_t) clock_real_ns();
#endif
}
uint64_t clock_cycles_hz(void);

#endif
