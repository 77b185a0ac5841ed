/* SPDX-License-Identifier: Apache-2.0 */
/* Super-frames cut up and put together again. */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <cmocka.h>
#include <arpa/inet.h>

#include "os/thread.h"
#include "packet-samples.h"
#include "packet/packet-ops.h"
#include "util/xalloc.h"

#define MAX_LEN 66000u

static bool
sum_ok(const struct packet *p, uint8_t proto)
{
    const uint8_t *l3 = packet_data(p) + p->l3_ofs, *l4 = packet_data(p) + p->l4_ofs;
    bool v4 = l3[0] >> 4 == 4;
    uint32_t n = p->len - p->l4_ofs, sum = proto + n, hdr = 0;

    for (unsigned i = v4 ? 12 : 8; i < (v4 ? 20u : 40u); i += 2) {
        sum += (uint32_t) l3[i] << 8 | l3[i + 1];
    }
    for (uint32_t i = 0; i < n; i++) {
        sum += i & 1 ? l4[i] : (uint32_t) l4[i] << 8;
    }
    for (unsigned i = 0; v4 && i < 20; i += 2) {
        hdr += (uint32_t) l3[i] << 8 | l3[i + 1];
    }
    sum = (sum & 0xffff) + (sum >> 16);
    sum = (sum & 0xffff) + (sum >> 16);
    hdr = (hdr & 0xffff) + (hdr >> 16);
    hdr = (hdr & 0xffff) + (hdr >> 16);
    return sum == 0xffff && (!v4 || hdr == 0xffff);
}

static uint32_t
get(const uint8_t *p, int n)
{
    uint32_t v = 0;

    while (n--) {
        v = v << 8 | *p++;
    }
    return v;
}

/* Builds a super-frame; returns its header length. */
static uint32_t
super_frame(uint8_t *b, bool v6, bool tcp, bool vlan, uint32_t payload)
{
    static const char *const hex[2][2] = {
        {MACS "0800450000000ffe4000401100000a0000010a000002"
              "00350036"
              "00080000",
         MACS "0800450000000ffe4000400600000a0000010a000002"
              "00500051fffffff00000000280990100"
              "00000000"
              "0101080a0102030405060708"},
        {MACS "86dd" IP6("0000", "11") "0035003600080000",
         MACS "86dd" IP6("0000", "06") "00500051fffffff0000000028099010000000000"
                                       "0101080a0102030405060708"}};
    uint32_t n = (uint32_t) num_parse_hex(hex[v6][tcp], b, 256);

    if (vlan) {
        memmove(b + 16, b + 12, n - 12);
        memcpy(b + 12, "\x81\0\0\x0a", 4);
        n += 4;
    }
    for (uint32_t i = 0; i < payload; i++) {
        b[n + i] = (uint8_t) test_random();
    }
    return n;
}

static void
check_cut(bool v6, bool tcp, bool vlan, uint32_t payload, uint16_t mss, bool partial)
{
    uint8_t *b = xmalloc(MAX_LEN), *again = xmalloc(MAX_LEN);
    uint32_t hdr = super_frame(b, v6, tcp, vlan, payload), pos = 0, done = 0;
    uint16_t l3 = vlan ? 18 : 14, l4 = (uint16_t) (l3 + (v6 ? 40 : 20));
    struct packet_gso g = {b, hdr + payload, l3, l4, mss, partial, NULL};
    unsigned n = 0, expect = (payload + mss - 1) / mss;
    struct packet *p;

    assert_int_equal(packet_segment_count(&g), expect);
    while (packet_segment_next(&g, &pos, &p)) {
        const uint8_t *d;
        bool last;

        assert_non_null(p);
        d = packet_data(p);
        last = pos == payload;
        assert_true(p->len > hdr && p->len <= hdr + mss);
        assert_true(last || p->len == hdr + mss);
        if (partial) {
            assert_true(packet_complete_csum(p));
        }
        assert_true(sum_ok(p, tcp ? 6 : 17));
        assert_memory_equal(d, b, l3);
        if (v6) {
            assert_int_equal(get(d + l3 + 4, 2), p->len - l3 - 40u);
        } else {
            assert_int_equal(get(d + l3 + 2, 2), p->len - l3);
            assert_int_equal(get(d + l3 + 4, 2), 0x0ffe + n);
        }
        if (tcp) {
            assert_int_equal(get(d + l4 + 4, 4), 0xfffffff0u + done);
            /* ACK always; CWR on the first; PSH and FIN on the last */
            assert_int_equal(d[l4 + 13], 0x10 | (n ? 0 : 0x80) | (last ? 0x09 : 0));
            assert_memory_equal(d + l4 + 20, b + l4 + 20, 12);
        } else {
            assert_int_equal(get(d + l4 + 4, 2), p->len - l4);
        }
        memcpy(again + done, d + hdr, p->len - hdr);
        done += p->len - hdr;
        assert_int_equal(done, pos);
        n++;
        packet_free(p);
    }
    assert_int_equal(n, expect);
    assert_int_equal(done, payload);
    assert_memory_equal(again, b + hdr, payload);
    free(b);
    free(again);
}

static void
test_round_trip(void **state)
{
    static const uint32_t payloads[] = {1, 999, 1000, 1001, 2000, 5432, 64000};
    static const uint16_t mss[] = {1, 100, 1000, 1448, 3500};

    for (unsigned kind = 0; kind < 8; kind++) {
        for (size_t i = 0; i < 7; i++) {
            for (size_t j = 0; j < 5; j++) {
                if (payloads[i] / mss[j] < 700) {
                    check_cut(kind & 1, kind & 2, kind & 4, payloads[i], mss[j], j & 1);
                }
            }
        }
    }
}

static void
test_invalid(void **state)
{
    uint8_t *b = xmalloc(MAX_LEN);
    uint32_t hdr = super_frame(b, false, true, false, 3000), pos = 0;
    struct packet_gso g = {b, hdr + 3000, 14, 34, 1000}, bad;
    struct packet *p;

    assert_int_equal(packet_segment_count(&g), 3);
    bad = g, bad.mss = 0;
    assert_false(packet_segment_next(&bad, &pos, &p));
    bad = g, bad.l4_ofs = 30;
    assert_false(packet_segment_next(&bad, &pos, &p));
    bad = g, bad.l3_ofs = 34;
    assert_false(packet_segment_next(&bad, &pos, &p));
    bad = g, bad.len = 33;
    assert_int_equal(packet_segment_count(&bad), 0);
    bad = g, bad.len = 54; /* TCP options cut off */
    assert_int_equal(packet_segment_count(&bad), 0);
    bad = g, bad.len = hdr; /* nothing to cut */
    assert_false(packet_segment_next(&bad, &pos, &p));
    b[46] = 0x40; /* TCP data offset 4 */
    assert_false(packet_segment_next(&g, &pos, &p));
    b[46] = 0x80;
    b[20] = 0x20; /* a fragment */
    assert_false(packet_segment_next(&g, &pos, &p));
    b[20] = 0x40;
    b[23] = 47; /* GRE */
    assert_false(packet_segment_next(&g, &pos, &p));
    b[23] = 6;
    assert_int_equal(pos, 0);
    assert_null(p);
    assert_int_equal(packet_segment_count(&g), 3);

    /* A segment that no frame holds is lost, and the rest goes on. */
    super_frame(b, false, true, false, 9000);
    bad = g, bad.len = hdr + 9000, bad.mss = 8000;
    assert_true(packet_segment_next(&bad, &pos, &p));
    assert_null(p);
    assert_int_equal(pos, 8000);
    assert_true(packet_segment_next(&bad, &pos, &p));
    assert_non_null(p);
    assert_int_equal(p->len, hdr + 1000);
    packet_free(p);
    free(b);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_round_trip),
        cmocka_unit_test(test_invalid),
    };

    thread_adopt("");
    arena_set_plan(512);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
