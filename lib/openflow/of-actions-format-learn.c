/* SPDX-License-Identifier: Apache-2.0 */
/* The text of learn(): see ovs-actions(7) for its notation.  Called by of_actions_format(). */

#include "openflow/of-actions-text.h"

#include <inttypes.h>
#include <string.h>
#include "openflow/of-text.h"

#define DEFAULT_PRIORITY 32768

static void
put_number(struct strbuf *s, const char *name, uint32_t value, uint32_t usual)
{
    if (value != usual) {
        strbuf_putf(s, ",%s=%" PRIu32, name, value);
    }
}

static bool
same(const struct of_subfield *a, const struct of_subfield *b)
{
    return a->f == b->f && a->ofs == b->ofs && a->n_bits == b->n_bits;
}

/* "field=value" for all of a field, otherwise "FIELD[0..3]=0x5". */
static void
match_constant(const struct of_learn_spec *spec, const struct of_names *names, struct strbuf *s)
{
    const struct of_field_info *info = of_field_info(spec->dst.f);
    struct of_value value = {{0}};

    if (spec->dst.ofs || spec->dst.n_bits != info->n_bits) {
        of_subfield_format(&spec->dst, s);
        strbuf_putc(s, '=');
        of_hex_format(spec->imm.b, sizeof spec->imm.b, s);
        return;
    }
    memcpy(value.b, spec->imm.b + sizeof spec->imm.b - info->n_bytes, info->n_bytes);
    strbuf_putf(s, "%s=", info->name);
    of_act_value_format(spec->dst.f, &value, NULL, names, s);
}

static void
spec_format(const struct of_learn_spec *spec, const struct of_names *names, struct strbuf *s)
{
    if (spec->kind == OF_LEARN_MATCH && spec->src_is_imm) {
        match_constant(spec, names, s);
        return;
    }
    if (spec->kind == OF_LEARN_MATCH) {
        of_subfield_format(&spec->dst, s);
        if (!same(&spec->src, &spec->dst)) {
            strbuf_putc(s, '=');
            of_subfield_format(&spec->src, s);
        }
        return;
    }
    strbuf_puts(s, spec->kind == OF_LEARN_LOAD ? "load:" : "output:");
    if (spec->src_is_imm) {
        of_hex_format(spec->imm.b, sizeof spec->imm.b, s);
    } else {
        of_subfield_format(&spec->src, s);
    }
    if (spec->kind == OF_LEARN_LOAD) {
        strbuf_puts(s, "->");
        of_subfield_format(&spec->dst, s);
    }
}

void
of_act_learn_format(const struct of_act_learn *l, const struct of_names *names,
                    struct strbuf *s)
{
    strbuf_puts(s, "learn(table=");
    of_table_format(l->table, names, s);
    put_number(s, "idle_timeout", l->idle_timeout, 0);
    put_number(s, "hard_timeout", l->hard_timeout, 0);
    put_number(s, "fin_idle_timeout", l->fin_idle_timeout, 0);
    put_number(s, "fin_hard_timeout", l->fin_hard_timeout, 0);
    put_number(s, "priority", l->priority, DEFAULT_PRIORITY);
    if (l->flags & OF_LEARN_SEND_FLOW_REM) {
        strbuf_puts(s, ",send_flow_rem");
    }
    if (l->flags & OF_LEARN_DELETE_LEARNED) {
        strbuf_puts(s, ",delete_learned");
    }
    if (l->cookie) {
        strbuf_putf(s, ",cookie=0x%" PRIx64, l->cookie);
    }
    put_number(s, "limit", l->limit, 0);
    if (l->flags & OF_LEARN_WRITE_RESULT) {
        strbuf_puts(s, ",result_dst=");
        of_subfield_format(&l->result_dst, s);
    }
    for (uint32_t i = 0; i < l->n_specs; i++) {
        strbuf_putc(s, ',');
        spec_format(&l->specs[i], names, s);
    }
    strbuf_putc(s, ')');
}
