/* SPDX-License-Identifier: Apache-2.0 */
#ifndef XVS_OFPROTO_FROZEN_H
#define XVS_OFPROTO_FROZEN_H 1

/* Pipelines that wait for their packet to come back: after recirculation, or from the
 * controller.  A state is found by the number that the packet carries, and by its content, so
 * that translating a flow again gives the same number.
 *
 * Any thread; one mutex, taken on cache misses and by the revalidator only. */

#include <stdint.h>
#include "flow/flow.h"
#include "openflow/of-actions.h"

struct frozen;
struct frozen_content {
    uint32_t bridge_id;
    uint16_t in_port; /* OpenFlow port */
    uint8_t table_id;
    uint8_t reason;
    struct flow_regs regs;
    uint64_t cookie;
    const struct of_value *stack; /* bottom first */
    uint32_t n_stack;
    const struct of_act *actions, *action_set;
    size_t actions_len, action_set_len;
};

#define FROZEN_MAX 65536u      /* at once */
#define FROZEN_LINGER_MS 10000 /* after the last reference: packets may be under way */

/* The state with this content, a reference for the caller; NULL when there are too many. */
struct frozen *frozen_get(const struct frozen_content *);
uint32_t frozen_id(const struct frozen *); /* 1 and up */
void frozen_unref(struct frozen *);
/* With a reference, or NULL. */
struct frozen *frozen_find(uint32_t id);
/* Points into the state, valid with the reference. */
void frozen_read(const struct frozen *, struct frozen_content *);
/* Now and then (the revalidator): forgets what nobody refers to any more. */
void frozen_reap(int64_t now_ms);

#endif
