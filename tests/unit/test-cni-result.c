/* SPDX-License-Identifier: Apache-2.0 */

/* Tests what xvs-cni writes and what it takes from ipam plugins. */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "utilities/xvs-cni/cni-exec.c"
#include "utilities/xvs-cni/cni-ipam.c"
#include "utilities/xvs-cni/cni-result.c"
#include "utilities/xvs-cni/cni.c"

static struct cni_result result;
static struct cni_error error;

static int
parse_for(const char *text, const char *device)
{
    json_t *json = json_loads(text, 0, NULL);
    assert_non_null(json);
    cni_result_free(&result);
    cni_error_clear(&error);
    bool ok = cni_result_parse(&result, json, device, "it", &error);
    json_decref(json);
    assert_int_equal(ok, error.code == CNI_OK);
    return error.code;
}

static int
parse(const char *text)
{
    return parse_for(text, NULL);
}

static int
tear_down(void **state)
{
    cni_result_free(&result);
    cni_error_clear(&error);
    return 0;
}

/* Equal as JSON. */
static void
assert_json(char *text, const char *expected)
{
    json_t *a = json_loads(text, 0, NULL), *b = json_loads(expected, 0, NULL);
    assert_non_null(a);
    assert_non_null(b);
    if (!json_equal(a, b)) {
        fail_msg("%s\nis not\n%s", text, expected);
    }
    json_decref(a);
    json_decref(b);
    free(text);
}

static const char host_local[] =
    "{\"cniVersion\":\"0.4.0\",\"ips\":["
    "{\"version\":\"4\",\"address\":\"10.1.0.5/24\",\"gateway\":\"10.1.0.1\"},"
    "{\"version\":\"6\",\"address\":\"fd00::5/64\"}],"
    "\"routes\":[{\"dst\":\"0.0.0.0/0\"},{\"dst\":\"10.9.0.0/16\",\"gw\":\"10.1.0.7\","
    "\"mtu\":1400},{\"dst\":\"fd01::/48\",\"gw\":\"\"}],\"dns\":{}}";

static void
test_parse(void **state)
{
    char text[CNI_IP_STRLEN];
    assert_int_equal(parse(host_local), CNI_OK);
    assert_int_equal(result.n_ips, 2);
    assert_string_equal(cni_ip_format(&result.ips[0], false, text), "10.1.0.5/24");
    assert_string_equal(cni_ip_format(&result.ips[0], true, text), "10.1.0.5");
    assert_string_equal(cni_ip_format(&result.ips[1], false, text), "fd00::5/64");
    assert_true(result.ips[0].has_gateway);
    assert_false(result.ips[1].has_gateway);
    assert_int_equal(result.n_routes, 3);
    assert_int_equal(result.routes[1].mtu, 1400);
    assert_int_equal(result.routes[0].scope, -1);
    assert_null(result.dns);
    /* Own gateway, the address's, none. */
    assert_memory_equal(cni_route_gateway(&result, &result.routes[0]), "\x0a\x01\x00\x01", 4);
    assert_memory_equal(cni_route_gateway(&result, &result.routes[1]), "\x0a\x01\x00\x07", 4);
    assert_null(cni_route_gateway(&result, &result.routes[2]));
}

static void
test_parse_refuses(void **state)
{
    static const char *const bad[] = {
        "[]",
        "{\"ips\":{}}",
        "{\"ips\":[{}]}",
        "{\"ips\":[{\"address\":\"10.0.0.1\"}]}",
        "{\"ips\":[{\"address\":\"10.0.0.1/33\"}]}",
        "{\"ips\":[{\"address\":\"10.0.0.1/0x8\"}]}",
        "{\"ips\":[{\"address\":\"10.0.0/8\"}]}",
        "{\"ips\":[{\"address\":\"fd00::1/129\"}]}",
        "{\"ips\":[{\"address\":\"10.0.0.1/8\",\"gateway\":\"fd00::1\"}]}",
        "{\"ips\":[{\"address\":\"10.0.0.1/8\",\"gateway\":7}]}",
        "{\"ips\":[{\"address\":7}]}",
        "{\"ips\":[7]}",
        "{\"routes\":{}}",
        "{\"routes\":[{}]}",
        "{\"routes\":[{\"dst\":\"default\"}]}",
        "{\"routes\":[{\"dst\":\"10.0.0.0/8\",\"mtu\":-1}]}",
        "{\"routes\":[{\"dst\":\"10.0.0.0/8\",\"mtu\":4294967296}]}",
        "{\"routes\":[{\"dst\":\"10.0.0.0/8\",\"scope\":256}]}",
    };
    for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
        if (parse(bad[i]) != CNI_EIPAM) {
            fail_msg("%s was taken", bad[i]);
        }
    }
    struct strbuf many = STRBUF_INIT;
    strbuf_puts(&many, "{\"ips\":[");
    for (int i = 0; i < CNI_IPS_MAX + 1; i++) {
        strbuf_puts(&many, "{\"address\":\"10.0.0.1/8\"},");
    }
    strbuf_chomp(&many, ",");
    strbuf_puts(&many, "]}");
    assert_int_equal(parse(strbuf_cstr(&many)), CNI_EIPAM);
    strbuf_free(&many);
    assert_false(cni_result_parse(&result, NULL, NULL, "it", &error));
}

/* Of a chain's result only the addresses on our interface in the sandbox. */
static void
test_parse_prev_result(void **state)
{
    static const char prev[] =
        "{\"interfaces\":[{\"name\":\"br0\"},{\"name\":\"eth7\",\"sandbox\":\"/n\"},"
        "{\"name\":\"eth7\"}],\"ips\":[{\"address\":\"10.0.0.1/8\",\"interface\":0},"
        "{\"address\":\"10.0.0.2/8\",\"interface\":1},{\"address\":\"10.0.0.3/"
        "8\",\"interface\":2},"
        "{\"address\":\"10.0.0.4/8\"},{\"address\":\"10.0.0.5/8\",\"interface\":9},"
        "{\"address\":\"10.0.0.6/8\",\"interface\":-1}]}";
    char text[CNI_IP_STRLEN];
    assert_int_equal(parse_for(prev, "eth7"), CNI_OK);
    assert_int_equal(result.n_ips, 1);
    assert_string_equal(cni_ip_format(&result.ips[0], false, text), "10.0.0.2/8");
}

static void
test_format(void **state)
{
    assert_int_equal(parse(host_local), CNI_OK);
    assert_json(
        cni_result_format(&result, "0.4.0", "eth7", "02:00:00:00:00:01", "/n", NULL),
        "{\"cniVersion\":\"0.4.0\",\"interfaces\":[{\"name\":\"eth7\","
        "\"mac\":\"02:00:00:00:00:01\",\"sandbox\":\"/n\"}],\"ips\":["
        "{\"version\":\"4\",\"address\":\"10.1.0.5/24\",\"gateway\":\"10.1.0.1\","
        "\"interface\":0},{\"version\":\"6\",\"address\":\"fd00::5/64\",\"interface\":0}],"
        "\"routes\":[{\"dst\":\"0.0.0.0/0\"},{\"dst\":\"10.9.0.0/16\","
        "\"gw\":\"10.1.0.7\"},{\"dst\":\"fd01::/48\"}],\"dns\":{}}");
    /* From 1.0.0 on an address has no "version"; from 1.1.0 on a route has more. */
    json_t *dns = json_loads("{\"domain\":\"x\"}", 0, NULL);
    assert_json(
        cni_result_format(&result, "1.1.0", "eth7", "02:00:00:00:00:01", "/n", dns),
        "{\"cniVersion\":\"1.1.0\",\"interfaces\":[{\"name\":\"eth7\","
        "\"mac\":\"02:00:00:00:00:01\",\"sandbox\":\"/n\"}],\"ips\":["
        "{\"address\":\"10.1.0.5/24\",\"gateway\":\"10.1.0.1\",\"interface\":0},"
        "{\"address\":\"fd00::5/64\",\"interface\":0}],\"routes\":[{\"dst\":\"0.0.0.0/0\"},"
        "{\"dst\":\"10.9.0.0/16\",\"gw\":\"10.1.0.7\",\"mtu\":1400},"
        "{\"dst\":\"fd01::/48\"}],\"dns\":{\"domain\":\"x\"}}");
    json_decref(dns);
    assert_json(cni_result_format(NULL, "1.0.0", "e", "m", "/n", NULL),
                "{\"cniVersion\":\"1.0.0\",\"interfaces\":[{\"name\":\"e\",\"mac\":\"m\","
                "\"sandbox\":\"/n\"}],\"dns\":{}}");
}

static void
test_format_error(void **state)
{
    cni_fail(&error, CNI_EDEVICE, "no %s", "eth7");
    assert_json(cni_error_format(&error, "0.4.0"),
                "{\"cniVersion\":\"0.4.0\",\"code\":100,\"msg\":\"no eth7\"}");
    cni_fail(&error, CNI_EIO, "a later one does not count");
    cni_error_details(&error, "do this");
    cni_error_details(&error, "not that");
    assert_json(cni_error_format(&error, ""), "{\"cniVersion\":\"1.0.0\",\"code\":100,"
                                              "\"msg\":\"no eth7\",\"details\":\"do this\"}");
    cni_error_clear(&error);
    cni_fail(&error, CNI_EENV, "\xff\xfe");
    assert_json(
        cni_error_format(&error, ""),
        "{\"cniVersion\":\"1.0.0\",\"code\":4,\"msg\":\"(a message that is not UTF-8)\"}");
    assert_json(
        cni_version_format("0.4.0"),
        "{\"cniVersion\":\"0.4.0\",\"supportedVersions\":[\"0.3.0\",\"0.3.1\",\"0.4.0\","
        "\"1.0.0\",\"1.1.0\"]}");
}

/* A plugin of our own in a folder of our own: a shell script. */
static void
make_plugin(const char *dir, const char *script)
{
    char path[128];
    snprintf(path, sizeof path, "%s/stub", dir);
    FILE *f = fopen(path, "w");
    assert_non_null(f);
    fprintf(f, "#!/bin/sh\n%s\n", script);
    fclose(f);
    assert_int_equal(chmod(path, 0755), 0);
}

static void
test_ipam(void **state)
{
    char dir[] = "/tmp/test-cni-XXXXXX", cni_path[64], path[64];
    assert_non_null(mkdtemp(dir));
    snprintf(cni_path, sizeof cni_path, "/nonexistent::%s", dir);
    struct cni_env env = {"ADD", "c", "/n", "net1", "", cni_path};
    signal(SIGPIPE, SIG_IGN);

    /* It gets the configuration, and the command that we say, not ours. */
    setenv("CNI_COMMAND", "ADD", 1);
    make_plugin(dir, "test \"$CNI_COMMAND\" = DEL && test \"$(cat)\" = config");
    assert_true(cni_ipam_run("stub", "DEL", &env, "config", 6, NULL, &error));
    assert_false(cni_ipam_run("stub", "CHECK", &env, "config", 6, NULL, &error));
    assert_int_equal(error.code, CNI_EIPAM);
    cni_error_clear(&error);

    make_plugin(dir, "echo '{\"ips\":[{\"address\":\"10.0.0.1/8\"}]}'");
    assert_true(cni_ipam_run("stub", "ADD", &env, "{}", 2, &result, &error));
    assert_int_equal(result.n_ips, 1);
    cni_result_free(&result);

    make_plugin(dir, "echo nonsense");
    assert_false(cni_ipam_run("stub", "ADD", &env, "{}", 2, &result, &error));
    assert_int_equal(error.code, CNI_EIPAM);
    assert_non_null(strstr(error.msg, "no usable answer"));
    cni_error_clear(&error);

    make_plugin(dir, "echo '{\"code\":11,\"msg\":\"pool is full\",\"details\":\"d\"}'; exit 1");
    assert_false(cni_ipam_run("stub", "ADD", &env, "{}", 2, &result, &error));
    assert_int_equal(error.code, 11);
    assert_string_equal(error.msg, "the ipam plugin stub says: pool is full");
    assert_string_equal(error.details, "d");
    cni_error_clear(&error);

    snprintf(path, sizeof path, "%s/stub", dir);
    unlink(path);
    assert_false(cni_ipam_run("stub", "ADD", &env, "{}", 2, &result, &error));
    assert_int_equal(error.code, CNI_EIPAM);
    assert_non_null(strstr(error.msg, "is not in CNI_PATH"));
    rmdir(dir);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_teardown(test_parse, tear_down),
        cmocka_unit_test_teardown(test_parse_refuses, tear_down),
        cmocka_unit_test_teardown(test_parse_prev_result, tear_down),
        cmocka_unit_test_teardown(test_format, tear_down),
        cmocka_unit_test_teardown(test_format_error, tear_down),
        cmocka_unit_test_teardown(test_ipam, tear_down),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
