/* SPDX-License-Identifier: Apache-2.0 */

/* Receives from a packet socket into frames: up to 32 messages per system call, each scattered
 * over its virtio-net header, the room of one frame, and a bounce buffer for what a super-frame
 * has more.  Called on the thread that polls the queue.
 *
 * A burst of super-frames can give far more packets than a batch holds.  The messages read wait
 * then (`next`..`n_msgs`) and are gone on with at the next call; an eventfd beside the socket
 * in one epoll descriptor keeps the queue readable meanwhile. */

#include <arpa/inet.h>
#include <errno.h>
#include <net/ethernet.h>
#include <net/if.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <unistd.h>

#include "log/coverage.h"
#include "netdev/system/system-private.h"
#include "os/fd-closer.h"
#include "packet/headers.h"
#include "packet/packet-ops.h"
#include "util/xalloc.h"

COVERAGE_DEFINE(drop_system_rx_no_frame);
COVERAGE_DEFINE(drop_system_rx_too_long);
COVERAGE_DEFINE(drop_system_rx_bad_offload);
COVERAGE_DEFINE(drop_system_rx_vlan_room);
COVERAGE_DEFINE(system_rx_error);
COVERAGE_DEFINE(system_rx_super_frame);

#define N_MSGS PACKET_BATCH_MAX
/* A super-frame has at most 64 KiB of L3 packet; one whose device was told of larger ones
 * ("big TCP") is cut by the kernel and dropped here. */
#define SUPER_MAX (65536u + ETH_HDR_LEN + 2 * VLAN_HDR_LEN)

struct system_msg {
    struct virtio_net_hdr vnet;
    struct iovec iov[3];
    _Alignas(struct cmsghdr) char control[CMSG_SPACE(sizeof(struct tpacket_auxdata))];
    uint8_t *bounce; /* SUPER_MAX bytes, in system_rxq.super */
};

struct system_rxq {
    struct netdev_rxq up;
    int fd, event_fd, epoll_fd;
    bool event_set;
    unsigned n_msgs, next;         /* messages read, and the first not done with */
    uint32_t gso_pos;              /* in message `next` */
    uint32_t room;                 /* data bytes per frame */
    struct packet *frames[N_MSGS]; /* NULL where used up */
    struct mmsghdr hdrs[N_MSGS];
    struct system_msg msgs[N_MSGS];
    uint8_t *super; /* N_MSGS * SUPER_MAX bytes; untouched pages cost nothing */
};

static struct system_rxq *
rxq_cast(const struct netdev_rxq *rxq)
{
    return CONTAINER_OF(rxq, struct system_rxq, up);
}

struct netdev_rxq *
system_rxq_alloc(void)
{
    struct system_rxq *rxq = xzalloc(sizeof *rxq);
    rxq->fd = rxq->event_fd = rxq->epoll_fd = -1;
    return &rxq->up;
}

/* Protocol 0 receives nothing, so that no packet comes before all options are set. */
static int
open_socket(struct system_rxq *rxq, int ifindex)
{
    int one = 1, sz = SYSTEM_SOCK_BUF;
    rxq->fd = socket(AF_PACKET, SOCK_RAW | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (rxq->fd < 0 ||
        setsockopt(rxq->fd, SOL_PACKET, PACKET_IGNORE_OUTGOING, &one, sizeof one) ||
        setsockopt(rxq->fd, SOL_PACKET, PACKET_VNET_HDR, &one, sizeof one) ||
        setsockopt(rxq->fd, SOL_PACKET, PACKET_AUXDATA, &one, sizeof one)) {
        return errno;
    }
    if (setsockopt(rxq->fd, SOL_SOCKET, SO_RCVBUFFORCE, &sz, sizeof sz)) {
        /* Without CAP_NET_ADMIN: up to net.core.rmem_max. */
        (void) setsockopt(rxq->fd, SOL_SOCKET, SO_RCVBUF, &sz, sizeof sz);
    }
    struct sockaddr_ll sll = {
        .sll_family = AF_PACKET,
        .sll_protocol = htons(ETH_P_ALL),
        .sll_ifindex = ifindex,
    };
    return bind(rxq->fd, (struct sockaddr *) &sll, sizeof sll) ? errno : 0;
}

static int
open_epoll(struct system_rxq *rxq)
{
    struct epoll_event ev = {.events = EPOLLIN};
    rxq->event_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    rxq->epoll_fd = epoll_create1(EPOLL_CLOEXEC);
    if (rxq->event_fd < 0 || rxq->epoll_fd < 0 ||
        epoll_ctl(rxq->epoll_fd, EPOLL_CTL_ADD, rxq->fd, &ev) ||
        epoll_ctl(rxq->epoll_fd, EPOLL_CTL_ADD, rxq->event_fd, &ev)) {
        return errno;
    }
    return 0;
}

int
system_rxq_construct(struct netdev_rxq *rxq_, char **errp)
{
    struct system_rxq *rxq = rxq_cast(rxq_);
    struct netdev_system *dev = system_cast(rxq_->netdev);
    int error = open_socket(rxq, dev->base.kl.link.ifindex);
    if (!error) {
        error = open_epoll(rxq);
    }
    if (error) {
        error_set(errp, "could not receive from network device %s (%s)", rxq_->netdev->name,
                  strerror(error));
        system_rxq_destruct(rxq_);
        return error;
    }
    rxq->room = arena_frame_sz(dev->base.arena) - FRAME_DATA_OFS;
    /* Each message's bounce area has the frame's part in front, so that a super-frame is made
     * whole by one copy of that part. */
    rxq->super = xmalloc((size_t) N_MSGS * SUPER_MAX);
    for (unsigned i = 0; i < N_MSGS; i++) {
        struct system_msg *m = &rxq->msgs[i];
        m->bounce = rxq->super + (size_t) i * SUPER_MAX;
        m->iov[0] = (struct iovec){&m->vnet, sizeof m->vnet};
        m->iov[2] = (struct iovec){m->bounce + rxq->room, SUPER_MAX - rxq->room};
    }
    return 0;
}

static void
close_fd(int *fd)
{
    if (*fd >= 0) {
        close(*fd);
        *fd = -1;
    }
}

void
system_rxq_destruct(struct netdev_rxq *rxq_)
{
    struct system_rxq *rxq = rxq_cast(rxq_);
    close_fd(&rxq->epoll_fd);
    close_fd(&rxq->event_fd);
    fd_closer_close(rxq->fd, system_cast(rxq_->netdev)->base.kl.link.ifindex);
    rxq->fd = -1;
    for (unsigned i = 0; i < N_MSGS; i++) {
        packet_free(rxq->frames[i]);
        rxq->frames[i] = NULL;
    }
    free(rxq->super);
    rxq->super = NULL;
}

void
system_rxq_dealloc(struct netdev_rxq *rxq)
{
    free(rxq_cast(rxq));
}

int
system_rxq_fd(const struct netdev_rxq *rxq)
{
    return rxq_cast(rxq)->epoll_fd;
}

static void
drop(struct system_rxq *rxq)
{
    counter_add(&system_cast(rxq->up.netdev)->rx_dropped, 1);
}

/* Out of frames: takes packets off the socket all the same, for else its descriptor would stay
 * readable and the main loop would spin. */
static void
discard(struct system_rxq *rxq)
{
    struct virtio_net_hdr vnet;
    for (unsigned i = 0; i < N_MSGS; i++) {
        if (recv(rxq->fd, &vnet, sizeof vnet, MSG_DONTWAIT) < 0) {
            break;
        }
        COVERAGE_INC(drop_system_rx_no_frame);
        drop(rxq);
    }
}

/* Reads the next messages; how many. */
static unsigned
read_msgs(struct system_rxq *rxq)
{
    struct arena *arena = system_cast(rxq->up.netdev)->base.arena;
    unsigned n = 0;
    while (n < N_MSGS) {
        struct packet **p = &rxq->frames[n];
        if (!*p && !(*p = packet_alloc(arena, (uint16_t) rxq->room))) {
            break;
        }
        struct system_msg *m = &rxq->msgs[n];
        m->iov[1] = (struct iovec){packet_data(*p), rxq->room};
        rxq->hdrs[n].msg_hdr = (struct msghdr){
            .msg_iov = m->iov,
            .msg_iovlen = 3,
            .msg_control = m->control,
            .msg_controllen = sizeof m->control,
        };
        n++;
    }
    if (!n) {
        discard(rxq);
        return 0;
    }
    int got = recvmmsg(rxq->fd, rxq->hdrs, n, MSG_DONTWAIT, NULL);
    if (got < 0 && errno != EAGAIN) {
        /* ENETDOWN once when the interface goes down, EINVAL for a packet whose offloads the
         * header cannot express; either is consumed by having been told. */
        COVERAGE_INC(system_rx_error);
        if (errno == EINVAL) {
            drop(rxq);
        }
    }
    return got > 0 ? (unsigned) got : 0;
}

/* The tag that the kernel took out of the packet: true with its type and TCI. */
static bool
stripped_vlan(struct msghdr *h, uint16_t *tpid, uint16_t *tci)
{
    for (struct cmsghdr *c = CMSG_FIRSTHDR(h); c; c = CMSG_NXTHDR(h, c)) {
        if (c->cmsg_level == SOL_PACKET && c->cmsg_type == PACKET_AUXDATA &&
            c->cmsg_len >= CMSG_LEN(sizeof(struct tpacket_auxdata))) {
            struct tpacket_auxdata aux;
            memcpy(&aux, CMSG_DATA(c), sizeof aux);
            if (aux.tp_status & TP_STATUS_VLAN_VALID) {
                *tci = aux.tp_vlan_tci;
                *tpid = aux.tp_status & TP_STATUS_VLAN_TPID_VALID ? aux.tp_vlan_tpid
                                                                  : ETH_TYPE_VLAN;
                return true;
            }
        }
    }
    return false;
}

/* Puts the packet into the batch, behind its tag; takes it. */
static void
deliver(struct system_rxq *rxq, struct msghdr *h, struct packet *p, struct packet_batch *batch)
{
    uint16_t tpid, tci;
    if (stripped_vlan(h, &tpid, &tci)) {
        if (!packet_push_vlan(p, tpid, tci)) {
            COVERAGE_INC(drop_system_rx_vlan_room);
            drop(rxq);
            packet_free(p);
            return;
        }
        /* packet_push_vlan() keeps bit 12 for itself; here it is the wire's drop eligibility.
         */
        uint16_t tci_be = htons(tci);
        memcpy(packet_data(p) + ETH_HDR_LEN, &tci_be, sizeof tci_be);
    }
    /* What was learnt on the way is nobody's business: extraction starts afresh. */
    p->l2_5_ofs = p->l3_ofs = p->l4_ofs = PACKET_OFS_NONE;
    p->l4_len = 0;
    packet_batch_add(batch, p);
}

/* A message that fits its frame, or nearly: there is no way to send it on in pieces. */
static void
take_plain(struct system_rxq *rxq, unsigned i, uint32_t len, struct packet_batch *batch)
{
    struct system_msg *m = &rxq->msgs[i];
    struct packet *p = rxq->frames[i];
    if (len > rxq->room || len < ETH_HDR_LEN) {
        COVERAGE_INC(drop_system_rx_too_long);
        drop(rxq);
        return;
    }
    if (m->vnet.flags & VIRTIO_NET_HDR_F_NEEDS_CSUM &&
        !system_complete_csum(&m->vnet, packet_data(p), len)) {
        COVERAGE_INC(drop_system_rx_bad_offload);
        drop(rxq);
        return;
    }
    rxq->frames[i] = NULL;
    packet_init_rx(p, FRAME_DATA_OFS, (uint16_t) len);
    deliver(rxq, &rxq->hdrs[i].msg_hdr, p, batch);
}

/* Goes on cutting the super-frame at rxq->gso_pos; false when the batch is full before its end.
 */
static bool
take_super(struct system_rxq *rxq, unsigned i, uint32_t len, struct packet_batch *batch)
{
    struct system_msg *m = &rxq->msgs[i];
    unsigned type = m->vnet.gso_type & ~VIRTIO_NET_HDR_GSO_ECN;
    struct packet_gso gso = {
        .data = m->bounce,
        .len = len,
        .l3_ofs = system_l3_offset(packet_data(rxq->frames[i]), MIN(len, rxq->room)),
        .l4_ofs = m->vnet.csum_start,
        .mss = m->vnet.gso_size,
    };
    if (!rxq->gso_pos) {
        COVERAGE_INC(system_rx_super_frame);
        memcpy(m->bounce, packet_data(rxq->frames[i]), MIN(len, rxq->room));
        if (!(m->vnet.flags & VIRTIO_NET_HDR_F_NEEDS_CSUM) || type == VIRTIO_NET_HDR_GSO_UDP ||
            !packet_segment_count(&gso)) {
            COVERAGE_INC(drop_system_rx_bad_offload);
            drop(rxq);
            return true;
        }
    }
    while (!packet_batch_full(batch)) {
        struct packet *p;
        if (!packet_segment_next(&gso, &rxq->gso_pos, &p)) {
            return true;
        }
        if (p) {
            deliver(rxq, &rxq->hdrs[i].msg_hdr, p, batch);
        } else {
            drop(rxq);
        }
    }
    return false;
}

/* Deals with message `i`; false when it needs another batch. */
static bool
take_msg(struct system_rxq *rxq, unsigned i, struct packet_batch *batch)
{
    const struct mmsghdr *h = &rxq->hdrs[i];
    if (h->msg_len < sizeof(struct virtio_net_hdr) || h->msg_hdr.msg_flags & MSG_TRUNC) {
        COVERAGE_INC(drop_system_rx_too_long);
        drop(rxq);
        return true;
    }
    uint32_t len = h->msg_len - (uint32_t) sizeof(struct virtio_net_hdr);
    if (rxq->msgs[i].vnet.gso_type != VIRTIO_NET_HDR_GSO_NONE) {
        return take_super(rxq, i, len, batch);
    }
    take_plain(rxq, i, len, batch);
    return true;
}

unsigned
system_rxq_recv(struct netdev_rxq *rxq_, struct packet_batch *batch)
{
    struct system_rxq *rxq = rxq_cast(rxq_);
    if (rxq->next == rxq->n_msgs) {
        rxq->next = 0;
        rxq->n_msgs = read_msgs(rxq);
    }
    while (rxq->next < rxq->n_msgs && !packet_batch_full(batch) &&
           take_msg(rxq, rxq->next, batch)) {
        rxq->next++;
        rxq->gso_pos = 0;
    }
    bool waiting = rxq->next < rxq->n_msgs;
    if (waiting != rxq->event_set) {
        eventfd_t value;
        if (waiting) {
            (void) eventfd_write(rxq->event_fd, 1);
        } else {
            (void) eventfd_read(rxq->event_fd, &value);
        }
        rxq->event_set = waiting;
    }
    return batch->n;
}
