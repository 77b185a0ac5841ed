/* SPDX-License-Identifier: Apache-2.0 */
#ifndef XVS_XDP_XDP_ATTACH_H
#define XVS_XDP_XDP_ATTACH_H 1

/* The XDP program that hands packets to AF_XDP sockets: loaded from the skeleton in the binary,
 * with its map of sockets, attached by a bpf_link.  The one place that loads programs: the
 * switch uses it for its own ports, xvs-agent for those of unprivileged clients.
 *
 * Order: init, load, (map_set)*, link; and back: unlink, unload.  Main thread.  Needs CAP_BPF and
 * CAP_NET_ADMIN.  All return 0 or a positive errno with a sentence in *errp. */

#include <stdbool.h>
#include <stdint.h>
#include "os/rtnl.h"

struct xdp_attach {
    struct xsk_redirect_bpf *skel; /* NULL: not loaded */
    int map_fd;
    int link_fd; /* -1: not attached */
    uint32_t prog_id;
};

/* Up to this MTU, about, a packet is in one piece for any driver. */
#define XDP_ATTACH_MTU_ONE 3498

void xdp_attach_init(struct xdp_attach *);
/* Loads the program with a map of `n_slots`.  `frags`: it is to take packets in several pieces,
 * without which native mode stands no MTU much beyond 3,500 (Linux 5.18). */
int xdp_attach_load(struct xdp_attach *, unsigned n_slots, bool frags, char **errp);
int xdp_attach_map_set(struct xdp_attach *, unsigned slot, int xsk_fd, char **errp);
void xdp_attach_map_clear(struct xdp_attach *, unsigned slot);
/* Attaches at the driver's or the generic hook.  EEXIST: a foreign program is there. */
int xdp_attach_link(struct xdp_attach *, const char *ifname, int ifindex, bool generic,
                    char **errp);
/* EEXIST with a sentence that names the program if somebody else's is attached. */
int xdp_attach_check_foreign(const struct rtnl_link *, char **errp);
/* False once our link was detached by force or its device is gone. */
bool xdp_attach_is_alive(const struct xdp_attach *);
void xdp_attach_unlink(struct xdp_attach *); /* detaches */
void xdp_attach_unload(struct xdp_attach *);

#endif
