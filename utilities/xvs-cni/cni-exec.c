/* SPDX-License-Identifier: Apache-2.0 */
/* Runs ethtool and ipam plugins.  Called by cni-ethtool and cni-ipam.  Three pipes and one poll
 * loop, so that a program that neither reads nor writes nor ends blocks nobody. */

#include "utilities/xvs-cni/cni-exec.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "util/xalloc.h"
#include "utilities/xvs-cni/cni.h"

extern char **environ;

enum { IN, OUT, ERR, N_STREAMS };

static long long
now_ms(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (long long) t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

static void
close_fd(int *fd)
{
    if (*fd >= 0) {
        close(*fd);
        *fd = -1;
    }
}

/* In the child: never returns. */
static void
become(const char *path, char *const argv[], char *const envp[], int pipes[N_STREAMS][2])
{
    setpgid(0, 0);
    signal(SIGPIPE, SIG_DFL);
    for (int i = 0; i < N_STREAMS; i++) {
        /* The ends are above 2, see open_pipes(), so that none is overwritten. */
        if (dup2(pipes[i][i == IN ? 0 : 1], i) < 0) {
            _exit(126);
        }
    }
    if (close_range(3, ~0u, 0) && errno != ENOSYS) {
        _exit(126);
    }
    execve(path, argv, envp ? envp : environ);
    _exit(127);
}

static int
open_pipes(int pipes[N_STREAMS][2])
{
    for (int i = 0; i < N_STREAMS; i++) {
        if (pipe2(pipes[i], O_CLOEXEC)) {
            return errno;
        }
        for (int end = 0; end < 2; end++) {
            int fd = pipes[i][end];
            if (fd > 2) {
                continue;
            }
            int higher = fcntl(fd, F_DUPFD_CLOEXEC, 3);
            if (higher < 0) {
                return errno;
            }
            close(fd);
            pipes[i][end] = higher;
        }
    }
    return 0;
}

/* Reads what is there; closes `fd` at its end.  What exceeds the limit is read and dropped. */
static void
drain(int *fd, struct strbuf *to)
{
    char buf[4096];
    ssize_t n = read(*fd, buf, sizeof buf);
    if (n > 0) {
        strbuf_put(to, buf, MIN((size_t) n, CNI_STDIN_MAX - MIN(to->len, CNI_STDIN_MAX)));
    } else if (!n || (errno != EAGAIN && errno != EINTR)) {
        close_fd(fd);
    }
}

/* Talks to the program until it has closed both outputs; ETIMEDOUT when it does not. */
static int
converse(int fds[N_STREAMS], const char *in, size_t in_len, long long deadline,
         struct cni_exec_result *r)
{
    while (fds[OUT] >= 0 || fds[ERR] >= 0) {
        struct pollfd p[N_STREAMS];
        if (fds[IN] >= 0 && !in_len) {
            close_fd(&fds[IN]);
        }
        for (int i = 0; i < N_STREAMS; i++) {
            p[i] = (struct pollfd){.fd = fds[i], .events = i == IN ? POLLOUT : POLLIN};
        }
        long long left = deadline - now_ms();
        if (left <= 0) {
            return ETIMEDOUT;
        }
        int n = poll(p, N_STREAMS, (int) left);
        if (n < 0 && errno != EINTR) {
            return errno;
        }
        if (n <= 0) {
            continue;
        }
        if (p[IN].revents) {
            ssize_t wrote = write(fds[IN], in, in_len);
            if (wrote > 0) {
                in += wrote;
                in_len -= (size_t) wrote;
            } else if (errno != EAGAIN && errno != EINTR) {
                close_fd(&fds[IN]); /* it need not read what it does not want */
            }
        }
        if (p[OUT].revents) {
            drain(&fds[OUT], &r->out);
        }
        if (p[ERR].revents) {
            drain(&fds[ERR], &r->err);
        }
    }
    return 0;
}

/* Waits for the end of the child; polls, since waiting for a child has no time limit. */
static bool
reap(pid_t pid, long long deadline, int *status)
{
    for (;;) {
        pid_t got = waitpid(pid, status, WNOHANG);
        if (got == pid) {
            return true;
        }
        if ((got < 0 && errno != EINTR) || now_ms() >= deadline) {
            return false;
        }
        nanosleep(&(struct timespec){.tv_nsec = 2000000}, NULL);
    }
}

bool
cni_exec(const char *path, char *const argv[], char *const envp[], const char *in,
         size_t in_len, int limit_ms, struct cni_exec_result *r)
{
    int pipes[N_STREAMS][2] = {{-1, -1}, {-1, -1}, {-1, -1}};
    int fds[N_STREAMS] = {-1, -1, -1};
    long long deadline = now_ms() + limit_ms;
    pid_t pid = -1;
    int status = 0;

    *r = (struct cni_exec_result){.status = -1};
    int error = open_pipes(pipes);
    if (!error) {
        pid = fork();
        error = pid < 0 ? errno : 0;
    }
    if (pid == 0) {
        become(path, argv, envp, pipes);
    }
    for (int i = 0; i < N_STREAMS; i++) {
        close_fd(&pipes[i][i == IN ? 0 : 1]);
        fds[i] = pipes[i][i == IN ? 1 : 0];
    }
    if (error) {
        error_set(&r->problem, "it could not be started (%s)", strerror(error));
        goto out;
    }
    setpgid(pid, pid); /* here too: whichever of the two is first */
    fcntl(fds[IN], F_SETFL, O_NONBLOCK);
    error = converse(fds, in, in_len, deadline, r);
    close_fd(&fds[IN]);
    if (error || !reap(pid, deadline, &status)) {
        kill(-pid, SIGKILL);
        while (waitpid(pid, &status, 0) < 0 && errno == EINTR) {
        }
        error_set(&r->problem, "it did not end within %d s", limit_ms / 1000);
    } else if (WIFSIGNALED(status)) {
        error_set(&r->problem, "it was ended by signal %d", WTERMSIG(status));
    } else {
        r->status = WEXITSTATUS(status);
        if (r->status == 127 && !r->out.len) {
            error_set(&r->problem, "%s could not be executed", path);
        } else if (r->status) {
            error_set(&r->problem, "it exited with status %d", r->status);
        }
    }
out:
    for (int i = 0; i < N_STREAMS; i++) {
        close_fd(&fds[i]);
    }
    return !r->problem;
}

void
cni_exec_result_free(struct cni_exec_result *r)
{
    strbuf_free(&r->out);
    strbuf_free(&r->err);
    free(r->problem);
    r->problem = NULL;
}
