/* SPDX-License-Identifier: Apache-2.0 */
/* What the switch's process costs: CPU time of all its threads, user and system apart, resident
 * memory, and, by a program on the kernel's sys_enter tracepoint, its system calls.  The
 * process notices a microsecond for each of 4,000 samples a second, and a few nanoseconds per
 * call. */

#include "perf.h"

#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "bpf/perf_syscalls.skel.h"
#include "util/xalloc.h"

#define FEWEST_SAMPLES 100u

static int
count_syscalls(struct watch *w, char **errp)
{
    struct stat ns;
    int error = EIO;

    w->skel = perf_syscalls_bpf__open();
    if (w->skel && !stat("/proc/self/ns/pid", &ns)) {
        w->skel->rodata->sys_pid = (uint32_t) w->pid;
        w->skel->rodata->sys_ns_dev = ns.st_dev;
        w->skel->rodata->sys_ns_ino = ns.st_ino;
        error = -perf_syscalls_bpf__load(w->skel);
        if (!error) {
            error = -perf_syscalls_bpf__attach(w->skel);
        }
    }
    if (error) {
        error_set(errp, "cannot count system calls (%s)", strerror(error));
    }
    return error;
}

int
watch_open(struct watch *w, pid_t pid, bool syscalls, char **errp)
{
    struct watch_sample sample;

    *w = (struct watch){.pid = pid};
    int error = watch_read(w, &sample, errp);
    if (!error && syscalls) {
        error = count_syscalls(w, errp);
    }
    if (error) {
        watch_close(w);
    } else {
        w->split = cpu_split_open(pid);
    }
    return error;
}

static uint64_t
read_syscalls(const struct watch *w)
{
    int n_cpus = libbpf_num_possible_cpus();
    uint64_t *values = xcalloc((size_t) n_cpus, sizeof *values), sum = 0;
    uint32_t key = 0;

    if (!bpf_map_lookup_elem(bpf_map__fd(w->skel->maps.sys_calls), &key, values)) {
        for (int i = 0; i < n_cpus; i++) {
            sum += values[i];
        }
    }
    free(values);
    return sum;
}

static void
read_memory(pid_t pid, struct watch_sample *s)
{
    char path[64], line[256];
    FILE *f;

    snprintf(path, sizeof path, "/proc/%d/status", (int) pid);
    f = fopen(path, "re");
    if (!f) {
        return;
    }
    while (fgets(line, sizeof line, f)) {
        sscanf(line, "VmRSS: %" SCNu64, &s->rss_kb);
        sscanf(line, "HugetlbPages: %" SCNu64, &s->huge_kb);
    }
    fclose(f);
}

int
watch_read(const struct watch *w, struct watch_sample *s, char **errp)
{
    uint64_t user, sys, tick_ms = 1000 / (uint64_t) sysconf(_SC_CLK_TCK);
    char path[64], line[1024];
    const char *fields = NULL;
    FILE *f;

    memset(s, 0, sizeof *s);
    /* The process's own file sums over its threads, also over those that ended. */
    snprintf(path, sizeof path, "/proc/%d/stat", (int) w->pid);
    f = fopen(path, "re");
    if (f) {
        /* The name in parentheses may hold anything, parentheses too. */
        fields = fgets(line, sizeof line, f) ? strrchr(line, ')') : NULL;
        fclose(f);
    }
    if (!fields ||
        sscanf(fields, ") %*c %*d %*d %*d %*d %*d %*u %*u %*u %*u %*u %" SCNu64 " %" SCNu64,
               &user, &sys) != 2) {
        error_set(errp, "no process %d", (int) w->pid);
        return ESRCH;
    }
    s->user_ms = user * tick_ms;
    s->system_ms = sys * tick_ms;
    cpu_split_read(w->split, &s->user_samples, &s->kernel_samples);
    read_memory(w->pid, s);
    if (w->skel) {
        s->syscalls = read_syscalls(w);
    }
    return 0;
}

void
watch_cpu_time(const struct watch_sample *before, const struct watch_sample *after,
               double *user_ms, double *system_ms)
{
    uint64_t u = after->user_samples - before->user_samples;
    uint64_t k = after->kernel_samples - before->kernel_samples;

    *user_ms = (double) (after->user_ms - before->user_ms);
    *system_ms = (double) (after->system_ms - before->system_ms);
    if (u + k >= FEWEST_SAMPLES) {
        double sum = *user_ms + *system_ms;

        *user_ms = sum * (double) u / (double) (u + k);
        *system_ms = sum - *user_ms;
    }
}

void
watch_close(struct watch *w)
{
    cpu_split_close(w->split);
    perf_syscalls_bpf__destroy(w->skel);
    *w = (struct watch){.pid = 0};
}
