/* SPDX-License-Identifier: Apache-2.0 */
#ifndef XVS_PERF_PERF_H
#define XVS_PERF_PERF_H 1

/* xvs-perf: measures a switch from outside, by frames that the kernel sends and counts.
 *
 *   main.c      the subcommands
 *   options.c   the command line of gen, count and trial
 *   load.c      one run of those: warm-up, measurement, what it came to as JSON
 *   flows.c     headers of each flow
 *   gen.c       a generator: one XDP program, run by the kernel on one CPU
 *   count.c     the receiver: an XDP or tc program on the far device
 *   hist.c      percentiles
 *   watch.c     CPU time, memory and system calls of the switch's process
 *   cpu-split.c its CPU time, user space and kernel apart, by samples
 *   endpoint.c  devices in other network namespaces
 *   pingpong.c  request and response over sockets
 *   forward.c   a forwarder that looks at nothing, to compare with
 *   pauses.c    how long a CPU is taken away from a thread
 *
 * All functions return 0 or a positive errno with a sentence in *errp. */

#include <linux/types.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "bpf/perf_frame.h"

#define PERF_MAX_GENS 16u
#define PERF_MAX_SIZES 12u
#define PERF_FCS_LEN 4u /* what the size of a frame counts and memory does not hold */
#define PERF_SIZE_MIN 64u
#define PERF_SIZE_MAX 3400u

/* -- endpoint.c -- */

struct endpoint {
    char ns[64]; /* name of a network namespace, or "": this one */
    char dev[16];
    int ifindex; /* 0: endpoint not wanted */
};
/* "[NS/]DEV". */
int endpoint_parse(const char *, struct endpoint *, char **errp);
/* Moves the calling thread into the endpoint's namespace; `*back` is for endpoint_leave(). */
int endpoint_enter(const struct endpoint *, int *back, char **errp);
void endpoint_leave(int back);

/* -- flows.c -- */

enum flow_field { FF_DMAC, FF_SMAC, FF_SIP, FF_DIP, FF_SPORT, FF_DPORT, FF_N };
/* In flow i, the field is base + step * ((i / div) % count). */
struct flow_vary {
    uint64_t base;
    uint32_t step, count, div; /* count 1: constant */
};
struct flow_plan {
    uint32_t n; /* flows */
    struct flow_vary field[FF_N];
    int vlan; /* -1: untagged */
};
void flow_plan_init(struct flow_plan *);
/* "FIELD[:STEP[:COUNT[:DIV]]]" makes a field vary, "FIELD=VALUE" sets its first value. */
int flow_plan_vary(struct flow_plan *, const char *, char **errp);
int flow_plan_set(struct flow_plan *, const char *, char **errp);
void flow_plan_get(const struct flow_plan *, uint32_t i, struct perf_flow *);
/* A frame of `len` bytes whose headers the program completes. */
void flow_plan_template(const struct flow_plan *, uint8_t *frame, uint32_t len);

/* -- options.c -- */

struct load_options {
    struct endpoint from, to;
    struct flow_plan flows;
    uint16_t sizes[PERF_MAX_SIZES]; /* with frame check sequence */
    unsigned n_sizes;
    unsigned cpus[PERF_MAX_GENS]; /* a generator each */
    unsigned n_cpus;
    double rate; /* frames/s of all generators; 0: flood */
    uint32_t burst;
    uint64_t frames; /* of all generators; UINT64_MAX: no limit */
    double seconds, warmup;
    bool random, stamp, check, tc;
    pid_t watch; /* process to watch; 0: none */
    bool syscalls;
};
/* Exits with usage on errors. */
void load_options_parse(int argc, char *argv[], bool gen, bool count, struct load_options *);

/* -- gen.c -- */

struct gen {
    struct perf_gen_bpf *skel;
    const struct load_options *options;
    unsigned cpu;
    uint8_t *frame;
    uint32_t frame_len;
    pthread_t thread;
    bool running;
    int error; /* of the thread */
};
/* Generator `no` of options->n_cpus: takes that share of flows, rate and frames. */
int gen_open(struct gen *, const struct load_options *, unsigned no, char **errp);
int gen_start(struct gen *, char **errp);
/* The program's state, shared with it. */
struct perf_gen_state *gen_state(const struct gen *);
int gen_stop(struct gen *, char **errp); /* waits for the thread */
void gen_close(struct gen *);

/* -- count.c -- */

struct counter {
    struct perf_count_bpf *skel;
    const struct load_options *options;
    int link_fd;                     /* XDP; -1: not attached there */
    uint32_t tc_handle, tc_priority; /* of our filter; 0: none */
    bool tc_hook;                    /* the qdisc is ours too */
    int n_cpus;                      /* values of a per-CPU map */
};
int counter_open(struct counter *, const struct load_options *, char **errp);
int counter_read(const struct counter *, enum perf_phase, struct perf_count *, char **errp);
int counter_latencies(const struct counter *, uint64_t buckets[PERF_HIST_BUCKETS], char **errp);
void counter_close(struct counter *);

/* -- hist.c -- */

/* The middle of what falls into a bucket. */
uint64_t hist_value(unsigned bucket);
/* The value that `permille` of 1000 are not above; 0 if there is none at all. */
uint64_t hist_percentile(const uint64_t *buckets, double permille);

/* -- cpu-split.c -- */

struct cpu_split;
/* Samples the threads that the process has now; NULL where the kernel does not let us. */
struct cpu_split *cpu_split_open(pid_t);
/* How many samples found a thread in user space and in the kernel since then; NULL: none did.
 */
void cpu_split_read(struct cpu_split *, uint64_t *user, uint64_t *kernel);
void cpu_split_close(struct cpu_split *);

/* -- watch.c -- */

struct watch_sample {
    uint64_t user_ms, system_ms; /* as the kernel's timer tick splits them */
    uint64_t user_samples, kernel_samples;
    uint64_t rss_kb, huge_kb, syscalls;
};
struct watch {
    pid_t pid;
    struct perf_syscalls_bpf *skel; /* NULL: system calls are not counted */
    struct cpu_split *split;        /* NULL: no samples */
};
int watch_open(struct watch *, pid_t, bool syscalls, char **errp);
int watch_read(const struct watch *, struct watch_sample *, char **errp);
/* The CPU time between two samples, in ms: their sum is the scheduler's, which is exact; what
 * of it was in user space is told by samples if there are some, and by the timer tick
 * otherwise. */
void watch_cpu_time(const struct watch_sample *before, const struct watch_sample *after,
                    double *user_ms, double *system_ms);
void watch_close(struct watch *);

/* -- Subcommands -- */

int cmd_load(int argc, char *argv[], bool gen, bool count);
int cmd_pingpong(int argc, char *argv[]);
int cmd_forward(int argc, char *argv[]);
int cmd_pauses(int argc, char *argv[]);

#endif
