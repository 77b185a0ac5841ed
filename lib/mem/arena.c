/* SPDX-License-Identifier: Apache-2.0 */
/* Life of arenas: sizing, promises, quarantine, the end.  Everything here runs on the main
 * thread; frames themselves are handed out by arena-cache.c, memory by arena-map.c. */

#include "mem/arena-private.h"

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include <urcu/list.h>

#include "log/log.h"
#include "os/caps.h"
#include "os/clock.h"
#include "util/idpool.h"
#include "util/xalloc.h"

LOG_MODULE(arena_plan);

#define DEFAULT_PLAN 16384u
/* The least that is worth a UMEM: one port with a 512-frame fill ring, and its transmissions.
 * At the usual limit of 8 MiB four ports can just register that much. */
#define MIN_FRAMES 1024u
#define MAX_FRAMES (1u << 22)

struct arena *arenas[ARENA_MAX];

static uint32_t plan = DEFAULT_PLAN;
static struct idpool *holders;

/* Frames of one closed queue (or what is alike), in the order of being closed. */
struct quarantine {
    struct cds_list_head node;
    int64_t due_ns;
    unsigned n;
    struct frame *frames[];
};
static CDS_LIST_HEAD(quarantines);

void
arena_set_plan(uint32_t n_frames)
{
    plan = MAX(MIN_FRAMES, MIN(n_frames, MAX_FRAMES));
}

/* Frames of an arena for as many ports as may come. */
static uint32_t
usual_frames(uint32_t frame_sz)
{
    return frame_sz > FRAME_SZ_LARGE ? MIN_FRAMES : plan;
}

/* Frames that a new arena gets for a first promise of `wanted`; 0 when that cannot be had. */
static uint32_t
plan_frames(uint32_t wanted, uint32_t frame_sz)
{
    uint32_t unit = (uint32_t) (ARENA_MAP_UNIT / frame_sz);
    uint64_t share = arena_memlock_share() / frame_sz;
    uint32_t max = (uint32_t) MAX(MIN_FRAMES, MIN(share, MAX_FRAMES)) / unit * unit;
    uint32_t n = ROUND_UP(MAX(usual_frames(frame_sz), MIN(wanted, MAX_FRAMES)), unit);

    return wanted > max ? 0 : MIN(n, max);
}

static void
init_heads(const struct arena *a)
{
    for (uint32_t id = 0; id < a->n_frames; id++) {
        struct frame *f = arena_frame(a, id);
        memset(f, 0, FRAME_META_SZ);
        f->id = id;
        f->arena_no = a->no;
        f->owner = FRAME_OWNER_FREE;
    }
}

static int
arena_create(unsigned numa_node, uint32_t frame_sz, uint32_t wanted, struct arena **arenap,
             char **errp)
{
    struct arena_map map;
    unsigned no = 0;

    while (no < ARENA_MAX && arenas[no]) {
        no++;
    }
    if (no == ARENA_MAX) {
        error_set(errp, "packet memory: all %u arenas are in use", ARENA_MAX);
        return ENOMEM;
    }
    uint32_t n_frames = plan_frames(wanted, frame_sz);
    if (!n_frames) {
        error_set(errp,
                  "packet memory: %" PRIu32 " frames of %" PRIu32 " bytes do not fit the "
                  "locked-memory limit; raise it (ulimit -l, LimitMEMLOCK=) or grant "
                  "CAP_IPC_LOCK",
                  wanted, frame_sz);
        return ENOMEM;
    }
    uint64_t size = (uint64_t) n_frames * frame_sz;
    int error = arena_map(size, numa_node, &map);
    if (error) {
        error_set(errp, "packet memory: cannot map %" PRIu64 " MiB (%s)", size >> 20,
                  strerror(error));
        return ENOMEM;
    }
    struct arena *a = xzalloc_cacheline(sizeof *a);
    *a = (struct arena){
        .base = map.base,
        .size = size,
        .n_frames = n_frames,
        .frame_shift = (uint8_t) __builtin_ctz(frame_sz),
        .no = (uint8_t) no,
        .numa_node = (uint8_t) numa_node,
        .hugepages = map.hugepages,
        .limited = n_frames < usual_frames(frame_sz),
        .pool = arena_pool_create(n_frames),
    };
    if (a->limited) {
        LOG_INFO(
            "packet memory %u: %" PRIu32 " frames of %" PRIu32 " bytes, where %" PRIu32
            " would be usual: the locked-memory limit of %" PRIu64
            " KiB is to do for %u ports; to have more, raise it (ulimit -l, LimitMEMLOCK=) "
            "or grant CAP_IPC_LOCK",
            no, n_frames, frame_sz, plan, caps_memlock_limit() >> 10, ARENA_REGISTRATIONS);
    }
    init_heads(a);
    arenas[no] = a;
    *arenap = a;
    return 0;
}

static struct arena *
find_roomiest(unsigned numa_node, uint32_t frame_sz)
{
    struct arena *best = NULL;

    for (unsigned i = 0; i < ARENA_MAX; i++) {
        struct arena *a = arenas[i];
        if (a && a->numa_node == numa_node && arena_frame_sz(a) == frame_sz &&
            (!best ||
             a->n_frames - a->pool->n_promised > best->n_frames - best->pool->n_promised)) {
            best = a;
        }
    }
    return best;
}

int
arena_get(unsigned numa_node, uint32_t frame_sz, uint32_t n_frames, struct arena **arenap,
          char **errp)
{
    *arenap = NULL;
    if ((frame_sz != FRAME_SZ_SMALL && frame_sz != FRAME_SZ_LARGE &&
         frame_sz != FRAME_SZ_JUMBO) ||
        numa_node > UINT8_MAX) {
        error_set(errp, "packet memory: no arenas of %" PRIu32 "-byte frames on node %u",
                  frame_sz, numa_node);
        return EINVAL;
    }
    struct arena *a = find_roomiest(numa_node, frame_sz);
    if (!a || a->n_frames - a->pool->n_promised < n_frames) {
        int error = arena_create(numa_node, frame_sz, n_frames, &a, errp);
        if (error) {
            return error;
        }
    }
    a->pool->n_refs++;
    a->pool->n_promised += n_frames;
    *arenap = a;
    return 0;
}

uint32_t
arena_get_more(struct arena *a, uint32_t n_frames, uint32_t least)
{
    uint32_t unpromised = a->n_frames - a->pool->n_promised, reserve = 0;

    if (a->limited && a->pool->n_refs < ARENA_REGISTRATIONS) {
        reserve = MIN(unpromised, (ARENA_REGISTRATIONS - a->pool->n_refs) * least);
    }
    uint32_t n = MIN(n_frames, (unpromised - reserve) / 2);

    a->pool->n_promised += n;
    return n;
}

/* -- The end of an arena. -- */

static bool
all_home(const struct arena *a)
{
    uint32_t n_free = arena_pool_n_free(a->pool); /* before the caches: see arena-private.h */
    return n_free + arena_caches_count(a->no) == a->n_frames;
}

/* Unmaps `a` if nobody has a reference to it and every frame is back.  A frame that is out
 * would be freed into this arena by whoever has it, so until then the arena stays. */
static void
arena_unmap_if_unused(struct arena *a)
{
    if (a->pool->n_refs || a->pool->n_quarantined || !all_home(a)) {
        return;
    }
    arena_caches_drop(a);
    arenas[a->no] = NULL;
    arena_unmap(a->base, a->size);
    arena_pool_destroy(a->pool);
    free(a);
}

void
arena_put(struct arena *a, uint32_t n_frames)
{
    if (a) {
        a->pool->n_refs--;
        a->pool->n_promised -= MIN(n_frames, a->pool->n_promised);
        arena_unmap_if_unused(a);
    }
}

/* -- Holders and quarantine. -- */

uint16_t
arena_holder_alloc(void)
{
    uint32_t id;

    if (!holders) {
        holders = idpool_create(1, UINT16_MAX);
    }
    return idpool_alloc(holders, &id) ? (uint16_t) id : 0;
}

void
arena_holder_free(uint16_t holder)
{
    if (holder) {
        idpool_free(holders, holder);
    }
}

static void
quarantine_add(struct quarantine *q, int64_t delay_ms)
{
    if (!q->n) {
        free(q);
        return;
    }
    q->due_ns = clock_real_ns() + delay_ms * 1000000;
    cds_list_add_tail(&q->node, &quarantines);
}

static struct quarantine *
quarantine_create(uint32_t max)
{
    return xzalloc(sizeof(struct quarantine) + max * sizeof(struct frame *));
}

static void
quarantine_put(struct quarantine *q, struct frame *f)
{
    /* A frame that others hold too (a flood's) is still theirs to read. */
    if (atomic_load_explicit(&f->refcnt, memory_order_acquire) == 1) {
        frame_set_owner(f, FRAME_OWNER_QUARANTINE);
    }
    arena_by_no(f->arena_no)->pool->n_quarantined++;
    q->frames[q->n++] = f;
}

void
arena_quarantine(struct frame *const *frames, unsigned n, int64_t delay_ms)
{
    struct quarantine *q = quarantine_create(n);

    for (unsigned i = 0; i < n; i++) {
        quarantine_put(q, frames[i]);
    }
    quarantine_add(q, delay_ms);
}

unsigned
arena_quarantine_holder(struct arena *a, uint16_t holder, int64_t delay_ms)
{
    struct quarantine *q = quarantine_create(a->n_frames);

    for (uint32_t id = 0; id < a->n_frames; id++) {
        struct frame *f = arena_frame(a, id);
        /* Acquire: pairs with frame_set_owner().  Other queues' frames change hands meanwhile;
         * ours do not, and theirs never name our holder while they are in a fill ring. */
        if (__atomic_load_n(&f->owner, __ATOMIC_ACQUIRE) == FRAME_OWNER_FILL &&
            __atomic_load_n(&f->holder, __ATOMIC_RELAXED) == holder) {
            quarantine_put(q, f);
        }
    }
    unsigned n = q->n;
    quarantine_add(q, delay_ms);
    return n;
}

void
arena_collect(void)
{
    struct quarantine *q, *next;
    int64_t now = clock_real_ns();

    cds_list_for_each_entry_safe(q, next, &quarantines, node)
    {
        if (q->due_ns > now) {
            continue;
        }
        for (unsigned i = 0; i < q->n; i++) {
            arena_by_no(q->frames[i]->arena_no)->pool->n_quarantined--;
        }
        frame_free(q->frames, q->n);
        cds_list_del(&q->node);
        free(q);
    }
    for (unsigned i = 0; i < ARENA_MAX; i++) {
        if (arenas[i]) {
            arena_unmap_if_unused(arenas[i]);
        }
    }
}

/* -- To be looked at. -- */

void
arena_get_stats(const struct arena *a, struct arena_stats *stats)
{
    *stats = (struct arena_stats){
        .n_frames = a->n_frames,
        .n_free = arena_pool_n_free(a->pool),
        .n_cached = arena_caches_count(a->no),
        .n_quarantined = a->pool->n_quarantined,
        .n_promised = a->pool->n_promised,
        .alloc_failed = atomic_load_explicit(&a->pool->alloc_failed, memory_order_relaxed),
    };
}

void
arena_show(struct strbuf *out)
{
    for (unsigned i = 0; i < ARENA_MAX; i++) {
        const struct arena *a = arenas[i];
        struct arena_stats s;

        if (!a) {
            continue;
        }
        arena_get_stats(a, &s);
        strbuf_putf(out,
                    "arena %u: node %u, %" PRIu32 " frames of %" PRIu32 " bytes (%" PRIu64
                    " MiB of %s pages)\n"
                    "  promised: %" PRIu32 ", free: %" PRIu32 ", cached by threads: %" PRIu32
                    ", in quarantine: %" PRIu32 ", in use: %" PRIu32
                    ", failed allocations: %" PRIu64 "\n",
                    a->no, a->numa_node, s.n_frames, arena_frame_sz(a), a->size >> 20,
                    a->hugepages ? "2 MiB" : "ordinary", s.n_promised, s.n_free, s.n_cached,
                    s.n_quarantined,
                    s.n_frames - MIN(s.n_frames, s.n_free + s.n_cached + s.n_quarantined),
                    s.alloc_failed);
    }
}
