/* SPDX-License-Identifier: Apache-2.0 */
/* The datapath's polling threads on dummy devices: forwarding between them and the main thread,
 * sleep, delayed output, who has which tx queue, queues and cores as configured, and ports that
 * come and go under traffic. */

#include <sched.h>

#include "dp-harness.h"
#include "os/affinity.h"

static struct pmd *
only_pmd(void)
{
    assert_int_equal(dp_pmds(dp)->n, 2);
    return dp_pmds(dp)->pmds[1];
}

static void
test_forward_pmd(void **state)
{
    struct netdev *p4 = add_port("p4", "dummy-pmd", NULL, NULL, 4);
    struct netdev *p5 = add_port("p5", "dummy-pmd", NULL, NULL, 5);
    char want[512];

    set_toy(4, TOY_OUT, 5);
    set_toy(5, TOY_OUT, 1); /* from a polling thread to a main port */
    set_toy(1, TOY_OUT, 4); /* and the other way */
    for (unsigned i = 0; i < 5; i++) {
        inject(p4, 40, (uint8_t) i);
        assert_true(wait_tx(p5, 40 * (i + 1)));
    }
    inject(p5, 10, 1);
    assert_true(wait_tx(p1, 10));
    inject(p1, 10, 1);
    assert_true(wait_tx(p4, 10));

    snprintf(want, sizeof want,
             "Displaying last 60 seconds pmd usage %%\n"
             "pmd thread numa_id 0 core_id %u:\n"
             "  isolated : false\n"
             "  port: p4                queue-id:  0 (enabled)   pmd usage: NOT AVAIL\n"
             "  port: p5                queue-id:  0 (enabled)   pmd usage: NOT AVAIL\n"
             "  overhead: NOT AVAIL\n",
             only_pmd()->core);
    check_ctl("dpif-netdev/pmd-rxq-show", want);
    check_ctl_has("dpif-netdev/pmd-stats-show", NULL, "  packets received: 210\n");
    check_ctl_has("dpif-netdev/pmd-perf-show", NULL, "  Rx packets:                  210  (");
    check_ctl_has("dpctl/dump-flows", NULL, "flow-dump from pmd on cpu core: ");
    check_ctl("dpif-netdev/pmd-stats-clear", "");
    check_ctl_has("dpif-netdev/pmd-stats-show", NULL, "  packets received: 0\n");
    check_ctl("dpif-netdev/pmd-rxq-rebalance", "pmd rxq rebalance requested.\n");
    pmd_set_sample();
    check_ctl_has("dpif-netdev/pmd-rxq-show", NULL, " %\n");
}

/* An idle polling thread sleeps, is woken by a packet, and does not sleep where told not to. */
static void
test_sleep(void **state)
{
    struct netdev *p4 = add_port("p4", "dummy-pmd", NULL, NULL, 4);
    struct smap oc = SMAP_INIT;
    struct pmd *pmd = only_pmd();
    uint64_t sleeps;

    set_toy(4, TOY_OUT, 1);
    for (unsigned i = 0; i < 5000 && !atomic_load(&pmd->sleeping); i++) {
        usleep(1000);
        rcu_quiescent_state();
    }
    assert_true(atomic_load(&pmd->sleeping));
    for (unsigned i = 1; i <= 5; i++) {
        int64_t start = clock_real_ns();

        inject(p4, 1, 1);
        assert_true(wait_tx(p1, i));
        /* Woken by the packet, not by the end of its sleep. */
        assert_true(clock_real_ns() - start < 300 * INT64_C(1000000));
        usleep(10000);
    }
    smap_set(&oc, "pmd-sleep-max", "0");
    dp_set_config(&oc);
    usleep(20000);
    sleeps = atomic_load(&pmd->stats.n[PMD_STAT_SLEEPS]);
    usleep(20000);
    assert_int_equal(atomic_load(&pmd->stats.n[PMD_STAT_SLEEPS]), sleeps);
    /* By core, by the older name, and what is no good. */
    smap_setf(&oc, "pmd-sleep-max", "50,%u:700,%u:9", pmd->core, pmd->core + 1);
    dp_set_config(&oc);
    assert_int_equal(atomic_load(&pmd->max_sleep_us), 700);
    assert_int_equal(dp_config_max_sleep_us(pmd->core + 1), 9);
    assert_int_equal(dp_config_max_sleep_us(pmd->core + 2), 50);
    smap_set(&oc, "pmd-maxsleep", "0"); /* the newer name wins */
    dp_set_config(&oc);
    assert_int_equal(atomic_load(&pmd->max_sleep_us), 700);
    smap_remove(&oc, "pmd-sleep-max");
    dp_set_config(&oc);
    assert_int_equal(atomic_load(&pmd->max_sleep_us), 0);
    smap_set(&oc, "pmd-maxsleep", "10000");
    dp_set_config(&oc);
    assert_int_equal(atomic_load(&pmd->max_sleep_us), 10000);
    smap_set(&oc, "pmd-maxsleep", "10001");
    dp_set_config(&oc);
    assert_int_equal(atomic_load(&pmd->max_sleep_us), SLEEP_ADAPTIVE);
    smap_clear(&oc);
    dp_set_config(&oc);
    assert_int_equal(atomic_load(&pmd->max_sleep_us), SLEEP_ADAPTIVE);
    smap_destroy(&oc);
}

#define PER_US UINT64_C(2000) /* cycles */

/* How long a thread stays awake: longer after sleeps that were hardly worth it, and after work.
 */
static void
test_sleep_learning(void **state)
{
    struct pmd *pmd = dp->main_pmd; /* which never sleeps itself */
    uint64_t least = pmd->idle_us, us = least;

    pmd_learn_from_sleep(pmd, false, 10);
    assert_int_equal(pmd->idle_us, least);
    for (unsigned i = 0; i < 10; i++) {
        pmd_learn_from_sleep(pmd, true, 100);
        assert_true(pmd->idle_us >= us);
        us = pmd->idle_us;
    }
    assert_true(us > 4 * least && us < 1000);
    pmd_learn_from_sleep(pmd, true, us - 1); /* it pays still */
    pmd_learn_from_sleep(pmd, false, 10);
    assert_int_equal(pmd->idle_us, us);
    pmd_learn_from_sleep(pmd, true, 5000);
    assert_int_equal(pmd->idle_us, least);
    pmd_learn_from_sleep(pmd, true, 10);
    pmd_learn_from_sleep(pmd, false, 500000);
    assert_int_equal(pmd->idle_us, least);

    /* And as long as it has worked since, but not for ever. */
    pmd->worked_before_sleep = atomic_load(&pmd->stats.n[PMD_STAT_CYCLES_BUSY]);
    assert_false(pmd_may_sleep(pmd, least * PER_US, PER_US));
    assert_true(pmd_may_sleep(pmd, least * PER_US + 1, PER_US));
    pmd_stat_add(&pmd->stats, PMD_STAT_CYCLES_BUSY, 3000 * PER_US);
    assert_false(pmd_may_sleep(pmd, (least + 3000) * PER_US, PER_US));
    assert_true(pmd_may_sleep(pmd, (least + 3000) * PER_US + 1, PER_US));
    pmd_stat_add(&pmd->stats, PMD_STAT_CYCLES_BUSY, UINT64_C(3600000000) * PER_US);
    assert_false(pmd_may_sleep(pmd, 5000 * PER_US, PER_US));
    assert_true(pmd_may_sleep(pmd, 50000 * PER_US, PER_US));
}

/* That main may run on so many cores, and whether `core` is one of them. */
static void
assert_main_runs_on(size_t n_cores, unsigned core, bool on)
{
    cpu_set_t set;

    assert_int_equal(sched_getaffinity(0, sizeof set, &set), 0);
    assert_int_equal(CPU_COUNT(&set), n_cores);
    assert_int_equal(!!CPU_ISSET(core, &set), on);
}

/* Main keeps off the core of a polling thread, if it has another one, as long as there is one.
 */
static void
test_cores_cleared(void **state)
{
    unsigned cpus[64];
    size_t n = affinity_allowed(cpus, ARRAY_SIZE(cpus));
    struct smap oc = SMAP_INIT;

    if (n < 2 || n > ARRAY_SIZE(cpus)) {
        skip();
    }
    add_port("p4", "dummy-pmd", NULL, NULL, 4);
    assert_main_runs_on(n - 1, only_pmd()->core, false);
    smap_setf(&oc, "pmd-cpu-mask", "%x", 1u << cpus[0]); /* it moves */
    dp_set_config(&oc);
    assert_int_equal(only_pmd()->core, cpus[0]);
    assert_main_runs_on(n - 1, cpus[0], false);
    smap_clear(&oc);
    dp_set_config(&oc);
    del_port(4);
    assert_int_equal(dp_pmds(dp)->n, 1);
    assert_main_runs_on(n, cpus[0], true);
    smap_destroy(&oc);
}

/* How many of the flows that come enter the exact-match cache: all, none, one in so many. */
static void
test_emc_insertion(void **state)
{
    static const struct {
        const char *inv_prob;
        unsigned min, max; /* of 64 */
    } cases[] = {{"1", 64, 64}, {"0", 0, 0}, {"4294967295", 0, 1}, {"nonsense", 0, 10}};
    struct netdev *p4 = add_port("p4", "dummy-pmd", NULL, NULL, 4);
    struct smap oc = SMAP_INIT;
    struct pmd *pmd = only_pmd();
    uint64_t sent = 0;

    set_toy(4, TOY_OUT, 1);
    for (unsigned i = 0; i < ARRAY_SIZE(cases); i++) {
        uint64_t hits = atomic_load(&pmd->stats.n[PMD_STAT_EMC_HIT]);

        smap_set(&oc, "emc-insert-inv-prob", cases[i].inv_prob);
        dp_set_config(&oc);
        /* Each flow comes alone, twice: the second finds what the first has left. */
        for (unsigned to = 0; to < 2 * 64; to++) {
            inject(p4, 1, (uint8_t) (i * 64 + to / 2));
            assert_true(wait_tx(p1, ++sent));
        }
        hits = atomic_load(&pmd->stats.n[PMD_STAT_EMC_HIT]) - hits;
        assert_in_range(hits, cases[i].min, cases[i].max);
    }
    smap_clear(&oc);
    dp_set_config(&oc);
    smap_destroy(&oc);
}

/* Ports come and go while their thread is busy with them. */
static void
test_del_under_traffic(void **state)
{
    struct netdev *p4 = add_port("p4", "dummy-pmd", NULL, NULL, 4);
    uint64_t sent = 0;

    set_toy(5, TOY_OUT, 4);
    set_toy(4, TOY_FLOOD_TAGGED, 0);
    set_toy(6, TOY_OUT, 1);
    for (unsigned i = 0; i < 20; i++) {
        struct netdev *p5 = add_port("p5", "dummy-pmd", "n_rxq", "2", 5);
        struct netdev *p6 = add_port("p6", "dummy-pmd", NULL, NULL, 6);

        inject(p5, 100, (uint8_t) i);
        inject(p4, 100, (uint8_t) i);
        inject(p6, 10, 1);
        sent += 10;
        del_port(5);
        assert_true(wait_tx(p1, sent)); /* the others go on */
        del_port(6);
        rcu_quiescent_state();
    }
}

/* Output waits for more of it up to the time configured, then goes out as one batch; what waits
 * for a port that is deleted meanwhile goes nowhere. */
static void
test_flush_interval(void **state)
{
    struct netdev *p4 = add_port("p4", "dummy-pmd", NULL, NULL, 4);
    struct smap oc = SMAP_INIT, options = SMAP_INIT;
    struct pmd *pmd = only_pmd();
    char *err = NULL;
    uint64_t batches, gone = coverage("drop_datapath_port_gone");
    int64_t start;

    set_toy(4, TOY_OUT, 1);
    inject(p4, 1, 1);
    assert_true(wait_tx(p1, 1));
    smap_set(&oc, "tx-flush-interval", "300000");
    dp_set_config(&oc);
    batches = atomic_load(&pmd->stats.n[PMD_STAT_TX_BATCHES]);
    start = clock_real_ns();
    for (unsigned i = 0; i < 5; i++) {
        inject(p4, 1, 1);
        usleep(10000);
        rcu_quiescent_state();
    }
    assert_true(tx_packets(p1) == 1 || clock_real_ns() - start > 250 * INT64_C(1000000));
    assert_true(wait_tx(p1, 6));
    assert_true(clock_real_ns() - start >= 300 * INT64_C(1000000));
    assert_int_equal(atomic_load(&pmd->stats.n[PMD_STAT_TX_BATCHES]), batches + 1);

    inject(p4, 3, 1);
    usleep(20000);
    rcu_quiescent_state();
    del_port(1); /* and another port by the same number */
    p1 = add_port("p1", "dummy", NULL, NULL, 1);
    for (unsigned i = 0; i < 1000 && coverage("drop_datapath_port_gone") == gone; i++) {
        usleep(1000);
        rcu_quiescent_state();
    }
    assert_int_equal(coverage("drop_datapath_port_gone") - gone, 3);
    assert_int_equal(tx_packets(p1), 0);

    /* Nor do they wait for a port that could not be made anew. */
    inject(p4, 3, 1);
    usleep(20000);
    rcu_quiescent_state();
    gone = coverage("drop_datapath_port_gone");
    smap_set(&options, "tx_pcap", "/nonexistent/folder/file");
    assert_int_equal(netdev_set_config(p1, &options, &err), 0);
    assert_int_not_equal(dp_port_reconfigure(dp, 1, &err), 0);
    for (unsigned i = 0; i < 1000 && coverage("drop_datapath_port_gone") == gone; i++) {
        usleep(1000);
        rcu_quiescent_state();
    }
    assert_int_equal(coverage("drop_datapath_port_gone") - gone, 3);
    free(err);
    err = NULL;
    smap_clear(&options);
    assert_int_equal(netdev_set_config(p1, &options, &err), 0);
    assert_int_equal(dp_port_reconfigure(dp, 1, &err), 0);
    smap_destroy(&options);

    /* What the thread has when it ends still goes out; so it does at once without the option.
     */
    inject(p4, 2, 1);
    usleep(20000);
    rcu_quiescent_state();
    del_port(4);
    assert_true(wait_tx(p1, 2));
    smap_set(&oc, "tx-flush-interval", "1000001");
    dp_set_config(&oc);
    assert_int_equal(atomic_load(&dp_config.tx_flush_us), 0);
    smap_clear(&oc);
    dp_set_config(&oc);
    smap_destroy(&oc);
}

/* ---- Tx queues: a device that notes two senders on one queue at the same time. ---- */

#define STRICT_N_TXQ_MAX 4u
static _Atomic unsigned strict_inside[STRICT_N_TXQ_MAX], strict_overlaps;
static _Atomic uint64_t strict_sent;
static uint16_t strict_n_txq;

static struct netdev *
strict_alloc(void)
{
    return xzalloc(sizeof(struct netdev));
}

static int
strict_construct(struct netdev *netdev, char **errp)
{
    return 0;
}

static void
strict_destruct(struct netdev *netdev)
{
}

static void
strict_dealloc(struct netdev *netdev)
{
    free(netdev);
}

static int
strict_reconfigure(struct netdev *netdev, char **errp)
{
    netdev->n_rxq = 0;
    netdev->n_txq = strict_n_txq;
    return 0;
}

static void
strict_send(struct netdev *netdev, unsigned qid, struct packet_batch *b)
{
    if (atomic_fetch_add(&strict_inside[qid], 1)) {
        atomic_fetch_add(&strict_overlaps, 1);
    }
    atomic_fetch_add(&strict_sent, b->n);
    usleep(20);
    packet_batch_free(b);
    atomic_fetch_sub(&strict_inside[qid], 1);
}

static const struct netdev_class strict_class = {
    .type = "strict",
    .poll = NETDEV_POLL_NONE,
    .alloc = strict_alloc,
    .construct = strict_construct,
    .destruct = strict_destruct,
    .dealloc = strict_dealloc,
    .reconfigure = strict_reconfigure,
    .send = strict_send,
};

static void
set_cores(const char *mask)
{
    struct smap oc = SMAP_INIT;

    if (mask) {
        smap_set(&oc, "pmd-cpu-mask", mask);
    }
    dp_set_config(&oc);
    smap_destroy(&oc);
}

/* Main and two polling threads send to a device that stands one sender a queue, while threads
 * come and go and with them who has which queue. */
static void
test_one_sender_a_queue(void **state)
{
    for (strict_n_txq = 1; strict_n_txq <= STRICT_N_TXQ_MAX; strict_n_txq++) {
        struct netdev *p4 = add_port("p4", "dummy-pmd", NULL, NULL, 4);
        struct netdev *p5 = add_port("p5", "dummy-pmd", NULL, NULL, 5);
        uint64_t sent = 0;

        add_port("s9", "strict", NULL, NULL, 9);
        atomic_store(&strict_sent, 0);
        set_toy(1, TOY_OUT, 9);
        set_toy(4, TOY_OUT, 9);
        set_toy(5, TOY_OUT, 9);
        for (unsigned i = 0; i < 60; i++) {
            set_cores(i % 4 == 3 ? "1" : "3");
            inject(p4, 40, 1);
            inject(p5, 40, 1);
            inject(p1, 40, 1);
            sent += 120;
        }
        /* What was too much for the queue of a thread that was just starting does not count. */
        sent -= netdev_dummy_cast(p4)->rx_dropped + netdev_dummy_cast(p5)->rx_dropped;
        for (unsigned i = 0; i < 5000 && atomic_load(&strict_sent) < sent; i++) {
            usleep(1000);
            rcu_quiescent_state();
        }
        assert_int_equal(atomic_load(&strict_sent), sent);
        assert_true(sent > 4000);
        assert_int_equal(atomic_load(&strict_overlaps), 0);
        /* Two threads and main: locks are for those who have fewer queues. */
        if (dp_pmds(dp)->n == 3) {
            assert_int_equal(atomic_load(&dp->n_senders), 3);
        }
        del_port(9);
        del_port(5);
        del_port(4);
    }
    set_cores(NULL);
}

static void
test_queues_and_cores(void **state)
{
    struct smap oc = SMAP_INIT, port_oc = SMAP_INIT, options = SMAP_INIT;
    struct netdev *p4 = add_port("p4", "dummy-pmd", "n_rxq", "3", 4);
    struct pmd *pmd = only_pmd();
    char affinity[64], *err = NULL;

    assert_int_equal(pmd->polls->n, 3);
    snprintf(affinity, sizeof affinity, "0:%u", pmd->core);
    smap_set(&port_oc, "pmd-rxq-affinity", affinity);
    smap_set(&port_oc, "emc-enable", "false");
    dp_port_set_config(dp, 4, &port_oc);
    assert_true(pmd->isolated);
    assert_int_equal(pmd->polls->n, 1); /* the only core takes none but the pinned */
    smap_set(&oc, "pmd-rxq-assign", "group");
    smap_set(&oc, "pmd-rxq-isolate", "false");
    smap_set(&oc, "smc-enable", "true");
    dp_set_config(&oc);
    assert_false(pmd->isolated);
    assert_int_equal(pmd->polls->n, 3);

    set_toy(4, TOY_OUT, 1);
    inject(p4, 3, 1);
    assert_true(wait_tx(p1, 3));
    inject(p4, 3, 1); /* found in the megaflow table, and noted */
    assert_true(wait_tx(p1, 6));
    inject(p4, 3, 1);
    assert_true(wait_tx(p1, 9));
    assert_true(atomic_load(&pmd->stats.n[PMD_STAT_SMC_HIT]) > 0);
    assert_int_equal(atomic_load(&pmd->stats.n[PMD_STAT_EMC_HIT]), 0);

    smap_set(&options, "n_rxq", "2");
    assert_int_equal(netdev_set_config(p4, &options, &err), 0);
    assert_int_equal(dp_port_reconfigure(dp, 4, &err), 0);
    assert_int_equal(only_pmd()->polls->n, 2);
    inject(p4, 1, 1);
    assert_true(wait_tx(p1, 10));

    smap_clear(&port_oc);
    dp_port_set_config(dp, 4, &port_oc);
    smap_clear(&oc);
    smap_set(&oc, "pmd-cpu-mask", "nonsense"); /* told, and the default stays */
    dp_set_config(&oc);
    assert_int_equal(only_pmd()->polls->n, 2);
    smap_set(&oc, "pmd-cpu-mask", "0x3");
    dp_set_config(&oc);
    assert_true(dp_pmds(dp)->n >= 2);
    inject(p4, 1, 1);
    assert_true(wait_tx(p1, 11));
    smap_clear(&oc);
    dp_set_config(&oc);
    only_pmd();
    inject(p4, 1, 1);
    assert_true(wait_tx(p1, 12));
    smap_destroy(&oc);
    smap_destroy(&port_oc);
    smap_destroy(&options);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        T(test_forward_pmd),        T(test_sleep),
        T(test_del_under_traffic),  T(test_flush_interval),
        T(test_one_sender_a_queue), T(test_queues_and_cores),
        T(test_emc_insertion),      T(test_sleep_learning),
        T(test_cores_cleared),
    };

    return run_datapath_tests(tests, ARRAY_SIZE(tests), &strict_class);
}
