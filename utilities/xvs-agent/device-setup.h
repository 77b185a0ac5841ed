/* SPDX-License-Identifier: Apache-2.0 */
#ifndef XVS_AGENT_DEVICE_SETUP_H
#define XVS_AGENT_DEVICE_SETUP_H 1

/* What is done to a device that is in the present namespace; for device.c only. */

#include "utilities/xvs-agent/device.h"

/* Queues, MTU, promiscuity; the program and its map, unless attached already; link up.  0, or a
 * positive errno with a sentence (EEXIST: somebody else's program is attached). */
int device_set_up(struct device *, const struct rtnl_link *, char **errp);
/* Notes how the device is, once in its life, before anything is done to it. */
void device_remember(struct device *, const struct rtnl_link *);
/* Whether that is the device of which it was noted. */
bool device_is_same(const struct device *, const struct rtnl_link *);
/* Puts queues, MTU and promiscuity back, and the link down if it was; all but what somebody
 * else has changed since.  The program is off. */
void device_restore(const struct device *, const struct rtnl_link *);

#endif
