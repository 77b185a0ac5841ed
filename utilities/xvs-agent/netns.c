/* SPDX-License-Identifier: Apache-2.0 */
/* Entering and leaving network namespaces by setns(2) and moving devices by rtnetlink.  Called
 * by device.c on the main thread, which is the only one that does netlink. */

#include "utilities/xvs-agent/netns.h"

#include <errno.h>
#include <fcntl.h>
#include <libmnl/libmnl.h>
#include <linux/if_link.h>
#include <linux/magic.h>
#include <linux/rtnetlink.h>
#include <poll.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <sys/vfs.h>
#include <unistd.h>

#include "util/num.h"
#include "util/xalloc.h"

#define ANSWER_S 2 /* the kernel answers at once; this bounds the wait */
#define ATTEMPTS 3

static int home_fd = -1;

int
netns_init(void)
{
    home_fd = open("/proc/self/ns/net", O_RDONLY | O_CLOEXEC);
    return home_fd < 0 ? errno : 0;
}

void
netns_exit(void)
{
    if (home_fd >= 0) {
        close(home_fd);
        home_fd = -1;
    }
}

int
netns_home_fd(void)
{
    return home_fd;
}

static bool
spec_is_pid(const char *spec, int *pid)
{
    return strspn(spec, "0123456789") == strlen(spec) && num_parse_int(spec, 1, 1 << 22, pid);
}

void
netns_ref_init(struct netns_ref *r, const char *spec)
{
    int pid;
    r->spec = xstrdup(spec);
    /* pidfd_open(2) sets close-on-exec. */
    r->pidfd = spec_is_pid(spec, &pid) ? (int) syscall(SYS_pidfd_open, pid, 0) : -1;
}

void
netns_ref_free(struct netns_ref *r)
{
    if (r->pidfd >= 0) {
        close(r->pidfd);
    }
    free(r->spec);
    *r = (struct netns_ref){.pidfd = -1};
}

/* A process that has ended makes its pidfd readable. */
static bool
process_lives(const struct netns_ref *r)
{
    struct pollfd p = {.fd = r->pidfd, .events = POLLIN};
    return r->pidfd >= 0 && poll(&p, 1, 0) == 0;
}

int
netns_ref_open(const struct netns_ref *r, char **errp)
{
    int pid = 0;
    bool by_pid = spec_is_pid(r->spec, &pid);
    char *path = by_pid              ? xasprintf("/proc/%d/ns/net", pid)
                 : r->spec[0] == '/' ? xstrdup(r->spec)
                                     : xasprintf("/run/netns/%s", r->spec);
    /* O_NONBLOCK: the path might name a fifo. */
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    int error = errno;
    free(path);
    /* In this order: the process that lives now had the number when the file was opened. */
    if (by_pid && !process_lives(r)) {
        error_set(errp, "process %s, whose network namespace is wanted, is not there", r->spec);
        goto fail;
    }
    if (fd < 0) {
        error_set(errp, "cannot open network namespace %s (%s)", r->spec,
                  error == ENOENT ? "there is none of that name" : strerror(error));
        goto fail;
    }
    struct statfs fs;
    if (fstatfs(fd, &fs) || fs.f_type != NSFS_MAGIC) {
        error_set(errp, "%s is not a network namespace (yet)", r->spec);
        goto fail;
    }
    return fd;
fail:
    if (fd >= 0) {
        close(fd);
    }
    return -1;
}

bool
netns_enter(int fd, char **errp)
{
    if (setns(fd, CLONE_NEWNET)) {
        error_set(errp, "cannot enter the network namespace (%s)%s", strerror(errno),
                  errno == EPERM ? ": CAP_SYS_ADMIN is needed" : "");
        return false;
    }
    return true;
}

bool
netns_leave(void)
{
    for (int i = 0; i < ATTEMPTS; i++) {
        if (!setns(home_fd, CLONE_NEWNET)) {
            return true;
        }
    }
    return false;
}

/* Sends the request and waits for its acknowledgement. */
static int
ask_kernel(const struct nlmsghdr *request)
{
    struct mnl_socket *nl = mnl_socket_open2(NETLINK_ROUTE, SOCK_CLOEXEC);
    if (!nl) {
        return errno;
    }
    char answer[8192];
    struct timeval limit = {.tv_sec = ANSWER_S};
    int error = 0;
    if (mnl_socket_bind(nl, 0, MNL_SOCKET_AUTOPID) < 0 ||
        setsockopt(mnl_socket_get_fd(nl), SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof limit) ||
        mnl_socket_sendto(nl, request, request->nlmsg_len) < 0) {
        error = errno;
    } else {
        ssize_t n = mnl_socket_recvfrom(nl, answer, sizeof answer);
        if (n <= 0) {
            error = n < 0 && errno != EAGAIN ? errno : ETIMEDOUT;
        } else if (mnl_cb_run(answer, (size_t) n, request->nlmsg_seq, mnl_socket_get_portid(nl),
                              NULL, NULL) == MNL_CB_ERROR) {
            error = errno ? errno : EPROTO;
        }
    }
    mnl_socket_close(nl);
    return error;
}

int
netns_move_link(int ifindex, int fd)
{
    union {
        char bytes[256];
        struct nlmsghdr align;
    } buf;
    memset(&buf, 0, sizeof buf);
    struct nlmsghdr *request = mnl_nlmsg_put_header(buf.bytes);
    request->nlmsg_type = RTM_NEWLINK;
    request->nlmsg_flags = NLM_F_REQUEST | NLM_F_ACK;
    request->nlmsg_seq = 1;
    struct ifinfomsg *ifi = mnl_nlmsg_put_extra_header(request, sizeof *ifi);
    ifi->ifi_family = AF_UNSPEC;
    ifi->ifi_index = ifindex;
    mnl_attr_put_u32(request, IFLA_NET_NS_FD, (uint32_t) fd);
    return ask_kernel(request);
}
