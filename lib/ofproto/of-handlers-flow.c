/* SPDX-License-Identifier: Apache-2.0 */
/* Flow mods, flow and aggregate statistics.  Called by conn-dispatch.c and bundles on the main
 * thread. */

#include <stdlib.h>

#include "ofproto/conn-private.h"
#include "ofproto/meters.h"
#include "ofproto/oftables.h"
#include "os/clock.h"
#include "util/xalloc.h"

enum of_err
of_flow_mod_prepare(const struct ofconn *c, const struct of_msg *msg, struct of_flow_mod *fm)
{
    const struct of_actions_limits limits = {
        .max_ports = OFPP_MAX,
        .table_id = 0,
        .n_tables = OFTABLES_MAX,
        .max_meters = OFMETERS_MAX,
        .version = c->version,
    };
    struct of_actions_limits l = limits;
    enum of_err err = of_flow_mod_decode(msg, c->flow_mod_table_id, fm);

    if (err) {
        return err;
    }
    l.table_id = fm->table_id == OFPTT_ALL ? 0 : fm->table_id;
    if (fm->table_id == OFTABLE_HIDDEN) {
        err = OFPBRC_EPERM;
    } else if (fm->command != OFPFC_DELETE && fm->command != OFPFC_DELETE_STRICT) {
        err = of_actions_check(fm->actions.a, fm->actions.len, &fm->match, &l);
    }
    if (err) {
        of_flow_mod_free(fm);
    }
    return err;
}

enum of_err
of_handle_flow_mod(struct ofconn *c, struct of_msg *msg)
{
    const struct of_requester who = {c, msg->xid, c->version};
    struct of_flow_mod fm;
    enum of_err err = of_flow_mod_prepare(c, msg, &fm);

    if (err) {
        return err;
    }
    err = oftables_flow_mod(c->mgr->ofproto->tables, &fm, &who);
    if (!err && fm.buffer_id != OFP_NO_BUFFER) {
        err = OFPBRC_BUFFER_UNKNOWN; /* the flow is there, but there are no buffers */
    }
    of_flow_mod_free(&fm);
    return err;
}

/* ------------------------------------------------------------------ statistics */

static enum of_err
read_request(const struct of_msg *msg, struct flow_select *s)
{
    struct of_flow_request r;
    enum of_err err = of_flow_request_decode(msg, &r);

    if (!err) {
        flow_select_init(s);
        s->table_id = r.table_id;
        s->out_port = r.out_port;
        s->out_group = r.out_group;
        s->cookie = r.cookie;
        s->cookie_mask = r.cookie_mask;
        s->match = r.match;
    }
    return err;
}

/* An answer under way.  It shows the rules that were there when it was asked for, a slice each
 * time that the peer has taken the last one: neither memory nor a turn of the loop grows with
 * the number of rules, but for the references. */
struct flow_dump {
    struct rule **rules;
    size_t n, cap, next;
    enum of_msg_type type;
    uint32_t xid;
};
#define SLICE_BYTES (128u << 10)

void
of_duration(int64_t ms, uint32_t *sec, uint32_t *nsec)
{
    ms = ms < 0 ? 0 : ms;
    *sec = (uint32_t) (ms / 1000);
    *nsec = (uint32_t) (ms % 1000 * 1000000);
}

static void
put_rule(struct of_mp_writer *w, const struct rule *rule, int64_t now)
{
    struct rule_counts counts = rule_get_counts(rule);
    int64_t modified = atomic_load_explicit(&rule->modified_ms, memory_order_relaxed);
    struct of_match match;
    struct of_flow_stats s = {
        .match = &match,
        .table_id = rule->table_id,
        .priority = (uint16_t) rule->cls.priority,
        .cookie = rule->cookie,
        .idle_timeout = atomic_load_explicit(&rule->idle_timeout, memory_order_relaxed),
        .hard_timeout = atomic_load_explicit(&rule->hard_timeout, memory_order_relaxed),
        .importance = rule->importance,
        .flags = rule->flags,
        .idle_age = (int) ((now - counts.used_ms) / 1000),
        .hard_age = (int) ((now - modified) / 1000),
        .packet_count = counts.n_packets,
        .byte_count = counts.n_bytes,
        .actions = rule_acts(rule),
        .actions_len = rule->acts_len,
    };

    of_duration(now - rule->created_ms, &s.duration_sec, &s.duration_nsec);
    cls_rule_get_match(&rule->cls, &match.flow, &match.mask);
    of_mp_entry_begin(w);
    of_flow_stats_put(w->buf, w->type, &s, w->version);
    of_mp_entry_end(w);
}

static bool
dump_rule(struct rule *rule, void *d_)
{
    struct flow_dump *d = d_;

    if (d->n == d->cap) {
        d->cap = d->cap ? d->cap * 2 : 16;
        d->rules = xrealloc(d->rules, d->cap * sizeof *d->rules);
    }
    d->rules[d->n++] = rule_ref(rule);
    return true;
}

void
of_dump_destroy(struct ofconn *c)
{
    struct flow_dump *d = c->dump;

    if (d) {
        while (d->next < d->n) {
            rule_unref(d->rules[d->next++]);
        }
        free(d->rules);
        free(d);
        c->dump = NULL;
    }
}

/* Sends the next slice; true: it was the last one. */
static bool
send_slice(struct ofconn *c)
{
    struct flow_dump *d = c->dump;
    struct of_buf b = OF_BUF_INIT;
    struct of_mp_writer w;
    int64_t now = clock_now_ms();
    bool last;

    of_mp_begin(&w, &b, d->type, c->version, d->xid);
    while (d->next < d->n && b.len < SLICE_BYTES) {
        put_rule(&w, d->rules[d->next], now);
        rule_unref(d->rules[d->next++]);
    }
    last = d->next == d->n;
    if (last) {
        of_mp_end(&w);
        of_dump_destroy(c);
    } else {
        of_mp_end_more(&w);
    }
    ofconn_send(c, &b);
    return last;
}

void
of_dump_drained(struct ofconn *c)
{
    if (c->dump && send_slice(c)) {
        of_channel_hold(c->channel, false);
    }
}

enum of_err
of_handle_flow_stats(struct ofconn *c, struct of_msg *msg)
{
    struct flow_select s;
    struct flow_dump *d;
    enum of_err err = read_request(msg, &s);

    if (err) {
        return err;
    }
    d = xzalloc(sizeof *d);
    d->type = of_msg_reply_type(msg->type);
    d->xid = msg->xid;
    c->dump = d;
    oftables_for_each(c->mgr->ofproto->tables, &s, dump_rule, d);
    /* Ends: each slice holds a rule at least. */
    while (!send_slice(c)) {
        if (c->channel) {
            of_channel_hold(c->channel, true); /* later requests are answered later */
            break;
        }
    }
    return OF_OK;
}

enum of_err
of_handle_aggregate(struct ofconn *c, struct of_msg *msg)
{
    struct of_buf b = OF_BUF_INIT;
    struct rule_totals t;
    struct flow_select s;
    enum of_err err = read_request(msg, &s);

    if (err) {
        return err;
    }
    t = oftables_aggregate(c->mgr->ofproto->tables, &s);
    of_aggregate_encode(&b, of_msg_reply_type(msg->type), t.n_packets, t.n_bytes, t.n_flows,
                        c->version, msg->xid);
    ofconn_send(c, &b);
    return OF_OK;
}
