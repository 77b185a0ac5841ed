/* SPDX-License-Identifier: Apache-2.0 */
#ifndef XSKCNI_PRIVATE_H
#define XSKCNI_PRIVATE_H 1

/* What the files of libxskcni share.  Names with two underscores are not exported. */

#include "xskcni/xskcni.h"

struct xskcni__request {
    struct xskcni__request *next;
    enum xskcni_op op; /* MAP or BUSY_POLL */
    void *tag;
    int xsk_fd;    /* BUSY_POLL: ours; else -1 */
    bool lost;     /* asked on a connection that failed: the failure is its result */
    bool canceled; /* on the wire, but nobody wants the result */
    char text[XSKCNI_MESSAGE_MAX + 1];
};

struct xskcni_session {
    char *path, *hostname;
    unsigned step_ms;
    xskcni_callback *cb;
    void *aux;

    enum xskcni_state state;
    int fd;                /* -1 in IDLE and CONNECTING */
    bool want_open;        /* connect although nothing is asked */
    bool want_fin;         /* "/fin" once the queue is empty */
    bool opened;           /* OPEN was OK, so END is due */
    bool host_error;       /* "/error" came, "/host_nak" must follow */
    bool sent;             /* the request of this state is on the wire */
    int64_t deadline_ms;   /* of the step: CONNECTING, HOST, VERSION, ASKING, FINISHING */
    int64_t again_ms;      /* CONNECTING: next try */
    int64_t not_before_ms; /* IDLE: quiet time after a failure */

    struct xskcni__request *head,
        **tail; /* oldest first; in ASKING the head is the one being asked */
    unsigned n_pending;

    bool running; /* inside xskcni_process() */
    bool freed;   /* free at its end */
    char last_error[XSKCNI_SENTENCE_MAX];
    char say[XSKCNI_SENTENCE_MAX];
};

/* The queue: takes the oldest request out, which must exist; frees one that is out. */
struct xskcni__request *xskcni__request_pop(struct xskcni_session *);
void xskcni__request_free(struct xskcni__request *);
/* Closes the connection without ceremony; the state is IDLE, the queue stays. */
void xskcni__hang_up(struct xskcni_session *);

/* One received message. */
struct xskcni_msg {
    size_t len; /* of text; XSKCNI_MESSAGE_MAX + 1: longer than allowed */
    char text[XSKCNI_MESSAGE_MAX + 1]; /* not terminated */
    unsigned n_fds;                    /* that came along, not counting lost ones */
    bool fds_cut;                      /* the kernel could not deliver all */
    int fd; /* the descriptor if n_fds is 1 and none was cut; else -1,
             * and all are closed */
};

/* Socket and connection, non-blocking and close-on-exec.  0, or an errno with *fd = -1; EAGAIN:
 * the server's queue of connections is full. */
int xskcni__connect(const char *path, int *fd);
/* Sends one message, `pass_fd` along with it unless -1.  0 or an errno; EAGAIN: later. */
int xskcni__send(int fd, const char *text, size_t len, int pass_fd);
/* Receives one message.  0; EAGAIN: none yet; EPIPE: closed by the peer; another errno.  The
 * descriptor in *msg is the caller's. */
int xskcni__recv(int fd, struct xskcni_msg *msg);
/* Whether the message is exactly this text. */
bool xskcni__msg_is(const struct xskcni_msg *, const char *text);
void xskcni__msg_close(struct xskcni_msg *);
/* The text in quotes, with what does not print escaped; always terminated.  SZ holds any. */
#define XSKCNI__QUOTED_SZ (4 * (XSKCNI_MESSAGE_MAX + 1) + 6)
void xskcni__msg_quote(const struct xskcni_msg *, char *out, size_t sz);

/* Whether `name` can be a part of a message: 1..max bytes, printable, no blank, comma or, with
 * `is_file`, slash; nor "." and "..".  NULL, or what is wrong with it ("is empty"). */
const char *xskcni__name_fault(const char *name, size_t max, bool is_file);

/* Everything that the sentences are made of. */
struct xskcni__case {
    const char *path, *hostname;
    const char *request; /* the text sent, e.g. "/xsk_map_fd,eth1" */
    const char *device;  /* or NULL */
    const char *reply;   /* quoted, or NULL */
    const char *peer;    /* what the server said of itself, e.g. after "/error"; or NULL */
    unsigned step_ms;
    enum xskcni_op op;
    enum xskcni_state state;
    enum xskcni_result result;
    int error;
};
/* Writes the sentence. */
void xskcni__say(const struct xskcni__case *, char *out, size_t sz);
/* snprintf into an optional buffer. */
__attribute__((format(printf, 3, 4))) void
xskcni__format(char *out, size_t sz, const char *format, ...);

#endif
