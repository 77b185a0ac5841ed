/* SPDX-License-Identifier: Apache-2.0 */
/* Parsing of learn() (ovs-actions(7)).  Called by the parser of lists, on main. */

#include "openflow/of-actions-text.h"

#include <string.h>
#include <strings.h>
#include "util/compiler.h"
#include "util/xalloc.h"

/* The action grows by its specs: put the next one behind it. */
static struct of_learn_spec *
put_spec(struct of_act_parser *p, size_t start)
{
    struct of_learn_spec *spec = of_actions_put(p->out, OFA_LEARN, sizeof *spec);
    struct of_act_learn *l = (void *) ((uint8_t *) p->out->a + start);

    memset(spec, 0, sizeof *spec);
    l->n_specs++;
    l->act.len = (uint32_t) (p->out->len - start);
    return spec;
}

/* "FIELD[…]", or "field" for all of it. */
static bool
parse_part(struct of_act_parser *p, const char *text, struct of_subfield *s)
{
    enum of_field f = of_field_by_name(text, strlen(text));

    if (f == OFF_N) {
        return of_act_parse_subfield(p, text, s);
    }
    *s = of_subfield_whole(f);
    return true;
}

static bool
is_part(const char *text)
{
    size_t len = strcspn(text, "[");

    return of_field_by_name(text, len) != OFF_N;
}

/* "DST", "DST=SRC" or "DST=VALUE"; `value` NULL: the first of them. */
static bool
parse_match(struct of_act_parser *p, size_t start, const char *dst, const char *value)
{
    struct of_learn_spec s = {.kind = OF_LEARN_MATCH};
    struct of_value v, mask;
    const struct of_field_info *info;

    if (!parse_part(p, dst, &s.dst)) {
        return false;
    }
    s.n_bits = s.dst.n_bits;
    info = of_field_info(s.dst.f);
    if (!of_field_header((enum of_field) s.dst.f, 0) ||
        (s.n_bits < info->n_bits && !info->maskable)) {
        error_set(p->errp, "learn: %s cannot be matched like that", dst);
        return false;
    }
    if (!value || is_part(value)) {
        if (!value) {
            s.src = s.dst;
        } else if (!parse_part(p, value, &s.src)) {
            return false;
        }
        if (s.src.n_bits != s.dst.n_bits) {
            error_set(p->errp, "learn: %s has %u bits, %s has %u", dst, s.dst.n_bits, value,
                      s.src.n_bits);
            return false;
        }
    } else if (s.n_bits < info->n_bits) {
        s.src_is_imm = true;
        if (!of_act_parse_bits(p, value, s.n_bits, &s.imm)) {
            return false;
        }
    } else {
        s.src_is_imm = true;
        if (!of_act_parse_value(p, (enum of_field) s.dst.f, value, &v, &mask) ||
            !of_value_is_ones(&mask, (enum of_field) s.dst.f)) {
            error_set(p->errp, "learn: %s: bad value for %s", value, info->name);
            return false;
        }
        of_bits_copy(v.b, info->n_bytes, 0, s.imm.b, sizeof s.imm.b, 0, s.n_bits);
    }
    *put_spec(p, start) = s;
    return true;
}

/* "SRC->DST" or "VALUE->DST". */
static bool
parse_load(struct of_act_parser *p, size_t start, char *text)
{
    struct of_learn_spec s = {.kind = OF_LEARN_LOAD};
    char *dst = of_act_cut(p, text, "->");

    if (!dst || !of_act_parse_subfield(p, dst, &s.dst)) {
        return false;
    }
    s.n_bits = s.dst.n_bits;
    if (!of_field_info(s.dst.f)->writable) {
        error_set(p->errp, "learn: %s is read-only", dst);
        return false;
    }
    if (!is_part(text)) {
        s.src_is_imm = true;
        if (!of_act_parse_bits(p, text, s.n_bits, &s.imm)) {
            return false;
        }
    } else if (!of_act_parse_subfield(p, text, &s.src)) {
        return false;
    } else if (s.src.n_bits != s.dst.n_bits) {
        error_set(p->errp, "learn: %s has %u bits, %s has %u", text, s.src.n_bits, dst,
                  s.dst.n_bits);
        return false;
    }
    *put_spec(p, start) = s;
    return true;
}

static bool
parse_output(struct of_act_parser *p, size_t start, const char *text)
{
    struct of_learn_spec s = {.kind = OF_LEARN_OUTPUT};

    if (!parse_part(p, text, &s.src)) {
        return false;
    }
    s.n_bits = s.src.n_bits;
    *put_spec(p, start) = s;
    return true;
}

/* The flow's own parameters; `*known` is false when `name` is none of them. */
static bool
parse_parameter(struct of_act_parser *p, size_t start, const char *name, const char *value,
                bool *known)
{
    static const struct {
        const char *name;
        uint64_t max;
    } params[] = {
        {"table", 254},
        {"idle_timeout", UINT16_MAX},
        {"hard_timeout", UINT16_MAX},
        {"fin_idle_timeout", UINT16_MAX},
        {"fin_hard_timeout", UINT16_MAX},
        {"priority", UINT16_MAX},
        {"cookie", UINT64_MAX},
        {"limit", UINT32_MAX},
    };
    struct of_act_learn *l = (void *) ((uint8_t *) p->out->a + start);
    uint16_t *const shorts[] = {NULL,
                                &l->idle_timeout,
                                &l->hard_timeout,
                                &l->fin_idle_timeout,
                                &l->fin_hard_timeout,
                                &l->priority};
    uint64_t n;
    unsigned i;

    for (i = 0; i < ARRAY_SIZE(params) && strcmp(name, params[i].name); i++) {
    }
    *known = i < ARRAY_SIZE(params);
    if (!*known) {
        return false;
    }
    if (!of_act_parse_num(p, value, params[i].max, &n)) {
        return false;
    }
    if (i == 0) {
        l->table = (uint8_t) n;
    } else if (i < ARRAY_SIZE(shorts)) {
        *shorts[i] = (uint16_t) n;
    } else if (i == ARRAY_SIZE(shorts)) {
        l->cookie = n;
    } else {
        l->limit = (uint32_t) n;
    }
    return true;
}

static bool
parse_flag(struct of_act_parser *p, size_t start, const char *name, const char *value,
           bool *known)
{
    struct of_act_learn *l = (void *) ((uint8_t *) p->out->a + start);

    *known = true;
    if (!strcmp(name, "send_flow_rem") && !value) {
        l->flags |= OF_LEARN_SEND_FLOW_REM;
    } else if (!strcmp(name, "delete_learned") && !value) {
        l->flags |= OF_LEARN_DELETE_LEARNED;
    } else if (!strcmp(name, "result_dst") && value) {
        if (!of_act_parse_subfield(p, value, &l->result_dst)) {
            return false;
        }
        if (l->result_dst.n_bits != 1 || !of_field_info(l->result_dst.f)->writable) {
            error_set(p->errp, "result_dst: needs one bit that can be written");
            return false;
        }
        l->flags |= OF_LEARN_WRITE_RESULT;
    } else {
        *known = false;
        return false;
    }
    return true;
}

static bool
parse_token(struct of_act_parser *p, size_t start, char *token)
{
    char *eq = strchr(token, '=');
    bool known, ok;

    if (!strncasecmp(token, "load:", 5)) {
        return parse_load(p, start, token + 5);
    }
    if (!strncasecmp(token, "output:", 7)) {
        return parse_output(p, start, token + 7);
    }
    if (eq) {
        *eq++ = '\0';
        ok = parse_parameter(p, start, token, eq, &known);
        if (known) {
            return ok;
        }
    }
    ok = parse_flag(p, start, token, eq, &known);
    return known ? ok : parse_match(p, start, token, eq);
}

bool
of_act_parse_learn(struct of_act_parser *p, char *arg)
{
    size_t start = p->out->len;
    struct of_act_learn *l = of_actions_put(p->out, OFA_LEARN, sizeof *l);
    char *token;

    l->priority = 32768;
    l->table = 1;
    while ((token = of_act_token(&arg, ", "))) {
        if (!parse_token(p, start, token)) {
            return false;
        }
    }
    l = (void *) ((uint8_t *) p->out->a + start);
    l->act.form = l->limit || l->flags & OF_LEARN_WRITE_RESULT;
    return true;
}
