/* SPDX-License-Identifier: Apache-2.0 */
/* Wakes the event loop's thread by an eventfd, whose counter remembers that it was asked. */

#include "os/ev-async.h"

#include <errno.h>
#include <poll.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "log/log.h"

LOG_MODULE(ev_async);

static void
ready(struct ev_io *io, short revents)
{
    struct ev_async *a = io->aux;
    uint64_t n;

    /* Cleared before the callback, so that what is asked for during it is not lost. */
    if (read(a->fd, &n, sizeof n) == sizeof n) {
        a->cb(a->aux);
    }
}

void
ev_async_init(struct ev_async *a, struct evloop *loop, void (*cb)(void *aux), void *aux)
{
    a->cb = cb;
    a->aux = aux;
    ev_io_init(&a->io, loop, ready, a);
    a->fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    if (a->fd < 0) {
        LOG_ERR("cannot make an eventfd to wake the main thread with (%s)", strerror(errno));
        return;
    }
    ev_io_start(&a->io, a->fd, POLLIN);
}

void
ev_async_destroy(struct ev_async *a)
{
    ev_io_stop(&a->io);
    if (a->fd >= 0) {
        close(a->fd);
        a->fd = -1;
    }
}

void
ev_async_send(struct ev_async *a)
{
    const uint64_t one = 1;

    /* Fails only when the counter is full: then the loop is awake already. */
    if (a->fd >= 0 && write(a->fd, &one, sizeof one) < 0) {
        evloop_wake(a->io.loop);
    }
}
