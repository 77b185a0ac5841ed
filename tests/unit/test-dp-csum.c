/* SPDX-License-Identifier: Apache-2.0 */
/* Half-done checksums on their way through the datapath: left so for a device that takes them,
 * where a packet is only output there; completed before anything else happens to it. */

#include "dp-harness.h"

#include "packet/packet-ops.h"
#include "util/csum.h"

#define L3 14u
#define L4 34u

/* What a device was given to send; by port number. */
static struct seen {
    unsigned marked, whole, wrong;
} seen[8];
static struct netdev_class spy;
static const struct netdev_class *dummy_class;

static bool
is_whole(const struct packet *p)
{
    bool tagged = packet_has_vlan(p);
    const uint8_t *data = packet_data(p) + (tagged ? VLAN_HDR_LEN : 0);
    const struct ipv4_hdr *ip = (const void *) (data + L3);
    uint32_t sum = csum_pseudo_v4(ip->src_be, ip->dst_be, IP_PROTO_UDP, 30);

    return csum_fold(csum_add(sum, data + L4, 30)) == 0xffff;
}

static void
spy_send(struct netdev *netdev, unsigned qid, struct packet_batch *b)
{
    struct seen *s = &seen[netdev->name[1] - '0'];

    for (unsigned i = 0; i < b->n; i++) {
        const struct packet *p = b->pkts[i];

        if (!(p->flags & PACKET_CSUM_PARTIAL)) {
            s->whole += is_whole(p);
            s->wrong += !is_whole(p);
        } else if (is_whole(p) || p->l4_ofs != L4 || p->csum_ofs != 6 || packet_is_shared(p)) {
            s->wrong++;
        } else {
            s->marked++;
        }
    }
    dummy_class->send(netdev, qid, b);
}

static void
reconfigure(struct netdev *netdev, uint32_t no, bool tx_csum)
{
    char *err = NULL;

    netdev->tx_csum = tx_csum;
    netdev->needs_reconfigure = true;
    assert_int_equal(dp_port_reconfigure(dp, no, &err), 0);
}

/* Port 2 takes half-done checksums, the others do not. */
static int
spy_setup(void **state)
{
    if (setup(state)) {
        return -1;
    }
    memset(seen, 0, sizeof seen);
    dummy_class = p2->class;
    spy = *dummy_class;
    spy.send = spy_send;
    p2->class = p3->class = p7->class = &spy;
    reconfigure(p2, 2, true);
    assert_true(netdev_any_tx_csum());
    return 0;
}

static int
spy_teardown(void **state)
{
    p2->class = p3->class = p7->class = dummy_class;
    teardown(state);
    assert_false(netdev_any_tx_csum());
    return 0;
}

static void
receive(uint8_t to)
{
    struct packet *p = make_packet(to);
    struct flow_key key;

    flow_key_extract(p, &key);
    packet_fill_csums_partial(p);
    assert_false(is_whole(p));
    p->flags |= PACKET_CSUM_PARTIAL_POSSIBLE;
    dummy_receive(netdev_dummy_cast(p1), 0, p);
}

static void
check(uint32_t port, unsigned marked, unsigned whole)
{
    assert_int_equal(seen[port].wrong, 0);
    assert_int_equal(seen[port].marked, marked);
    assert_int_equal(seen[port].whole, whole);
}

static void
run(unsigned n, uint8_t to)
{
    for (unsigned i = 0; i < n; i++) {
        receive(to);
    }
    dp_run_main_queues();
}

/* What translation sees, the first packet here, is complete. */
static void
test_output(void **state)
{
    set_toy(1, TOY_OUT, 2);
    run(1, 1);
    check(2, 0, 1);
    run(7, 1);
    check(2, 7, 1);
    set_toy(1, TOY_OUT, 3);
    run(1, 2);
    run(7, 2);
    check(3, 0, 8);
    for (unsigned i = 0; i < 5; i++) { /* both in a batch */
        receive(1);
        receive(2);
    }
    dp_run_main_queues();
    check(2, 12, 1);
    check(3, 0, 13);
    check(7, 0, 0);
}

static void
test_short_cut(void **state)
{
    set_toy(1, TOY_P2P, 2);
    run(1, 1);
    run(9, 2);
    check(2, 9, 1);
    /* One that is not simple sends them all the long way, marked already. */
    {
        struct packet *p = make_packet(1);

        receive(1);
        packet_data(p)[12] = 0x86;
        dummy_receive(netdev_dummy_cast(p1), 0, p);
        receive(1);
        dp_run_main_queues();
    }
    assert_int_equal(seen[2].marked, 11);
    assert_int_equal(tx_packets(p2), 13);
}

static void
test_short_cut_elsewhere(void **state)
{
    set_toy(1, TOY_P2P, 3);
    run(1, 1);
    run(9, 2);
    check(3, 0, 10);
}

/* Copies share a frame, and tags move what the request would name: complete for all of them. */
static void
test_several_outputs(void **state)
{
    set_toy(1, TOY_FLOOD_TAGGED, 0);
    run(1, 1);
    run(5, 1);
    check(2, 0, 6);
    check(3, 0, 6);
    check(7, 0, 6);
}

static void
test_not_installed(void **state)
{
    set_toy(1, TOY_ONCE, 2);
    run(3, 1);
    check(2, 0, 3);
}

/* A port that gives the ability up is another one to packets that wait for it. */
static void
test_reconfigured(void **state)
{
    uint64_t id = dp_port_lookup(dp, 2)->id;

    set_toy(1, TOY_OUT, 2);
    run(1, 1);
    run(3, 1);
    reconfigure(p2, 2, true);
    assert_int_equal(dp_port_lookup(dp, 2)->id, id);
    reconfigure(p2, 2, false);
    assert_false(netdev_any_tx_csum());
    assert_int_not_equal(dp_port_lookup(dp, 2)->id, id);
    id = dp_port_lookup(dp, 2)->id;
    run(3, 1);
    check(2, 3, 4);
    reconfigure(p2, 2, true);
    assert_int_equal(dp_port_lookup(dp, 2)->id, id);
    run(3, 1);
    check(2, 6, 4);
}

#define S(NAME) cmocka_unit_test_setup_teardown(NAME, spy_setup, spy_teardown)

int
main(void)
{
    const struct CMUnitTest tests[] = {
        S(test_output),          S(test_short_cut),     S(test_short_cut_elsewhere),
        S(test_several_outputs), S(test_not_installed), S(test_reconfigured),
    };

    return run_datapath_tests(tests, ARRAY_SIZE(tests), NULL);
}
