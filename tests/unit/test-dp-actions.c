/* SPDX-License-Identifier: Apache-2.0 */
/* Unit tests of lib/datapath/dp-actions.c: building, comparing, formatting. */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include <arpa/inet.h>

#include "datapath/dp-actions.h"
#include "flow/flow-key.h"

static const char *
port_name(uint32_t port, void *aux)
{
    return port == 2 ? aux : NULL;
}

static void
check_text(const struct dp_actions *a, const char *(*name)(uint32_t, void *), const char *want)
{
    struct strbuf s = STRBUF_INIT;

    dp_actions_format(&s, a, name, (void *) (uintptr_t) "veth2");
    assert_string_equal(strbuf_cstr(&s), want);
    strbuf_free(&s);
}

static void
test_format(void **state)
{
    struct dp_actions_builder b = {.n = 0};
    struct dp_actions *a = dp_actions_finish(&b);

    check_text(a, NULL, "drop");
    free(a);

    dp_actions_add_output(&b, 2);
    dp_actions_add_push_vlan(&b, 0x8100, 0x600a);
    dp_actions_add_output(&b, 3);
    dp_actions_add_pop_vlan(&b);
    dp_actions_add_push_vlan(&b, 0x88a8, 0x1000 | 77);
    dp_actions_add_output(&b, 65534);
    a = dp_actions_finish(&b);
    assert_int_equal(a->n, 6);
    assert_null(b.a);
    assert_int_equal(b.n, 0);
    check_text(
        a, NULL,
        "2,push_vlan(vid=10,pcp=3),3,pop_vlan,push_vlan(tpid=0x88a8,vid=77,pcp=0),65534");
    check_text(a, port_name,
               "veth2,push_vlan(vid=10,pcp=3),3,pop_vlan,push_vlan(tpid=0x88a8,vid=77,pcp=0),"
               "65534");
    free(a);
}

static void
put_punt(struct strbuf *s, const uint64_t *words, uint16_t n)
{
    strbuf_putf(s, "userspace(%u:%u)", (unsigned) words[0], n);
}

static void
add_set(struct dp_actions_builder *b, enum flow_section section, uint8_t hint,
        const struct flow *v, const struct flow *m)
{
    unsigned ofs = flow_section_flow_ofs[section];

    dp_actions_add_set(b, section, hint, (const flow_word *) v + ofs,
                       (const flow_word *) m + ofs);
}

/* Layouts as seen in dumps of the stock datapath. */
static void
test_format_set(void **state)
{
    struct dp_actions_builder b = {.n = 0};
    struct dp_actions *a;
    struct flow v, m;

    memset(&v, 0, sizeof v);
    memset(&m, 0, sizeof m);
    v.eth.src = (struct eth_addr){{2, 0, 0, 0, 0, 1}};
    memset(&m.eth.src, 0xff, sizeof m.eth.src);
    v.ip.ttl = 63;
    m.ip.ttl = 0xff;
    v.ipv4.dst_be = htonl(0x0a000002);
    m.ipv4.dst_be = UINT32_MAX;
    v.l4.dst_be = htons(80);
    m.l4.dst_be = UINT16_MAX;
    v.meta.pkt_mark = 7;
    m.meta.pkt_mark = UINT32_MAX;
    v.mpls.lse_be[0] = htonl(100u << 12 | 3u << 9 | 0x100 | 64);
    m.mpls.lse_be[0] = UINT32_MAX;
    add_set(&b, FS_META, 0, &v, &m);
    add_set(&b, FS_ETH, 0, &v, &m);
    add_set(&b, FS_IP, 4, &v, &m);
    add_set(&b, FS_IPV4, 0, &v, &m);
    add_set(&b, FS_L4, 6, &v, &m);
    add_set(&b, FS_L4, 17, &v, &m);
    add_set(&b, FS_IP, 6, &v, &m);
    add_set(&b, FS_MPLS, 0, &v, &m);
    a = dp_actions_finish(&b);
    check_text(a, NULL,
               "set(skb_mark(0x7)),set(eth(src=02:00:00:00:00:01)),"
               "set(ipv4(dst=10.0.0.2,ttl=63)),set(tcp(dst=80)),set(udp(dst=80)),"
               "set(ipv6(hlimit=63)),set(mpls(label=100,tc=3,ttl=64,bos=1))");
    free(a);
}

static void
test_format_nested(void **state)
{
    struct dp_actions_builder b = {.n = 0};
    const uint64_t words[2] = {5, 6};
    struct dp_actions *a;
    uint32_t at, inner;

    dp_actions_set_punt_format(put_punt);
    dp_actions_add_trunc(&b, 100);
    dp_actions_add_output(&b, 1);
    at = dp_actions_begin_clone(&b);
    dp_actions_add_pop_mpls(&b, 0x800);
    dp_actions_add_push_mpls(&b, 0x8847, htonl(0x00064140));
    dp_actions_add_punt(&b, words, 2);
    dp_actions_end_clone(&b, at);
    dp_actions_add_meter(&b, 9);
    dp_actions_add_hash(&b, DP_HASH_L4, 0);
    dp_actions_add_hash(&b, DP_HASH_SYM_L4, 7);
    at = dp_actions_begin_check_pkt_len(&b, 200);
    inner = dp_actions_begin_clone(&b);
    dp_actions_add_output(&b, 4);
    dp_actions_end_clone(&b, inner);
    dp_actions_else_check_pkt_len(&b, at);
    dp_actions_end_check_pkt_len(&b, at);
    dp_actions_add_recirc(&b, 0x1f);
    a = dp_actions_finish(&b);
    check_text(
        a, NULL,
        "trunc(100),1,clone(pop_mpls(eth_type=0x800),"
        "push_mpls(label=100,tc=0,ttl=64,bos=1,eth_type=0x8847),userspace(5:2)),"
        "meter(9),hash(l4(0)),hash(sym_l4(7)),check_pkt_len(size=200,gt(clone(4)),le(drop)),"
        "recirc(0x1f)");
    assert_true(dp_actions_output_to(a, 4));
    assert_false(dp_actions_output_to(a, 2));
    free(a);
}

/* Too long a list is no list: it drops. */
static void
test_overflow(void **state)
{
    struct dp_actions_builder b = {.n = 0};
    struct dp_actions *a;

    for (uint32_t i = 0; i <= DP_ACTIONS_MAX; i++) {
        dp_actions_add_output(&b, i);
    }
    assert_true(b.overflow);
    dp_actions_end_clone(&b, dp_actions_begin_clone(&b));
    a = dp_actions_finish(&b);
    check_text(a, NULL, "drop");
    assert_int_equal(a->n, 0);
    free(a);
}

static struct dp_actions *
make(uint32_t port, uint16_t tpid, uint16_t tci, bool pop)
{
    struct dp_actions_builder b = {.n = 0};

    if (pop) {
        dp_actions_add_pop_vlan(&b);
    }
    if (tpid) {
        dp_actions_add_push_vlan(&b, tpid, tci);
    }
    if (port) {
        dp_actions_add_output(&b, port);
    }
    return dp_actions_finish(&b);
}

static void
test_equal(void **state)
{
    struct dp_actions *all[] = {
        make(0, 0, 0, false),      make(1, 0, 0, false),      make(2, 0, 0, false),
        make(1, 0x8100, 5, false), make(1, 0x8100, 6, false), make(1, 0x88a8, 5, false),
        make(1, 0, 0, true),       make(0, 0, 0, true),       make(1, 0x8100, 5, true),
    };
    size_t n = sizeof all / sizeof all[0];
    struct dp_actions *same = make(1, 0x8100, 0x1005, false);

    for (size_t i = 0; i < n; i++) {
        for (size_t j = 0; j < n; j++) {
            assert_int_equal(dp_actions_equal(all[i], all[j]), i == j);
        }
    }
    assert_true(dp_actions_equal(all[3], same));
    free(same);
    for (size_t i = 0; i < n; i++) {
        free(all[i]);
    }
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_format),        cmocka_unit_test(test_format_set),
        cmocka_unit_test(test_format_nested), cmocka_unit_test(test_overflow),
        cmocka_unit_test(test_equal),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
