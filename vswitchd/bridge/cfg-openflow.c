/* SPDX-License-Identifier: Apache-2.0 */
/* The OpenFlow part of a bridge's configuration: building, copying, comparing.  Used by
 * snapshot, plan and apply on the main thread.  Knows nothing of the database. */

#include "vswitchd/bridge/cfg-openflow.h"

#include <stdlib.h>
#include <string.h>

#include "util/xalloc.h"

struct cfg_controller *
cfg_openflow_add_controller(struct cfg_openflow *of, const char *uuid, const char *target)
{
    struct cfg_controller *c;

    of->controllers =
        xrealloc(of->controllers, (of->n_controllers + 1) * sizeof *of->controllers);
    c = &of->controllers[of->n_controllers++];
    memset(c, 0, sizeof *c);
    c->uuid = xstrdup(uuid);
    c->target = xstrdup(target);
    return c;
}

struct cfg_flow_table *
cfg_openflow_add_table(struct cfg_openflow *of, uint8_t id)
{
    struct cfg_flow_table *t;

    of->tables = xrealloc(of->tables, (of->n_tables + 1) * sizeof *of->tables);
    t = &of->tables[of->n_tables++];
    memset(t, 0, sizeof *t);
    t->id = id;
    t->flow_limit = -1;
    return t;
}

static int
compare_controllers(const void *a, const void *b)
{
    return strcmp(((const struct cfg_controller *) a)->target,
                  ((const struct cfg_controller *) b)->target);
}

static int
compare_tables(const void *a, const void *b)
{
    return ((const struct cfg_flow_table *) a)->id - ((const struct cfg_flow_table *) b)->id;
}

void
cfg_openflow_sort(struct cfg_openflow *of)
{
    if (of->n_controllers) {
        qsort(of->controllers, of->n_controllers, sizeof *of->controllers, compare_controllers);
    }
    if (of->n_tables) {
        qsort(of->tables, of->n_tables, sizeof *of->tables, compare_tables);
    }
}

void
cfg_openflow_destroy(struct cfg_openflow *of)
{
    for (size_t i = 0; i < of->n_controllers; i++) {
        free(of->controllers[i].uuid);
        free(of->controllers[i].target);
    }
    for (size_t i = 0; i < of->n_tables; i++) {
        free(of->tables[i].name);
        free(of->tables[i].prefixes);
        free(of->tables[i].groups);
    }
    free(of->controllers);
    free(of->tables);
    free(of->dp_desc);
    free(of->serial);
    memset(of, 0, sizeof *of);
}

void
cfg_openflow_copy(struct cfg_openflow *to, const struct cfg_openflow *from)
{
    memset(to, 0, sizeof *to);
    to->versions = from->versions;
    to->queue_size = from->queue_size;
    to->dp_desc = xstrdup_nullable(from->dp_desc);
    to->serial = xstrdup_nullable(from->serial);
    for (size_t i = 0; i < from->n_controllers; i++) {
        const struct cfg_controller *c = &from->controllers[i];

        cfg_openflow_add_controller(to, c->uuid, c->target)->s = c->s;
    }
    for (size_t i = 0; i < from->n_tables; i++) {
        const struct cfg_flow_table *t = &from->tables[i];
        struct cfg_flow_table *copy = cfg_openflow_add_table(to, t->id);

        copy->flow_limit = t->flow_limit;
        copy->evict = t->evict;
        copy->name = xstrdup_nullable(t->name);
        copy->prefixes = xstrdup_nullable(t->prefixes);
        copy->groups = xstrdup_nullable(t->groups);
    }
}

static bool
text_equal(const char *a, const char *b)
{
    return a && b ? !strcmp(a, b) : a == b;
}

static bool
controllers_equal(const struct cfg_controller *a, const struct cfg_controller *b)
{
    return text_equal(a->uuid, b->uuid) && text_equal(a->target, b->target) &&
           a->s.max_backoff_ms == b->s.max_backoff_ms && a->s.probe_ms == b->s.probe_ms &&
           a->s.is_service == b->s.is_service && a->s.is_primary == b->s.is_primary &&
           a->s.no_async == b->s.no_async && a->s.rate_limit == b->s.rate_limit &&
           a->s.burst_limit == b->s.burst_limit && a->s.queue_size == b->s.queue_size &&
           a->s.dscp == b->s.dscp;
}

static bool
tables_equal(const struct cfg_flow_table *a, const struct cfg_flow_table *b)
{
    return a->id == b->id && a->flow_limit == b->flow_limit && a->evict == b->evict &&
           text_equal(a->name, b->name) && text_equal(a->prefixes, b->prefixes) &&
           text_equal(a->groups, b->groups);
}

bool
cfg_openflow_equal(const struct cfg_openflow *a, const struct cfg_openflow *b)
{
    bool equal = a->versions == b->versions && a->queue_size == b->queue_size &&
                 text_equal(a->dp_desc, b->dp_desc) && text_equal(a->serial, b->serial) &&
                 a->n_controllers == b->n_controllers && a->n_tables == b->n_tables;

    for (size_t i = 0; equal && i < a->n_controllers; i++) {
        equal = controllers_equal(&a->controllers[i], &b->controllers[i]);
    }
    for (size_t i = 0; equal && i < a->n_tables; i++) {
        equal = tables_equal(&a->tables[i], &b->tables[i]);
    }
    return equal;
}
