/* SPDX-License-Identifier: Apache-2.0 */
/* Answers about many rules: flow and aggregate statistics, and what flow monitors begin with
 * (of-handlers-monitor.c).  Called by conn-dispatch.c, the event loop and the channel on the
 * main thread.
 *
 * The rules are looked for a slice in each turn of the event loop, as they were when that
 * began; then they are sent a slice each time that the peer has taken the last one. */

#include <stdlib.h>

#include "ofproto/conn-private.h"
#include "ofproto/rule-walk.h"
#include "os/clock.h"
#include "util/xalloc.h"

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

/* An answer under way: neither memory nor a turn of the loop grows with the number of rules,
 * but for the references. */
struct flow_dump {
    struct ofconn *conn;
    struct of_dump_spec spec;

    bool walking, found; /* began, and ended, to look for rules */
    struct rule_walk walk;
    struct ev_defer defer;
    struct rule_list list; /* references */
    size_t next;           /* of the list, to be sent */
    struct rule_totals totals;
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
put_stats(struct ofconn *c, struct of_mp_writer *w, const struct rule *rule, int64_t now)
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

void
of_dump_destroy(struct ofconn *c)
{
    struct flow_dump *d = c->dump;

    if (d) {
        rule_walk_end(&d->walk);
        ev_defer_stop(&d->defer);
        while (d->next < d->list.n) {
            rule_unref(d->list.rules[d->next++]);
        }
        free(d->list.rules);
        free(d);
        c->dump = NULL;
    }
}

/* Sends the next slice; true: it was the last one. */
static bool
send_slice(struct ofconn *c)
{
    struct flow_dump *d = c->dump;
    const struct of_dump_spec spec = d->spec;
    struct of_buf b = OF_BUF_INIT;
    struct of_mp_writer w;
    int64_t now = clock_now_ms();
    bool last, none = spec.quiet && !d->list.n;

    of_mp_begin(&w, &b, spec.type, c->version, spec.xid);
    while (d->next < d->list.n && b.len < SLICE_BYTES) {
        spec.put(c, &w, d->list.rules[d->next], now);
        rule_unref(d->list.rules[d->next++]);
    }
    last = d->next == d->list.n;
    if (last) {
        of_mp_end(&w);
        of_dump_destroy(c);
    } else {
        of_mp_end_more(&w);
    }
    if (none) {
        of_buf_clear(&b);
    }
    ofconn_send(c, &b);
    if (last && spec.sent) {
        spec.sent(c);
    }
    return last;
}

void
of_dump_drained(struct ofconn *c)
{
    if (c->dump && c->dump->found && send_slice(c)) {
        of_channel_hold(c->channel, OF_HOLD_NOT);
        of_commit_resume(c->mgr); /* if a message came all the same */
    }
}

/* Looks for more rules.  False: there may be more yet. */
static bool
find_some(struct flow_dump *d, struct slice *slice)
{
    struct oftables *t = d->conn->mgr->ofproto->tables;
    struct rule *r;

    if (!d->walking) {
        if (!d->spec.at_once && oftables_walk_must_wait(t)) {
            return false;
        }
        rule_walk_begin(&d->walk, t, &d->spec.sel, -1, false, oftables_version(t));
        d->walking = true;
    }
    while ((r = rule_walk_next(&d->walk, slice))) {
        if (!d->spec.put) {
            rule_totals_add(&d->totals, r);
        } else if (!d->spec.wants || d->spec.wants(d->conn, r)) {
            rule_list_add(&d->list, rule_ref(r));
        }
        if (slice_spent(slice)) {
            return false;
        }
    }
    d->found = d->walk.done;
    return d->found;
}

/* Does it read on? */
static void
hold(struct ofconn *c, enum of_channel_hold held)
{
    if (c->channel) {
        of_channel_hold(c->channel, held);
    }
}

static void
send_totals(struct ofconn *c)
{
    const struct flow_dump *d = c->dump;
    struct of_buf b = OF_BUF_INIT;

    of_aggregate_encode(&b, d->spec.type, d->totals.n_packets, d->totals.n_bytes,
                        d->totals.n_flows, c->version, d->spec.xid);
    ofconn_send(c, &b);
    of_dump_destroy(c);
}

/* All rules are found. */
static void
send_answer(struct ofconn *c)
{
    rule_walk_end(&c->dump->walk);
    if (!c->dump->spec.put) {
        send_totals(c);
        return;
    }
    /* Ends: each slice holds a rule at least. */
    while (!send_slice(c)) {
        if (c->channel) {
            of_channel_hold(c->channel, OF_HOLD_ANSWER); /* later requests: later */
            break;
        }
    }
}

static void
go_on(struct ev_defer *defer)
{
    struct flow_dump *d = defer->aux;
    struct slice slice = oftables_slice();
    struct ofconn *c = d->conn;

    if (!find_some(d, &slice)) {
        ev_defer_start(defer);
        return;
    }
    hold(c, OF_HOLD_NOT);
    send_answer(c);
    of_commit_resume(c->mgr); /* if a message came all the same */
}

void
of_dump_start(struct ofconn *c, const struct of_dump_spec *spec)
{
    bool now = !c->channel && !spec->at_once; /* a test asks */
    struct slice slice = now ? SLICE_ENDLESS : oftables_slice();
    struct flow_dump *d = xzalloc(sizeof *d);

    d->conn = c;
    d->spec = *spec;
    ev_defer_init(&d->defer, c->mgr->loop, go_on, d);
    c->dump = d;
    if (find_some(d, &slice)) {
        send_answer(c);
    } else {
        hold(c, OF_HOLD_WORK);
        ev_defer_start(&d->defer);
    }
}

static enum of_err
answer(struct ofconn *c, const struct of_msg *msg, bool aggregate)
{
    struct of_dump_spec spec = {
        .type = of_msg_reply_type(msg->type),
        .xid = msg->xid,
        .put = aggregate ? NULL : put_stats,
    };
    enum of_err err = read_request(msg, &spec.sel);

    if (!err) {
        of_dump_start(c, &spec);
    }
    return err;
}

enum of_err
of_handle_flow_stats(struct ofconn *c, struct of_msg *msg)
{
    return answer(c, msg, false);
}

enum of_err
of_handle_aggregate(struct ofconn *c, struct of_msg *msg)
{
    return answer(c, msg, true);
}
