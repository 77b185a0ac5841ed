/* SPDX-License-Identifier: Apache-2.0 */
/* OpenFlow: hello, features, configuration, description, ports. */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <cmocka.h>

#include "of-hex.h"
#include "openflow/of-hello.h"
#include "openflow/of-switch.h"
#include "util/compiler.h"

static void
test_hello(void **state)
{
    struct of_buf b = OF_BUF_INIT;
    uint32_t versions;

    of_hello_encode(&b, OF_VERSIONS_ALL, 7); /* as the stock switch greets */
    assert_true(of_hex_equal(&b, "0600000800000007"));
    of_buf_clear(&b);
    of_hello_encode(&b, 1u << OF13_VERSION, 1);
    assert_true(of_hex_equal(&b, "04000010000000010001000800000010"));
    of_buf_clear(&b);
    of_hello_encode(&b, 1u << OF10_VERSION, 1);
    assert_true(of_hex_equal(&b, "0100000800000001"));
    of_buf_free(&b);

    of_hello_decode(msg("0100000800000001"), &versions);
    assert_int_equal(versions, 0x02);
    of_hello_decode(msg("0400000800000001"), &versions);
    assert_int_equal(versions, 0x1e);
    of_hello_decode(msg("0900000800000001"), &versions);
    assert_int_equal(versions, 0x7e);
    of_hello_decode(msg("06000010000000010001000800000040"), &versions);
    assert_int_equal(versions, 0x40);
    /* An unknown element with padding first; bits that mean nothing to us. */
    of_hello_decode(msg("0900001800000001 0007000500000000 00010008ffffffff"), &versions);
    assert_int_equal(versions, 0x7e);
    /* Damage is skipped. */
    of_hello_decode(msg("0400000d00000001 0001000800"), &versions);
    assert_int_equal(versions, 0x1e);
    of_hello_decode(msg("0400000c00000001 00010003"), &versions);
    assert_int_equal(versions, 0x1e);

    assert_int_equal(of_hello_negotiate(0x7e, 0x12), OF13_VERSION);
    assert_int_equal(of_hello_negotiate(0x40, 0x3e), 0);
    assert_int_equal(of_version_from_name("OpenFlow13"), 1u << OF13_VERSION);
    assert_int_equal(of_version_from_name("OpenFlow16"), 0);
    assert_string_equal(of_version_name(OF15_VERSION), "OpenFlow15");
    assert_string_equal(of_version_name(0), "unknown");
}

/* The ports of the stock switch whose bytes stand below. */
static const struct of_port ports[] = {
    {.no = 1, .hw = {{0xaa, 0x55, 0xaa, 0x55, 0, 0x0e}}, .name = "p2", .state = OFPPS_LIVE},
    {.no = OFPP_LOCAL,
     .hw = {{0xc6, 0x5a, 0x75, 0xdc, 0xa9, 0x47}},
     .name = "br0",
     .state = OFPPS_LIVE},
    {.no = 2, .hw = {{0xaa, 0x55, 0xaa, 0x55, 0, 0x10}}, .name = "p1", .state = OFPPS_LIVE},
};

static void
test_features(void **state)
{
    struct of_features f = {
        .dpid = UINT64_C(0x0000c65a75dca947),
        .n_tables = 254,
        .capabilities = OFPC_FLOW_STATS | OFPC_TABLE_STATS | OFPC_PORT_STATS |
                        OFPC_GROUP_STATS | OFPC_QUEUE_STATS | OFPC_ARP_MATCH_IP | OFPC_BUNDLES,
        .actions = 0xfff,
    };
    struct of_buf b = OF_BUF_INIT;
    struct of_port *many;

    of_features_reply_encode(&b, &f, ports, ARRAY_SIZE(ports), OF10_VERSION, 2);
    assert_true(of_hex_equal(
        &b,
        "010600b0000000020000c65a75dca94700000000fe000000000000c700000fff"
        "0001aa55aa55000e7032000000000000000000000000000000000000000000000000000000000000000000"
        "0000000000fffec65a75dca9476272300000000000000000000000000000000000000000000000000000"
        "00000000000000000000000002aa55aa550010703100000000000000000000000000000000000000000000"
        "00000000000000000000000000000000"));
    of_buf_clear(&b);
    of_features_reply_encode(&b, &f, ports, 3, OF11_VERSION, 2);
    assert_int_equal(b.len, 32 + 3 * 64);
    assert_int_equal(of_get_be32(b.data + 24), 0xcf);
    of_buf_clear(&b);
    of_features_reply_encode(&b, &f, ports, 3, OF13_VERSION, 2);
    assert_true(
        of_hex_equal(&b, "04060020000000020000c65a75dca94700000000fe0000000000004f00000000"));
    of_buf_clear(&b);
    of_features_reply_encode(&b, &f, ports, 3, OF15_VERSION, 2);
    assert_true(
        of_hex_equal(&b, "06060020000000020000c65a75dca94700000000fe0000000000024f00000000"));
    of_buf_clear(&b);
    /* More ports than a message takes. */
    many = xcalloc(2000, sizeof *many);
    of_features_reply_encode(&b, &f, many, 2000, OF11_VERSION, 2);
    assert_int_equal(b.len, 32 + 64 * ((65535 - 32) / 64));
    free(many);
    of_buf_free(&b);
}

static void
test_config(void **state)
{
    struct of_buf b = OF_BUF_INIT;
    struct of_switch_config c;

    assert_int_equal(of_set_config_decode(msg("0109000c0000000300010080"), &c), OF_OK);
    assert_int_equal(c.flags, OFPC_FRAG_DROP);
    assert_int_equal(c.miss_send_len, 128);
    of_get_config_reply_encode(&b, &c, OF10_VERSION, 5);
    assert_true(of_hex_equal(&b, "0108000c0000000500010080"));
    of_buf_clear(&b);
    /* As the stock switch takes them. */
    assert_int_equal(of_set_config_decode(msg("0309000c000000030004ffff"), &c), OF_OK);
    of_get_config_reply_encode(&b, &c, OF13_VERSION, 5);
    assert_true(of_hex_equal(&b, "0408000c000000050000ffff"));
    assert_int_equal(of_set_config_decode(msg("0409000c000000030004ffff"), &c),
                     OFPSCFC_BAD_FLAGS);
    assert_int_equal(of_set_config_decode(msg("0109000c0000000300080000"), &c),
                     OFPSCFC_BAD_FLAGS);
    of_buf_free(&b);
}

static void
test_desc(void **state)
{
    char big[400];
    struct of_desc d = {"Nicira, Inc.", "Open vSwitch", "3.1.0", "None", big};
    struct of_buf b = OF_BUF_INIT;

    memset(big, 'x', sizeof big - 1);
    big[sizeof big - 1] = '\0';
    of_desc_reply_encode(&b, &d, OF10_VERSION, 2);
    assert_int_equal(b.len, 0x42c);
    assert_memory_equal(b.data, "\x01\x11\x04\x2c\0\0\0\2\0\0\0\0Nicira, Inc.", 25);
    assert_string_equal((char *) b.data + 12 + 256 * 3, "None");
    assert_int_equal(strlen((char *) b.data + 12 + 256 * 3 + 32), 255);
    of_buf_clear(&b);
    of_desc_reply_encode(&b, &d, OF13_VERSION, 2);
    assert_int_equal(b.len, 0x430);
    of_buf_free(&b);
}

static void
test_echo(void **state)
{
    struct of_buf b = OF_BUF_INIT;

    of_echo_reply_encode(&b, msg("0402000b00000009616263"));
    assert_true(of_hex_equal(&b, "0403000b00000009616263"));
    of_buf_clear(&b);
    of_empty_encode(&b, OFM_BARRIER_REPLY, OF10_VERSION, 3);
    assert_true(of_hex_equal(&b, "0113000800000003"));
    of_buf_clear(&b);
    of_empty_encode(&b, OFM_BARRIER_REPLY, OF13_VERSION, 3);
    assert_true(of_hex_equal(&b, "0415000800000003"));
    of_buf_free(&b);
}

static void
test_port_desc(void **state)
{
    static const struct of_port eth = {
        .no = 3,
        .name = "a-name-longer-than-fits",
        .config = 0x7f,
        .state = 0x307,
        .curr = OFPPF_10GB_FD | OFPPF_FIBER | OFPPF_40GB_FD,
        .supported = OFPPF_PAUSE_ASYM,
        .curr_kbps = 10000000,
        .max_kbps = 1,
    };
    struct of_buf b = OF_BUF_INIT;
    struct of_mp_writer w;
    uint16_t port;

    of_mp_begin(&w, &b, OFM_PORT_DESC_REPLY, OF15_VERSION, 2);
    for (size_t i = 0; i < ARRAY_SIZE(ports); i++) {
        of_mp_entry_begin(&w);
        of_port_put(&b, &ports[i], OF15_VERSION);
        assert_true(of_mp_entry_end(&w));
    }
    of_mp_end(&w);
    assert_true(of_hex_equal(
        &b,
        "061300e800000002000d0000000000000000000100480000aa55aa55000e000070320000000000000000"
        "000000000000000000000000000400000020000000000000000000000000000000000000000000000000"
        "00000000fffffffe00480000c65a75dca947000062723000000000000000000000000000000000000000"
        "000400000020000000000000000000000000000000000000000000000000000000000000000200480000"
        "aa55aa550010000070310000000000000000000000000000000000000000000400000020000000000000"
        "00000000000000000000000000000000000000000000"));
    of_buf_clear(&b);
    of_port_put(&b, &eth, OF10_VERSION);
    assert_true(of_hex_equal(&b, "0003000000000000 612d6e616d652d6c6f6e6765722d7400"
                                 "0000007f00000301 00000140 00000000 00000800 00000000"));
    assert_int_equal(b.len, of_port_len(OF10_VERSION));
    of_buf_clear(&b);
    of_port_put(&b, &eth, OF13_VERSION);
    assert_true(of_hex_equal(&b, "0000000300000000 0000000000000000"
                                 "612d6e616d652d6c6f6e6765722d7400 0000006500000007"
                                 "000010c0 00000000 00008000 00000000 00989680 00000001"));
    assert_int_equal(b.len, of_port_len(OF13_VERSION));
    of_buf_clear(&b);

    assert_int_equal(of_port_desc_request_decode(msg("0110000c00000002000d0000"), &port),
                     OF_OK);
    assert_int_equal(port, OFPP_NONE);
    assert_int_equal(of_port_desc_request_decode(
                         msg("0612001800000003000d000000000000fffffffe00000000"), &port),
                     OF_OK);
    assert_int_equal(port, OFPP_LOCAL);
    assert_int_equal(of_port_desc_request_decode(
                         msg("0612001800000003000d0000000000000001000000000000"), &port),
                     OFPBAC_BAD_OUT_PORT);

    of_port_status_encode(&b, OFPPR_MODIFY, &ports[0], OF10_VERSION, 0);
    assert_int_equal(b.len, 64);
    assert_memory_equal(b.data, "\x01\x0c\x00\x40\0\0\0\0\2", 9);
    of_buf_free(&b);
}

static enum of_err
decode_port_mod(const struct of_msg *m)
{
    struct of_port_mod pm;

    return of_port_mod_decode(m, &pm);
}

static void
test_port_mod(void **state)
{
    struct of_port_mod pm;
    static const char v10[] =
        "010f0020000000040002aa55aa55001000000010000000100000000000000000";
    static const char v15[] =
        "06100028000000040000000200000000aa55aa550010000000000041000000410000000800002040";

    assert_int_equal(of_port_mod_decode(msg(v10), &pm), OF_OK);
    assert_int_equal(pm.port, 2);
    assert_true(eth_addr_equal(pm.hw, ports[2].hw));
    assert_int_equal(pm.config, OFPPC_NO_FLOOD);
    assert_int_equal(pm.mask, OFPPC_NO_FLOOD);
    assert_int_equal(
        of_port_mod_decode(msg("02100028000000040000000200000000aa55aa55001000000000"
                               "00540000007f0000004000000000"),
                           &pm),
        OF_OK);
    assert_int_equal(pm.mask, 0x65); /* no_flood is 1.0's alone */
    assert_int_equal(pm.config, 0x44);
    assert_int_equal(pm.advertise, OFPPF_10GB_FD);
    assert_int_equal(of_port_mod_decode(msg(v15), &pm), OF_OK);
    assert_int_equal(pm.config, 0x41);
    assert_int_equal(pm.advertise, OFPPF_AUTONEG | OFPPF_10GB_FD);
    assert_int_equal(of_cut_everywhere(v10, decode_port_mod), 0);
    assert_int_equal(of_cut_everywhere(v15, decode_port_mod), 1); /* without the property */
    assert_int_equal(
        of_port_mod_decode(
            msg("0410002800000004000100000000000000000000000000000000000000000000000000000000"
                "0000"),
            &pm),
        OFPPMFC_BAD_PORT);
    assert_int_equal(
        of_port_mod_decode(msg("0510002800000004000000020000000000000000000000000000"
                               "000000000000 0001000800000000"),
                           &pm),
        OFPBPC_BAD_TYPE);
    assert_int_equal(
        of_port_mod_decode(msg("0510003000000004000000020000000000000000000000000000"
                               "000000000000 ffff000c00000001 0000000000000000"),
                           &pm),
        OFPBPC_BAD_EXPERIMENTER);
}

static void
test_port_stats(void **state)
{
    static const struct of_custom_counter custom[] = {
        {"rx_custom_packets_1", 0}, {"rx_custom_packets_2", 0}, {"rx_q0_bytes", 0},
        {"rx_q0_packets", 0},       {"tx_q0_bytes", 0},         {"tx_q0_packets", 0},
    };
    struct of_buf b = OF_BUF_INIT;
    struct of_port_stats s;
    uint16_t port;

    assert_int_equal(
        of_port_stats_request_decode(msg("0110001400000002000400000001000000000000"), &port),
        OF_OK);
    assert_int_equal(port, 1);
    assert_int_equal(of_port_stats_request_decode(
                         msg("021200180000000200040000000000000000000100000000"), &port),
                     OF_OK);
    assert_int_equal(port, 1);

    of_port_stats_init(&s, 1);
    s.rx_packets = s.tx_packets = s.rx_bytes = s.tx_bytes = 0;
    s.duration_sec = 0x177;
    s.duration_nsec = 0x0e111300;
    of_port_stats_put(&b, &s, OF10_VERSION);
    assert_int_equal(b.len, 104);
    of_buf_clear(&b);
    of_port_stats_put(&b, &s, OF13_VERSION);
    assert_true(of_hex_equal(
        &b, "00000001000000000000000000000000000000000000000000000000000000000000000000000000"
            "ffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff"
            "ffffffffffffffffffffffffffffffffffffffffffffffff000001770e111300"));
    of_buf_clear(&b);
    s.custom = custom;
    s.n_custom = ARRAY_SIZE(custom);
    of_port_stats_put(&b, &s, OF14_VERSION);
    assert_int_equal(b.len, 0x1d0);
    assert_memory_equal(b.data + 120, "\xff\xff\x00\xb8\x00\x00\xaa\x01\0\0\0\1\0\0\0\0", 16);
    assert_memory_equal(b.data + 120 + 184,
                        "\xff\xff\x00\x9c\x00\x00\xaa\x01\0\0\0\2\0\0\0\x06\x13rx_custom", 26);
    of_buf_free(&b);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_hello),    cmocka_unit_test(test_features),
        cmocka_unit_test(test_config),   cmocka_unit_test(test_desc),
        cmocka_unit_test(test_echo),     cmocka_unit_test(test_port_desc),
        cmocka_unit_test(test_port_mod), cmocka_unit_test(test_port_stats),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
