/* SPDX-License-Identifier: Apache-2.0 */
/* Decoding of actions that name fields: set_field, copy_field and Nicira's move, load, push and
 * pop.  Called by the list decoders on main; what it reads is not trusted. */

#include "openflow/of-actions.h"

#include <string.h>
#include "openflow/of-actions-private.h"
#include "packet/headers.h"

enum of_err
of_acts_field_error(enum of_err err)
{
    switch (err) {
    case OFPBMC_BAD_FIELD:
        return OFPBAC_BAD_SET_TYPE;
    case OFPBMC_BAD_LEN:
        return OFPBAC_BAD_LEN;
    default:
        return err;
    }
}

enum of_err
of_acts_read_header(struct of_reader *r, enum of_field *f)
{
    bool has_mask;
    enum of_err err = of_oxm_header_decode(r, f, &has_mask);

    return err ? err : has_mask ? OFPBAC_BAD_SET_MASK : OF_OK;
}

enum of_err
of_acts_read_sub(struct of_reader *r, uint16_t ofs_nbits, struct of_subfield *s)
{
    unsigned ofs = ofs_nbits >> 6;
    enum of_field f;
    enum of_err err = of_acts_field_error(of_acts_read_header(r, &f));

    if (err) {
        return err;
    }
    if (ofs > UINT8_MAX) {
        return OFPBAC_BAD_SET_LEN;
    }
    *s = (struct of_subfield){(uint16_t) f, (uint8_t) ofs, (uint8_t) ((ofs_nbits & 63) + 1)};
    return of_subfield_ok(s) ? OF_OK : OFPBAC_BAD_SET_LEN;
}

/* A field at an offset with a width, each in 16 bits. */
enum of_err
of_acts_sub(enum of_field f, unsigned ofs, unsigned n_bits, struct of_subfield *s)
{
    if (ofs > 127 || n_bits > 128) {
        return OFPBAC_BAD_SET_LEN;
    }
    *s = (struct of_subfield){(uint16_t) f, (uint8_t) ofs, (uint8_t) n_bits};
    return of_subfield_ok(s) ? OF_OK : OFPBAC_BAD_SET_LEN;
}

enum of_err
of_acts_decode_set_field(struct of_acts_dec *d, struct of_reader *r, bool may_mask)
{
    struct of_act_set_field *s;
    struct of_value value, mask;
    enum of_field f;
    bool has_mask;
    enum of_err err = of_oxm_decode(r, &f, &value, &mask, &has_mask);

    if (err) {
        return err == OFPBMC_BAD_LEN ? OFPBAC_BAD_SET_LEN : of_acts_field_error(err);
    }
    if (r->len >= 8 || !of_acts_rest_zero(r)) {
        return OFPBAC_BAD_SET_LEN;
    }
    if (has_mask && !may_mask) {
        return OFPBAC_BAD_SET_MASK;
    }
    if (!of_field_info(f)->writable || f == OFF_IN_PORT_OXM || !of_field_value_ok(f, &value)) {
        return OFPBAC_BAD_SET_ARGUMENT; /* OXM's in_port can be written by others only */
    }
    if (f == OFF_VLAN_VID && mask.b[0] & VLAN_CFI >> 8 && !(value.b[0] & VLAN_CFI >> 8)) {
        return OFPBAC_BAD_SET_ARGUMENT; /* a tag that says that it is none */
    }
    if (has_mask && of_value_is_zero(&mask, of_field_info(f)->n_bytes)) {
        return OF_OK; /* changes nothing */
    }
    s = of_actions_put(d->out, OFA_SET_FIELD, sizeof *s);
    s->act.form = has_mask && of_value_is_ones(&mask, f); /* keeps its explicit mask */
    s->dst = of_subfield_whole(f);
    s->value = value;
    s->mask = mask;
    return OF_OK;
}

enum of_err
of_acts_decode_copy(struct of_acts_dec *d, struct of_reader *r, bool copy_field)
{
    uint16_t n_bits = 0, src_ofs = 0, dst_ofs = 0;
    enum of_field src, dst;
    struct of_act_move *m;
    enum of_err err;

    if (!of_read_u16(r, &n_bits) || !of_read_u16(r, &src_ofs) || !of_read_u16(r, &dst_ofs) ||
        !of_skip(r, copy_field ? 2 : 0)) {
        return OFPBAC_BAD_LEN;
    }
    err = of_acts_read_header(r, &src);
    err = err ? err : of_acts_read_header(r, &dst);
    if (err) {
        return err;
    }
    if (!of_acts_rest_zero(r)) {
        return NXBRC_MUST_BE_ZERO;
    }
    m = of_actions_put(d->out, OFA_MOVE, sizeof *m);
    err = of_acts_sub(src, src_ofs, n_bits, &m->src);
    return err ? err : of_acts_sub(dst, dst_ofs, n_bits, &m->dst);
}

enum of_err
of_acts_decode_load(struct of_acts_dec *d, struct of_reader *r)
{
    struct of_act_set_field *s;
    struct of_value imm = {{0}}, ones;
    struct of_subfield dst;
    uint16_t ofs_nbits = 0;
    uint64_t x;
    unsigned n;
    enum of_err err;

    of_read_u16(r, &ofs_nbits);
    err = of_acts_read_sub(r, ofs_nbits, &dst);
    if (err) {
        return err;
    }
    if (!of_read_u64(r, &x)) {
        return OFPBAC_BAD_LEN;
    }
    if (!of_field_info(dst.f)->writable) {
        return OFPBAC_BAD_SET_ARGUMENT;
    }
    if (dst.n_bits < 64 && x >> dst.n_bits) {
        return OFPBAC_BAD_ARGUMENT;
    }
    n = of_field_info(dst.f)->n_bytes;
    memset(&ones, 0xff, sizeof ones);
    for (unsigned i = 0; i < 8; i++) {
        imm.b[15 - i] = (uint8_t) (x >> i * 8);
    }
    s = of_actions_put(d->out, OFA_LOAD, sizeof *s);
    s->dst = dst;
    of_bits_copy(imm.b, 16, 0, s->value.b, n, dst.ofs, dst.n_bits);
    of_bits_copy(ones.b, 16, 0, s->mask.b, n, dst.ofs, dst.n_bits);
    return OF_OK;
}

enum of_err
of_acts_decode_stack(struct of_acts_dec *d, enum of_act_type type, struct of_reader *r)
{
    uint16_t ofs = 0, n_bits = 0;
    struct of_act_stack *s;
    enum of_field f;
    enum of_err err;

    of_read_u16(r, &ofs);
    err = of_acts_read_header(r, &f);
    if (err) {
        return err;
    }
    if (!of_read_u16(r, &n_bits)) {
        return OFPBAC_BAD_LEN;
    }
    if (!of_acts_rest_zero(r)) {
        return NXBRC_MUST_BE_ZERO;
    }
    s = of_actions_put(d->out, type, sizeof *s);
    return of_acts_sub(f, ofs, n_bits, &s->sub);
}
