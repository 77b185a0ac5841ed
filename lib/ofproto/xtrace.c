/* SPDX-License-Identifier: Apache-2.0 */
/* Lays out what translation says of itself (see the header).  Called by translation on main,
 * under ofproto/trace only. */

#include "ofproto/xtrace.h"

#include <inttypes.h>
#include <stdarg.h>
#include <string.h>

#define STEP 4

void
xtrace_bridge(struct xtrace *t, const char *name)
{
    size_t start;

    strbuf_putc(t->s, '\n');
    start = t->s->len;
    strbuf_putf(t->s, "bridge(\"%s\")", name);
    for (size_t n = t->s->len - start, i = 0; i < n; i++) {
        if (!i) {
            strbuf_putc(t->s, '\n');
        }
        strbuf_putc(t->s, '-');
    }
    strbuf_putc(t->s, '\n');
    t->level = 1;
    t->more = false;
}

unsigned
xtrace_table(struct xtrace *t, uint8_t table_id, const struct rule *rule,
             enum xtrace_miss miss)
{
    unsigned was = t->level;
    struct of_match match;
    size_t start;

    strbuf_putf(t->s, "%*s%2u. ", (int) ((t->more ? t->level : t->level - 1) * STEP), "",
                table_id);
    t->level += t->more ? 2 : 0;
    t->more = false;
    if (!rule) {
        static const char *const heads[] = {
            [XTRACE_MISS_GOES_ON] = "No match.",
            [XTRACE_MISS_DROP] = "reg0=0x2, priority 0",
            [XTRACE_MISS_CONTROLLER] = "No match, and a \"packet-in\" is called for.",
            [XTRACE_MISS_FRAGMENT] =
                "Packets are IP fragments and the fragment handling mode is \"drop\".",
        };

        strbuf_putf(t->s, "%s\n", heads[miss]);
        xtrace_text(t, miss == XTRACE_MISS_CONTROLLER ? "controller(reason=)" : "drop");
        return was;
    }
    cls_rule_get_match(&rule->cls, &match.flow, &match.mask);
    start = t->s->len;
    of_match_format(&match, -1, t->names, t->s);
    strbuf_putf(t->s, "%spriority %d", t->s->len > start ? ", " : "", rule->cls.priority);
    if (rule->cookie) {
        strbuf_putf(t->s, ", cookie %#" PRIx64, rule->cookie);
    }
    strbuf_putc(t->s, '\n');
    if (!rule->acts_len) {
        xtrace_text(t, "drop");
    }
    return was;
}

void
xtrace_table_end(struct xtrace *t, unsigned was)
{
    t->level = was;
}

void
xtrace_action_set(struct xtrace *t)
{
    strbuf_puts(t->s, "--. Executing action set:\n");
    t->level = 1;
    t->more = false;
}

void
xtrace_text(struct xtrace *t, const char *text)
{
    strbuf_putf(t->s, "%*s%s\n", (int) (t->level * STEP), "", text);
}

unsigned
xtrace_bucket(struct xtrace *t, uint32_t bucket_id)
{
    unsigned was = t->level;

    strbuf_putf(t->s, "%*sbucket %" PRIu32 "\n", (int) (t->level * STEP), "", bucket_id);
    t->level += 2;
    return was;
}

void
xtrace_act(struct xtrace *t, const struct of_act *a, bool more)
{
    t->more = more;
    strbuf_putf(t->s, "%*s", (int) (t->level * STEP), "");
    of_actions_format(a, a->len, t->names, t->s);
    strbuf_putc(t->s, '\n');
}

void
xtrace_say(struct xtrace *t, const char *format, ...)
{
    va_list args;

    strbuf_putf(t->s, "%*s %s", (int) (t->level * STEP), "", format[0] == '>' ? "" : "-> ");
    va_start(args, format);
    strbuf_vputf(t->s, format, args);
    va_end(args);
    strbuf_putc(t->s, '\n');
}
