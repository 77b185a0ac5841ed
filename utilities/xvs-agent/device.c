/* SPDX-License-Identifier: Apache-2.0 */
/* Life of a device: see device.h.  Driven by agent.c, by link events and by the clock, on the
 * main thread.  Must not know clients. */

#include "utilities/xvs-agent/device.h"

#include <errno.h>
#include <linux/if_link.h>
#include <net/if.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "log/coverage.h"
#include "log/log.h"
#include "os/rtnl.h"
#include "util/xalloc.h"
#include "utilities/xvs-agent/device-setup.h"

LOG_MODULE(agent_device);
COVERAGE_DEFINE(agent_device_ready);
COVERAGE_DEFINE(agent_device_lost);

void
device_init(struct device *d, const struct agent_device_config *config, const char *pin_dir)
{
    memset(d, 0, sizeof *d);
    d->config = config;
    d->pin_dir = pin_dir;
    d->netns.pidfd = -1;
    if (config->netns) {
        netns_ref_init(&d->netns, config->netns);
    }
    xdp_attach_init(&d->xdp);
    pin_init(&d->pin);
}

int
device_map_fd(const struct device *d)
{
    return d->ready ? d->xdp.map_fd : -1;
}

static bool
is_attached(const struct device *d)
{
    return d->xdp.link_fd >= 0 && xdp_attach_is_alive(&d->xdp);
}

static void
set_waiting(struct device *d, char *error)
{
    if (!d->error || !error || strcmp(d->error, error)) {
        LOG_WARN("%s: %s", d->config->name, error ? error : "not available");
    }
    if (d->ready) {
        COVERAGE_INC(agent_device_lost);
    }
    free(d->error);
    d->error = error ? error : xstrdup("not available");
    d->ready = false;
    d->elsewhere = false;
}

/* The device is no more: the next of that name is another one. */
static void
forget(struct device *d)
{
    xdp_attach_unlink(&d->xdp);
    d->found.known = false;
    d->moved = false;
}

static void
set_ready(struct device *d)
{
    if (!d->ready) {
        COVERAGE_INC(agent_device_ready);
        LOG_INFO("%s: ready (%s mode, %u queues, map of %u slots)", d->config->name,
                 d->generic ? "generic" : "native", d->n_queues, d->n_slots);
    }
    d->ready = true;
    free(d->error);
    d->error = NULL;
}

/* The device is not where it is looked for.  Our program, if it still hangs on it, tells
 * whether it is elsewhere or no more. */
static void
not_here(struct device *d, char *error)
{
    if (is_attached(d)) {
        if (!d->elsewhere) {
            LOG_INFO("%s: was moved to another network namespace, with the program",
                     d->config->name);
        }
        free(error);
        set_ready(d);
        d->elsewhere = true;
    } else {
        forget(d);
        set_waiting(d, error);
    }
}

/* The device is here, in the present namespace. */
static void
prepare(struct device *d, const struct rtnl_link *link)
{
    char *error = NULL;
    bool attached = is_attached(d);
    if (attached && link->xdp_prog_id != d->xdp.prog_id &&
        link->xdp_mode != XDP_ATTACHED_MULTI) {
        /* A namesake: the device that clients use is another one, and lives. */
        not_here(d, NULL);
        return;
    }
    if (!attached || !d->ready || d->elsewhere || link->ifindex != d->ifindex) {
        d->elsewhere = false;
        if (!attached && d->xdp.link_fd >= 0) {
            xdp_attach_unlink(&d->xdp);
            if (!device_is_same(d, link)) {
                forget(d);
            }
        }
        if (device_set_up(d, link, &error)) {
            set_waiting(d, error);
            return;
        }
        d->ifindex = link->ifindex;
    }
    set_ready(d);
}

/* Brings the device from here to the namespace of `fd`. */
static bool
move_there(struct device *d, int fd, char **errp)
{
    struct rtnl_link link;
    int error = rtnl_link_get(d->config->name, &link);
    if (error) {
        error_set(errp, "no network device of this name, here or in network namespace %s",
                  d->netns.spec);
        return false;
    }
    /* A program that is in the way is better told here than after the move. */
    if (link.xdp_prog_id != d->xdp.prog_id && xdp_attach_check_foreign(&link, errp)) {
        return false;
    }
    device_remember(d, &link);
    error = netns_move_link(link.ifindex, fd);
    if (error) {
        error_set(errp, "cannot move it to network namespace %s (%s)", d->netns.spec,
                  strerror(error));
        return false;
    }
    LOG_INFO("%s: moved to network namespace %s", d->config->name, d->netns.spec);
    d->moved = true;
    d->found.ifindex = 0;
    return true;
}

/* Looks in the namespace of `fd` and prepares the device if it is there.  0, ENODEV (nothing
 * was done), or ENOTRECOVERABLE: no way home. */
static int
check_inside(struct device *d, int fd)
{
    struct rtnl_link link;
    char *error = NULL;
    if (!netns_enter(fd, &error)) {
        set_waiting(d, error);
        return 0;
    }
    int code = rtnl_link_get(d->config->name, &link);
    if (!code) {
        prepare(d, &link);
    }
    if (!netns_leave()) {
        return ENOTRECOVERABLE;
    }
    return code ? ENODEV : 0;
}

static bool
check_elsewhere(struct device *d)
{
    char *error = NULL;
    int fd = netns_ref_open(&d->netns, &error);
    if (fd < 0) {
        not_here(d, error);
        return true;
    }
    int code = check_inside(d, fd);
    if (code == ENODEV) {
        if (move_there(d, fd, &error)) {
            code = check_inside(d, fd);
        } else {
            not_here(d, error);
        }
    }
    close(fd);
    return code != ENOTRECOVERABLE;
}

static void
check_pin(struct device *d)
{
    char *error = NULL;
    if (!d->pin_dir || !d->ready || d->pin.path) {
        return;
    }
    uid_t client = d->config->n_uids ? d->config->uids[0] : 0;
    if (!pin_create(&d->pin, d->pin_dir, d->config->name, client, d->xdp.map_fd, &error) &&
        (!d->pin_error || !error || strcmp(d->pin_error, error))) {
        LOG_WARN("%s: %s", d->config->name, error ? error : "cannot pin the map");
    }
    free(d->pin_error);
    d->pin_error = error;
}

bool
device_check(struct device *d)
{
    bool home = true;
    if (d->netns.spec) {
        home = check_elsewhere(d);
    } else {
        struct rtnl_link link;
        int code = rtnl_link_get(d->config->name, &link);
        if (!code) {
            prepare(d, &link);
        } else {
            not_here(d, xasprintf("no network device of this name (%s)", strerror(code)));
        }
    }
    check_pin(d);
    return home;
}

/* Puts back the settings of the device if it is here, in the present namespace, and is the one
 * that was set up.  Its index, or 0. */
static int
restore_here(struct device *d)
{
    struct rtnl_link link;
    if (rtnl_link_get(d->config->name, &link) || !device_is_same(d, &link)) {
        return 0;
    }
    xdp_attach_unlink(&d->xdp); /* it may forbid what follows */
    device_restore(d, &link);
    return link.ifindex;
}

/* Undoes move_there(). */
static bool
move_home(struct device *d, int ifindex)
{
    int error = netns_move_link(ifindex, netns_home_fd());
    if (error) {
        LOG_WARN("%s: cannot bring it back from network namespace %s (%s)", d->config->name,
                 d->netns.spec, strerror(error));
    }
    return !error;
}

/* A link that moves goes down. */
static void
set_up_at_home(struct device *d)
{
    struct rtnl_link link;
    int error = rtnl_link_get(d->config->name, &link);
    if (!error) {
        error = rtnl_link_set_flags(link.ifindex, IFF_UP, 0);
    }
    if (error) {
        LOG_WARN("%s: cannot set it up again (%s)", d->config->name, strerror(error));
    }
}

/* The same for a device that has a namespace.  False: no way home. */
static bool
restore_inside(struct device *d)
{
    int fd = netns_ref_open(&d->netns, NULL), ifindex;
    bool moved = false, entered = fd >= 0 && netns_enter(fd, NULL);
    if (fd >= 0) {
        close(fd);
    }
    if (!entered) { /* a device that outlives its namespace comes home by itself */
        restore_here(d);
        return true;
    }
    ifindex = restore_here(d);
    if (ifindex && d->moved) {
        moved = move_home(d, ifindex);
    }
    if (!netns_leave()) {
        return false;
    }
    if (moved && d->found.up) {
        set_up_at_home(d);
    }
    return true;
}

bool
device_destroy(struct device *d)
{
    bool home = true;
    pin_destroy(&d->pin);
    if (d->netns.spec) {
        home = restore_inside(d);
    } else {
        restore_here(d);
    }
    xdp_attach_unload(&d->xdp);
    netns_ref_free(&d->netns);
    free(d->error);
    free(d->pin_error);
    d->error = d->pin_error = NULL;
    d->ready = false;
    return home;
}
