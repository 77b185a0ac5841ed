/* SPDX-License-Identifier: Apache-2.0 */
/* The monitor: a small process that outlives crashes of the worker and replaces it.  Entered
 * from daemon_start() once the first worker is up; it runs no event loop and no threads. */

#include "os/daemon-monitor.h"

#include <errno.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "log/log.h"
#include "os/clock.h"
#include "os/daemon-keep.h"
#include "os/daemon.h"
#include "os/thread.h"
#include "util/compiler.h"

LOG_MODULE(daemon);

#define RESTART_INTERVAL_NS INT64_C(10000000000)

static const int passed_on[] = {SIGTERM, SIGINT, SIGHUP};

static _Atomic pid_t worker;
static _Atomic bool told_to_end;

const char *
daemon_signal_name(int signo)
{
    static _Thread_local char name[24];
    const char *abbrev = sigabbrev_np(signo);

    strcpy(name, "SIG");
    strncat(name, abbrev ? abbrev : "?", sizeof name - 4);
    return name;
}

void
daemon_exit_like(int status)
{
    _exit(WIFEXITED(status) ? WEXITSTATUS(status) : EXIT_FAILURE);
}

static void
pass_on(int signo)
{
    int saved_errno = errno;
    pid_t pid = atomic_load_explicit(&worker, memory_order_relaxed);

    if (signo != SIGHUP) {
        atomic_store_explicit(&told_to_end, true, memory_order_relaxed);
    }
    if (pid > 0) {
        kill(pid, signo);
    }
    errno = saved_errno;
}

/* Whether a wait status tells of a programming error, after which a new worker may do better.
 * A worker that was killed is missed most where it held what cannot be had again: then it is
 * replaced too. */
static bool
is_crash(int status)
{
    static const int crashes[] = {SIGABRT, SIGALRM, SIGBUS,  SIGFPE, SIGILL,
                                  SIGPIPE, SIGSEGV, SIGXCPU, SIGXFSZ};

    if (WIFSIGNALED(status)) {
        for (size_t i = 0; i < ARRAY_SIZE(crashes); i++) {
            if (WTERMSIG(status) == crashes[i]) {
                return true;
            }
        }
        return WTERMSIG(status) == SIGKILL && daemon_keep_any();
    }
    return false;
}

/* Waits for the worker's end. */
static int
wait_worker(void)
{
    int status = 0;
    pid_t pid;

    do {
        pid = waitpid(atomic_load_explicit(&worker, memory_order_relaxed), &status, 0);
    } while (pid < 0 && errno == EINTR);
    atomic_store_explicit(&worker, 0, memory_order_relaxed);
    return pid < 0 ? EXIT_FAILURE << 8 : status;
}

/* Sleeps until `last` + the interval; ends early when told to end. */
static void
throttle(int64_t last)
{
    while (!atomic_load_explicit(&told_to_end, memory_order_relaxed)) {
        int64_t left = last + RESTART_INTERVAL_NS - clock_real_ns();
        struct timespec ts;

        if (!last || left <= 0) {
            return;
        }
        ts.tv_sec = left / 1000000000;
        ts.tv_nsec = left % 1000000000;
        nanosleep(&ts, NULL);
    }
}

/* Installs (or, for a new worker, takes back) the handlers that pass signals on. */
static void
catch_signals(struct sigaction old[], bool on)
{
    struct sigaction sa;

    memset(&sa, 0, sizeof sa);
    sa.sa_handler = pass_on;
    sigemptyset(&sa.sa_mask);
    for (size_t i = 0; i < ARRAY_SIZE(passed_on); i++) {
        if (on) {
            sigaction(passed_on[i], &sa, &old[i]);
        } else {
            sigaction(passed_on[i], &old[i], NULL);
        }
    }
}

/* Tells how the worker ended; true when it is to be replaced. */
static bool
judge(int status)
{
    bool restart =
        is_crash(status) && !atomic_load_explicit(&told_to_end, memory_order_relaxed);

    if (restart) {
        LOG_ERR("worker process died of %s%s, starting another",
                daemon_signal_name(WTERMSIG(status)),
                WCOREDUMP(status) ? " (core dumped)" : "");
    } else if (WIFSIGNALED(status)) {
        LOG_WARN("worker process died of %s, ending", daemon_signal_name(WTERMSIG(status)));
    } else {
        LOG_INFO("worker process exited with status %d, ending", WEXITSTATUS(status));
    }
    return restart;
}

void
daemon_monitor_run(pid_t child)
{
    struct sigaction old[ARRAY_SIZE(passed_on)];
    int64_t last_restart = 0;

    atomic_store_explicit(&worker, child, memory_order_relaxed);
    catch_signals(old, true);
    thread_adopt("monitor");
    for (;;) {
        int status = wait_worker();
        pid_t pid;

        if (log_file_path()) {
            /* The worker may have rotated it long ago. */
            log_file_reopen();
        }
        if (!judge(status)) {
            daemon_exit_like(status);
        }
        throttle(last_restart);
        if (atomic_load_explicit(&told_to_end, memory_order_relaxed)) {
            _exit(EXIT_SUCCESS);
        }
        last_restart = clock_real_ns();
        pid = fork();
        if (!pid) {
            catch_signals(old, false);
            thread_adopt("");
            return;
        } else if (pid < 0) {
            LOG_ERR("cannot start another worker process: %s", strerror(errno));
            _exit(EXIT_FAILURE);
        }
        atomic_store_explicit(&worker, pid, memory_order_relaxed);
        if (atomic_load_explicit(&told_to_end, memory_order_relaxed)) {
            kill(pid, SIGTERM); /* the signal came between the two lines above */
        }
    }
}
