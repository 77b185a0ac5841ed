/* SPDX-License-Identifier: Apache-2.0 */
/* OpenFlow channels against a peer that speaks bytes: hello, garbage, pieces of messages, a
 * peer that does not read, a flood, silence. */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "ofproto/conn-channel.h"
#include "openflow/of-hello.h"
#include "openflow/of-switch.h"
#include "os/clock.h"
#include "util/compiler.h"
#include "util/xalloc.h"

static struct evloop *loop;
static struct stream_listener *listener;
static struct of_channel *channel;
static char dir[64], path[80];
static int peer; /* the other end */
static uint32_t versions;
static int64_t probe_ms;

static unsigned n_up, n_messages, n_down;
static enum of_msg_type last_type;
static char why[256];
static bool echo_desc;    /* answer each message by a description */
static uint32_t work_us;  /* a message takes so long */
static size_t desc_sz;    /* and again, until so many bytes wait */
static struct of_buf got; /* what the peer read */

static void
on_up(struct of_channel *c, void *aux)
{
    n_up++;
}

static void
on_message(struct of_channel *c, struct of_msg *m, void *aux)
{
    int64_t until = clock_real_ns() + work_us * INT64_C(1000);

    n_messages++;
    last_type = m->type;
    while (work_us && clock_real_ns() < until) {
    }
    if (echo_desc) {
        static const struct of_desc desc = {"a", "b", "c", "d", "e"};
        do {
            struct of_buf b = OF_BUF_INIT;

            of_desc_reply_encode(&b, &desc, m->version, m->xid);
            of_channel_send(c, &b);
        } while (of_channel_backlog(c) < desc_sz);
    }
}

static void
on_down(struct of_channel *c, const char *text, void *aux)
{
    n_down++;
    snprintf(why, sizeof why, "%s", text);
    of_channel_destroy(c);
    channel = NULL;
}

static const struct of_channel_ops ops = {.up = on_up, .message = on_message, .down = on_down};

static void
accepted(struct stream *s, void *aux)
{
    assert_null(channel);
    channel = of_channel_create(loop, s, versions, probe_ms, &ops, NULL);
}

/* Some turns of the loop; the peer takes what there is, if it reads. */
static void
turns(int n, bool read_too)
{
    for (int i = 0; i < n; i++) {
        evloop_turn(loop, 0);
        while (read_too) {
            uint8_t buf[65536];
            ssize_t r = recv(peer, buf, sizeof buf, MSG_DONTWAIT);

            if (r <= 0) {
                break;
            }
            of_buf_put(&got, buf, (size_t) r);
        }
    }
}

static int
setup(void **state)
{
    strcpy(dir, "/tmp/test-conn-XXXXXX");
    assert_non_null(mkdtemp(dir));
    snprintf(path, sizeof path, "%s/s", dir);
    loop = evloop_create();
    versions = OF_VERSIONS_ALL;
    probe_ms = 0;
    n_up = n_messages = n_down = 0;
    echo_desc = false;
    desc_sz = 0;
    of_buf_clear(&got);
    return 0;
}

static void
open_peer(void)
{
    struct sockaddr_un sun = {.sun_family = AF_UNIX};
    char target[100];

    snprintf(target, sizeof target, "punix:%s", path);
    assert_int_equal(stream_listen(loop, target, 0700, accepted, NULL, &listener, NULL), 0);
    peer = socket(AF_UNIX, SOCK_STREAM, 0);
    strcpy(sun.sun_path, path);
    assert_int_equal(connect(peer, (struct sockaddr *) &sun, sizeof sun), 0);
    turns(3, false);
    assert_non_null(channel);
}

static int
teardown(void **state)
{
    of_channel_destroy(channel);
    channel = NULL;
    stream_listener_close(listener);
    listener = NULL;
    close(peer);
    evloop_destroy(loop);
    of_buf_free(&got);
    assert_int_equal(access(path, F_OK), -1);
    rmdir(dir);
    return 0;
}

static void
put(const void *data, size_t n)
{
    assert_int_equal(send(peer, data, n, MSG_NOSIGNAL | MSG_DONTWAIT), (ssize_t) n);
}

static void
say_hello(uint32_t v)
{
    struct of_buf b = OF_BUF_INIT;

    of_hello_encode(&b, v, 7);
    put(b.data, b.len);
    of_buf_free(&b);
    turns(3, true);
}

/* The next message that the peer has read, removed from what it has. */
static bool
next(struct of_msg *m, uint8_t copy[65536])
{
    size_t len;

    if (got.len < OF_HEADER_LEN) {
        return false;
    }
    len = of_get_be16(got.data + 2);
    if (len > got.len) {
        return false;
    }
    memcpy(copy, got.data, len);
    memmove(got.data, got.data + len, got.len - len);
    of_buf_truncate(&got, got.len - len);
    of_msg_parse(copy, len, m);
    return true;
}

static uint8_t copy[65536];

static void
test_hello(void **state)
{
    struct of_msg m;

    versions = 1u << OF10_VERSION | 1u << OF13_VERSION;
    open_peer();
    turns(2, true);
    assert_true(next(&m, copy));
    assert_int_equal(m.type, OFM_HELLO);
    assert_int_equal(m.version, OF13_VERSION);
    assert_false(of_channel_is_up(channel));
    say_hello(1u << OF10_VERSION | 1u << OF12_VERSION);
    assert_int_equal(n_up, 1);
    assert_int_equal(of_channel_version(channel), OF10_VERSION);
    close(peer);
    peer = -1;
    turns(3, false);
    assert_int_equal(n_down, 1);
    assert_string_equal(why, "connection closed by peer");
}

static void
test_no_common_version(void **state)
{
    struct of_error_msg e;
    struct of_msg m;

    versions = 1u << OF15_VERSION;
    open_peer();
    say_hello(1u << OF11_VERSION);
    assert_int_equal(n_up, 0);
    assert_int_equal(n_down, 1);
    assert_true(next(&m, copy)); /* its hello */
    assert_true(next(&m, copy));
    assert_int_equal(m.type, OFM_ERROR);
    assert_int_equal(of_error_decode(&m, &e), OF_OK);
    assert_int_equal(e.err, OFPHFC_INCOMPATIBLE);
}

static void
test_first_message_is_no_hello(void **state)
{
    static const uint8_t echo[8] = {1, 2, 0, 8, 0, 0, 0, 1};

    open_peer();
    put(echo, sizeof echo);
    turns(3, true);
    assert_int_equal(n_down, 1);
    assert_string_equal(why, "the first message is no hello");
}

static void
test_garbage(void **state)
{
    static const uint8_t bad_type[8] = {1, 99, 0, 8, 0, 0, 0, 5};
    static const uint8_t other_version[8] = {4, 18, 0, 8, 0, 0, 0, 6};
    struct of_error_msg e;
    struct of_msg m;

    open_peer();
    say_hello(1u << OF10_VERSION);
    assert_true(next(&m, copy));
    put(bad_type, sizeof bad_type);
    turns(3, true);
    assert_true(next(&m, copy));
    assert_int_equal(m.type, OFM_ERROR);
    assert_int_equal(m.xid, 5);
    assert_int_equal(of_error_decode(&m, &e), OF_OK);
    assert_int_equal(e.err, OFPBRC_BAD_TYPE);
    assert_int_equal(e.data_len, 8);
    assert_int_equal(n_down, 0); /* one bad message ends nothing */

    put(other_version, sizeof other_version);
    turns(3, true);
    assert_true(next(&m, copy));
    assert_int_equal(of_error_decode(&m, &e), OF_OK);
    assert_int_equal(e.err, OFPBRC_BAD_VERSION);
    assert_int_equal(n_down, 0); /* nor does one of another version */
}

static void
test_too_short_length(void **state)
{
    static const uint8_t bad[8] = {1, 2, 0, 7, 0, 0, 0, 5};

    open_peer();
    say_hello(1u << OF10_VERSION);
    put(bad, sizeof bad);
    turns(3, true);
    assert_int_equal(n_down, 1);
}

static void
test_pieces(void **state)
{
    static const uint8_t barrier[8] = {1, 18, 0, 8, 0, 0, 0, 9};
    struct of_msg m;

    open_peer();
    say_hello(1u << OF10_VERSION);
    assert_true(next(&m, copy));
    for (int round = 0; round < 3; round++) {
        for (size_t i = 0; i < sizeof barrier; i++) {
            assert_int_equal(n_messages, round);
            put(&barrier[i], 1);
            turns(2, true);
        }
        assert_int_equal(n_messages, round + 1);
        assert_int_equal(last_type, OFM_BARRIER_REQUEST);
    }
    /* One whole, one in part, behind each other. */
    put(barrier, 8);
    put(barrier, 5);
    turns(3, true);
    assert_int_equal(n_messages, 4);
    put(barrier + 5, 3);
    turns(3, true);
    assert_int_equal(n_messages, 5);
}

static void
test_largest_message(void **state)
{
    uint8_t *big = calloc(1, 65535);
    struct of_msg m;

    open_peer();
    say_hello(1u << OF10_VERSION);
    assert_true(next(&m, copy));
    big[0] = 1;
    big[1] = 2; /* echo request */
    big[2] = big[3] = 0xff;
    big[65534] = 0x5a;
    for (size_t sent = 0; sent < 65535;) {
        ssize_t n = send(peer, big + sent, 65535 - sent, MSG_NOSIGNAL | MSG_DONTWAIT);

        sent += n > 0 ? (size_t) n : 0;
        turns(1, true);
    }
    turns(20, true);
    assert_true(next(&m, copy));
    assert_int_equal(m.type, OFM_ECHO_REPLY);
    assert_int_equal(m.len, 65535);
    assert_int_equal(copy[65534], 0x5a);
    free(big);
}

/* A peer that asks and never reads is not read any more, and what waits for it is bounded; when
 * it reads, it gets every answer. */
static void
test_slow_reader(void **state)
{
    static const uint8_t ask[8] = {1, 18, 0, 8, 0, 0, 0, 9};
    struct of_msg m;
    unsigned n_sent = 0, n_got = 0, stuck = 0;

    echo_desc = true;
    open_peer();
    say_hello(1u << OF10_VERSION);
    assert_true(next(&m, copy));
    while (stuck < 50 && n_sent < 1000000) {
        stuck = send(peer, ask, 8, MSG_NOSIGNAL | MSG_DONTWAIT) == 8 ? n_sent++, 0 : stuck + 1;
        if (stuck || n_sent % 64 == 0) {
            turns(1, false);
        }
        assert_true(of_channel_backlog(channel) < OF_CHANNEL_HIGH + 2048);
    }
    assert_int_equal(stuck, 50);
    assert_true(n_messages < n_sent);
    for (int i = 0; i < 100000 && n_got < n_sent; i++) {
        turns(1, true);
        while (next(&m, copy)) {
            n_got += m.type == OFM_DESC_REPLY;
        }
    }
    assert_int_equal(n_got, n_sent);
    assert_int_equal(n_messages, n_sent);
    assert_int_equal(n_down, 0);
}

/* Lets the sockets that came to the listener hold more. */
static void
enlarge_sockets(void)
{
    for (int fd = 3; fd < 256; fd++) {
        struct sockaddr_un sun;
        socklen_t len = sizeof sun;

        if (fd != peer && !getsockname(fd, (struct sockaddr *) &sun, &len) &&
            sun.sun_family == AF_UNIX && len > sizeof sun.sun_family) {
            setsockopt(fd, SOL_SOCKET, SO_SNDBUF, (int[]){1 << 20}, sizeof(int));
        }
    }
}

/* A request behind one whose answer is large is taken when that has left, also if the socket
 * took it in one piece and nothing else comes. */
static void
test_request_behind_large_answer(void **state)
{
    static const uint8_t ask[16] = {1, 18, 0, 8, 0, 0, 0, 9, 1, 18, 0, 8, 0, 0, 0, 10};

    echo_desc = true;
    desc_sz = OF_CHANNEL_HIGH;
    open_peer();
    enlarge_sockets();
    say_hello(1u << OF10_VERSION);
    put(ask, sizeof ask);
    turns(50, true);
    assert_int_equal(n_messages, 2);
    assert_true(got.len > 2 * OF_CHANNEL_HIGH);
}

/* A peer that says hello and sends `n` requests at once. */
static void
open_flood(unsigned n)
{
    static const uint8_t ask[8] = {1, 18, 0, 8, 0, 0, 0, 9};
    uint8_t many[8 * 1000];

    assert_true(8 * n <= sizeof many);
    open_peer();
    say_hello(1u << OF10_VERSION);
    for (unsigned i = 0; i < n; i++) {
        memcpy(many + 8 * i, ask, 8);
    }
    put(many, 8 * n);
}

/* One turn of the loop takes a bounded number of messages from one peer. */
static void
test_flood(void **state)
{
    open_flood(1000);
    evloop_turn(loop, 0);
    assert_true(n_messages > 0 && n_messages < 300);
    for (int i = 0; i < 500 && n_messages < 1000; i++) {
        evloop_turn(loop, 5);
    }
    assert_int_equal(n_messages, 1000);
}

/* Nor one that takes long, beyond the message that does. */
static void
test_flood_of_work(void **state)
{
    open_flood(100);
    work_us = 1000;
    evloop_turn(loop, 0);
    assert_in_range(n_messages, 1, 4);
    work_us = 0;
    for (int i = 0; i < 500 && n_messages < 100; i++) {
        evloop_turn(loop, 5);
    }
    assert_int_equal(n_messages, 100);
}

static void
test_probe(void **state)
{
    static const uint8_t reply[8] = {1, 3, 0, 8, 0, 0, 0, 0};
    struct of_msg m;

    probe_ms = 5000;
    open_peer();
    say_hello(1u << OF10_VERSION);
    assert_true(next(&m, copy));
    clock_stop();
    for (int i = 0; i < 3; i++) {
        clock_warp(5001);
        turns(3, true);
        assert_true(next(&m, copy));
        assert_int_equal(m.type, OFM_ECHO_REQUEST);
        put(reply, 8);
        turns(3, true);
        assert_int_equal(n_down, 0);
    }
    clock_warp(5001);
    turns(3, true);
    clock_warp(5001);
    turns(3, true);
    assert_int_equal(n_down, 1);
    assert_string_equal(why, "no response to inactivity probe after 5 seconds");
}

static void
test_silent_from_the_start(void **state)
{
    open_peer();
    clock_stop();
    clock_warp(10001);
    turns(3, true);
    assert_int_equal(n_down, 1);
    assert_string_equal(why, "no hello within 10 seconds");
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_hello, setup, teardown),
        cmocka_unit_test_setup_teardown(test_no_common_version, setup, teardown),
        cmocka_unit_test_setup_teardown(test_first_message_is_no_hello, setup, teardown),
        cmocka_unit_test_setup_teardown(test_garbage, setup, teardown),
        cmocka_unit_test_setup_teardown(test_too_short_length, setup, teardown),
        cmocka_unit_test_setup_teardown(test_pieces, setup, teardown),
        cmocka_unit_test_setup_teardown(test_largest_message, setup, teardown),
        cmocka_unit_test_setup_teardown(test_slow_reader, setup, teardown),
        cmocka_unit_test_setup_teardown(test_request_behind_large_answer, setup, teardown),
        cmocka_unit_test_setup_teardown(test_flood, setup, teardown),
        cmocka_unit_test_setup_teardown(test_flood_of_work, setup, teardown),
        cmocka_unit_test_setup_teardown(test_probe, setup, teardown),
        cmocka_unit_test_setup_teardown(test_silent_from_the_start, setup, teardown),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
