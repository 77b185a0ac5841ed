/* SPDX-License-Identifier: Apache-2.0 */
/* ovs-appctl dpif-netdev/pmd-...: what the polling threads do, and how busy they are.  Main
 * thread; the layouts are those that scripts know from Open vSwitch. */

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "datapath/dp-private.h"
#include "log/ctl.h"
#include "os/clock.h"
#include "util/num.h"
#include "util/xalloc.h"

struct pmd_args {
    struct dp *dp;
    bool by_core;
    unsigned core;
    int secs;
};

/* Replies and returns false on failure. */
static bool
parse_args(struct ctl_conn *conn, int argc, const char *const argv[], struct pmd_args *a)
{
    const char *dp_arg = NULL;

    *a = (struct pmd_args){.secs = USAGE_INTERVALS * USAGE_INTERVAL_MS / 1000};
    for (int i = 1; i < argc; i++) {
        int value;

        if (!strcmp(argv[i], "-nh")) {
            continue; /* "no histograms": there are none */
        }
        if (argv[i][0] != '-') {
            if (dp_arg) {
                ctl_reply_errorf(conn, "%s: argument not understood", argv[i]);
                return false;
            }
            dp_arg = argv[i];
            continue;
        }
        if (i + 1 >= argc || !num_parse_int(argv[i + 1], 0, 65535, &value)) {
            ctl_reply_errorf(conn, "%s: a number must follow", argv[i]);
            return false;
        }
        if (!strcmp(argv[i], "-pmd")) {
            a->by_core = true;
            a->core = (unsigned) value;
        } else if (!strcmp(argv[i], "-secs")) {
            a->secs = value;
        } else if (strcmp(argv[i], "-it") && strcmp(argv[i], "-ms")) {
            ctl_reply_errorf(conn, "%s: option not understood", argv[i]);
            return false;
        }
        i++;
    }
    a->dp = dp_from_arg(dp_arg);
    if (!a->dp) {
        ctl_reply_error(conn, "please specify an existing datapath");
        return false;
    }
    return true;
}

/* Calls `fn` for the threads asked for: those on cores, ascending, then main. */
static void
for_each_pmd(const struct pmd_args *a,
             void (*fn)(struct strbuf *, struct pmd *, const struct pmd_args *),
             struct strbuf *s)
{
    const struct pmd_list *list = dp_pmds(a->dp);

    for (unsigned i = 1; i < list->n; i++) {
        if (!a->by_core || list->pmds[i]->core == a->core) {
            fn(s, list->pmds[i], a);
        }
    }
    if (!a->by_core) {
        fn(s, a->dp->main_pmd, a);
    }
}

static void
put_heading(struct strbuf *s, const struct pmd *pmd)
{
    if (pmd->core == CORE_NON_PMD) {
        strbuf_puts(s, "main thread:\n");
    } else {
        strbuf_putf(s, "pmd thread numa_id %u core_id %u:\n", pmd->numa, pmd->core);
    }
}

static void
stats_show(struct strbuf *s, struct pmd *pmd, const struct pmd_args *a)
{
    put_heading(s, pmd);
    pmd_stats_format(s, &pmd->stats, pmd->core != CORE_NON_PMD);
}

static void
stats_clear(struct strbuf *s, struct pmd *pmd, const struct pmd_args *a)
{
    pmd_stats_clear(&pmd->stats);
}

static void
put_usage(struct strbuf *s, uint64_t part, uint64_t total)
{
    if (total) {
        strbuf_putf(s, "%2d %%", (int) (part * 100 / total));
    } else {
        strbuf_puts(s, "NOT AVAIL");
    }
    strbuf_putc(s, '\n');
}

static int
compare_rxqs(const void *a_, const void *b_)
{
    const struct dp_rxq *const *a = a_, *const *b = b_;
    int cmp = strcmp((*a)->port->name, (*b)->port->name);

    return cmp ? cmp : (*a)->qid - (*b)->qid;
}

static void
rxq_show(struct strbuf *s, struct pmd *pmd, const struct pmd_args *a)
{
    unsigned n_intervals = (unsigned) DIV_ROUND_UP(a->secs * 1000, USAGE_INTERVAL_MS);
    uint64_t total = usage_sum(&pmd->total, n_intervals);
    uint64_t busy = usage_sum(&pmd->busy, n_intervals), queues = 0;
    const struct poll_list *polls = pmd->polls;
    struct dp_rxq **sorted;

    if (pmd->core == CORE_NON_PMD) {
        return;
    }
    put_heading(s, pmd);
    strbuf_putf(s, "  isolated : %s\n", pmd->isolated ? "true" : "false");
    sorted = xcalloc(polls->n + 1u, sizeof *sorted);
    for (unsigned i = 0; i < polls->n; i++) {
        sorted[i] = polls->rxqs[i];
    }
    qsort(sorted, polls->n, sizeof *sorted, compare_rxqs);
    for (unsigned i = 0; i < polls->n; i++) {
        uint64_t cycles = usage_sum(&sorted[i]->usage, n_intervals);

        queues += cycles;
        strbuf_putf(s, "  port: %-16s  queue-id: %2u (enabled)   pmd usage: ",
                    sorted[i]->port->name, sorted[i]->qid);
        put_usage(s, cycles, total);
    }
    free(sorted);
    if (polls->n) {
        strbuf_puts(s, "  overhead: ");
        put_usage(s, busy > queues ? busy - queues : 0, total);
    }
}

static void
perf_show(struct strbuf *s, struct pmd *pmd, const struct pmd_args *a)
{
    int64_t wall = clock_wall_ms();
    time_t secs = (time_t) (wall / 1000);
    struct tm tm;

    if (pmd->core == CORE_NON_PMD) {
        return;
    }
    gmtime_r(&secs, &tm);
    strbuf_putf(s, "\nTime: %02d:%02d:%02d.%03d\n", tm.tm_hour, tm.tm_min, tm.tm_sec,
                (int) (wall % 1000));
    strbuf_putf(s, "Measurement duration: %.3f s\n\n",
                (double) (clock_real_ns() / 1000000 - pmd->stats.since_ms) / 1000);
    put_heading(s, pmd);
    strbuf_putc(s, '\n');
    pmd_stats_format_perf(s, &pmd->stats);
    strbuf_putc(s, '\n');
}

static void
run(struct ctl_conn *conn, int argc, const char *const argv[],
    void (*fn)(struct strbuf *, struct pmd *, const struct pmd_args *), bool usage_heading)
{
    struct strbuf s = STRBUF_INIT;
    struct pmd_args a;

    if (!parse_args(conn, argc, argv, &a)) {
        return;
    }
    if (usage_heading) {
        a.secs = MAX(MIN((int) ROUND_UP(a.secs, 5), 60), 5);
        strbuf_putf(&s, "Displaying last %d seconds pmd usage %%\n", a.secs);
    }
    for_each_pmd(&a, fn, &s);
    ctl_reply(conn, strbuf_cstr(&s));
    strbuf_free(&s);
}

static void
stats_show_cmd(struct ctl_conn *conn, int argc, const char *const argv[], void *aux)
{
    run(conn, argc, argv, stats_show, false);
}

static void
stats_clear_cmd(struct ctl_conn *conn, int argc, const char *const argv[], void *aux)
{
    run(conn, argc, argv, stats_clear, false);
}

static void
rxq_show_cmd(struct ctl_conn *conn, int argc, const char *const argv[], void *aux)
{
    run(conn, argc, argv, rxq_show, true);
}

static void
perf_show_cmd(struct ctl_conn *conn, int argc, const char *const argv[], void *aux)
{
    run(conn, argc, argv, perf_show, false);
}

static void
rebalance_cmd(struct ctl_conn *conn, int argc, const char *const argv[], void *aux)
{
    struct pmd_args a;

    if (parse_args(conn, argc, argv, &a)) {
        pmd_set_update(a.dp, NULL);
        ctl_reply(conn, "pmd rxq rebalance requested.\n");
    }
}

void
dp_commands_pmd_register(void)
{
    ctl_command_register("dpif-netdev/pmd-stats-show", "[-pmd core] [dp]", 0, 3, stats_show_cmd,
                         NULL);
    ctl_command_register("dpif-netdev/pmd-stats-clear", "[-pmd core] [dp]", 0, 3,
                         stats_clear_cmd, NULL);
    ctl_command_register("dpif-netdev/pmd-rxq-show", "[-pmd core] [-secs secs] [dp]", 0, 5,
                         rxq_show_cmd, NULL);
    ctl_command_register("dpif-netdev/pmd-rxq-rebalance", "[dp]", 0, 1, rebalance_cmd, NULL);
    ctl_command_register("dpif-netdev/pmd-perf-show",
                         "[-nh] [-it iter-history-len] [-ms ms-history-len] [-pmd core] [dp]",
                         0, 8, perf_show_cmd, NULL);
}
