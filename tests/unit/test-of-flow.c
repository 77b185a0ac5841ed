/* SPDX-License-Identifier: Apache-2.0 */
/* OpenFlow: flow-mods, flow statistics and removals, flow monitors.  The bytes are what stock
 * ovs-ofctl 3.1 and the stock switch say. */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <cmocka.h>

#include "of-hex.h"
#include "openflow/of-flow.h"
#include "openflow/of-monitor.h"
#include "util/compiler.h"

static enum of_err
decode_fm(const struct of_msg *m)
{
    struct of_flow_mod fm;
    enum of_err err = of_flow_mod_decode(m, true, &fm);

    if (!err) {
        of_flow_mod_free(&fm);
    }
    return err;
}

static bool
is_output_2(const struct of_actions *acts)
{
    const struct of_act *a = of_actions_find(acts->a, acts->len, OFA_OUTPUT);

    return a && of_actions_output_to_port(acts->a, acts->len, 2) && acts->len == a->len;
}

/* "in_port=1,dl_src=00:01:02:03:04:05,ip,nw_src=10.0.0.0/8" */
static void
expect_match(const struct of_match *m)
{
    struct of_match want;
    struct of_value mac, ip, mask;
    static const uint8_t mac_bytes[] = {0, 1, 2, 3, 4, 5};

    memset(&mac, 0, sizeof mac);
    memset(&ip, 0, sizeof ip);
    memset(&mask, 0, sizeof mask);
    memcpy(mac.b, mac_bytes, 6);
    ip.b[0] = 10;
    mask.b[0] = 255;
    of_match_init(&want);
    of_match_set_u64(&want, OFF_IN_PORT, 1);
    of_match_set(&want, OFF_ETH_SRC, &mac, NULL);
    of_match_set_u64(&want, OFF_ETH_TYPE, 0x800);
    of_match_set(&want, OFF_IPV4_SRC, &ip, &mask);
    assert_true(of_match_equal(m, &want));
}

static void
test_add(void **state)
{
    static const struct {
        uint8_t version;
        const char *hex;
    } t[] = {
        {OF14_VERSION,
         "050e007000000006000000000000007700000000000000000100000a00140005ffffffffffffffffffff"
         "ffff000700030001002880000004000000018000080600010203040580000a020800800017080a000000"
         "ff000000000400180000000000000010000000020000000000000000"},
        {OF15_VERSION,
         "060e007000000006000000000000007700000000000000000100000a00140005ffffffffffffffffffff"
         "ffff000700030001002880000004000000018000080600010203040580000a020800800017080a000000"
         "ff000000000400180000000000000010000000020000000000000000"},
    };

    for (size_t i = 0; i < ARRAY_SIZE(t); i++) {
        struct of_flow_mod fm;

        assert_int_equal(of_flow_mod_decode(msg(t[i].hex), false, &fm), OF_OK);
        assert_int_equal(fm.command, OFPFC_ADD);
        assert_int_equal(fm.table_id, 1);
        assert_int_equal(fm.priority, 5);
        assert_int_equal(fm.idle_timeout, 10);
        assert_int_equal(fm.hard_timeout, 20);
        assert_int_equal(fm.importance, 3);
        assert_int_equal(fm.flags,
                         OFPFF_SEND_FLOW_REM | OFPFF_CHECK_OVERLAP | OFPFF_RESET_COUNTS);
        assert_int_equal(fm.new_cookie, 0x77);
        assert_int_equal(fm.cookie_mask, 0);
        assert_false(fm.modify_cookie || fm.modify_adds);
        assert_int_equal(fm.buffer_id, OFP_NO_BUFFER);
        assert_int_equal(fm.out_port, OFPP_NONE);
        expect_match(&fm.match);
        assert_true(is_output_2(&fm.actions));
        of_flow_mod_free(&fm);
        /* Cut behind the match it is a flow that drops. */
        assert_int_equal(of_cut_everywhere(t[i].hex, decode_fm), 1);
    }
}

static void
test_nxm(void **state)
{
    static const char add[] =
        "0104003800000008000023200000000d00000000000000000000000000008000ffffffffffff00000008"
        "0000000000000001000400000005";
    static const char mod[] =
        "010400580000000a000023200000000dffffffffffffffff0102000000000005ffffffffffff0000001c"
        "000000000000000102040000000100013d10000000000000000500000000000000ff0000000000000008"
        "00020000";
    static const char del[] =
        "010400400000000a000023200000000d00000000000000000103000000008000ffffffff00020000000c"
        "00000000000000013c08000000000000007700000000";
    struct of_flow_mod fm;

    assert_int_equal(of_flow_mod_decode(msg(add), false, &fm), OF_OK);
    assert_int_equal(fm.command, OFPFC_ADD);
    assert_int_equal(fm.table_id, OFPTT_ALL);
    assert_int_equal(fm.priority, 32768);
    assert_int_equal(fm.match.flow.regs.reg[0], 5);
    assert_int_equal(fm.match.mask.regs.reg[0], UINT32_MAX);
    assert_int_equal(fm.flags, OFPFF_RESET_COUNTS);
    assert_int_equal(fm.actions.len, 0);
    of_flow_mod_free(&fm);

    assert_int_equal(of_flow_mod_decode(msg(mod), true, &fm), OF_OK);
    assert_int_equal(fm.command, OFPFC_MODIFY_STRICT);
    assert_int_equal(fm.table_id, 1);
    assert_int_equal(fm.cookie, 5);
    assert_int_equal(fm.cookie_mask, 0xff);
    assert_int_equal(fm.new_cookie, UINT64_MAX);
    assert_false(fm.modify_cookie || fm.modify_adds);
    assert_true(is_output_2(&fm.actions));
    of_flow_mod_free(&fm);
    /* The upper half of the command means something only when it was agreed upon. */
    assert_int_equal(of_flow_mod_decode(msg(mod), false, &fm), OFPFMFC_BAD_COMMAND);

    assert_int_equal(of_flow_mod_decode(msg(del), true, &fm), OF_OK);
    assert_int_equal(fm.command, OFPFC_DELETE);
    assert_int_equal(fm.cookie, 0x77);
    assert_int_equal(fm.cookie_mask, UINT64_MAX);
    assert_int_equal(fm.out_port, 2);
    assert_int_equal(fm.out_group, OFPG_ANY);
    assert_int_equal(of_cut_everywhere(add, decode_fm), 0);
    assert_int_equal(of_cut_everywhere(mod, decode_fm), 1);
    assert_int_equal(of_cut_everywhere(del, decode_fm), 0);
}

static void
test_10(void **state)
{
    static const char del[] =
        "010e004800000008003820fe000100000000000000000000000000000000000000000000000000000000"
        "00000000000000000000000000000104000000000005ffffffffffff0000";
    /* No wildcard at all. */
    static const char exact[] =
        "010e005000000008 00000000 0001 000102030405 000102030405 ffff 00 00 0800 00 06 0000"
        "0a000001 0a000002 0050 0051 0000000000000002 0000 0000 0000 0007 ffffffff ffff 0000"
        "0000000800020000";
    struct of_flow_mod fm;

    assert_int_equal(of_flow_mod_decode(msg(del), true, &fm), OF_OK);
    assert_int_equal(fm.command, OFPFC_DELETE_STRICT);
    assert_int_equal(fm.table_id, 1);
    assert_int_equal(fm.priority, 5);
    assert_int_equal(of_cut_everywhere(del, decode_fm), 0);

    assert_int_equal(of_flow_mod_decode(msg(exact), false, &fm), OF_OK);
    assert_int_equal(fm.priority, 65535);
    assert_int_equal(fm.new_cookie, 2);
    of_flow_mod_free(&fm);
}

static void
test_modify_delete(void **state)
{
    static const char mod[] =
        "060e006000000006000000000000000500000000000000ff0102000000000005ffffffffffffffffffff"
        "ffff000000000001001880010110000000000000000100000000ffffffff000400180000000000000010"
        "000000020000000000000000";
    static const char del[] =
        "060e0038000000060000000000000077ffffffffffffffff0103000000008000ffffffff00000002ffff"
        "ffff000000000001000400000000";
    struct of_flow_mod fm;

    assert_int_equal(of_flow_mod_decode(msg(mod), false, &fm), OF_OK);
    assert_int_equal(fm.command, OFPFC_MODIFY_STRICT);
    assert_int_equal(fm.cookie, 5);
    assert_int_equal(fm.cookie_mask, 0xff);
    assert_false(fm.modify_cookie || fm.modify_adds);
    of_flow_mod_free(&fm);
    assert_int_equal(of_flow_mod_decode(msg(del), false, &fm), OF_OK);
    assert_int_equal(fm.command, OFPFC_DELETE);
    assert_int_equal(fm.out_port, 2);
    assert_int_equal(fm.cookie, 0x77);
    of_flow_mod_free(&fm);
}

/* Who changes cookies, and who adds what is not there, as the stock switch does it. */
static void
test_modify_cookies(void **state)
{
    static const struct {
        const char *hex;
        uint64_t new_cookie;
        bool adds, changes;
    } t[] = {
        /* 1.0, cookie 9 */
        {"010e0050 00000008 003820ff "
         "00000000000000000000000000000000000000000000000000000000000000"
         "0000000000 0000000000000009 0001 0000 0000 0007 ffffffff ffff 0000 0000000800020000",
         9, true, true},
        /* Nicira's, by the cookie that it has */
        {"010400380000000a000023200000000d ffffffffffffffff 0001 0000 0000 0005 ffffffff ffff "
         "0000"
         "0000 000000000000 0000000800020000",
         UINT64_MAX, false, false},
        {"010400380000000a000023200000000d 0000000000000009 0001 0000 0000 0005 ffffffff ffff "
         "0000"
         "0000 000000000000 0000000800020000",
         9, true, true},
        /* 1.1, 1.3 */
        {"020e00a000000006000000000000000900000000000000000001000000008000ffffffffffffffffffff"
         "ffff000000000000005800000002000003fe000000000000ffffffffffff000000000000ffffffffffff"
         "000000000000000000000000ffffffff00000000ffffffff000000000000000000000000000000000000"
         "0000ffffffffffffffff000400180000000000000010000000010000000000000000",
         9, true, false},
        {"040e003800000006 0000000000000009 0000000000000000 0001 0000 0000 8000 ffffffff "
         "ffffffff"
         "ffffffff 0000 0000 0001000400000000",
         UINT64_MAX, false, false},
    };

    for (size_t i = 0; i < ARRAY_SIZE(t); i++) {
        struct of_flow_mod fm;

        assert_int_equal(of_flow_mod_decode(msg(t[i].hex), false, &fm), OF_OK);
        assert_int_equal(fm.command, OFPFC_MODIFY);
        assert_true(fm.new_cookie == t[i].new_cookie);
        assert_int_equal(fm.modify_adds, t[i].adds);
        assert_int_equal(fm.modify_cookie, t[i].changes);
        of_flow_mod_free(&fm);
    }
}

static void
test_errors(void **state)
{
    /* What the stock switch answers. */
    static const char head[] = "040e003800000064 0000000000000000 0000000000000000";
    static const struct {
        const char *rest;
        enum of_err err;
    } t[] = {
        {"ff00 0000 0000 0008 ffffffff ffffffff ffffffff 0000 0000 0001000400000000",
         OFPFMFC_BAD_TABLE_ID},
        {"ff01 0000 0000 0008 ffffffff ffffffff ffffffff 0000 0000 0001000400000000",
         OFPFMFC_BAD_TABLE_ID},
        {"ff03 0000 0000 0008 ffffffff ffffffff ffffffff 0000 0000 0001000400000000", OF_OK},
        {"0000 0000 0000 0008 ffffffff 00010000 ffffffff 0000 0000 0001000400000000",
         OFPBAC_BAD_OUT_PORT},
        {"0000 0000 0000 0008 ffffffff ffffffff ffffffff 0080 0000 0001000400000000",
         OFPFMFC_BAD_FLAGS},
        {"0005 0000 0000 0008 ffffffff ffffffff ffffffff 0000 0000 0001000400000000",
         OFPFMFC_BAD_COMMAND},
    };
    static const char emerg[] =
        "010e0048 00000064 003820ff "
        "00000000000000000000000000000000000000000000000000000000000000"
        "0000000000 0000000000000000 0000 0000 0000 0008 ffffffff ffff 0004";

    for (size_t i = 0; i < ARRAY_SIZE(t); i++) {
        char hex[512];

        snprintf(hex, sizeof hex, "%s%s", head, t[i].rest);
        assert_int_equal(decode_fm(msg(hex)), t[i].err);
    }
    assert_int_equal(decode_fm(msg(emerg)), OFPFMFC_TABLE_FULL);
}

static enum of_err
decode_request(const struct of_msg *m)
{
    struct of_flow_request q;

    return of_flow_request_decode(m, &q);
}

static void
test_requests(void **state)
{
    static const char nxst[] =
        "0110003800000008ffff0000000023200000000000000000ffff0012ff00000000000002000100013c08"
        "0000000000000077000000000000";
    static const char v15[] =
        "06120040000000060001000000000000ff000000ffffffffffffffff000000000000000000000077ffff"
        "ffffffffffff0001000c800000040000000100000000";
    static const char filters[] =
        "061200380000000600010000000000000100000000000002000000030000000000000000000000000000"
        "0000000000000001000400000000";
    const char *both[] = {nxst, v15};
    struct of_flow_request q;

    for (int i = 0; i < 2; i++) {
        assert_int_equal(of_flow_request_decode(msg(both[i]), &q), OF_OK);
        assert_int_equal(q.table_id, OFPTT_ALL);
        assert_int_equal(q.cookie, 0x77);
        assert_int_equal(q.cookie_mask, UINT64_MAX);
        assert_int_equal(q.match.flow.meta.in_port, 1);
        assert_int_equal(q.out_port, OFPP_NONE);
        assert_int_equal(q.out_group, OFPG_ANY);
        assert_int_equal(of_cut_everywhere(both[i], decode_request), 0);
    }
    assert_int_equal(of_flow_request_decode(msg(filters), &q), OF_OK);
    assert_int_equal(q.table_id, 1);
    assert_int_equal(q.out_port, 2);
    assert_int_equal(q.out_group, 3);
    assert_int_equal(of_flow_request_decode(
                         msg("041200380000006400010000000000000000000000010000ffffffff00000000"
                             "000000000000000000000000000000000001000400000000"),
                         &q),
                     OFPBAC_BAD_OUT_PORT);
    assert_int_equal(
        of_flow_request_decode(
            msg("0110003800000009 00010000 003fffff"
                "000000000000000000000000000000000000000000000000000000000000000000000000"
                "05000003"),
            &q),
        OF_OK);
    assert_int_equal(q.table_id, 5);
    assert_int_equal(q.out_port, 3);
}

/* table=1, priority=5, tcp, in_port=1, nw_src=10.0.0.0/8, output:2 */
static void
sample_flow(struct of_match *m, struct of_actions *acts)
{
    struct of_value ip, mask;

    memset(&ip, 0, sizeof ip);
    memset(&mask, 0, sizeof mask);
    ip.b[0] = 10;
    mask.b[0] = 255;
    of_match_init(m);
    of_match_set_u64(m, OFF_IN_PORT, 1);
    of_match_set_u64(m, OFF_ETH_TYPE, 0x800);
    of_match_set_u64(m, OFF_IP_PROTO, 6);
    of_match_set(m, OFF_IPV4_SRC, &ip, &mask);
    *acts = (struct of_actions) OF_ACTIONS_INIT;
    of_actions_put_output(acts, 2, 0);
}

static void
test_stats(void **state)
{
    static const struct {
        uint8_t version;
        enum of_msg_type type;
        const char *hex;
        size_t duration; /* offset of the seconds in the entry */
    } t[] = {
        {OF10_VERSION, OFM_NXST_FLOW_REPLY,
         "00580100000000020f053700000503e807d0001d00030003000000000000007700000000000000000000"
         "00000000000000000002000100000602080000000f080a000000ff00000000000c010600000000000008"
         "00020000",
         4},
        {OF12_VERSION, OFM_FLOW_STATS_REPLY,
         "0070010000000004188e9f00000503e807d0000000000000000000000000007700000000000000000000"
         "00000000000000010023800000040000000180000a020800800017080a000000ff000000800014010600"
         "00000000000400180000000000000010000000020000000000000000",
         4},
        {OF13_VERSION, OFM_FLOW_STATS_REPLY,
         "00700100000000051982c300000503e807d0000100000000000000000000007700000000000000000000"
         "00000000000000010023800000040000000180000a020800800017080a000000ff000000800014010600"
         "00000000000400180000000000000010000000020000000000000000",
         4},
        {OF14_VERSION, OFM_FLOW_STATS_REPLY,
         "0070010000000006204e4380000503e807d0000100030000000000000000007700000000000000000000"
         "00000000000000010023800000040000000180000a020800800017080a000000ff000000800014010600"
         "00000000000400180000000000000010000000020000000000000000",
         4},
        {OF15_VERSION, OFM_FLOW_STATS_REPLY,
         "009000000100000503e807d000010003000000000000007700010023800000040000000180000a020800"
         "800017080a000000ff000000800014010600000000000000003480020008000000073220a44080020208"
         "000000070000000080020808000000000000000080020a08000000000000000000000000000400180000"
         "000000000010000000020000000000000000",
         72},
    };
    struct of_actions acts;
    struct of_match m;

    sample_flow(&m, &acts);
    for (size_t i = 0; i < ARRAY_SIZE(t); i++) {
        struct of_buf b = OF_BUF_INIT;
        size_t len;
        uint8_t *want = of_unhex(t[i].hex, &len);
        struct of_flow_stats s = {
            .match = &m,
            .table_id = 1,
            .priority = 5,
            .cookie = 0x77,
            .idle_timeout = 1000,
            .hard_timeout = 2000,
            .importance = 3,
            .flags = OFPFF_SEND_FLOW_REM,
            .actions = acts.a,
            .actions_len = acts.len,
            .duration_sec = of_get_be32(want + t[i].duration),
            .duration_nsec = of_get_be32(want + t[i].duration + 4),
        };

        s.idle_age = t[i].version == OF15_VERSION ? (int) of_get_be32(want + 84)
                                                  : of_get_be16(want + 20) - 1;
        s.hard_age = of_get_be16(want + 22) - 1;
        of_flow_stats_put(&b, t[i].type, &s, t[i].version);
        assert_true(of_hex_equal(&b, t[i].hex));
        of_buf_free(&b);
        free(want);
    }
    of_actions_free(&acts);
}

static void
test_aggregate(void **state)
{
    struct of_buf b = OF_BUF_INIT;

    of_aggregate_encode(&b, OFM_NXST_AGGREGATE_REPLY, 0, 0, 1, OF10_VERSION, 4);
    assert_true(of_hex_equal(&b,
                             "0111003000000004ffff00000000232000000001000000000000000000000000"
                             "00000000000000000000000100000000"));
    of_buf_clear(&b);
    of_aggregate_encode(&b, OFM_AGGREGATE_REPLY, 0, 0, 1, OF13_VERSION, 6);
    assert_true(of_hex_equal(
        &b,
        "04130028000000060002000000000000000000000000000000000000000000000000000100000000"));
    of_buf_clear(&b);
    of_aggregate_encode(&b, OFM_AGGREGATE_REPLY, 0, 0, 1, OF15_VERSION, 6);
    assert_true(of_hex_equal(
        &b,
        "061300380000000600020000000000000000002480020808000000000000000080020a08000000000000"
        "0000800206040000000100000000"));
    of_buf_free(&b);
}

static void
test_removed(void **state)
{
    static const struct {
        uint8_t version;
        const char *hex;
        size_t duration;
    } t[] = {
        {OF10_VERSION,
         "010b005800000000003820fe000100000000000000000000000000000000000000000000000000000000"
         "0000000000000000000000000006000902000000000000d59f8000070000000000000000000000000000"
         "00000000",
         60},
        {OF13_VERSION,
         "040b0040000000000000000000000006000902020000000000e4e1c00007000000000000000000000000"
         "0000000000000001000c800000040000000100000000",
         20},
        {OF15_VERSION,
         "060b005000000000020200090007000000000000000000060001000c8000000400000001000000000000"
         "002880020008000000000098968080020808000000000000000080020a080000000000000000",
         48},
    };
    struct of_match m;
    struct of_buf b = OF_BUF_INIT;

    of_match_init(&m);
    of_match_set_u64(&m, OFF_IN_PORT, 1);
    for (size_t i = 0; i < ARRAY_SIZE(t); i++) {
        size_t len;
        uint8_t *want = of_unhex(t[i].hex, &len);
        struct of_flow_removed fr = {
            .match = &m,
            .table_id = 2,
            .priority = 9,
            .cookie = 6,
            .reason = OFPRR_DELETE,
            .idle_timeout = 7,
            .duration_sec = of_get_be32(want + t[i].duration),
            .duration_nsec = of_get_be32(want + t[i].duration + 4),
        };

        of_flow_removed_encode(&b, &fr, false, t[i].version, 0);
        assert_true(of_hex_equal(&b, t[i].hex));
        of_buf_clear(&b);
        if (t[i].version == OF10_VERSION) {
            of_flow_removed_encode(&b, &fr, true, t[i].version, 0);
            assert_int_equal(b.len, 16 + 40 + 8);
            assert_int_equal(b.data[16 + 11], 3); /* the table, plus one */
            of_buf_clear(&b);
        }
        free(want);
    }
    of_buf_free(&b);
}

static enum of_err
decode_monitor(const struct of_msg *m)
{
    struct of_reader r = m->body;
    struct of_monitor_request q;
    enum of_err err = OF_OK;

    do {
        err = of_monitor_request_next(m, &r, &q);
    } while (!err && r.len);
    return err;
}

static void
test_monitor_requests(void **state)
{
    static const char *const t[] = {
        "0110002800000009ffff000000002320000000020000000000000000003fffff0000010000000000",
        ("0412003000000009ffff0000000000004f4e46000000074e00000000003f0004ffffffff010000000001"
         "000400000000"),
        "0512002800000009001000000000000000000000ffffffffffffffff005f01000001000400000000",
    };

    for (size_t i = 0; i < ARRAY_SIZE(t); i++) {
        struct of_msg *m = msg(t[i]);
        struct of_monitor_request q;
        struct of_reader r = m->body;

        assert_int_equal(of_monitor_request_next(m, &r, &q), OF_OK);
        assert_int_equal(r.len, 0);
        assert_int_equal(q.id, 0);
        assert_int_equal(q.command, OFPFMC_ADD);
        assert_int_equal(q.flags, 0x1f);
        assert_true(q.own_in_full);
        assert_int_equal(q.out_port, OFPP_NONE);
        assert_int_equal(q.table_id, 1);
        assert_true(of_match_is_any(&q.match));
        assert_int_equal(of_cut_everywhere(t[i], decode_monitor), 0);
    }
    assert_int_equal(decode_monitor(msg("0110002800000009ffff0000000023200000000200000000"
                                        "00000000 0010ffff 0000 01 0000000000")),
                     OFPMOFC_BAD_FLAGS);
    assert_int_equal(decode_monitor(msg("0110002800000009ffff0000000023200000000200000000"
                                        "00000000 001fffff 0000 01 0000000001")),
                     NXBRC_MUST_BE_ZERO);
    assert_int_equal(
        decode_monitor(msg("0512002800000009001000000000000000000000ffffffffffffffff"
                           "005f01030001000400000000")),
        OFPMOFC_BAD_COMMAND);
}

static void
test_monitor_updates(void **state)
{
    static const struct {
        uint8_t version;
        enum of_msg_type type;
        const char *added, *removed;
    } t[] = {
        {OF10_VERSION, OFM_NXST_FLOW_MONITOR_REPLY,
         "00280000000000090000000000060100000000000000000500000002000100000000000800020000",
         "00280001000200090000000000060100000000000000000500000002000100000000000800020000"},
        {OF13_VERSION, OFM_FLOW_MONITOR_REPLY,
         "004000000000000900000000000c010000000000000000050001000c8000000400000001000000000004"
         "00180000000000000010000000020000000000000000",
         "004000010002000900000000000c010000000000000000050001000c8000000400000001000000000004"
         "00180000000000000010000000020000000000000000"},
        {OF14_VERSION, OFM_FLOW_MONITOR_REPLY,
         "0040000101000000000000090000000000000000000000050001000c8000000400000001000000000004"
         "00180000000000000010000000020000000000000000",
         "0040000201020000000000090000000000000000000000050001000c8000000400000001000000000004"
         "00180000000000000010000000020000000000000000"},
    };
    struct of_actions acts = OF_ACTIONS_INIT;
    struct of_match m;
    struct of_buf b = OF_BUF_INIT;

    of_match_init(&m);
    of_match_set_u64(&m, OFF_IN_PORT, 1);
    of_actions_put_output(&acts, 2, 0);
    for (size_t i = 0; i < ARRAY_SIZE(t); i++) {
        struct of_monitor_update u = {
            .event = OFPFME_ADDED,
            .table_id = 1,
            .priority = 9,
            .cookie = 5,
            .match = &m,
            .actions = acts.a,
            .actions_len = acts.len,
            .reason = OFPRR_DELETE,
            .xid = 0x1234,
        };

        of_monitor_update_put(&b, t[i].type, &u, t[i].version);
        assert_true(of_hex_equal(&b, t[i].added));
        of_buf_clear(&b);
        u.event = OFPFME_REMOVED;
        of_monitor_update_put(&b, t[i].type, &u, t[i].version);
        assert_true(of_hex_equal(&b, t[i].removed));
        of_buf_clear(&b);
        u.event = OFPFME_ABBREV;
        of_monitor_update_put(&b, t[i].type, &u, t[i].version);
        assert_true(of_hex_equal(&b, t[i].version < OF14_VERSION ? "0008000300001234"
                                                                 : "0008000400001234"));
        of_buf_clear(&b);
    }
    of_buf_free(&b);
    of_actions_free(&acts);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_add),
        cmocka_unit_test(test_nxm),
        cmocka_unit_test(test_10),
        cmocka_unit_test(test_modify_delete),
        cmocka_unit_test(test_errors),
        cmocka_unit_test(test_modify_cookies),
        cmocka_unit_test(test_requests),
        cmocka_unit_test(test_stats),
        cmocka_unit_test(test_aggregate),
        cmocka_unit_test(test_removed),
        cmocka_unit_test(test_monitor_requests),
        cmocka_unit_test(test_monitor_updates),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
