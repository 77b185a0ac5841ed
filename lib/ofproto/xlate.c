/* SPDX-License-Identifier: Apache-2.0 */
/* Translation of a flow into datapath actions: enters bridges, looks up tables, follows patch
 * ports, and ends pipelines.
 *
 * Called by polling threads on a cache miss and by the revalidator, inside an RCU read-side
 * section.  It must not know who sees the packet next, nor how megaflows are stored. */

#include "ofproto/xlate-private.h"

#include <stdatomic.h>

#include "log/coverage.h"

COVERAGE_DEFINE(xlate_flows);
COVERAGE_DEFINE(drop_xlate_unknown_port);
COVERAGE_DEFINE(drop_xlate_no_rule);
COVERAGE_DEFINE(drop_xlate_too_deep);
COVERAGE_DEFINE(drop_xlate_patch_no_peer);
COVERAGE_DEFINE(drop_xlate_port_no_recv);
COVERAGE_DEFINE(drop_xlate_frag);

static _Atomic bool megaflows_on = true;

void
xlate_set_megaflows(bool on)
{
    atomic_store_explicit(&megaflows_on, on, memory_order_relaxed);
}

void
xlate_give_up_as(struct xlate_ctx *ctx, const char *why, const char *error)
{
    if (!ctx->overflow) {
        ctx->overflow = true;
        ctx->error = error;
        if (why) {
            xlate_say(ctx, ">>>> %s <<<<", why);
        }
    }
}

void
xlate_give_up(struct xlate_ctx *ctx, const char *why)
{
    xlate_give_up_as(ctx, why, why);
}

void
xlate_look(struct xlate_ctx *ctx, const struct flow *looked)
{
    struct flow own = *looked;

    /* Tags and labels that were pushed or popped are not where the packet had them; registers
     * are the same for all packets of a megaflow. */
    xlate_look_tags(ctx, &looked->vlan);
    memset(&own.vlan, 0, sizeof own.vlan);
    memset(&own.regs, 0, sizeof own.regs);
    if (ctx->mpls_changed) {
        memset(&own.mpls, 0, sizeof own.mpls);
    }
    for (unsigned i = 0; i < FLOW_WORDS; i++) {
        ((flow_word *) &ctx->wc)[i] |= ((const flow_word *) &own)[i];
    }
}

void
xlate_look_subfield(struct xlate_ctx *ctx, const struct of_subfield *sub)
{
    struct flow looked;

    memset(&looked, 0, sizeof looked);
    of_subfield_mask(sub, &looked);
    xlate_look(ctx, &looked);
}

static struct rule *
lookup(struct xlate_ctx *ctx, uint8_t table_id, uint16_t in_port)
{
    uint32_t saved = ctx->flow.meta.in_port;
    struct xlate_effect *e;
    struct flow looked;
    struct rule *rule;

    memset(&looked, 0, sizeof looked);
    ctx->flow.meta.in_port = in_port;
    rule = oftables_lookup(ctx->bridge->tables, ctx->version, table_id, &ctx->flow, &looked);
    ctx->flow.meta.in_port = saved;
    xlate_look(ctx, &looked);
    e = xlate_add_effect(ctx, XLATE_EFFECT_TABLE);
    if (e) {
        e->table.bridge_id = ctx->bridge->id;
        e->table.table_id = table_id;
        e->table.hit = rule != NULL;
    }
    return rule;
}

/* OpenFlow 1.3.5, 5.4: a rule that is for what nothing else matches. */
static bool
is_table_miss(const struct rule *r)
{
    struct of_match m;

    if (r->cls.priority) {
        return false;
    }
    cls_rule_get_match(&r->cls, &m.flow, &m.mask);
    return of_match_is_any(&m);
}

static void
run_rule(struct xlate_ctx *ctx, uint8_t table_id, struct rule *rule)
{
    struct rule *saved_rule = ctx->rule;
    uint8_t saved_table = ctx->table_id, saved_reason = ctx->reason;
    uint64_t saved_cookie = ctx->cookie;
    struct xlate_effect *e = xlate_add_effect(ctx, XLATE_EFFECT_RULE);

    if (!e) {
        return;
    }
    e->rule = rule_ref(rule);
    ctx->rule = rule;
    ctx->table_id = table_id;
    ctx->cookie = rule->cookie;
    ctx->reason = ctx->in->packet_out   ? OFPR_PACKET_OUT
                  : is_table_miss(rule) ? OFPR_EXPLICIT_MISS
                                        : OFPR_ACTION;
    xlate_actions(ctx, rule_acts(rule), rule->acts_len);
    ctx->rule = saved_rule;
    if (!ctx->freezing) { /* what is frozen goes on in the table where it stopped */
        ctx->table_id = saved_table;
        ctx->cookie = saved_cookie;
        ctx->reason = saved_reason;
    }
}

static bool
misses_to_controller(const struct xlate_ctx *ctx, uint8_t table_id)
{
    enum oftable_miss m = oftables_miss(ctx->bridge->tables, table_id);

    return (m == OFTABLE_MISS_CONTROLLER ||
            (m == OFTABLE_MISS_DEFAULT && ctx->bridge->miss_to_controller)) &&
           (!ctx->in_port || !(ctx->in_port->config & OFPPC_NO_PACKET_IN));
}

/* What a trace says when nothing matches. */
static enum xtrace_miss
traced_miss(const struct xlate_ctx *ctx, uint8_t table_id, bool may_miss)
{
    bool patched = ctx->in->bridge && ctx->bridge->id != ctx->in->bridge->id;

    if (!may_miss || oftables_miss(ctx->bridge->tables, table_id) == OFTABLE_MISS_DROP) {
        return XTRACE_MISS_GOES_ON;
    }
    if (misses_to_controller(ctx, table_id)) {
        return patched ? XTRACE_MISS_CONTROLLER_PATCHED : XTRACE_MISS_CONTROLLER;
    }
    return patched ? XTRACE_MISS_DROP_PATCHED : XTRACE_MISS_DROP;
}

/* Nothing matched a packet that came to a table by itself. */
static void
miss(struct xlate_ctx *ctx, uint8_t table_id)
{
    const struct xlate_to_controller to = {
        .max_len = UINT16_MAX,
        .reason = OFPR_IMPLICIT_MISS,
        .meter_id = OF_CONTROLLER_NO_METER,
    };

    if (ctx->exit) {
        return;
    }
    if (misses_to_controller(ctx, table_id)) {
        ctx->table_id = table_id;
        ctx->cookie = 0;
        xlate_controller(ctx, &to);
    } else {
        COVERAGE_INC(drop_xlate_no_rule);
    }
}

void
xlate_table(struct xlate_ctx *ctx, uint8_t table_id, uint16_t in_port, bool may_miss)
{
    struct rule *rule;
    struct xtrace_node *trace_was = NULL;

    if (ctx->depth >= XLATE_MAX_DEPTH) {
        COVERAGE_INC(drop_xlate_too_deep);
        xlate_give_up_as(ctx, "over max translation depth 64", "Recursion too deep");
        return;
    }
    rule = lookup(ctx, table_id, in_port);
    while (!rule && may_miss && table_id + 1u < OFTABLE_HIDDEN &&
           oftables_miss(ctx->bridge->tables, table_id) == OFTABLE_MISS_CONTINUE) {
        rule = lookup(ctx, ++table_id, in_port);
    }
    if (UNLIKELY(ctx->in->trace != NULL)) {
        trace_was =
            xtrace_table(ctx->in->trace, table_id, rule, traced_miss(ctx, table_id, may_miss));
    }
    ctx->depth++;
    if (rule) {
        run_rule(ctx, table_id, rule);
    } else if (may_miss) {
        miss(ctx, table_id);
    }
    ctx->depth--;
    if (UNLIKELY(ctx->in->trace != NULL)) {
        xtrace_end(ctx->in->trace, trace_was);
    }
}

/* The end of a pipeline: what it wrote to its action set, or another pass. */
static void
finish_pipeline(struct xlate_ctx *ctx)
{
    if (ctx->freezing) {
        xlate_finish_freeze(ctx);
    } else if (ctx->action_set.len && !ctx->overflow) {
        if (UNLIKELY(ctx->in->trace != NULL)) {
            xtrace_action_set(ctx->in->trace);
        }
        xlate_run_action_set(ctx);
        if (ctx->freezing) {
            xlate_finish_freeze(ctx);
        }
    }
    of_actions_free(&ctx->action_set);
}

static void
enter_bridge(struct xlate_ctx *ctx, const struct xbridge *bridge, const struct xport *in_port,
             uint16_t number)
{
    ctx->bridge = bridge;
    ctx->version = oftables_version(bridge->tables);
    ctx->in_port = in_port;
    ctx->flow.meta.in_port = number;
    memset(&ctx->flow.regs, 0, sizeof ctx->flow.regs);
    ctx->flow.regs.actset_output = OFPP_UNSET;
    ctx->flow.sections |= FS_BIT(FS_REGS);
    ctx->rule = NULL;
    ctx->table_id = 0;
    ctx->cookie = 0;
    ctx->reason = OFPR_ACTION;
    ctx->exit = false;
    if (UNLIKELY(ctx->in->trace != NULL)) {
        xtrace_bridge(ctx->in->trace, bridge->name);
    }
}

/* Fragments, as the controller wants them seen (OFPC_FRAG_*). */
static bool
frags_dropped(struct xlate_ctx *ctx)
{
    struct flow *f = &ctx->flow;

    if (!(f->sections & FS_BIT(FS_IP)) || !(f->ip.frag & FLOW_FRAG_ANY)) {
        return false;
    }
    if (!ctx->bridge->nx_frags) {
        /* Their ports count as zero, whether they have some or not. */
        f->l4.src_be = f->l4.dst_be = 0;
        ctx->base.l4.src_be = ctx->base.l4.dst_be = 0;
    }
    return ctx->bridge->drop_frags;
}

/* Table 0 of the bridge entered, if the packet may come in. */
static void
first_table(struct xlate_ctx *ctx)
{
    if (ctx->in_port && ctx->in_port->config & (OFPPC_PORT_DOWN | OFPPC_NO_RECV)) {
        /* It is looked up and counted, and that is all. */
        COVERAGE_INC(drop_xlate_port_no_recv);
        ctx->exit = true;
    }
    if (frags_dropped(ctx)) {
        COVERAGE_INC(drop_xlate_frag);
        if (ctx->in->trace) {
            xtrace_table(ctx->in->trace, 0, NULL, XTRACE_MISS_FRAGMENT);
        }
        return;
    }
    xlate_table(ctx, 0, (uint16_t) ctx->flow.meta.in_port, true);
}

/* The packet, as ctx->tags and ctx->flow say, arrives at a port of a bridge. */
static void
receive(struct xlate_ctx *ctx, const struct xport *in)
{
    enter_bridge(ctx, in->bridge, in, in->ofport);
    first_table(ctx);
    finish_pipeline(ctx);
}

struct patch_entry {
    const struct xport *in;
    const struct tag_stack *tags;
};

/* In the peer's bridge, with nothing of this one's pipeline but the packet. */
static void
enter_patch(struct xlate_ctx *ctx, const void *entry_)
{
    const struct patch_entry *entry = entry_;
    const struct xbridge *bridge = ctx->bridge;
    const struct xport *in_port = ctx->in_port;
    struct rule *rule = ctx->rule;
    uint64_t version = ctx->version, cookie = ctx->cookie;
    uint8_t table_id = ctx->table_id, reason = ctx->reason;
    bool in_group = ctx->in_group, in_action_set = ctx->in_action_set;
    struct xstack stack = ctx->stack;

    ctx->tags = *entry->tags;
    tag_stack_to_flow(&ctx->tags, &ctx->flow);
    ctx->stack = (struct xstack){.n = 0};
    of_actions_free(&ctx->action_set);
    ctx->in_group = ctx->in_action_set = false;
    receive(ctx, entry->in);
    xstack_destroy(&ctx->stack);
    ctx->stack = stack;
    ctx->bridge = bridge;
    ctx->in_port = in_port;
    ctx->rule = rule;
    ctx->version = version;
    ctx->cookie = cookie;
    ctx->table_id = table_id;
    ctx->reason = reason;
    ctx->in_group = in_group;
    ctx->in_action_set = in_action_set;
}

void
xlate_patch(struct xlate_ctx *ctx, const struct xport *out, const struct tag_stack *tags)
{
    const struct patch_entry entry = {out->peer, tags};
    struct xlate_effect *e;
    struct xtrace saved;

    if (!out->peer) {
        COVERAGE_INC(drop_xlate_patch_no_peer);
        xlate_say(ctx, ">> patch port without a peer");
        return;
    }
    if (ctx->depth >= XLATE_MAX_DEPTH) {
        COVERAGE_INC(drop_xlate_too_deep);
        xlate_give_up_as(ctx, "over max translation depth 64", "Recursion too deep");
        return;
    }
    e = xlate_add_effect(ctx, XLATE_EFFECT_PATCH);
    if (!e) {
        return;
    }
    e->patch.out_id = out->id;
    e->patch.in_id = out->peer->id;
    if (ctx->in->trace) {
        saved = *ctx->in->trace;
    }
    ctx->depth++;
    xlate_isolated(ctx, false, enter_patch, &entry);
    ctx->depth--;
    if (ctx->in->trace) {
        *ctx->in->trace = saved;
    }
}

static struct dp_actions *
finish_actions(struct xlate_ctx *ctx)
{
    if (ctx->overflow) {
        dp_actions_builder_destroy(&ctx->actions);
    }
    return dp_actions_finish(&ctx->actions);
}

/* Begins with what the caller says, with a pipeline that waited, or with table 0. */
static bool
begin(struct xlate_ctx *ctx)
{
    const struct xlate_in *in = ctx->in;
    const struct xport *port;

    if (in->flow->meta.recirc_id) {
        if (!xlate_thaw(ctx, in->flow->meta.recirc_id)) {
            return false;
        }
        ctx->version = oftables_version(ctx->bridge->tables);
        xlate_actions(ctx, ctx->resume, ctx->resume_len);
        finish_pipeline(ctx);
        return true;
    }
    if (in->bridge) {
        port = xbridge_port(in->bridge, in->in_ofport);
        enter_bridge(ctx, in->bridge, port, in->in_ofport);
        ctx->flow.regs = in->flow->regs; /* a trace may begin with some */
        ctx->flow.regs.actset_output = OFPP_UNSET;
        if (in->packet_out) {
            ctx->reason = OFPR_PACKET_OUT;
            ctx->cookie = UINT64_MAX;
        }
        if (in->acts_len) {
            xlate_actions(ctx, in->acts, in->acts_len);
        } else if (!in->packet_out) {
            first_table(ctx);
        }
        finish_pipeline(ctx);
        return true;
    }
    port = xsnapshot_port_by_dp(in->snapshot, in->odp, in->flow->meta.in_port);
    if (!port) {
        COVERAGE_INC(drop_xlate_unknown_port);
        return false;
    }
    receive(ctx, port);
    return true;
}

bool
xlate_translate(const struct xlate_in *in, struct xlate_out *out)
{
    struct xlate_ctx ctx = {.in = in, .flow = *in->flow, .base = *in->flow};
    bool ok;

    COVERAGE_INC(xlate_flows);
    flow_mask_init_minimal(&ctx.wc, in->flow);
    tag_stack_from_flow(&ctx.tags, in->flow);
    ctx.wire = ctx.tags;
    ok = begin(&ctx);
    if (UNLIKELY(in->trace != NULL)) {
        xtrace_finish(in->trace);
    }
    xstack_destroy(&ctx.stack);
    of_actions_free(&ctx.frozen);
    of_actions_free(&ctx.pause);
    of_actions_free(&ctx.action_set);
    if (!ok) {
        dp_actions_builder_destroy(&ctx.actions);
        xlate_effects_destroy(&ctx.effects);
        return false;
    }
    out->actions = finish_actions(&ctx);
    out->effects = ctx.effects;
    out->final = ctx.flow;
    out->error = ctx.error;
    if (!atomic_load_explicit(&megaflows_on, memory_order_relaxed)) {
        memset(&ctx.wc, 0xff, sizeof ctx.wc - sizeof ctx.wc.sections);
    }
    /* Pipeline-only fields are the same for all packets, and no part of a megaflow. */
    memset(&ctx.wc.regs, 0, sizeof ctx.wc.regs);
    ctx.wc.sections &= ~(uint64_t) FS_BIT(FS_REGS);
    flow_mask_clip(&ctx.wc, in->flow);
    out->mask = ctx.wc;
    return true;
}
