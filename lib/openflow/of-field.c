/* SPDX-License-Identifier: Apache-2.0 */
/* Match fields in struct flow: reading, writing, marking as looked at, and
 * arithmetic on field values.  Called from the codec on main and from translation on every
 * thread, so nothing here allocates or keeps state; it knows nothing of messages. */

#include "openflow/of-field.h"

#include <arpa/inet.h>
#include <endian.h>
#include "packet/headers.h"
#include "util/compiler.h"

#define REG_BYTES 4
#define IP_DSCP_MASK 0xfc

bool
of_port_from_32(uint32_t p, uint16_t *port)
{
    if (p < OFPP_MAX || p >= 0xffffff00) {
        *port = (uint16_t) p;
        return true;
    }
    return false;
}

uint32_t
of_port_to_32(uint16_t port)
{
    return port < OFPP_MAX ? port : 0xffff0000 | port;
}

/* -- Big-endian numbers. -- */

static uint64_t
be_load(const uint8_t *p, unsigned n)
{
    uint64_t v = 0;

    for (unsigned i = 0; i < n; i++) {
        v = v << 8 | p[i];
    }
    return v;
}

static void
be_store(uint8_t *p, unsigned n, uint64_t v)
{
    for (; n-- > 0; v >>= 8) {
        p[n] = (uint8_t) v;
    }
}

void
of_bits_copy(const uint8_t *src, unsigned src_len, unsigned src_ofs, uint8_t *dst,
             unsigned dst_len, unsigned dst_ofs, unsigned n_bits)
{
    while (n_bits) {
        unsigned sb = src_ofs % 8, db = dst_ofs % 8;
        unsigned n = MIN(n_bits, 8 - MAX(sb, db));
        uint8_t mask = (uint8_t) ((1u << n) - 1);
        uint8_t bits = src[src_len - 1 - src_ofs / 8] >> sb & mask;
        uint8_t *d = &dst[dst_len - 1 - dst_ofs / 8];

        *d = (uint8_t) ((*d & ~(mask << db)) | bits << db);
        src_ofs += n;
        dst_ofs += n;
        n_bits -= n;
    }
}

bool
of_value_is_zero(const struct of_value *v, unsigned n)
{
    uint8_t any = 0;

    for (unsigned i = 0; i < n; i++) {
        any |= v->b[i];
    }
    return !any;
}

void
of_field_ones(enum of_field f, struct of_value *v)
{
    const struct of_field_info *i = of_field_info(f);

    memset(v, 0, sizeof *v);
    if (i->n_bits >= 64) {
        memset(v, 0xff, i->n_bytes);
    } else {
        be_store(v->b, i->n_bytes, (UINT64_C(1) << i->n_bits) - 1);
    }
    if (f == OFF_VLAN_VID) {
        v->b[0] |= VLAN_CFI >> 8;
    } else if (f == OFF_IP_TOS) {
        v->b[0] = IP_DSCP_MASK;
    }
}

bool
of_value_is_ones(const struct of_value *v, enum of_field f)
{
    struct of_value ones;

    of_field_ones(f, &ones);
    return !memcmp(v, &ones, of_field_info(f)->n_bytes);
}

struct of_value
of_value_from_u64(enum of_field f, uint64_t x)
{
    unsigned n = of_field_info(f)->n_bytes;
    struct of_value v = {{0}};

    be_store(v.b + (n > 8 ? n - 8 : 0), MIN(n, 8), x);
    return v;
}

uint64_t
of_value_to_u64(enum of_field f, const struct of_value *v)
{
    unsigned n = of_field_info(f)->n_bytes;

    return be_load(v->b + (n > 8 ? n - 8 : 0), MIN(n, 8));
}

/* -- Fields in a flow. -- */

/* The bits of the field that struct flow has: for vlan_vid also "present", of nw_tos the DSCP.
 */
static uint64_t
low_bits(enum of_field f)
{
    const struct of_field_info *i = of_field_info(f);
    uint64_t m = i->n_bits >= 64 ? UINT64_MAX : (UINT64_C(1) << i->n_bits) - 1;

    return f == OFF_VLAN_VID ? m | VLAN_CFI : f == OFF_IP_TOS ? IP_DSCP_MASK : m;
}

static uint64_t
host_load(const uint8_t *p, unsigned size)
{
    uint32_t u32;
    uint16_t u16;

    switch (size) {
    case 4:
        memcpy(&u32, p, 4);
        return u32;
    case 2:
        memcpy(&u16, p, 2);
        return u16;
    default:
        return *p;
    }
}

static void
host_store(uint8_t *p, unsigned size, uint64_t v)
{
    uint32_t u32 = (uint32_t) v;
    uint16_t u16 = (uint16_t) v;

    switch (size) {
    case 4:
        memcpy(p, &u32, 4);
        break;
    case 2:
        memcpy(p, &u16, 2);
        break;
    default:
        *p = (uint8_t) v;
        break;
    }
}

void
of_field_get(enum of_field f, const struct flow *flow, struct of_value *v)
{
    const struct of_field_info *i = of_field_info(f);
    const uint8_t *p = (const uint8_t *) flow + i->ofs;
    uint64_t x;

    memset(v, 0, sizeof *v);
    switch (i->place) {
    case OFL_BYTES:
        memcpy(v->b, p, i->n_bytes);
        return;
    case OFL_REGS:
        for (unsigned ofs = 0; ofs < i->n_bytes; ofs += REG_BYTES) {
            be_store(v->b + ofs, REG_BYTES, host_load(p + ofs, REG_BYTES));
        }
        return;
    case OFL_BE:
        x = be_load(p, i->size);
        break;
    case OFL_HOST:
        x = host_load(p, i->size);
        break;
    case OFL_PORT:
    default:
        x = host_load(p, i->size);
        /* A port, or in a mask all ones. */
        x = x == UINT32_MAX ? x : of_port_to_32((uint16_t) x);
        break;
    }
    be_store(v->b, i->n_bytes, x >> i->shift & low_bits(f));
}

/* Writes the bits of `v` that `m` (NULL: all) has into the member. */
static void
set_number(enum of_field f, uint8_t *p, uint64_t v, uint64_t m)
{
    const struct of_field_info *i = of_field_info(f);
    uint64_t old = i->place == OFL_BE ? be_load(p, i->size) : host_load(p, i->size);
    uint64_t new;

    m = (m & low_bits(f)) << i->shift;
    new = (old & ~m) | (v << i->shift & m);
    if (i->place == OFL_BE) {
        be_store(p, i->size, new);
    } else {
        host_store(p, i->size, new);
    }
}

static void
set_bits(enum of_field f, struct flow *flow, const struct of_value *v, const struct of_value *m)
{
    const struct of_field_info *i = of_field_info(f);
    uint8_t *p = (uint8_t *) flow + i->ofs;

    switch (i->place) {
    case OFL_BYTES:
        for (unsigned n = 0; n < i->n_bytes; n++) {
            p[n] = (uint8_t) ((p[n] & ~m->b[n]) | (v->b[n] & m->b[n]));
        }
        break;
    case OFL_REGS:
        for (unsigned n = 0; n < i->n_bytes; n += REG_BYTES) {
            set_number(OFF_REG0, p + n, be_load(v->b + n, REG_BYTES),
                       be_load(m->b + n, REG_BYTES));
        }
        break;
    case OFL_PORT:
    case OFL_HOST:
    case OFL_BE:
    default:
        set_number(f, p, be_load(v->b, i->n_bytes), be_load(m->b, i->n_bytes));
        break;
    }
}

/* In struct flow a port is its 16-bit number. */
static struct of_value
port_to_flow(const struct of_value *v)
{
    struct of_value out = {{0}};
    uint16_t port;

    if (!of_port_from_32((uint32_t) be_load(v->b, 4), &port)) {
        port = OFPP_NONE;
    }
    be_store(out.b, 4, port);
    return out;
}

void
of_field_set_masked(enum of_field f, struct flow *flow, const struct of_value *value,
                    const struct of_value *mask)
{
    if (of_field_info(f)->place == OFL_PORT) {
        struct of_value v = port_to_flow(value);

        set_bits(f, flow, &v, mask);
    } else {
        set_bits(f, flow, value, mask);
    }
}

void
of_field_set(enum of_field f, struct flow *flow, const struct of_value *value)
{
    struct of_value ones;

    of_field_ones(f, &ones);
    of_field_set_masked(f, flow, value, &ones);
}

void
of_field_mask_bits(enum of_field f, struct flow *wc, const struct of_value *mask)
{
    set_bits(f, wc, mask, mask);
}

void
of_field_mask_all(enum of_field f, struct flow *wc)
{
    struct of_value ones;

    of_field_ones(f, &ones);
    set_bits(f, wc, &ones, &ones);
    if (f == OFF_IN_PORT) { /* in_port is 32 bits wide in a flow, 16 in NXM */
        wc->meta.in_port = UINT32_MAX;
    } else if (of_field_info(f)->size == 2 && of_field_info(f)->n_bytes == 1 &&
               of_field_info(f)->n_bits == 8) { /* ICMP type and code are ports in a flow */
        memset((uint8_t *) wc + of_field_info(f)->ofs, 0xff, 2);
    }
}

bool
of_field_is_zero(enum of_field f, const struct flow *flow)
{
    struct of_value v;

    of_field_get(f, flow, &v);
    return of_value_is_zero(&v, of_field_info(f)->n_bytes);
}

bool
of_field_value_ok(enum of_field f, const struct of_value *v)
{
    const struct of_field_info *i = of_field_info(f);
    uint64_t x;
    uint16_t port;

    if (i->n_bytes > 8) {
        return true;
    }
    x = be_load(v->b, i->n_bytes);
    switch (f) {
    case OFF_IN_PORT_OXM:
    case OFF_ACTSET_OUTPUT:
        return of_port_from_32((uint32_t) x, &port);
    case OFF_ARP_OP: /* others are not kept apart (struct flow_arp) */
        return x <= UINT8_MAX;
    default:
        return !(x & ~low_bits(f));
    }
}
