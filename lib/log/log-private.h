/* SPDX-License-Identifier: Apache-2.0 */
#ifndef XVS_LOG_LOG_PRIVATE_H
#define XVS_LOG_LOG_PRIVATE_H 1

/* Shared by the log's own files; nobody else includes it.  A `__` suffix: caller holds
 * log_mutex. */

#include <stdbool.h>
#include <stdint.h>

#include "log/log.h"
#include "os/thread.h"

/* Guards the modules' levels, the patterns, the file and the syslog connection. */
extern struct mutex log_mutex;
extern struct log_module *log_modules; /* immutable once main() runs */
extern char *log_patterns[LOG_N_DESTS];

/* Recomputes max_level from the levels of the destinations in use. */
void log_module_update__(struct log_module *);

/* One line on its way out. */
struct log_record {
    const char *module;
    enum log_level level;
    const char *text; /* text_len bytes, no newline */
    size_t text_len;
    unsigned serial; /* 1 for the first line of the process */
    int64_t wall_ms;
};
/* Appends the line that `pattern` makes of the record (escapes: ovs-appctl(8) "vlog/set"). */
void log_format(struct strbuf *, const char *pattern, const struct log_record *);

const char *log_level_name(enum log_level); /* "EMER" ... "OFF" */
bool log_level_parse(const char *, enum log_level *);
bool log_dest_parse(const char *, enum log_dest *);
/* Finds a module; letter case is ignored and `-` stands for `_`.  NULL: none. */
struct log_module *log_module_find(const char *name);
/* True for the name of a module that stock Open vSwitch has and we lack: scripts name them in
 * -v options, which then change nothing. */
bool log_module_is_foreign(const char *name);

int log_file_fd(void);          /* -1: none; async-signal-safe, as is the next */
unsigned log_next_serial(void); /* of a line */

void log_syslog_send__(enum log_level, const char *line);
/* RFC 5424 section 6.2.1: facility * 8 + severity. */
int log_syslog_priority(enum log_level);
/* "daemon", "local0" ...; false when unknown. */
bool log_syslog_facility_set__(const char *name);

#endif
