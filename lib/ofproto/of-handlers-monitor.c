/* SPDX-License-Identifier: Apache-2.0 */
/* Flow monitors: controllers that are told what happens to the flows they care about.  Requests
 * come from conn-dispatch.c, changes from the tables; main thread.
 *
 * Updates of one message or one round of expiry go out together.  A peer that does not read is
 * sent PAUSED and then nothing but deletions are lost to it: when it has caught up, it gets
 * what was added or changed meanwhile, and RESUMED.
 *
 * What there is when a monitor begins or resumes goes out like any dump of many rules, in many
 * turns; what happens meanwhile is held back and comes behind it. */

#include <stdlib.h>
#include <string.h>

#include "log/coverage.h"
#include "ofproto/conn-private.h"
#include "ofproto/oftables.h"
#include "ofproto/rule-walk.h"
#include "openflow/of-monitor.h"
#include "os/clock.h"
#include "util/xalloc.h"

COVERAGE_DEFINE(ofconn_monitor_paused);

#define MONITORS_MAX 1024u       /* of a connection */
#define PAUSE_BYTES (128u << 10) /* waiting for the peer */

struct flow_monitor {
    struct flow_monitor *next; /* conn->monitors */
    struct of_monitor_request r;
    enum of_msg_type reply;
    enum { NOT_FRESH, FRESH_CHANGED, FRESH_ADDED } fresh; /* by the message being executed */
};

static struct flow_monitor *
find(const struct ofconn *c, uint32_t id)
{
    struct flow_monitor *m = c->monitors;

    while (m && m->r.id != id) {
        m = m->next;
    }
    return m;
}

static void
forget(struct ofconn *c, struct flow_monitor *m)
{
    struct flow_monitor **p = &c->monitors;

    while (*p != m) {
        p = &(*p)->next;
    }
    *p = m->next;
    free(m);
}

void
of_monitors_destroy(struct ofconn *c)
{
    while (c->monitors) {
        forget(c, c->monitors);
    }
    of_buf_free(&c->updates);
}

/* ------------------------------------------------------------------ what matches */

static bool
outputs_match(const struct flow_monitor *m, const struct rule *rule)
{
    const struct of_act *acts = rule_acts(rule);

    return (m->r.out_port == OFPP_NONE ||
            of_actions_output_to_port(acts, rule->acts_len, m->r.out_port)) &&
           (m->r.out_group == OFPG_ANY ||
            of_actions_output_to_group(acts, rule->acts_len, m->r.out_group));
}

static bool
monitor_matches(const struct flow_monitor *m, const struct rule *rule, const struct rule *old)
{
    return !rule->hidden && (m->r.table_id == OFPTT_ALL || m->r.table_id == rule->table_id) &&
           (outputs_match(m, rule) || (old && outputs_match(m, old))) &&
           cls_rule_is_within(&rule->cls, &m->r.match.flow, &m->r.match.mask);
}

static void
describe(const struct rule *rule, enum of_monitor_event event, bool with_actions,
         struct of_match *match, struct of_monitor_update *u)
{
    *u = (struct of_monitor_update){
        .event = event,
        .table_id = rule->table_id,
        .priority = (uint16_t) rule->cls.priority,
        .idle_timeout = atomic_load_explicit(&rule->idle_timeout, memory_order_relaxed),
        .hard_timeout = atomic_load_explicit(&rule->hard_timeout, memory_order_relaxed),
        .cookie = rule->cookie,
        .match = match,
    };
    cls_rule_get_match(&rule->cls, &match->flow, &match->mask);
    if (with_actions) {
        u->actions = rule_acts(rule);
        u->actions_len = rule->acts_len;
    }
}

/* ------------------------------------------------------------------ updates */

static void
queue_update(struct ofconn *c, const struct of_monitor_update *u)
{
    enum of_msg_type type = c->monitors->reply;

    if (!c->updates_open) {
        of_mp_begin(&c->updates_writer, &c->updates, type, c->version, 0);
        c->updates_open = true;
        ev_defer_start(&c->mgr->monitor_defer);
    }
    of_mp_entry_begin(&c->updates_writer);
    of_monitor_update_put(&c->updates, type, u, c->version);
    of_mp_entry_end(&c->updates_writer);
}

static void
put_state(struct ofconn *c, struct of_buf *b, enum of_monitor_event event)
{
    if (c->version >= OF14_VERSION && c->monitors->reply == OFM_FLOW_MONITOR_REPLY) {
        const struct of_monitor_update u = {.event = event};
        struct of_mp_writer w;

        of_mp_begin(&w, b, c->monitors->reply, c->version, 0);
        of_mp_entry_begin(&w);
        of_monitor_update_put(b, c->monitors->reply, &u, c->version);
        of_mp_entry_end(&w);
        of_mp_end(&w);
    } else {
        enum of_msg_type type =
            event == OFPFME_PAUSED ? OFM_NXT_FLOW_MONITOR_PAUSED : OFM_NXT_FLOW_MONITOR_RESUMED;

        of_msg_end(b, of_msg_begin(b, type, c->version, 0));
    }
}

static size_t
backlog(const struct ofconn *c)
{
    return c->channel ? of_channel_backlog(c->channel) : 0;
}

static void
close_updates(struct ofconn *c)
{
    if (c->updates_open) {
        of_mp_end(&c->updates_writer);
        c->updates_open = false;
    }
}

/* From here on additions and modifications are not told one by one. */
static void
pause_monitors(struct ofconn *c)
{
    COVERAGE_INC(ofconn_monitor_paused);
    close_updates(c);
    put_state(c, &c->updates, OFPFME_PAUSED);
    c->monitors_paused = true;
    c->paused_ms = clock_now_ms();
}

static void
send_updates(struct ofconn *c)
{
    close_updates(c);
    if (c->updates.len) {
        ofconn_send(c, &c->updates);
    }
}

static void
flush(struct ofconn *c)
{
    if (c->updates_held) {
        if (c->monitors && !c->monitors_paused && c->updates.len > PAUSE_BYTES) {
            pause_monitors(c);
        }
        return;
    }
    send_updates(c);
    if (!c->monitors) {
        c->monitors_paused = false;
    } else if (!c->monitors_paused && backlog(c) > PAUSE_BYTES) {
        pause_monitors(c);
        send_updates(c);
    }
}

/* ------------------------------------------------------------------ catching up */

static const struct flow_monitor *
who_missed(const struct ofconn *c, const struct rule *rule)
{
    const struct flow_monitor *m = c->monitors;

    if (atomic_load_explicit(&rule->modified_ms, memory_order_relaxed) < c->missed_ms) {
        return NULL;
    }
    while (m && !monitor_matches(m, rule, NULL)) {
        m = m->next;
    }
    return m;
}

static bool
was_missed(const struct ofconn *c, const struct rule *rule)
{
    return who_missed(c, rule) != NULL;
}

static void
put_missed(struct ofconn *c, struct of_mp_writer *w, const struct rule *rule, int64_t now)
{
    const struct flow_monitor *m = who_missed(c, rule);
    struct of_monitor_update u;
    struct of_match match;

    if (m) {
        describe(rule, rule->created_ms >= c->missed_ms ? OFPFME_ADDED : OFPFME_MODIFIED,
                 m->r.flags & OFPFMF_INSTRUCTIONS, &match, &u);
        of_mp_entry_begin(w);
        of_monitor_update_put(w->buf, w->type, &u, w->version);
        of_mp_entry_end(w);
    }
}

static void
caught_up(struct ofconn *c)
{
    struct of_buf b = OF_BUF_INIT;

    if (c->monitors) {
        put_state(c, &b, OFPFME_RESUMED);
        ofconn_send(c, &b);
    }
    c->updates_held = false;
    flush(c);
}

/* The peer of a connection has taken everything that waited for it. */
void
of_monitors_drained(struct ofconn *c)
{
    struct of_dump_spec spec = {
        .at_once = true,
        .quiet = true,
        .wants = was_missed,
        .put = put_missed,
        .sent = caught_up,
    };
    const struct oftables *t = c->mgr->ofproto->tables;

    if (!c->monitors_paused || !c->monitors || c->dump || c->mgr->commit ||
        oftables_is_busy(t) || oftables_walk_must_wait(t)) {
        return; /* what is being told goes first, and comes back here */
    }
    c->monitors_paused = false;
    c->missed_ms = c->paused_ms;
    c->updates_held = true;
    spec.type = c->monitors->reply;
    flow_select_init(&spec.sel);
    of_dump_start(c, &spec);
}

void
connmgr_flush_monitors(struct connmgr *mgr)
{
    struct ofconn *c;

    ev_defer_stop(&mgr->monitor_defer);
    OFCONN_FOR_EACH(c, mgr)
    {
        if (c->updates_open) {
            flush(c);
        }
    }
}

void
connmgr_rule_event(struct connmgr *mgr, enum rule_event event, const struct rule *rule,
                   const struct rule *old, uint8_t reason, const struct of_requester *who)
{
    static const struct {
        uint16_t flag;
        enum of_monitor_event event;
    } kinds[] = {
        [RULE_EV_ADDED] = {OFPFMF_ADD, OFPFME_ADDED},
        [RULE_EV_MODIFIED] = {OFPFMF_MODIFY, OFPFME_MODIFIED},
        [RULE_EV_DELETED] = {OFPFMF_REMOVED, OFPFME_REMOVED},
    };
    struct of_monitor_update u;
    struct of_match match;
    struct ofconn *c;

    OFCONN_FOR_EACH(c, mgr)
    {
        uint16_t flags = 0;
        bool own_in_full = false;

        /* What came after the pause the peer has not heard of: no need to say that it goes. */
        if (!c->monitors || (c->monitors_paused &&
                             (event != RULE_EV_DELETED || rule->created_ms > c->paused_ms))) {
            continue;
        }
        for (const struct flow_monitor *m = c->monitors; m; m = m->next) {
            if (m->r.flags & kinds[event].flag && monitor_matches(m, rule, old)) {
                flags |= m->r.flags;
                own_in_full |= m->r.own_in_full;
            }
        }
        if (!flags) {
            continue;
        }
        if (who && who->owner == c && !own_in_full) {
            if (!c->updates_open || c->abbrev_xid != who->xid) {
                u = (struct of_monitor_update){.event = OFPFME_ABBREV, .xid = who->xid};
                queue_update(c, &u);
                c->abbrev_xid = who->xid;
            }
            continue;
        }
        describe(rule, kinds[event].event, flags & OFPFMF_INSTRUCTIONS, &match, &u);
        u.reason = reason;
        queue_update(c, &u);
    }
}

/* ------------------------------------------------------------------ requests */

/* Flags of the new monitors that match. */
static uint16_t
who_begins(const struct ofconn *c, const struct rule *rule)
{
    uint16_t flags = 0;

    for (const struct flow_monitor *m = c->monitors; m; m = m->next) {
        if (m->fresh && m->r.flags & OFPFMF_INITIAL && monitor_matches(m, rule, NULL)) {
            flags |= m->r.flags;
        }
    }
    return flags;
}

static bool
is_initial(const struct ofconn *c, const struct rule *rule)
{
    return who_begins(c, rule) != 0;
}

/* A rule that several new monitors match goes out once. */
static void
put_initial(struct ofconn *c, struct of_mp_writer *w, const struct rule *rule, int64_t now)
{
    uint16_t flags = who_begins(c, rule);
    struct of_monitor_update u;
    struct of_match match;

    if (flags) {
        describe(rule, OFPFME_INITIAL, flags & OFPFMF_INSTRUCTIONS, &match, &u);
        of_mp_entry_begin(w);
        of_monitor_update_put(w->buf, w->type, &u, w->version);
        of_mp_entry_end(w);
    }
}

static enum of_err
apply(struct ofconn *c, const struct of_monitor_request *r, enum of_msg_type reply)
{
    struct flow_monitor *m = find(c, r->id);
    unsigned n = 0;

    if (r->command == OFPFMC_ADD) {
        for (const struct flow_monitor *i = c->monitors; i; i = i->next) {
            n++;
        }
        if (m || n >= MONITORS_MAX) {
            return m ? OFPMOFC_MONITOR_EXISTS : OFPMOFC_UNKNOWN;
        }
        m = xzalloc(sizeof *m);
        m->next = c->monitors;
        m->fresh = FRESH_ADDED;
        c->monitors = m;
    } else if (!m) {
        return OFPMOFC_UNKNOWN_MONITOR;
    } else if (r->command == OFPFMC_DELETE) {
        forget(c, m);
        return OF_OK;
    }
    m->r = *r;
    m->reply = reply;
    m->fresh = m->fresh ? m->fresh : FRESH_CHANGED;
    return OF_OK;
}

/* The message is over; when it failed, what it added goes. */
static void
settle(struct ofconn *c, bool failed)
{
    struct flow_monitor *next;

    for (struct flow_monitor *m = c->monitors; m; m = next) {
        next = m->next;
        if (failed && m->fresh == FRESH_ADDED) {
            forget(c, m);
        } else {
            m->fresh = NOT_FRESH;
        }
    }
}

static void
initial_sent(struct ofconn *c)
{
    settle(c, false);
    c->updates_held = false;
    flush(c);
}

/* The flows that there are, for the monitors that are new. */
static void
send_initial(struct ofconn *c, enum of_msg_type reply, uint32_t xid)
{
    struct of_dump_spec spec = {
        .type = reply,
        .xid = xid,
        .at_once = true,
        .wants = is_initial,
        .put = put_initial,
        .sent = initial_sent,
    };
    bool wanted = false;

    for (const struct flow_monitor *m = c->monitors; m; m = m->next) {
        wanted |= m->fresh && m->r.flags & OFPFMF_INITIAL;
    }
    if (wanted) {
        c->updates_held = true;
        flow_select_init(&spec.sel);
        of_dump_start(c, &spec);
    } else {
        struct of_buf b = OF_BUF_INIT;
        struct of_mp_writer w;

        of_mp_begin(&w, &b, reply, c->version, xid);
        of_mp_end(&w);
        ofconn_send(c, &b);
        settle(c, false);
    }
}

enum of_err
of_handle_monitor(struct ofconn *c, struct of_msg *msg)
{
    enum of_msg_type reply = of_monitor_reply_type(msg->type);
    struct of_monitor_request r;
    struct of_reader reader = msg->body;
    enum of_err err = OF_OK;

    /* Nothing of a message that is wrong somewhere takes effect. */
    while (!err && reader.len) {
        err = of_monitor_request_next(msg, &reader, &r);
        if (!err && r.table_id != OFPTT_ALL && r.table_id >= OFTABLES_MAX) {
            err = OFPBRC_BAD_TABLE_ID;
        }
    }
    reader = msg->body;
    while (!err && reader.len) {
        err = of_monitor_request_next(msg, &reader, &r);
        if (!err) {
            err = apply(c, &r, reply);
        }
    }
    if (err) {
        settle(c, true);
    } else {
        send_initial(c, reply, msg->xid);
    }
    return err;
}

enum of_err
of_handle_monitor_cancel(struct ofconn *c, struct of_msg *msg)
{
    struct flow_monitor *m;
    uint32_t id;
    enum of_err err = of_monitor_cancel_decode(msg, &id);

    if (err) {
        return err;
    }
    m = find(c, id);
    if (!m) {
        return OFPMOFC_UNKNOWN_MONITOR;
    }
    forget(c, m);
    return OF_OK;
}
