/* SPDX-License-Identifier: Apache-2.0 */

/* The OVSDB client against the stock ovsdb-server: snapshot, changes, transactions under the
 * lock, restart with changes meanwhile, TLS, contention for the lock, a three-member cluster.
 * Everything lives in one temporary folder.  Exit code 77 where ovsdb-server is not installed.
 */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>
#include "ovsdb/ovsdb.h"
#include "rpc/stream.h"
#include "util/strbuf.h"
#include "util/xalloc.h"

#define SCHEMA "/usr/share/openvswitch/vswitch.ovsschema"

static char dir[] = "/tmp/xvs-ovsdb-XXXXXX";
static struct evloop *loop;

static const char *const root_columns[] = {"bridges",      "cur_cfg",    "next_cfg",
                                           "other_config", "statistics", NULL};
static const char *const bridge_columns[] = {
    "name", "ports", "fail_mode", "other_config", "datapath_id", "no_such_column", NULL};
static const char *const port_columns[] = {"name", "tag", "trunks", "interfaces", NULL};
static const struct ovsdb_table_spec tables[] = {
    {"Open_vSwitch", root_columns},
    {"Bridge", bridge_columns},
    {"Port", port_columns},
    {"No_Such_Table", port_columns},
};
static const struct ovsdb_spec spec = {"Open_vSwitch", "ovs_vswitchd", tables, 4};
static const struct ovsdb_spec spec_unlocked = {"Open_vSwitch", NULL, tables, 4};

struct watch {
    struct ovsdb_client *client;
    unsigned calls;
    unsigned early; /* calls before the snapshot: must stay 0 */
};

static void
changed(struct ovsdb_client *c, void *aux)
{
    struct watch *w = aux;
    w->calls++;
    w->early += !ovsdb_has_snapshot(c);
}

/* ---------------------------------------------------------------- helpers */

static int64_t
now_ms(void)
{
    struct timespec ts;
    clock_gettime(CLOCK_MONOTONIC, &ts);
    return ts.tv_sec * 1000 + ts.tv_nsec / 1000000;
}

/* Runs a shell command in the temporary folder; output to its file "log". */
static int PRINTF_FORMAT(1, 2) sh(const char *format, ...)
{
    struct strbuf cmd = STRBUF_INIT;
    va_list args;
    strbuf_putf(&cmd, "cd %s && { ", dir);
    va_start(args, format);
    strbuf_vputf(&cmd, format, args);
    va_end(args);
    strbuf_puts(&cmd, "; } >>log 2>&1");
    int status = system(strbuf_cstr(&cmd));
    strbuf_free(&cmd);
    return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

/* Starts a server in the foreground of a child process. */
static pid_t PRINTF_FORMAT(1, 2) server_start(const char *format, ...)
{
    char args_text[2048];
    va_list args;
    va_start(args, format);
    vsnprintf(args_text, sizeof args_text, format, args);
    va_end(args);
    pid_t pid = fork();
    if (!pid) {
        char *argv[64] = {(char *) "ovsdb-server", (char *) "--no-chdir",
                          (char *) "--unixctl=none", (char *) "-vconsole:info"};
        int argc = 4;
        for (char *w = strtok(args_text, " "); w && argc < 63; w = strtok(NULL, " ")) {
            argv[argc++] = w;
        }
        int fd = chdir(dir) ? -1 : open("log", O_WRONLY | O_CREAT | O_APPEND, 0644);
        dup2(fd, 1);
        dup2(fd, 2);
        execvp("ovsdb-server", argv);
        _exit(127);
    }
    assert_true(pid > 0);
    return pid;
}

static void
server_stop(pid_t *pid)
{
    if (*pid > 0) {
        kill(*pid, SIGKILL);
        waitpid(*pid, NULL, 0);
        *pid = 0;
    }
}

#define WAIT_FOR(CONDITION, MS)                                                                \
    do {                                                                                       \
        int64_t deadline = now_ms() + (MS);                                                    \
        while (!(CONDITION) && now_ms() < deadline) {                                          \
            evloop_turn(loop, 20);                                                             \
        }                                                                                      \
        assert_true(CONDITION);                                                                \
    } while (0)

static void
watch_start(struct watch *w, const char *remotes, const struct ovsdb_spec *s)
{
    struct ovsdb_events events = {changed, w};
    char *error = NULL;
    *w = (struct watch){0};
    w->client = ovsdb_client_create(loop, remotes, s, &events, &error);
    assert_non_null(w->client);
    assert_null(error);
}

static void
watch_stop(struct watch *w)
{
    assert_int_equal(w->early, 0);
    ovsdb_client_destroy(w->client);
    w->client = NULL;
}

static const struct ovsdb_row *
find_by_name(struct watch *w, const char *table, const char *name)
{
    const struct ovsdb_row *row;
    for (row = ovsdb_row_first(w->client, table); row; row = ovsdb_row_next(row)) {
        if (!strcmp(ovsdb_get_string(row, "name", ""), name)) {
            return row;
        }
    }
    return NULL;
}

/* A number that the kernel says is free; another process could take it, rarely. */
static int
free_port(void)
{
    struct sockaddr_in in = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t len = sizeof in;
    int fd = socket(AF_INET, SOCK_STREAM, 0);
    assert_int_equal(bind(fd, (struct sockaddr *) &in, sizeof in), 0);
    assert_int_equal(getsockname(fd, (struct sockaddr *) &in, &len), 0);
    close(fd);
    return ntohs(in.sin_port);
}

struct outcome {
    unsigned calls;
    enum ovsdb_txn_result result;
    char error[256];
};

static void
txn_done(enum ovsdb_txn_result result, const char *error, void *aux)
{
    struct outcome *o = aux;
    o->calls++;
    o->result = result;
    snprintf(o->error, sizeof o->error, "%s", error ? error : "");
}

static void
set_root_int(struct watch *w, const char *column, int64_t value, struct outcome *o)
{
    const struct ovsdb_row *root = ovsdb_row_first(w->client, "Open_vSwitch");
    struct ovsdb_txn *txn = ovsdb_txn_create(w->client);
    ovsdb_txn_update(txn, "Open_vSwitch", ovsdb_row_uuid(root), column, json_integer(value));
    memset(o, 0, sizeof *o);
    ovsdb_txn_commit(txn, txn_done, o);
}

static int64_t
root_int(struct watch *w, const char *column)
{
    const struct ovsdb_row *root = ovsdb_row_first(w->client, "Open_vSwitch");
    return root ? ovsdb_get_int(root, column, -1) : -1;
}

/* ---------------------------------------------------------------- one server */

static pid_t single;
static char remote[128];

static void
single_start(void)
{
    single = server_start("--remote=punix:db.sock conf.db");
}

static void
vsctl_check(const char *args)
{
    /* --retry: the server may not listen yet. */
    if (sh("ovs-vsctl --retry --timeout=5 --no-wait --db=unix:db.sock %s", args)) {
        fail_msg("ovs-vsctl %s failed", args);
    }
}

static void
test_snapshot_and_changes(void **state)
{
    struct watch w;
    vsctl_check("init -- add-br br0 -- set bridge br0 other_config:a=1 other_config:b=2 "
                "fail_mode=secure -- set port br0 trunks=1,2,3");
    watch_start(&w, remote, &spec);
    assert_false(ovsdb_has_snapshot(w.client));
    WAIT_FOR(ovsdb_has_snapshot(w.client) && w.calls, 3000);
    WAIT_FOR(ovsdb_has_lock(w.client), 2000);
    assert_true(ovsdb_is_connected(w.client));
    assert_true(ovsdb_has_column(w.client, "Bridge", "fail_mode"));
    assert_false(ovsdb_has_column(w.client, "Bridge", "no_such_column"));
    assert_false(ovsdb_has_column(w.client, "No_Such_Table", "name"));

    const struct ovsdb_row *br = find_by_name(&w, "Bridge", "br0");
    const struct ovsdb_row *port = find_by_name(&w, "Port", "br0");
    assert_non_null(br);
    assert_non_null(port);
    assert_string_equal(ovsdb_get_string(br, "fail_mode", "none"), "secure");
    assert_string_equal(ovsdb_get_string(br, "datapath_id", "none"), "none");
    assert_int_equal(ovsdb_get_count(br, "ports"), 1);
    assert_string_equal(ovsdb_get_string_at(br, "ports", 0), ovsdb_row_uuid(port));
    assert_ptr_equal(ovsdb_row_find(w.client, "Port", ovsdb_row_uuid(port)), port);
    assert_int_equal(ovsdb_get_count(port, "trunks"), 3);
    assert_int_equal(ovsdb_get_count(br, "no_such_column"), 0);
    struct smap map = SMAP_INIT;
    ovsdb_get_smap(br, "other_config", &map);
    assert_int_equal(map.n, 2);
    assert_string_equal(smap_get(&map, "b"), "2");

    /* Differences of sets and maps, an optional column changed and emptied. */
    uint64_t seqno = ovsdb_seqno(w.client);
    vsctl_check("set bridge br0 other_config:b=3 other_config:c=4 fail_mode=standalone -- "
                "remove bridge br0 other_config a -- remove port br0 trunks 2 -- "
                "add port br0 trunks 9");
    WAIT_FOR(ovsdb_seqno(w.client) > seqno, 2000);
    br = find_by_name(&w, "Bridge", "br0");
    port = find_by_name(&w, "Port", "br0");
    ovsdb_get_smap(br, "other_config", &map);
    assert_int_equal(map.n, 2);
    assert_string_equal(smap_get(&map, "b"), "3");
    assert_string_equal(smap_get(&map, "c"), "4");
    assert_string_equal(ovsdb_get_string(br, "fail_mode", ""), "standalone");
    assert_int_equal(ovsdb_get_count(port, "trunks"), 3);
    assert_int_equal(ovsdb_get_int_at(port, "trunks", 0), 1);
    assert_int_equal(ovsdb_get_int_at(port, "trunks", 1), 3);
    assert_int_equal(ovsdb_get_int_at(port, "trunks", 2), 9);
    seqno = ovsdb_seqno(w.client);
    vsctl_check("clear bridge br0 fail_mode -- clear port br0 trunks");
    WAIT_FOR(ovsdb_seqno(w.client) > seqno, 2000);
    br = find_by_name(&w, "Bridge", "br0");
    assert_string_equal(ovsdb_get_string(br, "fail_mode", "none"), "none");
    assert_int_equal(ovsdb_get_count(find_by_name(&w, "Port", "br0"), "trunks"), 0);

    seqno = ovsdb_seqno(w.client);
    vsctl_check("add-port br0 p1 tag=5 -- add-port br0 p2");
    WAIT_FOR(ovsdb_seqno(w.client) > seqno && find_by_name(&w, "Port", "p2"), 2000);
    assert_int_equal(ovsdb_get_int(find_by_name(&w, "Port", "p1"), "tag", -1), 5);
    assert_int_equal(ovsdb_get_int(find_by_name(&w, "Port", "p2"), "tag", -1), -1);
    vsctl_check("del-port p1");
    WAIT_FOR(!find_by_name(&w, "Port", "p1"), 2000);
    assert_int_equal(ovsdb_get_count(find_by_name(&w, "Bridge", "br0"), "ports"), 2);
    smap_destroy(&map);
    watch_stop(&w);
}

static void
test_transaction(void **state)
{
    struct watch w;
    struct outcome o = {0};
    watch_start(&w, remote, &spec);
    WAIT_FOR(ovsdb_has_snapshot(w.client) && ovsdb_has_lock(w.client), 3000);

    vsctl_check("set open . next_cfg=41");
    WAIT_FOR(root_int(&w, "next_cfg") == 41, 2000);
    const char *root = ovsdb_row_uuid(ovsdb_row_first(w.client, "Open_vSwitch"));
    const char *br = ovsdb_row_uuid(find_by_name(&w, "Bridge", "br0"));
    struct ovsdb_txn *txn = ovsdb_txn_create(w.client);
    struct smap map = SMAP_INIT;
    smap_set(&map, "cpu", "3");
    const char *dpid = "0000123456789abc";
    ovsdb_txn_update(txn, "Open_vSwitch", root, "cur_cfg", json_integer(41));
    ovsdb_txn_update(txn, "Open_vSwitch", root, "statistics", ovsdb_value_smap(&map));
    ovsdb_txn_update(txn, "Bridge", br, "datapath_id", ovsdb_value_string_set(&dpid, 1));
    ovsdb_txn_update(txn, "Bridge", br, "no_such_column", json_string("x"));
    ovsdb_txn_update(txn, "Bridge", br, "name", json_integer(5));
    ovsdb_txn_commit(txn, txn_done, &o);
    WAIT_FOR(o.calls, 2000);
    assert_int_equal(o.result, OVSDB_TXN_OK);
    assert_string_equal(o.error, "");
    WAIT_FOR(root_int(&w, "cur_cfg") == 41, 1000);
    assert_int_equal(
        sh("test $(ovs-vsctl --timeout=5 --db=unix:db.sock get open . cur_cfg) = 41"
           " && test $(ovs-vsctl --timeout=5 --db=unix:db.sock get bridge br0 "
           "datapath_id) = '\"%s\"'",
           dpid),
        0);
    assert_string_equal(ovsdb_get_string(find_by_name(&w, "Bridge", "br0"), "datapath_id", ""),
                        dpid);

    /* What is there already needs no writing; but a value on its way counts as there. */
    root = ovsdb_row_uuid(ovsdb_row_first(w.client, "Open_vSwitch"));
    txn = ovsdb_txn_create(w.client);
    ovsdb_txn_update(txn, "Open_vSwitch", root, "cur_cfg", json_integer(41));
    ovsdb_txn_update(txn, "Open_vSwitch", root, "statistics", ovsdb_value_smap(&map));
    assert_true(ovsdb_txn_is_empty(txn));
    memset(&o, 0, sizeof o);
    ovsdb_txn_commit(txn, txn_done, &o);
    assert_int_equal(o.calls, 0);
    WAIT_FOR(o.calls, 500);
    assert_int_equal(o.result, OVSDB_TXN_OK);
    struct outcome o2;
    set_root_int(&w, "cur_cfg", 42, &o);
    set_root_int(&w, "cur_cfg", 41, &o2);
    WAIT_FOR(o.calls && o2.calls, 2000);
    assert_int_equal(root_int(&w, "cur_cfg"), 41);

    /* The server's refusal comes back as text. */
    txn = ovsdb_txn_create(w.client);
    ovsdb_txn_update(txn, "Bridge", ovsdb_row_uuid(find_by_name(&w, "Bridge", "br0")),
                     "fail_mode", json_string("nonsense"));
    memset(&o, 0, sizeof o);
    ovsdb_txn_commit(txn, txn_done, &o);
    WAIT_FOR(o.calls, 2000);
    assert_int_equal(o.result, OVSDB_TXN_ERROR);
    assert_non_null(strstr(o.error, "constraint violation"));
    ovsdb_txn_abort(ovsdb_txn_create(w.client));

    /* An unanswered one is reported at the end. */
    set_root_int(&w, "cur_cfg", 50, &o);
    smap_destroy(&map);
    watch_stop(&w);
    assert_int_equal(o.calls, 1);
    assert_int_equal(o.result, OVSDB_TXN_LOST);
}

static void
test_lock_contention(void **state)
{
    struct watch a, b;
    struct outcome o;
    watch_start(&a, remote, &spec);
    WAIT_FOR(ovsdb_has_snapshot(a.client) && ovsdb_has_lock(a.client), 3000);
    watch_start(&b, remote, &spec);
    WAIT_FOR(ovsdb_has_snapshot(b.client) && ovsdb_lock_is_contended(b.client), 3000);
    assert_false(ovsdb_has_lock(b.client));
    assert_false(ovsdb_lock_is_contended(a.client));
    set_root_int(&b, "cur_cfg", 1000, &o);
    WAIT_FOR(o.calls, 2000);
    assert_int_equal(o.result, OVSDB_TXN_ERROR);
    assert_non_null(strstr(o.error, "not owner"));
    unsigned calls = b.calls;
    watch_stop(&a);
    WAIT_FOR(ovsdb_has_lock(b.client), 2000);
    WAIT_FOR(b.calls > calls, 500);
    assert_false(ovsdb_lock_is_contended(b.client));
    set_root_int(&b, "cur_cfg", 43, &o);
    WAIT_FOR(o.calls, 2000);
    assert_int_equal(o.result, OVSDB_TXN_OK);
    watch_stop(&b);
}

static void
test_restart(void **state)
{
    struct watch w;
    struct outcome o;
    watch_start(&w, remote, &spec);
    WAIT_FOR(ovsdb_has_snapshot(w.client) && ovsdb_has_lock(w.client), 3000);
    /* These columns are ephemeral: a restart would really change them. */
    vsctl_check("clear open . statistics -- clear bridge br0 datapath_id");
    const struct ovsdb_row *root = ovsdb_row_first(w.client, "Open_vSwitch");
    WAIT_FOR(!ovsdb_get_count(root, "statistics"), 2000);
    uint64_t seqno = ovsdb_seqno(w.client);

    server_stop(&single);
    WAIT_FOR(!ovsdb_is_connected(w.client), 2000);
    assert_false(ovsdb_has_lock(w.client));
    assert_non_null(find_by_name(&w, "Bridge", "br0"));
    assert_int_equal(ovsdb_seqno(w.client), seqno);
    set_root_int(&w, "cur_cfg", 77, &o);
    assert_int_equal(o.calls, 0);
    WAIT_FOR(o.calls, 500);
    assert_int_equal(o.result, OVSDB_TXN_LOST);

    /* Back unchanged: contents do not count as changed. */
    single_start();
    WAIT_FOR(ovsdb_is_connected(w.client), 2500);
    WAIT_FOR(ovsdb_has_lock(w.client), 1000);
    assert_int_equal(ovsdb_seqno(w.client), seqno);

    /* Changed while nobody could tell us. */
    server_stop(&single);
    assert_int_equal(sh("ovsdb-tool transact conf.db '[\"Open_vSwitch\","
                        "{\"op\":\"update\",\"table\":\"Bridge\",\"where\":[],\"row\":"
                        "{\"fail_mode\":\"secure\"}},"
                        "{\"op\":\"mutate\",\"table\":\"Open_vSwitch\",\"where\":[],"
                        "\"mutations\":[[\"next_cfg\",\"+=\",1]]}]'"),
                     0);
    single_start();
    WAIT_FOR(ovsdb_is_connected(w.client) && ovsdb_seqno(w.client) != seqno, 4000);
    assert_string_equal(ovsdb_get_string(find_by_name(&w, "Bridge", "br0"), "fail_mode", ""),
                        "secure");
    assert_int_equal(root_int(&w, "next_cfg"), 42);
    watch_stop(&w);
}

static void
test_bad_remotes(void **state)
{
    static const char *const bad[] = {
        "",          ",", "nonsense", "tcp:", "unix:", "tcp:1.2.3.4:0", "tcp:host.example:1",
        "ssl:[::1:5"};
    struct ovsdb_events events = {changed, NULL};
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        char *error = NULL;
        assert_null(ovsdb_client_create(loop, bad[i], &spec, &events, &error));
        assert_non_null(error);
        free(error);
    }
}

/* The server connects to us. */
static void
test_passive(void **state)
{
    struct watch w;
    char text[160];
    snprintf(text, sizeof text, "punix:%s/passive.sock", dir);
    watch_start(&w, text, &spec_unlocked);
    pid_t pid = server_start("--remote=unix:passive.sock conf2.db");
    WAIT_FOR(ovsdb_has_snapshot(w.client), 4000);
    server_stop(&pid);
    WAIT_FOR(!ovsdb_is_connected(w.client), 2000);
    watch_stop(&w);
}

/* ---------------------------------------------------------------- TLS */

static void
make_keys(void)
{
    assert_int_equal(sh("openssl req -x509 -newkey rsa:2048 -nodes -keyout ca.key -out ca.pem "
                        "-days 30 -subj /CN=ca &&"
                        "for n in srv cli; do openssl req -newkey rsa:2048 -nodes "
                        "-keyout $n.key -out $n.csr -subj /CN=$n && "
                        "openssl x509 -req -in $n.csr -CA ca.pem -CAkey ca.key -CAcreateserial "
                        "-days 30 -out $n.pem || exit 1; done && "
                        "openssl req -x509 -newkey rsa:2048 -nodes -keyout self.key "
                        "-out self.pem -days 30 -subj /CN=other"),
                     0);
}

static void
configure_tls(const char *ca, bool bootstrap)
{
    char key[64], cert[64], ca_path[64];
    snprintf(key, sizeof key, "%s/cli.key", dir);
    snprintf(cert, sizeof cert, "%s/cli.pem", dir);
    snprintf(ca_path, sizeof ca_path, "%s/%s", dir, ca);
    stream_ssl_configure(key, cert, ca_path, bootstrap, "TLSv1.2,TLSv1.3", NULL);
}

static void
test_ssl(void **state)
{
    struct watch w;
    struct outcome o;
    char text[64];
    int port = free_port();
    make_keys();
    pid_t pid = server_start("--private-key=srv.key --certificate=srv.pem --ca-cert=ca.pem "
                             "--remote=pssl:%d:127.0.0.1 conf2.db",
                             port);
    snprintf(text, sizeof text, "ssl:127.0.0.1:%d", port);

    configure_tls("ca.pem", false);
    watch_start(&w, text, &spec_unlocked);
    WAIT_FOR(ovsdb_has_snapshot(w.client), 5000);
    set_root_int(&w, "cur_cfg", 5, &o);
    WAIT_FOR(o.calls, 2000);
    assert_int_equal(o.result, OVSDB_TXN_OK);
    WAIT_FOR(root_int(&w, "cur_cfg") == 5, 1000);
    watch_stop(&w);

    /* A CA that did not sign the server. */
    configure_tls("self.pem", false);
    watch_start(&w, text, &spec_unlocked);
    int64_t end = now_ms() + 500;
    while (now_ms() < end) {
        evloop_turn(loop, 20);
        assert_false(ovsdb_has_snapshot(w.client));
    }
    /* The file is replaced by the right one: noticed at the next attempt. */
    assert_int_equal(sh("cp ca.pem self.pem"), 0);
    WAIT_FOR(ovsdb_has_snapshot(w.client), 4000);
    watch_stop(&w);
    server_stop(&pid);
}

static void
test_ssl_bootstrap(void **state)
{
    struct watch w;
    char text[64];
    int port = free_port();
    /* A server whose certificate is its own CA, which hence is in the chain that it sends. */
    pid_t pid = server_start("--private-key=ca.key --certificate=ca.pem --ca-cert=ca.pem "
                             "--remote=pssl:%d:127.0.0.1 conf2.db",
                             port);
    snprintf(text, sizeof text, "ssl:127.0.0.1:%d", port);
    configure_tls("got.pem", true);
    watch_start(&w, text, &spec_unlocked);
    WAIT_FOR(ovsdb_has_snapshot(w.client), 6000);
    assert_int_equal(sh("openssl x509 -in got.pem -out got2.pem && "
                        "openssl x509 -in ca.pem -out ca2.pem && cmp got2.pem ca2.pem"),
                     0);
    watch_stop(&w);
    server_stop(&pid);
    stream_ssl_configure(NULL, NULL, NULL, false, NULL, NULL);
}

/* ---------------------------------------------------------------- a cluster */

static pid_t members[3];

static void
member_start(int i)
{
    members[i] = server_start("--remote=punix:m%d.sock m%d.db", i, i);
}

static void
cluster_start(void)
{
    int raft[3];
    for (int i = 0; i < 3; i++) {
        raft[i] = free_port();
    }
    assert_int_equal(sh("ovsdb-tool create-cluster m0.db %s tcp:127.0.0.1:%d", SCHEMA, raft[0]),
                     0);
    member_start(0);
    for (int i = 1; i < 3; i++) {
        assert_int_equal(sh("ovsdb-tool join-cluster m%d.db Open_vSwitch tcp:127.0.0.1:%d "
                            "tcp:127.0.0.1:%d",
                            i, raft[i], raft[0]),
                         0);
        member_start(i);
    }
    for (int i = 0; i < 3; i++) {
        assert_int_equal(sh("ovsdb-client -t 10 wait unix:m%d.sock Open_vSwitch connected", i),
                         0);
    }
}

/* The member that says it leads, or -1. */
static int
cluster_leader(void)
{
    for (int i = 0; i < 3; i++) {
        if (members[i] &&
            !sh("ovsdb-client -t 2 query unix:m%d.sock '[\"_Server\",{\"op\":\"select\","
                "\"table\":\"Database\",\"where\":[[\"name\",\"==\",\"Open_vSwitch\"]],"
                "\"columns\":[\"leader\"]}]' | grep -q true",
                i)) {
            return i;
        }
    }
    return -1;
}

static void
test_cluster(void **state)
{
    struct watch w;
    struct outcome o;
    char text[512];
    cluster_start();
    assert_int_equal(sh("ovs-vsctl --timeout=5 --no-wait --db=unix:m0.sock,unix:m1.sock,"
                        "unix:m2.sock init -- add-br brc"),
                     0);
    snprintf(text, sizeof text, "unix:%s/m0.sock,unix:%s/m1.sock,unix:%s/m2.sock", dir, dir,
             dir);
    watch_start(&w, text, &spec);
    WAIT_FOR(ovsdb_has_snapshot(w.client) && ovsdb_has_lock(w.client), 5000);
    assert_non_null(find_by_name(&w, "Bridge", "brc"));
    uint64_t seqno = ovsdb_seqno(w.client);

    /* The lock is the leader's business, hence holding it proves where we are. */
    int leader = cluster_leader();
    assert_true(leader >= 0);
    server_stop(&members[leader]);
    WAIT_FOR(!ovsdb_is_connected(w.client), 2000);
    WAIT_FOR(ovsdb_is_connected(w.client) && ovsdb_has_lock(w.client), 12000);
    int next = cluster_leader();
    assert_true(next >= 0 && next != leader);
    assert_int_equal(ovsdb_seqno(w.client), seqno); /* continued, nothing changed */
    set_root_int(&w, "cur_cfg", 9, &o);
    WAIT_FOR(o.calls, 5000);
    assert_int_equal(o.result, OVSDB_TXN_OK);
    WAIT_FOR(root_int(&w, "cur_cfg") == 9, 1000);
    watch_stop(&w);
    for (int i = 0; i < 3; i++) {
        server_stop(&members[i]);
    }
}

/* ---------------------------------------------------------------- frame */

static int
setup(void **state)
{
    loop = evloop_create();
    snprintf(remote, sizeof remote, "unix:%s/db.sock", dir);
    if (sh("ovsdb-tool create conf.db %s && ovsdb-tool create conf2.db %s && "
           "ovsdb-tool transact conf2.db '[\"Open_vSwitch\",{\"op\":\"insert\","
           "\"table\":\"Open_vSwitch\",\"row\":{}}]'",
           SCHEMA, SCHEMA)) {
        return -1;
    }
    single_start();
    return 0;
}

static int
teardown(void **state)
{
    server_stop(&single);
    for (int i = 0; i < 3; i++) {
        server_stop(&members[i]);
    }
    evloop_destroy(loop);
    return 0;
}

int
main(void)
{
    if (system("ovsdb-server --version >/dev/null 2>&1") ||
        system("ovs-vsctl --version >/dev/null 2>&1") ||
        system("openssl version >/dev/null 2>&1") || access(SCHEMA, R_OK)) {
        fprintf(stderr, "skipped: ovsdb-server, ovs-vsctl, openssl or %s is not installed\n",
                SCHEMA);
        return 77;
    }
    signal(SIGPIPE, SIG_IGN);
    if (!mkdtemp(dir)) {
        perror("mkdtemp");
        return 1;
    }
    /* Where the servers and tools put and seek relative socket names. */
    setenv("OVS_RUNDIR", dir, 1);
    setenv("OVS_DBDIR", dir, 1);
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_snapshot_and_changes),
        cmocka_unit_test(test_transaction),
        cmocka_unit_test(test_lock_contention),
        cmocka_unit_test(test_restart),
        cmocka_unit_test(test_bad_remotes),
        cmocka_unit_test(test_passive),
        cmocka_unit_test(test_ssl),
        cmocka_unit_test(test_ssl_bootstrap),
        cmocka_unit_test(test_cluster),
    };
    int failures = cmocka_run_group_tests(tests, setup, teardown);
    if (!getenv("XVS_TEST_KEEP")) {
        /* Only our own folder, by its full name. */
        char command[64];
        snprintf(command, sizeof command, "rm -rf %s", dir);
        failures += system(command) != 0;
    }
    return failures;
}
