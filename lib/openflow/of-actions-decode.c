/* SPDX-License-Identifier: Apache-2.0 */
/* Decoding of action lists and instructions of all OpenFlow versions (OpenFlow 1.0.0 section
 * 5.2.4, 1.5.1 sections 7.2.5 and 7.2.6).  Called by the decoders of messages on main; what it
 * reads is not trusted: all through struct of_reader, nesting bounded. */

#include "openflow/of-actions.h"

#include <stdlib.h>
#include <string.h>
#include "openflow/of-actions-private.h"
#include "packet/headers.h"
#include "util/compiler.h"

bool
of_acts_rest_zero(const struct of_reader *r)
{
    return of_peek_zeros(r, r->len);
}

void
of_acts_put_num(struct of_acts_dec *d, enum of_act_type type, unsigned form, uint64_t num)
{
    struct of_act_num *n = of_actions_put(d->out, type, sizeof *n);

    n->act.form = (uint8_t) form;
    n->num = num;
}

static void
put_plain(struct of_acts_dec *d, enum of_act_type type, unsigned form)
{
    struct of_act *a = of_actions_put(d->out, type, sizeof *a);

    a->form = (uint8_t) form;
}

static enum of_err
put_vlan(struct of_acts_dec *d, enum of_act_type type, unsigned value, unsigned max)
{
    struct of_act_vlan *v;

    if (value > max) {
        return OFPBAC_BAD_ARGUMENT;
    }
    v = of_actions_put(d->out, type, sizeof *v);
    v->value = (uint16_t) value;
    v->push_if_needed = d->version == 1;
    return OF_OK;
}

static enum of_err
put_eth(struct of_acts_dec *d, enum of_act_type type, struct of_reader *r)
{
    struct of_act_eth *e = of_actions_put(d->out, type, sizeof *e);

    return of_read_bytes(r, &e->mac, 6) ? OF_OK : OFPBAC_BAD_LEN;
}

/* Reads a number of `size` bytes. */
static bool
read_num(struct of_reader *r, unsigned size, uint64_t *v)
{
    uint8_t b[8] = {0};

    if (!of_read_bytes(r, b + 8 - size, size)) {
        return false;
    }
    *v = of_get_be64(b);
    return true;
}

/* Actions of one number: where it is, and what values it may have.  1.2 took those away for
 * which there is set_field, but they do no harm, and stock takes them. */
struct num_action {
    uint16_t number;     /* of the action */
    uint8_t first, last; /* versions */
    uint8_t size;
    uint16_t len; /* whole action */
    enum of_act_type type;
    uint32_t max; /* of the value */
};
static const struct num_action num_actions[] = {
    {A10_SET_NW_SRC, 1, 1, 4, 8, OFA_SET_IPV4_SRC, UINT32_MAX},
    {A10_SET_NW_DST, 1, 1, 4, 8, OFA_SET_IPV4_DST, UINT32_MAX},
    {A10_SET_NW_TOS, 1, 1, 1, 8, OFA_SET_IP_DSCP, 0xfc},
    {A10_SET_TP_SRC, 1, 1, 2, 8, OFA_SET_L4_SRC, 0xffff},
    {A10_SET_TP_DST, 1, 1, 2, 8, OFA_SET_L4_DST, 0xffff},
    {A11_SET_NW_SRC, 2, 6, 4, 8, OFA_SET_IPV4_SRC, UINT32_MAX},
    {A11_SET_NW_DST, 2, 6, 4, 8, OFA_SET_IPV4_DST, UINT32_MAX},
    {A11_SET_NW_TOS, 2, 6, 1, 8, OFA_SET_IP_DSCP, 0xfc},
    {A11_SET_NW_ECN, 2, 6, 1, 8, OFA_SET_IP_ECN, 3},
    {A11_SET_TP_SRC, 2, 6, 2, 8, OFA_SET_L4_SRC, 0xffff},
    {A11_SET_TP_DST, 2, 6, 2, 8, OFA_SET_L4_DST, 0xffff},
    {A11_SET_MPLS_LABEL, 2, 6, 4, 8, OFA_SET_MPLS_LABEL, 0xfffff},
    {A11_SET_MPLS_TC, 2, 6, 1, 8, OFA_SET_MPLS_TC, 7},
    {A11_SET_MPLS_TTL, 2, 6, 1, 8, OFA_SET_MPLS_TTL, 0xff},
    {A11_PUSH_MPLS, 2, 6, 2, 8, OFA_PUSH_MPLS, 0xffff},
    {A11_POP_MPLS, 2, 6, 2, 8, OFA_POP_MPLS, 0xffff},
    {A11_PUSH_VLAN, 2, 6, 2, 8, OFA_PUSH_VLAN, 0xffff},
    {A11_SET_QUEUE, 2, 6, 4, 8, OFA_SET_QUEUE, UINT32_MAX},
    {A11_GROUP, 2, 6, 4, 8, OFA_GROUP, UINT32_MAX},
    {A11_SET_NW_TTL, 2, 6, 1, 8, OFA_SET_IP_TTL, 0xff},
    {A11_METER, 6, 6, 4, 8, OFA_METER, UINT32_MAX},
};

/* Ethernet types that push and pop take. */
static bool
num_ok(const struct num_action *n, uint64_t v)
{
    switch (n->type) {
    case OFA_PUSH_MPLS:
        return v == ETH_TYPE_MPLS || v == ETH_TYPE_MPLS_MCAST;
    case OFA_PUSH_VLAN:
        return v == ETH_TYPE_VLAN || v == ETH_TYPE_QINQ;
    case OFA_SET_IP_DSCP:
        return !(v & 3);
    default:
        return v <= n->max;
    }
}

/* OF_N_ERRS: not one of them. */
static enum of_err
num_action_decode(struct of_acts_dec *d, uint16_t type, struct of_reader *r)
{
    for (unsigned i = 0; i < ARRAY_SIZE(num_actions); i++) {
        const struct num_action *n = &num_actions[i];
        uint64_t v;

        if (n->number != type || d->version < n->first || d->version > n->last) {
            continue;
        }
        if (r->len != n->len - 4u || !read_num(r, n->size, &v)) {
            return OFPBAC_BAD_LEN;
        }
        if (!num_ok(n, v)) {
            return OFPBAC_BAD_ARGUMENT;
        }
        of_acts_put_num(d, n->type, 0, v);
        return OF_OK;
    }
    return OF_N_ERRS;
}

static enum of_err
decode_output(struct of_acts_dec *d, struct of_reader *r)
{
    uint16_t port, max_len = 0;
    uint32_t port32;

    if (r->len != (d->version == 1 ? 4u : 12u)) {
        return OFPBAC_BAD_LEN;
    }
    if (d->version == 1) {
        of_read_u16(r, &port);
    } else {
        of_read_u32(r, &port32);
        if (!of_port_from_32(port32, &port)) {
            return OFPBAC_BAD_OUT_PORT;
        }
    }
    of_read_u16(r, &max_len);
    of_actions_put_output(d->out, port, max_len);
    return of_acts_check_port(port, OFPP_MAX); /* in buckets, too */
}

static enum of_err
decode10(struct of_acts_dec *d, uint16_t type, struct of_reader *r)
{
    size_t want =
        type == A10_SET_DL_SRC || type == A10_SET_DL_DST || type == A10_ENQUEUE ? 12 : 4;
    struct of_act_enqueue *q;
    uint64_t v = 0;

    if (type > A10_ENQUEUE) {
        return OFPBAC_BAD_TYPE;
    }
    if (r->len != want) {
        return OFPBAC_BAD_LEN;
    }
    switch (type) {
    case A10_SET_VLAN_VID:
        read_num(r, 2, &v);
        return put_vlan(d, OFA_SET_VLAN_VID, (unsigned) v, 0xfff);
    case A10_SET_VLAN_PCP:
        read_num(r, 1, &v);
        return put_vlan(d, OFA_SET_VLAN_PCP, (unsigned) v, 7);
    case A10_STRIP_VLAN:
        put_plain(d, OFA_STRIP_VLAN, 0);
        return OF_OK;
    case A10_SET_DL_SRC:
        return put_eth(d, OFA_SET_ETH_SRC, r);
    case A10_SET_DL_DST:
        return put_eth(d, OFA_SET_ETH_DST, r);
    case A10_ENQUEUE:
    default:
        q = of_actions_put(d->out, OFA_ENQUEUE, sizeof *q);
        of_read_u16(r, &q->port);
        of_skip(r, 6);
        of_read_u32(r, &q->queue);
        return q->port < OFPP_MAX || q->port == OFPP_IN_PORT || q->port == OFPP_LOCAL
                   ? OF_OK
                   : OFPBAC_BAD_OUT_PORT;
    }
}

static enum of_err
decode11(struct of_acts_dec *d, uint16_t type, struct of_reader *r)
{
    struct of_act_dec_ttl *ttl;
    uint64_t v = 0;

    switch (type) {
    case A11_SET_VLAN_VID:
    case A11_SET_VLAN_PCP:
        if (r->len != 4 || !read_num(r, type == A11_SET_VLAN_VID ? 2 : 1, &v)) {
            return OFPBAC_BAD_LEN;
        }
        return type == A11_SET_VLAN_VID ? put_vlan(d, OFA_SET_VLAN_VID, (unsigned) v, 0xfff)
                                        : put_vlan(d, OFA_SET_VLAN_PCP, (unsigned) v, 7);
    case A11_SET_DL_SRC:
    case A11_SET_DL_DST:
        return r->len != 12
                   ? OFPBAC_BAD_LEN
                   : put_eth(d, type == A11_SET_DL_SRC ? OFA_SET_ETH_SRC : OFA_SET_ETH_DST, r);
    case A11_DEC_MPLS_TTL:
    case A11_POP_VLAN:
        if (r->len != 4) {
            return OFPBAC_BAD_LEN;
        }
        put_plain(d, type == A11_POP_VLAN ? OFA_STRIP_VLAN : OFA_DEC_MPLS_TTL,
                  type == A11_POP_VLAN);
        return OF_OK;
    case A11_DEC_NW_TTL:
        if (r->len != 4) {
            return OFPBAC_BAD_LEN;
        }
        ttl = of_actions_put(d->out, OFA_DEC_TTL, sizeof *ttl + sizeof ttl->controllers[0]);
        ttl->n_controllers = 1;
        return OF_OK;
    case A11_SET_FIELD:
        return d->version < 3 ? OFPBAC_BAD_TYPE
                              : of_acts_decode_set_field(d, r, d->version >= 6);
    case A11_COPY_FIELD:
        return d->version < 6 ? OFPBAC_BAD_TYPE : of_acts_decode_copy(d, r, true);
    default:
        return OFPBAC_BAD_TYPE;
    }
}

static enum of_err
decode_one(struct of_acts_dec *d, uint16_t type, struct of_reader *r)
{
    uint16_t subtype;
    uint32_t exp;
    enum of_err err;

    if (type == A_EXPERIMENTER) {
        if (!of_read_u32(r, &exp)) {
            return OFPBAC_BAD_LEN;
        }
        if (exp != OF_NICIRA) {
            return OFPBAC_BAD_VENDOR;
        }
        return of_read_u16(r, &subtype) ? of_acts_decode_nicira(d, subtype, r) : OFPBAC_BAD_LEN;
    }
    if (type == A10_OUTPUT) {
        return decode_output(d, r);
    }
    err = num_action_decode(d, type, r);
    if (err != OF_N_ERRS) {
        return err;
    }
    return d->version == 1 ? decode10(d, type, r) : decode11(d, type, r);
}

enum of_err
of_acts_decode_list(struct of_acts_dec *d, struct of_reader r)
{
    enum of_err err = OF_OK;

    if (d->depth > OF_ACTS_MAX_DEPTH) {
        return OFPBAC_TOO_MANY;
    }
    if (r.len % 8) {
        return OFPBRC_BAD_LEN;
    }
    d->depth++;
    while (r.len && !err) {
        struct of_reader one;
        uint16_t type, len;

        if (r.len < 8) {
            err = OFPBAC_BAD_LEN;
            break;
        }
        type = of_get_be16(r.p);
        len = of_get_be16(r.p + 2);
        if (len < 8 || len % 8 || !of_reader_take(&r, len, &one)) {
            err = OFPBAC_BAD_LEN;
            break;
        }
        of_skip(&one, 4);
        err = decode_one(d, type, &one);
    }
    d->depth--;
    return err;
}

/* -- Instructions. -- */

/* What of an action list may be in an action set: of OpenFlow 1.5.1 section 5.6, and resubmit,
 * but no output that cuts packets (as stock has it). */
static bool
fits_action_set(const struct of_act *a)
{
    switch (a->type) {
    case OFA_OUTPUT:
    case OFA_GROUP:
    case OFA_METER:
    case OFA_RESUBMIT:
    case OFA_SET_FIELD:
    case OFA_LOAD:
    case OFA_MOVE:
        return true;
    default:
        return a->type >= OFA_SET_ETH_SRC && a->type <= OFA_SET_QUEUE;
    }
}

static enum of_err
decode_write(struct of_acts_dec *d, struct of_reader r)
{
    size_t start = d->out->len;
    struct of_act_nest *n = of_actions_put(d->out, OFA_WRITE_ACTIONS, sizeof *n);
    enum of_err err = of_acts_decode_list(d, r);

    n = (struct of_act_nest *) (void *) ((uint8_t *) d->out->a + start);
    n->act.len = (uint32_t) (d->out->len - start);
    if (!err) {
        OF_ACT_FOR_EACH(a, n->list, of_act_nest_len(n))
        {
            if (!fits_action_set(a)) {
                return OFPBAC_BAD_TYPE;
            }
        }
    }
    return err;
}

struct inst {
    bool seen;
    struct of_reader body; /* behind type and length */
};

static enum of_err
split_instructions(struct of_reader r, uint8_t version, struct inst *inst)
{
    if (r.len % 8) {
        return OFPBRC_BAD_LEN;
    }
    while (r.len) {
        struct of_reader one;
        uint16_t type, len;

        if (r.len < 8) {
            return OFPBIC_BAD_LEN;
        }
        type = of_get_be16(r.p);
        len = of_get_be16(r.p + 2);
        if (len < 8 || len % 8 || !of_reader_take(&r, len, &one)) {
            return OFPBIC_BAD_LEN;
        }
        of_skip(&one, 4);
        if (type == A_EXPERIMENTER) {
            return OFPBIC_BAD_EXPERIMENTER;
        }
        if (type < INST_GOTO || type > INST_METER ||
            (type == INST_METER && (version < 4 || version > 5))) {
            return OFPBIC_UNKNOWN_INST;
        }
        if (inst[type].seen) {
            return OFPBIC_DUP_INST;
        }
        if ((type == INST_GOTO || type == INST_METER || type == INST_CLEAR)
                ? len != 8
                : type == INST_METADATA && len != 24) {
            return OFPBIC_BAD_LEN;
        }
        inst[type] = (struct inst){true, one};
    }
    return OF_OK;
}

static enum of_err
decode_instructions(struct of_acts_dec *d, struct of_reader r)
{
    struct inst inst[INST_METER + 1] = {{false, {NULL, 0}}};
    enum of_err err = split_instructions(r, d->version, inst);
    struct of_act_metadata *md;
    uint32_t meter = 0;
    uint8_t table = 0;

    if (err) {
        return err;
    }
    if (inst[INST_METER].seen) {
        of_read_u32(&inst[INST_METER].body, &meter);
        of_acts_put_num(d, OFA_METER, 0, meter);
    }
    if (inst[INST_APPLY].seen) {
        of_skip(&inst[INST_APPLY].body, 4);
        err = of_acts_decode_list(d, inst[INST_APPLY].body);
    }
    if (!err && inst[INST_CLEAR].seen) {
        put_plain(d, OFA_CLEAR_ACTIONS, 0);
    }
    if (!err && inst[INST_WRITE].seen) {
        of_skip(&inst[INST_WRITE].body, 4);
        err = decode_write(d, inst[INST_WRITE].body);
    }
    if (!err && inst[INST_METADATA].seen &&
        of_actions_find(d->out->a, d->out->len, OFA_WRITE_METADATA)) {
        err = OFPBIC_DUP_INST;
    } else if (!err && inst[INST_METADATA].seen) {
        md = of_actions_put(d->out, OFA_WRITE_METADATA, sizeof *md);
        of_skip(&inst[INST_METADATA].body, 4);
        of_read_u64(&inst[INST_METADATA].body, &md->value);
        of_read_u64(&inst[INST_METADATA].body, &md->mask);
    }
    if (!err && inst[INST_GOTO].seen) {
        of_read_u8(&inst[INST_GOTO].body, &table);
        of_acts_put_num(d, OFA_GOTO_TABLE, 0, table);
    }
    return err;
}

enum of_err
of_actions_decode(struct of_reader r, uint8_t version, enum of_acts_kind kind,
                  struct of_actions *out)
{
    struct of_acts_dec d = {.out = out, .version = version};
    enum of_err err;

    *out = (struct of_actions) OF_ACTIONS_INIT;
    err = kind == OF_ACTS_INSTRUCTIONS && version > 1 ? decode_instructions(&d, r)
                                                      : of_acts_decode_list(&d, r);
    if (err) {
        of_actions_free(out);
    }
    return err;
}
