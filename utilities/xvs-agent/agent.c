/* SPDX-License-Identifier: Apache-2.0 */
/* Ties devices to sockets: a socket listens while one of its devices is ready.  Owned by
 * agent-main.c, driven by link events and a timer on the main thread. */

#include "utilities/xvs-agent/agent.h"

#include <errno.h>
#include <string.h>

#include "log/log.h"
#include "os/rtnl.h"
#include "util/xalloc.h"

LOG_MODULE(agent);

static int
find_map(void *aux, const struct agent_device_config *config)
{
    const struct agent *a = aux;
    return device_map_fd(&a->devices[config - a->config->devices]);
}

static bool
any_ready(const struct agent *a, const struct listener *l)
{
    for (unsigned i = 0; i < a->config->n_devices; i++) {
        if (a->devices[i].ready && !strcmp(a->config->devices[i].socket, l->path)) {
            return true;
        }
    }
    return false;
}

void
agent_check(struct agent *a)
{
    for (unsigned i = 0; i < a->config->n_devices; i++) {
        if (!device_check(&a->devices[i])) {
            LOG_EMER("cannot get back into the own network namespace; ends");
            a->lost = true;
            evloop_stop(a->loop);
            return;
        }
    }
    for (unsigned i = 0; i < a->n_listeners; i++) {
        struct listener *l = &a->listeners[i];
        if (any_ready(a, l)) {
            listener_open(l);
        } else {
            listener_close(l);
        }
    }
    ev_timer_start(&a->check, AGENT_CHECK_MS);
}

static void
on_check_timer(struct ev_timer *t)
{
    agent_check(t->aux);
}

static void
on_check_soon(struct ev_defer *d)
{
    agent_check(d->aux);
}

/* One of ours, or unknown what: looked at once, after this turn's events. */
static void
on_link(const struct rtnl_link *link, bool deleted, void *aux)
{
    struct agent *a = aux;
    for (unsigned i = 0; i < a->config->n_devices; i++) {
        if (!link || !strcmp(link->name, a->config->devices[i].name)) {
            ev_defer_start(&a->soon);
            return;
        }
    }
}

static void
add_listener(struct agent *a, const struct agent_device_config *d)
{
    for (unsigned i = 0; i < a->n_listeners; i++) {
        if (!strcmp(a->listeners[i].path, d->socket)) {
            return;
        }
    }
    listener_init(&a->listeners[a->n_listeners++], a->loop, a->config, d, find_map, a);
}

int
agent_start(struct agent *a, struct evloop *loop, const struct agent_config *config,
            char **errp)
{
    memset(a, 0, sizeof *a);
    a->loop = loop;
    a->config = config;
    ev_timer_init(&a->check, loop, on_check_timer, a);
    ev_defer_init(&a->soon, loop, on_check_soon, a);
    int error = netns_init();
    if (!error) {
        error = rtnl_monitor_start(loop);
    }
    if (error) {
        error_set(errp, "cannot watch network devices (%s)", strerror(error));
        netns_exit();
        return error;
    }
    rtnl_monitor_subscribe(on_link, a);
    for (unsigned i = 0; i < config->n_devices; i++) {
        device_init(&a->devices[i], &config->devices[i], config->pin_dir);
        add_listener(a, &config->devices[i]);
    }
    agent_check(a);
    return 0;
}

void
agent_stop(struct agent *a)
{
    ev_timer_stop(&a->check);
    ev_defer_stop(&a->soon);
    for (unsigned i = a->n_listeners; i-- > 0;) {
        listener_destroy(&a->listeners[i]);
    }
    for (unsigned i = a->config->n_devices; i-- > 0;) {
        if (!device_destroy(&a->devices[i])) {
            LOG_EMER("cannot get back into the own network namespace");
        }
    }
    netns_exit();
}
