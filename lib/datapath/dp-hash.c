/* SPDX-License-Identifier: Apache-2.0 */
/* Hashes of packets, of the bytes on the wire: what spreads over buckets is a hash of addresses
 * and ports (RFC 2992).  Called by the execution of actions on PMD threads; it must not know
 * what is chosen by the hash. */

#include "datapath/dp-hash.h"

#include <arpa/inet.h>
#include <string.h>

#include "packet/headers.h"
#include "util/compiler.h"
#include "util/hash.h"

/* What is hashed; addresses in 32-bit words, unused ones zero. */
struct tuple {
    uint32_t src[4], dst[4];
    uint16_t src_port, dst_port;
    uint8_t proto;
    bool fragment;
};

/* False: there is no IP header. */
static bool
tuple_read(const struct packet *p, struct tuple *t)
{
    const uint8_t *data = packet_data(p);

    memset(t, 0, sizeof *t);
    if (p->l3_ofs == PACKET_OFS_NONE || p->l3_ofs + sizeof(struct ipv4_hdr) > p->len) {
        return false;
    }
    if (p->l4_ofs != PACKET_OFS_NONE && p->l4_ofs + 4u <= p->len) {
        memcpy(&t->src_port, data + p->l4_ofs, sizeof t->src_port);
        memcpy(&t->dst_port, data + p->l4_ofs + 2, sizeof t->dst_port);
    }
    data += p->l3_ofs;
    if (data[0] >> 4 == 6 && p->l3_ofs + sizeof(struct ipv6_hdr) <= p->len) {
        const struct ipv6_hdr *h = (const void *) data;

        memcpy(t->src, h->src, sizeof t->src);
        memcpy(t->dst, h->dst, sizeof t->dst);
        t->proto = h->next; /* a fragment has a header of its own before the ports */
    } else {
        const struct ipv4_hdr *h = (const void *) data;

        memcpy(t->src, &h->src_be, sizeof h->src_be);
        memcpy(t->dst, &h->dst_be, sizeof h->dst_be);
        t->proto = h->proto;
        t->fragment = h->frag_be & htons(IPV4_FRAG_MORE | IPV4_FRAG_OFS_MASK);
    }
    return true;
}

/* Sources and destinations that have changed places are the same. */
static void
tuple_make_symmetric(struct tuple *t)
{
    bool ports = !t->fragment && (t->proto == IP_PROTO_TCP || t->proto == IP_PROTO_UDP ||
                                  t->proto == IP_PROTO_SCTP);

    for (unsigned i = 0; i < ARRAY_SIZE(t->src); i++) {
        t->src[i] ^= t->dst[i];
        t->dst[i] = 0;
    }
    t->src_port = ports ? t->src_port ^ t->dst_port : 0;
    t->dst_port = 0;
}

static uint32_t
tuple_hash(const struct tuple *t, uint32_t basis)
{
    uint64_t h = basis;

    for (unsigned i = 0; i < ARRAY_SIZE(t->src); i++) {
        h = hash_mix64(h, (uint64_t) t->src[i] << 32 | t->dst[i]);
    }
    h = hash_mix64(h, (uint64_t) t->proto << 32 | (uint32_t) t->src_port << 16 | t->dst_port);
    return (uint32_t) (h ^ h >> 32);
}

static uint32_t
ethernet_hash(const struct packet *p, enum dp_hash_alg alg, uint32_t basis)
{
    uint8_t h[ETH_HDR_LEN] = {0};

    memcpy(h, packet_data(p), MIN(p->len, sizeof h));
    for (unsigned i = 0; alg == DP_HASH_SYM_L4 && i < 6; i++) {
        h[i] ^= h[6 + i];
        h[6 + i] = 0;
    }
    return hash_bytes(h, sizeof h, basis);
}

uint32_t
dp_hash(const struct packet *p, enum dp_hash_alg alg, uint32_t basis)
{
    struct tuple t;
    uint32_t h;

    if (!tuple_read(p, &t)) {
        h = ethernet_hash(p, alg, basis);
    } else {
        if (alg == DP_HASH_SYM_L4) {
            tuple_make_symmetric(&t);
        }
        h = tuple_hash(&t, basis);
    }
    return h ? h : 1;
}
