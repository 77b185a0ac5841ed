/* SPDX-License-Identifier: Apache-2.0 */
/* Ports and queues: descriptions, statistics, changes.  Called by conn-dispatch.c, and for
 * port-status by conn-events.c, on the main thread. */

#include <stdlib.h>
#include <string.h>

#include "ofproto/conn-private.h"
#include "openflow/of-queue.h"
#include "os/clock.h"
#include "util/compiler.h"
#include "util/xalloc.h"

static int
compare_numbers(const void *a_, const void *b_)
{
    const struct ofport *a = *(struct ofport *const *) a_;
    const struct ofport *b = *(struct ofport *const *) b_;

    return a->number < b->number ? -1 : a->number > b->number;
}

struct ofport **
ofproto_ports_sorted(const struct ofproto *o, size_t *n)
{
    struct ofport **list;

    *n = 0;
    if (!o->ports) {
        return NULL;
    }
    list = xcalloc(HASH_COUNT(o->ports), sizeof *list);
    for (struct ofport *p = o->ports; p; p = p->hh.next) {
        list[(*n)++] = p;
    }
    qsort(list, *n, sizeof *list, compare_numbers);
    return list;
}

static uint32_t
speed_feature(uint64_t bps, bool full)
{
    static const struct {
        uint64_t mbps;
        uint32_t full, half;
    } speeds[] = {
        {10, OFPPF_10MB_FD, OFPPF_10MB_HD},    {100, OFPPF_100MB_FD, OFPPF_100MB_HD},
        {1000, OFPPF_1GB_FD, OFPPF_1GB_HD},    {10000, OFPPF_10GB_FD, OFPPF_10GB_FD},
        {40000, OFPPF_40GB_FD, OFPPF_40GB_FD}, {100000, OFPPF_100GB_FD, OFPPF_100GB_FD},
        {1000000, OFPPF_1TB_FD, OFPPF_1TB_FD},
    };

    for (size_t i = 0; i < ARRAY_SIZE(speeds); i++) {
        if (bps == speeds[i].mbps * 1000000) {
            return full ? speeds[i].full : speeds[i].half;
        }
    }
    return bps ? OFPPF_OTHER : 0;
}

void
ofport_describe(const struct ofport *port, struct of_port *p)
{
    struct netdev_link link = {.duplex = -1};

    memset(p, 0, sizeof *p);
    p->no = (uint16_t) port->number;
    netdev_get_etheraddr(port->netdev, &p->hw);
    strncpy(p->name, netdev_name(port->netdev), sizeof p->name - 1);
    netdev_get_link(port->netdev, &link);
    p->config = port->config & ~(uint32_t) OFPPC_PORT_DOWN;
    if (!netdev_is_up(port->netdev)) {
        p->config |= OFPPC_PORT_DOWN;
    }
    p->state = link.carrier ? OFPPS_LIVE : OFPPS_LINK_DOWN;
    p->curr = speed_feature(link.speed_bps, link.duplex != 0);
    p->curr_kbps = (uint32_t) MIN(link.speed_bps / 1000, (uint64_t) UINT32_MAX);
}

/* ------------------------------------------------------------------ descriptions */

enum of_err
of_handle_port_desc(struct ofconn *c, struct of_msg *msg)
{
    struct of_buf b = OF_BUF_INIT;
    struct of_mp_writer w;
    struct ofport **list;
    uint16_t wanted;
    size_t n;
    enum of_err err = of_port_desc_request_decode(msg, &wanted);

    if (err) {
        return err;
    }
    if (wanted != OFPP_NONE && !ofproto_port_find(c->mgr->ofproto, wanted)) {
        return OFPBRC_BAD_PORT;
    }
    list = ofproto_ports_sorted(c->mgr->ofproto, &n);
    of_mp_begin(&w, &b, OFM_PORT_DESC_REPLY, c->version, msg->xid);
    for (size_t i = 0; i < n; i++) {
        if (wanted == OFPP_NONE || wanted == list[i]->number) {
            struct of_port p;

            ofport_describe(list[i], &p);
            of_mp_entry_begin(&w);
            of_port_put(&b, &p, c->version);
            of_mp_entry_end(&w);
        }
    }
    of_mp_end(&w);
    ofconn_send(c, &b);
    free(list);
    return OF_OK;
}

/* ------------------------------------------------------------------ statistics */

static void
put_port_stats(struct ofconn *c, struct of_buf *b, const struct ofport *port)
{
    struct of_custom_counter *custom = NULL;
    struct netdev_custom_stat *cs;
    struct netdev_stats s;
    struct of_port_stats p;
    int64_t age = clock_now_ms() - port->created_ms;
    size_t n;

    memset(&s, 0xff, sizeof s);
    netdev_get_stats(port->netdev, &s);
    of_port_stats_init(&p, (uint16_t) port->number);
    p.duration_sec = (uint32_t) (age / 1000);
    p.duration_nsec = (uint32_t) (age % 1000 * 1000000);
    p.rx_packets = s.rx_packets;
    p.tx_packets = s.tx_packets;
    p.rx_bytes = s.rx_bytes;
    p.tx_bytes = s.tx_bytes;
    p.rx_dropped = s.rx_dropped;
    p.tx_dropped = s.tx_dropped;
    p.rx_errors = s.rx_errors;
    p.tx_errors = s.tx_errors;
    p.rx_frame_err = s.rx_frame_errors;
    p.rx_over_err = s.rx_over_errors;
    p.rx_crc_err = s.rx_crc_errors;
    p.collisions = s.collisions;
    cs = netdev_get_custom_stats(port->netdev, &n);
    if (cs && n) {
        custom = xcalloc(n, sizeof *custom);
        for (size_t i = 0; i < n; i++) {
            custom[i].name = cs[i].name;
            custom[i].value = cs[i].value;
        }
        p.custom = custom;
        p.n_custom = n;
    }
    of_port_stats_put(b, &p, c->version);
    free(custom);
    free(cs);
}

enum of_err
of_handle_port_stats(struct ofconn *c, struct of_msg *msg)
{
    struct of_buf b = OF_BUF_INIT;
    struct of_mp_writer w;
    struct ofport **list;
    uint16_t wanted;
    size_t n;
    enum of_err err = of_port_stats_request_decode(msg, &wanted);

    if (err) {
        return err;
    }
    list = ofproto_ports_sorted(c->mgr->ofproto, &n);
    of_mp_begin(&w, &b, OFM_PORT_STATS_REPLY, c->version, msg->xid);
    for (size_t i = 0; i < n; i++) {
        if (wanted == OFPP_NONE || wanted == list[i]->number) {
            of_mp_entry_begin(&w);
            put_port_stats(c, &b, list[i]);
            of_mp_entry_end(&w);
        }
    }
    of_mp_end(&w);
    ofconn_send(c, &b);
    free(list);
    return OF_OK;
}

/* ------------------------------------------------------------------ changes */

#define SETTABLE                                                                               \
    (OFPPC_NO_STP | OFPPC_NO_RECV | OFPPC_NO_RECV_STP | OFPPC_NO_FLOOD | OFPPC_NO_FWD |        \
     OFPPC_NO_PACKET_IN)

enum of_err
of_port_mod_prepare(const struct ofconn *c, const struct of_msg *msg, struct of_port_mod *m)
{
    struct ofport *port;
    struct of_port now;
    enum of_err err = of_port_mod_decode(msg, m);

    if (err) {
        return err;
    }
    port = ofproto_port_find(c->mgr->ofproto, m->port);
    if (!port) {
        return OFPPMFC_BAD_PORT;
    }
    ofport_describe(port, &now);
    return eth_addr_equal(now.hw, m->hw) ? OF_OK : OFPPMFC_BAD_HW_ADDR;
}

enum of_err
of_handle_port_mod(struct ofconn *c, struct of_msg *msg)
{
    struct of_port_mod m;
    struct ofport *port;
    struct of_port now;
    uint32_t config;
    enum of_err err = of_port_mod_prepare(c, msg, &m);

    if (err) {
        return err;
    }
    port = ofproto_port_find(c->mgr->ofproto, m.port);
    ofport_describe(port, &now);
    config = (now.config & ~m.mask) | (m.config & m.mask);
    if ((config ^ now.config) & OFPPC_PORT_DOWN &&
        netdev_set_up(port->netdev, !(config & OFPPC_PORT_DOWN))) {
        return OFPPMFC_EPERM;
    }
    port->config = config & SETTABLE;
    if (config != now.config) {
        ofproto_changed();
        connmgr_port_changed(c->mgr, port);
    }
    return OF_OK;
}

/* ------------------------------------------------------------------ queues */

/* No device has queues that a controller could tell apart yet. */
static enum of_err
check_queue(struct ofconn *c, const struct of_msg *msg, struct of_queue_request *r)
{
    enum of_err err = of_queue_request_decode(msg, r);

    if (err) {
        return err;
    }
    return r->port != OFPP_NONE && !ofproto_port_find(c->mgr->ofproto, r->port)
               ? OFPQOFC_BAD_PORT
               : OF_OK;
}

/* A multipart reply without entries. */
static enum of_err
reply_no_queues(struct ofconn *c, const struct of_msg *msg, enum of_msg_type reply)
{
    struct of_buf b = OF_BUF_INIT;
    struct of_queue_request r;
    struct of_mp_writer w;
    enum of_err err = check_queue(c, msg, &r);

    if (err) {
        return err;
    }
    if (r.queue != OFPQ_ALL) {
        return OFPQOFC_BAD_QUEUE;
    }
    of_mp_begin(&w, &b, reply, c->version, msg->xid);
    of_mp_end(&w);
    ofconn_send(c, &b);
    return OF_OK;
}

enum of_err
of_handle_queue_stats(struct ofconn *c, struct of_msg *msg)
{
    return reply_no_queues(c, msg, OFM_QUEUE_STATS_REPLY);
}

enum of_err
of_handle_queue_config(struct ofconn *c, struct of_msg *msg)
{
    struct of_buf b = OF_BUF_INIT;
    struct of_queue_request r;
    size_t start;
    enum of_err err = check_queue(c, msg, &r);

    if (err) {
        return err;
    }
    start = of_queue_config_begin(&b, r.port, c->version, msg->xid);
    of_msg_end(&b, start);
    ofconn_send(c, &b);
    return OF_OK;
}

enum of_err
of_handle_queue_desc(struct ofconn *c, struct of_msg *msg)
{
    return reply_no_queues(c, msg, OFM_QUEUE_DESC_REPLY);
}
