/* SPDX-License-Identifier: Apache-2.0 */
/* Accepting clients: credentials, limits, and what --once means.  Owned by agent.c; main
 * thread. Must not know how devices are prepared. */

#include "utilities/xvs-agent/listener.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "log/coverage.h"
#include "log/log.h"
#include "util/xalloc.h"
#include "utilities/xvs-agent/listener-open.h"

LOG_MODULE(agent_listener);
COVERAGE_DEFINE(agent_peer_refused);
COVERAGE_DEFINE(agent_sessions_full);
COVERAGE_DEFINE(agent_accept_failed);

#define ACCEPT_PAUSE_MS 500
#define ACCEPT_BURST 8

static struct log_rate_limit rl = LOG_RATE_LIMIT(60);

static int64_t
idle_ms(const struct listener *l)
{
    return (int64_t) l->config->idle_s * 1000;
}

/* ------------------------------------------------------------------ for sessions */

static bool
host_ok(void *aux, const char *hostname)
{
    const struct listener *l = aux;
    return !l->client->host || !strcmp(l->client->host, hostname);
}

static int
map_fd(void *aux, const char *device)
{
    const struct listener *l = aux;
    for (unsigned i = 0; i < l->config->n_devices; i++) {
        const struct agent_device_config *d = &l->config->devices[i];
        if (!strcmp(d->name, device) && !strcmp(d->socket, l->path)) {
            return l->map_fd(l->aux, d);
        }
    }
    return -1;
}

/* With --once there is no more to come. */
static void
done(struct listener *l)
{
    listener_close(l);
    l->state = LISTENER_DONE;
}

static void
session_over(void *aux, struct session *s, const char *why)
{
    struct listener *l = aux;
    struct session **p = &l->sessions;
    while (*p != s) {
        p = &(*p)->next;
    }
    *p = s->next;
    l->n_sessions--;
    LOG_INFO_RL(&rl, "%s: session of process %ld is over: %s (%u maps given)", l->path,
                (long) s->peer.pid, why, s->n_maps);
    if (l->config->once) {
        done(l);
    }
}

static const struct session_ops session_ops = {
    .host_ok = host_ok,
    .map_fd = map_fd,
    .over = session_over,
};

/* ------------------------------------------------------------------ accepting */

/* Whether the peer may talk to us; silent, for who may not is told nothing. */
static bool
check_peer(struct listener *l, int fd, struct ucred *peer)
{
    socklen_t len = sizeof *peer;
    if (getsockopt(fd, SOL_SOCKET, SO_PEERCRED, peer, &len) || len != sizeof *peer) {
        return false;
    }
    if (!agent_device_config_allows(l->client, peer->uid)) {
        COVERAGE_INC(agent_peer_refused);
        LOG_WARN_RL(&rl, "%s: process %ld of user %u may not connect", l->path,
                    (long) peer->pid, (unsigned) peer->uid);
        return false;
    }
    return true;
}

static void
welcome(struct listener *l, int fd)
{
    struct ucred peer;
    if (!check_peer(l, fd, &peer)) {
        l->n_refused++;
        close(fd);
        return;
    }
    if (l->n_sessions == LISTENER_SESSIONS_MAX) {
        COVERAGE_INC(agent_sessions_full);
        LOG_WARN_RL(&rl, "%s: %u sessions already, process %ld must wait", l->path,
                    l->n_sessions, (long) peer.pid);
        l->n_refused++;
        close(fd);
        return;
    }
    struct session *s = session_create(l->loop, fd, &peer, idle_ms(l), &session_ops, l);
    s->next = l->sessions;
    l->sessions = s;
    l->n_sessions++;
    l->n_accepted++;
    if (l->config->once) {
        /* Others may knock, but are not let in. */
        ev_timer_stop(&l->pause);
        ev_io_start(&l->io, l->io.fd, 0);
    }
}

static void
on_connection(struct ev_io *io, short revents)
{
    struct listener *l = io->aux;
    for (int i = 0; i < ACCEPT_BURST && l->state == LISTENER_LISTENING; i++) {
        int fd = accept4(io->fd, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);
        if (fd >= 0) {
            welcome(l, fd);
            if (l->config->once && l->n_sessions) {
                return;
            }
        } else if (errno == EAGAIN) {
            return;
        } else if (errno != EINTR && errno != ECONNABORTED) {
            COVERAGE_INC(agent_accept_failed);
            LOG_WARN_RL(&rl, "%s: cannot accept a client now (%s)", l->path, strerror(errno));
            ev_io_start(io, io->fd, 0); /* the connection waits; do not spin on it */
            ev_timer_start(&l->pause, ACCEPT_PAUSE_MS);
            return;
        }
    }
}

static void
on_pause_over(struct ev_timer *t)
{
    struct listener *l = t->aux;
    if (l->io.active && !l->io.events && !(l->config->once && l->n_sessions)) {
        ev_io_start(&l->io, l->io.fd, POLLIN);
        if (l->config->once) {
            ev_timer_start(t, idle_ms(l));
        }
    } else if (l->config->once && !l->n_sessions) {
        LOG_INFO("%s: nobody came", l->path);
        done(l);
    }
}

/* ------------------------------------------------------------------ life cycle */

void
listener_init(struct listener *l, struct evloop *loop, const struct agent_config *config,
              const struct agent_device_config *client, listener_map_fn *fn, void *aux)
{
    *l = (struct listener){.loop = loop,
                           .config = config,
                           .client = client,
                           .path = client->socket,
                           .name = strrchr(client->socket, '/') + 1,
                           .map_fd = fn,
                           .aux = aux};
    folder_init(&l->folder);
    ev_io_init(&l->io, loop, on_connection, l);
    ev_timer_init(&l->pause, loop, on_pause_over, l);
}

/* A folder in /tmp may be swept by others, and the client may remove its own socket. */
static void
check_file(struct listener *l)
{
    struct stat st;
    if (lstat(l->path, &st) || st.st_dev != l->st.st_dev || st.st_ino != l->st.st_ino) {
        LOG_WARN("%s was removed; making it again", l->path);
        listener_close(l);
        folder_close(&l->folder);
        folder_outer_put(l->outer);
        l->outer = NULL;
    }
}

bool
listener_open(struct listener *l)
{
    if (l->state == LISTENER_LISTENING && !l->config->once) {
        check_file(l);
    }
    if (l->state != LISTENER_CLOSED) {
        return true;
    }
    char *old_error = l->error;
    l->error = NULL;
    int fd = listener_bind(l);
    if (fd < 0) {
        if (!old_error || strcmp(old_error, l->error)) {
            LOG_WARN("%s", l->error);
        }
        free(old_error);
        return false;
    }
    free(old_error);
    ev_io_start(&l->io, fd, POLLIN);
    l->state = LISTENER_LISTENING;
    if (l->config->once) {
        ev_timer_start(&l->pause, idle_ms(l));
    }
    LOG_INFO("listening on %s", l->path);
    return true;
}

void
listener_close(struct listener *l)
{
    if (l->state == LISTENER_LISTENING) {
        int fd = l->io.fd;
        ev_io_stop(&l->io);
        ev_timer_stop(&l->pause);
        listener_unbind(l, fd);
        l->state = LISTENER_CLOSED;
    }
}

void
listener_destroy(struct listener *l)
{
    listener_close(l);
    while (l->sessions) {
        struct session *s = l->sessions;
        l->sessions = s->next;
        session_destroy(s);
    }
    l->n_sessions = 0;
    folder_close(&l->folder);
    folder_outer_put(l->outer);
    l->outer = NULL;
    free(l->error);
    l->error = NULL;
}
