/* SPDX-License-Identifier: Apache-2.0 */

/* Passive streams: listening sockets that hand each accepted connection to a callback.  Used by
 * the unixctl server and by the OVSDB client's passive remotes, on the main thread.  Must not
 * know who is at the other end. */

#include "rpc/stream-private.h"
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>
#include "log/coverage.h"
#include "log/log.h"
#include "util/xalloc.h"

LOG_MODULE(stream);
COVERAGE_DEFINE(stream_accept_failed);

enum { ACCEPTS_PER_TURN = 16, LISTEN_BACKLOG = 64, ACCEPT_PAUSE_MS = 1000 };

struct stream_listener {
    struct evloop *loop;
    struct ev_io io;
    struct ev_timer pause; /* descriptors ran out: do not spin */
    int fd;
    bool tls;
    char *name;
    char *path; /* the socket file we made, or NULL */
    dev_t dev;  /* ... and its identity, so that no other file is removed */
    ino_t ino;
    unsigned n_accepted;
    stream_accept_cb *accepted;
    void *aux;
};

static void
accept_one(struct stream_listener *l, int fd)
{
    char *name = xasprintf("%s#%u", l->name, ++l->n_accepted);
    struct stream *s = stream_wrap(l->loop, fd, name, l->tls ? STREAM_HANDSHAKE : STREAM_OPEN);
    char *why = NULL;
    free(name);
    if (l->tls && stream_tls_attach(s, true, &why)) {
        static struct log_rate_limit rl = LOG_RATE_LIMIT(6);
        LOG_WARN_RL(&rl, "%s: connection refused: %s", l->name, why);
        free(why);
        COVERAGE_INC(stream_accept_failed);
        stream_close(s);
        return;
    }
    l->accepted(s, l->aux);
}

static void
listener_io_cb(struct ev_io *io, short revents)
{
    struct stream_listener *l = io->aux;
    for (int i = 0; i < ACCEPTS_PER_TURN && l->io.active; i++) {
        int fd = accept4(l->fd, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);
        if (fd >= 0) {
            accept_one(l, fd);
        } else if (errno == EMFILE || errno == ENFILE || errno == ENOMEM || errno == ENOBUFS) {
            COVERAGE_INC(stream_accept_failed);
            ev_io_stop(&l->io);
            ev_timer_start(&l->pause, ACCEPT_PAUSE_MS);
            return;
        } else if (errno != ECONNABORTED && errno != EINTR) {
            return;
        }
    }
}

static void
listener_pause_cb(struct ev_timer *timer)
{
    struct stream_listener *l = timer->aux;
    ev_io_start(&l->io, l->fd, POLLIN);
}

static int
bind_unix(struct stream_listener *l, const char *path, unsigned mode)
{
    struct stat st;
    if (!lstat(path, &st) && S_ISSOCK(st.st_mode)) {
        unlink(path);
    }
    int error = stream_unix_attach(l->fd, path, bind);
    if (error) {
        return error;
    }
    l->path = xstrdup(path);
    /* Nobody can connect before listen(), so permissions are right from the first moment. */
    if (chmod(path, mode) || lstat(path, &st)) {
        return errno;
    }
    l->dev = st.st_dev;
    l->ino = st.st_ino;
    return 0;
}

static int
listener_bind(struct stream_listener *l, const struct stream_target *t, unsigned mode)
{
    int error;
    if (t->kind == STREAM_UNIX) {
        error = bind_unix(l, t->path, mode);
    } else {
        int on = 1;
        setsockopt(l->fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
        error = bind(l->fd, (const struct sockaddr *) &t->addr, t->addr_len) ? errno : 0;
    }
    if (!error && listen(l->fd, LISTEN_BACKLOG)) {
        error = errno;
    }
    return error;
}

int
stream_listen(struct evloop *loop, const char *target, unsigned mode,
              stream_accept_cb *accepted, void *aux, struct stream_listener **lp, char **errp)
{
    struct stream_target t;
    *lp = NULL;
    int error = stream_target_parse(target, &t, errp);
    if (!error && !t.passive) {
        error_set(errp, "%s: not a target to listen on", target);
        error = EINVAL;
    }
    if (error) {
        stream_target_free(&t);
        return error;
    }
    struct stream_listener *l = xzalloc(sizeof *l);
    l->loop = loop;
    l->tls = t.kind == STREAM_SSL;
    l->name = xstrdup(target);
    l->accepted = accepted;
    l->aux = aux;
    ev_io_init(&l->io, loop, listener_io_cb, l);
    ev_timer_init(&l->pause, loop, listener_pause_cb, l);
    int family = t.kind == STREAM_UNIX ? AF_UNIX : t.addr.ss_family;
    l->fd = socket(family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    error = l->fd < 0 ? errno : listener_bind(l, &t, mode);
    stream_target_free(&t);
    if (error) {
        error_set(errp, "%s: cannot listen: %s", target, strerror(error));
        stream_listener_close(l);
        return error;
    }
    ev_io_start(&l->io, l->fd, POLLIN);
    *lp = l;
    return 0;
}

void
stream_listener_set_dscp(struct stream_listener *l, unsigned dscp)
{
    stream_mark_fd(l->fd, dscp); /* accepted sockets inherit it */
}

void
stream_listener_close(struct stream_listener *l)
{
    if (!l) {
        return;
    }
    ev_io_stop(&l->io);
    ev_timer_stop(&l->pause);
    if (l->fd >= 0) {
        close(l->fd);
    }
    struct stat st;
    if (l->path && !lstat(l->path, &st) && st.st_dev == l->dev && st.st_ino == l->ino) {
        unlink(l->path);
    }
    free(l->path);
    free(l->name);
    free(l);
}
