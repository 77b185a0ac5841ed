/* SPDX-License-Identifier: Apache-2.0 */
/* Lists of actions as plain memory: building, copying, and the questions that OpenFlow tables
 * ask.  Called on main, and read-only by translation on any thread. */

#include "openflow/of-actions.h"

#include <stdlib.h>
#include <string.h>
#include "util/compiler.h"
#include "util/xalloc.h"

void
of_actions_free(struct of_actions *acts)
{
    free(acts->a);
    *acts = (struct of_actions) OF_ACTIONS_INIT;
}

void
of_actions_clone(struct of_actions *dst, const struct of_act *a, size_t len)
{
    *dst = (struct of_actions){len ? xmemdup(a, len) : NULL, len, len};
}

bool
of_actions_equal(const struct of_act *a, size_t a_len, const struct of_act *b, size_t b_len)
{
    return a_len == b_len && (!a_len || !memcmp(a, b, a_len));
}

void *
of_actions_put(struct of_actions *acts, enum of_act_type type, size_t size)
{
    size_t len = ROUND_UP(size, 8);
    struct of_act *a;

    if (acts->cap - acts->len < len) {
        acts->cap = MAX(acts->cap * 2, acts->len + len + 64);
        acts->a = xrealloc(acts->a, acts->cap);
    }
    a = (struct of_act *) (void *) ((uint8_t *) acts->a + acts->len);
    memset(a, 0, len);
    a->type = (uint16_t) type;
    a->len = (uint32_t) len;
    acts->len += len;
    return a;
}

struct of_act *
of_actions_put_copy(struct of_actions *acts, const struct of_act *a)
{
    return memcpy(of_actions_put(acts, (enum of_act_type) a->type, a->len), a, a->len);
}

void
of_actions_put_output(struct of_actions *acts, uint16_t port, uint16_t max_len)
{
    struct of_act_output *o = of_actions_put(acts, OFA_OUTPUT, sizeof *o);

    o->port = port;
    o->max_len = max_len;
}

const struct of_act *
of_actions_find(const struct of_act *acts, size_t len, enum of_act_type type)
{
    OF_ACT_FOR_EACH(a, acts, len)
    {
        if (a->type == type) {
            return a;
        }
    }
    return NULL;
}

static bool
is_nest(const struct of_act *a)
{
    return a->type == OFA_CLONE || a->type == OFA_WRITE_ACTIONS;
}

/* Does any action, at any depth, satisfy `is`? */
static bool
any(const struct of_act *acts, size_t len, bool (*is)(const struct of_act *, uint32_t),
    uint32_t arg)
{
    OF_ACT_FOR_EACH(a, acts, len)
    {
        const struct of_act_nest *n = (const void *) a;

        if (is(a, arg) || (is_nest(a) && any(n->list, of_act_nest_len(n), is, arg))) {
            return true;
        }
    }
    return false;
}

static bool
outputs_to(const struct of_act *a, uint32_t port)
{
    switch (a->type) {
    case OFA_OUTPUT:
        return ((const struct of_act_output *) (const void *) a)->port == port;
    case OFA_OUTPUT_TRUNC:
        return ((const struct of_act_output_trunc *) (const void *) a)->port == port;
    case OFA_ENQUEUE:
        return ((const struct of_act_enqueue *) (const void *) a)->port == port;
    case OFA_CONTROLLER:
        return port == OFPP_CONTROLLER;
    default:
        return false;
    }
}

bool
of_actions_output_to_port(const struct of_act *acts, size_t len, uint16_t port)
{
    return any(acts, len, outputs_to, port);
}

static bool
is_group(const struct of_act *a, uint32_t group)
{
    return a->type == OFA_GROUP && ((const struct of_act_num *) (const void *) a)->num == group;
}

bool
of_actions_output_to_group(const struct of_act *acts, size_t len, uint32_t group)
{
    return any(acts, len, is_group, group);
}

bool
of_actions_have_conjunction(const struct of_act *acts, size_t len)
{
    return of_actions_find(acts, len, OFA_CONJUNCTION);
}

uint32_t
of_actions_meter(const struct of_act *acts, size_t len)
{
    const struct of_act_num *m = (const void *) of_actions_find(acts, len, OFA_METER);

    return m ? (uint32_t) m->num : 0;
}

const char *
of_hash_fields_name(unsigned fields)
{
    static const char *const names[OFHASH_N] = {
        "eth_src", "symmetric_l4", "symmetric_l3l4", "symmetric_l3l4+udp",
        "nw_src",  "nw_dst",       "symmetric_l3"};

    return fields < OFHASH_N ? names[fields] : NULL;
}
