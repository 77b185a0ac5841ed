/* SPDX-License-Identifier: Apache-2.0 */
/* OpenFlow: packet-in in all formats, packet-out, resume.  The bytes are what stock
 * ovs-ofctl 3.1 and the stock switch say. */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <cmocka.h>

#include "of-hex.h"
#include "openflow/of-packet.h"
#include "util/compiler.h"

static void
test_packet_in(void **state)
{
    static const struct {
        uint8_t version;
        enum of_packet_in_format format;
        const char *hex;
        size_t packet; /* where it is */
    } t[] = {
        {OF10_VERSION, NXPIF_STANDARD,
         "010a008800000000ffffffff007600010100505400000007505400000005080045000068000000004006"
         "f93cc0a80001c0a800020008000a0000000000000000501000004a2b0000000102030405060708090a0b"
         "0c0d0e0f101112131415161718191a1b1c1d1e1f202122232425262728292a2b2c2d2e2f303132333435"
         "363738393a3b3c3d3e3f",
         18},
        {OF13_VERSION, NXPIF_STANDARD,
         "040a00a000000000ffffffff0076010000000000000000000001000c8000000400000001000000000000"
         "505400000007505400000005080045000068000000004006f93cc0a80001c0a800020008000a00000000"
         "00000000501000004a2b0000000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d"
         "1e1f202122232425262728292a2b2c2d2e2f303132333435363738393a3b3c3d3e3f",
         42},
        {OF14_VERSION, NXPIF_STANDARD,
         "050a00a000000000ffffffff0076010000000000000000000001000c8000000400000001000000000000"
         "505400000007505400000005080045000068000000004006f93cc0a80001c0a800020008000a00000000"
         "00000000501000004a2b0000000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d"
         "1e1f202122232425262728292a2b2c2d2e2f303132333435363738393a3b3c3d3e3f",
         42},
        {OF10_VERSION, NXPIF_NXT_PACKET_IN,
         "010400a8000000000000232000000011ffffffff00760100000000000000000000060000000000000000"
         "0002000100000000505400000007505400000005080045000068000000004006f93cc0a80001c0a80002"
         "0008000a0000000000000000501000004a2b0000000102030405060708090a0b0c0d0e0f101112131415"
         "161718191a1b1c1d1e1f202122232425262728292a2b2c2d2e2f303132333435363738393a3b3c3d3e3f",
         50},
        {OF13_VERSION, NXPIF_NXT_PACKET_IN,
         "040400a8000000000000232000000011ffffffff00760100000000000000000000060000000000000000"
         "0002000100000000505400000007505400000005080045000068000000004006f93cc0a80001c0a80002"
         "0008000a0000000000000000501000004a2b0000000102030405060708090a0b0c0d0e0f101112131415"
         "161718191a1b1c1d1e1f202122232425262728292a2b2c2d2e2f303132333435363738393a3b3c3d3e3f",
         50},
    };
    struct flow flow = {.meta = {.in_port = 1}};

    for (size_t i = 0; i < ARRAY_SIZE(t); i++) {
        struct of_buf b = OF_BUF_INIT;
        size_t len;
        uint8_t *want = of_unhex(t[i].hex, &len);
        struct of_packet_in pin = {
            .packet = want + t[i].packet,
            .packet_len = len - t[i].packet,
            .total_len = 0x76,
            .reason = OFPR_ACTION,
            .flow = &flow,
        };

        assert_true(of_packet_in_encode(&b, &pin, t[i].format, t[i].version, 0));
        assert_true(of_hex_equal(&b, t[i].hex));
        of_buf_free(&b);
        free(want);
    }
}

static void
test_packet_in2(void **state)
{
    static const char packet[] = "PACKETDATA", userdata[] = "\1\2\3\4\5", cont[] = "continue";
    struct flow flow = {.meta = {.in_port = 1}, .regs = {.reg = {[3] = 5}}};
    struct of_packet_in pin = {
        .packet = packet,
        .packet_len = 10,
        .total_len = 100,
        .reason = OFPR_GROUP,
        .cookie = 0x1234,
        .flow = &flow,
        .userdata = userdata,
        .userdata_len = 5,
        .table_id = 3,
        .continuation = cont,
        .continuation_len = 8,
    };
    struct of_buf b = OF_BUF_INIT, again = OF_BUF_INIT;
    struct of_resume res;
    struct of_msg m;
    size_t start;

    assert_true(of_packet_in_encode(&b, &pin, NXPIF_NXT_PACKET_IN2, OF10_VERSION, 0));
    assert_true(of_hex_equal(
        &b, "0104008800000000 000023200000001e"
            "0000000e5041434b4554444154410000 0001000800000064 0003000503000000"
            "0004001000000000 0000000000001234 0005000501000000" /* 1.0 has no reason "group" */
            "00060014800000040000000100010604 0000000500000000"
            "0008001800000000 8100000c636f6e74 696e756500000000"
            "0007000901020304 0500000000000000"));
    /* Resuming takes the same properties. */
    start = of_msg_begin(&again, OFM_NXT_RESUME, OF10_VERSION, 7);
    of_buf_put(&again, b.data + 16, b.len - 16);
    of_msg_end(&again, start);
    assert_int_equal(of_msg_parse(again.data, again.len, &m), OF_OK);
    assert_int_equal(of_resume_decode(&m, &res), OF_OK);
    assert_int_equal(res.packet_len, 10);
    assert_memory_equal(res.packet, packet, 10);
    assert_int_equal(res.in_port, 1);
    assert_int_equal(res.metadata.flow.regs.reg[3], 5);
    assert_int_equal(res.cookie, 0x1234);
    assert_int_equal(res.table_id, 3);
    assert_int_equal(res.reason, OFPR_ACTION);
    assert_int_equal(res.userdata_len, 5);
    assert_int_equal(res.continuation_len, 8);
    assert_memory_equal(res.continuation, cont, 8);
    of_buf_free(&again);
    of_buf_clear(&b);

    /* What the stock switch said with the same, but for its own continuation. */
    pin.packet_len = pin.total_len;
    pin.packet = xzalloc(100);
    pin.continuation_len = 0;
    pin.cookie = UINT64_MAX;
    pin.userdata_len = 0;
    assert_true(of_packet_in_encode(&b, &pin, NXPIF_NXT_PACKET_IN2, OF14_VERSION, 0));
    assert_int_equal(of_msg_parse(b.data, b.len, &m), OF_OK);
    assert_int_equal(of_get_be16(m.body.p + 104), 3); /* no full length */
    assert_int_equal(m.body.p[104 + 8 + 4], OFPR_GROUP);
    of_buf_clear(&b);
    pin.packet_len = 70000; /* never read */
    assert_false(of_packet_in_encode(&b, &pin, NXPIF_NXT_PACKET_IN2, OF14_VERSION, 0));
    assert_int_equal(b.len, 0);
    free((void *) pin.packet);
    of_buf_free(&b);
}

/* The stock switch's own message comes apart. */
static void
test_stock_packet_in2(void **state)
{
    static const char *const hex[] = {
        "0104010000000000000023200000001e0000007a50540000000750540000000508004500006800000000"
        "4006f93cc0a80001c0a800020008000a0000000000000000501000004a2b000000010203040506070809"
        "0a0b0c0d0e0f101112131415161718191a1b1c1d1e1f202122232425262728292a2b2c2d2e2f30313233"
        "3435363738393a3b3c3d3e3f000000000000000300050000000000040010000000000000000000001234"
        "000500050100000000060014800000040000000100010604000000050000000000080028000000008000"
        "001448a7ec94ca4dba8e698580a0c912f902000000008008000800000002000700090102030405000000"
        "00000000",
        "0404010000000000000023200000001e0000007a50540000000750540000000508004500006800000000"
        "4006f93cc0a80001c0a800020008000a0000000000000000501000004a2b000000010203040506070809"
        "0a0b0c0d0e0f101112131415161718191a1b1c1d1e1f202122232425262728292a2b2c2d2e2f30313233"
        "3435363738393a3b3c3d3e3f000000000000000300050000000000040010000000000000000000001234"
        "000500050100000000060014800000040000000100010604000000050000000000080028000000008000"
        "001448a7ec94ca4dba8e698580a0c912f902000000008008000800000002000700090102030405000000"
        "00000000",
        "0604010800000000000023200000001e0000007a50540000000750540000000508004500006800000000"
        "4006f93cc0a80001c0a800020008000a0000000000000000501000004a2b000000010203040506070809"
        "0a0b0c0d0e0f101112131415161718191a1b1c1d1e1f202122232425262728292a2b2c2d2e2f30313233"
        "3435363738393a3b3c3d3e3f000000000000000300050000000000040010000000000000000000001234"
        "000500050100000000060020800000040000000180010310000000000000000500000000ffffffff0008"
        "0028000000008000001448a7ec94ca4dba8e698580a0c912f90200000000800800080000000200070009"
        "010203040500000000000000",
    };

    for (size_t i = 0; i < ARRAY_SIZE(hex); i++) {
        size_t len;
        uint8_t *bytes = of_unhex(hex[i], &len);
        struct of_resume res;
        struct of_msg m;

        bytes[15] = 28; /* as a resume */
        assert_int_equal(of_msg_parse(bytes, len, &m), OF_OK);
        assert_int_equal(m.type, OFM_NXT_RESUME);
        assert_int_equal(of_resume_decode(&m, &res), NXR_STALE); /* theirs */
        assert_int_equal(res.packet_len, 0x76);
        assert_int_equal(res.in_port, 1);
        assert_int_equal(res.metadata.flow.regs.reg[3], 5);
        assert_int_equal(res.cookie, 0x1234);
        assert_int_equal(res.userdata_len, 5);
        assert_int_equal(res.continuation_len, 0);
        free(bytes);
    }
}

static enum of_err
decode_resume(const struct of_msg *m)
{
    struct of_resume res;

    return of_resume_decode(m, &res);
}

static void
test_resume_bad(void **state)
{
    assert_int_equal(decode_resume(msg("0104001000000001000023200000001c")), OFPBRC_BAD_LEN);
    assert_int_equal(decode_resume(msg("0104001800000001000023200000001c 0000000801020304")),
                     NXR_STALE);
    assert_int_equal(decode_resume(msg("0104001800000001000023200000001c 0009000801020304")),
                     OFPBPC_BAD_TYPE);
    assert_int_equal(decode_resume(msg("0104001800000001000023200000001c 0005000599000000")),
                     OFPBRC_BAD_LEN);
    assert_int_equal(decode_resume(msg("0104001800000001000023200000001c 0004000800000000")),
                     OFPBPC_BAD_LEN);
}

static enum of_err
decode_out(const struct of_msg *m)
{
    struct of_packet_out po;
    enum of_err err = of_packet_out_decode(m, &po);

    if (!err) {
        of_packet_out_free(&po);
    }
    return err;
}

static void
test_packet_out(void **state)
{
    static const struct {
        const char *hex;
        uint16_t in_port;
    } t[] = {
        {"010d002a00000006ffffffff000100080000000800020000000102030405000102030405080011223344",
         1},
        {"040d003a00000006ffffffff000000010010000000000000000000100000000200000000000000000001"
         "02030405000102030405080011223344",
         1},
        {"060d004200000006ffffffff001000000001000c80000004000000010000000000000010000000020000"
         "000000000000000102030405000102030405080011223344",
         1},
        {"010d003200000008fffffffffffd0010ffff001000002320000efff80300000000010203040500010203"
         "0405080011223344",
         OFPP_CONTROLLER},
        {"060d005a00000006ffffffff001000000001002480000004fffffffd80004c0800000000000000038000"
         "0408000000000000000500000000ffff001000002320000efff803000000000102030405000102030405"
         "080011223344",
         OFPP_CONTROLLER},
    };
    struct of_packet_out po;

    for (size_t i = 0; i < ARRAY_SIZE(t); i++) {
        assert_int_equal(of_packet_out_decode(msg(t[i].hex), &po), OF_OK);
        assert_int_equal(po.in_port, t[i].in_port);
        assert_int_equal(po.metadata.flow.meta.in_port, t[i].in_port);
        assert_int_equal(po.buffer_id, OFP_NO_BUFFER);
        assert_int_equal(po.packet_len, 18);
        assert_memory_equal(po.packet, "\0\1\2\3\4\5\0\1\2\3\4\5", 12);
        assert_true(po.actions.len > 0);
        if (i < 3) {
            assert_true(of_actions_output_to_port(po.actions.a, po.actions.len, 2));
        }
        if (i == 4) {
            assert_int_equal(be64toh(po.metadata.flow.regs.metadata_be), 5);
        }
        of_packet_out_free(&po);
        /* Any length of the packet is good. */
        assert_int_equal(of_cut_everywhere(t[i].hex, decode_out), 18);
    }
    assert_int_equal(decode_out(msg("010d001000000006fffffffffff80000")), OFPBRC_BAD_PORT);
    assert_int_equal(decode_out(msg("010d001000000006ffffffffff000000")), OFPBRC_BAD_PORT);
    assert_int_equal(decode_out(msg("040d001800000006ffffffff000100000000000000000000")),
                     OFPBRC_BAD_PORT);
    assert_int_equal(decode_out(msg("010d001000000006ffffffff00010001")), OFPBRC_BAD_LEN);
    /* 1.5: no in_port; a field of the packet itself. */
    assert_int_equal(decode_out(msg("060d001800000006ffffffff00000000 0001000400000000")),
                     OFPBRC_BAD_PORT);
    assert_int_equal(decode_out(msg("060d002800000006ffffffff00000000 0001001280000004"
                                    "0000000180000a020800000000000000")),
                     OFPBRC_PIPELINE_FIELDS_ONLY);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_packet_in),        cmocka_unit_test(test_packet_in2),
        cmocka_unit_test(test_stock_packet_in2), cmocka_unit_test(test_resume_bad),
        cmocka_unit_test(test_packet_out),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
