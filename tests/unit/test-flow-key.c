/* SPDX-License-Identifier: Apache-2.0 */
/* Extraction from whole, truncated and damaged packets; keys and flows; masks. */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>
#include <arpa/inet.h>

#include "flow/flow-simple.h"
#include "packet-samples.h"

static uint16_t
ofs(uint16_t v)
{
    return v ? v : PACKET_OFS_NONE;
}

static void
check_consistent(const struct packet *p, const struct flow_key *k)
{
    struct flow_key back;
    struct flow flow;
    unsigned n = 0;

    for (unsigned s = 0; s < FS_N; s++) {
        n += k->sections & FS_BIT(s) ? flow_section_words[s] : 0;
    }
    assert_int_equal(n, k->n_words);
    assert_false(k->sections & FS_BIT(FS_REGS));
    assert_true(k->sections & FS_BIT(FS_META));
    assert_int_equal(p->l4_ofs != PACKET_OFS_NONE, !!(k->sections & FS_BIT(FS_L4)));
    assert_int_equal(p->l3_ofs != PACKET_OFS_NONE,
                     !!(k->sections & (FS_BIT(FS_IP) | FS_BIT(FS_ARP))));
    if (p->l4_ofs != PACKET_OFS_NONE) {
        assert_true(p->l3_ofs < p->l4_ofs && p->l4_ofs + p->l4_len <= p->len);
    }
    flow_key_expand(k, &flow);
    flow_key_from_flow(&flow, &back);
    assert_true(flow_key_equal(k, &back));
}

/* What flow_simple_parse() says of a packet whose key is `k`. */
static bool
check_simple(struct packet *p, const struct flow_key *k)
{
    struct packet q = *p; /* the data stays where it is */
    struct flow flow;
    uint16_t tcp_flags = 0;
    bool yes;

    p->l2_5_ofs = p->l3_ofs = p->l4_ofs = p->l4_len = 1; /* what it must set */
    yes = flow_simple_parse(p, &tcp_flags);
    flow_key_expand(k, &flow);
    if (yes) {
        assert_int_equal(k->sections, FLOW_SIMPLE_SECTIONS);
        assert_int_equal(flow.eth.type_be, htons(ETH_TYPE_IPV4));
        assert_int_equal(flow.ip.frag, 0);
        assert_int_equal(ntohs(flow.l4.tcp_flags_be), tcp_flags);
        assert_int_equal(p->l2_5_ofs, q.l2_5_ofs);
        assert_int_equal(p->l3_ofs, q.l3_ofs);
        assert_int_equal(p->l4_ofs, q.l4_ofs);
        assert_int_equal(p->l4_len, q.l4_len);
    } else {
        /* Left out of it: 802.2, IP options, other protocols. */
        assert_true(k->sections != FLOW_SIMPLE_SECTIONS || flow.ip.frag || q.l3_ofs != 14 ||
                    q.l4_ofs != 34 ||
                    (flow.ip.proto != IP_PROTO_TCP && flow.ip.proto != IP_PROTO_UDP));
    }
    return yes;
}

static void
test_simple(void **state)
{
    static const char *const simple[] = {"tcp4", "tcp4 padded", "udp4"};
    unsigned n_simple = 0;

    for (size_t i = 0; i < N_SAMPLES; i++) {
        uint8_t b[256];
        uint16_t n = sample_bytes(&samples[i], b, sizeof b);
        bool want = false;

        for (unsigned j = 0; j < ARRAY_SIZE(simple); j++) {
            want |= !strcmp(samples[i].name, simple[j]);
        }
        for (uint16_t len = 0; len <= n; len++) { /* whole, and truncated */
            struct packet *p = guarded_packet(b, len);
            struct flow_key k;
            bool yes;

            flow_key_extract(p, &k);
            yes = check_simple(p, &k);
            if (len == n && yes != want) {
                fail_msg("%s: simple is %d", samples[i].name, yes);
            }
            n_simple += yes;
        }
    }
    assert_true(n_simple >= ARRAY_SIZE(simple));
}

static const struct sample *
extract(const char *name, struct flow *flow)
{
    for (size_t i = 0; i < N_SAMPLES; i++) {
        if (!strcmp(samples[i].name, name)) {
            uint8_t b[256];
            uint16_t n = sample_bytes(&samples[i], b, sizeof b);
            struct flow_key k;

            flow_key_extract(guarded_packet(b, n), &k);
            flow_key_expand(&k, flow);
            return &samples[i];
        }
    }
    fail_msg("no sample %s", name);
    return NULL;
}

static void
test_samples(void **state)
{
    for (size_t i = 0; i < N_SAMPLES; i++) {
        const struct sample *s = &samples[i];
        struct flow_key k;
        struct flow flow;
        struct packet *p;
        uint8_t b[256];
        uint16_t n = sample_bytes(s, b, sizeof b);

        assert_true(n > 0);
        p = guarded_packet(b, n);
        p->in_port = 7;
        p->recirc_id = 8;
        p->pkt_mark = 9;
        flow_key_extract(p, &k);
        if (k.sections != s->sections) {
            fail_msg("%s: sections %x, not %x", s->name, k.sections, s->sections);
        }
        flow_key_expand(&k, &flow);
        assert_int_equal(ntohs(flow.eth.type_be), s->type);
        assert_int_equal(flow.meta.in_port, 7);
        flow_key_extract_received(p, 70, &k);
        assert_int_equal(p->in_port, 70);
        flow_key_expand(&k, &flow);
        assert_int_equal(flow.meta.in_port, 70);
        assert_int_equal(flow.meta.recirc_id, 8);
        assert_int_equal(flow.meta.pkt_mark, 9);
        if (p->l2_5_ofs != ofs(s->l2_5) || p->l3_ofs != ofs(s->l3) || p->l4_ofs != ofs(s->l4) ||
            p->l4_len != s->l4_len) {
            fail_msg("%s: offsets %d %d %d, length %d", s->name, p->l2_5_ofs, p->l3_ofs,
                     p->l4_ofs, p->l4_len);
        }
        check_consistent(p, &k);
    }
}

static void
test_fields(void **state)
{
    struct flow f;

    extract("tcp4", &f);
    assert_int_equal(f.eth.dst.ea[5], 2);
    assert_int_equal(f.eth.src.ea[5], 1);
    assert_int_equal(ntohl(f.ipv4.src_be), 0x0a000001);
    assert_int_equal(ntohl(f.ipv4.dst_be), 0x0a000002);
    assert_int_equal(f.ip.proto, 6);
    assert_int_equal(f.ip.ttl, 64);
    assert_int_equal(f.ip.frag, 0);
    assert_int_equal(ntohs(f.l4.src_be), 80);
    assert_int_equal(ntohs(f.l4.dst_be), 81);
    assert_int_equal(ntohs(f.l4.tcp_flags_be), 0x012);

    extract("icmp4", &f);
    assert_int_equal(ntohs(f.l4.src_be), 8);
    assert_int_equal(ntohs(f.l4.dst_be), 3);
    extract("udp4 first fragment", &f);
    assert_int_equal(f.ip.frag, FLOW_FRAG_ANY);
    extract("udp4 later fragment", &f);
    assert_int_equal(f.ip.frag, FLOW_FRAG_ANY | FLOW_FRAG_LATER);
    extract("qinq", &f);
    assert_int_equal(ntohs(f.vlan.tag[0].tpid_be), 0x88a8);
    assert_int_equal(ntohs(f.vlan.tag[0].tci_be), 0x700a);
    assert_int_equal(ntohs(f.vlan.tag[1].tpid_be), 0x8100);
    assert_int_equal(ntohs(f.vlan.tag[1].tci_be), 0x1014);
    assert_true(flow_key_set_vlan_limit(1));
    assert_false(flow_key_set_vlan_limit(1));
    extract("qinq", &f);
    assert_int_equal(ntohs(f.vlan.tag[0].tci_be), 0x700a);
    assert_int_equal(ntohs(f.vlan.tag[1].tci_be), 0);
    assert_int_equal(ntohs(f.eth.type_be), 0x8100);
    assert_int_equal(f.sections, FS_BIT(FS_META) | FS_BIT(FS_ETH) | FS_BIT(FS_VLAN));
    assert_true(flow_key_set_vlan_limit(0));
    assert_int_equal(flow_key_vlan_limit(), FLOW_MAX_VLANS);
    assert_false(flow_key_set_vlan_limit(77));
    extract("qinq", &f);
    assert_int_equal(ntohs(f.vlan.tag[1].tci_be), 0x1014);
    extract("arp", &f);
    assert_int_equal(f.arp.op, 1);
    assert_int_equal(ntohl(f.arp.spa_be), 0x0a000001);
    assert_int_equal(ntohl(f.arp.tpa_be), 0x0a000002);
    assert_int_equal(f.arp.sha.ea[5], 0x0a);
    extract("mpls, four deep", &f);
    assert_int_equal(ntohl(f.mpls.lse_be[0]) >> 12, 0x64);
    assert_int_equal(ntohl(f.mpls.lse_be[2]) >> 12, 0x80);

    extract("tcp6", &f);
    assert_int_equal(ntohl(f.ip.ipv6_label_be), 0x12345);
    assert_int_equal(f.ip.tos, 3);
    assert_int_equal(f.ip.ttl, 64);
    assert_int_equal(f.ipv6.dst.s6_addr[15], 2);
    extract("udp6 behind hop-by-hop, routing, destination options", &f);
    assert_int_equal(f.ip.proto, 17);
    assert_int_equal(ntohs(f.l4.dst_be), 54);
    extract("udp6 first fragment", &f);
    assert_int_equal(f.ip.frag, FLOW_FRAG_ANY);
    extract("udp6 later fragment", &f);
    assert_int_equal(f.ip.frag, FLOW_FRAG_ANY | FLOW_FRAG_LATER);
    assert_int_equal(f.ip.proto, 17);
    extract("udp6 atomic fragment", &f);
    assert_int_equal(f.ip.frag, 0);
    extract("ipv6 extension longer than the packet", &f);
    assert_int_equal(f.ip.proto, 0);
    extract("neighbour solicitation", &f);
    assert_int_equal(f.nd.target.s6_addr[15], 9);
    assert_int_equal(f.nd.sll.ea[0], 2);
    assert_true(eth_addr_is_zero(f.nd.tll));
}

/* A packet that is cut must not look like the whole one. */
static void
test_truncated(void **state)
{
    for (size_t i = 0; i < N_SAMPLES; i++) {
        struct flow_key whole, cut;
        uint8_t b[256];
        uint16_t n = sample_bytes(&samples[i], b, sizeof b);
        uint16_t need = samples[i].need ? samples[i].need : n;

        flow_key_extract(guarded_packet(b, n), &whole);
        for (uint16_t len = 0; len < n; len++) {
            struct packet *p = guarded_packet(b, len);

            flow_key_extract(p, &cut);
            check_consistent(p, &cut);
            assert_int_equal(cut.sections & ~whole.sections, 0);
            if ((len >= need) != flow_key_equal(&whole, &cut)) {
                fail_msg("%s cut to %u bytes", samples[i].name, len);
            }
            if (len < ETH_HDR_LEN) {
                assert_int_equal(cut.sections, FS_BIT(FS_META));
            }
        }
    }
}

static void
test_mutated(void **state)
{
    for (int round = 0; round < 60000; round++) {
        const struct sample *s = &samples[test_random() % N_SAMPLES];
        struct flow_key k;
        struct packet *p;
        uint8_t b[256];
        uint16_t n = sample_bytes(s, b, sizeof b);

        for (unsigned m = test_random() % 6; m > 0; m--) {
            b[12 + test_random() % (n - 12u)] = (uint8_t) test_random();
        }
        p = guarded_packet(b, (uint16_t) (test_random() % 4 ? n : test_random() % (n + 1u)));
        flow_key_extract(p, &k);
        check_consistent(p, &k);
        check_simple(p, &k);
    }
}

static void
test_masks(void **state)
{
    struct flow f, other, mask;

    extract("tcp4", &f);
    extract("tcp4", &other);
    flow_mask_init_minimal(&mask, &f);
    other.l4.dst_be = 0;
    other.ipv4.src_be = 1;
    other.eth.src.ea[0] = 2;
    assert_true(flow_matches(&other, &f, &mask));
    other.ip.frag = FLOW_FRAG_ANY;
    assert_false(flow_matches(&other, &f, &mask));
    other.ip.frag = 0;
    /* A tag is looked at even where nothing about it is. */
    other.sections |= FS_BIT(FS_VLAN);
    assert_false(flow_matches(&other, &f, &mask));
    other.sections &= ~(uint64_t) FS_BIT(FS_VLAN);
    /* The transport is not, until a field of it is: then its absence is not port 0. */
    other.sections &= ~(uint64_t) FS_BIT(FS_L4);
    assert_true(flow_matches(&other, &f, &mask));
    mask.l4.src_be = UINT16_MAX;
    f.l4.src_be = other.l4.src_be = 0;
    flow_mask_clip(&mask, &f);
    assert_int_equal(mask.l4.src_be, UINT16_MAX);
    assert_false(flow_matches(&other, &f, &mask));

    /* A field of a section that is lacking leaves just the presence bit. */
    mask.nd.sll.ea[0] = 0xff;
    mask.regs.reg[3] = 5;
    flow_mask_clip(&mask, &f);
    assert_true(eth_addr_is_zero(mask.nd.sll));
    assert_int_equal(mask.regs.reg[3], 0);
    assert_true(mask.sections & FS_BIT(FS_ND));
    assert_false(mask.sections & FS_BIT(FS_REGS));
}

static void
test_hash(void **state)
{
    struct flow a, b;

    extract("tcp4", &a);
    b = a;
    b.l4.tcp_flags_be = 0;
    b.ip.ttl = 1;
    assert_int_equal(flow_hash_5tuple(&a, 0), flow_hash_5tuple(&b, 0));
    assert_int_not_equal(flow_hash_5tuple(&a, 0), flow_hash_5tuple(&a, 1));
    b.l4.src_be = 0;
    assert_int_not_equal(flow_hash_5tuple(&a, 0), flow_hash_5tuple(&b, 0));
    a.ip.frag = b.ip.frag = FLOW_FRAG_ANY;
    assert_int_equal(flow_hash_5tuple(&a, 0), flow_hash_5tuple(&b, 0));
}

/* Every word counts, however many there are; none behind them does. */
static void
test_equality(void **state)
{
    for (uint16_t n = 0; n <= FLOW_KEY_MAX_WORDS; n++) {
        struct flow_key a = {.hash = 1, .sections = 3, .n_words = n}, b;

        for (unsigned i = 0; i < FLOW_KEY_MAX_WORDS; i++) {
            a.w[i] = i;
        }
        for (unsigned i = 0; i < FLOW_KEY_MAX_WORDS; i++) {
            b = a;
            b.w[i] ^= UINT64_C(1) << test_random() % 64;
            assert_int_equal(flow_key_equal(&a, &b), i >= n);
        }
        b = a;
        b.hash = 2;
        assert_false(flow_key_equal(&a, &b));
        b = a;
        b.sections = 2;
        assert_false(flow_key_equal(&a, &b));
    }
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_equality),  cmocka_unit_test(test_simple),
        cmocka_unit_test(test_samples),   cmocka_unit_test(test_fields),
        cmocka_unit_test(test_truncated), cmocka_unit_test(test_mutated),
        cmocka_unit_test(test_masks),     cmocka_unit_test(test_hash),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
