/* SPDX-License-Identifier: Apache-2.0 */
/* The port-to-port short cut of the datapath: which flows and packets take it, that it counts,
 * reports TCP flags, follows changes of the flow, and stands aside for all others. */

#include "dp-harness.h"

#include "flow/flow-simple.h"
#include "packet/headers.h"

static uint64_t
n_simple(void)
{
    return atomic_load(&dp_pmds(dp)->pmds[0]->stats.n[PMD_STAT_SIMPLE_HIT]);
}

static void
receive(struct netdev *netdev, struct packet *p)
{
    dummy_receive(netdev_dummy_cast(netdev), 0, p);
}

static struct packet *
make_tcp(uint8_t flags)
{
    struct packet *p = make_packet(9);
    uint8_t *data = packet_data(p);

    data[14 + offsetof(struct ipv4_hdr, proto)] = IP_PROTO_TCP;
    data[34 + 12] = 5 << 4;
    data[34 + 13] = flags;
    return p;
}

struct sums {
    unsigned n_flows;
    uint64_t n_packets, n_bytes;
    uint16_t tcp_flags;
};

static bool
add_flow(struct dp *d, struct dp_flow *f, void *sums_)
{
    struct sums *sums = sums_;

    sums->n_flows++;
    sums->n_packets += f->n_packets;
    sums->n_bytes += f->n_bytes;
    sums->tcp_flags |= f->tcp_flags;
    return true;
}

static struct sums
sum_flows(void)
{
    struct sums sums = {.n_flows = 0};

    pmd_flow_for_each(dp, dp_pmds(dp)->pmds[0], add_flow, &sums);
    return sums;
}

static void
test_hits(void **state)
{
    uint64_t before = n_simple();
    struct sums sums;

    set_toy(1, TOY_P2P, 2);
    inject(p1, 1, 1);
    assert_int_equal(n_simple() - before, 0); /* makes the megaflow, and is learnt from */
    for (unsigned i = 0; i < 100; i++) {
        inject(p1, 1, (uint8_t) i);
    }
    assert_int_equal(n_simple() - before, 100);
    assert_int_equal(tx_packets(p2), 101);
    receive(p1, make_tcp(0x02));
    receive(p1, make_tcp(0x10));
    dp_run_main_queues();
    assert_int_equal(n_simple() - before, 102);

    sums = sum_flows();
    assert_int_equal(sums.n_flows, 1);
    assert_int_equal(sums.n_packets, 102); /* the first is the translation's */
    assert_int_equal(sums.n_bytes, 102 * 64);
    assert_int_equal(sums.tcp_flags, 0x12);
    check_ctl_has("dpif-netdev/pmd-stats-show", NULL, "  simple match hits: 102\n");
    check_ctl("dpif-netdev/pmd-stats-clear", "");
}

/* One packet that is not simple sends its batch the long way, and to its own flow. */
static void
test_mixed(void **state)
{
    uint64_t before;
    struct packet *p;

    set_toy(1, TOY_P2P, 2);
    inject(p1, 2, 1);
    inject(p1, 1, 1);
    before = n_simple();
    assert_int_equal(atomic_load(&n_translated), 1);
    p = make_packet(1);
    packet_data(p)[12] = 0x86; /* IPv6, says the type */
    packet_data(p)[13] = 0xdd;
    receive(p1, make_packet(1));
    receive(p1, p);
    receive(p1, make_packet(1));
    dp_run_main_queues();
    assert_int_equal(tx_packets(p2), 6);
    assert_int_equal(n_simple(), before);
    assert_int_equal(atomic_load(&n_translated), 2);
    p = make_packet(1);
    packet_data(p)[14 + offsetof(struct ipv4_hdr, frag_be)] = 0x20; /* first fragment */
    receive(p1, p);
    dp_run_main_queues();
    assert_int_equal(atomic_load(&n_translated), 3);
    assert_int_equal(sum_flows().n_flows, 3);
    inject(p1, 1, 1);
    assert_int_equal(n_simple(), before + 1);
}

/* A flow that looks at addresses is none for it. */
static void
test_not_simple(void **state)
{
    uint64_t before = n_simple();

    set_toy(1, TOY_OUT, 2);
    for (unsigned i = 0; i < 200; i++) {
        inject(p1, 1, (uint8_t) (i % 2));
    }
    assert_int_equal(tx_packets(p2), 200);
    assert_int_equal(n_simple(), before);
    assert_int_equal(sum_flows().n_flows, 2);
}

/* What is deleted or changed is not used any more, and two ports do not mix. */
static void
test_changes(void **state)
{
    struct dp_actions_builder b = {.n = 0};
    struct pmd *pmd = dp_pmds(dp)->pmds[0];
    struct netdev *p4;

    set_toy(1, TOY_P2P, 2);
    inject(p1, 1, 1);
    inject(p1, 4, 1);
    assert_int_equal(tx_packets(p2), 5);
    delete_flows(pmd);
    set_toy(1, TOY_P2P, 3);
    inject(p1, 4, 1);
    assert_int_equal(tx_packets(p2), 5);
    assert_int_equal(tx_packets(p3), 4);
    pmd_maintain(pmd);

    p4 = add_port("p4", "dummy", NULL, NULL, 4);
    set_toy(4, TOY_P2P, 7);
    for (unsigned i = 0; i < 100; i++) {
        inject(p4, 1, 1);
    }
    assert_int_equal(tx_packets(p7), 100);
    assert_non_null(simple_lookup(&pmd->simple, 4));
    assert_null(simple_lookup(&pmd->simple, 4 + SIMPLE_ENTRIES));

    dp_actions_add_output(&b, 2);
    megaflow_set_actions(simple_lookup(&pmd->simple, 4), dp_actions_finish(&b));
    inject(p4, 3, 1);
    assert_int_equal(tx_packets(p7), 100);
    assert_int_equal(tx_packets(p2), 8);

    /* A new port of the same number has nothing of the old one. */
    del_port(4);
    pmd_maintain(pmd);
    assert_null(simple_lookup(&pmd->simple, 4));
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        T(test_hits),
        T(test_mixed),
        T(test_not_simple),
        T(test_changes),
    };

    return run_datapath_tests(tests, ARRAY_SIZE(tests), NULL);
}
