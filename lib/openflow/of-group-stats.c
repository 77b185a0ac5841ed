/* SPDX-License-Identifier: Apache-2.0 */
/* What a switch says of its groups, and group modifications on their way to other controllers.
 * No state, any thread. */

#include "openflow/of-group.h"
#include "openflow/of-group-private.h"
#include "util/compiler.h"

static void
put_bucket_15(struct of_buf *b, const struct of_bucket *bucket, enum of_group_type type,
              uint8_t version)
{
    size_t start = b->len, acts_len, prop;

    of_put_u32(b, 0);
    of_put_u32(b, bucket->id);
    acts_len =
        of_actions_encode(b, bucket->actions.a, bucket->actions.len, version, OF_ACTS_SET);
    if (type == OFPGT_SELECT) {
        prop = of_prop_begin(b, OFPGBPT_WEIGHT);
        of_put_u16(b, bucket->weight);
        of_put_u16(b, 0);
        of_prop_end(b, prop);
    }
    if (bucket->watch_port != OFPP_NONE) {
        prop = of_prop_begin(b, OFPGBPT_WATCH_PORT);
        of_put_u32(b, of_port_to_32(bucket->watch_port));
        of_prop_end(b, prop);
    }
    if (bucket->watch_group != OFPG_ANY) {
        prop = of_prop_begin(b, OFPGBPT_WATCH_GROUP);
        of_put_u32(b, bucket->watch_group);
        of_prop_end(b, prop);
    }
    of_buf_set_u16(b, start, (uint16_t) MIN(b->len - start, (size_t) UINT16_MAX));
    of_buf_set_u16(b, start + 2, (uint16_t) acts_len);
}

static void
put_bucket_11(struct of_buf *b, const struct of_bucket *bucket, uint8_t version)
{
    size_t start = b->len;

    of_put_u16(b, 0);
    of_put_u16(b, bucket->weight);
    of_put_port(b, version, bucket->watch_port);
    of_put_u32(b, bucket->watch_group);
    of_put_u32(b, 0);
    of_actions_encode(b, bucket->actions.a, bucket->actions.len, version, OF_ACTS_SET);
    of_buf_set_u16(b, start, (uint16_t) MIN(b->len - start, (size_t) UINT16_MAX));
}

static void
put_selection(struct of_buf *b, const struct of_group_props *p, uint8_t version)
{
    size_t prop = of_prop_begin_exp(b, OF_EXP_NTR, NTRT_SELECTION_METHOD);

    of_put_u32(b, 0);
    of_buf_put(b, p->selection_method, sizeof p->selection_method);
    of_put_u64(b, p->selection_param);
    for (size_t i = 0; i < p->n_fields; i++) {
        of_oxm_encode(b, p->fields[i].field, version == OF10_VERSION ? 0 : version,
                      &p->fields[i].mask, NULL);
    }
    of_prop_end(b, prop);
}

static bool
layout_15(uint8_t version)
{
    return version >= OF15_VERSION || version == OF10_VERSION;
}

static void
put_buckets(struct of_buf *b, const struct of_bucket *buckets, size_t n,
            enum of_group_type type, uint8_t version)
{
    for (size_t i = 0; i < n; i++) {
        if (layout_15(version)) {
            put_bucket_15(b, &buckets[i], type, version);
        } else {
            put_bucket_11(b, &buckets[i], version);
        }
    }
}

void
of_group_desc_put(struct of_buf *b, const struct of_group_desc *g, uint8_t version)
{
    size_t start = b->len, buckets;

    of_put_u16(b, 0);
    of_put_u8(b, (uint8_t) g->type);
    of_put_u8(b, 0);
    of_put_u32(b, g->group_id);
    of_buf_put_zeros(b, layout_15(version) ? 8 : 0);
    buckets = b->len;
    put_buckets(b, g->buckets, g->n_buckets, g->type, version);
    if (layout_15(version)) {
        of_buf_set_u16(b, start + 8, (uint16_t) MIN(b->len - buckets, (size_t) UINT16_MAX));
        if (g->props && g->props->selection_method[0]) {
            put_selection(b, g->props, version);
        }
    }
    of_buf_set_u16(b, start, (uint16_t) MIN(b->len - start, (size_t) UINT16_MAX));
}

bool
of_group_mod_encode(struct of_buf *b, const struct of_group_mod *gm, uint8_t version,
                    uint32_t xid)
{
    size_t start, len_ofs, buckets;

    if (!layout_15(version) &&
        (gm->command == OFPGC_INSERT_BUCKET || gm->command == OFPGC_REMOVE_BUCKET)) {
        return false;
    }
    start = of_msg_begin(b, OFM_GROUP_MOD, version, xid);
    of_put_u16(b, (uint16_t) gm->command);
    of_put_u8(b, (uint8_t) gm->type);
    of_put_u8(b, 0);
    of_put_u32(b, gm->group_id);
    len_ofs = b->len;
    if (layout_15(version)) {
        of_put_u32(b, 0);
        of_put_u32(b, gm->command_bucket_id);
    }
    buckets = b->len;
    put_buckets(b, gm->buckets, gm->n_buckets, gm->type, version);
    if (layout_15(version)) {
        of_buf_set_u16(b, len_ofs, (uint16_t) MIN(b->len - buckets, (size_t) UINT16_MAX));
        if (gm->props.selection_method[0]) {
            put_selection(b, &gm->props, version);
        }
    }
    return of_msg_end(b, start);
}

void
of_group_stats_put(struct of_buf *b, const struct of_group_stats *s, uint8_t version)
{
    size_t start = b->len;

    of_put_u32(b, 0);
    of_put_u32(b, s->group_id);
    of_put_u32(b, s->ref_count);
    of_put_u32(b, 0);
    of_put_u64(b, s->packet_count);
    of_put_u64(b, s->byte_count);
    if (version != OF11_VERSION && version != OF12_VERSION) {
        of_put_u32(b, s->duration_sec);
        of_put_u32(b, s->duration_nsec);
    }
    for (size_t i = 0; i < s->n_buckets; i++) {
        of_put_u64(b, s->buckets[i].packets);
        of_put_u64(b, s->buckets[i].bytes);
    }
    of_buf_set_u16(b, start, (uint16_t) MIN(b->len - start, (size_t) UINT16_MAX));
}

void
of_group_features_encode(struct of_buf *b, uint32_t max_groups, uint8_t version, uint32_t xid)
{
    /* Bitmaps of the action types that buckets may have, as each version numbers them. */
    uint32_t actions = version == OF10_VERSION   ? 0x00000fff
                       : version == OF11_VERSION ? 0x01ffe7ff
                                                 : 0x03ff8001;
    size_t start = of_msg_begin(b, OFM_GROUP_FEATURES_REPLY, version, xid);

    of_put_u32(b, (1u << OFPGT_N) - 1);
    of_put_u32(b, 0x7); /* weights, liveness, chaining */
    for (int i = 0; i < OFPGT_N; i++) {
        of_put_u32(b, max_groups);
    }
    for (int i = 0; i < OFPGT_N; i++) {
        of_put_u32(b, actions);
    }
    of_msg_end(b, start);
}
