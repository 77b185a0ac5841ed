/* SPDX-License-Identifier: Apache-2.0 */
/* One client's session with xvs-agent: every state with every request, descriptors where none
 * belong, limits of time, number and length, on a socket pair and a virtual clock. */

#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>
#include <cmocka.h>

#include "fd-message.h"
#include "os/clock.h"
#include "utilities/xvs-agent/session.h"

#define IDLE_MS 30000

static struct fixture {
    struct evloop *loop;
    struct session *session;
    int client, map, n_fds;
    char why[80];
} f;

static int
count_fds(void)
{
    int n = 0;
    for (int fd = 0; fd < 256; fd++) {
        n += fcntl(fd, F_GETFD) >= 0;
    }
    return n;
}

static bool
host_ok(void *aux, const char *hostname)
{
    assert_ptr_equal(aux, &f);
    return !strcmp(hostname, "pod-1");
}

static int
map_fd(void *aux, const char *device)
{
    return strcmp(device, "eth1") ? -1 : f.map;
}

static void
over(void *aux, struct session *s, const char *why)
{
    assert_ptr_equal(s, f.session);
    snprintf(f.why, sizeof f.why, "%s", why);
    f.session = NULL;
}

static const struct session_ops ops = {host_ok, map_fd, over};

static int
setup(void **state)
{
    int pair[2];
    struct ucred peer = {.pid = 1, .uid = 1000, .gid = 1000};
    f = (struct fixture){.loop = evloop_create()};
    f.map = open("/dev/null", O_RDONLY | O_CLOEXEC);
    f.n_fds = count_fds();
    assert_return_code(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_NONBLOCK, 0, pair), errno);
    f.client = pair[0];
    f.session = session_create(f.loop, pair[1], &peer, IDLE_MS, &ops, &f);
    return 0;
}

static int
teardown(void **state)
{
    if (f.session) {
        session_destroy(f.session);
    }
    close(f.client);
    for (int i = 0; i < 100 && count_fds() > f.n_fds; i++) {
        usleep(1000); /* for the closing threads */
    }
    assert_int_equal(count_fds(), f.n_fds);
    close(f.map);
    evloop_destroy(f.loop);
    return 0;
}

static void
say(const void *text, size_t len, const int *fds, unsigned n)
{
    assert_int_equal(fd_message_send(f.client, text, len, fds, n, 0), len);
}

/* Receives one message; its descriptor or -1. */
static int
expect(const char *text)
{
    char buf[100];
    int fd;
    evloop_turn(f.loop, 0);
    assert_return_code(fd_message_receive(f.client, buf, sizeof buf - 1, &fd, 0), errno);
    assert_string_equal(buf, text);
    return fd;
}

static void
ask(const char *text, const char *reply)
{
    say(text, strlen(text), NULL, 0);
    assert_int_equal(expect(reply), -1);
}

static void
expect_over(const char *why)
{
    char c;
    assert_null(f.session);
    assert_string_equal(f.why, why);
    assert_int_equal(recv(f.client, &c, 1, 0), 0);
}

static void
test_whole(void **state)
{
    ask("/connect,pod-1", "/host_ok");
    ask("/version", "0.1");
    for (unsigned i = 1; i <= 2; i++) {
        say("/xsk_map_fd,eth1", 16, NULL, 0);
        int fd = expect("/fd_ack");
        assert_true(fd >= 0);
        close(fd);
        assert_int_equal(f.session->n_maps, i);
    }
    ask("/xsk_map_fd,eth2", "/fd_nak");
    ask("/connect,pod-1", "/host_ok");
    ask("hello", "/nak");
    ask("/fin", "/fin_ack");
    expect_over("finished");
}

static void
test_stranger(void **state)
{
    static const char *const requests[] = {"/version", "/xsk_map_fd,eth1",
                                           "/config_busy_poll,20,64", "x", "/connect,"};
    for (size_t i = 0; i < sizeof requests / sizeof requests[0]; i++) {
        ask(requests[i], "/nak");
    }
    assert_int_equal(f.session->n_maps, 0);
    ask("/fin", "/fin_ack");
    expect_over("finished");
}

static void
test_wrong_host(void **state)
{
    ask("/connect,pod-2", "/host_nak");
    expect_over("wrong host name");
}

static void
test_wrong_host_later(void **state)
{
    ask("/connect,pod-1", "/host_ok");
    ask("/connect,pod-11", "/host_nak");
    expect_over("wrong host name");
}

static void
test_lengths(void **state)
{
    char text[5000];
    memset(text, 'a', sizeof text);
    memcpy(text, "/connect,", 9);
    for (size_t n = 63; n < 68; n++) {
        say(text, n, NULL, 0);
        expect(n <= 64 ? "/host_nak" : "/nak");
        if (!f.session) {
            teardown(NULL);
            setup(NULL);
        }
    }
    say(text, sizeof text, NULL, 0);
    expect("/nak");
    say("/connect,pod-1", 15, NULL, 0); /* its NUL too */
    expect("/nak");
}

static void
test_descriptors(void **state)
{
    int fds[4] = {f.map, f.client, f.map, f.client};
    say("/connect,pod-1", 14, fds, 1);
    expect("/nak");
    say("/config_busy_poll,20,64", 23, fds, 1); /* from a stranger */
    expect("/nak");
    ask("/connect,pod-1", "/host_ok");
    say("/xsk_map_fd,eth1", 16, fds, 1);
    assert_int_equal(expect("/nak"), -1);
    say("/fin", 4, fds, 4);
    expect("/nak");
    ask("/config_busy_poll,20,64", "/config_busy_poll_nak");
    for (unsigned n = 1; n <= 4; n++) { /* a file, then several */
        say("/config_busy_poll,20,64", 23, fds, n);
        expect("/config_busy_poll_nak");
        for (int i = 0; i < 100 && count_fds() > f.n_fds + 2; i++) {
            usleep(1000);
        }
        assert_int_equal(count_fds(), f.n_fds + 2);
    }
    int udp = socket(AF_INET, SOCK_DGRAM, 0);
    say("/config_busy_poll,20,64", 23, &udp, 1);
    close(udp);
    expect("/config_busy_poll_nak");
    say("/config_busy_poll,20", 20, fds, 1);
    expect("/nak");
    ask("/version", "0.1");
}

static void
test_idle(void **state)
{
    ask("/connect,pod-1", "/host_ok");
    for (int i = 0; i < 3; i++) {
        clock_warp(IDLE_MS - 1);
        evloop_turn(f.loop, 0);
        ask("/version", "0.1");
    }
    clock_warp(IDLE_MS);
    evloop_turn(f.loop, 0);
    expect_over("idle for too long");
}

static void
test_stranger_idle(void **state)
{
    clock_warp(IDLE_MS - 1);
    evloop_turn(f.loop, 0);
    ask("/version", "/nak");
    clock_warp(1); /* talking does not help */
    evloop_turn(f.loop, 0);
    expect_over("idle for too long");
}

static void
test_closed(void **state)
{
    ask("/connect,pod-1", "/host_ok");
    shutdown(f.client, SHUT_WR);
    evloop_turn(f.loop, 0);
    expect_over("closed by the client");
}

static void
test_deaf_client(void **state)
{
    for (unsigned i = 0; i < SESSION_REQUESTS_MAX && f.session; i++) {
        if (send(f.client, "/version", 8, MSG_NOSIGNAL) < 0) {
            assert_int_equal(errno, EPIPE);
        }
        evloop_turn(f.loop, 0);
    }
    assert_null(f.session);
    assert_string_equal(f.why, "the client does not read replies");
}

static void
test_too_many(void **state)
{
    for (unsigned i = 0; i < SESSION_REQUESTS_MAX; i++) {
        ask("/version", "/nak");
    }
    say("/version", 8, NULL, 0);
    evloop_turn(f.loop, 0);
    expect_over("too many requests");
}

static void
test_burst(void **state)
{
    for (int i = 0; i < 3 * SESSION_BURST && i < 10; i++) {
        say("/version", 8, NULL, 0);
    }
    evloop_turn(f.loop, 0);
    assert_int_equal(f.session->n_requests, SESSION_BURST);
    evloop_turn(f.loop, 0);
    assert_int_equal(f.session->n_requests, 10);
}

#define CASE(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int
main(void)
{
    const struct CMUnitTest tests[] = {
        CASE(test_whole),      CASE(test_stranger),
        CASE(test_wrong_host), CASE(test_wrong_host_later),
        CASE(test_lengths),    CASE(test_descriptors),
        CASE(test_idle),       CASE(test_stranger_idle),
        CASE(test_closed),     CASE(test_deaf_client),
        CASE(test_too_many),   CASE(test_burst),
    };
    clock_stop();
    return cmocka_run_group_tests(tests, NULL, NULL);
}
