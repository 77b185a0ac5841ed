/* SPDX-License-Identifier: Apache-2.0 */
/* Event counters: one array of slots per thread, summed on request, folded into a common array
 * when a thread ends.  Counting is inline in the header; this file is entered once per thread,
 * every few seconds by the main loop, and by the coverage/ commands. */

#include "log/coverage.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "log/ctl.h"
#include "os/clock.h"
#include "os/thread.h"
#include "util/hash.h"
#include "util/strbuf.h"
#include "util/xalloc.h"

#define SHORT_SAMPLES 13 /* one each 5 s: a minute and its start */
#define LONG_SAMPLES 61  /* one each minute: an hour and its start */
#define PER_LONG 12      /* short samples in a long one */

struct thread_slots {
    uint64_t counts[COVERAGE_MAX]; /* first: coverage_mine points here */
    struct thread_slots *next;
    struct thread_slots **prevp;
};

/* A ring of cumulative totals; the newest is at (n - 1) % size. */
struct history {
    uint64_t (*totals)[COVERAGE_MAX];
    unsigned size;
    unsigned n; /* ever taken */
};

_Thread_local uint64_t *coverage_mine;

static struct mutex mutex = MUTEX_INIT;
/* Guarded by `mutex`. */
static struct thread_slots *threads;
static uint64_t ended[COVERAGE_MAX];
static const char *names[COVERAGE_MAX];
static unsigned n_names;

/* Main thread only. */
static uint64_t short_totals[SHORT_SAMPLES][COVERAGE_MAX];
static uint64_t long_totals[LONG_SAMPLES][COVERAGE_MAX];
static struct history short_history = {short_totals, SHORT_SAMPLES, 0};
static struct history long_history = {long_totals, LONG_SAMPLES, 0};

void
coverage_register(struct coverage_counter *c)
{
    unsigned i;

    mutex_lock(&mutex);
    for (i = 0; i < n_names && strcmp(names[i], c->name); i++) {
        continue;
    }
    if (i == n_names && n_names < COVERAGE_MAX - 1) {
        names[n_names++] = c->name;
    } else if (i == n_names) {
        /* The table is full: the late comers share the last slot. */
        i = COVERAGE_MAX - 1;
        names[i] = "coverage_table_full";
    }
    c->index = i;
    mutex_unlock(&mutex);
}

/* Exit hook: keeps what the ending thread counted. */
static void
fold_thread(void)
{
    struct thread_slots *t;

    if (!coverage_mine) {
        return;
    }
    t = CONTAINER_OF(coverage_mine, struct thread_slots, counts);
    mutex_lock(&mutex);
    for (unsigned i = 0; i < COVERAGE_MAX; i++) {
        ended[i] += t->counts[i];
    }
    *t->prevp = t->next;
    if (t->next) {
        t->next->prevp = t->prevp;
    }
    mutex_unlock(&mutex);
    coverage_mine = NULL;
    free(t);
}

__attribute__((constructor)) static void
coverage_hook_init(void)
{
    thread_exit_hook_add(fold_thread);
}

uint64_t *
coverage_thread_init(void)
{
    struct thread_slots *t = xzalloc_cacheline(sizeof *t);

    mutex_lock(&mutex);
    t->next = threads;
    t->prevp = &threads;
    if (t->next) {
        t->next->prevp = &t->next;
    }
    threads = t;
    mutex_unlock(&mutex);
    coverage_mine = t->counts;
    thread_exit_hooks_arm();
    return coverage_mine;
}

static uint64_t
total__(unsigned index)
{
    uint64_t total = ended[index];

    for (const struct thread_slots *t = threads; t; t = t->next) {
        total += __atomic_load_n(&t->counts[index], __ATOMIC_RELAXED);
    }
    return total;
}

bool
coverage_read(const char *name, uint64_t *total)
{
    bool found = false;

    mutex_lock(&mutex);
    for (unsigned i = 0; i < n_names; i++) {
        if (!strcmp(names[i], name)) {
            *total = total__(i);
            found = true;
            break;
        }
    }
    mutex_unlock(&mutex);
    return found;
}

void
coverage_sample(void)
{
    uint64_t *now = short_history.totals[short_history.n % SHORT_SAMPLES];

    mutex_lock(&mutex);
    for (unsigned i = 0; i < COVERAGE_MAX; i++) {
        now[i] = total__(i);
    }
    mutex_unlock(&mutex);
    if (short_history.n++ % PER_LONG == 0) {
        memcpy(long_history.totals[long_history.n++ % LONG_SAMPLES], now,
               COVERAGE_MAX * sizeof *now);
    }
}

/* Events of counter `index` in the last `span` sampling periods. */
static uint64_t
events_in(const struct history *h, unsigned span, unsigned index)
{
    unsigned have = MIN(h->n, h->size);
    uint64_t newest;

    if (!have) {
        return 0;
    }
    newest = h->totals[(h->n - 1) % h->size][index];
    if (h->n <= span) {
        return newest; /* all since the start, which was zero */
    }
    return newest - h->totals[(h->n - 1 - span) % h->size][index];
}

static int
compare_indexes(const void *a, const void *b)
{
    return strcmp(names[*(const unsigned *) a], names[*(const unsigned *) b]);
}

/* A short hash of which events were hit and how often by order of magnitude: equal for two
 * outputs that tell the same story. */
static uint32_t
story_hash(const unsigned *hit, const uint64_t *totals, unsigned n)
{
    uint32_t hash = 0;

    for (unsigned i = 0; i < n; i++) {
        uint32_t magnitude = (64 - (uint32_t) __builtin_clzll(totals[hit[i]])) / 4;

        hash = hash_bytes(names[hit[i]], strlen(names[hit[i]]), hash + magnitude);
    }
    return hash;
}

static void
cmd_show(struct ctl_conn *conn, int argc, const char *const argv[], void *aux)
{
    struct strbuf out = STRBUF_INIT;
    uint64_t totals[COVERAGE_MAX];
    unsigned hit[COVERAGE_MAX];
    unsigned n_hit = 0;
    unsigned n_never = 0;

    mutex_lock(&mutex);
    for (unsigned i = 0; i < COVERAGE_MAX; i++) {
        if (!names[i]) {
            continue;
        }
        totals[i] = total__(i);
        if (totals[i]) {
            hit[n_hit++] = i;
        } else {
            n_never++;
        }
    }
    mutex_unlock(&mutex);
    qsort(hit, n_hit, sizeof *hit, compare_indexes);

    strbuf_putf(&out,
                "Event coverage, avg rate over last: %d seconds, last minute, last hour,  "
                "hash=%08x:\n",
                5, story_hash(hit, totals, n_hit));
    for (unsigned k = 0; k < n_hit; k++) {
        unsigned i = hit[k];

        strbuf_putf(&out, "%-24s %5.1f/sec %9.3f/sec %13.4f/sec   total: %" PRIu64 "\n",
                    names[i], (double) events_in(&short_history, 1, i) / 5,
                    (double) events_in(&short_history, SHORT_SAMPLES - 1, i) / 60,
                    (double) events_in(&long_history, LONG_SAMPLES - 1, i) / 3600, totals[i]);
    }
    strbuf_putf(&out, "%u events never hit\n", n_never);
    ctl_reply(conn, strbuf_cstr(&out));
    strbuf_free(&out);
}

static void
cmd_read_counter(struct ctl_conn *conn, int argc, const char *const argv[], void *aux)
{
    uint64_t total = 0;

    /* A counter that only other switches have was never hit here: 0, not an error. */
    coverage_read(argv[1], &total);
    ctl_replyf(conn, "%" PRIu64 "\n", total);
}

void
coverage_commands_register(void)
{
    ctl_command_register("coverage/show", "", 0, 0, cmd_show, NULL);
    ctl_command_register("coverage/read-counter", "counter", 1, 1, cmd_read_counter, NULL);
}
