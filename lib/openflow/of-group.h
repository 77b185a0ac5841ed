/* SPDX-License-Identifier: Apache-2.0 */
#ifndef XVS_OPENFLOW_OF_GROUP_H
#define XVS_OPENFLOW_OF_GROUP_H 1

/* Groups (OpenFlow 1.5.1, section "Modify Group Entry Message").  OpenFlow 1.0 has them by
 * Nicira's messages, in 1.5's layout.  No state, any thread. */

#include "openflow/of-actions.h"
#include "openflow/of-flow.h"
#include "openflow/of-msg.h"

enum of_group_command {
    OFPGC_ADD,
    OFPGC_MODIFY,
    OFPGC_DELETE,
    OFPGC_INSERT_BUCKET = 3,   /* 1.5 */
    OFPGC_REMOVE_BUCKET = 5,   /* 1.5 */
    OFPGC_ADD_OR_MOD = 0x8000, /* Nicira */
};
enum of_group_type { OFPGT_ALL, OFPGT_SELECT, OFPGT_INDIRECT, OFPGT_FF, OFPGT_N };
enum { /* bucket ids with a meaning, in command_bucket_id */
       OFPG_BUCKET_MAX = 0xffffff00,
       OFPG_BUCKET_FIRST = 0xfffffffd,
       OFPG_BUCKET_LAST = 0xfffffffe,
       OFPG_BUCKET_ALL = 0xffffffff,
};

struct of_bucket {
    uint32_t id;          /* before 1.5: counted from 0 */
    uint16_t weight;      /* select groups; 1 where 1.5 leaves it out */
    uint16_t watch_port;  /* OFPP_NONE */
    uint32_t watch_group; /* OFPG_ANY */
    struct of_actions actions;
};
struct of_hash_field {
    enum of_field field;
    struct of_value mask; /* which bits of it are hashed */
};
struct of_group_props {        /* of select groups */
    char selection_method[16]; /* "": the switch's choice; "hash", "dp_hash" */
    uint64_t selection_param;
    struct of_hash_field *fields; /* owned */
    size_t n_fields;
};
struct of_group_mod {
    enum of_group_command command;
    enum of_group_type type;
    uint32_t group_id;
    uint32_t command_bucket_id; /* inserts and removals */
    struct of_bucket *buckets;  /* owned */
    size_t n_buckets;
    struct of_group_props props;
};
/* On OF_OK the caller ends with of_group_mod_free().  OFPBRC_BAD_LEN, OFPGMFC_BAD_COMMAND,
 * BAD_TYPE, INVALID_GROUP, BAD_BUCKET, BUCKET_EXISTS, WATCH_UNSUPPORTED, OFPBPC_*, and what
 * actions say. */
enum of_err of_group_mod_decode(const struct of_msg *, struct of_group_mod *);
void of_group_mod_free(struct of_group_mod *);
/* For forwarding what one controller asked to the others.  False, and nothing is put, if
 * `version` has no such command. */
bool of_group_mod_encode(struct of_buf *, const struct of_group_mod *, uint8_t version,
                         uint32_t xid);
void of_buckets_free(struct of_bucket *, size_t n); /* and the array */
void of_group_props_free(struct of_group_props *);

/* Group statistics and description requests: OFPG_ALL for all of them. */
enum of_err of_group_request_decode(const struct of_msg *, uint32_t *group_id);

/* One entry of OFM_GROUP_DESC_REPLY, between of_mp_entry_begin() and _end(). */
struct of_group_desc {
    uint32_t group_id;
    enum of_group_type type;
    const struct of_bucket *buckets;
    size_t n_buckets;
    const struct of_group_props *props;
};
void of_group_desc_put(struct of_buf *, const struct of_group_desc *, uint8_t version);

struct of_bucket_counts {
    uint64_t packets, bytes;
};
struct of_group_stats {
    uint32_t group_id;
    uint32_t ref_count;
    uint64_t packet_count, byte_count;
    uint32_t duration_sec, duration_nsec; /* not in 1.1 and 1.2 */
    const struct of_bucket_counts *buckets;
    size_t n_buckets;
};
void of_group_stats_put(struct of_buf *, const struct of_group_stats *, uint8_t version);

/* OFM_GROUP_FEATURES_REPLY: everything that there is, at most `max_groups` of each type. */
void
of_group_features_encode(struct of_buf *, uint32_t max_groups, uint8_t version, uint32_t xid);

#endif
