/* SPDX-License-Identifier: Apache-2.0 */
/* Runs a list of OpenFlow actions on the pipeline of a packet.  The actions themselves are in
 * the files by family; here is what stops, nests, or resumes a list.
 *
 * A list may stop before its end: `exit`, a TTL that is used up (this list alone), an error, or
 * the need for another pass through the datapath ("freeze").  In the last case what is left of
 * this list, and of the lists that it was called from, is kept to be run when the packet comes
 * back. */

#include "ofproto/xlate-private.h"

#include "log/coverage.h"
#include "ofproto/meters.h"

COVERAGE_DEFINE(drop_xlate_too_many_resubmits);

#define MAX_RESUBMITS (64u * 64u)

static void
resubmit(struct xlate_ctx *ctx, const struct of_act_resubmit *a)
{
    uint8_t table = a->table == UINT8_MAX ? ctx->table_id : a->table;
    uint16_t in_port =
        a->in_port == OFPP_IN_PORT ? (uint16_t) ctx->flow.meta.in_port : a->in_port;

    if (++ctx->resubmits > MAX_RESUBMITS) {
        COVERAGE_INC(drop_xlate_too_many_resubmits);
        xlate_give_up_as(ctx, "over 4096 resubmit actions", "Too many resubmits");
        return;
    }
    xlate_table(ctx, table, in_port, false);
}

struct nest {
    const struct of_act *list;
    size_t len;
};

static void
run_nest(struct xlate_ctx *ctx, const void *nest_)
{
    const struct nest *nest = nest_;

    xlate_actions(ctx, nest->list, nest->len);
}

static void
run_clone(struct xlate_ctx *ctx, const struct of_act_nest *a)
{
    const struct nest nest = {a->list, of_act_nest_len(a)};

    xlate_isolated(ctx, false, run_nest, &nest);
}

/* Packets over the limit end here, whatever comes behind. */
static void
meter(struct xlate_ctx *ctx, uint32_t id)
{
    uint32_t dp_id;

    if (meter_lookup(ctx->bridge->tables, id, &dp_id)) {
        xlate_commit(ctx, &ctx->tags);
        dp_actions_add_meter(&ctx->actions, dp_id);
        ctx->irreversible = true;
    }
}

/* The list goes on twice, once with the bit set, for packets that are longer. */
static void
check_pkt_larger(struct xlate_ctx *ctx, const struct of_act_check_pkt_larger *a,
                 const struct of_act *rest, size_t rest_len)
{
    const struct nest nest = {rest, rest_len};
    struct flow saved;
    uint32_t at;

    xlate_look_subfield(ctx, &a->dst);
    saved = ctx->flow;
    xlate_commit(ctx, &ctx->tags);
    at = dp_actions_begin_check_pkt_len(&ctx->actions, a->pkt_len);
    of_subfield_write_u64(&a->dst, &ctx->flow, 1);
    xlate_isolated(ctx, true, run_nest, &nest);
    ctx->flow = saved;
    dp_actions_else_check_pkt_len(&ctx->actions, at);
    of_subfield_write_u64(&a->dst, &ctx->flow, 0);
    xlate_isolated(ctx, true, run_nest, &nest);
    ctx->flow = saved; /* the bit is known in the two lists only */
    dp_actions_end_check_pkt_len(&ctx->actions, at);
}

/* Actions that do not care what lies below a label just popped. */
static bool
is_blind(const struct of_act *a)
{
    switch ((enum of_act_type) a->type) {
    case OFA_OUTPUT:
        return ((const struct of_act_output *) a)->port < OFPP_MAX ||
               ((const struct of_act_output *) a)->port == OFPP_IN_PORT;
    case OFA_PUSH_VLAN:
    case OFA_STRIP_VLAN:
    case OFA_SET_VLAN_VID:
    case OFA_SET_VLAN_PCP:
    case OFA_SET_ETH_SRC:
    case OFA_SET_ETH_DST:
    case OFA_SET_QUEUE:
    case OFA_POP_QUEUE:
    case OFA_SET_TUNNEL:
    case OFA_ENQUEUE:
    case OFA_NOTE:
    case OFA_EXIT:
    case OFA_CLEAR_ACTIONS:
    case OFA_WRITE_METADATA:
    case OFA_METER:
    case OFA_PUSH_MPLS:
        return true;
    default:
        return false;
    }
}

static void
run_one(struct xlate_ctx *ctx, const struct of_act *a)
{
    switch ((enum of_act_type) a->type) {
    case OFA_OUTPUT:
    case OFA_OUTPUT_REG:
    case OFA_OUTPUT_TRUNC:
    case OFA_CONTROLLER:
    case OFA_ENQUEUE:
        xlate_output_act(ctx, a);
        break;
    case OFA_GROUP:
        xlate_group(ctx, (uint32_t) ((const struct of_act_num *) a)->num);
        break;
    case OFA_BUNDLE:
        xlate_bundle(ctx, (const struct of_act_bundle *) a);
        break;
    case OFA_MULTIPATH:
        xlate_multipath(ctx, (const struct of_act_multipath *) a);
        break;
    case OFA_SET_VLAN_VID:
    case OFA_SET_VLAN_PCP:
    case OFA_STRIP_VLAN:
    case OFA_PUSH_VLAN:
        xlate_vlan_act(ctx, a);
        break;
    case OFA_SET_FIELD:
    case OFA_LOAD:
    case OFA_MOVE:
    case OFA_PUSH:
    case OFA_POP:
    case OFA_SET_ETH_SRC:
    case OFA_SET_ETH_DST:
    case OFA_SET_IPV4_SRC:
    case OFA_SET_IPV4_DST:
    case OFA_SET_IP_DSCP:
    case OFA_SET_IP_ECN:
    case OFA_SET_IP_TTL:
    case OFA_SET_L4_SRC:
    case OFA_SET_L4_DST:
    case OFA_SET_TUNNEL:
    case OFA_SET_QUEUE:
    case OFA_POP_QUEUE:
    case OFA_WRITE_METADATA:
        xlate_set_act(ctx, a);
        break;
    case OFA_DEC_TTL:
        xlate_dec_ttl(ctx, (const struct of_act_dec_ttl *) a);
        break;
    case OFA_SET_MPLS_LABEL:
    case OFA_SET_MPLS_TC:
    case OFA_SET_MPLS_TTL:
    case OFA_DEC_MPLS_TTL:
    case OFA_PUSH_MPLS:
    case OFA_POP_MPLS:
        xlate_mpls_act(ctx, a);
        break;
    case OFA_RESUBMIT:
        resubmit(ctx, (const struct of_act_resubmit *) a);
        break;
    case OFA_LEARN:
        xlate_learn(ctx, (const struct of_act_learn *) a);
        break;
    case OFA_FIN_TIMEOUT:
        xlate_fin_timeout(ctx, (const struct of_act_fin_timeout *) a);
        break;
    case OFA_EXIT:
        ctx->exit = true;
        break;
    case OFA_CLONE:
        run_clone(ctx, (const struct of_act_nest *) a);
        break;
    case OFA_METER:
        meter(ctx, (uint32_t) ((const struct of_act_num *) a)->num);
        break;
    case OFA_CLEAR_ACTIONS:
        xlate_say_action_set(ctx, "was");
        of_actions_free(&ctx->action_set);
        ctx->flow.regs.actset_output = OFPP_UNSET;
        break;
    case OFA_WRITE_ACTIONS:
        xlate_write_actions(ctx, ((const struct of_act_nest *) a)->list,
                            of_act_nest_len((const struct of_act_nest *) a));
        break;
    case OFA_GOTO_TABLE:
        xlate_table(ctx, (uint8_t) ((const struct of_act_num *) a)->num,
                    (uint16_t) ctx->flow.meta.in_port, true);
        break;
    case OFA_CONJUNCTION: /* the classifier's */
    case OFA_NOTE:
    case OFA_CHECK_PKT_LARGER: /* by the caller */
    case OFA_N:
        break;
    }
}

/* controller(pause) stops the pipeline until the controller resumes it. */
static bool
is_pause(const struct of_act *a)
{
    return a->type == OFA_CONTROLLER && ((const struct of_act_controller *) a)->pause;
}

void
xlate_actions(struct xlate_ctx *ctx, const struct of_act *list, size_t len)
{
    const struct of_act *end = of_act_end(list, len);

    OF_ACT_FOR_EACH(a, list, len)
    {
        const struct of_act *next = of_act_next(a);
        size_t left = (size_t) ((const uint8_t *) end - (const uint8_t *) next);

        if (ctx->exit || ctx->overflow) {
            return;
        }
        if (ctx->was_mpls && !is_blind(a)) {
            xlate_freeze(ctx, NULL);
            xlate_freeze_rest(ctx, a, left + a->len);
            return;
        }
        xlate_trace_act(ctx, a);
        if (a->type == OFA_CHECK_PKT_LARGER) {
            check_pkt_larger(ctx, (const struct of_act_check_pkt_larger *) a, next, left);
            return;
        }
        if (is_pause(a)) {
            xlate_pause(ctx, (const struct of_act_controller *) a);
            xlate_freeze_rest(ctx, next, left);
            return;
        }
        run_one(ctx, a);
        if (ctx->freezing) {
            xlate_freeze_rest(ctx, next, left);
            return;
        }
        if (ctx->list_over) {
            ctx->list_over = false;
            return;
        }
    }
}

void
xlate_isolated(struct xlate_ctx *ctx, bool is_copy,
               void (*body)(struct xlate_ctx *, const void *), const void *arg)
{
    struct flow flow = ctx->flow, base = ctx->base;
    struct tag_stack tags = ctx->tags, wire = ctx->wire;
    bool was_mpls = ctx->was_mpls, mpls_changed = ctx->mpls_changed;
    bool irreversible = ctx->irreversible, exit = ctx->exit;
    struct of_actions action_set = OF_ACTIONS_INIT;
    unsigned stack = ctx->stack.n;
    uint32_t at = ctx->actions.n;

    of_actions_clone(&action_set, ctx->action_set.a, ctx->action_set.len);
    ctx->irreversible = false;
    body(ctx, arg);
    if (ctx->freezing) {
        /* The copy goes round by itself; what is behind it here is not part of that. */
        xlate_finish_freeze(ctx);
    }
    if (ctx->irreversible && !is_copy) {
        dp_actions_wrap_clone(&ctx->actions, at);
    }
    if (ctx->irreversible || is_copy) {
        ctx->base = base;
        ctx->wire = wire;
    }
    ctx->mpls_pushed = 0;
    ctx->irreversible = irreversible;
    ctx->flow = flow;
    ctx->tags = tags;
    ctx->was_mpls = was_mpls;
    ctx->mpls_changed = mpls_changed;
    ctx->exit = exit;
    ctx->stack.n = MIN(stack, ctx->stack.n);
    of_actions_free(&ctx->action_set);
    ctx->action_set = action_set;
}
