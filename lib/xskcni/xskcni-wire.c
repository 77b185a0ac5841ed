/* SPDX-License-Identifier: Apache-2.0 */

/* One message at a time over the plugin's SOCK_SEQPACKET socket, with or without a descriptor.
 * Called by the state machine of xskcni-session.c alone, on the session's thread.  Knows
 * nothing of what messages mean. */

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>
#include "xskcni/xskcni-private.h"

/* Room for every descriptor that one message can carry (SCM_MAX_FD of the kernel), so that a
 * cut control message means a limit of this process and not of this buffer. */
#define RIGHTS_MAX 253

int
xskcni__connect(const char *path, int *fd)
{
    *fd = -1;
    struct sockaddr_un sun = {.sun_family = AF_UNIX};
    size_t len = strlen(path);
    if (len >= sizeof sun.sun_path) {
        return ENAMETOOLONG;
    }
    memcpy(sun.sun_path, path, len + 1);
    int s = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (s < 0) {
        return errno;
    }
    if (connect(s, (const struct sockaddr *) &sun, sizeof sun)) {
        int error = errno;
        close(s);
        struct stat st;
        if (error == ECONNREFUSED && !stat(path, &st) && !S_ISSOCK(st.st_mode)) {
            error = ENOTSOCK; /* the kernel says the same of a file and of a dead socket */
        }
        return error;
    }
    *fd = s;
    return 0;
}

int
xskcni__send(int fd, const char *text, size_t len, int pass_fd)
{
    struct iovec iov = {.iov_base = (void *) (uintptr_t) text, .iov_len = len};
    union {
        char bytes[CMSG_SPACE(sizeof(int))];
        struct cmsghdr align;
    } control = {.bytes = {0}};
    struct msghdr m = {.msg_iov = &iov, .msg_iovlen = 1};
    if (pass_fd >= 0) {
        m.msg_control = &control;
        m.msg_controllen = sizeof control.bytes;
        struct cmsghdr *c = CMSG_FIRSTHDR(&m);
        c->cmsg_level = SOL_SOCKET;
        c->cmsg_type = SCM_RIGHTS;
        c->cmsg_len = CMSG_LEN(sizeof(int));
        memcpy(CMSG_DATA(c), &pass_fd, sizeof pass_fd);
    }
    ssize_t n = sendmsg(fd, &m, MSG_DONTWAIT | MSG_NOSIGNAL);
    if (n < 0) {
        return errno == EINTR || errno == EWOULDBLOCK ? EAGAIN : errno;
    }
    return (size_t) n == len ? 0 : EPROTO;
}

/* Keeps the only descriptor; closes all when there are several or some were lost. */
static void
take_fds(struct msghdr *m, struct xskcni_msg *msg)
{
    msg->fds_cut = (m->msg_flags & MSG_CTRUNC) != 0;
    for (struct cmsghdr *c = CMSG_FIRSTHDR(m); c; c = CMSG_NXTHDR(m, c)) {
        if (c->cmsg_level != SOL_SOCKET || c->cmsg_type != SCM_RIGHTS ||
            c->cmsg_len < CMSG_LEN(0)) {
            continue;
        }
        size_t n = (c->cmsg_len - CMSG_LEN(0)) / sizeof(int);
        for (size_t i = 0; i < n; i++) {
            int fd;
            memcpy(&fd, CMSG_DATA(c) + i * sizeof fd, sizeof fd);
            if (msg->n_fds++ == 0) {
                msg->fd = fd;
            } else {
                close(fd);
            }
        }
    }
    if (msg->n_fds > 1 || msg->fds_cut) {
        xskcni__msg_close(msg);
    }
}

int
xskcni__recv(int fd, struct xskcni_msg *msg)
{
    union {
        char bytes[CMSG_SPACE(RIGHTS_MAX * sizeof(int))];
        struct cmsghdr align;
    } control;
    memset(msg, 0, sizeof *msg);
    msg->fd = -1;
    /* The kernel reports a reset ahead of what the peer said before it closed: look twice. */
    for (int i = 0; i < 2; i++) {
        struct iovec iov = {.iov_base = msg->text, .iov_len = sizeof msg->text};
        struct msghdr m = {.msg_iov = &iov,
                           .msg_iovlen = 1,
                           .msg_control = &control,
                           .msg_controllen = sizeof control.bytes};
        ssize_t n = recvmsg(fd, &m, MSG_DONTWAIT | MSG_CMSG_CLOEXEC);
        if (n < 0 && errno == ECONNRESET) {
            continue;
        }
        if (n < 0) {
            return errno == EINTR || errno == EWOULDBLOCK ? EAGAIN : errno;
        }
        take_fds(&m, msg);
        if (n == 0) {
            xskcni__msg_close(msg);
            return EPIPE;
        }
        msg->len = (size_t) n;
        return 0;
    }
    return EPIPE;
}

bool
xskcni__msg_is(const struct xskcni_msg *msg, const char *text)
{
    return msg->len == strlen(text) && !memcmp(msg->text, text, msg->len);
}

void
xskcni__msg_close(struct xskcni_msg *msg)
{
    if (msg->fd >= 0) {
        close(msg->fd);
        msg->fd = -1;
    }
}

void
xskcni__msg_quote(const struct xskcni_msg *msg, char *out, size_t sz)
{
    size_t len = msg->len <= XSKCNI_MESSAGE_MAX ? msg->len : XSKCNI_MESSAGE_MAX, pos = 0;
    pos += (size_t) snprintf(out, sz, "\"");
    for (size_t i = 0; i < len && pos + 10 < sz; i++) {
        unsigned char c = (unsigned char) msg->text[i];
        const char *format = c < 0x20 || c > 0x7e || c == '"' || c == '\\' ? "\\x%02x" : "%c";
        pos += (size_t) snprintf(out + pos, sz - pos, format, c);
    }
    snprintf(out + pos, sz - pos, msg->len > XSKCNI_MESSAGE_MAX ? "...\"" : "\"");
}
