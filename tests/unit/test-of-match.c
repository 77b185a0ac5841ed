/* SPDX-License-Identifier: Apache-2.0 */
/* Matches: what ovs-ofctl sends is decoded, printed as it prints it, and encoded to the same
 * bytes; and what nobody should send is refused with the specification's error. */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <arpa/inet.h>
#include <cmocka.h>

#include "of-match-vectors.h"
#include "openflow/of-match.h"
#include "packet/headers.h"
#include "util/compiler.h"
#include "util/num.h"

static size_t
unhex(const char *hex, uint8_t *out, size_t max)
{
    int n = *hex ? num_parse_hex(hex, out, (int) max) : 0;

    assert_true(n >= 0);
    return (size_t) n;
}

/* Decodes in one of the forms from an exactly sized block, so that ASan sees over-reads. */
static enum of_err
decode(unsigned version, const char *form, const uint8_t *bytes, size_t n, struct of_match *m)
{
    uint8_t *block = malloc(ROUND_UP(n, 8) + 1);
    struct of_reader r = {block, n};
    uint64_t cookie, cookie_mask;
    enum of_err err;

    assert_non_null(block);
    memcpy(block, bytes, n);
    if (!strcmp(form, "ofp")) {
        err = of_match_decode_ofp10(&r, m);
    } else if (!strcmp(form, "nxm")) {
        memset(block + n, 0, ROUND_UP(n, 8) - n);
        r.len = ROUND_UP(n, 8);
        err = of_match_decode_nxm(&r, n, false, m, &cookie, &cookie_mask);
    } else {
        err = of_match_decode(&r, (uint8_t) version, false, m);
    }
    if (!err) {
        assert_int_equal(r.len, 0);
    }
    free(block);
    return err;
}

static void
encode(unsigned version, const char *form, const struct of_match *m, struct of_buf *b)
{
    of_buf_clear(b);
    if (!strcmp(form, "ofp")) {
        of_match_encode_ofp10(b, m);
    } else if (!strcmp(form, "nxm")) {
        of_buf_truncate(b, of_match_encode_nxm(b, 0, m, 0, 0));
    } else {
        of_match_encode(b, (uint8_t) version, m);
    }
}

static void
vectors(void **state)
{
    struct of_buf b = OF_BUF_INIT;
    struct strbuf s = STRBUF_INIT;

    for (unsigned i = 0; i < ARRAY_SIZE(match_vectors); i++) {
        const struct match_vector *v = &match_vectors[i];
        uint8_t bytes[512];
        size_t n = unhex(v->hex, bytes, sizeof bytes);
        struct of_match m, back;
        char *error = NULL;

        if (decode(v->version, v->form, bytes, n, &m)) {
            fail_msg("%s: %s", v->hex, v->text);
        }
        strbuf_clear(&s);
        of_match_format(&m, -1, NULL, &s);
        assert_string_equal(strbuf_cstr(&s), v->text);
        encode(v->version, v->form, &m, &b);
        if (b.len != n || (n && memcmp(b.data, bytes, n))) {
            print_error("%u %s %s\n", v->version, v->form, v->text);
        }
        assert_int_equal(b.len, n);
        if (n) {
            assert_memory_equal(b.data, bytes, n);
        }
        assert_int_equal(decode(v->version, v->form, bytes, n, &back), OF_OK);
        assert_true(of_match_equal(&m, &back));
        /* The text says it all, too. */
        if (!of_match_parse(v->text, &back, NULL, NULL, &error)) {
            fail_msg("%s: %s", v->text, error);
        }
        if (!of_match_equal(&m, &back)) {
            fail_msg("%s: %s", v->hex, v->text);
        }
        if (!strcmp(v->form, "ofp") || v->version == 2) {
            assert_true(of_match_fits(&m, (uint8_t) v->version));
        }
    }
    of_buf_free(&b);
    strbuf_free(&s);
}

/* Every shorter piece of a good match is refused or another good match, never overrun. */
static void
truncated(void **state)
{
    for (unsigned i = 0; i < ARRAY_SIZE(match_vectors); i++) {
        const struct match_vector *v = &match_vectors[i];
        uint8_t bytes[512];
        size_t n = unhex(v->hex, bytes, sizeof bytes);
        struct of_match m;

        for (size_t len = 0; len < n; len++) {
            enum of_err err = decode(v->version, v->form, bytes, len, &m);

            assert_true(err == OFPBMC_BAD_LEN || !strcmp(v->form, "nxm"));
        }
    }
}

/* NXM entries and the error they give. */
static const struct {
    const char *hex;
    enum of_err err;
} refused[] = {
    {"0000", OFPBMC_BAD_LEN},
    {"0001000400000001"
     "0001000400000001",
     OFPBMC_DUP_FIELD},
    {"00010004000001", OFPBMC_BAD_LEN},
    {"0001000300000100", OFPBMC_BAD_FIELD}, /* reg0 of 3 bytes */
    {"00017f0400000001", OFPBMC_BAD_FIELD},
    {"0001010800000001"
     "00000000",
     OFPBMC_BAD_WILDCARDS},
    {"00000e040a000001", OFPBMC_BAD_PREREQ}, /* nw_src without ip */
    {"0000060208000000"
     "12021234",
     OFPBMC_BAD_PREREQ},
    {"00000206020000000001"
     "8000580400010800",
     OFPBMC_BAD_PREREQ}, /* eth_dst of a packet without Ethernet header */
    {"8000580400010800"
     "00000206020000000001",
     OFPBMC_BAD_PREREQ},
    {"00000206020000000001"
     "8000580400000000",
     OF_OK},
    {"000001040001ffff", OF_OK},           /* a mask of all ones is none */
    {"0000010400010003", OFPBMC_BAD_MASK}, /* in_port masked */
    {"000006020806"
     "00001e020100",
     OFPBMC_BAD_VALUE},
    {"800000040000ff01", OFPBMC_BAD_VALUE},
    {"80000c022005", OFPBMC_BAD_VALUE},
    {"ffff0004", OFPBMC_BAD_LEN},
    {"ffff000400000000", OFPBMC_BAD_FIELD},
    {"00013c0800000000abcdef01"
     "00013c0800000000abcdef01",
     OFPBMC_DUP_FIELD},
    {"0001100200", OFPBMC_BAD_LEN},
};

static void
malformed(void **state)
{
    uint8_t bytes[64] = {0};
    struct of_match m;

    for (unsigned i = 0; i < ARRAY_SIZE(refused); i++) {
        size_t n = unhex(refused[i].hex, bytes, sizeof bytes);

        if (decode(1, "nxm", bytes, n, &m) != refused[i].err) {
            fail_msg("%s: %s", refused[i].hex, of_err_name(decode(1, "nxm", bytes, n, &m)));
        }
    }
    /* The struct around OXM. */
    memset(bytes, 0, sizeof bytes);
    assert_int_equal(decode(4, "oxm", bytes, 8, &m), OFPBMC_BAD_LEN); /* 88 it must be */
    bytes[1] = 2;
    assert_int_equal(decode(4, "oxm", bytes, 8, &m), OFPBMC_BAD_TYPE);
    bytes[1] = 1;
    assert_int_equal(decode(4, "oxm", bytes, 8, &m), OFPBMC_BAD_LEN);
    bytes[3] = 4;
    assert_int_equal(decode(4, "oxm", bytes, 8, &m), OF_OK);
    assert_int_equal(decode(4, "oxm", bytes, 7, &m), OFPBMC_BAD_LEN);
    assert_int_equal(decode(2, "oxm", bytes, 8, &m), OF_OK);
    bytes[1] = 0;
    assert_int_equal(decode(2, "oxm", bytes, 8, &m), OFPBMC_BAD_LEN);
}

static void
cookies(void **state)
{
    struct of_buf b = OF_BUF_INIT;
    uint64_t cookie, mask;
    struct of_match m;
    struct of_reader r;
    size_t len;

    of_match_init(&m);
    of_match_set_u64(&m, OFF_REG0, 5);
    len = of_match_encode_nxm(&b, 0, &m, 0x1234, 0xffff);
    assert_int_equal(len, 8 + 20);
    r = (struct of_reader){b.data, b.len};
    assert_int_equal(of_match_decode_nxm(&r, len, false, &m, &cookie, &mask), OF_OK);
    assert_int_equal(cookie, 0x1234);
    assert_int_equal(mask, 0xffff);
    r = (struct of_reader){b.data, b.len};
    assert_int_equal(of_match_decode_nxm(&r, len, false, &m, NULL, NULL), OFPBMC_BAD_FIELD);
    of_buf_free(&b);
}

static void
loose(void **state)
{
    uint8_t bytes[32];
    size_t n = unhex("00017f0400000001"
                     "00000e040a000001",
                     bytes, sizeof bytes);
    struct of_reader r = {bytes, n};
    struct of_match m;

    assert_int_equal(of_match_decode_nxm(&r, n, true, &m, NULL, NULL), OF_OK);
    assert_int_equal(m.flow.ipv4.src_be, htonl(0x0a000001));
}

/* OpenFlow 1.0 and 1.1: members that do not apply are ignored; bad values are not. */
static void
fixed_structs(void **state)
{
    static const struct {
        const char *hex, *text;
    } t[] = {
        {"0000000f"
         "0001"
         "000000000000000000000000"
         "0005"
         "0300"
         "1234"
         "0506"
         "0000"
         "0102030405060708"
         "00500003",
         "dl_vlan_pcp=3,dl_type=0x1234"},
        {"0000000f"
         "0001"
         "000000000000000000000000"
         "0005"
         "0300"
         "0806"
         "0502"
         "0000"
         "0102030405060708"
         "00500003",
         "arp,dl_vlan_pcp=3,arp_spa=1.2.3.4,arp_tpa=5.6.7.8,arp_op=2"},
        {"0000000f"
         "0001"
         "000000000000000000000000"
         "0005"
         "0300"
         "0800"
         "05c8"
         "0000"
         "0102030405060708"
         "00500003",
         "ip,dl_vlan_pcp=3,nw_src=1.2.3.4,nw_dst=5.6.7.8,nw_proto=200,nw_tos=4"},
        {"0000000f"
         "0001"
         "000000000000000000000000"
         "0005"
         "0300"
         "86dd"
         "0506"
         "0000"
         "0102030405060708"
         "00500003",
         "tcp6,dl_vlan_pcp=3,nw_tos=4,tp_src=80,tp_dst=3"},
        {"003820fd"
         "fffe"
         "000000000000000000000000"
         "ffff"
         "0000"
         "0000"
         "0000"
         "0000"
         "0000000000000000"
         "00000000",
         "vlan_tci=0x0000"},
        {"002814ef"
         "fffe"
         "000000000000000000000000"
         "ffff"
         "0000"
         "0800"
         "0000"
         "0000"
         "0102030400000000"
         "00000000",
         "ip,dl_vlan_pcp=0,nw_src=1.0.0.0/12"},
    };
    struct strbuf s = STRBUF_INIT;
    uint8_t bytes[128] = {0};
    struct of_match m;

    for (unsigned i = 0; i < ARRAY_SIZE(t); i++) {
        assert_int_equal(unhex(t[i].hex, bytes, sizeof bytes), OFP10_MATCH_LEN);
        assert_int_equal(decode(1, "ofp", bytes, OFP10_MATCH_LEN, &m), OF_OK);
        strbuf_clear(&s);
        of_match_format(&m, 32768, NULL, &s);
        assert_string_equal(strbuf_cstr(&s), t[i].text);
    }
    strbuf_free(&s);
    memset(bytes, 0xff, sizeof bytes);
    memcpy(bytes, "\0\0\0\x58\0\1\xff\xff\0\0\3\xfe", 12); /* in_port 0x1ffff */
    assert_int_equal(decode(2, "oxm", bytes, OFP11_MATCH_LEN, &m), OFPBMC_BAD_VALUE);
    memcpy(bytes + 4, "\0\0\0\0\0\0\3\xfd", 8);
    memcpy(bytes + 36, "\x10\x05\0", 3); /* VLAN 0x1005 */
    assert_int_equal(decode(2, "oxm", bytes, OFP11_MATCH_LEN, &m), OFPBMC_BAD_VALUE);
}

/* OpenFlow 1.1 says by extension what its struct cannot. */
static void
beyond_ofp11(void **state)
{
    struct of_buf b = OF_BUF_INIT;
    struct of_match m, back;
    struct of_reader r;

    of_match_init(&m);
    of_match_set_u64(&m, OFF_REG0 + 3, 7);
    assert_false(of_match_fits(&m, 1));
    assert_false(of_match_fits(&m, 2));
    of_match_encode(&b, 2, &m);
    assert_int_equal(b.len, 16);
    r = (struct of_reader){b.data, b.len};
    assert_int_equal(of_match_decode(&r, 2, false, &back), OF_OK);
    assert_true(of_match_equal(&m, &back));
    of_buf_free(&b);
}

static void
normalize(void **state)
{
    struct of_match m;

    of_match_init(&m);
    assert_true(of_match_is_any(&m));
    of_match_set_u64(&m, OFF_TCP_SRC, 80);
    of_match_set_u64(&m, OFF_IPV4_SRC, 1);
    of_match_set_u64(&m, OFF_IP_PROTO, 6);
    of_match_normalize(&m);
    assert_true(of_match_is_any(&m));
    of_match_set_u64(&m, OFF_ETH_TYPE, ETH_TYPE_IPV4);
    of_match_set_u64(&m, OFF_IP_PROTO, 6);
    of_match_set_u64(&m, OFF_TCP_SRC, 80);
    of_match_normalize(&m);
    assert_int_equal(m.mask.l4.src_be, 0xffff);
    assert_int_equal(m.flow.l4.src_be, htons(80));
}

static void
text(void **state)
{
    static const char *const bad[] = {"foo",
                                      "foo=1",
                                      "nw_src=1.2.3.4",
                                      "tcp,tp_src=x",
                                      "ip,nw_src=1.2.3.4,nw_src=1.2.3.4",
                                      "in_port=eth0",
                                      "dl_type=5/4",   /* no such mask */
                                      "ip,nw_frag=2"}; /* words only */
    static const struct {
        const char *text, *why;
    } no_flow[] = {
        {"ip,arp", "Ethernet type set multiple times"},
        {"in_port=1,in_port=2", "field in_port set multiple times"},
        {"ip,nw_src=1.2.3.4/24",
         "bad value for nw_src (1.2.3.4/24: wildcards not allowed here)"},
        {"dl_dst=50:54", "bad value for dl_dst (50:54: invalid Ethernet address)"},
        {"ip,nw_dst=1.2.3", "bad value for nw_dst (1.2.3: invalid IP address)"},
        {"ipv6,ipv6_src=zz", "bad value for ipv6_src (zz: invalid IPv6 address)"},
        {"reg0=x", "bad value for reg0 (x: bad syntax for reg0 value)"},
        {"ip,nw_ttl=300",
         "bad value for nw_ttl (300: value too large for 1-byte field nw_ttl)"},
    };
    struct strbuf s = STRBUF_INIT;
    struct of_match m;
    char *error = NULL;

    for (unsigned i = 0; i < ARRAY_SIZE(bad); i++) {
        assert_false(of_match_parse(bad[i], &m, NULL, NULL, &error));
        assert_non_null(error);
        free(error);
        error = NULL;
    }
    assert_true(
        of_match_parse("in_port=LOCAL, udp,tp_dst=53 dl_vlan=0xffff", &m, NULL, NULL, &error));
    of_match_format(&m, 5, NULL, &s);
    assert_string_equal(strbuf_cstr(&s),
                        "priority=5,udp,in_port=LOCAL,vlan_tci=0x0000/0x1fff,tp_dst=53");
    strbuf_clear(&s);
    /* A flow is exact. */
    for (unsigned i = 0; i < ARRAY_SIZE(no_flow); i++) {
        assert_false(of_match_parse_flow(no_flow[i].text, &m, NULL, NULL, &error));
        assert_string_equal(error, no_flow[i].why);
        free(error);
        error = NULL;
    }
    assert_true(of_match_parse_flow("tcp,tp_dst=80,nw_src=1.2.3.4/32,dl_vlan=0xffff", &m, NULL,
                                    NULL, &error));
    /* The last protocol holds. */
    assert_true(of_match_parse("sctp6,tp_src=1,dl_vlan=7,mpls", &m, NULL, NULL, &error));
    of_match_format(&m, -1, NULL, &s);
    assert_string_equal(strbuf_cstr(&s), "mpls,dl_vlan=7");
    strbuf_clear(&s);
    /* A datapath flow says that it is about Ethernet. */
    of_match_init(&m);
    m.mask.meta.recirc_id = m.mask.meta.packet_type = UINT32_MAX;
    m.flow.eth.type_be = htons(ETH_TYPE_IPV4);
    m.mask.eth.type_be = UINT16_MAX;
    of_match_format(&m, -1, NULL, &s);
    assert_string_equal(strbuf_cstr(&s), "recirc_id=0,eth,ip");
    strbuf_free(&s);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(vectors),      cmocka_unit_test(truncated),
        cmocka_unit_test(malformed),    cmocka_unit_test(cookies),
        cmocka_unit_test(loose),        cmocka_unit_test(fixed_structs),
        cmocka_unit_test(normalize),    cmocka_unit_test(text),
        cmocka_unit_test(beyond_ofp11),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
