/* SPDX-License-Identifier: Apache-2.0 */
/* Answers the datapath's cache misses with a translation by the current snapshot.  Called on
 * polling threads inside a read-side section; the cookie it leaves with the megaflow is the
 * revalidator's from then on. */

#include "ofproto/upcall.h"

#include <stdatomic.h>
#include <stdlib.h>

#include "log/coverage.h"
#include "ofproto/punt.h"
#include "ofproto/revalidator.h"
#include "ofproto/xlate.h"
#include "os/clock.h"
#include "util/xalloc.h"

COVERAGE_DEFINE(drop_upcall_restore_wait);

static _Atomic bool paused;

void
upcall_set_paused(bool on)
{
    atomic_store_explicit(&paused, on, memory_order_relaxed);
}

static bool
upcall_translate(void *odp, const struct flow *flow, const struct packet *pkt,
                 struct dp_translation *t)
{
    uint64_t seq = revalidator_seq();
    struct xlate_in in = {
        .snapshot = xsnapshot_get(),
        .odp = odp,
        .flow = flow,
        .may_learn = true,
        .fresh = true,
        .used_ms = clock_now_ms(),
    };
    struct xlate_cookie *cookie;
    struct xlate_out out;

    if (atomic_load_explicit(&paused, memory_order_relaxed)) {
        COVERAGE_INC(drop_upcall_restore_wait);
        return false;
    }
    if (!in.snapshot || !xlate_translate(&in, &out)) {
        return false;
    }
    if (pkt) {
        /* The megaflow's own counters begin with the next packet. */
        xlate_credit(in.snapshot, &out.effects, 1, pkt->len, 0);
    }
    cookie = xzalloc(sizeof *cookie);
    cookie->seq = seq;
    cookie->effects = out.effects;
    *t = (struct dp_translation){
        .actions = out.actions,
        .mask = out.mask,
        .cookie = cookie,
    };
    return true;
}

static void
upcall_cookie_free(void *odp, void *cookie)
{
    xlate_cookie_free(cookie);
}

const struct dp_upcall_ops upcall_ops = {
    .translate = upcall_translate,
    .punt = punt_put,
    .cookie_free = upcall_cookie_free,
};
