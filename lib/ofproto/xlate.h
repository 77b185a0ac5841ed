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
#include "ofproto/oftables.h"
#include "ofproto/xlate-snapshot.h"

/* Bridges that one packet may pass, by patch ports. */
#define XLATE_MAX_DEPTH 64
#define XLATE_MAX_EFFECTS 4096u

enum xlate_effect_type {
    XLATE_EFFECT_RULE,  /* counts for a rule */
    XLATE_EFFECT_PATCH, /* crosses from one patch port to its peer */
    XLATE_EFFECT_LEARN  /* shows where a MAC address is */
};
struct xlate_effect {
    enum xlate_effect_type type;
    union {
        struct rule *rule; /* a reference */
        struct {
            uint32_t out_id, in_id; /* ports' ids */
        } patch;
        struct {
            uint32_t bridge_id, bundle_id;
            uint16_t vlan;
            struct eth_addr mac;
        } learn;
    };
};
struct xlate_effects {
    struct xlate_effect *e;
    unsigned n, cap;
};
void xlate_effects_destroy(struct xlate_effects *);

struct xlate_in {
    const struct xsnapshot *snapshot;
    const struct ofproto_dp *odp;
    const struct flow *flow; /* meta.in_port: datapath port */
    bool may_learn;          /* there are packets behind this, the last one at `used_ms` */
    bool fresh;              /* a packet is in hand */
    int64_t used_ms;
};
struct xlate_out {
    struct dp_actions *actions; /* malloc'ed */
    struct flow mask;
    struct xlate_effects effects; /* caller's */
};
/* False: the input port is not known (yet); nothing in `out` then. */
bool xlate_translate(const struct xlate_in *, struct xlate_out *);

/* Credits the effects with packets.  `learn`: including MAC addresses, last seen at `used_ms`.
 */
void xlate_replay(const struct xsnapshot *, const struct xlate_effects *, uint64_t n_packets,
                  uint64_t n_bytes, bool learn, int64_t used_ms);

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
