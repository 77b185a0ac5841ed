/* SPDX-License-Identifier: Apache-2.0 */
/* Tells the options of ofproto/trace from its other words (see the header), and checks those
 * that stock Open vSwitch checks, though nothing here comes of them.  Called by
 * commands-trace.c, on main; it knows nothing of flows. */

#include "ofproto/trace-args.h"

#include <stdlib.h>
#include <string.h>

#include "util/compiler.h"
#include "util/num.h"
#include "util/strbuf.h"
#include "util/xalloc.h"

#define PACKET_MAX 2048
#define L7_MAX 64000

enum { CT_NEW = 1, CT_EST = 2, CT_REL = 4, CT_RPL = 8, CT_INV = 16, CT_TRK = 32 };

/* What ovs-fields(7) says of ct_state: which of its bits exclude each other. */
static void
check_ct_combination(unsigned state, const char *text, char **errp)
{
    static const struct {
        unsigned with, any;
        const char *why;
    } rules[] = {
        {CT_INV | CT_TRK, ~(unsigned) (CT_INV | CT_TRK),
         "when \"inv\" is set, only \"trk\" may also be set"},
        {CT_NEW | CT_TRK, CT_EST, "\"new\" and \"est\" are mutually exclusive"},
        {CT_NEW | CT_TRK, CT_RPL, "\"new\" and \"rpy\" are mutually exclusive"},
    };

    if (state && !(state & CT_TRK)) {
        error_set(errp,
                  "%s: invalid connection state: "
                  "If \"trk\" is unset, no other flags are set",
                  text);
        return;
    }
    for (size_t i = 0; i < ARRAY_SIZE(rules) && !*errp; i++) {
        if ((state & rules[i].with) == rules[i].with && state & rules[i].any) {
            error_set(errp, "%s: invalid connection state: %s", text, rules[i].why);
        }
    }
}

/* --ct-next: its flags are checked, though there is no connection tracking to apply them to. */
static void
check_ct_state(const char *flags, char **errp)
{
    static const char *const names[] = {
        "new", "est", "rel", "rpl", "inv", "trk", "snat", "dnat",
    };
    char *copy = xstrdup(flags), *save = NULL;
    struct strbuf text = STRBUF_INIT;
    unsigned state = 0;

    for (char *word = strtok_r(copy, ", ", &save); word && !*errp;
         word = strtok_r(NULL, ", ", &save)) {
        unsigned bit = 0;

        while (bit < ARRAY_SIZE(names) && strcmp(word, names[bit])) {
            bit++;
        }
        if (bit == ARRAY_SIZE(names)) {
            error_set(errp, "%s: unknown connection tracking state flag", word);
        }
        state |= 1u << bit;
    }
    for (unsigned bit = 0; bit < ARRAY_SIZE(names); bit++) {
        if (state & 1u << bit) {
            strbuf_putf(&text, "%s%s", text.len ? "|" : "", names[bit]);
        }
    }
    if (!*errp) {
        check_ct_combination(state, strbuf_cstr(&text), errp);
    }
    strbuf_free(&text);
    free(copy);
}

/* What a packet made up for the flow carries (--l7, --l7-len): none is made up here. */
static void
check_l7(const char *option, const char *arg, char **errp)
{
    uint8_t bytes[PACKET_MAX];
    uint64_t n;

    if (!strcmp(option, "--l7")) {
        if (num_parse_hex(arg, bytes, sizeof bytes) < 0) {
            error_set(errp, "Trailing garbage in packet data");
        }
    } else if (num_parse_u64(arg, 0, UINT64_MAX, &n) && n > L7_MAX) {
        error_set(errp, "%s: too much L7 data", arg);
    }
}

void
trace_args_split(int argc, const char *const argv[], bool packet_out, struct trace_args *a)
{
    memset(a, 0, sizeof *a);
    if (packet_out) {
        a->actions = argv[--argc];
    }
    for (int i = 1; i < argc; i++) {
        const char *w = argv[i];

        if (!strcmp(w, "-generate") || !strcmp(w, "--generate")) {
            a->generate = true;
        } else if (!strcmp(w, "--names")) {
            a->names = true;
        } else if (!strcmp(w, "--no-names") || (packet_out && !strcmp(w, "-consistent"))) {
            continue;
        } else if (!strcmp(w, "--ct-next") || !strcmp(w, "--l7") || !strcmp(w, "--l7-len")) {
            if (++i >= argc) {
                error_set(&a->error, "Missing argument for option %s", w);
            } else if (!strcmp(w, "--ct-next")) {
                check_ct_state(argv[i], &a->error);
            } else {
                check_l7(w, argv[i], &a->error);
            }
        } else if (w[0] == '-') {
            error_set(&a->error, "%s: unknown option", w);
        } else if (a->n == ARRAY_SIZE(a->word)) {
            error_set(&a->error, "too many arguments");
        } else {
            a->word[a->n++] = w;
        }
        if (a->error) {
            return;
        }
    }
    if (!a->n) {
        error_set(&a->error, "Syntax error");
    }
}
