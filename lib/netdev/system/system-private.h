/* SPDX-License-Identifier: Apache-2.0 */
#ifndef XVS_NETDEV_SYSTEM_PRIVATE_H
#define XVS_NETDEV_SYSTEM_PRIVATE_H 1

/* Shared by the files of lib/netdev/system. */

#include <linux/if_packet.h>
#include <linux/virtio_net.h>
#include "netdev/kernel-netdev.h"
#include "util/counter.h"

/* Socket buffers: some 2,000 full frames, and 60 super-frames. */
#define SYSTEM_SOCK_BUF (4 * 1024 * 1024)

struct netdev_system {
    struct kernel_netdev base;
    int tx_fd;
    bool promisc;
    _Atomic uint64_t rx_dropped; /* written by the receiving thread */
    struct {
        _Atomic uint64_t dropped;
    } CACHE_ALIGNED tx[KERNEL_NETDEV_N_TXQ];
};

static inline struct netdev_system *
system_cast(const struct netdev *netdev)
{
    return CONTAINER_OF(netdev, struct netdev_system, base.up);
}

/* system-rx.c */
struct netdev_rxq *system_rxq_alloc(void);
int system_rxq_construct(struct netdev_rxq *, char **errp);
void system_rxq_destruct(struct netdev_rxq *);
void system_rxq_dealloc(struct netdev_rxq *);
unsigned system_rxq_recv(struct netdev_rxq *, struct packet_batch *);
int system_rxq_fd(const struct netdev_rxq *);

/* system-offload.c: offset of the L3 header behind Ethernet and its tags; 0 if there is none.
 */
uint16_t system_l3_offset(const uint8_t *data, uint32_t len);
/* Completes the checksum that the virtio-net header says is missing (a sum over the bytes from
 * csum_start, RFC 1071, or CRC32c for SCTP).  False when the header makes no sense. */
bool system_complete_csum(const struct virtio_net_hdr *, uint8_t *data, uint32_t len);

#endif
