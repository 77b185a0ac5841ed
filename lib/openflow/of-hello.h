/* SPDX-License-Identifier: Apache-2.0 */
#ifndef XVS_OPENFLOW_OF_HELLO_H
#define XVS_OPENFLOW_OF_HELLO_H 1

/* Hello and version negotiation (OpenFlow 1.3.1 and later, section "Connection Setup").
 *
 * Sets of versions are bit masks: bit OF10_VERSION (1) .. bit OF15_VERSION (6). */

#include "openflow/of-msg.h"

#define OF_VERSIONS_ALL 0x7eu

/* Writes a hello of the highest of `versions` (not empty); the bitmap element is left out when
 * it would say no more than the header does. */
void of_hello_encode(struct of_buf *, uint32_t versions, uint32_t xid);
/* What the peer speaks: its bitmap, or everything up to the version in its header.  Elements
 * that are not known, and damaged ones, are skipped, as the specification wants. */
void of_hello_decode(const struct of_msg *, uint32_t *versions);
/* The highest version in both sets, 0 if none. */
uint8_t of_hello_negotiate(uint32_t ours, uint32_t theirs);
/* "OpenFlow10,OpenFlow13" of Bridge.protocols and command lines: the bit, 0 if unknown. */
uint32_t of_version_from_name(const char *);
const char *of_version_name(uint8_t version); /* "OpenFlow10"; "unknown" */

#endif
