/* SPDX-License-Identifier: Apache-2.0 */
/* The XDP program of a port: loaded from the skeleton in this binary, its map of sockets
 * filled, attached by a bpf_link, which goes away with the process and cannot displace a
 * program that is there already.  Called on the main thread.  Needs no bpffs,
 * no CAP_SYS_RESOURCE and no locked memory: program and map are charged to the memory cgroup.
 */

#include "xdp/xdp-attach.h"

#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <errno.h>
#include <inttypes.h>
#include <linux/if_link.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "bpf/xsk_redirect.skel.h"
#include "log/log.h"
#include "util/xalloc.h"

LOG_MODULE(xdp_attach);

static int PRINTF_FORMAT(2, 0)
    libbpf_says(enum libbpf_print_level level, const char *format, va_list args)
{
    if (level != LIBBPF_DEBUG && log_this_module.max_level >= LOG_LVL_DBG) {
        char *text = xvasprintf(format, args);
        size_t len = strlen(text);

        if (len && text[len - 1] == '\n') {
            text[len - 1] = '\0';
        }
        LOG_DBG("%s", text);
        free(text);
    }
    return 0;
}

void
xdp_attach_init(struct xdp_attach *x)
{
    static bool libbpf_ready;

    if (!libbpf_ready) {
        libbpf_ready = true;
        libbpf_set_print(libbpf_says);
    }
    *x = (struct xdp_attach){.map_fd = -1, .link_fd = -1};
}

static const char *
remedy(int error)
{
    return error == EPERM || error == EACCES ? ": CAP_BPF and CAP_NET_ADMIN are needed" : "";
}

int
xdp_attach_load(struct xdp_attach *x, unsigned n_slots, bool frags, char **errp)
{
    struct bpf_prog_info info = {0};
    uint32_t info_len = sizeof info;
    int error;

    x->skel = xsk_redirect_bpf__open();
    if (!x->skel) {
        error = errno;
        error_set(errp, "cannot open the XDP program (%s)", strerror(error));
        return error;
    }
    error = -bpf_map__set_max_entries(x->skel->maps.xsks, n_slots);
    if (!error && frags) {
        error = -bpf_program__set_flags(x->skel->progs.xsk_redirect, BPF_F_XDP_HAS_FRAGS);
    }
    if (!error) {
        error = -xsk_redirect_bpf__load(x->skel);
    }
    if (!error) {
        x->map_fd = bpf_map__fd(x->skel->maps.xsks);
        int prog_fd = bpf_program__fd(x->skel->progs.xsk_redirect);
        error = -bpf_obj_get_info_by_fd(prog_fd, &info, &info_len);
    }
    if (error) {
        error_set(errp, "cannot load the XDP program%s (%s)%s",
                  frags ? " for packets in several pieces" : "", strerror(error),
                  remedy(error));
        xdp_attach_unload(x);
        return error;
    }
    x->prog_id = info.id;
    return 0;
}

int
xdp_attach_map_set(struct xdp_attach *x, unsigned slot, int xsk_fd, char **errp)
{
    uint32_t key = slot;

    if (bpf_map_update_elem(x->map_fd, &key, &xsk_fd, BPF_ANY)) {
        int error = errno;
        error_set(errp, "cannot enter the socket of queue %u into the XSKMAP (%s)", slot,
                  strerror(error));
        return error;
    }
    return 0;
}

void
xdp_attach_map_clear(struct xdp_attach *x, unsigned slot)
{
    uint32_t key = slot;

    if (x->map_fd >= 0) {
        bpf_map_delete_elem(x->map_fd, &key);
    }
}

static const char *
hook_name(int xdp_mode)
{
    return xdp_mode == XDP_ATTACHED_SKB  ? "generic"
           : xdp_mode == XDP_ATTACHED_HW ? "hardware"
                                         : "native";
}

int
xdp_attach_check_foreign(const struct rtnl_link *link, char **errp)
{
    if (link->xdp_mode == XDP_ATTACHED_NONE) {
        return 0;
    }
    if (link->xdp_prog_id) {
        error_set(errp,
                  "XDP program %" PRIu32 " of somebody else is attached to %s (%s mode) and "
                  "will not be displaced; remove it (ip link set dev %s xdp off) if nothing "
                  "needs it",
                  link->xdp_prog_id, link->name, hook_name(link->xdp_mode), link->name);
    } else {
        error_set(errp,
                  "several XDP programs of somebody else are attached to %s and will not be "
                  "displaced",
                  link->name);
    }
    return EEXIST;
}

/* Why an attachment failed, in words that lead somewhere: through bpf_link the kernel gives the
 * number only. */
static const char *
explain(int error, bool generic)
{
    switch (error) {
    case EOPNOTSUPP:
        return generic ? "the kernel cannot" : "the driver has no XDP support";
    case ERANGE:
        return "the MTU, or that of the veth peer, is too large for XDP";
    case ENOSPC:
        return "too few queues: a veth needs as many receive queues as its peer has transmit "
               "queues (ethtool -L)";
    case EPERM:
    case EACCES:
        return "CAP_NET_ADMIN and CAP_BPF are needed";
    default:
        return strerror(error);
    }
}

int
xdp_attach_link(struct xdp_attach *x, const char *ifname, int ifindex, bool generic,
                char **errp)
{
    DECLARE_LIBBPF_OPTS(bpf_link_create_opts, opts,
                        .flags = generic ? XDP_FLAGS_SKB_MODE : XDP_FLAGS_DRV_MODE);
    int prog_fd = bpf_program__fd(x->skel->progs.xsk_redirect);
    int fd = bpf_link_create(prog_fd, ifindex, BPF_XDP, &opts);

    if (fd >= 0) {
        x->link_fd = fd;
        return 0;
    }
    int error = -fd;
    if (error == EBUSY || error == EEXIST) {
        struct rtnl_link link;
        if (!rtnl_link_get(ifname, &link) && xdp_attach_check_foreign(&link, errp)) {
            return EEXIST;
        }
    }
    error_set(errp, "cannot attach the XDP program to %s in %s mode: %s", ifname,
              generic ? "generic" : "native", explain(error, generic));
    return error;
}

bool
xdp_attach_is_alive(const struct xdp_attach *x)
{
    struct bpf_link_info info = {0};
    uint32_t len = sizeof info;

    /* The kernel shows ifindex 0 once the link was detached or its device went away. */
    return bpf_obj_get_info_by_fd(x->link_fd, &info, &len) != 0 || info.xdp.ifindex != 0;
}

void
xdp_attach_unlink(struct xdp_attach *x)
{
    if (x->link_fd >= 0) {
        close(x->link_fd);
        x->link_fd = -1;
    }
}

void
xdp_attach_unload(struct xdp_attach *x)
{
    xdp_attach_unlink(x);
    xsk_redirect_bpf__destroy(x->skel);
    *x = (struct xdp_attach){.map_fd = -1, .link_fd = -1};
}
