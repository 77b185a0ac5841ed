/* SPDX-License-Identifier: Apache-2.0 */

/* The state machine of a session; its table of states and operations is in xskcni.h.  Called by
 * the user of the library through xskcni_process(), on one thread at a time.  Never waits:
 * every step that cannot be done now leaves a descriptor to poll and a deadline.  Must not know
 * what sentences say, how messages travel, or what a map is. */

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>
#include "xskcni/xskcni-private.h"

#define STEPS_PER_CALL 64
#define CONNECT_AGAIN_MS 20 /* while the server's queue of connections is full */

/* Results. */

static const char *
step_text(const struct xskcni_session *s, char *buf, size_t sz)
{
    switch (s->state) {
    case XSKCNI_STATE_HOST:
        snprintf(buf, sz, "/connect,%s", s->hostname);
        break;
    case XSKCNI_STATE_VERSION:
        snprintf(buf, sz, "/version");
        break;
    case XSKCNI_STATE_ASKING:
        snprintf(buf, sz, "%s", s->head->text);
        break;
    default:
        snprintf(buf, sz, "/fin");
        break;
    }
    return buf;
}

static const char *
device_of(const struct xskcni__request *r)
{
    return r && r->op == XSKCNI_OP_MAP ? strchr(r->text, ',') + 1 : NULL;
}

static int
default_error(enum xskcni_result result)
{
    switch (result) {
    case XSKCNI_OK:
        return 0;
    case XSKCNI_HOST_NAK:
    case XSKCNI_DEVICE_NAK:
    case XSKCNI_BUSY_NAK:
        return EACCES;
    case XSKCNI_VERSION:
        return EPROTONOSUPPORT;
    case XSKCNI_UNKNOWN:
        return EOPNOTSUPP;
    case XSKCNI_TIMEOUT:
        return ETIMEDOUT;
    case XSKCNI_CLOSED:
        return ECONNRESET;
    default:
        return EPROTO;
    }
}

/* Composes the sentence of the present state into s->say and returns the errno. */
static int
compose(struct xskcni_session *s, enum xskcni_op op, enum xskcni_result result, int error,
        const struct xskcni_msg *msg)
{
    char request[XSKCNI_MESSAGE_MAX + 1], quoted[XSKCNI__QUOTED_SZ];
    if (msg) {
        xskcni__msg_quote(msg, quoted, sizeof quoted);
    }
    struct xskcni__case c = {
        .path = s->path,
        .hostname = s->hostname,
        .request = step_text(s, request, sizeof request),
        .device = s->state == XSKCNI_STATE_ASKING ? device_of(s->head) : NULL,
        .reply = msg ? quoted : NULL,
        .peer = s->host_error ? "\"/error\"" : NULL,
        .step_ms = s->step_ms,
        .op = op,
        .state = s->state,
        .result = result,
        .error = error ? error : default_error(result),
    };
    xskcni__say(&c, s->say, sizeof s->say);
    return c.error;
}

/* Takes over r->fd. */
static void
call_back(struct xskcni_session *s, const struct xskcni_reply *r, bool unwanted)
{
    if (s->cb && !unwanted) {
        s->cb(s->aux, r);
    } else if (r->fd >= 0) {
        close(r->fd);
    }
}

static void
report(struct xskcni_session *s, enum xskcni_op op, enum xskcni_result result, int error)
{
    struct xskcni_reply reply = {
        .op = op, .result = result, .error = error, .fd = -1, .message = s->say};
    call_back(s, &reply, false);
}

/* Takes the oldest request from the queue and reports its result; takes over `fd`. */
static void
report_head(struct xskcni_session *s, enum xskcni_result result, int error, int fd)
{
    struct xskcni__request *r = xskcni__request_pop(s);
    struct xskcni_reply reply = {
        .op = r->op,
        .result = result,
        .error = error,
        .fd = fd,
        .tag = r->tag,
        .device = device_of(r),
        .message = s->say,
    };
    call_back(s, &reply, r->canceled);
    xskcni__request_free(r);
}

/* The connection is of no use any more: reports to everybody who waits for it. */
static void
fail(struct xskcni_session *s, int64_t now, enum xskcni_result result, int error,
     const struct xskcni_msg *msg)
{
    bool opened = s->opened, finishing = s->state == XSKCNI_STATE_FINISHING;
    error = compose(s, opened ? XSKCNI_OP_END : XSKCNI_OP_OPEN, result, error, msg);
    for (struct xskcni__request *r = s->head; r && !finishing; r = r->next) {
        r->lost = true;
    }
    xskcni__hang_up(s);
    s->opened = false;
    if (!finishing) {
        s->want_open = s->want_fin = false;
    }
    s->not_before_ms = now + XSKCNI_RETRY_MS;
    if (!opened) {
        report(s, XSKCNI_OP_OPEN, result, error);
    }
    while (s->head && s->head->lost) {
        report_head(s, result, error, -1);
    }
    if (opened) {
        report(s, XSKCNI_OP_END, result, error);
    }
}

/* Steps.  Each returns whether another may follow at once. */

static void
enter(struct xskcni_session *s, enum xskcni_state state, int64_t now)
{
    s->state = state;
    s->sent = false;
    s->deadline_ms = now + s->step_ms;
}

static enum xskcni_result
connect_result(int error)
{
    switch (error) {
    case ENOENT:
    case ECONNREFUSED:
        return XSKCNI_ABSENT;
    case EACCES:
    case EPERM:
        return XSKCNI_FORBIDDEN;
    case EPROTOTYPE:
    case ENOTSOCK:
    case ENOTDIR:
    case ELOOP:
        return XSKCNI_BAD_PATH;
    default:
        return XSKCNI_SYSTEM;
    }
}

static bool
step_idle(struct xskcni_session *s, int64_t now)
{
    if (!(s->want_open || s->head) || now < s->not_before_ms) {
        return false;
    }
    s->want_open = false;
    s->host_error = false;
    enter(s, XSKCNI_STATE_CONNECTING, now);
    s->again_ms = now;
    return true;
}

static bool
step_connecting(struct xskcni_session *s, int64_t now)
{
    if (now < s->again_ms && now < s->deadline_ms) {
        return false;
    }
    int error = xskcni__connect(s->path, &s->fd);
    if (!error) {
        enter(s, XSKCNI_STATE_HOST, now);
        return true;
    }
    if (error != EAGAIN && error != EINTR) {
        fail(s, now, connect_result(error), error, NULL);
    } else if (now >= s->deadline_ms) {
        fail(s, now, XSKCNI_TIMEOUT, 0, NULL);
    } else {
        s->again_ms = now + CONNECT_AGAIN_MS;
    }
    return false;
}

/* With no answer due, nothing may come.  Then the next request is taken up. */
static bool
step_ready(struct xskcni_session *s, int64_t now)
{
    struct xskcni_msg msg;
    int error = xskcni__recv(s->fd, &msg);
    if (!error) {
        xskcni__msg_close(&msg);
        fail(s, now, XSKCNI_BAD_REPLY, 0, &msg);
        return false;
    }
    if (error != EAGAIN) {
        if (s->head) { /* too late to ask for it */
            s->state = XSKCNI_STATE_ASKING;
        }
        fail(s, now, error == EPIPE ? XSKCNI_CLOSED : XSKCNI_SYSTEM, error == EPIPE ? 0 : error,
             NULL);
        return false;
    }
    if (s->head) {
        enter(s, XSKCNI_STATE_ASKING, now);
        return true;
    }
    if (s->want_fin) {
        s->want_fin = false;
        enter(s, XSKCNI_STATE_FINISHING, now);
        return true;
    }
    return false;
}

static void
handle_host(struct xskcni_session *s, int64_t now, const struct xskcni_msg *msg)
{
    if (!s->host_error && xskcni__msg_is(msg, "/host_ok")) {
        enter(s, XSKCNI_STATE_VERSION, now);
    } else if (xskcni__msg_is(msg, "/host_nak")) {
        fail(s, now, XSKCNI_HOST_NAK, 0, NULL);
    } else if (!s->host_error && xskcni__msg_is(msg, "/error")) {
        s->host_error = true;
    } else if (xskcni__msg_is(msg, "/nak")) {
        fail(s, now, XSKCNI_UNKNOWN, 0, NULL);
    } else {
        fail(s, now, XSKCNI_BAD_REPLY, 0, msg);
    }
}

/* Whether the text is made like a version, so that the user hears of the version and not of a
 * wrong reply. */
static bool
is_version(const struct xskcni_msg *msg)
{
    for (size_t i = 0; i < msg->len; i++) {
        char c = msg->text[i];
        if (i >= 16 || !((c >= '0' && c <= '9') || (c == '.' && i))) {
            return false;
        }
    }
    return true;
}

static void
handle_version(struct xskcni_session *s, int64_t now, const struct xskcni_msg *msg)
{
    if (xskcni__msg_is(msg, XSKCNI_PROTOCOL)) {
        compose(s, XSKCNI_OP_OPEN, XSKCNI_OK, 0, NULL);
        s->state = XSKCNI_STATE_READY;
        s->opened = true;
        report(s, XSKCNI_OP_OPEN, XSKCNI_OK, 0);
    } else if (xskcni__msg_is(msg, "/nak")) {
        fail(s, now, XSKCNI_UNKNOWN, 0, NULL);
    } else {
        fail(s, now, is_version(msg) ? XSKCNI_VERSION : XSKCNI_BAD_REPLY, 0, msg);
    }
}

/* One request is answered, well or not; the session goes on. */
static void
answered(struct xskcni_session *s, enum xskcni_result result, int error, int fd)
{
    error = compose(s, s->head->op, result, error, NULL);
    s->state = XSKCNI_STATE_READY;
    report_head(s, result, error, fd);
}

static void
handle_answer(struct xskcni_session *s, int64_t now, struct xskcni_msg *msg)
{
    bool map = s->head->op == XSKCNI_OP_MAP;
    if (map && xskcni__msg_is(msg, "/fd_ack")) {
        int fd = msg->fd;
        msg->fd = -1;
        if (msg->fds_cut) {
            answered(s, XSKCNI_BAD_FDS, EMFILE, -1);
        } else if (msg->n_fds > 1) {
            answered(s, XSKCNI_BAD_FDS, 0, -1);
        } else {
            answered(s, msg->n_fds ? XSKCNI_OK : XSKCNI_NO_FD, 0, fd);
        }
    } else if (map && xskcni__msg_is(msg, "/fd_nak")) {
        answered(s, XSKCNI_DEVICE_NAK, 0, -1);
    } else if (!map && xskcni__msg_is(msg, "/config_busy_poll_ack")) {
        answered(s, XSKCNI_OK, 0, -1);
    } else if (!map && xskcni__msg_is(msg, "/config_busy_poll_nak")) {
        answered(s, XSKCNI_BUSY_NAK, 0, -1);
    } else if (xskcni__msg_is(msg, "/nak")) {
        answered(s, XSKCNI_UNKNOWN, 0, -1);
    } else {
        fail(s, now, XSKCNI_BAD_REPLY, 0, msg);
    }
}

static void
handle_fin(struct xskcni_session *s, int64_t now, const struct xskcni_msg *msg)
{
    if (!xskcni__msg_is(msg, "/fin_ack")) {
        fail(s, now, XSKCNI_BAD_REPLY, 0, msg);
        return;
    }
    compose(s, XSKCNI_OP_END, XSKCNI_OK, 0, NULL);
    xskcni__hang_up(s);
    s->opened = false;
    s->not_before_ms = now;
    report(s, XSKCNI_OP_END, XSKCNI_OK, 0);
}

static void
handle(struct xskcni_session *s, int64_t now, struct xskcni_msg *msg)
{
    bool may_carry = s->state == XSKCNI_STATE_ASKING && xskcni__msg_is(msg, "/fd_ack");
    if ((msg->n_fds || msg->fds_cut) && !may_carry) {
        fail(s, now, XSKCNI_BAD_FDS, 0, msg);
        return;
    }
    switch (s->state) {
    case XSKCNI_STATE_HOST:
        handle_host(s, now, msg);
        break;
    case XSKCNI_STATE_VERSION:
        handle_version(s, now, msg);
        break;
    case XSKCNI_STATE_ASKING:
        handle_answer(s, now, msg);
        break;
    default:
        handle_fin(s, now, msg);
        break;
    }
}

/* The states with a question: asks it, and takes the answer. */
static bool
step_question(struct xskcni_session *s, int64_t now)
{
    int error;
    if (!s->sent) {
        char text[XSKCNI_MESSAGE_MAX + 1];
        int pass_fd = s->state == XSKCNI_STATE_ASKING ? s->head->xsk_fd : -1;
        step_text(s, text, sizeof text);
        error = xskcni__send(s->fd, text, strlen(text), pass_fd);
        s->sent = !error;
    } else {
        struct xskcni_msg msg;
        error = xskcni__recv(s->fd, &msg);
        if (!error) {
            handle(s, now, &msg);
            xskcni__msg_close(&msg);
        }
    }
    if (!error) {
        return true;
    }
    bool closed = error == EPIPE || error == ECONNRESET || error == ENOTCONN;
    if (s->host_error && (closed || (error == EAGAIN && now >= s->deadline_ms))) {
        fail(s, now, XSKCNI_HOST_NAK, 0, NULL);
    } else if (closed) {
        fail(s, now, XSKCNI_CLOSED, 0, NULL);
    } else if (error != EAGAIN) {
        fail(s, now, XSKCNI_SYSTEM, error, NULL);
    } else if (now >= s->deadline_ms) {
        fail(s, now, XSKCNI_TIMEOUT, 0, NULL);
    }
    return false;
}

void
xskcni_process(struct xskcni_session *s, int64_t now)
{
    if (s->running) {
        return;
    }
    s->running = true;
    bool more = true;
    for (int i = 0; i < STEPS_PER_CALL && more && !s->freed; i++) {
        switch (s->state) {
        case XSKCNI_STATE_IDLE:
            more = step_idle(s, now);
            break;
        case XSKCNI_STATE_CONNECTING:
            more = step_connecting(s, now);
            break;
        case XSKCNI_STATE_READY:
            more = step_ready(s, now);
            break;
        default:
            more = step_question(s, now);
            break;
        }
    }
    s->running = false;
    if (s->freed) {
        xskcni_session_free(s);
    }
}
