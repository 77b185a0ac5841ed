/* SPDX-License-Identifier: Apache-2.0 */
/* Packet-out, and the resuming of pipelines that wait for the controller.  Called by
 * conn-dispatch.c and bundles on the main thread. */

#include <string.h>

#include "flow/flow-key.h"
#include "log/coverage.h"
#include "ofproto/conn-private.h"
#include "ofproto/meters.h"
#include "openflow/of-packet.h"
#include "os/clock.h"
#include "packet/packet.h"

COVERAGE_DEFINE(drop_packet_out_memory);

/* Tells continuations of this process from those of an earlier one. */
uint32_t
of_continuation_epoch(void)
{
    static uint32_t epoch;

    if (!epoch) {
        epoch = (uint32_t) clock_wall_ms() | 1;
    }
    return epoch;
}

static enum of_err
new_packet(const uint8_t *data, size_t len, struct packet **pp)
{
    if (len > UINT16_MAX) {
        return OFPBRC_BAD_PACKET;
    }
    *pp = packet_from_data(data, (uint16_t) len);
    if (!*pp) {
        COVERAGE_INC(drop_packet_out_memory);
        return OFPBRC_BAD_PACKET;
    }
    return OF_OK;
}

enum of_err
of_packet_out_prepare(const struct ofconn *c, const struct of_msg *msg,
                      struct of_packet_out *po, struct packet **pp)
{
    const struct of_actions_limits limits = {
        .max_ports = OFPP_MAX,
        .table_id = 255,
        .n_tables = OFTABLES_MAX,
        .max_meters = OFMETERS_MAX,
        .version = c->version,
    };
    struct of_match match;
    struct flow_key key;
    struct flow flow;
    enum of_err err = of_packet_out_decode(msg, po);

    *pp = NULL;
    if (err) {
        return err;
    }
    if (po->buffer_id != OFP_NO_BUFFER) {
        err = OFPBRC_BUFFER_UNKNOWN;
    }
    if (!err) {
        err = new_packet(po->packet, po->packet_len, pp);
    }
    if (!err) {
        flow_key_extract(*pp, &key);
        flow_key_expand(&key, &flow);
        flow.meta.in_port = po->in_port;
        of_match_from_flow(&match, &flow);
        err = of_actions_check(po->actions.a, po->actions.len, &match, &limits);
    }
    if (err) {
        if (*pp) {
            packet_free(*pp);
        }
        of_packet_out_free(po);
    }
    return err;
}

enum of_err
of_handle_packet_out(struct ofconn *c, struct of_msg *msg)
{
    struct of_packet_out po;
    struct packet *p;
    enum of_err err = of_packet_out_prepare(c, msg, &po, &p);

    if (!err) {
        ofproto_packet_out(c->mgr->ofproto, p, po.in_port, po.actions.a, po.actions.len);
        of_packet_out_free(&po);
    }
    return err;
}

enum of_err
of_handle_resume(struct ofconn *c, struct of_msg *msg)
{
    struct of_continuation k;
    struct of_resume r;
    struct packet *p;
    enum of_err err = of_resume_decode(msg, &r);

    if (err) {
        return err;
    }
    if (r.continuation_len < sizeof k) {
        return NXR_STALE;
    }
    memcpy(&k, r.continuation, sizeof k);
    if (k.epoch != of_continuation_epoch() || !k.recirc_id) {
        return NXR_STALE;
    }
    err = new_packet(r.packet, r.packet_len, &p);
    if (!err && !ofproto_resume(c->mgr->ofproto, p, &r.metadata.flow, k.recirc_id)) {
        err = NXR_STALE;
    }
    return err;
}
