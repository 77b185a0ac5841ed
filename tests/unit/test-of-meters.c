/* SPDX-License-Identifier: Apache-2.0 */
/* Meters: commands and their errors, rules that go with their meter, what the datapath is told,
 * and the real datapath behind two bridges. */

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "datapath/dp-meter.h"
#include "netdev/netdev.h"
#include "ofproto/meters-dp.h"
#include "ofproto/tables-private.h"
#include "os/evloop.h"
#include "os/thread.h"

static const struct of_requester nobody = {.version = OF13_VERSION};
static unsigned n_removed, n_changed;
static uint8_t removed_reason;

static void
flow_removed(const struct rule *r, uint8_t reason, void *aux)
{
    n_removed++;
    removed_reason = reason;
}

static void
changed(void *aux)
{
    n_changed++;
}

/* A datapath that remembers what it was told. */
static struct {
    struct of_meter_config last;
    uint32_t next;
    unsigned n;
    int error; /* to answer with */
} fake;

static int
fake_set(void *aux, const struct of_meter_config *c, uint32_t *dp_id)
{
    if (fake.error) {
        return fake.error;
    }
    if (*dp_id == UINT32_MAX) {
        *dp_id = fake.next++;
        fake.n++;
    }
    fake.last = *c;
    return 0;
}

static void
fake_del(void *aux, uint32_t dp_id)
{
    fake.n--;
}

static bool
fake_get_counts(void *aux, uint32_t dp_id, struct meter_counts *c)
{
    c->n_packets = 1000 + dp_id;
    return true;
}

static const struct meter_ops fake_ops = {
    .set = fake_set, .del = fake_del, .get_counts = fake_get_counts};

static int
setup(void **state)
{
    static const struct oftables_ops ops = {.flow_removed = flow_removed, .changed = changed};
    struct oftables *t = oftables_create(&ops);

    memset(&fake, 0, sizeof fake);
    fake.next = 50;
    n_removed = n_changed = 0;
    meters_set_ops(t, &fake_ops);
    *state = t;
    return 0;
}

static int
teardown(void **state)
{
    oftables_destroy(*state);
    rcu_barrier();
    assert_int_equal(fake.n, 0); /* none is left in the datapath */
    return 0;
}

static enum of_err
run(struct oftables *t, const struct of_meter_mod *mm)
{
    return oftables_meter_mod(t, mm, &nobody);
}

static enum of_err
change(struct oftables *t, enum of_meter_command command, uint32_t id, uint32_t rate)
{
    struct of_meter_mod mm = {
        .command = command,
        .config = {.meter_id = id,
                   .flags = OFPMF_KBPS | OFPMF_BURST | OFPMF_STATS,
                   .n_bands = 1,
                   .bands = {{.type = OFPMBT_DROP, .rate = rate, .burst = 7}}},
    };

    return run(t, &mm);
}

static enum of_err
delete_meter(struct oftables *t, uint32_t id)
{
    return change(t, OFPMC_DELETE, id, 0);
}

static void
test_commands(void **state)
{
    struct oftables *t = *state;
    struct meter_counts counts;
    uint32_t dp_id = 0;

    assert_false(meter_lookup(t, 3, &dp_id));
    assert_int_equal(change(t, OFPMC_MODIFY, 3, 10), OFPMMFC_UNKNOWN_METER);
    assert_int_equal(change(t, OFPMC_ADD, 3, 10), OF_OK);
    assert_int_equal(n_changed, 1);
    assert_int_equal(change(t, OFPMC_ADD, 3, 11), OFPMMFC_METER_EXISTS);
    assert_int_equal(fake.last.bands[0].rate, 10);
    assert_true(meter_lookup(t, 3, &dp_id));
    assert_int_equal(dp_id, 50);
    assert_int_equal(change(t, OFPMC_MODIFY, 3, 12), OF_OK);
    assert_int_equal(fake.last.bands[0].rate, 12);
    assert_int_equal(meter_find(t, 3)->config.bands[0].rate, 12);
    assert_int_equal(meter_find(t, 3)->config.bands[0].burst, 7);
    assert_true(meter_get_counts(t, meter_find(t, 3), &counts));
    assert_int_equal(counts.n_packets, 1050);

    assert_int_equal(change(t, OFPMC_ADD, OFPM_CONTROLLER, 10), OF_OK);
    assert_int_equal(change(t, OFPMC_ADD, OFPM_SLOWPATH, 10), OF_OK);
    assert_int_equal(change(t, OFPMC_ADD, OFPM_MAX, 10), OF_OK);
    assert_int_equal(meters_count(t), 4);
    assert_int_equal(delete_meter(t, 4), OF_OK); /* not there: no error */
    assert_int_equal(delete_meter(t, 3), OF_OK);
    assert_false(meter_lookup(t, 3, &dp_id));
    assert_int_equal(fake.n, 3);
    assert_int_equal(delete_meter(t, OFPM_ALL), OF_OK);
    assert_int_equal(meters_count(t), 0);
    assert_int_equal(fake.n, 0);
}

static void
test_refused(void **state)
{
    struct oftables *t = *state;
    const struct of_meter_mod good = {
        .config = {.meter_id = 1,
                   .flags = OFPMF_PKTPS,
                   .n_bands = 2,
                   .bands = {{.type = OFPMBT_DROP, .rate = 1},
                             {.type = OFPMBT_DROP, .rate = 2}}},
    };
    struct of_meter_mod mm;

#define REFUSED(WHAT, VALUE, ERR)                                                              \
    mm = good;                                                                                 \
    mm.WHAT = VALUE;                                                                           \
    assert_int_equal(run(t, &mm), ERR)
    REFUSED(config.meter_id, 0, OFPMMFC_INVALID_METER);
    REFUSED(config.meter_id, OFPM_MAX + 1, OFPMMFC_INVALID_METER);
    REFUSED(config.meter_id, OFPM_ALL, OFPMMFC_INVALID_METER);
    REFUSED(config.flags, 0, OFPMMFC_BAD_FLAGS);
    REFUSED(config.flags, OFPMF_KBPS | OFPMF_PKTPS, OFPMMFC_BAD_FLAGS);
    REFUSED(config.flags, OFPMF_KBPS | 16, OFPMMFC_BAD_FLAGS);
    REFUSED(config.n_bands, 0, OFPMMFC_OUT_OF_BANDS);
    REFUSED(config.n_bands, OFMETERS_MAX_BANDS + 1, OFPMMFC_OUT_OF_BANDS);
    REFUSED(config.bands[1].type, OFPMBT_DSCP_REMARK, OFPMMFC_BAD_BAND);
    REFUSED(config.bands[1].rate, 0, OFPMMFC_BAD_RATE);
    REFUSED(command, (enum of_meter_command) 3, OFPMMFC_BAD_COMMAND);
    fake.error = ENOSPC;
    assert_int_equal(run(t, &good), OFPMMFC_OUT_OF_METERS);
    fake.error = EIO;
    assert_int_equal(run(t, &good), OFPMMFC_UNKNOWN);
    assert_int_equal(meters_count(t), 0);
    assert_int_equal(n_changed, 0);

    fake.error = 0;
    assert_int_equal(run(t, &good), OF_OK);
    fake.error = EIO; /* which leaves the meter as it was */
    assert_int_equal(change(t, OFPMC_MODIFY, 1, 99), OFPMMFC_UNKNOWN);
    assert_int_equal(meter_find(t, 1)->config.bands[0].rate, 1);
    meters_set_ops(t, NULL);
    assert_int_equal(meters_count(t), 0);
    assert_int_equal(run(t, &good), OFPMMFC_OUT_OF_METERS);
}

static void
add_rule(struct oftables *t, uint32_t meter)
{
    struct of_flow_mod fm = {
        .command = OFPFC_ADD,
        .priority = (uint16_t) oftables_count(t),
        .flags = OFPFF_SEND_FLOW_REM,
        .buffer_id = OFP_NO_BUFFER,
        .out_port = OFPP_NONE,
        .out_group = OFPG_ANY,
    };
    struct of_act_num *a = of_actions_put(&fm.actions, OFA_METER, sizeof *a);

    a->num = meter;
    assert_int_equal(oftables_flow_mod(t, &fm, &nobody), OF_OK);
    of_actions_free(&fm.actions);
}

static void
test_rules_go(void **state)
{
    struct oftables *t = *state;

    for (uint32_t id = 1; id <= 3; id++) {
        assert_int_equal(change(t, OFPMC_ADD, id, 10), OF_OK);
        add_rule(t, id);
        add_rule(t, id);
    }
    assert_int_equal(meter_n_rules(t, meter_find(t, 2)), 2);
    assert_int_equal(change(t, OFPMC_MODIFY, 2, 20), OF_OK);
    assert_int_equal(meter_n_rules(t, meter_find(t, 2)), 2);
    assert_int_equal(delete_meter(t, 2), OF_OK);
    assert_int_equal(n_removed, 2);
    assert_int_equal(removed_reason, OFPRR_METER_DELETE);
    assert_int_equal(oftables_count(t), 4);
    assert_int_equal(delete_meter(t, OFPM_ALL), OF_OK);
    assert_int_equal(n_removed, 6);
    assert_int_equal(oftables_count(t), 0);
}

static bool
collect(const struct meter *m, void *ids_)
{
    uint32_t **ids = ids_;

    *(*ids)++ = m->id;
    return true;
}

static void
test_for_each(void **state)
{
    struct oftables *t = *state;
    uint32_t ids[4], *end = ids;

    change(t, OFPMC_ADD, 70000, 1);
    change(t, OFPMC_ADD, OFPM_CONTROLLER, 1);
    change(t, OFPMC_ADD, 2, 1);
    meters_for_each(t, collect, &end);
    assert_int_equal(end - ids, 3);
    assert_int_equal(ids[0], 2);
    assert_int_equal(ids[1], 70000);
    assert_int_equal(ids[2], OFPM_CONTROLLER);
}

/* As many as come and go over time: the table forgets those that went. */
static void
test_many(void **state)
{
    struct oftables *t = *state;
    uint32_t dp_id;

    for (uint32_t id = 1; id <= 5000; id++) {
        assert_int_equal(change(t, OFPMC_ADD, id * 977, 1), OF_OK);
        if (id > 100) {
            assert_int_equal(delete_meter(t, (id - 100) * 977), OF_OK);
        }
    }
    assert_int_equal(meters_count(t), 100);
    for (uint32_t id = 1; id <= 5000; id++) {
        assert_int_equal(meter_lookup(t, id * 977, &dp_id), id > 4900);
        assert_true(id <= 4900 || dp_id == 50 + id - 1);
    }
}

/* Two bridges on one datapath. */
static void
test_datapath(void **state)
{
    static const struct dp_upcall_ops upcalls; /* there are no packets */
    struct meters_dp *mdp;
    struct oftables *t1 = oftables_create(NULL), *t2 = oftables_create(NULL);
    struct dp_meter_stats st;
    struct meter_counts counts;
    uint32_t id1, id2;
    char *err = NULL;
    struct dp *dp;

    assert_int_equal(dp_open("dummy", &upcalls, &dp, &err), 0);
    mdp = meters_dp_create(dp);
    meters_set_ops(t1, meters_dp_ops(mdp));
    meters_set_ops(t2, meters_dp_ops(mdp));
    assert_int_equal(change(t1, OFPMC_ADD, 9, 10), OF_OK);
    assert_int_equal(change(t2, OFPMC_ADD, 9, 10), OF_OK);
    assert_true(meter_lookup(t1, 9, &id1));
    assert_true(meter_lookup(t2, 9, &id2));
    assert_int_not_equal(id1, id2);
    assert_true(dp_meter_get_stats(dp, id1, &st) && dp_meter_get_stats(dp, id2, &st));
    assert_true(meter_get_counts(t1, meter_find(t1, 9), &counts));
    assert_int_equal(counts.n_packets, 0);
    assert_int_equal(change(t1, OFPMC_MODIFY, 9, 20), OF_OK);
    assert_true(meter_lookup(t1, 9, &id2));
    assert_int_equal(id1, id2); /* what names it stays right */
    assert_int_equal(delete_meter(t1, 9), OF_OK);
    assert_false(dp_meter_get_stats(dp, id1, &st));
    assert_true(meter_lookup(t2, 9, &id2));
    oftables_destroy(t1);
    oftables_destroy(t2); /* with its meter */
    assert_false(dp_meter_get_stats(dp, id2, &st));
    meters_dp_destroy(mdp);
    dp_close(dp);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
#define T(NAME) cmocka_unit_test_setup_teardown(NAME, setup, teardown)
        T(test_commands), T(test_refused), T(test_rules_go),
        T(test_for_each), T(test_many),    T(test_datapath),
    };

    struct evloop *loop;
    int failed;

    thread_adopt("");
    loop = evloop_create();
    netdev_init(loop, "");
    dp_init(loop);
    failed = cmocka_run_group_tests(tests, NULL, NULL);
    evloop_destroy(loop);
    return failed;
}
