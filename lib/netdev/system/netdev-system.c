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
#include "os/fd-closer.h"
#include "util/xalloc.h"

COVERAGE_DEFINE(drop_system_tx_full);
COVERAGE_DEFINE(drop_system_tx_too_long);
COVERAGE_DEFINE(drop_system_tx_down);
COVERAGE_DEFINE(drop_system_tx_error);

static void
look_at_link(struct netdev *netdev)
{
    kernel_netdev_event(kernel_netdev_cast(netdev));
}

static void
link_event(const struct rtnl_link *link, bool deleted, void *aux)
{
    struct netdev *netdev = link ? netdev_find(link->name) : NULL;
    if (netdev && netdev->class == &netdev_system_class) {
        look_at_link(netdev);
    } else if (!link) { /* events were lost */
        netdev_for_each_of_class(&netdev_system_class, look_at_link);
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
    return &dev->base.up;
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
        .sll_ifindex = dev->base.kl.link.ifindex,
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
    int error = kernel_link_init(&dev->base.kl, netdev->name);
    if (error) {
        return error;
    }
    if (dev->base.kl.link.flags & IFF_LOOPBACK) {
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

static int
system_set_promisc(struct netdev_system *dev, bool promisc)
{
    struct packet_mreq mreq = {
        .mr_ifindex = dev->base.kl.link.ifindex,
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

static void
system_destruct(struct netdev *netdev)
{
    struct netdev_system *dev = system_cast(netdev);

    /* Promiscuity is the socket's and would go with it, but not before it is closed. */
    (void) system_set_promisc(dev, false);
    fd_closer_close(dev->tx_fd, dev->base.kl.link.ifindex);
}

static void
system_dealloc(struct netdev *netdev)
{
    free(system_cast(netdev));
}

/* Attributes. */

static int
system_set_up(struct netdev *netdev, bool up)
{
    struct netdev_system *dev = system_cast(netdev);
    int error = system_set_promisc(dev, up);
    int error2 = kernel_netdev_set_up(netdev, up);
    return error ? error : error2;
}

static void
system_get_stats(const struct netdev *netdev, struct netdev_stats *s)
{
    const struct netdev_system *dev = system_cast(netdev);
    struct rtnl_stats k;
    if (rtnl_link_get_stats(dev->base.kl.link.ifindex, &k)) {
        return;
    }
    uint64_t tx_dropped = 0;
    for (unsigned i = 0; i < KERNEL_NETDEV_N_TXQ; i++) {
        tx_dropped += counter_get(&dev->tx[i].dropped);
    }
    *s = (struct netdev_stats){
        .rx_packets = k.rx_packets,
        .tx_packets = k.tx_packets,
        .rx_bytes = k.rx_bytes,
        .tx_bytes = k.tx_bytes,
        .rx_dropped = k.rx_dropped + counter_get(&dev->rx_dropped),
        .tx_dropped = k.tx_dropped + tx_dropped,
    };
    kernel_link_copy_errors(&k, s);
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

    if (UNLIKELY(!kernel_link_takes_packets(&dev->base.kl))) {
        COVERAGE_ADD(drop_system_tx_down, batch->n);
        counter_add_shared(&dev->tx[qid].dropped, batch->n);
        packet_batch_free(batch);
        return;
    }
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
        counter_add_shared(&dev->tx[qid].dropped, lost);
        done += lost;
    }
    packet_batch_free(batch);
}

const struct netdev_class netdev_system_class = {
    .type = "system",
    .poll = NETDEV_POLL_MAIN,
    .tx_concurrent = true,
    .init = system_init,
    .alloc = system_alloc,
    .construct = system_construct,
    .destruct = system_destruct,
    .dealloc = system_dealloc,
    .reconfigure = kernel_netdev_reconfigure,
    .get_etheraddr = kernel_netdev_get_etheraddr,
    .set_etheraddr = kernel_netdev_set_etheraddr,
    .get_mtu = kernel_netdev_get_mtu,
    .set_mtu = kernel_netdev_set_mtu,
    .get_ifindex = kernel_netdev_get_ifindex,
    .set_up = system_set_up,
    .is_up = kernel_netdev_is_up,
    .get_link = kernel_netdev_get_link,
    .get_stats = system_get_stats,
    .get_status = kernel_netdev_get_status,
    .rxq_alloc = system_rxq_alloc,
    .rxq_construct = system_rxq_construct,
    .rxq_destruct = system_rxq_destruct,
    .rxq_dealloc = system_rxq_dealloc,
    .rxq_recv = system_rxq_recv,
    .rxq_fd = system_rxq_fd,
    .send = system_send,
};
