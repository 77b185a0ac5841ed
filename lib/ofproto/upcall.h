/* SPDX-License-Identifier: Apache-2.0 */
#ifndef XVS_OFPROTO_UPCALL_H
#define XVS_OFPROTO_UPCALL_H 1

/* The datapath's questions (struct dp_upcall_ops), on polling threads; aux is the ofproto_dp.
 */

#include <stdbool.h>
#include "datapath/dp.h"

extern const struct dp_upcall_ops upcall_ops;
/* flow-restore-wait: while true nothing is translated.  Any thread. */
void upcall_set_paused(bool);

#endif
