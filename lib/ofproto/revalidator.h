/* SPDX-License-Identifier: Apache-2.0 */
#ifndef XVS_OFPROTO_REVALIDATOR_H
#define XVS_OFPROTO_REVALIDATOR_H 1

/* The thread that keeps megaflows true: credits what they carried, re-translates them when
 * something changed, expires those that are idle, ages MAC addresses.
 *
 * Changes are announced by one sequence number: whoever changed something that a translation
 * may depend on calls revalidator_changed() after the change is visible; a translation reads
 * the number before it reads anything else, and a megaflow whose number is old is translated
 * anew. */

#include <stdbool.h>
#include <stdint.h>

void revalidator_start(void); /* main, once */
void revalidator_stop(void);  /* main; idempotent */

/* Any thread; cheap when a pass is due already. */
void revalidator_changed(void);
uint64_t revalidator_seq(void);

/* Asks for a pass that begins after this call; its ticket.  `purge`: that pass deletes all
 * megaflows.  Main. */
uint64_t revalidator_request(bool purge);
uint64_t revalidator_completed(void); /* highest ticket served; any thread */
/* Waits for a ticket, at most `timeout_ms` of real time; the caller is RCU-offline meanwhile.
 */
bool revalidator_wait(uint64_t ticket, int timeout_ms);
/* While held, passes are made only when they are asked for: not by time, not for changes. Main.
 */
void revalidator_hold(bool);
/* `cb` is called on the revalidator thread whenever tickets have been served. */
void revalidator_set_notify(void (*cb)(void));

struct revalidator_config {
    int max_idle_ms;        /* 500 and up */
    int max_revalidator_ms; /* 100 and up */
    uint32_t flow_limit;
    uint32_t min_pps; /* slower flows are dropped when passes are slow */
    bool paused;      /* flow-restore-wait: nothing expires */
};
void revalidator_configure(const struct revalidator_config *); /* main */
/* upcall/set-flow-limit: the limit from which it adapts. */
void revalidator_set_flow_limit(uint32_t);

struct revalidator_status {
    uint32_t n_flows, avg_flows, max_flows, flow_limit;
    int64_t dump_ms; /* how long the last pass took */
    unsigned thread_id;
};
void revalidator_get_status(struct revalidator_status *);

#endif
