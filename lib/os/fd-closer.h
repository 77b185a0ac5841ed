/* SPDX-License-Identifier: Apache-2.0 */
#ifndef XVS_OS_FD_CLOSER_H
#define XVS_OS_FD_CLOSER_H 1

/* Closes descriptors whose close() sleeps: that of a packet or AF_XDP socket waits for a grace
 * period of the kernel, some 10 ms, one after the other.  A few threads that start when they
 * are first needed do it; calls at the same time share a grace period. */

#include <stdbool.h>

/* Closes `fd` (taken) before long; negative: nothing.  `key`, such as an interface's number, is
 * what fd_closer_wait() asks for.  With very many waiting already it closes right away and may
 * then block.  Main. */
void fd_closer_close(int fd, int key);
/* Waits until every descriptor given with `key` is closed, but no longer than `timeout_ms`;
 * false: some still is not.  They go before others.  Main. */
bool fd_closer_wait(int key, unsigned timeout_ms);
/* Closes what is left, and ends the threads.  Main, at exit; harmless without any. */
void fd_closer_stop(void);

#endif
