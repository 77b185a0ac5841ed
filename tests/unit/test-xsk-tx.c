/* SPDX-License-Identifier: Apache-2.0 */
/* Transmitting on an AF_XDP queue from several threads at once, against a pretended kernel: a
 * thread that takes descriptors only when kicked, as in copy mode, and completes them.  Nothing
 * that was handed in may be lost, sent twice, or stay behind without a kick. */

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>
#include <cmocka.h>

#include "mem/arena.h"
#include "netdev/afxdp/afxdp-private.h"
#include "netdev/afxdp/xsk-txmd.h"
#include "os/rcu.h"
#include "os/thread.h"
#include "packet/packet.h"
#include "util/xalloc.h"

#define RING 64u
#define KERNEL_BATCH 16u
#define N_SENDERS 4u
#define PER_SENDER 4096u
#define BURST 8u

struct shared_ring {
    _Atomic uint32_t producer, consumer, flags;
    union {
        uint64_t addr[RING];
        struct xdp_desc desc[RING];
    } e;
};

static struct fixture {
    struct shared_ring tx, comp;
    struct arena *arena;
    struct xsk_queue q;
    _Atomic uint32_t max_len;
    int kernel_fd;
    _Atomic bool stop;
    _Atomic uint8_t seen[N_SENDERS * PER_SENDER]; /* times that the packet was transmitted */
    _Atomic uint32_t n_seen;
} fx;

static void
ring_init(struct xsk_ring *r, struct shared_ring *s, uint32_t start)
{
    atomic_store(&s->producer, start);
    atomic_store(&s->consumer, start);
    *r = (struct xsk_ring){
        .prod = start,
        .cons = start,
        .mask = RING - 1,
        .size = RING,
        .producer = &s->producer,
        .consumer = &s->consumer,
        .flags = &s->flags,
        .entries = &s->e,
    };
}

/* One kick's worth.  There is room for the completions: the ring of those is as large, and what
 * has not been fetched there is held against sending. */
static void
kernel_take(unsigned max)
{
    for (unsigned i = 0; i < max; i++) {
        uint32_t cons = atomic_load(&fx.tx.consumer), done = atomic_load(&fx.comp.producer);
        uint32_t seq;

        if (cons == atomic_load(&fx.tx.producer) ||
            done - atomic_load(&fx.comp.consumer) == RING) {
            return;
        }
        struct xdp_desc d = fx.tx.e.desc[cons % RING];

        memcpy(&seq, fx.arena->base + d.addr + 14, sizeof seq);
        if (seq < N_SENDERS * PER_SENDER) {
            atomic_fetch_add(&fx.seen[seq], 1);
            atomic_fetch_add(&fx.n_seen, 1);
        }
        fx.comp.e.addr[done % RING] = d.addr;
        atomic_store(&fx.tx.consumer, cons + 1);
        atomic_store(&fx.comp.producer, done + 1);
    }
}

static void *
kernel_main(void *arg)
{
    char c;

    rcu_thread_offline();
    while (!atomic_load(&fx.stop)) {
        if (recv(fx.kernel_fd, &c, 1, 0) >= 0) {
            kernel_take(KERNEL_BATCH);
        }
    }
    return NULL;
}

static void
fixture_init(void)
{
    struct timeval tv = {.tv_usec = 20000};
    char *err = NULL;
    int fds[2];

    memset(&fx, 0, sizeof fx);
    assert_int_equal(arena_get(0, FRAME_SZ_SMALL, 1024, &fx.arena, &err), 0);
    assert_int_equal(socketpair(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0, fds), 0);
    assert_int_equal(setsockopt(fds[1], SOL_SOCKET, SO_RCVTIMEO, &tv, sizeof tv), 0);
    fx.kernel_fd = fds[1];
    atomic_store(&fx.max_len, 1600);
    fx.q.fd = fds[0];
    fx.q.arena = fx.arena;
    fx.q.max_len = &fx.max_len;
    fx.q.kick_batch = KERNEL_BATCH;
    fx.q.ledger = xzalloc(fx.arena->n_frames);
    ring_init(&fx.q.tx, &fx.tx, UINT32_MAX - 100);
    ring_init(&fx.q.comp, &fx.comp, UINT32_MAX - 100);
}

static void
fixture_done(void)
{
    struct arena_stats s;

    close(fx.q.fd);
    close(fx.kernel_fd);
    assert_int_equal(atomic_load(&fx.q.outstanding), 0);
    for (uint32_t id = 0; id < fx.arena->n_frames; id++) {
        assert_int_equal(fx.q.ledger[id], 0);
    }
    free(fx.q.ledger);
    arena_get_stats(fx.arena, &s);
    assert_int_equal(s.n_free + s.n_cached, s.n_frames);
    arena_put(fx.arena, 1024);
}

static unsigned
fill_batch(struct packet_batch *b, uint32_t seq, unsigned n)
{
    packet_batch_init(b);
    for (unsigned i = 0; i < n; i++) {
        struct packet *p = packet_alloc(fx.arena, 64);

        if (!p) {
            break;
        }
        seq += i ? 1 : 0;
        memcpy(packet_data(p) + 14, &seq, sizeof seq);
        packet_batch_add(b, p);
    }
    return b->n;
}

/* Sends everything in bursts, driving the queue after each as a polling thread does, and once
 * more until nothing is unfinished. */
static void *
sender_main(void *no_)
{
    uint32_t first = *(const uint32_t *) no_ * PER_SENDER;
    const struct timespec nap = {.tv_nsec = 20000};

    rcu_thread_offline();
    for (uint32_t i = 0; i < PER_SENDER;) {
        struct packet_batch b;
        unsigned n = fill_batch(&b, first + i, MIN(BURST, PER_SENDER - i));

        i += n;
        xsk_tx_burst(&fx.q, &b);
        /* Now and then too fast for the kernel, so that some is dropped. */
        for (unsigned t = i % 512 ? 20 : 0; xsk_tx_poll(&fx.q) && t > 0; t--) {
            nanosleep(&nap, NULL);
        }
    }
    for (unsigned i = 0; i < 100000 && xsk_tx_poll(&fx.q); i++) {
        nanosleep(&nap, NULL);
    }
    arena_thread_flush();
    return NULL;
}

static void
test_senders(void **state)
{
    static const uint32_t nos[N_SENDERS] = {0, 1, 2, 3};
    pthread_t senders[N_SENDERS], kernel;
    uint32_t twice = 0, never = 0;

    fixture_init();
    kernel = thread_start("kernel", kernel_main, NULL);
    for (unsigned i = 0; i < N_SENDERS; i++) {
        senders[i] = thread_start("sender", sender_main, (void *) &nos[i]);
    }
    for (unsigned i = 0; i < N_SENDERS; i++) {
        thread_join(senders[i]);
    }
    assert_int_equal(xsk_ring_backlog(&fx.q.tx), 0); /* no sender left before that */
    atomic_store(&fx.stop, true);
    thread_join(kernel);
    xsk_tx_poll(&fx.q); /* the last completions */

    for (uint32_t i = 0; i < N_SENDERS * PER_SENDER; i++) {
        twice += fx.seen[i] > 1;
        never += !fx.seen[i];
    }
    assert_int_equal(twice, 0);
    /* Each was either transmitted, and counted as such, or dropped, and counted as that. */
    assert_int_equal(never, xsk_counted(&fx.q.tx_dropped));
    assert_int_equal(atomic_load(&fx.n_seen), xsk_counted(&fx.q.tx_packets));
    assert_int_equal(xsk_counted(&fx.q.tx_bytes), 64 * xsk_counted(&fx.q.tx_packets));
    assert_true(atomic_load(&fx.n_seen) > PER_SENDER); /* the ring did not just overflow */
    assert_true(xsk_counted(&fx.q.tx_kicks) > 0);
    assert_int_equal(atomic_load(&fx.q.fatal), 0);
    assert_false(atomic_load(&fx.q.kicking));
    fixture_done();
}

/* A sender that finds another in the system call leaves its packets in the ring, and is told to
 * come again; once that other is out, it kicks for both. */
static void
test_kick_by_another(void **state)
{
    struct packet_batch b;
    char c;

    fixture_init();
    atomic_store(&fx.q.kicking, true);
    fill_batch(&b, 0, 3);
    xsk_tx_burst(&fx.q, &b);
    assert_true(xsk_tx_poll(&fx.q));
    assert_int_equal(xsk_counted(&fx.q.tx_kicks), 0);
    assert_int_equal(xsk_ring_backlog(&fx.q.tx), 3);

    atomic_store(&fx.q.kicking, false);
    assert_true(xsk_tx_poll(&fx.q));
    assert_int_equal(xsk_counted(&fx.q.tx_kicks), 1);
    assert_int_equal(recv(fx.kernel_fd, &c, 1, 0), 0);
    kernel_take(KERNEL_BATCH);
    assert_false(xsk_tx_poll(&fx.q));
    assert_int_equal(xsk_counted(&fx.q.tx_kicks), 1);
    assert_int_equal(fx.seen[0] + fx.seen[1] + fx.seen[2], 3);

    /* Full: whoever else is there, what fits no more is dropped only after a kick of one's own.
     */
    atomic_store(&fx.q.kicking, true);
    for (unsigned i = 0; i < RING / 8; i++) {
        fill_batch(&b, 8 + 8 * i, 8);
        xsk_tx_burst(&fx.q, &b);
    }
    assert_int_equal(xsk_counted(&fx.q.tx_dropped), 0);
    assert_int_equal(xsk_counted(&fx.q.tx_kicks), 1);
    fill_batch(&b, 1000, 2);
    xsk_tx_burst(&fx.q, &b);
    assert_int_equal(xsk_counted(&fx.q.tx_kicks), 2);
    assert_int_equal(xsk_counted(&fx.q.tx_dropped), 2);
    atomic_store(&fx.q.kicking, false);
    kernel_take(RING);
    assert_false(xsk_tx_poll(&fx.q));
    fixture_done();
}

/* The next descriptor, taken and completed. */
static struct xdp_desc
take_desc(void)
{
    struct xdp_desc d = fx.tx.e.desc[atomic_load(&fx.tx.consumer) % RING];

    assert_true(xsk_ring_backlog(&fx.q.tx) > 0);
    kernel_take(1);
    return d;
}

static struct packet *
add_packet(struct packet_batch *b, struct arena *arena, uint16_t len, bool partial)
{
    struct packet *p = packet_alloc(arena, len);

    assert_non_null(p);
    memset(packet_data(p), 0, len);
    memset(packet_data(p) + 14, 0xff, 4); /* not for `seen` */
    p->l3_ofs = 18;
    p->l4_ofs = 38;
    p->l4_len = (uint16_t) (len - 38);
    p->csum_ofs = 16;
    p->flags = partial ? PACKET_CSUM_PARTIAL : 0;
    packet_batch_add(b, p);
    return p;
}

static void
check_request(const struct xdp_desc *d, uint16_t start)
{
    struct xsk_txmd md;

    assert_int_equal(d->options & XSK_DESC_TXMD, XSK_DESC_TXMD);
    memcpy(&md, fx.arena->base + d->addr - sizeof md, sizeof md);
    assert_int_equal(md.flags, XSK_TXMD_CSUM);
    assert_int_equal(md.csum_start, start);
    assert_int_equal(md.csum_ofs, 16);
    assert_int_equal(md.launch_time, 0);
}

/* Half-done checksums go out with a request, if there is room for one, else completed; others as
 * ever. */
static void
test_csum_requests(void **state)
{
    struct packet_batch b = {.n = 0};
    struct xdp_desc d;
    struct packet *p;

    fixture_init();
    fx.q.tx_csum = true;
    add_packet(&b, fx.arena, 100, true);
    add_packet(&b, fx.arena, 100, false);
    p = add_packet(&b, fx.arena, 100, true);
    assert_true(packet_push(p, (uint16_t) (packet_headroom(p) - XSK_TXMD_LEN)));
    memset(packet_data(p), 0, 64);
    p = add_packet(&b, fx.arena, 100, true);
    assert_true(packet_push(p, (uint16_t) (packet_headroom(p) - XSK_TXMD_LEN + 1)));
    p = add_packet(&b, fx.arena, 100, true);
    p->len = 38 + 17; /* as no packet is: the field is cut off */
    p->l4_len = 17;
    xsk_tx_burst(&fx.q, &b);
    assert_int_equal(xsk_counted(&fx.q.tx_csums), 2);
    d = take_desc();
    check_request(&d, 38);
    d = take_desc();
    assert_int_equal(d.options, 0);
    d = take_desc();
    check_request(&d, 38 + 256 - XSK_TXMD_LEN);
    for (unsigned i = 0; i < 2; i++) {
        d = take_desc();
        assert_int_equal(d.options, 0);
    }
    while (xsk_tx_poll(&fx.q)) {
    }
    fixture_done();
}

/* In a chain the first piece asks for all of it. */
static void
test_csum_request_of_chain(void **state)
{
    struct packet_batch b = {.n = 0};
    struct arena *jumbo;
    char *err = NULL;
    struct xdp_desc d;

    fixture_init();
    assert_int_equal(arena_get(0, FRAME_SZ_JUMBO, 64, &jumbo, &err), 0);
    fx.q.tx_csum = true;
    fx.q.jumbo = jumbo;
    atomic_store(&fx.max_len, 9018);
    add_packet(&b, jumbo, 4000, true);
    xsk_tx_burst(&fx.q, &b);
    d = take_desc();
    check_request(&d, 38);
    assert_int_equal(d.options, XSK_DESC_TXMD | XDP_PKT_CONTD);
    d = take_desc();
    assert_int_equal(d.options, XDP_PKT_CONTD);
    d = take_desc();
    assert_int_equal(d.options, 0);
    assert_int_equal(xsk_counted(&fx.q.tx_csums), 1);
    while (xsk_tx_poll(&fx.q)) {
    }
    fixture_done();
    arena_put(jumbo, 64);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_kick_by_another),
        cmocka_unit_test(test_csum_requests),
        cmocka_unit_test(test_csum_request_of_chain),
        cmocka_unit_test(test_senders),
    };

    thread_adopt("");
    return cmocka_run_group_tests(tests, NULL, NULL);
}
