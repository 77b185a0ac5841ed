/* SPDX-License-Identifier: Apache-2.0 */
/* The receiver: attaches bpf/perf_count.bpf.c to the far device, at the XDP hook (what a frame
 * that no stack has seen needs) or at tc ingress (cheaper for what comes as an skb), and reads
 * its counters.  Main thread. */

#include "perf.h"

#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <errno.h>
#include <linux/if_link.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "bpf/perf_count.skel.h"
#include "util/compiler.h"
#include "util/xalloc.h"

static int
attach_xdp(struct counter *c, char **errp)
{
    DECLARE_LIBBPF_OPTS(bpf_link_create_opts, opts, .flags = XDP_FLAGS_DRV_MODE);
    int prog_fd = bpf_program__fd(c->skel->progs.perf_count_xdp);
    int ifindex = c->options->to.ifindex, fd;

    fd = bpf_link_create(prog_fd, ifindex, BPF_XDP, &opts);
    if (fd == -EOPNOTSUPP || fd == -EINVAL) { /* no driver support, or an MTU too large */
        opts.flags = XDP_FLAGS_SKB_MODE;
        fd = bpf_link_create(prog_fd, ifindex, BPF_XDP, &opts);
    }
    if (fd < 0) {
        error_set(errp, "cannot attach to %s (%s)", c->options->to.dev, strerror(-fd));
        return -fd;
    }
    c->link_fd = fd;
    return 0;
}

/* The device's clsact qdisc may be somebody else's already: then only the filter is ours. */
static int
attach_tc(struct counter *c, char **errp)
{
    DECLARE_LIBBPF_OPTS(bpf_tc_hook, hook, .ifindex = c->options->to.ifindex,
                        .attach_point = BPF_TC_INGRESS);
    DECLARE_LIBBPF_OPTS(bpf_tc_opts, opts,
                        .prog_fd = bpf_program__fd(c->skel->progs.perf_count_tc));
    int error = -bpf_tc_hook_create(&hook);

    c->tc_hook = !error;
    if (!error || error == EEXIST) {
        error = -bpf_tc_attach(&hook, &opts);
        if (!error) {
            c->tc_handle = opts.handle;
            c->tc_priority = opts.priority;
        }
    }
    if (error) {
        error_set(errp, "cannot attach to %s at tc ingress (%s)", c->options->to.dev,
                  strerror(error));
    }
    return error;
}

static void
detach_tc(struct counter *c)
{
    DECLARE_LIBBPF_OPTS(bpf_tc_hook, hook, .ifindex = c->options->to.ifindex,
                        .attach_point = BPF_TC_INGRESS);
    DECLARE_LIBBPF_OPTS(bpf_tc_opts, opts, .handle = c->tc_handle, .priority = c->tc_priority);

    if (c->tc_handle) {
        bpf_tc_detach(&hook, &opts);
    }
    if (c->tc_hook) {
        hook.attach_point = BPF_TC_INGRESS | BPF_TC_EGRESS;
        bpf_tc_hook_destroy(&hook);
    }
}

int
counter_open(struct counter *c, const struct load_options *o, char **errp)
{
    int back, error;

    *c = (struct counter){.options = o, .link_fd = -1, .n_cpus = libbpf_num_possible_cpus()};
    c->skel = perf_count_bpf__open();
    if (!c->skel) {
        error = errno;
        error_set(errp, "cannot open the counter's program (%s)", strerror(error));
        return error;
    }
    if (o->check) {
        c->skel->rodata->count_check = 1;
        bpf_map__set_max_entries(c->skel->maps.flow_next, o->flows.n);
        bpf_map__set_max_entries(c->skel->maps.seqs,
                                 (uint32_t) DIV_ROUND_UP(o->frames, PERF_SEQ_BLOCK));
    }
    error = -perf_count_bpf__load(c->skel);
    if (error) {
        error_set(errp, "cannot load the counter's program (%s)%s", strerror(error),
                  error == EPERM ? ": root is needed" : "");
    } else {
        error = endpoint_enter(&o->to, &back, errp);
    }
    if (!error) {
        error = o->tc ? attach_tc(c, errp) : attach_xdp(c, errp);
        endpoint_leave(back);
    }
    if (error) {
        counter_close(c);
    }
    return error;
}

int
counter_read(const struct counter *c, enum perf_phase phase, struct perf_count *sum,
             char **errp)
{
    struct perf_count *values = xcalloc((size_t) c->n_cpus, sizeof *values);
    uint32_t key = phase;
    int error = 0;

    memset(sum, 0, sizeof *sum);
    if (bpf_map_lookup_elem(bpf_map__fd(c->skel->maps.counts), &key, values)) {
        error = errno;
        error_set(errp, "cannot read the counters (%s)", strerror(error));
    }
    for (int i = 0; !error && i < c->n_cpus; i++) {
        sum->packets += values[i].packets;
        sum->bytes += values[i].bytes;
        sum->reordered += values[i].reordered;
        sum->doubled += values[i].doubled;
        sum->latency_n += values[i].latency_n;
        sum->latency_sum_ns += values[i].latency_sum_ns;
    }
    free(values);
    return error;
}

int
counter_latencies(const struct counter *c, uint64_t buckets[PERF_HIST_BUCKETS], char **errp)
{
    uint64_t *values = xcalloc((size_t) c->n_cpus, sizeof *values);
    int error = 0;

    for (uint32_t key = 0; !error && key < PERF_HIST_BUCKETS; key++) {
        if (bpf_map_lookup_elem(bpf_map__fd(c->skel->maps.latencies), &key, values)) {
            error = errno;
            error_set(errp, "cannot read the latencies (%s)", strerror(error));
            break;
        }
        buckets[key] = 0;
        for (int i = 0; i < c->n_cpus; i++) {
            buckets[key] += values[i];
        }
    }
    free(values);
    return error;
}

void
counter_close(struct counter *c)
{
    if (c->link_fd >= 0) {
        close(c->link_fd);
    }
    if (c->tc_handle || c->tc_hook) {
        int back;

        if (!endpoint_enter(&c->options->to, &back, NULL)) {
            detach_tc(c);
            endpoint_leave(back);
        }
    }
    perf_count_bpf__destroy(c->skel);
    *c = (struct counter){.link_fd = -1};
}
