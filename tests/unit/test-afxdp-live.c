/* SPDX-License-Identifier: Apache-2.0 */
/* AF_XDP ports on real veth pairs: traffic in and out, forwarding without copies, two threads,
 * full rings, link and MTU changes.  Needs root; skipped (exit 77) without.  Every test ends
 * with all frames home and no program left behind. */

#include "afxdp-live.h"

static void
test_receive_and_send(const char *mode)
{
    struct packet *pkts[200];
    struct port p;
    uint8_t expected[2048];

    make_veth("a0", "a1", 2);
    turn_for(20);
    unsigned fds = count_fds();
    int wire = wire_open("a1");
    port_open_ok(&p, "a0", mode, 2);
    assert_true(p.netdev->csum_partial_possible);

    for (unsigned round = 0; round < 30; round++) { /* more than the fill ring has */
        wire_send(wire, 200, 1000);
        assert_int_equal(port_recv(&p, pkts, 200), 200);
        for (unsigned i = 0; i < 200; i++) {
            unsigned serial;
            memcpy(&serial, packet_data(pkts[i]) + 14, sizeof serial);
            make_frame(expected, 1000, serial);
            assert_int_equal(pkts[i]->len, 1000);
            assert_memory_equal(packet_data(pkts[i]), expected, 1000);
            assert_int_equal(pkts[i]->frame.owner, FRAME_OWNER_USER);
            assert_int_equal(pkts[i]->flags, PACKET_CSUM_PARTIAL_POSSIBLE);
            packet_free(pkts[i]);
        }
    }
    for (unsigned i = 0; i < 200; i++) {
        uint8_t f[600];
        make_frame(f, sizeof f, i);
        pkts[i] = packet_from_data(f, sizeof f);
        assert_non_null(pkts[i]);
    }
    port_send(&p, pkts, 200);
    assert_true(wire_recv_all(wire, 200, 600));

    struct netdev_stats s;
    netdev_get_stats(p.netdev, &s);
    assert_true(s.rx_packets >= 6000 && s.rx_bytes >= 6000000);
    assert_int_equal(s.tx_packets, 200);
    assert_int_equal(s.tx_bytes, 200 * 600);
    assert_int_equal(s.tx_dropped, 0);
    struct smap status = SMAP_INIT;
    netdev_get_status(p.netdev, &status);
    assert_string_equal(smap_get(&status, "xdp-mode"), mode);
    assert_string_equal(smap_get(&status, "driver_name"), "veth");
    smap_destroy(&status);
    size_t n;
    struct netdev_custom_stat *cs = netdev_get_custom_stats(p.netdev, &n);
    assert_int_equal(n, 24);
    assert_string_equal(cs[0].name, "xsk_queue_0_rx_dropped");
    assert_string_equal(cs[13].name, "xsk_queue_1_rx_invalid_descs");
    free(cs);

    port_close(&p);
    close(wire);
    assert_int_equal(count_fds(), fds);
    assert_clean("a0");
    run("ip link del a0");
}

static void
test_native(void **state)
{
    test_receive_and_send("native");
}

static void
test_generic(void **state)
{
    test_receive_and_send("generic");
}

/* Forwarding moves descriptors: the payload that leaves B lies where A received it.  And one
 * frame may leave through both. */
static void
test_forward(void **state)
{
    struct packet *pkts[64];
    uint8_t *at[64];
    struct port a, b;

    make_veth("a0", "a1", 1);
    make_veth("b0", "b1", 1);
    int wa = wire_open("a1"), wb = wire_open("b1");
    port_open_ok(&a, "a0", "best-effort", 1);
    port_open_ok(&b, "b0", "generic", 1);
    struct smap cfg = SMAP_INIT;
    netdev_get_config(a.netdev, &cfg);
    assert_string_equal(smap_get(&cfg, "xdp-mode"), "best-effort");
    assert_string_equal(smap_get(&cfg, "xdp-mode-in-use"), "native");
    smap_destroy(&cfg);

    uint64_t copied = coverage("afxdp_tx_copy");
    for (unsigned round = 0; round < 100; round++) {
        wire_send(wa, 64, 1514);
        assert_int_equal(port_recv(&a, pkts, 64), 64);
        for (unsigned i = 0; i < 64; i++) {
            at[i] = packet_data(pkts[i]);
            packet_ref(pkts[i]); /* so that it can be looked at below */
        }
        struct packet *same[64];
        memcpy(same, pkts, sizeof same);
        port_send(&b, pkts, 64);
        assert_true(wire_recv_all(wb, 64, 1514));
        for (unsigned i = 0; i < 64; i++) {
            assert_ptr_equal(packet_data(same[i]), at[i]);
            packet_free(same[i]);
        }
    }
    for (unsigned round = 0; round < 50; round++) { /* a flood: back out of A, and of B */
        wire_send(wa, 32, 300);
        assert_int_equal(port_recv(&a, pkts, 32), 32);
        for (unsigned i = 0; i < 32; i++) {
            packet_ref(pkts[i]);
        }
        port_send(&a, pkts, 32);
        port_send(&b, pkts, 32);
        assert_true(wire_recv_all(wa, 32, 300));
        assert_true(wire_recv_all(wb, 32, 300));
    }
    assert_int_equal(coverage("afxdp_tx_copy"), copied);
    port_close(&a);
    port_close(&b);
    close(wa);
    close(wb);
    assert_clean("a0");
    assert_clean("b0");
    run("ip link del a0; ip link del b0");
}

/* Two threads, as PMDs would: each polls one port and sends on the other, so that every queue
 * has its rings worked on from both; main looks at the counters meanwhile. */
struct mover {
    struct port *from, *to;
    _Atomic bool stop;
    unsigned moved;
};

static void *
move(void *mover_)
{
    struct mover *m = mover_;

    while (!atomic_load_explicit(&m->stop, memory_order_acquire)) {
        struct packet_batch b;
        netdev_rxq_recv(m->from->rxq[0], &b);
        m->moved += b.n;
        if (b.n) {
            netdev_send(m->to->netdev, 0, &b);
        } else {
            usleep(200);
        }
        netdev_tx_poll(m->to->netdev, 0);
    }
    return NULL;
}

static void
test_two_threads(void **state)
{
    struct port a, b;

    make_veth("a0", "a1", 1);
    make_veth("b0", "b1", 1);
    int wa = wire_open("a1"), wb = wire_open("b1");
    port_open_ok(&a, "a0", "native", 1);
    port_open_ok(&b, "b0", "native", 1);
    struct mover ab = {.from = &a, .to = &b}, ba = {.from = &b, .to = &a};
    pthread_t tab = thread_start("ab", move, &ab), tba = thread_start("ba", move, &ba);
    for (unsigned round = 0; round < 40; round++) {
        struct netdev_stats s;
        wire_send(wa, 100, 200);
        wire_send(wb, 100, 900);
        netdev_get_stats(a.netdev, &s);
        assert_true(wire_recv_all(wb, 100, 200));
        assert_true(wire_recv_all(wa, 100, 900));
    }
    atomic_store_explicit(&ab.stop, true, memory_order_release);
    atomic_store_explicit(&ba.stop, true, memory_order_release);
    thread_join(tab);
    thread_join(tba);
    assert_true(ab.moved >= 4000 && ba.moved >= 4000);
    port_close(&a);
    port_close(&b);
    close(wa);
    close(wb);
    assert_clean("a0");
    run("ip link del a0; ip link del b0");
}

static unsigned
send_many(struct port *p, unsigned n)
{
    for (unsigned i = 0; i < n; i++) {
        uint8_t f[100];
        struct packet_batch b;
        packet_batch_init(&b);
        while (!packet_batch_full(&b)) {
            make_frame(f, sizeof f, i);
            struct packet *pkt = packet_from_data(f, sizeof f);
            assert_non_null(pkt);
            packet_batch_add(&b, pkt);
        }
        netdev_send(p->netdev, 0, &b);
    }
    struct netdev_stats s;
    netdev_get_stats(p->netdev, &s);
    return (unsigned) s.tx_dropped;
}

/* Without a carrier the kernel takes one descriptor per call: the ring fills, the rest of a
 * burst is dropped and counted, and what is in the ring comes home at close. */
static void
test_tx_ring_full(void **state)
{
    struct port p;
    char *err = NULL;

    make_veth("a0", "a1", 1);
    assert_int_equal(port_open(&p, "a0", "native", 1, "tx-ring-size", "64", &err), 0);
    run("ip link set a1 down");
    uint64_t before = coverage("drop_afxdp_tx_ring_full");
    unsigned dropped = send_many(&p, 10);
    assert_true(dropped > 100 && dropped < 320);
    assert_int_equal(coverage("drop_afxdp_tx_ring_full") - before, dropped);
    port_close(&p);
    assert_clean("a0");
    run("ip link del a0");
}

static void
test_link_down(void **state)
{
    struct port p;

    make_veth("a0", "a1", 1);
    run("ip link set a0 down"); /* a port may be added before its link is up */
    int wire = wire_open("a1");
    port_open_ok(&p, "a0", "native", 1);
    uint64_t seq = netdev_change_seq(p.netdev);
    assert_int_equal(netdev_set_up(p.netdev, false), 0);
    assert_false(netdev_is_up(p.netdev));
    send_many(&p, 3);
    netdev_tx_poll(p.netdev, 0);
    uint64_t before = coverage("drop_afxdp_tx_link_down");
    send_many(&p, 1);
    assert_int_equal(coverage("drop_afxdp_tx_link_down") - before, 32);
    assert_int_equal(netdev_set_up(p.netdev, true), 0);
    turn_for(50);
    assert_true(netdev_change_seq(p.netdev) > seq);
    while (recv(wire, &(char[2048]){0}, 2048, MSG_DONTWAIT) >= 0) {
    }
    for (int i = 0; i < 100 && netdev_tx_poll(p.netdev, 0); i++) {
        usleep(1000);
    }
    uint8_t f[200];
    make_frame(f, sizeof f, 0);
    while (recv(wire, &(char[2048]){0}, 2048, MSG_DONTWAIT) >= 0) {
    }
    struct packet *pkt = packet_from_data(f, sizeof f);
    port_send(&p, &pkt, 1);
    assert_true(wire_recv_all(wire, 1, sizeof f)); /* works again */
    port_close(&p);
    close(wire);
    assert_clean("a0");
    run("ip link del a0");
}

static void
test_mtu(void **state)
{
    struct packet *pkts[32];
    char *err = NULL;
    struct port p;

    make_veth("a0", "a1", 1);
    run("ip link set a1 mtu 3000");
    int wire = wire_open("a1");
    port_open_ok(&p, "a0", "native", 1);
    assert_int_equal(netdev_set_mtu(p.netdev, 9001), EINVAL);
    assert_int_equal(netdev_set_mtu(p.netdev, 1400), 0);
    assert_false(netdev_needs_reconfigure(p.netdev));
    assert_int_equal(netdev_set_mtu(p.netdev, 3000), 0);
    assert_true(netdev_needs_reconfigure(p.netdev));
    netdev_rxq_close(p.rxq[0]);
    if (netdev_reconfigure(p.netdev, &err)) {
        fail_msg("%s", err);
    }
    assert_int_equal(netdev_rxq_open(p.netdev, 0, &p.rxq[0], NULL), 0);
    wire_send(wire, 32, 3014);
    assert_int_equal(port_recv(&p, pkts, 32), 32);
    assert_int_equal(arena_frame_sz(packet_arena(pkts[0])), FRAME_SZ_LARGE);
    port_send(&p, pkts, 32);
    assert_true(wire_recv_all(wire, 32, 3014));

    uint8_t f[100];
    make_frame(f, sizeof f, 0);
    struct packet *small = packet_from_data(f, sizeof f);
    uint64_t copied = coverage("afxdp_tx_copy");
    port_send(&p, &small, 1); /* from the small arena: copied into this one */
    assert_int_equal(coverage("afxdp_tx_copy"), copied + 1);
    assert_true(wire_recv_all(wire, 1, sizeof f));
    assert_int_equal(netdev_set_mtu(p.netdev, 1500), 0);
    uint64_t bad = coverage("drop_afxdp_tx_bad_length");
    static const uint16_t lengths[] = {13, 1519, 1500 + 18, 14}; /* two bad, two good */
    for (unsigned i = 0; i < 4; i++) {
        pkts[i] = packet_alloc(arenas[0], lengths[i]);
        memset(packet_data(pkts[i]), 0, lengths[i]);
    }
    port_send(&p, pkts, 4);
    assert_int_equal(coverage("drop_afxdp_tx_bad_length"), bad + 2);
    port_close(&p);
    close(wire);
    assert_clean("a0");
    run("ip link del a0");
}

/* Packets of several frames: in, out again, some with a ring too small for a burst of them, of
 * which no half goes out. */
static void
test_jumbo(void **state)
{
    static const unsigned lengths[] = {9014, 3648, 3649, 7296, 7297};
    struct packet *pkts[32];
    char *err = NULL;
    struct port p;

    make_veth("a0", "a1", 1);
    assert_int_equal(port_open(&p, "a0", "native", 1, "tx-ring-size", "64", &err), 0);
    assert_int_equal(netdev_set_mtu(p.netdev, 9000), 0);
    assert_true(netdev_needs_reconfigure(p.netdev));
    netdev_rxq_close(p.rxq[0]);
    if (netdev_reconfigure(p.netdev, &err)) {
        assert_non_null(strstr(err, "several")); /* an older kernel */
        free(err);
        assert_int_equal(netdev_set_mtu(p.netdev, 1500), 0);
        assert_int_equal(netdev_reconfigure(p.netdev, NULL), 0);
        assert_int_equal(netdev_rxq_open(p.netdev, 0, &p.rxq[0], NULL), 0);
        port_close(&p);
        run("ip link del a0");
        skip();
    }
    assert_int_equal(netdev_rxq_open(p.netdev, 0, &p.rxq[0], NULL), 0);
    run("ip link set a1 mtu 9000");
    int wire = wire_open("a1");
    for (unsigned i = 0; i < ARRAY_SIZE(lengths); i++) {
        wire_send(wire, 32, lengths[i]);
        assert_int_equal(port_recv(&p, pkts, 32), 32);
        assert_int_equal(pkts[31]->len, lengths[i]);
        port_send(&p, pkts, 32);
        assert_true(wire_recv_all(wire, 32, lengths[i]));
    }
    /* Those that wait come together. */
    bool together = false;
    for (unsigned tries = 0; tries < 1000 && !together; tries++) {
        struct packet_batch b;
        if (tries % 10 == 0) {
            wire_send(wire, 32, 9014);
        }
        netdev_rxq_recv(p.rxq[0], &b);
        together = b.n > 1 && b.pkts[0]->len == 9014 && b.pkts[1]->len == 9014;
        packet_batch_free(&b);
        usleep(1000);
    }
    assert_true(together);
    assert_true(coverage("afxdp_rx_jumbo") > 0);
    assert_true(coverage("afxdp_tx_jumbo") > 0);
    port_close(&p);
    close(wire);
    assert_clean("a0");
    run("ip link del a0");
}

static char *shown;

static void
take_reply(struct ctl_conn *conn, bool ok, const char *text)
{
    free(shown);
    shown = ok ? xstrdup(text) : NULL;
}

static void
test_show(void **state)
{
    struct ctl_conn conn = {take_reply};
    const char *argv[] = {"afxdp/show", "a0"};
    struct port p;

    make_veth("a0", "a1", 2);
    port_open_ok(&p, "a0", "native", 2);
    ctl_dispatch(&conn, 2, argv);
    assert_non_null(shown);
    assert_non_null(strstr(shown, "a0: xdp-mode native (native wanted)"));
    assert_non_null(strstr(shown, "queue 1: fill "));
    assert_non_null(strstr(shown, ", sending 0\n"));
    assert_non_null(strstr(shown, "rx_fill_ring_empty_descs:0"));
    argv[1] = "b0";
    ctl_dispatch(&conn, 2, argv);
    assert_null(shown);
    ctl_dispatch(&conn, 1, argv);
    assert_non_null(strstr(shown, "frames of 2048 bytes"));
    free(shown);
    shown = NULL;
    port_close(&p);
    assert_clean("a0");
    run("ip link del a0");
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_native),       cmocka_unit_test(test_generic),
        cmocka_unit_test(test_forward),      cmocka_unit_test(test_two_threads),
        cmocka_unit_test(test_tx_ring_full), cmocka_unit_test(test_link_down),
        cmocka_unit_test(test_mtu),          cmocka_unit_test(test_jumbo),
        cmocka_unit_test(test_show),
    };
    int status = afxdp_live_begin();

    return status ? status : cmocka_run_group_tests(tests, NULL, NULL);
}
