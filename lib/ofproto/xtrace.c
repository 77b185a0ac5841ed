/* SPDX-License-Identifier: Apache-2.0 */
/* Lays out what translation says of itself (see the header).  Called by translation on main,
 * under ofproto/trace only. */

#include "ofproto/xtrace.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include "util/xalloc.h"

#define STEP 4

/* What is said is a tree: bridges hold tables, tables actions, actions remarks and what they
 * led to.  It is printed when all is said, because how far a table is indented depends on
 * whether something follows the action that led to it. */
enum node_type { NODE_BRIDGE, NODE_TABLE, NODE_BUCKET, NODE_ACTION, NODE_REMARK };
struct xtrace_node {
    enum node_type type;
    struct strbuf text;
    struct xtrace_node *next, *first, *last;
};

static struct xtrace_node *
add(struct xtrace_node *parent, enum node_type type)
{
    struct xtrace_node *n = xzalloc(sizeof *n);

    n->type = type;
    n->text = (struct strbuf) STRBUF_INIT;
    if (parent->last) {
        parent->last->next = n;
    } else {
        parent->first = n;
    }
    parent->last = n;
    return n;
}

static struct xtrace_node *
at(struct xtrace *t)
{
    if (!t->root) {
        t->root = t->at = xzalloc(sizeof *t->root);
    }
    return t->at;
}

/* The action at work, or else what it would stand in. */
static struct xtrace_node *
at_action(struct xtrace *t)
{
    struct xtrace_node *n = at(t);

    return n->last && n->last->type == NODE_ACTION ? n->last : n;
}

static struct xtrace_node *
enter(struct xtrace *t, struct xtrace_node *parent, enum node_type type)
{
    t->at = add(parent, type);
    return t->at;
}

void
xtrace_bridge(struct xtrace *t, const char *name)
{
    t->bridge = name;
    strbuf_putf(&enter(t, at_action(t), NODE_BRIDGE)->text, "bridge(\"%s\")", name);
}

struct xtrace_node *
xtrace_table(struct xtrace *t, uint8_t table_id, const struct rule *rule, enum xtrace_miss miss)
{
    static const char *const heads[] = {
        [XTRACE_MISS_GOES_ON] = "No match.",
        [XTRACE_MISS_DROP] = "No match.",
        [XTRACE_MISS_CONTROLLER] = "No match, and a \"packet-in\" is called for.",
        [XTRACE_MISS_DROP_PATCHED] = "reg0=0x2, priority 0",
        [XTRACE_MISS_CONTROLLER_PATCHED] = "reg0=0x1, priority 0",
        [XTRACE_MISS_FRAGMENT] =
            "Packets are IP fragments and the fragment handling mode is \"drop\".",
    };
    struct xtrace_node *was = at(t);
    struct strbuf *s = &enter(t, at_action(t), NODE_TABLE)->text;
    struct of_match match;
    size_t start;

    strbuf_putf(s, "%2u. ", table_id);
    if (!rule) {
        strbuf_puts(s, heads[miss]);
        xtrace_text(t, miss == XTRACE_MISS_CONTROLLER || miss == XTRACE_MISS_CONTROLLER_PATCHED
                           ? "controller(reason=)"
                           : "drop");
        return was;
    }
    cls_rule_get_match(&rule->cls, &match.flow, &match.mask);
    start = s->len;
    of_match_format(&match, -1, t->names, s);
    strbuf_putf(s, "%spriority %d", s->len > start ? ", " : "", rule->cls.priority);
    if (rule->cookie) {
        strbuf_putf(s, ", cookie %#" PRIx64, rule->cookie);
    }
    if (!rule->acts_len) {
        xtrace_text(t, "drop");
    }
    return was;
}

void
xtrace_end(struct xtrace *t, struct xtrace_node *was)
{
    t->at = was;
}

void
xtrace_action_set(struct xtrace *t)
{
    struct xtrace_node *n = at(t);

    n = n->last && n->last->type == NODE_TABLE ? n->last : n;
    strbuf_puts(&enter(t, n, NODE_TABLE)->text, "--. Executing action set:");
}

void
xtrace_text(struct xtrace *t, const char *text)
{
    strbuf_puts(&add(at(t), NODE_ACTION)->text, text);
}

struct xtrace_node *
xtrace_bucket(struct xtrace *t, uint32_t bucket_id)
{
    struct xtrace_node *was = at(t);

    strbuf_putf(&enter(t, at_action(t), NODE_BUCKET)->text, "bucket %" PRIu32, bucket_id);
    return was;
}

void
xtrace_act(struct xtrace *t, const struct of_act *a)
{
    of_actions_format(a, a->len, t->names, &add(at(t), NODE_ACTION)->text);
}

void
xtrace_say(struct xtrace *t, const char *format, ...)
{
    struct strbuf *s = &add(at_action(t), NODE_REMARK)->text;
    va_list args;

    strbuf_puts(s, format[0] == '>' ? " " : " -> ");
    va_start(args, format);
    strbuf_vputf(s, format, args);
    va_end(args);
}

static void
put_line(struct strbuf *s, unsigned level, const struct strbuf *text)
{
    strbuf_putf(s, "%*s%s\n", (int) (level * STEP), "", strbuf_cstr(text));
}

static void
put_dashes(struct strbuf *s, unsigned level, size_t n)
{
    strbuf_putf(s, "%*s", (int) (level * STEP), "");
    while (n--) {
        strbuf_putc(s, '-');
    }
    strbuf_putc(s, '\n');
}

/* Prints nodes in a row and what is below them, and frees them.  `level`: of actions; `more`:
 * the row belongs to an action that another follows.  Depth is limited by translation's. */
static void
print(struct strbuf *s, struct xtrace_node *n, unsigned level, bool more)
{
    unsigned head = more ? level : level - 1, inner = more ? level + 2 : level;

    for (struct xtrace_node *next; n; n = next) {
        next = n->next;
        switch (n->type) {
        case NODE_BRIDGE:
            strbuf_putc(s, '\n');
            put_line(s, head, &n->text);
            put_dashes(s, head, n->text.len);
            print(s, n->first, inner, false);
            break;
        case NODE_TABLE:
            put_line(s, head, &n->text);
            print(s, n->first, inner, false);
            break;
        case NODE_BUCKET:
            put_line(s, level, &n->text);
            print(s, n->first, level + 2, false);
            break;
        case NODE_ACTION:
        case NODE_REMARK:
            put_line(s, level, &n->text);
            print(s, n->first, level, next != NULL);
            break;
        }
        strbuf_free(&n->text);
        free(n);
    }
}

void
xtrace_finish(struct xtrace *t)
{
    if (t->root) {
        print(t->s, t->root->first, 1, false);
        free(t->root);
        t->root = t->at = NULL;
    }
}
