/* SPDX-License-Identifier: Apache-2.0 */
#ifndef XVS_OS_EV_ASYNC_H
#define XVS_OS_EV_ASYNC_H 1

/* A call to the event loop's thread from any other: however often it is asked for, the callback
 * runs once, soon, in a turn that begins after the last asking. */

#include "os/evloop.h"

struct ev_async {
    struct ev_io io;
    int fd; /* eventfd; -1: none could be had, only the loop is woken */
    void (*cb)(void *aux);
    void *aux;
};

/* The loop's thread.  A failure to get a descriptor is logged; whoever uses it should then look
 * by time as well. */
void ev_async_init(struct ev_async *, struct evloop *, void (*cb)(void *aux), void *aux);
void ev_async_destroy(struct ev_async *); /* nobody may send any more */
/* Any thread, also in an RCU read-side section; never blocks. */
void ev_async_send(struct ev_async *);

#endif
