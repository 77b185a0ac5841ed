/* SPDX-License-Identifier: Apache-2.0 */
#ifndef XVS_TESTS_FD_MESSAGE_H
#define XVS_TESTS_FD_MESSAGE_H 1

/* Messages that carry file descriptors, over a Unix socket; for both ends of the device
 * plugin's protocol.  Shares no code with what is tested. */

#include <stdint.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/uio.h>

#define FD_MESSAGE_MAX 64u /* descriptors in one message */

/* What sendmsg(2) returns. */
static inline ssize_t
fd_message_send(int sock, const void *text, size_t len, const int *fds, unsigned n_fds,
                int flags)
{
    union {
        char bytes[CMSG_SPACE(FD_MESSAGE_MAX * sizeof(int))];
        struct cmsghdr align;
    } control;
    struct iovec iov = {(void *) (uintptr_t) text, len};
    struct msghdr m = {.msg_iov = &iov, .msg_iovlen = 1};
    memset(&control, 0, sizeof control);
    if (n_fds) {
        m.msg_control = &control;
        m.msg_controllen = CMSG_SPACE(n_fds * sizeof(int));
        struct cmsghdr *c = CMSG_FIRSTHDR(&m);
        c->cmsg_level = SOL_SOCKET;
        c->cmsg_type = SCM_RIGHTS;
        c->cmsg_len = CMSG_LEN(n_fds * sizeof(int));
        memcpy(CMSG_DATA(c), fds, n_fds * sizeof(int));
    }
    return sendmsg(sock, &m, flags | MSG_NOSIGNAL);
}

/* What recvmsg(2) returns; in `text`, which has room for one more than `max` bytes, the message
 * with a null byte behind it, and in *fd the descriptor that came, or -1. */
static inline ssize_t
fd_message_receive(int sock, char *text, size_t max, int *fd, int flags)
{
    union {
        char bytes[CMSG_SPACE(sizeof(int))];
        struct cmsghdr align;
    } control;
    struct iovec iov = {text, max};
    struct msghdr m = {.msg_iov = &iov,
                       .msg_iovlen = 1,
                       .msg_control = &control,
                       .msg_controllen = sizeof control.bytes};
    ssize_t n = recvmsg(sock, &m, flags | MSG_CMSG_CLOEXEC);
    struct cmsghdr *c = n > 0 ? CMSG_FIRSTHDR(&m) : NULL;
    text[n > 0 ? n : 0] = '\0';
    *fd = -1;
    if (c && c->cmsg_level == SOL_SOCKET && c->cmsg_type == SCM_RIGHTS) {
        memcpy(fd, CMSG_DATA(c), sizeof *fd);
    }
    return n;
}

#endif
