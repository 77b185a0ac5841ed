/* SPDX-License-Identifier: Apache-2.0 */

/* Lookups in a database schema that a server sent; it is not trusted to be well-formed.  Called
 * by replica.c on the main thread; pure.  Must not know what we monitor. */

#include "ovsdb/schema.h"

static const json_t *
schema_table(const json_t *schema, const char *table)
{
    return json_object_get(json_object_get(schema, "tables"), table);
}

bool
ovsdb_schema_is_valid(const json_t *schema)
{
    return json_is_object(schema) && json_is_object(json_object_get(schema, "tables"));
}

bool
ovsdb_schema_has_table(const json_t *schema, const char *table)
{
    return json_is_object(json_object_get(schema_table(schema, table), "columns"));
}

int
ovsdb_schema_column(const json_t *schema, const char *table, const char *column,
                    struct ovsdb_type *type)
{
    const json_t *columns = json_object_get(schema_table(schema, table), "columns");
    const json_t *c = json_object_get(columns, column);
    if (!c) {
        return 0;
    }
    return ovsdb_type_parse(json_object_get(c, "type"), type) ? 1 : -1;
}
