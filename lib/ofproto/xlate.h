/* SPDX-License-Identifier: Apache-2.0 */
#ifndef XVS_OFPROTO_XLATE_H
#define XVS_OFPROTO_XLATE_H 1

/* Translation: what the bridges do with a flow, as datapath actions, the mask of the bits that
 * the answer depends on, and the side effects that each packet of the flow has.
 *
 * Any thread, inside an RCU read-side section; reads one snapshot.  Never blocks but for the
 * MAC table's mutex. */

#include <stdbool.h>
#include <stdint.h>
#include "datapath/dp-actions.h"
#include "flow/flow.h"
#include "ofproto/groups.h"
#include "ofproto/oftables.h"
#include "ofproto/xlate-snapshot.h"

/* Tables, groups and bridges that a packet may be in at once. */
#define XLATE_MAX_DEPTH 64
#define XLATE_MAX_EFFECTS 4096u

enum xlate_effect_type {
    XLATE_EFFECT_RULE,        /* counts for a rule */
    XLATE_EFFECT_TABLE,       /* was looked up in a table */
    XLATE_EFFECT_BUCKET,      /* counts for a group's bucket */
    XLATE_EFFECT_PATCH,       /* crosses from one patch port to its peer */
    XLATE_EFFECT_LEARN,       /* shows where a MAC address is */
    XLATE_EFFECT_LEARN_FLOW,  /* teaches a rule */
    XLATE_EFFECT_FIN_TIMEOUT, /* ends a connection */
    XLATE_EFFECT_FROZEN       /* refers to a pipeline that waits for it */
};
struct frozen;
struct xlate_effect {
    enum xlate_effect_type type;
    union {
        struct rule *rule; /* a reference */
        struct {
            uint32_t bridge_id;
            uint8_t table_id;
            bool hit;
        } table;
        struct {
            struct group *group; /* a reference */
            unsigned index;
            bool not_first; /* the group has counted the packet by another bucket */
        } bucket;
        struct {
            uint32_t out_id, in_id; /* ports' ids */
        } patch;
        struct {
            uint32_t bridge_id, bundle_id;
            uint16_t vlan;
            struct eth_addr mac;
        } learn;
        struct {
            struct of_flow_mod *fm; /* owned */
            uint32_t bridge_id, limit;
        } learn_flow;
        struct {
            struct rule *rule; /* a reference */
            uint32_t bridge_id;
            uint16_t idle, hard;
        } fin;
        struct frozen *frozen; /* a reference */
    };
};
struct xlate_effects {
    struct xlate_effect *e;
    unsigned n, cap;
};
void xlate_effects_destroy(struct xlate_effects *);

/* What a packet sent to the controller takes along, as argument words of a datapath punt.
 * Everything that is not the packet itself is the same for all packets of the megaflow. */
struct xlate_punt {
    uint32_t bridge_id;
    uint32_t recirc_id; /* of the pipeline that waits for an answer; 0: none */
    uint64_t cookie;
    uint32_t meter_id; /* OF_CONTROLLER_NO_METER */
    uint16_t in_port;  /* OpenFlow port */
    uint16_t max_len;  /* bytes wanted */
    uint16_t controller_id;
    uint16_t userdata_len;
    uint8_t reason; /* enum of_packet_in_reason */
    uint8_t table_id;
    bool dont_send; /* a trace */
    bool pad;
    struct flow_regs regs; /* metadata, registers */
    uint8_t userdata[];
};
#define XLATE_PUNT_WORDS(USERDATA_LEN)                                                         \
    ((uint16_t) ((sizeof(struct xlate_punt) + (USERDATA_LEN) + 7) / 8))

struct xtrace;
struct xlate_in {
    const struct xsnapshot *snapshot;
    const struct ofproto_dp *odp;
    const struct flow *flow; /* meta.in_port: datapath port */
    bool may_learn;          /* there are packets behind this, the last one at `used_ms` */
    bool fresh;              /* a packet is in hand */
    int64_t used_ms;
    /* A packet from nowhere (packet-out, ofproto/trace): where it is, and what is done with it;
     * NULL: what table 0 says. */
    const struct xbridge *bridge; /* NULL: by flow->meta.in_port */
    uint16_t in_ofport;           /* also one that is no port: OFPP_CONTROLLER, OFPP_NONE */
    const struct of_act *acts;
    size_t acts_len;
    bool packet_out;
    /* A packet that the controller sends on (flow->meta.recirc_id): the registers it goes on
     * with, in_ofport being its port; NULL: as they were. */
    const struct flow_regs *resumed;
    struct xtrace *trace; /* NULL: nobody wants to know why */
};
struct xlate_out {
    struct dp_actions *actions; /* malloc'ed */
    struct flow mask;
    struct xlate_effects effects; /* caller's */
    struct flow final;            /* the pipeline's flow at its end: for traces */
    const char *error;            /* why the packet is dropped, or NULL; static */
};
/* False: the input port, or what a recirculated packet should go on with, is not known (yet);
 * nothing in `out` then. */
bool xlate_translate(const struct xlate_in *, struct xlate_out *);

/* Credits rules, groups, tables and patch ports with packets, the last one at `used_ms`. */
void xlate_credit(const struct xsnapshot *, const struct xlate_effects *, uint64_t n_packets,
                  uint64_t n_bytes, int64_t used_ms);
/* Has packets teach (addresses, rules, ends of connections) what the one of the translation
 * taught, or would have: only what holds for all packets of its megaflow. */
void xlate_learn_again(const struct xsnapshot *, const struct xlate_effects *, int64_t used_ms);

/* What a megaflow carries.  The creating thread fills it; from then on it is the revalidator's.
 */
struct xlate_cookie {
    uint64_t seq;                /* of changes, before the translation */
    uint64_t n_packets, n_bytes; /* credited so far */
    struct xlate_effects effects;
};
void xlate_cookie_free(struct xlate_cookie *);

/* Megaflows on (default) or exact-match flows only (upcall/disable-megaflows). */
void xlate_set_megaflows(bool on);

#endif
