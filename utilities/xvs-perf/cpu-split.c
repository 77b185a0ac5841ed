/* SPDX-License-Identifier: Apache-2.0 */
/* Where a process spends its CPU time, user space or kernel, told by samples of its threads.
 * The kernel's own split comes from its timer tick, 250 samples a second on many machines: too
 * few for a switch that spends one part in thirty in user space.  Each thread that there is at
 * the start gets a software clock event (perf_event_open(2)) whose records carry nothing but
 * the mode. */

#include "perf.h"

#include <dirent.h>
#include <errno.h>
#include <linux/perf_event.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "util/xalloc.h"

/* No multiple of usual timers' periods.  One sample takes about a microsecond of the thread. */
#define SAMPLE_PERIOD_NS 251000u
#define RING_SZ                                                                                \
    (512u * 1024) /* 16 seconds of a thread that never sleeps; what comes later is             \
                   * dropped by the kernel, in either mode alike */

struct thread_samples {
    int fd;
    void *map; /* a page of state, then the ring */
    uint64_t tail;
    uint64_t user, kernel;
};

struct cpu_split {
    struct thread_samples *threads;
    size_t n;
    size_t page_sz;
};

static int
sample_thread(struct cpu_split *s, pid_t tid)
{
    struct perf_event_attr attr = {
        .type = PERF_TYPE_SOFTWARE,
        .size = sizeof attr,
        .config = PERF_COUNT_SW_CPU_CLOCK,
        .sample_period = SAMPLE_PERIOD_NS,
    };
    struct thread_samples t = {
        .fd = (int) syscall(SYS_perf_event_open, &attr, tid, -1, -1, PERF_FLAG_FD_CLOEXEC),
    };

    if (t.fd < 0) {
        return errno;
    }
    t.map = mmap(NULL, s->page_sz + RING_SZ, PROT_READ | PROT_WRITE, MAP_SHARED, t.fd, 0);
    if (t.map == MAP_FAILED) {
        int error = errno;

        close(t.fd);
        return error;
    }
    s->threads = xrealloc(s->threads, (s->n + 1) * sizeof *s->threads);
    s->threads[s->n++] = t;
    return 0;
}

struct cpu_split *
cpu_split_open(pid_t pid)
{
    struct cpu_split *s = xzalloc(sizeof *s);
    char path[64];
    struct dirent *e;
    int error = 0;
    DIR *dir;

    s->page_sz = (size_t) sysconf(_SC_PAGESIZE);
    snprintf(path, sizeof path, "/proc/%d/task", (int) pid);
    dir = opendir(path);
    while (dir && (!error || error == ESRCH) && (e = readdir(dir))) {
        if (e->d_name[0] != '.') {
            error = sample_thread(s, (pid_t) strtol(e->d_name, NULL, 10));
        }
    }
    if (dir) {
        closedir(dir);
    }
    /* Some threads are not enough to judge the process by. */
    if ((error && error != ESRCH) || !s->n) {
        cpu_split_close(s);
        return NULL;
    }
    return s;
}

static void
read_ring(struct cpu_split *s, struct thread_samples *t)
{
    struct perf_event_mmap_page *state = t->map;
    const uint8_t *ring = (const uint8_t *) t->map + s->page_sz;
    /* Acquire: the records before the head are written. */
    uint64_t head =
        atomic_load_explicit((_Atomic __u64 *) &state->data_head, memory_order_acquire);

    /* Records are multiples of 8 bytes, so that a header never wraps around. */
    while (t->tail < head) {
        struct perf_event_header h;

        memcpy(&h, ring + t->tail % RING_SZ, sizeof h);
        if (h.type == PERF_RECORD_SAMPLE) {
            bool user = (h.misc & PERF_RECORD_MISC_CPUMODE_MASK) == PERF_RECORD_MISC_USER;

            t->user += user;
            t->kernel += !user;
        }
        t->tail += h.size ? h.size : head - t->tail;
    }
    /* Release: they were read. */
    atomic_store_explicit((_Atomic __u64 *) &state->data_tail, t->tail, memory_order_release);
}

void
cpu_split_read(struct cpu_split *s, uint64_t *user, uint64_t *kernel)
{
    *user = *kernel = 0;
    for (size_t i = 0; s && i < s->n; i++) {
        read_ring(s, &s->threads[i]);
        *user += s->threads[i].user;
        *kernel += s->threads[i].kernel;
    }
}

void
cpu_split_close(struct cpu_split *s)
{
    if (!s) {
        return;
    }
    for (size_t i = 0; i < s->n; i++) {
        munmap(s->threads[i].map, s->page_sz + RING_SZ);
        close(s->threads[i].fd);
    }
    free(s->threads);
    free(s);
}
