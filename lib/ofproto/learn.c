/* SPDX-License-Identifier: Apache-2.0 */
/* Changes to tables that packets cause: learn() and fin_timeout().  Translation and the
 * revalidator ask for them on their threads; what is not there already goes to main through a
 * bounded queue. */

#include <stdlib.h>

#include "log/coverage.h"
#include "ofproto/tables-private.h"
#include "os/clock.h"
#include "util/xalloc.h"

COVERAGE_DEFINE(oftables_queue_full);
COVERAGE_DEFINE(oftables_learned);
COVERAGE_DEFINE(oftables_learn_refused);

#define QUEUE_MAX 16384u

struct queued {
    struct queued *next;
    struct rule *rule; /* fin_timeout: a reference; NULL: learn */
    uint16_t idle, hard;
    uint32_t limit;
    struct of_flow_mod fm;
};

static bool
queue_put(struct oftables *t, struct queued *q)
{
    bool ok, first = false;

    mutex_lock(&t->queue_mutex);
    ok = t->n_queued < QUEUE_MAX;
    if (ok) {
        first = !t->n_queued++;
        *t->queue_tail = q;
        t->queue_tail = &q->next;
    }
    mutex_unlock(&t->queue_mutex);
    if (!ok) {
        COVERAGE_INC(oftables_queue_full);
    } else if (first && t->ops.wake) {
        t->ops.wake(t->ops.aux);
    }
    return ok;
}

static void
queued_free(struct queued *q)
{
    rule_unref(q->rule);
    of_actions_free(&q->fm.actions);
    free(q);
}

/* Does the mod put a rule in where there is none?  A learn action's is OFPFC_MODIFY_STRICT. */
static bool
mod_adds(const struct of_flow_mod *fm)
{
    return fm->command == OFPFC_ADD || fm->command == OFPFC_MODIFY_STRICT;
}

/* Would the mod change the rule?  A modification leaves time-outs alone. */
static bool
mod_changes(const struct of_flow_mod *fm, const struct rule *r)
{
    bool add = fm->command == OFPFC_ADD;

    return ((add || fm->modify_cookie) && r->cookie != fm->new_cookie) ||
           (add &&
            (atomic_load_explicit(&r->idle_timeout, memory_order_relaxed) != fm->idle_timeout ||
             atomic_load_explicit(&r->hard_timeout, memory_order_relaxed) !=
                 fm->hard_timeout)) ||
           !of_actions_equal(rule_acts(r), r->acts_len, fm->actions.a, fm->actions.len);
}

/* The rule as it is, if the mod changes nothing of it but its time. */
static struct rule *
find_same(const struct oftables *t, const struct of_flow_mod *fm)
{
    const struct classifier *cls =
        fm->table_id < OFTABLES_MAX
            ? atomic_load_explicit(&t->t[fm->table_id].cls, memory_order_acquire)
            : NULL;
    const struct cls_rule *cr;
    struct cls_rule key;
    struct rule *r;

    if (!cls) {
        return NULL;
    }
    cls_rule_init(&key, &fm->match.flow, &fm->match.mask, fm->priority, NULL);
    cr = classifier_find_version(cls, oftables_version(t), &key);
    cls_rule_destroy(&key);
    r = cr ? CONTAINER_OF(cr, struct rule, cls) : NULL;
    return r && !mod_changes(fm, r) ? r : NULL;
}

enum oflearn_result
oftables_learn(struct oftables *t, const struct of_flow_mod *fm, uint32_t limit)
{
    struct rule *r = mod_adds(fm) ? find_same(t, fm) : NULL;
    struct queued *q;

    if (r) {
        int64_t now = clock_now_ms();

        atomic_store_explicit(&r->stats->used_ms, now, memory_order_relaxed);
        atomic_store_explicit(&r->modified_ms, now, memory_order_relaxed);
        return OFLEARN_REFRESHED;
    }
    q = xzalloc(sizeof *q);
    q->limit = limit;
    q->fm = *fm;
    memset(&q->fm.actions, 0, sizeof q->fm.actions);
    of_actions_clone(&q->fm.actions, fm->actions.a, fm->actions.len);
    if (!queue_put(t, q)) {
        queued_free(q);
        return OFLEARN_DROPPED;
    }
    return OFLEARN_QUEUED;
}

/* Time-outs only become shorter. */
static bool
lower(_Atomic uint16_t *timeout, uint16_t to, bool apply)
{
    uint16_t now = atomic_load_explicit(timeout, memory_order_relaxed);
    bool lowers = to && (!now || now > to);

    if (lowers && apply) {
        atomic_store_explicit(timeout, to, memory_order_relaxed);
    }
    return lowers;
}

void
oftables_fin_timeout(struct oftables *t, struct rule *r, uint16_t idle, uint16_t hard)
{
    struct queued *q;

    /* Either may be the one. */
    if (!lower(&r->idle_timeout, idle, false) && !lower(&r->hard_timeout, hard, false)) {
        return;
    }
    q = xzalloc(sizeof *q);
    q->rule = rule_ref(r);
    q->idle = idle;
    q->hard = hard;
    if (!queue_put(t, q)) {
        queued_free(q);
    }
}

/* Are there as many rules with the cookie as may be? */
static bool
limit_reached(struct oftables *t, const struct queued *q)
{
    struct flow_select sel;
    struct rule_list list;

    if (!q->limit) {
        return false;
    }
    flow_select_init(&sel);
    sel.table_id = q->fm.table_id;
    sel.cookie = q->fm.new_cookie;
    sel.cookie_mask = UINT64_MAX;
    list = oftables_collect(t, &sel, -1, true);
    free(list.rules);
    return list.n >= q->limit;
}

static void
run_one(struct oftables *t, struct queued *q)
{
    static const struct of_requester learner = {.owner = NULL, .version = 1};

    if (q->rule) {
        struct rule *r = q->rule;
        bool changed = lower(&r->idle_timeout, q->idle, true);

        changed |= lower(&r->hard_timeout, q->hard, true);
        if (changed && !cls_rule_is_leaving(&r->cls)) {
            rule_index_expiry(t, r);
        }
    } else if (mod_adds(&q->fm) && find_same(t, &q->fm)) {
        /* Somebody was faster. */
    } else if (mod_adds(&q->fm) && limit_reached(t, q) &&
               !oftables_find(t, q->fm.table_id, &q->fm.match, q->fm.priority)) {
        COVERAGE_INC(oftables_learn_refused);
    } else if (oftables_flow_mod(t, &q->fm, &learner)) {
        COVERAGE_INC(oftables_learn_refused);
    } else {
        COVERAGE_INC(oftables_learned);
    }
}

static struct queued *
queue_take(struct oftables *t)
{
    struct queued *q;

    mutex_lock(&t->queue_mutex);
    q = t->queue_head;
    t->queue_head = NULL;
    t->queue_tail = &t->queue_head;
    t->n_queued = 0;
    mutex_unlock(&t->queue_mutex);
    return q;
}

void
oftables_run_queue(struct oftables *t)
{
    struct queued *q, *next;

    if (t->txn) {
        return; /* within somebody's transaction: later */
    }
    for (q = queue_take(t); q; q = next) {
        next = q->next;
        run_one(t, q);
        queued_free(q);
    }
}

void
oftables_queue_destroy(struct oftables *t)
{
    struct queued *q, *next;

    for (q = queue_take(t); q; q = next) {
        next = q->next;
        queued_free(q);
    }
}
