/* SPDX-License-Identifier: Apache-2.0 */
#ifndef XSKCNI_H
#define XSKCNI_H 1

/* libxskcni: the client side of the AF_XDP device plugin's socket.
 *
 * An unprivileged process cannot load the XDP program that an AF_XDP socket needs.  A device
 * plugin (or xvs-agent) does so for it and hands over the program's XSKMAP, as a file
 * descriptor, through a Unix socket of type SOCK_SEQPACKET.  This library speaks that protocol,
 * version 0.1.  It depends on libc alone, never blocks except where a function says so, starts
 * no thread, prints nothing, and ends the process in no case.
 *
 * One `struct xskcni_session` serves one socket path.  Most servers accept ONE connection and
 * remove their socket after it, so ask for everything that a path serves in one session, and
 * keep the descriptors: there may be no second chance.
 *
 *     session = xskcni_session_new(&options, err, sizeof err);
 *     xskcni_get_map(session, "eth1", tag);
 *     for (;;) {
 *         poll xskcni_fd() for xskcni_events(), at most until xskcni_deadline_ms();
 *         xskcni_process(session, now_ms);            // calls options.cb with the results
 *     }
 *
 * Who only wants one descriptor calls xskcni_get_map_fd(), which blocks and does it all.
 *
 * STATES x OPERATIONS
 *
 *              | open         | get_map,       | fin            | readable        | time is up
 *              |              | busy_poll      |                |                 |
 *   -----------+--------------+----------------+----------------+-----------------+-----------
 *   IDLE       | connect      | queue, connect | nothing, or *) | (no socket)     | (none)
 *   CONNECTING | EALREADY     | queue          | remember       | (no socket)     | fail
 *   HOST       | EALREADY     | queue          | remember       | /host_ok ->     | fail
 *              |              |                |                | VERSION         |
 *   VERSION    | EALREADY     | queue          | remember       | 0.1 -> READY    | fail
 *   READY      | EISCONN      | -> ASKING      | -> FINISHING   | fail: nobody    | (none)
 *              |              |                |                | asked           |
 *   ASKING     | EISCONN      | queue          | remember       | result -> READY | fail
 *   FINISHING  | opens again  | queue, opens   | nothing, or *) | /fin_ack ->     | -> IDLE
 *              | afterwards   | again after    |                | IDLE            |
 *
 *   *) with requests waiting for the next connection: remember.
 *   remember: the session finishes as soon as the requests are answered; a request made before
 *   "/fin" is on the wire takes the wish back.
 *   fail: the connection is closed, whatever was asked gets the failure, the session is IDLE
 * and may be used again.  So does end of file, and a reply that is not exactly one of those
 * that the state allows.  A refusal of one request ("/fd_nak", a missing descriptor) fails that
 *   request alone.
 *   session_free is allowed in every state and closes without ceremony.
 *
 * RESULTS, always in this order, for every connection attempt:
 *   one XSKCNI_OP_OPEN; then one for each request, in order; and, if OPEN was OK, one
 *   XSKCNI_OP_END when the connection is gone: XSKCNI_OK after "/fin", otherwise why it was
 * lost.
 *
 * THREADS: none of the functions is bound to a thread, and none takes a lock: a session is used
 * by one thread at a time.  The functions without a session may be called by any thread. */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

#define XSKCNI_PROTOCOL "0.1"
#define XSKCNI_MESSAGE_MAX 64u  /* bytes of any message; servers read no more */
#define XSKCNI_HOSTNAME_MAX 55u /* what "/connect," leaves of that */
#define XSKCNI_DEVICE_MAX 52u   /* what "/xsk_map_fd," leaves of that */
#define XSKCNI_STEP_MS 2000u    /* default time limit of a step */
#define XSKCNI_STEP_MS_MAX 600000u
#define XSKCNI_RETRY_MS 100u     /* quiet time after a failure, before connecting again */
#define XSKCNI_SENTENCE_MAX 768u /* no sentence is longer, with its end */
#define XSKCNI_NEVER INT64_MAX

enum xskcni_op {
    XSKCNI_OP_OPEN,      /* connected, host accepted, version right; or not */
    XSKCNI_OP_MAP,       /* xskcni_get_map() */
    XSKCNI_OP_BUSY_POLL, /* xskcni_config_busy_poll() */
    XSKCNI_OP_END,       /* an open session is over */
};

enum xskcni_result {
    XSKCNI_OK,
    XSKCNI_ABSENT,     /* no socket or nobody listening: not there yet; ask again later */
    XSKCNI_BAD_PATH,   /* the path is something else than a plugin's socket */
    XSKCNI_FORBIDDEN,  /* file permissions forbid to connect */
    XSKCNI_HOST_NAK,   /* the plugin does not accept this host */
    XSKCNI_VERSION,    /* the plugin speaks another version */
    XSKCNI_DEVICE_NAK, /* the plugin has no map for this device */
    XSKCNI_BUSY_NAK,   /* the plugin did not set busy polling */
    XSKCNI_UNKNOWN,    /* the plugin does not know the request */
    XSKCNI_BAD_REPLY,  /* an answer that the protocol does not have, or one to no question */
    XSKCNI_NO_FD,      /* acknowledged, but no descriptor came along */
    XSKCNI_BAD_FDS,    /* several descriptors, cut ones, or where none belong */
    XSKCNI_TIMEOUT,    /* no answer within the limit of the step */
    XSKCNI_CLOSED,     /* the plugin closed the connection */
    XSKCNI_SYSTEM,     /* a system call failed here: see `error` */
    XSKCNI_N_RESULTS
};

enum xskcni_state {
    XSKCNI_STATE_IDLE,
    XSKCNI_STATE_CONNECTING,
    XSKCNI_STATE_HOST,
    XSKCNI_STATE_VERSION,
    XSKCNI_STATE_READY,
    XSKCNI_STATE_ASKING,
    XSKCNI_STATE_FINISHING,
    XSKCNI_N_STATES
};

/* One result.  Members may be added at the end. */
struct xskcni_reply {
    enum xskcni_op op;
    enum xskcni_result result;
    int error;          /* positive errno that fits `result`; 0 with XSKCNI_OK */
    int fd;             /* MAP and OK: the map, close-on-exec, now the callee's to close (0 is a
                         * valid one); otherwise -1 */
    void *tag;          /* of the request; NULL for OPEN and END */
    const char *device; /* of a MAP request, else NULL; valid during the call */
    const char *message; /* a sentence for users that says what happened and what to do; for
                          * XSKCNI_OK what was done; valid during the call */
};

/* Called by xskcni_process() alone.  May call every function of the session: new requests wait
 * for the next step, xskcni_process() does nothing, xskcni_session_free() takes effect when the
 * running xskcni_process() returns, and silences the session at once. */
typedef void xskcni_callback(void *aux, const struct xskcni_reply *reply);

/* Zero it, set `sz`, then what is wanted: later versions add members at the end, and 0 or NULL
 * stays the default of each. */
struct xskcni_options {
    size_t sz;            /* sizeof(struct xskcni_options) */
    const char *path;     /* the server's socket; copied; required */
    const char *hostname; /* as the plugin knows the pod; copied; NULL: gethostname(2) */
    unsigned step_ms;    /* time limit of each step, 1..XSKCNI_STEP_MS_MAX; 0: XSKCNI_STEP_MS */
    xskcni_callback *cb; /* may be NULL: results are dropped */
    void *aux;           /* first argument of `cb` */
};

struct xskcni_session;

/* A session in state IDLE; nothing is opened yet.  NULL on failure, with errno and a sentence
 * in `err` (may be NULL): EINVAL no path, an empty host name or one that the protocol cannot
 * carry (longer than XSKCNI_HOSTNAME_MAX, or with a comma, blank or control character), a
 * step_ms out of range, an `sz` that is no size; ENAMETOOLONG path too long for a Unix socket;
 * ENOMEM.  Does not block. */
struct xskcni_session *
xskcni_session_new(const struct xskcni_options *, char *err, size_t err_sz);
/* Closes the connection and drops what was asked, without callbacks.  NULL is allowed.  Ends an
 * open session abruptly: see xskcni_fin() for the polite way. */
void xskcni_session_free(struct xskcni_session *);

/* Connects at the next xskcni_process(), also without a request: 0, EALREADY while on the way,
 * EISCONN when open. */
int xskcni_open(struct xskcni_session *);
/* Asks for the XSKMAP of `device`, the name of a network device as the plugin knows it.
 * Connects when IDLE.  Returns 0 and the callback gets one XSKCNI_OP_MAP with `tag`, or EINVAL
 * for a name that is empty, longer than XSKCNI_DEVICE_MAX or has a comma, a slash, a blank or a
 * control character, or ENOMEM; then xskcni_last_error() has the sentence and no callback
 * comes.  One map serves all queues of a device: ask once. */
int xskcni_get_map(struct xskcni_session *, const char *device, void *tag);
/* Asks the plugin to set SO_PREFER_BUSY_POLL, SO_BUSY_POLL (timeout_us, at most INT_MAX) and
 * SO_BUSY_POLL_BUDGET (budget, 1..65535) on the AF_XDP socket xsk_fd, which takes CAP_NET_ADMIN
 * and is EPERM for a pod.  The session works with a duplicate; xsk_fd stays the caller's and
 * may be closed at once.  Returns 0 and one XSKCNI_OP_BUSY_POLL comes; or EINVAL, EBADF,
 * EMFILE, ENOMEM as above. */
int xskcni_config_busy_poll(struct xskcni_session *, int xsk_fd, unsigned timeout_us,
                            unsigned budget, void *tag);
/* Ends the session by "/fin" once everything asked is answered.  XSKCNI_OP_END follows. */
void xskcni_fin(struct xskcni_session *);
/* Drops all requests with this tag: no callback comes for them any more.  One that is on the
 * wire is still answered; a descriptor that comes with the answer is closed. */
void xskcni_cancel(struct xskcni_session *, const void *tag);

/* For the event loop.  All three may change with every call above and with xskcni_process().
 * The descriptor stays the session's; -1 while there is none. */
int xskcni_fd(const struct xskcni_session *);
/* POLLIN and POLLOUT of poll(2); 0 without a descriptor. */
short xskcni_events(const struct xskcni_session *);
/* When xskcni_process() must be called although nothing happened on the descriptor, in ms of
 * the clock that xskcni_process() is given; INT64_MIN: now; XSKCNI_NEVER: no limit runs. */
int64_t xskcni_deadline_ms(const struct xskcni_session *);
/* Does what can be done without waiting, and calls back.  `now_ms` is CLOCK_MONOTONIC in ms, or
 * a test's own clock that does not run backwards.  Call it after requests, when the descriptor
 * is ready, and at the deadline; too often does no harm.  Bounded: at most 64 steps a call.
 * Syscalls: socket, connect, sendmsg, recvmsg, close. */
void xskcni_process(struct xskcni_session *, int64_t now_ms);

enum xskcni_state xskcni_state(const struct xskcni_session *);
const char *xskcni_path(const struct xskcni_session *);
const char *xskcni_hostname(const struct xskcni_session *);
/* Requests not answered yet. */
unsigned xskcni_pending(const struct xskcni_session *);
/* The sentence for the request function that failed last; "" before. */
const char *xskcni_last_error(const struct xskcni_session *);
/* Short lower-case words for displays and counters; never NULL. */
const char *xskcni_state_name(enum xskcni_state);
const char *xskcni_result_name(enum xskcni_result);

/* Whether `fd` is an XSKMAP that this process may write and that has room for queues 0 to
 * n_slots - 1.  0, or an errno and a sentence in `err` (may be NULL): EBADF no descriptor,
 * EINVAL not a BPF map, EMEDIUMTYPE a map of another kind, EACCES read-only, ENOSPC too few
 * slots, EPERM the kernel asks for CAP_BPF (before Linux 5.19).  bpf(2):
 * BPF_OBJ_GET_INFO_BY_FD, BPF_MAP_GET_NEXT_KEY. */
int xskcni_check_map(int fd, unsigned n_slots, char *err, size_t err_sz);
/* Directs queue `queue` of the map's device to the bound AF_XDP socket xsk_fd, or to no socket.
 * 0 or the errno of bpf(2): E2BIG no such slot, ENOTSOCK or EOPNOTSUPP not an AF_XDP socket,
 * EPERM, EBADF. Clearing an empty slot is 0. */
int xskcni_map_set(int map_fd, unsigned queue, int xsk_fd);
int xskcni_map_clear(int map_fd, unsigned queue);

/* Writes the socket path that serves `device` by custom: ROOT/tmp/afxdp_dp/DEVICE/afxdp.sock if
 * that exists, else ROOT/tmp/afxdp.sock, whether or not that exists.  `root` goes before the
 * path, "" or NULL outside of tests.  0; EINVAL `device` is no device name; ENAMETOOLONG does
 * not fit into sz bytes. */
int xskcni_default_path(const char *root, const char *device, char *path, size_t sz);

/* A whole session for one device, from connect to "/fin", and the check of the map.  BLOCKS,
 * but no longer than timeout_ms in all (1..XSKCNI_STEP_MS_MAX), 200 ms of it for "/fin_ack".
 * `path` NULL: xskcni_default_path(). Returns 0 and the map in *fd, close-on-exec, the caller's
 * to close; or an errno, *fd = -1 and a sentence in `err` (may be NULL): the `error` of the
 * reply that failed (ENOENT, ECONNREFUSED: not there yet; EACCES; ETIMEDOUT; EPROTO; ...) or
 * that of xskcni_check_map().  A server that does not acknowledge "/fin" is no failure. */
int xskcni_get_map_fd(const char *path, const char *device, unsigned timeout_ms, int *fd,
                      char *err, size_t err_sz);

#ifdef __cplusplus
}
#endif

#endif
