/* SPDX-License-Identifier: Apache-2.0 */
#ifndef XVS_OS_DAEMON_MONITOR_H
#define XVS_OS_DAEMON_MONITOR_H 1

/* The --monitor process; used by os/daemon.c only. */

#include <sys/types.h>

/* Watches the worker `child` and forks a new one whenever it crashes.  Returns in each new
 * worker; the monitor itself never returns but exits as its last worker did. */
void daemon_monitor_run(pid_t child);

/* Ends the calling process, without atexit handlers, in the way that wait status `status`
 * tells: same exit code, or 1 for a signal. */
void daemon_exit_like(int status) __attribute__((noreturn));

#endif
