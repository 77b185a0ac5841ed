/* SPDX-License-Identifier: Apache-2.0 */
/* Control-plane allocation that either succeeds or ends the process with one line on stderr.
 * Called from everywhere, on any thread; it knows nothing of logging, because the log itself
 * allocates through here. */

#include "util/xalloc.h"

#include <malloc.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#define HUGE_PAGE_SIZE ((size_t) 2 << 20)

static void COLD __attribute__((noreturn)) out_of_memory(void)
{
    static const char text[] = "ovs-vswitchd: virtual memory exhausted\n";
    ssize_t n = write(STDERR_FILENO, text, sizeof text - 1);

    (void) n;
    abort();
}

void
xalloc_init(void)
{
    mallopt(M_MXFAST, 0);
}

void *
xmalloc(size_t size)
{
    void *p = malloc(size ? size : 1);

    if (UNLIKELY(!p)) {
        out_of_memory();
    }
    return p;
}

void *
xzalloc(size_t size)
{
    return xcalloc(1, size);
}

void *
xcalloc(size_t n, size_t size)
{
    void *p = n && size ? calloc(n, size) : calloc(1, 1);

    if (UNLIKELY(!p)) {
        out_of_memory();
    }
    return p;
}

void *
xrealloc(void *p, size_t size)
{
    p = realloc(p, size ? size : 1);
    if (UNLIKELY(!p)) {
        out_of_memory();
    }
    return p;
}

static void *
alloc_aligned(size_t alignment, size_t size)
{
    void *p;

    if (size > SIZE_MAX - alignment) {
        out_of_memory();
    }
    size = size ? ROUND_UP(size, alignment) : alignment;
    if (posix_memalign(&p, alignment, size)) {
        out_of_memory();
    }
    return p;
}

void *
xzalloc_cacheline(size_t size)
{
    void *p = alloc_aligned(CACHE_LINE_SIZE, size);

    memset(p, 0, ROUND_UP(size, CACHE_LINE_SIZE));
    return p;
}

void *
xzalloc_huge(size_t size)
{
    void *p = alloc_aligned(HUGE_PAGE_SIZE, size);

    madvise(p, ROUND_UP(size, HUGE_PAGE_SIZE), MADV_HUGEPAGE); /* before its first use */
    memset(p, 0, ROUND_UP(size, CACHE_LINE_SIZE));
    return p;
}

void *
xmemdup(const void *p, size_t size)
{
    void *copy = xmalloc(size);

    if (size) {
        memcpy(copy, p, size);
    }
    return copy;
}

char *
xstrdup(const char *s)
{
    return xmemdup(s, strlen(s) + 1);
}

char *
xstrdup_nullable(const char *s)
{
    return s ? xstrdup(s) : NULL;
}

char *
xstrndup(const char *s, size_t max)
{
    size_t len = strnlen(s, max);
    char *copy = xmalloc(len + 1);

    memcpy(copy, s, len);
    copy[len] = '\0';
    return copy;
}

char *
xasprintf(const char *format, ...)
{
    va_list args;
    char *s;

    va_start(args, format);
    s = xvasprintf(format, args);
    va_end(args);
    return s;
}

char *
xvasprintf(const char *format, va_list args)
{
    char *s;

    if (vasprintf(&s, format, args) < 0) {
        out_of_memory();
    }
    return s;
}

void
error_set(char **errp, const char *format, ...)
{
    va_list args;

    if (!errp || *errp) {
        return;
    }
    va_start(args, format);
    *errp = xvasprintf(format, args);
    va_end(args);
}
