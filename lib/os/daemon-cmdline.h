/* SPDX-License-Identifier: Apache-2.0 */
#ifndef XVS_OS_DAEMON_CMDLINE_H
#define XVS_OS_DAEMON_CMDLINE_H 1

/* The options that all our daemons have, and what they ask for: --detach, --no-chdir,
 * --pidfile, --overwrite-pidfile, --log-file and -v.  A program puts DAEMON_LONG_OPTIONS into
 * its table for getopt_long(3) and "v::" into its short options, and offers what it does not
 * know itself to daemon_cmdline_take().  Strings point into argv.  Main thread. */

#include <getopt.h>
#include <stdbool.h>
#include <stddef.h>
#include "os/daemon.h"

/* A program numbers its own long options from 256 on. */
enum {
    DAEMON_OPT_DETACH = 1024,
    DAEMON_OPT_NO_CHDIR,
    DAEMON_OPT_PIDFILE,
    DAEMON_OPT_OVERWRITE_PIDFILE,
    DAEMON_OPT_LOG_FILE,
};

/* clang-format off */
#define DAEMON_LONG_OPTIONS                                                                \
    {"detach", no_argument, NULL, DAEMON_OPT_DETACH},                                      \
    {"no-chdir", no_argument, NULL, DAEMON_OPT_NO_CHDIR},                                  \
    {"pidfile", optional_argument, NULL, DAEMON_OPT_PIDFILE},                              \
    {"overwrite-pidfile", no_argument, NULL, DAEMON_OPT_OVERWRITE_PIDFILE},                \
    {"log-file", optional_argument, NULL, DAEMON_OPT_LOG_FILE},                            \
    {"verbose", optional_argument, NULL, 'v'}
/* clang-format on */

/* All zero: nothing asked for. */
struct daemon_cmdline {
    struct daemon_options start;            /* but for the pidfile */
    bool pidfile, log_file;                 /* asked for ... */
    const char *pidfile_arg, *log_file_arg; /* ... under this name; NULL: the default */
    const char **verbose; /* specifications of -v in order; NULL in it: a bare -v */
    size_t n_verbose;
};

/* Takes what getopt_long() returned, with its `optarg`; false when it is none of ours. */
bool daemon_cmdline_take(struct daemon_cmdline *, int c, const char *arg);
void daemon_cmdline_free(struct daemon_cmdline *);

/* Sets the log levels that -v asked for.  False, with a sentence, at one that makes no sense.
 */
bool daemon_cmdline_set_levels(const struct daemon_cmdline *, char **errp);
/* Opens the log file, if asked for.  False, with a sentence, when that fails. */
bool daemon_cmdline_open_log(const struct daemon_cmdline *, char **errp);
/* daemon_start() with these options.  False, with a sentence, when that fails. */
bool daemon_cmdline_start(const struct daemon_cmdline *, char **errp);

#endif
