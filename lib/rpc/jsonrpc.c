/* SPDX-License-Identifier: Apache-2.0 */

/* One JSON-RPC connection: framing, parsing, queueing.  Used by the unixctl server and the
 * OVSDB client on the main thread.  Must not know any method but "echo", nor when to reconnect.
 */

#include "rpc/jsonrpc.h"
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include "log/coverage.h"
#include "log/log.h"
#include "rpc/json-frame.h"
#include "util/xalloc.h"

LOG_MODULE(jsonrpc);
COVERAGE_DEFINE(jsonrpc_message_too_long);
COVERAGE_DEFINE(jsonrpc_backlog_too_long);
COVERAGE_DEFINE(jsonrpc_garbage);
COVERAGE_DEFINE(jsonrpc_unsendable);

enum {
    READ_CHUNK_SZ = 64 << 10,
    READ_BUDGET_SZ = 1 << 20, /* per turn, so that one peer cannot keep the loop busy */
};

struct buffer {
    char *data;
    size_t head, len, cap; /* live bytes are data[head .. len) */
};

struct jsonrpc {
    struct stream *stream;
    const struct jsonrpc_events *events;
    void *aux;
    struct ev_defer flush_later;
    struct buffer rx, tx;
    struct json_frame frame;
    size_t scanned; /* rx bytes past rx.head that the frame has seen */
    int64_t next_id;
    uint64_t progress;
    bool open;
    bool closing;    /* closed() is made or under way */
    bool backlogged; /* the queue overflowed: close at the next chance */
    bool destroyed;  /* free when the outermost callback returns */
    unsigned depth;  /* of callbacks */
};

/* ---------------------------------------------------------------- buffers */

static void
buffer_reserve(struct buffer *b, size_t n)
{
    if (b->head && b->cap - b->len < n) {
        memmove(b->data, b->data + b->head, b->len - b->head);
        b->len -= b->head;
        b->head = 0;
    }
    if (b->cap - b->len < n) {
        b->cap = MAX(b->cap * 2, b->len + n);
        b->data = xrealloc(b->data, b->cap);
    }
}

static void
buffer_consume(struct buffer *b, size_t n)
{
    b->head += n;
    if (b->head == b->len) {
        b->head = b->len = 0;
        if (b->cap > 4 * READ_CHUNK_SZ) { /* a big snapshot went by: give memory back */
            free(b->data);
            b->data = NULL;
            b->cap = 0;
        }
    }
}

static size_t
buffer_live(const struct buffer *b)
{
    return b->len - b->head;
}

/* ---------------------------------------------------------------- life cycle */

static void jsonrpc_ready(struct stream *, void *aux);
static void jsonrpc_flush_cb(struct ev_defer *);

struct jsonrpc *
jsonrpc_create(struct evloop *loop, struct stream *stream, const struct jsonrpc_events *events,
               void *aux)
{
    struct jsonrpc *j = xzalloc(sizeof *j);
    j->stream = stream;
    j->events = events;
    j->aux = aux;
    j->next_id = 1;
    ev_defer_init(&j->flush_later, loop, jsonrpc_flush_cb, j);
    stream_watch(stream, jsonrpc_ready, j, false);
    /* Already connected streams say so, too, but never from inside this call. */
    stream_rewatch_soon(stream);
    return j;
}

static void
jsonrpc_free(struct jsonrpc *j)
{
    stream_close(j->stream);
    free(j->rx.data);
    free(j->tx.data);
    free(j);
}

void
jsonrpc_destroy(struct jsonrpc *j)
{
    if (!j || j->destroyed) {
        return;
    }
    ev_defer_stop(&j->flush_later);
    stream_unwatch(j->stream);
    j->destroyed = true;
    j->closing = true;
    if (!j->depth) {
        jsonrpc_free(j);
    }
}

/* Brackets every entry from the loop.  Leaving frees what was destroyed meanwhile; false says
 * that `j` must not be touched any more. */
static void
jsonrpc_enter(struct jsonrpc *j)
{
    j->depth++;
}

static bool
jsonrpc_leave(struct jsonrpc *j)
{
    j->depth--;
    if (j->destroyed && !j->depth) {
        jsonrpc_free(j);
        return false;
    }
    return true;
}

static void
jsonrpc_close(struct jsonrpc *j, bool garbage, const char *why)
{
    if (j->closing) {
        return;
    }
    j->closing = true;
    ev_defer_stop(&j->flush_later);
    stream_unwatch(j->stream);
    if (garbage) {
        COVERAGE_INC(jsonrpc_garbage);
    }
    j->events->closed(j, garbage, why, j->aux);
}

const char *
jsonrpc_name(const struct jsonrpc *j)
{
    return stream_name(j->stream);
}

int
jsonrpc_fd(const struct jsonrpc *j)
{
    return stream_fd(j->stream);
}

/* ---------------------------------------------------------------- sending */

size_t
jsonrpc_backlog(const struct jsonrpc *j)
{
    return buffer_live(&j->tx);
}

static void
jsonrpc_send(struct jsonrpc *j, json_t *msg)
{
    if (!msg || j->closing || j->backlogged) {
        json_decref(msg);
        return;
    }
    char *text = json_dumps(msg, JSON_COMPACT);
    json_decref(msg);
    if (!text) {
        COVERAGE_INC(jsonrpc_unsendable);
        return;
    }
    size_t n = strlen(text);
    if (buffer_live(&j->tx) + n > JSONRPC_BACKLOG_MAX) {
        COVERAGE_INC(jsonrpc_backlog_too_long);
        j->backlogged = true;
    } else {
        buffer_reserve(&j->tx, n);
        memcpy(j->tx.data + j->tx.len, text, n);
        j->tx.len += n;
    }
    free(text);
    ev_defer_start(&j->flush_later);
}

int64_t
jsonrpc_send_request(struct jsonrpc *j, const char *method, json_t *params)
{
    int64_t id = j->next_id++;
    jsonrpc_send(j, json_pack("{s:I,s:s,s:o}", "id", (json_int_t) id, "method", method,
                              "params", params));
    return id;
}

void
jsonrpc_send_notify(struct jsonrpc *j, const char *method, json_t *params)
{
    jsonrpc_send(j, json_pack("{s:n,s:s,s:o}", "id", "method", method, "params", params));
}

void
jsonrpc_send_reply(struct jsonrpc *j, json_t *id, json_t *result)
{
    jsonrpc_send(j, json_pack("{s:o,s:o,s:n}", "id", id, "result", result, "error"));
}

void
jsonrpc_send_error(struct jsonrpc *j, json_t *id, json_t *error)
{
    jsonrpc_send(j, json_pack("{s:o,s:n,s:o}", "id", id, "result", "error", error));
}

void
jsonrpc_send_probe(struct jsonrpc *j)
{
    jsonrpc_send(j, json_pack("{s:s,s:s,s:[]}", "id", "echo", "method", "echo", "params"));
}

/* Writes until the socket is full.  False: the stream failed. */
static bool
jsonrpc_write(struct jsonrpc *j)
{
    while (j->open && buffer_live(&j->tx)) {
        ssize_t n = stream_send(j->stream, j->tx.data + j->tx.head, buffer_live(&j->tx));
        if (n <= 0) {
            return n == -EAGAIN;
        }
        j->progress += (uint64_t) n;
        buffer_consume(&j->tx, (size_t) n);
    }
    return true;
}

size_t
jsonrpc_flush(struct jsonrpc *j)
{
    if (j->closing || !jsonrpc_write(j)) {
        return 0;
    }
    return buffer_live(&j->tx);
}

static void
jsonrpc_flush_cb(struct ev_defer *d)
{
    struct jsonrpc *j = d->aux;
    jsonrpc_enter(j);
    if (j->backlogged) {
        jsonrpc_close(j, false, "the peer does not read: too much data queued for it");
    } else if (!jsonrpc_write(j)) {
        jsonrpc_close(j, false, stream_error(j->stream));
    }
    if (jsonrpc_leave(j) && !j->closing) {
        stream_watch(j->stream, jsonrpc_ready, j, buffer_live(&j->tx) > 0);
    }
}

json_t *
jsonrpc_text(const char *text)
{
    json_t *s = json_string(text);
    if (s) {
        return s;
    }
    /* Keep ASCII, and those multi-byte sequences that are valid by themselves. */
    char *copy = xstrdup(text);
    for (char *p = copy; *p; p++) {
        if (!((unsigned char) *p & 0x80)) {
            continue;
        }
        size_t n = (unsigned char) *p >= 0xf0 ? 4 : (unsigned char) *p >= 0xe0 ? 3 : 2;
        json_t *probe = strnlen(p, n) == n ? json_stringn(p, n) : NULL;
        if (probe) {
            p += n - 1;
        } else {
            *p = '?';
        }
        json_decref(probe);
    }
    s = json_string(copy);
    free(copy);
    return s;
}

/* ---------------------------------------------------------------- receiving */

bool
jsonrpc_msg_parse(json_t *json, struct jsonrpc_msg *m, const char **why)
{
    memset(m, 0, sizeof *m);
    if (!json_is_object(json)) {
        *why = "message is not a JSON object";
        return false;
    }
    json_t *method = json_object_get(json, "method");
    json_t *id = json_object_get(json, "id");
    bool has_id = id && !json_is_null(id);
    if (method && !json_is_null(method)) {
        m->params = json_object_get(json, "params");
        if (!json_is_string(method) || !json_is_array(m->params)) {
            *why = "request without a method name or an array of parameters";
            return false;
        }
        m->method = json_string_value(method);
        m->type = has_id ? JSONRPC_REQUEST : JSONRPC_NOTIFY;
        m->id = has_id ? id : NULL;
        return true;
    }
    m->result = json_object_get(json, "result");
    m->error = json_object_get(json, "error");
    if (!has_id || (!m->result && !m->error)) {
        *why = "message is neither request, notification, nor reply";
        return false;
    }
    m->id = id;
    m->type = m->error && !json_is_null(m->error) ? JSONRPC_ERROR : JSONRPC_REPLY;
    if (m->type == JSONRPC_REPLY && !m->result) {
        *why = "reply without a result";
        return false;
    }
    return true;
}

static void
jsonrpc_dispatch(struct jsonrpc *j, json_t *json)
{
    struct jsonrpc_msg m;
    const char *why;
    if (!jsonrpc_msg_parse(json, &m, &why)) {
        jsonrpc_close(j, true, why);
    } else if (m.type == JSONRPC_REQUEST && !strcmp(m.method, "echo")) {
        jsonrpc_send_reply(j, json_incref(m.id), json_deep_copy(m.params));
    } else if ((m.type == JSONRPC_REPLY || m.type == JSONRPC_ERROR) && json_is_string(m.id) &&
               !strcmp(json_string_value(m.id), "echo")) {
        /* The answer to a probe: that something arrived was already noticed. */
    } else {
        j->events->message(j, &m, j->aux);
    }
}

/* Cuts and dispatches the complete messages in rx. */
static void
jsonrpc_consume(struct jsonrpc *j)
{
    while (!j->closing && buffer_live(&j->rx) > j->scanned) {
        const char *start = j->rx.data + j->rx.head;
        size_t used;
        enum json_frame_result r = json_frame_scan(&j->frame, start + j->scanned,
                                                   buffer_live(&j->rx) - j->scanned, &used);
        j->scanned += used;
        if (r == JSON_FRAME_BAD) {
            jsonrpc_close(j, true, "received bytes that are not JSON-RPC");
        } else if (j->scanned > JSONRPC_MESSAGE_MAX) {
            COVERAGE_INC(jsonrpc_message_too_long);
            jsonrpc_close(j, true, "received a message that is too long");
        } else if (r == JSON_FRAME_DONE) {
            json_error_t error;
            json_t *json = json_loadb(start, j->scanned, 0, &error);
            buffer_consume(&j->rx, j->scanned);
            j->scanned = 0;
            if (json) {
                jsonrpc_dispatch(j, json);
                json_decref(json);
            } else {
                jsonrpc_close(j, true, "received malformed JSON");
            }
        } else if (json_frame_is_idle(&j->frame)) {
            buffer_consume(&j->rx, j->scanned); /* blanks between messages */
            j->scanned = 0;
        }
    }
}

static void
jsonrpc_read(struct jsonrpc *j)
{
    size_t total = 0;
    while (!j->closing) {
        if (total >= READ_BUDGET_SZ) {
            stream_rewatch_soon(j->stream);
            break;
        }
        buffer_reserve(&j->rx, READ_CHUNK_SZ);
        ssize_t n = stream_recv(j->stream, j->rx.data + j->rx.len, READ_CHUNK_SZ);
        if (n == -EAGAIN) {
            break;
        }
        if (n <= 0) {
            jsonrpc_close(j, false, n ? stream_error(j->stream) : "connection closed by peer");
            break;
        }
        j->rx.len += (size_t) n;
        j->progress += (uint64_t) n;
        total += (size_t) n;
        if (j->events->activity) {
            j->events->activity(j, j->aux);
        }
        jsonrpc_consume(j);
    }
}

static void
jsonrpc_ready(struct stream *stream, void *aux)
{
    struct jsonrpc *j = aux;
    jsonrpc_enter(j);
    if (!j->open) {
        int error = stream_connect(stream);
        if (!error) {
            j->open = true;
            if (j->events->connected) {
                j->events->connected(j, j->aux);
            }
        } else if (error != EAGAIN) {
            jsonrpc_close(j, false, stream_error(stream));
        }
    }
    if (j->open && !j->closing) {
        jsonrpc_read(j);
    }
    if (j->open && !j->closing && !jsonrpc_write(j)) {
        jsonrpc_close(j, false, stream_error(stream));
    }
    if (jsonrpc_leave(j) && !j->closing) {
        stream_watch(j->stream, jsonrpc_ready, j, buffer_live(&j->tx) > 0);
    }
}

bool
jsonrpc_mid_message(const struct jsonrpc *j)
{
    return buffer_live(&j->rx) > 0;
}

uint64_t
jsonrpc_progress(const struct jsonrpc *j)
{
    return j->progress;
}
