/* SPDX-License-Identifier: Apache-2.0 */
/* Bridges: learning, patch ports, revalidation, ageing, port numbers, commands. */

#include <errno.h>

#include "ofproto-harness.h"

static void
test_learning(void **state)
{
    struct ofproto *o = *state;
    struct ofproto_settings s;

    add_local(o);
    add_plain(o, "p1", 1);
    add_plain(o, "p2", 2);
    add_plain(o, "p3", 3);
    ofproto_settle();
    assert_string_equal(xlate(flow_text(1, MAC1, MAC2, -1, 0), true, NULL), "100,2,3");
    assert_string_equal(xlate(flow_text(2, MAC2, MAC1, -1, 0), true, NULL), "1");
    assert_string_equal(xlate(flow_text(1, MAC1, MAC2, -1, 0), true, NULL), "2");
    assert_string_equal(xlate(flow_text(1, MAC1, MAC2, 7, 0), true, NULL), "100,2,3");
    /* Back to where it came from; reserved addresses; a multicast source is not learned. */
    assert_string_equal(xlate(flow_text(2, MAC1, MAC2, -1, 0), false, NULL), "drop");
    assert_string_equal(xlate(flow_text(1, MAC1, "01:80:c2:00:00:0f", -1, 0), false, NULL),
                        "drop");
    assert_string_equal(xlate(flow_text(1, MAC1, "01:80:c2:00:00:10", -1, 0), false, NULL),
                        "100,2,3");
    xlate(flow_text(1, "51:54:00:00:00:09", MAC2, -1, 0), true, NULL);
    assert_string_equal(ctl("fdb/show br0"), " port  VLAN  MAC                Age\n"
                                             "    2     0  50:54:00:00:00:02    0\n"
                                             "    1     0  50:54:00:00:00:01    0\n"
                                             "    1     7  50:54:00:00:00:01    0\n");

    /* VLANs without learning. */
    s = o->settings;
    bitmap_set(s.flood_vlans, 0);
    s.forward_bpdu = true;
    ofproto_set(o, &s);
    ofproto_settle();
    assert_string_equal(ctl("fdb/show br0"), " port  VLAN  MAC                Age\n");
    assert_string_equal(xlate(flow_text(2, MAC2, MAC1, -1, 0), true, NULL), "100,1,3");
    assert_string_equal(xlate(flow_text(1, MAC1, MAC2, -1, 0), true, NULL), "100,2,3");
    assert_string_equal(xlate(flow_text(1, MAC1, "01:80:c2:00:00:0f", -1, 0), false, NULL),
                        "100,2,3");
}

static void
test_protected_secure_unknown(void **state)
{
    struct ofproto *o = *state;
    uint16_t p;

    add_plain(o, "p1", 1);
    p = add_device(o, "p2", "dummy", NULL, 2);
    add_bundle(o, "p2", p, VLAN_MODE_TRUNK, 0, NULL, PRIORITY_TAGS_NEVER, true);
    p = add_device(o, "p3", "dummy", NULL, 3);
    add_bundle(o, "p3", p, VLAN_MODE_TRUNK, 0, NULL, PRIORITY_TAGS_NEVER, true);
    add_device(o, "p4", "dummy", NULL, 4); /* in no bundle */
    ofproto_settle();
    assert_string_equal(xlate(flow_text(2, MAC1, BCAST, -1, 0), true, NULL), "1");
    assert_string_equal(xlate(flow_text(1, MAC2, BCAST, -1, 0), true, NULL), "2,3");
    assert_string_equal(xlate(flow_text(3, MAC2, MAC1, -1, 0), false, NULL), "drop");
    assert_string_equal(xlate(flow_text(4, MAC2, MAC1, -1, 0), false, NULL), "drop");
    assert_string_equal(xlate(flow_text(77, MAC2, MAC1, -1, 0), false, NULL), "unknown");

    assert_string_equal(ctl("bridge/dump-flows br0"),
                        "duration=0s, n_packets=0, n_bytes=0, priority=0,actions=NORMAL\n");
    o->settings.secure = false;
    struct ofproto_settings s = o->settings;
    s.secure = true;
    ofproto_set(o, &s);
    ofproto_settle();
    assert_string_equal(xlate(flow_text(1, MAC2, BCAST, -1, 0), true, NULL), "drop");
    assert_mask(
        flow_text(1, MAC1, MAC2, -1, 0),
        "recirc_id(0),in_port(1),packet_type(ns=0,id=0),eth_type(0x0800),ipv4(frag=no)");
    assert_string_equal(ctl("bridge/dump-flows br0"), "");
    assert_string_equal(ctl("bridge/dump-flows nobr"), "ERROR Unknown bridge");
}

static void
test_patch_chain(void **state)
{
    struct ofproto *br0 = *state, *br1 = add_bridge("br1", false), *br2;
    struct netdev_stats st;
    uint16_t number;

    add_local(br0);
    add_plain(br0, "p1", 1);
    number = add_patch(br0, "pa", "pb");
    add_plain(br1, "p5", 5);
    ofproto_settle();
    assert_string_equal(xlate(flow_text(1, MAC1, MAC2, -1, 0), false, NULL), "100");
    add_patch(br1, "pb", "pa");
    add_patch(br1, "pc", "pd");
    br2 = add_bridge("br2", false);
    add_patch(br2, "pd", "pc");
    add_port(br2, "p9", 9, VLAN_MODE_ACCESS, 20, NULL, PRIORITY_TAGS_NEVER);
    ofproto_settle();
    assert_string_equal(xlate(flow_text(1, MAC1, MAC2, -1, 0), false, NULL), "100,5");
    assert_string_equal(xlate(flow_text(1, MAC1, MAC2, 20, 3), false, NULL),
                        "100,5,pop_vlan,9");
    assert_string_equal(xlate(flow_text(9, MAC1, MAC2, -1, 0), false, NULL),
                        "push_vlan(vid=20,pcp=0),5,100,1");

    /* Packets: all three learn, the patch ports count, also what only hits the cache. */
    receive("p1", 1, MAC1, MAC2);
    receive("p1", 1, MAC1, MAC2);
    wait_revalidator();
    assert_non_null(strstr(ctl("fdb/show br0"), "    1     0  " MAC1));
    assert_non_null(strstr(ctl("fdb/show br1"), "  " MAC1));
    netdev_get_stats(netdev_find("pa"), &st);
    assert_int_equal(st.tx_packets, 2);
    assert_int_equal(st.rx_packets, 0);
    netdev_get_stats(netdev_find("pb"), &st);
    assert_int_equal(st.rx_packets, 2);
    assert_non_null(strstr(ctl("bridge/dump-flows br1"), "n_packets=2, n_bytes="));
    assert_non_null(strstr(ctl("dpif/show"), "    pa 2/none: (patch: peer=pb)\n"));

    /* One end goes. */
    del_port(br0, number);
    ofproto_settle();
    assert_string_equal(xlate(flow_text(1, MAC1, MAC2, -1, 0), false, NULL), "100");
    wait_revalidator();
    assert_non_null(strstr(ctl("dpif/dump-flows br0"), "actions:100\n"));
}

static void
test_patch_loop(void **state)
{
    struct ofproto *br0 = *state, *br1 = add_bridge("br1", false);
    uint64_t before, after;

    add_plain(br0, "p1", 1);
    for (int i = 0; i < 3; i++) {
        char a[16], b[16];

        snprintf(a, sizeof a, "pa%d", i);
        snprintf(b, sizeof b, "pb%d", i);
        add_patch(br0, a, b);
        add_patch(br1, b, a);
    }
    ofproto_settle();
    coverage_read("drop_xlate_too_deep", &before);
    assert_string_equal(xlate(flow_text(1, MAC1, BCAST, -1, 0), false, NULL), "drop");
    coverage_read("drop_xlate_too_deep", &after);
    assert_int_equal(after, before + 1);
}

static void
test_mac_move(void **state)
{
    struct ofproto *o = *state;

    add_plain(o, "p1", 1);
    add_plain(o, "p2", 2);
    add_plain(o, "p3", 3);
    ofproto_settle();
    receive("p1", 1, MAC1, MAC2);
    wait_revalidator();
    assert_non_null(strstr(ctl("dpif/dump-flows br0"), "actions:2,3\n"));
    receive("p2", 2, MAC2, MAC1); /* now it is known where MAC2 is */
    wait_revalidator();
    assert_non_null(strstr(ctl("dpif/dump-flows br0"), "actions:2\n"));
    assert_null(strstr(ctl("dpif/dump-flows br0"), "actions:2,3\n"));
    assert_string_equal(ctl("time/warp 1000"), "warped");
    receive("p3", 3, MAC2, MAC1); /* it moves */
    wait_revalidator();
    assert_non_null(strstr(ctl("dpif/dump-flows br0"), "actions:3\n"));
    assert_null(strstr(ctl("dpif/dump-flows br0"), "actions:2\n"));
    assert_non_null(strstr(ctl("fdb/show br0"), "    3     0  " MAC2 "    0\n"));
    assert_non_null(strstr(ctl("fdb/stats-show br0"), "port moved MAC entries  : 1\n"));
    assert_string_equal(ctl("fdb/flush br0"), "table successfully flushed");
    wait_revalidator();
    assert_non_null(strstr(ctl("dpif/dump-flows br0"), "actions:2,3\n"));
}

/* A change is acted upon at once, not when the next regular pass is due. */
static void
test_prompt(void **state)
{
    struct ofproto *o = *state;
    struct smap oc = SMAP_INIT;
    bool corrected = false;

    smap_set(&oc, "max-revalidator", "100000");
    ofproto_set_global(&oc);
    add_plain(o, "p1", 1);
    add_plain(o, "p2", 2);
    add_plain(o, "p3", 3);
    ofproto_settle();
    receive("p1", 1, MAC1, MAC2);
    wait_revalidator();
    assert_non_null(strstr(ctl("dpif/dump-flows br0"), "actions:2,3\n"));
    receive("p2", 2, MAC2, MAC1);
    for (int i = 0; i < 1000 && !corrected; i++) {
        evloop_turn(loop, 10);
        corrected = !strstr(ctl("dpif/dump-flows br0"), "actions:2,3\n");
    }
    assert_true(corrected);
    smap_clear(&oc);
    ofproto_set_global(&oc);
    smap_destroy(&oc);
}

static void
test_idle_and_ageing(void **state)
{
    struct ofproto *o = *state;
    struct smap oc = SMAP_INIT;

    add_plain(o, "p1", 1);
    add_plain(o, "p2", 2);
    ofproto_settle();
    receive("p1", 1, MAC1, MAC2);
    ctl("time/warp 9000");
    wait_revalidator();
    assert_non_null(strstr(ctl("dpif/dump-flows br0"), "in_port(1)"));
    receive("p1", 1, MAC1, MAC2); /* hits: the flow and the address live on */
    wait_revalidator();
    assert_non_null(strstr(ctl("fdb/show br0"), MAC1 "    0\n"));
    ctl("time/warp 9999");
    wait_revalidator();
    assert_non_null(strstr(ctl("dpif/dump-flows br0"), "in_port(1)"));
    assert_non_null(strstr(ctl("fdb/show br0"), MAC1 "    9\n"));
    ctl("time/warp 1");
    wait_revalidator();
    assert_string_equal(ctl("dpif/dump-flows br0"), "");
    assert_non_null(strstr(ctl("bridge/dump-flows br0"), "n_packets=2"));
    ctl("time/warp 290000");
    wait_revalidator();
    assert_null(strstr(ctl("fdb/show br0"), MAC1));
    assert_non_null(strstr(ctl("fdb/stats-show br0"), "expired MAC entries     : 1\n"));

    /* flow-restore-wait: nothing is translated. */
    smap_set(&oc, "flow-restore-wait", "true");
    ofproto_set_global(&oc);
    receive("p1", 1, MAC1, MAC2);
    assert_string_equal(ctl("dpif/dump-flows br0"), "");
    smap_set(&oc, "flow-restore-wait", "false");
    smap_set(&oc, "max-idle", "500");
    ofproto_set_global(&oc);
    receive("p1", 1, MAC1, MAC2);
    assert_non_null(strstr(ctl("dpif/dump-flows br0"), "in_port(1)"));
    ctl("time/warp 500");
    wait_revalidator();
    assert_string_equal(ctl("dpif/dump-flows br0"), "");
    smap_clear(&oc);
    ofproto_set_global(&oc);
    smap_destroy(&oc);

    receive("p1", 1, MAC1, MAC2);
    assert_string_equal(ctl("revalidator/purge"), "");
    assert_string_equal(ctl("dpif/dump-flows br0"), "");
    assert_string_equal(ctl("upcall/disable-megaflows"), "megaflows disabled\n");
    wait_revalidator(); /* it purges */
    receive("p1", 1, MAC1, MAC2);
    assert_non_null(strstr(ctl("dpif/dump-flows br0"), "ipv4(src=1.2.3.4,dst=4.3.2.1,"));
    assert_string_equal(ctl("upcall/enable-megaflows"), "megaflows enabled\n");
    wait_revalidator();
    assert_string_equal(ctl("dpif/dump-flows br0"), "");
}

static void
test_ports(void **state)
{
    struct ofproto *o = *state;
    uint16_t n;

    add_local(o);
    assert_int_equal(add_plain(o, "p1", 0), 1);
    assert_int_equal(add_plain(o, "p2", 0), 2);
    assert_int_equal(add_plain(o, "p3", 2), 3); /* taken: any */
    assert_int_equal(add_plain(o, "p4", 65279), 65279);
    assert_int_equal(add_plain(o, "p5", 65280), 4); /* out of range: any */
    del_port(o, 2);
    assert_int_equal(add_plain(o, "p6", 0), 5); /* not what was used just before */
    ofproto_settle();
    assert_string_equal(ctl("dpif/show"), "dummy@ovs-dummy: hit:0 missed:0\n"
                                          "  br0:\n"
                                          "    br0 65534/100: (dummy-internal)\n"
                                          "    p1 1/1: (dummy)\n"
                                          "    p3 3/3: (dummy)\n"
                                          "    p4 65279/4: (dummy)\n"
                                          "    p5 4/5: (dummy)\n"
                                          "    p6 5/6: (dummy)\n");
    /* A port that goes under traffic takes its flows and what was learned on it. */
    receive("p1", 1, MAC1, MAC2);
    receive("p3", 3, MAC2, MAC1);
    wait_revalidator();
    assert_non_null(strstr(ctl("dpif/dump-flows br0"), "actions:3\n"));
    del_port(o, 3);
    ofproto_settle();
    assert_string_equal(ctl("dpif/dump-flows br0"), "");
    receive("p1", 1, MAC1, MAC2);
    assert_non_null(strstr(ctl("dpif/dump-flows br0"), "actions:100,4,5,6\n"));
    assert_null(strstr(ctl("fdb/show br0"), MAC2));

    char *err = NULL;
    struct ofproto *other;
    assert_int_equal(ofproto_create("br0", "dummy", &other, &err), EEXIST);
    free(err);
    err = NULL;
    assert_int_not_equal(ofproto_create("br9", "nonesuch", &other, &err), 0);
    assert_non_null(err);
    free(err);
    n = add_bridge("br1", true)->settings.mac_age_s;
    assert_int_equal(n, 300);
    assert_string_equal(ctl("ofproto/list"), "br0\nbr1\n");
    assert_string_equal(ctl("dpif/dump-dps"), "dummy@br0\ndummy@br1\n");
}

static void
test_commands(void **state)
{
    struct ofproto *o = *state;

    add_local(o);
    add_plain(o, "p1", 1);
    ofproto_settle();
    assert_string_equal(ctl("fdb/show nobr"), "ERROR no such bridge");
    assert_string_equal(ctl("fdb/flush nobr"), "ERROR no such bridge");
    assert_string_equal(ctl("fdb/flush"), "table successfully flushed");
    assert_string_equal(ctl("fdb/add br0 p1 5 " MAC2), "");
    assert_string_equal(ctl("fdb/add br0 br0 6 " MAC2), "");
    assert_string_equal(ctl("fdb/add br0 p9 5 " MAC2), "ERROR no such port");
    assert_string_equal(ctl("fdb/add br0 p1 4096 " MAC2), "ERROR bad VLAN");
    assert_string_equal(ctl("fdb/add br0 p1 5 50:54"), "ERROR bad MAC address");
    assert_string_equal(ctl("fdb/show br0"), " port  VLAN  MAC                Age\n"
                                             "    1     5  " MAC2 "  static\n"
                                             "LOCAL     6  " MAC2 "  static\n");
    assert_string_equal(xlate(flow_text(100, MAC1, MAC2, 5, 0), false, NULL), "1");
    assert_string_equal(ctl("fdb/stats-show br0"),
                        "Statistics for bridge \"br0\":\n"
                        "  Current/maximum MAC entries in the table: 2/100\n"
                        "  Current static MAC entries in the table : 2\n"
                        "  Total number of learned MAC entries     : 0\n"
                        "  Total number of expired MAC entries     : 0\n"
                        "  Total number of evicted MAC entries     : 0\n"
                        "  Total number of port moved MAC entries  : 0\n");
    assert_string_equal(ctl("fdb/del br0 5 " MAC2), "");
    assert_string_equal(ctl("fdb/del br0 5 " MAC2), "ERROR could not find static mac entry");
    assert_string_equal(ctl("fdb/stats-clear"), "statistics successfully cleared");
    assert_string_equal(ctl("dpif/dump-flows nobr"), "ERROR no such bridge");
    assert_string_equal(ctl("dpif/show-dp-features nobr"), "ERROR no such bridge");
    assert_non_null(strstr(ctl("dpif/show-dp-features br0"), "Max VLAN headers: 1\n"));
    assert_string_equal(ctl("upcall/set-flow-limit 100"), "set flow_limit to 100\n");
    assert_non_null(
        strstr(ctl("upcall/show"), "dummy@ovs-dummy:\n  flows         : (current 0)"));
    assert_string_equal(ctl("bridge/dump-flows --offload-stats br0"),
                        "duration=0s, n_packets=0, n_bytes=0, n_offload_packets=0, "
                        "n_offload_bytes=0, priority=0,actions=NORMAL\n");
    ctl("time/warp 3000");
    assert_non_null(strstr(ctl("bridge/dump-flows br0"), "duration=3s,"));
}

static void
test_bond_uses_one_port(void **state)
{
    struct ofproto *o = *state;
    uint16_t members[2];
    struct ofproto_bundle_settings s = {.name = "bond0", .ofports = members, .n_ofports = 2};

    s.vlan_mode = VLAN_MODE_TRUNK;
    add_plain(o, "p1", 1);
    members[0] = add_device(o, "p2", "dummy", NULL, 2);
    members[1] = add_device(o, "p3", "dummy", NULL, 3);
    ofproto_bundle_set(o, &s);
    ofproto_settle();
    assert_string_equal(xlate(flow_text(1, MAC1, BCAST, -1, 0), false, NULL), "2");
    assert_string_equal(xlate(flow_text(2, MAC1, BCAST, -1, 0), false, NULL), "1");
    assert_string_equal(xlate(flow_text(3, MAC1, BCAST, -1, 0), false, NULL), "drop");
}

/* Everything that was made is gone: a second life works like the first. */
static void
test_exit_and_again(void **state)
{
    add_plain(*state, "p1", 1);
    ofproto_settle();
    teardown(state);
    ofproto_exit();
    assert_null(all_ofprotos);
    assert_null(all_ofproto_dps);
    ofproto_init(loop);
    add_plain(add_bridge("br0", false), "p1", 1);
    ofproto_settle();
    wait_revalidator();
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        T(test_learning),        T(test_protected_secure_unknown),
        T(test_patch_chain),     T(test_patch_loop),
        T(test_mac_move),        T(test_prompt),
        T(test_idle_and_ageing), T(test_ports),
        T(test_commands),        T(test_bond_uses_one_port),
        T(test_exit_and_again),
    };

    return run_bridge_tests(tests, ARRAY_SIZE(tests));
}
