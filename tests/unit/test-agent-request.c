/* SPDX-License-Identifier: Apache-2.0 */
/* xvs-agent's parser of client messages: what is one, and what only looks like one. */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "utilities/xvs-agent/request.h"

static struct request
parse(const char *text)
{
    struct request r;
    /* On the heap, without a terminator: the sanitizer sees every step too far. */
    size_t len = strlen(text);
    char *copy = malloc(len ? len : 1);
    memcpy(copy, text, len);
    request_parse(copy, len, &r);
    free(copy);
    return r;
}

static void
test_good(void **state)
{
    assert_int_equal(parse("/version").kind, REQUEST_VERSION);
    assert_int_equal(parse("/fin").kind, REQUEST_FIN);
    struct request r = parse("/connect,pod-1.example");
    assert_int_equal(r.kind, REQUEST_CONNECT);
    assert_string_equal(r.name, "pod-1.example");
    r = parse("/xsk_map_fd,eth1");
    assert_int_equal(r.kind, REQUEST_MAP);
    assert_string_equal(r.name, "eth1");
    r = parse("/config_busy_poll,20,64");
    assert_int_equal(r.kind, REQUEST_BUSY_POLL);
    assert_int_equal(r.timeout_us, 20);
    assert_int_equal(r.budget, 64);
    r = parse("/config_busy_poll,2147483647,65535");
    assert_int_equal(r.kind, REQUEST_BUSY_POLL);
    assert_int_equal(r.timeout_us, INT32_MAX);
    assert_int_equal(r.budget, 65535);
    assert_int_equal(parse("/config_busy_poll,0,1").kind, REQUEST_BUSY_POLL);
}

static void
test_bad(void **state)
{
    static const char *const bad[] = {
        "",
        "/",
        "/ver",
        "/version ",
        "/version,",
        "/versions",
        " /version",
        "version",
        "/VERSION",
        "/fin\n",
        "/finish",
        "/fin,",
        "/connect",
        "/connect,",
        "/connect,a,b",
        "/connect,a b",
        "/connect,a/b",
        "/connect,\x7f",
        "/connect,a\n",
        "/connect,\xc3\xa4",
        "/connectx,a",
        "/xsk_map_fd",
        "/xsk_map_fd,",
        "/xsk_map_fd,eth1,0",
        "/xsk_map_fd,eth1 ",
        "/config_busy_poll",
        "/config_busy_poll,",
        "/config_busy_poll,20",
        "/config_busy_poll,20,",
        "/config_busy_poll,,64",
        "/config_busy_poll,20,0",
        "/config_busy_poll,20,65536",
        "/config_busy_poll,2147483648,64",
        "/config_busy_poll,-1,64",
        "/config_busy_poll,+1,64",
        "/config_busy_poll,0x10,64",
        "/config_busy_poll, 1,64",
        "/config_busy_poll,20,64 ",
        "/config_busy_poll,20,64,",
        "/config_busy_poll,00000000020,64",
        "/config_busy_poll,99999999999999999999,64",
        "/host_ok",
        "0.1",
    };
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        struct request r = parse(bad[i]), none;
        memset(&none, 0, sizeof none);
        if (memcmp(&r, &none, sizeof r)) {
            fail_msg("accepted: \"%s\"", bad[i]);
        }
    }
}

static void
test_lengths(void **state)
{
    char text[80] = "/connect,";
    struct request r;
    memset(text + 9, 'a', sizeof text - 10);
    request_parse(text, 64, &r);
    assert_int_equal(r.kind, REQUEST_CONNECT);
    assert_int_equal(strlen(r.name), REQUEST_HOST_MAX);
    request_parse(text, 65, &r);
    assert_int_equal(r.kind, REQUEST_UNKNOWN);
    request_parse("/version", 9, &r); /* with its NUL */
    assert_int_equal(r.kind, REQUEST_UNKNOWN);
    request_parse("/connect,a\0b", 12, &r);
    assert_int_equal(r.kind, REQUEST_UNKNOWN);
}

static void
test_names(void **state)
{
    assert_true(request_name_ok("eth1", 15));
    assert_true(request_name_ok("abcdefghijklmno", 15));
    assert_false(request_name_ok("abcdefghijklmnop", 15));
    assert_false(request_name_ok("", 15));
    assert_false(request_name_ok("a,b", 15));
    assert_false(request_name_ok("a b", 15));
    assert_false(request_name_ok("a/b", 15));
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_good),
        cmocka_unit_test(test_bad),
        cmocka_unit_test(test_lengths),
        cmocka_unit_test(test_names),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
