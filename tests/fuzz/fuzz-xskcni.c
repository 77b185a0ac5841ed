/* SPDX-License-Identifier: Apache-2.0 */

/* Fuzzes libxskcni with a server whose replies, descriptors, silences and closings the input
 * chooses, while the client asks, cancels, finishes and starts again.  After each input: every
 * request got its one result, and no descriptor is left. */

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>
#include "fuzz.h"
#include "tests/unit/fd-message.h"
#include "xskcni/xskcni.h"

#define MESSAGES_MAX 64

struct client {
    unsigned n_asked, n_results;
    bool open;
};

static struct sockaddr_un where;
static int listener = -1;

static char dir[] = "/tmp/fuzz-xskcni-XXXXXX";

static void
clean(void)
{
    unlink(where.sun_path);
    rmdir(dir);
}

static void
start(void)
{
    where.sun_family = AF_UNIX;
    if (!mkdtemp(dir)) {
        abort();
    }
    snprintf(where.sun_path, sizeof where.sun_path, "%s/s", dir);
    listener = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (listener < 0 || bind(listener, (struct sockaddr *) &where, sizeof where) ||
        listen(listener, 8) || atexit(clean)) {
        abort();
    }
}

static void
result(void *aux, const struct xskcni_reply *r)
{
    struct client *c = aux;
    size_t len = strlen(r->message);
    require(len && len < XSKCNI_SENTENCE_MAX - 1 && !r->result == !r->error);
    require((r->fd >= 0) == (r->op == XSKCNI_OP_MAP && !r->result));
    for (size_t i = 0; i < len; i++) {
        require(r->message[i] >= ' ' && r->message[i] <= '~');
    }
    switch (r->op) {
    case XSKCNI_OP_OPEN:
        require(!c->open);
        c->open = !r->result;
        break;
    case XSKCNI_OP_END:
        require(c->open);
        c->open = false;
        break;
    default:
        c->n_results++;
        break;
    }
    if (r->fd >= 0) {
        require(fcntl(r->fd, F_GETFD) & FD_CLOEXEC);
        close(r->fd);
    }
}

static void
say(int conn, const void *text, size_t len, unsigned n_fds)
{
    const int fds[3] = {conn, conn, conn};
    (void) !fd_message_send(conn, text, len, fds, n_fds, MSG_DONTWAIT);
}

static int
lowest_fd(void)
{
    int fd = dup(listener);
    close(fd);
    return fd;
}

/* The right answer to what the client asked last. */
static const char *
right_answer(int conn)
{
    char text[80] = "";
    ssize_t n = recv(conn, text, sizeof text - 1, MSG_DONTWAIT);
    return n <= 0                                    ? "0.1"
           : !strncmp(text, "/connect", 8)           ? "/host_ok"
           : !strncmp(text, "/xsk_map_fd", 11)       ? "/fd_ack"
           : !strncmp(text, "/config_busy_poll", 17) ? "/config_busy_poll_ack"
           : !strcmp(text, "/fin")                   ? "/fin_ack"
                                                     : "0.1";
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const char *const known[] = {"/host_ok", "/host_nak", "/error", "0.1",
                                        "/fd_ack",  "/fd_nak",   "/nak",   "/fin_ack"};
    if (listener < 0) {
        start();
    }
    int before = lowest_fd(), conn = -1, tags[4];
    struct client c = {0};
    struct xskcni_options o = {
        .sz = sizeof o, .path = where.sun_path, .hostname = "pod", .cb = result, .aux = &c};
    struct xskcni_session *s = xskcni_session_new(&o, NULL, 0);
    int64_t now = 0;
    bool canceled = false;
    const uint8_t *end = data + size;
    for (unsigned i = 0; i < MESSAGES_MAX && data < end; i++) {
        uint8_t op = *data++, arg = data < end ? *data++ : 0;
        switch (op % 12) {
        case 0:
            c.n_asked += !xskcni_get_map(s, "eth1", &tags[arg % 4]);
            break;
        case 1:
            c.n_asked += !xskcni_config_busy_poll(s, listener, 20, 64, &tags[arg % 4]);
            break;
        case 2:
            xskcni_fin(s);
            break;
        case 3:
            xskcni_cancel(s, &tags[arg % 4]);
            canceled = true;
            break;
        case 4:
            now += arg * 16;
            break;
        case 5:
            if (conn >= 0) {
                close(conn);
                conn = -1;
            }
            break;
        case 6:
            xskcni_open(s);
            break;
        case 7:
        case 8:
            if (conn >= 0) {
                const char *text = right_answer(conn);
                say(conn, text, strlen(text), !strcmp(text, "/fd_ack"));
            }
            break;
        case 9:
            if (conn >= 0) {
                say(conn, known[arg % 8], strlen(known[arg % 8]), arg / 8 % 4);
            }
            break;
        default: {
            size_t n = arg % 80 < (size_t) (end - data) ? arg % 80 : (size_t) (end - data);
            if (conn >= 0) {
                say(conn, data, n, arg / 80);
            }
            data += n;
            break;
        }
        }
        xskcni_process(s, now);
        require(xskcni_fd(s) < 0 || xskcni_events(s));
        int next = accept4(listener, NULL, NULL, SOCK_CLOEXEC);
        if (next >= 0) {
            if (conn >= 0) {
                close(conn);
            }
            conn = next;
        }
    }
    require(canceled || c.n_results + xskcni_pending(s) == c.n_asked);
    xskcni_session_free(s);
    if (conn >= 0) {
        close(conn);
    }
    while ((conn = accept4(listener, NULL, NULL, SOCK_CLOEXEC)) >= 0) {
        close(conn);
    }
    require(lowest_fd() == before);
    return 0;
}
