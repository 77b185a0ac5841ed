/* SPDX-License-Identifier: Apache-2.0 */
/* Whether a group may be as a modification would have it: by the rules of its type, by size,
 * and beside the other groups.  Called by group-mod.c on main.  It changes nothing. */

#include <stdlib.h>

#include "ofproto/groups-private.h"
#include "openflow/of-buf.h"
#include "util/xalloc.h"

/* What a group's description may take: 64 KiB less what stands around it in its message. */
#define MAX_DESC_LEN 65000u

static bool
bucket_ids_repeat(const struct group *g)
{
    struct group_bucket **sorted = group_sort_buckets(g);
    bool repeat = false;

    for (unsigned i = 1; i < g->n_buckets; i++) {
        repeat |= sorted[i]->id == sorted[i - 1]->id;
    }
    free(sorted);
    return repeat;
}

static enum of_err
check_bucket(const struct group *g, const struct group_bucket *b)
{
    bool watches = b->watch_port != OFPP_NONE || b->watch_group != OFPG_ANY;

    if (b->id > OFPG_BUCKET_MAX) {
        return OFPGMFC_BAD_BUCKET;
    }
    if (b->weight && g->type != OFPGT_SELECT) {
        return OFPGMFC_INVALID_GROUP;
    }
    if (watches && (g->type == OFPGT_ALL || g->type == OFPGT_INDIRECT)) {
        return OFPGMFC_WATCH_UNSUPPORTED;
    }
    return g->type == OFPGT_FF && !watches ? OFPGMFC_INVALID_GROUP : OF_OK;
}

/* Can the group be told to controllers?  Measured only where it may be tight: an action takes
 * at most one and a half times its internal length, a bucket 32 bytes with its properties. */
static bool
fits_message(const struct group *g)
{
    size_t bound = 0, len = 0;
    struct of_buf b = OF_BUF_INIT;

    for (unsigned i = 0; i < g->n_buckets; i++) {
        bound += g->buckets[i].acts_len / 2 * 3 + 32;
    }
    if (bound <= MAX_DESC_LEN) {
        return true;
    }
    for (unsigned i = 0; i < g->n_buckets && len <= MAX_DESC_LEN; i++) {
        b.len = 0;
        len += 32 + of_actions_encode(&b, g->buckets[i].acts, g->buckets[i].acts_len,
                                      OF15_VERSION, OF_ACTS_SET);
    }
    of_buf_free(&b);
    return len <= MAX_DESC_LEN;
}

/* Groups to look at. */
struct trail {
    const struct group **g;
    size_t n, cap;
};

/* Adds the groups that the actions name, unless they were seen; true: `target` is one. */
static bool
follow_actions(struct groups *gs, struct trail *trail, const struct of_act *acts, size_t len,
               uint32_t target)
{
    OF_ACT_FOR_EACH(a, acts, len)
    {
        struct group *next;

        if (a->type == OFA_CLONE || a->type == OFA_WRITE_ACTIONS) {
            const struct of_act_nest *nest = (const struct of_act_nest *) a;

            if (follow_actions(gs, trail, nest->list, of_act_nest_len(nest), target)) {
                return true;
            }
        }
        if (a->type != OFA_GROUP) {
            continue;
        }
        if (((const struct of_act_num *) a)->num == target) {
            return true;
        }
        next = groups_current(gs, (uint32_t) ((const struct of_act_num *) a)->num);
        if (!next || next->visit == gs->visit) {
            continue;
        }
        next->visit = gs->visit;
        if (trail->n == trail->cap) {
            trail->cap = trail->cap ? trail->cap * 2 : 16;
            trail->g = xrealloc(trail->g, trail->cap * sizeof *trail->g);
        }
        trail->g[trail->n++] = next;
    }
    return false;
}

/* Would a packet in the group come to it again?  Each group on the way is looked at once. */
static bool
has_loop(struct groups *gs, const struct group *g)
{
    struct trail trail = {.n = 0};
    const struct group *at = g;
    bool found = false;

    gs->visit++;
    for (;;) {
        for (unsigned i = 0; i < at->n_buckets && !found; i++) {
            const struct group_bucket *b = &at->buckets[i];

            found = follow_actions(gs, &trail, b->acts, b->acts_len, g->id);
        }
        if (found || !trail.n) {
            break;
        }
        at = trail.g[--trail.n];
    }
    free(trail.g);
    return found;
}

enum of_err
group_check(struct groups *gs, const struct group *g)
{
    if (g->n_buckets > GROUP_MAX_BUCKETS) {
        return OFPGMFC_OUT_OF_BUCKETS;
    }
    if (g->type == OFPGT_INDIRECT && g->n_buckets != 1) {
        return OFPGMFC_INVALID_GROUP;
    }
    for (unsigned i = 0; i < g->n_buckets; i++) {
        enum of_err err = check_bucket(g, &g->buckets[i]);

        if (err) {
            return err;
        }
    }
    if (bucket_ids_repeat(g)) {
        return OFPGMFC_BUCKET_EXISTS;
    }
    if (!fits_message(g)) {
        return OFPGMFC_OUT_OF_BUCKETS;
    }
    return has_loop(gs, g) ? OFPGMFC_LOOP : OF_OK;
}
