/* SPDX-License-Identifier: Apache-2.0 */
/* The command line of a daemon, as far as it is the same for all of them.  Called by each
 * program's option parser and main(), on the main thread, before any other thread exists. Knows
 * neither the programs' own options nor how they complain. */

#include "os/daemon-cmdline.h"

#include <stdlib.h>
#include <string.h>

#include "log/log.h"
#include "util/xalloc.h"

bool
daemon_cmdline_take(struct daemon_cmdline *d, int c, const char *arg)
{
    switch (c) {
    case 'v':
        d->verbose = xrealloc(d->verbose, (d->n_verbose + 1) * sizeof *d->verbose);
        d->verbose[d->n_verbose++] = arg;
        return true;
    case DAEMON_OPT_DETACH:
        d->start.detach = true;
        return true;
    case DAEMON_OPT_NO_CHDIR:
        d->start.no_chdir = true;
        return true;
    case DAEMON_OPT_PIDFILE:
        d->pidfile = true;
        d->pidfile_arg = arg;
        return true;
    case DAEMON_OPT_OVERWRITE_PIDFILE:
        d->start.overwrite_pidfile = true;
        return true;
    case DAEMON_OPT_LOG_FILE:
        d->log_file = true;
        d->log_file_arg = arg;
        return true;
    default:
        return false;
    }
}

void
daemon_cmdline_free(struct daemon_cmdline *d)
{
    free(d->verbose);
    d->verbose = NULL;
    d->n_verbose = 0;
}

bool
daemon_cmdline_set_levels(const struct daemon_cmdline *d, char **errp)
{
    for (size_t i = 0; i < d->n_verbose; i++) {
        char *error = log_set(d->verbose[i] ? d->verbose[i] : "any:any:dbg");
        if (error) {
            error_set(errp, "-v%s: %s", d->verbose[i] ? d->verbose[i] : "", error);
            free(error);
            return false;
        }
    }
    return true;
}

bool
daemon_cmdline_open_log(const struct daemon_cmdline *d, char **errp)
{
    if (!d->log_file) {
        return true;
    }
    char *path = daemon_log_path(d->log_file_arg);
    int error = log_file_open(path);
    if (error) {
        error_set(errp, "could not open log file %s (%s)", path, strerror(error));
    }
    free(path);
    return !error;
}

bool
daemon_cmdline_start(const struct daemon_cmdline *d, char **errp)
{
    struct daemon_options start = d->start;
    char *pidfile = d->pidfile ? daemon_pidfile_path(d->pidfile_arg) : NULL;
    start.pidfile = pidfile;
    int error = daemon_start(&start, errp);
    free(pidfile);
    return !error;
}
