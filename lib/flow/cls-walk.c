/* SPDX-License-Identifier: Apache-2.0 */
/* A walk over the rules that a version has, a slice at a time, while the writer goes on with
 * later versions.  Called by the writer.
 *
 * It stands on rules of its version alone.  Those stay in the classifier as long as the caller
 * lets them; rules of later versions come behind them in each tuple, and are never stood on. */

#include <stdlib.h>

#include "flow/classifier-private.h"
#include "util/xalloc.h"

void
cls_walk_begin(struct cls_walk *w, struct classifier *cls, uint64_t version,
               const struct flow *match, const struct flow *mask)
{
    *w = (struct cls_walk){.version = version, .match = match, .mask = mask};
    classifier_publish(cls); /* the order of falling priorities */
    w->tuples = xcalloc(cls->n_own + 1, sizeof *w->tuples);
    for (unsigned i = 0; i < cls->n_own; i++) {
        struct cls_tuple *t = cls->own[i];

        /* The first rule is the oldest: if that is too young, all are. */
        if (!cds_list_empty(&t->rules) &&
            cds_list_first_entry(&t->rules, struct cls_rule, node)->added <= version &&
            (!mask || cls_mask_covers(t->mask, mask))) {
            w->tuples[w->n++] = t;
        }
    }
}

struct cls_rule *
cls_walk_next(struct cls_walk *w, struct slice *slice)
{
    while (w->i < w->n) {
        const struct cls_tuple *t = w->tuples[w->i];
        struct cds_list_head *next = w->at ? w->at->node.next : t->rules.next;
        struct cls_rule *r = CONTAINER_OF(next, struct cls_rule, node);

        if (next == &t->rules || r->added > w->version) {
            w->at = NULL;
            w->i++;
        } else {
            w->at = r;
            if (cls_rule_visible(r, w->version) &&
                (!w->mask || cls_rule_is_within(r, w->match, w->mask))) {
                return r;
            }
        }
        if (slice_spent(slice)) {
            return NULL;
        }
    }
    w->done = true;
    return NULL;
}

void
cls_walk_end(struct cls_walk *w)
{
    free(w->tuples);
    *w = (struct cls_walk){.done = true};
}
