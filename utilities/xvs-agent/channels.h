/* SPDX-License-Identifier: Apache-2.0 */
#ifndef XVS_AGENT_CHANNELS_H
#define XVS_AGENT_CHANNELS_H 1

/* The number of queues of a device in the present network namespace.  Main thread. */

#include "os/rtnl.h"

/* Counts as they were. */
struct channels {
    bool changed;
    unsigned combined, rx, tx;
};

/* Gives the device `n` receive (and transmit) queues; nothing happens if it has them.  0, or a
 * positive errno with a sentence: EINVAL more than the device has, EOPNOTSUPP the driver cannot
 * change them, EPERM.  A change leaves the counts from before in *before, unless there are some
 * already. */
int channels_set(const struct rtnl_link *, unsigned n, struct channels *before, char **errp);
/* Puts them back, if the device still has the `n` queues that it was given.  0 or an errno. */
int channels_restore(const char *ifname, unsigned n, const struct channels *before);

#endif
