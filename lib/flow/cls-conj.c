/* SPDX-License-Identifier: Apache-2.0 */
/* Conjunctive match: of the rules with conjunctions that match a packet, is there one of each
 * clause?  Part of the lookup, on threads that translate. */

#include "flow/classifier-private.h"

#include <stdlib.h>

#include "util/xalloc.h"

void
cls_soft_init(struct cls_soft *s)
{
    s->n = 0;
    s->cap = ARRAY_SIZE(s->fixed);
    s->rules = s->fixed;
}

void
cls_soft_free(struct cls_soft *s)
{
    if (s->rules != s->fixed) {
        free(s->rules);
    }
}

void
cls_soft_add(struct cls_soft *s, const struct cls_rule *r)
{
    if (s->n == s->cap) {
        const struct cls_rule **more = xcalloc(s->cap * 2, sizeof *more);

        memcpy(more, s->rules, s->n * sizeof *more);
        cls_soft_free(s);
        s->rules = more;
        s->cap *= 2;
    }
    s->rules[s->n++] = r;
}

/* By id, then number of clauses, then clause. */
static int
compare_conj(const void *a_, const void *b_)
{
    const struct cls_conj *a = *(const struct cls_conj *const *) a_;
    const struct cls_conj *b = *(const struct cls_conj *const *) b_;

    if (a->id != b->id) {
        return a->id < b->id ? -1 : 1;
    }
    if (a->n_clauses != b->n_clauses) {
        return a->n_clauses < b->n_clauses ? -1 : 1;
    }
    return (a->clause > b->clause) - (a->clause < b->clause);
}

/* The lowest id of which all clauses are among the `n` sorted ones. */
static bool
find_complete(const struct cls_conj *const *list, size_t n, uint32_t *id)
{
    unsigned have = 0;

    for (size_t i = 0; i < n; i++) {
        const struct cls_conj *c = list[i];
        bool same = i && list[i - 1]->id == c->id && list[i - 1]->n_clauses == c->n_clauses;

        if (!same) {
            have = 0;
        }
        have += !same || list[i - 1]->clause != c->clause;
        if (have >= c->n_clauses) {
            *id = c->id;
            return true;
        }
    }
    return false;
}

static bool
complete_at(const struct cls_soft *s, int priority, uint32_t *id)
{
    const struct cls_conj *fixed[64], **list = fixed;
    size_t n = 0, total = 0;
    bool found;

    for (unsigned i = 0; i < s->n; i++) {
        total += s->rules[i]->priority == priority ? s->rules[i]->conj->n : 0;
    }
    if (total > ARRAY_SIZE(fixed)) {
        list = xcalloc(total, sizeof *list);
    }
    for (unsigned i = 0; i < s->n; i++) {
        const struct cls_rule *r = s->rules[i];

        for (unsigned j = 0; r->priority == priority && j < r->conj->n; j++) {
            list[n++] = &r->conj->c[j];
        }
    }
    qsort(list, n, sizeof *list, compare_conj);
    found = find_complete(list, n, id);
    if (list != fixed) {
        free(list);
    }
    return found;
}

bool
cls_soft_next(const struct cls_soft *s, int floor, int *below, uint32_t *id)
{
    /* As many rounds as there are priorities among the rules. */
    for (;;) {
        int priority = -1;

        for (unsigned i = 0; i < s->n; i++) {
            int p = s->rules[i]->priority;

            if (p > floor && p < *below && p > priority) {
                priority = p;
            }
        }
        if (priority < 0) {
            return false;
        }
        *below = priority;
        if (complete_at(s, priority, id)) {
            return true;
        }
    }
}
