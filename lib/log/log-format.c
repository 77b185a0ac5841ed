/* SPDX-License-Identifier: Apache-2.0 */
/* Lays out a log line after a pattern of `%` escapes: %A application, %B RFC 5424 priority,
 * %c module, %d{} local and %D{} UTC time, %E host, %m message, %n newline, %N serial number,
 * %p level, %P pid, %r ms since start, %t and %T thread, each with optional `-`, `0` and width.
 * Called by the log with its mutex held. */

#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "log/log-private.h"
#include "os/clock.h"

#define DEFAULT_TIME_FORMAT "%Y-%m-%d %H:%M:%S.###"

static int64_t start_ns;

__attribute__((constructor)) static void
log_start_time_init(void)
{
    start_ns = clock_real_ns();
}

/* Appends the time after a strftime() format in which a run of `#` stands for the digits of the
 * second's fraction. */
static void
put_time(struct strbuf *out, const char *format, size_t format_len, int64_t wall_ms, bool utc)
{
    char fmt[128], text[256];
    time_t seconds = (time_t) (wall_ms / 1000);
    int fraction = (int) (wall_ms % 1000);
    struct tm tm;
    size_t n;

    if (format_len >= sizeof fmt) {
        format_len = sizeof fmt - 1;
    }
    memcpy(fmt, format, format_len);
    fmt[format_len] = '\0';
    if (!(utc ? gmtime_r(&seconds, &tm) : localtime_r(&seconds, &tm))) {
        return;
    }
    n = strftime(text, sizeof text, fmt, &tm);
    for (size_t i = 0; i < n; i++) {
        if (text[i] != '#') {
            strbuf_putc(out, text[i]);
            continue;
        }
        /* Milliseconds are all there is: digits past the third are zeros. */
        for (int divisor = 100; i < n && text[i] == '#'; i++, divisor /= 10) {
            strbuf_putc(out, divisor ? (char) ('0' + fraction / divisor % 10) : '0');
        }
        i--;
    }
}

/* Appends the text of one escape.  `arg`, `arg_len`: what stood in braces, or NULL. */
static void
put_field(struct strbuf *out, char field, const char *arg, size_t arg_len,
          const struct log_record *r)
{
    char host[256];

    switch (field) {
    case 'A':
        strbuf_puts(out, log_app_name());
        break;
    case 'B':
        strbuf_putf(out, "%d", log_syslog_priority(r->level));
        break;
    case 'c':
        strbuf_puts(out, r->module);
        break;
    case 'd':
    case 'D':
        if (!arg) {
            arg = DEFAULT_TIME_FORMAT;
            arg_len = strlen(arg);
        }
        put_time(out, arg, arg_len, r->wall_ms, field == 'D');
        break;
    case 'E':
        if (gethostname(host, sizeof host)) {
            host[0] = '\0';
        }
        host[sizeof host - 1] = '\0';
        strbuf_puts(out, host);
        break;
    case 'm':
        strbuf_put(out, r->text, r->text_len);
        break;
    case 'n':
        strbuf_putc(out, '\n');
        break;
    case 'N':
        strbuf_putf(out, "%u", r->serial);
        break;
    case 'p':
        strbuf_puts(out, log_level_name(r->level));
        break;
    case 'P':
        strbuf_putf(out, "%ld", (long) getpid());
        break;
    case 'r':
        strbuf_putf(out, "%lld", (long long) ((clock_real_ns() - start_ns) / 1000000));
        break;
    case 't':
        strbuf_puts(out, *thread_name() ? thread_name() : "main");
        break;
    case 'T':
        if (*thread_name()) {
            strbuf_putf(out, "(%s)", thread_name());
        }
        break;
    default: /* %% and unknown escapes stand for themselves */
        strbuf_putc(out, field);
        break;
    }
}

/* Pads what was appended since `start` to `width` characters. */
static void
pad(struct strbuf *out, size_t start, size_t width, bool left, char with)
{
    size_t have = out->len - start;

    if (have >= width) {
        return;
    }
    for (size_t i = have; i < width; i++) {
        strbuf_putc(out, left ? ' ' : with);
    }
    if (!left) {
        memmove(out->data + start + (width - have), out->data + start, have);
        memset(out->data + start, with, width - have);
    }
}

void
log_format(struct strbuf *out, const char *pattern, const struct log_record *r)
{
    for (const char *p = pattern; *p;) {
        const char *arg = NULL;
        size_t arg_len = 0;
        size_t width = 0;
        size_t start = out->len;
        bool left = false;
        char with = ' ';
        char field;

        if (*p != '%') {
            strbuf_putc(out, *p++);
            continue;
        }
        p++;
        for (; *p == '-' || *p == '0'; p++) {
            if (*p == '-') {
                left = true;
            } else {
                with = '0';
            }
        }
        for (; *p >= '0' && *p <= '9'; p++) {
            width = MIN(width * 10 + (size_t) (*p - '0'), 500);
        }
        if (!*p) {
            break;
        }
        field = *p++;
        if (*p == '{' && strchr("cdDtT", field)) {
            const char *close = strchr(p, '}');

            if (close) {
                arg = p + 1;
                arg_len = (size_t) (close - arg);
                p = close + 1;
            }
        }
        put_field(out, field, arg, arg_len, r);
        pad(out, start, width, left, with);
    }
}
