/* SPDX-License-Identifier: Apache-2.0 */
/* The switch's client of the device plugin on a real event loop, against
 * tests/helpers/dp-server in a process of its own; and descriptors kept over a crash.  Maps
 * need root: skipped without. */

#include <errno.h>
#include <fcntl.h>
#include <libgen.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>
#include <cmocka.h>

#include "log/log.h"
#include "netdev/afxdp/cni-client.h"
#include "netdev/netdev.h"
#include "os/clock.h"
#include "os/daemon-keep.h"
#include "os/evloop.h"
#include "util/xalloc.h"
#include "xskcni/xskcni.h"

static struct evloop *loop;
static char dir[] = "/tmp/xvs-cni-client.XXXXXX";
static char server_path[4096];
static char announced[64];
static unsigned n_announced;

static void
on_announced(const char *name, void *aux)
{
    snprintf(announced, sizeof announced, "%s", name);
    n_announced++;
}

static void
find_server(void)
{
    char self[4096];
    ssize_t n = readlink("/proc/self/exe", self, sizeof self - 1);

    assert_true(n > 0);
    self[n] = '\0';
    const char *folder = dirname(self);
    snprintf(server_path, sizeof server_path, "%.2000s/../helpers/dp-server", folder);
    if (access(server_path, X_OK)) {
        snprintf(server_path, sizeof server_path, "%.2000s/dp-server", folder);
    }
}

static int
setup(void **state)
{
    free(log_set("console:off"));
    assert_non_null(mkdtemp(dir));
    find_server();
    loop = evloop_create();
    netdev_subscribe(on_announced, NULL);
    assert_int_equal(daemon_keep_init(), 0);
    cni_client_init(loop);
    return 0;
}

static int
teardown(void **state)
{
    char *command = xasprintf("rm -rf %s", dir);
    int status = system(command);

    free(command);
    return status;
}

static char *
in_dir(const char *name)
{
    return xasprintf("%s/%s", dir, name);
}

/* Starts a plugin at `path` for `devices`, with up to two more arguments; its words go to
 * DIR/log. */
static pid_t
serve(const char *path, const char *devices, const char *arg1, const char *arg2)
{
    char host[65], *log = in_dir("log");
    int ready = 0;

    assert_int_equal(gethostname(host, sizeof host), 0);
    unlink(log);
    pid_t pid = fork();
    if (!pid) {
        int fd = open(log, O_WRONLY | O_CREAT | O_TRUNC, 0600);
        dup2(fd, STDOUT_FILENO);
        dup2(fd, STDERR_FILENO);
        prctl(PR_SET_PDEATHSIG, SIGKILL);
        execl(server_path, "dp-server", "--socket", path, "--host", host, "--device", devices,
              arg1, arg2, (char *) NULL);
        _exit(127);
    }
    for (int i = 0; i < 500 && !ready; i++) {
        usleep(10000);
        ready = !access(path, F_OK);
    }
    free(log);
    assert_true(ready);
    return pid;
}

static void
end(pid_t pid, const char *path)
{
    kill(pid, SIGKILL);
    assert_int_equal(waitpid(pid, NULL, 0), pid);
    unlink(path);
}

static unsigned
said(const char *text)
{
    char *log = in_dir("log"), line[256];
    FILE *f = fopen(log, "r");
    unsigned n = 0;

    while (f && fgets(line, sizeof line, f)) {
        n += strstr(line, text) != NULL;
    }
    if (f) {
        fclose(f);
    }
    free(log);
    return n;
}

/* Turns the loop until the answer for `device` is `code`, or `ms` have passed. */
static void
until(const char *path, const char *device, int code, int ms, int *fd, const char *sentence)
{
    int64_t end_ns = clock_real_ns() + ms * INT64_C(1000000);
    char *err = NULL;
    int error;

    do {
        evloop_turn(loop, 10);
        free(err);
        err = NULL;
        error = cni_client_get_map(path, device, fd, NULL, &err);
    } while (clock_real_ns() < end_ns &&
             (error != code || (sentence && !(err && strstr(err, sentence)))));
    assert_int_equal(error, code);
    if (sentence) {
        assert_non_null(err);
        assert_non_null(strstr(err, sentence));
    }
    free(err);
}

static void
run_ms(int ms)
{
    int64_t end_ns = clock_real_ns() + ms * INT64_C(1000000);

    while (clock_real_ns() < end_ns) {
        evloop_turn(loop, 20);
    }
}

#define NEEDS_MAPS()                                                                           \
    do {                                                                                       \
        if (geteuid() != 0 || access(server_path, X_OK)) {                                     \
            skip();                                                                            \
        }                                                                                      \
    } while (0)

static void
test_absent_then_present(void **state)
{
    char *path = in_dir("later.sock"), *err = NULL;
    int fd = -1;

    NEEDS_MAPS();
    n_announced = 0;
    assert_int_equal(cni_client_get_map(path, "x0", &fd, NULL, &err), EINPROGRESS);
    assert_non_null(strstr(err, "asking"));
    free(err);
    assert_int_equal(n_announced, 0); /* not from within */
    until(path, "x0", EAGAIN, 1000, &fd, "waiting for the AF_XDP device plugin at");
    assert_int_equal(n_announced, 1);
    assert_string_equal(announced, "x0");
    pid_t pid = serve(path, "x0,x1", "--once", NULL);
    until(path, "x0", 0, 3000, &fd, NULL);
    assert_int_equal(xskcni_check_map(fd, 64, NULL, 0), 0);
    assert_int_equal(fcntl(fd, F_GETFD) & FD_CLOEXEC, FD_CLOEXEC);
    /* A second device in the same session, then the quiet end, and all is remembered. */
    assert_string_equal(cni_client_state(path), "ready");
    int fd1 = -1, again = -1;
    until(path, "x1", 0, 3000, &fd1, NULL);
    assert_int_not_equal(fd, fd1);
    assert_int_equal(said("< /connect"), 1);
    assert_int_equal(said("< /fin"), 0);
    run_ms(CNI_CLIENT_QUIET_MS + 500);
    assert_int_equal(said("< /fin"), 1);
    assert_int_equal(waitpid(pid, NULL, 0), pid); /* it served once */
    assert_int_not_equal(access(path, F_OK), 0);
    assert_int_equal(cni_client_get_map(path, "x0", &again, NULL, NULL), 0);
    assert_int_equal(again, fd);
    free(path);
}

static void
test_refusals(void **state)
{
    char *path = in_dir("refuse.sock"), *err = NULL;
    int fd = -1;

    NEEDS_MAPS();
    pid_t pid = serve(path, "y0", NULL, NULL);
    until(path, "y1", EAGAIN, 2000, &fd, "refused to hand over device y1");
    until(path, "y0", 0, 2000, &fd, NULL); /* does not concern the other */
    end(pid, path);
    /* The refusal stays in sight when its plugin has gone, until there is one that agrees. */
    until(path, "y1", EAGAIN, 5000, &fd,
          "refused to hand over device y1: check that the device "
          "is one of those this socket serves "
          "(AFXDP_DEVICES_* in the pod's environment names them) "
          "and that it was not renamed (since then nobody serves");
    pid = serve(path, "y1", NULL, NULL);
    until(path, "y1", 0, 10000, &fd, NULL);
    end(pid, path);
    pid = serve(path, "y2", "--fault", "map:hash");
    until(path, "y2", EAGAIN, 3000, &fd, "is of no use");
    end(pid, path);
    pid = serve(path, "y3", "--fault", "version:silent");
    until(path, "y3", EAGAIN, 4000, &fd, "did not answer");
    end(pid, path);
    assert_int_equal(cni_client_get_map(path, "no,name", &fd, NULL, &err), EINVAL);
    free(err);
    err = NULL;
    char *far = xasprintf("/%0200d", 0);
    assert_int_equal(cni_client_get_map(far, "y4", &fd, NULL, &err), EINVAL);
    free(far);
    free(err);
    free(path);
}

static void
test_doubted(void **state)
{
    char *path = in_dir("doubt.sock");
    int fd = -1, other = -1;

    NEEDS_MAPS();
    pid_t pid = serve(path, "z0", "--slots", "4");
    until(path, "z0", 0, 3000, &fd, NULL);
    end(pid, path);
    /* Nobody has a better one. */
    cni_client_doubt_map(path, "z0");
    assert_int_equal(cni_client_get_map(path, "z0", &other, NULL, NULL), EINPROGRESS);
    until(path, "z0", 0, 3000, &other, NULL);
    assert_int_equal(xskcni_check_map(other, 5, NULL, 0), ENOSPC);
    /* Somebody has. */
    pid = serve(path, "z0", "--slots", "8");
    cni_client_doubt_map(path, "z0");
    until(path, "z0", 0, 3000, &other, NULL);
    assert_int_equal(xskcni_check_map(other, 8, NULL, 0), 0);
    end(pid, path);
    free(path);
}

static void
busy_answer(void *aux, const char *error)
{
    char **text = aux;
    free(*text);
    *text = xstrdup(error ? error : "done");
}

static void
test_busy_poll(void **state)
{
    char *path = in_dir("busy.sock"), *answer = NULL, *never = NULL;
    int fd = -1, timeout_us = 0;
    socklen_t len = sizeof timeout_us;

    NEEDS_MAPS();
    int xsk = socket(AF_XDP, SOCK_RAW | SOCK_CLOEXEC, 0);
    assert_true(xsk >= 0);
    pid_t pid = serve(path, "b0", NULL, NULL);
    until(path, "b0", 0, 3000, &fd, NULL);
    cni_client_busy_poll(path, "b0", xsk, 20, 33, busy_answer, &answer);
    cni_client_busy_poll(path, "b0", xsk, 20, 34, busy_answer, &never);
    cni_client_busy_poll_cancel(&never);
    for (int i = 0; i < 200 && !answer; i++) {
        evloop_turn(loop, 10);
    }
    assert_non_null(answer);
    assert_string_equal(answer, "done");
    assert_int_equal(getsockopt(xsk, SOL_SOCKET, SO_BUSY_POLL, &timeout_us, &len), 0);
    assert_int_equal(timeout_us, 20); /* the budget cannot be read back */
    end(pid, path);
    free(answer);
    answer = NULL;
    run_ms(200);
    cni_client_busy_poll(path, "b0", xsk, 20, 33, busy_answer, &answer);
    for (int i = 0; i < 300 && !answer; i++) {
        evloop_turn(loop, 10);
    }
    assert_non_null(answer);
    assert_string_not_equal(answer, "done");
    assert_null(never);
    free(answer);
    close(xsk);
    free(path);
}

/* Devices named by the environment, at the places of custom. */
static void
test_prefetch(void **state)
{
    char device[16], other[16], folder[64], path[96], list[64];
    int fd = -1;

    NEEDS_MAPS();
    snprintf(device, sizeof device, "p%ld", (long) getpid());
    snprintf(other, sizeof other, "q%ld", (long) getpid());
    snprintf(folder, sizeof folder, "/tmp/afxdp_dp/%s", device);
    snprintf(path, sizeof path, "%s/afxdp.sock", folder);
    snprintf(list, sizeof list, "%s, %s", device, other);
    assert_true(!mkdir("/tmp/afxdp_dp", 0755) || errno == EEXIST);
    assert_int_equal(mkdir(folder, 0755), 0);
    pid_t pid = serve(path, device, NULL, NULL);
    setenv("AFXDP_DEVICES_test", list, 1);
    cni_client_prefetch();
    run_ms(300);
    assert_int_equal(cni_client_get_map(NULL, device, &fd, NULL, NULL), 0);
    end(pid, path);
    assert_int_equal(rmdir(folder), 0);
    assert_int_equal(cni_client_get_map(NULL, device, &fd, NULL, NULL), 0);
    until(NULL, other, EAGAIN, 1000, &fd, "/tmp/afxdp.sock");
    struct strbuf out = STRBUF_INIT;
    cni_client_show(&out);
    assert_non_null(strstr(strbuf_cstr(&out), path));
    strbuf_free(&out);
}

/* -- Descriptors kept over a crash. -- */

struct kept {
    unsigned n;
    char last[64];
    int fd;
};

static void
collect(const char *name, int fd, void *aux)
{
    struct kept *k = aux;

    k->n++;
    if (!strcmp(name, k->last) && k->fd < 0) {
        k->fd = fd;
    } else {
        close(fd);
    }
}

static struct kept
kept(const char *name)
{
    struct kept k = {.fd = -1};

    snprintf(k.last, sizeof k.last, "%s", name);
    daemon_kept_for_each(collect, &k);
    return k;
}

/* The number of the pipe whose end `fd` is. */
static ino_t
inode(int fd)
{
    struct stat st;

    assert_int_equal(fstat(fd, &st), 0);
    return st.st_ino;
}

static void
test_keep(void **state)
{
    int a[2], b[2];
    char name[32], too_long[DAEMON_KEEP_NAME_MAX + 2];
    unsigned before = kept("").n; /* the maps of the tests above */

    assert_int_equal(pipe(a), 0);
    assert_int_equal(pipe(b), 0);
    memset(too_long, 'x', sizeof too_long - 1);
    too_long[sizeof too_long - 1] = '\0';
    assert_int_equal(daemon_keep_fd("", a[0]), EINVAL);
    assert_int_equal(daemon_keep_fd(too_long, a[0]), EINVAL);
    /* Kept by a process that is killed. */
    pid_t pid = fork();
    if (!pid) {
        daemon_keep_fd("one", a[0]);
        daemon_keep_fd("two", a[0]);
        daemon_keep_fd("two", b[0]); /* in its place */
        kill(getpid(), SIGKILL);
    }
    assert_int_equal(waitpid(pid, NULL, 0), pid);
    assert_true(daemon_keep_any());
    struct kept k = kept("two");
    assert_int_equal(k.n, before + 2);
    assert_true(k.fd >= 0);
    assert_int_equal(inode(k.fd), inode(b[0]));
    assert_int_equal(fcntl(k.fd, F_GETFD) & FD_CLOEXEC, FD_CLOEXEC);
    close(k.fd);
    daemon_keep_drop("two");
    daemon_keep_drop("never");
    k = kept("one");
    assert_int_equal(k.n, before + 1);
    assert_int_equal(inode(k.fd), inode(a[0]));
    close(k.fd);
    /* As many as there is room for, and each found again. */
    unsigned n = before + 1;
    for (int i = 0; n < DAEMON_KEEP_MAX; i++, n++) {
        snprintf(name, sizeof name, "n%d", i);
        assert_int_equal(daemon_keep_fd(name, a[0]), 0);
    }
    assert_int_equal(daemon_keep_fd("more", a[0]), ENOSPC);
    assert_int_equal(daemon_keep_fd("one", b[0]), 0);
    k = kept("one");
    assert_int_equal(k.n, DAEMON_KEEP_MAX);
    assert_int_equal(inode(k.fd), inode(b[0]));
    close(k.fd);
    for (unsigned i = 0; i < DAEMON_KEEP_MAX; i++) {
        snprintf(name, sizeof name, "n%u", i);
        daemon_keep_drop(name);
    }
    daemon_keep_drop("one");
    assert_int_equal(kept("").n, before);
    close(a[0]);
    close(a[1]);
    close(b[0]);
    close(b[1]);
}

/* Answers, again and again, leave no descriptor behind. */
static void
test_no_leak(void **state)
{
    char *path = in_dir("leak.sock");
    int fd = -1;

    NEEDS_MAPS();
    pid_t pid = serve(path, "l0", NULL, NULL);
    until(path, "l0", 0, 3000, &fd, NULL);
    int before = dup(fd); /* the lowest number that is free */
    close(before);
    for (int i = 0; i < 100; i++) {
        cni_client_doubt_map(path, "l0");
        until(path, "l0", 0, 3000, &fd, NULL);
    }
    int after = dup(fd);
    close(after);
    assert_in_range(after, 0, before + 1);
    end(pid, path);
    free(path);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_absent_then_present),
        cmocka_unit_test(test_refusals),
        cmocka_unit_test(test_doubted),
        cmocka_unit_test(test_busy_poll),
        cmocka_unit_test(test_prefetch),
        cmocka_unit_test(test_keep),
        cmocka_unit_test(test_no_leak),
    };
    return cmocka_run_group_tests(tests, setup, teardown);
}
