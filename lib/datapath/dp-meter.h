/* SPDX-License-Identifier: Apache-2.0 */
#ifndef XVS_DATAPATH_DP_METER_H
#define XVS_DATAPATH_DP_METER_H 1

/* Meters: limits on the rate of packets that pass them (OpenFlow 1.3.5, section 5.7).
 *
 * A band is a token bucket, kept as the time at which it will be full again (the "theoretical
 * arrival time" of ITU-T I.371's generic cell rate algorithm): one atomic word, which polling
 * threads advance by compare-and-swap once per batch.  No lock.
 *
 *   dp_meter_set, _del, _get_stats    main
 *   dp_meter_run                      polling threads, in an RCU read-side section */

#include <stdbool.h>
#include <stdint.h>
#include "datapath/dp.h"
#include "packet/packet.h"

#define DP_METER_MAX 262144u /* ids are below */
#define DP_METER_BANDS_MAX 8u

struct dp_meter_band {
    uint32_t rate;  /* kbit/s or packets/s; at least 1 */
    uint32_t burst; /* kbit or packets that may come at once; 0: what a second lets pass */
};
struct dp_meter_config {
    bool packets; /* counts packets, not bits */
    unsigned n_bands;
    struct dp_meter_band bands[DP_METER_BANDS_MAX];
};
struct dp_meter_stats {
    uint64_t n_packets, n_bytes; /* that came to the meter */
    int64_t created_ms;
    struct {
        uint64_t n_packets, n_bytes; /* over this band's rate: dropped */
    } bands[DP_METER_BANDS_MAX];
};

/* Makes meter `id` or replaces it, with its statistics at zero.  EINVAL (id or a rate out of
 * range, too many bands) or 0. */
int dp_meter_set(struct dp *, uint32_t id, const struct dp_meter_config *);
/* Packets of megaflows that still name it pass.  ENOENT: there is none. */
int dp_meter_del(struct dp *, uint32_t id);
/* A snapshot; exact when nothing moves.  False: there is no such meter. */
bool dp_meter_get_stats(const struct dp *, uint32_t id, struct dp_meter_stats *);

/* Drops and counts the packets over the limit; the others stay in the batch, in their order.  A
 * packet over several bands' rates is counted by the one with the highest rate.  Without such a
 * meter all pass. */
void dp_meter_run(const struct dp *, uint32_t id, struct packet_batch *);
/* dp.c: frees all, when nobody reads any more. */
struct meter_table;
void dp_meters_destroy(struct meter_table *);

#endif
