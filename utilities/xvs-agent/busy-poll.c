/* SPDX-License-Identifier: Apache-2.0 */
/* Busy polling for sockets of clients, and getting rid of descriptors that are no such sockets.
 * Called by sessions on the main thread; the closing threads touch nothing but their number. */

#include "utilities/xvs-agent/busy-poll.h"

#include <errno.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdint.h>
#include <sys/socket.h>
#include <unistd.h>

#include "log/coverage.h"
#include "os/thread.h"

#ifndef AF_XDP
#define AF_XDP 44
#endif
#ifndef SO_PREFER_BUSY_POLL
#define SO_PREFER_BUSY_POLL 69
#endif
#ifndef SO_BUSY_POLL_BUDGET
#define SO_BUSY_POLL_BUDGET 70
#endif

#define CLOSERS_MAX 4

COVERAGE_DEFINE(agent_foreign_fd);

static atomic_uint n_closers;

static int
get_option(int fd, int option)
{
    int value = -1;
    socklen_t len = sizeof value;
    return getsockopt(fd, SOL_SOCKET, option, &value, &len) ? -1 : value;
}

int
busy_poll_check(int fd)
{
    int domain = get_option(fd, SO_DOMAIN);
    if (domain < 0) {
        return ENOTSOCK;
    }
    return domain == AF_XDP && get_option(fd, SO_TYPE) == SOCK_RAW &&
                   get_option(fd, SO_PROTOCOL) == 0
               ? 0
               : EPROTOTYPE;
}

int
busy_poll_set(int fd, unsigned timeout_us, unsigned budget)
{
    int on = 1, timeout = (int) timeout_us, n = (int) budget;
    if (setsockopt(fd, SOL_SOCKET, SO_PREFER_BUSY_POLL, &on, sizeof on) ||
        setsockopt(fd, SOL_SOCKET, SO_BUSY_POLL, &timeout, sizeof timeout) ||
        setsockopt(fd, SOL_SOCKET, SO_BUSY_POLL_BUDGET, &n, sizeof n)) {
        return errno;
    }
    return 0;
}

bool
fd_disposal_ready(void)
{
    return atomic_load_explicit(&n_closers, memory_order_relaxed) < CLOSERS_MAX;
}

static void *
closer(void *arg)
{
    close((int) (intptr_t) arg);
    atomic_fetch_sub_explicit(&n_closers, 1, memory_order_relaxed);
    return NULL;
}

void
fd_dispose(int fd)
{
    pthread_attr_t attr;
    pthread_t thread;
    COVERAGE_INC(agent_foreign_fd);
    if (pthread_attr_init(&attr)) {
        return;
    }
    pthread_attr_setdetachstate(&attr, PTHREAD_CREATE_DETACHED);
    pthread_attr_setstacksize(&attr, 65536);
    atomic_fetch_add_explicit(&n_closers, 1, memory_order_relaxed);
    /* If no thread can be had the descriptor stays, and counts as one that is stuck. */
    (void) !pthread_create(&thread, &attr, closer, (void *) (intptr_t) fd);
    pthread_attr_destroy(&attr);
}
