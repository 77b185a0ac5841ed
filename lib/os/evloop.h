/* SPDX-License-Identifier: Apache-2.0 */
#ifndef XVS_OS_EVLOOP_H
#define XVS_OS_EVLOOP_H 1

/* The event loop of the main thread: file descriptors, timers on the (virtual) clock, and work
 * deferred to the end of the turn.  One loop, used by one thread only, except evloop_wake().
 *
 * Watchers are embedded in their owners' structs; the loop never allocates or frees them.  Any
 * callback may stop, restart or free any watcher, also its own: a stopped watcher's callback is
 * not called, even if its event was already pending. */

#include <poll.h>
#include <stdbool.h>
#include <stdint.h>

struct evloop;

struct ev_io {
    struct evloop *loop;
    int fd;
    short events;            /* POLLIN, POLLOUT */
    bool active;
    void (*cb)(struct ev_io *, short revents);   /* POLLERR, POLLHUP, POLLNVAL also; after
                                                   * POLLNVAL the watcher is stopped */
    void *aux;
    unsigned slot;           /* private */
};
struct ev_timer {
    struct evloop *loop;
    int64_t due_ms;          /* on clock_now_ms() */
    bool active;
    void (*cb)(struct ev_timer *);
    void *aux;
    unsigned slot;           /* private */
    uint64_t seq;            /* private */
};
struct ev_defer {
    struct evloop *loop;
    bool active;
    void (*cb)(struct ev_defer *);
    void *aux;
    struct ev_defer *next;   /* private */
};

struct evloop *evloop_create(void);
void evloop_destroy(struct evloop *);
/* Runs until evloop_stop(). */
void evloop_run(struct evloop *);
/* One turn: waits at most `max_wait_ms` (-1: until something happens), then runs what is due.
 * Not to be called from a callback.  While the clock is stopped no wait ends for a timer's
 * sake; clock_warp() makes timers due.  Around the wait a thread registered with RCU is offline. */
void evloop_turn(struct evloop *, int max_wait_ms);
void evloop_stop(struct evloop *);
/* The next wait does not sleep for its first `us` microseconds (as long as the thread is in
 * demand, a wake-up costs more than the little that it does): who called it expects the answer
 * to what it has just sent, or the next of many requests.  Called from an ev_io's callback it
 * means that one's descriptor, which is looked at more often than the others meanwhile. */
void evloop_stay_alert(struct evloop *, int us);
/* Ends the current wait; any thread, and from signal handlers. */
void evloop_wake(struct evloop *);

void ev_io_init(struct ev_io *, struct evloop *, void (*cb)(struct ev_io *, short), void *aux);
void ev_io_start(struct ev_io *, int fd, short events);     /* also to change fd or events */
void ev_io_stop(struct ev_io *);                            /* idempotent; before close(fd) */

void ev_timer_init(struct ev_timer *, struct evloop *, void (*cb)(struct ev_timer *), void *aux);
void ev_timer_start(struct ev_timer *, int64_t after_ms);   /* one-shot; restarts if running */
void ev_timer_stop(struct ev_timer *);

void ev_defer_init(struct ev_defer *, struct evloop *, void (*cb)(struct ev_defer *), void *aux);
void ev_defer_start(struct ev_defer *);                     /* once, after this turn's events */
void ev_defer_stop(struct ev_defer *);

#endif
