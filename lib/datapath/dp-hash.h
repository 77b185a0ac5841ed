/* SPDX-License-Identifier: Apache-2.0 */
#ifndef XVS_DATAPATH_DP_HASH_H
#define XVS_DATAPATH_DP_HASH_H 1

/* The hash that spreads packets over the buckets of a group. */

#include <stdint.h>
#include "packet/packet.h"

/* As controllers number them, in the upper half of a group's selection_method_param. */
enum dp_hash_alg {
    DP_HASH_L4,     /* addresses, protocol, ports */
    DP_HASH_SYM_L4, /* the same value for both directions of a connection */
    DP_HASH_ALG_N
};

/* Hash of the packet's addresses, IP protocol and ports, whose layer offsets extraction has set
 * (flow/flow-key.h); of its Ethernet header if it has no IP header.  DP_HASH_SYM_L4 takes the
 * ports of whole packets only, so that all fragments go one way.  Never 0, which
 * says "not computed".  Any thread, fast path. */
uint32_t dp_hash(const struct packet *, enum dp_hash_alg, uint32_t basis);

#endif
