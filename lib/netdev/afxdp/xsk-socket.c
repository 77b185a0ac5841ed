/* SPDX-License-Identifier: Apache-2.0 */
/* One queue's AF_XDP socket: rings made, mapped, filled, bound; and the way back.  Called by
 * afxdp-port.c on the main thread while nobody polls or sends.  It speaks the kernel's own
 * interface (linux/if_xdp.h), for three reasons: the order (fill ring full before bind),
 * several UMEMs over one mapping, and recovering what the rings held.  It knows no program and
 * no map. */

#include "netdev/afxdp/afxdp-private.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <unistd.h>

#include "log/log.h"
#include "os/clock.h"
#include "os/fd-closer.h"
#include "os/netdev-genl.h"
#include "util/xalloc.h"

LOG_MODULE(afxdp_socket);

#ifndef XDP_MAX_TX_SKB_BUDGET
#define XDP_MAX_TX_SKB_BUDGET 9 /* Linux 6.18 */
#endif

/* What the kernel moves per sendto() in copy mode unless told otherwise, and what we ask for.
 * The call runs with the device's queue locked, so not the whole ring. */
#define COPY_BUDGET_DEFAULT 32u
#define COPY_BUDGET_WANTED 256u
/* With zero copy a kick is a doorbell: one per this many descriptors, or per loop turn. */
#define ZC_KICK_BATCH 64u

/* The kernel unbinds a closed socket in deferred work: a few grace periods. */
#define REBIND_WAIT_MS 500
#define REBIND_STEP_US 2000

enum { RING_RX, RING_TX, RING_FILL, RING_COMP };

static int64_t last_close_ns = INT64_MIN / 2;

bool
xsk_recently_closed(void)
{
    return clock_real_ns() - last_close_ns < REBIND_WAIT_MS * INT64_C(1000000);
}

static int
open_socket(char **errp)
{
    int fd = socket(AF_XDP, SOCK_RAW | SOCK_CLOEXEC, 0);

    if (fd < 0) {
        int error = errno;
        error_set(errp, "cannot open an AF_XDP socket (%s)%s", strerror(error),
                  error == EPERM || error == EACCES ? ": CAP_NET_RAW is missing"
                  : error == EAFNOSUPPORT           ? ": the kernel lacks CONFIG_XDP_SOCKETS"
                                                    : "");
        return -error;
    }
    return fd;
}

static int
set_ring_size(int fd, int opt, uint32_t size, char **errp)
{
    if (setsockopt(fd, SOL_XDP, opt, &size, sizeof size)) {
        int error = errno;
        error_set(errp, "cannot make a ring of %u descriptors (%s)", size, strerror(error));
        return error;
    }
    return 0;
}

static int
map_ring(int fd, struct xsk_ring *r, struct xsk_mapping *mapping, uint32_t size,
         size_t entry_sz, const struct xdp_ring_offset *ofs, uint64_t page_ofs, char **errp)
{
    size_t len = ofs->desc + size * entry_sz;
    void *p = mmap(NULL, len, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_POPULATE, fd,
                   (off_t) page_ofs);

    if (p == MAP_FAILED) {
        int error = errno;
        error_set(errp, "cannot map a ring of the AF_XDP socket (%s)", strerror(error));
        return error;
    }
    *mapping = (struct xsk_mapping){p, len};
    *r = (struct xsk_ring){
        .mask = size - 1,
        .size = size,
        .producer = (_Atomic uint32_t *) (void *) ((char *) p + ofs->producer),
        .consumer = (_Atomic uint32_t *) (void *) ((char *) p + ofs->consumer),
        .flags = (_Atomic uint32_t *) (void *) ((char *) p + ofs->flags),
        .entries = (char *) p + ofs->desc,
    };
    return 0;
}

static int
make_rings(struct xsk_queue *q, const struct afxdp_config *cfg, char **errp)
{
    uint32_t rx = cfg->rx_ring_sz, tx = cfg->tx_ring_sz;
    struct xdp_mmap_offsets ofs;
    socklen_t len = sizeof ofs;
    int error;

    if ((error = set_ring_size(q->fd, XDP_UMEM_FILL_RING, rx, errp)) ||
        (error = set_ring_size(q->fd, XDP_UMEM_COMPLETION_RING, tx, errp)) ||
        (error = set_ring_size(q->fd, XDP_RX_RING, rx, errp)) ||
        (error = set_ring_size(q->fd, XDP_TX_RING, tx, errp))) {
        return error;
    }
    if (getsockopt(q->fd, SOL_XDP, XDP_MMAP_OFFSETS, &ofs, &len) || len != sizeof ofs) {
        error_set(errp, "this kernel's AF_XDP is too old (no ring flags)");
        return EPROTONOSUPPORT;
    }
    if ((error = map_ring(q->fd, &q->rx, &q->mappings[RING_RX], rx, sizeof(struct xdp_desc),
                          &ofs.rx, XDP_PGOFF_RX_RING, errp)) ||
        (error = map_ring(q->fd, &q->tx, &q->mappings[RING_TX], tx, sizeof(struct xdp_desc),
                          &ofs.tx, XDP_PGOFF_TX_RING, errp)) ||
        (error = map_ring(q->fd, &q->fill, &q->mappings[RING_FILL], rx, sizeof(uint64_t),
                          &ofs.fr, XDP_UMEM_PGOFF_FILL_RING, errp))) {
        return error;
    }
    return map_ring(q->fd, &q->comp, &q->mappings[RING_COMP], tx, sizeof(uint64_t), &ofs.cr,
                    XDP_UMEM_PGOFF_COMPLETION_RING, errp);
}

/* How many descriptors one kick moves.  In copy mode the kernel stops after a budget, and the
 * skbs that wait behind the device count against the socket's send buffer: too small a one
 * would stall a burst halfway. */
static void
tune_tx(struct xsk_queue *q, uint32_t tx_ring_sz)
{
    uint32_t budget = MIN(COPY_BUDGET_WANTED, tx_ring_sz);
    int sndbuf = (int) MIN(tx_ring_sz * 4096u, 64u << 20);

    if (q->zerocopy) {
        q->kick_batch = MIN(ZC_KICK_BATCH, tx_ring_sz / 2);
        return;
    }
    if (setsockopt(q->fd, SOL_XDP, XDP_MAX_TX_SKB_BUDGET, &budget, sizeof budget)) {
        budget = COPY_BUDGET_DEFAULT;
    }
    q->kick_batch = budget;
    if (setsockopt(q->fd, SOL_SOCKET, SO_SNDBUFFORCE, &sndbuf, sizeof sndbuf)) {
        setsockopt(q->fd, SOL_SOCKET, SO_SNDBUF, &sndbuf, sizeof sndbuf);
    }
}

/* One try.  `owner_fd` < 0: this socket owns the UMEM; else it takes mode and UMEM from there,
 * and the kernel allows no mode flags. */
static int
try_bind(int fd, int owner_fd, int ifindex, unsigned dev_qid, enum afxdp_mode mode,
         bool need_wakeup, bool chains)
{
    struct sockaddr_xdp sxdp = {
        .sxdp_family = AF_XDP,
        .sxdp_ifindex = (uint32_t) ifindex,
        .sxdp_queue_id = dev_qid,
    };

    if (owner_fd >= 0) {
        sxdp.sxdp_flags = XDP_SHARED_UMEM;
        sxdp.sxdp_shared_umem_fd = (uint32_t) owner_fd;
    } else {
        sxdp.sxdp_flags =
            (uint16_t) ((mode == AFXDP_MODE_NATIVE_ZC ? XDP_ZEROCOPY : XDP_COPY) |
                        (need_wakeup ? XDP_USE_NEED_WAKEUP : 0) | (chains ? XDP_USE_SG : 0));
    }
    return bind(fd, (struct sockaddr *) &sxdp, sizeof sxdp) ? errno : 0;
}

static int
use_chains(struct xsk_queue *q, struct afxdp_dev *dev, bool chains, char **errp)
{
    static bool told;
    int error = 0;

    dev->umem.chains = chains;
    if (chains) {
        q->super = xsk_superframe_new();
        if (dev->jumbo) {
            error = packet_node_arena(dev->up.numa_node, FRAME_SZ_JUMBO, &q->jumbo, errp);
        }
    } else if (dev->jumbo) {
        error_set(errp,
                  "the MTU of %s is more than the %d that AF_XDP frames hold, and this kernel "
                  "has no packets of several frames (Linux 6.6 is needed)",
                  dev->up.name, AFXDP_MTU_ONE);
        error = ERANGE;
    } else if (!told) {
        told = true;
        LOG_WARN("%s: in generic mode this kernel (Linux 6.6 is needed) drops TCP that the "
                 "sender leaves to segmentation offload, which is slow; switch it off there "
                 "(ethtool -K DEVICE tso off gso off)",
                 dev->up.name);
    }
    return error;
}

static int
bind_queue(struct xsk_queue *q, int owner_fd, struct afxdp_dev *dev, enum afxdp_mode mode,
           char **errp)
{
    bool wants_chains = mode == AFXDP_MODE_GENERIC || dev->jumbo;
    bool chains = owner_fd < 0 ? wants_chains : dev->umem.chains;
    int error;

    for (int64_t waited_us = 0;; waited_us += REBIND_STEP_US) {
        error = try_bind(q->fd, owner_fd, dev->ifindex, q->dev_qid, mode, dev->cfg.need_wakeup,
                         chains);
        if (error == EINVAL && chains && owner_fd < 0) {
            chains = false; /* before Linux 6.6 */
            continue;
        }
        if (error != EBUSY || !xsk_recently_closed() ||
            waited_us >= REBIND_WAIT_MS * INT64_C(1000)) {
            break;
        }
        usleep(REBIND_STEP_US);
    }
    if (error == EBUSY) {
        error_set(errp,
                  "queue %u of %s is taken by another AF_XDP socket; stop the process that has "
                  "it, or choose other queues by options:start-queue",
                  q->dev_qid, dev->up.name);
    } else if (error) {
        error_set(errp, "cannot bind to queue %u of %s in %s mode (%s)", q->dev_qid,
                  dev->up.name, afxdp_mode_name(mode), strerror(error));
    } else if (wants_chains) {
        error = use_chains(q, dev, chains, errp);
    }
    return error;
}

/* What the kernel says that it bound. */
static bool
is_zerocopy(int fd)
{
    struct xdp_options opts;
    socklen_t len = sizeof opts;

    return !getsockopt(fd, SOL_XDP, XDP_OPTIONS, &opts, &len) &&
           (opts.flags & XDP_OPTIONS_ZEROCOPY);
}

/* In copy mode the kernel makes an skb and completes its checksum where the device cannot. With
 * zero copy that is the driver's. */
static bool
wants_tx_metadata(struct afxdp_dev *dev, enum afxdp_mode mode)
{
    return dev->cfg.tx_csum &&
           (mode != AFXDP_MODE_NATIVE_ZC || netdev_genl_has_tx_csum(dev->ifindex));
}

int
xsk_queue_open(struct xsk_queue *q, struct afxdp_dev *dev, unsigned dev_qid,
               enum afxdp_mode mode, char **errp)
{
    int error;

    memset(q, 0, sizeof *q);
    q->dev_qid = dev_qid;
    q->arena = dev->arena;
    q->fill_target = dev->fill_target;
    q->max_len = &dev->max_len;
    q->need_wakeup = dev->cfg.need_wakeup;
    q->fd = open_socket(errp);
    if (q->fd < 0) {
        return -q->fd;
    }
    q->holder = arena_holder_alloc();
    if (!q->holder) {
        error_set(errp, "too many AF_XDP queues");
        error = ENOSPC;
        goto err;
    }
    int owner_fd = dev->umem.owner_fd;
    if (owner_fd < 0) {
        error = xsk_umem_register(&dev->umem, dev->arena, q->fd, wants_tx_metadata(dev, mode),
                                  errp);
        if (error) {
            goto err;
        }
    }
    error = make_rings(q, &dev->cfg, errp);
    if (error) {
        goto err;
    }
    q->ledger = xzalloc(dev->arena->n_frames);
    xsk_fill(q);
    error = bind_queue(q, owner_fd, dev, mode, errp);
    if (error) {
        goto err;
    }
    q->zerocopy = is_zerocopy(q->fd);
    if (q->zerocopy != (mode == AFXDP_MODE_NATIVE_ZC)) {
        error_set(errp, "the kernel did not bind queue %u of %s in %s mode", dev_qid,
                  dev->up.name, afxdp_mode_name(mode));
        error = EOPNOTSUPP;
        goto err;
    }
    q->tx_csum = dev->umem.tx_metadata;
    tune_tx(q, dev->cfg.tx_ring_sz);
    return 0;

err:
    /* Never bound, or not by a program's hand: the kernel has none of the frames. */
    if (dev->umem.owner_fd == q->fd) {
        dev->umem.owner_fd = -1;
    }
    xsk_queue_close(q, 0);
    arena_collect();
    return error;
}

/* Quarantines a reference of every frame that was sent and has not been completed. */
static void
recover_ledger(struct xsk_queue *q, int64_t delay_ms)
{
    uint32_t n = atomic_load_explicit(&q->outstanding, memory_order_relaxed), k = 0;

    if (!n) {
        return;
    }
    struct frame **frames = xcalloc(n, sizeof *frames);
    for (uint32_t id = 0; id < q->arena->n_frames && k < n; id++) {
        for (unsigned times = q->ledger[id]; times > 0 && k < n; times--) {
            frames[k++] = arena_frame(q->arena, id);
        }
    }
    arena_quarantine(frames, k, delay_ms);
    free(frames);
}

/* What is complete already needs no quarantine.  Mappings hold the socket open as much as its
 * descriptor does. */
static void
leave_rings(struct xsk_queue *q) NO_THREAD_SAFETY
{
    struct frame *done[XSK_COMPLETE_BURST];

    for (unsigned n;
         q->mappings[RING_COMP].base && q->ledger && (n = xsk_tx_complete__(q, done)) != 0;) {
        frame_free(done, n);
    }
    for (unsigned i = 0; i < ARRAY_SIZE(q->mappings); i++) {
        if (q->mappings[i].base) {
            munmap(q->mappings[i].base, q->mappings[i].size);
            q->mappings[i].base = NULL;
        }
    }
}

void
xsk_queue_hang_up(struct xsk_queue *q, int ifindex)
{
    leave_rings(q);
    fd_closer_close(q->fd, ifindex);
    q->fd = -1;
}

void
xsk_queue_close(struct xsk_queue *q, int64_t delay_ms)
{
    unsigned n_filled = 0;

    leave_rings(q);
    if (q->fd >= 0) {
        close(q->fd);
        q->fd = -1;
    }
    last_close_ns = clock_real_ns();
    xsk_superframe_free(q->super);
    q->super = NULL;
    if (q->ledger) {
        recover_ledger(q, delay_ms);
        free(q->ledger);
        q->ledger = NULL;
    }
    if (q->holder) {
        n_filled = arena_quarantine_holder(q->arena, q->holder, delay_ms);
        arena_holder_free(q->holder);
        q->holder = 0;
    }
    if (n_filled != atomic_load_explicit(&q->in_kernel, memory_order_relaxed)) {
        LOG_WARN("queue %u: %u frames were in the kernel's hands, %u came back", q->dev_qid,
                 atomic_load_explicit(&q->in_kernel, memory_order_relaxed), n_filled);
    }
}
