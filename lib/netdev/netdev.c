/* SPDX-License-Identifier: Apache-2.0 */

/* The registry of device types and of open devices, and the thin layer between the switch and a
 * provider: defaults for what a provider leaves out, error sentences, change notices.  Called
 * by bridge and datapath: everything on the main thread, except receive and transmit, which are
 * one indirect call per batch.  Must not know any provider's inside. */

#include "netdev/netdev.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <uthash.h>

#include "log/coverage.h"
#include "log/log.h"
#include "netdev/netdev-provider.h"
#include "os/rtnl.h"
#include "util/quote.h"
#include "util/xalloc.h"

LOG_MODULE(netdev);
COVERAGE_DEFINE(drop_netdev_no_send);

#define MAX_CLASSES 32

struct open_netdev {
    struct netdev *netdev;
    UT_hash_handle hh; /* by netdev->name */
};

struct subscriber {
    void (*cb)(const char *name, void *aux);
    void *aux;
    struct subscriber *next;
};

static const struct netdev_class *classes[MAX_CLASSES];
static size_t n_classes;
static struct open_netdev *open_netdevs;
static struct subscriber *subscribers;
static struct evloop *main_loop;
static bool override;

static const struct netdev_class *
class_find(const char *type)
{
    for (size_t i = 0; i < n_classes; i++) {
        if (!strcmp(classes[i]->type, type)) {
            return classes[i];
        }
    }
    return NULL;
}

void
netdev_class_register(const struct netdev_class *class)
{
    int error = class->init ? class->init(main_loop) : 0;
    if (error) {
        LOG_WARN("device type %s is not available (%s)", class->type, strerror(error));
        return;
    }
    for (size_t i = 0; i < n_classes; i++) {
        if (!strcmp(classes[i]->type, class->type)) {
            classes[i] = class;
            return;
        }
    }
    if (n_classes == MAX_CLASSES) {
        LOG_ERR("device type %s is one too many", class->type);
        return;
    }
    classes[n_classes++] = class;
}

static void
tell_subscribers(const char *name)
{
    for (struct subscriber *s = subscribers; s; s = s->next) {
        s->cb(name, s->aux);
    }
}

static void
link_event(const struct rtnl_link *link, bool deleted, void *aux)
{
    if (link) {
        tell_subscribers(link->name);
        return;
    }
    struct open_netdev *o, *tmp;
    HASH_ITER(hh, open_netdevs, o, tmp)
    {
        netdev_changed(o->netdev);
    }
}

const char *
netdev_shown_type(const struct netdev *netdev)
{
    const char *type = netdev_type(netdev);

    return strcmp(type, "internal") ? type : "tap";
}

bool
netdev_is_override(void)
{
    return override;
}

void
netdev_init(struct evloop *loop, const char *dummy_mode)
{
    static const struct netdev_class *const builtin[] = {
        &netdev_system_class, &netdev_internal_class,     &netdev_tap_class,
        &netdev_afxdp_class,  &netdev_afxdp_nonpmd_class,
    };

    override = dummy_mode && !strcmp(dummy_mode, "override");
    main_loop = loop;
    netdev_class_register(&netdev_patch_class);
    if (!override) {
        int error = rtnl_monitor_start(loop);
        if (error) {
            LOG_WARN("changes of network interfaces will go unnoticed (%s)", strerror(error));
        }
        for (size_t i = 0; i < ARRAY_SIZE(builtin); i++) {
            netdev_class_register(builtin[i]);
        }
        /* Behind the providers' own subscriptions: a device is marked before anyone is told. */
        rtnl_monitor_subscribe(link_event, NULL);
    }
    if (dummy_mode) {
        netdev_dummy_register(loop, dummy_mode);
    }
}

void
netdev_for_each_type(void (*cb)(const char *type, void *aux), void *aux)
{
    for (size_t i = 0; i < n_classes; i++) {
        cb(classes[i]->type, aux);
    }
}

void
netdev_subscribe(void (*cb)(const char *name, void *aux), void *aux)
{
    struct subscriber *s = xzalloc(sizeof *s);
    s->cb = cb;
    s->aux = aux;
    s->next = subscribers;
    subscribers = s;
}

static struct open_netdev *
open_find(const char *name)
{
    struct open_netdev *o;
    HASH_FIND_STR(open_netdevs, name, o);
    return o;
}

struct netdev *
netdev_find(const char *name)
{
    struct open_netdev *o = open_find(name);
    return o ? o->netdev : NULL;
}

void
netdev_for_each_of_class(const struct netdev_class *class, void (*cb)(struct netdev *))
{
    struct open_netdev *o, *tmp;
    HASH_ITER(hh, open_netdevs, o, tmp)
    {
        if (o->netdev->class == class) {
            cb(o->netdev);
        }
    }
}

int
netdev_open(const char *name, const char *type, struct netdev **netdevp, char **errp)
{
    int error;

    *netdevp = NULL;
    if (!type[0]) {
        type = "system";
    }
    const struct netdev_class *class = class_find(type);
    if (!class) {
        LOG_WARN("could not create netdev %s of unknown type %s", name, QUOTE(type));
        error = EAFNOSUPPORT;
        goto fail;
    }
    if (!name[0]) {
        error = EINVAL;
        goto fail;
    }
    if (open_find(name)) {
        error = EEXIST;
        goto fail;
    }
    struct netdev *netdev = class->alloc();
    netdev->class = class;
    netdev->name = xstrdup(name);
    netdev->needs_reconfigure = true;
    netdev->change_seq = 1;
    error = class->construct(netdev, errp);
    if (error) {
        free(netdev->name);
        class->dealloc(netdev);
        goto fail;
    }
    struct open_netdev *o = xzalloc(sizeof *o);
    o->netdev = netdev;
    HASH_ADD_KEYPTR(hh, open_netdevs, netdev->name, strlen(netdev->name), o);
    *netdevp = netdev;
    return 0;

fail:
    /* Keeps the provider's own sentence, if it gave one. */
    error_set(errp, "could not open network device %s (%s)", name, strerror(error));
    return error;
}

_Atomic unsigned netdev_n_tx_csum;

static void
count_tx_csum(struct netdev *netdev)
{
    if (netdev->tx_csum != netdev->tx_csum_counted) {
        netdev->tx_csum_counted = netdev->tx_csum;
        atomic_fetch_add_explicit(&netdev_n_tx_csum, netdev->tx_csum ? 1u : -1u,
                                  memory_order_relaxed);
    }
}

void
netdev_close(struct netdev *netdev)
{
    if (!netdev) {
        return;
    }
    struct open_netdev *o = open_find(netdev->name);
    if (o && o->netdev == netdev) {
        HASH_DEL(open_netdevs, o);
        free(o);
    }
    const struct netdev_class *class = netdev->class;
    class->destruct(netdev);
    netdev->tx_csum = false;
    count_tx_csum(netdev);
    free(netdev->name);
    free(netdev->broken);
    class->dealloc(netdev);
}

int
netdev_set_config(struct netdev *netdev, const struct smap *options, char **errp)
{
    if (netdev->class->set_config) {
        return netdev->class->set_config(netdev, options, errp);
    }
    if (options && options->n) {
        LOG_WARN("%s: type %s takes no options, they are ignored", netdev->name,
                 netdev->class->type);
    }
    return 0;
}

void
netdev_get_config(const struct netdev *netdev, struct smap *options)
{
    if (netdev->class->get_config) {
        netdev->class->get_config(netdev, options);
    }
}

bool
netdev_needs_reconfigure(const struct netdev *netdev)
{
    return netdev->needs_reconfigure;
}

int
netdev_reconfigure(struct netdev *netdev, char **errp)
{
    int error = 0;
    if (netdev->class->reconfigure) {
        error = netdev->class->reconfigure(netdev, errp);
    } else {
        netdev->n_rxq = netdev->class->poll == NETDEV_POLL_NONE ? 0 : 1;
        netdev->n_txq = 1;
    }
    if (error) {
        netdev->n_rxq = netdev->n_txq = 0;
        netdev->tx_csum = false;
        count_tx_csum(netdev);
        error_set(errp, "could not set up the queues of network device %s (%s)", netdev->name,
                  strerror(error));
        return error;
    }
    netdev->needs_reconfigure = false;
    count_tx_csum(netdev);
    return 0;
}

const char *
netdev_name(const struct netdev *netdev)
{
    return netdev->name;
}

const char *
netdev_type(const struct netdev *netdev)
{
    return netdev->class->type;
}

enum netdev_poll
netdev_poll_mode(const struct netdev *netdev)
{
    return netdev->class->poll;
}

unsigned
netdev_numa_node(const struct netdev *netdev)
{
    return netdev->numa_node;
}

unsigned
netdev_n_rxq(const struct netdev *netdev)
{
    return netdev->n_rxq;
}

unsigned
netdev_n_txq(const struct netdev *netdev)
{
    return netdev->n_txq;
}

bool
netdev_tx_is_concurrent(const struct netdev *netdev)
{
    return netdev->class->tx_concurrent;
}

bool
netdev_tx_takes_partial_csum(const struct netdev *netdev)
{
    return netdev->tx_csum;
}

uint64_t
netdev_change_seq(const struct netdev *netdev)
{
    return netdev->change_seq;
}

void
netdev_changed(struct netdev *netdev)
{
    netdev->change_seq++;
    tell_subscribers(netdev->name);
}

void
netdev_announce(const char *name)
{
    tell_subscribers(name);
}

void
netdev_mark_broken(struct netdev *netdev, const char *format, ...)
{
    if (netdev->broken) {
        return;
    }
    va_list args;
    va_start(args, format);
    netdev->broken = xvasprintf(format, args);
    va_end(args);
    LOG_INFO("%s: %s", netdev->name, netdev->broken);
    netdev_changed(netdev);
}

bool
netdev_is_broken(const struct netdev *netdev, const char **why)
{
    if (netdev->broken && why) {
        *why = netdev->broken;
    }
    return netdev->broken != NULL;
}

/* Attributes. */

int
netdev_get_etheraddr(const struct netdev *netdev, struct eth_addr *mac)
{
    memset(mac, 0, sizeof *mac);
    return netdev->class->get_etheraddr ? netdev->class->get_etheraddr(netdev, mac)
                                        : EOPNOTSUPP;
}

int
netdev_set_etheraddr(struct netdev *netdev, struct eth_addr mac)
{
    return netdev->class->set_etheraddr ? netdev->class->set_etheraddr(netdev, mac)
                                        : EOPNOTSUPP;
}

int
netdev_get_mtu(const struct netdev *netdev, int *mtu)
{
    *mtu = 0;
    return netdev->class->get_mtu ? netdev->class->get_mtu(netdev, mtu) : EOPNOTSUPP;
}

int
netdev_set_mtu(struct netdev *netdev, int mtu)
{
    return netdev->class->set_mtu ? netdev->class->set_mtu(netdev, mtu) : EOPNOTSUPP;
}

int
netdev_get_ifindex(const struct netdev *netdev)
{
    return netdev->class->get_ifindex ? netdev->class->get_ifindex(netdev) : 0;
}

int
netdev_set_up(struct netdev *netdev, bool up)
{
    return netdev->class->set_up ? netdev->class->set_up(netdev, up) : EOPNOTSUPP;
}

bool
netdev_is_up(const struct netdev *netdev)
{
    return netdev->class->is_up ? netdev->class->is_up(netdev) : true;
}

void
netdev_get_link(const struct netdev *netdev, struct netdev_link *link)
{
    *link = (struct netdev_link){.carrier = true, .duplex = -1};
    if (netdev->class->get_link) {
        netdev->class->get_link(netdev, link);
    }
}

void
netdev_get_stats(const struct netdev *netdev, struct netdev_stats *stats)
{
    memset(stats, 0xff, sizeof *stats);
    if (netdev->class->get_stats) {
        netdev->class->get_stats(netdev, stats);
    }
}

struct netdev_custom_stat *
netdev_get_custom_stats(const struct netdev *netdev, size_t *n)
{
    *n = 0;
    return netdev->class->get_custom_stats ? netdev->class->get_custom_stats(netdev, n) : NULL;
}

void
netdev_get_status(const struct netdev *netdev, struct smap *status)
{
    if (netdev->class->get_status) {
        netdev->class->get_status(netdev, status);
    }
}

const char *
netdev_patch_peer(const struct netdev *netdev)
{
    return netdev->class->patch_peer ? netdev->class->patch_peer(netdev) : NULL;
}

/* Receive and transmit. */

int
netdev_rxq_open(struct netdev *netdev, unsigned qid, struct netdev_rxq **rxqp, char **errp)
{
    const struct netdev_class *class = netdev->class;
    int error;

    *rxqp = NULL;
    if (!class->rxq_alloc) {
        error = EOPNOTSUPP;
    } else if (qid >= netdev->n_rxq) {
        error = EINVAL;
    } else {
        struct netdev_rxq *rxq = class->rxq_alloc();
        rxq->netdev = netdev;
        rxq->qid = (uint16_t) qid;
        rxq->csum_partial_possible = netdev->csum_partial_possible;
        error = class->rxq_construct ? class->rxq_construct(rxq, errp) : 0;
        if (!error) {
            *rxqp = rxq;
            return 0;
        }
        class->rxq_dealloc(rxq);
    }
    error_set(errp, "could not open receive queue %u of network device %s (%s)", qid,
              netdev->name, strerror(error));
    return error;
}

void
netdev_rxq_close(struct netdev_rxq *rxq)
{
    if (rxq) {
        const struct netdev_class *class = rxq->netdev->class;
        if (class->rxq_destruct) {
            class->rxq_destruct(rxq);
        }
        class->rxq_dealloc(rxq);
    }
}

unsigned
netdev_rxq_recv(struct netdev_rxq *rxq, struct packet_batch *batch)
{
    batch->n = 0;
    return rxq->netdev->class->rxq_recv(rxq, batch);
}

int
netdev_rxq_fd(const struct netdev_rxq *rxq)
{
    return rxq->netdev->class->rxq_fd ? rxq->netdev->class->rxq_fd(rxq) : -1;
}

struct netdev *
netdev_rxq_netdev(const struct netdev_rxq *rxq)
{
    return rxq->netdev;
}

unsigned
netdev_rxq_qid(const struct netdev_rxq *rxq)
{
    return rxq->qid;
}

void
netdev_send(struct netdev *netdev, unsigned qid, struct packet_batch *batch)
{
    if (LIKELY(netdev->class->send && qid < netdev->n_txq)) {
        netdev->class->send(netdev, qid, batch);
    } else {
        COVERAGE_ADD(drop_netdev_no_send, batch->n);
        packet_batch_free(batch);
    }
}

bool
netdev_tx_poll(struct netdev *netdev, unsigned qid)
{
    return netdev->class->tx_poll && netdev->class->tx_poll(netdev, qid);
}
