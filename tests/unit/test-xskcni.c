/* SPDX-License-Identifier: Apache-2.0 */

/* libxskcni: the messages.  What each state accepts, and each way in which a server can
 * misbehave. */

#include "xskcni-server.h"
#include <sys/resource.h>

static void
test_two_devices(void **state)
{
    struct fixture *f = *state;
    int a, b;
    assert_int_equal(xskcni_fd(f->session), -1);
    assert_int_equal(xskcni_events(f->session), 0);
    assert_true(xskcni_deadline_ms(f->session) == XSKCNI_NEVER);
    assert_int_equal(xskcni_get_map(f->session, "eth1", &a), 0);
    assert_int_equal(xskcni_get_map(f->session, "eth2", &b), 0);
    assert_int_equal(xskcni_pending(f->session), 2);
    assert_true(xskcni_deadline_ms(f->session) <= f->now);
    client_connect(f);
    assert_int_equal(xskcni_open(f->session), EALREADY);
    exchange(f, "/host_ok", 0, "/version");
    exchange(f, "0.1", 0, "/xsk_map_fd,eth1");
    assert_int_equal(xskcni_open(f->session), EISCONN);
    exchange(f, "/fd_ack", 1, "/xsk_map_fd,eth2");
    exchange(f, "/fd_ack", 1, NULL);
    assert_int_equal(xskcni_state(f->session), XSKCNI_STATE_READY);
    assert_true(xskcni_deadline_ms(f->session) == XSKCNI_NEVER);
    assert_int_equal(xskcni_pending(f->session), 0);
    xskcni_fin(f->session);
    assert_true(xskcni_deadline_ms(f->session) <= f->now);
    assert_int_equal(xskcni_events(f->session), POLLIN | POLLOUT);
    process(f);
    server_expect(f, "/fin");
    exchange(f, "/fin_ack", 0, NULL);
    assert_int_equal(f->n_log, 4);
    expect_reply(f, 0, XSKCNI_OP_OPEN, XSKCNI_OK);
    expect_reply(f, 1, XSKCNI_OP_MAP, XSKCNI_OK);
    expect_reply(f, 2, XSKCNI_OP_MAP, XSKCNI_OK);
    expect_reply(f, 3, XSKCNI_OP_END, XSKCNI_OK);
    assert_ptr_equal(f->log[1].reply.tag, &a);
    assert_ptr_equal(f->log[2].reply.tag, &b);
    assert_string_equal(f->log[1].device, "eth1");
    assert_string_equal(f->log[2].device, "eth2");
    assert_true(fcntl(f->log[1].reply.fd, F_GETFD) & FD_CLOEXEC);
    assert_int_equal(xskcni_state(f->session), XSKCNI_STATE_IDLE);
    assert_int_equal(xskcni_fd(f->session), -1);
}

#define X60 "xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx"

static void
test_handshake_misdeeds(void **state)
{
    struct fixture *f = *state;
    static const struct misdeed host[] = {
        {"/host_nak", 0, XSKCNI_HOST_NAK, "refused host pod-1: check that the pod requests"},
        {"/nak", 0, XSKCNI_UNKNOWN, "does not know the request \"/connect,pod-1\""},
        {"/host_o", 0, XSKCNI_BAD_REPLY, "with \"/host_o\", which the protocol does not have"},
        {"/host_okay", 0, XSKCNI_BAD_REPLY, "/host_okay"},
        {"/host_ok\n", 0, XSKCNI_BAD_REPLY, "\"/host_ok\\x0a\""},
        {"0.1", 0, XSKCNI_BAD_REPLY, "\"0.1\""},
        {"/host_ok", 1, XSKCNI_BAD_FDS, "do not belong there"},
        {X60 "1234", 0, XSKCNI_BAD_REPLY, X60 "1234\""},
        {X60 "12345", 0, XSKCNI_BAD_REPLY, X60 "1234...\""},
        {X60 X60 X60, 0, XSKCNI_BAD_REPLY, "xxxx...\""},
        {NULL, 0, XSKCNI_CLOSED, "closed the connection instead of answering \"/connect,pod-1"},
        {"", 0, XSKCNI_CLOSED, "closed the connection"},
    };
    static const struct misdeed version[] = {
        {"0.2", 0, XSKCNI_VERSION, "speaks protocol version \"0.2\", only \"0.1\""},
        {"0.10", 0, XSKCNI_VERSION, "\"0.10\""},
        {"0.", 0, XSKCNI_VERSION, "\"0.\""},
        {"/host_ok", 0, XSKCNI_BAD_REPLY, "\"/version\" with \"/host_ok\""},
        {"/nak", 0, XSKCNI_UNKNOWN, "does not know the request \"/version\""},
        {"0.1", 2, XSKCNI_BAD_FDS, "do not belong there"},
        {NULL, 0, XSKCNI_CLOSED, "instead of answering \"/version\""},
    };
    size_t n_host = sizeof host / sizeof host[0],
           n = n_host + sizeof version / sizeof version[0];
    for (size_t i = 0; i < n; i++) {
        const struct misdeed *m = i < n_host ? &host[i] : &version[i - n_host];
        int tag, before = count_fds();
        f->now += XSKCNI_RETRY_MS;
        xskcni_get_map(f->session, "eth1", &tag);
        client_connect(f);
        if (i >= n_host) {
            exchange(f, "/host_ok", 0, "/version");
        }
        misbehave(f, m);
        assert_int_equal(f->n_log, 2);
        expect_reply(f, 0, XSKCNI_OP_OPEN, m->result);
        expect_reply(f, 1, XSKCNI_OP_MAP, m->result);
        expect_sentence(f, 0, m);
        assert_string_equal(f->log[0].message, f->log[1].message);
        assert_int_equal(xskcni_state(f->session), XSKCNI_STATE_IDLE);
        assert_int_equal(xskcni_pending(f->session), 0);
        server_close(f);
        assert_int_equal(count_fds(), before);
        f->n_log = 0;
    }
}

static void
test_error_then_nak(void **state)
{
    struct fixture *f = *state;
    const struct misdeed m = {"/error", 0, XSKCNI_HOST_NAK, "an error of its own"};
    static const struct {
        enum { SAYS, CLOSES, SILENT } then;
        const char *what;
        enum xskcni_result result;
    } table[] = {
        {SAYS, "/host_nak", XSKCNI_HOST_NAK}, {CLOSES, NULL, XSKCNI_HOST_NAK},
        {SILENT, NULL, XSKCNI_HOST_NAK},      {SAYS, "/host_ok", XSKCNI_BAD_REPLY},
        {SAYS, "/error", XSKCNI_BAD_REPLY},
    };
    for (unsigned i = 0; i < sizeof table / sizeof table[0]; i++) {
        f->now += XSKCNI_RETRY_MS;
        client_connect(f);
        exchange(f, "/error", 0, NULL);
        assert_int_equal(f->n_log, 0);
        assert_int_equal(xskcni_state(f->session), XSKCNI_STATE_HOST);
        if (table[i].then == SILENT) {
            f->now += XSKCNI_STEP_MS;
        } else if (table[i].then == SAYS) {
            server_say(f, table[i].what, 0);
        } else {
            server_close(f);
        }
        process(f);
        assert_int_equal(f->n_log, 1);
        expect_reply(f, 0, XSKCNI_OP_OPEN, table[i].result);
        if (table[i].result == m.result) {
            expect_sentence(f, 0, &m);
        }
        server_close(f);
        f->n_log = 0;
    }
    /* The error is forgotten with its connection. */
    f->now += XSKCNI_RETRY_MS;
    client_connect(f);
    exchange(f, "/host_nak", 0, NULL);
    assert_null(strstr(f->log[0].message, "error"));
}

static void
test_map_misdeeds(void **state)
{
    struct fixture *f = *state;
    static const struct misdeed table[] = {
        {"/fd_nak", 0, XSKCNI_DEVICE_NAK, "refused to hand over device eth1"},
        {"/fd_ack", 0, XSKCNI_NO_FD, "device eth1 but sent no file descriptor"},
        {"/fd_ack", 2, XSKCNI_BAD_FDS, "do not belong there; they were closed"},
        {"/fd_ack", 64, XSKCNI_BAD_FDS, "do not belong there; they were closed"},
        {"/nak", 0, XSKCNI_UNKNOWN, "does not know the request \"/xsk_map_fd,eth1\""},
        {"/fd_nak", 1, XSKCNI_BAD_FDS, "do not belong there"},
        {"/fd_acknowledged", 1, XSKCNI_BAD_FDS, "do not belong there"},
        {"/fd_ac", 0, XSKCNI_BAD_REPLY, "\"/xsk_map_fd,eth1\" with \"/fd_ac\""},
        {"/fin_ack", 0, XSKCNI_BAD_REPLY, "\"/fin_ack\""},
        {NULL, 0, XSKCNI_CLOSED, "instead of answering \"/xsk_map_fd,eth1\""},
    };
    for (unsigned i = 0; i < sizeof table / sizeof table[0]; i++) {
        bool goes_on = i < 5;
        int before = count_fds();
        f->now += XSKCNI_RETRY_MS;
        client_asking(f);
        xskcni_get_map(f->session, "eth2", NULL);
        misbehave(f, &table[i]);
        expect_reply(f, 1, XSKCNI_OP_MAP, table[i].result);
        expect_sentence(f, 1, &table[i]);
        if (goes_on) {
            assert_int_equal(f->n_log, 2);
            server_expect(f, "/xsk_map_fd,eth2");
            exchange(f, "/fd_ack", 1, NULL);
            expect_reply(f, 2, XSKCNI_OP_MAP, XSKCNI_OK);
            xskcni_fin(f->session);
            process(f);
            server_expect(f, "/fin");
            exchange(f, "/fin_ack", 0, NULL);
            expect_reply(f, 3, XSKCNI_OP_END, XSKCNI_OK);
        } else {
            assert_int_equal(f->n_log, 4);
            expect_reply(f, 2, XSKCNI_OP_MAP, table[i].result);
            expect_reply(f, 3, XSKCNI_OP_END, table[i].result);
        }
        close_maps(f);
        server_close(f);
        assert_int_equal(count_fds(), before);
    }
}

static void
test_terminator_is_wrong(void **state)
{
    struct fixture *f = *state;
    client_connect(f);
    server_say_n(f, "/host_ok", 9, NULL, 0);
    process(f);
    expect_reply(f, 0, XSKCNI_OP_OPEN, XSKCNI_BAD_REPLY);
}

static void
test_fd_zero(void **state)
{
    struct fixture *f = *state;
    client_asking(f);
    int saved = fcntl(0, F_DUPFD_CLOEXEC, 100);
    close(0);
    exchange(f, "/fd_ack", 1, NULL);
    int got = f->log[1].reply.fd;
    if (saved >= 0) {
        dup2(saved, 0);
        close(saved);
    }
    expect_reply(f, 1, XSKCNI_OP_MAP, XSKCNI_OK);
    assert_int_equal(got, 0);
    if (saved >= 0) {
        f->log[1].reply.fd = -1; /* replaced by the old one */
    }
}

static void
test_fd_limit(void **state)
{
    struct fixture *f = *state;
    struct rlimit old, none;
    client_asking(f);
    server_say(f, "/fd_ack", 1);
    getrlimit(RLIMIT_NOFILE, &old);
    none = old;
    none.rlim_cur = 3;
    setrlimit(RLIMIT_NOFILE, &none);
    process(f);
    setrlimit(RLIMIT_NOFILE, &old);
    expect_reply(f, 1, XSKCNI_OP_MAP, XSKCNI_BAD_FDS);
    assert_int_equal(f->log[1].reply.error, EMFILE);
    assert_non_null(strstr(f->log[1].message, "ulimit -n"));
    assert_int_equal(xskcni_state(f->session), XSKCNI_STATE_READY);
}

static void
test_unsolicited(void **state)
{
    struct fixture *f = *state;
    client_ready(f);
    exchange(f, "/fd_ack", 1, NULL);
    expect_reply(f, 1, XSKCNI_OP_END, XSKCNI_BAD_REPLY);
    assert_non_null(strstr(f->log[1].message, "\"/fd_ack\" without having been asked"));
    server_close(f);
    /* What lies there already is no answer to what is asked next. */
    f->n_log = 0;
    f->now += XSKCNI_RETRY_MS;
    client_ready(f);
    server_say(f, "/fd_ack", 1);
    xskcni_get_map(f->session, "eth1", NULL);
    process(f);
    assert_int_equal(f->n_log, 3);
    expect_reply(f, 1, XSKCNI_OP_MAP, XSKCNI_BAD_REPLY);
    expect_reply(f, 2, XSKCNI_OP_END, XSKCNI_BAD_REPLY);
}

static void
test_server_ends(void **state)
{
    struct fixture *f = *state;
    client_ready(f);
    server_close(f);
    process(f);
    expect_reply(f, 1, XSKCNI_OP_END, XSKCNI_CLOSED);
    assert_non_null(strstr(f->log[1].message, "ended the session"));
    f->n_log = 0;
    /* A request opens anew, after the quiet time. */
    xskcni_get_map(f->session, "eth1", NULL);
    process(f);
    assert_int_equal(xskcni_state(f->session), XSKCNI_STATE_IDLE);
    assert_true(xskcni_deadline_ms(f->session) == f->now + XSKCNI_RETRY_MS);
    f->now += XSKCNI_RETRY_MS;
    process(f);
    assert_int_equal(xskcni_state(f->session), XSKCNI_STATE_HOST);
    /* A server that reads nothing and closes resets the connection. */
    f->conn = accept(f->listener, NULL, NULL);
    server_close(f);
    process(f);
    expect_reply(f, 0, XSKCNI_OP_OPEN, XSKCNI_CLOSED);
    /* What it said before is still heard. */
    f->n_log = 0;
    f->now += XSKCNI_RETRY_MS;
    xskcni_open(f->session);
    process(f);
    f->conn = accept(f->listener, NULL, NULL);
    server_say(f, "/host_nak", 0);
    server_close(f);
    process(f);
    expect_reply(f, 0, XSKCNI_OP_OPEN, XSKCNI_HOST_NAK);
}

static void
test_busy_poll(void **state)
{
    struct fixture *f = *state;
    static const struct misdeed table[] = {
        {"/config_busy_poll_ack", 0, XSKCNI_OK, "set busy polling"},
        {"/config_busy_poll_nak", 0, XSKCNI_BUSY_NAK, "could not set busy polling"},
        {"/nak", 0, XSKCNI_UNKNOWN, "leave busy polling off"},
        {"/fd_ack", 0, XSKCNI_BAD_REPLY, "/config_busy_poll,20,64"},
    };
    assert_int_equal(xskcni_config_busy_poll(f->session, 1, 20, 0, NULL), EINVAL);
    assert_int_equal(xskcni_config_busy_poll(f->session, 1, 20, 65536, NULL), EINVAL);
    assert_int_equal(xskcni_config_busy_poll(f->session, 1, 1u << 31, 64, NULL), EINVAL);
    assert_non_null(strstr(xskcni_last_error(f->session), "2147483648"));
    assert_int_equal(xskcni_config_busy_poll(f->session, -1, 20, 64, NULL), EBADF);
    assert_int_equal(xskcni_config_busy_poll(f->session, 511, 20, 64, NULL), EBADF);
    assert_int_equal(xskcni_pending(f->session), 0);
    client_ready(f);
    for (unsigned i = 0; i < 4; i++) {
        int pair[2], got;
        assert_return_code(socketpair(AF_UNIX, SOCK_STREAM, 0, pair), errno);
        assert_int_equal(xskcni_config_busy_poll(f->session, pair[0], 20, 64, &pair), 0);
        close(pair[0]); /* the session has its own */
        process(f);
        char buf[65];
        assert_return_code(fd_message_receive(f->conn, buf, 64, &got, MSG_DONTWAIT), errno);
        assert_string_equal(buf, "/config_busy_poll,20,64");
        assert_true(got >= 0);
        assert_int_equal(write(got, "x", 1), 1);
        assert_int_equal(read(pair[1], buf, 1), 1);
        close(got);
        exchange(f, table[i].reply, 0, NULL);
        close(pair[1]);
        expect_reply(f, 1 + i, XSKCNI_OP_BUSY_POLL, table[i].result);
        expect_sentence(f, 1 + i, &table[i]);
        assert_ptr_equal(f->log[1 + i].reply.tag, &pair);
    }
    expect_reply(f, 5, XSKCNI_OP_END, XSKCNI_BAD_REPLY);
}

/* No session comes of `o`, and why is said by errno and by a sentence. */
static void
expect_refused(const struct xskcni_options *o, int error, const char *fragment)
{
    char err[XSKCNI_SENTENCE_MAX];
    assert_null(xskcni_session_new(o, err, sizeof err));
    assert_int_equal(errno, error);
    assert_non_null(strstr(err, fragment));
}

static void
expect_bad_device(struct fixture *f, const char *device, const char *fragment)
{
    assert_int_equal(xskcni_get_map(f->session, device, NULL), EINVAL);
    assert_non_null(strstr(xskcni_last_error(f->session), fragment));
}

static void
test_arguments(void **state)
{
    struct fixture *f = *state;
    char err[XSKCNI_SENTENCE_MAX], text[256];
    struct xskcni_options o = {.sz = sizeof o, .path = f->path, .hostname = HOST};
    memset(text, 'h', sizeof text);
    static const char *const bad_hosts[] = {"", "a b", "a,b", "a\tb", "a\xff"};
    for (unsigned i = 0; i < 5; i++) {
        o.hostname = bad_hosts[i];
        expect_refused(&o, EINVAL, "host name");
    }
    o.hostname = text;
    text[56] = '\0';
    expect_refused(&o, EINVAL, "1 to 55 bytes");
    assert_null(xskcni_session_new(&o, NULL, 0));
    text[55] = '\0';
    o.step_ms = XSKCNI_STEP_MS_MAX + 1;
    expect_refused(&o, EINVAL, "");
    o.step_ms = 0;
    o.path = NULL;
    expect_refused(&o, EINVAL, "");
    char path[110];
    memset(path, 'p', sizeof path);
    o.path = path;
    path[108] = '\0';
    expect_refused(&o, ENAMETOOLONG, "at most 107");
    path[107] = '\0';
    struct xskcni_session *s = xskcni_session_new(&o, err, sizeof err);
    assert_non_null(s);
    xskcni_session_free(s);
    o.sz = 3;
    expect_refused(&o, EINVAL, "");
    xskcni_session_free(NULL);
    static const char *const bad_devices[] = {"", ".", "..", "a/b", "a b", "a,b", NULL};
    for (unsigned i = 0; i < 7; i++) {
        expect_bad_device(f, bad_devices[i], "device name");
    }
    text[53] = '\0';
    expect_bad_device(f, text, "too long");
    assert_int_equal(xskcni_pending(f->session), 0);
    /* The longest of both make a message of exactly 64 bytes. */
    char host[56], request[300];
    memset(host, 'n', 55);
    host[55] = '\0';
    o = (struct xskcni_options){.sz = sizeof o, .path = f->path, .hostname = host};
    s = xskcni_session_new(&o, err, sizeof err);
    text[52] = '\0';
    assert_int_equal(xskcni_get_map(s, text, NULL), 0);
    xskcni_process(s, 0);
    f->conn = accept(f->listener, NULL, NULL);
    snprintf(request, sizeof request, "/connect,%s", host);
    assert_int_equal(strlen(request), 64);
    server_expect(f, request);
    server_say(f, "/host_ok", 0);
    xskcni_process(s, 0);
    server_expect(f, "/version");
    server_say(f, "0.1", 0);
    xskcni_process(s, 0);
    snprintf(request, sizeof request, "/xsk_map_fd,%s", text);
    assert_int_equal(strlen(request), 64);
    server_expect(f, request);
    server_say(f, "/fd_ack", 1); /* without a callback the descriptor is closed */
    xskcni_process(s, 0);
    assert_int_equal(xskcni_pending(s), 0);
    xskcni_session_free(s);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        CASE(test_two_devices),  CASE(test_handshake_misdeeds),  CASE(test_error_then_nak),
        CASE(test_map_misdeeds), CASE(test_terminator_is_wrong), CASE(test_fd_zero),
        CASE(test_fd_limit),     CASE(test_unsolicited),         CASE(test_server_ends),
        CASE(test_busy_poll),    CASE(test_arguments),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
