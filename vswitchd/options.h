/* SPDX-License-Identifier: Apache-2.0 */
#ifndef XVS_VSWITCHD_OPTIONS_H
#define XVS_VSWITCHD_OPTIONS_H 1

/* The command line.  Strings point into argv or are NULL. */

#include <stdbool.h>
#include <stddef.h>
#include "os/daemon-cmdline.h"

struct options {
    const char *remotes; /* NULL: db.sock in the run folder */
    const char *unixctl; /* NULL: the default; "none": no control socket */
    const char *user;    /* --user */

    struct daemon_cmdline daemon;
    const char *syslog_method, *syslog_target;

    bool mlockall;
    bool seccomp;      /* confine the process to the system calls it needs */
    bool cni_prefetch; /* take the maps of AFXDP_DEVICES_* at start-up */
    bool dummy;
    const char *dummy_mode; /* "", "override" or "system" */
    const char *dummy_numa;

    const char *ssl_key, *ssl_cert, *ssl_ca, *ssl_protocols, *ssl_ciphers;
    bool ssl_bootstrap;
};

enum options_result {
    OPTIONS_RUN,  /* go on */
    OPTIONS_DONE, /* --help or --version was printed: exit with success */
    OPTIONS_BAD   /* a sentence was printed on stderr: exit with failure */
};
enum options_result options_parse(int argc, char *argv[], struct options *);
void options_free(struct options *);

#endif
