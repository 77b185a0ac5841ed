/* SPDX-License-Identifier: Apache-2.0 */
/* Life of an AF_XDP port: found, configured, brought up in the best mode there is, watched, and
 * taken down.  Main thread; called through the vtables in netdev-afxdp.c, by link events, and
 * by a timer that looks after what the fast path left a note about.
 *
 * Up:    arena promise -> program loaded -> per queue: rings, fill, bind -> XSKMAP entries
 *        -> program attached.
 * Down:  XSKMAP entries -> program detached -> sockets -> frames to quarantine -> promise.
 * A failure anywhere on the way up goes the same way down. */

#include "netdev/afxdp/afxdp-private.h"

#include <errno.h>
#include <net/if.h>
#include <inttypes.h>
#include <linux/if_link.h>
#include <stdlib.h>
#include <string.h>

#include "log/log.h"
#include "netdev/afxdp/cni-client.h"
#include "os/ethtool.h"
#include "os/evloop.h"
#include "os/fd-closer.h"
#include "os/numa.h"
#include "util/xalloc.h"

LOG_MODULE(afxdp);

#define WATCH_MS 500
/* For sockets to be closed; frames have more time in quarantine. */
#define CLOSE_WAIT_MS 500
/* The least a queue works with, where packet memory is short. */
#define MIN_FRAMES_PER_QUEUE 128u

static CDS_LIST_HEAD(all_devs);
static struct ev_timer watch_timer;

void
afxdp_for_each(void (*cb)(struct afxdp_dev *, void *aux), void *aux)
{
    struct afxdp_dev *dev, *next;

    cds_list_for_each_entry_safe(dev, next, &all_devs, node)
    {
        cb(dev, aux);
    }
}

/* -- Before there are queues. -- */

/* Without a carrier the kernel takes packets one by one only to drop them, hence senders are
 * told to drop them first.  A sender that finds the link down before the event tells us marks
 * its queue itself; the event, or the next round of the watch, takes the mark off. */
static void
mark_queues(struct afxdp_dev *dev)
{
    bool down = !(dev->link_flags & IFF_UP) || !dev->carrier;

    for (unsigned i = 0; i < dev->n_queues; i++) {
        atomic_store_explicit(&dev->queues[i].link_down, down, memory_order_relaxed);
    }
}

void
afxdp_link_refresh(struct afxdp_dev *dev, const struct rtnl_link *link)
{
    dev->carrier = link->carrier;
    dev->link_flags = link->flags;
    atomic_store_explicit(&dev->max_len, (uint32_t) link->mtu + AFXDP_L2_OVERHEAD,
                          memory_order_relaxed);
    mark_queues(dev);
}

bool
afxdp_needs_other_frames(const struct afxdp_dev *dev, int mtu)
{
    return dev->arena &&
           (afxdp_frame_sz(mtu) != dev->frame_sz || afxdp_is_jumbo(mtu) != dev->jumbo);
}

int
afxdp_construct(struct netdev *netdev, char **errp)
{
    struct afxdp_dev *dev = afxdp_dev(netdev);
    struct rtnl_link link;
    int error = rtnl_link_get(netdev->name, &link);

    if (error) {
        error_set(errp, "could not open network device %s (%s)", netdev->name, strerror(error));
        return error;
    }
    if (link.flags & IFF_LOOPBACK) {
        error_set(errp,
                  "%s is the loopback device: whatever a bridge sent there would come back",
                  netdev->name);
        return EINVAL;
    }
    dev->ifindex = link.ifindex;
    memcpy(dev->kind, link.kind, sizeof dev->kind);
    afxdp_config_init(&dev->cfg);
    afxdp_link_refresh(dev, &link);
    xdp_attach_init(&dev->xdp);
    dev->map_fd = -1;
    dev->umem.owner_fd = -1;
    netdev->numa_node = (uint8_t) numa_topo_netdev_node(netdev->name);
    netdev->needs_reconfigure = true;
    cds_list_add_tail(&dev->node, &all_devs);
    return 0;
}

/* Receive queues that the device has now. */
static unsigned
device_n_queues(const struct rtnl_link *link)
{
    unsigned n;

    if (!ethtool_get_rx_channels(link->name, &n) && n > 0) {
        return n;
    }
    return MAX(1u, link->n_rxq);
}

static int
check_n_queues(const struct afxdp_config *cfg, const struct rtnl_link *link, char **errp)
{
    unsigned have = device_n_queues(link), want = cfg->start_queue + cfg->n_rxq;

    if (want <= have) {
        return 0;
    }
    if (cfg->start_queue) {
        error_set(errp,
                  "n_rxq=%u from start-queue=%u needs %u queues, but %s has %u; change either "
                  "(ethtool -L %s combined %u)",
                  cfg->n_rxq, cfg->start_queue, want, link->name, have, link->name, want);
    } else {
        error_set(errp,
                  "n_rxq=%u, but %s has %u queue%s; change either (ethtool -L %s combined %u)",
                  cfg->n_rxq, link->name, have, have == 1 ? "" : "s", link->name, want);
    }
    return EINVAL;
}

int
afxdp_set_config(struct netdev *netdev, const struct smap *options, char **errp)
{
    struct afxdp_dev *dev = afxdp_dev(netdev);
    struct afxdp_config cfg;
    struct rtnl_link link;
    int error = afxdp_config_parse(options, &cfg, errp);

    if (error) {
        return error;
    }
    if (!rtnl_link_get(netdev->name, &link)) {
        error = check_n_queues(&cfg, &link, errp);
        if (error) {
            return error;
        }
    }
    if (cfg.use_cni) { /* no map, no port: it need not be added to a bridge first */
        error = cni_client_get_map(cfg.dp_path[0] ? cfg.dp_path : NULL, netdev->name, NULL,
                                   NULL, errp);
        if (error) {
            return error;
        }
    }
    if (!afxdp_config_equal(&cfg, &dev->cfg)) {
        dev->cfg = cfg;
        netdev->needs_reconfigure = true;
    }
    return 0;
}

/* -- Down. -- */

static void
port_stop(struct afxdp_dev *dev)
{
    int64_t delay = XSK_QUARANTINE_COPY_MS;

    afxdp_busy_poll_stop(dev);
    for (unsigned i = 0; i < dev->n_queues; i++) {
        afxdp_map_unset(dev, &dev->queues[i]);
        if (dev->queues[i].zerocopy) {
            delay = XSK_QUARANTINE_ZC_MS;
        }
    }
    afxdp_map_unload(dev);
    /* Each close() waits for a grace period of the kernel; together they wait for one. */
    for (unsigned i = dev->n_queues; i-- > 0;) {
        afxdp_totals_add_queue(&dev->past, &dev->queues[i]);
        xsk_queue_hang_up(&dev->queues[i], dev->ifindex);
    }
    fd_closer_wait(dev->ifindex, CLOSE_WAIT_MS);
    for (unsigned i = dev->n_queues; i-- > 0;) {
        xsk_queue_close(&dev->queues[i], delay);
    }
    free(dev->queues);
    dev->queues = NULL;
    dev->n_queues = 0;
    dev->umem = (struct xsk_umem){.owner_fd = -1};
    dev->mode = AFXDP_MODE_BEST_EFFORT;
}

static void
port_release_arena(struct afxdp_dev *dev)
{
    arena_put(dev->arena, dev->promise);
    dev->arena = NULL;
    dev->promise = 0;
}

void
afxdp_destruct(struct netdev *netdev)
{
    struct afxdp_dev *dev = afxdp_dev(netdev);

    port_stop(dev);
    port_release_arena(dev);
    afxdp_map_put(dev);
    free(dev->busy_poll_error);
    if (dev->we_set_promisc) {
        rtnl_link_set_flags(dev->ifindex, 0, IFF_PROMISC);
    }
    cds_list_del(&dev->node);
}

/* -- Up. -- */

/* Frames a queue would like: its fill ring, and half a tx ring of what others have received.
 * Where the arena has less to promise, the port makes do with that, down to a minimum: from an
 * arena of its own every packet to another port would have to be copied. */
static int
port_get_arena(struct afxdp_dev *dev, unsigned frame_sz, char **errp)
{
    uint32_t n = dev->cfg.n_rxq, rx = dev->cfg.rx_ring_sz;
    uint32_t per_queue = rx + dev->cfg.tx_ring_sz / 2;
    uint32_t least = n * MIN(per_queue, MIN_FRAMES_PER_QUEUE);
    int error = arena_get(dev->up.numa_node, frame_sz, least, &dev->arena, errp);

    if (error) {
        return error;
    }
    dev->promise = least + arena_get_more(dev->arena, n * per_queue - least, least);
    dev->frame_sz = frame_sz;
    dev->fill_target = (uint32_t) ((uint64_t) dev->promise / n * rx / per_queue);
    return 0;
}

static int
open_queues(struct afxdp_dev *dev, enum afxdp_mode mode, char **errp)
{
    unsigned n = dev->cfg.n_rxq;

    dev->queues = xzalloc_cacheline(n * sizeof *dev->queues);
    for (unsigned i = 0; i < n; i++) {
        int error = xsk_queue_open(&dev->queues[i], dev, dev->cfg.start_queue + i, mode, errp);
        if (error) {
            return error;
        }
        dev->n_queues = i + 1;
    }
    return 0;
}

/* Everything in one mode, or nothing. */
static int
port_start(struct afxdp_dev *dev, enum afxdp_mode mode, char **errp)
{
    int error = afxdp_map_load(dev, errp);

    if (!error) {
        error = open_queues(dev, mode, errp);
    }
    for (unsigned i = 0; !error && i < dev->n_queues; i++) {
        error = afxdp_map_set(dev, &dev->queues[i], errp);
    }
    if (!error) {
        error = afxdp_map_attach(dev, mode, errp);
    }
    if (error) {
        port_stop(dev);
        return error;
    }
    dev->mode = mode;
    return 0;
}

/* Is it of any use to try a lesser mode after `error`? */
static bool
other_mode_may_do(int error)
{
    switch (error) {
    case EBUSY:  /* queue taken */
    case EEXIST: /* foreign program */
    case ENODEV:
    case EPERM:
    case EACCES:
    case EAFNOSUPPORT: /* no AF_XDP */
    case ENOBUFS:      /* memlock */
    case EMFILE:
        return false;
    default:
        return true;
    }
}

static int
start_in_best_mode(struct afxdp_dev *dev, char **errp)
{
    enum afxdp_mode mode = dev->cfg.mode, last = mode;

    if (!afxdp_config_loads(&dev->cfg)) { /* the program is attached already */
        last = dev->foreign_mode;
        mode = last == AFXDP_MODE_NATIVE ? AFXDP_MODE_NATIVE_ZC : last;
    } else if (mode == AFXDP_MODE_BEST_EFFORT) {
        mode = AFXDP_MODE_NATIVE_ZC;
        last = AFXDP_MODE_GENERIC;
    }
    for (;; mode++) {
        char *err = NULL;
        int error = port_start(dev, mode, &err);

        if (!error) {
            free(err);
            return 0;
        }
        if (mode == last || !other_mode_may_do(error)) {
            error_set(errp, "%s", err ? err : strerror(error));
            free(err);
            return error;
        }
        LOG_DBG("%s: %s", dev->up.name, err);
        free(err);
    }
}

static bool
kind_is(const struct afxdp_dev *dev, const char *kind)
{
    return !strcmp(dev->kind, kind);
}

/* A local stack behind the device leaves checksums to hardware that is not there.  In generic
 * mode any software device may hand its own skbs up. */
static bool
checksums_may_be_partial(const struct afxdp_dev *dev)
{
    return kind_is(dev, "veth") || kind_is(dev, "tun") ||
           (dev->mode == AFXDP_MODE_GENERIC && dev->kind[0]);
}

/* Whether options:tx-csum-offload is in effect, or why not. */
static void
note_tx_csum(struct afxdp_dev *dev)
{
    dev->up.tx_csum = dev->cfg.tx_csum && dev->umem.tx_metadata;
    dev->tx_csum_error = !dev->cfg.tx_csum || dev->up.tx_csum ? NULL
                         : dev->mode == AFXDP_MODE_NATIVE_ZC
                             ? "this driver completes no checksums of AF_XDP packets"
                             : "this kernel has no AF_XDP transmit metadata (Linux 6.11)";
    if (dev->tx_csum_error) {
        LOG_INFO("%s: tx-csum-offload: %s: checksums are completed by the switch", dev->up.name,
                 dev->tx_csum_error);
    }
}

static int
check_device(struct afxdp_dev *dev, struct rtnl_link *link, unsigned *frame_sz, char **errp)
{
    int error = rtnl_link_get(dev->up.name, link);

    if (!error && link->ifindex != dev->ifindex) {
        error = ENODEV;
    }
    if (error) {
        error_set(errp, "could not open network device %s (%s)", dev->up.name, strerror(error));
        return error;
    }
    afxdp_link_refresh(dev, link);
    *frame_sz = afxdp_frame_sz(link->mtu);
    if (!*frame_sz) {
        error_set(errp, "the MTU of %s is %d, more than the %d that AF_XDP ports can have",
                  dev->up.name, link->mtu, AFXDP_MTU_MAX);
        return EINVAL;
    }
    dev->jumbo = afxdp_is_jumbo(link->mtu);
    error = check_n_queues(&dev->cfg, link, errp);
    if (!error) {
        error = afxdp_map_get(dev, link, errp);
    }
    dev->foreign_mode =
        link->xdp_mode == XDP_ATTACHED_SKB ? AFXDP_MODE_GENERIC : AFXDP_MODE_NATIVE;
    return error;
}

int
afxdp_reconfigure(struct netdev *netdev, char **errp)
{
    struct afxdp_dev *dev = afxdp_dev(netdev);
    struct rtnl_link link;
    unsigned frame_sz = 0;

    port_stop(dev);
    port_release_arena(dev);
    afxdp_map_put(dev);
    netdev->n_rxq = netdev->n_txq = 0;
    netdev->tx_csum = false;
    netdev->needs_reconfigure = false;

    int error = check_device(dev, &link, &frame_sz, errp);
    if (!error) {
        error = port_get_arena(dev, frame_sz, errp);
    }
    if (!error) {
        error = start_in_best_mode(dev, errp);
        if (error) {
            port_release_arena(dev);
        }
    }
    if (error) {
        afxdp_map_put(dev);
        return error;
    }
    afxdp_busy_poll_start(dev);
    netdev->n_rxq = netdev->n_txq = (uint16_t) dev->n_queues;
    netdev->csum_partial_possible = checksums_may_be_partial(dev);
    note_tx_csum(dev);
    LOG_INFO("%s: AF_XDP in %s mode, %u queue%s from %u, XDP program %" PRIu32
             ", packet memory %u",
             netdev->name, afxdp_mode_name(dev->mode), dev->n_queues,
             dev->n_queues == 1 ? "" : "s", dev->cfg.start_queue,
             afxdp_config_loads(&dev->cfg) ? dev->xdp.prog_id : dev->foreign_prog_id,
             dev->arena->no);
    if (!rtnl_link_get(netdev->name, &link)) { /* attaching can make a NIC reset its link */
        afxdp_link_refresh(dev, &link);
    }
    unsigned have = device_n_queues(&link);
    if (have > dev->n_queues) {
        LOG_INFO("%s: packets on %u of its %u queues stay with the host's network stack "
                 "(n_rxq=%u)",
                 netdev->name, have - dev->n_queues, have, dev->n_queues);
    }
    netdev_changed(netdev);
    return 0;
}

/* -- The watch. -- */

static void
look_at_link(struct afxdp_dev *dev, const struct rtnl_link *link)
{
    bool changed = dev->carrier != link->carrier ||
                   ((dev->link_flags ^ link->flags) & (IFF_UP | IFF_RUNNING));
    uint32_t old_max_len = atomic_load_explicit(&dev->max_len, memory_order_relaxed);

    afxdp_link_refresh(dev, link);
    changed |= old_max_len != (uint32_t) link->mtu + AFXDP_L2_OVERHEAD;
    /* The change itself may have been seen while the port was being set up. */
    if (afxdp_needs_other_frames(dev, link->mtu) && !dev->up.needs_reconfigure) {
        dev->up.needs_reconfigure = changed = true;
    }
    if (changed) {
        netdev_changed(&dev->up);
    }
}

static void
look_at_device(struct afxdp_dev *dev, void *aux)
{
    struct rtnl_link link;
    int error;

    if (dev->up.broken) {
        return;
    }
    error = rtnl_link_get(dev->up.name, &link);
    if (error == ENODEV || (!error && link.ifindex != dev->ifindex)) {
        netdev_mark_broken(&dev->up, "network device %s vanished", dev->up.name);
        return;
    }
    if (!error) {
        look_at_link(dev, &link);
    }
    if (dev->n_queues && !afxdp_map_is_alive(dev, error ? NULL : &link)) {
        netdev_mark_broken(&dev->up, "the XDP program was taken off %s by somebody else",
                           dev->up.name);
        return;
    }
    for (unsigned i = 0; i < dev->n_queues; i++) {
        int fatal = atomic_load_explicit(&dev->queues[i].fatal, memory_order_relaxed);
        if (fatal) {
            netdev_mark_broken(&dev->up, "transmitting on queue %u of %s failed (%s)",
                               dev->queues[i].dev_qid, dev->up.name, strerror(fatal));
            return;
        }
    }
}

static void
link_event_for(struct afxdp_dev *dev, const struct rtnl_link *link, bool deleted)
{
    if (dev->ifindex != link->ifindex || dev->up.broken) {
        return;
    }
    if (deleted) {
        netdev_mark_broken(&dev->up, "network device %s vanished", dev->up.name);
    } else {
        look_at_link(dev, link);
    }
}

static void
link_event(const struct rtnl_link *link, bool deleted, void *aux)
{
    struct afxdp_dev *dev, *next;

    if (!link) {
        afxdp_for_each(look_at_device, NULL); /* events were lost */
        return;
    }
    cds_list_for_each_entry_safe(dev, next, &all_devs, node)
    {
        link_event_for(dev, link, deleted);
    }
}

static void
watch(struct ev_timer *timer)
{
    afxdp_for_each(look_at_device, NULL);
    ev_timer_start(timer, WATCH_MS);
}

int
afxdp_port_init(struct evloop *loop)
{
    static bool done;

    if (!done) {
        done = true;
        rtnl_monitor_subscribe(link_event, NULL);
        ev_timer_init(&watch_timer, loop, watch, NULL);
        ev_timer_start(&watch_timer, WATCH_MS);
        afxdp_show_register();
        cni_client_init(loop);
    }
    return 0;
}
