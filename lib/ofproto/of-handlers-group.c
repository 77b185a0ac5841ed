/* SPDX-License-Identifier: Apache-2.0 */
/* Groups and meters: changes, statistics, descriptions, features.  Called by conn-dispatch.c
 * and bundles on the main thread. */

#include <stdlib.h>
#include <string.h>

#include "ofproto/conn-private.h"
#include "ofproto/groups.h"
#include "ofproto/meters.h"
#include "os/clock.h"
#include "util/compiler.h"
#include "util/xalloc.h"

struct dump {
    struct of_mp_writer w;
    struct of_buf b;
    struct oftables *tables;
    int64_t now;
};

static void
dump_begin(struct dump *d, struct ofconn *c, const struct of_msg *msg)
{
    *d = (struct dump){.tables = c->mgr->ofproto->tables, .now = clock_now_ms()};
    of_mp_begin(&d->w, &d->b, of_msg_reply_type(msg->type), c->version, msg->xid);
}

static enum of_err
dump_end(struct dump *d, struct ofconn *c)
{
    of_mp_end(&d->w);
    ofconn_send(c, &d->b);
    return OF_OK;
}

/* ------------------------------------------------------------------ groups */

enum of_err
of_handle_group_mod(struct ofconn *c, struct of_msg *msg)
{
    of_commit_message(c, msg, NULL, of_commit_refuse);
    return OF_OK;
}

static bool
dump_group_stats(const struct group *g, void *d_)
{
    struct dump *d = d_;
    struct of_bucket_counts *counts = xcalloc(g->n_buckets + 1, sizeof *counts);
    struct of_group_stats s = {
        .group_id = g->id,
        .ref_count = group_n_rules(d->tables, g),
        .packet_count = atomic_load_explicit(&g->counts->n_packets, memory_order_relaxed),
        .byte_count = atomic_load_explicit(&g->counts->n_bytes, memory_order_relaxed),
        .buckets = counts,
        .n_buckets = g->n_buckets,
    };

    of_duration(d->now - g->created_ms, &s.duration_sec, &s.duration_nsec);
    for (unsigned i = 0; i < g->n_buckets; i++) {
        const struct group_counts *b = g->buckets[i].counts;

        counts[i].packets = atomic_load_explicit(&b->n_packets, memory_order_relaxed);
        counts[i].bytes = atomic_load_explicit(&b->n_bytes, memory_order_relaxed);
    }
    of_mp_entry_begin(&d->w);
    of_group_stats_put(&d->b, &s, d->w.version);
    of_mp_entry_end(&d->w);
    free(counts);
    return true;
}

static bool
dump_group_desc(const struct group *g, void *d_)
{
    struct dump *d = d_;
    struct of_bucket *buckets = xcalloc(g->n_buckets + 1, sizeof *buckets);
    struct of_hash_field *fields = xcalloc(g->n_fields + 1, sizeof *fields);
    struct of_group_props props = {
        .selection_param = g->selection_param,
        .fields = fields,
        .n_fields = g->n_fields,
    };
    const struct of_group_desc desc = {
        .group_id = g->id,
        .type = g->type,
        .buckets = buckets,
        .n_buckets = g->n_buckets,
        .props = &props,
    };

    memcpy(props.selection_method, g->selection_method, sizeof props.selection_method);
    for (unsigned i = 0; i < g->n_fields; i++) {
        fields[i].field = g->fields[i].f;
        fields[i].mask = g->fields[i].mask;
    }
    for (unsigned i = 0; i < g->n_buckets; i++) {
        const struct group_bucket *b = &g->buckets[i];

        buckets[i].id = b->id;
        buckets[i].weight = b->weight;
        buckets[i].watch_port = b->watch_port;
        buckets[i].watch_group = b->watch_group;
        /* Borrowed: nobody frees what is put into a message. */
        buckets[i].actions.a = (struct of_act *) (uintptr_t) b->acts;
        buckets[i].actions.len = b->acts_len;
    }
    of_mp_entry_begin(&d->w);
    of_group_desc_put(&d->b, &desc, d->w.version);
    of_mp_entry_end(&d->w);
    free(buckets);
    free(fields);
    return true;
}

static enum of_err
dump_groups(struct ofconn *c, const struct of_msg *msg,
            bool (*cb)(const struct group *, void *))
{
    struct dump d;
    uint32_t id;
    enum of_err err = of_group_request_decode(msg, &id);

    if (err) {
        return err;
    }
    dump_begin(&d, c, msg);
    groups_for_each(d.tables, id, cb, &d);
    return dump_end(&d, c);
}

enum of_err
of_handle_group_stats(struct ofconn *c, struct of_msg *msg)
{
    return dump_groups(c, msg, dump_group_stats);
}

enum of_err
of_handle_group_desc(struct ofconn *c, struct of_msg *msg)
{
    return dump_groups(c, msg, dump_group_desc);
}

enum of_err
of_handle_group_features(struct ofconn *c, struct of_msg *msg)
{
    struct of_buf b = OF_BUF_INIT;

    of_group_features_encode(&b, OFTABLES_MAX_GROUPS, c->version, msg->xid);
    ofconn_send(c, &b);
    return OF_OK;
}

/* ------------------------------------------------------------------ meters */

enum of_err
of_handle_meter_mod(struct ofconn *c, struct of_msg *msg)
{
    const struct of_requester who = {c, msg->xid, c->version};
    struct of_meter_mod m;
    enum of_err err = of_meter_mod_decode(msg, &m);

    if (!err && m.command == OFPMC_DELETE) {
        of_commit_message(c, msg, NULL, of_commit_refuse); /* of how many flows, is not known */
        return OF_OK;
    }
    if (!err) {
        err = oftables_meter_mod(c->mgr->ofproto->tables, &m, &who);
    }
    if (!err) {
        connmgr_forward_request(c->mgr, c, msg);
    }
    return err;
}

static bool
dump_meter_stats(const struct meter *m, void *d_)
{
    struct dump *d = d_;
    struct meter_counts counts = {.n_packets = 0};
    struct of_meter_stats s = {
        .meter_id = m->id,
        .flow_count = meter_n_rules(d->tables, m),
        .n_bands = m->config.n_bands,
    };

    meter_get_counts(d->tables, m, &counts);
    s.packet_in_count = counts.n_packets;
    s.byte_in_count = counts.n_bytes;
    of_duration(d->now - m->created_ms, &s.duration_sec, &s.duration_nsec);
    for (size_t i = 0; i < m->config.n_bands; i++) {
        s.bands[i].packets = counts.bands[i].n_packets;
        s.bands[i].bytes = counts.bands[i].n_bytes;
    }
    of_mp_entry_begin(&d->w);
    of_meter_stats_put(&d->b, &s);
    of_mp_entry_end(&d->w);
    return true;
}

static bool
dump_meter_config(const struct meter *m, void *d_)
{
    struct dump *d = d_;

    of_mp_entry_begin(&d->w);
    of_meter_config_put(&d->b, &m->config);
    of_mp_entry_end(&d->w);
    return true;
}

static enum of_err
dump_meters(struct ofconn *c, const struct of_msg *msg,
            bool (*cb)(const struct meter *, void *))
{
    const struct meter *m;
    struct dump d;
    uint32_t id;
    enum of_err err = of_meter_request_decode(msg, &id);

    if (err) {
        return err;
    }
    m = id == OFPM_ALL ? NULL : meter_find(c->mgr->ofproto->tables, id);
    if (!m && id != OFPM_ALL) {
        return OFPMMFC_UNKNOWN_METER;
    }
    dump_begin(&d, c, msg);
    if (m) {
        cb(m, &d);
    } else {
        meters_for_each(d.tables, cb, &d);
    }
    return dump_end(&d, c);
}

enum of_err
of_handle_meter_stats(struct ofconn *c, struct of_msg *msg)
{
    return dump_meters(c, msg, dump_meter_stats);
}

enum of_err
of_handle_meter_config(struct ofconn *c, struct of_msg *msg)
{
    return dump_meters(c, msg, dump_meter_config);
}

enum of_err
of_handle_meter_features(struct ofconn *c, struct of_msg *msg)
{
    struct of_buf b = OF_BUF_INIT;

    of_meter_features_encode(&b, OFMETERS_MAX, OFMETERS_MAX_BANDS, c->version, msg->xid);
    ofconn_send(c, &b);
    return OF_OK;
}
