/* SPDX-License-Identifier: Apache-2.0 */
#ifndef XVS_OVSDB_VALUE_H
#define XVS_OVSDB_VALUE_H 1

/* OVSDB column types and values (RFC 7047 sections 3.2 and 5.1): checking the wire form and
 * turning it into the normalised form of the replica.
 *
 * Normalised: a scalar column (exactly one atom) is that atom; every other set is an array of
 * atoms, sorted, without duplicates; a map is an array of [key, value] pairs, sorted by key; a
 * uuid atom is its string.  Sorting makes json_equal() the equality of values.  Pure; values
 * are immutable once made, so that atoms may be shared by reference. */

#include <jansson.h>
#include <stdbool.h>

enum ovsdb_atom {
    OVSDB_ATOM_NONE,
    OVSDB_ATOM_INTEGER,
    OVSDB_ATOM_REAL,
    OVSDB_ATOM_BOOLEAN,
    OVSDB_ATOM_STRING,
    OVSDB_ATOM_UUID
};
struct ovsdb_type {
    enum ovsdb_atom key;
    enum ovsdb_atom value; /* NONE: not a map */
    unsigned min, max;     /* UINT_MAX: no limit */
};

/* Reads a <type> of a schema.  False: malformed. */
bool ovsdb_type_parse(const json_t *, struct ovsdb_type *);
bool ovsdb_type_equal(const struct ovsdb_type *, const struct ovsdb_type *);
bool ovsdb_type_is_scalar(const struct ovsdb_type *);
bool ovsdb_type_is_map(const struct ovsdb_type *);

bool ovsdb_uuid_is_valid(const char *);

/* A new reference to the normalised value, or NULL when `wire` is not of the type.  Counts are
 * not checked, except that a scalar is one atom. */
json_t *ovsdb_value_normalise(const struct ovsdb_type *, const json_t *wire);
/* What a column omitted from a row of the "update2" form holds. */
json_t *ovsdb_value_default(const struct ovsdb_type *);

/* "modify" of the update2 form (ovsdb-server(7), section 4.1.14).  The wire value of a column
 * of at most one element replaces it; for the others it is the difference: atoms that come or
 * go, pairs that come, change, or (same key, same value) go. */
bool ovsdb_type_has_diff(const struct ovsdb_type *);
/* `diff` is normalised; a new reference. */
json_t *
ovsdb_value_apply_diff(const struct ovsdb_type *, const json_t *old, const json_t *diff);

#endif
