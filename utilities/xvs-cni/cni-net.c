/* SPDX-License-Identifier: Apache-2.0 */
/* Namespaces, and requests to rtnetlink that lib/os/rtnl does not make, since the switch never
 * addresses or moves an interface.  Called by the operations. */

#include "utilities/xvs-cni/cni-net.h"

#include <errno.h>
#include <fcntl.h>
#include <libmnl/libmnl.h>
#include <linux/if_addr.h>
#include <linux/if_link.h>
#include <linux/nsfs.h>
#include <linux/rtnetlink.h>
#include <endian.h>
#include <sched.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "os/rtnl.h"

/* ------------------------------------------------------------------ namespaces */

int
cni_netns_current(void)
{
    return open("/proc/thread-self/ns/net", O_RDONLY | O_CLOEXEC);
}

int
cni_netns_open(const char *path, int *fd)
{
    struct stat there, here;
    /* O_NONBLOCK: should somebody have put a pipe there. */
    *fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    if (*fd < 0) {
        return errno;
    }
    int error = 0;
    if (ioctl(*fd, NS_GET_NSTYPE) != CLONE_NEWNET) {
        error = EINVAL;
    } else if (fstat(*fd, &there) || stat("/proc/thread-self/ns/net", &here)) {
        error = errno;
    } else if (there.st_dev == here.st_dev && there.st_ino == here.st_ino) {
        error = EEXIST;
    }
    if (error) {
        close(*fd);
        *fd = -1;
    }
    return error;
}

int
cni_netns_enter(int fd)
{
    return setns(fd, CLONE_NEWNET) ? errno : 0;
}

/* ------------------------------------------------------------------ netlink */

struct request {
    struct nlmsghdr *nlh;
    char buf[1024];
};

static void *
request_init(struct request *r, uint16_t type, uint16_t flags, size_t extra)
{
    memset(r->buf, 0, sizeof r->buf);
    r->nlh = mnl_nlmsg_put_header(r->buf);
    r->nlh->nlmsg_type = type;
    r->nlh->nlmsg_flags = (uint16_t) (NLM_F_REQUEST | flags);
    r->nlh->nlmsg_seq = 1;
    return mnl_nlmsg_put_extra_header(r->nlh, extra);
}

int
cni_link_move(int ifindex, int netns_fd)
{
    struct request r;
    struct ifinfomsg *ifi = request_init(&r, RTM_NEWLINK, NLM_F_ACK, sizeof *ifi);
    ifi->ifi_index = ifindex;
    mnl_attr_put_u32(r.nlh, IFLA_NET_NS_FD, (uint32_t) netns_fd);
    return rtnl_transact(r.nlh, NULL, NULL);
}

int
cni_link_xdp_off(int ifindex, int mode)
{
    uint32_t flags = mode == XDP_ATTACHED_DRV  ? XDP_FLAGS_DRV_MODE
                     : mode == XDP_ATTACHED_HW ? XDP_FLAGS_HW_MODE
                                               : XDP_FLAGS_SKB_MODE;
    struct request r;
    struct ifinfomsg *ifi = request_init(&r, RTM_SETLINK, NLM_F_ACK, sizeof *ifi);
    ifi->ifi_index = ifindex;
    struct nlattr *xdp = mnl_attr_nest_start(r.nlh, IFLA_XDP);
    mnl_attr_put_u32(r.nlh, IFLA_XDP_FD, (uint32_t) -1);
    mnl_attr_put_u32(r.nlh, IFLA_XDP_FLAGS, flags);
    mnl_attr_nest_end(r.nlh, xdp);
    return rtnl_transact(r.nlh, NULL, NULL);
}

static size_t
addr_len(int family)
{
    return family == AF_INET ? 4 : 16;
}

int
cni_addr_add(int ifindex, const struct cni_ip *ip)
{
    size_t len = addr_len(ip->family);
    struct request r;
    struct ifaddrmsg *ifa =
        request_init(&r, RTM_NEWADDR, NLM_F_ACK | NLM_F_CREATE | NLM_F_EXCL, sizeof *ifa);
    ifa->ifa_family = (uint8_t) ip->family;
    ifa->ifa_prefixlen = (uint8_t) ip->prefix;
    ifa->ifa_scope = RT_SCOPE_UNIVERSE;
    ifa->ifa_index = (uint32_t) ifindex;
    mnl_attr_put(r.nlh, IFA_LOCAL, len, ip->addr);
    mnl_attr_put(r.nlh, IFA_ADDRESS, len, ip->addr);
    if (ip->family == AF_INET6) {
        /* The ipam plugin vouches for the address; the pod must not wait to use it. */
        mnl_attr_put_u32(r.nlh, IFA_FLAGS, IFA_F_NODAD);
    } else if (ip->prefix < 31) {
        uint32_t addr;
        memcpy(&addr, ip->addr, sizeof addr);
        addr |= htobe32(ip->prefix ? UINT32_MAX >> ip->prefix : UINT32_MAX);
        mnl_attr_put(r.nlh, IFA_BROADCAST, sizeof addr, &addr);
    }
    int error = rtnl_transact(r.nlh, NULL, NULL);
    return error == EEXIST ? 0 : error;
}

int
cni_route_add(int ifindex, const struct cni_route *route, const uint8_t *gateway)
{
    size_t len = addr_len(route->dst.family);
    struct request r;
    struct rtmsg *rtm =
        request_init(&r, RTM_NEWROUTE, NLM_F_ACK | NLM_F_CREATE | NLM_F_EXCL, sizeof *rtm);
    rtm->rtm_family = (uint8_t) route->dst.family;
    rtm->rtm_dst_len = (uint8_t) route->dst.prefix;
    rtm->rtm_table =
        route->table && route->table < 256 ? (uint8_t) route->table : RT_TABLE_MAIN;
    rtm->rtm_protocol = RTPROT_BOOT;
    rtm->rtm_type = RTN_UNICAST;
    rtm->rtm_scope = route->scope >= 0                          ? (uint8_t) route->scope
                     : gateway || route->dst.family == AF_INET6 ? RT_SCOPE_UNIVERSE
                                                                : RT_SCOPE_LINK;
    mnl_attr_put(r.nlh, RTA_DST, len, route->dst.addr);
    mnl_attr_put_u32(r.nlh, RTA_OIF, (uint32_t) ifindex);
    if (gateway) {
        mnl_attr_put(r.nlh, RTA_GATEWAY, len, gateway);
    }
    if (route->priority) {
        mnl_attr_put_u32(r.nlh, RTA_PRIORITY, route->priority);
    }
    if (route->table) {
        mnl_attr_put_u32(r.nlh, RTA_TABLE, route->table);
    }
    if (route->mtu || route->advmss) {
        struct nlattr *metrics = mnl_attr_nest_start(r.nlh, RTA_METRICS);
        if (route->mtu) {
            mnl_attr_put_u32(r.nlh, RTAX_MTU, route->mtu);
        }
        if (route->advmss) {
            mnl_attr_put_u32(r.nlh, RTAX_ADVMSS, route->advmss);
        }
        mnl_attr_nest_end(r.nlh, metrics);
    }
    int error = rtnl_transact(r.nlh, NULL, NULL);
    return error == EEXIST ? 0 : error;
}

/* ------------------------------------------------------------------ checks */

struct addr_search {
    int ifindex;
    const struct cni_ip *ip;
    bool found;
};

static bool
attr_is(const struct nlattr *a, const void *value, size_t len)
{
    return mnl_attr_get_payload_len(a) == len && !memcmp(mnl_attr_get_payload(a), value, len);
}

static int
addr_cb(const struct nlmsghdr *nlh, void *aux)
{
    struct addr_search *s = aux;
    if (nlh->nlmsg_type != RTM_NEWADDR ||
        mnl_nlmsg_get_payload_len(nlh) < sizeof(struct ifaddrmsg)) {
        return MNL_CB_OK;
    }
    const struct ifaddrmsg *ifa = mnl_nlmsg_get_payload(nlh);
    if ((int) ifa->ifa_index != s->ifindex || ifa->ifa_family != s->ip->family ||
        ifa->ifa_prefixlen != s->ip->prefix) {
        return MNL_CB_OK;
    }
    const struct nlattr *a;
    mnl_attr_for_each(a, nlh, sizeof *ifa)
    {
        /* IPv6 has no IFA_LOCAL without a peer. */
        if ((mnl_attr_get_type(a) == IFA_LOCAL || mnl_attr_get_type(a) == IFA_ADDRESS) &&
            attr_is(a, s->ip->addr, addr_len(s->ip->family))) {
            s->found = true;
        }
    }
    return MNL_CB_OK;
}

int
cni_addr_check(int ifindex, const struct cni_ip *ip, bool *found)
{
    struct addr_search s = {.ifindex = ifindex, .ip = ip};
    struct request r;
    struct ifaddrmsg *ifa = request_init(&r, RTM_GETADDR, NLM_F_DUMP, sizeof *ifa);
    ifa->ifa_family = (uint8_t) ip->family;
    int error = rtnl_transact(r.nlh, addr_cb, &s);
    *found = s.found;
    return error;
}

struct route_search {
    int ifindex;
    const struct cni_route *route;
    const uint8_t *gateway;
    bool found;
};

/* The attributes that a route is known by; a default route has no RTA_DST. */
static int
route_cb(const struct nlmsghdr *nlh, void *aux)
{
    struct route_search *s = aux;
    if (nlh->nlmsg_type != RTM_NEWROUTE ||
        mnl_nlmsg_get_payload_len(nlh) < sizeof(struct rtmsg)) {
        return MNL_CB_OK;
    }
    const struct rtmsg *rtm = mnl_nlmsg_get_payload(nlh);
    const struct cni_ip *dst = &s->route->dst;
    size_t len = addr_len(dst->family);
    if (rtm->rtm_family != dst->family || rtm->rtm_dst_len != dst->prefix) {
        return MNL_CB_OK;
    }
    bool dst_ok = !dst->prefix, oif_ok = false, gw_ok = !s->gateway, table_ok = false;
    uint32_t table = s->route->table ? s->route->table : RT_TABLE_MAIN;
    const struct nlattr *a;
    mnl_attr_for_each(a, nlh, sizeof *rtm)
    {
        switch (mnl_attr_get_type(a)) {
        case RTA_DST:
            dst_ok = attr_is(a, dst->addr, len);
            break;
        case RTA_OIF:
            oif_ok = attr_is(a, &s->ifindex, sizeof s->ifindex);
            break;
        case RTA_GATEWAY:
            gw_ok = s->gateway && attr_is(a, s->gateway, len);
            break;
        case RTA_TABLE:
            table_ok = attr_is(a, &table, sizeof table);
            break;
        default:
            break;
        }
    }
    s->found = s->found || (dst_ok && oif_ok && gw_ok && table_ok);
    return MNL_CB_OK;
}

int
cni_route_check(int ifindex, const struct cni_route *route, const uint8_t *gateway, bool *found)
{
    struct route_search s = {.ifindex = ifindex, .route = route, .gateway = gateway};
    struct request r;
    struct rtmsg *rtm = request_init(&r, RTM_GETROUTE, NLM_F_DUMP, sizeof *rtm);
    rtm->rtm_family = (uint8_t) route->dst.family;
    int error = rtnl_transact(r.nlh, route_cb, &s);
    *found = s.found;
    return error;
}

int
cni_ipv6_enable(const char *device)
{
    char path[128];
    snprintf(path, sizeof path, "/proc/sys/net/ipv6/conf/%s/disable_ipv6", device);
    int fd = open(path, O_RDWR | O_CLOEXEC);
    if (fd < 0) {
        return errno;
    }
    char now = '0';
    int error = 0;
    if (read(fd, &now, 1) != 1 || (now != '0' && pwrite(fd, "0", 1, 0) != 1)) {
        error = errno ? errno : EIO;
    }
    close(fd);
    return error;
}
