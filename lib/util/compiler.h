/* SPDX-License-Identifier: Apache-2.0 */
#ifndef XVS_UTIL_COMPILER_H
#define XVS_UTIL_COMPILER_H 1

/* Compiler attributes, branch hints, and clang thread-safety annotations.
 *
 * The annotations are checked by clang's -Wthread-safety and vanish elsewhere: a member marked
 * GUARDED_BY(lock) may be touched only while `lock` is held, and a function marked
 * REQUIRES(lock) may be called only so. */

#include <stddef.h>

#define LIKELY(x)       __builtin_expect(!!(x), 1)
#define UNLIKELY(x)     __builtin_expect(!!(x), 0)
#define ALWAYS_INLINE   inline __attribute__((always_inline))
#define NOINLINE        __attribute__((noinline))
#define COLD            __attribute__((cold))
#define PRINTF_FORMAT(fmt, args) __attribute__((format(printf, fmt, args)))
#define MUST_USE        __attribute__((warn_unused_result))
#define CACHE_LINE_SIZE 64
#define CACHE_ALIGNED   __attribute__((aligned(CACHE_LINE_SIZE)))
#define ARRAY_SIZE(a)   (sizeof(a) / sizeof((a)[0]))
#define CONTAINER_OF(ptr, type, member) \
    ((type *) (void *) ((char *) (ptr) - offsetof(type, member)))
/* The smaller and the larger of two numbers, by C's usual conversions.  Each is evaluated once:
 * it may be a call, or something that another thread changes. */
#define MIN(a, b) PICK__(<, a, b, UNIQUE__(pick_a), UNIQUE__(pick_b))
#define MAX(a, b) PICK__(>, a, b, UNIQUE__(pick_a), UNIQUE__(pick_b))
#define PICK__(op, a, b, va, vb) \
    __extension__({ \
        const __typeof__(0 ? (a) : (b)) va = (a), vb = (b); \
        va op vb ? va : vb; \
    })
#define UNIQUE__(name)             UNIQUE_PASTE__(name, __COUNTER__)
#define UNIQUE_PASTE__(a, b)       UNIQUE_PASTE_AGAIN__(a, b)
#define UNIQUE_PASTE_AGAIN__(a, b) a##b
#define DIV_ROUND_UP(n, d) (((n) + (d) - 1) / (d))
#define ROUND_UP(n, to) (DIV_ROUND_UP(n, to) * (to))

#if defined(__clang__)
#define THREAD_ANNOTATION(x) __attribute__((x))
#else
#define THREAD_ANNOTATION(x)
#endif

#define LOCKABLE         THREAD_ANNOTATION(capability("mutex"))
#define GUARDED_BY(x)    THREAD_ANNOTATION(guarded_by(x))
#define REQUIRES(...)    THREAD_ANNOTATION(requires_capability(__VA_ARGS__))
#define ACQUIRES(...)    THREAD_ANNOTATION(acquire_capability(__VA_ARGS__))
#define TRY_ACQUIRES(ok, ...) THREAD_ANNOTATION(try_acquire_capability(ok, __VA_ARGS__))
#define RELEASES(...)    THREAD_ANNOTATION(release_capability(__VA_ARGS__))
#define EXCLUDES(...)    THREAD_ANNOTATION(locks_excluded(__VA_ARGS__))
#define NO_THREAD_SAFETY THREAD_ANNOTATION(no_thread_safety_analysis)

#endif
