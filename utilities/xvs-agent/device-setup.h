/* SPDX-License-Identifier: Apache-2.0 */
#ifndef XVS_AGENT_DEVICE_SETUP_H
#define XVS_AGENT_DEVICE_SETUP_H 1

/* What is done to a device that is in the present namespace; for device.c only. */

#include "utilities/xvs-agent/device.h"

/* Queues, MTU, promiscuity; the program and its map, unless attached already; link up.  0, or a
 * positive errno with a sentence (EEXIST: somebody else's program is attached). */
int device_set_up(struct device *, const struct rtnl_link *, char **errp);

#endif
