/* SPDX-License-Identifier: Apache-2.0 */
/* Writes one of each message that a switch sends, in the OpenFlow version given (1 to 6), as
 * lines of hex: for `ovs-ofctl ofp-print`, which has to read them. */

#include <endian.h>
#include <stdio.h>
#include <stdlib.h>

#include "openflow/of-bundle.h"
#include "openflow/of-flow.h"
#include "openflow/of-group.h"
#include "openflow/of-meter.h"
#include "openflow/of-monitor.h"
#include "openflow/of-packet.h"
#include "openflow/of-queue.h"
#include "openflow/of-role.h"
#include "openflow/of-switch.h"
#include "openflow/of-table.h"
#include "openflow/of-tlv.h"

static uint8_t version;
static struct of_buf b = OF_BUF_INIT;
static struct of_mp_writer w;

/* Prints the messages in the buffer and empties it. */
static void
show(void)
{
    for (size_t pos = 0; pos + OF_HEADER_LEN <= b.len;) {
        size_t len = of_get_be16(b.data + pos + 2);

        for (size_t i = 0; i < len && pos + i < b.len; i++) {
            printf("%02x", b.data[pos + i]);
        }
        printf("\n");
        pos += len ? len : b.len;
    }
    of_buf_clear(&b);
}

/* A multipart reply of one entry: begin, put it, end. */
static void
begin(enum of_msg_type type)
{
    of_mp_begin(&w, &b, type, version, 1);
    of_mp_entry_begin(&w);
}

static void
end(void)
{
    of_mp_entry_end(&w);
    of_mp_end(&w);
    show();
}

static void
ports(void)
{
    static const struct of_custom_counter custom = {"abc", 9};
    const struct of_port p = {
        .no = 3,
        .name = "eth0",
        .hw = {{2, 0, 0, 0, 0, 1}},
        .config = OFPPC_PORT_DOWN | OFPPC_NO_RECV | OFPPC_NO_FWD | OFPPC_NO_PACKET_IN,
        .state = OFPPS_LIVE,
        .curr = OFPPF_10GB_FD | OFPPF_FIBER | OFPPF_AUTONEG,
        .advertised = OFPPF_1GB_FD,
        .supported = OFPPF_PAUSE | OFPPF_100MB_HD,
        .curr_kbps = 10000000,
        .max_kbps = 20000000,
    };
    struct of_port_stats s;

    of_port_status_encode(&b, OFPPR_ADD, &p, version, 0);
    show();
    of_port_stats_init(&s, 3);
    s.rx_packets = 1;
    s.tx_packets = 2;
    s.rx_bytes = 3;
    s.tx_bytes = 4;
    s.rx_dropped = 5;
    s.tx_dropped = 6;
    s.rx_errors = 7;
    s.tx_errors = 8;
    s.rx_frame_err = 9;
    s.rx_over_err = 10;
    s.rx_crc_err = 11;
    s.collisions = 12;
    for (int i = 0; i < OF_RMON_N; i++) {
        s.rmon[i] = 100 + (uint64_t) i;
    }
    s.duration_sec = 5;
    s.duration_nsec = 0;
    s.custom = &custom;
    s.n_custom = 1;
    begin(OFM_PORT_STATS_REPLY);
    of_port_stats_put(&b, &s, version);
    end();
}

static void
queues_and_meters(void)
{
    const struct of_queue_config q = {.port = 3, .queue = 7, .min_rate = 100, .max_rate = 500};
    const struct of_queue_stats qs = {3, 7, 1, 2, 3, 4, 5};
    const struct of_meter_stats ms = {
        .meter_id = 3,
        .flow_count = 1,
        .packet_in_count = 5,
        .byte_in_count = 6,
        .duration_sec = 2,
        .n_bands = 1,
        .bands = {{8, 9}},
    };

    if (version < OF14_VERSION) {
        size_t start = of_queue_config_begin(&b, 3, version, 1);

        of_queue_config_put(&b, &q, version);
        of_msg_end(&b, start);
        show();
    } else {
        begin(OFM_QUEUE_DESC_REPLY);
        of_queue_config_put(&b, &q, version);
        end();
    }
    begin(OFM_QUEUE_STATS_REPLY);
    of_queue_stats_put(&b, &qs, version);
    end();
    if (version >= OF13_VERSION) {
        begin(OFM_METER_STATS_REPLY);
        of_meter_stats_put(&b, &ms);
        end();
    }
}

static void
tables(void)
{
    const struct of_table_desc desc = {1, true, true, 7, 10, 20, 15};
    const struct of_table_stats s = {
        .table_id = 3,
        .name = "acl",
        .max_entries = 1000,
        .active = 5,
        .lookups = 7,
        .matched = 6,
        .miss = OF_MISS_DROP,
    };
    struct of_table_features f = {.n_tables = 3, .name = "acl", .max_entries = 1000};

    of_table_status_encode(&b, OFPTR_VACANCY_UP, &desc, version, 0);
    show();
    begin(OFM_TABLE_STATS_REPLY);
    of_table_stats_put(&b, &s, version);
    end();
    if (version >= OF13_VERSION) {
        of_mp_begin(&w, &b, OFM_TABLE_FEATURES_REPLY, version, 1);
        for (uint8_t i = 0; i < 3; i++) {
            f.table_id = i;
            of_mp_entry_begin(&w);
            of_table_features_put(&b, &f, version);
            of_mp_entry_end(&w);
        }
        of_mp_end(&w);
        show();
    }
}

static void
connection(void)
{
    const struct of_role_msg role = {OFPCR_ROLE_PRIMARY, true, 77};
    const struct of_tlv_map map = {0x102, 3, 8, 5};
    const uint8_t meter_del[] = {version, 29, 0, 16, 0, 0, 0, 7, 0, 2, 0, 0, 0, 0, 0, 1};
    struct of_async async;

    of_role_reply_encode(&b, &role, version, 1);
    show();
    of_role_status_encode(&b, &role, OFPCRR_CONFIG, version, 1);
    show();
    of_async_init(&async, version);
    of_async_reply_encode(&b, &async, version, 1);
    show();
    of_tlv_reply_encode(&b, &map, 1, version, 1);
    show();
    if (version >= OF13_VERSION) {
        of_requestforward_encode(&b, meter_del, sizeof meter_del, version, 0);
        show();
    }
}

static void
packet_ins(void)
{
    static const char packet[] = "\0\1\2\3\4\5\0\1\2\3\4\6\x88\xcc\0\0";
    const struct flow flow = {
        .meta = {.in_port = 3, .pkt_mark = 9},
        .regs = {.reg = {1, 2}, .metadata_be = htobe64(5)},
    };
    const struct of_packet_in pin = {
        .packet = packet,
        .packet_len = 16,
        .total_len = 16,
        .reason = OFPR_INVALID_TTL,
        .table_id = 2,
        .cookie = 5,
        .flow = &flow,
        .userdata = "ab",
        .userdata_len = 2,
    };

    for (int format = NXPIF_STANDARD; format <= NXPIF_NXT_PACKET_IN2; format++) {
        of_packet_in_encode(&b, &pin, format, version, 0);
        show();
    }
}

static void
flows(void)
{
    enum of_msg_type monitor =
        version < OF13_VERSION ? OFM_NXST_FLOW_MONITOR_REPLY : OFM_FLOW_MONITOR_REPLY;
    enum of_msg_type stats =
        version == OF10_VERSION ? OFM_NXST_FLOW_REPLY : OFM_FLOW_STATS_REPLY;
    struct of_match m;
    struct of_flow_removed fr = {
        .match = &m,
        .table_id = 2,
        .priority = 9,
        .cookie = 6,
        .reason = OFPRR_METER_DELETE,
        .duration_sec = 1,
        .idle_timeout = 7,
        .hard_timeout = 8,
        .packet_count = 1,
        .byte_count = 2,
    };
    struct of_flow_stats fs = {
        .match = &m,
        .table_id = 2,
        .priority = 9,
        .cookie = 6,
        .duration_sec = 4,
        .flags = OFPFF_SEND_FLOW_REM,
        .importance = 3,
        .idle_age = 2,
        .hard_age = 3,
        .packet_count = 1,
        .byte_count = 2,
    };
    struct of_monitor_update u = {
        .event = OFPFME_MODIFIED, .table_id = 1, .priority = 9, .cookie = 5, .match = &m};

    of_match_init(&m);
    of_match_set_u64(&m, OFF_IN_PORT, 3);
    of_match_set_u64(&m, OFF_REG0, 1);
    begin(stats);
    of_flow_stats_put(&b, stats, &fs, version);
    end();
    of_flow_removed_encode(&b, &fr, version == OF10_VERSION, version, 0);
    show();
    of_mp_begin(&w, &b, monitor, version, 0);
    of_mp_entry_begin(&w);
    of_monitor_update_put(&b, monitor, &u, version);
    of_mp_entry_end(&w);
    u.event = OFPFME_ABBREV;
    u.xid = 99;
    of_mp_entry_begin(&w);
    of_monitor_update_put(&b, monitor, &u, version);
    end();
}

int
main(int argc, char **argv)
{
    version = (uint8_t) (argc > 1 ? atoi(argv[1]) : 0);
    if (version < OF10_VERSION || version > OF15_VERSION) {
        fprintf(stderr, "usage: of-samples VERSION (1 to 6)\n");
        return 2;
    }
    ports();
    queues_and_meters();
    tables();
    connection();
    packet_ins();
    flows();
    of_buf_free(&b);
    return 0;
}
