/* SPDX-License-Identifier: Apache-2.0 */
#ifndef XVS_DATAPATH_DP_ACTIONS_H
#define XVS_DATAPATH_DP_ACTIONS_H 1

/* Datapath actions: what translation decided for a megaflow, executed per packet.  A list is
 * immutable once made; an empty list drops. */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include "util/strbuf.h"

enum dp_action_type { DP_ACT_OUTPUT, DP_ACT_PUSH_VLAN, DP_ACT_POP_VLAN };

struct dp_action {
    uint16_t type; /* enum dp_action_type */
    union {
        struct {
            uint16_t tpid, tci; /* host order; tci without VLAN_CFI */
        } push_vlan;
        uint32_t port; /* DP_ACT_OUTPUT: datapath port number */
    };
};

struct dp_actions {
    uint32_t n;
    struct dp_action a[];
};

/* Growing list, for translation; zero-initialised is empty. */
struct dp_actions_builder {
    struct dp_action *a;
    uint32_t n, cap;
};
void dp_actions_add_output(struct dp_actions_builder *, uint32_t port);
void dp_actions_add_push_vlan(struct dp_actions_builder *, uint16_t tpid, uint16_t tci);
void dp_actions_add_pop_vlan(struct dp_actions_builder *);
/* The finished list (caller owns, free()); the builder is empty afterwards. */
struct dp_actions *dp_actions_finish(struct dp_actions_builder *);
bool dp_actions_equal(const struct dp_actions *, const struct dp_actions *);
/* "2,push_vlan(vid=10,pcp=0),3", "drop" for none; port names if `port_name` is not NULL. */
void dp_actions_format(struct strbuf *, const struct dp_actions *,
                       const char *(*port_name)(uint32_t, void *), void *aux);

#endif
