/* SPDX-License-Identifier: Apache-2.0 */
/* The datapath end to end on dummy devices: packets queued on a port come out where a toy
 * translation says, on the main thread and on polling threads; every frame comes back. */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <cmocka.h>

#include "datapath/dp-private.h"
#include "log/coverage.h"
#include "log/ctl.h"
#include "mem/arena.h"
#include "netdev/dummy/dummy-private.h"
#include "netdev/netdev-provider.h"
#include "os/clock.h"
#include "util/xalloc.h"

static struct evloop *loop;
static struct dp *dp;

/* ---- Toy translation: what a packet from port N does, set per test. ---- */

enum toy { TOY_DROP, TOY_OUT, TOY_FLOOD_TAGGED, TOY_FAIL, TOY_ONCE, TOY_BAD_PORT };
#define MAX_IN 256u
static _Atomic int toy_of[MAX_IN];
static _Atomic uint32_t toy_out[MAX_IN];
static _Atomic unsigned n_translated, n_cookies, n_cookies_freed;

static bool
translate(void *aux, const struct flow *flow, const struct packet *pkt,
          struct dp_translation *t)
{
    struct dp_actions_builder b = {.n = 0};
    uint32_t in = flow->meta.in_port % MAX_IN;
    uint32_t out = atomic_load(&toy_out[in]);
    int toy = atomic_load(&toy_of[in]);

    atomic_fetch_add(&n_translated, 1);
    if (toy == TOY_FAIL) {
        return false;
    }
    if (toy == TOY_OUT || toy == TOY_ONCE) {
        dp_actions_add_output(&b, out);
    } else if (toy == TOY_BAD_PORT) {
        dp_actions_add_output(&b, 4000);
    } else if (toy == TOY_FLOOD_TAGGED) {
        dp_actions_add_output(&b, 2);
        dp_actions_add_push_vlan(&b, 0x8100, 10);
        dp_actions_add_output(&b, 3);
        dp_actions_add_pop_vlan(&b);
        dp_actions_add_output(&b, 7);
        dp_actions_add_pop_vlan(&b);
    }
    t->actions = dp_actions_finish(&b);
    flow_mask_init_minimal(&t->mask, flow);
    memset(&t->mask.eth.dst, 0xff, sizeof t->mask.eth.dst);
    t->cookie = xmalloc(1);
    t->dont_install = toy == TOY_ONCE;
    atomic_fetch_add(&n_cookies, 1);
    return true;
}

static void
cookie_free(void *aux, void *cookie)
{
    free(cookie);
    atomic_fetch_add(&n_cookies_freed, 1);
}

static const struct dp_upcall_ops ops = {.translate = translate, .cookie_free = cookie_free};

/* ---- Helpers. ---- */

static struct netdev *
add_port(const char *name, const char *type, const char *key, const char *value, uint32_t want)
{
    struct smap options = SMAP_INIT;
    struct netdev *netdev;
    char *err = NULL;
    uint32_t no = 0;

    assert_int_equal(netdev_open(name, type, &netdev, &err), 0);
    if (key) {
        smap_set(&options, key, value);
    }
    assert_int_equal(netdev_set_config(netdev, &options, &err), 0);
    smap_destroy(&options);
    netdev_set_up(netdev, true);
    assert_int_equal(dp_port_add(dp, netdev, DP_PORT_NONE, &no, &err), 0);
    assert_int_equal(no, want);
    assert_ptr_equal(dp_port_netdev(dp, no), netdev);
    assert_string_equal(dp_port_name(dp, no), name);
    return netdev;
}

static void
del_port(uint32_t no)
{
    struct netdev *netdev = dp_port_netdev(dp, no);

    dp_port_del(dp, no);
    assert_null(dp_port_netdev(dp, no));
    netdev_close(netdev);
}

/* A UDP packet to destination MAC ...:`to`. */
static struct packet *
make_packet(uint8_t to)
{
    static const uint8_t udp[64] = {
        2, 0,  0,  0,    0,    0,  2, 0, 0, 0,  0, 99, 8, 0, 0x45, 0, 0, 50, 0,  0, 0,
        0, 64, 17, 0x66, 0xb9, 10, 0, 0, 1, 10, 0, 0,  2, 0, 1,    0, 2, 0,  30, 0, 0,
    };
    struct packet *p = packet_from_data(udp, sizeof udp);

    assert_non_null(p);
    packet_data(p)[5] = to;
    return p;
}

static void
inject(struct netdev *netdev, unsigned n, uint8_t to)
{
    for (unsigned i = 0; i < n; i++) {
        dummy_receive(netdev_dummy_cast(netdev), 0, make_packet(to));
    }
    dp_run_main_queues();
}

static uint64_t
tx_packets(const struct netdev *netdev)
{
    struct netdev_stats st;

    netdev_get_stats(netdev, &st);
    return st.tx_packets;
}

static void
set_toy(uint32_t in, enum toy toy, uint32_t out)
{
    atomic_store(&toy_of[in], toy);
    atomic_store(&toy_out[in], out);
}

static uint64_t
coverage(const char *name)
{
    uint64_t total = 0;

    assert_true(coverage_read(name, &total));
    return total;
}

/* Waits up to 5 s for the polling threads. */
static bool
wait_tx(const struct netdev *netdev, uint64_t want)
{
    for (unsigned i = 0; i < 5000; i++) {
        if (tx_packets(netdev) >= want) {
            return true;
        }
        usleep(1000);
        rcu_quiescent_state();
    }
    return false;
}

struct test_conn {
    struct ctl_conn up;
    bool ok;
    char *text;
};

static void
conn_reply(struct ctl_conn *conn_, bool ok, const char *text)
{
    struct test_conn *conn = CONTAINER_OF(conn_, struct test_conn, up);

    conn->ok = ok;
    conn->text = xstrdup(text);
}

static char *
ctl(bool want_ok, int argc, const char *a0, const char *a1, const char *a2)
{
    const char *argv[] = {a0, a1, a2};
    struct test_conn conn = {.up = {conn_reply}};

    ctl_dispatch(&conn.up, argc, argv);
    assert_non_null(conn.text);
    assert_int_equal(conn.ok, want_ok);
    return conn.text;
}

static void
check_ctl(const char *command, const char *want)
{
    char *text = ctl(true, 1, command, NULL, NULL);

    assert_string_equal(text, want);
    free(text);
}

static void
check_ctl_has(const char *command, const char *arg, const char *want)
{
    char *text = ctl(true, arg ? 2 : 1, command, arg, NULL);

    if (!strstr(text, want)) {
        print_error("%s lacks:\n%s\nin:\n%s\n", command, want, text);
        fail();
    }
    free(text);
}

static bool
stat_free_equals(uint32_t want)
{
    struct arena_stats st;
    struct arena *arena;
    char *err = NULL;

    assert_int_equal(packet_default_arena(FRAME_SZ_SMALL, &arena, &err), 0);
    arena_get_stats(arena, &st);
    return st.n_frames - st.n_free - st.n_cached == want;
}

static struct netdev *p1, *p2, *p3, *p7;

static int
setup(void **state)
{
    char *err = NULL;

    for (unsigned i = 0; i < MAX_IN; i++) {
        set_toy(i, TOY_DROP, 0);
    }
    atomic_store(&n_translated, 0);
    atomic_store(&n_cookies, 0);
    atomic_store(&n_cookies_freed, 0);
    if (dp_open("dummy", &ops, &dp, &err)) {
        print_error("%s\n", err);
        return -1;
    }
    p1 = add_port("p1", "dummy", NULL, NULL, 1);
    p2 = add_port("p2", "dummy", NULL, NULL, 2);
    p3 = add_port("p3", "dummy", NULL, NULL, 3);
    p7 = add_port("p7", "dummy", NULL, NULL, 7);
    return 0;
}

static int
teardown(void **state)
{
    static const uint32_t all[] = {1, 2, 3, 7, 4, 5, 6, 8, 100};

    for (unsigned i = 0; i < ARRAY_SIZE(all); i++) {
        if (dp_port_netdev(dp, all[i])) {
            del_port(all[i]);
        }
    }
    assert_int_equal(dp_pmds(dp)->n, 1); /* no polling thread without a port for it */
    dp_close(dp);
    assert_int_equal(atomic_load(&n_cookies), atomic_load(&n_cookies_freed));
    assert_true(stat_free_equals(0));
    return 0;
}

/* ---- Tests. ---- */

static void
test_numbers(void **state)
{
    struct netdev *br, *x;
    char *text;

    br = add_port("br0", "dummy-internal", NULL, NULL, 100);
    x = add_port("eth", "dummy", NULL, NULL, 4);
    assert_string_equal(netdev_name(br), "br0");
    assert_string_equal(netdev_name(x), "eth");
    check_ctl("dpctl/dump-dps", "dummy@ovs-dummy\n");
    check_ctl_has("dpctl/show", NULL,
                  "dummy@ovs-dummy:\n  lookups: hit:0 missed:0 lost:0\n  flows: 0\n"
                  "  port 0: ovs-dummy (dummy-internal)\n  port 1: p1 (dummy");
    check_ctl_has("dpctl/show", "ovs-dummy", "  port 100: br0 (dummy-internal)\n");
    check_ctl_has("dpctl/show", "-s", "    RX packets:0 errors:");
    text = ctl(false, 2, "dpctl/show", "system@ovs-system", NULL);
    free(text);
    text = ctl(false, 3, "dpctl/dump-flows", "ovs-dummy", "filter=nonsense");
    free(text);
}

static void
test_forward_main(void **state)
{
    struct dp_stats st;

    set_toy(1, TOY_OUT, 2);
    inject(p1, 1, 1);
    assert_int_equal(tx_packets(p2), 1);
    assert_int_equal(atomic_load(&n_translated), 1);
    inject(p1, 40, 1);
    assert_int_equal(tx_packets(p2), 41);
    assert_int_equal(atomic_load(&n_translated), 1);
    inject(p1, 32, 2); /* one translation for a burst of a new flow */
    assert_int_equal(atomic_load(&n_translated), 2);
    dp_get_stats(dp, &st);
    assert_int_equal(st.n_hit, 71);
    assert_int_equal(st.n_missed, 2);
    assert_int_equal(st.n_flows, 2);
    check_ctl_has("dpctl/dump-flows", NULL,
                  "flow-dump from the main thread:\nrecirc_id(0),in_port(1)");
    check_ctl_has("dpctl/dump-flows", NULL, "packets:40, bytes:2560, used:");
    check_ctl_has("dpctl/dump-flows", "filter=in_port(p1)", ", actions:2\n");
    check_ctl_has("dpctl/dump-flows", "--names", ", actions:p2\n");
    check_ctl_has("dpctl/dump-flows", "-m", "ufid:");
    check_ctl("dpctl/del-flows", "");
    check_ctl("dpctl/dump-flows", "");
    inject(p1, 1, 1); /* caches do not resurrect what was deleted */
    assert_int_equal(atomic_load(&n_translated), 3);
    check_ctl_has("dpif-netdev/pmd-stats-show", NULL, "main thread:\n  packets received: 74\n");
}

/* Reads the frames of a capture file: first tag TPID of each frame into `tpids`. */
static unsigned
read_pcap(const char *path, uint16_t *tpids, unsigned max)
{
    uint8_t head[16], data[2048];
    FILE *f = fopen(path, "r");
    unsigned n = 0;

    assert_non_null(f);
    assert_int_equal(fseek(f, 24, SEEK_SET), 0);
    while (n < max && fread(head, sizeof head, 1, f) == 1) {
        uint32_t len;

        memcpy(&len, head + 8, 4);
        assert_true(len <= sizeof data);
        assert_int_equal(fread(data, len, 1, f), 1);
        tpids[n++] = (uint16_t) (data[12] << 8 | data[13]);
    }
    fclose(f);
    return n;
}

/* A tag pushed for one output must not show on the others, which share the frame. */
static void
test_flood_vlan(void **state)
{
    char dir[] = "/tmp/xvs-test-dp-XXXXXX", path[3][64];
    const uint32_t ports[3] = {2, 3, 7};
    const uint16_t want[3] = {0x0800, 0x8100, 0x0800};
    uint16_t tpids[8];

    assert_non_null(mkdtemp(dir));
    for (unsigned i = 0; i < 3; i++) {
        struct netdev *netdev = dp_port_netdev(dp, ports[i]);
        struct smap options = SMAP_INIT;
        char *err = NULL;

        snprintf(path[i], sizeof path[i], "%s/%u", dir, ports[i]);
        smap_set(&options, "tx_pcap", path[i]);
        assert_int_equal(netdev_set_config(netdev, &options, &err), 0);
        assert_int_equal(dp_port_reconfigure(dp, ports[i], &err), 0);
        smap_destroy(&options);
    }
    set_toy(1, TOY_FLOOD_TAGGED, 0);
    inject(p1, 3, 1);
    for (unsigned i = 0; i < 3; i++) {
        unsigned n = read_pcap(path[i], tpids, 8);

        assert_int_equal(n, 3);
        for (unsigned j = 0; j < n; j++) {
            assert_int_equal(tpids[j], want[i]);
        }
        unlink(path[i]);
    }
    rmdir(dir);
    check_ctl_has("dpctl/dump-flows", NULL,
                  "actions:2,push_vlan(vid=10,pcp=0),3,pop_vlan,7,pop_vlan\n");
}

static void
test_drops(void **state)
{
    uint64_t no_action = coverage("drop_datapath_no_action");
    uint64_t bad_port = coverage("drop_datapath_invalid_port");
    uint64_t upcall = coverage("drop_datapath_upcall_error");
    struct dp_stats st;

    inject(p1, 5, 1);
    assert_int_equal(coverage("drop_datapath_no_action"), no_action + 5);
    set_toy(2, TOY_BAD_PORT, 0);
    inject(p2, 4, 1);
    assert_int_equal(coverage("drop_datapath_invalid_port"), bad_port + 4);
    set_toy(3, TOY_FAIL, 0);
    inject(p3, 3, 1);
    assert_int_equal(coverage("drop_datapath_upcall_error"), upcall + 3);
    set_toy(7, TOY_ONCE, 1);
    inject(p7, 2, 1);
    assert_int_equal(tx_packets(p1), 2);
    dp_get_stats(dp, &st);
    assert_int_equal(st.n_lost, 3);
    assert_int_equal(st.n_flows, 2); /* those of p1 and p2 */

    dp_set_flow_limit(dp, 2);
    set_toy(7, TOY_OUT, 1);
    inject(p7, 2, 1);
    assert_int_equal(tx_packets(p1), 4);
    dp_get_stats(dp, &st);
    assert_int_equal(st.n_flows, 2);
}

static bool
set_out_cb(struct dp *d, struct dp_flow *f, void *port)
{
    struct dp_actions_builder b = {.n = 0};

    dp_actions_add_output(&b, *(uint32_t *) port);
    dp_flow_set_actions(d, f, dp_actions_finish(&b));
    return true;
}

static void
test_flow_actions_and_port_del(void **state)
{
    uint32_t three = 3;
    struct dp_stats st;

    set_toy(1, TOY_OUT, 2);
    set_toy(7, TOY_OUT, 1);
    inject(p1, 1, 1);
    inject(p7, 1, 1);
    dp_flow_for_each(dp, set_out_cb, &three);
    inject(p1, 2, 1);
    assert_int_equal(tx_packets(p2), 1);
    assert_int_equal(tx_packets(p3), 2);
    assert_int_equal(atomic_load(&n_translated), 2);
    del_port(3); /* both flows output there */
    dp_get_stats(dp, &st);
    assert_int_equal(st.n_flows, 0);
    inject(p1, 1, 1);
    assert_int_equal(tx_packets(p2), 2);
}

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
    struct smap oc = SMAP_INIT;
    struct pmd *pmd = only_pmd();
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
    inject(p4, 3, 1);
    assert_true(wait_tx(p1, 6));
    assert_true(atomic_load(&pmd->stats.n[PMD_STAT_SMC_HIT]) > 0);
    assert_int_equal(atomic_load(&pmd->stats.n[PMD_STAT_EMC_HIT]), 0);

    smap_set(&options, "n_rxq", "2");
    assert_int_equal(netdev_set_config(p4, &options, &err), 0);
    assert_int_equal(dp_port_reconfigure(dp, 4, &err), 0);
    assert_int_equal(only_pmd()->polls->n, 2);
    inject(p4, 1, 1);
    assert_true(wait_tx(p1, 7));

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
    assert_true(wait_tx(p1, 8));
    smap_clear(&oc);
    dp_set_config(&oc);
    only_pmd();
    inject(p4, 1, 1);
    assert_true(wait_tx(p1, 9));
    smap_destroy(&oc);
    smap_destroy(&port_oc);
    smap_destroy(&options);
}

static void
test_open(void **state)
{
    struct dp *again, *netdev_dp;
    char *err = NULL, *text;

    assert_int_equal(dp_open("dummy", &ops, &again, &err), 0);
    assert_ptr_equal(again, dp);
    dp_close(again);
    assert_int_not_equal(dp_open("nonsense", &ops, &again, &err), 0);
    assert_non_null(err);
    free(err);
    err = NULL;
    assert_int_equal(dp_open("", &ops, &netdev_dp, &err), 0);
    assert_string_equal(dp_name(netdev_dp), "ovs-netdev");
    text = ctl(false, 1, "dpif-netdev/pmd-stats-show", NULL, NULL);
    assert_string_equal(text, "please specify an existing datapath");
    free(text);
    dp_close(netdev_dp);
}

int
main(void)
{
#define T(F) cmocka_unit_test_setup_teardown(F, setup, teardown)
    const struct CMUnitTest tests[] = {
        T(test_numbers),
        T(test_forward_main),
        T(test_flood_vlan),
        T(test_drops),
        T(test_flow_actions_and_port_del),
        T(test_forward_pmd),
        T(test_sleep),
        T(test_del_under_traffic),
        T(test_flush_interval),
        T(test_one_sender_a_queue),
        T(test_queues_and_cores),
        T(test_open),
    };
    int rc;

    thread_adopt("");
    loop = evloop_create();
    netdev_init(loop, "");
    netdev_class_register(&strict_class);
    dp_init(loop);
    rc = cmocka_run_group_tests(tests, NULL, NULL);
    evloop_destroy(loop);
    return rc;
}
