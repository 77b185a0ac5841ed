/* SPDX-License-Identifier: Apache-2.0 */

/* libxskcni: the session.  Time limits by the test's clock, connecting, ending, canceling, and
 * what a callback may do. */

#include "xskcni-server.h"
#include <sys/stat.h>

/* Silence in every state that waits; nothing happens one ms before the limit. */
static void
test_time_limits(void **state)
{
    struct fixture *f = *state;
    for (int step = 0; step < 4; step++) {
        f->n_log = 0;
        f->now += XSKCNI_RETRY_MS;
        client_connect(f);
        f->now += 500;
        if (step >= 1) {
            exchange(f, "/host_ok", 0, "/version");
        }
        if (step >= 2) {
            exchange(f, "0.1", 0, NULL);
            if (step == 2) {
                xskcni_get_map(f->session, "eth1", NULL);
            } else {
                xskcni_fin(f->session);
            }
            process(f);
        }
        int64_t due = f->now + XSKCNI_STEP_MS - (step ? 0 : 500);
        unsigned n = f->n_log;
        assert_true(xskcni_deadline_ms(f->session) == due);
        f->now = due - 1;
        process(f);
        assert_int_equal(f->n_log, n);
        f->now = due;
        process(f);
        assert_int_equal(f->n_log, step == 2 ? n + 2 : n + 1);
        expect_reply(f, n,
                     step < 2    ? XSKCNI_OP_OPEN
                     : step == 2 ? XSKCNI_OP_MAP
                                 : XSKCNI_OP_END,
                     XSKCNI_TIMEOUT);
        assert_int_equal(f->log[n].reply.error, ETIMEDOUT);
        static const char *const asked[] = {"/connect,pod-1", "/version", "/xsk_map_fd,eth1",
                                            "/fin"};
        assert_non_null(strstr(f->log[n].message, asked[step]));
        assert_non_null(strstr(f->log[n].message, "within 2000 ms"));
        assert_int_equal(xskcni_state(f->session), XSKCNI_STATE_IDLE);
        server_close(f);
    }
}

/* The server's socket buffer is full: waits for POLLOUT, and not for ever. */
static void
test_full_buffer(void **state)
{
    struct fixture *f = *state;
    for (int drained = 0; drained < 2; drained++) {
        char junk[512] = "";
        f->now += XSKCNI_RETRY_MS;
        f->n_log = 0;
        client_ready(f);
        while (send(xskcni_fd(f->session), junk, sizeof junk, MSG_DONTWAIT) > 0) {
        }
        xskcni_get_map(f->session, "eth1", NULL);
        process(f);
        assert_int_equal(xskcni_state(f->session), XSKCNI_STATE_ASKING);
        assert_int_equal(xskcni_events(f->session), POLLOUT);
        if (drained) {
            while (recv(f->conn, junk, sizeof junk, MSG_DONTWAIT) > 0) {
            }
            process(f);
            assert_int_equal(xskcni_events(f->session), POLLIN);
            server_expect(f, "/xsk_map_fd,eth1");
        } else {
            f->now = xskcni_deadline_ms(f->session);
            process(f);
            expect_reply(f, 1, XSKCNI_OP_MAP, XSKCNI_TIMEOUT);
            server_close(f);
        }
    }
}

static void
test_full_backlog(void **state)
{
    struct fixture *f = *state;
    close(f->listener);
    unlink(f->path);
    server_listen(f, SOCK_SEQPACKET, 0);
    struct sockaddr_un sun = {.sun_family = AF_UNIX};
    snprintf(sun.sun_path, sizeof sun.sun_path, "%s", f->path);
    int other = socket(AF_UNIX, SOCK_SEQPACKET, 0);
    assert_return_code(connect(other, (struct sockaddr *) &sun, sizeof sun), errno);
    xskcni_open(f->session);
    process(f);
    assert_int_equal(xskcni_state(f->session), XSKCNI_STATE_CONNECTING);
    assert_int_equal(xskcni_fd(f->session), -1);
    int64_t start = f->now, next = xskcni_deadline_ms(f->session);
    assert_true(next > f->now && next < f->now + 100);
    f->now = next;
    process(f);
    assert_int_equal(f->n_log, 0);
    f->now = start + XSKCNI_STEP_MS;
    process(f);
    expect_reply(f, 0, XSKCNI_OP_OPEN, XSKCNI_TIMEOUT);
    assert_non_null(strstr(f->log[0].message, "did not accept a connection"));
    /* Room again. */
    int first = accept(f->listener, NULL, NULL);
    f->n_log = 0;
    f->now += XSKCNI_RETRY_MS;
    client_ready(f);
    expect_reply(f, 0, XSKCNI_OP_OPEN, XSKCNI_OK);
    close(first);
    close(other);
}

static void
expect_no_connection(struct fixture *f, enum xskcni_result result, int error, const char *part)
{
    f->n_log = 0;
    f->now += XSKCNI_RETRY_MS;
    xskcni_open(f->session);
    process(f);
    assert_int_equal(f->n_log, 1);
    expect_reply(f, 0, XSKCNI_OP_OPEN, result);
    assert_int_equal(f->log[0].reply.error, error);
    assert_non_null(strstr(f->log[0].message, part));
    assert_non_null(strstr(f->log[0].message, f->path));
    assert_true(xskcni_deadline_ms(f->session) == XSKCNI_NEVER);
}

static void
test_no_connection(void **state)
{
    struct fixture *f = *state;
    close(f->listener);
    f->listener = -1;
    expect_no_connection(f, XSKCNI_ABSENT, ECONNREFUSED, "nobody listens");
    unlink(f->path);
    expect_no_connection(f, XSKCNI_ABSENT, ENOENT, "does not exist");
    close(open(f->path, O_CREAT | O_WRONLY, 0600));
    expect_no_connection(f, XSKCNI_BAD_PATH, ENOTSOCK, "is not a socket");
    unlink(f->path);
    server_listen(f, SOCK_STREAM, 1);
    expect_no_connection(f, XSKCNI_BAD_PATH, EPROTOTYPE, "another type");
    if (geteuid() == 0) {
        assert_return_code(chmod(f->path, 0600), errno);
        assert_return_code(seteuid(65534), errno);
        expect_no_connection(f, XSKCNI_FORBIDDEN, EACCES, "user 65534 may not connect");
        assert_return_code(seteuid(0), errno);
    }
}

static void
test_fin(void **state)
{
    struct fixture *f = *state;
    xskcni_fin(f->session); /* nothing to end */
    process(f);
    assert_int_equal(xskcni_state(f->session), XSKCNI_STATE_IDLE);
    /* Remembered until all is answered; withdrawn by a request. */
    client_asking(f);
    xskcni_fin(f->session);
    xskcni_get_map(f->session, "eth2", NULL);
    exchange(f, "/fd_ack", 1, "/xsk_map_fd,eth2");
    exchange(f, "/fd_ack", 1, NULL);
    assert_int_equal(xskcni_state(f->session), XSKCNI_STATE_READY);
    xskcni_fin(f->session);
    process(f);
    server_expect(f, "/fin");
    /* Too late for this session: the next one has it. */
    xskcni_get_map(f->session, "eth3", NULL);
    xskcni_fin(f->session);
    exchange(f, "/fin_ack", 0, NULL);
    expect_reply(f, 3, XSKCNI_OP_END, XSKCNI_OK);
    server_close(f);
    assert_int_equal(xskcni_state(f->session), XSKCNI_STATE_HOST);
    f->conn = accept(f->listener, NULL, NULL);
    server_expect(f, "/connect," HOST);
    exchange(f, "/host_ok", 0, "/version");
    exchange(f, "0.1", 0, "/xsk_map_fd,eth3");
    exchange(f, "/fd_ack", 1, "/fin");
    /* A wrong acknowledgement ends it too, and spares what is queued. */
    xskcni_get_map(f->session, "eth4", NULL);
    exchange(f, "/nak", 0, NULL);
    assert_int_equal(f->n_log, 7);
    expect_reply(f, 6, XSKCNI_OP_END, XSKCNI_BAD_REPLY);
    assert_int_equal(xskcni_pending(f->session), 1);
    server_close(f);
    f->now += XSKCNI_RETRY_MS;
    process(f);
    assert_int_equal(xskcni_state(f->session), XSKCNI_STATE_HOST);
}

static void
test_cancel(void **state)
{
    struct fixture *f = *state;
    int a, b, before;
    client_ready(f);
    before = count_fds();
    xskcni_get_map(f->session, "eth1", &a);
    xskcni_get_map(f->session, "eth2", &a);
    xskcni_get_map(f->session, "eth3", &b);
    process(f);
    server_expect(f, "/xsk_map_fd,eth1");
    xskcni_cancel(f->session, &a);
    assert_int_equal(xskcni_pending(f->session), 2);
    exchange(f, "/fd_ack", 1, "/xsk_map_fd,eth3");
    assert_int_equal(f->n_log, 1);
    assert_int_equal(count_fds(), before);
    xskcni_get_map(f->session, "eth4", &a); /* the tail is right */
    exchange(f, "/fd_ack", 1, "/xsk_map_fd,eth4");
    assert_int_equal(f->n_log, 2);
    assert_ptr_equal(f->log[1].reply.tag, &b);
    /* The last in the queue goes, and the next one still finds its place. */
    xskcni_get_map(f->session, "eth5", &b);
    xskcni_cancel(f->session, &b);
    xskcni_get_map(f->session, "eth6", &a);
    assert_int_equal(xskcni_pending(f->session), 2);
    exchange(f, "/fd_nak", 0, "/xsk_map_fd,eth6");
    assert_int_equal(f->n_log, 3);
    /* Nobody hears of the failure of what is canceled. */
    xskcni_cancel(f->session, &a);
    server_close(f);
    process(f);
    assert_int_equal(f->n_log, 4);
    expect_reply(f, 3, XSKCNI_OP_END, XSKCNI_CLOSED);
    assert_int_equal(xskcni_pending(f->session), 0);
}

static void
ask_again(struct fixture *f, const struct xskcni_reply *reply)
{
    xskcni_process(f->session, f->now); /* does nothing here */
    if (reply->op == XSKCNI_OP_MAP && reply->result) {
        xskcni_get_map(f->session, "eth9", NULL);
    }
}

static void
test_ask_from_callback(void **state)
{
    struct fixture *f = *state;
    client_asking(f);
    f->then = ask_again;
    exchange(f, "/fd_nak", 0, "/xsk_map_fd,eth9");
    server_close(f);
    process(f);
    assert_int_equal(f->n_log, 4); /* one failure, not an endless row of them */
    assert_int_equal(xskcni_pending(f->session), 1);
    assert_true(xskcni_deadline_ms(f->session) > f->now);
}

static void
free_it(struct fixture *f, const struct xskcni_reply *reply)
{
    xskcni_session_free(f->session);
    if (reply->fd >= 0) {
        close(reply->fd);
        f->log[f->n_log - 1].reply.fd = -1;
    }
}

/* From a result, an opening, a failure with others behind it; the end of the test counts fds.
 */
static void
test_free_from_callback(void **state)
{
    struct fixture *f = *state;
    for (int i = 0; i < 4; i++) {
        f->n_log = 0;
        if (i == 0) {
            client_connect(f);
            exchange(f, "/host_ok", 0, "/version");
            xskcni_get_map(f->session, "eth1", NULL);
            f->then = free_it;
            exchange(f, "0.1", 0, NULL);
        } else {
            client_asking(f);
            xskcni_get_map(f->session, "eth2", NULL);
            f->then = free_it;
            if (i == 3) {
                server_close(f);
                process(f);
            } else {
                exchange(f, i == 1 ? "/fd_ack" : "/what", i == 1, NULL);
            }
        }
        assert_int_equal(f->n_log, i ? 2 : 1);
        f->then = NULL;
        server_close(f);
        client_new(f);
    }
}

static void
test_thousand_cycles(void **state)
{
    struct fixture *f = *state;
    int before = count_fds();
    for (int i = 0; i < 1000; i++) {
        client_asking(f);
        if (i % 3) {
            exchange(f, "/fd_ack", 1, NULL);
        }
        if (i % 3 == 2) {
            xskcni_fin(f->session);
            process(f);
            server_expect(f, "/fin");
            exchange(f, "/fin_ack", 0, NULL);
        } else {
            server_close(f);
            process(f);
        }
        server_close(f);
        close_maps(f);
        f->now += XSKCNI_RETRY_MS;
        assert_int_equal(xskcni_state(f->session), XSKCNI_STATE_IDLE);
    }
    assert_int_equal(count_fds(), before);
}

static void
test_names(void **state)
{
    for (int i = -1; i <= XSKCNI_N_STATES; i++) {
        bool known = i >= 0 && i < XSKCNI_N_STATES;
        assert_true(!strcmp(xskcni_state_name((enum xskcni_state) i), "unknown") == !known);
    }
    for (int i = -1; i <= XSKCNI_N_RESULTS; i++) {
        bool known = i >= 0 && i < XSKCNI_N_RESULTS;
        assert_true(!strcmp(xskcni_result_name((enum xskcni_result) i), "unknown") == !known);
    }
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        CASE(test_time_limits),
        CASE(test_full_buffer),
        CASE(test_full_backlog),
        CASE(test_no_connection),
        CASE(test_fin),
        CASE(test_cancel),
        CASE(test_ask_from_callback),
        CASE(test_free_from_callback),
        CASE(test_thousand_cycles),
        cmocka_unit_test(test_names),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
