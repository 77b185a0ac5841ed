/* SPDX-License-Identifier: Apache-2.0 */
/* VLAN tags in translation: the stack of tags that a packet has at each point, and the pop and
 * push actions between two such stacks.  Called by the other files of translation, on their
 * thread.  It knows nothing of ports and their policies. */

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
