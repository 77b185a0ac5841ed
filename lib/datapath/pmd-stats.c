/* SPDX-License-Identifier: Apache-2.0 */
/* Reading and formatting of the counters of polling threads, in the layouts that scripts around
 * `ovs-appctl dpif-netdev/pmd-stats-show` and pmd-perf-show know.  Main thread. */

#include "datapath/pmd-stats.h"

#include <inttypes.h>
#include <string.h>

#include "os/clock.h"

void
pmd_stats_read(const struct pmd_stats *s, uint64_t out[PMD_N_STATS])
{
    for (unsigned i = 0; i < PMD_N_STATS; i++) {
        out[i] = pmd_stat_get(s, i) - s->base[i];
    }
}

void
pmd_stats_clear(struct pmd_stats *s)
{
    for (unsigned i = 0; i < PMD_N_STATS; i++) {
        s->base[i] = pmd_stat_get(s, i);
    }
    s->since_ms = clock_real_ns() / 1000000;
}

static double
ratio(uint64_t a, uint64_t b)
{
    return b ? (double) a / (double) b : 0.0;
}

void
pmd_stats_format(struct strbuf *s, const struct pmd_stats *stats, bool cycles)
{
    uint64_t n[PMD_N_STATS], total, recv;

    pmd_stats_read(stats, n);
    recv = n[PMD_STAT_RECV];
    strbuf_putf(s,
                "  packets received: %" PRIu64 "\n"
                "  packet recirculations: %" PRIu64 "\n"
                "  avg. datapath passes per packet: %.2f\n"
                "  phwol hits: 0\n"
                "  mfex opt hits: 0\n"
                "  simple match hits: %" PRIu64 "\n"
                "  emc hits: %" PRIu64 "\n"
                "  smc hits: %" PRIu64 "\n"
                "  megaflow hits: %" PRIu64 "\n"
                "  avg. subtable lookups per megaflow hit: %.2f\n"
                "  miss with success upcall: %" PRIu64 "\n"
                "  miss with failed upcall: %" PRIu64 "\n"
                "  avg. packets per output batch: %.2f\n",
                recv, n[PMD_STAT_RECIRC], ratio(recv + n[PMD_STAT_RECIRC], recv),
                n[PMD_STAT_SIMPLE_HIT], n[PMD_STAT_EMC_HIT], n[PMD_STAT_SMC_HIT],
                n[PMD_STAT_MEGAFLOW_HIT],
                ratio(n[PMD_STAT_SUBTABLES], n[PMD_STAT_MEGAFLOW_HIT]), n[PMD_STAT_MISS],
                n[PMD_STAT_LOST], ratio(n[PMD_STAT_TX_PACKETS], n[PMD_STAT_TX_BATCHES]));
    total = n[PMD_STAT_CYCLES_IDLE] + n[PMD_STAT_CYCLES_BUSY];
    if (!cycles || !total) {
        return;
    }
    strbuf_putf(s,
                "  idle cycles: %" PRIu64 " (%.02f%%)\n"
                "  processing cycles: %" PRIu64 " (%.02f%%)\n",
                n[PMD_STAT_CYCLES_IDLE], 100 * ratio(n[PMD_STAT_CYCLES_IDLE], total),
                n[PMD_STAT_CYCLES_BUSY], 100 * ratio(n[PMD_STAT_CYCLES_BUSY], total));
    if (recv) {
        strbuf_putf(s,
                    "  avg cycles per packet: %.02f (%" PRIu64 "/%" PRIu64 ")\n"
                    "  avg processing cycles per packet: %.02f (%" PRIu64 "/%" PRIu64 ")\n",
                    ratio(total, recv), total, recv, ratio(n[PMD_STAT_CYCLES_BUSY], recv),
                    n[PMD_STAT_CYCLES_BUSY], recv);
    }
}

/* Label, and the number right-aligned so that it ends in one column for all. */
static void
put_line(struct strbuf *s, const char *label, uint64_t n)
{
    strbuf_putf(s, "  %s%*" PRIu64, label, 32 - (int) strlen(label), n);
}

static void
format_iterations(struct strbuf *s, const uint64_t *n, double seconds)
{
    uint64_t iters = n[PMD_STAT_ITER_IDLE] + n[PMD_STAT_ITER_BUSY];
    uint64_t used = n[PMD_STAT_CYCLES_IDLE] + n[PMD_STAT_CYCLES_BUSY];
    double hz = (double) clock_cycles_hz(), tsc = seconds * hz;

    put_line(s, "Iterations:", iters);
    strbuf_putf(s, "  (%.2f us/it)\n",
                iters && hz > 0 ? (double) used / hz * 1e6 / (double) iters : 0.0);
    put_line(s, "- Used TSC cycles:", used);
    strbuf_putf(s, "  (%5.1f %% of total cycles)\n", tsc > 0 ? 100 * (double) used / tsc : 0.0);
    put_line(s, "- idle iterations:", n[PMD_STAT_ITER_IDLE]);
    strbuf_putf(s, "  (%5.1f %% of used cycles)\n", 100 * ratio(n[PMD_STAT_CYCLES_IDLE], used));
    put_line(s, "- busy iterations:", n[PMD_STAT_ITER_BUSY]);
    strbuf_putf(s, "  (%5.1f %% of used cycles)\n", 100 * ratio(n[PMD_STAT_CYCLES_BUSY], used));
    put_line(s, "- sleep iterations:", n[PMD_STAT_SLEEPS]);
    strbuf_putf(s, "  (%5.1f %% of iterations)\n", 100 * ratio(n[PMD_STAT_SLEEPS], iters));
    put_line(s, "Sleep time (us):", n[PMD_STAT_SLEEP_US]);
    strbuf_putf(s, "  (%3.0f us/iteration avg.)\n",
                ratio(n[PMD_STAT_SLEEP_US], n[PMD_STAT_SLEEPS]));
}

static void
put_hits(struct strbuf *s, const char *label, uint64_t n, uint64_t recv)
{
    put_line(s, label, n);
    strbuf_putf(s, "  (%5.1f %%)\n", 100 * ratio(n, recv));
}

static void
format_rx(struct strbuf *s, const uint64_t *n, double seconds)
{
    uint64_t recv = n[PMD_STAT_RECV];
    double hz = (double) clock_cycles_hz();
    uint64_t upcalls = n[PMD_STAT_MISS] + n[PMD_STAT_LOST];

    put_line(s, "Rx packets:", recv);
    if (!recv) {
        strbuf_putc(s, '\n');
        return;
    }
    strbuf_putf(s, "  (%.0f Kpps, %.0f cycles/pkt)\n",
                seconds > 0 ? (double) recv / seconds / 1000 : 0.0,
                ratio(n[PMD_STAT_CYCLES_BUSY], recv));
    put_line(s, "Datapath passes:", recv);
    strbuf_puts(s, "  (1.00 passes/pkt)\n");
    put_hits(s, "- PHWOL hits:", 0, recv);
    put_hits(s, "- MFEX Opt hits:", 0, recv);
    put_hits(s, "- Simple Match hits:", n[PMD_STAT_SIMPLE_HIT], recv);
    put_hits(s, "- EMC hits:", n[PMD_STAT_EMC_HIT], recv);
    put_hits(s, "- SMC hits:", n[PMD_STAT_SMC_HIT], recv);
    put_line(s, "- Megaflow hits:", n[PMD_STAT_MEGAFLOW_HIT]);
    strbuf_putf(s, "  (%5.1f %%, %.2f subtbl lookups/hit)\n",
                100 * ratio(n[PMD_STAT_MEGAFLOW_HIT], recv),
                ratio(n[PMD_STAT_SUBTABLES], n[PMD_STAT_MEGAFLOW_HIT]));
    put_line(s, "- Upcalls:", upcalls);
    strbuf_putf(s, "  (%5.1f %%, %.1f us/upcall)\n", 100 * ratio(upcalls, recv),
                upcalls && hz > 0
                    ? (double) n[PMD_STAT_UPCALL_CYCLES] / hz * 1e6 / (double) upcalls
                    : 0.0);
    put_hits(s, "- Lost upcalls:", n[PMD_STAT_LOST], recv);
}

void
pmd_stats_format_perf(struct strbuf *s, const struct pmd_stats *stats)
{
    double seconds = (double) (clock_real_ns() / 1000000 - stats->since_ms) / 1000;
    uint64_t n[PMD_N_STATS];

    pmd_stats_read(stats, n);
    format_iterations(s, n, seconds);
    format_rx(s, n, seconds);
    put_line(s, "Tx packets:", n[PMD_STAT_TX_PACKETS]);
    if (n[PMD_STAT_TX_PACKETS]) {
        strbuf_putf(s, "  (%.0f Kpps)\n",
                    seconds > 0 ? (double) n[PMD_STAT_TX_PACKETS] / seconds / 1000 : 0.0);
        put_line(s, "Tx batches:", n[PMD_STAT_TX_BATCHES]);
        strbuf_putf(s, "  (%.2f pkts/batch)",
                    ratio(n[PMD_STAT_TX_PACKETS], n[PMD_STAT_TX_BATCHES]));
    }
    strbuf_putc(s, '\n');
}
