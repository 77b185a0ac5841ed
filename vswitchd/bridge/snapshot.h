/* SPDX-License-Identifier: Apache-2.0 */
#ifndef XVS_VSWITCHD_BRIDGE_SNAPSHOT_H
#define XVS_VSWITCHD_BRIDGE_SNAPSHOT_H 1

/* From the OVSDB replica to struct cfg.  Main thread. */

#include "ovsdb/ovsdb.h"
#include "vswitchd/bridge/cfg.h"

/* The tables and columns that the daemon reads, or writes and wants to compare. */
extern const struct ovsdb_spec snapshot_spec;

/* Reads the whole configuration.  Never NULL: an empty or absurd database gives an empty or
 * cleaned configuration, with a log line for each thing left out.  The caller destroys it. */
struct cfg *snapshot_read(const struct ovsdb_client *);
/* snapshot-openflow.c: the columns of a bridge, and of the rows it refers to, about OpenFlow. */
void snapshot_read_openflow(const struct ovsdb_client *, const struct ovsdb_row *,
                            const struct smap *other_config, struct cfg_bridge *);

#endif
