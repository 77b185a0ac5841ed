/* SPDX-License-Identifier: Apache-2.0 */
/* Sessions of lib/xskcni on the main event loop, one per socket path: descriptors, time limits,
 * and the polite end after a quiet time.  Called by cni-client.c on the main thread.  Does not
 * know why a map is wanted. */

#include "netdev/afxdp/cni-private.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "log/log.h"
#include "util/xalloc.h"

LOG_MODULE(cni_session);

struct busy_request {
    struct cds_list_head node;
    struct cni_session *session;
    void (*cb)(void *aux, const char *error);
    void *aux;
};

struct cni_session {
    struct cds_list_head node;
    struct xskcni_session *x;
    struct evloop *loop;
    struct ev_io io;
    struct ev_timer timer;
    int64_t asked_ms; /* last request */
    char *last;       /* how the last connection ended or failed */
};

static CDS_LIST_HEAD(sessions);
static CDS_LIST_HEAD(busy_requests);

static struct cni_session *
session_find(const char *path)
{
    struct cni_session *s;

    cds_list_for_each_entry(s, &sessions, node)
    {
        if (!strcmp(xskcni_path(s->x), path)) {
            return s;
        }
    }
    return NULL;
}

static void
busy_answered(struct busy_request *b, const char *error)
{
    cds_list_del(&b->node);
    b->cb(b->aux, error);
    free(b);
}

static void
on_reply(void *session_, const struct xskcni_reply *reply)
{
    struct cni_session *s = session_;
    const char *path = xskcni_path(s->x);

    LOG_DBG("%s", reply->message);
    switch (reply->op) {
    case XSKCNI_OP_OPEN:
    case XSKCNI_OP_END:
        free(s->last);
        s->last = xstrdup(reply->message);
        if (reply->op == XSKCNI_OP_OPEN && reply->result == XSKCNI_OK) {
            cni_wishes_opened(path);
        }
        break;
    case XSKCNI_OP_MAP:
        cni_wish_answered(reply->tag, path, reply->result, reply->fd, reply->message);
        break;
    case XSKCNI_OP_BUSY_POLL:
        busy_answered(reply->tag, reply->result == XSKCNI_OK ? NULL : reply->message);
        break;
    }
}

static void
session_arm(struct cni_session *s)
{
    int fd = xskcni_fd(s->x);
    short events = xskcni_events(s->x);
    int64_t due = xskcni_deadline_ms(s->x), now = cni_now_ms();

    if (fd >= 0 && events) {
        ev_io_start(&s->io, fd, events);
    }
    if (xskcni_state(s->x) == XSKCNI_STATE_READY) {
        due = MIN(due, s->asked_ms + CNI_CLIENT_QUIET_MS);
    }
    if (due == XSKCNI_NEVER) {
        ev_timer_stop(&s->timer);
    } else {
        ev_timer_start(&s->timer, due <= now ? 0 : due - now);
    }
}

static void
session_run(struct cni_session *s)
{
    int64_t now = cni_now_ms();

    ev_io_stop(&s->io); /* the library may close its descriptor */
    if (xskcni_state(s->x) == XSKCNI_STATE_READY && !xskcni_pending(s->x) &&
        now - s->asked_ms >= CNI_CLIENT_QUIET_MS) {
        xskcni_fin(s->x);
    }
    xskcni_process(s->x, now);
    session_arm(s);
}

static void
on_io(struct ev_io *io, short revents)
{
    session_run(io->aux);
}

static void
on_timer(struct ev_timer *t)
{
    session_run(t->aux);
}

struct cni_session *
cni_session_get(struct evloop *loop, const char *path, char **errp)
{
    char err[XSKCNI_SENTENCE_MAX];
    struct cni_session *s = session_find(path);

    if (s) {
        return s;
    }
    s = xzalloc(sizeof *s);
    struct xskcni_options options = {
        .sz = sizeof options, .path = path, .cb = on_reply, .aux = s};
    s->x = xskcni_session_new(&options, err, sizeof err);
    if (!s->x) {
        error_set(errp, "%s", err);
        free(s);
        return NULL;
    }
    s->loop = loop;
    ev_io_init(&s->io, loop, on_io, s);
    ev_timer_init(&s->timer, loop, on_timer, s);
    cds_list_add_tail(&s->node, &sessions);
    return s;
}

/* What was asked goes out at the end of this turn of the loop. */
static void
session_asked(struct cni_session *s)
{
    s->asked_ms = cni_now_ms();
    ev_timer_start(&s->timer, 0);
}

int
cni_session_get_map(struct cni_session *s, struct cni_wish *w, char **errp)
{
    int error = xskcni_get_map(s->x, w->device, w);

    if (error) {
        error_set(errp, "%s", xskcni_last_error(s->x));
        return error;
    }
    session_asked(s);
    return 0;
}

void
cni_session_cancel_map(struct cni_session *s, struct cni_wish *w)
{
    xskcni_cancel(s->x, w);
}

int
cni_session_busy_poll(struct cni_session *s, int xsk_fd, unsigned timeout_us, unsigned budget,
                      void (*cb)(void *aux, const char *error), void *aux, char **errp)
{
    struct busy_request *b = xzalloc(sizeof *b);
    int error;

    *b = (struct busy_request){.session = s, .cb = cb, .aux = aux};
    error = xskcni_config_busy_poll(s->x, xsk_fd, timeout_us, budget, b);
    if (error) {
        error_set(errp, "%s", xskcni_last_error(s->x));
        free(b);
        return error;
    }
    cds_list_add_tail(&b->node, &busy_requests);
    session_asked(s);
    return 0;
}

void
cni_client_busy_poll_cancel(const void *aux)
{
    struct busy_request *b, *next;

    cds_list_for_each_entry_safe(b, next, &busy_requests, node)
    {
        if (b->aux == aux) {
            xskcni_cancel(b->session->x, b);
            cds_list_del(&b->node);
            free(b);
        }
    }
}

void
cni_sessions_collect(void)
{
    struct cni_session *s, *next;

    cds_list_for_each_entry_safe(s, next, &sessions, node)
    {
        if (xskcni_state(s->x) == XSKCNI_STATE_IDLE && !xskcni_pending(s->x) &&
            !cni_path_matters(xskcni_path(s->x))) {
            cds_list_del(&s->node);
            ev_io_stop(&s->io);
            ev_timer_stop(&s->timer);
            xskcni_session_free(s->x);
            free(s->last);
            free(s);
        }
    }
}

const char *
cni_client_state(const char *path)
{
    struct cni_session *s = session_find(path);
    return s ? xskcni_state_name(xskcni_state(s->x)) : "none";
}

void
cni_sessions_show(struct strbuf *out)
{
    struct cni_session *s;

    cds_list_for_each_entry(s, &sessions, node)
    {
        strbuf_putf(out, "session with %s as host %s: %s, %u requests open%s%s\n",
                    xskcni_path(s->x), xskcni_hostname(s->x),
                    xskcni_state_name(xskcni_state(s->x)), xskcni_pending(s->x),
                    s->last ? "; " : "", s->last ? s->last : "");
    }
}
