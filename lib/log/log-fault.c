/* SPDX-License-Identifier: Apache-2.0 */
/* The last words of a process that dies of a fault: a line in the log's usual layout and the
 * calls that led there, to the log file and to standard error.  Runs in a signal handler, on
 * whatever thread has failed, which may hold any lock: hence no lock, no memory, no stdio.  It
 * knows nothing of patterns and levels. */

#include "log/log-private.h"

#include <execinfo.h>
#include <signal.h>
#include <sys/prctl.h>
#include <time.h>
#include <unistd.h>

#include "os/daemon.h"

#define MAX_CALLS 64

/* More than fits is cut off. */
struct text {
    size_t n;
    char s[320];
};

static void
put(struct text *t, const char *s)
{
    while (*s && t->n < sizeof t->s) {
        t->s[t->n++] = *s++;
    }
}

static void
put_number(struct text *t, uint64_t value, unsigned base, unsigned min_digits)
{
    char digits[24];
    unsigned n = sizeof digits - 1;

    digits[n] = '\0';
    do {
        digits[--n] = "0123456789abcdef"[value % base];
        value /= base;
    } while (value || sizeof digits - 1 - n < min_digits);
    put(t, digits + n);
}

/* 2026-11-23T22:28:14.123Z.  gmtime_r() takes a lock, hence the calendar is done here: years
 * begin in March, so that a leap day comes last, and 400 of them always have 146,097 days. */
static void
put_time(struct text *t)
{
    struct timespec now;

    clock_gettime(CLOCK_REALTIME, &now);
    uint64_t s = (uint64_t) now.tv_sec, days = s / 86400 + 719468; /* since 1 March 0000 */
    uint64_t era = days / 146097, day = days % 146097;
    uint64_t year = (day - day / 1460 + day / 36524 - day / 146096) / 365;
    uint64_t of_year = day - (365 * year + year / 4 - year / 100);
    uint64_t month = (5 * of_year + 2) / 153; /* 0: March */

    put_number(t, era * 400 + year + (month >= 10), 10, 4);
    put(t, "-");
    put_number(t, month < 10 ? month + 3 : month - 9, 10, 2);
    put(t, "-");
    put_number(t, of_year - (153 * month + 2) / 5 + 1, 10, 2);
    put(t, "T");
    put_number(t, s / 3600 % 24, 10, 2);
    put(t, ":");
    put_number(t, s / 60 % 60, 10, 2);
    put(t, ":");
    put_number(t, s % 60, 10, 2);
    put(t, ".");
    put_number(t, (uint64_t) now.tv_nsec / 1000000, 10, 3);
    put(t, "Z");
}

static void
put_cause(struct text *t, const siginfo_t *info)
{
    put(t, "dies of ");
    put(t, daemon_signal_name(info->si_signo));
    if (info->si_code <= 0) {
        if (info->si_pid != getpid()) {
            put(t, ", sent by process ");
            put_number(t, (uint64_t) info->si_pid, 10, 1);
        }
    } else if (info->si_signo == SIGSEGV || info->si_signo == SIGBUS) {
        put(t, " at address 0x");
        put_number(t, (uintptr_t) info->si_addr, 16, 1);
    }
}

void
log_fault_init(void)
{
    void *calls[1];

    (void) backtrace(calls, 1); /* it loads a library the first time */
}

void
log_fault(const siginfo_t *info)
{
    const int fds[] = {log_file_fd(), STDERR_FILENO};
    void *calls[MAX_CALLS];
    int n = backtrace(calls, MAX_CALLS);
    struct text t = {.n = 0};
    char thread[16] = "";

    put_time(&t);
    put(&t, "|");
    put_number(&t, log_next_serial(), 10, 5);
    put(&t, "|fatal_signal");
    if (gettid() != getpid() && !prctl(PR_GET_NAME, thread)) {
        put(&t, "(");
        put(&t, thread);
        put(&t, ")");
    }
    put(&t, "|EMER|");
    put_cause(&t, info);
    put(&t, "; the calls, last first (addr2line -fie FILE OFFSET tells more):\n");
    for (size_t i = 0; i < ARRAY_SIZE(fds); i++) {
        if (fds[i] >= 0 && write(fds[i], t.s, t.n) == (ssize_t) t.n) {
            backtrace_symbols_fd(calls, n, fds[i]);
        }
    }
}
