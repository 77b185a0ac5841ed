/* SPDX-License-Identifier: Apache-2.0 */
/* Pacing of packet-ins: what comes faster than the controller's rate waits, and leaves at that
 * rate.  Ports share the queue: when it is full, the port with most packets in it loses its
 * oldest, and ports take turns in sending.  Called by conn-packet-in.c on the main thread.
 *
 *   put:    token there and nobody waits? -- yes --> sent at once ("bypassed")
 *                                         -- no ---> port's queue ("queued"), timer
 *   timer:  a token for each packet that is due, next port's oldest first */

#include "ofproto/conn-pinsched.h"

#include <stdlib.h>
#include <urcu/list.h>
#include <uthash.h>

#include "log/coverage.h"
#include "os/clock.h"
#include "os/evloop.h"
#include "util/compiler.h"
#include "util/xalloc.h"

COVERAGE_DEFINE(drop_packet_in_rate);

#define TOKEN 1000 /* tokens are counted in thousandths */

struct waiting {
    struct cds_list_head node;
    struct of_buf msg;
};
struct port_queue {
    uint16_t port;
    unsigned n;
    struct cds_list_head msgs;
    struct cds_list_head node; /* s->ports: whose turn it is comes first */
    UT_hash_handle hh;
};
struct pinsched {
    int rate;
    unsigned burst;
    int64_t filled_ms, tokens;
    struct port_queue *by_port;
    struct cds_list_head ports;
    struct ev_timer timer;
    void (*send)(struct of_buf *, void *);
    void *aux;
    struct pinsched_stats stats;
};

static void
fill(struct pinsched *s)
{
    int64_t now = clock_now_ms(), most = (int64_t) s->burst * TOKEN;

    s->tokens = MIN(s->tokens + (now - s->filled_ms) * s->rate, most);
    s->filled_ms = now;
}

static struct waiting *
take_oldest(struct pinsched *s, struct port_queue *q)
{
    struct waiting *w = cds_list_entry(q->msgs.next, struct waiting, node);

    cds_list_del(&w->node);
    s->stats.backlog--;
    cds_list_del(&q->node);
    if (--q->n) {
        cds_list_add_tail(&q->node, &s->ports);
    } else {
        HASH_DEL(s->by_port, q);
        free(q);
    }
    return w;
}

static void
start_timer(struct pinsched *s)
{
    if (s->stats.backlog) {
        ev_timer_start(&s->timer, MAX((TOKEN - s->tokens + s->rate - 1) / s->rate, 1));
    }
}

static void
timer_cb(struct ev_timer *t)
{
    struct pinsched *s = t->aux;

    fill(s);
    while (s->stats.backlog && s->tokens >= TOKEN) {
        struct waiting *w =
            take_oldest(s, cds_list_entry(s->ports.next, struct port_queue, node));

        s->tokens -= TOKEN;
        s->send(&w->msg, s->aux);
        free(w);
    }
    start_timer(s);
}

/* The port that has most packets waiting loses its oldest one. */
static void
drop_one(struct pinsched *s)
{
    struct port_queue *longest = NULL;
    struct waiting *w;

    for (struct port_queue *q = s->by_port; q; q = q->hh.next) {
        longest = !longest || q->n > longest->n ? q : longest;
    }
    w = take_oldest(s, longest);
    of_buf_free(&w->msg);
    free(w);
    s->stats.n_dropped++;
    COVERAGE_INC(drop_packet_in_rate);
}

void
pinsched_put(struct pinsched *s, uint16_t port, struct of_buf *msg)
{
    struct waiting *w;
    struct port_queue *q;

    fill(s);
    if (!s->stats.backlog && s->tokens >= TOKEN) {
        s->tokens -= TOKEN;
        s->stats.n_bypassed++;
        s->send(msg, s->aux);
        return;
    }
    if (s->stats.backlog >= s->burst) {
        drop_one(s);
    }
    HASH_FIND(hh, s->by_port, &port, sizeof port, q);
    if (!q) {
        q = xzalloc(sizeof *q);
        q->port = port;
        CDS_INIT_LIST_HEAD(&q->msgs);
        HASH_ADD(hh, s->by_port, port, sizeof q->port, q);
        cds_list_add_tail(&q->node, &s->ports);
    }
    w = xzalloc(sizeof *w);
    w->msg = *msg;
    *msg = (struct of_buf) OF_BUF_INIT;
    cds_list_add_tail(&w->node, &q->msgs);
    q->n++;
    s->stats.backlog++;
    s->stats.n_queued++;
    if (!s->timer.active) {
        start_timer(s);
    }
}

void
pinsched_set(struct pinsched *s, int rate, int burst)
{
    s->rate = rate;
    s->burst = (unsigned) MAX(burst, 1);
    while (s->stats.backlog > s->burst) {
        drop_one(s);
    }
}

struct pinsched *
pinsched_create(struct evloop *loop, int rate, int burst, void (*send)(struct of_buf *, void *),
                void *aux)
{
    struct pinsched *s = xzalloc(sizeof *s);

    CDS_INIT_LIST_HEAD(&s->ports);
    ev_timer_init(&s->timer, loop, timer_cb, s);
    s->send = send;
    s->aux = aux;
    s->filled_ms = clock_now_ms();
    pinsched_set(s, rate, burst);
    s->tokens = (int64_t) s->burst * TOKEN;
    return s;
}

void
pinsched_destroy(struct pinsched *s)
{
    if (!s) {
        return;
    }
    ev_timer_stop(&s->timer);
    while (s->stats.backlog) {
        struct waiting *w =
            take_oldest(s, cds_list_entry(s->ports.next, struct port_queue, node));

        of_buf_free(&w->msg);
        free(w);
    }
    free(s);
}

struct pinsched_stats
pinsched_get_stats(const struct pinsched *s)
{
    return s->stats;
}
