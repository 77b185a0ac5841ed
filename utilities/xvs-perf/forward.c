/* SPDX-License-Identifier: Apache-2.0 */
/* The reference: takes descriptors from one AF_XDP socket's rx ring and puts them into the
 * other's tx ring, both ways, without ever looking at a packet.  What a switch costs beyond
 * this is its own; what this costs is the kernel's.  One thread, one queue, copy mode on veth,
 * native XDP. Own setup on the kernel's interface, so that it stays comparable whatever
 * lib/netdev does. */

#include "perf.h"

#include <errno.h>
#include <getopt.h>
#include <linux/if_xdp.h>
#include <net/if.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <unistd.h>

#include "netdev/afxdp/xsk-ring.h"
#include "os/affinity.h"
#include "util/num.h"
#include "util/xalloc.h"
#include "xdp/xdp-attach.h"

#define FRAME_SZ 2048u
#define RING 2048u
#define N_FRAMES (4 * RING) /* two fill rings, two tx rings */
#define BURST 64u

struct side {
    int fd;
    struct xdp_attach prog;
    struct xsk_ring rx, tx, fill, comp;
};

static _Atomic int ended;

static void
on_signal(int sig)
{
    ended = 1;
}

static int
map_ring(int fd, struct xsk_ring *r, const struct xdp_ring_offset *ofs, uint64_t pgoff,
         size_t entry_sz)
{
    uint8_t *base = mmap(NULL, ofs->desc + RING * entry_sz, PROT_READ | PROT_WRITE,
                         MAP_SHARED | MAP_POPULATE, fd, (off_t) pgoff);

    if (base == MAP_FAILED) {
        return errno;
    }
    *r = (struct xsk_ring){
        .mask = RING - 1,
        .size = RING,
        .producer = (void *) (base + ofs->producer),
        .consumer = (void *) (base + ofs->consumer),
        .flags = (void *) (base + ofs->flags),
        .entries = base + ofs->desc,
    };
    return 0;
}

/* Sockets, rings and program of one device; `owner` has registered the memory (or is the side
 * itself, which then does). */
static int
side_open(struct side *s, const struct side *owner, const char *dev, void *memory, char **errp)
{
    struct xdp_umem_reg reg = {
        .addr = (uintptr_t) memory, .len = N_FRAMES * FRAME_SZ, .chunk_size = FRAME_SZ};
    struct sockaddr_xdp sxdp = {.sxdp_family = AF_XDP, .sxdp_ifindex = if_nametoindex(dev)};
    struct xdp_mmap_offsets ofs;
    socklen_t len = sizeof ofs;
    int size = RING, error = 0;

    s->fd = socket(AF_XDP, SOCK_RAW | SOCK_CLOEXEC, 0);
    if (s->fd < 0 ||
        (s == owner && setsockopt(s->fd, SOL_XDP, XDP_UMEM_REG, &reg, sizeof reg)) ||
        setsockopt(s->fd, SOL_XDP, XDP_UMEM_FILL_RING, &size, sizeof size) ||
        setsockopt(s->fd, SOL_XDP, XDP_UMEM_COMPLETION_RING, &size, sizeof size) ||
        setsockopt(s->fd, SOL_XDP, XDP_RX_RING, &size, sizeof size) ||
        setsockopt(s->fd, SOL_XDP, XDP_TX_RING, &size, sizeof size) ||
        getsockopt(s->fd, SOL_XDP, XDP_MMAP_OFFSETS, &ofs, &len)) {
        error = errno;
    }
    error = error
                ? error
                : map_ring(s->fd, &s->rx, &ofs.rx, XDP_PGOFF_RX_RING, sizeof(struct xdp_desc));
    error = error
                ? error
                : map_ring(s->fd, &s->tx, &ofs.tx, XDP_PGOFF_TX_RING, sizeof(struct xdp_desc));
    error = error ? error : map_ring(s->fd, &s->fill, &ofs.fr, XDP_UMEM_PGOFF_FILL_RING, 8);
    error =
        error ? error : map_ring(s->fd, &s->comp, &ofs.cr, XDP_UMEM_PGOFF_COMPLETION_RING, 8);
    if (!error) {
        if (s == owner) {
            sxdp.sxdp_flags = XDP_COPY | XDP_USE_NEED_WAKEUP;
        } else {
            sxdp.sxdp_flags = XDP_SHARED_UMEM;
            sxdp.sxdp_shared_umem_fd = (uint32_t) owner->fd;
        }
        error = bind(s->fd, (struct sockaddr *) &sxdp, sizeof sxdp) ? errno : 0;
    }
    if (error) {
        error_set(errp, "%s: cannot open an AF_XDP socket (%s)", dev, strerror(error));
        return error;
    }
    error = xdp_attach_load(&s->prog, 64, false, errp);
    error = error ? error : xdp_attach_map_set(&s->prog, 0, s->fd, errp);
    return error ? error : xdp_attach_link(&s->prog, dev, (int) sxdp.sxdp_ifindex, false, errp);
}

/* Frames that left go back to the fill ring of the side that they came from, which is the other
 * one: nothing is ever kept. */
static void
recycle(struct side *from, struct side *to)
{
    uint32_t n = xsk_ring_room(&to->fill, xsk_ring_peek(&from->comp, BURST));

    for (uint32_t i = 0; i < n; i++) {
        xsk_ring_put_addr(&to->fill,
                          xsk_ring_get_addr(&from->comp) & ~(uint64_t) (FRAME_SZ - 1));
    }
    if (n) {
        xsk_ring_release(&from->comp);
        xsk_ring_submit(&to->fill);
    }
}

static void
forward(struct side *from, struct side *to)
{
    uint32_t n = xsk_ring_room(&to->tx, xsk_ring_peek(&from->rx, BURST));

    for (uint32_t i = 0; i < n; i++) {
        struct xdp_desc d = xsk_ring_get_desc(&from->rx);

        xsk_ring_put_desc(&to->tx, d.addr, d.len, 0);
    }
    if (n) {
        xsk_ring_release(&from->rx);
        xsk_ring_submit(&to->tx);
    }
    if (xsk_ring_backlog(&to->tx)) {
        sendto(to->fd, NULL, 0, MSG_DONTWAIT, NULL, 0);
    }
    recycle(to, from);
}

int
cmd_forward(int argc, char *argv[])
{
    static const struct option options[] = {{"ns", required_argument, NULL, 'n'},
                                            {"cpu", required_argument, NULL, 'c'},
                                            {NULL, 0, NULL, 0}};
    struct sigaction sa = {.sa_handler = on_signal};
    struct endpoint where = {.ifindex = 0};
    struct side sides[2] = {{.fd = -1}, {.fd = -1}};
    int option, cpu = -1, back = -1, error;
    char *reason = NULL;

    while ((option = getopt_long(argc, argv, "", options, NULL)) != -1) {
        if (option == 'n') {
            snprintf(where.ns, sizeof where.ns, "%s", optarg);
        } else if (option != 'c' || !num_parse_int(optarg, 0, 1023, &cpu)) {
            return 1;
        }
    }
    if (argc - optind != 2) {
        fprintf(stderr, "usage: xvs-perf forward [--ns=NS] [--cpu=N] DEVICE DEVICE\n");
        return 1;
    }
    sigaction(SIGTERM, &sa, NULL);
    sigaction(SIGINT, &sa, NULL);
    uint8_t *memory = mmap(NULL, N_FRAMES * FRAME_SZ, PROT_READ | PROT_WRITE,
                           MAP_PRIVATE | MAP_ANONYMOUS | MAP_POPULATE, -1, 0);
    error = memory == MAP_FAILED ? errno : endpoint_enter(&where, &back, &reason);
    for (unsigned i = 0; i < 2; i++) {
        xdp_attach_init(&sides[i].prog);
        error = error
                    ? error
                    : side_open(&sides[i], &sides[0], argv[optind + (int) i], memory, &reason);
    }
    if (!error) {
        for (unsigned i = 0; i < 2 * RING; i++) {
            xsk_ring_put_addr(&sides[i / RING].fill, (uint64_t) i * FRAME_SZ);
        }
        xsk_ring_submit(&sides[0].fill);
        xsk_ring_submit(&sides[1].fill);
        if (cpu >= 0 && affinity_pin((unsigned) cpu, &reason)) {
            fprintf(stderr, "xvs-perf: %s\n", reason);
        }
        puts("{\"ready\": true}");
        fflush(stdout);
        while (!ended) {
            forward(&sides[0], &sides[1]);
            forward(&sides[1], &sides[0]);
        }
    } else {
        fprintf(stderr, "xvs-perf: %s\n", reason ? reason : strerror(error));
    }
    for (unsigned i = 0; i < 2; i++) {
        xdp_attach_unload(&sides[i].prog);
        if (sides[i].fd >= 0) {
            close(sides[i].fd);
        }
    }
    endpoint_leave(back);
    free(reason);
    return error ? 1 : 0;
}
