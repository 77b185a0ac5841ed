/* SPDX-License-Identifier: Apache-2.0 */
/* Tables that are full: which rule makes room for another, and the events that tell controllers
 * how full a table is.  Main thread.
 *
 * Only rules with a time-out make room: of those in the largest group (of rules with equal
 * values in the fields that the Flow_Table record names), the least important, and among them
 * the one that expires first.  Finding it takes time linear in the table's rules, which its
 * limit bounds; tables without a limit never evict before OFTABLE_MAX_ENTRIES. */

#include <stdlib.h>

#include "ofproto/tables-private.h"
#include "util/hash.h"
#include "util/xalloc.h"

#define VACANCY_DOWN 3 /* OFPTR_VACANCY_DOWN, _UP */
#define VACANCY_UP 4

struct evict_group {
    uint64_t key; /* hash of the fields' values */
    unsigned n;
    struct rule *first; /* to go */
    UT_hash_handle hh;
};

struct search {
    const struct oftable_config *config;
    struct evict_group *groups;
};

static uint64_t
group_key(const struct oftable_config *c, const struct rule *r)
{
    struct flow match, mask;
    uint64_t h = 0;

    if (!c->n_groups) {
        return 0;
    }
    cls_rule_get_match(&r->cls, &match, &mask);
    for (unsigned i = 0; i < c->n_groups; i++) {
        struct of_value v;

        of_subfield_read(&c->groups[i], &match, &v);
        h = hash_bytes64(&v, sizeof v, h + i);
    }
    return h;
}

static bool
goes_before(const struct rule *a, const struct rule *b)
{
    return a->importance != b->importance ? a->importance < b->importance
                                          : rule_expires_ms(a, NULL) < rule_expires_ms(b, NULL);
}

static bool
consider(struct cls_rule *cr, void *search_)
{
    struct rule *r = CONTAINER_OF(cr, struct rule, cls);
    struct search *s = search_;
    struct evict_group *g;
    uint64_t key;

    if (cls_rule_is_leaving(cr) || r->hidden || rule_expires_ms(r, NULL) == INT64_MAX) {
        return true;
    }
    key = group_key(s->config, r);
    HASH_FIND(hh, s->groups, &key, sizeof key, g);
    if (!g) {
        g = xzalloc(sizeof *g);
        g->key = key;
        HASH_ADD(hh, s->groups, key, sizeof g->key, g);
    }
    g->n++;
    if (!g->first || goes_before(r, g->first)) {
        g->first = r;
    }
    return true;
}

struct rule *
oftable_victim(struct oftables *t, uint8_t table_id)
{
    struct search s = {.config = &t->t[table_id].config};
    struct classifier *cls = oftable_cls(t, table_id);
    struct evict_group *g, *tmp;
    struct rule *victim = NULL;
    unsigned most = 0;

    if (cls) {
        classifier_for_each(cls, NULL, NULL, consider, &s);
    }
    HASH_ITER(hh, s.groups, g, tmp)
    {
        if (g->n > most) {
            most = g->n;
            victim = g->first;
        }
        HASH_DEL(s.groups, g);
        free(g);
    }
    return victim;
}

void
oftable_check_vacancy(struct oftables *t, uint8_t table_id)
{
    struct oftable *table = &t->t[table_id];
    const struct oftable_config *c = &table->config;
    uint32_t limit = MIN(c->flow_limit, OFTABLE_MAX_ENTRIES), n = MIN(table->n_rules, limit);
    unsigned vacant;

    if (!c->vacancy || !limit) {
        return;
    }
    vacant = (unsigned) ((uint64_t) (limit - n) * 100 / limit);
    if (!table->vacancy_is_low && vacant < c->vacancy_down) {
        table->vacancy_is_low = true;
    } else if (table->vacancy_is_low && vacant > c->vacancy_up) {
        table->vacancy_is_low = false;
    } else {
        return;
    }
    if (t->ops.table_status) {
        t->ops.table_status(table_id, table->vacancy_is_low ? VACANCY_DOWN : VACANCY_UP,
                            t->ops.aux);
    }
}
