/* SPDX-License-Identifier: Apache-2.0 */
#ifndef XVS_NETDEV_NETDEV_PROVIDER_H
#define XVS_NETDEV_NETDEV_PROVIDER_H 1

/* The contract between the switch and a kind of network device.  A new provider is a struct
 * netdev_class and its functions; nothing else in the tree changes, save its registration.
 *
 * Life cycle, all on the main thread:
 *
 *   alloc      memory for the provider's struct, which embeds struct netdev; zeroed.  Cannot fail.
 *   construct  acquires the device (or fails with a sentence; destruct is then not called).
 *   set_config any number of times; validates the whole option map, stores it, disturbs nothing;
 *              sets netdev->needs_reconfigure when queues must be made anew.
 *   reconfigure makes n_rxq and n_txq queues as configured.  Called at least once before any
 *              rxq_open or send; no rx queue is open and no thread sends meanwhile.  On failure
 *              the device has no queues (n_rxq = n_txq = 0) and may be reconfigured again.
 *   destruct   releases everything construct and reconfigure made; may not fail, may not block
 *              longer than a few milliseconds.
 *   dealloc    frees the memory.
 *
 * Threads: rxq_recv of one queue by one thread at a time; send and tx_poll of one tx queue by
 * one thread at a time, unless the class says `tx_concurrent`; both may run beside each other,
 * and beside the main-thread functions marked [live] below.  Fast-path functions never block,
 * allocate, log or take a lock over a syscall.  Counters they keep are read by get_stats [live]
 * from main: each is accessed relaxed-atomically, and has one writer or is added to atomically.
 *
 * Functions are positive-errno; NULL members mean "not supported" unless marked required. */

#include "netdev/netdev.h"

struct netdev {
    const struct netdev_class *class;
    char *name;
    uint16_t n_rxq, n_txq;         /* set by reconfigure */
    uint8_t numa_node;             /* set by construct */
    bool needs_reconfigure;        /* true after construct */
    bool csum_partial_possible;    /* local stacks may hand in half-done L4 checksums */
    bool tx_csum;                  /* set by reconfigure: send() takes PACKET_CSUM_PARTIAL */
    bool tx_csum_counted;          /* netdev.c's */
    char *broken;                  /* NULL, or why the device is of no use any more */
    uint64_t change_seq;           /* netdev_changed() */
};

struct netdev_rxq {
    struct netdev *netdev;
    uint16_t qid;
    bool csum_partial_possible;    /* copied from the netdev at open: read on the fast path */
};

struct netdev_class {
    const char *type;              /* required: Interface.type */
    enum netdev_poll poll;         /* required */
    /* send and tx_poll may be called by any number of threads on one tx queue at the same time:
     * the datapath then takes no lock around them.  Without it the datapath holds a mutex where
     * threads have to share a queue, which a send that is a system call had better avoid. */
    bool tx_concurrent;

    int (*init)(struct evloop *);  /* once, at registration; a failure disables the class with a log line */
    struct netdev *(*alloc)(void);                                           /* required */
    int (*construct)(struct netdev *, char **errp);                          /* required */
    void (*destruct)(struct netdev *);                                       /* required */
    void (*dealloc)(struct netdev *);                                        /* required */

    int (*set_config)(struct netdev *, const struct smap *options, char **errp);
    void (*get_config)(const struct netdev *, struct smap *);                /* [live] */
    int (*reconfigure)(struct netdev *, char **errp);                        /* NULL: 1 rx, 1 tx */

    int (*get_etheraddr)(const struct netdev *, struct eth_addr *);          /* [live] all below */
    int (*set_etheraddr)(struct netdev *, struct eth_addr);
    int (*get_mtu)(const struct netdev *, int *);
    int (*set_mtu)(struct netdev *, int);
    int (*get_ifindex)(const struct netdev *);
    int (*set_up)(struct netdev *, bool);
    bool (*is_up)(const struct netdev *);
    void (*get_link)(const struct netdev *, struct netdev_link *);
    void (*get_stats)(const struct netdev *, struct netdev_stats *);  /* arrives filled with UINT64_MAX */
    struct netdev_custom_stat *(*get_custom_stats)(const struct netdev *, size_t *n);
    void (*get_status)(const struct netdev *, struct smap *);
    const char *(*patch_peer)(const struct netdev *);

    /* Receive; absent with NETDEV_POLL_NONE.  rxq_alloc returns memory that embeds struct netdev_rxq. */
    struct netdev_rxq *(*rxq_alloc)(void);
    int (*rxq_construct)(struct netdev_rxq *, char **errp);
    void (*rxq_destruct)(struct netdev_rxq *);
    void (*rxq_dealloc)(struct netdev_rxq *);
    unsigned (*rxq_recv)(struct netdev_rxq *, struct packet_batch *);
    int (*rxq_fd)(const struct netdev_rxq *);

    /* Transmit. */
    void (*send)(struct netdev *, unsigned qid, struct packet_batch *);      /* takes all, empties the batch */
    bool (*tx_poll)(struct netdev *, unsigned qid);
};

/* Registers a class; main, from netdev_init(). */
void netdev_class_register(const struct netdev_class *);
/* Calls `cb` for every open device of `class`; it may not open or close any.  Main. */
void netdev_for_each_of_class(const struct netdev_class *, void (*cb)(struct netdev *));
/* A provider noticed a change (link, MTU, stats source): bumps change_seq, tells subscribers. Main. */
void netdev_changed(struct netdev *);
/* The same for a device that is not open: what kept it from being opened or configured may be
 * over, so it is worth trying again now.  Main, not from within the provider's functions. */
void netdev_announce(const char *name);
/* Marks the device as of no use any more; the bridge closes and re-opens it.  Main.  Takes a format. */
void netdev_mark_broken(struct netdev *, const char *format, ...) PRINTF_FORMAT(2, 3);

extern const struct netdev_class netdev_afxdp_class, netdev_afxdp_nonpmd_class;
extern const struct netdev_class netdev_system_class, netdev_internal_class, netdev_tap_class,
    netdev_patch_class;
/* lib/netdev/dummy: registers the dummy classes and commands. */
void netdev_dummy_register(struct evloop *, const char *mode);

#endif
