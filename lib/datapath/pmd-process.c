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
        __builtin_prefetch(megaflow_actions(f));
    }
    g->n_bytes += p->len;
    g->tcp_flags |= key_tcp_flags(k);
    packet_batch_add(&g->batch, p);
}

static ALWAYS_INLINE void
flow_count(struct pmd *pmd, struct dp_flow *f, unsigned n_packets, uint64_t n_bytes,
           uint16_t tcp_flags)
{
    uint64_t n = atomic_load_explicit(&f->n_packets, memory_order_relaxed);
    uint64_t bytes = atomic_load_explicit(&f->n_bytes, memory_order_relaxed);

    atomic_store_explicit(&f->n_packets, n + n_packets, memory_order_relaxed);
    atomic_store_explicit(&f->n_bytes, bytes + n_bytes, memory_order_relaxed);
    atomic_store_explicit(&f->used_ms, pmd->now_ms, memory_order_relaxed);
    if (tcp_flags) {
        uint16_t flags = atomic_load_explicit(&f->tcp_flags, memory_order_relaxed);

        atomic_store_explicit(&f->tcp_flags, flags | tcp_flags, memory_order_relaxed);
    }
}

/* The port that the flow outputs to, if it does nothing else; NULL: its actions must be looked
 * at. */
static ALWAYS_INLINE struct dp_port *
flow_only_port(const struct pmd *pmd, uint32_t only_output)
{
    struct dp_port *port =
        only_output == DP_PORT_NONE ? NULL : dp_port_lookup(pmd->dp, only_output);

    return port && LIKELY(port->n_txq) ? port : NULL;
}

/* Where the last packet that was only output has gone: where the next one goes, often. */
struct output {
    struct dp_port *port; /* NULL: nowhere yet */
    struct stage_slot *slot;
};

/* Outputs a packet of the flow; false: the flow does something else, or not even that.
 * `partial`: its checksum may be marked as half-done. */
static ALWAYS_INLINE bool
output_add(struct pmd *pmd, struct output *o, const struct dp_flow *f, struct packet *p,
           bool partial)
{
    uint32_t no = atomic_load_explicit(&f->only_output, memory_order_relaxed);

    if (UNLIKELY(!o->port || o->port->port_no != no)) {
        o->port = flow_only_port(pmd, no);
        if (UNLIKELY(!o->port)) {
            return false;
        }
        o->slot = stage_slot(pmd, o->port);
    }
    if (partial && !o->port->tx_csum) {
        packet_settle_csum(p);
    }
    stage_add(pmd, o->slot, p);
    return true;
}

static ALWAYS_INLINE struct dp_port *
flow_port(const struct pmd *pmd, const struct dp_flow *f)
{
    return flow_only_port(pmd, atomic_load_explicit(&f->only_output, memory_order_relaxed));
}

/* Packets of one flow, counted and sent on their way: to `port`, by flow_port(), if that is
 * all. */
static ALWAYS_INLINE void
flow_execute(struct pmd *pmd, struct dp_flow *f, struct dp_port *port, struct packet_batch *b,
             uint64_t n_bytes, uint16_t tcp_flags)
{
    flow_count(pmd, f, b->n, n_bytes, tcp_flags);
    if (LIKELY(port)) {
        stage_put_batch(pmd, port, b);
    } else {
        dp_execute(pmd, megaflow_actions(f), b);
    }
}

static void
groups_execute(struct pmd *pmd)
{
    for (unsigned i = 0; i < pmd->n_groups; i++) {
        struct group *g = &pmd->groups[i];

        flow_execute(pmd, g->flow, flow_port(pmd, g->flow), &g->batch, g->n_bytes,
                     g->tcp_flags);
    }
    pmd->n_groups = 0;
}

/* Puts what a slower stage found into the faster ones. */
static ALWAYS_INLINE void
caches_fill(struct pmd *pmd, bool emc, const struct flow_key *k, struct dp_flow *f)
{
    uint32_t threshold = atomic_load_explicit(&dp_config.emc_threshold, memory_order_relaxed);

    if (emc && pmd_random(pmd) <= threshold) {
        emc_insert(&pmd->emc, k, f);
    }
}

struct lookup_counts {
    unsigned emc, smc, megaflow, subtables;
};

/* Looks for what the exact-match cache did not have: `todo` are indices into pmd->keys, `flow`
 * is by them. */
static void
lookup_slow(struct pmd *pmd, bool emc, bool smc, const uint8_t *todo, unsigned n,
            struct dp_flow **flow, struct lookup_counts *c)
{
    const struct flow_key *keys[PACKET_BATCH_MAX];
    struct dp_flow *found[PACKET_BATCH_MAX];
    unsigned n_looked[PACKET_BATCH_MAX], n_keys = 0;
    uint16_t ids[PACKET_BATCH_MAX];
    uint8_t who[PACKET_BATCH_MAX];

    for (unsigned i = 0; i < n; i++) {
        const struct flow_key *k = &pmd->keys[todo[i]];
        struct dp_flow *f = smc ? smc_lookup(&pmd->smc, &pmd->flows, k) : NULL;

        flow[todo[i]] = f;
        if (f) {
            c->smc++;
            caches_fill(pmd, emc, k, f);
        } else {
            who[n_keys] = todo[i];
            keys[n_keys++] = k;
        }
    }
    megaflow_lookup_batch(&pmd->flows, keys, n_keys, found, n_looked, ids);
    for (unsigned i = 0; i < n_keys; i++) {
        if (LIKELY(found[i])) {
            flow[who[i]] = found[i];
            c->megaflow++;
            c->subtables += n_looked[i];
            if (smc && ids[i]) {
                smc_insert(&pmd->smc, keys[i], ids[i]);
            }
            caches_fill(pmd, emc, keys[i], found[i]);
        }
    }
}

/* The flow of each of the `n` keys in pmd->keys, NULL where there is none.  In passes over all
 * of them, each of which has fetched what the next one reads. */
static void
lookup_batch(struct pmd *pmd, bool emc, bool smc, unsigned n, struct dp_flow **flow,
             struct lookup_counts *c)
{
    uint8_t todo[PACKET_BATCH_MAX];
    unsigned n_todo = 0;

    if (LIKELY(emc)) {
        for (unsigned i = 0; i < n; i++) {
            flow[i] = emc_find(&pmd->emc, &pmd->keys[i]);
            if (flow[i]) {
                megaflow_prefetch(flow[i]);
            } else {
                todo[n_todo++] = (uint8_t) i;
            }
        }
        for (unsigned i = 0; i < n; i++) {
            if (flow[i] && UNLIKELY(megaflow_is_dead(flow[i]))) {
                todo[n_todo++] = (uint8_t) i;
            }
        }
        c->emc = n - n_todo;
    } else {
        for (; n_todo < n; n_todo++) {
            todo[n_todo] = (uint8_t) n_todo;
        }
    }
    if (n_todo) {
        lookup_slow(pmd, emc, smc, todo, n_todo, flow, c);
    }
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
        unsigned n_looked = 0;
        uint16_t id;
        struct dp_flow *f = megaflow_lookup(&pmd->flows, keys[i], &n_looked, &id);

        if (f) {
            c.megaflow++;
            c.subtables += n_looked;
            group_add(pmd, f, keys[i], pkts[i]);
        } else {
            miss_translate(pmd, emc, keys[i], pkts[i]);
        }
    }
    groups_execute(pmd);
    pmd_stat_add(&pmd->stats, PMD_STAT_MEGAFLOW_HIT, c.megaflow);
    pmd_stat_add(&pmd->stats, PMD_STAT_SUBTABLES, c.subtables);
}

/* A half-done checksum may stay so on the way from one port to another and nowhere else, if the
 * other one's device takes that.  Where there are such devices it is marked here, and completed
 * as soon as it turns out to go elsewhere, or to be changed; true: marked. */
static COLD NOINLINE bool
partial_csum_found(struct packet *p)
{
    if (netdev_any_tx_csum()) {
        return packet_mark_partial_csum(p);
    }
    packet_complete_csum(p);
    return false;
}

static COLD NOINLINE void
settle_batch(struct packet_batch *b)
{
    for (unsigned i = 0; i < b->n; i++) {
        packet_settle_csum(b->pkts[i]);
    }
}

/* The keys of the packets that a port received.  True: some checksums are marked as half-done.
 */
static bool
extract_received(struct pmd *pmd, const struct dp_port *port, bool emc, struct packet_batch *b)
{
    unsigned n = b->n;
    bool partial = false;

    for (unsigned i = 0; i < n; i++) {
        struct packet *p = b->pkts[i];

        flow_key_extract_received(p, port->port_no, &pmd->keys[i]);
        if (LIKELY(emc)) {
            emc_prefetch(&pmd->emc, &pmd->keys[i]);
        }
        if (p->flags & PACKET_CSUM_PARTIAL_POSSIBLE &&
            UNLIKELY(packet_csum_may_be_partial(p))) {
            partial |= partial_csum_found(p);
        }
    }
    return partial;
}

/* Packets that wait for a look at the megaflow table. */
struct misses {
    struct packet *pkts[PACKET_BATCH_MAX];
    const struct flow_key *keys[PACKET_BATCH_MAX];
    unsigned n;
};

/* Each packet of the batch, whose keys are in pmd->keys, to where its flow says, or to the
 * misses.  `partial`: checksums of some may be marked as half-done, and are so of none but
 * those that are only output, to a port that takes that; the flow's word is taken once for
 * both. */
static ALWAYS_INLINE void
dispatch(struct pmd *pmd, const struct packet_batch *b, struct dp_flow *const *flow,
         struct misses *miss, bool partial)
{
    struct output out = {.port = NULL};

    for (unsigned i = 0; i < b->n; i++) {
        struct packet *p = b->pkts[i];

        /* What is only output needs no group, unless it may have to follow one of its own
         * flow, whose actions were others a moment ago. */
        if (LIKELY(flow[i]) && LIKELY(!pmd->n_groups) &&
            LIKELY(output_add(pmd, &out, flow[i], p, partial))) {
            flow_count(pmd, flow[i], 1, p->len, key_tcp_flags(&pmd->keys[i]));
            continue;
        }
        if (partial) {
            packet_settle_csum(p);
        }
        if (LIKELY(flow[i])) {
            group_add(pmd, flow[i], &pmd->keys[i], p);
        } else {
            miss->keys[miss->n] = &pmd->keys[i];
            miss->pkts[miss->n++] = p;
        }
    }
}

/* The packets of the batch, whose keys are in pmd->keys, through caches and actions.  `partial`
 * as in dispatch(). */
static void
process_batch(struct pmd *pmd, bool emc, bool partial, struct packet_batch *b)
{
    bool smc = cache_is_used(atomic_load_explicit(&dp_config.smc_use, memory_order_relaxed),
                             pmd->smc_pays);
    struct dp_flow *flow[PACKET_BATCH_MAX];
    struct lookup_counts c = {0};
    struct misses miss;

    miss.n = 0;
    lookup_batch(pmd, emc, smc, b->n, flow, &c);
    if (UNLIKELY(partial)) {
        dispatch(pmd, b, flow, &miss, true);
    } else {
        dispatch(pmd, b, flow, &miss, false);
    }
    groups_execute(pmd);
    if (UNLIKELY(miss.n)) {
        process_misses(pmd, emc, miss.pkts, miss.keys, miss.n);
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
    bool partial = false;
    struct dp_port *to;

    for (unsigned i = 0; i < n; i++) {
        struct packet *p = b->pkts[i];

        if (UNLIKELY(!flow_simple_parse(p, &tcp_flags))) {
            return false;
        }
        p->in_port = port->port_no;
        n_bytes += p->len;
        if (p->flags & PACKET_CSUM_PARTIAL_POSSIBLE && UNLIKELY(simple_csum_is_partial(p))) {
            partial |= partial_csum_found(p);
        }
    }
    pmd_stat_add(&pmd->stats, PMD_STAT_SIMPLE_HIT, n);
    to = flow_port(pmd, f);
    if (UNLIKELY(partial) && !(to && to->tx_csum)) {
        settle_batch(b);
    }
    flow_execute(pmd, f, to, b, n_bytes, tcp_flags);
    return true;
}

/* A batch from a port, whole. */
static void
process_received(struct pmd *pmd, const struct dp_port *port, struct packet_batch *b)
{
    struct dp_flow *simple = simple_lookup(&pmd->simple, port->port_no);
    bool emc, partial;

    if (simple && LIKELY(process_simple(pmd, port, simple, b))) {
        return;
    }
    emc = atomic_load_explicit(&port->emc, memory_order_relaxed) &&
          cache_is_used(atomic_load_explicit(&dp_config.emc_use, memory_order_relaxed),
                        pmd->emc_pays);
    partial = extract_received(pmd, port, emc, b);
    process_batch(pmd, emc, partial, b);
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
            process_batch(pmd, false, false, &b);
        }
    }
}

unsigned
pmd_poll_rxq(struct pmd *pmd, struct dp_rxq *q)
{
    uint64_t cycles, now;
    struct packet_batch b;
    unsigned n;

    packet_batch_init(&b);
    n = netdev_rxq_recv(q->rx, &b);
    if (!n) {
        return 0;
    }
    b.n = n;
    process_received(pmd, q->port, &b);
    pmd_stat_add(&pmd->stats, PMD_STAT_RECV, n);
    if (UNLIKELY(pmd->n_recirc)) {
        pmd_recirculate(pmd);
    }
    cycles = atomic_load_explicit(&q->cycles, memory_order_relaxed);
    now = clock_cycles();
    atomic_store_explicit(&q->cycles, cycles + (now - pmd->cycles), memory_order_relaxed);
    pmd->cycles = now;
    return n;
}
