/* SPDX-License-Identifier: Apache-2.0 */
/* Questions about privileges.  Called where something may be forbidden, to say so in words. */

#include "os/caps.h"

#include <cap-ng.h>
#include <sys/resource.h>

bool
caps_have(int cap)
{
    /* libcap-ng keeps its state per thread. */
    return !capng_get_caps_process() &&
           capng_have_capability(CAPNG_EFFECTIVE, (unsigned) cap) == 1;
}

bool
caps_have_net_admin(void)
{
    return caps_have(CAP_NET_ADMIN);
}

bool
caps_have_net_raw(void)
{
    return caps_have(CAP_NET_RAW);
}

bool
caps_have_ipc_lock(void)
{
    return caps_have(CAP_IPC_LOCK);
}

uint64_t
caps_memlock_limit(void)
{
    struct rlimit limit;

    if (getrlimit(RLIMIT_MEMLOCK, &limit)) {
        return 0;
    }
    return limit.rlim_cur == RLIM_INFINITY ? UINT64_MAX : (uint64_t) limit.rlim_cur;
}
