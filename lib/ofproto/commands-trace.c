/* SPDX-License-Identifier: Apache-2.0 */
/* ofproto/trace and ofproto/trace-packet-out: what the switch would do with a packet, and why.
 * Main thread.
 *
 *   ofproto/trace {[DATAPATH] DP_FLOW | BRIDGE OF_FLOW} [OPTIONS] [-generate | PACKET]
 *
 * The flow is in datapath or OpenFlow notation, or comes from a packet in hexadecimal.  With
 * -generate or a packet, what the packet does beyond being forwarded (learning) is done too. */

#include <arpa/inet.h>
#include <inttypes.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>

#include "flow/flow-format.h"
#include "flow/flow-key.h"
#include "log/ctl.h"
#include "ofproto/frozen.h"
#include "ofproto/ofproto-private.h"
#include "ofproto/trace-args.h"
#include "ofproto/xlate.h"
#include "ofproto/xtrace.h"
#include "os/clock.h"
#include "packet/headers.h"
#include "packet/packet.h"
#include "util/num.h"
#include "util/xalloc.h"

#define PACKET_MAX 2048

struct trace_request {
    struct ofproto *ofproto; /* where the flow comes in */
    const struct ofproto_dp *odp;
    struct flow flow; /* meta.in_port: datapath port */
    uint16_t in_ofport;
    struct packet *packet; /* NULL: none given */
    bool effects;
    bool names;
    struct of_actions acts; /* of trace-packet-out */
};

static const struct ofproto_dp *
find_odp(const char *name)
{
    for (const struct ofproto_dp *d = all_ofproto_dps; d; d = d->next) {
        if (d->dp && (!name || !strcmp(name, dp_name(d->dp)) || !strcmp(name, d->type))) {
            return d;
        }
    }
    return NULL;
}

static int64_t
dp_port_by_name(const char *name, void *odp_)
{
    const struct ofproto_dp *odp = odp_;
    struct ofproto *o, *tmp;

    HASH_ITER(hh, all_ofprotos, o, tmp)
    {
        struct ofport *port = o->odp == odp ? ofproto_port_find_name(o, name) : NULL;

        if (port) {
            return port->dp_port;
        }
    }
    return -1;
}

static int
of_port_by_name(const char *name, void *ofproto)
{
    /* Without a bridge, names stand for nothing. */
    struct ofport *port = ofproto ? ofproto_port_find_name(ofproto, name) : NULL;

    return port ? (int) port->number : -1;
}

/* The last word may be a packet in hexadecimal; the third has to be one. */
static void
parse_packet(struct trace_request *r, struct trace_args *a, char **errp)
{
    uint8_t bytes[PACKET_MAX];
    int n = a->n > 1 ? num_parse_hex(a->word[a->n - 1], bytes, sizeof bytes) : -1;

    if (n < ETH_HDR_LEN) {
        if (a->n == ARRAY_SIZE(a->word)) {
            error_set(errp, n < 0 ? "Trailing garbage in packet data"
                                  : "Packet data too short for Ethernet");
        }
    } else if (a->generate) {
        error_set(errp, "Syntax error");
    } else {
        a->n--;
        r->packet = packet_from_data(bytes, (uint16_t) n);
        if (!r->packet) {
            error_set(errp, "no frame is free for the packet");
        }
    }
}

/* What the packet looks like takes the place of the flow's own headers. */
static void
take_packet(struct trace_request *r)
{
    struct flow_key key;

    r->packet->in_port = r->flow.meta.in_port;
    r->packet->pkt_mark = r->flow.meta.pkt_mark;
    r->packet->skb_priority = r->flow.meta.skb_priority;
    flow_key_extract(r->packet, &key);
    flow_key_expand(&key, &r->flow);
    r->effects = true;
}

/* The bridge that the flow comes to. */
static void
find_dp_port(struct trace_request *r, char **errp)
{
    struct ofproto *o, *tmp_o;
    struct ofport *port, *tmp;

    HASH_ITER(hh, all_ofprotos, o, tmp_o)
    {
        if (o->odp != r->odp) {
            continue;
        }
        HASH_ITER(hh, o->ports, port, tmp)
        {
            if (port->dp_port != DP_PORT_NONE && port->dp_port == r->flow.meta.in_port) {
                r->ofproto = o;
                r->in_ofport = (uint16_t) port->number;
                return;
            }
        }
    }
    error_set(errp, "no OpenFlow port for datapath port %" PRIu32, r->flow.meta.in_port);
}

/* False: this is no datapath flow, and why. */
static bool
parse_dp_flow(struct trace_request *r, const char *dp, const char *text, char **errp)
{
    struct frozen *waiting;

    r->odp = find_odp(dp);
    if (flow_parse(text, &r->flow, dp_port_by_name, (void *) (uintptr_t) r->odp, errp)) {
        memset(&r->flow, 0, sizeof r->flow);
        return false;
    }
    if (!r->odp) {
        error_set(errp, "Cannot find the datapath");
        return true;
    }
    if (r->flow.meta.recirc_id) {
        waiting = frozen_find(r->flow.meta.recirc_id);
        if (!waiting) {
            error_set(errp, "no recirculation data for recirc_id %#" PRIx32,
                      r->flow.meta.recirc_id);
            return true;
        }
        frozen_unref(waiting);
    }
    find_dp_port(r, errp);
    return true;
}

static void
parse_of_flow(struct trace_request *r, const char *bridge, const char *text, char **errp)
{
    struct of_match m;
    struct ofport *port;

    r->ofproto = ofproto_lookup(bridge);
    if (!r->ofproto) {
        error_set(errp, "%s: unknown bridge", bridge);
        return;
    }
    r->odp = r->ofproto->odp;
    if (!of_match_parse_flow(text, &m, of_port_by_name, r->ofproto, errp)) {
        char *why = *errp;

        *errp = NULL;
        error_set(errp, "Bad openflow flow syntax: %s: %s", text, why);
        free(why);
        return;
    }
    r->flow = m.flow;
    r->flow.regs.conj_id = 0; /* the pipeline's own */
    r->flow.regs.actset_output = 0;
    r->in_ofport = m.flow.meta.in_port ? (uint16_t) m.flow.meta.in_port : (uint16_t) OFPP_NONE;
    flow_imply_sections(&r->flow);
    port = ofproto_port_find(r->ofproto, r->in_ofport);
    r->flow.meta.in_port = port ? port->dp_port : DP_PORT_NONE;
}

static void
parse(struct trace_args *a, struct trace_request *r, char **errp)
{
    char *why = NULL;

    memset(r, 0, sizeof *r);
    r->effects = a->generate;
    r->names = a->names;
    parse_packet(r, a, errp);
    if (*errp) {
        return;
    }
    if (a->n == 1) {
        if (!parse_dp_flow(r, NULL, a->word[0], &why)) {
            error_set(errp, "%s (or the bridge name was omitted)", why);
        }
    } else if (!parse_dp_flow(r, a->word[0], a->word[1], &why)) {
        free(why);
        why = NULL;
        parse_of_flow(r, a->word[0], a->word[1], errp);
    }
    if (*errp) {
        free(why);
    } else {
        *errp = why;
    }
    if (!*errp && r->packet) {
        take_packet(r);
    }
}

/* ---- Output. ---- */

/* In the bridge that the trace is in. */
static const char *
port_name(uint16_t number, void *trace_)
{
    const struct xtrace *trace = trace_;
    const struct ofproto *o = ofproto_lookup(trace->bridge);
    const struct ofport *port = o ? ofproto_port_find(o, number) : NULL;

    return port ? netdev_name(port->netdev) : NULL;
}

static const char *
dp_port_name_cb(uint32_t port, void *dp)
{
    return dp_port_name(dp, port);
}

static void
put_flow(struct strbuf *s, const struct flow *flow, const struct of_names *names)
{
    struct of_match m;

    of_match_from_flow(&m, flow);
    if (!flow->meta.in_port) { /* an action took it away */
        m.mask.meta.in_port = 0;
    }
    of_match_format(&m, -1, names, s);
}

static void
put_megaflow(struct strbuf *s, const struct flow *flow, const struct flow *mask,
             const struct of_names *names)
{
    struct of_match m = {.flow = *flow, .mask = *mask};

    for (size_t i = 0; i < FLOW_WORDS; i++) {
        ((flow_word *) &m.flow)[i] &= ((flow_word *) &m.mask)[i];
    }
    if (of_prereq_ok(OFQ_ICMPV4, flow) || of_prereq_ok(OFQ_ICMPV6, flow)) {
        m.mask.l4.src_be &= htons(UINT8_MAX); /* eight bits in a field of sixteen */
        m.mask.l4.dst_be &= htons(UINT8_MAX);
    }
    strbuf_puts(s, "Megaflow: ");
    of_match_format(&m, -1, names, s);
    strbuf_putc(s, '\n');
}

/* The pipeline that the flow would go on with is not there. */
static void
lost(struct strbuf *s, const struct trace_request *r, const struct flow *shown,
     const struct of_names *names)
{
    struct flow mask;

    flow_mask_init_minimal(&mask, shown);
    flow_mask_clip(&mask, shown);
    strbuf_putf(s, "\nbridge(\"%s\")\n", r->ofproto->name);
    for (size_t n = strlen("bridge(\"\")") + strlen(r->ofproto->name); n; n--) {
        strbuf_putc(s, '-');
    }
    strbuf_putf(s,
                "\n     >>>> Recirculation context not found for ID %" PRIx32 " <<<<\n\n"
                "Final flow: unchanged\n",
                r->flow.meta.recirc_id);
    put_megaflow(s, shown, &mask, names);
    strbuf_puts(s, "Datapath actions: drop\n"
                   "Translation failed (No recirculation context), packet is dropped.");
}

static void
run(struct ctl_conn *conn, struct trace_request *r, bool packet_out)
{
    struct strbuf s = STRBUF_INIT;
    struct xtrace trace = {.s = &s, .bridge = r->ofproto->name};
    const struct of_names names = {.port = port_name, .aux = &trace};
    struct xlate_in in = {
        .snapshot = xsnapshot_get(),
        .odp = r->odp,
        .flow = &r->flow,
        .may_learn = r->effects,
        .fresh = r->effects,
        .used_ms = clock_now_ms(),
        .in_ofport = r->in_ofport,
        .acts = r->acts.a,
        .acts_len = r->acts.len,
        .packet_out = packet_out,
        .trace = &trace,
    };
    struct flow shown = r->flow, begun;
    struct xlate_out out;
    bool same;

    trace.names = r->names ? &names : NULL;
    in.bridge = xsnapshot_bridge_by_id(in.snapshot, r->ofproto->id);
    shown.meta.in_port = r->in_ofport;
    strbuf_puts(&s, "Flow: ");
    put_flow(&s, &shown, trace.names);
    strbuf_putc(&s, '\n');
    if (!xlate_translate(&in, &out)) {
        if (r->flow.meta.recirc_id) {
            lost(&s, r, &shown, trace.names);
            ctl_reply(conn, strbuf_cstr(&s));
        } else {
            ctl_reply_error(conn, "Invalid datapath flow");
        }
        strbuf_free(&s);
        return;
    }
    strbuf_puts(&s, "\nFinal flow: ");
    /* Stock counts the output of the action set as a change, and does not say it. */
    same = out.final.regs.actset_output == OFPP_UNSET;
    out.final.regs.actset_output = 0;
    shown.regs.actset_output = 0;
    begun = shown;
    if (shown.ip.frag &
        FLOW_FRAG_ANY) { /* its ports may have been hidden; nobody changed them */
        begun.l4 = out.final.l4;
    }
    if (same && !memcmp(&out.final, &begun, offsetof(struct flow, sections))) {
        strbuf_puts(&s, "unchanged");
    } else {
        put_flow(&s, &out.final, trace.names);
    }
    strbuf_putc(&s, '\n');
    in.flow = &shown;
    put_megaflow(&s, &shown, &out.mask, trace.names);
    strbuf_puts(&s, "Datapath actions: ");
    dp_actions_format(&s, out.actions, r->names ? dp_port_name_cb : NULL, r->odp->dp);
    if (out.error) {
        strbuf_putf(&s, "\nTranslation failed (%s), packet is dropped.", out.error);
    }
    ctl_reply(conn, strbuf_cstr(&s));
    free(out.actions);
    xlate_effects_destroy(&out.effects);
    strbuf_free(&s);
}

/* A packet-out has a list of actions, no instructions. */
static void
refuse_instructions(const struct of_actions *acts, char **errp)
{
    static const char *const names[OFA_N] = {
        [OFA_METER] = "meter",
        [OFA_CLEAR_ACTIONS] = "clear_actions",
        [OFA_WRITE_ACTIONS] = "write_actions",
        [OFA_WRITE_METADATA] = "write_metadata",
        [OFA_GOTO_TABLE] = "goto_table",
    };

    OF_ACT_FOR_EACH(a, acts->a, acts->len)
    {
        if (names[a->type] && !*errp) {
            error_set(errp, "%s instruction not allowed here", names[a->type]);
        }
    }
}

static void
trace_cmd(struct ctl_conn *conn, int argc, const char *const argv[], void *packet_out)
{
    struct trace_request r;
    struct trace_args a;
    char *err = NULL;

    trace_args_split(argc, argv, packet_out != NULL, &a);
    if (a.error) {
        ctl_reply_error(conn, a.error);
        free(a.error);
        return;
    }
    parse(&a, &r, &err);
    if (!err && packet_out &&
        of_actions_parse(a.actions, &r.acts, of_port_by_name, r.ofproto, &err)) {
        refuse_instructions(&r.acts, &err);
    }
    if (err) {
        ctl_reply_error(conn, err);
        free(err);
    } else {
        run(conn, &r, packet_out != NULL);
    }
    if (r.packet) {
        packet_free(r.packet);
    }
    of_actions_free(&r.acts);
}

void
ofproto_commands_trace_register(void)
{
    ctl_command_register("ofproto/trace",
                         "{[dp_name] odp_flow | bridge br_flow} [OPTIONS...] "
                         "[-generate|packet]",
                         1, INT_MAX, trace_cmd, NULL);
    ctl_command_register("ofproto/trace-packet-out",
                         "[-consistent] {[dp_name] odp_flow | bridge br_flow} [OPTIONS...] "
                         "[-generate|packet] actions",
                         2, INT_MAX, trace_cmd, "");
}
