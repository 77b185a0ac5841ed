/* SPDX-License-Identifier: Apache-2.0 */
/* The provider's vtables: type afxdp, polled by PMD threads, and afxdp-nonpmd, the same polled
 * by main.  Only the glue between netdev-provider.h and the files that do the work. */

#include "netdev/afxdp/afxdp-private.h"

#include <errno.h>
#include <stdlib.h>

#include "util/xalloc.h"

static struct netdev *
afxdp_alloc(void)
{
    struct afxdp_dev *dev = xzalloc_cacheline(sizeof *dev);
    return &dev->up;
}

static void
afxdp_dealloc(struct netdev *netdev)
{
    free(afxdp_dev(netdev));
}

static struct afxdp_rxq *
afxdp_rxq(const struct netdev_rxq *rxq)
{
    return CONTAINER_OF(rxq, struct afxdp_rxq, up);
}

static struct netdev_rxq *
afxdp_rxq_alloc(void)
{
    struct afxdp_rxq *rxq = xzalloc_cacheline(sizeof *rxq);
    return &rxq->up;
}

static int
afxdp_rxq_construct(struct netdev_rxq *rxq, char **errp)
{
    struct afxdp_dev *dev = afxdp_dev(rxq->netdev);

    if (rxq->qid >= dev->n_queues) {
        error_set(errp, "%s has no queue %u", dev->up.name, rxq->qid);
        return EINVAL;
    }
    afxdp_rxq(rxq)->q = &dev->queues[rxq->qid];
    return 0;
}

static void
afxdp_rxq_destruct(struct netdev_rxq *rxq)
{
    afxdp_rxq(rxq)->q = NULL;
}

static void
afxdp_rxq_dealloc(struct netdev_rxq *rxq)
{
    free(afxdp_rxq(rxq));
}

static unsigned
afxdp_rxq_recv(struct netdev_rxq *rxq, struct packet_batch *batch)
{
    return xsk_rx_burst(afxdp_rxq(rxq)->q, batch,
                        rxq->csum_partial_possible ? PACKET_CSUM_PARTIAL_POSSIBLE : 0);
}

static int
afxdp_rxq_fd(const struct netdev_rxq *rxq)
{
    return afxdp_rxq(rxq)->q->fd;
}

static void
afxdp_send(struct netdev *netdev, unsigned qid, struct packet_batch *batch)
{
    xsk_tx_burst(&afxdp_dev(netdev)->queues[qid], batch);
}

static bool
afxdp_tx_poll(struct netdev *netdev, unsigned qid)
{
    return xsk_tx_poll(&afxdp_dev(netdev)->queues[qid]);
}

#define AFXDP_CLASS(TYPE, POLL)                                                                \
    {                                                                                          \
        .type = TYPE, .poll = POLL, .tx_concurrent = true, .init = afxdp_port_init,            \
        .alloc = afxdp_alloc,                                                                  \
        .construct = afxdp_construct, .destruct = afxdp_destruct, .dealloc = afxdp_dealloc,    \
        .set_config = afxdp_set_config, .get_config = afxdp_get_config,                        \
        .reconfigure = afxdp_reconfigure, .get_etheraddr = afxdp_get_etheraddr,                \
        .set_etheraddr = afxdp_set_etheraddr, .get_mtu = afxdp_get_mtu,                        \
        .set_mtu = afxdp_set_mtu, .get_ifindex = afxdp_get_ifindex, .set_up = afxdp_set_up,    \
        .is_up = afxdp_is_up, .get_link = afxdp_get_link, .get_stats = afxdp_get_stats,        \
        .get_custom_stats = afxdp_get_custom_stats, .get_status = afxdp_get_status,            \
        .rxq_alloc = afxdp_rxq_alloc, .rxq_construct = afxdp_rxq_construct,                    \
        .rxq_destruct = afxdp_rxq_destruct, .rxq_dealloc = afxdp_rxq_dealloc,                  \
        .rxq_recv = afxdp_rxq_recv, .rxq_fd = afxdp_rxq_fd, .send = afxdp_send,                \
        .tx_poll = afxdp_tx_poll,                                                              \
    }

const struct netdev_class netdev_afxdp_class = AFXDP_CLASS("afxdp", NETDEV_POLL_PMD);
const struct netdev_class netdev_afxdp_nonpmd_class =
    AFXDP_CLASS("afxdp-nonpmd", NETDEV_POLL_MAIN);
