/* SPDX-License-Identifier: Apache-2.0 */
/* OpenFlow headers, errors, multipart splitting and joining. */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <cmocka.h>

#include "of-hex.h"
#include "openflow/of-error.h"
#include "openflow/of-msg.h"

static enum of_err
parse(const char *hex, struct of_msg *m)
{
    static uint8_t *bytes;
    size_t len;

    free(bytes);
    bytes = of_unhex(hex, &len);
    return of_msg_parse(bytes, len, m);
}

static void
test_stock_messages(void **state)
{
    static const struct {
        const char *hex; /* as stock ovs-ofctl 3.1 sends it */
        enum of_msg_type type;
        size_t body;
    } t[] = {
        {"0100000800000001", OFM_HELLO, 0},
        {"06000010000000010001000800000040", OFM_HELLO, 8},
        {"0104001400000002000023200000000c00000002", OFM_NXT_SET_FLOW_FORMAT, 4},
        {"0112000800000003", OFM_BARRIER_REQUEST, 0},
        {"0110002000000004ffff0000000023200000000000000000ffff0000ff000000",
         OFM_NXST_FLOW_REQUEST, 8},
        {"0110002000000004ffff0000000023200000000100000000ffff0000ff000000",
         OFM_NXST_AGGREGATE_REQUEST, 8},
        {"04120038000000020001000000000000ff000000ffffffffffffffff00000000000000000000000000000"
         "0"
         "00000000000001000400000000",
         OFM_FLOW_STATS_REQUEST, 40},
        {"06120038000000020002000000000000ff000000ffffffffffffffff00000000000000000000000000000"
         "0"
         "00000000000001000400000000",
         OFM_AGGREGATE_REQUEST, 40},
    };

    for (size_t i = 0; i < ARRAY_SIZE(t); i++) {
        struct of_buf b = OF_BUF_INIT;
        struct of_msg m;
        size_t start;

        assert_int_equal(parse(t[i].hex, &m), OF_OK);
        assert_int_equal(m.type, t[i].type);
        assert_int_equal(m.body.len, t[i].body);
        assert_true(of_msg_is_for_switch(m.type));
        /* Its headers are the ones that we write. */
        start = of_msg_begin(&b, m.type, m.version, m.xid);
        of_buf_put(&b, m.body.p, m.body.len);
        assert_true(of_msg_end(&b, start));
        assert_true(of_hex_equal(&b, t[i].hex));
        of_buf_free(&b);
    }
}

/* Every message there is, in every version that has it: what was written is what is parsed. */
static void
test_all_headers(void **state)
{
    unsigned n = 0;

    for (int type = 1; type < OFM_N_TYPES; type++) {
        unsigned versions = 0;

        assert_string_not_equal(of_msg_type_name(type), "unknown");
        for (uint8_t v = OF10_VERSION; v <= OF15_VERSION; v++) {
            bool known = false;

            if (!of_msg_exists(type, v)) {
                struct of_buf none = OF_BUF_INIT;
                size_t start = of_msg_begin(&none, type, v, 1);

                assert_int_equal(start, SIZE_MAX);
                assert_int_equal(none.len, 0);
                assert_false(of_msg_end(&none, start));
                continue;
            }
            versions++;
            for (size_t body = 0; body < 1100 && !known; body++) {
                struct of_buf b = OF_BUF_INIT;
                size_t start = of_msg_begin(&b, type, v, 0x12345678);
                struct of_msg m;
                enum of_err err;

                of_buf_put_zeros(&b, body);
                of_msg_end(&b, start);
                err = of_msg_parse(b.data, b.len, &m);
                assert_true(err == OF_OK || err == OFPBRC_BAD_LEN);
                if (!err) {
                    assert_int_equal(m.type, type);
                    assert_int_equal(m.version, v);
                    assert_int_equal(m.xid, 0x12345678);
                    assert_int_equal(m.body.len, body);
                    known = true;
                    n++;
                }
                of_buf_free(&b);
            }
            assert_true(known);
        }
        assert_true(versions > 0);
    }
    assert_true(n > 300);
}

static void
test_bad_headers(void **state)
{
    struct of_msg m;

    assert_int_equal(parse("", &m), OFPBRC_BAD_LEN);
    assert_int_equal(parse("01020007000000", &m), OFPBRC_BAD_LEN);
    assert_int_equal(parse("0102000900000001", &m), OFPBRC_BAD_LEN);
    assert_int_equal(parse("0702000800000001", &m), OFPBRC_BAD_VERSION);
    assert_int_equal(m.xid, 1);
    assert_int_equal(parse("0002000800000001", &m), OFPBRC_BAD_VERSION);
    assert_int_equal(parse("0700000800000001", &m), OF_OK); /* a hello from the future */
    assert_int_equal(parse("0163000800000001", &m), OFPBRC_BAD_TYPE);
    assert_int_equal(parse("0111000800000001", &m), OFPBRC_BAD_LEN);
    assert_int_equal(parse("0110000c0000000100630000", &m), OFPBRC_BAD_STAT);
    assert_int_equal(parse("0104000c00000001deadbeef", &m), OFPBRC_BAD_VENDOR);
    assert_int_equal(parse("0104000c0000000100002320", &m), OFPBRC_BAD_LEN);
    assert_int_equal(parse("01040010000000010000232000000fff", &m), OFPBRC_BAD_SUBTYPE);
    assert_int_equal(parse("0104001000000001000023200001000c", &m), OFPBRC_BAD_SUBTYPE);
    assert_int_equal(parse("0105000900000001ff", &m), OFPBRC_BAD_LEN); /* fixed length */
    assert_int_equal(parse("0112000900000001ff", &m), OFPBRC_BAD_LEN);
}

static void
test_replies(void **state)
{
    assert_int_equal(of_msg_reply_type(OFM_DESC_REQUEST), OFM_DESC_REPLY);
    assert_int_equal(of_msg_reply_type(OFM_IPFIX_FLOW_REQUEST), OFM_IPFIX_FLOW_REPLY);
    assert_int_equal(of_msg_reply_type(OFM_ECHO_REQUEST), OFM_ECHO_REPLY);
    assert_int_equal(of_msg_reply_type(OFM_DESC_REPLY), OFM_NONE);
    assert_int_equal(of_msg_reply_type(OFM_FLOW_MOD), OFM_NONE);
    assert_false(of_msg_is_for_switch(OFM_PACKET_IN));
    assert_false(of_msg_is_for_switch(OFM_FLOW_STATS_REPLY));
}

static void
test_errors(void **state)
{
    static const char barrier[] = "0112000800000003";
    struct of_buf b = OF_BUF_INIT;
    unsigned n = 0;
    size_t len;
    uint8_t *msg = of_unhex(barrier, &len);

    of_error_encode(&b, OFPBRC_BAD_TYPE, OF10_VERSION, msg, len);
    assert_true(of_hex_equal(&b, "0101001400000003 00010001 0112000800000003"));
    of_buf_clear(&b);
    /* Nicira's ways of 1.0 and 1.2. */
    of_error_encode(&b, OFPBMC_BAD_PREREQ, OF10_VERSION, msg, len);
    assert_true(
        of_hex_equal(&b, "0101001c00000003 b0c20000 00002320 00010104 0112000800000003"));
    of_buf_clear(&b);
    of_error_encode(&b, NXBRC_MUST_BE_ZERO, OF13_VERSION, msg, len);
    assert_true(of_hex_equal(&b, "0401001800000003 ffff0004 00002320 0112000800000003"));
    of_buf_clear(&b);
    /* No place for it in this version. */
    of_error_encode(&b, OFPMMFC_BAD_RATE, OF10_VERSION, NULL, 0);
    assert_true(of_hex_equal(&b, "0101001400000000 b0c20000 00002320 00010209"));
    of_buf_clear(&b);
    of_error_encode_text(&b, OFPHFC_INCOMPATIBLE, OF10_VERSION, 5, "no");
    assert_true(of_hex_equal(&b, "0101000e00000005 00000000 6e6f"));
    of_buf_free(&b);
    free(msg);

    /* All of them, both ways. */
    for (int e = 1; e < OF_N_ERRS; e++) {
        bool anywhere = false;

        assert_string_not_equal(of_err_name(e), "unknown");
        for (uint8_t v = OF10_VERSION; v <= OF15_VERSION; v++) {
            struct of_error_msg em;
            uint16_t type, code;
            struct of_msg m;
            uint32_t exp;

            if (!of_err_to_wire(e, v, &exp, &type, &code)) {
                continue;
            }
            anywhere = true;
            of_error_encode(&b, e, v, "01234567", 8);
            assert_int_equal(of_msg_parse(b.data, b.len, &m), OF_OK);
            assert_int_equal(of_error_decode(&m, &em), OF_OK);
            assert_int_equal(em.exp, exp);
            assert_int_equal(em.type, type);
            assert_int_equal(em.code, code);
            assert_int_equal(em.data_len, 8);
            /* 1.0 to 1.2 have one number for some pairs. */
            n += em.err != (enum of_err) e;
            assert_true(em.err == (enum of_err) e || v < OF13_VERSION);
            of_buf_free(&b);
        }
        assert_true(anywhere);
    }
    assert_in_range(n, 1, 5);
    assert_string_equal(of_err_name(OF_OK), "OF_OK");
    assert_string_equal(of_err_name(OFPBRC_BAD_LEN), "OFPBRC_BAD_LEN");
    assert_string_equal(of_err_name(9999), "unknown");
}

static enum of_err
decode_error(const struct of_msg *m)
{
    struct of_error_msg em;

    return of_error_decode(m, &em);
}

static void
test_error_cut(void **state)
{
    assert_int_equal(of_cut_everywhere("0101001000000000b0c2000000002320", decode_error), 0);
    assert_int_equal(of_cut_everywhere("0401001000000000ffff000400002320", decode_error), 0);
}

static void
test_error_head(void **state)
{
    uint8_t big[200] = {1, 14, 0, 200, 0, 0, 0, 9};
    struct of_buf b = OF_BUF_INIT;

    of_error_encode(&b, OFPBRC_BAD_LEN, OF10_VERSION, big, sizeof big);
    assert_int_equal(b.len, 12 + OF_ERROR_DATA_MAX);
    assert_int_equal(of_get_be32(b.data + 4), 9);
    of_buf_free(&b);
}

static void
test_multipart_split(void **state)
{
    struct of_buf b = OF_BUF_INIT;
    struct of_mp_joiner j = {.open = false};
    struct of_mp_writer w;
    size_t pos = 0;
    unsigned n_msgs = 0;
    bool whole = false;
    struct of_msg m;

    of_put_u32(&b, 0xabcdef01); /* something stands before it */
    of_mp_begin(&w, &b, OFM_TABLE_FEATURES_REPLY, OF13_VERSION, 77);
    for (uint32_t i = 0; i < 10000; i++) {
        of_mp_entry_begin(&w);
        of_put_u64(&b, i);
        of_buf_put_zeros(&b, i % 3 * 8);
        assert_true(of_mp_entry_end(&w));
        if (i == 5000) { /* one that no message can take vanishes */
            of_mp_entry_begin(&w);
            of_buf_put_zeros(&b, 65528);
            assert_false(of_mp_entry_end(&w));
        }
    }
    of_mp_end(&w);

    for (pos = 4; pos < b.len; n_msgs++) {
        size_t len = of_get_be16(b.data + pos + 2);

        assert_int_equal(of_msg_parse(b.data + pos, len, &m), OF_OK);
        assert_int_equal(m.xid, 77);
        pos += len;
        assert_int_equal(m.mp_flags, pos < b.len ? OFPMPF_MORE : 0);
        assert_int_equal(of_mp_join(&j, &m, &whole), OF_OK);
        assert_int_equal(whole, pos == b.len);
    }
    assert_int_equal(n_msgs, 3);
    for (uint32_t i = 0; i < 10000; i++) {
        uint64_t v;

        assert_true(of_read_u64(&m.body, &v) && v == i);
        assert_true(of_skip(&m.body, i % 3 * 8));
    }
    assert_int_equal(m.body.len, 0);
    of_mp_joiner_clear(&j);
    of_buf_clear(&b);

    /* No entries: one empty message. */
    of_mp_begin(&w, &b, OFM_FLOW_STATS_REPLY, OF10_VERSION, 1);
    of_mp_end(&w);
    assert_true(of_hex_equal(&b, "0111000c0000000100010000"));
    of_buf_clear(&b);
    /* A type that the version lacks: nothing. */
    of_mp_begin(&w, &b, OFM_METER_STATS_REPLY, OF10_VERSION, 1);
    of_mp_entry_begin(&w);
    of_put_u64(&b, 1);
    assert_false(of_mp_entry_end(&w));
    of_mp_end(&w);
    assert_int_equal(b.len, 0);
    of_buf_free(&b);
}

static void
test_multipart_join(void **state)
{
    struct of_mp_joiner j = {.open = false};
    struct of_msg m, other;
    bool whole;
    unsigned i;

    assert_int_equal(parse("041200180000000100 0c 0001 00000000 0102030405060708", &m), OF_OK);
    assert_int_equal(of_mp_join(&j, &m, &whole), OF_OK);
    assert_false(whole);
    /* Another xid ends it; alone it is whole. */
    other = m;
    other.xid = 2;
    other.mp_flags = 0;
    assert_int_equal(of_mp_join(&j, &other, &whole), OF_OK);
    assert_true(whole);
    assert_int_equal(other.body.len, 8);
    /* Too many parts. */
    for (i = 0; i < OF_MP_JOIN_PARTS; i++) {
        assert_int_equal(of_mp_join(&j, &m, &whole), OF_OK);
    }
    assert_int_equal(of_mp_join(&j, &m, &whole), OFPBRC_MULTIPART_BUFFER_OVERFLOW);
    assert_false(whole);
    assert_null(j.body.data);
    of_mp_joiner_clear(&j);
}

static void
test_properties(void **state)
{
    struct of_buf b = OF_BUF_INIT;
    struct of_reader r;
    struct of_prop p;
    size_t s;

    of_put_u32(&b, 0);
    s = of_prop_begin(&b, 7);
    of_put_u8(&b, 9);
    of_prop_end(&b, s);
    s = of_prop_begin_exp(&b, OF_EXP_INTEL, 2);
    of_prop_end(&b, s);
    assert_true(of_hex_equal(&b, "00000000 0007000509000000 ffff000c0000aa010000000200000000"));
    r = (struct of_reader){b.data + 4, b.len - 4};
    assert_int_equal(of_prop_next(&r, false, &p), OF_OK);
    assert_int_equal(p.type, 7);
    assert_int_equal(p.data.len, 1);
    assert_int_equal(of_prop_next(&r, false, &p), OF_OK);
    assert_int_equal(p.type, OFPROP_EXPERIMENTER);
    assert_int_equal(p.exp, OF_EXP_INTEL);
    assert_int_equal(p.exp_type, 2);
    assert_int_equal(r.len, 0);
    for (size_t n = 1; n < 12; n++) {
        r = (struct of_reader){b.data + 12, n};
        assert_int_equal(of_prop_next(&r, false, &p), OFPBPC_BAD_LEN);
    }
    of_buf_set_u16(&b, 14, 3);
    r = (struct of_reader){b.data + 12, 16};
    assert_int_equal(of_prop_next(&r, false, &p), OFPBPC_BAD_LEN);
    of_buf_free(&b);
}

static void
test_buffer(void **state)
{
    struct of_buf b = OF_BUF_INIT;
    struct of_reader r;
    char s[5];
    uint8_t u8 = 0;
    uint16_t u16 = 0;
    uint32_t u32 = 0;
    uint64_t u64 = 0;

    of_put_u8(&b, 1);
    of_buf_pad(&b, 4);
    of_put_u16(&b, 0x0203);
    of_put_u32(&b, 0x04050607);
    of_put_u64(&b, UINT64_C(0x08090a0b0c0d0e0f));
    of_put_str(&b, "abcdef", 4);
    of_put_str(&b, "a", 4);
    of_buf_set_u8(&b, b.len, 1); /* outside: nothing */
    of_buf_set_u32(&b, b.len - 2, 1);
    assert_true(of_hex_equal(&b, "01000000 0203 04050607 08090a0b0c0d0e0f 61626300 61000000"));
    r = (struct of_reader){b.data, b.len};
    assert_true(of_read_u8(&r, &u8) && u8 == 1);
    assert_true(of_peek_zeros(&r, 3) && !of_peek_zeros(&r, 4));
    assert_true(of_skip(&r, 3));
    assert_true(of_read_u16(&r, &u16) && u16 == 0x0203);
    assert_true(of_read_u32(&r, &u32) && u32 == 0x04050607);
    assert_true(of_read_u64(&r, &u64) && u64 == UINT64_C(0x08090a0b0c0d0e0f));
    assert_true(of_read_str(&r, s, 4));
    assert_string_equal(s, "abc");
    assert_false(of_read_u64(&r, &u64) || of_skip(&r, 5) || of_read_str(&r, s, 5));
    assert_int_equal(r.len, 4);
    of_buf_free(&b);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_buffer),         cmocka_unit_test(test_properties),
        cmocka_unit_test(test_stock_messages), cmocka_unit_test(test_all_headers),
        cmocka_unit_test(test_bad_headers),    cmocka_unit_test(test_replies),
        cmocka_unit_test(test_errors),         cmocka_unit_test(test_error_cut),
        cmocka_unit_test(test_error_head),     cmocka_unit_test(test_multipart_split),
        cmocka_unit_test(test_multipart_join),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
