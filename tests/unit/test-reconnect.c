/* SPDX-License-Identifier: Apache-2.0 */

/* The reconnection state machine under a clock made up here. */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "rpc/reconnect.h"

static struct reconnect rc;
static int64_t now;

static void
start(size_t n_remotes)
{
    now = 1000000;
    reconnect_init(&rc, n_remotes, 1000, 8000, 5000, now);
    reconnect_set_probe(&rc, 5000);
}

/* Time passes without anything to do, then exactly `action` at `after` ms. */
static void
expect(int64_t after, enum reconnect_action action)
{
    assert_int_equal(reconnect_wait_ms(&rc, now), after);
    if (after > 0) {
        now += after - 1;
        assert_int_equal(reconnect_run(&rc, now), RECONNECT_NOTHING);
        now++;
    }
    assert_int_equal(reconnect_run(&rc, now), action);
}

static void
test_backoff(void **state)
{
    static const int64_t pauses[] = {1000, 2000, 4000, 8000, 8000, 8000};
    start(1);
    expect(0, RECONNECT_CONNECT);
    for (size_t i = 0; i < sizeof pauses / sizeof pauses[0]; i++) {
        reconnect_disconnected(&rc, now);
        expect(pauses[i], RECONNECT_CONNECT);
    }
    /* A session without use does not end the doubling; a good one does, and is followed by an
     * immediate attempt. */
    reconnect_connected(&rc, now);
    now += 3000;
    reconnect_disconnected(&rc, now);
    expect(8000, RECONNECT_CONNECT);
    reconnect_connected(&rc, now);
    reconnect_good(&rc);
    now += 3000;
    reconnect_disconnected(&rc, now);
    expect(0, RECONNECT_CONNECT);
    reconnect_disconnected(&rc, now);
    expect(1000, RECONNECT_CONNECT);
}

static void
test_flapping(void **state)
{
    /* A server that accepts, serves and hangs up at once is not hammered. */
    start(1);
    expect(0, RECONNECT_CONNECT);
    for (int i = 0; i < 5; i++) {
        reconnect_connected(&rc, now);
        reconnect_good(&rc);
        now += 10;
        reconnect_disconnected(&rc, now);
        expect(1000, RECONNECT_CONNECT);
    }
}

static void
test_connect_timeout(void **state)
{
    start(1);
    expect(0, RECONNECT_CONNECT);
    expect(5000, RECONNECT_DISCONNECT);
    reconnect_disconnected(&rc, now);
    expect(1000, RECONNECT_CONNECT);
}

static void
test_probe(void **state)
{
    start(1);
    expect(0, RECONNECT_CONNECT);
    reconnect_connected(&rc, now);
    reconnect_good(&rc);
    now += 3000;
    reconnect_activity(&rc, now);
    expect(5000, RECONNECT_PROBE);
    now += 2000;
    reconnect_activity(&rc, now);
    expect(5000, RECONNECT_PROBE);
    expect(5000, RECONNECT_DISCONNECT);
    reconnect_disconnected(&rc, now);
    expect(0, RECONNECT_CONNECT);

    reconnect_set_probe(&rc, 0);
    reconnect_connected(&rc, now);
    assert_int_equal(reconnect_wait_ms(&rc, now + 1000000), -1);
    assert_int_equal(reconnect_run(&rc, now + 1000000), RECONNECT_NOTHING);
}

static void
test_round_robin(void **state)
{
    start(3);
    for (size_t i = 0; i < 3; i++) {
        expect(0, RECONNECT_CONNECT);
        assert_int_equal(reconnect_remote(&rc), i);
        if (i == 1) {
            reconnect_connected(&rc, now); /* reached, but not the leader */
        }
        reconnect_disconnected(&rc, now);
    }
    expect(1000, RECONNECT_CONNECT);
    assert_int_equal(reconnect_remote(&rc), 0);
    reconnect_disconnected(&rc, now);
    expect(0, RECONNECT_CONNECT);
    assert_int_equal(reconnect_remote(&rc), 1);
    reconnect_disconnected(&rc, now);
    expect(0, RECONNECT_CONNECT);
    reconnect_disconnected(&rc, now);
    expect(2000, RECONNECT_CONNECT);

    /* A good session lost: a whole round at once. */
    reconnect_connected(&rc, now);
    reconnect_good(&rc);
    now += 60000;
    reconnect_disconnected(&rc, now);
    for (int i = 0; i < 3; i++) {
        expect(0, RECONNECT_CONNECT);
        reconnect_disconnected(&rc, now);
    }
    expect(1000, RECONNECT_CONNECT);
}

static void
test_passive(void **state)
{
    start(0);
    assert_int_equal(reconnect_wait_ms(&rc, now), -1);
    reconnect_disconnected(&rc, now);
    assert_int_equal(reconnect_run(&rc, now + 100000), RECONNECT_NOTHING);
    reconnect_connected(&rc, now);
    expect(5000, RECONNECT_PROBE);
    reconnect_disconnected(&rc, now);
    assert_int_equal(reconnect_wait_ms(&rc, now), -1);
}

static void
test_repeated_disconnect(void **state)
{
    /* Reported twice: counted once. */
    start(2);
    expect(0, RECONNECT_CONNECT);
    reconnect_disconnected(&rc, now);
    reconnect_disconnected(&rc, now);
    expect(0, RECONNECT_CONNECT);
    assert_int_equal(reconnect_remote(&rc), 1);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_backoff),
        cmocka_unit_test(test_flapping),
        cmocka_unit_test(test_probe),
        cmocka_unit_test(test_connect_timeout),
        cmocka_unit_test(test_round_robin),
        cmocka_unit_test(test_passive),
        cmocka_unit_test(test_repeated_disconnect),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
