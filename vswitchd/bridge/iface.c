/* SPDX-License-Identifier: Apache-2.0 */
/* The life of one interface: device opened, configured, added to its bridge, and the way back.
 * Called by apply.c on the main thread.  A failure is a state with a sentence and a bounded
 * back-off, and concerns nobody else.  Must not know the database. */

#include "vswitchd/bridge/iface.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include "log/coverage.h"
#include "log/log.h"
#include "netdev/netdev.h"
#include "ofproto/ofproto.h"
#include "os/clock.h"
#include "util/quote.h"
#include "util/xalloc.h"

LOG_MODULE(bridge);
COVERAGE_DEFINE(iface_open_failed);
COVERAGE_DEFINE(iface_broken);

enum {
    RETRY_FIRST_MS = 1000,
    RETRY_MAX_MS = 30000,
    STABLE_MS = 10000, /* a device that lasted that long is re-opened at once */
};

int64_t
iface_retry_delay_ms(unsigned n_failures)
{
    return MIN((int64_t) RETRY_FIRST_MS << MIN(n_failures, 6u), (int64_t) RETRY_MAX_MS);
}

bool
iface_failure_is_permanent(int code)
{
    return code == EINVAL || code == EAFNOSUPPORT || code == EOPNOTSUPP;
}

/* Records the failure `error` (taken, may be NULL) with its errno value. */
static void
iface_fail(struct bridge_state *br, struct iface_state *iface, int code, char *error,
           const char *before)
{
    COVERAGE_INC(iface_open_failed);
    if (!error) {
        error =
            xasprintf("could not set up network device %s (%s)", iface->name, strerror(code));
    }
    quote_sentence(error);
    bool quiet = iface->is_local && (code == EPERM || code == EACCES || code == ENOENT);
    if (code == EINPROGRESS) {
        LOG_DBG("bridge %s: interface %s: %s", br->name, iface->name, error);
    } else if (!before || strcmp(before, error)) {
        if (quiet) {
            LOG_INFO("bridge %s: works without its own device: %s", br->name, error);
        } else {
            LOG_WARN("bridge %s: interface %s: %s", br->name, iface->name, error);
        }
    }
    free(iface->error);
    iface->error = error;
    iface->failed_code = code;
    iface->permanent = quiet || iface_failure_is_permanent(code);
    iface->retry_at_ms = clock_now_ms() + iface_retry_delay_ms(iface->n_failures);
    iface->n_failures += code != EINPROGRESS;
    iface->status_dirty = true;
}

static void
iface_copy_config(struct iface_state *iface, const struct cfg_iface *cfg)
{
    free(iface->type);
    iface->type = xstrdup(cfg->type);
    smap_destroy(&iface->options);
    smap_clone(&iface->options, &cfg->options);
    smap_destroy(&iface->other_config);
    smap_clone(&iface->other_config, &cfg->other_config);
    iface->ofport_request = cfg->ofport_request;
    iface->mtu_request = cfg->mtu_request;
    iface->has_mac = cfg->has_mac;
    iface->mac = cfg->mac;
    iface->is_local = cfg->is_local;
    iface->is_internal = cfg->is_internal;
}

static struct iface_state *
iface_state_get(struct bridge_state *br, const struct cfg_iface *cfg)
{
    struct iface_state *iface;
    HASH_FIND_STR(br->ifaces, cfg->name, iface);
    if (!iface) {
        iface = xzalloc(sizeof *iface);
        iface->name = xstrdup(cfg->name);
        iface->uuid = xstrdup_nullable(cfg->uuid);
        iface->last_ofport = cfg->ofport_hint;
        smap_init(&iface->options);
        smap_init(&iface->other_config);
        HASH_ADD_KEYPTR(hh, br->ifaces, iface->name, strlen(iface->name), iface);
    }
    return iface;
}

/* The provider that serves an Interface.type in this bridge. */
static const char *
iface_provider(const struct bridge_state *br, const struct iface_state *iface)
{
    bool dummy = !strcmp(br->datapath_type, "dummy") || netdev_is_override();
    return dummy && iface->is_internal ? "dummy-internal" : iface->type;
}

static void
iface_apply_mtu(struct iface_state *iface)
{
    int mtu;
    if (iface->mtu_request && !netdev_get_mtu(iface->netdev, &mtu) &&
        mtu != iface->mtu_request) {
        int error = netdev_set_mtu(iface->netdev, iface->mtu_request);
        if (error && error != EPERM && error != EACCES) { /* the device said that itself */
            LOG_WARN("%s: could not set the MTU to %d (%s)", iface->name, iface->mtu_request,
                     strerror(error));
        }
    }
}

/* Interface.mac: for internal ports; the bridge chooses LOCAL's. */
static void
iface_apply_mac(struct iface_state *iface)
{
    if (!iface->is_internal || iface->is_local || !iface->netdev) {
        return;
    }
    struct eth_addr now, want = iface->has_mac ? iface->mac : iface->given_mac;
    if (eth_addr_is_zero(want) || netdev_get_etheraddr(iface->netdev, &now) ||
        eth_addr_equal(now, want)) {
        return;
    }
    int error = netdev_set_etheraddr(iface->netdev, want);
    if (error) {
        LOG_WARN("%s: could not set the Ethernet address to " ETH_ADDR_FMT " (%s)", iface->name,
                 ETH_ADDR_ARGS(want), strerror(error));
    }
}

/* An internal device's state is the administrator's; every other port is made to work. */
static void
iface_bring_up(struct iface_state *iface)
{
    if (iface->is_internal) {
        return;
    }
    int error = netdev_set_up(iface->netdev, true);
    if (error && error != EOPNOTSUPP) {
        LOG_INFO("%s: could not bring the device up (%s); used as it is", iface->name,
                 strerror(error));
    }
}

void
iface_add(struct bridge_state *br, const struct cfg_iface *cfg)
{
    struct iface_state *iface = iface_state_get(br, cfg);
    char *before = iface->error;
    char *error = NULL;
    iface->error = NULL;
    iface->retry = false;
    iface_copy_config(iface, cfg);

    int code = netdev_open(iface->name, iface_provider(br, iface), &iface->netdev, &error);
    if (code) {
        iface->netdev = NULL;
        goto fail;
    }
    code = netdev_set_config(iface->netdev, &iface->options, &error);
    if (code) {
        goto fail_close;
    }
    if (netdev_get_etheraddr(iface->netdev, &iface->given_mac)) {
        memset(&iface->given_mac, 0, sizeof iface->given_mac);
    }
    iface_apply_mtu(iface);
    iface_apply_mac(iface);
    iface_bring_up(iface);
    uint16_t wanted = iface->ofport_request ? iface->ofport_request : iface->last_ofport;
    code = ofproto_port_add(br->ofproto, iface->netdev, wanted, &iface->ofport, &error);
    if (code) {
        goto fail_close;
    }
    ofproto_port_set_config(br->ofproto, iface->ofport, &iface->other_config);
    iface->open = true;
    iface->last_ofport = iface->ofport;
    iface->opened_ms = clock_now_ms();
    iface->permanent = false;
    iface->status_dirty = true;
    LOG_INFO("bridge %s: added interface %s on port %u", br->name, iface->name, iface->ofport);
    free(before);
    return;

fail_close:
    netdev_close(iface->netdev);
    iface->netdev = NULL;
fail:
    iface->ofport = 0;
    iface_fail(br, iface, code, error, before);
    free(before);
}

void
iface_close(struct bridge_state *br, struct iface_state *iface)
{
    if (!iface->open) {
        return;
    }
    ofproto_port_del(br->ofproto, iface->ofport);
    netdev_close(iface->netdev);
    LOG_INFO("bridge %s: deleted interface %s on port %u", br->name, iface->name,
             iface->ofport);
    iface->netdev = NULL;
    iface->open = false;
    iface->ofport = 0;
    iface->status_dirty = true;
}

/* Options, queues or MTU changed: lets the datapath see.  On failure the port is closed: what
 * runs must be what is configured. */
static bool
iface_reconfigure(struct bridge_state *br, struct iface_state *iface)
{
    char *error = NULL;
    int code = ofproto_port_reconfigure(br->ofproto, iface->ofport, &error);
    if (code) {
        iface_close(br, iface);
        iface_fail(br, iface, code, error, NULL);
    }
    return !code;
}

void
iface_set(struct bridge_state *br, struct iface_state *iface, const struct cfg_iface *cfg)
{
    bool options = !smap_equal(&iface->options, &cfg->options);
    bool other = !smap_equal(&iface->other_config, &cfg->other_config);
    iface_copy_config(iface, cfg);
    iface->status_dirty = true;
    if (options) {
        char *error = NULL;
        int code = netdev_set_config(iface->netdev, &iface->options, &error);
        if (code) {
            iface_close(br, iface);
            iface_fail(br, iface, code, error, NULL);
            return;
        }
    }
    iface_apply_mtu(iface);
    iface_apply_mac(iface);
    if ((options || netdev_needs_reconfigure(iface->netdev)) && !iface_reconfigure(br, iface)) {
        return;
    }
    if (other) {
        ofproto_port_set_config(br->ofproto, iface->ofport, &iface->other_config);
    }
}

void
iface_remove(struct bridge_state *br, struct iface_state *iface)
{
    iface_close(br, iface);
    HASH_DEL(br->ifaces, iface);
    smap_destroy(&iface->options);
    smap_destroy(&iface->other_config);
    free(iface->name);
    free(iface->uuid);
    free(iface->type);
    free(iface->error);
    free(iface);
}

bool
iface_device_changed(struct bridge_state *br, struct iface_state *iface)
{
    iface->status_dirty = true;
    if (!iface->open) {
        if (iface->failed_code == ENODEV || iface->failed_code == EAGAIN ||
            iface->failed_code == EINPROGRESS) {
            iface->retry = true;
            return true;
        }
        /* A try may itself change the device: not more often than this. */
        if (!iface->permanent || iface->failed_code == EINVAL) {
            int64_t soon = clock_now_ms() + RETRY_FIRST_MS;
            iface->retry_at_ms = iface->permanent ? soon : MIN(iface->retry_at_ms, soon);
            iface->permanent = false;
        }
        return false;
    }
    const char *why;
    if (!netdev_is_broken(iface->netdev, &why)) {
        return false;
    }
    COVERAGE_INC(iface_broken);
    char *error = why ? xstrdup(why) : xasprintf("network device %s failed", iface->name);
    bool stable = clock_now_ms() - iface->opened_ms >= STABLE_MS;
    if (stable) {
        iface->n_failures = 0;
    }
    iface_close(br, iface);
    iface_fail(br, iface, EIO, error, error); /* the device's own log line said it */
    iface->retry = stable || iface->n_failures == 1;
    return true;
}

int
iface_reported_ofport(const struct iface_state *iface)
{
    return iface->open ? (int) iface->ofport : iface->is_local ? (int) OFPP_LOCAL_PORT : -1;
}
