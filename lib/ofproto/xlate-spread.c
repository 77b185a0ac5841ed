/* SPDX-License-Identifier: Apache-2.0 */
/* Choices by hash: which link of a multipath, which member of a bundle a flow takes.  Called by
 * the other files of translation.
 *
 * The fields that a hash covers count as looked at, so that every flow that may hash
 * differently gets a megaflow of its own. */

#include "ofproto/xlate-private.h"

#include <arpa/inet.h>

#include "util/hash.h"

/* What a hash may cover. */
enum {
    COVER_ETH_SRC = 1 << 0,
    COVER_ETH_DST = 1 << 1,
    COVER_VLAN = 1 << 2,
    COVER_TYPE = 1 << 3,
    COVER_IP_SRC = 1 << 4,
    COVER_IP_DST = 1 << 5,
    COVER_PROTO = 1 << 6,
    COVER_PORTS = 1 << 7,     /* of TCP and SCTP */
    COVER_UDP_PORTS = 1 << 8, /* of UDP too */
};
static const uint16_t covers[OFHASH_N] = {
    [OFHASH_ETH_SRC] = COVER_ETH_SRC,
    [OFHASH_SYMMETRIC_L4] = COVER_ETH_SRC | COVER_ETH_DST | COVER_VLAN | COVER_TYPE |
                            COVER_IP_SRC | COVER_IP_DST | COVER_PROTO | COVER_PORTS,
    [OFHASH_SYMMETRIC_L3L4] =
        COVER_TYPE | COVER_IP_SRC | COVER_IP_DST | COVER_PROTO | COVER_PORTS,
    [OFHASH_SYMMETRIC_L3L4_UDP] =
        COVER_TYPE | COVER_IP_SRC | COVER_IP_DST | COVER_PROTO | COVER_PORTS | COVER_UDP_PORTS,
    [OFHASH_NW_SRC] = COVER_IP_SRC,
    [OFHASH_NW_DST] = COVER_IP_DST,
    [OFHASH_SYMMETRIC_L3] = COVER_TYPE | COVER_IP_SRC | COVER_IP_DST,
};

/* The fields of `f` that are covered, everything else zero; `m`: the bits taken. */
static void
cover(const struct flow *f, unsigned c, struct flow *v, struct flow *m)
{
    bool ports = c & COVER_PORTS && f->sections & FS_BIT(FS_L4) &&
                 (f->ip.proto == IPPROTO_TCP || f->ip.proto == IPPROTO_SCTP ||
                  (f->ip.proto == IPPROTO_UDP && c & COVER_UDP_PORTS));

    memset(m, 0, sizeof *m);
    if (c & COVER_ETH_SRC) {
        memset(&m->eth.src, 0xff, sizeof m->eth.src);
    }
    if (c & COVER_ETH_DST) {
        memset(&m->eth.dst, 0xff, sizeof m->eth.dst);
    }
    if (c & COVER_VLAN) {
        m->vlan.tag[0].tci_be = m->vlan.tag[1].tci_be = htons(0x1fff);
    }
    m->eth.type_be = c & COVER_TYPE ? UINT16_MAX : 0;
    if (c & COVER_IP_SRC) {
        m->ipv4.src_be = UINT32_MAX;
        memset(&m->ipv6.src, 0xff, sizeof m->ipv6.src);
    }
    if (c & COVER_IP_DST) {
        m->ipv4.dst_be = UINT32_MAX;
        memset(&m->ipv6.dst, 0xff, sizeof m->ipv6.dst);
    }
    m->ip.proto = c & COVER_PROTO ? UINT8_MAX : 0;
    m->l4.src_be = m->l4.dst_be = ports ? UINT16_MAX : 0;
    for (unsigned i = 0; i < FLOW_WORDS; i++) {
        ((flow_word *) v)[i] = ((const flow_word *) f)[i] & ((const flow_word *) m)[i];
    }
}

/* Sources and destinations go into the hash in either order with the same result. */
static uint32_t
hash_symmetric(const struct flow *v, uint16_t basis)
{
    uint64_t h = hash_mix64(basis, eth_addr_to_u64(v->eth.src) ^ eth_addr_to_u64(v->eth.dst));
    uint64_t s[2], d[2];

    memcpy(s, &v->ipv6.src, sizeof s);
    memcpy(d, &v->ipv6.dst, sizeof d);
    h = hash_mix64(h, s[0] ^ d[0]);
    h = hash_mix64(h, s[1] ^ d[1]);
    h = hash_mix64(h, (uint64_t) (v->ipv4.src_be ^ v->ipv4.dst_be) << 32 |
                          (uint32_t) (v->l4.src_be ^ v->l4.dst_be) << 16 | v->eth.type_be);
    h = hash_mix64(h, (uint64_t) v->vlan.tag[0].tci_be << 32 |
                          (uint32_t) v->vlan.tag[1].tci_be << 8 | v->ip.proto);
    return (uint32_t) (h ^ h >> 32);
}

uint32_t
xlate_hash_fields(struct xlate_ctx *ctx, unsigned fields, uint16_t basis)
{
    struct flow v, m;

    cover(&ctx->flow, fields < OFHASH_N ? covers[fields] : 0, &v, &m);
    xlate_look(ctx, &m);
    return hash_symmetric(&v, basis);
}

/* Highest random weight (Thaler, Ravishankar 1998): of the links that are usable the one whose
 * hash with the flow is highest; when one goes, only its flows move. */
static uint32_t
weight_of(uint32_t hash, unsigned link)
{
    return (uint32_t) hash_mix64(hash, link);
}

static uint16_t
choose_member(struct xlate_ctx *ctx, const struct of_act_bundle *b)
{
    uint32_t hash = b->algorithm ? xlate_hash_fields(ctx, b->fields, b->basis) : 0;
    uint32_t best_weight = 0;
    uint16_t best = OFPP_NONE;

    for (unsigned i = 0; i < b->n_members; i++) {
        if (!xlate_port_is_live(ctx, b->members[i])) {
            continue;
        }
        if (!b->algorithm) { /* active-backup */
            return b->members[i];
        }
        if (best == OFPP_NONE || weight_of(hash, i) > best_weight) {
            best_weight = weight_of(hash, i);
            best = b->members[i];
        }
    }
    return best;
}

void
xlate_bundle(struct xlate_ctx *ctx, const struct of_act_bundle *b)
{
    uint16_t port = choose_member(ctx, b);

    if (b->dst.n_bits) {

        xlate_look_subfield(ctx, &b->dst);
        of_subfield_write_u64(&b->dst, &ctx->flow, port);
        xlate_say_written(ctx, &b->dst);
    } else {
        xlate_output_port(ctx, port, UINT16_MAX);
    }
}

static uint32_t
choose_link(uint32_t hash, const struct of_act_multipath *mp)
{
    uint32_t n = mp->max_link + 1u, best = 0;

    switch (mp->algorithm) {
    case 0: /* modulo_n */
        return hash % n;
    case 1: /* hash_threshold, RFC 2992 */
        return n == 1 ? 0 : hash / (UINT32_MAX / n + 1);
    case 2: /* hrw */
        for (uint32_t i = 1; i < n; i++) {
            best = weight_of(hash, i) > weight_of(hash, best) ? i : best;
        }
        return best;
    default: /* iter_hash: again until the link is one of those there are */
        for (uint32_t i = 0; i < 32; i++) {
            uint32_t link = weight_of(hash, i) % MAX(mp->arg, 1u);

            if (link < n) {
                return link;
            }
        }
        return hash % n;
    }
}

void
xlate_multipath(struct xlate_ctx *ctx, const struct of_act_multipath *mp)
{
    uint32_t link = choose_link(xlate_hash_fields(ctx, mp->fields, mp->basis), mp);

    xlate_look_subfield(ctx, &mp->dst);
    of_subfield_write_u64(&mp->dst, &ctx->flow, link);
    xlate_say_written(ctx, &mp->dst);
}
