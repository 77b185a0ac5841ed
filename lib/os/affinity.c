/* SPDX-License-Identifier: Apache-2.0 */
/* Core affinity.  PMD threads pin themselves; the PMD scheduler asks what is allowed.  Any
 * thread. */

#include "os/affinity.h"

#include <dirent.h>
#include <errno.h>
#include <pthread.h>
#include <sched.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "os/thread.h"
#include "util/xalloc.h"

#define MAX_CPUS 8192 /* the largest CONFIG_NR_CPUS of Linux */
#define SET_SZ CPU_ALLOC_SIZE(MAX_CPUS)

static cpu_set_t *allowed;   /* at the start: by the cpuset, and taskset, isolcpus= and so on */
static cpu_set_t *reachable; /* by the cpuset alone */
static cpu_set_t *unpinned;  /* what threads without a core of their own are set to */
static pthread_once_t allowed_once = PTHREAD_ONCE_INIT;

/* Threads that are tied to a core, by kernel thread id. */
static struct mutex pinned_mutex = MUTEX_INIT;
static pid_t *pinned GUARDED_BY(pinned_mutex);
static size_t n_pinned GUARDED_BY(pinned_mutex);

/* Asks once, for the whole process: pinning a thread later changes the answer for it.  Of a
 * mask with everything in it the kernel leaves what the cpuset admits.  It also remembers that
 * mask (Linux 6.2), so that a cpuset that grows later brings its cores, as it does to processes
 * that have never set one: hence it stays, unless somebody has restricted us. */
static void
read_allowed(void)
{
    allowed = xzalloc(SET_SZ);
    reachable = xzalloc(SET_SZ);
    unpinned = xmalloc(SET_SZ);
    memset(unpinned, 0xff, SET_SZ);
    if (sched_getaffinity(0, SET_SZ, allowed)) {
        CPU_SET_S(0, SET_SZ, allowed);
    }
    if (sched_setaffinity(0, SET_SZ, unpinned) || sched_getaffinity(0, SET_SZ, reachable)) {
        memcpy(reachable, allowed, SET_SZ);
    }
    if (!CPU_EQUAL_S(SET_SZ, allowed, reachable)) {
        memcpy(unpinned, allowed, SET_SZ);
        sched_setaffinity(0, SET_SZ, allowed);
    }
}

static bool
is_pinned(pid_t tid) REQUIRES(pinned_mutex)
{
    for (size_t i = 0; i < n_pinned; i++) {
        if (pinned[i] == tid) {
            return true;
        }
    }
    return false;
}

/* An ending thread's id may be another's soon. */
static void
forget_pinned(void)
{
    pid_t tid = gettid();

    mutex_lock(&pinned_mutex);
    for (size_t i = 0; i < n_pinned; i++) {
        if (pinned[i] == tid) {
            pinned[i] = pinned[--n_pinned];
            break;
        }
    }
    mutex_unlock(&pinned_mutex);
}

static void
note_pinned(void) REQUIRES(pinned_mutex)
{
    if (!is_pinned(gettid())) {
        pinned = xrealloc(pinned, (n_pinned + 1) * sizeof *pinned);
        pinned[n_pinned++] = gettid();
        thread_exit_hooks_arm();
    }
}

/* Before main() could have pinned anything. */
__attribute__((constructor)) static void
affinity_init(void)
{
    pthread_once(&allowed_once, read_allowed);
    thread_exit_hook_add(forget_pinned);
}

int
affinity_pin(unsigned cpu, char **errp)
{
    int error = EINVAL;

    if (cpu < MAX_CPUS) {
        cpu_set_t *set = xzalloc(SET_SZ);

        CPU_SET_S(cpu, SET_SZ, set);
        /* At once, so that affinity_keep_off() comes before both or after both. */
        mutex_lock(&pinned_mutex);
        error = pthread_setaffinity_np(pthread_self(), SET_SZ, set);
        if (!error) {
            note_pinned();
        }
        mutex_unlock(&pinned_mutex);
        CPU_FREE(set);
    }
    if (error) {
        error_set(errp, "cannot run on core %u: %s", cpu,
                  error == EINVAL ? "the core does not exist or is not allowed"
                                  : strerror(error));
    }
    return error;
}

bool
affinity_is_allowed(unsigned cpu)
{
    pthread_once(&allowed_once, read_allowed);
    return cpu < MAX_CPUS && CPU_ISSET_S(cpu, SET_SZ, allowed);
}

bool
affinity_can_pin(unsigned cpu)
{
    pthread_once(&allowed_once, read_allowed);
    return cpu < MAX_CPUS && CPU_ISSET_S(cpu, SET_SZ, reachable);
}

size_t
affinity_allowed(unsigned *cpus, size_t max)
{
    size_t n = 0;

    for (unsigned cpu = 0; cpu < MAX_CPUS; cpu++) {
        if (affinity_is_allowed(cpu)) {
            if (n < max) {
                cpus[n] = cpu;
            }
            n++;
        }
    }
    return n;
}

/* A thread that ends meanwhile is no loss. */
static void
move_unpinned(const cpu_set_t *set)
{
    const struct dirent *e;
    DIR *dir = opendir("/proc/self/task");

    mutex_lock(&pinned_mutex);
    while (dir && (e = readdir(dir))) {
        pid_t tid = (pid_t) strtol(e->d_name, NULL, 10);

        if (tid > 0 && !is_pinned(tid)) {
            sched_setaffinity(tid, SET_SZ, set);
        }
    }
    mutex_unlock(&pinned_mutex);
    if (dir) {
        closedir(dir);
    }
}

size_t
affinity_keep_off(const unsigned *cpus, size_t n)
{
    cpu_set_t *set = xmalloc(SET_SZ), *left = xzalloc(SET_SZ);
    size_t n_left;

    pthread_once(&allowed_once, read_allowed);
    memcpy(set, unpinned, SET_SZ);
    for (size_t i = 0; i < n; i++) {
        if (cpus[i] < MAX_CPUS) {
            CPU_CLR_S(cpus[i], SET_SZ, set);
        }
    }
    CPU_AND_S(SET_SZ, left, set, allowed);
    n_left = (size_t) CPU_COUNT_S(SET_SZ, left);
    move_unpinned(n_left ? set : unpinned);
    CPU_FREE(set);
    CPU_FREE(left);
    return n_left;
}
