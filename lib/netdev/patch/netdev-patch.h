/* SPDX-License-Identifier: Apache-2.0 */
#ifndef XVS_NETDEV_PATCH_H
#define XVS_NETDEV_PATCH_H 1

#include <stdint.h>
#include "netdev/netdev.h"

/* Adds to the counters of a patch port, which sees no packets itself: translation walks through
 * it, and whoever pushes flow statistics credits it.  Any thread. */
void netdev_patch_credit(struct netdev *, uint64_t rx_packets, uint64_t rx_bytes,
                         uint64_t tx_packets, uint64_t tx_bytes);

#endif
