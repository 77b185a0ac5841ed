/* SPDX-License-Identifier: Apache-2.0 */
/* Output of a polling thread: packets gather in slots by port over a loop turn, or as many as
 * come within other_config:tx-flush-interval, and leave in bursts at its end (or when a burst
 * is full).  After that the queues sent to are driven until they say that nothing is
 * unfinished.  Runs on polling threads, main's included.
 *
 * What lasts longer than a turn remembers ports by number, since they may be gone by the next.
 * A slot also has the port's id: its packets are for no other port of that number. */

#include "datapath/dp-private.h"
#include "log/coverage.h"

COVERAGE_DEFINE(drop_datapath_port_gone);

static unsigned
my_txq(const struct pmd *pmd, const struct dp_port *port)
{
    /* Acquire, here and in my_lock(): pairs with the release in pmd_list_publish(). */
    return atomic_load_explicit(&pmd->txq_id, memory_order_acquire) % port->n_txq;
}

static void
mark_pending(struct stage *st, uint32_t port_no)
{
    unsigned slot = port_no % STAGE_SLOTS;
    uint64_t bit = UINT64_C(1) << slot;

    if (st->pending & bit && st->pending_port[slot] != port_no) {
        st->pending_more = true;
    } else {
        st->pending |= bit;
        st->pending_port[slot] = port_no;
    }
}

/* The lock that a sender needs; NULL: none, since the device copes, or no other thread has its
 * queue.  Within one read section with my_txq(): see pmd_list_publish(). */
static struct mutex *
my_lock(const struct pmd *pmd, const struct dp_port *port, unsigned qid)
{
    if (LIKELY(port->tx_concurrent) ||
        atomic_load_explicit(&pmd->dp->n_senders, memory_order_acquire) <= port->n_txq) {
        return NULL;
    }
    return &port->txqs[qid].lock;
}

static void
send_batch(struct pmd *pmd, struct dp_port *port, struct packet_batch *b) NO_THREAD_SAFETY
{
    unsigned qid = my_txq(pmd, port);
    struct mutex *lock = my_lock(pmd, port, qid);

    if (UNLIKELY(lock)) {
        mutex_lock(lock);
    }
    netdev_send(port->netdev, qid, b);
    if (UNLIKELY(lock)) {
        mutex_unlock(lock);
    }
}

void
stage_flush_slot(struct pmd *pmd, struct stage_slot *s)
{
    struct dp_port *port = dp_port_lookup(pmd->dp, s->port_no);

    if (UNLIKELY(!port || port->id != s->port_id || !port->n_txq)) {
        COVERAGE_ADD(drop_datapath_port_gone, s->batch.n);
        packet_batch_free(&s->batch);
        return;
    }
    pmd_stat_add(&pmd->stats, PMD_STAT_TX_PACKETS, s->batch.n);
    pmd_stat_add(&pmd->stats, PMD_STAT_TX_BATCHES, 1);
    send_batch(pmd, port, &s->batch);
    s->batch.n = 0;
    mark_pending(&pmd->stage, port->port_no);
}

void
stage_put_batch(struct pmd *pmd, struct dp_port *port, struct packet_batch *b)
{
    struct stage_slot *s = stage_slot(pmd, port);

    if (s->batch.n || b->n < 4) {
        for (unsigned i = 0; i < b->n; i++) {
            stage_add(pmd, s, b->pkts[i]);
        }
    } else {
        s->batch.n = b->n;
        memcpy(s->batch.pkts, b->pkts, b->n * sizeof b->pkts[0]);
    }
    b->n = 0;
}

void
stage_flush(struct pmd *pmd)
{
    struct stage *st = &pmd->stage;

    st->since = 0;
    while (st->used) {
        unsigned slot = (unsigned) __builtin_ctzll(st->used);

        st->used &= st->used - 1;
        if (st->slots[slot].batch.n) {
            stage_flush_slot(pmd, &st->slots[slot]);
        }
    }
}

bool
stage_run(struct pmd *pmd, uint64_t now, uint64_t cycles_per_us)
{
    struct stage *st = &pmd->stage;
    uint64_t us;

    if (!st->used) {
        return false;
    }
    us = atomic_load_explicit(&dp_config.tx_flush_us, memory_order_relaxed);
    if (us) {
        if (!st->since) {
            st->since = now;
        }
        if (now - st->since < us * cycles_per_us) {
            return true;
        }
    }
    stage_flush(pmd);
    return false;
}

/* Another thread that is at the queue right now drives it as well; look again next turn. */
static bool
port_tx_poll(struct pmd *pmd, struct dp_port *port) NO_THREAD_SAFETY
{
    struct mutex *lock;
    bool more;
    unsigned qid;

    if (!port || !port->n_txq) {
        return false;
    }
    qid = my_txq(pmd, port);
    lock = my_lock(pmd, port, qid);
    if (UNLIKELY(lock) && !mutex_trylock(lock)) {
        return true;
    }
    more = netdev_tx_poll(port->netdev, qid);
    if (UNLIKELY(lock)) {
        mutex_unlock(lock);
    }
    return more;
}

bool
stage_tx_poll(struct pmd *pmd)
{
    struct stage *st = &pmd->stage;
    uint64_t todo = st->pending;

    while (todo) {
        unsigned slot = (unsigned) __builtin_ctzll(todo);

        todo &= todo - 1;
        if (!port_tx_poll(pmd, dp_port_lookup(pmd->dp, st->pending_port[slot]))) {
            st->pending &= ~(UINT64_C(1) << slot);
        }
    }
    if (UNLIKELY(st->pending_more)) {
        const struct port_table *t = dp_ports(pmd->dp);

        st->pending_more = false;
        for (uint32_t i = 0; i < t->n; i++) {
            st->pending_more |= port_tx_poll(pmd, t->p[i]);
        }
    }
    return st->pending || st->pending_more;
}
