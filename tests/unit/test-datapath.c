/* SPDX-License-Identifier: Apache-2.0 */
/* The datapath end to end on dummy devices, on the main thread: packets queued on a port come
 * out where a toy translation says; every frame comes back.  test-dp-threads.c does the polling
 * threads. */

#include "dp-harness.h"

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
    const struct CMUnitTest tests[] = {
        T(test_numbers),
        T(test_forward_main),
        T(test_flood_vlan),
        T(test_drops),
        T(test_flow_actions_and_port_del),
        T(test_open),
    };

    return run_datapath_tests(tests, ARRAY_SIZE(tests), NULL);
}
