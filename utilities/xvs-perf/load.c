/* SPDX-License-Identifier: Apache-2.0 */
/* One run of gen, count or trial: warm-up, measurement, and the frames still under way.  A
 * frame says which phase it was sent in, so "lost" is exact: measured frames sent minus
 * received once nothing arrives any more.  Prints one JSON object on one line. */

#include "perf.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "os/affinity.h"
#include "util/compiler.h"
#include "util/xalloc.h"

#define POLL_MS 20
#define DRAIN_QUIET_MS 60 /* this long without a frame: nothing is under way any more */
#define DRAIN_MAX_MS 3000

struct run {
    struct load_options o;
    struct gen gens[PERF_MAX_GENS];
    unsigned n_gens;
    struct counter counter;
    struct watch watch;
    double measured_s;
    struct watch_sample before, after;
    uint64_t received_during; /* the measurement: without what came while draining */
};

static double
now_s(void)
{
    struct timespec ts;

    clock_gettime(CLOCK_MONOTONIC, &ts);
    return (double) ts.tv_sec + (double) ts.tv_nsec / 1e9;
}

static void
sleep_ms(unsigned ms)
{
    struct timespec ts = {.tv_sec = ms / 1000, .tv_nsec = (long) (ms % 1000) * 1000000};

    nanosleep(&ts, NULL);
}

static uint64_t
sent(const struct run *r, enum perf_phase phase, bool bytes)
{
    uint64_t n = 0;

    for (unsigned i = 0; i < r->n_gens; i++) {
        const struct perf_gen_state *st = gen_state(&r->gens[i]);

        n += __atomic_load_n(bytes ? &st->sent_bytes[phase] : &st->sent[phase],
                             __ATOMIC_RELAXED);
    }
    return n;
}

/* Until `seconds` are over or every generator has sent its frames or failed. */
static void
wait_for(const struct run *r, double seconds)
{
    double end = now_s() + seconds;

    for (double left = seconds; left > 0; left = end - now_s()) {
        bool busy = !r->n_gens;

        for (unsigned i = 0; i < r->n_gens; i++) {
            const struct perf_gen_state *st = gen_state(&r->gens[i]);
            uint64_t n = __atomic_load_n(&st->sent[0], __ATOMIC_RELAXED) +
                         __atomic_load_n(&st->sent[1], __ATOMIC_RELAXED);

            busy = busy ||
                   (n < st->limit && !__atomic_load_n(&r->gens[i].error, __ATOMIC_RELAXED));
        }
        if (!busy) {
            break;
        }
        sleep_ms((unsigned) MIN(left * 1000 + 1, POLL_MS));
    }
}

static void
set_phase(const struct run *r, enum perf_phase phase)
{
    for (unsigned i = 0; i < r->n_gens; i++) {
        __atomic_store_n(&gen_state(&r->gens[i])->phase, phase, __ATOMIC_RELAXED);
    }
}

static int
drain(const struct run *r, char **errp)
{
    uint64_t last = UINT64_MAX;
    unsigned quiet_ms = 0;

    for (unsigned ms = 0; ms < DRAIN_MAX_MS && quiet_ms < DRAIN_QUIET_MS; ms += POLL_MS) {
        struct perf_count c;
        int error = counter_read(&r->counter, PERF_MEASURE, &c, errp);

        if (error) {
            return error;
        }
        quiet_ms = c.packets == last ? quiet_ms + POLL_MS : 0;
        last = c.packets;
        sleep_ms(POLL_MS);
    }
    return 0;
}

static int
run_open(struct run *r, char **errp)
{
    int error = 0;

    if (r->o.to.ifindex) {
        error = counter_open(&r->counter, &r->o, errp);
    }
    for (unsigned i = 0; !error && r->o.from.ifindex && i < r->o.n_cpus; i++) {
        error = gen_open(&r->gens[i], &r->o, i, errp);
        r->n_gens += !error;
    }
    if (!error && r->o.watch) {
        error = watch_open(&r->watch, r->o.watch, r->o.syscalls, errp);
    }
    return error;
}

static int
sample(const struct run *r, struct watch_sample *s, char **errp)
{
    return r->o.watch ? watch_read(&r->watch, s, errp) : 0;
}

static int
run_measure(struct run *r, char **errp)
{
    struct perf_count c = {0};
    int error = 0;

    if (!(r->o.warmup > 0)) {
        set_phase(r, PERF_MEASURE); /* the very first frame counts */
    }
    for (unsigned i = 0; !error && i < r->n_gens; i++) {
        error = gen_start(&r->gens[i], errp);
    }
    if (error) {
        return error;
    }
    wait_for(r, r->o.warmup);
    error = sample(r, &r->before, errp);
    double start = now_s();
    set_phase(r, PERF_MEASURE);
    if (!error) {
        wait_for(r, r->o.seconds);
    }
    for (unsigned i = 0; i < r->n_gens; i++) {
        __atomic_store_n(&gen_state(&r->gens[i])->stop, 1, __ATOMIC_RELEASE);
    }
    r->measured_s = now_s() - start;
    if (!error) {
        error = sample(r, &r->after, errp);
    }
    if (!error && r->o.to.ifindex) {
        error = counter_read(&r->counter, PERF_MEASURE, &c, errp);
        r->received_during = c.packets;
    }
    for (unsigned i = 0; i < r->n_gens; i++) {
        int stop_error = gen_stop(&r->gens[i], error ? NULL : errp);
        error = error ? error : stop_error;
    }
    return error ? error : r->o.to.ifindex ? drain(r, errp) : 0;
}

static void
print_latency(const struct perf_count *c, const uint64_t *buckets)
{
    static const double permille[] = {0, 500, 900, 990, 999, 999.9, 1000};
    static const char *const names[] = {"min", "p50", "p90", "p99", "p99.9", "p99.99", "max"};

    printf(", \"latency_ns\": {\"n\": %" PRIu64 ", \"mean\": %.0f", (uint64_t) c->latency_n,
           (double) c->latency_sum_ns / (double) c->latency_n);
    for (size_t i = 0; i < ARRAY_SIZE(permille); i++) {
        printf(", \"%s\": %" PRIu64, names[i], hist_percentile(buckets, permille[i]));
    }
    printf("}");
}

static int
print_received(const struct run *r, char **errp)
{
    struct perf_count warm, c;
    uint64_t buckets[PERF_HIST_BUCKETS];
    int error = counter_read(&r->counter, PERF_WARMUP, &warm, errp);

    error = error ? error : counter_read(&r->counter, PERF_MEASURE, &c, errp);
    if (error) {
        return error;
    }
    printf(", \"received\": %" PRIu64 ", \"received_bytes\": %" PRIu64
           ", \"received_warmup\": %" PRIu64 ", \"received_pps\": %.1f",
           (uint64_t) c.packets, (uint64_t) c.bytes, (uint64_t) warm.packets,
           (double) r->received_during / r->measured_s);
    if (r->n_gens) {
        uint64_t n_sent = sent(r, PERF_MEASURE, false);
        int64_t lost = (int64_t) (n_sent - c.packets);

        printf(", \"lost\": %" PRId64 ", \"loss\": %.6f", lost,
               n_sent ? (double) lost / (double) n_sent : 0.0);
    }
    if (r->o.check) {
        printf(", \"doubled\": %" PRIu64 ", \"reordered\": %" PRIu64,
               (uint64_t) (warm.doubled + c.doubled),
               (uint64_t) (warm.reordered + c.reordered));
    }
    if (c.latency_n) {
        error = counter_latencies(&r->counter, buckets, errp);
        if (!error) {
            print_latency(&c, buckets);
        }
    }
    return error;
}

static int
run_print(const struct run *r, char **errp)
{
    int error = 0;

    printf("{\"seconds\": %.6f", r->measured_s);
    if (r->n_gens) {
        uint64_t n = sent(r, PERF_MEASURE, false);

        printf(", \"sent\": %" PRIu64 ", \"sent_bytes\": %" PRIu64 ", \"sent_warmup\": %" PRIu64
               ", \"sent_pps\": %.1f",
               n, sent(r, PERF_MEASURE, true), sent(r, PERF_WARMUP, false),
               (double) n / r->measured_s);
    }
    if (r->o.to.ifindex) {
        error = print_received(r, errp);
    }
    if (r->o.watch) {
        double user_ms, system_ms;

        watch_cpu_time(&r->before, &r->after, &user_ms, &system_ms);
        printf(", \"user_ms\": %.2f, \"system_ms\": %.2f, \"rss_kb\": %" PRIu64
               ", \"huge_kb\": %" PRIu64,
               user_ms, system_ms, r->after.rss_kb, r->after.huge_kb);
        if (r->o.syscalls) {
            printf(", \"syscalls\": %" PRIu64, r->after.syscalls - r->before.syscalls);
        }
    }
    printf("}\n");
    return error;
}

int
cmd_load(int argc, char *argv[], bool gen, bool count)
{
    struct run *r = xzalloc(sizeof *r);
    char *reason = NULL;

    load_options_parse(argc, argv, gen, count, &r->o);
    r->counter.link_fd = -1;
    int error = run_open(r, &reason);
    if (r->n_gens) {
        /* This thread looks around 50 times a second: not on the core of whom it measures.
         * Where that fails, the generator's thread says so. */
        affinity_pin(r->o.cpus[0], NULL);
    }
    error = error ? error : run_measure(r, &reason);
    error = error ? error : run_print(r, &reason);
    if (error) {
        fprintf(stderr, "xvs-perf: %s\n", reason ? reason : strerror(error));
    }
    for (unsigned i = 0; i < r->n_gens; i++) {
        gen_close(&r->gens[i]);
    }
    counter_close(&r->counter);
    watch_close(&r->watch);
    free(reason);
    free(r);
    return error ? 1 : 0;
}
