/* SPDX-License-Identifier: Apache-2.0 */
#ifndef XVS_DATAPATH_DP_SET_H
#define XVS_DATAPATH_DP_SET_H 1

#include "datapath/dp-actions.h"
#include "packet/packet.h"

/* Executes a DP_ACT_SET on a packet that nobody else holds: overwrites header fields where the
 * layer offsets say they are, and repairs the checksums that cover them (RFC 1624).  A packet
 * that lacks the header is left as it is.  `words`: the list's argument words.  The polling
 * thread. */
void dp_set(struct packet *, const struct dp_action *, const uint64_t *words);

#endif
