/* SPDX-License-Identifier: Apache-2.0 */
#ifndef XVS_TESTS_AGENT_LIVE_H
#define XVS_TESTS_AGENT_LIVE_H 1

/* For the live test of xvs-agent: the agent as a child process, clients that speak the protocol
 * with nothing but system calls, and an AF_XDP socket that says whether a packet arrived. */

#include <arpa/inet.h>
#include <bpf/bpf.h>
#include <errno.h>
#include <fcntl.h>
#include <jansson.h>
#include <linux/if_ether.h>
#include <linux/if_packet.h>
#include <linux/if_xdp.h>
#include <net/if.h>
#include <poll.h>
#include <sched.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>
#include <cmocka.h>

#include "fd-message.h"
#include "shell.h"
#include "util/xalloc.h"
#include "utilities/xvs-agent/agent.h"

#define TEST_ETHERTYPE 0x88b5 /* IEEE 802 local experimental */

static char dir[64]; /* of this run */
static pid_t agent;

/* ------------------------------------------------------------------ the agent */

static inline const char *
path_of(const char *name)
{
    static char paths[4][128];
    static unsigned n;
    char *p = paths[n++ % 4];
    snprintf(p, 128, "%s/%s", dir, name);
    return p;
}

static inline json_t *
ask_status(void)
{
    struct sockaddr_un sun = {.sun_family = AF_UNIX};
    static char buf[65536];
    size_t len = 0;
    ssize_t n;
    snprintf(sun.sun_path, sizeof sun.sun_path, "%s", path_of("ctl"));
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (connect(fd, (struct sockaddr *) &sun, sizeof sun)) {
        close(fd);
        return NULL;
    }
    while ((n = read(fd, buf + len, sizeof buf - len)) > 0) {
        len += (size_t) n;
    }
    close(fd);
    return json_loadb(buf, len, 0, NULL);
}

/* Waits until element 0 of `list` has `key` containing `text`; fails after 5 s. */
static inline void
wait_status(const char *list, unsigned index, const char *key, const char *text)
{
    char *seen = NULL;
    for (int i = 0; i < 250; i++) {
        json_t *root = ask_status();
        const char *value = json_string_value(
            json_object_get(json_array_get(json_object_get(root, list), index), key));
        bool found = value && strstr(value, text);
        free(seen);
        seen = root ? json_dumps(root, 0) : NULL;
        json_decref(root);
        if (found) {
            free(seen);
            return;
        }
        usleep(20000);
    }
    fail_msg("no %s \"%s\" of %s %u in: %s", key, text, list, index, seen ? seen : "(nothing)");
}

static inline long long
status_number(const char *list, const char *key)
{
    json_t *root = ask_status();
    long long n = json_integer_value(
        json_object_get(json_array_get(json_object_get(root, list), 0), key));
    json_decref(root);
    return n;
}

/* Starts the agent with the arguments (ended by NULL) besides folder and control socket. */
static inline void
agent_up(const char *arg, ...)
{
    char socket_dir[100], control[100];
    char *argv[32] = {"xvs-agent", "--socket-dir", socket_dir, "--control", control};
    int argc = 5;
    va_list args;
    snprintf(socket_dir, sizeof socket_dir, "%s/dp", dir);
    snprintf(control, sizeof control, "%s/ctl", dir);
    va_start(args, arg);
    for (const char *a = arg; a && argc < 31; a = va_arg(args, const char *)) {
        argv[argc++] = (char *) (uintptr_t) a;
    }
    va_end(args);
    agent = fork();
    if (!agent) {
        int log = open(path_of("agent.log"), O_WRONLY | O_CREAT | O_APPEND, 0600);
        dup2(log, STDERR_FILENO);
        exit(agent_main(argc, argv));
    }
    for (int i = 0; i < 250; i++) {
        json_t *root = ask_status();
        if (root) {
            json_decref(root);
            return;
        }
        usleep(20000);
    }
    fail_msg("the agent does not start, see %s", path_of("agent.log"));
}

/* Ends it politely; it must say that all was well and leave nothing. */
static inline void
agent_down(void)
{
    int status = -1;
    if (!agent) {
        return;
    }
    kill(agent, SIGTERM);
    assert_int_equal(waitpid(agent, &status, 0), agent);
    agent = 0;
    assert_true(WIFEXITED(status));
    assert_int_equal(WEXITSTATUS(status), 0);
    assert_int_equal(access(path_of("ctl"), F_OK), -1);
    assert_int_equal(access(path_of("dp"), F_OK), -1);
}

static inline bool
has_program(const char *where, const char *ifname)
{
    char *cmd = xasprintf("%s ip link show dev %s | grep -q prog/xdp", where, ifname);
    bool has = system(cmd) == 0;
    free(cmd);
    return has;
}

/* ------------------------------------------------------------------ a client */

static inline int
client_connect(const char *path)
{
    struct sockaddr_un sun = {.sun_family = AF_UNIX};
    struct timeval limit = {.tv_sec = 5};
    snprintf(sun.sun_path, sizeof sun.sun_path, "%s", path);
    int fd = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0);
    if (connect(fd, (struct sockaddr *) &sun, sizeof sun)) {
        int error = errno;
        close(fd);
        return -error;
    }
    setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof limit);
    return fd;
}

/* Sends, receives into `reply`; the descriptor that came, or -1.  *n: what recvmsg() said. */
static inline int
client_ask(int sock, const char *text, int pass, char reply[65], ssize_t *n)
{
    int fd;
    fd_message_send(sock, text, strlen(text), &pass, pass >= 0, 0);
    *n = fd_message_receive(sock, reply, 64, &fd, 0);
    return fd;
}

static inline int
expect(int sock, const char *text, int pass, const char *wanted)
{
    char reply[65];
    ssize_t n;
    int fd = client_ask(sock, text, pass, reply, &n);
    if (n < 0 || strcmp(reply, wanted)) {
        fail_msg("%s: \"%s\" instead of \"%s\"", text, n < 0 ? strerror(errno) : reply, wanted);
    }
    return fd;
}

/* Up to the map; the connection in *sock. */
static inline int
client_fetch(const char *path, const char *ifname, int *sock)
{
    char text[64];
    *sock = client_connect(path);
    if (*sock < 0) {
        fail_msg("%s: %s", path, strerror(-*sock));
    }
    expect(*sock, "/connect,pod-1", -1, "/host_ok");
    expect(*sock, "/version", -1, "0.1");
    snprintf(text, sizeof text, "/xsk_map_fd,%s", ifname);
    int map = expect(*sock, text, -1, "/fd_ack");
    assert_true(map >= 0);
    return map;
}

static inline struct bpf_map_info
map_info(int fd)
{
    struct bpf_map_info info;
    unsigned len = sizeof info;
    memset(&info, 0, sizeof info);
    assert_int_equal(bpf_obj_get_info_by_fd(fd, &info, &len), 0);
    return info;
}

/* ------------------------------------------------------------------ an AF_XDP socket */

struct xsk {
    int fd;
    void *area;
    uint32_t *rx_producer;
    void *rx_ring;
    size_t rx_ring_sz;
};

#define FRAMES 64u

/* Copy mode, fill ring full.  0 or an errno; usable in a child, so without assertions. */
static inline int
xsk_open(struct xsk *x, const char *ifname, uint32_t queue)
{
    struct xdp_mmap_offsets off;
    socklen_t len = sizeof off;
    int n = (int) FRAMES;
    x->fd = socket(AF_XDP, SOCK_RAW | SOCK_CLOEXEC, 0);
    x->area =
        mmap(NULL, FRAMES * 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    struct xdp_umem_reg reg = {
        .addr = (uintptr_t) x->area, .len = FRAMES * 4096, .chunk_size = 4096};
    if (x->fd < 0 || setsockopt(x->fd, SOL_XDP, XDP_UMEM_REG, &reg, sizeof reg) ||
        setsockopt(x->fd, SOL_XDP, XDP_UMEM_FILL_RING, &n, sizeof n) ||
        setsockopt(x->fd, SOL_XDP, XDP_UMEM_COMPLETION_RING, &n, sizeof n) ||
        setsockopt(x->fd, SOL_XDP, XDP_RX_RING, &n, sizeof n) ||
        getsockopt(x->fd, SOL_XDP, XDP_MMAP_OFFSETS, &off, &len)) {
        return errno;
    }
    char *fill = mmap(NULL, off.fr.desc + FRAMES * 8, PROT_READ | PROT_WRITE,
                      MAP_SHARED | MAP_POPULATE, x->fd, XDP_UMEM_PGOFF_FILL_RING);
    x->rx_ring_sz = off.rx.desc + FRAMES * sizeof(struct xdp_desc);
    x->rx_ring = mmap(NULL, x->rx_ring_sz, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_POPULATE,
                      x->fd, XDP_PGOFF_RX_RING);
    if (fill == MAP_FAILED || x->rx_ring == MAP_FAILED) {
        return errno;
    }
    x->rx_producer = (uint32_t *) (void *) ((char *) x->rx_ring + off.rx.producer);
    for (uint64_t i = 0; i < FRAMES - 1; i++) {
        uint64_t addr = i * 4096;
        memcpy(fill + off.fr.desc + i * 8, &addr, 8);
    }
    __atomic_store_n((uint32_t *) (void *) (fill + off.fr.producer), FRAMES - 1,
                     __ATOMIC_RELEASE);
    munmap(fill, off.fr.desc + FRAMES * 8);
    struct sockaddr_xdp sxdp = {.sxdp_family = AF_XDP,
                                .sxdp_ifindex = if_nametoindex(ifname),
                                .sxdp_queue_id = queue,
                                .sxdp_flags = XDP_COPY};
    /* The kernel frees a queue some time after its socket was closed. */
    for (int i = 0; i < 100; i++) {
        if (!bind(x->fd, (struct sockaddr *) &sxdp, sizeof sxdp)) {
            return 0;
        }
        if (errno != EBUSY) {
            break;
        }
        usleep(20000);
    }
    return errno;
}

static inline void
xsk_close(struct xsk *x)
{
    munmap(x->rx_ring, x->rx_ring_sz);
    close(x->fd);
    munmap(x->area, FRAMES * 4096);
}

/* Sends up to 50 packets out of `peer`, until the socket has got one. */
static inline bool
packet_arrives(const struct xsk *x, const char *peer)
{
    struct sockaddr_ll to = {.sll_family = AF_PACKET,
                             .sll_protocol = htons(TEST_ETHERTYPE),
                             .sll_ifindex = (int) if_nametoindex(peer),
                             .sll_halen = 6};
    char frame[64] = {2, 0, 0, 0, 0, 1, 2, 0, 0, 0, 0, 2, 0x88, 0xb5};
    int fd = socket(AF_PACKET, SOCK_RAW | SOCK_CLOEXEC, 0);
    uint32_t before = __atomic_load_n(x->rx_producer, __ATOMIC_ACQUIRE);
    bool arrived = false;
    for (int i = 0; i < 50 && !arrived; i++) {
        (void) !sendto(fd, frame, sizeof frame, 0, (struct sockaddr *) &to, sizeof to);
        usleep(20000);
        arrived = __atomic_load_n(x->rx_producer, __ATOMIC_ACQUIRE) != before;
    }
    close(fd);
    return arrived;
}

#endif
