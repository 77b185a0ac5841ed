/* SPDX-License-Identifier: Apache-2.0 */

/* JSON-RPC: framing cut at every byte, message kinds, echo, limits; stream targets. */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>
#include "log/coverage.h"
#include "rpc/json-frame.h"
#include "rpc/jsonrpc.h"
#include "rpc/stream-private.h"
#include "util/strbuf.h"
#include "util/xalloc.h"

static const char three[] =
    "{\"method\":\"a}]\\\"{\",\"params\":[[],{\"x\":\"\\\\\"}],\"id\":1}"
    " \n\t{\"id\":2,\"result\":[\"]\"],\"error\":null}"
    "{\"id\":null,\"method\":\"n\",\"params\":[]}\r\n";

/* ---------------------------------------------------------------- framing */

static void
test_frame_split(void **state)
{
    size_t n = strlen(three);
    for (size_t cut = 0; cut <= n; cut++) {
        struct json_frame f = JSON_FRAME_INIT;
        size_t pos = 0, begin = 0;
        int values = 0;
        while (pos < n) {
            size_t end = pos < cut ? cut : n, used;
            enum json_frame_result r = json_frame_scan(&f, three + pos, end - pos, &used);
            assert_int_not_equal(r, JSON_FRAME_BAD);
            pos += used;
            if (r == JSON_FRAME_DONE) {
                json_t *j = json_loadb(three + begin, pos - begin, 0, NULL);
                assert_non_null(j);
                assert_true(json_is_object(j));
                json_decref(j);
                begin = pos;
                values++;
                assert_true(json_frame_is_idle(&f));
            } else {
                assert_int_equal(pos, end);
            }
        }
        assert_int_equal(values, 3);
        assert_true(json_frame_is_idle(&f));
    }
}

static void
test_frame_bad(void **state)
{
    static const char *const bad[] = {"x", "  1", "\"s\"", "}", "]", "null", ",{}", "\xff"};
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        struct json_frame f = JSON_FRAME_INIT;
        size_t used;
        assert_int_equal(json_frame_scan(&f, bad[i], strlen(bad[i]), &used), JSON_FRAME_BAD);
        assert_true(used < strlen(bad[i]));
    }
    struct json_frame f = JSON_FRAME_INIT;
    char deep[5000];
    size_t used;
    memset(deep, '[', sizeof deep);
    assert_int_equal(json_frame_scan(&f, deep, sizeof deep, &used), JSON_FRAME_BAD);
}

/* ---------------------------------------------------------------- connections */

static struct evloop *loop;
static int peer;
static struct jsonrpc *rpc;
static struct strbuf seen; /* what the callbacks were told */
static bool destroy_in_message;

static void
on_message(struct jsonrpc *j, const struct jsonrpc_msg *m, void *aux)
{
    static const char kinds[] = "RNPE";
    json_t *id = m->id ? m->id : json_null();
    char *id_text = json_dumps(id, JSON_ENCODE_ANY);
    strbuf_putf(&seen, "%c:%s:%s ", kinds[m->type], m->method ? m->method : "-", id_text);
    free(id_text);
    if (destroy_in_message) {
        jsonrpc_destroy(rpc);
        rpc = NULL;
    }
}

static void
on_closed(struct jsonrpc *j, bool garbage, const char *why, void *aux)
{
    strbuf_putf(&seen, "closed%s", garbage ? "(garbage)" : "");
    jsonrpc_destroy(rpc);
    rpc = NULL;
}

static const struct jsonrpc_events events = {.message = on_message, .closed = on_closed};

static void
open_pair(void)
{
    int fds[2];
    assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, fds), 0);
    peer = fds[1];
    strbuf_clear(&seen);
    destroy_in_message = false;
    rpc = jsonrpc_create(loop, stream_wrap(loop, fds[0], "pair", STREAM_OPEN), &events, NULL);
}

static void
close_pair(void)
{
    close(peer);
    jsonrpc_destroy(rpc);
    rpc = NULL;
}

static void
turns(int n)
{
    while (n--) {
        evloop_turn(loop, 0);
    }
}

static void
put(const char *data, size_t n)
{
    assert_int_equal(write(peer, data, n), (ssize_t) n);
}

static const char *
get(void)
{
    static char buf[4096];
    ssize_t n = read(peer, buf, sizeof buf - 1);
    buf[n > 0 ? n : 0] = '\0';
    return buf;
}

static void
test_messages_split(void **state)
{
    size_t n = strlen(three);
    for (size_t cut = 0; cut <= n; cut++) {
        open_pair();
        put(three, cut);
        turns(3);
        put(three + cut, n - cut);
        turns(3);
        assert_string_equal(strbuf_cstr(&seen), "R:a}]\"{:1 P:-:2 N:n:null ");
        assert_false(jsonrpc_mid_message(rpc));
        close_pair();
    }
}

static void
test_byte_by_byte(void **state)
{
    open_pair();
    for (const char *p = three; *p; p++) {
        put(p, 1);
        turns(1);
    }
    turns(2);
    assert_string_equal(strbuf_cstr(&seen), "R:a}]\"{:1 P:-:2 N:n:null ");
    close_pair();
}

static void
test_send(void **state)
{
    open_pair();
    assert_int_equal(jsonrpc_send_request(rpc, "m", json_pack("[i]", 1)), 1);
    assert_int_equal(jsonrpc_send_request(rpc, "m", json_array()), 2);
    jsonrpc_send_notify(rpc, "n", json_array());
    jsonrpc_send_reply(rpc, json_string("q"), json_true());
    jsonrpc_send_error(rpc, json_integer(3), json_string("no"));
    assert_string_equal(get(), "");
    turns(1);
    assert_string_equal(get(), "{\"id\":1,\"method\":\"m\",\"params\":[1]}"
                               "{\"id\":2,\"method\":\"m\",\"params\":[]}"
                               "{\"id\":null,\"method\":\"n\",\"params\":[]}"
                               "{\"id\":\"q\",\"result\":true,\"error\":null}"
                               "{\"id\":3,\"result\":null,\"error\":\"no\"}");
    close_pair();
}

static void
test_echo(void **state)
{
    static const char request[] = "{\"method\":\"echo\",\"params\":[1,\"x\"],\"id\":\"e\"}";
    open_pair();
    put(request, strlen(request));
    turns(3);
    assert_string_equal(get(), "{\"id\":\"e\",\"result\":[1,\"x\"],\"error\":null}");
    jsonrpc_send_probe(rpc);
    turns(1);
    assert_string_equal(get(), "{\"id\":\"echo\",\"method\":\"echo\",\"params\":[]}");
    static const char reply[] = "{\"id\":\"echo\",\"result\":[],\"error\":null}";
    put(reply, strlen(reply));
    turns(3);
    assert_string_equal(strbuf_cstr(&seen), "");
    close_pair();
}

static void
test_close_and_destroy(void **state)
{
    open_pair();
    close(peer);
    turns(3);
    assert_string_equal(strbuf_cstr(&seen), "closed");
    assert_null(rpc);

    open_pair();
    destroy_in_message = true;
    put(three, strlen(three));
    turns(3);
    assert_string_equal(strbuf_cstr(&seen), "R:a}]\"{:1 ");
    close_pair();

    open_pair();
    put("{\"id\":1,\"method\":\"\xff\",\"params\":[]}", 33);
    turns(3);
    assert_string_equal(strbuf_cstr(&seen), "closed(garbage)");
    close_pair();
}

static void
test_limits(void **state)
{
    /* A peer that never reads. */
    uint64_t before = 0, after = 0;
    size_t big = 24 << 20;
    char *text = xmalloc(big + 1);
    memset(text, 'x', big);
    text[big] = '\0';
    assert_true(coverage_read("jsonrpc_backlog_too_long", &before));
    open_pair();
    for (int i = 0; i < 3 && rpc; i++) {
        jsonrpc_send_notify(rpc, "big", json_pack("[s]", text));
        turns(1);
    }
    assert_null(rpc);
    assert_string_equal(strbuf_cstr(&seen), "closed");
    coverage_read("jsonrpc_backlog_too_long", &after);
    assert_int_equal(after, before + 1);
    close_pair();

    /* A message without end. */
    assert_true(coverage_read("jsonrpc_message_too_long", &before));
    open_pair();
    put("[\"", 2);
    for (int i = 0; i < 10000 && rpc; i++) {
        if (write(peer, text, 1 << 20) < 0) {
            turns(1);
        }
        turns(1);
    }
    assert_null(rpc);
    coverage_read("jsonrpc_message_too_long", &after);
    assert_int_equal(after, before + 1);
    close_pair();
    free(text);
}

/* ---------------------------------------------------------------- targets */

static void
test_targets(void **state)
{
    static const struct {
        const char *text;
        int error;
        bool passive;
        const char *path;
    } cases[] = {
        {"unix:/a/b", 0, false, "/a/b"},
        {"unix:db.sock", 0, false, "/run/x/db.sock"},
        {"punix:y", 0, true, "/run/x/y"},
        {"tcp:127.0.0.1:6640", 0, false, NULL},
        {"tcp:127.0.0.1", 0, false, NULL},
        {"tcp:localhost:1", 0, false, NULL},
        {"ssl:[::1]:6640", 0, false, NULL},
        {"ssl:[::1]", 0, false, NULL},
        {"ptcp:", 0, true, NULL},
        {"ptcp:0:127.0.0.1", 0, true, NULL},
        {"pssl:6640:[::1]", 0, true, NULL},
        {"tcp:[::1", 22, false, NULL},
        {"tcp:::1:5", 22, false, NULL},
        {"tcp:1.2.3.4:99999", 22, false, NULL},
        {"tcp:1.2.3.4:0", 22, false, NULL},
        {"tcp:name.example:6640", 22, false, NULL},
        {"ptcp:x", 22, true, NULL},
        {"unix:", 22, false, NULL},
        {"", 22, false, NULL},
    };
    setenv("OVS_RUNDIR", "/run/x", 1);
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct stream_target t;
        char *error = NULL;
        assert_int_equal(stream_target_parse(cases[i].text, &t, &error), cases[i].error);
        assert_true(cases[i].error ? error != NULL : error == NULL);
        if (!cases[i].error) {
            assert_int_equal(t.passive, cases[i].passive);
        }
        if (cases[i].path) {
            assert_string_equal(t.path, cases[i].path);
        }
        free(error);
        stream_target_free(&t);
    }
}

static void
test_default_ports(void **state)
{
    static const char *const cases[][2] = {
        {"tcp:1.2.3.4", "tcp:1.2.3.4:6653"},
        {"ssl:1.2.3.4:", "ssl:1.2.3.4:6653"},
        {"tcp:1.2.3.4:99", "tcp:1.2.3.4:99"},
        {"tcp:[::1]", "tcp:[::1]:6653"},
        {"ssl:[::1]:5", "ssl:[::1]:5"},
        {"ptcp:", "ptcp:6653"},
        {"pssl::1.2.3.4", "pssl:6653:1.2.3.4"},
        {"ptcp:5:[::1]", "ptcp:5:[::1]"},
        {"unix:/a:b", "unix:/a:b"},
        {"nonsense", "nonsense"},
    };

    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        char *text = stream_target_with_port(cases[i][0], "6653");

        assert_string_equal(text, cases[i][1]);
        free(text);
    }
}

static void
count_accept(struct stream *s, void *aux)
{
    ++*(int *) aux;
    stream_close(s);
}

/* Socket paths longer than sockaddr_un, and that only our own socket file is removed. */
static void
test_long_path(void **state)
{
    char dir[] = "/tmp/xvs-jsonrpc-XXXXXX";
    char sub[256], target[400];
    int accepted = 0;
    struct stream_listener *l;
    struct stream *s;
    char *error = NULL;
    assert_non_null(mkdtemp(dir));
    snprintf(sub, sizeof sub, "%s/%0120d", dir, 0);
    assert_int_equal(system(NULL) ? 0 : 1, 0);
    char command[400];
    snprintf(command, sizeof command, "mkdir %s", sub);
    assert_int_equal(system(command), 0);
    snprintf(target, sizeof target, "punix:%s/s", sub);
    assert_int_equal(stream_listen(loop, target, 0700, count_accept, &accepted, &l, &error), 0);
    assert_int_equal(stream_open(loop, target + 1, &s, &error), 0);
    turns(2);
    assert_int_equal(accepted, 1);
    stream_close(s);
    stream_listener_close(l);
    assert_int_equal(access(target + 6, F_OK), -1);

    /* A plain file in the way is left alone. */
    snprintf(command, sizeof command, "echo keep > %s/s", sub);
    assert_int_equal(system(command), 0);
    assert_int_not_equal(stream_listen(loop, target, 0700, count_accept, NULL, &l, &error), 0);
    assert_non_null(error);
    free(error);
    assert_int_equal(access(target + 6, F_OK), 0);
    unlink(target + 6);
    rmdir(sub);
    rmdir(dir);
}

static int
setup(void **state)
{
    loop = evloop_create();
    return 0;
}

static int
teardown(void **state)
{
    evloop_destroy(loop);
    strbuf_free(&seen);
    return 0;
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_default_ports), cmocka_unit_test(test_frame_split),
        cmocka_unit_test(test_frame_bad),     cmocka_unit_test(test_messages_split),
        cmocka_unit_test(test_byte_by_byte),  cmocka_unit_test(test_send),
        cmocka_unit_test(test_echo),          cmocka_unit_test(test_close_and_destroy),
        cmocka_unit_test(test_limits),        cmocka_unit_test(test_targets),
        cmocka_unit_test(test_long_path),
    };
    return cmocka_run_group_tests(tests, setup, teardown);
}
