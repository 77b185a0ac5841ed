/* SPDX-License-Identifier: Apache-2.0 */

/* The reconnection state machine; see the table in the header.  Called by the OVSDB client on
 * the main thread; pure.  Must not know sockets or protocols. */

#include "rpc/reconnect.h"
#include <string.h>
#include "util/compiler.h"

enum { SHORT_LIVED_MS = 1000 };

void
reconnect_init(struct reconnect *rc, size_t n_remotes, int64_t min_backoff_ms,
               int64_t max_backoff_ms, int64_t connect_timeout_ms, int64_t now_ms)
{
    memset(rc, 0, sizeof *rc);
    rc->state = n_remotes ? RECONNECT_BACKOFF : RECONNECT_IDLE;
    rc->n_remotes = n_remotes;
    rc->min_backoff_ms = min_backoff_ms;
    rc->max_backoff_ms = max_backoff_ms;
    rc->connect_timeout_ms = connect_timeout_ms;
    rc->since_ms = now_ms;
}

void
reconnect_set_probe(struct reconnect *rc, int64_t probe_ms)
{
    rc->probe_ms = probe_ms;
}

void
reconnect_set_max_backoff(struct reconnect *rc, int64_t max_backoff_ms)
{
    rc->max_backoff_ms = max_backoff_ms;
    rc->backoff_ms = MIN(rc->backoff_ms, max_backoff_ms);
    rc->pause_ms = MIN(rc->pause_ms, max_backoff_ms);
}

/* Length of the current state by itself; -1: it does not end by time. */
static int64_t
state_length(const struct reconnect *rc)
{
    switch (rc->state) {
    case RECONNECT_BACKOFF:
        return rc->pause_ms;
    case RECONNECT_CONNECTING:
        return rc->connect_timeout_ms;
    case RECONNECT_ACTIVE:
    case RECONNECT_PROBING:
        return rc->probe_ms ? rc->probe_ms : -1;
    case RECONNECT_IDLE:
        break;
    }
    return -1;
}

int64_t
reconnect_wait_ms(const struct reconnect *rc, int64_t now_ms)
{
    int64_t length = state_length(rc);
    return length < 0 ? -1 : MAX(rc->since_ms + length - now_ms, 0);
}

enum reconnect_action
reconnect_run(struct reconnect *rc, int64_t now_ms)
{
    if (reconnect_wait_ms(rc, now_ms) != 0) {
        return RECONNECT_NOTHING;
    }
    switch (rc->state) {
    case RECONNECT_BACKOFF:
        rc->state = RECONNECT_CONNECTING;
        rc->since_ms = now_ms;
        rc->n_tried++;
        return RECONNECT_CONNECT;
    case RECONNECT_ACTIVE:
        rc->state = RECONNECT_PROBING;
        rc->since_ms = now_ms;
        return RECONNECT_PROBE;
    case RECONNECT_CONNECTING:
    case RECONNECT_PROBING:
        return RECONNECT_DISCONNECT;
    case RECONNECT_IDLE:
        break;
    }
    return RECONNECT_NOTHING;
}

size_t
reconnect_remote(const struct reconnect *rc)
{
    return rc->remote;
}

void
reconnect_connected(struct reconnect *rc, int64_t now_ms)
{
    rc->state = RECONNECT_ACTIVE;
    rc->since_ms = now_ms;
    rc->up_at_ms = now_ms;
    rc->good = false;
}

void
reconnect_activity(struct reconnect *rc, int64_t now_ms)
{
    if (rc->state == RECONNECT_ACTIVE || rc->state == RECONNECT_PROBING) {
        rc->state = RECONNECT_ACTIVE;
        rc->since_ms = now_ms;
    }
}

void
reconnect_good(struct reconnect *rc)
{
    rc->good = true;
    rc->backoff_ms = 0;
    rc->n_tried = 0;
}

void
reconnect_disconnected(struct reconnect *rc, int64_t now_ms)
{
    bool was_up = rc->state == RECONNECT_ACTIVE || rc->state == RECONNECT_PROBING;
    if (!was_up && rc->state != RECONNECT_CONNECTING) {
        return;
    }
    bool short_lived = was_up && rc->good && now_ms - rc->up_at_ms < SHORT_LIVED_MS;
    bool lasted = was_up && rc->good && !short_lived;
    rc->since_ms = now_ms;
    if (!rc->n_remotes) {
        rc->state = RECONNECT_IDLE;
        return;
    }
    rc->state = RECONNECT_BACKOFF;
    rc->remote = (rc->remote + 1) % rc->n_remotes;
    if (lasted || (!short_lived && rc->n_tried < rc->n_remotes)) {
        rc->pause_ms = 0;
        return;
    }
    rc->n_tried = 0;
    rc->backoff_ms =
        rc->backoff_ms ? MIN(rc->backoff_ms * 2, rc->max_backoff_ms) : rc->min_backoff_ms;
    rc->pause_ms = rc->backoff_ms;
}
