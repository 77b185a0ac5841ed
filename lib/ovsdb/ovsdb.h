/* SPDX-License-Identifier: Apache-2.0 */
#ifndef XVS_OVSDB_OVSDB_H
#define XVS_OVSDB_OVSDB_H 1

/* OVSDB client (RFC 7047 and its monitor_cond/monitor_cond_since extensions): a replica of the
 * wanted columns of one database, and write transactions.  Main thread, on its event loop;
 * nothing blocks.
 *
 * The replica holds JSON values in wire form, normalised: every set is an array of atoms
 * (sorted), every map is an array of [key, value] pairs (sorted by key), every uuid is its
 * string; a column of exactly one atom (min 1, max 1) is that atom without an array.  The
 * accessors below turn them into C values; a column that the server's schema lacks reads as
 * empty ([]).
 *
 * The connection follows reconnection with back-off, several remotes, cluster leadership
 * (_Server database), the lock, inactivity probes.  While disconnected the replica keeps its
 * last contents: the switch goes on forwarding. */

#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>
#include "os/evloop.h"
#include "util/smap.h"

struct ovsdb_client;
struct ovsdb_row; /* valid until the next change callback */
struct ovsdb_txn;

struct ovsdb_table_spec {
    const char *name;
    const char *const *columns; /* NULL-terminated */
};
struct ovsdb_spec {
    const char *database; /* "Open_vSwitch" */
    const char *lock;     /* "ovs_vswitchd"; NULL for none */
    const struct ovsdb_table_spec *tables;
    size_t n_tables;
};
struct ovsdb_events {
    /* Contents, lock ownership or connectivity changed; coalesced to one call per loop turn.
     * Never called before the first complete snapshot has arrived. */
    void (*changed)(struct ovsdb_client *, void *aux);
    void *aux;
};

/* `remotes`: comma-separated unix: tcp: ssl: (and punix: ptcp: pssl: passive) targets.  Fails
 * (NULL, sentence in *errp) only for text that no connection can ever be made from. */
struct ovsdb_client *
ovsdb_client_create(struct evloop *, const char *remotes, const struct ovsdb_spec *,
                    const struct ovsdb_events *, char **errp);
/* `spec` above is borrowed for the client's life.  Transactions not yet answered are reported
 * (OVSDB_TXN_LOST) from inside this call.  Not to be called from a transaction's `done`. */
void ovsdb_client_destroy(struct ovsdb_client *);

bool ovsdb_has_snapshot(const struct ovsdb_client *); /* the replica is complete */
bool ovsdb_is_connected(const struct ovsdb_client *); /* monitoring right now */
bool ovsdb_has_lock(const struct ovsdb_client *); /* and connected; true if none is wanted */
bool ovsdb_lock_is_contended(const struct ovsdb_client *); /* asked for, somebody else has it */
uint64_t ovsdb_seqno(const struct ovsdb_client *); /* grows with every change of contents */
bool ovsdb_has_column(const struct ovsdb_client *, const char *table, const char *column);

/* Rows: by uuid (NULL: no such row), or all of a table in unspecified but stable order. */
const struct ovsdb_row *
ovsdb_row_find(const struct ovsdb_client *, const char *table, const char *uuid);
const struct ovsdb_row *ovsdb_row_first(const struct ovsdb_client *, const char *table);
const struct ovsdb_row *ovsdb_row_next(const struct ovsdb_row *);
const char *ovsdb_row_uuid(const struct ovsdb_row *);

/* Column values; all borrowed from the row unless said otherwise. */
const json_t *ovsdb_get(const struct ovsdb_row *, const char *column); /* normalised form */
size_t ovsdb_get_count(const struct ovsdb_row *, const char *column);  /* atoms or pairs */
const char *ovsdb_get_string(const struct ovsdb_row *, const char *column, const char *def);
int64_t ovsdb_get_int(const struct ovsdb_row *, const char *column, int64_t def);
bool ovsdb_get_bool(const struct ovsdb_row *, const char *column, bool def);
/* i-th atom of a set as string (also uuids) or integer. */
const char *ovsdb_get_string_at(const struct ovsdb_row *, const char *column, size_t i);
int64_t ovsdb_get_int_at(const struct ovsdb_row *, const char *column, size_t i);
/* A string map into an initialised smap (cleared first). */
void ovsdb_get_smap(const struct ovsdb_row *, const char *column, struct smap *);

/* Write transactions: updates of columns of existing rows; nothing is applied locally (the
 * monitor brings it back).  Columns unknown to the server, and values that the replica already
 * has, are left out; the lock assertion is added.  Values are in wire form and are stolen. */
struct ovsdb_txn *ovsdb_txn_create(struct ovsdb_client *);
void ovsdb_txn_update(struct ovsdb_txn *, const char *table, const char *uuid,
                      const char *column, json_t *value);
bool ovsdb_txn_is_empty(const struct ovsdb_txn *);
enum ovsdb_txn_result {
    OVSDB_TXN_OK,
    OVSDB_TXN_ERROR,
    OVSDB_TXN_LOST /* no reply: disconnected */
};
/* Sends it; `done` (may be NULL) runs later exactly once, also for an empty one (OK, without a
 * message).  `error` is the server's text.  Consumes the transaction. */
void
ovsdb_txn_commit(struct ovsdb_txn *,
                 void (*done)(enum ovsdb_txn_result, const char *error, void *aux), void *aux);
void ovsdb_txn_abort(struct ovsdb_txn *);

/* Builders of wire values. */
json_t *ovsdb_value_smap(const struct smap *); /* ["map",[...]] of strings */
json_t *ovsdb_value_empty(void);               /* ["set",[]] */
json_t *ovsdb_value_string_set(const char *const *, size_t);
json_t *ovsdb_value_int_map(const char *const *keys, const int64_t *values, size_t);

#endif
