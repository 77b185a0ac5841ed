/* SPDX-License-Identifier: Apache-2.0 */
/* The log: modules and their levels, rate limits, and the way of one message to the console,
 * syslog and the file.  Any thread writes; one mutex orders the lines.  Settings are parsed in
 * log-set.c, lines are laid out in log-format.c, syslog is spoken in log-syslog.c. */

#include "log/log.h"

#include <errno.h>
#include <fcntl.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "log/log-private.h"
#include "os/clock.h"
#include "util/xalloc.h"

LOG_MODULE(vlog);

struct mutex log_mutex = MUTEX_INIT;
struct log_module *log_modules;
static struct mutex rate_mutex = MUTEX_INIT;

/* Guarded by log_mutex. */
static char *file_path;
/* Written with log_mutex held. */
static _Atomic int file_fd = -1;
static _Atomic unsigned last_serial;

int
log_file_fd(void)
{
    return file_fd;
}

unsigned
log_next_serial(void)
{
    return atomic_fetch_add_explicit(&last_serial, 1, memory_order_relaxed) + 1;
}

void
log_module_update__(struct log_module *m)
{
    int max = LOG_LVL_OFF;

    for (int d = 0; d < LOG_N_DESTS; d++) {
        if ((d != LOG_DEST_FILE || file_fd >= 0) && (int) m->levels[d] > max) {
            max = m->levels[d];
        }
    }
    atomic_store_explicit(&m->max_level, max, memory_order_relaxed);
}

static void
update_all__(void)
{
    for (struct log_module *m = log_modules; m; m = m->next) {
        log_module_update__(m);
    }
}

void
log_module_register(struct log_module *m)
{
    mutex_lock(&log_mutex);
    m->next = log_modules;
    log_modules = m;
    log_module_update__(m);
    mutex_unlock(&log_mutex);
}

/* Takes a token from the bucket, which holds per_minute of them and fills at that rate.  Stores
 * the number of messages held back since the last that passed in *dropped. */
static bool
rate_allow(struct log_rate_limit *rl, unsigned *dropped)
{
    int64_t now = clock_now_ms();
    int64_t start;
    unsigned used;
    bool allow;

    mutex_lock(&rate_mutex);
    start = atomic_load_explicit(&rl->window_start_ms, memory_order_relaxed);
    used = atomic_load_explicit(&rl->used, memory_order_relaxed);
    if (!start || now - start >= 60000 || now < start) {
        used = 0;
        start = now;
    } else if (rl->per_minute) {
        /* `start` advances only by whole tokens, so that no fraction is lost. */
        int64_t refill = (now - start) * rl->per_minute / 60000;

        used = (unsigned) MAX((int64_t) used - refill, 0);
        start += refill * 60000 / rl->per_minute;
    }
    allow = used < rl->per_minute;
    if (allow) {
        used++;
        *dropped = atomic_exchange_explicit(&rl->dropped, 0, memory_order_relaxed);
    } else {
        atomic_fetch_add_explicit(&rl->dropped, 1, memory_order_relaxed);
    }
    atomic_store_explicit(&rl->used, used, memory_order_relaxed);
    atomic_store_explicit(&rl->window_start_ms, start, memory_order_relaxed);
    mutex_unlock(&rate_mutex);
    return allow;
}

/* Writes all of `line` to `fd`; what cannot be written is lost, there is nobody to tell. */
static void
write_line(int fd, const struct strbuf *line)
{
    size_t done = 0;

    for (int tries = 0; done < line->len && tries < 100; tries++) {
        ssize_t n = write(fd, line->data + done, line->len - done);

        if (n > 0) {
            done += n;
        } else if (n < 0 && errno != EINTR) {
            return;
        }
    }
}

/* Sends one line of text (no newline in it) to every destination that wants it. */
static void
emit__(const struct log_module *m, enum log_level level, const char *text, size_t len)
{
    struct log_record r = {
        .module = m->name,
        .level = level,
        .text = text,
        .text_len = len,
        .serial = log_next_serial(),
        .wall_ms = clock_wall_ms(),
    };
    struct strbuf line = STRBUF_INIT;

    for (int d = 0; d < LOG_N_DESTS; d++) {
        if (level > m->levels[d] || (d == LOG_DEST_FILE && file_fd < 0)) {
            continue;
        }
        strbuf_clear(&line);
        log_format(&line, log_patterns[d], &r);
        switch ((enum log_dest) d) {
        case LOG_DEST_CONSOLE:
            strbuf_putc(&line, '\n');
            write_line(STDERR_FILENO, &line);
            break;
        case LOG_DEST_SYSLOG:
            log_syslog_send__(level, strbuf_cstr(&line));
            break;
        case LOG_DEST_FILE:
            strbuf_putc(&line, '\n');
            write_line(file_fd, &line);
            break;
        case LOG_N_DESTS:
            break;
        }
    }
    strbuf_free(&line);
}

void
log_write(struct log_module *m, enum log_level level, struct log_rate_limit *rl,
          const char *format, ...)
{
    struct strbuf text = STRBUF_INIT;
    int saved_errno = errno;
    unsigned dropped = 0;
    const char *p, *end;
    va_list args;

    if (rl && m->honor_rate_limits && !rate_allow(rl, &dropped)) {
        return;
    }
    errno = saved_errno; /* for %m */
    va_start(args, format);
    strbuf_vputf(&text, format, args);
    va_end(args);
    if (dropped) {
        strbuf_putf(&text, " (%u like it held back)", dropped);
    }
    strbuf_chomp(&text, "\n");

    mutex_lock(&log_mutex);
    for (p = strbuf_cstr(&text); p; p = end ? end + 1 : NULL) {
        end = strchr(p, '\n');
        emit__(m, level, p, end ? (size_t) (end - p) : strlen(p));
    }
    mutex_unlock(&log_mutex);
    strbuf_free(&text);
    errno = saved_errno;
}

/* Replaces the open log file by `path`, which stays the configured one even when it cannot be
 * opened, so that a later reopen can succeed. */
static int
file_open(const char *path)
{
    char *copy = xstrdup(path);
    int fd = open(path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0660);
    int error = fd < 0 ? errno : 0;

    mutex_lock(&log_mutex);
    if (file_fd >= 0) {
        close(file_fd);
    }
    file_fd = fd;
    free(file_path);
    file_path = copy;
    update_all__();
    mutex_unlock(&log_mutex);
    return error;
}

int
log_file_open(const char *path)
{
    int error = file_open(path);

    if (!error) {
        LOG_INFO("logging to file %s", path);
    } else {
        LOG_WARN("cannot open log file %s: %s", path, strerror(error));
    }
    return error;
}

int
log_file_reopen(void)
{
    char *path;
    int error;

    mutex_lock(&log_mutex);
    path = xstrdup_nullable(file_path);
    mutex_unlock(&log_mutex);
    if (!path) {
        return ENOENT;
    }
    error = log_file_open(path);
    free(path);
    return error;
}

void
log_file_close(void)
{
    mutex_lock(&log_mutex);
    if (file_fd >= 0) {
        close(file_fd);
        file_fd = -1;
        update_all__();
    }
    mutex_unlock(&log_mutex);
}

const char *
log_file_path(void)
{
    return file_path;
}

void
log_console_disable(void)
{
    mutex_lock(&log_mutex);
    for (struct log_module *m = log_modules; m; m = m->next) {
        m->levels[LOG_DEST_CONSOLE] = LOG_LVL_OFF;
        log_module_update__(m);
    }
    mutex_unlock(&log_mutex);
}
