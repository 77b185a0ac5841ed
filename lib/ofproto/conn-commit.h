/* SPDX-License-Identifier: Apache-2.0 */
#ifndef XVS_OFPROTO_CONN_COMMIT_H
#define XVS_OFPROTO_CONN_COMMIT_H 1

/* Messages that are executed together, or one that may be about many flows, as one transaction
 * of the tables: a slice in each turn of the event loop until it is done.  A bridge has one
 * commit at a time at most.
 *
 *   CHANGE --all done--> SHOW --listeners told--> ACT --all done--> over
 *      |                  (from its beginning on everybody sees all of it)
 *      +--one fails--> UNDO --> over (nobody saw anything)
 *
 * Meanwhile the sender's next messages wait, and those of others that have to do with changes
 * of tables; all else goes on.  When the sender goes it is too late: the commit goes on, and
 * nobody is answered.  Main thread. */

#include "ofproto/oftables.h"
#include "openflow/of-msg.h"

struct connmgr;
struct ofconn;

/* A commit is over: answers the message that asked for it. */
typedef void of_commit_done(struct ofconn *, const struct of_msg *request, enum of_err);

/* Executes `msgs` (one behind the other; taken) of a bundle in the sender's name, as far as a
 * slice goes here and now, the rest in later turns.  No commit may be under way.  The one that
 * fails is answered with its error, and `request` by OFPBFC_MSG_FAILED. */
void of_commit_bundle(struct ofconn *, struct of_buf *msgs, const struct of_msg *request,
                      of_commit_done *);
/* The same with one message: a flow mod, a group mod, or the deletion of a meter.  `fm`, which
 * is taken: what the flow mod was decoded to. */
void of_commit_message(struct ofconn *, const struct of_msg *, const struct of_flow_mod *fm,
                       of_commit_done *);
of_commit_done of_commit_refuse; /* answers with the error, if there is one */
/* Does the message have to wait?  `changes`: it has to do with changes of tables; `walks`: it
 * begins a walk over them that cannot be put off. */
bool of_commit_must_wait(const struct ofconn *, bool changes, bool walks);
/* Keeps a message that has to; it is executed in its turn. */
void of_commit_wait(struct ofconn *, const struct of_msg *);
/* What the connection waited for may be over: executes what has waited. */
void of_commit_resume(struct connmgr *);
/* The transaction ends now, if there is one.  The rest goes on as before. */
void of_commit_settle(struct connmgr *);
/* The tables are done with work of their own, or walks may begin again. */
void of_commit_idle(struct connmgr *);
/* A connection, or all of them, are no more. */
void of_commit_forget(struct ofconn *);
void of_commit_destroy(struct connmgr *);

#endif
