/* SPDX-License-Identifier: Apache-2.0 */
/* Translation of a flow into datapath actions: looks up tables, runs actions, follows patch
 * ports from bridge to bridge, and keeps the list of side effects to replay.
 *
 * Called by polling threads on a cache miss and by the revalidator, inside an RCU read-side
 * section.  It must not know who sees the packet next, nor how megaflows are stored. */

#include "ofproto/xlate-private.h"

#include <stdatomic.h>
#include <stdlib.h>

#include "log/coverage.h"
#include "netdev/patch/netdev-patch.h"
#include "ofproto/revalidator.h"
#include "util/xalloc.h"

COVERAGE_DEFINE(xlate_flows);
COVERAGE_DEFINE(drop_xlate_unknown_port);
COVERAGE_DEFINE(drop_xlate_no_rule);
COVERAGE_DEFINE(drop_xlate_too_deep);
COVERAGE_DEFINE(drop_xlate_too_long);
COVERAGE_DEFINE(drop_xlate_patch_no_peer);

static _Atomic bool megaflows_on = true;

void
xlate_set_megaflows(bool on)
{
    atomic_store_explicit(&megaflows_on, on, memory_order_relaxed);
}

void
xlate_effects_destroy(struct xlate_effects *effects)
{
    for (unsigned i = 0; i < effects->n; i++) {
        if (effects->e[i].type == XLATE_EFFECT_RULE) {
            rule_unref(effects->e[i].rule);
        }
    }
    free(effects->e);
    *effects = (struct xlate_effects){.n = 0};
}

void
xlate_cookie_free(struct xlate_cookie *cookie)
{
    if (cookie) {
        xlate_effects_destroy(&cookie->effects);
        free(cookie);
    }
}

/* NULL when there are so many that the translation is given up. */
struct xlate_effect *
xlate_add_effect(struct xlate_ctx *ctx, enum xlate_effect_type type)
{
    struct xlate_effects *fx = &ctx->effects;

    if (fx->n >= XLATE_MAX_EFFECTS) {
        if (!ctx->overflow) {
            COVERAGE_INC(drop_xlate_too_long);
        }
        ctx->overflow = true;
        return NULL;
    }
    if (fx->n == fx->cap) {
        fx->cap = fx->cap ? fx->cap * 2 : 4;
        fx->e = xrealloc(fx->e, fx->cap * sizeof *fx->e);
    }
    fx->e[fx->n] = (struct xlate_effect){.type = type};
    return &fx->e[fx->n++];
}

static void
run_rule(struct xlate_ctx *ctx, const struct xport *in, struct rule *rule)
{
    struct xlate_effect *e = xlate_add_effect(ctx, XLATE_EFFECT_RULE);

    if (e) {
        e->rule = rule_ref(rule);
    }
    RULE_ACT_FOR_EACH(a, rule)
    {
        const struct of_act_output *output = (const void *) a;

        if (a->type == OFA_OUTPUT && output->port == OFPP_NORMAL && !ctx->overflow) {
            xlate_normal(ctx, in);
        }
    }
}

/* The packet, as ctx->tags and ctx->flow say, arrives at a port of a bridge. */
static void
receive(struct xlate_ctx *ctx, const struct xport *in)
{
    struct rule *rule;

    ctx->depth++;
    ctx->flow.meta.in_port = in->ofport;
    rule = oftables_lookup(in->bridge->tables, oftables_version(in->bridge->tables), 0,
                           &ctx->flow, &ctx->wc);
    if (rule) {
        run_rule(ctx, in, rule);
    } else {
        COVERAGE_INC(drop_xlate_no_rule);
    }
    ctx->depth--;
}

static void
output_patch(struct xlate_ctx *ctx, const struct xport *out, const struct tag_stack *tags)
{
    struct tag_stack saved_tags = ctx->tags;
    struct flow saved_flow = ctx->flow;
    struct xlate_effect *e;

    if (!out->peer) {
        COVERAGE_INC(drop_xlate_patch_no_peer);
        return;
    }
    if (ctx->depth >= XLATE_MAX_DEPTH) {
        COVERAGE_INC(drop_xlate_too_deep);
        ctx->overflow = true;
        return;
    }
    e = xlate_add_effect(ctx, XLATE_EFFECT_PATCH);
    if (!e) {
        return;
    }
    e->patch.out_id = out->id;
    e->patch.in_id = out->peer->id;

    ctx->tags = *tags;
    tag_stack_to_flow(tags, &ctx->flow);
    receive(ctx, out->peer);
    ctx->tags = saved_tags;
    ctx->flow = saved_flow;
}

void
xlate_output(struct xlate_ctx *ctx, const struct xport *out, const struct tag_stack *tags)
{
    if (ctx->overflow) {
        return;
    }
    if (out->is_patch) {
        output_patch(ctx, out, tags);
    } else {
        xlate_commit_tags(ctx, tags);
        dp_actions_add_output(&ctx->actions, (uint32_t) out->dp_key.port_no);
    }
}

/* Actions behind the last output do nothing for anybody; they never arise: tags are changed
 * only right before an output. */
static struct dp_actions *
finish_actions(struct xlate_ctx *ctx)
{
    struct dp_actions *actions = dp_actions_finish(&ctx->actions);

    if (ctx->overflow) {
        actions->n = 0;
    }
    return actions;
}

bool
xlate_translate(const struct xlate_in *in, struct xlate_out *out)
{
    const struct flow *flow = in->flow;
    const struct xport *port = xsnapshot_port_by_dp(in->snapshot, in->odp, flow->meta.in_port);
    struct xlate_ctx ctx = {.in = in, .flow = *flow};

    if (!port) {
        COVERAGE_INC(drop_xlate_unknown_port);
        return false;
    }
    COVERAGE_INC(xlate_flows);
    flow_mask_init_minimal(&ctx.wc, flow);
    tag_stack_from_flow(&ctx.tags, flow);
    ctx.wire = ctx.tags;
    receive(&ctx, port);

    out->actions = finish_actions(&ctx);
    out->effects = ctx.effects;
    if (!atomic_load_explicit(&megaflows_on, memory_order_relaxed)) {
        memset(&ctx.wc, 0xff, sizeof ctx.wc - sizeof ctx.wc.sections);
    }
    /* Pipeline-only fields are the same for all packets, and no part of a megaflow. */
    memset(&ctx.wc.regs, 0, sizeof ctx.wc.regs);
    ctx.wc.sections &= ~(uint64_t) FS_BIT(FS_REGS);
    flow_mask_clip(&ctx.wc, flow);
    out->mask = ctx.wc;
    return true;
}

static void
replay_patch(const struct xsnapshot *s, const struct xlate_effect *e, uint64_t n_packets,
             uint64_t n_bytes)
{
    const struct xport *out = xsnapshot_port_by_id(s, e->patch.out_id);
    const struct xport *in = xsnapshot_port_by_id(s, e->patch.in_id);

    if (out && in) {
        netdev_patch_credit(out->netdev, 0, 0, n_packets, n_bytes);
        netdev_patch_credit(in->netdev, n_packets, n_bytes, 0, 0);
    }
}

static void
replay_learn(const struct xsnapshot *s, const struct xlate_effect *e, int64_t used_ms)
{
    const struct xbridge *b = xsnapshot_bridge_by_id(s, e->learn.bridge_id);
    enum mac_learn result;

    if (!b || !xbridge_bundle_by_id(b, e->learn.bundle_id)) {
        return;
    }
    result = mac_table_learn(b->macs, e->learn.vlan, e->learn.mac, e->learn.bundle_id, used_ms,
                             false);
    if (result == MAC_LEARN_NEW || result == MAC_LEARN_MOVED) {
        revalidator_changed();
    }
}

void
xlate_replay(const struct xsnapshot *s, const struct xlate_effects *effects, uint64_t n_packets,
             uint64_t n_bytes, bool do_learn, int64_t used_ms)
{
    for (unsigned i = 0; i < effects->n; i++) {
        const struct xlate_effect *e = &effects->e[i];

        switch (e->type) {
        case XLATE_EFFECT_RULE:
            rule_credit(e->rule, n_packets, n_bytes, used_ms);
            break;
        case XLATE_EFFECT_PATCH:
            replay_patch(s, e, n_packets, n_bytes);
            break;
        case XLATE_EFFECT_LEARN:
            if (do_learn) {
                replay_learn(s, e, used_ms);
            }
            break;
        }
    }
}
