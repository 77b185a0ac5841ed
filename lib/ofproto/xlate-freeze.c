/* SPDX-License-Identifier: Apache-2.0 */
/* Stopping a pipeline in the middle, and going on with it when the packet comes back from the
 * datapath or from the controller.  Called by the other files of translation.
 *
 * While a pipeline stops, each list that was at work adds what it had left, innermost first;
 * the result is one flat list to go on with. */

#include <string.h>

#include "log/coverage.h"
#include "ofproto/frozen.h"
#include "ofproto/groups.h"
#include "ofproto/xlate-private.h"
#include "util/xalloc.h"

COVERAGE_DEFINE(drop_xlate_recirc_unknown);
COVERAGE_DEFINE(drop_xlate_recirc_limit);

void
xlate_freeze(struct xlate_ctx *ctx, const struct group *hash)
{
    ctx->freezing = true;
    ctx->freeze_hash = hash;
    of_actions_free(&ctx->frozen);
}

void
xlate_pause(struct xlate_ctx *ctx, const struct of_act_controller *a)
{
    xlate_freeze(ctx, NULL);
    of_actions_put_copy(&ctx->pause, &a->act);
}

void
xlate_freeze_rest(struct xlate_ctx *ctx, const struct of_act *list, size_t len)
{
    OF_ACT_FOR_EACH(a, list, len)
    {
        struct of_act *copy = of_actions_put_copy(&ctx->frozen, a);

        if (a->type == OFA_RESUBMIT) {
            struct of_act_resubmit *r = (struct of_act_resubmit *) copy;

            /* "This table" is another one where the list goes on. */
            r->table = r->table == UINT8_MAX ? ctx->table_id : r->table;
        }
    }
}

static struct frozen *
freeze_state(struct xlate_ctx *ctx, const struct of_act *list, size_t len)
{
    const struct frozen_content c = {
        .bridge_id = ctx->bridge->id,
        .in_port = (uint16_t) ctx->flow.meta.in_port,
        .table_id = ctx->table_id,
        .reason = ctx->reason,
        .regs = ctx->flow.regs,
        .cookie = ctx->cookie,
        .stack = ctx->stack.v,
        .n_stack = ctx->stack.n,
        .actions = list,
        .actions_len = len,
        .action_set = ctx->action_set.a,
        .action_set_len = ctx->action_set.len,
    };
    struct frozen *f = frozen_get(&c);
    struct xlate_effect *e;

    if (!f) {
        COVERAGE_INC(drop_xlate_recirc_limit);
        xlate_give_up(ctx, "no recirculation id left");
        return NULL;
    }
    e = xlate_add_effect(ctx, XLATE_EFFECT_FROZEN);
    if (!e) {
        frozen_unref(f);
        return NULL;
    }
    e->frozen = f;
    return f;
}

/* A controller that names dp_hash names algorithm and basis with it, or what it gets is a plain
 * hash; for one that names no method both directions of a connection take one bucket. */
static void
add_hash(struct xlate_ctx *ctx, const struct group *g)
{
    uint64_t alg = g->selection_param >> 32;

    if (!g->selection_method[0]) {
        dp_actions_add_hash(&ctx->actions, DP_HASH_SYM_L4, 0);
    } else {
        dp_actions_add_hash(&ctx->actions,
                            alg < DP_HASH_ALG_N ? (enum dp_hash_alg) alg : DP_HASH_L4,
                            (uint32_t) g->selection_param);
    }
}

void
xlate_finish_freeze(struct xlate_ctx *ctx)
{
    struct frozen *f;

    ctx->freezing = false;
    ctx->exit = true;
    xlate_commit(ctx, &ctx->tags);
    f = freeze_state(ctx, ctx->frozen.a, ctx->frozen.len);
    of_actions_free(&ctx->frozen);
    if (f && ctx->pause.len) {
        xlate_controller_act(ctx, (const struct of_act_controller *) ctx->pause.a,
                             frozen_id(f));
    } else if (f) {
        if (ctx->freeze_hash) {
            add_hash(ctx, ctx->freeze_hash);
        }
        dp_actions_add_recirc(&ctx->actions, frozen_id(f));
        ctx->irreversible = true;
    }
    of_actions_free(&ctx->pause);
}

/* What a controller may change while the packet is with it. */
static void
resumed_regs(struct flow_regs *regs, const struct flow_regs *by)
{
    regs->metadata_be = by->metadata_be;
    regs->tun_id_be = by->tun_id_be;
    memcpy(regs->reg, by->reg, sizeof regs->reg);
}

/* The effect keeps the state for as long as the megaflow lives. */
bool
xlate_thaw(struct xlate_ctx *ctx, uint32_t recirc_id)
{
    struct frozen *f = frozen_find(recirc_id);
    struct frozen_content c;
    struct xlate_effect *e;

    if (!f) {
        COVERAGE_INC(drop_xlate_recirc_unknown);
        return false;
    }
    e = xlate_add_effect(ctx, XLATE_EFFECT_FROZEN);
    e->frozen = f;
    frozen_read(f, &c);
    if (ctx->in->resumed) {
        c.in_port = ctx->in->in_ofport;
        resumed_regs(&c.regs, ctx->in->resumed);
    }
    ctx->bridge = xsnapshot_bridge_by_id(ctx->in->snapshot, c.bridge_id);
    if (!ctx->bridge) {
        COVERAGE_INC(drop_xlate_recirc_unknown);
        return false;
    }
    ctx->in_port = xbridge_port(ctx->bridge, c.in_port);
    ctx->flow.meta.in_port = c.in_port;
    ctx->flow.regs = c.regs;
    ctx->flow.sections |= FS_BIT(FS_REGS);
    ctx->table_id = c.table_id;
    ctx->reason = c.reason;
    ctx->cookie = c.cookie;
    if (c.n_stack) {
        ctx->stack.v = xmemdup(c.stack, c.n_stack * sizeof *c.stack);
        ctx->stack.n = ctx->stack.cap = c.n_stack;
    }
    of_actions_clone(&ctx->action_set, c.action_set, c.action_set_len);
    ctx->resume = c.actions;
    ctx->resume_len = c.actions_len;
    return true;
}
