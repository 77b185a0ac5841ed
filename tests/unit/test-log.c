/* SPDX-License-Identifier: Apache-2.0 */
/* Unit tests of lib/log: patterns, settings, rate limits, the log file, syslog datagrams, the
 * registry of control commands and the coverage commands. */

#include <errno.h>
#include <fcntl.h>
#include <regex.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>
#include <cmocka.h>

#include "log/coverage.h"
#include "log/ctl.h"
#include "log/log.h"
#include "os/clock.h"
#include "os/thread.h"
#include "util/xalloc.h"

LOG_MODULE(test_module);
COVERAGE_DEFINE(test_log_hit);
COVERAGE_DEFINE(test_log_never);

/* As if of another file: one name in lists, set together. */
static struct log_module twin = {
    .name = "test_module",
    .levels = {LOG_LVL_INFO, LOG_LVL_INFO, LOG_LVL_INFO},
    .max_level = LOG_LVL_INFO,
    .honor_rate_limits = true,
};

static char dir[] = "/tmp/test-log-XXXXXX";
static char *path;

/* The log file's text, after which the file is empty; valid until the next call. */
static const char *
take_file(void)
{
    static char text[65536];
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    ssize_t n = fd >= 0 ? read(fd, text, sizeof text - 1) : 0;

    if (fd >= 0) {
        close(fd);
        assert_int_equal(truncate(path, 0), 0);
    }
    text[n > 0 ? n : 0] = '\0';
    return text;
}

static void
assert_matches(const char *text, const char *pattern)
{
    regex_t re;

    assert_int_equal(regcomp(&re, pattern, REG_EXTENDED), 0);
    if (regexec(&re, text, 0, NULL, 0)) {
        fail_msg("\"%s\" does not match \"%s\"", text, pattern);
    }
    regfree(&re);
}

static void
set_ok(const char *spec)
{
    char *error = log_set(spec);

    if (error) {
        fail_msg("%s: %s", spec, error);
    }
}

static void
set_fails(const char *spec)
{
    char *error = log_set(spec);

    assert_non_null(error);
    free(error);
}

/* Logs "text" under pattern `pat` and compares the line, without its newline. */
static void
expect_pattern(const char *pat, const char *regex)
{
    char *spec = xasprintf("PATTERN:file:%s", pat);
    char *anchored = xasprintf("^%s\n$", regex);

    set_ok(spec);
    take_file();
    LOG_INFO("text");
    assert_matches(take_file(), anchored);
    free(spec);
    free(anchored);
}

#define FILE_PATTERN "%D{%Y-%m-%dT%H:%M:%S.###Z}|%05N|%c%T|%p|%m"

static void *
log_from_thread(void *arg)
{
    LOG_WARN("from a thread");
    return NULL;
}

static void
test_file(void **state)
{
    assert_null(log_file_path());
    assert_int_equal(log_file_open("/nonexistent/folder/log"), ENOENT);
    assert_int_equal(log_file_open(path), 0);
    assert_string_equal(log_file_path(), path);
    assert_matches(take_file(),
                   "^[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}\\.[0-9]{3}Z\\|"
                   "[0-9]{5}\\|vlog\\|INFO\\|.*\n$");
    LOG_DBG("not shown");
    errno = ENOENT;
    LOG_ERR("%s: %m", "x");
    assert_int_equal(errno, ENOENT);
    assert_matches(take_file(), "^[^|]*Z\\|[0-9]+\\|test_module\\|ERR\\|x: No such file.*\n$");
    thread_join(thread_start("pmd-c01/id:5", log_from_thread, NULL));
    assert_matches(take_file(), "\\|test_module\\(pmd-c01/id:5\\)\\|WARN\\|from a thread\n$");
    LOG_INFO("one\ntwo\n");
    assert_matches(take_file(), "^[^\n]*\\|INFO\\|one\n[^\n]*\\|INFO\\|two\n$");
    LOG_INFO("%s", "");
    assert_matches(take_file(), "\\|INFO\\|\n$");
}

static void *
fault_on_thread(void *arg)
{
    siginfo_t info = {
        .si_signo = SIGSEGV,
        .si_code = SEGV_MAPERR,
        .si_addr = (void *) 0x12ab0000,
    };

    log_fault(&info);
    return NULL;
}

/* The last words are a line like any other, at the right time, and then calls. */
static void
test_fault(void **state)
{
    const size_t time_len = strlen("2026-11-23T22:28:14.123Z");
    const char *text, *fault, *after;

    log_fault_init();
    take_file();
    LOG_INFO("before");
    thread_join(thread_start("pmd-c01/id:5", fault_on_thread, NULL));
    LOG_INFO("after");
    text = take_file();
    assert_matches(text, "\n[^|]{24}\\|[0-9]{5}\\|fatal_signal\\(pmd-c01/id:5\\)\\|EMER\\|"
                         "dies of SIGSEGV at address 0x12ab0000; the calls, [^\n]*:\n"
                         "([^|\n]+\n)*[^|\n]*test-log[^|\n]*\\[0x[0-9a-f]+\\]\n");
    fault = strchr(text, '\n') + 1;
    after = strstr(text, "|after") - time_len - strlen("|00000|test_module|INFO");
    assert_true(memcmp(text, fault, time_len) <= 0);
    assert_true(memcmp(fault, after, time_len) <= 0);
}

static void
test_reopen(void **state)
{
    char *moved = xasprintf("%s.1", path);

    assert_int_equal(rename(path, moved), 0);
    LOG_INFO("into the old file");
    assert_int_equal(access(path, F_OK), -1);
    assert_int_equal(log_file_reopen(), 0);
    LOG_INFO("into the new file");
    assert_non_null(strstr(take_file(), "into the new file"));
    log_file_close();
    LOG_EMER("nowhere");
    assert_string_equal(take_file(), "");
    assert_int_equal(log_file_reopen(), 0);
    take_file();
    unlink(moved);
    free(moved);
}

static void
test_patterns(void **state)
{
    char *pid = xasprintf("%ld", (long) getpid());

    log_set_app_name("myapp");
    expect_pattern("%m", "text");
    expect_pattern("%A", "myapp");
    expect_pattern("%B", "29"); /* daemon.notice */
    expect_pattern("<%c>", "<test_module>");
    expect_pattern("%d{%H}|%D{%Y-%m-%d}", "[0-9]{2}\\|[0-9]{4}-[0-9]{2}-[0-9]{2}");
    expect_pattern("%D{##}", "[0-9]{2}");
    expect_pattern("%D{%S.######}", "[0-9]{2}\\.[0-9]{3}000");
    expect_pattern("%D", "[0-9-]{10} [0-9:]{8}\\.[0-9]{3}");
    expect_pattern("%d", "[0-9-]{10} [0-9:]{8}\\.[0-9]{3}");
    expect_pattern("a%nb", "a\nb");
    expect_pattern("%05N", "[0-9]{5}");
    expect_pattern("%N", "[1-9][0-9]*");
    expect_pattern("%p", "INFO");
    expect_pattern("%P", pid);
    expect_pattern("%r", "[0-9]+");
    expect_pattern("%t%T.", "main\\.");
    expect_pattern("%E", ".+");
    expect_pattern("100%%", "100%");
    expect_pattern("%8p|%-8p|%2p", "    INFO\\|INFO    \\|INFO");
    expect_pattern("%9999999999m", " {496}text");
    expect_pattern("%D{unclosed", "[0-9-]{10} [0-9:]{8}\\.[0-9]{3}\\{unclosed");
    expect_pattern("end%", "end");
    expect_pattern("", "");

    set_fails("PATTERN:file");
    set_fails("PATTERN:nowhere:%m");
    set_ok("pattern:ANY:%p %m");
    take_file();
    LOG_INFO("text");
    assert_string_equal(take_file(), "INFO text\n");
    set_ok("PATTERN:console:%D{%Y-%m-%dT%H:%M:%SZ}|%05N|%c%T|%p|%m");
    set_ok("PATTERN:file:" FILE_PATTERN);
    set_ok("FACILITY:local3");
    expect_pattern("%B", "157");
    set_fails("FACILITY:nonsense");
    set_ok("FACILITY:daemon");
    set_ok("PATTERN:file:" FILE_PATTERN);
    free(pid);
}

/* The levels of this module as vlog/list shows them. */
static void
expect_levels(const char *regex)
{
    struct strbuf out = STRBUF_INIT;

    log_list(&out);
    assert_matches(strbuf_cstr(&out), regex);
    strbuf_free(&out);
}

static void
test_set(void **state)
{
    struct strbuf out = STRBUF_INIT;

    log_list(&out);
    assert_ptr_equal(strstr(strbuf_cstr(&out),
                            "                 console    syslog    file\n"
                            "                 -------    ------    ------\n"),
                     strbuf_cstr(&out));
    strbuf_free(&out);

    set_ok("test_module:console:off");
    expect_levels("\ntest_module        OFF       INFO       INFO\n");
    set_ok("file:dbg:test-module"); /* any order, `-` for `_` */
    expect_levels("\ntest_module        OFF       INFO        DBG\n");
    set_ok("TEST_MODULE,syslog emer");
    expect_levels("\ntest_module        OFF       EMER        DBG\n");
    set_ok("test_module:err");
    expect_levels("\ntest_module        ERR        ERR        ERR\n");
    assert_int_equal(twin.max_level, LOG_LVL_ERR);
    log_list(&out);
    assert_null(strstr(strstr(strbuf_cstr(&out), "test_module") + 1, "test_module"));
    strbuf_free(&out);
    set_ok("test_module"); /* no level: DBG */
    expect_levels("\ntest_module        DBG        DBG        DBG\n");
    set_ok("ANY:ANY:info");
    expect_levels("\ntest_module       INFO       INFO       INFO\n");
    set_ok("any:console:warn");
    expect_levels("\ntest_module       WARN       INFO       INFO\n");
    set_ok("ofproto_dpif"); /* a module of stock OVS: accepted, no effect */
    set_ok("vconn:dbg");
    expect_levels("\ntest_module       WARN       INFO       INFO\n");
    set_fails("no_such_module");
    set_fails("test_module:info:dbg");
    set_fails("test_module:file:syslog");
    set_fails("test_module:vlog");
    expect_levels("\ntest_module       WARN       INFO       INFO\n");

    set_ok("test_module:file:warn");
    take_file();
    LOG_INFO("hidden");
    LOG_WARN("shown");
    assert_matches(take_file(), "^[^\n]*\\|WARN\\|shown\n$");
    set_ok("test_module:file:info");
    log_console_disable();
    expect_levels("\ntest_module        OFF       INFO       INFO\n");
}

static void
test_syslog(void **state)
{
    struct sockaddr_un un = {.sun_family = AF_UNIX};
    char *sock_path = xasprintf("%s/syslog", dir);
    char *method = xasprintf("unix:%s", sock_path);
    char text[512];
    ssize_t n;
    int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);

    strcpy(un.sun_path, sock_path);
    assert_int_equal(bind(fd, (struct sockaddr *) &un, sizeof un), 0);
    set_ok("PATTERN:syslog:%p %m");
    log_set_syslog_method("carrier pigeon"); /* kept: null */
    log_set_syslog_method("udp:nonsense");
    log_set_syslog_method("unix:/nonexistent/socket");
    log_set_syslog_method(method);
    LOG_ERR("hello");
    n = recv(fd, text, sizeof text - 1, MSG_DONTWAIT);
    assert_true(n > 0);
    text[n] = '\0';
    assert_string_equal(text, "<27>myapp: ERR hello");
    log_set_syslog_method("null");
    LOG_ERR("to nobody");
    assert_int_equal(recv(fd, text, sizeof text, MSG_DONTWAIT), -1);
    close(fd);
    unlink(sock_path);
    free(sock_path);
    free(method);
}

static struct ctl_conn conn;
static bool replied_ok;
static char *reply;

static void
on_reply(struct ctl_conn *c, bool ok, const char *text)
{
    free(reply);
    reply = xstrdup(text);
    replied_ok = ok;
}

static void
call(const char *a, const char *b, const char *c)
{
    const char *argv[] = {a, b, c};

    conn.reply = on_reply;
    ctl_dispatch(&conn, c ? 3 : b ? 2 : a ? 1 : 0, argv);
}

static void
call_ok(const char *a, const char *b, const char *text)
{
    call(a, b, NULL);
    assert_true(replied_ok);
    assert_string_equal(reply, text);
}

static void
call_fails(const char *a, const char *b, const char *c, const char *text)
{
    call(a, b, c);
    assert_false(replied_ok);
    assert_string_equal(reply, text);
}

static void
cmd_echo(struct ctl_conn *c, int argc, const char *const argv[], void *aux)
{
    ctl_replyf(c, "%d %s%s", argc, argv[argc - 1], (const char *) aux);
}

static void
report_memory(struct memory_report *r, void *aux)
{
    memory_report_add(r, "rules", 3);
    memory_report_add(r, "handlers", *(int *) aux);
}

static void
test_ctl(void **state)
{
    static int one = 1;

    ctl_base_commands_register();
    log_commands_register();
    coverage_commands_register();
    memory_commands_register();
    ctl_command_register("test/echo", "first [second]", 1, 2, cmd_echo, "!");

    call_ok("version", NULL, "ovs-vswitchd (Open vSwitch) 3.1.0\n");
    call_ok("test/echo", "x", "2 x!");
    call_fails("nope", NULL, NULL,
               "\"nope\" is not a valid command (use \"list-commands\" to see a list of valid "
               "commands)");
    call(NULL, NULL, NULL);
    assert_false(replied_ok);
    call_fails("test/echo", NULL, NULL, "\"test/echo\" command requires at least 1 arguments");
    call_fails("version", "x", NULL, "\"version\" command takes at most 0 arguments");
    call("list-commands", NULL, NULL);
    assert_matches(reply, "^The available commands are:\n  coverage/read-counter +counter\n"
                          "  coverage/show           \n");
    assert_non_null(strstr(reply, "  test/echo               first [second]\n"));

    call_ok("memory/show", NULL, "\n");
    memory_reporter_register(report_memory, &one);
    memory_reporter_register(report_memory, &one);
    call_ok("memory/show", NULL, "handlers:2 rules:6\n");

    call_ok("vlog/set", "test_module:file:dbg", "");
    call("vlog/set", "bogus", NULL);
    assert_false(replied_ok);
    call("vlog/list", NULL, NULL);
    assert_matches(reply, "\ntest_module        OFF       INFO        DBG\n");
    call("vlog/list-pattern", NULL, NULL);
    assert_matches(
        reply,
        "\nFILE     none {30}%D\\{%Y-%m-%dT%H:%M:%S\\.###Z\\}\\|%05N\\|%c%T\\|%p\\|%m\n");
    assert_matches(reply, "\nCONSOLE  none .*\nSYSLOG   <%B>%A: ");
    call_ok("vlog/close", NULL, "");
    call_ok("vlog/reopen", NULL, "");
    call_ok("vlog/disable-rate-limit", "test_module", "");
    call("vlog/list", NULL, NULL);
    assert_matches(reply, "\ntest_module [^\n]*rate limiting disabled");
    call("vlog/enable-rate-limit", "bogus", NULL);
    assert_false(replied_ok);
    call_ok("vlog/enable-rate-limit", NULL, "");
    call("vlog/list", NULL, NULL);
    assert_null(strstr(reply, "disabled"));
}

static void
test_coverage(void **state)
{
    call_ok("coverage/read-counter", "test_log_hit", "0\n");
    call_ok("coverage/read-counter", "no_such_counter", "0\n");
    coverage_sample();
    COVERAGE_ADD(test_log_hit, 48);
    coverage_sample();
    call_ok("coverage/read-counter", "test_log_hit", "48\n");
    call("coverage/show", NULL, NULL);
    assert_true(replied_ok);
    assert_matches(reply,
                   "^Event coverage, avg rate over last: 5 seconds, last minute, last hour, "
                   " hash=[0-9a-f]{8}:\n");
    assert_non_null(strstr(reply, "\ntest_log_hit               9.6/sec     0.800/sec        "
                                  "0.0000/sec   total: 48\n"));
    assert_null(strstr(reply, "test_log_never"));
    assert_matches(reply, "\n[1-9][0-9]* events never hit\n$");
    for (int i = 0; i < 11; i++) {
        coverage_sample();
    }
    call("coverage/show", NULL, NULL);
    assert_non_null(strstr(reply, "\ntest_log_hit               0.0/sec     0.800/sec        "
                                  "0.0133/sec   total: 48\n"));
    for (int i = 0; i < 13; i++) {
        coverage_sample();
    }
    call("coverage/show", NULL, NULL);
    assert_non_null(strstr(reply, "\ntest_log_hit               0.0/sec     0.000/sec        "
                                  "0.0133/sec   total: 48\n"));
    for (int i = 0; i < 62 * 12; i++) {
        coverage_sample();
    }
    call("coverage/show", NULL, NULL);
    assert_non_null(strstr(reply, "\ntest_log_hit               0.0/sec     0.000/sec        "
                                  "0.0000/sec   total: 48\n"));
}

static unsigned
log_many(struct log_rate_limit *rl, unsigned n)
{
    unsigned lines = 0;

    take_file();
    for (unsigned i = 0; i < n; i++) {
        LOG_INFO_RL(rl, "again");
    }
    for (const char *p = take_file(); (p = strchr(p, '\n')); p++) {
        lines++;
    }
    return lines;
}

static void
test_rate_limit(void **state)
{
    struct log_rate_limit rl = LOG_RATE_LIMIT(6);
    struct log_rate_limit none = LOG_RATE_LIMIT(0);

    clock_stop();
    assert_int_equal(log_many(&rl, 20), 6);
    assert_int_equal(log_many(&rl, 5), 0);
    clock_warp(9999);
    assert_int_equal(log_many(&rl, 5), 0);
    clock_warp(1);
    LOG_INFO_RL(&rl, "again");
    assert_matches(take_file(), "\\|again \\(24 like it held back\\)\n$");
    clock_warp(25000);
    assert_int_equal(log_many(&rl, 5), 2);
    clock_warp(600000);
    assert_int_equal(log_many(&rl, 20), 6);
    assert_int_equal(log_many(&none, 3), 0);
    call_ok("vlog/disable-rate-limit", NULL, "");
    assert_int_equal(log_many(&rl, 20), 20);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_file),       cmocka_unit_test(test_fault),
        cmocka_unit_test(test_reopen),     cmocka_unit_test(test_patterns),
        cmocka_unit_test(test_set),        cmocka_unit_test(test_syslog),
        cmocka_unit_test(test_ctl),        cmocka_unit_test(test_coverage),
        cmocka_unit_test(test_rate_limit),
    };
    int failed;

    thread_adopt("");
    log_module_register(&twin);
    log_set_syslog_method("null");
    if (!mkdtemp(dir)) {
        return 1;
    }
    path = xasprintf("%s/log", dir);
    failed = cmocka_run_group_tests(tests, NULL, NULL);
    log_file_close();
    unlink(path);
    rmdir(dir);
    free(path);
    free(reply);
    return failed;
}
