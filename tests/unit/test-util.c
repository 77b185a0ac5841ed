/* SPDX-License-Identifier: Apache-2.0 */
/* Unit tests of lib/util: strings, numbers, maps, checksums, id pools, Ethernet addresses. */

#include <arpa/inet.h>
#include <limits.h>
#include <malloc.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "util/bitmap.h"
#include "util/csum.h"
#include "util/ether.h"
#include "util/hash.h"
#include "util/idpool.h"
#include "util/num.h"
#include "util/quote.h"
#include "util/smap.h"
#include "util/strbuf.h"
#include "util/version.h"
#include "util/xalloc.h"

static unsigned
next(unsigned *n)
{
    return ++*n;
}

/* What is compared may be different the next time one looks. */
static void
test_min_max(void **state)
{
    unsigned n = 0;

    assert_int_equal(MIN(next(&n), 10u), 1);
    assert_int_equal(MIN(10u, next(&n)), 2);
    assert_int_equal(MAX(next(&n), 1u), 3);
    assert_int_equal(MAX(MIN(next(&n), 9u), MIN(next(&n), 3u)), 4);
    assert_int_equal(n, 5);
    assert_true(MIN(-1, INT64_C(1) << 40) == -1);
    assert_true(MAX(1, UINT64_MAX) == UINT64_MAX);
    assert_true(MIN(0.5, 1) < 1);
}

static void
test_strbuf(void **state)
{
    struct strbuf b = STRBUF_INIT;
    char *s;

    assert_string_equal(strbuf_cstr(&b), "");
    strbuf_chomp(&b, ",");
    for (int i = 0; i < 300; i++) {
        strbuf_putf(&b, "%d,", i);
    }
    strbuf_chomp(&b, ",");
    assert_int_equal(b.len, strlen(b.data));
    assert_string_equal(b.data + b.len - 7, "298,299");
    strbuf_chomp(&b, "x");
    assert_int_equal(b.len, strlen(b.data));
    strbuf_truncate(&b, 3);
    assert_string_equal(strbuf_cstr(&b), "0,1");
    strbuf_truncate(&b, 100);
    assert_int_equal(b.len, 3);
    s = strbuf_steal(&b);
    assert_string_equal(s, "0,1");
    free(s);
    assert_null(b.data);
    s = strbuf_steal(&b);
    assert_string_equal(s, "");
    free(s);
    strbuf_put(&b, "a\0b", 3);
    assert_int_equal(b.len, 3);
    strbuf_clear(&b);
    assert_string_equal(strbuf_cstr(&b), "");
    /* Exactly at and around the growth limit of the formatted append. */
    for (int n = 20; n < 140; n++) {
        strbuf_free(&b);
        strbuf_putf(&b, "%0*d", n, 7);
        assert_int_equal(b.len, n);
        assert_int_equal(b.data[n - 1], '7');
    }
    strbuf_free(&b);
}

static void
test_alloc(void **state)
{
    char *error = NULL;
    char *s = xstrndup("abcdef", 3);
    unsigned char *p = xzalloc_cacheline(65);

    assert_string_equal(s, "abc");
    free(s);
    assert_null(xstrdup_nullable(NULL));
    assert_int_equal((uintptr_t) p % CACHE_LINE_SIZE, 0);
    assert_int_equal(p[127], 0);
    p[127] = 1;
    free(p);
    p = xzalloc_huge(65);
    assert_int_equal((uintptr_t) p % (2 << 20), 0);
    assert_int_equal(p[127], 0);
    p[127] = 1;
    free(p);
    error_set(NULL, "%d", 1);
    error_set(&error, "first %d", 1);
    error_set(&error, "second");
    assert_string_equal(error, "first 1");
    free(error);
}

/* Small blocks that are freed do not lie about until all of them are joined at once. */
static void
test_small_blocks(void **state)
{
    enum { N = 10000 };
    static void *blocks[N];

    xalloc_init();
    for (int i = 0; i < N; i++) {
        blocks[i] = xmalloc(24 + (size_t) i % 4 * 16);
    }
    for (int i = 0; i < N; i++) {
        free(blocks[i]);
    }
    assert_int_equal(mallinfo2().fsmblks, 0);
}

static void
test_num(void **state)
{
    uint64_t u = 42;
    uint8_t bytes[4];
    int i = 42;
    bool b = true;

    assert_true(num_parse_u64("18446744073709551615", 0, UINT64_MAX, &u));
    assert_true(u == UINT64_MAX);
    assert_true(num_parse_u64("0xffffffffffffffff", 0, UINT64_MAX, &u));
    assert_true(num_parse_u64("0010", 0, 10, &u));
    assert_int_equal(u, 10);
    u = 42;
    assert_false(num_parse_u64("18446744073709551616", 0, UINT64_MAX, &u));
    assert_false(num_parse_u64("0x10000000000000000", 0, UINT64_MAX, &u));
    assert_false(num_parse_u64("", 0, UINT64_MAX, &u));
    assert_false(num_parse_u64("0x", 0, UINT64_MAX, &u));
    assert_false(num_parse_u64(" 1", 0, UINT64_MAX, &u));
    assert_false(num_parse_u64("1 ", 0, UINT64_MAX, &u));
    assert_false(num_parse_u64("-1", 0, UINT64_MAX, &u));
    assert_false(num_parse_u64("+1", 0, UINT64_MAX, &u));
    assert_false(num_parse_u64("1a", 0, UINT64_MAX, &u));
    assert_false(num_parse_u64("4", 5, 6, &u));
    assert_false(num_parse_u64("7", 5, 6, &u));
    assert_int_equal(u, 42);

    assert_true(num_parse_int("-2147483648", INT_MIN, INT_MAX, &i));
    assert_int_equal(i, INT_MIN);
    assert_true(num_parse_int("2147483647", INT_MIN, INT_MAX, &i));
    i = 42;
    assert_false(num_parse_int("2147483648", INT_MIN, INT_MAX, &i));
    assert_false(num_parse_int("-2147483649", INT_MIN, INT_MAX, &i));
    assert_false(num_parse_int("--1", INT_MIN, INT_MAX, &i));
    assert_false(num_parse_int("-", INT_MIN, INT_MAX, &i));
    assert_false(num_parse_int("", INT_MIN, INT_MAX, &i));
    assert_int_equal(i, 42);

    assert_true(num_parse_bool("FALSE", &b));
    assert_false(b);
    assert_true(num_parse_bool("true", &b));
    assert_true(b);
    assert_false(num_parse_bool("1", &b));
    assert_false(num_parse_bool("", &b));

    assert_int_equal(num_parse_hex("00fFa5", bytes, 4), 3);
    assert_memory_equal(bytes, "\x00\xff\xa5", 3);
    assert_int_equal(num_parse_hex("", bytes, 4), 0);
    assert_int_equal(num_parse_hex("123", bytes, 4), -1);
    assert_int_equal(num_parse_hex("0g", bytes, 4), -1);
    assert_int_equal(num_parse_hex("0011223344", bytes, 4), -1);
}

static void
collect_bit(unsigned bit, void *aux)
{
    strbuf_putf(aux, "%u ", bit);
}

static void
test_num_mask(void **state)
{
    struct strbuf b = STRBUF_INIT;

    assert_true(num_parse_mask("0x8000000000000000000000F1", collect_bit, &b));
    assert_string_equal(strbuf_cstr(&b), "0 4 5 6 7 95 ");
    strbuf_clear(&b);
    assert_true(num_parse_mask("6", collect_bit, &b));
    assert_string_equal(strbuf_cstr(&b), "1 2 ");
    strbuf_clear(&b);
    assert_true(num_parse_mask("0", collect_bit, &b));
    assert_false(num_parse_mask("", collect_bit, &b));
    assert_false(num_parse_mask("0x", collect_bit, &b));
    assert_false(num_parse_mask("f g", collect_bit, &b));
    assert_string_equal(strbuf_cstr(&b), "");
    strbuf_free(&b);
}

static void
test_smap(void **state)
{
    struct smap a = SMAP_INIT;
    struct smap_node *node;
    struct smap b, c;
    struct strbuf s = STRBUF_INIT;

    assert_null(smap_get(&a, "x"));
    smap_set(&a, "m", "1");
    smap_set(&a, "z", "true");
    smap_set(&a, "a", "0x10");
    smap_set(&a, "m", "-5");
    smap_setf(&a, "n", "%d%%", 7);
    SMAP_FOR_EACH(node, &a)
    {
        strbuf_putf(&s, "%s=%s ", node->key, node->value);
    }
    assert_string_equal(strbuf_cstr(&s), "a=0x10 m=-5 n=7% z=true ");
    strbuf_free(&s);

    assert_int_equal(smap_get_int(&a, "m", -10, 10, 3), -5);
    assert_int_equal(smap_get_int(&a, "m", 0, 10, 3), 3);
    assert_int_equal(smap_get_int(&a, "n", 0, 10, 3), 3);
    assert_int_equal(smap_get_u64(&a, "a", 0, 100, 3), 16);
    assert_true(smap_get_bool(&a, "z", false));
    assert_true(smap_get_bool(&a, "m", true));
    assert_string_equal(smap_get_def(&a, "none", "d"), "d");

    smap_clone(&b, &a);
    assert_true(smap_equal(&a, &b));
    assert_true(smap_remove(&b, "m"));
    assert_false(smap_remove(&b, "m"));
    assert_false(smap_equal(&a, &b));
    smap_swap(&a, &b);
    assert_int_equal(a.n, 3);
    assert_string_equal(smap_get(&a, "z"), "true");
    smap_init(&c);
    smap_destroy(&a);
    assert_true(smap_equal(&a, &c));
    smap_destroy(&b);
    smap_clear(&c);
    smap_destroy(&c);
}

/* The definition, word by word. */
static uint16_t
slow_csum(const uint8_t *p, size_t len)
{
    uint32_t sum = 0;

    for (size_t i = 0; i < len; i++) {
        sum += i % 2 ? p[i] : p[i] << 8;
        sum = (sum & 0xffff) + (sum >> 16);
    }
    return htons((uint16_t) ~sum);
}

static void
test_csum(void **state)
{
    /* RFC 1071 section 3. */
    static const uint8_t rfc[] = {0x00, 0x01, 0xf2, 0x03, 0xf4, 0xf5, 0xf6, 0xf7};
    uint8_t buf[400];

    assert_int_equal(csum_fold(csum_add(0, rfc, sizeof rfc)), htons(0xddf2));
    assert_int_equal(csum_finish(csum_add(0, rfc, sizeof rfc)), htons((uint16_t) ~0xddf2));
    assert_int_equal(csum_finish(0), 0xffff);
    srand(1);
    for (int round = 0; round < 300; round++) {
        size_t off = (size_t) round % 17;
        size_t len = (size_t) rand() % (sizeof buf - off);

        for (size_t i = 0; i < sizeof buf; i++) {
            buf[i] = round % 3 ? (uint8_t) rand() : 0xff;
        }
        assert_int_equal(csum_finish(csum_add(0, buf + off, len)), slow_csum(buf + off, len));
    }
    /* Sums over even pieces add up. */
    assert_int_equal(csum_finish(csum_add(csum_add(0, buf, 38), buf + 38, 61)),
                     slow_csum(buf, 99));
}

static void
test_csum_update(void **state)
{
    uint8_t buf[40];
    uint16_t old16, new16, sum;
    uint32_t old32, new32;

    /* The example of RFC 1624 section 4: the sum must become 0x0000, not 0xffff. */
    assert_int_equal(csum_update16(htons(0xdd2f), htons(0x5555), htons(0x3285)), 0x0000);
    /* A no-change update keeps the value, but for the other zero. */
    assert_int_equal(csum_update16(htons(0x1234), htons(0xabcd), htons(0xabcd)), htons(0x1234));

    srand(2);
    for (int round = 0; round < 2000; round++) {
        for (size_t i = 0; i < sizeof buf; i++) {
            buf[i] = (uint8_t) rand();
        }
        buf[0] |= 1; /* not all zero: then both zeros would be right */
        sum = slow_csum(buf, sizeof buf);

        memcpy(&old16, buf + 10, 2);
        new16 = round % 5 ? (uint16_t) rand() : round % 2 ? 0 : 0xffff;
        memcpy(buf + 10, &new16, 2);
        sum = csum_update16(sum, old16, new16);
        assert_int_equal(sum, slow_csum(buf, sizeof buf));

        memcpy(&old32, buf + 20, 4);
        new32 = round % 5 ? (uint32_t) rand() * 3 : round % 2 ? 0 : UINT32_MAX;
        memcpy(buf + 20, &new32, 4);
        sum = csum_update32(sum, old32, new32);
        assert_int_equal(sum, slow_csum(buf, sizeof buf));
    }
}

static void
test_csum_pseudo(void **state)
{
    uint8_t v4[12] = {10, 0, 0, 1, 192, 168, 255, 254, 0, 17, 0x12, 0x34};
    uint8_t v6[40];
    uint32_t src, dst;

    memcpy(&src, v4, 4);
    memcpy(&dst, v4 + 4, 4);
    assert_int_equal(csum_finish(csum_pseudo_v4(src, dst, 17, 0x1234)), slow_csum(v4, 12));

    memset(v6, 0, sizeof v6);
    for (int i = 0; i < 32; i++) {
        v6[i] = (uint8_t) (i * 37);
    }
    v6[33] = 1;
    v6[34] = 2;
    v6[35] = 3;
    v6[39] = 58;
    assert_int_equal(csum_finish(csum_pseudo_v6(v6, v6 + 16, 58, 0x010203)), slow_csum(v6, 40));
}

static void
test_idpool(void **state)
{
    struct idpool *p = idpool_create(5, 8);
    uint32_t id = 0;

    assert_true(idpool_alloc(p, &id));
    assert_int_equal(id, 5);
    idpool_free(p, 5);
    assert_true(idpool_alloc(p, &id)); /* not 5 again at once */
    assert_int_equal(id, 6);
    assert_true(idpool_take(p, 7));
    assert_false(idpool_take(p, 7));
    assert_false(idpool_take(p, 4));
    assert_false(idpool_take(p, 9));
    assert_true(idpool_alloc(p, &id));
    assert_int_equal(id, 8);
    assert_true(idpool_alloc(p, &id));
    assert_int_equal(id, 5);
    assert_false(idpool_alloc(p, &id));
    idpool_free(p, 100);
    idpool_free(p, 6);
    assert_true(idpool_alloc(p, &id));
    assert_int_equal(id, 6);
    idpool_destroy(p);
    idpool_destroy(NULL);

    p = idpool_create(UINT32_MAX, UINT32_MAX);
    assert_true(idpool_alloc(p, &id));
    assert_false(idpool_alloc(p, &id));
    idpool_free(p, UINT32_MAX);
    assert_true(idpool_alloc(p, &id));
    idpool_destroy(p);

    /* Numbers taken are not given again at once either. */
    p = idpool_create(1, 100);
    assert_true(idpool_take(p, 1) && idpool_take(p, 2) && idpool_take(p, 3));
    idpool_free(p, 2);
    assert_true(idpool_alloc(p, &id));
    assert_int_equal(id, 4);
    idpool_free(p, 50); /* was not in use */
    assert_true(idpool_alloc(p, &id));
    assert_int_equal(id, 5);
    idpool_destroy(p);
}

static void
test_ether(void **state)
{
    struct eth_addr a = {{0}};
    char text[18];

    assert_true(eth_addr_parse("aA:bb:0c:DD:ee:0f", &a));
    assert_true(eth_addr_to_u64(a) == UINT64_C(0xaabb0cddee0f));
    snprintf(text, sizeof text, ETH_ADDR_FMT, ETH_ADDR_ARGS(a));
    assert_string_equal(text, "aa:bb:0c:dd:ee:0f");
    assert_true(eth_addr_equal(a, eth_addr_from_u64(UINT64_C(0xaabb0cddee0f))));
    assert_false(eth_addr_parse("aa:bb:cc:dd:ee", &a));
    assert_false(eth_addr_parse("aa:bb:cc:dd:ee:ff:00", &a));
    assert_true(eth_addr_parse("a:0:cc:dd:ee:f", &a));
    assert_true(eth_addr_to_u64(a) == UINT64_C(0x0a00ccddee0f));
    assert_false(eth_addr_parse("aa:bb:cc:dd:ee:", &a));
    assert_false(eth_addr_parse("aaa:bb:cc:dd:ee:ff", &a));
    assert_false(eth_addr_parse("aa-bb-cc-dd-ee-ff", &a));
    assert_false(eth_addr_parse("", &a));
    assert_false(eth_addr_parse("aa:bb:cc:dd:ee:fg", &a));
    assert_true(eth_addr_is_reserved(eth_addr_from_u64(UINT64_C(0x0180c200000e))));
    assert_false(eth_addr_is_reserved(eth_addr_from_u64(UINT64_C(0x0180c2000010))));
    a = eth_addr_random();
    assert_true(eth_addr_is_local(a));
    assert_false(eth_addr_is_multicast(a));
    assert_false(eth_addr_equal(a, eth_addr_random()));
}

static void
test_misc(void **state)
{
    BITMAP_DECLARE(map, 130) = {0};

    bitmap_set(map, 129);
    assert_true(bitmap_test(map, 129));
    assert_false(bitmap_test(map, 65));
    bitmap_unset(map, 129);
    assert_false(bitmap_test(map, 129));
    assert_int_equal(hash_bytes("abc", 3, 1), hash_bytes("abc", 3, 1));
    assert_int_not_equal(hash_bytes("abc", 3, 1), hash_bytes("abc", 3, 2));
    assert_string_equal(version_line(), "ovs-vswitchd (Open vSwitch) 3.1.0");
    assert_ptr_equal(strstr(version_text(), version_line()), version_text());
    assert_non_null(strstr(version_text(), version_xvs()));
}

static void
test_smap_clamped(void **state)
{
    struct smap m = SMAP_INIT;

    smap_set(&m, "n", "100");
    assert_int_equal(smap_get_clamped(&m, "absent", 0, 9, 5), 5);
    assert_int_equal(smap_get_clamped(&m, "n", 0, 1000, 5), 100);
    assert_int_equal(smap_get_clamped(&m, "n", 500, 1000, 5), 500);
    assert_int_equal(smap_get_clamped(&m, "n", 0, 9, 5), 9);
    smap_set(&m, "n", "-3");
    assert_int_equal(smap_get_clamped(&m, "n", -9, 9, 5), -3);
    assert_int_equal(smap_get_clamped(&m, "n", 0, 9, 5), 0);
    smap_set(&m, "n", "-");
    assert_int_equal(smap_get_clamped(&m, "n", 0, 9, 5), 5);
    smap_set(&m, "n", "9223372036854775808");
    assert_int_equal(smap_get_clamped(&m, "n", 0, 9, 5), 5);
    smap_destroy(&m);
}

static void
test_quote(void **state)
{
    char long_text[2000];

    assert_string_equal(QUOTE("abc"), "abc");
    assert_string_equal(QUOTE(""), "");
    assert_string_equal(QUOTE("a\nb\x1b[1m\x7f"), "a?b?[1m?");
    memset(long_text, 'x', sizeof long_text);
    long_text[QUOTE_SZ - 1] = '\0';
    assert_string_equal(QUOTE(long_text), long_text);
    long_text[QUOTE_SZ - 1] = 'x';
    long_text[sizeof long_text - 1] = '\0';
    assert_int_equal(strlen(QUOTE(long_text)), QUOTE_SZ - 1);
    assert_string_equal(QUOTE(long_text) + QUOTE_SZ - 5, "x...");
    /* Two bytes of one character around the place of the cut: neither stays. */
    memcpy(long_text + QUOTE_SZ - 5, "\xc3\xa9", 2);
    assert_string_equal(QUOTE(long_text) + QUOTE_SZ - 6, "x...");
    assert_int_equal(strlen(quote_sentence(long_text)), SENTENCE_MAX);
    assert_string_equal(long_text + SENTENCE_MAX - 4, "x...");
    assert_null(quote_sentence(NULL));
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_min_max),      cmocka_unit_test(test_strbuf),
        cmocka_unit_test(test_alloc),        cmocka_unit_test(test_small_blocks),
        cmocka_unit_test(test_num),          cmocka_unit_test(test_num_mask),
        cmocka_unit_test(test_smap),         cmocka_unit_test(test_csum),
        cmocka_unit_test(test_csum_update),  cmocka_unit_test(test_csum_pseudo),
        cmocka_unit_test(test_idpool),       cmocka_unit_test(test_ether),
        cmocka_unit_test(test_misc),         cmocka_unit_test(test_quote),
        cmocka_unit_test(test_smap_clamped),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
