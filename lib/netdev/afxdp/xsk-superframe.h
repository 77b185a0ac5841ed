/* SPDX-License-Identifier: Apache-2.0 */
#ifndef XVS_NETDEV_AFXDP_XSK_SUPERFRAME_H
#define XVS_NETDEV_AFXDP_XSK_SUPERFRAME_H 1

/* Super-frames on generic mode queues: what arrives as a chain of descriptors, or in one frame
 * but longer than the device's MTU, because the sender counts on segmentation offload or the
 * host has merged packets before the XDP hook.
 *
 * All functions run on the queue's poller, except new and free: main, while nobody polls. */

#include <stdbool.h>
#include <stdint.h>
#include "packet/packet.h"

#ifndef XDP_USE_SG
#define XDP_USE_SG (1 << 4) /* bind flag, Linux 6.6: the socket takes chains */
#endif
#ifndef XDP_PKT_CONTD
#define XDP_PKT_CONTD (1 << 0) /* in xdp_desc.options: the packet goes on in the next one */
#endif

struct xsk_queue;
struct xsk_superframe;

/* The state of one queue, with nothing in it. */
struct xsk_superframe *xsk_superframe_new(void);
/* Forgets what is left in it (counted as a drop); NULL is fine.  It never holds frames. */
void xsk_superframe_free(struct xsk_superframe *);

/* In the middle of a chain, or of cutting one: xsk_superframe_run() has the next word. */
bool xsk_superframe_is_busy(const struct xsk_superframe *);
/* Goes on with what it is in, or begins with the next descriptor of the queue's rx ring: takes
 * in chains and packets as far as the ring has them, and adds packets to `batch` (which has
 * room) until that is full, or one super-frame was cut.  While packets of it are still due, the
 * chain's last descriptor stays unreleased, so that poll() on the socket says readable. */
void xsk_superframe_run(struct xsk_queue *, struct packet_batch *batch, uint8_t flags);

#endif
