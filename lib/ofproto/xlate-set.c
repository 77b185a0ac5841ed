/* SPDX-License-Identifier: Apache-2.0 */
/* Actions that write: headers, registers, metadata, the stack.  They change the pipeline's
 * flow; the datapath sets headers later, when the packet is sent (xlate-commit.c).
 *
 * What is written counts as looked at: whether the datapath has to set it depends on what the
 * packet had there. */

#include "ofproto/xlate-private.h"

#include <arpa/inet.h>
#include <inttypes.h>
#include <stdlib.h>

#include "log/coverage.h"
#include "packet/headers.h"
#include "util/xalloc.h"

COVERAGE_DEFINE(xlate_stack_overflow);

static bool
is_vlan_field(enum of_field f)
{
    return f == OFF_VLAN_TCI || f == OFF_DL_VLAN || f == OFF_VLAN_VID || f == OFF_DL_VLAN_PCP ||
           f == OFF_VLAN_PCP;
}

/* Marks the bits of a field of the pipeline's flow, and what says that it is there. */
static void
look_field(struct xlate_ctx *ctx, enum of_field f, const struct of_value *mask)
{
    struct flow looked;

    memset(&looked, 0, sizeof looked);
    of_field_mask_prereqs(f, &ctx->flow, &looked);
    if (mask) {
        of_field_mask_bits(f, &looked, mask);
    } else {
        of_field_mask_all(f, &looked);
    }
    xlate_look(ctx, &looked);
}

static bool
is_ip_field(enum of_field f)
{
    enum of_prereq q = of_field_info(f)->prereq;

    return q == OFQ_IP_ANY || q == OFQ_IPV4 || q == OFQ_IPV6;
}

/* Stock looks at the protocol of what it sets IP headers of, and megaflows are compared. */
static void
look_protocol(struct xlate_ctx *ctx)
{
    struct flow looked;

    memset(&looked, 0, sizeof looked);
    looked.ip.proto = UINT8_MAX;
    xlate_look(ctx, &looked);
}

void
xlate_write(struct xlate_ctx *ctx, enum of_field f, const struct of_value *value,
            const struct of_value *mask)
{
    struct of_value ones;

    if (!mask) {
        of_field_ones(f, &ones);
        mask = &ones;
    }
    look_field(ctx, f, mask);
    if (!of_field_prereqs_ok(f, &ctx->flow)) {
        return;
    }
    if (is_ip_field(f)) {
        look_protocol(ctx);
    }
    of_field_set_masked(f, &ctx->flow, value, mask);
    if (is_vlan_field(f)) {
        xlate_tags_written(ctx);
    }
}

static void
write_u64(struct xlate_ctx *ctx, enum of_field f, uint64_t v)
{
    struct of_value value = of_value_from_u64(f, v);

    xlate_write(ctx, f, &value, NULL);
}

static uint64_t
value_word(const struct of_value *v, unsigned ofs)
{
    uint64_t x = 0;

    for (unsigned i = 0; i < 8; i++) {
        x = x << 8 | v->b[ofs + i];
    }
    return x;
}

void
xlate_say_written(struct xlate_ctx *ctx, const struct of_subfield *sub)
{
    enum of_field f = (enum of_field) sub->f;
    struct strbuf s = STRBUF_INIT;
    struct of_value v;

    if (LIKELY(!ctx->in->trace)) {
        return;
    }
    of_subfield_format(sub, &s);
    strbuf_puts(&s, " is now ");
    if (sub->n_bits == of_field_info(f)->n_bits) {
        of_field_get(f, &ctx->flow, &v);
        of_field_format(f, &v, NULL, &s);
    } else {
        /* Bits read from a part are at the end of all sixteen bytes. */
        uint64_t high, low;

        of_subfield_read(sub, &ctx->flow, &v);
        high = value_word(&v, 0);
        low = value_word(&v, 8);

        if (high) {
            strbuf_putf(&s, "0x%" PRIx64 "%016" PRIx64, high, low);
        } else {
            strbuf_putf(&s, "%#" PRIx64, low);
        }
    }
    xlate_say(ctx, "%s", strbuf_cstr(&s));
    strbuf_free(&s);
}

/* Copies bits; both fields must be there. */
static void
move(struct xlate_ctx *ctx, const struct of_subfield *src, const struct of_subfield *dst)
{
    struct flow looked;
    struct of_value v;

    memset(&looked, 0, sizeof looked);
    of_field_mask_prereqs((enum of_field) src->f, &ctx->flow, &looked);
    of_field_mask_prereqs((enum of_field) dst->f, &ctx->flow, &looked);
    of_subfield_mask(src, &looked);
    of_subfield_mask(dst, &looked);
    xlate_look(ctx, &looked);
    if (of_field_prereqs_ok((enum of_field) src->f, &ctx->flow) &&
        of_field_prereqs_ok((enum of_field) dst->f, &ctx->flow)) {
        of_subfield_read(src, &ctx->flow, &v);
        of_subfield_write(dst, &ctx->flow, &v);
        xlate_say_written(ctx, dst);
        if (is_vlan_field((enum of_field) dst->f)) {
            xlate_tags_written(ctx);
        }
    }
}

void
xstack_destroy(struct xstack *s)
{
    free(s->v);
    *s = (struct xstack){.n = 0};
}

static void
push(struct xlate_ctx *ctx, const struct of_subfield *sub)
{
    struct xstack *s = &ctx->stack;

    if (s->n >= XSTACK_MAX) {
        COVERAGE_INC(xlate_stack_overflow);
        xlate_give_up_as(ctx, "resubmits yielded over 64 kB of stack", "Stack too deep");
        return;
    }
    if (s->n == s->cap) {
        s->cap = s->cap ? s->cap * 2 : 8;
        s->v = xrealloc(s->v, s->cap * sizeof *s->v);
    }
    xlate_look_subfield(ctx, sub);
    of_subfield_read(sub, &ctx->flow, &s->v[s->n++]);
}

static void
pop(struct xlate_ctx *ctx, const struct of_subfield *sub)
{
    struct xstack *s = &ctx->stack;

    if (!s->n) {
        xlate_say(ctx, ">>>> stack underflow <<<<");
        return;
    }
    xlate_look_subfield(ctx, sub);
    of_subfield_write(sub, &ctx->flow, &s->v[--s->n]);
    xlate_say_written(ctx, sub);
    if (is_vlan_field((enum of_field) sub->f)) {
        xlate_tags_written(ctx);
    }
}

void
xlate_set_priority(struct xlate_ctx *ctx, uint32_t priority)
{
    ctx->wc.meta.skb_priority = UINT32_MAX;
    ctx->flow.meta.skb_priority = priority;
}

static void
set_eth(struct xlate_ctx *ctx, enum of_field f, struct eth_addr mac)
{
    struct of_value v = {{0}};

    memcpy(v.b, &mac, sizeof mac);
    xlate_write(ctx, f, &v, NULL);
}

/* The old actions say "transport port"; which field that is depends on the protocol. */
static void
set_port(struct xlate_ctx *ctx, bool src, uint16_t port)
{
    const struct flow *f = &ctx->flow;
    struct flow looked;

    memset(&looked, 0, sizeof looked);
    of_field_mask_prereqs(OFF_TCP_SRC, f, &looked);
    xlate_look(ctx, &looked);
    if (of_prereq_ok(OFQ_TCP, f)) {
        write_u64(ctx, src ? OFF_TCP_SRC : OFF_TCP_DST, port);
    } else if (of_prereq_ok(OFQ_UDP, f)) {
        write_u64(ctx, src ? OFF_UDP_SRC : OFF_UDP_DST, port);
    } else if (of_prereq_ok(OFQ_SCTP, f)) {
        write_u64(ctx, src ? OFF_SCTP_SRC : OFF_SCTP_DST, port);
    }
}

/* Only the six or two bits of the TOS byte that the action is about. */
static void
set_tos(struct xlate_ctx *ctx, enum of_field f, uint8_t value)
{
    if (of_prereq_ok(OFQ_IP_ANY, &ctx->flow)) {
        write_u64(ctx, f, value);
    }
}

void
xlate_dec_ttl(struct xlate_ctx *ctx, const struct of_act_dec_ttl *a)
{
    struct flow looked;

    if (!of_prereq_ok(OFQ_IP_ANY, &ctx->flow)) {
        return;
    }
    memset(&looked, 0, sizeof looked);
    looked.ip.ttl = looked.ip.proto = UINT8_MAX;
    xlate_look(ctx, &looked);
    if (ctx->flow.ip.ttl > 1) {
        ctx->flow.ip.ttl--;
        return;
    }
    xlate_say(ctx, ">> IPv%c decrement TTL exception",
              ctx->flow.sections & FS_BIT(FS_IPV6) ? '6' : '4');
    for (uint32_t i = 0; i < a->n_controllers; i++) {
        const struct xlate_to_controller to = {
            .max_len = UINT16_MAX,
            .reason = OFPR_INVALID_TTL,
            .controller_id = a->controllers[i],
            .meter_id = OF_CONTROLLER_NO_METER,
        };

        xlate_controller(ctx, &to);
    }
    ctx->list_over = true;
}

static void
write_metadata(struct xlate_ctx *ctx, const struct of_act_metadata *a)
{
    struct of_value value = of_value_from_u64(OFF_METADATA, a->value);
    struct of_value mask = of_value_from_u64(OFF_METADATA, a->mask);

    xlate_write(ctx, OFF_METADATA, &value, &mask);
}

void
xlate_set_act(struct xlate_ctx *ctx, const struct of_act *act)
{
    const uint64_t num = ((const struct of_act_num *) act)->num;
    const struct of_act_set_field *set = (const struct of_act_set_field *) act;
    const struct of_act_move *mv = (const struct of_act_move *) act;
    const struct of_act_stack *st = (const struct of_act_stack *) act;

    switch ((enum of_act_type) act->type) {
    case OFA_SET_FIELD:
    case OFA_LOAD:
        if (!of_field_prereqs_ok((enum of_field) set->dst.f, &ctx->flow)) {
            xlate_say(ctx, ">> unmet prerequisites for %s, set_field ignored",
                      of_field_info((enum of_field) set->dst.f)->name);
        }
        xlate_write(ctx, (enum of_field) set->dst.f, &set->value, &set->mask);
        break;
    case OFA_MOVE:
        move(ctx, &mv->src, &mv->dst);
        break;
    case OFA_PUSH:
        push(ctx, &st->sub);
        break;
    case OFA_POP:
        pop(ctx, &st->sub);
        break;
    case OFA_SET_ETH_SRC:
        set_eth(ctx, OFF_ETH_SRC, ((const struct of_act_eth *) act)->mac);
        break;
    case OFA_SET_ETH_DST:
        set_eth(ctx, OFF_ETH_DST, ((const struct of_act_eth *) act)->mac);
        break;
    case OFA_SET_IPV4_SRC:
        write_u64(ctx, OFF_IPV4_SRC, num);
        break;
    case OFA_SET_IPV4_DST:
        write_u64(ctx, OFF_IPV4_DST, num);
        break;
    case OFA_SET_IP_DSCP:
        set_tos(ctx, OFF_IP_TOS, (uint8_t) num);
        break;
    case OFA_SET_IP_ECN:
        set_tos(ctx, OFF_IP_ECN, (uint8_t) num);
        break;
    case OFA_SET_IP_TTL:
        set_tos(ctx, OFF_IP_TTL, (uint8_t) num);
        break;
    case OFA_SET_L4_SRC:
    case OFA_SET_L4_DST:
        set_port(ctx, act->type == OFA_SET_L4_SRC, (uint16_t) num);
        break;
    case OFA_SET_TUNNEL:
        write_u64(ctx, OFF_TUN_ID, num);
        break;
    case OFA_SET_QUEUE:
        xlate_set_priority(ctx, (uint32_t) num);
        break;
    case OFA_POP_QUEUE:
        xlate_set_priority(ctx, ctx->in->flow->meta.skb_priority);
        xlate_say(ctx, "queue = %#" PRIx32, ctx->flow.meta.skb_priority);
        break;
    case OFA_WRITE_METADATA:
        write_metadata(ctx, (const struct of_act_metadata *) act);
        break;
    default:
        break;
    }
}
