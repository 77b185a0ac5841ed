/* SPDX-License-Identifier: Apache-2.0 */
/* Parses the command line, which is ovs-vswitchd's: scripts that start that one start this one.
 * Called by main() first of all; it only reads, and prints help, version and complaints.
 * Options that have no meaning here are accepted so that such scripts go on working. */

#include "vswitchd/options.h"

#include <stdio.h>
#include <string.h>
#include "os/dirs.h"
#include "util/compiler.h"
#include "util/version.h"

enum {
    OPT_MONITOR = 256,
    OPT_USER,
    OPT_SYSLOG_METHOD,
    OPT_SYSLOG_TARGET,
    OPT_UNIXCTL,
    OPT_MLOCKALL,
    OPT_SECCOMP,
    OPT_CNI_PREFETCH,
    OPT_DUMMY,
    OPT_DUMMY_NUMA,
    OPT_BOOTSTRAP_CA,
    OPT_SSL_PROTOCOLS,
    OPT_SSL_CIPHERS,
    OPT_PEER_CA,
    OPT_SSL_SUITES,
    OPT_SSL_NAME,
    OPT_IGNORED
};

static const struct option long_options[] = {
    {"help", no_argument, NULL, 'h'},
    {"version", no_argument, NULL, 'V'},
    DAEMON_LONG_OPTIONS,
    {"monitor", no_argument, NULL, OPT_MONITOR},
    {"user", required_argument, NULL, OPT_USER},
    {"syslog-method", required_argument, NULL, OPT_SYSLOG_METHOD},
    {"syslog-target", required_argument, NULL, OPT_SYSLOG_TARGET},
    {"unixctl", required_argument, NULL, OPT_UNIXCTL},
    {"mlockall", no_argument, NULL, OPT_MLOCKALL},
    {"seccomp", no_argument, NULL, OPT_SECCOMP},
    {"cni-prefetch", no_argument, NULL, OPT_CNI_PREFETCH},
    {"enable-dummy", optional_argument, NULL, OPT_DUMMY},
    {"dummy-numa", required_argument, NULL, OPT_DUMMY_NUMA},
    {"private-key", required_argument, NULL, 'p'},
    {"certificate", required_argument, NULL, 'c'},
    {"ca-cert", required_argument, NULL, 'C'},
    {"bootstrap-ca-cert", required_argument, NULL, OPT_BOOTSTRAP_CA},
    {"ssl-protocols", required_argument, NULL, OPT_SSL_PROTOCOLS},
    {"ssl-ciphers", required_argument, NULL, OPT_SSL_CIPHERS},
    {"peer-ca-cert", required_argument, NULL, OPT_PEER_CA},
    {"ssl-ciphersuites", required_argument, NULL, OPT_SSL_SUITES},
    {"ssl-server-name", required_argument, NULL, OPT_SSL_NAME},
    {"no-self-confinement", no_argument, NULL, OPT_IGNORED},
    {"disable-system", no_argument, NULL, OPT_IGNORED},
    {"disable-system-route", no_argument, NULL, OPT_IGNORED},
    {"hw-rawio-access", no_argument, NULL, OPT_IGNORED},
    {NULL, 0, NULL, 0},
};

static void
print_help(void)
{
    printf("xvs-vswitchd: virtual switch with AF_XDP ports, in the place of ovs-vswitchd\n"
           "usage: xvs-vswitchd [OPTIONS] [DATABASE]\n"
           "\n"
           "DATABASE says where ovsdb-server listens: unix:FILE, tcp:IP:PORT or ssl:IP:PORT,\n"
           "or passively punix:FILE, ptcp:PORT[:IP] or pssl:PORT[:IP].  Give the members of a\n"
           "cluster separated by commas.  Default: unix:%s/db.sock\n",
           dirs_rundir());
    printf("\nRunning in the background:\n"
           "  --detach                go to the background once the first configuration works\n"
           "  --monitor               restart the switch when it crashes\n"
           "  --no-chdir              stay in the present folder instead of /\n"
           "  --pidfile[=FILE]        write the process number (default %s/ovs-vswitchd.pid)\n"
           "  --overwrite-pidfile     take the pidfile over from a running process\n"
           "  --user=USER[:GROUP]     run as USER, keeping the capabilities that ports need\n"
           "  --mlockall              keep all memory in RAM\n"
           "  --seccomp               forbid system calls that a running switch does not need\n"
           "  --cni-prefetch          take the maps of all devices that AFXDP_DEVICES_* name "
           "from\n"
           "                          the AF_XDP device plugin at once\n"
           "  --unixctl=SOCKET        control socket for ovs-appctl, or \"none\"\n",
           dirs_rundir());
    printf("\nLogging:\n"
           "  -v, --verbose[=SPEC]    most detail, or by SPEC: [MODULE:][DESTINATION:]LEVEL\n"
           "  --log-file[=FILE]       log to FILE (default %s/ovs-vswitchd.log)\n"
           "  --syslog-method=METHOD  libc, null, unix:FILE or udp:IP:PORT\n"
           "  --syslog-target=IP:PORT send syslog messages there\n",
           dirs_logdir());
    printf(
        "\nTLS, for ssl: and pssl: (otherwise taken from the database):\n"
        "  -p, --private-key=FILE  our private key\n"
        "  -c, --certificate=FILE  our certificate\n"
        "  -C, --ca-cert=FILE      certificate of the authority that signs the peers' ones\n"
        "  --bootstrap-ca-cert=FILE  the same, fetched from the peer when FILE is not there\n"
        "  --ssl-protocols=LIST    protocol versions to allow\n"
        "  --ssl-ciphers=LIST      ciphers to allow\n"
        "\nFor tests:\n"
        "  --enable-dummy[=override|system]  ports without devices, controlled by ovs-appctl\n"
        "  --dummy-numa=LIST       pretend that cores 0,1,... are on these NUMA nodes\n"
        "\n  -h, --help              show this\n"
        "  -V, --version           show the versions\n");
}

static enum options_result
parse_dummy(const char *arg, struct options *o)
{
    o->dummy = true;
    o->dummy_mode = arg ? arg : "";
    if (o->dummy_mode[0] && strcmp(o->dummy_mode, "override") &&
        strcmp(o->dummy_mode, "system")) {
        fprintf(stderr, "ovs-vswitchd: --enable-dummy=%s: only override and system are known\n",
                arg);
        return OPTIONS_BAD;
    }
    return OPTIONS_RUN;
}

/* What concerns the security of connections is not read over. */
static enum options_result
refuse(const char *option, const char *why)
{
    fprintf(stderr, "ovs-vswitchd: --%s is not supported: %s\n", option, why);
    return OPTIONS_BAD;
}

static enum options_result
parse_one(int c, char *arg, struct options *o)
{
    switch (c) {
    case 'h':
        print_help();
        return OPTIONS_DONE;
    case 'V':
        fputs(version_text(), stdout);
        return OPTIONS_DONE;
    case 'p':
        o->ssl_key = arg;
        break;
    case 'c':
        o->ssl_cert = arg;
        break;
    case 'C':
        o->ssl_ca = strcmp(arg, "none") ? arg : NULL;
        break;
    case OPT_BOOTSTRAP_CA:
        o->ssl_ca = arg;
        o->ssl_bootstrap = true;
        break;
    case OPT_SSL_PROTOCOLS:
        o->ssl_protocols = arg;
        break;
    case OPT_SSL_CIPHERS:
        o->ssl_ciphers = arg;
        break;
    case OPT_MONITOR:
        o->daemon.start.monitor = true;
        break;
    case OPT_USER:
        o->user = arg;
        break;
    case OPT_SYSLOG_METHOD:
        o->syslog_method = arg;
        break;
    case OPT_SYSLOG_TARGET:
        o->syslog_target = arg;
        break;
    case OPT_UNIXCTL:
        o->unixctl = arg;
        break;
    case OPT_MLOCKALL:
        o->mlockall = true;
        break;
    case OPT_SECCOMP:
        o->seccomp = true;
        break;
    case OPT_CNI_PREFETCH:
        o->cni_prefetch = true;
        break;
    case OPT_DUMMY:
        return parse_dummy(arg, o);
    case OPT_DUMMY_NUMA:
        o->dummy_numa = arg;
        break;
    case OPT_PEER_CA:
        return refuse("peer-ca-cert", "give peers that bootstrap the certificate yourself, or "
                                      "append it to the --certificate file");
    case OPT_SSL_SUITES:
        return refuse("ssl-ciphersuites", "the ciphers of TLS 1.3 are OpenSSL's own choice "
                                          "(--ssl-ciphers is for TLS 1.2)");
    case OPT_SSL_NAME:
        return refuse("ssl-server-name", "no server name is sent; connect by address");
    case OPT_IGNORED:
        break;
    default:
        if (!daemon_cmdline_take(&o->daemon, c, arg)) {
            fputs("ovs-vswitchd: use --help for the options\n", stderr);
            return OPTIONS_BAD;
        }
        break;
    }
    return OPTIONS_RUN;
}

enum options_result
options_parse(int argc, char *argv[], struct options *o)
{
    memset(o, 0, sizeof *o);
    int c;
    while ((c = getopt_long(argc, argv, "hVv::p:c:C:", long_options, NULL)) != -1) {
        enum options_result result = parse_one(c, optarg, o);
        if (result != OPTIONS_RUN) {
            return result;
        }
    }
    if (argc - optind > 1) {
        fprintf(stderr,
                "ovs-vswitchd: \"%s\" is one argument too many; several databases are "
                "separated by commas\n",
                argv[optind + 1]);
        return OPTIONS_BAD;
    }
    o->remotes = optind < argc ? argv[optind] : NULL;
    return OPTIONS_RUN;
}

void
options_free(struct options *o)
{
    daemon_cmdline_free(&o->daemon);
}
