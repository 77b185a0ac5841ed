/* SPDX-License-Identifier: Apache-2.0 */
#ifndef XVS_OS_CAPS_H
#define XVS_OS_CAPS_H 1

/* What this thread is allowed to do right now.  Any thread; each call asks the kernel. */

#include <stdbool.h>
#include <stdint.h>

/* Whether capability `cap` (CAP_ number of <linux/capability.h>) is effective. */
bool caps_have(int cap);
bool caps_have_net_admin(void);
bool caps_have_net_raw(void);
bool caps_have_ipc_lock(void);
/* Soft RLIMIT_MEMLOCK in bytes; UINT64_MAX when unlimited.  It does not bind a holder of
 * CAP_IPC_LOCK. */
uint64_t caps_memlock_limit(void);

#endif
