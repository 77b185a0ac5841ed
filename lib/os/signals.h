/* SPDX-License-Identifier: Apache-2.0 */
#ifndef XVS_OS_SIGNALS_H
#define XVS_OS_SIGNALS_H 1

/* Signals, and the files that must not outlive the process.
 *
 * SIGTERM, SIGINT and SIGHUP reach the event loop as a callback; SIGPIPE is ignored.  Pidfile
 * and sockets are listed here for removal, which happens at exit() and also when a signal ends
 * the process, by async-signal-safe calls only.  A forked child does not remove what its parent
 * listed. */

#include "os/evloop.h"

struct signals;

/* Ignores SIGPIPE and installs the handlers that remove listed files when the process dies of
 * a signal; previous handlers (a sanitizer's) still run afterwards.  Main, early, once. */
void signals_init(void);

/* From now on SIGTERM, SIGINT and SIGHUP are blocked in the calling thread (and those that it
 * starts) and `cb` gets their numbers in the event loop.  Positive errno on failure.  Once per
 * process at a time. */
int
signals_watch(struct evloop *, void (*cb)(int signo, void *aux), void *aux, struct signals **);
/* Undoes signals_watch(): default handling again.  NULL is allowed. */
void signals_unwatch(struct signals *);

/* Lists `path` (made absolute, copied) for removal; twice is once.  Any thread. */
void cleanup_file_add(const char *path);
/* Takes it off the list; the file itself is left alone. */
void cleanup_file_forget(const char *path);
/* Takes it off the list and unlinks it; 0 or a positive errno. */
int cleanup_file_unlink(const char *path);
/* Unlinks all that is listed.  Async-signal-safe; exit() calls it. */
void cleanup_files(void);

#endif
