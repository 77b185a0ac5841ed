/* SPDX-License-Identifier: Apache-2.0 */
#ifndef XVS_OPENFLOW_OF_MONITOR_H
#define XVS_OPENFLOW_OF_MONITOR_H 1

/* Flow monitors: Nicira's (1.0 and later), ONF's of 1.3 (EXT-187), and those of 1.4 (section
 * "Flow Monitoring").  No state, any thread. */

#include "openflow/of-actions.h"
#include "openflow/of-flow.h"
#include "openflow/of-match.h"
#include "openflow/of-msg.h"

enum { /* flags; the first five are the same in all forms */
       OFPFMF_INITIAL = 1 << 0,
       OFPFMF_ADD = 1 << 1,
       OFPFMF_REMOVED = 1 << 2,
       OFPFMF_MODIFY = 1 << 3,
       OFPFMF_INSTRUCTIONS = 1 << 4, /* updates carry actions */
};
enum of_monitor_command { OFPFMC_ADD, OFPFMC_MODIFY, OFPFMC_DELETE };
struct of_monitor_request {
    uint32_t id;
    enum of_monitor_command command; /* before 1.4 always ADD */
    uint16_t flags;
    bool own_in_full; /* the controller's own changes are not to be abbreviated.  Nicira's OWN;
                       * 1.4's NO_ABBREV, and ONLY_OWN, by which stock tools mean the same */
    uint8_t table_id; /* OFPTT_ALL */
    uint16_t out_port;
    uint32_t out_group;
    struct of_match match;
};
/* A message may carry several: the next one out of `r`, which begins as the message's body,
 * until that is empty.  OFPBRC_BAD_LEN, OFPMOFC_BAD_FLAGS, BAD_COMMAND, NXBRC_MUST_BE_ZERO, and
 * what matches say. */
enum of_err of_monitor_request_next(const struct of_msg *, struct of_reader *r,
                                    struct of_monitor_request *);
/* OFM_NXT_FLOW_MONITOR_CANCEL. */
enum of_err of_monitor_cancel_decode(const struct of_msg *, uint32_t *id);

enum of_monitor_event {
    OFPFME_INITIAL, /* before 1.4 it goes out as ADDED */
    OFPFME_ADDED,
    OFPFME_REMOVED,
    OFPFME_MODIFIED,
    OFPFME_ABBREV,
    OFPFME_PAUSED,  /* before 1.4 these two are messages of their own, */
    OFPFME_RESUMED, /* OFM_NXT_FLOW_MONITOR_PAUSED and _RESUMED */
};
struct of_monitor_update {
    enum of_monitor_event event;
    uint32_t xid; /* ABBREV, only: of the change; the rest is not used then */
    enum of_flow_removed_reason reason;
    uint8_t table_id;
    uint16_t priority, idle_timeout, hard_timeout;
    uint64_t cookie;
    const struct of_match *match;
    const struct of_act *actions; /* none unless the monitor asked for INSTRUCTIONS */
    size_t actions_len;
};
/* The reply type that a connection's monitors have: the request's form. */
enum of_msg_type of_monitor_reply_type(enum of_msg_type request);
/* One entry of a reply (answer to the request, xid of it; or event, xid 0). */
void of_monitor_update_put(struct of_buf *, enum of_msg_type reply,
                           const struct of_monitor_update *, uint8_t version);

#endif
