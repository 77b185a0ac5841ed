/* SPDX-License-Identifier: Apache-2.0 */
/* VLAN tags in translation: the stack of tags that a packet has at each point, the OpenFlow
 * actions that change it, and the pop and push actions of the datapath between two such stacks.
 * Called by the other files of translation, on their thread.  It knows nothing of ports and
 * their policies. */

#include "ofproto/xlate-private.h"

#include <arpa/inet.h>

#include "packet/headers.h"
#include "util/compiler.h"

void
tag_stack_from_flow(struct tag_stack *s, const struct flow *f)
{
    s->n = 0;
    if (!(f->sections & FS_BIT(FS_VLAN))) {
        return;
    }
    for (unsigned i = 0; i < FLOW_MAX_VLANS; i++) {
        uint16_t tci = ntohs(f->vlan.tag[i].tci_be);

        if (!(tci & VLAN_CFI)) {
            break;
        }
        s->t[s->n++] = (struct tag){
            .tpid = ntohs(f->vlan.tag[i].tpid_be),
            .vid = tci & VLAN_VID_MASK,
            .pcp = tci & VLAN_PCP_MASK,
            .origin = (int8_t) i,
        };
    }
}

void
tag_stack_to_flow(const struct tag_stack *s, struct flow *f)
{
    memset(&f->vlan, 0, sizeof f->vlan);
    f->sections &= ~(uint64_t) FS_BIT(FS_VLAN);
    for (unsigned i = 0; i < MIN(s->n, FLOW_MAX_VLANS); i++) {
        f->vlan.tag[i].tpid_be = htons(s->t[i].tpid);
        f->vlan.tag[i].tci_be = htons((uint16_t) (s->t[i].vid | s->t[i].pcp | VLAN_CFI));
        f->sections |= FS_BIT(FS_VLAN);
    }
}

bool
tag_stack_push(struct tag_stack *s, struct tag tag)
{
    if (s->n >= TAG_STACK_MAX) {
        return false;
    }
    memmove(&s->t[1], &s->t[0], s->n * sizeof s->t[0]);
    s->t[0] = tag;
    s->n++;
    return true;
}

void
tag_stack_pop(struct tag_stack *s)
{
    if (s->n) {
        s->n--;
        memmove(&s->t[0], &s->t[1], s->n * sizeof s->t[0]);
    }
}

void
xlate_look_vid(struct xlate_ctx *ctx, const struct tag *tag)
{
    if (tag->origin >= 0) {
        ctx->wc.vlan.tag[tag->origin].tci_be |= htons(VLAN_VID_MASK | VLAN_CFI);
        ctx->wc.vlan.tag[tag->origin].tpid_be = UINT16_MAX;
    }
}

void
xlate_look_tag(struct xlate_ctx *ctx, const struct tag *tag)
{
    if (tag->origin >= 0) {
        ctx->wc.vlan.tag[tag->origin].tci_be = UINT16_MAX;
        ctx->wc.vlan.tag[tag->origin].tpid_be = UINT16_MAX;
    }
}

void
xlate_look_untagged(struct xlate_ctx *ctx)
{
    for (unsigned i = 0; i < FLOW_MAX_VLANS; i++) {
        ctx->wc.vlan.tag[i].tci_be |= htons(VLAN_CFI);
    }
}

/* A tag as received is equal to itself for every packet; of two others the values decide, which
 * then must be the same for every packet of the megaflow. */
static bool
same_tag(struct xlate_ctx *ctx, const struct tag *a, const struct tag *b)
{
    if (a->origin >= 0 && a->origin == b->origin) {
        return true;
    }
    xlate_look_tag(ctx, a);
    xlate_look_tag(ctx, b);
    return a->tpid == b->tpid && a->vid == b->vid && a->pcp == b->pcp;
}

void
xlate_commit_tags(struct xlate_ctx *ctx, const struct tag_stack *want)
{
    struct tag_stack *wire = &ctx->wire;
    unsigned common = 0;

    while (common < MIN(wire->n, want->n) &&
           same_tag(ctx, &wire->t[wire->n - 1 - common], &want->t[want->n - 1 - common])) {
        common++;
    }
    for (unsigned i = 0; i < wire->n - common; i++) {
        xlate_look_tag(ctx, &wire->t[i]);
        dp_actions_add_pop_vlan(&ctx->actions);
    }
    for (unsigned i = want->n - common; i-- > 0;) {
        const struct tag *tag = &want->t[i];

        xlate_look_tag(ctx, tag);
        dp_actions_add_push_vlan(&ctx->actions, tag->tpid, tag->vid | tag->pcp);
    }
    *wire = *want;
}

/* The pipeline's flow shows the tags that its match fields can name. */
static void
tags_changed(struct xlate_ctx *ctx)
{
    tag_stack_to_flow(&ctx->tags, &ctx->flow);
}

static void
push_tag(struct xlate_ctx *ctx, struct tag tag)
{
    if (!tag_stack_push(&ctx->tags, tag)) {
        xlate_say(ctx, ">> cannot push another VLAN tag");
        xlate_give_up(ctx, "too many VLAN tags");
        return;
    }
    tags_changed(ctx);
}

/* The outermost tag with another VLAN or priority; made if there is none and that is wanted. */
static void
set_tag(struct xlate_ctx *ctx, const struct of_act_vlan *a, bool vid)
{
    struct tag tag = {.tpid = ETH_TYPE_VLAN, .origin = -1};

    if (ctx->tags.n) {
        xlate_look_tag(ctx, &ctx->tags.t[0]);
        tag = ctx->tags.t[0];
        tag.origin = -1;
        tag_stack_pop(&ctx->tags);
    } else {
        xlate_look_untagged(ctx);
        if (!a->push_if_needed) {
            return;
        }
    }
    if (vid) {
        tag.vid = a->value & VLAN_VID_MASK;
    } else {
        tag.pcp = (uint16_t) (a->value << VLAN_PCP_SHIFT) & VLAN_PCP_MASK;
    }
    push_tag(ctx, tag);
}

void
xlate_vlan_act(struct xlate_ctx *ctx, const struct of_act *act)
{
    switch ((enum of_act_type) act->type) {
    case OFA_SET_VLAN_VID:
    case OFA_SET_VLAN_PCP:
        set_tag(ctx, (const struct of_act_vlan *) act, act->type == OFA_SET_VLAN_VID);
        break;
    case OFA_STRIP_VLAN:
        if (ctx->tags.n) {
            xlate_look_tag(ctx, &ctx->tags.t[0]);
        } else {
            xlate_look_untagged(ctx);
        }
        tag_stack_pop(&ctx->tags);
        tags_changed(ctx);
        break;
    case OFA_PUSH_VLAN: {
        struct tag tag = {.tpid = (uint16_t) ((const struct of_act_num *) act)->num,
                          .origin = -1};

        /* OpenFlow 1.3.5 section 5.11.1 has a new tag copy the outermost one's fields; stock
         * pushes VLAN 0, and flow tables are written for that. */
        if (ctx->tags.n) {
            xlate_look_tag(ctx, &ctx->tags.t[0]);
        } else {
            xlate_look_untagged(ctx);
        }
        push_tag(ctx, tag);
        break;
    }
    default:
        break;
    }
}

void
xlate_tags_written(struct xlate_ctx *ctx)
{
    struct tag_stack was = ctx->tags;
    struct tag t = {.tpid = ntohs(ctx->flow.vlan.tag[0].tpid_be), .origin = -1};
    uint16_t tci = ntohs(ctx->flow.vlan.tag[0].tci_be);

    /* Only the outermost tag can be named by a field. */
    tag_stack_pop(&ctx->tags);
    if (tci & VLAN_CFI) {
        t.tpid = t.tpid ? t.tpid : ETH_TYPE_VLAN;
        t.vid = tci & VLAN_VID_MASK;
        t.pcp = tci & VLAN_PCP_MASK;
        if (was.n && was.t[0].vid == t.vid && was.t[0].pcp == t.pcp) {
            t.origin = was.t[0].origin;
        }
        push_tag(ctx, t);
    } else {
        tags_changed(ctx);
    }
}

void
xlate_look_tags(struct xlate_ctx *ctx, const struct flow_vlan *looked)
{
    for (unsigned i = 0; i < FLOW_MAX_VLANS; i++) {
        if (!looked->tag[i].tci_be && !looked->tag[i].tpid_be) {
            continue;
        }
        if (i >= ctx->tags.n) {
            xlate_look_untagged(ctx);
        } else if (ctx->tags.t[i].origin >= 0) {
            unsigned origin = (unsigned) ctx->tags.t[i].origin;

            ctx->wc.vlan.tag[origin].tci_be |= looked->tag[i].tci_be;
            ctx->wc.vlan.tag[origin].tpid_be |= looked->tag[i].tpid_be;
        }
    }
}
