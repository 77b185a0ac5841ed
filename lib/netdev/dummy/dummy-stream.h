/* SPDX-License-Identifier: Apache-2.0 */
#ifndef XVS_NETDEV_DUMMY_STREAM_H
#define XVS_NETDEV_DUMMY_STREAM_H 1

/* A test device's wire to another process: packets over a byte stream, each behind its length
 * in two bytes, big endian. */

#include <stdbool.h>
#include "os/evloop.h"
#include "packet/packet.h"

struct dummy_stream;

/* Connects to (options:stream, kept up by reconnecting) or listens on (options:pstream)
 * `target`. `receive(packet, aux)` takes each packet that arrives, on main.  0 or a positive
 * errno with a sentence; main. */
int dummy_stream_open(struct evloop *, const char *target, bool passive,
                      void (*receive)(struct packet *, void *aux), void *aux,
                      struct dummy_stream **, char **errp);
void dummy_stream_close(struct dummy_stream *); /* main; NULL is fine */
/* Passes the packet to every peer; takes it.  Any thread. */
void dummy_stream_send(struct dummy_stream *, struct packet *);
/* "connected" or "disconnected", for a passive one "unknown".  Main. */
const char *dummy_stream_state(const struct dummy_stream *);
bool dummy_stream_is_active(const struct dummy_stream *);

#endif
