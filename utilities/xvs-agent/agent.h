/* SPDX-License-Identifier: Apache-2.0 */
#ifndef XVS_AGENT_AGENT_H
#define XVS_AGENT_AGENT_H 1

/* The whole: devices, their sockets, the checks that keep both going.  Main thread. */

#include <stdbool.h>
#include "os/evloop.h"
#include "utilities/xvs-agent/config.h"
#include "utilities/xvs-agent/device.h"
#include "utilities/xvs-agent/listener.h"

#define AGENT_CHECK_MS 1000 /* what no event tells (other namespaces) is noticed this late */

struct agent {
    struct evloop *loop;
    const struct agent_config *config;
    struct device devices[AGENT_DEVICES_MAX];
    struct listener listeners[AGENT_DEVICES_MAX];
    unsigned n_listeners;
    struct ev_timer check;
    struct ev_defer soon;
    bool lost; /* in a foreign namespace without a way back: ends the loop */
};

/* Prepares what can be prepared and listens; the rest follows when it becomes possible.  `a`
 * and `config` must stay where they are; one agent per process.  0 or a positive errno with a
 * sentence. */
int agent_start(struct agent *a, struct evloop *, const struct agent_config *, char **errp);
/* Looks at everything now. */
void agent_check(struct agent *);
/* Removes all that was made. */
void agent_stop(struct agent *);

/* The program: `argv` as main() has it; returns the exit status. */
int agent_main(int argc, char *argv[]);

#endif
