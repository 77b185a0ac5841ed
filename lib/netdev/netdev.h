/* SPDX-License-Identifier: Apache-2.0 */
#ifndef XVS_NETDEV_NETDEV_H
#define XVS_NETDEV_NETDEV_H 1

/* Network devices as the rest of the switch sees them.  What a device is made of is behind
 * netdev-provider.h.
 *
 * Life of a device (all on main):
 *   netdev_open -> netdev_set_config* -> [datapath: netdev_reconfigure -> rx/tx] -> netdev_close
 * Receive: each rx queue is polled by one thread at a time.  Transmit: each tx queue is used by
 * one thread at a time, which the caller arranges (datapath/txq), unless the device says that
 * it can do without (netdev_tx_is_concurrent()). */

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include "packet/packet.h"
#include "util/ether.h"
#include "util/smap.h"
#include "util/strbuf.h"

struct netdev;
struct netdev_rxq;

enum netdev_poll {
    NETDEV_POLL_NONE,          /* never receives by itself (patch) */
    NETDEV_POLL_MAIN,          /* polled on the main thread when its fd is readable */
    NETDEV_POLL_PMD            /* polled by PMD threads */
};

/* Unknown counters are UINT64_MAX and left out of the database. */
struct netdev_stats {
    uint64_t rx_packets, tx_packets, rx_bytes, tx_bytes;
    uint64_t rx_errors, tx_errors, rx_dropped, tx_dropped;
    uint64_t multicast, collisions;
    uint64_t rx_length_errors, rx_over_errors, rx_crc_errors, rx_frame_errors, rx_fifo_errors,
        rx_missed_errors;
    uint64_t tx_aborted_errors, tx_carrier_errors, tx_fifo_errors, tx_heartbeat_errors,
        tx_window_errors;
};
struct netdev_custom_stat {
    char name[64];
    uint64_t value;
};

struct netdev_link {
    bool carrier;
    uint64_t speed_bps;        /* 0 = unknown */
    int duplex;                /* -1 unknown, 0 half, 1 full */
    uint64_t resets;           /* carrier changes seen */
};

/* Called once by main: registers the built-in classes; `dummy` is their --enable-dummy mode:
 * NULL (off), "" (extra types), "override" (all types become dummy), "system" (system only). */
struct evloop;
void netdev_init(struct evloop *, const char *dummy_mode);
/* Is the mode "override"?  Bridges' own devices then are of type "dummy-internal", and
 * datapath ports are numbered as tests expect. */
bool netdev_is_override(void);
/* The type as commands that show datapath ports give it: there an internal device is a "tap". */
const char *netdev_shown_type(const struct netdev *);
/* Calls `cb(name)` of every type that can be opened (Open_vSwitch.iface_types). */
void netdev_for_each_type(void (*cb)(const char *type, void *aux), void *aux);
/* `cb(name, aux)` on main when a device by that name appeared, vanished, or changed carrier, MTU, MAC, flags. */
void netdev_subscribe(void (*cb)(const char *name, void *aux), void *aux);

/* Opens device `name` by the provider `type` ("" = system).  Errors: EAFNOSUPPORT unknown type, ENODEV no such
 * device, EEXIST already open, others from the provider; sentence in *errp in the users' words,
 * e.g. "could not open network device eth9 (No such device)". */
int netdev_open(const char *name, const char *type, struct netdev **, char **errp);
/* No rx queue may be open.  Everything the device held is released (frames after quarantine). */
void netdev_close(struct netdev *);
struct netdev *netdev_find(const char *name);          /* an open one; main */

/* Checks and stores the options (complete map each time).  Takes effect at netdev_reconfigure()
 * if netdev_needs_reconfigure() says so.  EINVAL with a sentence that names option and value, and nothing changes. */
int netdev_set_config(struct netdev *, const struct smap *options, char **errp);
/* What the device was configured with, for the parentheses of dpif/show. */
void netdev_get_config(const struct netdev *, struct smap *);
bool netdev_needs_reconfigure(const struct netdev *);
/* (Re-)creates queues by the stored configuration.  Caller: no rx queue open, no thread sends. */
int netdev_reconfigure(struct netdev *, char **errp);

const char *netdev_name(const struct netdev *);
const char *netdev_type(const struct netdev *);
enum netdev_poll netdev_poll_mode(const struct netdev *);
unsigned netdev_numa_node(const struct netdev *);
unsigned netdev_n_rxq(const struct netdev *);
unsigned netdev_n_txq(const struct netdev *);
/* May several threads send on one tx queue at the same time? */
bool netdev_tx_is_concurrent(const struct netdev *);
/* May it be given packets with PACKET_CSUM_PARTIAL to send?  Constant between reconfigurations. */
bool netdev_tx_takes_partial_csum(const struct netdev *);
/* How many open devices may: where there is none, half-done checksums are completed right away.
 * Any thread, as a hint; main writes. */
extern _Atomic unsigned netdev_n_tx_csum;
static inline bool
netdev_any_tx_csum(void)
{
    return atomic_load_explicit(&netdev_n_tx_csum, memory_order_relaxed) > 0;
}
/* Grows when anything that status reports or forwarding depends on changed. */
uint64_t netdev_change_seq(const struct netdev *);
/* True once the underlying device vanished, failed for good, or asks to be re-opened: bridge closes it and opens it anew. *why borrowed. */
bool netdev_is_broken(const struct netdev *, const char **why);

/* Attributes; EOPNOTSUPP where the type has none. */
int netdev_get_etheraddr(const struct netdev *, struct eth_addr *);
int netdev_set_etheraddr(struct netdev *, struct eth_addr);
int netdev_get_mtu(const struct netdev *, int *mtu);
int netdev_set_mtu(struct netdev *, int mtu);           /* may set needs_reconfigure */
int netdev_get_ifindex(const struct netdev *);          /* 0: none */
int netdev_set_up(struct netdev *, bool up);            /* link up or down, promiscuous when up */
bool netdev_is_up(const struct netdev *);
void netdev_get_link(const struct netdev *, struct netdev_link *);
void netdev_get_stats(const struct netdev *, struct netdev_stats *);
/* Returns malloc'ed array (NULL when empty), *n entries. */
struct netdev_custom_stat *netdev_get_custom_stats(const struct netdev *, size_t *n);
void netdev_get_status(const struct netdev *, struct smap *);   /* Interface.status */
/* Name of the peer of a patch port, else NULL; borrowed. */
const char *netdev_patch_peer(const struct netdev *);

/* Fast path. */
int netdev_rxq_open(struct netdev *, unsigned qid, struct netdev_rxq **, char **errp);
void netdev_rxq_close(struct netdev_rxq *);
/* Receives up to PACKET_BATCH_MAX packets into `batch` (caller owns them); returns how
 * many.  Also tops up and drains what the provider has to, so that it is called on idle rounds
 * too. */
unsigned netdev_rxq_recv(struct netdev_rxq *, struct packet_batch *);
/* A descriptor to poll for POLLIN while idle; -1: none (the poller must not sleep long). */
int netdev_rxq_fd(const struct netdev_rxq *);
struct netdev *netdev_rxq_netdev(const struct netdev_rxq *);
unsigned netdev_rxq_qid(const struct netdev_rxq *);
/* Sends the batch on tx queue `qid` (< n_txq); takes every packet (also dropped ones, which are counted), empties the
 * batch.  Packets are complete: checksums right (save with PACKET_CSUM_PARTIAL, see there), not longer than
 * MTU + headers (longer: dropped). */
void netdev_send(struct netdev *, unsigned qid, struct packet_batch *);
/* Once per loop turn of the thread that has sent on `qid` since: kicks what waits.  Cheap if
 * nothing does. Returns true while there is unfinished work (do not sleep yet). */
bool netdev_tx_poll(struct netdev *, unsigned qid);

#endif
