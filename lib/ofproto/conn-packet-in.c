/* SPDX-License-Identifier: Apache-2.0 */
/* From a packet that translation sends to the controller to packet-ins of those controllers
 * that want it, within their rate limits.  Called by punt.c on main's event loop. */

#include <string.h>

#include "log/coverage.h"
#include "ofproto/conn-private.h"
#include "ofproto/punt.h"
#include "openflow/of-packet.h"
#include "os/clock.h"

COVERAGE_DEFINE(drop_packet_in_no_bridge);
COVERAGE_DEFINE(drop_packet_in_rate);
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

/* Takes a token out of the bucket that refills with the controller's rate. */
static bool
pace(struct ofconn *c, bool miss)
{
    struct ofconn_pacer *p = &c->pacers[miss ? 0 : 1];
    int64_t now = clock_now_ms();
    int rate = 0, burst = 0;

    if (c->controller) {
        controller_get_limits(c->controller, &rate, &burst);
    }
    if (rate) {
        int64_t most = (int64_t) (burst > 1 ? burst : 1) * 1000;

        p->tokens += (now - p->filled_ms) * rate;
        p->tokens = p->tokens > most || !p->filled_ms ? most : p->tokens;
        p->filled_ms = now;
        if (p->tokens < 1000) {
            p->n_dropped++;
            COVERAGE_INC(drop_packet_in_rate);
            return false;
        }
        p->tokens -= 1000;
    }
    p->n_sent++;
    return true;
}

static void
send_one(struct ofconn *c, const struct of_packet_in *pin)
{
    struct of_buf b = OF_BUF_INIT;

    if (!of_packet_in_encode(&b, pin, c->packet_in_format, c->version, 0)) {
        COVERAGE_INC(drop_packet_in_too_long);
        of_buf_free(&b);
    } else if (ofconn_send_event(c, &b)) {
        COVERAGE_INC(packet_in_sent);
    } else {
        COVERAGE_INC(drop_packet_in_slow_reader);
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
    OFCONN_FOR_EACH(c, mgr)
    {
        pin.reason = wire_reason(c, why->reason);
        if (pin.reason != OFPR_N && c->controller_id == why->controller_id &&
            ofconn_wants(c, OF_ASYNC_PACKET_IN, pin.reason) &&
            pace(c, pin.reason == OFPR_NO_MATCH)) {
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
