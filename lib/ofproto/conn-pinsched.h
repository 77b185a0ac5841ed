/* SPDX-License-Identifier: Apache-2.0 */
#ifndef XVS_OFPROTO_CONN_PINSCHED_H
#define XVS_OFPROTO_CONN_PINSCHED_H 1

/* A queue of packet-ins that leave at a rate (Controller.controller_rate_limit), at most
 * controller_burst_limit of them waiting.  Main thread. */

#include <stdint.h>
#include "openflow/of-buf.h"

struct evloop;
struct pinsched;
struct pinsched_stats {
    uint64_t n_bypassed; /* sent at once */
    uint64_t n_queued;
    uint64_t n_dropped; /* of those queued: there was no room */
    unsigned backlog;   /* waiting now */
};

/* `rate`: packets a second, positive; `burst`: how many may come at once, and may wait.  `send`
 * takes the message.  Caller destroys it. */
struct pinsched *pinsched_create(struct evloop *, int rate, int burst,
                                 void (*send)(struct of_buf *, void *aux), void *aux);
void pinsched_destroy(struct pinsched *); /* drops what waits; NULL is fine */
void pinsched_set(struct pinsched *, int rate, int burst);
/* Takes the message, of a packet that came by `port`. */
void pinsched_put(struct pinsched *, uint16_t port, struct of_buf *);
struct pinsched_stats pinsched_get_stats(const struct pinsched *);

#endif
