/* SPDX-License-Identifier: Apache-2.0 */
#ifndef XVS_OPENFLOW_OF_TABLE_H
#define XVS_OPENFLOW_OF_TABLE_H 1

/* Flow tables: configuration, statistics, description, features (OpenFlow 1.5.1, sections
 * "Modify Flow Table Message", "Table Statistics", "Table Description", "Table Features").  No
 * state, any thread. */

#include "openflow/of-flow.h"
#include "openflow/of-msg.h"

#define OFP_MAX_TABLE_NAME_LEN 32

enum of_table_miss { /* what to do with a packet that no flow matches; 1.1 and 1.2 configure it
                      */
                     OF_MISS_DEFAULT,
                     OF_MISS_CONTROLLER,
                     OF_MISS_CONTINUE, /* with the next table */
                     OF_MISS_DROP,
};
enum { OFPTMPEF_OTHER = 1 << 0, OFPTMPEF_IMPORTANCE = 1 << 1, OFPTMPEF_LIFETIME = 1 << 2 };

struct of_table_mod {
    uint8_t table_id; /* OFPTT_ALL */
    bool has_miss;    /* 1.1 and 1.2 */
    enum of_table_miss miss;
    bool has_config; /* 1.4 and later */
    bool eviction, vacancy;
    uint32_t eviction_flags;          /* UINT32_MAX: not said */
    uint8_t vacancy_down, vacancy_up; /* percent */
};
/* OFPBRC_BAD_LEN, OFPTMFC_BAD_CONFIG, OFPBPC_*. */
enum of_err of_table_mod_decode(const struct of_msg *, struct of_table_mod *);

struct of_table_desc { /* 1.4 and later */
    uint8_t table_id;
    bool eviction, vacancy;
    uint32_t eviction_flags;
    uint8_t vacancy_down, vacancy_up, vacancy_now;
};
/* One entry of OFM_TABLE_DESC_REPLY. */
void of_table_desc_put(struct of_buf *, const struct of_table_desc *);
enum of_table_reason { OFPTR_VACANCY_DOWN = 3, OFPTR_VACANCY_UP = 4 };
/* 1.4 and later, nothing in others. */
void of_table_status_encode(struct of_buf *, enum of_table_reason, const struct of_table_desc *,
                            uint8_t version, uint32_t xid);

struct of_table_stats {
    uint8_t table_id;
    const char *name; /* up to 31 bytes count */
    uint32_t max_entries, active;
    uint64_t lookups, matched;
    enum of_table_miss miss;
    bool is_last; /* there is no table to go to */
};
/* One entry of OFM_TABLE_STATS_REPLY. */
void of_table_stats_put(struct of_buf *, const struct of_table_stats *, uint8_t version);

struct of_table_features { /* 1.3 and later */
    uint8_t table_id;
    uint8_t n_tables; /* of the pipeline: it may go to all tables behind its own */
    const char *name;
    uint32_t max_entries;
    bool eviction, vacancy; /* can it? (1.4 and later) */
};
/* One entry of OFM_TABLE_FEATURES_REPLY: every field, instruction and action that there is. */
void of_table_features_put(struct of_buf *, const struct of_table_features *, uint8_t version);

#endif
