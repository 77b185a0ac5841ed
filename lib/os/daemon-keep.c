/* SPDX-License-Identifier: Apache-2.0 */
/* Keeps file descriptors over a crash of the worker, in flight on a socket pair.  Set up by
 * daemon.c before the monitor forks; used by the worker's modules on the main thread.  It knows
 * names and descriptors, not what they are for.
 *
 *   worker --- sendmsg(name, SCM_RIGHTS) ---> [ queue of the pair ] ---> recvmsg --- worker
 *
 * Whatever looks at the queue takes each message out and puts it back at the end before it
 * takes the next, so that a crash in between loses one descriptor at most.  A message that only
 * says "end of this round" goes in first and tells where to stop. */

#include "os/daemon-keep.h"

#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "log/coverage.h"
#include "util/compiler.h"

COVERAGE_DEFINE(daemon_keep_lost);

/* More messages than can ever be in the queue: a bound on every round. */
#define ROUND_MAX (4 * DAEMON_KEEP_MAX)

static int keep_in = -1, keep_out = -1; /* written to, read from */

struct message {
    char name[DAEMON_KEEP_NAME_MAX + 2]; /* "+NAME" kept, "-PID.N" end of a round */
    int fd;                              /* -1: none */
};

int
daemon_keep_init(void)
{
    int pair[2];

    if (keep_in >= 0) {
        return 0;
    }
    if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair)) {
        return errno;
    }
    keep_in = pair[0];
    keep_out = pair[1];
    return 0;
}

bool
daemon_keep_any(void)
{
    struct pollfd p = {.fd = keep_out, .events = POLLIN};

    return keep_out >= 0 && poll(&p, 1, 0) == 1 && (p.revents & POLLIN);
}

static int
put(const char *name, int fd)
{
    union {
        char bytes[CMSG_SPACE(sizeof(int))];
        struct cmsghdr align;
    } control;
    struct iovec iov = {(void *) (uintptr_t) name, strlen(name)};
    struct msghdr m = {.msg_iov = &iov, .msg_iovlen = 1};

    memset(&control, 0, sizeof control);
    if (fd >= 0) {
        m.msg_control = &control;
        m.msg_controllen = sizeof control.bytes;
        struct cmsghdr *c = CMSG_FIRSTHDR(&m);
        c->cmsg_level = SOL_SOCKET;
        c->cmsg_type = SCM_RIGHTS;
        c->cmsg_len = CMSG_LEN(sizeof(int));
        memcpy(CMSG_DATA(c), &fd, sizeof fd);
    }
    return sendmsg(keep_in, &m, MSG_DONTWAIT | MSG_NOSIGNAL) < 0 ? errno : 0;
}

static bool
get(struct message *out)
{
    union {
        char bytes[CMSG_SPACE(sizeof(int))];
        struct cmsghdr align;
    } control;
    struct iovec iov = {out->name, sizeof out->name - 1};
    struct msghdr m = {.msg_iov = &iov,
                       .msg_iovlen = 1,
                       .msg_control = &control,
                       .msg_controllen = sizeof control.bytes};
    ssize_t n = recvmsg(keep_out, &m, MSG_DONTWAIT | MSG_CMSG_CLOEXEC);

    out->fd = -1;
    if (n <= 0) {
        return false;
    }
    out->name[n] = '\0';
    struct cmsghdr *c = CMSG_FIRSTHDR(&m);
    if (c && c->cmsg_level == SOL_SOCKET && c->cmsg_type == SCM_RIGHTS &&
        c->cmsg_len == CMSG_LEN(sizeof(int))) {
        memcpy(&out->fd, CMSG_DATA(c), sizeof out->fd);
    }
    return true;
}

/* Looks at every kept descriptor once: `drop` is not put back, `cb` gets each of the others.
 * Returns how many are kept then. */
static unsigned
go_round(const char *drop, void (*cb)(const char *name, int fd, void *aux), void *aux)
{
    static unsigned n_rounds;
    struct message m;
    unsigned n = 0;
    char end[32];

    snprintf(end, sizeof end, "-%ld.%u", (long) getpid(), ++n_rounds);
    if (put(end, -1)) {
        return DAEMON_KEEP_MAX; /* cannot be: its queue has room for a round and more */
    }
    for (unsigned i = 0; i < ROUND_MAX && get(&m); i++) {
        if (m.name[0] != '+' || m.fd < 0) {
            if (m.fd >= 0) {
                close(m.fd);
            }
            if (!strcmp(m.name, end)) {
                break;
            }
            continue; /* the end mark of a worker that crashed in its round */
        }
        if (drop && !strcmp(m.name + 1, drop)) {
            close(m.fd);
            continue;
        }
        if (put(m.name, m.fd)) {
            COVERAGE_INC(daemon_keep_lost);
        } else {
            n++;
        }
        if (cb) {
            cb(m.name + 1, m.fd, aux);
        } else {
            close(m.fd);
        }
    }
    return n;
}

int
daemon_keep_fd(const char *name, int fd)
{
    struct message m;
    size_t len = strlen(name);

    if (!len || len > DAEMON_KEEP_NAME_MAX) {
        return EINVAL;
    }
    if (keep_in < 0) {
        return 0;
    }
    if (go_round(name, NULL, NULL) >= DAEMON_KEEP_MAX) {
        return ENOSPC;
    }
    snprintf(m.name, sizeof m.name, "+%s", name);
    return put(m.name, fd);
}

void
daemon_keep_drop(const char *name)
{
    if (keep_in >= 0) {
        go_round(name, NULL, NULL);
    }
}

void
daemon_kept_for_each(void (*cb)(const char *name, int fd, void *aux), void *aux)
{
    if (keep_in >= 0) {
        go_round(NULL, cb, aux);
    }
}
