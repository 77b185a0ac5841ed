/* SPDX-License-Identifier: Apache-2.0 */

/* The control socket's server: accepts ovs-appctl's connections, hands requests to
 * ctl_dispatch(), sends the replies, which may come much later or find the client gone. Created
 * by the daemon's main(), main thread.  Must not know any command. */

#include "rpc/unixctl.h"
#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <urcu/list.h>
#include "log/coverage.h"
#include "log/ctl.h"
#include "log/log.h"
#include "os/clock.h"
#include "rpc/jsonrpc.h"
#include "util/xalloc.h"

LOG_MODULE(unixctl);
COVERAGE_DEFINE(unixctl_garbage);
COVERAGE_DEFINE(unixctl_stalled);
COVERAGE_DEFINE(unixctl_too_many_clients);

enum {
    MAX_CLIENTS = 256,
    SWEEP_MS = 5000,
    STALL_MS = 30000, /* half a request, or an unread reply, for so long */
    FLUSH_AT_END_MS = 1000,
    SOCKET_MODE = 0750,
};

struct unixctl_server {
    struct evloop *loop;
    struct stream_listener *listener;
    struct cds_list_head clients;
    unsigned n_clients;
    struct ev_timer sweep;
};

struct unixctl_client {
    struct cds_list_head node;
    struct unixctl_server *server;
    struct jsonrpc *rpc;
    struct cds_list_head requests;
    uint64_t seen_progress;
    int64_t seen_at_ms; /* real time: warping must not end a client */
};

struct unixctl_request {
    struct ctl_conn ctl; /* what handlers see */
    struct cds_list_head node;
    struct unixctl_client *client; /* NULL once it has gone */
    json_t *id;
};

static int64_t
real_now_ms(void)
{
    return clock_real_ns() / 1000000;
}

/* Texts end with a newline on the wire: ovs-appctl prints errors as they come. */
static json_t *
line_text(const char *text)
{
    size_t len = strlen(text);
    if (!len || text[len - 1] == '\n') {
        return jsonrpc_text(text);
    }
    char *line = xasprintf("%s\n", text);
    json_t *value = jsonrpc_text(line);
    free(line);
    return value;
}

static void
request_reply(struct ctl_conn *ctl, bool ok, const char *text)
{
    struct unixctl_request *r = CONTAINER_OF(ctl, struct unixctl_request, ctl);
    if (r->client) {
        json_t *value = line_text(text ? text : "");
        cds_list_del(&r->node);
        if (ok) {
            jsonrpc_send_reply(r->client->rpc, r->id, value);
        } else {
            jsonrpc_send_error(r->client->rpc, r->id, value);
        }
    } else {
        json_decref(r->id);
    }
    free(r);
}

static void
client_destroy(struct unixctl_client *c)
{
    struct unixctl_request *r, *next;
    cds_list_for_each_entry_safe(r, next, &c->requests, node)
    {
        cds_list_del(&r->node);
        r->client = NULL; /* the holder of the request frees it by replying */
    }
    cds_list_del(&c->node);
    c->server->n_clients--;
    jsonrpc_destroy(c->rpc);
    free(c);
}

static void
client_message(struct jsonrpc *rpc, const struct jsonrpc_msg *m, void *aux)
{
    struct unixctl_client *c = aux;
    if (m->type != JSONRPC_REQUEST) {
        COVERAGE_INC(unixctl_garbage);
        client_destroy(c);
        return;
    }
    size_t n = json_array_size(m->params);
    const char **argv = xcalloc(n + 2, sizeof *argv);
    bool ok = true;
    argv[0] = m->method;
    for (size_t i = 0; i < n; i++) {
        argv[i + 1] = json_string_value(json_array_get(m->params, i));
        ok = ok && argv[i + 1];
    }
    struct unixctl_request *r = xzalloc(sizeof *r);
    r->ctl.reply = request_reply;
    r->client = c;
    r->id = json_incref(m->id);
    cds_list_add_tail(&r->node, &c->requests);
    if (ok) {
        ctl_dispatch(&r->ctl, (int) n + 1, argv);
    } else {
        ctl_reply_errorf(&r->ctl, "\"%s\" command has an argument that is not a string",
                         m->method);
    }
    free(argv);
}

static void
client_closed(struct jsonrpc *rpc, bool garbage, const char *why, void *aux)
{
    if (garbage) {
        static struct log_rate_limit rl = LOG_RATE_LIMIT(6);
        COVERAGE_INC(unixctl_garbage);
        LOG_INFO_RL(&rl, "control client closed: %s", why);
    }
    client_destroy(aux);
}

static const struct jsonrpc_events client_events = {
    .message = client_message,
    .closed = client_closed,
};

static void
server_accepted(struct stream *stream, void *aux)
{
    struct unixctl_server *s = aux;
    if (s->n_clients >= MAX_CLIENTS) {
        COVERAGE_INC(unixctl_too_many_clients);
        stream_close(stream);
        return;
    }
    struct unixctl_client *c = xzalloc(sizeof *c);
    CDS_INIT_LIST_HEAD(&c->requests);
    c->server = s;
    c->rpc = jsonrpc_create(s->loop, stream, &client_events, c);
    c->seen_at_ms = real_now_ms();
    cds_list_add_tail(&c->node, &s->clients);
    if (!s->n_clients++) {
        ev_timer_start(&s->sweep, SWEEP_MS);
    }
}

/* Closes clients that block: neither idle nor moving. */
static void
server_sweep_cb(struct ev_timer *timer)
{
    struct unixctl_server *s = timer->aux;
    struct unixctl_client *c, *next;
    int64_t now = real_now_ms();
    cds_list_for_each_entry_safe(c, next, &s->clients, node)
    {
        uint64_t progress = jsonrpc_progress(c->rpc);
        bool waiting = jsonrpc_mid_message(c->rpc) || jsonrpc_backlog(c->rpc);
        if (!waiting || progress != c->seen_progress) {
            c->seen_progress = progress;
            c->seen_at_ms = now;
        } else if (now - c->seen_at_ms > STALL_MS) {
            COVERAGE_INC(unixctl_stalled);
            client_destroy(c);
        }
    }
    if (s->n_clients) {
        ev_timer_start(&s->sweep, SWEEP_MS);
    }
}

int
unixctl_server_create(struct evloop *loop, const char *path, struct unixctl_server **sp,
                      char **errp)
{
    struct unixctl_server *s = xzalloc(sizeof *s);
    char *target = xasprintf("punix:%s", path);
    s->loop = loop;
    CDS_INIT_LIST_HEAD(&s->clients);
    ev_timer_init(&s->sweep, loop, server_sweep_cb, s);
    int error =
        stream_listen(loop, target, SOCKET_MODE, server_accepted, s, &s->listener, errp);
    free(target);
    if (error) {
        free(s);
        s = NULL;
    }
    *sp = s;
    return error;
}

void
unixctl_server_destroy(struct unixctl_server *s)
{
    if (!s) {
        return;
    }
    struct unixctl_client *c, *next;
    int64_t deadline = real_now_ms() + FLUSH_AT_END_MS;
    cds_list_for_each_entry_safe(c, next, &s->clients, node)
    {
        while (jsonrpc_flush(c->rpc)) {
            int64_t left = deadline - real_now_ms();
            struct pollfd pfd = {.fd = jsonrpc_fd(c->rpc), .events = POLLOUT};
            if (left <= 0 || poll(&pfd, 1, (int) left) <= 0) {
                break;
            }
        }
        client_destroy(c);
    }
    ev_timer_stop(&s->sweep);
    stream_listener_close(s->listener);
    free(s);
}
