/* SPDX-License-Identifier: Apache-2.0 */
/* The MAC learning table of a bridge: a hash table over (VLAN, address) and a list in order of
 * last use.  Called by translation (polling threads), the revalidator and main.  It knows
 * nothing of ports, flows or bridges, and tells nobody about changes: callers look at what is
 * returned. */

#include "ofproto/mac-table.h"

#include <stdlib.h>
#include <urcu/list.h>
#include <uthash.h>

#include "log/coverage.h"
#include "os/thread.h"
#include "util/compiler.h"
#include "util/xalloc.h"

COVERAGE_DEFINE(mac_table_learned);
COVERAGE_DEFINE(mac_table_moved);
COVERAGE_DEFINE(mac_table_expired);
COVERAGE_DEFINE(mac_table_evicted);
COVERAGE_DEFINE(mac_table_full);

#define MIN_AGE_S 15
#define MIN_ENTRIES 10u
#define DEFAULT_AGE_S 300
#define DEFAULT_ENTRIES 8192u

struct mac_entry {
    uint64_t key; /* VLAN above the 48 bits of the address */
    uint32_t bundle;
    bool is_static;
    int64_t used_ms;
    struct cds_list_head lru_node; /* in `lru` */
    UT_hash_handle hh;
};

struct mac_table {
    struct mutex mutex; /* guards everything below */
    struct mac_entry *entries;
    struct cds_list_head lru; /* longest unused first */
    int64_t age_ms;
    struct mac_table_stats stats;
};

static uint64_t
make_key(uint16_t vlan, struct eth_addr mac)
{
    return (uint64_t) vlan << 48 | eth_addr_to_u64(mac);
}

static struct mac_entry *
find__(const struct mac_table *t, uint64_t key) REQUIRES(t->mutex)
{
    struct mac_entry *e;

    HASH_FIND(hh, t->entries, &key, sizeof key, e);
    return e;
}

static void
remove__(struct mac_table *t, struct mac_entry *e) REQUIRES(t->mutex)
{
    HASH_DEL(t->entries, e);
    cds_list_del(&e->lru_node);
    t->stats.n--;
    t->stats.n_static -= e->is_static;
    free(e);
}

/* Drops longest unused learned entries until at most `max` are left; false if static ones alone
 * are more. */
static bool
shrink__(struct mac_table *t, uint32_t max) REQUIRES(t->mutex)
{
    struct mac_entry *e, *next;

    cds_list_for_each_entry_safe(e, next, &t->lru, lru_node)
    {
        if (t->stats.n <= max) {
            break;
        }
        if (!e->is_static) {
            remove__(t, e);
            t->stats.n_evicted++;
            COVERAGE_INC(mac_table_evicted);
        }
    }
    return t->stats.n <= max;
}

/* A new entry at the young end, room being made first; NULL if there is none. */
static struct mac_entry *
insert__(struct mac_table *t, uint64_t key, uint32_t bundle, int64_t used_ms) REQUIRES(t->mutex)
{
    struct mac_entry *e;

    if (!shrink__(t, t->stats.max - 1)) {
        COVERAGE_INC(mac_table_full);
        return NULL;
    }
    e = xzalloc(sizeof *e);
    e->key = key;
    e->bundle = bundle;
    e->used_ms = used_ms;
    HASH_ADD(hh, t->entries, key, sizeof e->key, e);
    cds_list_add_tail(&e->lru_node, &t->lru);
    t->stats.n++;
    return e;
}

struct mac_table *
mac_table_create(void)
{
    struct mac_table *t = xzalloc(sizeof *t);

    mutex_init(&t->mutex);
    mutex_lock(&t->mutex);
    CDS_INIT_LIST_HEAD(&t->lru);
    t->age_ms = (int64_t) DEFAULT_AGE_S * 1000;
    t->stats.max = DEFAULT_ENTRIES;
    mutex_unlock(&t->mutex);
    return t;
}

void
mac_table_destroy(struct mac_table *t)
{
    struct mac_entry *e, *next;

    if (!t) {
        return;
    }
    mutex_lock(&t->mutex);
    cds_list_for_each_entry_safe(e, next, &t->lru, lru_node)
    {
        remove__(t, e);
    }
    mutex_unlock(&t->mutex);
    mutex_destroy(&t->mutex);
    free(t);
}

void
mac_table_set_limits(struct mac_table *t, int age_s, uint32_t max)
{
    mutex_lock(&t->mutex);
    t->age_ms = (int64_t) MAX(age_s, MIN_AGE_S) * 1000;
    t->stats.max = MAX(max, MIN_ENTRIES);
    shrink__(t, t->stats.max);
    mutex_unlock(&t->mutex);
}

static void
refresh__(struct mac_table *t, struct mac_entry *e, int64_t used_ms) REQUIRES(t->mutex)
{
    if (used_ms >= e->used_ms) {
        e->used_ms = used_ms;
        cds_list_del(&e->lru_node);
        cds_list_add_tail(&e->lru_node, &t->lru);
    }
}

static enum mac_learn
learn__(struct mac_table *t, uint64_t key, uint32_t bundle, int64_t used_ms, bool fresh)
    REQUIRES(t->mutex)
{
    struct mac_entry *e = find__(t, key);

    if (!e) {
        if (!insert__(t, key, bundle, used_ms)) {
            return MAC_LEARN_REFUSED;
        }
        t->stats.n_learned++;
        COVERAGE_INC(mac_table_learned);
        return MAC_LEARN_NEW;
    }
    if (e->is_static) {
        return e->bundle == bundle ? MAC_LEARN_SAME : MAC_LEARN_REFUSED;
    }
    if (e->bundle == bundle) {
        refresh__(t, e, used_ms);
        return MAC_LEARN_SAME;
    }
    if (!fresh && used_ms <= e->used_ms) {
        return MAC_LEARN_REFUSED;
    }
    e->bundle = bundle;
    refresh__(t, e, used_ms);
    t->stats.n_moved++;
    COVERAGE_INC(mac_table_moved);
    return MAC_LEARN_MOVED;
}

enum mac_learn
mac_table_learn(struct mac_table *t, uint16_t vlan, struct eth_addr mac, uint32_t bundle,
                int64_t used_ms, bool fresh)
{
    enum mac_learn result;

    mutex_lock(&t->mutex);
    result = learn__(t, make_key(vlan, mac), bundle, used_ms, fresh);
    mutex_unlock(&t->mutex);
    return result;
}

bool
mac_table_lookup(struct mac_table *t, uint16_t vlan, struct eth_addr mac, uint32_t *bundle)
{
    const struct mac_entry *e;

    mutex_lock(&t->mutex);
    e = find__(t, make_key(vlan, mac));
    if (e) {
        *bundle = e->bundle;
    }
    mutex_unlock(&t->mutex);
    return e != NULL;
}

bool
mac_table_add_static(struct mac_table *t, uint16_t vlan, struct eth_addr mac, uint32_t bundle,
                     int64_t now_ms)
{
    uint64_t key = make_key(vlan, mac);
    struct mac_entry *e;

    mutex_lock(&t->mutex);
    e = find__(t, key);
    if (!e) {
        e = insert__(t, key, bundle, now_ms);
    }
    if (e) {
        e->bundle = bundle;
        t->stats.n_static += !e->is_static;
        e->is_static = true;
    }
    mutex_unlock(&t->mutex);
    return e != NULL;
}

bool
mac_table_find_static(struct mac_table *t, uint16_t vlan, struct eth_addr mac, uint32_t *bundle)
{
    const struct mac_entry *e;
    bool found;

    mutex_lock(&t->mutex);
    e = find__(t, make_key(vlan, mac));
    found = e && e->is_static;
    if (found) {
        *bundle = e->bundle;
    }
    mutex_unlock(&t->mutex);
    return found;
}

bool
mac_table_del_static(struct mac_table *t, uint16_t vlan, struct eth_addr mac)
{
    struct mac_entry *e;
    bool found;

    mutex_lock(&t->mutex);
    e = find__(t, make_key(vlan, mac));
    found = e && e->is_static;
    if (found) {
        remove__(t, e);
    }
    mutex_unlock(&t->mutex);
    return found;
}

unsigned
mac_table_expire(struct mac_table *t, int64_t now_ms)
{
    struct mac_entry *e, *next;
    unsigned n = 0;

    mutex_lock(&t->mutex);
    cds_list_for_each_entry_safe(e, next, &t->lru, lru_node)
    {
        if (!e->is_static && now_ms - e->used_ms >= t->age_ms) {
            remove__(t, e);
            n++;
        }
    }
    t->stats.n_expired += n;
    mutex_unlock(&t->mutex);
    if (n) {
        COVERAGE_ADD(mac_table_expired, n);
    }
    return n;
}

unsigned
mac_table_flush(struct mac_table *t)
{
    struct mac_entry *e, *next;
    unsigned n = 0;

    mutex_lock(&t->mutex);
    cds_list_for_each_entry_safe(e, next, &t->lru, lru_node)
    {
        if (!e->is_static) {
            remove__(t, e);
            n++;
        }
    }
    mutex_unlock(&t->mutex);
    return n;
}

unsigned
mac_table_forget_bundle(struct mac_table *t, uint32_t bundle)
{
    struct mac_entry *e, *next;
    unsigned n = 0;

    mutex_lock(&t->mutex);
    cds_list_for_each_entry_safe(e, next, &t->lru, lru_node)
    {
        if (e->bundle == bundle) {
            remove__(t, e);
            n++;
        }
    }
    mutex_unlock(&t->mutex);
    return n;
}

void
mac_table_get_stats(struct mac_table *t, struct mac_table_stats *stats)
{
    mutex_lock(&t->mutex);
    *stats = t->stats;
    mutex_unlock(&t->mutex);
}

void
mac_table_clear_stats(struct mac_table *t)
{
    mutex_lock(&t->mutex);
    t->stats.n_learned = t->stats.n_expired = t->stats.n_evicted = t->stats.n_moved = 0;
    mutex_unlock(&t->mutex);
}

struct mac_info *
mac_table_dump(struct mac_table *t, size_t *n)
{
    struct mac_info *infos = NULL;
    const struct mac_entry *e;

    *n = 0;
    mutex_lock(&t->mutex);
    if (t->stats.n) {
        infos = xcalloc(t->stats.n, sizeof *infos);
        cds_list_for_each_entry(e, &t->lru, lru_node)
        {
            infos[(*n)++] = (struct mac_info){
                .mac = eth_addr_from_u64(e->key & UINT64_C(0xffffffffffff)),
                .vlan = (uint16_t) (e->key >> 48),
                .is_static = e->is_static,
                .bundle = e->bundle,
                .used_ms = e->used_ms,
            };
        }
    }
    mutex_unlock(&t->mutex);
    return infos;
}
