/* SPDX-License-Identifier: Apache-2.0 */
/* ofproto/trace and ofproto/trace-packet-out: what the switch would do with a packet, and why.
 * Main thread.
 *
 *   ofproto/trace {[DATAPATH] DP_FLOW | BRIDGE OF_FLOW} [OPTIONS] [-generate | PACKET]
 *
 * The flow is in datapath or OpenFlow notation, or comes from a packet in hexadecimal.  With
 * -generate or a packet, what the packet does beyond being forwarded (learning) is done too. */

#include <arpa/inet.h>
#include <limits.h>
#include <stdlib.h>

#include "flow/flow-format.h"
#include "flow/flow-key.h"
#include "log/ctl.h"
#include "ofproto/ofproto-private.h"
#include "ofproto/xlate.h"
#include "ofproto/xtrace.h"
#include "os/clock.h"
#include "packet/packet.h"
#include "util/num.h"
#include "util/xalloc.h"

#define PACKET_MAX 2048

struct trace_request {
    struct ofproto *ofproto; /* NULL: the flow says, by its datapath port */
    const struct ofproto_dp *odp;
    struct flow flow; /* meta.in_port: datapath port */
    uint16_t in_ofport;
    struct packet *packet; /* NULL: none given */
    bool effects;
    bool names;
    struct of_actions acts; /* of trace-packet-out */
};

struct arguments {
    const char *word[3]; /* not options: up to datapath or bridge, flow, packet */
    unsigned n;
    const char *actions;
    bool generate, names;
    char *error;
};

/* Options are words with a dash; the last word of trace-packet-out is the actions. */
static void
split(int argc, const char *const argv[], bool packet_out, struct arguments *a)
{
    memset(a, 0, sizeof *a);
    if (packet_out) {
        a->actions = argv[--argc];
    }
    for (int i = 1; i < argc; i++) {
        const char *w = argv[i];

        if (!strcmp(w, "-generate") || !strcmp(w, "--generate")) {
            a->generate = true;
        } else if (!strcmp(w, "--names")) {
            a->names = true;
        } else if (!strcmp(w, "--no-names") || !strcmp(w, "-consistent") ||
                   !strcmp(w, "--consistent")) {
            continue;
        } else if (!strcmp(w, "--ct-next") || !strcmp(w, "-ct-next")) {
            i++; /* its flags: there is no connection tracking to apply them to */
        } else if (!strcmp(w, "--l7-len") || !strcmp(w, "-l7-len")) {
            i++; /* of a packet made up for the flow: none is needed */
        } else if (!strncmp(w, "--ct-next=", 10) || !strncmp(w, "--l7-len=", 9)) {
            continue;
        } else if (w[0] == '-') {
            error_set(&a->error, "%s: unknown option", w);
            return;
        } else if (a->n == ARRAY_SIZE(a->word)) {
            error_set(&a->error, "%s: too many arguments", w);
            return;
        } else {
            a->word[a->n++] = w;
        }
    }
    if (!a->n) {
        error_set(&a->error, "a flow is wanted");
    }
}

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

/* What the packet in hexadecimal looks like takes the place of the flow's own headers. */
static void
take_packet(struct trace_request *r, const char *hex, char **errp)
{
    uint8_t bytes[PACKET_MAX];
    int n = num_parse_hex(hex, bytes, sizeof bytes);
    struct flow_key key;

    if (n < 14) {
        error_set(errp, "Trailing garbage in packet data");
        return;
    }
    r->packet = packet_from_data(bytes, (uint16_t) n);
    if (!r->packet) {
        error_set(errp, "no frame is free for the packet");
        return;
    }
    r->packet->in_port = r->flow.meta.in_port;
    r->packet->pkt_mark = r->flow.meta.pkt_mark;
    r->packet->skb_priority = r->flow.meta.skb_priority;
    flow_key_extract(r->packet, &key);
    flow_key_expand(&key, &r->flow);
    r->effects = true;
}

static void
parse_dp_flow(struct trace_request *r, const char *dp, const char *text, char **errp)
{
    r->odp = find_odp(dp);
    if (!r->odp) {
        error_set(errp, "Cannot find the datapath");
        return;
    }
    if (flow_parse(text, &r->flow, dp_port_by_name, (void *) (uintptr_t) r->odp, errp)) {
        return;
    }
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
    if (!of_match_parse(text, &m, of_port_by_name, r->ofproto, errp)) {
        char *why = *errp;

        *errp = NULL;
        error_set(errp, "Bad openflow flow syntax: %s: %s", text, why);
        free(why);
        return;
    }
    r->flow = m.flow;
    r->in_ofport = m.mask.meta.in_port ? (uint16_t) m.flow.meta.in_port : (uint16_t) OFPP_NONE;
    flow_imply_sections(&r->flow);
    port = ofproto_port_find(r->ofproto, r->in_ofport);
    r->flow.meta.in_port = port ? port->dp_port : DP_PORT_NONE;
}

static void
parse(const struct arguments *a, struct trace_request *r, char **errp)
{
    const char *first = a->word[0];
    bool dp_form = strchr(first, '(') || (a->n > 1 && strchr(a->word[1], '('));

    memset(r, 0, sizeof *r);
    r->effects = a->generate;
    r->names = a->names;
    if (dp_form) {
        bool named = !strchr(first, '(');

        parse_dp_flow(r, named ? first : NULL, a->word[named], errp);
        if (!*errp && a->n > 1u + named) {
            take_packet(r, a->word[1 + named], errp);
        }
    } else if (a->n < 2) {
        error_set(errp, "syntax error at %s (or the bridge name was omitted)", first);
    } else {
        parse_of_flow(r, first, a->word[1], errp);
        if (!*errp && a->n > 2) {
            take_packet(r, a->word[2], errp);
        }
    }
}

/* ---- Output. ---- */

static const char *
port_name(uint16_t number, void *ofproto)
{
    const struct ofport *port = ofproto ? ofproto_port_find(ofproto, number) : NULL;

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

static void
run(struct ctl_conn *conn, struct trace_request *r, bool packet_out)
{
    struct strbuf s = STRBUF_INIT;
    const struct of_names names = {.port = port_name, .aux = r->ofproto};
    struct xtrace trace = {.s = &s, .names = r->names ? &names : NULL};
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

    if (r->ofproto) {
        in.bridge = xsnapshot_bridge_by_id(in.snapshot, r->ofproto->id);
        shown.meta.in_port = r->in_ofport;
    } else {
        const struct xport *p = xsnapshot_port_by_dp(in.snapshot, r->odp, r->flow.meta.in_port);

        shown.meta.in_port = p ? p->ofport : OFPP_NONE;
    }
    strbuf_puts(&s, "Flow: ");
    put_flow(&s, &shown, trace.names);
    strbuf_putc(&s, '\n');
    if (!xlate_translate(&in, &out)) {
        strbuf_free(&s);
        ctl_reply_errorf(conn, r->flow.meta.recirc_id ? "Recirculation id is not known"
                                                      : "Invalid datapath flow");
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

static void
trace_cmd(struct ctl_conn *conn, int argc, const char *const argv[], void *packet_out)
{
    struct trace_request r;
    struct arguments a;
    char *err = NULL;

    split(argc, argv, packet_out != NULL, &a);
    if (a.error) {
        ctl_reply_error(conn, a.error);
        free(a.error);
        return;
    }
    parse(&a, &r, &err);
    if (!err && packet_out) {
        of_actions_parse(a.actions, &r.acts, of_port_by_name, r.ofproto, &err);
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
