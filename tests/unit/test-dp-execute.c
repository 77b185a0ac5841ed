/* SPDX-License-Identifier: Apache-2.0 */
/* Actions executed on packets: what arrives where, by way of a punt that looks at them; nested
 * lists, truncation, recirculation and its limits, meters under the virtual clock. */

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "datapath/dp-meter.h"
#include "datapath/dp-private.h"
#include "flow/flow-format.h"
#include "log/coverage.h"
#include "netdev/dummy/dummy-private.h"
#include "os/clock.h"
#include "packet/headers.h"
#include "util/xalloc.h"

static struct evloop *loop;
static struct dp *dp;
static struct netdev *p1, *p2;

/* What recirculated packets get: the list that a test made for their recirc_id. */
static struct dp_actions *by_recirc[16];

/* What punts saw, in order. */
#define MAX_SEEN 64u
static struct seen {
    uint64_t word;
    uint16_t len;
    uint8_t dst5;
    uint32_t recirc_id, dp_hash, mark;
} seen[MAX_SEEN];
static unsigned n_seen;

static void
punt(void *aux, const struct packet *p, const uint64_t *words, uint16_t n)
{
    assert_true(n_seen < MAX_SEEN);
    seen[n_seen++] = (struct seen){.word = n ? words[0] : 0,
                                   .len = p->len,
                                   .dst5 = packet_data(p)[5],
                                   .recirc_id = p->recirc_id,
                                   .dp_hash = p->dp_hash,
                                   .mark = p->pkt_mark};
}

static bool
translate(void *aux, const struct flow *flow, const struct packet *pkt,
          struct dp_translation *t)
{
    const struct dp_actions *a = by_recirc[flow->meta.recirc_id % 16];
    size_t size = sizeof *a + a->n * sizeof a->a[0] + a->n_words * 8;

    t->actions = xmalloc(size);
    memcpy(t->actions, a, size);
    flow_mask_init_minimal(&t->mask, flow);
    return true;
}

static const struct dp_upcall_ops ops = {.translate = translate, .punt = punt};

static void
add_punt(struct dp_actions_builder *b, uint64_t word)
{
    dp_actions_add_punt(b, &word, 1);
}

static void
add_set_dst5(struct dp_actions_builder *b, uint8_t value)
{
    struct flow_eth v = {.dst.ea[5] = value}, m = {.dst.ea[5] = 0xff};

    dp_actions_add_set(b, FS_ETH, 0, &v, &m);
}

static struct packet *
make_packet(uint16_t len)
{
    static const uint8_t udp[42] = {
        2, 0,  0,  0,    0,    0,  2, 0, 0, 0,  0, 99, 8, 0, 0x45, 0, 0, 50, 0,  0, 0,
        0, 64, 17, 0x66, 0xb9, 10, 0, 0, 1, 10, 0, 0,  2, 0, 1,    0, 2, 0,  30, 0, 0,
    };
    struct packet *p = packet_new(len);

    assert_non_null(p);
    memset(packet_data(p), 0, len);
    memcpy(packet_data(p), udp, sizeof udp);
    p->in_port = 1;
    return p;
}

static void
run(struct dp_actions_builder *b, struct packet *p)
{
    struct dp_actions *a = dp_actions_finish(b);

    n_seen = 0;
    dp_execute_packet(dp, p, a);
    free(a);
}

static uint64_t
tx_packets(const struct netdev *netdev)
{
    struct netdev_stats st;

    netdev_get_stats(netdev, &st);
    return st.tx_packets;
}

static uint64_t
coverage(const char *name)
{
    uint64_t total = 0;

    assert_true(coverage_read(name, &total));
    return total;
}

static struct netdev *
add_port(const char *name, uint32_t want)
{
    struct netdev *netdev;
    char *err = NULL;
    uint32_t no;

    assert_int_equal(netdev_open(name, "dummy", &netdev, &err), 0);
    netdev_set_up(netdev, true);
    assert_int_equal(dp_port_add(dp, netdev, DP_PORT_NONE, &no, &err), 0);
    assert_int_equal(no, want);
    return netdev;
}

static int
setup(void **state)
{
    char *err = NULL;

    assert_int_equal(dp_open("dummy", &ops, &dp, &err), 0);
    p1 = add_port("p1", 1);
    p2 = add_port("p2", 2);
    return 0;
}

static int
teardown(void **state)
{
    struct arena_stats st;
    struct arena *arena;
    char *err = NULL;

    dp_port_del(dp, 1);
    dp_port_del(dp, 2);
    netdev_close(p1);
    netdev_close(p2);
    dp_close(dp);
    for (unsigned i = 0; i < 16; i++) {
        free(by_recirc[i]);
        by_recirc[i] = NULL;
    }
    assert_int_equal(packet_default_arena(FRAME_SZ_SMALL, &arena, &err), 0);
    arena_get_stats(arena, &st);
    assert_int_equal(st.n_frames - st.n_free - st.n_cached, 0); /* every frame came back */
    return 0;
}

/* What a clone changes is its own; what came before and after sees its own bytes. */
static void
test_clone(void **state)
{
    struct dp_actions_builder b = {.n = 0};
    uint32_t at, inner;

    add_punt(&b, 1);
    dp_actions_add_output(&b, 2);
    at = dp_actions_begin_clone(&b);
    add_set_dst5(&b, 7);
    add_punt(&b, 2);
    inner = dp_actions_begin_clone(&b);
    add_set_dst5(&b, 8);
    add_punt(&b, 3);
    dp_actions_end_clone(&b, inner);
    add_punt(&b, 4);
    dp_actions_end_clone(&b, at);
    add_punt(&b, 5);
    add_set_dst5(&b, 9);
    add_punt(&b, 6);
    run(&b, make_packet(64));
    assert_int_equal(n_seen, 6);
    for (unsigned i = 0; i < 6; i++) {
        static const uint8_t want[6] = {0, 7, 8, 7, 0, 9};

        assert_int_equal(seen[i].word, i + 1);
        assert_int_equal(seen[i].dst5, want[i]);
    }
    assert_int_equal(tx_packets(p2), 1);
}

static void
test_trunc_and_length(void **state)
{
    static const uint16_t lens[] = {64, 200, 201, 1000};

    for (unsigned i = 0; i < 4; i++) {
        struct dp_actions_builder b = {.n = 0};
        struct netdev_stats was, st;
        uint32_t at;

        netdev_get_stats(p2, &was);
        dp_actions_add_trunc(&b, 100);
        dp_actions_add_output(&b, 2);
        dp_actions_add_output(&b, 2);
        at = dp_actions_begin_check_pkt_len(&b, 200);
        add_punt(&b, 1);
        dp_actions_else_check_pkt_len(&b, at);
        add_punt(&b, 2);
        add_punt(&b, 3);
        dp_actions_end_check_pkt_len(&b, at);
        add_punt(&b, 4);
        run(&b, make_packet(lens[i]));
        netdev_get_stats(p2, &st);
        assert_int_equal(st.tx_packets - was.tx_packets, 2);
        assert_int_equal(st.tx_bytes - was.tx_bytes, MIN(lens[i], 100) + lens[i]);
        assert_int_equal(n_seen, lens[i] > 200 ? 2 : 3);
        assert_int_equal(seen[0].word, lens[i] > 200 ? 1 : 2);
        assert_int_equal(seen[n_seen - 1].word, 4);
        assert_int_equal(seen[n_seen - 1].len, lens[i]);
    }
}

/* Hash, then again through the tables, where the id says what to do; the packet that goes on
 * behind the recirculation is another one. */
static void
test_recirc(void **state)
{
    struct dp_actions_builder b = {.n = 0};

    add_punt(&b, 2);
    by_recirc[1] = dp_actions_finish(&b);
    dp_actions_add_hash(&b, DP_HASH_L4, 0);
    dp_actions_add_recirc(&b, 1);
    add_set_dst5(&b, 3);
    add_punt(&b, 1);
    run(&b, make_packet(64));
    assert_int_equal(n_seen, 2);
    assert_int_equal(seen[0].word, 1);
    assert_int_equal(seen[0].recirc_id, 0);
    assert_int_equal(seen[0].dst5, 3);
    assert_int_equal(seen[1].word, 2);
    assert_int_equal(seen[1].recirc_id, 1);
    assert_int_equal(seen[1].dst5, 0);
    assert_int_not_equal(seen[1].dp_hash, 0);
    assert_int_equal(seen[1].dp_hash, seen[0].dp_hash);
}

static uint32_t
hash_text(const char *text, enum dp_hash_alg alg, uint32_t basis)
{
    struct flow flow;
    struct packet *p;
    char *err = NULL;
    uint32_t h;

    assert_int_equal(flow_parse(text, &flow, NULL, NULL, &err), 0);
    p = flow_compose(&flow, 0);
    assert_non_null(p);
    h = dp_hash(p, alg, basis);
    packet_free(p);
    assert_int_not_equal(h, 0);
    return h;
}

/* Both directions of a connection, by algorithm. */
static void
test_hash(void **state)
{
    static const struct {
        const char *there, *back;
    } pairs[] = {
#define V4(A, B, P)                                                                            \
    "eth(src=00:00:00:00:00:0" A ",dst=00:00:00:00:00:0" B "),eth_type(0x0800),"               \
    "ipv4(src=10.0.0." A ",dst=10.0.0." B ",proto=" P ",ttl=64,frag=no),"
#define FIRST "eth_type(0x0800),ipv4(src=10.0.0.1,dst=10.0.0.2,proto=17,ttl=64,frag=first),"
#define V6(A, B)                                                                               \
    "eth(src=00:00:00:00:00:0" A ",dst=00:00:00:00:00:0" B "),eth_type(0x86dd),"               \
    "ipv6(src=fe80::" A ",dst=fe80::" B ",proto=6,hlimit=64,frag=no),"
        {V4("1", "2", "6") "tcp(src=1000,dst=80)", V4("2", "1", "6") "tcp(src=80,dst=1000)"},
        {V4("1", "2", "17") "udp(src=1000,dst=53)", V4("2", "1", "17") "udp(src=53,dst=1000)"},
        {V4("1", "2", "132") "sctp(src=1,dst=53)", V4("2", "1", "132") "sctp(src=53,dst=1)"},
        {V6("1", "2") "tcp(src=1000,dst=80)", V6("2", "1") "tcp(src=80,dst=1000)"},
        {"eth(src=00:00:00:00:00:01,dst=00:00:00:00:00:02),eth_type(0x1234)",
         "eth(src=00:00:00:00:00:02,dst=00:00:00:00:00:01),eth_type(0x1234)"},
    };

    for (unsigned i = 0; i < ARRAY_SIZE(pairs); i++) {
        uint32_t there = hash_text(pairs[i].there, DP_HASH_SYM_L4, 3);

        assert_int_equal(there, hash_text(pairs[i].back, DP_HASH_SYM_L4, 3));
        assert_int_not_equal(there, hash_text(pairs[i].there, DP_HASH_SYM_L4, 4));
        assert_int_not_equal(hash_text(pairs[i].there, DP_HASH_L4, 3),
                             hash_text(pairs[i].back, DP_HASH_L4, 3));
    }
    /* Ports count, but not of fragments, most of which have none. */
    assert_int_not_equal(hash_text(V4("1", "2", "17") "udp(src=1,dst=2)", DP_HASH_SYM_L4, 0),
                         hash_text(V4("1", "2", "17") "udp(src=1,dst=9)", DP_HASH_SYM_L4, 0));
    assert_int_equal(hash_text(FIRST "udp(src=1,dst=2)", DP_HASH_SYM_L4, 0),
                     hash_text(FIRST "udp(src=1,dst=9)", DP_HASH_SYM_L4, 0));
}

/* A packet that would go round for ever is dropped in the end, one that multiplies too. */
static void
test_recirc_limits(void **state)
{
    uint64_t passes = coverage("drop_datapath_recirc_passes");
    uint64_t queue = coverage("drop_datapath_recirc_queue");
    struct dp_actions_builder b = {.n = 0};

    add_punt(&b, 2);
    dp_actions_add_recirc(&b, 1);
    by_recirc[1] = dp_actions_finish(&b);
    dp_actions_add_recirc(&b, 1);
    run(&b, make_packet(64));
    assert_int_equal(n_seen, PMD_RECIRC_PASSES);
    assert_int_equal(coverage("drop_datapath_recirc_passes"), passes + 1);

    for (unsigned i = 0; i < 20; i++) {
        dp_actions_add_recirc(&b, 2);
    }
    by_recirc[2] = dp_actions_finish(&b);
    dp_actions_add_recirc(&b, 2);
    run(&b, make_packet(64));
    assert_true(coverage("drop_datapath_recirc_queue") > queue);
}

static void
meter(const struct dp_meter_config *c, unsigned n, uint16_t len)
{
    assert_int_equal(dp_meter_set(dp, 5, c), 0);
    n_seen = 0;
    for (unsigned i = 0; i < n; i++) {
        struct packet_batch b = {.n = 1, .pkts = {make_packet(len)}};

        dp_meter_run(dp, 5, &b);
        n_seen += b.n;
        packet_batch_free(&b);
    }
}

static unsigned
meter_more(unsigned n, uint16_t len)
{
    struct packet_batch b = {.n = 0};

    for (unsigned i = 0; i < n; i++) {
        packet_batch_add(&b, make_packet(len));
    }
    dp_meter_run(dp, 5, &b);
    n = b.n;
    packet_batch_free(&b);
    return n;
}

static void
test_meter(void **state)
{
    const struct dp_meter_config pps = {true, 1, {{.rate = 10, .burst = 4}}};
    const struct dp_meter_config kbps = {false, 1, {{.rate = 8, .burst = 0}}};
    const struct dp_meter_config two = {
        true, 2, {{.rate = 20, .burst = 8}, {.rate = 10, .burst = 4}}};
    struct dp_meter_config bad = pps;
    struct dp_meter_stats st;

    clock_stop();
    meter(&pps, 10, 64);
    assert_int_equal(n_seen, 4); /* the burst */
    clock_warp(100);             /* one more packet's worth */
    assert_int_equal(meter_more(3, 64), 1);
    clock_warp(10000); /* no more than the burst gathers */
    assert_int_equal(meter_more(32, 64), 4);
    assert_true(dp_meter_get_stats(dp, 5, &st));
    assert_int_equal(st.n_packets, 45);
    assert_int_equal(st.n_bytes, 45 * 64);
    assert_int_equal(st.bands[0].n_packets, 36);
    assert_int_equal(st.bands[0].n_bytes, 36 * 64);

    meter(&kbps, 20, 125); /* 1,000 bits each, 8,000 at once */
    assert_int_equal(n_seen, 8);
    clock_warp(250);
    assert_int_equal(meter_more(4, 125), 2);

    meter(&two, 20, 64);
    assert_int_equal(n_seen, 4);
    assert_true(dp_meter_get_stats(dp, 5, &st));
    assert_int_equal(st.bands[0].n_packets, 12); /* over both: the higher rate's */
    assert_int_equal(st.bands[1].n_packets, 4);

    assert_int_equal(dp_meter_del(dp, 5), 0);
    assert_int_equal(dp_meter_del(dp, 5), ENOENT);
    assert_int_equal(meter_more(32, 64), 32);
    assert_false(dp_meter_get_stats(dp, 5, &st));
    assert_int_equal(dp_meter_set(dp, DP_METER_MAX, &pps), EINVAL);
    bad.bands[0].rate = 0;
    assert_int_equal(dp_meter_set(dp, 5, &bad), EINVAL);
    assert_int_equal(dp_meter_set(dp, DP_METER_MAX - 1, &pps), 0);
    assert_true(dp_meter_get_stats(dp, DP_METER_MAX - 1, &st));
}

/* A thousand-fold rate does not overflow the arithmetic. */
static void
test_meter_extremes(void **state)
{
    const struct dp_meter_config fast = {true, 1, {{.rate = UINT32_MAX, .burst = UINT32_MAX}}};
    const struct dp_meter_config deep = {false, 1, {{.rate = 1, .burst = UINT32_MAX}}};

    meter(&fast, 50, 1000);
    assert_int_equal(n_seen, 50);
    clock_warp(INT64_C(86400000) * 400);
    assert_int_equal(meter_more(32, 1000), 32);
    meter(&deep, 50, 1000);
    assert_int_equal(n_seen, 50);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_clone, setup, teardown),
        cmocka_unit_test_setup_teardown(test_trunc_and_length, setup, teardown),
        cmocka_unit_test_setup_teardown(test_recirc, setup, teardown),
        cmocka_unit_test_setup_teardown(test_hash, setup, teardown),
        cmocka_unit_test_setup_teardown(test_recirc_limits, setup, teardown),
        cmocka_unit_test_setup_teardown(test_meter, setup, teardown),
        cmocka_unit_test_setup_teardown(test_meter_extremes, setup, teardown),
    };

    int rc;

    thread_adopt("");
    loop = evloop_create();
    netdev_init(loop, "");
    dp_init(loop);
    rc = cmocka_run_group_tests(tests, NULL, NULL);
    evloop_destroy(loop);
    return rc;
}
