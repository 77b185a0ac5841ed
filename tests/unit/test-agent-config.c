/* SPDX-License-Identifier: Apache-2.0 */
/* xvs-agent's configuration: --device arguments, the JSON file, and what does not go together.
 */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <cmocka.h>

#include "util/xalloc.h"
#include "utilities/xvs-agent/config.h"

static void
expect_error(bool ok, char **errp, const char *what, const char *fragment)
{
    if (ok) {
        fail_msg("accepted: %s", what);
    }
    if (!*errp || !strstr(*errp, fragment)) {
        fail_msg("%s: \"%s\" is not in: %s", what, fragment, *errp ? *errp : "(null)");
    }
    free(*errp);
    *errp = NULL;
}

static void
test_spec(void **state)
{
    struct agent_config c;
    char *error = NULL;
    agent_config_init(&c);
    assert_true(agent_config_add_spec(&c, "eth1", &error));
    assert_true(agent_config_add_spec(
        &c,
        "eth2:uid=1000,uid=1001,uid=1000,host=pod-1,queues=4,xdp-mode=native,netns=blue,"
        "mtu=9000,promisc=on,socket=/run/x.sock",
        &error));
    assert_true(agent_config_finish(&c, &error));
    assert_int_equal(c.n_devices, 2);
    const struct agent_device_config *d = &c.devices[0];
    assert_string_equal(d->name, "eth1");
    assert_string_equal(d->socket, "/tmp/afxdp_dp/eth1/afxdp.sock");
    assert_int_equal(d->promisc, -1);
    assert_int_equal(d->mode, AGENT_MODE_BEST_EFFORT);
    assert_true(agent_device_config_allows(d, 0));
    assert_false(agent_device_config_allows(d, 1000));
    d = &c.devices[1];
    assert_int_equal(d->n_uids, 2);
    assert_true(agent_device_config_allows(d, 0));
    assert_true(agent_device_config_allows(d, 1001));
    assert_false(agent_device_config_allows(d, 1002));
    assert_string_equal(d->host, "pod-1");
    assert_int_equal(d->queues, 4);
    assert_int_equal(d->mode, AGENT_MODE_NATIVE);
    assert_string_equal(d->netns, "blue");
    assert_int_equal(d->mtu, 9000);
    assert_int_equal(d->promisc, 1);
    assert_string_equal(d->socket, "/run/x.sock");
    assert_int_equal(c.idle_s, 30);
    assert_null(error);
    agent_config_free(&c);
}

static void
test_spec_errors(void **state)
{
    static const char *const cases[][2] = {
        {"", "not the name"},
        {":uid=1", "not the name"},
        {"a/b", "not the name"},
        {"..", "not the name"},
        {"abcdefghijklmnop", "not the name"},
        {"eth1:", "nothing follows"},
        {"eth1:uid", "KEY=VALUE"},
        {"eth1:uid=", "number of a user"},
        {"eth1:uid=root", "number of a user"},
        {"eth1:uid=-1", "number of a user"},
        {"eth1:uid=4294967295", "number of a user"},
        {"eth1:host=", "host name"},
        {"eth1:host=a b", "host name"},
        {"eth1:host=a,host=b", "given twice"},
        {"eth1:queues=0", "1 to 1024"},
        {"eth1:queues=4x", "1 to 1024"},
        {"eth1:mtu=67", "68"},
        {"eth1:xdp-mode=fast", "best-effort"},
        {"eth1:promisc=maybe", "on or off"},
        {"eth1:netns=../../etc", "netns"},
        {"eth1:netns=..", "netns"},
        {"eth1:socket=x.sock", "absolute"},
        {"eth1:colour=red", "no setting"},
        {"eth1:uid=1,uid=2,uid=3,uid=4,uid=5,uid=6,uid=7,uid=8,uid=9", "too many users"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct agent_config c;
        char *error = NULL;
        agent_config_init(&c);
        expect_error(agent_config_add_spec(&c, cases[i][0], &error), &error, cases[i][0],
                     cases[i][1]);
        agent_config_free(&c);
    }
}

static void
test_together(void **state)
{
    static const struct {
        const char *a, *b, *fragment;
    } cases[] = {
        {"eth1", "eth1", "named twice"},
        {"eth1:socket=/s,uid=1", "eth2:socket=/s,uid=2", "share"},
        {"eth1:socket=/s,uid=1", "eth2:socket=/s", "share"},
        {"eth1:socket=/s,host=a", "eth2:socket=/s,host=b", "share"},
        {"eth1:socket=/s,host=a", "eth2:socket=/s", "share"},
        {"eth1:socket=/s,uid=1,uid=2", "eth2:socket=/s,uid=2,uid=1", NULL},
        {"eth1:socket=/s,host=a", "eth2:socket=/s,host=a", NULL},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct agent_config c;
        char *error = NULL;
        agent_config_init(&c);
        bool ok = agent_config_add_spec(&c, cases[i].a, &error) &&
                  agent_config_add_spec(&c, cases[i].b, &error) &&
                  agent_config_finish(&c, &error);
        if (cases[i].fragment) {
            expect_error(ok, &error, cases[i].b, cases[i].fragment);
        } else {
            assert_true(ok);
        }
        agent_config_free(&c);
    }
}

static void
test_too_many(void **state)
{
    struct agent_config c;
    char *error = NULL, name[16];
    agent_config_init(&c);
    expect_error(agent_config_finish(&c, &error), &error, "nothing", "no device");
    error = NULL;
    for (int i = 0; i < AGENT_DEVICES_MAX; i++) {
        snprintf(name, sizeof name, "eth%d", i);
        assert_true(agent_config_add_spec(&c, name, &error));
    }
    expect_error(agent_config_add_spec(&c, "x", &error), &error, "x", "more than");
    agent_config_free(&c);
}

static bool
add_json(struct agent_config *c, const char *text, char **errp)
{
    return agent_config_add_json(c, text, strlen(text), errp);
}

static void
test_json(void **state)
{
    struct agent_config c;
    char *error = NULL;
    agent_config_init(&c);
    c.socket_dir = xstrdup("/from/the/command/line");
    assert_true(add_json(
        &c,
        "{\"socket-dir\": \"/a\", \"pin\": \"/sys/fs/bpf/xvs\", \"once\": true,"
        " \"idle-timeout\": 60, \"devices\": [{\"name\": \"eth1\", \"uid\": [1000, 1001],"
        " \"host\": \"h\", \"queues\": 4, \"xdp-mode\": \"generic\", \"netns\": 123,"
        " \"mtu\": 1400, \"promisc\": false}, {\"name\": \"eth2\", \"uid\": 7}]}",
        &error));
    assert_true(agent_config_finish(&c, &error));
    assert_string_equal(c.socket_dir, "/from/the/command/line");
    assert_string_equal(c.pin_dir, "/sys/fs/bpf/xvs");
    assert_true(c.once);
    assert_int_equal(c.idle_s, 60);
    assert_int_equal(c.n_devices, 2);
    assert_int_equal(c.devices[0].n_uids, 2);
    assert_int_equal(c.devices[0].queues, 4);
    assert_int_equal(c.devices[0].mode, AGENT_MODE_GENERIC);
    assert_string_equal(c.devices[0].netns, "123");
    assert_int_equal(c.devices[0].promisc, 0);
    assert_int_equal(c.devices[1].uids[0], 7);
    assert_string_equal(c.devices[1].socket, "/from/the/command/line/eth2/afxdp.sock");
    agent_config_free(&c);
}

static void
test_json_errors(void **state)
{
    static const char *const cases[][2] = {
        {"", "line 1"},
        {"{", "line 1"},
        {"[]", "not a JSON object"},
        {"{\"devices\": {}}", "array"},
        {"{\"devices\": [1]}", "\"name\""},
        {"{\"devices\": [{}]}", "\"name\""},
        {"{\"devices\": [{\"name\": 5}]}", "\"name\""},
        {"{\"devices\": [{\"name\": \"a\"}, {\"name\": \"a\"}]}", "twice"},
        {"{\"devices\": [{\"name\": \"a\", \"name\": \"b\"}]}", "duplicate"},
        {"{\"devices\": [{\"name\": \"a\", \"uid\": {}}]}", "wrong type"},
        {"{\"devices\": [{\"name\": \"a\", \"uid\": [[1]]}]}", "wrong type"},
        {"{\"devices\": [{\"name\": \"a\", \"uid\": 1.5}]}", "wrong type"},
        {"{\"devices\": [{\"name\": \"a\", \"queues\": true}]}", "1 to 1024"},
        {"{\"devices\": [{\"name\": \"a\", \"colour\": 1}]}", "no setting"},
        {"{\"devices\": [{\"name\": \"a\", \"mtu\": null}]}", "wrong type"},
        {"{\"sockets\": 1}", "no setting"},
        {"{\"once\": 1}", "true or false"},
        {"{\"pin\": 1}", "string"},
        {"{\"idle-timeout\": 301}", "300"},
        {"{\"idle-timeout\": \"5\"}", "300"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct agent_config c;
        char *error = NULL;
        agent_config_init(&c);
        expect_error(add_json(&c, cases[i][0], &error), &error, cases[i][0], cases[i][1]);
        agent_config_free(&c);
    }
}

static void
test_paths(void **state)
{
    struct agent_config c;
    char *error = NULL, long_path[160];
    agent_config_init(&c);
    c.socket_dir = xstrdup("relative");
    assert_true(agent_config_add_spec(&c, "eth1", &error));
    expect_error(agent_config_finish(&c, &error), &error, "relative", "absolute");
    error = NULL;
    free(c.socket_dir);
    memset(long_path, 'a', sizeof long_path);
    long_path[0] = '/';
    long_path[sizeof long_path - 1] = '\0';
    c.socket_dir = xstrdup(long_path);
    expect_error(agent_config_finish(&c, &error), &error, "long", "too long");
    error = NULL;
    expect_error(agent_config_add_file(&c, "/nonexistent/agent.json", &error), &error, "file",
                 "cannot read");
    agent_config_free(&c);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_spec),     cmocka_unit_test(test_spec_errors),
        cmocka_unit_test(test_together), cmocka_unit_test(test_too_many),
        cmocka_unit_test(test_json),     cmocka_unit_test(test_json_errors),
        cmocka_unit_test(test_paths),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
