/* SPDX-License-Identifier: Apache-2.0 */
#ifndef XVS_AGENT_NETNS_H
#define XVS_AGENT_NETNS_H 1

/* Other network namespaces: looking into them, moving devices there.  Main thread. */

#include <stdbool.h>

/* A namespace by name, kept unopened: an open descriptor would keep it alive after its pod. */
struct netns_ref {
    char *spec; /* name in /run/netns, process number, or absolute path */
    int pidfd;  /* of the process, so that its number cannot come to mean another; -1 */
};

/* Remembers the namespace that the process is in.  Once, before the functions below.  0 or a
 * positive errno. */
int netns_init(void);
void netns_exit(void);
int netns_home_fd(void);

/* Copies `spec`.  A process number is bound to the process that has it now. */
void netns_ref_init(struct netns_ref *, const char *spec);
void netns_ref_free(struct netns_ref *);
/* Opens the namespace: descriptor (the caller's to close) or -1 with a sentence. */
int netns_ref_open(const struct netns_ref *, char **errp);

/* Moves the calling thread into the namespace of `fd`; netns_leave() brings it home.  Between
 * the two nothing may run but the question at hand.  False with a sentence on failure. */
bool netns_enter(int fd, char **errp);
/* False, after several attempts, when there is no way back: the process must end, for it would
 * go on in the wrong place. */
bool netns_leave(void);

/* Moves device `ifindex` of the present namespace into that of `fd`.  0 or a positive errno;
 * EEXIST: a device of that name is there. */
int netns_move_link(int ifindex, int fd);

#endif
