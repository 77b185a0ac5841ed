/* SPDX-License-Identifier: Apache-2.0 */
/* `xvs-agent status`: asks a running agent and prints what it says.  A program of its own in
 * all but name: no event loop, blocks within its time limit.  Trusts the agent, but not that
 * its answer is complete. */

#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "os/clock.h"
#include "util/strbuf.h"
#include "util/xalloc.h"
#include "utilities/xvs-agent/status.h"

#define LIMIT_MS 5000
#define ANSWER_MAX (4u << 20)

/* Reads up to end of file, ANSWER_MAX or the time limit; 0 or a positive errno. */
static int
read_all(int fd, struct strbuf *out)
{
    int64_t until = clock_now_ms() + LIMIT_MS;
    char buf[4096];
    while (out->len < ANSWER_MAX) {
        int64_t left = until - clock_now_ms();
        struct pollfd p = {.fd = fd, .events = POLLIN};
        if (left <= 0 || poll(&p, 1, (int) left) == 0) {
            return ETIMEDOUT;
        }
        ssize_t n = recv(fd, buf, sizeof buf, MSG_DONTWAIT);
        if (n == 0) {
            return 0;
        }
        if (n > 0) {
            strbuf_put(out, buf, (size_t) n);
        } else if (errno != EAGAIN && errno != EINTR) {
            return errno;
        }
    }
    return EFBIG;
}

static int
ask(const char *path, struct strbuf *out)
{
    struct sockaddr_un sun = {.sun_family = AF_UNIX};
    if (strlen(path) >= sizeof sun.sun_path) {
        return ENAMETOOLONG;
    }
    strcpy(sun.sun_path, path);
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (fd < 0) {
        return errno;
    }
    int error = connect(fd, (const struct sockaddr *) &sun, sizeof sun) ? errno : 0;
    if (!error) {
        error = read_all(fd, out);
    }
    close(fd);
    return error;
}

static const char *
text(const json_t *o, const char *key)
{
    const char *s = json_string_value(json_object_get(o, key));
    return s ? s : "";
}

static long long
number(const json_t *o, const char *key)
{
    return json_integer_value(json_object_get(o, key));
}

static void
print_device(const json_t *d)
{
    printf("%s: %s", text(d, "name"), text(d, "state"));
    if (json_object_get(d, "xdp-mode")) {
        printf(", %s mode, %lld queue%s, map of %lld slots, program %lld", text(d, "xdp-mode"),
               number(d, "queues"), number(d, "queues") == 1 ? "" : "s", number(d, "map-slots"),
               number(d, "program-id"));
    }
    putchar('\n');
    if (*text(d, "error")) {
        printf("    %s\n", text(d, "error"));
    }
    if (json_is_true(json_object_get(d, "elsewhere"))) {
        printf("    was moved to a network namespace by another program\n");
    } else if (*text(d, "netns")) {
        printf("    network namespace: %s\n", text(d, "netns"));
    }
    if (*text(d, "pin")) {
        printf("    pinned: %s\n", text(d, "pin"));
    }
    if (*text(d, "pin-error")) {
        printf("    not pinned: %s\n", text(d, "pin-error"));
    }
}

static void
print_socket(const json_t *s)
{
    size_t i;
    const json_t *e;
    printf("%s: %s\n", text(s, "path"), text(s, "state"));
    if (*text(s, "error")) {
        printf("    %s\n", text(s, "error"));
    }
    printf("    users:");
    json_array_foreach(json_object_get(s, "uids"), i, e)
    {
        printf(" %" JSON_INTEGER_FORMAT, json_integer_value(e));
    }
    printf("; host: %s; clients served: %lld, refused: %lld\n",
           *text(s, "host") ? text(s, "host") : "any", number(s, "accepted"),
           number(s, "refused"));
    json_array_foreach(json_object_get(s, "sessions"), i, e)
    {
        printf("    session: process %lld of user %lld, %s%s, %lld requests, %lld maps, %lld "
               "s\n",
               number(e, "pid"), number(e, "uid"),
               json_is_true(json_object_get(e, "accepted")) ? "accepted as " : "not accepted",
               text(e, "host"), number(e, "requests"), number(e, "maps"),
               number(e, "age-ms") / 1000);
    }
}

int
status_show(const char *path, bool json)
{
    struct strbuf answer = STRBUF_INIT;
    int status = EXIT_FAILURE;
    json_t *root = NULL;
    int error = ask(path, &answer);
    if (error) {
        fprintf(stderr, "xvs-agent: cannot ask the agent at %s (%s)%s\n", path, strerror(error),
                error == ENOENT || error == ECONNREFUSED ? ": it does not run there" : "");
        goto out;
    }
    root = json_loadb(answer.data ? answer.data : "", answer.len, 0, NULL);
    if (!json_is_object(root)) {
        fprintf(stderr, "xvs-agent: the agent at %s gave no complete answer\n", path);
        goto out;
    }
    if (json) {
        json_dumpf(root, stdout, JSON_INDENT(2));
        putchar('\n');
    } else {
        size_t i;
        const json_t *e;
        printf("xvs-agent %s, process %lld%s\n", text(root, "version"), number(root, "pid"),
               json_is_true(json_object_get(root, "once")) ? ", every socket once" : "");
        json_array_foreach(json_object_get(root, "devices"), i, e)
        {
            print_device(e);
        }
        json_array_foreach(json_object_get(root, "sockets"), i, e)
        {
            print_socket(e);
        }
    }
    status = EXIT_SUCCESS;
out:
    json_decref(root);
    strbuf_free(&answer);
    return status;
}
