/* SPDX-License-Identifier: Apache-2.0 */
#ifndef XVS_OS_THREAD_H
#define XVS_OS_THREAD_H 1

/* Threads and locks.  A thread started here is registered with RCU (see os/rcu.h), carries a
 * name that the log shows, blocks all signals, and releases its per-thread resources (frame
 * caches, counters) through the exit hooks when it returns. */

#include <pthread.h>
#include <stdbool.h>
#include "util/compiler.h"

/* Starts `fn(arg)`.  `name` as the log shows it, e.g. "pmd-c01/id:5".  Aborts on failure. */
pthread_t thread_start(const char *name, void *(*fn)(void *), void *arg);
/* Names the calling thread and registers it with RCU; main() calls it once with "". */
void thread_adopt(const char *name);
/* The calling thread's name; "" on the main thread. */
const char *thread_name(void);
/* Small number of the calling thread: main is 0, others count up from 1; used in logs ("id:5"). */
unsigned thread_id(void);
/* Registers a hook run on every thread's own exit, in reverse order of registration. */
void thread_exit_hook_add(void (*hook)(void));
/* Makes the exit hooks run also on a calling thread that neither thread_start() nor
 * thread_adopt() has seen; harmless on the others.  For whoever keeps per-thread state. */
void thread_exit_hooks_arm(void);
/* True when the calling thread is registered with RCU. */
bool thread_is_registered(void);
/* Joins while being RCU-offline, so that waiting cannot hold up a grace period. */
void thread_join(pthread_t);

struct LOCKABLE mutex {
    pthread_mutex_t m;
};
#define MUTEX_INIT { PTHREAD_MUTEX_INITIALIZER }
void mutex_init(struct mutex *);
void mutex_destroy(struct mutex *);
void mutex_lock(struct mutex *m) ACQUIRES(m);
bool mutex_trylock(struct mutex *m) TRY_ACQUIRES(true, m);
void mutex_unlock(struct mutex *m) RELEASES(m);

/* A lock for a handful of instructions (queue sides shared by PMDs); never held over a syscall. */
struct LOCKABLE spinlock {
    _Atomic unsigned char locked;
};
void spinlock_lock(struct spinlock *l) ACQUIRES(l);
bool spinlock_trylock(struct spinlock *l) TRY_ACQUIRES(true, l);
void spinlock_unlock(struct spinlock *l) RELEASES(l);

#endif
