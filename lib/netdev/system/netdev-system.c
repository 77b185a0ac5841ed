/* SPDX-License-Identifier: Apache-2.0 */

/* Ports of type system (and of no type): any kernel interface, by AF_PACKET.  Slower than
 * AF_XDP, but there is no interface it does not work on.  Contract: netdev-provider.h; received
 * (system-rx.c) on the main thread, sent to by any.  Needs CAP_NET_RAW; without CAP_NET_ADMIN
 * the interface's state and MTU are what they are. */

#include <arpa/inet.h>
#include <errno.h>
#include <net/if.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "log/coverage.h"
#include "netdev/system/system-private.h"
#include "util/xalloc.h"

COVERAGE_DEFINE(drop_system_tx_full);
COVERAGE_DEFINE(drop_system_tx_too_long);
COVERAGE_DEFINE(drop_system_tx_down);
COVERAGE_DEFINE(drop_system_tx_error);

static void
link_event(const struct rtnl_link *link, bool deleted, void *aux)
{
    struct netdev *netdev = link ? netdev_find(link->name) : NULL;
    if (netdev && netdev->class == &netdev_system_class) {
        struct netdev_system *dev = system_cast(netdev);
        kernel_link_event(&dev->kl, netdev, dev->arena);
    }
}

static int
system_init(struct evloop *loop)
{
    rtnl_monitor_subscribe(link_event, NULL);
    return 0;
}

static struct netdev *
system_alloc(void)
{
    struct netdev_system *dev = xzalloc_cacheline(sizeof *dev);
    return &dev->up;
}

static int
open_tx_socket(struct netdev_system *dev)
{
    /* Protocol 0: this one receives nothing. */
    dev->tx_fd = socket(AF_PACKET, SOCK_RAW | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (dev->tx_fd < 0) {
        return errno;
    }
    int sz = SYSTEM_SOCK_BUF;
    if (setsockopt(dev->tx_fd, SOL_SOCKET, SO_SNDBUFFORCE, &sz, sizeof sz)) {
        (void) setsockopt(dev->tx_fd, SOL_SOCKET, SO_SNDBUF, &sz, sizeof sz);
    }
    struct sockaddr_ll sll = {
        .sll_family = AF_PACKET,
        .sll_ifindex = dev->kl.link.ifindex,
    };
    if (bind(dev->tx_fd, (struct sockaddr *) &sll, sizeof sll)) {
        int error = errno;
        close(dev->tx_fd);
        return error;
    }
    return 0;
}

static int
system_construct(struct netdev *netdev, char **errp)
{
    struct netdev_system *dev = system_cast(netdev);
    int error = kernel_link_init(&dev->kl, netdev->name);
    if (error) {
        return error;
    }
    if (dev->kl.link.flags & IFF_LOOPBACK) {
        error_set(errp,
                  "%s is the loopback device: whatever a bridge sent there would come back",
                  netdev->name);
        return EINVAL;
    }
    error = open_tx_socket(dev);
    if (error == EPERM || error == EACCES) {
        error_set(errp,
                  "could not open network device %s: the capability CAP_NET_RAW is missing",
                  netdev->name);
    }
    return error;
}

static void
system_destruct(struct netdev *netdev)
{
    /* Promiscuity was the socket's and goes with it. */
    close(system_cast(netdev)->tx_fd);
}

static void
system_dealloc(struct netdev *netdev)
{
    free(system_cast(netdev));
}

static int
system_reconfigure(struct netdev *netdev, char **errp)
{
    struct netdev_system *dev = system_cast(netdev);
    int error = kernel_link_arena(&dev->kl, &dev->arena, errp);
    if (!error) {
        netdev->n_rxq = 1;
        netdev->n_txq = SYSTEM_N_TXQ;
    }
    return error;
}

/* Attributes. */

static int
system_get_etheraddr(const struct netdev *netdev, struct eth_addr *mac)
{
    *mac = system_cast(netdev)->kl.link.mac;
    return 0;
}

static int
system_set_etheraddr(struct netdev *netdev, struct eth_addr mac)
{
    return kernel_link_set_mac(&system_cast(netdev)->kl, mac);
}

static int
system_get_mtu(const struct netdev *netdev, int *mtu)
{
    *mtu = system_cast(netdev)->kl.link.mtu;
    return 0;
}

static int
system_set_mtu(struct netdev *netdev, int mtu)
{
    struct netdev_system *dev = system_cast(netdev);
    int error = kernel_link_check_mtu(&dev->kl, mtu);
    if (!error) {
        error = kernel_link_set_mtu(&dev->kl, mtu);
    }
    if (!error && dev->arena && kernel_link_frame_sz(&dev->kl) != arena_frame_sz(dev->arena)) {
        netdev->needs_reconfigure = true;
    }
    return error;
}

static int
system_get_ifindex(const struct netdev *netdev)
{
    return system_cast(netdev)->kl.link.ifindex;
}

static int
system_set_promisc(struct netdev_system *dev, bool promisc)
{
    struct packet_mreq mreq = {
        .mr_ifindex = dev->kl.link.ifindex,
        .mr_type = PACKET_MR_PROMISC,
    };
    if (promisc == dev->promisc) {
        return 0;
    }
    if (setsockopt(dev->tx_fd, SOL_PACKET,
                   promisc ? PACKET_ADD_MEMBERSHIP : PACKET_DROP_MEMBERSHIP, &mreq,
                   sizeof mreq)) {
        return errno;
    }
    dev->promisc = promisc;
    return 0;
}

static int
system_set_up(struct netdev *netdev, bool up)
{
    struct netdev_system *dev = system_cast(netdev);
    int error = system_set_promisc(dev, up);
    int error2 = kernel_link_set_up(&dev->kl, up);
    return error ? error : error2;
}

static bool
system_is_up(const struct netdev *netdev)
{
    return system_cast(netdev)->kl.link.flags & IFF_UP;
}

static void
system_get_link(const struct netdev *netdev, struct netdev_link *link)
{
    kernel_link_get(&system_cast(netdev)->kl, link);
}

static void
system_get_stats(const struct netdev *netdev, struct netdev_stats *s)
{
    const struct netdev_system *dev = system_cast(netdev);
    struct rtnl_stats k;
    if (rtnl_link_get_stats(dev->kl.link.ifindex, &k)) {
        return;
    }
    uint64_t tx_dropped = 0;
    for (unsigned i = 0; i < SYSTEM_N_TXQ; i++) {
        tx_dropped += atomic_load_explicit(&dev->tx[i].dropped, memory_order_relaxed);
    }
    *s = (struct netdev_stats){
        .rx_packets = k.rx_packets,
        .tx_packets = k.tx_packets,
        .rx_bytes = k.rx_bytes,
        .tx_bytes = k.tx_bytes,
        .rx_errors = k.rx_errors,
        .tx_errors = k.tx_errors,
        .rx_dropped =
            k.rx_dropped + atomic_load_explicit(&dev->rx_dropped, memory_order_relaxed),
        .tx_dropped = k.tx_dropped + tx_dropped,
        .multicast = k.multicast,
        .collisions = k.collisions,
        .rx_length_errors = k.rx_length_errors,
        .rx_over_errors = k.rx_over_errors,
        .rx_crc_errors = k.rx_crc_errors,
        .rx_frame_errors = k.rx_frame_errors,
        .rx_fifo_errors = k.rx_fifo_errors,
        .rx_missed_errors = k.rx_missed_errors,
        .tx_aborted_errors = k.tx_aborted_errors,
        .tx_carrier_errors = k.tx_carrier_errors,
        .tx_fifo_errors = k.tx_fifo_errors,
        .tx_heartbeat_errors = k.tx_heartbeat_errors,
        .tx_window_errors = k.tx_window_errors,
    };
}

static void
system_get_status(const struct netdev *netdev, struct smap *status)
{
    kernel_link_get_status(&system_cast(netdev)->kl, status);
}

/* Transmit. */

/* Says what becomes of the unsent after an error: the first alone is dropped, or all. */
static bool
tx_error_is_final(int error)
{
    switch (error) {
    case EAGAIN:
    case ENOBUFS:
        COVERAGE_INC(drop_system_tx_full);
        return true;
    case ENETDOWN:
    case ENXIO:
    case ENODEV:
        COVERAGE_INC(drop_system_tx_down);
        return true;
    case EMSGSIZE:
        COVERAGE_INC(drop_system_tx_too_long);
        return false;
    default:
        COVERAGE_INC(drop_system_tx_error);
        return false;
    }
}

static void
system_send(struct netdev *netdev, unsigned qid, struct packet_batch *batch)
{
    struct netdev_system *dev = system_cast(netdev);
    struct mmsghdr hdrs[PACKET_BATCH_MAX];
    struct iovec iov[PACKET_BATCH_MAX];

    for (unsigned i = 0; i < batch->n; i++) {
        iov[i] = (struct iovec){packet_data(batch->pkts[i]), batch->pkts[i]->len};
        hdrs[i].msg_hdr = (struct msghdr){.msg_iov = &iov[i], .msg_iovlen = 1};
    }
    unsigned done = 0;
    while (done < batch->n) {
        int n = sendmmsg(dev->tx_fd, hdrs + done, batch->n - done, MSG_DONTWAIT);
        if (n > 0) {
            done += (unsigned) n;
            continue;
        }
        bool final = n < 0 && tx_error_is_final(errno);
        unsigned lost = final || !n ? batch->n - done : 1;
        system_count(&dev->tx[qid].dropped, lost);
        done += lost;
    }
    packet_batch_free(batch);
}

const struct netdev_class netdev_system_class = {
    .type = "system",
    .poll = NETDEV_POLL_MAIN,
    .init = system_init,
    .alloc = system_alloc,
    .construct = system_construct,
    .destruct = system_destruct,
    .dealloc = system_dealloc,
    .reconfigure = system_reconfigure,
    .get_etheraddr = system_get_etheraddr,
    .set_etheraddr = system_set_etheraddr,
    .get_mtu = system_get_mtu,
    .set_mtu = system_set_mtu,
    .get_ifindex = system_get_ifindex,
    .set_up = system_set_up,
    .is_up = system_is_up,
    .get_link = system_get_link,
    .get_stats = system_get_stats,
    .get_status = system_get_status,
    .rxq_alloc = system_rxq_alloc,
    .rxq_construct = system_rxq_construct,
    .rxq_destruct = system_rxq_destruct,
    .rxq_dealloc = system_rxq_dealloc,
    .rxq_recv = system_rxq_recv,
    .rxq_fd = system_rxq_fd,
    .send = system_send,
};
