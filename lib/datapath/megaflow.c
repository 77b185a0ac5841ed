/* SPDX-License-Identifier: Apache-2.0 */
/* The megaflow table of a polling thread: see megaflow.h.  Lookup runs per packet on that
 * thread; deletion on the revalidator and main.  It must not know of ports, threads or
 * translation. */

#include "datapath/megaflow.h"

#include <stdlib.h>
#include <string.h>

#include "util/compiler.h"
#include "util/hash.h"
#include "util/xalloc.h"

#define MIN_BUCKETS 8u
#define WALK_HITS_MIN 64u /* halved at each ranking */

uint8_t mf_section_ofs[MF_SECTIONS + 1][FS_REGS];

__attribute__((constructor)) static void
section_ofs_init(void)
{
    for (unsigned sections = 0; sections <= MF_SECTIONS; sections++) {
        for (unsigned s = 0; s < FS_REGS; s++) {
            mf_section_ofs[sections][s] =
                (uint8_t) flow_key_section_ofs((uint16_t) sections, (enum flow_section) s);
        }
    }
}

void
megaflow_table_init(struct megaflow_table *t, struct megaflow_owner *owner)
{
    memset(t, 0, sizeof *t);
    t->owner = owner;
    mutex_init(&t->mutex);
    CDS_INIT_LIST_HEAD(&t->flows);
}

void
megaflow_table_flush(struct megaflow_table *t)
{
    struct cds_list_head *pos;

    cds_list_for_each_rcu(pos, &t->flows)
    {
        megaflow_delete(CONTAINER_OF(pos, struct dp_flow, node));
    }
}

static void
subtable_free_rcu(struct rcu_head *rcu)
{
    struct mf_subtable *st = CONTAINER_OF(rcu, struct mf_subtable, rcu);

    free(st->buckets);
    free(st);
}

void
megaflow_table_destroy(struct megaflow_table *t)
{
    for (unsigned i = 0; i < t->n_subtables; i++) {
        call_rcu(&t->subtables[i]->rcu, subtable_free_rcu);
    }
    free(t->subtables);
    mutex_destroy(&t->mutex);
}

/* One word more in a running hash, which ends with hash_end(): half of hash_mix64()'s latency,
 * of which there are several in a row. */
static ALWAYS_INLINE uint64_t
hash_word(uint64_t h, uint64_t word)
{
    h = (h ^ word) * UINT64_C(0x9e3779b97f4a7c15);
    return h ^ h >> 32;
}

static ALWAYS_INLINE uint64_t
hash_end(uint64_t h)
{
    return hash_mix64(h, 0);
}

static ALWAYS_INLINE bool
words_equal(const uint64_t *a, const uint64_t *b, unsigned n)
{
    uint64_t differ = 0;

    for (unsigned i = 0; i < n; i++) {
        differ |= a[i] ^ b[i];
    }
    return !differ;
}

/* The flow of a chain with that hash and those words, or NULL. */
static ALWAYS_INLINE struct dp_flow *
chain_find(struct dp_flow *f, uint64_t h, const uint64_t *m, unsigned n)
{
    while (f && (f->hash != h || !words_equal(f->w, m, n))) {
        f = __atomic_load_n(&f->next, __ATOMIC_ACQUIRE);
    }
    return f;
}

static ALWAYS_INLINE struct dp_flow *
subtable_lookup(const struct mf_subtable *st, const struct flow_key *k, const uint8_t *row)
{
    uint64_t m[FLOW_KEY_MAX_WORDS];
    uint64_t h = st->care;
    unsigned n = st->n_words;
    struct dp_flow *f;

    for (unsigned i = 0; i < n; i++) {
        m[i] = k->w[row[st->sec[i]] + st->word[i]] & st->mask[i];
        h = hash_word(h, m[i]);
    }
    h = hash_end(h);
    f = __atomic_load_n(&st->buckets[h & st->bucket_mask], __ATOMIC_ACQUIRE);
    return chain_find(f, h, m, n);
}

struct dp_flow *
megaflow_lookup(struct megaflow_table *t, const struct flow_key *k, unsigned *n_looked,
                uint16_t *id)
{
    const uint8_t *row = mf_section_ofs[k->sections & MF_SECTIONS];

    for (unsigned i = 0; i < t->n_subtables; i++) {
        struct mf_subtable *st = t->subtables[i];
        struct dp_flow *f;

        if ((k->sections & st->care) != st->value) {
            continue;
        }
        ++*n_looked;
        f = subtable_lookup(st, k, row);
        if (f) {
            st->hits++;
            *id = st->id;
            return f;
        }
    }
    return NULL;
}

/* Several keys on their way through a subtable. */
struct pass {
    unsigned n;
    uint8_t who[MF_BATCH]; /* indices of the keys that it may match */
    uint64_t hash[MF_BATCH];
    struct dp_flow *f[MF_BATCH];
    uint64_t m[MF_BATCH][FLOW_KEY_MAX_WORDS];
};

/* The keys' words under the subtable's mask, and their hashes; has the buckets fetched. */
static void
pass_hash(struct pass *ps, const struct mf_subtable *st, const struct flow_key *const *keys)
{
    unsigned n_words = st->n_words, of = UINT32_MAX;
    uint8_t ofs[FLOW_KEY_MAX_WORDS];

    for (unsigned i = 0; i < ps->n; i++) {
        const struct flow_key *k = keys[ps->who[i]];
        uint64_t h = st->care;

        if (UNLIKELY(k->sections != of)) { /* packets of one kind come together */
            const uint8_t *row = mf_section_ofs[k->sections & MF_SECTIONS];

            for (unsigned j = 0; j < n_words; j++) {
                ofs[j] = (uint8_t) (row[st->sec[j]] + st->word[j]);
            }
            of = k->sections;
        }
        for (unsigned j = 0; j < n_words; j++) {
            ps->m[i][j] = k->w[ofs[j]] & st->mask[j];
            h = hash_word(h, ps->m[i][j]);
        }
        ps->hash[i] = hash_end(h);
        __builtin_prefetch(&st->buckets[ps->hash[i] & st->bucket_mask]);
    }
}

/* The flows at the heads of their chains, which are fetched. */
static void
pass_heads(struct pass *ps, const struct mf_subtable *st)
{
    for (unsigned i = 0; i < ps->n; i++) {
        struct dp_flow *f =
            __atomic_load_n(&st->buckets[ps->hash[i] & st->bucket_mask], __ATOMIC_ACQUIRE);

        ps->f[i] = f;
        if (f) {
            megaflow_prefetch(f);
            __builtin_prefetch(f->w);
        }
    }
}

/* NULL for what is in no chain. */
static void
pass_chains(struct pass *ps, const struct mf_subtable *st)
{
    for (unsigned i = 0; i < ps->n; i++) {
        ps->f[i] = chain_find(ps->f[i], ps->hash[i], ps->m[i], st->n_words);
    }
}

void
megaflow_lookup_batch(struct megaflow_table *t, const struct flow_key *const *keys, unsigned n,
                      struct dp_flow **flows, unsigned *n_looked, uint16_t *ids)
{
    uint8_t left[MF_BATCH]; /* keys that nothing has matched yet */
    unsigned n_left = n;
    struct pass ps;

    for (unsigned i = 0; i < n; i++) {
        left[i] = (uint8_t) i;
        flows[i] = NULL;
        n_looked[i] = 0;
    }
    for (unsigned s = 0; s < t->n_subtables && n_left; s++) {
        struct mf_subtable *st = t->subtables[s];
        unsigned n_still = 0;

        ps.n = 0;
        for (unsigned i = 0; i < n_left; i++) {
            uint8_t who = left[i];

            if ((keys[who]->sections & st->care) == st->value) {
                ps.who[ps.n++] = who;
                n_looked[who]++;
            } else {
                left[n_still++] = who;
            }
        }
        pass_hash(&ps, st, keys);
        pass_heads(&ps, st);
        pass_chains(&ps, st);
        for (unsigned i = 0; i < ps.n; i++) {
            uint8_t who = ps.who[i];

            if (ps.f[i]) {
                st->hits++;
                flows[who] = ps.f[i];
                ids[who] = st->id;
            } else {
                left[n_still++] = who;
            }
        }
        n_left = n_still;
    }
}

struct dp_flow *
megaflow_lookup_in(struct megaflow_table *t, uint16_t id, const struct flow_key *k)
{
    struct mf_subtable *st = t->by_id[id % MF_IDS];
    struct dp_flow *f;

    if (!st || (k->sections & st->care) != st->value) {
        return NULL;
    }
    f = subtable_lookup(st, k, mf_section_ofs[k->sections & MF_SECTIONS]);
    if (f) {
        st->hits++;
    }
    return f;
}

/* Fills in what a flow's mask asks for. */
static void
subtable_describe(struct mf_subtable *st, const struct flow *flow, const struct flow *mask)
{
    const flow_word *m = (const void *) mask;
    unsigned n = 0;

    memset(st, 0, sizeof *st);
    st->care = (uint16_t) (mask->sections & MF_SECTIONS);
    for (unsigned s = 0; s < FS_REGS; s++) {
        if (!(flow->sections & FS_BIT(s))) {
            continue;
        }
        for (unsigned i = 0; i < flow_section_words[s]; i++) {
            uint64_t word = m[flow_section_flow_ofs[s] + i];

            if (word) {
                st->sec[n] = (uint8_t) s;
                st->word[n] = (uint8_t) i;
                st->mask[n++] = word;
                st->care |= (uint16_t) FS_BIT(s);
            }
        }
    }
    st->n_words = (uint16_t) n;
    st->value = (uint16_t) (flow->sections & st->care);
}

static bool
subtable_same(const struct mf_subtable *a, const struct mf_subtable *b)
{
    return a->care == b->care && a->value == b->value && a->n_words == b->n_words &&
           !memcmp(a->sec, b->sec, sizeof a->sec) &&
           !memcmp(a->word, b->word, sizeof a->word) &&
           !memcmp(a->mask, b->mask, sizeof a->mask);
}

static struct mf_subtable *
subtable_get__(struct megaflow_table *t, const struct mf_subtable *want)
{
    struct mf_subtable *st;

    for (unsigned i = 0; i < t->n_subtables; i++) {
        if (subtable_same(t->subtables[i], want)) {
            return t->subtables[i];
        }
    }
    st = xmemdup(want, sizeof *want);
    st->buckets = xcalloc(MIN_BUCKETS, sizeof *st->buckets);
    st->bucket_mask = MIN_BUCKETS - 1;
    for (uint16_t id = 1; id < MF_IDS; id++) {
        if (!t->by_id[id]) {
            t->by_id[id] = st;
            st->id = id;
            break;
        }
    }
    if (t->n_subtables >= t->cap) {
        t->cap = t->cap ? t->cap * 2 : 8;
        t->subtables = xrealloc(t->subtables, t->cap * sizeof *t->subtables);
    }
    t->subtables[t->n_subtables++] = st;
    return st;
}

/* Owner, mutex held: nobody else looks at the chains meanwhile. */
static void
subtable_grow__(struct mf_subtable *st)
{
    uint32_t n = (st->bucket_mask + 1) * 2;
    struct dp_flow **buckets = xcalloc(n, sizeof *buckets);

    for (uint32_t i = 0; i <= st->bucket_mask; i++) {
        struct dp_flow *f = st->buckets[i], *next;

        for (; f; f = next) {
            next = f->next;
            f->next = buckets[f->hash & (n - 1)];
            buckets[f->hash & (n - 1)] = f;
        }
    }
    free(st->buckets);
    st->buckets = buckets;
    st->bucket_mask = n - 1;
}

static struct dp_flow *
flow_new(struct megaflow_table *t, const struct mf_subtable *want, const struct flow *flow)
{
    const flow_word *w = (const void *) flow;
    uint16_t sections = (uint16_t) (flow->sections & MF_SECTIONS);
    unsigned n = flow_key_section_ofs(sections, FS_REGS);
    struct dp_flow *f = xzalloc_cacheline(sizeof *f + (want->n_words + n) * sizeof f->w[0]);
    uint64_t *origin = &f->w[want->n_words];

    f->origin_sections = sections;
    for (unsigned s = 0; s < FS_REGS; s++) {
        if (sections & FS_BIT(s)) {
            memcpy(origin, &w[flow_section_flow_ofs[s]], flow_section_words[s] * 8u);
            origin += flow_section_words[s];
        }
    }
    f->hash = want->care;
    for (unsigned i = 0; i < want->n_words; i++) {
        f->w[i] = w[flow_section_flow_ofs[want->sec[i]] + want->word[i]] & want->mask[i];
        f->hash = hash_word(f->hash, f->w[i]);
    }
    f->hash = hash_end(f->hash);
    f->table = t;
    f->owner = t->owner;
    atomic_init(&f->refs, 1);
    return f;
}

static struct dp_flow *
chain_find__(const struct mf_subtable *st, const struct dp_flow *like)
{
    struct dp_flow *f = st->buckets[like->hash & st->bucket_mask];

    while (f && (f->hash != like->hash || memcmp(f->w, like->w, st->n_words * 8u))) {
        f = f->next;
    }
    return f;
}

struct dp_flow *
megaflow_insert(struct megaflow_table *t, const struct flow *flow, const struct flow *mask_,
                struct dp_actions *actions, void *cookie, int64_t now_ms, bool *existed)
{
    struct flow mask = *mask_;
    struct mf_subtable want, *st;
    struct dp_flow *f, *old, **head;

    flow_mask_clip(&mask, flow);
    subtable_describe(&want, flow, &mask);
    f = flow_new(t, &want, flow);

    mutex_lock(&t->mutex);
    st = subtable_get__(t, &want);
    old = chain_find__(st, f);
    if (old) {
        mutex_unlock(&t->mutex);
        free(f);
        *existed = true;
        return old;
    }
    if (st->n_flows > st->bucket_mask) {
        subtable_grow__(st);
    }
    f->subtable = st;
    f->actions = actions;
    atomic_init(&f->only_output, dp_actions_only_output(actions));
    f->cookie = cookie;
    f->created_ms = now_ms;
    head = &st->buckets[f->hash & st->bucket_mask];
    f->next = *head;
    __atomic_store_n(head, f, __ATOMIC_RELEASE);
    st->n_flows++;
    cds_list_add_rcu(&f->node, &t->flows);
    mutex_unlock(&t->mutex);

    atomic_fetch_add_explicit(&t->n_flows, 1, memory_order_relaxed);
    atomic_fetch_add_explicit(&t->owner->n_flows, 1, memory_order_relaxed);
    *existed = false;
    return f;
}

void
megaflow_unref(struct dp_flow *f)
{
    if (atomic_fetch_sub_explicit(&f->refs, 1, memory_order_acq_rel) == 1) {
        free(f);
    }
}

/* After a grace period: only exact-match entries may still hold it, and they look at nothing
 * but `dead`. */
static void
flow_reclaim_rcu(struct rcu_head *rcu)
{
    struct dp_flow *f = CONTAINER_OF(rcu, struct dp_flow, rcu);

    if (f->cookie && f->owner->cookie_free) {
        f->owner->cookie_free(f->owner->aux, f->cookie);
    }
    free(__atomic_load_n(&f->actions, __ATOMIC_ACQUIRE));
    f->actions = NULL;
    megaflow_unref(f);
}

void
megaflow_delete(struct dp_flow *f)
{
    struct megaflow_table *t = f->table;
    struct mf_subtable *st;
    struct dp_flow **link;

    mutex_lock(&t->mutex);
    if (atomic_load_explicit(&f->dead, memory_order_relaxed)) {
        mutex_unlock(&t->mutex);
        return;
    }
    st = f->subtable;
    link = &st->buckets[f->hash & st->bucket_mask];
    while (*link != f) {
        link = &(*link)->next;
    }
    __atomic_store_n(link, f->next, __ATOMIC_RELEASE);
    cds_list_del_rcu(&f->node);
    /* Release pairs with the acquire in megaflow_is_dead(). */
    atomic_store_explicit(&f->dead, true, memory_order_release);
    atomic_fetch_sub_explicit(&t->n_flows, 1, memory_order_relaxed);
    atomic_fetch_sub_explicit(&t->owner->n_flows, 1, memory_order_relaxed);
    atomic_fetch_add_explicit(&t->n_deaths, 1, memory_order_relaxed);
    if (!--st->n_flows) {
        atomic_store_explicit(&t->has_empty, true, memory_order_relaxed);
    }
    mutex_unlock(&t->mutex);
    call_rcu(&f->rcu, flow_reclaim_rcu);
}

struct dead_actions {
    struct rcu_head rcu;
    struct dp_actions *actions;
};

static void
actions_free_rcu(struct rcu_head *rcu)
{
    struct dead_actions *d = CONTAINER_OF(rcu, struct dead_actions, rcu);

    free(d->actions);
    free(d);
}

void
megaflow_set_actions(struct dp_flow *f, struct dp_actions *actions)
{
    struct dead_actions *d = xmalloc(sizeof *d);

    atomic_store_explicit(&f->only_output, dp_actions_only_output(actions),
                          memory_order_relaxed);
    d->actions = __atomic_exchange_n(&f->actions, actions, __ATOMIC_ACQ_REL);
    call_rcu(&d->rcu, actions_free_rcu);
}

void
megaflow_get_match(const struct dp_flow *f, struct flow *match, struct flow *mask)
{
    const struct mf_subtable *st = f->subtable;
    flow_word *fw = (void *) match, *mw = (void *) mask;

    memset(match, 0, sizeof *match);
    memset(mask, 0, sizeof *mask);
    for (unsigned i = 0; i < st->n_words; i++) {
        unsigned ofs = flow_section_flow_ofs[st->sec[i]] + st->word[i];

        fw[ofs] = f->w[i];
        mw[ofs] = st->mask[i];
    }
    match->sections = st->value;
    mask->sections = st->care;
}

void
megaflow_get_origin(const struct dp_flow *f, struct flow *flow)
{
    const uint64_t *origin = &f->w[f->subtable->n_words];
    flow_word *w = (void *) flow;

    memset(flow, 0, sizeof *flow);
    for (unsigned s = 0; s < FS_REGS; s++) {
        if (f->origin_sections & FS_BIT(s)) {
            memcpy(&w[flow_section_flow_ofs[s]], origin, flow_section_words[s] * 8u);
            origin += flow_section_words[s];
        }
    }
    flow->sections = f->origin_sections;
}

static int
compare_hits(const void *a_, const void *b_)
{
    const struct mf_subtable *const *a = a_, *const *b = b_;

    return (*a)->hits > (*b)->hits ? -1 : (*a)->hits < (*b)->hits;
}

/* Of the subtables in the order that the next lookups take.  Too few hits say nothing. */
static void
measure_walk(struct megaflow_table *t)
{
    uint64_t hits = 0, looked = 0;

    for (unsigned i = 0; i < t->n_subtables; i++) {
        hits += t->subtables[i]->hits;
        looked += t->subtables[i]->hits * (i + 1);
    }
    if (hits >= WALK_HITS_MIN) {
        t->walk16 = (uint32_t) (looked * 16 / hits);
    }
}

void
megaflow_maintain(struct megaflow_table *t)
{
    unsigned n = 0;

    if (atomic_exchange_explicit(&t->has_empty, false, memory_order_relaxed)) {
        mutex_lock(&t->mutex);
        for (unsigned i = 0; i < t->n_subtables; i++) {
            struct mf_subtable *st = t->subtables[i];

            if (st->n_flows) {
                t->subtables[n++] = st;
                continue;
            }
            t->by_id[st->id] = NULL;
            call_rcu(&st->rcu, subtable_free_rcu);
        }
        t->n_subtables = n;
        mutex_unlock(&t->mutex);
    }
    if (t->n_subtables > 1) {
        qsort(t->subtables, t->n_subtables, sizeof *t->subtables, compare_hits);
    }
    measure_walk(t);
    for (unsigned i = 0; i < t->n_subtables; i++) {
        t->subtables[i]->hits /= 2;
    }
}
