/* SPDX-License-Identifier: Apache-2.0 */
/* other_config:pmd-auto-lb on two polling threads, with loads made up and under virtual time:
 * when queues are given out anew, when they are left alone, and what the log says of it. */

#include "dp-harness.h"
#include "log/log.h"
#include "os/affinity.h"

#define STEP_CYCLES UINT64_C(10000000000000) /* far more than really pass in a test */
#define N_QUEUES 4u

static struct smap oc = SMAP_INIT;
static struct dp_port *port;

static bool
has_two_cores(void)
{
    return affinity_is_allowed(0) && affinity_is_allowed(1);
}

static void
set(const char *key, const char *value)
{
    smap_set(&oc, key, value);
    dp_set_config(&oc);
}

static struct pmd *
pmd_of(unsigned queue)
{
    return port->rxqs[queue].pmd;
}

/* The next sample will find so many more cycles.  Moves what the last sample found, which is
 * main's own: the counters have one writer each, the thread that polls. */
static void
pretend(struct usage *usage, uint64_t cycles)
{
    usage->last -= cycles;
}

/* One step of time in which each queue took so many percent of a core, and its thread as much.
 */
static void
step(const unsigned percent[N_QUEUES])
{
    const struct pmd_list *list = dp_pmds(dp);
    uint64_t busy[8] = {0};

    assert_true(list->n <= 8);
    for (unsigned q = 0; q < N_QUEUES; q++) {
        struct dp_rxq *rxq = &port->rxqs[q];
        /* A little more, so that shares are not rounded down to one percent less. */
        uint64_t cycles = STEP_CYCLES / 100 * percent[q] + STEP_CYCLES / 1000;

        pretend(&rxq->usage, cycles);
        for (unsigned i = 1; i < list->n; i++) {
            busy[i] += list->pmds[i] == rxq->pmd ? cycles : 0;
        }
    }
    for (unsigned i = 1; i < list->n; i++) {
        pretend(&list->pmds[i]->busy, busy[i]);
        pretend(&list->pmds[i]->total, MAX(busy[i], STEP_CYCLES));
    }
    clock_warp(USAGE_INTERVAL_MS);
    pmd_set_sample();
}

static void
minute(const unsigned percent[N_QUEUES])
{
    for (unsigned i = 0; i < USAGE_INTERVALS; i++) {
        step(percent);
    }
}

static int
balance_setup(void **state)
{
    if (setup(state)) {
        return -1;
    }
    add_port("p4", "dummy-pmd", "n_rxq", "4", 4);
    port = dp_port_lookup(dp, 4);
    smap_init(&oc);
    smap_set(&oc, "pmd-cpu-mask", "3");
    smap_set(&oc, "pmd-sleep-max", "10000");
    dp_set_config(&oc);
    return 0;
}

static int
balance_teardown(void **state)
{
    smap_clear(&oc);
    dp_set_config(&oc);
    smap_destroy(&oc);
    return teardown(state);
}

/* Queues 0 and 3 meet on one core: there and back again. */
static void
check_start(void)
{
    assert_int_equal(dp_pmds(dp)->n, 3);
    assert_ptr_equal(pmd_of(0), pmd_of(3));
    assert_ptr_equal(pmd_of(1), pmd_of(2));
    assert_ptr_not_equal(pmd_of(0), pmd_of(1));
}

static const unsigned skewed[N_QUEUES] = {50, 1, 1, 49};

static void
test_overload_is_levelled(void **state)
{
    const unsigned lighter[N_QUEUES] = {50, 1, 1, 40};

    if (!has_two_cores()) {
        skip();
    }
    check_start();
    minute(skewed);
    minute(skewed);
    check_start(); /* nobody asked for more */
    set("pmd-auto-lb", "true");
    minute(lighter);
    minute(lighter);
    check_start(); /* 92 % are no overload */
    for (unsigned i = 1; i < USAGE_INTERVALS; i++) {
        step(skewed);
    }
    step(lighter);
    check_start(); /* not for a whole minute */
    minute(skewed);
    minute(skewed);
    assert_ptr_not_equal(pmd_of(0), pmd_of(3));
    assert_ptr_not_equal(pmd_of(1), pmd_of(2));
    check_ctl_has("dpif-netdev/pmd-rxq-show", NULL, "queue-id:  0 (enabled)   pmd usage: 50 %");
}

static void
test_thresholds(void **state)
{
    const unsigned much[N_QUEUES] = {99, 0, 0, 1}; /* cannot be levelled */
    const unsigned some[N_QUEUES] = {30, 0, 0, 30};

    if (!has_two_cores()) {
        skip();
    }
    set("pmd-auto-lb", "true");
    minute(much);
    minute(much);
    minute(much);
    check_start(); /* 100:0 to 99:1 is 4 % less variance, not 25 */
    set("pmd-auto-lb-load-threshold", "61");
    minute(some);
    minute(some);
    check_start();
    set("pmd-auto-lb-load-threshold", "60");
    minute(some);
    minute(some);
    assert_ptr_not_equal(pmd_of(0), pmd_of(3));
}

/* The least that is demanded, and the least time between two tries. */
static void
test_improvement_and_interval(void **state)
{
    const unsigned much[N_QUEUES] = {99, 0, 0, 1};

    if (!has_two_cores()) {
        skip();
    }
    set("pmd-auto-lb", "true");
    set("pmd-auto-lb-rebal-interval", "4");
    set("pmd-auto-lb-improvement-threshold", "2");
    for (unsigned i = 0; i < 4 * USAGE_INTERVALS; i++) {
        step(much);
        check_start(); /* the first step starts the time */
    }
    step(much);
    assert_ptr_not_equal(pmd_of(0), pmd_of(3));
}

static void
test_no_choice(void **state)
{
    struct smap port_oc = SMAP_INIT;
    struct pmd *was[N_QUEUES];

    if (!has_two_cores()) {
        skip();
    }
    set("pmd-auto-lb", "true");
    set("pmd-rxq-assign", "roundrobin");
    for (unsigned q = 0; q < N_QUEUES; q++) {
        was[q] = pmd_of(q);
    }
    assert_ptr_equal(was[0], was[2]);
    minute((const unsigned[N_QUEUES]){50, 1, 50, 1});
    minute((const unsigned[N_QUEUES]){50, 1, 50, 1});
    for (unsigned q = 0; q < N_QUEUES; q++) {
        assert_ptr_equal(was[q], pmd_of(q)); /* loads do not count there */
    }
    /* One core is isolated: nowhere to go for those of the other. */
    set("pmd-rxq-assign", "cycles");
    smap_set(&port_oc, "pmd-rxq-affinity", "1:1");
    dp_port_set_config(dp, 4, &port_oc);
    assert_ptr_equal(pmd_of(0), pmd_of(2));
    assert_ptr_equal(pmd_of(0), pmd_of(3));
    assert_true(pmd_of(1)->isolated);
    minute((const unsigned[N_QUEUES]){40, 1, 40, 20});
    minute((const unsigned[N_QUEUES]){40, 1, 40, 20});
    assert_ptr_equal(pmd_of(0), pmd_of(2));
    assert_ptr_equal(pmd_of(0), pmd_of(3));
    /* Group with shared cores may use it. */
    set("pmd-rxq-assign", "group");
    smap_set(&oc, "pmd-rxq-isolate", "false");
    dp_set_config(&oc);
    assert_ptr_not_equal(pmd_of(0), pmd_of(2));
    smap_destroy(&port_oc);
}

/* ---- What is said. ---- */

static char log_path[] = "/tmp/test-pmd-balance.XXXXXX";

/* Texts of all lines since the last time that speak of balance. */
static void
check_said(const char *want)
{
    static long ofs;
    char line[1024], said[4096] = "";
    FILE *f = fopen(log_path, "r");

    assert_non_null(f);
    fseek(f, ofs, SEEK_SET);
    while (fgets(line, sizeof line, f)) {
        const char *text = strrchr(line, '|');

        if (text && strstr(text, "auto")) {
            strncat(said, text + 1, sizeof said - strlen(said) - 1);
        }
    }
    ofs = ftell(f);
    fclose(f);
    assert_string_equal(said, want);
}

static void
test_log(void **state)
{
    int fd = mkstemp(log_path);

    assert_true(fd >= 0);
    close(fd);
    assert_int_equal(log_file_open(log_path), 0);
    set("pmd-auto-lb", "true");
    check_said("PMD auto load balance is enabled, interval 1 mins, pmd load threshold 95%, "
               "improvement threshold 25%.\n");
    dp_set_config(&oc);
    check_said("");
    set("pmd-auto-lb-rebal-interval", "0"); /* which is the default */
    check_said("");
    set("pmd-auto-lb-rebal-interval", "20000");
    check_said("PMD auto load balance interval set to 20000 mins\n"
               "PMD auto load balance is enabled, interval 20000 mins, pmd load threshold 95%, "
               "improvement threshold 25%.\n");
    set("pmd-auto-lb-load-threshold", "101");
    check_said("other_config:pmd-auto-lb-load-threshold=101 is not a number from 0 to 100: "
               "taking 95\n");
    dp_set_config(&oc);
    check_said("");
    smap_set(&oc, "pmd-auto-lb-load-threshold", "0");
    set("pmd-auto-lb-improvement-threshold", "100");
    check_said("PMD auto load balance improvement threshold set to 100%\n"
               "PMD auto load balance load threshold set to 0%\n"
               "PMD auto load balance is enabled, interval 20000 mins, pmd load threshold 0%, "
               "improvement threshold 100%.\n");
    set("pmd-auto-lb", "false");
    check_said("PMD auto load balance is disabled.\n");
    log_file_close();
    unlink(log_path);
}

#define B(NAME) cmocka_unit_test_setup_teardown(NAME, balance_setup, balance_teardown)

int
main(void)
{
    const struct CMUnitTest tests[] = {
        B(test_overload_is_levelled),
        B(test_thresholds),
        B(test_improvement_and_interval),
        B(test_no_choice),
        B(test_log),
    };

    clock_stop();
    return run_datapath_tests(tests, ARRAY_SIZE(tests), NULL);
}
