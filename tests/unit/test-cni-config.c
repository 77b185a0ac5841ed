/* SPDX-License-Identifier: Apache-2.0 */

/* Tests what xvs-cni reads: the network configuration, the ethtool commands, the environment.
 * The plugin's sources are included: it is a program, not a library. */

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

#include "utilities/xvs-cni/cni-config.c"
#include "utilities/xvs-cni/cni-ethtool.c"
#include "utilities/xvs-cni/cni-exec.c"
#include "utilities/xvs-cni/cni.c"

static struct cni_config config;
static struct cni_error error;

/* Parses and says with which code; the configuration stays for a look at it. */
static int
parse_for(const char *text, const char *command)
{
    cni_config_free(&config);
    cni_error_clear(&error);
    bool ok = cni_config_parse(&config, text, strlen(text), command, &error);
    assert_int_equal(ok, error.code == CNI_OK);
    assert_true(ok || (error.msg && error.msg[0]));
    return error.code;
}

static int
parse(const char *text)
{
    return parse_for(text, "ADD");
}

static int
tear_down(void **state)
{
    cni_config_free(&config);
    cni_error_clear(&error);
    return 0;
}

#define HEAD "{\"cniVersion\":\"1.0.0\",\"name\":\"n\",\"type\":\"afxdp\","
#define DEVICE HEAD "\"deviceID\":\"eth7\""

static void
test_reads_all_options(void **state)
{
    assert_int_equal(
        parse("{\"cniVersion\":\"0.3.0\",\"name\":\"net\",\"type\":\"afxdp\","
              "\"mode\":\"primary\",\"deviceID\":\"ens801f0\","
              "\"ethtoolCmds\":[\"-L -device- combined 1\",\"-K -device- gro off\"],"
              "\"logFile\":\"afxdp-cni.log\",\"logLevel\":\"debug\","
              "\"skipUnloadBpf\":true,\"dpSyncer\":true,\"queues\":\"4\","
              "\"dns\":{\"nameservers\":[\"10.0.0.1\"]},"
              "\"ipam\":{\"type\":\"host-local\",\"subnet\":\"10.1.0.0/24\"}}"),
        CNI_OK);
    assert_string_equal(config.version, "0.3.0");
    assert_string_equal(config.name, "net");
    assert_string_equal(config.type, "afxdp");
    assert_string_equal(config.device, "ens801f0");
    assert_string_equal(config.ipam_type, "host-local");
    assert_string_equal(config.log_file, "afxdp-cni.log");
    assert_int_equal(config.log_level, CNI_LOG_DEBUG);
    assert_int_equal(config.n_ethtool_cmds, 2);
    assert_string_equal(config.ethtool_cmds[1], "-K -device- gro off");
    assert_true(config.skip_unload_bpf);
    assert_true(config.dp_syncer);
    assert_non_null(config.dns);
    assert_null(config.prev_result);
}

static void
test_least_configuration(void **state)
{
    assert_int_equal(parse(DEVICE "}"), CNI_OK);
    assert_string_equal(config.ipam_type, "");
    assert_int_equal(config.n_ethtool_cmds, 0);
    assert_false(config.skip_unload_bpf);
    assert_int_equal(config.log_level, CNI_LOG_INFO);
    assert_int_equal(parse(DEVICE ",\"ipam\":{},\"ethtoolCmds\":null,\"prevResult\":null}"),
                     CNI_OK);
    assert_int_equal(parse(HEAD "\"runtimeConfig\":{\"deviceID\":\"eth9\"}}"), CNI_OK);
    assert_string_equal(config.device, "eth9");
}

static void
test_versions(void **state)
{
    static const char *const good[] = {"0.3.0", "0.3.1", "0.4.0", "1.0.0", "1.1.0"};
    static const char *const bad[] = {"0.1.0", "0.2.0", "2.0.0", "1.0", "", "1.0.0 "};
    char text[256];
    for (size_t i = 0; i < ARRAY_SIZE(good); i++) {
        snprintf(text, sizeof text, "{\"cniVersion\":\"%s\",\"deviceID\":\"e\"}", good[i]);
        assert_int_equal(parse(text), CNI_OK);
    }
    for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
        snprintf(text, sizeof text, "{\"cniVersion\":\"%s\",\"deviceID\":\"e\"}", bad[i]);
        assert_int_equal(parse(text), CNI_EVERSION);
        assert_string_equal(config.version, "");
    }
    assert_int_equal(parse("{\"deviceID\":\"e\"}"), CNI_EVERSION);
    assert_int_equal(parse("{\"cniVersion\":1,\"deviceID\":\"e\"}"), CNI_ECONFIG);
    assert_true(cni_version_at_least("1.0.0", "0.4.0"));
    assert_true(cni_version_at_least("0.4.0", "0.4.0"));
    assert_false(cni_version_at_least("0.3.1", "0.4.0"));
}

static void
test_refuses(void **state)
{
    static const struct {
        const char *text;
        int code;
        const char *says; /* part of the sentence */
    } table[] = {
        {"", CNI_EDECODE, "not JSON"},
        {"{", CNI_EDECODE, "not JSON"},
        {"[]", CNI_EDECODE, "not an object"},
        {HEAD "\"mode\":\"primary\"}", CNI_ECONFIG, "\"deviceID\" is missing"},
        {HEAD "\"deviceID\":7}", CNI_ECONFIG, "not a string"},
        {HEAD "\"deviceID\":\"../eth0\"}", CNI_ECONFIG, "not the name"},
        {HEAD "\"deviceID\":\"a234567890123456\"}", CNI_ECONFIG, "not the name"},
        {HEAD "\"deviceID\":\"0000:3b:00.0\"}", CNI_ECONFIG, "not the name"},
        {HEAD "\"deviceID\":\"..\"}", CNI_ECONFIG, "not the name"},
        {DEVICE ",\"mode\":\"cdq\"}", CNI_EFIELD, "primary mode only"},
        {DEVICE ",\"mode\":\"other\"}", CNI_ECONFIG, "\"mode\""},
        {DEVICE ",\"mode\":1}", CNI_ECONFIG, "\"mode\""},
        {DEVICE ",\"logFile\":\"/etc/passwd\"}", CNI_ECONFIG, "\"logFile\""},
        {DEVICE ",\"logFile\":\"../x.log\"}", CNI_ECONFIG, "\"logFile\""},
        {DEVICE ",\"logFile\":\".log\"}", CNI_ECONFIG, "\"logFile\""},
        {DEVICE ",\"logLevel\":\"loud\"}", CNI_ECONFIG, "\"logLevel\""},
        {DEVICE ",\"ipam\":[]}", CNI_ECONFIG, "\"ipam\""},
        {DEVICE ",\"ipam\":{\"type\":\"../../bin/sh\"}}", CNI_ECONFIG, "plugin's name"},
        {DEVICE ",\"ethtoolCmds\":\"-L\"}", CNI_ECONFIG, "array"},
        {DEVICE ",\"ethtoolCmds\":[7]}", CNI_ECONFIG, "array"},
        {DEVICE ",\"ethtoolCmds\":[\"\"]}", CNI_ECONFIG, "empty"},
        {DEVICE ",\"ethtoolCmds\":[\"-L -device-; reboot\"]}", CNI_ECONFIG, "character ;"},
        {DEVICE ",\"ethtoolCmds\":[\"-N -device- flow-type tcp4 dst-ip -ip-\"]}", CNI_ECONFIG,
         "no \"ipam\""},
        {DEVICE ",\"skipUnloadBpf\":\"yes\"}", CNI_ECONFIG, "\"skipUnloadBpf\""},
        {DEVICE ",\"dpSyncer\":1}", CNI_ECONFIG, "\"dpSyncer\""},
        {DEVICE ",\"prevResult\":[]}", CNI_ECONFIG, "\"prevResult\""},
        {DEVICE ",\"dns\":\"x\"}", CNI_ECONFIG, "\"dns\""},
    };
    for (size_t i = 0; i < ARRAY_SIZE(table); i++) {
        int code = parse(table[i].text);
        if (code != table[i].code || !strstr(error.msg, table[i].says)) {
            fail_msg("%s: code %d, \"%s\"", table[i].text, code, error.msg ? error.msg : "");
        }
    }
}

static void
test_deviceless_operations(void **state)
{
    assert_int_equal(parse_for("{\"cniVersion\":\"1.0.0\"}", "VERSION"), CNI_OK);
    assert_int_equal(parse_for("{\"cniVersion\":\"1.1.0\",\"name\":\"n\"}", "STATUS"), CNI_OK);
    assert_int_equal(parse_for("{\"cniVersion\":\"1.1.0\",\"name\":\"n\"}", "GC"), CNI_OK);
    assert_int_equal(parse_for("{\"cniVersion\":\"1.1.0\",\"name\":\"n\"}", "DEL"),
                     CNI_ECONFIG);
}

/* Splits and joins with "|"; "!" and the code when refused. */
static const char *
split(const char *command, const char *device, const char *ip)
{
    static char out[1024];
    struct cni_words words;
    cni_error_clear(&error);
    if (!cni_words_split(&words, command, device, ip, &error)) {
        assert_int_equal(words.n, 0);
        snprintf(out, sizeof out, "!%d", error.code);
        return out;
    }
    out[0] = '\0';
    assert_null(words.argv[words.n]);
    for (size_t i = 0; i < words.n; i++) {
        snprintf(out + strlen(out), sizeof out - strlen(out), "%s%s", i ? "|" : "",
                 words.argv[i]);
    }
    cni_words_free(&words);
    return out;
}

static void
test_words(void **state)
{
    assert_string_equal(split("-L -device- combined 1", "eth7", NULL),
                        "ethtool|-L|eth7|combined|1");
    assert_string_equal(split(" \t-K\t-device-  gro   off ", "eth7", NULL),
                        "ethtool|-K|eth7|gro|off");
    assert_string_equal(split("ethtool -K -device- gro off", "eth7", NULL),
                        "ethtool|-K|eth7|gro|off");
    assert_string_equal(split("-N -device- flow-type tcp4 dst-ip -ip- dst-port 80 action 2",
                              "eth7", "10.0.0.9"),
                        "ethtool|-N|eth7|flow-type|tcp4|dst-ip|10.0.0.9|dst-port|80|action|2");
    /* Inside a word, several times, and what was put in is not looked at again. */
    assert_string_equal(split("-x a-device-b-ip-c-device-", "-ip-", "1.2.3.4"),
                        "ethtool|-x|a-ip-b1.2.3.4c-ip-");
    assert_string_equal(split("-x -devic -devices- --ip--", "e", "9"),
                        "ethtool|-x|-devic|-devices-|-9-");
}

static void
test_words_refused(void **state)
{
    static const char *const bad[] = {
        "",
        "   ",
        "ethtool",
        "eth7 -L",
        "-device- -L",
        "-ip- -L",
        "-L $HOME",
        "-L `id`",
        "-L a|b",
        "-L a&b",
        "-L a;b",
        "-L \"a b\"",
        "-L 'a'",
        "-L a\\ b",
        "-L a>b",
        "-L a<b",
        "-L a\nb",
        "-L a\x01",
        "-L *",
        "-L caf\xc3\xa9",
        "-L (a)",
        "-L {a}",
        "/bin/sh -c x",
        "ethtool ethtool -L",
    };
    for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
        assert_string_equal(split(bad[i], "eth7", "10.0.0.9"), "!7");
        assert_non_null(error.msg);
    }
    assert_string_equal(split("-N -device- dst-ip -ip-", "eth7", NULL), "!7");
    struct strbuf many = STRBUF_INIT;
    for (int i = 0; i < CNI_WORDS_MAX; i++) {
        strbuf_puts(&many, "-x ");
    }
    assert_true(split(strbuf_cstr(&many), "e", NULL)[0] == 'e');
    strbuf_puts(&many, "-x");
    assert_string_equal(split(strbuf_cstr(&many), "e", NULL), "!7");
    strbuf_free(&many);
}

static void
test_environment(void **state)
{
    struct cni_env good = {"ADD", "abc-1_2.3", "/run/netns/x", "net1", "", "/opt/cni/bin"};
    assert_true(cni_env_check(&good, &error));
    struct {
        struct cni_env env;
        bool ok;
    } table[] = {
        {{"DEL", "abc", "", "net1", "", ""}, true},
        {{"CHECK", "abc", "/n", "net1", "", ""}, true},
        {{"VERSION", "", "", "", "", ""}, true},
        {{"STATUS", "", "", "", "", ""}, true},
        {{"", "abc", "/n", "net1", "", ""}, false},
        {{"add", "abc", "/n", "net1", "", ""}, false},
        {{"ADD", "", "/n", "net1", "", ""}, false},
        {{"ADD", "-abc", "/n", "net1", "", ""}, false},
        {{"ADD", "a/b", "/n", "net1", "", ""}, false},
        {{"ADD", "abc", "", "net1", "", ""}, false},
        {{"CHECK", "abc", "", "net1", "", ""}, false},
        {{"ADD", "abc", "/n", "", "", ""}, false},
        {{"ADD", "abc", "/n", "sixteen-bytes-xx", "", ""}, false},
        {{"ADD", "abc", "/n", "a b", "", ""}, false},
        {{"ADD", "abc", "/n", "a/b", "", ""}, false},
        {{"ADD", "abc", "/n", "a:b", "", ""}, false},
        {{"ADD", "abc", "/n", "..", "", ""}, false},
    };
    for (size_t i = 0; i < ARRAY_SIZE(table); i++) {
        cni_error_clear(&error);
        assert_int_equal(cni_env_check(&table[i].env, &error), table[i].ok);
        assert_int_equal(error.code, table[i].ok ? CNI_OK : CNI_EENV);
    }
}

static void
test_log(void **state)
{
    char dir[] = "/tmp/test-cni-XXXXXX", path[64], line[256] = "";
    assert_non_null(mkdtemp(dir));
    assert_true(cni_log_open(dir, "a.log", CNI_LOG_INFO, &error));
    cni_log(CNI_LOG_DEBUG, "not this");
    cni_log(CNI_LOG_WARNING, "two\nlines");
    cni_log_close();
    snprintf(path, sizeof path, "%s/a.log", dir);
    FILE *f = fopen(path, "r");
    assert_non_null(f);
    assert_non_null(fgets(line, sizeof line, f));
    assert_non_null(strstr(line, "warning: two lines\n"));
    assert_null(fgets(line, sizeof line, f));
    fclose(f);
    /* A link is not followed. */
    unlink(path);
    assert_int_equal(symlink("/tmp/test-cni-elsewhere", path), 0);
    assert_false(cni_log_open(dir, "a.log", CNI_LOG_INFO, &error));
    assert_int_equal(error.code, CNI_EIO);
    unlink(path);
    rmdir(dir);
}

static void
test_exec(void **state)
{
    struct cni_exec_result r;
    signal(SIGPIPE, SIG_IGN);
    /* More than the pipes hold, in both directions at once. */
    size_t big = 300000;
    char *text = xmalloc(big);
    memset(text, 'x', big);
    char *cat[] = {"cat", NULL};
    assert_true(cni_exec("/bin/cat", cat, NULL, text, big, 5000, &r));
    assert_int_equal(r.out.len, big);
    assert_memory_equal(r.out.data, text, big);
    cni_exec_result_free(&r);
    /* A program that does not read. */
    char *yes[] = {"true", NULL};
    assert_true(cni_exec("/bin/true", yes, NULL, text, big, 5000, &r));
    cni_exec_result_free(&r);
    free(text);

    char *fails[] = {"sh", "-c", "echo out; echo err >&2; exit 3", NULL};
    assert_false(cni_exec("/bin/sh", fails, NULL, "", 0, 5000, &r));
    assert_int_equal(r.status, 3);
    assert_string_equal(strbuf_cstr(&r.out), "out\n");
    assert_string_equal(strbuf_cstr(&r.err), "err\n");
    assert_string_equal(r.problem, "it exited with status 3");
    cni_exec_result_free(&r);

    /* Never ends, has a child of its own, and holds the pipes: killed, with the child. */
    long long before = now_ms();
    char *hangs[] = {"sh", "-c", "sleep 1000 & echo $!; sleep 1000", NULL};
    assert_false(cni_exec("/bin/sh", hangs, NULL, "", 0, 1000, &r));
    assert_true(now_ms() - before < 4000);
    assert_non_null(strstr(r.problem, "did not end within 1 s"));
    pid_t child = (pid_t) atoi(strbuf_cstr(&r.out));
    assert_true(child > 1);
    for (int i = 0; i < 100 && !kill(child, 0); i++) {
        char path[64], state_line[256] = "";
        snprintf(path, sizeof path, "/proc/%d/stat", (int) child);
        FILE *f = fopen(path, "r");
        bool gone =
            !f || !fgets(state_line, sizeof state_line, f) || strstr(state_line, ") Z ");
        if (f) {
            fclose(f);
        }
        if (gone) {
            break;
        }
        assert_true(i < 99);
        usleep(10000);
    }
    cni_exec_result_free(&r);

    char *none[] = {"nothing", NULL};
    assert_false(cni_exec("/nonexistent/nothing", none, NULL, "", 0, 1000, &r));
    assert_non_null(strstr(r.problem, "could not be executed"));
    cni_exec_result_free(&r);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_teardown(test_reads_all_options, tear_down),
        cmocka_unit_test_teardown(test_least_configuration, tear_down),
        cmocka_unit_test_teardown(test_versions, tear_down),
        cmocka_unit_test_teardown(test_refuses, tear_down),
        cmocka_unit_test_teardown(test_deviceless_operations, tear_down),
        cmocka_unit_test_teardown(test_words, tear_down),
        cmocka_unit_test_teardown(test_words_refused, tear_down),
        cmocka_unit_test_teardown(test_environment, tear_down),
        cmocka_unit_test_teardown(test_log, tear_down),
        cmocka_unit_test_teardown(test_exec, tear_down),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
