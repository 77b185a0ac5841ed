/* SPDX-License-Identifier: Apache-2.0 */
/* Packets: allocation, copies, room at both ends.  Called by every thread that touches packets.
 * Knows nothing of what the bytes mean: that is packet-ops.c and lib/flow. */

#include "packet/packet.h"

#include <stdlib.h>

#include "log/coverage.h"
#include "log/log.h"
#include "os/thread.h"
#include "util/num.h"
#include "util/xalloc.h"

LOG_MODULE(packet);

COVERAGE_DEFINE(drop_packet_no_frame);
COVERAGE_DEFINE(drop_packet_too_long);
COVERAGE_DEFINE(packet_copied_shared);

/* What the process reserves on a node for packets that come from nowhere, or not in frames:
 * bursts of a tap (a 64 KiB super-frame is some 45 packets), packet-outs, tests. */
static const struct {
    uint32_t frame_sz, n;
} classes[] = {
    {FRAME_SZ_SMALL, 1024},
    {FRAME_SZ_LARGE, 512},
    {FRAME_SZ_JUMBO, 1024},
};
#define JUMBO 2u /* its index */

static struct mutex arenas_mutex = MUTEX_INIT;
/* Each set once, under arenas_mutex; held until the process ends. */
static struct arena *_Atomic node_arenas[UINT8_MAX + 1][ARRAY_SIZE(classes)];
static struct arena *_Atomic first_jumbo; /* of all nodes */

static unsigned
class_of(uint32_t frame_sz)
{
    return frame_sz <= FRAME_SZ_SMALL ? 0 : frame_sz <= FRAME_SZ_LARGE ? 1 : JUMBO;
}

static int
make_arena(unsigned node, unsigned c, struct arena **arena, char **errp)
{
    int error = 0;

    mutex_lock(&arenas_mutex);
    struct arena *a = atomic_load_explicit(&node_arenas[node][c], memory_order_relaxed);
    if (!a) {
        error = arena_get(node, classes[c].frame_sz, classes[c].n, &a, errp);
    }
    if (!error) {
        atomic_store_explicit(&node_arenas[node][c], a, memory_order_release);
        if (c == JUMBO && !atomic_load_explicit(&first_jumbo, memory_order_relaxed)) {
            atomic_store_explicit(&first_jumbo, a, memory_order_release);
        }
    }
    mutex_unlock(&arenas_mutex);
    *arena = error ? NULL : a;
    return error;
}

static int
get_arena(unsigned node, uint32_t frame_sz, struct arena **arena, char **errp)
{
    unsigned c = class_of(frame_sz);

    /* Acquire: pairs with the release in make_arena(). */
    *arena = atomic_load_explicit(&node_arenas[node][c], memory_order_acquire);
    return LIKELY(*arena) ? 0 : make_arena(node, c, arena, errp);
}

int
packet_node_arena(unsigned node, uint32_t frame_sz, struct arena **arena, char **errp)
{
    char *err = NULL;

    if (node > 0 && node <= UINT8_MAX) {
        if (!get_arena(node, frame_sz, arena, &err)) {
            return 0;
        }
        LOG_INFO("%s; what was to be on NUMA node %u will be on node 0", err, node);
        free(err);
    }
    return get_arena(0, frame_sz, arena, errp);
}

int
packet_default_arena(uint32_t frame_sz, struct arena **arena, char **errp)
{
    return get_arena(0, frame_sz, arena, errp);
}

struct packet *
packet_alloc(struct arena *arena, uint16_t len)
{
    struct frame *f;
    struct packet *p;

    if (FRAME_DATA_OFS + (uint32_t) len > arena_frame_sz(arena)) {
        COVERAGE_INC(drop_packet_too_long);
        return NULL;
    }
    if (!frame_alloc(arena, &f, 1)) {
        COVERAGE_INC(drop_packet_no_frame);
        return NULL;
    }
    p = packet_from_frame(f);
    packet_init_rx(p, FRAME_DATA_OFS, len);
    return p;
}

struct packet *
packet_new(uint16_t len)
{
    uint32_t frame_sz = FRAME_DATA_OFS + (uint32_t) len;
    struct arena *arena;

    if (class_of(frame_sz) == JUMBO) {
        arena = atomic_load_explicit(&first_jumbo, memory_order_acquire);
        if (!arena) {
            COVERAGE_INC(drop_packet_too_long);
            return NULL;
        }
    } else if (packet_default_arena(frame_sz, &arena, NULL)) {
        COVERAGE_INC(drop_packet_no_frame);
        return NULL;
    }
    return packet_alloc(arena, len);
}

struct packet *
packet_from_data(const void *data, uint16_t len)
{
    struct packet *p = packet_new(len);

    if (p && len) {
        memcpy(packet_data(p), data, len);
    }
    return p;
}

struct packet *
packet_clone(const struct packet *p, struct arena *arena)
{
    struct arena *to = arena ? arena : packet_arena(p);
    uint32_t frame_sz = arena_frame_sz(to);
    uint16_t ofs = p->data_ofs;
    struct frame *f;
    struct packet *copy;

    if (ofs + (uint32_t) p->len > frame_sz) {
        ofs = FRAME_DATA_OFS;
    }
    if (ofs + (uint32_t) p->len > frame_sz) {
        COVERAGE_INC(drop_packet_too_long);
        return NULL;
    }
    if (!frame_alloc(to, &f, 1)) {
        COVERAGE_INC(drop_packet_no_frame);
        return NULL;
    }
    copy = packet_from_frame(f);
    memcpy((uint8_t *) copy + sizeof *f, (const uint8_t *) p + sizeof *f,
           sizeof *copy - sizeof *f);
    copy->data_ofs = ofs;
    memcpy(packet_data(copy), packet_data(p), p->len);
    return copy;
}

void
packet_free(struct packet *p)
{
    if (p) {
        struct frame *f = &p->frame;

        frame_free(&f, 1);
    }
}

struct packet *
packet_unshare(struct packet *p)
{
    struct packet *copy;

    COVERAGE_INC(packet_copied_shared);
    copy = packet_clone(p, NULL);
    packet_free(p);
    return copy;
}

bool
packet_extend(struct packet *p, uint16_t n)
{
    if (n > packet_tailroom(p)) {
        return false;
    }
    p->len += n;
    return true;
}

void
packet_batch_free(struct packet_batch *b)
{
    struct frame *frames[PACKET_BATCH_MAX];

    for (unsigned i = 0; i < b->n; i++) {
        frames[i] = &b->pkts[i]->frame;
    }
    frame_free(frames, b->n);
    b->n = 0;
}
