/* SPDX-License-Identifier: Apache-2.0 */
/* Output of a polling thread: packets gather in slots by port over a loop turn, and leave in
 * bursts at its end (or when a burst is full).  After that the queues sent to are driven until
 * they say that nothing is unfinished.  Runs on polling threads, main's included.
 *
 * Slots hold port pointers within one turn only; what lasts longer (queues with unfinished
 * work) is remembered by port number, since the port may be gone by the next turn. */

#include "datapath/dp-private.h"

static unsigned
my_txq(const struct pmd *pmd, const struct dp_port *port)
{
    return atomic_load_explicit(&pmd->txq_id, memory_order_relaxed) % port->n_txq;
}

static void
mark_pending(struct stage *st, unsigned slot, uint32_t port_no)
{
    uint64_t bit = UINT64_C(1) << slot;

    if (st->pending & bit && st->pending_port[slot] != port_no) {
        st->pending_more = true;
    } else {
        st->pending |= bit;
        st->pending_port[slot] = port_no;
    }
}

static void
slot_flush(struct pmd *pmd, unsigned slot)
{
    struct stage_slot *s = &pmd->stage.slots[slot];
    struct dp_port *port = s->port;
    unsigned qid = my_txq(pmd, port);

    pmd_stat_add(&pmd->stats, PMD_STAT_TX_PACKETS, s->batch.n);
    pmd_stat_add(&pmd->stats, PMD_STAT_TX_BATCHES, 1);
    mutex_lock(&port->txqs[qid].lock);
    netdev_send(port->netdev, qid, &s->batch);
    mutex_unlock(&port->txqs[qid].lock);
    s->batch.n = 0;
    mark_pending(&pmd->stage, slot, port->port_no);
}

void
stage_put(struct pmd *pmd, struct dp_port *port, struct packet *p)
{
    unsigned slot = port->port_no % STAGE_SLOTS;
    struct stage_slot *s = &pmd->stage.slots[slot];

    if (UNLIKELY(s->batch.n && (s->port != port || packet_batch_full(&s->batch)))) {
        slot_flush(pmd, slot);
    }
    s->port = port;
    packet_batch_add(&s->batch, p);
    pmd->stage.used |= UINT64_C(1) << slot;
}

void
stage_flush(struct pmd *pmd)
{
    struct stage *st = &pmd->stage;

    while (st->used) {
        unsigned slot = (unsigned) __builtin_ctzll(st->used);

        st->used &= st->used - 1;
        if (st->slots[slot].batch.n) {
            slot_flush(pmd, slot);
        }
    }
}

/* Another thread that is at the queue right now drives it as well; look again next turn. */
static bool
port_tx_poll(struct pmd *pmd, struct dp_port *port)
{
    bool more = true;
    unsigned qid;

    if (!port || !port->n_txq) {
        return false;
    }
    qid = my_txq(pmd, port);
    if (mutex_trylock(&port->txqs[qid].lock)) {
        more = netdev_tx_poll(port->netdev, qid);
        mutex_unlock(&port->txqs[qid].lock);
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
