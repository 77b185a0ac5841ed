/* SPDX-License-Identifier: Apache-2.0 */
/* Group modifications (OpenFlow 1.5.1, sections 5.10 and 7.3.4.3), command by command.  Called
 * by the handlers of messages and of bundles, on main.  A change is checked to the end before
 * the transaction hears of it; see group-chain.c for what that does. */

#include <stdlib.h>

#include "ofproto/groups-private.h"
#include "util/xalloc.h"

/* The group, or all of them, that are there. */
static void
begin_deletion(struct oftxn *txn, uint32_t id)
{
    struct groups *gs = txn->tables->groups;
    uint32_t n = 0;
    void **all;

    if (id == OFPG_ALL) {
        all = id_table_sorted(&gs->by_id);
        for (uint32_t i = 0; i < id_table_count(&gs->by_id); i++) {
            if (!group_is_leaving(all[i])) { /* these may be gone in the next slice */
                all[n++] = all[i];
            }
        }
    } else {
        all = xmalloc(sizeof *all);
        all[0] = groups_current(gs, id);
        n = all[0] != NULL; /* deleting what is not there is no error */
    }
    oftxn_refs_begin(txn, all, n);
}

bool
oftxn_delete_groups_some(struct oftxn *txn, uint32_t id, struct slice *slice)
{
    if (!txn->refs) {
        begin_deletion(txn, id);
    }
    while (txn->refs->next < txn->refs->n) {
        struct group *g = txn->refs->all[txn->refs->next];

        if (!oftxn_refs_remove(txn, &g->rules, OFPRR_GROUP_DELETE, slice)) {
            return false;
        }
        group_replace(txn, g, NULL);
        txn->refs->next++;
        if (slice_spent(slice)) {
            return false;
        }
    }
    oftxn_refs_end(txn);
    return true;
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

bool
oftxn_group_mod_some(struct oftxn *txn, const struct of_group_mod *gm, struct slice *slice,
                     enum of_err *err)
{
    *err = OF_OK;
    switch (gm->command) {
    case OFPGC_ADD:
    case OFPGC_MODIFY:
    case OFPGC_ADD_OR_MOD:
    case OFPGC_INSERT_BUCKET:
    case OFPGC_REMOVE_BUCKET:
        if (gm->type >= OFPGT_N) {
            *err = OFPGMFC_BAD_TYPE;
        } else {
            *err = gm->group_id > OFPG_MAX ? OFPGMFC_INVALID_GROUP : add_or_modify(txn, gm);
        }
        break;
    case OFPGC_DELETE:
        return oftxn_delete_groups_some(txn, gm->group_id, slice);
    default:
        *err = OFPGMFC_BAD_COMMAND;
        break;
    }
    return true;
}

enum of_err
oftxn_group_mod(struct oftxn *txn, const struct of_group_mod *gm)
{
    struct slice slice = SLICE_ENDLESS;
    enum of_err err;

    oftxn_group_mod_some(txn, gm, &slice, &err);
    return err;
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
