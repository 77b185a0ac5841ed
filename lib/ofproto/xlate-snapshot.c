/* SPDX-License-Identifier: Apache-2.0 */
/* Builds what translation reads from the bridges' configuration.  Main builds and publishes;
 * any thread in a read-side section looks things up.  Everything derived (flood order, patch
 * peers, a bundle's active port) is decided here, once per change, not per packet. */

#include "ofproto/xlate-snapshot.h"

#include <stdlib.h>

#include "openflow/of-switch.h"
#include "os/rcu.h"
#include "util/xalloc.h"

static struct xsnapshot *current; /* RCU; written by main */

const struct xsnapshot *
xsnapshot_get(void)
{
    return rcu_dereference(current);
}

const struct xport *
xsnapshot_port_by_dp(const struct xsnapshot *s, const struct ofproto_dp *odp, uint32_t port_no)
{
    struct xport *p;
    __typeof__(p->dp_key) key = {.odp = odp, .port_no = port_no};

    HASH_FIND(hh_dp, s->by_dp, &key, sizeof key, p);
    return p;
}

const struct xport *
xsnapshot_port_by_id(const struct xsnapshot *s, uint32_t id)
{
    struct xport *p;

    HASH_FIND(hh_id, s->ports_by_id, &id, sizeof id, p);
    return p;
}

const struct xbridge *
xsnapshot_bridge_by_id(const struct xsnapshot *s, uint32_t id)
{
    struct xbridge *b;

    HASH_FIND(hh, s->bridges_by_id, &id, sizeof id, b);
    return b;
}

const struct xport *
xbridge_port(const struct xbridge *b, uint16_t number)
{
    struct xport *p;

    HASH_FIND(hh_of, b->by_number, &number, sizeof number, p);
    return p;
}

const struct xbundle *
xbridge_bundle_by_id(const struct xbridge *b, uint32_t id)
{
    struct xbundle *xb;

    HASH_FIND(hh, b->by_id, &id, sizeof id, xb);
    return xb;
}

/* Flooding goes in the order in which ports were added; those of one configuration step came at
 * once, and of them the bridge's own port is last. */
static int
compare_flood_order(const void *a_, const void *b_)
{
    const struct xbundle *a = a_, *b = b_;

    if (a->epoch != b->epoch) {
        return a->epoch < b->epoch ? -1 : 1;
    }
    if (a->is_local != b->is_local) {
        return a->is_local ? -1 : 1;
    }
    return a->id < b->id ? -1 : a->id > b->id;
}

/* The first of its ports whose link is up; the first of all if none is. */
static const struct xport *
active_port(const struct xbridge *b, const struct ofbundle *bundle)
{
    const struct xport *first = NULL;

    for (size_t i = 0; i < bundle->s.n_ofports; i++) {
        const struct xport *p = xbridge_port(b, bundle->ofports[i]);

        if (!p) {
            continue;
        }
        first = first ? first : p;
        if (p->carrier) {
            return p;
        }
    }
    return first;
}

static void
build_ports(struct xbridge *b, const struct ofproto *o)
{
    struct ofport *port, *tmp;

    b->ports = xcalloc(HASH_COUNT(o->ports) + 1, sizeof *b->ports);
    HASH_ITER(hh, o->ports, port, tmp)
    {
        struct netdev_link link = {.carrier = false};
        struct xport *p = &b->ports[b->n_ports++];

        netdev_get_link(port->netdev, &link);
        *p = (struct xport){
            .id = port->id,
            .ofport = (uint16_t) port->number,
            .dp_key = {.odp = o->odp, .port_no = port->dp_port},
            .netdev = port->netdev,
            .bridge = b,
            .is_patch = port->dp_port == DP_PORT_NONE,
            .carrier = link.carrier,
            .config = port->config,
        };
        HASH_ADD(hh_of, b->by_number, ofport, sizeof p->ofport, p);
    }
}

static void
build_bundles(struct xbridge *b, const struct ofproto *o)
{
    struct ofbundle *bundle, *tmp;

    b->bundles = xcalloc(HASH_COUNT(o->bundles) + 1, sizeof *b->bundles);
    HASH_ITER(hh, o->bundles, bundle, tmp)
    {
        struct xbundle *xb = &b->bundles[b->n_bundles++];

        *xb = (struct xbundle){
            .id = bundle->id,
            .epoch = bundle->epoch,
            .vlan_mode = bundle->s.vlan_mode,
            .tag = bundle->s.tag,
            .priority_tags = bundle->s.priority_tags,
            .protected_port = bundle->s.protected_port,
            .qinq_8021ad = bundle->s.qinq_8021ad,
            .all_vlans = !bundle->trunks,
            .all_cvlans = !bundle->cvlans,
            .active = active_port(b, bundle),
        };
        xb->is_local = xb->active && xb->active->ofport == OFPP_LOCAL_PORT;
        if (bundle->trunks) {
            memcpy(xb->trunks, bundle->trunks, sizeof xb->trunks);
        }
        if (bundle->cvlans) {
            memcpy(xb->cvlans, bundle->cvlans, sizeof xb->cvlans);
        }
    }
    qsort(b->bundles, b->n_bundles, sizeof *b->bundles, compare_flood_order);
    for (unsigned i = 0; i < b->n_bundles; i++) {
        struct xbundle *xb = &b->bundles[i];

        HASH_ADD(hh, b->by_id, id, sizeof xb->id, xb);
        bundle = ofproto_bundle_find_id(o, xb->id);
        for (size_t j = 0; j < bundle->s.n_ofports; j++) {
            const struct xport *p = xbridge_port(b, bundle->ofports[j]);

            if (p) {
                b->ports[p - b->ports].bundle = xb;
            }
        }
    }
}

/* As bundles are flooded; the ports of none come last. */
static void
order_ports(struct xbridge *b, const struct ofproto *o)
{
    unsigned n = 0;

    b->flood_order = xcalloc(b->n_ports + 1, sizeof *b->flood_order);
    for (unsigned i = 0; i < b->n_bundles; i++) {
        const struct ofbundle *bundle = ofproto_bundle_find_id(o, b->bundles[i].id);

        for (size_t j = 0; j < bundle->s.n_ofports; j++) {
            const struct xport *p = xbridge_port(b, bundle->ofports[j]);

            if (p && p->bundle == &b->bundles[i] && n < b->n_ports) {
                b->flood_order[n++] = p;
            }
        }
    }
    for (unsigned i = 0; i < b->n_ports && n < b->n_ports; i++) {
        if (!b->ports[i].bundle) {
            b->flood_order[n++] = &b->ports[i];
        }
    }
}

static void
index_ports(struct xsnapshot *s, struct xbridge *b)
{
    for (unsigned i = 0; i < b->n_ports; i++) {
        struct xport *p = &b->ports[i];

        HASH_ADD(hh_id, s->ports_by_id, id, sizeof p->id, p);
        if (!p->is_patch) {
            HASH_ADD(hh_dp, s->by_dp, dp_key, sizeof p->dp_key, p);
        }
    }
}

/* Patch ports name their peers; two that name each other, in bridges of one datapath, are
 * joined. */
static void
join_patches(struct xsnapshot *s)
{
    struct xport *p, *tmp, *q, *tmp2;

    HASH_ITER(hh_id, s->ports_by_id, p, tmp)
    {
        const char *peer = p->is_patch ? netdev_patch_peer(p->netdev) : NULL;

        if (!peer || p->peer) {
            continue;
        }
        HASH_ITER(hh_id, s->ports_by_id, q, tmp2)
        {
            const char *back = q->is_patch && q != p ? netdev_patch_peer(q->netdev) : NULL;

            if (back && q->dp_key.odp == p->dp_key.odp &&
                !strcmp(netdev_name(q->netdev), peer) &&
                !strcmp(netdev_name(p->netdev), back)) {
                p->peer = q;
                q->peer = p;
                break;
            }
        }
    }
}

static struct xsnapshot *
xsnapshot_build(void)
{
    struct xsnapshot *s = xzalloc(sizeof *s);
    struct ofproto *o, *tmp;
    unsigned n_dps = 0;

    s->bridges = xcalloc(HASH_COUNT(all_ofprotos) + 1, sizeof *s->bridges);
    HASH_ITER(hh, all_ofprotos, o, tmp)
    {
        struct xbridge *b = &s->bridges[s->n_bridges++];

        b->id = o->id;
        b->name = xstrdup(o->name);
        b->miss_to_controller = o->miss_to_controller;
        b->drop_frags = o->frag_mode == OFPC_FRAG_DROP;
        b->nx_frags = o->frag_mode == OFPC_FRAG_NX_MATCH;
        b->macs = o->macs;
        b->tables = o->tables;
        b->forward_bpdu = o->settings.forward_bpdu;
        memcpy(b->flood_vlans, o->settings.flood_vlans, sizeof b->flood_vlans);
        build_ports(b, o);
        build_bundles(b, o);
        order_ports(b, o);
        index_ports(s, b);
        HASH_ADD(hh, s->bridges_by_id, id, sizeof b->id, b);
    }
    join_patches(s);

    for (const struct ofproto_dp *d = all_ofproto_dps; d; d = d->next) {
        n_dps += d->n_refs > 0;
    }
    s->odps = xcalloc(n_dps + 1, sizeof *s->odps);
    for (const struct ofproto_dp *d = all_ofproto_dps; d; d = d->next) {
        if (d->n_refs > 0) {
            s->odps[s->n_dps++] = d;
        }
    }
    return s;
}

static void
xsnapshot_free(struct xsnapshot *s)
{
    HASH_CLEAR(hh_dp, s->by_dp);
    HASH_CLEAR(hh_id, s->ports_by_id);
    HASH_CLEAR(hh, s->bridges_by_id);
    for (unsigned i = 0; i < s->n_bridges; i++) {
        HASH_CLEAR(hh, s->bridges[i].by_id);
        HASH_CLEAR(hh_of, s->bridges[i].by_number);
        free(s->bridges[i].name);
        free(s->bridges[i].flood_order);
        free(s->bridges[i].bundles);
        free(s->bridges[i].ports);
    }
    free(s->bridges);
    free(s->odps);
    free(s);
}

/* What waits for a grace period is kept apart from the snapshot, which readers must find
 * constant. */
struct xsnapshot_grave {
    struct rcu_head rcu;
    struct xsnapshot *snapshot;
};

static void
xsnapshot_bury(struct rcu_head *head)
{
    struct xsnapshot_grave *grave = CONTAINER_OF(head, struct xsnapshot_grave, rcu);

    xsnapshot_free(grave->snapshot);
    free(grave);
}

void
xsnapshot_publish(void)
{
    struct xsnapshot *old = current;

    rcu_assign_pointer(current, xsnapshot_build());
    if (old) {
        struct xsnapshot_grave *grave = xzalloc(sizeof *grave);

        grave->snapshot = old;
        call_rcu(&grave->rcu, xsnapshot_bury);
    }
}

void
xsnapshot_destroy_current(void)
{
    if (current) {
        xsnapshot_free(current);
        current = NULL;
    }
}
