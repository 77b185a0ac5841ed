/* SPDX-License-Identifier: Apache-2.0 */
#ifndef XVS_RPC_JSONRPC_H
#define XVS_RPC_JSONRPC_H 1

/* JSON-RPC 1.0 (as RFC 7047 section 4 uses it) over a byte stream: messages back to back, echo
 * requests answered by themselves, memory bounded both ways.  Main thread, on its event loop.
 *
 * Any callback may destroy the connection. */

#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>
#include "os/evloop.h"
#include "rpc/stream.h"

struct jsonrpc;

/* A message longer than this, or a peer that lets this much pile up, ends the connection. */
#define JSONRPC_MESSAGE_MAX ((size_t) 64 << 20)
#define JSONRPC_BACKLOG_MAX ((size_t) 64 << 20)

enum jsonrpc_type { JSONRPC_REQUEST, JSONRPC_NOTIFY, JSONRPC_REPLY, JSONRPC_ERROR };

struct jsonrpc_msg { /* members are borrowed for the callback's duration */
    enum jsonrpc_type type;
    const char *method;   /* REQUEST, NOTIFY */
    const json_t *params; /* ... an array, never NULL */
    const json_t *result; /* REPLY */
    const json_t *error;  /* ERROR */
    json_t *id;           /* all but NOTIFY; json_incref() to keep */
};

struct jsonrpc_events {
    void (*connected)(struct jsonrpc *, void *aux); /* may be NULL */
    void (*message)(struct jsonrpc *, const struct jsonrpc_msg *, void *aux);
    void (*activity)(struct jsonrpc *, void *aux); /* bytes arrived; may be NULL */
    /* The last callback; `why` is a sentence.  `garbage`: the peer broke the protocol. */
    void (*closed)(struct jsonrpc *, bool garbage, const char *why, void *aux);
};

/* Takes over `stream`, connected or still connecting.  `events` is borrowed for its life. */
struct jsonrpc *
jsonrpc_create(struct evloop *, struct stream *, const struct jsonrpc_events *, void *aux);
void jsonrpc_destroy(struct jsonrpc *); /* NULL is fine; no callback is made */
const char *jsonrpc_name(const struct jsonrpc *);

/* All of these steal their json arguments (also NULL ones, which a failed build gives: the
 * message is then not sent), queue, and send at the end of the loop's turn. */
int64_t jsonrpc_send_request(struct jsonrpc *, const char *method, json_t *params); /* id */
void jsonrpc_send_notify(struct jsonrpc *, const char *method, json_t *params);
void jsonrpc_send_reply(struct jsonrpc *, json_t *id, json_t *result);
void jsonrpc_send_error(struct jsonrpc *, json_t *id, json_t *error);
/* An echo request whose reply is swallowed (it counts as activity). */
void jsonrpc_send_probe(struct jsonrpc *);

/* Writes what the socket takes now.  Returns the bytes still queued, 0 also after a failure. */
size_t jsonrpc_flush(struct jsonrpc *);
size_t jsonrpc_backlog(const struct jsonrpc *);    /* bytes queued for sending */
bool jsonrpc_mid_message(const struct jsonrpc *);  /* part of a message has arrived */
uint64_t jsonrpc_progress(const struct jsonrpc *); /* bytes moved so far, both ways */
int jsonrpc_fd(const struct jsonrpc *);

/* Sorts a parsed message.  False, with a sentence in *why (static), when it is not one. */
bool jsonrpc_msg_parse(json_t *json, struct jsonrpc_msg *, const char **why);
/* A JSON string of any bytes: what is not UTF-8 becomes '?'. */
json_t *jsonrpc_text(const char *);

#endif
