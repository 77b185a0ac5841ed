/* SPDX-License-Identifier: Apache-2.0 */
/* The label stack in translation (RFC 3032; OpenFlow 1.3.5, 5.12).  Pushes and pops happen in
 * the datapath at once: they cannot be expressed as fields set later.
 *
 * Below the last label popped lie headers that were not parsed: whatever needs them waits for
 * another pass (ctx->was_mpls, looked at by xlate-actions.c). */

#include <arpa/inet.h>

#include "ofproto/xlate-private.h"
#include "packet/headers.h"

#define LSE_BOS 0x100u
#define LSE_TTL 0xffu
#define IP_DSCP_MASK 0xfcu
#define LSE_TTL_DEFAULT 64u

static bool
is_mpls(const struct flow *f)
{
    return f->eth.type_be == htons(ETH_TYPE_MPLS) ||
           f->eth.type_be == htons(ETH_TYPE_MPLS_MCAST);
}

/* Labels from `first` on, as far down as there are some. */
static void
look_labels(struct xlate_ctx *ctx, unsigned first)
{
    for (unsigned i = 0; i < FLOW_MAX_MPLS && !ctx->mpls_changed; i++) {
        ctx->wc.mpls.lse_be[i] |= i < first ? htonl(LSE_BOS) : UINT32_MAX;
        if (ctx->flow.mpls.lse_be[i] & htonl(LSE_BOS)) {
            break;
        }
    }
}

/* Time to live and class of the packet below, or of the label below, are inherited. */
static uint32_t
lse_of_packet(struct xlate_ctx *ctx)
{
    struct flow looked;
    uint32_t ttl = LSE_TTL_DEFAULT, tc = 0;

    if (of_prereq_ok(OFQ_IP_ANY, &ctx->flow)) {
        memset(&looked, 0, sizeof looked);
        looked.ip.ttl = UINT8_MAX;
        looked.ip.tos = IP_DSCP_MASK;
        xlate_look(ctx, &looked);
        ttl = ctx->flow.ip.ttl ? ctx->flow.ip.ttl : LSE_TTL_DEFAULT;
        tc = ctx->flow.ip.tos >> 2 & 7;
    }
    /* RFC 3032 2.1: explicit null, of the protocol below. */
    return (ctx->flow.eth.type_be == htons(ETH_TYPE_IPV6) ? 2u << 12 : 0u) | tc << 9 | LSE_BOS |
           ttl;
}

static void
push(struct xlate_ctx *ctx, uint16_t type)
{
    struct flow *f = &ctx->flow;
    uint32_t lse;

    xlate_commit(ctx, &ctx->tags);
    if (is_mpls(f)) {
        look_labels(ctx, 0);
        if (!((f->mpls.lse_be[0] | f->mpls.lse_be[1]) & htonl(LSE_BOS))) {
            xlate_give_up_as(ctx, NULL, "Too many MPLS labels"); /* three are there */
            return;
        }
        lse = ntohl(f->mpls.lse_be[0]) & ~LSE_BOS;
        memmove(&f->mpls.lse_be[1], &f->mpls.lse_be[0],
                (FLOW_MAX_MPLS - 1) * sizeof f->mpls.lse_be[0]);
    } else {
        lse = lse_of_packet(ctx);
        memset(&f->mpls, 0, sizeof f->mpls);
        memset(&f->ip, 0, sizeof f->ip);
        memset(&f->ipv4, 0, sizeof f->ipv4);
        memset(&f->ipv6, 0, sizeof f->ipv6);
        memset(&f->l4, 0, sizeof f->l4);
        memset(&f->arp, 0, sizeof f->arp);
        memset(&f->nd, 0, sizeof f->nd);
        f->sections &= FS_BIT(FS_META) | FS_BIT(FS_ETH) | FS_BIT(FS_VLAN) | FS_BIT(FS_REGS);
        f->sections |= FS_BIT(FS_MPLS);
    }
    f->mpls.lse_be[0] = htonl(lse);
    f->eth.type_be = htons(type);
    dp_actions_add_push_mpls(&ctx->actions, type, htonl(lse));
    ctx->mpls_pushed = ctx->actions.n;
    ctx->base = *f;
    ctx->mpls_changed = ctx->irreversible = true;
}

static void
pop(struct xlate_ctx *ctx, uint16_t type)
{
    struct flow *f = &ctx->flow;
    bool last;

    if (!is_mpls(f)) {
        return;
    }
    xlate_commit(ctx, &ctx->tags);
    look_labels(ctx, 1);
    last = f->mpls.lse_be[0] & htonl(LSE_BOS);
    memmove(&f->mpls.lse_be[0], &f->mpls.lse_be[1],
            (FLOW_MAX_MPLS - 1) * sizeof f->mpls.lse_be[0]);
    f->mpls.lse_be[FLOW_MAX_MPLS - 1] = 0;
    if (last) {
        memset(&f->mpls, 0, sizeof f->mpls);
        f->sections &= ~(uint64_t) FS_BIT(FS_MPLS);
    }
    f->eth.type_be = htons(type);
    ctx->was_mpls = last || !is_mpls(f);
    dp_actions_add_pop_mpls(&ctx->actions, type);
    ctx->base = *f;
    ctx->mpls_changed = ctx->irreversible = true;
}

static void
set_lse(struct xlate_ctx *ctx, uint32_t value, uint32_t mask)
{
    if (is_mpls(&ctx->flow)) {
        if (!ctx->mpls_changed) {
            ctx->wc.mpls.lse_be[0] |= htonl(mask);
        }
        ctx->flow.mpls.lse_be[0] =
            (ctx->flow.mpls.lse_be[0] & ~htonl(mask)) | htonl(value & mask);
    }
}

static void
dec_ttl(struct xlate_ctx *ctx)
{
    uint32_t ttl = ntohl(ctx->flow.mpls.lse_be[0]) & LSE_TTL;
    const struct xlate_to_controller to = {
        .max_len = UINT16_MAX,
        .reason = OFPR_INVALID_TTL,
        .meter_id = OF_CONTROLLER_NO_METER,
    };

    if (!is_mpls(&ctx->flow)) {
        return;
    }
    if (ttl > 1) {
        set_lse(ctx, ttl - 1, LSE_TTL);
        return;
    }
    set_lse(ctx, ttl, LSE_TTL);
    xlate_say(ctx, ">> MPLS decrement TTL exception");
    xlate_controller(ctx, &to);
    ctx->list_over = true;
}

void
xlate_mpls_act(struct xlate_ctx *ctx, const struct of_act *act)
{
    uint32_t num = (uint32_t) ((const struct of_act_num *) act)->num;

    switch ((enum of_act_type) act->type) {
    case OFA_PUSH_MPLS:
        push(ctx, (uint16_t) num);
        break;
    case OFA_POP_MPLS:
        pop(ctx, (uint16_t) num);
        break;
    case OFA_SET_MPLS_LABEL:
        set_lse(ctx, num << 12, 0xfffff000);
        break;
    case OFA_SET_MPLS_TC:
        set_lse(ctx, num << 9, 0xe00);
        break;
    case OFA_SET_MPLS_TTL:
        set_lse(ctx, num, LSE_TTL);
        break;
    case OFA_DEC_MPLS_TTL:
        dec_ttl(ctx);
        break;
    default:
        break;
    }
}
