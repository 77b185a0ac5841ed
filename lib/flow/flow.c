/* SPDX-License-Identifier: Apache-2.0 */
/* Operations on whole flows and masks.  Called by translation, the tables and the datapath's
 * miss path, on any thread; pure functions.  Packets' bytes are flow-key.c's business. */

#include "flow/flow.h"

#include "flow/flow-key.h"
#include "util/hash.h"

/* Layers below the transport: that a packet has them, or has them not, is always part of a
 * datapath flow. */
#define SECTIONS_BELOW_L4                                                                      \
    (FS_BIT(FS_META) | FS_BIT(FS_ETH) | FS_BIT(FS_VLAN) | FS_BIT(FS_IP) | FS_BIT(FS_IPV4) |    \
     FS_BIT(FS_IPV6) | FS_BIT(FS_ARP) | FS_BIT(FS_MPLS))

void
flow_mask_init_minimal(struct flow *mask, const struct flow *flow)
{
    memset(mask, 0, sizeof *mask);
    mask->meta.in_port = UINT32_MAX;
    mask->meta.recirc_id = UINT32_MAX;
    mask->meta.packet_type = UINT32_MAX;
    if (flow->sections & FS_BIT(FS_ETH)) {
        mask->eth.type_be = UINT16_MAX;
    }
    if (flow->sections & FS_BIT(FS_IP)) {
        mask->ip.frag = UINT8_MAX;
    }
    mask->sections = SECTIONS_BELOW_L4;
}

unsigned
flow_mask_sections(const struct flow *mask)
{
    const flow_word *w = (const flow_word *) mask;
    unsigned sections = 0;

    for (unsigned s = 0; s < FS_REGS; s++) {
        uint64_t any = 0;

        for (unsigned i = 0; i < flow_section_words[s]; i++) {
            any |= w[flow_section_flow_ofs[s] + i];
        }
        sections |= any ? FS_BIT(s) : 0;
    }
    return sections;
}

void
flow_mask_clip(struct flow *mask, const struct flow *flow)
{
    /* A field that was looked at distinguishes a packet that has it as zero from one that has
     * it not: the presence bit belongs to the mask with it. */
    mask->sections |= flow_mask_sections(mask);
    for (unsigned s = 0; s < FS_N; s++) {
        if (!(flow->sections & FS_BIT(s))) {
            memset((uint8_t *) mask + flow_section_flow_ofs[s] * 8, 0,
                   flow_section_words[s] * 8);
        }
    }
}

bool
flow_matches(const struct flow *f, const struct flow *match, const struct flow *mask)
{
    const flow_word *fw = (const flow_word *) f;
    const flow_word *vw = (const flow_word *) match;
    const flow_word *mw = (const flow_word *) mask;

    for (unsigned i = 0; i < FLOW_WORDS; i++) {
        if ((fw[i] ^ vw[i]) & mw[i]) {
            return false;
        }
    }
    return true;
}

uint32_t
flow_hash_5tuple(const struct flow *flow, uint32_t basis)
{
    struct {
        struct in6_addr src, dst;
        uint32_t ports, proto;
    } t;

    memset(&t, 0, sizeof t);
    if (!(flow->sections & FS_BIT(FS_IP))) {
        /* Nothing better than the addresses of the frame. */
        return hash_bytes(&flow->eth, sizeof flow->eth, basis);
    }
    if (flow->sections & FS_BIT(FS_IPV6)) {
        t.src = flow->ipv6.src;
        t.dst = flow->ipv6.dst;
    } else {
        memcpy(&t.src, &flow->ipv4.src_be, 4);
        memcpy(&t.dst, &flow->ipv4.dst_be, 4);
    }
    t.proto = flow->ip.proto;
    /* All fragments of a packet go the same way, also those without ports. */
    if (!flow->ip.frag && flow->ip.proto != IPPROTO_ICMP && flow->ip.proto != IPPROTO_ICMPV6) {
        memcpy(&t.ports, &flow->l4.src_be, 4);
    }
    return hash_bytes(&t, sizeof t, basis);
}
