/* SPDX-License-Identifier: Apache-2.0 */

/* libxskcni: the helpers around the session, and the blocking call against
 * tests/helpers/dp-server (DP_SERVER names another place).  What needs bpf(2) is skipped where
 * maps cannot be made. */

#include "bpf-map.h"
#include "xskcni-server.h"
#include <sys/stat.h>
#include <sys/wait.h>

static void
test_default_path(void **state)
{
    struct fixture *f = *state;
    char path[256], want[256], dir[256];
    assert_int_equal(xskcni_default_path(f->dir, "eth1", path, sizeof path), 0);
    snprintf(want, sizeof want, "%s/tmp/afxdp.sock", f->dir);
    assert_string_equal(path, want);
    static const char *const parts[] = {"tmp", "tmp/afxdp_dp", "tmp/afxdp_dp/eth1",
                                        "tmp/afxdp_dp/eth1/afxdp.sock"};
    for (unsigned i = 0; i < 4; i++) {
        snprintf(dir, sizeof dir, "%s/%s", f->dir, parts[i]);
        assert_return_code(mkdir(dir, 0700), errno);
    }
    assert_int_equal(xskcni_default_path(f->dir, "eth1", path, sizeof path), 0);
    assert_string_equal(path, dir);
    assert_int_equal(xskcni_default_path(f->dir, "eth2", path, sizeof path), 0);
    assert_string_equal(path, want);
    for (int i = 3; i >= 0; i--) {
        snprintf(dir, sizeof dir, "%s/%s", f->dir, parts[i]);
        rmdir(dir);
    }
    assert_int_equal(xskcni_default_path(NULL, "no-such-device", path, sizeof path), 0);
    assert_string_equal(path, "/tmp/afxdp.sock");
    assert_int_equal(xskcni_default_path("", "eth1", path, 16), 0);
    assert_int_equal(xskcni_default_path("", "eth1", path, 15), ENAMETOOLONG);
    assert_int_equal(xskcni_default_path("", "..", path, sizeof path), EINVAL);
    assert_int_equal(xskcni_default_path("", "a/b", path, sizeof path), EINVAL);
}

/* Maps. */

static int
make_program(void)
{
    struct bpf_insn insns[] = {
        {.code = BPF_ALU64 | BPF_MOV | BPF_K, .imm = 0},
        {.code = BPF_JMP | BPF_EXIT},
    };
    union bpf_attr attr;
    memset(&attr, 0, sizeof attr);
    attr.prog_type = BPF_PROG_TYPE_RAW_TRACEPOINT; /* 17, which is XSKMAP's number among maps */
    attr.insns = (uintptr_t) insns;
    attr.insn_cnt = 2;
    attr.license = (uintptr_t) "";
    return bpf_do(BPF_PROG_LOAD, &attr);
}

static void
test_check_map(void **state)
{
    char err[XSKCNI_SENTENCE_MAX] = "";
    int pair[2];
    assert_int_equal(xskcni_check_map(-1, 1, err, sizeof err), EBADF);
    assert_int_equal(xskcni_check_map(511, 1, NULL, 0), EBADF);
    int map = make_map(BPF_MAP_TYPE_XSKMAP, 4);
    if (map < 0) {
        skip();
    }
    assert_int_equal(xskcni_check_map(map, 4, err, sizeof err), 0);
    assert_int_equal(xskcni_check_map(map, 5, err, sizeof err), ENOSPC);
    assert_non_null(strstr(err, "room for 4 queues, but 5"));
    assert_return_code(pipe(pair), errno);
    assert_int_equal(xskcni_check_map(pair[0], 1, err, sizeof err), EINVAL);
    assert_non_null(strstr(err, "not a BPF map"));
    int hash = make_map(BPF_MAP_TYPE_HASH, 4);
    assert_int_equal(xskcni_check_map(hash, 1, err, sizeof err), EMEDIUMTYPE);
    assert_non_null(strstr(err, "kind 1, not an XSKMAP"));
    int prog = make_program();
    assert_true(prog >= 0);
    int error = xskcni_check_map(prog, 1, err, sizeof err);
    assert_true(error == EINVAL || error == EMEDIUMTYPE);
    /* The same map, opened for reading only. */
    struct bpf_map_info info;
    union bpf_attr attr;
    memset(&attr, 0, sizeof attr);
    memset(&info, 0, sizeof info);
    attr.info.bpf_fd = (uint32_t) map;
    attr.info.info_len = sizeof info;
    attr.info.info = (uintptr_t) &info;
    assert_int_equal(bpf_do(BPF_OBJ_GET_INFO_BY_FD, &attr), 0);
    memset(&attr, 0, sizeof attr);
    attr.map_id = info.id;
    attr.open_flags = BPF_F_RDONLY;
    int ro = bpf_do(BPF_MAP_GET_FD_BY_ID, &attr);
    assert_true(ro >= 0);
    assert_int_equal(xskcni_check_map(ro, 4, err, sizeof err), EACCES);
    assert_int_equal(xskcni_map_set(map, 0, pair[0]), ENOTSOCK);
    assert_int_equal(xskcni_map_set(map, 4, pair[0]), E2BIG);
    assert_int_equal(xskcni_map_set(pair[0], 0, pair[0]), EINVAL);
    assert_int_equal(xskcni_map_clear(map, 3), 0);
    close(ro);
    close(prog);
    close(hash);
    close(map);
    close(pair[0]);
    close(pair[1]);
}

/* The blocking call, against the helper in its own process. */

static pid_t
start_server(struct fixture *f, const char *fault, const char *version)
{
    const char *program = getenv("DP_SERVER");
    char host[256], ready[64] = "";
    int out[2];
    program = program ? program : "tests/helpers/dp-server";
    if (access(program, X_OK)) {
        skip();
    }
    gethostname(host, sizeof host - 1);
    host[sizeof host - 1] = '\0';
    assert_return_code(pipe2(out, O_CLOEXEC), errno);
    pid_t pid = fork();
    if (!pid) {
        dup2(out[1], 1);
        execl(program, program, "--socket", f->path, "--host", host, "--device", "eth1",
              "--plain", "--once", "--version", version, "--fault", fault, NULL);
        _exit(127);
    }
    close(out[1]);
    ssize_t n = read(out[0], ready, sizeof ready - 1);
    assert_true(n > 0);
    assert_string_equal(ready, "ready\n");
    /* Kept open for its later lines, or SIGPIPE would end it early. */
    assert_return_code(dup2(out[0], f->n_fds + 90), errno);
    close(out[0]);
    return pid;
}

static void
test_blocking_call(void **state)
{
    struct fixture *f = *state;
    static const struct {
        const char *fault, *version;
        int error;
        const char *fragment;
    } table[] = {
        {"none:none", "0.1", 0, ""},
        {"fin:silent", "0.1", 0, ""},
        {"fin:close", "0.1", 0, ""},
        {"connect:nak", "0.1", EACCES, "refused host"},
        {"connect:error", "0.1", EACCES, "error of its own"},
        {"connect:error-only", "0.1", EACCES, "error of its own"},
        {"connect:silent", "0.1", ETIMEDOUT, "/connect,"},
        {"connect:wrong", "0.1", EPROTO, "\"/what\""},
        {"connect:long64", "0.1", EPROTO, "/host_okxxx"},
        {"connect:long65", "0.1", EPROTO, "...\""},
        {"connect:nul", "0.1", EPROTO, "\\x00"},
        {"connect:empty", "0.1", ECONNRESET, "closed"},
        {"connect:close", "0.1", ECONNRESET, "closed"},
        {"connect:stray-fd", "0.1", EPROTO, "do not belong"},
        {"none:none", "0.2", EPROTONOSUPPORT, "\"0.2\""},
        {"version:close", "0.1", ECONNRESET, "/version"},
        {"version:unknown", "0.1", EOPNOTSUPP, "/version"},
        {"map:nak", "0.1", EACCES, "device eth1"},
        {"map:no-fd", "0.1", EPROTO, "no file descriptor"},
        {"map:two-fds", "0.1", EPROTO, "do not belong"},
        {"map:many-fds", "0.1", EPROTO, "do not belong"},
        {"map:pipe", "0.1", EINVAL, "not a BPF map"},
        {"map:hash", "0.1", EMEDIUMTYPE, "not an XSKMAP"},
        {"map:close", "0.1", ECONNRESET, "/xsk_map_fd,eth1"},
        {"map:silent", "0.1", ETIMEDOUT, "within 300 ms"},
    };
    int probe = make_map(BPF_MAP_TYPE_XSKMAP, 1), fd;
    bool maps = probe >= 0;
    char err[XSKCNI_SENTENCE_MAX];
    if (maps) {
        close(probe);
    }
    close(f->listener);
    f->listener = -1;
    unlink(f->path);
    assert_int_equal(xskcni_get_map_fd(f->path, "eth1", 300, &fd, err, sizeof err), ENOENT);
    assert_int_equal(xskcni_get_map_fd(f->path, "eth1", 0, &fd, err, sizeof err), EINVAL);
    assert_int_equal(xskcni_get_map_fd(NULL, "a/b", 300, &fd, err, sizeof err), EINVAL);
    for (unsigned i = 0; i < sizeof table / sizeof table[0]; i++) {
        int want = table[i].error;
        if (!maps && (!want || want == EINVAL || want == EMEDIUMTYPE)) {
            continue;
        }
        pid_t pid = start_server(f, table[i].fault, table[i].version);
        fd = 77;
        err[0] = '\0';
        int error = xskcni_get_map_fd(f->path, "eth1", 300, &fd, err, sizeof err);
        int status;
        waitpid(pid, &status, 0);
        close(f->n_fds + 90);
        if (error != want || !strstr(err, table[i].fragment)) {
            print_error("%s: %d, %s\n", table[i].fault, error, err);
            fail();
        }
        assert_true(want ? fd == -1 : fd >= 0);
        assert_true(WIFEXITED(status) && !WEXITSTATUS(status));
        if (fd >= 0) {
            assert_int_equal(xskcni_check_map(fd, 64, err, sizeof err), 0);
            close(fd);
        }
        assert_int_equal(access(f->path, F_OK), -1);
    }
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        CASE(test_default_path),
        cmocka_unit_test(test_check_map),
        CASE(test_blocking_call),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
