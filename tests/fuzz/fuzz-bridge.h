/* SPDX-License-Identifier: Apache-2.0 */
#ifndef XVS_TESTS_FUZZ_BRIDGE_H
#define XVS_TESTS_FUZZ_BRIDGE_H 1

/* A bridge without ports, on dummy devices and the virtual clock, for targets that reach it
 * from outside. */

#include "datapath/dp.h"
#include "fuzz.h"
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

#endif
