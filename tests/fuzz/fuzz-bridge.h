/* SPDX-License-Identifier: Apache-2.0 */
#ifndef XVS_TESTS_FUZZ_BRIDGE_H
#define XVS_TESTS_FUZZ_BRIDGE_H 1

/* A bridge without ports, on dummy devices and the virtual clock, for targets that reach it
 * from outside. */

#include "datapath/dp.h"
#include "fuzz.h"
#include "ofproto/conn-private.h"
#include "ofproto/ofproto.h"
#include "os/clock.h"
#include "os/rcu.h"
#include "os/thread.h"

/* Once per process.  `n_frames`: packets that can be under way. */
static inline struct ofproto *
fuzz_bridge_create(struct evloop **loop, uint32_t n_frames)
{
    struct ofproto *o;

    thread_adopt("");
    clock_stop();
    arena_set_plan(n_frames);
    *loop = evloop_create();
    netdev_init(*loop, "override");
    dp_init(*loop);
    ofproto_init(*loop);
    require(!ofproto_create("br0", "dummy", &o, NULL));
    return o;
}

/* Leaves nothing to the next input: what takes many turns ends as well. */
static inline void
fuzz_bridge_clear(struct evloop *loop, struct ofproto *o)
{
    oftables_set_parts(0);
    while (o->conns->commit) { /* ends: nobody is there to ask for more */
        evloop_turn(loop, 0);
    }
    oftables_flush(o->tables);
    while (oftables_is_busy(o->tables)) {
        oftables_run(o->tables);
    }
    require(oftables_count(o->tables) == 0);
}

#endif
