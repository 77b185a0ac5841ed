/* SPDX-License-Identifier: Apache-2.0 */

/* Ports of types internal and tap: an Ethernet device that this process makes by /dev/net/tun
 * and whose other end is the host's network stack.  Contract: netdev-provider.h; received on
 * the main thread, sent to by any.
 *
 * The devices are not persistent: the kernel removes them with the descriptor, so that even
 * after a kill -9 nothing of a switch that is no more stays behind.  The price is that
 * addresses given to a bridge's interface are lost over a restart, as they are over a reboot.
 * A persistent internal device that another switch left under our name is taken over and made
 * non-persistent; a persistent tap somebody made for type=tap stays as persistent as it was: it
 * is not ours. */

#include <errno.h>
#include <fcntl.h>
#include <linux/if_tun.h>
#include <net/if.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/uio.h>
#include <unistd.h>

#include "log/coverage.h"
#include "log/log.h"
#include "netdev/kernel-netdev.h"
#include "packet/headers.h"
#include "util/counter.h"
#include "util/xalloc.h"

LOG_MODULE(netdev_tap);
COVERAGE_DEFINE(drop_tap_rx_too_long);
COVERAGE_DEFINE(drop_tap_rx_no_frame);
COVERAGE_DEFINE(drop_tap_tx_full);
COVERAGE_DEFINE(drop_tap_tx_down);
COVERAGE_DEFINE(drop_tap_tx_error);

#define TUN_PATH "/dev/net/tun"

struct tap_counters {
    _Atomic uint64_t packets, bytes, dropped;
} CACHE_ALIGNED;

struct netdev_tap {
    struct kernel_netdev base;
    int fd;
    bool elsewhere; /* moved to another namespace, where our rtnetlink does not reach */
    struct tap_counters rx, tx[KERNEL_NETDEV_N_TXQ];
};

static struct netdev_tap *
tap_cast(const struct netdev *netdev)
{
    return CONTAINER_OF(netdev, struct netdev_tap, base.up);
}

static bool
is_tap_class(const struct netdev_class *class)
{
    return class == &netdev_internal_class || class == &netdev_tap_class;
}

/* A device that is gone from our namespace while the descriptor still has it was moved to
 * another one: somebody gave a container its interface.  Packets flow as before. */
static bool
went_elsewhere(const struct netdev_tap *dev)
{
    struct rtnl_link now;
    struct ifreq ifr;
    int error = rtnl_link_get(dev->base.up.name, &now);

    if (error != ENODEV && (error || now.ifindex == dev->base.kl.link.ifindex)) {
        return false;
    }
    memset(&ifr, 0, sizeof ifr);
    return !ioctl(dev->fd, TUNGETIFF, &ifr);
}

static void
look_at_link(struct netdev *netdev)
{
    struct netdev_tap *dev = tap_cast(netdev);
    if (!dev->elsewhere && went_elsewhere(dev)) {
        dev->elsewhere = true;
        LOG_INFO("%s: moved to another network namespace, where it is used as before",
                 netdev->name);
        kernel_link_lost_sight(&dev->base.kl);
        netdev_changed(netdev);
    }
    if (!dev->elsewhere) {
        kernel_netdev_event(&dev->base);
    }
}

static void
link_event(const struct rtnl_link *link, bool deleted, void *aux)
{
    struct netdev *netdev = link ? netdev_find(link->name) : NULL;
    if (netdev && is_tap_class(netdev->class)) {
        look_at_link(netdev);
    } else if (!link) { /* events were lost */
        netdev_for_each_of_class(&netdev_internal_class, look_at_link);
        netdev_for_each_of_class(&netdev_tap_class, look_at_link);
    }
}

static int
tap_init(struct evloop *loop)
{
    static bool subscribed;
    if (!subscribed) {
        subscribed = true;
        rtnl_monitor_subscribe(link_event, NULL);
    }
    return 0;
}

static struct netdev *
tap_alloc(void)
{
    struct netdev_tap *dev = xzalloc_cacheline(sizeof *dev);
    return &dev->base.up;
}

static int
open_tun(const struct netdev *netdev, int *fd, char **errp)
{
    *fd = open(TUN_PATH, O_RDWR | O_NONBLOCK | O_CLOEXEC);
    if (*fd >= 0) {
        return 0;
    }
    int error = errno;
    const char *remedy = error == ENOENT || error == ENODEV || error == ENXIO
                             ? ": load the kernel module tun, or give the container that device"
                         : error == EACCES || error == EPERM
                             ? ": the process may not use that device"
                             : "";
    error_set(errp, "could not create tap device %s: opening %s failed (%s)%s", netdev->name,
              TUN_PATH, strerror(error), remedy);
    return error;
}

/* Explains why TUNSETIFF failed with `error`. */
static void
explain_attach(const struct netdev *netdev, bool existed, int error, char **errp)
{
    if (error == EPERM) {
        error_set(errp,
                  "could not create tap device %s: the capability CAP_NET_ADMIN is missing",
                  netdev->name);
    } else if (error == EBUSY) {
        error_set(errp, "could not create tap device %s: another process has it open",
                  netdev->name);
    } else if (existed) {
        error_set(errp,
                  "could not take over tap device %s: it was made with other options (%s)",
                  netdev->name, strerror(error));
    } else {
        error_set(errp, "could not create tap device %s (%s)", netdev->name, strerror(error));
    }
}

static int
tap_attach(struct netdev *netdev, int fd, char **errp)
{
    struct ifreq ifr;
    struct rtnl_link old;
    memset(&ifr, 0, sizeof ifr);
    size_t len = strlen(netdev->name);
    if (len >= sizeof ifr.ifr_name) {
        error_set(errp, "could not create tap device %s: the name has more than %zu characters",
                  netdev->name, sizeof ifr.ifr_name - 1);
        return ENAMETOOLONG;
    }
    memcpy(ifr.ifr_name, netdev->name, len);
    ifr.ifr_flags = IFF_TAP | IFF_NO_PI;

    bool existed = !rtnl_link_get(netdev->name, &old);
    if (existed && strcmp(old.kind, "tun")) {
        error_set(errp,
                  "could not create tap device %s: a network device of that name exists (%s)",
                  netdev->name, old.kind[0] ? old.kind : "hardware");
        return EEXIST;
    }
    if (ioctl(fd, TUNSETIFF, &ifr)) {
        int error = errno;
        explain_attach(netdev, existed, error, errp);
        return error;
    }
    if (strcmp(ifr.ifr_name, netdev->name)) {
        /* A name like tap%d is a pattern to the kernel. */
        error_set(errp, "could not create tap device %s: that is not a device name",
                  netdev->name);
        return EINVAL;
    }
    if (existed && netdev->class == &netdev_internal_class) {
        LOG_INFO("%s: took over the tap device that was left behind", netdev->name);
        if (ioctl(fd, TUNSETPERSIST, 0)) {
            LOG_WARN("%s: the device will stay behind (%s)", netdev->name, strerror(errno));
        }
    }
    return 0;
}

static int
tap_construct(struct netdev *netdev, char **errp)
{
    struct netdev_tap *dev = tap_cast(netdev);
    int error = open_tun(netdev, &dev->fd, errp);
    if (error) {
        return error;
    }
    error = tap_attach(netdev, dev->fd, errp);
    if (!error) {
        error = kernel_link_init(&dev->base.kl, netdev->name);
    }
    if (error) {
        close(dev->fd);
    }
    return error;
}

static void
tap_destruct(struct netdev *netdev)
{
    close(tap_cast(netdev)->fd);
}

static void
tap_dealloc(struct netdev *netdev)
{
    free(tap_cast(netdev));
}

/* Attributes. */

/* Its number may mean another device in our namespace once it has left. */
static int
tap_set_etheraddr(struct netdev *netdev, struct eth_addr mac)
{
    return tap_cast(netdev)->elsewhere ? EOPNOTSUPP : kernel_netdev_set_etheraddr(netdev, mac);
}

static int
tap_set_mtu(struct netdev *netdev, int mtu)
{
    struct netdev_tap *dev = tap_cast(netdev);
    if (dev->elsewhere) {
        return mtu == dev->base.kl.link.mtu ? 0 : EOPNOTSUPP;
    }
    return kernel_netdev_set_mtu(netdev, mtu);
}

static int
tap_get_ifindex(const struct netdev *netdev)
{
    return tap_cast(netdev)->elsewhere ? 0 : kernel_netdev_get_ifindex(netdev);
}

static int
tap_set_up(struct netdev *netdev, bool up)
{
    return tap_cast(netdev)->elsewhere ? 0 : kernel_netdev_set_up(netdev, up);
}

/* From the switch's side: what the host sent has been received. */
static void
tap_get_stats(const struct netdev *netdev, struct netdev_stats *s)
{
    const struct netdev_tap *dev = tap_cast(netdev);
    struct rtnl_stats k;
    s->rx_packets = counter_get(&dev->rx.packets);
    s->rx_bytes = counter_get(&dev->rx.bytes);
    s->rx_dropped = counter_get(&dev->rx.dropped);
    s->tx_packets = s->tx_bytes = s->tx_dropped = 0;
    for (unsigned i = 0; i < KERNEL_NETDEV_N_TXQ; i++) {
        s->tx_packets += counter_get(&dev->tx[i].packets);
        s->tx_bytes += counter_get(&dev->tx[i].bytes);
        s->tx_dropped += counter_get(&dev->tx[i].dropped);
    }
    /* What goes wrong on wires never happens here; multicast is not told from the rest. */
    s->rx_errors = s->tx_errors = s->multicast = s->collisions = 0;
    s->rx_length_errors = s->rx_over_errors = s->rx_crc_errors = s->rx_frame_errors = 0;
    s->rx_fifo_errors = s->rx_missed_errors = 0;
    s->tx_aborted_errors = s->tx_carrier_errors = s->tx_fifo_errors = 0;
    s->tx_heartbeat_errors = s->tx_window_errors = 0;
    if (!dev->elsewhere && !rtnl_link_get_stats(dev->base.kl.link.ifindex, &k)) {
        /* Its queue towards us was full. */
        s->rx_dropped += k.tx_dropped;
    }
}

/* Receive. */

static struct netdev_rxq *
tap_rxq_alloc(void)
{
    return xzalloc(sizeof(struct netdev_rxq));
}

static void
tap_rxq_dealloc(struct netdev_rxq *rxq)
{
    free(rxq);
}

/* Out of frames: takes packets off the queue all the same, for else the descriptor would stay
 * readable and the main loop would spin. */
static void
tap_discard(struct netdev_tap *dev)
{
    uint8_t byte;
    for (unsigned i = 0; i < PACKET_BATCH_MAX && read(dev->fd, &byte, 1) > 0; i++) {
        COVERAGE_INC(drop_tap_rx_no_frame);
        counter_add(&dev->rx.dropped, 1);
    }
}

static unsigned
tap_rxq_recv(struct netdev_rxq *rxq, struct packet_batch *batch)
{
    struct netdev_tap *dev = tap_cast(rxq->netdev);
    uint32_t room = arena_frame_sz(dev->base.arena) - FRAME_DATA_OFS;
    uint64_t bytes = 0;
    struct packet *p = NULL;

    for (unsigned i = 0; i < PACKET_BATCH_MAX; i++) {
        if (!p && !(p = packet_alloc(dev->base.arena, (uint16_t) room))) {
            tap_discard(dev);
            break;
        }
        /* One byte more than there is room for shows what was too long. */
        uint8_t excess;
        struct iovec iov[2] = {{packet_data(p), room}, {&excess, 1}};
        ssize_t n = readv(dev->fd, iov, 2);
        if (n < 0) {
            if (errno == EBADFD) {
                /* The kernel's answer once the device is no more; the descriptor would stay
                 * readable for ever.  (Receiving is main's, so this may be said here.) */
                netdev_mark_broken(&dev->base.up, "tap device %s was removed",
                                   dev->base.up.name);
            }
            break;
        }
        if (n > (ssize_t) room || n < ETH_HDR_LEN) {
            COVERAGE_INC(drop_tap_rx_too_long);
            counter_add(&dev->rx.dropped, 1);
            continue;
        }
        p->len = (uint16_t) n;
        bytes += (uint64_t) n;
        packet_batch_add(batch, p);
        p = NULL;
    }
    packet_free(p);
    if (batch->n) {
        counter_add(&dev->rx.packets, batch->n);
        counter_add(&dev->rx.bytes, bytes);
    }
    return batch->n;
}

static int
tap_rxq_fd(const struct netdev_rxq *rxq)
{
    return tap_cast(rxq->netdev)->fd;
}

/* Transmit. */

static void
tap_send(struct netdev *netdev, unsigned qid, struct packet_batch *batch)
{
    struct netdev_tap *dev = tap_cast(netdev);
    struct tap_counters *c = &dev->tx[qid];
    uint64_t packets = 0, bytes = 0, dropped = 0;
    if (UNLIKELY(!kernel_link_takes_packets(&dev->base.kl))) {
        COVERAGE_ADD(drop_tap_tx_down, batch->n);
        counter_add_shared(&c->dropped, batch->n);
        packet_batch_free(batch);
        return;
    }
    for (unsigned i = 0; i < batch->n; i++) {
        const struct packet *p = batch->pkts[i];
        ssize_t n;
        unsigned tries = 0;
        do {
            n = write(dev->fd, packet_data(p), p->len);
        } while (n < 0 && errno == EINTR && ++tries < 3);
        if (n >= 0) {
            packets++;
            bytes += p->len;
            continue;
        }
        dropped++;
        if (errno == EAGAIN || errno == ENOBUFS) {
            COVERAGE_INC(drop_tap_tx_full);
        } else if (errno == EIO) {
            /* The kernel's answer while the interface is down. */
            COVERAGE_INC(drop_tap_tx_down);
        } else {
            COVERAGE_INC(drop_tap_tx_error);
        }
    }
    counter_add_shared(&c->packets, packets);
    counter_add_shared(&c->bytes, bytes);
    counter_add_shared(&c->dropped, dropped);
    packet_batch_free(batch);
}

/* clang-format off */
#define TAP_CLASS(TYPE)                                                                    \
    {                                                                                      \
        .type = TYPE, .poll = NETDEV_POLL_MAIN, .tx_concurrent = true, .init = tap_init,   \
        .alloc = tap_alloc, .construct = tap_construct,                                    \
        .destruct = tap_destruct, .dealloc = tap_dealloc,                                  \
        .reconfigure = kernel_netdev_reconfigure,                                          \
        .get_etheraddr = kernel_netdev_get_etheraddr, .set_etheraddr = tap_set_etheraddr,  \
        .get_mtu = kernel_netdev_get_mtu, .set_mtu = tap_set_mtu,                          \
        .get_ifindex = tap_get_ifindex, .set_up = tap_set_up,                              \
        .is_up = kernel_netdev_is_up, .get_link = kernel_netdev_get_link,                  \
        .get_stats = tap_get_stats, .get_status = kernel_netdev_get_status,                \
        .rxq_alloc = tap_rxq_alloc, .rxq_dealloc = tap_rxq_dealloc,                        \
        .rxq_recv = tap_rxq_recv, .rxq_fd = tap_rxq_fd, .send = tap_send,                  \
    }
/* clang-format on */

const struct netdev_class netdev_internal_class = TAP_CLASS("internal");
const struct netdev_class netdev_tap_class = TAP_CLASS("tap");
