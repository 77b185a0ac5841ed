/* SPDX-License-Identifier: Apache-2.0 */
#ifndef XVS_OS_RCU_TSAN_H
#define XVS_OS_RCU_TSAN_H 1

/* What ThreadSanitizer must be told about liburcu, whose barriers it does not see.  Included by
 * os/rcu.h in builds with -fsanitize=thread only.
 *
 *   reader: whatever it did before a quiescent state, or before it went offline
 *     happens before
 *   writer: the end of a grace period that it waited for, and any callback of call_rcu()
 *
 * and no more than that: reads of a pointer are ordered by the pointer itself, which the
 * functions below load and store as C11 atomics.  What a thread changes in an object that
 * others still reach without a grace period in between thus stays visible as a race. */

#include <stdlib.h>

void __tsan_acquire(void *);
void __tsan_release(void *);

__attribute__((weak)) char rcu_tsan_readers;   /* quiescent states -> ends of grace periods */
__attribute__((weak)) char rcu_tsan_callbacks; /* ends of callbacks -> rcu_barrier() */

static inline void
rcu_tsan_quiescent_state(void)
{
    __tsan_release(&rcu_tsan_readers);
    rcu_quiescent_state();
}

static inline void
rcu_tsan_thread_offline(void)
{
    __tsan_release(&rcu_tsan_readers);
    rcu_thread_offline();
}

static inline void
rcu_tsan_unregister_thread(void)
{
    __tsan_release(&rcu_tsan_readers);
    rcu_unregister_thread();
}

static inline void
rcu_tsan_synchronize(void)
{
    __tsan_release(&rcu_tsan_readers); /* the caller counts as quiescent, too */
    synchronize_rcu();
    __tsan_acquire(&rcu_tsan_readers);
}

static inline void
rcu_tsan_barrier(void)
{
    __tsan_release(&rcu_tsan_readers);
    rcu_barrier();
    __tsan_acquire(&rcu_tsan_callbacks);
}

/* One callback on its way. */
struct rcu_tsan_call {
    struct rcu_head head;
    struct rcu_head *arg;
    void (*func)(struct rcu_head *);
};

static inline void
rcu_tsan_called(struct rcu_head *head)
{
    struct rcu_tsan_call *call = (struct rcu_tsan_call *) (void *) head; /* first member */

    __tsan_acquire(call);
    __tsan_acquire(&rcu_tsan_readers);
    call->func(call->arg);
    free(call);
    __tsan_release(&rcu_tsan_callbacks);
}

static inline void
rcu_tsan_call_rcu(struct rcu_head *head, void (*func)(struct rcu_head *))
{
    struct rcu_tsan_call *call = malloc(sizeof *call);

    if (!call) {
        abort(); /* the sanitizer's own malloc does so before us */
    }
    call->arg = head;
    call->func = func;
    __tsan_release(call);
    call_rcu(&call->head, rcu_tsan_called);
}

#undef rcu_quiescent_state
#undef rcu_thread_offline
#undef rcu_unregister_thread
#undef synchronize_rcu
#undef rcu_barrier
#undef call_rcu
#undef rcu_dereference
#undef rcu_assign_pointer
#define rcu_quiescent_state rcu_tsan_quiescent_state
#define rcu_thread_offline rcu_tsan_thread_offline
#define rcu_unregister_thread rcu_tsan_unregister_thread
#define synchronize_rcu rcu_tsan_synchronize
#define rcu_barrier rcu_tsan_barrier
#define call_rcu rcu_tsan_call_rcu
#define rcu_dereference(p) __atomic_load_n(&(p), __ATOMIC_ACQUIRE)
#define rcu_assign_pointer(p, v) __atomic_store_n(&(p), v, __ATOMIC_RELEASE)
/* Of lists: */
#undef CMM_STORE_SHARED
#define CMM_STORE_SHARED(p, v) __atomic_store_n(&(p), v, __ATOMIC_RELEASE)

#endif
