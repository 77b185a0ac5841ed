/* SPDX-License-Identifier: Apache-2.0 */
/* Decoding of the Nicira actions (ovs-actions(7)).  Called by the list decoder on main; what it
 * reads is not trusted. */

#include "openflow/of-actions.h"

#include <string.h>
#include "openflow/of-actions-private.h"
#include "packet/headers.h"
#include "util/compiler.h"

/* -- Output. -- */

static enum of_err
decode_output_reg(struct of_acts_dec *d, bool v2, struct of_reader *r)
{
    struct of_act_output_reg *o = of_actions_put(d->out, OFA_OUTPUT_REG, sizeof *o);
    uint16_t ofs_nbits = 0;
    enum of_err err;

    o->act.form = v2;
    of_read_u16(r, &ofs_nbits);
    err = of_acts_read_sub(r, ofs_nbits, &o->src);
    if (err) {
        return err;
    }
    if (!of_read_u16(r, &o->max_len)) {
        return OFPBAC_BAD_LEN;
    }
    return of_acts_rest_zero(r) ? OF_OK : OFPBAC_BAD_ARGUMENT;
}

static enum of_err
decode_trunc(struct of_acts_dec *d, struct of_reader *r)
{
    struct of_act_output_trunc *o = of_actions_put(d->out, OFA_OUTPUT_TRUNC, sizeof *o);

    of_read_u16(r, &o->port);
    of_read_u32(r, &o->max_len);
    return o->max_len < ETH_HDR_LEN ? OFPBAC_BAD_ARGUMENT : OF_OK;
}

static struct of_act_controller *
put_controller(struct of_acts_dec *d, size_t userdata)
{
    struct of_act_controller *c = of_actions_put(d->out, OFA_CONTROLLER, sizeof *c + userdata);

    c->max_len = UINT16_MAX;
    c->reason = OFPR_ACTION;
    c->meter_id = OF_CONTROLLER_NO_METER;
    c->userdata_len = (uint16_t) userdata;
    return c;
}

static enum of_err
decode_controller(struct of_acts_dec *d, struct of_reader *r)
{
    struct of_act_controller *c = put_controller(d, 0);

    of_read_u16(r, &c->max_len);
    of_read_u16(r, &c->controller_id);
    of_read_u8(r, &c->reason);
    return c->reason < OFPR_N ? OF_OK : OFPBAC_BAD_ARGUMENT;
}

/* Properties of controller2. */
enum {
    NXAC2_MAX_LEN,
    NXAC2_CONTROLLER_ID,
    NXAC2_REASON,
    NXAC2_USERDATA,
    NXAC2_PAUSE,
    NXAC2_METER_ID
};

static enum of_err
controller_prop(const struct of_prop *p, struct of_act_controller *c,
                struct of_reader *userdata)
{
    struct of_reader r = p->data;
    bool ok;

    switch (p->type) {
    case NXAC2_MAX_LEN:
        ok = of_read_u16(&r, &c->max_len);
        break;
    case NXAC2_CONTROLLER_ID:
        ok = of_read_u16(&r, &c->controller_id);
        break;
    case NXAC2_REASON:
        ok = of_read_u8(&r, &c->reason);
        if (ok && c->reason >= OFPR_N) {
            return OFPBAC_BAD_ARGUMENT;
        }
        break;
    case NXAC2_USERDATA:
        *userdata = r;
        return OF_OK;
    case NXAC2_PAUSE:
        c->pause = true;
        ok = true;
        break;
    case NXAC2_METER_ID:
        ok = of_read_u32(&r, &c->meter_id);
        break;
    default:
        return OFPBPC_BAD_TYPE;
    }
    /* Short numbers may come with their padding counted. */
    return ok && r.len <= 3 && of_acts_rest_zero(&r) ? OF_OK : OFPBPC_BAD_LEN;
}

static enum of_err
decode_controller2(struct of_acts_dec *d, struct of_reader *r)
{
    struct of_reader userdata = {NULL, 0};
    struct of_act_controller got, *c;
    struct of_prop prop;
    enum of_err err;

    if (!of_peek_zeros(r, 6)) {
        return NXBRC_MUST_BE_ZERO;
    }
    of_skip(r, 6);
    got = (struct of_act_controller){
        .max_len = UINT16_MAX, .reason = OFPR_ACTION, .meter_id = OF_CONTROLLER_NO_METER};
    while (r->len) {
        err = of_prop_next(r, false, &prop);
        err = err ? err : controller_prop(&prop, &got, &userdata);
        if (err) {
            return err;
        }
    }
    c = put_controller(d, userdata.len);
    c->act.form = 1;
    c->max_len = got.max_len;
    c->controller_id = got.controller_id;
    c->reason = got.reason;
    c->pause = got.pause;
    c->meter_id = got.meter_id;
    of_read_bytes(&userdata, c->userdata, userdata.len);
    return OF_OK;
}

static enum of_err
decode_bundle(struct of_acts_dec *d, bool load, struct of_reader *r)
{
    uint16_t alg = 0, fields = 0, basis = 0, n = 0, ofs_nbits = 0;
    struct of_act_bundle *b;
    struct of_reader head;
    uint32_t type = 0;
    enum of_err err;

    if (!of_reader_take(r, 22, &head)) {
        return OFPBAC_BAD_LEN;
    }
    of_read_u16(&head, &alg);
    of_read_u16(&head, &fields);
    of_read_u16(&head, &basis);
    of_read_u32(&head, &type);
    of_read_u16(&head, &n);
    of_read_u16(&head, &ofs_nbits);
    if (n > 2048 || alg > 1 || fields >= OFHASH_N || type != 0x00000002) { /* NXM_OF_IN_PORT */
        return OFPBAC_BAD_ARGUMENT;
    }
    if (r->len < n * 2u) {
        return OFPBAC_BAD_LEN;
    }
    b = of_actions_put(d->out, OFA_BUNDLE, sizeof *b + n * sizeof b->members[0]);
    b->algorithm = alg;
    b->fields = fields;
    b->basis = basis;
    b->n_members = n;
    if (load) {
        err = of_acts_read_sub(&head, ofs_nbits, &b->dst);
        if (err) {
            return err;
        }
        if (b->dst.n_bits < 16 || !of_field_info(b->dst.f)->writable) {
            return OFPBAC_BAD_ARGUMENT;
        }
    } else if (ofs_nbits || !of_peek_zeros(&head, 8)) {
        return OFPBAC_BAD_ARGUMENT;
    }
    for (unsigned i = 0; i < n; i++) {
        of_read_u16(r, &b->members[i]);
    }
    return OF_OK;
}

/* -- Control. -- */

static enum of_err
decode_multipath(struct of_acts_dec *d, struct of_reader *r)
{
    struct of_act_multipath *m = of_actions_put(d->out, OFA_MULTIPATH, sizeof *m);
    uint16_t ofs_nbits = 0;
    enum of_err err;

    of_read_u16(r, &m->fields);
    of_read_u16(r, &m->basis);
    of_skip(r, 2);
    of_read_u16(r, &m->algorithm);
    of_read_u16(r, &m->max_link);
    of_read_u32(r, &m->arg);
    of_skip(r, 2);
    of_read_u16(r, &ofs_nbits);
    err = of_acts_read_sub(r, ofs_nbits, &m->dst);
    if (err) {
        return err;
    }
    if (m->fields >= OFHASH_N || m->algorithm > 3 || !of_field_info(m->dst.f)->writable ||
        (m->dst.n_bits < 16 && m->max_link >> m->dst.n_bits)) {
        return OFPBAC_BAD_ARGUMENT;
    }
    return OF_OK;
}

static enum of_err
decode_resubmit(struct of_acts_dec *d, uint16_t subtype, struct of_reader *r)
{
    struct of_act_resubmit *s = of_actions_put(d->out, OFA_RESUBMIT, sizeof *s);

    s->act.form = subtype == NXA_RESUBMIT;
    s->ct = subtype == NXA_RESUBMIT_CT;
    of_read_u16(r, &s->in_port);
    of_read_u8(r, &s->table);
    if (subtype == NXA_RESUBMIT) {
        s->table = 255;
        return OF_OK;
    }
    return of_acts_rest_zero(r) ? OF_OK : OFPBAC_BAD_ARGUMENT;
}

static enum of_err
decode_dec_ttl(struct of_acts_dec *d, bool ids, struct of_reader *r)
{
    struct of_act_dec_ttl *t;
    uint16_t n = 1;

    if (ids && of_read_u16(r, &n) && !of_peek_zeros(r, 4)) {
        return NXBRC_MUST_BE_ZERO;
    }
    if (ids && (!of_skip(r, 4) || r->len < n * 2u)) {
        return OFPBAC_BAD_LEN;
    }
    if (!n) {
        return OFPBAC_BAD_ARGUMENT;
    }
    t = of_actions_put(d->out, OFA_DEC_TTL, sizeof *t + n * sizeof t->controllers[0]);
    t->act.form = ids;
    t->n_controllers = n;
    for (unsigned i = 0; ids && i < n; i++) {
        of_read_u16(r, &t->controllers[i]);
    }
    return OF_OK;
}

static enum of_err
decode_conjunction(struct of_acts_dec *d, struct of_reader *r)
{
    struct of_act_conjunction *c = of_actions_put(d->out, OFA_CONJUNCTION, sizeof *c);

    of_read_u8(r, &c->clause);
    of_read_u8(r, &c->n_clauses);
    of_read_u32(r, &c->id);
    return c->n_clauses >= 2 && c->n_clauses <= 64 && c->clause < c->n_clauses
               ? OF_OK
               : NXBAC_BAD_CONJUNCTION;
}

static enum of_err
decode_clone(struct of_acts_dec *d, struct of_reader *r)
{
    size_t start = d->out->len;
    enum of_err err;

    if (!of_skip(r, 6)) {
        return OFPBAC_BAD_LEN;
    }
    of_actions_put(d->out, OFA_CLONE, sizeof(struct of_act_nest));
    err = of_acts_decode_list(d, *r);
    ((struct of_act *) (void *) ((uint8_t *) d->out->a + start))->len =
        (uint32_t) (d->out->len - start);
    return err;
}

static enum of_err
decode_check_pkt_larger(struct of_acts_dec *d, struct of_reader *r)
{
    struct of_act_check_pkt_larger *c = of_actions_put(d->out, OFA_CHECK_PKT_LARGER, sizeof *c);
    uint16_t ofs = 0;
    enum of_field f;
    enum of_err err;

    of_read_u16(r, &c->pkt_len);
    of_read_u16(r, &ofs);
    err = of_acts_read_header(r, &f);
    if (err) {
        return err;
    }
    err = of_acts_sub(f, ofs, 1, &c->dst);
    if (!err && !of_field_info(f)->writable) {
        err = OFPBAC_BAD_SET_ARGUMENT;
    }
    return err ? err : of_acts_rest_zero(r) ? OF_OK : NXBRC_MUST_BE_ZERO;
}

static enum of_err
decode_note(struct of_acts_dec *d, struct of_reader *r)
{
    struct of_act_note *n = of_actions_put(d->out, OFA_NOTE, sizeof *n + r->len);

    n->n = (uint32_t) r->len;
    of_read_bytes(r, n->data, r->len);
    return OF_OK;
}

/* Actions of one number, `skip` bytes behind the subtype. */
static const struct {
    uint16_t subtype;
    uint8_t skip, size;
    uint16_t type, len, form;
} nums[] = {
    {NXA_SET_TUNNEL, 2, 4, OFA_SET_TUNNEL, 16, 0},
    {NXA_SET_TUNNEL64, 6, 8, OFA_SET_TUNNEL, 24, 1},
    {NXA_SET_QUEUE, 2, 4, OFA_SET_QUEUE, 16, 0},
    {NXA_PUSH_MPLS, 0, 2, OFA_PUSH_MPLS, 16, 0},
    {NXA_POP_MPLS, 0, 2, OFA_POP_MPLS, 16, 0},
    {NXA_SET_MPLS_TTL, 0, 1, OFA_SET_MPLS_TTL, 16, 0},
    {NXA_SET_MPLS_LABEL, 2, 4, OFA_SET_MPLS_LABEL, 16, 0},
    {NXA_SET_MPLS_TC, 0, 1, OFA_SET_MPLS_TC, 16, 0},
    {NXA_GROUP, 2, 4, OFA_GROUP, 16, 0},
};

static enum of_err
decode_num(struct of_acts_dec *d, uint16_t subtype, struct of_reader *r)
{
    for (unsigned i = 0; i < ARRAY_SIZE(nums); i++) {
        uint8_t b[8] = {0};
        uint64_t v;

        if (nums[i].subtype != subtype) {
            continue;
        }
        if (r->len != nums[i].len - 10u) {
            return OFPBAC_BAD_LEN;
        }
        of_skip(r, nums[i].skip);
        of_read_bytes(r, b + 8 - nums[i].size, nums[i].size);
        v = of_get_be64(b);
        if ((nums[i].type == OFA_SET_MPLS_LABEL && v > 0xfffff) ||
            (nums[i].type == OFA_SET_MPLS_TC && v > 7) ||
            (nums[i].type == OFA_PUSH_MPLS && v != ETH_TYPE_MPLS && v != ETH_TYPE_MPLS_MCAST)) {
            return OFPBAC_BAD_ARGUMENT;
        }
        of_acts_put_num(d, (enum of_act_type) nums[i].type, nums[i].form, v);
        return OF_OK;
    }
    return OFPBAC_BAD_VENDOR_TYPE;
}

static enum of_err
decode_plain(struct of_acts_dec *d, enum of_act_type type, struct of_reader *r)
{
    of_actions_put(d->out, type, sizeof(struct of_act)); /* whatever the padding */
    return OF_OK;
}

static enum of_err
decode_metadata(struct of_acts_dec *d, struct of_reader *r)
{
    struct of_act_metadata *m;

    if (of_actions_find(d->out->a, d->out->len, OFA_WRITE_METADATA)) {
        return OFPBAC_UNSUPPORTED_ORDER;
    }
    if (!of_peek_zeros(r, 6)) {
        return NXBRC_MUST_BE_ZERO;
    }
    of_skip(r, 6);
    m = of_actions_put(d->out, OFA_WRITE_METADATA, sizeof *m);
    of_read_u64(r, &m->value);
    of_read_u64(r, &m->mask);
    return OF_OK;
}

static enum of_err
decode_fin_timeout(struct of_acts_dec *d, struct of_reader *r)
{
    struct of_act_fin_timeout *f = of_actions_put(d->out, OFA_FIN_TIMEOUT, sizeof *f);

    of_read_u16(r, &f->idle_timeout);
    of_read_u16(r, &f->hard_timeout);
    return OF_OK;
}

/* Lengths of whole actions: exact, or (those that grow) the least. */
static bool
length_ok(uint16_t subtype, size_t body)
{
    size_t len = body + 10;

    switch (subtype) {
    case NXA_RESUBMIT:
    case NXA_RESUBMIT_TABLE:
    case NXA_RESUBMIT_CT:
    case NXA_POP_QUEUE:
    case NXA_EXIT:
    case NXA_DEC_TTL:
    case NXA_FIN_TIMEOUT:
    case NXA_CONTROLLER:
    case NXA_DEC_MPLS_TTL:
    case NXA_CONJUNCTION:
    case NXA_OUTPUT_TRUNC:
        return len == 16;
    case NXA_LOAD:
    case NXA_OUTPUT_REG:
    case NXA_OUTPUT_REG2:
    case NXA_PUSH:
    case NXA_POP:
    case NXA_CHECK_PKT_LARGER:
        return len == 24;
    case NXA_MULTIPATH:
    case NXA_WRITE_METADATA:
        return len == 32;
    case NXA_MOVE:
    case NXA_DEC_TTL_IDS:
        return len >= 24;
    default:
        return len >= 16;
    }
}

enum of_err
of_acts_decode_nicira(struct of_acts_dec *d, uint16_t subtype, struct of_reader *r)
{
    if (!length_ok(subtype, r->len)) {
        return OFPBAC_BAD_LEN;
    }
    switch (subtype) {
    case NXA_RESUBMIT:
    case NXA_RESUBMIT_TABLE:
    case NXA_RESUBMIT_CT:
        return decode_resubmit(d, subtype, r);
    case NXA_POP_QUEUE:
        return decode_plain(d, OFA_POP_QUEUE, r);
    case NXA_EXIT:
        return decode_plain(d, OFA_EXIT, r);
    case NXA_DEC_MPLS_TTL:
        return decode_plain(d, OFA_DEC_MPLS_TTL, r);
    case NXA_MOVE:
        return of_acts_decode_copy(d, r, false);
    case NXA_LOAD:
        return of_acts_decode_load(d, r);
    case NXA_LOAD2:
        if (!of_peek_zeros(r, 6)) {
            return NXBRC_MUST_BE_ZERO;
        }
        of_skip(r, 6);
        return of_acts_decode_set_field(d, r, true);
    case NXA_NOTE:
        return decode_note(d, r);
    case NXA_MULTIPATH:
        return decode_multipath(d, r);
    case NXA_BUNDLE:
    case NXA_BUNDLE_LOAD:
        return decode_bundle(d, subtype == NXA_BUNDLE_LOAD, r);
    case NXA_OUTPUT_REG:
    case NXA_OUTPUT_REG2:
        return decode_output_reg(d, subtype == NXA_OUTPUT_REG2, r);
    case NXA_LEARN:
    case NXA_LEARN2:
        return of_acts_decode_learn(d, subtype == NXA_LEARN2, r);
    case NXA_DEC_TTL:
    case NXA_DEC_TTL_IDS:
        return decode_dec_ttl(d, subtype == NXA_DEC_TTL_IDS, r);
    case NXA_FIN_TIMEOUT:
        return decode_fin_timeout(d, r);
    case NXA_CONTROLLER:
        return decode_controller(d, r);
    case NXA_CONTROLLER2:
        return decode_controller2(d, r);
    case NXA_WRITE_METADATA:
        return decode_metadata(d, r);
    case NXA_PUSH:
    case NXA_POP:
        return of_acts_decode_stack(d, subtype == NXA_PUSH ? OFA_PUSH : OFA_POP, r);
    case NXA_CONJUNCTION:
        return decode_conjunction(d, r);
    case NXA_OUTPUT_TRUNC:
        return decode_trunc(d, r);
    case NXA_CLONE:
        return decode_clone(d, r);
    case NXA_CHECK_PKT_LARGER:
        return decode_check_pkt_larger(d, r);
    default:
        return decode_num(d, subtype, r);
    }
}
