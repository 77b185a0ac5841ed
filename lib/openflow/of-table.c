/* SPDX-License-Identifier: Apache-2.0 */
/* Table configuration, statistics and descriptions; features are in of-table-features.c.  No
 * state, any thread. */

#include "openflow/of-table.h"

#include "util/compiler.h"

enum { OFPTC_MISS_MASK = 3, OFPTC_EVICTION = 1 << 2, OFPTC_VACANCY_EVENTS = 1 << 3 };
enum { OFPTMPT_EVICTION = 2, OFPTMPT_VACANCY = 3 };

static enum of_err
table_property(struct of_prop *prop, struct of_table_mod *tm)
{
    uint8_t now = 0;

    switch (prop->type) {
    case OFPTMPT_EVICTION:
        if (prop->data.len != 4) {
            return OFPBPC_BAD_LEN;
        }
        of_read_u32(&prop->data, &tm->eviction_flags);
        return tm->eviction_flags &
                       ~(uint32_t) (OFPTMPEF_OTHER | OFPTMPEF_IMPORTANCE | OFPTMPEF_LIFETIME)
                   ? OFPBPC_BAD_VALUE
                   : OF_OK;
    case OFPTMPT_VACANCY:
        if (prop->data.len != 4) {
            return OFPBPC_BAD_LEN;
        }
        of_read_u8(&prop->data, &tm->vacancy_down);
        of_read_u8(&prop->data, &tm->vacancy_up);
        of_read_u8(&prop->data, &now);
        return tm->vacancy_down > tm->vacancy_up || tm->vacancy_up > 100 || now
                   ? OFPBPC_BAD_VALUE
                   : OF_OK;
    case OFPROP_EXPERIMENTER:
        return OFPBPC_BAD_EXPERIMENTER;
    default:
        return OFPBPC_BAD_TYPE;
    }
}

enum of_err
of_table_mod_decode(const struct of_msg *msg, struct of_table_mod *tm)
{
    struct of_reader r = msg->body;
    uint32_t config;

    *tm = (struct of_table_mod){.eviction_flags = UINT32_MAX};
    if (!of_read_u8(&r, &tm->table_id) || !of_skip(&r, 3) || !of_read_u32(&r, &config)) {
        return OFPBRC_BAD_LEN;
    }
    if (msg->version < OF14_VERSION) {
        tm->has_miss = msg->version < OF13_VERSION; /* deprecated in 1.3, without effect */
        if (config > (tm->has_miss ? OFPTC_MISS_MASK - 1u : OFPTC_MISS_MASK)) {
            return OFPTMFC_BAD_CONFIG;
        }
        tm->miss = tm->has_miss ? OF_MISS_CONTROLLER + config : OF_MISS_DEFAULT;
        return OF_OK;
    }
    if (config & ~(uint32_t) (OFPTC_MISS_MASK | OFPTC_EVICTION | OFPTC_VACANCY_EVENTS)) {
        return OFPTMFC_BAD_CONFIG;
    }
    tm->has_config = true;
    tm->eviction = config & OFPTC_EVICTION;
    tm->vacancy = config & OFPTC_VACANCY_EVENTS;
    while (r.len) {
        struct of_prop prop;
        enum of_err err = of_prop_next(&r, false, &prop);

        if (!err) {
            err = table_property(&prop, tm);
        }
        if (err) {
            return err;
        }
    }
    return OF_OK;
}

void
of_table_desc_put(struct of_buf *b, const struct of_table_desc *d)
{
    size_t start = b->len, prop;

    of_put_u16(b, 0);
    of_put_u8(b, d->table_id);
    of_put_u8(b, 0);
    of_put_u32(b,
               (d->eviction ? OFPTC_EVICTION : 0u) | (d->vacancy ? OFPTC_VACANCY_EVENTS : 0u));
    prop = of_prop_begin(b, OFPTMPT_EVICTION);
    of_put_u32(b, d->eviction_flags);
    of_prop_end(b, prop);
    if (d->vacancy) {
        prop = of_prop_begin(b, OFPTMPT_VACANCY);
        of_put_u8(b, d->vacancy_down);
        of_put_u8(b, d->vacancy_up);
        of_put_u8(b, d->vacancy_now);
        of_put_u8(b, 0);
        of_prop_end(b, prop);
    }
    of_buf_set_u16(b, start, (uint16_t) (b->len - start));
}

void
of_table_status_encode(struct of_buf *b, enum of_table_reason reason,
                       const struct of_table_desc *d, uint8_t version, uint32_t xid)
{
    size_t start = of_msg_begin(b, OFM_TABLE_STATUS, version, xid);

    if (start == SIZE_MAX) {
        return;
    }
    of_put_u8(b, (uint8_t) reason);
    of_buf_put_zeros(b, 7);
    of_table_desc_put(b, d);
    of_msg_end(b, start);
}

/* What all tables can, in the bitmaps by which 1.0 to 1.2 say so. */
enum {
    OFPFW10_ALL = 0x3fffff,
    OFPFMF11_ALL = 0xfbff, /* every field of the fixed match but the standard's in-phy-port */
    OFPIT11_GOTO = 0x2,
    OFPIT11_OTHERS = 0x3c, /* metadata, write, apply, clear */
    OFPAT11_ALL = 0x01ffe7ff,
    OFPAT12_ALL = 0x03ff8001,
};
#define OXM12_MATCH UINT64_C(0x101ffffffffd) /* basic class */
#define OXM12_SET UINT64_C(0xffffffbdd)

static uint32_t
miss_config(enum of_table_miss miss)
{
    return miss == OF_MISS_DEFAULT ? 0 : (uint32_t) (miss - OF_MISS_CONTROLLER);
}

static uint32_t
instructions(const struct of_table_stats *s)
{
    return s->is_last ? OFPIT11_OTHERS : OFPIT11_OTHERS | OFPIT11_GOTO;
}

static void
stats_11(struct of_buf *b, const struct of_table_stats *s)
{
    of_put_u32(b, OFPFMF11_ALL);
    of_put_u32(b, OFPFMF11_ALL);
    of_put_u32(b, instructions(s));
    of_put_u32(b, OFPAT11_ALL);
    of_put_u32(b, OFPAT11_ALL);
    of_put_u32(b, miss_config(s->miss));
}

static void
stats_12(struct of_buf *b, const struct of_table_stats *s)
{
    of_put_u64(b, OXM12_MATCH);
    of_put_u64(b, OXM12_MATCH);
    of_put_u32(b, OFPAT12_ALL);
    of_put_u32(b, OFPAT12_ALL);
    of_put_u64(b, OXM12_SET);
    of_put_u64(b, OXM12_SET);
    of_put_u64(b, UINT64_MAX); /* metadata: matched and written */
    of_put_u64(b, UINT64_MAX);
    of_put_u32(b, instructions(s));
    of_put_u32(b, miss_config(s->miss));
}

void
of_table_stats_put(struct of_buf *b, const struct of_table_stats *s, uint8_t version)
{
    of_put_u8(b, s->table_id);
    of_buf_put_zeros(b, version == OF11_VERSION || version == OF12_VERSION ? 7 : 3);
    if (version < OF13_VERSION) {
        of_put_str(b, s->name, OFP_MAX_TABLE_NAME_LEN);
        if (version == OF10_VERSION) {
            of_put_u32(b, OFPFW10_ALL);
        } else if (version == OF11_VERSION) {
            stats_11(b, s);
        } else {
            stats_12(b, s);
        }
        of_put_u32(b, s->max_entries);
    }
    of_put_u32(b, s->active);
    of_put_u64(b, s->lookups);
    of_put_u64(b, s->matched);
}
