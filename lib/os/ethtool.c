/* SPDX-License-Identifier: Apache-2.0 */

/* The three ethtool ioctls that the switch needs for status columns and queue counts.  Called
 * by netdev providers on the main thread; knows nothing of them.  Each call opens and closes
 * its own socket: they are rare, and so the answer is always about the current network
 * namespace. */

#include "os/ethtool.h"

#include <errno.h>
#include <linux/ethtool.h>
#include <linux/sockios.h>
#include <net/if.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

int
ethtool_ioctl(const char *ifname, void *cmd)
{
    struct ifreq ifr;
    memset(&ifr, 0, sizeof ifr);
    size_t len = strlen(ifname);
    if (!len || len >= sizeof ifr.ifr_name) {
        return ENODEV;
    }
    memcpy(ifr.ifr_name, ifname, len);
    ifr.ifr_data = cmd;

    int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    if (fd < 0) {
        return errno;
    }
    int error = ioctl(fd, SIOCETHTOOL, &ifr) ? errno : 0;
    close(fd);
    return error;
}

static void
copy_text(char *dst, size_t dst_sz, const char *src, size_t src_sz)
{
    size_t n = strnlen(src, src_sz < dst_sz - 1 ? src_sz : dst_sz - 1);
    memcpy(dst, src, n);
    dst[n] = '\0';
}

int
ethtool_get_driver(const char *ifname, struct ethtool_driver *d)
{
    struct ethtool_drvinfo info;

    memset(d, 0, sizeof *d);
    memset(&info, 0, sizeof info);
    info.cmd = ETHTOOL_GDRVINFO;
    int error = ethtool_ioctl(ifname, &info);
    if (!error) {
        copy_text(d->driver, sizeof d->driver, info.driver, sizeof info.driver);
        copy_text(d->version, sizeof d->version, info.version, sizeof info.version);
        copy_text(d->firmware, sizeof d->firmware, info.fw_version, sizeof info.fw_version);
    }
    return error;
}

/* linux/ethtool.h, ETHTOOL_GLINKSETTINGS: the first call, asking for no link mode words, is
 * answered with minus the number of words the kernel has; the second one gets the data. */
int
ethtool_get_speed(const char *ifname, uint64_t *speed_bps, int *duplex)
{
    union {
        struct ethtool_link_settings s;
        /* Three bitmaps of at most 127 words follow the struct. */
        uint32_t room[sizeof(struct ethtool_link_settings) / 4 + 3 * 127];
    } req;

    *speed_bps = 0;
    *duplex = -1;
    memset(&req, 0, sizeof req);
    req.s.cmd = ETHTOOL_GLINKSETTINGS;
    int error = ethtool_ioctl(ifname, &req);
    if (error) {
        return error;
    }
    if (req.s.link_mode_masks_nwords >= 0) {
        return EOPNOTSUPP;
    }
    int8_t n_words = (int8_t) -req.s.link_mode_masks_nwords;
    memset(&req, 0, sizeof req);
    req.s.cmd = ETHTOOL_GLINKSETTINGS;
    req.s.link_mode_masks_nwords = n_words;
    error = ethtool_ioctl(ifname, &req);
    if (error) {
        return error;
    }
    if (req.s.speed && req.s.speed != (uint32_t) SPEED_UNKNOWN) {
        *speed_bps = (uint64_t) req.s.speed * 1000000;
    }
    *duplex = req.s.duplex == DUPLEX_HALF ? 0 : req.s.duplex == DUPLEX_FULL ? 1 : -1;
    return 0;
}

int
ethtool_get_rx_channels(const char *ifname, unsigned *n)
{
    struct ethtool_channels ch;

    *n = 0;
    memset(&ch, 0, sizeof ch);
    ch.cmd = ETHTOOL_GCHANNELS;
    int error = ethtool_ioctl(ifname, &ch);
    if (!error) {
        *n = ch.combined_count + ch.rx_count;
    }
    return error;
}
