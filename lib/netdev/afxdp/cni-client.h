/* SPDX-License-Identifier: Apache-2.0 */
#ifndef XVS_NETDEV_AFXDP_CNI_CLIENT_H
#define XVS_NETDEV_AFXDP_CNI_CLIENT_H 1

/* XSKMAPs from the AF_XDP device plugin, for all ports (options:use_cni).
 *
 *   maps       remembered by (socket path, device) for the life of the process, and with
 *              --monitor beyond its crash: most plugins hand a map over only once
 *   wishes     (dp_path, device) that have no map yet: asked for at once, then with growing
 *              pauses of 1 to 30 s until the plugin is there, or nobody asked for 90 s
 *   sessions   one per socket path, kept open until 3 s have passed without a request
 *
 * Nothing here blocks: lib/xskcni on the main event loop.  When an answer is there, the device
 * is announced (netdev_announce()), upon which the bridge tries its port again.  Main thread.
 */

#include <stdbool.h>
#include "util/strbuf.h"

struct evloop;

#define CNI_CLIENT_QUIET_MS 3000
#define CNI_CLIENT_RETRY_MIN_MS 1000
#define CNI_CLIENT_RETRY_MAX_MS 30000
#define CNI_CLIENT_WISH_MS 90000

/* Takes over what the monitor has kept.  Once. */
void cni_client_init(struct evloop *);

/* The map of `device` from the plugin at `dp_path`, NULL: where plugins listen by custom.
 * 0: *fd (may be NULL) is the map, lent until somebody doubts it, *path (may be
 * NULL) where it is from.
 * EINPROGRESS: the plugin has been asked, the answer comes within seconds and is announced.
 * EAGAIN: the plugin is not there or refused; it will be asked again, and news are announced.
 * EINVAL: can never work.  All but 0 with a sentence in *errp. */
int cni_client_get_map(const char *dp_path, const char *device, int *fd, const char **path,
                       char **errp);
/* The map turned out to be of no use, or its program is gone: next time the plugin is asked
 * first, and the old map serves only if it has no new one. */
void cni_client_doubt_map(const char *dp_path, const char *device);

/* Asks for the maps of all devices that the environment variables AFXDP_DEVICES_* name. */
void cni_client_prefetch(void);

/* Asks the plugin to set busy polling on the socket `xsk_fd`.  `cb` is called once, later, with
 * NULL or the sentence of a failure, unless canceled; `aux` names the request. */
void
cni_client_busy_poll(const char *dp_path, const char *device, int xsk_fd, unsigned timeout_us,
                     unsigned budget, void (*cb)(void *aux, const char *error), void *aux);
void cni_client_busy_poll_cancel(const void *aux);

/* What the session at `path` is doing, e.g. "ready"; "none" without one. */
const char *cni_client_state(const char *path);
/* Sessions, maps and wishes, a line each; nothing when there are none. */
void cni_client_show(struct strbuf *);

#endif
