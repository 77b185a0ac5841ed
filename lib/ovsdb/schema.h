/* SPDX-License-Identifier: Apache-2.0 */
#ifndef XVS_OVSDB_SCHEMA_H
#define XVS_OVSDB_SCHEMA_H 1

/* Looks types up in a <database-schema> (RFC 7047 section 3.2).  Pure. */

#include <jansson.h>
#include <stdbool.h>
#include "ovsdb/value.h"

/* True when `schema` looks like one: a name and an object of tables. */
bool ovsdb_schema_is_valid(const json_t *schema);
bool ovsdb_schema_has_table(const json_t *schema, const char *table);
/* The type of a column.  1 found, 0 not there, -1 there but malformed. */
int ovsdb_schema_column(const json_t *schema, const char *table, const char *column,
                        struct ovsdb_type *);

#endif
