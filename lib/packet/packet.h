/* SPDX-License-Identifier: Apache-2.0 */
#ifndef XVS_PACKET_PACKET_H
#define XVS_PACKET_PACKET_H 1

/* A packet is a frame of the arena: metadata in the frame's first 192 bytes, data behind it.
 *
 * Ownership: whoever holds a pointer from packet_alloc() or a receive function owns one
 * reference, and passes it on (netdev_send(), batches say "takes") or drops it (packet_free()).
 * A packet with more than one reference is read-only: packet_writable() copies it first. */

#include <stdbool.h>
#include <stdint.h>
#include <string.h>
#include "mem/arena.h"

#define PACKET_BATCH_MAX 32u
#define PACKET_OFS_NONE UINT16_MAX

enum packet_flag {
    PACKET_CSUM_PARTIAL_POSSIBLE = 1 << 0, /* port can hand in half-done L4 checksums */
    /* Its L4 checksum is half-done, and whoever sends it asks the kernel or the NIC to complete
     * it.  Only on packets that one netdev with `tx_csum` is about to send, which nobody shares
     * and nothing but that will change: packet_settle_csum() for all others. */
    PACKET_CSUM_PARTIAL = 1 << 1,
    PACKET_TX_MORE = 1 << 7, /* in a tx ring only: the packet goes on in the next frame */
};

struct packet {
    struct frame frame; /* lib/mem's; must be first */

    uint16_t data_ofs; /* of the first byte of data, from the frame's start */
    uint16_t len;      /* bytes of data */
    uint16_t l2_5_ofs; /* of the first MPLS label from data, or PACKET_OFS_NONE */
    uint16_t l3_ofs;   /* of the IPv4, IPv6 or ARP header from data, or NONE */
    uint16_t l4_ofs;   /* of the transport header from data, or NONE */
    uint16_t l4_len;   /* transport header + payload by the IP length (padding excluded) */
    uint8_t flags;     /* enum packet_flag */
    uint8_t csum_ofs;  /* with PACKET_CSUM_PARTIAL: of the checksum from l4_ofs */
    uint8_t pad[2];
    uint32_t in_port; /* datapath port number */
    uint32_t recirc_id;
    uint32_t skb_priority;
    uint32_t pkt_mark;
    uint32_t dp_hash;
    uint32_t rx_hash; /* of the 5-tuple, from extraction; 0 = not computed */
    uint64_t reserved[15];
} CACHE_ALIGNED;
_Static_assert(sizeof(struct packet) == FRAME_META_SZ, "metadata fills the UMEM headroom");

static inline struct packet *packet_from_frame(struct frame *f) { return (struct packet *) f; }
static inline uint8_t *packet_data(const struct packet *p)
{
    return (uint8_t *) (uintptr_t) p + p->data_ofs;
}
static inline struct arena *packet_arena(const struct packet *p)
{
    return arena_by_no(p->frame.arena_no);
}
static inline uint16_t packet_headroom(const struct packet *p)
{
    return p->data_ofs - FRAME_META_SZ;
}
static inline uint16_t packet_tailroom(const struct packet *p)
{
    return (uint16_t) (arena_frame_sz(packet_arena(p)) - p->data_ofs - p->len);
}
/* Sets the metadata that a receive path must set (everything but the frame head). */
static inline void packet_init_rx(struct packet *p, uint16_t data_ofs, uint16_t len)
{
    p->data_ofs = data_ofs;
    p->len = len;
    p->l2_5_ofs = p->l3_ofs = p->l4_ofs = PACKET_OFS_NONE;
    p->l4_len = 0;
    p->flags = 0;
    p->in_port = 0;
    p->recirc_id = p->skb_priority = p->pkt_mark = p->dp_hash = p->rx_hash = 0;
}

/* The arena with frames of at least `frame_sz` that ports of that NUMA node (0..255) allocate
 * packets from which do not come in frames.  It is made when first asked for, and stays; where
 * `node` cannot have one, which is logged, it is that of node 0.  Main, the first time for each
 * node and size.  ENOMEM with a sentence in *errp (arena_get()). */
int packet_node_arena(unsigned node, uint32_t frame_sz, struct arena **, char **errp);
/* That of node 0, for packets from nowhere (controller, dummy ports, tests). */
int packet_default_arena(uint32_t frame_sz, struct arena **, char **errp);

/* A packet of `len` uninitialised bytes at FRAME_DATA_OFS; NULL when the arena is exhausted or
 * `len` does not fit a frame (both counted).  Any thread. */
struct packet *packet_alloc(struct arena *, uint16_t len);
/* The same in the default arena whose frames are large enough.  A first call is by main; jumbo
 * frames there are only once a port of any node asked for them, and are that node's. */
struct packet *packet_new(uint16_t len);
/* One holding a copy of `data`, in the default arena. */
struct packet *packet_from_data(const void *data, uint16_t len);
/* A private copy of data and metadata, in the arena given (NULL: the packet's own). */
struct packet *packet_clone(const struct packet *, struct arena *);
void packet_free(struct packet *);
static inline void packet_ref(struct packet *p) { frame_ref(&p->frame); }
static inline bool packet_is_shared(const struct packet *p)
{
    /* Acquire: pairs with the release in frame_free() of the other holder. */
    return atomic_load_explicit(&p->frame.refcnt, memory_order_acquire) > 1;
}
/* Takes a reference to `p`, which others hold as well, returns a copy.  NULL (and the reference
 * dropped) when no frame is left. */
struct packet *packet_unshare(struct packet *p) MUST_USE;
/* The same for any `p`, which is returned itself when nobody else holds it. */
static inline MUST_USE struct packet *packet_writable(struct packet *p)
{
    return LIKELY(!packet_is_shared(p)) ? p : packet_unshare(p);
}

/* Room for `n` bytes in front or behind; false if the frame has not that much room.  The layer
 * offsets go on pointing at the same bytes (those pulled away: PACKET_OFS_NONE). */
static inline bool packet_push(struct packet *, uint16_t n); /* data starts n bytes earlier */
static inline void packet_pull(struct packet *, uint16_t n); /* n <= len */
bool packet_extend(struct packet *, uint16_t n);             /* data ends n bytes later */

/* An offset after packet_push(), packet_pull(). */
static inline uint16_t packet_ofs_push(uint16_t ofs, uint16_t n)
{
    return ofs == PACKET_OFS_NONE ? ofs : (uint16_t) (ofs + n);
}
static inline uint16_t packet_ofs_pull(uint16_t ofs, uint16_t n)
{
    return ofs == PACKET_OFS_NONE || ofs < n ? PACKET_OFS_NONE : (uint16_t) (ofs - n);
}
static inline bool packet_push(struct packet *p, uint16_t n)
{
    if (UNLIKELY(n > packet_headroom(p) || n > UINT16_MAX - p->len)) {
        return false;
    }
    p->data_ofs -= n;
    p->len += n;
    p->l2_5_ofs = packet_ofs_push(p->l2_5_ofs, n);
    p->l3_ofs = packet_ofs_push(p->l3_ofs, n);
    p->l4_ofs = packet_ofs_push(p->l4_ofs, n);
    return true;
}
static inline void packet_pull(struct packet *p, uint16_t n)
{
    p->data_ofs += n;
    p->len -= n;
    p->l2_5_ofs = packet_ofs_pull(p->l2_5_ofs, n);
    p->l3_ofs = packet_ofs_pull(p->l3_ofs, n);
    p->l4_ofs = packet_ofs_pull(p->l4_ofs, n);
}

struct packet_batch {
    unsigned n;
    struct packet *pkts[PACKET_BATCH_MAX];
};
static inline void packet_batch_init(struct packet_batch *b) { b->n = 0; }
static inline bool packet_batch_full(const struct packet_batch *b)
{
    return b->n == PACKET_BATCH_MAX;
}
static inline void packet_batch_add(struct packet_batch *b, struct packet *p)
{
    b->pkts[b->n++] = p;
}
/* Drops one reference of each and empties the batch. */
void packet_batch_free(struct packet_batch *);

#endif
