/* SPDX-License-Identifier: Apache-2.0 */

/* The OVSDB client's life: its remotes, active and passive, reconnection, and what the owner
 * may ask.  Called by the daemon on the main thread.  The conversation is in session.c, writing
 * in txn.c.  Must not know any table. */

#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include "log/coverage.h"
#include "log/log.h"
#include "os/clock.h"
#include "ovsdb/client-private.h"
#include "util/xalloc.h"

LOG_MODULE(ovsdb_client);
COVERAGE_DEFINE(ovsdb_connect_failed);
COVERAGE_DEFINE(ovsdb_probe_timeout);

enum {
    MIN_BACKOFF_MS = 1000,
    MAX_BACKOFF_MS = 8000,
    CONNECT_TIMEOUT_MS = 5000,
    PROBE_MS = 5000,
    LISTEN_RETRY_MS = 1000,
    PASSIVE_MODE = 0770,
};

static void client_drive(struct ovsdb_client *);

/* ---------------------------------------------------------------- connecting */

static void
client_take_stream(struct ovsdb_client *c, struct stream *stream)
{
    c->rpc = jsonrpc_create(c->loop, stream, &session_rpc_events, c);
}

const char *
client_remote_name(const struct ovsdb_client *c)
{
    return c->rpc ? jsonrpc_name(c->rpc) : "database";
}

static void
client_connect(struct ovsdb_client *c)
{
    static struct log_rate_limit rl = LOG_RATE_LIMIT(6);
    const char *target = c->targets[reconnect_remote(&c->rc)];
    struct stream *stream;
    char *why = NULL;
    LOG_DBG("%s: connecting", target);
    jsonrpc_destroy(c->rpc); /* a passive one that never finished its hand-shake */
    c->rpc = NULL;
    /* Local servers are not probed, except to leave a stuck member of a cluster. */
    reconnect_set_probe(&c->rc, strncmp(target, "unix:", 5) || c->n_targets > 1 ? PROBE_MS : 0);
    int error = stream_open(c->loop, target, &stream, &why);
    if (error) {
        COVERAGE_INC(ovsdb_connect_failed);
        LOG_INFO_RL(&rl, "cannot connect to database: %s", why);
        free(why);
        reconnect_disconnected(&c->rc, clock_now_ms());
        return;
    }
    client_take_stream(c, stream);
}

static void
client_run(struct ovsdb_client *c)
{
    switch (reconnect_run(&c->rc, clock_now_ms())) {
    case RECONNECT_NOTHING:
        break;
    case RECONNECT_CONNECT:
        client_connect(c);
        break;
    case RECONNECT_PROBE:
        jsonrpc_send_probe(c->rpc);
        break;
    case RECONNECT_DISCONNECT:
        COVERAGE_INC(ovsdb_probe_timeout);
        LOG_INFO("%s: no answer, disconnecting", client_remote_name(c));
        session_drop(c);
        break;
    }
}

/* Does what is due and sets the timer for what comes next.  Bounded: every step either moves
 * the machine forward or waits, and a round of failing remotes ends in a pause. */
static void
client_drive(struct ovsdb_client *c)
{
    for (size_t i = 0; i < c->n_targets + 2; i++) {
        if (reconnect_wait_ms(&c->rc, clock_now_ms()) != 0) {
            break;
        }
        client_run(c);
    }
    int64_t wait = reconnect_wait_ms(&c->rc, clock_now_ms());
    if (wait < 0) {
        ev_timer_stop(&c->rc_timer);
    } else {
        ev_timer_start(&c->rc_timer, wait);
    }
}

static void
client_rc_timer_cb(struct ev_timer *timer)
{
    client_drive(timer->aux);
}

/* The session has ended; c->rpc is gone.  The next attempt starts from the timer, so that no
 * chain of failures can recurse. */
void
client_went_down(struct ovsdb_client *c)
{
    reconnect_disconnected(&c->rc, clock_now_ms());
    int64_t wait = reconnect_wait_ms(&c->rc, clock_now_ms());
    if (wait >= 0) {
        ev_timer_start(&c->rc_timer, wait);
    } else {
        ev_timer_stop(&c->rc_timer);
    }
}

/* ---------------------------------------------------------------- passive remotes */

static void
passive_accepted(struct stream *stream, void *aux)
{
    struct passive_remote *p = aux;
    struct ovsdb_client *c = p->client;
    if (c->state != SESSION_DOWN) {
        LOG_INFO("%s: closed, %s is in use", stream_name(stream), client_remote_name(c));
        stream_close(stream);
        return;
    }
    jsonrpc_destroy(c->rpc); /* an attempt elsewhere that has not succeeded */
    reconnect_set_probe(&c->rc, strncmp(p->target, "punix:", 6) ? PROBE_MS : 0);
    client_take_stream(c, stream);
}

static void
client_listen_cb(struct ev_timer *timer)
{
    static struct log_rate_limit rl = LOG_RATE_LIMIT(3);
    struct ovsdb_client *c = timer->aux;
    bool all = true;
    for (size_t i = 0; i < c->n_passive; i++) {
        struct passive_remote *p = &c->passive[i];
        char *why = NULL;
        if (!p->listener && stream_listen(c->loop, p->target, PASSIVE_MODE, passive_accepted, p,
                                          &p->listener, &why)) {
            LOG_WARN_RL(&rl, "%s", why);
            free(why);
            all = false;
        }
    }
    if (!all) {
        ev_timer_start(&c->listen_timer, LISTEN_RETRY_MS);
    }
}

/* ---------------------------------------------------------------- events to the owner */

void
client_touch(struct ovsdb_client *c)
{
    if (c->has_snapshot) {
        ev_defer_start(&c->changed);
    }
}

static void
client_changed_cb(struct ev_defer *d)
{
    struct ovsdb_client *c = d->aux;
    replica_reap(c->db);
    if (c->events.changed) {
        c->events.changed(c, c->events.aux);
    }
}

/* ---------------------------------------------------------------- life */

static void
add_remote(struct ovsdb_client *c, const char *target, bool passive)
{
    if (passive) {
        c->passive = xrealloc(c->passive, (c->n_passive + 1) * sizeof *c->passive);
        c->passive[c->n_passive++] = (struct passive_remote){c, xstrdup(target), NULL};
    } else {
        c->targets = xrealloc(c->targets, (c->n_targets + 1) * sizeof *c->targets);
        c->targets[c->n_targets++] = xstrdup(target);
    }
}

/* Splits `remotes`.  Parts that are malformed are left out, as long as one is good. */
static bool
parse_remotes(struct ovsdb_client *c, const char *remotes, char **errp)
{
    char *copy = xstrdup(remotes);
    char *save = NULL, *why = NULL;
    for (char *w = strtok_r(copy, ", \t", &save); w; w = strtok_r(NULL, ", \t", &save)) {
        char *bad = NULL;
        bool passive;
        if (stream_target_check(w, NULL, &passive, &bad)) {
            add_remote(c, w, passive);
        } else {
            error_set(&why, "%s", bad);
            free(bad);
        }
    }
    free(copy);
    bool ok = c->n_targets + c->n_passive > 0;
    if (!ok) {
        error_set(errp, "%s", why ? why : "no database to connect to is given");
    } else if (why) {
        LOG_WARN("%s; ignored", why);
    }
    free(why);
    return ok;
}

/* Clients of one cluster should not all prefer the same member. */
static void
shuffle_targets(struct ovsdb_client *c)
{
    for (size_t i = c->n_targets; i > 1; i--) {
        unsigned random = 0;
        if (getrandom(&random, sizeof random, GRND_NONBLOCK) != sizeof random) {
            return;
        }
        size_t k = random % i;
        char *swap = c->targets[i - 1];
        c->targets[i - 1] = c->targets[k];
        c->targets[k] = swap;
    }
}

static bool
all_local(const struct ovsdb_client *c)
{
    for (size_t i = 0; i < c->n_targets; i++) {
        if (strncmp(c->targets[i], "unix:", 5)) {
            return false;
        }
    }
    return true;
}

struct ovsdb_client *
ovsdb_client_create(struct evloop *loop, const char *remotes, const struct ovsdb_spec *spec,
                    const struct ovsdb_events *events, char **errp)
{
    struct ovsdb_client *c = xzalloc(sizeof *c);
    if (!parse_remotes(c, remotes, errp)) {
        free(c);
        return NULL;
    }
    shuffle_targets(c);
    c->loop = loop;
    c->spec = spec;
    c->events = *events;
    c->db = replica_create(spec);
    c->server = replica_create(&ovsdb_server_spec);
    c->step_id = c->lock_id = -1;
    strcpy(c->last_id, ZERO_UUID);
    CDS_INIT_LIST_HEAD(&c->txns);
    ev_timer_init(&c->listen_timer, loop, client_listen_cb, c);
    ev_timer_init(&c->rc_timer, loop, client_rc_timer_cb, c);
    ev_timer_init(&c->lock_timer, loop, session_lock_timer_cb, c);
    ev_defer_init(&c->changed, loop, client_changed_cb, c);
    ev_defer_init(&c->txns_done, loop, txns_done_cb, c);
    /* A local socket costs nothing to try, and its server is back within moments of a restart:
     * no doubling there. */
    reconnect_init(&c->rc, c->n_targets, MIN_BACKOFF_MS,
                   all_local(c) ? MIN_BACKOFF_MS : MAX_BACKOFF_MS, CONNECT_TIMEOUT_MS,
                   clock_now_ms());
    client_listen_cb(&c->listen_timer);
    client_drive(c);
    return c;
}

void
ovsdb_client_destroy(struct ovsdb_client *c)
{
    if (!c) {
        return;
    }
    jsonrpc_destroy(c->rpc);
    c->rpc = NULL;
    c->state = SESSION_DOWN;
    txns_destroy(c);
    ev_timer_stop(&c->listen_timer);
    ev_timer_stop(&c->rc_timer);
    ev_timer_stop(&c->lock_timer);
    ev_defer_stop(&c->changed);
    ev_defer_stop(&c->txns_done);
    for (size_t i = 0; i < c->n_targets; i++) {
        free(c->targets[i]);
    }
    for (size_t i = 0; i < c->n_passive; i++) {
        stream_listener_close(c->passive[i].listener);
        free(c->passive[i].target);
    }
    free(c->targets);
    free(c->passive);
    free(c->server_schema);
    replica_destroy(c->db);
    replica_destroy(c->server);
    free(c);
}

bool
ovsdb_has_snapshot(const struct ovsdb_client *c)
{
    return c->has_snapshot;
}

bool
ovsdb_is_connected(const struct ovsdb_client *c)
{
    return c->state == SESSION_UP;
}

bool
ovsdb_has_lock(const struct ovsdb_client *c)
{
    return !c->spec->lock || (c->has_lock && c->state == SESSION_UP);
}

bool
ovsdb_lock_is_contended(const struct ovsdb_client *c)
{
    return c->contended;
}

uint64_t
ovsdb_seqno(const struct ovsdb_client *c)
{
    return c->db->seqno;
}

bool
ovsdb_has_column(const struct ovsdb_client *c, const char *table, const char *column)
{
    const struct replica_table *t = replica_table_find(c->db, table);
    return t && replica_column_find(t, column) >= 0;
}

const struct ovsdb_row *
ovsdb_row_find(const struct ovsdb_client *c, const char *table, const char *uuid)
{
    const struct replica_table *t = replica_table_find(c->db, table);
    return t && uuid ? replica_row_find(t, uuid) : NULL;
}

const struct ovsdb_row *
ovsdb_row_first(const struct ovsdb_client *c, const char *table)
{
    const struct replica_table *t = replica_table_find(c->db, table);
    return t ? t->rows : NULL;
}
