/* SPDX-License-Identifier: Apache-2.0 */
#ifndef XVS_OS_DAEMON_H
#define XVS_OS_DAEMON_H 1

/* Becoming a daemon: --detach, --monitor, --pidfile.
 *
 *     caller's shell --- parent (waits, exits) --- monitor (restarts) --- worker (returns)
 *                        only with --detach        only with --monitor
 *
 * daemon_start() returns in the worker alone.  Until the worker calls daemon_detach_complete()
 * the shell waits, stderr is the shell's, and the worker's exit status is what the shell gets.
 * Main thread, before any other thread is started. */

#include <stdbool.h>

struct daemon_options {
    bool detach;
    bool monitor;
    bool no_chdir;
    bool overwrite_pidfile;
    const char *pidfile; /* absolute path, NULL: none; see daemon_pidfile_path() */
};

/* The name for pidfile, log and control socket (copied), e.g. "ovs-vswitchd" whatever the
 * executable is called; also told to the log. */
void daemon_set_run_name(const char *);
const char *daemon_run_name(void);

/* Paths from an option's argument, NULL for the default; a relative one is below the run (log)
 * folder.  The caller frees them.  The control socket's default name has the number of the
 * calling process in it: ask in the worker. */
char *daemon_pidfile_path(const char *arg);
char *daemon_log_path(const char *arg);
char *daemon_ctl_path(const char *arg);

/* Forks as asked and creates the pidfile.  Returns 0 in the worker; on failure a positive errno
 * and a sentence in *errp, also there: print it and exit with failure.  The monitor starts a
 * new worker when one dies of SIGABRT, SIGALRM, SIGBUS, SIGFPE, SIGILL, SIGPIPE, SIGSEGV,
 * SIGXCPU or SIGXFSZ after its detach_complete, or of SIGKILL while descriptors are kept for it
 * (os/daemon-keep.h), at most every 10 s; otherwise it exits as the worker did. It passes SIGTERM, SIGINT and SIGHUP on to the worker. */
int daemon_start(const struct daemon_options *, char **errp);

/* The first configuration is in effect: lets the waiting processes go.  When detached, moves to
 * `/` (unless no_chdir), ties stdin, stdout and stderr to /dev/null and silences the console
 * log.  Later calls do nothing. */
void daemon_detach_complete(void);
/* Name of `signo` as logs show it, e.g. "SIGSEGV"; never NULL.  The calling thread's until its next
 * call; async-signal-safe. */
const char *daemon_signal_name(int signo);

#endif
