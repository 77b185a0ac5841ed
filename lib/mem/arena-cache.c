/* SPDX-License-Identifier: Apache-2.0 */
/* Allocation of frames: per-thread caches in front of a pool of slabs (arena-private.h has the
 * picture).  Called on every thread, per burst of packets; the pool's lock is taken once per 64
 * frames and held for a few instructions.  It knows frame ids, not what frames hold. */

#include "mem/arena-private.h"

#include <stdio.h>
#include <stdlib.h>

#include <urcu/list.h>

#include "log/coverage.h"
#include "util/xalloc.h"

COVERAGE_DEFINE(arena_alloc_failed);
COVERAGE_DEFINE(arena_double_free);

struct cache {
    struct slab *loaded, *spare; /* NULL until the thread first uses the arena */
    /* Ids in both.  Written by the owner: up after taking frames in, down (release, with the
     * pool's lock) before they show up in the pool; read by main. */
    _Atomic uint32_t n;
};

struct thread_caches {
    struct cache c[ARENA_MAX];
    struct cds_list_head node; /* in all_caches */
};

static _Thread_local struct thread_caches *my_caches;
/* Guards the list, and keeps arenas from being unmapped while an ending thread flushes. */
static struct mutex caches_mutex = MUTEX_INIT;
static CDS_LIST_HEAD(all_caches);

/* -- The pool. -- */

static void
slab_push(struct slab **list, struct slab *s)
{
    s->next = *list;
    *list = s;
}

static struct slab *
slab_pop(struct slab **list)
{
    struct slab *s = *list;

    if (s) {
        *list = s->next;
        s->next = NULL;
    }
    return s;
}

struct arena_pool *
arena_pool_create(uint32_t n_frames)
{
    struct arena_pool *pool = xzalloc_cacheline(sizeof *pool);

    pool->loose = xzalloc(sizeof *pool->loose);
    for (uint32_t id = n_frames; id > 0;) {
        struct slab *s = xzalloc(sizeof *s);
        while (s->n < FRAME_SLAB && id > 0) {
            s->ids[s->n++] = --id;
        }
        slab_push(&pool->full, s);
    }
    atomic_init(&pool->n_free, n_frames);
    return pool;
}

static void
slabs_free(struct slab *s)
{
    while (s) {
        struct slab *next = s->next;
        free(s);
        s = next;
    }
}

void
arena_pool_destroy(struct arena_pool *pool)
{
    slabs_free(pool->full);
    slabs_free(pool->empty);
    slabs_free(pool->loose);
    free(pool);
}

uint32_t
arena_pool_n_free(struct arena_pool *pool)
{
    spinlock_lock(&pool->lock);
    uint32_t n = atomic_load_explicit(&pool->n_free, memory_order_relaxed);
    spinlock_unlock(&pool->lock);
    return n;
}

/* One writer at a time, by the lock; read without it, too. */
static inline void
n_free_add__(struct arena_pool *pool, int32_t n) REQUIRES(pool->lock)
{
    uint32_t old = atomic_load_explicit(&pool->n_free, memory_order_relaxed);

    atomic_store_explicit(&pool->n_free, old + (uint32_t) n, memory_order_relaxed);
}

/* Exchanges an empty slab for a full one, or for the loose one if it is all there is.  Returns
 * `s` itself when no frame is left. */
static struct slab *
pool_take(struct arena_pool *pool, struct slab *s)
{
    spinlock_lock(&pool->lock);
    struct slab *got = slab_pop(&pool->full);
    if (got) {
        slab_push(&pool->empty, s);
    } else if (pool->loose->n) {
        got = pool->loose;
        pool->loose = s;
    } else {
        got = s;
    }
    n_free_add__(pool, -(int32_t) got->n);
    spinlock_unlock(&pool->lock);
    return got;
}

/* Exchanges a full slab for an empty one. */
static struct slab *
pool_give(struct arena_pool *pool, struct slab *s)
{
    spinlock_lock(&pool->lock);
    n_free_add__(pool, (int32_t) s->n);
    slab_push(&pool->full, s);
    struct slab *got = slab_pop(&pool->empty);
    spinlock_unlock(&pool->lock);
    return got;
}

static void
pool_absorb__(struct arena_pool *pool, struct slab *s) REQUIRES(pool->lock)
{
    while (s->n) {
        struct slab *loose = pool->loose;
        loose->ids[loose->n++] = s->ids[--s->n];
        n_free_add__(pool, 1);
        if (loose->n == FRAME_SLAB) {
            slab_push(&pool->full, loose);
            pool->loose = slab_pop(&pool->empty);
        }
    }
}

/* -- The threads. -- */

static NOINLINE COLD struct cache *
cache_create(const struct arena *a)
{
    if (!my_caches) {
        my_caches = xzalloc_cacheline(sizeof *my_caches);
        thread_exit_hooks_arm();
        mutex_lock(&caches_mutex);
        cds_list_add(&my_caches->node, &all_caches);
        mutex_unlock(&caches_mutex);
    }
    struct cache *c = &my_caches->c[a->no];
    if (!c->loaded) {
        c->loaded = xzalloc(sizeof *c->loaded);
        c->spare = xzalloc(sizeof *c->spare);
    }
    return c;
}

static inline struct cache *
cache_of(const struct arena *a)
{
    if (LIKELY(my_caches && my_caches->c[a->no].loaded)) {
        return &my_caches->c[a->no];
    }
    return cache_create(a);
}

static inline void
cache_swap(struct cache *c)
{
    struct slab *s = c->loaded;
    c->loaded = c->spare;
    c->spare = s;
}

static inline void
cache_note(struct cache *c)
{
    /* Release: pairs with the acquire in arena_caches_count(). */
    atomic_store_explicit(&c->n, c->loaded->n + c->spare->n, memory_order_release);
}

/* One pass over the frames, for all that is to be written: their heads share a few sets of the
 * first-level cache, so that each pass fetches them anew. */
static ALWAYS_INLINE unsigned
alloc_as(struct arena *a, struct frame **out, unsigned n, enum frame_owner owner,
         uint16_t holder)
{
    struct cache *c = cache_of(a);
    unsigned got = 0;

    while (got < n) {
        if (!c->loaded->n) {
            cache_swap(c);
        }
        if (!c->loaded->n) {
            c->loaded = pool_take(a->pool, c->loaded);
            if (!c->loaded->n) {
                break;
            }
        }
        struct slab *s = c->loaded;
        while (s->n && got < n) {
            struct frame *f = arena_frame(a, s->ids[--s->n]);
            frame_check(f, FRAME_OWNER_FREE);
            atomic_store_explicit(&f->refcnt, 1, memory_order_relaxed);
            if (owner == FRAME_OWNER_FILL) {
                __atomic_store_n(&f->holder, holder, __ATOMIC_RELAXED);
            }
            frame_set_owner(f, owner);
            out[got++] = f;
        }
    }
    cache_note(c);
    if (UNLIKELY(got < n)) {
        COVERAGE_INC(arena_alloc_failed);
        atomic_fetch_add_explicit(&a->pool->alloc_failed, 1, memory_order_relaxed);
    }
    return got;
}

unsigned
frame_alloc(struct arena *a, struct frame **out, unsigned n)
{
    return alloc_as(a, out, n, FRAME_OWNER_USER, 0);
}

unsigned
frame_alloc_fill(struct arena *a, struct frame **out, unsigned n, uint16_t holder)
{
    return alloc_as(a, out, n, FRAME_OWNER_FILL, holder);
}

uint32_t
arena_n_available(const struct arena *a)
{
    const struct cache *c = cache_of(a);

    return c->loaded->n + c->spare->n +
           atomic_load_explicit(&a->pool->n_free, memory_order_relaxed);
}

/* Makes room for a frame in the loaded slab. */
static NOINLINE void
cache_make_room(struct arena *a, struct cache *c)
{
    cache_swap(c);
    if (c->loaded->n == FRAME_SLAB) {
        atomic_store_explicit(&c->n, FRAME_SLAB, memory_order_release);
        c->loaded = pool_give(a->pool, c->loaded);
    }
}

/* Drops one reference; true when it was the last. */
static inline bool
frame_unref(struct frame *f)
{
    /* Acquire: the last holder must see what the others did with the frame before their
     * release below.  A frame that only we hold needs no locked instruction. */
    uint32_t n = atomic_load_explicit(&f->refcnt, memory_order_acquire);

    if (UNLIKELY(!n || __atomic_load_n(&f->owner, __ATOMIC_RELAXED) == FRAME_OWNER_FREE)) {
        if (ARENA_DEBUG) {
            frame_owner_violation(f, FRAME_OWNER_USER);
        }
        COVERAGE_INC(arena_double_free);
        return false;
    }
    return n == 1 || atomic_fetch_sub_explicit(&f->refcnt, 1, memory_order_acq_rel) == 1;
}

/* Frees those of the arena of the first; returns how many it has seen. */
static inline unsigned
free_run(struct frame *const *frames, unsigned n)
{
    uint8_t no = frames[0]->arena_no;
    struct arena *a = arena_by_no(no);
    struct cache *c = cache_of(a);
    unsigned i;

    for (i = 0; i < n && LIKELY(frames[i]->arena_no == no); i++) {
        struct frame *f = frames[i];

        if (LIKELY(frame_unref(f))) {
            if (UNLIKELY(c->loaded->n == FRAME_SLAB)) {
                cache_make_room(a, c);
            }
            frame_set_owner(f, FRAME_OWNER_FREE);
            c->loaded->ids[c->loaded->n++] = f->id;
        }
    }
    cache_note(c);
    return i;
}

void
frame_free(struct frame *const *frames, unsigned n)
{
    for (unsigned i = 0; i < n;) {
        i += free_run(frames + i, n - i);
    }
}

void
arena_thread_flush(void)
{
    struct thread_caches *tc = my_caches;

    if (!tc) {
        return;
    }
    mutex_lock(&caches_mutex);
    for (unsigned i = 0; i < ARENA_MAX; i++) {
        struct cache *c = &tc->c[i];
        if (!c->loaded) {
            continue;
        }
        struct arena_pool *pool = arenas[i]->pool;
        atomic_store_explicit(&c->n, 0, memory_order_release);
        spinlock_lock(&pool->lock);
        pool_absorb__(pool, c->loaded);
        pool_absorb__(pool, c->spare);
        spinlock_unlock(&pool->lock);
        free(c->loaded);
        free(c->spare);
        c->loaded = c->spare = NULL;
    }
    mutex_unlock(&caches_mutex);
}

static void
thread_ends(void)
{
    if (my_caches) {
        arena_thread_flush();
        mutex_lock(&caches_mutex);
        cds_list_del(&my_caches->node);
        mutex_unlock(&caches_mutex);
        free(my_caches);
        my_caches = NULL;
    }
}

__attribute__((constructor)) static void
register_exit_hook(void)
{
    thread_exit_hook_add(thread_ends);
}

/* -- For main. -- */

uint32_t
arena_caches_count(uint8_t no)
{
    struct thread_caches *tc;
    uint32_t n = 0;

    mutex_lock(&caches_mutex);
    cds_list_for_each_entry(tc, &all_caches, node)
    {
        n += atomic_load_explicit(&tc->c[no].n, memory_order_acquire);
    }
    mutex_unlock(&caches_mutex);
    return n;
}

void
arena_caches_drop(struct arena *a)
{
    struct thread_caches *tc;

    mutex_lock(&caches_mutex);
    cds_list_for_each_entry(tc, &all_caches, node)
    {
        struct cache *c = &tc->c[a->no];
        free(c->loaded);
        free(c->spare);
        c->loaded = c->spare = NULL;
        atomic_store_explicit(&c->n, 0, memory_order_relaxed);
    }
    mutex_unlock(&caches_mutex);
}

void
frame_owner_violation(const struct frame *f, enum frame_owner expect)
{
    static const char *const names[] = {"free", "user", "fill", "tx", "quarantine"};

    fprintf(stderr,
            "ovs-vswitchd: frame %u of arena %u: owner is %s (holder %u, %u references), "
            "not %s as it must be here\n",
            f->id, f->arena_no, f->owner < ARRAY_SIZE(names) ? names[f->owner] : "nobody",
            f->holder, (unsigned) f->refcnt, names[expect]);
    abort();
}
