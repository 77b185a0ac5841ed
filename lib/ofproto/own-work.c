/* SPDX-License-Identifier: Apache-2.0 */
/* What tables do by themselves, a slice in each turn of the event loop: all rules go (fail
 * mode), rules go beyond a limit that was lowered, and transactions of time-outs and learning
 * end that took many rules with them.  Called by the files of tables, on the main thread.
 *
 * A job is a transaction like that of a message, but for nobody: who else wants to change the
 * tables waits (oftables_is_busy()), or has it end at once (oftables_settle()).  Jobs that are
 * due while a message's transaction is under way come behind it. */

#include <stdlib.h>

#include "ofproto/tables-private.h"
#include "util/xalloc.h"

struct own_job {
    enum { JOB_COMMIT, JOB_FLUSH, JOB_SETTLE, JOB_REMOVE } kind;
    enum { FLUSH_RULES, FLUSH_GROUPS, FLUSH_BEGINS_ANEW } step;
    struct rule *rule; /* FLUSH: what is there then, or NULL; REMOVE: one like what is to go */
    uint8_t table_id;  /* SETTLE */
};

static uint32_t parts; /* oftables_set_parts() */

void
oftables_set_parts(uint32_t n)
{
    parts = n;
}

struct slice
oftables_slice(void)
{
    return parts ? slice_of_parts(parts) : slice_of_us(OFTABLES_SLICE_US);
}

bool
oftables_is_busy(const struct oftables *t)
{
    return (t->txn && t->txn->job) || t->own.flush || t->own.n_settle || t->own.last;
}

static void
job_begin(struct oftxn *txn, const struct own_job *job)
{
    txn->job = xmalloc(sizeof *txn->job);
    *txn->job = *job;
}

void
own_job_free(struct own_job *job)
{
    if (job) {
        rule_unref(job->rule);
        free(job);
    }
}

/* Begins what is due next; false: nothing is. */
static bool
next_job(struct oftables *t)
{
    struct own_job job = {.kind = JOB_FLUSH};

    if (t->own.flush) {
        t->own.flush = false;
        job.rule = t->own.first;
        t->own.first = NULL;
    } else if (t->own.n_settle) {
        job.kind = JOB_SETTLE;
        while (!t->own.settle[job.table_id]) {
            job.table_id++;
        }
        t->own.settle[job.table_id] = false;
        t->own.n_settle--;
    } else if (t->own.last) {
        job.kind = JOB_REMOVE;
        job.rule = t->own.last;
        t->own.last = NULL;
    } else {
        return false;
    }
    job_begin(oftxn_begin(t, NULL), &job);
    return true;
}

static struct rule *
find_like(struct oftables *t, const struct rule *r)
{
    struct of_match m;

    cls_rule_get_match(&r->cls, &m.flow, &m.mask);
    return oftables_find(t, r->table_id, &m, r->cls.priority);
}

/* ---- What jobs change.  False: not done yet ---- */

static bool
flush_some(struct oftxn *txn, struct slice *slice)
{
    struct own_job *job = txn->job;
    struct flow_select all;
    struct rule *first = job->rule;

    switch (job->step) {
    case FLUSH_RULES:
        flow_select_init(&all);
        if (!oftxn_remove_some(txn, &all, slice)) {
            return false;
        }
        job->step = FLUSH_GROUPS;
        /* fall through */
    case FLUSH_GROUPS:
        if (!oftxn_delete_groups_some(txn, OFPG_ALL, slice)) {
            return false;
        }
        job->step = FLUSH_BEGINS_ANEW;
        /* fall through */
    case FLUSH_BEGINS_ANEW:
        if (first) {
            job->rule = NULL;
            oftxn_insert_rule(txn, first, find_like(txn->tables, first));
        }
        break;
    }
    return true;
}

static bool
settle_some(struct oftxn *txn, struct slice *slice)
{
    uint8_t id = txn->job->table_id;
    struct oftable *table = &txn->tables->t[id];
    const struct oftable_config *c = &table->config;
    struct rule *victim;

    if (!oftable_config_evicts(c) || table->n_rules <= c->flow_limit) {
        return true;
    }
    if (!oftable_evict_prepare(txn, id, slice)) {
        return false;
    }
    while (table->n_rules > c->flow_limit && (victim = oftable_victim(txn, id))) {
        oftxn_remove_rule(txn, victim, OFPRR_EVICTION);
        if (slice_spent(slice)) {
            return false;
        }
    }
    return true;
}

static bool
change_some(struct oftxn *txn, struct slice *slice)
{
    struct rule *r;

    switch (txn->job->kind) {
    case JOB_FLUSH:
        return flush_some(txn, slice);
    case JOB_SETTLE:
        return settle_some(txn, slice);
    case JOB_REMOVE:
        r = find_like(txn->tables, txn->job->rule);
        if (r) {
            oftxn_remove_rule(txn, r, OFPRR_DELETE);
        }
        break;
    case JOB_COMMIT:
        break;
    }
    return true;
}

/* Goes on with the job.  False: not done yet. */
static bool
job_some(struct oftables *t, struct slice *slice)
{
    const struct own_job job = *t->txn->job;

    if ((!oftxn_is_shown(t->txn) && !change_some(t->txn, slice)) ||
        !oftxn_commit_some(t->txn, slice)) {
        t->own.tell_idle = true;
        return false;
    }
    if (job.kind == JOB_FLUSH) {
        meters_remove_all(t);
    } else if (job.kind == JOB_SETTLE) {
        oftable_check_vacancy(t, job.table_id);
    }
    return true;
}

/* ---- Who has them done ---- */

void
oftables_run_own(struct oftables *t, struct slice *slice)
{
    /* Ends: jobs are not made by jobs. */
    while (t->txn ? t->txn->job != NULL : next_job(t)) {
        if (!job_some(t, slice)) {
            oftables_run_soon(t);
            break;
        }
    }
}

/* As far as one turn goes; where nobody would wake us, to the end. */
static void
run_now(struct oftables *t)
{
    struct slice slice = t->ops.wake ? oftables_slice() : SLICE_ENDLESS;

    oftables_run_own(t, &slice);
}

void
oftables_commit_own(struct oftables *t, struct oftxn *txn, struct slice *slice)
{
    job_begin(txn, &(struct own_job){.kind = JOB_COMMIT});
    if (!job_some(t, slice)) {
        oftables_run_soon(t);
    }
}

void
oftables_finish_job(struct oftables *t)
{
    struct slice slice = SLICE_ENDLESS;

    job_some(t, &slice);
    if (t->own.tell_idle) {
        oftables_run_soon(t);
    }
}

static struct rule *
own_rule(uint8_t table_id, bool hidden, const struct of_match *m, int priority,
         const struct of_act *acts, size_t acts_len)
{
    struct rule *r = rule_create(table_id, m, priority, acts, acts_len);

    r->hidden = hidden;
    return r;
}

void
oftables_add_own(struct oftables *t, uint8_t table_id, bool hidden, const struct of_match *m,
                 int priority, const struct of_act *acts, size_t acts_len)
{
    struct oftxn *txn = oftxn_begin(t, NULL);

    oftxn_insert_rule(txn, own_rule(table_id, hidden, m, priority, acts, acts_len),
                      oftables_find(t, table_id, m, priority));
    oftxn_commit(txn);
}

void
oftables_remove_own(struct oftables *t, uint8_t table_id, const struct of_match *m,
                    int priority)
{
    rule_unref(t->own.last);
    t->own.last = own_rule(table_id, false, m, priority, NULL, 0);
    run_now(t);
}

static void
flush(struct oftables *t, struct rule *first)
{
    /* What did not begin yet, and this replaces. */
    rule_unref(t->own.first);
    rule_unref(t->own.last);
    t->own.last = NULL;
    t->own.first = first;
    t->own.flush = true;
    run_now(t);
}

void
oftables_flush(struct oftables *t)
{
    flush(t, NULL);
}

void
oftables_begin_anew(struct oftables *t, uint8_t table_id, bool hidden, const struct of_match *m,
                    int priority, const struct of_act *acts, size_t acts_len)
{
    flush(t, own_rule(table_id, hidden, m, priority, acts, acts_len));
}

void
oftables_settle_table(struct oftables *t, uint8_t table_id)
{
    if (!t->own.settle[table_id]) {
        t->own.settle[table_id] = true;
        t->own.n_settle++;
    }
    run_now(t);
}

void
oftables_own_destroy(struct oftables *t)
{
    rule_unref(t->own.first);
    rule_unref(t->own.last);
    t->own = (struct own_work){.flush = false};
}
