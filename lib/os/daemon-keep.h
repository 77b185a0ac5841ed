/* SPDX-License-Identifier: Apache-2.0 */
#ifndef XVS_OS_DAEMON_KEEP_H
#define XVS_OS_DAEMON_KEEP_H 1

/* File descriptors that outlive a crash of the worker: they are kept, by name, in the receive
 * queue of a Unix socket pair that the --monitor process holds open.  The monitor itself does
 * nothing for it; a new worker finds them there.  Without --monitor nothing is kept.
 * Main thread. */

#include <stdbool.h>

#define DAEMON_KEEP_MAX 64u
#define DAEMON_KEEP_NAME_MAX 255u /* bytes of a name */

/* Makes the socket pair: once, by daemon_start(), before the monitor forks.  0 or an errno. */
int daemon_keep_init(void);
/* Whether anything is kept.  For the monitor. */
bool daemon_keep_any(void);

/* Keeps a duplicate of `fd`, in the place of what had this name before.  0, also without
 * --monitor; EINVAL a name that is empty or too long; ENOSPC as many as there is room for; or
 * an errno of sendmsg(2). */
int daemon_keep_fd(const char *name, int fd);
/* No longer keeps what has this name, if anything. */
void daemon_keep_drop(const char *name);
/* Calls back with everything that is kept.  The callee owns `fd`, a duplicate, close-on-exec.
 * It must not call functions of this header. */
void daemon_kept_for_each(void (*cb)(const char *name, int fd, void *aux), void *aux);

#endif
