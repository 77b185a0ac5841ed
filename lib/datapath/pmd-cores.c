/* SPDX-License-Identifier: Apache-2.0 */
/* Which cores polling threads run on, by other_config:pmd-cpu-mask or by default; and that no
 * other thread of the process does.  Runs on main. */

#include <stdlib.h>

#include "datapath/dp-private.h"
#include "log/log.h"
#include "os/affinity.h"
#include "os/numa.h"
#include "util/num.h"
#include "util/xalloc.h"

LOG_MODULE(dpif_netdev);

#define MAX_CORES 4096u

static void
cores_add(struct pmd_cores *cores, unsigned core)
{
    size_t i = cores->n;

    for (size_t j = 0; j < cores->n; j++) {
        if (cores->c[j].core == core) {
            return;
        }
    }
    cores->c = xrealloc(cores->c, (cores->n + 1) * sizeof *cores->c);
    for (; i > 0 && cores->c[i - 1].core > core; i--) {
        cores->c[i] = cores->c[i - 1];
    }
    cores->c[i] = (struct sched_core){.core = core, .numa = numa_topo_cpu_node(core)};
    cores->n++;
}

static bool mask_told; /* complaints about the present mask are in the log */

static void
mask_cb(unsigned core, void *cores_)
{
    if (affinity_can_pin(core)) {
        cores_add(cores_, core);
    } else if (!mask_told) {
        LOG_WARN("other_config:pmd-cpu-mask names core %u, which this process may not use: no "
                 "polling thread there",
                 core);
    }
}

/* The default for one node: its lowest allowed core, but not core 0, where the system's own
 * work gathers, if there is another. */
static void
cores_add_default(struct pmd_cores *cores, unsigned numa)
{
    unsigned *cpus = xcalloc(MAX_CORES, sizeof *cpus);
    size_t n = MIN(affinity_allowed(cpus, MAX_CORES), (size_t) MAX_CORES);
    unsigned best = NUMA_TOPO_NO_CPU;

    for (size_t i = 0; i < n; i++) {
        if (numa_topo_cpu_node(cpus[i]) == numa && (best == NUMA_TOPO_NO_CPU || best == 0)) {
            best = cpus[i];
        }
    }
    for (size_t i = 0; i < n && best == NUMA_TOPO_NO_CPU; i++) {
        /* None on this node. */
        best = n > 1 ? cpus[1] : cpus[0];
    }
    cores_add(cores, best == NUMA_TOPO_NO_CPU ? 0 : best);
    free(cpus);
}

/* Tells once about what a mask asks for in vain. */
static void
cores_add_mask(struct pmd_cores *cores)
{
    static char *told;

    mask_told = !dp_config_is_news(&told, dp_config.cpu_mask);
    num_parse_mask(dp_config.cpu_mask, mask_cb, cores);
    if (!mask_told && !cores->n) {
        LOG_WARN("other_config:pmd-cpu-mask=%s names no core that this process may use: "
                 "taking the default",
                 dp_config.cpu_mask);
    }
}

void
pmd_cores_choose(struct pmd_cores *cores, const struct sched_rxq *rxqs, size_t n_rxqs)
{
    cores->c = NULL;
    cores->n = 0;
    if (!n_rxqs) {
        return;
    }
    if (dp_config.cpu_mask) {
        cores_add_mask(cores);
    }
    if (cores->n) {
        return;
    }
    for (size_t i = 0; i < n_rxqs; i++) {
        cores_add_default(cores, rxqs[i].numa);
    }
}

/* Fills cores[] with at most `max` of those that polling threads run on; returns how many. */
static size_t
cores_polled(unsigned *cores, size_t max)
{
    size_t n = 0;

    for (unsigned i = 0; i < DP_MAX; i++) {
        const struct pmd_list *list = dps[i] ? dp_pmds(dps[i]) : NULL;

        /* The first is main's context. */
        for (unsigned j = 1; list && j < list->n && n < max; j++) {
            cores[n++] = list->pmds[j]->core;
        }
    }
    return n;
}

void
pmd_cores_clear(void)
{
    unsigned *cores = xcalloc(MAX_CORES, sizeof *cores);
    size_t n = cores_polled(cores, MAX_CORES);
    size_t n_left = affinity_keep_off(cores, n);

    if (n && n_left) {
        LOG_INFO("threads that do not poll run on %zu other core%s", n_left,
                 n_left == 1 ? "" : "s");
    } else if (n) {
        LOG_INFO("polling threads share their cores with the other threads: "
                 "other_config:pmd-cpu-mask leaves those none");
    }
    free(cores);
}
