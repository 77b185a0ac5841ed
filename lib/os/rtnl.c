/* SPDX-License-Identifier: Apache-2.0 */

/* Questions and orders to the kernel about network interfaces: one synchronous rtnetlink
 * request each, on a socket of its own, so that no late answer can be taken for another
 * question's and the answer is about the thread's current network namespace.  Called on the
 * main thread by netdev providers.  Must not know what a port is. */

#include <errno.h>
#include <linux/if_link.h>
#include <linux/rtnetlink.h>
#include <net/if.h>
#include <stdlib.h>
#include <string.h>
#include <sys/time.h>

#include "os/rtnl-private.h"
#include "util/compiler.h"
#include "util/xalloc.h"

/* The kernel answers within microseconds; this bounds the wait if it ever does not. */
#define RTNL_TIMEOUT_S 2
/* Messages of one dump that are read at most: two per interface for a hundred thousand of them.
 */
#define RTNL_MAX_READS 200000

#ifndef RTEXT_FILTER_SKIP_STATS
#define RTEXT_FILTER_SKIP_STATS (1 << 3)
#endif

/* IFF_LOWER_UP of linux/if.h, which cannot be included beside net/if.h everywhere. */
#define LOWER_UP (1u << 16)

struct link_request {
    struct nlmsghdr *nlh;
    struct ifinfomsg *ifi;
    char buf[512];
};

static void
request_init(struct link_request *r, uint16_t type, uint16_t flags, int ifindex)
{
    memset(r->buf, 0, sizeof r->buf);
    r->nlh = mnl_nlmsg_put_header(r->buf);
    r->nlh->nlmsg_type = type;
    r->nlh->nlmsg_flags = NLM_F_REQUEST | flags;
    r->nlh->nlmsg_seq = 1;
    r->ifi = mnl_nlmsg_put_extra_header(r->nlh, sizeof *r->ifi);
    r->ifi->ifi_family = AF_UNSPEC;
    r->ifi->ifi_index = ifindex;
}

int
rtnl_transact(const struct nlmsghdr *nlh, mnl_cb_t cb, void *aux)
{
    return rtnl_transact_on(NETLINK_ROUTE, nlh, cb, aux);
}

int
rtnl_transact_on(int bus, const struct nlmsghdr *nlh, mnl_cb_t cb, void *aux)
{
    struct mnl_socket *nl = mnl_socket_open2(bus, SOCK_CLOEXEC);
    if (!nl) {
        return errno;
    }
    char *buf = xmalloc(RTNL_BUF_SZ);
    int error = 0;
    struct timeval tv = {.tv_sec = RTNL_TIMEOUT_S};
    if (mnl_socket_bind(nl, 0, MNL_SOCKET_AUTOPID) < 0 ||
        setsockopt(mnl_socket_get_fd(nl), SOL_SOCKET, SO_RCVTIMEO, &tv, sizeof tv) ||
        mnl_socket_sendto(nl, nlh, nlh->nlmsg_len) < 0) {
        error = errno;
        goto out;
    }
    unsigned portid = mnl_socket_get_portid(nl);
    for (unsigned i = 0; i < RTNL_MAX_READS; i++) {
        ssize_t n = mnl_socket_recvfrom(nl, buf, RTNL_BUF_SZ);
        if (n < 0 && errno == EINTR) {
            continue;
        }
        if (n <= 0) {
            error = n < 0 ? (errno == EAGAIN ? ETIMEDOUT : errno) : EPROTO;
            goto out;
        }
        errno = 0;
        int rc = mnl_cb_run(buf, (size_t) n, nlh->nlmsg_seq, portid, cb, aux);
        if (rc == MNL_CB_ERROR) {
            error = errno ? errno : EPROTO;
            goto out;
        }
        if (rc == MNL_CB_STOP) {
            goto out;
        }
    }
    error = ETIMEDOUT;
out:
    free(buf);
    mnl_socket_close(nl);
    return error;
}

static void
parse_linkinfo(const struct nlattr *nest, struct rtnl_link *link)
{
    const struct nlattr *a;
    mnl_attr_for_each_nested(a, nest)
    {
        if (mnl_attr_get_type(a) == IFLA_INFO_KIND) {
            size_t n = strnlen(mnl_attr_get_str(a), mnl_attr_get_payload_len(a));
            n = MIN(n, sizeof link->kind - 1);
            memcpy(link->kind, mnl_attr_get_payload(a), n);
            link->kind[n] = '\0';
        }
    }
}

static void
parse_xdp(const struct nlattr *nest, struct rtnl_link *link)
{
    const struct nlattr *a;
    mnl_attr_for_each_nested(a, nest)
    {
        switch (mnl_attr_get_type(a)) {
        case IFLA_XDP_ATTACHED:
            if (mnl_attr_get_payload_len(a) >= 1) {
                link->xdp_mode = mnl_attr_get_u8(a);
            }
            break;
        case IFLA_XDP_PROG_ID:
        case IFLA_XDP_DRV_PROG_ID:
        case IFLA_XDP_SKB_PROG_ID:
        case IFLA_XDP_HW_PROG_ID:
            /* With several programs (mode MULTI) any of them will do: the interface is taken.
             */
            if (mnl_attr_get_payload_len(a) >= 4 && !link->xdp_prog_id) {
                link->xdp_prog_id = mnl_attr_get_u32(a);
            }
            break;
        default:
            break;
        }
    }
}

/* Copies what the kernel's struct has; an older kernel's is shorter and the rest stays zero. */
static void
parse_stats(const struct nlattr *a, struct rtnl_stats *out)
{
    struct rtnl_link_stats64 s;
    memset(&s, 0, sizeof s);
    memcpy(&s, mnl_attr_get_payload(a), MIN(sizeof s, mnl_attr_get_payload_len(a)));
    *out = (struct rtnl_stats){
        .rx_packets = s.rx_packets,
        .tx_packets = s.tx_packets,
        .rx_bytes = s.rx_bytes,
        .tx_bytes = s.tx_bytes,
        .rx_errors = s.rx_errors,
        .tx_errors = s.tx_errors,
        .rx_dropped = s.rx_dropped,
        .tx_dropped = s.tx_dropped,
        .multicast = s.multicast,
        .collisions = s.collisions,
        .rx_length_errors = s.rx_length_errors,
        .rx_over_errors = s.rx_over_errors,
        .rx_crc_errors = s.rx_crc_errors,
        .rx_frame_errors = s.rx_frame_errors,
        .rx_fifo_errors = s.rx_fifo_errors,
        .rx_missed_errors = s.rx_missed_errors,
        .tx_aborted_errors = s.tx_aborted_errors,
        .tx_carrier_errors = s.tx_carrier_errors,
        .tx_fifo_errors = s.tx_fifo_errors,
        .tx_heartbeat_errors = s.tx_heartbeat_errors,
        .tx_window_errors = s.tx_window_errors,
    };
}

static bool
parse_attr(const struct nlattr *a, struct rtnl_link *link, bool *foreign_peer)
{
    size_t len = mnl_attr_get_payload_len(a);
    uint32_t u32 = 0;
    if (len >= sizeof u32) {
        memcpy(&u32, mnl_attr_get_payload(a), sizeof u32);
    }
    switch (mnl_attr_get_type(a)) {
    case IFLA_IFNAME: {
        size_t n = strnlen(mnl_attr_get_payload(a), len);
        if (n >= sizeof link->name) {
            return false;
        }
        memcpy(link->name, mnl_attr_get_payload(a), n);
        break;
    }
    case IFLA_ADDRESS:
        if (len == sizeof link->mac) {
            memcpy(&link->mac, mnl_attr_get_payload(a), sizeof link->mac);
        }
        break;
    case IFLA_MTU:
        link->mtu = (int) MIN(u32, (uint32_t) INT32_MAX);
        break;
    case IFLA_LINK:
        link->peer_ifindex = (int) MIN(u32, (uint32_t) INT32_MAX);
        break;
    case IFLA_LINK_NETNSID:
        *foreign_peer = true;
        break;
    case IFLA_CARRIER_CHANGES:
        link->carrier_changes = u32;
        break;
    case IFLA_NUM_RX_QUEUES:
        link->n_rxq = u32;
        break;
    case IFLA_NUM_TX_QUEUES:
        link->n_txq = u32;
        break;
    case IFLA_LINKINFO:
        parse_linkinfo(a, link);
        break;
    case IFLA_XDP:
        parse_xdp(a, link);
        break;
    default:
        break;
    }
    return true;
}

bool
rtnl_link_parse(const struct nlmsghdr *nlh, struct rtnl_link *link, struct rtnl_stats *stats,
                bool *have_stats)
{
    memset(link, 0, sizeof *link);
    if (mnl_nlmsg_get_payload_len(nlh) < sizeof(struct ifinfomsg)) {
        return false;
    }
    const struct ifinfomsg *ifi = mnl_nlmsg_get_payload(nlh);
    if (ifi->ifi_family != AF_UNSPEC) {
        return false;
    }
    link->ifindex = ifi->ifi_index;
    link->flags = ifi->ifi_flags;
    link->carrier = ifi->ifi_flags & LOWER_UP;

    bool foreign_peer = false;
    const struct nlattr *a;
    mnl_attr_for_each(a, nlh, sizeof *ifi)
    {
        if (stats && mnl_attr_get_type(a) == IFLA_STATS64) {
            parse_stats(a, stats);
            *have_stats = true;
        } else if (!parse_attr(a, link, &foreign_peer)) {
            return false;
        }
    }
    if (foreign_peer) {
        link->peer_ifindex = 0;
    }
    return link->ifindex > 0 && link->name[0];
}

struct get_result {
    struct rtnl_link link;
    struct rtnl_stats stats;
    bool found, have_stats;
};

static int
get_cb(const struct nlmsghdr *nlh, void *aux)
{
    struct get_result *r = aux;
    if (nlh->nlmsg_type == RTM_NEWLINK) {
        r->found = rtnl_link_parse(nlh, &r->link, &r->stats, &r->have_stats);
    }
    /* The acknowledgement that was asked for ends the conversation. */
    return MNL_CB_OK;
}

int
rtnl_link_get(const char *name, struct rtnl_link *link)
{
    struct get_result r = {.found = false};
    struct link_request req;

    memset(link, 0, sizeof *link);
    if (!name[0] || strlen(name) >= sizeof link->name) {
        return ENODEV;
    }
    request_init(&req, RTM_GETLINK, NLM_F_ACK, 0);
    mnl_attr_put_strz(req.nlh, IFLA_IFNAME, name);
    mnl_attr_put_u32(req.nlh, IFLA_EXT_MASK, RTEXT_FILTER_SKIP_STATS);
    int error = rtnl_transact(req.nlh, get_cb, &r);
    if (error) {
        return error;
    }
    /* An alternative name finds the interface too, but ports go by the one name. */
    if (!r.found || strcmp(r.link.name, name)) {
        return ENODEV;
    }
    *link = r.link;
    return 0;
}

int
rtnl_link_get_stats(int ifindex, struct rtnl_stats *stats)
{
    struct get_result r = {.found = false};
    struct link_request req;

    memset(stats, 0, sizeof *stats);
    if (ifindex <= 0) {
        return ENODEV;
    }
    request_init(&req, RTM_GETLINK, NLM_F_ACK, ifindex);
    int error = rtnl_transact(req.nlh, get_cb, &r);
    if (error) {
        return error;
    }
    if (!r.found) {
        return ENODEV;
    }
    if (!r.have_stats) {
        return EOPNOTSUPP;
    }
    *stats = r.stats;
    return 0;
}

int
rtnl_link_set_flags(int ifindex, unsigned set, unsigned clear)
{
    struct link_request req;
    if (ifindex <= 0) {
        return ENODEV;
    }
    request_init(&req, RTM_NEWLINK, NLM_F_ACK, ifindex);
    req.ifi->ifi_flags = set & ~clear;
    req.ifi->ifi_change = set | clear;
    return rtnl_transact(req.nlh, NULL, NULL);
}

int
rtnl_link_set_mtu(int ifindex, int mtu)
{
    struct link_request req;
    if (ifindex <= 0 || mtu < 0) {
        return ifindex <= 0 ? ENODEV : EINVAL;
    }
    request_init(&req, RTM_NEWLINK, NLM_F_ACK, ifindex);
    mnl_attr_put_u32(req.nlh, IFLA_MTU, (uint32_t) mtu);
    return rtnl_transact(req.nlh, NULL, NULL);
}

int
rtnl_link_set_mac(int ifindex, struct eth_addr mac)
{
    struct link_request req;
    if (ifindex <= 0) {
        return ENODEV;
    }
    request_init(&req, RTM_NEWLINK, NLM_F_ACK, ifindex);
    mnl_attr_put(req.nlh, IFLA_ADDRESS, sizeof mac, &mac);
    return rtnl_transact(req.nlh, NULL, NULL);
}

int
rtnl_link_del(int ifindex)
{
    struct link_request req;
    if (ifindex <= 0) {
        return ENODEV;
    }
    request_init(&req, RTM_DELLINK, NLM_F_ACK, ifindex);
    return rtnl_transact(req.nlh, NULL, NULL);
}

struct dump_aux {
    void (*cb)(const struct rtnl_link *, void *aux);
    void *aux;
};

static int
dump_cb(const struct nlmsghdr *nlh, void *aux)
{
    struct dump_aux *d = aux;
    struct rtnl_link link;
    if (nlh->nlmsg_type == RTM_NEWLINK && rtnl_link_parse(nlh, &link, NULL, NULL)) {
        d->cb(&link, d->aux);
    }
    return MNL_CB_OK;
}

int
rtnl_link_dump(void (*cb)(const struct rtnl_link *, void *aux), void *aux)
{
    struct dump_aux d = {cb, aux};
    struct link_request req;
    request_init(&req, RTM_GETLINK, NLM_F_DUMP, 0);
    mnl_attr_put_u32(req.nlh, IFLA_EXT_MASK, RTEXT_FILTER_SKIP_STATS);
    return rtnl_transact(req.nlh, dump_cb, &d);
}
