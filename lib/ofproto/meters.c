/* SPDX-License-Identifier: Apache-2.0 */
/* Meters of a bridge: what controllers configured, and the ids under which the datapath polices
 * (OpenFlow 1.3.5, sections 5.7 and A.3.4.4).  Main changes them, translation looks up the
 * datapath's id on any thread.  It knows no datapath, only a struct meter_ops. */

#include "ofproto/meters.h"

#include <errno.h>
#include <stdlib.h>

#include "ofproto/id-table.h"
#include "ofproto/tables-private.h"
#include "os/clock.h"
#include "util/compiler.h"
#include "util/xalloc.h"

struct meters {
    struct id_table by_id;
    const struct meter_ops *ops; /* NULL: there is no datapath for meters */
};

/* ---- Questions ---- */

bool
meter_lookup(const struct oftables *tables, uint32_t id, uint32_t *dp_id)
{
    const struct meter *m = id_table_find(&tables->meters->by_id, id);

    if (m) {
        *dp_id = m->dp_id;
    }
    return m;
}

struct meter *
meters_find(const struct oftables *tables, uint32_t id)
{
    return id_table_find(&tables->meters->by_id, id);
}

const struct meter *
meter_find(const struct oftables *tables, uint32_t id)
{
    return meters_find(tables, id);
}

void
meters_for_each(struct oftables *tables, bool (*cb)(const struct meter *, void *), void *aux)
{
    struct meters *ms = tables->meters;
    void **all = id_table_sorted(&ms->by_id);
    bool more = true;

    for (uint32_t i = 0; more && i < id_table_count(&ms->by_id); i++) {
        more = cb(all[i], aux);
    }
    free(all);
}

bool
meter_get_counts(struct oftables *tables, const struct meter *m, struct meter_counts *counts)
{
    const struct meter_ops *ops = tables->meters->ops;

    *counts = (struct meter_counts){.n_packets = 0};
    return ops && ops->get_counts(ops->aux, m->dp_id, counts);
}

unsigned
meter_n_rules(const struct oftables *tables, const struct meter *m_)
{
    struct meter *m = (struct meter *) (uintptr_t) m_;
    uint64_t version = oftables_version(tables);

    if (m->n_rules.version != version) {
        m->n_rules = (struct rule_count){version, rule_refs_count(&m->rules, version)};
    }
    return m->n_rules.n;
}

unsigned
meters_count(const struct oftables *tables)
{
    return id_table_count(&tables->meters->by_id);
}

/* ---- Changes ---- */

static enum of_err
check(const struct of_meter_config *c)
{
    uint16_t unit = c->flags & (OFPMF_KBPS | OFPMF_PKTPS);

    if ((!c->meter_id || c->meter_id > OFPM_MAX) && c->meter_id != OFPM_SLOWPATH &&
        c->meter_id != OFPM_CONTROLLER) {
        return OFPMMFC_INVALID_METER;
    }
    if (c->flags & ~(OFPMF_KBPS | OFPMF_PKTPS | OFPMF_BURST | OFPMF_STATS) || !unit ||
        unit == (OFPMF_KBPS | OFPMF_PKTPS)) {
        return OFPMMFC_BAD_FLAGS;
    }
    if (!c->n_bands || c->n_bands > OFMETERS_MAX_BANDS) {
        return OFPMMFC_OUT_OF_BANDS;
    }
    for (size_t i = 0; i < c->n_bands; i++) {
        if (c->bands[i].type != OFPMBT_DROP) {
            return OFPMMFC_BAD_BAND;
        }
        if (!c->bands[i].rate) {
            return OFPMMFC_BAD_RATE;
        }
    }
    return OF_OK;
}

static enum of_err
error_from_datapath(int error)
{
    switch (error) {
    case 0:
        return OF_OK;
    case ENOSPC:
    case ENOMEM:
        return OFPMMFC_OUT_OF_METERS;
    case EINVAL:
        return OFPMMFC_BAD_RATE;
    default:
        return OFPMMFC_UNKNOWN;
    }
}

static enum of_err
add(struct meters *ms, const struct of_meter_config *c)
{
    uint32_t dp_id = UINT32_MAX;
    struct meter *m;
    enum of_err err;

    if (id_table_find(&ms->by_id, c->meter_id)) {
        return OFPMMFC_METER_EXISTS;
    }
    if (!ms->ops || id_table_count(&ms->by_id) >= OFMETERS_MAX) {
        return OFPMMFC_OUT_OF_METERS;
    }
    err = error_from_datapath(ms->ops->set(ms->ops->aux, c, &dp_id));
    if (err) {
        return err;
    }
    m = xzalloc(sizeof *m);
    m->id = c->meter_id;
    m->dp_id = dp_id;
    m->created_ms = clock_now_ms();
    m->config = *c;
    CDS_INIT_LIST_HEAD(&m->rules);
    id_table_put(&ms->by_id, m->id, m);
    return OF_OK;
}

static enum of_err
modify(struct meters *ms, const struct of_meter_config *c)
{
    struct meter *m = id_table_find(&ms->by_id, c->meter_id);
    enum of_err err;

    if (!m) {
        return OFPMMFC_UNKNOWN_METER;
    }
    err = ms->ops ? error_from_datapath(ms->ops->set(ms->ops->aux, c, &m->dp_id))
                  : OFPMMFC_OUT_OF_METERS;
    if (!err) {
        m->config = *c;
    }
    return err;
}

static void
meter_free_rcu(struct rcu_head *head)
{
    free(CONTAINER_OF(head, struct meter, rcu));
}

/* Its rules are gone, or see to their references on their own. */
static void
remove_meter(struct meters *ms, struct meter *m)
{
    while (!cds_list_empty(&m->rules)) {
        cds_list_del_init(m->rules.next);
    }
    id_table_remove(&ms->by_id, m->id);
    if (ms->ops) {
        ms->ops->del(ms->ops->aux, m->dp_id);
    }
    call_rcu(&m->rcu, meter_free_rcu);
}

static void
remove_all(struct meters *ms)
{
    void **all = id_table_sorted(&ms->by_id);
    uint32_t n = id_table_count(&ms->by_id);

    for (uint32_t i = 0; i < n; i++) {
        remove_meter(ms, all[i]);
    }
    free(all);
}

void
meters_remove_all(struct oftables *tables)
{
    remove_all(tables->meters);
}

bool
oftxn_end_meter_rules_some(struct oftxn *txn, uint32_t id, struct slice *slice)
{
    const struct id_table *by_id = &txn->tables->meters->by_id;

    if (!txn->refs) {
        void **all = id == OFPM_ALL ? id_table_sorted(by_id) : xmalloc(sizeof *all);
        uint32_t n = id == OFPM_ALL ? id_table_count(by_id) : 0;

        if (id != OFPM_ALL) {
            all[0] = meters_find(txn->tables, id);
            n = all[0] != NULL; /* deleting what is not there is no error */
        }
        oftxn_refs_begin(txn, all, n);
    }
    while (txn->refs->next < txn->refs->n) {
        struct meter *m = txn->refs->all[txn->refs->next];

        if (!oftxn_refs_remove(txn, &m->rules, OFPRR_METER_DELETE, slice)) {
            return false;
        }
        txn->refs->next++;
    }
    oftxn_refs_end(txn);
    return true;
}

static void
notify_changed(struct oftables *tables)
{
    if (tables->ops.changed) {
        tables->ops.changed(tables->ops.aux);
    }
}

void
oftables_remove_meter(struct oftables *tables, uint32_t id)
{
    struct meter *m = id == OFPM_ALL ? NULL : meters_find(tables, id);

    if (id == OFPM_ALL) {
        remove_all(tables->meters);
    } else if (m) {
        remove_meter(tables->meters, m);
    }
    notify_changed(tables);
}

static void
delete_meters(struct oftables *tables, uint32_t id, const struct of_requester *req)
{
    struct oftxn *txn = oftxn_begin(tables, req);
    struct slice slice = SLICE_ENDLESS;

    oftxn_end_meter_rules_some(txn, id, &slice);
    oftxn_commit(txn);
    oftables_remove_meter(tables, id);
}

enum of_err
oftables_meter_mod(struct oftables *tables, const struct of_meter_mod *mm,
                   const struct of_requester *req)
{
    enum of_err err;

    switch (mm->command) {
    case OFPMC_ADD:
    case OFPMC_MODIFY:
        err = check(&mm->config);
        if (!err) {
            err = mm->command == OFPMC_ADD ? add(tables->meters, &mm->config)
                                           : modify(tables->meters, &mm->config);
        }
        break;
    case OFPMC_DELETE:
        delete_meters(tables, mm->config.meter_id, req);
        return OF_OK;
    default:
        return OFPMMFC_BAD_COMMAND;
    }
    if (!err) {
        notify_changed(
            tables); /* a meter of this id may be named in buckets, or by packet-ins */
    }
    return err;
}

/* ---- All of them ---- */

struct meters *
meters_create(void)
{
    struct meters *ms = xzalloc(sizeof *ms);

    id_table_init(&ms->by_id);
    return ms;
}

void
meters_destroy(struct meters *ms)
{
    remove_all(ms);
    id_table_destroy(&ms->by_id);
    free(ms);
}

void
meters_set_ops(struct oftables *tables, const struct meter_ops *ops)
{
    if (ops != tables->meters->ops) {
        remove_all(tables->meters);
        tables->meters->ops = ops;
    }
}
