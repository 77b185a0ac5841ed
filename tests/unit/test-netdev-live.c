/* SPDX-License-Identifier: Apache-2.0 */

/* Tests the tap and AF_PACKET providers against the kernel, in network namespaces that vanish
 * with the test's processes.  The main proof is a switch of a few lines between two namespaces
 * whose stacks send TCP with every offload they have.  Skipped without privilege. */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <arpa/inet.h>
#include <errno.h>
#include <net/if.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "flow/flow-key.h"
#include "log/coverage.h"
#include "mem/arena.h"
#include "netdev/netdev.h"
#include "netdev/system/system-private.h"
#include "os/clock.h"
#include "os/evloop.h"
#include "os/fd-closer.h"
#include "os/rtnl.h"
#include "os/thread.h"
#include "packet/headers.h"
#include "packet/packet-ops.h"
#include "util/csum.h"
#include "util/xalloc.h"

#define TRANSFER (3 * 1024 * 1024)

static bool have_netns;
static struct evloop *loop;

static void PRINTF_FORMAT(1, 2) sh(const char *format, ...)
{
    va_list args;
    va_start(args, format);
    char *command = xvasprintf(format, args);
    va_end(args);
    int rc = system(command);
    if (rc) {
        fprintf(stderr, "%s: %d\n", command, rc);
    }
    free(command);
    assert_int_equal(rc, 0);
}

static void
needs_netns(void)
{
    if (!have_netns) {
        skip();
    }
}

static struct netdev *
open_port(const char *name, const char *type)
{
    struct netdev *netdev;
    char *err = NULL;
    if (netdev_open(name, type, &netdev, &err)) {
        fail_msg("%s", err);
    }
    assert_int_equal(netdev_reconfigure(netdev, &err), 0);
    assert_int_equal(netdev_set_up(netdev, true), 0);
    return netdev;
}

static struct netdev_rxq *
open_rxq(struct netdev *netdev)
{
    struct netdev_rxq *rxq;
    char *err = NULL;
    if (netdev_rxq_open(netdev, 0, &rxq, &err)) {
        fail_msg("%s", err);
    }
    return rxq;
}

/* Waits for an ARP request; NULL after two seconds. */
static struct packet *
wait_arp(struct netdev_rxq *rxq)
{
    struct packet_batch batch;
    for (unsigned i = 0; i < 20; i++) {
        struct pollfd pfd = {.fd = netdev_rxq_fd(rxq), .events = POLLIN};
        poll(&pfd, 1, 100);
        while (netdev_rxq_recv(rxq, &batch)) {
            struct packet *found = NULL;
            for (unsigned k = 0; k < batch.n; k++) {
                const struct eth_hdr *eth = (const void *) packet_data(batch.pkts[k]);
                if (!found && eth->type_be == htons(ETH_TYPE_ARP)) {
                    found = batch.pkts[k];
                    packet_ref(found);
                }
            }
            packet_batch_free(&batch);
            if (found) {
                return found;
            }
        }
    }
    return NULL;
}

static void
test_tap_round_trip(void **state)
{
    static const struct eth_addr mac = {{2, 0, 0, 0, 0, 0x31}};
    struct eth_addr got;
    int mtu;

    needs_netns();
    struct netdev *tap = open_port("xt0", "internal");
    struct netdev_rxq *rxq = open_rxq(tap);
    assert_true(netdev_is_up(tap));
    assert_true(netdev_get_ifindex(tap) > 0);
    assert_int_equal(netdev_set_etheraddr(tap, mac), 0);
    assert_int_equal(netdev_get_etheraddr(tap, &got), 0);
    assert_true(eth_addr_equal(mac, got));
    assert_int_equal(netdev_set_mtu(tap, 1400), 0);
    assert_int_equal(netdev_get_mtu(tap, &mtu), 0);
    assert_int_equal(mtu, 1400);
    assert_false(netdev_needs_reconfigure(tap));
    assert_int_equal(netdev_set_mtu(tap, 20000), EINVAL);

    sh("ip addr add 10.77.0.1/24 dev xt0; (ping -c1 -W2 10.77.0.2 >/dev/null 2>&1 &)");
    struct packet *p = wait_arp(rxq);
    assert_non_null(p);
    assert_int_equal(p->len, 42);
    struct eth_hdr *eth = (void *) packet_data(p);
    struct arp_hdr *arp = (void *) (eth + 1);
    assert_true(eth_addr_equal(eth->src, mac));
    assert_int_equal(arp->tpa_be, inet_addr("10.77.0.2"));

    /* Answered, the host knows the neighbour. */
    arp->op_be = htons(2);
    arp->tha = eth->dst = arp->sha;
    arp->sha = eth->src = (struct eth_addr){{2, 0, 0, 0, 0, 0x32}};
    uint32_t spa = arp->spa_be;
    arp->spa_be = arp->tpa_be;
    arp->tpa_be = spa;
    struct packet_batch batch = {1, {p}};
    netdev_send(tap, 0, &batch);
    sh("ip neigh show dev xt0 | grep -q '10.77.0.2 lladdr 02:00:00:00:00:32'");

    struct netdev_stats stats;
    netdev_get_stats(tap, &stats);
    assert_true(stats.rx_packets >= 1);
    assert_int_equal(stats.tx_packets, 1);
    assert_int_equal(stats.tx_bytes, 42);
    struct smap status = SMAP_INIT;
    netdev_get_status(tap, &status);
    assert_string_equal(smap_get(&status, "driver_name"), "tun");
    smap_destroy(&status);

    /* Larger MTU, larger frames. */
    assert_int_equal(netdev_set_mtu(tap, 3000), 0);
    assert_true(netdev_needs_reconfigure(tap));
    netdev_rxq_close(rxq);
    char *err = NULL;
    assert_int_equal(netdev_reconfigure(tap, &err), 0);
    rxq = open_rxq(tap);
    netdev_rxq_close(rxq);
    netdev_close(tap);
    struct rtnl_link link;
    assert_int_equal(rtnl_link_get("xt0", &link), ENODEV);
}

static void
test_tap_names(void **state)
{
    struct netdev *tap;
    struct rtnl_link link;
    char *err = NULL;

    needs_netns();
    sh("ip link add xt0 type veth peer name xt1");
    assert_int_equal(netdev_open("xt0", "internal", &tap, &err), EEXIST);
    assert_non_null(strstr(err, "veth"));
    free(err);
    err = NULL;
    assert_int_equal(rtnl_link_get("xt0", &link), 0);
    sh("ip link del xt0");
    assert_int_equal(netdev_open("a-name-too-long-for-linux", "tap", &tap, &err), ENAMETOOLONG);
    free(err);
    err = NULL;
    assert_int_equal(netdev_open("xt%d", "tap", &tap, &err), EINVAL);
    free(err);

    /* A persistent device left behind: internal takes it over for good, tap leaves it. */
    sh("ip tuntap add dev xt0 mode tap");
    netdev_close(open_port("xt0", "tap"));
    assert_int_equal(rtnl_link_get("xt0", &link), 0);
    netdev_close(open_port("xt0", "internal"));
    assert_int_equal(rtnl_link_get("xt0", &link), ENODEV);
}

static void
test_tap_dies_with_process(void **state)
{
    struct rtnl_link link;
    int ready[2];
    char byte;

    needs_netns();
    assert_int_equal(pipe(ready), 0);
    pid_t pid = fork();
    if (!pid) {
        struct netdev *tap;
        prctl(PR_SET_PDEATHSIG, SIGKILL);
        if (!netdev_open("xt0", "internal", &tap, NULL) && write(ready[1], "x", 1) == 1) {
            pause();
        }
        _exit(1);
    }
    close(ready[1]);
    assert_int_equal(read(ready[0], &byte, 1), 1);
    close(ready[0]);
    assert_int_equal(rtnl_link_get("xt0", &link), 0);
    kill(pid, SIGKILL);
    waitpid(pid, NULL, 0);
    assert_int_equal(rtnl_link_get("xt0", &link), ENODEV);
}

/* One end of a transfer, in a namespace of its own; runs in a child. */
static void
endpoint_bytes(uint8_t *buf, size_t n, uint32_t ofs)
{
    for (size_t i = 0; i < n; i++) {
        buf[i] = (uint8_t) ((ofs + i) * 131 >> 3);
    }
}

static bool
endpoint_serve(int port)
{
    static uint8_t buf[65536], expect[65536];
    struct sockaddr_in6 sin = {.sin6_family = AF_INET6, .sin6_port = htons((uint16_t) port)};
    int fd = socket(AF_INET6, SOCK_STREAM, 0), one = 1;
    setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof one);
    if (bind(fd, (void *) &sin, sizeof sin) || listen(fd, 1)) {
        return false;
    }
    int c = accept(fd, NULL, NULL);
    uint32_t got = 0;
    ssize_t n;
    while ((n = read(c, buf, sizeof buf)) > 0) {
        endpoint_bytes(expect, (size_t) n, got);
        if (memcmp(buf, expect, (size_t) n)) {
            return false;
        }
        got += (uint32_t) n;
    }
    return got == TRANSFER;
}

static bool
endpoint_send(const char *addr, int port)
{
    static uint8_t buf[65536];
    struct sockaddr_in6 sin = {.sin6_family = AF_INET6, .sin6_port = htons((uint16_t) port)};
    inet_pton(AF_INET6, addr, &sin.sin6_addr);
    int fd = socket(AF_INET6, SOCK_STREAM, 0);
    for (unsigned tries = 0; connect(fd, (void *) &sin, sizeof sin); tries++) {
        if (tries == 50) {
            return false;
        }
        close(fd);
        usleep(50000);
        fd = socket(AF_INET6, SOCK_STREAM, 0);
    }
    for (uint32_t ofs = 0; ofs < TRANSFER;) {
        endpoint_bytes(buf, sizeof buf, ofs);
        ssize_t n = write(fd, buf, MIN(sizeof buf, (size_t) TRANSFER - ofs));
        if (n <= 0) {
            return false;
        }
        ofs += (uint32_t) n;
    }
    close(fd);
    return true;
}

struct endpoint {
    pid_t pid;
    int go; /* written to when the interface is in the namespace */
};

static const struct {
    const char *dst;
    int port;
} transfers[] = {
    {"::ffff:10.78.0.2", 5001}, /* TCP over IPv4 */
    {"fd78::2", 5002},          /* TCP over IPv6 */
    {"::ffff:10.79.0.2", 5003}, /* the same with a VLAN tag, where the kernel has 8021q */
};
static unsigned n_transfers;

static struct endpoint
endpoint_start(const char *ifname, unsigned n)
{
    int go[2], up[2];
    char byte;
    assert_int_equal(pipe(go), 0);
    assert_int_equal(pipe(up), 0);
    struct endpoint e = {.pid = fork(), .go = go[1]};
    if (!e.pid) {
        bool ok = true;
        char cmd[512];
        prctl(PR_SET_PDEATHSIG, SIGKILL);
        alarm(60);
        if (unshare(CLONE_NEWNET) || write(up[1], "x", 1) != 1 || read(go[0], &byte, 1) != 1) {
            _exit(2);
        }
        snprintf(cmd, sizeof cmd,
                 "ip link set lo up; ip addr add 10.78.0.%u/24 dev %s;"
                 "ip addr add fd78::%u/64 dev %s nodad; ip link set %s up;"
                 "[ %d = 2 ] || { ip link add link %s name v7 type vlan id 7;"
                 "ip addr add 10.79.0.%u/24 dev v7; ip link set v7 up; }",
                 n, ifname, n, ifname, ifname, (int) n_transfers, ifname, n);
        if (system(cmd)) {
            _exit(3);
        }
        for (unsigned i = 0; i < n_transfers && ok; i++) {
            ok = n == 2 ? endpoint_serve(transfers[i].port)
                        : endpoint_send(transfers[i].dst, transfers[i].port);
        }
        _exit(ok ? 0 : 4);
    }
    assert_int_equal(read(up[0], &byte, 1), 1);
    close(up[0]);
    close(up[1]);
    close(go[0]);
    return e;
}

static unsigned n_forwarded, n_tagged, n_full;

/* Every packet is one that any port could send: short enough, and with right checksums. */
static void
check_packet(struct packet *p)
{
    struct flow_key key;
    uint8_t *data = packet_data(p);
    struct eth_hdr *eth = (void *) data;

    n_forwarded++;
    if (eth->type_be == htons(ETH_TYPE_VLAN)) {
        n_tagged++;
        assert_int_equal((data[14] << 8 | data[15]) & VLAN_VID_MASK, 7);
    }
    assert_true(p->len <= 1514 + VLAN_HDR_LEN);
    n_full += p->len >= 1500;
    flow_key_extract(p, &key);
    if (p->l4_ofs == PACKET_OFS_NONE || !p->l4_len) {
        return;
    }
    const uint8_t *l3 = data + p->l3_ofs, *l4 = data + p->l4_ofs;
    uint32_t sum;
    if (l3[0] >> 4 == 4 && l3[9] == IP_PROTO_TCP) {
        uint32_t src, dst;
        memcpy(&src, l3 + 12, 4);
        memcpy(&dst, l3 + 16, 4);
        sum = csum_pseudo_v4(src, dst, IP_PROTO_TCP, p->l4_len);
    } else if (l3[0] >> 4 == 6 && l3[6] == IP_PROTO_TCP) {
        sum = csum_pseudo_v6(l3 + 8, l3 + 24, IP_PROTO_TCP, p->l4_len);
    } else {
        return;
    }
    assert_int_equal(csum_finish(csum_add(sum, l4, p->l4_len)), 0);
}

static void
forward(struct netdev_rxq *from, struct netdev *to)
{
    struct packet_batch batch;
    /* One batch a turn, as the main loop does: what is left must keep the queue readable. */
    if (netdev_rxq_recv(from, &batch)) {
        for (unsigned i = 0; i < batch.n; i++) {
            check_packet(batch.pkts[i]);
        }
        netdev_send(to, 0, &batch);
        assert_int_equal(batch.n, 0);
    }
}

static void
test_system_switch(void **state)
{
    needs_netns();
    n_transfers =
        system("ip link add link lo name v7 type vlan id 7 2>/dev/null && ip link del v7") ? 2
                                                                                           : 3;
    struct endpoint e1 = endpoint_start("xs1", 1), e2 = endpoint_start("ys1", 2);
    sh("ip link add xs0 type veth peer name xs1 netns %d", (int) e1.pid);
    sh("ip link add ys0 type veth peer name ys1 netns %d", (int) e2.pid);
    struct netdev *a = open_port("xs0", "system"), *b = open_port("ys0", "");
    assert_string_equal(netdev_type(b), "system");
    struct netdev_rxq *rxq_a = open_rxq(a), *rxq_b = open_rxq(b);
    assert_int_equal(write(e1.go, "x", 1), 1);
    assert_int_equal(write(e2.go, "x", 1), 1);

    struct pollfd pfds[2] = {
        {.fd = netdev_rxq_fd(rxq_a), .events = POLLIN},
        {.fd = netdev_rxq_fd(rxq_b), .events = POLLIN},
    };
    int status1 = -1, status2 = -1;
    pid_t left1 = e1.pid, left2 = e2.pid;
    int64_t deadline = clock_real_ns() + INT64_C(50000000000);
    while ((left1 || left2) && clock_real_ns() < deadline) {
        poll(pfds, 2, 50);
        evloop_turn(loop, 0); /* the peers come up at some time */
        if (pfds[0].revents & POLLIN) {
            forward(rxq_a, b);
        }
        if (pfds[1].revents & POLLIN) {
            forward(rxq_b, a);
        }
        if (left1 && waitpid(left1, &status1, WNOHANG) == left1) {
            left1 = 0;
        }
        if (left2 && waitpid(left2, &status2, WNOHANG) == left2) {
            left2 = 0;
        }
    }
    assert_int_equal(status1, 0);
    assert_int_equal(status2, 0);
    uint64_t n_super = 0;
    coverage_read("system_rx_super_frame", &n_super);
    print_message("%u packets forwarded, %u tagged, %u full, from %u super-frames\n",
                  n_forwarded, n_tagged, n_full, (unsigned) n_super);
    assert_true(n_transfers == 2 || n_tagged > 1000);
    assert_true(n_full > n_transfers * (TRANSFER / 1500) * 9 / 10);
    assert_true(n_super > 50);

    /* The kernel's counters, from the device's side. */
    struct netdev_stats stats;
    netdev_get_stats(a, &stats);
    assert_true(stats.rx_bytes > n_transfers * TRANSFER);
    assert_true(stats.tx_packets > 100);
    struct netdev_link link;
    netdev_get_link(b, &link);
    assert_int_equal(link.speed_bps, UINT64_C(10000000000));
    assert_int_equal(link.duplex, 1);

    netdev_rxq_close(rxq_a);
    netdev_rxq_close(rxq_b);
    netdev_close(a);
    netdev_close(b);
    /* The namespaces end with their processes and take these along, but at leisure. */
    sh("ip link del xs0 2>/dev/null; ip link del ys0 2>/dev/null; true");
}

static void
test_system_vlan(void **state)
{
    static const uint16_t tpids[] = {ETH_TYPE_VLAN, ETH_TYPE_QINQ};
    uint8_t frame[100];
    struct packet_batch batch;

    needs_netns();
    sh("ip link add xs0 type veth peer name xs1; ip link set xs1 up");
    struct netdev *a = open_port("xs0", "system");
    struct netdev_rxq *rxq = open_rxq(a);
    int fd = socket(AF_PACKET, SOCK_RAW, 0);
    struct sockaddr_ll sll = {
        .sll_family = AF_PACKET,
        .sll_ifindex = (int) if_nametoindex("xs1"),
    };
    assert_int_equal(bind(fd, (void *) &sll, sizeof sll), 0);

    /* The kernel takes the tag out on receive; the port puts the very same one back. */
    for (unsigned i = 0; i < 2; i++) {
        memset(frame, 0x5a, sizeof frame);
        memcpy(frame, "\x02\0\0\0\0\1\x02\0\0\0\0\2", 12);
        frame[12] = (uint8_t) (tpids[i] >> 8);
        frame[13] = (uint8_t) tpids[i];
        memcpy(frame + 14, "\xb0\x07\x12\x34", 4);
        bool found = false;
        for (unsigned turn = 0; turn < 20 && !found; turn++) {
            struct pollfd pfd = {.fd = netdev_rxq_fd(rxq), .events = POLLIN};
            /* Again each turn: it takes the pair a while to find that it has carrier. */
            assert_int_equal(send(fd, frame, sizeof frame, 0), sizeof frame);
            poll(&pfd, 1, 100);
            netdev_rxq_recv(rxq, &batch);
            for (unsigned k = 0; k < batch.n; k++) {
                const struct packet *p = batch.pkts[k];
                if (!memcmp(packet_data(p), frame, 12)) {
                    found = true;
                    assert_int_equal(p->len, sizeof frame);
                    assert_memory_equal(packet_data(p), frame, sizeof frame);
                }
            }
            packet_batch_free(&batch);
        }
        assert_true(found);
    }
    close(fd);

    /* Longer than the interface allows: that one is dropped and counted, its neighbours go. */
    struct netdev_stats before, after;
    netdev_get_stats(a, &before);
    batch.n = 3;
    for (unsigned i = 0; i < 3; i++) {
        batch.pkts[i] = packet_new(i == 1 ? 3000 : 100);
        memset(packet_data(batch.pkts[i]), 0, batch.pkts[i]->len);
        memcpy(packet_data(batch.pkts[i]), frame, 12);
    }
    netdev_send(a, 3, &batch);
    netdev_get_stats(a, &after);
    assert_int_equal(after.tx_packets - before.tx_packets, 2);
    assert_int_equal(after.tx_dropped - before.tx_dropped, 1);
    netdev_rxq_close(rxq);
    netdev_close(a);
    sh("ip link del xs0");
}

static unsigned n_notices;

static void
note(const char *name, void *aux)
{
    n_notices += !strcmp(name, "xs0");
}

static void
test_system_events(void **state)
{
    const char *why = NULL;
    int mtu;

    needs_netns();
    netdev_subscribe(note, NULL);
    sh("ip link add xs0 type veth peer name xs1; ip link set xs1 up");
    struct netdev *a = open_port("xs0", "system");
    struct rtnl_link link;
    assert_int_equal(rtnl_link_get("xs0", &link), 0);
    /* Membership in a packet socket counts as promiscuity without the flag being set by hand.
     */
    sh("ip -d link show xs0 | grep -q 'promiscuity [1-9]'");
    uint64_t seq = netdev_change_seq(a);
    sh("ip link set xs0 mtu 1400");
    for (unsigned i = 0; i < 20 && netdev_change_seq(a) == seq; i++) {
        evloop_turn(loop, 100);
    }
    assert_true(netdev_change_seq(a) > seq);
    assert_true(n_notices > 0);
    assert_int_equal(netdev_get_mtu(a, &mtu), 0);
    assert_int_equal(mtu, 1400);

    /* An MTU set by others may need larger frames. */
    assert_false(netdev_needs_reconfigure(a));
    sh("ip link set xs0 mtu 3000");
    for (unsigned i = 0; i < 20 && !netdev_needs_reconfigure(a); i++) {
        evloop_turn(loop, 100);
    }
    assert_true(netdev_needs_reconfigure(a));
    assert_int_equal(netdev_reconfigure(a, NULL), 0);

    struct netdev_link before, after;
    netdev_get_link(a, &before);
    assert_true(before.carrier);
    seq = netdev_change_seq(a);
    sh("ip link set xs1 down");
    for (unsigned i = 0; i < 20 && netdev_change_seq(a) == seq; i++) {
        evloop_turn(loop, 100);
    }
    netdev_get_link(a, &after);
    assert_false(after.carrier);
    assert_int_equal(after.resets, before.resets + 1);

    assert_false(netdev_is_broken(a, &why));
    sh("ip link del xs0");
    for (unsigned i = 0; i < 20 && !netdev_is_broken(a, &why); i++) {
        evloop_turn(loop, 100);
    }
    assert_true(netdev_is_broken(a, &why));
    assert_string_equal(why, "network device xs0 has vanished");
    netdev_close(a);
}

/* Sends one packet on queue 2. */
static void
send_one(struct netdev *netdev)
{
    struct packet_batch batch = {.n = 1, .pkts = {packet_new(100)}};

    assert_non_null(batch.pkts[0]);
    memset(packet_data(batch.pkts[0]), 0xff, 100);
    netdev_send(netdev, 2, &batch);
}

static bool
wait_link(struct netdev *netdev, bool up, bool carrier)
{
    for (unsigned i = 0; i < 40; i++) {
        struct netdev_link link;

        netdev_get_link(netdev, &link);
        if (netdev_is_up(netdev) == up && link.carrier == carrier) {
            return true;
        }
        evloop_turn(loop, 50);
    }
    return false;
}

/* Sends while the link is down: dropped and counted by the port, and the kernel not bothered,
 * which would count it, too. */
static void
check_dropped(struct netdev *netdev, const char *counter)
{
    struct netdev_stats before, after;
    struct rtnl_stats kernel_before, kernel_after;
    uint64_t n_before, n_after;
    int ifindex = netdev_get_ifindex(netdev);

    assert_true(coverage_read(counter, &n_before));
    netdev_get_stats(netdev, &before);
    assert_int_equal(rtnl_link_get_stats(ifindex, &kernel_before), 0);
    send_one(netdev);
    assert_true(coverage_read(counter, &n_after));
    netdev_get_stats(netdev, &after);
    assert_int_equal(rtnl_link_get_stats(ifindex, &kernel_after), 0);
    assert_int_equal(n_after - n_before, 1);
    assert_int_equal(after.tx_dropped - before.tx_dropped, 1);
    assert_int_equal(after.tx_packets, before.tx_packets);
    assert_int_equal(kernel_after.rx_dropped, kernel_before.rx_dropped);
    assert_int_equal(kernel_after.tx_dropped, kernel_before.tx_dropped);
}

static void
check_sent(struct netdev *netdev)
{
    struct netdev_stats before, after;

    netdev_get_stats(netdev, &before);
    send_one(netdev);
    netdev_get_stats(netdev, &after);
    assert_int_equal(after.tx_packets - before.tx_packets, 1);
    assert_int_equal(after.tx_dropped, before.tx_dropped);
}

static void
test_tx_down(void **state)
{
    needs_netns();
    struct netdev *tap = open_port("xt0", "internal");
    check_sent(tap);
    sh("ip link set xt0 down");
    assert_true(wait_link(tap, false, false));
    check_dropped(tap, "drop_tap_tx_down");
    sh("ip link set xt0 up");
    assert_true(wait_link(tap, true, true));
    check_sent(tap);
    /* Set by ourselves, it is known at once. */
    assert_int_equal(netdev_set_up(tap, false), 0);
    check_dropped(tap, "drop_tap_tx_down");
    assert_int_equal(netdev_set_up(tap, true), 0);
    check_sent(tap);
    netdev_close(tap);

    /* Without carrier the kernel takes a packet as if it could be sent. */
    sh("ip link add xs0 type veth peer name xs1; ip link set xs1 up");
    struct netdev *sys = open_port("xs0", "system");
    assert_true(wait_link(sys, true, true));
    check_sent(sys);
    sh("ip link set xs1 down");
    assert_true(wait_link(sys, true, false));
    check_dropped(sys, "drop_system_tx_down");
    sh("ip link set xs1 up");
    assert_true(wait_link(sys, true, true));
    check_sent(sys);
    sh("ip link set xs0 down");
    assert_true(wait_link(sys, false, false));
    check_dropped(sys, "drop_system_tx_down");
    netdev_close(sys);
    sh("ip link del xs0");
}

static void
test_offload(void **state)
{
    uint8_t pkt[34 + 32];
    struct virtio_net_hdr h = {
        .flags = VIRTIO_NET_HDR_F_NEEDS_CSUM,
        .csum_start = 34,
        .csum_offset = 8,
    };

    /* SCTP: the CRC32c of 32 zero bytes is RFC 3720's, appendix B.4. */
    memset(pkt, 0, sizeof pkt);
    memcpy(pkt + 12, "\x08\x00\x45\0\0\x34\0\0\0\0\x40\x84", 12);
    assert_int_equal(system_l3_offset(pkt, sizeof pkt), 14);
    assert_true(system_complete_csum(&h, pkt, sizeof pkt));
    assert_memory_equal(pkt + 42, "\xaa\x36\x91\x8a", 4);

    /* UDP: a sum of zero is sent as all ones. */
    memset(pkt + 34, 0, 32);
    pkt[23] = IP_PROTO_UDP;
    memset(pkt + 34, 0xff, 2);
    h.csum_offset = 6;
    assert_true(system_complete_csum(&h, pkt, sizeof pkt));
    assert_memory_equal(pkt + 40, "\xff\xff", 2);

    /* Offsets outside of the packet. */
    h.csum_start = sizeof pkt - 7;
    assert_false(system_complete_csum(&h, pkt, sizeof pkt));
    h.csum_start = UINT16_MAX;
    h.csum_offset = UINT16_MAX;
    assert_false(system_complete_csum(&h, pkt, sizeof pkt));
    h.csum_start = 2;
    h.csum_offset = 0;
    assert_false(system_complete_csum(&h, pkt, sizeof pkt));

    /* Tags before the L3 header; none, or a packet cut short. */
    memcpy(pkt + 12, "\x88\xa8\0\1\x81\0\0\2\x86\xdd", 10);
    assert_int_equal(system_l3_offset(pkt, sizeof pkt), 22);
    for (uint32_t len = 0; len < 22; len++) {
        assert_int_equal(system_l3_offset(pkt, len), 0);
    }
    pkt[20] = 0x12;
    assert_int_equal(system_l3_offset(pkt, sizeof pkt), 0);
}

static void
test_no_frame_lost(void **state)
{
    struct arena *arena;
    struct arena_stats stats;

    needs_netns();
    for (uint32_t sz = FRAME_SZ_SMALL; sz <= FRAME_SZ_LARGE; sz *= 2) {
        assert_int_equal(packet_default_arena(sz, &arena, NULL), 0);
        arena_get_stats(arena, &stats);
        assert_int_equal(stats.n_free + stats.n_cached, stats.n_frames);
    }
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_tap_round_trip),
        cmocka_unit_test(test_tap_names),
        cmocka_unit_test(test_tap_dies_with_process),
        cmocka_unit_test(test_system_switch),
        cmocka_unit_test(test_system_vlan),
        cmocka_unit_test(test_system_events),
        cmocka_unit_test(test_tx_down),
        cmocka_unit_test(test_offload),
        cmocka_unit_test(test_no_frame_lost),
    };
    have_netns = !unshare(CLONE_NEWNET) && !access("/dev/net/tun", R_OK | W_OK);
    if (have_netns) { /* what the kernel says by itself would be counted too */
        sh("sysctl -qw net.ipv6.conf.default.disable_ipv6=1 2>/dev/null; true");
    }
    thread_adopt("");
    loop = evloop_create();
    netdev_init(loop, NULL);
    int rc = cmocka_run_group_tests(tests, NULL, NULL);
    fd_closer_stop();
    evloop_destroy(loop);
    return rc;
}
