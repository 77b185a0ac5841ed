/* SPDX-License-Identifier: Apache-2.0 */
/* Actions and instructions: what ovs-ofctl sends is decoded, printed as it prints it, and
 * encoded to the same bytes; shorter pieces and nonsense are refused. */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "of-action-vectors.h"
#include "openflow/of-actions.h"
#include "util/compiler.h"
#include "util/num.h"

#define MAX_BYTES 1024

static size_t
unhex(const char *hex, uint8_t *out)
{
    int n = *hex ? num_parse_hex(hex, out, MAX_BYTES) : 0;

    assert_true(n >= 0);
    return (size_t) n;
}

/* From an exactly sized block, so that ASan sees over-reads. */
static enum of_err
decode(unsigned version, const uint8_t *bytes, size_t n, struct of_actions *acts)
{
    uint8_t *block = malloc(n + 1);
    enum of_err err;

    assert_non_null(block);
    memcpy(block, bytes, n);
    err = of_actions_decode((struct of_reader){block, n}, (uint8_t) version,
                            OF_ACTS_INSTRUCTIONS, acts);
    free(block);
    return err;
}

static const struct of_actions_limits some_limits = {
    .max_ports = OFPP_MAX, .table_id = 0, .n_tables = 254, .max_meters = 1000, .version = 4};

static void
vectors(void **state)
{
    struct of_buf b = OF_BUF_INIT;
    struct strbuf s = STRBUF_INIT;
    unsigned bad = 0;

    for (unsigned i = 0; i < ARRAY_SIZE(action_vectors); i++) {
        const struct action_vector *v = &action_vectors[i];
        uint8_t bytes[MAX_BYTES];
        size_t n = unhex(v->hex, bytes);
        struct of_actions_limits limits = some_limits;
        struct of_actions acts, again;
        struct of_match match;
        char *error = NULL;
        enum of_err err = decode(v->version, bytes, n, &acts);

        limits.version = (uint8_t) v->version;
        strbuf_clear(&s);
        of_buf_clear(&b);
        if (err) {
            print_error("%u %s: %s\n", v->version, v->text, of_err_name(err));
            bad++;
            continue;
        }
        assert_true(of_match_parse(v->match, &match, NULL, NULL, &error));
        err = of_actions_check(acts.a, acts.len, &match, &limits);
        if (err) {
            print_error("%u %s %s: check %s\n", v->version, v->match, v->text,
                        of_err_name(err));
            bad++;
        }
        of_actions_format(acts.a, acts.len, NULL, &s);
        if (strcmp(strbuf_cstr(&s), v->text)) {
            print_error("%u %s\n  %s\n", v->version, v->text, strbuf_cstr(&s));
            bad++;
        }
        of_actions_encode(&b, acts.a, acts.len, (uint8_t) v->version, OF_ACTS_INSTRUCTIONS);
        if (b.len != n || (n && memcmp(b.data, bytes, n))) {
            print_error("%u %s\n  %s\n  ", v->version, v->text, v->hex);
            for (size_t k = 0; k < b.len; k++) {
                print_error("%02x", b.data[k]);
            }
            print_error("\n");
            bad++;
        }
        assert_int_equal(decode(v->version, bytes, n, &again), OF_OK);
        of_actions_check(again.a, again.len, &match, &limits);
        assert_true(of_actions_equal(acts.a, acts.len, again.a, again.len));
        of_actions_free(&again);
        of_actions_free(&acts);
    }
    assert_int_equal(bad, 0);
    of_buf_free(&b);
    strbuf_free(&s);
}

/* What one version sent goes out to another as ovs-ofctl says it there; between 1.2, 1.3
 * and 1.4 to the byte. */
static void
across_versions(void **state)
{
    struct of_buf b = OF_BUF_INIT;

    for (unsigned i = 0; i < ARRAY_SIZE(action_vectors); i++) {
        const struct action_vector *v = &action_vectors[i];
        uint8_t bytes[MAX_BYTES], want[MAX_BYTES];
        size_t n = unhex(v->hex, bytes);
        struct of_actions acts, back;
        struct of_match match;
        char *error = NULL;

        assert_int_equal(decode(v->version, bytes, n, &acts), OF_OK);
        assert_true(of_match_parse(v->match, &match, NULL, NULL, &error));
        assert_int_equal(
            of_actions_check(acts.a, acts.len, &match, &some_limits) && v->version > 1, 0);
        for (uint8_t version = 1; version <= 6; version++) {
            of_buf_clear(&b);
            of_actions_encode(&b, acts.a, acts.len, version, OF_ACTS_INSTRUCTIONS);
            assert_int_equal(decode(version, b.data ? b.data : bytes, b.len, &back), OF_OK);
            of_actions_free(&back);
            for (unsigned k = 0; k < ARRAY_SIZE(action_vectors); k++) {
                const struct action_vector *o = &action_vectors[k];

                if (o->source == v->source && o->version == version && version >= 3 &&
                    version <= 5 && v->version >= 3 && v->version <= 5 &&
                    of_actions_meter(acts.a, acts.len) == 0) {
                    assert_int_equal(unhex(o->hex, want), b.len);
                    assert_true(!b.len || !memcmp(want, b.data, b.len));
                }
            }
        }
        of_actions_free(&acts);
    }
    of_buf_free(&b);
}

/* Every piece of a good list is refused, or is itself one; never overrun. */
static void
truncated(void **state)
{
    for (unsigned i = 0; i < ARRAY_SIZE(action_vectors); i++) {
        const struct action_vector *v = &action_vectors[i];
        uint8_t bytes[MAX_BYTES];
        size_t n = unhex(v->hex, bytes);

        for (size_t len = 0; len < n; len++) {
            struct of_actions acts;
            enum of_err err = decode(v->version, bytes, len, &acts);

            assert_true(err || len % 8 == 0);
            of_actions_free(&acts);
        }
        /* The same with the lengths inside made to fit. */
        for (size_t len = 8; v->version == 1 && len < n; len += 8) {
            struct of_actions acts;

            bytes[2] = (uint8_t) (len >> 8);
            bytes[3] = (uint8_t) len;
            decode(1, bytes, len, &acts);
            of_actions_free(&acts);
        }
    }
}

static const struct {
    unsigned version;
    const char *hex;
    enum of_err err;
} refused[] = {
    {1, "00000004", OFPBRC_BAD_LEN},
    {1, "0000000c0001000000000000", OFPBRC_BAD_LEN},
    {1, "0000000000010000", OFPBAC_BAD_LEN},
    {1, "00000010000100000000000000000000", OFPBAC_BAD_LEN},
    {1, "000c000800000000", OFPBAC_BAD_TYPE},
    {1, "0001000810000000", OFPBAC_BAD_ARGUMENT}, /* VLAN 0x1000 */
    {1, "0002000808000000", OFPBAC_BAD_ARGUMENT}, /* priority 8 */
    {1, "0008000801000000", OFPBAC_BAD_ARGUMENT}, /* TOS with ECN bits */
    {1, "000b0010fffd00000000000000000005", OFPBAC_BAD_OUT_PORT},
    {1, "ffff000800002320", OFPBAC_BAD_LEN},
    {1, "ffff0010000011110000000000000000", OFPBAC_BAD_VENDOR},
    {1, "ffff00100000232000c8000000000000", OFPBAC_BAD_VENDOR_TYPE},
    {1, "ffff0010000023200022020200000005", NXBAC_BAD_CONJUNCTION}, /* 3/2 */
    {1, "ffff0010000023200022000100000005", NXBAC_BAD_CONJUNCTION},
    {1, "ffff00180000232000070003000100040000000000000015", OFPBAC_BAD_ARGUMENT},
    {1, "ffff001800002320000707c3000100040000000000000005", OFPBAC_BAD_SET_LEN},
    {1, "ffff0018000023200007001f00017e040000000000000005", OFPBAC_BAD_SET_TYPE},
    {1, "ffff0018000023200007001f00014a040000000000000005",
     OFPBAC_BAD_SET_ARGUMENT}, /* conj_id */
    {1, "ffff0018000023200007001f000100030000000000000005", OFPBAC_BAD_SET_TYPE},
    {1, "ffff001000002320000e000305000001", OFPBAC_BAD_ARGUMENT},
    {1, "ffff0010000023200014ffff00000900", OFPBAC_BAD_ARGUMENT}, /* reason 9 */
    {1,
     "ffff00100000232000270001000000"
     "05",
     OFPBAC_BAD_ARGUMENT},
    {1, "ffff00180000232000150000000000000000000000000000", OFPBAC_BAD_ARGUMENT},
    {1,
     "ffff0018000023200015000900000000"
     "0001000200030000",
     OFPBAC_BAD_LEN},
    {1, "ffff0010000023200017080000000000", OFPBAC_BAD_ARGUMENT},
    {2, "00040018000000000000001000010000ffff000000000000", OFPBAC_BAD_OUT_PORT},
    {4, "000400180000000000000010ffffffff0000000000000000", OFPBAC_BAD_OUT_PORT},
    {3, "0004001000000000000b000800000000", OFPBAC_BAD_TYPE},
    {4,
     "0004001800000000001900100001010800000005"
     "0000000f",
     OFPBAC_BAD_SET_MASK},
    {6,
     "0004001800000000001900100001010800000015"
     "0000000f",
     OFPBMC_BAD_WILDCARDS},
    {4, "000400180000000000190010800014010600000000000000", OFPBAC_BAD_SET_ARGUMENT},
    {4,
     "00040010000000000012000800000000"
     "00040010000000000012000800000000",
     OFPBIC_DUP_INST},
    {4, "00040018000000000019001080000c020805000000000000", OFPBAC_BAD_SET_ARGUMENT},
    {1, "ffff0030000023200010000000008000000000000000000000000100000000003010000500000000",
     OFPBAC_BAD_LEN},
    {1, "ffff00280000232000100000000080000000000000000000000001000000000030100005",
     OFPBRC_BAD_LEN},
    {1, "ffff0028000023200010000000008000000000000000000000000100000000003010000500000000",
     OFPBAC_BAD_ARGUMENT}, /* output of a constant */
    {4, "0007000800000000", OFPBIC_UNKNOWN_INST},
    {6, "0006000800000005", OFPBIC_UNKNOWN_INST},
    {4, "ffff000800002320", OFPBIC_BAD_EXPERIMENTER},
    {4,
     "0001001005000000"
     "0000000000000000",
     OFPBIC_BAD_LEN},
    {4, "000100070500000000", OFPBRC_BAD_LEN},
    {4, "0003001800000000ffff0010000023200011000000000000", OFPBAC_BAD_TYPE}, /* exit */
};

static void
malformed(void **state)
{
    for (unsigned i = 0; i < ARRAY_SIZE(refused); i++) {
        uint8_t bytes[MAX_BYTES];
        size_t n = unhex(refused[i].hex, bytes);
        struct of_actions acts;
        enum of_err err = decode(refused[i].version, bytes, n, &acts);

        if (err != refused[i].err) {
            fail_msg("%s: %s", refused[i].hex, of_err_name(err));
        }
        assert_null(acts.a);
    }
}

/* Actions that 1.2 and later deprecate are taken, with the consistency of set_field, and are
 * set_field from there on; only the ports of no protocol in particular stay what they were. */
static const struct {
    const char *match, *hex, *text; /* NULL: inconsistent with the match */
} deprecated[] = {
    {"", "0001000800050000", NULL},
    {"dl_vlan=3", "0001000800050000", "set_field:4101->vlan_vid"},
    {"dl_vlan=3", "0002000803000000", "set_field:3->vlan_pcp"},
    {"", "00030010001122334455000000000000", "set_field:00:11:22:33:44:55->eth_src"},
    {"", "00040010001122334455000000000000", "set_field:00:11:22:33:44:55->eth_dst"},
    {"ip", "0005000801020304", "set_field:1.2.3.4->ip_src"},
    {"ip", "0006000801020304", "set_field:1.2.3.4->ip_dst"},
    {"ipv6", "0006000801020304", NULL},
    {"ip", "0007000820000000", "set_field:8->ip_dscp"},
    {"ipv6", "0008000801000000", "set_field:1->nw_ecn"},
    {"arp", "0008000801000000", NULL},
    {"tcp", "0009000800070000", "set_field:7->tcp_src"},
    {"udp", "000a000800070000", "set_field:7->udp_dst"},
    {"sctp6", "000a000800070000", "set_field:7->sctp_dst"},
    {"ip", "000a000800070000", NULL},
    {"mpls", "000d000800000005", "set_field:5->mpls_label"},
    {"mpls", "000e000803000000", "set_field:3->mpls_tc"},
    {"ip", "000e000803000000", NULL},
};

static void
deprecated_actions(void **state)
{
    for (unsigned i = 0; i < ARRAY_SIZE(deprecated) * 4; i++) {
        const char *want = deprecated[i / 4].text;
        uint8_t version = (uint8_t) (3 + i % 4);
        struct of_actions_limits limits = some_limits;
        struct of_actions acts, again;
        struct of_buf b = OF_BUF_INIT;
        struct strbuf s = STRBUF_INIT;
        struct of_match match;
        uint8_t bytes[MAX_BYTES];
        size_t n = unhex(deprecated[i / 4].hex, bytes);

        limits.version = version;
        assert_true(of_match_parse(deprecated[i / 4].match, &match, NULL, NULL, NULL));
        assert_false(
            of_actions_decode((struct of_reader){bytes, n}, version, OF_ACTS_APPLY, &acts));
        assert_int_equal(of_actions_check(acts.a, acts.len, &match, &limits),
                         want ? OF_OK : OFPBAC_MATCH_INCONSISTENT);
        of_actions_encode(&b, acts.a, acts.len, version, OF_ACTS_APPLY);
        assert_false(of_actions_decode((struct of_reader){b.data, b.len}, version,
                                       OF_ACTS_APPLY, &again));
        of_actions_format(again.a, again.len, NULL, &s);
        if (want) {
            assert_string_equal(strbuf_cstr(&s), want);
        }
        strbuf_free(&s);
        of_actions_free(&again);
        of_actions_free(&acts);
        of_buf_free(&b);
    }
}

/* clone() in itself: refused beyond the limit, and nothing leaks or overflows. */
static void
nesting(void **state)
{
    for (unsigned depth = 1; depth <= 200; depth++) {
        struct of_buf b = OF_BUF_INIT;
        struct of_actions acts;
        struct strbuf s = STRBUF_INIT;
        enum of_err err;

        for (unsigned i = 0; i < depth; i++) {
            of_put_u16(&b, 0xffff);
            of_put_u16(&b, (uint16_t) ((depth - i) * 16));
            of_put_u32(&b, 0x2320);
            of_put_u16(&b, 42);
            of_buf_put_zeros(&b, 6);
        }
        err = decode(1, b.data, b.len, &acts);
        assert_int_equal(err, depth > OF_ACTS_MAX_DEPTH ? OFPBAC_TOO_MANY : OF_OK);
        of_actions_format(acts.a, acts.len, NULL, &s);
        strbuf_free(&s);
        of_actions_free(&acts);
        of_buf_free(&b);
    }
}

/* Actions of OpenFlow 1.3 and what is wrong with them in a flow with a match. */
static const struct {
    const char *match, *hex;
    enum of_err err;
} inconsistent[] = {
    {"", "000400180000000000000010000000640000000000000000", OF_OK},
    {"", "000400180000000000000010000003e80000000000000000", OFPBAC_BAD_OUT_PORT}, /* 1000 */
    {"",
     "00040010000000000016000"
     "8fffffffc",
     OFPBAC_BAD_OUT_GROUP},
    {"", "0001000806000000", OF_OK},
    {"", "0001000805000000", OFPBIC_BAD_TABLE_ID},
    {"", "0001000804000000", OFPBIC_BAD_TABLE_ID},
    {"", "00010008c8000000", OFPBIC_BAD_TABLE_ID},
    {"", "0006000800000000", OFPMMFC_INVALID_METER},
    {"", "000600080000000a", OFPMMFC_INVALID_METER},
    {"", "0006000800000009", OF_OK},
    {"",
     "00040018000000000019001080001604"
     "0102030400000000",
     OFPBAC_MATCH_INCONSISTENT},
    {"ip",
     "00040018000000000019001080001604"
     "0102030400000000",
     OF_OK},
    {"arp", "00040010000000000018000800000000", OFPBAC_MATCH_INCONSISTENT},
    {"", "00040010000000000012000800000000", OFPBAC_MATCH_INCONSISTENT}, /* pop_vlan */
    {"dl_vlan=1", "00040010000000000012000800000000", OF_OK},
    {"dl_vlan=1",
     "0004001800000000001200080000000000120008"
     "00000000",
     OFPBAC_MATCH_INCONSISTENT},
    {"", "0004002000000000001100088100000000110008810000000011000881000000", OFPBAC_BAD_TAG},
    /* push_mpls, then set_field of an IP address */
    {"ip", "0004002000000000001300088847000000190010800016040102030400000000",
     OFPBAC_MATCH_INCONSISTENT},
    {"mpls", "0004002000000000001400080800000000190010800016040102030400000000", OF_OK},
    /* conjunction beside an output */
    {"",
     "0004002800000000ffff0010000023200022000200000005"
     "00000010000000010000000000000000",
     NXBAC_BAD_CONJUNCTION},
    /* write_actions is looked into */
    {"", "000300180000000000000010000003e80000000000000000", OFPBAC_BAD_OUT_PORT},
};

static void
consistency(void **state)
{
    const struct of_actions_limits few = {
        .max_ports = 200, .table_id = 5, .n_tables = 200, .max_meters = 9, .version = 4};

    for (unsigned i = 0; i < ARRAY_SIZE(inconsistent); i++) {
        uint8_t bytes[MAX_BYTES];
        size_t n = unhex(inconsistent[i].hex, bytes);
        struct of_actions acts;
        struct of_match match;
        enum of_err err;

        assert_true(of_match_parse(inconsistent[i].match, &match, NULL, NULL, NULL));
        assert_int_equal(decode(4, bytes, n, &acts), OF_OK);
        err = of_actions_check(acts.a, acts.len, &match, &few);
        if (err != inconsistent[i].err) {
            fail_msg("%s %s: %s", inconsistent[i].match, inconsistent[i].hex, of_err_name(err));
        }
        of_actions_free(&acts);
    }
}

static void
questions(void **state)
{
    struct of_actions acts = OF_ACTIONS_INIT, copy;
    struct of_act_num *group, *meter;

    assert_null(of_actions_find(acts.a, acts.len, OFA_OUTPUT));
    assert_false(of_actions_output_to_port(acts.a, acts.len, 3));
    of_actions_put_output(&acts, 3, 0);
    group = of_actions_put(&acts, OFA_GROUP, sizeof *group);
    group->num = 7;
    meter = of_actions_put(&acts, OFA_METER, sizeof *meter);
    meter->num = 9;
    assert_true(of_actions_output_to_port(acts.a, acts.len, 3));
    assert_false(of_actions_output_to_port(acts.a, acts.len, 4));
    assert_true(of_actions_output_to_group(acts.a, acts.len, 7));
    assert_int_equal(of_actions_meter(acts.a, acts.len), 9);
    assert_false(of_actions_have_conjunction(acts.a, acts.len));
    of_actions_clone(&copy, acts.a, acts.len);
    assert_true(of_actions_equal(acts.a, acts.len, copy.a, copy.len));
    of_actions_put_output(&copy, 4, 0);
    assert_false(of_actions_equal(acts.a, acts.len, copy.a, copy.len));
    of_actions_free(&copy);
    of_actions_free(&acts);
    assert_string_equal(of_hash_fields_name(OFHASH_SYMMETRIC_L3), "symmetric_l3");
    assert_null(of_hash_fields_name(OFHASH_N));
}

/* Names instead of numbers. */
static const char *
name_port(uint16_t port, void *aux)
{
    return port == 1 ? "eth0" : port == 2 ? "s1-eth2" : NULL;
}

static const char *
name_table(uint8_t table, void *aux)
{
    return table == 5 ? "acl" : NULL;
}

static void
names(void **state)
{
    const struct of_names n = {.port = name_port, .table = name_table};
    struct of_actions acts = OF_ACTIONS_INIT;
    struct strbuf s = STRBUF_INIT;
    struct of_act_num *table;

    for (uint16_t p = 1; p <= 3; p++) {
        of_actions_put_output(&acts, p, 0);
    }
    table = of_actions_put(&acts, OFA_GOTO_TABLE, sizeof *table);
    table->num = 5;
    of_actions_format(acts.a, acts.len, &n, &s);
    assert_string_equal(strbuf_cstr(&s),
                        "output:eth0,output:\"s1-eth2\",output:3,goto_table:acl");
    strbuf_free(&s);
    of_actions_free(&acts);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(vectors),
        cmocka_unit_test(across_versions),
        cmocka_unit_test(truncated),
        cmocka_unit_test(malformed),
        cmocka_unit_test(nesting),
        cmocka_unit_test(consistency),
        cmocka_unit_test(questions),
        cmocka_unit_test(names),
        cmocka_unit_test(deprecated_actions),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
