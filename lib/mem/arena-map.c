/* SPDX-License-Identifier: Apache-2.0 */
/* Where an arena's memory comes from: huge pages if the system has some to spare, else ordinary
 * ones that the kernel is asked to merge; bound to its NUMA node; kept away from children.
 * Called by arena.c on the main thread.  It knows nothing of frames. */

#include "mem/arena-private.h"

#include <errno.h>
#include <numa.h>
#include <numaif.h>
#include <string.h>
#include <sys/mman.h>

#include "log/log.h"
#include "os/caps.h"

#ifndef MAP_HUGE_2MB
#define MAP_HUGE_2MB (21 << 26)
#endif
#ifndef MADV_POPULATE_WRITE
#define MADV_POPULATE_WRITE 23 /* Linux 5.14 */
#endif

LOG_MODULE(arena);

/* Where the node has no memory or does not exist, memory comes from any node, as it does with
 * MPOL_PREFERRED when the node has no more.  (The library's own function for this complains on
 * stderr.) */
static void
bind_to_node(void *base, size_t size, unsigned node, int policy)
{
    static bool told;

    if (numa_available() < 0 || (node == 0 && numa_max_node() == 0)) {
        return;
    }
    struct bitmask *mask = numa_bitmask_setbit(numa_allocate_nodemask(), node);
    if (mbind(base, size, policy, mask->maskp, mask->size + 1, 0) && !told) {
        told = true;
        LOG_INFO("packet memory cannot be had on NUMA node %u (%s): any node's is used", node,
                 strerror(errno));
    }
    numa_free_nodemask(mask);
}

/* Backs the pages now.  Huge pages can be reserved and yet be refused by a control group, which
 * would be SIGBUS at the first touch; this asks without touching.  Kernels that do not know the
 * request get the benefit of the doubt. */
static bool
populate(void *base, size_t size)
{
    return !madvise(base, size, MADV_POPULATE_WRITE) || errno == EINVAL;
}

static uint8_t *
map_hugetlb(size_t size, unsigned node)
{
    void *p = mmap(NULL, size, PROT_READ | PROT_WRITE,
                   MAP_PRIVATE | MAP_ANONYMOUS | MAP_HUGETLB | MAP_HUGE_2MB, -1, 0);

    if (p == MAP_FAILED) {
        return NULL;
    }
    bind_to_node(p, size, node, MPOL_BIND); /* else huge pages of another node */
    if (!populate(p, size)) {
        munmap(p, size);
        return NULL;
    }
    return p;
}

/* Ordinary pages, aligned to 2 MiB so that the kernel can merge them: maps a unit more than
 * needed and gives the ends back. */
static uint8_t *
map_small(size_t size, unsigned node)
{
    size_t span = size + ARENA_MAP_UNIT;
    uint8_t *p = mmap(NULL, span, PROT_READ | PROT_WRITE,
                      MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);

    if (p == MAP_FAILED) {
        return NULL;
    }
    uint8_t *base = (uint8_t *) ROUND_UP((uintptr_t) p, (uintptr_t) ARENA_MAP_UNIT);
    size_t front = (size_t) (base - p);
    if (front) {
        munmap(p, front);
    }
    if (span - front > size) {
        munmap(base + size, span - front - size);
    }
    bind_to_node(base, size, node, MPOL_PREFERRED);
    madvise(base, size, MADV_HUGEPAGE);
    if (!populate(base, size)) {
        int error = errno;
        munmap(base, size);
        errno = error;
        return NULL;
    }
    return base;
}

int
arena_map(size_t size, unsigned numa_node, struct arena_map *map)
{
    static bool told;

    map->hugepages = true;
    map->base = map_hugetlb(size, numa_node);
    if (!map->base) {
        map->hugepages = false;
        map->base = map_small(size, numa_node);
        if (!map->base) {
            return errno ? errno : ENOMEM;
        }
        if (!told) {
            told = true;
            LOG_INFO("no free 2 MiB huge pages for %zu MiB of packet memory: using ordinary "
                     "ones, merged by the kernel where it can (vm.nr_hugepages reserves some)",
                     size >> 20);
        }
    }
    /* The kernel holds these very pages for its rings.  A child sharing them copy-on-write
     * would make the next write here go to another page than the kernel's. */
    madvise(map->base, size, MADV_DONTFORK);
    return 0;
}

void
arena_unmap(uint8_t *base, size_t size)
{
    munmap(base, size);
}

uint64_t
arena_memlock_share(void)
{
    uint64_t limit = caps_have_ipc_lock() ? UINT64_MAX : caps_memlock_limit();

    return limit == UINT64_MAX ? limit : limit / ARENA_REGISTRATIONS;
}
