/* SPDX-License-Identifier: Apache-2.0 */
#ifndef XVS_NETDEV_AFXDP_CNI_PRIVATE_H
#define XVS_NETDEV_AFXDP_CNI_PRIVATE_H 1

/* What cni-client.c (wishes, maps) and cni-session.c (sessions on the event loop) share. */

#include <stdint.h>
#include <urcu/list.h>
#include "netdev/afxdp/cni-client.h"
#include "os/evloop.h"
#include "xskcni/xskcni.h"

#define CNI_PATH_SZ 109 /* of a Unix socket, and a byte for what is too long */

struct cni_session;

/* A map that somebody wants and that is not there. */
struct cni_wish {
    struct cds_list_head node;
    char *device;
    char *dp_path;               /* NULL: by custom */
    struct cni_session *session; /* where it is asked for now; NULL: it pauses */
    int64_t since_ms, used_ms, retry_ms, pause_ms;
    bool prefetch; /* wanted by the environment: never given up */
    bool news;     /* to be announced */
    bool done;     /* to be freed then */
    char *text;    /* why it is not there; NULL: not known yet */
    char *refusal; /* what a plugin said last, which explains more than its absence later */
};

/* cni-client.c. */
int64_t cni_now_ms(void); /* the clock of all times here and of lib/xskcni */
/* Where a device's socket is.  0, EINVAL or ENAMETOOLONG. */
int cni_wish_path(const char *dp_path, const char *device, char *path, size_t sz);
/* The answer to a wish, by the session at `path`; takes `fd`. */
void cni_wish_answered(struct cni_wish *, const char *path, enum xskcni_result, int fd,
                       const char *message);
/* A session has opened.  Nobody knows whether the plugin will offer another: everything that it
 * could serve is asked for now. */
void cni_wishes_opened(const char *path);
/* Whether a map is from there, or wanted from there. */
bool cni_path_matters(const char *path);

/* cni-session.c.  The session for a path, made if need be; NULL with a sentence. */
struct cni_session *cni_session_get(struct evloop *, const char *path, char **errp);
/* 0 and cni_wish_answered() comes later; or EINVAL with a sentence. */
int cni_session_get_map(struct cni_session *, struct cni_wish *, char **errp);
/* The wish is about to be freed: no answer to it any more. */
void cni_session_cancel_map(struct cni_session *, struct cni_wish *);
/* As cni_client_busy_poll(): 0 and `cb` comes later; or an errno value with a sentence. */
int
cni_session_busy_poll(struct cni_session *, int xsk_fd, unsigned timeout_us, unsigned budget,
                      void (*cb)(void *aux, const char *error), void *aux, char **errp);
/* Frees sessions that have nothing to do at paths that no longer matter. */
void cni_sessions_collect(void);
void cni_sessions_show(struct strbuf *); /* a line each */

#endif
