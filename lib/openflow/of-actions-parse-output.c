/* SPDX-License-Identifier: Apache-2.0 */
/* Parsing of the actions that send packets somewhere, or choose where (ovs-actions(7)): output,
 * controller, bundle, multipath.  Called by the parser of lists, on main. */

#include "openflow/of-actions-text.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include "util/compiler.h"
#include "util/num.h"
#include "util/xalloc.h"

/* "port=PORT,max_len=N". */
static bool
parse_trunc(struct of_act_parser *p, char *arg)
{
    struct of_act_output_trunc *t;
    uint16_t port = OFPP_NONE;
    uint64_t max_len = 0;
    char *token;

    while ((token = of_act_token(&arg, ", "))) {
        char *value = of_act_cut(p, token, "=");

        if (!value) {
            return false;
        }
        if (!strcmp(token, "port")) {
            if (!of_act_parse_port(p, value, &port)) {
                return false;
            }
        } else if (strcmp(token, "max_len")) {
            error_set(p->errp, "output: %s is unknown", token);
            return false;
        } else if (!of_act_parse_num(p, value, UINT32_MAX, &max_len)) {
            return false;
        }
    }
    if (port == OFPP_NONE || max_len < 14) {
        error_set(p->errp, "output: needs port=PORT and max_len=LENGTH, 14 or more");
        return false;
    }
    t = of_actions_put(p->out, OFA_OUTPUT_TRUNC, sizeof *t);
    t->port = port;
    t->max_len = (uint32_t) max_len;
    return true;
}

bool
of_act_parse_output(struct of_act_parser *p, char *arg)
{
    struct of_act_output_reg *reg;
    struct of_subfield src;
    uint16_t port;

    if (strstr(arg, "port=")) {
        return parse_trunc(p, arg);
    }
    if (strchr(arg, '[')) {
        if (!of_act_parse_subfield(p, arg, &src)) {
            return false;
        }
        reg = of_actions_put(p->out, OFA_OUTPUT_REG, sizeof *reg);
        reg->src = src;
        reg->max_len = UINT16_MAX;
        return true;
    }
    if (!of_act_parse_port(p, arg, &port)) {
        return false;
    }
    of_actions_put_output(p->out, port, port == OFPP_CONTROLLER ? UINT16_MAX : 0);
    return true;
}

/* -- controller. -- */

struct controller_args {
    uint64_t max_len, id, meter_id;
    unsigned reason;
    bool pause;
    uint8_t *userdata; /* owned */
    size_t userdata_len;
};

static bool
parse_userdata(struct of_act_parser *p, char *text, struct controller_args *c)
{
    char *token;

    free(c->userdata);
    c->userdata = xmalloc(strlen(text) / 2 + 1);
    c->userdata_len = 0;
    while ((token = of_act_token(&text, "."))) {
        int n =
            num_parse_hex(token, c->userdata + c->userdata_len, (int) (strlen(token) / 2 + 1));

        if (n < 1) {
            error_set(p->errp, "userdata: needs pairs of hexadecimal digits");
            return false;
        }
        c->userdata_len += (size_t) n;
    }
    if (c->userdata_len > UINT16_MAX - 64) {
        error_set(p->errp, "userdata: too long");
        return false;
    }
    return true;
}

static bool
parse_reason(struct of_act_parser *p, const char *text, unsigned *reason)
{
    for (*reason = 0; *reason < OFPR_N; ++*reason) {
        if (!strcasecmp(text, of_packet_in_reason_name(*reason))) {
            return true;
        }
    }
    error_set(p->errp, "%s: unknown reason", text);
    return false;
}

static bool
parse_controller_arg(struct of_act_parser *p, char *token, struct controller_args *c)
{
    char *value;

    if (!strcmp(token, "pause")) {
        c->pause = true;
        return true;
    }
    value = of_act_cut(p, token, "=");
    if (!value) {
        return false;
    }
    if (!strcmp(token, "max_len")) {
        return of_act_parse_num(p, value, UINT16_MAX, &c->max_len);
    } else if (!strcmp(token, "id")) {
        return of_act_parse_num(p, value, UINT16_MAX, &c->id);
    } else if (!strcmp(token, "meter_id")) {
        return of_act_parse_num(p, value, UINT32_MAX, &c->meter_id);
    } else if (!strcmp(token, "reason")) {
        return parse_reason(p, value, &c->reason);
    } else if (!strcmp(token, "userdata")) {
        return parse_userdata(p, value, c);
    }
    error_set(p->errp, "controller: %s is unknown", token);
    return false;
}

static void
put_controller(struct of_act_parser *p, const struct controller_args *a)
{
    struct of_act_controller *c;

    if (a->reason == OFPR_ACTION && !a->id && !a->userdata_len && !a->pause &&
        a->meter_id == OF_CONTROLLER_NO_METER) {
        of_actions_put_output(p->out, OFPP_CONTROLLER, (uint16_t) a->max_len);
        return;
    }
    c = of_actions_put(p->out, OFA_CONTROLLER, sizeof *c + a->userdata_len);
    c->act.form = a->userdata_len || a->pause || a->meter_id != OF_CONTROLLER_NO_METER;
    c->max_len = (uint16_t) a->max_len;
    c->controller_id = (uint16_t) a->id;
    c->reason = (uint8_t) a->reason;
    c->pause = a->pause;
    c->meter_id = (uint32_t) a->meter_id;
    c->userdata_len = (uint16_t) a->userdata_len;
    if (a->userdata_len) {
        memcpy(c->userdata, a->userdata, a->userdata_len);
    }
}

bool
of_act_parse_controller(struct of_act_parser *p, char *arg)
{
    struct controller_args c = {
        .max_len = UINT16_MAX, .reason = OFPR_ACTION, .meter_id = OF_CONTROLLER_NO_METER};
    char *token;
    bool ok = true;

    if (*arg >= '0' && *arg <= '9') {
        ok = of_act_parse_num(p, arg, UINT16_MAX, &c.max_len);
    } else {
        while (ok && (token = of_act_token(&arg, ", "))) {
            ok = parse_controller_arg(p, token, &c);
        }
    }
    if (ok) {
        put_controller(p, &c);
    }
    free(c.userdata);
    return ok;
}

/* -- bundle and multipath. -- */

static bool
parse_hash_fields(struct of_act_parser *p, const char *text, uint16_t *fields)
{
    for (unsigned i = 0; text && i < OFHASH_N; i++) {
        if (!strcasecmp(text, of_hash_fields_name(i))) {
            *fields = (uint16_t) i;
            return true;
        }
    }
    error_set(p->errp, "%s: unknown fields to hash", text ? text : "");
    return false;
}

static bool
parse_word(struct of_act_parser *p, const char *text, const char *const *words, unsigned n,
           uint16_t *out)
{
    for (unsigned i = 0; text && i < n; i++) {
        if (!strcasecmp(text, words[i])) {
            *out = (uint16_t) i;
            return true;
        }
    }
    error_set(p->errp, "%s: unknown algorithm", text ? text : "");
    return false;
}

/* What both begin with: "FIELDS,BASIS,ALGORITHM". */
static bool
parse_hash(struct of_act_parser *p, char **arg, const char *const *words, unsigned n,
           uint16_t *fields, uint16_t *basis, uint16_t *algorithm)
{
    const char *text = of_act_token(arg, ", ");
    uint64_t x;

    if (!parse_hash_fields(p, text, fields)) {
        return false;
    }
    text = of_act_token(arg, ", ");
    if (!of_act_parse_num(p, text ? text : "", UINT16_MAX, &x)) {
        return false;
    }
    *basis = (uint16_t) x;
    return parse_word(p, of_act_token(arg, ", "), words, n, algorithm);
}

#define MAX_MEMBERS 2048 /* as the stock tools have it */

static bool
parse_members(struct of_act_parser *p, char *arg, uint16_t *members, uint16_t *n)
{
    char *token;

    if (strncasecmp(arg, "members:", 8) && strncasecmp(arg, "slaves:", 7)) {
        error_set(p->errp, "%s: needs members:PORT,…", arg);
        return false;
    }
    arg = strchr(arg, ':') + 1;
    for (*n = 0; (token = of_act_token(&arg, ", ")); ++*n) {
        if (*n == MAX_MEMBERS) {
            error_set(p->errp, "bundle: more than %d members", MAX_MEMBERS);
            return false;
        }
        if (!of_act_parse_port(p, token, &members[*n])) {
            return false;
        }
    }
    return true;
}

bool
of_act_parse_bundle(struct of_act_parser *p, char *arg, bool load)
{
    struct of_act_bundle head = {.n_members = 0}, *b;
    uint16_t members[MAX_MEMBERS];
    const char *text;

    if (!parse_hash(p, &arg, of_bundle_algorithms, ARRAY_SIZE(of_bundle_algorithms),
                    &head.fields, &head.basis, &head.algorithm)) {
        return false;
    }
    text = of_act_token(&arg, ", ");
    if (!text || strcasecmp(text, "ofport")) {
        error_set(p->errp, "%s: members can only be of type ofport", text ? text : "");
        return false;
    }
    if (load) {
        text = of_act_token(&arg, ", ");
        if (!of_act_parse_subfield(p, text ? text : "", &head.dst)) {
            return false;
        }
        if (head.dst.n_bits < 16) {
            error_set(p->errp, "%s: a port needs 16 bits", text);
            return false;
        }
    }
    arg += strspn(arg, ", ");
    if (!parse_members(p, arg, members, &head.n_members)) {
        return false;
    }
    b = of_actions_put(p->out, OFA_BUNDLE, sizeof *b + head.n_members * sizeof members[0]);
    head.act = b->act;
    *b = head;
    memcpy(b->members, members, head.n_members * sizeof members[0]);
    return true;
}

/* "FIELDS,BASIS,ALGORITHM,LINKS,ARG,DST". */
bool
of_act_parse_multipath(struct of_act_parser *p, char *arg)
{
    struct of_act_multipath head = {.arg = 0}, *m;
    const char *text;
    uint64_t links, x;

    if (!parse_hash(p, &arg, of_multipath_algorithms, OF_MP_ALGORITHMS, &head.fields,
                    &head.basis, &head.algorithm)) {
        return false;
    }
    text = of_act_token(&arg, ", ");
    if (!of_act_parse_num(p, text ? text : "", 65536, &links)) {
        return false;
    }
    text = of_act_token(&arg, ", ");
    if (!of_act_parse_num(p, text ? text : "", UINT32_MAX, &x)) {
        return false;
    }
    text = of_act_token(&arg, ", ");
    if (!of_act_parse_subfield(p, text ? text : "", &head.dst)) {
        return false;
    }
    if (!links || (head.dst.n_bits < 16 && links > 1u << head.dst.n_bits)) {
        error_set(p->errp, "multipath: needs 1 to 65536 links, and a place for their numbers");
        return false;
    }
    head.max_link = (uint16_t) (links - 1);
    head.arg = (uint32_t) x;
    m = of_actions_put(p->out, OFA_MULTIPATH, sizeof *m);
    head.act = m->act;
    *m = head;
    return true;
}
