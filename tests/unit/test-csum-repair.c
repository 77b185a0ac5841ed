/* SPDX-License-Identifier: Apache-2.0 */
/* Completion of half-done checksums, held against sums taken 16 bits at a time. */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>
#include <arpa/inet.h>
#include <stdio.h>

#include "flow/flow-format.h"
#include "os/thread.h"
#include "packet-samples.h"
#include "packet/packet-ops.h"

static uint32_t
sum16(uint32_t sum, const uint8_t *p, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        sum += i & 1 ? p[i] : (uint32_t) p[i] << 8;
    }
    return sum;
}

static uint16_t
fold(uint32_t sum)
{
    while (sum >> 16) {
        sum = (sum & 0xffff) + (sum >> 16);
    }
    return (uint16_t) sum;
}

/* The pseudo-header's sum in host order, from the packet's bytes. */
static uint32_t
pseudo(const struct packet *p, uint8_t proto)
{
    const uint8_t *l3 = packet_data(p) + p->l3_ofs;
    uint32_t sum = l3[0] >> 4 == 4 ? sum16(0, l3 + 12, 8) : sum16(0, l3 + 8, 32);

    return sum + proto + p->l4_len;
}

static bool
l4_valid(const struct packet *p, uint8_t proto)
{
    return fold(sum16(pseudo(p, proto), packet_data(p) + p->l4_ofs, p->l4_len)) == 0xffff;
}

static struct packet *
make(bool v6, uint8_t proto, unsigned len)
{
    struct flow f;
    char text[512], *error = NULL;

    snprintf(text, sizeof text,
             "in_port(1),eth(src=00:00:00:00:00:01,dst=00:00:00:00:00:02),%s,proto=%u),%s(src=%"
             "u,dst=%u)",
             v6 ? "eth_type(0x86dd),ipv6(src=fe80::1:2:3,dst=2001:db8::77"
                : "eth_type(0x0800),ipv4(src=10.1.2.3,dst=192.168.9.8",
             proto, proto == 6 ? "tcp" : "udp", test_random() & 0xffff, test_random() & 0xffff);
    assert_int_equal(flow_parse(text, &f, NULL, NULL, &error), 0);
    return flow_compose(&f, len);
}

static uint8_t *
field(struct packet *p, uint8_t proto)
{
    return packet_data(p) + p->l4_ofs + (proto == 6 ? 16 : 6);
}

static void
set16(uint8_t *to, uint16_t v)
{
    to[0] = (uint8_t) (v >> 8);
    to[1] = (uint8_t) v;
}

/* What is completed could have been told at a glance to be in need of it. */
static bool
complete(struct packet *p)
{
    bool may_be = packet_csum_may_be_partial(p);
    bool did = packet_complete_csum(p);

    assert_true(may_be || !did);
    return did;
}

static bool
is_partial_v4(const struct packet *p, uint8_t proto)
{
    return packet_csum_is_partial_v4(p, proto == IP_PROTO_TCP
                                            ? offsetof(struct tcp_hdr, csum_be)
                                            : offsetof(struct udp_hdr, csum_be));
}

static void
test_completes(void **state)
{
    for (int round = 0; round < 400; round++) {
        bool v6 = round & 1;
        uint8_t proto = round & 2 ? 6 : 17;
        struct packet *p = make(v6, proto, 80 + test_random() % 1000);
        uint8_t whole[2];

        assert_non_null(p);
        assert_true(l4_valid(p, proto));
        if (round & 4) { /* odd bytes in the payload */
            packet_data(p)[p->len - 1] = (uint8_t) test_random();
            packet_fill_csums(p);
            assert_true(l4_valid(p, proto));
        }
        memcpy(whole, field(p, proto), 2);
        if (round & 8) {
            assert_true(packet_extend(p, 6)); /* padding is not summed */
        }
        set16(field(p, proto), fold(pseudo(p, proto)));
        assert_true(v6 || is_partial_v4(p, proto));
        assert_true(complete(p));
        assert_memory_equal(field(p, proto), whole, 2);
        assert_true(l4_valid(p, proto));
        packet_free(p);
    }
}

/* Marked first, completed when it turns out that nobody else will. */
static void
test_marks(void **state)
{
    for (int round = 0; round < 100; round++) {
        uint8_t proto = round & 2 ? 6 : 17;
        struct packet *p = make(round & 1, proto, 80 + test_random() % 1000);
        uint8_t before[1600];

        packet_fill_csums_partial(p);
        assert_int_equal(field(p, proto)[0] << 8 | field(p, proto)[1], fold(pseudo(p, proto)));
        memcpy(before, packet_data(p), p->len);
        p->flags = PACKET_CSUM_PARTIAL_POSSIBLE;
        assert_true(packet_mark_partial_csum(p));
        assert_memory_equal(before, packet_data(p), p->len);
        assert_int_equal(p->flags, PACKET_CSUM_PARTIAL_POSSIBLE | PACKET_CSUM_PARTIAL);
        assert_ptr_equal(packet_data(p) + p->l4_ofs + p->csum_ofs, field(p, proto));
        packet_settle_csum(p);
        assert_int_equal(p->flags, PACKET_CSUM_PARTIAL_POSSIBLE);
        assert_true(l4_valid(p, proto));
        memcpy(before, packet_data(p), p->len);
        packet_settle_csum(p); /* nothing is left to do */
        assert_memory_equal(before, packet_data(p), p->len);
        if (!complete(p)) { /* one in 65,536 is valid and looks half-done */
            assert_false(packet_mark_partial_csum(p));
            assert_int_equal(p->flags, PACKET_CSUM_PARTIAL_POSSIBLE);
        }
        packet_free(p);
    }
}

static void
test_leaves_valid_alone(void **state)
{
    for (int round = 0; round < 200; round++) {
        uint8_t proto = round & 2 ? 6 : 17, before[1600];
        struct packet *p = make(round & 1, proto, 80 + test_random() % 1000);

        bool partial = !(round & 1) && is_partial_v4(p, proto);

        memcpy(before, packet_data(p), p->len);
        assert_true(packet_csum_may_be_partial(p) == partial || round & 1);
        assert_true(complete(p) == partial || round & 1);
        assert_memory_equal(before, packet_data(p), p->len);
        packet_free(p);
    }
}

/* A valid checksum may happen to equal the pseudo-header's sum: same value again. */
static void
test_valid_that_looks_partial(void **state)
{
    struct packet *p = make(false, 17, 200);
    uint32_t ps = fold(pseudo(p, 17)), data;
    uint8_t *last = packet_data(p) + p->len - 2;

    set16(last, 0);
    set16(field(p, 17), 0);
    data = fold(sum16(0, packet_data(p) + p->l4_ofs, p->l4_len));
    /* pseudo + data + x + pseudo == 0xffff */
    set16(last, fold((0xffffu - ps) + (0xffffu - ps) + (0xffffu - data)));
    set16(field(p, 17), (uint16_t) ps);
    assert_true(l4_valid(p, 17));
    assert_true(complete(p));
    assert_int_equal(field(p, 17)[0] << 8 | field(p, 17)[1], ps);
    assert_true(l4_valid(p, 17));
    packet_free(p);
}

static void
test_udp_zero(void **state)
{
    struct packet *p = make(true, 17, 200);
    uint8_t *last = packet_data(p) + p->len - 2;
    uint32_t all;

    /* Make the sum over everything 0xffff without the checksum: its value would be 0. */
    set16(last, 0);
    set16(field(p, 17), 0);
    all = fold(sum16(pseudo(p, 17), packet_data(p) + p->l4_ofs, p->l4_len));
    set16(last, (uint16_t) (0xffff - all));
    set16(field(p, 17), fold(pseudo(p, 17)));
    assert_true(complete(p));
    assert_int_equal(field(p, 17)[0] << 8 | field(p, 17)[1], 0xffff);

    /* None at all (IPv4) stays none. */
    packet_free(p);
    p = make(false, 17, 200);
    set16(field(p, 17), 0);
    assert_false(is_partial_v4(p, 17));
    assert_false(complete(p));
    assert_int_equal(field(p, 17)[0] | field(p, 17)[1], 0);
    packet_free(p);
}

static void
test_leaves_fragments_alone(void **state)
{
    struct packet *p = make(false, 6, 200);
    struct flow_key k;

    set16(field(p, 6), fold(pseudo(p, 6)));
    packet_data(p)[p->l3_ofs + 6] = 0x20;
    flow_key_extract(p, &k);
    assert_int_not_equal(p->l4_ofs, PACKET_OFS_NONE);
    assert_false(complete(p));
    packet_free(p);

    p = make(true, 6, 200);
    set16(field(p, 6), fold(pseudo(p, 6)));
    assert_true(packet_extend(p, 8));
    memmove(packet_data(p) + 62, packet_data(p) + 54, p->len - 62u);
    memcpy(packet_data(p) + 54, "\x06\0\0\x01\0\0\0\x07", 8);
    packet_data(p)[20] = 44;
    set16(packet_data(p) + 18, (uint16_t) (p->len - 54));
    flow_key_extract(p, &k);
    assert_int_equal(p->l4_ofs, 62);
    assert_false(complete(p));
    packet_free(p);
}

/* Every sample, every length, damaged or not: no write outside, no fault. */
static void
test_any_packet(void **state)
{
    for (int round = 0; round < 20000; round++) {
        const struct sample *s = &samples[test_random() % N_SAMPLES];
        struct flow_key k;
        struct packet *p;
        uint8_t b[256];
        uint16_t n = sample_bytes(s, b, sizeof b);

        b[12 + test_random() % (n - 12u)] = (uint8_t) test_random();
        p = guarded_packet(b, (uint16_t) (n - test_random() % 4 % n));
        flow_key_extract(p, &k);
        complete(p);
        packet_fill_csums(p);
    }
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_completes),
        cmocka_unit_test(test_marks),
        cmocka_unit_test(test_leaves_valid_alone),
        cmocka_unit_test(test_valid_that_looks_partial),
        cmocka_unit_test(test_udp_zero),
        cmocka_unit_test(test_leaves_fragments_alone),
        cmocka_unit_test(test_any_packet),
    };

    thread_adopt("");
    arena_set_plan(512);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
