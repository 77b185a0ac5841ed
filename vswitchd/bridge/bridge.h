/* SPDX-License-Identifier: Apache-2.0 */
#ifndef XVS_VSWITCHD_BRIDGE_BRIDGE_H
#define XVS_VSWITCHD_BRIDGE_BRIDGE_H 1

/* The configured switch: follows the database and reports to it.  One per process; main thread.
 *
 *     replica --snapshot--> struct cfg --plan--> actions --apply--> struct state
 *        ^                                                              |
 *        +--------------------------- status <--------------------------+
 */

#include <stdbool.h>
#include "os/evloop.h"

struct bridge_options {
    const char *remotes; /* OVSDB targets, separated by commas */
    bool dummy;          /* --enable-dummy: the datapath type "dummy" exists */
    bool ssl_by_options; /* TLS files came on the command line: the database's are ignored */
    void (*configured)(void); /* called once: the first configuration is in effect, or
                               * another process has the lock */
};

/* Starts to follow the database.  netdev, dp and ofproto are initialised.  False with a
 * sentence in *errp when `remotes` makes no sense. */
bool bridge_init(struct evloop *, const struct bridge_options *, char **errp);
/* Destroys all bridges and leaves the database; harmless without bridge_init(). */
void bridge_exit(void);

#endif
