/* SPDX-License-Identifier: Apache-2.0 */
/* Flow mods.  Called by conn-dispatch.c and conn-commit.c on the main thread. */

#include "ofproto/conn-private.h"
#include "ofproto/meters.h"
#include "ofproto/oftables.h"

enum of_err
of_flow_mod_prepare(const struct ofconn *c, const struct of_msg *msg, struct of_flow_mod *fm)
{
    const struct of_actions_limits limits = {
        .max_ports = OFPP_MAX,
        .table_id = 0,
        .n_tables = OFTABLES_MAX,
        .max_meters = OFMETERS_MAX,
        .version = c->version,
    };
    struct of_actions_limits l = limits;
    enum of_err err = of_flow_mod_decode(msg, c->flow_mod_table_id, fm);

    if (err) {
        return err;
    }
    l.table_id = fm->table_id == OFPTT_ALL ? 0 : fm->table_id;
    if (fm->table_id == OFTABLE_HIDDEN) {
        err = OFPBRC_EPERM;
    } else if (!of_flow_mod_deletes(fm) &&
               (fm->match.mask.meta.recirc_id || fm->match.mask.meta.dp_hash)) {
        err = OFPBRC_EPERM; /* what the datapath notes of a packet is the switch's business */
    } else {
        err = of_actions_check(fm->actions.a, fm->actions.len, &fm->match, &l);
    }
    if (err || of_flow_mod_deletes(fm)) { /* which needs no actions, but may have some */
        of_flow_mod_free(fm);
    }
    return err;
}

/* The flow is there, but there are no buffers. */
static void
committed_without_buffer(struct ofconn *c, const struct of_msg *msg, enum of_err err)
{
    ofconn_refuse(c, err ? err : OFPBRC_BUFFER_UNKNOWN, msg);
}

enum of_err
of_handle_flow_mod(struct ofconn *c, struct of_msg *msg)
{
    struct of_flow_mod fm;
    enum of_err err = of_flow_mod_prepare(c, msg, &fm);

    if (!err) {
        /* A deletion has no use for a packet. */
        bool wants = fm.buffer_id != OFP_NO_BUFFER && !of_flow_mod_deletes(&fm);

        of_commit_message(c, msg, &fm, wants ? committed_without_buffer : of_commit_refuse);
    }
    return err;
}
