/* SPDX-License-Identifier: Apache-2.0 */
#ifndef XVS_OS_AFFINITY_H
#define XVS_OS_AFFINITY_H 1

/* Which cores a thread may run on. */

#include <stdbool.h>
#include <stddef.h>

/* Ties the calling thread to core `cpu`.  Positive errno and a sentence in *errp on failure
 * (EINVAL: no such core, or the container forbids it). */
int affinity_pin(unsigned cpu, char **errp);
/* Fills cpus[] with at most `max` of the cores that the *process* was allowed at its start,
 * ascending; returns how many there are (may exceed `max`).  Any thread. */
size_t affinity_allowed(unsigned *cpus, size_t max);
bool affinity_is_allowed(unsigned cpu);
/* Whether affinity_pin() could tie a thread to it.  More cores than those: where isolcpus= or
 * taskset(1) keep a process off cores, its threads can still ask for them one by one. */
bool affinity_can_pin(unsigned cpu);
/* Has all threads of the process but those that affinity_pin() tied to a core keep off cpus[];
 * threads that they start later inherit that.  Where nothing would be left, and with n == 0,
 * they may run on whatever the process was allowed at its start.  Returns how many cores
 * were left, 0 if none.  Any thread. */
size_t affinity_keep_off(const unsigned *cpus, size_t n);

#endif
