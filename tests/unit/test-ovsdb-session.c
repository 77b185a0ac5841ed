/* SPDX-License-Identifier: Apache-2.0 */

/* The OVSDB client against a server played by this test, which answers by script: fallbacks to
 * older monitor methods, servers without _Server, continuing from the last transaction id,
 * stolen locks, cancelled monitors, and every kind of nonsense. */

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
#include "os/clock.h"
#include "ovsdb/ovsdb.h"
#include "rpc/jsonrpc.h"

#define U1 "11111111-1111-1111-1111-111111111111"
#define ID1 "aaaaaaaa-0000-0000-0000-000000000001"
#define ID2 "aaaaaaaa-0000-0000-0000-000000000002"
#define SCHEMA                                                                                 \
    "{\"name\":\"D\",\"version\":\"1.0.0\",\"tables\":{\"T\":{\"columns\":"                    \
    "{\"name\":{\"type\":\"string\"},\"n\":{\"type\":\"integer\"}}}}}"
#define SERVER_SCHEMA                                                                          \
    "{\"name\":\"_Server\",\"tables\":{\"Database\":{\"columns\":"                             \
    "{\"name\":{\"type\":\"string\"},\"model\":{\"type\":\"string\"},"                         \
    "\"connected\":{\"type\":\"boolean\"},\"leader\":{\"type\":\"boolean\"},"                  \
    "\"schema\":{\"type\":{\"key\":\"string\",\"min\":0,\"max\":1}}}}}}"
#define SERVER_ROW(ROW) "{\"Database\":{\"" U1 "\":{" ROW "}}}"

static const char *const columns[] = {"name", "n", NULL};
static const struct ovsdb_table_spec tables[] = {{"T", columns}};
static const struct ovsdb_spec spec = {"D", "the_lock", tables, 1};

static char dir[] = "/tmp/xvs-session-XXXXXX";
static char target[80];
static struct evloop *loop;
static struct stream_listener *listener;
static struct jsonrpc *server; /* the connection as the server sees it */
static struct ovsdb_client *client;
static unsigned n_accepted, n_changed;

/* The script: method -> reply; "!text" is an error; absent: "unknown method". */
struct answer {
    const char *method;
    const char *first_param; /* NULL: any */
    const char *reply;
};
static const struct answer *script;
static char last_monitor[512]; /* method and parameters of the last one asked for */

static void
server_closed(struct jsonrpc *j, bool garbage, const char *why, void *aux)
{
    jsonrpc_destroy(j);
    if (server == j) {
        server = NULL;
    }
}

static void
server_message(struct jsonrpc *j, const struct jsonrpc_msg *m, void *aux)
{
    if (m->type != JSONRPC_REQUEST) {
        return;
    }
    const char *p0 = json_string_value(json_array_get(m->params, 0));
    if (!strncmp(m->method, "monitor", 7) && p0 && !strcmp(p0, "D")) {
        char *text = json_dumps(m->params, JSON_COMPACT);
        snprintf(last_monitor, sizeof last_monitor, "%s %s", m->method, text);
        free(text);
    }
    for (const struct answer *a = script; a->method; a++) {
        if (strcmp(a->method, m->method) || (a->first_param && strcmp(a->first_param, p0))) {
            continue;
        }
        if (a->reply[0] == '!') {
            jsonrpc_send_error(j, json_incref(m->id), json_string(a->reply + 1));
        } else {
            json_t *reply = json_loads(a->reply, JSON_DECODE_ANY, NULL);
            assert_non_null(reply);
            jsonrpc_send_reply(j, json_incref(m->id), reply);
        }
        return;
    }
    jsonrpc_send_error(j, json_incref(m->id), json_string("unknown method"));
}

static const struct jsonrpc_events server_events = {.message = server_message,
                                                    .closed = server_closed};

static void
accepted(struct stream *s, void *aux)
{
    n_accepted++;
    jsonrpc_destroy(server);
    server = jsonrpc_create(loop, s, &server_events, NULL);
}

static void
changed(struct ovsdb_client *c, void *aux)
{
    n_changed++;
    assert_true(ovsdb_has_snapshot(c));
}

static void
turns(int n)
{
    while (n--) {
        evloop_turn(loop, 0);
    }
}

static void
client_start(const struct answer *s)
{
    struct ovsdb_events events = {changed, NULL};
    char *error = NULL;
    script = s;
    n_changed = n_accepted = 0;
    client = ovsdb_client_create(loop, target, &spec, &events, &error);
    assert_non_null(client);
    turns(30);
}

static void
client_stop(void)
{
    ovsdb_client_destroy(client);
    client = NULL;
    turns(5);
}

static void
notify(const char *method, const char *params)
{
    json_t *j = json_loads(params, 0, NULL);
    assert_non_null(j);
    jsonrpc_send_notify(server, method, j);
    turns(6);
}

static int64_t
value_of_n(void)
{
    const struct ovsdb_row *row = ovsdb_row_find(client, "T", U1);
    return row ? ovsdb_get_int(row, "n", -1) : -2;
}

static const struct answer plain_script[] = {
    {"get_schema", "D", SCHEMA},
    {"lock", NULL, "{\"locked\":true}"},
    {"monitor", "D", "{\"T\":{\"" U1 "\":{\"new\":{\"name\":\"a\",\"n\":1}}}}"},
    {NULL},
};

static void
test_plain(void **state)
{
    client_start(plain_script);
    assert_true(ovsdb_is_connected(client));
    assert_true(ovsdb_has_lock(client));
    assert_int_equal(value_of_n(), 1);
    assert_int_equal(n_changed, 1);
    assert_int_equal(strncmp(last_monitor, "monitor ", 8), 0);
    notify("update", "[[\"monid\",\"D\"],{\"T\":{\"" U1 "\":{\"old\":{\"n\":1},"
                     "\"new\":{\"name\":\"a\",\"n\":2}}}}]");
    assert_int_equal(value_of_n(), 2);
    assert_int_equal(n_changed, 2);
    client_stop();
}

static const struct answer cond_script[] = {
    {"get_schema", "_Server", SERVER_SCHEMA},
    {"monitor_cond", "_Server",
     SERVER_ROW("\"initial\":{\"name\":\"D\",\"model\":"
                "\"standalone\",\"connected\":true,"
                "\"leader\":true}")},
    {"get_schema", "D", SCHEMA},
    {"lock", NULL, "{\"locked\":false}"},
    {"monitor_cond", "D", "{\"T\":{\"" U1 "\":{\"initial\":{\"n\":1}}}}"},
    {NULL},
};

static void
test_cond_and_lock(void **state)
{
    client_start(cond_script);
    assert_true(ovsdb_is_connected(client));
    assert_int_equal(strncmp(last_monitor, "monitor_cond ", 13), 0);
    assert_false(ovsdb_has_lock(client));
    assert_true(ovsdb_lock_is_contended(client));
    unsigned before = n_changed;
    notify("locked", "[\"the_lock\"]");
    assert_true(ovsdb_has_lock(client));
    assert_int_equal(n_changed, before + 1);
    notify("stolen", "[\"other\"]");
    assert_true(ovsdb_has_lock(client));
    notify("stolen", "[\"the_lock\"]");
    assert_false(ovsdb_has_lock(client));
    assert_int_equal(n_changed, before + 2);
    notify("locked", "[\"the_lock\"]");
    assert_true(ovsdb_has_lock(client));
    notify("update2", "[[\"monid\",\"D\"],{\"T\":{\"" U1 "\":{\"modify\":{\"n\":7}}}}]");
    assert_int_equal(value_of_n(), 7);
    /* Several updates of one turn: one call. */
    before = n_changed;
    for (int i = 0; i < 5; i++) {
        jsonrpc_send_notify(server, "update2",
                            json_pack("[[s,s],{s:{s:{s:{s:i}}}}]", "monid", "D", "T", U1,
                                      "modify", "n", 10 + i));
    }
    turns(6);
    assert_int_equal(value_of_n(), 14);
    assert_int_equal(n_changed, before + 1);
    client_stop();
}

static const struct answer since_script[] = {
    {"get_schema", "D", SCHEMA},
    {"lock", NULL, "{\"locked\":true}"},
    {"monitor_cond_since", "D",
     "[false,\"" ID1 "\",{\"T\":{\"" U1 "\":{\"initial\":{\"n\":1}}}}]"},
    {NULL},
};
static const struct answer continued_script[] = {
    {"get_schema", "D", SCHEMA},
    {"lock", NULL, "{\"locked\":true}"},
    {"monitor_cond_since", "D",
     "[true,\"" ID2 "\",{\"T\":{\"" U1 "\":{\"modify\":{\"n\":5}}}}]"},
    {NULL},
};

/* The server hangs up; the virtual clock brings the next attempt. */
static void
reconnect_with(const struct answer *s)
{
    unsigned before = n_accepted;
    script = s;
    jsonrpc_destroy(server);
    server = NULL;
    turns(5);
    for (int i = 0; i < 20 && n_accepted == before; i++) {
        clock_warp(500);
        turns(10);
    }
    turns(30);
    assert_int_equal(n_accepted, before + 1);
}

static void
test_since(void **state)
{
    client_start(since_script);
    assert_true(ovsdb_is_connected(client));
    assert_non_null(strstr(last_monitor, "\"00000000-0000-0000-0000-000000000000\""));
    notify("update3",
           "[[\"monid\",\"D\"],\"" ID2 "\",{\"T\":{\"" U1 "\":{\"modify\":{\"n\":2}}}}]");
    assert_int_equal(value_of_n(), 2);
    uint64_t seqno = ovsdb_seqno(client);
    reconnect_with(continued_script);
    assert_non_null(strstr(last_monitor, "\"" ID2 "\""));
    assert_int_equal(value_of_n(), 5);
    assert_int_equal(ovsdb_seqno(client), seqno + 1);
    /* A server that lost history: everything anew, only real changes count. */
    reconnect_with(since_script);
    assert_int_equal(value_of_n(), 1);
    assert_int_equal(ovsdb_seqno(client), seqno + 2);
    reconnect_with(since_script);
    assert_int_equal(ovsdb_seqno(client), seqno + 2);
    client_stop();
}

static void
test_nonsense_updates(void **state)
{
    static const struct {
        const char *method, *params;
    } bad[] = {
        {"update2", "[]"},
        {"update2", "[null,{}]"},
        {"update2", "[[\"monid\",\"E\"],{}]"},
        {"update2", "[[\"monid\",\"D\"],5]"},
        {"update2", "[[\"monid\",\"D\"],{\"Nope\":{}}]"},
        {"update2", "[[\"monid\",\"D\"],{\"T\":{\"" U1 "\":{\"modify\":{\"n\":\"x\"}}}}]"},
        {"update3", "[[\"monid\",\"D\"],\"x\",{}]"},
        {"update3", "[[\"monid\",\"D\"],{}]"},
        {"update", "[[\"monid\",\"D\"],{\"T\":{\"" U1 "\":{\"new\":{}}}}]"},
        {"update2", "[[\"monid\",\"_Server\"],{\"Database\":[]}]"},
    };
    client_start(since_script);
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        uint64_t before = 0, after = 0;
        assert_true(ovsdb_is_connected(client));
        coverage_read("ovsdb_protocol_error", &before);
        notify(bad[i].method, bad[i].params);
        coverage_read("ovsdb_protocol_error", &after);
        assert_int_equal(after, before + 1);
        assert_false(ovsdb_is_connected(client));
        assert_int_equal(value_of_n(), 1); /* the former contents stay */
        reconnect_with(since_script);
        assert_non_null(strstr(last_monitor, "\"00000000-0000-0000-0000-000000000000\""));
    }
    client_stop();
}

static void
test_nonsense_replies(void **state)
{
    static const struct answer scripts[][6] = {
        {{"get_schema", NULL, "5"}},
        {{"get_schema", "_Server", SERVER_SCHEMA}, {"monitor_cond", "_Server", "[1]"}},
        {{"get_schema", "_Server", SERVER_SCHEMA},
         {"monitor_cond", "_Server",
          SERVER_ROW("\"initial\":{\"name\":\"D\",\"schema\":"
                     "\"not json\"}")}},
        {{"get_schema", "D", "!unknown database"}},
        {{"get_schema", "D", "{}"}},
        {{"get_schema", "D", SCHEMA}, {"monitor_cond_since", "D", "[]"}},
        {{"get_schema", "D", SCHEMA}, {"monitor_cond_since", "D", "[true,\"" ID1 "\",{}]"}},
        {{"get_schema", "D", SCHEMA}, {"monitor_cond_since", "D", "[false,3,{}]"}},
        {{"get_schema", "D", SCHEMA}, {"monitor_cond_since", "D", "null"}},
        {{"get_schema", "D", SCHEMA}, {"monitor_cond", "D", "{\"T\":3}"}},
        {{"get_schema", "D", SCHEMA}, {"monitor", "D", "7"}},
        {{"get_schema", "D", SCHEMA}},
    };
    for (size_t i = 0; i < sizeof scripts / sizeof scripts[0]; i++) {
        uint64_t before = 0, after = 0;
        coverage_read("ovsdb_protocol_error", &before);
        client_start(scripts[i]);
        coverage_read("ovsdb_protocol_error", &after);
        assert_int_equal(after, before + 1);
        assert_false(ovsdb_has_snapshot(client));
        assert_int_equal(n_accepted, 1); /* backs off */
        assert_int_equal(n_changed, 0);
        clock_warp(1100);
        turns(30);
        assert_int_equal(n_accepted, 2);
        client_stop();
    }
}

static void
test_server_events(void **state)
{
    static const struct answer scripted[] = {
        {"get_schema", "_Server", SERVER_SCHEMA},
        {"monitor_cond", "_Server", "{}"}, /* our database is not there yet */
        {"get_schema", "D", SCHEMA},
        {"lock", NULL, "{\"locked\":true}"},
        {"monitor_cond_since", "D", "[false,\"" ID1 "\",{}]"},
        {NULL},
    };
    client_start(scripted);
    assert_false(ovsdb_has_snapshot(client));
    assert_int_equal(n_accepted, 1);
    notify("update2", "[[\"monid\",\"_Server\"]," SERVER_ROW(
                          "\"insert\":{\"name\":\"D\","
                          "\"model\":\"standalone\",\"connected\":true,\"leader\":true}") "]");
    turns(20);
    assert_true(ovsdb_has_snapshot(client));
    assert_true(ovsdb_is_connected(client));
    /* A lone standalone server is never left for want of leadership. */
    notify("update2",
           "[[\"monid\",\"_Server\"]," SERVER_ROW("\"modify\":{\"leader\":false}") "]");
    assert_true(ovsdb_is_connected(client));
    notify("update2", "[[\"monid\",\"_Server\"]," SERVER_ROW("\"delete\":null") "]");
    assert_false(ovsdb_is_connected(client));
    client_stop();

    client_start(since_script);
    notify("monitor_canceled", "[[\"monid\",\"D\"]]");
    assert_false(ovsdb_is_connected(client));
    assert_true(ovsdb_has_snapshot(client));
    client_stop();
}

static unsigned n_done;
static void
done(enum ovsdb_txn_result result, const char *error, void *aux)
{
    n_done++;
    *(enum ovsdb_txn_result *) aux = result;
    assert_true(result == OVSDB_TXN_OK ? !error : error && *error);
}

static void
test_txn_replies(void **state)
{
    static const struct {
        const char *reply;
        enum ovsdb_txn_result result;
    } cases[] = {
        {"[{},{\"count\":1}]", OVSDB_TXN_OK},
        {"[{},{\"error\":\"e\",\"details\":\"d\"},null]", OVSDB_TXN_ERROR},
        {"[null,{\"error\":\"e\"}]", OVSDB_TXN_ERROR},
        {"!refused", OVSDB_TXN_ERROR},
        {"{}", OVSDB_TXN_ERROR},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct answer s[5] = {since_script[0],
                              since_script[1],
                              since_script[2],
                              {"transact", NULL, cases[i].reply},
                              {NULL}};
        enum ovsdb_txn_result result = OVSDB_TXN_LOST;
        client_start(s);
        n_done = 0;
        struct ovsdb_txn *txn = ovsdb_txn_create(client);
        ovsdb_txn_update(txn, "T", U1, "n", json_integer(9));
        ovsdb_txn_commit(txn, done, &result);
        turns(10);
        assert_int_equal(n_done, 1);
        assert_int_equal(result, cases[i].result);
        client_stop();
        assert_int_equal(n_done, 1);
    }

    /* The connection breaks before the answer. */
    enum ovsdb_txn_result result = OVSDB_TXN_OK;
    client_start(since_script);
    n_done = 0;
    struct ovsdb_txn *txn = ovsdb_txn_create(client);
    ovsdb_txn_update(txn, "T", U1, "n", json_integer(9));
    ovsdb_txn_commit(txn, done, &result);
    jsonrpc_destroy(server);
    server = NULL;
    turns(10);
    assert_int_equal(n_done, 1);
    assert_int_equal(result, OVSDB_TXN_LOST);
    client_stop();
}

static int
setup(void **state)
{
    assert_non_null(mkdtemp(dir));
    snprintf(target, sizeof target, "punix:%s/s", dir);
    loop = evloop_create();
    clock_stop();
    char *error = NULL;
    assert_int_equal(stream_listen(loop, target, 0700, accepted, NULL, &listener, &error), 0);
    memmove(target, target + 1, strlen(target));
    return 0;
}

static int
teardown(void **state)
{
    jsonrpc_destroy(server);
    stream_listener_close(listener);
    evloop_destroy(loop);
    return rmdir(dir);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_plain),
        cmocka_unit_test(test_cond_and_lock),
        cmocka_unit_test(test_since),
        cmocka_unit_test(test_nonsense_updates),
        cmocka_unit_test(test_nonsense_replies),
        cmocka_unit_test(test_server_events),
        cmocka_unit_test(test_txn_replies),
    };
    return cmocka_run_group_tests(tests, setup, teardown);
}
