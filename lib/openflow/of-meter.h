/* SPDX-License-Identifier: Apache-2.0 */
#ifndef XVS_OPENFLOW_OF_METER_H
#define XVS_OPENFLOW_OF_METER_H 1

/* Meters: OpenFlow 1.3 and later (1.3.5, sections "Meter Modification Message" and "Meter
 * Statistics").  No state, any thread. */

#include "openflow/of-msg.h"

#define OFPM_MAX UINT32_C(0xffff0000)
#define OFPM_SLOWPATH UINT32_C(0xfffffffd)
#define OFPM_CONTROLLER UINT32_C(0xfffffffe)
#define OFPM_ALL UINT32_C(0xffffffff)

enum of_meter_command { OFPMC_ADD, OFPMC_MODIFY, OFPMC_DELETE };
enum { OFPMF_KBPS = 1 << 0, OFPMF_PKTPS = 1 << 1, OFPMF_BURST = 1 << 2, OFPMF_STATS = 1 << 3 };
enum of_meter_band_type { OFPMBT_DROP = 1, OFPMBT_DSCP_REMARK = 2 };

#define OF_METER_MAX_BANDS 8
struct of_meter_band {
    enum of_meter_band_type type;
    uint32_t rate, burst;
    uint8_t prec_level; /* DSCP_REMARK */
};
struct of_meter_config {
    uint32_t meter_id;
    uint16_t flags; /* OFPMF_ */
    size_t n_bands;
    struct of_meter_band bands[OF_METER_MAX_BANDS];
};
struct of_meter_mod {
    enum of_meter_command command;
    struct of_meter_config config; /* deletes: only the id, which may be OFPM_ALL */
};
/* OFPBRC_BAD_LEN, OFPMMFC_BAD_COMMAND, BAD_FLAGS, INVALID_METER, BAD_BAND, BAD_RATE,
 * OUT_OF_BANDS. */
enum of_err of_meter_mod_decode(const struct of_msg *, struct of_meter_mod *);
/* For forwarding what one controller asked to the others; false before 1.3. */
bool of_meter_mod_encode(struct of_buf *, const struct of_meter_mod *, uint8_t version,
                         uint32_t xid);
/* Statistics and configuration requests; OFPM_ALL for all. */
enum of_err of_meter_request_decode(const struct of_msg *, uint32_t *meter_id);
/* One entry of OFM_METER_CONFIG_REPLY. */
void of_meter_config_put(struct of_buf *, const struct of_meter_config *);

struct of_meter_stats {
    uint32_t meter_id, flow_count;
    uint64_t packet_in_count, byte_in_count;
    uint32_t duration_sec, duration_nsec;
    size_t n_bands;
    struct {
        uint64_t packets, bytes;
    } bands[OF_METER_MAX_BANDS];
};
/* One entry of OFM_METER_STATS_REPLY. */
void of_meter_stats_put(struct of_buf *, const struct of_meter_stats *);
/* OFM_METER_FEATURES_REPLY; drop bands, all flags. */
void of_meter_features_encode(struct of_buf *, uint32_t max_meters, uint8_t max_bands,
                              uint8_t version, uint32_t xid);

#endif
