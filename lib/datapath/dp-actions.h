/* SPDX-License-Identifier: Apache-2.0 */
#ifndef XVS_DATAPATH_DP_ACTIONS_H
#define XVS_DATAPATH_DP_ACTIONS_H 1

/* Datapath actions: what translation decided for a megaflow, executed per packet.  A list is
 * immutable once made; an empty list drops.
 *
 * A list is an array of 8-byte actions, so that the fast path walks it by index, followed by
 * 64-bit words of arguments for the few that need more.  Nested lists (clone, check_pkt_len)
 * are the actions right behind the one that contains them, as many as it says. */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include "datapath/dp-hash.h"
#include "flow/flow.h"
#include "util/strbuf.h"

enum dp_action_type {
    DP_ACT_OUTPUT,    /* port */
    DP_ACT_PUSH_VLAN, /* push_vlan */
    DP_ACT_POP_VLAN,
    DP_ACT_SET,           /* section, hint, arg: value words, then mask words */
    DP_ACT_PUSH_MPLS,     /* n: Ethernet type; lse_be */
    DP_ACT_POP_MPLS,      /* n: Ethernet type of what is below */
    DP_ACT_HASH,          /* n: enum dp_hash_alg; basis: dp_hash becomes a hash of the packet */
    DP_ACT_RECIRC,        /* recirc_id: the packet goes through the tables again */
    DP_ACT_METER,         /* meter_id: packets over the limit end here */
    DP_ACT_TRUNC,         /* max_len: of what the next output sends */
    DP_ACT_CLONE,         /* n nested actions, on a copy */
    DP_ACT_CHECK_PKT_LEN, /* arg: struct dp_check_pkt_len; two nested lists */
    DP_ACT_PUNT           /* n argument words at arg: to the datapath's user */
};

struct dp_action {
    uint16_t type; /* enum dp_action_type */
    union {
        uint16_t n;
        struct {
            uint8_t section; /* enum flow_section */
            /* FS_IP: 4 or 6.  FS_L4: the IP protocol.  0 elsewhere.  Says how to name it. */
            uint8_t hint;
        };
    };
    union {
        uint32_t port; /* datapath port number */
        uint32_t arg;  /* index of the first argument word */
        struct {
            uint16_t tpid, tci; /* host order; tci without VLAN_CFI */
        } push_vlan;
        uint32_t lse_be, basis, recirc_id, meter_id, max_len;
    };
};
_Static_assert(sizeof(struct dp_action) == 8, "actions lie densely");

/* Packets longer than `len` run the first `n_greater` nested actions, the others the `n_le`
 * behind them; then both go on. */
struct dp_check_pkt_len {
    uint32_t len; /* of the whole frame, bytes */
    uint16_t n_greater, n_le;
};

struct dp_actions {
    uint32_t n;
    uint32_t n_words;
    struct dp_action a[];
    /* uint64_t words[n_words] */
};
static inline const uint64_t *
dp_actions_words(const struct dp_actions *acts)
{
    return (const uint64_t *) (const void *) &acts->a[acts->n];
}

#define DP_PORT_NONE UINT32_MAX /* instead of a port number */

/* The port, if all that the list does is one output; else DP_PORT_NONE. */
static inline uint32_t
dp_actions_only_output(const struct dp_actions *acts)
{
    return acts->n == 1 && acts->a[0].type == DP_ACT_OUTPUT ? acts->a[0].port : DP_PORT_NONE;
}

/* Growing list, for translation; zero-initialised is empty.  Lists longer than
 * DP_ACTIONS_MAX actions or words are cut to nothing: they drop (`overflow` says so). */
#define DP_ACTIONS_MAX 32768u
struct dp_actions_builder {
    struct dp_action *a;
    uint32_t n, cap;
    uint64_t *words;
    uint32_t n_words, cap_words;
    bool overflow;
};
/* Ports are the datapath's.  A port that is gone at execution is counted, and skipped. */
void dp_actions_add_output(struct dp_actions_builder *, uint32_t port);
void dp_actions_add_push_vlan(struct dp_actions_builder *, uint16_t tpid, uint16_t tci);
void dp_actions_add_pop_vlan(struct dp_actions_builder *);
/* Overwrites the bits of `mask` in a section of the packet by those of `value`; both point at
 * the section as it lies in struct flow.  What can be set: FS_META (skb_priority, pkt_mark),
 * FS_ETH (addresses), FS_IP (tos, ttl, ipv6_label), FS_IPV4, FS_IPV6, FS_L4 (ports or ICMP type
 * and code), FS_ARP, FS_ND, FS_MPLS (first label stack entry); other bits are left out.
 * Checksums follow.  `hint` as in struct dp_action. */
void dp_actions_add_set(struct dp_actions_builder *, enum flow_section, uint8_t hint,
                        const void *value, const void *mask);
/* A label stack entry in front, or the first one away (RFC 3032); `ethertype`: what the packet
 * then says it is.  A packet that cannot take it, or has none, is dropped and counted. */
void dp_actions_add_push_mpls(struct dp_actions_builder *, uint16_t ethertype, uint32_t lse_be);
/* Changes the label of a push that is the last action so far; false if it is not. */
bool dp_actions_amend_push_mpls(struct dp_actions_builder *, uint32_t lse_be);
void dp_actions_add_pop_mpls(struct dp_actions_builder *, uint16_t ethertype);
/* See enum dp_action_type.  `max_len` counts from the Ethernet header, in bytes. */
void dp_actions_add_hash(struct dp_actions_builder *, enum dp_hash_alg, uint32_t basis);
void dp_actions_add_recirc(struct dp_actions_builder *, uint32_t recirc_id);
void dp_actions_add_meter(struct dp_actions_builder *, uint32_t meter_id);
void dp_actions_add_trunc(struct dp_actions_builder *, uint32_t max_len);
/* What is added between the two runs on a copy of the packet. */
uint32_t dp_actions_begin_clone(struct dp_actions_builder *);
void dp_actions_end_clone(struct dp_actions_builder *, uint32_t begun);
/* Makes everything from action `at` on run on a copy. */
void dp_actions_wrap_clone(struct dp_actions_builder *, uint32_t at);
/* begin, actions for longer packets, else, actions for the others, end. */
uint32_t dp_actions_begin_check_pkt_len(struct dp_actions_builder *, uint32_t len);
void dp_actions_else_check_pkt_len(struct dp_actions_builder *, uint32_t begun);
void dp_actions_end_check_pkt_len(struct dp_actions_builder *, uint32_t begun);
/* Hands the packet to the datapath's user (dp_upcall_ops.punt) with these words. */
void dp_actions_add_punt(struct dp_actions_builder *, const uint64_t *words, uint16_t n_words);

/* The finished list (caller owns, free()); the builder is empty afterwards. */
struct dp_actions *dp_actions_finish(struct dp_actions_builder *);
/* Gives up what was built. */
void dp_actions_builder_destroy(struct dp_actions_builder *);
bool dp_actions_equal(const struct dp_actions *, const struct dp_actions *);
/* Does any action, nested ones included, name the port? */
bool dp_actions_output_to(const struct dp_actions *, uint32_t port);

/* "2,push_vlan(vid=10,pcp=0),3", "drop" for none; port names if `port_name` is not NULL. */
void dp_actions_format(struct strbuf *, const struct dp_actions *,
                       const char *(*port_name)(uint32_t, void *), void *aux);
/* How the arguments of a punt are shown; main, once, before threads start. */
void dp_actions_set_punt_format(void (*)(struct strbuf *, const uint64_t *words, uint16_t n));

#endif
