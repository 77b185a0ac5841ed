/* SPDX-License-Identifier: Apache-2.0 */
#ifndef XVS_TESTS_DP_HARNESS_H
#define XVS_TESTS_DP_HARNESS_H 1

/* For the tests of the datapath on dummy devices: four ports, a toy translation that each test
 * sets, packets put in and counted, control commands; at the end every frame and cookie is
 * back. One test program includes it once. */

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

#pragma GCC diagnostic ignored "-Wunused-function"

static struct evloop *loop;
static struct dp *dp;

/* ---- Toy translation: what a packet from port N does, set per test. ---- */

enum toy { TOY_DROP, TOY_OUT, TOY_FLOOD_TAGGED, TOY_FAIL, TOY_ONCE, TOY_BAD_PORT, TOY_P2P };
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
    if (toy == TOY_OUT || toy == TOY_ONCE || toy == TOY_P2P) {
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
    memset(&t->mask.eth.dst, toy == TOY_P2P ? 0 : 0xff, sizeof t->mask.eth.dst);
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

static bool
delete_flow(struct dp *d, struct dp_flow *f, void *aux)
{
    megaflow_delete(f);
    return true;
}

/* All that the thread has. */
static void
delete_flows(struct pmd *pmd)
{
    pmd_flow_for_each(dp, pmd, delete_flow, NULL);
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

static int
run_datapath_tests(const struct CMUnitTest *tests, size_t n, const struct netdev_class *extra)
{
    int failed;

    thread_adopt("");
    loop = evloop_create();
    netdev_init(loop, "");
    if (extra) {
        netdev_class_register(extra);
    }
    dp_init(loop);
    failed = _cmocka_run_group_tests("datapath", tests, n, NULL, NULL);
    evloop_destroy(loop);
    return failed;
}
#define T(NAME) cmocka_unit_test_setup_teardown(NAME, setup, teardown)

#endif
