/* SPDX-License-Identifier: Apache-2.0 */
/* Queue counts by the ethtool ioctls ETHTOOL_GCHANNELS and ETHTOOL_SCHANNELS.  Called by
 * device-setup.c while a device is prepared, and put back in the end. */

#include "utilities/xvs-agent/channels.h"

#include <errno.h>
#include <linux/ethtool.h>
#include <string.h>

#include "os/ethtool.h"
#include "util/xalloc.h"

/* Drivers have either combined channels or separate ones; where both are possible, combined is
 * what AF_XDP wants. */
static bool
has(const struct ethtool_channels *ch, unsigned n)
{
    return ch->max_combined ? ch->combined_count == n && !ch->rx_count
                            : ch->rx_count == n && ch->tx_count == n;
}

static int
change(const char *ifname, struct ethtool_channels *ch, unsigned n, struct channels *before)
{
    struct channels old = {true, ch->combined_count, ch->rx_count, ch->tx_count};
    if (has(ch, n)) {
        return 0;
    }
    if (ch->max_combined) {
        ch->combined_count = n;
        ch->rx_count = ch->tx_count = 0;
    } else {
        ch->rx_count = ch->tx_count = n;
    }
    ch->cmd = ETHTOOL_SCHANNELS;
    int error = ethtool_ioctl(ifname, ch);
    if (!error && !before->changed) {
        *before = old;
    }
    return error;
}

int
channels_restore(const char *ifname, unsigned n, const struct channels *before)
{
    struct ethtool_channels ch;
    memset(&ch, 0, sizeof ch);
    ch.cmd = ETHTOOL_GCHANNELS;
    int error = ethtool_ioctl(ifname, &ch);
    if (error || !before->changed || !has(&ch, n)) {
        return error;
    }
    ch.combined_count = before->combined;
    ch.rx_count = before->rx;
    ch.tx_count = before->tx;
    ch.cmd = ETHTOOL_SCHANNELS;
    return ethtool_ioctl(ifname, &ch);
}

int
channels_set(const struct rtnl_link *link, unsigned n, struct channels *before, char **errp)
{
    struct ethtool_channels ch;
    memset(&ch, 0, sizeof ch);
    ch.cmd = ETHTOOL_GCHANNELS;
    int error = ethtool_ioctl(link->name, &ch);
    if (error) {
        if (n == link->n_rxq) {
            return 0;
        }
        error_set(errp, "%s has %u queues and its driver cannot change that", link->name,
                  link->n_rxq);
        return error;
    }
    unsigned max = ch.max_combined ? ch.max_combined : MIN(ch.max_rx, ch.max_tx);
    if (n > max) {
        error_set(errp, "%s can have at most %u queues, not %u", link->name, max, n);
        return EINVAL;
    }
    error = change(link->name, &ch, n, before);
    if (error) {
        error_set(errp, "cannot give %s %u queues (%s)", link->name, n, strerror(error));
    }
    return error;
}
