/* SPDX-License-Identifier: Apache-2.0 */
#ifndef XVS_OFPROTO_CONN_COMMIT_H
#define XVS_OFPROTO_CONN_COMMIT_H 1

/* Messages that are executed together, as one transaction of the tables, a slice in each turn
 * of the event loop until it is done.  A bridge has one commit at a time at most.
 *
 *   CHANGE --all done--> SHOW --listeners told--> ACT --all done--> over
 *      |                  (from its beginning on everybody sees all of it)
 *      +--one fails, or the sender is gone--> UNDO --> over (nobody saw anything)
 *
 * Meanwhile the sender's next messages wait, and those of others that have to do with changes
 * of tables; all else goes on.  Main thread. */

#include "ofproto/oftables.h"
#include "openflow/of-msg.h"

struct connmgr;
struct ofconn;

/* A commit is over: answers the message that asked for it. */
typedef void of_commit_done(struct ofconn *, const struct of_msg *request, enum of_err);

/* Executes `msgs` (one behind the other; taken) in the sender's name, as far as a slice goes
 * here and now, the rest in later turns.  None may be under way.  Of those of a `bundle` the
 * one that fails is answered with its error, and the whole by OFPBFC_MSG_FAILED. */
void of_commit_start(struct ofconn *, struct of_buf *msgs, bool bundle,
                     const struct of_msg *request, of_commit_done *);
/* Does the message have to wait?  `changes`: it has to do with changes of tables. */
bool of_commit_must_wait(const struct ofconn *, bool changes);
/* Keeps a message that has to; it is executed in its turn. */
void of_commit_wait(struct ofconn *, const struct of_msg *);
/* What the connection waited for may be over: executes what has waited. */
void of_commit_resume(struct connmgr *);
/* The transaction ends now, if there is one.  The rest goes on as before. */
void of_commit_settle(struct connmgr *);
/* A connection, or all of them, are no more. */
void of_commit_forget(struct ofconn *);
void of_commit_destroy(struct connmgr *);
/* For tests: so many steps in each turn rather than what takes some time; 0: as usual. */
void of_commit_set_parts(uint32_t);

#endif
