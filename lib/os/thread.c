/* SPDX-License-Identifier: Apache-2.0 */
/* Threads, their names, numbers and exit hooks, and the two kinds of lock.  Everybody uses it;
 * it knows nothing of the log, which prints the names kept here. */

#include "os/thread.h"

#include <errno.h>
#include <sched.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "os/rcu.h"
#include "util/xalloc.h"

#define MAX_EXIT_HOOKS 32

struct start_args {
    char name[32];
    void *(*fn)(void *);
    void *arg;
};

static _Thread_local char my_name[32];
static _Thread_local unsigned my_id; /* 0: main, or not yet numbered */
static _Thread_local bool my_rcu;
static _Atomic unsigned last_id;

static struct mutex hooks_mutex = MUTEX_INIT;
static void (*hooks[MAX_EXIT_HOOKS])(void);
static _Atomic unsigned n_hooks;

static pthread_key_t exit_key;
static pthread_once_t exit_key_once = PTHREAD_ONCE_INIT;

static void COLD __attribute__((noreturn)) thread_abort(const char *what, int error)
{
    fprintf(stderr, "ovs-vswitchd: %s: %s\n", what, strerror(error));
    abort();
}

/* Destructor of exit_key: runs on the ending thread, its thread-local variables still alive.  A
 * hook that arms the hooks again gets another round, of which POSIX promises four. */
static void
run_exit_hooks(void *unused)
{
    unsigned n = atomic_load_explicit(&n_hooks, memory_order_acquire);

    while (n > 0) {
        hooks[--n]();
    }
    if (my_rcu) {
        my_rcu = false;
        rcu_unregister_thread();
    }
}

static void
create_exit_key(void)
{
    int error = pthread_key_create(&exit_key, run_exit_hooks);

    if (error) {
        thread_abort("pthread_key_create", error);
    }
}

void
thread_exit_hooks_arm(void)
{
    pthread_once(&exit_key_once, create_exit_key);
    pthread_setspecific(exit_key, &my_id);
}

void
thread_exit_hook_add(void (*hook)(void))
{
    unsigned n;

    mutex_lock(&hooks_mutex);
    n = atomic_load_explicit(&n_hooks, memory_order_relaxed);
    if (n >= MAX_EXIT_HOOKS) {
        thread_abort("thread_exit_hook_add", ENOSPC);
    }
    hooks[n] = hook;
    /* Release pairs with the acquire in run_exit_hooks(). */
    atomic_store_explicit(&n_hooks, n + 1, memory_order_release);
    mutex_unlock(&hooks_mutex);
}

static bool
is_main_thread(void)
{
    return getpid() == gettid();
}

void
thread_adopt(const char *name)
{
    snprintf(my_name, sizeof my_name, "%s", name);
    if (!is_main_thread()) {
        char os_name[16];

        snprintf(os_name, sizeof os_name, "%.15s", name);
        pthread_setname_np(pthread_self(), os_name);
    }
    if (!my_rcu) {
        my_rcu = true;
        rcu_register_thread();
    }
    thread_exit_hooks_arm();
}

static void *
thread_main(void *args_)
{
    struct start_args args = *(struct start_args *) args_;

    free(args_);
    thread_adopt(args.name);
    return args.fn(args.arg);
}

pthread_t
thread_start(const char *name, void *(*fn)(void *), void *arg)
{
    /* A fault must reach its handler even on a thread that blocks everything else. */
    static const int faults[] = {SIGSEGV, SIGBUS, SIGFPE, SIGILL, SIGABRT, SIGTRAP, SIGSYS};
    struct start_args *args = xzalloc(sizeof *args);
    sigset_t block, old;
    pthread_t t;
    int error;

    snprintf(args->name, sizeof args->name, "%s", name);
    args->fn = fn;
    args->arg = arg;

    sigfillset(&block);
    for (size_t i = 0; i < ARRAY_SIZE(faults); i++) {
        sigdelset(&block, faults[i]);
    }
    pthread_sigmask(SIG_BLOCK, &block, &old);
    error = pthread_create(&t, NULL, thread_main, args);
    pthread_sigmask(SIG_SETMASK, &old, NULL);
    if (error) {
        thread_abort("cannot create a thread", error);
    }
    return t;
}

const char *
thread_name(void)
{
    return my_name;
}

unsigned
thread_id(void)
{
    if (!my_id && !is_main_thread()) {
        my_id = atomic_fetch_add_explicit(&last_id, 1, memory_order_relaxed) + 1;
    }
    return my_id;
}

bool
thread_is_registered(void)
{
    return my_rcu;
}

void
thread_join(pthread_t t)
{
    bool online = my_rcu && rcu_read_ongoing();

    if (online) {
        rcu_thread_offline();
    }
    pthread_join(t, NULL);
    if (online) {
        rcu_thread_online();
    }
}

void
mutex_init(struct mutex *m)
{
    pthread_mutex_init(&m->m, NULL);
}

void
mutex_destroy(struct mutex *m)
{
    pthread_mutex_destroy(&m->m);
}

NO_THREAD_SAFETY void
mutex_lock(struct mutex *m)
{
    int error = pthread_mutex_lock(&m->m);

    if (UNLIKELY(error)) {
        thread_abort("pthread_mutex_lock", error);
    }
}

NO_THREAD_SAFETY bool
mutex_trylock(struct mutex *m)
{
    return !pthread_mutex_trylock(&m->m);
}

NO_THREAD_SAFETY void
mutex_unlock(struct mutex *m)
{
    int error = pthread_mutex_unlock(&m->m);

    if (UNLIKELY(error)) {
        thread_abort("pthread_mutex_unlock", error);
    }
}

static inline void
cpu_relax(void)
{
#if defined(__x86_64__)
    __builtin_ia32_pause();
#elif defined(__aarch64__)
    __asm__ __volatile__("yield");
#endif
}

NO_THREAD_SAFETY void
spinlock_lock(struct spinlock *l)
{
    unsigned spins = 0;

    while (!spinlock_trylock(l)) {
        /* Wait by reading, so that the holder keeps its cache line; when the holder may have
         * been preempted, let it run. */
        while (atomic_load_explicit(&l->locked, memory_order_relaxed)) {
            if (++spins % 1024) {
                cpu_relax();
            } else {
                sched_yield();
            }
        }
    }
}

NO_THREAD_SAFETY bool
spinlock_trylock(struct spinlock *l)
{
    /* Acquire pairs with the release in spinlock_unlock(). */
    return !atomic_exchange_explicit(&l->locked, 1, memory_order_acquire);
}

NO_THREAD_SAFETY void
spinlock_unlock(struct spinlock *l)
{
    atomic_store_explicit(&l->locked, 0, memory_order_release);
}
