/* SPDX-License-Identifier: Apache-2.0 */
/* The fast path: a batch from an rx queue goes through key extraction, the exact-match cache,
 * the signature cache and the megaflow table; packets gather by megaflow, and its actions run
 * once per group.  What nothing matches is translated, here, on the polling thread (COLD part
 * below). It must not know of bridges, nor of what translation does. */

#include <netinet/in.h>
#include <stdlib.h>

#include "datapath/dp-private.h"
#include "flow/flow-simple.h"
#include "log/coverage.h"
#include "os/clock.h"
#include "packet/packet-ops.h"

COVERAGE_DEFINE(drop_datapath_upcall_error);
COVERAGE_DEFINE(datapath_flow_limit);
COVERAGE_DEFINE(drop_datapath_recirc_passes);

#define PREFETCH_AHEAD 4u

/* xorshift32 (Marsaglia 2003): to choose which packets enter the exact-match cache. */
static ALWAYS_INLINE uint32_t
pmd_random(struct pmd *pmd)
{
    uint32_t x = pmd->rng;

    x ^= x << 13;
    x ^= x >> 17;
    x ^= x << 5;
    return pmd->rng = x;
}

static ALWAYS_INLINE uint16_t
key_tcp_flags(const struct flow_key *k)
{
    struct flow_l4 l4;

    if (!(k->sections & FS_BIT(FS_L4))) {
        return 0;
    }
    memcpy(&l4, &k->w[mf_section_ofs[k->sections & MF_SECTIONS][FS_L4]], sizeof l4);
    return ntohs(l4.tcp_flags_be);
}

static ALWAYS_INLINE void
group_add(struct pmd *pmd, struct dp_flow *f, const struct flow_key *k, struct packet *p)
{
    struct group *g;

    if (f->group < pmd->n_groups && pmd->groups[f->group].flow == f) {
        g = &pmd->groups[f->group];
    } else {
        f->group = pmd->n_groups;
        g = &pmd->groups[pmd->n_groups++];
        g->flow = f;
        g->n_bytes = 0;
        g->tcp_flags = 0;
        g->batch.n = 0;
    }
    g->n_bytes += p->len;
    g->tcp_flags |= key_tcp_flags(k);
    packet_batch_add(&g->batch, p);
}

/* Packets of one flow, counted and sent on their way. */
static ALWAYS_INLINE void
flow_execute(struct pmd *pmd, struct dp_flow *f, struct packet_batch *b, uint64_t n_bytes,
             uint16_t tcp_flags)
{
    uint64_t n = atomic_load_explicit(&f->n_packets, memory_order_relaxed);
    uint64_t bytes = atomic_load_explicit(&f->n_bytes, memory_order_relaxed);

    atomic_store_explicit(&f->n_packets, n + b->n, memory_order_relaxed);
    atomic_store_explicit(&f->n_bytes, bytes + n_bytes, memory_order_relaxed);
    atomic_store_explicit(&f->used_ms, pmd->now_ms, memory_order_relaxed);
    if (tcp_flags) {
        uint16_t flags = atomic_load_explicit(&f->tcp_flags, memory_order_relaxed);

        atomic_store_explicit(&f->tcp_flags, flags | tcp_flags, memory_order_relaxed);
    }
    dp_execute(pmd, megaflow_actions(f), b);
}

static void
groups_execute(struct pmd *pmd)
{
    for (unsigned i = 0; i < pmd->n_groups; i++) {
        struct group *g = &pmd->groups[i];

        flow_execute(pmd, g->flow, &g->batch, g->n_bytes, g->tcp_flags);
    }
    pmd->n_groups = 0;
}

/* Puts what a slower stage found into the faster ones. */
static ALWAYS_INLINE void
caches_fill(struct pmd *pmd, bool emc, const struct flow_key *k, struct dp_flow *f)
{
    uint32_t threshold = atomic_load_explicit(&dp_config.emc_threshold, memory_order_relaxed);

    if (emc && threshold && pmd_random(pmd) <= threshold) {
        emc_insert(&pmd->emc, k, f);
    }
}

struct lookup_counts {
    unsigned emc, smc, megaflow, subtables;
};

static ALWAYS_INLINE struct dp_flow *
lookup(struct pmd *pmd, bool emc, bool smc, const struct flow_key *k, struct lookup_counts *c)
{
    struct dp_flow *f;
    unsigned n_looked = 0;
    uint16_t id = 0;

    if (LIKELY(emc)) {
        f = emc_lookup(&pmd->emc, k);
        if (LIKELY(f)) {
            c->emc++;
            return f;
        }
    }
    if (smc) {
        f = smc_lookup(&pmd->smc, &pmd->flows, k);
        if (f) {
            c->smc++;
            caches_fill(pmd, emc, k, f);
            return f;
        }
    }
    f = megaflow_lookup(&pmd->flows, k, &n_looked, &id);
    if (f) {
        c->megaflow++;
        c->subtables += n_looked;
        if (smc && id) {
            smc_insert(&pmd->smc, k, id);
        }
        caches_fill(pmd, emc, k, f);
    }
    return f;
}

/* Translates the flow of a packet and executes the answer, installing it first if that makes
 * sense.  Takes the packet. */
static COLD void
miss_translate(struct pmd *pmd, bool emc, const struct flow_key *k, struct packet *p)
{
    struct dp *dp = pmd->dp;
    struct dp_translation t = {.cookie = NULL};
    uint64_t start = clock_cycles();
    struct flow flow;
    struct dp_flow *f = NULL;
    bool ok, existed;

    flow_key_expand(k, &flow);
    ok = dp->ops.translate(dp->ops.aux, &flow, p, &t);
    pmd_stat_add(&pmd->stats, PMD_STAT_UPCALL_CYCLES, clock_cycles() - start);
    if (!ok || !t.actions) {
        pmd_stat_add(&pmd->stats, PMD_STAT_LOST, 1);
        COVERAGE_INC(drop_datapath_upcall_error);
        packet_free(p);
        return;
    }
    pmd_stat_add(&pmd->stats, PMD_STAT_MISS, 1);
    t.mask.meta.in_port = UINT32_MAX; /* deletion of a port relies on it */
    if (!t.dont_install) {
        if (atomic_load_explicit(&dp->owner.n_flows, memory_order_relaxed) <
            atomic_load_explicit(&dp->flow_limit, memory_order_relaxed)) {
            f = megaflow_insert(&pmd->flows, &flow, &t.mask, t.actions, t.cookie, pmd->now_ms,
                                &existed);
        } else {
            COVERAGE_INC(datapath_flow_limit);
        }
    }
    /* A megaflow's counters begin with the packet after the one that made it, as users know it
     * ("packets:0, used:never"); translation itself has accounted for this one. */
    {
        struct packet_batch one = {.n = 1, .pkts = {p}};

        dp_execute(pmd, t.actions, &one);
    }
    if (f && !existed) {
        caches_fill(pmd, emc, k, f);
        return;
    }
    /* Nobody but this packet needed the answer. */
    free(t.actions);
    if (t.cookie && dp->ops.cookie_free) {
        dp->ops.cookie_free(dp->ops.aux, t.cookie);
    }
}

/* The first packet of a new flow makes the megaflow that the others of the batch then match. */
static COLD NOINLINE void
process_misses(struct pmd *pmd, bool emc, struct packet *const *pkts,
               const struct flow_key *const *keys, unsigned n)
{
    struct lookup_counts c = {0};

    for (unsigned i = 0; i < n; i++) {
        struct dp_flow *f = lookup(pmd, false, false, keys[i], &c);

        if (f) {
            group_add(pmd, f, keys[i], pkts[i]);
        } else {
            miss_translate(pmd, emc, keys[i], pkts[i]);
        }
    }
    groups_execute(pmd);
    pmd_stat_add(&pmd->stats, PMD_STAT_MEGAFLOW_HIT, c.megaflow);
    pmd_stat_add(&pmd->stats, PMD_STAT_SUBTABLES, c.subtables);
}

/* The keys of the packets that a port received. */
static void
extract_received(struct pmd *pmd, const struct dp_port *port, struct packet_batch *b)
{
    unsigned n = b->n;

    for (unsigned i = 0; i < n; i++) {
        struct packet *p = b->pkts[i];

        if (i + PREFETCH_AHEAD < n) {
            __builtin_prefetch(packet_data(b->pkts[i + PREFETCH_AHEAD]));
        }
        p->in_port = port->port_no;
        flow_key_extract(p, &pmd->keys[i]);
        if (p->flags & PACKET_CSUM_PARTIAL_POSSIBLE) {
            packet_complete_csum(p);
        }
    }
}

/* The packets of the batch, whose keys are in pmd->keys, through caches and actions. */
static void
process_batch(struct pmd *pmd, bool emc, struct packet_batch *b)
{
    bool smc = atomic_load_explicit(&dp_config.smc, memory_order_relaxed);
    struct packet *miss[PACKET_BATCH_MAX];
    const struct flow_key *miss_key[PACKET_BATCH_MAX];
    struct lookup_counts c = {0};
    unsigned n_miss = 0, n = b->n;

    for (unsigned i = 0; i < n; i++) {
        struct dp_flow *f = lookup(pmd, emc, smc, &pmd->keys[i], &c);

        if (LIKELY(f)) {
            group_add(pmd, f, &pmd->keys[i], b->pkts[i]);
        } else {
            miss_key[n_miss] = &pmd->keys[i];
            miss[n_miss++] = b->pkts[i];
        }
    }
    groups_execute(pmd);
    if (UNLIKELY(n_miss)) {
        process_misses(pmd, emc, miss, miss_key, n_miss);
    }
    pmd_stat_add(&pmd->stats, PMD_STAT_EMC_HIT, c.emc);
    pmd_stat_add(&pmd->stats, PMD_STAT_SMC_HIT, c.smc);
    pmd_stat_add(&pmd->stats, PMD_STAT_MEGAFLOW_HIT, c.megaflow);
    pmd_stat_add(&pmd->stats, PMD_STAT_SUBTABLES, c.subtables);
    b->n = 0;
}

/* Of a packet that flow_simple_parse() has said yes to. */
static ALWAYS_INLINE bool
simple_csum_is_partial(const struct packet *p)
{
    bool tcp = packet_data(p)[p->l3_ofs + offsetof(struct ipv4_hdr, proto)] == IP_PROTO_TCP;

    return packet_csum_is_partial_v4(p, tcp ? offsetof(struct tcp_hdr, csum_be)
                                            : offsetof(struct udp_hdr, csum_be));
}

/* The short cut for a batch received on the port of the simple flow `f`: false, with the
 * packets as good as before, if one of them is not simple. */
static bool
process_simple(struct pmd *pmd, const struct dp_port *port, struct dp_flow *f,
               struct packet_batch *b)
{
    unsigned n = b->n;
    uint16_t tcp_flags = 0;
    uint64_t n_bytes = 0;

    for (unsigned i = 0; i < n; i++) {
        struct packet *p = b->pkts[i];

        if (UNLIKELY(!flow_simple_parse(p, &tcp_flags))) {
            return false;
        }
        p->in_port = port->port_no;
        n_bytes += p->len;
        if (p->flags & PACKET_CSUM_PARTIAL_POSSIBLE && UNLIKELY(simple_csum_is_partial(p))) {
            packet_complete_csum(p);
        }
    }
    pmd_stat_add(&pmd->stats, PMD_STAT_SIMPLE_HIT, n);
    flow_execute(pmd, f, b, n_bytes, tcp_flags);
    return true;
}

/* A batch from a port, whole. */
static void
process_received(struct pmd *pmd, const struct dp_port *port, struct packet_batch *b)
{
    struct dp_flow *simple = simple_lookup(&pmd->simple, port->port_no);
    bool emc;

    if (simple && LIKELY(process_simple(pmd, port, simple, b))) {
        return;
    }
    emc = atomic_load_explicit(&port->emc, memory_order_relaxed) &&
          atomic_load_explicit(&dp_config.emc_threshold, memory_order_relaxed);
    extract_received(pmd, port, b);
    process_batch(pmd, emc, b);
    if (!simple && simple_is_due(&pmd->simple)) {
        simple_learn(&pmd->simple, port->port_no, &pmd->flows, &pmd->keys[0]);
    }
}

/* In waves: what a wave recirculates makes the next. */
COLD NOINLINE void
pmd_recirculate(struct pmd *pmd)
{
    struct packet *wave[PMD_RECIRC_MAX];

    for (unsigned pass = 0; pmd->n_recirc; pass++) {
        unsigned n = pmd->n_recirc;

        memcpy(wave, pmd->recirc, n * sizeof wave[0]);
        pmd->n_recirc = 0;
        for (unsigned i = 0; i < n;) {
            struct packet_batch b = {.n = 0};

            for (; i < n && !packet_batch_full(&b); i++) {
                if (pass >= PMD_RECIRC_PASSES) {
                    COVERAGE_INC(drop_datapath_recirc_passes);
                    packet_free(wave[i]);
                } else {
                    flow_key_extract(wave[i], &pmd->keys[b.n]);
                    packet_batch_add(&b, wave[i]);
                }
            }
            pmd_stat_add(&pmd->stats, PMD_STAT_RECIRC, b.n);
            process_batch(pmd, false, &b);
        }
    }
}

unsigned
pmd_poll_rxq(struct pmd *pmd, struct dp_rxq *q)
{
    uint64_t start = clock_cycles(), cycles;
    struct packet_batch b;
    unsigned n;

    packet_batch_init(&b);
    n = netdev_rxq_recv(q->rx, &b);
    if (!n) {
        return 0;
    }
    b.n = n;
    pmd->now_ms = clock_now_ms();
    process_received(pmd, q->port, &b);
    pmd_stat_add(&pmd->stats, PMD_STAT_RECV, n);
    if (UNLIKELY(pmd->n_recirc)) {
        pmd_recirculate(pmd);
    }
    cycles = atomic_load_explicit(&q->cycles, memory_order_relaxed);
    atomic_store_explicit(&q->cycles, cycles + (clock_cycles() - start), memory_order_relaxed);
    return n;
}
