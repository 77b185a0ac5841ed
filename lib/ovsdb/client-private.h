/* SPDX-License-Identifier: Apache-2.0 */
#ifndef XVS_OVSDB_CLIENT_PRIVATE_H
#define XVS_OVSDB_CLIENT_PRIVATE_H 1

/* Shared by client.c (remotes, reconnection), session.c (the conversation) and txn.c (writes).
 *
 * Session states; every one but DOWN has a connection:
 *
 *   DOWN -> SERVER_SCHEMA -> SERVER_MONITOR -> [SERVER_WAIT] -> SCHEMA -> MONITOR -> UP
 *
 *   SERVER_SCHEMA   asked for the schema of _Server; an error: an old server, on to SCHEMA
 *   SERVER_MONITOR  asked to watch _Server; an error: on to SCHEMA
 *   SERVER_WAIT     the server does not serve our database (yet); its row will appear
 *   SCHEMA          asked for our schema; skipped when _Server told it
 *   MONITOR         asked for the contents: monitor_cond_since, monitor_cond, monitor
 *   UP              following updates
 *
 * Whatever breaks the conversation leads to DOWN through session_drop(). */

#include <urcu/list.h>
#include "os/evloop.h"
#include "ovsdb/ovsdb.h"
#include "ovsdb/replica.h"
#include "rpc/jsonrpc.h"
#include "rpc/reconnect.h"

enum session_state {
    SESSION_DOWN,
    SESSION_SERVER_SCHEMA,
    SESSION_SERVER_MONITOR,
    SESSION_SERVER_WAIT,
    SESSION_SCHEMA,
    SESSION_MONITOR,
    SESSION_UP
};
enum monitor_method { MONITOR_COND_SINCE, MONITOR_COND, MONITOR_PLAIN };

struct passive_remote {
    struct ovsdb_client *client;
    char *target;
    struct stream_listener *listener; /* NULL: could not listen, tried again */
};

struct ovsdb_client {
    struct evloop *loop;
    const struct ovsdb_spec *spec;
    struct ovsdb_events events;
    struct replica *db, *server; /* `server`: the database _Server */

    /* Remotes. */
    char **targets; /* active, shuffled */
    size_t n_targets;
    struct passive_remote *passive;
    size_t n_passive;
    struct ev_timer listen_timer;
    struct reconnect rc;
    struct ev_timer rc_timer;

    /* Session. */
    struct jsonrpc *rpc;
    enum session_state state;
    enum monitor_method method;
    int64_t step_id; /* request that the state waits for */
    int64_t lock_id;
    struct ev_timer lock_timer; /* an erroneous answer: ask again */
    char *server_schema;        /* schema text in use, from _Server; or NULL */
    char last_id[37];           /* of the contents held; zeros: take all anew */
    bool has_lock, contended;
    bool has_snapshot;

    /* Telling the owner. */
    struct ev_defer changed;

    /* Transactions sent or waiting to be reported. */
    struct cds_list_head txns;
    struct ev_defer txns_done;
};

#define ZERO_UUID "00000000-0000-0000-0000-000000000000"

/* client.c */
void client_touch(struct ovsdb_client *);     /* changed() will be called */
void client_went_down(struct ovsdb_client *); /* the session has ended: plan the next */
const char *client_remote_name(const struct ovsdb_client *);

/* session.c */
extern const struct ovsdb_spec ovsdb_server_spec;
extern const struct jsonrpc_events session_rpc_events;
void session_drop(struct ovsdb_client *); /* closes quietly; client_went_down() */
void session_lock_timer_cb(struct ev_timer *);

/* txn.c */
bool txns_handle_reply(struct ovsdb_client *, int64_t id, const struct jsonrpc_msg *);
void txns_lose(struct ovsdb_client *); /* those sent get OVSDB_TXN_LOST */
void txns_destroy(struct ovsdb_client *);
void txns_done_cb(struct ev_defer *);

#endif
