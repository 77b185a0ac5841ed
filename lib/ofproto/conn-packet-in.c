/* SPDX-License-Identifier: Apache-2.0 */
/* From a packet that translation sends to the controller to packet-ins of those controllers
 * that want it, within their rate limits.  Called by punt.c on main's event loop. */

#include <stdlib.h>
#include <string.h>

#include "log/coverage.h"
#include "ofproto/conn-private.h"
#include "ofproto/punt.h"
#include "openflow/of-packet.h"
#include "util/compiler.h"
#include "util/xalloc.h"

COVERAGE_DEFINE(drop_packet_in_no_bridge);
COVERAGE_DEFINE(drop_packet_in_queue);
COVERAGE_DEFINE(drop_packet_in_slow_reader);
COVERAGE_DEFINE(drop_packet_in_too_long);
COVERAGE_DEFINE(packet_in_sent);

/* The reason as the version of a connection knows it; OFPR_N: not for this one. */
static enum of_packet_in_reason
wire_reason(const struct ofconn *c, enum of_packet_in_reason reason)
{
    switch (reason) {
    case OFPR_EXPLICIT_MISS:
        return c->version >= OF13_VERSION ? OFPR_NO_MATCH : OFPR_ACTION;
    case OFPR_IMPLICIT_MISS:
        return c->version >= OF13_VERSION ? OFPR_N : OFPR_NO_MATCH;
    case OFPR_ACTION_SET:
    case OFPR_GROUP:
    case OFPR_PACKET_OUT:
        return c->version >= OF14_VERSION ? reason : OFPR_ACTION;
    default:
        return reason;
    }
}

/* ------------------------------------------------------------------ what waits for the peer */

#define PIN_QUEUE_MAX 512u
#define PIN_QUEUE_DEFAULT 100

/* Where in the stream of bytes each packet-in ends that may not have left yet. */
struct pin_queue {
    unsigned max; /* of them that may wait */
    unsigned first, n;
    uint64_t end[PIN_QUEUE_MAX];
};

static bool
queue_has_room(struct ofconn *c)
{
    struct pin_queue *q = c->pin_queue;

    for (int round = 0; q->n >= q->max; round++) {
        uint64_t left = of_channel_total(c->channel) - of_channel_backlog(c->channel);

        while (q->n && q->end[q->first % PIN_QUEUE_MAX] <= left) {
            q->first++;
            q->n--;
        }
        if (q->n >= q->max && round) {
            return false;
        }
        if (q->n >= q->max) {
            of_channel_flush(c->channel); /* it may be that nobody has tried yet */
        }
    }
    return true;
}

/* Takes the message. */
static void
send_now(struct of_buf *b, void *c_)
{
    struct ofconn *c = c_;
    struct pin_queue *q = c->channel ? c->pin_queue : NULL;

    if (q && !queue_has_room(c)) {
        COVERAGE_INC(drop_packet_in_queue);
        of_buf_free(b);
    } else if (ofconn_send_event(c, b)) {
        COVERAGE_INC(packet_in_sent);
        if (q) {
            q->end[(q->first + q->n++) % PIN_QUEUE_MAX] = of_channel_total(c->channel);
        }
    } else {
        COVERAGE_INC(drop_packet_in_slow_reader);
    }
}

void
ofconn_set_packet_in_limits(struct ofconn *c)
{
    int rate = 0, burst = 0, queue = 0;

    if (c->controller) {
        controller_get_limits(c->controller, &rate, &burst, &queue);
    }
    queue = queue ? queue : c->mgr->queue_size;
    for (unsigned i = 0; i < OFCONN_N_SCHEDS; i++) {
        if (!rate) {
            pinsched_destroy(c->scheds[i]);
            c->scheds[i] = NULL;
        } else if (c->scheds[i]) {
            pinsched_set(c->scheds[i], rate, burst);
        } else {
            c->scheds[i] = pinsched_create(c->mgr->loop, rate, burst, send_now, c);
        }
    }
    if (!c->pin_queue) {
        c->pin_queue = xzalloc(sizeof *c->pin_queue);
    }
    c->pin_queue->max =
        queue ? MIN((unsigned) queue, PIN_QUEUE_MAX) : (unsigned) PIN_QUEUE_DEFAULT;
}

void
ofconn_destroy_packet_ins(struct ofconn *c)
{
    for (unsigned i = 0; i < OFCONN_N_SCHEDS; i++) {
        pinsched_destroy(c->scheds[i]);
    }
    free(c->pin_queue);
}

static void
send_one(struct ofconn *c, const struct of_packet_in *pin)
{
    struct pinsched *s =
        c->scheds[pin->reason == OFPR_NO_MATCH ? OFCONN_SCHED_MISS : OFCONN_SCHED_ACTION];
    struct of_buf b = OF_BUF_INIT;

    if (!of_packet_in_encode(&b, pin, c->packet_in_format, c->version, 0)) {
        COVERAGE_INC(drop_packet_in_too_long);
        of_buf_free(&b);
    } else if (s) {
        pinsched_put(s, (uint16_t) pin->flow->meta.in_port, &b);
    } else {
        send_now(&b, c);
    }
}

static void
send_packet_ins(struct connmgr *mgr, const struct punt *punt)
{
    const struct xlate_punt *why = punt->why;
    const struct of_continuation k = {.epoch = of_continuation_epoch(),
                                      .recirc_id = why->recirc_id};
    struct flow flow;
    struct ofconn *c;
    struct of_packet_in pin = {
        .packet = punt->data,
        .packet_len = punt->len,
        .total_len = punt->len,
        .table_id = why->table_id,
        .cookie = why->cookie,
        .flow = &flow,
        .userdata = why->userdata,
        .userdata_len = why->userdata_len,
        .continuation = &k,
        .continuation_len = why->recirc_id ? sizeof k : 0,
    };

    memset(&flow, 0, sizeof flow);
    flow.regs = why->regs;
    flow.meta.in_port = why->in_port;
    flow.meta.pkt_mark = punt->pkt_mark;
    OFCONN_FOR_EACH(c, mgr)
    {
        pin.reason = wire_reason(c, why->reason);
        if (pin.reason != OFPR_N && c->controller_id == why->controller_id &&
            ofconn_wants(c, OF_ASYNC_PACKET_IN, pin.reason)) {
            send_one(c, &pin);
        }
    }
}

void
conn_handle_punt(const struct punt *punt)
{
    struct ofproto *o;

    for (o = all_ofprotos; o && o->id != punt->why->bridge_id;) {
        o = o->hh.next;
    }
    if (o && o->conns) {
        send_packet_ins(o->conns, punt);
    } else {
        COVERAGE_INC(drop_packet_in_no_bridge);
    }
}
