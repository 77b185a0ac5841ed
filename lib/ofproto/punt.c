/* SPDX-License-Identifier: Apache-2.0 */
/* The queue of packets for controllers.  Filled on the polling threads, emptied on main's event
 * loop, which an eventfd wakes.  It must not know connections. */

#include "ofproto/punt.h"

#include <errno.h>
#include <inttypes.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "log/coverage.h"
#include "log/log.h"

LOG_MODULE(punt);

COVERAGE_DEFINE(drop_punt_memory);
COVERAGE_DEFINE(drop_punt_queue_full);
COVERAGE_DEFINE(punt_packet);

#define PER_TURN 256u

static struct {
    pthread_mutex_t mutex; /* guards what follows, up to `bytes` */
    struct punt *first, **last;
    unsigned n;
    size_t bytes;

    int fd;
    struct ev_io io;
    void (*handle)(const struct punt *);
} q = {.mutex = PTHREAD_MUTEX_INITIALIZER, .fd = -1};

static size_t
punt_size(const struct punt *p)
{
    return sizeof *p + XLATE_PUNT_WORDS(p->why->userdata_len) * sizeof(uint64_t) + p->len;
}

static void
wake(void)
{
    const uint64_t one = 1;

    /* Full is as good as set. */
    if (write(q.fd, &one, sizeof one) < 0 && errno != EAGAIN) {
        COVERAGE_INC(drop_punt_memory);
    }
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
    p->data = (uint8_t *) (p + 1) + n_bytes;
    memcpy(p->data, packet_data(pkt), pkt->len);

    pthread_mutex_lock(&q.mutex);
    full = q.fd < 0 || q.n >= PUNT_QUEUE_MAX || q.bytes + punt_size(p) > PUNT_QUEUE_BYTES;
    was_empty = !q.n;
    if (!full) {
        *q.last = p;
        q.last = &p->next;
        q.n++;
        q.bytes += punt_size(p);
    }
    pthread_mutex_unlock(&q.mutex);
    if (full) {
        COVERAGE_INC(drop_punt_queue_full);
        free(p);
        return;
    }
    COVERAGE_INC(punt_packet);
    if (was_empty) {
        wake();
    }
}

static struct punt *
take_first(void)
{
    struct punt *p;

    pthread_mutex_lock(&q.mutex);
    p = q.first;
    if (p) {
        q.first = p->next;
        q.last = q.first ? q.last : &q.first;
        q.n--;
        q.bytes -= punt_size(p);
    }
    pthread_mutex_unlock(&q.mutex);
    return p;
}

static void
io_cb(struct ev_io *io, short revents)
{
    uint64_t count;
    struct punt *p = NULL;

    if (read(q.fd, &count, sizeof count) < 0 && errno != EAGAIN) {
        return;
    }
    for (unsigned i = 0; i < PER_TURN && (p = take_first()); i++) {
        q.handle(p);
        free(p);
    }
    if (p) {
        wake(); /* the rest in the next turn: others are waiting too */
    }
}

void
punt_init(struct evloop *loop, void (*handle)(const struct punt *))
{
    int fd = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);

    if (fd < 0) {
        LOG_ERR("no packet will reach controllers: eventfd: %s", strerror(errno));
        return;
    }
    q.handle = handle;
    ev_io_init(&q.io, loop, io_cb, NULL);
    ev_io_start(&q.io, fd, POLLIN);
    pthread_mutex_lock(&q.mutex);
    q.first = NULL;
    q.last = &q.first;
    q.n = 0;
    q.bytes = 0;
    q.fd = fd;
    pthread_mutex_unlock(&q.mutex);
}

void
punt_exit(void)
{
    struct punt *p;
    int fd;

    pthread_mutex_lock(&q.mutex);
    fd = q.fd;
    q.fd = -1; /* from here on nothing is put */
    pthread_mutex_unlock(&q.mutex);
    if (fd < 0) {
        return;
    }
    ev_io_stop(&q.io);
    while ((p = take_first())) {
        free(p);
    }
    close(fd);
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
