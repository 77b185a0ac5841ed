/* SPDX-License-Identifier: Apache-2.0 */
/* Flow text: parsed, composed to a packet, extracted and formatted again.  The expected lines
 * and lengths are what the stock tools show for the same input. */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <cmocka.h>
#include <arpa/inet.h>
#include <errno.h>

#include "flow/flow-format.h"
#include "os/thread.h"
#include "packet-samples.h"

#define E "eth(src=00:00:00:00:00:01,dst=00:00:00:00:00:02),"
#define E0                                                                                     \
    "eth(src=00:00:00:00:00:01/00:00:00:00:00:00,dst=00:00:00:00:00:02/00:00:00:00:00:00),"
#define V4(REST) "eth_type(0x0800),ipv4(src=10.0.0.1,dst=10.0.0.2,proto=" REST
#define V6(REST) "eth_type(0x86dd),ipv6(src=fe80::1,dst=fe80::2,label=0," REST
#define HEAD "recirc_id(0),in_port(1),packet_type(ns=0,id=0),"
#define MHEAD                                                                                  \
    "skb_priority(0/0),skb_mark(0/0),ct_state(0/0),ct_zone(0/0),ct_mark(0/0),ct_label(0/0),"   \
    "recirc_id(0),dp_hash(0/0),in_port(p1),packet_type(ns=0,id=0),"

/* The text, its packet's length, and how it shows when looked at with the least mask. */
static const struct {
    const char *in;
    unsigned len;
    const char *brief, *verbose;
} cases[] = {
    {E V4("6,tos=0,ttl=64,frag=no),tcp(src=1,dst=2),tcp_flags(syn)"), 118,
     "eth_type(0x0800),ipv4(frag=no)",
     E0 "eth_type(0x0800),ipv4(src=10.0.0.1/0.0.0.0,dst=10.0.0.2/0.0.0.0,proto=6/0,tos=0/"
        "0,ttl=64/0,"
        "frag=no),tcp(src=1/0,dst=2/0),tcp_flags(0/0)"},
    {E V4("17,tos=0x3,ttl=64,frag=no),udp(src=1,dst=2)"), 106, "eth_type(0x0800),ipv4(frag=no)",
     E0 "eth_type(0x0800),ipv4(src=10.0.0.1/0.0.0.0,dst=10.0.0.2/0.0.0.0,proto=17/0,tos=0x3/0,"
        "ttl=64/0,frag=no),udp(src=1/0,dst=2/0)"},
    {E V4("1,tos=0,ttl=64,frag=no),icmp(type=8,code=0)"), 106, "eth_type(0x0800),ipv4(frag=no)",
     E0 "eth_type(0x0800),ipv4(src=10.0.0.1/0.0.0.0,dst=10.0.0.2/0.0.0.0,proto=1/0,tos=0/"
        "0,ttl=64/0,"
        "frag=no),icmp(type=8/0,code=0/0)"},
    {E V4("132,tos=0,ttl=64,frag=no),sctp(src=16,dst=80)"), 46,
     "eth_type(0x0800),ipv4(frag=no)",
     E0 "eth_type(0x0800),ipv4(src=10.0.0.1/0.0.0.0,dst=10.0.0.2/0.0.0.0,proto=132/0,tos=0/0,"
        "ttl=64/0,frag=no),sctp(src=16/0,dst=80/0)"},
    {E V4("6,tos=0,ttl=64,frag=later)"), 34, "eth_type(0x0800),ipv4(frag=later)", NULL},
    {E V4("6,tos=0,ttl=64,frag=first),tcp(src=1,dst=2)"), 118,
     "eth_type(0x0800),ipv4(frag=first)", NULL},
    {E V4("47,tos=0,ttl=64,frag=no)"), 34, "eth_type(0x0800),ipv4(frag=no)", NULL},
    {E V6("proto=58,tclass=0,hlimit=255,frag=no),icmpv6(type=135,code=0),nd(target=fe80::2,"
          "sll=00:00:00:00:00:01,tll=00:00:00:00:00:00)"),
     86, "eth_type(0x86dd),ipv6(frag=no)",
     E0 "eth_type(0x86dd),ipv6(src=fe80::1/::,dst=fe80::2/::,label=0/0,proto=58/0,tclass=0/0,"
        "hlimit=255/0,frag=no),icmpv6(type=135/0,code=0/0),nd(target=fe80::2/::,"
        "sll=00:00:00:00:00:01/00:00:00:00:00:00,tll=00:00:00:00:00:00/00:00:00:00:00:00),"
        "nd_ext(nd_reserved=0/0,nd_options_type=1/0)"},
    {E V6("proto=6,tclass=0,hlimit=255,frag=no),tcp(src=1,dst=2)"), 138,
     "eth_type(0x86dd),ipv6(frag=no)", NULL},
    {E V6("proto=58,hlimit=3),icmpv6(type=128,code=0)"), 126, "eth_type(0x86dd),ipv6(frag=no)",
     E0 "eth_type(0x86dd),ipv6(src=fe80::1/::,dst=fe80::2/::,label=0/0,proto=58/0,tclass=0/0,"
        "hlimit=3/0,frag=no),icmpv6(type=128/0,code=0/0)"},
    {E "eth_type(0x0806),arp(sip=10.0.0.1,tip=10.0.0.2,op=1,sha=00:00:00:00:00:01,"
       "tha=00:00:00:00:00:00)",
     42, "eth_type(0x0806)",
     E0 "eth_type(0x0806),arp(sip=10.0.0.1/0.0.0.0,tip=10.0.0.2/0.0.0.0,op=1/0,"
        "sha=00:00:00:00:00:01/00:00:00:00:00:00,tha=00:00:00:00:00:00/00:00:00:00:00:00)"},
    {E "eth_type(0x8100),vlan(vid=10,pcp=3),encap(" V4(
         "17,tos=0,ttl=64,frag=no),udp(src=1,dst=2))"),
     110, "eth_type(0x8100),vlan(vid=10/0x0,pcp=3/0x0),encap(eth_type(0x0800),ipv4(frag=no))",
     NULL},
    {E
     "eth_type(0x88a8),vlan(vid=10,pcp=3),encap(eth_type(0x8100),vlan(vid=20,pcp=0),encap(" V4(
         "17,tos=0,ttl=64,frag=no),udp(src=1,dst=2)))"),
     114,
     "eth_type(0x88a8),vlan(vid=10/0x0,pcp=3/"
     "0x0),encap(eth_type(0x8100),encap(eth_type(0x0800),"
     "ipv4(frag=no)))",
     E0 "eth_type(0x88a8),vlan(vid=10/0x0,pcp=3/0x0),encap(eth_type(0x8100),vlan(vid=20/0x0,"
        "pcp=0/0x0),encap(eth_type(0x0800),ipv4(src=10.0.0.1/0.0.0.0,dst=10.0.0.2/0.0.0.0,"
        "proto=17/0,tos=0/0,ttl=64/0,frag=no),udp(src=1/0,dst=2/0)))"},
    {E "eth_type(0x8847),mpls(label=100,tc=0,ttl=64,bos=0,label=200,tc=1,ttl=63,bos=1)", 22,
     "eth_type(0x8847)",
     E0 "eth_type(0x8847),mpls(label=100/0x0,tc=0/0,ttl=64/0x0,bos=0/0,label=200/0x0,tc=1/0,"
        "ttl=63/0x0,bos=1/0)"},
    {E "eth_type(0x1234)", 14, "eth_type(0x1234)", E0 "eth_type(0x1234)"},
    {"eth(src=00:00:00:00:00:01,dst=00:00:00:00:00:02)", 14, "eth_type(0/0xffff)",
     E0 "eth_type(0/0xffff)"},
};
#define N_CASES (sizeof cases / sizeof cases[0])

static const char *
port_name(uint32_t port, void *aux)
{
    return port == 1 ? "p1" : NULL;
}

static int64_t
port_no(const char *name, void *aux)
{
    return !strcmp(name, "p1") ? 1 : -1;
}

static struct flow
parse(const char *text)
{
    struct flow f;
    char *error = NULL;

    if (flow_parse(text, &f, port_no, NULL, &error)) {
        fail_msg("%s: %s", text, error);
    }
    return f;
}

static void
check_text(const struct flow *f, const struct flow *mask, bool verbose, const char *head,
           const char *expect)
{
    const struct flow_format_opts opts = {verbose, verbose ? port_name : NULL, NULL};
    struct strbuf s = STRBUF_INIT;
    char all[2048];

    snprintf(all, sizeof all, "%s%s", head, expect);
    flow_format(&s, f, mask, &opts);
    assert_string_equal(strbuf_cstr(&s), all);
    strbuf_free(&s);
}

static void
test_cases(void **state)
{
    for (size_t i = 0; i < N_CASES; i++) {
        char text[1024];
        struct flow f, back, mask;
        struct flow_key k;
        struct packet *p;

        snprintf(text, sizeof text, "in_port(p1), %s", cases[i].in);
        f = parse(text);
        p = flow_compose(&f, 0);
        assert_non_null(p);
        if (p->len != cases[i].len) {
            fail_msg("%s: %u bytes, not %u", cases[i].in, p->len, cases[i].len);
        }
        flow_key_extract(p, &k);
        flow_key_expand(&k, &back);
        assert_memory_equal(&f, &back, sizeof f);
        packet_free(p);

        flow_mask_init_minimal(&mask, &f);
        flow_mask_clip(&mask, &f);
        check_text(&f, &mask, false, HEAD, cases[i].brief);
        if (cases[i].verbose) {
            check_text(&f, &mask, true, MHEAD, cases[i].verbose);
        }
        /* All bits of all fields: the text that was parsed, more or less; and parses again. */
        memset(&mask, 0xff, sizeof mask);
        flow_mask_clip(&mask, &f);
        struct strbuf s = STRBUF_INIT;
        flow_format(&s, &f, &mask, &(struct flow_format_opts){0});
        if (ntohs(f.eth.type_be) != ETH_TYPE_NONE) { /* which only a mask can say */
            back = parse(strbuf_cstr(&s));
            assert_memory_equal(&f, &back, sizeof f);
        }
        strbuf_free(&s);
    }
}

static void
test_partial_masks(void **state)
{
    struct flow f = parse("in_port(1)," E V4("6,tos=0x10,ttl=64,frag=no),tcp(src=17,dst=80),"
                                             "tcp_flags(+syn-ack)"));
    struct flow m;

    flow_mask_init_minimal(&m, &f);
    m.ipv4.src_be = htonl(0xff000000);
    m.ip.proto = 0xff;
    m.l4.dst_be = 0xffff;
    m.l4.tcp_flags_be = htons(2);
    check_text(&f, &m, false, HEAD,
               "eth_type(0x0800),ipv4(src=10.0.0.1/255.0.0.0,proto=6,frag=no),tcp(dst=80),"
               "tcp_flags(+syn)");
    m.l4.src_be = htons(0xfff0);
    m.l4.tcp_flags_be = htons(0x12);
    m.ip.tos = 0xfc;
    m.eth.src.ea[0] = 1;
    check_text(&f, &m, false, HEAD,
               "eth(src=00:00:00:00:00:01/01:00:00:00:00:00),eth_type(0x0800),"
               "ipv4(src=10.0.0.1/255.0.0.0,proto=6,tos=0x10/0xfc,frag=no),"
               "tcp(src=17/0xfff0,dst=80),tcp_flags(+syn-ack)");
    f.l4.tcp_flags_be = m.l4.tcp_flags_be = htons(0xfff);
    check_text(&f, &m, false, HEAD,
               "eth(src=00:00:00:00:00:01/01:00:00:00:00:00),eth_type(0x0800),"
               "ipv4(src=10.0.0.1/255.0.0.0,proto=6,tos=0x10/0xfc,frag=no),"
               "tcp(src=17/0xfff0,dst=80),"
               "tcp_flags(fin|syn|rst|psh|ack|urg|ece|cwr|ns|[200]|[400]|[800])");

    f = parse("recirc_id(0x5),dp_hash(0x5),skb_priority(0x7),skb_mark(0x8),in_port(1)," E
              "eth_type(0x8100),vlan(vid=10,pcp=3),encap(eth_type(0x0800))");
    flow_mask_init_minimal(&m, &f);
    m.vlan.tag[0].tci_be = htons(0x10ff);
    m.meta.dp_hash = 0xff;
    m.meta.skb_priority = UINT32_MAX;
    m.meta.pkt_mark = 0xf;
    check_text(
        &f, &m, false, "",
        "skb_priority(0x7),skb_mark(0x8/0xf),recirc_id(0x5),dp_hash(0x5/0xff),in_port(1),"
        "packet_type(ns=0,id=0),eth_type(0x8100),vlan(vid=10/0xff,pcp=3/0x0),"
        "encap(eth_type(0x0800),ipv4(frag=no))");

    f = parse("in_port(1)," E "eth_type(0x8847),mpls(label=100,tc=3,ttl=64,bos=1)");
    flow_mask_init_minimal(&m, &f);
    m.mpls.lse_be[0] = UINT32_MAX;
    check_text(&f, &m, false, HEAD, "eth_type(0x8847),mpls(label=100,tc=3,ttl=64,bos=1)");
    m.mpls.lse_be[0] = htonl(0xffu << 12 | 1 << 9 | 1 << 8 | 0xff);
    check_text(&f, &m, false, HEAD,
               "eth_type(0x8847),mpls(label=100/0xff,tc=3/1,ttl=64/0xff,bos=1/1)");

    f = parse("in_port(1)," E V6("proto=58,tclass=0x3,hlimit=4),icmpv6(type=135,code=0),"
                                 "nd(target=fe80::2,sll=00:00:00:00:00:01)"));
    flow_mask_init_minimal(&m, &f);
    memset(&m.ipv6.src, 0xff, 2);
    m.ip.tos = 3;
    m.l4.src_be = UINT16_MAX;
    memset(&m.nd.target, 0xff, 16);
    check_text(&f, &m, false, HEAD,
               "eth_type(0x86dd),ipv6(src=fe80::1/ffff::,tclass=0x3/0x3,frag=no),"
               "icmpv6(type=135),nd(target=fe80::2)");
}

static void
test_lengths(void **state)
{
    struct flow f = parse(V4("17,ttl=64),udp(src=1,dst=2)")), n, a;
    struct flow_key k;
    struct packet *p = flow_compose(&f, 100);

    assert_int_equal(p->len, 100);
    assert_int_equal(p->l4_len, 66);
    packet_free(p);
    p = flow_compose(&f, 20); /* never cuts a header */
    assert_int_equal(p->len, 42);
    packet_free(p);
    assert_null(flow_compose(&f, 5000));
    assert_null(flow_compose(&f, 1000000));
    n = parse(V6("proto=58),icmpv6(type=136,code=0),nd(target=fe80::2,tll=00:00:00:00:00:01)"));
    p = flow_compose(&n, 128); /* padding is not an ND option */
    assert_int_equal(p->len, 128);
    assert_int_equal(p->l4_len, 32);
    flow_key_extract(p, &k);
    flow_key_expand(&k, &a);
    assert_true(flow_equal(&n, &a));
    packet_free(p);
    a = parse("eth_type(0x0806),arp(op=2)");
    p = flow_compose(&a, 60);
    assert_int_equal(p->len, 60);
    packet_free(p);
    /* IPv6 fragments have the header that says so. */
    n = parse(V6("proto=17,frag=first),udp(src=1,dst=2)"));
    p = flow_compose(&n, 0);
    flow_key_extract(p, &k);
    flow_key_expand(&k, &a);
    assert_true(flow_equal(&n, &a));
    packet_free(p);
    n = parse(V6("proto=17,frag=later)"));
    p = flow_compose(&n, 0);
    flow_key_extract(p, &k);
    flow_key_expand(&k, &a);
    assert_true(flow_equal(&n, &a));
    packet_free(p);
}

static void
test_errors(void **state)
{
    static const struct {
        const char *in, *error;
    } bad[] = {
        {"in_port(1),bogus(3)", "syntax error at bogus(3)"},
        {"eth(), ipv4(frag=foo)", "syntax error at ipv4(frag=foo)"},
        {"eth(),eth_type(0x0800", "syntax error at eth_type(0x0800"},
        {"eth_type(0x0800),ipv4(src=10.0.0.1/255.0.0.0)",
         "syntax error at ipv4(src=10.0.0.1/255.0.0.0)"},
        {"in_port(nope)", "syntax error at in_port(nope)"},
        {"eth())", "syntax error at )"},
        {"eth_type(0x10000)", "syntax error at eth_type(0x10000)"},
        {"vlan(vid=4096)", "syntax error at vlan(vid=4096)"},
        {"vlan(vid=1,cfi=0)", "syntax error at vlan(vid=1,cfi=0)"},
        {"vlan(vid=1),vlan(vid=2),vlan(vid=3)", "syntax error at vlan(vid=3)"},
        {"encap(encap(encap(eth())))", "syntax error at encap(eth())))"},
        {"mpls(label=1,label=2,label=3,label=4)",
         "syntax error at mpls(label=1,label=2,label=3,label=4)"},
        {"mpls(ttl=1)", "syntax error at mpls(ttl=1)"},
        {"tcp_flags(foo)", "syntax error at tcp_flags(foo)"},
        {"tcp_flags(|)", "syntax error at tcp_flags(|)"},
        {"arp(op=256)", "syntax error at arp(op=256)"},
        {"eth_type(0x0800),arp(op=1)",
         "arp() contradicts the types and protocols of its outer layers"},
        {"eth_type(0x0800),ipv4(proto=6),udp(src=1)",
         "udp() contradicts the types and protocols of its outer layers"},
    };

    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        struct flow f;
        char *error = NULL;

        assert_int_equal(flow_parse(bad[i].in, &f, port_no, NULL, &error), EINVAL);
        assert_string_equal(error, bad[i].error);
        free(error);
        assert_int_equal(flow_parse(bad[i].in, &f, NULL, NULL, NULL), EINVAL);
    }
}

static void
test_implied(void **state)
{
    struct flow f = parse(" in_port ( 5 ) , tcp ( src = 1 , dst = 2 ) , ipv4 ( ttl = 3 ) ");

    assert_int_equal(f.meta.in_port, 5);
    assert_int_equal(ntohs(f.eth.type_be), 0x800);
    assert_int_equal(f.ip.proto, 6);
    assert_int_equal(ntohs(f.l4.dst_be), 2);
    f = parse("tcp_flags(syn|ack|0x200),ipv6(src=::1),ct_state(0x21/0xff),ct_label(0x1)");
    assert_int_equal(ntohs(f.l4.tcp_flags_be), 0x212);
    assert_int_equal(ntohs(f.eth.type_be), 0x86dd);
    f = parse("");
    assert_int_equal(f.sections, FS_BIT(FS_META) | FS_BIT(FS_ETH));
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_cases),   cmocka_unit_test(test_partial_masks),
        cmocka_unit_test(test_lengths), cmocka_unit_test(test_errors),
        cmocka_unit_test(test_implied),
    };

    thread_adopt("");
    arena_set_plan(512);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
