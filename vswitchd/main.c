/* SPDX-License-Identifier: Apache-2.0 */
/* The daemon in phases: options; user; log; background; modules; database; loop; shutdown.
 * Everything that forks or drops privilege happens before the first thread starts.  Knows the
 * order of things and nothing else. */

#include <errno.h>
#include <linux/capability.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "datapath/dp.h"
#include "log/coverage.h"
#include "log/ctl.h"
#include "log/log.h"
#include "mem/arena.h"
#include "netdev/afxdp/cni-client.h"
#include "netdev/dummy/netdev-dummy.h"
#include "netdev/netdev.h"
#include "ofproto/ofproto.h"
#include "os/daemon.h"
#include "os/dirs.h"
#include "os/evloop.h"
#include "os/fd-closer.h"
#include "os/numa.h"
#include "os/seccomp.h"
#include "os/signals.h"
#include "os/thread.h"
#include "os/user.h"
#include "rpc/stream.h"
#include "rpc/unixctl.h"
#include "util/version.h"
#include "util/xalloc.h"
#include "vswitchd/bridge/bridge.h"
#include "vswitchd/options.h"

LOG_MODULE(vswitchd);

enum { COVERAGE_INTERVAL_MS = 5000, COLLECT_INTERVAL_MS = 100 };

static struct evloop *loop;
static bool confine;

/* Says why the daemon cannot start; takes `error`. */
static int
refuse(char *error)
{
    LOG_EMER("%s", error ? error : "cannot start");
    fprintf(stderr, "ovs-vswitchd: %s\n", error ? error : "cannot start");
    free(error);
    return EXIT_FAILURE;
}

/* ------------------------------------------------------------------ phases before the loop */

static bool
set_up_logging(const struct options *o, char **errp)
{
    /* Scripts allow nothing on stderr: the console is for whoever asks with -v. */
    free(log_set("console:off"));
    if (!daemon_cmdline_set_levels(&o->daemon, errp)) {
        return false;
    }
    if (o->syslog_method) {
        log_set_syslog_method(o->syslog_method);
    }
    if (o->syslog_target) {
        char *method = xasprintf("udp:%s", o->syslog_target);
        log_set_syslog_method(method);
        free(method);
    }
    char *error = NULL;
    if (!daemon_cmdline_open_log(&o->daemon, &error)) {
        fprintf(stderr, "ovs-vswitchd: %s\n", error); /* and goes on without */
        free(error);
    }
    return true;
}

static bool
become_user(const struct options *o, char **errp)
{
    static const int keep[] = {CAP_NET_ADMIN, CAP_NET_RAW,          CAP_NET_BROADCAST,
                               CAP_IPC_LOCK,  CAP_NET_BIND_SERVICE, CAP_BPF,
                               CAP_PERFMON};
    struct user_ids ids;
    return !o->user || (!user_parse(o->user, &ids, errp) &&
                        !user_switch(&ids, keep, ARRAY_SIZE(keep), errp));
}

static bool
go_to_background(const struct options *o, char **errp)
{
    bool started = daemon_cmdline_start(&o->daemon, errp);
    if (started && o->mlockall && mlockall(MCL_CURRENT | MCL_FUTURE)) {
        LOG_ERR("--mlockall: could not lock memory (%s)", strerror(errno));
    }
    return started;
}

/* ------------------------------------------------------------------ in the loop */

static void
on_coverage_timer(struct ev_timer *t)
{
    coverage_sample();
    ev_timer_start(t, COVERAGE_INTERVAL_MS);
}

static void
on_collect_timer(struct ev_timer *t)
{
    arena_collect();
    ev_timer_start(t, COLLECT_INTERVAL_MS);
}

static void
on_signal(int signo, void *aux)
{
    if (signo != SIGHUP) {
        LOG_INFO("ends by signal %s", daemon_signal_name(signo));
        evloop_stop(loop);
    }
}

/* exit [--cleanup]: the reply goes out before the end (unixctl_server_destroy()). */
static void
ctl_exit(struct ctl_conn *conn, int argc, const char *const argv[], void *aux)
{
    if (argc > 1 && strcmp(argv[1], "--cleanup")) {
        ctl_reply_errorf(conn, "unknown argument \"%s\"", argv[1]);
        return;
    }
    ctl_reply(conn, "");
    evloop_stop(loop);
}

/* The first configuration is in effect.  From now on nothing is needed that --seccomp forbids.
 */
static void
on_configured(void)
{
    char *error = NULL;

    daemon_detach_complete();
    if (confine && !seccomp_confine(&error)) {
        LOG_INFO("--seccomp: confined to the system calls of a running switch");
    } else if (confine) {
        LOG_ERR("--seccomp: %s", error ? error : "?");
        free(error);
    }
}

static void
flush_main_queues(void *aux)
{
    dp_run_main_queues();
}

static void
init_modules(const struct options *o)
{
    ctl_base_commands_register();
    log_commands_register();
    coverage_commands_register();
    memory_commands_register();
    ctl_command_register("exit", "[--cleanup]", 0, 1, ctl_exit, NULL);
    if (o->dummy_numa && !numa_topo_set_dummy(o->dummy_numa)) {
        LOG_WARN("--dummy-numa=%s is not a list of node numbers; ignored", o->dummy_numa);
    }
    netdev_init(loop, o->dummy ? o->dummy_mode : NULL);
    if (o->cni_prefetch) {
        cni_client_init(loop);
        cni_client_prefetch();
    }
    confine = o->seccomp;
    dp_init(loop);
    ofproto_init(loop);
    if (o->dummy) {
        netdev_dummy_set_flush(flush_main_queues, NULL);
    }
}

static bool
open_control_socket(const struct options *o, struct unixctl_server **server, char **errp)
{
    *server = NULL;
    if (o->unixctl && !strcmp(o->unixctl, "none")) {
        return true;
    }
    char *path = daemon_ctl_path(o->unixctl);
    int error = unixctl_server_create(loop, path, server, errp);
    if (!error) {
        cleanup_file_add(path); /* it must not outlive a crash either */
    }
    free(path);
    return !error;
}

static bool
follow_database(const struct options *o, char **errp)
{
    bool ssl = o->ssl_key || o->ssl_cert || o->ssl_ca;
    if (ssl || o->ssl_protocols || o->ssl_ciphers) {
        stream_ssl_configure(o->ssl_key, o->ssl_cert, o->ssl_ca, o->ssl_bootstrap,
                             o->ssl_protocols, o->ssl_ciphers);
    }
    char *remotes =
        o->remotes ? xstrdup(o->remotes) : xasprintf("unix:%s/db.sock", dirs_rundir());
    struct bridge_options b = {
        .remotes = remotes,
        .dummy = o->dummy,
        .ssl_by_options = ssl,
        .configured = on_configured,
    };
    bool ok = bridge_init(loop, &b, errp);
    free(remotes);
    return ok;
}

/* The worker: from the first module to the last. */
static int
run(const struct options *o)
{
    char *error = NULL;
    int status = EXIT_FAILURE;
    struct signals *signals = NULL;
    struct unixctl_server *control = NULL;
    struct ev_timer coverage_timer, collect_timer;

    thread_adopt("");
    loop = evloop_create();
    int code = signals_watch(loop, on_signal, NULL, &signals);
    if (code) {
        error_set(&error, "could not watch for signals (%s)", strerror(code));
        status = refuse(error);
        goto out_loop;
    }
    LOG_INFO("%s, XVS %s", version_line(), version_xvs());
    init_modules(o);
    ev_timer_init(&coverage_timer, loop, on_coverage_timer, NULL);
    ev_timer_init(&collect_timer, loop, on_collect_timer, NULL);
    ev_timer_start(&coverage_timer, COVERAGE_INTERVAL_MS);
    ev_timer_start(&collect_timer, COLLECT_INTERVAL_MS);
    if (!open_control_socket(o, &control, &error) || !follow_database(o, &error)) {
        status = refuse(error);
        goto out_modules;
    }

    evloop_run(loop);
    status = EXIT_SUCCESS;

out_modules:
    unixctl_server_destroy(control);
    bridge_exit();
    ofproto_exit();
    fd_closer_stop();
    arena_collect();
    ev_timer_stop(&coverage_timer);
    ev_timer_stop(&collect_timer);
    signals_unwatch(signals);
out_loop:
    evloop_destroy(loop);
    LOG_INFO("ended");
    return status;
}

int
main(int argc, char *argv[])
{
    struct options o;
    char *error = NULL;
    xalloc_init();
    daemon_set_run_name("ovs-vswitchd");
    enum options_result parsed = options_parse(argc, argv, &o);
    int status = parsed == OPTIONS_DONE ? EXIT_SUCCESS : EXIT_FAILURE;
    if (parsed == OPTIONS_RUN) {
        signals_init();
        if (!become_user(&o, &error) || !set_up_logging(&o, &error) ||
            !go_to_background(&o, &error)) {
            status = refuse(error);
        } else {
            status = run(&o);
        }
    }
    options_free(&o);
    return status;
}
