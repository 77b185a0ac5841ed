/* SPDX-License-Identifier: Apache-2.0 */
#ifndef XVS_OS_ETHTOOL_H
#define XVS_OS_ETHTOOL_H 1

/* The ethtool ioctls that the switch asks.  Main thread. */

#include <stdint.h>

struct ethtool_driver {
    char driver[32], version[32], firmware[32];
};
int ethtool_get_driver(const char *ifname, struct ethtool_driver *);
/* Bits per second (0 unknown) and duplex (-1 unknown, 0 half, 1 full). */
int ethtool_get_speed(const char *ifname, uint64_t *speed_bps, int *duplex);
/* SIOCETHTOOL with `cmd`, a struct of linux/ethtool.h.  0 or a positive errno; ENODEV also when
 * that can be no interface's name.  All functions here fail like this. */
int ethtool_ioctl(const char *ifname, void *cmd);
/* Number of receive queues the device has now (combined + rx). */
int ethtool_get_rx_channels(const char *ifname, unsigned *n);

#endif
