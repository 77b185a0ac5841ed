/* SPDX-License-Identifier: Apache-2.0 */
#ifndef XVS_RPC_UNIXCTL_H
#define XVS_RPC_UNIXCTL_H 1

/* The control socket that ovs-appctl talks to: JSON-RPC 1.0 over a Unix stream socket, requests
 * handed to ctl_dispatch().  Main thread, on its event loop. */

#include "os/evloop.h"

struct unixctl_server;

/* Listens on `path` (a relative one is in the run folder; an existing socket file is replaced,
 * mode 0750).  On failure returns a positive errno and sets *errp to a sentence.  Several
 * requests of a connection may be open at once; replies go out in the order they are made.  A
 * client that stalls or sends garbage is closed and counted, nothing else. */
int
unixctl_server_create(struct evloop *, const char *path, struct unixctl_server **, char **errp);
/* Flushes replies already made (waits at most 1 s in all), closes, removes the socket file. */
void unixctl_server_destroy(struct unixctl_server *);

#endif
