/* SPDX-License-Identifier: Apache-2.0 */
/* What a controller says of its own connection: role, which events it wants, Nicira's formats.
 * Called by conn-dispatch.c on the main thread. */

#include "ofproto/conn-private.h"

/* Older than what was seen is stale, in the circular sense of OpenFlow 1.3.5 section 6.3.5. */
static bool
generation_is_stale(const struct connmgr *mgr, uint64_t id)
{
    return mgr->has_generation && (int64_t) (id - mgr->generation_id) < 0;
}

enum of_err
of_handle_role(struct ofconn *c, struct of_msg *msg)
{
    struct connmgr *mgr = c->mgr;
    struct of_buf b = OF_BUF_INIT;
    struct of_role_msg m;
    enum of_err err = of_role_request_decode(msg, &m);

    if (err) {
        return err;
    }
    if (m.role != OFPCR_ROLE_NOCHANGE) {
        if (m.has_generation) {
            if (generation_is_stale(mgr, m.generation_id)) {
                return OFPRRFC_STALE;
            }
            mgr->has_generation = true;
            mgr->generation_id = m.generation_id;
        }
        if (m.role == OFPCR_ROLE_PRIMARY && c->role != OFPCR_ROLE_PRIMARY) {
            connmgr_role_taken(mgr, c);
        }
        c->role = m.role;
        controllers_status_changed();
        connmgr_update_miss(mgr);
    }
    m.role = c->role;
    m.has_generation = mgr->has_generation;
    m.generation_id = mgr->generation_id;
    of_role_reply_encode(&b, &m, c->version, msg->xid);
    ofconn_send(c, &b);
    return OF_OK;
}

enum of_err
of_handle_get_async(struct ofconn *c, struct of_msg *msg)
{
    struct of_buf b = OF_BUF_INIT;

    of_async_reply_encode(&b, &c->async, c->version, msg->xid);
    ofconn_send(c, &b);
    return OF_OK;
}

enum of_err
of_handle_set_async(struct ofconn *c, struct of_msg *msg)
{
    enum of_err err = of_async_decode(msg, &c->async);

    /* Who says what it wants, wants it: also a service connection, which so far had nothing
     * but what it asked for. */
    if (!err && c->kind == OFCONN_SERVICE && !c->miss_send_len) {
        c->miss_send_len = 128;
    }
    connmgr_update_miss(c->mgr);
    return err;
}

enum of_err
of_handle_flow_format(struct ofconn *c, struct of_msg *msg)
{
    return of_flow_format_decode(msg, &c->flow_format);
}

enum of_err
of_handle_flow_mod_table_id(struct ofconn *c, struct of_msg *msg)
{
    return of_flow_mod_table_id_decode(msg, &c->flow_mod_table_id);
}

enum of_err
of_handle_packet_in_format(struct ofconn *c, struct of_msg *msg)
{
    return of_packet_in_format_decode(msg, &c->packet_in_format);
}

enum of_err
of_handle_controller_id(struct ofconn *c, struct of_msg *msg)
{
    enum of_err err = of_controller_id_decode(msg, &c->controller_id);

    connmgr_update_miss(c->mgr);
    return err;
}
