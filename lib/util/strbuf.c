/* SPDX-License-Identifier: Apache-2.0 */
/* The growing string behind every reply, log line and status text.  Any thread, one owner. */

#include "util/strbuf.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "util/xalloc.h"

/* Makes room for `extra` more bytes and the terminator. */
static void
reserve(struct strbuf *b, size_t extra)
{
    size_t need = b->len + extra + 1;

    if (need > b->cap) {
        b->cap = MAX(need, b->cap ? b->cap * 2 : 64);
        b->data = xrealloc(b->data, b->cap);
    }
}

void
strbuf_free(struct strbuf *b)
{
    free(b->data);
    b->data = NULL;
    b->len = b->cap = 0;
}

void
strbuf_clear(struct strbuf *b)
{
    strbuf_truncate(b, 0);
}

void
strbuf_truncate(struct strbuf *b, size_t len)
{
    if (b->data && len <= b->len) {
        b->len = len;
        b->data[len] = '\0';
    }
}

void
strbuf_putc(struct strbuf *b, char c)
{
    reserve(b, 1);
    b->data[b->len++] = c;
    b->data[b->len] = '\0';
}

void
strbuf_puts(struct strbuf *b, const char *s)
{
    strbuf_put(b, s, strlen(s));
}

void
strbuf_put(struct strbuf *b, const void *p, size_t n)
{
    reserve(b, n);
    if (n) {
        memcpy(b->data + b->len, p, n);
    }
    b->len += n;
    b->data[b->len] = '\0';
}

void
strbuf_putf(struct strbuf *b, const char *format, ...)
{
    va_list args;

    va_start(args, format);
    strbuf_vputf(b, format, args);
    va_end(args);
}

void
strbuf_vputf(struct strbuf *b, const char *format, va_list args)
{
    va_list again;
    size_t room;
    int n;

    reserve(b, 32);
    room = b->cap - b->len;
    va_copy(again, args);
    n = vsnprintf(b->data + b->len, room, format, args);
    if (n >= 0 && (size_t) n >= room) {
        reserve(b, n);
        n = vsnprintf(b->data + b->len, b->cap - b->len, format, again);
    }
    va_end(again);
    if (n > 0) {
        b->len += n;
    }
    b->data[b->len] = '\0';
}

void
strbuf_chomp(struct strbuf *b, const char *suffix)
{
    size_t n = strlen(suffix);

    if (n && n <= b->len && !memcmp(b->data + b->len - n, suffix, n)) {
        strbuf_truncate(b, b->len - n);
    }
}

const char *
strbuf_cstr(const struct strbuf *b)
{
    return b->data ? b->data : "";
}

char *
strbuf_steal(struct strbuf *b)
{
    char *s = b->data ? b->data : xstrdup("");

    b->data = NULL;
    b->len = b->cap = 0;
    return s;
}
