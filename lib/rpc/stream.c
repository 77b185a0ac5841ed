/* SPDX-License-Identifier: Apache-2.0 */

/* Active byte streams and what accepted ones share with them: connecting, reading, writing,
 * waiting on the event loop.  Used by jsonrpc.c on the main thread.  Must not know what the
 * bytes mean; TLS is behind the stream_tls_ calls. */

#include "rpc/stream-private.h"
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include "util/xalloc.h"

static void
stream_io_cb(struct ev_io *io, short revents)
{
    struct stream *s = io->aux;
    s->ready(s, s->aux);
}

static void
stream_soon_cb(struct ev_timer *timer)
{
    struct stream *s = timer->aux;
    if (s->ready) {
        s->ready(s, s->aux);
    }
}

struct stream *
stream_wrap(struct evloop *loop, int fd, const char *name, enum stream_state state)
{
    struct stream *s = xzalloc(sizeof *s);
    s->loop = loop;
    s->fd = fd;
    s->name = xstrdup(name);
    s->state = state;
    s->rx_events = POLLIN;
    s->tx_events = POLLOUT;
    ev_io_init(&s->io, loop, stream_io_cb, s);
    ev_timer_init(&s->soon, loop, stream_soon_cb, s);
    return s;
}

void
stream_fail(struct stream *s, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    free(s->error);
    s->error = xvasprintf(format, args);
    va_end(args);
    s->state = STREAM_FAILED;
}

void
stream_mark_fd(int fd, unsigned dscp)
{
    int domain = AF_UNIX, tos = (int) dscp << 2;
    socklen_t len = sizeof domain;

    getsockopt(fd, SOL_SOCKET, SO_DOMAIN, &domain, &len);
    if (domain == AF_INET) {
        setsockopt(fd, IPPROTO_IP, IP_TOS, &tos, sizeof tos);
    } else if (domain == AF_INET6) {
        setsockopt(fd, IPPROTO_IPV6, IPV6_TCLASS, &tos, sizeof tos);
    }
}

static int
open_socket(const struct stream_target *t, unsigned dscp, int *fdp, bool *connected)
{
    int family = t->kind == STREAM_UNIX ? AF_UNIX : t->addr.ss_family;
    int fd = socket(family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (fd < 0) {
        return errno;
    }
    int error;
    if (t->kind == STREAM_UNIX) {
        error = stream_unix_attach(fd, t->path, connect);
    } else {
        int on = 1;
        setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
        stream_mark_fd(fd, dscp);
        error = connect(fd, (const struct sockaddr *) &t->addr, t->addr_len) ? errno : 0;
    }
    *connected = !error;
    /* A full backlog of a Unix socket is EAGAIN: nothing will announce room, so it is a
     * failure to be tried again later. */
    if (error && error != EINPROGRESS) {
        close(fd);
        return error == EAGAIN ? ECONNREFUSED : error;
    }
    *fdp = fd;
    return 0;
}

int
stream_open_dscp(struct evloop *loop, const char *target, unsigned dscp, struct stream **sp,
                 char **errp)
{
    struct stream_target t;
    bool connected = false;
    int fd = -1;
    *sp = NULL;
    int error = stream_target_parse(target, &t, errp);
    if (!error && t.passive) {
        error_set(errp, "%s: a passive target cannot be connected to", target);
        error = EINVAL;
    }
    if (!error) {
        error = open_socket(&t, dscp, &fd, &connected);
    }
    if (!error) {
        struct stream *s = stream_wrap(loop, fd, target, STREAM_CONNECTING);
        if (t.kind == STREAM_SSL) {
            error = stream_tls_attach(s, false, errp);
        } else if (connected) {
            s->state = STREAM_OPEN;
        }
        if (error) {
            stream_close(s);
        } else {
            *sp = s;
        }
    }
    if (error) {
        error_set(errp, "%s: %s", target, strerror(error));
    }
    stream_target_free(&t);
    return error;
}

int
stream_open(struct evloop *loop, const char *target, struct stream **sp, char **errp)
{
    return stream_open_dscp(loop, target, 0, sp, errp);
}

void
stream_set_dscp(struct stream *s, unsigned dscp)
{
    stream_mark_fd(s->fd, dscp);
}

void
stream_close(struct stream *s)
{
    if (!s) {
        return;
    }
    stream_unwatch(s);
    stream_tls_free(s->tls);
    if (s->fd >= 0) {
        close(s->fd);
    }
    free(s->name);
    free(s->error);
    free(s);
}

const char *
stream_name(const struct stream *s)
{
    return s->name;
}

const char *
stream_error(const struct stream *s)
{
    return s->error ? s->error : "no error";
}

int
stream_fd(const struct stream *s)
{
    return s->fd;
}

void
stream_watch(struct stream *s, stream_ready_cb *ready, void *aux, bool want_send)
{
    short events = 0;
    s->ready = ready;
    s->aux = aux;
    switch (s->state) {
    case STREAM_CONNECTING:
        events = POLLOUT;
        break;
    case STREAM_HANDSHAKE:
        events = s->rx_events;
        break;
    case STREAM_OPEN:
        events = (s->recv_paused ? 0 : s->rx_events) | (want_send ? s->tx_events : 0);
        break;
    case STREAM_FAILED:
        ev_io_stop(&s->io);
        return;
    }
    if (!s->io.active || s->io.events != events) {
        ev_io_start(&s->io, s->fd, events);
    }
}

void
stream_unwatch(struct stream *s)
{
    ev_io_stop(&s->io);
    ev_timer_stop(&s->soon);
}

void
stream_pause_recv(struct stream *s, bool paused)
{
    s->recv_paused = paused;
}

void
stream_rewatch_soon(struct stream *s)
{
    ev_timer_start(&s->soon, 0);
}

int
stream_connect(struct stream *s)
{
    if (s->state == STREAM_CONNECTING) {
        struct pollfd pfd = {.fd = s->fd, .events = POLLOUT};
        if (poll(&pfd, 1, 0) <= 0) {
            return EAGAIN;
        }
        int error = 0;
        socklen_t len = sizeof error;
        if (getsockopt(s->fd, SOL_SOCKET, SO_ERROR, &error, &len)) {
            error = errno;
        }
        if (error) {
            stream_fail(s, "%s", strerror(error));
            return error;
        }
        s->state = s->tls ? STREAM_HANDSHAKE : STREAM_OPEN;
    }
    if (s->state == STREAM_HANDSHAKE) {
        int error = stream_tls_handshake(s);
        if (error) {
            return error;
        }
        s->rx_events = POLLIN;
        s->state = STREAM_OPEN;
    }
    return s->state == STREAM_OPEN ? 0 : ECONNABORTED;
}

ssize_t
stream_recv(struct stream *s, void *buf, size_t n)
{
    if (s->state != STREAM_OPEN) {
        return s->state == STREAM_FAILED ? -ECONNABORTED : -EAGAIN;
    }
    if (s->tls) {
        return stream_tls_recv(s, buf, n);
    }
    ssize_t got;
    do {
        got = recv(s->fd, buf, n, 0);
    } while (got < 0 && errno == EINTR);
    if (got < 0) {
        int error = errno;
        if (error != EAGAIN) {
            stream_fail(s, "%s", strerror(error));
        }
        return -error;
    }
    return got;
}

ssize_t
stream_send(struct stream *s, const void *buf, size_t n)
{
    if (s->state != STREAM_OPEN) {
        return s->state == STREAM_FAILED ? -ECONNABORTED : -EAGAIN;
    }
    if (s->tls) {
        return stream_tls_send(s, buf, n);
    }
    ssize_t sent;
    do {
        sent = send(s->fd, buf, n, MSG_NOSIGNAL);
    } while (sent < 0 && errno == EINTR);
    if (sent < 0) {
        int error = errno;
        if (error != EAGAIN) {
            stream_fail(s, "%s", strerror(error));
        }
        return -error;
    }
    return sent;
}
