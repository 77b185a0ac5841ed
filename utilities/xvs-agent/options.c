/* SPDX-License-Identifier: Apache-2.0 */
/* Parses the command line.  Called by agent_main() first of all; it reads the configuration
 * file too, so that a mistake in either is told before anything is done. */

#include "utilities/xvs-agent/options.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "util/num.h"
#include "util/version.h"
#include "util/xalloc.h"

enum {
    OPT_DEVICE = 256,
    OPT_CONFIG,
    OPT_SOCKET_DIR,
    OPT_PIN,
    OPT_ONCE,
    OPT_IDLE,
    OPT_CONTROL,
    OPT_JSON
};

static const struct option long_options[] = {
    {"device", required_argument, NULL, OPT_DEVICE},
    {"config", required_argument, NULL, OPT_CONFIG},
    {"socket-dir", required_argument, NULL, OPT_SOCKET_DIR},
    {"pin", required_argument, NULL, OPT_PIN},
    {"once", no_argument, NULL, OPT_ONCE},
    {"idle-timeout", required_argument, NULL, OPT_IDLE},
    {"control", required_argument, NULL, OPT_CONTROL},
    {"json", no_argument, NULL, OPT_JSON},
    DAEMON_LONG_OPTIONS,
    {"help", no_argument, NULL, 'h'},
    {"version", no_argument, NULL, 'V'},
    {NULL, 0, NULL, 0},
};

static void
print_help(void)
{
    printf("xvs-agent: gives AF_XDP devices to programs without privilege\n"
           "usage: xvs-agent [OPTIONS] --device NAME[:KEY=VALUE,...]...\n"
           "       xvs-agent [OPTIONS] --config FILE\n"
           "       xvs-agent status [--json] [--control SOCKET]\n"
           "\n"
           "KEY of a device:\n"
           "  uid=NUMBER          user who may connect, besides root; may be repeated\n"
           "  host=NAME           host name that the client must say (default: any)\n"
           "  queues=N            number of queues to give the device\n"
           "  xdp-mode=MODE       native, generic or best-effort (the default)\n"
           "  mtu=N, promisc=on|off\n"
           "  netns=NAMESPACE     move the device there: a name in /run/netns, a process\n"
           "                      number, or a path\n"
           "  socket=PATH         instead of DIR/NAME/afxdp.sock; devices may share one\n");
    printf("\nServing:\n"
           "  --config FILE       read settings from a JSON file\n"
           "  --socket-dir DIR    where the sockets are (default %s)\n"
           "  --pin DIR           pin maps as DIR/NAME/"
           "xsks_map, on a bpffs\n"
           "  --once              serve one client per socket, as the device plugin does\n"
           "  --idle-timeout N    end sessions after N idle seconds (default %u)\n"
           "  --control SOCKET    where `status' asks (default %s)\n",
           AGENT_DEFAULT_DIR, AGENT_IDLE_S, AGENT_DEFAULT_CONTROL);
    printf("\nRunning in the background, logging:\n"
           "  --detach            return once the agent serves\n"
           "  --no-chdir          stay in the present folder instead of /\n"
           "  --pidfile[=FILE]    write the process number\n"
           "  --overwrite-pidfile take the pidfile over from a running process\n"
           "  --log-file[=FILE]   log to FILE\n"
           "  -v, --verbose[=SPEC]  most detail, or by SPEC: [MODULE:][DESTINATION:]LEVEL\n"
           "\n  -h, --help          show this\n"
           "  -V, --version       show the version\n");
}

static bool
parse_idle(const char *arg, struct options *o, char **errp)
{
    int s;
    if (!num_parse_int(arg, 1, (int) AGENT_IDLE_S_MAX, &s)) {
        error_set(errp, "--idle-timeout=%s: expected a number from 1 to %u", arg,
                  AGENT_IDLE_S_MAX);
        return false;
    }
    o->config.idle_s = (unsigned) s;
    return true;
}

static void
set_path(char **to, const char *arg)
{
    free(*to);
    *to = xstrdup(arg);
}

static enum options_result
parse_one(int c, const char *arg, struct options *o, const char **file, char **errp)
{
    switch (c) {
    case 'h':
        print_help();
        return OPTIONS_DONE;
    case 'V':
        printf("xvs-agent (XVS) %s\n", version_xvs());
        return OPTIONS_DONE;
    case OPT_DEVICE:
        return agent_config_add_spec(&o->config, arg, errp) ? OPTIONS_RUN : OPTIONS_BAD;
    case OPT_CONFIG:
        *file = arg;
        break;
    case OPT_SOCKET_DIR:
        set_path(&o->config.socket_dir, arg);
        break;
    case OPT_PIN:
        set_path(&o->config.pin_dir, arg);
        break;
    case OPT_ONCE:
        o->config.once = true;
        break;
    case OPT_IDLE:
        return parse_idle(arg, o, errp) ? OPTIONS_RUN : OPTIONS_BAD;
    case OPT_CONTROL:
        o->control = arg;
        break;
    case OPT_JSON:
        o->json = true;
        break;
    default:
        if (!daemon_cmdline_take(&o->daemon, c, arg)) {
            error_set(errp, "use --help for the options");
            return OPTIONS_BAD;
        }
        break;
    }
    return OPTIONS_RUN;
}

/* What follows the options, and the file. */
static enum options_result
finish(int argc, char *argv[], struct options *o, const char *file, char **errp)
{
    bool status = optind < argc && !strcmp(argv[optind], "status");
    if (argc - optind > (status ? 1 : 0)) {
        error_set(errp, "\"%s\" is one argument too many; see --help",
                  argv[optind + (status ? 1 : 0)]);
        return OPTIONS_BAD;
    }
    if (o->control[0] != '/') {
        error_set(errp, "--control=%s: expected an absolute path", o->control);
        return OPTIONS_BAD;
    }
    if (status) {
        return OPTIONS_STATUS;
    }
    if (o->json) {
        error_set(errp, "--json belongs to `xvs-agent status'");
        return OPTIONS_BAD;
    }
    return (!file || agent_config_add_file(&o->config, file, errp)) &&
                   agent_config_finish(&o->config, errp)
               ? OPTIONS_RUN
               : OPTIONS_BAD;
}

enum options_result
options_parse(int argc, char *argv[], struct options *o)
{
    enum options_result result = OPTIONS_RUN;
    const char *file = NULL;
    char *error = NULL;
    int c;
    memset(o, 0, sizeof *o);
    agent_config_init(&o->config);
    o->control = AGENT_DEFAULT_CONTROL;
    optind = 0; /* so that a test may come here twice */
    while (result == OPTIONS_RUN &&
           (c = getopt_long(argc, argv, "hVv::", long_options, NULL)) != -1) {
        result = parse_one(c, optarg, o, &file, &error);
    }
    if (result == OPTIONS_RUN) {
        result = finish(argc, argv, o, file, &error);
    }
    if (error) {
        fprintf(stderr, "xvs-agent: %s\n", error);
        free(error);
    }
    return result;
}

void
options_free(struct options *o)
{
    agent_config_free(&o->config);
    daemon_cmdline_free(&o->daemon);
}
