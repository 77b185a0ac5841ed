/* SPDX-License-Identifier: Apache-2.0 */

/* Write transactions: collecting column updates, leaving out what the database already holds,
 * sending, and reporting the outcome exactly once.  Called by the daemon's status code on the
 * main thread; replies come through session.c.  Must not know what the columns mean. */

#include <stdlib.h>
#include <string.h>
#include "log/coverage.h"
#include "log/log.h"
#include "ovsdb/client-private.h"
#include "util/xalloc.h"

LOG_MODULE(ovsdb_txn);
COVERAGE_DEFINE(ovsdb_txn_lost);
COVERAGE_DEFINE(ovsdb_txn_failed);
COVERAGE_DEFINE(ovsdb_txn_bad_value);

enum { REPORTS_AT_END_MAX = 10000 };

enum txn_stage { TXN_OPEN, TXN_SENT, TXN_DONE };

struct ovsdb_txn {
    struct cds_list_head node; /* in client->txns, from the commit on */
    struct ovsdb_client *client;
    enum txn_stage stage;
    json_t *tables; /* table -> uuid -> column -> [wire, normalised] */
    int64_t id;
    enum ovsdb_txn_result result;
    char *error;
    void (*done)(enum ovsdb_txn_result, const char *error, void *aux);
    void *aux;
};

struct ovsdb_txn *
ovsdb_txn_create(struct ovsdb_client *c)
{
    struct ovsdb_txn *txn = xzalloc(sizeof *txn);
    txn->client = c;
    txn->tables = json_object();
    txn->id = -1;
    return txn;
}

void
ovsdb_txn_abort(struct ovsdb_txn *txn)
{
    if (txn) {
        json_decref(txn->tables);
        free(txn->error);
        free(txn);
    }
}

bool
ovsdb_txn_is_empty(const struct ovsdb_txn *txn)
{
    return !json_object_size(txn->tables);
}

static json_t *
txn_cell(const struct ovsdb_txn *txn, const char *table, const char *uuid, const char *column)
{
    json_t *row = json_object_get(json_object_get(txn->tables, table), uuid);
    return json_object_get(row, column);
}

/* What the column holds, or will once everything sent is through. */
static const json_t *
expected_value(const struct ovsdb_txn *txn, const struct ovsdb_row *row, int col)
{
    const struct replica_table *t = row->table;
    const json_t *value = row->values[col];
    struct ovsdb_txn *sent;
    cds_list_for_each_entry(sent, &txn->client->txns, node)
    {
        json_t *cell = sent->stage == TXN_SENT
                           ? txn_cell(sent, t->name, row->uuid, t->columns[col].name)
                           : NULL;
        value = cell ? json_array_get(cell, 1) : value;
    }
    return value;
}

/* Like json_object_get() of an object, which is made when not there. */
static json_t *
child_object(json_t *parent, const char *key)
{
    json_t *child = json_object_get(parent, key);
    if (!child) {
        child = json_object();
        json_object_set_new(parent, key, child);
    }
    return child;
}

static void
txn_remove_cell(struct ovsdb_txn *txn, const char *table, const char *uuid, const char *column)
{
    json_t *rows = json_object_get(txn->tables, table);
    json_t *row = json_object_get(rows, uuid);
    json_object_del(row, column);
    if (row && !json_object_size(row)) {
        json_object_del(rows, uuid);
    }
    if (rows && !json_object_size(rows)) {
        json_object_del(txn->tables, table);
    }
}

void
ovsdb_txn_update(struct ovsdb_txn *txn, const char *table, const char *uuid, const char *column,
                 json_t *value)
{
    const struct replica_table *t = replica_table_find(txn->client->db, table);
    const struct ovsdb_row *row = t && uuid ? replica_row_find(t, uuid) : NULL;
    int col = t ? replica_column_find(t, column) : -1;
    if (!row || col < 0) {
        json_decref(value);
        return;
    }
    json_t *normal = ovsdb_value_normalise(&t->columns[col].type, value);
    if (!normal) {
        static struct log_rate_limit rl = LOG_RATE_LIMIT(6);
        COVERAGE_INC(ovsdb_txn_bad_value);
        LOG_WARN_RL(&rl, "table %s: value for column %s has the wrong type, not written", table,
                    column);
        json_decref(value);
        return;
    }
    const json_t *expected = expected_value(txn, row, col);
    if (expected && json_equal(expected, normal)) {
        txn_remove_cell(txn, table, uuid, column); /* an earlier update is undone */
        json_decref(normal);
        json_decref(value);
        return;
    }
    json_t *cells = child_object(child_object(txn->tables, table), uuid);
    json_object_set_new(cells, column, json_pack("[o,o]", value, normal));
}

/* ---------------------------------------------------------------- sending */

static json_t *
row_operation(const char *table, const char *uuid, json_t *cells)
{
    const char *column;
    json_t *cell;
    json_t *row = json_object();
    json_object_foreach(cells, column, cell)
    {
        json_object_set(row, column, json_array_get(cell, 0));
    }
    return json_pack("{s:s,s:s,s:[[s,s,[s,s]]],s:o}", "op", "update", "table", table, "where",
                     "_uuid", "==", "uuid", uuid, "row", row);
}

static json_t *
txn_params(const struct ovsdb_txn *txn)
{
    const struct ovsdb_spec *spec = txn->client->spec;
    const char *table, *uuid;
    json_t *rows, *cells;
    json_t *params = json_array();
    json_array_append_new(params, json_string(spec->database));
    if (spec->lock) {
        json_array_append_new(params,
                              json_pack("{s:s,s:s}", "op", "assert", "lock", spec->lock));
    }
    json_object_foreach(txn->tables, table, rows)
    {
        json_object_foreach(rows, uuid, cells)
        {
            json_array_append_new(params, row_operation(table, uuid, cells));
        }
    }
    return params;
}

static void
txn_finish(struct ovsdb_txn *txn, enum ovsdb_txn_result result, const char *error)
{
    txn->stage = TXN_DONE;
    txn->result = result;
    txn->error = xstrdup_nullable(error);
    ev_defer_start(&txn->client->txns_done);
}

void
ovsdb_txn_commit(struct ovsdb_txn *txn,
                 void (*done)(enum ovsdb_txn_result, const char *error, void *aux), void *aux)
{
    struct ovsdb_client *c = txn->client;
    txn->done = done;
    txn->aux = aux;
    cds_list_add_tail(&txn->node, &c->txns);
    if (ovsdb_txn_is_empty(txn)) {
        txn_finish(txn, OVSDB_TXN_OK, NULL);
    } else if (c->state != SESSION_UP) {
        COVERAGE_INC(ovsdb_txn_lost);
        txn_finish(txn, OVSDB_TXN_LOST, "not connected to the database");
    } else {
        txn->stage = TXN_SENT;
        txn->id = jsonrpc_send_request(c->rpc, "transact", txn_params(txn));
    }
}

/* ---------------------------------------------------------------- outcome */

/* The first error in the results, malloc'ed; NULL when all is well. */
static char *
result_error(const struct jsonrpc_msg *m)
{
    if (m->type == JSONRPC_ERROR) {
        const char *text = json_string_value(
            json_is_object(m->error) ? json_object_get(m->error, "error") : m->error);
        return xstrdup(text ? text : "transaction refused");
    }
    if (!json_is_array(m->result)) {
        return xstrdup("malformed reply to a transaction");
    }
    size_t i;
    json_t *op;
    json_array_foreach((json_t *) m->result, i, op)
    {
        const char *error = json_string_value(json_object_get(op, "error"));
        const char *details = json_string_value(json_object_get(op, "details"));
        if (error) {
            return details ? xasprintf("%s: %s", error, details) : xstrdup(error);
        }
    }
    return NULL;
}

bool
txns_handle_reply(struct ovsdb_client *c, int64_t id, const struct jsonrpc_msg *m)
{
    struct ovsdb_txn *txn;
    cds_list_for_each_entry(txn, &c->txns, node)
    {
        if (txn->stage != TXN_SENT || txn->id != id) {
            continue;
        }
        char *error = result_error(m);
        if (error) {
            static struct log_rate_limit rl = LOG_RATE_LIMIT(6);
            COVERAGE_INC(ovsdb_txn_failed);
            LOG_WARN_RL(&rl, "transaction failed: %s", error);
        }
        txn_finish(txn, error ? OVSDB_TXN_ERROR : OVSDB_TXN_OK, error);
        free(error);
        return true;
    }
    return false;
}

void
txns_lose(struct ovsdb_client *c)
{
    struct ovsdb_txn *txn;
    cds_list_for_each_entry(txn, &c->txns, node)
    {
        if (txn->stage == TXN_SENT) {
            COVERAGE_INC(ovsdb_txn_lost);
            txn_finish(txn, OVSDB_TXN_LOST, "connection to the database lost");
        }
    }
}

/* Reports and frees one; the callback may commit others. */
static void
txn_report(struct ovsdb_txn *txn)
{
    cds_list_del(&txn->node);
    if (txn->done) {
        txn->done(txn->result, txn->error, txn->aux);
    }
    ovsdb_txn_abort(txn);
}

void
txns_done_cb(struct ev_defer *d)
{
    struct ovsdb_client *c = d->aux;
    CDS_LIST_HEAD(ready);
    struct ovsdb_txn *txn, *next;
    cds_list_for_each_entry_safe(txn, next, &c->txns, node)
    {
        if (txn->stage == TXN_DONE) {
            cds_list_del(&txn->node);
            cds_list_add_tail(&txn->node, &ready);
        }
    }
    while (!cds_list_empty(&ready)) {
        txn_report(cds_list_first_entry(&ready, struct ovsdb_txn, node));
    }
}

void
txns_destroy(struct ovsdb_client *c)
{
    txns_lose(c);
    /* Callbacks may commit more, which are lost at once and reported in their turn; one that
     * never stops committing is not asked any more. */
    for (int left = REPORTS_AT_END_MAX; !cds_list_empty(&c->txns); left--) {
        struct ovsdb_txn *txn = cds_list_first_entry(&c->txns, struct ovsdb_txn, node);
        if (left <= 0) {
            txn->done = NULL;
        }
        txn_report(txn);
    }
    ev_defer_stop(&c->txns_done);
}
