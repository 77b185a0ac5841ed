/* SPDX-License-Identifier: Apache-2.0 */
#ifndef XVS_NETDEV_DUMMY_RING_H
#define XVS_NETDEV_DUMMY_RING_H 1

/* A bounded queue of packets between threads, with a descriptor to poll.  Any number of
 * pushers, one popper.  `signalled` says that the eventfd holds a count, so that an idle poll
 * is one load:
 *
 *   push  enqueue under lock; exchange signalled = 1; was 0: write the eventfd
 *   pop   signalled is 0: return; read the eventfd; exchange signalled = 0; dequeue under lock;
 *         some are left: as push after its enqueue
 *
 * A push between the pop's read and its exchange writes nothing, and its packet is found by the
 * dequeue that follows; a push after the exchange writes the eventfd again. */

#include <stdatomic.h>
#include <stdbool.h>
#include "os/thread.h"
#include "packet/packet.h"

#define DUMMY_RING_SZ 256u /* a power of two */

struct dummy_ring {
    int event_fd; /* readable while packets wait */
    _Atomic bool signalled;
    struct spinlock lock;
    unsigned head, tail; /* under lock, like the packets */
    struct packet *pkts[DUMMY_RING_SZ];
};

/* 0 or a positive errno.  The struct arrives zeroed. */
int dummy_ring_init(struct dummy_ring *);
/* Drops what waits.  No user left. */
void dummy_ring_destroy(struct dummy_ring *);
/* Takes the packet if there is room; false (and the packet stays the caller's) if not. */
bool dummy_ring_push(struct dummy_ring *, struct packet *);
/* Moves what waits into the empty batch; returns how many. */
unsigned dummy_ring_pop(struct dummy_ring *, struct packet_batch *);

#endif
