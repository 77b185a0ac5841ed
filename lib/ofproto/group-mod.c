/* SPDX-License-Identifier: Apache-2.0 */
/* Group modifications (OpenFlow 1.5.1, sections 5.10 and 7.3.4.3), command by command.  Called
 * by the handlers of messages and of bundles, on main.  A change is checked to the end before
 * the transaction hears of it; see group-chain.c for what that does. */

#include <stdlib.h>

#include "ofproto/groups-private.h"

static void
delete_group(struct oftxn *txn, struct group *g)
{
    struct rule_ref *ref, *next;

    cds_list_for_each_entry_safe(ref, next, &g->rules, node)
    {
        oftxn_remove_rule(txn, ref->rule, OFPRR_GROUP_DELETE);
    }
    group_replace(txn, g, NULL);
}

static void
delete_all(struct oftxn *txn)
{
    struct groups *gs = txn->tables->groups;
    void **all = id_table_sorted(&gs->by_id);

    for (uint32_t i = 0; i < gs->by_id.n; i++) {
        if (!group_is_leaving(all[i])) {
            delete_group(txn, all[i]);
        }
    }
    free(all);
}

void
groups_remove_all(struct oftxn *txn)
{
    delete_all(txn);
}

static enum of_err
add_or_modify(struct oftxn *txn, const struct of_group_mod *gm)
{
    struct groups *gs = txn->tables->groups;
    struct group *old = groups_current(gs, gm->group_id), *g;
    enum of_err err;

    if (old && gm->command == OFPGC_ADD) {
        return OFPGMFC_GROUP_EXISTS;
    }
    if (!old && gm->command != OFPGC_ADD && gm->command != OFPGC_ADD_OR_MOD) {
        return OFPGMFC_UNKNOWN_GROUP;
    }
    if (!old && gs->n >= gs->max) {
        return OFPGMFC_OUT_OF_GROUPS;
    }
    err = group_build(gm, old, &g);
    if (err) {
        return err;
    }
    err = group_check(gs, g);
    if (err) {
        group_unref(g); /* nobody has seen it */
        return err;
    }
    group_replace(txn, old, g);
    return OF_OK;
}

enum of_err
oftxn_group_mod(struct oftxn *txn, const struct of_group_mod *gm)
{
    struct group *g;

    switch (gm->command) {
    case OFPGC_ADD:
    case OFPGC_MODIFY:
    case OFPGC_ADD_OR_MOD:
    case OFPGC_INSERT_BUCKET:
    case OFPGC_REMOVE_BUCKET:
        if (gm->type >= OFPGT_N) {
            return OFPGMFC_BAD_TYPE;
        }
        return gm->group_id > OFPG_MAX ? OFPGMFC_INVALID_GROUP : add_or_modify(txn, gm);
    case OFPGC_DELETE:
        if (gm->group_id == OFPG_ALL) {
            delete_all(txn);
            return OF_OK;
        }
        g = groups_current(txn->tables->groups, gm->group_id);
        if (g) { /* deleting what is not there is no error */
            delete_group(txn, g);
        }
        return OF_OK;
    default:
        return OFPGMFC_BAD_COMMAND;
    }
}

enum of_err
oftables_group_mod(struct oftables *tables, const struct of_group_mod *gm,
                   const struct of_requester *req)
{
    struct oftxn *txn = oftxn_begin(tables, req);
    enum of_err err = oftxn_group_mod(txn, gm);

    if (err) {
        oftxn_rollback(txn);
    } else {
        oftxn_commit(txn);
    }
    return err;
}
