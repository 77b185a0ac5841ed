/* SPDX-License-Identifier: Apache-2.0 */
#ifndef XVS_OS_RTNL_PRIVATE_H
#define XVS_OS_RTNL_PRIVATE_H 1

/* Shared by rtnl.c, rtnl-monitor.c and netdev-genl.c only. */

#include <libmnl/libmnl.h>
#include "os/rtnl.h"

/* Large enough for one link with all its attributes (statistics, virtual functions, XDP). */
#define RTNL_BUF_SZ 65536

/* rtnl_transact() on another netlink protocol (`bus`: NETLINK_*). */
int rtnl_transact_on(int bus, const struct nlmsghdr *, mnl_cb_t cb, void *aux);

/* Reads an RTM_NEWLINK or RTM_DELLINK message; false when it is not about a whole interface
 * (bridge port messages) or malformed.  `stats` may be NULL; *have_stats says whether the
 * message had any. */
bool rtnl_link_parse(const struct nlmsghdr *, struct rtnl_link *, struct rtnl_stats *stats,
                     bool *have_stats);
/* Calls `cb` for every interface there is.  A positive errno when the kernel would not tell. */
int rtnl_link_dump(void (*cb)(const struct rtnl_link *, void *aux), void *aux);

#endif
