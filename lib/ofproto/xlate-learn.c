/* SPDX-License-Identifier: Apache-2.0 */
/* The learn and fin_timeout actions: rules made and shortened by packets.  Called by the other
 * files of translation.  The change itself is main's (ofproto/tables.h); here it is composed
 * from the packet's fields. */

#include <arpa/inet.h>
#include <inttypes.h>
#include <stdlib.h>

#include "ofproto/xlate-private.h"
#include "packet/headers.h"
#include "util/xalloc.h"

#define TCP_FIN_RST 0x005

/* The bits that a spec takes, from the packet or as it says. */
static void
spec_value(struct xlate_ctx *ctx, const struct of_learn_spec *spec, struct of_value *v)
{
    struct flow looked;

    if (spec->src_is_imm) {
        *v = spec->imm;
        return;
    }
    memset(&looked, 0, sizeof looked);
    of_field_mask_prereqs((enum of_field) spec->src.f, &ctx->flow, &looked);
    of_subfield_mask(&spec->src, &looked);
    xlate_look(ctx, &looked);
    of_subfield_read(&spec->src, &ctx->flow, v);
}

/* "load" with the value as a field has it. */
static void
put_load(struct of_actions *acts, const struct of_subfield *dst, const struct of_value *v)
{
    struct of_act_set_field *a = of_actions_put(acts, OFA_LOAD, sizeof *a);
    struct flow f;

    a->dst = *dst;
    memset(&f, 0, sizeof f);
    of_subfield_write(dst, &f, v);
    of_field_get((enum of_field) dst->f, &f, &a->value);
    memset(&f, 0, sizeof f);
    of_subfield_mask(dst, &f);
    of_field_get((enum of_field) dst->f, &f, &a->mask);
}

static void
compose(struct xlate_ctx *ctx, const struct of_act_learn *l, struct of_flow_mod *fm)
{
    memset(fm, 0, sizeof *fm);
    fm->command = OFPFC_MODIFY_STRICT;
    fm->modify_cookie = l->cookie != UINT64_MAX;
    fm->table_id = l->table;
    fm->priority = l->priority;
    fm->new_cookie = l->cookie;
    fm->idle_timeout = l->idle_timeout;
    fm->hard_timeout = l->hard_timeout;
    fm->flags = l->flags & OF_LEARN_SEND_FLOW_REM ? OFPFF_SEND_FLOW_REM : 0;
    fm->out_port = OFPP_NONE;
    fm->out_group = OFPG_ANY;
    of_match_init(&fm->match);
    if (l->fin_idle_timeout || l->fin_hard_timeout) {
        struct of_act_fin_timeout *ft =
            of_actions_put(&fm->actions, OFA_FIN_TIMEOUT, sizeof *ft);

        ft->idle_timeout = l->fin_idle_timeout;
        ft->hard_timeout = l->fin_hard_timeout;
    }
    for (uint32_t i = 0; i < l->n_specs; i++) {
        const struct of_learn_spec *spec = &l->specs[i];
        struct of_value v;

        spec_value(ctx, spec, &v);
        switch ((enum of_learn_kind) spec->kind) {
        case OF_LEARN_MATCH:
            of_subfield_write(&spec->dst, &fm->match.flow, &v);
            of_subfield_mask(&spec->dst, &fm->match.mask);
            break;
        case OF_LEARN_LOAD:
            put_load(&fm->actions, &spec->dst, &v);
            break;
        case OF_LEARN_OUTPUT:
            of_actions_put_output(&fm->actions, (uint16_t) (v.b[14] << 8 | v.b[15]), 0);
            break;
        }
    }
}

/* For a trace: the rule. */
static void
say_learned(struct xlate_ctx *ctx, const struct of_flow_mod *fm)
{
    struct strbuf s = STRBUF_INIT;

    if (LIKELY(!ctx->in->trace)) {
        return;
    }
    strbuf_putf(&s, "table=%u ", fm->table_id);
    of_match_format(&fm->match, -1, ctx->in->trace->names, &s);
    strbuf_putf(&s, " priority=%d", fm->priority);
    if (fm->new_cookie) {
        strbuf_putf(&s, " cookie=%#" PRIx64, fm->new_cookie);
    }
    if (fm->idle_timeout) {
        strbuf_putf(&s, " idle=%u", fm->idle_timeout);
    }
    if (fm->hard_timeout) {
        strbuf_putf(&s, " hard=%u", fm->hard_timeout);
    }
    strbuf_puts(&s, " actions=");
    of_actions_format(fm->actions.a, fm->actions.len, ctx->in->trace->names, &s);
    xlate_say(ctx, "%s", strbuf_cstr(&s));
    strbuf_free(&s);
}

void
xlate_learn(struct xlate_ctx *ctx, const struct of_act_learn *l)
{
    enum oflearn_result result;
    struct xlate_effect *e;

    if (ctx->in->trace && !ctx->in->may_learn) {
        struct of_flow_mod fm;

        compose(ctx, l, &fm); /* looks at what it takes */
        of_actions_free(&fm.actions);
        xlate_say(ctx, ">> suppressing side effects, so learn action ignored");
        return;
    }
    e = xlate_add_effect(ctx, XLATE_EFFECT_LEARN_FLOW);
    if (!e) {
        return;
    }
    e->learn_flow.bridge_id = ctx->bridge->id;
    e->learn_flow.limit = l->limit;
    e->learn_flow.fm = xzalloc(sizeof *e->learn_flow.fm);
    compose(ctx, l, e->learn_flow.fm);
    if (ctx->in->may_learn) {
        result = oftables_learn(ctx->bridge->tables, e->learn_flow.fm, l->limit);
        say_learned(ctx, e->learn_flow.fm);
    } else {
        result = oftables_would_learn(ctx->bridge->tables, e->learn_flow.fm, l->limit);
    }
    if (l->flags & OF_LEARN_WRITE_RESULT) {
        xlate_look_subfield(ctx, &l->result_dst);
        of_subfield_write_u64(&l->result_dst, &ctx->flow, result != OFLEARN_LIMIT);
        xlate_say_written(ctx, &l->result_dst);
    }
    if (result == OFLEARN_LIMIT) {
        xlate_say(ctx, "Limit exceeded, learn failed");
    }
}

void
xlate_fin_timeout(struct xlate_ctx *ctx, const struct of_act_fin_timeout *a)
{
    struct xlate_effect *e;
    struct flow looked;

    if (!ctx->rule || !of_prereq_ok(OFQ_TCP, &ctx->flow)) {
        return;
    }
    memset(&looked, 0, sizeof looked);
    looked.l4.tcp_flags_be = htons(TCP_FIN_RST);
    looked.ip.proto = UINT8_MAX;
    xlate_look(ctx, &looked);
    if (!(ctx->flow.l4.tcp_flags_be & htons(TCP_FIN_RST))) {
        return;
    }
    e = xlate_add_effect(ctx, XLATE_EFFECT_FIN_TIMEOUT);
    if (e) {
        e->fin.bridge_id = ctx->bridge->id;
        e->fin.rule = rule_ref(ctx->rule);
        e->fin.idle = a->idle_timeout;
        e->fin.hard = a->hard_timeout;
    }
    if (ctx->in->may_learn) {
        oftables_fin_timeout(ctx->bridge->tables, ctx->rule, a->idle_timeout, a->hard_timeout);
    }
}
