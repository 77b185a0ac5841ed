/* SPDX-License-Identifier: Apache-2.0 */
/* OpenFlow: tables, queues, meters, roles, asynchronous configuration, bundles, tunnel options.
 * Requests are what stock ovs-ofctl 3.1 sends, replies what the stock switch answered. */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <cmocka.h>

#include "of-hex.h"
#include "openflow/of-bundle.h"
#include "openflow/of-meter.h"
#include "openflow/of-queue.h"
#include "openflow/of-role.h"
#include "openflow/of-table.h"
#include "openflow/of-tlv.h"
#include "util/compiler.h"

/* -- Tables. -- */

static enum of_err
decode_table_mod(const struct of_msg *m)
{
    struct of_table_mod tm;

    return of_table_mod_decode(m, &tm);
}

static void
test_table_mod(void **state)
{
    static const char vacancy[] =
        "0511002000000005010000000000000c0002000800000007000300080a140000";
    struct of_table_mod tm;

    assert_int_equal(of_table_mod_decode(msg("02110010000000040100000000000002"), &tm), OF_OK);
    assert_int_equal(tm.table_id, 1);
    assert_true(tm.has_miss && !tm.has_config);
    assert_int_equal(tm.miss, OF_MISS_DROP);
    assert_int_equal(of_table_mod_decode(msg("0411001000000004ff00000000000003"), &tm), OF_OK);
    assert_false(tm.has_miss || tm.has_config);
    assert_int_equal(tm.table_id, OFPTT_ALL);
    assert_int_equal(of_table_mod_decode(msg("02110010000000040100000000000004"), &tm),
                     OFPTMFC_BAD_CONFIG);
    assert_int_equal(of_table_mod_decode(msg("06110010000000050100000000000004"), &tm), OF_OK);
    assert_true(tm.has_config && tm.eviction && !tm.vacancy);
    assert_int_equal(tm.eviction_flags, UINT32_MAX);
    assert_int_equal(of_table_mod_decode(msg(vacancy), &tm), OF_OK);
    assert_true(tm.eviction && tm.vacancy);
    assert_int_equal(tm.eviction_flags, 7);
    assert_int_equal(tm.vacancy_down, 10);
    assert_int_equal(tm.vacancy_up, 20);
    assert_int_equal(of_cut_everywhere(vacancy, decode_table_mod), 2); /* at properties' ends */
    assert_int_equal(of_table_mod_decode(msg("05110010000000050100000000000010"), &tm),
                     OFPTMFC_BAD_CONFIG);
    assert_int_equal(
        of_table_mod_decode(msg("05110018000000050100000000000008 00030008140a0000"), &tm),
        OFPBPC_BAD_VALUE);
    assert_int_equal(
        of_table_mod_decode(msg("05110018000000050100000000000008 000300080a6f0000"), &tm),
        OFPBPC_BAD_VALUE);
    assert_int_equal(
        of_table_mod_decode(msg("05110018000000050100000000000004 0002000800000008"), &tm),
        OFPBPC_BAD_VALUE);
    assert_int_equal(
        of_table_mod_decode(msg("05110018000000050100000000000004 0004000800000000"), &tm),
        OFPBPC_BAD_TYPE);
}

static void
test_table_desc(void **state)
{
    struct of_table_desc d = {
        .table_id = 1,
        .eviction = true,
        .vacancy = true,
        .eviction_flags = 7,
        .vacancy_down = 10,
        .vacancy_up = 20,
        .vacancy_now = 100,
    };
    struct of_buf b = OF_BUF_INIT;

    of_table_desc_put(&b, &d);
    assert_true(of_hex_equal(&b, "001801000000000c 0002000800000007 000300080a146400"));
    of_buf_clear(&b);
    of_table_desc_put(&b, &(struct of_table_desc){.table_id = 2, .eviction_flags = 7});
    assert_true(of_hex_equal(&b, "0010020000000000 0002000800000007"));
    of_buf_clear(&b);
    of_table_status_encode(&b, OFPTR_VACANCY_DOWN, &d, OF14_VERSION, 0);
    assert_true(of_hex_equal(&b, "051f002800000000 0300000000000000"
                                 "001801000000000c 0002000800000007 000300080a146400"));
    of_buf_clear(&b);
    of_table_status_encode(&b, OFPTR_VACANCY_DOWN, &d, OF13_VERSION, 0);
    assert_int_equal(b.len, 0);
    of_buf_free(&b);
}

static void
test_table_stats(void **state)
{
    /* The first two tables of a stock switch. */
    static const char *const first[] = {
        [OF10_VERSION] = "000000000000000000000000000000000000000000000000000000000000000000000"
                         "000003fffff000f"
                         "424000000001000000000000000000000000000000000100000000000000000000000"
                         "000000000000000"
                         "00000000000000000000000000000000003fffff000f4240000000000000000000000"
                         "000000000000000"
                         "0000",
        [OF11_VERSION] = "000000000000000000000000000000000000000000000000000000000000000000000"
                         "000000000000000"
                         "fbff0000fbff0000003e01ffe7ff01ffe7ff00000000000f424000000002000000000"
                         "000000000000000"
                         "000000000100000000000000000000000000000000000000000000000000000000000"
                         "000000000000000"
                         "00000000fbff0000fbff0000003e01ffe7ff01ffe7ff00000000000f4240000000000"
                         "000000000000000"
                         "0000000000000000",
        [OF12_VERSION] = "000000000000000000000000000000000000000000000000000000000000000000000"
                         "000000000000000"
                         "101ffffffffd0000101ffffffffd03ff800103ff80010000000ffffffbdd0000000ff"
                         "ffffbddffffffff"
                         "ffffffffffffffffffffffff0000003e00000000000f4240000000020000000000000"
                         "000000000000000"
                         "000001000000000000000000000000000000000000000000000000000000000000000"
                         "000000000000000"
                         "0000101ffffffffd0000101ffffffffd03ff800103ff80010000000ffffffbdd00000"
                         "00ffffffbddffff"
                         "ffffffffffffffffffffffffffff0000003e00000000000f424000000000000000000"
                         "000000000000000"
                         "00000000",
        [OF13_VERSION] = "000000000000000200000000000000000000000000000000010000000000000000000"
                         "000000000000000"
                         "000000000000",
    };
    static const size_t size[] = {0, 64, 88, 128, 24};

    for (uint8_t v = OF10_VERSION; v <= OF13_VERSION; v++) {
        struct of_table_stats s = {.name = "", .max_entries = 1000000, .active = 1};
        struct of_buf b = OF_BUF_INIT;
        size_t len;
        uint8_t *want = of_unhex(first[v], &len);

        of_table_stats_put(&b, &s, v);
        assert_int_equal(b.len, size[v]);
        s.table_id = 1;
        s.active = 0;
        of_table_stats_put(&b, &s, v);
        assert_true(len >= b.len);
        for (size_t i = 0; i < b.len; i++) {
            /* The counters were not 0 there: skip them. */
            if (i % size[v] < size[v] - 20 && b.data[i] != want[i]) {
                fail_msg("version %d byte %zu: %02x, stock %02x", v, i, b.data[i], want[i]);
            }
        }
        free(want);
        of_buf_free(&b);
    }
}

static void
test_table_features(void **state)
{
    for (uint8_t v = OF13_VERSION; v <= OF15_VERSION; v++) {
        struct of_table_features f = {
            .n_tables = 254, .name = "acl", .max_entries = 1000000, .eviction = true};
        struct of_buf b = OF_BUF_INIT;
        struct of_mp_writer w;
        unsigned n_entries = 0, n_msgs = 0, props;

        of_mp_begin(&w, &b, OFM_TABLE_FEATURES_REPLY, v, 1);
        for (unsigned i = 0; i < f.n_tables; i++) {
            f.table_id = (uint8_t) i;
            of_mp_entry_begin(&w);
            of_table_features_put(&b, &f, v);
            assert_true(of_mp_entry_end(&w));
        }
        of_mp_end(&w);
        /* Every entry's properties cover exactly the entry. */
        for (size_t pos = 0; pos < b.len; n_msgs++) {
            struct of_msg m;
            struct of_reader entry;

            assert_int_equal(of_msg_parse(b.data + pos, of_get_be16(b.data + pos + 2), &m),
                             OF_OK);
            pos += m.len;
            for (; m.body.len; n_entries++) {
                assert_true(of_reader_take(&m.body, of_get_be16(m.body.p), &entry));
                assert_int_equal(entry.p[2], n_entries);
                assert_string_equal((const char *) entry.p + 8, "acl");
                assert_true(of_skip(&entry, 64));
                props = 0;
                while (entry.len) {
                    struct of_prop prop;

                    assert_int_equal(of_prop_next(&entry, true, &prop), OF_OK);
                    assert_true(prop.type <= 14 && prop.type % 2 == 0);
                    props |= 1u << prop.type;
                }
                assert_int_equal(props, 0x5555); /* stock tools miss any that is left out */
            }
        }
        assert_int_equal(n_entries, 254);
        assert_true(n_msgs > 1);
        of_buf_free(&b);
    }
}

/* -- Queues. -- */

static void
test_queues(void **state)
{
    struct of_queue_request q;
    struct of_queue_stats s = {.port = 1,
                               .queue = 0,
                               .tx_bytes = UINT64_MAX,
                               .tx_packets = UINT64_MAX,
                               .tx_errors = UINT64_MAX,
                               .duration_sec = UINT32_MAX,
                               .duration_nsec = UINT32_MAX};
    struct of_queue_config c = {
        .port = 1, .queue = 0, .min_rate = OFPQ_RATE_UNKNOWN, .max_rate = OFPQ_RATE_UNKNOWN};
    struct of_buf b = OF_BUF_INIT;
    size_t start;

    assert_int_equal(
        of_queue_request_decode(msg("011000140000000200050000fffc0000ffffffff"), &q), OF_OK);
    assert_int_equal(q.port, OFPP_NONE);
    assert_int_equal(q.queue, OFPQ_ALL);
    assert_int_equal(
        of_queue_request_decode(msg("05120018000000020005000000000000ffffffffffffffff"), &q),
        OF_OK);
    assert_int_equal(q.port, OFPP_NONE);
    assert_int_equal(of_queue_request_decode(msg("02160010000000020000000100000000"), &q),
                     OF_OK);
    assert_int_equal(q.port, 1);
    assert_int_equal(
        of_queue_request_decode(msg("0512001800000002000f00000000000000000001ffffffff"), &q),
        OF_OK);
    assert_int_equal(q.port, 1);
    assert_int_equal(
        of_queue_request_decode(msg("05120018000000020005000000000000fff0000000000001"), &q),
        OFPQOFC_BAD_PORT);

    of_queue_stats_put(&b, &s, OF10_VERSION);
    assert_true(
        of_hex_equal(&b, "0001000000000000ffffffffffffffffffffffffffffffffffffffffffffffff"));
    of_buf_clear(&b);
    of_queue_stats_put(&b, &s, OF14_VERSION);
    assert_true(of_hex_equal(&b, "00300000000000000000000100000000fffffffffffffffffffffffffffff"
                                 "fffffffffffffffffffffffffffffffffff"));
    of_buf_clear(&b);
    start = of_queue_config_begin(&b, 1, OF11_VERSION, 2);
    of_queue_config_put(&b, &c, OF11_VERSION);
    of_msg_end(&b, start);
    assert_true(of_hex_equal(&b, "021700180000000200000001000000000000000000080000"));
    of_buf_clear(&b);
    of_queue_config_put(&b, &c, OF14_VERSION);
    assert_true(of_hex_equal(&b, "00000001000000000010000000000000"));
    of_buf_clear(&b);
    c.min_rate = 500;
    of_queue_config_put(&b, &c, OF13_VERSION);
    assert_true(of_hex_equal(
        &b, "0000000000000001 0020000000000000 0001001000000000 01f4000000000000"));
    of_buf_clear(&b);
    of_queue_config_put(&b, &c, OF15_VERSION);
    assert_true(of_hex_equal(&b, "0000000100000000 0018000000000000 0001000801f40000"));
    of_buf_free(&b);
}

/* -- Meters. -- */

static enum of_err
decode_meter_mod(const struct of_msg *m)
{
    struct of_meter_mod mm;

    return of_meter_mod_decode(m, &mm);
}

static void
test_meters(void **state)
{
    static const char add[] =
        "061d0020000000020000000d0000000100010010000003e8000000c800000000";
    static const struct {
        const char *hex;
        enum of_err err;
    } bad[] = {
        /* as the stock switch answers */
        {"041d0020000000010000000300000001 00010010000000010000000000000000",
         OFPMMFC_BAD_FLAGS},
        {"041d0020000000010000000100000000 00010010000000010000000000000000",
         OFPMMFC_INVALID_METER},
        {"041d0010000000010007000100000001", OFPMMFC_BAD_COMMAND},
        {"041d0020000000010000000100000001 00030010000000010000000000000000", OFPMMFC_BAD_BAND},
        {"041d0020000000010000000100000001 00020010000000010000000001000000", OFPMMFC_BAD_BAND},
        {"041d0020000000010000000100000001 00010010000000000000000000000000", OFPMMFC_BAD_RATE},
        {"041d0010000000010000000100000002", OFPMMFC_OUT_OF_BANDS},
        {"041d0010000000010002000100000000", OF_OK},
        {"041d0028000000010000000100000001 000100180000000100000000000000000000000000000000",
         OFPBRC_BAD_LEN},
    };
    struct of_meter_mod mm;
    struct of_meter_stats s = {.meter_id = 3, .duration_nsec = 0x0660b0c0, .n_bands = 1};
    struct of_buf b = OF_BUF_INIT;
    uint32_t id;

    assert_int_equal(of_meter_mod_decode(msg(add), &mm), OF_OK);
    assert_int_equal(mm.command, OFPMC_ADD);
    assert_int_equal(mm.config.meter_id, 1);
    assert_int_equal(mm.config.flags, OFPMF_KBPS | OFPMF_BURST | OFPMF_STATS);
    assert_int_equal(mm.config.n_bands, 1);
    assert_int_equal(mm.config.bands[0].rate, 1000);
    assert_int_equal(mm.config.bands[0].burst, 200);
    of_meter_config_put(&b, &mm.config);
    assert_true(of_hex_equal(&b, "0018000d0000000100010010000003e8000000c800000000"));
    of_buf_clear(&b);
    assert_true(of_meter_mod_encode(&b, &mm, OF15_VERSION, 2));
    assert_true(of_hex_equal(&b, add));
    assert_false(of_meter_mod_encode(&b, &mm, OF12_VERSION, 2));
    of_buf_clear(&b);
    assert_int_equal(of_cut_everywhere(add, decode_meter_mod), 0);
    for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
        assert_int_equal(of_meter_mod_decode(msg(bad[i].hex), &mm), bad[i].err);
    }
    assert_int_equal(
        of_meter_request_decode(msg("061200180000000200090000000000000000000100000000"), &id),
        OF_OK);
    assert_int_equal(id, 1);
    of_meter_stats_put(&b, &s);
    assert_true(of_hex_equal(&b,
                             "0000000300380000 0000000000000000 0000000000000000 000000000000"
                             "0000 000000000660b0c0 0000000000000000 0000000000000000"));
    assert_int_equal(b.len, 56);
    of_buf_clear(&b);
    of_meter_features_encode(&b, 0x40000, OF_METER_MAX_BANDS, OF15_VERSION, 2);
    assert_true(
        of_hex_equal(&b, "0613002000000002000b00000000000000040000000000020000000f08000000"));
    of_buf_free(&b);
}

/* -- Roles and what goes with connections. -- */

static void
test_roles(void **state)
{
    struct of_buf b = OF_BUF_INIT;
    struct of_role_msg rm;

    assert_int_equal(
        of_role_request_decode(msg("010400140000000100002320 0000000a 00000001"), &rm), OF_OK);
    assert_int_equal(rm.role, OFPCR_ROLE_PRIMARY);
    assert_false(rm.has_generation);
    of_role_reply_encode(&b, &rm, OF10_VERSION, 1);
    assert_true(of_hex_equal(&b, "010400140000000100002320 0000000b 00000001"));
    of_buf_clear(&b);
    assert_int_equal(
        of_role_request_decode(msg("010400140000000100002320 0000000a 00000003"), &rm),
        OFPRRFC_BAD_ROLE);
    assert_int_equal(
        of_role_request_decode(msg("0418001800000001 0000000300000000 0000000000000007"), &rm),
        OF_OK);
    assert_int_equal(rm.role, OFPCR_ROLE_SECONDARY);
    assert_true(rm.has_generation && rm.generation_id == 7);
    of_role_reply_encode(&b, &rm, OF13_VERSION, 1);
    assert_true(of_hex_equal(&b, "0419001800000001 0000000300000000 0000000000000007"));
    of_buf_clear(&b);
    of_role_status_encode(&b, &rm, OFPCRR_PRIMARY_REQUEST, OF14_VERSION, 0);
    assert_true(of_hex_equal(&b, "051e001800000000 0000000300000000 0000000000000007"));
    of_buf_clear(&b);
    of_role_status_encode(&b, &rm, OFPCRR_PRIMARY_REQUEST, OF13_VERSION, 0);
    assert_true(of_hex_equal(
        &b, "0404002000000000 4f4e460000000777 0000000300000000 0000000000000007"));
    of_buf_clear(&b);
    of_role_status_encode(&b, &rm, OFPCRR_PRIMARY_REQUEST, OF12_VERSION, 0);
    assert_int_equal(b.len, 0);
    assert_int_equal(
        of_role_request_decode(msg("0418001800000001 0000000000000000 0000000000000007"), &rm),
        OF_OK);
    assert_false(rm.has_generation);
    of_role_reply_encode(&b, &rm, OF13_VERSION, 1);
    assert_true(of_hex_equal(&b, "0419001800000001 0000000000000000 ffffffffffffffff"));
    of_buf_free(&b);
    assert_int_equal(
        of_role_request_decode(msg("0418001800000001 0000000700000000 0000000000000007"), &rm),
        OFPRRFC_BAD_ROLE);
}

static void
test_async(void **state)
{
    struct of_buf b = OF_BUF_INIT;
    struct of_async a;

    of_async_init(&a, OF14_VERSION);
    of_async_reply_encode(&b, &a, OF14_VERSION, 0x64);
    assert_true(of_hex_equal(
        &b,
        "051b0068000000640000000800000000000100080000003b00020008000000070003000800000007000400"
        "0800000000000500080000003f000600080000000000070008000000000008000800000000000900080000"
        "00"
        "00000a000800000000000b000800000000"));
    of_buf_clear(&b);
    assert_int_equal(
        of_async_decode(
            msg("041c002000000001 00000003 00000000 00000000 00000001 0000000f 00000004"), &a),
        OF_OK);
    assert_int_equal(a.primary[OF_ASYNC_PACKET_IN], 3);
    assert_int_equal(a.primary[OF_ASYNC_FLOW_REMOVED], 0xf);
    assert_int_equal(a.secondary[OF_ASYNC_PORT_STATUS], 1);
    of_async_reply_encode(&b, &a, OF13_VERSION, 1);
    assert_true(of_hex_equal(
        &b, "041b002000000001 00000003 00000000 00000000 00000001 0000000f 00000004"));
    of_buf_free(&b);
    assert_int_equal(of_async_decode(msg("051c001000000001 000b000800000003"), &a), OF_OK);
    assert_int_equal(a.primary[OF_ASYNC_REQUESTFORWARD], 3);
    assert_int_equal(a.primary[OF_ASYNC_PACKET_IN], 3);
    /* As stock answers; nothing of a bad message counts. */
    assert_int_equal(
        of_async_decode(msg("051c001800000001 0001000800000000 0000000800000080"), &a),
        OFPACFC_INVALID);
    assert_int_equal(a.primary[OF_ASYNC_PACKET_IN], 3);
    assert_int_equal(of_async_decode(msg("051c001000000001 0014000800000000"), &a),
                     OFPACFC_UNSUPPORTED);
    assert_int_equal(
        of_async_decode(msg("051c001800000001 0000000900000000 0000000000000000"), &a),
        OFPBPC_BAD_LEN);
    assert_int_equal(
        of_async_decode(msg("051c001800000001 ffff000c00000000 0000000000000000"), &a),
        OFPBPC_BAD_EXPERIMENTER);
    assert_int_equal(
        of_async_decode(msg("051c001800000001 fffe000c00002320 0000000000000000"), &a),
        OFPBPC_BAD_EXP_TYPE);
    /* Before versions knew of groups, meters and eviction they were not told of them. */
    of_async_init(&a, OF12_VERSION);
    assert_int_equal(a.primary[OF_ASYNC_FLOW_REMOVED], 0x7);
    of_async_init(&a, OF13_VERSION);
    assert_int_equal(a.primary[OF_ASYNC_FLOW_REMOVED], 0xf);
    assert_int_equal(
        of_async_decode(msg("010400180000000100002320 0000001b 0001000800000003"), &a), OF_OK);
    assert_int_equal(a.primary[OF_ASYNC_PACKET_IN], 3);
}

static void
test_nicira_settings(void **state)
{
    enum of_packet_in_format pif;
    enum of_flow_format ff;
    uint16_t id;
    bool on;

    assert_int_equal(
        of_flow_format_decode(msg("0104001400000002000023200000000c00000002"), &ff), OF_OK);
    assert_int_equal(ff, NXFF_NXM);
    assert_int_equal(
        of_flow_format_decode(msg("0104001400000002000023200000000c00000001"), &ff),
        OFPBRC_EPERM);
    assert_int_equal(
        of_packet_in_format_decode(msg("040400140000000a000023200000001000000002"), &pif),
        OF_OK);
    assert_int_equal(pif, NXPIF_NXT_PACKET_IN2);
    assert_int_equal(
        of_packet_in_format_decode(msg("040400140000000a000023200000001000000005"), &pif),
        OFPBRC_EPERM);
    assert_int_equal(of_flow_mod_table_id_decode(
                         msg("0104001800000008000023200000000f0100000000000000"), &on),
                     OF_OK);
    assert_true(on);
    assert_int_equal(
        of_controller_id_decode(msg("010400180000000800002320000000140000000000000009"), &id),
        OF_OK);
    assert_int_equal(id, 9);
    assert_int_equal(
        of_controller_id_decode(msg("010400180000000800002320000000140000000000010009"), &id),
        NXBRC_MUST_BE_ZERO);
    assert_int_equal(
        of_ct_flush_zone_decode(msg("0104001800000002000023200000001d0000000000000005"), &id),
        OF_OK);
    assert_int_equal(id, 5);
}

/* -- Bundles. -- */

static enum of_err
decode_add(const struct of_msg *m)
{
    struct of_bundle_add add;

    return of_bundle_add_decode(m, &add);
}

static void
test_bundles(void **state)
{
    static const char onf_add[] =
        "04040070000000064f4e4600000008fd0000000000000003040e00580000000600000000000000000000"
        "0000000000000000000000008000ffffffffffffffffffffffff000000000001000c8000000400000001"
        "00000000000400180000000000000010000000020000000000000000";
    static const char add[] =
        "05220068000000060000000000000003050e005800000006000000000000000000000000000000000000"
        "000000008000ffffffffffffffffffffffff000000000001000c80000004000000010000000000040018"
        "0000000000000010000000020000000000000000";
    struct of_buf b = OF_BUF_INIT;
    struct of_bundle_control c;
    struct of_bundle_add a;

    assert_int_equal(
        of_bundle_control_decode(msg("04040018000000084f4e4600000008fc0000000000000003"), &c),
        OF_OK);
    assert_int_equal(c.type, OFPBCT_OPEN_REQUEST);
    assert_int_equal(c.flags, OFPBF_ATOMIC | OFPBF_ORDERED);
    c.type++;
    c.flags = 0;
    of_bundle_control_encode(&b, &c, OF13_VERSION, 8);
    assert_true(of_hex_equal(&b, "04040018000000084f4e4600000008fc0000000000010000"));
    of_buf_clear(&b);
    assert_int_equal(of_bundle_control_decode(msg("052100100000000a0000000500040003"), &c),
                     OF_OK);
    assert_int_equal(c.bundle_id, 5);
    c.type++;
    c.flags = 0;
    of_bundle_control_encode(&b, &c, OF14_VERSION, 10);
    assert_true(of_hex_equal(&b, "052100100000000a0000000500050000"));
    of_buf_free(&b);
    assert_int_equal(of_bundle_control_decode(msg("052100100000000a0000000500050003"), &c),
                     OFPBFC_BAD_TYPE);
    assert_int_equal(of_bundle_control_decode(msg("052100100000000a0000000500080003"), &c),
                     OFPBFC_BAD_TYPE);
    assert_int_equal(of_bundle_control_decode(msg("052100100000000a0000000500000004"), &c),
                     OFPBFC_BAD_FLAGS);

    assert_int_equal(of_bundle_add_decode(msg(onf_add), &a), OF_OK);
    assert_int_equal(a.bundle_id, 0);
    assert_int_equal(a.msg.type, OFM_FLOW_MOD);
    assert_int_equal(of_bundle_add_decode(msg(add), &a), OF_OK);
    assert_int_equal(a.msg.type, OFM_FLOW_MOD);
    assert_int_equal(of_cut_everywhere(add, decode_add), 0);
    assert_int_equal(of_cut_everywhere(onf_add, decode_add), 0);
    assert_int_equal(decode_add(msg("0522001800000006 0000000000000003 0514000800000007")),
                     OFPBFC_MSG_BAD_XID);
    assert_int_equal(decode_add(msg("0522001800000006 0000000000000003 0514000800000006")),
                     OFPBFC_MSG_UNSUP);
    assert_int_equal(decode_add(msg("0522001800000006 0000000000000003 0414000800000006")),
                     OFPBFC_BAD_VERSION);
    assert_int_equal(decode_add(msg("0522001800000006 0000000000000003 0514000900000006")),
                     OFPBFC_MSG_BAD_LEN);
    assert_int_equal(decode_add(msg("0522001800000006 0000000000000003 0514000700000006")),
                     OFPBFC_MSG_BAD_LEN);
    assert_int_equal(decode_add(msg("0522001800000006 0000000000000007 0514000800000006")),
                     OFPBFC_BAD_FLAGS);
}

static void
test_requestforward(void **state)
{
    struct of_buf b = OF_BUF_INIT;
    static const uint8_t request[] = {5, 29, 0, 16, 0, 0, 0, 7, 0, 2, 0, 0, 0, 0, 0, 1};

    assert_true(of_requestforward_encode(&b, request, sizeof request, OF14_VERSION, 0));
    assert_true(of_hex_equal(&b, "0520001800000000 051d001000000007 0002000000000001"));
    of_buf_clear(&b);
    assert_true(of_requestforward_encode(&b, request, sizeof request, OF13_VERSION, 0));
    assert_true(of_hex_equal(
        &b, "0404002000000000 4f4e46000000092e 051d001000000007 0002000000000001"));
    of_buf_free(&b);
}

/* -- Tunnel options. -- */

static enum of_err
decode_tlv_mod(const struct of_msg *m)
{
    struct of_tlv_mod mod;

    return of_tlv_mod_decode(m, &mod);
}

static void
test_tlv(void **state)
{
    struct of_buf b = OF_BUF_INIT;
    struct of_tlv_mod mod;
    static const char add[] = "0604002000000002000023200000001800000000000000"
                              "00ffff000400000000";

    assert_int_equal(of_tlv_mod_decode(msg(add), &mod), OF_OK);
    assert_int_equal(mod.command, NXTTMC_ADD);
    assert_int_equal(mod.n_maps, 1);
    assert_int_equal(mod.maps[0].option_class, 0xffff);
    assert_int_equal(mod.maps[0].option_len, 4);
    of_tlv_reply_encode(&b, mod.maps, mod.n_maps, OF10_VERSION, 2);
    assert_true(of_hex_equal(&b,
                             "0104002800000002000023200000001a00000100004000000000000000000000"
                             "ffff000400000000"));
    of_buf_free(&b);
    assert_int_equal(
        of_tlv_mod_decode(msg("060400180000000200002320000000180002000000000000"), &mod),
        OF_OK);
    assert_int_equal(mod.command, NXTTMC_CLEAR);
    assert_int_equal(of_cut_everywhere(add, decode_tlv_mod), 1); /* an empty list */
    assert_int_equal(decode_tlv_mod(msg("060400180000000200002320000000180003000000000000")),
                     NXTTMFC_BAD_COMMAND);
    assert_int_equal(decode_tlv_mod(msg("060400200000000200002320000000180000000000000000"
                                        "ffff000500000000")),
                     NXTTMFC_BAD_OPT_LEN);
    assert_int_equal(decode_tlv_mod(msg("060400200000000200002320000000180000000000000000"
                                        "ffff000400400000")),
                     NXTTMFC_BAD_FIELD_IDX);
    assert_int_equal(decode_tlv_mod(msg("060400280000000200002320000000180000000000000000"
                                        "ffff000400000000ffff000400010000")),
                     NXTTMFC_DUP_ENTRY);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_table_mod),       cmocka_unit_test(test_table_desc),
        cmocka_unit_test(test_table_stats),     cmocka_unit_test(test_table_features),
        cmocka_unit_test(test_queues),          cmocka_unit_test(test_meters),
        cmocka_unit_test(test_roles),           cmocka_unit_test(test_async),
        cmocka_unit_test(test_nicira_settings), cmocka_unit_test(test_bundles),
        cmocka_unit_test(test_requestforward),  cmocka_unit_test(test_tlv),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
