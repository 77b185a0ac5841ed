/* SPDX-License-Identifier: Apache-2.0 */
/* Encoding of the actions that only Nicira's extensions have (ovs-actions(7)).  Called by
 * of-actions-encode.c on main. */

#include "openflow/of-actions.h"

#include "openflow/of-actions-private.h"

#define CAST(TYPE, A) ((const struct TYPE *) (const void *) (A))

static void
put_controller(struct of_buf *b, const struct of_act_controller *c)
{
    size_t start, prop;

    if (!c->act.form && !c->userdata_len && !c->pause &&
        c->meter_id == OF_CONTROLLER_NO_METER) {
        start = of_acts_nx_begin(b, NXA_CONTROLLER);
        of_put_u16(b, c->max_len);
        of_put_u16(b, c->controller_id);
        of_put_u8(b, c->reason);
        of_acts_end(b, start);
        return;
    }
    start = of_acts_nx_begin(b, NXA_CONTROLLER2);
    of_buf_put_zeros(b, 6);
    if (c->max_len != UINT16_MAX) {
        prop = of_prop_begin(b, 0);
        of_put_u16(b, c->max_len);
        of_put_u16(b, 0); /* counted in the length */
        of_prop_end(b, prop);
    }
    if (c->controller_id) {
        prop = of_prop_begin(b, 1);
        of_put_u16(b, c->controller_id);
        of_put_u16(b, 0);
        of_prop_end(b, prop);
    }
    if (c->reason != OFPR_ACTION) {
        prop = of_prop_begin(b, 2);
        of_put_u8(b, c->reason);
        of_prop_end(b, prop);
    }
    if (c->userdata_len) {
        prop = of_prop_begin(b, 3);
        of_buf_put(b, c->userdata, c->userdata_len);
        of_prop_end(b, prop);
    }
    if (c->pause) {
        of_prop_end(b, of_prop_begin(b, 4));
    }
    if (c->meter_id != OF_CONTROLLER_NO_METER) {
        prop = of_prop_begin(b, 5);
        of_put_u32(b, c->meter_id);
        of_prop_end(b, prop);
    }
    of_acts_end(b, start);
}

static void
put_bundle(struct of_buf *b, const struct of_act_bundle *u)
{
    size_t start = of_acts_nx_begin(b, u->dst.n_bits ? NXA_BUNDLE_LOAD : NXA_BUNDLE);

    of_put_u16(b, u->algorithm);
    of_put_u16(b, u->fields);
    of_put_u16(b, u->basis);
    of_oxm_header_encode(b, OFF_IN_PORT, 0, false); /* members are ports */
    of_put_u16(b, u->n_members);
    if (u->dst.n_bits) {
        of_put_u16(b, of_acts_ofs_nbits(&u->dst));
        of_oxm_header_encode(b, (enum of_field) u->dst.f, 0, false);
        of_buf_put_zeros(b, 4);
    } else {
        of_buf_put_zeros(b, 10);
    }
    for (unsigned i = 0; i < u->n_members; i++) {
        of_put_u16(b, u->members[i]);
    }
    of_acts_end(b, start);
}

static void
put_output_reg(struct of_buf *b, const struct of_act_output_reg *o)
{
    size_t start = of_acts_nx_begin(b, o->act.form ? NXA_OUTPUT_REG2 : NXA_OUTPUT_REG);

    of_put_u16(b, of_acts_ofs_nbits(&o->src));
    of_oxm_header_encode(b, (enum of_field) o->src.f, 0, false);
    of_put_u16(b, o->max_len);
    if (b->len - start < 24) {
        of_buf_put_zeros(b, 24 - (b->len - start));
    }
    of_acts_end(b, start);
}

static void
put_multipath(struct of_buf *b, const struct of_act_multipath *m)
{
    size_t start = of_acts_nx_begin(b, NXA_MULTIPATH);

    of_put_u16(b, m->fields);
    of_put_u16(b, m->basis);
    of_put_u16(b, 0);
    of_put_u16(b, m->algorithm);
    of_put_u16(b, m->max_link);
    of_put_u32(b, m->arg);
    of_put_u16(b, 0);
    of_put_u16(b, of_acts_ofs_nbits(&m->dst));
    of_oxm_header_encode(b, (enum of_field) m->dst.f, 0, false);
    of_acts_end(b, start);
}

static void
put_stack(struct of_buf *b, const struct of_act_stack *s)
{
    size_t start = of_acts_nx_begin(b, s->act.type == OFA_PUSH ? NXA_PUSH : NXA_POP);

    of_put_u16(b, s->sub.ofs);
    of_oxm_header_encode(b, (enum of_field) s->sub.f, 0, false);
    of_put_u16(b, s->sub.n_bits);
    if (b->len - start < 24) {
        of_buf_put_zeros(b, 24 - (b->len - start));
    }
    of_acts_end(b, start);
}

static void
put_check_pkt_larger(struct of_buf *b, const struct of_act_check_pkt_larger *c)
{
    size_t start = of_acts_nx_begin(b, NXA_CHECK_PKT_LARGER);

    of_put_u16(b, c->pkt_len);
    of_put_u16(b, c->dst.ofs);
    of_oxm_header_encode(b, (enum of_field) c->dst.f, 0, false);
    if (b->len - start < 24) {
        of_buf_put_zeros(b, 24 - (b->len - start));
    }
    of_acts_end(b, start);
}

static void
put_resubmit(struct of_buf *b, const struct of_act_resubmit *r)
{
    size_t start = of_acts_nx_begin(b, r->ct         ? NXA_RESUBMIT_CT
                                       : r->act.form ? NXA_RESUBMIT
                                                     : NXA_RESUBMIT_TABLE);

    of_put_u16(b, r->in_port);
    of_put_u8(b, r->act.form ? 0 : r->table);
    of_acts_end(b, start);
}

void
of_acts_encode_nicira(struct of_buf *b, const struct of_act *a, uint8_t version)
{
    size_t start;

    switch (a->type) {
    case OFA_OUTPUT_REG:
        put_output_reg(b, CAST(of_act_output_reg, a));
        return;
    case OFA_CONTROLLER:
        put_controller(b, CAST(of_act_controller, a));
        return;
    case OFA_BUNDLE:
        put_bundle(b, CAST(of_act_bundle, a));
        return;
    case OFA_MULTIPATH:
        put_multipath(b, CAST(of_act_multipath, a));
        return;
    case OFA_PUSH:
    case OFA_POP:
        put_stack(b, CAST(of_act_stack, a));
        return;
    case OFA_RESUBMIT:
        put_resubmit(b, CAST(of_act_resubmit, a));
        return;
    case OFA_LEARN:
        of_acts_encode_learn(b, CAST(of_act_learn, a));
        return;
    case OFA_CHECK_PKT_LARGER:
        put_check_pkt_larger(b, CAST(of_act_check_pkt_larger, a));
        return;
    case OFA_OUTPUT_TRUNC:
        start = of_acts_nx_begin(b, NXA_OUTPUT_TRUNC);
        of_put_u16(b, CAST(of_act_output_trunc, a)->port);
        of_put_u32(b, CAST(of_act_output_trunc, a)->max_len);
        break;
    case OFA_POP_QUEUE:
        start = of_acts_nx_begin(b, NXA_POP_QUEUE);
        break;
    case OFA_EXIT:
        start = of_acts_nx_begin(b, NXA_EXIT);
        break;
    case OFA_CONJUNCTION:
        start = of_acts_nx_begin(b, NXA_CONJUNCTION);
        of_put_u8(b, CAST(of_act_conjunction, a)->clause);
        of_put_u8(b, CAST(of_act_conjunction, a)->n_clauses);
        of_put_u32(b, CAST(of_act_conjunction, a)->id);
        break;
    case OFA_FIN_TIMEOUT:
        start = of_acts_nx_begin(b, NXA_FIN_TIMEOUT);
        of_put_u16(b, CAST(of_act_fin_timeout, a)->idle_timeout);
        of_put_u16(b, CAST(of_act_fin_timeout, a)->hard_timeout);
        break;
    case OFA_NOTE:
        start = of_acts_nx_begin(b, NXA_NOTE);
        of_buf_put(b, CAST(of_act_note, a)->data, CAST(of_act_note, a)->n);
        break;
    case OFA_CLONE:
        start = of_acts_nx_begin(b, NXA_CLONE);
        of_buf_put_zeros(b, 6);
        of_acts_encode_list(b, CAST(of_act_nest, a)->list,
                            of_act_nest_len(CAST(of_act_nest, a)), version);
        break;
    default:
        return;
    }
    of_acts_end(b, start);
}
