/* SPDX-License-Identifier: Apache-2.0 */
/* OpenFlow ports of a bridge: numbers, and devices in and out of the datapath.  Called by
 * vswitchd/bridge on the main thread.  It knows nothing of VLANs and bundles but that a port
 * leaves its bundle when it goes. */

#include <errno.h>
#include <stdlib.h>

#include "log/log.h"
#include "ofproto/conn-private.h"
#include "ofproto/ofproto-private.h"
#include "os/clock.h"
#include "os/rcu.h"
#include "util/xalloc.h"

LOG_MODULE(ofproto_port);

struct ofport *
ofproto_port_find(const struct ofproto *o, uint16_t number)
{
    uint32_t key = number;
    struct ofport *port;

    HASH_FIND(hh, o->ports, &key, sizeof key, port);
    return port;
}

struct ofport *
ofproto_port_find_name(const struct ofproto *o, const char *name)
{
    struct ofport *port, *tmp;

    HASH_ITER(hh, o->ports, port, tmp)
    {
        if (!strcmp(netdev_name(port->netdev), name)) {
            return port;
        }
    }
    return NULL;
}

/* The wanted number if it is free, else any; OFPP_LOCAL_PORT for the bridge's own device. */
static int
take_number(struct ofproto *o, const char *name, uint16_t requested, uint32_t *number,
            char **errp)
{
    if (!strcmp(name, o->name)) {
        *number = OFPP_LOCAL_PORT;
        if (ofproto_port_find(o, OFPP_LOCAL_PORT)) {
            error_set(errp, "bridge %s has its local port already", o->name);
            return EEXIST;
        }
        return 0;
    }
    if (requested && idpool_take(o->numbers, requested)) {
        *number = requested;
        return 0;
    }
    if (requested) {
        LOG_INFO("%s: OpenFlow port %u is not available for %s, choosing another", o->name,
                 requested, name);
    }
    if (!idpool_alloc(o->numbers, number)) {
        error_set(errp, "bridge %s has no free OpenFlow port number for %s", o->name, name);
        return ENOSPC;
    }
    return 0;
}

int
ofproto_port_add(struct ofproto *o, struct netdev *netdev, uint16_t requested, uint16_t *ofport,
                 char **errp)
{
    uint32_t dp_port = DP_PORT_NONE, number;
    struct ofport *port;
    int error = take_number(o, netdev_name(netdev), requested, &number, errp);

    if (error) {
        return error;
    }
    if (netdev_poll_mode(netdev) != NETDEV_POLL_NONE) {
        error = dp_port_add(o->odp->dp, netdev, DP_PORT_NONE, &dp_port, errp);
        if (error) {
            idpool_free(o->numbers, number);
            return error;
        }
    }
    port = xzalloc(sizeof *port);
    port->ofproto = o;
    port->netdev = netdev;
    port->number = number;
    port->dp_port = dp_port;
    port->id = ofproto_new_id();
    port->created_ms = clock_now_ms();
    HASH_ADD(hh, o->ports, number, sizeof port->number, port);
    ofport_describe(port, &port->told);
    connmgr_port_status(o->conns, OFPPR_ADD, NULL, &port->told);
    *ofport = (uint16_t) number;
    ofproto_changed();
    return 0;
}

/* Takes a port out of the datapath and frees it; translation does not know it any more. */
static void
port_destroy(struct ofport *port)
{
    struct ofproto *o = port->ofproto;

    if (port->dp_port != DP_PORT_NONE) {
        dp_port_del(o->odp->dp, port->dp_port);
    }
    idpool_free(o->numbers, port->number);
    free(port);
}

void
ofproto_port_del(struct ofproto *o, uint16_t number)
{
    struct ofport *port = ofproto_port_find(o, number);

    if (!port) {
        return;
    }
    connmgr_port_status(o->conns, OFPPR_DELETE, NULL, &port->told);
    HASH_DEL(o->ports, port);
    ofproto_bundle_drop_port(o, number);
    ofproto_publish();
    synchronize_rcu(); /* nobody outputs to it, nor credits it, any more */
    port_destroy(port);
}

void
ofproto_ports_remove_all(struct ofproto *o)
{
    struct ofport *port, *tmp, *ports = o->ports;

    if (!ports) {
        return;
    }
    o->ports = NULL;
    ofproto_publish();
    synchronize_rcu();
    HASH_ITER(hh, ports, port, tmp)
    {
        HASH_DEL(ports, port);
        port_destroy(port);
    }
}

int
ofproto_port_reconfigure(struct ofproto *o, uint16_t number, char **errp)
{
    struct ofport *port = ofproto_port_find(o, number);

    if (!port) {
        error_set(errp, "bridge %s has no port %u", o->name, number);
        return ENODEV;
    }
    ofproto_changed(); /* a patch port's peer, at the least */
    if (port->dp_port != DP_PORT_NONE && netdev_needs_reconfigure(port->netdev)) {
        return dp_port_reconfigure(o->odp->dp, port->dp_port, errp);
    }
    return 0;
}

void
ofproto_port_set_config(struct ofproto *o, uint16_t number, const struct smap *other_config)
{
    struct ofport *port = ofproto_port_find(o, number);

    if (port && port->dp_port != DP_PORT_NONE) {
        dp_port_set_config(o->odp->dp, port->dp_port, other_config);
    }
}

int
ofproto_port_renumber(struct ofport *port, uint32_t dp_port, char **errp)
{
    struct dp *dp = port->ofproto->odp->dp;
    uint32_t old = port->dp_port;
    int error;

    if (old == dp_port) {
        return 0;
    }
    if (dp_port_netdev(dp, dp_port)) {
        error_set(errp, "port number already in use");
        return EBUSY;
    }
    port->dp_port = DP_PORT_NONE;
    ofproto_publish();
    synchronize_rcu(); /* nobody outputs to the old number any more */
    dp_port_del(dp, old);
    error = dp_port_add(dp, port->netdev, dp_port, &port->dp_port, errp);
    if (error && dp_port_add(dp, port->netdev, old, &port->dp_port, NULL)) {
        LOG_WARN("%s: %s is not in the datapath any more", port->ofproto->name,
                 netdev_name(port->netdev));
    }
    ofproto_publish();
    return error;
}
