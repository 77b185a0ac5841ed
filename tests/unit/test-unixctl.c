/* SPDX-License-Identifier: Apache-2.0 */

/* The control server over a real Unix socket: replies at once and later, in any order, several
 * requests in one write, errors, garbage, a client that leaves, and ovs-appctl when installed.
 */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <errno.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>
#include "log/coverage.h"
#include "log/ctl.h"
#include "rpc/unixctl.h"

static char dir[] = "/tmp/xvs-unixctl-XXXXXX";
static char path[64];
static struct evloop *loop;
static struct unixctl_server *server;
static struct ctl_conn *held;

static void
cmd_echo(struct ctl_conn *conn, int argc, const char *const argv[], void *aux)
{
    ctl_reply(conn, argc > 1 ? argv[1] : "");
}

static void
cmd_hold(struct ctl_conn *conn, int argc, const char *const argv[], void *aux)
{
    held = conn;
}

static int
setup(void **state)
{
    assert_non_null(mkdtemp(dir));
    snprintf(path, sizeof path, "%s/x.ctl", dir);
    loop = evloop_create();
    char *error = NULL;
    assert_int_equal(unixctl_server_create(loop, path, &server, &error), 0);
    ctl_base_commands_register();
    ctl_command_register("test/echo", "[text]", 0, 1, cmd_echo, NULL);
    ctl_command_register("test/hold", "", 0, 0, cmd_hold, NULL);
    return 0;
}

static int
teardown(void **state)
{
    unixctl_server_destroy(server);
    assert_int_equal(access(path, F_OK), -1);
    evloop_destroy(loop);
    return rmdir(dir);
}

static int
dial(void)
{
    struct sockaddr_un un = {.sun_family = AF_UNIX};
    strcpy(un.sun_path, path);
    int fd = socket(AF_UNIX, SOCK_STREAM, 0);
    assert_int_equal(connect(fd, (struct sockaddr *) &un, sizeof un), 0);
    return fd;
}

static void
turns(int n)
{
    while (n--) {
        evloop_turn(loop, 5);
    }
}

static void
put(int fd, const char *text)
{
    assert_int_equal(write(fd, text, strlen(text)), (ssize_t) strlen(text));
}

/* What has arrived, as a string; "<eof>" when closed. */
static const char *
get(int fd)
{
    static char buf[65536];
    ssize_t n = recv(fd, buf, sizeof buf - 1, MSG_DONTWAIT);
    if (!n) {
        return "<eof>";
    }
    buf[n < 0 ? 0 : n] = '\0';
    return buf;
}

/* Does a text of a reply say `want`?  On the wire every text that is not empty ends a line. */
static bool
says(const char *got, const char *want)
{
    size_t len = strlen(want);
    return got && !strncmp(got, want, len) && !strcmp(got + len, len ? "\n" : "");
}

/* Checks id, result and error of one reply; NULL stands for null. */
static void
check_reply(const char *text, int id, const char *result, const char *error)
{
    json_t *j = json_loads(text, 0, NULL);
    assert_non_null(j);
    assert_int_equal(json_integer_value(json_object_get(j, "id")), id);
    const char *r = json_string_value(json_object_get(j, "result"));
    const char *e = json_string_value(json_object_get(j, "error"));
    assert_true(result ? says(r, result) : !r);
    assert_true(error ? says(e, error) : !e);
    assert_true(json_object_get(j, "result") && json_object_get(j, "error"));
    json_decref(j);
}

static void
test_reply(void **state)
{
    struct stat st;
    assert_int_equal(stat(path, &st), 0);
    assert_int_equal(st.st_mode & 07777, 0750);

    int fd = dial();
    put(fd, "{\"id\":7,\"method\":\"test/echo\",\"params\":[\"a\\nb\"]}");
    turns(4);
    check_reply(get(fd), 7, "a\nb", NULL);
    put(fd, "{\"id\":8,\"method\":\"no-such\",\"params\":[]}");
    turns(4);
    check_reply(get(fd), 8, NULL,
                "\"no-such\" is not a valid command (use \"list-commands\" to see a list of "
                "valid commands)");
    put(fd, "{\"id\":9,\"method\":\"test/echo\",\"params\":[3]}");
    turns(4);
    check_reply(get(fd), 9, NULL, "\"test/echo\" command has an argument that is not a string");
    close(fd);
    turns(3);
}

static void
test_bad_bytes(void **state)
{
    /* A reply that is not UTF-8 still arrives. */
    int fd = dial();
    held = NULL;
    put(fd, "{\"id\":1,\"method\":\"test/hold\",\"params\":[]}");
    turns(4);
    assert_non_null(held);
    ctl_reply(held, "x\xff\xc3\xa4y\xe2");
    turns(2);
    check_reply(get(fd), 1, "x?\xc3\xa4y?", NULL);
    close(fd);
    turns(3);
}

static void
test_later(void **state)
{
    /* One connection waits while it and another one are served. */
    int a = dial(), b = dial();
    held = NULL;
    put(a, "{\"id\":1,\"method\":\"test/hold\",\"params\":[]}"
           "{\"id\":2,\"method\":\"test/echo\",\"params\":[\"two\"]}");
    put(b, "{\"id\":3,\"method\":\"test/echo\",\"params\":[\"three\"]}");
    turns(6);
    check_reply(get(a), 2, "two", NULL);
    check_reply(get(b), 3, "three", NULL);
    assert_non_null(held);
    ctl_reply_error(held, "late");
    turns(2);
    check_reply(get(a), 1, NULL, "late");

    /* The client leaves before its reply. */
    held = NULL;
    put(a, "{\"id\":4,\"method\":\"test/hold\",\"params\":[]}");
    turns(4);
    assert_non_null(held);
    close(a);
    turns(4);
    ctl_reply(held, "nobody listens");
    close(b);
    turns(3);
}

static void
test_garbage(void **state)
{
    static const char *const cases[] = {
        "hello\n",
        "{]",
        "{\"id\":1}",
        "[1,2]",
        "{\"id\":1,\"method\":5,\"params\":[]}",
        "{\"id\":1,\"method\":\"x\",\"params\":{}}",
        "{\"method\":\"x\",\"params\":[]}",
        "}",
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        uint64_t before = 0, after = 0;
        assert_true(coverage_read("unixctl_garbage", &before));
        int fd = dial();
        put(fd, cases[i]);
        turns(6);
        assert_string_equal(get(fd), "<eof>");
        coverage_read("unixctl_garbage", &after);
        assert_int_equal(after, before + 1);
        close(fd);
    }
}

static void
test_bad_path(void **state)
{
    struct unixctl_server *s;
    char *error = NULL;
    assert_int_equal(unixctl_server_create(loop, "/nonexistent/x.ctl", &s, &error), ENOENT);
    assert_null(s);
    assert_non_null(strstr(error, "/nonexistent/x.ctl"));
    free(error);
}

static void
test_appctl(void **state)
{
    if (access("/usr/bin/ovs-appctl", X_OK)) {
        skip();
    }
    char command[256];
    snprintf(command, sizeof command, "/usr/bin/ovs-appctl -t %s list-commands", path);
    FILE *p = popen(command, "r");
    assert_non_null(p);
    for (int i = 0; i < 100 && !held; i++) {
        evloop_turn(loop, 10);
    }
    char text[4096];
    size_t n = fread(text, 1, sizeof text - 1, p);
    text[n] = '\0';
    assert_int_equal(pclose(p), 0);
    assert_int_equal(strncmp(text, "The available commands are:\n", 28), 0);
    assert_non_null(strstr(text, "test/echo"));
}

static void
test_appctl_setup_clear(void **state)
{
    held = NULL;
    test_appctl(state);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_reply),    cmocka_unit_test(test_bad_bytes),
        cmocka_unit_test(test_later),    cmocka_unit_test(test_garbage),
        cmocka_unit_test(test_bad_path), cmocka_unit_test(test_appctl_setup_clear),
    };
    return cmocka_run_group_tests(tests, setup, teardown);
}
