/* SPDX-License-Identifier: Apache-2.0 */
/* Assignment of rx queues to polling cores by the policies that users of pmd-rxq-assign know.
 * Called by pmd-set.c on main, and by its unit test; knows nothing of threads and devices. */

#include "datapath/pmd-sched.h"

#include <stdlib.h>
#include <string.h>

#include "util/num.h"
#include "util/xalloc.h"

/* Deals the cores of one node (or, with `any_numa`, all) that are not isolated. */
struct dealer {
    int *cores; /* indices */
    int n, next, step;
};

static void
dealer_init(struct dealer *d, const struct sched_core *cores, size_t n_cores, unsigned numa,
            bool any_numa)
{
    d->cores = xcalloc(n_cores + 1, sizeof *d->cores);
    d->n = d->next = 0;
    d->step = 1;
    for (size_t i = 0; i < n_cores; i++) {
        if (!cores[i].isolated && (any_numa || cores[i].numa == numa)) {
            d->cores[d->n++] = (int) i;
        }
    }
}

static int
dealer_next(struct dealer *d, bool there_and_back)
{
    int core = d->cores[d->next];

    d->next += d->step;
    if (d->next >= d->n || d->next < 0) {
        if (there_and_back) {
            d->step = -d->step;
            d->next += d->step;
        } else {
            d->next = 0;
        }
    }
    return core;
}

static int
dealer_least(const struct dealer *d, const struct sched_core *cores)
{
    int best = d->cores[0];

    for (int i = 1; i < d->n; i++) {
        const struct sched_core *c = &cores[d->cores[i]], *b = &cores[best];

        if (c->load < b->load || (c->load == b->load && c->n_rxqs < b->n_rxqs)) {
            best = d->cores[i];
        }
    }
    return best;
}

static void
give(struct sched_rxq *q, struct sched_core *cores, int core)
{
    q->core = core;
    cores[core].n_rxqs++;
    cores[core].load += q->cycles;
}

static void
assign_pinned(bool isolate, struct sched_core *cores, size_t n_cores, struct sched_rxq *rxqs,
              size_t n_rxqs)
{
    for (size_t i = 0; i < n_cores; i++) {
        cores[i].isolated = false;
        cores[i].n_rxqs = 0;
        cores[i].load = 0;
    }
    for (size_t i = 0; i < n_rxqs; i++) {
        struct sched_rxq *q = &rxqs[i];

        q->core = -1;
        q->other_numa = false;
        q->pin_failed = q->pin >= 0;
        for (size_t j = 0; q->pin >= 0 && j < n_cores; j++) {
            if (cores[j].core == (unsigned) q->pin) {
                give(q, cores, (int) j);
                q->pin_failed = false;
                cores[j].isolated = isolate;
                break;
            }
        }
    }
}

struct order {
    size_t i;
    uint64_t cycles;
};

static int
compare_order(const void *a_, const void *b_)
{
    const struct order *a = a_, *b = b_;

    if (a->cycles != b->cycles) {
        return a->cycles > b->cycles ? -1 : 1;
    }
    return a->i < b->i ? -1 : a->i > b->i;
}

/* Nodes are few; each that occurs among the queues gets a dealer, found by its number. */
struct dealers {
    unsigned *numas;
    struct dealer *d;
    size_t n;
};

static struct dealer *
dealers_get(struct dealers *ds, const struct sched_core *cores, size_t n_cores, unsigned numa)
{
    for (size_t i = 0; i < ds->n; i++) {
        if (ds->numas[i] == numa) {
            return &ds->d[i];
        }
    }
    ds->numas = xrealloc(ds->numas, (ds->n + 1) * sizeof *ds->numas);
    ds->d = xrealloc(ds->d, (ds->n + 1) * sizeof *ds->d);
    ds->numas[ds->n] = numa;
    dealer_init(&ds->d[ds->n], cores, n_cores, numa, false);
    return &ds->d[ds->n++];
}

static void
dealers_free(struct dealers *ds)
{
    for (size_t i = 0; i < ds->n; i++) {
        free(ds->d[i].cores);
    }
    free(ds->d);
    free(ds->numas);
}

void
pmd_sched_assign(enum sched_policy policy, bool isolate, struct sched_core *cores,
                 size_t n_cores, struct sched_rxq *rxqs, size_t n_rxqs)
{
    struct order *order = xcalloc(n_rxqs + 1, sizeof *order);
    struct dealers dealers = {NULL, NULL, 0};
    struct dealer any;
    size_t n = 0;

    assign_pinned(isolate || policy != SCHED_GROUP, cores, n_cores, rxqs, n_rxqs);
    for (size_t i = 0; i < n_rxqs; i++) {
        if (rxqs[i].core < 0) {
            order[n++] = (struct order){i, rxqs[i].cycles};
        }
    }
    if (policy != SCHED_ROUNDROBIN) {
        qsort(order, n, sizeof *order, compare_order);
    }
    dealer_init(&any, cores, n_cores, 0, true);
    for (size_t i = 0; i < n; i++) {
        struct sched_rxq *q = &rxqs[order[i].i];
        struct dealer *d = dealers_get(&dealers, cores, n_cores, q->numa);

        if (!d->n) {
            q->other_numa = true;
            d = &any;
        }
        if (d->n) {
            give(q, cores,
                 policy == SCHED_GROUP ? dealer_least(d, cores)
                                       : dealer_next(d, policy == SCHED_CYCLES));
        }
    }
    free(any.cores);
    dealers_free(&dealers);
    free(order);
}

uint64_t
pmd_sched_variance(const struct sched_core *cores, size_t n_cores, unsigned numa,
                   uint64_t total)
{
    double sum = 0, sum_sq = 0, n = 0, mean;

    for (size_t i = 0; total && i < n_cores; i++) {
        if (!cores[i].isolated && cores[i].numa == numa) {
            double share = (double) cores[i].load * 1000000 / (double) total;

            sum += share;
            sum_sq += share * share;
            n++;
        }
    }
    if (n < 1) {
        return 0;
    }
    mean = sum / n;
    return (uint64_t) MAX(sum_sq / n - mean * mean, 0.0);
}

static const char *const policy_names[] = {"cycles", "roundrobin", "group"};

bool
pmd_sched_policy_parse(const char *s, enum sched_policy *policy)
{
    for (unsigned i = 0; i < ARRAY_SIZE(policy_names); i++) {
        if (!strcmp(s, policy_names[i])) {
            *policy = (enum sched_policy) i;
            return true;
        }
    }
    return false;
}

const char *
pmd_sched_policy_name(enum sched_policy policy)
{
    return policy_names[policy];
}

bool
pmd_sched_affinity_parse(const char *s, int *pins, unsigned n_rxq)
{
    char *copy = xstrdup(s ? s : ""), *save = NULL;
    bool ok = true;

    for (unsigned i = 0; i < n_rxq; i++) {
        pins[i] = -1;
    }
    for (char *t = strtok_r(copy, ", ", &save); t && ok; t = strtok_r(NULL, ", ", &save)) {
        char *colon = strchr(t, ':');
        int queue, core;

        if (!colon) {
            ok = false;
            break;
        }
        *colon = '\0';
        ok = num_parse_int(t, 0, UINT16_MAX, &queue) &&
             num_parse_int(colon + 1, 0, 65535, &core);
        if (ok && (unsigned) queue < n_rxq) {
            pins[queue] = core;
        }
    }
    for (unsigned i = 0; !ok && i < n_rxq; i++) {
        pins[i] = -1;
    }
    free(copy);
    return ok;
}
