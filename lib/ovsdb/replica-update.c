/* SPDX-License-Identifier: Apache-2.0 */

/* Monitor updates: the three wire formats are checked and staged as a list of row changes,
 * which then is applied without a way to fail.  Called by the client's session on the main
 * thread; pure.  Must not know how updates arrive. */

#include "ovsdb/replica.h"
#include <stdlib.h>
#include <string.h>
#include "util/xalloc.h"

enum change_kind { CHANGE_PUT, CHANGE_MODIFY, CHANGE_DELETE };

struct change {
    enum change_kind kind;
    struct replica_table *table;
    char uuid[37];
    json_t **values; /* PUT: the whole row; MODIFY: the columns named; normalised */
};
struct staged {
    struct change *v;
    size_t n, cap;
};

static void
staged_free(struct staged *s)
{
    for (size_t i = 0; i < s->n; i++) {
        struct change *ch = &s->v[i];
        for (size_t c = 0; ch->values && c < ch->table->n_columns; c++) {
            json_decref(ch->values[c]);
        }
        free(ch->values);
    }
    free(s->v);
}

static struct change *
staged_add(struct staged *s, enum change_kind kind, struct replica_table *t, const char *uuid)
{
    if (s->n == s->cap) {
        s->cap = s->cap ? s->cap * 2 : 64;
        s->v = xrealloc(s->v, s->cap * sizeof *s->v);
    }
    struct change *ch = &s->v[s->n++];
    memset(ch, 0, sizeof *ch);
    ch->kind = kind;
    ch->table = t;
    memcpy(ch->uuid, uuid, sizeof ch->uuid);
    return ch;
}

/* ---------------------------------------------------------------- staging */

/* Parses a <row> into change->values. */
static bool
stage_row(struct change *ch, const json_t *row, char **errp)
{
    struct replica_table *t = ch->table;
    const char *name;
    json_t *wire;
    ch->values = xcalloc(t->n_columns + 1, sizeof *ch->values);
    if (!json_is_object(row)) {
        error_set(errp, "table %s: a row is not an object", t->name);
        return false;
    }
    json_object_foreach((json_t *) row, name, wire)
    {
        int c = replica_column_find(t, name);
        if (c < 0) {
            error_set(errp, "table %s: column \"%.64s\" was not asked for", t->name, name);
            return false;
        }
        ch->values[c] = ovsdb_value_normalise(&t->columns[c].type, wire);
        if (!ch->values[c]) {
            error_set(errp, "table %s: column %s has a value of the wrong type", t->name,
                      t->columns[c].name);
            return false;
        }
    }
    return true;
}

/* Completes a PUT: columns left out have their defaults, or are an error when `strict`. */
static bool
stage_defaults(struct change *ch, bool strict, char **errp)
{
    struct replica_table *t = ch->table;
    for (size_t c = 0; c < t->n_columns; c++) {
        if (!t->columns[c].present || ch->values[c]) {
            continue;
        }
        if (strict) {
            error_set(errp, "table %s: a row lacks column %s", t->name, t->columns[c].name);
            return false;
        }
        ch->values[c] = ovsdb_value_default(&t->columns[c].type);
    }
    return true;
}

static bool
stage_unknown_row(const struct replica_table *t, const char *uuid, char **errp)
{
    error_set(errp, "table %s: change of row %s, which was never announced", t->name, uuid);
    return false;
}

/* RFC 7047 section 4.1.6: {"old": row, "new": row}, either may be missing. */
static bool
stage_update(struct staged *s, struct replica_table *t, const char *uuid, const json_t *update,
             char **errp)
{
    const json_t *new = json_object_get(update, "new");
    if (new) {
        struct change *ch = staged_add(s, CHANGE_PUT, t, uuid);
        return stage_row(ch, new, errp) && stage_defaults(ch, true, errp);
    }
    if (!json_is_object(json_object_get(update, "old"))) {
        error_set(errp, "table %s: a row update has neither old nor new", t->name);
        return false;
    }
    if (!replica_row_find(t, uuid)) {
        return stage_unknown_row(t, uuid, errp);
    }
    staged_add(s, CHANGE_DELETE, t, uuid);
    return true;
}

/* ovsdb-server(7): exactly one of "initial", "insert", "modify", "delete". */
static bool
stage_update2(struct staged *s, struct replica_table *t, const char *uuid, const json_t *update,
              char **errp)
{
    const json_t *put = json_object_get(update, "initial");
    const json_t *modify = json_object_get(update, "modify");
    if (!put) {
        put = json_object_get(update, "insert");
    }
    if (put) {
        struct change *ch = staged_add(s, CHANGE_PUT, t, uuid);
        return stage_row(ch, put, errp) && stage_defaults(ch, false, errp);
    }
    if (!modify && !json_object_get(update, "delete")) {
        error_set(errp, "table %s: a row update of an unknown kind", t->name);
        return false;
    }
    if (!replica_row_find(t, uuid)) {
        return stage_unknown_row(t, uuid, errp);
    }
    struct change *ch = staged_add(s, modify ? CHANGE_MODIFY : CHANGE_DELETE, t, uuid);
    return !modify || stage_row(ch, modify, errp);
}

static bool
stage_tables(struct replica *r, struct staged *s, enum replica_format format,
             const json_t *updates, char **errp)
{
    const char *table_name, *uuid;
    json_t *table_update, *row_update;
    if (!json_is_object(updates)) {
        error_set(errp, "table updates are not an object");
        return false;
    }
    json_object_foreach((json_t *) updates, table_name, table_update)
    {
        struct replica_table *t = replica_table_find(r, table_name);
        if (!t || !t->present || !json_is_object(table_update)) {
            error_set(errp, "table \"%.64s\" was not asked for or its update is malformed",
                      table_name);
            return false;
        }
        json_object_foreach(table_update, uuid, row_update)
        {
            if (!ovsdb_uuid_is_valid(uuid) || !json_is_object(row_update)) {
                error_set(errp, "table %s: malformed row update", t->name);
                return false;
            }
            bool ok = format == REPLICA_UPDATE ? stage_update(s, t, uuid, row_update, errp)
                                               : stage_update2(s, t, uuid, row_update, errp);
            if (!ok) {
                return false;
            }
        }
    }
    return true;
}

/* ---------------------------------------------------------------- applying */

/* Stores `value` (a reference that it takes, may be NULL).  True when that is a change. */
static bool
row_set(struct ovsdb_row *row, size_t c, json_t *value)
{
    json_t *old = row->values[c];
    if (old == value || (old && value && json_equal(old, value))) {
        json_decref(value);
        return false;
    }
    if (old) {
        json_array_append_new(row->table->replica->dead_values, old);
    }
    row->values[c] = value;
    return true;
}

static void
row_bury(struct ovsdb_row *row)
{
    struct replica_table *t = row->table;
    HASH_DEL(t->rows, row);
    /* A reader may stand on this row: stepping from it must not reach what is freed. */
    row->hh.next = NULL;
    row->dead_next = t->replica->dead_rows;
    t->replica->dead_rows = row;
}

static bool
apply_put(struct change *ch)
{
    struct replica_table *t = ch->table;
    struct ovsdb_row *row = replica_row_find(t, ch->uuid);
    bool changed = !row;
    if (!row) {
        row = xzalloc(sizeof *row + t->n_columns * sizeof row->values[0]);
        row->table = t;
        memcpy(row->uuid, ch->uuid, sizeof row->uuid);
        HASH_ADD_STR(t->rows, uuid, row);
    }
    for (size_t c = 0; c < t->n_columns; c++) {
        changed |= row_set(row, c, ch->values[c]);
        ch->values[c] = NULL;
    }
    row->marked = true;
    return changed;
}

static bool
apply_modify(struct change *ch)
{
    struct ovsdb_row *row = replica_row_find(ch->table, ch->uuid);
    bool changed = false;
    for (size_t c = 0; row && c < ch->table->n_columns; c++) {
        if (ch->values[c]) {
            changed |= row_set(row, c,
                               ovsdb_value_apply_diff(&ch->table->columns[c].type,
                                                      row->values[c], ch->values[c]));
        }
    }
    return changed;
}

static bool
apply_delete(struct change *ch)
{
    struct ovsdb_row *row = replica_row_find(ch->table, ch->uuid);
    if (row) {
        row_bury(row);
    }
    return row != NULL;
}

static void
unmark_all(struct replica *r)
{
    for (size_t i = 0; i < r->n_tables; i++) {
        for (struct ovsdb_row *row = r->tables[i].rows; row; row = row->hh.next) {
            row->marked = false;
        }
    }
}

static bool
sweep_unmarked(struct replica *r)
{
    bool changed = false;
    for (size_t i = 0; i < r->n_tables; i++) {
        struct ovsdb_row *row, *next;
        HASH_ITER(hh, r->tables[i].rows, row, next)
        {
            if (!row->marked) {
                row_bury(row);
                changed = true;
            }
        }
    }
    return changed;
}

bool
replica_apply(struct replica *r, enum replica_format format, const json_t *updates,
              bool snapshot, char **errp)
{
    struct staged s = {NULL, 0, 0};
    bool ok = stage_tables(r, &s, format, updates, errp);
    bool changed = false;
    if (ok && snapshot) {
        unmark_all(r);
    }
    for (size_t i = 0; ok && i < s.n; i++) {
        switch (s.v[i].kind) {
        case CHANGE_PUT:
            changed |= apply_put(&s.v[i]);
            break;
        case CHANGE_MODIFY:
            changed |= apply_modify(&s.v[i]);
            break;
        case CHANGE_DELETE:
            changed |= apply_delete(&s.v[i]);
            break;
        }
    }
    if (ok && snapshot) {
        changed |= sweep_unmarked(r);
    }
    r->seqno += changed;
    staged_free(&s);
    return ok;
}
