/* SPDX-License-Identifier: Apache-2.0 */
/* The learn() action: decoding and encoding (ovs-actions(7)).  Called by the action codec
 * on main; what it reads is not trusted. */

#include "openflow/of-actions.h"

#include <string.h>
#include "openflow/of-actions-private.h"
#include "util/compiler.h"

/* The head of a flow_mod_spec. */
enum {
    SPEC_N_BITS = 0x3ff,
    SPEC_DST_SHIFT = 11,
    SPEC_SRC_IMM = 1 << 13,
    SPEC_KNOWN = SPEC_SRC_IMM | 3 << SPEC_DST_SHIFT | SPEC_N_BITS,
};

static enum of_err
read_spec_sub(struct of_reader *r, unsigned n_bits, struct of_subfield *s)
{
    enum of_field f;
    uint16_t ofs;
    enum of_err err = of_acts_field_error(of_acts_read_header(r, &f));

    if (err) {
        return err;
    }
    if (!of_read_u16(r, &ofs)) {
        return OFPBAC_BAD_LEN;
    }
    if (ofs > 127) {
        return OFPBAC_BAD_ARGUMENT;
    }
    *s = (struct of_subfield){(uint16_t) f, (uint8_t) ofs, (uint8_t) n_bits};
    return of_subfield_ok(s) ? OF_OK : OFPBAC_BAD_ARGUMENT;
}

static enum of_err
read_spec(struct of_reader *r, uint16_t head, struct of_learn_spec *s)
{
    unsigned bytes;
    enum of_err err = OF_OK;

    s->n_bits = head & SPEC_N_BITS;
    s->kind = (uint8_t) (head >> SPEC_DST_SHIFT & 3);
    s->src_is_imm = head & SPEC_SRC_IMM;
    if (head & ~SPEC_KNOWN || s->kind > OF_LEARN_OUTPUT || !s->n_bits || s->n_bits > 128 ||
        (s->src_is_imm && s->kind == OF_LEARN_OUTPUT)) {
        return OFPBAC_BAD_ARGUMENT;
    }
    if (s->src_is_imm) {
        bytes = DIV_ROUND_UP(s->n_bits, 16u) * 2;
        if (!of_read_bytes(r, s->imm.b + 16 - bytes, bytes)) {
            return OFPBAC_BAD_LEN;
        }
        for (unsigned bit = s->n_bits; bit < bytes * 8; bit++) { /* what is above the value */
            s->imm.b[15 - bit / 8] &= (uint8_t) ~(1u << bit % 8);
        }
    } else {
        err = read_spec_sub(r, s->n_bits, &s->src);
    }
    if (!err && s->kind != OF_LEARN_OUTPUT) {
        err = read_spec_sub(r, s->n_bits, &s->dst);
        if (!err && s->kind == OF_LEARN_LOAD && !of_field_info(s->dst.f)->writable) {
            err = OFPBAC_BAD_SET_ARGUMENT;
        }
        if (!err && s->kind == OF_LEARN_MATCH && s->n_bits < of_field_info(s->dst.f)->n_bits &&
            !of_field_info(s->dst.f)->maskable) {
            err = OFPBAC_BAD_ARGUMENT;
        }
    }
    return err;
}

static enum of_err
read_specs(struct of_acts_dec *d, size_t start, struct of_reader *r)
{
    struct of_act_learn *l;
    uint16_t head;

    while (r->len) {
        struct of_learn_spec s;
        enum of_err err;

        if (!of_read_u16(r, &head)) {
            return OFPBAC_BAD_LEN;
        }
        if (!head) { /* the rest is padding */
            return of_acts_rest_zero(r) ? OF_OK : OFPBAC_BAD_ARGUMENT;
        }
        memset(&s, 0, sizeof s);
        err = read_spec(r, head, &s);
        if (err) {
            return err;
        }
        /* The blob grows by one spec: put a whole action of that size, and take it over. */
        memcpy(of_actions_put(d->out, OFA_LEARN, sizeof s), &s, sizeof s);
        l = (struct of_act_learn *) (void *) ((uint8_t *) d->out->a + start);
        l->n_specs++;
        l->act.len = (uint32_t) (d->out->len - start);
    }
    return OF_OK;
}

enum of_err
of_acts_decode_learn(struct of_acts_dec *d, bool learn2, struct of_reader *r)
{
    size_t start = d->out->len;
    struct of_act_learn *l = of_actions_put(d->out, OFA_LEARN, sizeof *l);
    uint16_t flags = 0, result_ofs = 0;
    enum of_field f;
    enum of_err err;

    _Static_assert(sizeof(struct of_act_learn) % 8 == 0 &&
                       sizeof(struct of_learn_spec) % 8 == 0,
                   "specs follow without padding");
    if (r->len < 22) {
        return OFPBAC_BAD_LEN;
    }
    l->act.form = learn2;
    of_read_u16(r, &l->idle_timeout);
    of_read_u16(r, &l->hard_timeout);
    of_read_u16(r, &l->priority);
    of_read_u64(r, &l->cookie);
    of_read_u16(r, &flags);
    of_read_u8(r, &l->table);
    if (!of_peek_zeros(r, 1)) {
        return NXBRC_MUST_BE_ZERO;
    }
    of_skip(r, 1);
    of_read_u16(r, &l->fin_idle_timeout);
    of_read_u16(r, &l->fin_hard_timeout);
    l->flags = flags;
    if (l->table == 255 || flags & ~(learn2 ? 7 : 3)) {
        return OFPBAC_BAD_ARGUMENT;
    }
    if (learn2) {
        if (!of_read_u32(r, &l->limit) || !of_read_u16(r, &result_ofs) || !of_skip(r, 2)) {
            return OFPBAC_BAD_LEN;
        }
        if (flags & OF_LEARN_WRITE_RESULT) {
            err = of_acts_read_header(r, &f);
            if (err) {
                return err;
            }
            l->result_dst = (struct of_subfield){(uint16_t) f, (uint8_t) result_ofs, 1};
            if (result_ofs > 127 || !of_subfield_ok(&l->result_dst) ||
                !of_field_info(f)->writable) {
                return OFPBAC_BAD_ARGUMENT;
            }
        } else if (result_ofs) {
            return OFPBAC_BAD_ARGUMENT;
        }
    }
    return read_specs(d, start, r);
}

static void
put_sub(struct of_buf *b, const struct of_subfield *s)
{
    of_oxm_header_encode(b, (enum of_field) s->f, 0, false);
    of_put_u16(b, s->ofs);
}

void
of_acts_encode_learn(struct of_buf *b, const struct of_act_learn *l)
{
    bool learn2 = l->act.form || l->limit || l->flags & OF_LEARN_WRITE_RESULT;
    size_t start = of_acts_nx_begin(b, learn2 ? NXA_LEARN2 : NXA_LEARN);

    of_put_u16(b, l->idle_timeout);
    of_put_u16(b, l->hard_timeout);
    of_put_u16(b, l->priority);
    of_put_u64(b, l->cookie);
    of_put_u16(b, (uint16_t) l->flags);
    of_put_u8(b, l->table);
    of_put_u8(b, 0);
    of_put_u16(b, l->fin_idle_timeout);
    of_put_u16(b, l->fin_hard_timeout);
    if (learn2) {
        of_put_u32(b, l->limit);
        of_put_u16(b, l->flags & OF_LEARN_WRITE_RESULT ? l->result_dst.ofs : 0);
        of_put_u16(b, 0);
        if (l->flags & OF_LEARN_WRITE_RESULT) {
            of_oxm_header_encode(b, (enum of_field) l->result_dst.f, 0, false);
        }
    }
    for (unsigned i = 0; i < l->n_specs; i++) {
        const struct of_learn_spec *s = &l->specs[i];
        unsigned bytes = DIV_ROUND_UP(s->n_bits, 16u) * 2;

        of_put_u16(b, (uint16_t) (s->n_bits | s->kind << SPEC_DST_SHIFT |
                                  (s->src_is_imm ? SPEC_SRC_IMM : 0)));
        if (s->src_is_imm) {
            of_buf_put(b, s->imm.b + 16 - bytes, bytes);
        } else {
            put_sub(b, &s->src);
        }
        if (s->kind != OF_LEARN_OUTPUT) {
            put_sub(b, &s->dst);
        }
    }
    of_acts_end(b, start);
}
