/* SPDX-License-Identifier: Apache-2.0 */

/* Tests lib/netdev (registry, patch) and lib/netdev/dummy through the same doors as the daemon:
 * netdev.h and the control commands.  Needs no privilege. */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "log/ctl.h"
#include "mem/arena.h"
#include "netdev/dummy/netdev-dummy.h"
#include "netdev/netdev.h"
#include "netdev/patch/netdev-patch.h"
#include "os/clock.h"
#include "os/evloop.h"
#include "os/thread.h"
#include "util/xalloc.h"

#define FRAME_A                                                                                \
    "ffffffffffff50540000000108060001080006040001505400000001c0a80001000000000000c0a80002"

static struct evloop *loop;
static char dir[] = "/tmp/test-netdev-dummy.XXXXXX";

/* A control connection that remembers the reply. */
static struct test_conn {
    struct ctl_conn up;
    bool replied, ok;
    char *text;
} conn;

static void
conn_reply(struct ctl_conn *c, bool ok, const char *text)
{
    assert_ptr_equal(c, &conn.up);
    assert_false(conn.replied);
    conn.replied = true;
    conn.ok = ok;
    free(conn.text);
    conn.text = xstrdup(text);
}

static bool
ctl(int argc, const char *const argv[])
{
    conn.up.reply = conn_reply;
    conn.replied = false;
    ctl_dispatch(&conn.up, argc, argv);
    for (unsigned i = 0; !conn.replied && i < 10000; i++) {
        evloop_turn(loop, 0);
    }
    assert_true(conn.replied);
    return conn.ok;
}
#define CTL(...)                                                                               \
    ctl(sizeof((const char *[]){__VA_ARGS__}) / sizeof(const char *),                          \
        (const char *[]){__VA_ARGS__})

static struct netdev *
open_port(const char *name, const char *type, ...)
{
    struct netdev *netdev;
    char *err = NULL;
    struct smap options = SMAP_INIT;
    va_list args;
    const char *key;

    va_start(args, type);
    while ((key = va_arg(args, const char *))) {
        smap_set(&options, key, va_arg(args, const char *));
    }
    va_end(args);
    assert_int_equal(netdev_open(name, type, &netdev, &err), 0);
    assert_int_equal(netdev_set_config(netdev, &options, &err), 0);
    assert_int_equal(netdev_reconfigure(netdev, &err), 0);
    assert_null(err);
    smap_destroy(&options);
    return netdev;
}

static struct netdev_rxq *
open_rxq(struct netdev *netdev, unsigned qid)
{
    struct netdev_rxq *rxq;
    char *err = NULL;
    assert_int_equal(netdev_rxq_open(netdev, qid, &rxq, &err), 0);
    assert_null(err);
    return rxq;
}

static bool
is_readable(int fd)
{
    struct pollfd pfd = {.fd = fd, .events = POLLIN};
    return poll(&pfd, 1, 0) == 1;
}

static void
hex_of(const struct packet *p, char *out)
{
    for (unsigned i = 0; i < p->len; i++) {
        sprintf(out + 2 * i, "%02x", packet_data(p)[i]);
    }
}

static unsigned n_flushes;

static void
count_flush(void *aux)
{
    n_flushes++;
}

static void
test_attributes(void **state)
{
    struct netdev *a = open_port("d1", "dummy", NULL);
    struct netdev *b = open_port("d2", "dummy-pmd", "n_rxq", "3", "n_txq", "2", "numa_id", "1",
                                 "ifindex", "77", NULL);
    struct eth_addr mac_a, mac_b;
    int mtu;

    assert_int_equal(netdev_get_etheraddr(a, &mac_a), 0);
    assert_int_equal(netdev_get_etheraddr(b, &mac_b), 0);
    assert_int_equal(eth_addr_to_u64(mac_a) & ~UINT64_C(0xff), UINT64_C(0xaa55aa550000));
    assert_int_equal(eth_addr_to_u64(mac_b), eth_addr_to_u64(mac_a) + 1);
    assert_int_equal(netdev_get_mtu(a, &mtu), 0);
    assert_int_equal(mtu, 1500);
    uint64_t seq = netdev_change_seq(a);
    assert_int_equal(netdev_set_mtu(a, 9000), 0);
    assert_true(netdev_change_seq(a) > seq);
    assert_int_equal(netdev_set_mtu(a, 1), EINVAL);
    assert_int_equal(netdev_get_ifindex(a), 0);
    assert_int_equal(netdev_get_ifindex(b), 77);
    assert_int_equal(netdev_n_rxq(b), 3);
    assert_int_equal(netdev_n_txq(b), 2);
    assert_int_equal(netdev_numa_node(b), 1);
    assert_int_equal(netdev_poll_mode(a), NETDEV_POLL_MAIN);
    assert_int_equal(netdev_poll_mode(b), NETDEV_POLL_PMD);
    assert_ptr_equal(netdev_find("d1"), a);

    struct smap config = SMAP_INIT;
    netdev_get_config(b, &config);
    assert_string_equal(smap_get(&config, "configured_rx_queues"), "3");
    assert_string_equal(smap_get(&config, "requested_tx_queues"), "2");
    smap_destroy(&config);
    netdev_close(a);
    netdev_close(b);
    assert_null(netdev_find("d1"));
}

static void
test_open_errors(void **state)
{
    struct netdev *a = open_port("d1", "dummy", NULL), *b;
    char *err = NULL;

    assert_int_equal(netdev_open("x", "gadget", &b, &err), EAFNOSUPPORT);
    assert_string_equal(err, "could not open network device x "
                             "(Address family not supported by protocol)");
    free(err);
    err = NULL;
    assert_int_equal(netdev_open("d1", "dummy", &b, &err), EEXIST);
    free(err);
    err = NULL;
    assert_int_equal(netdev_open("nosuchdev0", "", &b, &err), ENODEV);
    assert_string_equal(err, "could not open network device nosuchdev0 (No such device)");
    free(err);
    err = NULL;

    struct smap options = SMAP_INIT;
    smap_set(&options, "n_rxq", "many");
    assert_int_equal(netdev_set_config(a, &options, &err), 0); /* has one, come what may */
    assert_false(netdev_needs_reconfigure(a));
    netdev_close(a);
    assert_int_equal(netdev_open("d1", "dummy-pmd", &a, &err), 0);
    assert_int_equal(netdev_set_config(a, &options, &err), EINVAL);
    assert_non_null(strstr(err, "n_rxq=many"));
    free(err);
    smap_destroy(&options);
    netdev_close(a);
}

static void
test_receive_hex(void **state)
{
    struct netdev *a = open_port("d1", "dummy", NULL);
    struct netdev_rxq *rxq = open_rxq(a, 0);
    struct packet_batch batch;
    char hex[256];

    netdev_dummy_set_flush(count_flush, NULL);
    n_flushes = 0;
    assert_false(is_readable(netdev_rxq_fd(rxq)));
    assert_true(CTL("netdev-dummy/receive", "d1", FRAME_A, FRAME_A));
    assert_string_equal(conn.text, "");
    assert_int_equal(n_flushes, 1);
    netdev_dummy_set_flush(NULL, NULL);
    assert_true(is_readable(netdev_rxq_fd(rxq)));
    assert_int_equal(netdev_rxq_recv(rxq, &batch), 2);
    hex_of(batch.pkts[1], hex);
    assert_string_equal(hex, FRAME_A);
    packet_batch_free(&batch);
    assert_false(is_readable(netdev_rxq_fd(rxq)));
    assert_int_equal(netdev_rxq_recv(rxq, &batch), 0);

    struct netdev_stats stats;
    netdev_get_stats(a, &stats);
    assert_int_equal(stats.rx_packets, 2);
    assert_int_equal(stats.rx_bytes, 84);
    assert_int_equal(stats.tx_packets, 0);
    netdev_rxq_close(rxq);
    netdev_close(a);
}

static void
test_receive_flow(void **state)
{
    struct netdev *a = open_port("d1", "dummy-pmd", "n_rxq", "2", NULL);
    struct netdev_rxq *rxq = open_rxq(a, 1);
    struct packet_batch batch;

    assert_true(
        CTL("netdev-dummy/receive", "d1", "--qid", "1",
            "in_port(1),eth(src=50:54:00:00:00:05,dst=50:54:00:00:00:07),"
            "eth_type(0x0800),ipv4(src=192.168.0.1,dst=192.168.0.2,proto=1,tos=0,ttl=64,"
            "frag=no),icmp(type=8,code=0)",
            "--len", "300"));
    assert_int_equal(netdev_rxq_recv(rxq, &batch), 1);
    const uint8_t *data = packet_data(batch.pkts[0]);
    assert_int_equal(batch.pkts[0]->len, 300);
    assert_memory_equal(data, "\x50\x54\x00\x00\x00\x07\x50\x54\x00\x00\x00\x05\x08\x00\x45",
                        15);
    assert_memory_equal(data + 26, "\xc0\xa8\x00\x01\xc0\xa8\x00\x02\x08\x00", 10);
    packet_batch_free(&batch);
    netdev_rxq_close(rxq);
    netdev_close(a);
}

static void
test_receive_errors(void **state)
{
    struct netdev *a = open_port("d1", "dummy", NULL);

    assert_false(CTL("netdev-dummy/receive", "nope", FRAME_A));
    assert_string_equal(conn.text, "no such dummy netdev");
    assert_false(CTL("netdev-dummy/receive", "d1", "zz"));
    assert_true(conn.text[0]);
    assert_false(CTL("netdev-dummy/receive", "d1", "ffff"));
    assert_string_equal(conn.text, "syntax error at ffff");
    assert_false(CTL("netdev-dummy/receive", "d1", "--qid", "7", FRAME_A));
    assert_string_equal(conn.text, "bad rx queue id.");
    assert_false(CTL("netdev-dummy/receive", "d1", "--qid"));
    assert_false(
        CTL("netdev-dummy/receive", "d1", "in_port(1),eth_type(0x1234)", "--len", "x"));
    assert_string_equal(conn.text, "too small packet len");
    assert_false(CTL("netdev-dummy/receive", "d1", "in_port(1),eth_type(0x1234)", "--len"));
    /* Nobody receives: dropped, counted, no error. */
    assert_true(CTL("netdev-dummy/receive", "d1", FRAME_A));
    struct netdev_stats stats;
    netdev_get_stats(a, &stats);
    assert_int_equal(stats.rx_dropped, 1);
    netdev_close(a);
}

static void
test_receive_overflow(void **state)
{
    struct netdev *a = open_port("d1", "dummy", NULL);
    struct netdev_rxq *rxq = open_rxq(a, 0);
    struct packet_batch batch;
    unsigned total = 0, n;

    for (unsigned i = 0; i < 300; i++) {
        assert_true(CTL("netdev-dummy/receive", "d1", FRAME_A));
    }
    while ((n = netdev_rxq_recv(rxq, &batch)) > 0) {
        total += n;
        packet_batch_free(&batch);
        assert_int_equal(is_readable(netdev_rxq_fd(rxq)), total < 256);
    }
    assert_int_equal(total, 256);
    struct netdev_stats stats;
    netdev_get_stats(a, &stats);
    assert_int_equal(stats.rx_dropped, 44);
    /* What still waits at the end is freed (the leak check of the last test sees it). */
    assert_true(CTL("netdev-dummy/receive", "d1", FRAME_A));
    netdev_rxq_close(rxq);
    netdev_close(a);
}

static size_t
read_file(const char *path, uint8_t *buf, size_t size)
{
    FILE *f = fopen(path, "rb");
    assert_non_null(f);
    size_t n = fread(buf, 1, size, f);
    fclose(f);
    return n;
}

static void
test_send_pcap(void **state)
{
    char path[64];
    uint8_t buf[512], pkt[60];

    snprintf(path, sizeof path, "%s/tx.pcap", dir);
    struct netdev *a = open_port("d1", "dummy", "tx_pcap", path, NULL);
    memset(pkt, 0x5a, sizeof pkt);
    struct packet_batch batch;
    packet_batch_init(&batch);
    packet_batch_add(&batch, packet_from_data(pkt, sizeof pkt));
    packet_batch_add(&batch, packet_from_data(pkt, 42));
    /* 1,500 + 14 + two tags is the most; this one is dropped. */
    packet_batch_add(&batch, packet_from_data(buf, 0));
    packet_extend(batch.pkts[2], 1523);
    netdev_send(a, 0, &batch);
    assert_int_equal(batch.n, 0);

    size_t n = read_file(path, buf, sizeof buf);
    assert_int_equal(n, 24 + 16 + 60 + 16 + 42);
    uint32_t head[10];
    memcpy(head, buf, sizeof head);
    assert_int_equal(head[0], 0xa1b2c3d4);
    assert_memory_equal(buf + 4, ((uint16_t[]){2, 4}), 4);
    assert_int_equal(head[5], 1);
    assert_int_equal(head[8], 60);
    assert_int_equal(head[9], 60);
    assert_memory_equal(buf + 40, pkt, 60);
    assert_memory_equal(buf + 116, pkt, 42);

    struct netdev_stats stats;
    netdev_get_stats(a, &stats);
    assert_int_equal(stats.tx_packets, 2);
    assert_int_equal(stats.tx_bytes, 102);
    assert_int_equal(stats.tx_dropped, 1);
    netdev_close(a);

    /* Opened again it is appended to, with no second head. */
    a = open_port("d1", "dummy", "pcap", path, NULL);
    packet_batch_add(&batch, packet_from_data(pkt, 20));
    netdev_send(a, 0, &batch);
    assert_int_equal(read_file(path, buf, sizeof buf), n + 16 + 20);
    struct netdev_rxq *rxq = open_rxq(a, 0);
    assert_true(CTL("netdev-dummy/receive", "d1", FRAME_A));
    assert_int_equal(netdev_rxq_recv(rxq, &batch), 1);
    packet_batch_free(&batch);
    assert_int_equal(read_file(path, buf, sizeof buf), n + 16 + 20 + 16 + 42);
    netdev_rxq_close(rxq);
    netdev_close(a);
    unlink(path);
}

static void
test_admin_state(void **state)
{
    struct netdev *a = open_port("d1", "dummy", NULL);
    struct netdev *b = open_port("d2", "dummy", NULL);
    struct netdev_link link;

    assert_true(netdev_is_up(a));
    assert_true(CTL("netdev-dummy/set-admin-state", "d1", "down"));
    assert_string_equal(conn.text, "OK");
    assert_false(netdev_is_up(a));
    netdev_get_link(a, &link);
    assert_false(link.carrier);
    assert_true(netdev_is_up(b));
    assert_true(CTL("netdev-dummy/set-admin-state", "down"));
    assert_false(netdev_is_up(b));
    assert_true(CTL("netdev-dummy/set-admin-state", "up"));
    assert_true(netdev_is_up(a) && netdev_is_up(b));
    assert_false(CTL("netdev-dummy/set-admin-state", "nope", "up"));
    assert_string_equal(conn.text, "Unknown Dummy Interface");
    assert_false(CTL("netdev-dummy/set-admin-state", "d1", "sideways"));
    assert_string_equal(conn.text, "Invalid Admin State");
    netdev_close(a);
    netdev_close(b);
}

static unsigned n_addrs;

static void
note_addr(const struct in6_addr *addr, unsigned plen, void *aux)
{
    static const uint8_t v4[16] = {[10] = 255, [11] = 255, [12] = 10, [13] = 1, [14] = 2, 3};
    if (n_addrs++ == 0) {
        assert_memory_equal(addr, v4, 16);
        assert_int_equal(plen, 96 + 24);
    } else {
        assert_int_equal(addr->s6_addr[0], 0xfe);
        assert_int_equal(plen, 64);
    }
}

static void
test_addrs(void **state)
{
    struct netdev *a = open_port("d1", "dummy", NULL);

    assert_true(CTL("netdev-dummy/ip4addr", "d1", "10.1.2.3/24"));
    assert_string_equal(conn.text, "OK");
    assert_true(CTL("netdev-dummy/ip6addr", "d1", "fe80::1/64"));
    assert_false(CTL("netdev-dummy/ip4addr", "d1", "10.1.2"));
    assert_false(CTL("netdev-dummy/ip4addr", "d1", "10.1.2.3/33"));
    assert_false(CTL("netdev-dummy/ip6addr", "d1", "xx"));
    assert_string_equal(conn.text, "xx: invalid IPv6 address");
    assert_false(CTL("netdev-dummy/ip4addr", "nope", "10.1.2.3/24"));
    n_addrs = 0;
    netdev_dummy_for_each_addr(a, note_addr, NULL);
    assert_int_equal(n_addrs, 2);
    netdev_close(a);
}

static void
spin(unsigned turns)
{
    for (unsigned i = 0; i < turns; i++) {
        evloop_turn(loop, 5);
    }
}

static void
test_stream(void **state)
{
    char passive[64], active[64], hex[256];
    struct packet_batch batch;

    snprintf(passive, sizeof passive, "punix:%s/wire", dir);
    snprintf(active, sizeof active, "unix:%s/wire", dir);
    struct netdev *a = open_port("d1", "dummy", "pstream", passive, NULL);
    struct netdev *b = open_port("d2", "dummy", "stream", active, NULL);
    struct netdev_rxq *rxq_a = open_rxq(a, 0), *rxq_b = open_rxq(b, 0);
    spin(10);
    assert_true(CTL("netdev-dummy/conn-state"));
    assert_string_equal(conn.text, "d2: connected\n");
    assert_true(CTL("netdev-dummy/conn-state", "d1"));
    assert_string_equal(conn.text, "d1: unknown\n");

    /* What arrives at one end, sent on as it is, comes out of the other: both ways. */
    for (unsigned way = 0; way < 2; way++) {
        struct netdev *from = way ? a : b;
        struct netdev_rxq *rxq_from = way ? rxq_a : rxq_b, *rxq_to = way ? rxq_b : rxq_a;
        assert_true(CTL("netdev-dummy/receive", netdev_name(from), FRAME_A, FRAME_A));
        assert_int_equal(netdev_rxq_recv(rxq_from, &batch), 2);
        netdev_send(from, 0, &batch);
        spin(10);
        assert_int_equal(netdev_rxq_recv(rxq_to, &batch), 2);
        hex_of(batch.pkts[1], hex);
        assert_string_equal(hex, FRAME_A);
        packet_batch_free(&batch);
    }
    netdev_rxq_close(rxq_a);
    netdev_close(a);
    spin(10);
    assert_true(CTL("netdev-dummy/conn-state", "d2"));
    assert_string_equal(conn.text, "d2: disconnected\n");
    netdev_rxq_close(rxq_b);
    netdev_close(b);
}

static void
test_patch(void **state)
{
    struct netdev *p;
    struct smap options = SMAP_INIT;
    char *err = NULL;

    assert_int_equal(netdev_open("p9", "patch", &p, &err), 0);
    assert_int_equal(netdev_set_config(p, &options, &err), EINVAL);
    assert_string_equal(err, "p9: patch type requires valid 'peer' argument");
    free(err);
    err = NULL;
    smap_set(&options, "peer", "p9");
    assert_int_equal(netdev_set_config(p, &options, &err), EINVAL);
    free(err);
    err = NULL;
    smap_set(&options, "peer", "p8");
    assert_int_equal(netdev_set_config(p, &options, &err), 0);
    assert_int_equal(netdev_reconfigure(p, &err), 0);
    assert_string_equal(netdev_patch_peer(p), "p8");
    assert_int_equal(netdev_poll_mode(p), NETDEV_POLL_NONE);
    assert_int_equal(netdev_get_ifindex(p), 0);
    struct netdev_rxq *rxq;
    assert_int_equal(netdev_rxq_open(p, 0, &rxq, &err), EOPNOTSUPP);
    free(err);
    netdev_patch_credit(p, 1, 60, 2, 120);
    netdev_patch_credit(p, 1, 60, 0, 0);
    struct netdev_stats stats;
    netdev_get_stats(p, &stats);
    assert_int_equal(stats.rx_packets, 2);
    assert_int_equal(stats.rx_bytes, 120);
    assert_int_equal(stats.tx_packets, 2);
    assert_int_equal(stats.tx_bytes, 120);
    assert_int_equal(stats.rx_dropped, UINT64_MAX);
    smap_destroy(&options);
    netdev_close(p);
}

static int64_t timer_at[4];
static unsigned n_timer;

static void
on_timer(struct ev_timer *t)
{
    if (n_timer < 4) {
        timer_at[n_timer++] = clock_now_ms();
        ev_timer_start(t, 300);
    }
}

static void
test_time(void **state)
{
    struct ev_timer timer;

    assert_true(CTL("time/stop"));
    assert_true(clock_is_stopped());
    int64_t start = clock_now_ms();
    ev_timer_init(&timer, loop, on_timer, NULL);
    ev_timer_start(&timer, 300);
    assert_true(CTL("time/warp", "1000", "100"));
    assert_string_equal(conn.text, "warped");
    assert_int_equal(clock_now_ms(), start + 1000);
    /* A timer that starts itself again saw each of its times. */
    assert_int_equal(n_timer, 3);
    assert_int_equal(timer_at[0], start + 300);
    assert_int_equal(timer_at[1], start + 600);
    assert_int_equal(timer_at[2], start + 900);
    ev_timer_stop(&timer);
    assert_true(CTL("time/warp", "50"));
    assert_int_equal(clock_now_ms(), start + 1050);
    assert_true(CTL("time/warp", "100", "300"));
    assert_int_equal(clock_now_ms(), start + 1150);
    assert_false(CTL("time/warp", "0"));
    assert_string_equal(conn.text, "invalid MSECS");
    assert_false(CTL("time/warp", "100", "x"));
    assert_false(CTL("time/warp", "-5"));
}

static void
test_no_frame_lost(void **state)
{
    struct arena *arena;
    struct arena_stats stats;

    assert_int_equal(packet_default_arena(FRAME_SZ_SMALL, &arena, NULL), 0);
    arena_get_stats(arena, &stats);
    assert_int_equal(stats.n_free + stats.n_cached, stats.n_frames);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_attributes),     cmocka_unit_test(test_open_errors),
        cmocka_unit_test(test_receive_hex),    cmocka_unit_test(test_receive_flow),
        cmocka_unit_test(test_receive_errors), cmocka_unit_test(test_receive_overflow),
        cmocka_unit_test(test_send_pcap),      cmocka_unit_test(test_admin_state),
        cmocka_unit_test(test_addrs),          cmocka_unit_test(test_stream),
        cmocka_unit_test(test_patch),          cmocka_unit_test(test_time),
        cmocka_unit_test(test_no_frame_lost),
    };
    if (!mkdtemp(dir)) {
        return 1;
    }
    thread_adopt("");
    loop = evloop_create();
    netdev_init(loop, "");
    int rc = cmocka_run_group_tests(tests, NULL, NULL);
    free(conn.text);
    evloop_destroy(loop);
    rmdir(dir);
    return rc;
}
