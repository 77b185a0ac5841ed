/* SPDX-License-Identifier: Apache-2.0 */
#ifndef XVS_MEM_ARENA_PRIVATE_H
#define XVS_MEM_ARENA_PRIVATE_H 1

/* What the files of lib/mem share.
 *
 * A slab is an array of up to 64 frame ids.  Slabs wander whole between a pool and the threads:
 *
 *      thread                                   pool (lock)
 *   +---------+  alloc: both empty   ------>  empty slabs
 *   | loaded  |  <------  a full one          full slabs
 *   | spare   |  free: both full     ------>  full slabs
 *   +---------+  <------  an empty one        empty slabs
 *               flush: ids, one by one --->   loose (the pool's only partly filled slab)
 *
 * A pool starts with n_frames / 64 full slabs and one empty `loose`; each thread adds two empty
 * ones and takes two away when it ends.  Hence full + empty slabs in the pool are always
 * n_frames / 64 in number, and a thread that holds a frame finds the pool with an empty slab.
 */

#include "mem/arena.h"
#include "os/thread.h"

struct slab {
    struct slab *next;
    uint32_t n;
    uint32_t ids[FRAME_SLAB];
};

struct arena_pool {
    struct spinlock lock; /* guards the next four */
    struct slab *full;
    struct slab *empty;
    struct slab *loose;
    _Atomic uint32_t n_free; /* ids in full slabs and in loose; written under the lock */

    _Atomic uint64_t alloc_failed; /* calls that got fewer than asked for; any thread adds */
    uint32_t n_refs;               /* main: arena_get() less arena_put() */
    uint32_t n_promised;           /* main */
    uint32_t n_quarantined;        /* main */
};

/* arena-cache.c */
struct arena_pool *arena_pool_create(uint32_t n_frames);
void arena_pool_destroy(struct arena_pool *);
uint32_t arena_pool_n_free(struct arena_pool *);
/* Sum over all threads of what they have cached of arena `no`.  To be read after
 * arena_pool_n_free(): then frames on their way home are missed, never counted twice. */
uint32_t arena_caches_count(uint8_t no);
/* Forgets every thread's (now useless) cache of an arena whose frames are all home. */
void arena_caches_drop(struct arena *);

/* arena-map.c */
struct arena_map {
    uint8_t *base;
    bool hugepages;
};
int arena_map(size_t size, unsigned numa_node, struct arena_map *);
void arena_unmap(uint8_t *base, size_t size);
/* Bytes that one arena may have so that ARENA_REGISTRATIONS ports can pin it, UINT64_MAX where
 * nothing limits it. */
uint64_t arena_memlock_share(void);
#define ARENA_REGISTRATIONS 4
#define ARENA_MAP_UNIT (UINT64_C(2) << 20) /* arenas are whole huge pages long */

#endif
