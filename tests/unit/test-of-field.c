/* SPDX-License-Identifier: Apache-2.0 */
/* Match fields: every field by header and name, in a flow, as text; prerequisites; subfields.
 */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <arpa/inet.h>
#include <cmocka.h>

#include "openflow/of-field.h"
#include "packet/headers.h"

static void
headers_and_names(void **state)
{
    for (unsigned f = 0; f < OFF_N; f++) {
        const struct of_field_info *i = of_field_info(f);

        assert_non_null(i->name);
        assert_in_range(i->n_bits, 1, i->n_bytes * 8);
        assert_int_equal(of_field_by_name(i->name, strlen(i->name)), f);
        if (i->alias) {
            assert_int_equal(of_field_by_name(i->alias, strlen(i->alias)), f);
        }
        if (i->nxm) {
            assert_int_equal(of_field_by_header(i->nxm), f);
            assert_int_equal(of_field_by_name(i->nxm_name, strlen(i->nxm_name)), f);
            assert_int_equal(of_field_header(f, 0), i->nxm);
        }
        if (i->oxm) {
            uint64_t masked = i->oxm | OFF_HEADER_MASK_BIT;

            assert_int_equal(of_field_by_header(i->oxm), f);
            assert_int_equal(of_field_by_name(i->oxm_name, strlen(i->oxm_name)), f);
            assert_int_equal(of_field_header(f, i->oxm_version), i->oxm);
            assert_int_equal(of_field_by_header(masked + i->n_bytes), f);
            assert_int_equal(of_field_by_header(masked), OFF_N);
        }
    }
    assert_int_equal(of_field_by_header(0x80000000ull << 32 | 0x7f << 9 | 4), OFF_N);
    assert_int_equal(of_field_by_header(0), OFF_N);
    assert_int_equal(of_field_by_name("reg", 3), OFF_N);
    assert_int_equal(of_field_by_name("reg15", 5), OFF_REG0 + 15);
    assert_int_equal(of_field_by_name("tp_dst", 6), OFF_TCP_DST);
    /* TCP flags and action set output: a header of ONF's before 1.5. */
    assert_int_equal(of_field_header(OFF_TCP_FLAGS, 0), 0x0001ull << 48 | 34 << 9 | 2);
    assert_int_equal(of_field_header(OFF_TCP_FLAGS, 4),
                     0xffffull << 48 | 0x4f4e4600ull << 16 | 42 << 9 | 6);
    assert_int_equal(of_field_header(OFF_TCP_FLAGS, 6), 0x8000ull << 48 | 42 << 9 | 2);
    assert_int_equal(of_field_by_header(of_field_header(OFF_TCP_FLAGS, 4)), OFF_TCP_FLAGS);
    assert_int_equal(of_field_header(OFF_TUN_ID, 3), 0x0001ull << 48 | 16 << 9 | 8);
    assert_int_equal(of_field_header(OFF_TUN_ID, 4), 0x8000ull << 48 | 38 << 9 | 8);
    assert_string_equal(of_field_wire_name(OFF_IP_DSCP), "OXM_OF_IP_DSCP");
    assert_string_equal(of_field_wire_name(OFF_REG0 + 3), "NXM_NX_REG3");
}

static void
in_flow(void **state)
{
    for (unsigned f = 0; f < OFF_N; f++) {
        const struct of_field_info *i = of_field_info(f);
        struct of_value v, ones, got;
        struct flow flow, wc, zero;

        of_field_ones(f, &ones);
        for (unsigned round = 0; round < 20; round++) {
            for (unsigned k = 0; k < 16; k++) {
                v.b[k] = k < i->n_bytes ? (uint8_t) (rand() & ones.b[k]) : 0;
            }
            if (i->place == OFL_PORT) {
                v = of_value_from_u64(f, round ? (uint64_t) rand() % 0xff00 : 0xfffffffe);
            }
            memset(&zero, 0, sizeof zero);
            flow = zero;
            assert_true(of_field_value_ok(f, &v) || f == OFF_ARP_OP);
            of_field_set(f, &flow, &v);
            of_field_get(f, &flow, &got);
            assert_memory_equal(&v, &got, sizeof v);
            assert_int_equal(of_field_is_zero(f, &flow), of_value_is_zero(&v, i->n_bytes));
            /* Written into a full flow and cleared again, nothing else changes. */
            memset(&flow, 0xff, sizeof flow);
            of_field_set(f, &flow, &v);
            if (i->place != OFL_PORT && f != OFF_IN_PORT) {
                of_field_get(f, &flow, &got);
                assert_memory_equal(&v, &got, sizeof v);
                of_field_set(f, &flow, &ones);
                for (unsigned k = 0; k < sizeof flow; k++) {
                    assert_int_equal(((uint8_t *) &flow)[k], 0xff);
                }
            }
            memset(&wc, 0, sizeof wc);
            of_field_mask_all(f, &wc);
            of_field_get(f, &wc, &got);
            assert_memory_equal(&got, &ones, sizeof ones);
        }
    }
}

static void
ports(void **state)
{
    struct of_value v = of_value_from_u64(OFF_IN_PORT_OXM, 0xfffffffe);
    struct flow flow = {.meta = {.in_port = 1}};
    uint16_t port;

    of_field_set(OFF_IN_PORT_OXM, &flow, &v);
    assert_int_equal(flow.meta.in_port, OFPP_LOCAL);
    of_field_get(OFF_IN_PORT, &flow, &v);
    assert_int_equal(of_value_to_u64(OFF_IN_PORT, &v), OFPP_LOCAL);
    assert_false(of_port_from_32(0xff00, &port));
    assert_false(of_port_from_32(0xfffffeff, &port));
    assert_true(of_port_from_32(0xfeff, &port));
    assert_int_equal(of_port_to_32(0xfeff), 0xfeff);
    v = of_value_from_u64(OFF_IN_PORT_OXM, 0x10000);
    assert_false(of_field_value_ok(OFF_IN_PORT_OXM, &v));
}

static void
registers_overlap(void **state)
{
    struct of_value v = of_value_from_u64(OFF_XREG0, 0x1122334455667788);
    struct flow flow = {0};

    of_field_set(OFF_XREG0 + 1, &flow, &v);
    assert_int_equal(flow.regs.reg[2], 0x11223344);
    assert_int_equal(flow.regs.reg[3], 0x55667788);
    of_field_get(OFF_XXREG0, &flow, &v);
    assert_int_equal(of_value_to_u64(OFF_XXREG0, &v), 0x1122334455667788);
}

static void
prerequisites(void **state)
{
    struct flow f = {0}, wc = {0};

    assert_true(of_field_prereqs_ok(OFF_ETH_SRC, &f));
    assert_false(of_field_prereqs_ok(OFF_IPV4_SRC, &f));
    assert_false(of_field_prereqs_ok(OFF_VLAN_PCP, &f));
    assert_true(of_field_prereqs_ok(OFF_DL_VLAN_PCP, &f));
    f.vlan.tag[0].tci_be = htons(VLAN_CFI);
    assert_true(of_field_prereqs_ok(OFF_VLAN_PCP, &f));
    f.eth.type_be = htons(ETH_TYPE_IPV4);
    assert_true(of_field_prereqs_ok(OFF_IPV4_SRC, &f));
    assert_false(of_field_prereqs_ok(OFF_TCP_SRC, &f));
    f.ip.proto = IP_PROTO_TCP;
    assert_true(of_field_prereqs_ok(OFF_TCP_SRC, &f));
    assert_false(of_field_prereqs_ok(OFF_UDP_SRC, &f));
    of_field_mask_prereqs(OFF_TCP_SRC, &f, &wc);
    assert_int_equal(wc.eth.type_be, 0xffff);
    assert_int_equal(wc.ip.proto, 0xff);
    assert_int_equal(wc.ip.frag, FLOW_FRAG_LATER);
    f.ip.frag = FLOW_FRAG_ANY | FLOW_FRAG_LATER;
    assert_false(of_field_prereqs_ok(OFF_TCP_SRC, &f));
    f = (struct flow){.eth.type_be = htons(ETH_TYPE_IPV6), .ip.proto = IP_PROTO_ICMPV6};
    assert_true(of_field_prereqs_ok(OFF_ICMPV6_TYPE, &f));
    assert_false(of_field_prereqs_ok(OFF_ICMPV4_TYPE, &f));
    assert_false(of_field_prereqs_ok(OFF_ND_TARGET, &f));
    f.l4.src_be = htons(135);
    assert_true(of_field_prereqs_ok(OFF_ND_TARGET, &f));
    assert_true(of_field_prereqs_ok(OFF_ND_SLL, &f));
    assert_false(of_field_prereqs_ok(OFF_ND_TLL, &f));
    f.meta.packet_type = 1 << 16 | ETH_TYPE_ARP;
    assert_false(of_field_prereqs_ok(OFF_ETH_SRC, &f));
    assert_true(of_field_prereqs_ok(OFF_ARP_OP, &f));
}

/* text in, field, text out (NULL: the same); "!" text: refused. */
static const struct {
    enum of_field f;
    const char *in, *out;
} texts[] = {
    {OFF_REG0, "0x1234", NULL},
    {OFF_REG0, "5/0xf", "0x5/0xf"},
    {OFF_REG0, "0", NULL},
    {OFF_XXREG0, "0x112233445566778899aabbccddeeff00", NULL},
    {OFF_XXREG0, "0x10000000000000000/0xff0000000000000000", NULL},
    {OFF_IPV4_SRC, "10.0.0.0/8", NULL},
    {OFF_IPV4_SRC, "10.0.0.0/255.0.255.0", NULL},
    {OFF_IPV4_SRC, "10.0.0.1/32", "10.0.0.1"},
    {OFF_IPV4_SRC, "0.0.0.0/0", "ANY"},
    {OFF_IPV6_DST, "fe80::/64", NULL},
    {OFF_ETH_DST, "01:00:00:00:00:00/01:00:00:00:00:00", NULL},
    {OFF_ETH_DST, "01:00:00:00:00:0f", NULL},
    {OFF_TCP_SRC, "80", NULL},
    {OFF_TCP_SRC, "16/0xf0", NULL},
    {OFF_TCP_FLAGS, "+syn-ack", NULL},
    {OFF_TCP_FLAGS, "syn|ack", NULL},
    {OFF_TCP_FLAGS, "0x12", "syn|ack"},
    {OFF_TCP_FLAGS, "0", NULL},
    {OFF_IP_FRAG, "not_later", NULL},
    {OFF_IP_FRAG, "later", NULL},
    {OFF_IN_PORT, "LOCAL", NULL},
    {OFF_IN_PORT_OXM, "in_port", "IN_PORT"},
    {OFF_IN_PORT, "7", NULL},
    {OFF_PACKET_TYPE, "(1,0x800)", NULL},
    {OFF_VLAN_VID, "4101", NULL},
    {OFF_VLAN_PCP, "8", "!"},
    {OFF_IPV4_SRC, "10.0.0", "!"},
    {OFF_REG0, "0x123456789", "!"},
    {OFF_REG0, "x", "!"},
    {OFF_ETH_SRC, "1:2", "!"},
    {OFF_IN_PORT_OXM, "0x10000", "!"},
    {OFF_TCP_FLAGS, "+foo", "!"},
    {OFF_IPV4_SRC, "1.2.3.4/33", "!"},
};

static void
value_text(void **state)
{
    for (unsigned i = 0; i < sizeof texts / sizeof texts[0]; i++) {
        const char *want = texts[i].out ? texts[i].out : texts[i].in;
        struct strbuf s = STRBUF_INIT;
        struct of_value v, mask;
        char *error = NULL;

        if (of_field_parse(texts[i].f, texts[i].in, &v, &mask, &error)) {
            assert_null(error);
            of_field_format(texts[i].f, &v, &mask, &s);
            assert_string_equal(strbuf_cstr(&s), want);
        } else {
            assert_string_equal(want, "!");
            assert_non_null(error);
        }
        free(error);
        strbuf_free(&s);
    }
}

static void
subfields(void **state)
{
    static const char *const good[] = {"NXM_NX_REG0[]", "NXM_NX_REG3[4..7]",
                                       "OXM_OF_METADATA[63]", "NXM_NX_XXREG1[60..127]",
                                       "NXM_OF_ETH_DST[8..15]"};
    static const char *const bad[] = {"reg0",    "reg0[",       "reg0[32]", "reg0[4..3]",
                                      "reg99[]", "reg0[0..32]", "[]"};
    struct of_subfield s = {OFF_REG0 + 1, 4, 8};
    struct strbuf b = STRBUF_INIT;
    struct flow f = {0};
    struct flow wc = {0};
    char *error = NULL;

    for (unsigned i = 0; i < sizeof good / sizeof good[0]; i++) {
        struct of_subfield sf;
        const char *end = of_subfield_parse(good[i], &sf, &error);

        assert_non_null(end);
        assert_int_equal(*end, '\0');
        assert_true(of_subfield_ok(&sf));
        strbuf_clear(&b);
        of_subfield_format(&sf, &b);
        assert_string_equal(strbuf_cstr(&b), good[i]);
        /* All bits set and read again. */
        memset(&f, 0, sizeof f);
        of_subfield_write_u64(&sf, &f, UINT64_MAX);
        assert_int_equal(of_subfield_read_u64(&sf, &f),
                         sf.n_bits >= 64 ? UINT64_MAX : (UINT64_C(1) << sf.n_bits) - 1);
    }
    strbuf_free(&b);
    for (unsigned i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        assert_null(of_subfield_parse(bad[i], &s, &error));
        assert_non_null(error);
        free(error);
        error = NULL;
    }
    s = (struct of_subfield){OFF_REG0 + 1, 4, 8};
    memset(&f, 0, sizeof f);
    f.regs.reg[1] = 0xf000000f;
    of_subfield_write_u64(&s, &f, 0x1ab);
    assert_int_equal(f.regs.reg[1], 0xf0000abf);
    assert_int_equal(of_subfield_read_u64(&s, &f), 0xab);
    of_subfield_mask(&s, &wc);
    assert_int_equal(wc.regs.reg[1], 0xff0);
    s = (struct of_subfield){OFF_REG0, 30, 3};
    assert_false(of_subfield_ok(&s));
}

static void
port_and_table_text(void **state)
{
    static const struct {
        uint16_t port;
        const char *text;
    } t[] = {{1, "1"}, {OFPP_LOCAL, "LOCAL"}, {OFPP_NONE, "ANY"}, {OFPP_IN_PORT, "IN_PORT"}};
    struct strbuf s = STRBUF_INIT;

    for (unsigned i = 0; i < sizeof t / sizeof t[0]; i++) {
        strbuf_clear(&s);
        of_port_format(t[i].port, NULL, &s);
        assert_string_equal(strbuf_cstr(&s), t[i].text);
    }
    strbuf_free(&s);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(headers_and_names),
        cmocka_unit_test(in_flow),
        cmocka_unit_test(ports),
        cmocka_unit_test(registers_overlap),
        cmocka_unit_test(prerequisites),
        cmocka_unit_test(value_text),
        cmocka_unit_test(subfields),
        cmocka_unit_test(port_and_table_text),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
