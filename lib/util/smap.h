/* SPDX-License-Identifier: Apache-2.0 */
#ifndef XVS_UTIL_SMAP_H
#define XVS_UTIL_SMAP_H 1

/* A small map from string to string, kept sorted by key: options, other_config, status.
 * The map owns copies of keys and values.  No thread safety; one writer. */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include "util/compiler.h"

struct smap_node {
    char *key;
    char *value;
};
struct smap {
    struct smap_node *nodes;  /* sorted by strcmp on key, keys unique */
    size_t n;
    size_t cap;
};
#define SMAP_INIT { NULL, 0, 0 }

#define SMAP_FOR_EACH(NODE, SMAP) \
    for ((NODE) = (SMAP)->nodes; (NODE) && (NODE) < (SMAP)->nodes + (SMAP)->n; (NODE)++)

void smap_init(struct smap *);
void smap_destroy(struct smap *);
void smap_clear(struct smap *);
void smap_clone(struct smap *dst, const struct smap *src);   /* dst uninitialised */
void smap_swap(struct smap *, struct smap *);
bool smap_equal(const struct smap *, const struct smap *);
void smap_set(struct smap *, const char *key, const char *value);   /* adds or replaces */
void smap_setf(struct smap *, const char *key, const char *format, ...) PRINTF_FORMAT(3, 4);
bool smap_remove(struct smap *, const char *key);
/* NULL when absent; borrowed until the next change. */
const char *smap_get(const struct smap *, const char *key);
const char *smap_get_def(const struct smap *, const char *key, const char *def);
/* `def` when absent or not "true"/"false". */
bool smap_get_bool(const struct smap *, const char *key, bool def);
/* `def` when absent, not a number, or outside min..max. */
int smap_get_int(const struct smap *, const char *key, int min, int max, int def);
uint64_t smap_get_u64(const struct smap *, const char *key, uint64_t min, uint64_t max,
                      uint64_t def);
/* `def` when absent or not a number; what is outside min..max becomes the limit next to it. */
int64_t smap_get_clamped(const struct smap *, const char *key, int64_t min, int64_t max,
                         int64_t def);

#endif
