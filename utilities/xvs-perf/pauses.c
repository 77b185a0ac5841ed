/* SPDX-License-Identifier: Apache-2.0 */
/* What a CPU is taken away for: a thread that only reads the clock notes each time it was kept
 * from doing so, by interrupts or by a hypervisor.  A packet that arrives meanwhile waits,
 * whatever the switch does: that wait is the least that a latency measured on this CPU can be.
 */

#include "perf.h"

#include <getopt.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "os/affinity.h"
#include "os/clock.h"
#include "util/num.h"
#include "util/xalloc.h"

#define PAUSE_MIN_NS 1000 /* less is the loop itself */
#define PAUSES_MAX 1000000u

struct pauses {
    uint64_t *ns; /* [PAUSES_MAX] */
    size_t n;
    uint64_t total_ns; /* of the measurement */
};

/* Ends early once the table is full. */
static void
measure(struct pauses *p, double seconds)
{
    int64_t start = clock_real_ns(), last = start, now;
    int64_t end = start + (int64_t) (seconds * 1e9);

    do {
        now = clock_real_ns();
        if (now - last >= PAUSE_MIN_NS) {
            p->ns[p->n++] = (uint64_t) (now - last);
        }
        last = now;
    } while (now < end && p->n < PAUSES_MAX);
    p->total_ns = (uint64_t) (now - start);
}

static int
longest_first(const void *a_, const void *b_)
{
    uint64_t a = *(const uint64_t *) a_, b = *(const uint64_t *) b_;

    return a < b ? 1 : a > b ? -1 : 0;
}

/* How long a packet waits that arrives at any time, with the same likelihood: the wait that
 * `permille` of 1000 do not exceed.  In a pause of g the waits are spread evenly over 0..g,
 * hence those above w take g - w of the time.  Needs the pauses sorted, longest first. */
static uint64_t
wait_percentile(const struct pauses *p, double permille)
{
    double above = (1 - permille / 1000) * (double) p->total_ns, sum = 0;

    for (size_t i = 0; i < p->n; i++) {
        uint64_t next = i + 1 < p->n ? p->ns[i + 1] : 0;

        sum += (double) p->ns[i];
        /* With w between this pause and the next shorter one, those above it take sum - count *
         * w of the time. */
        double w = (sum - above) / (double) (i + 1);
        if (w >= (double) next) {
            return w > 0 ? (uint64_t) w : 0;
        }
    }
    return 0;
}

int
cmd_pauses(int argc, char *argv[])
{
    static const struct option options[] = {{"cpu", required_argument, NULL, 'c'},
                                            {"seconds", required_argument, NULL, 's'},
                                            {NULL, 0, NULL, 0}};
    struct pauses p = {.n = 0};
    double seconds = 1, paused = 0;
    int option, cpu = -1;
    char *reason = NULL;
    bool ok = true;

    while ((option = getopt_long(argc, argv, "", options, NULL)) != -1) {
        if (option == 'c') {
            ok = num_parse_int(optarg, 0, 1023, &cpu) && ok;
        } else if (option == 's') {
            seconds = atof(optarg);
        } else {
            return 1;
        }
    }
    if (!ok || seconds <= 0 || optind < argc) {
        fprintf(stderr, "usage: xvs-perf pauses [--cpu=N] [--seconds=S]\n");
        return 1;
    }
    if (cpu >= 0 && affinity_pin((unsigned) cpu, &reason)) {
        fprintf(stderr, "xvs-perf: %s\n", reason);
        free(reason);
        return 1;
    }
    p.ns = xcalloc(PAUSES_MAX, sizeof *p.ns);
    measure(&p, seconds);
    qsort(p.ns, p.n, sizeof *p.ns, longest_first);
    for (size_t i = 0; i < p.n; i++) {
        paused += (double) p.ns[i];
    }
    printf("{\"seconds\": %.6f, \"pauses\": %zu, \"share\": %.6f, \"longest_ns\": %" PRIu64
           ", \"wait_ns\": {\"p50\": %" PRIu64 ", \"p90\": %" PRIu64 ", \"p99\": %" PRIu64
           ", \"p99.9\": %" PRIu64 "}}\n",
           (double) p.total_ns / 1e9, p.n, paused / (double) p.total_ns, p.n ? p.ns[0] : 0,
           wait_percentile(&p, 500), wait_percentile(&p, 900), wait_percentile(&p, 990),
           wait_percentile(&p, 999));
    free(p.ns);
    return 0;
}
