/* SPDX-License-Identifier: Apache-2.0 */

/* Carries a test device's packets over Unix or TCP streams.  Everything happens on the main
 * thread's event loop, except that any thread may queue a packet to send; the queue's
 * descriptor wakes the loop.  A peer that sends nonsense or does not read loses packets or its
 * connection, nothing else.  Must not know the device. */

#include "netdev/dummy/dummy-stream.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "log/coverage.h"
#include "log/log.h"
#include "netdev/dummy/dummy-ring.h"
#include "os/rcu.h"
#include "rpc/stream.h"
#include "util/xalloc.h"

LOG_MODULE(netdev_dummy);
COVERAGE_DEFINE(drop_dummy_stream_full);
COVERAGE_DEFINE(drop_dummy_stream_bad);

#define LEN_SZ 2u
#define MAX_PKT (FRAME_SZ_LARGE - FRAME_DATA_OFS)
#define MIN_PKT 14u
#define MAX_PEERS 64u
/* Bytes that wait for one slow peer at most. */
#define MAX_TX_BYTES (256u * 1024)
#define RETRY_MIN_MS 1000
#define RETRY_MAX_MS 8000

struct peer {
    struct dummy_stream *owner;
    struct cds_list_head node;
    struct stream *stream;
    bool connected;
    size_t rx_len; /* bytes in rx */
    uint8_t rx[LEN_SZ + MAX_PKT];
    uint8_t *tx; /* what the socket did not take yet */
    size_t tx_len;
};

struct dummy_stream {
    struct evloop *loop;
    char *target;
    bool passive;
    void (*receive)(struct packet *, void *aux);
    void *aux;
    struct stream_listener *listener;
    struct cds_list_head peers;
    unsigned n_peers;
    struct ev_timer retry;
    int64_t retry_ms;
    struct dummy_ring tx;
    struct ev_io tx_io;
};

static void peer_ready(struct stream *, void *peer);

static void
peer_add(struct dummy_stream *ds, struct stream *stream)
{
    struct peer *peer = xzalloc(sizeof *peer);
    peer->owner = ds;
    peer->stream = stream;
    cds_list_add_tail(&peer->node, &ds->peers);
    ds->n_peers++;
    stream_watch(stream, peer_ready, peer, false);
    /* A Unix socket is connected at once and then silent. */
    stream_rewatch_soon(stream);
}

static void
peer_drop(struct peer *peer)
{
    struct dummy_stream *ds = peer->owner;
    cds_list_del(&peer->node);
    ds->n_peers--;
    stream_close(peer->stream);
    free(peer->tx);
    if (!ds->passive) {
        ev_timer_start(&ds->retry, ds->retry_ms);
        ds->retry_ms = MIN(ds->retry_ms * 2, RETRY_MAX_MS);
    }
    free(peer);
}

/* Hands over every whole packet in the buffer; false when the peer's bytes make no sense. */
static bool
peer_parse(struct peer *peer)
{
    while (peer->rx_len >= LEN_SZ) {
        size_t len = (size_t) peer->rx[0] << 8 | peer->rx[1];
        if (len < MIN_PKT || len > MAX_PKT) {
            COVERAGE_INC(drop_dummy_stream_bad);
            return false;
        }
        if (peer->rx_len < LEN_SZ + len) {
            break;
        }
        struct packet *p = packet_from_data(peer->rx + LEN_SZ, (uint16_t) len);
        if (p) {
            peer->owner->receive(p, peer->owner->aux);
        }
        peer->rx_len -= LEN_SZ + len;
        memmove(peer->rx, peer->rx + LEN_SZ + len, peer->rx_len);
    }
    return true;
}

/* False when the connection is no more. */
static bool
peer_flush(struct peer *peer)
{
    while (peer->tx_len) {
        ssize_t n = stream_send(peer->stream, peer->tx, peer->tx_len);
        if (n <= 0) {
            if (n != -EAGAIN) {
                return false;
            }
            break;
        }
        peer->tx_len -= (size_t) n;
        memmove(peer->tx, peer->tx + n, peer->tx_len);
    }
    stream_watch(peer->stream, peer_ready, peer, peer->tx_len > 0);
    return true;
}

static void
peer_ready(struct stream *stream, void *peer_)
{
    struct peer *peer = peer_;
    if (!peer->connected) {
        int error = stream_connect(stream);
        if (error == EAGAIN) {
            return;
        }
        if (error) {
            LOG_DBG("%s: %s", peer->owner->target, stream_error(stream));
            peer_drop(peer);
            return;
        }
        peer->connected = true;
        peer->owner->retry_ms = RETRY_MIN_MS;
    }
    if (!peer_flush(peer)) {
        peer_drop(peer);
        return;
    }
    for (unsigned i = 0; i < PACKET_BATCH_MAX; i++) {
        ssize_t n =
            stream_recv(stream, peer->rx + peer->rx_len, sizeof peer->rx - peer->rx_len);
        if (n == -EAGAIN) {
            return;
        }
        if (n <= 0) {
            peer_drop(peer);
            return;
        }
        peer->rx_len += (size_t) n;
        if (!peer_parse(peer)) {
            peer_drop(peer);
            return;
        }
    }
    stream_rewatch_soon(stream);
}

static void
peer_queue(struct peer *peer, const struct packet *p)
{
    if (!peer->connected || peer->tx_len + LEN_SZ + p->len > MAX_TX_BYTES) {
        COVERAGE_INC(drop_dummy_stream_full);
        return;
    }
    if (!peer->tx) {
        peer->tx = xmalloc(MAX_TX_BYTES);
    }
    uint8_t *to = peer->tx + peer->tx_len;
    to[0] = (uint8_t) (p->len >> 8);
    to[1] = (uint8_t) p->len;
    memcpy(to + LEN_SZ, packet_data(p), p->len);
    peer->tx_len += LEN_SZ + p->len;
}

/* The transmit queue has packets. */
static void
tx_ready(struct ev_io *io, short revents)
{
    struct dummy_stream *ds = io->aux;
    struct packet_batch batch;
    packet_batch_init(&batch);
    dummy_ring_pop(&ds->tx, &batch);

    struct peer *peer, *next;
    cds_list_for_each_entry_safe(peer, next, &ds->peers, node)
    {
        for (unsigned i = 0; i < batch.n; i++) {
            peer_queue(peer, batch.pkts[i]);
        }
        if (peer->connected && !peer_flush(peer)) {
            peer_drop(peer);
        }
    }
    packet_batch_free(&batch);
}

void
dummy_stream_send(struct dummy_stream *ds, struct packet *p)
{
    if (!dummy_ring_push(&ds->tx, p)) {
        COVERAGE_INC(drop_dummy_stream_full);
        packet_free(p);
    }
}

static void
accepted(struct stream *stream, void *ds_)
{
    struct dummy_stream *ds = ds_;
    if (ds->n_peers >= MAX_PEERS) {
        stream_close(stream);
        return;
    }
    peer_add(ds, stream);
}

static void
retry(struct ev_timer *timer)
{
    struct dummy_stream *ds = timer->aux;
    struct stream *stream;
    char *err = NULL;
    if (!stream_open(ds->loop, ds->target, &stream, &err)) {
        peer_add(ds, stream);
    } else {
        LOG_DBG("%s: %s", ds->target, err ? err : "failed to connect");
        ev_timer_start(&ds->retry, ds->retry_ms);
        ds->retry_ms = MIN(ds->retry_ms * 2, RETRY_MAX_MS);
    }
    free(err);
}

int
dummy_stream_open(struct evloop *loop, const char *target, bool passive,
                  void (*receive)(struct packet *, void *aux), void *aux,
                  struct dummy_stream **dsp, char **errp)
{
    bool target_passive;
    *dsp = NULL;
    if (!stream_target_check(target, NULL, &target_passive, errp)) {
        return EINVAL;
    }
    if (target_passive != passive) {
        error_set(errp, "%s: %s target expected", target, passive ? "a passive" : "an active");
        return EINVAL;
    }
    struct dummy_stream *ds = xzalloc(sizeof *ds);
    ds->loop = loop;
    ds->target = xstrdup(target);
    ds->passive = passive;
    ds->receive = receive;
    ds->aux = aux;
    ds->retry_ms = RETRY_MIN_MS;
    CDS_INIT_LIST_HEAD(&ds->peers);
    ev_timer_init(&ds->retry, loop, retry, ds);
    ev_io_init(&ds->tx_io, loop, tx_ready, ds);
    int error = dummy_ring_init(&ds->tx);
    if (!error && passive) {
        error = stream_listen(loop, target, 0700, accepted, ds, &ds->listener, errp);
    }
    if (error) {
        error_set(errp, "%s: %s", target, strerror(error));
        dummy_stream_close(ds);
        return error;
    }
    ev_io_start(&ds->tx_io, ds->tx.event_fd, POLLIN);
    if (!passive) {
        retry(&ds->retry);
    }
    *dsp = ds;
    return 0;
}

void
dummy_stream_close(struct dummy_stream *ds)
{
    if (!ds) {
        return;
    }
    struct peer *peer, *next;
    cds_list_for_each_entry_safe(peer, next, &ds->peers, node)
    {
        peer_drop(peer);
    }
    ev_timer_stop(&ds->retry);
    ev_io_stop(&ds->tx_io);
    dummy_ring_destroy(&ds->tx);
    stream_listener_close(ds->listener);
    free(ds->target);
    free(ds);
}

const char *
dummy_stream_state(const struct dummy_stream *ds)
{
    if (ds->passive) {
        return "unknown";
    }
    struct peer *peer;
    cds_list_for_each_entry(peer, &ds->peers, node)
    {
        if (peer->connected) {
            return "connected";
        }
    }
    return "disconnected";
}

bool
dummy_stream_is_active(const struct dummy_stream *ds)
{
    return !ds->passive;
}
