/* SPDX-License-Identifier: Apache-2.0 */
#ifndef XVS_FLOW_FLOW_KEY_H
#define XVS_FLOW_FLOW_KEY_H 1

/* The compressed form of a flow (see flow/flow.h): the words of the present sections, in
 * section order.  Two keys are equal exactly if `sections` and all `n_words` words are. */

#include "flow/flow.h"
#include "packet/packet.h"

#define FLOW_KEY_MAX_WORDS 24

struct flow_key {
    uint32_t hash; /* over sections and words; set by extraction */
    uint16_t sections;
    uint16_t n_words;
    uint64_t w[FLOW_KEY_MAX_WORDS];
};

/* Words of each section, and the word offset of each in struct flow. */
extern const uint8_t flow_section_words[FS_N];
extern const uint8_t flow_section_flow_ofs[FS_N];

/* Parses the packet (in_port, recirc_id, marks from its metadata) in one pass: fills the key
 * and the packet's layer offsets and l4_len.  Any bytes are safe: what is truncated or
 * malformed ends the parse at the last whole layer, and the section behind it is absent. l3_ofs
 * is set exactly if FS_IP or FS_ARP is present, l4_ofs if FS_L4 is.  An IP packet longer than
 * its frame is malformed; a shorter one is padded.  Behind a broken chain of IPv6 extension
 * headers, ip.proto is the number of the header that broke.  Fast path. */
void flow_key_extract(struct packet *, struct flow_key *);

/* The same for one that has just come in by a port: notes that in its metadata, too. */
void flow_key_extract_received(struct packet *, uint32_t in_port, struct flow_key *);

/* How many VLAN tags extraction looks at (Open_vSwitch.other_config:vlan-limit): 1 to
 * FLOW_MAX_VLANS, which is the initial value and stands for 0 and for anything more.  The tag
 * behind the last one looked at is payload, its TPID the Ethernet type.  True if that changes
 * what was; megaflows made before then never match a packet wrongly, but may never match again.
 * Any thread. */
bool flow_key_set_vlan_limit(unsigned);
unsigned flow_key_vlan_limit(void);

/* Into the other form and back (FS_REGS is left behind). */
void flow_key_expand(const struct flow_key *, struct flow *);
void flow_key_from_flow(const struct flow *, struct flow_key *);

/* Word offset of section `s` in a key with `sections`; meaningful if present. */
static inline unsigned
flow_key_section_ofs(uint16_t sections, enum flow_section s)
{
    unsigned ofs = 0;
    for (unsigned i = 0; i < (unsigned) s; i++) {
        ofs += sections & FS_BIT(i) ? flow_section_words[i] : 0;
    }
    return ofs;
}
/* Two words, which machines compare as one. */
typedef uint64_t flow_word_pair __attribute__((vector_size(16), aligned(8), may_alias));

static inline bool
flow_key_equal(const struct flow_key *a, const struct flow_key *b)
{
    flow_word_pair differ = {0, 0};
    unsigned i;

    if (a->hash != b->hash || a->sections != b->sections) {
        return false;
    }
    for (i = 0; i + 2u <= b->n_words; i += 2) { /* a call would cost more */
        differ |= *(const flow_word_pair *) &a->w[i] ^ *(const flow_word_pair *) &b->w[i];
    }
    if (i < b->n_words) {
        differ[0] |= a->w[i] ^ b->w[i];
    }
    return !(differ[0] | differ[1]);
}

#endif
