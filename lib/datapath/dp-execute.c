/* SPDX-License-Identifier: Apache-2.0 */
/* Executes an action list on a batch of packets, on the thread that received them.
 *
 * A packet that goes to several ports is one frame with a reference for each; an action that
 * changes headers copies it if somebody else holds a reference by then.  What comes behind the
 * last output has no effect and is not done. */

#include "datapath/dp-private.h"
#include "log/coverage.h"
#include "packet/packet-ops.h"

COVERAGE_DEFINE(drop_datapath_no_action);
COVERAGE_DEFINE(drop_datapath_invalid_port);
COVERAGE_DEFINE(drop_datapath_no_frame);
COVERAGE_DEFINE(drop_datapath_push_vlan);

static void
output(struct pmd *pmd, uint32_t port_no, struct packet_batch *b, bool last)
{
    struct dp_port *port = dp_port_lookup(pmd->dp, port_no);

    if (UNLIKELY(!port || !port->n_txq)) {
        COVERAGE_ADD(drop_datapath_invalid_port, b->n);
        if (last) {
            packet_batch_free(b);
        }
        return;
    }
    for (unsigned i = 0; i < b->n; i++) {
        if (!last) {
            packet_ref(b->pkts[i]);
        }
        stage_put(pmd, port, b->pkts[i]);
    }
    if (last) {
        b->n = 0;
    }
}

/* Changes the tags of every packet; those that cannot be changed leave the batch. */
static void
change_vlan(const struct dp_action *a, struct packet_batch *b)
{
    unsigned n = 0;

    for (unsigned i = 0; i < b->n; i++) {
        struct packet *p = packet_writable(b->pkts[i]);

        if (UNLIKELY(!p)) {
            COVERAGE_INC(drop_datapath_no_frame);
            continue;
        }
        if (a->type == DP_ACT_POP_VLAN) {
            packet_pop_vlan(p);
        } else if (UNLIKELY(!packet_push_vlan(p, a->push_vlan.tpid, a->push_vlan.tci))) {
            COVERAGE_INC(drop_datapath_push_vlan);
            packet_free(p);
            continue;
        }
        b->pkts[n++] = p;
    }
    b->n = n;
}

void
dp_execute(struct pmd *pmd, const struct dp_actions *acts, struct packet_batch *b)
{
    uint32_t n = acts->n;

    while (n && acts->a[n - 1].type != DP_ACT_OUTPUT) {
        n--;
    }
    if (UNLIKELY(!n)) {
        COVERAGE_ADD(drop_datapath_no_action, b->n);
        packet_batch_free(b);
        return;
    }
    for (uint32_t i = 0; i < n; i++) {
        const struct dp_action *a = &acts->a[i];

        if (a->type == DP_ACT_OUTPUT) {
            output(pmd, a->port, b, i + 1 == n);
        } else {
            change_vlan(a, b);
        }
    }
}
