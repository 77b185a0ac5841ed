/* SPDX-License-Identifier: Apache-2.0 */
#ifndef XVS_TESTS_XSKCNI_SERVER_H
#define XVS_TESTS_XSKCNI_SERVER_H 1

/* A session of libxskcni and a scripted server in the same thread, a clock that the test moves,
 * and a count of descriptors at the end of each case. */

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdarg.h>
#include <setjmp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>
#include <cmocka.h>
#include "fd-message.h"
#include "xskcni/xskcni.h"

#define LOG_MAX 16
#define HOST "pod-1"

struct record {
    struct xskcni_reply reply;
    char device[64], message[XSKCNI_SENTENCE_MAX];
};

struct fixture {
    char dir[64], path[100];
    int listener, conn; /* the server */
    int n_fds;          /* open before the case */
    struct xskcni_session *session;
    int64_t now;
    struct record log[LOG_MAX];
    unsigned n_log;
    void (*then)(struct fixture *, const struct xskcni_reply *); /* called by the callback */
};

static inline int
count_fds(void)
{
    int n = 0;
    for (int fd = 0; fd < 512; fd++) {
        n += fcntl(fd, F_GETFD) >= 0;
    }
    return n;
}

static inline void
record(void *aux, const struct xskcni_reply *reply)
{
    struct fixture *f = aux;
    assert_true(f->n_log < LOG_MAX);
    struct record *r = &f->log[f->n_log++];
    r->reply = *reply;
    snprintf(r->device, sizeof r->device, "%s", reply->device ? reply->device : "");
    snprintf(r->message, sizeof r->message, "%s", reply->message);
    assert_true(strlen(reply->message) > 20 &&
                strlen(reply->message) < XSKCNI_SENTENCE_MAX - 1);
    assert_null(strstr(reply->message, "(null)"));
    assert_true(!reply->result == !reply->error);
    assert_true(reply->fd == -1 || (reply->op == XSKCNI_OP_MAP && !reply->result));
    if (f->then) {
        f->then(f, reply);
    }
}

/* The server. */

static inline void
server_listen(struct fixture *f, int type, int backlog)
{
    struct sockaddr_un sun = {.sun_family = AF_UNIX};
    snprintf(sun.sun_path, sizeof sun.sun_path, "%s", f->path);
    f->listener = socket(AF_UNIX, type | SOCK_NONBLOCK, 0);
    assert_true(f->listener >= 0);
    assert_return_code(bind(f->listener, (struct sockaddr *) &sun, sizeof sun), errno);
    assert_return_code(listen(f->listener, backlog), errno);
}

static inline void
server_expect(struct fixture *f, const char *text)
{
    char buf[256];
    ssize_t n = recv(f->conn, buf, sizeof buf - 1, MSG_DONTWAIT);
    assert_return_code(n, errno);
    buf[n] = '\0';
    assert_string_equal(buf, text);
}

static inline void
server_say_n(struct fixture *f, const void *text, size_t len, const int *fds, unsigned n_fds)
{
    assert_return_code(fd_message_send(f->conn, text, len, fds, n_fds, 0), errno);
}

static inline void
server_say(struct fixture *f, const char *text, int n_fds)
{
    int fds[FD_MESSAGE_MAX];
    for (int i = 0; i < n_fds; i++) {
        fds[i] = f->listener;
    }
    server_say_n(f, text, strlen(text), fds, (unsigned) n_fds);
}

static inline void
server_close(struct fixture *f)
{
    if (f->conn >= 0) {
        close(f->conn);
        f->conn = -1;
    }
}

/* The client. */

static inline void
process(struct fixture *f)
{
    xskcni_process(f->session, f->now);
}

static inline void
client_new(struct fixture *f)
{
    char err[XSKCNI_SENTENCE_MAX] = "";
    struct xskcni_options o = {
        .sz = sizeof o, .path = f->path, .hostname = HOST, .cb = record, .aux = f};
    f->session = xskcni_session_new(&o, err, sizeof err);
    assert_non_null(f->session);
    assert_string_equal(err, "");
}

/* Up to the server's having "/connect,HOST" in hand. */
static inline void
client_connect(struct fixture *f)
{
    assert_int_equal(xskcni_open(f->session), 0);
    process(f);
    assert_int_equal(xskcni_state(f->session), XSKCNI_STATE_HOST);
    assert_int_equal(xskcni_events(f->session), POLLIN);
    f->conn = accept(f->listener, NULL, NULL);
    assert_true(f->conn >= 0);
    server_expect(f, "/connect," HOST);
}

static inline void
exchange(struct fixture *f, const char *reply, int n_fds, const char *next)
{
    server_say(f, reply, n_fds);
    process(f);
    if (next) {
        server_expect(f, next);
    }
}

static inline void
client_ready(struct fixture *f)
{
    client_connect(f);
    exchange(f, "/host_ok", 0, "/version");
    assert_int_equal(xskcni_state(f->session), XSKCNI_STATE_VERSION);
    exchange(f, "0.1", 0, NULL);
}

static inline void
client_asking(struct fixture *f)
{
    client_ready(f);
    assert_int_equal(f->n_log, 1);
    assert_int_equal(xskcni_get_map(f->session, "eth1", &f->dir), 0);
    process(f);
    server_expect(f, "/xsk_map_fd,eth1");
    assert_int_equal(xskcni_state(f->session), XSKCNI_STATE_ASKING);
}

static inline void
expect_reply(struct fixture *f, unsigned i, enum xskcni_op op, enum xskcni_result result)
{
    assert_true(i < f->n_log);
    assert_int_equal(f->log[i].reply.op, op);
    assert_string_equal(xskcni_result_name(f->log[i].reply.result), xskcni_result_name(result));
}

static inline void
close_maps(struct fixture *f)
{
    for (unsigned i = 0; i < f->n_log; i++) {
        if (f->log[i].reply.fd >= 0) {
            close(f->log[i].reply.fd);
        }
    }
    f->n_log = 0;
}

static inline int
setup(void **state)
{
    struct fixture *f = calloc(1, sizeof *f);
    f->n_fds = count_fds();
    strcpy(f->dir, "/tmp/xskcni-test-XXXXXX");
    assert_non_null(mkdtemp(f->dir));
    snprintf(f->path, sizeof f->path, "%s/afxdp.sock", f->dir);
    f->listener = f->conn = -1;
    f->now = 1000000;
    server_listen(f, SOCK_SEQPACKET, 4);
    client_new(f);
    *state = f;
    return 0;
}

static inline void
stop(struct fixture *f)
{
    close_maps(f);
    xskcni_session_free(f->session);
    f->session = NULL;
    server_close(f);
    if (f->listener >= 0) {
        close(f->listener);
        f->listener = -1;
    }
    unlink(f->path);
    assert_int_equal(count_fds(), f->n_fds);
}

static inline int
teardown(void **state)
{
    struct fixture *f = *state;
    stop(f);
    rmdir(f->dir);
    free(f);
    return 0;
}

/* One wrong reply at one step; the fragment must be in the sentence. */
struct misdeed {
    const char *reply;
    int n_fds;
    enum xskcni_result result;
    const char *fragment;
};

static inline void
misbehave(struct fixture *f, const struct misdeed *m)
{
    if (m->reply) {
        server_say(f, m->reply, m->n_fds);
    } else {
        server_close(f);
    }
    process(f);
}

static inline void
expect_sentence(struct fixture *f, unsigned i, const struct misdeed *m)
{
    const char *s = f->log[i].message;
    if (!strstr(s, m->fragment) || !strstr(s, f->path)) {
        print_error("reply %s: no \"%s\" in: %s\n", m->reply ? m->reply : "(close)",
                    m->fragment, s);
        fail();
    }
}

#define CASE(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

#endif
