/* SPDX-License-Identifier: Apache-2.0 */

/* A session's life, its queue of requests, and what event loops and displays ask of it.  Called
 * by the user of the library, on one thread at a time.  Never waits and never talks to the
 * server: that is xskcni-steps.c. */

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/un.h>
#include <unistd.h>
#include "xskcni/xskcni-private.h"

#define BUDGET_MAX 65535u /* the kernel keeps it in 16 bits */

static int
copy_names(struct xskcni_session *s, const struct xskcni_options *o, char *err, size_t err_sz)
{
    char own[256];
    const char *hostname = o->hostname;
    if (!hostname) {
        if (gethostname(own, sizeof own - 1)) {
            xskcni__format(err, err_sz, "cannot find this host's name: %s", strerror(errno));
            return errno;
        }
        own[sizeof own - 1] = '\0';
        hostname = own;
    }
    const char *fault = xskcni__name_fault(hostname, XSKCNI_HOSTNAME_MAX, false);
    if (fault) {
        xskcni__format(
            err, err_sz,
            "host name \"%.80s\" %s: a host name of 1 to %u bytes, without blank or "
            "comma, can be told to the AF_XDP device plugin; give the pod such a name",
            hostname, fault, XSKCNI_HOSTNAME_MAX);
        return EINVAL;
    }
    s->path = strdup(o->path);
    s->hostname = strdup(hostname);
    return s->path && s->hostname ? 0 : ENOMEM;
}

static int
check_options(const struct xskcni_options *o, char *err, size_t err_sz)
{
    size_t room = sizeof((struct sockaddr_un *) 0)->sun_path - 1;
    if (o->sz < sizeof *o) {
        xskcni__format(err, err_sz, "libxskcni was called with options of unknown size %zu",
                       o->sz);
        return EINVAL;
    }
    if (!o->path || !*o->path) {
        xskcni__format(err, err_sz, "no path of an AF_XDP device plugin's socket is given");
        return EINVAL;
    }
    if (strlen(o->path) > room) {
        xskcni__format(
            err, err_sz,
            "socket path \"%.40s...\" has %zu bytes, a Unix socket's has at most %zu: "
            "mount the socket under a shorter path",
            o->path, strlen(o->path), room);
        return ENAMETOOLONG;
    }
    if (o->step_ms > XSKCNI_STEP_MS_MAX) {
        xskcni__format(err, err_sz, "time limit %u ms is not in the range 1 to %u", o->step_ms,
                       XSKCNI_STEP_MS_MAX);
        return EINVAL;
    }
    return 0;
}

struct xskcni_session *
xskcni_session_new(const struct xskcni_options *o, char *err, size_t err_sz)
{
    int error = check_options(o, err, err_sz);
    if (error) {
        errno = error;
        return NULL;
    }
    struct xskcni_session *s = calloc(1, sizeof *s);
    error = s ? copy_names(s, o, err, err_sz) : ENOMEM;
    if (error == ENOMEM) {
        xskcni__format(err, err_sz, "out of memory");
    }
    if (s) {
        s->fd = -1;
        s->tail = &s->head;
        s->step_ms = o->step_ms ? o->step_ms : XSKCNI_STEP_MS;
        s->cb = o->cb;
        s->aux = o->aux;
        s->not_before_ms = INT64_MIN;
    }
    if (error) {
        xskcni_session_free(s);
        errno = error;
        return NULL;
    }
    return s;
}

void
xskcni__request_free(struct xskcni__request *r)
{
    if (r->xsk_fd >= 0) {
        close(r->xsk_fd);
    }
    free(r);
}

struct xskcni__request *
xskcni__request_pop(struct xskcni_session *s)
{
    struct xskcni__request *r = s->head;
    s->head = r->next;
    if (!s->head) {
        s->tail = &s->head;
    }
    s->n_pending--;
    return r;
}

void
xskcni__hang_up(struct xskcni_session *s)
{
    if (s->fd >= 0) {
        close(s->fd);
        s->fd = -1;
    }
    s->state = XSKCNI_STATE_IDLE;
}

void
xskcni_session_free(struct xskcni_session *s)
{
    if (!s) {
        return;
    }
    if (s->running) {
        s->freed = true;
        s->cb = NULL;
        return;
    }
    xskcni__hang_up(s);
    while (s->head) {
        xskcni__request_free(xskcni__request_pop(s));
    }
    free(s->path);
    free(s->hostname);
    free(s);
}

/* Requests. */

int
xskcni_open(struct xskcni_session *s)
{
    switch (s->state) {
    case XSKCNI_STATE_IDLE:
    case XSKCNI_STATE_FINISHING:
        s->want_open = true;
        s->want_fin = false;
        return 0;
    case XSKCNI_STATE_READY:
    case XSKCNI_STATE_ASKING:
        return EISCONN;
    default:
        return EALREADY;
    }
}

static int
enqueue(struct xskcni_session *s, enum xskcni_op op, void *tag, int xsk_fd, const char *text)
{
    struct xskcni__request *r = calloc(1, sizeof *r);
    if (!r) {
        snprintf(s->last_error, sizeof s->last_error, "out of memory");
        return ENOMEM;
    }
    r->op = op;
    r->tag = tag;
    r->xsk_fd = xsk_fd;
    snprintf(r->text, sizeof r->text, "%s", text);
    *s->tail = r;
    s->tail = &r->next;
    s->n_pending++;
    s->want_fin = false;
    return 0;
}

int
xskcni_get_map(struct xskcni_session *s, const char *device, void *tag)
{
    const char *fault = xskcni__name_fault(device, XSKCNI_DEVICE_MAX, true);
    if (fault) {
        snprintf(s->last_error, sizeof s->last_error,
                 "device name \"%.80s\" %s: the AF_XDP device plugin cannot be asked for it",
                 device ? device : "", fault);
        return EINVAL;
    }
    char text[XSKCNI_MESSAGE_MAX + 1];
    snprintf(text, sizeof text, "/xsk_map_fd,%s", device);
    return enqueue(s, XSKCNI_OP_MAP, tag, -1, text);
}

int
xskcni_config_busy_poll(struct xskcni_session *s, int xsk_fd, unsigned timeout_us,
                        unsigned budget, void *tag)
{
    if (timeout_us > INT_MAX || budget < 1 || budget > BUDGET_MAX) {
        snprintf(s->last_error, sizeof s->last_error,
                 "busy polling with time-out %u us and budget %u is not possible: the time-out "
                 "is 0 to %d, the budget 1 to %u",
                 timeout_us, budget, INT_MAX, BUDGET_MAX);
        return EINVAL;
    }
    int own = xsk_fd < 0 ? -1 : fcntl(xsk_fd, F_DUPFD_CLOEXEC, 0);
    if (own < 0) {
        int error = xsk_fd < 0 ? EBADF : errno;
        snprintf(s->last_error, sizeof s->last_error,
                 "the socket for busy polling (file descriptor %d) cannot be duplicated: %s",
                 xsk_fd, strerror(error));
        return error;
    }
    char text[XSKCNI_MESSAGE_MAX + 1];
    snprintf(text, sizeof text, "/config_busy_poll,%u,%u", timeout_us, budget);
    int error = enqueue(s, XSKCNI_OP_BUSY_POLL, tag, own, text);
    if (error) {
        close(own);
    }
    return error;
}

void
xskcni_fin(struct xskcni_session *s)
{
    bool between = s->state == XSKCNI_STATE_IDLE || s->state == XSKCNI_STATE_FINISHING;
    s->want_fin = !between || s->want_open || s->head;
}

void
xskcni_cancel(struct xskcni_session *s, const void *tag)
{
    struct xskcni__request **where = &s->head, *r;
    while ((r = *where)) {
        if (r->tag != tag) {
            where = &r->next;
        } else if (r == s->head && s->state == XSKCNI_STATE_ASKING) {
            r->canceled = true;
            where = &r->next;
        } else {
            *where = r->next;
            s->n_pending--;
            xskcni__request_free(r);
        }
    }
    s->tail = where;
}

/* What the event loop and displays ask. */

int
xskcni_fd(const struct xskcni_session *s)
{
    return s->fd;
}

short
xskcni_events(const struct xskcni_session *s)
{
    switch (s->state) {
    case XSKCNI_STATE_IDLE:
    case XSKCNI_STATE_CONNECTING:
        return 0;
    case XSKCNI_STATE_READY:
        return s->head || s->want_fin ? POLLIN | POLLOUT : POLLIN;
    default:
        return s->sent ? POLLIN : POLLOUT;
    }
}

int64_t
xskcni_deadline_ms(const struct xskcni_session *s)
{
    switch (s->state) {
    case XSKCNI_STATE_IDLE:
        return s->want_open || s->head ? s->not_before_ms : XSKCNI_NEVER;
    case XSKCNI_STATE_CONNECTING:
        return s->again_ms < s->deadline_ms ? s->again_ms : s->deadline_ms;
    case XSKCNI_STATE_READY:
        return s->head || s->want_fin ? INT64_MIN : XSKCNI_NEVER;
    default:
        return s->deadline_ms;
    }
}

enum xskcni_state
xskcni_state(const struct xskcni_session *s)
{
    return s->state;
}

const char *
xskcni_path(const struct xskcni_session *s)
{
    return s->path;
}

const char *
xskcni_hostname(const struct xskcni_session *s)
{
    return s->hostname;
}

unsigned
xskcni_pending(const struct xskcni_session *s)
{
    return s->n_pending;
}

const char *
xskcni_last_error(const struct xskcni_session *s)
{
    return s->last_error;
}
