/* SPDX-License-Identifier: Apache-2.0 */
#ifndef XVS_AGENT_LISTENER_H
#define XVS_AGENT_LISTENER_H 1

/* A socket that serves one or several devices.
 *
 *   CLOSED --open--> LISTENING --close--> CLOSED
 *      |                 |  with --once: one client was served, or none came in the idle time
 *      +-- (refused) ----+-------------------> DONE   for the life of the process
 *
 * Who may connect is checked by SO_PEERCRED before a byte is sent.  Main thread. */

#include <stdbool.h>
#include <stdint.h>
#include <sys/stat.h>
#include "os/evloop.h"
#include "utilities/xvs-agent/config.h"
#include "utilities/xvs-agent/folder.h"
#include "utilities/xvs-agent/session.h"

#define LISTENER_SESSIONS_MAX 8u

enum listener_state { LISTENER_CLOSED, LISTENER_LISTENING, LISTENER_DONE };

/* The XSKMAP of a device, borrowed, or -1. */
typedef int listener_map_fn(void *aux, const struct agent_device_config *);

struct listener {
    struct evloop *loop;
    const struct agent_config *config;
    const struct agent_device_config *client; /* the first device: says who may connect */
    const char *path;
    listener_map_fn *map_fd;
    void *aux;

    enum listener_state state;
    struct folder *outer, folder;
    bool folder_is_own; /* DIR/IFNAME: lent to the client */
    const char *name;   /* of the socket in the folder; part of `path` */
    struct stat st;
    struct ev_io io;
    struct ev_timer
        pause; /* after accept() failed; with --once, how long to wait for a client */
    struct session *sessions;
    unsigned n_sessions;
    uint64_t n_accepted, n_refused;
    char *error; /* why it is not listening; NULL */
};

/* For the socket of `client`; all are borrowed. */
void listener_init(struct listener *, struct evloop *, const struct agent_config *,
                   const struct agent_device_config *client, listener_map_fn *, void *aux);
/* Listens, if CLOSED; makes a socket again that somebody removed.  False with `error` set: try
 * again later. */
bool listener_open(struct listener *);
/* Stops listening and removes the socket; sessions go on. */
void listener_close(struct listener *);
/* Ends everything, removes everything that was made. */
void listener_destroy(struct listener *);

#endif
