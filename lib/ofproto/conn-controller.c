/* SPDX-License-Identifier: Apache-2.0 */
/* Controllers of a bridge: connecting to them with back-off or listening for them, what is
 * reported of them, and what the bridge does while none answers.  Called by conn.c on the main
 * thread.  It must not know what messages mean. */

#include "ofproto/conn-private.h"

#include <stdlib.h>
#include <string.h>

#include "log/coverage.h"
#include "log/ctl.h"
#include "log/log.h"
#include "os/clock.h"
#include "rpc/reconnect.h"
#include "util/compiler.h"
#include "util/xalloc.h"

LOG_MODULE(rconn);

COVERAGE_DEFINE(controller_connect);

#define DEFAULT_PORT "6653"
#define MIN_BACKOFF_MS 1000
#define CONNECT_TIMEOUT_MS 15000 /* the channel gives up before */
#define LISTEN_RETRY_MS 5000
#define FAIL_OPEN_PROBES 3      /* intervals without a controller */
#define FAIL_OPEN_PROBE_MS 5000 /* where probing is off */

struct controller {
    struct connmgr *mgr;
    char *target;
    char *address;                /* the target, with a port */
    struct controller_settings s; /* `target` is the copy above */
    bool passive;
    struct stream_listener *listener; /* passive */
    struct reconnect rc;              /* active */
    struct ofconn *conn;              /* active: connecting or connected */
    unsigned n_up;                    /* connections that are up */
    struct ev_timer timer;
    int64_t up_ms, down_ms; /* last time that it came, or went; -1: never */
    char *last_error;
    bool listed; /* in the settings being applied */
    UT_hash_handle hh;
};

static void (*status_changed)(void *);
static void *status_aux;

void
ofproto_conns_subscribe(void (*changed)(void *), void *aux)
{
    status_changed = changed;
    status_aux = aux;
}

void
controllers_status_changed(void)
{
    if (status_changed) {
        status_changed(status_aux);
    }
}

static enum ofconn_kind
kind_of(const struct controller *k)
{
    return k->s.is_service || (k->passive && !k->s.is_primary) ? OFCONN_SERVICE
                                                               : OFCONN_PRIMARY;
}

void
controller_get_limits(const struct controller *k, int *rate, int *burst, int *queue)
{
    *queue = k->s.queue_size;
    *rate = k->s.rate_limit;
    *burst = k->s.burst_limit ? k->s.burst_limit : k->s.rate_limit / 4;
}

bool
controller_wants_async(const struct controller *k)
{
    return !k->s.no_async;
}

/* ------------------------------------------------------------------ fail mode */

/* How long the bridge waits for a controller before it goes its own way; -1: for ever. */
static int64_t
fail_open_delay(const struct connmgr *mgr)
{
    int64_t delay = -1;

    if (mgr->fail_secure) {
        return -1;
    }
    for (const struct controller *k = mgr->controllers; k; k = k->hh.next) {
        if (kind_of(k) == OFCONN_PRIMARY) {
            int64_t probe = k->s.probe_ms ? k->s.probe_ms : FAIL_OPEN_PROBE_MS;

            if (k->n_up) {
                return -1;
            }
            delay = MAX(delay, probe * FAIL_OPEN_PROBES);
        }
    }
    return delay;
}

static void
fail_open_update(struct connmgr *mgr)
{
    int64_t delay = fail_open_delay(mgr);

    if (delay < 0) {
        ev_timer_stop(&mgr->fail_timer);
        if (mgr->fail_open) {
            mgr->fail_open = false;
            LOG_WARN("%s: no longer in fail-open mode", mgr->ofproto->name);
            ofproto_set_fail_open(mgr->ofproto, false);
        }
    } else if (!mgr->fail_open && !mgr->fail_timer.active) {
        ev_timer_start(&mgr->fail_timer, delay);
    }
}

static void
fail_timer_cb(struct ev_timer *t)
{
    struct connmgr *mgr = t->aux;

    mgr->fail_open = true;
    LOG_WARN("%s: no controller answers, switching by the NORMAL action until one does "
             "(fail_mode standalone)",
             mgr->ofproto->name);
    ofproto_set_fail_open(mgr->ofproto, true);
}

/* ------------------------------------------------------------------ active targets */

static void
set_error(struct controller *k, const char *why)
{
    free(k->last_error);
    k->last_error = xstrdup(why);
}

static void
controller_connect(struct controller *k)
{
    struct stream *s;
    char *error = NULL;

    COVERAGE_INC(controller_connect);
    if (!stream_open_dscp(k->mgr->loop, k->address, k->s.dscp, &s, &error)) {
        LOG_INFO("%s<->%s: connecting...", k->mgr->ofproto->name, k->target);
        k->conn = ofconn_create(k->mgr, s, kind_of(k), k, k->s.probe_ms);
    } else {
        static struct log_rate_limit rl = LOG_RATE_LIMIT(6);

        LOG_WARN_RL(&rl, "%s<->%s: connection failed (%s)", k->mgr->ofproto->name, k->target,
                    error);
        set_error(k, error);
        reconnect_disconnected(&k->rc, clock_now_ms());
    }
    free(error);
}

static void
controller_run(struct controller *k)
{
    int64_t wait;

    if (reconnect_run(&k->rc, clock_now_ms()) == RECONNECT_CONNECT) {
        controller_connect(k);
    }
    /* Connected or about to be: the channel watches over it. */
    wait = k->conn ? -1 : reconnect_wait_ms(&k->rc, clock_now_ms());
    if (wait >= 0) {
        ev_timer_start(&k->timer, MAX(wait, 1));
    } else {
        ev_timer_stop(&k->timer);
    }
}

/* ------------------------------------------------------------------ passive ones */

static void
controller_accepted(struct stream *s, void *k_)
{
    struct controller *k = k_;
    struct ofconn *c;
    unsigned n = 0;

    OFCONN_FOR_EACH(c, k->mgr)
    {
        n += c->controller == k;
    }
    if (n >= OFCONN_SERVICES_MAX) {
        static struct log_rate_limit rl = LOG_RATE_LIMIT(1);

        LOG_WARN_RL(&rl, "%s: more than %u connections to %s are refused",
                    k->mgr->ofproto->name, OFCONN_SERVICES_MAX, k->target);
        stream_close(s);
        return;
    }
    ofconn_create(k->mgr, s, kind_of(k), k, k->s.probe_ms);
}

static void
controller_listen(struct controller *k)
{
    char *error = NULL;

    if (stream_listen(k->mgr->loop, k->address, 0770, controller_accepted, k, &k->listener,
                      &error)) {
        static struct log_rate_limit rl = LOG_RATE_LIMIT(6);

        LOG_WARN_RL(&rl, "%s: cannot listen on %s: %s", k->mgr->ofproto->name, k->target,
                    error);
        set_error(k, error);
        k->listener = NULL;
        ev_timer_start(&k->timer, LISTEN_RETRY_MS);
    } else {
        stream_listener_set_dscp(k->listener, k->s.dscp);
    }
    free(error);
}

static void
controller_timer_cb(struct ev_timer *t)
{
    struct controller *k = t->aux;

    if (k->passive) {
        controller_listen(k);
    } else {
        controller_run(k);
        controllers_status_changed();
    }
}

/* ------------------------------------------------------------------ events of connections */

void
controller_conn_up(struct controller *k, struct ofconn *c)
{
    int64_t now = clock_now_ms();

    LOG_INFO("%s<->%s: connected", k->mgr->ofproto->name, k->target);
    k->n_up++;
    k->up_ms = now;
    if (!k->passive) {
        reconnect_connected(&k->rc, now);
        reconnect_good(&k->rc);
    }
    ofconn_set_packet_in_limits(c);
    fail_open_update(k->mgr);
    controllers_status_changed();
}

void
controller_conn_down(struct controller *k, struct ofconn *c, const char *why)
{
    static struct log_rate_limit rl = LOG_RATE_LIMIT(12);

    LOG_INFO_RL(&rl, "%s<->%s: %s (%s)", k->mgr->ofproto->name, k->target,
                c->version ? "connection dropped" : "connection failed", why);
    set_error(k, why);
    if (c->version) {
        k->n_up--;
        k->down_ms = clock_now_ms();
    }
    ofconn_destroy(c);
    if (!k->passive) {
        k->conn = NULL;
        reconnect_disconnected(&k->rc, clock_now_ms());
        controller_run(k);
    }
    fail_open_update(k->mgr);
    controllers_status_changed();
}

static void
close_conns(struct controller *k)
{
    struct ofconn *c, *next;

    cds_list_for_each_entry_safe(c, next, &k->mgr->conns, node)
    {
        if (c->controller == k) {
            ofconn_destroy(c);
        }
    }
    k->conn = NULL;
    k->n_up = 0;
}

/* ------------------------------------------------------------------ life */

static void
controller_destroy(struct controller *k)
{
    HASH_DEL(k->mgr->controllers, k);
    ev_timer_stop(&k->timer);
    close_conns(k);
    stream_listener_close(k->listener);
    free(k->target);
    free(k->address);
    free(k->last_error);
    free(k);
}

static void
controller_add(struct connmgr *mgr, const struct controller_settings *s)
{
    struct controller *k;
    char *error = NULL;
    bool passive;

    if (!stream_target_check(s->target, NULL, &passive, &error)) {
        LOG_WARN("%s: controller %s cannot be had: %s", mgr->ofproto->name, s->target, error);
        free(error);
        return;
    }
    k = xzalloc(sizeof *k);
    k->mgr = mgr;
    k->target = xstrdup(s->target);
    k->address = stream_target_with_port(s->target, DEFAULT_PORT);
    k->s = *s;
    k->s.target = k->target;
    k->passive = passive;
    k->listed = true;
    k->up_ms = k->down_ms = -1;
    ev_timer_init(&k->timer, mgr->loop, controller_timer_cb, k);
    HASH_ADD_KEYPTR(hh, mgr->controllers, k->target, strlen(k->target), k);
    if (passive) {
        controller_listen(k);
    } else {
        reconnect_init(&k->rc, 1, MIN_BACKOFF_MS, MAX(s->max_backoff_ms, MIN_BACKOFF_MS),
                       CONNECT_TIMEOUT_MS, clock_now_ms());
        controller_run(k);
    }
}

static void
controller_change(struct controller *k, const struct controller_settings *s)
{
    enum ofconn_kind was = kind_of(k);
    struct ofconn *c;

    k->s = *s;
    k->s.target = k->target;
    k->listed = true;
    reconnect_set_max_backoff(&k->rc, MAX(s->max_backoff_ms, MIN_BACKOFF_MS));
    if (!k->passive) {
        controller_run(k); /* a shorter pause may be over */
    } else if (k->listener) {
        stream_listener_set_dscp(k->listener, s->dscp);
    }
    OFCONN_FOR_EACH(c, k->mgr)
    {
        if (c->controller == k && c->channel) {
            of_channel_set_probe(c->channel, s->probe_ms);
            of_channel_set_dscp(c->channel, s->dscp);
            ofconn_set_packet_in_limits(c);
            if (kind_of(k) != was) {
                of_channel_fail(c->channel, "it is another type of controller now");
            }
        }
    }
}

void
controllers_init(struct connmgr *mgr)
{
    ev_timer_init(&mgr->fail_timer, mgr->loop, fail_timer_cb, mgr);
}

void
controllers_set(struct connmgr *mgr, const struct controller_settings *list, size_t n)
{
    struct controller *k, *tmp;

    for (k = mgr->controllers; k; k = k->hh.next) {
        k->listed = false;
    }
    for (size_t i = 0; i < n; i++) {
        HASH_FIND_STR(mgr->controllers, list[i].target, k);
        if (k) {
            controller_change(k, &list[i]);
        } else {
            controller_add(mgr, &list[i]);
        }
    }
    HASH_ITER(hh, mgr->controllers, k, tmp)
    {
        if (!k->listed) {
            controller_destroy(k);
        }
    }
    fail_open_update(mgr);
}

void
controllers_destroy(struct connmgr *mgr)
{
    struct controller *k, *tmp;

    ev_timer_stop(&mgr->fail_timer);
    HASH_ITER(hh, mgr->controllers, k, tmp)
    {
        controller_destroy(k);
    }
}

void
controllers_reconnect(struct connmgr *mgr)
{
    struct ofconn *c;

    OFCONN_FOR_EACH(c, mgr)
    {
        if (c->kind != OFCONN_SNOOP && c->controller && c->channel) {
            of_channel_fail(c->channel, "asked to reconnect");
        }
    }
}

/* ------------------------------------------------------------------ status */

static const char *
role_of(const struct controller *k)
{
    struct ofconn *c;

    OFCONN_FOR_EACH(c, k->mgr)
    {
        if (c->controller == k && c->version) {
            return c->role == OFPCR_ROLE_PRIMARY     ? "master"
                   : c->role == OFPCR_ROLE_SECONDARY ? "slave"
                                                     : "other";
        }
    }
    return NULL;
}

static const char *
state_of(const struct controller *k)
{
    if (k->n_up) {
        return k->conn && of_channel_is_probing(k->conn->channel) ? "IDLE" : "ACTIVE";
    }
    return k->passive ? "IDLE" : k->conn ? "CONNECTING" : "BACKOFF";
}

static int64_t
seconds_since(int64_t ms)
{
    return ms < 0 ? -1 : (clock_now_ms() - ms) / 1000;
}

static int
compare_targets(const struct controller *a, const struct controller *b)
{
    return strcmp(a->target, b->target);
}

/* Of all its connections; false: none has a limit. */
static bool
sum_pins(const struct controller *k, unsigned sched, struct pinsched_stats *sum)
{
    struct ofconn *c;
    bool any = false;

    *sum = (struct pinsched_stats){.backlog = 0};
    OFCONN_FOR_EACH(c, k->mgr)
    {
        if (c->controller == k && c->scheds[sched]) {
            struct pinsched_stats s = pinsched_get_stats(c->scheds[sched]);

            sum->n_bypassed += s.n_bypassed;
            sum->n_queued += s.n_queued;
            sum->n_dropped += s.n_dropped;
            sum->backlog += s.backlog;
            any = true;
        }
    }
    return any;
}

void
ofproto_controllers_status(struct ofproto *o,
                           void (*cb)(const struct controller_status *, void *), void *aux)
{
    HASH_SORT(o->conns->controllers, compare_targets);
    for (const struct controller *k = o->conns->controllers; k; k = k->hh.next) {
        struct controller_status s = {
            .target = k->target,
            .is_connected = k->n_up > 0,
            .role = role_of(k),
            .state = state_of(k),
            .connect_s = seconds_since(k->up_ms),
            .disconnect_s = seconds_since(k->down_ms),
            .last_error = k->last_error,
        };

        s.paced = sum_pins(k, OFCONN_SCHED_MISS, &s.miss) &&
                  sum_pins(k, OFCONN_SCHED_ACTION, &s.action);
        cb(&s, aux);
    }
}
