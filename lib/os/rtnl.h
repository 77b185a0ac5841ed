/* SPDX-License-Identifier: Apache-2.0 */
#ifndef XVS_OS_RTNL_H
#define XVS_OS_RTNL_H 1

/* Network interfaces of the current namespace by rtnetlink (libmnl).  Requests are synchronous
 * (the kernel answers at once); changes arrive on the event loop.  Main thread only. */

#include <stdbool.h>
#include <stdint.h>
#include "os/evloop.h"
#include "util/ether.h"

struct rtnl_link {
    int ifindex;
    char name[16];
    char kind[16];            /* "veth", "tun", ...; "" for hardware */
    struct eth_addr mac;
    int mtu;
    unsigned flags;           /* IFF_* */
    bool carrier;             /* IFF_LOWER_UP */
    uint32_t carrier_changes;
    uint32_t n_rxq, n_txq;
    uint32_t xdp_prog_id;     /* 0: none */
    int xdp_mode;             /* IFLA_XDP_ATTACHED: XDP_ATTACHED_NONE, _DRV, _SKB, _HW, _MULTI */
    int peer_ifindex;         /* IFLA_LINK of a veth in sight; 0 */
};
struct rtnl_stats {           /* struct rtnl_link_stats64, the part used */
    uint64_t rx_packets, tx_packets, rx_bytes, tx_bytes, rx_errors, tx_errors, rx_dropped,
        tx_dropped, multicast, collisions, rx_length_errors, rx_over_errors, rx_crc_errors,
        rx_frame_errors, rx_fifo_errors, rx_missed_errors, tx_aborted_errors, tx_carrier_errors,
        tx_fifo_errors, tx_heartbeat_errors, tx_window_errors;
};

int rtnl_link_get(const char *name, struct rtnl_link *);            /* ENODEV: none by that name */
int rtnl_link_get_stats(int ifindex, struct rtnl_stats *);
int rtnl_link_set_flags(int ifindex, unsigned set, unsigned clear); /* IFF_UP, IFF_PROMISC */
int rtnl_link_set_mtu(int ifindex, int mtu);
int rtnl_link_set_mac(int ifindex, struct eth_addr);
int rtnl_link_del(int ifindex);
/* For requests that are not made here: sends one and hands each answer to `cb`, a callback of
 * libmnl or NULL, until the acknowledgement, the end of a dump, or MNL_CB_STOP.  0 or a positive
 * errno: the kernel's, the callback's, or ETIMEDOUT without an answer in 2 s. */
struct nlmsghdr;
int rtnl_transact(const struct nlmsghdr *, int (*cb)(const struct nlmsghdr *, void *aux),
                  void *aux);

/* `cb` on main at every link change; `deleted`: the interface is gone (or left the namespace).
 * A rename is the old name's deletion followed by the new name's change.  Events lost in an
 * overrun are made up for from a dump; a NULL link: that failed too, look again at everything. */
typedef void rtnl_link_cb(const struct rtnl_link *, bool deleted, void *aux);
int rtnl_monitor_start(struct evloop *);                            /* idempotent */
bool rtnl_monitor_is_on(void);
void rtnl_monitor_subscribe(rtnl_link_cb *, void *aux);

#endif
