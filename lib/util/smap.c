/* SPDX-License-Identifier: Apache-2.0 */
/* Sorted string-to-string maps for options, other_config and status columns.  They hold a
 * handful of pairs, so a sorted array beats any hash table.  Any thread, one owner. */

#include "util/smap.h"

#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include "util/num.h"
#include "util/xalloc.h"

/* Index of the first node whose key is not less than `key`; *found tells whether it equals. */
static size_t
lower_bound(const struct smap *m, const char *key, bool *found)
{
    size_t lo = 0;
    size_t hi = m->n;

    while (lo < hi) {
        size_t mid = lo + (hi - lo) / 2;

        if (strcmp(m->nodes[mid].key, key) < 0) {
            lo = mid + 1;
        } else {
            hi = mid;
        }
    }
    *found = lo < m->n && !strcmp(m->nodes[lo].key, key);
    return lo;
}

void
smap_init(struct smap *m)
{
    memset(m, 0, sizeof *m);
}

void
smap_destroy(struct smap *m)
{
    smap_clear(m);
    free(m->nodes);
    smap_init(m);
}

void
smap_clear(struct smap *m)
{
    for (size_t i = 0; i < m->n; i++) {
        free(m->nodes[i].key);
        free(m->nodes[i].value);
    }
    m->n = 0;
}

void
smap_clone(struct smap *dst, const struct smap *src)
{
    smap_init(dst);
    if (src->n) {
        dst->nodes = xcalloc(src->n, sizeof *dst->nodes);
        dst->n = dst->cap = src->n;
        for (size_t i = 0; i < src->n; i++) {
            dst->nodes[i].key = xstrdup(src->nodes[i].key);
            dst->nodes[i].value = xstrdup(src->nodes[i].value);
        }
    }
}

void
smap_swap(struct smap *a, struct smap *b)
{
    struct smap tmp = *a;

    *a = *b;
    *b = tmp;
}

bool
smap_equal(const struct smap *a, const struct smap *b)
{
    if (a->n != b->n) {
        return false;
    }
    for (size_t i = 0; i < a->n; i++) {
        if (strcmp(a->nodes[i].key, b->nodes[i].key) ||
            strcmp(a->nodes[i].value, b->nodes[i].value)) {
            return false;
        }
    }
    return true;
}

/* Adds or replaces; takes ownership of `value`. */
static void
set_nocopy(struct smap *m, const char *key, char *value)
{
    bool found;
    size_t i = lower_bound(m, key, &found);

    if (found) {
        free(m->nodes[i].value);
    } else {
        char *own_key = xstrdup(key);

        if (m->n == m->cap) {
            m->cap = m->cap ? m->cap * 2 : 4;
            m->nodes = xrealloc(m->nodes, m->cap * sizeof *m->nodes);
        }
        memmove(&m->nodes[i + 1], &m->nodes[i], (m->n - i) * sizeof *m->nodes);
        m->nodes[i].key = own_key;
        m->n++;
    }
    m->nodes[i].value = value;
}

void
smap_set(struct smap *m, const char *key, const char *value)
{
    set_nocopy(m, key, xstrdup(value));
}

void
smap_setf(struct smap *m, const char *key, const char *format, ...)
{
    va_list args;
    char *value;

    va_start(args, format);
    value = xvasprintf(format, args);
    va_end(args);
    set_nocopy(m, key, value);
}

bool
smap_remove(struct smap *m, const char *key)
{
    bool found;
    size_t i = lower_bound(m, key, &found);

    if (found) {
        free(m->nodes[i].key);
        free(m->nodes[i].value);
        m->n--;
        memmove(&m->nodes[i], &m->nodes[i + 1], (m->n - i) * sizeof *m->nodes);
    }
    return found;
}

const char *
smap_get(const struct smap *m, const char *key)
{
    return smap_get_def(m, key, NULL);
}

const char *
smap_get_def(const struct smap *m, const char *key, const char *def)
{
    bool found;
    size_t i = lower_bound(m, key, &found);

    return found ? m->nodes[i].value : def;
}

bool
smap_get_bool(const struct smap *m, const char *key, bool def)
{
    const char *s = smap_get(m, key);
    bool value;

    return s && num_parse_bool(s, &value) ? value : def;
}

int
smap_get_int(const struct smap *m, const char *key, int min, int max, int def)
{
    const char *s = smap_get(m, key);
    int value;

    return s && num_parse_int(s, min, max, &value) ? value : def;
}

uint64_t
smap_get_u64(const struct smap *m, const char *key, uint64_t min, uint64_t max, uint64_t def)
{
    const char *s = smap_get(m, key);
    uint64_t value;

    return s && num_parse_u64(s, min, max, &value) ? value : def;
}

int64_t
smap_get_clamped(const struct smap *m, const char *key, int64_t min, int64_t max, int64_t def)
{
    const char *s = smap_get(m, key);
    uint64_t magnitude;
    int64_t value;

    if (!s || !num_parse_u64(s + (*s == '-'), 0, INT64_MAX, &magnitude)) {
        return def;
    }
    value = *s == '-' ? -(int64_t) magnitude : (int64_t) magnitude;
    return MAX(min, MIN(value, max));
}
