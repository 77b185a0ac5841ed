/* SPDX-License-Identifier: Apache-2.0 */

/* time/stop and time/warp: tests freeze the daemon's clock and move it by hand.  Called by the
 * control server on the main thread; registered with --enable-dummy only.  A warp in steps lets
 * the event loop run between them, so that timers which start timers see every step. */

#include <stdlib.h>

#include "log/ctl.h"
#include "netdev/dummy/dummy-private.h"
#include "os/clock.h"
#include "os/evloop.h"
#include "util/num.h"
#include "util/xalloc.h"

/* A year: a bound against nonsense, and far from overflow. */
#define WARP_MAX_MS INT64_C(31536000000)

struct warp {
    struct ctl_conn *conn;
    int64_t left_ms, step_ms;
    struct ev_timer timer;
};

static void
time_stop(struct ctl_conn *conn, int argc, const char *const argv[], void *aux)
{
    clock_stop();
    ctl_reply(conn, "");
}

/* One step a turn; the reply goes out in the turn after the last step's timers have run. */
static void
warp_step(struct ev_timer *timer)
{
    struct warp *w = timer->aux;
    if (!w->left_ms) {
        ctl_reply(w->conn, "warped");
        free(w);
        return;
    }
    int64_t step = MIN(w->step_ms, w->left_ms);
    w->left_ms -= step;
    clock_warp(step);
    ev_timer_start(&w->timer, 0);
}

static void
time_warp(struct ctl_conn *conn, int argc, const char *const argv[], void *loop)
{
    uint64_t total, step;
    if (!num_parse_u64(argv[1], 1, WARP_MAX_MS, &total) ||
        !num_parse_u64(argv[argc - 1], 1, WARP_MAX_MS, &step)) {
        ctl_reply_error(conn, "invalid MSECS");
        return;
    }
    struct warp *w = xzalloc(sizeof *w);
    w->conn = conn;
    w->left_ms = (int64_t) total;
    w->step_ms = (int64_t) step;
    ev_timer_init(&w->timer, loop, warp_step, w);
    warp_step(&w->timer);
}

void
dummy_time_commands_register(struct evloop *loop)
{
    ctl_command_register("time/stop", "", 0, 0, time_stop, NULL);
    ctl_command_register("time/warp", "[large_msecs] msecs", 1, 2, time_warp, loop);
}
