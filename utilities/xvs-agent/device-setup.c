/* SPDX-License-Identifier: Apache-2.0 */
/* Setting up a device as the configuration says, in the order that drivers like: everything
 * that may restart the device comes before the program, link up comes last; and
 * putting it all back.  Called by device.c in the device's network namespace, on the main
 * thread. */

#include "utilities/xvs-agent/device-setup.h"

#include <errno.h>
#include <net/if.h>
#include <stdlib.h>
#include <string.h>

#include "log/log.h"
#include "os/ethtool.h"
#include "util/xalloc.h"
#include "utilities/xvs-agent/channels.h"

LOG_MODULE(agent_setup);

void
device_remember(struct device *d, const struct rtnl_link *link)
{
    if (d->found.known && !d->found.ifindex) {
        d->found.ifindex = link->ifindex;
    } else if (!device_is_same(d, link)) {
        d->found = (struct device_found){.known = true,
                                         .ifindex = link->ifindex,
                                         .up = (link->flags & IFF_UP) != 0,
                                         .promisc = (link->flags & IFF_PROMISC) != 0,
                                         .mtu = link->mtu};
    }
}

bool
device_is_same(const struct device *d, const struct rtnl_link *link)
{
    return d->found.known && (!d->found.ifindex || d->found.ifindex == link->ifindex);
}

static void
restored(const struct device *d, const char *what, int error)
{
    if (error && error != EOPNOTSUPP) {
        LOG_WARN("%s: cannot put back its %s (%s)", d->config->name, what, strerror(error));
    }
}

void
device_restore(const struct device *d, const struct rtnl_link *link)
{
    const struct agent_device_config *c = d->config;
    const struct device_found *f = &d->found;
    bool promisc = (link->flags & IFF_PROMISC) != 0;

    if (!f->up && (link->flags & IFF_UP)) {
        restored(d, "link state", rtnl_link_set_flags(link->ifindex, 0, IFF_UP));
    }
    if (c->promisc >= 0 && promisc == (c->promisc != 0) && promisc != f->promisc) {
        restored(d, "promiscuity",
                 rtnl_link_set_flags(link->ifindex, f->promisc ? IFF_PROMISC : 0,
                                     f->promisc ? 0 : IFF_PROMISC));
    }
    if (c->mtu && c->mtu == link->mtu && c->mtu != f->mtu) {
        restored(d, "MTU", rtnl_link_set_mtu(link->ifindex, f->mtu));
    }
    if (c->queues) {
        restored(d, "queue count", channels_restore(link->name, c->queues, &f->channels));
    }
}

static int
apply_settings(struct device *d, const struct rtnl_link *link, char **errp)
{
    const struct agent_device_config *c = d->config;
    int error = c->queues ? channels_set(link, c->queues, &d->found.channels, errp) : 0;
    if (error) {
        return error;
    }
    if (c->mtu && c->mtu != link->mtu) {
        error = rtnl_link_set_mtu(link->ifindex, c->mtu);
        if (error) {
            error_set(errp, "cannot set MTU %d (%s)", c->mtu, strerror(error));
            return error;
        }
    }
    if (c->promisc >= 0) {
        error = rtnl_link_set_flags(link->ifindex, c->promisc ? IFF_PROMISC : 0,
                                    c->promisc ? 0 : IFF_PROMISC);
        if (error) {
            error_set(errp, "cannot turn promiscuity %s (%s)", c->promisc ? "on" : "off",
                      strerror(error));
        }
    }
    return error;
}

static int
attach(struct device *d, const struct rtnl_link *link, char **errp)
{
    enum agent_mode mode = d->config->mode;
    if (mode != AGENT_MODE_GENERIC) {
        char *why = NULL;
        int error = xdp_attach_link(&d->xdp, link->name, link->ifindex, false, &why);
        if (!error || mode == AGENT_MODE_NATIVE || error == EEXIST || error == EPERM) {
            d->generic = false;
            if (error) {
                error_set(errp, "%s", why ? why : strerror(error));
            }
            free(why);
            return error;
        }
        LOG_INFO("%s: %s; using generic mode", link->name, why ? why : strerror(error));
        free(why);
    }
    d->generic = true;
    return xdp_attach_link(&d->xdp, link->name, link->ifindex, true, errp);
}

static int
load(struct device *d, const struct rtnl_link *link, char **errp)
{
    bool frags = link->mtu > XDP_ATTACH_MTU_ONE;

    if (d->xdp.skel && link->n_rxq <= d->n_slots && (d->frags || !frags)) {
        return 0;
    }
    /* The first time, or the device came back with more queues than the map has slots, or with
     * an MTU that needs another program. */
    pin_destroy(&d->pin);
    xdp_attach_unload(&d->xdp);
    unsigned n_slots = MAX(link->n_rxq, DEVICE_SLOTS_MIN);
    int error = xdp_attach_load(&d->xdp, n_slots, frags, errp);
    d->frags = !error && frags;
    d->n_slots = error ? 0 : n_slots;
    return error;
}

int
device_set_up(struct device *d, const struct rtnl_link *link, char **errp)
{
    bool attached = d->xdp.link_fd >= 0;
    struct rtnl_link now;
    device_remember(d, link);
    int error = attached ? 0 : xdp_attach_check_foreign(link, errp);
    if (!error) {
        error = apply_settings(d, link, errp);
    }
    if (!error) {
        error = rtnl_link_get(link->name, &now);
        if (error) {
            error_set(errp, "it went away (%s)", strerror(error));
        }
    }
    if (!error && !attached) {
        error = load(d, &now, errp);
        if (!error) {
            error = attach(d, &now, errp);
        }
    }
    if (!error && !(now.flags & IFF_UP)) {
        error = rtnl_link_set_flags(now.ifindex, IFF_UP, 0);
        if (error) {
            error_set(errp, "cannot set it up (%s)", strerror(error));
        }
    }
    if (!error && (ethtool_get_rx_channels(now.name, &d->n_queues) || !d->n_queues)) {
        d->n_queues = now.n_rxq; /* a driver without channels: all it was made with */
    }
    return error;
}
