/* SPDX-License-Identifier: Apache-2.0 */

/* Column types and values: parse, normalise, apply differences.  Called by schema.c, replica.c
 * and txn.c on the main thread; pure.  Must not know tables or connections. */

#include "ovsdb/value.h"
#include <limits.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include "util/compiler.h"
#include "util/xalloc.h"

/* ---------------------------------------------------------------- types */

static bool
atom_type_parse(const json_t *json, enum ovsdb_atom *out)
{
    static const char *const names[] = {
        [OVSDB_ATOM_INTEGER] = "integer", [OVSDB_ATOM_REAL] = "real",
        [OVSDB_ATOM_BOOLEAN] = "boolean", [OVSDB_ATOM_STRING] = "string",
        [OVSDB_ATOM_UUID] = "uuid",
    };
    const char *name =
        json_string_value(json_is_object(json) ? json_object_get(json, "type") : json);
    for (unsigned i = OVSDB_ATOM_INTEGER; name && i < ARRAY_SIZE(names); i++) {
        if (!strcmp(name, names[i])) {
            *out = i;
            return true;
        }
    }
    return false;
}

bool
ovsdb_type_parse(const json_t *json, struct ovsdb_type *t)
{
    *t = (struct ovsdb_type){.min = 1, .max = 1};
    if (!json_is_object(json)) {
        return atom_type_parse(json, &t->key);
    }
    const json_t *value = json_object_get(json, "value");
    const json_t *min = json_object_get(json, "min"), *max = json_object_get(json, "max");
    if (!atom_type_parse(json_object_get(json, "key"), &t->key) ||
        (value && !atom_type_parse(value, &t->value))) {
        return false;
    }
    if (min) {
        if (!json_is_integer(min) || json_integer_value(min) < 0 ||
            json_integer_value(min) > 1) {
            return false;
        }
        t->min = (unsigned) json_integer_value(min);
    }
    if (json_is_string(max) && !strcmp(json_string_value(max), "unlimited")) {
        t->max = UINT_MAX;
    } else if (max) {
        if (!json_is_integer(max) || json_integer_value(max) < 1 ||
            json_integer_value(max) > INT_MAX) {
            return false;
        }
        t->max = (unsigned) json_integer_value(max);
    }
    return true;
}

bool
ovsdb_type_equal(const struct ovsdb_type *a, const struct ovsdb_type *b)
{
    return a->key == b->key && a->value == b->value && a->min == b->min && a->max == b->max;
}

bool
ovsdb_type_is_map(const struct ovsdb_type *t)
{
    return t->value != OVSDB_ATOM_NONE;
}

bool
ovsdb_type_is_scalar(const struct ovsdb_type *t)
{
    return !ovsdb_type_is_map(t) && t->min == 1 && t->max == 1;
}

bool
ovsdb_type_has_diff(const struct ovsdb_type *t)
{
    return t->max > 1;
}

/* ---------------------------------------------------------------- atoms */

bool
ovsdb_uuid_is_valid(const char *s)
{
    for (int i = 0; i < 36; i++) {
        bool dash = i == 8 || i == 13 || i == 18 || i == 23;
        bool hex = (s[i] >= '0' && s[i] <= '9') || (s[i] >= 'a' && s[i] <= 'f') ||
                   (s[i] >= 'A' && s[i] <= 'F');
        if (dash ? s[i] != '-' : !hex) {
            return false;
        }
    }
    return s[36] == '\0';
}

/* A new reference, or NULL when `wire` is no atom of this type. */
static json_t *
atom_normalise(enum ovsdb_atom type, const json_t *wire)
{
    bool ok = false;
    switch (type) {
    case OVSDB_ATOM_INTEGER:
        ok = json_is_integer(wire);
        break;
    case OVSDB_ATOM_REAL:
        /* One kind of number only, so that 1 equals 1.0. */
        return json_is_number(wire) ? json_real(json_number_value(wire)) : NULL;
    case OVSDB_ATOM_BOOLEAN:
        ok = json_is_boolean(wire);
        break;
    case OVSDB_ATOM_STRING:
        ok = json_is_string(wire);
        break;
    case OVSDB_ATOM_UUID:
        if (json_is_array(wire) && json_array_size(wire) == 2) {
            const char *tag = json_string_value(json_array_get(wire, 0));
            json_t *uuid = json_array_get(wire, 1);
            if (tag && !strcmp(tag, "uuid") && json_is_string(uuid) &&
                ovsdb_uuid_is_valid(json_string_value(uuid))) {
                return json_incref(uuid);
            }
        }
        return NULL;
    case OVSDB_ATOM_NONE:
        break;
    }
    return ok ? json_incref((json_t *) wire) : NULL;
}

static int
atom_compare(const json_t *a, const json_t *b)
{
    if (json_is_string(a) && json_is_string(b)) {
        return strcmp(json_string_value(a), json_string_value(b));
    }
    if (json_is_integer(a) && json_is_integer(b)) {
        json_int_t x = json_integer_value(a), y = json_integer_value(b);
        return (x > y) - (x < y);
    }
    if (json_is_real(a) && json_is_real(b)) {
        double x = json_real_value(a), y = json_real_value(b);
        return (x > y) - (x < y);
    }
    return (int) json_typeof(a) - (int) json_typeof(b);
}

/* What orders an element of a normalised array: the atom, or the key of a pair. */
static const json_t *
element_key(const json_t *element)
{
    return json_is_array(element) ? json_array_get(element, 0) : element;
}

static int
element_compare(const void *a_, const void *b_)
{
    const json_t *const *a = a_, *const *b = b_;
    return atom_compare(element_key(*a), element_key(*b));
}

/* ---------------------------------------------------------------- values */

/* The array of `["tag", [...]]`, else NULL. */
static const json_t *
tagged_array(const json_t *wire, const char *tag)
{
    if (!json_is_array(wire) || json_array_size(wire) != 2) {
        return NULL;
    }
    const char *got = json_string_value(json_array_get(wire, 0));
    const json_t *array = json_array_get(wire, 1);
    return got && !strcmp(got, tag) && json_is_array(array) ? array : NULL;
}

static json_t *
pair_normalise(const struct ovsdb_type *t, const json_t *wire)
{
    if (!json_is_array(wire) || json_array_size(wire) != 2) {
        return NULL;
    }
    json_t *key = atom_normalise(t->key, json_array_get(wire, 0));
    json_t *value = key ? atom_normalise(t->value, json_array_get(wire, 1)) : NULL;
    if (!value) {
        json_decref(key);
        return NULL;
    }
    json_t *pair = json_array();
    json_array_append_new(pair, key);
    json_array_append_new(pair, value);
    return pair;
}

/* Sorts elements[0..n) (references that it takes) into a new array; NULL on duplicates. */
static json_t *
array_from_elements(json_t **elements, size_t n)
{
    json_t *array = json_array();
    bool ok = true;
    if (n) {
        qsort(elements, n, sizeof *elements, element_compare);
    }
    for (size_t i = 0; i < n; i++) {
        ok = ok && (!i || element_compare(&elements[i - 1], &elements[i]) != 0);
        json_array_append(array, elements[i]);
    }
    for (size_t i = 0; i < n; i++) {
        json_decref(elements[i]);
    }
    if (!ok) {
        json_decref(array);
        return NULL;
    }
    return array;
}

static json_t *
array_normalise(const struct ovsdb_type *t, const json_t *list)
{
    size_t n = json_array_size(list), done = 0;
    json_t **elements = xcalloc(n + 1, sizeof *elements);
    json_t *result = NULL;
    for (; done < n; done++) {
        const json_t *wire = json_array_get(list, done);
        elements[done] =
            ovsdb_type_is_map(t) ? pair_normalise(t, wire) : atom_normalise(t->key, wire);
        if (!elements[done]) {
            break;
        }
    }
    if (done == n) {
        result = array_from_elements(elements, n);
    } else {
        while (done) {
            json_decref(elements[--done]);
        }
    }
    free(elements);
    return result;
}

json_t *
ovsdb_value_normalise(const struct ovsdb_type *t, const json_t *wire)
{
    if (ovsdb_type_is_map(t)) {
        const json_t *pairs = tagged_array(wire, "map");
        return pairs ? array_normalise(t, pairs) : NULL;
    }
    const json_t *set = tagged_array(wire, "set");
    if (ovsdb_type_is_scalar(t)) {
        if (set && json_array_size(set) != 1) {
            return NULL;
        }
        return atom_normalise(t->key, set ? json_array_get(set, 0) : wire);
    }
    if (set) {
        return array_normalise(t, set);
    }
    json_t *atom = atom_normalise(t->key, wire);
    if (!atom) {
        return NULL;
    }
    json_t *array = json_array();
    json_array_append_new(array, atom);
    return array;
}

json_t *
ovsdb_value_default(const struct ovsdb_type *t)
{
    if (!t->min || ovsdb_type_is_map(t)) {
        return json_array();
    }
    json_t *atom = NULL;
    switch (t->key) {
    case OVSDB_ATOM_INTEGER:
        atom = json_integer(0);
        break;
    case OVSDB_ATOM_REAL:
        atom = json_real(0);
        break;
    case OVSDB_ATOM_BOOLEAN:
        atom = json_false();
        break;
    case OVSDB_ATOM_UUID:
        atom = json_string("00000000-0000-0000-0000-000000000000");
        break;
    case OVSDB_ATOM_STRING:
    case OVSDB_ATOM_NONE:
        atom = json_string("");
        break;
    }
    if (ovsdb_type_is_scalar(t)) {
        return atom;
    }
    json_t *array = json_array();
    json_array_append_new(array, atom);
    return array;
}

json_t *
ovsdb_value_apply_diff(const struct ovsdb_type *t, const json_t *old, const json_t *diff)
{
    if (!ovsdb_type_has_diff(t)) {
        return json_incref((json_t *) diff);
    }
    /* Both are sorted: one merge. */
    json_t *result = json_array();
    size_t i = 0, k = 0, n_old = json_array_size(old), n_diff = json_array_size(diff);
    while (i < n_old || k < n_diff) {
        json_t *a = json_array_get(old, i), *b = json_array_get(diff, k);
        int order = !a ? 1 : !b ? -1 : atom_compare(element_key(a), element_key(b));
        if (order < 0) {
            json_array_append(result, a);
            i++;
        } else if (order > 0) {
            json_array_append(result, b);
            k++;
        } else {
            if (ovsdb_type_is_map(t) && !json_equal(a, b)) {
                json_array_append(result, b);
            }
            i++;
            k++;
        }
    }
    return result;
}
