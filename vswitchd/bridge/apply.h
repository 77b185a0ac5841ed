/* SPDX-License-Identifier: Apache-2.0 */
#ifndef XVS_VSWITCHD_BRIDGE_APPLY_H
#define XVS_VSWITCHD_BRIDGE_APPLY_H 1

/* Executes plans and keeps the record of what runs.  Main thread. */

#include "vswitchd/bridge/plan.h"
#include "vswitchd/bridge/state.h"

/* Executes the actions in order, each succeeding or failing alone. */
void apply_plan(struct state *, const struct plan *);
/* Takes over the row identities of `cfg`: a record may be served under a new row. */
void apply_identities(struct state *, const struct cfg *);
/* Something about the device `name` changed.  True: make a new plan.  *status is set when there
 * is something new to write. */
bool apply_device_changed(struct state *, const char *name, bool *status);
/* Marks what is due for another try (then true: make a new plan); *next_ms: when to ask again,
 * on clock_now_ms(), or INT64_MAX. */
bool apply_retries(struct state *, int64_t *next_ms);
/* Whether an interface waits for an answer that comes within seconds (EINPROGRESS): then its
 * status is not worth reporting yet. */
bool apply_is_waiting(const struct state *);
/* Destroys every bridge. */
void apply_clear(struct state *);

#endif
