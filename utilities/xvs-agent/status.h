/* SPDX-License-Identifier: Apache-2.0 */
#ifndef XVS_AGENT_STATUS_H
#define XVS_AGENT_STATUS_H 1

/* What the agent is doing, for people and programs: whoever connects to the control socket gets
 * one JSON object and end of file.  Nothing is read from it.  Main thread. */

#include <jansson.h>
#include "utilities/xvs-agent/agent.h"

struct status_server {
    const struct agent *agent;
    struct ev_io io;
    struct ev_timer pause;
    char *path;
};

/* Listens on `path` (copied; mode 0600, root's; one that nobody listens on is replaced).  0 or
 * a positive errno with a sentence. */
int status_server_start(struct status_server *, struct evloop *, const struct agent *,
                        const char *path, char **errp);
void status_server_stop(struct status_server *);
/* The object; the caller's to json_decref(). */
json_t *status_json(const struct agent *);

/* `xvs-agent status`: asks the agent at `path` and prints; returns the exit status.  Waits at
 * most 5 s. */
int status_show(const char *path, bool json);

#endif
