/* SPDX-License-Identifier: Apache-2.0 */
#ifndef XVS_LOG_CTL_H
#define XVS_LOG_CTL_H 1

/* Registry of control commands (ovs-appctl).  Modules at any level register theirs here; the
 * unixctl server of lib/rpc receives requests and calls ctl_dispatch().  Main thread only. */

#include <stdbool.h>
#include "util/compiler.h"

/* One request in progress.  The transport embeds it.  Whoever holds the pointer replies exactly
 * once, now or later; the transport copes with a client that has gone meanwhile. */
struct ctl_conn {
    void (*reply)(struct ctl_conn *, bool ok, const char *text);
};

/* argv[0] is the command's name; argc - 1 is within min_args..max_args. */
typedef void ctl_handler(struct ctl_conn *, int argc, const char *const argv[], void *aux);

/* `usage` describes the arguments for list-commands, "" for none; strings are borrowed. */
void ctl_command_register(const char *name, const char *usage, int min_args, int max_args,
                          ctl_handler *, void *aux);
void ctl_reply(struct ctl_conn *, const char *text);              /* text may be "" */
void ctl_reply_error(struct ctl_conn *, const char *text);
void ctl_replyf(struct ctl_conn *, const char *format, ...) PRINTF_FORMAT(2, 3);
void ctl_reply_errorf(struct ctl_conn *, const char *format, ...) PRINTF_FORMAT(2, 3);
/* Looks the command up and checks arity (exact sentences: COMPAT "Common errors"). */
void ctl_dispatch(struct ctl_conn *, int argc, const char *const argv[]);
/* Registers list-commands and version. */
void ctl_base_commands_register(void);

/* memory/show: each subsystem adds "name:count" pairs. */
struct memory_report;
void memory_report_add(struct memory_report *, const char *name, unsigned long long count);
void memory_reporter_register(void (*cb)(struct memory_report *, void *aux), void *aux);
void memory_commands_register(void);

#endif
