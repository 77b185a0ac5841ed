/* SPDX-License-Identifier: Apache-2.0 */
/* What a group becomes by a modification: a new group out of the message and of what was there,
 * down to the statistics.  Called by group-mod.c on main.  It knows nothing of other groups,
 * and refuses only what it cannot carry out. */

#include <stdlib.h>
#include <string.h>

#include "ofproto/groups-private.h"
#include "util/compiler.h"
#include "util/xalloc.h"

static int
compare_buckets(const void *a_, const void *b_)
{
    const struct group_bucket *const *a = a_, *const *b = b_;

    return (*a)->id < (*b)->id ? -1 : (*a)->id > (*b)->id;
}

struct group_bucket **
group_sort_buckets(const struct group *g)
{
    struct group_bucket **sorted = xcalloc(g->n_buckets + 1, sizeof *sorted);

    for (unsigned i = 0; i < g->n_buckets; i++) {
        sorted[i] = &g->buckets[i];
    }
    qsort(sorted, g->n_buckets, sizeof *sorted, compare_buckets);
    return sorted;
}

/* Position of a bucket, n_buckets when there is none with the id. */
static unsigned
find_bucket(const struct group *g, uint32_t id)
{
    unsigned i = 0;

    while (i < g->n_buckets && g->buckets[i].id != id) {
        i++;
    }
    return i;
}

static void
set_bucket(struct group_bucket *b, uint32_t id, const struct of_act *acts, size_t acts_len)
{
    b->id = id;
    b->acts = acts_len ? xmemdup(acts, acts_len) : NULL;
    b->acts_len = acts_len;
}

/* Buckets as a message gives them, into `to`; without statistics as yet. */
static void
take_buckets(struct group_bucket *to, const struct of_group_mod *gm)
{
    for (size_t i = 0; i < gm->n_buckets; i++) {
        const struct of_bucket *b = &gm->buckets[i];

        set_bucket(&to[i], b->id, b->actions.a, b->actions.len);
        to[i].weight = b->weight;
        to[i].watch_port = b->watch_port;
        to[i].watch_group = b->watch_group;
    }
}

/* Buckets as they were. */
static void
copy_buckets(struct group_bucket *to, const struct group_bucket *from, unsigned n)
{
    for (unsigned i = 0; i < n; i++) {
        set_bucket(&to[i], from[i].id, from[i].acts, from[i].acts_len);
        to[i].weight = from[i].weight;
        to[i].watch_port = from[i].watch_port;
        to[i].watch_group = from[i].watch_group;
        to[i].counts = group_counts_ref(from[i].counts);
    }
}

/* Statistics for the buckets that have none: those of the old group's by the same id, or new
 * ones. */
static void
give_counts(struct group *g, const struct group *old)
{
    struct group_bucket **sorted = old ? group_sort_buckets(old) : NULL;

    for (unsigned i = 0; i < g->n_buckets; i++) {
        struct group_bucket *b = &g->buckets[i], **was = NULL;

        if (b->counts) {
            continue;
        }
        if (old) {
            was = bsearch(&b, sorted, old->n_buckets, sizeof *sorted, compare_buckets);
        }
        b->counts = was ? group_counts_ref((*was)->counts) : group_counts_create();
    }
    g->counts = old ? group_counts_ref(old->counts) : group_counts_create();
    free(sorted);
}

static void
set_fields(struct group *g, const struct group_field *fields, unsigned n)
{
    g->fields = n ? xmemdup(fields, n * sizeof *fields) : NULL;
    g->n_fields = n;
}

static struct group *
build_whole(const struct of_group_mod *gm)
{
    struct group *g = group_create(gm->group_id, gm->type, (unsigned) gm->n_buckets);

    take_buckets(g->buckets, gm);
    memcpy(g->selection_method, gm->props.selection_method, sizeof g->selection_method);
    g->selection_param = gm->props.selection_param;
    g->n_fields = (unsigned) gm->props.n_fields;
    g->fields = xcalloc(g->n_fields + 1, sizeof *g->fields);
    for (unsigned i = 0; i < g->n_fields; i++) {
        g->fields[i].f = gm->props.fields[i].field;
        g->fields[i].mask = gm->props.fields[i].mask;
    }
    return g;
}

/* The same but for its buckets. */
static struct group *
build_like(const struct group *old, unsigned n_buckets)
{
    struct group *g = group_create(old->id, old->type, n_buckets);

    memcpy(g->selection_method, old->selection_method, sizeof g->selection_method);
    g->selection_param = old->selection_param;
    set_fields(g, old->fields, old->n_fields);
    return g;
}

static enum of_err
build_inserted(const struct of_group_mod *gm, const struct group *old, struct group **out)
{
    unsigned n = (unsigned) gm->n_buckets, at;
    struct group *g;

    if (gm->command_bucket_id == OFPG_BUCKET_FIRST) {
        at = 0;
    } else if (gm->command_bucket_id == OFPG_BUCKET_LAST) {
        at = old->n_buckets;
    } else {
        at = find_bucket(old, gm->command_bucket_id) + 1;
        if (at > old->n_buckets) {
            return OFPGMFC_UNKNOWN_BUCKET;
        }
    }
    g = build_like(old, old->n_buckets + n);
    copy_buckets(g->buckets, old->buckets, at);
    take_buckets(&g->buckets[at], gm);
    copy_buckets(&g->buckets[at + n], &old->buckets[at], old->n_buckets - at);
    if (gm->type != old->type) {
        /* Insertions need not say the type, which the weights' default hangs on. */
        for (unsigned i = at; i < at + n; i++) {
            if (!g->buckets[i].weight) {
                g->buckets[i].weight = old->type == OFPGT_SELECT;
            }
        }
    }
    *out = g;
    return OF_OK;
}

static enum of_err
build_removed(const struct of_group_mod *gm, const struct group *old, struct group **out)
{
    unsigned n = old->n_buckets, from = 0, to = n; /* those that go: [from, to) */
    struct group *g;

    if (gm->command_bucket_id == OFPG_BUCKET_FIRST) {
        to = MIN(n, 1u);
    } else if (gm->command_bucket_id == OFPG_BUCKET_LAST) {
        from = n ? n - 1 : 0;
    } else if (gm->command_bucket_id != OFPG_BUCKET_ALL) {
        from = find_bucket(old, gm->command_bucket_id);
        to = from + 1;
        if (from == n) {
            return OFPGMFC_UNKNOWN_BUCKET;
        }
    }
    g = build_like(old, n - (to - from));
    copy_buckets(g->buckets, old->buckets, from);
    copy_buckets(&g->buckets[from], &old->buckets[to], n - to);
    *out = g;
    return OF_OK;
}

enum of_err
group_build(const struct of_group_mod *gm, const struct group *old, struct group **out)
{
    enum of_err err = OF_OK;

    switch (gm->command) {
    case OFPGC_INSERT_BUCKET:
        err = build_inserted(gm, old, out);
        break;
    case OFPGC_REMOVE_BUCKET:
        err = build_removed(gm, old, out);
        break;
    default:
        *out = build_whole(gm);
    }
    if (err) {
        return err;
    }
    give_counts(*out, old);
    if (old) {
        (*out)->created_ms = old->created_ms;
    }
    return OF_OK;
}
