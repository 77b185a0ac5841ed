/* SPDX-License-Identifier: Apache-2.0 */
#ifndef XVS_OFPROTO_CONN_CHANNEL_H
#define XVS_OFPROTO_CONN_CHANNEL_H 1

/* An OpenFlow connection as a channel of messages: framing, hello, echo, silence.  Main thread.
 *
 *   state \ event  stream open     hello        bad bytes, end, silence
 *   CONNECTING     HELLO (greets)  -            FAILED
 *   HELLO          -               UP (up())    FAILED
 *   UP             -               UP           FAILED
 *   FAILED         nothing more is read; down() follows at the end of the turn
 *
 * A peer that does not read costs nobody else anything: while more than OF_CHANNEL_HIGH bytes
 * wait for it, its requests are not read, and events are for the owner to drop
 * (of_channel_backlog()).  A peer that floods gets a bounded share of each turn, in messages and
 * in time. */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include "openflow/of-msg.h"
#include "rpc/stream.h"
#include "util/compiler.h"

#define OF_CHANNEL_HIGH (256u << 10) /* bytes */

struct of_channel;
struct of_channel_ops {
    /* The version is agreed upon. */
    void (*up)(struct of_channel *, void *aux);
    /* A whole message of the agreed version that could be parsed; hello, echo and the errors of
     * those that could not are the channel's own. */
    void (*message)(struct of_channel *, struct of_msg *, void *aux);
    /* Nothing waits for the peer any more (NULL: nobody cares). */
    void (*drained)(struct of_channel *, void *aux);
    /* It begins to doubt whether the peer lives, or no longer does (NULL: nobody cares). */
    void (*doubt)(struct of_channel *, void *aux);
    /* Messages as they pass, in either direction (NULL: nobody listens). */
    void (*snoop)(struct of_channel *, const void *, size_t, void *aux);
    /* It is over; `why` is a sentence.  The owner destroys the channel, now or later. */
    void (*down)(struct of_channel *, const char *why, void *aux);
};

/* Takes the stream, connected or not yet.  `versions`: bits of those allowed, not empty.
 * `probe_ms`: silence after which the peer is asked for a sign of life, and again until it is
 * given up; 0: never. */
struct of_channel *
of_channel_create(struct evloop *, struct stream *, uint32_t versions, int64_t probe_ms,
                  const struct of_channel_ops *, void *aux);
/* Not from message() and snoop(); of_channel_fail() is for those.  NULL is fine. */
void of_channel_destroy(struct of_channel *);
void of_channel_fail(struct of_channel *, const char *format, ...) PRINTF_FORMAT(2, 3);

/* Queues whole messages (any number) and empties the buffer; they leave at the end of the turn
 * at the latest.  Without effect on a failed channel. */
void of_channel_send(struct of_channel *, struct of_buf *);
/* While held, requests of the peer are not read: an answer is not complete yet because the peer
 * does not take it, or because there is work to do for it first (then no sign of life is asked
 * for either: it could not be read). */
enum of_channel_hold { OF_HOLD_NOT, OF_HOLD_ANSWER, OF_HOLD_WORK };
void of_channel_hold(struct of_channel *, enum of_channel_hold);
/* Bytes ever queued.  What is not in the backlog has left. */
uint64_t of_channel_total(const struct of_channel *);
/* Sends what the peer takes now, rather than at the end of the turn. */
void of_channel_flush(struct of_channel *);
size_t of_channel_backlog(const struct of_channel *);  /* bytes that wait for the peer */
uint8_t of_channel_version(const struct of_channel *); /* 0: not agreed yet */
bool of_channel_is_up(const struct of_channel *);
/* Was it asked for a sign of life, and has given none yet? */
bool of_channel_is_probing(const struct of_channel *);
const char *of_channel_name(const struct of_channel *);
void of_channel_set_probe(struct of_channel *, int64_t probe_ms);
void of_channel_set_dscp(struct of_channel *, unsigned dscp); /* of TCP and TLS */
/* A transaction id for a message of our own. */
uint32_t of_channel_new_xid(struct of_channel *);

#endif
