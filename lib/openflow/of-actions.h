/* SPDX-License-Identifier: Apache-2.0 */
#ifndef XVS_OPENFLOW_OF_ACTIONS_H
#define XVS_OPENFLOW_OF_ACTIONS_H 1

/* OpenFlow actions and instructions in one internal form, whatever version or extension they
 * came in: a list of typed structs one behind the other in a blob, each aligned to 8 bytes.
 *
 * An instruction list is the actions of apply_actions, flat, with the other instructions as
 * actions of their own, in the order in which they execute: OFA_METER, the applied actions,
 * OFA_CLEAR_ACTIONS, OFA_WRITE_ACTIONS, OFA_WRITE_METADATA, OFA_GOTO_TABLE.
 *
 * Blobs are plain data: reading from any thread, no references out of them. */

#include <stddef.h>
#include "openflow/of-buf.h"
#include "openflow/of-error.h"
#include "openflow/of-field.h"
#include "openflow/of-match.h"

enum of_act_type {
    /* Output. */
    OFA_OUTPUT,       /* of_act_output */
    OFA_OUTPUT_REG,   /* of_act_output_reg: output:NXM_NX_REG0[] */
    OFA_OUTPUT_TRUNC, /* of_act_output_trunc: output(port=1,max_len=100) */
    OFA_CONTROLLER,   /* of_act_controller: controller(…); plain CONTROLLER:n is OFA_OUTPUT */
    OFA_ENQUEUE,      /* of_act_enqueue */
    OFA_GROUP,        /* of_act_num: group id */
    OFA_BUNDLE,       /* of_act_bundle */
    /* Headers and metadata. */
    OFA_SET_FIELD,   /* of_act_set_field; dst is the whole field */
    OFA_LOAD,        /* of_act_set_field too; the same effect, but its text says load:… */
    OFA_MOVE,        /* of_act_move */
    OFA_PUSH,        /* of_act_stack: push:NXM_NX_REG0[] */
    OFA_POP,         /* of_act_stack */
    OFA_SET_ETH_SRC, /* of_act_eth */
    OFA_SET_ETH_DST,
    OFA_SET_VLAN_VID, /* of_act_vlan */
    OFA_SET_VLAN_PCP,
    OFA_STRIP_VLAN,   /* of_act; form 1: 1.1+'s pop_vlan */
    OFA_PUSH_VLAN,    /* of_act_num: Ethernet type */
    OFA_SET_IPV4_SRC, /* of_act_num: address, host order */
    OFA_SET_IPV4_DST,
    OFA_SET_IP_DSCP, /* of_act_num: TOS byte, low two bits zero */
    OFA_SET_IP_ECN,  /* of_act_num */
    OFA_SET_IP_TTL,  /* of_act_num */
    OFA_SET_L4_SRC,  /* of_act_num: port of TCP, UDP or SCTP */
    OFA_SET_L4_DST,
    OFA_DEC_TTL,        /* of_act_dec_ttl */
    OFA_SET_MPLS_LABEL, /* of_act_num */
    OFA_SET_MPLS_TC,    /* of_act_num */
    OFA_SET_MPLS_TTL,   /* of_act_num */
    OFA_DEC_MPLS_TTL,   /* of_act */
    OFA_PUSH_MPLS,      /* of_act_num: Ethernet type */
    OFA_POP_MPLS,       /* of_act_num: Ethernet type of what is below */
    OFA_SET_TUNNEL,     /* of_act_num; form 1: set_tunnel64 */
    OFA_SET_QUEUE,      /* of_act_num */
    OFA_POP_QUEUE,      /* of_act */
    /* Control. */
    OFA_RESUBMIT,         /* of_act_resubmit */
    OFA_LEARN,            /* of_act_learn */
    OFA_CONJUNCTION,      /* of_act_conjunction */
    OFA_MULTIPATH,        /* of_act_multipath */
    OFA_FIN_TIMEOUT,      /* of_act_fin_timeout */
    OFA_NOTE,             /* of_act_note */
    OFA_EXIT,             /* of_act */
    OFA_CLONE,            /* of_act_nest */
    OFA_CHECK_PKT_LARGER, /* of_act_check_pkt_larger */
    /* Instructions, in the order of an instruction list (see above for OFA_METER's place). */
    OFA_METER,          /* of_act_num: an action in 1.5, an instruction before */
    OFA_CLEAR_ACTIONS,  /* of_act */
    OFA_WRITE_ACTIONS,  /* of_act_nest */
    OFA_WRITE_METADATA, /* of_act_metadata */
    OFA_GOTO_TABLE,     /* of_act_num: table */
    OFA_N
};

struct of_act {
    uint16_t type; /* enum of_act_type */
    uint8_t form;  /* variant of the wire form that encoding gives back; 0: the usual one */
    uint8_t proto; /* OFA_SET_L4_*: whose port, as of_actions_check() found out; 0: unknown */
    uint32_t len;  /* whole struct with padding to 8 */
};
struct of_act_num { /* one number; which is said at the types above */
    struct of_act act;
    uint64_t num;
};
struct of_act_output {
    struct of_act act;
    uint16_t port, max_len; /* max_len: for OFPP_CONTROLLER; 0xffff all of the packet */
    uint32_t pad;
};
struct of_act_output_reg {
    struct of_act act;
    struct of_subfield src;
    uint16_t max_len, pad;
};
struct of_act_output_trunc {
    struct of_act act;
    uint32_t max_len;
    uint16_t port, pad;
};
/* Reasons of packet-ins (OpenFlow 1.5.1 section 7.4.1). */
enum of_packet_in_reason {
    OFPR_NO_MATCH, /* OFPR_TABLE_MISS */
    OFPR_ACTION,   /* OFPR_APPLY_ACTION */
    OFPR_INVALID_TTL,
    OFPR_ACTION_SET,
    OFPR_GROUP,
    OFPR_PACKET_OUT,
    OFPR_N,
    /* Internal: told apart for async masks and OpenFlow 1.3 only. */
    OFPR_EXPLICIT_MISS = OFPR_N,
    OFPR_IMPLICIT_MISS,
};
#define OF_CONTROLLER_NO_METER UINT32_MAX
struct of_act_controller {
    struct of_act act;
    uint16_t max_len, controller_id;
    uint8_t reason;
    bool pause;
    uint16_t userdata_len;
    uint32_t meter_id; /* OF_CONTROLLER_NO_METER: the provider's default */
    uint32_t pad;
    uint8_t userdata[];
};
struct of_act_enqueue {
    struct of_act act;
    uint32_t queue;
    uint16_t port, pad;
};
enum of_hash_fields { /* NXST hash fields of multipath, bundle and groups, wire values */
                      OFHASH_ETH_SRC,
                      OFHASH_SYMMETRIC_L4,
                      OFHASH_SYMMETRIC_L3L4,
                      OFHASH_SYMMETRIC_L3L4_UDP,
                      OFHASH_NW_SRC,
                      OFHASH_NW_DST,
                      OFHASH_SYMMETRIC_L3,
                      OFHASH_N
};
struct of_act_bundle {
    struct of_act act;
    uint16_t algorithm; /* 0 active_backup, 1 hrw */
    uint16_t fields;    /* enum of_hash_fields */
    uint16_t basis;
    uint16_t n_members;
    struct of_subfield dst; /* n_bits == 0: output instead of bundle_load */
    uint32_t pad;
    uint16_t members[]; /* ports */
};
struct of_act_set_field {
    struct of_act act;
    struct of_subfield dst;
    uint32_t has_vlan;           /* as of_act_vlan's */
    struct of_value value, mask; /* of the field's shape: for of_field_set_masked() */
};
struct of_act_move {
    struct of_act act;
    struct of_subfield src, dst; /* same n_bits */
};
struct of_act_stack {
    struct of_act act;
    struct of_subfield sub;
    uint32_t pad;
};
struct of_act_eth {
    struct of_act act;
    struct eth_addr mac;
    uint16_t pad;
};
struct of_act_vlan {
    struct of_act act;
    uint16_t value;      /* VID or PCP */
    bool push_if_needed; /* OpenFlow 1.0: adds a tag when there is none */
    bool has_vlan;       /* some earlier action or the match makes sure of a tag */
    uint32_t pad;
};
struct of_act_dec_ttl {
    struct of_act act;
    uint32_t n_controllers; /* at least one: 0 is whom plain dec_ttl tells */
    uint32_t pad;
    uint16_t controllers[];
};
struct of_act_resubmit {
    struct of_act act;
    uint16_t in_port; /* OFPP_IN_PORT: leave as it is */
    uint8_t table;    /* 255: the current table */
    bool ct;          /* in_port etc. of the tracked connection's original direction */
    uint32_t pad;
};
struct of_act_conjunction {
    struct of_act act;
    uint32_t id;
    uint8_t clause, n_clauses; /* clause counts from 0 */
    uint16_t pad;
};
struct of_act_multipath {
    struct of_act act;
    uint16_t fields, basis;
    uint16_t algorithm; /* 0 modulo_n, 1 hash_threshold, 2 hrw, 3 iter_hash */
    uint16_t max_link;
    uint32_t arg;
    struct of_subfield dst;
};
struct of_act_fin_timeout {
    struct of_act act;
    uint16_t idle_timeout, hard_timeout; /* seconds, 0: unchanged */
    uint32_t pad;
};
struct of_act_note {
    struct of_act act;
    uint32_t n;
    uint8_t data[]; /* n bytes */
};
struct of_act_nest { /* OFA_CLONE, OFA_WRITE_ACTIONS */
    struct of_act act;
    struct of_act list[]; /* act.len - sizeof act bytes */
};
struct of_act_check_pkt_larger {
    struct of_act act;
    struct of_subfield dst; /* one bit */
    uint16_t pkt_len, pad;
};
struct of_act_metadata {
    struct of_act act;
    uint64_t value, mask;
};

/* learn(): a flow to add, made of the packet's fields and constants. */
enum of_learn_kind { OF_LEARN_MATCH, OF_LEARN_LOAD, OF_LEARN_OUTPUT };
struct of_learn_spec {
    uint8_t kind;    /* enum of_learn_kind */
    bool src_is_imm; /* value instead of src */
    uint16_t n_bits;
    struct of_subfield src, dst; /* dst unused by OF_LEARN_OUTPUT */
    uint32_t pad;
    struct of_value imm; /* right-aligned in 16 bytes, as of_subfield_write() takes it */
};
enum {
    OF_LEARN_SEND_FLOW_REM = 1, /* NX_LEARN_F_* */
    OF_LEARN_DELETE_LEARNED = 2,
    OF_LEARN_WRITE_RESULT = 4,
};
struct of_act_learn {
    struct of_act act; /* form 1: learn2 */
    uint16_t idle_timeout, hard_timeout, priority;
    uint8_t table, pad;
    uint64_t cookie;
    uint16_t fin_idle_timeout, fin_hard_timeout;
    uint32_t limit; /* 0: none */
    uint32_t flags;
    uint32_t n_specs;
    struct of_subfield result_dst; /* for OF_LEARN_WRITE_RESULT */
    uint32_t pad2;
    struct of_learn_spec specs[];
};

/* Walks `a` over the `n` bytes of a list at `list`. */
#define OF_ACT_FOR_EACH(a, list, n)                                                            \
    for (const struct of_act *a = (list), *a##_end__ = of_act_end(list, n); a < a##_end__;     \
         a = of_act_next(a))
static inline const struct of_act *
of_act_end(const struct of_act *list, size_t len)
{
    /* An empty list is NULL. */
    return len ? (const struct of_act *) (const void *) ((const uint8_t *) list + len) : list;
}
static inline const struct of_act *
of_act_next(const struct of_act *a)
{
    return of_act_end(a, a->len);
}
static inline size_t
of_act_nest_len(const struct of_act_nest *n)
{
    return n->act.len - sizeof n->act;
}

/* An owned list. */
struct of_actions {
    struct of_act *a; /* NULL when empty */
    size_t len;       /* bytes */
    size_t cap;
};
#define OF_ACTIONS_INIT                                                                        \
    {                                                                                          \
        NULL, 0, 0                                                                             \
    }
void of_actions_free(struct of_actions *); /* empty and reusable afterwards */
void of_actions_clone(struct of_actions *dst, const struct of_act *, size_t len);
bool of_actions_equal(const struct of_act *, size_t, const struct of_act *, size_t);
/* Appends an action of `size` bytes (its struct with what follows), zeroed but for type and
 * len; borrowed until the next append. */
void *of_actions_put(struct of_actions *, enum of_act_type, size_t size);
/* Appends a copy of one action, with what is nested in it. */
struct of_act *of_actions_put_copy(struct of_actions *, const struct of_act *);
void of_actions_put_output(struct of_actions *, uint16_t port, uint16_t max_len);

/* What kind of list the bytes are. */
enum of_acts_kind {
    OF_ACTS_APPLY,        /* ofp_action list: OpenFlow 1.0 flows, packet-out */
    OF_ACTS_SET,          /* group buckets, in which any action is allowed */
    OF_ACTS_INSTRUCTIONS, /* 1.1+ flows; with version 1 the same as OF_ACTS_APPLY */
};
/* Nesting that is accepted, of clone() in itself and so on. */
#define OF_ACTS_MAX_DEPTH 32
/* Decodes all of the reader's bytes.  On error `out` is empty.  OFPBAC_*, OFPBIC_*, OFPBMC_*.
 */
enum of_err
of_actions_decode(struct of_reader, uint8_t version, enum of_acts_kind, struct of_actions *out);
/* Encodes; what the version cannot say is left out, or said by the nearest extension.
 * Returns the number of bytes. */
size_t of_actions_encode(struct of_buf *, const struct of_act *, size_t len, uint8_t version,
                         enum of_acts_kind);
/* Text as stock prints it behind "actions="; "drop" for an empty list. */
void
of_actions_format(const struct of_act *, size_t len, const struct of_names *, struct strbuf *);
/* The reverse, for all that ovs-actions(7) says of these actions, in any spelling; instructions
 * have to be in their order.  `port` (may be NULL) maps names to numbers, -1: unknown.  Does
 * not look at what the actions need: of_actions_check() does.  False with a sentence in `*errp`
 * (caller frees), and `out` is empty. */
bool of_actions_parse(const char *, struct of_actions *out,
                      int (*port)(const char *name, void *aux), void *aux, char **errp);

/* Does the list make sense in a flow with this match in this switch? */
struct of_actions_limits {
    uint16_t max_ports;  /* ports are below, or reserved numbers */
    uint8_t table_id;    /* of the flow; goto_table must go beyond.  255: not in a table */
    uint8_t n_tables;    /* goto_table must stay below */
    uint32_t max_meters; /* 0: no meters at all */
    uint8_t version;     /* what the controller speaks: 1.0 forgives what 1.1+ refuses */
};
/* Checks ports, tables, groups, meters, prerequisites of fields (as changed by earlier actions:
 * push_mpls, pop_mpls …), conflicts (OFPBAC_MATCH_INCONSISTENT, BAD_OUT_PORT, BAD_OUT_GROUP,
 * BAD_ARGUMENT, BAD_SET_TYPE, OFPBIC_BAD_TABLE_ID, OFPMMFC_INVALID_METER …).  Also fills
 * has_vlan of struct of_act_vlan and of_act_set_field, which is why the list is not const. */
enum of_err of_actions_check(struct of_act *, size_t len, const struct of_match *,
                             const struct of_actions_limits *);

/* Questions that tables ask.  All look into nested lists. */
bool of_actions_output_to_port(const struct of_act *, size_t len, uint16_t port);
bool of_actions_output_to_group(const struct of_act *, size_t len, uint32_t group);
/* Conjunction actions may stand beside notes only; true when there is one. */
bool of_actions_have_conjunction(const struct of_act *, size_t len);
/* The meter of the list, 0 when none. */
uint32_t of_actions_meter(const struct of_act *, size_t len);
/* First action of a type in the list itself, or NULL. */
const struct of_act *of_actions_find(const struct of_act *, size_t len, enum of_act_type);
const char *of_hash_fields_name(unsigned fields); /* "eth_src"; NULL when unknown */

#endif
