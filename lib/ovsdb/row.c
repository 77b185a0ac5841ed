/* SPDX-License-Identifier: Apache-2.0 */

/* Reading rows of the replica, and building wire values: the accessors of ovsdb.h that need no
 * connection.  Called by the daemon's configuration code on the main thread.  Must not know the
 * session. */

#include "ovsdb/ovsdb.h"
#include <string.h>
#include "ovsdb/replica.h"
#include "rpc/jsonrpc.h"

const struct ovsdb_row *
ovsdb_row_next(const struct ovsdb_row *row)
{
    return row->hh.next;
}

const char *
ovsdb_row_uuid(const struct ovsdb_row *row)
{
    return row->uuid;
}

const json_t *
ovsdb_get(const struct ovsdb_row *row, const char *column)
{
    int c = replica_column_find(row->table, column);
    const json_t *value = c >= 0 ? row->values[c] : NULL;
    return value ? value : row->table->replica->empty;
}

size_t
ovsdb_get_count(const struct ovsdb_row *row, const char *column)
{
    const json_t *value = ovsdb_get(row, column);
    return json_is_array(value) ? json_array_size(value) : 1;
}

/* The i-th atom of a scalar or a set; NULL past the end. */
static const json_t *
atom_at(const struct ovsdb_row *row, const char *column, size_t i)
{
    const json_t *value = ovsdb_get(row, column);
    if (json_is_array(value)) {
        return json_array_get(value, i);
    }
    return i ? NULL : value;
}

const char *
ovsdb_get_string(const struct ovsdb_row *row, const char *column, const char *def)
{
    const char *s = json_string_value(atom_at(row, column, 0));
    return s ? s : def;
}

int64_t
ovsdb_get_int(const struct ovsdb_row *row, const char *column, int64_t def)
{
    const json_t *atom = atom_at(row, column, 0);
    return json_is_integer(atom) ? json_integer_value(atom) : def;
}

bool
ovsdb_get_bool(const struct ovsdb_row *row, const char *column, bool def)
{
    const json_t *atom = atom_at(row, column, 0);
    return json_is_boolean(atom) ? json_is_true(atom) : def;
}

const char *
ovsdb_get_string_at(const struct ovsdb_row *row, const char *column, size_t i)
{
    return json_string_value(atom_at(row, column, i));
}

int64_t
ovsdb_get_int_at(const struct ovsdb_row *row, const char *column, size_t i)
{
    return json_integer_value(atom_at(row, column, i));
}

void
ovsdb_get_smap(const struct ovsdb_row *row, const char *column, struct smap *map)
{
    const json_t *pairs = ovsdb_get(row, column);
    size_t i;
    json_t *pair;
    smap_clear(map);
    json_array_foreach((json_t *) pairs, i, pair)
    {
        const char *key = json_string_value(json_array_get(pair, 0));
        const char *value = json_string_value(json_array_get(pair, 1));
        if (key && value) {
            smap_set(map, key, value);
        }
    }
}

/* ---------------------------------------------------------------- wire values */

static json_t *
tagged(const char *tag, json_t *list)
{
    return json_pack("[s,o]", tag, list);
}

json_t *
ovsdb_value_empty(void)
{
    return tagged("set", json_array());
}

json_t *
ovsdb_value_smap(const struct smap *map)
{
    json_t *pairs = json_array();
    const struct smap_node *node;
    SMAP_FOR_EACH(node, map)
    {
        json_array_append_new(
            pairs, json_pack("[o,o]", jsonrpc_text(node->key), jsonrpc_text(node->value)));
    }
    return tagged("map", pairs);
}

json_t *
ovsdb_value_string_set(const char *const *strings, size_t n)
{
    json_t *list = json_array();
    for (size_t i = 0; i < n; i++) {
        json_array_append_new(list, jsonrpc_text(strings[i]));
    }
    return tagged("set", list);
}

json_t *
ovsdb_value_int_map(const char *const *keys, const int64_t *values, size_t n)
{
    json_t *pairs = json_array();
    for (size_t i = 0; i < n; i++) {
        json_array_append_new(
            pairs, json_pack("[o,I]", jsonrpc_text(keys[i]), (json_int_t) values[i]));
    }
    return tagged("map", pairs);
}
