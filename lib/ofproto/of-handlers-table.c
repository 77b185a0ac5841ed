/* SPDX-License-Identifier: Apache-2.0 */
/* Tables: configuration, statistics, descriptions, features.  Called by conn-dispatch.c on the
 * main thread. */

#include <string.h>

#include "ofproto/conn-private.h"
#include "ofproto/oftables.h"
#include "openflow/of-table.h"

#define N_TABLES OFTABLE_HIDDEN
#define ALL_EVICTION_FLAGS (OFPTMPEF_OTHER | OFPTMPEF_IMPORTANCE | OFPTMPEF_LIFETIME)

static const enum oftable_miss miss_from_wire[] = {
    [OF_MISS_DEFAULT] = OFTABLE_MISS_DEFAULT,
    [OF_MISS_CONTROLLER] = OFTABLE_MISS_CONTROLLER,
    [OF_MISS_CONTINUE] = OFTABLE_MISS_CONTINUE,
    [OF_MISS_DROP] = OFTABLE_MISS_DROP,
};
static const enum of_table_miss miss_to_wire[] = {
    [OFTABLE_MISS_DEFAULT] = OF_MISS_DEFAULT,
    [OFTABLE_MISS_CONTROLLER] = OF_MISS_CONTROLLER,
    [OFTABLE_MISS_CONTINUE] = OF_MISS_CONTINUE,
    [OFTABLE_MISS_DROP] = OF_MISS_DROP,
};

enum of_err
of_handle_table_stats(struct ofconn *c, struct of_msg *msg)
{
    struct oftables *tables = c->mgr->ofproto->tables;
    struct of_buf b = OF_BUF_INIT;
    struct of_mp_writer w;

    of_mp_begin(&w, &b, OFM_TABLE_STATS_REPLY, c->version, msg->xid);
    for (unsigned i = 0; i < N_TABLES; i++) {
        const struct oftable_config *config = oftables_get_config(tables, (uint8_t) i);
        const struct oftable_stats stats = oftables_get_stats(tables, (uint8_t) i);
        const struct of_table_stats s = {
            .table_id = (uint8_t) i,
            .name = config->name,
            .max_entries = stats.max_entries,
            .active = stats.active,
            .lookups = stats.n_lookup,
            .matched = stats.n_matched,
            .miss = miss_to_wire[config->miss],
            .is_last = i + 1 == N_TABLES,
        };

        of_mp_entry_begin(&w);
        of_table_stats_put(&b, &s, c->version);
        of_mp_entry_end(&w);
    }
    of_mp_end(&w);
    ofconn_send(c, &b);
    return OF_OK;
}

enum of_err
of_handle_table_features(struct ofconn *c, struct of_msg *msg)
{
    struct oftables *tables = c->mgr->ofproto->tables;
    struct of_buf b = OF_BUF_INIT;
    struct of_mp_writer w;

    if (msg->body.len) {
        return OFPTFFC_EPERM; /* what tables can do is not for controllers to change */
    }
    of_mp_begin(&w, &b, OFM_TABLE_FEATURES_REPLY, c->version, msg->xid);
    for (unsigned i = 0; i < N_TABLES; i++) {
        const struct of_table_features f = {
            .table_id = (uint8_t) i,
            .n_tables = N_TABLES,
            .name = oftables_get_config(tables, (uint8_t) i)->name,
            .max_entries = oftables_get_stats(tables, (uint8_t) i).max_entries,
        };

        of_mp_entry_begin(&w);
        of_table_features_put(&b, &f, c->version);
        of_mp_entry_end(&w);
    }
    of_mp_end(&w);
    ofconn_send(c, &b);
    return OF_OK;
}

void
of_table_describe(const struct oftables *tables, uint8_t id, struct of_table_desc *d)
{
    const struct oftable_config *config = oftables_get_config(tables, id);
    const struct oftable_stats stats = oftables_get_stats(tables, id);
    uint32_t max = stats.max_entries;
    uint32_t room = max > stats.active ? max - stats.active : 0;

    *d = (struct of_table_desc){
        .table_id = id,
        .eviction = config->eviction_flags != 0, /* as controllers had it */
        .eviction_flags = ALL_EVICTION_FLAGS,
        .vacancy = config->vacancy,
        .vacancy_down = config->vacancy_down,
        .vacancy_up = config->vacancy_up,
        .vacancy_now = max ? (uint8_t) ((uint64_t) room * 100 / max) : 0,
    };
}

enum of_err
of_handle_table_desc(struct ofconn *c, struct of_msg *msg)
{
    struct of_buf b = OF_BUF_INIT;
    struct of_mp_writer w;

    of_mp_begin(&w, &b, OFM_TABLE_DESC_REPLY, c->version, msg->xid);
    for (unsigned i = 0; i < N_TABLES; i++) {
        struct of_table_desc d;

        of_table_describe(c->mgr->ofproto->tables, (uint8_t) i, &d);
        of_mp_entry_begin(&w);
        of_table_desc_put(&b, &d);
        of_mp_entry_end(&w);
    }
    of_mp_end(&w);
    ofconn_send(c, &b);
    return OF_OK;
}

static void
change_table(struct oftables *tables, uint8_t id, const struct of_table_mod *m)
{
    struct oftable_config config = *oftables_get_config(tables, id);

    if (m->has_miss) {
        config.miss = miss_from_wire[m->miss];
    }
    if (m->has_config) {
        config.eviction_flags = m->eviction ? ALL_EVICTION_FLAGS : 0;
        config.vacancy = m->vacancy;
        if (m->vacancy) {
            config.vacancy_down = m->vacancy_down;
            config.vacancy_up = m->vacancy_up;
        }
    }
    oftables_set_config(tables, id, &config);
}

enum of_err
of_handle_table_mod(struct ofconn *c, struct of_msg *msg)
{
    struct oftables *tables = c->mgr->ofproto->tables;
    struct of_table_mod m;
    enum of_err err = of_table_mod_decode(msg, &m);

    if (err) {
        return err;
    }
    if (m.table_id != OFTABLE_ALL && m.table_id >= N_TABLES) {
        return m.table_id == OFTABLE_HIDDEN ? OFPTMFC_EPERM : OFPTMFC_BAD_TABLE;
    }
    for (unsigned i = 0; i < N_TABLES; i++) {
        if (m.table_id == OFTABLE_ALL || m.table_id == i) {
            change_table(tables, (uint8_t) i, &m);
        }
    }
    if (m.has_miss) {
        ofproto_changed();
    }
    return OF_OK;
}
