/* SPDX-License-Identifier: Apache-2.0 */
/* Group modifications and requests.  What the switch says of its groups is in of-group-stats.c.
 * No state, any thread. */

#include "openflow/of-group.h"

#include <stdlib.h>
#include <string.h>

#include "openflow/of-group-private.h"
#include "util/compiler.h"
#include "util/xalloc.h"

/* Is the message in 1.5's layout? */
static bool
layout_15(uint8_t version)
{
    return version >= OF15_VERSION || version == OF10_VERSION;
}

void
of_buckets_free(struct of_bucket *buckets, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        of_actions_free(&buckets[i].actions);
    }
    free(buckets);
}

void
of_group_props_free(struct of_group_props *p)
{
    free(p->fields);
    p->fields = NULL;
    p->n_fields = 0;
}

void
of_group_mod_free(struct of_group_mod *gm)
{
    of_buckets_free(gm->buckets, gm->n_buckets);
    gm->buckets = NULL;
    gm->n_buckets = 0;
    of_group_props_free(&gm->props);
}

static enum of_err
bucket_property(struct of_prop *prop, struct of_bucket *bucket)
{
    uint32_t port;

    switch (prop->type) {
    case OFPGBPT_WEIGHT:
        return of_read_u16(&prop->data, &bucket->weight) ? OF_OK : OFPBPC_BAD_LEN;
    case OFPGBPT_WATCH_PORT: /* 32 bits in 1.0's messages too */
        if (!of_read_u32(&prop->data, &port)) {
            return OFPBPC_BAD_LEN;
        }
        return of_port_from_32(port, &bucket->watch_port) ? OF_OK : OFPGMFC_BAD_WATCH;
    case OFPGBPT_WATCH_GROUP:
        return of_read_u32(&prop->data, &bucket->watch_group) ? OF_OK : OFPBPC_BAD_LEN;
    case OFPROP_EXPERIMENTER:
        return OFPBPC_BAD_EXPERIMENTER;
    default:
        return OFPBPC_BAD_TYPE;
    }
}

static enum of_err
bucket_15(struct of_reader *r, uint8_t version, struct of_bucket *bucket)
{
    struct of_reader body, acts;
    uint16_t len, acts_len;
    enum of_err err;

    if (r->len < 8) {
        return OFPGMFC_BAD_BUCKET;
    }
    len = of_get_be16(r->p);
    acts_len = of_get_be16(r->p + 2);
    if (len < 8 || len % 8 || acts_len > len - 8 || !of_reader_take(r, len, &body)) {
        return OFPGMFC_BAD_BUCKET;
    }
    of_skip(&body, 4);
    of_read_u32(&body, &bucket->id);
    of_reader_take(&body, acts_len, &acts);
    while (body.len) {
        struct of_prop prop;

        err = of_prop_next(&body, false, &prop);
        if (!err) {
            err = bucket_property(&prop, bucket);
        }
        if (err) {
            return err;
        }
    }
    return of_actions_decode(acts, version, OF_ACTS_SET, &bucket->actions);
}

static enum of_err
bucket_11(struct of_reader *r, uint8_t version, struct of_bucket *bucket)
{
    struct of_reader body;
    uint16_t len;
    enum of_err err;

    if (r->len < 16) {
        return OFPGMFC_BAD_BUCKET;
    }
    len = of_get_be16(r->p);
    if (len < 16 || len % 8 || !of_reader_take(r, len, &body)) {
        return OFPGMFC_BAD_BUCKET;
    }
    of_skip(&body, 2);
    of_read_u16(&body, &bucket->weight);
    err = of_read_port(&body, version, &bucket->watch_port);
    if (err) {
        return OFPGMFC_BAD_WATCH;
    }
    of_read_u32(&body, &bucket->watch_group);
    of_skip(&body, 4);
    return of_actions_decode(body, version, OF_ACTS_SET, &bucket->actions);
}

static enum of_err
read_buckets(struct of_reader *r, uint8_t version, struct of_group_mod *gm)
{
    size_t cap = 0;

    while (r->len) {
        struct of_bucket bucket = {
            .id = (uint32_t) gm->n_buckets,
            .weight = layout_15(version) && gm->type == OFPGT_SELECT ? 1 : 0,
            .watch_port = OFPP_NONE,
            .watch_group = OFPG_ANY,
        };
        enum of_err err = layout_15(version) ? bucket_15(r, version, &bucket)
                                             : bucket_11(r, version, &bucket);

        if (err) {
            return err;
        }
        if (gm->n_buckets == cap) {
            cap = cap ? cap * 2 : 4;
            gm->buckets = xrealloc(gm->buckets, cap * sizeof *gm->buckets);
        }
        gm->buckets[gm->n_buckets++] = bucket;
    }
    return OF_OK;
}

/* The fields that a hash looks at: OXM entries whose values are the masks. */
static enum of_err
read_hash_fields(struct of_reader *r, struct of_group_props *props)
{
    while (r->len) {
        struct of_hash_field *f;
        struct of_value all;
        enum of_field field;
        bool masked;
        enum of_err err;

        if (of_peek_zeros(r, r->len) && r->len < 4) { /* padding inside the length */
            return OF_OK;
        }
        props->fields = xrealloc(props->fields, (props->n_fields + 1) * sizeof *props->fields);
        f = &props->fields[props->n_fields];
        err = of_oxm_decode(r, &field, &f->mask, &all, &masked);
        if (err) {
            return err;
        }
        f->field = field;
        for (size_t i = 0; i < props->n_fields; i++) {
            if (props->fields[i].field == field) {
                return OFPBMC_DUP_FIELD;
            }
        }
        if (masked) { /* the value is the mask already */
            return OFPBMC_BAD_MASK;
        }
        props->n_fields++;
    }
    return OF_OK;
}

static enum of_err
group_property(struct of_prop *prop, struct of_group_mod *gm)
{
    struct of_group_props *p = &gm->props;

    if (prop->type != OFPROP_EXPERIMENTER) {
        return OFPBPC_BAD_TYPE;
    }
    if (prop->exp != OF_EXP_NTR) {
        return OFPBPC_BAD_EXPERIMENTER;
    }
    if (prop->exp_type != NTRT_SELECTION_METHOD) {
        return OFPBPC_BAD_EXP_TYPE;
    }
    if (gm->type != OFPGT_SELECT || (gm->command != OFPGC_ADD && gm->command != OFPGC_MODIFY &&
                                     gm->command != OFPGC_ADD_OR_MOD)) {
        return OFPBPC_BAD_VALUE;
    }
    if (!of_skip(&prop->data, 4) ||
        !of_read_bytes(&prop->data, p->selection_method, sizeof p->selection_method) ||
        !of_read_u64(&prop->data, &p->selection_param)) {
        return OFPBPC_BAD_LEN;
    }
    if (p->selection_method[sizeof p->selection_method - 1] || p->n_fields) {
        return OFPBPC_BAD_VALUE;
    }
    if (strcmp(p->selection_method, "hash") && strcmp(p->selection_method, "dp_hash")) {
        return OFPBPC_BAD_VALUE;
    }
    if (prop->data.len && strcmp(p->selection_method, "hash")) {
        return OFPBPC_BAD_VALUE;
    }
    return read_hash_fields(&prop->data, p);
}

static bool
is_live_watched(const struct of_bucket *b)
{
    return b->watch_port != OFPP_NONE || b->watch_group != OFPG_ANY;
}

static int
compare_ids(const void *a_, const void *b_)
{
    uint32_t a = *(const uint32_t *) a_, b = *(const uint32_t *) b_;

    return a < b ? -1 : a > b;
}

static bool
ids_repeat(const struct of_group_mod *gm)
{
    uint32_t *ids = xcalloc(gm->n_buckets + 1, sizeof *ids);
    bool repeat = false;

    for (size_t i = 0; i < gm->n_buckets; i++) {
        ids[i] = gm->buckets[i].id;
    }
    qsort(ids, gm->n_buckets, sizeof *ids, compare_ids);
    for (size_t i = 1; i < gm->n_buckets; i++) {
        repeat |= ids[i] == ids[i - 1];
    }
    free(ids);
    return repeat;
}

static enum of_err
check_buckets(const struct of_group_mod *gm)
{
    for (size_t i = 0; i < gm->n_buckets; i++) {
        const struct of_bucket *b = &gm->buckets[i];

        if (b->id > OFPG_BUCKET_MAX) {
            return OFPGMFC_BAD_BUCKET;
        }
        if (gm->command == OFPGC_INSERT_BUCKET) {
            continue; /* the message does not say the group's type */
        }
        if (b->weight && gm->type != OFPGT_SELECT) {
            return OFPGMFC_INVALID_GROUP;
        }
        if ((gm->type == OFPGT_ALL || gm->type == OFPGT_INDIRECT) && is_live_watched(b)) {
            return OFPGMFC_WATCH_UNSUPPORTED;
        }
        if (gm->type == OFPGT_FF && !is_live_watched(b)) {
            return OFPGMFC_INVALID_GROUP;
        }
    }
    return ids_repeat(gm) ? OFPGMFC_BUCKET_EXISTS : OF_OK;
}

static enum of_err
check(const struct of_group_mod *gm, uint8_t version)
{
    bool has_id = gm->command_bucket_id <= OFPG_BUCKET_MAX;
    uint32_t special = gm->command_bucket_id;

    switch (gm->command) {
    case OFPGC_ADD:
    case OFPGC_MODIFY:
    case OFPGC_ADD_OR_MOD:
        if (gm->type == OFPGT_INDIRECT && gm->n_buckets != 1) {
            return OFPGMFC_INVALID_GROUP;
        }
        break;
    case OFPGC_DELETE:
        /* OpenFlow 1.3.5 and 1.4 say so; in 1.5, as before, buckets do not matter. */
        if (gm->n_buckets && (version == OF13_VERSION || version == OF14_VERSION)) {
            return OFPGMFC_INVALID_GROUP;
        }
        break;
    case OFPGC_INSERT_BUCKET:
        if (!layout_15(version)) {
            return OFPGMFC_BAD_COMMAND;
        }
        if (!has_id && special != OFPG_BUCKET_FIRST && special != OFPG_BUCKET_LAST) {
            return OFPGMFC_UNKNOWN_BUCKET;
        }
        break;
    case OFPGC_REMOVE_BUCKET:
        if (!layout_15(version)) {
            return OFPGMFC_BAD_COMMAND;
        }
        if (!has_id && special != OFPG_BUCKET_FIRST && special != OFPG_BUCKET_LAST &&
            special != OFPG_BUCKET_ALL) {
            return OFPGMFC_UNKNOWN_BUCKET;
        }
        break;
    default:
        return OFPGMFC_BAD_COMMAND;
    }
    if (gm->type >= OFPGT_N) {
        return OFPGMFC_BAD_TYPE;
    }
    if (gm->group_id >= OFPG_MAX &&
        !(gm->group_id == OFPG_ALL && gm->command == OFPGC_DELETE)) {
        return OFPGMFC_INVALID_GROUP;
    }
    return OF_OK;
}

static enum of_err
read_group_mod(struct of_reader *r, uint8_t version, struct of_group_mod *gm)
{
    struct of_reader buckets = *r;
    uint16_t command, buckets_len = 0;
    uint8_t type;
    enum of_err err;

    if (!of_read_u16(&buckets, &command) || !of_read_u8(&buckets, &type) ||
        !of_skip(&buckets, 1) || !of_read_u32(&buckets, &gm->group_id)) {
        return OFPBRC_BAD_LEN;
    }
    gm->command = command;
    gm->type = type;
    gm->command_bucket_id = OFPG_BUCKET_ALL;
    r->len = 0;
    if (layout_15(version)) {
        if (!of_read_u16(&buckets, &buckets_len) || !of_skip(&buckets, 2) ||
            !of_read_u32(&buckets, &gm->command_bucket_id)) {
            return OFPBRC_BAD_LEN;
        }
        *r = buckets; /* the properties stand behind the buckets */
        if (!of_reader_take(r, buckets_len, &buckets)) {
            return OFPBRC_BAD_LEN;
        }
    }
    err = read_buckets(&buckets, version, gm);
    while (!err && r->len) {
        struct of_prop prop;

        err = of_prop_next(r, false, &prop);
        if (!err) {
            err = group_property(&prop, gm);
        }
    }
    if (!err) {
        err = check(gm, version);
    }
    return err ? err : check_buckets(gm);
}

enum of_err
of_group_mod_decode(const struct of_msg *msg, struct of_group_mod *gm)
{
    struct of_reader r = msg->body;
    enum of_err err;

    *gm = (struct of_group_mod){.n_buckets = 0};
    err = read_group_mod(&r, msg->version, gm);
    if (err) {
        of_group_mod_free(gm);
    }
    return err;
}

enum of_err
of_group_request_decode(const struct of_msg *msg, uint32_t *group_id)
{
    struct of_reader r = msg->body;

    *group_id = OFPG_ALL;
    if (msg->type == OFM_GROUP_DESC_REQUEST && !layout_15(msg->version)) {
        return OF_OK;
    }
    return of_read_u32(&r, group_id) ? OF_OK : OFPBRC_BAD_LEN;
}
