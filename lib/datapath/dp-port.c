/* SPDX-License-Identifier: Apache-2.0 */
/* Ports of a datapath: numbers, queues, and the table by which polling threads find them.
 * Runs on main.
 *
 * A port's struct never changes once published, save its counters and switches; a reconfigured
 * port gets a new one.  Taking one away goes in this order: nobody polls it (pmd-set.c), nobody
 * can look it up (table, grace period), no megaflow names it, its queues are closed. */

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "datapath/dp-private.h"
#include "log/log.h"
#include "util/quote.h"
#include "util/xalloc.h"

LOG_MODULE(dpif);

#define MAIN_BATCHES 4u      /* from one queue, before main's other work has its turn */
#define MAIN_BATCHES_ALL 64u /* for dp_run_main_queues() */
#define TABLE_STEP 64u

/* Publishes a copy of the table with `port` (NULL: none) at `port_no`.  The port that was there
 * is not used by anybody any more on return. */
static void
ports_publish(struct dp *dp, uint32_t port_no, struct dp_port *port)
{
    struct port_table *old = dp_ports(dp), *t;
    uint32_t n = MAX(old->n, ROUND_UP(port_no + 1, TABLE_STEP));

    t = xzalloc(sizeof *t + n * sizeof t->p[0]);
    t->n = n;
    memcpy(t->p, old->p, old->n * sizeof t->p[0]);
    t->p[port_no] = port;
    /* Release pairs with the acquire in dp_ports(). */
    __atomic_store_n(&dp->ports, t, __ATOMIC_RELEASE);
    synchronize_rcu();
    free(old);
}

static bool
is_free(const struct dp *dp, uint32_t port_no)
{
    return port_no > 0 && port_no < DP_PORT_MAX && !dp_port_lookup(dp, port_no);
}

/* Test ports have the number that is in their name: p7 is 7, br0 is 100. */
static uint32_t
number_in_name(const char *name)
{
    uint32_t base = strncmp(name, "br", 2) ? 0 : 100;

    name += strcspn(name, "0123456789");
    return *name ? base + (uint32_t) MIN(strtoul(name, NULL, 10), (unsigned long) DP_PORT_MAX)
                 : 0;
}

static uint32_t
choose_number(const struct dp *dp, const struct netdev *netdev, uint32_t requested)
{
    if (requested != DP_PORT_NONE && is_free(dp, requested)) {
        return requested;
    }
    if (!strcmp(dp->type, "dummy") || netdev_is_override() ||
        !strncmp(netdev_type(netdev), "dummy", 5)) {
        uint32_t n = number_in_name(netdev_name(netdev));

        if (is_free(dp, n)) {
            return n;
        }
    }
    for (uint32_t n = 1; n < DP_PORT_MAX; n++) {
        if (is_free(dp, n)) {
            return n;
        }
    }
    return DP_PORT_NONE;
}

static void
main_rxq_cb(struct ev_io *io, short revents)
{
    struct dp_rxq *q = io->aux;

    pmd_main_poll(q->port->dp->main_pmd, q, MAIN_BATCHES);
}

static void
apply_affinity(struct dp_port *port)
{
    int *pins = xcalloc(port->n_rxq + 1u, sizeof *pins);

    if (!pmd_sched_affinity_parse(port->affinity, pins, port->n_rxq)) {
        LOG_WARN("port %s: other_config:pmd-rxq-affinity=%s is not of the form "
                 "QUEUE:CORE,QUEUE:CORE...: no queue is pinned",
                 port->name, QUOTE(port->affinity));
    }
    for (unsigned i = 0; i < port->n_rxq; i++) {
        port->rxqs[i].pin = pins[i];
    }
    free(pins);
}

static void
port_close_queues(struct dp_port *port)
{
    for (unsigned i = 0; i < port->n_rxq; i++) {
        ev_io_stop(&port->rxqs[i].io);
        netdev_rxq_close(port->rxqs[i].rx);
    }
    port->n_rxq = 0;
    free(port->rxqs);
    port->rxqs = NULL;
}

static void
port_free(struct dp_port *port)
{
    for (unsigned i = 0; port->txqs && i < port->n_txq; i++) {
        mutex_destroy(&port->txqs[i].lock);
    }
    free(port->txqs);
    free(port->affinity);
    free(port->name);
    free(port);
}

static int
port_open_queues(struct dp_port *port, char **errp)
{
    unsigned n = port->poll == NETDEV_POLL_NONE ? 0 : netdev_n_rxq(port->netdev);

    port->rxqs = xcalloc(n + 1, sizeof *port->rxqs);
    for (unsigned i = 0; i < n; i++) {
        struct dp_rxq *q = &port->rxqs[i];
        int error = netdev_rxq_open(port->netdev, i, &q->rx, errp);

        if (error) {
            port_close_queues(port);
            return error;
        }
        q->port = port;
        q->qid = (uint16_t) i;
        q->pin = -1;
        ev_io_init(&q->io, dp_loop, main_rxq_cb, q);
        port->n_rxq++;
    }
    port->n_txq = (uint16_t) netdev_n_txq(port->netdev);
    port->tx_concurrent = netdev_tx_is_concurrent(port->netdev);
    port->tx_csum = netdev_tx_takes_partial_csum(port->netdev);
    if (!port->tx_concurrent) {
        port->txqs = xzalloc_cacheline((port->n_txq + 1u) * sizeof *port->txqs);
        for (unsigned i = 0; i < port->n_txq; i++) {
            mutex_init(&port->txqs[i].lock);
        }
    }
    apply_affinity(port);
    return 0;
}

/* Takes `name` and `affinity`. */
static struct dp_port *
port_new(struct dp *dp, struct netdev *netdev, uint32_t port_no, char *name, char *affinity)
{
    static uint64_t last_id;
    struct dp_port *port = xzalloc(sizeof *port);

    port->id = ++last_id;
    port->dp = dp;
    port->netdev = netdev;
    port->port_no = port_no;
    port->name = name;
    port->affinity = affinity;
    port->poll = netdev_poll_mode(netdev);
    atomic_init(&port->emc, true);
    return port;
}

/* Lets a published port be polled. */
static void
port_attach(struct dp_port *port)
{
    if (port->poll == NETDEV_POLL_PMD) {
        pmd_set_update(port->dp, NULL);
    }
    for (unsigned i = 0; port->poll == NETDEV_POLL_MAIN && i < port->n_rxq; i++) {
        int fd = netdev_rxq_fd(port->rxqs[i].rx);

        if (fd >= 0) {
            ev_io_start(&port->rxqs[i].io, fd, POLLIN);
        }
    }
}

/* On return nobody polls it. */
static void
port_detach(struct dp_port *port)
{
    if (port->poll == NETDEV_POLL_PMD) {
        pmd_set_update(port->dp, port);
    }
    for (unsigned i = 0; i < port->n_rxq; i++) {
        ev_io_stop(&port->rxqs[i].io);
    }
}

int
dp_port_add_at(struct dp *dp, struct netdev *netdev, uint32_t no, char **errp)
{
    struct dp_port *port;
    int error;

    if (netdev_needs_reconfigure(netdev)) {
        error = netdev_reconfigure(netdev, errp);
        if (error) {
            return error;
        }
    }
    port = port_new(dp, netdev, no, xstrdup(netdev_name(netdev)), NULL);
    error = port_open_queues(port, errp);
    if (error) {
        port_free(port);
        return error;
    }
    ports_publish(dp, no, port);
    port_attach(port);
    return 0;
}

int
dp_port_add(struct dp *dp, struct netdev *netdev, uint32_t requested, uint32_t *port_no,
            char **errp)
{
    uint32_t no = choose_number(dp, netdev, requested);
    int error;

    if (no == DP_PORT_NONE) {
        error_set(errp, "datapath %s has no port number left for %s", dp->name,
                  netdev_name(netdev));
        return EFBIG;
    }
    error = dp_port_add_at(dp, netdev, no, errp);
    if (!error) {
        *port_no = no;
    }
    return error;
}

static bool
del_port_flow_cb(struct dp *dp, struct dp_flow *f, void *port_no_)
{
    const uint32_t *port_no = port_no_;
    struct flow match, mask;

    megaflow_get_match(f, &match, &mask);
    if (match.meta.in_port == *port_no || dp_actions_output_to(megaflow_actions(f), *port_no)) {
        megaflow_delete(f);
    }
    return true;
}

void
dp_port_del(struct dp *dp, uint32_t port_no)
{
    struct dp_port *port = dp_port_lookup(dp, port_no);

    if (!port) {
        return;
    }
    port_detach(port);
    ports_publish(dp, port_no, NULL);
    dp_flow_for_each(dp, del_port_flow_cb, &port_no);
    synchronize_rcu();
    port_close_queues(port);
    port_free(port);
}

int
dp_port_reconfigure(struct dp *dp, uint32_t port_no, char **errp)
{
    struct dp_port *old = dp_port_lookup(dp, port_no), *port;
    uint64_t old_id;
    bool had_tx_csum;
    int error;

    if (!old) {
        error_set(errp, "datapath %s has no port %u", dp->name, port_no);
        return ENODEV;
    }
    if (!netdev_needs_reconfigure(old->netdev)) {
        return 0;
    }
    port_detach(old);
    ports_publish(dp, port_no, NULL);
    port_close_queues(old);

    port = port_new(dp, old->netdev, port_no, old->name, old->affinity);
    atomic_init(&port->emc, atomic_load_explicit(&old->emc, memory_order_relaxed));
    old->name = old->affinity = NULL;
    old_id = old->id;
    had_tx_csum = old->tx_csum;
    port_free(old);
    error = netdev_reconfigure(port->netdev, errp);
    if (!error) {
        error = port_open_queues(port, errp);
    }
    /* What is staged for the old one is for the new one too, unless that has no queues, or
     * checksums in there are half-done for a device that would complete them, and now does not.
     */
    if (!error && (!had_tx_csum || port->tx_csum)) {
        port->id = old_id;
    }
    /* A port without queues keeps its place: packets to it are dropped and counted. */
    ports_publish(dp, port_no, port);
    if (!error) {
        port_attach(port);
    }
    return error;
}

static void
tell_tx_steering(struct dp_port *port, const char *value)
{
    bool other = strcmp(value, "thread") != 0;

    if (other && !port->tx_steering_told) {
        LOG_INFO("port %s: other_config:tx-steering=%s has no effect: each thread sends on a "
                 "queue of its own, where it waits for no other thread",
                 port->name, QUOTE(value));
    }
    port->tx_steering_told = other;
}

void
dp_port_set_config(struct dp *dp, uint32_t port_no, const struct smap *other_config)
{
    struct dp_port *port = dp_port_lookup(dp, port_no);
    const char *affinity = smap_get(other_config, "pmd-rxq-affinity");

    if (!port) {
        return;
    }
    atomic_store_explicit(&port->emc, smap_get_bool(other_config, "emc-enable", true),
                          memory_order_relaxed);
    tell_tx_steering(port, smap_get_def(other_config, "tx-steering", "thread"));
    if (strcmp(port->affinity ? port->affinity : "", affinity ? affinity : "")) {
        free(port->affinity);
        port->affinity = xstrdup_nullable(affinity);
        apply_affinity(port);
        if (port->poll == NETDEV_POLL_PMD) {
            pmd_set_update(dp, NULL);
        }
    }
}

struct netdev *
dp_port_netdev(const struct dp *dp, uint32_t port_no)
{
    const struct dp_port *port = dp_port_lookup(dp, port_no);

    return port ? port->netdev : NULL;
}

const char *
dp_port_name(const struct dp *dp, uint32_t port_no)
{
    const struct dp_port *port = dp_port_lookup(dp, port_no);

    return port ? port->name : NULL;
}

void
dp_ports_destroy(struct dp *dp)
{
    for (uint32_t i = 0; i < dp_ports(dp)->n; i++) {
        dp_port_del(dp, i);
    }
}

static void
run_main_queues(struct dp *dp)
{
    /* Sending to a dummy port cannot add or delete ports: the table stays. */
    const struct port_table *t = dp_ports(dp);

    for (uint32_t i = 0; i < t->n; i++) {
        struct dp_port *port = t->p[i];

        for (unsigned q = 0; port && port->poll == NETDEV_POLL_MAIN && q < port->n_rxq; q++) {
            pmd_main_poll(dp->main_pmd, &port->rxqs[q], MAIN_BATCHES_ALL);
        }
    }
}

void
dp_run_main_queues(void)
{
    for (unsigned i = 0; i < DP_MAX; i++) {
        if (dps[i]) {
            run_main_queues(dps[i]);
        }
    }
}
