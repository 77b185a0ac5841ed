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
    struct learn_wait wait; /* for fm, if there is a limit */
};

static enum oflearn_result
queue_put(struct oftables *t, struct queued *q)
{
    enum oflearn_result result = OFLEARN_DROPPED;
    bool first = false;

    mutex_lock(&t->queue_mutex);
    if (q->limit && learn_limit_reached__(t, &q->fm, q->limit)) {
        result = OFLEARN_LIMIT;
    } else if (t->n_queued < QUEUE_MAX) {
        result = OFLEARN_QUEUED;
        first = !t->n_queued++;
        *t->queue_tail = q;
        t->queue_tail = &q->next;
        if (q->limit) {
            learn_limit_wait__(t, &q->wait);
        }
    }
    mutex_unlock(&t->queue_mutex);
    if (result == OFLEARN_DROPPED) {
        COVERAGE_INC(oftables_queue_full);
    } else if (first && t->ops.wake) {
        t->ops.wake(t->ops.aux);
    }
    return result;
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

/* The rule with the mod's match, if it is there. */
static struct rule *
find_rule(const struct oftables *t, const struct of_flow_mod *fm)
{
    const struct classifier *cls =
        fm->table_id < OFTABLES_MAX
            ? atomic_load_explicit(&t->t[fm->table_id].cls, memory_order_acquire)
            : NULL;
    const struct cls_rule *cr;
    struct cls_rule key;

    if (!cls) {
        return NULL;
    }
    cls_rule_init(&key, &fm->match.flow, &fm->match.mask, fm->priority, NULL);
    cr = classifier_find_version(cls, oftables_version(t), &key);
    cls_rule_destroy(&key);
    return cr ? CONTAINER_OF(cr, struct rule, cls) : NULL;
}

enum oflearn_result
oftables_learn(struct oftables *t, const struct of_flow_mod *fm, uint32_t limit)
{
    struct rule *r = mod_adds(fm) ? find_rule(t, fm) : NULL;
    enum oflearn_result result;
    struct queued *q;

    if (r && !mod_changes(fm, r)) {
        int64_t now = clock_now_ms();

        atomic_store_explicit(&r->stats->used_ms, now, memory_order_relaxed);
        atomic_store_explicit(&r->modified_ms, now, memory_order_relaxed);
        return OFLEARN_REFRESHED;
    }
    q = xzalloc(sizeof *q);
    q->limit = r ? 0 : limit;
    q->fm = *fm;
    q->wait.fm = &q->fm;
    memset(&q->fm.actions, 0, sizeof q->fm.actions);
    of_actions_clone(&q->fm.actions, fm->actions.a, fm->actions.len);
    result = queue_put(t, q);
    if (result != OFLEARN_QUEUED) {
        queued_free(q);
    }
    return result;
}

enum oflearn_result
oftables_would_learn(struct oftables *t, const struct of_flow_mod *fm, uint32_t limit)
{
    struct rule *r = find_rule(t, fm);
    bool reached = false;

    if (r && !mod_changes(fm, r)) {
        return OFLEARN_REFRESHED;
    }
    if (!r && limit) {
        mutex_lock(&t->queue_mutex);
        reached = learn_limit_reached__(t, fm, limit);
        mutex_unlock(&t->queue_mutex);
    }
    return reached ? OFLEARN_LIMIT : OFLEARN_QUEUED;
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
    if (queue_put(t, q) != OFLEARN_QUEUED) {
        queued_free(q);
    }
}

/* Are there as many rules with the cookie as may be? */
static bool
limit_reached(struct oftables *t, const struct queued *q)
{
    return q->limit && learn_limit_rules(t, &q->fm) >= q->limit;
}

static void
make_change(struct oftables *t, const struct of_flow_mod *fm, struct slice *slice)
{
    static const struct of_requester learner = {.owner = NULL, .version = 1};
    struct oftxn *txn = oftxn_begin(t, &learner);

    if (oftxn_flow_mod(txn, fm)) {
        oftxn_rollback(txn);
        COVERAGE_INC(oftables_learn_refused);
    } else {
        oftables_commit_own(t, txn, slice);
        COVERAGE_INC(oftables_learned);
    }
}

static void
run_one(struct oftables *t, struct queued *q, struct slice *slice)
{
    struct rule *there = !q->rule && mod_adds(&q->fm) ? find_rule(t, &q->fm) : NULL;

    if (q->rule) {
        struct rule *r = q->rule;
        bool changed = lower(&r->idle_timeout, q->idle, true);

        changed |= lower(&r->hard_timeout, q->hard, true);
        if (changed && !cls_rule_is_leaving(&r->cls)) {
            rule_index_expiry(t, r);
        }
    } else if (there && !mod_changes(&q->fm, there)) {
        /* Somebody was faster. */
    } else if (mod_adds(&q->fm) && !there && limit_reached(t, q)) {
        COVERAGE_INC(oftables_learn_refused);
    } else {
        make_change(t, &q->fm, slice);
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
oftables_run_queue(struct oftables *t, struct slice *slice)
{
    struct queued *q;

    /* Within somebody's transaction: later. */
    while (!t->txn) {
        if (!t->taken) {
            t->taken = queue_take(t);
        }
        q = t->taken;
        if (!q) {
            break;
        }
        t->taken = q->next;
        run_one(t, q, slice);
        learn_limit_done(t, &q->wait);
        queued_free(q);
        if (slice_spent(slice)) {
            oftables_run_soon(t);
            break;
        }
    }
}

void
oftables_queue_destroy(struct oftables *t)
{
    struct queued *q;

    while ((q = t->taken) || (q = queue_take(t))) {
        t->taken = q->next;
        queued_free(q);
    }
}
