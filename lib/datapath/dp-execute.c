/* SPDX-License-Identifier: Apache-2.0 */
/* Executes an action list on a batch of packets, on the thread that received them.
 *
 * A packet that goes to several places is one frame with a reference for each; an action that
 * changes headers copies it if somebody else holds a reference by then.  Nested lists run on
 * further references, so that what they change is their own. */

#include "datapath/dp-hash.h"
#include "datapath/dp-meter.h"
#include "datapath/dp-private.h"
#include "datapath/dp-set.h"
#include "log/coverage.h"
#include "packet/headers.h"
#include "packet/packet-ops.h"

COVERAGE_DEFINE(drop_datapath_no_action);
COVERAGE_DEFINE(drop_datapath_invalid_port);
COVERAGE_DEFINE(drop_datapath_no_frame);
COVERAGE_DEFINE(drop_datapath_push_vlan);
COVERAGE_DEFINE(drop_datapath_push_mpls);
COVERAGE_DEFINE(drop_datapath_pop_mpls);
COVERAGE_DEFINE(drop_datapath_recirc_queue);
COVERAGE_DEFINE(drop_datapath_punt_none);

struct exec {
    struct pmd *pmd;
    const struct dp_actions *acts;
    const uint64_t *words;
    uint32_t max_len; /* of the next output; 0: no limit */
};

static void
output(struct exec *x, uint32_t port_no, struct packet_batch *b, bool last)
{
    struct dp_port *port = dp_port_lookup(x->pmd->dp, port_no);
    struct stage_slot *s;

    if (UNLIKELY(!port || !port->n_txq)) {
        COVERAGE_ADD(drop_datapath_invalid_port, b->n);
        if (last) {
            packet_batch_free(b);
        }
        return;
    }
    if (LIKELY(last)) {
        stage_put_batch(x->pmd, port, b);
        return;
    }
    s = stage_slot(x->pmd, port);
    for (unsigned i = 0; i < b->n; i++) {
        packet_ref(b->pkts[i]);
        stage_add(x->pmd, s, b->pkts[i]);
    }
}

/* As output(), of no more than the first x->max_len bytes. */
static COLD void
output_truncated(struct exec *x, uint32_t port_no, struct packet_batch *b, bool last)
{
    struct packet_batch cut = {.n = 0};

    for (unsigned i = 0; i < b->n; i++) {
        struct packet *p = b->pkts[i];

        if (!last) {
            packet_ref(p);
        }
        if (p->len > x->max_len) {
            p = packet_writable(p);
            if (!p) {
                COVERAGE_INC(drop_datapath_no_frame);
                continue;
            }
            p->len = (uint16_t) MAX(x->max_len, (uint32_t) ETH_HDR_LEN);
        }
        packet_batch_add(&cut, p);
    }
    if (last) {
        b->n = 0;
    }
    x->max_len = 0;
    output(x, port_no, &cut, true);
    packet_batch_free(&cut);
}

/* One packet, which nobody else holds; false: it cannot be done, counted.  `type` is that of
 * the action. */
static ALWAYS_INLINE bool
change_one(const struct exec *x, const struct dp_action *a, enum dp_action_type type,
           struct packet *p)
{
    switch (type) {
    case DP_ACT_SET:
        dp_set(p, a, x->words);
        break;
    case DP_ACT_POP_VLAN:
        packet_pop_vlan(p);
        break;
    case DP_ACT_PUSH_VLAN:
        if (UNLIKELY(!packet_push_vlan(p, a->push_vlan.tpid, a->push_vlan.tci))) {
            COVERAGE_INC(drop_datapath_push_vlan);
            return false;
        }
        break;
    case DP_ACT_PUSH_MPLS:
        if (UNLIKELY(!packet_push_mpls(p, a->n, a->lse_be))) {
            COVERAGE_INC(drop_datapath_push_mpls);
            return false;
        }
        break;
    case DP_ACT_POP_MPLS:
        if (UNLIKELY(!packet_pop_mpls(p, a->n))) {
            COVERAGE_INC(drop_datapath_pop_mpls);
            return false;
        }
        break;
    case DP_ACT_HASH:
        p->dp_hash = dp_hash(p, (enum dp_hash_alg) a->n, a->basis);
        break;
    default:
        break;
    }
    return true;
}

/* Changes every packet of the batch; those that cannot be changed leave it. */
static ALWAYS_INLINE void
change_all(const struct exec *x, const struct dp_action *a, enum dp_action_type type,
           struct packet_batch *b)
{
    unsigned n = 0;

    for (unsigned i = 0; i < b->n; i++) {
        struct packet *p = packet_writable(b->pkts[i]);

        if (UNLIKELY(!p)) {
            COVERAGE_INC(drop_datapath_no_frame);
        } else if (LIKELY(change_one(x, a, type, p))) {
            b->pkts[n++] = p;
        } else {
            packet_free(p);
        }
    }
    b->n = n;
}

/* With a loop of its own for what is frequent and short. */
static void
change(const struct exec *x, const struct dp_action *a, struct packet_batch *b)
{
    if (a->type == DP_ACT_PUSH_VLAN) {
        change_all(x, a, DP_ACT_PUSH_VLAN, b);
    } else if (a->type == DP_ACT_POP_VLAN) {
        change_all(x, a, DP_ACT_POP_VLAN, b);
    } else {
        change_all(x, a, a->type, b);
    }
}

/* Packets wait until the batch at hand is done: its keys and groups are in use. */
static void
recirculate(struct exec *x, uint32_t id, const struct packet_batch *b)
{
    for (unsigned i = 0; i < b->n; i++) {
        struct packet *p;

        packet_ref(b->pkts[i]);
        if (UNLIKELY(x->pmd->n_recirc >= PMD_RECIRC_MAX)) {
            COVERAGE_INC(drop_datapath_recirc_queue);
            packet_free(b->pkts[i]);
            continue;
        }
        p = packet_writable(b->pkts[i]);
        if (UNLIKELY(!p)) {
            COVERAGE_INC(drop_datapath_no_frame);
            continue;
        }
        p->recirc_id = id;
        x->pmd->recirc[x->pmd->n_recirc++] = p;
    }
}

static void
punt(const struct exec *x, const struct dp_action *a, const struct packet_batch *b)
{
    const struct dp_upcall_ops *ops = &x->pmd->dp->ops;

    if (!ops->punt) {
        COVERAGE_ADD(drop_datapath_punt_none, b->n);
        return;
    }
    for (unsigned i = 0; i < b->n; i++) {
        ops->punt(ops->aux, b->pkts[i], x->words + a->arg, a->n);
    }
}

static void execute_list(struct exec *, uint32_t from, uint32_t n, struct packet_batch *);

static void
execute_nested(struct exec *x, uint32_t from, uint32_t n, const struct packet_batch *b)
{
    struct packet_batch copy = *b;

    for (unsigned i = 0; i < copy.n; i++) {
        packet_ref(copy.pkts[i]);
    }
    execute_list(x, from, n, &copy);
}

static void
check_pkt_len(struct exec *x, uint32_t i, const struct dp_check_pkt_len *c,
              const struct packet_batch *b)
{
    struct packet_batch greater = {.n = 0}, le = {.n = 0};

    for (unsigned k = 0; k < b->n; k++) {
        packet_batch_add(b->pkts[k]->len > c->len ? &greater : &le, b->pkts[k]);
    }
    if (greater.n) {
        execute_nested(x, i + 1, c->n_greater, &greater);
    }
    if (le.n) {
        execute_nested(x, i + 1 + c->n_greater, c->n_le, &le);
    }
}

/* What contains or leaves the switch's fast path.  Returns the nested actions done with it. */
static COLD NOINLINE uint32_t
execute_other(struct exec *x, uint32_t i, struct packet_batch *b)
{
    const struct dp_action *a = &x->acts->a[i];
    struct dp_check_pkt_len c;

    switch ((enum dp_action_type) a->type) {
    case DP_ACT_RECIRC:
        recirculate(x, a->recirc_id, b);
        break;
    case DP_ACT_METER:
        dp_meter_run(x->pmd->dp, a->meter_id, b);
        break;
    case DP_ACT_TRUNC:
        x->max_len = a->max_len;
        break;
    case DP_ACT_PUNT:
        punt(x, a, b);
        break;
    case DP_ACT_CLONE:
        execute_nested(x, i + 1, a->n, b);
        return a->n;
    case DP_ACT_CHECK_PKT_LEN:
        memcpy(&c, x->words + a->arg, sizeof c);
        check_pkt_len(x, i, &c, b);
        return (uint32_t) c.n_greater + c.n_le;
    default:
        break;
    }
    return 0;
}

/* Takes the packets. */
static void
execute_list(struct exec *x, uint32_t from, uint32_t n, struct packet_batch *b)
{
    uint32_t end = from + n;

    for (uint32_t i = from; i < end && b->n; i++) {
        const struct dp_action *a = &x->acts->a[i];

        if (a->type == DP_ACT_OUTPUT) {
            if (LIKELY(!x->max_len)) {
                output(x, a->port, b, i + 1 == end);
            } else {
                output_truncated(x, a->port, b, i + 1 == end);
            }
        } else if (a->type <= DP_ACT_HASH) {
            change(x, a, b);
        } else {
            i += execute_other(x, i, b);
        }
    }
    if (UNLIKELY(b->n)) {
        packet_batch_free(b);
    }
}

void
dp_execute(struct pmd *pmd, const struct dp_actions *acts, struct packet_batch *b)
{
    struct exec x = {.pmd = pmd, .acts = acts, .words = dp_actions_words(acts)};

    if (UNLIKELY(!acts->n)) {
        COVERAGE_ADD(drop_datapath_no_action, b->n);
        packet_batch_free(b);
        return;
    }
    execute_list(&x, 0, acts->n, b);
}

void
dp_execute_packet(struct dp *dp, struct packet *p, const struct dp_actions *acts)
{
    struct pmd *pmd = dp->main_pmd;
    struct packet_batch one = {.n = 1, .pkts = {p}};
    struct flow_key key;

    flow_key_extract(p, &key);
    dp_execute(pmd, acts, &one);
    pmd_recirculate(pmd);
    stage_flush(pmd);
    pmd_main_tx(pmd);
}
