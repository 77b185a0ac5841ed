/* SPDX-License-Identifier: Apache-2.0 */
#ifndef XVS_DATAPATH_SIMPLE_H
#define XVS_DATAPATH_SIMPLE_H 1

/* The port-to-port short cut of a polling thread: port -> the megaflow that all simple packets
 * (flow/flow-simple.h) received there match, if there is one.  Such packets need no key, no
 * hash and no cache.  Used by that thread only.  As in the exact-match cache, an entry holds a
 * reference to its megaflow, which may have died meanwhile: lookup then misses, and the entry
 * goes when it is overwritten or swept. */

#include "datapath/megaflow.h"

#define SIMPLE_ENTRIES 64u

struct simple_cache {
    struct {
        struct dp_flow *flow; /* NULL: free */
        uint32_t port_no;
    } e[SIMPLE_ENTRIES]; /* by port number modulo */
    unsigned n_asked;    /* lookups that found nothing */
};

/* The flow that every simple packet received on the port belongs to, or NULL. */
static inline struct dp_flow *
simple_lookup(const struct simple_cache *c, uint32_t port_no)
{
    struct dp_flow *f = c->e[port_no % SIMPLE_ENTRIES].flow;

    return f && c->e[port_no % SIMPLE_ENTRIES].port_no == port_no && !megaflow_is_dead(f)
               ? f
               : NULL;
}

/* To be called when lookup found nothing: is it time to look for such a flow? */
static inline bool
simple_is_due(struct simple_cache *c)
{
    return !(c->n_asked++ % 64);
}

/* `k` is the key of a packet received on the port.  Remembers the flow that it matches if it is
 * a simple packet and all simple ones match that flow. */
void simple_learn(struct simple_cache *, uint32_t port_no, struct megaflow_table *,
                  const struct flow_key *k);
/* Drops entries whose megaflow is dead. */
void simple_sweep(struct simple_cache *);
void simple_destroy(struct simple_cache *); /* drops all references */

#endif
