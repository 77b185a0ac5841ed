/* SPDX-License-Identifier: Apache-2.0 */
/* One client's conversation: receives a message, answers it.  Created by listener.c, runs on
 * the main thread's event loop.  Must not know where maps come from. */

#include "utilities/xvs-agent/session.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "log/coverage.h"
#include "log/log.h"
#include "os/clock.h"
#include "util/xalloc.h"
#include "utilities/xvs-agent/busy-poll.h"
#include "utilities/xvs-agent/request.h"

LOG_MODULE(agent_session);
COVERAGE_DEFINE(agent_request);
COVERAGE_DEFINE(agent_request_nak);
COVERAGE_DEFINE(agent_session_idle);
COVERAGE_DEFINE(agent_session_too_long);
COVERAGE_DEFINE(agent_reply_unsent);

static struct log_rate_limit rl = LOG_RATE_LIMIT(60);

union fd_control {
    char bytes[CMSG_SPACE(sizeof(int))];
    struct cmsghdr align;
};

/* The end: tells the owner and frees. */
static void
finish(struct session *s, const char *why)
{
    s->ops->over(s->aux, s, why);
    session_destroy(s);
}

/* Sends `text`, with `fd` unless that is -1.  False: the session is over and freed. */
static bool
reply(struct session *s, const char *text, int fd)
{
    union fd_control control;
    struct iovec iov = {.iov_base = (void *) (uintptr_t) text, .iov_len = strlen(text)};
    struct msghdr m = {.msg_iov = &iov, .msg_iovlen = 1};
    memset(&control, 0, sizeof control);
    if (fd >= 0) {
        m.msg_control = control.bytes;
        m.msg_controllen = sizeof control.bytes;
        struct cmsghdr *c = CMSG_FIRSTHDR(&m);
        c->cmsg_level = SOL_SOCKET;
        c->cmsg_type = SCM_RIGHTS;
        c->cmsg_len = CMSG_LEN(sizeof fd);
        memcpy(CMSG_DATA(c), &fd, sizeof fd);
    }
    if (sendmsg(s->io.fd, &m, MSG_DONTWAIT | MSG_NOSIGNAL) >= 0) {
        return true;
    }
    COVERAGE_INC(agent_reply_unsent);
    finish(s, errno == EAGAIN ? "the client does not read replies" : "the client is gone");
    return false;
}

/* A message in the queue, not yet taken from it.  Its descriptors stay with the kernel, which
 * can let go of them without waiting for anybody. */
static ssize_t
peek(int fd, char *buf, size_t sz, bool *has_fds)
{
    struct iovec iov = {.iov_base = buf, .iov_len = sz};
    struct msghdr m = {.msg_iov = &iov, .msg_iovlen = 1};
    ssize_t n = recvmsg(fd, &m, MSG_DONTWAIT | MSG_PEEK);
    *has_fds = n > 0 && (m.msg_flags & MSG_CTRUNC);
    return n;
}

/* Takes the message with its one descriptor; -1 if there are none, several, or no means. */
static int
take_fd(int fd)
{
    union fd_control control;
    char byte;
    struct iovec iov = {.iov_base = &byte, .iov_len = sizeof byte};
    struct msghdr m = {.msg_iov = &iov, .msg_iovlen = 1};
    if (fd_disposal_ready()) {
        m.msg_control = control.bytes;
        m.msg_controllen = CMSG_LEN(sizeof(int)); /* without room for a second one */
    }
    if (recvmsg(fd, &m, MSG_DONTWAIT | MSG_CMSG_CLOEXEC) < 0 || !m.msg_controllen) {
        return -1;
    }
    int taken = -1;
    struct cmsghdr *c = CMSG_FIRSTHDR(&m);
    if (c && c->cmsg_level == SOL_SOCKET && c->cmsg_type == SCM_RIGHTS &&
        c->cmsg_len == CMSG_LEN(sizeof taken)) {
        memcpy(&taken, CMSG_DATA(c), sizeof taken);
    }
    if (taken >= 0 && (m.msg_flags & MSG_CTRUNC)) {
        fd_dispose(taken);
        taken = -1;
    }
    return taken;
}

static bool
answer_busy_poll(struct session *s, const struct request *r, int fd)
{
    int error = fd < 0 ? EBADF : busy_poll_check(fd);
    if (fd >= 0 && error) {
        fd_dispose(fd);
    } else if (fd >= 0) {
        error = busy_poll_set(fd, r->timeout_us, r->budget);
        close(fd);
    }
    if (error) {
        LOG_WARN_RL(&rl, "busy polling for process %ld: %s", (long) s->peer.pid,
                    error == EBADF ? "no single descriptor came with the request"
                    : error == ENOTSOCK || error == EPROTOTYPE
                        ? "the descriptor is no AF_XDP socket"
                        : strerror(error));
    }
    return reply(s, error ? "/config_busy_poll_nak" : "/config_busy_poll_ack", -1);
}

static bool
answer_connect(struct session *s, const struct request *r)
{
    if (!s->ops->host_ok(s->aux, r->name)) {
        LOG_WARN_RL(&rl, "process %ld of user %u calls its host \"%s\": refused",
                    (long) s->peer.pid, (unsigned) s->peer.uid, r->name);
        if (reply(s, "/host_nak", -1)) {
            finish(s, "wrong host name");
        }
        return false;
    }
    s->accepted = true;
    snprintf(s->host, sizeof s->host, "%.*s", (int) REQUEST_HOST_MAX, r->name);
    return reply(s, "/host_ok", -1);
}

static bool
answer_map(struct session *s, const struct request *r)
{
    int fd = s->ops->map_fd(s->aux, r->name);
    if (fd < 0) {
        LOG_WARN_RL(&rl, "process %ld asked for the map of %s, which is not to be had here now",
                    (long) s->peer.pid, r->name);
        return reply(s, "/fd_nak", -1);
    }
    if (!reply(s, "/fd_ack", fd)) {
        return false;
    }
    s->n_maps++;
    LOG_INFO_RL(&rl, "gave the map of %s to process %ld of user %u", r->name,
                (long) s->peer.pid, (unsigned) s->peer.uid);
    return true;
}

/* False: the session is over and freed. */
static bool
answer(struct session *s, const struct request *r, int fd)
{
    switch (s->accepted || r->kind == REQUEST_CONNECT || r->kind == REQUEST_FIN
                ? r->kind
                : REQUEST_UNKNOWN) {
    case REQUEST_CONNECT:
        return answer_connect(s, r);
    case REQUEST_VERSION:
        return reply(s, "0.1", -1);
    case REQUEST_MAP:
        return answer_map(s, r);
    case REQUEST_BUSY_POLL:
        return answer_busy_poll(s, r, fd);
    case REQUEST_FIN:
        if (reply(s, "/fin_ack", -1)) {
            finish(s, "finished");
        }
        return false;
    case REQUEST_UNKNOWN:
        break;
    }
    COVERAGE_INC(agent_request_nak);
    return reply(s, "/nak", -1);
}

/* One message; false when there is none or the session is over. */
static bool
serve_one(struct session *s)
{
    char buf[REQUEST_MAX + 1]; /* one more, to tell what is too long */
    struct request r;
    bool has_fds;
    int fd = -1;
    ssize_t n = peek(s->io.fd, buf, sizeof buf, &has_fds);
    if (n < 0 && (errno == EAGAIN || errno == EINTR)) {
        return false;
    }
    if (n <= 0) {
        finish(s, n < 0 ? strerror(errno) : "closed by the client");
        return false;
    }
    COVERAGE_INC(agent_request);
    request_parse(buf, (size_t) n, &r);
    if (s->accepted && r.kind == REQUEST_BUSY_POLL) {
        fd = take_fd(s->io.fd);
    } else {
        (void) !recv(s->io.fd, buf, 1, MSG_DONTWAIT);
        if (has_fds) {
            r.kind = REQUEST_UNKNOWN;
        }
    }
    if (++s->n_requests > SESSION_REQUESTS_MAX) {
        COVERAGE_INC(agent_session_too_long);
        if (fd >= 0) {
            fd_dispose(fd);
        }
        finish(s, "too many requests");
        return false;
    }
    if (!answer(s, &r, fd)) {
        return false;
    }
    if (s->accepted) {
        ev_timer_start(&s->idle, s->idle_ms);
    }
    return true;
}

static void
on_event(struct ev_io *io, short revents)
{
    struct session *s = io->aux;
    for (int i = 0; i < SESSION_BURST && serve_one(s); i++) {
        continue;
    }
}

static void
on_idle(struct ev_timer *t)
{
    COVERAGE_INC(agent_session_idle);
    finish(t->aux, "idle for too long");
}

struct session *
session_create(struct evloop *loop, int fd, const struct ucred *peer, int64_t idle_ms,
               const struct session_ops *ops, void *aux)
{
    struct session *s = xzalloc(sizeof *s);
    s->ops = ops;
    s->aux = aux;
    s->peer = *peer;
    s->idle_ms = idle_ms;
    s->started_ms = clock_now_ms();
    ev_io_init(&s->io, loop, on_event, s);
    ev_io_start(&s->io, fd, POLLIN);
    ev_timer_init(&s->idle, loop, on_idle, s);
    ev_timer_start(&s->idle, idle_ms);
    return s;
}

void
session_destroy(struct session *s)
{
    int fd = s->io.fd;
    ev_io_stop(&s->io);
    ev_timer_stop(&s->idle);
    close(fd);
    free(s);
}
