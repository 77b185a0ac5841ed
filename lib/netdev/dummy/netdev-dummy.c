/* SPDX-License-Identifier: Apache-2.0 */

/* Network devices that exist in this process only, so that tests can put packets in and look at
 * what comes out without any privilege: types dummy, dummy-internal, dummy-pmd, and, on
 * request, in place of the real types.  Contract: netdev-provider.h.  Pcap files and streams
 * are written on the sending thread; a test device may do what a real one must not. */

#include "netdev/dummy/netdev-dummy.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "log/coverage.h"
#include "netdev/dummy/dummy-private.h"
#include "packet/headers.h"
#include "util/counter.h"
#include "util/num.h"
#include "util/xalloc.h"

COVERAGE_DEFINE(drop_dummy_rx_no_queue);
COVERAGE_DEFINE(drop_dummy_rx_full);
COVERAGE_DEFINE(drop_dummy_tx_too_long);

#define DUMMY_MTU_DEFAULT 1500
#define DUMMY_MTU_MIN 68 /* RFC 791: every link carries that much */
#define DUMMY_MTU_MAX 65521

CDS_LIST_HEAD(dummy_list);
static struct evloop *main_loop;
static unsigned n_created;
static void (*flush_hook)(void *);
static void *flush_aux;

void
netdev_dummy_set_flush(void (*flush)(void *aux), void *aux)
{
    flush_hook = flush;
    flush_aux = aux;
}

void
dummy_flush(void)
{
    if (flush_hook) {
        flush_hook(flush_aux);
    }
}

struct netdev_dummy *
dummy_find(const char *name)
{
    struct netdev_dummy *dev;
    cds_list_for_each_entry(dev, &dummy_list, node)
    {
        if (!strcmp(dev->up.name, name)) {
            return dev;
        }
    }
    return NULL;
}

/* Life cycle. */

static struct netdev *
dummy_alloc(void)
{
    struct netdev_dummy *dev = xzalloc(sizeof *dev);
    return &dev->up;
}

static int
dummy_construct(struct netdev *netdev, char **errp)
{
    struct netdev_dummy *dev = netdev_dummy_cast(netdev);
    unsigned n = n_created++;
    dev->mac = (struct eth_addr){{0xaa, 0x55, (uint8_t) (0xaa ^ n >> 24),
                                  (uint8_t) (0x55 ^ n >> 16), (uint8_t) (n >> 8), (uint8_t) n}};
    dev->admin_up = true;
    dev->want_rxq = dev->want_txq = 1;
    dev->rx_pcap_fd = dev->tx_pcap_fd = -1;
    atomic_init(&dev->mtu, DUMMY_MTU_DEFAULT);
    cds_list_add_tail(&dev->node, &dummy_list);
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

static void
dummy_destruct(struct netdev *netdev)
{
    struct netdev_dummy *dev = netdev_dummy_cast(netdev);
    cds_list_del(&dev->node);
    dummy_stream_close(dev->stream);
    close_fd(&dev->rx_pcap_fd);
    close_fd(&dev->tx_pcap_fd);
    free(dev->rx_pcap_name);
    free(dev->tx_pcap_name);
    free(dev->stream_target);
    free(dev->pstream_target);
    free(dev->addrs);
}

static void
dummy_dealloc(struct netdev *netdev)
{
    free(netdev_dummy_cast(netdev));
}

/* Configuration. */

static bool
option_int(const struct netdev *netdev, const struct smap *options, const char *key, int min,
           int max, int def, int *out, char **errp)
{
    const char *text = smap_get(options, key);
    *out = def;
    if (text && !num_parse_int(text, min, max, out)) {
        error_set(errp, "%s: option %s=%s is not a number from %d to %d", netdev->name, key,
                  text, min, max);
        return false;
    }
    return true;
}

static bool
same_text(const char *a, const char *b)
{
    return a && b ? !strcmp(a, b) : a == b;
}

/* Puts the new text (NULL: none) in place of the old; true if they differ. */
static bool
replace_text(char **old, const char *new)
{
    if (same_text(*old, new)) {
        return false;
    }
    free(*old);
    *old = xstrdup_nullable(new);
    return true;
}

static void
received_from_stream(struct packet *p, void *dev)
{
    dummy_receive(dev, 0, p);
}

static int
dummy_set_config(struct netdev *netdev, const struct smap *options, char **errp)
{
    struct netdev_dummy *dev = netdev_dummy_cast(netdev);
    bool pmd = netdev->class->poll == NETDEV_POLL_PMD;
    int n_rxq = 1, n_txq = 1, numa, ifindex;

    /* The others have one queue whatever is asked for. */
    if ((pmd && !option_int(netdev, options, "n_rxq", 1, DUMMY_MAX_QUEUES, 1, &n_rxq, errp)) ||
        (pmd && !option_int(netdev, options, "n_txq", 1, DUMMY_MAX_QUEUES, 1, &n_txq, errp)) ||
        !option_int(netdev, options, "numa_id", 0, 255, 0, &numa, errp) ||
        !option_int(netdev, options, "ifindex", 0, INT32_MAX, 0, &ifindex, errp)) {
        return EINVAL;
    }
    if (smap_get(options, "stream") && smap_get(options, "pstream")) {
        error_set(errp, "%s: options stream and pstream exclude each other", netdev->name);
        return EINVAL;
    }
    bool again = n_rxq != dev->want_rxq || n_txq != dev->want_txq || numa != netdev->numa_node;
    const char *both = smap_get(options, "pcap");
    again |= replace_text(&dev->rx_pcap_name, both ? both : smap_get(options, "rxq_pcap"));
    again |= replace_text(&dev->tx_pcap_name, both ? both : smap_get(options, "tx_pcap"));
    again |= replace_text(&dev->stream_target, smap_get(options, "stream"));
    again |= replace_text(&dev->pstream_target, smap_get(options, "pstream"));
    dev->want_rxq = (uint16_t) n_rxq;
    dev->want_txq = (uint16_t) n_txq;
    netdev->numa_node = (uint8_t) numa;
    if (dev->ifindex != ifindex) {
        dev->ifindex = ifindex;
        netdev_changed(netdev);
    }
    netdev->needs_reconfigure |= again;
    return 0;
}

static void
dummy_get_config(const struct netdev *netdev, struct smap *out)
{
    const struct netdev_dummy *dev = netdev_dummy_cast(netdev);
    if (dev->ifindex) {
        smap_setf(out, "ifindex", "%d", dev->ifindex);
    }
    if (dev->stream_target) {
        smap_set(out, "stream", dev->stream_target);
    }
    if (dev->pstream_target) {
        smap_set(out, "pstream", dev->pstream_target);
    }
    if (netdev->class->poll == NETDEV_POLL_PMD) {
        smap_setf(out, "requested_rx_queues", "%u", dev->want_rxq);
        smap_setf(out, "configured_rx_queues", "%u", netdev->n_rxq);
        smap_setf(out, "requested_tx_queues", "%u", dev->want_txq);
        smap_setf(out, "configured_tx_queues", "%u", netdev->n_txq);
    }
}

static int
reopen_pcap(const struct netdev_dummy *dev, const char *path, int *fd, char **errp)
{
    close_fd(fd);
    if (!path) {
        return 0;
    }
    char *why = NULL;
    *fd = dummy_pcap_open(path, &why);
    if (*fd < 0) {
        error_set(errp, "%s: %s", dev->up.name, why);
        free(why);
        return EINVAL;
    }
    return 0;
}

static int
dummy_reconfigure(struct netdev *netdev, char **errp)
{
    struct netdev_dummy *dev = netdev_dummy_cast(netdev);
    int error = reopen_pcap(dev, dev->rx_pcap_name, &dev->rx_pcap_fd, errp);
    if (!error) {
        error = reopen_pcap(dev, dev->tx_pcap_name, &dev->tx_pcap_fd, errp);
    }
    dummy_stream_close(dev->stream);
    dev->stream = NULL;
    const char *target = dev->stream_target ? dev->stream_target : dev->pstream_target;
    if (!error && target) {
        char *why = NULL;
        error = dummy_stream_open(main_loop, target, target == dev->pstream_target,
                                  received_from_stream, dev, &dev->stream, &why);
        if (error) {
            error_set(errp, "%s: %s", netdev->name, why);
        }
        free(why);
    }
    if (!error) {
        netdev->n_rxq = dev->want_rxq;
        netdev->n_txq = dev->want_txq;
    }
    return error;
}

/* Attributes. */

static int
dummy_get_etheraddr(const struct netdev *netdev, struct eth_addr *mac)
{
    *mac = netdev_dummy_cast(netdev)->mac;
    return 0;
}

static int
dummy_set_etheraddr(struct netdev *netdev, struct eth_addr mac)
{
    struct netdev_dummy *dev = netdev_dummy_cast(netdev);
    if (!eth_addr_equal(dev->mac, mac)) {
        dev->mac = mac;
        netdev_changed(netdev);
    }
    return 0;
}

static int
dummy_get_mtu(const struct netdev *netdev, int *mtu)
{
    *mtu = atomic_load_explicit(&netdev_dummy_cast(netdev)->mtu, memory_order_relaxed);
    return 0;
}

static int
dummy_set_mtu(struct netdev *netdev, int mtu)
{
    struct netdev_dummy *dev = netdev_dummy_cast(netdev);
    if (mtu < DUMMY_MTU_MIN || mtu > DUMMY_MTU_MAX) {
        return EINVAL;
    }
    if (atomic_exchange_explicit(&dev->mtu, mtu, memory_order_relaxed) != mtu) {
        netdev_changed(netdev);
    }
    return 0;
}

static int
dummy_get_ifindex(const struct netdev *netdev)
{
    return netdev_dummy_cast(netdev)->ifindex;
}

void
dummy_set_admin(struct netdev_dummy *dev, bool up)
{
    if (dev->admin_up != up) {
        dev->admin_up = up;
        dev->resets++;
        netdev_changed(&dev->up);
    }
}

static int
dummy_set_up(struct netdev *netdev, bool up)
{
    dummy_set_admin(netdev_dummy_cast(netdev), up);
    return 0;
}

static bool
dummy_is_up(const struct netdev *netdev)
{
    return netdev_dummy_cast(netdev)->admin_up;
}

static void
dummy_get_link(const struct netdev *netdev, struct netdev_link *link)
{
    const struct netdev_dummy *dev = netdev_dummy_cast(netdev);
    link->carrier = dev->admin_up;
    link->resets = dev->resets;
}

static void
dummy_get_stats(const struct netdev *netdev, struct netdev_stats *s)
{
    const struct netdev_dummy *dev = netdev_dummy_cast(netdev);
    s->rx_packets = s->rx_bytes = s->tx_packets = s->tx_bytes = s->tx_dropped = 0;
    s->rx_dropped = dev->rx_dropped;
    for (unsigned i = 0; i < DUMMY_MAX_QUEUES; i++) {
        s->rx_packets += counter_get(&dev->rx[i].packets);
        s->rx_bytes += counter_get(&dev->rx[i].bytes);
        s->tx_packets += counter_get(&dev->tx[i].packets);
        s->tx_bytes += counter_get(&dev->tx[i].bytes);
        s->tx_dropped += counter_get(&dev->tx[i].dropped);
    }
    /* Test suites compare the list of counters: drops appear once there are any. */
    if (!s->rx_dropped) {
        s->rx_dropped = UINT64_MAX;
    }
    if (!s->tx_dropped) {
        s->tx_dropped = UINT64_MAX;
    }
}

static struct netdev_custom_stat *
dummy_get_custom_stats(const struct netdev *netdev, size_t *n)
{
    const struct netdev_dummy *dev = netdev_dummy_cast(netdev);
    struct netdev_custom_stat *out =
        xcalloc(2 + 2u * netdev->n_rxq + 2u * netdev->n_txq, sizeof *out);
    size_t i = 0;
    for (unsigned k = 1; k <= 2; k++) {
        /* They show that custom counters get through. */
        snprintf(out[i].name, sizeof out->name, "rx_custom_packets_%u", k);
        for (unsigned q = 0; q < netdev->n_rxq; q++) {
            out[i].value += counter_get(&dev->rx[q].packets);
        }
        i++;
    }
    for (unsigned q = 0; q < netdev->n_rxq; q++) {
        snprintf(out[i].name, sizeof out->name, "rx_q%u_bytes", q);
        out[i++].value = counter_get(&dev->rx[q].bytes);
        snprintf(out[i].name, sizeof out->name, "rx_q%u_packets", q);
        out[i++].value = counter_get(&dev->rx[q].packets);
    }
    for (unsigned q = 0; q < netdev->n_txq; q++) {
        snprintf(out[i].name, sizeof out->name, "tx_q%u_bytes", q);
        out[i++].value = counter_get(&dev->tx[q].bytes);
        snprintf(out[i].name, sizeof out->name, "tx_q%u_packets", q);
        out[i++].value = counter_get(&dev->tx[q].packets);
    }
    *n = i;
    return out;
}

/* Receive. */

static struct netdev_rxq *
dummy_rxq_alloc(void)
{
    struct dummy_rxq *rxq = xzalloc(sizeof *rxq);
    return &rxq->up;
}

static int
dummy_rxq_construct(struct netdev_rxq *rxq_, char **errp)
{
    struct dummy_rxq *rxq = CONTAINER_OF(rxq_, struct dummy_rxq, up);
    int error = dummy_ring_init(&rxq->ring);
    if (!error) {
        netdev_dummy_cast(rxq_->netdev)->rxqs[rxq_->qid] = rxq;
    }
    return error;
}

static void
dummy_rxq_destruct(struct netdev_rxq *rxq_)
{
    struct dummy_rxq *rxq = CONTAINER_OF(rxq_, struct dummy_rxq, up);
    netdev_dummy_cast(rxq_->netdev)->rxqs[rxq_->qid] = NULL;
    dummy_ring_destroy(&rxq->ring);
}

static void
dummy_rxq_dealloc(struct netdev_rxq *rxq)
{
    free(CONTAINER_OF(rxq, struct dummy_rxq, up));
}

void
dummy_receive(struct netdev_dummy *dev, unsigned qid, struct packet *p)
{
    struct dummy_rxq *rxq = qid < dev->up.n_rxq ? dev->rxqs[qid] : NULL;
    if (!rxq) {
        COVERAGE_INC(drop_dummy_rx_no_queue);
    } else if (!dummy_ring_push(&rxq->ring, p)) {
        COVERAGE_INC(drop_dummy_rx_full);
    } else {
        return;
    }
    dev->rx_dropped++;
    packet_free(p);
}

static unsigned
dummy_rxq_recv(struct netdev_rxq *rxq_, struct packet_batch *batch)
{
    struct dummy_rxq *rxq = CONTAINER_OF(rxq_, struct dummy_rxq, up);
    struct netdev_dummy *dev = netdev_dummy_cast(rxq_->netdev);
    unsigned n = dummy_ring_pop(&rxq->ring, batch);
    uint64_t bytes = 0;
    for (unsigned i = 0; i < n; i++) {
        bytes += batch->pkts[i]->len;
        if (dev->rx_pcap_fd >= 0) {
            dummy_pcap_write(dev->rx_pcap_fd, batch->pkts[i]);
        }
    }
    if (n) {
        counter_add(&dev->rx[rxq_->qid].packets, n);
        counter_add(&dev->rx[rxq_->qid].bytes, bytes);
    }
    return n;
}

static int
dummy_rxq_fd(const struct netdev_rxq *rxq)
{
    return CONTAINER_OF(rxq, struct dummy_rxq, up)->ring.event_fd;
}

/* Transmit. */

static void
dummy_send(struct netdev *netdev, unsigned qid, struct packet_batch *batch)
{
    struct netdev_dummy *dev = netdev_dummy_cast(netdev);
    struct dummy_counters *c = &dev->tx[qid];
    unsigned max_len = (unsigned) atomic_load_explicit(&dev->mtu, memory_order_relaxed) +
                       ETH_HDR_LEN + 2 * VLAN_HDR_LEN;
    for (unsigned i = 0; i < batch->n; i++) {
        struct packet *p = batch->pkts[i];
        if (p->len > max_len) {
            COVERAGE_INC(drop_dummy_tx_too_long);
            counter_add(&c->dropped, 1);
            continue;
        }
        if (dev->tx_pcap_fd >= 0) {
            dummy_pcap_write(dev->tx_pcap_fd, p);
        }
        if (dev->stream) {
            packet_ref(p);
            dummy_stream_send(dev->stream, p);
        }
        counter_add(&c->packets, 1);
        counter_add(&c->bytes, p->len);
    }
    packet_batch_free(batch);
}

/* clang-format off */
#define DUMMY_CLASS(TYPE, POLL)                                                            \
    {                                                                                      \
        .type = TYPE, .poll = POLL,                                                        \
        .alloc = dummy_alloc, .construct = dummy_construct,                                \
        .destruct = dummy_destruct, .dealloc = dummy_dealloc,                              \
        .set_config = dummy_set_config, .get_config = dummy_get_config,                    \
        .reconfigure = dummy_reconfigure,                                                  \
        .get_etheraddr = dummy_get_etheraddr, .set_etheraddr = dummy_set_etheraddr,        \
        .get_mtu = dummy_get_mtu, .set_mtu = dummy_set_mtu,                                \
        .get_ifindex = dummy_get_ifindex,                                                  \
        .set_up = dummy_set_up, .is_up = dummy_is_up, .get_link = dummy_get_link,          \
        .get_stats = dummy_get_stats, .get_custom_stats = dummy_get_custom_stats,          \
        .rxq_alloc = dummy_rxq_alloc, .rxq_construct = dummy_rxq_construct,                \
        .rxq_destruct = dummy_rxq_destruct, .rxq_dealloc = dummy_rxq_dealloc,              \
        .rxq_recv = dummy_rxq_recv, .rxq_fd = dummy_rxq_fd, .send = dummy_send,            \
    }
/* clang-format on */

static const struct netdev_class dummy_classes[] = {
    DUMMY_CLASS("dummy", NETDEV_POLL_MAIN),
    DUMMY_CLASS("dummy-internal", NETDEV_POLL_MAIN),
    DUMMY_CLASS("dummy-pmd", NETDEV_POLL_PMD),
};
/* In place of the real ones, the first with mode "system", all with "override". */
static const struct netdev_class override_classes[] = {
    DUMMY_CLASS("system", NETDEV_POLL_MAIN),       DUMMY_CLASS("internal", NETDEV_POLL_MAIN),
    DUMMY_CLASS("tap", NETDEV_POLL_MAIN),          DUMMY_CLASS("afxdp", NETDEV_POLL_MAIN),
    DUMMY_CLASS("afxdp-nonpmd", NETDEV_POLL_MAIN),
};

void
netdev_dummy_register(struct evloop *loop, const char *mode)
{
    size_t n_override = !strcmp(mode, "override") ? ARRAY_SIZE(override_classes)
                        : !strcmp(mode, "system") ? 1
                                                  : 0;
    main_loop = loop;
    for (size_t i = 0; i < ARRAY_SIZE(dummy_classes); i++) {
        netdev_class_register(&dummy_classes[i]);
    }
    for (size_t i = 0; i < n_override; i++) {
        netdev_class_register(&override_classes[i]);
    }
    dummy_commands_register(loop);
    dummy_time_commands_register(loop);
}
