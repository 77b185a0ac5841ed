/* SPDX-License-Identifier: Apache-2.0 */
/* The clock of the daemon: real time plus a warp offset, or a frozen instant plus that offset.
 * Read by every thread without locks; stopped and warped by the main thread on request of the
 * test commands. */

#include "os/clock.h"

#include <stdatomic.h>
#include <stddef.h>
#include <time.h>

#include "os/thread.h"
#include "util/xalloc.h"

#define NS_PER_MS INT64_C(1000000)
#define NS_PER_S INT64_C(1000000000)

struct warp_subscriber {
    void (*cb)(void *aux);
    void *aux;
    struct warp_subscriber *next;
};

static _Atomic int64_t warped_ns;
/* Valid once `stopped` reads true (release in clock_stop(), acquire in the readers). */
static int64_t frozen_mono_ns;
static int64_t frozen_wall_ns;
static atomic_bool stopped;

static struct mutex subscribers_mutex = MUTEX_INIT;
static struct warp_subscriber *_Atomic subscribers;

/* A tick and time pair from program start, the base of the cycle rate. */
static uint64_t base_cycles;
static int64_t base_ns;

static int64_t
read_clock(clockid_t id)
{
    struct timespec ts = {0, 0};

    clock_gettime(id, &ts);
    return ts.tv_sec * NS_PER_S + ts.tv_nsec;
}

__attribute__((constructor)) static void
clock_base_init(void)
{
    base_ns = clock_real_ns();
    base_cycles = clock_cycles();
}

int64_t
clock_real_ns(void)
{
    return read_clock(CLOCK_MONOTONIC);
}

int64_t
clock_now_ns(void)
{
    int64_t warp = atomic_load_explicit(&warped_ns, memory_order_relaxed);

    if (atomic_load_explicit(&stopped, memory_order_acquire)) {
        return frozen_mono_ns + warp;
    }
    return clock_real_ns() + warp;
}

int64_t
clock_now_ms(void)
{
    return clock_now_ns() / NS_PER_MS;
}

int64_t
clock_wall_ms(void)
{
    int64_t warp = atomic_load_explicit(&warped_ns, memory_order_relaxed);

    if (atomic_load_explicit(&stopped, memory_order_acquire)) {
        return (frozen_wall_ns + warp) / NS_PER_MS;
    }
    return (read_clock(CLOCK_REALTIME) + warp) / NS_PER_MS;
}

void
clock_stop(void)
{
    if (!clock_is_stopped()) {
        frozen_mono_ns = clock_real_ns();
        frozen_wall_ns = read_clock(CLOCK_REALTIME);
        atomic_store_explicit(&stopped, true, memory_order_release);
    }
}

void
clock_warp(int64_t ms)
{
    struct warp_subscriber *s;

    if (ms > 0 && ms < INT64_MAX / NS_PER_MS / 4) {
        atomic_fetch_add_explicit(&warped_ns, ms * NS_PER_MS, memory_order_relaxed);
    }
    /* Acquire pairs with the release in clock_warp_subscribe(). */
    for (s = atomic_load_explicit(&subscribers, memory_order_acquire); s; s = s->next) {
        s->cb(s->aux);
    }
}

bool
clock_is_stopped(void)
{
    return atomic_load_explicit(&stopped, memory_order_acquire);
}

void
clock_warp_subscribe(void (*cb)(void *aux), void *aux)
{
    struct warp_subscriber *s = xzalloc(sizeof *s);

    s->cb = cb;
    s->aux = aux;
    mutex_lock(&subscribers_mutex);
    s->next = atomic_load_explicit(&subscribers, memory_order_relaxed);
    atomic_store_explicit(&subscribers, s, memory_order_release);
    mutex_unlock(&subscribers_mutex);
}

#if defined(__aarch64__)
static uint64_t
measure_hz(void)
{
    uint64_t hz;

    __asm__ __volatile__("mrs %0, cntfrq_el0" : "=r"(hz));
    return hz;
}
#elif defined(__x86_64__)
/* The tick rate against the monotonic clock, over at least 10 ms since program start: two reads
 * 100 ns apart err by 10 ppm then, and less the later the first call comes. */
static uint64_t
measure_hz(void)
{
    int64_t elapsed = clock_real_ns() - base_ns;

    if (elapsed < 10 * NS_PER_MS) {
        struct timespec ts = {0, 10 * NS_PER_MS - elapsed};

        nanosleep(&ts, NULL);
    }
    elapsed = clock_real_ns() - base_ns;
    return (uint64_t) ((double) (clock_cycles() - base_cycles) * NS_PER_S / MAX(elapsed, 1));
}
#else
static uint64_t
measure_hz(void)
{
    return NS_PER_S;
}
#endif

uint64_t
clock_cycles_hz(void)
{
    static _Atomic uint64_t cached;
    uint64_t hz = atomic_load_explicit(&cached, memory_order_relaxed);

    if (!hz) {
        hz = MAX(measure_hz(), 1);
        atomic_store_explicit(&cached, hz, memory_order_relaxed);
    }
    return hz;
}
