/* SPDX-License-Identifier: Apache-2.0 */
/* Where a port's XSKMAP comes from: a program of our own (lib/xdp), the device plugin's socket
 * (use_cni), or a pin in a BPF filesystem (use_pinned_map); and busy polling, which an
 * unprivileged port asks of the plugin too.  Called by afxdp-port.c on the main thread.  It
 * knows no rings.
 *
 *             own program            use_cni                    use_pinned_map
 *   get       load program and map   cni_client_get_map(): lent  bpf(BPF_OBJ_GET)
 *   needs     CAP_BPF, CAP_NET_ADMIN nothing                     permission on the file
 *   attach    bpf_link               the plugin did              whoever pinned it did
 *   release   detach, free           nothing: kept               close */

#include "netdev/afxdp/afxdp-private.h"

#include <errno.h>
#include <inttypes.h>
#include <linux/if_link.h>
#include <linux/magic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/vfs.h>
#include <unistd.h>

#include <bpf/bpf.h>

#include "log/log.h"
#include "netdev/afxdp/cni-client.h"
#include "util/xalloc.h"
#include "xskcni/xskcni.h"

LOG_MODULE(afxdp_map);

#ifndef BPF_FS_MAGIC
#define BPF_FS_MAGIC 0xcafe4a11
#endif
#ifndef SO_PREFER_BUSY_POLL
#define SO_PREFER_BUSY_POLL 69
#define SO_BUSY_POLL_BUDGET 70
#endif

/* How long one poll of the kernel's may spin, in microseconds.  The pollers come around by
 * themselves, so only a sleeping one spins: not longer than a wakeup costs. */
#define BUSY_POLL_US 20

static const char *
dp_path(const struct afxdp_dev *dev)
{
    return dev->cfg.dp_path[0] ? dev->cfg.dp_path : NULL;
}

/* -- A pinned map. -- */

static void
say_pin(const char *path, int error, char **errp)
{
    struct statfs fs;
    char *folder = xstrdup(path), *slash = strrchr(folder, '/');

    if (slash && slash != folder) {
        *slash = '\0';
    }
    bool no_bpffs = !statfs(folder, &fs) && (uint64_t) fs.f_type != BPF_FS_MAGIC;
    free(folder);
    if (error == ENOENT) {
        error_set(
            errp,
            "no XSKMAP is pinned at %s%s: check that the device plugin pins maps and that "
            "the pod has its folder mounted, or set options:dp_path",
            path, no_bpffs ? " (nor is a BPF filesystem mounted there)" : "");
    } else if (no_bpffs) {
        error_set(errp,
                  "%s is not in a BPF filesystem, so no map can be pinned there: mount the "
                  "plugin's bpffs into the pod, or set options:dp_path",
                  path);
    } else if (error == EACCES || error == EPERM) {
        error_set(errp,
                  "user %u may not use the map pinned at %s (%s): check owner and mode of the "
                  "pin and of the folders above it",
                  (unsigned) geteuid(), path, strerror(error));
    } else if (error == EINVAL) {
        error_set(errp, "what is pinned at %s is not a BPF map: check options:dp_path", path);
    } else {
        error_set(errp, "cannot take the map pinned at %s (%s)", path, strerror(error));
    }
}

static int
open_pinned(struct afxdp_dev *dev, char **errp)
{
    char *path = dp_path(dev) ? xstrdup(dp_path(dev))
                              : xasprintf("/tmp/afxdp_dp/%s/xsks_map", dev->up.name);
    int fd = bpf_obj_get(path);
    int error = fd < 0 ? errno : 0;

    free(dev->map_path);
    dev->map_path = path;
    if (error) {
        say_pin(path, error, errp);
        return error == EINVAL ? EPROTO : error; /* tried again */
    }
    dev->map_fd = fd;
    return 0;
}

/* -- A map of somebody else, lent or pinned. -- */

/* Without a program no packet will ever come. */
static int
check_program(struct afxdp_dev *dev, const struct rtnl_link *link, char **errp)
{
    if (link->xdp_mode != XDP_ATTACHED_NONE) {
        dev->foreign_prog_id = link->xdp_prog_id;
        return 0;
    }
    error_set(
        errp,
        "no XDP program is attached to %s, so that its XSKMAP (%s) gets no packets: check "
        "the device plugin's log; the port comes up when the program is back",
        dev->up.name, dev->map_path);
    return ENOLINK;
}

static int
get_foreign(struct afxdp_dev *dev, const struct rtnl_link *link, char **errp)
{
    char err[XSKCNI_SENTENCE_MAX];
    const char *path;
    int error;

    if (dev->cfg.use_cni) {
        error = cni_client_get_map(dp_path(dev), dev->up.name, &dev->map_fd, &path, errp);
        if (!error) {
            free(dev->map_path);
            dev->map_path = xstrdup(path);
        }
        dev->map_lent = true;
    } else {
        dev->map_lent = false;
        error = open_pinned(dev, errp);
    }
    if (error) {
        return error;
    }
    error =
        xskcni_check_map(dev->map_fd, dev->cfg.start_queue + dev->cfg.n_rxq, err, sizeof err);
    if (error) {
        error_set(errp, "the XSKMAP of %s from %s cannot be used: %s", dev->up.name,
                  dev->map_path, err);
        error = error == EINVAL || error == EOPNOTSUPP ? EPROTO : error;
    } else {
        error = check_program(dev, link, errp);
    }
    if (error && dev->cfg.use_cni) {
        cni_client_doubt_map(dp_path(dev), dev->up.name);
    }
    return error;
}

int
afxdp_map_get(struct afxdp_dev *dev, const struct rtnl_link *link, char **errp)
{
    return afxdp_config_loads(&dev->cfg) ? xdp_attach_check_foreign(link, errp)
                                         : get_foreign(dev, link, errp);
}

int
afxdp_map_load(struct afxdp_dev *dev, char **errp)
{
    return afxdp_config_loads(&dev->cfg)
               ? xdp_attach_load(&dev->xdp, dev->cfg.start_queue + dev->cfg.n_rxq, dev->jumbo,
                                 errp)
               : 0;
}

int
afxdp_map_set(struct afxdp_dev *dev, const struct xsk_queue *q, char **errp)
{
    if (afxdp_config_loads(&dev->cfg)) {
        return xdp_attach_map_set(&dev->xdp, q->dev_qid, q->fd, errp);
    }
    int error = xskcni_map_set(dev->map_fd, q->dev_qid, q->fd);
    if (error) {
        error_set(errp,
                  "cannot enter the socket of queue %u into the XSKMAP of %s from %s (%s)%s",
                  q->dev_qid, dev->up.name, dev->map_path, strerror(error),
                  error == EPERM ? ": before Linux 5.19 that needs CAP_BPF" : "");
    }
    return error;
}

int
afxdp_map_attach(struct afxdp_dev *dev, enum afxdp_mode mode, char **errp)
{
    return afxdp_config_loads(&dev->cfg)
               ? xdp_attach_link(&dev->xdp, dev->up.name, dev->ifindex,
                                 mode == AFXDP_MODE_GENERIC, errp)
               : 0;
}

void
afxdp_map_unset(struct afxdp_dev *dev, const struct xsk_queue *q)
{
    if (dev->map_fd >= 0) {
        xskcni_map_clear(dev->map_fd, q->dev_qid);
    } else {
        xdp_attach_map_clear(&dev->xdp, q->dev_qid);
    }
}

void
afxdp_map_unload(struct afxdp_dev *dev)
{
    xdp_attach_unload(&dev->xdp);
}

void
afxdp_map_put(struct afxdp_dev *dev)
{
    if (dev->map_fd >= 0 && !dev->map_lent) {
        close(dev->map_fd);
    }
    dev->map_fd = -1;
    dev->foreign_prog_id = 0;
    free(dev->map_path);
    dev->map_path = NULL;
}

bool
afxdp_map_is_alive(struct afxdp_dev *dev, const struct rtnl_link *link)
{
    if (dev->map_fd < 0) {
        return xdp_attach_is_alive(&dev->xdp);
    }
    if (!link) {
        return true;
    }
    bool alive =
        link->xdp_mode != XDP_ATTACHED_NONE && link->xdp_prog_id == dev->foreign_prog_id;
    if (!alive && dev->cfg.use_cni) {
        cni_client_doubt_map(dp_path(dev), dev->up.name);
    }
    return alive;
}

void
afxdp_map_describe(const struct afxdp_dev *dev, struct strbuf *out)
{
    if (afxdp_config_loads(&dev->cfg)) {
        strbuf_putf(out, "program %" PRIu32, dev->xdp.prog_id);
    } else if (dev->cfg.use_cni) {
        strbuf_putf(out, "map from plugin %s (session: %s), its program %" PRIu32,
                    dev->map_path ? dev->map_path : "?",
                    dev->map_path ? cni_client_state(dev->map_path) : "none",
                    dev->foreign_prog_id);
    } else {
        strbuf_putf(out, "map pinned at %s, its program %" PRIu32,
                    dev->map_path ? dev->map_path : "?", dev->foreign_prog_id);
    }
}

/* -- Busy polling. -- */

static void
busy_poll_answered(void *queue_, const char *error)
{
    struct xsk_queue *q = queue_;
    struct afxdp_dev *dev = q->dev;

    if (!error) {
        atomic_store_explicit(&q->busy_poll, true, memory_order_relaxed);
    } else {
        free(dev->busy_poll_error);
        dev->busy_poll_error = xstrdup(error);
        LOG_INFO("%s: works without busy polling: %s", dev->up.name, error);
    }
    netdev_changed(&dev->up);
}

static int
set_busy_poll(int fd, int budget)
{
    int on = 1, timeout_us = BUSY_POLL_US;

    return setsockopt(fd, SOL_SOCKET, SO_PREFER_BUSY_POLL, &on, sizeof on) ||
                   setsockopt(fd, SOL_SOCKET, SO_BUSY_POLL, &timeout_us, sizeof timeout_us) ||
                   setsockopt(fd, SOL_SOCKET, SO_BUSY_POLL_BUDGET, &budget, sizeof budget)
               ? errno
               : 0;
}

void
afxdp_busy_poll_start(struct afxdp_dev *dev)
{
    free(dev->busy_poll_error);
    dev->busy_poll_error = NULL;
    for (unsigned i = 0; dev->cfg.busy_poll && i < dev->n_queues; i++) {
        struct xsk_queue *q = &dev->queues[i];
        int error = set_busy_poll(q->fd, (int) dev->cfg.busy_poll);

        q->dev = dev;
        if (!error) {
            atomic_store_explicit(&q->busy_poll, true, memory_order_relaxed);
        } else if (error == EPERM && dev->cfg.use_cni) {
            cni_client_busy_poll(dp_path(dev), dev->up.name, q->fd, BUSY_POLL_US,
                                 dev->cfg.busy_poll, busy_poll_answered, q);
        } else {
            free(dev->busy_poll_error);
            dev->busy_poll_error =
                xasprintf("busy-poll=%u could not be set (%s)%s", dev->cfg.busy_poll,
                          strerror(error), error == EPERM ? ": CAP_NET_ADMIN is missing" : "");
            LOG_INFO("%s: %s", dev->up.name, dev->busy_poll_error);
        }
    }
}

void
afxdp_busy_poll_stop(struct afxdp_dev *dev)
{
    for (unsigned i = 0; i < dev->n_queues; i++) {
        cni_client_busy_poll_cancel(&dev->queues[i]);
    }
}

const char *
afxdp_busy_poll_state(const struct afxdp_dev *dev)
{
    unsigned n = 0;

    for (unsigned i = 0; i < dev->n_queues; i++) {
        n += atomic_load_explicit(&dev->queues[i].busy_poll, memory_order_relaxed);
    }
    return !dev->cfg.busy_poll || !dev->n_queues ? NULL
           : n == dev->n_queues                  ? "on"
           : dev->busy_poll_error                ? dev->busy_poll_error
                                                 : "asked of the device plugin";
}
