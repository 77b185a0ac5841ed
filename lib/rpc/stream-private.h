/* SPDX-License-Identifier: Apache-2.0 */
#ifndef XVS_RPC_STREAM_PRIVATE_H
#define XVS_RPC_STREAM_PRIVATE_H 1

/* Shared by stream.c, stream-listen.c, stream-target.c and stream-ssl.c only. */

#include <sys/socket.h>
#include "rpc/stream.h"
#include "util/compiler.h"

struct stream_target {
    enum stream_kind kind;
    bool passive;
    char *path;                   /* absolute, for STREAM_UNIX */
    struct sockaddr_storage addr; /* else */
    socklen_t addr_len;
};

int stream_target_parse(const char *text, struct stream_target *, char **errp);
void stream_target_free(struct stream_target *);
/* connect(2) or bind(2) to a Unix socket of any path length (long ones go through a descriptor
 * of the folder).  0 or errno. */
int stream_unix_attach(int fd, const char *path,
                       int (*attach)(int, const struct sockaddr *, socklen_t));

/* Marks what a TCP socket sends; nothing happens to others. */
void stream_mark_fd(int fd, unsigned dscp);

enum stream_state { STREAM_CONNECTING, STREAM_HANDSHAKE, STREAM_OPEN, STREAM_FAILED };

struct stream {
    struct evloop *loop;
    struct ev_io io;
    struct ev_timer soon;
    stream_ready_cb *ready;
    void *aux;
    char *name;
    char *error;
    int fd;
    bool recv_paused;
    enum stream_state state;
    struct stream_tls *tls;     /* NULL: plain */
    short rx_events, tx_events; /* what reading, writing wait for; differ only for TLS */
};

/* Wraps a connected (or connecting) socket, which the stream then owns. */
struct stream *stream_wrap(struct evloop *, int fd, const char *name, enum stream_state);
void stream_fail(struct stream *, const char *format, ...) PRINTF_FORMAT(2, 3);

/* TLS half. */
int stream_tls_attach(struct stream *, bool server, char **errp);
void stream_tls_free(struct stream_tls *);
int stream_tls_handshake(struct stream *); /* 0, EAGAIN (events set), errno */
ssize_t stream_tls_recv(struct stream *, void *, size_t);
ssize_t stream_tls_send(struct stream *, const void *, size_t);

#endif
