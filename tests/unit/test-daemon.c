/* SPDX-License-Identifier: Apache-2.0 */
/* Unit tests of becoming a daemon: pidfile locks as other processes see them, detaching with
 * success and failure, restarts by the monitor, signals, files removed at the end; and of the
 * small modules around it: users, capabilities, NUMA, affinity, folders.
 *
 * The test is a child subreaper, so that every process of a daemon ends up as its child and its
 * exit status can be seen. */

#include <errno.h>
#include <fcntl.h>
#include <linux/capability.h>
#include <limits.h>
#include <sched.h>
#include <semaphore.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>
#include <cmocka.h>

#include "log/log.h"
#include "os/affinity.h"
#include "os/caps.h"
#include "os/daemon.h"
#include "os/daemon-cmdline.h"
#include "os/dirs.h"
#include "os/evloop.h"
#include "os/numa.h"
#include "os/pidfile.h"
#include "os/signals.h"
#include "os/thread.h"
#include "os/user.h"
#include "util/xalloc.h"

static char dir[] = "/tmp/test-daemon-XXXXXX";
static char *pidfile;
static char *marker;

static void
nap(void)
{
    usleep(10000);
}

/* Waits (10 s at most) until `path` exists or, with `gone`, does not. */
static void
wait_file(const char *path, bool gone)
{
    for (int i = 0; i < 1000 && (access(path, F_OK) != 0) != gone; i++) {
        nap();
    }
    assert_int_equal(access(path, F_OK) != 0, gone);
}

/* Waits until the pidfile is held by a live process other than `old`. */
static pid_t
wait_holder(pid_t old)
{
    for (int i = 0; i < 1000; i++) {
        pid_t pid = pidfile_holder(pidfile);

        if (pid && pid != old) {
            return pid;
        }
        nap();
    }
    fail_msg("nobody holds %s", pidfile);
    return 0;
}

static int
wait_end(pid_t pid)
{
    int status = -1;

    for (int i = 0; i < 1000; i++) {
        pid_t got = waitpid(pid, &status, WNOHANG);

        if (got == pid) {
            return status;
        }
        assert_int_equal(got, 0);
        nap();
    }
    fail_msg("process %ld does not end", (long) pid);
    return -1;
}

static void
assert_exits(pid_t pid, int code)
{
    int status = wait_end(pid);

    assert_true(WIFEXITED(status));
    assert_int_equal(WEXITSTATUS(status), code);
}

/* Parent of `pid`. */
static pid_t
parent_of(pid_t pid)
{
    char *path = xasprintf("/proc/%ld/stat", (long) pid);
    FILE *f = fopen(path, "re");
    int ppid = -1;

    assert_non_null(f);
    assert_int_equal(fscanf(f, "%*d (%*[^)]) %*c %d", &ppid), 1);
    fclose(f);
    free(path);
    return ppid;
}

static void __attribute__((noreturn)) sleep_for_ever(void)
{
    for (;;) {
        pause();
    }
}

/* Starts a process that holds the pidfile. */
static pid_t
start_holder(bool with_handlers)
{
    pid_t pid = fork();

    if (!pid) {
        if (with_handlers) {
            signals_init();
        }
        if (pidfile_create(pidfile, false, NULL)) {
            _exit(1);
        }
        sleep_for_ever();
    }
    assert_true(pid > 0);
    assert_int_equal(wait_holder(0), pid);
    return pid;
}

static void
test_pidfile(void **state)
{
    char *error = NULL;
    char text[32] = "";
    char expected[32];
    pid_t pid;
    int fd;

    assert_int_equal(pidfile_holder(pidfile), 0);
    pid = start_holder(false);
    fd = open(pidfile, O_RDONLY | O_CLOEXEC);
    assert_true(read(fd, text, sizeof text - 1) > 0);
    close(fd);
    snprintf(expected, sizeof expected, "%ld\n", (long) pid);
    assert_string_equal(text, expected);

    /* A live one is respected, also after a failed attempt... */
    for (int i = 0; i < 2; i++) {
        assert_int_equal(pidfile_create(pidfile, false, &error), EEXIST);
        assert_non_null(strstr(error, "already running as process"));
        free(error);
        error = NULL;
        assert_int_equal(pidfile_holder(pidfile), pid);
    }
    /* ...and a stale one is replaced. */
    kill(pid, SIGKILL);
    wait_end(pid);
    assert_int_equal(access(pidfile, F_OK), 0);
    assert_int_equal(pidfile_holder(pidfile), 0);
    assert_int_equal(pidfile_create(pidfile, false, &error), 0);
    assert_int_equal(pidfile_holder(pidfile), getpid());
    pidfile_remove();
    assert_int_equal(access(pidfile, F_OK), -1);

    pid = start_holder(false);
    assert_int_equal(pidfile_create(pidfile, true, &error), 0);
    assert_null(error);
    pidfile_remove();
    kill(pid, SIGKILL);
    wait_end(pid);

    assert_int_equal(pidfile_create("/nonexistent/folder/pid", false, &error), ENOENT);
    assert_non_null(error);
    free(error);
}

static void
test_fatal_cleanup(void **state)
{
    static const int signals[] = {SIGTERM, SIGHUP, SIGABRT, SIGALRM};
    pid_t pid;
    int status;

    for (size_t i = 0; i < ARRAY_SIZE(signals); i++) {
        pid = start_holder(true);
        kill(pid, signals[i]);
        status = wait_end(pid);
        assert_true(WIFSIGNALED(status));
        assert_int_equal(WTERMSIG(status), signals[i]);
        assert_int_equal(access(pidfile, F_OK), -1);
    }
    /* exit() removes, too, and a forked child's end does not. */
    pid = fork();
    if (!pid) {
        atexit(cleanup_files);
        cleanup_file_add(marker);
        close(open(marker, O_CREAT | O_WRONLY | O_CLOEXEC, 0600));
        if (!fork()) {
            cleanup_files();
            _exit(0);
        }
        wait(&status);
        if (access(marker, F_OK)) {
            _exit(1);
        }
        cleanup_files();
        _exit(access(marker, F_OK) ? 0 : 2);
    }
    assert_int_equal(wait_end(pid), 0);
    cleanup_file_add(marker);
    cleanup_file_add(marker);
    assert_int_equal(cleanup_file_unlink(marker), ENOENT);
    close(open(marker, O_CREAT | O_WRONLY | O_CLOEXEC, 0600));
    cleanup_file_add(marker);
    cleanup_file_forget(marker);
    cleanup_files();
    assert_int_equal(unlink(marker), 0);
}

/* Runs a daemon as a shell would; `body` runs in the worker.  Returns the shell's child. */
static pid_t
run_daemon(const struct daemon_options *o, void (*body)(void))
{
    pid_t pid = fork();

    if (!pid) {
        char *error = NULL;

        signals_init();
        if (daemon_start(o, &error)) {
            fprintf(stderr, "test: %s\n", error);
            _exit(3);
        }
        body();
        sleep_for_ever();
    }
    assert_true(pid > 0);
    return pid;
}

static void
slow_start(void)
{
    usleep(150000);
    close(open(marker, O_CREAT | O_WRONLY | O_CLOEXEC, 0600));
    daemon_detach_complete();
    daemon_detach_complete();
}

static void
failing_start(void)
{
    usleep(50000);
    fprintf(stderr, "the reason\n");
    _exit(7);
}

static void
test_detach(void **state)
{
    struct daemon_options o = {.detach = true, .pidfile = pidfile};
    char link[PATH_MAX];
    char *path;
    ssize_t n;
    pid_t pid = run_daemon(&o, slow_start);

    assert_int_equal(wait_end(pid), 0);
    assert_int_equal(unlink(marker), 0); /* it had waited */
    pid = wait_holder(0);
    assert_int_equal(getsid(pid), pid);
    path = xasprintf("/proc/%ld/cwd", (long) pid);
    n = readlink(path, link, sizeof link);
    assert_int_equal(n, 1);
    free(path);
    for (int fd = 0; fd <= 2; fd++) {
        path = xasprintf("/proc/%ld/fd/%d", (long) pid, fd);
        n = readlink(path, link, sizeof link - 1);
        link[MAX(n, 0)] = '\0';
        assert_string_equal(link, "/dev/null");
        free(path);
    }
    kill(pid, SIGTERM);
    wait_end(pid);
    assert_int_equal(access(pidfile, F_OK), -1);
}

static void
test_detach_failure(void **state)
{
    struct daemon_options o = {.detach = true, .pidfile = pidfile};
    char text[512] = "";
    int status, saved_stderr;
    int fds[2];
    pid_t pid, holder;

    /* The child's own words come through, and nothing else. */
    assert_int_equal(pipe2(fds, O_CLOEXEC), 0);
    saved_stderr = dup(STDERR_FILENO);
    dup2(fds[1], STDERR_FILENO);
    pid = run_daemon(&o, failing_start);
    status = wait_end(pid);
    holder = start_holder(false);
    pid = run_daemon(&o, slow_start); /* somebody has the pidfile */
    dup2(saved_stderr, STDERR_FILENO);
    close(saved_stderr);
    close(fds[1]);
    assert_true(WIFEXITED(status));
    assert_int_equal(WEXITSTATUS(status), 7);
    assert_exits(pid, 3);
    kill(holder, SIGKILL);
    wait_end(holder);
    while (read(fds[0], text + strlen(text), sizeof text - 1 - strlen(text)) > 0) {
        continue;
    }
    close(fds[0]);
    assert_ptr_equal(strstr(text, "the reason\ntest: /"), text);
    assert_non_null(strstr(text, "already running as process"));
    assert_ptr_equal(strchr(strstr(text, "test:"), '\n'), text + strlen(text) - 1);

    o.monitor = true;
    o.pidfile = NULL;
    saved_stderr = dup(STDERR_FILENO);
    status = open("/dev/null", O_WRONLY | O_CLOEXEC);
    dup2(status, STDERR_FILENO);
    close(status);
    pid = run_daemon(&o, failing_start);
    dup2(saved_stderr, STDERR_FILENO);
    close(saved_stderr);
    status = wait_end(pid);
    assert_int_equal(WEXITSTATUS(status), 7);
    while (waitpid(-1, NULL, 0) > 0) {
        continue; /* worker and monitor, now ours */
    }
}

static void
test_monitor(void **state)
{
    struct daemon_options o = {.detach = true, .monitor = true, .pidfile = pidfile};
    pid_t first, second, monitor;
    int status;

    unlink(pidfile);
    assert_int_equal(wait_end(run_daemon(&o, slow_start)), 0);
    first = wait_holder(0);
    monitor = parent_of(first);
    assert_int_not_equal(monitor, getpid());
    kill(first, SIGABRT);
    second = wait_holder(first);
    assert_int_equal(parent_of(second), monitor);
    unlink(marker);
    wait_file(marker, false); /* the new worker runs from the top */

    /* An orderly end ends the monitor as well. */
    kill(second, SIGTERM);
    status = wait_end(monitor);
    assert_true(WIFEXITED(status));
    assert_int_equal(access(pidfile, F_OK), -1);

    /* A signal to the monitor goes to the worker. */
    assert_int_equal(wait_end(run_daemon(&o, slow_start)), 0);
    monitor = parent_of(wait_holder(0));
    kill(monitor, SIGTERM);
    wait_end(monitor);
    assert_int_equal(access(pidfile, F_OK), -1);
    unlink(marker);

    assert_string_equal(daemon_signal_name(SIGSEGV), "SIGSEGV");
    assert_string_equal(daemon_signal_name(12345), "SIG?");
}

static int got_signal;

static void
on_signal(int signo, void *aux)
{
    got_signal = signo;
    evloop_stop(aux);
}

static void
test_signals(void **state)
{
    static const int signals[] = {SIGTERM, SIGINT, SIGHUP};
    struct evloop *l = evloop_create();
    struct signals *s = NULL;

    assert_int_equal(signals_watch(l, on_signal, l, &s), 0);
    for (size_t i = 0; i < ARRAY_SIZE(signals); i++) {
        got_signal = 0;
        kill(getpid(), signals[i]);
        evloop_run(l);
        assert_int_equal(got_signal, signals[i]);
    }
    signals_unwatch(s);
    signals_unwatch(NULL);
    evloop_destroy(l);
}

static void
test_names(void **state)
{
    char *p;

    daemon_set_run_name("ovs-vswitchd");
    p = daemon_pidfile_path(NULL);
    assert_string_equal(p + strlen(dir), "/ovs-vswitchd.pid");
    free(p);
    p = daemon_pidfile_path("x.pid");
    assert_string_equal(p + strlen(dir), "/x.pid");
    free(p);
    p = daemon_pidfile_path("/a/b.pid");
    assert_string_equal(p, "/a/b.pid");
    free(p);
    p = daemon_ctl_path(NULL);
    assert_int_equal(strncmp(p, dir, strlen(dir)), 0);
    assert_int_equal(atoi(strstr(p, "vswitchd.") + 9), getpid());
    free(p);
    p = daemon_log_path(NULL);
    assert_string_equal(p, "/var/log/openvswitch/ovs-vswitchd.log");
    free(p);
    assert_string_equal(dirs_rundir(), dir);
    assert_string_equal(dirs_dbdir(), "/conf/openvswitch");
}

static void
test_user(void **state)
{
    static const int caps[] = {CAP_NET_RAW};
    struct user_ids ids;
    char *error = NULL;
    pid_t pid;

    assert_int_equal(user_parse("no-such-user-here", &ids, &error), ENOENT);
    assert_string_equal(error, "--user: there is no user \"no-such-user-here\"");
    free(error);
    error = NULL;
    assert_int_equal(user_parse("root:no-such-group", &ids, &error), ENOENT);
    assert_string_equal(error, "--user: there is no group \"no-such-group\"");
    free(error);
    error = NULL;
    assert_int_equal(user_parse(":", &ids, &error), EINVAL);
    free(error);
    error = NULL;
    assert_int_equal(user_parse("root", &ids, &error), 0);
    assert_int_equal(ids.uid, 0);
    assert_int_equal(user_parse("12345:678", &ids, &error), 0);
    assert_int_equal(ids.uid, 12345);
    assert_int_equal(ids.gid, 678);

    if (getuid() || !caps_have_net_raw() || !caps_have(CAP_SETUID)) {
        return; /* what follows needs root */
    }
    pid = fork();
    if (!pid) {
        if (user_switch(&ids, caps, 1, &error)) {
            fprintf(stderr, "%s\n", error);
            _exit(1);
        }
        _exit(getuid() != 12345 || getgid() != 678 ? 2
              : !caps_have_net_raw()               ? 3
              : caps_have_net_admin()              ? 4
              : !setuid(0)                         ? 5
                                                   : 0);
    }
    assert_exits(pid, 0);
}

static void *
pin_thread(void *cpu)
{
    return (void *) (intptr_t) affinity_pin(*(unsigned *) cpu, NULL);
}

static bool
may_run_on(pid_t tid, unsigned cpu)
{
    size_t size = CPU_ALLOC_SIZE(8192);
    cpu_set_t *set = calloc(1, size);
    bool may;

    assert_int_equal(sched_getaffinity(tid, size, set), 0);
    may = CPU_ISSET_S(cpu, size, set);
    CPU_FREE(set);
    return may;
}

struct pinned_thread {
    unsigned cpu;
    pid_t tid;
    sem_t ready, end;
};

static void *
pinned_main(void *p_)
{
    struct pinned_thread *p = p_;

    assert_int_equal(affinity_pin(p->cpu, NULL), 0);
    p->tid = gettid();
    sem_post(&p->ready);
    while (sem_wait(&p->end)) {
    }
    return NULL;
}

static void *
inherits(void *cpu)
{
    return (void *) (intptr_t) may_run_on(0, *(unsigned *) cpu);
}

/* Who is tied to a core stays there; the others keep off it, if there is another one. */
static void
test_keep_off(void **state)
{
    struct pinned_thread p = {.tid = 0};
    pthread_t thread;
    unsigned cpus[4096];
    void *result;
    size_t n = affinity_allowed(cpus, ARRAY_SIZE(cpus));

    if (n < 2 || n > ARRAY_SIZE(cpus)) {
        skip();
    }
    p.cpu = cpus[1];
    sem_init(&p.ready, 0, 0);
    sem_init(&p.end, 0, 0);
    thread = thread_start("pinned", pinned_main, &p);
    while (sem_wait(&p.ready)) {
    }
    assert_int_equal(affinity_keep_off(&cpus[1], 1), n - 1);
    assert_false(may_run_on(0, cpus[1]));
    assert_true(may_run_on(0, cpus[0]));
    assert_true(may_run_on(p.tid, cpus[1]));
    assert_false(may_run_on(p.tid, cpus[0]));
    assert_int_equal(pthread_join(thread_start("heir", inherits, &cpus[1]), &result), 0);
    assert_null(result);
    /* None left: they may run everywhere.  And once nothing is asked for. */
    assert_int_equal(affinity_keep_off(cpus, n), 0);
    assert_true(may_run_on(0, cpus[1]));
    assert_false(may_run_on(p.tid, cpus[0]));
    assert_int_equal(affinity_keep_off(&(unsigned){1000000}, 1), n);
    assert_int_equal(affinity_keep_off(cpus, 1), n - 1);
    assert_false(may_run_on(0, cpus[0]));
    assert_int_equal(affinity_keep_off(NULL, 0), n);
    assert_true(may_run_on(0, cpus[0]) && may_run_on(0, cpus[1]));
    sem_post(&p.end);
    thread_join(thread);
    sem_destroy(&p.ready);
    sem_destroy(&p.end);
}

/* Of a process that was started on one core (taskset, isolcpus=) the others are out of use
 * until a thread asks for one. */
static int
started_on_one_core(unsigned cpu, unsigned other)
{
    unsigned cpus[4];

    return affinity_allowed(cpus, ARRAY_SIZE(cpus)) != 1 || cpus[0] != cpu ? 1
           : may_run_on(0, other)                                          ? 2
           : affinity_is_allowed(other) || !affinity_can_pin(other)        ? 3
           : affinity_can_pin(8191) || affinity_can_pin(1000000)           ? 4
           : affinity_keep_off(&other, 1) != 1 || may_run_on(0, other)     ? 5
           : affinity_pin(other, NULL)                                     ? 6
                                                                           : 0;
}

static void
test_one_core(void **state)
{
    unsigned cpus[2];
    char first[16], second[16];
    pid_t pid;

    if (affinity_allowed(cpus, 2) < 2) {
        skip();
    }
    snprintf(first, sizeof first, "%u", cpus[0]);
    snprintf(second, sizeof second, "%u", cpus[1]);
    pid = fork();
    if (!pid) {
        affinity_pin(cpus[0], NULL);
        execl("/proc/self/exe", "test-daemon", first, second, (char *) NULL);
        _exit(127);
    }
    assert_exits(pid, 0);
}

static void
test_machine(void **state)
{
    unsigned cpus[4];
    char *error = NULL;
    struct rlimit limit;
    size_t n = affinity_allowed(cpus, ARRAY_SIZE(cpus));
    void *result;

    assert_true(n >= 1);
    assert_true(affinity_is_allowed(cpus[0]));
    assert_true(numa_topo_cpu_exists(cpus[0]));
    assert_int_equal(pthread_join(thread_start("pin", pin_thread, &cpus[0]), &result), 0);
    assert_null(result);
    assert_int_equal(affinity_pin(8191, &error), EINVAL);
    assert_non_null(strstr(error, "core 8191"));
    free(error);
    assert_int_equal(affinity_pin(1000000, NULL), EINVAL);
    assert_int_equal(affinity_allowed(cpus, 4), n);

    assert_true(numa_topo_node_cnt() >= 1);
    assert_true(affinity_is_allowed(numa_topo_default_cpu(numa_topo_cpu_node(cpus[0]))));
    assert_int_equal(numa_topo_default_cpu(999), NUMA_TOPO_NO_CPU);
    assert_false(numa_topo_set_dummy("0,x"));
    assert_false(numa_topo_set_dummy(""));
    assert_true(numa_topo_set_dummy("1,0,0,1"));
    assert_int_equal(numa_topo_node_cnt(), 2);
    assert_int_equal(numa_topo_node_cpus(1, cpus, 1), 2);
    assert_int_equal(cpus[0], 0);
    assert_int_equal(numa_topo_default_cpu(0), 1);
    assert_int_equal(numa_topo_cpu_node(3), 1);
    assert_false(numa_topo_cpu_exists(4));

    assert_int_equal(getrlimit(RLIMIT_MEMLOCK, &limit), 0);
    assert_true(caps_memlock_limit() ==
                (limit.rlim_cur == RLIM_INFINITY ? UINT64_MAX : limit.rlim_cur));
}

/* What getopt_long() hands over, and what the options then do. */
static void
test_cmdline(void **state)
{
    const char *argv[] = {"x",
                          "--detach",
                          "--no-chdir",
                          "-vlog:warn",
                          "--pidfile",
                          "--log-file=no/such",
                          "--overwrite-pidfile",
                          "-v",
                          "--mine",
                          "arg"};
    static const struct option options[] = {
        DAEMON_LONG_OPTIONS,
        {"mine", no_argument, NULL, 256},
        {NULL, 0, NULL, 0},
    };
    struct daemon_cmdline d = {.n_verbose = 0};
    char *error = NULL;
    int c;

    optind = 0;
    while ((c = getopt_long((int) ARRAY_SIZE(argv), (char **) (uintptr_t) argv, "v::", options,
                            NULL)) != -1) {
        assert_int_equal(daemon_cmdline_take(&d, c, optarg), c != 256);
    }
    assert_int_equal(optind, ARRAY_SIZE(argv) - 1);
    assert_false(daemon_cmdline_take(&d, '?', NULL));
    assert_true(d.start.detach && d.start.no_chdir && d.start.overwrite_pidfile);
    assert_false(d.start.monitor);
    assert_true(d.pidfile && !d.pidfile_arg);
    assert_true(d.log_file);
    assert_string_equal(d.log_file_arg, "no/such");
    assert_int_equal(d.n_verbose, 2);
    assert_string_equal(d.verbose[0], "log:warn");
    assert_null(d.verbose[1]);

    assert_false(daemon_cmdline_open_log(&d, &error));
    assert_non_null(strstr(error, "could not open log file "));
    assert_non_null(strstr(error, "/no/such (No such file"));
    free(error);
    error = NULL;
    d.n_verbose = 1;
    d.verbose[0] = "any:nowhere:dbg";
    assert_false(daemon_cmdline_set_levels(&d, &error));
    assert_int_equal(strncmp(error, "-vany:nowhere:dbg: ", strlen("-vany:nowhere:dbg: ")), 0);
    free(error);
    daemon_cmdline_free(&d);
    assert_true(daemon_cmdline_set_levels(&d, NULL));
    d.log_file = false;
    assert_true(daemon_cmdline_open_log(&d, NULL));
}

int
main(int argc, char *argv[])
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_names),          cmocka_unit_test(test_pidfile),
        cmocka_unit_test(test_fatal_cleanup),  cmocka_unit_test(test_detach),
        cmocka_unit_test(test_detach_failure), cmocka_unit_test(test_monitor),
        cmocka_unit_test(test_signals),        cmocka_unit_test(test_user),
        cmocka_unit_test(test_keep_off),       cmocka_unit_test(test_one_core),
        cmocka_unit_test(test_machine),        cmocka_unit_test(test_cmdline),
    };
    struct rlimit no_core = {0, 0};
    char *error;
    int failed;

    if (argc == 3) {
        return started_on_one_core((unsigned) atoi(argv[1]), (unsigned) atoi(argv[2]));
    }
    thread_adopt("");
    log_set_syslog_method("null");
    error = log_set("any:console:off");
    free(error);
    setrlimit(RLIMIT_CORE, &no_core);
    signal(SIGHUP, SIG_DFL); /* nohup has it ignored, and a daemon leaves that as it is */
    prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0);
    if (!mkdtemp(dir)) {
        return 1;
    }
    setenv("OVS_RUNDIR", dir, 1);
    setenv("OVS_SYSCONFDIR", "/conf", 1);
    unsetenv("OVS_DBDIR");
    unsetenv("OVS_LOGDIR");
    pidfile = xasprintf("%s/pid", dir);
    marker = xasprintf("%s/marker", dir);
    failed = cmocka_run_group_tests(tests, NULL, NULL);
    unlink(pidfile);
    unlink(marker);
    rmdir(dir);
    free(pidfile);
    free(marker);
    return failed;
}
