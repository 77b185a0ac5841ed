/* SPDX-License-Identifier: Apache-2.0 */

/* Tells subscribers on the event loop what happens to network interfaces.  It remembers the
 * name of each ifindex, for two reasons: a rename is reported as the old name's end and the new
 * name's begin (ports go by name), and after an overrun of the socket the difference to a fresh
 * dump yields the events that were lost.  Main thread; must not know who listens. */

#include <errno.h>
#include <linux/rtnetlink.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <uthash.h>

#include "log/coverage.h"
#include "log/log.h"
#include "os/rtnl-private.h"
#include "util/xalloc.h"

LOG_MODULE(rtnl);
COVERAGE_DEFINE(rtnl_monitor_overrun);

/* Datagrams handled per turn of the event loop, so that a storm of changes cannot starve it. */
#define MONITOR_BURST 64
/* Room for a few thousand link messages before the kernel has to drop one. */
#define MONITOR_RCVBUF (4 * 1024 * 1024)

struct known_link {
    int ifindex;
    char name[16];
    bool seen; /* during resync() */
    UT_hash_handle hh;
};

struct subscriber {
    rtnl_link_cb *cb;
    void *aux;
    struct subscriber *next;
};

static struct monitor {
    struct mnl_socket *nl;
    struct ev_io io;
    char *buf;
    struct known_link *known;
    struct subscriber *subscribers, **tail;
} mon = {.tail = &mon.subscribers};

static void
tell(const struct rtnl_link *link, bool deleted)
{
    for (struct subscriber *s = mon.subscribers; s; s = s->next) {
        s->cb(link, deleted, s->aux);
    }
}

static void
tell_name_gone(const struct known_link *k)
{
    struct rtnl_link link = {.ifindex = k->ifindex};
    memcpy(link.name, k->name, sizeof link.name);
    tell(&link, true);
}

static struct known_link *
known_find(int ifindex)
{
    struct known_link *k;
    HASH_FIND_INT(mon.known, &ifindex, k);
    return k;
}

static void
known_forget(struct known_link *k)
{
    HASH_DEL(mon.known, k);
    free(k);
}

/* Notes the name; true when the ifindex had another one before, which is then in `old`. */
static bool
known_note(const struct rtnl_link *link, struct known_link *old)
{
    struct known_link *k = known_find(link->ifindex);
    bool renamed = false;
    if (!k) {
        k = xzalloc(sizeof *k);
        k->ifindex = link->ifindex;
        HASH_ADD_INT(mon.known, ifindex, k);
    } else if (strcmp(k->name, link->name)) {
        *old = *k;
        renamed = true;
    }
    memcpy(k->name, link->name, sizeof k->name);
    k->seen = true;
    return renamed;
}

static void
link_changed(const struct rtnl_link *link, void *aux)
{
    struct known_link old;
    if (known_note(link, &old)) {
        tell_name_gone(&old);
    }
    tell(link, false);
}

static void
link_noted(const struct rtnl_link *link, void *aux)
{
    struct known_link old;
    known_note(link, &old);
}

/* Events were lost: compares what is known with what is. */
static void
resync(void)
{
    COVERAGE_INC(rtnl_monitor_overrun);
    struct known_link *k, *tmp;
    HASH_ITER(hh, mon.known, k, tmp)
    {
        k->seen = false;
    }
    int error = rtnl_link_dump(link_changed, NULL);
    if (error) {
        LOG_WARN("could not list network interfaces after lost events (%s)", strerror(error));
        tell(NULL, false);
        return;
    }
    HASH_ITER(hh, mon.known, k, tmp)
    {
        if (!k->seen) {
            struct known_link gone = *k;
            known_forget(k);
            tell_name_gone(&gone);
        }
    }
}

static int
monitor_cb(const struct nlmsghdr *nlh, void *aux)
{
    struct rtnl_link link;
    if ((nlh->nlmsg_type != RTM_NEWLINK && nlh->nlmsg_type != RTM_DELLINK) ||
        !rtnl_link_parse(nlh, &link, NULL, NULL)) {
        return MNL_CB_OK;
    }
    if (nlh->nlmsg_type == RTM_NEWLINK) {
        link_changed(&link, NULL);
    } else {
        struct known_link *k = known_find(link.ifindex);
        if (k) {
            known_forget(k);
        }
        tell(&link, true);
    }
    return MNL_CB_OK;
}

static void
monitor_readable(struct ev_io *io, short revents)
{
    bool lost = false;
    for (unsigned i = 0; i < MONITOR_BURST; i++) {
        ssize_t n = recv(io->fd, mon.buf, RTNL_BUF_SZ, MSG_DONTWAIT);
        if (n < 0) {
            if (errno == ENOBUFS) {
                lost = true;
                continue;
            }
            break;
        }
        if (mnl_cb_run(mon.buf, (size_t) n, 0, 0, monitor_cb, NULL) == MNL_CB_ERROR) {
            lost = true;
        }
    }
    if (lost) {
        resync();
    }
}

int
rtnl_monitor_start(struct evloop *loop)
{
    if (mon.nl) {
        return 0;
    }
    struct mnl_socket *nl = mnl_socket_open2(NETLINK_ROUTE, SOCK_CLOEXEC | SOCK_NONBLOCK);
    if (!nl) {
        return errno;
    }
    int fd = mnl_socket_get_fd(nl);
    int sz = MONITOR_RCVBUF;
    if (setsockopt(fd, SOL_SOCKET, SO_RCVBUFFORCE, &sz, sizeof sz)) {
        /* Without CAP_NET_ADMIN; up to net.core.rmem_max then. */
        (void) setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &sz, sizeof sz);
    }
    if (mnl_socket_bind(nl, RTMGRP_LINK, MNL_SOCKET_AUTOPID) < 0) {
        int error = errno;
        mnl_socket_close(nl);
        return error;
    }
    mon.nl = nl;
    mon.buf = xmalloc(RTNL_BUF_SZ);
    ev_io_init(&mon.io, loop, monitor_readable, NULL);
    ev_io_start(&mon.io, fd, POLLIN);
    /* After the subscription, so that no rename falls between. */
    (void) rtnl_link_dump(link_noted, NULL);
    return 0;
}

bool
rtnl_monitor_is_on(void)
{
    return mon.nl != NULL;
}

void
rtnl_monitor_subscribe(rtnl_link_cb *cb, void *aux)
{
    struct subscriber *s = xzalloc(sizeof *s);
    s->cb = cb;
    s->aux = aux;
    *mon.tail = s;
    mon.tail = &s->next;
}
