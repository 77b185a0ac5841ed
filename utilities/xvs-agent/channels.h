/* SPDX-License-Identifier: Apache-2.0 */
#ifndef XVS_AGENT_CHANNELS_H
#define XVS_AGENT_CHANNELS_H 1

/* The number of queues of a device in the present network namespace.  Main thread. */

#include "os/rtnl.h"

/* Gives the device `n` receive (and transmit) queues; nothing happens if it has them.  0, or a
 * positive errno with a sentence: EINVAL more than the device has, EOPNOTSUPP the driver cannot
 * change them, EPERM. */
int channels_set(const struct rtnl_link *, unsigned n, char **errp);

#endif
