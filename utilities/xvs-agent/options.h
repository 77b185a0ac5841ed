/* SPDX-License-Identifier: Apache-2.0 */
#ifndef XVS_AGENT_OPTIONS_H
#define XVS_AGENT_OPTIONS_H 1

/* The command line. */

#include <stdbool.h>
#include "os/daemon-cmdline.h"
#include "utilities/xvs-agent/config.h"

enum options_result { OPTIONS_RUN, OPTIONS_STATUS, OPTIONS_DONE, OPTIONS_BAD };

struct options {
    struct agent_config config;
    const char *control;
    bool json;
    struct daemon_cmdline daemon;
};

/* Prints help, version and complaints.  The strings are borrowed from `argv`. */
enum options_result options_parse(int argc, char *argv[], struct options *);
void options_free(struct options *);

#endif
