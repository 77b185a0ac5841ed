/* SPDX-License-Identifier: Apache-2.0 */
#ifndef XVS_RPC_STREAM_H
#define XVS_RPC_STREAM_H 1

/* Non-blocking byte streams over Unix sockets, TCP and TLS.  Main thread, on its event loop.
 *
 * Targets, active:  unix:PATH   tcp:HOST[:PORT]   ssl:HOST[:PORT]
 *          passive: punix:PATH  ptcp:[PORT][:HOST]  pssl:[PORT][:HOST]
 * A relative PATH is in the run folder ($OVS_RUNDIR, else /var/run/openvswitch).  HOST is a
 * numeric IPv4 address, a numeric IPv6 address in brackets, or "localhost": name service could
 * block the loop, hence it is never asked.  The default PORT is 6640 (IANA, OVSDB).
 *
 * Life of an active stream: stream_open() -> the ready callback runs whenever something may
 * have become possible -> stream_connect() until it returns 0 -> stream_recv() and
 * stream_send(). */

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>
#include "os/evloop.h"

struct stream;
struct stream_listener;
typedef void stream_ready_cb(struct stream *, void *aux);
typedef void stream_accept_cb(struct stream *, void *aux);

enum stream_kind { STREAM_UNIX, STREAM_TCP, STREAM_SSL };

/* True when `target` is well-formed; says its kind and whether it is passive (both outputs may
 * be NULL).  Else false, with a sentence in *errp.  Touches neither network nor files. */
bool stream_target_check(const char *target, enum stream_kind *, bool *passive, char **errp);

/* A copy of `target`, malloc'ed, that has `port` if it is of TCP or TLS and says none: for
 * protocols with a default port of their own. */
char *stream_target_with_port(const char *target, const char *port);

/* Starts to connect to the active `target`.  0 and *sp (owned by the caller), or a positive
 * errno value and a sentence: EINVAL for bad text or missing TLS files, else connect(2)'s.
 * The stream stays silent until stream_watch(). */
int stream_open(struct evloop *, const char *target, struct stream **sp, char **errp);
/* The same with a differentiated services code point (RFC 2474, 0...63) in its packets, from
 * the first one on; no matter to Unix sockets. */
int stream_open_dscp(struct evloop *, const char *target, unsigned dscp, struct stream **sp,
                     char **errp);
/* Another one from now on. */
void stream_set_dscp(struct stream *, unsigned dscp);
/* Closes; NULL is fine.  Safe inside the stream's own ready callback. */
void stream_close(struct stream *);
/* The target it was opened from, or "unix#N"-like for accepted ones.  Borrowed. */
const char *stream_name(const struct stream *);

/* From now on calls `ready(stream, aux)` when the stream can make progress: connecting,
 * reading, and, while `want_send`, writing.  Call again whenever `want_send` changes or after a
 * callback (cheap). */
void stream_watch(struct stream *, stream_ready_cb *ready, void *aux, bool want_send);
void stream_unwatch(struct stream *);
/* From the next stream_watch() on, an open stream does not wait for bytes to read: for a reader
 * that must not take in more than its peer takes out. */
void stream_pause_recv(struct stream *, bool paused);
/* Makes the ready callback run in the next turn, whatever the socket says: for a reader that
 * stopped before EAGAIN. */
void stream_rewatch_soon(struct stream *);

/* 0 once bytes can flow (TLS: hand-shake done), EAGAIN while connecting, else the errno value
 * of the failure; stream_error() then explains. */
int stream_connect(struct stream *);
/* A sentence about the last failure; never NULL. */
const char *stream_error(const struct stream *);
/* Bytes read (at least 1), 0 at the end of the stream, or a negative errno value (-EAGAIN). */
ssize_t stream_recv(struct stream *, void *, size_t);
/* Bytes accepted (at least 1) or a negative errno value (-EAGAIN). */
ssize_t stream_send(struct stream *, const void *, size_t);
/* The socket, for poll() by a caller about to end; -1 when not there. */
int stream_fd(const struct stream *);

/* Listens on the passive `target`; `accepted` gets each new stream and owns it.  `mode` is the
 * permission of a Unix socket file; an existing *socket* file at PATH is replaced.  0 or a
 * positive errno value and a sentence. */
int
stream_listen(struct evloop *, const char *target, unsigned mode, stream_accept_cb *accepted,
              void *aux, struct stream_listener **, char **errp);
/* The code point of connections accepted from now on; see stream_open_dscp(). */
void stream_listener_set_dscp(struct stream_listener *, unsigned dscp);
/* Stops listening and removes the socket file that it made.  NULL is fine. */
void stream_listener_close(struct stream_listener *);

/* TLS files for all later ssl: and pssl: streams (PEM; NULL: none).  With `bootstrap`, a CA
 * file that does not exist yet is taken from the first server reached and trusted from then on.
 * `protocols` lists TLSv1 TLSv1.1 TLSv1.2 TLSv1.3 separated by comma or space (NULL: 1.2 and
 * up); `ciphers` is an OpenSSL cipher list (NULL: OpenSSL's).  Files are read at the next
 * connection, and again when they change.  Strings are copied. */
void stream_ssl_configure(const char *key, const char *cert, const char *ca, bool bootstrap,
                          const char *protocols, const char *ciphers);

#endif
