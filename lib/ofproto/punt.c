/* SPDX-License-Identifier: Apache-2.0 */
/* The queue of packets for controllers.  Filled on the polling threads, emptied on main's event
 * loop.  It must not know connections. */

#include "ofproto/punt.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "log/coverage.h"
#include "os/ev-async.h"
#include "os/thread.h"

COVERAGE_DEFINE(drop_punt_memory);
COVERAGE_DEFINE(drop_punt_queue_full);
COVERAGE_DEFINE(punt_packet);

#define PER_TURN 256u

static struct {
    struct mutex mutex; /* guards what follows, up to `open` */
    struct punt *first, **last;
    unsigned n;
    size_t bytes;
    bool open;

    struct ev_async wake;
    void (*handle)(const struct punt *);
} q = {.mutex = MUTEX_INIT};

static size_t
punt_size(const struct punt *p)
{
    return sizeof *p + XLATE_PUNT_WORDS(p->why->userdata_len) * sizeof(uint64_t) + p->len;
}

void
punt_put(void *aux, const struct packet *pkt, const uint64_t *words, uint16_t n_words)
{
    size_t n_bytes = n_words * sizeof *words;
    const struct xlate_punt *why = (const struct xlate_punt *) (const void *) words;
    struct punt *p;
    bool full, was_empty;

    if (why->dont_send) {
        return;
    }
    p = malloc(sizeof *p + n_bytes + pkt->len);
    if (!p) {
        COVERAGE_INC(drop_punt_memory);
        return;
    }
    p->next = NULL;
    p->why = memcpy(p + 1, words, n_bytes);
    p->len = pkt->len;
    p->pkt_mark = pkt->pkt_mark;
    p->data = (uint8_t *) (p + 1) + n_bytes;
    memcpy(p->data, packet_data(pkt), pkt->len);

    mutex_lock(&q.mutex);
    full = !q.open || q.n >= PUNT_QUEUE_MAX || q.bytes + punt_size(p) > PUNT_QUEUE_BYTES;
    was_empty = !q.n;
    if (!full) {
        *q.last = p;
        q.last = &p->next;
        q.n++;
        q.bytes += punt_size(p);
    }
    mutex_unlock(&q.mutex);
    if (full) {
        COVERAGE_INC(drop_punt_queue_full);
        free(p);
        return;
    }
    COVERAGE_INC(punt_packet);
    if (was_empty) {
        ev_async_send(&q.wake);
    }
}

static struct punt *
take_first(void)
{
    struct punt *p;

    mutex_lock(&q.mutex);
    p = q.first;
    if (p) {
        q.first = p->next;
        q.last = q.first ? q.last : &q.first;
        q.n--;
        q.bytes -= punt_size(p);
    }
    mutex_unlock(&q.mutex);
    return p;
}

static void
drain(void *aux)
{
    struct punt *p = NULL;

    for (unsigned i = 0; i < PER_TURN && (p = take_first()); i++) {
        q.handle(p);
        free(p);
    }
    if (p) {
        ev_async_send(&q.wake); /* the rest in the next turn: others are waiting too */
    }
}

void
punt_init(struct evloop *loop, void (*handle)(const struct punt *))
{
    q.handle = handle;
    ev_async_init(&q.wake, loop, drain, NULL);
    mutex_lock(&q.mutex);
    q.first = NULL;
    q.last = &q.first;
    q.n = 0;
    q.bytes = 0;
    q.open = true;
    mutex_unlock(&q.mutex);
}

void
punt_exit(void)
{
    struct punt *p;
    bool was_open;

    mutex_lock(&q.mutex);
    was_open = q.open;
    q.open = false; /* from here on nothing is put */
    mutex_unlock(&q.mutex);
    if (was_open) {
        while ((p = take_first())) {
            free(p);
        }
        ev_async_destroy(&q.wake);
    }
}

void
punt_format(struct strbuf *s, const uint64_t *words, uint16_t n_words)
{
    const struct xlate_punt *p = (const struct xlate_punt *) (const void *) words;

    strbuf_putf(s,
                "userspace(pid=0,controller(reason=%u,dont_send=%d,continuation=%d,"
                "recirc_id=%u,rule_cookie=%#" PRIx64 ",controller_id=%u,max_len=%u))",
                p->reason, p->dont_send, p->recirc_id != 0, p->recirc_id, p->cookie,
                p->controller_id, p->max_len);
}
