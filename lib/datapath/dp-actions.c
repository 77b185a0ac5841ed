/* SPDX-License-Identifier: Apache-2.0 */
/* Datapath action lists: made by translation on polling threads, shown by the control commands,
 * compared by revalidation.  Plain memory, any thread; execution is in dp-execute.c. */

#include "datapath/dp-actions.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "packet/headers.h"
#include "util/xalloc.h"

static struct dp_action *
builder_add(struct dp_actions_builder *b, enum dp_action_type type)
{
    struct dp_action *a;

    if (b->n >= b->cap) {
        b->cap = b->cap ? b->cap * 2 : 4;
        b->a = xrealloc(b->a, b->cap * sizeof *b->a);
    }
    a = &b->a[b->n++];
    memset(a, 0, sizeof *a);
    a->type = (uint16_t) type;
    return a;
}

void
dp_actions_add_output(struct dp_actions_builder *b, uint32_t port)
{
    builder_add(b, DP_ACT_OUTPUT)->port = port;
}

void
dp_actions_add_push_vlan(struct dp_actions_builder *b, uint16_t tpid, uint16_t tci)
{
    struct dp_action *a = builder_add(b, DP_ACT_PUSH_VLAN);

    a->push_vlan.tpid = tpid;
    a->push_vlan.tci = tci & (uint16_t) ~VLAN_CFI;
}

void
dp_actions_add_pop_vlan(struct dp_actions_builder *b)
{
    builder_add(b, DP_ACT_POP_VLAN);
}

struct dp_actions *
dp_actions_finish(struct dp_actions_builder *b)
{
    struct dp_actions *acts = xmalloc(sizeof *acts + b->n * sizeof acts->a[0]);

    acts->n = b->n;
    if (b->n) {
        memcpy(acts->a, b->a, b->n * sizeof acts->a[0]);
    }
    free(b->a);
    *b = (struct dp_actions_builder){NULL, 0, 0};
    return acts;
}

static bool
action_equal(const struct dp_action *a, const struct dp_action *b)
{
    if (a->type != b->type) {
        return false;
    }
    switch ((enum dp_action_type) a->type) {
    case DP_ACT_OUTPUT:
        return a->port == b->port;
    case DP_ACT_PUSH_VLAN:
        return a->push_vlan.tpid == b->push_vlan.tpid && a->push_vlan.tci == b->push_vlan.tci;
    case DP_ACT_POP_VLAN:
        break;
    }
    return true;
}

bool
dp_actions_equal(const struct dp_actions *a, const struct dp_actions *b)
{
    if (a->n != b->n) {
        return false;
    }
    for (uint32_t i = 0; i < a->n; i++) {
        if (!action_equal(&a->a[i], &b->a[i])) {
            return false;
        }
    }
    return true;
}

/* Tools know 802.1Q as the type that goes without saying. */
static void
format_push_vlan(struct strbuf *s, uint16_t tpid, uint16_t tci)
{
    strbuf_puts(s, "push_vlan(");
    if (tpid != 0x8100) {
        strbuf_putf(s, "tpid=0x%04" PRIx16 ",", tpid);
    }
    strbuf_putf(s, "vid=%u,pcp=%u)", tci & 0xfffu, tci >> 13);
}

void
dp_actions_format(struct strbuf *s, const struct dp_actions *acts,
                  const char *(*port_name)(uint32_t, void *), void *aux)
{
    if (!acts->n) {
        strbuf_puts(s, "drop");
        return;
    }
    for (uint32_t i = 0; i < acts->n; i++) {
        const struct dp_action *a = &acts->a[i];
        const char *name;

        if (i) {
            strbuf_putc(s, ',');
        }
        switch ((enum dp_action_type) a->type) {
        case DP_ACT_OUTPUT:
            name = port_name ? port_name(a->port, aux) : NULL;
            if (name) {
                strbuf_puts(s, name);
            } else {
                strbuf_putf(s, "%" PRIu32, a->port);
            }
            break;
        case DP_ACT_PUSH_VLAN:
            format_push_vlan(s, a->push_vlan.tpid, a->push_vlan.tci);
            break;
        case DP_ACT_POP_VLAN:
            strbuf_puts(s, "pop_vlan");
            break;
        }
    }
}
