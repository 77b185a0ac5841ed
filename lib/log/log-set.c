/* SPDX-License-Identifier: Apache-2.0 */
/* Log settings: the words of -v, --verbose and vlog/set, the patterns, and the vlog/ control
 * commands.  Main thread. */

#include <ctype.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "log/ctl.h"
#include "log/log-private.h"
#include "util/xalloc.h"

static const char *const level_names[] = {"OFF", "EMER", "ERR", "WARN", "INFO", "DBG"};
static const char *const dest_names[LOG_N_DESTS] = {"console", "syslog", "file"};

#define PATTERN_TAIL "|%05N|%c%T|%p|%m"
static const char *const default_patterns[LOG_N_DESTS] = {
    [LOG_DEST_CONSOLE] = "%D{%Y-%m-%dT%H:%M:%SZ}" PATTERN_TAIL,
    [LOG_DEST_SYSLOG] = "ovs" PATTERN_TAIL,
    [LOG_DEST_FILE] = "%D{%Y-%m-%dT%H:%M:%S.###Z}" PATTERN_TAIL,
};
char *log_patterns[LOG_N_DESTS];

/* Before any message can be written: constructors with a priority run first. */
__attribute__((constructor(101))) static void
log_patterns_init(void)
{
    for (int d = 0; d < LOG_N_DESTS; d++) {
        log_patterns[d] = xstrdup(default_patterns[d]);
    }
}

const char *
log_level_name(enum log_level level)
{
    return (size_t) level < ARRAY_SIZE(level_names) ? level_names[level] : "?";
}

bool
log_level_parse(const char *s, enum log_level *level)
{
    for (size_t i = 0; i < ARRAY_SIZE(level_names); i++) {
        if (!strcasecmp(s, level_names[i])) {
            *level = (enum log_level) i;
            return true;
        }
    }
    return false;
}

bool
log_dest_parse(const char *s, enum log_dest *dest)
{
    for (int d = 0; d < LOG_N_DESTS; d++) {
        if (!strcasecmp(s, dest_names[d])) {
            *dest = (enum log_dest) d;
            return true;
        }
    }
    return false;
}

static bool
same_module_name(const char *a, const char *b)
{
    for (; *a && *b; a++, b++) {
        int ca = *a == '-' ? '_' : tolower((unsigned char) *a);
        int cb = *b == '-' ? '_' : tolower((unsigned char) *b);

        if (ca != cb) {
            return false;
        }
    }
    return *a == *b;
}

struct log_module *
log_module_find(const char *name)
{
    for (struct log_module *m = log_modules; m; m = m->next) {
        if (same_module_name(m->name, name)) {
            return m;
        }
    }
    return NULL;
}

static void
set_level__(struct log_module *m, int dest, enum log_level level)
{
    for (int d = 0; d < LOG_N_DESTS; d++) {
        if (dest < 0 || d == dest) {
            m->levels[d] = level;
        }
    }
    log_module_update__(m);
}

/* "PATTERN:DEST:PAT" after the first colon. */
static char *
set_pattern(const char *rest)
{
    const char *colon = strchr(rest, ':');
    enum log_dest dest;
    char *name;
    bool all, ok;

    if (!colon) {
        return xasprintf("\"PATTERN\" needs a destination and a pattern, "
                         "as in PATTERN:file:%%m");
    }
    name = xstrndup(rest, (size_t) (colon - rest));
    all = !strcasecmp(name, "any");
    ok = all || log_dest_parse(name, &dest);
    if (!ok) {
        char *error = xasprintf("\"%s\" is not a log destination", name);

        free(name);
        return error;
    }
    free(name);
    mutex_lock(&log_mutex);
    for (int d = 0; d < LOG_N_DESTS; d++) {
        if (all || d == (int) dest) {
            free(log_patterns[d]);
            log_patterns[d] = xstrdup(colon + 1);
        }
    }
    mutex_unlock(&log_mutex);
    return NULL;
}

static char *
set_facility(const char *name)
{
    bool ok;

    mutex_lock(&log_mutex);
    ok = log_syslog_facility_set__(name);
    mutex_unlock(&log_mutex);
    return ok ? NULL : xasprintf("\"%s\" is not a syslog facility", name);
}

/* What the words of one level setting add up to. */
struct level_spec {
    struct log_module *module;
    bool foreign; /* names a module of stock OVS only: nothing to set */
    int dest;     /* -1: all */
    bool have_level;
    enum log_level level;
};

/* NULL, or a malloc'ed sentence. */
static char *
parse_word(struct level_spec *spec, const char *word)
{
    enum log_level level;
    enum log_dest dest;
    struct log_module *m;

    if (!strcasecmp(word, "any")) {
        return NULL; /* what is not narrowed down means all anyway */
    }
    if (log_level_parse(word, &level)) {
        if (spec->have_level) {
            return xasprintf("more than one log level given: \"%s\"", word);
        }
        spec->have_level = true;
        spec->level = level;
        return NULL;
    }
    if (log_dest_parse(word, &dest)) {
        if (spec->dest >= 0) {
            return xasprintf("more than one log destination given: \"%s\"", word);
        }
        spec->dest = (int) dest;
        return NULL;
    }
    m = log_module_find(word);
    if (!m && !log_module_is_foreign(word)) {
        return xasprintf("\"%s\" is neither a log module, nor a destination, nor a level",
                         word);
    }
    if (spec->module || spec->foreign) {
        return xasprintf("more than one log module given: \"%s\"", word);
    }
    spec->module = m;
    spec->foreign = !m;
    return NULL;
}

char *
log_set(const char *spec_text)
{
    struct level_spec spec = {.dest = -1, .level = LOG_LVL_DBG};
    char *copy, *word, *save = NULL;
    char *error = NULL;

    if (!strncasecmp(spec_text, "PATTERN:", 8)) {
        return set_pattern(spec_text + 8);
    } else if (!strncasecmp(spec_text, "FACILITY:", 9)) {
        return set_facility(spec_text + 9);
    }

    copy = xstrdup(spec_text);
    for (word = strtok_r(copy, " ,:\t", &save); word && !error;
         word = strtok_r(NULL, " ,:\t", &save)) {
        error = parse_word(&spec, word);
    }
    free(copy);
    if (error || spec.foreign) {
        return error;
    }
    mutex_lock(&log_mutex);
    for (struct log_module *m = log_modules; m; m = m->next) {
        /* Several files may share a name. */
        if (!spec.module || same_module_name(m->name, spec.module->name)) {
            set_level__(m, spec.dest, spec.level);
        }
    }
    mutex_unlock(&log_mutex);
    return NULL;
}

static int
compare_modules(const void *a_, const void *b_)
{
    const struct log_module *const *a = a_;
    const struct log_module *const *b = b_;

    return strcmp((*a)->name, (*b)->name);
}

void
log_list(struct strbuf *out)
{
    const struct log_module **sorted;
    size_t n = 0;
    size_t i = 0;

    mutex_lock(&log_mutex);
    for (struct log_module *m = log_modules; m; m = m->next) {
        n++;
    }
    sorted = xcalloc(n, sizeof *sorted);
    for (struct log_module *m = log_modules; m; m = m->next) {
        sorted[i++] = m;
    }
    qsort(sorted, n, sizeof *sorted, compare_modules);

    strbuf_puts(out, "                 console    syslog    file\n"
                     "                 -------    ------    ------\n");
    for (i = 0; i < n; i++) {
        if (i && !strcmp(sorted[i]->name, sorted[i - 1]->name)) {
            continue; /* of several files, set together */
        }
        strbuf_putf(out, "%-16s  %4s       %4s       %4s", sorted[i]->name,
                    log_level_name(sorted[i]->levels[LOG_DEST_CONSOLE]),
                    log_level_name(sorted[i]->levels[LOG_DEST_SYSLOG]),
                    log_level_name(sorted[i]->levels[LOG_DEST_FILE]));
        if (!sorted[i]->honor_rate_limits) {
            strbuf_puts(out, "    (rate limiting disabled)");
        }
        strbuf_putc(out, '\n');
    }
    mutex_unlock(&log_mutex);
    free(sorted);
}

static void
cmd_list(struct ctl_conn *conn, int argc, const char *const argv[], void *aux)
{
    struct strbuf out = STRBUF_INIT;

    log_list(&out);
    ctl_reply(conn, strbuf_cstr(&out));
    strbuf_free(&out);
}

static void
cmd_list_pattern(struct ctl_conn *conn, int argc, const char *const argv[], void *aux)
{
    static const char *const shown_names[LOG_N_DESTS] = {
        [LOG_DEST_CONSOLE] = "CONSOLE",
        [LOG_DEST_SYSLOG] = "SYSLOG",
        [LOG_DEST_FILE] = "FILE",
    };
    struct strbuf out = STRBUF_INIT;

    strbuf_puts(&out, "         prefix                            format\n"
                      "         ------                            ------\n");
    mutex_lock(&log_mutex);
    for (int d = 0; d < LOG_N_DESTS; d++) {
        strbuf_putf(&out, "%-7s  %-32s  %s\n", shown_names[d],
                    d == LOG_DEST_SYSLOG ? "<%B>%A:" : "none", log_patterns[d]);
    }
    mutex_unlock(&log_mutex);
    ctl_reply(conn, strbuf_cstr(&out));
    strbuf_free(&out);
}

static void
cmd_set(struct ctl_conn *conn, int argc, const char *const argv[], void *aux)
{
    for (int i = 1; i < argc; i++) {
        char *error = log_set(argv[i]);

        if (error) {
            ctl_reply_error(conn, error);
            free(error);
            return;
        }
    }
    ctl_reply(conn, "");
}

static void
cmd_reopen(struct ctl_conn *conn, int argc, const char *const argv[], void *aux)
{
    int error;

    if (!log_file_path()) {
        ctl_reply_error(conn, "no log file is configured");
        return;
    }
    error = log_file_reopen();
    if (error) {
        ctl_reply_errorf(conn, "cannot open %s: %s", log_file_path(), strerror(error));
    } else {
        ctl_reply(conn, "");
    }
}

static void
cmd_close(struct ctl_conn *conn, int argc, const char *const argv[], void *aux)
{
    log_file_close();
    ctl_reply(conn, "");
}

/* vlog/enable-rate-limit and -disable-rate-limit: `aux` is non-NULL to enable.  Words that are
 * neither modules nor "any" are told together; the others take effect. */
static void
cmd_rate_limit(struct ctl_conn *conn, int argc, const char *const argv[], void *aux)
{
    struct strbuf unknown = STRBUF_INIT;
    bool on = aux != NULL;

    mutex_lock(&log_mutex);
    for (int i = 1; i < argc; i++) {
        bool found = false;

        for (struct log_module *m = log_modules; m; m = m->next) {
            if (same_module_name(m->name, argv[i])) {
                m->honor_rate_limits = on;
                found = true;
            }
        }
        if (!found && strcasecmp(argv[i], "any") && !log_module_is_foreign(argv[i])) {
            strbuf_putf(&unknown, "\"%s\" is not a log module\n", argv[i]);
        }
    }
    for (struct log_module *m = log_modules; m; m = m->next) {
        if (argc == 1 || (argc == 2 && !strcasecmp(argv[1], "any"))) {
            m->honor_rate_limits = on;
        }
    }
    mutex_unlock(&log_mutex);
    if (unknown.len) {
        strbuf_chomp(&unknown, "\n");
        ctl_reply_error(conn, strbuf_cstr(&unknown));
    } else {
        ctl_reply(conn, "");
    }
    strbuf_free(&unknown);
}

void
log_commands_register(void)
{
    static char enable;

    ctl_command_register("vlog/list", "", 0, 0, cmd_list, NULL);
    ctl_command_register("vlog/list-pattern", "", 0, 0, cmd_list_pattern, NULL);
    ctl_command_register("vlog/set", "{spec | PATTERN:destination:pattern}...", 0, 1024,
                         cmd_set, NULL);
    ctl_command_register("vlog/reopen", "", 0, 0, cmd_reopen, NULL);
    ctl_command_register("vlog/close", "", 0, 0, cmd_close, NULL);
    ctl_command_register("vlog/enable-rate-limit", "[module]...", 0, 1024, cmd_rate_limit,
                         &enable);
    ctl_command_register("vlog/disable-rate-limit", "[module]...", 0, 1024, cmd_rate_limit,
                         NULL);
}
