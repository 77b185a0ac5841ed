/* SPDX-License-Identifier: Apache-2.0 */

/* Tests lib/os/rtnl, netdev-genl and ethtool against the kernel, in a network namespace of its own
 * that vanishes with the process.  Without the privilege to make one every test is skipped. */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <errno.h>
#include <net/if.h>
#include <sched.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "os/clock.h"
#include "os/ethtool.h"
#include "os/evloop.h"
#include "os/netdev-genl.h"
#include "os/rtnl.h"
#include "os/thread.h"

static bool have_netns;
static struct evloop *loop;

static struct event {
    struct rtnl_link link;
    bool deleted;
} events[256];
static unsigned n_events;

static void
note_event(const struct rtnl_link *link, bool deleted, void *aux)
{
    if (n_events < 256 && link) {
        events[n_events].link = *link;
        events[n_events++].deleted = deleted;
    }
}

static void
sh(const char *command)
{
    assert_int_equal(system(command), 0);
}

static void
needs_netns(void)
{
    if (!have_netns) {
        skip();
    }
}

/* Runs the loop until an event satisfies `match`, for two seconds at most. */
static const struct event *
wait_event(bool (*match)(const struct event *))
{
    unsigned seen = 0;
    for (unsigned turn = 0; turn < 20; turn++) {
        for (; seen < n_events; seen++) {
            if (match(&events[seen])) {
                return &events[seen];
            }
        }
        evloop_turn(loop, 100);
    }
    return NULL;
}

static void
test_get(void **state)
{
    struct rtnl_link a, b, none;

    needs_netns();
    sh("ip link add rt0 address 02:00:00:00:00:01 type veth peer name rt1");
    assert_int_equal(rtnl_link_get("rt0", &a), 0);
    assert_int_equal(rtnl_link_get("rt1", &b), 0);
    assert_string_equal(a.name, "rt0");
    assert_string_equal(a.kind, "veth");
    assert_int_equal(eth_addr_to_u64(a.mac), 0x020000000001);
    assert_int_equal(a.mtu, 1500);
    assert_false(a.flags & IFF_UP);
    assert_false(a.carrier);
    assert_int_equal(a.peer_ifindex, b.ifindex);
    assert_int_equal(b.peer_ifindex, a.ifindex);
    assert_true(a.n_rxq >= 1);
    assert_int_equal(a.xdp_prog_id, 0);
    assert_int_equal(rtnl_link_get("rt9", &none), ENODEV);
    assert_int_equal(rtnl_link_get("", &none), ENODEV);
    assert_int_equal(rtnl_link_get("a-name-that-is-too-long-for-linux", &none), ENODEV);
}

static void
test_set(void **state)
{
    struct rtnl_link a;

    needs_netns();
    assert_int_equal(rtnl_link_get("rt0", &a), 0);
    assert_int_equal(rtnl_link_set_mtu(a.ifindex, 1400), 0);
    assert_int_equal(rtnl_link_set_mtu(a.ifindex, 10), EINVAL);
    struct eth_addr mac = {{2, 0, 0, 0, 0, 0x77}};
    assert_int_equal(rtnl_link_set_mac(a.ifindex, mac), 0);
    assert_int_equal(rtnl_link_set_flags(a.ifindex, IFF_UP | IFF_PROMISC, 0), 0);
    assert_int_equal(rtnl_link_get("rt0", &a), 0);
    assert_int_equal(a.mtu, 1400);
    assert_true(eth_addr_equal(a.mac, mac));
    assert_true(a.flags & IFF_UP);
    assert_true(a.flags & IFF_PROMISC);
    assert_int_equal(rtnl_link_set_flags(a.ifindex, 0, IFF_PROMISC), 0);
    assert_int_equal(rtnl_link_get("rt0", &a), 0);
    assert_true(a.flags & IFF_UP);
    assert_false(a.flags & IFF_PROMISC);
    assert_int_equal(rtnl_link_set_mtu(999999, 1400), ENODEV);
    assert_int_equal(rtnl_link_set_flags(0, IFF_UP, 0), ENODEV);
}

static void
test_stats(void **state)
{
    struct rtnl_link a, b;
    struct rtnl_stats before, after;

    needs_netns();
    assert_int_equal(rtnl_link_get("rt0", &a), 0);
    assert_int_equal(rtnl_link_get("rt1", &b), 0);
    assert_int_equal(rtnl_link_get_stats(a.ifindex, &before), 0);
    sh("ip addr add 10.99.0.1/24 dev rt0; ip link set rt0 up; ip link set rt1 up; "
       "ping -c1 -W1 10.99.0.2 >/dev/null; true");
    assert_int_equal(rtnl_link_get_stats(a.ifindex, &after), 0);
    assert_true(after.tx_packets > before.tx_packets);
    assert_true(after.tx_bytes >= before.tx_bytes + 42);
    assert_int_equal(rtnl_link_get("rt0", &a), 0);
    assert_true(a.carrier);
    assert_true(a.carrier_changes > 0);
    assert_int_equal(rtnl_link_get_stats(999999, &after), ENODEV);
}

static void
test_ethtool(void **state)
{
    struct ethtool_driver d;
    uint64_t speed;
    int duplex;
    unsigned n;

    needs_netns();
    assert_int_equal(ethtool_get_driver("rt0", &d), 0);
    assert_string_equal(d.driver, "veth");
    assert_string_equal(d.version, "1.0");
    assert_int_equal(ethtool_get_speed("rt0", &speed, &duplex), 0);
    assert_int_equal(speed, UINT64_C(10000000000));
    assert_int_equal(duplex, 1);
    assert_int_equal(ethtool_get_rx_channels("rt0", &n), 0);
    assert_true(n >= 1);
    assert_int_equal(ethtool_get_driver("rt9", &d), ENODEV);
    assert_int_equal(ethtool_get_speed("rt9", &speed, &duplex), ENODEV);
    assert_int_equal(ethtool_get_rx_channels("a-name-that-is-too-long", &n), ENODEV);
}

static bool
is_added(const struct event *e)
{
    return !e->deleted && !strcmp(e->link.name, "mon0");
}

static bool
is_up(const struct event *e)
{
    return is_added(e) && e->link.flags & IFF_UP;
}

static bool
is_mtu_1300(const struct event *e)
{
    return is_added(e) && e->link.mtu == 1300;
}

static bool
is_mon0_gone(const struct event *e)
{
    return e->deleted && !strcmp(e->link.name, "mon0");
}

static bool
is_mon9_there(const struct event *e)
{
    return !e->deleted && !strcmp(e->link.name, "mon9");
}

static bool
is_mon9_gone(const struct event *e)
{
    return e->deleted && !strcmp(e->link.name, "mon9");
}

static void
test_monitor(void **state)
{
    needs_netns();
    rtnl_monitor_subscribe(note_event, NULL);
    assert_int_equal(rtnl_monitor_start(loop), 0);
    assert_int_equal(rtnl_monitor_start(loop), 0);

    sh("ip link add mon0 type veth peer name mon1");
    assert_non_null(wait_event(is_added));
    sh("ip link set mon0 up");
    assert_non_null(wait_event(is_up));
    sh("ip link set mon0 mtu 1300");
    assert_non_null(wait_event(is_mtu_1300));

    /* A rename is the end of the one name and the begin of the other. */
    n_events = 0;
    sh("ip link set mon0 down; ip link set mon0 name mon9");
    const struct event *gone = wait_event(is_mon0_gone);
    assert_non_null(gone);
    const struct event *there = wait_event(is_mon9_there);
    assert_non_null(there);
    assert_true(gone < there);

    sh("ip link del mon9");
    assert_non_null(wait_event(is_mon9_gone));
}

static void
test_monitor_port_of_bridge(void **state)
{
    /* Leaving a Linux bridge sends a deletion message that is not about the interface. */
    needs_netns();
    sh("ip link add mbr type bridge; ip link add mon0 type veth peer name mon1;"
       "ip link set mon0 master mbr");
    n_events = 0;
    sh("ip link set mon0 nomaster");
    for (unsigned i = 0; i < 5; i++) {
        evloop_turn(loop, 20);
    }
    for (unsigned i = 0; i < n_events; i++) {
        assert_false(events[i].deleted);
    }
    sh("ip link del mbr; ip link del mon0");
}

static void
test_del(void **state)
{
    struct rtnl_link a;
    needs_netns();
    assert_int_equal(rtnl_link_get("rt0", &a), 0);
    assert_int_equal(rtnl_link_del(a.ifindex), 0);
    assert_int_equal(rtnl_link_get("rt0", &a), ENODEV);
    assert_int_equal(rtnl_link_get("rt1", &a), ENODEV);
    assert_int_equal(rtnl_link_del(0), ENODEV);
}

/* No driver here does, but the kernel has an answer, or is too old for one. */
static void
test_xsk_features(void **state)
{
    uint64_t features = 1;
    struct rtnl_link a;
    int error;

    needs_netns();
    assert_int_equal(rtnl_link_get("lo", &a), 0);
    error = netdev_genl_xsk_features(a.ifindex, &features);
    if (error == ENOENT) {
        skip();
    }
    assert_int_equal(error, 0);
    assert_int_equal(features, 0);
    assert_false(netdev_genl_has_tx_csum(a.ifindex));
    assert_int_equal(netdev_genl_xsk_features(9999, &features), ENODEV);
    assert_false(netdev_genl_has_tx_csum(9999));
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_get),     cmocka_unit_test(test_set),
        cmocka_unit_test(test_stats),   cmocka_unit_test(test_ethtool),
        cmocka_unit_test(test_monitor), cmocka_unit_test(test_monitor_port_of_bridge),
        cmocka_unit_test(test_del),     cmocka_unit_test(test_xsk_features),
    };
    have_netns = !unshare(CLONE_NEWNET);
    thread_adopt("");
    loop = evloop_create();
    int rc = cmocka_run_group_tests(tests, NULL, NULL);
    evloop_destroy(loop);
    return rc;
}
