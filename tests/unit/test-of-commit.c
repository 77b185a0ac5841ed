/* SPDX-License-Identifier: Apache-2.0 */
/* Bundles and flow mods that take many turns of the event loop: what the others see meanwhile,
 * who waits, and what becomes of a commit whose sender, bridge or tables go. */

#include "of-commit-harness.h"

/* ------------------------------------------------------------------ tests */

/* Everybody sees all of it or nothing, in every turn, and gets answers. */
static void
test_atomic(void **state)
{
    unsigned n = 0, n_before = 0;

    fill_bundle(a, N + 1);
    send_control(a, OFPBCT_COMMIT_REQUEST);
    while (o->conns->commit) {
        bool before = hits(o, 1);

        assert_int_equal(hits(o, 2 * N), before ? 0 : 2 * N);
        assert_int_equal(hits(o, N), before ? N : 0);
        assert_int_equal(n_flows(b), N);
        send_empty(b, OFM_BARRIER_REQUEST);
        assert_string_equal(sent(b), "OFPT_BARRIER_REPLY ");
        n_before += before;
        n++;
        evloop_turn(loop, 0);
    }
    /* 3000 flows to find, to delete, to add; 6000 steps to tell; 3000 messages to look through
     * for what is no change of tables. */
    assert_in_range(n_before, 3 * N / PARTS - 3, 3 * N / PARTS + 3);
    assert_in_range(n, 6 * N / PARTS - 6, 6 * N / PARTS + 6);
    assert_string_equal(sent(a), "OFPT_BUNDLE_CONTROL ");
    assert_int_equal(hits(o, 1), 0);
    assert_int_equal(hits(o, 2 * N), 2 * N);
}

/* A flow mod of many flows is one too, and is no error when it ends. */
static void
test_flow_mods_of_many(void **state)
{
    unsigned n = 0;

    send_flow_mod(a, DELETE, 0, 0);
    while (o->conns->commit) {
        assert_int_equal(n_flows(b), hits(o, 1) && hits(o, N) ? N : 0);
        evloop_turn(loop, 0);
        n++;
    }
    assert_in_range(n, 3 * N / PARTS - 3, 3 * N / PARTS + 3);
    assert_int_equal(n_flows(b), 0);
    assert_string_equal(sent(a), "");
    send_flow_mod(a, ADD, 1, 0);
    send_flow_mod(a, ADD, 2, 0);
    send_flow_mod(a, MODIFY, 0, 77); /* small: over at once */
    assert_null(o->conns->commit);
    assert_string_equal(sent(a), "OFPBAC_BAD_OUT_GROUP ");
}

/* What fails in the middle leaves nothing. */
static void
test_failure(void **state)
{
    fill_bundle(a, N + 1);
    send_in_bundle(a, ADD, 9, 77); /* there is no group */
    send_control(a, OFPBCT_COMMIT_REQUEST);
    assert_in_range(turns(TO_THE_END), 4 * N / PARTS, 6 * N / PARTS);
    assert_string_equal(sent(a), "OFPBAC_BAD_OUT_GROUP OFPBFC_MSG_FAILED ");
    assert_int_equal(n_flows(b), N);
    assert_true(hits(o, 1) && hits(o, N) && !hits(o, N + 1));
    /* The next one works. */
    fill_bundle(a, N + 1);
    send_control(a, OFPBCT_COMMIT_REQUEST);
    turns(TO_THE_END);
    assert_string_equal(sent(a), "OFPT_BUNDLE_CONTROL ");
    assert_true(!hits(o, 1) && hits(o, 2 * N));
}

/* Each connection's messages stay in order; others' changes come behind the commit. */
static void
test_order(void **state)
{
    fill_bundle(a, N + 1);
    fill_bundle(b, 2 * N + 1);
    send_control(a, OFPBCT_COMMIT_REQUEST);
    turns(3);
    send_flow_mod(a, ADD, 5, 77);
    send_empty(a, OFM_BARRIER_REQUEST);
    send_empty(b, OFM_BARRIER_REQUEST);     /* nothing that it has to wait for */
    send_control(b, OFPBCT_COMMIT_REQUEST); /* that has */
    send_empty(b, OFM_BARRIER_REQUEST);
    assert_string_equal(sent(a), "");
    assert_string_equal(sent(b), "OFPT_BARRIER_REPLY ");
    turns(3);
    assert_string_equal(sent(a), "");
    assert_string_equal(sent(b), "");
    while (!a->sink.len) {
        evloop_turn(loop, 0);
    }
    /* The bundle of `a`, its flow mod behind it; then that of `b`, which is not over. */
    assert_string_equal(sent(a),
                        "OFPT_BUNDLE_CONTROL OFPBAC_BAD_OUT_GROUP OFPT_BARRIER_REPLY ");
    assert_string_equal(sent(b), "");
    assert_int_equal(hits(o, 2 * N), 2 * N);
    assert_non_null(o->conns->commit);
    turns(TO_THE_END);
    assert_string_equal(sent(b), "OFPT_BUNDLE_CONTROL OFPT_BARRIER_REPLY ");
    assert_int_equal(hits(o, 2 * N), 0);
    assert_int_equal(hits(o, 3 * N), 3 * N);
    assert_int_equal(n_flows(b), N);
}

/* The sender is gone in the middle: what it has asked for is done all the same. */
static void
test_sender_goes(void **state)
{
    fill_bundle(a, N + 1);
    send_control(a, OFPBCT_COMMIT_REQUEST);
    turns(2 * N / PARTS + 5);
    assert_true(hits(o, 1) && o->conns->commit);
    send_empty(a, OFM_BARRIER_REQUEST); /* which waits, and goes with it */
    send_flow_mod(a, ADD, 8 * N, 0);
    send_flow_mod(b, ADD, 9 * N, 0);
    ofconn_destroy(a);
    assert_true(hits(o, 1) && oftables_count(o->tables) == N);
    assert_true(turns(TO_THE_END) > 20);
    assert_true(!hits(o, 1) && !hits(o, N) && hits(o, N + 1) && !hits(o, 8 * N));
    assert_int_equal(hits(o, 9 * N), 9 * N); /* which has waited */
    assert_int_equal(n_flows(b), N + 1);

    /* When it was seen already; and when a message of it fails. */
    a = ofconn_create_fake(o->conns, OF14_VERSION);
    fill_bundle(a, 1);
    send_control(a, OFPBCT_COMMIT_REQUEST);
    while (!hits(o, 1)) {
        evloop_turn(loop, 0);
    }
    assert_non_null(o->conns->commit);
    ofconn_destroy(a);
    turns(TO_THE_END);
    assert_int_equal(n_flows(b), N);
    assert_true(hits(o, 1) && !hits(o, 9 * N) && !hits(o, 2 * N));
    a = ofconn_create_fake(o->conns, OF14_VERSION);
    fill_bundle(a, N + 1);
    send_in_bundle(a, ADD, 9, 77);
    send_control(a, OFPBCT_COMMIT_REQUEST);
    turns(3);
    ofconn_destroy(a);
    turns(TO_THE_END);
    assert_true(n_flows(b) == N && hits(o, 1) && !hits(o, 2 * N));
    /* One that waits may go, too. */
    fill_bundle(b, 1);
    send_control(b, OFPBCT_COMMIT_REQUEST);
    a = ofconn_create_fake(o->conns, OF14_VERSION);
    send_flow_mod(a, DELETE, 0, 0);
    ofconn_destroy(a);
    turns(TO_THE_END);
    assert_int_equal(n_flows(b), N);
}

/* The bridge is deleted at any time of a commit. */
static void
test_bridge_goes(void **state)
{
    for (unsigned after = 0; after < 6 * N / PARTS; after += N / PARTS / 2) {
        fill_bundle(a, N + 1);
        send_in_bundle(a, MODIFY, 0, 0);
        send_control(a, OFPBCT_COMMIT_REQUEST);
        turns(after);
        send_flow_mod(b, ADD, 9 * N, 0);
        teardown(state);
        begin(state);
    }
}

/* Settings of tables do not care; when all flows are to go, they do behind the commit. */
static void
test_settings(void **state)
{
    struct oftable_config config = *oftables_get_config(o->tables, 0);

    fill_bundle(a, N + 1);
    send_control(a, OFPBCT_COMMIT_REQUEST);
    turns(3);
    strcpy(config.name, "first");
    oftables_set_config(o->tables, 0, &config);
    assert_string_equal(oftables_get_config(o->tables, 0)->name, "first");
    assert_true(hits(o, 1) && !hits(o, 2 * N));
    assert_true(turns(TO_THE_END) > 20);
    assert_string_equal(sent(a), "OFPT_BUNDLE_CONTROL ");
    assert_true(!hits(o, 1) && hits(o, 2 * N));
    /* No controller answers: the bridge switches by itself. */
    fill_bundle(a, 1);
    send_control(a, OFPBCT_COMMIT_REQUEST);
    turns(3);
    ofproto_set_fail_open(o, true);
    assert_true(!hits(o, 1) && hits(o, 2 * N));
    assert_true(turns(TO_THE_END) > 20);
    assert_string_equal(sent(a), "OFPT_BUNDLE_CONTROL ");
    for (int i = 0; i < 1000 && oftables_is_busy(o->tables); i++) {
        evloop_turn(loop, 10);
    }
    assert_int_equal(oftables_count(o->tables), 1);
    ofproto_set_fail_open(o, false);
    assert_int_equal(n_flows(b), 0);
}

/* Time-outs wait, and then are made up for. */
static void
test_expiry(void **state)
{
    struct of_buf m = OF_BUF_INIT;

    put_flow_mod(&m, ADD, 9 * N, 0, 2);
    send_msg(a, &m);
    fill_bundle(a, N + 1);
    send_in_bundle(a, ADD, 7 * N, 77);
    send_control(a, OFPBCT_COMMIT_REQUEST);
    turns(3);
    clock_warp(5000);
    oftables_run(o->tables);
    assert_int_equal(hits(o, 9 * N), 9 * N);
    turns(TO_THE_END);
    assert_string_equal(sent(a), "OFPBAC_BAD_OUT_GROUP OFPBFC_MSG_FAILED ");
    for (int i = 0; i < 500 && hits(o, 9 * N); i++) {
        evloop_turn(loop, 10); /* not as late as by the timer: the clock stands still */
    }
    assert_int_equal(hits(o, 9 * N), 0);
    assert_int_equal(n_flows(b), N);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        U(test_atomic),      U(test_flow_mods_of_many), U(test_failure),  U(test_order),
        U(test_sender_goes), U(test_bridge_goes),       U(test_settings), U(test_expiry),
    };

    return run_bridge_tests(tests, ARRAY_SIZE(tests));
}
