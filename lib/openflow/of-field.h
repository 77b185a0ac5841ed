/* SPDX-License-Identifier: Apache-2.0 */
#ifndef XVS_OPENFLOW_OF_FIELD_H
#define XVS_OPENFLOW_OF_FIELD_H 1

/* The match fields of OpenFlow 1.0-1.5 and their Nicira and ONF extensions: their names, wire
 * headers, widths, and where they live in struct flow.
 *
 * A field's value travels as struct of_value: big-endian, in the first `n_bytes` bytes that the
 * field has on the wire, its `n_bits` bits at the low end.  Nothing here allocates, blocks or
 * keeps state: any thread. */

#include <stdbool.h>
#include <stdint.h>
#include "flow/flow.h"
#include "util/strbuf.h"

/* OpenFlow ports as XVS keeps them: OpenFlow 1.0's 16-bit numbers. */
enum {
    OFPP_MAX = 0xff00, /* first number that no port may have */
    OFPP_UNSET = 0xfff7,
    OFPP_IN_PORT = 0xfff8,
    OFPP_TABLE = 0xfff9,
    OFPP_NORMAL = 0xfffa,
    OFPP_FLOOD = 0xfffb,
    OFPP_ALL = 0xfffc,
    OFPP_CONTROLLER = 0xfffd,
    OFPP_LOCAL = 0xfffe,
    OFPP_NONE = 0xffff, /* OFPP_ANY */
};
/* OpenFlow 1.1+ numbers the reserved ports from 0xffffff00.  False for a number between. */
bool of_port_from_32(uint32_t, uint16_t *port);
uint32_t of_port_to_32(uint16_t port);

enum of_field {
    OFF_IN_PORT,     /* 16 bits, NXM */
    OFF_IN_PORT_OXM, /* the same in 32 bits, OpenFlow 1.1+ numbering */
    OFF_ACTSET_OUTPUT,
    OFF_PACKET_TYPE,
    OFF_SKB_PRIORITY,
    OFF_PKT_MARK,
    OFF_RECIRC_ID,
    OFF_DP_HASH,
    OFF_CONJ_ID,
    OFF_METADATA,
    OFF_TUN_ID,
    OFF_REG0,                   /* reg N is OFF_REG0 + N, N < 16 */
    OFF_XREG0 = OFF_REG0 + 16,  /* N < 8: reg 2N is the upper half */
    OFF_XXREG0 = OFF_XREG0 + 8, /* N < 4 */
    OFF_ETH_SRC = OFF_XXREG0 + 4,
    OFF_ETH_DST,
    OFF_ETH_TYPE,
    OFF_VLAN_TCI,    /* Nicira: whole TCI, CFI = a tag is present */
    OFF_DL_VLAN,     /* OpenFlow 1.0: 12 bits, no wire header of its own */
    OFF_VLAN_VID,    /* OXM: 12 bits and "present" */
    OFF_DL_VLAN_PCP, /* OpenFlow 1.0 */
    OFF_VLAN_PCP,
    OFF_MPLS_LABEL,
    OFF_MPLS_TC,
    OFF_MPLS_BOS,
    OFF_MPLS_TTL,
    OFF_IPV4_SRC,
    OFF_IPV4_DST,
    OFF_IPV6_SRC,
    OFF_IPV6_DST,
    OFF_IPV6_LABEL,
    OFF_IP_PROTO,
    OFF_IP_TOS,  /* NXM: DSCP in place, the low two bits zero */
    OFF_IP_DSCP, /* OXM: DSCP shifted down */
    OFF_IP_ECN,
    OFF_IP_TTL,
    OFF_IP_FRAG,
    OFF_ARP_OP,
    OFF_ARP_SPA,
    OFF_ARP_TPA,
    OFF_ARP_SHA,
    OFF_ARP_THA,
    OFF_TCP_SRC,
    OFF_TCP_DST,
    OFF_TCP_FLAGS,
    OFF_UDP_SRC,
    OFF_UDP_DST,
    OFF_SCTP_SRC,
    OFF_SCTP_DST,
    OFF_ICMPV4_TYPE,
    OFF_ICMPV4_CODE,
    OFF_ICMPV6_TYPE,
    OFF_ICMPV6_CODE,
    OFF_ND_TARGET,
    OFF_ND_SLL,
    OFF_ND_TLL,
    OFF_ND_RESERVED,
    OFF_ND_OPTIONS_TYPE,
    OFF_N
};
/* What a match must say before it may name the field (OpenFlow 1.5.1 section 7.2.3.6). */
enum of_prereq {
    OFQ_NONE,
    OFQ_ETH,
    OFQ_VLAN,
    OFQ_MPLS,
    OFQ_IP_ANY,
    OFQ_IPV4,
    OFQ_IPV6,
    OFQ_ARP,
    OFQ_TCP,
    OFQ_UDP,
    OFQ_SCTP,
    OFQ_ICMPV4,
    OFQ_ICMPV6,
    OFQ_ND,
    OFQ_ND_SOLICIT,
    OFQ_ND_ADVERT,
};
/* An OXM/NXM header as one 64-bit number: class (16 bits), experimenter id (32, only in class
 * 0xffff, else 0), field (7), has-mask (1), payload length (8), from the top. */
#define OFF_HEADER(CLASS, EXP, FIELD, LEN)                                                     \
    ((uint64_t) (CLASS) << 48 | (uint64_t) (EXP) << 16 | (uint64_t) (FIELD) << 9 | (LEN))
#define OFF_HEADER_MASK_BIT ((uint64_t) 1 << 8)

/* How a field lies in struct flow. */
enum of_place {
    OFL_BYTES, /* byte string: addresses and other network order members */
    OFL_BE,    /* bits of a network order member of 2, 4 or 8 bytes */
    OFL_HOST,  /* bits of a host order member of 1, 2 or 4 bytes */
    OFL_REGS,  /* consecutive host order registers, the first one uppermost */
    OFL_PORT,  /* host order port, OpenFlow 1.1+ numbers on the wire */
};
struct of_field_info {
    const char *name;     /* as stock tools print it */
    const char *alias;    /* other spelling they take, or NULL */
    const char *nxm_name; /* NXM_NX_REG0; NULL: none */
    const char *oxm_name; /* OXM_OF_METADATA; NULL: none */
    uint64_t nxm, oxm;    /* headers without mask; 0: none (in_port: see of_field_by_header) */
    uint8_t oxm_version;  /* first OpenFlow version that has the OXM header */
    uint8_t n_bytes;      /* on the wire */
    uint8_t n_bits;
    bool maskable, writable;
    enum of_prereq prereq;
    enum of_place place;
    uint16_t ofs;  /* in struct flow */
    uint8_t size;  /* of the member there, bytes */
    uint8_t shift; /* of the lowest bit of the field in the member */
};
extern const struct of_field_info of_field_table[OFF_N];
static inline const struct of_field_info *
of_field_info(enum of_field f)
{
    return &of_field_table[f];
}

struct of_value {
    uint8_t b[16]; /* big-endian, first n_bytes of the field; the rest zero */
};

/* The field that a header (the mask bit ignored) names, or OFF_N. */
enum of_field of_field_by_header(uint64_t header);
/* By any of its spellings (tun_id, tunnel_id, NXM_NX_TUN_ID, OXM_OF_TUNNEL_ID), or OFF_N.
 * `len` bytes of `name` count. */
enum of_field of_field_by_name(const char *name, size_t len);
/* The header to send in OpenFlow `version` (0: NXM wherever there is one), mask bit clear.  0
 * if the field has none. */
uint64_t of_field_header(enum of_field, uint8_t version);
/* The name stock tools print in actions: NXM_NX_REG0, OXM_OF_METADATA. */
const char *of_field_wire_name(enum of_field);

/* Value <-> flow.  Bits outside the field's n_bits are ignored by set. */
void of_field_get(enum of_field, const struct flow *, struct of_value *);
void of_field_set(enum of_field, struct flow *, const struct of_value *);
/* flow = (flow & ~mask) | (value & mask), for a mask of the same shape. */
void of_field_set_masked(enum of_field, struct flow *, const struct of_value *value,
                         const struct of_value *mask);
/* Sets all of the field's bits in `wc`: the field was looked at. */
void of_field_mask_all(enum of_field, struct flow *wc);
/* Only the bits in `mask` (a value of the field's shape). */
void of_field_mask_bits(enum of_field, struct flow *wc, const struct of_value *mask);
/* All ones in the field's width. */
void of_field_ones(enum of_field, struct of_value *);
bool of_field_is_zero(enum of_field, const struct flow *);

/* Does the packet (or match) in `flow` have the field's layer?  For a match, bits outside of
 * its mask are zero, which is what makes the same question right for both. */
bool of_prereq_ok(enum of_prereq, const struct flow *);
static inline bool
of_field_prereqs_ok(enum of_field f, const struct flow *flow)
{
    return of_prereq_ok(of_field_table[f].prereq, flow);
}
/* Marks in `wc` what of_field_prereqs_ok() looks at. */
void of_field_mask_prereqs(enum of_field, const struct flow *, struct flow *wc);
/* Is the value possible: no bit outside of n_bits, a port that has 16 bits? */
bool of_field_value_ok(enum of_field, const struct of_value *);

/* Values. */
bool of_value_is_zero(const struct of_value *, unsigned n_bytes);
bool of_value_is_ones(const struct of_value *, enum of_field);
static inline bool
of_value_equal(const struct of_value *a, const struct of_value *b)
{
    return !memcmp(a, b, sizeof *a);
}
struct of_value of_value_from_u64(enum of_field, uint64_t);
uint64_t of_value_to_u64(enum of_field, const struct of_value *); /* low 64 bits */
/* Copies `n_bits` (<= 128) bits between big-endian numbers of src_len and dst_len bytes,
 * counted from their least significant bit.  The areas may not overlap. */
void of_bits_copy(const uint8_t *src, unsigned src_len, unsigned src_ofs, uint8_t *dst,
                  unsigned dst_len, unsigned dst_ofs, unsigned n_bits);

/* Part of a field: NXM_NX_REG0[4..7] is {OFF_REG0, 4, 4}. */
struct of_subfield {
    uint16_t f; /* enum of_field */
    uint8_t ofs, n_bits;
};
static inline struct of_subfield
of_subfield_whole(enum of_field f)
{
    return (struct of_subfield){.f = (uint16_t) f, .n_bits = of_field_table[f].n_bits};
}
/* Within the field, at least one bit? */
bool of_subfield_ok(const struct of_subfield *);
/* Value of the bits, right-aligned in 16 bytes (`out->b[15]` lowest). */
void of_subfield_read(const struct of_subfield *, const struct flow *, struct of_value *out);
/* The lowest 64 bits of them. */
uint64_t of_subfield_read_u64(const struct of_subfield *, const struct flow *);
/* Writes right-aligned bits, as read gives them. */
void of_subfield_write(const struct of_subfield *, struct flow *, const struct of_value *);
void of_subfield_write_u64(const struct of_subfield *, struct flow *, uint64_t);
void of_subfield_mask(const struct of_subfield *, struct flow *wc);
/* NXM_NX_REG0[], NXM_NX_REG0[5], NXM_NX_REG0[0..15]. */
void of_subfield_format(const struct of_subfield *, struct strbuf *);
/* Parses that text, field names in any spelling; returns the first byte behind, or NULL with a
 * sentence in `*errp` (caller frees). */
const char *of_subfield_parse(const char *, struct of_subfield *, char **errp);

/* A value (mask NULL: exact) in the field's own notation: 10.0.0.0/24, 00:…, 0x10, 53. */
void of_field_format(enum of_field, const struct of_value *, const struct of_value *mask,
                     struct strbuf *);
/* The reverse; `mask` is all ones where the text has none.  False with a sentence. */
bool of_field_parse(enum of_field, const char *text, struct of_value *, struct of_value *mask,
                    char **errp);

/* Names to show instead of numbers; members may be NULL, and may return NULL. */
struct of_names {
    const char *(*port)(uint16_t port, void *aux);
    const char *(*table)(uint8_t table, void *aux);
    void *aux;
};
/* A port as stock prints it: 3, LOCAL, "eth0" (quoted where it is not a plain word). */
void of_port_format(uint16_t port, const struct of_names *, struct strbuf *);
void of_table_format(uint8_t table, const struct of_names *, struct strbuf *);

#endif
