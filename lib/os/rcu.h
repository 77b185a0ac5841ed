/* SPDX-License-Identifier: Apache-2.0 */
#ifndef XVS_OS_RCU_H
#define XVS_OS_RCU_H 1

/* Read-copy-update by liburcu, QSBR flavour: readers pay nothing; each registered thread reports
 * a quiescent state once per loop (rcu_quiescent_state()) and goes offline while it sleeps
 * (rcu_thread_offline() / rcu_thread_online()).  A pointer obtained by rcu_dereference() is
 * valid until the thread's next quiescent state.  The main thread's event loop goes offline
 * around its wait, hence RCU pointers must not be kept across event-loop callbacks.
 *
 * Threads are registered by os/thread.h; nobody else calls rcu_register_thread().
 *
 * liburcu 0.13 inlines the pointer operations under URCU_INLINE_SMALL_FUNCTIONS and the reader
 * side of QSBR (a few instructions each, which LGPL-2.1 section 5 lets any program include)
 * under _LGPL_SOURCE. */

#if defined __SANITIZE_THREAD__ /* gcc */
#define RCU_TSAN 1
#elif defined __has_feature /* clang */
#if __has_feature(thread_sanitizer)
#define RCU_TSAN 1
#endif
#endif

#if !defined _LGPL_SOURCE && !defined RCU_TSAN
#define _LGPL_SOURCE
#endif
#ifndef URCU_INLINE_SMALL_FUNCTIONS
#define URCU_INLINE_SMALL_FUNCTIONS
#endif
#include <urcu-qsbr.h>
#include <urcu/list.h>
#ifdef RCU_TSAN
#include "os/rcu-tsan.h" /* before the lists, which are then made of what it defines */
#endif
#include <urcu/rculist.h>

#endif
