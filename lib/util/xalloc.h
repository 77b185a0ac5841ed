/* SPDX-License-Identifier: Apache-2.0 */
#ifndef XVS_UTIL_XALLOC_H
#define XVS_UTIL_XALLOC_H 1

/* Allocation that cannot fail.  For control-plane memory only: exhaustion aborts with one line
 * on stderr (the --monitor parent restarts the daemon).  Packet memory comes from lib/mem,
 * whose exhaustion is a counted drop.  Any thread; every result is released with free(). */

#include <stdarg.h>
#include <stddef.h>
#include "util/compiler.h"

/* At the start of a process that comes to own millions of small blocks.  By default the C
 * library leaves small blocks that are freed as they are until somebody wants a larger one, and
 * then joins all there are: up to 0.3 s after a million rules.  From here on each is joined
 * with its neighbours when it is freed. */
void xalloc_init(void);
void *xmalloc(size_t size);
void *xzalloc(size_t size);
void *xcalloc(size_t n, size_t size);
void *xrealloc(void *p, size_t size);
/* Memory aligned to (and rounded up to a multiple of) CACHE_LINE_SIZE, zeroed. */
void *xzalloc_cacheline(size_t size);
/* The same, for tables of megabytes that are read all over: on huge pages if the kernel gives
 * them (it is asked by madvise, and may refuse). */
void *xzalloc_huge(size_t size);
void *xmemdup(const void *p, size_t size);
char *xstrdup(const char *s);
/* NULL in, NULL out. */
char *xstrdup_nullable(const char *s);
char *xstrndup(const char *s, size_t max);
char *xasprintf(const char *format, ...) PRINTF_FORMAT(1, 2);
char *xvasprintf(const char *format, va_list args) PRINTF_FORMAT(1, 0);

/* Stores a newly formatted sentence in `*errp` unless errp is NULL; a sentence already there is
 * kept (the first error explains best).  The caller of the failing function frees it. */
void error_set(char **errp, const char *format, ...) PRINTF_FORMAT(2, 3);

#endif
