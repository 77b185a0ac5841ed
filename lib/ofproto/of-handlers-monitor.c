/* SPDX-License-Identifier: Apache-2.0 */
/* Flow monitors: controllers that are told what happens to the flows they care about.  Requests
 * come from conn-dispatch.c, changes from the tables; main thread.
 *
 * Updates of one message or one round of expiry go out together.  A peer that does not read is
 * sent PAUSED and then nothing but deletions are lost to it: when it has caught up, it gets
 * what was added or changed meanwhile, and RESUMED. */

#include <stdlib.h>
#include <string.h>

#include "log/coverage.h"
#include "ofproto/conn-private.h"
#include "ofproto/oftables.h"
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
send_state(struct ofconn *c, enum of_monitor_event event)
{
    struct of_buf b = OF_BUF_INIT;

    if (c->version >= OF14_VERSION && c->monitors->reply == OFM_FLOW_MONITOR_REPLY) {
        const struct of_monitor_update u = {.event = event};
        struct of_mp_writer w;

        of_mp_begin(&w, &b, c->monitors->reply, c->version, 0);
        of_mp_entry_begin(&w);
        of_monitor_update_put(&b, c->monitors->reply, &u, c->version);
        of_mp_entry_end(&w);
        of_mp_end(&w);
    } else {
        enum of_msg_type type =
            event == OFPFME_PAUSED ? OFM_NXT_FLOW_MONITOR_PAUSED : OFM_NXT_FLOW_MONITOR_RESUMED;

        of_msg_end(&b, of_msg_begin(&b, type, c->version, 0));
    }
    ofconn_send(c, &b);
}

static size_t
backlog(const struct ofconn *c)
{
    return c->channel ? of_channel_backlog(c->channel) : 0;
}

struct walk {
    struct ofconn *c;
    struct of_buf *b;
    struct of_mp_writer *w;
    int64_t since_ms;
};

static bool
resume_rule(struct rule *rule, void *walk_)
{
    struct walk *walk = walk_;
    int64_t modified = atomic_load_explicit(&rule->modified_ms, memory_order_relaxed);
    struct of_monitor_update u;
    struct of_match match;

    if (modified < walk->since_ms) {
        return true;
    }
    for (const struct flow_monitor *m = walk->c->monitors; m; m = m->next) {
        if (monitor_matches(m, rule, NULL)) {
            describe(rule, rule->created_ms >= walk->since_ms ? OFPFME_ADDED : OFPFME_MODIFIED,
                     m->r.flags & OFPFMF_INSTRUCTIONS, &match, &u);
            queue_update(walk->c, &u);
            break;
        }
    }
    return true;
}

static void
flush(struct ofconn *c)
{
    if (c->updates_open) {
        of_mp_end(&c->updates_writer);
        c->updates_open = false;
        ofconn_send(c, &c->updates);
    }
    if (!c->monitors) {
        c->monitors_paused = false;
    } else if (!c->monitors_paused && backlog(c) > PAUSE_BYTES) {
        COVERAGE_INC(ofconn_monitor_paused);
        c->monitors_paused = true;
        c->paused_ms = clock_now_ms();
        send_state(c, OFPFME_PAUSED);
    }
}

/* The peer of a connection has taken everything that waited for it. */
void
of_monitors_drained(struct ofconn *c)
{
    struct walk walk = {.c = c, .since_ms = c->paused_ms};
    struct flow_select all;

    if (!c->monitors_paused || !c->monitors || c->mgr->commit) {
        return; /* a commit that is being told goes first, and comes back here */
    }
    c->monitors_paused = false;
    flow_select_init(&all);
    oftables_for_each(c->mgr->ofproto->tables, &all, resume_rule, &walk);
    if (c->updates_open) {
        of_mp_end(&c->updates_writer);
        c->updates_open = false;
        ofconn_send(c, &c->updates);
    }
    send_state(c, OFPFME_RESUMED);
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

/* A rule that several new monitors match goes out once. */
static bool
initial_rule(struct rule *rule, void *walk_)
{
    struct walk *walk = walk_;
    enum of_msg_type reply = walk->w->type;
    struct of_monitor_update u;
    struct of_match match;
    uint16_t flags = 0;

    for (const struct flow_monitor *m = walk->c->monitors; m; m = m->next) {
        if (m->fresh && m->r.flags & OFPFMF_INITIAL && monitor_matches(m, rule, NULL)) {
            flags |= m->r.flags;
        }
    }
    if (flags) {
        describe(rule, OFPFME_INITIAL, flags & OFPFMF_INSTRUCTIONS, &match, &u);
        of_mp_entry_begin(walk->w);
        of_monitor_update_put(walk->b, reply, &u, walk->c->version);
        of_mp_entry_end(walk->w);
    }
    return true;
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

/* The flows that there are, for the monitors that are new. */
static void
send_initial(struct ofconn *c, enum of_msg_type reply, uint32_t xid)
{
    struct of_buf b = OF_BUF_INIT;
    struct of_mp_writer w;
    struct walk walk = {.c = c, .b = &b, .w = &w};
    struct flow_select all;
    bool wanted = false;

    for (const struct flow_monitor *m = c->monitors; m; m = m->next) {
        wanted |= m->fresh && m->r.flags & OFPFMF_INITIAL;
    }
    of_mp_begin(&w, &b, reply, c->version, xid);
    if (wanted) {
        flow_select_init(&all);
        oftables_for_each(c->mgr->ofproto->tables, &all, initial_rule, &walk);
    }
    of_mp_end(&w);
    ofconn_send(c, &b);
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
    if (!err) {
        send_initial(c, reply, msg->xid);
    }
    settle(c, err != OF_OK);
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
