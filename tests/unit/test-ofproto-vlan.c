/* SPDX-License-Identifier: Apache-2.0 */
/* VLAN modes of the NORMAL action: actions and masks.  The actions expected were taken down
 * from Open vSwitch 3.1.0 (ofproto/trace) with ports of the same configuration. */

#include "ofproto-harness.h"

#include <arpa/inet.h>

#include "packet/headers.h"

/* The ports that the cases below are about; br0 floods in the order in which they come. */
static void
make_vlan_ports(struct ofproto *o)
{
    static const BITMAP_DECLARE(t10_12, 4096) = {1 << 10 | 1 << 12};
    static const BITMAP_DECLARE(t12, 4096) = {1 << 12};

    add_port(o, "p3", 3, VLAN_MODE_ACCESS, 10, NULL, PRIORITY_TAGS_NEVER);
    add_plain(o, "p1", 1);
    add_port(o, "p2", 2, VLAN_MODE_TRUNK, 0, t10_12, PRIORITY_TAGS_NEVER);
    add_port(o, "p4", 4, VLAN_MODE_ACCESS, 10, NULL, PRIORITY_TAGS_NEVER);
    add_port(o, "p5", 5, VLAN_MODE_NATIVE_TAGGED, 10, NULL, PRIORITY_TAGS_NEVER);
    add_port(o, "p8", 8, VLAN_MODE_ACCESS, 10, NULL, PRIORITY_TAGS_IF_NONZERO);
    add_local(o);
    ofproto_settle();
    add_port(o, "p10", 10, VLAN_MODE_DOT1Q_TUNNEL, 12, NULL, PRIORITY_TAGS_NEVER);
    add_port(o, "p7", 7, VLAN_MODE_NATIVE_UNTAGGED, 12, t12, PRIORITY_TAGS_ALWAYS);
    add_port(o, "p6", 6, VLAN_MODE_NATIVE_UNTAGGED, 10, NULL, PRIORITY_TAGS_NEVER);
    ofproto_settle();
}

static const struct {
    unsigned in_port;
    int vid, pcp; /* vid -1: untagged */
    const char *actions;
} vlan_cases[] = {
    {1, -1, 0, "100"},
    {1, 0, 0, "pop_vlan,100"},
    {1, 0, 5, "100"},
    {1, 10, 0,
     "100,pop_vlan,3,push_vlan(vid=10,pcp=0),2,pop_vlan,4,push_vlan(vid=10,pcp=0),5,pop_vlan,8,"
     "6"},
    {1, 10, 3,
     "100,pop_vlan,3,push_vlan(vid=10,pcp=3),2,pop_vlan,4,push_vlan(vid=10,pcp=3),5,pop_vlan,"
     "push_vlan(vid=0,pcp=3),8,pop_vlan,6"},
    {1, 11, 0, "100,5,6"},
    {1, 12, 1,
     "100,2,5,pop_vlan,10,push_vlan(vid=0,pcp=1),7,pop_vlan,push_vlan(vid=12,pcp=1),6"},
    {2, -1, 0, "drop"},
    {2, 0, 0, "drop"},
    {2, 0, 5, "drop"},
    {2, 10, 0,
     "100,pop_vlan,3,push_vlan(vid=10,pcp=0),1,pop_vlan,4,push_vlan(vid=10,pcp=0),5,pop_vlan,8,"
     "6"},
    {2, 10, 3,
     "100,pop_vlan,3,push_vlan(vid=10,pcp=3),1,pop_vlan,4,push_vlan(vid=10,pcp=3),5,pop_vlan,"
     "push_vlan(vid=0,pcp=3),8,pop_vlan,6"},
    {2, 11, 0, "drop"},
    {2, 12, 1,
     "100,1,5,pop_vlan,10,push_vlan(vid=0,pcp=1),7,pop_vlan,push_vlan(vid=12,pcp=1),6"},
    {3, -1, 0,
     "push_vlan(vid=10,pcp=0),100,1,2,pop_vlan,4,push_vlan(vid=10,pcp=0),5,pop_vlan,8,6"},
    {3, 0, 0,
     "pop_vlan,push_vlan(vid=10,pcp=0),100,1,2,pop_vlan,4,push_vlan(vid=10,pcp=0),5,pop_vlan,8,"
     "6"},
    {3, 0, 5,
     "pop_vlan,push_vlan(vid=10,pcp=5),100,1,2,pop_vlan,4,push_vlan(vid=10,pcp=5),5,pop_vlan,"
     "push_vlan(vid=0,pcp=5),8,pop_vlan,6"},
    {3, 10, 0, "drop"},
    {3, 10, 3, "drop"},
    {3, 11, 0, "drop"},
    {3, 12, 1, "drop"},
    {4, -1, 0,
     "push_vlan(vid=10,pcp=0),100,pop_vlan,3,push_vlan(vid=10,pcp=0),1,2,5,pop_vlan,8,6"},
    {4, 0, 0,
     "pop_vlan,push_vlan(vid=10,pcp=0),100,pop_vlan,3,push_vlan(vid=10,pcp=0),1,2,5,pop_vlan,8,"
     "6"},
    {4, 0, 5,
     "pop_vlan,push_vlan(vid=10,pcp=5),100,pop_vlan,3,push_vlan(vid=10,pcp=5),1,2,5,pop_vlan,"
     "push_vlan(vid=0,pcp=5),8,pop_vlan,6"},
    {4, 10, 0, "drop"},
    {4, 10, 3, "drop"},
    {4, 11, 0, "drop"},
    {4, 12, 1, "drop"},
    {5, -1, 0,
     "push_vlan(vid=10,pcp=0),100,pop_vlan,3,push_vlan(vid=10,pcp=0),1,2,pop_vlan,4,8,6"},
    {5, 0, 0,
     "pop_vlan,push_vlan(vid=10,pcp=0),100,pop_vlan,3,push_vlan(vid=10,pcp=0),1,2,pop_vlan,4,8,"
     "6"},
    {5, 0, 5,
     "pop_vlan,push_vlan(vid=10,pcp=5),100,pop_vlan,3,push_vlan(vid=10,pcp=5),1,2,pop_vlan,4,"
     "push_vlan(vid=0,pcp=5),8,pop_vlan,6"},
    {5, 10, 0, "100,pop_vlan,3,push_vlan(vid=10,pcp=0),1,2,pop_vlan,4,8,6"},
    {5, 10, 3,
     "100,pop_vlan,3,push_vlan(vid=10,pcp=3),1,2,pop_vlan,4,push_vlan(vid=0,pcp=3),8,pop_vlan,"
     "6"},
    {5, 11, 0, "100,1,6"},
    {5, 12, 1,
     "100,1,2,pop_vlan,10,push_vlan(vid=0,pcp=1),7,pop_vlan,push_vlan(vid=12,pcp=1),6"},
    {6, -1, 0,
     "push_vlan(vid=10,pcp=0),100,pop_vlan,3,push_vlan(vid=10,pcp=0),1,2,pop_vlan,4,push_vlan("
     "vid=10,pcp=0),5,pop_vlan,8"},
    {6, 0, 0,
     "pop_vlan,push_vlan(vid=10,pcp=0),100,pop_vlan,3,push_vlan(vid=10,pcp=0),1,2,pop_vlan,4,"
     "push_vlan(vid=10,pcp=0),5,pop_vlan,8"},
    {6, 0, 5,
     "pop_vlan,push_vlan(vid=10,pcp=5),100,pop_vlan,3,push_vlan(vid=10,pcp=5),1,2,pop_vlan,4,"
     "push_vlan(vid=10,pcp=5),5,pop_vlan,push_vlan(vid=0,pcp=5),8"},
    {6, 10, 0,
     "100,pop_vlan,3,push_vlan(vid=10,pcp=0),1,2,pop_vlan,4,push_vlan(vid=10,pcp=0),5,pop_vlan,"
     "8"},
    {6, 10, 3,
     "100,pop_vlan,3,push_vlan(vid=10,pcp=3),1,2,pop_vlan,4,push_vlan(vid=10,pcp=3),5,pop_vlan,"
     "push_vlan(vid=0,pcp=3),8"},
    {6, 11, 0, "100,1,5"},
    {6, 12, 1, "100,1,2,5,pop_vlan,10,push_vlan(vid=0,pcp=1),7"},
    {7, -1, 0, "push_vlan(vid=12,pcp=0),100,1,2,5,pop_vlan,10,push_vlan(vid=12,pcp=0),6"},
    {7, 0, 0,
     "pop_vlan,push_vlan(vid=12,pcp=0),100,1,2,5,pop_vlan,10,push_vlan(vid=12,pcp=0),6"},
    {7, 0, 5,
     "pop_vlan,push_vlan(vid=12,pcp=5),100,1,2,5,pop_vlan,10,push_vlan(vid=12,pcp=5),6"},
    {7, 10, 0, "drop"},
    {7, 10, 3, "drop"},
    {7, 11, 0, "drop"},
    {7, 12, 1, "100,1,2,5,pop_vlan,10,push_vlan(vid=12,pcp=1),6"},
    {8, -1, 0,
     "push_vlan(vid=10,pcp=0),100,pop_vlan,3,push_vlan(vid=10,pcp=0),1,2,pop_vlan,4,push_vlan("
     "vid=10,pcp=0),5,pop_vlan,6"},
    {8, 0, 0,
     "pop_vlan,push_vlan(vid=10,pcp=0),100,pop_vlan,3,push_vlan(vid=10,pcp=0),1,2,pop_vlan,4,"
     "push_vlan(vid=10,pcp=0),5,pop_vlan,6"},
    {8, 0, 5,
     "pop_vlan,push_vlan(vid=10,pcp=5),100,pop_vlan,3,push_vlan(vid=10,pcp=5),1,2,pop_vlan,4,"
     "push_vlan(vid=10,pcp=5),5,pop_vlan,6"},
    {8, 10, 0, "drop"},
    {8, 10, 3, "drop"},
    {8, 11, 0, "drop"},
    {8, 12, 1, "drop"},
    {10, -1, 0, "push_vlan(vid=12,pcp=0),100,1,2,5,pop_vlan,7,push_vlan(vid=12,pcp=0),6"},
    {10, 0, 0,
     "pop_vlan,push_vlan(vid=12,pcp=0),100,1,2,5,pop_vlan,push_vlan(vid=0,pcp=0),7,pop_vlan,"
     "push_vlan(vid=12,pcp=0),6"},
    {10, 0, 5, "push_vlan(vid=12,pcp=0),100,1,2,5,pop_vlan,7,push_vlan(vid=12,pcp=0),6"},
    {10, 10, 0, "push_vlan(vid=12,pcp=0),100,1,2,5,pop_vlan,7,push_vlan(vid=12,pcp=0),6"},
    {10, 10, 3, "push_vlan(vid=12,pcp=0),100,1,2,5,pop_vlan,7,push_vlan(vid=12,pcp=0),6"},
    {10, 11, 0, "push_vlan(vid=12,pcp=0),100,1,2,5,pop_vlan,7,push_vlan(vid=12,pcp=0),6"},
    {10, 12, 1, "push_vlan(vid=12,pcp=0),100,1,2,5,pop_vlan,7,push_vlan(vid=12,pcp=0),6"},
};

static void
test_vlan_modes(void **state)
{
    make_vlan_ports(*state);
    for (size_t i = 0; i < ARRAY_SIZE(vlan_cases); i++) {
        const char *text = flow_text(vlan_cases[i].in_port, "50:54:00:00:00:05", BCAST,
                                     vlan_cases[i].vid, vlan_cases[i].pcp);
        const char *got = xlate(text, false, NULL);

        if (strcmp(got, vlan_cases[i].actions)) {
            fail_msg("in_port %u vid %d pcp %d\n got  %s\n want %s", vlan_cases[i].in_port,
                     vlan_cases[i].vid, vlan_cases[i].pcp, got, vlan_cases[i].actions);
        }
    }
}

/* Whatever the VLAN modes, an answer must be right for every packet that its mask covers. */
static void
test_vlan_masks(void **state)
{
    make_vlan_ports(*state);
    for (size_t i = 0; i < ARRAY_SIZE(vlan_cases); i++) {
        struct flow a, b, mask;
        char *err = NULL, *answer, text[512];

        snprintf(text, sizeof text, "%s",
                 flow_text(vlan_cases[i].in_port, MAC1, BCAST, vlan_cases[i].vid,
                           vlan_cases[i].pcp));
        answer = xstrdup(xlate(text, false, &mask));
        assert_int_equal(flow_parse(text, &a, NULL, NULL, &err), 0);
        for (int vid = -1; vid < 14; vid++) {
            for (int pcp = 0; pcp < 8; pcp++) {
                snprintf(text, sizeof text, "%s",
                         flow_text(vlan_cases[i].in_port, MAC1, BCAST, vid, pcp));
                assert_int_equal(flow_parse(text, &b, NULL, NULL, &err), 0);
                for (size_t w = 0; w < FLOW_WORDS; w++) {
                    ((flow_word *) &a)[w] &= ((const flow_word *) &mask)[w];
                }
                if (flow_matches(&b, &a, &mask) && strcmp(xlate(text, false, NULL), answer)) {
                    fail_msg("case %zu: vid %d pcp %d: %s", i, vid, pcp, actions_text);
                }
            }
        }
        free(answer);
    }
}

static void
test_masks(void **state)
{
    make_vlan_ports(*state);
    assert_mask(flow_text(1, MAC1, MAC2, -1, 0),
                "recirc_id(0),in_port(1),packet_type(ns=0,id=0),eth(src=" MAC1 ",dst=" MAC2
                "),eth_type(0x0800),ipv4(frag=no)");
    /* Passed on as it is: the priority does not matter. */
    assert_mask(
        flow_text(1, MAC1, MAC2, 11, 3),
        "recirc_id(0),in_port(1),packet_type(ns=0,id=0),eth(src=" MAC1 ",dst=" MAC2
        "),eth_type(0x8100),vlan(vid=11,pcp=3/0x0),encap(eth_type(0x0800),ipv4(frag=no))");
    /* Re-tagged: it does. */
    assert_mask(flow_text(1, MAC1, MAC2, 10, 3),
                "recirc_id(0),in_port(1),packet_type(ns=0,id=0),eth(src=" MAC1 ",dst=" MAC2
                "),eth_type(0x8100),vlan(vid=10,pcp=3),encap(eth_type(0x0800),ipv4(frag=no))");
}

static void
test_double_tags(void **state)
{
    struct ofproto *o = *state;
    static const BITMAP_DECLARE(t0_5, 4096) = {1 | 1 << 5};
    struct ofproto_bundle_settings tunnel = {
        .name = "p2",
        .n_ofports = 1,
        .vlan_mode = VLAN_MODE_DOT1Q_TUNNEL,
        .tag = 5,
        .qinq_8021ad = true,
    };
    uint16_t p2;
    static const char *tail = "eth_type(0x8100),vlan(vid=6,pcp=3),encap(" IPV4 "))";
    char text[512];

    add_local(o);
    ofproto_settle();
    add_plain(o, "p1", 1);
    p2 = add_port(o, "p2", 2, VLAN_MODE_ACCESS, 5, NULL, PRIORITY_TAGS_NEVER);
    add_plain(o, "p3", 3);
    add_port(o, "p5", 5, VLAN_MODE_TRUNK, 0, t0_5, PRIORITY_TAGS_NEVER);
    ofproto_settle();

    snprintf(text, sizeof text,
             "in_port(5),eth(src=" MAC1 ",dst=" BCAST
             "),eth_type(0x8100),vlan(vid=5,pcp=2),encap(%s",
             tail);
    assert_string_equal(xlate(text, false, NULL), "100,1,pop_vlan,2,push_vlan(vid=5,pcp=2),3");
    snprintf(text, sizeof text,
             "in_port(1),eth(src=" MAC1 ",dst=" BCAST
             "),eth_type(0x88a8),vlan(vid=5,pcp=2),encap(" IPV4 ")");
    assert_string_equal(xlate(text, false, NULL),
                        "100,pop_vlan,2,push_vlan(tpid=0x88a8,vid=5,pcp=2),3,5");

    tunnel.ofports = &p2;
    ofproto_bundle_set(o, &tunnel);
    ofproto_settle();
    snprintf(text, sizeof text,
             "in_port(2),eth(src=" MAC1 ",dst=" BCAST
             "),eth_type(0x8100),vlan(vid=5,pcp=2),encap(%s",
             tail);
    assert_string_equal(xlate(text, false, NULL),
                        "push_vlan(tpid=0x88a8,vid=5,pcp=0),100,1,3,5");
    snprintf(text, sizeof text,
             "in_port(2),eth(src=" MAC1 ",dst=" BCAST "),"
             "eth_type(0x88a8),vlan(vid=5,pcp=2),encap(" IPV4 ")");
    assert_string_equal(xlate(text, false, NULL),
                        "push_vlan(tpid=0x88a8,vid=5,pcp=0),100,1,3,5");
}

/* A tunnel that takes customer VLANs 0 and 7 only. */
static void
test_cvlans(void **state)
{
    struct ofproto *o = *state;
    static const BITMAP_DECLARE(c0_7, 4096) = {1 | 1 << 7};
    static const BITMAP_DECLARE(c7, 4096) = {1 << 7};
    struct ofproto_bundle_settings tunnel = {
        .name = "p2",
        .n_ofports = 1,
        .vlan_mode = VLAN_MODE_DOT1Q_TUNNEL,
        .tag = 5,
        .cvlans = c0_7,
    };
    static const char *outer =
        "in_port(1),eth(src=" MAC1 ",dst=" BCAST "),eth_type(0x8100),vlan(vid=5,pcp=0),encap(";
    char text[512];
    struct flow mask;
    uint16_t p2;

    add_local(o);
    ofproto_settle();
    add_plain(o, "p1", 1);
    p2 = add_port(o, "p2", 2, VLAN_MODE_ACCESS, 5, NULL, PRIORITY_TAGS_NEVER);
    tunnel.ofports = &p2;
    ofproto_bundle_set(o, &tunnel);
    ofproto_settle();

    assert_string_equal(xlate(flow_text(2, MAC1, BCAST, -1, 0), false, NULL),
                        "push_vlan(vid=5,pcp=0),100,1");
    assert_string_equal(xlate(flow_text(2, MAC1, BCAST, 7, 0), false, NULL),
                        "push_vlan(vid=5,pcp=0),100,1");
    assert_string_equal(xlate(flow_text(2, MAC1, BCAST, 8, 0), false, NULL), "drop");
    snprintf(text, sizeof text, "%seth_type(0x8100),vlan(vid=7,pcp=0),encap(" IPV4 "))", outer);
    assert_string_equal(xlate(text, false, NULL), "100,pop_vlan,2");
    snprintf(text, sizeof text, "%seth_type(0x8100),vlan(vid=8,pcp=0),encap(" IPV4 "))", outer);
    assert_string_equal(xlate(text, false, NULL), "100");
    snprintf(text, sizeof text, "%s" IPV4 ")", outer);
    assert_string_equal(xlate(text, false, &mask), "100,pop_vlan,2");
    /* That there is no second tag was what mattered. */
    assert_true(mask.vlan.tag[1].tci_be & htons(VLAN_CFI));

    tunnel.cvlans = c7;
    ofproto_bundle_set(o, &tunnel);
    ofproto_settle();
    assert_string_equal(xlate(text, false, NULL), "100");
    assert_string_equal(xlate(flow_text(2, MAC1, BCAST, -1, 0), false, NULL), "drop");
}

/* Broadcast ARP is told apart by operation and, for requests, by addresses. */
static void
test_arp_masks(void **state)
{
    static const char *head = "in_port(1),eth(src=" MAC1 ",dst=%s),eth_type(0x0806),"
                              "arp(sip=10.0.0.1,tip=10.0.0.2,op=%d,sha=" MAC1 ",tha=" MAC2 ")";
    char text[512];
    struct flow mask;

    make_vlan_ports(*state);
    snprintf(text, sizeof text, head, BCAST, 1);
    xlate(text, false, &mask);
    assert_int_equal(mask.arp.spa_be, UINT32_MAX);
    assert_int_equal(mask.arp.tpa_be, UINT32_MAX);
    assert_int_equal(mask.arp.op, UINT16_MAX);
    assert_true(eth_addr_is_zero(mask.arp.sha));
    snprintf(text, sizeof text, head, BCAST, 2);
    xlate(text, false, &mask);
    assert_int_equal(mask.arp.spa_be, 0);
    assert_int_equal(mask.arp.op, UINT16_MAX);
    snprintf(text, sizeof text, head, MAC2, 1);
    xlate(text, false, &mask);
    assert_int_equal(mask.arp.op, 0);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        T(test_vlan_modes),  T(test_vlan_masks), T(test_masks),
        T(test_double_tags), T(test_cvlans),     T(test_arp_masks),
    };

    return run_bridge_tests(tests, ARRAY_SIZE(tests));
}
