/* SPDX-License-Identifier: Apache-2.0 */
/* Meters of a datapath; see the header for the algorithm and who calls what. */

#include "datapath/dp-meter.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "datapath/dp-private.h"
#include "log/coverage.h"
#include "os/clock.h"
#include "util/xalloc.h"

COVERAGE_DEFINE(drop_datapath_meter);

/* Time is kept in 64ths of a nanosecond: fine enough for a minimal frame at 100 Gbit/s, and 4
 * years of it fit 63 bits (it counts from the meter's creation). */
#define TICKS_PER_NS 64

struct band {
    uint32_t rate;
    unsigned index;           /* as configured: bands are kept in the order of their rates */
    uint64_t depth;           /* of the bucket, in ticks */
    _Atomic uint64_t full_at; /* tick at which the bucket will be full */
    _Atomic uint64_t n_packets, n_bytes;
};
struct meter {
    struct rcu_head rcu;
    bool packets;
    unsigned n_bands;
    int64_t created_ns, created_ms;
    _Atomic uint64_t n_packets, n_bytes;
    struct band bands[];
};
struct meter_table {
    struct rcu_head rcu;
    uint32_t n;
    struct meter *m[]; /* by id; __atomic; NULL: none */
};

static struct meter *
meter_lookup(const struct dp *dp, uint32_t id)
{
    const struct meter_table *t = __atomic_load_n(&dp->meters, __ATOMIC_ACQUIRE);

    return t && id < t->n ? __atomic_load_n(&t->m[id], __ATOMIC_ACQUIRE) : NULL;
}

#define TICKS_PER_S (UINT64_C(1000000000) * TICKS_PER_NS)

/* Ticks that a packet takes. */
static uint64_t
cost_of(const struct meter *m, const struct band *b, const struct packet *p)
{
    /* A kilobit per second is one bit per millisecond. */
    return m->packets ? TICKS_PER_S / b->rate
                      : p->len * UINT64_C(8) * (TICKS_PER_S / 1000) / b->rate;
}

/* Ticks that it takes to fill the bucket: burst and rate are in the same unit. */
static uint64_t
depth_of(const struct dp_meter_band *c)
{
    uint32_t burst = c->burst ? c->burst : c->rate;

    return (uint64_t) ((unsigned __int128) burst * TICKS_PER_S / c->rate);
}

/* Which packets come too fast for the band: writes its index over theirs in `over`. */
static void
band_run(const struct meter *m, struct band *b, uint64_t now, const struct packet_batch *batch,
         uint8_t over[PACKET_BATCH_MAX])
{
    uint64_t was = atomic_load_explicit(&b->full_at, memory_order_relaxed), full_at;
    uint32_t mask;

    do {
        full_at = MAX(was, now);
        mask = 0;
        for (unsigned i = 0; i < batch->n; i++) {
            uint64_t cost = cost_of(m, b, batch->pkts[i]);

            if (full_at + cost - now > b->depth) {
                mask |= UINT32_C(1) << i;
            } else {
                full_at += cost;
            }
        }
    } while (!atomic_compare_exchange_weak_explicit(
        &b->full_at, &was, full_at, memory_order_relaxed, memory_order_relaxed));
    for (unsigned i = 0; i < batch->n; i++) {
        if (mask >> i & 1) {
            over[i] = (uint8_t) (b - m->bands);
        }
    }
}

void
dp_meter_run(const struct dp *dp, uint32_t id, struct packet_batch *b)
{
    struct meter *m = meter_lookup(dp, id);
    uint8_t over[PACKET_BATCH_MAX];
    uint64_t now, n_bytes = 0;
    unsigned n = 0;

    if (!m) {
        return;
    }
    memset(over, UINT8_MAX, sizeof over);
    now = (uint64_t) (clock_now_ns() - m->created_ns) * TICKS_PER_NS;
    for (unsigned i = 0; i < m->n_bands; i++) {
        band_run(m, &m->bands[i], now, b, over);
    }
    atomic_fetch_add_explicit(&m->n_packets, b->n, memory_order_relaxed);
    for (unsigned i = 0; i < b->n; i++) {
        struct packet *p = b->pkts[i];

        n_bytes += p->len;
        if (over[i] == UINT8_MAX) {
            b->pkts[n++] = p;
            continue;
        }
        atomic_fetch_add_explicit(&m->bands[over[i]].n_packets, 1, memory_order_relaxed);
        atomic_fetch_add_explicit(&m->bands[over[i]].n_bytes, p->len, memory_order_relaxed);
        COVERAGE_INC(drop_datapath_meter);
        packet_free(p);
    }
    atomic_fetch_add_explicit(&m->n_bytes, n_bytes, memory_order_relaxed);
    b->n = n;
}

static int
compare_rates(const void *a_, const void *b_)
{
    const struct band *a = a_, *b = b_;

    return (a->rate > b->rate) - (a->rate < b->rate);
}

static struct meter *
meter_create(const struct dp_meter_config *c)
{
    struct meter *m = xzalloc(sizeof *m + c->n_bands * sizeof m->bands[0]);

    m->packets = c->packets;
    m->n_bands = c->n_bands;
    m->created_ns = clock_now_ns();
    m->created_ms = clock_now_ms();
    for (unsigned i = 0; i < c->n_bands; i++) {
        struct band *b = &m->bands[i];

        b->rate = c->bands[i].rate;
        b->index = i;
        b->depth = depth_of(&c->bands[i]);
    }
    qsort(m->bands, m->n_bands, sizeof m->bands[0], compare_rates);
    return m;
}

static void
meter_free_cb(struct rcu_head *head)
{
    free(CONTAINER_OF(head, struct meter, rcu));
}

static void
table_free_cb(struct rcu_head *head)
{
    free(CONTAINER_OF(head, struct meter_table, rcu));
}

/* Publishes a table that has room for `id`. */
static struct meter_table *
table_with(struct dp *dp, uint32_t id)
{
    struct meter_table *old = dp->meters, *t;
    uint32_t n = 16;

    if (old && id < old->n) {
        return old;
    }
    while (n <= id) {
        n *= 2;
    }
    t = xzalloc(sizeof *t + n * sizeof t->m[0]);
    t->n = n;
    if (old) {
        memcpy(t->m, old->m, old->n * sizeof t->m[0]);
    }
    __atomic_store_n(&dp->meters, t, __ATOMIC_RELEASE);
    if (old) {
        call_rcu(&old->rcu, table_free_cb);
    }
    return t;
}

int
dp_meter_set(struct dp *dp, uint32_t id, const struct dp_meter_config *c)
{
    struct meter_table *t;
    struct meter *old;

    if (id >= DP_METER_MAX || c->n_bands > DP_METER_BANDS_MAX) {
        return EINVAL;
    }
    for (unsigned i = 0; i < c->n_bands; i++) {
        if (!c->bands[i].rate) {
            return EINVAL;
        }
    }
    t = table_with(dp, id);
    old = t->m[id];
    __atomic_store_n(&t->m[id], meter_create(c), __ATOMIC_RELEASE);
    if (old) {
        call_rcu(&old->rcu, meter_free_cb);
    }
    return 0;
}

int
dp_meter_del(struct dp *dp, uint32_t id)
{
    struct meter *m = meter_lookup(dp, id);

    if (!m) {
        return ENOENT;
    }
    __atomic_store_n(&dp->meters->m[id], NULL, __ATOMIC_RELEASE);
    call_rcu(&m->rcu, meter_free_cb);
    return 0;
}

bool
dp_meter_get_stats(const struct dp *dp, uint32_t id, struct dp_meter_stats *st)
{
    const struct meter *m = meter_lookup(dp, id);

    if (!m) {
        return false;
    }
    memset(st, 0, sizeof *st);
    st->n_packets = atomic_load_explicit(&m->n_packets, memory_order_relaxed);
    st->n_bytes = atomic_load_explicit(&m->n_bytes, memory_order_relaxed);
    st->created_ms = m->created_ms;
    for (unsigned i = 0; i < m->n_bands; i++) {
        const struct band *b = &m->bands[i];

        st->bands[b->index].n_packets =
            atomic_load_explicit(&b->n_packets, memory_order_relaxed);
        st->bands[b->index].n_bytes = atomic_load_explicit(&b->n_bytes, memory_order_relaxed);
    }
    return true;
}

void
dp_meters_destroy(struct meter_table *t)
{
    for (uint32_t i = 0; t && i < t->n; i++) {
        free(t->m[i]);
    }
    free(t);
}
