/* SPDX-License-Identifier: Apache-2.0 */
/* OpenFlow: groups.  The bytes are what stock ovs-ofctl 3.1 and the stock switch say. */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <cmocka.h>

#include "of-hex.h"
#include "openflow/of-group.h"
#include "util/compiler.h"

static enum of_err
decode(const struct of_msg *m)
{
    struct of_group_mod gm;
    enum of_err err = of_group_mod_decode(m, &gm);

    if (!err) {
        of_group_mod_free(&gm);
    }
    return err;
}

static void
expect_select(const struct of_group_mod *gm, bool method)
{
    assert_int_equal(gm->type, OFPGT_SELECT);
    assert_int_equal(gm->group_id, 1);
    assert_int_equal(gm->n_buckets, 2);
    assert_int_equal(gm->buckets[0].id, 0);
    assert_int_equal(gm->buckets[0].weight, 5);
    assert_int_equal(gm->buckets[0].watch_port, OFPP_NONE);
    assert_int_equal(gm->buckets[0].watch_group, OFPG_ANY);
    assert_int_equal(gm->buckets[1].id, 1);
    assert_int_equal(gm->buckets[1].weight, 7);
    assert_int_equal(gm->buckets[1].watch_port, 2);
    assert_true(
        of_actions_output_to_port(gm->buckets[1].actions.a, gm->buckets[1].actions.len, 2));
    if (method) {
        assert_string_equal(gm->props.selection_method, "hash");
        assert_int_equal(gm->props.n_fields, 2);
        assert_int_equal(gm->props.fields[0].field, OFF_IPV4_SRC);
        assert_memory_equal(gm->props.fields[0].mask.b, "\xff\xff\xff\xff", 4);
        assert_int_equal(gm->props.fields[1].field, OFF_TCP_DST);
    }
}

static void
test_add(void **state)
{
    static const char *const add[] = {
        "0104009000000006000023200000001f000001000000000100380000ffffffff00180008000000000000"
        "000800010000000000080005000000200008000000010000000800020000000000080007000000010008"
        "00000002ffff00360000154d000000010000000068617368000000000000000000000000000000000000"
        "000000000e04ffffffff00001402ffff0000",
        "060f009800000006000001000000000100480000ffffffff002000100000000000000010000000010000"
        "000000000000000000080005000000280010000000010000001000000002000000000000000000000008"
        "000700000001000800000002ffff00360000154d00000001000000006861736800000000000000000000"
        "0000000000000000000080001604ffffffff80001c02ffff0000",
    };
    static const uint8_t version[] = {OF10_VERSION, OF15_VERSION};
    static const char *const desc[] = {
        "008001000000000100380000000000000018000800000000000000080001000000000008000500000020"
        "000800000001000000080002000000000008000700000001000800000002ffff00360000154d00000001"
        "0000000068617368000000000000000000000000000000000000000000000e04ffffffff00001402ffff"
        "0000",
        "009001000000000100480000000000000020001000000000000000100000000100000000000000000000"
        "000800050000002800100000000100000010000000020000000000000000000000080007000000010008"
        "00000002ffff00360000154d000000010000000068617368000000000000000000000000000000000000"
        "000080001604ffffffff80001c02ffff0000",
    };
    static const char desc_13[] =
        "004801000000000100200005ffffffffffffffff00000000000000100000000100000000000000000020"
        "000700000002ffffffff0000000000000010000000020000000000000000";

    for (size_t i = 0; i < ARRAY_SIZE(add); i++) {
        struct of_group_mod gm;
        struct of_group_desc d;
        struct of_buf b = OF_BUF_INIT;

        assert_int_equal(of_group_mod_decode(msg(add[i]), &gm), OF_OK);
        assert_int_equal(gm.command, OFPGC_ADD);
        expect_select(&gm, true);
        d = (struct of_group_desc){gm.group_id, gm.type, gm.buckets, gm.n_buckets, &gm.props};
        of_group_desc_put(&b, &d, version[i]);
        assert_true(of_hex_equal(&b, desc[i]));
        of_buf_clear(&b);
        of_group_desc_put(&b, &d, OF13_VERSION);
        assert_true(of_hex_equal(&b, desc_13));
        of_buf_clear(&b);
        assert_true(of_group_mod_encode(&b, &gm, version[i], msg(add[i])->xid));
        assert_true(of_hex_equal(&b, add[i]));
        of_buf_free(&b);
        of_group_mod_free(&gm);
        /* Cut off behind the buckets, it is one without a method. */
        assert_int_equal(of_cut_everywhere(add[i], decode), 1);
    }
}

/* Other commands and types, and the form of 1.1 to 1.4. */
static void
test_other(void **state)
{
    static const char ff_13[] =
        "040f003000000006 0000030000000002 0020000000000001 0000000100000000"
        "0000001000000002ffff000000000000";
    static const char insert[] =
        "060f003000000006000300000000000200180000fffffffe001800100000000900000010000000020000"
        "000000000000";
    static const char removal[] =
        "0104002000000006000023200000001f00050000000000020000000000000009";
    struct of_buf b = OF_BUF_INIT;
    struct of_group_mod gm;
    uint32_t id;

    assert_int_equal(of_group_mod_decode(msg(ff_13), &gm), OF_OK);
    assert_int_equal(gm.type, OFPGT_FF);
    assert_int_equal(gm.buckets[0].watch_port, 1);
    assert_int_equal(gm.buckets[0].watch_group, 1);
    assert_int_equal(gm.command_bucket_id, OFPG_BUCKET_ALL);
    assert_true(of_group_mod_encode(&b, &gm, OF13_VERSION, 6));
    assert_true(of_hex_equal(&b, ff_13));
    of_buf_clear(&b);
    of_group_mod_free(&gm);
    assert_int_equal(of_cut_everywhere(ff_13, decode), 1); /* no buckets at all */

    assert_int_equal(of_group_mod_decode(msg(insert), &gm), OF_OK);
    assert_int_equal(gm.command, OFPGC_INSERT_BUCKET);
    assert_int_equal(gm.command_bucket_id, OFPG_BUCKET_LAST);
    assert_int_equal(gm.buckets[0].id, 9);
    assert_false(of_group_mod_encode(&b, &gm, OF13_VERSION, 6));
    assert_int_equal(b.len, 0);
    of_group_mod_free(&gm);
    assert_int_equal(of_group_mod_decode(msg(removal), &gm), OF_OK);
    assert_int_equal(gm.command, OFPGC_REMOVE_BUCKET);
    assert_int_equal(gm.command_bucket_id, 9);
    of_group_mod_free(&gm);
    assert_int_equal(of_group_mod_decode(msg("040f00100000000600020000fffffffc"), &gm), OF_OK);
    assert_int_equal(gm.command, OFPGC_DELETE);
    assert_int_equal(gm.group_id, OFPG_ALL);
    of_group_mod_free(&gm);

    assert_int_equal(
        of_group_request_decode(
            msg("0110002000000002ffff00000000232000000008000000000000000100000000"), &id),
        OF_OK);
    assert_int_equal(id, 1);
    assert_int_equal(of_group_request_decode(msg("02120010000000020007000000000000"), &id),
                     OF_OK);
    assert_int_equal(id, OFPG_ALL);
    assert_int_equal(
        of_group_request_decode(msg("02120018000000060006000000000000fffffffc00000000"), &id),
        OF_OK);
    assert_int_equal(id, OFPG_ALL);
    of_buf_free(&b);
}

static void
test_bad(void **state)
{
    static const struct {
        const char *hex;
        enum of_err err;
    } t[] = {
        {"040f001000000001 0003000000000001", OFPGMFC_BAD_COMMAND},
        {"040f001000000001 0000040000000001", OFPGMFC_BAD_TYPE},
        {"040f001000000001 00000000ffffff00", OFPGMFC_INVALID_GROUP},
        {"040f001000000001 00000000fffffffc", OFPGMFC_INVALID_GROUP},
        {"040f001000000001 0000020000000001", OFPGMFC_INVALID_GROUP}, /* indirect, no bucket */
        {"040f002000000001 0000000000000001 00100001ffffffffffffffff00000000",
         OFPGMFC_INVALID_GROUP}, /* a weight */
        {"040f002000000001 0000000000000001 0010000000000001ffffffff00000000",
         OFPGMFC_WATCH_UNSUPPORTED},
        {"040f002000000001 0000030000000001 00100000ffffffffffffffff00000000",
         OFPGMFC_INVALID_GROUP}, /* fast failover that watches nothing */
        {"040f002000000001 0000000000000001 000f0000ffffffffffffffff00000000",
         OFPGMFC_BAD_BUCKET},
        {"040f002000000001 0000000000000001 00180000ffffffffffffffff00000000",
         OFPGMFC_BAD_BUCKET},
        {"060f002800000001 0000000000000001 00100000ffffffff 0008000000000000 0008000000000000",
         OFPGMFC_BUCKET_EXISTS},
        {"060f002000000001 0000000000000001 00080000ffffffff 00080000ffffff01",
         OFPGMFC_BAD_BUCKET},
        {"060f002000000001 0000000000000001 00100000ffffffff 0008000000000000", OFPBRC_BAD_LEN},
        {"060f002800000001 0000000000000001 00100000ffffffff 0010000000000000 0007000800000000",
         OFPBPC_BAD_TYPE},
    };

    for (size_t i = 0; i < ARRAY_SIZE(t); i++) {
        enum of_err err = decode(msg(t[i].hex));

        if (err != t[i].err) {
            fail_msg("%zu: %s, not %s", i, of_err_name(err), of_err_name(t[i].err));
        }
    }
}

static void
test_stats(void **state)
{
    static const struct of_bucket_counts counts[2];
    struct of_group_stats s = {.group_id = 1, .buckets = counts, .n_buckets = 2};
    struct of_buf b = OF_BUF_INIT;

    of_group_stats_put(&b, &s, OF11_VERSION);
    assert_true(of_hex_equal(
        &b,
        "004000000000000100000000000000000000000000000000000000000000000000000000000000000000"
        "00000000000000000000000000000000000000000000"));
    of_buf_clear(&b);
    s.duration_sec = 6;
    s.duration_nsec = 0x0fdad680;
    of_group_stats_put(&b, &s, OF13_VERSION);
    assert_true(of_hex_equal(
        &b,
        "0048000000000001000000000000000000000000000000000000000000000000000000060fdad6800000"
        "000000000000000000000000000000000000000000000000000000000000"));
    of_buf_clear(&b);
    of_group_features_encode(&b, 0xffffff00, OF10_VERSION, 2);
    assert_true(of_hex_equal(
        &b,
        "0111004000000002ffff00000000232000000009000000000000000f00000007ffffff00ffffff00ffff"
        "ff00ffffff0000000fff00000fff00000fff00000fff"));
    of_buf_clear(&b);
    of_group_features_encode(&b, 0xffffff00, OF11_VERSION, 2);
    assert_true(of_hex_equal(
        &b,
        "0213004000000002ffff00000000000000002320000000090000000f00000007ffffff00ffffff00ffff"
        "ff00ffffff0001ffe7ff01ffe7ff01ffe7ff01ffe7ff"));
    of_buf_clear(&b);
    of_group_features_encode(&b, 0xffffff00, OF15_VERSION, 2);
    assert_true(of_hex_equal(
        &b,
        "061300380000000200080000000000000000000f00000007ffffff00ffffff00ffffff00ffffff0003ff"
        "800103ff800103ff800103ff8001"));
    of_buf_free(&b);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_add),
        cmocka_unit_test(test_other),
        cmocka_unit_test(test_bad),
        cmocka_unit_test(test_stats),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
