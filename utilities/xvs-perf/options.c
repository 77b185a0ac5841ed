/* SPDX-License-Identifier: Apache-2.0 */
/* The command line of gen, count and trial. */

#include "perf.h"

#include <errno.h>
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "os/affinity.h"
#include "util/num.h"
#include "util/xalloc.h"

/* "Simple IMIX": 7 small, 4 medium, 1 large. */
static const uint16_t imix[] = {64, 594, 64, 594, 64, 1518, 64, 594, 64, 594, 64, 64};

static void
fail(const char *format, const char *what)
{
    fprintf(stderr, "xvs-perf: ");
    fprintf(stderr, format, what);
    fprintf(stderr, "\n(xvs-perf --help shows the options)\n");
    exit(1);
}

static uint64_t
number(const char *text, uint64_t min, uint64_t max, const char *option)
{
    uint64_t n;

    if (!num_parse_u64(text, min, max, &n)) {
        fprintf(stderr, "xvs-perf: --%s: not a number from %llu to %llu: %s\n", option,
                (unsigned long long) min, (unsigned long long) max, text);
        exit(1);
    }
    return n;
}

static double
real(const char *text, double min, const char *option)
{
    char *end;
    double value = strtod(text, &end);

    if (end == text || *end || !(value >= min && value <= 1e12)) {
        fprintf(stderr, "xvs-perf: --%s: not a number from %g: %s\n", option, min, text);
        exit(1);
    }
    return value;
}

static void
parse_sizes(char *text, struct load_options *o)
{
    if (!strcmp(text, "imix")) {
        memcpy(o->sizes, imix, sizeof imix);
        o->n_sizes = sizeof imix / sizeof imix[0];
        return;
    }
    o->n_sizes = 0;
    for (char *save, *s = strtok_r(text, ",", &save); s; s = strtok_r(NULL, ",", &save)) {
        if (o->n_sizes == PERF_MAX_SIZES) {
            fail("--size: too many sizes: %s", s);
        }
        o->sizes[o->n_sizes++] = (uint16_t) number(s, PERF_SIZE_MIN, PERF_SIZE_MAX, "size");
    }
}

static void
parse_cpus(char *text, struct load_options *o)
{
    o->n_cpus = 0;
    for (char *save, *s = strtok_r(text, ",", &save); s; s = strtok_r(NULL, ",", &save)) {
        if (o->n_cpus == PERF_MAX_GENS) {
            fail("--cpus: too many generators: %s", s);
        }
        o->cpus[o->n_cpus++] = (unsigned) number(s, 0, 1023, "cpus");
    }
}

enum {
    OPT_FROM = 256,
    OPT_TO,
    OPT_FLOWS,
    OPT_VARY,
    OPT_SET,
    OPT_VLAN,
    OPT_SIZE,
    OPT_CPUS,
    OPT_RATE,
    OPT_BURST,
    OPT_FRAMES,
    OPT_SECONDS,
    OPT_WARMUP,
    OPT_RANDOM,
    OPT_STAMP,
    OPT_CHECK,
    OPT_HOOK,
    OPT_WATCH,
    OPT_SYSCALLS,
};
static const struct option long_options[] = {
    {"from", required_argument, NULL, OPT_FROM},
    {"to", required_argument, NULL, OPT_TO},
    {"flows", required_argument, NULL, OPT_FLOWS},
    {"vary", required_argument, NULL, OPT_VARY},
    {"set", required_argument, NULL, OPT_SET},
    {"vlan", required_argument, NULL, OPT_VLAN},
    {"size", required_argument, NULL, OPT_SIZE},
    {"cpus", required_argument, NULL, OPT_CPUS},
    {"rate", required_argument, NULL, OPT_RATE},
    {"burst", required_argument, NULL, OPT_BURST},
    {"frames", required_argument, NULL, OPT_FRAMES},
    {"seconds", required_argument, NULL, OPT_SECONDS},
    {"warmup", required_argument, NULL, OPT_WARMUP},
    {"random", no_argument, NULL, OPT_RANDOM},
    {"latency", no_argument, NULL, OPT_STAMP},
    {"check", no_argument, NULL, OPT_CHECK},
    {"hook", required_argument, NULL, OPT_HOOK},
    {"watch", required_argument, NULL, OPT_WATCH},
    {"syscalls", no_argument, NULL, OPT_SYSCALLS},
    {NULL, 0, NULL, 0},
};

/* Options that take another form than a number or a flag. */
static void
parse_structured(int option, char *text, struct load_options *o)
{
    char *reason = NULL;
    int error = 0;

    switch (option) {
    case OPT_FROM:
        error = endpoint_parse(text, &o->from, &reason);
        break;
    case OPT_TO:
        error = endpoint_parse(text, &o->to, &reason);
        break;
    case OPT_VARY:
        error = flow_plan_vary(&o->flows, text, &reason);
        break;
    case OPT_SET:
        error = flow_plan_set(&o->flows, text, &reason);
        break;
    case OPT_SIZE:
        parse_sizes(text, o);
        break;
    case OPT_CPUS:
        parse_cpus(text, o);
        break;
    case OPT_HOOK:
        o->tc = !strcmp(text, "tc");
        if (!o->tc && strcmp(text, "xdp")) {
            fail("--hook: xdp or tc, not %s", text);
        }
        break;
    default:
        exit(1); /* getopt_long() has said why */
    }
    if (error) {
        fail("%s", reason);
    }
}

static void
parse_one(int option, char *text, struct load_options *o)
{
    switch (option) {
    case OPT_FLOWS:
        o->flows.n = (uint32_t) number(text, 1, 1000000, "flows");
        break;
    case OPT_VLAN:
        o->flows.vlan = (int) number(text, 0, 4095, "vlan");
        break;
    case OPT_RATE:
        o->rate = real(text, 0, "rate");
        break;
    case OPT_BURST:
        o->burst = (uint32_t) number(text, 1, 256, "burst");
        break;
    case OPT_FRAMES:
        o->frames = number(text, 1, UINT32_MAX, "frames");
        break;
    case OPT_SECONDS:
        o->seconds = real(text, 0.001, "seconds");
        break;
    case OPT_WARMUP:
        o->warmup = real(text, 0, "warmup");
        break;
    case OPT_RANDOM:
        o->random = true;
        break;
    case OPT_STAMP:
        o->stamp = true;
        break;
    case OPT_CHECK:
        o->check = true;
        break;
    case OPT_WATCH:
        o->watch = (pid_t) number(text, 1, INT32_MAX, "watch");
        break;
    case OPT_SYSCALLS:
        o->syscalls = true;
        break;
    default:
        parse_structured(option, text, o);
    }
}

void
load_options_parse(int argc, char *argv[], bool gen, bool count, struct load_options *o)
{
    int option;

    *o = (struct load_options){
        .sizes = {PERF_SIZE_MIN},
        .n_sizes = 1,
        .n_cpus = 1,
        .burst = 1,
        .frames = UINT64_MAX,
        .seconds = 1,
    };
    affinity_allowed(o->cpus, 1);
    flow_plan_init(&o->flows);
    while ((option = getopt_long(argc, argv, "", long_options, NULL)) != -1) {
        parse_one(option, optarg, o);
    }
    if (optind < argc) {
        fail("unexpected argument: %s", argv[optind]);
    }
    if (gen != (o->from.ifindex != 0)) {
        fail("%s", gen ? "--from is missing" : "--from: count only receives");
    }
    if (count != (o->to.ifindex != 0)) {
        fail("%s", count ? "--to is missing" : "--to: gen only sends");
    }
    if (o->check && (!gen || o->frames > 1u << 26)) {
        fail("%s", "--check needs a trial of a bounded number of --frames, 67108864 at most");
    }
    if (o->flows.vlan >= 0) {
        for (unsigned i = 0; i < o->n_sizes; i++) {
            o->sizes[i] = o->sizes[i] < PERF_SIZE_MIN + 4 ? PERF_SIZE_MIN + 4 : o->sizes[i];
        }
    }
    if (!o->n_sizes || !o->n_cpus) {
        fail("%s", "--size and --cpus need a value");
    }
}
