/* SPDX-License-Identifier: Apache-2.0 */
/* Packet-out messages.  Called by connections on the main thread; no state. */

#include "openflow/of-packet.h"

#include <string.h>

/* A packet-out may say only pipeline fields of the packet, not what its headers are. */
static bool
only_pipeline_fields(const struct of_match *m)
{
    struct flow rest = m->mask;

    memset(&rest.meta, 0, sizeof rest.meta);
    memset(&rest.regs, 0, sizeof rest.regs);
    rest.sections = 0;
    return !memcmp(&rest, &(struct flow){.sections = 0}, sizeof rest);
}

static bool
is_in_port(uint16_t port)
{
    return port < OFPP_MAX || port == OFPP_LOCAL || port == OFPP_CONTROLLER ||
           port == OFPP_NONE;
}

/* Everything up to the actions. */
static enum of_err
read_fixed(struct of_reader *r, uint8_t version, struct of_packet_out *po, uint16_t *acts_len)
{
    enum of_err err = OF_OK;

    if (!of_read_u32(r, &po->buffer_id)) {
        return OFPBRC_BAD_LEN;
    }
    if (version >= OF15_VERSION) {
        if (!of_read_u16(r, acts_len) || !of_skip(r, 2)) {
            return OFPBRC_BAD_LEN;
        }
        err = of_match_decode(r, version, true, &po->metadata);
        if (!err && !only_pipeline_fields(&po->metadata)) {
            err = OFPBRC_PIPELINE_FIELDS_ONLY;
        }
        if (!err && !po->metadata.mask.meta.in_port) {
            err = OFPBRC_BAD_PORT;
        }
        po->in_port = (uint16_t) po->metadata.flow.meta.in_port;
        return err;
    }
    err = of_read_port(r, version, &po->in_port);
    if (err) {
        return err == OFPBAC_BAD_OUT_PORT ? OFPBRC_BAD_PORT : err;
    }
    if (!of_read_u16(r, acts_len) || !of_skip(r, version > OF10_VERSION ? 6 : 0)) {
        return OFPBRC_BAD_LEN;
    }
    of_match_set_u64(&po->metadata, OFF_IN_PORT, po->in_port);
    return OF_OK;
}

enum of_err
of_packet_out_decode(const struct of_msg *msg, struct of_packet_out *po)
{
    struct of_reader r = msg->body, acts;
    uint16_t acts_len = 0;
    enum of_err err;

    *po = (struct of_packet_out){.buffer_id = OFP_NO_BUFFER};
    of_match_init(&po->metadata);
    err = read_fixed(&r, msg->version, po, &acts_len);
    if (err) {
        return err;
    }
    if (!is_in_port(po->in_port)) {
        return OFPBRC_BAD_PORT;
    }
    if (!of_reader_take(&r, acts_len, &acts)) {
        return OFPBRC_BAD_LEN;
    }
    po->packet = r.p;
    po->packet_len = r.len;
    return of_actions_decode(acts, msg->version, OF_ACTS_APPLY, &po->actions);
}

void
of_packet_out_free(struct of_packet_out *po)
{
    of_actions_free(&po->actions);
}
