/* SPDX-License-Identifier: Apache-2.0 */
#ifndef XVS_VSWITCHD_BRIDGE_IFACE_H
#define XVS_VSWITCHD_BRIDGE_IFACE_H 1

/* One interface of a bridge: opening, changing, failing, trying again.  Main thread.  No
 * function fails: what goes wrong becomes iface->error, a sentence. */

#include "vswitchd/bridge/state.h"

/* Finds or makes the record, takes the configuration over, opens the device, and adds it to the
 * bridge.  The record must not be open. */
void iface_add(struct bridge_state *, const struct cfg_iface *);
/* Applies what differs to an open one. */
void iface_set(struct bridge_state *, struct iface_state *, const struct cfg_iface *);
/* Takes the device out of the bridge and closes it; the record stays. */
void iface_close(struct bridge_state *, struct iface_state *);
/* Closes and frees the record. */
void iface_remove(struct bridge_state *, struct iface_state *);
/* The device changed: closes a broken one, marks a failed one for another try, and status for
 * writing.  True when a new plan should be made. */
bool iface_device_changed(struct bridge_state *, struct iface_state *);
/* The number that the database is told: of an open port, of LOCAL always, else -1. */
int iface_reported_ofport(const struct iface_state *);

/* How long to wait after a failure that has `n_failures` before it. */
int64_t iface_retry_delay_ms(unsigned n_failures);
/* Does trying again make no sense before the configuration changes? */
bool iface_failure_is_permanent(int code);

#endif
