/* SPDX-License-Identifier: Apache-2.0 */
#ifndef XVS_OPENFLOW_OF_GROUP_PRIVATE_H
#define XVS_OPENFLOW_OF_GROUP_PRIVATE_H 1

/* Numbers that both directions of the group messages use (OpenFlow 1.5.1, section "Modify Group
 * Entry Message"; NTR selection method). */

#include <stdint.h>

#define OF_EXP_NTR UINT32_C(0x0000154d) /* Netronome: how select groups select */
enum { NTRT_SELECTION_METHOD = 1 };
enum { OFPGBPT_WEIGHT, OFPGBPT_WATCH_PORT, OFPGBPT_WATCH_GROUP };

#endif
