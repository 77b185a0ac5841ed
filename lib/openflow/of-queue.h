/* SPDX-License-Identifier: Apache-2.0 */
#ifndef XVS_OPENFLOW_OF_QUEUE_H
#define XVS_OPENFLOW_OF_QUEUE_H 1

/* Queues of ports (OpenFlow 1.5.1, sections "Queue Statistics", "Queue Description"; before 1.4
 * "Queue Configuration Messages").  No state, any thread. */

#include "openflow/of-msg.h"
#include "openflow/of-port.h"

#define OFPQ_ALL UINT32_C(0xffffffff)

struct of_queue_request {
    uint16_t port;  /* OFPP_NONE: all (1.0's OFPP_ALL too) */
    uint32_t queue; /* OFPQ_ALL */
};
/* Statistics, "get config" (before 1.4) and descriptions (from then on). */
enum of_err of_queue_request_decode(const struct of_msg *, struct of_queue_request *);

struct of_queue_stats {
    uint16_t port;
    uint32_t queue;
    uint64_t tx_bytes, tx_packets, tx_errors; /* UINT64_MAX: not known */
    uint32_t duration_sec, duration_nsec;     /* UINT32_MAX */
};
/* One entry of OFM_QUEUE_STATS_REPLY. */
void of_queue_stats_put(struct of_buf *, const struct of_queue_stats *, uint8_t version);

#define OFPQ_RATE_UNKNOWN 0xffff
struct of_queue_config {
    uint16_t port;
    uint32_t queue;
    uint16_t min_rate, max_rate; /* tenths of a percent, OFPQ_RATE_UNKNOWN: none */
};
/* Before 1.4: the reply is one message, begun by this, with the entries behind, ended by
 * of_msg_end().  From 1.4 on: a multipart reply OFM_QUEUE_DESC_REPLY. */
size_t of_queue_config_begin(struct of_buf *, uint16_t port, uint8_t version, uint32_t xid);
/* One queue, in either form. */
void of_queue_config_put(struct of_buf *, const struct of_queue_config *, uint8_t version);

#endif
