/* SPDX-License-Identifier: Apache-2.0 */
/* Signal delivery into the event loop by signalfd, and removal of files at the end of the
 * process.  Main thread, but for the list of files, which any thread may extend, and the fatal
 * handlers, which run wherever the fault was. */

#include "os/signals.h"

#include <errno.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include "log/log.h"
#include "os/dirs.h"
#include "os/thread.h"
#include "util/compiler.h"
#include "util/xalloc.h"

struct signals {
    struct ev_io io;
    int fd;
    void (*cb)(int signo, void *aux);
    void *aux;
};

/* One file ever listed.  Nodes are never freed nor changed in their path, so that a handler can
 * walk the list at any instant; a path listed again finds its old node. */
struct cleanup_file {
    struct cleanup_file *next;
    _Atomic pid_t owner; /* 0: not to be removed */
    char path[];
};

static struct mutex files_mutex = MUTEX_INIT;
static struct cleanup_file *_Atomic files;

static const int fatal_signals[] = {SIGSEGV, SIGBUS, SIGFPE, SIGILL,  SIGABRT, SIGALRM,
                                    SIGTERM, SIGINT, SIGHUP, SIGXCPU, SIGXFSZ};
static struct sigaction old_actions[ARRAY_SIZE(fatal_signals)];

void
cleanup_files(void)
{
    pid_t me = getpid();

    for (struct cleanup_file *f = atomic_load_explicit(&files, memory_order_acquire); f;
         f = f->next) {
        pid_t owner = me;

        if (atomic_compare_exchange_strong_explicit(&f->owner, &owner, 0, memory_order_relaxed,
                                                    memory_order_relaxed)) {
            unlink(f->path);
        }
    }
}

static struct cleanup_file *
find__(const char *path)
{
    struct cleanup_file *f = atomic_load_explicit(&files, memory_order_relaxed);

    while (f && strcmp(f->path, path)) {
        f = f->next;
    }
    return f;
}

void
cleanup_file_add(const char *path)
{
    char *full = dirs_absolute(path);
    struct cleanup_file *f;

    mutex_lock(&files_mutex);
    f = find__(full);
    if (!f) {
        f = xzalloc(sizeof *f + strlen(full) + 1);
        strcpy(f->path, full);
        f->next = atomic_load_explicit(&files, memory_order_relaxed);
        /* Release pairs with the acquire in cleanup_files(). */
        atomic_store_explicit(&files, f, memory_order_release);
    }
    atomic_store_explicit(&f->owner, getpid(), memory_order_relaxed);
    mutex_unlock(&files_mutex);
    free(full);
}

void
cleanup_file_forget(const char *path)
{
    char *full = dirs_absolute(path);
    struct cleanup_file *f;

    mutex_lock(&files_mutex);
    f = find__(full);
    if (f) {
        atomic_store_explicit(&f->owner, 0, memory_order_relaxed);
    }
    mutex_unlock(&files_mutex);
    free(full);
}

int
cleanup_file_unlink(const char *path)
{
    char *full = dirs_absolute(path);
    int error;

    cleanup_file_forget(full);
    error = unlink(full) ? errno : 0;
    free(full);
    return error;
}

static bool
is_fault(int signo)
{
    return signo != SIGALRM && signo != SIGTERM && signo != SIGINT && signo != SIGHUP;
}

/* Removes the files, says why, then lets the signal do what it would have done without us. */
static void
fatal_handler(int signo, siginfo_t *info, void *context)
{
    cleanup_files();
    if (is_fault(signo)) {
        log_fault(info);
    }
    for (size_t i = 0; i < ARRAY_SIZE(fatal_signals); i++) {
        if (fatal_signals[i] == signo) {
            sigaction(signo, &old_actions[i], NULL);
        }
    }
    /* A real fault recurs by itself on return, with its true address; anything else is raised
     * again and delivered as soon as this handler returns. */
    if (info->si_code <= 0 ||
        (signo != SIGSEGV && signo != SIGBUS && signo != SIGFPE && signo != SIGILL)) {
        raise(signo);
    }
}

void
signals_init(void)
{
    struct sigaction sa;

    log_fault_init();
    memset(&sa, 0, sizeof sa);
    sa.sa_handler = SIG_IGN;
    sigaction(SIGPIPE, &sa, NULL);

    memset(&sa, 0, sizeof sa);
    sa.sa_sigaction = fatal_handler;
    sa.sa_flags = SA_SIGINFO;
    sigemptyset(&sa.sa_mask);
    for (size_t i = 0; i < ARRAY_SIZE(fatal_signals); i++) {
        sigaction(fatal_signals[i], NULL, &old_actions[i]);
        /* What the parent had ignored (nohup) stays ignored. */
        if (old_actions[i].sa_handler != SIG_IGN) {
            sigaction(fatal_signals[i], &sa, NULL);
        }
    }
    atexit(cleanup_files);
}

static void
watched_set(sigset_t *set)
{
    sigemptyset(set);
    sigaddset(set, SIGTERM);
    sigaddset(set, SIGINT);
    sigaddset(set, SIGHUP);
}

static void
on_signal(struct ev_io *io, short revents)
{
    struct signals *s = io->aux;
    struct signalfd_siginfo info;

    /* One a turn: the callback may well destroy the watcher. */
    if (read(s->fd, &info, sizeof info) == sizeof info) {
        s->cb((int) info.ssi_signo, s->aux);
    }
}

int
signals_watch(struct evloop *loop, void (*cb)(int signo, void *aux), void *aux,
              struct signals **sp)
{
    struct signals *s;
    sigset_t set;
    int fd;

    watched_set(&set);
    fd = signalfd(-1, &set, SFD_NONBLOCK | SFD_CLOEXEC);
    if (fd < 0) {
        return errno;
    }
    pthread_sigmask(SIG_BLOCK, &set, NULL);
    s = xzalloc(sizeof *s);
    s->fd = fd;
    s->cb = cb;
    s->aux = aux;
    ev_io_init(&s->io, loop, on_signal, s);
    ev_io_start(&s->io, fd, POLLIN);
    *sp = s;
    return 0;
}

void
signals_unwatch(struct signals *s)
{
    sigset_t set;

    if (s) {
        ev_io_stop(&s->io);
        close(s->fd);
        free(s);
        watched_set(&set);
        pthread_sigmask(SIG_UNBLOCK, &set, NULL);
    }
}
