/* SPDX-License-Identifier: Apache-2.0 */
/* Asks the generic netlink family "netdev" about a device: first the control family for the
 * number of "netdev", then that.  Called on the main thread when an AF_XDP port is opened. */

#include "os/netdev-genl.h"

#include <errno.h>
#include <linux/genetlink.h>
#include <string.h>

#include "os/rtnl-private.h"

/* Of linux/netdev.h, which headers before Linux 6.3 lack, and later ones have in part. */
enum {
    NETDEV_GENL_VERSION = 1,
    NETDEV_GENL_DEV_GET = 1,       /* NETDEV_CMD_DEV_GET */
    NETDEV_GENL_IFINDEX = 1,       /* NETDEV_A_DEV_IFINDEX */
    NETDEV_GENL_XSK_FEATURES = 6,  /* NETDEV_A_DEV_XSK_FEATURES */
    NETDEV_GENL_XSK_TX_CSUM = 0x2, /* NETDEV_XSK_FLAGS_TX_CHECKSUM */
};

struct request {
    struct nlmsghdr *nlh;
    char buf[256];
};

static void
request_init(struct request *r, uint16_t family, uint8_t cmd, uint8_t version)
{
    struct genlmsghdr *genl;

    memset(r->buf, 0, sizeof r->buf);
    r->nlh = mnl_nlmsg_put_header(r->buf);
    r->nlh->nlmsg_type = family;
    r->nlh->nlmsg_flags = NLM_F_REQUEST | NLM_F_ACK;
    r->nlh->nlmsg_seq = 1;
    genl = mnl_nlmsg_put_extra_header(r->nlh, sizeof *genl);
    genl->cmd = cmd;
    genl->version = version;
}

static int
family_cb(const struct nlmsghdr *nlh, void *id_)
{
    const struct nlattr *a;
    uint16_t *id = id_;

    mnl_attr_for_each(a, nlh, sizeof(struct genlmsghdr))
    {
        if (mnl_attr_get_type(a) == CTRL_ATTR_FAMILY_ID && mnl_attr_get_payload_len(a) >= 2) {
            *id = mnl_attr_get_u16(a);
        }
    }
    return MNL_CB_OK;
}

static int
features_cb(const struct nlmsghdr *nlh, void *features_)
{
    const struct nlattr *a;
    uint64_t *features = features_;

    mnl_attr_for_each(a, nlh, sizeof(struct genlmsghdr))
    {
        if (mnl_attr_get_type(a) == NETDEV_GENL_XSK_FEATURES &&
            mnl_attr_get_payload_len(a) >= 8) {
            *features = mnl_attr_get_u64(a);
        }
    }
    return MNL_CB_OK;
}

int
netdev_genl_xsk_features(int ifindex, uint64_t *features)
{
    struct request r;
    uint16_t family = 0;

    *features = 0;
    request_init(&r, GENL_ID_CTRL, CTRL_CMD_GETFAMILY, 1);
    mnl_attr_put_strz(r.nlh, CTRL_ATTR_FAMILY_NAME, "netdev");
    int error = rtnl_transact_on(NETLINK_GENERIC, r.nlh, family_cb, &family);
    if (error || !family) {
        return error ? error : ENOENT;
    }
    request_init(&r, family, NETDEV_GENL_DEV_GET, NETDEV_GENL_VERSION);
    mnl_attr_put_u32(r.nlh, NETDEV_GENL_IFINDEX, (uint32_t) ifindex);
    return rtnl_transact_on(NETLINK_GENERIC, r.nlh, features_cb, features);
}

bool
netdev_genl_has_tx_csum(int ifindex)
{
    uint64_t features;

    return !netdev_genl_xsk_features(ifindex, &features) &&
           (features & NETDEV_GENL_XSK_TX_CSUM) != 0;
}
