/* SPDX-License-Identifier: Apache-2.0 */
/* Forking into the background and telling the waiting parent when the daemon is ready.  Called
 * by main(), on the main thread, before any other thread exists.  The monitor's own life is in
 * daemon-monitor.c, the pidfile in pidfile.c. */

#include "os/daemon.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "log/log.h"
#include "os/daemon-keep.h"
#include "os/daemon-monitor.h"
#include "os/dirs.h"
#include "os/pidfile.h"
#include "util/xalloc.h"

LOG_MODULE(daemon_unix);

static char *run_name;
static int notify_fd = -1; /* write end of the pipe on which our parent waits */
static bool detached;      /* the stdio is to be let go */
static bool go_to_root;

void
daemon_set_run_name(const char *name)
{
    free(run_name);
    run_name = xstrdup(name);
    log_set_app_name(name);
}

const char *
daemon_run_name(void)
{
    return run_name ? run_name : program_invocation_short_name;
}

/* `arg` or the default "<run name><suffix>", below `dir`. */
static char *
named_path(const char *dir, const char *arg, const char *suffix)
{
    char *name = arg ? xstrdup(arg) : xasprintf("%s%s", daemon_run_name(), suffix);
    char *path = dirs_path(dir, name);
    char *absolute = dirs_absolute(path);

    free(path);
    free(name);
    return absolute;
}

char *
daemon_pidfile_path(const char *arg)
{
    return named_path(dirs_rundir(), arg, ".pid");
}

char *
daemon_log_path(const char *arg)
{
    return named_path(dirs_logdir(), arg, ".log");
}

char *
daemon_ctl_path(const char *arg)
{
    char suffix[32];

    snprintf(suffix, sizeof suffix, ".%ld.ctl", (long) getpid());
    return named_path(dirs_rundir(), arg, suffix);
}

/* Tells the waiting parent that all is well. */
static void
notify_parent(void)
{
    if (notify_fd >= 0) {
        ssize_t n;

        do {
            n = write(notify_fd, "", 1);
        } while (n < 0 && errno == EINTR);
        close(notify_fd);
        notify_fd = -1;
    }
}

/* True once the child has reported; false when it ended without. */
static bool
wait_for_report(int fd)
{
    char byte;
    ssize_t n;

    do {
        n = read(fd, &byte, 1);
    } while (n < 0 && errno == EINTR);
    close(fd);
    return n == 1;
}

/* Forks.  In the child: *childp is 0 and notify_fd leads to the parent.  In the parent: waits
 * for the child's report and returns with its pid, or exits as the child did if none came. */
static int
fork_and_wait(pid_t *childp, char **errp)
{
    int fds[2];
    int error;
    pid_t pid;

    if (pipe2(fds, O_CLOEXEC)) {
        error = errno;
        error_set(errp, "cannot create a pipe: %s", strerror(error));
        return error;
    }
    pid = fork();
    if (pid < 0) {
        error = errno;
        error_set(errp, "cannot fork: %s", strerror(error));
        close(fds[0]);
        close(fds[1]);
        return error;
    }
    *childp = pid;
    if (!pid) {
        close(fds[0]);
        if (notify_fd >= 0) {
            close(notify_fd); /* our parent's way to its parent, not ours */
        }
        notify_fd = fds[1];
        return 0;
    }
    close(fds[1]);
    if (!wait_for_report(fds[0])) {
        int status = EXIT_FAILURE << 8;

        while (waitpid(pid, &status, 0) < 0 && errno == EINTR) {
            continue;
        }
        daemon_exit_like(status);
    }
    return 0;
}

/* Leaves the caller's terminal and folder, if detached. */
static void
let_go(void)
{
    int fd;

    if (!detached) {
        return;
    }
    detached = false;
    if (go_to_root && chdir("/")) {
        LOG_WARN("cannot change to folder /: %s", strerror(errno));
    }
    log_console_disable();
    fd = open("/dev/null", O_RDWR | O_CLOEXEC);
    if (fd >= 0) {
        dup2(fd, STDIN_FILENO);
        dup2(fd, STDOUT_FILENO);
        dup2(fd, STDERR_FILENO);
        if (fd > STDERR_FILENO) {
            close(fd);
        }
    }
}

int
daemon_start(const struct daemon_options *o, char **errp)
{
    pid_t child;
    int error;

    if (o->detach) {
        error = fork_and_wait(&child, errp);
        if (error) {
            return error;
        }
        if (child) {
            _exit(EXIT_SUCCESS);
        }
        setsid();
        detached = true;
        go_to_root = !o->no_chdir;
    }
    if (o->monitor) {
        error = daemon_keep_init();
        if (error) {
            LOG_WARN("nothing will be kept over a crash (%s)", strerror(error));
        }
        error = fork_and_wait(&child, errp);
        if (error) {
            return error;
        }
        if (child) {
            notify_parent();
            let_go();
            daemon_monitor_run(child);
        }
    }
    return o->pidfile ? pidfile_create(o->pidfile, o->overwrite_pidfile, errp) : 0;
}

void
daemon_detach_complete(void)
{
    let_go();
    notify_parent();
}
