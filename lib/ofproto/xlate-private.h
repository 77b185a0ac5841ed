/* SPDX-License-Identifier: Apache-2.0 */
#ifndef XVS_OFPROTO_XLATE_PRIVATE_H
#define XVS_OFPROTO_XLATE_PRIVATE_H 1

/* Shared by the files of translation. */

#include "ofproto/xlate.h"

/* VLAN tags as values, outermost first.  `origin` says which tag of the flow this one is, as
 * received and unchanged, or -1: made here. */
#define TAG_STACK_MAX 6u
struct tag {
    uint16_t tpid, vid;
    uint16_t pcp; /* in place: VLAN_PCP_MASK */
    int8_t origin;
};
struct tag_stack {
    unsigned n;
    struct tag t[TAG_STACK_MAX];
};

struct xlate_ctx {
    const struct xlate_in *in;
    struct flow wc; /* bits of the flow looked at */
    struct dp_actions_builder actions;
    struct xlate_effects effects;
    struct tag_stack wire; /* the packet's tags after `actions` */
    unsigned depth;        /* bridges entered */
    bool overflow;         /* gave up: the answer is to drop */

    /* The packet as the present bridge received it. */
    struct tag_stack tags;
    struct flow flow; /* in_port is the OpenFlow port */
};

/* xlate-vlan.c */
void tag_stack_from_flow(struct tag_stack *, const struct flow *);
void tag_stack_to_flow(const struct tag_stack *, struct flow *);
/* Puts a tag in front; false when there are too many. */
bool tag_stack_push(struct tag_stack *, struct tag);
void tag_stack_pop(struct tag_stack *);
/* The answer depends on the tag's VLAN and presence, or on all of it. */
void xlate_look_vid(struct xlate_ctx *, const struct tag *);
void xlate_look_tag(struct xlate_ctx *, const struct tag *);
/* The answer depends on there being no more tags than the packet came with. */
void xlate_look_untagged(struct xlate_ctx *);
/* Actions that turn the packet on the wire into one with the tags wanted. */
void xlate_commit_tags(struct xlate_ctx *, const struct tag_stack *want);

/* xlate.c */
struct xlate_effect *xlate_add_effect(struct xlate_ctx *, enum xlate_effect_type);
/* Sends the packet with these tags out of a port, into the peer's bridge for a patch port. */
void xlate_output(struct xlate_ctx *, const struct xport *, const struct tag_stack *);

/* xlate-normal.c */
void xlate_normal(struct xlate_ctx *, const struct xport *in);

#endif
