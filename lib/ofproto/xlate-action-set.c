/* SPDX-License-Identifier: Apache-2.0 */
/* The action set: one action of each kind, run in a fixed order when the pipeline ends
 * (OpenFlow 1.5.1, 5.6).  Buckets of groups are run as one too.  Called by the other files of
 * translation.
 */

#include "ofproto/xlate-private.h"

/* The order in which an action set runs; what is not in it is run last but one, in the order in
 * which it was written. */
enum rank {
    RANK_STRIP_VLAN,
    RANK_POP_MPLS,
    RANK_DECAP,
    RANK_PUSH_MPLS,
    RANK_PUSH_VLAN,
    RANK_DEC_TTL,
    RANK_DEC_MPLS_TTL,
    RANK_SET,
    RANK_METER,
    RANK_QUEUE,
    RANK_OTHER,
    RANK_GROUP,
    RANK_OUTPUT,
    N_RANKS
};

static enum rank
rank_of(const struct of_act *a)
{
    switch ((enum of_act_type) a->type) {
    case OFA_STRIP_VLAN:
        return RANK_STRIP_VLAN;
    case OFA_POP_MPLS:
        return RANK_POP_MPLS;
    case OFA_PUSH_MPLS:
        return RANK_PUSH_MPLS;
    case OFA_PUSH_VLAN:
        return RANK_PUSH_VLAN;
    case OFA_DEC_TTL:
        return RANK_DEC_TTL;
    case OFA_DEC_MPLS_TTL:
        return RANK_DEC_MPLS_TTL;
    case OFA_SET_QUEUE:
        return RANK_QUEUE;
    case OFA_METER:
        return RANK_METER;
    case OFA_GROUP:
        return RANK_GROUP;
    case OFA_OUTPUT:
    case OFA_OUTPUT_REG:
    case OFA_OUTPUT_TRUNC:
        return RANK_OUTPUT;
    case OFA_SET_FIELD:
    case OFA_LOAD:
    case OFA_MOVE:
    case OFA_SET_ETH_SRC:
    case OFA_SET_ETH_DST:
    case OFA_SET_VLAN_VID:
    case OFA_SET_VLAN_PCP:
    case OFA_SET_IPV4_SRC:
    case OFA_SET_IPV4_DST:
    case OFA_SET_IP_DSCP:
    case OFA_SET_IP_ECN:
    case OFA_SET_IP_TTL:
    case OFA_SET_L4_SRC:
    case OFA_SET_L4_DST:
    case OFA_SET_MPLS_LABEL:
    case OFA_SET_MPLS_TC:
    case OFA_SET_MPLS_TTL:
    case OFA_SET_TUNNEL:
        return RANK_SET;
    default:
        return RANK_OTHER;
    }
}

static struct of_actions in_order(const struct of_act *list, size_t len);
static bool has_rank(const struct of_act *list, size_t len, enum rank rank);

void
xlate_say_action_set(struct xlate_ctx *ctx, const char *is)
{
    struct of_actions ordered;
    struct strbuf s = STRBUF_INIT;

    if (LIKELY(!ctx->in->trace)) {
        return;
    }
    if (!ctx->action_set.len) {
        xlate_say(ctx, "action set %s empty", is);
        return;
    }
    ordered = in_order(ctx->action_set.a, ctx->action_set.len);
    of_actions_format(ordered.a, ordered.len, ctx->in->trace->names, &s);
    xlate_say(ctx, "action set %s: %s", is, strbuf_cstr(&s));
    strbuf_free(&s);
    of_actions_free(&ordered);
}

void
xlate_write_actions(struct xlate_ctx *ctx, const struct of_act *list, size_t len)
{
    OF_ACT_FOR_EACH(a, list, len)
    {
        of_actions_put_copy(&ctx->action_set, a);
        if (a->type == OFA_OUTPUT) {
            ctx->flow.regs.actset_output = ((const struct of_act_output *) a)->port;
        } else if (a->type == OFA_GROUP) {
            ctx->flow.regs.actset_output = OFPP_UNSET;
        }
    }
    if (has_rank(ctx->action_set.a, ctx->action_set.len, RANK_GROUP)) {
        ctx->flow.regs.actset_output = OFPP_UNSET; /* the output will not be run */
    }
    xlate_say_action_set(ctx, "is");
}

/* Of each kind only the last one written counts, but every field set does, in order. */
static void
append_rank(struct of_actions *to, const struct of_act *list, size_t len, enum rank rank)
{
    const struct of_act *last = NULL;

    OF_ACT_FOR_EACH(a, list, len)
    {
        if (rank_of(a) != rank) {
            continue;
        }
        if (rank == RANK_SET || rank == RANK_OTHER) {
            of_actions_put_copy(to, a);
        } else {
            last = a;
        }
    }
    if (last) {
        of_actions_put_copy(to, last);
    }
}

static bool
has_rank(const struct of_act *list, size_t len, enum rank rank)
{
    OF_ACT_FOR_EACH(a, list, len)
    {
        if (rank_of(a) == rank) {
            return true;
        }
    }
    return false;
}

static struct of_actions
in_order(const struct of_act *list, size_t len)
{
    struct of_actions ordered = OF_ACTIONS_INIT;
    enum rank end = has_rank(list, len, RANK_GROUP) ? RANK_OUTPUT : N_RANKS;

    for (enum rank r = 0; r < end; r++) {
        append_rank(&ordered, list, len, r);
    }
    return ordered;
}

void
xlate_run_as_set(struct xlate_ctx *ctx, const struct of_act *list, size_t len)
{
    struct of_actions ordered = in_order(list, len);

    xlate_actions(ctx, ordered.a, ordered.len);
    of_actions_free(&ordered);
}

void
xlate_run_action_set(struct xlate_ctx *ctx)
{
    struct of_actions set = ctx->action_set;
    bool saved = ctx->in_action_set;

    ctx->action_set = (struct of_actions) OF_ACTIONS_INIT;
    ctx->in_action_set = true;
    ctx->exit = false;
    /* Without output or group an action set drops; nothing else has an effect. */
    if (has_rank(set.a, set.len, RANK_GROUP) || has_rank(set.a, set.len, RANK_OUTPUT)) {
        xlate_run_as_set(ctx, set.a, set.len);
    }
    ctx->in_action_set = saved;
    of_actions_free(&set);
}
