/* SPDX-License-Identifier: Apache-2.0 */

/* The replica's tables and rows: making them, fitting them to the server's schema, applying
 * checked changes.  Called by the client's session on the main thread; pure.  Parsing of
 * updates is in replica-update.c, reading in row.c.  Must not know connections. */

#include "ovsdb/replica.h"
#include <stdlib.h>
#include <string.h>
#include "ovsdb/schema.h"
#include "util/xalloc.h"

struct replica *
replica_create(const struct ovsdb_spec *spec)
{
    struct replica *r = xzalloc(sizeof *r);
    r->spec = spec;
    r->n_tables = spec->n_tables;
    r->tables = xcalloc(spec->n_tables + 1, sizeof *r->tables);
    r->empty = json_array();
    r->dead_values = json_array();
    for (size_t i = 0; i < r->n_tables; i++) {
        struct replica_table *t = &r->tables[i];
        t->replica = r;
        t->name = spec->tables[i].name;
        while (spec->tables[i].columns[t->n_columns]) {
            t->n_columns++;
        }
        t->columns = xcalloc(t->n_columns + 1, sizeof *t->columns);
        for (size_t c = 0; c < t->n_columns; c++) {
            t->columns[c].name = spec->tables[i].columns[c];
        }
    }
    return r;
}

static void
row_free(struct ovsdb_row *row)
{
    for (size_t c = 0; c < row->table->n_columns; c++) {
        json_decref(row->values[c]);
    }
    free(row);
}

void
replica_destroy(struct replica *r)
{
    if (!r) {
        return;
    }
    replica_reap(r);
    for (size_t i = 0; i < r->n_tables; i++) {
        struct replica_table *t = &r->tables[i];
        struct ovsdb_row *row, *next;
        HASH_ITER(hh, t->rows, row, next)
        {
            HASH_DEL(t->rows, row);
            row_free(row);
        }
        free(t->columns);
    }
    json_decref(r->empty);
    json_decref(r->dead_values);
    free(r->tables);
    free(r);
}

void
replica_reap(struct replica *r)
{
    json_array_clear(r->dead_values);
    while (r->dead_rows) {
        struct ovsdb_row *row = r->dead_rows;
        r->dead_rows = row->dead_next;
        row_free(row);
    }
}

struct replica_table *
replica_table_find(const struct replica *r, const char *name)
{
    for (size_t i = 0; i < r->n_tables; i++) {
        if (!strcmp(r->tables[i].name, name)) {
            return &r->tables[i];
        }
    }
    return NULL;
}

struct ovsdb_row *
replica_row_find(const struct replica_table *t, const char *uuid)
{
    struct ovsdb_row *row;
    HASH_FIND_STR(t->rows, uuid, row);
    return row;
}

int
replica_column_find(const struct replica_table *t, const char *name)
{
    for (size_t c = 0; c < t->n_columns; c++) {
        if (!strcmp(t->columns[c].name, name)) {
            return t->columns[c].present ? (int) c : -1;
        }
    }
    return -1;
}

/* Fits one table; 1 when something changed, 0 not, -1 when the schema is malformed. */
static int
table_set_schema(struct replica_table *t, const json_t *schema, bool commit, char **errp)
{
    bool present = ovsdb_schema_has_table(schema, t->name);
    int changed = present != t->present;
    if (commit) {
        t->present = present;
    }
    for (size_t c = 0; c < t->n_columns; c++) {
        struct replica_column *col = &t->columns[c];
        struct ovsdb_type type = {.key = OVSDB_ATOM_NONE};
        int found = present ? ovsdb_schema_column(schema, t->name, col->name, &type) : 0;
        if (found < 0) {
            error_set(errp, "schema: column %s of table %s has a malformed type", col->name,
                      t->name);
            return -1;
        }
        if (!found) {
            changed |= col->present;
        } else if (!col->present || !ovsdb_type_equal(&type, &col->type)) {
            changed = 1;
        }
        if (commit) {
            col->present = found;
            col->type = type;
        }
    }
    return changed;
}

bool
replica_set_schema(struct replica *r, const json_t *schema, bool *changed, char **errp)
{
    if (!ovsdb_schema_is_valid(schema)) {
        error_set(errp, "schema: not a database schema");
        return false;
    }
    *changed = false;
    bool any = false;
    for (size_t i = 0; i < r->n_tables; i++) {
        int result = table_set_schema(&r->tables[i], schema, false, errp);
        if (result < 0) {
            return false;
        }
        *changed = *changed || result;
        any = any || ovsdb_schema_has_table(schema, r->tables[i].name);
    }
    if (!any) {
        error_set(errp, "schema: has none of the tables of database %s", r->spec->database);
        return false;
    }
    for (size_t i = 0; *changed && i < r->n_tables; i++) {
        table_set_schema(&r->tables[i], schema, true, NULL);
    }
    return true;
}

json_t *
replica_monitor_requests(const struct replica *r)
{
    json_t *requests = json_object();
    for (size_t i = 0; i < r->n_tables; i++) {
        const struct replica_table *t = &r->tables[i];
        if (!t->present) {
            continue;
        }
        json_t *columns = json_array();
        for (size_t c = 0; c < t->n_columns; c++) {
            if (t->columns[c].present) {
                json_array_append_new(columns, json_string(t->columns[c].name));
            }
        }
        json_object_set_new(requests, t->name, json_pack("[{s:o}]", "columns", columns));
    }
    return requests;
}
