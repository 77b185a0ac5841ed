/* SPDX-License-Identifier: Apache-2.0 */
/* Parsing of the actions whose arguments have a notation of their own (ovs-actions(7)), but for
 * outputs and learn().  Called by the parser of lists, on main. */

#include "openflow/of-actions-text.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include "packet/headers.h"
#include "util/compiler.h"
#include "util/num.h"
#include "util/xalloc.h"

static bool
parse_load(struct of_act_parser *p, char *arg)
{
    char *dst = of_act_cut(p, arg, "->");
    struct of_act_set_field *f;
    struct of_subfield sub;
    struct of_value bits, ones;
    unsigned n;

    if (!dst || !of_act_parse_subfield(p, dst, &sub) ||
        !of_act_parse_bits(p, arg, sub.n_bits, &bits)) {
        return false;
    }
    if (!of_field_info(sub.f)->writable) {
        error_set(p->errp, "%s is read-only", dst);
        return false;
    }
    f = of_actions_put(p->out, OFA_LOAD, sizeof *f);
    f->dst = sub;
    n = of_field_info(sub.f)->n_bytes;
    memset(&ones, 0xff, sizeof ones);
    of_bits_copy(bits.b, sizeof bits.b, 0, f->value.b, n, sub.ofs, sub.n_bits);
    of_bits_copy(ones.b, sizeof ones.b, 0, f->mask.b, n, sub.ofs, sub.n_bits);
    return true;
}

static bool
parse_set_field(struct of_act_parser *p, char *arg)
{
    char *dst = of_act_cut(p, arg, "->");
    enum of_field field = dst ? of_field_by_name(dst, strlen(dst)) : OFF_N;
    struct of_act_set_field *f;
    struct of_value value, mask;

    if (field == OFF_N || !of_field_header(field, 0)) {
        error_set(p->errp, "%s: not a field to set", dst ? dst : arg);
        return false;
    }
    if (!of_field_info(field)->writable) {
        error_set(p->errp, "%s is read-only", dst);
        return false;
    }
    if (!of_act_parse_value(p, field, arg, &value, &mask)) {
        return false;
    }
    if (field == OFF_VLAN_VID && of_value_is_ones(&mask, field)) {
        value.b[0] |= VLAN_CFI >> 8; /* a tag that there is, also when the text has but the VID */
    }
    f = of_actions_put(p->out, OFA_SET_FIELD, sizeof *f);
    f->dst = of_subfield_whole(field);
    f->value = value;
    f->mask = mask;
    return true;
}

static bool
parse_move(struct of_act_parser *p, char *arg)
{
    char *dst = of_act_cut(p, arg, "->");
    struct of_act_move *m;
    struct of_subfield s, d;

    if (!dst || !of_act_parse_subfield(p, arg, &s) || !of_act_parse_subfield(p, dst, &d)) {
        return false;
    }
    if (s.n_bits != d.n_bits) {
        error_set(p->errp, "%s has %u bits, %s has %u", arg, s.n_bits, dst, d.n_bits);
        return false;
    }
    m = of_actions_put(p->out, OFA_MOVE, sizeof *m);
    m->src = s;
    m->dst = d;
    return true;
}

static bool
parse_stack(struct of_act_parser *p, enum of_act_type type, const char *arg)
{
    struct of_act_stack *st;
    struct of_subfield sub;

    if (!of_act_parse_subfield(p, arg, &sub)) {
        return false;
    }
    st = of_actions_put(p->out, type, sizeof *st);
    st->sub = sub;
    return true;
}

static bool
parse_dec_ttl(struct of_act_parser *p, char *arg)
{
    uint16_t ids[64] = {0};
    struct of_act_dec_ttl *d;
    uint32_t n = 0;
    uint64_t id;
    char *token;

    while ((token = of_act_token(&arg, ", "))) {
        if (n == ARRAY_SIZE(ids)) {
            error_set(p->errp, "dec_ttl: too many controllers");
            return false;
        }
        if (!of_act_parse_num(p, token, UINT16_MAX, &id)) {
            return false;
        }
        ids[n++] = (uint16_t) id;
    }
    d = of_actions_put(p->out, OFA_DEC_TTL, sizeof *d + MAX(n, 1u) * sizeof ids[0]);
    d->act.form = n > 0;
    d->n_controllers = MAX(n, 1u);
    memcpy(d->controllers, ids, d->n_controllers * sizeof ids[0]);
    return true;
}

/* "PORT", or "[PORT],[TABLE][,ct]". */
static bool
parse_resubmit(struct of_act_parser *p, char *arg)
{
    char *table = strchr(arg, ','), *ct = NULL;
    struct of_act_resubmit *r;
    uint16_t port = OFPP_IN_PORT;
    uint64_t n = 255;

    if (table) {
        *table++ = '\0';
        ct = strchr(table, ',');
        if (ct) {
            *ct++ = '\0';
        }
    }
    if ((*arg && !of_act_parse_port(p, arg, &port)) ||
        (table && *table && !of_act_parse_num(p, table, 255, &n))) {
        return false;
    }
    if (ct && strcasecmp(ct, "ct")) {
        error_set(p->errp, "resubmit: %s is unknown", ct);
        return false;
    }
    r = of_actions_put(p->out, OFA_RESUBMIT, sizeof *r);
    r->in_port = port;
    r->table = (uint8_t) n;
    r->ct = ct;
    return true;
}

/* "ID,CLAUSE/CLAUSES". */
static bool
parse_conjunction(struct of_act_parser *p, char *arg)
{
    char *of = of_act_cut(p, arg, "/"), *clause = of ? of_act_cut(p, arg, ",") : NULL;
    struct of_act_conjunction *c;
    uint64_t id, k, n;

    if (!clause || !of_act_parse_num(p, arg, UINT32_MAX, &id) ||
        !of_act_parse_num(p, clause, 64, &k) || !of_act_parse_num(p, of, 64, &n)) {
        return false;
    }
    if (n < 2 || !k || k > n) {
        error_set(p->errp, "conjunction: clause 1 to N of N, which is 2 to 64");
        return false;
    }
    c = of_actions_put(p->out, OFA_CONJUNCTION, sizeof *c);
    c->id = (uint32_t) id;
    c->clause = (uint8_t) (k - 1);
    c->n_clauses = (uint8_t) n;
    return true;
}

static bool
parse_fin_timeout(struct of_act_parser *p, char *arg)
{
    struct of_act_fin_timeout *f = of_actions_put(p->out, OFA_FIN_TIMEOUT, sizeof *f);
    char *token;
    uint64_t n;

    while ((token = of_act_token(&arg, ", "))) {
        char *value = of_act_cut(p, token, "=");

        if (!value || !of_act_parse_num(p, value, UINT16_MAX, &n)) {
            return false;
        }
        if (!strcmp(token, "idle_timeout")) {
            f->idle_timeout = (uint16_t) n;
        } else if (!strcmp(token, "hard_timeout")) {
            f->hard_timeout = (uint16_t) n;
        } else {
            error_set(p->errp, "fin_timeout: %s is unknown", token);
            return false;
        }
    }
    return true;
}

/* "12.34.…"; the action has 6 bytes of it, and then 8 by 8. */
static bool
parse_note(struct of_act_parser *p, char *arg)
{
    size_t n = 0;
    struct of_act_note *note;
    uint8_t *bytes = xmalloc(strlen(arg) / 2 + 1);
    char *token;

    while ((token = of_act_token(&arg, ". "))) {
        int got = num_parse_hex(token, bytes + n, (int) (strlen(token) / 2 + 1));

        if (got < 1) {
            error_set(p->errp, "note: needs pairs of hexadecimal digits");
            free(bytes);
            return false;
        }
        n += (size_t) got;
    }
    note = of_actions_put(p->out, OFA_NOTE, sizeof *note + ROUND_UP(n + 2, 8u) + 6);
    note->n = (uint32_t) (n <= 6 ? 6 : ROUND_UP(n - 6, 8u) + 6);
    memcpy(note->data, bytes, n);
    free(bytes);
    return true;
}

/* "LENGTH->FIELD[BIT]". */
static bool
parse_check_pkt_larger(struct of_act_parser *p, char *arg)
{
    char *dst = of_act_cut(p, arg, "->");
    struct of_act_check_pkt_larger *c;
    struct of_subfield sub;
    uint64_t len;

    if (!dst || !of_act_parse_num(p, arg, UINT16_MAX, &len) ||
        !of_act_parse_subfield(p, dst, &sub)) {
        return false;
    }
    if (sub.n_bits != 1 || !of_field_info(sub.f)->writable) {
        error_set(p->errp, "check_pkt_larger: needs one bit that can be written");
        return false;
    }
    c = of_actions_put(p->out, OFA_CHECK_PKT_LARGER, sizeof *c);
    c->dst = sub;
    c->pkt_len = (uint16_t) len;
    return true;
}

static bool
parse_write_metadata(struct of_act_parser *p, char *arg)
{
    char *slash = strchr(arg, '/');
    struct of_act_metadata *m;
    uint64_t value, mask = UINT64_MAX;

    if (slash) {
        *slash = '\0';
    }
    if (!of_act_parse_num(p, arg, UINT64_MAX, &value) ||
        (slash && !of_act_parse_num(p, slash + 1, UINT64_MAX, &mask))) {
        return false;
    }
    m = of_actions_put(p->out, OFA_WRITE_METADATA, sizeof *m);
    m->value = value;
    m->mask = mask;
    return true;
}

static bool
parse_nest(struct of_act_parser *p, enum of_act_type type, char *arg)
{
    size_t start = p->out->len;
    struct of_act_nest *n = of_actions_put(p->out, type, sizeof *n);

    if (!of_act_parse_list(p, arg, true)) {
        return false;
    }
    n = (struct of_act_nest *) (void *) ((uint8_t *) p->out->a + start);
    n->act.len = (uint32_t) (p->out->len - start);
    return true;
}

/* "PORT:QUEUE" or "PORT,QUEUE". */
static bool
parse_enqueue(struct of_act_parser *p, char *arg)
{
    char *queue = of_act_cut(p, arg, strchr(arg, ',') ? "," : ":");
    struct of_act_enqueue *q;
    uint16_t port;
    uint64_t n;

    if (!queue || !of_act_parse_port(p, arg, &port) ||
        !of_act_parse_num(p, queue, UINT32_MAX, &n)) {
        return false;
    }
    q = of_actions_put(p->out, OFA_ENQUEUE, sizeof *q);
    q->port = port;
    q->queue = (uint32_t) n;
    return true;
}

bool
of_act_parse_own(struct of_act_parser *p, const struct of_act_name *name, char *arg)
{
    switch ((enum of_act_type) name->type) {
    case OFA_OUTPUT:
        return of_act_parse_output(p, arg);
    case OFA_CONTROLLER:
        return of_act_parse_controller(p, arg);
    case OFA_ENQUEUE:
        return parse_enqueue(p, arg);
    case OFA_BUNDLE:
        return of_act_parse_bundle(p, arg, name->form);
    case OFA_MULTIPATH:
        return of_act_parse_multipath(p, arg);
    case OFA_SET_FIELD:
        return parse_set_field(p, arg);
    case OFA_LOAD:
        return parse_load(p, arg);
    case OFA_MOVE:
        return parse_move(p, arg);
    case OFA_PUSH:
    case OFA_POP:
        return parse_stack(p, (enum of_act_type) name->type, arg);
    case OFA_DEC_TTL:
        return parse_dec_ttl(p, arg);
    case OFA_RESUBMIT:
        return parse_resubmit(p, arg);
    case OFA_LEARN:
        return of_act_parse_learn(p, arg);
    case OFA_CONJUNCTION:
        return parse_conjunction(p, arg);
    case OFA_FIN_TIMEOUT:
        return parse_fin_timeout(p, arg);
    case OFA_NOTE:
        return parse_note(p, arg);
    case OFA_CLONE:
    case OFA_WRITE_ACTIONS:
        return parse_nest(p, (enum of_act_type) name->type, arg);
    case OFA_CHECK_PKT_LARGER:
        return parse_check_pkt_larger(p, arg);
    case OFA_WRITE_METADATA:
        return parse_write_metadata(p, arg);
    default:
        error_set(p->errp, "%s: cannot be parsed", name->name);
        return false;
    }
}
