/* SPDX-License-Identifier: Apache-2.0 */
#ifndef XVS_NETDEV_DUMMY_PRIVATE_H
#define XVS_NETDEV_DUMMY_PRIVATE_H 1

/* Shared by the files of lib/netdev/dummy. */

#include <netinet/in.h>
#include <stdatomic.h>
#include "netdev/dummy/dummy-ring.h"
#include "netdev/dummy/dummy-stream.h"
#include "netdev/netdev-provider.h"
#include "os/rcu.h"

#define DUMMY_MAX_QUEUES 64

struct dummy_counters {
    _Atomic uint64_t packets, bytes, dropped; /* written by the queue's thread alone */
};

struct dummy_addr {
    struct in6_addr addr;
    unsigned plen;
};

struct dummy_rxq {
    struct netdev_rxq up;
    struct dummy_ring ring; /* main pushes, the queue's poller pops */
};

struct netdev_dummy {
    struct netdev up;
    struct cds_list_head node; /* in dummy_list */

    /* Main only. */
    struct eth_addr mac;
    int ifindex;
    bool admin_up;
    uint64_t resets;
    uint16_t want_rxq, want_txq;
    char *rx_pcap_name, *tx_pcap_name; /* NULL: none */
    char *stream_target, *pstream_target;
    struct dummy_addr *addrs;
    size_t n_addrs;
    struct dummy_rxq *rxqs[DUMMY_MAX_QUEUES];
    uint64_t rx_dropped;

    /* Written by reconfigure and set_mtu, read on the fast path. */
    _Atomic int mtu;
    int rx_pcap_fd, tx_pcap_fd;  /* -1: none */
    struct dummy_stream *stream; /* NULL: none */

    struct dummy_counters rx[DUMMY_MAX_QUEUES], tx[DUMMY_MAX_QUEUES];
};

static inline struct netdev_dummy *
netdev_dummy_cast(const struct netdev *netdev)
{
    return CONTAINER_OF(netdev, struct netdev_dummy, up);
}

extern struct cds_list_head dummy_list;
/* An open device of this provider by its name; NULL. */
struct netdev_dummy *dummy_find(const char *name);
/* Queues the packet (takes it) on an rx queue, or drops and counts it.  Main. */
void dummy_receive(struct netdev_dummy *, unsigned qid, struct packet *);
/* Runs the datapath's hook (netdev_dummy_set_flush()). */
void dummy_flush(void);
void dummy_set_admin(struct netdev_dummy *, bool up);

/* Classic pcap files, opened for appending; the header is written into an empty file.  Returns
 * the descriptor or -1 with a sentence. */
int dummy_pcap_open(const char *path, char **errp);
/* Any thread. */
void dummy_pcap_write(int fd, const struct packet *);

void dummy_commands_register(struct evloop *);
void dummy_time_commands_register(struct evloop *);

#endif
