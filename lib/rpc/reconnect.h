/* SPDX-License-Identifier: Apache-2.0 */
#ifndef XVS_RPC_RECONNECT_H
#define XVS_RPC_RECONNECT_H 1

/* When to connect, to which of several remotes, when to probe, when to give up: a pure state
 * machine over a clock that the caller passes in.  It owns no socket and makes no syscall.
 *
 *   state \ event    connected    activity     disconnected        time passes
 *   BACKOFF          ACTIVE       -            -                   CONNECTING (connect)
 *   CONNECTING       ACTIVE       -            BACKOFF             BACKOFF (disconnect)
 *   ACTIVE           -            ACTIVE       BACKOFF             PROBING (probe)
 *   PROBING          -            ACTIVE       BACKOFF             BACKOFF (disconnect)
 *   IDLE (no active remote: the peer must come)  as BACKOFF, but time passes without effect
 *
 * Remotes are tried in order, round and round.  Within a round the next follows at once; a
 * round without success, or a connection lost within a second, is followed by a pause, which
 * doubles from `min_backoff_ms` to `max_backoff_ms`.  reconnect_good() ends the doubling. */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum reconnect_state {
    RECONNECT_IDLE,
    RECONNECT_BACKOFF,
    RECONNECT_CONNECTING,
    RECONNECT_ACTIVE,
    RECONNECT_PROBING
};
enum reconnect_action {
    RECONNECT_NOTHING,
    RECONNECT_CONNECT,    /* start connecting to reconnect_remote() */
    RECONNECT_PROBE,      /* send something that makes the peer answer */
    RECONNECT_DISCONNECT, /* timed out; then call reconnect_disconnected() */
};

struct reconnect {
    enum reconnect_state state;
    size_t n_remotes, remote;
    size_t n_tried; /* in this round */
    int64_t min_backoff_ms, max_backoff_ms, backoff_ms;
    int64_t connect_timeout_ms, probe_ms; /* probe_ms 0: never */
    int64_t since_ms;                     /* of the state; in ACTIVE, of the last activity */
    int64_t up_at_ms;                     /* when the connection was made */
    int64_t pause_ms;                     /* in BACKOFF */
    bool good;                            /* since the connection was made */
};

void reconnect_init(struct reconnect *, size_t n_remotes, int64_t min_backoff_ms,
                    int64_t max_backoff_ms, int64_t connect_timeout_ms, int64_t now_ms);
/* Interval of silence after which to probe, and again to give up; 0 never. */
void reconnect_set_probe(struct reconnect *, int64_t probe_ms);
/* Also a pause that lasts now is no longer than that. */
void reconnect_set_max_backoff(struct reconnect *, int64_t max_backoff_ms);
/* What to do now.  Call until it says RECONNECT_NOTHING. */
enum reconnect_action reconnect_run(struct reconnect *, int64_t now_ms);
/* Time until reconnect_run() will have something to say; -1: not by itself. */
int64_t reconnect_wait_ms(const struct reconnect *, int64_t now_ms);
size_t reconnect_remote(const struct reconnect *);

void reconnect_connected(struct reconnect *, int64_t now_ms);
void reconnect_activity(struct reconnect *, int64_t now_ms);
void reconnect_good(struct reconnect *); /* the session proved useful */
void reconnect_disconnected(struct reconnect *, int64_t now_ms);

#endif
