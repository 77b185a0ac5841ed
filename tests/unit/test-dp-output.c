/* SPDX-License-Identifier: Apache-2.0 */
/* Megaflows that are only output, which the fast path sends without looking at their actions:
 * they do what these say all the same, also after they were replaced, and count; packets for
 * ports that share a slot of the stage go where they belong. */

#include "dp-harness.h"

static bool
any_flow(struct dp *d, struct dp_flow *f, void *found)
{
    *(struct dp_flow **) found = f;
    return false;
}

static void
test_replaced(void **state)
{
    struct pmd *pmd = dp_pmds(dp)->pmds[0];
    uint64_t drops = coverage("drop_datapath_no_action");
    uint64_t invalid = coverage("drop_datapath_invalid_port");
    struct dp_actions_builder b = {.n = 0};
    struct dp_flow *f = NULL;
    uint64_t n;

    set_toy(1, TOY_OUT, 2);
    inject(p1, 3, 1);
    pmd_flow_for_each(dp, pmd, any_flow, &f);
    assert_non_null(f);
    assert_int_equal(f->only_output, 2);
    assert_int_equal(tx_packets(p2), 3);

    dp_actions_add_push_vlan(&b, 0x8100, 10);
    dp_actions_add_output(&b, 3);
    megaflow_set_actions(f, dp_actions_finish(&b));
    assert_int_equal(f->only_output, DP_PORT_NONE);
    inject(p1, 40, 1);
    assert_int_equal(tx_packets(p3), 40);

    megaflow_set_actions(f, dp_actions_finish(&b));
    inject(p1, 2, 1);
    assert_int_equal(coverage("drop_datapath_no_action") - drops, 2);

    dp_actions_add_output(&b, 7);
    megaflow_set_actions(f, dp_actions_finish(&b));
    inject(p1, 40, 1);
    assert_int_equal(tx_packets(p7), 40);

    dp_actions_add_output(&b, 4000);
    megaflow_set_actions(f, dp_actions_finish(&b));
    inject(p1, 5, 1);
    assert_int_equal(coverage("drop_datapath_invalid_port") - invalid, 5);

    assert_int_equal(tx_packets(p2), 3);
    n = 3 + 40 + 2 + 40 + 5 - 1; /* the first is the translation's */
    assert_int_equal(f->n_packets, n);
    assert_int_equal(f->n_bytes, n * 64);
}

static void
test_shared_slot(void **state)
{
    struct netdev *far;
    char *err = NULL;
    uint32_t no = 0;

    assert_int_equal(netdev_open("far", "dummy", &far, &err), 0);
    netdev_set_up(far, true);
    assert_int_equal(dp_port_add(dp, far, 2 + STAGE_SLOTS, &no, &err), 0);
    assert_int_equal(no, 2 + STAGE_SLOTS);
    set_toy(1, TOY_OUT, 2);
    inject(p1, 1, 1);
    set_toy(1, TOY_OUT, no);
    inject(p1, 1, 2);
    for (unsigned i = 0; i < 70; i++) {
        dummy_receive(netdev_dummy_cast(p1), 0, make_packet((uint8_t) (1 + i % 2)));
    }
    dp_run_main_queues();
    assert_int_equal(tx_packets(p2), 36);
    assert_int_equal(tx_packets(far), 36);
    del_port(no);
}

/* Flows that do more come in between: nothing is lost, each keeps its number of packets. */
static void
test_mixed(void **state)
{
    set_toy(1, TOY_OUT, 2);
    inject(p1, 1, 1);
    set_toy(1, TOY_FLOOD_TAGGED, 0);
    inject(p1, 1, 2);
    for (unsigned i = 0; i < 96; i++) {
        dummy_receive(netdev_dummy_cast(p1), 0, make_packet((uint8_t) (1 + i % 2)));
    }
    dp_run_main_queues();
    assert_int_equal(tx_packets(p2), 49 + 49);
    assert_int_equal(tx_packets(p3), 49);
    assert_int_equal(tx_packets(p7), 49);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        T(test_replaced),
        T(test_shared_slot),
        T(test_mixed),
    };

    return run_datapath_tests(tests, ARRAY_SIZE(tests), NULL);
}
