/* SPDX-License-Identifier: Apache-2.0 */
/* Devices that frames are sent from and counted at, each perhaps in a network namespace of its
 * own (`ip netns`).  A namespace is a property of the thread: what needs it enters and leaves.
 */

#include "perf.h"

#include <errno.h>
#include <fcntl.h>
#include <net/if.h>
#include <sched.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "util/xalloc.h"

int
endpoint_enter(const struct endpoint *e, int *back, char **errp)
{
    char path[128];

    *back = -1;
    if (!e->ns[0]) {
        return 0;
    }
    snprintf(path, sizeof path, "/run/netns/%s", e->ns);
    *back = open("/proc/thread-self/ns/net", O_RDONLY | O_CLOEXEC);
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    int error = *back < 0 || fd < 0 || setns(fd, CLONE_NEWNET) ? errno : 0;
    if (fd >= 0) {
        close(fd);
    }
    if (error) {
        error_set(errp, "cannot enter the network namespace %s (%s)", e->ns, strerror(error));
        if (*back >= 0) {
            close(*back);
        }
    }
    return error;
}

void
endpoint_leave(int back)
{
    if (back >= 0) {
        if (setns(back, CLONE_NEWNET)) {
            perror("xvs-perf: cannot return to the own network namespace");
        }
        close(back);
    }
}

int
endpoint_parse(const char *text, struct endpoint *e, char **errp)
{
    const char *slash = strchr(text, '/');
    const char *dev = slash ? slash + 1 : text;
    size_t ns_len = slash ? (size_t) (slash - text) : 0;
    int back, error;

    if (ns_len >= sizeof e->ns || !dev[0] || strlen(dev) >= sizeof e->dev) {
        error_set(errp, "%s: not a device ([NAMESPACE/]DEVICE)", text);
        return EINVAL;
    }
    memcpy(e->ns, text, ns_len);
    e->ns[ns_len] = '\0';
    snprintf(e->dev, sizeof e->dev, "%s", dev);
    error = endpoint_enter(e, &back, errp);
    if (error) {
        return error;
    }
    e->ifindex = (int) if_nametoindex(e->dev);
    error = e->ifindex ? 0 : errno;
    endpoint_leave(back);
    if (error) {
        error_set(errp, "no device %s (%s)", text, strerror(error));
    }
    return error;
}
