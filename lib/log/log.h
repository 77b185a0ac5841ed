/* SPDX-License-Identifier: Apache-2.0 */
#ifndef XVS_LOG_LOG_H
#define XVS_LOG_LOG_H 1

/* Logging in the layout that OVS users know: `2026-11-22T19:38:59.729Z|00001|module|INFO|text`,
 * a thread's name in parentheses after the module on other threads than main.
 *
 * Each .c file that logs says once `LOG_MODULE(name);` and calls LOG_INFO() and its kin.  Any
 * thread.  Never called on the fast path: there a counter is incremented (log/coverage.h). */

#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include "util/compiler.h"
#include "util/strbuf.h"

enum log_level { LOG_LVL_OFF, LOG_LVL_EMER, LOG_LVL_ERR, LOG_LVL_WARN, LOG_LVL_INFO, LOG_LVL_DBG };
enum log_dest { LOG_DEST_CONSOLE, LOG_DEST_SYSLOG, LOG_DEST_FILE, LOG_N_DESTS };

struct log_module {
    const char *name;
    enum log_level levels[LOG_N_DESTS];
    _Atomic int max_level;             /* most verbose of the three: the one test a call pays */
    bool honor_rate_limits;
    struct log_module *next;
};
void log_module_register(struct log_module *);

#define LOG_MODULE(NAME)                                                                   \
    static struct log_module log_this_module = {                                           \
        .name = #NAME,                                                                     \
        .levels = { LOG_LVL_INFO, LOG_LVL_INFO, LOG_LVL_INFO },                            \
        .max_level = LOG_LVL_INFO,                                                         \
        .honor_rate_limits = true,                                                         \
    };                                                                                     \
    __attribute__((constructor)) static void log_register_this_module(void)                \
    {                                                                                      \
        log_module_register(&log_this_module);                                             \
    }                                                                                      \
    struct log_module /* swallows the semicolon */

/* Token bucket: at most `per_minute` messages a minute (that many at once); what was held back
 * is told with the next message that passes. */
struct log_rate_limit {
    unsigned per_minute;
    _Atomic int64_t window_start_ms;
    _Atomic unsigned used;
    _Atomic unsigned dropped;
};
#define LOG_RATE_LIMIT(PER_MINUTE) { .per_minute = (PER_MINUTE) }

#define LOG_AT(LEVEL, RL, ...)                                                             \
    do {                                                                                   \
        if (UNLIKELY(log_this_module.max_level >= (LEVEL))) {                              \
            log_write(&log_this_module, LEVEL, RL, __VA_ARGS__);                           \
        }                                                                                  \
    } while (0)
#define LOG_EMER(...) LOG_AT(LOG_LVL_EMER, NULL, __VA_ARGS__)
#define LOG_ERR(...)  LOG_AT(LOG_LVL_ERR, NULL, __VA_ARGS__)
#define LOG_WARN(...) LOG_AT(LOG_LVL_WARN, NULL, __VA_ARGS__)
#define LOG_INFO(...) LOG_AT(LOG_LVL_INFO, NULL, __VA_ARGS__)
#define LOG_DBG(...)  LOG_AT(LOG_LVL_DBG, NULL, __VA_ARGS__)
#define LOG_ERR_RL(RL, ...)  LOG_AT(LOG_LVL_ERR, RL, __VA_ARGS__)
#define LOG_WARN_RL(RL, ...) LOG_AT(LOG_LVL_WARN, RL, __VA_ARGS__)
#define LOG_INFO_RL(RL, ...) LOG_AT(LOG_LVL_INFO, RL, __VA_ARGS__)
#define LOG_DBG_RL(RL, ...)  LOG_AT(LOG_LVL_DBG, RL, __VA_ARGS__)

void log_write(struct log_module *, enum log_level, struct log_rate_limit *, const char *format,
               ...) PRINTF_FORMAT(4, 5);

/* -v / --verbose / vlog/set syntax: words separated by space, comma or colon in any order
 * (module, destination, level; "PATTERN:DEST:PAT", "FACILITY:daemon").  NULL on success, else a
 * malloc'ed sentence and no change. */
char *log_set(const char *spec) MUST_USE;
/* Opens `path` for the FILE destination; errno value on failure. */
int log_file_open(const char *path);
int log_file_reopen(void);                  /* vlog/reopen, after rotation */
void log_file_close(void);
const char *log_file_path(void);            /* NULL when none */
/* "libc" (the default), "null", "unix:PATH" or "udp:IP:PORT".  An unknown or unusable one is told
 * in the log and leaves the method as it was. */
void log_set_syslog_method(const char *method);
/* The name that %A and syslog show; `name` is copied.  Before: the executable's file name. */
void log_set_app_name(const char *name);
const char *log_app_name(void);
void log_list(struct strbuf *);             /* vlog/list layout */
/* After detaching: nothing goes to the console any more. */
void log_console_disable(void);
/* The last words of a process that a fault ends, to file and console.  Async-signal-safe, any
 * thread; log_fault_init() once before. */
void log_fault_init(void);
void log_fault(const siginfo_t *);
/* Registers vlog/list, list-pattern, set, reopen, close, enable- and disable-rate-limit. */
void log_commands_register(void);

#endif
