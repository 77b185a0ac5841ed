/* SPDX-License-Identifier: Apache-2.0 */

/* The packet queue of test devices (protocol in dummy-ring.h).  Pushed by the main thread or by
 * any thread that sends, popped by the one that polls.  Must not know what the packets are for.
 */

#include "netdev/dummy/dummy-ring.h"

#include <errno.h>
#include <sys/eventfd.h>
#include <unistd.h>

int
dummy_ring_init(struct dummy_ring *r)
{
    r->event_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    return r->event_fd < 0 ? errno : 0;
}

void
dummy_ring_destroy(struct dummy_ring *r)
{
    spinlock_lock(&r->lock);
    while (r->head != r->tail) {
        packet_free(r->pkts[r->head++ % DUMMY_RING_SZ]);
    }
    spinlock_unlock(&r->lock);
    if (r->event_fd >= 0) {
        close(r->event_fd);
        r->event_fd = -1;
    }
}

static void
ring_signal(struct dummy_ring *r)
{
    /* Acquire-release: pairs with the exchange in dummy_ring_pop(). */
    if (!atomic_exchange_explicit(&r->signalled, true, memory_order_acq_rel)) {
        (void) eventfd_write(r->event_fd, 1);
    }
}

bool
dummy_ring_push(struct dummy_ring *r, struct packet *p)
{
    spinlock_lock(&r->lock);
    bool room = r->tail - r->head < DUMMY_RING_SZ;
    if (room) {
        r->pkts[r->tail++ % DUMMY_RING_SZ] = p;
    }
    spinlock_unlock(&r->lock);
    if (room) {
        ring_signal(r);
    }
    return room;
}

unsigned
dummy_ring_pop(struct dummy_ring *r, struct packet_batch *batch)
{
    if (!atomic_load_explicit(&r->signalled, memory_order_relaxed)) {
        return 0;
    }
    eventfd_t count;
    (void) eventfd_read(r->event_fd, &count);
    (void) atomic_exchange_explicit(&r->signalled, false, memory_order_acq_rel);

    spinlock_lock(&r->lock);
    while (r->head != r->tail && !packet_batch_full(batch)) {
        packet_batch_add(batch, r->pkts[r->head++ % DUMMY_RING_SZ]);
    }
    bool more = r->head != r->tail;
    spinlock_unlock(&r->lock);
    if (more) {
        ring_signal(r);
    }
    return batch->n;
}
