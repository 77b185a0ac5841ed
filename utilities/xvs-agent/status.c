/* SPDX-License-Identifier: Apache-2.0 */
/* The agent's side of `xvs-agent status`.  Runs on the main thread's event loop, reads the
 * agent's state and changes nothing. */

#include "utilities/xvs-agent/status.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "log/coverage.h"
#include "log/log.h"
#include "os/clock.h"
#include "os/signals.h"
#include "util/version.h"
#include "util/xalloc.h"

LOG_MODULE(agent_status);
COVERAGE_DEFINE(agent_status_cut);
COVERAGE_DEFINE(agent_status_accept_failed);

#define ACCEPT_PAUSE_MS 500

static void
set_text(json_t *o, const char *key, const char *text)
{
    if (text) {
        json_object_set_new(o, key, json_string(text));
    }
}

static json_t *
device_json(const struct device *d)
{
    const struct agent_device_config *c = d->config;
    json_t *o = json_pack("{s:s, s:s, s:s}", "name", c->name, "socket", c->socket, "state",
                          d->ready ? "ready" : "waiting");
    set_text(o, "error", d->error);
    set_text(o, "netns", d->netns.spec);
    if (d->ready) {
        json_object_set_new(o, "xdp-mode", json_string(d->generic ? "generic" : "native"));
        json_object_set_new(o, "program-id", json_integer(d->xdp.prog_id));
        json_object_set_new(o, "map-slots", json_integer(d->n_slots));
        json_object_set_new(o, "queues", json_integer(d->n_queues));
        json_object_set_new(o, "ifindex", json_integer(d->ifindex));
        json_object_set_new(o, "elsewhere", json_boolean(d->elsewhere));
    }
    set_text(o, "pin", d->pin.path);
    set_text(o, "pin-error", d->pin_error);
    return o;
}

static json_t *
session_json(const struct session *s)
{
    json_t *o =
        json_pack("{s:I, s:I, s:b, s:I, s:I, s:I}", "pid", (json_int_t) s->peer.pid, "uid",
                  (json_int_t) s->peer.uid, "accepted", (int) s->accepted, "requests",
                  (json_int_t) s->n_requests, "maps", (json_int_t) s->n_maps, "age-ms",
                  (json_int_t) (clock_now_ms() - s->started_ms));
    set_text(o, "host", s->accepted ? s->host : NULL);
    return o;
}

static json_t *
listener_json(const struct listener *l)
{
    static const char *const states[] = {"closed", "listening", "done"};
    json_t *uids = json_array(), *sessions = json_array();
    json_array_append_new(uids, json_integer(0));
    for (unsigned i = 0; i < l->client->n_uids; i++) {
        json_array_append_new(uids, json_integer(l->client->uids[i]));
    }
    for (const struct session *s = l->sessions; s; s = s->next) {
        json_array_append_new(sessions, session_json(s));
    }
    json_t *o = json_pack("{s:s, s:s, s:o, s:o, s:I, s:I}", "path", l->path, "state",
                          states[l->state], "uids", uids, "sessions", sessions, "accepted",
                          (json_int_t) l->n_accepted, "refused", (json_int_t) l->n_refused);
    set_text(o, "host", l->client->host);
    set_text(o, "error", l->error);
    return o;
}

json_t *
status_json(const struct agent *a)
{
    json_t *devices = json_array(), *sockets = json_array();
    for (unsigned i = 0; i < a->config->n_devices; i++) {
        json_array_append_new(devices, device_json(&a->devices[i]));
    }
    for (unsigned i = 0; i < a->n_listeners; i++) {
        json_array_append_new(sockets, listener_json(&a->listeners[i]));
    }
    return json_pack("{s:s, s:I, s:b, s:o, s:o}", "version", version_xvs(), "pid",
                     (json_int_t) getpid(), "once", (int) a->config->once, "devices", devices,
                     "sockets", sockets);
}

/* What does not fit into the socket's buffer at once is not worth waiting for. */
static void
answer(const struct agent *a, int fd)
{
    json_t *o = status_json(a);
    char *text = json_dumps(o, JSON_COMPACT);
    size_t len = text ? strlen(text) : 0;
    if (send(fd, text ? text : "", len, MSG_DONTWAIT | MSG_NOSIGNAL) != (ssize_t) len) {
        COVERAGE_INC(agent_status_cut);
    }
    free(text);
    json_decref(o);
}

static void
on_connection(struct ev_io *io, short revents)
{
    struct status_server *s = io->aux;
    int fd = accept4(io->fd, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);
    if (fd >= 0) {
        answer(s->agent, fd);
        close(fd);
    } else if (errno != EAGAIN && errno != EINTR && errno != ECONNABORTED) {
        COVERAGE_INC(agent_status_accept_failed);
        ev_io_start(io, io->fd, 0);
        ev_timer_start(&s->pause, ACCEPT_PAUSE_MS);
    }
}

static void
on_pause_over(struct ev_timer *t)
{
    struct status_server *s = t->aux;
    ev_io_start(&s->io, s->io.fd, POLLIN);
}

/* Removes a dead socket; EADDRINUSE if somebody listens or it is no socket. */
static int
make_room(int fd, const struct sockaddr_un *sun)
{
    struct stat st;
    if (lstat(sun->sun_path, &st)) {
        return 0;
    }
    if (!S_ISSOCK(st.st_mode) || !connect(fd, (const struct sockaddr *) sun, sizeof *sun) ||
        errno != ECONNREFUSED) {
        return EADDRINUSE;
    }
    return unlink(sun->sun_path) ? errno : 0;
}

int
status_server_start(struct status_server *s, struct evloop *loop, const struct agent *a,
                    const char *path, char **errp)
{
    struct sockaddr_un sun = {.sun_family = AF_UNIX};
    *s = (struct status_server){.agent = a};
    ev_io_init(&s->io, loop, on_connection, s);
    ev_timer_init(&s->pause, loop, on_pause_over, s);
    if (strlen(path) >= sizeof sun.sun_path) {
        error_set(errp, "%s is too long for the path of a socket", path);
        return ENAMETOOLONG;
    }
    strcpy(sun.sun_path, path);
    int probe = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    int error = probe < 0 || fd < 0 ? errno : make_room(probe, &sun);
    if (!error) {
        mode_t mask = umask(0177);
        error =
            bind(fd, (const struct sockaddr *) &sun, sizeof sun) || listen(fd, 8) ? errno : 0;
        umask(mask);
    }
    if (probe >= 0) {
        close(probe);
    }
    if (error) {
        error_set(errp, "cannot listen on %s (%s)", path,
                  error == EADDRINUSE ? "it is in use, perhaps by another xvs-agent"
                                      : strerror(error));
        if (fd >= 0) {
            close(fd);
        }
        return error;
    }
    cleanup_file_add(path);
    s->path = xstrdup(path);
    ev_io_start(&s->io, fd, POLLIN);
    return 0;
}

void
status_server_stop(struct status_server *s)
{
    if (s->path) {
        int fd = s->io.fd;
        ev_io_stop(&s->io);
        ev_timer_stop(&s->pause);
        close(fd);
        cleanup_file_unlink(s->path);
        free(s->path);
        s->path = NULL;
    }
}
