/* SPDX-License-Identifier: Apache-2.0 */
/* Meters on the wire.  No state, any thread. */

#include "openflow/of-meter.h"

static enum of_err
read_band(struct of_reader *r, struct of_meter_band *band)
{
    struct of_reader body;
    uint16_t type, len;

    if (r->len < 4) {
        return OFPMMFC_BAD_BAND;
    }
    type = of_get_be16(r->p);
    len = of_get_be16(r->p + 2);
    if (type != OFPMBT_DROP) { /* the only one that our features offer */
        return OFPMMFC_BAD_BAND;
    }
    if (len != 16 || !of_reader_take(r, len, &body)) {
        return OFPBRC_BAD_LEN;
    }
    band->type = type;
    of_skip(&body, 4);
    of_read_u32(&body, &band->rate);
    of_read_u32(&body, &band->burst);
    return band->rate ? OF_OK : OFPMMFC_BAD_RATE;
}

static bool
id_ok(uint32_t id, enum of_meter_command command)
{
    return (id && id <= OFPM_MAX) || id == OFPM_SLOWPATH || id == OFPM_CONTROLLER ||
           command == OFPMC_DELETE; /* of what is not there */
}

enum of_err
of_meter_mod_decode(const struct of_msg *msg, struct of_meter_mod *mm)
{
    struct of_meter_config *c = &mm->config;
    struct of_reader r = msg->body;
    uint16_t command, unit;

    *mm = (struct of_meter_mod){.command = OFPMC_DELETE};
    if (!of_read_u16(&r, &command) || !of_read_u16(&r, &c->flags) ||
        !of_read_u32(&r, &c->meter_id)) {
        return OFPBRC_BAD_LEN;
    }
    if (command > OFPMC_DELETE) {
        return OFPMMFC_BAD_COMMAND;
    }
    mm->command = command;
    if (!id_ok(c->meter_id, mm->command)) {
        return OFPMMFC_INVALID_METER;
    }
    if (mm->command == OFPMC_DELETE) {
        c->flags = 0;
        return OF_OK;
    }
    unit = c->flags & (OFPMF_KBPS | OFPMF_PKTPS);
    if (c->flags & ~(OFPMF_KBPS | OFPMF_PKTPS | OFPMF_BURST | OFPMF_STATS) || !unit ||
        unit == (OFPMF_KBPS | OFPMF_PKTPS)) {
        return OFPMMFC_BAD_FLAGS;
    }
    while (r.len) {
        enum of_err err;

        if (c->n_bands == OF_METER_MAX_BANDS) {
            return OFPMMFC_OUT_OF_BANDS;
        }
        err = read_band(&r, &c->bands[c->n_bands]);
        if (err) {
            return err;
        }
        c->n_bands++;
    }
    return c->n_bands ? OF_OK : OFPMMFC_OUT_OF_BANDS;
}

enum of_err
of_meter_request_decode(const struct of_msg *msg, uint32_t *meter_id)
{
    struct of_reader r = msg->body;

    return of_read_u32(&r, meter_id) ? OF_OK : OFPBRC_BAD_LEN;
}

static void
put_bands(struct of_buf *b, const struct of_meter_config *c)
{
    for (size_t i = 0; i < c->n_bands; i++) {
        of_put_u16(b, (uint16_t) c->bands[i].type);
        of_put_u16(b, 16);
        of_put_u32(b, c->bands[i].rate);
        of_put_u32(b, c->bands[i].burst);
        of_put_u8(b, c->bands[i].prec_level);
        of_buf_put_zeros(b, 3);
    }
}

void
of_meter_config_put(struct of_buf *b, const struct of_meter_config *c)
{
    of_put_u16(b, (uint16_t) (8 + 16 * c->n_bands));
    of_put_u16(b, c->flags);
    of_put_u32(b, c->meter_id);
    put_bands(b, c);
}

bool
of_meter_mod_encode(struct of_buf *b, const struct of_meter_mod *mm, uint8_t version,
                    uint32_t xid)
{
    size_t start = of_msg_begin(b, OFM_METER_MOD, version, xid);

    if (start == SIZE_MAX) {
        return false;
    }
    of_put_u16(b, (uint16_t) mm->command);
    of_put_u16(b, mm->config.flags);
    of_put_u32(b, mm->config.meter_id);
    put_bands(b, &mm->config);
    return of_msg_end(b, start);
}

void
of_meter_stats_put(struct of_buf *b, const struct of_meter_stats *s)
{
    of_put_u32(b, s->meter_id);
    of_put_u16(b, (uint16_t) (40 + 16 * s->n_bands));
    of_buf_put_zeros(b, 6);
    of_put_u32(b, s->flow_count);
    of_put_u64(b, s->packet_in_count);
    of_put_u64(b, s->byte_in_count);
    of_put_u32(b, s->duration_sec);
    of_put_u32(b, s->duration_nsec);
    for (size_t i = 0; i < s->n_bands; i++) {
        of_put_u64(b, s->bands[i].packets);
        of_put_u64(b, s->bands[i].bytes);
    }
}

void
of_meter_features_encode(struct of_buf *b, uint32_t max_meters, uint8_t max_bands,
                         uint8_t version, uint32_t xid)
{
    size_t start = of_msg_begin(b, OFM_METER_FEATURES_REPLY, version, xid);

    if (start == SIZE_MAX) {
        return;
    }
    of_put_u32(b, max_meters);
    of_put_u32(b, 1u << OFPMBT_DROP);
    of_put_u32(b, OFPMF_KBPS | OFPMF_PKTPS | OFPMF_BURST | OFPMF_STATS);
    of_put_u8(b, max_bands);
    of_buf_put_zeros(b, 3); /* no colours */
    of_msg_end(b, start);
}
