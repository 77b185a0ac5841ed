/* SPDX-License-Identifier: Apache-2.0 */
#ifndef XVS_UTIL_STRBUF_H
#define XVS_UTIL_STRBUF_H 1

/* A growing string, always null-terminated once anything was put into it.  No thread safety. */

#include <stdarg.h>
#include <stddef.h>
#include "util/compiler.h"

struct strbuf {
    char *data;   /* NULL until first use */
    size_t len;   /* bytes, without the terminator */
    size_t cap;
};
#define STRBUF_INIT { NULL, 0, 0 }

void strbuf_free(struct strbuf *);            /* leaves it empty and reusable */
void strbuf_clear(struct strbuf *);           /* length 0, memory kept */
void strbuf_truncate(struct strbuf *, size_t len);
void strbuf_putc(struct strbuf *, char);
void strbuf_puts(struct strbuf *, const char *);
void strbuf_put(struct strbuf *, const void *, size_t);
void strbuf_putf(struct strbuf *, const char *format, ...) PRINTF_FORMAT(2, 3);
void strbuf_vputf(struct strbuf *, const char *format, va_list) PRINTF_FORMAT(2, 0);
/* Removes `suffix` from the end when it is there (the comma after the last element). */
void strbuf_chomp(struct strbuf *, const char *suffix);
/* The string; "" when nothing was ever put.  Borrowed until the next change. */
const char *strbuf_cstr(const struct strbuf *);
/* The string as a malloc'ed block that the caller frees; the buffer is empty afterwards. */
char *strbuf_steal(struct strbuf *);

#endif
