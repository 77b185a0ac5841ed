/* SPDX-License-Identifier: Apache-2.0 */
/* One generator: a thread that sits in a single BPF_PROG_TEST_RUN call, in which the kernel
 * runs bpf/perf_gen.bpf.c on live frames until a signal ends it (setting such a call up costs
 * tens of milliseconds, so there is one for a whole run).  Steered through the program's state,
 * which is mapped here.  Several generators share flows, rate and frames evenly. */

#include "perf.h"

#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <errno.h>
#include <linux/if_ether.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include "bpf/perf_gen.skel.h"
#include "os/affinity.h"
#include "util/compiler.h"
#include "util/xalloc.h"

#define BATCH_FLOOD 64u /* frames between two flushes: veth's ring takes 256 */
#define BATCH_PACED 8u  /* small, so that a frame leaves soon after its stamp */

static void
interrupted(int sig)
{
    /* Only to make the system call return. */
}

/* Of `total`, what generator `no` of `n` gets; the first ones take the remainder. */
static uint64_t
share(uint64_t total, unsigned no, unsigned n)
{
    return total / n + (no < total % n);
}

static void
configure(struct gen *g, const struct load_options *o, unsigned no, uint32_t n_flows)
{
    struct perf_gen_bpf__rodata *ro = g->skel->rodata;
    uint64_t first_flow = 0, first_seq = 0;

    for (unsigned i = 0; i < no; i++) {
        first_flow += share(o->flows.n, i, o->n_cpus);
        first_seq += o->frames == UINT64_MAX ? 0 : share(o->frames, i, o->n_cpus);
    }
    ro->gen_ifindex = (uint32_t) o->from.ifindex;
    ro->gen_n_flows = n_flows;
    ro->gen_flow_base = (uint32_t) first_flow;
    ro->gen_seq_base = (uint32_t) first_seq;
    ro->gen_burst = o->burst;
    ro->gen_tagged = o->flows.vlan >= 0;
    ro->gen_random = o->random;
    ro->gen_stamp = o->stamp;
    if (o->rate > 0) {
        ro->gen_interval_q8 = (uint64_t) (256e9 * o->burst * o->n_cpus / o->rate);
    }
    g->frame_len = 0;
    for (unsigned i = 0; i < o->n_sizes; i++) {
        ro->gen_sizes[i] = (uint16_t) (o->sizes[i] - PERF_FCS_LEN);
        g->frame_len = MAX(g->frame_len, ro->gen_sizes[i]);
    }
    ro->gen_n_sizes = o->n_sizes > 1 ? o->n_sizes : 0;
    ro->gen_frame_len = g->frame_len;
    g->skel->bss->gen_state.limit =
        o->frames == UINT64_MAX ? UINT64_MAX : share(o->frames, no, o->n_cpus);
}

static int
fill_flows(struct gen *g, const struct flow_plan *plan, uint32_t n, char **errp)
{
    size_t size = ROUND_UP((size_t) n * sizeof(struct perf_flow), 4096);
    struct perf_flow *flows = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED,
                                   bpf_map__fd(g->skel->maps.gen_flows), 0);

    if (flows == MAP_FAILED) {
        int error = errno;
        error_set(errp, "cannot map the table of flows (%s)", strerror(error));
        return error;
    }
    for (uint32_t i = 0; i < n; i++) {
        flow_plan_get(plan, g->skel->rodata->gen_flow_base + i, &flows[i]);
    }
    munmap(flows, size);
    return 0;
}

int
gen_open(struct gen *g, const struct load_options *o, unsigned no, char **errp)
{
    uint32_t n_flows = (uint32_t) share(o->flows.n, no, o->n_cpus);
    int error;

    *g = (struct gen){.options = o, .cpu = o->cpus[no]};
    if (!n_flows) {
        error_set(errp, "fewer flows than generators");
        return EINVAL;
    }
    g->skel = perf_gen_bpf__open();
    if (!g->skel) {
        error = errno;
        error_set(errp, "cannot open the generator's program (%s)", strerror(error));
        return error;
    }
    configure(g, o, no, n_flows);
    error = -bpf_map__set_max_entries(g->skel->maps.gen_flows, n_flows);
    if (!error) {
        error = -perf_gen_bpf__load(g->skel);
    }
    if (error) {
        error_set(errp, "cannot load the generator's program (%s)%s", strerror(error),
                  error == EPERM ? ": root is needed" : "");
    } else {
        error = fill_flows(g, &o->flows, n_flows, errp);
    }
    if (error) {
        gen_close(g);
        return error;
    }
    g->frame = xzalloc(g->frame_len);
    flow_plan_template(&o->flows, g->frame, g->frame_len);
    return 0;
}

struct perf_gen_state *
gen_state(const struct gen *g)
{
    return &g->skel->bss->gen_state;
}

static void *
gen_thread(void *aux)
{
    struct gen *g = aux;
    DECLARE_LIBBPF_OPTS(bpf_test_run_opts, opts, .data_in = g->frame,
                        .data_size_in = g->frame_len, .repeat = -1 /* 2^32 - 1 */,
                        .flags = BPF_F_TEST_XDP_LIVE_FRAMES,
                        .batch_size = g->options->rate > 0 ? BATCH_PACED : BATCH_FLOOD);
    char *reason = NULL;
    int back;

    g->error = affinity_pin(g->cpu, NULL);
    if (!g->error) {
        g->error = endpoint_enter(&g->options->from, &back, &reason);
    }
    while (!g->error && !__atomic_load_n(&gen_state(g)->stop, __ATOMIC_ACQUIRE)) {
        int fd = bpf_program__fd(g->skel->progs.perf_gen);

        /* A libbpf function: returns what errno is, negated. */
        int error = -bpf_prog_test_run_opts(fd, &opts);
        g->error = error == EINTR ? 0 : error;
    }
    free(reason);
    return NULL;
}

int
gen_start(struct gen *g, char **errp)
{
    struct sigaction sa = {.sa_handler = interrupted};

    sigaction(SIGUSR1, &sa, NULL);
    int error = pthread_create(&g->thread, NULL, gen_thread, g);
    if (error) {
        error_set(errp, "cannot start a thread (%s)", strerror(error));
        return error;
    }
    g->running = true;
    return 0;
}

int
gen_stop(struct gen *g, char **errp)
{
    if (!g->running) {
        return 0;
    }
    __atomic_store_n(&gen_state(g)->stop, 1, __ATOMIC_RELEASE);
    /* The signal may come before the call is entered: until the thread is gone, again. */
    for (;;) {
        struct timespec until;

        pthread_kill(g->thread, SIGUSR1);
        clock_gettime(CLOCK_REALTIME, &until);
        until.tv_nsec += 20000000;
        until.tv_sec += until.tv_nsec / 1000000000;
        until.tv_nsec %= 1000000000;
        if (pthread_timedjoin_np(g->thread, NULL, &until) != ETIMEDOUT) {
            break;
        }
    }
    g->running = false;
    if (g->error) {
        error_set(errp, "the generator on CPU %u failed (%s)", g->cpu, strerror(g->error));
    }
    return g->error;
}

void
gen_close(struct gen *g)
{
    gen_stop(g, NULL);
    perf_gen_bpf__destroy(g->skel);
    free(g->frame);
    *g = (struct gen){.skel = NULL};
}
