/* SPDX-License-Identifier: Apache-2.0 */
#ifndef XVS_AGENT_LISTENER_OPEN_H
#define XVS_AGENT_LISTENER_OPEN_H 1

/* The file system's side of a listener; for listener.c only. */

#include "utilities/xvs-agent/listener.h"

/* Folder, socket, owner, listen(2).  The descriptor, or -1 with l->error set. */
int listener_bind(struct listener *);
/* Closes the descriptor (-1: none) and removes the socket if it is still the one made. */
void listener_unbind(struct listener *, int fd);

#endif
