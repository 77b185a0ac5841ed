/* SPDX-License-Identifier: Apache-2.0 */
/* NUMA topology by libnuma, or by sysfs where the kernel has no NUMA.  Asked by ports and
 * the PMD scheduler, on any thread; immutable after the first question. */

#include "os/numa.h"

#include <numa.h>
#include <pthread.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "os/affinity.h"
#include "util/num.h"
#include "util/xalloc.h"

#define MAX_CPUS 8192
#define MAX_NODES 1024
#define NOT_ONLINE (-1)

static int *cpu_nodes; /* MAX_CPUS: node or NOT_ONLINE */
static unsigned n_nodes = 1;
static bool dummy;
static pthread_once_t once = PTHREAD_ONCE_INIT;

/* Parses "0-3,8,10-11" into node 0; false when there is nothing in it. */
static bool
read_online_file(void)
{
    FILE *f = fopen("/sys/devices/system/cpu/online", "re");
    unsigned lo, hi;
    bool any = false;
    int n, c;

    if (!f) {
        return false;
    }
    while ((n = fscanf(f, "%u-%u", &lo, &hi)) >= 1) {
        hi = n == 1 ? lo : hi;
        for (unsigned cpu = lo; cpu <= hi && cpu < MAX_CPUS; cpu++) {
            cpu_nodes[cpu] = 0;
            any = true;
        }
        c = fgetc(f);
        if (c != ',') {
            break;
        }
    }
    fclose(f);
    return any;
}

static bool
read_libnuma(void)
{
    struct bitmask *mask;
    bool any = false;
    int max;

    if (numa_available() < 0) {
        return false;
    }
    mask = numa_allocate_cpumask();
    max = numa_max_node();
    for (int node = 0; node <= max && node < MAX_NODES; node++) {
        if (numa_node_to_cpus(node, mask)) {
            continue; /* a hole in the numbering */
        }
        for (unsigned cpu = 0; cpu < mask->size && cpu < MAX_CPUS; cpu++) {
            if (numa_bitmask_isbitset(mask, cpu)) {
                cpu_nodes[cpu] = node;
                n_nodes = MAX(n_nodes, (unsigned) node + 1);
                any = true;
            }
        }
    }
    numa_free_cpumask(mask);
    return any;
}

static void
read_topology(void)
{
    cpu_nodes = xmalloc(MAX_CPUS * sizeof *cpu_nodes);
    for (unsigned i = 0; i < MAX_CPUS; i++) {
        cpu_nodes[i] = NOT_ONLINE;
    }
    if (!read_libnuma() && !read_online_file()) {
        for (unsigned cpu = 0; cpu < MAX_CPUS; cpu++) {
            if (affinity_is_allowed(cpu)) {
                cpu_nodes[cpu] = 0;
            }
        }
    }
}

static void
init(void)
{
    pthread_once(&once, read_topology);
}

unsigned
numa_topo_node_cnt(void)
{
    init();
    return n_nodes;
}

bool
numa_topo_cpu_exists(unsigned cpu)
{
    init();
    return cpu < MAX_CPUS && cpu_nodes[cpu] != NOT_ONLINE;
}

unsigned
numa_topo_cpu_node(unsigned cpu)
{
    return numa_topo_cpu_exists(cpu) ? (unsigned) cpu_nodes[cpu] : 0;
}

size_t
numa_topo_node_cpus(unsigned node, unsigned *cpus, size_t max)
{
    size_t n = 0;

    init();
    for (unsigned cpu = 0; cpu < MAX_CPUS; cpu++) {
        if (cpu_nodes[cpu] == (int) node) {
            if (n < max) {
                cpus[n] = cpu;
            }
            n++;
        }
    }
    return n;
}

unsigned
numa_topo_default_cpu(unsigned node)
{
    unsigned lowest = NUMA_TOPO_NO_CPU;

    init();
    for (unsigned cpu = MAX_CPUS; cpu-- > 0;) {
        if (cpu_nodes[cpu] == (int) node) {
            lowest = cpu;
        }
    }
    for (unsigned cpu = lowest; cpu < MAX_CPUS && !dummy; cpu++) {
        if (cpu_nodes[cpu] == (int) node && affinity_is_allowed(cpu)) {
            return cpu;
        }
    }
    return lowest;
}

unsigned
numa_topo_netdev_node(const char *name)
{
    char path[64];
    int node = -1;

    snprintf(path, sizeof path, "/sys/class/net/%.15s/device/numa_node", name);
    FILE *f = fopen(path, "re");
    if (f) {
        if (fscanf(f, "%d", &node) != 1) {
            node = -1;
        }
        fclose(f);
    }
    return node > 0 && node <= UINT8_MAX ? (unsigned) node : 0; /* -1: no node of its own */
}

bool
numa_topo_set_dummy(const char *nodes)
{
    int *parsed = xmalloc(MAX_CPUS * sizeof *parsed);
    char *copy = xstrdup(nodes);
    char *save = NULL;
    unsigned max_node = 0;
    unsigned n = 0;
    bool ok = true;

    init();
    for (unsigned i = 0; i < MAX_CPUS; i++) {
        parsed[i] = NOT_ONLINE;
    }
    for (char *s = strtok_r(copy, ",", &save); s && ok; s = strtok_r(NULL, ",", &save)) {
        ok = n < MAX_CPUS && num_parse_int(s, 0, MAX_NODES - 1, &parsed[n]);
        if (ok) {
            max_node = MAX(max_node, (unsigned) parsed[n]);
            n++;
        }
    }
    ok = ok && n > 0;
    if (ok) {
        memcpy(cpu_nodes, parsed, MAX_CPUS * sizeof *parsed);
        n_nodes = max_node + 1;
        dummy = true;
    }
    free(parsed);
    free(copy);
    return ok;
}
