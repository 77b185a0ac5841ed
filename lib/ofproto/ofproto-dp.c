/* SPDX-License-Identifier: Apache-2.0 */
/* The datapaths that bridges share, and what the tables of a bridge that is gone still need of
 * them.  Called by ofproto.c and the event loop on the main thread. */

#include <stdlib.h>
#include <string.h>
#include <urcu/list.h>

#include "ofproto/meters-dp.h"
#include "ofproto/ofproto-private.h"
#include "ofproto/upcall.h"
#include "os/rcu.h"
#include "util/xalloc.h"

struct ofproto_dp *all_ofproto_dps;

static struct ofproto_dp *
odp_new(const char *type)
{
    struct ofproto_dp *d = xzalloc(sizeof *d);

    d->type = xstrdup(type);
    d->ops = upcall_ops;
    d->ops.aux = d;
    d->next = all_ofproto_dps;
    all_ofproto_dps = d;
    return d;
}

static void
odp_free_first(void)
{
    struct ofproto_dp *d = all_ofproto_dps;

    all_ofproto_dps = d->next;
    free(d->type);
    free(d);
}

const struct ofproto_dp **
ofproto_dps_sorted(size_t *n)
{
    const struct ofproto_dp **list = NULL;

    *n = 0;
    for (const struct ofproto_dp *d = all_ofproto_dps; d; d = d->next) {
        size_t i;

        if (!d->n_refs) {
            continue;
        }
        list = xrealloc(list, (*n + 1) * sizeof *list);
        for (i = (*n)++; i > 0 && strcmp(list[i - 1]->type, d->type) > 0; i--) {
            list[i] = list[i - 1];
        }
        list[i] = d;
    }
    return list;
}

int
ofproto_dp_get(const char *type, struct ofproto_dp **odpp, char **errp)
{
    struct ofproto_dp *d;
    bool is_new;
    int error;

    if (!*type || !strcmp(type, "system")) {
        type = "netdev";
    }
    for (d = all_ofproto_dps; d && strcmp(d->type, type);) {
        d = d->next;
    }
    is_new = !d;
    if (is_new) {
        d = odp_new(type);
    }
    if (!d->dp) {
        error = dp_open(type, &d->ops, &d->dp, errp);
        if (error) {
            d->dp = NULL;
            if (is_new) {
                odp_free_first();
            }
            return error;
        }
    }
    if (!d->n_refs++) {
        dp_features_init(&d->features);
        d->meters = meters_dp_create(d->dp);
    }
    *odpp = d;
    return 0;
}

/* Nobody uses it in its present snapshot. */
static void
odp_close_unused(struct ofproto_dp *odp)
{
    if (!odp->n_refs) {
        meters_dp_destroy(odp->meters);
        odp->meters = NULL;
        dp_close(odp->dp);
        odp->dp = NULL;
    }
}

/* Large tables of bridges that are gone.  Their meters are the datapath's, hence a reference.
 */
struct old_tables {
    struct cds_list_head node;
    struct oftables *tables;
    struct ofproto_dp *odp;
    struct ev_defer defer;
};

static CDS_LIST_HEAD(all_old_tables);

static void
old_tables_free(struct old_tables *old)
{
    cds_list_del(&old->node);
    ev_defer_stop(&old->defer);
    if (!--old->odp->n_refs) {
        ofproto_publish();
        synchronize_rcu();
        odp_close_unused(old->odp);
    }
    free(old);
}

static void
old_tables_cb(struct ev_defer *defer)
{
    struct old_tables *old = defer->aux;
    struct slice slice = slice_of_us(OFTABLES_SLICE_US);

    if (oftables_destroy_some(old->tables, &slice)) {
        old_tables_free(old);
    } else {
        ev_defer_start(defer);
    }
}

void
ofproto_dp_put(struct ofproto_dp *odp, struct oftables *t, struct evloop *loop)
{
    struct slice slice = slice_of_us(OFTABLES_SLICE_US);
    struct old_tables *old;

    if (oftables_destroy_some(t, &slice)) {
        odp_close_unused(odp);
        return;
    }
    old = xzalloc(sizeof *old);
    odp->n_refs++;
    old->tables = t;
    old->odp = odp;
    cds_list_add(&old->node, &all_old_tables);
    ev_defer_init(&old->defer, loop, old_tables_cb, old);
    ev_defer_start(&old->defer);
}

void
ofproto_dps_settle(void)
{
    struct old_tables *old, *next;

    cds_list_for_each_entry_safe(old, next, &all_old_tables, node)
    {
        oftables_destroy(old->tables);
        old_tables_free(old);
    }
}

void
ofproto_dps_free(void)
{
    while (all_ofproto_dps) {
        odp_free_first();
    }
}
