/* SPDX-License-Identifier: Apache-2.0 */
#ifndef XVS_MEM_ARENA_H
#define XVS_MEM_ARENA_H 1

/* The frame arena: packet memory that every AF_XDP port can receive into and transmit from.
 *
 *   arena base (2 MiB aligned)                       one frame, 2,048 or 4,096 bytes
 *   +---------+---------+---------+ ...        0        192            448
 *   | frame 0 | frame 1 | frame 2 |            +---------+-------------+------------------+
 *   +---------+---------+---------+ ...        | struct  | headroom    | packet data ...  |
 *                                              | frame   | 256 bytes   |                  |
 *                                              +---------+-------------+------------------+
 *                                              UMEM headroom: the kernel never writes here
 *
 * The same mapping is registered as one UMEM per netdev, so that a frame received on one port
 * is sent on another by its address.  The first 192 bytes hold the packet's metadata
 * (packet/packet.h), whose first 16 bytes are `struct frame` below and belong to this module.
 *
 * An arena has one NUMA node and one frame size.  Ports whose MTU fits 2 KiB frames share one;
 * ports with a larger MTU share another of 4 KiB frames; a packet that crosses copies
 * (counted).  Packets that fit neither are in 16 KiB frames inside the switch, and copied at
 * its ports.
 *
 * Threads: frames are allocated and freed by any thread through a private cache of two slabs,
 * exchanged whole with a pool; the pool's lock is taken once per slab.
 *
 *   operation          arena_get/put  alloc/free  quarantine   collect
 *   thread             main           any         any          main
 */

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include "util/compiler.h"
#include "util/strbuf.h"

#define FRAME_META_SZ 192u     /* = frame_headroom given to the kernel with the UMEM */
#define FRAME_KERNEL_ROOM 256u /* XDP_PACKET_HEADROOM, added by the kernel */
#define FRAME_DATA_OFS (FRAME_META_SZ + FRAME_KERNEL_ROOM)
#define FRAME_SZ_SMALL 2048u
#define FRAME_SZ_LARGE 4096u
#define FRAME_SZ_JUMBO 16384u /* no UMEM has such: what comes and goes as a chain of frames */
#define FRAME_SLAB 64u /* ids per slab */

/* Who may touch a frame.  Kept always (recovery at close needs FILL), checked in debug builds
 * (--enable-debug: ARENA_DEBUG is 1): a double free or a use after transmit aborts there. */
enum frame_owner {
    FRAME_OWNER_FREE,      /* in the pool or a thread's cache */
    FRAME_OWNER_USER,      /* in the hands of a thread, or queued inside the switch */
    FRAME_OWNER_FILL,      /* given to a kernel fill ring, until it comes back on the rx ring */
    FRAME_OWNER_TX,        /* in a kernel tx ring, until its (last) completion */
    FRAME_OWNER_QUARANTINE /* its queue is closed; the kernel may still use it */
};

struct frame {
    uint32_t id;             /* constant */
    uint8_t arena_no;        /* constant: arena_by_no() */
    uint8_t owner;           /* enum frame_owner */
    uint16_t holder;         /* with OWNER_FILL: the queue's uid (arena_holder_alloc()) */
    _Atomic uint32_t refcnt; /* tx rings and users that hold it; 1 when allocated */
    uint32_t reserved;
};
_Static_assert(sizeof(struct frame) == 16, "struct frame is the head of struct packet");

#ifndef ARENA_DEBUG
#define ARENA_DEBUG 0
#endif

struct arena {
    uint8_t *base; /* hot: constant after creation */
    uint64_t size; /* bytes = n_frames << frame_shift */
    uint32_t n_frames;
    uint8_t frame_shift; /* 11, 12 or 14 */
    uint8_t no;          /* arena number, < ARENA_MAX */
    uint8_t numa_node;
    bool hugepages;
    bool limited; /* smaller than planned, for want of memory that may be locked */
    struct arena_pool *pool; /* private */
};
#define ARENA_MAX 32
extern struct arena *arenas[ARENA_MAX]; /* NULL where free; main writes with no user left */

static inline uint32_t
arena_frame_sz(const struct arena *a)
{
    return 1u << a->frame_shift;
}
static inline struct frame *
arena_frame(const struct arena *a, uint32_t id)
{
    return (struct frame *) (void *) (a->base + ((uint64_t) id << a->frame_shift));
}
/* The frame that the UMEM address `addr` (any byte of it) lies in; addr < a->size. */
static inline struct frame *
arena_frame_at(const struct arena *a, uint64_t addr)
{
    return arena_frame(a, (uint32_t) (addr >> a->frame_shift));
}
static inline uint64_t
arena_addr(const struct arena *a, const void *p)
{
    return (uint64_t) ((const uint8_t *) p - a->base);
}
static inline struct arena *
arena_by_no(uint8_t no)
{
    return arenas[no];
}

/* Takes a reference to an arena on `numa_node` with frames of `frame_sz` that still has
 * `n_frames` not promised to anybody, making one if need be (mapped by hugepages, else by 4 KiB
 * pages with one INFO line; sized by arena_set_plan(), the memlock limit, and n_frames), and
 * promises them to the caller.  A promise is bookkeeping: frames come by frame_alloc().
 * Main.  ENOMEM with a sentence in *errp that names the limit and the remedy. */
int arena_get(unsigned numa_node, uint32_t frame_sz, uint32_t n_frames, struct arena **,
              char **errp);
void
arena_put(struct arena *, uint32_t n_frames); /* unmaps once unused and all frames are back */
/* Promises up to `n_frames` more to a caller of arena_get(), who adds what is returned to what
 * it gives back by arena_put(): at most half of what is still unpromised, so that ports to come
 * find room in the same arena (between two arenas packets are copied).  In an arena that the
 * memlock limit made small, `least` frames for each of the four ports that it is meant for are
 * left alone.  Main. */
uint32_t arena_get_more(struct arena *, uint32_t n_frames, uint32_t least);
/* How many frames a new arena should have at least (main, before ports are opened).  Default:
 * 16,384, less where RLIMIT_MEMLOCK is short and CAP_IPC_LOCK missing. */
void arena_set_plan(uint32_t n_frames);

/* A small number (1..65535) naming a queue as holder of frames; 0 when none is left. */
uint16_t arena_holder_alloc(void);
void arena_holder_free(uint16_t);

/* Allocates up to `n` frames (owner USER, refcnt 1) into `out`; returns how many.  Any thread.
 */
unsigned frame_alloc(struct arena *, struct frame **out, unsigned n);
/* The same for the fill ring of the queue `holder`: the owner is FILL. */
unsigned frame_alloc_fill(struct arena *, struct frame **out, unsigned n, uint16_t holder);
/* How many frames the calling thread could get now, unless others are faster.  For whoever
 * waits for frames to come back: cheaper than asking in vain, which is counted.  Any thread. */
uint32_t arena_n_available(const struct arena *);
/* Drops one reference of each; the last one returns the frame.  Frames of mixed arenas are
 * fine. Any thread. */
void frame_free(struct frame *const *, unsigned n);
static inline void
frame_ref(struct frame *f)
{
    atomic_fetch_add_explicit(&f->refcnt, 1, memory_order_relaxed);
}
/* Returns the calling thread's cached frames, and those slabs, to their pools.  Runs by itself
 * when a thread ends; a thread that goes idle for long may call it.  Any thread. */
void arena_thread_flush(void);

/* Sets the owner.  The release (behind the holder, if there is one) pairs with the acquire in
 * arena_quarantine_holder(), which reads every frame's head while other queues are at work. */
static inline void
frame_set_owner(struct frame *f, enum frame_owner owner)
{
    __atomic_store_n(&f->owner, (uint8_t) owner, __ATOMIC_RELEASE);
}
/* Debug builds: aborts with a message unless the owner is `expect`. */
static inline void frame_check(const struct frame *f, enum frame_owner expect);

/* A closed queue's frames: one reference of each is dropped after `delay_ms` (by
 * arena_collect(), which main calls about every 100 ms).  Main. */
void arena_quarantine(struct frame *const *, unsigned n, int64_t delay_ms);
/* Quarantines every frame that a closed queue left in its fill ring; returns how many. */
unsigned arena_quarantine_holder(struct arena *, uint16_t holder, int64_t delay_ms);
void arena_collect(void);

struct arena_stats {
    uint32_t n_frames, n_free, n_cached, n_quarantined, n_promised;
    uint64_t alloc_failed; /* calls of frame_alloc() that got fewer than asked for */
};
void arena_get_stats(const struct arena *, struct arena_stats *);
void arena_show(struct strbuf *); /* for afxdp/show and memory/show */

void frame_owner_violation(const struct frame *, enum frame_owner expect);
static inline void
frame_check(const struct frame *f, enum frame_owner expect)
{
    if (ARENA_DEBUG && f->owner != expect) {
        frame_owner_violation(f, expect);
    }
}

#endif
