/* SPDX-License-Identifier: Apache-2.0 */
/* Which caches a polling thread uses: as other_config says, and where that says nothing, those
 * that pay for the traffic at hand. */

#include "dp-harness.h"

#define MANY (CACHE_EMC_FLOWS + 52u)

static uint64_t
stat_of(enum pmd_stat s)
{
    return atomic_load(&dp_pmds(dp)->pmds[0]->stats.n[s]);
}

/* A packet of each of flows 0..n-1. */
static void
inject_flows(unsigned n)
{
    for (unsigned i = 0; i < n; i++) {
        struct packet *p = make_packet((uint8_t) i);

        packet_data(p)[4] = (uint8_t) (i >> 8);
        dummy_receive(netdev_dummy_cast(p1), 0, p);
        dp_run_main_queues();
    }
}

/* What it does now and then. */
static void
look_at_traffic(void)
{
    struct pmd *pmd = dp_pmds(dp)->pmds[0];

    pmd->last_maintain = 0;
    pmd_maintain(pmd);
}

static void
configure(const char *key, const char *value)
{
    struct smap oc = SMAP_INIT;

    if (key) {
        smap_set(&oc, key, value);
    }
    dp_set_config(&oc);
    smap_destroy(&oc);
}

static void
test_choice(void **state)
{
    /* Few flows: always. */
    assert_true(cache_emc_pays(true, 1, 16));
    assert_true(cache_emc_pays(false, CACHE_EMC_FLOWS, 16));
    /* Many, and one subtable: not.  In between as before. */
    assert_false(cache_emc_pays(true, CACHE_EMC_FLOWS + 1, 16));
    assert_false(cache_emc_pays(true, CACHE_EMC_FLOWS + 1, CACHE_WALK_SHORT));
    assert_true(cache_emc_pays(true, CACHE_EMC_FLOWS + 1, CACHE_WALK_SHORT + 1));
    assert_false(cache_emc_pays(false, CACHE_EMC_FLOWS + 1, CACHE_WALK_LONG - 1));
    assert_true(cache_emc_pays(false, CACHE_EMC_FLOWS + 1, CACHE_WALK_LONG));

    assert_false(cache_smc_pays(false, 0));
    assert_false(cache_smc_pays(false, CACHE_WALK_LONG - 1));
    assert_true(cache_smc_pays(true, CACHE_WALK_LONG - 1));
    assert_true(cache_smc_pays(false, CACHE_WALK_LONG));
    assert_false(cache_smc_pays(true, CACHE_WALK_SHORT));

    assert_false(cache_is_used(CACHE_NEVER, true));
    assert_true(cache_is_used(CACHE_ALWAYS, false));
    assert_true(cache_is_used(CACHE_IF_IT_PAYS, true));
    assert_false(cache_is_used(CACHE_IF_IT_PAYS, false));
}

static void
test_exact_match(void **state)
{
    uint64_t emc, megaflow;

    configure(NULL, NULL);
    set_toy(1, TOY_OUT, 2);
    inject_flows(MANY);
    for (unsigned i = 0; i < 40; i++) {
        inject_flows(64); /* one in a hundred enters the cache */
    }
    assert_true(stat_of(PMD_STAT_EMC_HIT) > 0);
    look_at_traffic();
    emc = stat_of(PMD_STAT_EMC_HIT);
    megaflow = stat_of(PMD_STAT_MEGAFLOW_HIT);
    inject_flows(MANY);
    assert_int_equal(stat_of(PMD_STAT_EMC_HIT), emc);
    assert_int_equal(stat_of(PMD_STAT_MEGAFLOW_HIT), megaflow + MANY);

    /* Who names a probability wants the cache. */
    configure("emc-insert-inv-prob", "1");
    inject_flows(8);
    inject_flows(8);
    assert_true(stat_of(PMD_STAT_EMC_HIT) >= emc + 8);
    configure("emc-insert-inv-prob", "0");
    emc = stat_of(PMD_STAT_EMC_HIT);
    inject_flows(8);
    assert_int_equal(stat_of(PMD_STAT_EMC_HIT), emc);

    /* With few flows left it is back. */
    configure(NULL, NULL);
    delete_flows(dp_pmds(dp)->pmds[0]);
    look_at_traffic();
    for (unsigned i = 0; i < 200; i++) {
        inject_flows(8);
    }
    assert_true(stat_of(PMD_STAT_EMC_HIT) > emc);
    assert_int_equal(tx_packets(p2), 2 * MANY + 40 * 64 + 24 + 1600);
}

static void
test_signature(void **state)
{
    struct pmd *pmd = dp_pmds(dp)->pmds[0];

    configure(NULL, NULL);
    set_toy(1, TOY_OUT, 2);
    inject_flows(8);
    inject_flows(8);
    inject_flows(8);
    assert_int_equal(stat_of(PMD_STAT_SMC_HIT), 0);
    pmd->smc_pays = true; /* what a walk over many subtables says, see test-megaflow.c */
    inject_flows(8);
    inject_flows(8);
    assert_true(stat_of(PMD_STAT_SMC_HIT) > 0);
    uint64_t n = stat_of(PMD_STAT_SMC_HIT);
    configure("smc-enable", "false");
    inject_flows(8);
    assert_int_equal(stat_of(PMD_STAT_SMC_HIT), n);
    pmd->smc_pays = false;
    configure("smc-enable", "true");
    inject_flows(8);
    assert_true(stat_of(PMD_STAT_SMC_HIT) > n);
    configure(NULL, NULL);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_choice),
        T(test_exact_match),
        T(test_signature),
    };

    return run_datapath_tests(tests, ARRAY_SIZE(tests), NULL);
}
