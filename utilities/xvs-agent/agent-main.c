/* SPDX-License-Identifier: Apache-2.0 */
/* The program in phases: options; log; background; fewer capabilities; devices and sockets;
 * loop; cleaning up.  Everything that forks comes before the first thread.  Knows the order of
 * things and nothing else. */

#include <cap-ng.h>
#include <errno.h>
#include <linux/capability.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>

#include "log/log.h"
#include "os/daemon.h"
#include "os/signals.h"
#include "os/thread.h"
#include "util/version.h"
#include "util/xalloc.h"
#include "utilities/xvs-agent/agent.h"
#include "utilities/xvs-agent/options.h"
#include "utilities/xvs-agent/status.h"

LOG_MODULE(agent_main);

static struct evloop *loop;

static int
refuse(char *error)
{
    LOG_EMER("%s", error ? error : "cannot start");
    free(error);
    return EXIT_FAILURE;
}

static bool
wants_netns(const struct agent_config *c)
{
    for (unsigned i = 0; i < c->n_devices; i++) {
        if (c->devices[i].netns) {
            return true;
        }
    }
    return false;
}

/* Keeps what the work takes.  Failing to give the rest up is no reason not to work. */
static void
drop_capabilities(const struct agent_config *c)
{
    static const unsigned always[] = {
        CAP_NET_ADMIN,    /* devices, attaching, busy polling */
        CAP_BPF,          /* program and map */
        CAP_PERFMON,      /* the verifier's leave for pointer arithmetic */
        CAP_CHOWN,        /* sockets and pins for clients */
        CAP_FOWNER,       /* their modes, once they are the clients' */
        CAP_DAC_OVERRIDE, /* cleaning up in folders of clients */
    };
    static const unsigned for_netns[] = {
        CAP_SYS_ADMIN,  /* setns(2) */
        CAP_SYS_PTRACE, /* /proc/PID/ns/net of other users */
    };
    capng_get_caps_process();
    unsigned keep[ARRAY_SIZE(always) + ARRAY_SIZE(for_netns)], n = 0;
    for (size_t i = 0; i < ARRAY_SIZE(always); i++) {
        keep[n++] = always[i];
    }
    for (size_t i = 0; wants_netns(c) && i < ARRAY_SIZE(for_netns); i++) {
        keep[n++] = for_netns[i];
    }
    bool have[ARRAY_SIZE(keep)];
    for (unsigned i = 0; i < n; i++) {
        have[i] = capng_have_capability(CAPNG_PERMITTED, keep[i]);
    }
    capng_clear(CAPNG_SELECT_CAPS);
    for (unsigned i = 0; i < n; i++) {
        if (have[i]) {
            capng_update(CAPNG_ADD, CAPNG_EFFECTIVE | CAPNG_PERMITTED, keep[i]);
        }
    }
    if (capng_apply(CAPNG_SELECT_CAPS) || prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0)) {
        LOG_WARN("could not give up capabilities; goes on with all");
    }
}

static void
on_signal(int signo, void *aux)
{
    if (signo == SIGHUP) {
        if (log_file_path()) {
            log_file_reopen();
        }
        return;
    }
    LOG_INFO("ends by signal %s", daemon_signal_name(signo));
    evloop_stop(loop);
}

static int
serve(const struct options *o)
{
    static struct agent agent; /* large */
    struct status_server status_server;
    struct signals *signals = NULL;
    char *error = NULL;
    int status = EXIT_FAILURE;

    thread_adopt("");
    loop = evloop_create();
    int code = signals_watch(loop, on_signal, NULL, &signals);
    if (code) {
        error_set(&error, "could not watch for signals (%s)", strerror(code));
        status = refuse(error);
        goto out_loop;
    }
    LOG_INFO("xvs-agent %s", version_xvs());
    drop_capabilities(&o->config);
    /* First, for it tells whether another agent is at work. */
    if (status_server_start(&status_server, loop, &agent, o->control, &error)) {
        status = refuse(error);
        goto out_signals;
    }
    if (agent_start(&agent, loop, &o->config, &error)) {
        status = refuse(error);
        goto out_status;
    }
    daemon_detach_complete();
    if (!agent.lost) {
        evloop_run(loop);
    }
    status = agent.lost ? EXIT_FAILURE : EXIT_SUCCESS;
    agent_stop(&agent);
out_status:
    status_server_stop(&status_server);
out_signals:
    signals_unwatch(signals);
out_loop:
    evloop_destroy(loop);
    LOG_INFO("ended");
    return status;
}

int
agent_main(int argc, char *argv[])
{
    struct options o;
    char *error = NULL;
    int status = EXIT_FAILURE;
    daemon_set_run_name("xvs-agent");
    switch (options_parse(argc, argv, &o)) {
    case OPTIONS_RUN:
        signals_init();
        status = daemon_cmdline_set_levels(&o.daemon, &error) &&
                         daemon_cmdline_open_log(&o.daemon, &error) &&
                         daemon_cmdline_start(&o.daemon, &error)
                     ? serve(&o)
                     : refuse(error);
        break;
    case OPTIONS_STATUS:
        status = status_show(o.control, o.json);
        break;
    case OPTIONS_DONE:
        status = EXIT_SUCCESS;
        break;
    case OPTIONS_BAD:
        break;
    }
    options_free(&o);
    return status;
}
