/* SPDX-License-Identifier: Apache-2.0 */
/* Framing, hello, echo and inactivity of OpenFlow connections.  Used by conn.c and its kin on
 * the main thread.  It must not know bridges, nor what messages mean beyond those three. */

#include "ofproto/conn-channel.h"

#include <errno.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include "log/coverage.h"
#include "log/log.h"
#include "openflow/of-hello.h"
#include "openflow/of-switch.h"
#include "os/clock.h"
#include "os/slice.h"
#include "util/compiler.h"
#include "util/xalloc.h"

LOG_MODULE(vconn);

COVERAGE_DEFINE(ofconn_bad_message);
COVERAGE_DEFINE(ofconn_flood_pause);
COVERAGE_DEFINE(ofconn_hello_failed);
COVERAGE_DEFINE(ofconn_reader_stalled);

#define READ_SIZE 16384u
#define MESSAGES_PER_TURN 128
#define US_PER_TURN 2000 /* the same where messages take long */
#define READS_PER_TURN 4
#define ALERT_US 50 /* clients send one request after the answer to the other */
#define HELLO_TIMEOUT_MS 10000

enum { TYPE_ECHO_REPLY = 3 }; /* on the wire, in all versions */

enum state { CONNECTING, HELLO, UP, FAILED };

struct of_channel {
    struct evloop *loop;
    struct stream *stream;
    struct of_channel_ops ops;
    void *aux;
    uint32_t versions;
    enum state state;
    uint8_t version;
    bool stalled; /* too much waits for the peer */
    enum of_channel_hold held;
    bool probing;
    bool full; /* the socket took no more, last time */
    uint32_t next_xid;
    int64_t probe_ms;
    int64_t active_ms; /* last sign of life */
    struct ev_timer timer;
    struct ev_defer flush; /* sends, or tells that it is over */
    char *why;

    struct of_buf in; /* bytes not taken yet */
    size_t in_ofs;
    struct of_buf out; /* bytes not sent yet, from out_ofs on */
    size_t out_ofs;
    uint64_t total; /* ever queued */
};

static void channel_ready(struct stream *, void *);

void
of_channel_fail(struct of_channel *c, const char *format, ...)
{
    va_list args;

    if (c->state == FAILED) {
        return;
    }
    va_start(args, format);
    c->why = xvasprintf(format, args);
    va_end(args);
    c->state = FAILED;
    ev_timer_stop(&c->timer);
    ev_defer_start(&c->flush);
}

size_t
of_channel_backlog(const struct of_channel *c)
{
    return c->out.len - c->out_ofs;
}

uint64_t
of_channel_total(const struct of_channel *c)
{
    return c->total;
}

uint8_t
of_channel_version(const struct of_channel *c)
{
    return c->version;
}

bool
of_channel_is_probing(const struct of_channel *c)
{
    return c->probing;
}

bool
of_channel_is_up(const struct of_channel *c)
{
    return c->state == UP;
}

const char *
of_channel_name(const struct of_channel *c)
{
    return stream_name(c->stream);
}

uint32_t
of_channel_new_xid(struct of_channel *c)
{
    return c->next_xid++;
}

/* Waits for what can happen next. */
static void
watch(struct of_channel *c)
{
    bool stalled = of_channel_backlog(c) >= OF_CHANNEL_HIGH;

    if (stalled && !c->stalled) {
        COVERAGE_INC(ofconn_reader_stalled);
    } else if (!stalled && c->stalled) {
        stream_rewatch_soon(c->stream); /* for what was read before: the socket may be quiet */
    }
    c->stalled = stalled;
    stream_pause_recv(c->stream, stalled || c->held != OF_HOLD_NOT);
    stream_watch(c->stream, channel_ready, c, of_channel_backlog(c) > 0);
}

void
of_channel_hold(struct of_channel *c, enum of_channel_hold held)
{
    if (c->held == OF_HOLD_WORK && held != OF_HOLD_WORK) {
        c->active_ms = clock_now_ms(); /* its silence was of our making */
    }
    if (c->held && !held) {
        stream_rewatch_soon(c->stream); /* for what was read before */
    }
    c->held = held;
}

static void
arm_timer(struct of_channel *c)
{
    if (c->state == UP) {
        if (c->probe_ms) {
            ev_timer_start(&c->timer, MAX(c->active_ms + c->probe_ms - clock_now_ms(), 1));
        } else {
            ev_timer_stop(&c->timer);
        }
    }
}

static void
alive(struct of_channel *c)
{
    bool probing = c->probing;

    c->active_ms = clock_now_ms();
    c->probing = false;
    if (probing && c->ops.doubt) {
        c->ops.doubt(c, c->aux);
    }
}

void
of_channel_set_probe(struct of_channel *c, int64_t probe_ms)
{
    if (probe_ms != c->probe_ms) {
        c->probe_ms = probe_ms;
        c->probing = false;
        arm_timer(c);
    }
}

void
of_channel_set_dscp(struct of_channel *c, unsigned dscp)
{
    stream_set_dscp(c->stream, dscp);
}

static void
timer_cb(struct ev_timer *t)
{
    struct of_channel *c = t->aux;

    if (c->state != UP) {
        of_channel_fail(c, "no hello within %d seconds", HELLO_TIMEOUT_MS / 1000);
    } else if (c->held == OF_HOLD_WORK) {
        c->active_ms = clock_now_ms();
        arm_timer(c);
    } else if (clock_now_ms() < c->active_ms + c->probe_ms) {
        arm_timer(c);
    } else if (c->probing) {
        of_channel_fail(c, "no response to inactivity probe after %lld seconds",
                        (long long) c->probe_ms / 1000);
    } else {
        struct of_buf b = OF_BUF_INIT;

        of_empty_encode(&b, OFM_ECHO_REQUEST, c->version, 0);
        of_channel_send(c, &b);
        c->active_ms = clock_now_ms();
        c->probing = true;
        arm_timer(c);
        if (c->ops.doubt) {
            c->ops.doubt(c, c->aux);
        }
    }
}

/* Hands to the stream what it takes. */
static void
push(struct of_channel *c)
{
    while (of_channel_backlog(c)) {
        ssize_t n = stream_send(c->stream, c->out.data + c->out_ofs, of_channel_backlog(c));

        if (n < 0) {
            if (n != -EAGAIN) {
                of_channel_fail(c, "%s", stream_error(c->stream));
            }
            c->full = true;
            break;
        }
        c->out_ofs += (size_t) n;
        /* That the socket takes bytes says nothing of the peer, but that it takes some again
         * does: the peer reads, and lives, even if the probe still waits behind them. */
        if (c->full) {
            c->full = false;
            alive(c);
        }
    }
}

static void
send_some(struct of_channel *c)
{
    bool some = c->out.len > 0;

    push(c);
    if (!of_channel_backlog(c)) {
        /* Memory of a large answer is not kept. */
        if (c->out.cap > OF_CHANNEL_HIGH) {
            of_buf_free(&c->out);
        }
        of_buf_clear(&c->out);
        c->out_ofs = 0;
        if (some && c->ops.drained && c->state == UP) {
            c->ops.drained(c, c->aux);
        }
    }
}

static void
flush_cb(struct ev_defer *d)
{
    struct of_channel *c = d->aux;

    if (c->state == FAILED) {
        send_some(c); /* the error that explains it, if it still can be sent */
        stream_unwatch(c->stream);
        c->ops.down(c, c->why, c->aux);
        return;
    }
    send_some(c);
    if (c->state != FAILED) {
        watch(c);
    }
}

void
of_channel_flush(struct of_channel *c)
{
    /* The end of a backlog is told at the end of the turn: its listener may send. */
    if (c->state == UP) {
        push(c);
    }
}

static void
snoop(struct of_channel *c, const uint8_t *p, size_t len)
{
    while (c->ops.snoop && len >= OF_HEADER_LEN) {
        size_t n = of_get_be16(p + 2);

        if (n < OF_HEADER_LEN || n > len) {
            return;
        }
        c->ops.snoop(c, p, n, c->aux);
        p += n;
        len -= n;
    }
}

void
of_channel_send(struct of_channel *c, struct of_buf *b)
{
    if (c->state == FAILED || !b->len) {
        of_buf_free(b);
        return;
    }
    snoop(c, b->data, b->len);
    c->total += b->len;
    if (c->out_ofs && c->out_ofs == c->out.len) {
        of_buf_clear(&c->out);
        c->out_ofs = 0;
    }
    if (!c->out.len && !c->out_ofs) {
        struct of_buf tmp = c->out;

        c->out = *b;
        *b = tmp;
    } else {
        /* What has left makes room, once it is worth moving the rest. */
        if (c->out_ofs > c->out.len / 2) {
            memmove(c->out.data, c->out.data + c->out_ofs, of_channel_backlog(c));
            of_buf_truncate(&c->out, of_channel_backlog(c));
            c->out_ofs = 0;
        }
        of_buf_put(&c->out, b->data, b->len);
    }
    of_buf_free(b);
    ev_defer_start(&c->flush);
}

static void
send_error(struct of_channel *c, enum of_err err, uint8_t version, const void *msg, size_t len)
{
    struct of_buf b = OF_BUF_INIT;

    of_error_encode(&b, err, version, msg, len);
    of_channel_send(c, &b);
}

static void
take_hello(struct of_channel *c, const uint8_t *p, size_t len)
{
    struct of_msg m;
    uint32_t theirs = 0;
    enum of_err err = of_msg_parse(p, len, &m);

    if (err || m.type != OFM_HELLO) {
        COVERAGE_INC(ofconn_hello_failed);
        send_error(c, OFPBRC_BAD_TYPE, p[0] >= 1 && p[0] <= 6 ? p[0] : 1, p, len);
        of_channel_fail(c, "the first message is no hello");
        return;
    }
    of_hello_decode(&m, &theirs);
    c->version = of_hello_negotiate(c->versions, theirs);
    if (!c->version) {
        struct of_buf b = OF_BUF_INIT;
        uint8_t v = m.version >= OF10_VERSION && m.version <= OF15_VERSION ? m.version : 1;

        COVERAGE_INC(ofconn_hello_failed);
        of_error_encode_text(&b, OFPHFC_INCOMPATIBLE, v, m.xid,
                             "no OpenFlow version is allowed on both sides");
        of_channel_send(c, &b);
        of_channel_fail(c, "no OpenFlow version in common (allowed here: %#x, peer: %#x)",
                        (unsigned) c->versions, (unsigned) theirs);
        return;
    }
    c->state = UP;
    ev_timer_stop(&c->timer);
    arm_timer(c);
    c->ops.up(c, c->aux);
}

static void
take_message(struct of_channel *c, const uint8_t *p, size_t len)
{
    struct of_msg m;
    enum of_err err;

    snoop(c, p, len);
    if (c->state == HELLO) {
        take_hello(c, p, len);
        return;
    }
    if (p[0] != c->version && p[1] > TYPE_ECHO_REPLY) {
        COVERAGE_INC(ofconn_bad_message);
        send_error(c, OFPBRC_BAD_VERSION, c->version, p, len);
        return;
    }
    err = of_msg_parse(p, len, &m);
    if (err) {
        COVERAGE_INC(ofconn_bad_message);
        if (p[1] != 1) { /* errors are not answered by errors */
            send_error(c, err, c->version, p, len);
        }
        return;
    }
    switch (m.type) {
    case OFM_HELLO:
    case OFM_ECHO_REPLY:
        break;
    case OFM_ECHO_REQUEST: {
        struct of_buf b = OF_BUF_INIT;

        of_echo_reply_encode(&b, &m);
        of_channel_send(c, &b);
        break;
    }
    default:
        c->ops.message(c, &m, c->aux);
        break;
    }
}

/* Takes whole messages out of what was read; false: there is at least one more. */
static bool
take_messages(struct of_channel *c, int *budget, struct slice *time)
{
    while (c->state == HELLO || c->state == UP) {
        const uint8_t *p = c->in.data + c->in_ofs;
        size_t left = c->in.len - c->in_ofs;
        size_t len = left >= 4 ? of_get_be16(p + 2) : OF_HEADER_LEN;

        if (len < OF_HEADER_LEN) {
            COVERAGE_INC(ofconn_bad_message);
            of_channel_fail(c, "received a message of %zu bytes, too short for a header", len);
            return true;
        }
        if (left < len) {
            return true;
        }
        if (c->held || of_channel_backlog(c) >= OF_CHANNEL_HIGH || *budget <= 0) {
            return false;
        }
        (*budget)--;
        c->in_ofs += len;
        take_message(c, p, len);
        if (slice_spent(time)) {
            *budget = 0;
        }
    }
    return true;
}

static void
drop_taken(struct of_channel *c)
{
    size_t left = c->in.len - c->in_ofs;

    if (c->in_ofs) {
        memmove(c->in.data, c->in.data + c->in_ofs, left);
        of_buf_truncate(&c->in, left);
        c->in_ofs = 0;
    }
    if (!left && c->in.cap > 4 * READ_SIZE) {
        of_buf_free(&c->in);
    }
}

static void
read_messages(struct of_channel *c)
{
    struct slice time = slice_of_us(US_PER_TURN);
    int budget = MESSAGES_PER_TURN;

    time.every = 1;
    for (int i = 0; i < READS_PER_TURN; i++) {
        ssize_t n;

        if (!take_messages(c, &budget, &time)) {
            /* A stalled peer wakes us by reading, see watch(); a flood goes on in the next
             * turn. */
            if (budget <= 0) {
                COVERAGE_INC(ofconn_flood_pause);
                stream_rewatch_soon(c->stream);
            }
            break;
        }
        if (c->state == FAILED) {
            break;
        }
        drop_taken(c);
        push(c); /* before the look for more, which nobody waits for */
        of_buf_reserve(&c->in, READ_SIZE);
        n = stream_recv(c->stream, c->in.data + c->in.len, READ_SIZE);
        if (n == -EAGAIN) {
            break;
        }
        if (n <= 0) {
            of_channel_fail(c, "%s", n ? stream_error(c->stream) : "connection closed by peer");
            break;
        }
        c->in.len += (size_t) n;
        alive(c);
        evloop_stay_alert(c->loop, ALERT_US);
        if (i == READS_PER_TURN - 1) {
            stream_rewatch_soon(c->stream);
        }
    }
    drop_taken(c);
}

static void
greet(struct of_channel *c)
{
    struct of_buf b = OF_BUF_INIT;

    c->state = HELLO;
    c->active_ms = clock_now_ms();
    of_hello_encode(&b, c->versions, of_channel_new_xid(c));
    of_channel_send(c, &b);
}

static void
channel_ready(struct stream *s, void *aux)
{
    struct of_channel *c = aux;

    if (c->state == CONNECTING) {
        int error = stream_connect(s);

        if (error == EAGAIN) {
            watch(c);
            return;
        }
        if (error) {
            of_channel_fail(c, "%s", stream_error(s));
            return;
        }
        greet(c);
    }
    if (c->state != FAILED) {
        send_some(c);
    }
    if (c->state != FAILED) {
        read_messages(c);
    }
    if (c->state != FAILED) {
        watch(c);
    }
}

struct of_channel *
of_channel_create(struct evloop *loop, struct stream *s, uint32_t versions, int64_t probe_ms,
                  const struct of_channel_ops *ops, void *aux)
{
    struct of_channel *c = xzalloc(sizeof *c);
    int error;

    c->loop = loop;
    c->stream = s;
    c->ops = *ops;
    c->aux = aux;
    c->versions = versions & OF_VERSIONS_ALL ? versions & OF_VERSIONS_ALL : OF_VERSIONS_ALL;
    c->probe_ms = probe_ms;
    c->next_xid = 1;
    c->state = CONNECTING;
    ev_timer_init(&c->timer, loop, timer_cb, c);
    ev_defer_init(&c->flush, loop, flush_cb, c);
    ev_timer_start(&c->timer, HELLO_TIMEOUT_MS);
    error = stream_connect(s);
    if (!error) {
        greet(c);
    } else if (error != EAGAIN) {
        of_channel_fail(c, "%s", stream_error(s));
        return c;
    }
    watch(c);
    return c;
}

void
of_channel_destroy(struct of_channel *c)
{
    if (!c) {
        return;
    }
    ev_timer_stop(&c->timer);
    ev_defer_stop(&c->flush);
    stream_close(c->stream);
    of_buf_free(&c->in);
    of_buf_free(&c->out);
    free(c->why);
    free(c);
}
