/* SPDX-License-Identifier: Apache-2.0 */
#ifndef XVS_OFPROTO_XLATE_PRIVATE_H
#define XVS_OFPROTO_XLATE_PRIVATE_H 1

/* Shared by the files of translation:
 *
 *   xlate.c            entry, tables, patch ports
 *   xlate-effects.c    what a flow does beyond being sent
 *   xlate-actions.c    runs a list of actions
 *   xlate-set.c        actions that write fields, registers, the stack
 *   xlate-mpls.c       label stack
 *   xlate-vlan.c       tag stack
 *   xlate-output.c     ports, floods, the controller
 *   xlate-commit.c     what the pipeline made of the headers, as datapath actions
 *   xlate-action-set.c the action set and its order
 *   xlate-group.c      groups
 *   xlate-spread.c     hashes over flows: bundle, multipath
 *   xlate-learn.c      learn and fin_timeout
 *   xlate-freeze.c     a pipeline stopped and resumed after recirculation
 *   xlate-normal.c     the NORMAL action
 *   xtrace.c           what ofproto/trace shows of all that */

#include "ofproto/xlate.h"
#include "ofproto/xtrace.h"
#include "openflow/of-actions.h"
#include "openflow/of-port.h"
#include "util/compiler.h"

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

/* The stack of push and pop. */
#define XSTACK_MAX 1024u
struct xstack {
    struct of_value *v;
    unsigned n, cap;
};

struct xlate_ctx {
    const struct xlate_in *in;
    struct flow wc; /* bits of the flow looked at */
    struct dp_actions_builder actions;
    struct xlate_effects effects;

    /* What is on the wire after `actions`. */
    struct flow base;
    struct tag_stack wire;

    /* The pipeline of the bridge that the packet is in. */
    const struct xbridge *bridge;
    const struct xport *in_port; /* NULL: it comes from no port */
    struct flow flow;            /* meta.in_port is an OpenFlow port */
    struct tag_stack tags;       /* its tags */
    struct of_actions action_set;
    struct xstack stack;
    uint64_t version;  /* of its tables */
    struct rule *rule; /* at work; NULL: actions of a packet-out or the like */
    uint64_t cookie;   /* of the list at work */
    uint8_t table_id;  /* of the list at work */
    uint8_t reason;    /* enum of_packet_in_reason, of packets sent to the controller */
    bool exit;         /* no more actions in this pipeline */
    bool list_over;    /* no more actions in the list at work; who called it goes on */
    bool in_group, in_action_set;
    uint32_t max_len; /* output_trunc: of the output at work; 0: no limit */

    unsigned depth;     /* tables, groups and bridges entered and not left */
    unsigned resubmits; /* ever */
    bool overflow;      /* gave up: the answer is to drop */
    const char *error;  /* why */

    bool was_mpls;        /* headers below a popped label are not known yet */
    uint32_t mpls_pushed; /* actions after a push of a label; if that many, it can be amended */
    bool mpls_changed;    /* the label stack is not the packet's own */
    bool irreversible;    /* something was done to the packet that setting fields cannot undo */

    /* Stopping to resume after recirculation: actions still to do, of the innermost list first.
     */
    bool freezing;
    const struct group *freeze_hash; /* recirculate with the hash it asks for; NULL: none */
    struct of_actions pause;         /* the controller(pause) that stopped it, if one did */
    struct of_actions frozen;
    const struct of_act *resume; /* what is left to do of a pipeline that was stopped */
    size_t resume_len;
};

/* -- xlate.c -- */
/* Gives up translation: the packet is dropped.  `why` for a trace; counted by the caller. */
void xlate_give_up(struct xlate_ctx *, const char *why);
/* The same with another text at the end of the trace; `why` NULL: only that. */
void xlate_give_up_as(struct xlate_ctx *, const char *why, const char *error);
/* Ors what was looked at in the pipeline's flow into what was looked at in the packet's. */
void xlate_look(struct xlate_ctx *, const struct flow *looked);
void xlate_look_subfield(struct xlate_ctx *, const struct of_subfield *);
/* Looks the packet up in a table and runs what it finds.  `in_port`: for the lookup. */
void xlate_table(struct xlate_ctx *, uint8_t table_id, uint16_t in_port, bool may_miss);
/* The packet, with the pipeline as it is, arrives at a port of another bridge; on return the
 * pipeline is as before. */
void xlate_patch(struct xlate_ctx *, const struct xport *out, const struct tag_stack *);
/* Says something about the action at work in a trace; warnings begin with ">>". */
#define xlate_say(CTX, ...)                                                                    \
    do {                                                                                       \
        if (UNLIKELY((CTX)->in->trace != NULL)) {                                              \
            xtrace_say((CTX)->in->trace, __VA_ARGS__);                                         \
        }                                                                                      \
    } while (0)
static inline void
xlate_trace_act(struct xlate_ctx *ctx, const struct of_act *a)
{
    if (UNLIKELY(ctx->in->trace != NULL)) {
        xtrace_act(ctx->in->trace, a);
    }
}

/* -- xlate-effects.c -- */
/* NULL when there are so many that translation is given up. */
struct xlate_effect *xlate_add_effect(struct xlate_ctx *, enum xlate_effect_type);

/* -- xlate-actions.c -- */
void xlate_actions(struct xlate_ctx *, const struct of_act *, size_t len);
/* Runs `body` so that what it does to the packet and the pipeline's state is undone after it:
 * by datapath actions that set fields back, or else on a copy of the packet.  `is_copy`: the
 * datapath runs its actions on a copy in any case. */
void xlate_isolated(struct xlate_ctx *, bool is_copy,
                    void (*body)(struct xlate_ctx *, const void *), const void *arg);

/* -- xlate-set.c -- */
void xlate_write(struct xlate_ctx *, enum of_field, const struct of_value *value,
                 const struct of_value *mask);
/* An action that writes headers or registers. */
void xlate_set_act(struct xlate_ctx *, const struct of_act *);
void xlate_dec_ttl(struct xlate_ctx *, const struct of_act_dec_ttl *);
/* For a trace: what a field now is that was not written with a value that the action shows. */
void xlate_say_written(struct xlate_ctx *, const struct of_subfield *);
/* Chooses the queue of the outputs that follow. */
void xlate_set_priority(struct xlate_ctx *, uint32_t priority);
void xstack_destroy(struct xstack *);

/* -- xlate-mpls.c -- */
void xlate_mpls_act(struct xlate_ctx *, const struct of_act *);

/* -- xlate-vlan.c -- */
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
void xlate_vlan_act(struct xlate_ctx *, const struct of_act *);
/* The tags in ctx->flow were written as fields: makes ctx->tags follow. */
void xlate_tags_written(struct xlate_ctx *);
/* Translates bits looked at in the pipeline's tags into those of the packet's. */
void xlate_look_tags(struct xlate_ctx *, const struct flow_vlan *looked);

/* -- xlate-output.c -- */
/* Sends the packet with these tags out of a port, into the peer's bridge for a patch port. */
void xlate_output(struct xlate_ctx *, const struct xport *, const struct tag_stack *);
/* Sends it to a port by number, also the reserved ones. */
void xlate_output_port(struct xlate_ctx *, uint16_t port, uint16_t max_len);
struct xlate_to_controller {
    uint16_t max_len, controller_id;
    uint8_t reason;
    uint32_t meter_id;
    const uint8_t *userdata;
    uint16_t userdata_len;
    uint32_t recirc_id; /* of a pipeline that waits for the controller; 0: none does */
};
void xlate_controller(struct xlate_ctx *, const struct xlate_to_controller *);
/* controller(...); `recirc_id` as above. */
void xlate_controller_act(struct xlate_ctx *, const struct of_act_controller *,
                          uint32_t recirc_id);
void xlate_output_act(struct xlate_ctx *, const struct of_act *);

/* -- xlate-commit.c -- */
/* Makes the packet on the wire what the pipeline made of it, with these tags. */
void xlate_commit(struct xlate_ctx *, const struct tag_stack *);

/* -- xlate-action-set.c -- */
void xlate_write_actions(struct xlate_ctx *, const struct of_act *, size_t len);
/* For a trace: what the action set is or was. */
void xlate_say_action_set(struct xlate_ctx *, const char *is);
void xlate_run_action_set(struct xlate_ctx *);
/* Runs a list as an action set, as a group's bucket is. */
void xlate_run_as_set(struct xlate_ctx *, const struct of_act *, size_t len);

/* -- xlate-group.c -- */
void xlate_group(struct xlate_ctx *, uint32_t group_id);
bool xlate_port_is_live(const struct xlate_ctx *, uint16_t number);

/* -- xlate-spread.c -- */
uint32_t xlate_hash_fields(struct xlate_ctx *, unsigned fields, uint16_t basis);
void xlate_bundle(struct xlate_ctx *, const struct of_act_bundle *);
void xlate_multipath(struct xlate_ctx *, const struct of_act_multipath *);

/* -- xlate-learn.c -- */
void xlate_learn(struct xlate_ctx *, const struct of_act_learn *);
void xlate_fin_timeout(struct xlate_ctx *, const struct of_act_fin_timeout *);

/* -- xlate-freeze.c -- */
/* From here on actions are gathered, not run; `hash`: the datapath hashes the packet as this
 * group wants it, NULL: it does not. */
void xlate_freeze(struct xlate_ctx *, const struct group *hash);
/* What is left of a list when it stops in the middle. */
void xlate_freeze_rest(struct xlate_ctx *, const struct of_act *, size_t len);
/* As xlate_freeze(), until the controller sends the packet back. */
void xlate_pause(struct xlate_ctx *, const struct of_act_controller *);
/* At the end of a pipeline that was stopped: recirculates, or sends to the controller. */
void xlate_finish_freeze(struct xlate_ctx *);
/* Restores the pipeline of a recirculated packet; false: nobody remembers it. */
bool xlate_thaw(struct xlate_ctx *, uint32_t recirc_id);

/* -- xlate-normal.c -- */
void xlate_normal(struct xlate_ctx *);

#endif
