/* SPDX-License-Identifier: Apache-2.0 */
#ifndef XVS_OPENFLOW_OF_MATCH_H
#define XVS_OPENFLOW_OF_MATCH_H 1

/* What an OpenFlow flow matches, and its five wire forms: struct ofp10_match, struct
 * ofp11_match (OFPMT_STANDARD), OXM (1.2+), NXM (Nicira, 1.0 and 1.1) and text.
 *
 * Invariant: bits of `flow` outside `mask` are zero.  in_port is an OpenFlow port.  Nothing
 * here keeps state: any thread. */

#include "openflow/of-buf.h"
#include "openflow/of-error.h"
#include "openflow/of-field.h"

struct of_match {
    struct flow flow, mask;
};
void of_match_init(struct of_match *); /* matches everything */
static inline bool
of_match_equal(const struct of_match *a, const struct of_match *b)
{
    return flow_equal(&a->flow, &b->flow) && flow_equal(&a->mask, &b->mask);
}
/* Is there nothing in it? */
bool of_match_is_any(const struct of_match *);
/* Narrows the match by a field, without looking at prerequisites.  `mask` NULL: exact. */
void of_match_set(struct of_match *, enum of_field, const struct of_value *value,
                  const struct of_value *mask);
void of_match_set_u64(struct of_match *, enum of_field, uint64_t value);
/* The match's value and mask of a field; false when it is not looked at. */
bool of_match_get(const struct of_match *, enum of_field, struct of_value *value,
                  struct of_value *mask);
/* Removes fields whose prerequisites are not met, as OpenFlow 1.0 tells a switch to. */
void of_match_normalize(struct of_match *);
/* A match that is exactly the packet's: every field whose prerequisites hold. */
void of_match_from_flow(struct of_match *, const struct flow *);

/* Decoding.  All fill `match` whatever they return; errors are those of the specifications:
 * OFPBMC_BAD_LEN, BAD_TYPE, BAD_TAG, BAD_VALUE, BAD_MASK, BAD_PREREQ, DUP_FIELD, BAD_FIELD,
 * BAD_WILDCARDS, and OFPBMC_BAD_DL_ADDR_MASK and BAD_NW_ADDR_MASK. */
#define OFP10_MATCH_LEN 40
#define OFP11_MATCH_LEN 88
enum of_err of_match_decode_ofp10(struct of_reader *, struct of_match *);
/* The padded `struct ofp_match` of OpenFlow 1.1+ in the message: reads its type and length, and
 * the padding behind.  `loose`: unknown fields and prerequisites do not matter (packet-in). */
enum of_err of_match_decode(struct of_reader *, uint8_t version, bool loose, struct of_match *);
/* Exactly `len` bytes of NXM (or OXM) entries without the struct around; the reader is moved
 * over padding to a multiple of 8.  `cookie` and `cookie_mask` (host order; both NULL:
 * NXM_NX_COOKIE is refused) are 0 when the entry is lacking. */
enum of_err of_match_decode_nxm(struct of_reader *, size_t len, bool loose, struct of_match *,
                                uint64_t *cookie, uint64_t *cookie_mask);

/* Encoding cannot fail; what 1.0's struct cannot say is left out, of_match_fits() asks before.
 */
void of_match_encode_ofp10(struct of_buf *, const struct of_match *);
/* 1.1+, with header and padding to 8.  1.1 gets NXM entries where its struct is too small,
 * which stock tools take. */
void of_match_encode(struct of_buf *, uint8_t version, const struct of_match *);
/* NXM entries (version 0), or OXM ones (version 3..6), padded to a multiple of 8; returns the
 * length without padding. */
size_t of_match_encode_nxm(struct of_buf *, uint8_t version, const struct of_match *,
                           uint64_t cookie, uint64_t cookie_mask);
/* Can the fixed struct of OpenFlow 1.0 or 1.1 (version 1 or 2) say all of it? */
bool of_match_fits(const struct of_match *, uint8_t version);

/* One OXM or NXM TLV: header (with mask bit) and value, mask.  Used by matches, set_field,
 * table features, groups' selection fields.  decode: OFPBMC_BAD_FIELD for fields we do not
 * know, the reader then is behind the entry; `mask` is all ones in an entry without one,
 * `*has_mask` says which. */
enum of_err of_oxm_decode(struct of_reader *, enum of_field *, struct of_value *value,
                          struct of_value *mask, bool *has_mask);
void of_oxm_encode(struct of_buf *, enum of_field, uint8_t version,
                   const struct of_value *value, const struct of_value *mask);
/* A header alone (4 or 8 bytes). */
enum of_err of_oxm_header_decode(struct of_reader *, enum of_field *, bool *has_mask);
void of_oxm_header_encode(struct of_buf *, enum of_field, uint8_t version, bool has_mask);

/* Text in stock order: "priority=5,tcp,in_port=1,nw_dst=10.0.0.0/8"; the priority is left out
 * when it is 32768 or negative.  "" for a match on everything. */
void of_match_format(const struct of_match *, int priority, const struct of_names *,
                     struct strbuf *);
/* The fields (not priority, cookie or actions) of flow text such as "tcp,in_port=1,nw_dst=…"
 * (ofproto/trace).  `port` (may be NULL) maps names to numbers, -1: unknown.  False with a
 * sentence in `*errp`. */
bool of_match_parse(const char *, struct of_match *, int (*port)(const char *name, void *aux),
                    void *aux, char **errp);
/* The same for one packet's flow: no masks, no field twice, one Ethernet type. */
bool of_match_parse_flow(const char *, struct of_match *,
                         int (*port)(const char *name, void *aux), void *aux, char **errp);

#endif
