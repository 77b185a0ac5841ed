/* SPDX-License-Identifier: Apache-2.0 */
/* What a flow mod does to the tables (OpenFlow 1.5.1 section 6.4, with what stock Open vSwitch
 * does where versions differ).  Called within transactions on main. */

#include <stdlib.h>

#include "ofproto/tables-private.h"
#include "os/clock.h"
#include "util/xalloc.h"

/* Flags that stay with the rule: for what they do, and for dumps to show. */
#define RULE_FLAGS                                                                             \
    (OFPFF_SEND_FLOW_REM | OFPFF_CHECK_OVERLAP | OFPFF_RESET_COUNTS | OFPFF_NO_PKT_COUNTS |    \
     OFPFF_NO_BYT_COUNTS)

struct ref_check {
    const struct oftables *tables;
    enum of_err err;
};

static bool
ref_exists(bool is_meter, uint32_t id, void *check_)
{
    struct ref_check *check = check_;

    if (is_meter && !meters_find(check->tables, id)) {
        check->err = OFPMMFC_INVALID_METER;
    } else if (!is_meter && !groups_find(check->tables, id)) {
        check->err = OFPBAC_BAD_OUT_GROUP;
    }
    return !check->err;
}

static enum of_err
check_actions(const struct oftxn *txn, const struct of_flow_mod *fm)
{
    struct ref_check check = {.tables = txn->tables, .err = OF_OK};
    struct of_actions_limits limits = {
        .max_ports = OFPP_MAX,
        .table_id = fm->table_id,
        .n_tables = OFTABLES_MAX,
        .max_meters = OFMETERS_MAX,
        .version = txn->req.version ? txn->req.version : 1,
    };
    enum of_err err;

    if (!fm->actions.len) {
        return OF_OK;
    }
    err = of_actions_check(fm->actions.a, fm->actions.len, &fm->match, &limits);
    if (!err) {
        acts_for_each_ref(fm->actions.a, fm->actions.len, ref_exists, &check);
        err = check.err;
    }
    return err;
}

/* Makes room for one more rule. */
static enum of_err
make_room(struct oftxn *txn, uint8_t table_id)
{
    struct oftable *table = &txn->tables->t[table_id];
    uint32_t limit = MIN(table->config.flow_limit, OFTABLE_MAX_ENTRIES);

    /* As often as there are rules at most. */
    while (table->n_rules >= limit) {
        struct rule *victim =
            oftable_config_evicts(&table->config) ? oftable_victim(txn, table_id) : NULL;

        if (!victim) {
            return OFPFMFC_TABLE_FULL;
        }
        oftxn_remove_rule(txn, victim, OFPRR_EVICTION);
    }
    return OF_OK;
}

/* If there is room to make, has it known where.  False: not yet. */
static bool
prepare_room(struct oftxn *txn, const struct of_flow_mod *fm, struct slice *slice)
{
    uint8_t table_id = fm->table_id == OFPTT_ALL ? 0 : fm->table_id;
    const struct oftable *table = &txn->tables->t[table_id];

    return !oftable_config_evicts(&table->config) ||
           table->n_rules < MIN(table->config.flow_limit, OFTABLE_MAX_ENTRIES) ||
           oftable_evict_prepare(txn, table_id, slice);
}

static enum of_err
add(struct oftxn *txn, const struct of_flow_mod *fm)
{
    uint8_t table_id = fm->table_id == OFPTT_ALL ? 0 : fm->table_id;
    struct rule *old, *r;
    enum of_err err = OF_OK;

    if (table_id == OFTABLE_HIDDEN) {
        return OFPBRC_EPERM;
    }
    old = oftables_find(txn->tables, table_id, &fm->match, fm->priority);
    if (old && old->hidden) {
        return OFPBRC_EPERM;
    }
    r = rule_create(table_id, &fm->match, fm->priority, fm->actions.a, fm->actions.len);
    r->cookie = fm->new_cookie;
    r->flags = fm->flags & RULE_FLAGS;
    r->importance = fm->importance;
    atomic_store_explicit(&r->idle_timeout, fm->idle_timeout, memory_order_relaxed);
    atomic_store_explicit(&r->hard_timeout, fm->hard_timeout, memory_order_relaxed);
    if (old) {
        if (!(fm->flags & OFPFF_RESET_COUNTS)) {
            rule_share_stats(r, old);
            atomic_store_explicit(&r->stats->used_ms, clock_now_ms(), memory_order_relaxed);
        }
    } else {
        struct classifier *cls = oftable_cls(txn->tables, table_id);

        if (fm->flags & OFPFF_CHECK_OVERLAP && cls && classifier_find_overlap(cls, &r->cls)) {
            err = OFPFMFC_OVERLAP;
        }
        err = err ? err : make_room(txn, table_id);
    }
    if (err) {
        rule_unref(r);
        return err;
    }
    oftxn_insert_rule(txn, r, old);
    return OF_OK;
}

/* The same rule with the mod's actions. */
static void
modify_rule(struct oftxn *txn, const struct of_flow_mod *fm, struct rule *old)
{
    struct of_match match;
    struct rule *r;

    cls_rule_get_match(&old->cls, &match.flow, &match.mask);
    r = rule_create(old->table_id, &match, old->cls.priority, fm->actions.a, fm->actions.len);
    r->cookie =
        fm->modify_cookie && fm->new_cookie != UINT64_MAX ? fm->new_cookie : old->cookie;
    r->flags = old->flags;
    r->importance = old->importance;
    r->created_ms = old->created_ms;
    atomic_store_explicit(&r->idle_timeout, atomic_load(&old->idle_timeout),
                          memory_order_relaxed);
    atomic_store_explicit(&r->hard_timeout, atomic_load(&old->hard_timeout),
                          memory_order_relaxed);
    if (!(fm->flags & OFPFF_RESET_COUNTS)) {
        rule_share_stats(r, old);
    }
    oftxn_insert_rule(txn, r, old);
    txn->u[txn->n - 1].type = UNDO_MODIFY;
}

/* ---- Of many rules ---- */

static void
mass_begin(struct oftxn *txn, const struct of_flow_mod *fm)
{
    struct oftxn_mass *m = xzalloc(sizeof *m);
    bool strict = fm->command == OFPFC_MODIFY_STRICT || fm->command == OFPFC_DELETE_STRICT;
    bool any_out = fm->command == OFPFC_MODIFY || fm->command == OFPFC_MODIFY_STRICT;
    struct flow_select sel = {
        .table_id = fm->table_id,
        .out_port = fm->out_port,
        .out_group = fm->out_group,
        .cookie = fm->cookie,
        .cookie_mask = fm->cookie_mask,
        .match = fm->match,
    };

    txn->mass = m;
    rule_walk_begin(&m->walk, txn->tables, &sel, strict ? fm->priority : -1, any_out,
                    txn->version);
}

void
oftxn_mass_end(struct oftxn *txn)
{
    struct oftxn_mass *m = txn->mass;

    if (m) {
        rule_walk_end(&m->walk);
        free(m->list.rules);
        free(m);
        txn->mass = NULL;
    }
}

/* Which rules; what becomes of them may not change the walk.  False: not all yet. */
static bool
mass_find(struct oftxn_mass *m, struct slice *slice)
{
    struct rule *r;

    while ((r = rule_walk_next(&m->walk, slice))) {
        m->any_hidden |= r->hidden || r->table_id == OFTABLE_HIDDEN;
        rule_list_add(&m->list, r);
        if (slice_spent(slice)) {
            return false;
        }
    }
    m->found = m->walk.done;
    if (m->found) {
        rule_walk_end(&m->walk);
    }
    return m->found;
}

/* Modifies or deletes; what of `txn` is of this flow mod is the caller's to undo.  False: not
 * done yet. */
static bool
mass_some(struct oftxn *txn, const struct of_flow_mod *fm, struct slice *slice,
          enum of_err *err)
{
    bool modify = fm->command == OFPFC_MODIFY || fm->command == OFPFC_MODIFY_STRICT;
    struct oftxn_mass *m;

    if (!txn->mass) {
        mass_begin(txn, fm);
    }
    m = txn->mass;
    if (!m->found && !mass_find(m, slice)) {
        return false;
    }
    if (m->any_hidden) {
        *err = OFPBRC_EPERM;
    } else if (modify && !m->list.n && txn->req.version < 3 && !fm->cookie_mask) {
        /* OpenFlow 1.0 and 1.1: what is not there is added. */
        if (!prepare_room(txn, fm, slice)) {
            return false;
        }
        *err = add(txn, fm);
    } else {
        while (m->next < m->list.n) {
            struct rule *r = m->list.rules[m->next++];

            if (modify) {
                modify_rule(txn, fm, r);
            } else {
                oftxn_remove_rule(txn, r, OFPRR_DELETE);
            }
            if (slice_spent(slice)) {
                return false;
            }
        }
        *err = OF_OK;
    }
    oftxn_mass_end(txn);
    return true;
}

bool
oftxn_remove_some(struct oftxn *txn, const struct flow_select *sel, struct slice *slice)
{
    struct oftxn_mass *m = txn->mass;

    if (!m) {
        m = txn->mass = xzalloc(sizeof *m);
        rule_walk_begin(&m->walk, txn->tables, sel, -1, true, txn->version);
    }
    if (!m->found && !mass_find(m, slice)) {
        return false;
    }
    while (m->next < m->list.n) {
        oftxn_remove_rule(txn, m->list.rules[m->next++], OFPRR_DELETE);
        if (slice_spent(slice)) {
            return false;
        }
    }
    oftxn_mass_end(txn);
    return true;
}

bool
oftxn_flow_mod_some(struct oftxn *txn, const struct of_flow_mod *fm, struct slice *slice,
                    enum of_err *err)
{
    size_t start = txn->n;
    bool done = true;

    *err = OF_OK;
    if (!txn->mass && (fm->command == OFPFC_ADD || fm->command == OFPFC_MODIFY ||
                       fm->command == OFPFC_MODIFY_STRICT)) {
        *err = check_actions(txn, fm);
        if (*err) {
            return true;
        }
    }
    switch (fm->command) {
    case OFPFC_ADD:
        done = prepare_room(txn, fm, slice);
        *err = done ? add(txn, fm) : OF_OK;
        break;
    case OFPFC_MODIFY:
    case OFPFC_MODIFY_STRICT:
    case OFPFC_DELETE:
    case OFPFC_DELETE_STRICT:
        done = mass_some(txn, fm, slice, err);
        break;
    default:
        *err = OFPFMFC_BAD_COMMAND;
        break;
    }
    if (done && *err) {
        /* Whatever fails has made room at most: a flow mod of many fails before it begins. */
        oftxn_undo_to(txn, start);
    }
    return done;
}

enum of_err
oftxn_flow_mod(struct oftxn *txn, const struct of_flow_mod *fm)
{
    struct slice slice = SLICE_ENDLESS;
    enum of_err err;

    oftxn_flow_mod_some(txn, fm, &slice, &err);
    return err;
}
