/* SPDX-License-Identifier: Apache-2.0 */
#ifndef XVS_OPENFLOW_OF_PORT_H
#define XVS_OPENFLOW_OF_PORT_H 1

/* Ports: descriptions, statistics, changes, events.  Port numbers are 16 bits everywhere inside
 * (openflow/of-field.h); the wire of OpenFlow 1.1 and later has 32.  Sources:
 * OpenFlow 1.5.1, sections "Port Structures", "Port Statistics", "Port Status Message", and
 * those of the same names before.  No state, any thread. */

#include "openflow/of-field.h"
#include "openflow/of-msg.h"
#include "util/ether.h"

/* A port number on the wire of `version`.  OFPBRC_BAD_LEN, or OFPBAC_BAD_OUT_PORT for a number
 * that no port can have. */
enum of_err of_read_port(struct of_reader *, uint8_t version, uint16_t *port);
void of_put_port(struct of_buf *, uint8_t version, uint16_t port);

/* Port.config; in parentheses the only versions that have the bit. */
enum {
    OFPPC_PORT_DOWN = 1 << 0,
    OFPPC_NO_STP = 1 << 1, /* (1.0) */
    OFPPC_NO_RECV = 1 << 2,
    OFPPC_NO_RECV_STP = 1 << 3, /* (1.0) */
    OFPPC_NO_FLOOD = 1 << 4,    /* (1.0) */
    OFPPC_NO_FWD = 1 << 5,
    OFPPC_NO_PACKET_IN = 1 << 6,
};
/* Port.state. */
enum {
    OFPPS_LINK_DOWN = 1 << 0,
    OFPPS_BLOCKED = 1 << 1, /* (1.1 and later) */
    OFPPS_LIVE = 1 << 2,    /* (1.1 and later) */
    OFPPS_STP_LISTEN = 0,   /* (1.0) */
    OFPPS_STP_LEARN = 1 << 8,
    OFPPS_STP_FORWARD = 2 << 8,
    OFPPS_STP_BLOCK = 3 << 8,
    OFPPS_STP_MASK = 3 << 8,
};
/* Features, as OpenFlow 1.1 and later number them. */
enum {
    OFPPF_10MB_HD = 1 << 0,
    OFPPF_10MB_FD = 1 << 1,
    OFPPF_100MB_HD = 1 << 2,
    OFPPF_100MB_FD = 1 << 3,
    OFPPF_1GB_HD = 1 << 4,
    OFPPF_1GB_FD = 1 << 5,
    OFPPF_10GB_FD = 1 << 6,
    OFPPF_40GB_FD = 1 << 7,
    OFPPF_100GB_FD = 1 << 8,
    OFPPF_1TB_FD = 1 << 9,
    OFPPF_OTHER = 1 << 10,
    OFPPF_COPPER = 1 << 11,
    OFPPF_FIBER = 1 << 12,
    OFPPF_AUTONEG = 1 << 13,
    OFPPF_PAUSE = 1 << 14,
    OFPPF_PAUSE_ASYM = 1 << 15,
};

#define OFP_MAX_PORT_NAME_LEN 16 /* with the terminator */
struct of_port {
    uint16_t no;
    struct eth_addr hw;
    char name[64]; /* cut to OFP_MAX_PORT_NAME_LEN on the wire */
    uint32_t config, state;
    uint32_t curr, advertised, supported, peer; /* OFPPF_ */
    uint32_t curr_kbps, max_kbps;
};
/* Appends one description, as features replies, port descriptions and port status carry it. */
void of_port_put(struct of_buf *, const struct of_port *, uint8_t version);
/* How long of_port_put() makes it. */
size_t of_port_len(uint8_t version);
/* A port description request; `*port` is OFPP_NONE for all. */
enum of_err of_port_desc_request_decode(const struct of_msg *, uint16_t *port);

enum of_port_reason { OFPPR_ADD, OFPPR_DELETE, OFPPR_MODIFY };
void of_port_status_encode(struct of_buf *, enum of_port_reason, const struct of_port *,
                           uint8_t version, uint32_t xid);

struct of_port_mod {
    uint16_t port;
    struct eth_addr hw;    /* to be checked against the port's */
    uint32_t config, mask; /* OFPPC_; only bits that the version has */
    uint32_t advertise;    /* OFPPF_; 0 = no change */
};
/* OFPBRC_BAD_LEN, OFPPMFC_BAD_PORT, OFPBPC_*. */
enum of_err of_port_mod_decode(const struct of_msg *, struct of_port_mod *);

/* Statistics.  A counter that is not kept is UINT64_MAX. */
enum of_rmon { /* RFC 2819 and relatives, in the order of the experimenter property */
               OF_RMON_RX_64,
               OF_RMON_RX_65_127,
               OF_RMON_RX_128_255,
               OF_RMON_RX_256_511,
               OF_RMON_RX_512_1023,
               OF_RMON_RX_1024_1522,
               OF_RMON_RX_1523_MAX,
               OF_RMON_TX_64,
               OF_RMON_TX_65_127,
               OF_RMON_TX_128_255,
               OF_RMON_TX_256_511,
               OF_RMON_TX_512_1023,
               OF_RMON_TX_1024_1522,
               OF_RMON_TX_1523_MAX,
               OF_RMON_TX_MULTICAST,
               OF_RMON_RX_BROADCAST,
               OF_RMON_TX_BROADCAST,
               OF_RMON_RX_UNDERSIZED,
               OF_RMON_RX_OVERSIZE,
               OF_RMON_RX_FRAGMENTED,
               OF_RMON_RX_JABBER,
               OF_RMON_N
};
struct of_custom_counter {
    const char *name; /* up to 255 bytes; borrowed */
    uint64_t value;
};
struct of_port_stats {
    uint16_t port;
    uint32_t duration_sec, duration_nsec; /* UINT32_MAX: not known */
    uint64_t rx_packets, tx_packets, rx_bytes, tx_bytes;
    uint64_t rx_dropped, tx_dropped, rx_errors, tx_errors;
    uint64_t rx_frame_err, rx_over_err, rx_crc_err, collisions;
    uint64_t rmon[OF_RMON_N];               /* sent from 1.4 on */
    const struct of_custom_counter *custom; /* likewise, when any */
    size_t n_custom;
};
/* Everything UINT64_MAX. */
void of_port_stats_init(struct of_port_stats *, uint16_t port);
enum of_err of_port_stats_request_decode(const struct of_msg *, uint16_t *port);
/* One entry of a OFM_PORT_STATS_REPLY, between of_mp_entry_begin() and _end(). */
void of_port_stats_put(struct of_buf *, const struct of_port_stats *, uint8_t version);

#endif
