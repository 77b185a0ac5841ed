/* SPDX-License-Identifier: Apache-2.0 */
#ifndef XVS_OS_NUMA_H
#define XVS_OS_NUMA_H 1

/* The machine's NUMA nodes and cores, read once; a machine (or kernel) without NUMA has the one
 * node 0.  The prefix keeps clear of libnuma's own names.  Any thread. */

#include <stdbool.h>
#include <stddef.h>

#define NUMA_TOPO_NO_CPU (~0u)

/* Highest node number plus one; at least 1. */
unsigned numa_topo_node_cnt(void);
/* Node of a core; 0 for one that does not exist. */
unsigned numa_topo_cpu_node(unsigned cpu);
bool numa_topo_cpu_exists(unsigned cpu);
/* Fills cpus[] with at most `max` of the node's online cores, ascending; returns how many there
 * are (may exceed `max`). */
size_t numa_topo_node_cpus(unsigned node, unsigned *cpus, size_t max);
/* The core on which a PMD of `node` runs when nobody says otherwise: the lowest that the
 * process may use, else the lowest of the node, else NUMA_TOPO_NO_CPU. */
unsigned numa_topo_default_cpu(unsigned node);
/* Node of the bus that network interface `name` sits on, at most 255; 0 where it has none or is
 * none of this namespace.  Reads sysfs anew. */
unsigned numa_topo_netdev_node(const char *name);
/* Pretends another machine, for tests: the node of core 0, 1, ... separated by commas, as in
 * "0,0,1,1".  Main, before any other thread.  False when the text is not of that form. */
bool numa_topo_set_dummy(const char *nodes);

#endif
