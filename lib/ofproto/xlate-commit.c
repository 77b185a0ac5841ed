/* SPDX-License-Identifier: Apache-2.0 */
/* Compares the packet on the wire with what the pipeline made of it and adds the datapath
 * actions that turn the one into the other, right before an output.  Works on the fields by
 * table; it knows nothing of where the changes came from.
 *
 * A field is set if its value differs.  The bits set are those that were looked at or written:
 * the others are the packet's own in both, by what a megaflow's mask means. */

#include "ofproto/xlate-private.h"

#include <arpa/inet.h>
#include <stddef.h>

#include "flow/flow-key.h"
#include "packet/headers.h"

struct commit_field {
    uint8_t section, size;
    uint16_t ofs; /* in struct flow */
};
#define FIELD(SECTION, MEMBER)                                                                 \
    {                                                                                          \
        SECTION, sizeof(((struct flow *) NULL)->MEMBER), offsetof(struct flow, MEMBER)         \
    }
/* In the order in which actions are added. */
static const struct commit_field fields[] = {
    FIELD(FS_ETH, eth.src),
    FIELD(FS_ETH, eth.dst),
    FIELD(FS_IP, ip.tos),
    FIELD(FS_IP, ip.ttl),
    FIELD(FS_IP, ip.ipv6_label_be),
    FIELD(FS_IPV4, ipv4.src_be),
    FIELD(FS_IPV4, ipv4.dst_be),
    FIELD(FS_IPV6, ipv6.src),
    FIELD(FS_IPV6, ipv6.dst),
    FIELD(FS_ARP, arp.op),
    FIELD(FS_ARP, arp.spa_be),
    FIELD(FS_ARP, arp.tpa_be),
    FIELD(FS_ARP, arp.sha),
    FIELD(FS_ARP, arp.tha),
    FIELD(FS_ND, nd.target),
    FIELD(FS_ND, nd.sll),
    FIELD(FS_ND, nd.tll),
    FIELD(FS_ND, nd.reserved_be),
    FIELD(FS_ND, nd.opt_type),
    FIELD(FS_L4, l4.src_be),
    FIELD(FS_L4, l4.dst_be),
    FIELD(FS_MPLS, mpls.lse_be[0]),
    FIELD(FS_META, meta.skb_priority),
    FIELD(FS_META, meta.pkt_mark),
};

/* What set actions of the section are called by; see dp_actions_add_set(). */
static uint8_t
section_hint(const struct flow *f, enum flow_section s)
{
    return s == FS_IP ? (f->sections & FS_BIT(FS_IPV6) ? 6 : 4) : s == FS_L4 ? f->ip.proto : 0;
}

/* Type and code of ICMP mean nothing without each other: they are set together. */
static bool
is_icmp(const struct xlate_ctx *ctx, enum flow_section s)
{
    return s == FS_L4 &&
           (of_prereq_ok(OFQ_ICMPV4, &ctx->flow) || of_prereq_ok(OFQ_ICMPV6, &ctx->flow));
}

/* One section's fields from fields[i] on: adds a set action if any differs. */
static void
commit_section(struct xlate_ctx *ctx, unsigned *i)
{
    enum flow_section s = (enum flow_section) fields[*i].section;
    unsigned word = flow_section_flow_ofs[s];
    struct flow mask;
    bool differs = false;

    memset(&mask, 0, sizeof mask);
    for (; *i < ARRAY_SIZE(fields) && fields[*i].section == s; ++*i) {
        const struct commit_field *f = &fields[*i];
        const uint8_t *want = (const uint8_t *) &ctx->flow + f->ofs;
        uint8_t *have = (uint8_t *) &ctx->base + f->ofs;

        if (memcmp(want, have, f->size)) {
            uint8_t *m = (uint8_t *) &mask + f->ofs;

            memcpy(m, (const uint8_t *) &ctx->wc + f->ofs, f->size);
            /* Labels pushed and the like are looked at without being in the packet. */
            for (unsigned b = 0; b < f->size; b++) {
                m[b] |= (uint8_t) (want[b] ^ have[b]);
            }
            memcpy(have, want, f->size);
            differs = true;
        }
    }
    if (differs && is_icmp(ctx, s)) {
        ctx->wc.l4.src_be = ctx->wc.l4.dst_be = htons(UINT8_MAX);
        mask.l4.src_be = mask.l4.dst_be = UINT16_MAX;
    }
    if (differs && s == FS_MPLS) { /* one word on the wire, set as a whole */
        ctx->wc.mpls.lse_be[0] |= ctx->mpls_changed ? 0 : UINT32_MAX;
        mask.mpls.lse_be[0] = UINT32_MAX;
    }
    if (differs && s == FS_MPLS && ctx->mpls_pushed == ctx->actions.n &&
        dp_actions_amend_push_mpls(&ctx->actions, ctx->flow.mpls.lse_be[0])) {
        return; /* the label pushed right before is pushed as it is to be */
    }
    if (differs) {
        dp_actions_add_set(&ctx->actions, s, section_hint(&ctx->flow, s),
                           (const flow_word *) &ctx->flow + word,
                           (const flow_word *) &mask + word);
    }
    if (differs && s == FS_L4) {
        ctx->wc.ip.proto = UINT8_MAX; /* says where the ports are */
    }
}

void
xlate_commit(struct xlate_ctx *ctx, const struct tag_stack *tags)
{
    for (unsigned i = 0; i < ARRAY_SIZE(fields);) {
        commit_section(ctx, &i);
    }
    xlate_commit_tags(ctx, tags);
}
