/* SPDX-License-Identifier: Apache-2.0 */
/* Actions from text, as people write them for the stock tools (ovs-actions(7)): for
 * ofproto/trace-packet-out and tests.  Called on main.  Here: the list and its order, and the
 * actions that take one number; the others are in of-actions-parse-own.c. */

#include "openflow/of-actions.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include "openflow/of-actions-private.h"
#include "openflow/of-actions-text.h"
#include "openflow/of-text.h"
#include "packet/headers.h"
#include "util/num.h"
#include "util/xalloc.h"

/* -- Pieces of text. -- */

char *
of_act_token(char **p, const char *separators)
{
    char *start = *p + strspn(*p, separators), *end = start;
    unsigned depth = 0;
    bool quoted = false; /* a port's name */

    for (; *end && (depth || quoted || !strchr(separators, *end)); end++) {
        quoted ^= *end == '"';
        depth += *end == '(';
        depth -= *end == ')' && depth;
    }
    *p = *end ? end + 1 : end;
    *end = '\0';
    return *start ? start : NULL;
}

char *
of_act_cut(struct of_act_parser *p, char *text, const char *sep)
{
    char *found = NULL;

    for (char *s = text; (s = strstr(s, sep)); s++) {
        found = s;
    }
    if (!found) {
        error_set(p->errp, "%s: \"%s\" is missing", text, sep);
        return NULL;
    }
    *found = '\0';
    return found + strlen(sep);
}

bool
of_act_parse_num(struct of_act_parser *p, const char *text, uint64_t max, uint64_t *n)
{
    if (!num_parse_u64(text, 0, max, n)) {
        error_set(p->errp, "\"%s\": needs a number up to %llu", text, (unsigned long long) max);
        return false;
    }
    return true;
}

bool
of_act_parse_subfield(struct of_act_parser *p, const char *text, struct of_subfield *s)
{
    const char *end = of_subfield_parse(text, s, p->errp);

    if (end && *end) {
        error_set(p->errp, "%s: \"%s\" is too much", text, end);
        return false;
    }
    return end;
}

/* A number (reserved ones in 16 or 32 bits), a reserved port's name, or a name that the caller
 * knows, in quotes or not. */
static bool
port_from_text(const struct of_act_parser *p, const char *text, uint16_t *port)
{
    size_t len = strlen(text);
    bool quoted = len > 2 && text[0] == '"' && text[len - 1] == '"', ok;
    char *name;
    uint64_t n;

    if (num_parse_u64(text, OFPP_MAX, UINT16_MAX, &n)) {
        *port = (uint16_t) n;
        return n != OFPP_UNSET;
    }
    name = quoted ? xstrndup(text + 1, len - 2) : xstrdup(text);
    ok = of_port_parse(name, p->port, p->aux, port);
    free(name);
    return ok;
}

bool
of_act_parse_port(struct of_act_parser *p, const char *text, uint16_t *port)
{
    if (!port_from_text(p, text, port)) {
        error_set(p->errp, "%s: unknown port", text);
        return false;
    }
    return true;
}

bool
of_act_parse_bits(struct of_act_parser *p, const char *text, unsigned n_bits,
                  struct of_value *v)
{
    struct of_value mask;

    if (strchr(text, '/') || !of_field_parse(OFF_XXREG0, text, v, &mask, NULL)) {
        error_set(p->errp, "\"%s\": needs a number", text);
        return false;
    }
    for (unsigned bit = n_bits; bit < 128; bit++) {
        if (v->b[15 - bit / 8] >> bit % 8 & 1) {
            error_set(p->errp, "%s: does not fit in %u bits", text, n_bits);
            return false;
        }
    }
    return true;
}

bool
of_act_parse_value(struct of_act_parser *p, enum of_field f, const char *text,
                   struct of_value *value, struct of_value *mask)
{
    const struct of_field_info *info = of_field_info(f);
    uint16_t port;

    if (f == OFF_IN_PORT || info->place == OFL_PORT) {
        if (!of_act_parse_port(p, text, &port)) {
            return false;
        }
        *value = of_value_from_u64(f, f == OFF_IN_PORT ? port : of_port_to_32(port));
        of_field_ones(f, mask);
        return true;
    }
    if (f == OFF_IP_FRAG && *text >= '0' && *text <= '9') { /* only words */
        error_set(p->errp, "%s: bad value for %s", text, info->name);
        return false;
    }
    if (!of_field_parse(f, text, value, mask, p->errp)) {
        return false;
    }
    if (!info->maskable && !of_value_is_ones(mask, f)) {
        error_set(p->errp, "%s: %s takes no mask", text, info->name);
        return false;
    }
    if (of_value_is_zero(mask, info->n_bytes)) {
        error_set(p->errp, "%s: sets nothing of %s", text, info->name);
        return false;
    }
    for (unsigned i = 0; i < sizeof value->b; i++) {
        value->b[i] &= mask->b[i];
    }
    return true;
}

/* -- Actions of one number. -- */

static bool
num_ok(const struct of_act_name *name, uint64_t n)
{
    switch (name->type) {
    case OFA_PUSH_VLAN:
        return n == ETH_TYPE_VLAN || n == ETH_TYPE_QINQ;
    case OFA_PUSH_MPLS:
        return n == ETH_TYPE_MPLS || n == ETH_TYPE_MPLS_MCAST;
    case OFA_SET_IP_DSCP:
        return !(n & 3);
    default:
        return true;
    }
}

static bool
parse_num_action(struct of_act_parser *p, const struct of_act_name *name, const char *arg)
{
    struct of_value ip, mask;
    struct of_act_num *num;
    uint64_t n;

    if (name->arg == OF_ARG_IPV4) {
        if (strchr(arg, '/') || !of_field_parse(OFF_IPV4_SRC, arg, &ip, &mask, NULL)) {
            error_set(p->errp, "%s: needs an IPv4 address", name->name);
            return false;
        }
        n = of_value_to_u64(OFF_IPV4_SRC, &ip);
    } else if (!of_act_parse_num(p, arg, name->max, &n)) {
        return false;
    }
    if (!num_ok(name, n)) {
        error_set(p->errp, "%s: not a value for %s", arg, name->name);
        return false;
    }
    num = of_actions_put(p->out, (enum of_act_type) name->type, sizeof *num);
    num->num = n;
    num->act.form = name->type == OFA_SET_TUNNEL && n > UINT32_MAX ? 1 : name->form;
    return true;
}

static bool
parse_eth_action(struct of_act_parser *p, const struct of_act_name *name, const char *arg)
{
    struct of_act_eth *eth;
    struct eth_addr mac;

    if (!eth_addr_parse(arg, &mac)) {
        error_set(p->errp, "%s: needs an Ethernet address", name->name);
        return false;
    }
    eth = of_actions_put(p->out, (enum of_act_type) name->type, sizeof *eth);
    eth->mac = mac;
    return true;
}

static bool
parse_vlan_action(struct of_act_parser *p, const struct of_act_name *name, const char *arg)
{
    struct of_act_vlan *vlan;
    uint64_t n;

    if (!of_act_parse_num(p, arg, name->max, &n)) {
        return false;
    }
    vlan = of_actions_put(p->out, (enum of_act_type) name->type, sizeof *vlan);
    vlan->value = (uint16_t) n;
    vlan->push_if_needed = name->form;
    return true;
}

static bool
parse_by_name(struct of_act_parser *p, const struct of_act_name *name, char *arg)
{
    struct of_act *plain;

    switch ((enum of_act_arg) name->arg) {
    case OF_ARG_NONE:
        plain = of_actions_put(p->out, (enum of_act_type) name->type, sizeof *plain);
        plain->form = name->form;
        return true;
    case OF_ARG_VLAN:
        return parse_vlan_action(p, name, arg);
    case OF_ARG_ETH:
        return parse_eth_action(p, name, arg);
    case OF_ARG_DEC:
    case OF_ARG_PAREN:
    case OF_ARG_HEX:
    case OF_ARG_HEX4:
    case OF_ARG_IPV4:
    case OF_ARG_TABLE:
        return parse_num_action(p, name, arg);
    case OF_ARG_OWN:
    default:
        return of_act_parse_own(p, name, arg);
    }
}

/* -- Lists. -- */

/* A number or name of a port alone is an output. */
static bool
parse_port_action(struct of_act_parser *p, const char *word)
{
    uint16_t port;

    if (!port_from_text(p, word, &port)) {
        error_set(p->errp, "unknown action %s", word);
        return false;
    }
    of_actions_put_output(p->out, port, port == OFPP_CONTROLLER ? UINT16_MAX : 0);
    return true;
}

/* "name", "name:arg", "name=arg", "name(arg)" or "name(arg)->more", of which the last gives
 * "arg->more". */
static bool
parse_action(struct of_act_parser *p, char *token)
{
    size_t len = strcspn(token, ":=( ");
    const struct of_act_name *name = of_act_name_find(token, len);
    char *arg = token + len, *close, *more;

    if (!name) {
        return parse_port_action(p, token);
    }
    if (*arg == '(') {
        arg++;
        more = strstr(arg, ")->");
        close = strrchr(arg, ')');
        if (!close || (close[1] && (close = more) == NULL)) {
            error_set(p->errp, "%s: unbalanced parentheses", token);
            return false;
        }
        memmove(close, close + 1, strlen(close));
    } else if (*arg) {
        arg++;
    }
    return parse_by_name(p, name, arg);
}

static bool
check_order(struct of_act_parser *p, size_t start, bool nested)
{
    const struct of_act *first = of_act_end(p->out->a, start);
    unsigned last = 0;
    bool any = false;

    OF_ACT_FOR_EACH(a, first, p->out->len - start)
    {
        unsigned r = of_acts_rank(a);
        const char *name = of_act_name_by_type((enum of_act_type) a->type, 0)->name;

        if (nested && r != 1) {
            error_set(p->errp, "%s is not allowed here", name);
            return false;
        }
        if (any && (r < last || (r == last && r != 1))) {
            error_set(p->errp, "%s must come earlier, and once", name);
            return false;
        }
        last = r;
        any = true;
    }
    return true;
}

bool
of_act_parse_list(struct of_act_parser *p, char *text, bool nested)
{
    size_t start = p->out->len;
    bool drop = false;
    char *token;

    if (p->depth > OF_ACTS_MAX_DEPTH) {
        error_set(p->errp, "actions are nested too deeply");
        return false;
    }
    p->depth++;
    while ((token = of_act_token(&text, ", \t\r\n"))) {
        if (!strcasecmp(token, "drop")) {
            drop = true;
        } else if (!parse_action(p, token)) {
            return false;
        }
    }
    p->depth--;
    if (drop && p->out->len > start) {
        error_set(p->errp, "drop must be alone");
        return false;
    }
    return p->out->len == start || check_order(p, start, nested);
}

bool
of_actions_parse(const char *text, struct of_actions *out,
                 int (*port)(const char *name, void *aux), void *aux, char **errp)
{
    struct of_act_parser p = {.out = out, .port = port, .aux = aux, .errp = errp};
    char *copy = xstrdup(text);
    bool ok;

    *out = (struct of_actions) OF_ACTIONS_INIT;
    ok = of_act_parse_list(&p, copy, false);
    free(copy);
    if (!ok) {
        of_actions_free(out);
    }
    return ok;
}
