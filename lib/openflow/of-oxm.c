/* SPDX-License-Identifier: Apache-2.0 */
/* OXM and NXM: one type-length-value entry, and matches made of them (OpenFlow 1.5.1 section
 * 7.2.3, Nicira extended match).  Called by the decoders of messages and actions on main; what
 * it reads comes from controllers and is not trusted. */

#include "openflow/of-match.h"

#include <arpa/inet.h>
#include "openflow/of-match-private.h"
#include "packet/headers.h"
#include "util/compiler.h"

#define OXM_EXPERIMENTER 0xffff
/* NXM_NX_COOKIE: a flow's cookie in Nicira's stats and flow-mod requests.  NXM_NX_MPLS_TTL has
 * its number but another length. */
#define NXM_COOKIE OFF_HEADER(0x0001, 0, 30, 8)
#define NXM_COOKIE_W (OFF_HEADER(0x0001, 0, 30, 16) | OFF_HEADER_MASK_BIT)

/* Reads a header, and how many bytes follow it. */
static bool
header_read(struct of_reader *r, uint64_t *header, unsigned *payload)
{
    uint32_t h, exp = 0;

    if (!of_read_u32(r, &h)) {
        return false;
    }
    *payload = h & 0xff;
    if (h >> 16 == OXM_EXPERIMENTER) {
        if (*payload < 4 || !of_read_u32(r, &exp)) {
            return false;
        }
        *payload -= 4;
    }
    *header = (uint64_t) (h >> 16) << 48 | (uint64_t) exp << 16 | (h & 0xffff);
    return true;
}

static void
header_put(struct of_buf *b, uint64_t header)
{
    of_put_u32(b, (uint32_t) (header >> 48) << 16 | (uint32_t) (header & 0xffff));
    if (header >> 48 == OXM_EXPERIMENTER) {
        of_put_u32(b, (uint32_t) (header >> 16));
    }
}

static enum of_err
header_field(uint64_t header, enum of_field *f, bool *has_mask)
{
    *has_mask = header & OFF_HEADER_MASK_BIT;
    *f = of_field_by_header(header);
    return *f == OFF_N ? OFPBMC_BAD_FIELD : OF_OK;
}

enum of_err
of_oxm_header_decode(struct of_reader *r, enum of_field *f, bool *has_mask)
{
    uint64_t header;
    unsigned payload;

    *f = OFF_N;
    *has_mask = false;
    return header_read(r, &header, &payload) ? header_field(header, f, has_mask)
                                             : OFPBMC_BAD_LEN;
}

static uint64_t
header_for(enum of_field f, uint8_t version, bool has_mask)
{
    uint64_t h = of_field_header(f, version);

    return has_mask ? (h | OFF_HEADER_MASK_BIT) + of_field_info(f)->n_bytes : h;
}

void
of_oxm_header_encode(struct of_buf *b, enum of_field f, uint8_t version, bool has_mask)
{
    header_put(b, header_for(f, version, has_mask));
}

/* Has the payload of a masked entry, of whatever field, value bits outside of its mask? */
static bool
bits_outside_mask(const struct of_reader *sub)
{
    size_t n = sub->len / 2;

    for (size_t i = 0; i < n; i++) {
        if (sub->p[i] & ~sub->p[n + i]) {
            return true;
        }
    }
    return false;
}

/* One entry whose header was read; `sub` is its payload. */
static enum of_err
payload_decode(struct of_reader *sub, enum of_field f, bool has_mask, struct of_value *value,
               struct of_value *mask)
{
    const struct of_field_info *info = of_field_info(f);

    memset(value, 0, sizeof *value);
    of_field_ones(f, mask);
    if (!of_read_bytes(sub, value->b, info->n_bytes)) {
        return OFPBMC_BAD_LEN;
    }
    if (!has_mask) {
        return OF_OK;
    }
    memset(mask, 0, sizeof *mask);
    return of_read_bytes(sub, mask->b, info->n_bytes) ? OF_OK : OFPBMC_BAD_LEN;
}

enum of_err
of_oxm_decode(struct of_reader *r, enum of_field *f, struct of_value *value,
              struct of_value *mask, bool *has_mask)
{
    struct of_reader sub;
    uint64_t header;
    unsigned payload;
    enum of_err err;

    *f = OFF_N;
    *has_mask = false;
    if (!header_read(r, &header, &payload) || !of_reader_take(r, payload, &sub)) {
        return OFPBMC_BAD_LEN;
    }
    if (header & OFF_HEADER_MASK_BIT && bits_outside_mask(&sub)) {
        return OFPBMC_BAD_WILDCARDS;
    }
    err = header_field(header, f, has_mask);
    return err ? err : payload_decode(&sub, *f, *has_mask, value, mask);
}

void
of_oxm_encode(struct of_buf *b, enum of_field f, uint8_t version, const struct of_value *value,
              const struct of_value *mask)
{
    unsigned n = of_field_info(f)->n_bytes;
    bool masked = mask && !of_value_is_ones(mask, f);

    header_put(b, header_for(f, version, masked));
    of_buf_put(b, value->b, n);
    if (masked) {
        of_buf_put(b, mask->b, n);
    }
}

/* -- Matches. -- */

static enum of_err
cookie_decode(struct of_reader *r, bool has_mask, uint64_t *cookie, uint64_t *cookie_mask)
{
    uint64_t value = 0, mask = UINT64_MAX;

    if (!of_read_u64(r, &value) || (has_mask && !of_read_u64(r, &mask))) {
        return OFPBMC_BAD_LEN;
    }
    if (!cookie || !cookie_mask) {
        return OFPBMC_BAD_FIELD;
    }
    if (*cookie_mask) {
        return OFPBMC_DUP_FIELD;
    }
    *cookie = value;
    *cookie_mask = mask;
    return OF_OK;
}

/* The mask of a field that has none may still be all ones, beyond the field's bits too, which
 * is exact, or all zeros, which says nothing. */
static enum of_err
check_mask(enum of_field f, const struct of_value **mask, bool *nothing)
{
    unsigned n = of_field_info(f)->n_bytes;
    uint8_t all = 0xff;

    *nothing = of_value_is_zero(*mask, n);
    if (of_field_info(f)->maskable || *nothing || of_value_is_ones(*mask, f)) {
        return OF_OK;
    }
    for (unsigned i = 0; i < n; i++) {
        all &= (*mask)->b[i];
    }
    *mask = NULL;
    return all == 0xff ? OF_OK : OFPBMC_BAD_MASK;
}

static bool
has_ethernet(const struct flow *mask)
{
    static const struct flow_eth none;

    return memcmp(&mask->eth, &none, sizeof none) || mask->vlan.tag[0].tci_be;
}

static enum of_err
entry_to_match(enum of_field f, const struct of_value *value, const struct of_value *mask,
               bool loose, struct of_match *m)
{
    unsigned n = of_field_info(f)->n_bytes;
    bool nothing;
    enum of_err err = check_mask(f, &mask, &nothing);

    if (err) {
        return err;
    }
    if (!of_field_value_ok(f, value)) {
        return OFPBMC_BAD_VALUE;
    }
    if (!loose && !of_field_prereqs_ok(f, &m->flow)) {
        return OFPBMC_BAD_PREREQ;
    }
    if (f == OFF_PACKET_TYPE && has_ethernet(&m->mask) && !of_value_is_zero(value, n)) {
        return OFPBMC_BAD_PREREQ; /* Ethernet fields of what is not Ethernet */
    }
    if (!of_field_is_zero(f, &m->mask)) {
        return OFPBMC_DUP_FIELD;
    }
    if (!nothing) {
        of_match_set(m, f, value, mask);
    }
    return OF_OK;
}

enum of_err
of_match_decode_entries(struct of_reader *in, bool loose, struct of_match *m, uint64_t *cookie,
                        uint64_t *cookie_mask)
{
    while (in->len) {
        struct of_value value, mask;
        struct of_reader sub;
        bool has_mask = false;
        enum of_field f = OFF_N;
        uint64_t header;
        unsigned payload;
        enum of_err err;

        if (!header_read(in, &header, &payload) || !of_reader_take(in, payload, &sub)) {
            return OFPBMC_BAD_LEN;
        }
        if (header & OFF_HEADER_MASK_BIT && bits_outside_mask(&sub)) {
            err = OFPBMC_BAD_WILDCARDS;
        } else if (header == NXM_COOKIE || header == NXM_COOKIE_W) {
            err = cookie_decode(&sub, header == NXM_COOKIE_W, cookie, cookie_mask);
        } else {
            err = header_field(header, &f, &has_mask);
            if (err == OFPBMC_BAD_FIELD && loose) {
                continue;
            }
            err = err ? err : payload_decode(&sub, f, has_mask, &value, &mask);
            err = err ? err : entry_to_match(f, &value, &mask, loose, m);
        }
        if (err) {
            return err;
        }
    }
    return OF_OK;
}

enum of_err
of_match_decode_nxm(struct of_reader *r, size_t len, bool loose, struct of_match *m,
                    uint64_t *cookie, uint64_t *cookie_mask)
{
    struct of_reader in;

    of_match_init(m);
    if (cookie && cookie_mask) {
        *cookie = *cookie_mask = 0;
    }
    if (!of_reader_take(r, len, &in) || !of_skip(r, ROUND_UP(len, 8) - len)) {
        return OFPBMC_BAD_LEN;
    }
    return of_match_decode_entries(&in, loose, m, cookie, cookie_mask);
}

/* The order in which fields are sent: every one after its prerequisites.  in_port and the VLAN
 * fields have forms of their own in NXM and OXM. */
static const uint16_t send_order[] = {
    OFF_DP_HASH,       OFF_RECIRC_ID,   OFF_CONJ_ID,     OFF_PACKET_TYPE, OFF_IN_PORT,
    OFF_ACTSET_OUTPUT, OFF_ETH_SRC,     OFF_ETH_DST,     OFF_ETH_TYPE,    OFF_VLAN_TCI,
    OFF_MPLS_TC,       OFF_MPLS_BOS,    OFF_MPLS_TTL,    OFF_MPLS_LABEL,  OFF_IPV4_SRC,
    OFF_IPV4_DST,      OFF_IPV6_SRC,    OFF_IPV6_DST,    OFF_IP_FRAG,     OFF_IP_DSCP,
    OFF_IP_ECN,        OFF_IP_TTL,      OFF_IPV6_LABEL,  OFF_IP_PROTO,    OFF_TCP_SRC,
    OFF_TCP_DST,       OFF_TCP_FLAGS,   OFF_UDP_SRC,     OFF_UDP_DST,     OFF_SCTP_SRC,
    OFF_SCTP_DST,      OFF_ICMPV4_TYPE, OFF_ICMPV4_CODE, OFF_ICMPV6_TYPE, OFF_ICMPV6_CODE,
    OFF_ND_TARGET,     OFF_ND_SLL,      OFF_ND_TLL,      OFF_ND_RESERVED, OFF_ND_OPTIONS_TYPE,
    OFF_ARP_OP,        OFF_ARP_SPA,     OFF_ARP_TPA,     OFF_ARP_SHA,     OFF_ARP_THA,
    OFF_TUN_ID,
};

static void
put_if_set(struct of_buf *b, uint8_t version, const struct of_match *m, enum of_field f)
{
    struct of_value value, mask;

    if (of_field_prereqs_ok(f, &m->flow) && of_match_get(m, f, &value, &mask)) {
        of_oxm_encode(b, f, version, &value, &mask);
    }
}

static void
put_vlan(struct of_buf *b, uint8_t version, const struct of_match *m)
{
    uint16_t mask = ntohs(m->mask.vlan.tag[0].tci_be), tci = ntohs(m->flow.vlan.tag[0].tci_be);

    if (!version) {
        put_if_set(b, version, m, OFF_VLAN_TCI);
        return;
    }
    put_if_set(b, version, m, OFF_VLAN_VID);
    if ((mask & VLAN_PCP_MASK) == VLAN_PCP_MASK && tci & VLAN_CFI) {
        put_if_set(b, version, m, OFF_VLAN_PCP);
    }
}

static void
put_dscp(struct of_buf *b, uint8_t version, const struct of_match *m)
{
    struct of_value value;

    if (version) {
        put_if_set(b, version, m, OFF_IP_DSCP);
    } else if (m->mask.ip.tos & 0xfc && of_field_prereqs_ok(OFF_IP_TOS, &m->flow)) {
        value = of_value_from_u64(OFF_IP_TOS, m->flow.ip.tos & 0xfc);
        of_oxm_encode(b, OFF_IP_TOS, version, &value, NULL);
    }
}

/* OpenFlow 1.5 has packet registers of its own, which are ours in pairs. */
static void
put_registers(struct of_buf *b, uint8_t version, const struct of_match *m)
{
    unsigned n = version >= 6 ? 8 : 16, first = version >= 6 ? OFF_XREG0 : OFF_REG0;

    for (unsigned i = 0; i < n; i++) {
        put_if_set(b, version, m, (enum of_field)(first + i));
    }
}

size_t
of_match_encode_nxm(struct of_buf *b, uint8_t version, const struct of_match *m,
                    uint64_t cookie, uint64_t cookie_mask)
{
    size_t start = b->len, len;

    for (unsigned i = 0; i < ARRAY_SIZE(send_order); i++) {
        switch (send_order[i]) {
        case OFF_IN_PORT:
            put_if_set(b, version, m, version ? OFF_IN_PORT_OXM : OFF_IN_PORT);
            break;
        case OFF_VLAN_TCI:
            put_vlan(b, version, m);
            break;
        case OFF_IP_DSCP:
            put_dscp(b, version, m);
            break;
        default:
            put_if_set(b, version, m, (enum of_field) send_order[i]);
            break;
        }
    }
    put_registers(b, version, m);
    put_if_set(b, version, m, OFF_PKT_MARK);
    put_if_set(b, version, m, OFF_METADATA);
    if (cookie_mask) {
        header_put(b, cookie_mask == UINT64_MAX ? NXM_COOKIE : NXM_COOKIE_W);
        of_put_u64(b, cookie & cookie_mask);
        if (cookie_mask != UINT64_MAX) {
            of_put_u64(b, cookie_mask);
        }
    }
    len = b->len - start;
    of_buf_pad_from(b, start, 8);
    return len;
}
