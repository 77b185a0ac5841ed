/* SPDX-License-Identifier: Apache-2.0 */
#ifndef XVS_OVSDB_REPLICA_H
#define XVS_OVSDB_REPLICA_H 1

/* Internal to lib/ovsdb and its tests: the local copy of the monitored columns of one database,
 * and how monitor updates change it.  Pure: no connection, no clock.
 *
 * An update is checked as a whole before any of it is applied: a malformed one changes nothing.
 * Rows and values that an update replaces stay readable until replica_reap(). */

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <uthash.h>
#include "ovsdb/ovsdb.h"
#include "ovsdb/value.h"

struct replica_column {
    const char *name; /* borrowed from the spec */
    struct ovsdb_type type;
    bool present; /* in the server's schema */
};
struct replica_table {
    struct replica *replica;
    const char *name;
    bool present;
    size_t n_columns;
    struct replica_column *columns;
    struct ovsdb_row *rows; /* uthash by uuid, in order of arrival */
};
struct ovsdb_row {
    UT_hash_handle hh;
    struct replica_table *table;
    char uuid[37];
    bool marked; /* during a snapshot */
    struct ovsdb_row *dead_next;
    json_t *values[]; /* normalised; NULL: column not present */
};
struct replica {
    const struct ovsdb_spec *spec;
    size_t n_tables;
    struct replica_table *tables;
    uint64_t seqno;
    json_t *empty; /* [] for columns that are not there */
    json_t *dead_values;
    struct ovsdb_row *dead_rows;
};

enum replica_format {
    REPLICA_UPDATE,  /* "old" and "new" rows: RFC 7047 section 4.1.6 */
    REPLICA_UPDATE2, /* initial, insert, modify, delete: update2 and update3 */
};

struct replica *replica_create(const struct ovsdb_spec *); /* spec borrowed */
void replica_destroy(struct replica *);

/* Takes over which tables and columns exist.  *changed: types or presence differ from before,
 * so that only a snapshot may follow.  False with a sentence when malformed or sharing no
 * table. */
bool replica_set_schema(struct replica *, const json_t *schema, bool *changed, char **errp);
/* The <monitor-requests> for what is present. */
json_t *replica_monitor_requests(const struct replica *);

/* Applies <table-updates>.  With `snapshot`, rows not in it are removed.  seqno grows when
 * contents really change.  False, nothing changed, and a sentence when malformed. */
bool replica_apply(struct replica *, enum replica_format, const json_t *updates, bool snapshot,
                   char **errp);
/* Frees what updates have replaced: no row pointer or value is in use. */
void replica_reap(struct replica *);

struct replica_table *replica_table_find(const struct replica *, const char *name);
struct ovsdb_row *replica_row_find(const struct replica_table *, const char *uuid);
/* Index or -1 (unknown or not present). */
int replica_column_find(const struct replica_table *, const char *name);

#endif
