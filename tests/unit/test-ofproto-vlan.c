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
    int vid, pcp; /* vid -1: untagged */
} vlan_packets[] = {
    {-1, 0}, {0, 0}, {0, 5}, {10, 0}, {10, 3}, {11, 0}, {12, 1},
};

/* For each port, what becomes of those packets. */
static const struct {
    unsigned in_port;
    const char *actions[ARRAY_SIZE(vlan_packets)];
} vlan_cases[] = {
    {1,
     {"100", "pop_vlan,100", "100",
      "100,pop_vlan,3,push_vlan(vid=10,pcp=0),2,pop_vlan,4,push_vlan(vid=10,pcp=0),5,"
      "pop_vlan,8,6",
      "100,pop_vlan,3,push_vlan(vid=10,pcp=3),2,pop_vlan,4,push_vlan(vid=10,pcp=3),5,"
      "pop_vlan,push_vlan(vid=0,pcp=3),8,pop_vlan,6",
      "100,5,6",
      "100,2,5,pop_vlan,10,push_vlan(vid=0,pcp=1),7,pop_vlan,push_vlan(vid=12,pcp=1),6"}},
    {2,
     {"drop", "drop", "drop",
      "100,pop_vlan,3,push_vlan(vid=10,pcp=0),1,pop_vlan,4,push_vlan(vid=10,pcp=0),5,"
      "pop_vlan,8,6",
      "100,pop_vlan,3,push_vlan(vid=10,pcp=3),1,pop_vlan,4,push_vlan(vid=10,pcp=3),5,"
      "pop_vlan,push_vlan(vid=0,pcp=3),8,pop_vlan,6",
      "drop",
      "100,1,5,pop_vlan,10,push_vlan(vid=0,pcp=1),7,pop_vlan,push_vlan(vid=12,pcp=1),6"}},
    {3,
     {"push_vlan(vid=10,pcp=0),100,1,2,pop_vlan,4,push_vlan(vid=10,pcp=0),5,pop_vlan,8,6",
      "pop_vlan,push_vlan(vid=10,pcp=0),100,1,2,pop_vlan,4,push_vlan(vid=10,pcp=0),5,"
      "pop_vlan,8,6",
      "pop_vlan,push_vlan(vid=10,pcp=5),100,1,2,pop_vlan,4,push_vlan(vid=10,pcp=5),5,"
      "pop_vlan,push_vlan(vid=0,pcp=5),8,pop_vlan,6",
      "drop", "drop", "drop", "drop"}},
    {4,
     {"push_vlan(vid=10,pcp=0),100,pop_vlan,3,push_vlan(vid=10,pcp=0),1,2,5,pop_vlan,8,6",
      "pop_vlan,push_vlan(vid=10,pcp=0),100,pop_vlan,3,push_vlan(vid=10,pcp=0),1,2,5,"
      "pop_vlan,8,6",
      "pop_vlan,push_vlan(vid=10,pcp=5),100,pop_vlan,3,push_vlan(vid=10,pcp=5),1,2,5,"
      "pop_vlan,push_vlan(vid=0,pcp=5),8,pop_vlan,6",
      "drop", "drop", "drop", "drop"}},
    {5,
     {"push_vlan(vid=10,pcp=0),100,pop_vlan,3,push_vlan(vid=10,pcp=0),1,2,pop_vlan,4,8,6",
      "pop_vlan,push_vlan(vid=10,pcp=0),100,pop_vlan,3,push_vlan(vid=10,pcp=0),1,2,"
      "pop_vlan,4,8,6",
      "pop_vlan,push_vlan(vid=10,pcp=5),100,pop_vlan,3,push_vlan(vid=10,pcp=5),1,2,"
      "pop_vlan,4,push_vlan(vid=0,pcp=5),8,pop_vlan,6",
      "100,pop_vlan,3,push_vlan(vid=10,pcp=0),1,2,pop_vlan,4,8,6",
      "100,pop_vlan,3,push_vlan(vid=10,pcp=3),1,2,pop_vlan,4,push_vlan(vid=0,pcp=3),8,"
      "pop_vlan,6",
      "100,1,6",
      "100,1,2,pop_vlan,10,push_vlan(vid=0,pcp=1),7,pop_vlan,push_vlan(vid=12,pcp=1),6"}},
    {6,
     {"push_vlan(vid=10,pcp=0),100,pop_vlan,3,push_vlan(vid=10,pcp=0),1,2,pop_vlan,4,"
      "push_vlan(vid=10,pcp=0),5,pop_vlan,8",
      "pop_vlan,push_vlan(vid=10,pcp=0),100,pop_vlan,3,push_vlan(vid=10,pcp=0),1,2,"
      "pop_vlan,4,push_vlan(vid=10,pcp=0),5,pop_vlan,8",
      "pop_vlan,push_vlan(vid=10,pcp=5),100,pop_vlan,3,push_vlan(vid=10,pcp=5),1,2,"
      "pop_vlan,4,push_vlan(vid=10,pcp=5),5,pop_vlan,push_vlan(vid=0,pcp=5),8",
      "100,pop_vlan,3,push_vlan(vid=10,pcp=0),1,2,pop_vlan,4,push_vlan(vid=10,pcp=0),5,"
      "pop_vlan,8",
      "100,pop_vlan,3,push_vlan(vid=10,pcp=3),1,2,pop_vlan,4,push_vlan(vid=10,pcp=3),5,"
      "pop_vlan,push_vlan(vid=0,pcp=3),8",
      "100,1,5", "100,1,2,5,pop_vlan,10,push_vlan(vid=0,pcp=1),7"}},
    {7,
     {"push_vlan(vid=12,pcp=0),100,1,2,5,pop_vlan,10,push_vlan(vid=12,pcp=0),6",
      "pop_vlan,push_vlan(vid=12,pcp=0),100,1,2,5,pop_vlan,10,push_vlan(vid=12,pcp=0),6",
      "pop_vlan,push_vlan(vid=12,pcp=5),100,1,2,5,pop_vlan,10,push_vlan(vid=12,pcp=5),6",
      "drop", "drop", "drop", "100,1,2,5,pop_vlan,10,push_vlan(vid=12,pcp=1),6"}},
    {8,
     {"push_vlan(vid=10,pcp=0),100,pop_vlan,3,push_vlan(vid=10,pcp=0),1,2,pop_vlan,4,"
      "push_vlan(vid=10,pcp=0),5,pop_vlan,6",
      "pop_vlan,push_vlan(vid=10,pcp=0),100,pop_vlan,3,push_vlan(vid=10,pcp=0),1,2,"
      "pop_vlan,4,push_vlan(vid=10,pcp=0),5,pop_vlan,6",
      "pop_vlan,push_vlan(vid=10,pcp=5),100,pop_vlan,3,push_vlan(vid=10,pcp=5),1,2,"
      "pop_vlan,4,push_vlan(vid=10,pcp=5),5,pop_vlan,6",
      "drop", "drop", "drop", "drop"}},
    {10,
     {"push_vlan(vid=12,pcp=0),100,1,2,5,pop_vlan,7,push_vlan(vid=12,pcp=0),6",
      "pop_vlan,push_vlan(vid=12,pcp=0),100,1,2,5,pop_vlan,push_vlan(vid=0,pcp=0),7,"
      "pop_vlan,push_vlan(vid=12,pcp=0),6",
      "push_vlan(vid=12,pcp=0),100,1,2,5,pop_vlan,7,push_vlan(vid=12,pcp=0),6",
      "push_vlan(vid=12,pcp=0),100,1,2,5,pop_vlan,7,push_vlan(vid=12,pcp=0),6",
      "push_vlan(vid=12,pcp=0),100,1,2,5,pop_vlan,7,push_vlan(vid=12,pcp=0),6",
      "push_vlan(vid=12,pcp=0),100,1,2,5,pop_vlan,7,push_vlan(vid=12,pcp=0),6",
      "push_vlan(vid=12,pcp=0),100,1,2,5,pop_vlan,7,push_vlan(vid=12,pcp=0),6"}},
};

/* Calls back with every case. */
static void
for_each_case(void (*cb)(unsigned in_port, int vid, int pcp, const char *actions))
{
    for (size_t i = 0; i < ARRAY_SIZE(vlan_cases); i++) {
        for (size_t j = 0; j < ARRAY_SIZE(vlan_packets); j++) {
            cb(vlan_cases[i].in_port, vlan_packets[j].vid, vlan_packets[j].pcp,
               vlan_cases[i].actions[j]);
        }
    }
}

static void
check_actions(unsigned in_port, int vid, int pcp, const char *want)
{
    const char *got =
        xlate(flow_text(in_port, "50:54:00:00:00:05", BCAST, vid, pcp), false, NULL);

    if (strcmp(got, want)) {
        fail_msg("in_port %u vid %d pcp %d\n got  %s\n want %s", in_port, vid, pcp, got, want);
    }
}

static void
test_vlan_modes(void **state)
{
    make_vlan_ports(*state);
    for_each_case(check_actions);
}

/* An answer must be right for every packet that its mask covers. */
static void
check_mask(unsigned in_port, int case_vid, int case_pcp, const char *want)
{
    struct flow a, b, mask;
    char *err = NULL, *answer, text[512];

    snprintf(text, sizeof text, "%s", flow_text(in_port, MAC1, BCAST, case_vid, case_pcp));
    answer = xstrdup(xlate(text, false, &mask));
    assert_int_equal(flow_parse(text, &a, NULL, NULL, &err), 0);
    for (size_t w = 0; w < FLOW_WORDS; w++) {
        ((flow_word *) &a)[w] &= ((const flow_word *) &mask)[w];
    }
    for (int vid = -1; vid < 14; vid++) {
        for (int pcp = 0; pcp < 8; pcp++) {
            snprintf(text, sizeof text, "%s", flow_text(in_port, MAC1, BCAST, vid, pcp));
            assert_int_equal(flow_parse(text, &b, NULL, NULL, &err), 0);
            if (flow_matches(&b, &a, &mask) && strcmp(xlate(text, false, NULL), answer)) {
                fail_msg("in_port %u vid %d pcp %d: vid %d pcp %d: %s", in_port, case_vid,
                         case_pcp, vid, pcp, actions_text);
            }
        }
    }
    free(answer);
}

static void
test_vlan_masks(void **state)
{
    make_vlan_ports(*state);
    for_each_case(check_mask);
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
assert_xlate(const char *flow, const char *want)
{
    assert_string_equal(xlate(flow, false, NULL), want);
}

#define INNER_TAG(VID, PCP) "eth_type(0x8100),vlan(vid=" #VID ",pcp=" #PCP "),encap(" IPV4 ")"

/* A broadcast from MAC1 of VLAN 5, tagged by Ethernet type `tpid`, with `inner` in it. */
static const char *
vlan5_text(unsigned in_port, const char *tpid, int pcp, const char *inner)
{
    static char text[512];

    snprintf(text, sizeof text,
             "in_port(%u),eth(src=" MAC1 ",dst=" BCAST "),eth_type(%s),vlan(vid=5,pcp=%d),"
             "encap(%s)",
             in_port, tpid, pcp, inner);
    return text;
}

/* Port p2, and what makes it a tunnel of VLAN 5. */
static void
add_tunnel(struct ofproto *o, uint16_t *ofport, struct ofproto_bundle_settings *tunnel)
{
    *ofport = add_port(o, "p2", 2, VLAN_MODE_ACCESS, 5, NULL, PRIORITY_TAGS_NEVER);
    *tunnel = (struct ofproto_bundle_settings){
        .name = "p2",
        .ofports = ofport,
        .n_ofports = 1,
        .vlan_mode = VLAN_MODE_DOT1Q_TUNNEL,
        .tag = 5,
    };
}

static void
test_double_tags(void **state)
{
    struct ofproto *o = *state;
    static const BITMAP_DECLARE(t0_5, 4096) = {1 | 1 << 5};
    struct ofproto_bundle_settings tunnel;
    uint16_t p2;

    add_local(o);
    ofproto_settle();
    add_plain(o, "p1", 1);
    add_tunnel(o, &p2, &tunnel);
    add_plain(o, "p3", 3);
    add_port(o, "p5", 5, VLAN_MODE_TRUNK, 0, t0_5, PRIORITY_TAGS_NEVER);
    ofproto_settle();
    assert_xlate(vlan5_text(5, "0x8100", 2, INNER_TAG(6, 3)),
                 "100,1,pop_vlan,2,push_vlan(vid=5,pcp=2),3");
    assert_xlate(vlan5_text(1, "0x88a8", 2, IPV4),
                 "100,pop_vlan,2,push_vlan(tpid=0x88a8,vid=5,pcp=2),3,5");

    tunnel.qinq_8021ad = true;
    ofproto_bundle_set(o, &tunnel);
    ofproto_settle();
    assert_xlate(vlan5_text(2, "0x8100", 2, INNER_TAG(6, 3)),
                 "push_vlan(tpid=0x88a8,vid=5,pcp=0),100,1,3,5");
    assert_xlate(vlan5_text(2, "0x88a8", 2, IPV4),
                 "push_vlan(tpid=0x88a8,vid=5,pcp=0),100,1,3,5");
}

/* A tunnel that takes customer VLANs 0 and 7 only. */
static void
test_cvlans(void **state)
{
    struct ofproto *o = *state;
    static const BITMAP_DECLARE(c0_7, 4096) = {1 | 1 << 7};
    static const BITMAP_DECLARE(c7, 4096) = {1 << 7};
    struct ofproto_bundle_settings tunnel;
    struct flow mask;
    uint16_t p2;

    add_local(o);
    ofproto_settle();
    add_plain(o, "p1", 1);
    add_tunnel(o, &p2, &tunnel);
    tunnel.cvlans = c0_7;
    ofproto_bundle_set(o, &tunnel);
    ofproto_settle();
    assert_xlate(flow_text(2, MAC1, BCAST, -1, 0), "push_vlan(vid=5,pcp=0),100,1");
    assert_xlate(flow_text(2, MAC1, BCAST, 7, 0), "push_vlan(vid=5,pcp=0),100,1");
    assert_xlate(flow_text(2, MAC1, BCAST, 8, 0), "drop");
    assert_xlate(vlan5_text(1, "0x8100", 0, INNER_TAG(7, 0)), "100,pop_vlan,2");
    assert_xlate(vlan5_text(1, "0x8100", 0, INNER_TAG(8, 0)), "100");
    assert_string_equal(xlate(vlan5_text(1, "0x8100", 0, IPV4), false, &mask),
                        "100,pop_vlan,2");
    /* That there is no second tag was what mattered. */
    assert_true(mask.vlan.tag[1].tci_be & htons(VLAN_CFI));

    tunnel.cvlans = c7;
    ofproto_bundle_set(o, &tunnel);
    ofproto_settle();
    assert_xlate(vlan5_text(1, "0x8100", 0, IPV4), "100");
    assert_xlate(flow_text(2, MAC1, BCAST, -1, 0), "drop");
}

/* The mask of an ARP packet from port 1. */
static struct flow
arp_mask(const char *dst, int op)
{
    char text[512];
    struct flow mask;

    snprintf(text, sizeof text,
             "in_port(1),eth(src=" MAC1 ",dst=%s),eth_type(0x0806),"
             "arp(sip=10.0.0.1,tip=10.0.0.2,op=%d,sha=" MAC1 ",tha=" MAC2 ")",
             dst, op);
    xlate(text, false, &mask);
    return mask;
}

/* Broadcast ARP is told apart by operation and, for requests, by addresses. */
static void
test_arp_masks(void **state)
{
    struct flow mask;

    make_vlan_ports(*state);
    mask = arp_mask(BCAST, 1);
    assert_int_equal(mask.arp.spa_be, UINT32_MAX);
    assert_int_equal(mask.arp.tpa_be, UINT32_MAX);
    assert_int_equal(mask.arp.op, UINT16_MAX);
    assert_true(eth_addr_is_zero(mask.arp.sha));
    mask = arp_mask(BCAST, 2);
    assert_int_equal(mask.arp.spa_be, 0);
    assert_int_equal(mask.arp.op, UINT16_MAX);
    assert_int_equal(arp_mask(MAC2, 1).arp.op, 0);
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
