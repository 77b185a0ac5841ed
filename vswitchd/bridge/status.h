/* SPDX-License-Identifier: Apache-2.0 */
#ifndef XVS_VSWITCHD_BRIDGE_STATUS_H
#define XVS_VSWITCHD_BRIDGE_STATUS_H 1

/* What the daemon tells the database: results of configuration, state of ports, statistics.
 * Each function adds updates to a transaction; values that the database already has are left
 * out by lib/ovsdb.  Main thread. */

#include "ovsdb/ovsdb.h"
#include "util/smap.h"
#include "vswitchd/bridge/cfg.h"
#include "vswitchd/bridge/state.h"

/* iface_types, datapath_types, dpdk_*: constants of this process. */
void status_put_abilities(struct ovsdb_txn *, const char *root_uuid, bool dummy);
/* ofport, error, addresses, link state ... of what is marked dirty (all: of everything), and
 * cur_cfg := cfg->next_cfg.  Clears the marks. */
void status_put(struct ovsdb_txn *, struct state *, const struct cfg *, bool all);
/* Controller.is_connected, role, status (status-openflow.c). */
void status_put_controllers(struct ovsdb_txn *, const struct state *);
/* Interface.statistics of every open interface. */
void status_put_statistics(struct ovsdb_txn *, const struct state *);

/* Open_vSwitch.statistics (system-stats.c) into `out`, which is initialised. */
void system_stats_get(struct smap *out);

#endif
