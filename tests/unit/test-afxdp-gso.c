/* SPDX-License-Identifier: Apache-2.0 */
/* Super-frames into AF_XDP ports in generic mode: single ones made by hand, whose packets are
 * looked at byte by byte, and TCP between two namespaces, each with its offloads on.  Needs
 * root; skipped (exit 77) without.  Every test ends with all frames home. */

#include "afxdp-live.h"

#include <fcntl.h>
#include <linux/virtio_net.h>
#include <poll.h>
#include <signal.h>
#include <sys/wait.h>

#include "flow/flow-key.h"
#include "os/clock.h"
#include "packet/headers.h"
#include "packet/packet-ops.h"
#include "util/csum.h"

#ifndef VIRTIO_NET_HDR_GSO_UDP_L4
#define VIRTIO_NET_HDR_GSO_UDP_L4 5 /* Linux 6.2 */
#endif

#define SEQ 0xfffff000u /* wraps on the way */

/* -- Single super-frames. -- */

static int
raw_open(const char *ifname)
{
    int fd = socket(AF_PACKET, SOCK_RAW | SOCK_CLOEXEC, 0), on = 1;
    struct sockaddr_ll ll = {.sll_family = AF_PACKET,
                             .sll_ifindex = (int) if_nametoindex(ifname)};

    assert_true(fd >= 0 && ll.sll_ifindex > 0);
    assert_int_equal(bind(fd, (struct sockaddr *) &ll, sizeof ll), 0);
    assert_int_equal(setsockopt(fd, SOL_PACKET, PACKET_VNET_HDR, &on, sizeof on), 0);
    return fd;
}

static uint8_t
pattern(uint32_t i)
{
    return (uint8_t) (i * 31 + (i >> 8));
}

/* Sends one IPv4 super-frame with `tags` VLAN tags, as a stack with offloads would. */
static void
send_super(int fd, uint8_t proto, unsigned tags, uint32_t payload)
{
    static uint8_t msg[sizeof(struct virtio_net_hdr) + 65600];
    struct virtio_net_hdr *vnet = (void *) msg;
    uint8_t *data = msg + sizeof *vnet;
    uint32_t l3 = ETH_HDR_LEN + tags * VLAN_HDR_LEN, l4 = l3 + 20;
    uint32_t hdr = l4 + (proto == IP_PROTO_TCP ? 32 : 8);

    memset(msg, 0, sizeof *vnet + hdr);
    *vnet = (struct virtio_net_hdr){
        .flags = VIRTIO_NET_HDR_F_NEEDS_CSUM,
        .gso_type =
            proto == IP_PROTO_TCP ? VIRTIO_NET_HDR_GSO_TCPV4 : VIRTIO_NET_HDR_GSO_UDP_L4,
        .hdr_len = (uint16_t) hdr,
        .gso_size = 1000,
        .csum_start = (uint16_t) l4,
        .csum_offset = proto == IP_PROTO_TCP ? 16 : 6,
    };
    memcpy(data, "\x02\0\0\0\0\x02\x02\0\0\0\0\x01", 12);
    for (unsigned i = 0; i < tags; i++) {
        memcpy(data + 12 + i * 4, i + 1 < tags ? "\x88\xa8\0\7" : "\x81\0\0\5", 4);
    }
    memcpy(data + l3 - 2, "\x08\0", 2);
    struct ipv4_hdr *ip = (void *) (data + l3);
    ip->ver_ihl = 0x45;
    ip->tot_len_be = htons((uint16_t) (hdr - l3 + payload));
    ip->id_be = htons(0xfff8);
    ip->ttl = 64;
    ip->proto = proto;
    ip->src_be = htonl(0x0a000001);
    ip->dst_be = htonl(0x0a000002);
    ip->csum_be = csum_finish(csum_add(0, ip, 20));
    if (proto == IP_PROTO_TCP) {
        struct tcp_hdr *tcp = (void *) (data + l4);
        tcp->src_be = htons(1000);
        tcp->dst_be = htons(2000);
        tcp->seq_be = htonl(SEQ);
        tcp->ctl_be = htons(8 << 12 | 0x018); /* ACK PSH, options of 12 bytes */
        memset(data + l4 + 20, 1, 12);
    } else {
        struct udp_hdr *udp = (void *) (data + l4);
        udp->len_be = htons((uint16_t) (8 + payload));
    }
    uint16_t pseudo = csum_fold(
        csum_pseudo_v4(ip->src_be, ip->dst_be, proto, (uint16_t) (hdr - l4 + payload)));
    memcpy(data + l4 + vnet->csum_offset, &pseudo, sizeof pseudo);
    for (uint32_t i = 0; i < payload; i++) {
        data[hdr + i] = pattern(i);
    }
    size_t len = sizeof *vnet + hdr + payload;
    assert_int_equal(send(fd, msg, len, 0), (ssize_t) len);
}

/* Packets of ours in one poll; others (the host's own chatter) are freed. */
static unsigned
recv_tcp(struct port *p, struct packet **out)
{
    struct packet_batch b;
    unsigned n = 0;

    netdev_rxq_recv(p->rxq[0], &b);
    for (unsigned i = 0; i < b.n; i++) {
        if (!memcmp(packet_data(b.pkts[i]), "\x02\0\0\0\0\x02", 6)) {
            out[n++] = b.pkts[i];
        } else {
            packet_free(b.pkts[i]);
        }
    }
    return n;
}

static bool
is_readable(struct port *p)
{
    struct pollfd pfd = {.fd = netdev_rxq_fd(p->rxq[0]), .events = POLLIN};

    return poll(&pfd, 1, 0) == 1;
}

/* Checks the packet that has the payload from `at` on, at most `mss` of `total`; returns how
 * much it has. */
static uint32_t
check_segment(const struct packet *p, unsigned tags, uint32_t at, uint32_t mss, uint32_t total,
              unsigned index)
{
    uint32_t l3 = ETH_HDR_LEN + tags * VLAN_HDR_LEN, n = MIN(mss, total - at);
    const uint8_t *data = packet_data(p);
    const struct ipv4_hdr *ip = (const void *) (data + l3);
    const struct tcp_hdr *tcp = (const void *) (data + l3 + 20);

    assert_int_equal(p->len, l3 + 52 + n);
    assert_int_equal(ntohs(ip->tot_len_be), 52 + n);
    assert_int_equal(ntohs(ip->id_be), (uint16_t) (0xfff8 + index));
    assert_int_equal(csum_finish(csum_add(0, ip, 20)), 0);
    assert_int_equal(ntohl(tcp->seq_be), SEQ + at);
    assert_int_equal(ntohs(tcp->ctl_be), 8 << 12 | (at + n == total ? 0x018 : 0x010));
    uint32_t sum = csum_pseudo_v4(ip->src_be, ip->dst_be, IP_PROTO_TCP, (uint16_t) (32 + n));
    assert_int_equal(csum_finish(csum_add(sum, tcp, 32 + n)), 0);
    for (uint32_t i = 0; i < n; i++) {
        assert_int_equal(data[l3 + 52 + i], pattern(at + i));
    }
    return n;
}

/* Sends one, receives it all and checks it; returns how many polls gave something. */
static unsigned
check_super(struct port *p, int raw, unsigned tags, uint32_t total)
{
    unsigned polls = 0, index = 0;
    uint32_t at = 0;

    send_super(raw, IP_PROTO_TCP, tags, total);
    for (unsigned tries = 0; at < total && tries < 100; tries++) {
        struct packet *pkts[PACKET_BATCH_MAX];
        /* Nobody who sleeps on the descriptor would be left with the rest. */
        assert_true(is_readable(p));
        unsigned n = recv_tcp(p, pkts);
        polls += n > 0;
        for (unsigned i = 0; i < n; i++) {
            if (pkts[i]->flags & PACKET_CSUM_PARTIAL_POSSIBLE) { /* not one of ours */
                struct flow_key key;
                flow_key_extract(pkts[i], &key);
                packet_complete_csum(pkts[i]);
            }
            at += check_segment(pkts[i], tags, at, 1448, total, index++);
            packet_free(pkts[i]);
        }
    }
    assert_int_equal(at, total);
    return polls;
}

static void
test_by_hand(void **state)
{
    struct packet *pkts[PACKET_BATCH_MAX];
    struct netdev_stats s;
    struct port p;

    make_veth("a0", "a1", 1);
    run("sysctl -qw net.ipv6.conf.a1.disable_ipv6=1");
    turn_for(20);
    int raw = raw_open("a1"), wire = wire_open("a1");
    port_open_ok(&p, "a0", "generic", 1);
    while (recv_tcp(&p, pkts)) {
    }
    uint64_t supers = coverage("afxdp_rx_superframe");
    assert_true(check_super(&p, raw, 0, 60000) >= 2); /* 42 packets */
    assert_int_equal(check_super(&p, raw, 0, 20000), 1);
    assert_int_equal(check_super(&p, raw, 1, 3000), 1);
    check_super(&p, raw, 2, 30000);
    assert_true(check_super(&p, raw, 0, 65535 - 66) >= 2);
    assert_int_equal(check_super(&p, raw, 0, 1450), 1); /* in one frame, but too long */
    assert_int_equal(check_super(&p, raw, 1, 1448), 1); /* fits the MTU: comes as it is */
    assert_int_equal(coverage("afxdp_rx_superframe"), supers + 6);
    for (unsigned round = 0; round < 200; round++) { /* more than the rings have */
        check_super(&p, raw, 0, 50000 + round);
    }

    /* Behind ordinary packets, at any place in the burst. */
    for (unsigned n = 29; n < 35; n++) {
        struct packet *plain[PACKET_BATCH_MAX * 2];
        wire_send(wire, n, 200);
        assert_int_equal(port_recv(&p, plain, n), n);
        for (unsigned i = 0; i < n; i++) {
            packet_free(plain[i]);
        }
        wire_send(wire, n, 200);
        check_super(&p, raw, 0, 55000);
    }

    netdev_get_stats(p.netdev, &s);
    uint64_t dropped = s.rx_dropped, not_tcp = coverage("drop_afxdp_rx_superframe_not_tcp");
    send_super(raw, IP_PROTO_UDP, 0, 9000);
    assert_int_equal(recv_tcp(&p, pkts), 0);
    assert_int_equal(coverage("drop_afxdp_rx_superframe_not_tcp"), not_tcp + 1);
    netdev_get_stats(p.netdev, &s);
    assert_int_equal(s.rx_dropped, dropped + 1);
    check_super(&p, raw, 0, 9000);

    /* Closed in the middle of one, and with one in the ring. */
    uint64_t closed = coverage("drop_afxdp_rx_superframe_closed");
    send_super(raw, IP_PROTO_TCP, 0, 60000);
    send_super(raw, IP_PROTO_TCP, 0, 60000);
    unsigned n = recv_tcp(&p, pkts);
    assert_int_equal(n, PACKET_BATCH_MAX);
    for (unsigned i = 0; i < n; i++) {
        packet_free(pkts[i]);
    }
    port_close(&p);
    assert_int_equal(coverage("drop_afxdp_rx_superframe_closed"), closed + 1);
    close(raw);
    close(wire);
    assert_clean("a0");
    run("ip link del a0");
}

/* The device's MTU grows beyond what the port's frames were chosen for, and packets come before
 * the port is made anew: they are dropped. */
static void
test_beyond_frames(void **state)
{
    static uint8_t msg[sizeof(struct virtio_net_hdr) + ETH_HDR_LEN + 65535];
    uint64_t dropped, jumbo = coverage("afxdp_rx_jumbo");
    struct packet *pkts[PACKET_BATCH_MAX];
    struct netdev_stats s;
    struct port p;

    make_veth("a0", "a1", 1);
    run("sysctl -qw net.ipv6.conf.a1.disable_ipv6=1");
    run("ip link set a0 mtu 9000");
    run("ip link set a1 mtu 9000");
    turn_for(20);
    int raw = raw_open("a1");
    port_open_ok(&p, "a0", "generic", 1);
    while (recv_tcp(&p, pkts)) {
    }
    memcpy(msg + sizeof(struct virtio_net_hdr), "\x02\0\0\0\0\x02\x02\0\0\0\0\x01\x88\xb5", 14);
    assert_int_equal(send(raw, msg, sizeof(struct virtio_net_hdr) + 9014, 0),
                     sizeof(struct virtio_net_hdr) + 9014);
    assert_int_equal(recv_tcp(&p, pkts), 1);
    assert_int_equal(pkts[0]->len, 9014);
    packet_free(pkts[0]);
    assert_int_equal(coverage("afxdp_rx_jumbo"), jumbo + 1);

    run("ip link set a0 mtu 65535");
    run("ip link set a1 mtu 65535");
    turn_for(20);
    netdev_get_stats(p.netdev, &s);
    dropped = s.rx_dropped;
    for (size_t len = 16000; len < sizeof msg; len = MIN(len + 7000, sizeof msg - 1)) {
        size_t n = len + 1; /* ends with a whole 65,535 */
        assert_int_equal(send(raw, msg, n, 0), (ssize_t) n);
        assert_int_equal(recv_tcp(&p, pkts), 0);
        netdev_get_stats(p.netdev, &s);
        assert_int_equal(s.rx_dropped, ++dropped);
        if (n == sizeof msg) {
            break;
        }
    }
    port_close(&p);
    close(raw);
    assert_clean("a0");
    run("ip link del a0");
}

/* -- TCP. -- */

#define PORT 5000

static struct child {
    pid_t pid;
    int to, from;
} children[2];

static void
say(int fd, char c)
{
    if (write(fd, &c, 1) != 1) {
        _exit(2);
    }
}

static char
hear(int fd)
{
    char c = 0;

    return read(fd, &c, 1) == 1 ? c : 0;
}

static void
fill_address(int af, unsigned host, struct sockaddr_storage *ss, socklen_t *len)
{
    char text[32];

    memset(ss, 0, sizeof *ss);
    ss->ss_family = (sa_family_t) af;
    if (af == AF_INET) {
        struct sockaddr_in *sin = (void *) ss;
        snprintf(text, sizeof text, "10.9.0.%u", host);
        inet_pton(af, text, &sin->sin_addr);
        sin->sin_port = htons(PORT);
        *len = sizeof *sin;
    } else {
        struct sockaddr_in6 *sin6 = (void *) ss;
        snprintf(text, sizeof text, "fd00:9::%u", host);
        inet_pton(af, text, &sin6->sin6_addr);
        sin6->sin6_port = htons(PORT);
        *len = sizeof *sin6;
    }
}

static bool
serve(int af, uint64_t total, int tell)
{
    static uint8_t buf[65536];
    struct sockaddr_storage ss;
    socklen_t len;
    int on = 1, s = socket(af, SOCK_STREAM, 0);
    uint64_t got = 0;

    fill_address(af, 2, &ss, &len);
    setsockopt(s, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
    if (bind(s, (void *) &ss, len) || listen(s, 1)) {
        return false;
    }
    say(tell, 'l');
    int c = accept(s, NULL, NULL);
    for (ssize_t n; c >= 0 && (n = read(c, buf, sizeof buf)) > 0;) {
        for (ssize_t i = 0; i < n; i++, got++) {
            if (buf[i] != pattern((uint32_t) got)) {
                return false;
            }
        }
    }
    close(c);
    close(s);
    return got == total;
}

static bool
request(int af, uint64_t total)
{
    static uint8_t buf[65536];
    struct sockaddr_storage ss;
    socklen_t len;
    int s = socket(af, SOCK_STREAM, 0);
    uint64_t done = 0;
    char c;

    fill_address(af, 2, &ss, &len);
    if (connect(s, (void *) &ss, len)) {
        return false;
    }
    while (done < total) {
        size_t n = (size_t) MIN(sizeof buf, total - done);
        for (size_t i = 0; i < n; i++) {
            buf[i] = pattern((uint32_t) (done + i));
        }
        for (size_t i = 0; i < n;) {
            ssize_t k = write(s, buf + i, n - i);
            if (k <= 0) {
                return false;
            }
            i += (size_t) k;
        }
        done += n;
    }
    shutdown(s, SHUT_WR);
    bool ok = read(s, &c, 1) == 0; /* the other end has it all */
    close(s);
    return ok;
}

/* A host: "r" when it has a namespace, sets up its device on "g", then transfers on "4" and "6"
 * and reports by "+" or "-". */
static void
child_main(unsigned host, const char *ifname, uint64_t total, int in, int out)
{
    char cmd[512], c;

    if (unshare(CLONE_NEWNET)) {
        _exit(1);
    }
    say(out, 'r');
    hear(in);
    snprintf(cmd, sizeof cmd,
             "sysctl -qw net.ipv6.conf.all.accept_dad=0 net.ipv6.conf.%s.accept_dad=0;"
             "ip link set lo up && ip addr add 10.9.0.%u/24 dev %s && "
             "ip addr add fd00:9::%u/64 dev %s nodad && ip link set %s up",
             ifname, host, ifname, host, ifname, ifname);
    say(out, system(cmd) ? '-' : '+');
    while ((c = hear(in)) != 0) {
        int af = c == '4' ? AF_INET : AF_INET6;
        say(out, (host == 1 ? request(af, total) : serve(af, total, out)) ? '+' : '-');
    }
    _exit(0);
}

static void
child_start(struct child *c, unsigned host, const char *ifname, uint64_t total)
{
    int down[2], up[2];

    assert_int_equal(pipe2(down, O_CLOEXEC), 0);
    assert_int_equal(pipe2(up, O_CLOEXEC), 0);
    c->pid = fork();
    assert_true(c->pid >= 0);
    if (!c->pid) {
        for (unsigned i = 0; i < host - 1; i++) {
            close(children[i].to); /* so that it sees the end of our pipe only */
        }
        close(down[1]);
        close(up[0]);
        alarm(60);
        child_main(host, ifname, total, down[0], up[1]);
    }
    close(down[0]);
    close(up[1]);
    c->to = down[1];
    c->from = up[0];
    assert_int_equal(hear(c->from), 'r');
    run("ip link set %s netns %d", ifname, (int) c->pid);
    say(c->to, 'g');
    assert_int_equal(hear(c->from), '+');
}

struct mover {
    struct port *from, *to;
    _Atomic bool stop;
};

/* What the switch does: partial checksums completed, packets passed on. */
static void *
move(void *mover_)
{
    struct mover *m = mover_;

    while (!atomic_load_explicit(&m->stop, memory_order_acquire)) {
        struct packet_batch b;
        struct pollfd pfd = {.fd = netdev_rxq_fd(m->from->rxq[0]), .events = POLLIN};
        netdev_rxq_recv(m->from->rxq[0], &b);
        for (unsigned i = 0; i < b.n; i++) {
            struct flow_key key;
            flow_key_extract(b.pkts[i], &key);
            packet_complete_csum(b.pkts[i]);
        }
        bool any = b.n > 0;
        if (any) {
            netdev_send(m->to->netdev, 0, &b);
        }
        if (!netdev_tx_poll(m->to->netdev, 0) && !any) {
            poll(&pfd, 1, 20);
        }
    }
    return NULL;
}

static void
test_tcp(void **state)
{
    const uint64_t total = 32 << 20;
    struct port a, b;

    make_veth("a0", "a1", 1);
    make_veth("b0", "b1", 1);
    child_start(&children[0], 1, "a1", total);
    child_start(&children[1], 2, "b1", total);
    run("ip link set a0 up; ip link set b0 up");
    port_open_ok(&a, "a0", "generic", 1);
    port_open_ok(&b, "b0", "generic", 1);
    struct mover ab = {.from = &a, .to = &b}, ba = {.from = &b, .to = &a};
    pthread_t tab = thread_start("ab", move, &ab), tba = thread_start("ba", move, &ba);
    turn_for(500);
    for (const char *version = "46"; *version; version++) {
        uint64_t supers = coverage("afxdp_rx_superframe");
        int64_t start = clock_real_ns();
        say(children[1].to, *version);
        assert_int_equal(hear(children[1].from), 'l');
        say(children[0].to, *version);
        assert_int_equal(hear(children[0].from), '+');
        assert_int_equal(hear(children[1].from), '+');
        double s = (double) (clock_real_ns() - start) / 1e9;
        supers = coverage("afxdp_rx_superframe") - supers;
        print_message("TCPv%c: %.0f Mbit/s, %u super-frames\n", *version,
                      (double) total * 8 / 1e6 / s, (unsigned) supers);
        /* Without, it takes an hour. */
        assert_true(s < 20);
        assert_true(supers > 100);
    }
    atomic_store_explicit(&ab.stop, true, memory_order_release);
    atomic_store_explicit(&ba.stop, true, memory_order_release);
    thread_join(tab);
    thread_join(tba);
    port_close(&a);
    port_close(&b);
    assert_clean("a0");
    assert_clean("b0");
    for (unsigned i = 0; i < 2; i++) {
        close(children[i].to);
        close(children[i].from);
        assert_int_equal(waitpid(children[i].pid, NULL, 0), children[i].pid);
    }
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_by_hand),
        cmocka_unit_test(test_beyond_frames),
        cmocka_unit_test(test_tcp),
    };
    int status = afxdp_live_begin();

    signal(SIGPIPE, SIG_IGN);
    return status ? status : cmocka_run_group_tests(tests, NULL, NULL);
}
