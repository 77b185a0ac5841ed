/* SPDX-License-Identifier: Apache-2.0 */
/* Packets that come from a controller instead of a port: translated and executed on main, once,
 * without leaving a megaflow behind.  Called by the message handlers. */

#include <stdlib.h>

#include "flow/flow-key.h"
#include "log/coverage.h"
#include "ofproto/frozen.h"
#include "ofproto/ofproto-private.h"
#include "ofproto/xlate.h"
#include "openflow/of-field.h"
#include "os/clock.h"

COVERAGE_DEFINE(drop_packet_out_translation);

static void
run(struct ofproto *o, struct packet *p, struct xlate_in *in)
{
    struct flow_key key;
    struct xlate_out out;
    struct flow flow;

    flow_key_extract(p, &key);
    flow_key_expand(&key, &flow);
    in->odp = o->odp;
    in->flow = &flow;
    in->may_learn = in->fresh = true;
    in->used_ms = clock_now_ms();
    if (!xlate_translate(in, &out)) {
        COVERAGE_INC(drop_packet_out_translation);
        packet_free(p);
        return;
    }
    xlate_credit(in->snapshot, &out.effects, 1, p->len, in->used_ms);
    dp_execute_packet(o->odp->dp, p, out.actions);
    free(out.actions);
    xlate_effects_destroy(&out.effects);
}

/* The datapath's number of the port it is said to come from, for packets that recirculate. */
static void
set_in_port(const struct ofproto *o, struct packet *p, uint16_t in_port)
{
    const struct ofport *port = ofproto_port_find(o, in_port);

    p->in_port = port && port->dp_port != DP_PORT_NONE ? port->dp_port : DP_PORT_NONE;
}

/* Changes of this turn of the loop count for the packet. */
static const struct xbridge *
present_bridge(struct ofproto *o, const struct xsnapshot **s)
{
    *s = xsnapshot_get();
    if (!xsnapshot_bridge_by_id(*s, o->id)) {
        ofproto_publish();
        *s = xsnapshot_get();
    }
    return xsnapshot_bridge_by_id(*s, o->id);
}

void
ofproto_packet_out(struct ofproto *o, struct packet *p, uint16_t in_port,
                   const struct of_act *acts, size_t len)
{
    struct xlate_in in = {
        .in_ofport = in_port,
        .acts = acts,
        .acts_len = len,
        .packet_out = true,
    };

    in.bridge = present_bridge(o, &in.snapshot);
    set_in_port(o, p, in_port);
    oftables_watch_limits(o->tables, acts, len, true);
    run(o, p, &in);
    oftables_watch_limits(o->tables, acts, len, false);
}

/* The number comes from a controller: it has to name a pipeline of this very bridge. */
static bool
waits_in(const struct ofproto *o, uint32_t recirc_id)
{
    struct frozen *f = frozen_find(recirc_id);
    struct frozen_content c;
    bool ours = false;

    if (f) {
        frozen_read(f, &c);
        ours = c.bridge_id == o->id;
        frozen_unref(f);
    }
    return ours;
}

bool
ofproto_resume(struct ofproto *o, struct packet *p, const struct flow *metadata,
               uint32_t recirc_id)
{
    struct xlate_in in = {
        .snapshot = xsnapshot_get(),
        .resumed = &metadata->regs,
        .in_ofport = (uint16_t) metadata->meta.in_port,
    };

    if (!waits_in(o, recirc_id)) {
        packet_free(p);
        return false;
    }
    set_in_port(o, p, in.in_ofport);
    p->pkt_mark = metadata->meta.pkt_mark;
    p->recirc_id = recirc_id;
    run(o, p, &in);
    return true;
}
