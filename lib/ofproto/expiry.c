/* SPDX-License-Identifier: Apache-2.0 */
/* Idle and hard time-outs of rules, to the second, on the virtual clock.  Main thread.
 *
 * Rules with time-outs wait in EXPIRY_SLOTS lists by the second in which they may expire.  A
 * packet does not move its rule: when the second has come and the rule was used meanwhile, it
 * goes on to its new second.  A look thus costs what is due, whatever the number of rules; when
 * that is more than a turn of the event loop can bear, the rest waits for the next. */

#include "ofproto/tables-private.h"
#include "os/clock.h"

#define AT_ONCE 4096u /* rules that one look is about */

void
oftables_expire(struct oftables *t, struct slice *left)
{
    int64_t now_ms = clock_now_ms(), now_s = now_ms / 1000;
    int64_t from = MAX(t->expiry_s + 1, now_s - (int64_t) EXPIRY_SLOTS + 1);
    struct slice slice = slice_of_parts(AT_ONCE);
    struct oftxn *txn = NULL;
    bool spent = false, late = false;

    if (t->txn) {
        return; /* within somebody's transaction: later */
    }
    t->expiry_s = MAX(now_s - 1, t->expiry_s); /* the rest of this second comes again */
    for (int64_t s = from; s <= now_s && !spent; s++) {
        struct cds_list_head *slot = &t->expiry[(uint64_t) s % EXPIRY_SLOTS], due;
        struct rule *r, *next;

        CDS_INIT_LIST_HEAD(&due);
        cds_list_splice(slot, &due);
        CDS_INIT_LIST_HEAD(slot);
        cds_list_for_each_entry_safe(r, next, &due, expiry_node)
        {
            enum of_flow_removed_reason reason = OFPRR_IDLE_TIMEOUT;

            if (slice_spent(&slice)) {
                cds_list_splice(&due, slot);
                t->expiry_s = s - 1;
                spent = true;
                late = s < now_s;
                break;
            }
            if (rule_expires_ms(r, &reason) > now_ms) {
                rule_index_expiry(t, r);
                continue;
            }
            cds_list_del(&r->expiry_node);
            cds_list_add(&r->expiry_node, slot); /* until the commit takes it out */
            txn = txn ? txn : oftxn_begin(t, NULL);
            oftxn_remove_rule(txn, r, reason);
        }
    }
    if (spent && (txn || late)) {
        oftables_run_soon(t); /* not for rules alone that are due later in this second */
    }
    if (txn) {
        oftables_commit_own(t, txn, left);
    }
}
