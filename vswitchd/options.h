/* SPDX-License-Identifier: Apache-2.0 */
#ifndef XVS_VSWITCHD_OPTIONS_H
#define XVS_VSWITCHD_OPTIONS_H 1

/* The command line.  Strings point into argv or are NULL. */

#include <stdbool.h>
#include <stddef.h>

struct options {
    const char *remotes; /* NULL: db.sock in the run folder */
    const char *unixctl; /* NULL: the default; "none": no control socket */
    const char *user;    /* --user */

    bool detach, monitor, no_chdir, overwrite_pidfile;
    bool pidfile, log_file;                 /* asked for ... */
    const char *pidfile_arg, *log_file_arg; /* ... under this name; NULL: the default */

    const char **verbose; /* specifications of -v in order; NULL in it: a bare -v */
    size_t n_verbose;
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
