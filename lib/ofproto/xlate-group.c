/* SPDX-License-Identifier: Apache-2.0 */
/* Groups in translation (OpenFlow 1.5.1, 5.10): which buckets a packet takes, and what they do
 * with it.  Called by the other files of translation.  It reads groups under RCU and knows
 * nothing of how they are configured. */

#include <inttypes.h>

#include "log/coverage.h"
#include "ofproto/groups.h"
#include "ofproto/xlate-private.h"
#include "util/hash.h"

COVERAGE_DEFINE(drop_xlate_group_unknown);
COVERAGE_DEFINE(drop_xlate_group_no_live_bucket);
COVERAGE_DEFINE(drop_xlate_group_too_deep);

#define LIVENESS_DEPTH 8
#define DP_HASH_SLOTS_MIN 16u
#define DP_HASH_SLOTS_DEFAULT 64u /* without selection_method */
#define DP_HASH_SLOTS_MAX 256u

bool
xlate_port_is_live(const struct xlate_ctx *ctx, uint16_t number)
{
    const struct xport *p = xbridge_port(ctx->bridge, number);

    return p && p->carrier && !(p->config & OFPPC_PORT_DOWN);
}

static bool group_is_live(const struct xlate_ctx *, uint32_t id, unsigned depth);

/* A bucket is live if what it watches is; one that watches nothing is, too. */
static bool
bucket_is_live(const struct xlate_ctx *ctx, const struct group_bucket *b, unsigned depth)
{
    bool port = b->watch_port != OFPP_NONE, group = b->watch_group != OFPG_ANY;

    return (!port && !group) || (port && xlate_port_is_live(ctx, b->watch_port)) ||
           (group && group_is_live(ctx, b->watch_group, depth + 1));
}

static const struct group_bucket *
first_live(const struct xlate_ctx *ctx, const struct group *g, unsigned depth)
{
    for (unsigned i = 0; i < g->n_buckets; i++) {
        if (bucket_is_live(ctx, &g->buckets[i], depth)) {
            return &g->buckets[i];
        }
    }
    return NULL;
}

static bool
group_is_live(const struct xlate_ctx *ctx, uint32_t id, unsigned depth)
{
    const struct group *g =
        depth < LIVENESS_DEPTH ? group_lookup(ctx->bridge->tables, ctx->version, id) : NULL;

    return g && first_live(ctx, g, depth);
}

static void
run_bucket(struct xlate_ctx *ctx, const void *bucket_)
{
    const struct group_bucket *b = bucket_;

    of_actions_free(&ctx->action_set);
    xlate_run_as_set(ctx, b->acts, b->acts_len);
    /* What the bucket left in the action set (by groups of groups) is not run. */
}

static void
take_bucket(struct xlate_ctx *ctx, const struct group *g, const struct group_bucket *b,
            bool first)
{
    bool saved = ctx->in_group;
    struct xlate_effect *e = xlate_add_effect(ctx, XLATE_EFFECT_BUCKET);
    struct xtrace_node *trace_was = NULL;

    if (!e) {
        return;
    }
    e->bucket.group = group_ref(g);
    e->bucket.index = (unsigned) (b - g->buckets);
    e->bucket.not_first = !first;
    ctx->in_group = true;
    if (UNLIKELY(ctx->in->trace != NULL)) {
        trace_was = xtrace_bucket(ctx->in->trace, b->id);
    }
    xlate_isolated(ctx, false, run_bucket, b);
    if (UNLIKELY(ctx->in->trace != NULL)) {
        xtrace_end(ctx->in->trace, trace_was);
    }
    ctx->in_group = saved;
}

/* For a trace: why a bucket that is not live is not. */
static void
say_not_live(const struct xlate_ctx *ctx, const struct group_bucket *b)
{
    if (b->watch_port != OFPP_NONE) {
        xlate_say(ctx, "bucket %" PRIu32 ": not live due to port %u", b->id, b->watch_port);
    } else {
        xlate_say(ctx, "bucket %" PRIu32 ": not live due to group %" PRIu32, b->id,
                  b->watch_group);
    }
}

/* Weighted choice by highest random weight: when a bucket dies, only its flows move. */
static const struct group_bucket *
choose_by_hash(const struct xlate_ctx *ctx, const struct group *g, uint32_t hash)
{
    const struct group_bucket *best = NULL;
    uint64_t best_score = 0;

    for (unsigned i = 0; i < g->n_buckets; i++) {
        const struct group_bucket *b = &g->buckets[i];
        uint64_t score;

        if (!bucket_is_live(ctx, b, 0)) {
            say_not_live(ctx, b);
            continue;
        }
        if (!b->weight) {
            xlate_say(ctx, "bucket %" PRIu32 ": not live due to weight 0", b->id);
            continue;
        }
        score = (uint64_t) (uint32_t) hash_mix64(hash, b->id) * b->weight;
        xlate_say(ctx, "bucket %" PRIu32 ": score %" PRIu64, b->id, score);
        if (!best || score > best_score) {
            best = b;
            best_score = score;
        }
    }
    return best;
}

/* selection_method=hash: over the fields that the group names. */
static const struct group_bucket *
choose_by_fields(struct xlate_ctx *ctx, const struct group *g)
{
    struct flow v, looked;
    uint64_t h = g->selection_param;

    memset(&looked, 0, sizeof looked);
    for (unsigned i = 0; i < g->n_fields; i++) {
        enum of_field f = g->fields[i].f;

        of_field_mask_prereqs(f, &ctx->flow, &looked);
        if (of_field_prereqs_ok(f, &ctx->flow)) {
            of_field_mask_bits(f, &looked, &g->fields[i].mask);
        }
    }
    xlate_look(ctx, &looked);
    for (unsigned i = 0; i < FLOW_WORDS; i++) {
        ((flow_word *) &v)[i] =
            ((const flow_word *) &ctx->flow)[i] & ((flow_word *) &looked)[i];
    }
    v.sections = 0;
    h = hash_bytes64(&v, sizeof v, h);
    return choose_by_hash(ctx, g, (uint32_t) (h ^ h >> 32));
}

static void
take_one(struct xlate_ctx *ctx, const struct group *g, const struct group_bucket *b)
{
    if (b) {
        if (g->type == OFPGT_FF || g->type == OFPGT_SELECT) {
            xlate_say(ctx, "using bucket %" PRIu32, b->id);
        }
        take_bucket(ctx, g, b, true);
    } else {
        COVERAGE_INC(drop_xlate_group_no_live_bucket);
        xlate_say(ctx, "no live bucket");
    }
}

/* For a trace: which buckets of a fast failover group come before the live one, and why not. */
static void
say_first_not_live(struct xlate_ctx *ctx, const struct group *g)
{
    if (LIKELY(!ctx->in->trace)) {
        return;
    }
    for (unsigned i = 0; i < g->n_buckets && !bucket_is_live(ctx, &g->buckets[i], 0); i++) {
        say_not_live(ctx, &g->buckets[i]);
    }
}

/* Hash values to tell apart for the buckets' weights to be met: a power of two, so that as many
 * megaflows serve the group; 0: too many, or no bucket has a weight. */
static uint32_t
dp_hash_slots(const struct group *g)
{
    uint32_t total = 0, least = UINT32_MAX, n = DP_HASH_SLOTS_MIN;

    for (unsigned i = 0; i < g->n_buckets; i++) {
        if (g->buckets[i].weight) {
            total += g->buckets[i].weight;
            least = MIN(least, g->buckets[i].weight);
        }
    }
    if (!total) {
        return 0; /* no hash chooses any of them */
    }
    while (n < DIV_ROUND_UP(total, least) && n <= DP_HASH_SLOTS_MAX) {
        n *= 2;
    }
    return n <= (g->selection_method[0] ? DP_HASH_SLOTS_MAX : DP_HASH_SLOTS_DEFAULT) ? n : 0;
}

/* The bucket that has the middle of the slot, when the weights lie side by side over all. */
static const struct group_bucket *
bucket_of_slot(const struct group *g, uint32_t slot, uint32_t n_slots)
{
    uint64_t total = 0, sum = 0;

    for (unsigned i = 0; i < g->n_buckets; i++) {
        total += g->buckets[i].weight;
    }
    for (unsigned i = 0; i < g->n_buckets; i++) {
        sum += g->buckets[i].weight;
        if ((2 * slot + 1) * total < sum * 2 * n_slots) {
            return &g->buckets[i];
        }
    }
    return NULL;
}

/* The datapath hashes the packet; when it comes back, the hash's low bits choose. */
static void
select_by_dp_hash(struct xlate_ctx *ctx, const struct group *g, uint32_t n_slots)
{
    uint32_t mask = n_slots - 1, dp_hash = ctx->in->flow->meta.dp_hash;
    const struct group_bucket *b;

    if (!dp_hash || !ctx->in->flow->meta.recirc_id) {
        struct of_actions again = OF_ACTIONS_INIT;
        struct of_act_num *a = of_actions_put(&again, OFA_GROUP, sizeof *a);

        /* No hash was an answer: a megaflow of what came back that did not look at it before
         * must not be told to come back again, for ever. */
        if (ctx->in->flow->meta.recirc_id) {
            ctx->wc.meta.dp_hash = UINT32_MAX;
        }
        a->num = g->id;
        xlate_say(ctx, "no live bucket"); /* there is, once the hash is known */
        xlate_freeze(ctx, g);
        xlate_freeze_rest(ctx, again.a, again.len);
        of_actions_free(&again);
        return;
    }
    ctx->wc.meta.dp_hash |= mask;
    b = bucket_of_slot(g, dp_hash & mask, n_slots);
    if (!b || !bucket_is_live(ctx, b, 0)) {
        b = choose_by_hash(ctx, g, dp_hash & mask);
    }
    take_one(ctx, g, b);
}

void
xlate_group(struct xlate_ctx *ctx, uint32_t id)
{
    const struct group *g = group_lookup(ctx->bridge->tables, ctx->version, id);
    uint32_t n_slots;

    if (!g) {
        COVERAGE_INC(drop_xlate_group_unknown);
        xlate_say(ctx, ">> no such group");
        return;
    }
    if (ctx->depth >= XLATE_MAX_DEPTH) {
        COVERAGE_INC(drop_xlate_group_too_deep);
        xlate_give_up_as(ctx, "over max translation depth 64", "Recursion too deep");
        return;
    }
    ctx->depth++;
    switch (g->type) {
    case OFPGT_ALL:
    case OFPGT_INDIRECT:
        for (unsigned i = 0; i < g->n_buckets && !ctx->overflow; i++) {
            take_bucket(ctx, g, &g->buckets[i], !i);
        }
        break;
    case OFPGT_FF:
        say_first_not_live(ctx, g);
        take_one(ctx, g, first_live(ctx, g, 0));
        break;
    case OFPGT_SELECT:
        n_slots = g->n_buckets && strcmp(g->selection_method, "hash") ? dp_hash_slots(g) : 0;
        if (g->n_fields) {
            take_one(ctx, g, choose_by_fields(ctx, g));
        } else if (n_slots) {
            select_by_dp_hash(ctx, g, n_slots);
        } else {
            take_one(ctx, g,
                     choose_by_hash(ctx, g, xlate_hash_fields(ctx, OFHASH_SYMMETRIC_L4, 0)));
        }
        break;
    case OFPGT_N:
        break;
    }
    ctx->depth--;
}
