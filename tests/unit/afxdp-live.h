/* SPDX-License-Identifier: Apache-2.0 */
#ifndef XVS_TESTS_AFXDP_LIVE_H
#define XVS_TESTS_AFXDP_LIVE_H 1

/* For tests of AF_XDP ports on real veth pairs, in a network namespace of the test process: the
 * ports, the other end of the wire, and the check that everything came home. */

#include <arpa/inet.h>
#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <dirent.h>
#include <errno.h>
#include <linux/if_ether.h>
#include <linux/if_link.h>
#include <linux/if_packet.h>
#include <linux/if_xdp.h>
#include <net/if.h>
#include <sched.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <unistd.h>
#include <cmocka.h>

#include "log/coverage.h"
#include "log/ctl.h"
#include "mem/arena.h"
#include "netdev/netdev.h"
#include "netdev/netdev-provider.h"
#include "os/evloop.h"
#include "os/rtnl.h"
#include "os/thread.h"
#include "shell.h"
#include "util/xalloc.h"

#define TEST_ETHERTYPE 0x88b5 /* IEEE 802 local experimental */

static struct evloop *loop __attribute__((unused));

/* Both ends have `n` queues: a packet sent on one arrives on the other's queue of that number.
 */
static inline void
make_veth(const char *name, const char *peer, unsigned n)
{
    /* What a failed test has left. */
    run("ip link del %s 2>/dev/null; ip link del %s 2>/dev/null; true", name, peer);
    run("ip link add %s numrxqueues %u numtxqueues %u type veth peer name %s numrxqueues %u "
        "numtxqueues %u",
        name, n, n, peer, n, n);
    run("ip link set %s up", peer);
    run("ip link set %s up", name);
}

static inline void
turn_for(int ms)
{
    for (int i = 0; i < ms / 10; i++) {
        evloop_turn(loop, 0);
        arena_collect();
        usleep(10000);
    }
}

static inline unsigned
count_fds(void)
{
    unsigned n = 0;
    DIR *d = opendir("/proc/self/fd");
    while (readdir(d)) {
        n++;
    }
    closedir(d);
    return n;
}

/* An open port with its queues. */
struct port {
    struct netdev *netdev;
    struct netdev_rxq *rxq[2];
    unsigned n;
};

static inline int
port_open(struct port *p, const char *name, const char *mode, unsigned n_rxq, const char *key,
          const char *value, char **errp)
{
    struct smap options = SMAP_INIT;
    int error;

    memset(p, 0, sizeof *p);
    error = netdev_open(name, "afxdp", &p->netdev, errp);
    if (error) {
        return error;
    }
    smap_set(&options, "xdp-mode", mode);
    smap_setf(&options, "n_rxq", "%u", n_rxq);
    if (key) {
        smap_set(&options, key, value);
    }
    error = netdev_set_config(p->netdev, &options, errp);
    smap_destroy(&options);
    if (!error) {
        error = netdev_reconfigure(p->netdev, errp);
    }
    if (error) {
        netdev_close(p->netdev);
        return error;
    }
    assert_int_equal(netdev_n_rxq(p->netdev), n_rxq);
    assert_int_equal(netdev_n_txq(p->netdev), n_rxq);
    for (unsigned i = 0; i < n_rxq; i++) {
        assert_int_equal(netdev_rxq_open(p->netdev, i, &p->rxq[i], NULL), 0);
        assert_true(netdev_rxq_fd(p->rxq[i]) >= 0);
    }
    p->n = n_rxq;
    assert_int_equal(netdev_set_up(p->netdev, true), 0);
    return 0;
}

static inline void
port_open_ok(struct port *p, const char *name, const char *mode, unsigned n_rxq)
{
    char *err = NULL;

    if (port_open(p, name, mode, n_rxq, NULL, NULL, &err)) {
        fail_msg("%s: %s", name, err);
    }
}

static inline void
port_close(struct port *p)
{
    for (unsigned i = 0; i < p->n; i++) {
        netdev_rxq_close(p->rxq[i]);
    }
    netdev_close(p->netdev);
}

/* Polls all queues until `want` packets came in or a second has passed. */
static inline unsigned
port_recv(struct port *p, struct packet **out, unsigned want)
{
    unsigned n = 0;

    for (int tries = 0; n < want && tries < 1000; tries++) {
        for (unsigned i = 0; i < p->n; i++) {
            struct packet_batch b;
            netdev_rxq_recv(p->rxq[i], &b);
            for (unsigned k = 0; k < b.n; k++) {
                const uint8_t *d = packet_data(b.pkts[k]);
                if (d[12] == TEST_ETHERTYPE >> 8 && d[13] == (TEST_ETHERTYPE & 0xff) &&
                    n < want) {
                    out[n++] = b.pkts[k];
                } else {
                    packet_free(b.pkts[k]); /* the host's own chatter */
                }
            }
        }
        if (n < want) {
            usleep(1000);
        }
    }
    return n;
}

static inline void
port_send(struct port *p, struct packet **pkts, unsigned n)
{
    for (unsigned i = 0; i < n;) {
        struct packet_batch b;
        packet_batch_init(&b);
        while (i < n && !packet_batch_full(&b)) {
            packet_batch_add(&b, pkts[i++]);
        }
        netdev_send(p->netdev, (i / 32) % p->n, &b);
        assert_int_equal(b.n, 0);
    }
    for (unsigned i = 0; i < p->n; i++) {
        for (int tries = 0; netdev_tx_poll(p->netdev, i) && tries < 100; tries++) {
            usleep(1000);
        }
    }
}

static inline void
make_frame(uint8_t *f, unsigned len, unsigned serial)
{
    memset(f, 0xff, 6);
    memcpy(f + 6, "\x02\0\0\0\0\x01", 6);
    f[12] = TEST_ETHERTYPE >> 8;
    f[13] = TEST_ETHERTYPE & 0xff;
    for (unsigned i = 14; i < len; i++) {
        f[i] = (uint8_t) (serial * 7 + i);
    }
    memcpy(f + 14, &serial, sizeof serial);
}

/* The other end of the wire. */
static inline int
wire_open(const char *ifname)
{
    int fd = socket(AF_PACKET, SOCK_RAW | SOCK_CLOEXEC, htons(TEST_ETHERTYPE));
    struct sockaddr_ll ll = {.sll_family = AF_PACKET,
                             .sll_protocol = htons(TEST_ETHERTYPE),
                             .sll_ifindex = (int) if_nametoindex(ifname)};
    int size = 4 << 20;
    struct timeval tv = {0, 500000};

    assert_true(fd >= 0 && ll.sll_ifindex > 0);
    assert_int_equal(bind(fd, (struct sockaddr *) &ll, sizeof ll), 0);
    setsockopt(fd, SOL_SOCKET, SO_RCVBUFFORCE, &size, sizeof size);
    setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &tv, sizeof tv);
    return fd;
}

static inline void
wire_send(int fd, unsigned n, unsigned len)
{
    uint8_t f[9216];

    for (unsigned i = 0; i < n; i++) {
        make_frame(f, len, i);
        assert_int_equal(send(fd, f, len, 0), (int) len);
    }
}

/* Receives `n` frames made by make_frame(), in any order, each once; true if all came. */
static inline bool
wire_recv_all(int fd, unsigned n, unsigned len)
{
    bool *seen = xzalloc(n);
    unsigned got = 0;
    uint8_t f[9216], expected[9216];

    while (got < n) {
        ssize_t r = recv(fd, f, sizeof f, 0);
        unsigned serial;
        if (r < 0) {
            break;
        }
        memcpy(&serial, f + 14, sizeof serial);
        assert_int_equal(r, len);
        assert_true(serial < n && !seen[serial]);
        seen[serial] = true;
        make_frame(expected, len, serial);
        assert_memory_equal(f, expected, len);
        got++;
    }
    free(seen);
    return got == n;
}

static inline uint64_t
coverage(const char *name)
{
    uint64_t v = 0;
    assert_true(coverage_read(name, &v));
    return v;
}

/* All frames are home once quarantine is over, and nothing is attached any more. */
static inline void
assert_clean(const char *ifname)
{
    struct rtnl_link link;

    if (ifname) {
        assert_int_equal(rtnl_link_get(ifname, &link), 0);
        assert_int_equal(link.xdp_mode, XDP_ATTACHED_NONE);
    }
    turn_for(1300);
    for (unsigned i = 0; i < ARENA_MAX; i++) {
        struct arena_stats s;
        if (arenas[i]) {
            arena_get_stats(arenas[i], &s);
            assert_int_equal(s.n_free + s.n_cached, s.n_frames);
            assert_int_equal(s.n_quarantined, 0);
        }
    }
}

static inline int
skip_all(const char *why)
{
    printf("skipped: %s\n", why);
    return 77;
}

/* What main() begins with: 0, or the exit status of a skipped test. */
static inline int
afxdp_live_begin(void)
{
    if (geteuid()) {
        return skip_all("needs root");
    }
    if (unshare(CLONE_NEWNET)) {
        return skip_all("cannot make a network namespace");
    }
    if (system(
            "ip link set lo up && ip link add xvs-probe type veth && ip link del xvs-probe")) {
        return skip_all("no veth devices here");
    }
    int fd = socket(AF_XDP, SOCK_RAW, 0);
    if (fd < 0) {
        return skip_all("no AF_XDP sockets here");
    }
    close(fd);
    thread_adopt("");
    loop = evloop_create();
    netdev_init(loop, NULL);
    return 0;
}

#endif
