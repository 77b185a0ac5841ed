/* SPDX-License-Identifier: Apache-2.0 */
/* The OpenFlow connections of a bridge: the service sockets, the list of connections with the
 * state that each has, and snooping.  Called by ofproto.c and conn-controller.c on the main
 * thread.  It must not know what messages mean. */

#include "ofproto/conn-private.h"

#include <stdlib.h>
#include <string.h>

#include "log/coverage.h"
#include "log/log.h"
#include "openflow/of-hello.h"
#include "os/dirs.h"
#include "util/xalloc.h"

LOG_MODULE(connmgr);

COVERAGE_DEFINE(ofconn_event_dropped);
COVERAGE_DEFINE(ofconn_refused);
COVERAGE_DEFINE(ofconn_snoop_dropped);

#define SERVICE_MODE 0770
#define LISTEN_RETRY_MS 5000
#define MISS_SEND_LEN_DEFAULT 128 /* OpenFlow 1.0 section 5.3.2 */

const char *
ofconn_name(const struct ofconn *c)
{
    return c->channel ? of_channel_name(c->channel) : c->is_gone ? "gone" : "test";
}

void
ofconn_send(struct ofconn *c, struct of_buf *b)
{
    if (c->channel) {
        of_channel_send(c->channel, b);
    } else if (c->is_gone) {
        of_buf_free(b);
    } else {
        of_buf_put(&c->sink, b->data, b->len);
        of_buf_free(b);
    }
}

bool
ofconn_send_event(struct ofconn *c, struct of_buf *b)
{
    if (c->channel && of_channel_backlog(c->channel) + b->len > OFCONN_EVENTS_MAX) {
        COVERAGE_INC(ofconn_event_dropped);
        of_buf_free(b);
        return false;
    }
    ofconn_send(c, b);
    return true;
}

void
ofconn_send_error(struct ofconn *c, enum of_err err, const struct of_msg *msg)
{
    struct of_buf b = OF_BUF_INIT;

    LOG_DBG("%s<->%s: sending %s in reply to %s", c->mgr->ofproto->name, ofconn_name(c),
            of_err_name(err), of_msg_type_name(msg->type));
    of_error_encode(&b, err, c->version, msg->start, msg->len);
    ofconn_send(c, &b);
}

/* ------------------------------------------------------------------ the channel's events */

static void
conn_up(struct of_channel *ch, void *c_)
{
    struct ofconn *c = c_;

    c->version = of_channel_version(ch);
    if (!c->controller || controller_wants_async(c->controller)) {
        of_async_init(&c->async, c->version); /* else nothing until it asks for some */
    }
    connmgr_update_miss(c->mgr);
    if (c->controller) {
        controller_conn_up(c->controller, c);
    } else if (c->kind == OFCONN_SERVICE) {
        ofconn_set_packet_in_limits(c);
    }
}

static void
conn_message(struct of_channel *ch, struct of_msg *msg, void *c_)
{
    struct ofconn *c = c_;

    if (c->kind != OFCONN_SNOOP) {
        ofconn_dispatch(c, msg);
    }
}

/* Snoopers see each message that passes on a controller's connection. */
static void
conn_snoop(struct of_channel *ch, const void *data, size_t len, void *c_)
{
    struct ofconn *c = c_, *s;

    OFCONN_FOR_EACH(s, c->mgr)
    {
        if (s->kind == OFCONN_SNOOP && s->version) {
            struct of_buf b = OF_BUF_INIT;

            if (of_channel_backlog(s->channel) > OFCONN_EVENTS_MAX) {
                COVERAGE_INC(ofconn_snoop_dropped);
                continue;
            }
            of_buf_put(&b, data, len);
            of_channel_send(s->channel, &b);
        }
    }
}

static void
conn_down(struct of_channel *ch, const char *why, void *c_)
{
    struct ofconn *c = c_;

    if (c->controller) {
        controller_conn_down(c->controller, c, why);
        return;
    }
    LOG_DBG("%s<->%s: %s", c->mgr->ofproto->name, ofconn_name(c), why);
    ofconn_destroy(c);
}

static void
conn_doubt(struct of_channel *ch, void *c_)
{
    controllers_status_changed();
}

static void
conn_drained(struct of_channel *ch, void *c_)
{
    of_dump_drained(c_);
    of_monitors_drained(c_);
}

static const struct of_channel_ops primary_ops = {
    .up = conn_up,
    .doubt = conn_doubt,
    .drained = conn_drained,
    .message = conn_message,
    .snoop = conn_snoop,
    .down = conn_down,
};
static const struct of_channel_ops service_ops = {
    .up = conn_up,
    .drained = conn_drained,
    .message = conn_message,
    .down = conn_down,
};

/* ------------------------------------------------------------------ life of a connection */

static struct ofconn *
conn_new(struct connmgr *mgr, enum ofconn_kind kind)
{
    struct ofconn *c = xzalloc(sizeof *c);

    c->mgr = mgr;
    c->kind = kind;
    c->role = OFPCR_ROLE_EQUAL;
    c->packet_in_format = NXPIF_STANDARD;
    c->flow_format = NXFF_OPENFLOW10;
    c->miss_send_len = kind == OFCONN_PRIMARY ? MISS_SEND_LEN_DEFAULT : 0;
    cds_list_add_tail(&c->node, &mgr->conns);
    return c;
}

struct ofconn *
ofconn_create(struct connmgr *mgr, struct stream *s, enum ofconn_kind kind,
              struct controller *controller, int64_t probe_ms)
{
    struct ofconn *c = conn_new(mgr, kind);

    c->controller = controller;
    c->channel = of_channel_create(mgr->loop, s, mgr->versions, probe_ms,
                                   kind == OFCONN_PRIMARY ? &primary_ops : &service_ops, c);
    return c;
}

struct ofconn *
ofconn_create_fake(struct connmgr *mgr, uint8_t version)
{
    struct ofconn *c = conn_new(mgr, OFCONN_PRIMARY);

    c->version = version;
    of_async_init(&c->async, version);
    return c;
}

void
ofconn_destroy(struct ofconn *c)
{
    cds_list_del(&c->node);
    connmgr_update_miss(c->mgr);
    ofconn_destroy_packet_ins(c);
    of_channel_destroy(c->channel);
    of_buf_free(&c->sink);
    of_mp_joiner_clear(&c->joiner);
    of_dump_destroy(c);
    of_commit_forget(c);
    of_bundles_destroy(c);
    of_monitors_destroy(c);
    free(c);
}

void
connmgr_update_miss(struct connmgr *mgr)
{
    bool wanted = false;
    struct ofconn *c;

    OFCONN_FOR_EACH(c, mgr)
    {
        wanted |= c->version && c->version < OF13_VERSION && !c->controller_id &&
                  ofconn_wants(c, OF_ASYNC_PACKET_IN, OFPR_NO_MATCH);
    }
    if (wanted != mgr->ofproto->miss_to_controller) {
        mgr->ofproto->miss_to_controller = wanted;
        ofproto_changed();
    }
}

/* ------------------------------------------------------------------ services */

static bool
may_accept(const struct connmgr *mgr, enum ofconn_kind kind)
{
    unsigned n = 0;
    struct ofconn *c;

    OFCONN_FOR_EACH(c, mgr)
    {
        n += c->kind == kind && !c->controller;
    }
    if (n >= OFCONN_SERVICES_MAX) {
        static struct log_rate_limit rl = LOG_RATE_LIMIT(1);

        COVERAGE_INC(ofconn_refused);
        LOG_WARN_RL(&rl, "%s: more than %u connections to the service socket are refused",
                    mgr->ofproto->name, OFCONN_SERVICES_MAX);
        return false;
    }
    return true;
}

static void
mgmt_accepted(struct stream *s, void *mgr_)
{
    struct connmgr *mgr = mgr_;

    if (may_accept(mgr, OFCONN_SERVICE)) {
        ofconn_create(mgr, s, OFCONN_SERVICE, NULL, 0);
    } else {
        stream_close(s);
    }
}

static void
snoop_accepted(struct stream *s, void *mgr_)
{
    struct connmgr *mgr = mgr_;

    /* Without a controller there is nothing that could ever be shown. */
    if (mgr->controllers && may_accept(mgr, OFCONN_SNOOP)) {
        ofconn_create(mgr, s, OFCONN_SNOOP, NULL, 0);
    } else {
        stream_close(s);
    }
}

static bool
listen_one(struct connmgr *mgr, const char *suffix, stream_accept_cb *accepted,
           struct stream_listener **lp)
{
    static struct log_rate_limit rl = LOG_RATE_LIMIT(6);
    char *target, *error = NULL;
    bool ok;

    if (*lp) {
        return true;
    }
    target = xasprintf("punix:%s/%s.%s", dirs_rundir(), mgr->ofproto->name, suffix);
    ok = !stream_listen(mgr->loop, target, SERVICE_MODE, accepted, mgr, lp, &error);
    if (!ok) {
        *lp = NULL;
        LOG_WARN_RL(&rl, "%s: no service for ovs-ofctl: %s", mgr->ofproto->name, error);
    }
    free(error);
    free(target);
    return ok;
}

static void
listen_timer_cb(struct ev_timer *t)
{
    struct connmgr *mgr = t->aux;
    bool ok = listen_one(mgr, "mgmt", mgmt_accepted, &mgr->mgmt);

    ok &= listen_one(mgr, "snoop", snoop_accepted, &mgr->snoop);
    if (!ok) {
        ev_timer_start(&mgr->listen_timer, LISTEN_RETRY_MS);
    }
}

/* ------------------------------------------------------------------ life of the manager */

static void
monitor_defer_cb(struct ev_defer *d)
{
    connmgr_flush_monitors(d->aux);
}

struct connmgr *
connmgr_create(struct ofproto *o, struct evloop *loop)
{
    struct connmgr *mgr = xzalloc(sizeof *mgr);

    mgr->ofproto = o;
    mgr->loop = loop;
    mgr->versions = OF_VERSIONS_ALL;
    CDS_INIT_LIST_HEAD(&mgr->conns);
    CDS_INIT_LIST_HEAD(&mgr->waiting);
    ev_defer_init(&mgr->monitor_defer, loop, monitor_defer_cb, mgr);
    ev_timer_init(&mgr->listen_timer, loop, listen_timer_cb, mgr);
    controllers_init(mgr);
    return mgr;
}

void
connmgr_destroy(struct connmgr *mgr)
{
    struct ofconn *c, *next;

    if (!mgr) {
        return;
    }
    ev_timer_stop(&mgr->listen_timer);
    ev_defer_stop(&mgr->monitor_defer);
    stream_listener_close(mgr->mgmt);
    stream_listener_close(mgr->snoop);
    controllers_destroy(mgr);
    cds_list_for_each_entry_safe(c, next, &mgr->conns, node)
    {
        ofconn_destroy(c);
    }
    of_commit_destroy(mgr);
    of_tlvs_destroy(mgr);
    free(mgr->dp_desc);
    free(mgr->serial);
    free(mgr);
}

static void
set_text(char **to, const char *text)
{
    free(*to);
    *to = xstrdup_nullable(text);
}

void
ofproto_set_conns(struct ofproto *o, const struct conn_settings *s)
{
    struct connmgr *mgr = o->conns;
    uint32_t versions = s->versions & OF_VERSIONS_ALL;

    if (!versions) {
        versions = OF_VERSIONS_ALL;
    }
    set_text(&mgr->dp_desc, s->dp_desc);
    set_text(&mgr->serial, s->serial);
    if (versions != mgr->versions) {
        struct ofconn *c;

        mgr->versions = versions;
        OFCONN_FOR_EACH(c, mgr)
        {
            if (c->channel && !(c->version && versions & 1u << c->version)) {
                of_channel_fail(c->channel, "its OpenFlow version is not allowed any more");
            }
        }
    }
    if (s->queue_size != mgr->queue_size) {
        struct ofconn *c;

        mgr->queue_size = s->queue_size;
        OFCONN_FOR_EACH(c, mgr)
        {
            if (c->pin_queue) {
                ofconn_set_packet_in_limits(c);
            }
        }
    }
    if (!mgr->mgmt || !mgr->snoop) {
        listen_timer_cb(&mgr->listen_timer);
    }
    mgr->fail_secure = s->fail_secure;
    controllers_set(mgr, s->controllers, s->n_controllers);
}
