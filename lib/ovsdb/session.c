/* SPDX-License-Identifier: Apache-2.0 */

/* The conversation with one database server, from the first request to following updates; the
 * states are in client-private.h.  Driven by jsonrpc callbacks on the main thread.  Whatever
 * the server sends, the worst outcome is a dropped connection with a log line.  Must not know
 * when the next connection is made (client.c). */

#include <stdlib.h>
#include <string.h>
#include "log/coverage.h"
#include "log/log.h"
#include "os/clock.h"
#include "ovsdb/client-private.h"
#include "util/xalloc.h"

LOG_MODULE(ovsdb_session);
COVERAGE_DEFINE(ovsdb_protocol_error);
COVERAGE_DEFINE(ovsdb_not_leader);
COVERAGE_DEFINE(ovsdb_connection_lost);

enum { LOCK_RETRY_MS = 5000 };

static struct log_rate_limit rl = LOG_RATE_LIMIT(12);

static const char *const server_columns[] = {"name",   "model",  "connected",
                                             "leader", "schema", NULL};
static const struct ovsdb_table_spec server_tables[] = {{"Database", server_columns}};
const struct ovsdb_spec ovsdb_server_spec = {"_Server", NULL, server_tables, 1};

/* ---------------------------------------------------------------- ending */

void
session_drop(struct ovsdb_client *c)
{
    bool was_up = c->state == SESSION_UP, had_lock = c->has_lock, contended = c->contended;
    jsonrpc_destroy(c->rpc);
    c->rpc = NULL;
    c->state = SESSION_DOWN;
    c->step_id = c->lock_id = -1;
    c->has_lock = c->contended = false;
    ev_timer_stop(&c->lock_timer);
    txns_lose(c);
    if (was_up || had_lock || contended) {
        client_touch(c);
    }
    client_went_down(c);
}

/* The server said something that cannot be.  `why` is freed. */
static void
session_garbage(struct ovsdb_client *c, char *why)
{
    COVERAGE_INC(ovsdb_protocol_error);
    LOG_WARN_RL(&rl, "%s: dropping the connection: %s", client_remote_name(c), why);
    free(why);
    strcpy(c->last_id, ZERO_UUID);
    session_drop(c);
}

/* ---------------------------------------------------------------- the lock */

static void
session_request_lock(struct ovsdb_client *c)
{
    if (c->spec->lock) {
        c->lock_id = jsonrpc_send_request(c->rpc, "lock", json_pack("[s]", c->spec->lock));
    }
}

void
session_lock_timer_cb(struct ev_timer *timer)
{
    struct ovsdb_client *c = timer->aux;
    if (c->rpc && c->state != SESSION_DOWN) {
        session_request_lock(c);
    }
}

static void
session_set_lock(struct ovsdb_client *c, bool mine)
{
    if (c->has_lock != mine || c->contended != !mine) {
        LOG_INFO("%s: lock \"%s\" %s", client_remote_name(c), c->spec->lock,
                 mine ? "acquired" : "is held by another client, waiting for it");
        c->has_lock = mine;
        c->contended = !mine;
        client_touch(c);
    }
}

static void
session_lock_reply(struct ovsdb_client *c, const struct jsonrpc_msg *m)
{
    const json_t *locked =
        m->type == JSONRPC_REPLY ? json_object_get(m->result, "locked") : NULL;
    c->lock_id = -1;
    if (json_is_boolean(locked)) {
        session_set_lock(c, json_is_true(locked));
    } else {
        LOG_WARN_RL(&rl, "%s: lock request refused, will be repeated", client_remote_name(c));
        ev_timer_start(&c->lock_timer, LOCK_RETRY_MS);
    }
}

static void
session_lock_notify(struct ovsdb_client *c, const struct jsonrpc_msg *m, bool mine)
{
    const char *name = json_string_value(json_array_get(m->params, 0));
    if (c->spec->lock && name && !strcmp(name, c->spec->lock)) {
        /* After "stolen" the server keeps us in the queue: "locked" will follow. */
        session_set_lock(c, mine);
    }
}

/* ---------------------------------------------------------------- our database */

static json_t *
monitor_id(const char *database)
{
    return json_pack("[s,s]", "monid", database);
}

static void
session_send_monitor(struct ovsdb_client *c)
{
    const char *db = c->spec->database;
    json_t *requests = replica_monitor_requests(c->db);
    c->state = SESSION_MONITOR;
    switch (c->method) {
    case MONITOR_COND_SINCE:
        c->step_id = jsonrpc_send_request(
            c->rpc, "monitor_cond_since",
            json_pack("[s,o,o,s]", db, monitor_id(db), requests, c->last_id));
        break;
    case MONITOR_COND:
    case MONITOR_PLAIN:
        c->step_id =
            jsonrpc_send_request(c->rpc, c->method == MONITOR_COND ? "monitor_cond" : "monitor",
                                 json_pack("[s,o,o]", db, monitor_id(db), requests));
        break;
    }
}

static void
session_use_schema(struct ovsdb_client *c, const json_t *schema)
{
    char *why = NULL;
    bool changed;
    if (!replica_set_schema(c->db, schema, &changed, &why)) {
        session_garbage(c, why);
        return;
    }
    if (changed) {
        strcpy(c->last_id, ZERO_UUID); /* what we hold does not fit increments */
    }
    session_request_lock(c); /* only now is this known to be the right server */
    session_send_monitor(c);
}

static void
session_request_schema(struct ovsdb_client *c)
{
    c->state = SESSION_SCHEMA;
    c->step_id =
        jsonrpc_send_request(c->rpc, "get_schema", json_pack("[s]", c->spec->database));
}

static bool
remember_last_id(struct ovsdb_client *c, const json_t *id)
{
    const char *text = json_string_value(id);
    if (!text || !ovsdb_uuid_is_valid(text)) {
        return false;
    }
    memcpy(c->last_id, text, sizeof c->last_id);
    return true;
}

/* The complete contents, or with `found` what changed since last_id. */
static void
session_monitor_reply(struct ovsdb_client *c, const json_t *result)
{
    char *why = NULL;
    bool found = false;
    const json_t *updates = result;
    char old_id[sizeof c->last_id];
    memcpy(old_id, c->last_id, sizeof old_id);
    strcpy(c->last_id, ZERO_UUID);
    if (c->method == MONITOR_COND_SINCE) {
        const json_t *flag = json_array_get(result, 0);
        updates = json_array_get(result, 2);
        found = json_is_true(flag);
        if (json_array_size(result) != 3 || !json_is_boolean(flag) ||
            !remember_last_id(c, json_array_get(result, 1)) ||
            (found && !strcmp(old_id, ZERO_UUID))) {
            session_garbage(c, xstrdup("malformed reply to monitor_cond_since"));
            return;
        }
    }
    enum replica_format format = c->method == MONITOR_PLAIN ? REPLICA_UPDATE : REPLICA_UPDATE2;
    if (!replica_apply(c->db, format, updates, !found, &why)) {
        session_garbage(c, why);
        return;
    }
    c->state = SESSION_UP;
    c->step_id = -1;
    if (!c->has_snapshot) {
        c->has_snapshot = true;
        c->db->seqno++;
    }
    reconnect_good(&c->rc);
    LOG_INFO("%s: connected, %s", client_remote_name(c),
             found ? "contents continued" : "contents received");
    client_touch(c);
}

static void
session_monitor_error(struct ovsdb_client *c)
{
    if (c->method == MONITOR_PLAIN) {
        session_garbage(c, xstrdup("the server refuses to monitor the database"));
        return;
    }
    c->method++;
    session_send_monitor(c);
}

/* ---------------------------------------------------------------- _Server */

static const struct ovsdb_row *
session_database_row(struct ovsdb_client *c)
{
    const struct replica_table *t = replica_table_find(c->server, "Database");
    for (const struct ovsdb_row *row = t->rows; row; row = ovsdb_row_next(row)) {
        if (!strcmp(ovsdb_get_string(row, "name", ""), c->spec->database)) {
            return row;
        }
    }
    return NULL;
}

/* Why this server should be left for another one, or NULL. */
static const char *
session_unfit_reason(struct ovsdb_client *c, const struct ovsdb_row *row)
{
    bool choice = c->n_targets + c->n_passive > 1;
    if (!row) {
        return choice ? "the server does not have the database" : NULL;
    }
    const char *model = ovsdb_get_string(row, "model", "");
    bool clustered = !strcmp(model, "clustered");
    if (!clustered && strcmp(model, "relay")) {
        return NULL;
    }
    if (!ovsdb_get_bool(row, "connected", true)) {
        return "the server is not connected to its cluster";
    }
    if (choice && clustered && !ovsdb_get_bool(row, "leader", true)) {
        return "the server is not the leader of its cluster";
    }
    return NULL;
}

/* Begins with our database when the server proves fit. */
static void
session_begin(struct ovsdb_client *c, const struct ovsdb_row *row)
{
    const char *text = row ? ovsdb_get_string(row, "schema", NULL) : NULL;
    if (!row) {
        c->state = SESSION_SERVER_WAIT;
        c->step_id = -1;
        LOG_INFO_RL(&rl, "%s: waiting for database %s to be served", client_remote_name(c),
                    c->spec->database);
        return;
    }
    free(c->server_schema);
    c->server_schema = xstrdup_nullable(text);
    if (!text) {
        session_request_schema(c);
        return;
    }
    json_t *schema = json_loads(text, 0, NULL);
    session_use_schema(c, schema);
    json_decref(schema);
}

/* Looks at _Server after its snapshot and after every update. */
static void
session_check_server(struct ovsdb_client *c)
{
    const struct ovsdb_row *row = session_database_row(c);
    const char *reason = session_unfit_reason(c, row);
    if (reason) {
        COVERAGE_INC(ovsdb_not_leader);
        LOG_INFO_RL(&rl, "%s: moving on: %s", client_remote_name(c), reason);
        session_drop(c);
        return;
    }
    if (c->state == SESSION_SERVER_MONITOR || c->state == SESSION_SERVER_WAIT) {
        session_begin(c, row);
        return;
    }
    const char *schema = row ? ovsdb_get_string(row, "schema", NULL) : NULL;
    if (!row || (schema && c->server_schema && strcmp(schema, c->server_schema))) {
        LOG_INFO("%s: the database was %s, connecting anew", client_remote_name(c),
                 row ? "converted" : "removed");
        session_drop(c);
    }
}

static void
session_server_schema_reply(struct ovsdb_client *c, const struct jsonrpc_msg *m)
{
    char *why = NULL;
    bool changed;
    if (m->type == JSONRPC_ERROR) {
        session_request_schema(c); /* a server from before _Server */
        return;
    }
    if (!replica_set_schema(c->server, m->result, &changed, &why)) {
        session_garbage(c, why);
        return;
    }
    c->state = SESSION_SERVER_MONITOR;
    c->step_id = jsonrpc_send_request(c->rpc, "monitor_cond",
                                      json_pack("[s,o,o]", "_Server", monitor_id("_Server"),
                                                replica_monitor_requests(c->server)));
}

static void
session_server_monitor_reply(struct ovsdb_client *c, const struct jsonrpc_msg *m)
{
    char *why = NULL;
    if (m->type == JSONRPC_ERROR) {
        session_request_schema(c);
        return;
    }
    if (!replica_apply(c->server, REPLICA_UPDATE2, m->result, true, &why)) {
        session_garbage(c, why);
        return;
    }
    /* Tells the server not to hang up when a database changes: _Server informs us. */
    jsonrpc_send_request(c->rpc, "set_db_change_aware", json_pack("[b]", 1));
    session_check_server(c);
    replica_reap(c->server);
}

/* ---------------------------------------------------------------- messages */

static void
session_update(struct ovsdb_client *c, const struct jsonrpc_msg *m, enum replica_format format,
               bool with_id)
{
    char *why = NULL;
    const char *name = json_string_value(json_array_get(json_array_get(m->params, 0), 1));
    const json_t *updates = json_array_get(m->params, with_id ? 2 : 1);
    if (name && !strcmp(name, "_Server") && c->state >= SESSION_SERVER_WAIT) {
        if (!replica_apply(c->server, format, updates, false, &why)) {
            session_garbage(c, why);
            return;
        }
        session_check_server(c);
        replica_reap(c->server);
    } else if (name && !strcmp(name, c->spec->database) && c->state == SESSION_UP) {
        uint64_t before = c->db->seqno;
        if (!replica_apply(c->db, format, updates, false, &why)) {
            session_garbage(c, why);
            return;
        }
        if (with_id ? !remember_last_id(c, json_array_get(m->params, 1)) : false) {
            session_garbage(c, xstrdup("update3 without a transaction id"));
            return;
        }
        if (c->db->seqno != before) {
            client_touch(c);
        }
    } else {
        session_garbage(c, xstrdup("update for a monitor that does not exist"));
    }
}

static void
session_notify(struct ovsdb_client *c, const struct jsonrpc_msg *m)
{
    if (!strcmp(m->method, "update3")) {
        session_update(c, m, REPLICA_UPDATE2, true);
    } else if (!strcmp(m->method, "update2")) {
        session_update(c, m, REPLICA_UPDATE2, false);
    } else if (!strcmp(m->method, "update")) {
        session_update(c, m, REPLICA_UPDATE, false);
    } else if (!strcmp(m->method, "locked")) {
        session_lock_notify(c, m, true);
    } else if (!strcmp(m->method, "stolen")) {
        session_lock_notify(c, m, false);
    } else if (!strcmp(m->method, "monitor_canceled")) {
        LOG_INFO("%s: the server ended the monitor, connecting anew", client_remote_name(c));
        session_drop(c);
    }
    /* Other notifications are none of our business. */
}

static void
session_step(struct ovsdb_client *c, const struct jsonrpc_msg *m)
{
    c->step_id = -1;
    switch (c->state) {
    case SESSION_SERVER_SCHEMA:
        session_server_schema_reply(c, m);
        break;
    case SESSION_SERVER_MONITOR:
        session_server_monitor_reply(c, m);
        break;
    case SESSION_SCHEMA:
        if (m->type == JSONRPC_ERROR) {
            session_garbage(
                c, xasprintf("the server does not have database %s", c->spec->database));
        } else {
            session_use_schema(c, m->result);
        }
        break;
    case SESSION_MONITOR:
        if (m->type == JSONRPC_ERROR) {
            session_monitor_error(c);
        } else {
            session_monitor_reply(c, m->result);
        }
        break;
    case SESSION_DOWN:
    case SESSION_SERVER_WAIT:
    case SESSION_UP:
        break;
    }
}

static void
session_message(struct jsonrpc *rpc, const struct jsonrpc_msg *m, void *aux)
{
    struct ovsdb_client *c = aux;
    int64_t id = json_is_integer(m->id) ? json_integer_value(m->id) : -1;
    switch (m->type) {
    case JSONRPC_REQUEST:
        jsonrpc_send_error(rpc, json_incref(m->id), json_string("unknown method"));
        break;
    case JSONRPC_NOTIFY:
        session_notify(c, m);
        break;
    case JSONRPC_REPLY:
    case JSONRPC_ERROR:
        if (id >= 0 && id == c->step_id) {
            session_step(c, m);
        } else if (id >= 0 && id == c->lock_id) {
            session_lock_reply(c, m);
        } else {
            txns_handle_reply(c, id, m);
        }
        break;
    }
}

static void
session_connected(struct jsonrpc *rpc, void *aux)
{
    struct ovsdb_client *c = aux;
    reconnect_connected(&c->rc, clock_now_ms());
    int64_t wait = reconnect_wait_ms(&c->rc, clock_now_ms());
    if (wait >= 0) {
        ev_timer_start(&c->rc_timer, wait);
    } else {
        ev_timer_stop(&c->rc_timer);
    }
    c->state = SESSION_SERVER_SCHEMA;
    c->method = MONITOR_COND_SINCE;
    free(c->server_schema);
    c->server_schema = NULL;
    c->step_id = jsonrpc_send_request(rpc, "get_schema", json_pack("[s]", "_Server"));
}

static void
session_activity(struct jsonrpc *rpc, void *aux)
{
    struct ovsdb_client *c = aux;
    reconnect_activity(&c->rc, clock_now_ms());
}

static void
session_closed(struct jsonrpc *rpc, bool garbage, const char *why, void *aux)
{
    struct ovsdb_client *c = aux;
    if (garbage) {
        session_garbage(c, xstrdup(why));
        return;
    }
    if (c->state == SESSION_DOWN) {
        LOG_INFO_RL(&rl, "%s: cannot connect: %s", client_remote_name(c), why);
    } else {
        COVERAGE_INC(ovsdb_connection_lost);
        LOG_INFO_RL(&rl, "%s: connection lost: %s", client_remote_name(c), why);
    }
    session_drop(c);
}

const struct jsonrpc_events session_rpc_events = {
    .connected = session_connected,
    .message = session_message,
    .activity = session_activity,
    .closed = session_closed,
};
