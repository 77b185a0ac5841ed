/* SPDX-License-Identifier: Apache-2.0 */
#ifndef XVS_AGENT_BUSY_POLL_H
#define XVS_AGENT_BUSY_POLL_H 1

/* What a client's "/config_busy_poll" asks for, on a descriptor that may be anything.  Main
 * thread. */

#include <stdbool.h>

/* 0 if `fd` is an AF_XDP socket, else ENOTSOCK or EPROTOTYPE.  Does nothing to the file: no
 * operation of its own is called. */
int busy_poll_check(int fd);
/* Sets SO_PREFER_BUSY_POLL, SO_BUSY_POLL and SO_BUSY_POLL_BUDGET (socket(7)).  0 or an errno.
 */
int busy_poll_set(int fd, unsigned timeout_us, unsigned budget);

/* Closing a descriptor can block for as long as the file's owner likes (FUSE's flush, TCP's
 * SO_LINGER).  So what is no AF_XDP socket is closed by a thread of its own, and while too many
 * of those are stuck no descriptor is received at all. */
bool fd_disposal_ready(void);
void fd_dispose(int fd);

#endif
