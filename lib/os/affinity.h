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

#endif
