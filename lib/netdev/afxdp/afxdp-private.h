/* SPDX-License-Identifier: Apache-2.0 */
#ifndef XVS_NETDEV_AFXDP_AFXDP_PRIVATE_H
#define XVS_NETDEV_AFXDP_AFXDP_PRIVATE_H 1

/* What the files of an AF_XDP port share.  To read them in order: this page, then a packet's way
 * (xsk-ring.h, xsk-rx.c, xsk-tx.c), then how it comes to be (afxdp-port.c, and from there
 * xsk-socket.c and afxdp-map.c); each of the others stands by itself.
 *
 *   netdev-afxdp.c  the vtables                   xsk-rx.c    receive, fill
 *   afxdp-port.c    life of a port, its watch     xsk-tx.c    transmit, kick, completions
 *   afxdp-attr.c    MAC, MTU, link, status        xsk-socket.c  one queue's socket and rings
 *   afxdp-config.c  options                       xsk-umem.c  registration of the arena
 *   afxdp-stats.c   counters                      xsk-superframe.c  chains, cut into packets
 *   afxdp-show.c    afxdp/show                    xsk-ring.h  ring operations
 *   afxdp-map.c     source of the XSKMAP          xsk-txmd.h  transmit metadata
 *   cni-client.c, cni-session.c: device plugin
 *
 * Where a frame is, and who says so:
 *
 *        xsk_fill               kernel: packet arrives              xsk_rx_burst
 *   FREE ---------> [fill ring] ------------------> [rx ring] ------------------> USER
 *               owner FILL, holder = queue uid, counted in `in_kernel`
 *
 *                xsk_tx_burst                 kernel: sent                xsk_tx_complete
 *   USER ------------------------> [tx ring] -----------> [completion ring] ------> one
 *                        owner TX, counted per frame in `ledger`               reference less
 *
 * A frame that several queues transmit at once has a reference per queue, and a ledger entry in
 * each; a frame in a fill or rx ring has one reference and one holder.  So when a queue closes,
 * what it held is known exactly: frames whose head says FILL and its uid, and its ledger.
 *
 * On a queue work one poller (rx and fill ring, no lock), and any number of senders (tx and
 * completion ring, under tx_lock, because an idle poller also drains completions).  Main reads
 * the counters meanwhile, and creates and destroys with none at work. */

#include <net/if.h>
#include <stdatomic.h>
#include <stdint.h>
#include "mem/arena.h"
#include "netdev/afxdp/afxdp-config.h"
#include "netdev/afxdp/xsk-ring.h"
#include "netdev/afxdp/xsk-superframe.h"
#include "netdev/netdev-provider.h"
#include "os/rtnl.h"
#include "os/thread.h"
#include "xdp/xdp-attach.h"

#include <urcu/list.h>

/* Frames that the kernel may still write to, or send from, after a socket is closed: it unbinds
 * the queue in deferred work, and a copied-mode skb may point into the UMEM until it is freed.
 */
#define XSK_QUARANTINE_COPY_MS 1000
#define XSK_QUARANTINE_ZC_MS 5000
#define XSK_COMPLETE_BURST 64u

/* A counter with one writer, read by anyone. */
typedef _Atomic uint64_t xsk_counter;
static inline void
xsk_count(xsk_counter *c, uint64_t n)
{
    uint64_t old = atomic_load_explicit(c, memory_order_relaxed);
    atomic_store_explicit(c, old + n, memory_order_relaxed);
}
/* One with several writers. */
static inline void
xsk_count_shared(xsk_counter *c, uint64_t n)
{
    atomic_fetch_add_explicit(c, n, memory_order_relaxed);
}
static inline uint64_t
xsk_counted(const xsk_counter *c)
{
    return atomic_load_explicit(c, memory_order_relaxed);
}

/* Where a ring is mapped.  (A "map", here and in names, is the XSKMAP.) */
struct xsk_mapping {
    void *base;
    size_t size;
};

struct xsk_queue {
    /* The poller's. */
    struct xsk_ring rx CACHE_ALIGNED;
    struct xsk_ring fill;
    struct arena *arena;        /* constant */
    uint32_t fill_target;       /* constant: frames to keep in the kernel's hands */
    uint16_t holder;            /* constant: our uid on frames in there */
    bool zerocopy;              /* constant */
    bool need_wakeup;           /* constant: bound with XDP_USE_NEED_WAKEUP */
    bool tx_csum;               /* constant: takes packets with PACKET_CSUM_PARTIAL */
    int fd;                     /* constant */
    _Atomic bool busy_poll;     /* set by main: the kernel polls for us when we ask */
    _Atomic uint32_t in_kernel; /* frames in fill and rx ring */
    bool starved;               /* the fill ring could not be filled, and has not been since */
    xsk_counter rx_packets, rx_bytes, rx_bogus, rx_wakeups, fill_starved;
    struct xsk_superframe *super; /* constant; NULL: no chains (xsk-superframe.h) */
    struct arena *jumbo;          /* constant: for packets of several frames; NULL: none such */
    xsk_counter rx_super_dropped;

    /* The senders'.  tx_lock guards tx, comp, ledger, and the writing of the next few. */
    struct spinlock tx_lock CACHE_ALIGNED;
    struct xsk_ring tx;
    struct xsk_ring comp;
    uint8_t *ledger;              /* per frame id: times it is in tx or completion ring */
    _Atomic uint32_t outstanding; /* sum of the ledger */
    xsk_counter comp_bogus, tx_packets, tx_bytes;
    /* What follows is changed without tx_lock. */
    uint32_t kick_batch;             /* constant: descriptors that one sendto() moves */
    _Atomic uint32_t unkicked;       /* put since the last kick began */
    _Atomic bool kicking;            /* a sender is in the system call */
    _Atomic bool link_down;          /* set by a sender, cleared by main on a link event */
    _Atomic int fatal;               /* errno of a kick that will not get better */
    const _Atomic uint32_t *max_len; /* the port's longest packet, which main may change */
    xsk_counter tx_dropped, tx_copied, tx_kicks, tx_kicks_again; /* several writers */
    xsk_counter tx_csums; /* too: half-done checksums that went out with a request */

    /* Main's. */
    unsigned dev_qid CACHE_ALIGNED; /* queue number on the device */
    struct xsk_mapping mappings[4]; /* rx, tx, fill, completion */
    struct afxdp_dev *dev;          /* for the answer about busy polling */
};

/* One UMEM: the arena as a netdev's first socket has registered it. */
struct xsk_umem {
    struct arena *arena;
    int owner_fd;     /* the first socket; further queues name it at bind */
    bool chains;      /* it was bound with XDP_USE_SG, which holds for all of them */
    bool tx_metadata; /* frames may have XSK_TXMD_LEN bytes of requests before their data */
};

/* Counters of queues that are gone, so that a reconfigured port counts on. */
struct afxdp_totals {
    uint64_t rx_packets, rx_bytes, tx_packets, tx_bytes, tx_dropped;
    uint64_t rx_dropped, rx_invalid_descs, tx_invalid_descs;
    uint64_t rx_fill_ring_empty_descs, rx_ring_full, tx_ring_empty_descs;
    uint64_t rx_super_dropped;
    uint64_t rx_bogus_descs, tx_bogus_completions, tx_copied, tx_kicks, rx_wakeups,
        fill_starved, tx_csums;
};

struct afxdp_dev {
    struct netdev up;
    struct cds_list_head node; /* in the list of afxdp-port.c */
    struct afxdp_config cfg;
    enum afxdp_mode mode; /* in use; BEST_EFFORT: no queues */
    int ifindex;
    char kind[16];            /* rtnl kind, "" for hardware */
    _Atomic uint32_t max_len; /* longest packet that may be sent */
    unsigned frame_sz;        /* of the arena in use */
    bool jumbo;               /* packets may be longer than a frame */
    bool we_set_promisc;
    bool no_flags, no_mtu; /* not permitted to set them */
    bool carrier;
    unsigned link_flags; /* IFF_* last seen */

    struct arena *arena;  /* NULL: no queues */
    uint32_t promise;     /* frames promised by the arena */
    uint32_t fill_target; /* per queue */
    struct xsk_umem umem;
    struct xdp_attach xdp; /* of our own program ... */
    int map_fd;            /* ... or somebody else's map; -1: none */
    bool map_lent;         /* by cni-client; else to be closed */
    char *map_path;        /* where that is from */
    uint32_t foreign_prog_id;
    enum afxdp_mode foreign_mode; /* its hook */
    char *busy_poll_error;        /* NULL: none */
    const char *tx_csum_error;    /* why cfg.tx_csum is not in effect; NULL: it is */
    struct xsk_queue *queues;     /* up.n_rxq of them */
    unsigned n_queues;
    struct afxdp_totals past;
};

struct afxdp_rxq {
    struct netdev_rxq up;
    struct xsk_queue *q;
};

static inline struct afxdp_dev *
afxdp_dev(const struct netdev *netdev)
{
    return CONTAINER_OF(netdev, struct afxdp_dev, up);
}

/* xsk-umem.c.  Registers `arena` with the socket `fd`, which becomes the owner.  Pins the
 * arena's memory: needs CAP_IPC_LOCK or a memlock limit.  `tx_metadata`: with room for it, if
 * the kernel knows it (umem->tx_metadata says so). */
int xsk_umem_register(struct xsk_umem *, struct arena *, int fd, bool tx_metadata, char **errp);

/* xsk-socket.c.  Main thread.  Opens a socket for device queue `dev_qid`, makes and fills its
 * rings, and binds it in `mode` (never BEST_EFFORT).  With umem->owner_fd < 0 it registers the
 * arena and becomes the owner.  EBUSY: the queue is taken.  EOPNOTSUPP and the like: not in
 * this mode.  Needs CAP_NET_RAW. */
int xsk_queue_open(struct xsk_queue *, struct afxdp_dev *, unsigned dev_qid, enum afxdp_mode,
                   char **errp);
/* Has the socket closed on another thread: fd_closer_wait(ifindex) before xsk_queue_close(). */
void xsk_queue_hang_up(struct xsk_queue *, int ifindex);
/* Closes the socket, if it is not yet, and puts its frames into quarantine for `delay_ms`. */
void xsk_queue_close(struct xsk_queue *, int64_t delay_ms);
/* A queue closed by this process a moment ago may still look taken, or its pages pinned. */
bool xsk_recently_closed(void);

/* xsk-rx.c.  The poller's thread. */
/* Receives into the batch, whose packets (the caller's) get these PACKET_* flags; returns how
 * many.  Refills the fill ring if many frames are missing or nothing came. */
unsigned xsk_rx_burst(struct xsk_queue *, struct packet_batch *, uint8_t flags);
/* The packet that a descriptor taken from the rx ring stands for, now the caller's, with data
 * and length set; NULL (counted) if it cannot be one of ours. */
struct packet *xsk_rx_take(struct xsk_queue *, const struct xdp_desc *);
/* Puts frames into the fill ring until `fill_target` are in the kernel's hands.  Where the
 * arena is out of frames it counts that once (fill_starved), and then takes what comes back. */
void xsk_fill(struct xsk_queue *);

/* xsk-tx.c.  Any number of senders' threads at once; xsk_tx_drain_idle() the poller's. */
/* Takes the packets: what finds no room in the ring, or may not be sent, is dropped, counted.
 * Kicks when enough wait for that; else the next xsk_tx_poll() does. */
void xsk_tx_burst(struct xsk_queue *, struct packet_batch *);
/* Kicks what waits, takes completions; true: some still waits, to be called again. */
bool xsk_tx_poll(struct xsk_queue *);
/* Takes some completions, unless a sender is at work there. */
void xsk_tx_drain_idle(struct xsk_queue *);
/* Takes up to XSK_COMPLETE_BURST completions; the caller frees the frames without the lock. */
unsigned xsk_tx_complete__(struct xsk_queue *q, struct frame **out) REQUIRES(q->tx_lock);

/* afxdp-port.c.  Main thread.  Here and below, functions that take a struct netdev are those of
 * the vtable, which netdev-provider.h documents. */
int afxdp_port_init(struct evloop *); /* once for both classes */
int afxdp_construct(struct netdev *, char **errp);
void afxdp_destruct(struct netdev *);
int afxdp_set_config(struct netdev *, const struct smap *, char **errp);
int afxdp_reconfigure(struct netdev *, char **errp);
void afxdp_for_each(void (*cb)(struct afxdp_dev *, void *aux), void *aux);
/* Takes over MTU, carrier and flags from a fresh look at the link. */
void afxdp_link_refresh(struct afxdp_dev *, const struct rtnl_link *);
/* Do packets of that MTU need other frames than those that the queues have?  No, without. */
bool afxdp_needs_other_frames(const struct afxdp_dev *, int mtu);

/* afxdp-map.c.  Main thread; all with a positive errno and a sentence in *errp.  Order: get,
 * load, set for each queue, attach; unset, unload, put.  `link` is a fresh look at the device.
 * get also refuses a device with a foreign program (EEXIST), or without the plugin's (ENOLINK).
 */
int afxdp_map_get(struct afxdp_dev *, const struct rtnl_link *link, char **errp);
int afxdp_map_load(struct afxdp_dev *, char **errp);
int afxdp_map_set(struct afxdp_dev *, const struct xsk_queue *, char **errp);
int afxdp_map_attach(struct afxdp_dev *, enum afxdp_mode, char **errp);
void afxdp_map_unset(struct afxdp_dev *, const struct xsk_queue *);
void afxdp_map_unload(struct afxdp_dev *);
void afxdp_map_put(struct afxdp_dev *);
/* False once the program that fills our sockets is gone or another; NULL: no look was had. */
bool afxdp_map_is_alive(struct afxdp_dev *, const struct rtnl_link *);
void afxdp_map_describe(const struct afxdp_dev *, struct strbuf *);
/* Sets options:busy-poll on all queues, or asks the plugin to. */
void afxdp_busy_poll_start(struct afxdp_dev *);
void afxdp_busy_poll_stop(struct afxdp_dev *);
/* NULL when not configured, else "on" or what is in the way; borrowed. */
const char *afxdp_busy_poll_state(const struct afxdp_dev *);

/* afxdp-attr.c.  Main thread. */
void afxdp_get_config(const struct netdev *, struct smap *);
int afxdp_get_etheraddr(const struct netdev *, struct eth_addr *);
int afxdp_set_etheraddr(struct netdev *, struct eth_addr);
int afxdp_get_mtu(const struct netdev *, int *);
int afxdp_set_mtu(struct netdev *, int);
int afxdp_get_ifindex(const struct netdev *);
int afxdp_set_up(struct netdev *, bool);
bool afxdp_is_up(const struct netdev *);
void afxdp_get_link(const struct netdev *, struct netdev_link *);
void afxdp_get_status(const struct netdev *, struct smap *);

/* afxdp-stats.c.  Main thread, beside pollers and senders. */
void afxdp_totals_add_queue(struct afxdp_totals *, const struct xsk_queue *);
void afxdp_get_stats(const struct netdev *, struct netdev_stats *);
struct netdev_custom_stat *afxdp_get_custom_stats(const struct netdev *, size_t *n);

/* afxdp-show.c.  Main thread; once. */
void afxdp_show_register(void);

#endif
