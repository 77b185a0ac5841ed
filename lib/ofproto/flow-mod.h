/* SPDX-License-Identifier: Apache-2.0 */
#ifndef XVS_OFPROTO_FLOW_MOD_H
#define XVS_OFPROTO_FLOW_MOD_H 1

/* Changes to tables, groups and meters, as OpenFlow messages and learn actions ask for them,
 * and who asks. */

#include "openflow/of-actions.h"
#include "openflow/of-match.h"

#define OFPTT_ALL 0xff
#define OFPG_ANY UINT32_C(0xffffffff)
#define OFPG_ALL UINT32_C(0xfffffffc)
#define OFPG_MAX UINT32_C(0xffffff00)

enum of_flow_command {
    OFPFC_ADD,
    OFPFC_MODIFY,
    OFPFC_MODIFY_STRICT,
    OFPFC_DELETE,
    OFPFC_DELETE_STRICT
};
enum {
    OFPFF_SEND_FLOW_REM = 1 << 0,
    OFPFF_CHECK_OVERLAP = 1 << 1,
    OFPFF_RESET_COUNTS = 1 << 2,
    OFPFF_NO_PKT_COUNTS = 1 << 3,
    OFPFF_NO_BYT_COUNTS = 1 << 4,
};
enum of_flow_removed_reason {
    OFPRR_IDLE_TIMEOUT,
    OFPRR_HARD_TIMEOUT,
    OFPRR_DELETE,
    OFPRR_GROUP_DELETE,
    OFPRR_METER_DELETE,
    OFPRR_EVICTION
};
struct of_flow_mod {
    enum of_flow_command command;
    uint8_t table_id; /* OFPTT_ALL: all for deletions; for additions the switch chooses */
    uint16_t priority;
    struct of_match match;
    uint64_t cookie, cookie_mask; /* which flows to change; mask 0: any */
    uint64_t new_cookie;          /* of flows that are added, or if: */
    bool modify_cookie;           /* modified flows get it too */
    uint16_t idle_timeout, hard_timeout, importance, flags;
    uint16_t out_port;
    uint32_t out_group;
    struct of_actions actions;
};

/* Who asks: passed on to events. */
struct of_requester {
    const void *owner; /* a connection, NULL: the switch itself */
    uint32_t xid;
    uint8_t version;
};

/* ---- Groups ---- */

enum of_group_type { OFPGT_ALL, OFPGT_SELECT, OFPGT_INDIRECT, OFPGT_FF };
enum of_group_command { /* wire values of OpenFlow 1.5 */
                        OFPGC_ADD,
                        OFPGC_MODIFY,
                        OFPGC_DELETE,
                        OFPGC_INSERT_BUCKET,
                        OFPGC_REMOVE_BUCKET = 5,
                        OFPGC_ADD_OR_MOD = 0x8000
};
enum { /* bucket numbers with a meaning */
       OFPG_BUCKET_MAX = 0xffffff00u,
       OFPG_BUCKET_FIRST = 0xfffffffdu,
       OFPG_BUCKET_LAST = 0xfffffffeu,
       OFPG_BUCKET_ALL = 0xffffffffu
};
struct of_bucket {
    uint32_t id;          /* OFPG_BUCKET_ALL: not given (before 1.5), the switch numbers */
    uint16_t weight;      /* select */
    uint16_t watch_port;  /* OFPP_NONE */
    uint32_t watch_group; /* OFPG_ANY */
    struct of_actions actions;
};
struct of_group_mod {
    enum of_group_command command;
    enum of_group_type type;
    uint32_t id;             /* OFPG_ALL: deletions */
    uint32_t command_bucket; /* insert, remove: where */
    struct of_bucket *buckets;
    unsigned n_buckets;
    char selection_method[16]; /* "", "hash", "dp_hash" */
    uint64_t selection_param;
    uint8_t n_fields; /* selection fields with masks */
    struct {
        enum of_field f;
        struct of_value mask;
    } fields[16];
};

/* ---- Meters ---- */

enum of_meter_command { OFPMC_ADD, OFPMC_MODIFY, OFPMC_DELETE };
enum { OFPMF_KBPS = 1, OFPMF_PKTPS = 2, OFPMF_BURST = 4, OFPMF_STATS = 8 };
enum { /* meter numbers with a meaning */
       OFPM_MAX = 0xffff0000u,
       OFPM_SLOWPATH = 0xfffffffdu,
       OFPM_CONTROLLER = 0xfffffffeu,
       OFPM_ALL = 0xffffffffu
};
enum { OFPMBT_DROP = 1, OFPMBT_DSCP_REMARK = 2 };
struct of_meter_band {
    uint16_t type;
    uint8_t prec_level;   /* dscp_remark */
    uint32_t rate, burst; /* kbps or packets/s; kbit or packets */
};
struct of_meter_mod {
    enum of_meter_command command;
    uint32_t id;
    uint16_t flags; /* OFPMF_* */
    unsigned n_bands;
    struct of_meter_band *bands;
};

#endif
