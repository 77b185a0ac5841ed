/* SPDX-License-Identifier: Apache-2.0 */
/* Registers the frame arena as a UMEM.  Every port registers the same memory anew, so that each
 * has its own mode and lifetime while a frame's address means the same to all of them.  Called
 * by xsk-socket.c for a port's first socket, on the main thread. */

#include "netdev/afxdp/afxdp-private.h"

#include <errno.h>
#include <inttypes.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "netdev/afxdp/xsk-txmd.h"
#include "os/caps.h"
#include "util/xalloc.h"

/* The pages of a socket closed a moment ago may still be on the account. */
static int
try_register(int fd, const struct xsk_umem_reg *reg)
{
    while (setsockopt(fd, SOL_XDP, XDP_UMEM_REG, reg, sizeof *reg)) {
        int error = errno;
        if (error != ENOBUFS || !xsk_recently_closed()) {
            return error;
        }
        usleep(2000);
    }
    return 0;
}

int
xsk_umem_register(struct xsk_umem *umem, struct arena *arena, int fd, bool tx_metadata,
                  char **errp)
{
    struct xsk_umem_reg reg = {
        .addr = (uintptr_t) arena->base,
        .len = arena->size,
        .chunk_size = arena_frame_sz(arena),
        .headroom = FRAME_META_SZ,
        .flags = tx_metadata ? XSK_UMEM_TXMD_LEN : 0,
        .tx_metadata_len = tx_metadata ? XSK_TXMD_LEN : 0,
    };

    int error = try_register(fd, &reg);
    if (error == EINVAL && tx_metadata) { /* an older kernel */
        return xsk_umem_register(umem, arena, fd, false, errp);
    }
    if (error) {
        if (error == ENOBUFS && !caps_have_ipc_lock()) {
            error_set(errp,
                      "cannot pin %" PRIu64 " MiB of packet memory: the locked-memory limit "
                      "is %" PRIu64 " KiB; raise it (ulimit -l, LimitMEMLOCK=) or grant "
                      "CAP_IPC_LOCK",
                      arena->size >> 20, caps_memlock_limit() >> 10);
        } else {
            error_set(errp, "cannot register %" PRIu64 " MiB of packet memory (%s)",
                      arena->size >> 20, strerror(error));
        }
        return error;
    }
    umem->arena = arena;
    umem->owner_fd = fd;
    umem->tx_metadata = tx_metadata;
    return 0;
}
