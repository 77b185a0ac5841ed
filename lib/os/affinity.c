/* SPDX-License-Identifier: Apache-2.0 */
/* Core affinity.  PMD threads pin themselves; the PMD scheduler asks what is allowed.  Any
 * thread. */

#include "os/affinity.h"

#include <errno.h>
#include <pthread.h>
#include <sched.h>
#include <string.h>

#include "util/xalloc.h"

#define MAX_CPUS 8192 /* the largest CONFIG_NR_CPUS of Linux */

static cpu_set_t *allowed;
static pthread_once_t allowed_once = PTHREAD_ONCE_INIT;

/* Asks once, for the whole process: pinning a thread later changes the answer for it. */
static void
read_allowed(void)
{
    allowed = xzalloc(CPU_ALLOC_SIZE(MAX_CPUS));
    if (sched_getaffinity(0, CPU_ALLOC_SIZE(MAX_CPUS), allowed)) {
        CPU_SET_S(0, CPU_ALLOC_SIZE(MAX_CPUS), allowed);
    }
}

/* Before main() could have pinned anything. */
__attribute__((constructor)) static void
affinity_init(void)
{
    pthread_once(&allowed_once, read_allowed);
}

int
affinity_pin(unsigned cpu, char **errp)
{
    size_t size = CPU_ALLOC_SIZE(MAX_CPUS);
    int error = EINVAL;

    if (cpu < MAX_CPUS) {
        cpu_set_t *set = xzalloc(size);

        CPU_SET_S(cpu, size, set);
        error = pthread_setaffinity_np(pthread_self(), size, set);
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
    return cpu < MAX_CPUS && CPU_ISSET_S(cpu, CPU_ALLOC_SIZE(MAX_CPUS), allowed);
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
