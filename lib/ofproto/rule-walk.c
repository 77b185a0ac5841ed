/* SPDX-License-Identifier: Apache-2.0 */
/* Walks over the rules that a question or a modification is about, as they are in one version
 * of the tables, a slice at a time.  Main thread; transactions may go on between slices. */

#include <stdlib.h>

#include "ofproto/tables-private.h"
#include "util/xalloc.h"

/* So few rules with one cookie are looked at one by one, else the tables are. */
#define FEW_RULES 1024u

static bool
is_meant(const struct rule_walk *w, const struct rule *r)
{
    const struct flow_select *sel = &w->sel;

    return !((r->cookie ^ sel->cookie) & sel->cookie_mask) &&
           !(r->hidden &&
             (r->cls.priority > UINT16_MAX ? !sel->above : sel->table_id != r->table_id)) &&
           (w->any_out || sel->out_port == OFPP_NONE ||
            of_actions_output_to_port(rule_acts(r), r->acts_len, sel->out_port)) &&
           (w->any_out || sel->out_group == OFPG_ANY ||
            of_actions_output_to_group(rule_acts(r), r->acts_len, sel->out_group));
}

void
rule_list_add(struct rule_list *list, struct rule *r)
{
    if (list->n == list->cap) {
        list->cap = list->cap ? list->cap * 2 : 4;
        list->rules = xrealloc(list->rules, list->cap * sizeof *list->rules);
    }
    list->rules[list->n++] = r;
}

static void
find_few(struct rule_walk *w, const struct cookie_set *set)
{
    const struct flow_select *sel = &w->sel;
    struct rule *r;

    cds_list_for_each_entry(r, &set->rules, cookie_node)
    {
        if ((sel->table_id == OFTABLE_ALL || sel->table_id == r->table_id) &&
            cls_rule_visible(&r->cls, w->version) &&
            cls_rule_is_within(&r->cls, &sel->match.flow, &sel->match.mask)) {
            rule_list_add(&w->few, r);
        }
    }
}

void
rule_walk_begin(struct rule_walk *w, struct oftables *t, const struct flow_select *sel,
                int priority, bool any_out, uint64_t version)
{
    bool all = sel->table_id == OFTABLE_ALL;

    *w = (struct rule_walk){
        .tables = t,
        .sel = *sel,
        .priority = priority,
        .any_out = any_out,
        .version = version,
        .table = all ? 0 : sel->table_id,
        .end = all ? OFTABLES_MAX : sel->table_id + 1u,
    };
    t->n_walks++;
    if (priority < 0 && sel->cookie_mask == UINT64_MAX && sel->cookie) {
        const struct cookie_set *set = cookie_find(t, sel->cookie);

        if (!set || set->n <= FEW_RULES) {
            w->end = 0;
            if (set) {
                find_few(w, set);
            }
        }
    }
}

static void
enter_table(struct rule_walk *w, struct classifier *cls)
{
    const struct of_match *m = &w->sel.match;
    bool any = of_match_is_any(m);

    cls_walk_begin(&w->cls, cls, w->version, any ? NULL : &m->flow, any ? NULL : &m->mask);
    w->in_table = true;
}

/* The next rule of the tables, whatever its cookie and actions. */
static struct rule *
next_in_tables(struct rule_walk *w, struct slice *slice)
{
    const struct of_match *m = &w->sel.match;
    struct cls_rule *cr;

    while (w->table < w->end) {
        struct classifier *cls = oftable_cls(w->tables, (uint8_t) w->table);

        if (cls && w->priority < 0) {
            if (!w->in_table) {
                enter_table(w, cls);
            }
            cr = cls_walk_next(&w->cls, slice);
            if (!cr && !w->cls.done) {
                return NULL;
            }
        } else {
            cr = cls ? classifier_find_exact(cls, &m->flow, &m->mask, w->priority) : NULL;
        }
        if (w->in_table && w->cls.done) {
            cls_walk_end(&w->cls);
            w->in_table = false;
        }
        w->table += !w->in_table;
        if (cr) {
            return CONTAINER_OF(cr, struct rule, cls);
        }
    }
    return NULL;
}

struct rule *
rule_walk_next(struct rule_walk *w, struct slice *slice)
{
    struct rule *r;

    do {
        r = w->next_few < w->few.n ? w->few.rules[w->next_few++] : next_in_tables(w, slice);
        if (!r) {
            w->done = w->table >= w->end;
            return NULL;
        }
        if (is_meant(w, r)) {
            return r;
        }
    } while (!slice_spent(slice));
    return NULL;
}

void
rule_walk_end(struct rule_walk *w)
{
    struct oftables *t = w->tables;

    if (!t) {
        return;
    }
    if (w->in_table) {
        cls_walk_end(&w->cls);
    }
    free(w->few.rules);
    *w = (struct rule_walk){.done = true};
    if (!--t->n_walks && t->retired) {
        oftables_run_soon(t);
    }
}
