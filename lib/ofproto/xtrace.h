/* SPDX-License-Identifier: Apache-2.0 */
#ifndef XVS_OFPROTO_XTRACE_H
#define XVS_OFPROTO_XTRACE_H 1

/* The text of ofproto/trace while it grows: translation reports bridges, tables, actions and
 * remarks; the layout is the one that users of the command know.  One user at a time, on main.
 */

#include "ofproto/rule.h"
#include "openflow/of-actions.h"
#include "util/compiler.h"
#include "util/strbuf.h"

struct xtrace_node;
struct xtrace {
    struct strbuf *s;
    const struct of_names *names;  /* NULL: numbers */
    const char *bridge;            /* whose ports the names are of */
    struct xtrace_node *root, *at; /* zero to begin with */
};

/* What is said from here on is about this bridge. */
void xtrace_bridge(struct xtrace *, const char *name);
/* What becomes of a packet that no rule matched. */
enum xtrace_miss {
    XTRACE_MISS_GOES_ON, /* after a resubmit: the rest of the list is not touched */
    XTRACE_MISS_DROP,    /* the packet came to the table by itself */
    XTRACE_MISS_CONTROLLER,
    /* The same in a bridge that the packet has come to by a patch port: there the rules show
     * that stock has for that. */
    XTRACE_MISS_DROP_PATCHED,
    XTRACE_MISS_CONTROLLER_PATCHED,
    XTRACE_MISS_FRAGMENT, /* no table is asked */
};
/* What is said until xtrace_end(), which wants what this returns, is about this table; `rule`
 * NULL: nothing matched. */
struct xtrace_node *
xtrace_table(struct xtrace *, uint8_t table_id, const struct rule *, enum xtrace_miss);
/* The same for a bucket's actions. */
struct xtrace_node *xtrace_bucket(struct xtrace *, uint32_t bucket_id);
void xtrace_end(struct xtrace *, struct xtrace_node *);
void xtrace_act(struct xtrace *, const struct of_act *);
/* The pipeline is over: what it wrote to its action set follows. */
void xtrace_action_set(struct xtrace *);
/* A line where an action would stand. */
void xtrace_text(struct xtrace *, const char *);
/* "-> ..." below the action; ">> ..." as it is. */
void xtrace_say(struct xtrace *, const char *format, ...) PRINTF_FORMAT(2, 3);
/* Puts all of it into `s`, and forgets it. */
void xtrace_finish(struct xtrace *);

#endif
