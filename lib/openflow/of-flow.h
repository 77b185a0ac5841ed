/* SPDX-License-Identifier: Apache-2.0 */
#ifndef XVS_OPENFLOW_OF_FLOW_H
#define XVS_OPENFLOW_OF_FLOW_H 1

/* Flow table messages: modifications, statistics, removals, in all their forms (OpenFlow 1.5.1,
 * sections "Modify Flow Entry Message", "Individual Flow Descriptions", "Flow Removed Message";
 * nicira-ext for NXT_ and NXST_).  No state, any thread. */

#include "openflow/of-actions.h"
#include "openflow/of-match.h"
#include "openflow/of-msg.h"
#include "openflow/of-port.h"

#define OFPTT_ALL 0xff
#define OFPG_ANY UINT32_C(0xffffffff) /* also "none" */
#define OFPG_ALL UINT32_C(0xfffffffc)
#define OFPG_MAX UINT32_C(0xffffff00)
#define OFP_NO_BUFFER UINT32_C(0xffffffff)

enum of_flow_command {
    OFPFC_ADD,
    OFPFC_MODIFY,
    OFPFC_MODIFY_STRICT,
    OFPFC_DELETE,
    OFPFC_DELETE_STRICT
};
/* flags, as 1.3 and later number them. */
enum {
    OFPFF_SEND_FLOW_REM = 1 << 0,
    OFPFF_CHECK_OVERLAP = 1 << 1,
    OFPFF_RESET_COUNTS = 1 << 2, /* 1.0 and 1.1 always did it for ADD: it is set there */
    OFPFF_NO_PKT_COUNTS = 1 << 3,
    OFPFF_NO_BYT_COUNTS = 1 << 4,
};

struct of_flow_mod {
    enum of_flow_command command;
    uint8_t table_id; /* OFPTT_ALL: ADD and MODIFY (1.0 only): the switch chooses */
    uint16_t priority;
    struct of_match match;
    uint64_t cookie, cookie_mask; /* which flows to change; mask 0: any */
    uint64_t new_cookie;          /* of flows that are added, UINT64_MAX: not said */
    bool modify_cookie;           /* flows that are modified get it too (1.0 and Nicira's) */
    bool
        modify_adds; /* a MODIFY that finds nothing adds (1.0, 1.1 and Nicira's, with cookie) */
    uint16_t idle_timeout, hard_timeout; /* seconds, 0 = none */
    uint16_t importance;                 /* 1.4 and later, else 0 */
    uint16_t flags;                      /* OFPFF_ */
    uint32_t buffer_id;                  /* OFP_NO_BUFFER */
    uint16_t out_port;                   /* filters of the deletes; OFPP_NONE */
    uint32_t out_group;                  /* OFPG_ANY */
    struct of_actions actions;           /* owned; of deletes without effect, but checked */
};
static inline bool
of_flow_mod_deletes(const struct of_flow_mod *fm)
{
    return fm->command == OFPFC_DELETE || fm->command == OFPFC_DELETE_STRICT;
}
/* OFM_FLOW_MOD and OFM_NXT_FLOW_MOD.  `table_id_ext`: the connection turned on
 * NXT_FLOW_MOD_TABLE_ID (1.0's and Nicira's commands then carry the table).
 * On OF_OK the caller ends with of_flow_mod_free(); on errors nothing is left to free.
 * OFPBRC_BAD_LEN, OFPFMFC_BAD_COMMAND, BAD_FLAGS, BAD_TABLE_ID, TABLE_FULL (1.0's emergency
 * flows), NXBRC_NXM_INVALID, and what matches and actions say. */
enum of_err of_flow_mod_decode(const struct of_msg *, bool table_id_ext, struct of_flow_mod *);
void of_flow_mod_free(struct of_flow_mod *);

/* Flow and aggregate statistics requests, all six forms. */
struct of_flow_request {
    struct of_match match;
    uint8_t table_id; /* OFPTT_ALL */
    uint16_t out_port;
    uint32_t out_group;
    uint64_t cookie, cookie_mask;
};
enum of_err of_flow_request_decode(const struct of_msg *, struct of_flow_request *);

struct of_flow_stats {
    const struct of_match *match;
    uint8_t table_id;
    uint16_t priority;
    uint64_t cookie;
    uint32_t duration_sec, duration_nsec;
    uint16_t idle_timeout, hard_timeout, importance;
    uint16_t flags;
    int idle_age, hard_age;            /* seconds, -1: not known */
    uint64_t packet_count, byte_count; /* UINT64_MAX: not known */
    const struct of_act *actions;
    size_t actions_len;
};
/* One entry of OFM_FLOW_STATS_REPLY or OFM_NXST_FLOW_REPLY, between of_mp_entry_begin() and
 * _end(). */
void of_flow_stats_put(struct of_buf *, enum of_msg_type, const struct of_flow_stats *,
                       uint8_t version);
/* OFM_AGGREGATE_REPLY or OFM_NXST_AGGREGATE_REPLY: the whole message. */
void of_aggregate_encode(struct of_buf *, enum of_msg_type, uint64_t packets, uint64_t bytes,
                         uint32_t flows, uint8_t version, uint32_t xid);

enum of_flow_removed_reason {
    OFPRR_IDLE_TIMEOUT,
    OFPRR_HARD_TIMEOUT,
    OFPRR_DELETE,
    OFPRR_GROUP_DELETE,
    OFPRR_METER_DELETE,
    OFPRR_EVICTION
};
struct of_flow_removed {
    const struct of_match *match;
    uint8_t table_id;
    uint16_t priority;
    uint64_t cookie;
    enum of_flow_removed_reason reason; /* versions that lack it say OFPRR_DELETE */
    uint32_t duration_sec, duration_nsec;
    uint16_t idle_timeout, hard_timeout;
    uint64_t packet_count, byte_count;
};
/* `nxm`: the Nicira form, for 1.0 and 1.1 connections that set the flow format to NXM. */
void of_flow_removed_encode(struct of_buf *, const struct of_flow_removed *, bool nxm,
                            uint8_t version, uint32_t xid);

/* OpenFlow 1.5 statistics (OXS), with padding.  Negative idle age, UINT64_MAX counts: left out.
 */
struct of_oxs {
    bool has_duration, has_flow_count;
    uint32_t duration_sec, duration_nsec, flow_count;
    int idle_age;
    uint64_t packet_count, byte_count;
};
void of_oxs_put(struct of_buf *, const struct of_oxs *);

#endif
