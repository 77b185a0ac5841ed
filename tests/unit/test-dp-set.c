/* SPDX-License-Identifier: Apache-2.0 */
/* Set actions: whatever bits of a header are overwritten, the packet then has just these, and
 * its checksums are what they would be if computed anew. */

#include <arpa/inet.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "datapath/dp-set.h"
#include "flow/flow-format.h"
#include "flow/flow-key.h"
#include "packet/headers.h"
#include "packet/packet-ops.h"
#include "util/compiler.h"

#define ETH "eth(src=02:00:00:00:00:01,dst=02:00:00:00:00:02),"
#define V4 ETH "eth_type(0x0800),ipv4(src=10.0.0.1,dst=10.0.0.2,proto=%d,tos=4,ttl=64,frag=%s),"
#define V6                                                                                     \
    ETH "eth_type(0x86dd),ipv6(src=fe80::1,dst=fe80::2,label=0x12345,proto=%d,tclass=4,"       \
        "hlimit=64,frag=no),"

static const struct {
    const char *text;
    const char *frag;
    int proto;
} bases[] = {
    {V4 "tcp(src=1000,dst=80),tcp_flags(syn)", "no", 6},
    {V4 "udp(src=1000,dst=53)", "no", 17},
    {V4 "udp(src=1000,dst=53)", "first", 17},
    {V4 "sctp(src=1000,dst=53)", "no", 132},
    {V4 "icmp(type=8,code=0)", "no", 1},
    {V4, "later", 6},
    {V4, "no", 47},
    {V6 "tcp(src=1000,dst=80),tcp_flags(ack)", "", 6},
    {V6 "udp(src=1000,dst=53)", "", 17},
    {V6 "icmpv6(type=128,code=0)", "", 58},
    {V6 "icmpv6(type=135,code=0),nd(target=fe80::9,sll=02:00:00:00:00:07)", "", 58},
    {V6 "icmpv6(type=136,code=0),nd(target=fe80::9,tll=02:00:00:00:00:07)", "", 58},
    {ETH "eth_type(0x0806),arp(sip=10.0.0.1,tip=10.0.0.2,op=1,sha=02:00:00:00:00:01,tha=00:00:"
         "00:00:00:00)",
     "", 0},
    {ETH "eth_type(0x8847),mpls(label=100,tc=0,ttl=64,bos=1)", "", 0},
};

/* Bits that a set action may name, by section. */
static void
settable(struct flow *m)
{
    memset(m, 0, sizeof *m);
    m->meta.skb_priority = m->meta.pkt_mark = UINT32_MAX;
    memset(&m->eth, 0xff, 2 * sizeof m->eth.dst);
    m->ip.tos = m->ip.ttl = UINT8_MAX;
    m->ip.ipv6_label_be = htonl(0xfffff);
    memset(&m->ipv4, 0xff, sizeof m->ipv4);
    memset(&m->ipv6, 0xff, sizeof m->ipv6);
    m->l4.src_be = m->l4.dst_be = UINT16_MAX;
    memset(&m->arp, 0xff, sizeof m->arp);
    m->arp.op = 0xff;
    m->arp.pad[0] = 0;
    memset(&m->nd, 0xff, sizeof m->nd);
    memset(m->nd.pad, 0, sizeof m->nd.pad);
    m->mpls.lse_be[0] = UINT32_MAX;
}

static struct packet *
compose(unsigned i)
{
    char text[512], *err = NULL;
    struct packet *p;
    struct flow flow;

    snprintf(text, sizeof text, bases[i].text, bases[i].proto, bases[i].frag);
    if (flow_parse(text, &flow, NULL, NULL, &err)) {
        fail_msg("%s: %s", text, err);
    }
    p = flow_compose(&flow, 0);
    assert_non_null(p);
    return p;
}

static void
extract(struct packet *p, struct flow *flow)
{
    struct flow_key key;

    flow_key_extract(p, &key);
    flow_key_expand(&key, flow);
}

/* A copy with all of them computed anew must be the same bytes. */
static void
check_csums(struct packet *p)
{
    struct packet *anew = packet_clone(p, NULL);

    assert_non_null(anew);
    packet_fill_csums(anew);
    assert_int_equal(p->len, anew->len);
    assert_memory_equal(packet_data(p), packet_data(anew), p->len);
    packet_free(anew);
}

/* Type and code of what has fields behind it, and the bottom of the stack, stay: they would
 * make another packet of it. */
static void
set_random(struct packet *p, enum flow_section s, const struct flow *was, struct flow *want)
{
    unsigned n = flow_section_words[s], ofs = flow_section_flow_ofs[s];
    struct dp_action a = {.type = DP_ACT_SET, .section = (uint8_t) s};
    uint64_t words[2 * FLOW_KEY_MAX_WORDS];
    struct flow may;

    a.hint = s == FS_L4 ? was->ip.proto : 0;
    settable(&may);
    if (!(was->sections & FS_BIT(FS_IPV6))) {
        may.ip.ipv6_label_be = 0;
    }
    if (s == FS_L4 && (was->ip.proto == IP_PROTO_ICMP || was->ip.proto == IP_PROTO_ICMPV6)) {
        may.l4.src_be = was->sections & FS_BIT(FS_ND) ? 0 : htons(0x07);
        may.l4.dst_be = was->sections & FS_BIT(FS_ND) ? 0 : htons(0x0f);
    }
    if (eth_addr_is_zero(was->nd.sll)) {
        memset(&may.nd.sll, 0, sizeof may.nd.sll);
    }
    if (eth_addr_is_zero(was->nd.tll)) {
        memset(&may.nd.tll, 0, sizeof may.nd.tll);
    }
    may.nd.opt_type = 0;                 /* says which of the addresses an option is */
    may.mpls.lse_be[0] &= ~htonl(0x100); /* the stack ends where it ended */
    *want = *was;
    for (unsigned i = 0; i < n; i++) {
        uint64_t m, v, *w = (uint64_t *) (flow_word *) want + ofs + i;

        memcpy(&m, (flow_word *) &may + ofs + i, 8);
        m &= rand() % 3
                 ? UINT64_MAX
                 : ((uint64_t) rand() << 40 ^ (uint64_t) rand() << 20 ^ (uint64_t) rand());
        v = ((uint64_t) rand() << 40 ^ (uint64_t) rand() << 20 ^ (uint64_t) rand()) & m;
        words[i] = v;
        words[n + i] = m;
        *w = (*w & ~m) | v;
    }
    dp_set(p, &a, words);
}

static void
test_set(void **state)
{
    for (unsigned i = 0; i < ARRAY_SIZE(bases); i++) {
        for (unsigned round = 0; round < 400; round++) {
            struct packet *p = compose(i);
            struct flow was, want, got;
            enum flow_section s = (enum flow_section)(rand() % FS_REGS);

            extract(p, &was);
            if (s == FS_VLAN || !(was.sections & FS_BIT(s))) {
                packet_free(p);
                continue;
            }
            set_random(p, s, &was, &want);
            check_csums(p);
            extract(p, &got);
            if (!flow_equal(&got, &want)) {
                fail_msg("base %u, section %d", i, (int) s);
            }
            packet_free(p);
        }
    }
}

/* A header that is not there is not written; offsets that lie do no harm. */
static void
test_missing(void **state)
{
    uint64_t words[2 * FLOW_KEY_MAX_WORDS];

    memset(words, 0xff, sizeof words);
    for (unsigned len = 14; len < 60; len++) {
        for (int s = 0; s < FS_REGS; s++) {
            struct packet *p = compose(0), *was;
            struct dp_action a = {.type = DP_ACT_SET, .section = (uint8_t) s, .hint = 6};

            was = packet_clone(p, NULL);
            p->len = (uint16_t) len;
            p->l3_ofs = (uint16_t) (rand() % 2 ? 14 : PACKET_OFS_NONE);
            p->l4_ofs = (uint16_t) (rand() % 2 ? 34 : PACKET_OFS_NONE);
            dp_set(p, &a, words);
            assert_memory_equal(packet_data(p) + len, packet_data(was) + len, was->len - len);
            packet_free(p);
            packet_free(was);
        }
    }
}

/* An option of another type is another address: the same bytes, said of the other. */
static void
test_nd_option_type(void **state)
{
    const struct dp_action a = {.type = DP_ACT_SET, .section = FS_ND};
    const unsigned n = flow_section_words[FS_ND];
    const struct flow_nd v = {.opt_type = 1, .reserved_be = htonl(0x60000000)};
    const struct flow_nd m = {.opt_type = UINT8_MAX, .reserved_be = UINT32_MAX};
    struct packet *p = compose(11); /* an advertisement with a target address */
    uint64_t words[2 * FLOW_KEY_MAX_WORDS];
    struct flow was, got;

    extract(p, &was);
    assert_int_equal(was.nd.opt_type, 2);
    assert_int_equal(was.nd.reserved_be, 0);
    memcpy(words, &v, sizeof v);
    memcpy(words + n, &m, sizeof m);
    dp_set(p, &a, words);
    check_csums(p);
    extract(p, &got);
    assert_int_equal(got.nd.opt_type, 1);
    assert_int_equal(got.nd.reserved_be, htonl(0x60000000));
    assert_memory_equal(&got.nd.sll, &was.nd.tll, sizeof got.nd.sll);
    assert_true(eth_addr_is_zero(got.nd.tll));
    packet_free(p);
}

static void
test_mpls(void **state)
{
    struct packet *p = compose(0), *was = packet_clone(p, NULL);
    struct flow flow;

    assert_true(packet_push_vlan(p, 0x8100, 5));
    assert_true(packet_push_mpls(p, ETH_TYPE_MPLS, htonl(100u << 12 | 0x140)));
    extract(p, &flow);
    assert_int_equal(flow.vlan.tag[0].tci_be, htons(0x1005));
    assert_int_equal(flow.eth.type_be, htons(ETH_TYPE_MPLS));
    assert_int_equal(flow.mpls.lse_be[0], htonl(100u << 12 | 0x140));
    assert_true(packet_pop_mpls(p, ETH_TYPE_IPV4));
    packet_pop_vlan(p);
    assert_int_equal(p->len, was->len);
    assert_memory_equal(packet_data(p), packet_data(was), was->len);
    assert_false(packet_pop_mpls(p, ETH_TYPE_IPV4));
    p->len = 13;
    assert_false(packet_push_mpls(p, ETH_TYPE_MPLS, 0));
    packet_free(p);
    packet_free(was);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_set),
        cmocka_unit_test(test_missing),
        cmocka_unit_test(test_nd_option_type),
        cmocka_unit_test(test_mpls),
    };

    srand(1);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
