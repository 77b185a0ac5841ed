/* SPDX-License-Identifier: Apache-2.0 */
/* Where packets leave a pipeline: ports by number or register, floods, the controller.  Called
 * by the other files of translation.  It knows the ports' OpenFlow configuration, and nothing
 * of how the packet came to be what it is. */

#include "ofproto/meters.h"
#include "ofproto/xlate-private.h"

#include "log/coverage.h"

COVERAGE_DEFINE(drop_xlate_port_no_forward);
COVERAGE_DEFINE(drop_xlate_port_unknown);
COVERAGE_DEFINE(drop_xlate_to_input_port);

void
xlate_output(struct xlate_ctx *ctx, const struct xport *out, const struct tag_stack *tags)
{
    if (ctx->overflow) {
        return;
    }
    if (out->config & (OFPPC_PORT_DOWN | OFPPC_NO_FWD)) {
        COVERAGE_INC(drop_xlate_port_no_forward);
        xlate_say(ctx, out->config & OFPPC_PORT_DOWN
                           ? ">> skipping output to a port that is down"
                           : "OFPPC_NO_FWD set, skipping output");
        return;
    }
    if (out->is_patch) {
        xlate_patch(ctx, out, tags);
        return;
    }
    xlate_commit(ctx, tags);
    if (ctx->max_len) {
        dp_actions_add_trunc(&ctx->actions, ctx->max_len);
    }
    dp_actions_add_output(&ctx->actions, (uint32_t) out->dp_key.port_no);
}

/* To all ports but the one it came from; `flood`: and those that are not to be flooded. */
static void
output_all(struct xlate_ctx *ctx, bool flood)
{
    const struct xbridge *b = ctx->bridge;

    for (unsigned i = 0; i < b->n_ports && !ctx->overflow; i++) {
        const struct xport *p = b->flood_order[i];

        if (p->ofport != ctx->flow.meta.in_port && !(flood && p->config & OFPPC_NO_FLOOD)) {
            xlate_output(ctx, p, &ctx->tags);
        }
    }
}

static void
output_number(struct xlate_ctx *ctx, uint16_t port, bool to_input)
{
    const struct xport *p = xbridge_port(ctx->bridge, port);

    if (!p) {
        COVERAGE_INC(drop_xlate_port_unknown);
        xlate_say(ctx, ">> Nonexistent output port");
    } else if (port == ctx->flow.meta.in_port && !to_input) {
        COVERAGE_INC(drop_xlate_to_input_port);
        xlate_say(ctx, ">> skipping output to input port");
    } else {
        xlate_output(ctx, p, &ctx->tags);
    }
}

void
xlate_output_port(struct xlate_ctx *ctx, uint16_t port, uint16_t max_len)
{
    switch (port) {
    case OFPP_IN_PORT:
        output_number(ctx, (uint16_t) ctx->flow.meta.in_port, true);
        break;
    case OFPP_TABLE:
        xlate_table(ctx, 0, (uint16_t) ctx->flow.meta.in_port, true);
        break;
    case OFPP_NORMAL:
        xlate_normal(ctx);
        break;
    case OFPP_FLOOD:
    case OFPP_ALL:
        output_all(ctx, port == OFPP_FLOOD);
        break;
    case OFPP_CONTROLLER: {
        const struct xlate_to_controller to = {
            .max_len = max_len,
            .reason = ctx->in_group        ? OFPR_GROUP
                      : ctx->in_action_set ? OFPR_ACTION_SET
                                           : ctx->reason,
            .meter_id = OF_CONTROLLER_NO_METER,
        };

        xlate_controller(ctx, &to);
        break;
    }
    case OFPP_NONE:
    case OFPP_UNSET:
        break;
    default: /* OFPP_LOCAL is a port like any other */
        output_number(ctx, port, false);
        break;
    }
}

void
xlate_controller(struct xlate_ctx *ctx, const struct xlate_to_controller *to)
{
    uint64_t words[XLATE_PUNT_WORDS(UINT16_MAX)];
    struct xlate_punt *p = (struct xlate_punt *) (void *) words;
    uint32_t meter, clone = 0;
    bool metered = (to->meter_id != OF_CONTROLLER_NO_METER &&
                    meter_lookup(ctx->bridge->tables, to->meter_id, &meter)) ||
                   meter_lookup(ctx->bridge->tables, OFPM_CONTROLLER, &meter);

    xlate_commit(ctx, &ctx->tags);
    memset(p, 0, sizeof *p);
    p->bridge_id = ctx->bridge->id;
    p->recirc_id = to->recirc_id;
    p->cookie = ctx->cookie;
    p->meter_id = to->meter_id;
    p->in_port = (uint16_t) ctx->flow.meta.in_port;
    p->max_len = to->max_len;
    p->controller_id = to->controller_id;
    p->userdata_len = to->userdata_len;
    p->reason = to->reason;
    p->table_id = ctx->table_id;
    p->dont_send = ctx->in->trace != NULL;
    p->regs = ctx->flow.regs;
    if (to->userdata_len) {
        /* Zeros up to the word boundary: lists are compared as words. */
        words[XLATE_PUNT_WORDS(to->userdata_len) - 1] = 0;
        memcpy(p->userdata, to->userdata, to->userdata_len);
    }
    if (metered) { /* the packet goes on where this copy of it ends */
        clone = dp_actions_begin_clone(&ctx->actions);
        dp_actions_add_meter(&ctx->actions, meter);
    }
    dp_actions_add_punt(&ctx->actions, words, XLATE_PUNT_WORDS(to->userdata_len));
    if (metered) {
        dp_actions_end_clone(&ctx->actions, clone);
    }
}

void
xlate_controller_act(struct xlate_ctx *ctx, const struct of_act_controller *a,
                     uint32_t recirc_id)
{
    const struct xlate_to_controller to = {
        .max_len = a->max_len,
        .controller_id = a->controller_id,
        .reason = a->reason,
        .meter_id = a->meter_id,
        .userdata = a->userdata,
        .userdata_len = a->userdata_len,
        .recirc_id = recirc_id,
    };

    xlate_controller(ctx, &to);
}

static void
enqueue(struct xlate_ctx *ctx, const struct of_act_enqueue *a)
{
    uint32_t saved = ctx->flow.meta.skb_priority;

    xlate_set_priority(ctx, a->queue);
    xlate_output_port(ctx, a->port, UINT16_MAX);
    ctx->flow.meta.skb_priority = saved;
}

/* What is cut is what leaves the switch: not the packet that goes on into another bridge. */
static bool
can_trunc(struct xlate_ctx *ctx, uint16_t port)
{
    const struct xport *p = xbridge_port(ctx->bridge, port);

    if (port == OFPP_IN_PORT || (p && p->is_patch)) {
        struct strbuf s = STRBUF_INIT;

        of_port_format(port, ctx->in->trace ? ctx->in->trace->names : NULL, &s);
        xlate_say(ctx, ">>>> output_trunc does not support patch port %s <<<<",
                  strbuf_cstr(&s));
        strbuf_free(&s);
        return false;
    }
    return true;
}

void
xlate_output_act(struct xlate_ctx *ctx, const struct of_act *act)
{
    const struct of_act_output *o = (const struct of_act_output *) act;
    const struct of_act_output_reg *r = (const struct of_act_output_reg *) act;
    const struct of_act_output_trunc *t = (const struct of_act_output_trunc *) act;
    uint64_t port;

    switch ((enum of_act_type) act->type) {
    case OFA_OUTPUT:
        xlate_output_port(ctx, o->port, o->max_len);
        break;
    case OFA_OUTPUT_REG: {

        xlate_look_subfield(ctx, &r->src);
        port = of_subfield_read_u64(&r->src, &ctx->flow);
        if (port <= UINT16_MAX) {
            xlate_say(ctx, "output port is %u", (unsigned) port);
            xlate_output_port(ctx, (uint16_t) port, r->max_len);
        } else {
            xlate_say(ctx, ">> output port %#llx is out of range", (unsigned long long) port);
        }
        break;
    }
    case OFA_OUTPUT_TRUNC:
        if (!can_trunc(ctx, t->port)) {
            break;
        }
        ctx->max_len = t->max_len;
        xlate_output_port(ctx, t->port, (uint16_t) MIN(t->max_len, (uint32_t) UINT16_MAX));
        ctx->max_len = 0;
        break;
    case OFA_CONTROLLER:
        xlate_controller_act(ctx, (const struct of_act_controller *) act, 0);
        break;
    case OFA_ENQUEUE:
        enqueue(ctx, (const struct of_act_enqueue *) act);
        break;
    default:
        break;
    }
}
